"""ERCOT, generation by fuel: quarter-hours that end at their column's time, in CSV and in a workbook."""

import csv
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from oracle.exports import values_by_start

from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation.formats import BY_NAME, read_as, read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
AUTUMN, SPRING, BOOK = (EXAMPLES / f"ercot-fuel{end}" for end in ("-autumn.csv", "-spring.csv", ".xlsx"))
CENTRAL = ZoneInfo("America/Chicago")
MWH = 1_000_000
KINDS = {
    "Biomass": "biomass",
    "Coal": "fossil_coal",
    "Gas": "fossil_gas",
    "Gas-CC": "fossil_gas_ccgt",
    "Hydro": "hydro",
    "Nuclear": "nuclear",
    "Other": "other",
    "Solar": "solar",
    "WSL": "consumption",
    "Wind": "wind",
}


def start_of(day, column):
    """The begin of a column's quarter-hour: the second time of an hour that is repeated, where it says so."""
    label, _, again = column.partition(" ")
    hour, minute = map(int, label.split(":"))
    end = day + timedelta(hours=hour, minutes=minute) if (hour, minute) != (0, 0) else day + timedelta(days=1)
    begin = end - timedelta(minutes=15)
    return int(begin.replace(tzinfo=CENTRAL, fold=1 if again else 0).timestamp())


def plain(path):
    """Watt-hours by kind and start of every cell that is not empty, rounded down; the row that is settled last."""
    found = {}
    with path.open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["Settlement Type"] == "FINAL")
    for row in rows:
        day = datetime.fromisoformat(row["Date"])
        for column, cell in row.items():
            if ":" in column and cell:
                found.setdefault(KINDS[row["Fuel"]], {})[start_of(day, column)] = Fraction(cell) * MWH // 1
    return found


def by_kind(path, **told):
    return {one.kind: values_by_start(one) for one in read_readings(path, **told).series}


def read_by_its_reader(path):
    """Read a file as of this format, whatever its head tells."""
    return read_as(open_file(path), BY_NAME["ercot-fuel"], How())


@pytest.mark.parametrize("path", [AUTUMN, SPRING])
def test_quarter_hours_end_at_their_columns_time(path):
    readings = read_readings(path)
    assert {one.kind: values_by_start(one) for one in readings.series} == plain(path)
    assert {(one.power, one.interval_s, one.area) for one in readings.series} == {(False, 900, "ERCOT")}


def test_the_last_column_is_midnight_at_the_end_of_the_day():
    wind = by_kind(AUTUMN)["wind"]
    first, last = datetime(2023, 11, 4, 5, tzinfo=UTC), datetime(2023, 11, 6, 5, 45, tzinfo=UTC)
    assert (min(wind), max(wind)) == (int(first.timestamp()), int(last.timestamp()))


def test_the_empty_quarter_hours_of_spring_are_no_gap():
    (wind,) = (one for one in read_readings(SPRING).series if one.kind == "wind")
    assert len(wind) == 96 + 92
    assert not wind.null.any()
    assert {after - before for before, after in pairwise(wind.starts.tolist())} == {900}


def test_the_four_columns_of_the_repeated_hour_are_the_second_time():
    (wind,) = (one for one in read_readings(AUTUMN).series if one.kind == "wind")
    assert len(wind) == 96 + 100
    assert {after - before for before, after in pairwise(wind.starts.tolist())} == {900}  # in order, too
    with AUTUMN.open(newline="") as file:
        row = next(
            row for row in csv.DictReader(file) if row["Date"].startswith("2023-11-05") and row["Fuel"] == "Wind"
        )
    second = datetime(2023, 11, 5, 7, tzinfo=UTC)
    assert values_by_start(wind)[int(second.timestamp())] == Fraction(row["01:15 (DST)"]) * MWH
    assert values_by_start(wind)[int(second.timestamp()) - 3600] == Fraction(row["1:15"]) * MWH


def test_a_sheet_of_autumn_without_those_columns_has_a_gap(write):
    rows = list(csv.reader(AUTUMN.read_text().splitlines()))
    path = write("".join(",".join(row[:100]) + "\n" for row in rows))
    readings = read_readings(path)
    wind = next(one for one in readings.series if one.kind == "wind")
    assert len(wind) == 192
    assert 4500 in {after - before for before, after in pairwise(wind.starts.tolist())}
    assert readings.notes == {"3 days of a fuel": "the total is not the sum of the quarter-hours, which hold"}


def test_what_storage_takes_is_consumption():
    (wsl,) = (one for one in read_readings(AUTUMN).series if one.role != "generation")
    assert (wsl.kind, wsl.role, wsl.source_type) == ("consumption", "consumption", None)
    assert wsl.values.min() < 0


def test_a_day_that_was_settled_again_counts_as_settled_last():
    readings = read_readings(SPRING)
    assert readings.dropped == {"days that a later settlement replaces": 1}
    day = start_of(datetime(2023, 3, 12), "0:15")
    assert values_by_start(readings.series[0])[day] == plain(SPRING)["wind"][day]


def test_a_workbook_is_its_months_together():
    readings = read_readings(BOOK)
    spring, autumn = plain(SPRING), plain(AUTUMN)
    assert {one.kind: values_by_start(one) for one in readings.series} == {
        kind: spring.get(kind, {}) | autumn.get(kind, {}) for kind in {*spring, *autumn}
    }
    assert readings.left_out["sheet Disclaimer"] == readings.left_out["sheet Summary"] == "no table of days and fuels"


def test_a_year_is_that_of_texas():
    assert by_kind(AUTUMN, how=How(year=2023)) == by_kind(AUTUMN)


def test_without_openpyxl_the_extra_is_named(monkeypatch, refusal):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (found,) = refusal(read_readings, BOOK)
    assert "gcr_fast[xlsx]" in found["message"]


@pytest.mark.parametrize(
    ("old", "new", "column", "value"),
    [
        ("2023-11-04 00:00:00,Wind", "2023-13-04 00:00:00,Wind", "Date", "2023-13-04 00:00:00"),
        ("2023-11-04 00:00:00,Wind", "2023-11-04 01:00:00,Wind", "Date", "2023-11-04 01:00:00"),
        ("2023-11-04 00:00:00,Wind", "2023-11-04 00:00:00,", "Fuel", None),
        (",5028.0,", ',"5.028,0",', "0:15", "5.028,0"),
        (",5028.0,", ",5e30,", "0:15", "5e30"),
    ],
)
def test_bad_cells_are_refused(old, new, column, value, write, refusal):
    (found,) = refusal(read_readings, write(AUTUMN.read_text().replace(old, new, 1)))
    assert (found["column"], found["value"], found["line"]) == (column, value, 2)


def test_values_where_there_is_no_time_are_refused(write, refusal):
    lines = AUTUMN.read_text().splitlines()
    lines[1] = lines[1].replace("2023-11-04", "2023-03-12") + "7"  # a day on which no hour is repeated, but one skipped
    found = refusal(read_readings, write("\n".join(lines)))
    assert {(item["code"], item["line"]) for item in found} == {("nonexistent_time", 2)}
    assert {item["column"] for item in found} == {"2:15", "2:30", "2:45", "3:00", "02:00 (DST)"}


def test_a_missing_quarter_hour_is_named(write, refusal):
    (found,) = refusal(read_readings, write(AUTUMN.read_text().replace(",13:30,", ",13:31,", 1)))
    assert (found["code"], found["message"].split(" that ")[-1]) == ("missing_column", "end at 13:30")


def test_findings_of_a_workbook_name_its_sheet(tmp_path, refusal):
    import openpyxl

    book = openpyxl.load_workbook(BOOK)
    book["Nov"]["E2"] = "much"
    book.save(tmp_path / "bad.xlsx")
    (found,) = refusal(read_readings, tmp_path / "bad.xlsx")
    assert (found["column"], found["value"], found["line"]) == ("Nov 00:15", "much", 2)


@pytest.mark.parametrize("keep", [0.5, 0.98])
def test_a_workbook_cut_off_is_refused(keep, write, refusal):
    content = BOOK.read_bytes()
    (found,) = refusal(read_by_its_reader, write(content[: int(len(content) * keep)], "cut.xlsx"))
    assert "damaged workbook" in found["message"]


@pytest.mark.parametrize(
    ("name", "quarters"),
    [
        ("IntGenbyFuel2023_Jan_first2days.csv", 192),
        ("IntGenbyFuel2023_Mar12_dst_spring.csv", 92),
        ("IntGenbyFuel2023_Nov05_dst_autumn.csv", 100),
    ],
)
def test_real_days(real_data, name, quarters):
    path = real_data / "samples" / "ercot" / name
    readings = read_readings(path)
    assert {one.kind: values_by_start(one) for one in readings.series} == plain(path)
    assert {len(one) for one in readings.series} == {quarters}
    assert not readings.notes  # every day's total is the sum of its quarter-hours


def test_thousands_commas_of_a_sheet_saved_as_csv_are_read(write):
    with AUTUMN.open(newline="") as file:
        header, *rows = csv.reader(file)
    quoted = [[*row[:3], *(f'"{Decimal(cell):,}"' if cell else "" for cell in row[3:])] for row in rows]
    text = "".join(",".join(row) + "\n" for row in [header, *quoted])
    assert '"5,028.0"' in text
    readings = read_readings(write(text, "fuel.csv"))
    assert {one.kind: values_by_start(one) for one in readings.series} == plain(AUTUMN)
    assert not readings.notes
