"""Profiles of one name from several files, against a plain dictionary of hours."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcr_fast.findings import Findings
from gcr_fast.grid.merging import merge
from gcr_fast.grid.shapes import Profile, Profiles
from gcr_fast.imports import import_generation
from gcr_fast.profiles import profiles_from
from gcr_fast.sources.model import How

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


def told(findings, code):
    return [finding for finding in findings if finding.code == code]


@given(HOURS, HOURS)
def test_files_may_overlap_but_not_contradict_each_other(one, two):
    merged = merge([Profiles({"P": profile(one)}), Profiles({"P": profile(two, file="b.csv")})])
    both = one.keys() & two.keys()
    same = {hour for hour in both if one[hour] == two[hour]}
    found = hours_of(merged["P"])
    assert found.keys() == one.keys() | two.keys()
    assert all(wh in {hours[hour] for hours in (one, two) if hour in hours} for hour, wh in found.items())
    assert sum(finding.count for finding in told(merged.findings, "repeated_interval")) == len(same)
    assert len(told(merged.findings, "contradicted_interval")) == len(both - same)
    faulty = {fault.first for fault in merged["P"].faults if fault.finding.severity == "error"}
    assert {merged["P"].start_s // 3600 + at for at in faulty} == both - same
    assert merged["P"].file in {"a.csv, b.csv", "b.csv, a.csv"}


@given(st.lists(st.sets(st.integers(0, 30), min_size=1), min_size=1, max_size=4))
def test_any_number_of_files_of_one_truth_are_that_truth(several):
    pieces = [profile({hour: hour - 9 for hour in hours}, file=f"{at}") for at, hours in enumerate(several)]
    merged = merge(Profiles({"P": piece}) for piece in pieces)
    assert hours_of(merged["P"]) == {hour: hour - 9 for hour in set().union(*several)}
    assert merged.findings.ok
    twice = sum(map(len, several)) - len(set().union(*several))
    assert merged.findings.counts()["repeated_interval"] == twice


def test_each_pair_of_files_that_overlap_is_named():
    hours = [range(4), range(2, 6), range(1, 5)]
    pieces = [profile(dict.fromkeys(some, 7), file=f"{name}.csv") for some, name in zip(hours, "abc", strict=True)]
    found = told(merge(Profiles({"P": piece}) for piece in pieces).findings, "repeated_interval")
    assert [(one.file, one.value, one.count) for one in found] == [
        ("c.csv", "a.csv", 3),
        ("b.csv", "a.csv", 2),
        ("b.csv", "c.csv", 1),
    ]
    assert found[0].message == "P: 3 intervals of c.csv stand in a.csv too, with the same value"


def test_contradicting_values_are_all_listed_with_both_rows(write):
    head = "profile,start,energy_wh\n"
    first = write(head + "P,2024-01-01T00:00Z,1\nP,2024-01-01T01:00Z,2\nP,2024-01-01T02:00Z,3\n", "a.csv")
    rows = ("P,2024-01-01T03:00Z,9", "Q,2024-01-01T01:00Z,7", "P,2024-01-01T02:00Z,-3", "P,2024-01-01T01:00Z,5")
    second = write(head + "\n".join(rows) + "\n", "b.csv")
    merged = profiles_from([first, second])
    found = told(merged.findings, "contradicted_interval")
    assert [(one.file, one.row, one.line, one.column, one.value) for one in found] == [
        (str(second), 3, 5, "energy_wh", "5"),
        (str(second), 2, 4, "energy_wh", "-3"),
    ]
    assert f"2024-01-01T01:00Z .. 2024-01-01T02:00Z is 5 Wh, but 2 Wh in {first}, line 3" in found[0].message
    assert [fault.first for fault in merged["P"].faults if fault.finding in found] == [1, 2]
    assert list(hours_of(merged["P"]).values()) == [1, 2, 3, 9]
    assert not merged["Q"].faults


def test_an_hour_of_several_rows_is_named_by_its_first_one(write):
    head = "profile,end,energy_wh\n"
    quarters = ("01:15", "01:30", "01:45", "02:00")
    rows = [head + "".join(f"P,2024-01-01T{at}Z,{wh}\n" for at in quarters) for wh in (1, 2)]
    merged = profiles_from([write(text, name) for text, name in zip(rows, ("a.csv", "b.csv"), strict=True)])
    (found,) = told(merged.findings, "contradicted_interval")
    assert (found.row, found.line, found.value) == (0, 2, "8")
    assert "is 8 Wh, but 4 Wh in" in found.message
    assert found.message.endswith("a.csv, line 2")


def test_rows_of_a_table_that_was_handed_over_have_no_file():
    table = pa.table({"profile": ["P"], "start": ["2024-01-01T00:00Z"], "energy_wh": [5]})
    (found,) = told(profiles_from([table, table.set_column(2, "energy_wh", [[6]])]).findings, "contradicted_interval")
    assert (found.file, found.row, found.line) == (None, 0, None)
    assert found.message.endswith("is 6 Wh, but 5 Wh in a table, row 0")


def test_a_file_that_is_gone_still_names_itself(write):
    paths = [write(f"start,P_wh\n2024-01-01T00:00Z,{wh}\n2024-01-01T01:00Z,1\n", f"{wh}.csv") for wh in (1, 2)]
    parts = [profiles_from(path) for path in paths]
    for path in paths:
        path.unlink()
    found = told(merge(parts).findings, "contradicted_interval")
    assert [(one.file, one.row) for one in found] == [(str(paths[1]), None)]


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


UNITS = {
    "time": {"column": "start", "layout": "iso", "marks": "begin"},
    "unit": "Wh",
    "value": "energy",
    "series": {"device": "unit", "kind": "fuel"},
}


def test_two_parts_of_one_file_that_clash_are_told_as_that(write, refusal):
    rows = (f"2024-01-01T0{hour}:00Z,U,{fuel},1\n" for fuel in ("solar", "wind") for hour in range(3))
    path = write("start,unit,fuel,energy\n" + "".join(rows))
    (found,) = refusal(import_generation, [path], how=How(mapping=UNITS))
    assert (found["code"], found["file"], found["profile"]) == ("duplicate_profile", str(path), "U")
    assert found["message"] == f"profile U of {path} is wind, but solar in another part of it"
    assert found["hint"] == "give the two kinds two names, or choose one: --types"
    (kept,) = import_generation([path], how=How(mapping=UNITS, types=frozenset({"wind"}))).series.values()
    assert kept.source_type == "wind"


def test_two_series_of_one_import_that_clash_are_told_with_both_files(write, refusal):
    hours, halves = (
        "start,unit,fuel,energy\n" + "".join(f"2024-01-01T{time}Z,U,solar,1\n" for time in times)
        for times in (("00:00", "01:00"), ("02:00", "02:30", "03:00"))
    )
    paths = [write(hours, "a.csv"), write(halves, "b.csv")]
    (found,) = refusal(import_generation, paths, how=How(mapping=UNITS), keep_intervals=True)
    assert found["message"] == f"profile U of {paths[1]} has intervals of 30 min, but of 60 min in {paths[0]}"
    assert "without --keep-intervals" in found["hint"]
    assert import_generation(paths, how=How(mapping=UNITS)).series["U"].found == 3


def test_days_beside_hours_are_told_to_be_left_out(write, refusal):
    head = "interval_start_datetime,interval_end_datetime,device_id,interval_usage,gross_net_indicator\n"
    hours = "2024-01-01T00:00Z,2024-01-01T01:00Z,U,1,NET\n2024-01-01T01:00Z,2024-01-01T02:00Z,U,1,NET\n"
    path = write(head + hours + "2024-01-01T00:00Z,2024-01-02T00:00Z,U,24,NET\n")
    (found,) = refusal(import_generation, [path])
    assert (found["code"], found["hint"]) == (
        "duplicate_profile",
        "leave out the rows that last longer than an hour: they have no hours",
    )


def test_a_gap_that_another_file_has_is_no_fault(write):
    first = write("start,P_wh\n2024-01-01T00:00Z,1\n2024-01-01T01:00Z,\n2024-01-01T02:00Z,3\n", "a.csv")
    second = write("start,P_wh\n2024-01-01T01:00Z,2\n", "b.csv")
    joined = profiles_from([first, second])["P"]
    assert joined.complete
    assert not joined.faults
    assert joined.values.tolist() == [1, 2, 3]


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_what_one_file_has_as_metered_is_metered(order):
    marks = np.array([2, 1, 0], dtype=np.uint8)
    parts = [profile({0: 1, 1: 1, 2: 1}, quality=marks), profile({0: 1, 1: 1, 2: 1}, file="b.csv")][order]
    assert merge(Profiles({"P": one}) for one in parts)["P"].quality.tolist() == [0, 0, 0]
    parts[1] = replace(parts[1], quality=marks)
    assert merge(Profiles({"P": one}) for one in parts[1:])["P"].quality.tolist() == [2, 1, 0]


def test_quality_goes_with_its_hours():
    estimated = np.array([0, 2], dtype=np.uint8)
    merged = merge([Profiles({"P": profile({0: 1})}), Profiles({"P": profile({2: 1, 3: 1}, quality=estimated)})])
    assert merged["P"].quality.tolist() == [0, 0, 0, 2]
    assert isinstance(merged.findings, Findings)
