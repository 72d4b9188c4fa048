"""The cells of a table that a mapping describes, as times and numbers: out of blocks, or of a whole table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from gcr_fast.columns import alike, as_text, every, one_array, some
from gcr_fast.periods import FIRST_S, LAST_S
from gcr_fast.sources.cells import MAX_CELL, Numbers, numbers
from gcr_fast.sources.early import read_early
from gcr_fast.sources.files import File, Table, delimiter_of, header_of
from gcr_fast.sources.generation.mapping import ISO, UNIX, UNIX_MS, Plan
from gcr_fast.sources.pieces import IrregularError
from gcr_fast.sources.portions import labels_of, times_of
from gcr_fast.sources.rounding import FINER
from gcr_fast.units import Unit

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = ("nan", "NaN", "null")
_FRACTION = r":\d{2}[.,]\d*[1-9]\d*(?:Z|[+-][\d:]+)?$"
Units: TypeAlias = Callable[[Sequence[str]], Mapping[str, Unit]]
"""Of all columns of a table, those of values, and what each is in."""


class Marks(NamedTuple):
    """A column of times, each bool[n] or int64[n]."""

    seconds: np.ndarray
    local: np.ndarray
    """Whether they are of a local clock; else they are UTC."""
    bad: np.ndarray
    """Which cells are no times."""
    between: np.ndarray
    """Which are times between two seconds, where no interval begins."""


class Cells(NamedTuple):
    """A table, read."""

    table: Table
    """All of it; of one that was read in blocks only the columns of words."""
    names: list[str]
    """Of all columns."""
    marks: Marks
    numbers: dict[str, Numbers]
    """Of each column of values; taken out as they are used."""
    lost: dict[str, np.ndarray]
    """int16[n]: what each was rounded down by, in thousandths. Of a table that was read at once there is none."""
    times: pa.Array | None
    """Cells of the times. None of a table that was read in blocks: then none is bad."""


def at_once(table: Table, plan: Plan, units: Units) -> Cells:
    """Return what a whole table says; what is amiss in it is for the caller to report."""
    times = _time_cells(table.columns, plan)
    marks = _marks(times, plan.clock.layout)
    found = {
        name: numbers(table.columns[name], unit.digits, (*MISSING, *plan.missing), plan.locale)
        for name, unit in units(table.names).items()
    }
    return Cells(table, table.names, marks, found, {}, times)


def in_blocks(file: File, plan: Plan, units: Units) -> Cells:
    """Return what a delimited text says; it is in memory block by block. What is amiss is `IrregularError`."""
    delimiter = delimiter_in(file, plan)
    names = header_of(file, delimiter, plan.skip)
    words = [name for name in dict.fromkeys([*plan.series.values(), plan.flags]) if name]
    values = units(names)
    if not {*plan.clock.columns, *words, *values, *plan.columns} <= set(names):
        raise IrregularError
    kinds = [np.int64, np.bool_, *(kind for _ in values for kind in (np.int64, np.bool_, np.int16))]

    def turn(block: pa.Table) -> list[np.ndarray]:
        marks = _marks(_time_cells(block, plan), plan.clock.layout)
        if some(marks.bad) or some(marks.between):
            raise IrregularError
        parts = (part for name, unit in values.items() for part in _fine(block.column(name), unit, plan))
        return [marks.seconds, marks.local, *parts]

    table, columns = read_early(file, turn, kinds, words, delimiter=delimiter, skip=plan.skip)
    clear = alike(False, len(table))
    seconds, local, *rest = columns
    if some(local) and not every(local):
        raise IrregularError
    marks = Marks(seconds, alike(some(local), len(table)), clear, clear)
    of_each = list(zip(values, rest[::3], rest[1::3], rest[2::3], strict=True))
    found = {name: Numbers(whole, null, clear) for name, whole, null, _ in of_each}
    return Cells(table, names, marks, found, {name: lost for name, _, _, lost in of_each}, None)


def delimiter_in(file: File, plan: Plan) -> str:
    """Return what stands between the cells of a text: what the mapping says, or what its header has most of."""
    lines = file.head_lines
    return plan.delimiter or delimiter_of(lines[plan.skip] if len(lines) > plan.skip else "")


def _fine(column: pa.ChunkedArray, unit: Unit, plan: Plan) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the numbers of a column int64[n], which of them are null bool[n], and what they lost int16[n]."""
    finer = FINER if unit.kind != "weight" else 0
    scale = 10**finer
    missing = (*MISSING, *plan.missing)
    found = numbers(one_array(column), unit.digits + finer, missing, plan.locale, MAX_CELL * scale)
    if some(found.bad):
        raise IrregularError
    whole = found.values // scale
    return whole, found.null, (found.values - whole * scale).astype(np.int16)


def _has_fraction(cells: pa.Array) -> np.ndarray:
    """bool[n]: times in ISO 8601 with a fraction of a second that is not zero."""
    import pyarrow.compute as pc

    found = pc.match_substring_regex(pc.utf8_trim_whitespace(as_text(cells)), _FRACTION)
    fractions: np.ndarray = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
    return fractions


def _time_cells(columns: pa.Table, plan: Plan) -> pa.Array:
    """Return the cells of the time column; of several, their texts joined by a blank."""
    import pyarrow.compute as pc

    cells = [one_array(columns[name]) for name in plan.clock.columns]
    if len(cells) == 1:
        return cells[0]
    return pc.binary_join_element_wise(*(pc.utf8_trim_whitespace(as_text(one)) for one in cells), " ")


def _marks(cells: pa.Array, layout: str) -> Marks:
    """Read times as a mapping lays them out."""
    none = np.zeros(len(cells), dtype=bool)
    if layout in {UNIX, UNIX_MS}:
        found = numbers(cells, 3 if layout == UNIX else 0)
        seconds, fraction = np.divmod(found.values, 1000)
        wild = (seconds < FIRST_S) | (seconds > LAST_S)
        return Marks(seconds, none, found.bad | found.null | wild, fraction != 0)
    if layout == ISO:
        aware, walls = times_of(cells, None), times_of(cells, "UTC")
        bad = walls.null | walls.unreadable
        between = bad & _has_fraction(cells) if bad.any() else none
        return Marks(walls.earliest, aware.naive & ~aware.null, bad & ~between, between)
    times = labels_of(cells, layout)
    return Marks(times.seconds, np.full(len(cells), "%z" not in layout), times.bad, none)
