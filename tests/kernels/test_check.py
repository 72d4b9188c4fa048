"""Reading finished hours back, against plain Python."""

from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracle import check as oracle
from oracle.hard import hard_totals

from gcr_fast.codes import MAX_PARENT_WH, MAX_PROFILE_TOTAL
from gcr_fast.kernels import check

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # wrapping is meant

ENERGY = st.one_of(st.just(0), st.integers(-(2**55), 2**55))
BLOCKS = st.integers(0, 40).flatmap(
    lambda hours: st.lists(st.lists(ENERGY, min_size=hours, max_size=hours), max_size=6)
)
RUNS = st.lists(st.integers(1, 30), max_size=8).map(lambda lengths: [0, *accumulate(lengths)])
"""Where runs begin, and the length of it all."""


def row_figures(rows):
    """Run the kernel on lists; return one tuple per row."""
    hours = len(rows[0]) if rows else 0
    values = np.array(rows, dtype=np.int64).reshape(len(rows), hours)
    out = [np.full(len(rows), -7, dtype=np.int64) for _ in range(3)]
    check.row_figures(values, *out)
    return list(zip(*(column.tolist() for column in out), strict=True))


def figures(kernel, bounds, *arguments):
    """Run a kernel that fills int64[r, 4]; return one tuple per run."""
    out = np.full((len(bounds) - 1, 4), -7, dtype=np.int64)
    (*columns, options) = arguments
    kernel(*columns, np.array(bounds, dtype=np.int64), *options, out)
    return [tuple(row) for row in out.tolist()]


@given(rows=BLOCKS)
@example(rows=[])
@example(rows=[[], []])
@example(rows=[[0, 0], [5, 0], [-1, 1]])
def test_row_figures_same_as_plain_python(rows):
    assert row_figures(rows) == [oracle.row_figures(row) for row in rows]


def test_lowest_is_zero_unless_an_hour_is_negative():
    assert row_figures([[3, 4], [3, -4]]) == [(7, 2, 0), (-1, 2, -4)]


def test_largest_sum_that_is_allowed_does_not_wrap():
    assert row_figures([[2**51, 2**51 - 1]]) == [(2**52 - 1, 2, 0)]


def test_figures_are_whole_numbers_before_they_are_stored():
    plain = check.row_figures.__wrapped__
    out = [np.empty(1, dtype=object) for _ in range(3)]
    assert plain(np.array([[2, 0, -3]], dtype=np.int64), *out) is None
    assert [column[0] for column in out] == [-1, 2, -3]
    assert all(isinstance(column[0], int | np.integer) for column in out)


def test_rows_may_be_views_into_a_larger_block():
    block = np.arange(24, dtype=np.int64).reshape(4, 6)
    out = [np.empty(2, dtype=np.int64) for _ in range(3)]
    check.row_figures(block[1:3, 2:5], *out)
    assert out[0].tolist() == [int(row.sum()) for row in block[1:3, 2:5]]


@given(parents=st.lists(st.integers(-1, 3), max_size=60))
@example(parents=[])
@example(parents=[4, 4, 2, 4])
def test_run_bounds_same_as_plain_python(parents):
    bounds = np.full(len(parents) + 1, -7, dtype=np.int64)
    runs = check.run_bounds(np.array(parents, dtype=np.int32), bounds)
    assert bounds[: runs + 1].tolist() == oracle.run_bounds(parents)
    assert (bounds[runs + 1 :] == -7).all()


@st.composite
def timetables(draw):
    """Runs of intervals: mostly one after the other, some with gaps, overlaps or odd lengths."""
    bounds = draw(RUNS)
    starts, lengths, moment = [], [], draw(st.integers(-(10**6), 10**6)) * 300
    for _ in range(bounds[-1]):
        moment += draw(st.sampled_from([0] * 8 + [300, 3600, -300, 1]))
        starts.append(moment)
        lengths.append(draw(st.sampled_from([3600] * 8 + [900, 0, -3600])))
        moment += lengths[-1]
    return starts, lengths, bounds


@given(case=timetables(), per_second=st.sampled_from([1, 1000, 1_000_000]), late=st.sampled_from([0, 1, 3600]))
@example(case=([], [], [0]), per_second=1, late=0)
@example(case=([0, 3600, 3600], [3600, 3600, 3600], [0, 3]), per_second=1, late=0)  # the same hour twice
@example(case=([0, 3900], [3600, 3600], [0, 2]), per_second=1000, late=0)  # a gap off the grid
@example(case=([0, 7200], [3600, 3600], [0, 2]), per_second=1000, late=0)  # a gap of a whole hour
@example(case=([0, 3600], [3600, 900], [0, 2]), per_second=1000, late=0)  # two lengths
@example(case=([5, 4], [-3600, 0], [0, 1, 2]), per_second=1, late=0)  # no length at all
@example(case=([0, 3600], [3600, 3600], [0, 2]), per_second=1000, late=1)  # late by less than a second
@example(case=([0, 3600], [3600, 3600], [0, 2]), per_second=1000, late=3600)  # 3,600 ticks are no hour
def test_run_times_same_as_plain_python(case, per_second, late):
    starts, lengths, bounds = case
    starts = [start * per_second + late * (i % 2) for i, start in enumerate(starts)]
    columns = np.array(starts, dtype=np.int64), np.array(lengths, dtype=np.int32)
    assert figures(check.run_times, bounds, *columns, [per_second]) == [
        oracle.run_times(starts[low:high], lengths[low:high], per_second) for low, high in pairwise(bounds)
    ]


@given(data=st.data(), bounds=RUNS)
def test_run_energy_same_as_plain_python(data, bounds):
    energy = data.draw(st.lists(ENERGY, min_size=bounds[-1], max_size=bounds[-1]))
    assert figures(check.run_energy, bounds, np.array(energy, dtype=np.int64), []) == [
        oracle.run_energy(energy[low:high]) for low, high in pairwise(bounds)
    ]


@given(data=st.data(), bounds=RUNS)
def test_run_words_same_as_plain_python_and_null_reads_the_last_entry(data, bounds):
    count, runs = bounds[-1], len(bounds) - 1
    codes = data.draw(st.lists(st.integers(-1, 2), min_size=count, max_size=count))
    kinds = data.draw(st.lists(st.integers(0, 2), min_size=runs, max_size=runs))
    allowed = data.draw(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=3, max_size=3))
    good = np.zeros(runs, dtype=bool)
    arrays = (
        np.array(codes, dtype=np.int32),
        np.array(bounds, dtype=np.int64),
        np.array(kinds, dtype=np.int64),
    )
    check.run_words(*arrays, np.array(allowed, dtype=bool), good)
    expected = [
        oracle.run_words(codes[low:high], allowed[kind])
        for (low, high), kind in zip(pairwise(bounds), kinds, strict=True)
    ]
    assert good.tolist() == expected


@st.composite
def quotas(draw):
    """Weights up to the limits, a total, and entries at or near their share."""
    top = draw(st.sampled_from([1, 5, 1 << 40, MAX_PROFILE_TOTAL // 50]))
    weights = draw(st.lists(st.integers(0, top), min_size=1, max_size=50))
    if sum(weights) == 0 or draw(st.booleans()):
        limit = draw(st.one_of(st.just(MAX_PROFILE_TOTAL), st.integers(sum(weights) + 1, MAX_PROFILE_TOTAL)))
        weights[-1] += limit - sum(weights)
    whole = sum(weights)
    chosen = draw(st.sampled_from([weight for weight in weights if weight]))
    total = draw(st.sampled_from([*hard_totals(chosen, whole), 1, len(weights), MAX_PARENT_WH]))
    offsets = draw(st.lists(st.integers(-1, 2), min_size=len(weights), max_size=len(weights)))
    energy = [total * weight // whole + offset for weight, offset in zip(weights, offsets, strict=True)]
    return energy, weights, whole, total


@given(case=quotas())
@example(case=([1, 2, 0, -1], [1, 1, 1, 1], 4, 4))  # whole shares: the ceiling is the floor
@example(
    case=(
        [MAX_PARENT_WH, MAX_PARENT_WH + 1],
        [MAX_PROFILE_TOTAL, MAX_PROFILE_TOTAL],
        MAX_PROFILE_TOTAL,
        MAX_PARENT_WH,
    )
)
@example(case=([2**62, -(2**62)], [1, 1], 2, 3))
@example(case=([48, 49, 50], [11, 11, 11], 11, 49))  # the float quotient is a little under 49
@example(
    case=(
        [9991687749162, 9991687749163, 9991687749164, 9991687749165],
        [136034553451199] * 4,
        2**53 - 1,
        661575461268083,
    )
)  # and here over
def test_quota_is_floor_or_ceiling_same_as_big_integers(case):
    energy, weights, whole, total = case
    good = np.zeros(len(weights), dtype=bool)
    arrays = np.array(energy, dtype=np.int64), np.array(weights, dtype=np.int64)
    needed = check.quota(*arrays, whole, total, good)
    assert (good.tolist(), needed) == oracle.quota(*case)


def test_quota_of_nothing_is_nothing():
    none = np.zeros(0, dtype=np.int64)
    assert check.quota(none, none, 1, 5, np.zeros(0, dtype=bool)) == 0


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
def test_empty_blocks(shape):
    out = [np.full(shape[0], -7, dtype=np.int64) for _ in range(3)]
    check.row_figures(np.empty(shape, dtype=np.int64), *out)
    assert all((column == 0).all() for column in out)
