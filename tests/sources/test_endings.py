"""Ends on a local clock, written in either way: files are made from UTC, one series spoiled, and the truth compared."""

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracle import autumn as oracle

from gcr_fast.sources.endings import walk_ends

CHANGES = {
    "Europe/Berlin": ["2023-03-26", "2023-10-29", "2024-03-31", "2024-10-27"],
    "America/New_York": ["2024-03-10", "2024-11-03"],
    "America/Havana": ["2023-11-05", "2024-03-10", "2024-11-03"],
    "Atlantic/Azores": ["2024-03-31", "2024-10-27"],
    "Africa/Cairo": ["2023-10-27", "2024-04-26", "2024-11-01"],
    "Australia/Lord_Howe": ["2024-04-07", "2024-10-06"],
    "Pacific/Auckland": ["2024-04-07", "2024-09-29"],
}


def starts_of(zone, step):
    """Return the UTC starts of the two days before each change, its day and the day after it."""
    place, found = ZoneInfo(zone), []
    for date in CHANGES[zone]:
        edges = (datetime.fromisoformat(date) + timedelta(days=shift) for shift in (-2, 2))
        first, last = (int(edge.replace(tzinfo=place).timestamp()) for edge in edges)
        found += range(first, last, step)
    return found


def end_of(start, step, zone, by_clock):
    return oracle.wall_of(start + step, zone) if by_clock else oracle.wall_of(start, zone) + step


def walked(rows, step, zone, by_clock):
    """Walk the ends of rows (UTC start, key): [(start, key, begin taken for it or None)]."""
    marks = np.array([end_of(start, step, zone, by_clock) for start, _ in rows], np.int64)
    found = walk_ends(marks, step, zone, np.array([key for _, key in rows], np.int64))
    known = ~(found.unclear | found.skipped)
    taken = zip(rows, found.seconds.tolist(), known.tolist(), strict=True)
    return [(start, key, begin if clear else None) for (start, key), begin, clear in taken]


@given(
    zone=st.sampled_from(sorted(CHANGES)),
    step=st.sampled_from([900, 1800, 3600]),
    by_clock=st.booleans(),
    lost=st.sampled_from([0.0, 0.02, 0.2, 0.6]),
    disorder=st.booleans(),
    by_time=st.booleans(),
    newest_first=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
@example("Africa/Cairo", 3600, True, 0.2, False, False, False, 0)
def test_one_spoiled_series_has_no_wrong_hour_and_costs_the_complete_ones_none(
    zone, step, by_clock, lost, disorder, by_time, newest_first, seed
):
    if zone == "Australia/Lord_Howe":
        step = min(step, 1800)  # a clock set back by half an hour makes no label of hours twice
    draw, starts = random.Random(seed), starts_of(zone, step)
    spoiled = [(start, 2) for start in starts if draw.random() >= lost]
    rows = sorted(
        [*((start, key) for key in (0, 1) for start in starts), *spoiled],
        key=lambda row: row if by_time else row[::-1],
        reverse=newest_first,
    )
    if disorder:
        places = [at for at, (_, key) in enumerate(rows) if key == 2]
        for at, row in zip(places, draw.sample(spoiled, len(spoiled)), strict=True):
            rows[at] = row
    for start, key, begin in walked(rows, step, zone, by_clock):
        assert begin == start or (begin is None and key == 2)


@given(
    zone=st.sampled_from(sorted(set(CHANGES) - {"Australia/Lord_Howe"})),
    step=st.sampled_from([900, 3600]),
    by_clock=st.booleans(),
    lost=st.sampled_from([0.02, 0.2, 0.6]),
    ordered=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_of_series_that_all_lack_rows_no_value_lands_in_a_wrong_hour(zone, step, by_clock, lost, ordered, seed):
    draw = random.Random(seed)
    rows = [(start, key) for key in range(2) for start in starts_of(zone, step) if draw.random() >= lost]
    rows = rows if ordered else draw.sample(rows, len(rows))
    if rows:
        assert all(begin in {start, None} for start, _, begin in walked(rows, step, zone, by_clock))


@pytest.mark.parametrize("by_clock", [False, True])
def test_a_series_that_contradicts_the_others_is_read_but_for_the_hours_in_doubt(by_clock):
    zone, starts = "Europe/Berlin", starts_of("Europe/Berlin", 3600)
    rows = [(start, key) for key in range(2) for start in starts]
    marks = np.array([end_of(start, 3600, zone, by_clock != bool(key)) for start, key in rows], np.int64)
    keys = np.array([key for _, key in rows], np.int64)
    most = np.flatnonzero((keys == 0) | (marks >= oracle.wall_of(starts[-1] - 3 * 86400, zone)))
    found = walk_ends(marks[most], 3600, zone, keys[most])
    for at, row in enumerate(most.tolist()):
        start, key = rows[row]
        assert found.unclear[at] or found.seconds[at] == start
        assert key == 1 or not found.unclear[at]
    assert found.unclear.any()
