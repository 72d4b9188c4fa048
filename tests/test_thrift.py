"""The compact Thrift encoding: what is written is read back, and what is cut short is refused."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcr_fast.exchange import thrift
from gcr_fast.exchange.thrift import BINARY, BYTE, DOUBLE, FALSE, I16, I32, I64, LIST, MAP, SET, STRUCT, TRUE


def integers(bits):
    return st.integers(-(1 << bits - 1), (1 << bits - 1) - 1)


SCALARS = {
    BYTE: st.integers(0, 255),
    I16: integers(16),
    I32: integers(32),
    I64: integers(64),
    DOUBLE: st.floats(allow_nan=False),
    BINARY: st.binary(max_size=300),
}


def lists(fields):
    """Lists and sets of one kind of element, empty and long ones among them."""
    kinds = {**SCALARS, TRUE: st.booleans(), STRUCT: structs(fields)}
    return st.one_of(
        [
            st.tuples(st.just(kind), st.lists(elements, max_size=20 if kind != STRUCT else 3))
            for kind, elements in kinds.items()
        ]
    )


def structs(values):
    return st.dictionaries(st.integers(1, 32_767) | st.integers(1, 20), values, max_size=6)


FIELDS = st.recursive(
    st.one_of(
        [st.tuples(st.just(kind), values) for kind, values in SCALARS.items()]
        + [st.sampled_from([(TRUE, True), (FALSE, False)])]
    ),
    lambda inner: st.one_of(
        st.tuples(st.just(STRUCT), structs(inner)), st.tuples(st.sampled_from([LIST, SET]), lists(inner))
    ),
    max_leaves=10,
)


@given(structs(FIELDS))
def test_what_is_written_is_read_back(fields):
    assert thrift.read_struct(thrift.write_struct(fields)) == fields


@given(structs(FIELDS), st.data())
def test_input_that_is_cut_short_is_a_value_error(fields, data):
    whole = thrift.write_struct(fields)
    length = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ValueError, match="cut short"):
        thrift.read_struct(whole[:length])


@given(st.binary(max_size=60))
def test_other_bytes_are_read_or_refused_and_never_loop(noise):
    try:
        fields = thrift.read_struct(noise)
    except ValueError:
        return
    assert isinstance(fields, dict)


def test_a_boolean_field_may_say_either_kind():
    assert thrift.read_struct(thrift.write_struct({1: (TRUE, False), 2: (FALSE, True)})) == {
        1: (FALSE, False),
        2: (TRUE, True),
    }


def test_known_bytes():
    # 150 as zigzag is 300 = 0xAC 0x02; field 1 of type I32 has the head 0x15
    assert thrift.write_struct({1: (I32, 150)}) == b"\x15\xac\x02\x00"
    assert thrift.write_struct({17: (I32, -1)}) == b"\x05\x22\x01\x00"
    assert thrift.write_struct({1: (BINARY, b"ab")}) == b"\x18\x02ab\x00"
    assert thrift.write_struct({1: (LIST, (I32, [1, -1]))}) == b"\x19\x25\x02\x01\x00"


@pytest.mark.parametrize("kind", [MAP, 13, 0])
def test_types_that_no_footer_has_are_refused(kind):
    with pytest.raises(ValueError, match="does not occur"):
        thrift.write_struct({1: (kind, None)})
    with pytest.raises(ValueError, match="does not occur"):
        thrift.Reader(b"\0" * 20).value(kind)


def test_a_real_footer_survives_the_round_trip():
    sink = io.BytesIO()
    pq.write_table(pa.table({"a": [1, None, 3], "b": ["x", "y", None], "c": [True, False, None]}), sink)
    data = sink.getvalue()
    size = int.from_bytes(data[-8:-4], "little")
    footer = data[-8 - size : -8]
    assert thrift.read_struct(thrift.write_struct(thrift.read_struct(footer))) == thrift.read_struct(footer)
