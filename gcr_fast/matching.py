"""Which profile spreads which certificate, and whether it may: every check that precedes the first hour.

The result is a plan of lots, each a run of certificates on one profile over one period. Nothing is converted while
any certificate has an error; the refusal names them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np

from gcr_fast.annual import UNREAD_PERIOD, Annual
from gcr_fast.codes import MAX_PROFILE_TOTAL, METERED_BASES, WH_PER_MWH, sources_agree
from gcr_fast.columns import exact_sum
from gcr_fast.findings import Finding, Findings
from gcr_fast.periods import Period, local_year
from gcr_fast.shapes import DISTRIBUTIONS, Fault, Profile, Profiles, synthetic

HOUR_S = 3600
ALLOWED = {"estimated_interval": "estimated_allowed"}
"""What a fault becomes where its user takes it upon himself."""
LEAP_YEAR_S, COMMON_YEAR_S = 8784 * 3600, 8760 * 3600


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


def make_plan(
    annual: Annual, profiles: Profiles, default: str | None, keep_zero_hours: bool, allow_estimated: bool = False
) -> Plan:
    """Match every certificate with its share and group them into lots; errors are in `findings`, not raised."""
    plan = Plan(annual)
    plan.findings.extend(annual.findings)
    for finding in annual.findings:
        if finding.row is not None:
            plan.codes.setdefault(finding.row, []).append(finding.code)
    # What concerns a whole file; the faults of one profile are told when a certificate uses it.
    plan.findings.extend(finding for finding in profiles.findings if finding.profile is None)
    matcher = _Matcher(plan, profiles, default, keep_zero_hours, allow_estimated)
    matcher.match_all()
    _group(plan)
    return plan


class _Matcher:
    """Finds the share of each row; each (profile, period) is examined once."""

    def __init__(
        self, plan: Plan, profiles: Profiles, default: str | None, keep_zero_hours: bool, allow_estimated: bool
    ) -> None:
        self.plan = plan
        self.allow_estimated = allow_estimated
        self.profiles = profiles
        self.default = default
        self.keep_zero_hours = keep_zero_hours
        self.by_device = {p.device_id: name for name, p in profiles.items() if p.device_id}
        self._shares: dict[tuple[str, Period, str], Share | list[tuple[str, str]]] = {}
        self._patterns: dict[tuple[int, bytes], Pattern] = {}
        self._told: set[Fault | int] = set()

    def match_all(self) -> None:
        """Fill the plan's per-row lists."""
        columns = ("profile", "device_id", "country", "source_type", "zone", "allocation_basis")
        table = self.plan.annual.table
        rows = zip(*(table[name].to_pylist() for name in columns), self.plan.annual.periods(), strict=True)
        self.plan.issue_wh = table["energy_wh"].to_numpy().copy()
        alike: dict[Any, tuple[Share | None, str, str]] = {}
        for row, facts in enumerate(rows):
            if facts not in alike:
                found = len(self.plan.findings)
                matched = self._match(row, *facts)
                if len(self.plan.findings) > found:
                    self._book(*matched)
                    continue  # each certificate has its own findings
                alike[facts] = matched
            self._book(*alike[facts])

    def _book(self, share: Share | None, source: str, basis: str) -> None:
        self.plan.shares.append(share)
        self.plan.sources.append(source)
        self.plan.bases.append(basis)

    def _match(
        self,
        row: int,
        named: str | None,
        device: str | None,
        country: str | None,
        source: str | None,
        zone: str,
        basis: str | None,
        period: Period,
    ) -> tuple[Share | None, str, str]:
        """Return a certificate's share, source type and allocation basis."""
        name, by_device = self._choose(named, device, country, source, period, zone)
        share = self._checked(row, name, named, source, period, zone) if period != UNREAD_PERIOD else None
        if share and basis in METERED_BASES and not share.profile.is_energy:
            what = f"basis {basis} needs energy; profile {share.profile.name} is a shape without unit"
            self.plan.report("meter_without_energy", row, what, column="allocation_basis", value=basis)
        kind = share.profile.source_type if share else None
        return share, source or kind or "other", basis or self._default_basis(name, by_device, share)

    def _choose(
        self,
        named: str | None,
        device: str | None,
        country: str | None,
        source: str | None,
        period: Period,
        zone: str,
    ) -> tuple[str | None, bool]:
        """Return the profile's name and whether the device chose it: by name, option, device, country-[year-]source."""
        if named or self.default:
            name = named or self.default
            profile = self.profiles.get(name or "")
            return name, bool(device) and (name == device or (profile is not None and profile.device_id == device))
        if device and (device in self.profiles or device in self.by_device):
            return (device if device in self.profiles else self.by_device[device]), True
        if country and source:
            whole, of_year = f"{country}-{source}", f"{country}-{local_year(period.start_s, zone)}-{source}"
            return (whole if whole in self.profiles and of_year not in self.profiles else of_year), False
        return None, False

    def _checked(
        self, row: int, name: str | None, named: str | None, source: str | None, period: Period, zone: str
    ) -> Share | None:
        where = {"column": "profile", "value": named}
        if name is None:
            what = "names no profile, and has no device_id or country and source_type that would choose one"
            self.plan.report("no_profile", row, what, **where)
            return None
        if name not in self.profiles and name not in DISTRIBUTIONS:
            self.plan.report("no_profile", row, self._lacking(name), **where)
            return None
        profile = self.profiles.get(name)
        if profile and source and profile.source_type and not sources_agree(source, profile.source_type):
            what = f"is {source}, but profile {name} is {profile.source_type}"
            self.plan.report("wrong_source_type", row, what, column="source_type", value=source)
            return None
        share = self._share(name, period, zone)
        if isinstance(share, Share):
            return share
        for code, what in share:
            self.plan.report(code, row, what, **where)
        return None

    def _lacking(self, name: str) -> str:
        """Say that there is no such profile: it is no generation, or another is called much the same."""
        for finding in self.profiles.findings:
            if finding.code == "not_generation" and finding.profile == name:
                return finding.message
        close = get_close_matches(name, list(self.profiles), n=3)
        hint = f"; did you mean {', '.join(close)}?" if close else f"; {len(self.profiles)} profiles are loaded"
        return f"there is no profile {name}{hint}"

    def _share(self, name: str, period: Period, zone: str) -> Share | list[tuple[str, str]]:
        key = (name, period, "" if name in self.profiles else zone)
        if key not in self._shares:
            self._shares[key] = self._examine_named(name, period, zone)
        return self._shares[key]

    def _default_basis(self, name: str | None, by_device: bool, share: Share | None) -> str:
        """Energy of the certificate's own device is its meter, of which no Wh is issued twice; all else is a shape."""
        if name in DISTRIBUTIONS and name not in self.profiles:
            return "flat"
        if not by_device:
            return "regional_technology_profile"
        return "metered_hourly" if share and share.profile.is_energy else "facility_profile"

    def _examine_named(self, name: str, period: Period, zone: str) -> Share | list[tuple[str, str]]:
        if name in self.profiles:
            return self._examine(self.profiles[name], period)
        if period.end_s <= period.start_s or (period.end_s - period.start_s) % HOUR_S:
            return [("period_off_grid", f"{period} is not a whole number of hours")]
        return self._examine(synthetic(name, period, zone), period)

    def _examine(self, profile: Profile, period: Period) -> Share | list[tuple[str, str]]:
        """Return the share, or (code, message) for each reason against it."""
        first, last = profile.positions(period)
        at = f"profile {profile.name} ({Period(profile.start_s, profile.end_s)})"
        if last <= 0 or first >= len(profile.values):
            return [("wrong_year", f"{at} has no interval in {period}")]
        if not profile.on_grid(period):
            return [("period_off_grid", f"{period} is not on the intervals of {at}")]
        reasons = self._gaps(profile, period, first, last, at)
        reasons += self._faults(profile, max(first, 0), min(last, len(profile.values)) - 1)
        if reasons:
            return reasons
        weights = profile.values[first:last]
        if not weights.any():
            return [("all_zero_profile", f"{at} is zero throughout {period}")]
        if exact_sum(weights) > MAX_PROFILE_TOTAL:
            return [("profile_over_limit", f"{at} sums to 2^53 or more in {period}")]
        self._note_outside(profile, first, last)
        return self._build(profile, period, first, weights)

    def _gaps(self, profile: Profile, period: Period, first: int, last: int, at: str) -> list[tuple[str, str]]:
        """A leap day that is absent, or a period that the profile does not cover."""
        inside = profile.missing[max(first, 0) : last]
        have = int((~inside).sum())
        want = last - first
        if period.end_s - period.start_s == LEAP_YEAR_S and have * profile.step_s == COMMON_YEAR_S:
            return [("leap_year_hours", f"{at} has {have} of the {want} intervals of a leap year")]
        outside = want - len(inside)
        if outside:
            return [("incomplete_profile", f"{at} lacks {want - have} of the {want} intervals of {period}")]
        return [("incomplete_profile", f"{at} lacks {want - have} of {want} intervals")] if inside.any() else []

    def _faults(self, profile: Profile, first: int, last: int) -> list[tuple[str, str]]:
        """The profile's own errors in this span; each is listed once, however many certificates it stops."""
        touching = [fault for fault in profile.faults if fault.first <= last and fault.last >= first]
        if self.allow_estimated:
            touching = [self._allowed(fault) for fault in touching]
        for fault in touching:
            if fault not in self._told:
                self._told.add(fault)
                self.plan.findings.extend([fault.finding])
        errors = [fault.finding for fault in touching if fault.finding.severity == "error"]
        if not errors or profile.missing[first : last + 1].any():
            return []  # a gap has already stopped the certificate
        kinds = ", ".join(dict.fromkeys(finding.code for finding in errors))
        return [("incomplete_profile", f"profile {profile.name} has {len(errors)} faulty intervals: {kinds}")]

    def _allowed(self, fault: Fault) -> Fault:
        """Let filled-in intervals pass, and say so."""
        code = fault.finding.code
        return replace(fault, finding=replace(fault.finding, code=ALLOWED.get(code, code)))

    def _note_outside(self, profile: Profile, first: int, last: int) -> None:
        unused = first + len(profile.values) - last
        if unused and id(profile) not in self._told:
            self._told.add(id(profile))
            what = f"{profile.name}: {unused} intervals lie outside the first period that uses it"
            where: dict[str, Any] = {"profile": profile.name, "file": profile.file or None, "count": unused}
            self.plan.findings.extend([Finding("outside_period", what, **where)])

    def _build(self, profile: Profile, period: Period, first: int, weights: np.ndarray) -> Share:
        positions = np.arange(len(weights)) if self.keep_zero_hours else np.flatnonzero(weights)
        pattern = Pattern(period.start_s + positions * profile.step_s, profile.step_s)
        pattern = self._patterns.setdefault(pattern.key, pattern)
        return Share(profile, period, first, positions, pattern, np.ascontiguousarray(weights[positions]))


def _group(plan: Plan) -> None:
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


def residual_verdict(excess_wh: int, permitted: bool | None) -> str:
    """Judge energy above what can be issued: none, a carried fraction (under 1 MWh), or too much."""
    if excess_wh == 0:
        return "none"
    if excess_wh >= WH_PER_MWH:
        return "over_meter"
    return "residual_refused" if permitted is False else "residual_booked"
