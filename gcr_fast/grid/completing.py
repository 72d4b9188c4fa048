"""Hours of which no file has all parts, and several files together have: two files that meet within an hour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from gcr_fast.errors import GcrError
from gcr_fast.flags import Flags, among
from gcr_fast.grid.series import Series
from gcr_fast.grid.shapes import Profile

HOUR_S = 3600


class Hours(NamedTuple):
    """Intervals that were put together; all arrays are [k]."""

    at: np.ndarray
    """Positions in the grid, int64."""
    signed: np.ndarray
    """Wh with the source's sign, int64."""
    quality: np.ndarray
    """uint8: each is as good as the worst of its parts."""
    flags: Flags


class _Parts(NamedTuple):
    """Metered parts of intervals; all arrays are [n]."""

    begins: np.ndarray
    steps: np.ndarray
    """Seconds that each lasts."""
    values: np.ndarray
    """W or Wh, with the source's sign."""
    power: np.ndarray
    quality: np.ndarray
    flags: np.ndarray
    """Codes of the words of the whole."""

    def only(self, rows: np.ndarray) -> _Parts:
        return _Parts(*(part[rows] for part in self))


def from_parts(
    missing: np.ndarray, start_s: int, placed: Sequence[tuple[Profile, int]], words: tuple[str, ...]
) -> Hours | None:
    """Put together what is `missing`, bool[n], in every piece, out of the parts that the pieces' sources have.

    `placed` are pieces of energy and the positions where they begin, `words` those of all their flags. None if nothing
    can be: an interval needs all its parts once, of one length. Parts that two sources have with two values are none.
    The sources are read once more, but only where several pieces that were summed lack the same interval.
    """
    summed = [(piece, at) for piece, at in placed if piece.part_s and piece.rows is not None and piece.is_energy]
    wanted = _lacked_together(missing, summed)
    if not wanted.any():
        return None
    step_s = placed[0][0].step_s
    found = [part for piece, _ in summed for part in _parts(piece, start_s, step_s, wanted, words)]
    if not found:
        return None
    return _whole(_once(_Parts(*map(np.concatenate, zip(*found, strict=True)))), start_s, step_s, words)


def _lacked_together(missing: np.ndarray, summed: Sequence[tuple[Profile, int]]) -> np.ndarray:
    """bool[n]: what is missing, and two pieces or more are about."""
    about = np.zeros(len(missing), np.int32)
    for piece, at in summed if missing.any() else ():
        about[at : at + len(piece.values)] += 1
    lacked: np.ndarray = missing & (about > 1)
    return lacked


def _parts(piece: Profile, start_s: int, step_s: int, wanted: np.ndarray, words: tuple[str, ...]) -> Iterator[_Parts]:
    """Yield the parts of the intervals that are wanted, bool[n], as a piece's source has them."""
    assert piece.rows is not None  # it was asked for
    with suppress(GcrError, OSError):  # the file is not there any more, or is another one
        for one in piece.rows.of(piece.name):
            part_s = one.step_s or piece.part_s
            begins = one.seconds - (part_s if one.label == "end" else 0)
            at = (begins - start_s) // step_s
            inside = (at >= 0) & (at < len(wanted)) & ~(one.null | one.unreadable)
            rows = np.flatnonzero(inside)
            rows = rows[wanted[at[rows]] & ((begins[rows] - start_s) % step_s % part_s == 0)]
            if part_s < step_s and not step_s % part_s:
                yield _taken(one, rows, begins, part_s, words)


def _taken(one: Series, rows: np.ndarray, begins: np.ndarray, part_s: int, words: tuple[str, ...]) -> _Parts:
    count = len(rows)
    return _Parts(
        begins[rows],
        np.full(count, part_s, np.int64),
        one.values[rows],
        np.full(count, one.unit.kind == "power"),
        np.zeros(count, np.uint8) if one.quality is None else one.quality[rows],
        among(words, one.flags, len(one.values))[rows],
    )


def _once(parts: _Parts) -> _Parts:
    """Return parts in order of length and time, each once; one that has several values not at all."""
    parts = parts.only(np.lexsort((parts.quality, parts.values, parts.begins, parts.steps)))
    same = (np.diff(parts.begins) == 0) & (np.diff(parts.steps) == 0)
    differ = same & ((np.diff(parts.values) != 0) | (parts.power[1:] != parts.power[:-1]))
    place = np.cumsum(np.append(True, ~same)) - 1
    first = np.append(True, ~same)
    first &= ~np.isin(place, place[1:][differ])
    return parts.only(np.flatnonzero(first))


def _whole(parts: _Parts, start_s: int, step_s: int, words: tuple[str, ...]) -> Hours | None:
    """Sum the intervals of which all parts are there, of the shortest length that has any; None if none has."""
    for part_s in np.unique(parts.steps).tolist():
        some = parts.only(np.flatnonzero(parts.steps == part_s))
        at, first, counts = np.unique((some.begins - start_s) // step_s, return_index=True, return_counts=True)
        size = step_s // part_s
        powers = np.add.reduceat(some.power.astype(np.int64), first) if len(first) else first
        whole = (counts == size) & ((powers == 0) | (powers == size))  # W and Wh do not add up
        if whole.any():
            rows = first[whole, None] + np.arange(size)
            sums = some.values[rows].sum(axis=1)
            signed = np.where(powers[whole] > 0, sums // (HOUR_S // part_s), sums)
            flags = Flags(some.flags[rows].ravel(), words).by_groups(size)
            return Hours(at[whole], signed, some.quality[rows].max(axis=1), flags)
    return None
