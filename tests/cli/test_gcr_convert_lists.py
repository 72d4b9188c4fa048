"""`gcr convert` over lists of other registries: what is left out is counted and named, what is ours stays ours."""

import json
from pathlib import Path

import duckdb

MAPPING = (Path(__file__).parents[1] / "sources" / "mappings" / "british-units.yaml").read_text()
OUTPUT = """ngc_bmu_id,year,output_MWh
W-1,2018,5.3100000000000005
W-1,2019,7.0
C-1,2018,99.5
X-1,2018,3.5
W-2,2018,0.0
"""
UNITS = "unit,fuel\nW-1,WIND\nW-2,WIND\nC-1,CCGT\n"
HOW = (
    "--mapping",
    "list.yaml",
    "--units",
    "units.csv",
    "--year",
    "2018",
    "--profile",
    "flat",
    "--out",
    "hours.parquet",
)


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
