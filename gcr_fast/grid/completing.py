"""Hours of which no file has all parts, and several files together have: files that meet within an hour."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from gcr_fast.flags import Flags, among, united
from gcr_fast.grid.shapes import Parts

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


def gathered(several: Iterable[Parts | None]) -> Parts | None:
    """Return the parts of several files in order of length and time; None if none has any."""
    there = [one for one in several if one is not None]
    if not there:
        return None
    words = united(Flags(one.flags, one.words) for one in there)
    same = [one._replace(flags=among(words, Flags(one.flags, one.words), len(one.flags))) for one in there]
    arrays = {name: np.concatenate([one._asdict()[name] for one in same]) for name in Parts._fields if name != "words"}
    whole = Parts(**arrays, words=words)
    return whole.only(np.lexsort((whole.quality, whole.values, whole.begins, whole.steps)))


def hours_of(parts: Parts, missing: np.ndarray, start_s: int, step_s: int) -> Hours | None:
    """Put together what is `missing`, bool[n], out of its parts, which are in order; None if nothing can be.

    An interval needs all its parts, of one length; where several lengths have any, the shortest counts. Of a part that
    several files have with one value, the best is taken; with two values, it is none.
    """
    at = (parts.begins - start_s) // step_s
    inside = (at >= 0) & (at < len(missing)) & ((parts.begins - start_s) % step_s % parts.steps == 0)
    rows = np.flatnonzero(inside)
    parts = _once(parts.only(rows[missing[at[rows]]]))
    lengths = (parts.only(np.flatnonzero(parts.steps == part_s)) for part_s in np.unique(parts.steps))
    return next((found for some in lengths if (found := _of_length(some, start_s, step_s)) is not None), None)


def _once(parts: Parts) -> Parts:
    """Return each part once; one that has several values not at all."""
    again = (np.diff(parts.begins) == 0) & (np.diff(parts.steps) == 0)
    differ = again & ((np.diff(parts.values) != 0) | (parts.power[1:] != parts.power[:-1]))
    first = np.append(np.ones(min(len(parts.begins), 1), bool), ~again)
    place = np.cumsum(first)
    return parts.only(np.flatnonzero(first & ~np.isin(place, place[1:][differ])))


def _of_length(parts: Parts, start_s: int, step_s: int) -> Hours | None:
    """Sum intervals out of parts of one length; W and Wh do not add up."""
    part_s = int(parts.steps[0])
    size = step_s // part_s
    at, first, counts = np.unique((parts.begins - start_s) // step_s, return_index=True, return_counts=True)
    powers = np.add.reduceat(parts.power.astype(np.int64), first)
    whole = (counts * part_s == step_s) & ((powers == 0) | (powers == size))
    if not whole.any():
        return None
    rows = first[whole, None] + np.arange(size)
    sums = parts.values[rows].sum(axis=1)
    signed = np.where(powers[whole] > 0, sums // (HOUR_S // part_s), sums)
    return Hours(
        at[whole],
        signed,
        parts.quality[rows].max(axis=1),
        Flags(parts.flags[rows].ravel(), parts.words).by_groups(size),
    )
