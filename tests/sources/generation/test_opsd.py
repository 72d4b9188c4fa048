"""Open Power System Data: generation among capacities, profiles and forecasts."""

import csv
from datetime import datetime
from pathlib import Path

import pytest
from oracle import exports as oracle
from oracle.opsd import opsd

from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.generation.opsd import FORMAT
from gcr_fast.sources.model import How

EXAMPLE = Path(__file__).parent.parent / "examples" / "opsd.csv"


def plain(path, column):
    with path.open() as file:
        return {
            int(datetime.fromisoformat(row["utc_timestamp"]).timestamp()): oracle.number(row[column], 6)
            for row in csv.DictReader(file)
        }


@pytest.mark.parametrize("cells", ["header", "all"])
def test_cells_may_be_quoted_as_by_a_program_that_saved_the_file_again(write, cells):
    header, *rows = EXAMPLE.read_text().splitlines()
    quoted = [",".join(f'"{cell}"' for cell in line.split(",")) for line in (header, *rows)]
    lines = quoted if cells == "all" else [quoted[0], *rows]
    readings, same = read_readings(write("\n".join(lines) + "\n")), read_readings(EXAMPLE)
    assert readings.format == "opsd"
    assert list(map(oracle.values, readings.series)) == list(map(oracle.values, same.series))


def test_the_example_is_read_as_by_hand():
    readings = read_readings(EXAMPLE)
    found = oracle.named(readings)
    assert {name: one.column for name, one in found.items()} == {
        "XX-load": "XX_load_actual_entsoe_transparency",
        "XX-solar": "XX_solar_generation_actual",
        "XX-wind_onshore": "XX_wind_onshore_generation_actual",
        "XX_YY-wind": "XX_YY_wind_generation_actual",
    }
    for one in found.values():
        assert oracle.values(one) == plain(EXAMPLE, one.column)
        assert (one.power, one.interval_s, one.role == "load") == (True, 3600, one.name == "XX-load")
    assert (readings.format, readings.rows, readings.zone) == ("opsd", 12, "UTC")


def test_the_time_in_utc_counts_not_the_local_one_that_repeats():
    local = [row.split(",")[1][:19] for row in EXAMPLE.read_text().splitlines()[1:]]
    assert len(set(local)) == 11
    assert len(oracle.values(read_readings(EXAMPLE).series[0])) == 12


def test_an_empty_cell_is_a_gap():
    assert oracle.named(read_readings(EXAMPLE))["XX-wind_onshore"].null.sum() == 2


def test_capacities_profiles_forecasts_and_prices_are_left_out():
    assert read_readings(EXAMPLE).left_out == {
        "XX_load_forecast_entsoe_transparency": "no energy",
        "XX_solar_capacity": "no energy",
        "XX_solar_profile": "no energy",
        "XX_price_day_ahead": "no energy",
    }


def test_wind_beside_its_parts_is_counted_once(write):
    header = (
        "utc_timestamp,DE_wind_generation_actual,DE_wind_offshore_generation_actual,DE_wind_onshore_generation_actual"
    )
    readings = read_readings(write(f"{header}\n2019-01-01T00:00:00Z,30,10,20\n2019-01-01T01:00:00Z,33,11,22\n"))
    assert [(one.name, one.values.tolist()) for one in readings.series] == [
        ("DE-wind_offshore", [10_000_000, 11_000_000]),
        ("DE-wind_onshore", [20_000_000, 22_000_000]),
    ]
    assert readings.left_out["DE_wind_generation_actual"].startswith(
        "the sum of DE_wind_onshore_generation_actual and "
    )


@pytest.mark.parametrize("kept", ["onshore", "offshore"])
def test_wind_beside_one_of_its_parts_is_read_whole(write, kept):
    """Whoever cut the other part out of the file left its energy in the sum."""
    part = f"DE_wind_{kept}_generation_actual"
    columns = {"DE_wind_generation_actual": ["100", "90"], part: ["60", "50"]}
    found = read_readings(write(opsd("2019-01-01", columns)))
    assert {one.name: one.values.tolist() for one in found.series} == {"DE-wind": [100_000_000, 90_000_000]}
    assert "part of DE_wind_generation_actual" in found.left_out[part]


def test_load_of_two_statistics_is_counted_once(write):
    header = "utc_timestamp,DE_load_actual_entsoe_power_statistics,DE_load_actual_entsoe_transparency"
    readings = read_readings(write(f"{header}\n2019-01-01T00:00:00Z,50,51\n2019-01-01T01:00:00Z,60,61\n"))
    assert [one.values.tolist() for one in readings.series] == [[51_000_000, 61_000_000]]
    header = "utc_timestamp,DE_load_actual_entsoe_power_statistics"
    alone = read_readings(write(f"{header}\n2019-01-01T00:00:00Z,50\n2019-01-01T01:00:00Z,60\n"))
    assert [one.values.tolist() for one in alone.series] == [[50_000_000, 60_000_000]]


def test_the_length_of_one_interval_alone_is_not_guessed(write, refusal):
    (finding,) = refusal(read_readings, write("utc_timestamp,DE_solar_generation_actual\n2019-01-01T00:00:00Z,5\n"))
    assert "one time alone" in finding["message"]


def test_quarters_of_an_hour(write):
    rows = [f"2019-01-01T0{at // 4}:{at % 4 * 15:02d}:00Z,{at}" for at in range(8)]
    (one,) = read_readings(write("\n".join(["utc_timestamp,DE_solar_generation_actual", *rows]))).series
    assert (one.interval_s, int(oracle.wh(one))) == (900, sum(range(8)) * 250_000)


def test_a_calendar_year_may_be_meant_in_a_zone():
    readings = read_readings(EXAMPLE, How(zone="Europe/Berlin", year=2019))
    assert (readings.zone, {len(one) for one in readings.series}) == ("Europe/Berlin", {12})


def test_every_bad_cell_is_named(write, refusal):
    lines = EXAMPLE.read_text().splitlines()
    lines[2] = ",".join([*lines[2].split(",")[:5], "n/a", *lines[2].split(",")[6:]])
    lines[4] = ",".join([*lines[4].split(",")[:5], "9e99", *lines[4].split(",")[6:]])
    found = refusal(read_readings, write("\n".join(lines)))
    assert [(item["line"], item["column"], item["value"]) for item in found] == [
        (3, "XX_solar_generation_actual", "n/a"),
        (5, "XX_solar_generation_actual", "9e99"),
    ]


@pytest.mark.parametrize("time", ["2019-03-31 00:00:00", "31.03.2019 00:00", "2019-03-31T00:00:00", ""])
def test_a_time_of_another_form_is_refused(write, refusal, time):
    (finding,) = refusal(read_readings, write(EXAMPLE.read_text().replace("2019-03-31T00:00:00Z", time)))
    assert (finding["line"], finding["column"]) == (2, "utc_timestamp")


def test_a_file_without_generation_is_not_known(write, refusal):
    (finding,) = refusal(read_readings, write("utc_timestamp,DE_price_day_ahead\n2019-01-01T00:00:00Z,1\n"))
    assert finding["code"] == "unknown_format"
    (finding,) = refusal(FORMAT.read, open_file(write("utc_timestamp,a\n2019-01-01T00:00:00Z,1\n")), How())
    assert finding["code"] == "missing_column"


def test_real_lines_are_read_as_by_hand(real_data):
    path = real_data / "samples" / "opsd" / "head25_DE_wind.csv"
    readings = read_readings(path)
    assert {one.name for one in readings.series} == {"DE-wind_onshore", "DE-wind_offshore"}
    for one in readings.series:
        assert oracle.values(one) == plain(path, one.column)
        assert len(one) == 24
