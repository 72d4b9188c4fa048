"""A table with one row per time and series: the series are told apart by one or several columns of words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.columns import encode_text
from gcr_fast.flags import Flags, taken
from gcr_fast.sources.cells import Numbers
from gcr_fast.sources.model import Reading, Readings
from gcr_fast.sources.portions import PORTION
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
    """Return (key int32[n], words of each key): one key for each distinct combination of trimmed cells."""
    key = np.zeros(len(columns[0]), dtype=np.int32)
    words: list[Words] = [()]
    for column in columns:
        codes, values = encode_text(column)
        texts = [*("" if value is None else str(value).strip() for value in values), ""]
        distinct = _join(key, len(words), codes, len(texts))
        words = [(*words[pair // len(texts)], texts[pair % len(texts)]) for pair in distinct.tolist()]
    return key, words


def _join(key: np.ndarray, keys: int, codes: np.ndarray, size: int) -> np.ndarray:
    """Make `key` int32[n], of `keys`, tell apart also by `codes` int32[n] below `size`, of which -1 is the last.

    Return the distinct pairs int64[k], ascending, of key * size + code. Few of them are joined portion by portion.
    """

    def pairs(rows: slice) -> np.ndarray:
        some = codes[rows]
        return key[rows].astype(np.int64) * size + np.where(some < 0, size - 1, some)

    if keys * size > MANY:
        distinct, places = np.unique(pairs(slice(None)), return_inverse=True)
        key[:] = places
        return distinct
    portions = [slice(first, first + PORTION) for first in range(0, len(key), PORTION)]
    there = np.zeros(keys * size, dtype=bool)
    for rows in portions:
        there |= np.bincount(pairs(rows), minlength=keys * size) > 0
    places = np.cumsum(there) - 1
    for rows in portions:
        key[rows] = places[pairs(rows)]
    return np.flatnonzero(there)


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

    Where a row has m intervals, `starts`, `lines` and what was `found` are [n, m], and there is no more than those.
    A series that is left out is accounted for by its words and rows; one without any value as well.
    """
    order = np.argsort(key, kind="stable").astype(np.int32)
    bounds = np.append(0, np.cumsum(np.bincount(key, minlength=len(words))))
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
                starts=begins.of(starts[rows].ravel()),
                interval_s=interval_s if isinstance(interval_s, int) else interval_s(name),
                values=found.values[rows].ravel(),
                null=found.null[rows].ravel(),
                lines=lines[rows].ravel(),
                source_type=column.kind.source_type,
                device_id=column.device_id,
                column=said,
                quality=None if quality is None or not quality[rows].any() else quality[rows],
                flags=taken(flags, rows),
            )
        )
