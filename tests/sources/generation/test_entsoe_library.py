"""ENTSO-E's file library: one energy under several areas, several resolutions, several publications."""

import csv
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import exports as oracle

from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation.entsoe_areas import AREA_BY_EIC
from gcr_fast.sources.generation.entsoe_library import FORMAT
from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
GENERATION, UNITS = EXAMPLES / "entsoe-library.csv", EXAMPLES / "entsoe-library-units.csv"
OLD_LOAD = EXAMPLES / "entsoe-sftp-load.csv"
STEPS = {"PT15M": 900, "PT30M": 1800, "PT60M": 3600}
AT = ("10YAT-APG------L", "Austria (AT)", "BZN/CTA/CTY", "AT")
NL = ("10YNL----------L", "Netherlands (NL)", "BZN/CTA/CTY", "NL")
HEADER = GENERATION.read_text().splitlines()[0]
REPLACED = "values that a later publication replaces"
OTHER_RESOLUTION = "values of hours that are there in another resolution too"
OTHER_TYPE = "areas of another type, that repeat the energy of {}: --area names one"


def row(start, resolution, area, kind, made, used="", update="2024-10-05 10:48:37"):
    return "\t".join([f"{start:%Y-%m-%d %H:%M:%S}", resolution, *area, kind, made, used, update])


def second(start):
    return int((start - oracle.EPOCH).total_seconds())


def plain(path, area_type, value="ActualGenerationOutput[MW]"):
    """The twin: rows of one type of area; the last publication; of an hour the finest resolution that covers it best.

    Returns {(area's map code, type): {(UTC start, length): W}}.
    """
    with path.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if area_type in row["AreaTypeCode"].split("/")]
    last = {}
    for one in rows:
        start = second(datetime.fromisoformat(one["DateTime(UTC)"]))
        key = (one["AreaMapCode"], one["ProductionType"], start, STEPS[one["ResolutionCode"]])
        if key not in last or one["UpdateTime(UTC)"] >= last[key]["UpdateTime(UTC)"]:
            last[key] = one
    hours = defaultdict(lambda: defaultdict(int))
    for area, kind, start, step in last:
        hours[area, kind, start // 3600][step] += step
    found = defaultdict(dict)
    for (area, kind, start, step), one in last.items():
        covered = hours[area, kind, start // 3600]
        if step == max(covered, key=lambda step: (covered[step], -step)) and one[value]:
            found[area, kind][start, step] = oracle.number(one[value], 6)
    return found


def gathered(readings, role):
    """Return {(area, kind): {(UTC start, length): W}} of the readings of a role."""
    found = defaultdict(dict)
    for one in readings.series:
        if one.role in role:
            found[one.area, one.kind] |= {(start, one.interval_s): w for start, w in oracle.values(one).items()}
    return found


KINDS = {
    "biomass": "Biomass",
    "solar": "Solar",
    "wind_offshore": "Wind Offshore",
    "hydro_pumped_storage": "Hydro Pumped Storage",
}


def test_the_example_is_read_as_by_hand():
    readings = read_readings(GENERATION)
    wanted = plain(GENERATION, "CTY")
    found = gathered(readings, {"generation", "storage"})
    assert {(area, KINDS[kind]): values for (area, kind), values in found.items()} == wanted
    assert {area for area, _ in wanted} == {"AT", "DE", "NL", "CH"}
    assert (readings.format, readings.zone, readings.rows) == ("entsoe-library", "UTC", 25)


def test_one_type_of_area_is_read_and_the_rest_counted():
    readings = read_readings(GENERATION)
    assert readings.dropped == {OTHER_TYPE.format("CTY"): 6, REPLACED: 1, OTHER_RESOLUTION: 1}
    assert [one.area for one in readings.series if one.kind == "solar"] == ["DE"]


@pytest.mark.parametrize(
    ("area", "code"), [("DE-LU", "DE_LU"), ("DE-50HERTZ", "DE_50HzT"), ("DE-TENNET", "DE_TenneT_GER"), ("DE", "DE")]
)
def test_an_area_that_is_asked_for_is_read_whatever_its_type(area, code):
    readings = read_readings(GENERATION, How(areas=frozenset({area})))
    types = {"DE-LU": "BZN", "DE": "CTY"}
    (one,) = readings.series
    wanted = plain(GENERATION, types.get(area, "CTA"))[code, "Solar"]
    assert {(start, 3600): w for start, w in oracle.values(one).items()} == wanted
    assert (one.name, readings.dropped) == (f"{area}-solar", {"areas not asked for": 23})


def test_without_countries_bidding_zones_are_read(write):
    text = "\n".join(line for line in GENERATION.read_text().splitlines() if "CTY" not in line)
    readings = read_readings(write(text))
    assert [one.name for one in readings.series] == ["DE-LU-solar"]
    assert readings.dropped == {OTHER_TYPE.format("BZN"): 4}


FR, FR_ZONE = (("10YFR-RTE------C", "France", listed, "FR") for listed in ("CTY", "BZN"))
NL_ZONE, NL_CONTROL = ((*NL[:2], listed, "NL") for listed in ("BZN", "CTA"))
DE, LU = ("10Y1001A1001A83F", "Germany", "CTY", "DE"), ("10YLU-CEGEDEL-NQ", "Luxembourg", "CTY", "LU")
DE_LU = ("10Y1001A1001A82H", "DE-LU", "BZN", "DE_LU")
DK, DK1 = ("10Y1001A1001A65H", "Denmark", "CTY", "DK"), ("10YDK-1--------W", "DK1", "BZN", "DK1")
NO1, NO2 = ("10YNO-1--------2", "NO1", "BZN", "NO1"), ("10YNO-2--------T", "NO2", "BZN", "NO2")
LISTED = [
    ([FR, FR_ZONE, NL_ZONE, NL_CONTROL], {"FR": 0, "NL": 2}, {"CTY": 1, "BZN": 1}),
    ([NL_CONTROL, FR], {"NL": 0, "FR": 1}, {}),
    ([DE_LU, LU, DE], {"LU": 1, "DE": 2}, {"CTY": 1}),
    ([LU, DE_LU], {"DE-LU": 1}, {"BZN": 1}),  # the country would leave out the other one
    ([FR, ("10Y-NOT-KNOWN--X", "France", "CTA", "FR")], {"FR": 0}, {"CTY": 1}),
    ([DK1, DK, NO1, NO2], {"DK": 1, "NO1": 2, "NO2": 3}, {"CTY": 1}),
]


@pytest.mark.parametrize(("areas", "wanted", "dropped"), LISTED)
def test_the_type_of_area_is_chosen_for_each_country(write, areas, wanted, dropped):
    """An area that is no country in the file is not dropped because others are."""
    rows = [row(datetime(2024, 7, 1), "PT60M", area, "Solar", str(at)) for at, area in enumerate(areas)]
    readings = read_readings(write("\n".join([HEADER, *rows]) + "\n"))
    assert {one.area: one.values.tolist() for one in readings.series} == {k: [v * 10**6] for k, v in wanted.items()}
    assert readings.dropped == {OTHER_TYPE.format(name): count for name, count in dropped.items()}
    zones = {area for area in wanted if area in {"NL", "NO1", "NO2"}}
    assert {name for names in readings.notes for name in names.split(", ")} == zones


def test_what_was_published_last_counts_whatever_the_order():
    one = next(one for one in read_readings(GENERATION).series if one.kind == "hydro_pumped_storage")
    assert one.values.tolist() == [81_000_000, 12_000_000]


def test_every_value_knows_its_line():
    lines = GENERATION.read_text().splitlines()
    for one in read_readings(GENERATION).series:
        cells = [lines[line - 1].split("\t") for line in one.lines.tolist()]
        column = 8 if one.role == "consumption" else 7
        assert [oracle.number(cell[column], 6) for cell in cells] == one.values.tolist()


def test_consumption_is_kept_apart_and_its_rows_are_no_gaps_of_generation():
    found = {one.name: one for one in read_readings(GENERATION).series}
    pumping = found["CH-pumping"]
    assert (pumping.role, pumping.values.tolist()) == ("consumption", [413_500_000, 7_250_000])
    assert not found["CH-hydro_pumped_storage"].null.any()
    assert "AT-biomass_consumption" not in found  # zero in every row


@pytest.mark.parametrize("listed", [("CTY", "BZN", "CTA"), ("CTA", "BZN"), ("BZN/CTA/CTY",)])
def test_consumption_is_read_of_an_area_that_has_a_row_for_each_of_its_types(write, listed):
    code, name, _, map_code = AT
    lines = [
        row(datetime(2024, 10, 1, hour), "PT60M", (code, name, area_type, map_code), kind, "5.5", used)
        for hour, pumped in enumerate(("301.25", "0.00", "77.00"))
        for area_type in listed
        for kind, used in (("Hydro Pumped Storage", pumped), ("Solar", "0.00"))
    ]
    path = write("\n".join([HEADER, *lines, ""]))
    readings = FORMAT.read(open_file(path), How())
    found = {one.name: one.values.tolist() for one in readings.series}
    made = [5_500_000] * 3
    taken = [301_250_000, 0, 77_000_000]
    assert found == {"AT-hydro_pumped_storage": made, "AT-solar": made, "AT-pumping": taken}
    assert "AT Hydro Pumped Storage" not in readings.left_out
    assert readings.left_out["AT Solar"] == "consumes nothing in any row"


def test_hours_that_become_quarters_are_one_name_and_no_hour_counts_twice():
    wind = [one for one in read_readings(GENERATION).series if one.name == "NL-wind_offshore"]
    assert {one.interval_s: len(one) for one in wind} == {900: 8, 3600: 1}
    hours = [{start // 3600 for start in one.starts.tolist()} for one in wind]
    assert hours[0].isdisjoint(hours[1])
    quarters = [1280.5, 1293.5, 1306.5, 1319.5, 1400.1, 1407.1, 1414.1, 1421.1]
    assert sum(map(oracle.wh, wind)) == 1_200_000_000 + sum(int(mw * 10) for mw in quarters) * 25_000


RESOLUTIONS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(list(STEPS)), st.integers(0, 3), st.integers(0, 9), st.integers(1, 2)),
    min_size=1,
    max_size=16,
)


@given(rows=RESOLUTIONS)
def test_any_mix_of_resolutions_and_publications(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "mixed.csv"
    first, seen, lines = datetime(2024, 10, 1), set(), [HEADER]
    for hour, resolution, part, value, day in rows:
        start = first + timedelta(hours=hour, seconds=part * 900 // STEPS[resolution] * STEPS[resolution])
        if (start, resolution, day) not in seen:  # what one publication says twice differently is refused elsewhere
            seen.add((start, resolution, day))
            lines.append(row(start, resolution, NL, "Solar", f"{value}.5", update=f"2024-11-0{day} 00:00:00"))
    path.write_text("\n".join(lines))
    found = gathered(read_readings(path), {"generation"})
    assert found == {("NL", "solar"): plain(path, "CTY")["NL", "Solar"]}


def test_units_are_known_by_their_code(tmp_path):
    readings = read_readings(UNITS)
    found = oracle.named(readings)
    assert {name: (one.kind, one.role, one.area) for name, one in found.items()} == {
        "14W-EXAMPLE-1--A": ("hydro_run_of_river", "generation", "AT"),
        "14W-EXAMPLE-2--B": ("solar", "generation", "AT"),
        "14W-EXAMPLE-3--C": ("hydro_pumped_storage", "storage", "AT"),
        "14W-EXAMPLE-3--C-consumption": ("pumping", "consumption", "AT"),
    }
    with UNITS.open(encoding="utf-8") as file:
        rows = [one for one in csv.DictReader(file, delimiter="\t") if one["GenerationUnitName"] == "Öfen"]
    wanted = {
        second(datetime.fromisoformat(one["DateTime(UTC)"])): oracle.number(one["ActualGenerationOutput[MW]"], 6)
        for one in rows
    }
    assert oracle.values(found["14W-EXAMPLE-2--B"]) == wanted


def test_the_old_server_wrote_milliseconds_and_no_units():
    readings = read_readings(OLD_LOAD)
    (one,) = readings.series
    lines = [line.split("\t") for line in OLD_LOAD.read_text().splitlines()[1:]]
    wanted = {second(datetime.fromisoformat(line[0])): oracle.number(line[6], 6) for line in lines if line[3] == "CTY"}
    assert oracle.values(one) == wanted
    assert (one.name, one.role, one.interval_s) == ("HU-load", "load", 900)
    assert readings.dropped == {OTHER_TYPE.format("CTY"): 8}


def test_utf_16_of_the_old_server(write):
    found = read_readings(write(UNITS.read_text().encode("utf-16")))
    assert [oracle.values(one) for one in found.series] == [oracle.values(one) for one in read_readings(UNITS).series]


def test_newer_headers_have_blanks_and_round_brackets(write):
    text = GENERATION.read_text().replace("[MW]", " (MW)").replace("DateTime(UTC)", "DateTime (UTC)")
    assert len(read_readings(write(text)).series) == len(read_readings(GENERATION).series)


def test_a_gap_is_a_gap(write):
    lines = [
        HEADER,
        row(datetime(2024, 10, 1), "PT60M", AT, "Solar", "1.5"),
        row(datetime(2024, 10, 1, 1), "PT60M", AT, "Solar", ""),
    ]
    (one,) = read_readings(write("\n".join(lines))).series
    assert one.null.tolist() == [False, True]


def test_an_area_that_is_not_listed_has_its_map_code(write):
    other = ("10Y1001A1001A00Z", "Elsewhere", "CTY", "ZZ")
    false = ("10Y1001A1001A00Y", "Another", "CTY", "AT")  # a code that the list has for another area
    text = "\n".join(
        [HEADER, *(row(datetime(2024, 10, 1), "PT60M", area, "Solar", "1") for area in (other, false, AT))]
    )
    assert {one.area for one in read_readings(write(text)).series} == {"ZZ", "10Y1001A1001A00Y", "AT"}


def test_a_type_that_is_not_known_is_left_out_by_name(write):
    text = "\n".join(
        [
            HEADER,
            row(datetime(2024, 10, 1), "PT60M", AT, "Fusion", "1"),
            row(datetime(2024, 10, 1), "PT60M", AT, "B16", "1"),
        ]
    )
    readings = read_readings(write(text))
    assert [one.kind for one in readings.series] == ["solar"]
    assert readings.left_out["AT Fusion"] == "not known"


def test_every_code_of_an_area_has_its_check_character():
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
    for code in AREA_BY_EIC:
        total = sum(letters.index(letter) * (16 - at) for at, letter in enumerate(code[:15]))
        assert (len(code), code[15]) == (16, letters[36 - (total - 1) % 37]), code
    assert len(set(AREA_BY_EIC.values())) == len(AREA_BY_EIC)


# --- refusals


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [
        ("2024-10-01 01:00:00\tPT60M\t10YAT", "01.10.2024 01:00\tPT60M\t10YAT", "DateTime(UTC)"),
        ("2024-10-01 01:00:00\tPT60M\t10YAT", "2024-10-01 01:00:00\tP1D\t10YAT", "ResolutionCode"),
        ("\t0.000000\t2024-10-05 10:48:37", "\tzero\t2024-10-05 10:48:37", "ActualConsumption[MW]"),
        ("2024-10-01 01:00:00\tPT60M\t10YAT", "2024-10-01 01:00:00\t\t10YAT", "ResolutionCode"),
        ("2024-10-09 03:00:01", "yesterday", "UpdateTime(UTC)"),
    ],
)
def test_every_bad_cell_is_named(write, refusal, old, new, column):
    text = GENERATION.read_text()
    found = refusal(read_readings, write(text.replace(old, new)))
    lines = [at for at, line in enumerate(text.splitlines(), 1) if old in line]
    assert [(item["line"], item["column"], item["code"]) for item in found] == [
        (line, column, "unreadable_value") for line in lines
    ]


@pytest.mark.parametrize("lacking", ["AreaTypeCode", "UpdateTime(UTC)", "ResolutionCode"])
def test_a_missing_column_is_named(write, refusal, lacking):
    rows = [line.split("\t") for line in GENERATION.read_text().splitlines()]
    at = rows[0].index(lacking)
    text = "\n".join("\t".join(cells[:at] + cells[at + 1 :]) for cells in rows)
    (finding,) = refusal(FORMAT.read, open_file(write(text)), How())
    assert finding["code"] == "missing_column"
    assert lacking.removesuffix("(UTC)") in finding["message"]


def test_a_file_that_was_cut_off_is_refused(write, refusal):
    text = GENERATION.read_text()
    (finding,) = refusal(read_readings, write(text[: text.rindex("\t")]))
    assert (finding["code"], finding["line"]) == ("malformed_row", 26)


# --- real lines


def test_real_lines(real_data):
    folder = real_data / "samples" / "entsoe_file_library"
    found = {}
    for path in sorted(folder.glob("*.csv")):
        for one in read_readings(path).series:
            found[one.name] = (one.role, one.interval_s, list(oracle.values(one).values()))
    assert found == {
        "DE-load": ("load", 900, [41_454_890_000]),
        "14W-TZH-TU-----N": ("storage", 3600, [0, 0, 0]),
        "AT-biomass": ("generation", 900, [248_000_000]),
    }


def test_a_unit_is_read_under_whatever_area_it_is_listed(write):
    """A unit that is listed under a control area alone is not taken for one that a bidding zone repeats."""
    header = UNITS.read_text().splitlines()[0]
    places = {"U1": ["BZN/CTA"], "U2": ["CTA"], "U3": ["CTA", "BZN"]}
    rows = [
        f"2024-07-01 0{hour}:00:00\tPT60M\t{AT[0]}\t{AT[1]}\t{place}\tAT\t{unit}\tName\tSolar\t{hour + 1}\t"
        "\t2025-09-24 11:57:39"
        for hour in range(2)
        for unit, listed in places.items()
        for place in listed
    ]
    found = read_readings(write("\n".join([header, *rows]) + "\n"))
    assert {one.name: one.values.tolist() for one in found.series} == {unit: [1_000_000, 2_000_000] for unit in places}
    assert found.dropped == {"a unit under another area, once more": 2}


def test_an_area_that_the_file_lacks_is_refused_with_those_that_it_has(write, refusal):
    text = "\n".join([HEADER, *(row(datetime(2024, 7, 1), "PT60M", area, "Solar", "1") for area in (AT, NL))]) + "\n"
    (finding,) = refusal(read_readings, write(text), How(areas=frozenset({"FR"})))
    assert "it has AT, NL" in finding["message"]
