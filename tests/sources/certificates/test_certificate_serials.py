"""Serial numbers and ranges: text and number, prefixes, both ends, and everything that is none."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcr_fast.sources.certificates.rego import NUMBER
from gcr_fast.sources.certificates.serials import IREC, SerialError, read_range, read_serial


@pytest.mark.parametrize(
    ("first", "last", "prefix", "low", "high", "text"),
    [
        ("12345-OR-234567-1 to 100", "", "12345-OR-234567-", 1, 100, "12345-OR-234567-1..100"),
        ("A-1 to A-100", "", "A-", 1, 100, "A-1..A-100"),
        ("A-1 – 7", "", "A-", 1, 7, "A-1..7"),
        ("A-7 through 9", "", "A-", 7, 9, "A-7..9"),
        ("A-7", "", "A-", 7, 7, "A-7"),
        ("A-7", "A-9", "A-", 7, 9, "A-7..A-9"),
        ("A-7", "9", "A-", 7, 9, "A-7..9"),
        ("7", "9", "", 7, 9, "7..9"),
        ("0007", "0009", "", 7, 9, "0007..0009"),
        ("643002406801" + "7".zfill(18), "643002406801" + "9".zfill(18), "643002406801", 7, 9, None),
    ],
)
def test_ranges_are_inclusive_and_keep_their_text(first, last, prefix, low, high, text):
    found = read_range(first, last)
    assert (found.prefix, found.first.number, found.last.number) == (prefix, low, high)
    assert len(found) == high - low + 1
    assert found.text == (text or f"{first}..{last}")


def test_a_rego_number_stands_within_its_text():
    first, last = "G01177FWEN0000251285010323310323GEN", "G01177FWEN0000256284010323310323GEN"
    found = read_range(first, last, NUMBER)
    assert (found.prefix, found.first.number, len(found)) == ("G01177FWEN*010323310323GEN", 251285, 5000)


def test_an_irec_number_is_a_wh():
    found = read_range("0000-0158-2837-7532.000000", "0000-0158-2837-7619.999999", IREC)
    assert len(found) == 88_000_000
    assert (found.prefix, found.first.number) == ("0000-", 15828377532000000)


@pytest.mark.parametrize(
    ("first", "last", "what"),
    [
        ("A5", "A1", "before it begins"),
        ("A5", "B7", "not of one series"),
        ("6.43002E+29", "6.43002E+29", "shortened"),
        ("A-1 to 5; A-9 to 10", "", "several ranges"),
        ("A-1 to 5 to 9", "", "no range"),
        ("ABC", "", "no serial number"),
        ("A-1", "9" * 19, "does not begin"),
        ("1" * 12 + "2" * 18, "9" * 12 + "3" * 18, "not of one series"),
        ("A-١", "", "no serial number"),
    ],
)
def test_what_is_no_range_is_said(first, last, what):
    with pytest.raises(SerialError, match=re.escape(what)):
        read_range(first, last)


def test_a_half_open_range_does_not_hold_its_end():
    found = read_range("A-1", "A-101").without_last()
    assert (found.first.number, found.last.number, len(found)) == (1, 100, 100)
    with pytest.raises(SerialError, match="empty"):
        read_range("A-1", "A-1").without_last()


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_read_or_refused(first, last):
    try:
        found = read_range(first, last)
    except SerialError:
        return
    assert 0 <= found.first.number <= found.last.number < 10**18


@given(st.from_regex(r"[A-Z-]{0,8}", fullmatch=True), st.integers(0, 10**18 - 1))
def test_a_number_comes_back_from_its_text(prefix, number):
    found = read_serial(f"{prefix}{number}")
    assert (found.prefix, found.number) == (prefix, number)


def test_one_issuer_in_small_letters_is_the_same_in_a_list(faults):
    mapping = {
        "columns": {"first": "Von", "last": "Bis", "energy": "MWh", "year": "Jahr", "issuer": "Stelle"},
        "constants": {"status": "cancelled", "country": "AT", "technology": "solar"},
    }
    rows = ["1,100,2023,100,Ofgem", "50,60,2023,11,OFGEM ", "70,80,2023,11,Other"]
    found = faults("\n".join(["Von,Bis,Jahr,MWh,Stelle", *rows]), mapping=mapping)
    assert found == [("serial_overlap", 3, None)]
