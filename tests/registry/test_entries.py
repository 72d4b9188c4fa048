"""Entries as bytes: one encoding for each, nothing else is read, and the chain changes with every bit."""

import hashlib
import struct
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcr_fast import UsageError
from gcr_fast.errors import CorruptError
from gcr_fast.registry.entries import GENESIS, KIND_CODES, KINDS, Entry, chain_hash, decode, encode

INT64 = st.integers(-(2**63), 2**63 - 1)
AMOUNT = st.integers(0, 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def pairs(second):
    return st.lists(st.tuples(INT64, second), max_size=4).map(lambda rows: np.array(rows, np.int64).reshape(-1, 2))


ENTRIES = st.builds(
    Entry,
    kind=st.sampled_from(KINDS),
    at_s=INT64,
    actor=TEXT,
    key=TEXT,
    from_party=AMOUNT,
    to_party=AMOUNT,
    certificates=AMOUNT,
    energy_wh=AMOUNT,
    price_minor=st.none() | INT64,
    total_minor=st.none() | INT64,
    currency=TEXT,
    texts=st.dictionaries(TEXT, TEXT, max_size=4).map(lambda found: tuple(sorted(found.items()))),
    runs=pairs(st.integers(1, 2**63 - 1)),
    splits=pairs(INT64),
)

FULL = Entry(
    "trade",
    1_767_225_600,
    actor="api:anna",
    key="order-7",
    from_party=1,
    to_party=2,
    certificates=30,
    energy_wh=30_500_000,
    price_minor=0,
    total_minor=12_345,
    currency="EUR",
    texts=(("beneficiary", "Müller & Co"), ("purpose", "")),
    runs=np.array([[5, 24], [100, 6]]),
    splits=np.array([[105, 500_000]]),
)
PLAIN = Entry("party", 0)


def values(entry):
    plain = {each.name: getattr(entry, each.name) for each in fields(entry)}
    return {**plain, "runs": entry.runs.tolist(), "splits": entry.splits.tolist()}


@given(ENTRIES)
def test_what_is_encoded_is_read_back(entry):
    payload = encode(entry)
    again = decode(payload)
    assert values(again) == values(entry)
    assert again == entry
    assert hash(again) == hash(entry)
    assert encode(again) == payload


@given(ENTRIES, ENTRIES)
def test_two_entries_share_bytes_only_if_they_share_everything(one, other):
    assert (encode(one) == encode(other)) == (values(one) == values(other)) == (one == other)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_are_the_encoding_of_what_they_say(payload):
    try:
        entry = decode(payload)
    except CorruptError:
        return
    assert encode(entry) == payload


@pytest.mark.parametrize("entry", [FULL, PLAIN], ids=["full", "plain"])
def test_every_flipped_bit_is_refused_or_is_another_entry_with_another_hash(entry):
    payload = encode(entry)
    right, refused = chain_hash(GENESIS, 1, payload), 0
    for bit in range(len(payload) * 8):
        flipped = bytearray(payload)
        flipped[bit // 8] ^= 1 << bit % 8
        assert chain_hash(GENESIS, 1, bytes(flipped)) != right
        try:
            other = decode(bytes(flipped))
        except CorruptError:
            refused += 1
        else:
            assert other != entry
            assert encode(other) == flipped
    assert refused > 64  # version, marks and sizes at least


@pytest.mark.parametrize("entry", [FULL, PLAIN], ids=["full", "plain"])
def test_every_truncation_and_anything_behind_the_end_is_refused(entry):
    payload = encode(entry)
    for size in range(len(payload)):
        with pytest.raises(CorruptError, match="not an entry"):
            decode(payload[:size])
    with pytest.raises(CorruptError, match="belong to it"):
        decode(payload + b"\0")


def test_the_bytes_are_as_documented():
    """The layout of the module's docstring, spelt out by hand: it can never change."""
    entry = Entry(
        "retire", 9, "a", "kk", 1, 2, 3, 4, None, -5, "EUR", (("n", "vv"),), np.array([[6, 7]]), np.array([[8, 1]])
    )
    numbers = (9, 1, 2, 3, 4, 0, -5, 1, 1, 1, 2, 3, 1, 6, 7, 8, 1)
    texts = b"a" + b"kk" + b"EUR" + struct.pack("<2q", 1, 2) + b"n" + b"vv"
    assert encode(entry) == bytes([1, 8, 2, 0, 0, 0, 0, 0]) + struct.pack("<17q", *numbers) + texts
    assert hashlib.sha256(encode(FULL)).hexdigest() == FULL_SHA256


FULL_SHA256 = "4c62281146c1266336dc650026a5b870dc0d1107faafe37f46bcf628cfab1769"


def test_the_chain_is_sha256_over_prefix_number_previous_and_payload():
    by_hand = hashlib.sha256(b"gcr-journal-1" + (7).to_bytes(8, "little") + GENESIS + b"abc").digest()
    assert chain_hash(GENESIS, 7, b"abc") == by_hand
    assert len({by_hand, chain_hash(GENESIS, 8, b"abc"), chain_hash(by_hand, 7, b"abc")}) == 3


def test_a_price_of_zero_is_not_no_price():
    free, unpriced = replace(PLAIN, price_minor=0), replace(PLAIN, price_minor=None)
    assert free != unpriced
    assert decode(encode(free)).price_minor == 0
    assert decode(encode(unpriced)).price_minor is None


def test_kinds_keep_their_codes():
    known = ("create", "party", "issue", "trade", "reserve", "release", "lock", "unlock", "retire", "claim", "expire")
    assert (*known, "withdraw") == KINDS[:12]
    assert [KIND_CODES[kind] for kind in KINDS] == list(range(len(KINDS)))


def test_arrays_read_back_are_aligned_and_cannot_be_changed():
    entry = decode(encode(FULL))
    for array in (entry.runs, entry.splits, PLAIN.runs):
        assert array.dtype == np.int64
        assert array.flags.aligned
        assert array.flags.c_contiguous
        assert not array.flags.writeable


@pytest.mark.parametrize("runs", [np.array([[1, 2], [3, 4]], ">i8"), np.array([[1, 3], [2, 4]]).T, [[1, 2], [3, 4]]])
def test_the_same_runs_in_another_layout_have_the_same_bytes(runs):
    want = encode(replace(PLAIN, runs=np.array([[1, 2], [3, 4]])))
    assert encode(replace(PLAIN, runs=np.asarray(runs))) == want


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "steal"},
        {"at_s": 2**63},
        {"at_s": 1.5},
        {"energy_wh": -1},
        {"certificates": -1},
        {"from_party": -1},
        {"to_party": -(2**63)},
        {"energy_wh": 1.0},
        {"price_minor": 2**63},
        {"total_minor": 0.5},
        {"actor": None},
        {"key": "\ud800"},
        {"texts": (("b", ""), ("a", ""))},
        {"texts": (("a", "1"), ("a", "2"))},
        {"texts": (("a", None),)},
        {"runs": np.array([[1, 0]])},
        {"runs": np.array([[1, 2], [3, -1]])},
        {"runs": np.array([1, 2])},
        {"runs": np.array([[1, 2, 3]])},
        {"runs": np.array([[1.0, 2.0]])},
        {"runs": np.array([[1, 2]], np.int32)},
        {"splits": np.array([[1, 2]], np.uint64)},
    ],
    ids=str,
)
def test_what_could_not_be_read_back_is_not_written(change):
    with pytest.raises(UsageError, match=r"entry|runs|splits"):
        encode(replace(FULL, **change))


def altered(offset, number, payload=None):
    changed = bytearray(payload or encode(FULL))
    struct.pack_into("<q", changed, offset, number)
    return bytes(changed)


SIZES = 8 + 7 * 8
"""Where the counts and sizes begin."""


@pytest.mark.parametrize("number", [-1, -(2**63), 2**62, 2**63 - 1])
@pytest.mark.parametrize("which", range(6))
def test_sizes_below_zero_or_beyond_the_end_are_refused(which, number):
    with pytest.raises(CorruptError):
        decode(altered(SIZES + 8 * which, number))


def test_a_hidden_price_an_empty_run_and_unsorted_texts_are_refused():
    unpriced = encode(replace(FULL, price_minor=None))
    with pytest.raises(CorruptError, match="price"):
        decode(altered(8 + 5 * 8, 1, unpriced))
    with pytest.raises(CorruptError, match="run of no rows"):
        decode(altered(SIZES + 6 * 8 + 8, 0))
    for name in (b"purpose\0\0\0\0", b"zeneficiary"):
        swapped = encode(FULL).replace(b"beneficiary", name)
        with pytest.raises(CorruptError, match="order"):
            decode(swapped)
    with pytest.raises(CorruptError, match="utf-8"):
        decode(encode(FULL).replace(b"api:anna", b"api:\xed\xa0\x80a"))  # a lone surrogate
