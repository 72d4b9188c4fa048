"""Certificates as Arrow columns: words as dictionaries, and what repeats is made once and shared."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.codes import BASES, SOURCE_TYPES, STATUSES
from gcr_fast.registry.ids import id_text
from gcr_fast.registry.rows import Rows
from gcr_fast.registry.state import State
from gcr_fast.registry.stored import VISIBLE
from gcr_fast.registry.untouched import certificates_of, grid_ms, is_constant

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
    handles, starts, energy = (np.ascontiguousarray(each) for each in (rows.handles, rows.start_ms, rows.energy_wh))
    times = _numbers(starts, _milliseconds())
    columns = [_numbers(handles), parents, times, steps, _numbers(energy), sources, statuses, bases, owners]
    if certificate_ids:
        columns.insert(1, _texts([id_text(state, handle) for handle in rows.handles.tolist()]))
    return columns


def table_as_issued(state: State, parent: int) -> pa.Table:
    """Return all certificates of a parent that nothing has touched: `columns_of` in as few steps as it can be done."""
    import pyarrow as pa

    numbers = state.catalogue.numbers
    handles, starts_ms, energy = certificates_of(state.catalogue, parent)
    count, hours = len(handles), numbers["hours"].item(parent)
    begin, step = numbers["start_s"].item(parent), numbers["step_s"].item(parent)
    starts = _times(begin, step, hours) if count == hours else _numbers(starts_ms, _milliseconds())
    steps, sources, statuses, bases = _described(
        step, numbers["source"].item(parent), numbers["basis"].item(parent), numbers["state"].item(parent), count
    )
    number, repeat, wrap, word = pa.int64(), _repeated, pa.Array.from_buffers, pa.DictionaryArray.from_arrays
    parents = word(repeat(0, count), state.catalogue.ids.slice(parent, 1), safe=False)
    owners = word(repeat(numbers["owner"].item(parent) - 1, count), state.catalogue.parties.array, safe=False)
    handles, energy = (wrap(number, count, [None, pa.py_buffer(each)]) for each in (handles, energy))
    columns = [handles, parents, starts, steps, energy, sources, statuses, bases, owners]
    return pa.Table.from_batches([pa.RecordBatch.from_arrays(columns, schema=schema_of(False))])


@lru_cache(maxsize=KEPT)
def _times(start_s: int, step_s: int, hours: int) -> pa.Array:
    return _numbers(grid_ms(start_s, step_s, hours), _milliseconds())


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
    catalogue, parent, count = state.catalogue, rows.parents.item(0), len(rows)
    step, source, basis = (catalogue.numbers[name].item(parent) for name in ("step_s", "source", "basis"))
    return (
        _dictionary(_repeated(0, count), catalogue.ids.slice(parent, 1)),
        *_described(step, source, basis, rows.states.item(0), count),
        _dictionary(_repeated(rows.owners.item(0) - 1, count), catalogue.parties.array),
    )


@lru_cache(maxsize=KEPT)
def _described(step_s: int, source: int, basis: int, stored: int, count: int) -> tuple[pa.Array, ...]:
    """Return interval, source, status and basis, the same throughout."""
    words = (("source", source), ("status", VISIBLE.item(stored)), ("basis", basis))
    return _repeated(step_s, count), *(_dictionary(_repeated(code, count), _closed(kind)) for kind, code in words)


@lru_cache(maxsize=KEPT)
def _repeated(value: int, count: int) -> pa.Array:
    import pyarrow as pa

    return pa.array(np.full(count, value, dtype=np.int32))


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
    """Wrap contiguous int64[n] without copying, as int64 or another type of 64 bits."""
    import pyarrow as pa

    return pa.Array.from_buffers(kind or pa.int64(), len(values), [None, pa.py_buffer(values)])
