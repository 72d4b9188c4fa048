"""Opening a registry in a fresh process, and what it takes on disk and in memory, beside DuckDB."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.registry_issuing import Issued
from benchmarks.timing import ROOT, Claim, Results, Timing

OBJECT_BYTES = 1754
"""A certificate in memory where each is an object, as in the older system."""


def child(what: str, path: Path) -> dict[str, Any]:
    """Return what a fresh process tells of opening a file."""
    command = [sys.executable, "-m", "benchmarks.reopening", what, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def sizes(results: Results, issued: Issued) -> None:
    """Note what a certificate takes on disk, and in the memory of a process that has read all."""
    database = issued.database("integer codes")
    stored = sum(path.stat().st_size for path in issued.registry.rglob("*") if path.is_file())
    ours, theirs = child("ours", issued.registry), child("duckdb", database)
    assert ours["certificates"] == theirs["certificates"] == issued.certificates
    count = issued.certificates
    results.notes.append(
        f"Registry, {count:,} certificates: {stored / count:.2f} bytes each on disk, and {_each(ours, count)} of "
        f"memory of its own once all were read (files are mapped, not loaded). DuckDB: "
        f"{database.stat().st_size / count:.2f} and {_each(theirs, count)}. With an object for each it is "
        f"{OBJECT_BYTES:,} in memory. A trade makes two columns of 5 bytes a certificate, where it touches them."
    )


def _each(told: dict[str, Any], count: int) -> str:
    return f"{told['anonymous_bytes'] / count:.3f}"


def reopened(results: Results, path: Path, runs: int, how: str, limit_s: float) -> None:
    """Take the times of fresh processes that open the registry and ask for the hours of one parent."""
    told = [child("ours", path) for _ in range(runs + 1)][1:]
    work = f"open a registry and answer, {how}"
    seconds = tuple(one["open_s"] + one["answer_s"] for one in told)
    more = {"whole_s": sorted(one["whole_s"] for one in told)[len(told) // 2]}
    results.add(Timing(work, "gcr_fast", "fresh process, imports apart", seconds, 1.0, "processes", more))
    median = results.best(work, "gcr_fast").median
    results.claim(
        Claim(f"reopen_{how.split(maxsplit=1)[0]}", f"{work}: after the imports", median, limit_s, False, "s")
    )
