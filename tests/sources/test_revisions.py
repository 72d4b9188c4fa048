"""Values that were published more than once, against a twin that goes through rows one at a time."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from gcr_fast.sources.revisions import replaced

ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 1)), max_size=14)


@given(rows=ROWS)
@example(rows=[(0, 1, 0), (0, 0, 0), (0, 1, 0), (0, 1, 1)])
def test_only_what_was_published_last_stays(rows):
    newest = {}
    for start, published, key in rows:
        newest[start, key] = max(published, newest.get((start, key), published))
    columns = [np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)] or [np.zeros(0, np.int64)] * 3
    assert replaced(*columns).tolist() == [published < newest[start, key] for start, published, key in rows]


def test_without_a_key_all_rows_are_one_series():
    assert replaced(np.array([0, 0, 3600]), np.array([5, 6, 1])).tolist() == [True, False, False]
