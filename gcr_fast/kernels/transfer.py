"""Changing hands and states, with the sums kept up to date.

A segment is energy [parents, hours] laid flat; a row is a position in it. Row r belongs to parent r // hours. Energy 0
means that there is no certificate. `owners` and `states` are columns over rows, or empty while nothing was touched;
0 in them means as issued. A state is stored as its code + 1, so that 0 is free.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gcr_fast.accelerate import kernel

Ints = npt.NDArray[np.int64]
Owners = npt.NDArray[np.int32]
States = npt.NDArray[np.int8]


@kernel
def move(
    runs: Ints,
    hours: int,
    energy: Ints,
    owners: Owners,
    states: States,
    born_owners: Owners,
    born_states: States,
    starts: Ints,
    steps: Ints,
    sources: Ints,
    months: Ints,
    new_owner: int,
    becomes: States,
    by_owner: Ints,
    by_source: Ints,
    by_month: Ints,
) -> None:
    """Give every certificate of the runs to `new_owner` (0: leave) and the state that `becomes` says (0: leave).

    `becomes` int8[stored states]. `starts`, `steps` s and `sources` int64 per parent; `months` int64[m + 1]: starts of
    calendar months, UTC. The sums int64[owner | source | month, stored states, 2] of certificates and Wh follow.
    """
    for j in range(runs.shape[0]):
        low, high = runs[j, 0], runs[j, 0] + runs[j, 1]
        month = 0
        for row in range(low, high):
            wh = np.int64(energy[row])
            if wh == 0:
                continue
            parent = row // hours
            begin = starts[parent] + (row - parent * hours) * steps[parent]
            if begin < months[month]:
                month = 0
            while begin >= months[month + 1]:
                month += 1
            holder = np.int64(owners[row])
            state = np.int64(states[row])
            if holder == 0:
                holder = np.int64(born_owners[parent])
            if state == 0:
                state = np.int64(born_states[parent])
            source = sources[parent]
            by_owner[holder, state, 0] -= 1
            by_owner[holder, state, 1] -= wh
            by_source[source, state, 0] -= 1
            by_source[source, state, 1] -= wh
            by_month[month, state, 0] -= 1
            by_month[month, state, 1] -= wh
            if new_owner != 0:
                owners[row] = new_owner
                holder = np.int64(new_owner)
            if becomes[state] != 0:
                states[row] = becomes[state]
                state = np.int64(becomes[state])
            by_owner[holder, state, 0] += 1
            by_owner[holder, state, 1] += wh
            by_source[source, state, 0] += 1
            by_source[source, state, 1] += wh
            by_month[month, state, 0] += 1
            by_month[month, state, 1] += wh
