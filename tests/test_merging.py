"""Profiles of one name from several files, against a plain dictionary of hours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcr_fast.findings import Findings
from gcr_fast.merging import merge
from gcr_fast.profiles import profiles_from
from gcr_fast.shapes import Profile, Profiles

HOURS = st.dictionaries(st.integers(0, 30), st.integers(-9, 9), min_size=1)


def profile(hours, name="P", file="a.csv", **more):
    """Return a profile of {hour: Wh}, from the first to the last of them."""
    first, last = min(hours), max(hours)
    signed = np.array([hours.get(hour, 0) for hour in range(first, last + 1)], dtype=np.int64)
    missing = np.array([hour not in hours for hour in range(first, last + 1)])
    return Profile(name, first * 3600, 3600, np.maximum(signed, 0), missing, np.maximum(-signed, 0), file=file, **more)


def hours_of(joined):
    signed = (joined.values - joined.clipped).tolist()
    return {joined.start_s // 3600 + at: wh for at, wh in enumerate(signed) if not joined.missing[at]}


@given(HOURS, HOURS)
def test_files_may_interleave_but_not_tell_one_hour_twice(one, two):
    both = [Profiles({"P": profile(one)}), Profiles({"P": profile(two, file="b.csv")})]
    merged = merge(both)
    if one.keys() & two.keys():
        assert merged.findings.counts() == {"duplicate_profile": 1}
        assert merged["P"].faults
        assert hours_of(merged["P"]) in (one, two)
    else:
        assert not len(merged.findings)
        assert hours_of(merged["P"]) == one | two
        assert merged["P"].file in {"a.csv, b.csv", "b.csv, a.csv"}


@given(st.lists(HOURS, min_size=1, max_size=4))
def test_disjoint_files_in_any_order_are_the_same(several):
    taken: set[int] = set()
    parts = []
    for hours in several:
        left = {hour: wh for hour, wh in hours.items() if hour not in taken}
        taken |= left.keys()
        parts += [left] if left else []
    forth, back = (merge(Profiles({"P": profile(hours)}) for hours in order) for order in (parts, parts[::-1]))
    assert hours_of(forth["P"]) == hours_of(back["P"]) == {k: v for part in parts for k, v in part.items()}


@pytest.mark.parametrize("change", [{"is_energy": False}, {"source_type": "solar"}])
def test_files_of_another_kind_are_not_joined(change):
    merged = merge([Profiles({"P": profile({0: 1})}), Profiles({"P": profile({1: 1}, **change)})])
    assert merged.findings.counts() == {"duplicate_profile": 1}


def test_a_gap_that_another_file_has_is_no_fault(write):
    first = write("start,P_wh\n2024-01-01T00:00Z,1\n2024-01-01T01:00Z,\n2024-01-01T02:00Z,3\n", "a.csv")
    second = write("start,P_wh\n2024-01-01T01:00Z,2\n", "b.csv")
    joined = profiles_from([first, second])["P"]
    assert joined.complete
    assert not joined.faults
    assert joined.values.tolist() == [1, 2, 3]


def test_quality_goes_with_its_hours():
    estimated = np.array([0, 2], dtype=np.uint8)
    merged = merge([Profiles({"P": profile({0: 1})}), Profiles({"P": profile({2: 1, 3: 1}, quality=estimated)})])
    assert merged["P"].quality.tolist() == [0, 0, 0, 2]
    assert isinstance(merged.findings, Findings)
