"""`gcr exchange`: bundles out and back, readings out, of files and of a registry."""

import csv
from pathlib import Path

import duckdb
import pytest
from oracle.opsd import opsd

pytestmark = pytest.mark.usefixtures("folder")

BUNDLES = ("exchange", "write", "hourly.parquet", "--as", "gc-registry", "--out", "bundles.csv")


def energies(path):
    """Wh by parent, as DuckDB reads them."""
    return dict(duckdb.sql(f"SELECT parent_certificate_id, sum(energy_wh)::BIGINT FROM '{path}' GROUP BY 1").fetchall())


@pytest.mark.usefixtures("hourly")
def test_bundles_there_and_back(gcr):
    shown = gcr(*BUNDLES, "--annual", "annual.csv", "--set", "issuing_body=E-Control").stdout
    assert "1,012.345678 MWh" in shown
    assert "wind_onshore becomes wind" in shown
    assert "issue_market_zone" in shown
    assert "issuing_body" not in shown
    assert max(len(line) for line in shown.splitlines()) <= 80
    gcr("exchange", "read", "bundles.csv", "--annual", "annual.csv", "--out", "again.parquet")
    assert energies("again.parquet") == energies("hourly.parquet")
    gcr("validate", "again.parquet", "--annual", "annual.csv", "--profiles", "shipped")


@pytest.mark.usefixtures("hourly")
def test_json_says_what_is_lost(gcr_json):
    said = gcr_json(*BUNDLES)
    assert (said["ok"], said["energy_wh"], said["form"]) == (True, 1_012_345_678, "gc-registry")
    assert set(said["not_carried"]) == {"source_type", "allocation_basis"}
    assert len(said["empty"]) == 4
    back = gcr_json("exchange", "read", "bundles.csv", "--out", "again.csv")
    assert (back["certificates"], back["energy_wh"]) == (said["rows"], said["energy_wh"])


@pytest.mark.usefixtures("hourly")
def test_reading_bundles_says_what_it_does_not_carry(gcr, gcr_json, folder):
    gcr(*BUNDLES, "--annual", "annual.csv", "--set", "issuing_body=E-Control", "--set", "issuance_purpose=disclosure")
    given = ("exchange", "read", "bundles.csv", "--out", "again.parquet")
    lost = gcr_json(*given)["not_carried"]
    assert set(lost) == {"issuing_body", "local_timezone", "expiry_datestamp", "issuance_purpose"}
    assert "--parents OUT keeps it" in lost["issuing_body"]
    shown = gcr(*given, "--parents", "parents.csv").stdout
    assert "disclosure (" in shown
    assert "issuing_body" not in shown
    assert max(len(line) for line in shown.splitlines()) <= 80
    rows = duckdb.sql("SELECT certificate_id, issuer, zone FROM 'parents.csv' ORDER BY 1").fetchall()
    assert rows == [("A-1", "E-Control", "Europe/Vienna"), ("A-2", "E-Control", "Europe/Vienna")]
    gcr("exchange", "read", "bundles.csv", "--out", "again.parquet", "--parents", "parents.txt", code=2)


@pytest.mark.usefixtures("hourly")
@pytest.mark.parametrize("form", ["gc-registry", "granular", "meter-readings"])
def test_hours_in_local_time_are_written_in_their_zone_both_autumn_hours_too(gcr, folder, form):
    """The refusal named `--zone`, and refused the same with it."""
    local = "strftime(timezone('Europe/Vienna', production_start), '%Y-%m-%d %H:%M')"
    duckdb.sql("SET TimeZone = 'UTC'")
    duckdb.sql(f"COPY (SELECT * REPLACE ({local} AS production_start) FROM 'hourly.parquet') TO 'local.csv' (HEADER)")
    write = ("exchange", "write", "local.csv", "--as", form, "--out")
    gcr(*write, "no.csv", code=1)
    gcr(*write, "local-out.csv", "--zone", "Europe/Vienna")
    gcr("exchange", "write", "hourly.parquet", "--as", form, "--out", "out.csv")
    assert (folder / "local-out.csv").read_bytes() == (folder / "out.csv").read_bytes()


@pytest.mark.usefixtures("registry")
def test_a_registry_is_written_as_it_is_now(gcr_json, folder):
    said = gcr_json("exchange", "write", "registry", "--as", "gc-registry", "--out", "bundles.csv")
    assert said["energy_wh"] == 1_012_345_678
    with (folder / "bundles.csv").open(newline="") as file:
        held = {}
        for row in csv.DictReader(file):
            key = row["account_id"], row["certificate_bundle_status"]
            held[key] = held.get(key, 0) + int(row["bundle_quantity"])
    assert held["Bob", "Active"] == 1_005_000_000
    assert held["Ada", "Cancelled"] == 7_345_678


@pytest.mark.usefixtures("hourly")
@pytest.mark.parametrize("form", ["granular", "meter-readings"])
def test_readings_of_hours_and_of_profiles(gcr_json, form):
    said = gcr_json("exchange", "write", "hourly.parquet", "--as", form, "--out", "r.csv")
    assert said["energy_wh"] == 1_012_345_678
    assert said["not_carried"]
    options = ("--zone", "UTC", "--unit", "MWh")
    said = gcr_json("exchange", "write", "generation.csv", "--as", form, *options, "--out", "p.csv")
    assert (said["rows"], said["energy_wh"]) == (24, sum(range(24)) * 1_000_000)


EXAMPLES = Path(__file__).parents[1] / "sources" / "examples"


def test_readings_of_a_public_file_say_what_they_leave_out(gcr, gcr_json, folder):
    """XML too is read as it comes; of a file of many series some may be chosen, and what is no reading is named."""
    (folder / "load.xml").write_bytes((EXAMPLES / "entsoe-api-load.xml").read_bytes())
    refused = gcr("exchange", "write", "load.xml", "--as", "granular", "--out", "r.csv", code=1).stderr
    assert "there is load alone, and only generation is written" in " ".join(refused.split())
    (folder / "20240310_ca.csv").write_bytes((EXAMPLES / "caiso-20240310_fuelsource.csv").read_bytes())
    given = ("exchange", "write", "20240310_ca.csv", "--as", "meter-readings", "--out", "r.csv")
    said = gcr_json(*given)
    assert said["left_out"]
    assert all(what.startswith(("storage, ", "trade, ")) for what in said["left_out"].values())
    shown = gcr(*given).stdout
    for name in said["left_out"]:
        assert f"{name} " in shown
    (folder / "opsd.csv").write_text(opsd("2024-01-01", {f"XX_{k}_generation_actual": ["1"] * 24 for k in KINDS}))
    chosen = ("exchange", "write", "opsd.csv", "--as", "granular", "--out", "r.csv", "--types", "wind")
    assert gcr_json(*chosen)["rows"] == 24
    gcr("exchange", "write", "annual.csv", "--as", "gc-registry", "--types", "wind", "--out", "b.csv", code=2)


KINDS = ("solar", "wind")
LIVED = """certificate_id,parent_certificate_id,production_start,interval_s,energy_wh,source_type,status,owner
P-1,P,2023-01-01T00:00Z,3600,100,solar,SPLIT,me
P-1/0-60,P,2023-01-01T00:00Z,3600,60,solar,RETIRED,me
P-1/60-100,P,2023-01-01T00:00Z,3600,40,solar,ACTIVE,you
P-2,P,2023-01-01T01:00Z,3600,70,solar,WITHDRAWN,me
P-3,P,2023-01-01T02:00Z,3600,30,solar,EXPIRED,me
"""
"""Hours that were split, retired, withdrawn and let expire."""


@pytest.mark.parametrize("form", ["granular", "meter-readings"])
def test_readings_have_each_wh_once_and_none_that_was_withdrawn(gcr, gcr_json, folder, form):
    (folder / "lived.csv").write_text(LIVED)
    given = ("exchange", "write", "lived.csv", "--as", form, "--out")
    said = gcr_json(*given, "r.csv")
    assert (said["rows"], said["energy_wh"]) == (2, 130)
    assert {state: said["left_out"][state].partition(":")[0] for state in said["left_out"]} == {
        "SPLIT": "1 certificate of 0.0001 MWh",
        "WITHDRAWN": "1 certificate of 0.00007 MWh",
    }
    with (folder / "r.csv").open(newline="") as file:
        energies = [row["quantity" if form == "granular" else "interval_usage"] for row in csv.DictReader(file)]
    assert energies == (["0.1", "0.03"] if form == "granular" else ["100", "30"])
    shown = gcr(*given, "s.csv").stdout
    assert "left out: 1 certificate of 0.00007 MWh" in shown


def test_states_that_the_other_registry_takes_for_active_are_told(gcr, gcr_json, folder):
    (folder / "lived.csv").write_text(LIVED)
    given = ("exchange", "write", "lived.csv", "--as", "gc-registry", "--out")
    lost = gcr_json(*given, "b.csv")["not_carried"]["status"]
    assert lost.startswith("1 Cancelled of 0.00006 MWh, 1 Withdrawn of 0.00007 MWh, 1 Expired of 0.00003 MWh: ")
    assert "takes every bundle as Active" in " ".join(gcr(*given, "c.csv").stdout.split())


@pytest.mark.usefixtures("hourly")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("exchange", "write", "hourly.parquet", "--as", "paper", "--out", "b.csv"), 2),
        (("exchange", "write", "hourly.parquet", "--as", "gc-registry", "--out", "b.parquet"), 2),
        (("exchange", "write", "hourly.parquet", "--as", "gc-registry", "--out", "hourly.parquet"), 2),
        ((*BUNDLES, "--set", "colour=red"), 2),
        ((*BUNDLES, "--set", "colour"), 2),
        (("exchange", "write", "annual.csv", "--as", "gc-registry", "--out", "b.csv"), 1),
        (("exchange", "write", "none.parquet", "--as", "gc-registry", "--out", "b.csv"), 1),
        (("exchange", "write", "none.parquet", "--as", "granular", "--out", "b.csv"), 1),
        (("exchange", "read", "annual.csv", "--out", "b.parquet"), 1),
        (("exchange", "read", "none.csv", "--out", "b.parquet"), 1),
        (("exchange", "read", "annual.csv", "--out", "annual.csv"), 2),
    ],
)
def test_refusals_and_misuse(gcr, folder, words, code):
    gcr(*words, code=code)
    assert not (folder / "b.csv").exists()
    assert not (folder / "bundles.csv").exists()


@pytest.mark.parametrize("form", ["gc-registry", "granular", "meter-readings"])
def test_a_registry_that_issued_nothing_has_nothing_to_write(gcr, folder, form):
    """It was a traceback: no table of annual certificates could be joined."""
    gcr("init", "registry", "--name", "Test")
    refused = gcr("exchange", "write", "registry", "--as", form, "--out", "b.csv", code=1)
    assert "nothing is issued in registry" in refused.stderr
    assert "gcr issue" in refused.stderr
    assert not (folder / "b.csv").exists()


def test_what_a_split_loses_is_shown(gcr, folder):
    head = "issuance_id,bundle_quantity,certificate_bundle_id_range_start,certificate_bundle_id_range_end,face_value"
    hour = "wind,2024-01-01T00:00Z,2024-01-01T01:00Z"
    lines = [
        f"{head},energy_source,production_starting_interval,production_ending_interval,certificate_bundle_status",
        f"I,100,0,99,1,{hour},Bundle Split",
        f"I,60,0,59,1,{hour},Active",
    ]
    (folder / "split.csv").write_text("\n".join(lines) + "\n")
    shown = " ".join(gcr("exchange", "read", "split.csv", "--out", "h.csv").stdout.split())
    assert "line 2 was split, and no bundle has its numbers 60 to 99: 0.00004 MWh are gone" in shown
    assert "but for 0.00004 MWh that no bundle of the file has" in shown
