"""How owners and states are stored: codes of states and what follows them, columns over rows, the table of pieces."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np

from gcr_fast.codes import STATUSES
from gcr_fast.periods import FIRST_YEAR, LAST_YEAR
from gcr_fast.registry.catalogue import Block
from gcr_fast.registry.lifecycle import ACTIVE, FORMER, LOCKED, RESERVED, TRANSITIONS, transition

PIECE = 1 << 62
"""Handles from here on are pieces: piece k is PIECE + k. Handles below are rows."""

STORED = len(STATUSES) + 2
"""How many stored states there are: none, every status + 1, and LOCKED out of RESERVED."""
LOCKED_RESERVED = STORED - 1
VISIBLE = np.array([0, *range(len(STATUSES)), LOCKED], dtype=np.int8)
"""The status that each stored state shows."""
CHANGES = tuple(action for action in TRANSITIONS if action != "split")
"""Kinds of entries that change certificates."""


@cache
def months() -> np.ndarray:
    """Return the starts of all months that a certificate can fall in, and the end of the last: int64 UTC seconds."""
    span = np.arange(f"{FIRST_YEAR - 1}-01", f"{LAST_YEAR + 2}-01", dtype="datetime64[M]")
    return span.astype("datetime64[s]").astype(np.int64)


def zeros_by_month() -> np.ndarray:
    """Return int64[months, stored states, 2]: sums of nothing."""
    return np.zeros((len(months()) - 1, STORED, 2), dtype=np.int64)


@cache
def becomes(action: str) -> np.ndarray:
    """Return int8[stored states]: the stored state that follows an action; 0 where nothing changes."""
    step = transition(action)
    after = np.zeros(STORED, dtype=np.int8)
    for status in step.starts:
        if step.result == FORMER:
            after[status + 1] = ACTIVE + 1
        elif action != "trade":
            after[status + 1] = step.result + 1
    if action == "unlock":
        after[LOCKED_RESERVED] = RESERVED + 1
    elif action == "lock":
        after[RESERVED + 1] = LOCKED_RESERVED
    elif LOCKED in step.starts:
        after[LOCKED_RESERVED] = step.result + 1
    return after


@cache
def may(action: str) -> np.ndarray:
    """Return bool[stored states]: whether the action may happen in each."""
    starts = np.zeros(STORED, dtype=bool)
    starts[[status + 1 for status in transition(action).starts]] = True
    starts[LOCKED_RESERVED] = LOCKED in transition(action).starts
    return starts


class Growing:
    """An int64 table that rows are appended to, without copying it each time."""

    def __init__(self, columns: int) -> None:
        self._rows = np.zeros((64, columns), dtype=np.int64)
        self.count = 0

    def __len__(self) -> int:
        return self.count

    @property
    def rows(self) -> np.ndarray:
        """int64[count, columns], a view."""
        return self._rows[: self.count]

    def append(self, rows: np.ndarray) -> None:
        """Add int64[k, columns] (or one row)."""
        rows = np.atleast_2d(rows)
        need = self.count + len(rows)
        if need > len(self._rows):
            grown = np.zeros((max(need, 2 * len(self._rows)), self._rows.shape[1]), dtype=np.int64)
            grown[: self.count] = self.rows
            self._rows = grown
        self._rows[self.count : need] = rows
        self.count = need

    def add(self, *values: int) -> None:
        """Add one row."""
        if self.count == len(self._rows):
            self.append(np.array([values], dtype=np.int64))
            return
        self._rows[self.count] = values
        self.count += 1


PIECE_COLUMNS = ("row", "first_wh", "energy_wh", "owner", "state", "of", "traded")
ROW, FIRST, WH, OWNER, STATE, OF, TRADED = range(len(PIECE_COLUMNS))
"""Columns of the table of pieces; `of` is the handle that was split, `traded` 1 once it has changed hands."""


@dataclass
class Columns:
    """Owners and states over the rows of one segment; empty until something is touched."""

    block: Block
    owners: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    states: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int8))

    def touch(self) -> None:
        """Make the columns. Their memory is only taken where it is written."""
        if not len(self.owners):
            self.owners = np.zeros(self.block.rows, dtype=np.int32)
            self.states = np.zeros(self.block.rows, dtype=np.int8)


@dataclass
class Born:
    """What the parents of one segment were issued with, as the kernels take it."""

    owners: np.ndarray
    states: np.ndarray
    starts: np.ndarray
    steps: np.ndarray
    sources: np.ndarray
