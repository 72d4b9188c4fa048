"""Values that were published more than once: the last publication of an interval counts."""

from __future__ import annotations

import numpy as np


def replaced(starts: np.ndarray, published: np.ndarray, key: np.ndarray | None = None) -> np.ndarray:
    """bool[n]: rows of which there is a later publication, for the same start (and key int64[n]).

    `published` int64[n] orders the publications. Rows of one publication that contradict each other all stay, so that
    they are refused: which of them is right is not for us to say.
    """
    keys = np.zeros(len(starts), np.int64) if key is None else key
    order = np.lexsort((published, starts, keys))
    if not len(order):
        return np.zeros(0, dtype=bool)
    last = np.ones(len(order), dtype=bool)
    last[:-1] = (starts[order][1:] != starts[order][:-1]) | (keys[order][1:] != keys[order][:-1])
    ends = np.flatnonzero(last)
    newest = np.repeat(published[order][ends], np.diff(ends, prepend=-1))
    old = np.zeros(len(order), dtype=bool)
    old[order] = published[order] < newest
    return old
