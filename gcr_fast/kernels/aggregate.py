"""Sums over certificates: what a block was born with, and groups of rows. Rows and segments as in `transfer`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gcr_fast.accelerate import kernel

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]


@kernel
def born(
    energy: Ints, starts: Ints, steps: Ints, owners: Ints, states: Ints, sources: Ints, months: Ints,
    by_owner: Ints, by_source: Ints, by_month: Ints,
) -> None:  # fmt: skip
    """Add a block of new certificates, `energy` [parents, hours], to the sums int64[owner | source | month, states, 2].

    `starts`, `steps` s, `owners`, `states` (stored) and `sources`: int64 per parent. `months` int64[m + 1]: starts of
    calendar months, UTC, of which the first is not after any certificate and the last is after all.
    """
    first = np.int64(0)
    for p in range(energy.shape[0]):
        row = energy[p]
        state = states[p]
        begin, step = starts[p], steps[p]
        month = first if begin >= months[first] else np.int64(0)  # most begin when the one before did
        while begin >= months[month + 1]:
            month += 1
        first = month
        low = np.int64(0)
        certificates = np.int64(0)
        total = np.int64(0)
        while low < row.shape[0]:
            high = min(np.int64(row.shape[0]), -((begin - months[month + 1]) // step))
            part = row[low:high]
            count, wh = np.int64(0), np.int64(0)
            for i in range(part.shape[0]):
                wh += np.int64(part[i])
                count += np.int64(part[i] != 0)
            by_month[month, state, 0] += count
            by_month[month, state, 1] += wh
            certificates += count
            total += wh
            low = high
            month += 1
        by_owner[owners[p], state, 0] += certificates
        by_owner[owners[p], state, 1] += total
        by_source[sources[p], state, 0] += certificates
        by_source[sources[p], state, 1] += total


@kernel
def grouped(keys: Ints, energy: Ints, counts: Ints, sums: Ints) -> None:
    """Count entries and sum `energy` int64[n] by `keys` int64[n]; `counts` and `sums` int64[groups] are added to."""
    for i in range(keys.shape[0]):
        counts[keys[i]] += 1
        sums[keys[i]] += energy[i]
