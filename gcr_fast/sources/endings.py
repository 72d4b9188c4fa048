"""When intervals begin whose local labels are their ends: written as the begin plus the length, or as the clock shows.

The two differ on days of a change of the clock only. A file writes all of its ends in one way, and each series on each
such day is a witness of it: the wrong way has times that do not exist, intervals twice or out of order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gcr_fast.periods import DAY_S
from gcr_fast.sources.clock import walk
from gcr_fast.sources.doubled import Walk, rows_beside


class _Witnesses(NamedTuple):
    """The rows of every series on every day on which the two ways differ."""

    rows: np.ndarray
    """int64[k], ascending."""
    part: np.ndarray
    """int64[k]: of which series and day each is, 0 .. p - 1."""
    votes: np.ndarray
    """int64[p]: below 0 for the begin plus the length, above it for what the clock shows, 0 if it does not tell."""


def walk_ends(marks: np.ndarray, length_s: int, zone: str, key: np.ndarray | None = None) -> Walk:
    """Turn ends int64[n] on a local clock, in the file's order, into the UTC begins of intervals of one length.

    `key` int64[n] tells series apart. That way of writing is meant for which more witnesses are. Where as many are for
    the one as for the other, or a witness contradicts the file, the rows on which the two ways differ are unclear.
    """
    begins, ends = walk(marks - length_s, zone, key), walk(marks, zone, key)
    ends = ends._replace(seconds=ends.seconds - length_s)
    differ = begins.unclear | ends.unclear | (begins.seconds != ends.seconds) | (begins.skipped != ends.skipped)
    if not differ.any():
        return begins
    seen = _witnesses(begins, ends, differ, marks // DAY_S, key)
    verdict = int(seen.votes.sum())
    if not verdict:
        return begins._replace(unclear=differ & ~begins.skipped)
    meant = ends if verdict > 0 else begins
    against = np.zeros(len(marks), dtype=bool)
    against[seen.rows] = (seen.votes * verdict < 0)[seen.part]
    return meant._replace(unclear=(meant.unclear | (against & differ)) & ~meant.skipped)


def _witnesses(begins: Walk, ends: Walk, differ: np.ndarray, day: np.ndarray, key: np.ndarray | None) -> _Witnesses:
    rows = rows_beside(differ, day, key)
    keys = np.zeros(len(rows), np.int64) if key is None else key[rows]
    part = np.unique(np.stack([keys, day[rows]]), axis=1, return_inverse=True)[1].reshape(-1)
    skipped = (begins.skipped | ends.skipped)[rows]  # where one way has no time to compare, the order tells nothing
    by_length, by_clock = (_faults(one, rows, part, skipped) for one in (begins, ends))
    return _Witnesses(rows, part, np.sign(by_length - by_clock))


def _faults(found: Walk, rows: np.ndarray, part: np.ndarray, skipped: np.ndarray) -> np.ndarray:
    """Return int64[p], in each part of the `rows` int64[k]: times that do not exist, twice, and 1 if out of order."""
    parts = int(part.max()) + 1
    seconds, unclear = found.seconds[rows], found.unclear[rows]
    known = ~(found.skipped[rows] | unclear)
    once = np.unique(np.stack([part[known], seconds[known]]), axis=1)[0]
    faults = np.bincount(part[found.skipped[rows]], minlength=parts)
    faults += np.bincount(part[known], minlength=parts) - np.bincount(once, minlength=parts)
    faults[_mixed(_as_one(seconds, unclear, part)[~skipped], part[~skipped])] += 1
    return faults


def _as_one(seconds: np.ndarray, unclear: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Return seconds int64[k] of which those that are unclear are one in each part: they have no order of their own."""
    least = np.full(int(part.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(least, part[unclear], seconds[unclear])
    return np.where(unclear, least[part], seconds)


def _mixed(seconds: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Return the parts, ascending, whose seconds int64[k], in the file's order, neither ascend nor descend."""
    order = np.argsort(part, kind="stable")
    some = part[order]
    steps = np.where(np.diff(some) == 0, np.diff(seconds[order]), 0)
    return np.intersect1d(some[1:][steps > 0], some[1:][steps < 0])
