"""NESO's generation mix: UTC half hours; sums and percentages beside their parts."""

import csv
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from oracle.exports import values_by_start

from gcr_fast.sources.generation.formats import read_readings

EXAMPLE = Path(__file__).parent.parent / "examples" / "neso.csv"
PARTS = ("GAS", "COAL", "NUCLEAR", "WIND", "WIND_EMB", "HYDRO", "IMPORTS", "BIOMASS", "OTHER", "SOLAR", "STORAGE")


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def columns_of(path, names):
    rows = rows_of(path)
    starts = [int(datetime.fromisoformat(row["DATETIME"]).replace(tzinfo=UTC).timestamp()) for row in rows]
    return {
        name: {start: Fraction(row[name]) * 10**6 // 1 for start, row in zip(starts, rows, strict=True)}
        for name in names
    }


def test_times_are_utc_also_in_the_hour_that_london_has_twice():
    readings = read_readings(EXAMPLE)
    assert {one.column: values_by_start(one) for one in readings.series} == columns_of(EXAMPLE, PARTS)
    assert {(one.power, one.interval_s) for one in readings.series} == {(True, 1800)}
    assert "2024-10-27 01:30:00" in EXAMPLE.read_text()


def test_sums_and_percentages_are_no_generation():
    readings = read_readings(EXAMPLE)
    for column in ("GENERATION", "FOSSIL", "RENEWABLE", "LOW_CARBON", "ZERO_CARBON"):
        assert readings.left_out[column] == "a sum of other columns"
    assert readings.left_out["GAS_perc"] == "a percentage"
    assert readings.left_out["CARBON_INTENSITY"] == "no energy"
    assert set(readings.left_out).isdisjoint(PARTS)
    generated = sum(int(one.values.sum()) for one in readings.series)
    total = columns_of(EXAMPLE, ["GENERATION"])["GENERATION"]
    assert generated == sum(total.values())  # nothing twice


def test_imports_are_trade_and_storage_is_storage():
    roles = {one.column: one.role for one in read_readings(EXAMPLE).series}
    assert {name: role for name, role in roles.items() if role != "generation"} == {
        "IMPORTS": "trade",
        "STORAGE": "storage",
    }


def test_embedded_wind_is_a_series_of_its_own():
    wind = {one.name: one.source_type for one in read_readings(EXAMPLE).series if one.column.startswith("WIND")}
    assert wind == {"GB-wind": "wind", "GB-wind_embedded": "wind"}


def test_the_form_with_a_t_says_the_same(write):
    text = EXAMPLE.read_text().replace("2024-10-27 0", "2024-10-27T0")
    assert [values_by_start(one) for one in read_readings(write(text)).series] == [
        values_by_start(one) for one in read_readings(EXAMPLE).series
    ]


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("2024-10-27 01:00:00", "27/10/2024 01:00", "27/10/2024 01:00"),
        ("2024-10-27 01:00:00,", "2024-10-27 01:00:00,x", None),
        ("2024-10-27 01:00:00,", "2024-10-27 01:00:00,1e30;", None),
    ],
)
def test_bad_cells_are_named(old, new, value, write, refusal):
    findings = refusal(read_readings, write(EXAMPLE.read_text().replace(old, new)))
    assert [one["line"] for one in findings] == [4]
    assert value is None or findings[0]["value"] == value


def test_a_column_that_is_not_there_is_no_zero(write):
    text = "\n".join(line.split(",", 2)[0] + "," + line.split(",", 2)[2] for line in EXAMPLE.read_text().splitlines())
    assert text.startswith("DATETIME,COAL")
    path = write(text)
    with pytest.raises(Exception, match="is of no format"):
        read_readings(path)
    columns = {one.column for one in read_readings(path, format="neso").series}
    assert columns == set(PARTS) - {"GAS"}


def test_the_real_sample(real_data):
    path = real_data / "samples" / "neso" / "df_fuel_ckan_head20.csv"
    readings = read_readings(path)
    wanted = columns_of(path, set(PARTS) - {"WIND_EMB"})
    assert {one.column: values_by_start(one) for one in readings.series} == wanted
    total = columns_of(path, ["GENERATION"])["GENERATION"]
    for start, sum_w in total.items():
        assert abs(sum(values[start] for values in wanted.values()) - sum_w) <= 10**6  # they round to whole MW
