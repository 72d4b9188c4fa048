"""What is lost by rounding down to whole W or Wh, where it is enough to be noticed: in the hours of small systems."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.sources.cells import PLAIN, Locale, numbers
from gcr_fast.sources.clock import HOUR_S
from gcr_fast.sources.model import Reading, Readings

if TYPE_CHECKING:
    import pyarrow as pa

SHARE = 10_000
"""A loss of less than one in so many is not worth a word."""
FINER = 3
"""Decimal places that are looked at beyond the whole W or Wh."""


def note_rounding(
    readings: Readings,
    series: Iterable[Reading],
    cells: pa.ChunkedArray | pa.Array,
    first_line: int,
    digits: int,
    missing: Iterable[str] = (),
    locale: Locale = PLAIN,
) -> None:
    """Note of each of these series how much its values lost, if that is more than one part in `SHARE`.

    `cells` are the column in which they stand, from `first_line` on; the others are as of `numbers`. A series whose
    values are too large to lose as much costs a sum, and nothing else.
    """
    small = _small(series)
    if not small:
        return
    fine = numbers(cells, digits + FINER, missing, locale).values
    for one in small:
        _note(readings, one, int(fine[one.lines.astype(np.int64) - first_line].sum()) - _total(one) * 10**FINER)


def note_lost(readings: Readings, series: Iterable[Reading], lost: np.ndarray, first_line: int) -> None:
    """Note the same where it is known of each row what its value lost: int16[n], in `FINER` decimal places."""
    for one in _small(series):
        _note(readings, one, int(lost[one.lines.astype(np.int64) - first_line].sum(dtype=np.int64)))


def _small(series: Iterable[Reading]) -> list[Reading]:
    return [one for one in series if one.is_energy and len(one) * SHARE > _total(one)]


def _note(readings: Readings, one: Reading, lost: int) -> None:
    total = _total(one) * 10**FINER
    if lost * SHARE > abs(total) > 0:
        readings.notes[f"values of {one.name}"] = _said(one, lost, total)


def _total(one: Reading) -> int:
    return int(one.values.sum())


def _said(one: Reading, lost: int, total: int) -> str:
    unit, hours = ("W", one.interval_s / HOUR_S) if one.power else ("Wh", 1.0)
    energy_wh = lost / 10**FINER * hours
    percent = 100 * lost / (total + lost)
    return f"are rounded down to whole {unit}, each of {len(one):,}: {energy_wh:,.0f} Wh less in all, {percent:.2g} %"
