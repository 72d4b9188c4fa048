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
def _grid_ms(start_s: int, step_s: int, hours: int) -> np.ndarray:
    grid = (start_s + np.arange(hours, dtype=np.int64) * step_s) * 1000
    grid.flags.writeable = False
    return grid


def columns_of(
    catalogue: Catalogue, parent: int, low: int, high: int, least_wh: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the certificates of an untouched parent's intervals low to high, of at least so many Wh.

    As handles, parents, starts in ms, Wh, owners and stored states; int64[n] each, states int8[n].
    """
    numbers = catalogue.numbers
    block = catalogue.blocks[numbers["block"].item(parent)]
    row, first = block.energy[parent - block.first_parent], numbers["first_row"].item(parent)
    hours = block.hours
    starts = _grid_ms(numbers["start_s"].item(parent), numbers["step_s"].item(parent), hours)
    if least_wh == 1 and numbers["certificates"].item(parent) == hours:
        handles, starts = np.arange(first + low, first + high), starts[low:high]
        energy = row[low:high].astype(np.int64)
    else:
        places = (row[low:high] >= least_wh).nonzero()[0]
        places += low
        energy, starts = row[places].astype(np.int64), starts[places]
        places += first
        handles = places
    count = len(handles)
    owner, state = numbers["owner"].item(parent), numbers["state"].item(parent)
    return (
        handles, constant(parent, count, np.int64), starts, energy, constant(owner, count, np.int64),
        constant(state, count, np.int8),
    )  # fmt: skip
