"""Generation profiles from files, tables or named distributions.

Nothing is refused here for a gap: a certificate that needs the gap is refused by `convert`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from functools import partial, reduce
from typing import Any

import numpy as np

from gcr_fast.codes import MAX_PARENT_WH, SOURCE_TYPES, canonical_source
from gcr_fast.errors import UsageError
from gcr_fast.exchange.reading import Source, from_stream, read_table
from gcr_fast.findings import Finding, Findings
from gcr_fast.intervals import build
from gcr_fast.periods import year_period
from gcr_fast.series import read_series
from gcr_fast.shapes import DISTRIBUTIONS, Fault, Profile, Profiles, synthetic

__all__ = [
    "DISTRIBUTIONS",
    "Fault",
    "Profile",
    "Profiles",
    "merge",
    "profile_from_total",
    "profiles_from",
    "read_profiles",
]


def read_profiles(
    path: str | os.PathLike[str],
    *,
    zone: str | None = None,
    unit: str | None = None,
    label: str | None = None,
    keep_intervals: bool = False,
    strict: bool = True,
) -> Profiles:
    """Read profiles from CSV, Parquet or Arrow IPC, long (profile, start, value) or wide (start, one column each).

    `zone`: of times without offset; without it they are refused. `unit`: of columns whose name has no unit's suffix
    (Wh, kWh, MWh, kW, MW, weight). `label`: what a time names, the "begin" or "end" of its interval; by default the
    column's name tells. `keep_intervals`: do not sum 5, 15 and 30 minutes to hours. Raises `RefusedError` for cells
    that cannot be read, or with `strict=False` holds them in `.findings`.
    """
    return _parse(read_table(path), zone, unit, label, keep_intervals, strict)


def profiles_from(
    obj: Any,
    *,
    zone: str | None = None,
    unit: str | None = None,
    label: str | None = None,
    keep_intervals: bool = False,
    strict: bool = True,
) -> Profiles:
    """Take profiles from a `Profiles`, a path, any object with `__arrow_c_stream__`, or a list of these."""
    if isinstance(obj, Profiles):
        return obj
    if isinstance(obj, list | tuple):
        take = partial(profiles_from, zone=zone, unit=unit, label=label, keep_intervals=keep_intervals, strict=strict)
        return merge(map(take, obj))
    source = read_table(obj) if isinstance(obj, str | os.PathLike) else from_stream(obj)
    return _parse(source, zone, unit, label, keep_intervals, strict)


def _parse(
    source: Source, zone: str | None, unit: str | None, label: str | None, keep_intervals: bool, strict: bool
) -> Profiles:
    series, findings = read_series(source, zone, unit, label)
    profiles = [build(item, zone, keep_intervals) for item in series]
    attribution = (source.table.schema.metadata or {}).get(b"attribution", b"").decode()
    by_name = {profile.name: replace(profile, attribution=attribution) for profile in profiles}
    faults = [fault.finding for profile in profiles for fault in profile.faults]
    findings.extend(fault for fault in faults if fault.code == "unreadable_value")
    if strict:
        findings.check()
    findings.extend(fault for fault in faults if fault.code != "unreadable_value")
    return Profiles(by_name, findings, (source,))


def merge(parts: Iterable[Profiles]) -> Profiles:
    """Join profiles of several files; one name in two files is one longer profile, unless their intervals overlap."""
    pieces: dict[str, list[Profile]] = {}
    findings, sources = Findings(), list[Source]()
    for part in parts:
        findings.extend(part.findings)
        sources.extend(part.sources)
        for name, profile in part.items():
            pieces.setdefault(name, []).append(profile)
    join = partial(_join, findings=findings)
    by_name = {name: reduce(join, sorted(some, key=lambda p: p.start_s)) for name, some in pieces.items()}
    return Profiles(by_name, findings, tuple(sources))


def _join(one: Profile, two: Profile, findings: Findings) -> Profile:
    """Lay two profiles, the earlier first, on one grid. If they do not fit, report it and keep the first, at fault."""
    first, last = one, two
    offset, rest = divmod(last.start_s - first.start_s, first.step_s)
    same = one.step_s == two.step_s and one.is_energy == two.is_energy and one.source_type == two.source_type
    if rest or not same or offset < len(first.values):
        why = "covers the same intervals" if same and not rest else "has another interval, unit or source type"
        message = f"profile {two.name} of {two.file or 'a table'} {why} as in {one.file or 'an earlier table'}"
        finding = Finding("duplicate_profile", message, file=two.file or None, profile=two.name)
        findings.extend([finding])
        return replace(one, faults=(*one.faults, Fault(0, len(one.values) - 1, finding)))
    gap = offset - len(first.values)
    moved = tuple(Fault(fault.first + offset, fault.last + offset, fault.finding) for fault in last.faults)
    return replace(
        first,
        values=np.concatenate([first.values, np.zeros(gap, np.int64), last.values]),
        missing=np.concatenate([first.missing, np.ones(gap, bool), last.missing]),
        clipped=np.concatenate([first.clipped, np.zeros(gap, np.int64), last.clipped]),
        faults=first.faults + moved,
        file=", ".join(dict.fromkeys((first.file, last.file))),
    )


def profile_from_total(
    energy_wh: int,
    year: int,
    source_type: str | None = None,
    distribution: str = "flat",
    *,
    zone: str = "UTC",
    name: str | None = None,
) -> Profiles:
    """Return one profile of a calendar year that sums to `energy_wh` exactly, spread by a named distribution."""
    from gcr_fast.kernels.apportion import cumulative

    kind = canonical_source(source_type) if source_type else None
    if source_type and kind is None:
        raise UsageError(f"unknown source type {source_type!r}; there are {', '.join(SOURCE_TYPES)}")
    if not 0 < energy_wh <= MAX_PARENT_WH:
        raise UsageError(f"energy_wh must be 1 to {MAX_PARENT_WH} (2^51), not {energy_wh}")
    shape = synthetic(distribution, year_period(year, zone), zone)
    prefix = np.concatenate([[0], np.cumsum(shape.values)]).astype(np.int64)
    spread = np.empty((1, len(shape.values)), dtype=np.int64)
    cumulative(prefix, np.array([energy_wh], dtype=np.int64), spread)
    known = name or (f"{distribution}-{year}" + (f"-{source_type}" if source_type else ""))
    profile = replace(shape, name=known, values=spread[0], is_energy=True, source_type=kind)
    return Profiles({known: profile})
