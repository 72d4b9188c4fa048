"""Large public files: from the bytes of a wide CSV to one long table of series, UTC starts and whole Wh."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from benchmarks.files import folder
from benchmarks.peers import duckdb_imports, pandas_imports, polars_imports, pyarrow_imports
from benchmarks.public_files import PublicFile, check, check_whole, local_quoted, utc_wide
from benchmarks.timing import Claim, Key, Results, Timing, measure, process
from gcr_fast.imports import import_generation

WIDE, LOCAL = "wide CSV in, hours in UTC", "wide CSV in, local time and quotes"
OURS: Key = ("gcr_fast", "import_generation().to_table()")
COUNTED: Key = ("gcr_fast", "the same, and .series and .findings")
PANDAS_WHOLE: Key = (pandas_imports.NAME, "read_csv, engine c; all columns, and the file's hash")
TIMES_PANDAS = 5
TIMES_FILE = 3
Job = Callable[[], object]

FEW_BYTES = 20_000
IMPORTING = (
    "import sys; from gcr_fast.imports import import_generation; import_generation([sys.argv[1]]).write(sys.argv[2])"
)
BARE = "from gcr_fast import accelerate; from gcr_fast.sources import bulk; "
BARE += "accelerate.PLAIN_ENTRIES = bulk.SMALLEST_BYTES = 0; " + IMPORTING
"""The same by compiled kernels whatever the size, so that a few hours load all that a large file does."""


@dataclass(frozen=True)
class Way:
    """One tool's way from a file to the long table."""

    read: Callable[[Path], object]
    arrow: Callable[[object], pa.Table]
    """The result as Arrow, untimed."""


def _ours(path: Path) -> pa.Table:
    return import_generation([path]).to_table()


def _counted(path: Path) -> pa.Table:
    """Account for every series' years, gaps and clock changes as well."""
    imported = import_generation([path])
    table = imported.to_table()
    _ = imported.series, imported.findings
    return table


def _ways(work: str, truth: PublicFile) -> dict[Key, Way]:
    ways = {OURS: Way(_ours, lambda found: found), COUNTED: Way(_counted, lambda found: found)}
    for engine in pandas_imports.ENGINES:
        read = pandas_imports.utc_wide if work == WIDE else pandas_imports.local_quoted
        key = (pandas_imports.NAME, f"read_csv, engine {engine}; melt")
        ways[key] = Way(lambda path, read=read, engine=engine: read(engine, path), pandas_imports.to_arrow)
    read = polars_imports.utc_wide if work == WIDE else polars_imports.local_quoted
    whole = pandas_imports.utc_whole if work == WIDE else pandas_imports.local_whole
    ways[PANDAS_WHOLE] = Way(lambda path: whole(truth), pandas_imports.to_arrow)
    ways[polars_imports.NAME, "read_csv, unpivot"] = Way(read, lambda found: found.to_arrow())
    read = pyarrow_imports.utc_wide if work == WIDE else pyarrow_imports.local_quoted
    ways[pyarrow_imports.NAME, "read_csv, column by column"] = Way(read, lambda found: found)
    if work == WIDE:
        way = Way(duckdb_imports.utc_wide, lambda found: duckdb_imports.by_series(found, truth.columns))
        ways[duckdb_imports.NAME, "read_csv, UNPIVOT, hour by hour"] = way
    return ways


def bench(results: Results, size: int, runs: int) -> None:
    """Take the times of files of about `size` bytes, and the memory that ours needs."""
    with folder() as place:
        for work, make in ((WIDE, utc_wide), (LOCAL, local_quoted)):
            truth = make(place / f"{make.__name__}.csv", size)
            _times(results, work, truth, runs)
            few = make(place / f"few_{make.__name__}.csv", FEW_BYTES)
            _memory(results, work, truth, few)
    results.notes.append(
        f"Reading a wide CSV: files of {size / 1e6:.0f} MB with made-up numbers. The required figure"
        " compares with pandas' default engine where it makes the same result: all twelve columns, and the file's hash."
        " The other rows of peers make three columns (series, start, Wh) and no hash. Our second row accounts for each"
        " series' years, gaps and clock changes as well, as nobody else does. pandas' other engine is pyarrow's reader."
    )


def _times(results: Results, work: str, truth: PublicFile, runs: int) -> None:
    ways = _ways(work, truth)
    found = {key: way.arrow(way.read(truth.path)) for key, way in ways.items()}
    for key, table in found.items():
        check(" ".join(key), table, truth)
    check_whole(" ".join(PANDAS_WHOLE), found[PANDAS_WHOLE], next(iter(found.values())), truth)
    found.clear()
    jobs: dict[Key, Job] = {key: lambda way=way: way.read(truth.path) for key, way in ways.items()}
    jobs["pyarrow", "parsing alone"] = lambda: pyarrow_imports.parse(truth.path)
    jobs["machine", "reading the same bytes"] = truth.path.read_bytes
    for key, seconds in measure(jobs, runs).items():
        results.add(Timing(work, *key, seconds, float(truth.cells), "hours", {"bytes": truth.path.stat().st_size}))
    ours, theirs = (
        next(t for t in results.timings if (t.work, t.who, t.how) == (work, *key)) for key in (OURS, PANDAS_WHOLE)
    )
    text = f"{work}, the same long table out, {truth.path.stat().st_size / 1e6:.0f} MB: faster than pandas.read_csv"
    results.claim(Claim(f"imports_{_short(work)}_vs_pandas", text, theirs.median / ours.median, TIMES_PANDAS))


def _memory(results: Results, work: str, truth: PublicFile, few: PublicFile) -> None:
    """Compare a process that imports and writes Parquet with one that does so with a few hours."""
    size, out = truth.path.stat().st_size, str(truth.path.with_suffix(".parquet"))
    process([sys.executable, "-c", BARE, str(few.path), out])  # compiles, if nothing is in the cache
    _, bare = process([sys.executable, "-c", BARE, str(few.path), out])
    seconds, peak = process([sys.executable, "-c", IMPORTING, str(truth.path), out])
    how = "process: imports, reads, writes Parquet"
    more = {"bytes": float(size), "peak_bytes": peak}
    results.add(Timing(f"{work}, hourly Parquet out", "gcr_fast", how, (seconds,), float(truth.cells), "hours", more))
    text = f"{work}, Parquet out: peak memory beyond that for a few hours, beside the file"
    claim = Claim(f"imports_{_short(work)}_memory", text, (peak - bare) / size, TIMES_FILE, at_least=False)
    results.claim(claim)
    results.notes.append(
        f"{work}: peak {peak / 1e6:.0f} MB, of which {bare / 1e6:.0f} MB are loaded libraries and kernels."
    )


def _short(work: str) -> str:
    return "wide" if work == WIDE else "local"
