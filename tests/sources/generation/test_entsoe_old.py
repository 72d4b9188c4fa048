"""ENTSO-E's old export: local labels, two blanks before a dash, and an hour that does not exist."""

import csv
import random
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from oracle import exports as oracle

from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
GENERATION, LOAD = EXAMPLES / "entsoe-old.csv", EXAMPLES / "entsoe-old-load.csv"
SKIPPED = "empty rows of the hour that does not exist in spring"
GAPS = ("", "n/e", "N/A", "-")


def plain(path, column, time="MTU", zone="Europe/Berlin"):
    """Read one column row by row; the blank row of spring is passed over."""
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if any(v for k, v in row.items() if k not in {"Area", time})]
    local = [oracle.label(row[time][:16], "%d.%m.%Y %H:%M") for row in rows]
    cells = [oracle.number(row[column], 6, GAPS) for row in rows]
    return dict(zip(oracle.walked(local, zone), cells, strict=True))


def test_the_example_is_read_as_by_hand():
    readings = read_readings(GENERATION)
    found = oracle.named(readings)
    assert set(found) == {
        "XX-biomass",
        "XX-fossil_gas",
        "XX-hydro_pumped_storage",
        "XX-pumping",
        "XX-solar",
        "XX-wind_onshore",
    }
    for name, column in (
        ("XX-biomass", "Biomass  - Actual Aggregated [MW]"),
        ("XX-fossil_gas", "Fossil Gas  - Actual Aggregated [MW]"),
        ("XX-pumping", "Hydro Pumped Storage  - Actual Consumption [MW]"),
        ("XX-solar", "Solar  - Actual Aggregated [MW]"),
        ("XX-wind_onshore", "Wind Onshore  - Actual Aggregated [MW]"),
    ):
        assert oracle.values(found[name]) == plain(GENERATION, column), name
        assert (found[name].power, found[name].interval_s) == (True, 3600)
    assert (readings.format, readings.zone, readings.rows) == ("entsoe-old", "Europe/Brussels", 49)


def test_the_days_of_clock_changes_have_23_and_25_hours():
    one = oracle.named(read_readings(GENERATION))["XX-biomass"]
    days = [
        datetime.fromtimestamp(start, ZoneInfo("Europe/Berlin")).date().isoformat() for start in one.starts.tolist()
    ]
    assert {day: days.count(day) for day in days} == {"2024-03-31": 23, "2024-10-27": 25}


def test_the_hour_that_does_not_exist_is_dropped_and_counted_not_a_gap():
    readings = read_readings(GENERATION)
    assert readings.dropped == {SKIPPED: 1}
    assert not oracle.named(readings)["XX-biomass"].null.any()


def test_na_and_blanks_are_gaps_and_a_negative_value_keeps_its_sign():
    found = oracle.named(read_readings(GENERATION))
    assert [int(found[name].null.sum()) for name in ("XX-wind_onshore", "XX-fossil_gas", "XX-solar")] == [1, 1, 0]
    assert found["XX-solar"].values.min() == -3_000_000


def test_a_type_that_the_area_does_not_have_is_left_out():
    assert read_readings(GENERATION).left_out == {"Energy storage - Actual Aggregated [MW]": "no value in any row"}


def test_pumping_is_consumption_and_what_it_stores_is_no_generation():
    found = oracle.named(read_readings(GENERATION))
    assert (found["XX-pumping"].role, found["XX-pumping"].source_type) == ("consumption", None)
    assert found["XX-hydro_pumped_storage"].role == "storage"


def test_the_consumption_of_two_types_is_two_series(write):
    text = GENERATION.read_text().replace("Solar  - Actual Aggregated", "Fossil Oil  - Actual Consumption")
    found = read_readings(write(text)).series
    assert [one.name for one in found if one.role == "consumption"] == ["XX-pumping", "XX-fossil_oil_consumption"]


def test_load_names_its_zone_and_area_in_the_header():
    readings = read_readings(LOAD)
    (one,) = readings.series
    assert (one.name, one.role, one.source_type) == ("XX-load", "load", None)
    assert oracle.values(one) == plain(LOAD, "Actual Total Load [MW] - BZN|XX", "Time (CET/CEST)")
    assert readings.left_out == {"Day-ahead Total Load Forecast [MW] - BZN|XX": "no actual energy"}


def test_utc_labels_are_utc_and_a_zone_that_is_named_does_not_shift_them(write):
    header, *spring = GENERATION.read_text().replace("CET/CEST", "UTC").splitlines()[:25]
    hours = [row for row in spring if ',"","' not in row]
    path = write("\n".join([header, *hours]))
    for zone in (None, "Europe/Zurich"):
        readings = read_readings(path, How(zone=zone))
        first = int(datetime(2024, 3, 31, tzinfo=ZoneInfo("UTC")).timestamp())
        assert readings.series[0].starts.tolist() == [first + 3600 * hour for hour in range(24) if hour != 2]
        assert readings.zone == (zone or "UTC")  # in which a calendar year is meant


def test_an_area_is_read_once_whatever_its_names(write):
    """The same energy under a bidding zone, a control area and a country."""
    header, *rows = GENERATION.read_text().splitlines()
    names = ["CTA|XX", "BZN|XX", "Exland (XX)", "BZN|YY"]
    text = "\n".join([header, *(row.replace("BZN|XX", name) for name in names for row in rows)]) + "\n"
    readings = read_readings(write(text))
    alone = oracle.named(read_readings(GENERATION))
    found = oracle.named(readings)
    assert set(found) == {name for one in alone for name in (one, one.replace("XX", "YY"))}
    for name, one in alone.items():
        assert oracle.values(found[name]) == oracle.values(found[name.replace("XX", "YY")]) == oracle.values(one)
    assert readings.dropped["rows of CTA|XX: the same energy as Exland (XX), which is read"] == 48
    assert readings.dropped["rows of BZN|XX: the same energy as Exland (XX), which is read"] == 48


def test_in_a_file_without_order_neither_of_two_hours_is_read_and_both_are_named(write):
    header, *rows = GENERATION.read_text().splitlines()
    wanted = oracle.named(read_readings(GENERATION))
    mixed = random.Random(4).sample(rows, len(rows))
    readings = read_readings(write("\n".join([header, *mixed])))
    lines = [at for at, row in enumerate(mixed, start=2) if "27.10.2024 02:00 - " in row]
    assert [what for what, said in readings.notes.items() if "happens twice" in said] == [
        f"lines {lines[0]}, {lines[1]}"
    ]
    assert readings.dropped["rows of an hour that happens twice: nothing tells which of the two is meant"] == 2
    first = int(datetime(2024, 10, 27, 0, tzinfo=UTC).timestamp())
    for name, one in oracle.named(readings).items():
        lost = {first, first + 3600}
        kept = {start: value for start, value in oracle.values(wanted[name]).items() if start not in lost}
        assert oracle.values(one) == kept


def test_quarters_of_an_hour(write):
    rows = ['"Area","MTU","Solar  - Actual Aggregated [MW]"']
    times = [(hour, minute) for hour in (1, 2, 2, 3) for minute in (0, 15, 30, 45)]
    labels = [f"27.10.2024 {h:02d}:{m:02d} - 27.10.2024 {h + m // 45:02d}:{(m + 15) % 60:02d}" for h, m in times]
    rows += [f'"BZN|XX","{label} (CET/CEST)","{at}.5"' for at, label in enumerate(labels)]
    (one,) = read_readings(write("\n".join(rows))).series
    first = int(datetime(2024, 10, 26, 23, tzinfo=ZoneInfo("UTC")).timestamp())
    assert oracle.values(one) == {first + 900 * at: at * 1_000_000 + 500_000 for at in range(16)}
    assert one.interval_s == 900


def test_hours_that_become_quarters_are_two_series_of_one_name(write):
    rows = [
        "Area,MTU,Solar  - Actual Aggregated [MW]",
        "BZN|XX,30.09.2020 22:00 - 30.09.2020 23:00 (CET/CEST),1",
        "BZN|XX,30.09.2020 23:00 - 01.10.2020 00:00 (CET/CEST),2",
        "BZN|XX,01.10.2020 00:00 - 01.10.2020 00:15 (CET/CEST),3",
    ]
    found = read_readings(write("\n".join(rows))).series
    assert [(one.name, one.interval_s, one.values.tolist()) for one in found] == [
        ("XX-solar", 900, [3_000_000]),
        ("XX-solar", 3600, [1_000_000, 2_000_000]),
    ]


@pytest.mark.parametrize("end", ["02.01.2020 00:00", "01.01.2020 00:00", "01.01.2020 00:07", "later", ""])
def test_an_interval_of_another_length_is_refused(write, refusal, end):
    text = f"Area,MTU,Solar  - Actual Aggregated [MW]\nBZN|XX,01.01.2020 00:00 - {end} (CET/CEST),1\n"
    (finding,) = refusal(read_readings, write(text))
    assert (finding["line"], "60 minutes at most" in finding["message"]) == (2, True)


def test_a_file_without_its_quotes_is_read_too(write):
    bare = oracle.named(read_readings(write(GENERATION.read_text().replace('"', ""))))
    assert oracle.values(bare["XX-solar"]) == oracle.values(oracle.named(read_readings(GENERATION))["XX-solar"])


# --- refusals


def test_every_bad_cell_is_named(write, refusal):
    bad = GENERATION.read_text().replace('"N/A"', '"n.a."').replace('"-3"', '"1e30"')
    found = refusal(read_readings, write(bad))
    assert [(item["value"], item["column"].split()[0], item["code"]) for item in found] == [
        ("1e30", "Solar", "unreadable_value"),
        ("n.a.", "Wind", "unreadable_value"),
    ]
    assert [item["line"] for item in found] == [46, 33]


def test_month_first_is_refused_with_every_line(write, refusal):
    text = LOAD.read_text().replace("31.03.2024", "03.31.2024")
    found = refusal(read_readings, write(text))
    assert {item["code"] for item in found} == {"unreadable_value"}
    assert [item["line"] for item in found] == [at for at, row in enumerate(text.splitlines(), 1) if "03.31" in row]
    assert "31.01.2019 00:00" in found[0]["message"]


@pytest.mark.parametrize("word", ["n/e", "N/A", "-", " "])
def test_a_word_for_no_value_is_none_in_the_hour_that_spring_skips_either(write, word):
    text = LOAD.read_text().replace('31.03.2024 03:00","",""', f'31.03.2024 03:00","{word}","{word}"')
    assert word == " " or text.count(f'"{word}"') > LOAD.read_text().count(f'"{word}"')
    readings, same = read_readings(write(text)), read_readings(LOAD)
    assert readings.dropped == same.dropped
    assert [one.values.tolist() for one in readings.series] == [one.values.tolist() for one in same.series]


def test_values_in_an_hour_that_does_not_exist_are_refused(write, refusal):
    text = LOAD.read_text().replace('31.03.2024 03:00","",""', '31.03.2024 03:00","","17"')
    (finding,) = refusal(read_readings, write(text))
    assert (finding["code"], finding["line"]) == ("nonexistent_time", 4)


@pytest.mark.parametrize("zone", ["XYZ", "CET"])
def test_a_zone_that_is_not_known_is_refused(write, refusal, zone):
    (finding,) = refusal(read_readings, write(GENERATION.read_text().replace("CET/CEST", zone)))
    assert (finding["code"], finding["column"]) == ("unknown_zone", "MTU")
    (finding,) = refusal(read_readings, write(GENERATION.read_text().replace(" (CET/CEST)", "")))
    assert "no time zone" in finding["message"]


def test_two_zones_in_one_file_are_refused(write, refusal):
    (finding,) = refusal(read_readings, write(GENERATION.read_text().replace("CET/CEST", "UTC", 5)))
    assert "CET/CEST and UTC" in finding["message"]


def test_two_files_in_one_are_refused_with_the_line_of_the_second_header(write, refusal):
    text = GENERATION.read_text()
    count = len(text.splitlines())
    (finding,) = refusal(read_readings, write(text + text))
    assert (finding["line"], finding["column"], finding["value"]) == (count + 1, "MTU", "MTU")
    assert "second header" in finding["message"]


def test_every_label_without_a_zone_is_named(write, refusal):
    lines = GENERATION.read_text().replace(" (CET/CEST)", "", 3).splitlines()
    found = refusal(read_readings, write("\n".join(lines)))
    assert [finding["line"] for finding in found] == [2, 3, 4]


def test_a_file_that_was_cut_off_is_refused(write, refusal):
    text = GENERATION.read_text()
    (finding,) = refusal(read_readings, write(text[: text.rindex(",")]))
    assert (finding["code"], finding["line"]) == ("malformed_row", 50)


# --- real files

YEARS = {2019: 8760, 2020: 8784, 2023: 8760}
TOTALS_TWH = {
    2019: {
        "nuclear": "25.725",
        "hydro_reservoir": "11.861",
        "hydro_run_of_river": "1.947",
        "hydro_pumped_storage": "7.679",
        "solar": "0.419",
        "wind_onshore": "0.080",
    },
    2020: {
        "nuclear": "23.412",
        "hydro_reservoir": "11.865",
        "hydro_run_of_river": "2.065",
        "hydro_pumped_storage": "6.890",
        "solar": "2.373",
        "wind_onshore": "0.143",
    },
    2023: {
        "nuclear": "23.765",
        "hydro_reservoir": "10.962",
        "hydro_run_of_river": "2.131",
        "solar": "3.538",
        "wind_onshore": "0.168",
    },
}
"""As they are printed beside the files."""


def swiss(real_data, year, what="Generation"):
    (path,) = (real_data / "entsoe_ch").glob(f"*{what}*_{year}01010000-*.csv")
    return path


@pytest.mark.parametrize("year", YEARS)
def test_a_swiss_year_has_its_totals(real_data, year):
    path = swiss(real_data, year)
    readings = read_readings(path, How(zone="Europe/Zurich"))
    found = oracle.named(readings)
    for kind, printed in TOTALS_TWH[year].items():
        total = oracle.wh(found[f"CH-{kind}"])
        assert f"{float(total) / 1e12:.3f}" == printed
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for one in found.values():
        cells = [row[one.column] for row in rows if row[one.column] not in GAPS]
        assert oracle.wh(one) == sum(Fraction(cell) for cell in cells) * 1_000_000
        assert int((~one.null).sum()) == len(cells)


@pytest.mark.parametrize("year", YEARS)
def test_a_swiss_year_has_its_hours_and_both_clock_changes(real_data, year):
    readings = read_readings(swiss(real_data, year), How(zone="Europe/Zurich"))
    place = ZoneInfo("Europe/Zurich")
    first, end = (int(datetime(some, 1, 1, tzinfo=place).timestamp()) for some in (year, year + 1))
    for one in readings.series:
        assert one.starts.tolist() == list(range(first, end, 3600))
        assert len(one) == YEARS[year]
    days = [datetime.fromtimestamp(start, place).date() for start in one.starts.tolist()]
    lengths = {day: days.count(day) for day in set(days)}
    assert sorted(lengths.values()) == [23, *[24] * (YEARS[year] // 24 - 2), 25]
    assert [day.month for day in sorted(lengths) if lengths[day] != 24] == [3, 10]
    assert readings.dropped == {SKIPPED: 1}
    assert readings.rows == YEARS[year] + 1


@pytest.mark.parametrize("year", YEARS)
def test_a_year_that_is_asked_for_is_the_whole_file(real_data, year):
    readings = read_readings(swiss(real_data, year), How(zone="Europe/Zurich", year=year))
    assert {len(one) for one in readings.series} == {YEARS[year]}
    assert readings.dropped == {SKIPPED: 1}


@pytest.mark.parametrize("year", YEARS)
def test_swiss_load_is_load(real_data, year):
    path = swiss(real_data, year, "Total Load")
    (one,) = read_readings(path).series
    with path.open(encoding="utf-8") as file:
        cells = [row[one.column] for row in csv.DictReader(file)]
    assert (one.name, one.role, len(one)) == ("CH-load", "load", YEARS[year])
    assert oracle.wh(one) == sum(Fraction(cell) for cell in cells if cell not in GAPS) * 1_000_000


def test_real_gaps_are_gaps(real_data):
    path = real_data / "samples" / "entsoe_old_gui" / "generation_missing_NA_CH2015.csv"
    found = oracle.named(read_readings(path))
    for one in found.values():
        assert oracle.values(one) == plain(path, one.column, zone="Europe/Zurich")
    assert found["CH-hydro_run_of_river"].null.sum() == 12


@pytest.mark.parametrize(
    "name", ["generation_dst_CH2019", "generation_head25_CH2019", "generation_subset_columns_ES2020"]
)
def test_real_lines_are_read_as_by_hand(real_data, name):
    path = real_data / "samples" / "entsoe_old_gui" / f"{name}.csv"
    readings = read_readings(path)
    assert readings.series
    for one in readings.series:
        assert oracle.values(one) == plain(path, one.column)


# --- workbooks


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def as_cells(row):
    """Empty cells and numbers as a spreadsheet has them."""
    return [float(cell) if cell.replace(".", "", 1).isdigit() else cell or None for cell in row]


@pytest.mark.parametrize("path", [GENERATION, LOAD], ids=lambda path: path.stem)
@pytest.mark.parametrize("titles", [[], [["Actual Generation per Production Type"], [], ["Area", "BZN|XX"], ["MTU"]]])
@pytest.mark.parametrize("numeric", [True, False])
def test_a_workbook_of_the_same_table_is_read_as_its_csv(book, path, titles, numeric):
    header, *rows = rows_of(path)
    body = [as_cells(row) for row in rows] if numeric else rows
    readings = read_readings(book(Notes=[["made up"]], Data=[*titles, header, *body]))
    wanted = read_readings(path)
    assert [one.name for one in readings.series] == [one.name for one in wanted.series]
    for one, other in zip(readings.series, wanted.series, strict=True):
        assert oracle.values(one) == oracle.values(other)
        assert (one.role, one.interval_s, one.power) == (other.role, other.interval_s, other.power)
        assert (one.lines == other.lines + len(titles)).all()
    assert (readings.rows, readings.zone, readings.dropped) == (wanted.rows, wanted.zone, wanted.dropped)
    assert readings.left_out == wanted.left_out | {"sheet Notes": "no table of times and actual MW"}


def test_a_bad_cell_of_a_workbook_is_named_by_its_row(book, refusal):
    header, *rows = rows_of(GENERATION)
    rows[4][2] = "#VALUE!"
    (finding,) = refusal(read_readings, book(Data=[["title"], header, *rows]))
    assert (finding["line"], finding["column"], finding["value"]) == (7, header[2], "#VALUE!")


def test_a_workbook_whose_words_are_in_no_one_row_is_refused(book, refusal):
    (finding,) = refusal(read_readings, book(Data=[["MTU"], ["Solar  - Actual Aggregated [MW]"], [1]]))
    assert "columns like MTU and Solar" in finding["message"]
