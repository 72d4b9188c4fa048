"""Which profile spreads which certificate, and whether it may: every check that precedes the first hour.

The result is a plan of lots, each a run of certificates on one profile over one period. Nothing is converted while
any certificate has an error; the refusal names them all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from gcr_fast.annual import Annual
from gcr_fast.annual_periods import UNREAD_PERIOD
from gcr_fast.codes import MAX_PROFILE_TOTAL, WH_PER_MWH, sources_agree
from gcr_fast.columns import exact_sum
from gcr_fast.conversion.bases import Used, contradiction, following
from gcr_fast.conversion.lacking import lacking
from gcr_fast.conversion.plan import Pattern, Plan, Share, group
from gcr_fast.grid.shapes import DISTRIBUTIONS, Fault, Profile, Profiles, synthetic
from gcr_fast.periods import Period, local_year

HOUR_S = 3600
SHOWN = 5
"""Names of profiles that a message quotes."""
ALLOWED = {"estimated_interval": "estimated_allowed"}
"""What a fault becomes where its user takes it upon himself."""
Reasons: TypeAlias = "list[tuple[str, str] | Fault]"
"""Why a profile cannot spread a period: a code and a message each, or a fault of its own."""
LEAP_YEAR_S, COMMON_YEAR_S = 8784 * 3600, 8760 * 3600


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
    group(plan)
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
        self.by_device: dict[str, list[str]] = {}
        """The profiles of each device, most often one."""
        for name, profile in profiles.items():
            if profile.device_id:
                self.by_device.setdefault(profile.device_id, []).append(name)
        self._shares: dict[tuple[str, Period, str], Share | Reasons] = {}
        self._patterns: dict[tuple[int, bytes], Pattern] = {}
        self._told: set[Fault] = set()
        self._stopped: dict[Fault, list[int]] = {}
        """The rows that each fault of a profile stops."""

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
                if matched[0] is None or len(self.plan.findings) > found:
                    self._book(*matched)
                    continue  # each certificate has its own findings
                alike[facts] = matched
            self._book(*alike[facts])
        self._tell_stopped()
        self._note_outside()

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
        own = [] if named or self.default else self._of_device(device, source, period)
        if len(own) > 1:
            self._tell_several(row, device, own)
            return None, source or "other", basis or following(None)
        name, by_device = self._choose(named, device, own, country, source, period, zone)
        share = self._checked(row, name, named, source, period, zone) if period != UNREAD_PERIOD else None
        drawn = name in DISTRIBUTIONS and name not in self.profiles
        used = Used(share.profile.name, share.profile.is_energy, by_device, drawn, share.values) if share else None
        self._check_basis(row, basis, used)
        kind = share.profile.source_type if share else None
        return share, source or kind or "other", basis or following(used)

    def _of_device(self, device: str | None, source: str | None, period: Period) -> list[str]:
        """Return the profiles that a device may mean: the one of its name, or those that bear its id.

        Of several, those that are in the period, and of the certificate's source if any is; the last if none is there.
        """
        if device is None or device in self.profiles:
            return [] if device is None else [device]
        names = self.by_device.get(device, [])
        if len(names) < 2:
            return names
        found = [(name, self.profiles[name]) for name in names]
        there = [(name, one) for name, one in found if one.start_s < period.end_s and period.start_s < one.end_s]
        alike = [(name, one) for name, one in there if _is_of(one, source)]
        return [name for name, _ in alike or there] or names[-1:]

    def _tell_several(self, row: int, device: str | None, names: list[str]) -> None:
        shown = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
        what = f"names no profile, and its device {device} has {len(names)} in this period: {shown}"
        self.plan.report("no_profile", row, what, column="profile", hint="name one of them in the column profile")

    def _check_basis(self, row: int, basis: str | None, used: Used | None) -> None:
        found = contradiction(basis, used) if basis and used else None
        if found:
            code, what, hint = found
            self.plan.report(code, row, what, column="allocation_basis", value=basis, hint=hint)

    def _choose(
        self,
        named: str | None,
        device: str | None,
        own: list[str],
        country: str | None,
        source: str | None,
        period: Period,
        zone: str,
    ) -> tuple[str | None, bool]:
        """Return the profile's name and whether the device chose it: by name, option, device, country-[year-]source.

        `own` is the one profile of the device, if it has any.
        """
        if named or self.default:
            name = named or self.default
            profile = self.profiles.get(name or "")
            return name, bool(device) and (name == device or (profile is not None and profile.device_id == device))
        if own:
            return own[0], True
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
            what, hint = lacking(name, self.profiles)
            self.plan.report("no_profile", row, what, hint=hint, **where)
            return None
        profile = self.profiles.get(name)
        if profile and not _is_of(profile, source):
            what = f"is {source}, but profile {name} is {profile.source_type}"
            self.plan.report("wrong_source_type", row, what, column="source_type", value=source)
            return None
        share = self._share(name, period, zone)
        if isinstance(share, Share):
            return share
        for reason in share:
            if isinstance(reason, Fault):
                self._stopped.setdefault(reason, []).append(row)
            else:
                self.plan.report(reason[0], row, reason[1], **where)
        return None

    def _share(self, name: str, period: Period, zone: str) -> Share | Reasons:
        key = (name, period, "" if name in self.profiles else zone)
        if key not in self._shares:
            self._shares[key] = self._examine_named(name, period, zone)
        return self._shares[key]

    def _examine_named(self, name: str, period: Period, zone: str) -> Share | Reasons:
        if name in self.profiles:
            return self._examine(self.profiles[name], period)
        if period.end_s <= period.start_s or (period.end_s - period.start_s) % HOUR_S:
            return [("period_off_grid", f"{period} is not a whole number of hours")]
        return self._examine(synthetic(name, period, zone), period)

    def _examine(self, profile: Profile, period: Period) -> Share | Reasons:
        """Return the share, or each reason against it."""
        first, last = profile.positions(period)
        at = f"profile {profile.name} ({Period(profile.start_s, profile.end_s)})"
        if last <= 0 or first >= len(profile.values):
            return [("wrong_year", f"{at} has no interval in {period}")]
        if not profile.on_grid(period):
            return [("period_off_grid", f"{period} is not on the intervals of {at}")]
        reasons: Reasons = [*self._gaps(profile, period, first, last, at)]
        reasons += self._faults(profile, max(first, 0), min(last, len(profile.values)) - 1)
        if reasons:
            return reasons
        weights = profile.values[first:last]
        if not weights.any():
            return [("all_zero_profile", f"{at} is zero throughout {period}")]
        if exact_sum(weights) > MAX_PROFILE_TOTAL:
            return [("profile_over_limit", f"{at} sums to 2^53 or more in {period}")]
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

    def _faults(self, profile: Profile, first: int, last: int) -> list[Fault]:
        """Tell the profile's own faults in this span; return those that stop a certificate, to be told with its name.

        Each is told once, however many certificates it stops. Where there is a gap, that has stopped them already.
        """
        touching = [fault for fault in profile.faults if fault.first <= last and fault.last >= first]
        if self.allow_estimated:
            touching = [self._allowed(fault) for fault in touching]
        gap = bool(profile.missing[first : last + 1].any())
        stopping = [fault for fault in touching if fault.finding.severity == "error" and not gap]
        told = [fault for fault in touching if fault not in self._told and fault not in stopping]
        self.plan.findings.extend(fault.finding for fault in told)
        self._told.update(told)
        return stopping

    def _tell_stopped(self) -> None:
        """Tell each fault that stops certificates, and which."""
        ids = self.plan.annual.table["certificate_id"]
        for fault, rows in self._stopped.items():
            first = str(ids[rows[0]].as_py())
            needed = f"{first} and {len(rows) - 1:,} more need it" if len(rows) > 1 else f"{first} needs it"
            said = replace(fault.finding, message=f"{fault.finding.message}; {needed}", certificate_id=first)
            if fault not in self._told:
                self.plan.findings.extend([said])
            for row in rows:
                self.plan.codes.setdefault(row, []).append(said.code)

    def _allowed(self, fault: Fault) -> Fault:
        """Let filled-in intervals pass, and say so."""
        code = fault.finding.code
        return replace(fault, finding=replace(fault.finding, code=ALLOWED.get(code, code)))

    def _note_outside(self) -> None:
        """Tell of profiles that go beyond the periods that use them, if these use most of them: no month of a year."""
        spans: dict[str, list[slice]] = {}
        for share in self._shares.values():
            if isinstance(share, Share):
                spans.setdefault(share.profile.name, []).append(share.span)
        for name, used in spans.items():
            profile = self.profiles.get(name)
            if profile is None or any(one == slice(0, len(profile.values)) for one in used):
                continue
            unused = np.ones(len(profile.values), dtype=bool)
            for one in used:
                unused[one] = False
            count = int(unused.sum())
            if 0 < count <= len(unused) // 2:
                what = f"{name}: {count:,} intervals lie outside the periods that use it"
                place: dict[str, Any] = {"profile": name, "file": profile.file or None}
                self.plan.findings.add("outside_period", what, count=count, **place)

    def _build(self, profile: Profile, period: Period, first: int, weights: np.ndarray) -> Share:
        positions = np.arange(len(weights)) if self.keep_zero_hours else np.flatnonzero(weights)
        pattern = Pattern(period.start_s + positions * profile.step_s, profile.step_s)
        pattern = self._patterns.setdefault(pattern.key, pattern)
        return Share(profile, period, first, positions, pattern, np.ascontiguousarray(weights[positions]))


def _is_of(profile: Profile, source: str | None) -> bool:
    """Whether a profile may be of a source type; one that is not known contradicts none."""
    return not source or not profile.source_type or sources_agree(source, profile.source_type)


def residual_verdict(excess_wh: int, permitted: bool | None) -> str:
    """Judge energy above what can be issued: none, a carried fraction (under 1 MWh), or too much."""
    if excess_wh == 0:
        return "none"
    if excess_wh >= WH_PER_MWH:
        return "over_meter"
    return "residual_refused" if permitted is False else "residual_booked"
