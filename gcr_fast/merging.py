"""Profiles of several files as one: the same name in two files is one longer profile."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial, reduce

import numpy as np

from gcr_fast.exchange.reading import Source
from gcr_fast.findings import Finding, Findings
from gcr_fast.shapes import Fault, Profile, Profiles


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
    offset, rest = divmod(last.start_s - first.start_s, first.step_s)
    kinds = [(one.step_s, one.is_energy, one.source_type) for one in (first, last)]
    same = kinds[0] == kinds[1]
    if rest or not same or offset < len(first.values):
        why = "covers the same intervals" if same and not rest else "has another interval, unit or source type"
        message = f"profile {last.name} of {last.file or 'a table'} {why} as in {first.file or 'an earlier table'}"
        finding = Finding("duplicate_profile", message, file=last.file or None, profile=last.name)
        findings.extend([finding])
        return replace(first, faults=(*first.faults, Fault(0, len(first.values) - 1, finding)))
    gap = offset - len(first.values)
    moved = tuple(Fault(fault.first + offset, fault.last + offset, fault.finding) for fault in last.faults)
    return replace(
        first,
        values=np.concatenate([first.values, np.zeros(gap, np.int64), last.values]),
        missing=np.concatenate([first.missing, np.ones(gap, bool), last.missing]),
        clipped=np.concatenate([first.clipped, np.zeros(gap, np.int64), last.clipped]),
        faults=first.faults + moved,
        file=", ".join(dict.fromkeys((first.file, last.file))),
        quality=_joined_quality(first, gap, last),
    )


def _joined_quality(first: Profile, gap: int, last: Profile) -> np.ndarray | None:
    if first.quality is None and last.quality is None:
        return None
    parts = [np.zeros(len(p.values), np.uint8) if p.quality is None else p.quality for p in (first, last)]
    return np.concatenate([parts[0], np.zeros(gap, np.uint8), parts[1]])
