"""The kernel in plain NumPy: a float guess and its remainder, a block of certificates at a time."""

from __future__ import annotations

import numpy as np

NAME = "NumPy"
BLOCK_ROWS = 8
"""Certificates at once: their temporaries stay in cache. One pass over all is slower, and its memory ten times more."""


def cumulative(prefix: np.ndarray, totals: np.ndarray, out: np.ndarray) -> None:
    """Fill out[p, i] = floor(T_p * C_(i+1) / W) - floor(T_p * C_i / W); products wrap around, which is harmless."""
    for low in range(0, len(totals), BLOCK_ROWS):
        block = totals[low : low + BLOCK_ROWS, None]
        np.subtract(*_ends(prefix, block), out=out[low : low + BLOCK_ROWS])


def _ends(prefix: np.ndarray, totals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    reached = floors(prefix, totals)
    return reached[:, 1:], reached[:, :-1]


def floors(prefix: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Return floor(T * C / W) for totals int64[k, 1] and running sums int64[n], exactly."""
    whole = prefix[-1]
    guess = (prefix * (totals / whole)).astype(np.int64)
    rest = totals * prefix
    rest -= guess * whole
    guess -= rest < 0
    guess += rest >= whole
    return guess
