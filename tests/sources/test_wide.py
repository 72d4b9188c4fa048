"""A table with a column per series: which of its rows a series has."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gcr_fast.sources.wide import LONG_RUN, _Chosen

COUNT = 4 * LONG_RUN


@given(st.lists(st.integers(0, COUNT - 1), max_size=6), st.lists(st.integers(0, COUNT - 1), max_size=40))
def test_rows_in_long_runs_are_those_that_are_looked_up_one_by_one(absent, scattered):
    values = np.arange(COUNT) * 7
    for rows in (np.setdiff1d(np.arange(COUNT), absent), np.array(scattered, np.int64), np.zeros(0, np.int64)):
        taken = _Chosen(rows)
        assert taken.among(values).tolist() == values[rows].tolist()
        mask = values % 2 == 0
        assert taken.of(mask) is taken.of(mask)
        assert taken.of(mask).tolist() == mask[rows].tolist()
