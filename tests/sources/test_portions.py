"""Times in portions are those of the whole column."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcr_fast.periods import parse_times
from gcr_fast.sources import portions
from gcr_fast.sources.clock import parse_best
from gcr_fast.sources.portions import labels_of, times_of

LABELS = st.sampled_from(["2024/4/1 0:30", "2024/10/31 23:00", "2024-04-01 00:30", "31.04.2024", "", None])
TIMES = st.sampled_from(["2024-03-31T01:00:00+01:00", "2024-03-31T02:30:00", "2024-03-31 03:00", "nought", None])
LAYOUTS = ("%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M")


def columns(cells):
    """The same cells plain, as words, and in chunks."""
    return st.lists(cells, max_size=25).flatmap(
        lambda some: st.sampled_from(
            [
                pa.array(some, pa.string()),
                pa.array(some, pa.string()).dictionary_encode(),
                pa.chunked_array([pa.array(some[:7], pa.string()), pa.array(some[7:], pa.string())]),
            ]
        )
    )


def in_portions(read, column, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(portions, "PORTION", size)
        return read(column)


def assert_same(found, whole):
    for some, all_of_it in zip(found, whole, strict=True):
        assert np.array_equal(some, all_of_it)
        assert some.dtype == all_of_it.dtype


@given(columns(LABELS), st.integers(1, 9))
def test_labels_are_those_of_the_whole_column(column, size):
    assert_same(in_portions(lambda some: labels_of(some, *LAYOUTS), column, size), parse_best(column, *LAYOUTS))


@given(columns(TIMES), st.sampled_from([None, "UTC", "Europe/Paris"]), st.integers(1, 9))
def test_times_are_those_of_the_whole_column(column, zone, size):
    assert_same(in_portions(lambda some: times_of(some, zone), column, size), parse_times(column, zone))
