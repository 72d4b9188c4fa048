"""`gcr import certificates`: the report, refusals and their exit codes, and converting what was imported."""

import hashlib
import json

import duckdb
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.usefixtures("folder")

MAPPING = """
{"columns": {"id": "nr", "energy": "menge", "period": "monat", "technology": "art", "status": "zustand"},
 "status": {"entwertet": "cancelled"}, "constants": {"country": "AT"}}
"""
FOREIGN = "nr;menge;monat;art;zustand\nX-1;12,5;2020-01;Wind;entwertet\n"


def test_the_report_says_what_became_of_every_row(gcr):
    shown = gcr("import", "certificates", "regos.csv", "--out", "out.parquet").stdout
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert "regos.csv rego 2 1" in lines
    assert "Redeemed 1 1,000 kept: cancelled for end use" in lines
    assert "Issued 1 500 left out: not cancelled: still held by its owner" in lines
    assert "out.parquet: 1 annual certificate of 1,000 MWh" in lines
    assert "not carried over: Scheme" in shown


def test_json_is_one_document(gcr_json):
    said = gcr_json("import", "certificates", "regos.csv", "--out", "out.csv")
    assert (said["ok"], said["certificates"], said["energy_wh"]) == (True, 1, 10**9)
    assert said["files"][0]["format"] == "rego"
    assert [one["left_out"] for one in said["statuses"]] == ["", "not cancelled: still held by its owner"]
    assert json.dumps(said)


def test_without_out_nothing_is_written(gcr, folder):
    before = sorted(folder.iterdir())
    gcr("import", "certificates", "regos.csv")
    assert gcr("import", "certificates", "regos.csv", "--quiet").stdout == ""
    assert sorted(folder.iterdir()) == before


def test_the_written_file_is_converted(gcr):
    gcr("import", "certificates", "regos.csv", "--out", "annual.parquet", "--quiet")
    gcr("convert", "annual.parquet", "--profile-from-total", "flat", "--out", "hours.parquet", "--quiet")
    (found,) = duckdb.sql(
        "SELECT sum(energy_wh)::BIGINT, count(*), min(status::VARCHAR), max(status::VARCHAR) FROM 'hours.parquet'"
    ).fetchall()
    assert found == (10**9, 744, "RETIRED", "RETIRED")


def test_keep_all_purpose_and_basis(gcr_json, folder):
    unsaid = (folder / "regos.csv").read_text().replace("Redeemed", "Retired").replace("Example Supply", "")
    (folder / "regos.csv").write_text(unsaid)
    options = ("--keep-all", "--purpose", "conversion", "--basis", "flat")
    said = gcr_json("import", "certificates", "regos.csv", "--out", "out.csv", *options)
    assert said["certificates"] == 2
    rows = duckdb.sql("SELECT status, purpose, allocation_basis FROM read_csv('out.csv') ORDER BY 1").fetchall()
    assert rows == [("CANCELED", "conversion", "flat"), ("ISSUED", None, "flat")]


def test_a_mapping(gcr, folder):
    (folder / "map.json").write_text(MAPPING)
    (folder / "foreign.csv").write_text(FOREIGN)
    shown = gcr("import", "certificates", "foreign.csv", "--mapping", "map.json", "--out", "out.csv").stdout
    assert "12.5 MWh" in shown
    assert "Europe/Vienna" in (folder / "out.csv").read_text()


def test_a_refusal_names_both_rows_and_leaves_nothing(gcr, folder):
    (folder / "again.csv").write_text((folder / "regos.csv").read_text() + "\n")
    done = gcr("import", "certificates", "regos.csv", "again.csv", "--out", "out.parquet", code=1)
    assert "again.csv, line 2" in done.stderr
    assert "in regos.csv, line 2" in done.stderr
    assert not (folder / "out.parquet").exists()


def test_a_refusal_as_json_and_as_a_file(gcr_json, folder):
    (folder / "bad.csv").write_text("a,b\n1,2\n")
    said = gcr_json("import", "certificates", "bad.csv", "--findings", "why.csv", code=1)
    assert [item["code"] for item in said["findings"]] == ["unknown_format"]
    assert "unknown_format" in (folder / "why.csv").read_text()


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("regos.csv", "--format", "nonsense"),
        ("regos.csv", "--zone", "Mars/Olympus"),
        ("regos.csv", "--out", "regos.csv"),
        ("regos.csv", "--out", "out.txt"),
        ("regos.csv", "--format", "mapped"),
        ("regos.csv", "--findings", "x.txt"),
    ],
)
def test_misuse(gcr, words):
    gcr("import", "certificates", *words, code=2)


def test_it_fits_80_columns(gcr):
    assert max(len(line) for line in gcr("import", "certificates", "regos.csv").stdout.splitlines()) <= 80


def test_a_list_that_may_have_been_cut_off_is_said_to_be(gcr, folder):
    whole = (folder / "regos.csv").read_text()
    said = "last line has no line end"
    assert said not in gcr("import", "certificates", "regos.csv").stdout
    (folder / "cut.csv").write_text(whole.rstrip("\n"))
    assert said in gcr("import", "certificates", "cut.csv").stdout


def test_the_decimal_mark_is_told(gcr, gcr_json, folder):
    (folder / "map.json").write_text(MAPPING)
    (folder / "foreign.csv").write_text(FOREIGN.replace("12,5", "1.250"))
    words = ("import", "certificates", "foreign.csv", "--mapping", "map.json")
    assert "--decimal" in gcr(*words, code=1).stderr
    assert gcr_json(*words, "--decimal", ",")["energy_wh"] == 1_250_000_000
    assert gcr_json(*words, "--decimal", ".")["energy_wh"] == 1_250_000


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_a_file_of_certificates_names_the_lists_and_their_hashes(gcr, folder, suffix):
    place = f"annual.{suffix}"
    gcr("import", "certificates", "regos.csv", "--out", place, "--quiet")
    schema = pq.read_schema(place) if suffix == "parquet" else pa.ipc.open_file(place).schema
    told = json.loads(schema.metadata[b"gcr_fast.sources"])
    assert told == {"regos.csv": hashlib.sha256((folder / "regos.csv").read_bytes()).hexdigest()}
