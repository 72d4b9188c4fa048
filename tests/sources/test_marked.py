"""Numbers with marks: what is read as floats is what reading the text says, and what is not, is left to that."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gcr_fast.sources.cells import ENGLISH, GERMAN, PLAIN_COMMA, locale_of, numbers, told_locale
from gcr_fast.sources.marked import MOST_LETTERS, floats

LETTERS = st.text("0123456789.,-+ e", max_size=9)
GROUPED = st.builds(
    lambda whole, rest, sign: f"{sign}{whole:,}{rest}",
    st.integers(0, 10**9),
    st.sampled_from(["", ".5", ".25", ".", ".125"]),
    st.sampled_from(["", "-"]),
)


def german(text):
    return text.translate(str.maketrans(".,", ",."))


def read(cells, locale, missing=()):
    """Numbers by floats, or None where they are left to the text."""
    try:
        return numbers(floats(pa.array(cells, pa.string()), *locale, missing), 6)
    except pa.ArrowInvalid:
        return None


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("locale", [ENGLISH, GERMAN, PLAIN_COMMA])
@given(st.lists(st.one_of(LETTERS, GROUPED, GROUPED.map(german), st.none()), max_size=6))
@example(["1,234.5", "12,345,678", "-999", None, ""])
@example(["1.234,5", "12.345.678", "-999"])
@example(["1,2345"])
@example(["1.2,345"])
@example(["-,123"])
@example(["1,23"])
@example(["1,234,5"])
@example(["123", ",456"])
def test_numbers_by_floats_are_those_of_the_text(locale, cells):
    found = read(cells, locale)
    wanted = numbers(pa.array(cells, pa.string()), 6, locale=locale)
    assert found is None or same(found, wanted)


@given(st.lists(GROUPED, min_size=1, max_size=6))
def test_what_is_written_as_usual_is_read(cells):
    few = [cell for cell in cells if len(cell) <= MOST_LETTERS]
    assert read(few, ENGLISH) is not None
    assert read([german(cell) for cell in few], GERMAN) is not None


@given(st.lists(st.one_of(GROUPED, GROUPED.map(german), LETTERS), min_size=1, max_size=6))
@example(["1.234,5", "0.123"])
def test_a_file_that_is_read_in_the_way_of_its_first_lines_tells_no_other(cells):
    """`locale_of` of all cells would say the same, and never refuse them."""
    locale = told_locale([pa.array(cells[:3])])
    if locale is not None and read(cells, locale) is not None:
        assert locale_of(None, [pa.array(cells)]) == locale


def test_words_for_no_value_are_null():
    found = read(["-", "1.234,50", "–"], GERMAN, ("-", "–"))
    assert found.values.tolist() == [0, 1_234_500_000, 0]
    assert found.null.tolist() == [True, False, True]


@pytest.mark.parametrize("cell", ["0,123", "nan", "1e5", "1 000", "12345678901234567", "1234,567"])
def test_what_could_be_anything_else_is_left_to_the_text(cell):
    assert read(["1", cell], ENGLISH) is None
