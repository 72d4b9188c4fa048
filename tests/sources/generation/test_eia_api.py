"""EIA API v2: fuels and regions, in pages, in UTC or local time."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from oracle.exports import cells_by_start

from gcr_fast.imports import import_generation
from gcr_fast.sources import pages
from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation.formats import BY_NAME, read_as, read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
FUEL, REGION = EXAMPLES / "eia930-api-fuel.json", EXAMPLES / "eia930-api-region.json"
PAGES = [EXAMPLES / "eia930-api-page-1.json", EXAMPLES / "eia930-api-page-2.json"]
JULY = int(datetime(2024, 7, 1, 8, tzinfo=UTC).timestamp())
MWH = 1_000_000
KINDS = {
    "COL": "fossil_coal",
    "NG": "fossil_gas",
    "NUC": "nuclear",
    "OIL": "fossil_oil",
    "SUN": "solar",
    "WND": "wind",
    "OTH": "other",
    "BAT": "battery_storage",
    "SNB": "solar_and_battery_storage",
}


def rows_of(*paths):
    texts = [gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in paths]
    return [row for text in texts for row in json.loads(text)["response"]["data"]]


def start_of(row):
    end = datetime.fromisoformat(row["period"] + (":00" if len(row["period"]) == 13 else ""))
    return int(((end if end.tzinfo else end.replace(tzinfo=UTC)) - timedelta(hours=1)).timestamp())


def kind_of(row):
    if row["fueltype"] == "WAT":
        return "hydro" if start_of(row) >= JULY else "hydro_and_pumped_storage"
    return KINDS[row["fueltype"]]


def plain(rows):
    """Watt-hours by series and start, rounded down, read row by row; a gap is None."""
    found = {}
    for row in rows:
        value = None if row["value"] is None else Fraction(row["value"]) * MWH // 1
        found.setdefault(f"{row['respondent']}-{kind_of(row)}", {})[start_of(row)] = value
    return found


def without_gaps(found):
    return {name: {start: wh for start, wh in values.items() if wh is not None} for name, values in found.items()}


def altered(path, change):
    document = json.loads(path.read_text())
    change(document)
    return json.dumps(document)


def read_by_its_reader(path):
    """Read a file as of this format, whatever its head tells."""
    return read_as(open_file(path), BY_NAME["eia930-api"], How())


def test_numbers_numeric_text_and_null_in_no_order():
    kinds = {type(row["value"]) for row in rows_of(FUEL)}
    assert kinds == {int, str, type(None)}
    readings = read_readings(FUEL)
    assert {one.name: cells_by_start(one) for one in readings.series} == plain(rows_of(FUEL))
    assert {(one.power, one.interval_s) for one in readings.series} == {(False, 3600)}
    assert sum(int(one.null.sum()) for one in readings.series) == 2


def test_the_time_is_the_end_of_the_hour():
    gas = next(one for one in read_readings(FUEL).series if one.name == "CISO-fossil_gas")
    assert datetime.fromtimestamp(int(gas.starts.min()), UTC) == datetime(2024, 6, 30, 21, tzinfo=UTC)


def test_water_is_a_sum_with_pumped_storage_until_june_2024():
    found = {one.name: one for one in read_readings(FUEL).series}
    before, after = found["CISO-hydro_and_pumped_storage"], found["CISO-hydro"]
    assert (before.role, after.role) == ("storage", "generation")
    assert before.starts.max() < JULY <= after.starts.min()
    assert len(before) + len(after) == 14


def test_sums_beside_their_parts_are_named():
    ((areas, said),) = read_readings(FUEL).notes.items()
    assert areas == "US48"
    assert "not to be added" in said


def test_storage_is_kept_apart():
    stored = {one.kind for one in read_readings(FUEL).series if one.role == "storage"}
    assert stored == {"battery_storage", "solar_and_battery_storage", "hydro_and_pumped_storage"}


def test_regions_have_load_and_trade_only():
    readings = read_readings(REGION)
    found = {one.name: one for one in readings.series}
    assert {name: one.role for name, one in found.items()} == {"BPAT-load": "load", "BPAT-exchange": "trade"}
    rows = [row for row in rows_of(REGION) if row["type"] == "D"]
    assert cells_by_start(found["BPAT-load"]) == {start_of(row): int(row["value"]) * MWH for row in rows}
    assert readings.left_out == {"BPAT DF DF": "a forecast", "BPAT NG NG": "the sum of the fuels"}


def test_local_hours_over_the_autumn_change_are_six_hours_in_a_row():
    load = read_readings(REGION).series[0]
    first = int(datetime(2023, 11, 5, 6, tzinfo=UTC).timestamp())
    assert load.starts.tolist() == [first + 3600 * at for at in range(6)]
    labels = [row["period"][:13] for row in rows_of(REGION)][:6]
    assert len(set(labels)) == 5  # the local hour stands twice, with another offset
    assert load.zone == "America/Los_Angeles"


def test_a_page_alone_is_refused(refusal):
    (found,) = refusal(read_readings, PAGES[0])
    assert found["code"] == "missing_interval"
    assert "25 of the 58 rows" in found["message"]
    assert "eia930-api-page-1.json" in found["message"]


def test_pages_together_are_the_whole_answer():
    some = [read_readings(path, alone=False) for path in PAGES]
    pages.check(some)
    assert sum(readings.rows for readings in some) == 58
    found = {}
    for readings in some:
        for one in readings.series:
            found.setdefault(one.name, {}).update(cells_by_start(one))
    assert without_gaps(found) == without_gaps(plain(rows_of(FUEL)))


def test_several_pages_in_one_file(write):
    texts = [path.read_text() for path in PAGES]
    for content in ("".join(texts), f"[{','.join(texts)}]"):
        readings = read_readings(write(content, "all.json"))
        assert {one.name: cells_by_start(one) for one in readings.series} == plain(rows_of(FUEL))


def test_the_same_page_twice_is_not_two_pages(refusal, write):
    text = PAGES[0].read_text()
    (found,) = refusal(read_readings, write(text + text, "twice.json"))
    assert "25 of the 58 rows" in found["message"]


def test_gzip(write):
    path = write(gzip.compress(FUEL.read_bytes()), "fuel.json.gz")
    assert len(read_readings(path).series) == len(read_readings(FUEL).series)


@pytest.mark.parametrize(
    ("key", "value", "column"),
    [
        ("value", "1,234", "value"),
        ("value", True, "value"),
        ("value", "1e31", "value"),
        ("period", "2024-06-30", "period"),
        ("period", None, "period"),
        ("respondent", None, "respondent"),
        ("fueltype", None, "fueltype"),
        ("value-units", "gigawatthours", "value-units"),
    ],
)
def test_bad_cells_are_refused(key, value, column, write, refusal):
    text = altered(FUEL, lambda document: document["response"]["data"][3].update({key: value}))
    (found,) = refusal(read_readings, write(text, "bad.json"))
    assert (found["code"], found["column"], found["line"]) == ("unreadable_value", column, 4)


@pytest.mark.parametrize("key", ["period", "respondent", "fueltype", "value"])
def test_a_missing_key_is_named(key, write, refusal):
    text = altered(FUEL, lambda document: document["response"]["data"][3].pop(key))
    (found,) = refusal(read_readings, write(text, "bad.json"))
    assert (found["code"], found["column"], found["line"]) == ("missing_column", key, 4)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["response"].update({"data": {}}),
        lambda document: document["response"].update({"data": []}),
        lambda document: document["response"]["data"].insert(2, "a text"),
        lambda document: document.update({"response": [1, document["response"]["data"][0]]}),
    ],
)
def test_other_shapes_are_refused(change, write, refusal):
    (found,) = refusal(read_by_its_reader, write(altered(FUEL, change), "bad.json"))
    assert found["severity"] == "error"


def test_json_cut_off_is_refused(write, refusal):
    text = FUEL.read_text()
    (found,) = refusal(read_readings, write(text[: len(text) // 2], "cut.json"))
    assert "damaged JSON" in found["message"]


def test_two_real_pages_are_a_day_of_every_area(real_data):
    folder = real_data / "samples" / "eia930_api_v2"
    paths = [folder / f"fuel-type-data_2023-01-01_page{number}.json.gz" for number in (1, 2)]
    some = [read_readings(path, alone=False) for path in paths]
    pages.check(some)
    found = {}
    for readings in some:
        for one in readings.series:
            found.setdefault(one.name, {}).update(cells_by_start(one))
    expected = plain(rows_of(*paths))
    assert found == {name: values for name, values in expected.items() if name in found}
    assert all(set(values.values()) == {None} for name, values in expected.items() if name not in found)
    assert sum(map(len, found.values())) >= 9690
    assert len(import_generation(paths).profiles) == len(found)


def test_a_real_area_of_a_day(real_data):
    path = real_data / "samples" / "eia930_api_v2" / "fuel-type-data_BANC_2019-07-25.json"
    readings = read_readings(path, How(types=frozenset({"solar"})))
    (solar,) = readings.series
    assert cells_by_start(solar) == plain(rows_of(path))["BANC-solar"]
    assert (len(solar), int(solar.values.sum())) == (25, 1611 * MWH)


def test_a_real_page_that_was_cut_is_refused(real_data, refusal):
    path = real_data / "samples" / "eia930_api_v2" / "region-data_D_2023-01-01.first40rows.json"
    (found,) = refusal(read_readings, path)
    assert "40 of the 1675 rows" in found["message"]
