"""Questions to a registry and to DuckDB: the same answers as Arrow tables, in the same columns, warm."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.inputs import SEED, YEAR
from benchmarks.peers import duckdb_registry
from benchmarks.registry_issuing import Issued
from benchmarks.timing import Claim, Results, Timing
from gcr_fast.registry import Registry

ANSWER = duckdb_registry.ANSWER
PARENT, HOUR, OWNER, WHOLE = (
    "all hours of one parent", "all parents at one hour", "one owner's month", "statistics of everything",
)  # fmt: skip
REQUIRED = {PARENT: 100, HOUR: 100, OWNER: 10, WHOLE: 50}
ASKED = {PARENT: 200, HOUR: 40, OWNER: 60, WHOLE: 3}
MOST_S = 20.0
"""How long one way of asking is asked, at most."""
Ask = Callable[[Any], pa.Table]


def bench(results: Results, issued: Issued, runs: int) -> None:
    """Take the times of each question, asked for many parents, hours and owners."""
    databases = [duckdb_registry.Database(issued.database(name), name) for name in duckdb_registry.LAYOUTS]
    with Registry.open(issued.registry, read_only=True) as registry:
        for work, arguments in _asked(registry, issued).items():
            ways = _ways(work, registry, databases)
            _check(work, ways, arguments[:2])
            for (who, how), ask in ways.items():
                seconds = latencies(ask, arguments, runs)
                results.add(percentiles(work, who, how, seconds))
            _claim(results, work)
    for database in databases:
        database.close()


def _asked(registry: Registry, issued: Issued) -> dict[str, list[Any]]:
    rng = np.random.default_rng([SEED, 1])
    names = rng.permutation(issued.given.annual["certificate_id"].to_numpy(zero_copy_only=False)).tolist()
    owners = sorted(set(issued.given.annual["owner"].to_pylist()))
    months = [(f"{YEAR}-{month:02d}-01", f"{YEAR}-{month + 1:02d}-01") for month in range(1, 12)]
    hours = [f"{YEAR}-{1 + at % 12:02d}-{1 + at % 28:02d}T{at % 24:02d}:00" for at in range(ASKED[HOUR])]
    return {
        PARENT: names[: ASKED[PARENT]],
        HOUR: hours,
        OWNER: [(owner, *months[at % 11]) for at, owner in enumerate(rng.permutation(owners)[: ASKED[OWNER]].tolist())],
        WHOLE: [None] * ASKED[WHOLE],
    }


def _ways(work: str, registry: Registry, databases: list[duckdb_registry.Database]) -> dict[tuple[str, str], Ask]:
    if work == WHOLE:
        ways: dict[tuple[str, str], Ask] = {
            ("gcr_fast", "statistics().to_dict()"): lambda _: registry.statistics().to_dict()
        }
        return ways | {("DuckDB", f"GROUP BY, {db.layout}"): lambda _, db=db: db.statistics() for db in databases}
    ours: dict[str, Ask] = {
        PARENT: lambda name: registry.query(parent=name).to_table(),
        HOUR: lambda moment: registry.query(at=f"{moment}Z").to_table(),
        OWNER: lambda one: registry.query(owner=one[0], start=one[1], end=one[2]).to_table(),
    }
    ways = {("gcr_fast", "query().to_table()"): ours[work]}
    for db in databases:
        where = {PARENT: db.of_parent, HOUR: db.at, OWNER: lambda one, db=db: db.of_owner(*one)}[work]
        ways["DuckDB", f"SELECT, {db.layout}"] = lambda one, db=db, where=where: db.ask(where(one))
        if db.layout == "ENUM words":
            ways["DuckDB, 5 columns", f"SELECT without what the parent tells, {db.layout}"] = (
                lambda one, db=db, where=where: db.bare(where(one))
            )
    return ways


def latencies(ask: Ask, arguments: Iterable[Any], runs: int) -> list[float]:
    """Ask for everything once unmeasured, then again and again. Returns the seconds of each answer."""
    asked = list(arguments)
    for one in asked:
        ask(one)
    taken: list[float] = []
    for _ in range(runs):
        for one in asked:
            begin = time.perf_counter()
            answer = ask(one)
            taken.append(time.perf_counter() - begin)
            del answer
        if sum(taken) > MOST_S:
            break
    return taken


def percentiles(work: str, who: str, how: str, seconds: list[float]) -> Timing:
    """Return a row with the median and the 95th percentile of many times."""
    p5, p50, p95 = np.percentile(seconds, [5, 50, 95]).tolist()
    return Timing(work, who, how, (p5, p50, p95), 1.0, "answers", {"p95_s": p95, "asked": float(len(seconds))})


def _claim(results: Results, work: str) -> None:
    ratio = results.ratio(work, "DuckDB")
    results.claim(Claim(f"ask_{work.replace(' ', '_')}", f"{work}: faster than DuckDB, p50", ratio, REQUIRED[work]))


# --- right before fast


def _check(work: str, ways: dict[tuple[str, str], Ask], arguments: list[Any]) -> None:
    full = {key: ask for key, ask in ways.items() if key[0] in ("gcr_fast", "DuckDB")}
    for one in arguments:
        answers = {key: ask(one) for key, ask in full.items()}
        shown = {key: _figures(got) if work == WHOLE else _rows(got) for key, got in answers.items()}
        first = next(iter(shown.values()))
        for key, got in shown.items():
            assert got == first, f"{work}: {key} answers {one} differently; nothing was timed"


def _rows(answer: pa.Table) -> list[Any]:
    """Return the answer's columns in one order and type."""
    columns = {}
    for name in ANSWER:
        column = answer[name]
        if name == "production_start":
            columns[name] = column.cast(pa.timestamp("ms", "UTC")).cast(pa.int64())
        else:
            columns[name] = column.cast(pa.int64() if name in ("interval_s", "energy_wh") else pa.string())
    ordered = pa.table(columns).sort_by([(name, "ascending") for name in ANSWER[:2]])
    return [ordered[name].to_pylist() for name in ANSWER]


def _figures(answer: Any) -> dict[str, dict[tuple[str, str], tuple[int, int]]]:
    """Return certificates and Wh by (owner | source | month, status), of our figures or DuckDB's rows."""
    figures: dict[str, dict[tuple[str, str], tuple[int, int]]] = {"owner": {}, "source": {}, "month": {}}
    if isinstance(answer, dict):
        for kind, sums in figures.items():
            for word, statuses in answer[f"by_{kind}"].items():
                for status, have in statuses.items():
                    sums[word, status] = (have["certificates"], have["energy_wh"])
        return figures
    for row in answer.to_pylist():
        year, month = divmod(int(row["month"]) - 1, 12)
        words = {"owner": row["owner"], "source": row["source_type"], "month": f"{year}-{month + 1:02d}"}
        for kind, word in words.items():
            count, energy = figures[kind].get((word, row["status"]), (0, 0))
            more = (count + int(row["certificates"]), energy + int(row["energy_wh"]))
            figures[kind][word, row["status"]] = more
    return figures
