"""Answering questions: the certificates of some runs that match, with the columns that describe them.

Rows, segments and stored states as in `transfer`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gcr_fast.accelerate import kernel

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
States = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]


@kernel
def matching(
    runs: Ints,
    hours: int,
    energy: Ints,
    owners: Codes,
    states: States,
    born_owners: Codes,
    born_states: States,
    starts: Ints,
    steps: Ints,
    owner: int,
    wanted: Bools,
    traded: bool,
    clock: Bools,
    least_wh: int,
    out_rows: Ints,
    out_parents: Ints,
    out_ms: Ints,
    out_wh: Ints,
    out_owners: Codes,
    out_states: States,
) -> int:
    """Write the certificates that match into the `out_` columns, in the order of the runs. Returns how many.

    `owner` 0 is anyone; `wanted` bool[stored states]; `traded`: only what was traded since its issue; `clock` bool[24]:
    hours of the day, UTC; `least_wh` at least 1. Out: row, parent, start in ms, Wh, owner, stored state.
    """
    found = 0
    every = True
    for hour in range(24):
        every = every and clock[hour]
    for j in range(runs.shape[0]):
        for row in range(runs[j, 0], runs[j, 0] + runs[j, 1]):
            wh = np.int64(energy[row])
            if wh < least_wh:
                continue
            parent = row // hours
            holder = np.int64(owners[row]) if owners.shape[0] else 0
            state = np.int64(states[row]) if states.shape[0] else 0
            if traded and holder == 0:
                continue
            if holder == 0:
                holder = np.int64(born_owners[parent])
            if state == 0:
                state = np.int64(born_states[parent])
            if owner not in (0, holder) or not wanted[state]:
                continue
            begin = starts[parent] + (row - parent * hours) * steps[parent]
            if not every and not clock[(begin // 3600) % 24]:
                continue
            out_rows[found] = row
            out_parents[found] = parent
            out_ms[found] = begin * 1000
            out_wh[found] = wh
            out_owners[found] = holder
            out_states[found] = state
            found += 1
    return found
