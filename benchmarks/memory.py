"""In memory: two Arrow tables in, all hours out and checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gcr_fast
from benchmarks import exact, machine
from benchmarks.inputs import Inputs, inputs
from benchmarks.machine import THREADS
from benchmarks.peers import duckdb_peer, pandas_peer, polars_peer
from benchmarks.timing import Claim, Key, Results, timings

CONVERT = "convert to memory"
VALIDATE = "validate in memory"
BOTH = "convert and validate in memory"
AS_WRITTEN = {
    "Polars": ("Int128 division, join, in-memory", "distinct starts"),
    "DuckDB": ("HUGEINT division", "distinct starts"),
}
"""The exact rule as their users would write it down, without our way of dividing: timed beside their fastest forms."""
REQUIRED = {"Polars": 10, "DuckDB": 25, "pandas": 10}

Job = Callable[[], Any]
Checker = Callable[[Any, Any], bool]
ENGINES = ("in-memory", "streaming")


def _ours(given: Inputs) -> Any:
    return gcr_fast.convert(given.annual, given.profiles, threads=THREADS).to_table()


def _ours_good(annual: Any, hourly: Any) -> bool:
    return bool(gcr_fast.validate(annual, hourly, threads=THREADS).ok)


def conversions(given: Inputs) -> dict[Key, Job]:
    """Return everyone's ways to convert."""
    both = (given.annual, given.profiles)
    jobs: dict[Key, Job] = {("gcr_fast", "convert().to_table()"): lambda: _ours(given)}
    for query in polars_peer.VARIANTS:
        for engine in ENGINES:
            how = f"{query}, {engine}"
            jobs[polars_peer.NAME, how] = lambda how=how: polars_peer.convert(how, *both)
    for how in duckdb_peer.VARIANTS:
        jobs[duckdb_peer.NAME, how] = lambda how=how: duckdb_peer.convert(how, *both)
    jobs[pandas_peer.NAME, "merge, NumPy float guess"] = lambda: pandas_peer.convert(*both)
    return jobs


def validations() -> dict[Key, Checker]:
    """Return everyone's ways to validate."""
    jobs: dict[Key, Checker] = {("gcr_fast", "validate()"): _ours_good}
    jobs |= {(polars_peer.NAME, how): check for how, check in polars_peer.VALIDATIONS.items()}
    jobs |= {(duckdb_peer.NAME, how): check for how, check in duckdb_peer.VALIDATIONS.items()}
    jobs[pandas_peer.NAME, "groupby, order"] = pandas_peer.validate
    return jobs


TO_ARROW: dict[str, Callable[[Any], Any]] = {
    "gcr_fast": lambda table: table,
    polars_peer.NAME: polars_peer.to_arrow,
    duckdb_peer.NAME: duckdb_peer.to_arrow,
    pandas_peer.NAME: pandas_peer.to_arrow,
}


def check(given: Inputs) -> dict[str, Any]:
    """Raise unless all results are exact and pass everyone's validation; return one result of each tool."""
    right = exact.expected(given)
    kept = {}
    for (who, how), job in conversions(given).items():
        kept[who] = job()
        exact.check(f"{who} ({how})", TO_ARROW[who](kept[who]), right, given)
    for (who, how), good in validations().items():
        assert good(given.annual, kept[who]), f"{who} ({how}) finds fault with an exact result"
    return kept


def bench(results: Results, device_years: int, runs: int) -> None:
    """Take the times of this stage."""
    given = inputs(device_years)
    size = _apart(results, given, runs)
    _both(results, given, runs, size)


def _apart(results: Results, given: Inputs, runs: int) -> int:
    """Check everyone, then measure converting and validating by themselves. Returns the bytes of our table."""
    kept = check(given)
    hours = float(given.hours)
    results.add(*timings(CONVERT, conversions(given), runs, hours, "hours"))
    checks = {key: lambda good=good, key=key: good(given.annual, kept[key[0]]) for key, good in validations().items()}
    results.add(*timings(VALIDATE, checks, runs, hours, "hours"))
    table = kept["gcr_fast"]
    size, rows = _buffer_bytes(table), table.num_rows
    results.notes.append(
        f"{rows:,} of the {given.hours:,} hours have energy and become certificates. In memory they take "
        f"{size / rows:.1f} bytes each: repeated columns share their buffers."
    )
    return size


def _both(results: Results, given: Inputs, runs: int, size: int) -> None:
    """Measure converting and then validating, each tool in its fastest ways."""
    ways = conversions(given)
    jobs: dict[Key, Job] = {}
    for who in ("gcr_fast", *REQUIRED):
        convert, validate = results.best(CONVERT, who), results.best(VALIDATE, who)
        make, good = ways[who, convert.how], validations()[who, validate.how]
        jobs[who, f"{convert.how}; {validate.how}"] = lambda make=make, good=good: good(given.annual, make())
    for who, (convert_how, validate_how) in AS_WRITTEN.items():
        make, good = ways[who, convert_how], validations()[who, validate_how]
        jobs[who, f"{convert_how}; {validate_how}"] = lambda make=make, good=good: good(given.annual, make())
    jobs["machine", f"filling {size / 1e6:.0f} MB of new memory"] = lambda: machine.fill_new(size)
    results.add(*timings(BOTH, jobs, runs, float(given.hours), "hours"))
    for who, required in REQUIRED.items():
        text = f"convert and validate to Arrow in memory, {given.device_years:,} device-years: faster than {who}"
        results.claim(Claim(f"memory_vs_{who.lower()}", text, results.ratio(BOTH, who), required))


def _buffer_bytes(table: Any) -> int:
    """Return the bytes of all buffers; one that several columns or batches share is counted once."""
    spans: dict[int, int] = {}
    for column in table.columns:
        for chunk in column.chunks:
            parts = [chunk.indices, chunk.dictionary] if hasattr(chunk, "dictionary") else [chunk]
            for buffer in (buffer for part in parts for buffer in part.buffers() if buffer is not None):
                spans[buffer.address] = max(spans.get(buffer.address, 0), buffer.size)
    return sum(spans.values())
