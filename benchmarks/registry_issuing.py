"""Issuing into a registry, durably; beside it, DuckDB loads the same hours, and the machine writes their bytes."""

from __future__ import annotations

import gc
import mmap
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

import gcr_fast
from benchmarks import machine
from benchmarks.inputs import SEED, Inputs, inputs
from benchmarks.machine import THREADS
from benchmarks.peers import duckdb_registry
from benchmarks.timing import SLOW_S, Claim, Key, Results, Timing
from gcr_fast.processor import Conversion
from gcr_fast.registry import Registry

OWNERS = 300
ISSUE = "issue into a registry, durable"


@dataclass(frozen=True)
class Issued:
    """Everyone's files with the same hours."""

    place: Path
    given: Inputs
    certificates: int
    energy_wh: int

    @property
    def registry(self) -> Path:
        """Our folder."""
        return self.place / "registry"

    def database(self, layout: str) -> Path:
        """DuckDB's file."""
        return self.place / f"{layout.replace(' ', '-')}.duckdb"


def registry_inputs(device_years: int) -> Inputs:
    """Return the input of the other stages, held by `OWNERS` owners."""
    given = inputs(device_years)
    held = np.random.default_rng([SEED, OWNERS]).integers(0, OWNERS, device_years)
    at = given.annual.column_names.index("owner")
    owners = pa.array([f"Owner {number:03d}" for number in held])
    return Inputs(given.annual.set_column(at, "owner", owners), given.profiles)


def timed(prepare: Callable[[], None], job: Callable[[], object], runs: int) -> tuple[float, ...]:
    """Run a job once unmeasured, then again and again, each time prepared anew; slow ones seldom."""
    taken: list[float] = []
    for turn in range(1 + runs):
        prepare()
        gc.collect()
        os.sync()  # what others left to be written is not this one's to wait for
        begin = time.perf_counter()
        job()
        seconds = time.perf_counter() - begin
        slow = seconds > SLOW_S
        if turn or slow:
            taken.append(seconds)
        if slow and turn:
            break
    return tuple(taken)


def bench(results: Results, given: Inputs, place: Path, runs: int) -> Issued:
    """Take the times of issuing; return what was issued."""
    conversion = gcr_fast.convert(given.annual, given.profiles, threads=THREADS)
    hours = conversion.to_table()
    energy = hours["energy_wh"].combine_chunks().cast(pa.int64()).to_numpy()
    issued = Issued(place, given, hours.num_rows, int(energy.sum()))
    taken: dict[Key, tuple[float, ...]] = {}
    taken["gcr_fast", "Registry.issue(), computing the hours"] = _ours(conversion, issued, runs)
    taken["machine", "writing and syncing the same bytes"] = _machine(issued, runs)
    for layout, form in duckdb_registry.LAYOUTS.items():
        tables = form.tables(hours, given)
        taken["DuckDB", f"from Arrow in memory, {layout}"] = _loaded(issued, layout, tables, runs)
    for key, seconds in taken.items():
        results.add(Timing(ISSUE, *key, seconds, float(issued.certificates), "certificates"))
    ours = results.best(ISSUE, "gcr_fast").median
    text = f"issue {given.device_years:,} device-years durably"
    results.claim(
        Claim("issue_vs_duckdb", f"{text}: faster than DuckDB loads them", results.ratio(ISSUE, "DuckDB"), 10),
        Claim(
            "issue_vs_machine", f"{text}: time, in times of writing and syncing the same bytes",
            ours / results.best(ISSUE, "machine").median, 2, at_least=False,
        ),
    )  # fmt: skip
    return issued


def _ours(conversion: Conversion, issued: Issued, runs: int) -> tuple[float, ...]:
    registry: list[Registry] = []

    def prepare() -> None:
        while registry:
            registry.pop().close()
        shutil.rmtree(issued.registry, ignore_errors=True)
        registry.append(Registry.create(issued.registry))

    taken = timed(prepare, lambda: registry[0].issue(conversion, create_parties=True), runs)
    found = registry[0].query()
    assert (found.count, found.energy_wh) == (issued.certificates, issued.energy_wh), "the registry has other hours"
    registry[0].close()
    return taken


def _machine(issued: Issued, runs: int) -> tuple[float, ...]:
    """Write the segments' bytes again, from memory."""
    place = issued.place / "machine"

    def prepare() -> None:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()

    contents = []
    for path in sorted((issued.registry / "segments").iterdir()):
        with path.open("rb") as file:
            held = mmap.mmap(-1, path.stat().st_size)
            file.readinto(held)
        contents.append(memoryview(held))
    taken = timed(prepare, lambda: machine.write_files(place, contents), runs)
    shutil.rmtree(place)
    return taken


def _loaded(issued: Issued, layout: str, tables: duckdb_registry.Tables, runs: int) -> tuple[float, ...]:
    path = issued.database(layout)

    def prepare() -> None:
        path.unlink(missing_ok=True)

    taken = timed(prepare, lambda: duckdb_registry.load(path, layout, tables), runs)
    database = duckdb_registry.Database(path, layout)
    assert database.count() == (issued.certificates, issued.energy_wh), f"DuckDB ({layout}) has other hours"
    database.close()
    return taken
