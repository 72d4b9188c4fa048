"""Reading finished hours back: sums, maxima and counts, row by row, for one code per row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gcr_fast.accelerate import kernel

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]


@kernel
def row_figures(values: Ints, sums: Ints, nonzero: Ints, lowest: Ints) -> None:
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


@kernel
def run_bounds(parents: Codes, bounds: Ints) -> int:
    """Find the runs of equal values in `parents` int32[n]. Returns their number r.

    `bounds` int64[n + 1] is filled up to r: run j is parents[bounds[j] : bounds[j + 1]].
    """
    runs = 0
    for low in range(0, parents.shape[0], 1024):
        block = parents[low : low + 1024]
        before = parents[low - 1] if low else ~parents[0]
        differ = before ^ block[0]
        for i in range(1, block.shape[0]):  # a loop without branches, which most blocks are done with
            differ |= block[i] ^ block[i - 1]
        if differ == 0:
            continue
        for i in range(block.shape[0]):
            if block[i] != before:
                bounds[runs] = low + i
                runs += 1
            before = block[i]
    bounds[runs] = parents.shape[0]
    return runs


@kernel
def run_times(starts: Ints, lengths: Codes, bounds: Ints, per_second: int, figures: Ints) -> None:
    """Per run: first start, end of the last interval, longest length in seconds, 1 if its intervals are regular.

    `starts` int64[n], `per_second` to a second; `lengths` int32[n] s; `bounds` int64[r + 1]; `figures` int64[r, 4],
    filled. Regular means of one length above 0, each beginning a whole number of lengths (or none) after the end of
    the one before.
    """
    for j in range(bounds.shape[0] - 1):
        low, high = bounds[j], bounds[j + 1]
        length = np.int64(lengths[low]) * per_second
        expected = starts[low]
        longest = np.int64(0)
        regular = bool(length > 0)
        for i in range(low, high):
            if lengths[i] != lengths[low]:
                regular = False
            elif starts[i] != expected:
                gap = starts[i] - expected
                regular = bool(regular and gap > 0 and gap % length == 0)
            longest = max(longest, np.int64(lengths[i]))
            expected = starts[i] + np.int64(lengths[i]) * per_second
        figures[j, 0] = starts[low]
        figures[j, 1] = expected
        figures[j, 2] = longest
        figures[j, 3] = np.int64(regular)


@kernel
def run_energy(energy: Ints, bounds: Ints, figures: Ints) -> None:
    """Per run of `energy` int64[n]: sum, smallest, largest, number of zeros. `figures` int64[r, 4], filled."""
    for j in range(bounds.shape[0] - 1):
        run = energy[bounds[j] : bounds[j + 1]]  # a slice of its own lets the compiler vectorise
        total, zeros = np.int64(0), np.int64(0)
        least = most = run[0]
        for i in range(run.shape[0]):
            total += run[i]
            least = min(least, run[i])
            most = max(most, run[i])
            zeros += np.int64(run[i] == 0)
        figures[j, 0] = total
        figures[j, 1] = least
        figures[j, 2] = most
        figures[j, 3] = zeros


@kernel
def run_words(codes: Codes, bounds: Ints, kinds: Ints, allowed: Bools, good: Bools) -> None:
    """Per run: whether every word is one that the run's parent allows.

    `codes` int32[n] (-1, a null, reads the last column), `kinds` int64[r], `allowed` bool[kinds, words + 1],
    `good` bool[r], filled.
    """
    for j in range(bounds.shape[0] - 1):
        row = allowed[kinds[j]]
        last = codes[bounds[j]]
        good[j] = row[last]
        for i in range(bounds[j], bounds[j + 1]):
            if codes[i] != last:
                last = codes[i]
                good[j] &= row[last]


@kernel
def quota(energy: Ints, weights: Ints, whole: int, total: int, good: Bools) -> int:
    """Whether each entry is floor or ceiling of its share. Returns how many of the floors are above 0.

    `energy` int64[m] (units), `weights` int64[m] of a sum `whole` > 0, `total` (units); `good` bool[m], filled.
    """
    ratio = float(total) / float(whole)
    needed = 0
    for i in range(energy.shape[0]):
        floor = np.int64(float(weights[i]) * ratio)
        rest = total * weights[i] - floor * whole
        low, high = np.int64(rest < 0), np.int64(rest >= whole)
        floor += high - low
        rest += (low - high) * whole
        good[i] = energy[i] == floor or (energy[i] == floor + 1 and rest > 0)
        needed += 1 if floor > 0 else 0
    return needed
