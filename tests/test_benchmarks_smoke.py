"""Every benchmark runs, on few certificates, checks its results and leaves the written results alone."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = (ROOT / "benchmarks" / "RESULTS.md", ROOT / "benchmarks" / "results.json")
STAGES = ("kernel", "memory", "files", "formats", "reading", "imports", "registry", "processes", "startup")

for peer in ("duckdb", "polars", "pandas", "pyarrow"):
    pytest.importorskip(peer)


def _run(*arguments: str) -> str:
    environment = os.environ | {"BENCHMARK_DEVICE_YEARS": "20"}
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def _written() -> list[tuple[int, int] | None]:
    states = [path.stat() if path.exists() else None for path in WRITTEN]
    return [None if state is None else (state.st_mtime_ns, state.st_size) for state in states]


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="NumPy as a peer of plain Python says nothing")
@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_stage_runs(stage):
    before = _written()
    said = _run("benchmarks", "--smoke", stage)
    assert stage in said.splitlines()
    assert "gcr_fast" in said
    assert "NOT MET" not in said, "so few certificates prove nothing"
    assert _written() == before


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="big totals wrap with warnings in plain Python")
def test_pytest_benchmarks_run():
    _run("pytest", "benchmarks/test_kernels.py", "-o", "addopts=", "-q", "--benchmark-disable")


@pytest.fixture(scope="module")
def small():
    from benchmarks import exact
    from benchmarks.inputs import inputs

    given = inputs(20)
    right = exact.expected(given)
    names = given.annual["certificate_id"].take(right.parents).combine_chunks().dictionary_encode()
    words = given.annual.select(exact.WORDS).take(right.parents)
    births = pc.if_else(pc.equal(given.annual["purpose"], "conversion"), "ACTIVE", "RETIRED").take(right.parents)
    hourly = pa.table(
        {
            "parent_certificate_id": names,
            "production_start": pa.array(right.starts_ms, pa.timestamp("ms", "UTC")),
            "interval_s": pa.array(np.full(len(right.energy), 3600, np.int32)),
            "energy_wh": right.energy,
            **{name: words[name].combine_chunks().dictionary_encode() for name in exact.WORDS if name != "status"},
            "status": births.combine_chunks().dictionary_encode(),
        }
    )
    return given, right, hourly


def _moved(hourly, column, row, by):
    values = hourly[column].cast(pa.int64()).to_numpy().copy()
    values[row] += by
    at = hourly.column_names.index(column)
    return hourly.set_column(at, column, pa.array(values).cast(hourly.schema.field(column).type))


def _plain(hourly):
    """Polars makes text of its own; a dictionary would come as another type."""
    for at, field in enumerate(hourly.schema):
        if pa.types.is_dictionary(field.type):
            hourly = hourly.set_column(at, field.name, hourly[field.name].cast(pa.string()))
    return hourly


BROKEN = {
    "total": lambda hourly: _moved(hourly, "energy_wh", 100, 1),
    "moved_between_hours": lambda hourly: _moved(_moved(hourly, "energy_wh", 100, 1), "energy_wh", 101, -1),
    "twice": lambda hourly: _moved(hourly, "production_start", 101, -3_600_000),
    "outside": lambda hourly: _moved(hourly, "production_start", 0, -3_600_000 * 9000),
    "missing_parent": lambda hourly: hourly.filter(
        pc.not_equal(hourly["parent_certificate_id"].cast(pa.string()), hourly["parent_certificate_id"][0].as_py())
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_exact_check_sees_every_fault(small, fault):
    from benchmarks import exact

    given, right, hourly = small
    exact.check("right", hourly, right, given)
    with pytest.raises(AssertionError, match="nothing was timed"):
        exact.check(fault, BROKEN[fault](hourly), right, given)


@pytest.mark.parametrize("fault", sorted(set(BROKEN) - {"moved_between_hours"}))
def test_every_validation_refuses(small, fault):
    """A peer that finds nothing wrong would be fast for no reason."""
    import polars

    from benchmarks.memory import validations

    given, _, hourly = small
    take = {"Polars": lambda table: polars.from_arrow(_plain(table)), "pandas": lambda table: table.to_pandas()}
    for (who, how), good in validations().items():
        frame = take.get(who, lambda table: table)
        assert good(given.annual, frame(hourly)), f"{who} ({how}) refuses what is right"
        assert not good(given.annual, frame(BROKEN[fault](hourly))), f"{who} ({how}) passes {fault}"


def test_report_marks_losses():
    from benchmarks.report import page
    from benchmarks.timing import Claim, Results, Timing

    ours = Timing("work", "gcr_fast", "so", (2.0, 1.0, 3.0), 1e6, "hours")
    peer = Timing("work", "DuckDB", "thus", (1.0,), 1e6, "hours", {"bytes": 2e6})
    results = Results([ours, peer], [Claim("a", "lost work", 0.5, 2.0), Claim("b", "won work", 0.5, 2.0, False)])
    text = page(results, {"processor": "x"}, {"kernel": 1})
    assert "| **lost work** | **0.50x** | **at least 2.00x** | **no** |" in text
    assert "| won work | 0.50x | at most 2.00x | yes |" in text
    assert "| DuckDB | thus | 1.000 | 1.000 - 1.000 | 1 | 0.5 | 2 |" in text
    assert results.ratio("work", "DuckDB") == 0.5
