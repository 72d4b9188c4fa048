"""Meter readings of the GC registry (Wh) and of Granular Energy (kWh)."""

import csv
import random
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle.exports import values_by_start

from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
REGISTRY, GRANULAR = EXAMPLES / "gc-registry.csv", EXAMPLES / "granular-metering.csv"
SOLAR = How(types=frozenset({"solar"}))


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def utc(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_registry_readings_are_wh_of_their_intervals_in_utc():
    readings = read_readings(REGISTRY)
    wanted = {"7": {}, "12": {}}
    for row in rows_of(REGISTRY):
        if (row["device_id"], row["gross_net_indicator"]) != ("7", "GROSS"):
            wanted[row["device_id"]][utc(row["interval_start_datetime"])] = int(row["interval_usage"])
    assert {one.device_id: values_by_start(one) for one in readings.series} == wanted
    assert {one.device_id: one.interval_s for one in readings.series} == {"7": 3600, "12": 1800}
    assert not any(one.power for one in readings.series)
    assert {(one.role, one.source_type) for one in readings.series} == {("generation", None)}


def test_gross_and_net_of_one_device_are_not_added():
    readings = read_readings(REGISTRY)
    assert [one.device_id for one in readings.series].count("7") == 1
    assert list(readings.left_out) == ["7 GROSS 3600"]
    assert "net" in readings.left_out["7 GROSS 3600"]


def test_a_map_of_units_tells_what_devices_are():
    readings = read_readings(REGISTRY, How(units={"12": "wind_onshore"}))
    assert {one.device_id: one.source_type for one in readings.series} == {"7": None, "12": "wind_onshore"}


def test_a_word_for_a_device_that_is_no_kind_is_refused(refusal):
    (finding,) = refusal(read_readings, REGISTRY, How(units={"7": "sunshine"}))
    assert "'sunshine'" in finding["message"]


@pytest.mark.parametrize(
    ("old", "new", "column", "value"),
    [
        ("2024-03-01 01:00:00,2024-03-01 02", "2024-03-01 01:00:00,2024-03-01 01", "interval_end_datetime", None),
        ("2024-03-01 01:00:00,2024-03-01 02", "2024-03-01 01:00:00,2024-04-01 02", "interval_end_datetime", None),
        ("\n2024-03-01 01:00:00,", "\n01/03/2024 01:00,", "interval_start_datetime", "01/03/2024 01:00"),
        (",7,7037,NET", ',7,"7,037",NET', "interval_usage", "7,037"),
        (",7,7037,NET", ",7,1e40,NET", "interval_usage", "1e40"),
    ],
)
def test_bad_readings_are_named(old, new, column, value, write, refusal):
    text = REGISTRY.read_text()
    finding = refusal(read_readings, write(text.replace(old, new, 1)))[0]
    assert (finding["column"], finding["line"]) == (column, 3)
    assert value in {None, finding["value"]}


def test_granular_is_kwh_from_times_with_their_offset():
    readings = read_readings(GRANULAR, SOLAR)
    wanted = {}
    for row in rows_of(GRANULAR):
        start = int(datetime.fromisoformat(row["period_start"]).timestamp())
        wanted.setdefault(row["metering_point"], {})[start] = Fraction(row["quantity"]) * 1000 // 1
    assert {one.device_id: values_by_start(one) for one in readings.series} == wanted
    assert {(one.kind, one.interval_s, one.power) for one in readings.series} == {("solar", 1800, False)}


def test_granular_over_the_clock_changes_is_even_in_utc():
    for one in read_readings(GRANULAR, SOLAR).series:
        assert set((one.starts[1:12] - one.starts[:11]).tolist()) == {1800}
        assert set((one.starts[13:] - one.starts[12:-1]).tolist()) == {1800}


@given(lost=st.sampled_from([0.0, 0.1, 0.6]), mixed=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_of_local_times_no_value_lands_in_a_wrong_hour_whichever_rows_are_missing(tmp_path_factory, lost, mixed, seed):
    draw, berlin = random.Random(seed), ZoneInfo("Europe/Berlin")
    begin, end = (int(datetime(2024, 10, day, tzinfo=berlin).timestamp()) for day in (27, 28))
    rows = [(point, start) for start in range(begin, end, 900) for point in "AB" if draw.random() >= lost]
    if mixed:
        draw.shuffle(rows)
    path = tmp_path_factory.getbasetemp() / "local.csv"
    lines = [f"{point},{datetime.fromtimestamp(start, berlin):%Y-%m-%dT%H:%M},{start - begin}" for point, start in rows]
    path.write_text("\n".join(["metering_point,period_start,quantity", *lines]) + "\n")
    readings = read_readings(path, How(zone="Europe/Berlin", types=frozenset({"solar"})))
    found = {(one.device_id, start): value for one in readings.series for start, value in values_by_start(one).items()}
    assert found.items() <= {row: (row[1] - begin) * 1000 for row in rows}.items()
    assert len(found) + readings.dropped.total() == len(rows)
    assert lost or len(found) == len(rows) - 16 * mixed


def test_consumption_is_never_taken_for_production(refusal):
    (finding,) = refusal(read_readings, GRANULAR)
    assert "Toit Nord" in finding["message"]
    assert "--types" in finding["message"]
    (finding,) = refusal(read_readings, GRANULAR, How(units={"Toit Nord": "solar"}))
    assert "Parc Éolien 2" in finding["message"]
    consumed = read_readings(GRANULAR, How(types=frozenset({"load"})))
    assert {one.role for one in consumed.series} == {"load"}


def test_months_are_refused(write, refusal):
    months = "".join(f"A,2024-{month:02d}-01T00:00:00+00:00,{month}\n" for month in range(1, 13))
    (finding,) = refusal(read_readings, write("metering_point,period_start,quantity\n" + months), SOLAR)
    assert finding["code"] == "interval_too_long"


def test_one_time_has_no_length(write, refusal):
    (finding,) = refusal(read_readings, write("metering_point,period_start,quantity\nA,2024-01-01T00:00Z,1\n"), SOLAR)
    assert "length" in finding["message"]


def test_times_without_zone_need_one(write, refusal):
    text = "metering_point,period_start,quantity\n" + "".join(f"A,2024-01-01T{h:02d}:00:00,1\n" for h in range(3))
    assert {finding["code"] for finding in refusal(read_readings, write(text), SOLAR)} == {"naive_time"}
    (one,) = read_readings(write(text), How(types=frozenset({"solar"}), zone="Europe/Paris")).series
    assert one.starts[0] == utc("2023-12-31T23:00:00")


def test_an_empty_quantity_is_a_gap(write):
    text = GRANULAR.read_text().replace(",1.500\n", ",\n", 1)
    one = read_readings(write(text), SOLAR).series[0]
    assert one.null.tolist() == [True] + [False] * 23


def test_real_readings(real_data):
    (path,) = (real_data / "samples" / "gc_registry_measurements").glob("*.csv")
    (one,) = read_readings(path).series
    rows = rows_of(path)
    assert values_by_start(one) == {utc(row["interval_start_datetime"]): int(row["interval_usage"]) for row in rows}
