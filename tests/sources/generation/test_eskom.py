"""Eskom: hours of South African time, float tails, a sum beside its parts, consumption below zero."""

import csv
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from oracle.exports import cells_by_start

from gcr_fast.sources.generation.formats import read_readings

EXAMPLES = Path(__file__).parent.parent / "examples"
PLANTS, DEMAND = EXAMPLES / "eskom.csv", EXAMPLES / "eskom-demand.csv"
SUM = "Thermal_Gen_Excl_Pumping_and_SCO"


def columns_of(path):
    """W by column and UTC start; None where a cell is empty. The tails are those of floats, printed in full."""
    with path.open() as file:
        rows = list(csv.reader(file))
    found = {}
    for row in rows[1:]:
        start = int(datetime.fromisoformat(row[0]).replace(tzinfo=ZoneInfo("Africa/Johannesburg")).timestamp())
        for name, cell in zip(rows[0][1:], row[1:], strict=True):
            found.setdefault(name, {})[start] = Fraction(repr(float(cell))) * 10**6 // 1 if cell else None
    return found


def test_hours_begin_at_their_time_and_tails_of_floats_are_no_energy():
    readings = read_readings(PLANTS)
    wanted = columns_of(PLANTS)
    assert {one.column: cells_by_start(one) for one in readings.series} == {
        name: values for name, values in wanted.items() if name not in readings.left_out
    }
    assert "3.0000000000000001E-3" in PLANTS.read_text()
    assert set(wanted["Hydro_Water_Generation"].values()) == {3000, None}
    assert {(one.power, one.interval_s) for one in readings.series} == {(True, 3600)}


def test_the_sum_of_thermal_plants_and_pumping_is_left_out():
    readings = read_readings(PLANTS)
    assert "sum" in readings.left_out[SUM]
    thermal = {one.column: one for one in readings.series}["Thermal_Generation"]
    assert (thermal.kind, thermal.source_type) == ("fossil_coal", "fossil")


def test_what_pumps_and_idle_plants_use_is_consumption_below_zero():
    used = [one for one in read_readings(PLANTS).series if one.role == "consumption"]
    assert {one.column for one in used} == {
        "Eskom_OCGT_SCO_Pumping",
        "Eskom_Gas_SCO_Pumping",
        "Hydro_Water_SCO_Pumping",
        "Pumped_Water_SCO_Pumping",
    }
    assert all(one.values.max() <= 0 and one.values.min() < 0 for one in used)


def test_load_that_was_shed_is_no_energy_and_names_are_distinct():
    readings = read_readings(PLANTS)
    assert set(readings.left_out) == {SUM, "IOS_Excl_ILS_and_MLR", "ILS_Usage", "Manual_Load_Reduction_MLR"}
    names = [one.name for one in readings.series]
    assert len(set(names)) == len(names) == 16


def test_an_hour_of_the_future_is_a_gap():
    assert {int(one.null.sum()) for one in read_readings(PLANTS).series} == {1}


def test_demand_is_load_and_forecasts_are_left_out():
    readings = read_readings(DEMAND)
    (one,) = readings.series
    assert (one.name, one.role) == ("ZA-load", "load")
    assert cells_by_start(one) == columns_of(DEMAND)["RSA Contracted Demand"]
    assert set(readings.left_out) == {"Residual Forecast", "RSA Contracted Forecast", "Residual Demand"}


def test_twelve_hour_times_and_spaces_say_the_same(write):
    text = PLANTS.read_text().replace("Date_Time_Hour_Beginning", "Date Time Hour Beginning")
    for hour in range(12):
        text = text.replace(f"2024-01-01 {hour:02d}:00:00,", f"2024-01-01 {hour or 12:02d}:00:00 AM,")
    assert [cells_by_start(one) for one in read_readings(write(text)).series] == [
        cells_by_start(one) for one in read_readings(PLANTS).series
    ]


@pytest.mark.parametrize("label", ["01/01/2024 05:00", "2024-01-01", ""])
def test_times_of_another_form_are_refused(label, write, refusal):
    (finding,) = refusal(read_readings, write(PLANTS.read_text().replace("2024-01-01 05:00:00,", f"{label},")))
    assert (finding["line"], finding["value"]) == (7, label or None)


def test_bad_numbers_are_named(write, refusal):
    (finding,) = refusal(read_readings, write(DEMAND.read_text().replace(".587", ".587 MW", 1)))
    assert (finding["line"], finding["column"]) == (2, "RSA Contracted Demand")
    (finding,) = refusal(read_readings, write(DEMAND.read_text().replace(".587", "e30", 1)))
    assert finding["line"] == 2


def test_real_samples(real_data):
    folder = real_data / "samples" / "eskom"
    readings = read_readings(folder / "spec_Eskom_Generation_1.csv")
    wanted = columns_of(folder / "spec_Eskom_Generation_1.csv")
    assert {one.column: cells_by_start(one) for one in readings.series} == {
        name: values for name, values in wanted.items() if name not in readings.left_out
    }
    (start,) = wanted["Wind"]
    pumping = sum(values[start] for name, values in wanted.items() if name.endswith("SCO_Pumping"))
    assert abs(wanted["Thermal_Generation"][start] + pumping - wanted[SUM][start]) < 10**3  # why it is left out
    (load,) = read_readings(folder / "spec_Eskom_Demand_0.csv").series
    assert load.values.tolist() == [21_781_587_000]
