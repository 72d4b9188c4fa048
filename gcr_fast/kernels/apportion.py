"""Spreading a parent's energy over the weights of its intervals, exactly, in 64-bit integers.

All totals are at most 2^51 and the weights of one row sum to less than 2^53. Under those bounds the float guess
of `floor(total * prefix / sum)` is off by at most one, so the remainder `total * prefix - guess * sum` is small
and correct even though its two products wrap around 2^64. One comparison with 0 and one with the sum mend it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gcr_fast.accelerate import kernel

Ints = npt.NDArray[np.int64]


@kernel
def cumulative(prefix: Ints, totals: Ints, out: Ints) -> None:
    """Fill out[p, i] = floor(T_p * C_(i+1) / W) - floor(T_p * C_i / W).

    `prefix` int64[n + 1]: running sums of the weights, from 0 to W > 0. `totals` int64[k]. `out` int64[k, n].
    """
    whole = prefix[-1]
    for p in range(totals.shape[0]):
        total = totals[p]
        ratio = float(total) / float(whole)
        row = out[p]
        before = np.int64(0)
        for i in range(row.shape[0]):
            reached = prefix[i + 1]
            guess = np.int64(float(reached) * ratio)
            rest = total * reached - guess * whole
            guess += np.int64(rest >= whole) - np.int64(rest < 0)
            row[i] = guess - before
            before = guess


@kernel
def largest_remainder(weights: Ints, whole: np.int64, totals: Ints, rests: Ints, out: Ints) -> None:
    """Fill out[p, i] with the floor of its share, plus 1 for the largest remainders; ties by earliest interval.

    `weights` int64[n] summing to `whole` > 0. `totals` int64[k]. `rests` int64[n] is scratch. `out` int64[k, n].
    """
    for p in range(totals.shape[0]):
        total = totals[p]
        ratio = float(total) / float(whole)
        row = out[p]
        left = total
        for i in range(row.shape[0]):
            guess = np.int64(float(weights[i]) * ratio)
            rest = total * weights[i] - guess * whole
            low, high = np.int64(rest < 0), np.int64(rest >= whole)
            guess += high - low
            rests[i] = rest + (low - high) * whole
            row[i] = guess
            left -= guess
        # Bisect for the smallest remainder that still earns a unit: at most `left` are above it.
        bottom, top = np.int64(0), whole
        while bottom < top:
            middle = (bottom + top) // 2
            above = 0
            for i in range(row.shape[0]):
                above += rests[i] > middle
            if above > left:
                bottom = middle + 1
            else:
                top = middle
        for i in range(row.shape[0]):
            earns = np.int64(rests[i] > bottom)
            row[i] += earns
            left -= earns
        for i in range(row.shape[0]):
            if left > 0 and rests[i] == bottom:
                row[i] += 1
                left -= 1
