"""One interval of each of many parents: found by position in every segment, without going from parent to parent."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gcr_fast.registry.catalogue import Catalogue
    from gcr_fast.registry.state import State

Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def columns_of(state: State, parents: np.ndarray, places: np.ndarray) -> tuple[Columns, np.ndarray | None]:
    """Return one row of each parent, int64[n] ascending: the interval `places` int64[n] of it.

    As handles, parents, starts in ms, Wh (0: no certificate), owners and stored states, int64[n] each; and bool[n]:
    which were traded, None if nothing was touched.
    """
    catalogue = state.catalogue
    handles, start_s, step_s, owners, states = (
        column if len(parents) == len(catalogue) else column.take(parents)
        for column in (catalogue.numbers[name] for name in ("first_row", "start_s", "step_s", "owner", "state"))
    )
    handles = handles + places
    wh, traded = np.empty(len(parents), np.int64), None
    if state.touched:
        owners, states, traded = owners.copy(), states.copy(), np.zeros(len(parents), bool)
    for number, low, high in _spans(catalogue, parents):
        columns, local = state.columns[number], handles[low:high] - catalogue.blocks[number].first_row
        wh[low:high] = columns.block.flat.take(local)
        if traded is not None and len(columns.owners):
            held, stored = columns.owners.take(local), columns.states.take(local)
            traded[low:high] = held != 0
            np.copyto(owners[low:high], held, where=held != 0)
            np.copyto(states[low:high], stored, where=stored != 0)
    return (handles, parents, (start_s + places * step_s) * 1000, wh, owners, states), traded


def _spans(catalogue: Catalogue, parents: np.ndarray) -> list[tuple[int, int, int]]:
    """Return each segment that some parents are in, and where they begin and end among them."""
    edges = parents.searchsorted(catalogue.first_parents).tolist()
    return [(at, low, high) for at, (low, high) in enumerate(pairwise(edges)) if low < high]
