"""What an audit's books hold, plainly: parents, pieces and issues, the steps of the table, and faults by rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.codes import STATUSES
from gcr_fast.registry.entries import Entry
from gcr_fast.registry.lifecycle import (
    ACTIVE,
    CLAIMED,
    EXPIRED,
    FORMER,
    LOCKED,
    RESERVED,
    RETIRED,
    TRANSITIONS,
    WITHDRAWN,
)

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_PIECE = 1 << 62
"""Handles of pieces, as the journal has them, begin here."""
HELD_BACK = len(STATUSES) + 1
"""Stored state of what was locked while RESERVED; any other is the status's code + 1, and 0 is no certificate."""
STATES = HELD_BACK + 1
USED = (RETIRED, CLAIMED, EXPIRED, WITHDRAWN)
LISTED = 20

OWNED, TABLE, ENDED, CLAIM, ENTRY = "owners", "transitions", "after the end", "claims", "entries"
"""Rules that the replay watches: checks 5, 6, 7 and 9 of an audit, and that entries say what they do."""


class Faults:
    """What was found, by rule: the first of each in words, all of them counted."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.first: defaultdict[str, list[str]] = defaultdict(list)

    def note(self, rule: str, what: str) -> None:
        """Take down a fault."""
        self.counts[rule] += 1
        if len(self.first[rule]) < LISTED:
            self.first[rule].append(what)

    def of(self, rule: str) -> list[str]:
        """Return a rule's faults in words; the last of them speaks for those that are not listed."""
        more = self.counts[rule] - len(self.first[rule])
        return [*self.first[rule], *([f"and {more} more"] if more else [])]


@cache
def follows(action: str) -> np.ndarray:
    """Return int8[STATES]: the stored state that an action leads to; -1 where the table has no such step."""
    step, steps = TRANSITIONS[action], [0]
    for stored in range(1, STATES):
        status = LOCKED if stored == HELD_BACK else stored - 1
        if status not in step.starts:
            steps.append(-1)
        elif step.result == FORMER:
            steps.append((RESERVED if stored == HELD_BACK else ACTIVE) + 1)
        else:
            steps.append(HELD_BACK if action == "lock" and status == RESERVED else step.result + 1)
    return np.array(steps, dtype=np.int8)


def status_name(stored: int) -> str:
    """Return the status that a stored state shows."""
    return "none" if stored <= 0 else STATUSES[LOCKED if stored == HELD_BACK else stored - 1]


@dataclass(slots=True, eq=False)
class Parent:
    """A parent's hours: what was issued, and once something has happened to one of them, each as it is."""

    name: str
    first_row: int
    start_s: int
    step_s: int
    source: int
    country: str | None
    owner: int
    state: int
    energy: np.ndarray
    """int32 or int64[hours] Wh, read-only."""
    owners: np.ndarray | None = None
    states: np.ndarray | None = None
    traded: np.ndarray | None = None

    def open(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return owners int32, stored states int8 and whether traded, each [hours]; a state of 0 is no certificate."""
        if self.owners is None or self.states is None or self.traded is None:
            self.owners = np.full(len(self.energy), self.owner, dtype=np.int32)
            self.states = np.where(self.energy != 0, self.state, 0).astype(np.int8)
            self.traded = np.zeros(len(self.energy), dtype=bool)
        return self.owners, self.states, self.traded

    def before(self, second: int) -> int:
        """Return how many of its intervals begin before a moment."""
        return min(max(-((self.start_s - second) // self.step_s), 0), len(self.energy))


@dataclass(slots=True, eq=False)
class Piece:
    """A part of an hour."""

    row: int
    parent: int
    first: int
    wh: int
    owner: int
    state: int
    of: int
    traded: bool


@dataclass(frozen=True, eq=False)
class Issue:
    """An issue entry with its files, opened."""

    seq: int
    entry: Entry
    texts: dict[str, str]
    table: pa.Table
    blocks: list[tuple[str, np.ndarray]]
    """Segments: name, Wh [parents, hours]."""
    first_parent: int
