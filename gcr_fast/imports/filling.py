"""Gaps of a profile filled on request, every filled interval marked as estimated. Nothing is filled unasked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from gcr_fast.codes import ESTIMATED
from gcr_fast.errors import UsageError
from gcr_fast.flags import SILENT, Flags
from gcr_fast.grid.shapes import Profile
from gcr_fast.periods import Period
from gcr_fast.sources.model import Reading

FILLS = ("none", "zero", "interpolate")
"""`interpolate` draws a line between the intervals before and after a gap; beyond the first and last it has none."""


def fill(profile: Profile, how: str, covered: np.ndarray, doubtful: np.ndarray | None = None) -> Profile:
    """Return a profile with its gaps filled; faults about them stay, as they tell what was missing.

    `covered` bool[n]: intervals that some file is about. What lies between two files is no gap. `doubtful` bool[n]:
    those of which a file says more than one can have: they were metered, so no value of ours takes their place.

    An hour that was summed is filled as a whole, whatever parts of it were metered: see `set_aside`.
    """
    if how not in FILLS:
        raise UsageError(f"unknown way to fill {how!r}; there are {', '.join(FILLS)}")
    if how == "none" or profile.complete:
        return profile
    signed = np.array(profile.signed)  # a copy, which is filled in
    gaps = profile.missing & covered
    if doubtful is not None:
        gaps &= ~doubtful
    filled = _interpolated(signed, profile.missing, gaps) if how == "interpolate" else gaps
    quality = np.zeros(len(signed), np.uint8) if profile.quality is None else profile.quality.copy()
    quality[filled] = ESTIMATED
    return replace(
        profile,
        values=np.maximum(signed, 0),
        clipped=np.maximum(-signed, 0),
        missing=profile.missing & ~filled,
        quality=quality,
    )


def set_aside(readings: Iterable[Reading], profile: Profile, filled: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Yield what was metered of sums that were filled: the seconds of a part, how many parts, and of how many sums.

    Sums are filled as a whole, so these parts count for nothing there. `filled` is bool[n] of the profile. An interval
    that comes twice is one part.
    """
    parts: dict[int, list[np.ndarray]] = {}
    for one in readings:
        if one.interval_s < profile.step_s:
            parts.setdefault(one.interval_s, []).append(one.starts[~one.null])
    for step_s, starts in sorted(parts.items()):
        at = (np.unique(np.concatenate(starts)) - profile.start_s) // profile.step_s
        at = at[(at >= 0) & (at < len(filled))]
        held = at[filled[at]]
        if len(held):
            yield step_s, len(held), len(np.unique(held))


def _interpolated(signed: np.ndarray, missing: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Fill `signed` int64[n] in place where wanted bool[n], in whole numbers rounded down; return which were filled."""
    known = np.flatnonzero(~missing)
    filled = np.zeros(len(signed), dtype=bool)
    if len(known) < 2:
        return filled
    gaps = np.flatnonzero(wanted)
    gaps = gaps[(gaps > known[0]) & (gaps < known[-1])]
    after = np.searchsorted(known, gaps)
    low, high = known[after - 1], known[after]
    signed[gaps] = signed[low] + (signed[high] - signed[low]) * (gaps - low) // (high - low)
    filled[gaps] = True
    return filled


def stretched(profile: Profile, period: Period) -> Profile:
    """Return a profile whose grid covers a whole period; what it did not have is missing."""
    if not len(profile.values) or not profile.on_grid(period):
        return profile
    first, last = profile.positions(period)
    before, after = max(-first, 0), max(last - len(profile.values), 0)
    if not before and not after:
        return profile

    def padded(array: np.ndarray, value: int) -> np.ndarray:
        return np.concatenate([np.full(before, value, array.dtype), array, np.full(after, value, array.dtype)])

    moved = tuple(replace(fault, first=fault.first + before, last=fault.last + before) for fault in profile.faults)
    return replace(
        profile,
        start_s=profile.start_s - before * profile.step_s,
        values=padded(profile.values, 0),
        missing=padded(profile.missing, 1),
        clipped=padded(profile.clipped, 0),
        faults=moved,
        quality=None if profile.quality is None else padded(profile.quality, 0),
        flags=None if profile.flags is None else Flags(padded(profile.flags.codes, SILENT), profile.flags.words),
    )
