"""Which intervals are expected: those of a series' files, those between files, the rest of a year that is mostly there.

Files of 2020 and 2023 are two stretches of one series: a hole of a year or more is no gap. Any shorter one is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gcr_fast.columns import alike, runs
from gcr_fast.grid.shapes import Profile
from gcr_fast.periods import DAY_S, Period, local_year, utc_text, year_period

APART_S = 365 * DAY_S
"""Files that are this far apart are about different times."""
FARTHEST_ZONE_S = 14 * 3600


@dataclass(frozen=True)
class Absent:
    """Intervals that are expected and in no file."""

    start: str
    end: str
    intervals: int
    why: str
    """Why they are expected, in words."""

    def __str__(self) -> str:
        plural = "s" if self.intervals > 1 else ""
        return f"no file has {self.intervals:,} interval{plural}, {self.start} .. {self.end}: {self.why}"


def covered(whole: Profile, pieces: Iterable[Profile]) -> np.ndarray:
    """bool[n]: intervals of the whole that some piece is about, and those between pieces less than a year apart."""
    mask = _of_files(whole, pieces)
    for first, stop in runs(~mask):
        mask[first:stop] = (stop - first) * whole.step_s < APART_S
    return alike(True, len(mask)) if mask.all() else mask


class Coverages:
    """Coverage of series one after another; those whose files lie alike share what was found of the first."""

    def __init__(self, year: int | None = None) -> None:
        self.year = year
        """What is asked for: all of it is expected."""
        self._known: dict[tuple[Any, ...], tuple[np.ndarray, list[Absent]]] = {}

    def of(self, whole: Profile, pieces: Sequence[Profile]) -> tuple[np.ndarray, list[Absent]]:
        """Return which intervals are expected, bool[n], and what of them no piece is about.

        They are those of the year that is asked for, which the whole is, or else `covered`.
        """
        lie = tuple((piece.start_s, len(piece.values)) for piece in pieces)
        key = (whole.start_s, whole.step_s, len(whole.values), lie)
        if key not in self._known:
            there = covered(whole, pieces) if self.year is None else alike(True, len(whole.values))
            why = "it lies between files" if self.year is None else f"{self.year} is asked for"
            self._known[key] = there, unsupplied(whole, pieces, there, why)
        return self._known[key]


def unsupplied(whole: Profile, pieces: Iterable[Profile], expected: np.ndarray, why: str) -> list[Absent]:
    """Return what is expected, bool[n], and no piece is about."""
    step = whole.step_s
    return [
        _absent(whole.start_s + first * step, whole.start_s + stop * step, step, why)
        for first, stop in runs(expected & ~_of_files(whole, pieces))
    ]


def ends(whole: Profile, expected: np.ndarray, zone: str) -> list[Absent]:
    """Return what years of `zone` lack before the first and after the last of a stretch that has most of them.

    A stretch as long as its years that begins some hours beside them has the years of another zone: it lacks nothing.
    """
    found: list[Absent] = []
    for first, stop in runs(expected):
        stretch = Period(whole.start_s + first * whole.step_s, whole.start_s + stop * whole.step_s)
        begin, end = (_beside(moment_s, zone) for moment_s in stretch)
        if begin is None or begin != end:
            found += _ends(stretch, whole.step_s, zone)
    return found


def _ends(stretch: Period, step_s: int, zone: str) -> Iterator[Absent]:
    for year in dict.fromkeys((local_year(stretch.start_s, zone), local_year(stretch.end_s - 1, zone))):
        period = year_period(year, zone)
        inside = Period(max(stretch.start_s, period.start_s), min(stretch.end_s, period.end_s))
        if 2 * (inside.end_s - inside.start_s) > period.end_s - period.start_s:
            for start_s, end_s in ((period.start_s, inside.start_s), (inside.end_s, period.end_s)):
                if end_s - start_s >= step_s:
                    yield _absent(start_s, end_s, step_s, f"most of {year} is there, so all of it is expected")


def _beside(moment_s: int, zone: str) -> int | None:
    """Return how far a moment is from the nearest new year, in seconds; None if farther than any zone is."""
    year = local_year(moment_s + FARTHEST_ZONE_S, zone)
    distance = moment_s - year_period(year, zone).start_s
    return distance if abs(distance) <= FARTHEST_ZONE_S else None


def _absent(start_s: int, end_s: int, step_s: int, why: str) -> Absent:
    return Absent(utc_text(start_s), utc_text(end_s), (end_s - start_s) // step_s, why)


def _of_files(whole: Profile, pieces: Iterable[Profile]) -> np.ndarray:
    mask = np.zeros(len(whole.values), dtype=bool)
    for piece in pieces:
        first = (piece.start_s - whole.start_s) // whole.step_s
        mask[max(first, 0) : max(first + len(piece.values), 0)] = True
    return mask
