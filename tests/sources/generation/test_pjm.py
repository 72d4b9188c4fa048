"""PJM, generation by fuel: the download and the answer of the API."""

import csv
import json
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from oracle.exports import values_by_start

from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
DOWNLOAD, API = EXAMPLES / "pjm.csv", EXAMPLES / "pjm.json"
MW = 1_000_000
KINDS = {
    "Coal": "fossil_coal",
    "Gas": "fossil_gas",
    "Hydro": "hydro",
    "Multiple Fuels": "multiple_fuels",
    "Nuclear": "nuclear",
    "Oil": "fossil_oil",
    "Other Renewables": "other_renewable",
    "Solar": "solar",
    "Storage": "energy_storage",
    "Wind": "wind",
}


def rows_of(path):
    text = path.read_text(encoding="utf-8-sig")
    return json.loads(text)["items"] if path.suffix == ".json" else list(csv.DictReader(text.splitlines()))


def start_of(text):
    moment = datetime.fromisoformat(text) if "T" in text else datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p")
    return int(moment.replace(tzinfo=UTC).timestamp())


def plain(path):
    """Watts by series and start, read row by row."""
    found = {}
    for row in rows_of(path):
        starts = found.setdefault(f"PJM-{KINDS[row['fuel_type']]}", {})
        starts[start_of(row["datetime_beginning_utc"])] = Fraction(str(row["mw"])) * MW
    return found


@pytest.mark.parametrize("path", [DOWNLOAD, API])
def test_both_forms_are_hours_that_begin_in_utc(path):
    readings = read_readings(path)
    assert {one.name: values_by_start(one) for one in readings.series} == plain(path)
    assert {(one.power, one.interval_s) for one in readings.series} == {(True, 3600)}
    assert readings.rows == len(rows_of(path))


def test_twelve_hour_times_over_both_clock_changes():
    wind = next(one for one in read_readings(DOWNLOAD).series if one.kind == "wind")
    local = [row["datetime_beginning_ept"] for row in rows_of(DOWNLOAD) if row["fuel_type"] == "Wind"]
    assert local.count("11/3/2024 1:00:00 AM") == 2
    assert len(set(wind.starts.tolist())) == len(wind) == 7


def test_the_year_is_that_of_new_york():
    assert [len(one) for one in read_readings(DOWNLOAD, How(year=2024)).series] == [7] * 10  # 2025-01-01T04Z is 2024


def test_storage_is_no_generation_and_shares_are_left_out():
    readings = read_readings(DOWNLOAD)
    (stored,) = (one for one in readings.series if one.role != "generation")
    assert (stored.kind, stored.role) == ("energy_storage", "storage")
    assert stored.values.min() < 0
    assert readings.left_out["fuel_percentage_of_total"] == "a share"
    assert set(readings.left_out) == {"datetime_beginning_ept", "fuel_percentage_of_total", "is_renewable"}


def test_a_fuel_of_no_known_kind_is_left_out(write):
    readings = read_readings(write(DOWNLOAD.read_text().replace(",Oil,", ",Moonshine,")))
    assert readings.left_out["Moonshine"] == "not known"


def test_a_page_of_the_api_is_refused(write, refusal):
    text = API.read_text(encoding="utf-8-sig").replace('"totalRows": 30', '"totalRows": 31')
    (found,) = refusal(read_readings, write(text, "page.json"))
    assert "30 of the 31 rows" in found["message"]


@pytest.mark.parametrize(
    ("old", "new", "column", "value"),
    [
        ("11/3/2024 7:00:00 AM,11", "13/3/2024 7:00:00 AM,11", "datetime_beginning_utc", "13/3/2024 7:00:00 AM"),
        ("11/3/2024 7:00:00 AM,11", "11/3/2024 13:00:00 AM,11", "datetime_beginning_utc", "11/3/2024 13:00:00 AM"),
        (",Coal,7,", ",Coal,seven,", "mw", "seven"),
    ],
)
def test_bad_cells_are_refused(old, new, column, value, write, refusal):
    (found,) = refusal(read_readings, write(DOWNLOAD.read_text().replace(old, new, 1)))
    assert (found["column"], found["value"], found["line"]) == (column, value, 2)


@pytest.mark.parametrize("key", ["datetime_beginning_utc", "fuel_type", "mw"])
def test_a_missing_key_is_named(key, write, refusal):
    document = json.loads(API.read_text(encoding="utf-8-sig"))
    del document["items"][4][key]
    (found,) = refusal(read_readings, write(json.dumps(document), "bad.json"))
    assert (found["code"], found["column"], found["line"]) == ("missing_column", key, 5)


@pytest.mark.parametrize(("name", "hours"), [("gen_by_fuel.csv", 5), ("gen_by_fuel_api.json", 22)])
def test_real_files(real_data, name, hours):
    path = real_data / "samples" / "pjm" / name
    readings = read_readings(path)
    assert {one.name: values_by_start(one) for one in readings.series} == plain(path)
    assert {len(one) for one in readings.series} == {hours}
