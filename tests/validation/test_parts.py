"""Columns in parts: what repeats in memory is looked at once, and what differs is still seen."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from gcr_fast.validation.parts import Memory, Parts

TILE = pa.array(np.full(100, 7, np.int32))


def test_slices_of_one_tile_are_one_memory():
    parts = Parts.from_chunks([TILE, TILE.slice(0, 40), TILE], np.int32)
    assert parts.marks[0] == parts.marks[2] != parts.marks[1]
    assert parts.arrays[0] is parts.arrays[2]
    assert parts.flat.tolist() == [7] * 240
    assert parts.bounds.tolist() == [0, 100, 140, 240]


def test_chunks_without_rows_are_no_parts():
    assert Parts.from_chunks([TILE.slice(0, 0), TILE], np.int32).bounds.tolist() == [0, 100]


def test_a_slice_is_read_from_where_it_begins():
    column = pa.array(np.arange(10, dtype=np.int64))
    assert Parts.from_chunks([column.slice(3, 4)], np.int64).flat.tolist() == [3, 4, 5, 6]


def test_a_longer_part_at_a_known_address_is_looked_at_again():
    mixed = pa.array(np.array([5, 5, 6], np.int32))
    memory, parts = Memory(), Parts.from_chunks([mixed.slice(0, 2), mixed], np.int32)
    found = [memory.constant(part, mark) for part, mark in zip(parts.arrays, parts.marks, strict=True)]
    assert found == [5, None]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5)), min_size=1, max_size=8),
    st.lists(st.integers(1, 39), max_size=6, unique=True),
)
def test_spread_is_the_value_of_each_run_or_nothing(chunks, cuts):
    flat = np.concatenate([np.full(size, value, np.int32) for value, size in chunks])
    bounds = np.array([0, *sorted(cut for cut in cuts if cut < len(flat)), len(flat)])
    parts = Parts.from_chunks([pa.array(np.full(size, value, np.int32)) for value, size in chunks], np.int32)
    runs = [set(flat[low:high].tolist()) for low, high in pairwise(bounds.tolist())]
    spread = Memory().spread(parts, bounds)
    if all(len(run) == 1 for run in runs):
        assert [{value} for value in spread.tolist()] == runs
    else:
        assert spread is None
