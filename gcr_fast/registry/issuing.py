"""A conversion on its way into the registry: what speaks against it, its segments and parents as files, its entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.annual import Annual
from gcr_fast.codes import METERED_BASES
from gcr_fast.conversion.matching import make_plan
from gcr_fast.conversion.plan import Plan
from gcr_fast.findings import Findings
from gcr_fast.grid.shapes import Profile, Profiles
from gcr_fast.periods import utc_text
from gcr_fast.processor import Conversion
from gcr_fast.ranges import overlaps, space_of
from gcr_fast.registry.capacity import check_devices, used_wh
from gcr_fast.registry.catalogue import Catalogue
from gcr_fast.sources.certificates.serials import canonical_each

if TYPE_CHECKING:
    import pyarrow as pa

UNASSIGNED = "unassigned"
"""Holds what was issued to nobody in particular."""


def owners_of(conversion: Conversion) -> list[str]:
    """Return to whom each certificate's hours are issued: its owner, else its beneficiary, else nobody."""
    table = conversion.annual.table
    named = zip(table["owner"].to_pylist(), table["beneficiary"].to_pylist(), strict=True)
    return [owner or beneficiary or UNASSIGNED for owner, beneficiary in named]


def refusals(
    conversion: Conversion, catalogue: Catalogue, owners: list[str], meters: Mapping[str, Profile] | None = None
) -> Findings:
    """Return what speaks against issuing: converted before, serials that overlap, meters and capacities used up.

    With `owners` those who are no parties, too. `meters` are the profiles as they were metered, where the conversion
    was given what is left of them.
    """
    findings = Findings()
    table, source = conversion.annual.table, conversion.annual.source
    ids = table["certificate_id"].to_pylist()

    def report(code: str, row: int, message: str, **more: Any) -> None:
        place = {"file": source.name or None, "row": row, "line": source.line(row), "certificate_id": ids[row]}
        findings.add(code, f"{ids[row]}: {message}", **place, **more)

    for row, name in enumerate(canonical_each(ids)):
        known = catalogue.compared.get(name)
        if known is not None:
            report("already_converted", row, f"was converted by entry {int(catalogue.issue[known])}")
    _check_serials(table, catalogue, report)
    _check_meters(conversion, catalogue, meters or {}, report)
    check_devices(conversion, catalogue, report)
    for name, rows in _strangers(owners, catalogue).items():
        report("unknown_party", rows[0], f"there is no party {name!r}", column="owner", value=name, count=len(rows))
    return findings


def _strangers(owners: list[str], catalogue: Catalogue) -> dict[str, list[int]]:
    """Return the rows of each owner who is no party."""
    found: dict[str, list[int]] = {}
    for row, name in enumerate(owners):
        if not catalogue.party_code(name):
            found.setdefault(name, []).append(row)
    return found


def _check_serials(table: pa.Table, catalogue: Catalogue, report: Callable[..., None]) -> None:
    mine = _serials(table)
    if not any(span for _, span in mine):
        return
    theirs = [item for stored in catalogue.tables for item in _serials(stored)]
    for later, earlier in overlaps([*theirs, *mine]):
        if earlier < len(theirs) <= later:
            other = catalogue.ids[earlier].as_py()
            report("serial_overlap", later - len(theirs), f"shares serial numbers with {other}", column="serial_start")


def _serials(table: pa.Table) -> list[tuple[Any, tuple[int, int] | None]]:
    names = ("serial_prefix", "issuer", "serial_start", "serial_end")
    rows = zip(*(table[name].to_pylist() for name in names), strict=True)
    return [
        (None, None) if low is None else (space_of(prefix or "", issuer), (low, high))
        for prefix, issuer, low, high in rows
    ]


# --- meters


Meter = tuple[str | None, str]
"""A device, and the profile that was metered on it."""


def issued_on(catalogue: Catalogue, meters: set[Meter]) -> dict[Meter, list[int]]:
    """Return the parents that were issued on each of some meters.

    Two devices are two meters. Where one of two certificates names no device, their profiles tell.
    """
    found: dict[Meter, list[int]] = {}
    by_device: dict[str, list[Meter]] = {}
    by_profile: dict[str, list[Meter]] = {}
    for meter in meters:
        by_profile.setdefault(meter[1], []).append(meter)
        if meter[0] is not None:
            by_device.setdefault(meter[0], []).append(meter)
    names = ("allocation_basis", "device_id", "profile")
    facts = (row for table in catalogue.tables for row in zip(*(table[n].to_pylist() for n in names), strict=True))
    for parent, (basis, device, profile) in enumerate(facts):
        if basis in METERED_BASES:
            alike = [m for m in by_profile.get(profile, ()) if device is None or m[0] is None]
            for meter in [*by_device.get(device, ()), *alike]:
                found.setdefault(meter, []).append(parent)
    return found


def _check_meters(
    conversion: Conversion, catalogue: Catalogue, meters: Mapping[str, Profile], report: Callable[..., None]
) -> None:
    """No interval of a meter may be issued above what was metered, earlier issues included."""
    metered = conversion.metered() if len(catalogue) else []
    before = _before(catalogue, {(device, profile) for _, (_, device, profile), _ in metered})
    fresh: dict[str, np.ndarray] = {}
    for row, (_, _, name), (spread, first, hours) in metered:
        if name not in before:
            continue
        profile = meters.get(name, spread)
        if name not in fresh:
            fresh[name] = used_wh(catalogue, before[name], profile.start_s, profile.step_s, len(profile.values))
        span = slice(first, first + len(hours))
        used, values = fresh[name][span], profile.values[span]
        used += hours
        over = np.flatnonzero(used > values)
        if len(over):
            when = utc_text(profile.start_s + (first + int(over[0])) * profile.step_s)
            left = int(np.maximum(values - used + hours, 0).sum())
            what = (
                f"its meter was used by earlier issues: {len(over)} intervals from {when} on exceed it; {left} Wh left"
            )
            report("over_meter_issued", row, what, column="energy_wh", value=when, count=len(over))


def _before(catalogue: Catalogue, meters: set[Meter]) -> dict[str, list[int]]:
    """Return the parents that took from each profile, whose certificates share it whatever their devices."""
    found: dict[str, set[int]] = {}
    for (_, profile), parents in issued_on(catalogue, meters).items():
        found.setdefault(profile, set()).update(parents)
    return {profile: sorted(parents) for profile, parents in found.items()}


def remaining(
    catalogue: Catalogue, annual: Annual, profiles: Profiles, default: str | None, allow_estimated: bool = False
) -> Profiles:
    """Return profiles with what earlier issues left of them, where every certificate that uses one is metered on it.

    So a second batch on the same meter shares what remains, as it would have in one batch. A batch that was issued
    before finds what it found then. A meter on which some certificate would find nothing is returned as it was
    metered: `refusals` says so.
    """
    if not len(catalogue) or not _may_be_metered(annual):
        return profiles
    plan = make_plan(annual, profiles, default, keep_zero_hours=False, allow_estimated=allow_estimated)
    known = [catalogue.place_of.get(name) for name in annual.table["certificate_id"].to_pylist()]
    until = min((int(catalogue.issue[place]) for place in known if place is not None), default=None)
    spans: dict[str, set[tuple[int, int]]] = {}
    for share in plan.shares:
        if share is not None:
            spans.setdefault(share.profile.name, set()).add((share.first, share.first + share.hours))
    fresh = {}
    for name, parents in _before(catalogue, _meters_of(plan)).items():
        profile = profiles[name]
        earlier = [parent for parent in parents if until is None or catalogue.issue[parent] < until]
        used = used_wh(catalogue, earlier, profile.start_s, profile.step_s, len(profile.values))
        left = np.maximum(profile.values - used, 0)
        if all(left[first:end].any() for first, end in spans[name]):
            fresh[name] = replace(profile, values=left)
    return replace(profiles, by_name=profiles.by_name | fresh) if fresh else profiles


def _may_be_metered(annual: Annual) -> bool:
    """Whether any certificate states a metered basis, or has one for want of another: by its device's own meter."""
    facts = zip(*(annual.table[name].to_pylist() for name in ("allocation_basis", "device_id")), strict=True)
    return any(basis in METERED_BASES or (basis is None and device is not None) for basis, device in facts)


def _meters_of(plan: Plan) -> set[Meter]:
    """Return the meters that only metered certificates use."""
    used_by: dict[str, set[Meter | None]] = {}
    for share, device, basis in zip(plan.shares, plan.annual.table["device_id"].to_pylist(), plan.bases, strict=True):
        if share is not None:
            name = share.profile.name
            used_by.setdefault(name, set()).add((device, name) if basis in METERED_BASES else None)
    return {meter for found in used_by.values() if None not in found for meter in found if meter is not None}
