"""ERCOT's dashboard: moments some five minutes apart, each for the five minutes that end beside it."""

import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from oracle.exports import cells_by_start

from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation.formats import BY_NAME, read_as, read_readings
from gcr_fast.sources.model import How

EXAMPLE = Path(__file__).parent.parent / "examples" / "ercot-dashboard.json"
KINDS = {
    "Coal and Lignite": "fossil_coal",
    "Hydro": "hydro",
    "Nuclear": "nuclear",
    "Other": "other",
    "Power Storage": "battery_storage",
    "Solar": "solar",
    "Wind": "wind",
    "Natural Gas": "fossil_gas",
}
MW = 1_000_000


def plain(text):
    """Watts by kind and start: moments within a minute of a fifth minute, for the five minutes before it."""
    found = {}
    for moments in json.loads(text, parse_float=Fraction)["data"].values():
        for moment, fuels in moments.items():
            second = int(datetime.strptime(moment, "%Y-%m-%d %H:%M:%S%z").timestamp())
            marks = [near for near in range(second - 60, second + 61) if near % 300 == 0]
            for fuel, told in fuels.items() if marks else ():
                value = None if told["gen"] is None else told["gen"] * MW // 1
                found.setdefault(KINDS[fuel], {})[marks[0] - 300] = value
    return found


def read_by_its_reader(path):
    """Read a file as of this format, whatever its head tells."""
    return read_as(open_file(path), BY_NAME["ercot-dashboard"], How())


def test_moments_stand_for_the_five_minutes_that_end_beside_them():
    readings = read_readings(EXAMPLE)
    assert {one.kind: cells_by_start(one) for one in readings.series} == plain(EXAMPLE.read_text())
    assert {(one.power, one.interval_s, one.area) for one in readings.series} == {(True, 300, "ERCOT")}


def test_a_moment_between_two_marks_is_dropped_and_its_five_minutes_are_a_gap():
    readings = read_readings(EXAMPLE)
    assert list(readings.dropped.values()) == [8]  # of eight fuels
    wind = next(one for one in readings.series if one.kind == "wind")
    gap = datetime(2025, 11, 2, 5, 20, tzinfo=UTC)
    assert int(gap.timestamp()) not in wind.starts.tolist()
    assert int((gap + timedelta(minutes=5)).timestamp()) in wind.starts.tolist()


def test_the_offset_tells_the_hour_that_autumn_repeats():
    wind = next(one for one in read_readings(EXAMPLE).series if one.kind == "wind")
    starts = wind.starts.tolist()
    assert starts == sorted(set(starts))
    keys = [moment for moments in json.loads(EXAMPLE.read_text())["data"].values() for moment in moments]
    assert {key[-5:] for key in keys} == {"-0500", "-0600"}


def test_storage_is_no_generation_and_capacities_are_left_out():
    readings = read_readings(EXAMPLE)
    (stored,) = (one for one in readings.series if one.role != "generation")
    assert (stored.kind, stored.role) == ("battery_storage", "storage")
    assert stored.values.min() < 0
    assert readings.left_out == {"monthlyCapacity": "a capacity"}


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [
        ('"2025-11-02 00:04:56-0500"', '"2025-11-02 00:04:56"', "data"),
        ('"gen": 10000.5', '"gen": "much"', "gen"),
    ],
)
def test_bad_cells_are_refused(old, new, column, write, refusal):
    found = refusal(read_readings, write(EXAMPLE.read_text().replace(old, new), "bad.json"))
    assert {item["column"] for item in found} == {column}


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(data=[]),
        lambda document: document.update(data={}),
        lambda document: document["data"].update({"2025-11-02": 5}),
        lambda document: document["data"].update({"2025-11-02": {"2025-11-02 00:04:56-0500": {"Wind": 7}}}),
    ],
)
def test_other_shapes_are_refused(change, write, refusal):
    document = json.loads(EXAMPLE.read_text())
    change(document)
    (found,) = refusal(read_by_its_reader, write(json.dumps(document), "bad.json"))
    assert found["severity"] == "error"


def test_real_moments(real_data, write, refusal):
    text = (real_data / "samples" / "ercot" / "fuel-mix_dashboard_first30kB.json.txt").read_text()
    (found,) = refusal(read_readings, write(text, "cut.json"))
    assert "damaged JSON" in found["message"]
    whole = text[: text.rindex('      },\n      "2025')] + "}}}}"
    readings = read_readings(write(whole, "whole.json"))
    assert {one.kind: cells_by_start(one) for one in readings.series} == plain(whole)
    assert not readings.dropped
    assert {len(one) for one in readings.series} == {whole.count('-0500": {')}
