"""`gcr convert`, `validate` and `issue` over lists of other registries and public profiles.

What is left out is counted and named, what is ours stays ours, and all three read the same.
"""

import csv
import json
from pathlib import Path

import duckdb
import pytest
from gcr_cli.main import main
from oracle.opsd import opsd

MAPPING = (Path(__file__).parents[1] / "sources" / "mappings" / "british-units.yaml").read_text()
EXAMPLES = Path(__file__).parents[1] / "sources" / "examples"
DAY = """certificate_id,energy_wh,production_start,production_end,status,purpose,profile
PV,31000000,2023-02-28T19:00Z,2023-03-01T19:00Z,CANCELED,conversion,US-solar
"""
"""Noon to noon in Denver, of which the example of PVWatts has every hour."""
TYPICAL_DAY = 3865 + 3733 + 3347 + 2733 + 1932 + 1000 + 985 + 1903 + 2692 + 3297 + 3677
"""Wh of that day, each hour rounded down."""
OUTPUT = """ngc_bmu_id,year,output_MWh
W-1,2018,5.3100000000000005
W-1,2019,7.0
C-1,2018,99.5
X-1,2018,3.5
W-2,2018,0.0
"""
UNITS = "unit,fuel\nW-1,WIND\nW-2,WIND\nC-1,CCGT\n"
LIST = ("--mapping", "list.yaml", "--units", "units.csv", "--year", "2018", "--profile", "flat")
HOW = (*LIST, "--out", "hours.parquet")


def written(folder):
    for name, text in (("output.csv", OUTPUT), ("list.yaml", MAPPING), ("units.csv", UNITS)):
        (folder / name).write_text(text)


def test_a_list_is_converted_by_one_command_that_names_what_it_leaves_out(gcr, folder):
    written(folder)
    shown = gcr("convert", "output.csv", *HOW, "--findings", "left.json").stdout
    for reason in ("fossil, which is left out", "not in the map of units to fuels", "holds no energy"):
        assert reason in shown
    found = json.loads((folder / "left.json").read_text())
    left = {row["certificate_id"]: row["line"] for row in found if row["code"] == "left_out"}
    assert left == {"C-1": 4, "X-1": 5, "W-2": 6}
    sums = duckdb.sql(f"SELECT parent_certificate_id::VARCHAR, sum(energy_wh) FROM '{folder}/hours.parquet' GROUP BY 1")
    assert [(name, int(wh)) for name, wh in sums.fetchall()] == [("W-1-2018", 5_310_000)]


def test_a_known_list_needs_no_mapping(gcr, folder):
    said = json.loads(gcr("convert", "regos.csv", "--profile", "flat", "--out", "hours.parquet", "--json").stdout)
    assert said["totals"]["energy_wh"] == 10**9
    (left,) = (row for row in said["findings"] if row["code"] == "left_out")
    assert (left["value"], left["count"]) == ("Issued", 1)


def test_a_year_is_chosen_from_lists_only(gcr, folder):
    error = gcr("convert", "annual.csv", "--year", "2020", "--profiles", "shipped", "--out", "h.parquet", code=2).stderr
    assert "no list that is known" in error
    assert not (folder / "h.parquet").exists()


def test_hours_of_a_typical_year_are_given_their_year(gcr, folder):
    (folder / "pv.csv").write_bytes((EXAMPLES / "pvwatts.csv").read_bytes())
    (folder / "day.csv").write_text(DAY)
    given = ("convert", "day.csv", "--profiles", "pv.csv", "--zone", "America/Denver", "--area", "US", "--out", "h.csv")
    assert "--year of `gcr convert`" in " ".join(gcr(*given, code=1).stderr.split())
    gcr(*given, "--year", "2023")
    (hours,) = duckdb.sql(f"SELECT sum(energy_wh)::BIGINT, max(energy_wh) FROM '{folder}/h.csv'").fetchall()
    assert hours == (31_000_000, 31_000_000 * 3865 // TYPICAL_DAY)


def test_the_year_of_a_list_is_not_that_of_profiles_that_have_their_own(gcr, folder):
    written(folder)
    text = opsd("2018-01-01", {"XX_wind_generation_actual": ["1"] * 8760 * 2})
    (folder / "two.csv").write_text(text)
    how = (*HOW[:6], "--profile", "XX-wind", "--profiles", "two.csv", "--out", "hours.parquet")
    said = json.loads(gcr("convert", "output.csv", *how, "--json").stdout)
    (outside,) = (row for row in said["findings"] if row["code"] == "outside_period")
    assert (said["totals"]["issued_wh"], outside["count"]) == (5_310_000, 8760)


def test_kinds_are_chosen_from_public_profiles(gcr, folder):
    text = opsd("2023-02-28", {f"US_{kind}_generation_actual": ["1"] * 48 for kind in ("solar", "wind")})
    (folder / "both.csv").write_text(text)
    (folder / "day.csv").write_text(DAY)
    given = ("convert", "day.csv", "--profiles", "both.csv", "--out", "h.csv")
    assert "US-solar" in gcr(*given, "--types", "wind", code=1).stderr
    gcr(*given, "--types", "solar")
    assert "sunshine" in gcr(*given, "--types", "sunshine", code=2).stderr


def test_a_kind_that_no_profile_file_has_is_told(gcr, gcr_json, folder):
    (folder / "both.csv").write_text(opsd("2023-02-28", {"US_solar_generation_actual": ["1"] * 48}))
    (folder / "day.csv").write_text(DAY)
    given = ("convert", "day.csv", "--profiles", "both.csv", "--types", "solar,nuclear", "--out", "h.csv")
    assert "both.csv has no nuclear; it has solar" in " ".join(gcr(*given).stdout.split())
    (told,) = (row for row in gcr_json(*given)["findings"] if row["code"] == "absent_kind")
    assert (told["severity"], told["value"]) == ("warning", "nuclear")


def test_a_mapping_describes_profile_files_and_not_the_certificates(gcr, folder):
    (folder / "odd.txt").write_text("when;made\n" + "".join(f"2023-02-28 {hour:02}:00;1,5\n" for hour in range(24)))
    (folder / "odd.yaml").write_text(
        "time: {column: when, layout: '%Y-%m-%d %H:%M', zone: UTC, marks: begin, minutes: 60}\n"
        "unit: MWh\ndecimal: ','\ndelimiter: ';'\narea: US\ncolumns: {made: solar}\n"
    )
    (folder / "day.csv").write_text(DAY.replace("T19:00Z", "T00:00Z"))
    given = ("convert", "day.csv", "--profile-mapping", "odd.yaml", "--out", "h.csv")
    gcr(*given, "--profiles", "odd.txt")
    hours = duckdb.sql(f"SELECT count(*), sum(energy_wh)::BIGINT FROM '{folder}/h.csv'").fetchall()
    assert hours == [(24, 31_000_000)]
    assert "there is none" in gcr(*given, "--profiles", "shipped", code=2).stderr


def test_choices_that_no_profile_file_knows_are_misuse(gcr, folder):
    for words in (("--area", "AT"), ("--types", "solar")):
        error = gcr("convert", "annual.csv", *words, "--profiles", "shipped", "--out", "h.parquet", code=2).stderr
        assert "no profile file is one" in " ".join(error.split())
    assert not (folder / "h.parquet").exists()


def test_an_input_is_not_overwritten(gcr, folder):
    written(folder)
    assert "is an input" in gcr("convert", "output.csv", *HOW, "--findings", "units.csv", code=2).stderr
    assert (folder / "units.csv").read_text() == UNITS


def test_what_is_wrong_in_list_and_map_is_refused_and_nothing_is_written(gcr, folder):
    written(folder)
    (folder / "units.csv").write_text(UNITS + "W-1,COAL\n")
    (folder / "output.csv").write_text(OUTPUT.replace("99.5", "much"))
    error = gcr("convert", "output.csv", *HOW, code=1).stderr
    assert "units.csv, line 5" in error
    assert not (folder / "hours.parquet").exists()


# --- the same files, checked and issued


def options_of(command):
    """The options of a command that say how files are read, with their help."""
    named = {"mapping", "units", "year", "decimal", "areas", "types", "profile_mapping", "zone", "unit", "label"}
    return {one.name: one.help for one in main.commands[command].params if one.name in {*named, "keep_intervals"}}


def test_what_converts_checks_and_issues_has_the_same_options():
    assert len(options_of("convert")) == 11
    assert options_of("convert") == options_of("validate") == options_of("issue")


def test_a_list_is_validated_by_the_options_that_converted_it(gcr, gcr_json, folder):
    written(folder)
    gcr("convert", "output.csv", *HOW)
    check = ("validate", "hours.parquet", "--annual", "output.csv", *LIST)
    said = gcr_json(*check, "--profiles", "shipped")
    assert said["ok"]
    assert {check["outcome"] for check in said["checks"] if "floor or ceiling" in check["name"]} == {"passed"}
    (folder / "output.csv").write_text(OUTPUT.replace("5.3100000000000005", "5.31"))
    gcr(*check)
    (folder / "output.csv").write_text(OUTPUT.replace("5.3100000000000005", "5.311"))
    assert "total_mismatch" in gcr(*check, code=1).stdout


def test_public_profiles_are_chosen_alike_in_a_validation(gcr, folder):
    text = opsd("2023-02-28", {f"{area}_solar_generation_actual": ["1"] * 48 for area in ("US", "XX")})
    (folder / "both.csv").write_text(text)
    (folder / "day.csv").write_text(DAY)
    how = ("--profiles", "both.csv", "--area", "US", "--types", "solar")
    gcr("convert", "day.csv", *how, "--out", "h.parquet")
    check = ("validate", "h.parquet", "--annual", "day.csv")
    gcr(*check, *how)
    assert "both.csv has no area ZZ" in gcr(*check, "--profiles", "both.csv", "--area", "ZZ", code=1).stderr


def test_a_list_is_issued_and_what_it_leaves_out_is_said(gcr, gcr_json, folder):
    written(folder)
    gcr("init", "registry")
    words = ("issue", "registry", "output.csv", *LIST, "--profiles", "shipped", "--create-parties")
    tried = gcr_json(*words, "--dry-run")
    assert (tried["energy_wh"], [row["code"] for row in tried["findings"]].count("left_out")) == (5_310_000, 3)
    shown = gcr(*words, "--findings", "left.json").stdout
    assert "5.31 MWh" in shown
    for reason in ("fossil, which is left out", "not in the map of units to fuels", "holds no energy"):
        assert reason in " ".join(shown.split())
    found = json.loads((folder / "left.json").read_text())
    left = {row["certificate_id"]: row["line"] for row in found if row["code"] == "left_out"}
    assert left == {"C-1": 4, "X-1": 5, "W-2": 6}
    assert gcr(*words, "--quiet").stdout == ""


def test_a_known_list_is_issued_over_public_profiles(gcr, gcr_json, folder):
    (folder / "both.csv").write_text(opsd("2020-01-01", {"XX_wind_generation_actual": ["1"] * 8784}))
    gcr("init", "registry")
    how = ("--profiles", "both.csv", "--types", "wind", "--profile", "XX-wind", "--create-parties")
    said = gcr_json("issue", "registry", "regos.csv", *how)
    assert (said["certificates"], said["energy_wh"]) == (31 * 24, 10**9)


@pytest.mark.parametrize("command", ["validate", "issue"])
def test_an_input_of_a_check_or_an_issue_is_not_overwritten(command, gcr, hourly, folder):
    written(folder)
    gcr("init", "registry")
    words = {"validate": (hourly, "--annual", "output.csv"), "issue": ("registry", "output.csv")}[command]
    for name in ("units.csv", "output.csv"):
        assert "is an input" in gcr(command, *words, *LIST, "--findings", name, code=2).stderr
    assert (folder / "units.csv").read_text() == UNITS


def test_what_was_filled_in_is_issued_and_valid_if_it_is_allowed(gcr, folder):
    (folder / "day.csv").write_text(DAY)
    (folder / "gap.csv").write_text(opsd("2023-02-28", {"US_solar_generation_actual": ["1"] * 30 + [""] + ["1"] * 17}))
    gcr("import", "generation", "gap.csv", "--fill", "zero", "--out", "filled.parquet", "--quiet")
    gcr("init", "registry")
    over = ("--profiles", "filled.parquet", "--profile", "US-solar")
    gcr("convert", "day.csv", *over, "--allow-estimated", "--out", "h.parquet")
    for words in (
        ("issue", "registry", "day.csv", "--create-parties"),
        ("validate", "h.parquet", "--annual", "day.csv"),
    ):
        assert "estimated_interval" in gcr(*words, *over, code=1).output
        gcr(*words, *over, "--allow-estimated")


# --- the decimal mark


@pytest.mark.parametrize(("mark", "energy_wh"), [(",", 1_250_000_000), (".", 1_250_000)])
def test_the_decimal_mark_of_a_list_may_be_told(gcr, gcr_json, folder, mark, energy_wh):
    written(folder)
    (folder / "output.csv").write_text("ngc_bmu_id;year;output_MWh\nW-1;2018;1.250\n")
    words = ("convert", "output.csv", *HOW)
    assert "--decimal" in gcr(*words, code=1).stderr
    assert gcr_json(*words, "--decimal", mark)["totals"]["energy_wh"] == energy_wh


def test_the_decimal_mark_is_that_of_a_list(gcr, folder):
    words = ("convert", "annual.csv", "--profiles", "shipped", "--decimal", ",", "--out", "h.parquet")
    assert "no list that is known" in " ".join(gcr(*words, code=2).stderr.split())
    assert not (folder / "h.parquet").exists()


@pytest.mark.parametrize("told", [("--decimal", ","), ("--year", "2020")])
def test_a_list_that_is_not_there_is_told_to_be_missing(gcr, told):
    refused = gcr("convert", "nope.csv", "--profile", "flat", *told, "--out", "h.parquet", code=1)
    assert "missing_file" in refused.stderr


def test_a_profile_that_lacks_only_its_area_is_told_how_to_get_it(gcr, folder):
    """SMARD's files do not say that they are German: "there is no profile DE-2025-solar; 10 profiles are loaded"."""
    text = (EXAMPLES / "smard-english.csv").read_text()
    (folder / "smard.csv").write_text(text)
    (folder / "de.csv").write_text(
        "certificate_id,energy_wh,year,zone,status,purpose,country,source_type\n"
        "S,24,2024,Europe/Berlin,CANCELED,conversion,DE,biomass\n"
        "W,24,2024,Europe/Berlin,CANCELED,conversion,DE,wind\n"
    )
    given = ("convert", "de.csv", "--profiles", "smard.csv", "--out", "h.csv")
    error = " ".join(gcr(*given, code=1).stderr.split())
    assert "there is biomass, whose file does not tell its area: --area DE makes it DE-biomass" in error
    assert "DE-2024-wind; did you mean wind_offshore?" in error
    assert "there is no profile DE-2024-biomass" not in gcr(*given, "--area", "DE", code=1).stderr


def test_a_purpose_that_the_list_contradicts_is_refused_where_it_is_converted(gcr, folder):
    """The claim of whoever redeemed them is spent: their hours were born ACTIVE."""
    said = ("convert", "regos.csv", "--profile", "flat", "--purpose", "conversion", "--out", "h.parquet")
    error = " ".join(gcr(*said, code=1).stderr.split())
    assert "'Example Supply' tells that it was cancelled for end use, not for conversion" in error
    assert "leave the purpose away" in error
    assert not (folder / "h.parquet").exists()


def test_the_purpose_of_a_list_may_be_said_where_it_is_converted(gcr, gcr_json, folder):
    """A REGO list without holders does not say what for: its hours were always born RETIRED."""
    unsaid = (folder / "regos.csv").read_text().replace("Redeemed", "Retired").replace("Example Supply", "")
    (folder / "regos.csv").write_text(unsaid)
    given = ("regos.csv", "--profile", "flat")
    gcr("convert", *given, "--out", "h.parquet")
    assert duckdb.sql(f"SELECT DISTINCT status FROM '{folder}/h.parquet'").fetchall() == [("RETIRED",)]
    said = ("--purpose", "conversion", "--basis", "flat")
    made = gcr_json("convert", *given, *said, "--out", "h.parquet")
    assert duckdb.sql(f"SELECT DISTINCT status FROM '{folder}/h.parquet'").fetchall() == [("ACTIVE",)]
    assert made["metadata"]["gcr_fast.allocation_basis"] == "flat"
    gcr("validate", "h.parquet", "--annual", "regos.csv", *said)
    gcr("validate", "h.parquet", "--annual", "regos.csv", code=1)
    gcr("init", "registry")
    issued = gcr_json("issue", "registry", *given, *said, "--create-parties")
    assert list(issued["left_out"].values()) == [1]
    assert gcr_json("query", "registry", "--status", "ACTIVE", "--limit", "1")


def test_a_list_in_a_workbook_is_converted(gcr, gcr_json, folder):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in csv.reader((folder / "regos.csv").read_text().splitlines()):
        book.active.append(row)
    book.save(folder / "regos.xlsx")
    for name in ("regos.csv", "regos.xlsx"):
        made = gcr_json("convert", name, "--profile", "flat", "--out", "h.csv")
        assert (made["totals"]["issued_wh"], made["hourly_certificates"]) == (10**9, 744)
    (folder / "broken.xlsx").write_bytes(b"PK\x03\x04 no archive")
    refused = gcr("convert", "broken.xlsx", "--profile", "flat", "--out", "b.csv", code=1)
    assert "damaged zip file (workbooks are such)" in refused.stderr


def test_a_basis_of_a_list_that_its_profile_contradicts_is_refused(gcr, folder):
    error = gcr(
        "convert", "regos.csv", "--profile", "daylight", "--basis", "facility_profile", "--out", "h.csv", code=1
    )
    assert "which no meter measured" in " ".join(error.stderr.split())
    assert not (folder / "h.csv").exists()


def test_what_a_list_has_not_cancelled_is_refused_if_it_is_kept(gcr):
    """A list that was read with all its rows was converted whole, those that are only issued, too."""
    error = gcr("convert", "regos.csv", "--keep-all", "--profile", "flat", "--out", "h.csv", code=1).stderr
    assert "refused: 1 error" in error
    assert "line 3, column status" in error
    assert "status ISSUED is not CANCELED" in " ".join(error.split())


@pytest.mark.parametrize("words", [("--purpose", "conversion"), ("--basis", "flat"), ("--keep-all",)])
def test_what_a_list_does_not_say_is_not_said_of_our_own_files(gcr, words):
    error = gcr("convert", "annual.csv", *words, "--profiles", "shipped", "--out", "h.csv", code=2).stderr
    assert f"{words[0]} says of another registry's list" in " ".join(error.split())


def test_json_counts_what_is_left_out(gcr_json, folder):
    """As the text does, by reason."""
    written(folder)
    left = gcr_json("convert", "output.csv", *HOW)["left_out"]
    assert sum(left.values()) == 3
    assert {reason.partition(",")[0]: count for reason, count in left.items()}["fossil"] == 1
