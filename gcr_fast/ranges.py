"""Ranges of serial numbers: which of them can be compared, and which share a number."""

from __future__ import annotations

from typing import Any

from gcr_fast.sources.certificates.serials import canonical

TELLING_PREFIX = 6
"""A serial prefix of so many characters names its registry; shorter ones are compared within one issuer."""


def space_of(prefix: str, issuer: str | None) -> Any:
    """Return what makes serial numbers comparable: their prefix, and its issuer, however spelled, if that is short."""
    known = canonical(prefix)
    return (canonical(issuer) if issuer else None, known) if is_short(known) else known


def is_short(prefix: str) -> bool:
    """Whether a prefix, as it is compared, may be that of two registries."""
    return len(prefix) < TELLING_PREFIX


def overlaps(ranges: list[tuple[Any, tuple[int, int] | None]]) -> list[tuple[int, int]]:
    """Return (later, earlier) positions of inclusive ranges that share a number in the same space."""
    known = [(repr(space), *span, at) for at, (space, span) in enumerate(ranges) if span is not None]
    found, reach = [], None
    for space, low, high, at in sorted(known):
        if reach is not None and reach[0] == space and low <= reach[1]:
            found.append((max(at, reach[2]), min(at, reach[2])))
        if reach is None or reach[0] != space or high > reach[1]:
            reach = (space, high, at)
    return sorted(found)
