"""Meter readings out: exact sums by device and interval, and the same energy where they are read again."""

import csv
from collections import Counter
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import gcr_fast as gcr
from gcr_fast import UsageError
from gcr_fast.interchange.bundles_out import write_bundles
from gcr_fast.interchange.readings import FORMS, Series, series_of_hours, series_of_profiles, write_readings
from gcr_fast.schema import arrow_schema
from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

ANNUAL = (
    "certificate_id,energy_mwh,production_start,production_end,source_type,profile,status,purpose,device_id\n"
    "A,12.345678,2020-03-01T00:00Z,2020-04-01T00:00Z,solar,AT-2020-solar,CANCELED,conversion,D1\n"
    "B,7.000001,2020-03-01T00:00Z,2020-04-01T00:00Z,solar,AT-2020-solar,CANCELED,conversion,D1\n"
    "C,1000,2020-03-01T00:00Z,2020-04-01T00:00Z,wind_onshore,AT-2020-wind_onshore,CANCELED,conversion,\n"
)


EXAMPLES = Path(__file__).parents[1] / "sources" / "examples"


def cells(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def converted(write):
    """The annual file, and the hours that it became."""
    path = write(ANNUAL, "annual.csv")
    profiles = gcr.shipped_profiles(["AT-2020-solar", "AT-2020-wind_onshore"])
    return path, gcr.convert(path, profiles).to_table()


@pytest.fixture
def sums(converted):
    """Wh by device and hour, added one by one."""
    _, table = converted
    device = {"A": "D1", "B": "D1", "C": "C"}
    found = Counter()
    for row in table.to_pylist():
        found[device[row["parent_certificate_id"]], row["production_start"]] += row["energy_wh"]
    return found


def test_hours_are_summed_by_device(converted, sums):
    annual, table = converted
    series = series_of_hours(table, annual)
    assert [(one.device, one.step_s) for one in series] == [("C", 3600), ("D1", 3600)]
    found = {
        (one.device, start): energy
        for one in series
        for start, energy in zip(one.starts.tolist(), one.energy.tolist(), strict=True)
    }
    assert found == {(device, int(start.timestamp())): energy for (device, start), energy in sums.items()}


def test_a_granular_file_is_exact_kwh(converted, sums, tmp_path):
    annual, table = converted
    done = write_readings(series_of_hours(table, annual), tmp_path / "g.csv", "granular")
    rows = cells(tmp_path / "g.csv")
    assert list(rows[0]) == ["metering_point", "period_start", "quantity"]
    for row in rows:
        assert row["period_start"].endswith("+00:00")
        assert -Decimal(row["quantity"]).as_tuple().exponent <= 3
    assert sum(Decimal(row["quantity"]) * 1000 for row in rows) == done.energy_wh == sum(sums.values()) == 1_019_345_679
    assert done.not_carried


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_read_with_the_same_energy(converted, sums, tmp_path, form):
    annual, table = converted
    write_readings(series_of_hours(table, annual), tmp_path / "r.csv", form)
    again = read_readings(tmp_path / "r.csv", How(units={"D1": "solar", "C": "wind_onshore"}))
    found = {
        (one.name, start): energy
        for one in again.series
        for start, energy in zip(one.starts.tolist(), one.values.tolist(), strict=True)
    }
    assert found == {(device, int(start.timestamp())): energy for (device, start), energy in sums.items()}


def test_profiles_become_meter_readings(write, tmp_path):
    profiles = gcr.read_profiles(write("device_id,start,energy_wh\nM1,2024-01-01T00:00Z,93\nM1,2024-01-01T01:00Z,0\n"))
    write_readings(series_of_profiles(profiles), tmp_path / "m.csv", "meter-readings")
    assert cells(tmp_path / "m.csv") == [
        {
            "interval_start_datetime": f"2024-01-01T0{hour}:00:00Z",
            "interval_end_datetime": f"2024-01-01T0{hour + 1}:00:00Z",
            "device_id": "M1", "interval_usage": usage, "gross_net_indicator": "NET",
        }
        for hour, usage in ((0, "93"), (1, "0"))
    ]  # fmt: skip


@pytest.mark.parametrize(("form", "wh", "usage"), [("meter-readings", "-5", "-5"), ("granular", "-5", "-0.005")])
def test_what_a_meter_took_from_the_grid_keeps_its_sign(write, tmp_path, form, wh, usage):
    path = write(f"device_id,start,energy_wh\nM1,2024-01-01T00:00Z,93\nM1,2024-01-01T01:00Z,{wh}\n")
    done = write_readings(series_of_profiles(gcr.read_profiles(path)), tmp_path / "m.csv", form)
    (name,) = {"interval_usage", "quantity"} & set(cells(tmp_path / "m.csv")[0])
    assert cells(tmp_path / "m.csv")[1][name] == usage
    assert done.energy_wh == 88
    (again,) = read_readings(tmp_path / "m.csv", How(units={"M1": "solar"})).series
    assert again.values.tolist() == [93, -5]


def test_quarter_hours_keep_their_length(write, tmp_path):
    rows = "".join(f"M1,2024-01-01T0{at // 4}:{15 * (at % 4):02d}Z,{at}\n" for at in range(8))
    path = write("device_id,start,energy_wh\n" + rows)
    series = series_of_profiles(gcr.read_profiles(path, keep_intervals=True))
    assert [one.step_s for one in series] == [900]
    assert write_readings(series, tmp_path / "g.csv", "granular").energy_wh == 28


def test_a_certificate_that_is_there_twice_is_not_summed_twice(converted, refusal, tmp_path):
    """Two parts of one conversion, or one that was joined to itself, had their energy twice."""
    annual, table = converted
    both = pa.concat_tables([table, table.slice(5, 2)])
    found = refusal(series_of_hours, both, annual)
    assert [(one["code"], one["row"]) for one in found] == [
        ("duplicate_id", len(table)),
        ("duplicate_id", len(table) + 1),
    ]
    assert found[0]["message"].endswith("also row 5")
    named = both.append_column("certificate_id", pa.array([f"x{at}" for at in range(len(table))] + ["x5", "y"]))
    assert [one["row"] for one in refusal(series_of_hours, named, annual)] == [len(table)]
    pieces = both.append_column("certificate", pa.array(range(len(both))))  # a registry's handles tell them apart
    assert sum(int(one.energy.sum()) for one in series_of_hours(pieces, annual)) == sum(both["energy_wh"].to_pylist())
    assert refusal(write_bundles, pieces, tmp_path / "b.csv")[0]["code"] == "duplicate_id"
    assert not (tmp_path / "b.csv").exists()


@pytest.mark.parametrize(
    ("form", "step_s", "begin", "common"),
    [
        ("granular", 3600, 0, 4),
        ("granular", 3600, 4 * 3600, 0),
        ("meter-readings", 3600, 0, 4),
        ("meter-readings", 900, 0, 16),
        ("meter-readings", 900, 4 * 3600, 0),
    ],
)
def test_two_series_of_one_device_are_not_its_readings_twice(tmp_path, refusal, form, step_s, begin, common):
    """Each reading was written once for each of them."""
    starts = 1_704_067_200 + begin + np.arange(0, 4 * 3600, step_s)
    other = Series("D1", step_s, starts, np.ones(len(starts), np.int64))
    series = [Series("D1", 3600, 1_704_067_200 + 3600 * np.arange(4), np.ones(4, np.int64)), other]
    if not common:
        assert write_readings(series, tmp_path / "m.csv", form).energy_wh == 4 + len(starts)
        return
    (found,) = refusal(write_readings, series, tmp_path / "m.csv", form)
    assert (found["code"], found["value"]) == ("duplicate_interval", "D1")
    assert found["count"] == common
    assert "device D1 have" in found["message"]
    assert "from 2024-01-01T00:00Z" in found["message"]
    assert not list(tmp_path.iterdir())


def test_shapes_without_a_unit_are_no_readings(write, refusal):
    path = write("start,mine\n2024-01-01T00:00Z,93\n2024-01-01T01:00Z,1\n")
    found = refusal(series_of_profiles, gcr.read_profiles(path))
    assert [item["code"] for item in found] == ["meter_without_energy"]


GENERATION = """profile,start,interval_s,energy_wh,role,source_type,quality,flags
XX-solar,2024-01-01T00:00Z,3600,5,generation,solar,measured,FINAL
XX-solar,2024-01-01T01:00Z,3600,6,generation,solar,imputed,R1
XX-wind,2024-01-01T00:00Z,3600,7,generation,wind,measured,
XX-wind,2024-01-01T01:00Z,3600,8,generation,wind,measured,FINAL
XX-load,2024-01-01T00:00Z,3600,50,load,,measured,LOW
XX-load,2024-01-01T01:00Z,3600,60,load,,measured,
XX-pumped,2024-01-01T00:00Z,3600,3,storage,storage_discharge,measured,
"""
"""An imported file, as `gcr import generation` writes it."""


def test_series_that_are_no_readings_are_named_with_their_role(write, tmp_path):
    """Load and storage of an imported file were dropped without a word."""
    profiles = gcr.read_profiles(write(GENERATION))
    done = write_readings(series_of_profiles(profiles), tmp_path / "r.csv", "meter-readings", profiles)
    assert done.left_out == {
        "XX-load": "load, 2 intervals: only generation is written",
        "XX-pumped": "storage, 1 intervals: only generation is written",
    }
    assert {row["device_id"] for row in cells(tmp_path / "r.csv")} == {"XX-solar", "XX-wind"}


def test_quality_and_flags_are_told_where_they_are_not_carried(write, tmp_path):
    profiles = gcr.read_profiles(write(GENERATION))
    done = write_readings(series_of_profiles(profiles), tmp_path / "r.csv", "granular", profiles)
    assert done.not_carried == {
        "source_type": "solar, wind: no column says it",
        "quality": "1 intervals were imputed by their publisher: no column says it",
        "flags": "FINAL (2), R1 (1): no column says it",
    }
    plain = gcr.read_profiles(write("device_id,start,energy_wh\nM1,2024-01-01T00:00Z,9\nM1,2024-01-01T01:00Z,9\n"))
    assert write_readings(series_of_profiles(plain), tmp_path / "r.csv", "granular", plain).not_carried == {}


@pytest.mark.parametrize("name", ["smard-consumption.csv", "entsoe-old-load.csv", "imported"])
def test_a_file_of_load_alone_says_so(write, refusal, name):
    lines = GENERATION.splitlines()
    path = EXAMPLES / name if name != "imported" else write("\n".join([lines[0], *lines[5:]]) + "\n")
    (found,) = refusal(series_of_profiles, gcr.read_profiles(path))
    assert found["code"] == "empty_file"
    assert "load" in found["message"]
    assert "alone, and only generation is written" in found["message"]


def test_readings_that_were_filled_in_are_refused(write, refusal):
    """No form has a mark for them, and whoever issues from it would take them for metered."""
    path = write(GENERATION.replace("imputed,R1", "estimated,"))
    (found,) = (one for one in refusal(series_of_profiles, gcr.read_profiles(path)) if one["severity"] == "error")
    assert found["code"] == "estimated_interval"
    assert found["hint"] == "supply them; `gcr convert` can --allow-estimated"


def test_misuse(tmp_path, write):
    hours = series_of_profiles(gcr.read_profiles(write("device_id,start,energy_wh\nM1,2024-01-01T00:00Z,9\n")))
    with pytest.raises(UsageError, match="unknown form"):
        write_readings(hours, tmp_path / "r.csv", "paper")
    with pytest.raises(UsageError, match="csv"):
        write_readings(hours, tmp_path / "r.parquet", "granular")
    odd = [hours[0]._replace(step_s=1200)]
    with pytest.raises(UsageError, match="minutes"):
        write_readings(odd, tmp_path / "r.csv", "granular")
    with pytest.raises(UsageError, match="one length"):
        write_readings([hours[0], hours[0]._replace(step_s=900)], tmp_path / "r.csv", "granular")


def test_nothing_is_an_empty_file(tmp_path):
    empty = arrow_schema("hourly").empty_table()
    assert series_of_hours(empty) == []
    assert write_readings([], tmp_path / "r.csv", "granular").written.rows == 0
