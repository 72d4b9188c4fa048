"""A parent as it was issued: what nothing has touched is read without asking row by row, and what repeats is shared."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from gcr_fast.registry.catalogue import Catalogue

KEPT = 64
"""Grids of times that are kept: parents of one kind and year share theirs."""


def constant(value: int, count: int, kind: type) -> np.ndarray:
    """Return `value` `count` times without taking memory for it: a column whose stride is 0, read-only."""
    column: np.ndarray = np.ndarray((count,), kind, np.array([value], kind).tobytes(), 0, (0,))
    return column


def is_constant(column: np.ndarray) -> bool:
    """Whether a column is one that `constant` made, or a slice of it."""
    return column.strides == (0,) and len(column) > 0


@lru_cache(maxsize=KEPT)
def grid_ms(start_s: int, step_s: int, hours: int) -> np.ndarray:
    """Return when each interval of a grid begins, in ms."""
    grid: np.ndarray = (start_s + np.arange(hours, dtype=np.int64) * step_s) * 1000
    grid.flags.writeable = False
    return grid


@lru_cache(maxsize=KEPT)
def _numbered(hours: int) -> np.ndarray:
    numbers = np.arange(hours, dtype=np.int64)
    numbers.flags.writeable = False
    return numbers


def certificates_of(
    catalogue: Catalogue, parent: int, low: int = 0, high: int | None = None, least_wh: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the certificates of an untouched parent's intervals low to high (None: the last), of at least so many Wh.

    As handles, starts in ms and Wh; int64[n] each.
    """
    numbers = catalogue.numbers
    block = catalogue.blocks[numbers["block"].item(parent)]
    first, hours, row = numbers["first_row"].item(parent), block.hours, block.energy[parent - block.first_parent]
    numbered, starts = _numbered(hours), grid_ms(numbers["start_s"].item(parent), numbers["step_s"].item(parent), hours)
    if low > 0 or high is not None:
        row, numbered, starts = row[low:high], numbered[low:high], starts[low:high]
    if least_wh == 1 and numbers["certificates"].item(parent) == hours:
        return numbered + first, starts, row.astype(np.int64)
    places = (row >= least_wh).nonzero()[0]
    return places + (first + low), starts.take(places), row.take(places).astype(np.int64)
