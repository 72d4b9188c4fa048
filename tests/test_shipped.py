"""What ships is quick to reach, credited, and the same however it is read."""

import gcr_fast_data
import numpy as np
import pytest

from gcr_fast import UsageError, annual_from, profiles_from
from gcr_fast.shipped import (
    annual_path,
    attribution,
    manifest,
    profiles_for,
    shipped_annual,
    shipped_names,
    shipped_notes,
    shipped_profiles,
    shipped_years,
)


@pytest.fixture(scope="module")
def whole():
    return shipped_profiles()


def annual(**columns):
    import pyarrow as pa

    fixed = {"certificate_id": "X", "energy_wh": 5, "year": 2020, "zone": "Europe/Vienna", "status": "CANCELED"}
    return annual_from(pa.table({name: [value] for name, value in (fixed | columns).items()}), strict=False)


def test_all_are_there_with_the_totals_of_the_manifest(whole):
    assert list(whole) == shipped_names()
    assert {name: profile.total for name, profile in whole.items()} == {
        series["name"]: series["total_wh"] for series in manifest()["series"]
    }
    assert all(profile.complete and not profile.faults for profile in whole.values())
    assert not len(whole.findings)


def test_one_is_the_same_as_among_all_and_as_read_from_the_file(whole):
    name = "AT-2020-solar"
    alone = shipped_profiles([name])
    plain = profiles_from(gcr_fast_data.profile_paths()[1])[name]
    assert list(alone) == [name]
    for other in (whole[name], plain):
        assert alone[name].start_s == other.start_s
        assert np.array_equal(alone[name].values, other.values)
    assert alone[name].source_type == "solar"


def test_only_row_groups_that_are_needed_are_read(monkeypatch):
    import pyarrow.parquet as pq

    read = []
    original = pq.ParquetFile.read_row_groups

    def spy(self, groups, **options):
        read.extend(groups)
        return original(self, groups, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", spy)
    shipped_profiles(["AT-2019-solar", "DE-2020-solar"])
    assert len(read) == 2


def test_the_source_is_the_file_that_was_read():
    sources = shipped_profiles(["AT-2020-solar"]).sources
    hashes = [source.sha256 for source in sources]
    assert hashes == [manifest()["files"]["profiles-2020.parquet"]["sha256"]]


def test_credit_names_source_and_licence(whole):
    assert "ENTSO-E Transparency Platform" in attribution()
    assert "CC BY 4.0" in attribution()
    assert "https://creativecommons.org/licenses/by/4.0/" in attribution()
    assert {profile.attribution for profile in whole.values()} == {attribution()}


def test_names_by_country_year_and_source():
    assert shipped_names("AT", 2020, "solar") == ["AT-2020-solar"]
    assert len(shipped_names()) == len(manifest()["series"])
    assert shipped_names("XX") == []
    assert shipped_profiles([]).by_name == {}


def test_unknown_names():
    with pytest.raises(UsageError, match="AT-2020-cheese"):
        shipped_profiles(["AT-2020-cheese"])
    with pytest.raises(UsageError, match="2019, 2020"):
        annual_path(1999)


@pytest.mark.parametrize("year", shipped_years())
def test_demo_certificates_have_their_profiles(year):
    certificates = shipped_annual(year)
    names = certificates.table["profile"].to_pylist()
    assert certificates.findings.ok
    assert sorted(names) == sorted(shipped_names(year=year))


def test_profiles_for_takes_name_default_or_country_year_and_source():
    assert list(profiles_for(annual(profile="AT-2019-solar"))) == ["AT-2019-solar"]
    assert list(profiles_for(annual(), "BE-2020-solar")) == ["BE-2020-solar"]
    assert list(profiles_for(annual(country="CZ", source_type="solar"))) == ["CZ-2020-solar"]


def test_profiles_for_a_name_that_does_not_ship_are_all(whole):
    assert list(profiles_for(annual(profile="AT-2020-sollar"))) == list(whole)


def test_notes():
    assert shipped_notes("AT-2020-waste") == ["the same value in every hour"]
    assert shipped_notes("AT-2020-solar") == []
    assert shipped_notes("elsewhere") == []
