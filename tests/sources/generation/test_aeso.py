"""Alberta's current supply demand report is known, so that it can be refused by what it is."""

from pathlib import Path

import pytest

from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation.formats import identify, read_readings

EXAMPLE = Path(__file__).parent.parent / "examples" / "aeso-csd.csv"


def test_a_snapshot_is_refused_as_no_hourly_data(refusal):
    assert identify(open_file(EXAMPLE)).name == "aeso-csd"
    (finding,) = refusal(read_readings, EXAMPLE)
    assert "no hourly data" in finding["message"]
    assert "Jan 02, 2024 12:34" in finding["message"]
    assert finding["code"] == "missing_interval"


def test_only_the_title_makes_the_report(write):
    assert identify(open_file(write(EXAMPLE.read_text().replace("Current Supply", "Former Supply")))) is None


@pytest.mark.parametrize("name", ["CSDReport_2024-05-10.csv"])
def test_the_real_report_is_refused(name, real_data, refusal):
    (finding,) = refusal(read_readings, real_data / "samples" / "aeso" / name)
    assert "May 10, 2024 16:19" in finding["message"]
