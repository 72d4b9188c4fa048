"""Whole processes, as a user starts them: time from start to end, and the most memory they held."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks import exact
from benchmarks.files import folder
from benchmarks.inputs import HOURS, Files, inputs
from benchmarks.machine import THREADS
from benchmarks.peers import duckdb_peer, polars_peer
from benchmarks.timing import Claim, Key, Results, Timing, process

DUCKDB_WAY = "float guess, HUGEINT remainder"
POLARS_WAY = "float guess, join"
MEMORY_MB = 700
Command = Callable[[Files, Path], list[str]]


def gcr(*arguments: object) -> list[str]:
    """Return the installed command with arguments."""
    return [str(Path(sys.executable).with_name("gcr")), *map(str, arguments)]


def _peer(module: str, way: str) -> Command:
    return lambda files, out: [sys.executable, "-m", module, way, str(files.annual), str(files.profiles), str(out)]


def _ours(files: Files, out: Path) -> list[str]:
    options = ("--profiles", files.profiles, "--out", out, "--threads", THREADS, "--quiet")
    return gcr("convert", files.annual, *options)


COMMANDS: dict[Key, Command] = {
    ("gcr_fast", "gcr convert"): _ours,
    (duckdb_peer.NAME, f"COPY, {DUCKDB_WAY}"): _peer("benchmarks.peers.duckdb_peer", DUCKDB_WAY),
    (polars_peer.NAME, f"sink_parquet, {POLARS_WAY}"): _peer("benchmarks.peers.polars_peer", POLARS_WAY),
}


def _work(device_years: int) -> str:
    return f"whole process, {device_years:,} device-years"


def bench(results: Results, sizes: tuple[int, ...], runs: int) -> None:
    """Take the times of whole conversions, small to large; every tool's file must hold the same hours."""
    with folder() as place:
        for size in sizes:
            _whole(results, size, runs, place)
    _claims(results, sizes)


def _whole(results: Results, size: int, runs: int, place: Path) -> None:
    given = inputs(size)
    files = given.save(place)
    prints, taken = {}, {key: [] for key in COMMANDS}
    outs = {key: place / f"{number}.parquet" for number, key in enumerate(COMMANDS)}
    for key, command in COMMANDS.items():  # unmeasured: warms caches, and its result is checked
        process(command(files, outs[key]), POLARS_MAX_THREADS=str(THREADS))
        prints[key] = exact.fingerprint(outs[key])
    assert len(set(prints.values())) == 1, f"the tools' hours differ: {prints}"
    if size <= 1000:
        exact.check("gcr convert", pq.read_table(outs["gcr_fast", "gcr convert"]), exact.expected(given), given)
    for _ in range(runs):
        for key, command in COMMANDS.items():
            outs[key].unlink()
            taken[key].append(process(command(files, outs[key]), POLARS_MAX_THREADS=str(THREADS)))
    rows = next(iter(prints.values()))[0]
    for key, pairs in taken.items():
        seconds, peaks = zip(*pairs, strict=True)
        bytes_ = float(outs[key].stat().st_size)
        more = {"bytes": bytes_, "bytes_per_certificate": bytes_ / rows, "peak_bytes": max(peaks)}
        results.add(Timing(_work(size), *key, seconds, float(size * HOURS), "hours", more))
    for out in outs.values():
        out.unlink()


def _claims(results: Results, sizes: tuple[int, ...]) -> None:
    small, middle, large = sizes
    work = _work(large)
    text = f"whole process from the command line, {large:,} device-years"
    ours = {size: results.best(_work(size), "gcr_fast") for size in sizes}
    growth = ours[large].median / ours[small].median
    late = ours[large].median / ours[middle].median
    results.claim(
        Claim("process_vs_duckdb", f"{text}: faster than DuckDB", results.ratio(work, "DuckDB"), 4),
        Claim("growth", f"{text}: time, in times of {small:,}", growth, large / small, at_least=False),
        Claim("late_growth", f"{text}: time, in times of {middle:,}", late, large / middle, at_least=False),
        Claim("peak_memory", f"{text}: peak memory", ours[large].more["peak_bytes"] / 1e6, MEMORY_MB, False, "MB"),
    )


def startup(results: Results, runs: int) -> None:
    """Take the times of one certificate in a fresh process, with and without kept machine code, and of the help."""
    limits = {"warm cache": 1.0, "cold cache": 4.0, "help": 0.2}
    with folder() as place:
        files = inputs(1).save(place)
        out = place / "hourly.parquet"
        warm = {"NUMBA_CACHE_DIR": str(place / "warm")}
        process(_ours(files, out), **warm)
        exact.check("gcr convert", pq.read_table(out), exact.expected(inputs(1)), inputs(1))
        process(gcr("--help"))
        taken: dict[str, list[float]] = {name: [] for name in limits}
        for turn in range(runs):
            cold = {"NUMBA_CACHE_DIR": str(place / f"cold-{turn}")}
            taken["warm cache"].append(process(_ours(files, out), **warm)[0])
            taken["cold cache"].append(process(_ours(files, out), **cold)[0])
            taken["help"].append(process(gcr("--help"))[0])
    for name, limit in limits.items():
        how = "gcr --help" if name == "help" else f"gcr convert, {name}"
        work = "help" if name == "help" else f"one certificate, {name}"
        results.add(Timing(work, "gcr_fast", how, tuple(taken[name]), 1.0, "processes"))
        median = results.best(work, "gcr_fast").median
        results.claim(Claim(f"startup_{name.replace(' ', '_')}", f"fresh process: {how}", median, limit, False, "s"))


def environment() -> None:
    """Give children the same number of threads wherever that is asked of the environment."""
    os.environ["POLARS_MAX_THREADS"] = str(THREADS)
