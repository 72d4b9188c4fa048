"""What is right: every hour in big integers, and whether a result has exactly these hours and columns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.inputs import Inputs

BIRTH = {"conversion": "ACTIVE", "end_use": "RETIRED"}
WORDS = ("source_type", "status", "allocation_basis", "owner")


@dataclass(frozen=True)
class Expected:
    """All hours above 0 Wh, by row of the annual table, then time."""

    parents: np.ndarray
    starts_ms: np.ndarray
    energy: np.ndarray


def spread(prefix: np.ndarray, total: int) -> np.ndarray:
    """Return floor(T*C_i/W) - floor(T*C_(i-1)/W) of big-integer running sums, as int64."""
    return np.diff(total * prefix // prefix[-1]).astype(np.int64)


def big_prefix(weights: np.ndarray) -> np.ndarray:
    """Return running sums from 0, as Python integers."""
    return np.concatenate([[0], np.cumsum(weights)]).astype(object)


def expected(given: Inputs) -> Expected:
    """Compute every hour in Python's integers."""
    names = given.profiles["profile"].to_numpy()
    starts = _milliseconds(given.profiles["start"])
    values = given.profiles["energy_wh"].to_numpy()
    spans = {name: (starts[names == name], big_prefix(values[names == name])) for name in np.unique(names)}
    parts = []
    rows = zip(given.annual["profile"].to_pylist(), given.annual["energy_wh"].to_pylist(), strict=True)
    for row, (name, total) in enumerate(rows):
        energy = spread(spans[name][1], total)
        kept = energy > 0
        parts.append((np.full(kept.sum(), row), spans[name][0][kept], energy[kept]))
    return Expected(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def check(who: str, hourly: pa.Table, right: Expected, given: Inputs) -> None:
    """Raise unless a result has exactly the right rows (in any order) and columns."""
    parents = _codes(hourly["parent_certificate_id"], given.annual["certificate_id"])
    starts = _milliseconds(hourly["production_start"])
    _same(who, "rows", len(parents), len(right.parents))
    order = np.lexsort((starts, parents))
    _same(who, "parent_certificate_id", parents[order], right.parents)
    _same(who, "production_start", starts[order], right.starts_ms)
    _same(who, "energy_wh", hourly["energy_wh"].cast(pa.int64()).to_numpy()[order], right.energy)
    _same(who, "interval_s", pc.unique(hourly["interval_s"]).to_pylist(), [3600])
    births = pa.array([BIRTH[word] for word in given.annual["purpose"].to_pylist()])
    annual = given.annual.set_column(given.annual.column_names.index("status"), "status", births)
    for name in WORDS:
        words = pc.unique(annual[name])
        _same(who, name, _codes(hourly[name], words), _codes(annual[name], words)[parents])


def _codes(column: Any, words: Any) -> np.ndarray:
    """Return each word's position; the dictionary alone is looked up."""
    flat = pa.chunked_array(column).combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    flat = flat if pa.types.is_dictionary(flat.type) else flat.cast(pa.string()).dictionary_encode()
    if isinstance(flat, pa.ChunkedArray):
        flat = flat.unify_dictionaries().combine_chunks()
    words = words.combine_chunks() if isinstance(words, pa.ChunkedArray) else words
    place = pc.index_in(flat.dictionary.cast(pa.string()), value_set=words.cast(pa.string())).to_numpy()
    return place[flat.indices.to_numpy()]


def _milliseconds(column: Any) -> np.ndarray:
    return column.cast(pa.timestamp("ms", "UTC")).cast(pa.int64()).to_numpy()


def _same(who: str, what: str, found: Any, wanted: Any) -> None:
    if not np.array_equal(found, wanted):
        raise AssertionError(f"{who}: {what} is not as it should be; nothing was timed")


def fingerprint(path: Path) -> tuple[Any, ...]:
    """Return rows, energy and one hash over all rows and columns of a Parquet file, whatever their order."""
    from benchmarks.peers import duckdb_peer

    words = ", ".join(f"{name}::VARCHAR" for name in ("parent_certificate_id", *WORDS))
    row = f"hash({words}, epoch_ms(production_start), interval_s::BIGINT, energy_wh::BIGINT)"
    query = f"SELECT count(*), sum(energy_wh), bit_xor({row}), sum({row}::HUGEINT) FROM read_parquet('{path}')"
    with duckdb_peer.connect() as db:
        return tuple(db.execute(query).fetchall()[0])
