"""Laying hours into blocks: every interval of a period has its place, those without energy hold 0."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gcr_fast.accelerate import kernel

Ints = npt.NDArray[np.int64]


@kernel
def lay(hours: Ints, positions: Ints, out: npt.NDArray[np.signedinteger]) -> None:
    """Fill out[p, positions[i]] = hours[p, i], and 0 elsewhere.

    `hours` int64[k, m]; `positions` int64[m], ascending; `out` int32 or int64 [k, n].
    """
    for p in range(hours.shape[0]):
        row, given = out[p], hours[p]
        if given.shape[0] == row.shape[0]:  # every interval has its hours: one loop without positions
            for i in range(given.shape[0]):
                row[i] = given[i]
            continue
        row[:] = 0
        for i in range(given.shape[0]):
            row[positions[i]] = given[i]
