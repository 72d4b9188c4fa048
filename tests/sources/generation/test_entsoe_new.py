"""ENTSO-E's new export: a row per type, and labels that lie across a clock change."""

import csv
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import exports as oracle

from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
GENERATION, LOAD = EXAMPLES / "entsoe-new.csv", EXAMPLES / "entsoe-new-load.csv"
BOOK = EXAMPLES / "entsoe-new-workbook.xlsx"
GAPS = ("", "n/e", "N/A", "-")
BERLIN = ZoneInfo("Europe/Berlin")
HEADER = '"MTU (CET/CEST)","Area","Production Type","Generation (MW)"'
LABEL = "%d/%m/%Y %H:%M:%S"


def plain(path, value="Generation (MW)", layout=LABEL):
    """Read row by row: a dictionary from the words of a series to its values by UTC start."""
    found = {}
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    keys = [(row["Area"], row.get("Production Type", "")) for row in rows]
    local = [oracle.label(row["MTU (CET/CEST)"].split(" - ")[0], layout) for row in rows]
    for key, start, row in zip(keys, oracle.walked(local, "Europe/Berlin", keys), rows, strict=True):
        found.setdefault(key, {})[start] = oracle.number(row[value], 6, GAPS)
    return found


def written(starts, step=3600, value=lambda start: "1.00", area="BZN|XX", kind="Solar"):
    """Write rows as this platform does: a label's end is the begin of the next, but in autumn the first hour ends in
    its own begin."""
    rows = []
    for start in starts:
        moments = (datetime.fromtimestamp(second, UTC).astimezone(BERLIN) for second in (start, start + step))
        begin, end = (moment.replace(tzinfo=None) for moment in moments)
        rows.append(f'"{begin:{LABEL}} - {end:{LABEL}}","{area}","{kind}","{value(start)}"')
    return rows


def day(text, step=3600):
    first = datetime.fromisoformat(text)
    begin, end = (int(some.replace(tzinfo=BERLIN).timestamp()) for some in (first, first + timedelta(days=1)))
    return list(range(begin, end, step))


def test_the_example_is_read_as_by_hand():
    readings = read_readings(GENERATION)
    found, wanted = oracle.named(readings), plain(GENERATION)
    assert {name: one.column for name, one in found.items()} == {
        "XX-biomass": "BZN|XX Biomass",
        "XX-hydro_pumped_storage": "BZN|XX Hydro Pumped Storage",
        "XX-hydro_run_of_river": "BZN|XX Hydro Run-of-river and pondage",
        "XX-wind_onshore": "BZN|XX Wind Onshore",
    }
    for one in found.values():
        assert oracle.values(one) == wanted[tuple(one.column.split(" ", 1))]
        assert (one.power, one.interval_s) == (True, 3600)
    assert (readings.format, readings.zone, readings.rows) == ("entsoe-new", "Europe/Brussels", 37)


def test_what_the_area_does_not_have_is_left_out_and_a_blank_is_a_gap():
    readings = read_readings(GENERATION)
    assert readings.left_out == {"BZN|XX Marine": "no value in any row"}
    assert oracle.named(readings)["XX-hydro_pumped_storage"].null.sum() == 4


def test_the_first_of_february_is_not_the_second_of_january():
    starts = oracle.named(read_readings(GENERATION))["XX-biomass"].starts.tolist()
    assert int(datetime(2024, 1, 31, 23, tzinfo=UTC).timestamp()) in starts


def test_the_labels_across_clock_changes_are_an_hour_each():
    """01:00 - 03:00 in spring looks like two hours; 02:00 - 02:00 in autumn like none."""
    text = GENERATION.read_text()
    assert "31/03/2024 01:00:00 - 31/03/2024 03:00:00" in text
    assert "27/10/2024 02:00:00 - 27/10/2024 02:00:00" in text
    starts = oracle.named(read_readings(GENERATION))["XX-wind_onshore"].starts.tolist()
    spring, autumn = day("2024-03-31"), day("2024-10-27")
    assert starts == spring[:3] + autumn[1:5]


def test_load_has_minutes_but_no_seconds():
    readings = read_readings(LOAD)
    (one,) = readings.series
    wanted = plain(LOAD, "Actual Total Load (MW)", "%d/%m/%Y %H:%M")
    assert oracle.values(one) == wanted["BZN|XX", ""]
    assert (one.name, one.role, one.interval_s, len(one)) == ("XX-load", "load", 900, 26)
    assert readings.left_out == {"Day-ahead Total Load Forecast (MW)": "no actual energy"}


@pytest.mark.parametrize("step", [900, 1800, 3600])
@pytest.mark.parametrize("sort", ["by time", "by type"])
def test_both_days_have_23_and_25_hours_in_either_order(write, step, sort):
    starts = day("2024-03-31", step) + day("2024-10-27", step)
    kinds = {kind: written(starts, step, lambda s: f"{s % 9973}.25", kind=kind) for kind in ("Solar", "Waste")}
    pairs = list(zip(*kinds.values(), strict=True))
    rows = [row for pair in (pairs if sort == "by time" else zip(*pairs, strict=True)) for row in pair]
    for one in read_readings(write("\n".join([HEADER, *rows]))).series:
        assert one.starts.tolist() == starts
        assert len(one) * step == 48 * 3600
        assert one.values.tolist() == [s % 9973 * 1_000_000 + 250_000 for s in starts]
        assert one.interval_s == step


@given(missing=st.sets(st.integers(0, 24), max_size=3))
def test_of_an_hour_that_is_there_once_the_end_tells_which(tmp_path_factory, missing):
    starts = [start for at, start in enumerate(day("2024-10-27")) if at not in missing]
    path = tmp_path_factory.getbasetemp() / "autumn.csv"
    path.write_text("\n".join([HEADER, *written(starts)]))
    assert read_readings(path).series[0].starts.tolist() == starts


def test_labels_that_do_not_lie_are_told_by_their_order(write):
    """Should both hours one day be called 02:00 - 03:00, as in the old export."""
    starts = day("2024-10-27")
    rows = [row.replace("02:00:00 - 27/10/2024 02:00:00", "02:00:00 - 27/10/2024 03:00:00") for row in written(starts)]
    assert rows[2] == rows[3]
    assert read_readings(write("\n".join([HEADER, *rows]))).series[0].starts.tolist() == starts


def test_every_value_knows_its_line(write):
    rows = written(day("2024-01-05"), value=lambda start: str(start % 9973))
    one = read_readings(write("\n".join([HEADER, *rows]))).series[0]
    assert one.lines.tolist() == list(range(2, 26))


def test_newest_first_gives_the_same(write):
    starts = day("2024-10-27")
    rows = written(starts, value=lambda start: str(start % 9973))
    one = read_readings(write("\n".join([HEADER, *reversed(rows)]))).series[0]
    assert oracle.values(one) == {start: start % 9973 * 1_000_000 for start in starts}


def test_labels_that_tell_their_hour_need_no_order(write):
    """02:00 - 02:00 is the first of two hours, and 02:00 - 03:00 the second, wherever in the file they stand."""
    starts = day("2024-10-27")
    rows = written(starts, value=lambda start: str(start % 9973))
    for order in (random.Random(1).sample(rows, len(rows)), [*rows[:2], rows[3], rows[2], *rows[4:]]):
        readings = read_readings(write("\n".join([HEADER, *order])))
        assert oracle.values(readings.series[0]) == {start: start % 9973 * 1_000_000 for start in starts}
        assert not readings.dropped


@given(
    step=st.sampled_from([900, 1800, 3600]),
    lost=st.sampled_from([0.05, 0.3, 0.7]),
    order=st.sampled_from(["ascending", "newest first", "none"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_value_lands_in_a_wrong_interval_whichever_rows_are_missing(tmp_path_factory, step, lost, order, seed):
    draw = random.Random(seed)
    kinds = {"Solar": "XX-solar", "Waste": "XX-waste"}
    truth = {kind: [start for start in day("2024-10-27", step) if draw.random() >= lost] for kind in kinds}
    rows = [
        row for kind, starts in truth.items() for row in written(starts, step, lambda s: f"{s % 99_991}", kind=kind)
    ]
    if not all(truth.values()):
        return
    if order == "none":
        draw.shuffle(rows)
    path = tmp_path_factory.getbasetemp() / "lost.csv"
    path.write_text("\n".join([HEADER, *(rows[::-1] if order == "newest first" else rows)]))
    readings = read_readings(path)
    found = {one.name: oracle.values(one) for one in readings.series}
    for kind, name in kinds.items():
        assert found.get(name, {}).items() <= {start: start % 99_991 * 1_000_000 for start in truth[kind]}.items()
    assert sum(map(len, found.values())) + sum(readings.dropped.values()) == len(rows)


def test_an_export_in_utc(write):
    text = "\n".join([HEADER.replace("CET/CEST", "UTC"), *written(day("2024-01-05"))])
    readings = read_readings(write(text), How(zone="Europe/Zurich"))
    first = int(datetime(2024, 1, 5, tzinfo=UTC).timestamp())
    assert readings.series[0].starts.tolist() == list(range(first, first + 86400, 3600))
    assert readings.zone == "Europe/Zurich"


def test_hours_that_become_quarters_are_two_series_of_one_name(write):
    hours, quarters = day("2025-09-30"), day("2025-10-01", 900)
    readings = read_readings(write("\n".join([HEADER, *written(hours), *written(quarters, 900)])))
    assert [(one.name, one.interval_s, one.starts.tolist()) for one in readings.series] == [
        ("XX-solar", 900, quarters),
        ("XX-solar", 3600, hours),
    ]


def test_an_area_is_read_once_whatever_its_names(write):
    starts = day("2024-01-05")
    rows = [row for area in ("CTA|XX", "BZN|XX", "BZN|YY") for row in written(starts, area=area)]
    readings = read_readings(write("\n".join([HEADER, *rows])))
    assert {name: len(one) for name, one in oracle.named(readings).items()} == {"XX-solar": 24, "YY-solar": 24}
    assert readings.left_out == {"CTA|XX Solar": "the same energy as BZN|XX, which is read"}


def test_consumption_never_becomes_generation(write):
    text = "\n".join([HEADER.replace("Generation (MW)", "Consumption (MW)"), *written(day("2024-01-05"))])
    text = text.replace('"Solar"', '"Hydro Pumped Storage"', 5)
    found = oracle.named(read_readings(write(text)))
    assert {name: (one.role, one.source_type, len(one)) for name, one in found.items()} == {
        "XX-pumping": ("consumption", None, 5),
        "XX-solar_consumption": ("consumption", None, 19),
    }


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_units_of_one_type_with_one_value_are_no_repeats(write, book, kind):
    header = ["MTU (UTC)", "Area", "Unit", "Production Type", "Generation (MW)"]
    label = "01/02/2024 {:02d}:00:00 - 01/02/2024 {:02d}:00:00"
    rows = [[label.format(at, at + 1), "BZN|XX", unit, "Nuclear", "5"] for at in range(3) for unit in ("U1", "U2")]
    text = "\n".join(",".join(f'"{cell}"' for cell in row) for row in [header, *rows]) + "\n"
    readings = read_readings(write(text) if kind == "csv" else book(A=[header, *rows]))
    assert (readings.series[0].values.tolist(), readings.dropped) == ([5_000_000] * 6, {})
    assert "3 rows" in readings.notes


def test_units_of_a_later_sheet_are_no_repeats_either(book):
    header = ["MTU (UTC)", "Area", "Unit", "Production Type", "Generation (MW)"]
    label = "01/02/2024 {:02d}:00:00 - 01/02/2024 {:02d}:00:00"
    rows = [[label.format(at, at + 1), "BZN|XX", unit, "Nuclear", "5"] for at in range(3) for unit in ("U1", "U2")]
    other = [[label, "BZN|YY", *rest] for label, _, *rest in rows]
    readings = read_readings(book(A=[header, *rows[:1], *rows[2:3]], B=[header, *other]))
    assert {one.area: len(one) for one in readings.series} == {"XX": 2, "YY": 6}


def test_a_type_that_is_not_known_is_left_out_by_name(write):
    text = "\n".join([HEADER, *written(day("2024-01-05")), *written(day("2024-01-05"), kind="Fusion")])
    readings = read_readings(write(text))
    assert [one.kind for one in readings.series] == ["solar"]
    assert readings.left_out == {"BZN|XX Fusion": "not known"}


# --- workbooks


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def same(found, wanted):
    assert [one.name for one in found.series] == [one.name for one in wanted.series]
    for one, other in zip(found.series, wanted.series, strict=True):
        assert (one.column, one.role, one.interval_s, one.power) == (
            other.column,
            other.role,
            other.interval_s,
            other.power,
        )
        assert oracle.values(one) == oracle.values(other)


def test_the_workbook_of_the_example_has_what_its_csv_has():
    pytest.importorskip("openpyxl")
    readings = read_readings(BOOK)
    wanted = read_readings(GENERATION)
    same(readings, wanted)
    assert (readings.rows, readings.zone, readings.format) == (wanted.rows, wanted.zone, "entsoe-new")
    assert readings.left_out == {
        "sheet Notes": "no table of times, areas and MW",
        "BZN|XX Marine": "no value in any row",
    }


@pytest.mark.parametrize("titles", [[], [["Load"], [], ["Area", "BZN|XX"], ["MTU (CET/CEST)", "from here on"]]])
@pytest.mark.parametrize("numeric", [True, False])
def test_load_below_titles_or_not_as_numbers_or_as_text(book, titles, numeric):
    header, *rows = rows_of(LOAD)
    if numeric:
        rows = [[label, area, float(load), float(forecast)] for label, area, load, forecast in rows]
    readings = read_readings(book(Load=[*titles, header, *rows]))
    same(readings, read_readings(LOAD))
    assert readings.series[0].lines.tolist() == [line + len(titles) for line in read_readings(LOAD).series[0].lines]


def test_sheets_of_several_areas_are_all_read(book):
    header, *rows = rows_of(GENERATION)
    other = [[label, "BZN|YY", *rest] for label, _, *rest in rows]
    readings = read_readings(book(XX=[header, *rows], YY=[header, *other]))
    assert {one.area for one in readings.series} == {"XX", "YY"}
    assert readings.rows == 2 * len(rows)


@pytest.mark.parametrize(
    ("cell", "shown"), [("1,5", "1,5"), ("#N/A", "#N/A"), (True, "True"), (1e30, "1e+30"), ("n.e.", "n.e.")]
)
def test_a_bad_cell_of_a_workbook_is_named_by_its_row(book, refusal, cell, shown):
    header, *rows = rows_of(GENERATION)
    rows[4][3] = cell
    (finding,) = refusal(read_readings, book(A=[["title"], header, *rows]))
    assert (finding["line"], finding["column"], finding["value"]) == (7, "Generation (MW)", shown)


def test_a_label_that_became_a_date_is_refused(book, refusal):
    header, *rows = rows_of(GENERATION)
    rows[0][0] = datetime(2024, 3, 31)
    (finding,) = refusal(read_readings, book(A=[header, *rows]))
    assert (finding["line"], finding["column"]) == (2, "MTU (CET/CEST)")


@pytest.mark.parametrize("column", [0, 1, 3])
def test_a_workbook_without_a_column_that_tells_it_is_of_no_format(book, refusal, column):
    path = book(A=[row[:column] + row[column + 1 :] for row in rows_of(GENERATION)])
    (finding,) = refusal(read_readings, path)
    assert finding["code"] == "unknown_format"


def test_words_of_a_header_that_stand_apart_are_no_table(book, refusal):
    path = book(A=[["MTU (CET/CEST)"], ["Area"], ["Generation (MW)"], [1]])
    (finding,) = refusal(read_readings, path)
    assert "columns like MTU (CET/CEST), Area and Generation (MW)" in finding["message"]


def test_a_header_without_rows_is_refused(book, refusal):
    (finding,) = refusal(read_readings, book(A=[rows_of(GENERATION)[0]]))
    assert "has no sheet whose table has rows" in finding["message"]


def test_a_workbook_that_was_cut_off_is_refused(write, refusal):
    data = BOOK.read_bytes()
    (finding,) = refusal(read_readings, write(data[: len(data) // 2], "export.xlsx"))
    assert "damaged zip file" in finding["message"]


def test_without_openpyxl_the_extra_is_named(monkeypatch, refusal):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (finding,) = refusal(read_readings, BOOK)
    assert "pip install 'gcr_fast[xlsx]'" in finding["message"]


# --- refusals


def test_every_bad_cell_is_named(write, refusal):
    rows = written(day("2024-01-05"))
    rows[3], rows[7] = rows[3].replace("1.00", "1,00"), rows[7].replace("1.00", "1e30")
    found = refusal(read_readings, write("\n".join([HEADER, *rows])))
    assert [(item["line"], item["column"], item["value"]) for item in found] == [
        (5, "Generation (MW)", "1,00"),
        (9, "Generation (MW)", "1e30"),
    ]


@pytest.mark.parametrize(
    "label",
    [
        "12/31/2024 00:00:00 - 12/31/2024 01:00:00",
        "31.12.2024 00:00 - 31.12.2024 01:00",
        "31/12/2024 00:00:00",
        "",
        "x",
    ],
)
def test_a_label_of_another_form_is_refused(write, refusal, label):
    rows = written(day("2024-01-05"))
    (finding,) = refusal(read_readings, write("\n".join([HEADER, *rows, f'"{label}","BZN|XX","Solar","1"'])))
    assert (finding["code"], finding["line"]) == ("unreadable_value", 26)


def test_values_in_an_hour_that_does_not_exist_are_refused_and_a_blank_there_is_dropped(write, refusal):
    rows = written(day("2024-03-31"))
    ghost = '"31/03/2024 02:00:00 - 31/03/2024 03:00:00","BZN|XX","Solar","{}"'
    blank = rows[20].replace("1.00", " ")
    readings = read_readings(write("\n".join([HEADER, *rows[:20], blank, *rows[21:], ghost.format(" ")])))
    assert readings.series[0].null.sum() == 1
    assert readings.dropped == {"empty rows of the hour that does not exist in spring": 1}
    assert len(readings.series[0]) == 23
    (finding,) = refusal(read_readings, write("\n".join([HEADER, *rows, ghost.format("3.0")])))
    assert (finding["code"], finding["line"]) == ("nonexistent_time", 25)


def test_an_interval_longer_than_an_hour_is_refused(write, refusal):
    row = '"05/01/2024 00:00:00 - 06/01/2024 00:00:00","BZN|XX","Solar","1"'
    (finding,) = refusal(read_readings, write(f"{HEADER}\n{row}\n"))
    assert "60 minutes" in finding["message"]


def test_a_zone_that_is_not_known_is_refused(write, refusal):
    (finding,) = refusal(read_readings, write(GENERATION.read_text().replace("CET/CEST", "MSK")))
    assert (finding["code"], finding["column"]) == ("unknown_zone", "MTU (MSK)")


def test_a_file_that_was_cut_off_is_refused(write, refusal):
    text = GENERATION.read_text()
    (finding,) = refusal(read_readings, write(text[: text.rindex(",")]))
    assert (finding["code"], finding["line"]) == ("malformed_row", 38)


# --- real files


@pytest.mark.parametrize("part", ["head", "dst_spring", "dst_autumn"])
def test_real_lines_of_spain_are_read_as_by_hand(real_data, part):
    (path,) = (real_data / "samples" / "entsoe_new_gui").glob(f"*201912312300-*.{part}.csv")
    wanted = {kind: values for kind, values in plain(path).items() if any(v is not None for v in values.values())}
    readings = read_readings(path)
    assert {tuple(one.column.split(" ", 1)): oracle.values(one) for one in readings.series} == wanted
    assert {one.area for one in readings.series} == {"ES"}


def test_a_real_day_of_germany_has_96_quarters_of_every_type(real_data):
    (path,) = (real_data / "samples" / "entsoe_new_gui").glob("*DE-LU.csv")
    readings = read_readings(path)
    wanted = {kind: values for kind, values in plain(path).items() if any(v is not None for v in values.values())}
    assert {tuple(one.column.split(" ", 1)): oracle.values(one) for one in readings.series} == wanted
    assert {(one.interval_s, len(one)) for one in readings.series} == {(900, 96)}
    assert "not known" not in readings.left_out.values()


def test_a_real_day_of_german_load(real_data):
    (path,) = (real_data / "samples" / "entsoe_new_gui").glob("GUI_TOTAL_LOAD*.csv")
    (one,) = read_readings(path).series
    assert oracle.values(one) == plain(path, "Actual Total Load (MW)", "%d/%m/%Y %H:%M")["BZN|DE-LU", ""]
    assert len(one) == 96
