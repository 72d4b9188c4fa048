"""RTE's own files: text of tabs that is called .xls, 96 quarters on every day, a note on the last line."""

import csv
import io
import random
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from oracle import exports as oracle

from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
NATION, REGION = EXAMPLES / "eco2mix-site.xls", EXAMPLES / "eco2mix-site-region.xls"
PARIS = ZoneInfo("Europe/Paris")
GAPS = ("", "-", "ND", "DC")
SPRING = "rows of the hour that does not exist in spring"
COLUMNS = {
    "FR-load": "Consommation",
    "FR-nuclear": "Nucléaire",
    "FR-solar": "Solaire",
    "FR-fossil_coal": "Charbon",
    "FR-fossil_gas": "Gaz",
    "FR-fossil_oil": "Fioul",
    "FR-pumping": "Pompage",
    "FR-exchange": "Ech. physiques",
    "FR-wind": "Eolien",
    "FR-hydro_run_of_river": "Hydraulique - Fil de l?eau + éclusée",
    "FR-hydro_reservoir": "Hydraulique - Lacs",
    "FR-hydro_pumped_storage": "Hydraulique - STEP turbinage",
    "FR-biomass": "Bioénergies - Biomasse",
    "FR-biogas": "Bioénergies - Biogaz",
    "FR-waste": "Bioénergies - Déchets",
}
REGIONAL = {
    "load": "Consommation",
    "nuclear": "Nucléaire",
    "solar": "Solaire",
    "fossil": "Thermique",
    "pumping": "Pompage",
    "exchange": "Ech. physiques",
    "wind": "Eolien",
    "hydro_and_pumped_storage": "Hydraulique",
    "biomass": "Bioénergies",
}


def text_of(path):
    return path.read_bytes().decode("cp1252")


def rows_of(path):
    """The rows that have a date, by hand; what the reader is held against."""
    return [row for row in csv.DictReader(io.StringIO(text_of(path)), delimiter="\t") if row["Date"]]


def plain(path, column, layout="%Y-%m-%d %H:%M"):
    """Return {UTC start: W} of rows with any value, but of the hour that spring skips."""
    found, seen = {}, set()
    for row in rows_of(path):
        label = datetime.strptime(f"{row['Date']} {row['Heures']}", layout)
        start = label.replace(tzinfo=PARIS, fold=int(label in seen))
        back = datetime.fromtimestamp(start.timestamp(), UTC).astimezone(PARIS).replace(tzinfo=None)
        if row["Consommation"] and back == label:
            found[int(start.timestamp())] = oracle.number(row[column], 6, GAPS)
            seen.add(label)
    return found


def encoded(text):
    return text.encode("cp1252")


def test_the_example_is_as_the_site_writes_it():
    lines = text_of(NATION).splitlines()
    assert lines[0].startswith("Périmètre\tNature\tDate\tHeures\tConsommation\t")
    assert len(lines[1].split("\t")) == len(lines[0].split("\t")) + 1
    assert lines[-2].startswith("RTE ne pourra")
    assert lines[-1] == ""
    assert open_file(NATION).encoding == "cp1252"


def test_every_series_is_read_as_by_hand():
    readings = read_readings(NATION)
    found = oracle.named(readings)
    assert set(found) == set(COLUMNS)
    for name, column in COLUMNS.items():
        assert oracle.values(found[name]) == plain(NATION, column), name
        assert (found[name].interval_s, found[name].power) == (1800, True)
    assert (readings.format, readings.zone) == ("eco2mix", "Europe/Paris")
    assert "not known" not in readings.left_out.values()


def test_every_row_is_accounted_for():
    readings = read_readings(NATION)
    assert readings.rows == len(rows_of(NATION)) + 1
    assert readings.dropped == {
        "the publisher's note on the last line": 1,
        "rows that hold forecasts only": 15,
        f"empty {SPRING}": 2,
        f"{SPRING}, with values that are of no time": 2,
    }
    assert len(readings.series[0]) == readings.rows - sum(readings.dropped.values())


def test_roles_are_kept_apart_and_nothing_is_counted_twice():
    readings = read_readings(NATION)
    found = oracle.named(readings)
    assert {name: one.role for name, one in found.items() if one.role != "generation"} == {
        "FR-load": "load",
        "FR-pumping": "consumption",
        "FR-exchange": "trade",
        "FR-hydro_pumped_storage": "storage",
    }
    assert found["FR-pumping"].values.max() <= 0
    assert readings.left_out["fioul_tac"] == "part of fioul"
    assert readings.left_out["gaz_ccg"] == "part of gaz"
    assert readings.left_out["hydraulique"].startswith("the sum of ")
    assert readings.left_out["ech_comm_angleterre"] == "commercial exchange, not what flowed"
    parts = ("FR-hydro_run_of_river", "FR-hydro_reservoir", "FR-hydro_pumped_storage")
    assert sum(int(found[name].values.sum()) for name in parts) == sum(plain(NATION, "Hydraulique").values())


def test_of_autumns_hour_that_is_there_once_the_first_is_read():
    readings = read_readings(NATION)
    assert readings.notes["the hour that happens twice in autumn"] == "is there once, and taken for the first"
    starts = readings.series[0].starts.tolist()
    first = int(datetime(2020, 10, 25, 0, tzinfo=UTC).timestamp())
    assert {first, first + 1800} <= set(starts)
    assert not {first + 3600, first + 5400} & set(starts)
    assert first + 7200 in starts


def test_a_region_has_its_number_its_own_dates_and_both_hours_of_autumn():
    readings = read_readings(REGION)
    found = oracle.named(readings)
    assert set(found) == {f"FR-84-{kind}" for kind in REGIONAL}
    for kind, column in REGIONAL.items():
        assert oracle.values(found[f"FR-84-{kind}"]) == plain(REGION, column, "%d/%m/%Y %H:%M"), kind
    assert found["FR-84-nuclear"].null.sum() == 2
    assert found["FR-84-hydro_and_pumped_storage"].role == "storage"
    autumn = int(datetime(2023, 10, 29, 0, tzinfo=UTC).timestamp())
    assert {autumn + 1800 * half for half in range(4)} <= set(found["FR-84-load"].starts.tolist())


@pytest.mark.parametrize("path", [NATION, REGION])
@pytest.mark.parametrize("order", ["each row twice", "all rows again", "twice, newest first"])
def test_a_row_that_is_there_again_is_not_the_other_hour_of_autumn(write, path, order):
    header, *rows, note = text_of(path).rstrip().splitlines()
    twice = rows + rows if order == "all rows again" else [row for row in rows for _ in range(2)]
    ordered = twice[::-1] if order.endswith("first") else twice
    readings = read_readings(write(encoded("\n".join([header, *ordered, note]) + "\n")))
    wanted = read_readings(path)
    for one, other in zip(readings.series, wanted.series, strict=True):
        assert dict(zip(one.starts.tolist(), one.values.tolist(), strict=True)) == dict(
            zip(other.starts.tolist(), other.values.tolist(), strict=True)
        )


def test_where_both_hours_are_there_and_out_of_order_neither_is_read(write):
    header, *rows, note = text_of(REGION).rstrip().splitlines()
    mixed = random.Random(7).sample(rows, len(rows))
    readings = read_readings(write(encoded("\n".join([header, *mixed, note]) + "\n")))
    autumn = int(datetime(2023, 10, 29, 0, tzinfo=UTC).timestamp())
    for one, other in zip(readings.series, read_readings(REGION).series, strict=True):
        wanted = oracle.values(other)
        assert oracle.values(one) == {at: value for at, value in wanted.items() if not autumn <= at < autumn + 7200}
    assert readings.dropped["rows of an hour that happens twice: nothing tells which of the two is meant"] == 4
    assert "the hour that happens twice in autumn" not in readings.notes


def test_a_region_that_has_no_number_keeps_its_name(write):
    text = text_of(REGION).replace("Auvergne-Rhône-Alpes", "Grand Lyon")
    assert {one.area for one in read_readings(write(encoded(text))).series} == {"FR-Grand Lyon"}


def test_the_nature_of_a_row_is_its_flag():
    (flags,) = {one.flags.words for one in read_readings(NATION).series}
    assert flags == ("Données définitives",)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", ["\t", ";"])
@pytest.mark.parametrize("name", ["eCO2mix.xls", "eCO2mix.csv"])
def test_saved_again_it_reads_the_same(write, encoding, delimiter, name):
    text = text_of(NATION).replace("\t", delimiter)
    readings = read_readings(write(text.encode(encoding), name))
    wanted = read_readings(NATION)
    assert [one.name for one in readings.series] == [one.name for one in wanted.series]
    for one, other in zip(readings.series, wanted.series, strict=True):
        assert oracle.values(one) == oracle.values(other)


@pytest.mark.parametrize("ends", ["without a tab more", "a tab in the header too", "without a note"])
def test_other_ends_of_lines(write, ends):
    lines = text_of(NATION).splitlines()
    if ends == "without a tab more":
        lines = [line.removesuffix("\t") if at else line for at, line in enumerate(lines)]
    elif ends == "a tab in the header too":
        lines[0] += "\t"
    else:
        lines = lines[:-2]
    readings = read_readings(write(encoded("\n".join(lines) + "\n")))
    assert oracle.values(readings.series[0]) == plain(NATION, "Consommation")


def test_real_time_quarters_are_quarters(write):
    header, *rows = text_of(NATION).splitlines()[:7]
    filled = [
        row if row.split("\t")[4] else rows[0].replace("\t00:00\t", f"\t{row.split(chr(9))[3]}\t") for row in rows
    ]
    readings = read_readings(write(encoded("\n".join([header, *filled]) + "\n")))
    assert {(one.interval_s, len(one)) for one in readings.series} == {(900, 6)}


def test_a_year_is_whole_but_for_the_hour_that_autumn_has_once(write):
    header, row = text_of(NATION).splitlines()[:2]
    cells = row.split("\t")
    first = datetime(2021, 1, 1).toordinal()
    lines = [header]
    for day in range(365):
        cells[2] = datetime.fromordinal(first + day).strftime("%Y-%m-%d")
        for quarter in range(0, 96, 2):
            cells[3] = f"{quarter // 4:02}:{quarter % 4 * 15:02}"
            lines.append("\t".join(cells))
    readings = read_readings(write(encoded("\n".join(lines) + "\n")), How(year=2021))
    assert {len(one) for one in readings.series} == {8760 * 2 - 2}
    assert readings.dropped[f"{SPRING}, with values that are of no time"] == 2


# --- refusals


@pytest.mark.parametrize(
    ("old", "new", "code", "column", "value"),
    [
        ("2020-01-31\t00:30", "2020-02-30\t00:30", "unreadable_value", "date", "2020-02-30 00:30"),
        ("2020-01-31\t00:30", "31/01/2020\t00:30", "unreadable_value", "date", "31/01/2020 00:30"),
        ("2020-01-31\t00:30", "2020-01-31\t", "unreadable_value", "date", "2020-01-31 "),
        ("2020-01-31\t00:30", "2020-01-31", "malformed_row", None, None),
        ("2020-01-31\t00:30", "2020-01-31\t\t00:30", "malformed_row", None, None),
        ("\t2020-01-31\t00:30", "\t2020-01-31\t00:30\t", "malformed_row", None, None),
        (
            "France\tDonnées définitives\t2020-01-31\t00:30",
            "\tX\t2020-01-31\t00:30",
            "unreadable_value",
            "perimetre",
            None,
        ),
    ],
)
def test_bad_rows_are_named(write, refusal, old, new, code, column, value):
    (finding,) = refusal(read_readings, write(encoded(text_of(NATION).replace(old, new, 1))))
    assert (finding["code"], finding["line"], finding["column"], finding["value"]) == (code, 4, column, value)


def test_every_bad_cell_is_named(write, refusal):
    lines = text_of(NATION).splitlines()
    for at, cell in ((1, "4 500"), (3, "1,5")):
        cells = lines[at].split("\t")
        cells[10] = cell
        lines[at] = "\t".join(cells)
    found = refusal(read_readings, write(encoded("\n".join(lines) + "\n")))
    assert [(item["line"], item["column"], item["value"]) for item in found] == [
        (2, "nucleaire", "4 500"),
        (4, "nucleaire", "1,5"),
    ]


def test_a_file_that_was_cut_off_within_a_row_is_refused(write, refusal):
    data = NATION.read_bytes()
    (finding,) = refusal(read_readings, write(data[: len(data) // 2]))
    assert finding["code"] == "malformed_row"


def test_a_row_that_has_lost_a_cell_shifts_nothing(write, refusal):
    """With the tab at its end it has one for each name."""
    lines = text_of(NATION).splitlines()
    cells = lines[3].split("\t")
    lines[3] = "\t".join(cells[:8] + cells[9:])
    (finding,) = refusal(read_readings, write(encoded("\n".join(lines) + "\n")))
    assert (finding["code"], finding["line"]) == ("malformed_row", 4)


def test_a_name_that_the_header_has_lost_shifts_nothing(write, refusal):
    found = refusal(read_readings, write(encoded(text_of(NATION).replace("\tCharbon", "", 1))))
    assert {item["code"] for item in found} == {"malformed_row"}
    assert len(found) == len(rows_of(NATION))


def test_a_column_that_is_there_twice_is_refused(write, refusal):
    (finding,) = refusal(read_readings, write(encoded(text_of(NATION).replace("\tCharbon\t", "\tGaz\t", 1))))
    assert finding["code"] == "ambiguous_column"


@pytest.mark.parametrize("field", ["Périmètre", "Nature", "Date", "Heures", "Consommation"])
def test_a_file_without_what_tells_it_is_of_no_format(write, refusal, field):
    (finding,) = refusal(read_readings, write(encoded(text_of(NATION).replace(field, "Zzz", 1))))
    assert finding["code"] == "unknown_format"


def test_a_header_alone_is_refused(write, refusal):
    (finding,) = refusal(read_readings, write(encoded(text_of(NATION).splitlines()[0] + "\n")))
    assert finding["code"] == "empty_file"
