"""`gcr verify`, `prove`, `audit`, `export`: evidence that others can check, and damage that is named."""

import json
import shutil
import subprocess
import sys

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from oracle.damage import flip_middle

from gcr_fast.registry import proof as standalone

NOON = "HOURLY-A-1-2020060112"


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_verify_passes_and_writes_nothing(gcr, gcr_json, folder, registry):
    before = bytes_of(folder / registry)
    said = gcr_json("verify", registry)
    assert (said["ok"], said["position"], said["findings"]) == (True, 6, [])
    shown = gcr("verify", registry).stdout
    assert "10 the hash chain recomputes" in shown
    assert "verified; 6 entries" in shown
    after = bytes_of(folder / registry)
    assert {name: before[name] for name in before if not name.endswith(("-shm", "-wal"))} == {
        name: after[name] for name in after if not name.endswith(("-shm", "-wal"))
    }


@pytest.mark.parametrize("kind", ["segments", "snapshots"])
def test_a_damaged_file_is_named(gcr, gcr_json, folder, registry, kind):
    shutil.copytree(registry, "copy")
    damaged = max((folder / "copy" / kind).iterdir(), key=lambda path: path.stat().st_size)
    flip_middle(damaged)
    shown = gcr("verify", "copy", "--findings", "f.csv", code=1).stdout
    assert damaged.name in shown
    assert "not verified" in shown
    assert damaged.name in (folder / "f.csv").read_text()
    said = gcr_json("verify", "copy", code=1)
    assert not said["ok"]
    assert any(damaged.name in finding["message"] for finding in said["findings"])
    gcr("verify", registry)  # the copy alone is damaged


def test_a_missing_file_is_named(gcr, folder, registry):
    gone = max((folder / registry / "segments").iterdir(), key=lambda path: path.stat().st_size)
    gone.unlink()
    assert gone.name in gcr("verify", registry, code=1).stdout


def test_a_proof_is_checked_without_the_registry(gcr, gcr_json, folder, registry):
    shown = gcr("prove", registry, NOON, "--out", "proof.json").stdout
    assert "the proof holds" in shown
    command = [sys.executable, standalone.__file__, "proof.json"]
    assert b"PROVED" in subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout
    said = gcr_json("prove", registry, NOON)
    assert said == json.loads((folder / "proof.json").read_text())
    said["certificate"]["energy_wh"] += 1
    (folder / "proof.json").write_text(json.dumps(said))
    assert subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode != 0
    gcr("prove", registry, "HOURLY-A-1-1999010100", code=2)
    gcr("prove", registry, NOON, "--out", "nope/proof.json", code=1)


def test_signatures(gcr, gcr_json, folder, registry):
    pytest.importorskip("cryptography")
    assert gcr_json("audit", registry)["signatures"] == []
    signed = gcr_json("audit", registry, "--new-key", "key.pem")
    assert signed["entry"] == 6
    public = signed["public_key"]
    gcr("lock", registry, "--parent", "A-2", "--owner", "Bob", "--reason", "review")
    assert gcr_json("audit", registry, "--sign", "key.pem")["entry"] == 7
    assert [row["entry"] for row in gcr_json("audit", registry)["signatures"]] == [6, 7]
    assert "2 signatures" in gcr("audit", registry).stdout
    assert "verified" in gcr("audit", registry, "--verify-key", public).stdout
    gcr("verify", registry, "--public-key", public)
    gcr("audit", registry, "--verify-key", "0" * 63 + "1", code=1)
    assert "exists" in gcr("audit", registry, "--new-key", "key.pem", code=1).stderr
    gcr("audit", registry, "--sign", "nope.pem", code=2)
    gcr("audit", registry, "--sign", "key.pem", "--verify-key", public, code=2)
    assert (folder / "key.pem").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("what", "rows"), [("certificates", 13_609), ("parents", 2), ("trades", 1), ("journal", 6)])
def test_export(gcr, gcr_json, registry, what, rows):
    assert gcr_json("export", registry, what, "out.parquet")["rows"] == rows
    assert pq.read_table("out.parquet").num_rows == rows
    assert f"{rows:,}" in gcr("export", registry, what, "out.csv").stdout
    assert pyarrow.csv.read_csv("out.csv").num_rows == rows
    gcr("export", registry, what, "out.xlsx", code=2)
    gcr("export", registry, "weather", "out.csv", code=2)
