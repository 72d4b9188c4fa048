"""Files in, files out, in a process that is already warm."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

import gcr_fast
from benchmarks import exact, machine
from benchmarks.inputs import Files, inputs
from benchmarks.machine import THREADS
from benchmarks.peers import duckdb_peer, pandas_peer, polars_peer, pyarrow_peer
from benchmarks.timing import Claim, Key, Results, Timing, measure, timings

WORK = "Parquet in, Parquet out"
REQUIRED = {"DuckDB": 5, "Polars": 5}
Converter = Callable[[Path, Path, Path], None]
"""Two files in, one out."""
Writer = Callable[[Path], object]
"""Hours in memory in, one file out."""


@contextmanager
def folder() -> Iterator[Path]:
    """Give a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        yield Path(name)


def _ours(annual: Path, profiles: Path, out: Path) -> None:
    gcr_fast.convert(annual, profiles, threads=THREADS).write(out)


def writers() -> dict[Key, Converter]:
    """Return everyone's ways from two files to one."""
    found: dict[Key, Converter] = {("gcr_fast", "convert().write(), synced to disk"): _ours}
    for how in duckdb_peer.VARIANTS:
        found[duckdb_peer.NAME, f"COPY, {how}"] = lambda *paths, how=how: duckdb_peer.write(how, *paths)
    for means, write in polars_peer.WRITERS.items():
        for how in polars_peer.VARIANTS:
            found[polars_peer.NAME, f"{means}, {how}"] = lambda *paths, how=how, write=write: write(how, *paths)
    found[pandas_peer.NAME, "merge, to_parquet"] = pandas_peer.write
    found[pyarrow_peer.NAME, "our batches, same encodings"] = pyarrow_peer.write
    return found


def bench(results: Results, device_years: int, runs: int) -> None:
    """Take the times of this stage."""
    given = inputs(device_years)
    with folder() as place:
        files = given.save(place)
        right = exact.expected(given)
        outs = {key: place / f"{number}.parquet" for number, key in enumerate(writers())}
        for key, write in writers().items():
            write(files.annual, files.profiles, outs[key])
            exact.check(" ".join(key), pq.read_table(outs[key]), right, given)
        del right
        _measure(results, files, outs, runs, given.hours, place)
    for who, required in REQUIRED.items():
        text = f"Parquet in, hourly Parquet (zstd) out, {device_years:,} device-years, warm process: faster than {who}"
        results.claim(Claim(f"files_vs_{who.lower()}", text, results.ratio(WORK, who), required))
    smallest = min(t.more["bytes"] for t in results.timings if t.work == WORK and t.who in REQUIRED)
    share = results.best(WORK, "gcr_fast").more["bytes"] / smallest
    text = f"the same: our file beside the smallest of {' and '.join(REQUIRED)}"
    results.claim(Claim("file_size", text, share, 1.0, at_least=False))


def _measure(results: Results, files: Files, outs: dict[Key, Path], runs: int, hours: int, place: Path) -> None:
    jobs = {
        key: lambda write=write, out=outs[key]: write(files.annual, files.profiles, out)
        for key, write in writers().items()
    }
    sizes = {key: float(out.stat().st_size) for key, out in outs.items()}
    ours = int(next(size for key, size in sizes.items() if key[0] == "gcr_fast"))
    limit = ("machine", "writing as many bytes as ours, synced")
    jobs[limit] = lambda: machine.write_bytes(place / "bytes", ours)
    sizes[limit] = float(ours)
    rows = pq.read_metadata(next(iter(outs.values()))).num_rows
    for key, seconds in measure(jobs, runs).items():
        more = {"bytes": sizes[key], "bytes_per_certificate": sizes[key] / rows}
        results.add(Timing(WORK, *key, seconds, float(hours), "hours", more))


def formats(results: Results, device_years: int, runs: int) -> None:
    """Take the times of the other formats, from certificates in memory."""
    given = inputs(device_years)
    made = gcr_fast.convert(given.annual, given.profiles, threads=THREADS)
    table = made.to_table()
    frame = polars_peer.frame(table)
    right = exact.expected(given)
    with folder() as place:
        for suffix, who, peers in (
            ("csv", "CSV out", _csv_peers(table, frame)),
            ("arrow", "Arrow IPC out", _ipc_peers(table, frame)),
        ):
            jobs: dict[Key, Writer] = {("gcr_fast", "from certificates, synced to disk"): made.write, **peers}
            outs = {key: place / f"{number}.{suffix}" for number, key in enumerate(jobs)}
            for key, write in jobs.items():
                write(outs[key])
                exact.check(f"{who}, {key[0]}", _read(outs[key]), right, given)
            taken = measure({key: lambda write=write, out=outs[key]: write(out) for key, write in jobs.items()}, runs)
            for key, seconds in taken.items():
                size = float(outs[key].stat().st_size)
                more = {"bytes": size, "bytes_per_certificate": size / table.num_rows}
                results.add(Timing(who, *key, seconds, float(table.num_rows), "certificates", more))


def _csv_peers(table: pa.Table, frame: pl.DataFrame) -> dict[Key, Writer]:
    return {
        (duckdb_peer.NAME, "the finished hours, COPY"): lambda out: duckdb_peer.copy(table, out, "csv"),
        (polars_peer.NAME, "the finished hours, write_csv"): frame.write_csv,
        ("pyarrow", "the finished hours, write_csv"): lambda out: csv.write_csv(table, out),
    }


def _ipc_peers(table: pa.Table, frame: pl.DataFrame) -> dict[Key, Writer]:
    return {
        (polars_peer.NAME, "the finished hours, write_ipc"): frame.write_ipc,
        ("pyarrow", "the finished hours, new_file"): lambda out: pyarrow_peer.write_ipc(table, out),
    }


def _read(path: Path) -> pa.Table:
    """Read back with pyarrow alone."""
    return csv.read_csv(path) if path.suffix == ".csv" else pa.ipc.open_file(path).read_all()


def reading(results: Results, device_years: int, runs: int) -> None:
    """Take the times of reading and checking the input."""
    given = inputs(device_years)
    with folder() as place:
        files = given.save(place)
        text = place / "annual.csv"
        csv.write_csv(given.annual, text)
        for name, path in (("Parquet", files.annual), ("CSV", text)):
            read = pq.read_table if name == "Parquet" else csv.read_csv
            jobs: dict[Key, Callable[[], object]] = {
                ("gcr_fast", "read_annual, checked"): lambda path=path: gcr_fast.read_annual(path),
                ("pyarrow", "the bare table"): lambda path=path, read=read: read(path),
            }
            assert gcr_fast.read_annual(path).table["energy_wh"].equals(given.annual["energy_wh"])
            work = f"annual {name} in"
            results.add(*timings(work, jobs, runs, float(device_years), "certificates"))
        _read_profiles(results, files.profiles, runs)


def _read_profiles(results: Results, path: Path, runs: int) -> None:
    profiles = gcr_fast.read_profiles(path)
    flat = np.concatenate([profiles[name].values for name in sorted(profiles)])
    assert np.array_equal(flat, pq.read_table(path)["energy_wh"].to_numpy()), "profiles are not read as written"
    jobs: dict[Key, Callable[[], object]] = {
        ("gcr_fast", "read_profiles, checked"): lambda: gcr_fast.read_profiles(path),
        ("pyarrow", "the bare table"): lambda: pq.read_table(path),
    }
    results.add(*timings("profile Parquet in", jobs, runs, float(len(flat)), "hours"))
