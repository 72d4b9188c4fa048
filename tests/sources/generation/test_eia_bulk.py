"""EIA-930, six-month files: the publisher's own bytes and those a spreadsheet has saved again."""

import csv
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from oracle.exports import cells_by_start, named

from gcr_fast.codes import IMPUTED, QUALITIES
from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation.formats import BY_NAME, read_as, read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
FIRST, SPLIT = EXAMPLES / "eia930-bulk.csv", EXAMPLES / "eia930-bulk-split.csv"
PREFIX = "Net Generation (MW) from "
MW = 1_000_000


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def start_of(row):
    """The UTC second at which a row's hour begins, from either way of writing its end."""
    text = row["UTC Time at End of Hour"]
    layout = "%m/%d/%Y %I:%M:%S %p" if text.endswith("M") else "%m/%d/%Y %H:%M"
    return int((datetime.strptime(text, layout).replace(tzinfo=UTC) - timedelta(hours=1)).timestamp())


def number(text):
    return None if not text else Fraction(text.replace(",", "")) * MW


def plain(path, area, raw, adjusted):
    """Watts by start, read row by row; a gap is None."""
    found = {}
    for row in rows_of(path):
        if row["Balancing Authority"] == area:
            value = number(row.get(adjusted, ""))
            found[start_of(row)] = number(row.get(raw, "")) if value is None else value
    return found


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("PJM-fossil_coal", "Coal"),
        ("PJM-fossil_gas", "Natural Gas"),
        ("PJM-nuclear", "Nuclear"),
        ("PJM-fossil_oil", "All Petroleum Products"),
        ("PJM-solar", "Solar"),
        ("PJM-wind", "Wind"),
        ("PJM-other", "Other Fuel Sources"),
        ("BPAT-hydro_and_pumped_storage", "Hydropower and Pumped Storage"),
        ("BPAT-wind", "Wind"),
    ],
)
def test_thousands_commas_and_twelve_hour_times(name, words):
    one = named(read_readings(FIRST))[name]
    assert cells_by_start(one) == plain(FIRST, name.partition("-")[0], PREFIX + words, f"{PREFIX}{words} (Adjusted)")
    assert (one.power, one.interval_s) == (True, 3600)


def test_the_day_of_23_hours_and_that_of_25():
    assert {len(one) for one in read_readings(FIRST).series} == {23}
    solar = named(read_readings(SPLIT))["SWPP-solar"]
    day = [datetime.fromtimestamp(start, UTC) for start in solar.starts.tolist() if start < 1_733_000_000]
    assert (day[0], day[-1]) == (datetime(2024, 11, 3, 5, tzinfo=UTC), datetime(2024, 11, 4, 5, tzinfo=UTC))
    assert len(set(day)) == len(day) == 25
    labels = [row["Local Time at End of Hour"] for row in rows_of(SPLIT)[:25]]
    assert labels.count("11/3/2024 1:00") == 2  # local time names two hours alike


def test_demand_is_load_and_interchange_is_trade():
    found = named(read_readings(FIRST))
    assert cells_by_start(found["PJM-load"]) == plain(FIRST, "PJM", "Demand (MW)", "Demand (MW) (Adjusted)")
    adjusted = "Total Interchange (MW) (Adjusted)"
    assert cells_by_start(found["PJM-exchange"]) == plain(FIRST, "PJM", "Total Interchange (MW)", adjusted)
    assert (found["PJM-load"].role, found["PJM-exchange"].role) == ("load", "trade")
    assert found["PJM-load"].source_type is found["PJM-exchange"].source_type is None


def test_adjusted_before_raw_and_what_is_not_as_reported_is_imputed():
    wind = named(read_readings(FIRST))["PJM-wind"]
    told = [QUALITIES[code] for code in wind.quality.tolist()]
    assert [at for at, word in enumerate(told) if word == "imputed"] == [4, 5]
    assert wind.values[[3, 4, 5, 6]].tolist() == [1051 * MW, 1064 * MW, 1077 * MW, 1090 * MW]
    assert wind.null.tolist() == [at == 7 for at in range(23)]
    assert QUALITIES[IMPUTED] == "imputed"
    assert named(read_readings(FIRST))["PJM-nuclear"].quality is None


def test_the_sum_of_hydropower_and_pumped_storage_is_not_hydro():
    one = named(read_readings(FIRST))["PJM-hydro_and_pumped_storage"]
    assert (one.role, one.source_type) == ("storage", "storage_discharge")
    apart = named(read_readings(SPLIT))
    assert (apart["SWPP-hydro"].role, apart["SWPP-hydro"].source_type) == ("generation", "hydro")
    assert apart["SWPP-hydro_pumped_storage"].role == "storage"


@pytest.mark.parametrize(
    ("name", "raw", "adjusted"),
    [
        ("hydro_pumped_storage", "Pumped Storage", "Pumped Storage  (Adjusted)"),
        (
            "solar_and_battery_storage",
            "Solar with Integrated Battery Storage",
            "Solar witho Integrated Battery Storage (Adjusted)",
        ),
        (
            "solar",
            "Solar without Integrated Battery Storage",
            "Solar without Integrated Battery Storage (Adjusted)",
        ),
        ("unknown", "Unknown Fuel Sources", "no such column"),
    ],
)
def test_slips_in_the_headers_are_read_as_meant(name, raw, adjusted):
    one = named(read_readings(SPLIT))[f"SWPP-{name}"]
    assert cells_by_start(one) == plain(SPLIT, "SWPP", PREFIX + raw, PREFIX + adjusted)
    assert one.quality is None  # adjusted was found beside raw: what differs would be marked


def test_with_batteries_is_storage_and_each_sort_of_storage_is_apart():
    found = named(read_readings(SPLIT))
    stored = {name for name, one in found.items() if one.role == "storage"}
    assert stored == {
        f"SWPP-{kind}"
        for kind in ("hydro_pumped_storage", "solar_and_battery_storage", "battery_storage", "other_energy_storage")
    }
    assert found["SWPP-battery_storage"].values.min() < 0


def test_sign_is_kept():
    solar = named(read_readings(FIRST))["PJM-solar"]
    assert solar.values[0] == -4 * MW
    assert int((solar.values < 0).sum()) == 6


def test_fuels_that_an_area_does_not_have_are_left_out_and_totals_too():
    readings = read_readings(FIRST)
    assert readings.left_out[f"{PREFIX}Unknown Fuel Sources (BPAT, PJM)"] == "no value in any row"
    assert readings.left_out[f"{PREFIX}All Petroleum Products (BPAT)"] == "no value in any row"
    assert "BPAT-fossil_oil" not in named(readings)
    split = read_readings(SPLIT)
    assert f"{PREFIX}Geothermal (SWPP)" in split.left_out


def test_forecasts_and_sums_are_left_out():
    left_out = read_readings(FIRST).left_out
    assert left_out["Demand Forecast (MW)"] == "a forecast"
    assert left_out["Net Generation (MW)"] == "the sum of the fuels"
    assert left_out["Sum(Valid DIBAs) (MW)"] == "the interchange a second time"
    assert set(left_out) >= {"Local Time at End of Hour", "Region"}


def test_every_area_has_its_zone_and_its_year():
    first = read_readings(FIRST)
    assert {one.area: one.zone for one in first.series} == {"PJM": "America/New_York", "BPAT": "America/Los_Angeles"}
    split = read_readings(SPLIT)
    assert split.zone == "America/Chicago"
    last = datetime.fromtimestamp(int(split.series[0].starts[-1]), UTC)
    assert last == datetime(2025, 1, 1, 5, tzinfo=UTC)  # hour 24 of 31 December
    assert {len(one) for one in read_readings(SPLIT, How(year=2024)).series} == {27}


def test_a_row_of_next_year_by_utc_only_is_of_the_year_of_its_local_date(write):
    text = SPLIT.read_text().replace(
        "12/31/2024,23,12/31/2024 23:00,1/1/2025 5:00", "1/1/2025,1,1/1/2025 1:00,1/1/2025 7:00"
    )
    path = write(text)
    assert {len(one) for one in read_readings(path, How(year=2024)).series} == {26}
    assert {len(one) for one in read_readings(path, How(year=2025)).series} == {1}


@pytest.mark.parametrize(("offset", "zone"), [(7, "America/Phoenix"), (5, "-05:00")])
def test_an_area_without_daylight_saving(offset, zone, write):
    header = ",".join(["Balancing Authority", "Data Date", "Hour Number", "UTC Time at End of Hour", "Demand (MW)"])
    days = ("7/1/2024", "12/1/2024")
    lines = [f"SRP,{day},{hour},{day} {hour + offset}:00,100" for day in days for hour in range(1, 5)]
    (one,) = read_readings(write("\n".join([header, *lines]))).series
    assert one.zone == zone


def test_rows_whose_date_and_hour_contradict_the_utc_time_are_noted(write):
    text = SPLIT.read_text().replace("11/3/2024,7,", "11/3/2024,9,", 1)
    readings = read_readings(write(text))
    ((rows, said),) = readings.notes.items()
    assert rows == "SWPP: 1 rows"
    assert "UTC holds" in said
    assert cells_by_start(readings.series[0]) == cells_by_start(read_readings(SPLIT).series[0])


def test_areas_are_chosen():
    readings = read_readings(FIRST, How(areas=frozenset({"BPAT"}), types=frozenset({"wind"})))
    assert list(named(readings)) == ["BPAT-wind"]


@pytest.mark.parametrize(
    ("old", "new", "column", "value"),
    [
        ('"33,100"', '"33,10"', f"{PREFIX}Nuclear", "33,10"),
        ('"33,100"', "n/a", f"{PREFIX}Nuclear", "n/a"),
        ('"33,100"', "1e40", f"{PREFIX}Nuclear", "1e40"),
        (
            '"03/12/2023 6:00:00 AM","85',
            '"13/12/2023 6:00:00 AM","85',
            "UTC Time at End of Hour",
            "13/12/2023 6:00:00 AM",
        ),
        ('"03/12/2023","1"', '"03/12/2023","26"', "Hour Number", "26"),
        ('"03/12/2023","1"', '"2023-03-12","1"', "Data Date", "2023-03-12"),
        ('"PJM",', ",", "Balancing Authority", None),
    ],
)
def test_bad_cells_are_refused(old, new, column, value, write, refusal):
    found = refusal(read_readings, write(FIRST.read_bytes().decode().replace(old, new, 1).encode()))
    assert [(item["column"], item["value"], item["line"]) for item in found] == [(column, value, 2)]


def test_all_bad_cells_are_listed(write, refusal):
    text = SPLIT.read_text().replace(",701,582,", ",x,y,").replace(",702,584,", ",z,584,")
    found = refusal(read_readings, write(text))
    assert sorted((item["line"], item["value"]) for item in found) == [
        (2, "x"),
        (2, "x"),
        (2, "y"),
        (2, "y"),
        (3, "z"),
        (3, "z"),
    ]


def test_the_file_of_sub_regions_is_another(write, refusal):
    path = write(SPLIT.read_text().replace("Balancing Authority,Data Date", "Balancing Authority,Sub-Region", 1))
    assert refusal(read_readings, path)[0]["code"] == "unknown_format"
    named_so = write(SPLIT.read_text().replace("Region", "Sub-Region", 1))
    (found,) = refusal(read_as, open_file(named_so), BY_NAME["eia930-bulk"], How())
    assert found["column"] == "Sub-Region"


def test_a_missing_column_is_named(write, refusal):
    text = SPLIT.read_text().replace("Hour Number", "Hour", 1)
    (found,) = refusal(read_readings, write(text))
    assert (found["code"], found["column"]) == ("missing_column", "Hour Number")


def test_a_row_cut_off_is_refused(write, refusal):
    text = SPLIT.read_text()
    (found,) = refusal(read_readings, write(text[: len(text) // 2]))
    assert found["code"] == "malformed_row"


def test_a_real_half_year(real_data):
    path = real_data / "samples" / "eia930_balance" / "AECI_BALANCE_2024_Jul_Dec.full_halfyear.csv"
    readings = read_readings(path)
    found = named(readings)
    assert set(found) == {
        f"AECI-{kind}" for kind in ("load", "exchange", "fossil_coal", "fossil_gas", "fossil_oil", "wind")
    }
    assert readings.zone == "America/Chicago"
    assert {len(one) for one in readings.series} == {184 * 24 + 1}  # July to December, one day of 25 hours
    for kind, words in (("fossil_coal", "Coal"), ("wind", "Wind without Integrated Battery Storage")):
        expected = plain(path, "AECI", PREFIX + words, f"{PREFIX}{words} (Adjusted)")
        assert cells_by_start(found[f"AECI-{kind}"]) == expected
        assert sum(expected.values()) > 10**12
    assert len(read_readings(path, How(year=2024)).series[0]) == 4417
