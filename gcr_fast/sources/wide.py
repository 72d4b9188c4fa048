"""A table with one row per time and one column per series: what most exports are, once their times are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gcr_fast.columns import alike, every, some
from gcr_fast.flags import Flags, taken
from gcr_fast.memory import empty
from gcr_fast.sources.cells import PLAIN, Locale, Numbers, numbers, report
from gcr_fast.sources.files import Table
from gcr_fast.sources.model import Reading, Readings
from gcr_fast.sources.words import Kind

LONG_RUN = 64
"""Rows one after another, on average, that are worth copying as one."""


@dataclass(frozen=True)
class Column:
    """What one column of a wide table holds."""

    kind: Kind
    area: str = ""
    device_id: str | None = None


@dataclass(frozen=True)
class Layout:
    """How the cells of a wide table are to be read."""

    digits: int
    """Decimal places that make W or Wh of the file's unit: 6 for MW and MWh."""
    power: bool
    interval_s: int
    missing: tuple[str, ...] = ()
    """Words for a value that should be there and is not."""
    absent: tuple[str, ...] = ()
    """Words for a series that the area does not have: a column of nothing else is left out."""
    locale: Locale = PLAIN


def wide(
    readings: Readings,
    table: Table,
    starts: np.ndarray,
    rows: np.ndarray,
    columns: Mapping[str, Column],
    layout: Layout,
    quality: Callable[[str], np.ndarray | None] = lambda name: None,
    read: Mapping[str, Numbers] | None = None,
    flags: Flags | None = None,
) -> None:
    """Add a reading for each of `columns`. `starts` int64[n] are UTC, of the rows `rows` int64[n] of the table.

    `read` has the numbers of every column where they were read before, `flags` what the table says of its rows.
    Columns without one value are left out and accounted for; a cell that is no number is a finding.
    """
    whole = len(rows) == len(table)
    lines = table.lines if whole else rows + table.first_line
    clear = alike(False, len(rows))
    chosen, flags = _Chosen(rows[:0] if whole else rows), taken(flags, rows)
    for name, column in columns.items():
        found = read[name] if read else _read(table, name, layout)
        if not whole and not every(found.null):
            found = Numbers(chosen.among(found.values), chosen.of(found.null), chosen.of(found.bad))
        if every(found.null):
            readings.left_out[name] = "no value in any row"
            continue
        if some(found.bad):
            cells = table.columns[name].combine_chunks()
            report(readings.findings, readings.file, found.bad, lines, name, cells.take(rows), "is not a number")
        readings.series.append(
            Reading(
                kind=column.kind.slug,
                area=column.area,
                role=column.kind.role,
                power=layout.power,
                starts=starts,
                interval_s=layout.interval_s,
                values=found.values,
                null=found.null if some(found.null) else clear,
                lines=lines,
                source_type=column.kind.source_type,
                device_id=column.device_id,
                column=name,
                quality=quality(name),
                flags=flags,
            )
        )


class _Chosen:
    """Some rows of a table's columns; of masks that several columns share they are taken once."""

    def __init__(self, rows: np.ndarray) -> None:
        self._rows = rows
        self._taken: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        cuts = (np.flatnonzero(np.diff(rows) != 1) + 1).tolist()
        spans = pairwise([0, *cuts, len(rows)]) if len(cuts) * LONG_RUN < len(rows) else ()
        self._runs = [slice(int(rows[first]), int(rows[stop - 1]) + 1) for first, stop in spans]
        """The rows as slices, if they are long: those are copied, where single cells have to be looked up."""

    def among(self, values: np.ndarray) -> np.ndarray:
        """Return values[rows]."""
        chosen = empty(len(self._rows), values.dtype.type)
        if self._runs:
            np.concatenate([values[run] for run in self._runs], out=chosen)
        else:
            np.take(values, self._rows, out=chosen)
        return chosen

    def of(self, mask: np.ndarray) -> np.ndarray:
        """Return mask[rows]."""
        if mask.strides == (0,):
            return mask[: len(self._rows)]
        if id(mask) not in self._taken:
            self._taken[id(mask)] = (mask, self.among(mask))  # held, so that its identity stays its own
        return self._taken[id(mask)][1]


def _read(table: Table, name: str, layout: Layout) -> Numbers:
    return numbers(table.columns[name], layout.digits, (*layout.missing, *layout.absent), layout.locale)


def step_of(starts: np.ndarray, default: int = 0) -> int:
    """Return the most frequent distance of neighbouring times, in seconds.

    Of one time alone there is none: `default`, where a format tells it, else 0, with which a file is refused.
    """
    ascending = len(starts) > 1 and bool((starts[1:] > starts[:-1]).all())
    gaps = np.diff(starts if ascending else np.unique(starts))
    if not len(gaps):
        return default
    lengths, counts = np.unique(gaps, return_counts=True)
    return int(lengths[np.argmax(counts)])
