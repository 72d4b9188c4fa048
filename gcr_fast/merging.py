"""Profiles of several files as one: the same name in two files is one longer profile."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial, reduce

import numpy as np

from gcr_fast.exchange.reading import Source
from gcr_fast.findings import Finding, Findings
from gcr_fast.flags import SILENT, Flags, among, united
from gcr_fast.shapes import Fault, Profile, Profiles

ABSENT = frozenset({"null_value", "missing_interval"})
"""Faults that are none once another file has the value."""


def merge(parts: Iterable[Profiles]) -> Profiles:
    """Join profiles of several files; one name in two files is one longer profile, unless their intervals overlap."""
    pieces: dict[str, list[Profile]] = {}
    findings, sources = Findings(), list[Source]()
    for part in parts:
        findings.extend(part.findings)
        sources.extend(part.sources)
        for name, profile in part.items():
            pieces.setdefault(name, []).append(profile)
    by_name = {name: joined(some, findings) for name, some in pieces.items()}
    return Profiles(by_name, findings, tuple(sources))


def joined(pieces: Iterable[Profile], findings: Findings) -> Profile:
    """Lay profiles of one name on one grid, in order of time. Those that do not fit are reported, the first is kept."""
    return reduce(partial(_join, findings=findings), sorted(pieces, key=lambda piece: piece.start_s))


def _join(first: Profile, last: Profile, findings: Findings) -> Profile:
    """Lay the later profile beside the earlier one. They may interleave, but no interval may have a value in both."""
    offset, rest = divmod(last.start_s - first.start_s, first.step_s)
    kinds = [(one.step_s, one.is_energy, one.source_type) for one in (first, last)]
    fits = not rest and kinds[0] == kinds[1]
    if not fits or _shared(first, last, offset):
        why = "covers the same intervals" if fits else "has another interval, unit or source type"
        message = f"profile {last.name} of {last.file or 'a table'} {why} as in {first.file or 'an earlier table'}"
        finding = Finding("duplicate_profile", message, file=last.file or None, profile=last.name)
        findings.extend([finding])
        return replace(first, faults=(*first.faults, Fault(0, len(first.values) - 1, finding)))
    return _laid(first, last, offset)


def _shared(first: Profile, last: Profile, offset: int) -> bool:
    """Whether some interval has a value in both."""
    overlap = min(len(first.values) - offset, len(last.values))
    if overlap <= 0:
        return False
    return bool((~first.missing[offset : offset + overlap] & ~last.missing[:overlap]).any())


def _laid(first: Profile, last: Profile, offset: int) -> Profile:
    """Return both on one grid; faults about intervals that the other one has are gone."""
    count = max(len(first.values), offset + len(last.values))
    place = slice(offset, offset + len(last.values))
    there = ~last.missing

    def both(one: np.ndarray, two: np.ndarray, empty: int) -> np.ndarray:
        grid = np.concatenate([one, np.full(count - len(one), empty, one.dtype)])
        grid[place][there] = two[there]
        return grid

    missing = both(first.missing, last.missing, 1)
    moved = [Fault(fault.first + offset, fault.last + offset, fault.finding) for fault in last.faults]
    return replace(
        first,
        values=both(first.values, last.values, 0),
        missing=missing,
        clipped=both(first.clipped, last.clipped, 0),
        faults=tuple(fault for fault in (*first.faults, *moved) if _stands(fault, missing)),
        file=", ".join(dict.fromkeys((first.file, last.file))),
        quality=_joined_quality(first, last, both),
        flags=_joined_flags(first, last, both),
    )


def _stands(fault: Fault, missing: np.ndarray) -> bool:
    """Whether a fault about absent values is still one."""
    return fault.finding.code not in ABSENT or bool(missing[fault.first : fault.last + 1].any())


def _joined_flags(
    first: Profile, last: Profile, both: Callable[[np.ndarray, np.ndarray, int], np.ndarray]
) -> Flags | None:
    words = united([first.flags, last.flags])
    if not words:
        return None
    one, two = (among(words, profile.flags, len(profile.values)) for profile in (first, last))
    return Flags(both(one, two, SILENT), words)


def _joined_quality(
    first: Profile, last: Profile, both: Callable[[np.ndarray, np.ndarray, int], np.ndarray]
) -> np.ndarray | None:
    if first.quality is None and last.quality is None:
        return None
    one, two = (np.zeros(len(p.values), np.uint8) if p.quality is None else p.quality for p in (first, last))
    return both(one, two, 0)
