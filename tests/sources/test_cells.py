"""Numbers as the world writes them, against fractions, one cell at a time."""

from decimal import Decimal
from math import floor, nextafter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from oracle import exports as oracle

from gcr_fast.findings import Findings
from gcr_fast.sources.cells import ENGLISH, GERMAN, MAX_CELL, MEGA, PLAIN, PLAIN_COMMA, locale_of, numbers, report
from gcr_fast.sources.files import open_file
from gcr_fast.units import floor_floats

LOCALES = [ENGLISH, GERMAN, PLAIN, PLAIN_COMMA]
DIGITS = st.sampled_from([0, 3, 6])


def read(cells, digits, missing=(), locale=PLAIN):
    found = numbers(pa.array(cells, pa.string()), digits, missing, locale)
    assert found.values.dtype == np.int64
    assert not found.values[found.null | found.bad].any()
    assert not (found.null & found.bad).any()
    return [
        "bad" if bad else None if null else value
        for value, null, bad in zip(found.values.tolist(), found.null.tolist(), found.bad.tolist(), strict=True)
    ]


CELLS = st.one_of(
    st.text("0123456789.,-+ e", max_size=12),
    st.decimals(-(10**7), 10**7, places=3).map(str),
    st.integers(-(10**8), 10**8).map(str),
    st.sampled_from(["", " ", "-", "n/e", "N/A", "nan", "inf", "1e30", "-1e30", "1e-30", "0x1", "١", "1_000"]),
)


@given(cells=st.lists(CELLS, max_size=10), digits=DIGITS, locale=st.sampled_from(LOCALES))
@example(cells=["1.002,50", "1.002.000", "1,5", "1.5", "10.02,5", ".002"], digits=6, locale=GERMAN)
@example(cells=["1,094.25", "1,094", "1094.25", "1,09", "12,3456.7", ",094"], digits=6, locale=ENGLISH)
@example(cells=["-0.0000001", "-1", "+2", "35184372.088832", "35184372.088833"], digits=6, locale=PLAIN)
def test_cells_are_read_as_by_hand(cells, digits, locale):
    missing = ("-", "n/e")
    wanted = [oracle.number(cell, digits, missing, locale.thousands, locale.decimal) for cell in cells]
    assert read(cells, digits, missing, locale) == wanted


@given(value=st.decimals(-(10**9), 10**9, places=2), locale=st.sampled_from([ENGLISH, GERMAN]))
def test_a_number_written_in_a_locale_is_that_number(value, locale):
    english = f"{value:,.2f}"
    text = english.translate(str.maketrans(",.", locale.thousands + locale.decimal))
    assume(abs(value) * 1000 <= MAX_CELL)
    assert read([text], 3, locale=locale) == [int(value * 1000)]
    if abs(value) >= 1000:
        other = GERMAN if locale is ENGLISH else ENGLISH
        assert read([text], 3, locale=other) == ["bad"]


@given(values=st.lists(st.floats(-1e7, 1e7), max_size=10), digits=DIGITS)
@example(values=[0.000251, 386.969134968152, -0.1, 1e-7, -1e-7], digits=6)
def test_floats_are_read_as_their_shortest_text(values, digits):
    found = numbers(pa.array(values, pa.float64()), digits)
    assert found.values.tolist() == [floor(Decimal(repr(value)).scaleb(digits)) for value in values]


def test_nan_infinity_and_what_cannot_be_are_bad_and_null_is_null():
    found = numbers(pa.array([1.5, None, float("nan"), float("inf"), 1e30, -1e30]), 6)
    assert found.bad.tolist() == [False, False, True, True, True, True]
    assert found.null.tolist() == [False, True, False, False, False, False]
    assert found.values.tolist() == [1_500_000, 0, 0, 0, 0, 0]


@given(
    numerator=st.integers(-(2**51) + 1, 2**51 - 1),
    digits=st.integers(0, 9),
    steps=st.integers(-2, 2),
)
@example(numerator=251, digits=6, steps=0)
@example(numerator=-1, digits=6, steps=1)
@example(numerator=2**51 - 1, digits=9, steps=-1)
@example(numerator=2**51 - 1, digits=9, steps=1)
def test_floor_floats_next_to_every_whole_number(numerator, digits, steps):
    """Floats nearest to a whole number of the smallest unit, and their neighbours: where rounding could go wrong."""
    value = float(Decimal(numerator).scaleb(-digits))
    for _ in range(abs(steps)):
        value = nextafter(value, float("inf") if steps > 0 else float("-inf"))
    assume(abs(Decimal(repr(value)).scaleb(digits)) < 2**51)
    wanted = floor(Decimal(repr(value)).scaleb(digits))
    assert floor_floats(np.array([value]), digits).tolist() == [wanted]


@given(values=st.lists(st.floats(-2e6, 2e6), max_size=20), digits=st.integers(0, 9))
@example(values=[5e-324, -5e-324, 0.0, -0.0, 1e-9, -1e-9], digits=9)
def test_floor_floats_is_the_floor_of_the_shortest_text(values, digits):
    wanted = [floor(Decimal(repr(value)).scaleb(digits)) for value in values]
    assert floor_floats(np.array(values, dtype=np.float64), digits).tolist() == wanted


def test_columns_of_other_types():
    for column in (pa.array(["1.5", "2"]).dictionary_encode(), pa.chunked_array([["1.5"], ["2"]])):
        assert numbers(column, 3).values.tolist() == [1500, 2000]
    assert numbers(pa.array([3, None]), 3).values.tolist() == [3000, 0]
    assert numbers(pa.nulls(2), 3).null.tolist() == [True, True]


@pytest.fixture
def file(write):
    return open_file(write("a;b\n1;2\n"))


@pytest.mark.parametrize(
    ("cells", "locale"),
    [
        (["1.002,50", "-"], GERMAN),
        (["0,75"], GERMAN),
        (["1.234", "0,5"], GERMAN),
        (["1.234.567"], GERMAN),
        (["14,950000"], GERMAN),
        (["1,094.25"], ENGLISH),
        (["320", "1,094.25"], ENGLISH),
        (["1,234,567"], ENGLISH),
        (["386.969134968152", "1419.942879"], ENGLISH),
        (["0.123"], ENGLISH),
        (["12", "7", ""], PLAIN),
        (["-", ""], PLAIN),
    ],
)
def test_the_numbers_decide_how_numbers_are_written(file, cells, locale):
    assert locale_of(file, [pa.array(cells)]) == locale


@given(
    values=st.lists(st.decimals(0, 10**6, places=2), min_size=1, max_size=6).filter(any),
    locale=st.sampled_from([ENGLISH, GERMAN]),
)
def test_two_decimals_anywhere_decide(tmp_path_factory, values, locale):
    path = tmp_path_factory.getbasetemp() / "locale.csv"
    path.write_text("x")
    marks = str.maketrans(",.", locale.thousands + locale.decimal)
    texts = [f"{value:,.2f}".translate(marks) for value in values]
    assert locale_of(open_file(path), [pa.array(texts[:1]), pa.array(texts)]) == locale


@pytest.mark.parametrize("cells", [["1.234"], ["1,234", "77"]])
def test_numbers_that_can_be_read_in_two_ways_are_refused(file, cells, refusal):
    (finding,) = refusal(locale_of, file, [pa.array(cells)])
    assert (finding["code"], finding["file"]) == ("ambiguous_number", file.name)
    assert cells[0] in finding["message"]


def test_numbers_written_in_two_ways_are_refused(file, refusal):
    (finding,) = refusal(locale_of, file, [pa.array(["1,5", "3"]), pa.array(["1.5"])])
    assert finding["code"] == "ambiguous_number"
    assert "1,5 and 1.5" in finding["message"]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            ["1", "99999999.999999", "1e12", "x"],
            ["'99999999.999999' is too large", "'1e12' is too large", "'x' is not"],
        ),
        ([1.0, 12345678901.0, float("nan")], ["'12345678901' is too large a number", "'nan' is not a number"]),
        (["12.345.678,9", "1,5,0", "-50000000,5"], ["'12.345.678,9' is not", "'1,5,0' is not", "'-50000000,5' is too"]),
    ],
)
def test_a_number_that_is_too_large_is_told_as_that_and_shown_as_it_stands(file, cells, said):
    column = pa.array(cells)
    found, findings = numbers(column, MEGA), Findings()
    report(findings, file, found.bad, np.arange(len(cells)) + 2, "MW", column, "is not a number")
    messages = [finding.message for finding in findings]
    assert [text in message for text, message in zip(said, messages, strict=True)] == [True] * len(said), messages


def test_every_bad_row_is_reported_with_its_place(file):
    findings = Findings()
    cells = pa.chunked_array([["1", "x"], [None, "y" * 100]])
    report(findings, file, np.array([False, True, True, True]), np.arange(2, 6), "a", cells, "is not a number")
    found = findings.to_table().to_pylist()
    assert [(item["line"], item["value"], item["column"], item["file"]) for item in found] == [
        (3, "x", "a", file.name),
        (4, None, "a", file.name),
        (5, "y" * 60, "a", file.name),
    ]
    assert found[0]["message"] == "a 'x' is not a number"
