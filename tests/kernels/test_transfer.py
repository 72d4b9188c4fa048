"""Changing hands, answering questions, summing and laying blocks: each kernel against plain Python."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcr_fast.kernels import aggregate, blocks, lookup, transfer

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # wrapping is meant

STATES, OWNERS, SOURCES = 10, 5, 3
MONTHS = [0, 7_200, 18_000, 10**9]
"""Starts of made-up months, s, so that a few hours fall in several."""


@st.composite
def registries(draw):
    """A segment of a few parents, with columns that were touched or not, and some runs of its rows."""
    parents, hours = draw(st.integers(1, 3)), draw(st.integers(1, 8))
    rows = parents * hours

    def many(low, high, count):
        return draw(st.lists(st.integers(low, high), min_size=count, max_size=count))

    cuts = sorted(set(draw(st.lists(st.integers(0, rows), max_size=6))) | {0, rows})
    runs = [(low, high - low) for low, high in pairwise(cuts) if draw(st.booleans())]
    touched = draw(st.booleans())
    return {
        "hours": hours,
        "runs": np.array(runs, dtype=np.int64).reshape(-1, 2),
        "energy": np.array(many(0, 3, rows), dtype=draw(st.sampled_from([np.int32, np.int64]))),
        "owners": np.array(many(0, OWNERS - 1, rows) if touched else [], dtype=np.int32),
        "states": np.array(many(0, STATES - 1, rows) if touched else [], dtype=np.int8),
        "born_owners": np.array(many(1, OWNERS - 1, parents), dtype=np.int32),
        "born_states": np.array(many(1, STATES - 1, parents), dtype=np.int8),
        "starts": np.array(many(0, 9, parents), dtype=np.int64) * 3600,
        "steps": np.array(draw(st.lists(st.sampled_from([900, 3600]), min_size=parents, max_size=parents))),
        "sources": np.array(many(0, SOURCES - 1, parents), dtype=np.int64),
    }


def certificates(given_):
    """Yield (row, parent, start, Wh, owner, state, was traded) of each certificate in the runs."""
    for first, count in given_["runs"].tolist():
        for row in range(first, first + count):
            parent, wh = row // given_["hours"], int(given_["energy"][row])
            owner = int(given_["owners"][row]) if len(given_["owners"]) else 0
            state = int(given_["states"][row]) if len(given_["states"]) else 0
            start = int(given_["starts"][parent]) + row % given_["hours"] * int(given_["steps"][parent])
            if wh:
                born = int(given_["born_owners"][parent]), int(given_["born_states"][parent])
                yield row, parent, start, wh, owner or born[0], state or born[1], owner != 0


@given(
    registries(),
    st.integers(0, OWNERS - 1),
    st.lists(st.booleans(), min_size=STATES, max_size=STATES),
    st.booleans(),
    st.sets(st.integers(0, 23)) | st.just(set(range(24))),
    st.integers(1, 3),
)
def test_matching_finds_what_plain_python_finds(segment, owner, wanted, traded, hours, least):
    columns = [np.zeros(len(segment["energy"]), kind) for kind in (np.int64,) * 4 + (np.int32, np.int8)]
    clock = np.array([hour in hours for hour in range(24)])
    names = ("runs", "hours", "energy", "owners", "states", "born_owners", "born_states", "starts", "steps")
    found = lookup.matching(*(segment[name] for name in names), owner, np.array(wanted), traded, clock, least, *columns)
    expected = [
        (row, parent, start * 1000, wh, holder, state)
        for row, parent, start, wh, holder, state, moved in certificates(segment)
        if wh >= least
        and owner in (0, holder)
        and wanted[state]
        and (moved or not traded)
        and start // 3600 % 24 in hours
    ]
    assert list(zip(*(column[:found].tolist() for column in columns), strict=True)) == expected


@given(registries(), st.integers(0, OWNERS - 1), st.lists(st.integers(0, STATES - 1), min_size=STATES, max_size=STATES))
def test_move_changes_what_plain_python_changes_and_the_sums_follow(segment, new_owner, becomes):
    rows = len(segment["energy"])
    for name, kind in (("owners", np.int32), ("states", np.int8)):
        segment[name] = segment[name] if len(segment[name]) else np.zeros(rows, kind)
    before = {name: segment[name].tolist() for name in ("owners", "states")}
    sums = [np.zeros((size, STATES, 2), np.int64) for size in (OWNERS, SOURCES, len(MONTHS) - 1)]
    wanted = [array.copy() for array in sums]
    for row, parent, start, wh, holder, state, _ in list(certificates(segment)):
        month = max(at for at, begin in enumerate(MONTHS) if begin <= start)
        after = becomes[state] or state
        for sign, who, what in ((-1, holder, state), (1, new_owner or holder, after)):
            for place, table in zip((who, int(segment["sources"][parent]), month), wanted, strict=True):
                table[place, what] += np.array([sign, sign * wh])
        before["owners"][row] = new_owner or before["owners"][row]
        before["states"][row] = becomes[state] or before["states"][row]
    names = ("runs", "hours", "energy", "owners", "states", "born_owners", "born_states", "starts", "steps", "sources")
    months = np.array(MONTHS, dtype=np.int64)
    transfer.move(*(segment[name] for name in names), months, new_owner, np.array(becomes, dtype=np.int8), *sums)
    assert {name: segment[name].tolist() for name in before} == before
    assert all((got == want).all() for got, want in zip(sums, wanted, strict=True))


@given(registries())
def test_born_sums_what_plain_python_sums(segment):
    energy = segment["energy"].reshape(-1, segment["hours"])
    segment |= {"runs": np.array([[0, energy.size]]), "owners": np.zeros(0, np.int32), "states": np.zeros(0, np.int8)}
    sums = [np.zeros((size, STATES, 2), np.int64) for size in (OWNERS, SOURCES, len(MONTHS) - 1)]
    wanted = [array.copy() for array in sums]
    for _, parent, start, wh, holder, state, _ in certificates(segment):
        month = max(at for at, begin in enumerate(MONTHS) if begin <= start)
        for place, table in zip((holder, int(segment["sources"][parent]), month), wanted, strict=True):
            table[place, state] += np.array([1, wh])
    born = (segment[name].astype(np.int64) for name in ("starts", "steps", "born_owners", "born_states", "sources"))
    aggregate.born(energy, *born, np.array(MONTHS, dtype=np.int64), *sums)
    assert all((got == want).all() for got, want in zip(sums, wanted, strict=True))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2**50)), max_size=30))
def test_grouped_counts_and_sums_by_key(pairs):
    counts, sums = np.zeros(5, np.int64), np.zeros(5, np.int64)
    keys = np.array([key for key, _ in pairs], dtype=np.int64)
    aggregate.grouped(keys, np.array([wh for _, wh in pairs], dtype=np.int64), counts, sums)
    assert counts.tolist() == [sum(key == at for key, _ in pairs) for at in range(5)]
    assert sums.tolist() == [sum(wh for key, wh in pairs if key == at) for at in range(5)]


@given(st.integers(1, 4), st.sets(st.integers(0, 11)), st.sampled_from([np.int32, np.int64]))
def test_lay_puts_each_hour_in_its_place_and_nothing_elsewhere(parents, places, kind):
    positions = np.array(sorted(places), dtype=np.int64)
    hours = np.arange(1, parents * len(positions) + 1, dtype=np.int64).reshape(parents, len(positions))
    out = np.full((parents, 12), -7, dtype=kind)
    blocks.lay(hours, positions, out)
    wanted = [[0] * 12 for _ in range(parents)]
    for parent, row in enumerate(hours.tolist()):
        for place, wh in zip(positions.tolist(), row, strict=True):
            wanted[parent][place] = wh
    assert out.tolist() == wanted
