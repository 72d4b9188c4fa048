"""The quota rule against given profiles: every hour is floor or ceiling of its share, and no meter is exceeded.

Works run by run, so it needs no table of all hours: each row is compared with its own share, and the intervals whose
share is at least one unit are counted, so that a missing one is noticed at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gcr_fast.annual import Annual
from gcr_fast.codes import METERED_BASES
from gcr_fast.conversion.matching import make_plan
from gcr_fast.conversion.plan import Share
from gcr_fast.findings import Finding
from gcr_fast.periods import utc_text
from gcr_fast.profiles import profiles_from
from gcr_fast.validation.hourly import Batch


@dataclass(frozen=True)
class _RunResult:
    """What one run of a batch showed."""

    parent: int
    bad: np.ndarray
    """int64: entries of the batch that break the rule."""
    needed: int
    """Entries whose share is at least one unit."""
    positions: np.ndarray
    energy: np.ndarray


class QuotaCheck:
    """Collects evidence batch by batch; `verdict` closes it."""

    def __init__(
        self, annual: Annual, profiles: Any, unit_wh: int, default: str | None, allow_estimated: bool = False
    ) -> None:
        self.unit_wh = unit_wh
        self.plan = make_plan(annual, profiles_from(profiles, strict=False), default, True, allow_estimated)
        self.metered = [basis in METERED_BASES for basis in self.plan.bases]
        self.energy = annual.table["energy_wh"].to_numpy()
        self.have = np.zeros(len(annual), dtype=np.int64)
        used = Counter(
            share.profile.name for share, met in zip(self.plan.shares, self.metered, strict=True) if share and met
        )
        self.sharing = {name for name, count in used.items() if count > 1}
        self.issued: dict[str, np.ndarray] = {}

    def units(self, row: int, share: Share) -> int:
        """Return how many units the certificate issues: all, or what its meter has."""
        whole = int(self.energy[row]) // self.unit_wh
        if not self.metered[row]:
            return whole
        return min(whole, int(self._weights(row, share).sum()))

    def _weights(self, row: int, share: Share) -> np.ndarray:
        weights: np.ndarray = share.weights // self.unit_wh if self.metered[row] else share.weights
        return weights

    def _judged(self, row: int) -> Share | None:
        """Return the share by which a row's hours are judged; None where earlier certificates took from its meter."""
        share = self.plan.shares[row]
        shared = share is not None and self.metered[row] and share.profile.name in self.sharing
        return None if shared else share

    def examine(self, batch: Batch, bounds: np.ndarray, parents: np.ndarray) -> list[_RunResult]:
        """Compare a batch's rows with their shares; changes nothing, so it may run in any thread."""
        return [
            self._run(batch, slice(int(bounds[run]), int(bounds[run + 1])), parent)
            for run, parent in enumerate(parents.tolist())
            if parent >= 0 and self.plan.shares[parent] is not None
        ]

    @staticmethod
    def _quota(units: np.ndarray, weights: np.ndarray, every: np.ndarray, total: int, good: np.ndarray) -> int:
        from gcr_fast.kernels.check import quota

        whole = int(every.sum())
        if whole:
            return int(quota(units, weights, whole, total, good))
        good[:] = units == 0
        return 0

    def _run(self, batch: Batch, rows: slice, parent: int) -> _RunResult:
        share = self.plan.shares[parent]
        assert share is not None
        offset = batch.starts[rows] - share.period.start_s
        step = share.profile.step_s
        fits = (offset >= 0) & (offset < step * share.hours) & (offset % step == 0) & (batch.lengths[rows] == step)
        positions, energy = offset[fits] // step, batch.energy[rows][fits]
        at = rows.start + np.flatnonzero(fits)
        judged = self._judged(parent)
        if judged is None or not len(at):
            return _RunResult(parent, at[:0], 0, positions, energy)
        weights = self._weights(parent, share)
        good = np.empty(len(at), dtype=bool)
        units = energy // self.unit_wh
        needed = self._quota(units, weights[positions], weights, self.units(parent, share), good)
        good &= energy % self.unit_wh == 0
        return _RunResult(parent, at[~good], int(needed), positions, energy)

    def add(self, results: list[_RunResult]) -> Iterator[tuple[str, str, np.ndarray]]:
        """Book a batch's results. Yields (code, message, entries of the batch) for its bad rows."""
        for result in results:
            self.have[result.parent] += result.needed
            share = self.plan.shares[result.parent]
            if share is not None and self.metered[result.parent]:
                name = share.profile.name
                issued = self.issued.setdefault(name, np.zeros(len(share.profile.values), np.int64))
                np.add.at(issued, share.first + result.positions, result.energy)
            if len(result.bad):
                yield "quota_broken", "is neither floor nor ceiling of its share", result.bad

    def verdict(self, annual: Annual, counts: np.ndarray, sums: np.ndarray, tolerance_wh: int) -> list[Finding]:
        """Return what only shows at the end: hours that are missing, meters that were exceeded, no profile."""
        known = set(annual.findings)
        found = [finding for finding in self.plan.findings if finding not in known]
        for row in np.flatnonzero(counts).tolist():
            share = self._judged(row)
            if share is not None:
                found += self._missing(annual, row, share)
        for row in np.flatnonzero(self.metered).tolist():
            found += self._withheld(annual, row, int(sums[row]), tolerance_wh)
        for name, issued in self.issued.items():
            found += self._exceeded(name, issued)
        return found

    def _missing(self, annual: Annual, row: int, share: Share) -> Iterator[Finding]:
        weights = self._weights(row, share)
        nothing = np.zeros(len(weights), dtype=np.int64)
        wanted = self._quota(nothing, weights, weights, self.units(row, share), np.empty(len(weights), bool))
        lacking = int(wanted) - int(self.have[row])
        if lacking > 0:
            identity = annual.table["certificate_id"][row].as_py()
            what = f"{identity}: {lacking} intervals whose share is at least one unit have no certificate"
            yield Finding("quota_broken", what, certificate_id=identity, count=lacking)

    def _withheld(self, annual: Annual, row: int, issued_wh: int, tolerance_wh: int) -> Iterator[Finding]:
        """A residual is what the meter has no room for: whoever leaves energy must leave an empty meter."""
        share = self.plan.shares[row]
        short = int(self.energy[row]) // self.unit_wh * self.unit_wh - issued_wh
        if share is None or short <= tolerance_wh:
            return
        span = slice(share.first, share.first + share.hours)
        metered, issued = share.profile.values[span], self.issued.get(share.profile.name)
        left = metered if issued is None else (metered - issued[span]).clip(0)
        room = int((left // self.unit_wh).sum()) * self.unit_wh
        if room:
            identity = annual.table["certificate_id"][row].as_py()
            what = f"{identity}: {short} Wh were not issued, though its meter has {room} Wh left"
            yield Finding("total_mismatch", what, row=row, certificate_id=identity, column="energy_wh")

    def _exceeded(self, name: str, issued: np.ndarray) -> Iterator[Finding]:
        profile = next(s.profile for s in self.plan.shares if s is not None and s.profile.name == name)
        for at in np.flatnonzero(issued > profile.values).tolist():
            when = utc_text(profile.start_s + at * profile.step_s)
            what = f"{name}: {int(issued[at])} Wh issued at {when}, {int(profile.values[at])} Wh metered"
            yield Finding("over_metered_hour", what, profile=name, value=when)
