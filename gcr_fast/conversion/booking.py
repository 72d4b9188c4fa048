"""How much of each certificate is issued: meters shared, the shorter periods first; whole units, residuals, capacity.

Runs before the first hour is handed out, so that a refusal is complete. Where a cheap bound cannot prove that all
is well, the hours themselves are computed and looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from gcr_fast.conversion.matching import residual_verdict
from gcr_fast.conversion.plan import Lot, Plan, Share
from gcr_fast.errors import UsageError
from gcr_fast.periods import utc_text
from gcr_fast.units import mwh_text

DEFAULT_MARGIN = "1.1"


def parse_margin(value: str | float) -> Fraction:
    """Return a capacity margin as an exact fraction: 1.1 is 11/10."""
    try:
        margin = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"capacity_margin must be a number such as 1.1, not {value!r}") from None
    if margin <= 0:
        raise UsageError(f"capacity_margin must be above 0, not {value}")
    return margin


class Meter:
    """What is left of one metered profile; apportions certificates on it one after another."""

    def __init__(self, share: Share, method: str, unit_wh: int, left: np.ndarray | None = None) -> None:
        self.left = (share.profile.values if left is None else left).copy()
        self.method = method
        self.unit_wh = unit_wh

    def units(self, share: Share) -> np.ndarray:
        """Return int64[m]: whole units left in the share's intervals."""
        span: np.ndarray = self.left[share.first + share.positions] // self.unit_wh
        return span

    def take(self, share: Share, energy_wh: int) -> np.ndarray:
        """Apportion `energy_wh` (at most what is left) on the units left, and deduct it. Returns int64[m] Wh."""
        weights = self.units(share)
        hours: np.ndarray = apportion(self.method, weights, np.array([energy_wh], dtype=np.int64), self.unit_wh)[0]
        self.left[share.first + share.positions] -= hours
        return hours


def apportion(method: str, weights: np.ndarray, totals_wh: np.ndarray, unit_wh: int) -> np.ndarray:
    """Spread each total over the same weights. Returns int64[k, m] Wh; an empty meter takes nothing."""
    out = np.zeros((len(totals_wh), len(weights)), dtype=np.int64)
    fill(method, weights, running(weights), totals_wh // unit_wh, out)
    return out if unit_wh == 1 else out * unit_wh


def running(weights: np.ndarray) -> np.ndarray:
    """Return int64[m + 1]: running sums from 0."""
    sums: np.ndarray = np.concatenate([np.zeros(1, np.int64), np.cumsum(weights)])
    return sums


def fill(method: str, weights: np.ndarray, prefix: np.ndarray, totals: np.ndarray, out: np.ndarray) -> None:
    """Run the method's kernel over totals int64[k] into `out` int64[k, m]; a sum of 0 leaves `out` as it is."""
    from gcr_fast.kernels import apportion as kernels

    if prefix[-1] == 0:
        return
    if method == "cumulative":
        kernels.cumulative(prefix, totals, out)
    else:
        kernels.largest_remainder(weights, prefix[-1], totals, np.empty_like(weights), out)


def book(plan: Plan, method: str, unit_wh: int, margin: Fraction) -> None:
    """Set `plan.issue_wh`, and report every certificate that cannot be issued as it stands."""
    limits = _capacity_limits(plan, margin)
    for lot in plan.lots:
        if not lot.metered:
            _book_units(plan, lot, unit_wh)
            _check_capacity(plan, lot, method, unit_wh, limits)
    meters: dict[str, list[Lot]] = {}
    for lot in plan.lots:
        if lot.metered:
            meters.setdefault(lot.share.profile.name, []).append(lot)
    for lots in meters.values():
        with plan.in_file_order():
            _book_meter(plan, lots, method, unit_wh, limits)


def _book_units(plan: Plan, lot: Lot, unit_wh: int) -> None:
    """Whole units are issued; the rest of each certificate is a residual."""
    if unit_wh == 1:
        return
    rest = plan.issue_wh[lot.rows] % unit_wh
    for row, part in zip(lot.rows[rest > 0].tolist(), rest[rest > 0].tolist(), strict=True):
        what = f"{mwh_text(part)} MWh is less than one certificate of {unit_wh} Wh"
        _residual(plan, row, part, what)


def _book_meter(plan: Plan, lots: list[Lot], method: str, unit_wh: int, limits: dict[int, int]) -> None:
    """Let the certificates of one meter take their energy, turn by turn, in file order within each."""
    meter = Meter(lots[0].share, method, unit_wh)
    simple = unit_wh == 1 and len(lots) == 1 and not _bound_fails(plan, lots[0], limits)
    room = lots[0].share.total
    for lot in _by_turns(plan, lots, meter):
        for row in lot.rows.tolist():
            if not simple:
                room = int(meter.units(lot.share).sum()) * unit_wh
            _book_metered(plan, row, room, unit_wh)
            if simple:
                room -= int(plan.issue_wh[row])
            else:
                hours = meter.take(lot.share, int(plan.issue_wh[row]))
                _check_row(plan, row, lot.share, hours, limits)


def _by_turns(plan: Plan, lots: list[Lot], meter: Meter) -> Iterator[Lot]:
    """Yield a meter's lots by turns; what a turn finds is kept for whoever makes the hours in file order."""
    ordered = sorted(lots, key=lambda lot: lot.turn)  # stable: file order among equals
    before = 0
    for lot in ordered:
        if lot.turn != before and ordered != lots:
            plan.left[lot.share.profile.name, lot.turn] = meter.left.copy()
        before = lot.turn
        yield lot


def _book_metered(plan: Plan, row: int, room: int, unit_wh: int) -> None:
    energy = int(plan.issue_wh[row])
    issue = min(energy, room) // unit_wh * unit_wh
    what = f"{mwh_text(energy)} MWh, but its meter has {mwh_text(room)} MWh left"
    if issue < energy:
        _residual(plan, row, energy - issue, what)
    plan.issue_wh[row] = issue


def _residual(plan: Plan, row: int, excess_wh: int, what: str) -> None:
    permitted = plan.annual.table["residual_permitted"][row].as_py()
    verdict = residual_verdict(excess_wh, permitted)
    plan.report(verdict, row, f"{what}: residual {mwh_text(excess_wh)} MWh", column="energy_wh")
    plan.issue_wh[row] -= excess_wh if verdict == "residual_booked" else 0


def _capacity_limits(plan: Plan, margin: Fraction) -> dict[int, int]:
    """Return, for each row with a capacity, the most Wh that one interval may hold."""
    limits = {}
    for row, capacity in enumerate(plan.annual.table["capacity_w"].to_pylist()):
        share = plan.shares[row]
        if capacity is not None and share is not None:
            limits[row] = int(capacity * share.profile.step_s * margin / 3600)
    return limits


def _bound_fails(plan: Plan, lot: Lot, limits: dict[int, int]) -> bool:
    """Whether the meter's largest interval is above the limit of any certificate of a metered lot."""
    largest = int(lot.share.weights.max())
    return any(largest > limits[row] for row in lot.rows.tolist() if row in limits)


def _check_capacity(plan: Plan, lot: Lot, method: str, unit_wh: int, limits: dict[int, int]) -> None:
    """By the quota rule no interval exceeds the ceiling of its share: only where that is too much, look at hours."""
    share = lot.share
    largest = int(share.weights.max())
    for row in lot.rows.tolist():
        if row not in limits:
            continue
        units = int(plan.issue_wh[row]) // unit_wh
        if (-(-units * largest // share.total)) * unit_wh > limits[row]:
            total = plan.issue_wh[row : row + 1]
            _check_row(plan, row, share, apportion(method, share.weights, total, unit_wh)[0], limits)


def _check_row(plan: Plan, row: int, share: Share, hours: np.ndarray, limits: dict[int, int]) -> None:
    if row not in limits:
        return
    over = np.flatnonzero(hours > limits[row])
    if len(over):
        first = int(over[0])
        when = utc_text(int(share.pattern.starts_s[first]))
        what = f"{int(hours[first])} Wh at {when} exceed capacity x margin, {limits[row]} Wh; {len(over)} such hours"
        plan.report("over_capacity", row, what, column="capacity_w", value=when, count=len(over))
