"""New Zealand's plants: 46, 48 or 50 trading periods a day, kWh, two fuels in one plant."""

import csv
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from oracle.exports import cells_by_start

from gcr_fast.sources.generation.formats import read_readings

EXAMPLE = Path(__file__).parent.parent / "examples" / "nz-emi.csv"
AUCKLAND = ZoneInfo("Pacific/Auckland")


def plants_of(path):
    """Wh by device and UTC start, None where a cell of the day is empty."""
    found = {}
    with path.open() as file:
        for row in csv.DictReader(file):
            device = "-".join(row[name] for name in ("POC_Code", "Nwk_Code", "Gen_Code", "Fuel_Code"))
            midnight = datetime.fromisoformat(row["Trading_Date"]).replace(tzinfo=AUCKLAND)
            begin, end = (int(at.astimezone(UTC).timestamp()) for at in (midnight, midnight + timedelta(days=1)))
            for period, start in enumerate(range(begin, end, 1800), start=1):
                cell = row[f"TP{period}"]
                found.setdefault(device, {})[start] = Fraction(cell) * 1000 // 1 if cell else None
    return found


def test_periods_count_from_local_midnight_on_days_of_46_48_and_50():
    readings = read_readings(EXAMPLE)
    wanted = plants_of(EXAMPLE)
    known = {one.device_id: cells_by_start(one) for one in readings.series}
    assert known == {device: values for device, values in wanted.items() if not device.endswith("Plasma")}
    assert {len(values) for values in known.values()} == {46 + 48 + 50}
    assert {(one.power, one.interval_s) for one in readings.series} == {(False, 1800)}


def test_empty_columns_beyond_the_day_are_no_gaps_but_an_empty_period_is():
    nulls = {one.device_id: int(one.null.sum()) for one in read_readings(EXAMPLE).series}
    assert nulls == {
        "EXA2201-EXGN-example_dam-Hydro": 0,
        "EXH2201-EXGN-example_1_4-Coal": 0,
        "EXH2201-EXGN-example_1_4-Gas": 0,
        "EXT0331-EXGN-example_geo-Geo": 1,
    }


def test_a_plant_of_two_fuels_is_two_devices():
    kinds = {one.device_id: (one.kind, one.source_type) for one in read_readings(EXAMPLE).series}
    assert kinds["EXH2201-EXGN-example_1_4-Coal"] == ("fossil_coal", "fossil")
    assert kinds["EXH2201-EXGN-example_1_4-Gas"] == ("fossil_gas", "fossil")
    assert kinds["EXT0331-EXGN-example_geo-Geo"] == ("geothermal", "geothermal")


def test_rows_of_one_plant_and_fuel_but_two_technologies_are_no_repeats(write):
    header = EXAMPLE.read_text().splitlines()[0].split(",")
    said = {
        "POC_Code": "HLY2201",
        "Nwk_Code": "GENE",
        "Gen_Code": "huntly",
        "Fuel_Code": "Gas",
        "Trading_Date": "2023-06-01",
    }
    said |= {f"TP{period}": "100" for period in range(1, 49)}
    rows = [
        ",".join((said | {"Tech_Code": code}).get(name, "") for name in header) for code in ("Thrml", "CCGT", "CCGT")
    ]
    readings = read_readings(write("\n".join([",".join(header), *rows]) + "\n"))
    assert readings.dropped == {"rows that repeat an earlier one word for word": 48}
    assert len(readings.series[0]) == 96


def test_an_unknown_fuel_is_left_out_by_name():
    (reason,) = read_readings(EXAMPLE).left_out.values()
    assert reason == "fuel Plasma is not known"


def test_a_value_beyond_the_day_is_refused(write, refusal):
    lines = EXAMPLE.read_text().splitlines()
    ordinary = next(at for at, line in enumerate(lines) if ",2024-04-06," in line)
    lines[ordinary] = lines[ordinary] + "17.5"
    (finding,) = refusal(read_readings, write("\n".join(lines)))
    assert (finding["line"], finding["column"], finding["value"]) == (ordinary + 1, "TP50", "17.5")


@pytest.mark.parametrize("date", ["06/04/2024", "2024-04-31", ""])
def test_dates_of_another_form_are_refused(date, write, refusal):
    findings = refusal(read_readings, write(EXAMPLE.read_text().replace(",2024-04-06,", f",{date},")))
    assert len(findings) == 5
    assert findings[0]["value"] == (date or None)


def test_bad_numbers_and_short_rows_are_refused(write, refusal):
    text = EXAMPLE.read_text()
    (finding,) = refusal(read_readings, write(text.replace("1234.567", "1234,567")))
    assert finding["code"] == "malformed_row"
    (finding,) = refusal(read_readings, write(text.replace("1234.567", "12.3.4")))
    assert (finding["column"], finding["value"], finding["line"]) == ("TP4", "12.3.4", 2)


def test_a_missing_column_is_named(write, refusal):
    text = EXAMPLE.read_text().replace("Nwk_Code", "Network", 1)
    (finding,) = refusal(read_readings, write(text))
    assert "Nwk_Code" in finding["message"]


def test_the_real_autumn_day_has_fifty_periods(real_data):
    path = real_data / "samples" / "nz_emi" / "202304_Generation_MD_dst_autumn.csv"
    readings = read_readings(path)
    assert {one.device_id: cells_by_start(one) for one in readings.series} == plants_of(path)
    assert {len(one) for one in readings.series} == {98}
    with path.open() as file:
        cells = [row[f"TP{period}"] for row in csv.DictReader(file) for period in range(1, 51)]
    assert sum(int(one.values.sum()) for one in readings.series) == sum(Fraction(cell or 0) for cell in cells) * 1000
