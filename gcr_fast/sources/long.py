"""A table with one row per time and series: the series are told apart by one or several columns of words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.columns import encode_text
from gcr_fast.flags import Flags, taken
from gcr_fast.sources.cells import Numbers
from gcr_fast.sources.model import Reading, Readings
from gcr_fast.sources.wide import Column
from gcr_fast.sources.words import kind_of

if TYPE_CHECKING:
    import pyarrow as pa

Words = tuple[str, ...]
MANY = 1 << 16
"""Fewer possible keys are counted, more are sorted."""
Describe = Callable[[Words], Column | str]
"""What the series of these words is, or in words why it is left out."""


def of_kind(area: str) -> Describe:
    """Return what describes the series of an area that are told apart by the one word of their kind."""

    def describe(words: Words) -> Column | str:
        kind = kind_of(words[0])
        return Column(kind, area) if kind else "not known"

    return describe


def series_keys(columns: Sequence[pa.ChunkedArray | pa.Array]) -> tuple[np.ndarray, list[Words]]:
    """Return (key int64[n], words of each key): one key for each distinct combination of trimmed cells."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    words: list[Words] = [()]
    for column in columns:
        codes, values = encode_text(column)
        texts = [*("" if value is None else str(value).strip() for value in values), ""]
        joined = key * len(texts) + np.where(codes < 0, len(texts) - 1, codes)
        distinct, key = _distinct(joined, len(words) * len(texts))
        words = [(*words[pair // len(texts)], texts[pair % len(texts)]) for pair in distinct.tolist()]
    return key, words


def _distinct(numbers: np.ndarray, end: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct ones of numbers int64[n] from 0 to below `end`, ascending, and which of them each is."""
    if end > MANY:
        distinct, places = np.unique(numbers, return_inverse=True)
        return distinct, places.astype(np.int64)
    there = np.bincount(numbers, minlength=end) > 0
    return np.flatnonzero(there), (np.cumsum(there) - 1)[numbers]


class Times:
    """Series that have the same ascending times share them. Other times may repeat, and are each series' own matter."""

    def __init__(self) -> None:
        self._last = np.zeros(0, dtype=np.int64)

    def of(self, starts: np.ndarray) -> np.ndarray:
        """Return these times int64[n], or the same ones as they were given before."""
        if not np.array_equal(starts, self._last):
            self._last = starts if (starts[1:] > starts[:-1]).all() else np.zeros(0, dtype=np.int64)
            return starts
        return self._last


def span(rows: np.ndarray) -> np.ndarray | slice:
    """Return rows, which ascend, as a slice if none between them is left out: then nothing has to be copied."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def long(
    readings: Readings,
    key: np.ndarray,
    words: Sequence[Words],
    describe: Describe,
    starts: np.ndarray,
    found: Numbers,
    lines: np.ndarray,
    *,
    power: bool,
    interval_s: int | Callable[[Words], int],
    quality: np.ndarray | None = None,
    flags: Flags | None = None,
) -> None:
    """Add a reading for each key. All arrays are [n], in the file's order; `starts` are UTC.

    A series that is left out is accounted for by its words and rows; one without any value as well.
    """
    order = np.argsort(key, kind="stable")
    bounds = np.searchsorted(key[order], np.arange(len(words) + 1))
    begins = Times()
    for code, name in enumerate(words):
        rows = span(order[bounds[code] : bounds[code + 1]])
        column, said = describe(name), " ".join(filter(None, name))
        count = int(bounds[code + 1] - bounds[code])
        if isinstance(column, Column) and count and found.null[rows].all():
            column = "no value in any row"
        if isinstance(column, str):
            readings.left_out[said] = column
            continue
        if not count:
            continue
        readings.series.append(
            Reading(
                kind=column.kind.slug,
                area=column.area,
                role=column.kind.role,
                power=power,
                starts=begins.of(starts[rows]),
                interval_s=interval_s if isinstance(interval_s, int) else interval_s(name),
                values=found.values[rows],
                null=found.null[rows],
                lines=lines[rows],
                source_type=column.kind.source_type,
                device_id=column.device_id,
                column=said,
                quality=None if quality is None or not quality[rows].any() else quality[rows],
                flags=taken(flags, rows),
            )
        )
