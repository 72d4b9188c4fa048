"""Changes of a registry: trades one at a time and many, each on disk before it is acknowledged."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.inputs import HOURS, SEED, YEAR
from benchmarks.peers import sqlite_peer
from benchmarks.registry_issuing import Issued
from benchmarks.registry_opening import reopened
from benchmarks.registry_questions import PARENT, latencies, percentiles
from benchmarks.timing import Claim, Results, Timing
from gcr_fast.registry import Registry, keeper

SINGLE = "durable trade, one at a time"
MANY = "durable small trades, in groups"
BUYER = "A buyer"
SINGLES = 150
FIRST_S = int(np.datetime64(f"{YEAR}-01-02", "s").astype(np.int64))
"""An hour that all parents have, whatever their zone's year."""
REPLAYED = 10_000
MANY_TRADES = 50_000


def bench(results: Results, issued: Issued, runs: int) -> None:
    """Take the times of single trades, of many, and of opening what they leave."""
    many = min(MANY_TRADES, issued.certificates // 10)
    with Registry.open(_copied(issued, "single")) as registry:
        registry.add_party(BUYER)
        _single(results, registry, issued.place / "peer.sqlite")
    _replay(results, issued, min(REPLAYED, many), runs)
    _many(results, issued, many, runs)


def _copied(issued: Issued, name: str) -> Path:
    """Return a copy of the registry; its segments never change, so they are linked."""
    place = issued.place / name
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(issued.registry, place, ignore=shutil.ignore_patterns("segments"))
    (place / "segments").mkdir()
    for path in (issued.registry / "segments").iterdir():
        os.link(path, place / "segments" / path.name)
    return place


def _active(registry: Registry, count: int, part: int) -> pa.Table:
    """Return certificates that can be traded, of all parents, in mixed order; others for part 0 than for part 1."""
    rng = np.random.default_rng([SEED, 2])
    moments = FIRST_S + rng.permutation(HOURS - 48)[part::2] * 3600
    found: list[pa.Table] = []
    for moment in moments.tolist():
        if sum(table.num_rows for table in found) >= count:
            break
        found.append(registry.query(at=moment, status="ACTIVE").to_table())
    table = pa.concat_tables(found).unify_dictionaries()
    return table.take(pa.array(rng.permutation(table.num_rows)[:count]))


# --- one at a time


def _single(results: Results, registry: Registry, path: Path) -> None:
    """In turn: a row into SQLite, a parent's year, a certificate."""
    rows = _active(registry, 2 * SINGLES, 0).to_pylist()
    owners = {row["parent_certificate_id"]: row["owner"] for row in rows}
    named = list(owners)[: len(owners) // 2]
    years: list[tuple[Any, str]] = [({"parent": name}, owners[name]) for name in named]
    hours = [(row["certificate"], row["owner"]) for row in rows if row["parent_certificate_id"] not in set(named)]
    peer = sqlite_peer.Table(path)
    taken: dict[str, list[float]] = {"insert": [], "year": [], "certificate": []}

    def trade(given: tuple[Any, str]) -> Callable[[], object]:
        return lambda: registry.trade(given[0], given[1], BUYER, "45.50", "EUR")

    before = registry.position
    for turn, (year, hour) in enumerate(zip(years[:SINGLES], hours[:SINGLES], strict=False)):
        for name, job in (("insert", peer.insert), ("year", trade(year)), ("certificate", trade(hour))):
            begin = time.perf_counter()
            job()
            taken[name] += [time.perf_counter() - begin] if turn else []  # the first loads what it needs
    count = min(len(years), len(hours), SINGLES)
    assert (registry.position - before, peer.count()) == (2 * count, count)
    peer.close()
    for name, who, how in (
        ("year", "gcr_fast", "trade() of a parent's year"), ("certificate", "gcr_fast", "trade() of a certificate"),
        ("insert", "SQLite", "INSERT of 200 bytes, synchronous"),
    ):  # fmt: skip
        results.add(percentiles(SINGLE, who, how, taken[name]))
    for name in ("year", "certificate"):
        ratio = float(np.median(taken[name]) / np.median(taken["insert"]))
        text = f"{SINGLE}, a {name}: p50, in times of an insert into SQLite"
        results.claim(Claim(f"trade_{name}", text, ratio, 3, at_least=False))
    years_again = [year for year, _ in years[:count]]
    seconds = latencies(lambda one: registry.query(**one).to_table(), years_again, 5)
    results.add(percentiles(f"{PARENT}, traded", "gcr_fast", "query().to_table()", seconds))


# --- many


def _orders(registry: Registry, count: int, part: int) -> pa.Table:
    rows = _active(registry, count, part)
    return pa.table(
        {
            "certificate": rows["certificate"],
            "seller": rows["owner"].cast(pa.string()),
            "buyer": pa.repeat(BUYER, count),
            "price": pa.repeat("45.50", count),
            "currency": pa.repeat("EUR", count),
        }
    )


def _many(results: Results, issued: Issued, count: int, runs: int) -> None:
    each: list[float] = []
    whole: list[float] = []
    for turn in range(1 + min(runs, 3)):
        with Registry.open(_copied(issued, "many")) as registry:
            registry.add_party(BUYER)
            for part, atomic in enumerate((False, True)):
                orders = _orders(registry, count // 2, part)
                begin = time.perf_counter()
                made = registry.trade_many(orders, atomic=atomic)
                seconds = time.perf_counter() - begin
                assert made["status"].unique().to_pylist() == ["done"], made["message"].unique()
                if turn:
                    (whole if atomic else each).append(seconds)
    amount = float(count // 2)
    results.add(
        Timing(MANY, "gcr_fast", "trade_many(atomic=False), 256 to a group", tuple(each), amount, "trades"),
        Timing(MANY, "gcr_fast", "trade_many(), all or nothing", tuple(whole), amount, "trades"),
    )
    rate = amount / float(np.median(each))
    results.claim(Claim("trades_a_second", "small trades with group commit, a second", rate, 25_000, unit=""))


def _replay(results: Results, issued: Issued, count: int, runs: int) -> None:
    """Open a registry that many trades were made in since its last snapshot."""
    place, usual = _copied(issued, "replay"), keeper.SNAPSHOT_EVERY
    keeper.SNAPSHOT_EVERY = 10 * count
    try:
        registry = Registry.open(place)
        registry.add_party(BUYER)
        registry.trade_many(_orders(registry, count, 0))
        registry.journal.close()  # as a process that was killed leaves it: without a snapshot
    finally:
        keeper.SNAPSHOT_EVERY = usual
    reopened(results, place, runs, f"{count:,} trades to replay", 1.0)
