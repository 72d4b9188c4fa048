"""Decimal text and typed numbers become whole Wh exactly."""

import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracle import decimals as oracle

from gcr_fast import UsageError
from gcr_fast.units import UNITS, mwh_text, parse_scaled, split_unit, unit_named

DIGITS = st.sampled_from([0, 3, 6, 9, 12])
BAD = ["x", "1,5", "1.2.3", "--1", "1e", "e5", "0x10", "1_000", "nan", "inf", "-inf", ".", "+", "1 2", "١"]


@st.composite
def number_texts(draw):
    """Decimal text of any length, with or without sign, point, exponent and blanks."""
    before = draw(st.text("0123456789", max_size=draw(st.sampled_from([3, 12, 45]))))
    after = draw(st.text("0123456789", min_size=0 if before else 1, max_size=draw(st.sampled_from([3, 18, 45]))))
    point = "." if after else draw(st.sampled_from(["", "."]))
    exponent = draw(st.one_of(st.just(""), st.integers(-40, 40).map(lambda e: f"e{e}"), st.just("E+3")))
    sign, blank = draw(st.sampled_from(["", "", "-", "+"])), draw(st.sampled_from(["", " "]))
    return f"{blank}{sign}{before}{point}{after}{exponent}{blank}"


def same_as_oracle(column, texts, digits):
    """Compare a whole column with the oracle, cell by cell."""
    parsed = parse_scaled(column, digits)
    assert parsed.values.dtype == np.int64
    for i, text in enumerate(texts):
        expected = oracle.scaled(text, digits)
        assert parsed.unreadable[i] == (expected is None), text
        assert not parsed.null[i]
        if expected is not None:
            assert (int(parsed.values[i]), bool(parsed.inexact[i])) == expected, text


@given(texts=st.lists(number_texts(), max_size=12), digits=DIGITS)
@example(texts=["-0.5", "-1e-30", "0.9999999999999999999"], digits=0)  # down, not towards zero
@example(texts=["9223372036854775807", "9223372036854775808", "-9223372036854775808"], digits=0)
@example(texts=["1e38", "5"], digits=6)
def test_decimal_text_is_floored_exactly(texts, digits):
    same_as_oracle(pa.array(texts, pa.string()), texts, digits)


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=12), digits=DIGITS)
@example(values=[0.000251, 0.1 + 0.2, 1e22, 5e-324, -0.0], digits=6)
def test_a_float_stands_for_its_shortest_decimal_text(values, digits):
    same_as_oracle(pa.array(values, pa.float64()), [repr(value) for value in values], digits)


@given(values=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=12), digits=DIGITS)
def test_integers_are_scaled_exactly(values, digits):
    same_as_oracle(pa.array(values, pa.int64()), [str(value) for value in values], digits)


@given(values=st.lists(st.decimals(min_value=-(10**20), max_value=10**20, places=9), max_size=12), digits=DIGITS)
def test_arrow_decimals_are_scaled_exactly(values, digits):
    same_as_oracle(pa.array(values, pa.decimal128(38, 9)), [str(value) for value in values], digits)


def test_decimal_mwh_text_never_loses_a_wh():
    """All 999,999 whole-Wh values below 1 MWh; `int(q * 1e6)` gets 11,549 of them wrong."""
    wanted = np.arange(1, 1_000_000)
    texts = [f"0.{wh:06d}" for wh in wanted.tolist()]
    parsed = parse_scaled(pa.array(texts), 6)
    assert (parsed.values == wanted).all()
    assert not (parsed.null | parsed.unreadable | parsed.inexact).any()
    assert sum(int(float(text) * 1e6) != wh for text, wh in zip(texts, wanted.tolist(), strict=True)) == 11_549


def test_float_mwh_never_loses_a_wh():
    wanted = np.arange(1, 1_000_000)
    parsed = parse_scaled(pa.array(wanted / 1_000_000), 6)
    assert (parsed.values == wanted).all()
    assert not (parsed.unreadable | parsed.inexact).any()


def test_0_000251_mwh_is_251_wh():
    for column in (pa.array(["0.000251"]), pa.array([0.000251]), pa.array([Decimal("0.000251")])):
        assert parse_scaled(column, 6).values.tolist() == [251]


def test_missing_is_null_zero_is_zero():
    parsed = parse_scaled(pa.array(["0", "", None, "  ", "0.0"]), 6)
    assert parsed.null.tolist() == [False, True, True, True, False]
    assert parsed.values.tolist() == [0] * 5
    assert not parsed.unreadable.any()


@pytest.mark.parametrize("kind", [pa.null(), pa.int64(), pa.float64(), pa.string()])
def test_a_column_of_nulls_of_any_type_is_null(kind):
    assert parse_scaled(pa.nulls(3, kind), 3).null.all()
    assert len(parse_scaled(pa.nulls(0, kind), 3).values) == 0


@pytest.mark.parametrize("bad", BAD)
def test_what_is_no_number_is_unreadable(bad):
    parsed = parse_scaled(pa.array(["1", bad, "2"]), 0)
    assert parsed.unreadable.tolist() == [False, True, False]
    assert parsed.values.tolist() == [1, 0, 2]


def test_nan_and_infinity_are_unreadable_not_null():
    parsed = parse_scaled(pa.array([float("nan"), float("inf"), 1.0]), 0)
    assert parsed.unreadable.tolist() == [True, True, False]
    assert not parsed.null.any()


@pytest.mark.parametrize("text", ["1e999999", "1e99999999", "-7e888888888888888", "1e9999999999999999999999"])
def test_an_absurd_exponent_is_unreadable(text):
    assert parse_scaled(pa.array([text, "2"]), 6).unreadable.tolist() == [True, False]


@pytest.mark.parametrize("text", ["1e-999999", "1e-99999999999"])
def test_an_absurdly_small_number_is_floored(text):
    parsed = parse_scaled(pa.array([text, "-" + text]), 6)
    assert parsed.values.tolist() == [0, -1]
    assert parsed.inexact.all()


def test_very_long_text_is_not_rounded_up():
    parsed = parse_scaled(pa.array(["0." + "9" * 500]), 0)
    assert (parsed.values[0], parsed.inexact[0]) == (0, True)


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["1.5", "2"]).dictionary_encode(),
        pa.array(["1.5", "2"], pa.large_string()),
        pa.array(["1.5", "2"], pa.string_view()),
        pa.array([1.5, 2], pa.float32()),
        pa.array(["x", "1.5", "2"])[1:],
        pa.chunked_array([["1.5"], [], ["2"]]),
    ],
    ids=["dictionary", "large", "view", "float32", "slice", "chunks"],
)
def test_every_arrow_layout_reads_the_same(column):
    assert parse_scaled(column, 3).values.tolist() == [1500, 2000]


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint16(), pa.uint32(), pa.uint64()])
def test_other_integer_types(kind):
    assert parse_scaled(pa.array([0, 100, None], kind), 0).values.tolist() == [0, 100, 0]


def test_uint64_above_int64_is_unreadable():
    parsed = parse_scaled(pa.array([2**63, 5], pa.uint64()), 0)
    assert parsed.unreadable.tolist() == [True, False]


@pytest.mark.parametrize("column", [pa.array([[1]]), pa.array([b"\xff"]), pa.array([{"a": 1}]), pa.array([True])])
def test_columns_that_hold_no_numbers_are_unreadable(column):
    assert parse_scaled(column, 0).unreadable.all()


@given(wh=st.integers(-(2**63), 2**63 - 1))
@example(wh=0)
@example(wh=-1)
def test_mwh_text_and_back(wh):
    text = mwh_text(wh)
    assert Fraction(text) == Fraction(wh, 1_000_000)
    assert re.fullmatch(r"-?\d+(\.\d{0,5}[1-9])?", text)
    if wh >= 0:
        assert oracle.mwh(text) == wh


@pytest.mark.parametrize(
    ("column", "stem", "unit"),
    [
        ("energy_wh", "energy", "Wh"),
        ("solar_mwh", "solar", "MWh"),
        ("Solar [MW]", "Solar", "MW"),
        ("wind-kWh", "wind", "kWh"),
        ("Wind (GWh)", "Wind", "GWh"),
        ("mwh", "", "MWh"),
        ("W", "", "W"),
        ("capacity_w", "capacity", "W"),
        ("flow", "flow", None),
        ("gw_share", "gw_share", None),
        ("raw", "raw", None),
        ("", "", None),
    ],
)
def test_the_suffix_names_the_unit(column, stem, unit):
    found = split_unit(column)
    assert found == (stem, UNITS[unit.lower()] if unit else None)


@pytest.mark.parametrize(
    ("name", "wh"), [("Wh", 1), ("kWh", 10**3), ("MWh", 10**6), ("GWh", 10**9), (" mw ", 10**6), ("WEIGHT", 1)]
)
def test_units_by_name_in_any_case(name, wh):
    assert 10 ** unit_named(name).digits == wh


def test_unknown_unit_is_a_usage_error():
    with pytest.raises(UsageError, match="furlong"):
        unit_named("furlong")
