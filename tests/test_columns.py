"""The door between Arrow and kernels."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcr_fast import UsageError
from gcr_fast.columns import alike, arrow_int64, encode, every, int64_view, some, utc_seconds, utc_timestamps, words


def test_int64_without_nulls_is_not_copied():
    column = pa.array([1, 2, 3], pa.int64())
    view = int64_view(column, "x")
    assert view.ctypes.data == column.buffers()[1].address


def test_chunks_slices_and_smaller_integers_become_one_int64_array():
    for column in (pa.chunked_array([[1], [2, 3]]), pa.array([0, 1, 2, 3])[1:], pa.array([1, 2, 3], pa.int16())):
        view = int64_view(column, "x")
        assert (view.dtype, view.tolist()) == (np.int64, [1, 2, 3])
        assert view.flags.c_contiguous


@pytest.mark.parametrize("column", [pa.array([1, None]), pa.array([1.0]), pa.array(["1"])])
def test_nulls_floats_and_text_are_refused_by_name(column):
    with pytest.raises(UsageError, match="energy_wh"):
        int64_view(column, "energy_wh")


def test_arrow_int64_wraps_without_copying():
    values = np.array([5, -6], dtype=np.int64)
    wrapped = arrow_int64(values)
    assert wrapped.to_pylist() == [5, -6]
    assert wrapped.buffers()[1].address == values.ctypes.data


def test_seconds_and_timestamps_are_inverse():
    seconds = np.array([-1, 0, 1_704_067_200], dtype=np.int64)
    stamps = utc_timestamps(seconds)
    assert stamps.type == pa.timestamp("ms", "UTC")
    assert utc_seconds(stamps, "start").tolist() == seconds.tolist()


def test_words_repeat_and_below_zero_they_are_null():
    texts = pa.array(["a", "b"])
    column = words(np.array([1, -1, 0]), np.array([2, 3, 1]), texts)
    assert column.to_pylist() == ["b", "b", None, None, None, "a"]
    assert words(np.array([1, 0]), np.array([1, 0]), texts).to_pylist() == ["b"]
    assert len(words(np.array([], np.int64), np.array([], np.int64), texts)) == 0


def test_the_key_under_a_null_word_is_one_that_the_dictionary_has():
    column = words(np.array([1, -1]), np.array([1, 2]), pa.array(["a", "b"]))
    keys = np.frombuffer(column.indices.buffers()[1], dtype=np.int32)[: len(column)]
    assert keys.min() >= 0


@pytest.mark.parametrize("dictionary", [False, True])
def test_encode_gives_codes_in_order_of_first_appearance_and_null_as_minus_one(dictionary):
    column = pa.array(["b", None, "a", "b"])
    codes, values = encode(column.dictionary_encode() if dictionary else column)
    assert (codes.tolist(), values) == ([0, -1, 1, 0], ["b", "a"])
    assert codes.dtype == np.int32


def test_encode_of_a_dictionary_with_a_null_word_is_minus_one_too():
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int8()), pa.array(["a", None]))
    assert encode(column)[0].tolist() == [0, -1, -1]


@given(st.lists(st.booleans(), max_size=20), st.booleans(), st.integers(0, 20))
def test_masks_are_asked_alike_whether_one_byte_stands_for_all_or_not(mask, value, count):
    laid, same = np.array(mask, dtype=bool), alike(value, count)
    assert (some(laid), every(laid)) == (any(mask), all(mask))
    assert (some(same), every(same)) == (value and count > 0, value or not count)
    assert same.tolist() == [value] * count
