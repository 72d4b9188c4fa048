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
def move(  # noqa: C901 - one pass over the rows, in which everything is decided
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
    month = np.int64(0)
    for j in range(runs.shape[0]):
        row, last = runs[j, 0], runs[j, 0] + runs[j, 1]
        while row < last:  # as far as parent and month stay the same
            parent = row // hours
            begin, step = starts[parent] + (row - parent * hours) * steps[parent], steps[parent]
            if begin < months[month]:
                month = np.int64(0)
            while begin >= months[month + 1]:
                month += 1
            stop = min(last, (parent + 1) * hours, row - (begin - months[month + 1]) // step)
            holder, state = np.int64(0), np.int64(0)
            count, total = np.int64(0), np.int64(0)
            for at in range(row, stop + 1):  # at the stop, what was gathered last is booked
                wh = np.int64(energy[at]) if at < stop else np.int64(1)
                if wh == 0:
                    continue
                who, what = np.int64(0), np.int64(0)
                if at < stop:
                    who, what = np.int64(owners[at]), np.int64(states[at])
                    who = who if who != 0 else np.int64(born_owners[parent])
                    what = what if what != 0 else np.int64(born_states[parent])
                if who != holder or what != state:
                    if count != 0:
                        source = sources[parent]
                        to = np.int64(new_owner) if new_owner != 0 else holder
                        after = np.int64(becomes[state]) if becomes[state] != 0 else state
                        by_owner[holder, state, 0] -= count
                        by_owner[holder, state, 1] -= total
                        by_source[source, state, 0] -= count
                        by_source[source, state, 1] -= total
                        by_month[month, state, 0] -= count
                        by_month[month, state, 1] -= total
                        by_owner[to, after, 0] += count
                        by_owner[to, after, 1] += total
                        by_source[source, after, 0] += count
                        by_source[source, after, 1] += total
                        by_month[month, after, 0] += count
                        by_month[month, after, 1] += total
                    holder, state = who, what
                    count, total = np.int64(0), np.int64(0)
                if at < stop:
                    count += 1
                    total += wh
                    if new_owner != 0:
                        owners[at] = new_owner
                    if becomes[what] != 0:
                        states[at] = becomes[what]
            row = stop
