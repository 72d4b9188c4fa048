"""Facts of many certificates at once, by handle or text id: in the order asked, whatever their state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.columns import as_text, encode, one_array, without_nulls
from gcr_fast.registry.catalogue import Catalogue
from gcr_fast.registry.entries import Entry
from gcr_fast.registry.rows import Rows
from gcr_fast.registry.state import State
from gcr_fast.registry.stored import FIRST, OF, OWNER, PIECE, ROW, STATE, WH

if TYPE_CHECKING:
    import pyarrow as pa

ROW_ID = r"^HOURLY-(?P<parent>.*)-(?P<stamp>[0-9]{10}|[0-9]{12})$"
"""The text id of a row; that of a piece goes on."""


def find_rows(state: State, ids: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """Return the rows of text ids, int64[n]; -1 for what is no row's id, such as that of a piece."""
    import pyarrow.compute as pc

    catalogue = state.catalogue
    parts = pc.extract_regex(as_text(one_array(ids)), ROW_ID)
    codes, names = encode(pc.struct_field(parts, "parent"))
    stamps = pc.struct_field(parts, "stamp")
    digits = without_nulls(pc.fill_null(pc.utf8_length(stamps), 0), 0)
    places = np.array([*(catalogue.place_of.get(str(name), -1) for name in names), -1], dtype=np.int64)[codes]
    seconds, valid = _stamp_seconds(without_nulls(stamps.cast("int64"), 0), digits)
    rows = np.full(len(places), -1, dtype=np.int64)
    good = np.flatnonzero(valid & (places >= 0))
    rows[good] = _rows_at(catalogue, places[good], seconds[good], digits[good])
    return rows


def _stamp_seconds(stamps: np.ndarray, digits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the UTC seconds of YYYYMMDDHH (10 digits) or YYYYMMDDHHMM (12), and which are times at all."""
    full = np.where(digits == 10, stamps * 100, stamps)
    minute, hour, day, month = (full // 100**at % 100 for at in range(4))
    year = full // 100**4
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    first, after = (at.astype("datetime64[D]").astype(np.int64) for at in (months, months + 1))
    days = first + day - 1
    valid = (month >= 1) & (month <= 12) & (day >= 1) & (days < after) & (hour < 24) & (minute < 60) & (year >= 1)
    return days * 86_400 + hour * 3600 + minute * 60, valid & (digits > 0)


def _rows_at(catalogue: Catalogue, parents: np.ndarray, seconds: np.ndarray, digits: np.ndarray) -> np.ndarray:
    """Return the row of each parent at a time, -1 where there is none or it has no energy."""
    facts = {name: catalogue.numbers[name][parents] for name in ("start_s", "step_s", "hours", "first_row")}
    offset, rest = np.divmod(seconds - facts["start_s"], facts["step_s"])
    fits = (rest == 0) & (offset >= 0) & (offset < facts["hours"]) & ((digits == 10) == (facts["step_s"] == 3600))
    rows = np.where(fits, facts["first_row"] + offset, -1)
    there = np.flatnonzero(fits)
    rows[there[energy_of(catalogue, rows[there]) == 0]] = -1
    return rows


def energy_of(catalogue: Catalogue, rows: np.ndarray) -> np.ndarray:
    """Return the Wh of rows, int64[n]; 0 where there is no certificate."""
    wh = np.zeros(len(rows), dtype=np.int64)
    for number, places in _by_block(catalogue, rows):
        block = catalogue.blocks[number]
        wh[places] = block.flat[rows[places] - block.first_row]
    return wh


def _by_block(catalogue: Catalogue, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each segment that some rows are in, and their positions."""
    blocks = catalogue.numbers["block"][catalogue.parent_of(rows)]
    order = np.argsort(blocks, kind="stable")
    numbers, firsts = np.unique(blocks[order], return_index=True)
    yield from zip(numbers.tolist(), np.split(order, firsts[1:]), strict=len(numbers) > 0)


def rows_at(state: State, handles: np.ndarray) -> Rows:
    """Return certificates, int64[n] handles that exist, as columns in the order given."""
    table = state.pieces.rows
    pieces = np.flatnonzero(handles >= PIECE)
    of = table[handles[pieces] - PIECE]
    rows = handles.copy()
    rows[pieces] = of[:, ROW]
    parents = state.catalogue.parent_of(rows)
    numbers = state.catalogue.numbers
    starts = numbers["start_s"][parents] + (rows - numbers["first_row"][parents]) * numbers["step_s"][parents]
    owners, states = _holders(state, rows, parents)
    wh, first = energy_of(state.catalogue, rows), np.zeros(len(rows), dtype=np.int64)
    for column, number in ((wh, WH), (owners, OWNER), (states, STATE), (first, FIRST)):
        column[pieces] = of[:, number]
    return Rows(handles, parents, starts * 1000, wh, owners, states, first if len(pieces) else None)


def _holders(state: State, rows: np.ndarray, parents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the owners int64[n] and stored states int8[n] of rows."""
    numbers = state.catalogue.numbers
    owners, states = numbers["owner"][parents], numbers["state"][parents].astype(np.int8)
    for number, places in _by_block(state.catalogue, rows):
        columns = state.columns[number]
        if len(columns.owners):
            local = rows[places] - columns.block.first_row
            held, stored = columns.owners[local], columns.states[local]
            owners[places] = np.where(held == 0, owners[places], held)
            states[places] = np.where(stored == 0, states[places], stored)
    return owners, states


def first_child(state: State, handle: int) -> int:
    """Return the handle of the first of the two pieces that a certificate was split into."""
    row = handle if handle < PIECE else int(state.pieces.rows[handle - PIECE, ROW])
    return PIECE + next(n for n in state.pieces_of[row] if state.pieces.rows[n, OF] == handle)


def handles_of(state: State, entry: Entry) -> np.ndarray:
    """Return the handles of what an entry changed, int64[n], ascending: of a split, the piece that it made for it."""
    runs = entry.runs
    firsts = np.repeat(runs[:, 0] - np.cumsum(runs[:, 1]) + runs[:, 1], runs[:, 1])
    whole = firsts + np.arange(len(firsts))
    parts = [first_child(state, handle) for handle in entry.splits[:, 0].tolist()]
    return np.sort(np.concatenate([whole, np.array(parts, dtype=np.int64)]))
