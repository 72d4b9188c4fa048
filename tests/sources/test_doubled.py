"""Which of two hours of one name a row is of: files are made from UTC, rows taken out, and the truth is compared."""

import random
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracle import autumn as oracle

from gcr_fast.sources.clock import walk
from gcr_fast.sources.doubled import FIRST, SECOND

CHANGES = {
    "Europe/Berlin": "2024-10-27",
    "Europe/London": "2024-10-27",
    "America/New_York": "2024-11-03",
    "America/Havana": "2024-11-03",
    "Atlantic/Azores": "2024-10-27",
    "Australia/Lord_Howe": "2024-04-07",
    "Pacific/Auckland": "2024-04-07",
}
CHANCES = st.integers(0, 2**32 - 1)
BERLIN = "Europe/Berlin"


def truth_of(zone, step, days=1):
    """Return the UTC starts of the days around the change."""
    midnight = datetime.fromisoformat(CHANGES[zone])
    begin, end = (midnight + timedelta(days=shift) for shift in (1 - days, days))
    first, last = (int(moment.replace(tzinfo=ZoneInfo(zone)).timestamp()) for moment in (begin, end))
    return list(range(first, last, step))


def walked(rows, zone, **more):
    """Walk rows of (UTC start, key): what they are taken for, and whether that is known."""
    labels = np.array([oracle.wall_of(start, zone) for start, _ in rows], np.int64)
    found = walk(labels, zone, np.array([key for _, key in rows], np.int64), **more)
    return found.seconds.tolist(), found.unclear.tolist()


@given(
    zone=st.sampled_from(sorted(CHANGES)),
    step=st.sampled_from([300, 900, 1800, 3600]),
    lost=st.sampled_from([0.0, 0.02, 0.1, 0.5, 0.9]),
    series=st.integers(1, 3),
    days=st.integers(1, 2),
    newest_first=st.booleans(),
    by_time=st.booleans(),
    chance=CHANCES,
)
@example(BERLIN, 900, 0.1, 1, 1, False, True, 0)
def test_no_value_lands_in_a_wrong_hour_whichever_rows_are_missing(
    zone, step, lost, series, days, newest_first, by_time, chance
):
    draw = random.Random(chance)
    rows = [(start, key) for start in truth_of(zone, step, days) for key in range(series) if draw.random() >= lost]
    rows.sort(key=lambda row: row if by_time else row[::-1], reverse=newest_first)
    if not rows:
        return
    found, unclear = walked(rows, zone)
    for (start, _), taken, unknown in zip(rows, found, unclear, strict=True):
        assert unknown or taken == start
    if not lost and step < 3600:
        assert not any(unclear)


@given(step=st.sampled_from([900, 1800, 3600]), lost=st.sampled_from([0.1, 0.3, 0.6]), chance=CHANCES)
def test_what_order_can_tell_is_told(step, lost, chance):
    """A row is unclear only if it may be of either hour, or if a label stands twice in a row, which may be a repeat."""
    draw = random.Random(chance)
    starts = [start for start in truth_of(BERLIN, step) if draw.random() >= lost]
    labels = [oracle.wall_of(start, BERLIN) for start in starts]
    outside = any(not oracle.is_doubled(label, BERLIN) for label in labels)
    if not starts:
        return
    possible = oracle.readings_of(labels, BERLIN)
    assert starts in possible
    _, unclear = walked([(start, 0) for start in starts], BERLIN)
    again = any(before == after for before, after in pairwise(labels))
    for at, unknown in enumerate(unclear):
        if len({some[at] for some in possible}) == 1 and outside and (not again or step == 3600):
            assert not unknown


@given(step=st.sampled_from([900, 3600]), series=st.integers(1, 2), chance=CHANCES)
def test_in_rows_without_order_nothing_is_guessed(step, series, chance):
    draw = random.Random(chance)
    rows = [(start, key) for start in truth_of(BERLIN, step) for key in range(series)]
    draw.shuffle(rows)
    found, unclear = walked(rows, BERLIN)
    for (start, _), taken, unknown in zip(rows, found, unclear, strict=True):
        assert unknown == oracle.is_doubled(oracle.wall_of(start, BERLIN), BERLIN)
        assert unknown or taken == start


@given(
    step=st.sampled_from([900, 3600]),
    order=st.sampled_from(["ascending", "descending", "none"]),
    lost=st.sampled_from([0.0, 0.3, 0.7]),
    chance=CHANCES,
)
def test_what_labels_tell_no_order_overrules(step, order, lost, chance):
    draw = random.Random(chance)
    rows = [(start, 0) for start in truth_of(BERLIN, step) if draw.random() >= lost]
    if order == "none":
        draw.shuffle(rows)
    rows = rows[::-1] if order == "descending" else rows
    if not rows:
        return
    told = np.array([draw.choice([0, hour_of(start)]) for start, _ in rows], np.int8)
    found, unclear = walked(rows, BERLIN, told=told)
    for (start, _), taken, unknown, known in zip(rows, found, unclear, told, strict=True):
        assert unknown or taken == start
        assert not (unknown and known)


def hour_of(start):
    label = oracle.wall_of(start, BERLIN)
    if not oracle.is_doubled(label, BERLIN):
        return 0
    return FIRST if oracle.utc_of(label, BERLIN, 0) == start else SECOND


def of_labels(*labels, zone=BERLIN):
    """Walk times of day of the day of the change: hours since the change, None where that is unclear."""
    change = oracle.utc_of(oracle.wall_of(truth_of(zone, 3600)[0], zone) + 2 * 3600, zone, 1)
    walls = [oracle.wall_of(truth_of(zone, 3600)[0], zone) + int(t[:2]) * 3600 + int(t[3:]) * 60 for t in labels]
    found = walk(np.array(walls), zone)
    pairs = zip(found.seconds.tolist(), found.unclear.tolist(), strict=True)
    return [None if unknown else (start - change) / 3600 for start, unknown in pairs]


def test_what_follows_the_step_back_is_the_second_hour():
    labels = ["01:45", "02:00", "02:30", "02:45", "02:00", "02:15", "02:30", "02:45", "03:00"]
    assert of_labels(*labels) == [-1.25, -1, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1]
    assert of_labels(*labels[::-1]) == [-1.25, -1, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1][::-1]


@pytest.mark.parametrize(
    ("labels", "unclear"),
    [
        (["01:00", "02:00", "03:00"], [1]),  # one of two hours
        (["01:45", "02:00", "02:15", "02:30", "02:45", "03:00"], [1, 2, 3, 4]),  # the same in quarters
        (["01:45", "02:00", "02:15", "02:15", "02:30", "03:00"], [1, 2, 3, 4]),  # a repeat, or the step
        (["02:00", "02:00"], [0, 1]),  # nothing tells in which order the file is
        (["02:00", "01:00", "02:00", "03:00"], [0, 2]),  # out of order
        (["03:00", "02:00", "01:00", "02:00"], [1, 3]),
        (["01:00", "02:00", "02:00", "02:00", "03:00"], [1, 2, 3]),
        (["01:00", "02:00", "02:30", "02:00", "02:30", "02:00", "02:30", "03:00"], [1, 2, 3, 4, 5, 6]),
    ],
)
def test_where_order_does_not_tell_every_row_is_unclear(labels, unclear):
    assert [at for at, found in enumerate(of_labels(*labels)) if found is None] == unclear


def test_rows_far_away_do_not_matter():
    """Days may stand in any order, as in a file with the newest day first, if the hours of the one day are in order."""
    the_day = truth_of(BERLIN, 3600)
    following, before = (
        [first + 3600 * hour for hour in range(24)] for first in (the_day[0] + 90000, the_day[0] - 86400)
    )
    starts = [*following, *the_day, *before]
    found, unclear = walked([(start, 0) for start in starts], BERLIN)
    assert found == starts
    assert not any(unclear)
