"""What will be converted: lots of certificates, each on one profile over one period, and whose turn it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np

from gcr_fast.annual import Annual
from gcr_fast.codes import METERED_BASES
from gcr_fast.findings import Findings
from gcr_fast.grid.shapes import Profile
from gcr_fast.periods import Period


@dataclass(frozen=True, eq=False)
class Pattern:
    """The intervals of a period that can receive energy; certificates with the same pattern share their columns."""

    starts_s: np.ndarray
    """int64[m] UTC seconds, ascending."""
    step_s: int

    @property
    def key(self) -> tuple[int, bytes]:
        """Equal for equal patterns."""
        return self.step_s, self.starts_s.tobytes()


@dataclass(frozen=True, eq=False)
class Share:
    """One profile over one period."""

    profile: Profile
    period: Period
    first: int
    """Grid position of the period's first interval."""
    positions: np.ndarray
    """int64[m]: offsets from `first` of the intervals that can receive energy."""
    pattern: Pattern
    weights: np.ndarray
    """int64[m]."""

    @cached_property
    def prefix(self) -> np.ndarray:
        """int64[m + 1]: running sums of the weights from 0."""
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(self.weights)])

    @property
    def total(self) -> int:
        """Sum of the weights."""
        return int(self.prefix[-1])

    @property
    def hours(self) -> int:
        """Intervals in the period."""
        return self.period.intervals(self.profile.step_s)

    @property
    def span(self) -> slice:
        """The period's grid positions."""
        return slice(self.first, self.first + self.hours)

    @property
    def values(self) -> np.ndarray:
        """int64[hours]: the period's intervals, those that receive nothing included."""
        return self.profile.values[self.span]

    @property
    def clipped_wh(self) -> int:
        """Negative generation in the period that issues nothing (0 for weights)."""
        return int(self.profile.clipped[self.span].sum()) if self.profile.is_energy else 0


@dataclass(frozen=True, eq=False)
class Lot:
    """Certificates on one share, in file order. A metered lot takes from what its meter has left."""

    share: Share
    rows: np.ndarray
    """int64[k]: rows of the annual table."""
    metered: bool
    turn: int = 0
    """When it takes from its meter: after all lots of earlier turns, in file order among those of its own."""


@dataclass
class Plan:
    """What will be converted: the lots, and per certificate what it names, takes and leaves."""

    annual: Annual
    lots: list[Lot] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    shares: list[Share | None] = field(default_factory=list)
    bases: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    issue_wh: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    """int64[rows]: energy to issue; the rest of `energy_wh` is residual."""
    left: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)
    """int64[n] Wh, by profile and turn: what earlier turns leave of a meter, if its lots are not in order of turns."""
    codes: dict[int, list[str]] = field(default_factory=dict)
    """Finding codes of each row that has any."""

    def report(self, code: str, row: int, message: str, **more: Any) -> None:
        """Record a finding about one certificate."""
        source = self.annual.source
        identity = self.annual.table["certificate_id"][row].as_py()
        place = {
            "file": source.name or None,
            "row": row,
            "line": source.line(row),
            "certificate_id": identity,
        }
        self.findings.add(code, f"{identity}: {message}", **place, **more)
        self.codes.setdefault(row, []).append(code)

    @contextmanager
    def in_file_order(self) -> Iterator[None]:
        """Put what is reported meanwhile, in whatever order, into that of the rows."""
        before, self.findings = self.findings, Findings()
        yield
        before.extend(sorted(self.findings, key=lambda one: one.row or 0))
        self.findings = before


def group(plan: Plan) -> None:
    """Form lots: unmetered by pattern and share; metered by meter, in file order."""
    free: dict[int, dict[int, list[int]]] = {}
    metered: dict[str, list[int]] = {}
    for row, share in enumerate(plan.shares):
        if share is None:
            continue
        if plan.bases[row] in METERED_BASES:
            metered.setdefault(share.profile.name, []).append(row)
        else:
            free.setdefault(id(share.pattern), {}).setdefault(id(share), []).append(row)
    for shares in free.values():
        plan.lots += [_lot(plan, rows, metered=False) for rows in shares.values()]
    for rows in metered.values():
        turns = _turns([share for row in rows if (share := plan.shares[row]) is not None])
        plan.lots += [_lot(plan, run, True, turns[id(plan.shares[run[0]])]) for run in _runs(plan, rows)]


def _lot(plan: Plan, rows: list[int], metered: bool, turn: int = 0) -> Lot:
    share = plan.shares[rows[0]]
    assert share is not None
    return Lot(share, np.array(rows, dtype=np.int64), metered, turn)


def _turns(shares: list[Share]) -> dict[int, int]:
    """Return the turn of each share of one meter, by identity: one is after all shorter ones that its period meets.

    All of one length have one turn. Where periods lie within each other, so they fit whenever they fit in any order.
    """
    distinct = {id(share): share for share in shares}
    if len(distinct) == 1:
        return dict.fromkeys(distinct, 0)
    taken, turns = np.zeros(len(shares[0].profile.values), dtype=np.int64), dict[int, int]()
    for _, alike in groupby(sorted(distinct.values(), key=_hours), _hours):
        group = list(alike)
        turn = max(int(taken[share.span].max()) for share in group)
        for share in group:
            taken[share.span], turns[id(share)] = turn + 1, turn
    return turns


def _hours(share: Share) -> int:
    return share.hours


def _runs(plan: Plan, rows: list[int]) -> Iterable[list[int]]:
    """Split a meter's rows where the period changes, keeping their order."""
    run: list[int] = []
    for row in rows:
        if run and plan.shares[row] is not plan.shares[run[-1]]:
            yield run
            run = []
        run.append(row)
    yield run
