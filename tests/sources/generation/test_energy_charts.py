"""Energy-Charts: generation among shares, residual load and trade."""

import json
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from oracle import exports as oracle

from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLE = Path(__file__).parent.parent / "examples" / "energy-charts.json"


def plain(path):
    document = json.loads(path.read_text(), parse_float=Fraction)
    return {
        entry["name"]: {
            start: None if mw is None else Fraction(mw) * 1_000_000 // 1
            for start, mw in zip(document["unix_seconds"], entry["data"], strict=True)
        }
        for entry in document["production_types"]
    }


def changed(**changes):
    """Return the example's text with some of its keys changed; None takes one away."""
    document = json.loads(EXAMPLE.read_text()) | changes
    return json.dumps({key: value for key, value in document.items() if value is not None})


def test_the_example_is_read_as_by_hand():
    readings = read_readings(EXAMPLE)
    wanted = plain(EXAMPLE)
    assert {one.column: one.name for one in readings.series} == {
        "Hydro pumped storage consumption": "pumping",
        "Cross border electricity trading": "exchange",
        "Hydro Run-of-River": "hydro_run_of_river",
        "Fossil brown coal / lignite": "fossil_lignite",
        "Wind onshore": "wind_onshore",
        "Others": "other",
        "Load": "load",
    }
    for one in readings.series:
        assert oracle.values(one) == wanted[one.column]
        assert (one.power, one.interval_s) == (True, 900)
    assert (readings.format, readings.zone, readings.rows) == ("energy-charts", "UTC", 12)


def test_shares_and_residual_load_are_left_out_and_so_is_what_has_no_value():
    assert read_readings(EXAMPLE).left_out == {
        "Nuclear": "no value at any time",
        "Residual load": "derived from other series",
        "Renewable share of load": "derived from other series",
        "Renewable share of generation": "derived from other series",
    }


def test_null_is_a_gap():
    wind = next(one for one in read_readings(EXAMPLE).series if one.kind == "wind_onshore")
    assert wind.null.tolist() == [at == 4 for at in range(12)]


def test_pumping_and_trade_keep_their_sign_and_their_role():
    found = oracle.named(read_readings(EXAMPLE))
    assert (found["pumping"].role, found["pumping"].values.max() <= 0) == ("consumption", True)
    assert (found["exchange"].role, found["exchange"].source_type) == ("trade", None)
    assert found["load"].role == "load"


def test_the_area_is_the_one_that_is_named():
    found = read_readings(EXAMPLE, How(areas=frozenset({"DE"})))
    assert {one.area for one in found.series} == {"DE"}
    assert "DE-wind_onshore" in oracle.named(found)


def test_hours_of_an_autumn_day_are_hours(write):
    first = int(datetime(2024, 10, 26, 22, tzinfo=UTC).timestamp())
    starts = list(range(first, first + 25 * 3600, 3600))
    types = [{"name": "Solar", "data": list(range(25))}]
    (one,) = read_readings(write(changed(unix_seconds=starts, production_types=types))).series
    assert (one.starts.tolist(), one.interval_s) == (starts, 3600)


def test_a_year_whose_types_lie_beyond_the_head_is_known(write):
    starts = list(range(1704063600, 1704063600 + 35136 * 900, 900))
    text = changed(unix_seconds=starts, production_types=[{"name": "Solar", "data": [1.5] * len(starts)}])
    path = write(text)
    assert text.index("production_types") > 65_536
    assert oracle.wh(read_readings(path).series[0]) == 1_500_000 * 8784


# --- refusals


def test_every_bad_value_is_named(write, refusal):
    types = [{"name": "Solar", "data": [1, "x", 2, 1e30, *[0] * 8]}, {"name": "Waste", "data": [True, *[0] * 11]}]
    found = refusal(read_readings, write(changed(production_types=types)))
    assert [(item["column"], item["value"]) for item in found] == [
        ("Solar", "x"),
        ("Solar", "1e+30"),
        ("Waste", "True"),
    ]
    assert "at position 2" in found[0]["message"]


def test_lists_of_another_length_are_refused(write, refusal):
    (finding,) = refusal(read_readings, write(changed(production_types=[{"name": "Solar", "data": [1, 2]}])))
    assert "2 values of Solar for 12 unix_seconds" in finding["message"]


@pytest.mark.parametrize("second", [1704063600000, "1704063600", 1704063600.5, None, -1, True])
def test_times_that_are_no_seconds_are_refused(write, refusal, second):
    starts = [1704063600, second, *range(1704065400, 1704065410)]
    (finding,) = refusal(read_readings, write(changed(unix_seconds=starts)))
    assert (finding["column"], "at position 2" in finding["message"]) == ("unix_seconds", True)


def test_prices_are_refused(write, refusal):
    (finding,) = refusal(read_readings, write(changed(production_types=None, price=[1] * 12)))
    assert "has no list production_types, but unix_seconds, deprecated, price" in finding["message"]


@pytest.mark.parametrize("entry", [5, {}, {"name": "Solar"}, {"data": []}, {"name": 3, "data": []}])
def test_an_entry_of_another_shape_is_refused(write, refusal, entry):
    (finding,) = refusal(read_readings, write(changed(production_types=[entry])))
    assert "without name or data" in finding["message"]


def test_a_file_that_was_cut_off_is_refused(write, refusal):
    (finding,) = refusal(read_readings, write(EXAMPLE.read_text()[:-40]))
    assert "damaged JSON" in finding["message"]


def test_the_sample_of_the_form_is_read(real_data):
    path = real_data / "samples" / "energy_charts" / "FORMAT_ONLY_public_power.json"
    readings = read_readings(path)
    wanted = plain(path)
    assert {one.column for one in readings.series} == {
        "Hydro pumped storage consumption",
        "Cross border electricity trading",
        "Nuclear",
        "Hydro Run-of-River",
        "Wind onshore",
        "Load",
    }
    for one in readings.series:
        assert oracle.values(one) == wanted[one.column]
