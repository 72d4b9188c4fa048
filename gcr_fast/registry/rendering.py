"""Certificates as Arrow columns: words as dictionaries, and what repeats is made once and shared."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.codes import BASES, SOURCE_TYPES, STATUSES
from gcr_fast.registry.selection import Rows, id_text
from gcr_fast.registry.state import VISIBLE, State
from gcr_fast.registry.untouched import is_constant

if TYPE_CHECKING:
    import pyarrow as pa

KEPT = 256
"""Columns of one number or word that are kept: of a year's hours each, 9 MB."""
_CLOSED = {"source": SOURCE_TYPES, "basis": BASES, "status": STATUSES}


@cache
def schema_of(certificate_ids: bool) -> pa.Schema:
    """Return the schema of certificates; nothing in it may be null."""
    import pyarrow as pa

    from gcr_fast.schema import arrow_schema

    schema = arrow_schema("certificates", without=() if certificate_ids else ("certificate_id",))
    return pa.schema([field.with_nullable(False) for field in schema], metadata=schema.metadata)


def columns_of(state: State, rows: Rows, certificate_ids: bool) -> list[pa.Array]:
    """Return the columns of `schema_of`."""
    of_one = is_constant(rows.parents) and is_constant(rows.owners) and is_constant(rows.states)
    words = _words_of_one(state, rows) if of_one else _words_of_many(state, rows)
    parents, steps, sources, statuses, bases, owners = words
    starts = _numbers(rows.start_ms, _milliseconds())
    columns = [
        _numbers(rows.handles), parents, starts, steps, _numbers(rows.energy_wh), sources, statuses, bases, owners,
    ]  # fmt: skip
    if certificate_ids:
        columns.insert(1, _texts([id_text(state, handle) for handle in rows.handles.tolist()]))
    return columns


def _words_of_many(state: State, rows: Rows) -> tuple[pa.Array, ...]:
    catalogue, parents = state.catalogue, rows.parents
    numbers = catalogue.numbers
    return (
        _words(parents, catalogue.ids),
        _int32(numbers["step_s"][parents]),
        _words(numbers["source"][parents], _closed("source")),
        _words(VISIBLE[rows.states], _closed("status")),
        _words(numbers["basis"][parents], _closed("basis")),
        _words(rows.owners - 1, catalogue.parties.array),
    )


def _words_of_one(state: State, rows: Rows) -> tuple[pa.Array, ...]:
    """The same of one parent as it was issued: every column is one word throughout."""
    catalogue, parent, count = state.catalogue, rows.parents.item(0), len(rows.handles)
    numbers = catalogue.numbers
    return (
        _dictionary(_repeated(0, count), catalogue.ids.slice(parent, 1)),
        _repeated(numbers["step_s"].item(parent), count),
        _repeated_word("source", numbers["source"].item(parent), count),
        _repeated_word("status", VISIBLE.item(rows.states.item(0)), count),
        _repeated_word("basis", numbers["basis"].item(parent), count),
        _dictionary(_repeated(rows.owners.item(0) - 1, count), catalogue.parties.array),
    )


@lru_cache(maxsize=KEPT)
def _repeated(value: int, count: int) -> pa.Array:
    import pyarrow as pa

    return pa.array(np.full(count, value, dtype=np.int32))


@lru_cache(maxsize=KEPT)
def _repeated_word(kind: str, code: int, count: int) -> pa.Array:
    return _dictionary(_repeated(code, count), _closed(kind))


@cache
def _closed(kind: str) -> pa.Array:
    return _texts(_CLOSED[kind])


def _texts(words: list[str] | tuple[str, ...]) -> pa.Array:
    import pyarrow as pa

    return pa.array(words, pa.string())


def _words(codes: np.ndarray, dictionary: pa.Array) -> pa.Array:
    return _dictionary(_int32(codes), dictionary)


def _dictionary(codes: pa.Array, words: pa.Array) -> pa.Array:
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(codes, words, safe=False)


def _int32(values: np.ndarray) -> pa.Array:
    import pyarrow as pa

    return pa.array(values.astype(np.int32, copy=False))


@cache
def _milliseconds() -> pa.DataType:
    import pyarrow as pa

    return pa.timestamp("ms", "UTC")


def _numbers(values: np.ndarray, kind: pa.DataType | None = None) -> pa.Array:
    """Wrap int64[n] without copying, as int64 or another type of 64 bits."""
    import pyarrow as pa

    return pa.Array.from_buffers(kind or pa.int64(), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])
