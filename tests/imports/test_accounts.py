"""The figures of an import against the calendar of `zoneinfo`, hour by hour."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from gcr_fast.flags import SILENT, Flags
from gcr_fast.grid.shapes import Profile
from gcr_fast.imports.accounts import Laid, account
from gcr_fast.sources.model import Reading

NONE = np.zeros(0, dtype=np.int64)
READING = Reading("solar", "XX", "generation", True, NONE, 3600, NONE, NONE.astype(bool), NONE)


def hours(first, last):
    moment = datetime.fromisoformat(first).replace(tzinfo=UTC)
    while moment < datetime.fromisoformat(last).replace(tzinfo=UTC):
        yield moment
        moment += timedelta(hours=1)


def profile_of(moments, missing=frozenset(), negative=frozenset()):
    signed = np.array([-7 if at in negative else at + 1 for at in range(len(moments))], dtype=np.int64)
    signed[list(missing)] = 0
    gaps = np.array([at in missing for at in range(len(moments))])
    start = int(moments[0].timestamp())
    return Profile("XX-solar", start, 3600, np.maximum(signed, 0), gaps, np.maximum(-signed, 0)), signed


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
def test_years_and_clock_changes_are_those_of_the_zone(zone):
    moments = list(hours("2023-02-10", "2025-02-10"))
    profile, signed = profile_of(moments, missing={3, 9_000}, negative={5, 12_000})
    found = account(Laid.of(READING, zone, np.ones(len(moments), bool)), profile)
    place = ZoneInfo(zone)
    local = [moment.astimezone(place) for moment in moments]
    for year in found.years:
        rows = [at for at, moment in enumerate(local) if moment.year == year.year]
        assert year.energy_wh == int(signed[rows].sum())
        assert year.found == sum(not profile.missing[at] for at in rows)
        whole = (
            datetime(year.year + 1, 1, 1, tzinfo=place).timestamp()
            - datetime(year.year, 1, 1, tzinfo=place).timestamp()
        )
        assert year.expected == whole // 3600
    assert [year.year for year in found.years] == [2023, 2024, 2025]
    changed = {moment.date() for moment in local if _length(moment.date(), place) != 86_400}
    assert {change.day for change in found.clock_changes} == {str(date) for date in changed}
    for change in found.clock_changes:
        rows = [moment for moment in local if str(moment.date()) == change.day]
        assert change.length_s == _length(rows[0].date(), place)
        assert change.expected == change.found == len(rows)
    before = found.years[0].expected - found.years[0].found - 1  # most of the first year is there, little of the last
    assert (found.expected, found.missing) == (len(moments) + before, 2 + before)
    assert [one.intervals for one in found.absent] == [before]
    assert (found.negative, found.negative_wh) == (2, -14)
    assert found.energy_wh == int(signed.sum())


def _length(date, place):
    following = date + timedelta(days=1)
    begin, end = (datetime(day.year, day.month, day.day, tzinfo=place).timestamp() for day in (date, following))
    return end - begin


def test_a_clock_change_that_lacks_an_hour_is_told():
    moments = list(hours("2024-03-30T23:00", "2024-03-31T22:00"))
    profile, _ = profile_of(moments, missing={4})
    (change,) = account(Laid.of(READING, "Europe/Berlin", np.ones(len(moments), bool)), profile).clock_changes
    assert (change.day, change.expected, change.found) == ("2024-03-31", 23, 22)


@pytest.mark.parametrize(("date", "length"), [("2024-04-07", 24.5), ("2024-10-06", 23.5)])
@pytest.mark.parametrize("step", [1800, 3600])
@pytest.mark.parametrize("lost", [0, 1])
def test_a_day_whose_clock_moves_by_half_an_hour_is_whole_if_all_its_intervals_are_there(date, length, step, lost):
    place = ZoneInfo("Australia/Lord_Howe")
    begin, end = (
        int((datetime.fromisoformat(date) + timedelta(days=days)).replace(tzinfo=place).timestamp()) for days in (0, 1)
    )
    starts = np.arange(begin, end, step)
    missing = np.arange(len(starts)) < lost
    profile = Profile("XX-solar", begin, step, (~missing).astype(np.int64), missing, np.zeros(len(starts), np.int64))
    (change,) = account(Laid.of(READING, "Australia/Lord_Howe", np.ones(len(starts), bool)), profile).clock_changes
    assert (change.day, change.length_s) == (date, length * 3600)
    assert (change.expected, change.found) == (len(starts), len(starts) - lost)


def test_what_no_file_is_about_is_not_expected():
    moments = list(hours("2024-03-01", "2024-04-01"))
    profile, _ = profile_of(moments, missing=set(range(100, 700)))
    covered = ~profile.missing
    found = account(Laid.of(READING, "Europe/Berlin", covered), profile)
    assert (found.expected, found.found, found.missing) == (len(moments) - 600, len(moments) - 600, 0)


def test_flags_are_counted_by_their_words_where_the_series_has_rows():
    profile, _ = profile_of(list(hours("2024-01-01", "2024-01-02")))
    there = np.arange(24) < 20
    flags = Flags(np.array([0] * 10 + [SILENT] * 5 + [1] * 9, dtype=np.int32), ("FINAL", "R1", "never"))
    found = account(Laid.of(READING, "UTC", there), replace(profile, flags=flags))
    assert found.flags == {"FINAL": 10, "R1": 5}
    assert found.as_dict()["flags"] == found.flags
    assert account(Laid.of(READING, "UTC", there), profile).flags == {}
