"""Reading finished hours back: sums, maxima and counts, row by row, for one code per row."""

from __future__ import annotations

import numpy as np

from gcr_fast.accelerate import kernel


@kernel
def row_figures(values, sums, nonzero, lowest):  # type: ignore[no-untyped-def]
    """Per row of `values` int64[k, n]: its sum, its number of non-zero entries and its smallest entry.

    `sums`, `nonzero`, `lowest`: int64[k], filled.
    """
    for p in range(values.shape[0]):
        row = values[p]
        total = np.int64(0)
        count = np.int64(0)
        least = np.int64(0)
        for i in range(row.shape[0]):
            total += row[i]
            count += np.int64(row[i] != 0)
            least = min(least, row[i])
        sums[p] = total
        nonzero[p] = count
        lowest[p] = least
