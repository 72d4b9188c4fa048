"""ERCOT, native load: hours that end at their label, 24:00 and ` DST` among them."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from oracle.exports import values_by_start

from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
LOAD, BOOK = EXAMPLES / "ercot-load.csv", EXAMPLES / "ercot-load.xlsx"
CENTRAL = ZoneInfo("America/Chicago")
MWH = 1_000_000


def start_of(label):
    text, _, again = label.partition(" DST")
    again = label.endswith("DST")
    day, clock = text.split(" ")
    hour = int(clock[:2])
    begin = datetime.strptime(day, "%m/%d/%Y") + timedelta(hours=hour - 1)
    return int(begin.replace(tzinfo=CENTRAL, fold=1 if again else 0).timestamp())


def plain(path, column="ERCOT"):
    with path.open(newline="") as file:
        return {start_of(row["Hour Ending"]): Fraction(row[column]) * MWH // 1 for row in csv.DictReader(file)}


@pytest.mark.parametrize("path", [LOAD, BOOK])
def test_hours_end_at_their_label(path):
    (load,) = read_readings(path).series
    assert values_by_start(load) == plain(LOAD)
    assert (load.name, load.role, load.power, load.interval_s) == ("ERCOT-load", "load", False, 3600)


def test_other_sheets_of_a_workbook_are_left_out(tmp_path):
    import openpyxl

    book = openpyxl.load_workbook(BOOK)
    book.create_sheet("Notes").append(["ERCOT", "made up"])
    book.save(tmp_path / "more.xlsx")
    readings = read_readings(tmp_path / "more.xlsx")
    assert readings.left_out["sheet Notes"] == "no table of hours"
    assert values_by_start(readings.series[0]) == plain(LOAD)


def test_spring_jumps_and_autumn_repeats():
    (load,) = read_readings(LOAD).series
    starts = load.starts.tolist()
    spring, autumn = start_of("03/09/2024 23:00"), start_of("11/02/2024 24:00")
    assert starts[:6] == [spring + 3600 * at for at in range(6)]
    assert starts[6:11] == [autumn + 3600 * at for at in range(5)]


def test_midnight_is_24_of_the_day_and_the_year_ends_with_it():
    (load,) = read_readings(LOAD, How(year=2024)).series
    assert len(load) == 13
    assert datetime.fromtimestamp(int(load.starts[-1]), UTC) == datetime(2025, 1, 1, 5, tzinfo=UTC)


def test_the_second_hour_is_marked_even_where_the_first_is_missing(write):
    lines = [line for line in LOAD.read_text().splitlines() if not line.startswith("11/03/2024 02:00,")]
    (load,) = read_readings(write("\n".join(lines))).series
    assert start_of("11/03/2024 02:00 DST") in load.starts.tolist()
    assert start_of("11/03/2024 02:00") not in load.starts.tolist()


def test_one_of_two_hours_without_a_mark_is_neither(write):
    """If no row is marked, a label that stands once may be of either hour: both are gaps, and the line is named."""
    lines = [line for line in LOAD.read_text().splitlines() if " DST," not in line]
    readings = read_readings(write("\n".join(lines)))
    at = next(number for number, line in enumerate(lines, start=1) if line.startswith("11/03/2024 02:00,"))
    assert "neither label nor order" in readings.notes[f"line {at}"]
    first = start_of("11/03/2024 02:00")
    assert not {first, first + 3600} & set(readings.series[0].starts.tolist())


def test_weather_zones_are_parts_of_the_whole_unless_asked_for():
    readings = read_readings(LOAD)
    assert readings.left_out["COAST"] == "a part of ERCOT; --area COAST reads it"
    assert len(readings.left_out) == 8
    (coast,) = read_readings(LOAD, How(areas=frozenset({"COAST"}))).series
    assert values_by_start(coast) == plain(LOAD, "COAST")


def test_an_empty_row_of_the_hour_that_spring_skips_is_dropped(write):
    text = LOAD.read_text().replace("\n03/10/2024 04:00", "\n03/10/2024 03:00,,,,,,,,,\n03/10/2024 04:00")
    readings = read_readings(write(text))
    assert readings.dropped == {"empty rows of the hour that does not exist in spring": 1}
    assert values_by_start(readings.series[0]) == plain(LOAD)


@pytest.mark.parametrize(
    ("old", "new", "code", "column", "value"),
    [
        ("03/10/2024 01:00", "03/10/2024 03:00", "nonexistent_time", "Hour Ending", "03/10/2024 03:00"),
        ("03/10/2024 01:00", "13/10/2024 01:00", "unreadable_value", "Hour Ending", "13/10/2024 01:00"),
        ("03/10/2024 01:00", "03/10/2024 25:00", "unreadable_value", "Hour Ending", "03/10/2024 25:00"),
        (",10820.000008", ",10.820.000008", "unreadable_value", "ERCOT", "10.820.000008"),
        (",10820.000008", ",10.820,000008", "malformed_row", None, None),
    ],
)
def test_bad_cells_are_refused(old, new, code, column, value, write, refusal):
    (found,) = refusal(read_readings, write(LOAD.read_text().replace(old, new, 1)))
    assert (found["code"], found["column"], found["value"], found["line"]) == (code, column, value, 4)


def test_real_hours_over_both_clock_changes(real_data):
    path = real_data / "samples" / "ercot" / "Native_Load_2024_head_and_dst.csv"
    (load,) = read_readings(path).series
    assert values_by_start(load) == plain(path)
    assert len(load) == 44


def test_thousands_commas_of_a_sheet_saved_as_csv_are_read(write):
    with LOAD.open(newline="") as file:
        header, *rows = csv.reader(file)
    quoted = [[row[0], *(f'"{Decimal(cell):,}"' for cell in row[1:])] for row in rows]
    assert any("," in cell for row in quoted for cell in row)
    text = "".join(",".join(row) + "\n" for row in [header, *quoted])
    (load,) = read_readings(write(text, "load.csv")).series
    assert values_by_start(load) == plain(LOAD)


@pytest.mark.parametrize("cell", ["1,23.5", "12,34,567.0", "10.800,5"])
def test_commas_elsewhere_are_refused(cell, write, refusal):
    text = LOAD.read_text().replace("10800.000008", f'"{cell}"', 1)
    (finding,) = refusal(read_readings, write(text, "load.csv"))
    assert (finding["code"], finding["line"], finding["value"]) == ("unreadable_value", 2, cell)
