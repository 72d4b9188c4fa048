"""SMARD: two languages, three layouts of time, and numbers whose marks no header tells."""

import csv
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from oracle import exports as oracle

from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
GERMAN, ENGLISH = EXAMPLES / "smard-german.csv", EXAMPLES / "smard-english.csv"
CONSUMPTION = EXAMPLES / "smard-consumption.csv"
BERLIN = ZoneInfo("Europe/Berlin")
LAYOUTS = {1: "%d.%m.%Y %H:%M", 2: "%b %d, %Y %I:%M %p"}


def plain(path, column, marks, layout, times=1):
    """Read one column row by row."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    at = rows[0].index(column)
    local = [oracle.label(" ".join(row[:times]), layout) for row in rows[1:]]
    cells = [oracle.number(row[at], 6, ("-",), *marks) for row in rows[1:]]
    return dict(zip(oracle.walked(local, "Europe/Berlin"), cells, strict=True))


def written(starts, layout, step=900):
    """Write rows of one column of 1 MWh in one of the three layouts of time."""
    rows = []
    for start in starts:
        begin, end = (datetime.fromtimestamp(some, UTC).astimezone(BERLIN) for some in (start, start + step))
        times = [moment.strftime(part) for moment, part in zip((begin, begin, end), layout, strict=True) if part]
        rows.append(";".join([*times, "1"]))
    return rows


def day(text, step=900):
    first = datetime.fromisoformat(text)
    begin, end = (int(some.replace(tzinfo=BERLIN).timestamp()) for some in (first, first + timedelta(days=1)))
    return list(range(begin, end, step))


def test_german_numbers_and_times_are_read_as_by_hand():
    readings = read_readings(GERMAN)
    found = oracle.named(readings)
    assert set(found) == {"biomass", "hydro", "solar", "nuclear", "hydro_pumped_storage", "fossil"}
    for one in found.values():
        assert oracle.values(one) == plain(GERMAN, one.column, (".", ","), "%d.%m.%Y %H:%M")
        assert (one.power, one.interval_s) == (False, 900)  # MWh of the interval, not MW
    assert (readings.format, readings.zone, readings.rows) == ("smard", "Europe/Berlin", 28)


def test_english_numbers_under_a_german_header_are_read_as_by_hand():
    readings = read_readings(ENGLISH)
    found = oracle.named(readings)
    assert set(found) == {"biomass", "hydro", "wind_offshore", "other_renewable", "hydro_pumped_storage"}
    for one in found.values():
        assert oracle.values(one) == plain(ENGLISH, one.column, (",", "."), "%b %d, %Y %I:%M %p", 2)
        assert (one.power, one.interval_s) == (False, 3600)


def test_the_days_of_clock_changes_have_23_and_25_hours():
    one = read_readings(ENGLISH).series[0]
    assert one.starts.tolist() == day("2023-03-26", 3600) + day("2023-10-29", 3600)
    assert len(one) == 48


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("lost", ["02:15", "02:45", "02:00"])
@pytest.mark.parametrize("hour", [0, 1])
def test_a_quarter_that_is_missing_in_one_of_two_hours_is_the_gap(write, newest_first, lost, hour):
    begin = int(datetime(2024, 10, 26, 22, tzinfo=UTC).timestamp())
    gap = begin + 3600 * (2 + hour) + 60 * int(lost[3:])
    starts = [start for start in range(begin, begin + 25 * 3600, 900) if start != gap]
    labels = [datetime.fromtimestamp(start, BERLIN) for start in starts]
    rows = [f"{label:%d.%m.%Y %H:%M};-;{at},00" for at, label in enumerate(labels)]
    header = "Datum von;Datum bis;Photovoltaik [MWh] Originalauflösungen"
    readings = read_readings(write("\n".join([header, *(rows[::-1] if newest_first else rows)])))
    assert oracle.values(readings.series[0]) == {start: at * 1_000_000 for at, start in enumerate(starts)}
    assert not readings.dropped


def test_the_label_that_ends_the_day_before_does_no_harm():
    assert "31.03.2024 01:45;30.03.2024 02:00" in GERMAN.read_text()
    starts = read_readings(GERMAN).series[0].starts.tolist()
    assert starts[:10] == day("2024-03-31")[4:14]


def test_a_dash_is_a_gap_and_a_comma_zero_is_zero():
    nuclear = oracle.named(read_readings(GERMAN))["nuclear"]
    cells = [row.split(";")[5] for row in GERMAN.read_text(encoding="utf-8-sig").splitlines()[1:]]
    assert nuclear.null.tolist() == [cell == "-" for cell in cells]
    assert 0 < nuclear.null.sum() < len(nuclear)
    assert not nuclear.values.any()


def test_in_a_file_of_load_pumped_storage_is_pumping():
    readings = read_readings(CONSUMPTION)
    found = oracle.named(readings)
    assert {name: one.role for name, one in found.items()} == {"load": "load", "pumping": "consumption"}
    for one in found.values():
        assert oracle.values(one) == plain(CONSUMPTION, one.column, (",", "."), "%b %d, %Y %I:%M %p")
    assert readings.left_out == {
        "Residual load [MWh] Calculated resolutions": "load less wind and sun: derived",
        "Grid load incl. hydro pumped storage [MWh] Calculated resolutions": "load and pumping: a sum of other columns",
    }


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Realisierter_Stromverbrauch_2024.csv", "consumption"),
        ("Actual_consumption_2024.csv", "consumption"),
        ("Realisierte_Erzeugung_2024.csv", "storage"),
        ("Actual_generation_2024.csv", "storage"),
    ],
)
def test_pumped_storage_alone_is_told_by_the_files_name_as_a_last_resort(write, refusal, name, role):
    rows = written(day("2024-01-05"), ("%d.%m.%Y %H:%M", "", "%d.%m.%Y %H:%M"))
    text = "\n".join(["Datum von;Datum bis;Pumpspeicher [MWh] Originalauflösungen", *rows])
    (one,) = read_readings(write(text, name)).series
    assert one.role == role
    (finding,) = refusal(read_readings, write(text, "download.csv"))
    assert "turbining or pumping" in finding["message"]


def test_pumped_storage_beside_one_type_of_generation_is_what_it_generates(write):
    rows = [row + ";2" for row in written(day("2024-01-05"), ("%d.%m.%Y %H:%M", "", "%d.%m.%Y %H:%M"))]
    text = "\n".join(["Datum von;Datum bis;Pumpspeicher [MWh] x;Photovoltaik [MWh] x", *rows])
    assert [(one.kind, one.role) for one in read_readings(write(text)).series] == [
        ("hydro_pumped_storage", "storage"),
        ("solar", "generation"),
    ]


@pytest.mark.parametrize("step", [900, 3600])
@pytest.mark.parametrize(
    ("header", "layout"),
    [
        ("Datum von;Datum bis", ("%d.%m.%Y %H:%M", "", "%d.%m.%Y %H:%M")),
        ("Datum;Anfang;Ende", ("%d.%m.%Y", "%H:%M", "%H:%M")),
        ("Datum;Uhrzeit", ("%d.%m.%Y", "%H:%M", "")),
        ("Start date;End date", ("%b %d, %Y %I:%M %p", "", "%b %d, %Y %I:%M %p")),
        ("Date;Start;End", ("%b %d, %Y", "%I:%M %p", "%I:%M %p")),
        ("Date;Time of day", ("%b %d, %Y", "%I:%M %p", "")),
    ],
)
def test_every_layout_of_time_over_both_clock_changes(write, header, layout, step):
    starts = day("2024-03-31", step) + day("2024-10-27", step)
    rows = written(starts, layout, step)
    readings = read_readings(write("\ufeff" + "\r\n".join([f"{header};Photovoltaik[MWh]", *rows]) + "\r\n"))
    (one,) = readings.series
    assert one.starts.tolist() == starts
    assert (one.kind, one.interval_s, oracle.wh(one)) == ("solar", step, len(starts) * 1_000_000)


def test_the_area_is_the_one_that_is_named():
    found = read_readings(GERMAN, How(areas=frozenset({"DE-LU"}))).series
    assert {one.name for one in found} >= {"DE-LU-solar", "DE-LU-biomass"}
    assert {one.area for one in read_readings(GERMAN).series} == {""}


def test_prices_and_capacities_are_left_out(write):
    header = (
        "Datum von;Datum bis;Photovoltaik [MWh] x;Deutschland/Luxemburg [€/MWh] x;Biomasse [MW] x;Kernfusion [MWh] x"
    )
    rows = [row + ";2;3;4" for row in written(day("2024-01-05"), ("%d.%m.%Y %H:%M", "", "%d.%m.%Y %H:%M"))]
    readings = read_readings(write("\n".join([header.replace(" x", " Originalauflösungen"), *rows])))
    assert [one.kind for one in readings.series] == ["solar"]
    assert readings.left_out == {
        "Deutschland/Luxemburg [€/MWh] Originalauflösungen": "price or capacity, no energy",
        "Biomasse [MW] Originalauflösungen": "price or capacity, no energy",
        "Kernfusion [MWh] Originalauflösungen": "not known",
    }


# --- refusals


@pytest.mark.parametrize("column", ["Photovoltaik und Wind", "Gesamt", "Total", "Photovoltaics and wind"])
def test_forecasts_are_refused(write, refusal, column):
    rows = [row + ";2" for row in written(day("2024-01-05"), ("%d.%m.%Y %H:%M", "", "%d.%m.%Y %H:%M"))]
    text = "\n".join([f"Datum von;Datum bis;Wind Onshore [MWh] Originalauflösungen;{column} [MWh] x", *rows])
    (finding,) = refusal(read_readings, write(text))
    assert "holds forecasts" in finding["message"]


@pytest.mark.parametrize("name", ["Prognostizierte_Erzeugung_Day-Ahead_2024.csv", "Forecasted_consumption_2024.csv"])
def test_a_file_that_is_called_a_forecast_is_refused(write, refusal, name):
    (finding,) = refusal(read_readings, write(GERMAN.read_bytes(), name))
    assert "holds forecasts" in finding["message"]


def test_values_per_day_are_refused(write, refusal):
    starts = day("2024-01-05", 86400) + day("2024-01-06", 86400) + day("2024-01-07", 86400)
    rows = written(starts, ("%d.%m.%Y %H:%M", "", "%d.%m.%Y %H:%M"))
    text = "\n".join(["Datum von;Datum bis;Photovoltaik [MWh] Berechnete Auflösungen", *rows])
    (finding,) = refusal(read_readings, write(text))
    assert (finding["code"], "one value per 24 hours" in finding["message"]) == ("interval_too_long", True)


def test_numbers_written_in_two_ways_are_refused(write, refusal):
    *lines, last = GERMAN.read_text().splitlines()
    (finding,) = refusal(read_readings, write("\n".join([*lines, last[: last.rindex(";")] + ";201.5"])))
    assert (finding["code"], "201.5" in finding["message"]) == ("ambiguous_number", True)


def test_whole_thousands_alone_are_refused_as_they_can_be_read_in_two_ways(write, refusal):
    rows = written(day("2024-01-05"), ("%d.%m.%Y %H:%M", "", "%d.%m.%Y %H:%M"))
    text = "\n".join(["Datum von;Datum bis;Biomasse [MWh] x", *(row[:-1] + "1.002" for row in rows)])
    (finding,) = refusal(read_readings, write(text))
    assert (finding["code"], "1.002" in finding["message"]) == ("ambiguous_number", True)


def test_every_bad_cell_is_named(write, refusal):
    lines = GERMAN.read_text().splitlines()
    for at, cell in ((3, "n/a"), (7, "1e30")):
        lines[at] = ";".join([*lines[at].split(";")[:2], cell, *lines[at].split(";")[3:]])
    found = refusal(read_readings, write("\n".join(lines)))
    assert [(item["line"], item["column"], item["value"]) for item in found] == [
        (4, "Biomasse [MWh] Originalauflösungen", "n/a"),
        (8, "Biomasse [MWh] Originalauflösungen", "1e30"),
    ]


def test_month_first_is_refused_with_every_line(write, refusal):
    text = GERMAN.read_text().replace("31.03.2024", "03.31.2024")
    found = refusal(read_readings, write(text))
    wanted = [at for at, line in enumerate(text.splitlines(), 1) if line.startswith("03.31")]
    assert [item["line"] for item in found] == wanted
    assert {item["column"] for item in found} == {"Datum von"}


def test_an_hour_that_does_not_exist_is_refused(write, refusal):
    text = GERMAN.read_text().replace("31.03.2024 03:00;", "31.03.2024 02:00;", 1)
    (finding,) = refusal(read_readings, write(text))
    assert (finding["code"], finding["line"]) == ("nonexistent_time", 6)


def test_a_file_that_was_cut_off_is_refused(write, refusal):
    text = GERMAN.read_text()
    (finding,) = refusal(read_readings, write(text[: text.rindex(";")]))
    assert (finding["code"], finding["line"]) == ("malformed_row", 29)


# --- real lines

REAL = {
    "smard_de/generation_head25_2024": ((".", ","), LAYOUTS[1], 1),
    "smard_de/generation_dst_2024": ((".", ","), LAYOUTS[1], 1),
    "smard_de/consumption_head12_2024": ((".", ","), LAYOUTS[1], 1),
    "smard_en/head30": ((",", "."), LAYOUTS[2], 2),
    "smard_en/dst_days": ((",", "."), LAYOUTS[2], 2),
    "smard_en/consumption_head": ((",", "."), LAYOUTS[2], 2),
}


@pytest.mark.parametrize("name", REAL)
def test_real_lines_are_read_as_by_hand(real_data, name):
    path = real_data / "samples" / f"{name}.csv"
    readings = read_readings(path)
    assert len(readings.series) == (2 if "consumption" in name else 11 if "dst_2024" in name else 12)
    for one in readings.series:
        assert oracle.values(one) == plain(path, one.column, *REAL[name])
        assert (one.power, one.interval_s) == (False, 900)
    assert "not known" not in readings.left_out.values()


def test_real_totals_are_those_of_the_cells(real_data):
    path = real_data / "samples" / "smard_de" / "generation_head25_2024.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    for one in read_readings(path).series:
        cells = [row[one.column].replace(".", "").replace(",", ".") for row in rows if row[one.column] != "-"]
        assert oracle.wh(one) == sum(map(Fraction, cells)) * 1_000_000


def test_real_autumn_has_its_hour_twice(real_data):
    one = read_readings(real_data / "samples" / "smard_en" / "dst_days.csv").series[0]
    starts = one.starts.tolist()
    assert starts == day("2023-03-26")[4:12] + day("2023-10-29")[4:20]
