"""CAISO's outlook of a day, whose date is in the file's name."""

import csv
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from oracle.exports import values_by_start

from gcr_fast.sources.generation.formats import read_readings

EXAMPLES = Path(__file__).parent.parent / "examples"
SUPPLY, DEMAND = EXAMPLES / "caiso-20240310_fuelsource.csv", EXAMPLES / "caiso-20241103_netdemand.csv"
PACIFIC = ZoneInfo("America/Los_Angeles")
MW = 1_000_000


def plain(path, day, column):
    """Watts by start, read row by row: rows with a value, without the next day's midnight."""
    found = {}
    with path.open(newline="") as file:
        for at, row in enumerate(csv.DictReader(file)):
            hour, minute = map(int, row["Time"].split(":"))
            if row[column] and not (at and hour == minute == 0):
                moment = datetime.combine(day, time(hour, minute), tzinfo=PACIFIC)
                found[int(moment.timestamp())] = Fraction(row[column]) * MW
    return found


def test_five_minutes_of_supply_with_their_sign():
    readings = read_readings(SUPPLY)
    found = {one.kind: one for one in readings.series}
    for column, kind in (("Solar", "solar"), ("Natural Gas", "fossil_gas"), ("Large Hydro", "large_hydro")):
        assert values_by_start(found[kind]) == plain(SUPPLY, date(2024, 3, 10), column)
    assert (found["solar"].power, found["solar"].interval_s, found["solar"].area) == (True, 300, "CAISO")
    assert found["solar"].values.max() < 0


def test_batteries_are_storage_and_imports_are_trade():
    roles = {one.kind: one.role for one in read_readings(SUPPLY).series}
    assert (roles.pop("battery_storage"), roles.pop("imports")) == ("storage", "trade")
    assert set(roles.values()) == {"generation"}
    assert len(roles) == 11


def test_the_empty_rows_of_the_hour_that_spring_skips_are_no_gap():
    readings = read_readings(SUPPLY)
    assert readings.dropped == {"empty rows of the hour that does not exist in spring": 12}
    wind = next(one for one in readings.series if one.kind == "wind")
    assert not wind.null.any()
    steps = {after - before for before, after in pairwise(wind.starts.tolist())}
    assert steps == {300}


def test_the_hour_that_autumn_loses_is_a_gap():
    (load,) = read_readings(DEMAND).series
    starts = load.starts.tolist()
    lost = [(before, after) for before, after in pairwise(starts) if after - before == 3900]
    first = datetime(2024, 11, 3, 9, tzinfo=UTC)
    assert lost == [(int((first - timedelta(minutes=5)).timestamp()), int((first + timedelta(hours=1)).timestamp()))]


def test_midnight_of_the_next_day_is_dropped():
    readings = read_readings(DEMAND)
    assert readings.dropped == {"midnight of the next day, whose file has it": 1}
    assert values_by_start(readings.series[0]) == plain(DEMAND, date(2024, 11, 3), "Current demand")


def test_forecasts_and_net_demand_are_left_out():
    assert read_readings(DEMAND).left_out == {
        "Day ahead forecast": "a forecast",
        "Hour ahead forecast": "a forecast",
        "Net demand": "demand less solar and wind",
    }


def test_the_date_of_the_name_is_said():
    ((rows, said),) = read_readings(SUPPLY).notes.items()
    assert rows == "all of 2024-03-10"
    assert "file's name" in said


@pytest.mark.parametrize("name", ["fuelsource.csv", "2024-03-10_fuelsource.csv", "120240310_x.csv"])
def test_a_name_without_a_date_is_refused(name, write, refusal):
    (found,) = refusal(read_readings, write(SUPPLY.read_bytes(), name))
    assert "YYYYMMDD_fuelsource.csv" in found["message"]


def test_a_date_of_no_calendar_is_refused(write, refusal):
    (found,) = refusal(read_readings, write(SUPPLY.read_bytes(), "20240231_fuelsource.csv"))
    assert found["value"] == "2024-02-31"


def test_values_in_the_hour_that_spring_skips_are_refused(write, refusal):
    text = SUPPLY.read_text().replace("02:10,,", "02:10,5,")
    (found,) = refusal(read_readings, write(text, "20240310_fuelsource.csv"))
    assert (found["code"], found["value"], found["line"]) == ("nonexistent_time", "02:10", 28)


@pytest.mark.parametrize(
    ("old", "new", "column", "value"),
    [
        ("00:05,", "00:07,", "Time", "00:07"),
        ("00:05,", "12:05 AM,", "Time", "12:05 AM"),
        ("00:05,", ",", "Time", None),
        ("00:05,-35", "00:05,-3.5.0", "Solar", "-3.5.0"),
    ],
)
def test_bad_cells_are_refused(old, new, column, value, write, refusal):
    (found,) = refusal(read_readings, write(SUPPLY.read_text().replace(old, new), "20240310_fuelsource.csv"))
    assert (found["column"], found["value"], found["line"]) == (column, value, 3)


@pytest.mark.parametrize(
    ("name", "day", "column", "kind", "count"),
    [
        ("20230101_fuelsource.csv", date(2023, 1, 1), "Solar", "solar", 288),
        ("20230101_fuelsource.csv", date(2023, 1, 1), "Batteries", "battery_storage", 288),
        ("20190310_netdemand.csv", date(2019, 3, 10), "Current demand", "load", 276),
        ("20191103_netdemand.csv", date(2019, 11, 3), "Current demand", "load", 288),
    ],
)
def test_real_days(real_data, name, day, column, kind, count):
    path = real_data / "samples" / "caiso" / name
    (one,) = (one for one in read_readings(path).series if one.kind == kind)
    assert values_by_start(one) == plain(path, day, column)
    assert len(one) == count
