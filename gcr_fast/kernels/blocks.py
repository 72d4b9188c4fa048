"""Laying hours into blocks: every interval of a period has its place, those without energy hold 0."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gcr_fast.accelerate import kernel

Ints = npt.NDArray[np.int64]
Wh = npt.NDArray[np.signedinteger]


@kernel
def lay(hours: Wh, positions: Ints, out: Wh) -> None:
    """Fill out[p, positions[i]] = hours[p, i], and 0 elsewhere.

    `positions` int64[m], ascending; `hours` [k, m] and `out` [k, n] are both int32 or both int64.
    """
    for p in range(hours.shape[0]):
        row, given = out[p], hours[p]
        row[:] = 0
        for i in range(given.shape[0]):
            row[positions[i]] = given[i]
