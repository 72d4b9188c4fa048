"""What is expected of a series, against plain sets of hours."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gcr_fast.columns import runs
from gcr_fast.findings import Findings
from gcr_fast.grid.merging import joined
from gcr_fast.grid.shapes import Profile
from gcr_fast.imports.coverage import Absent, covered, ends, unsupplied
from gcr_fast.periods import utc_text

DAY = 24
ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Auckland", "+05:30")
PIECES = st.lists(st.tuples(st.integers(0, 4 * 365), st.integers(1, 500)), min_size=1, max_size=4)
START = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()) // 3600


def piece(first, hours, missing=()):
    """Return a profile of so many hours from an hour since 1970 on."""
    gaps = np.zeros(hours, dtype=bool)
    gaps[list(missing)] = True
    return Profile("P", first * 3600, 3600, np.ones(hours, np.int64), gaps, np.zeros(hours, np.int64))


def hours_of(text):
    first, last = (datetime.fromisoformat(f"{one}T00:00Z") for one in text)
    return int(first.timestamp()) // 3600, int((last - first).total_seconds()) // 3600


def new_year(year, zone):
    place = datetime.fromisoformat(f"2020-01-01T00:00:00{zone}").tzinfo if zone[0] == "+" else ZoneInfo(zone)
    return datetime(year, 1, 1, tzinfo=place).timestamp() / 3600


@given(PIECES)
def test_holes_of_less_than_a_year_are_expected(several):
    pieces = [piece(START + first * DAY, count * DAY) for first, count in several]
    have = {hour for one in pieces for hour in range(one.start_s // 3600, one.end_s // 3600)}
    wanted, last = set(have), None
    for hour in sorted(have):
        if last is not None and hour - last - 1 < 8760:
            wanted |= set(range(last, hour))
        last = hour
    whole = joined(pieces, Findings())
    there = covered(whole, pieces)
    assert {whole.start_s // 3600 + at for at in np.flatnonzero(there).tolist()} == wanted
    absent = unsupplied(whole, pieces, there, "why")
    assert sum(one.intervals for one in absent) == len(wanted - have)
    assert all(one.why == "why" for one in absent)


@given(st.integers(0, 800), st.integers(1, 900), st.integers(-3, 3), st.sampled_from(ZONES))
@example(0, 366, 0, "Europe/Berlin")
def test_the_ends_of_a_year_that_is_mostly_there_are_expected(first_day, days, shift, zone):
    whole = piece(START + first_day * DAY + shift, days * DAY - 2 * shift)
    low, high = whole.start_s / 3600, whole.end_s / 3600
    wanted = 0.0
    for year in range(2019, 2025):
        begin, end = new_year(year, zone), new_year(year + 1, zone)
        inside = min(high, end) - max(low, begin)
        if 2 * inside > end - begin:
            wanted += max(0, int(low - begin)) + max(0, int(end - high))
    beside = [min((hour - new_year(year, zone) for year in range(2019, 2026)), key=abs) for hour in (low, high)]
    if beside[0] == beside[1] and abs(beside[0]) <= 14:
        wanted = 0  # whole years of another zone
    found = ends(whole, np.ones(len(whole.values), dtype=bool), zone)
    assert sum(one.intervals for one in found) == wanted


@pytest.mark.parametrize("zone", ZONES[1:])
@pytest.mark.parametrize("years", [1, 3])
def test_years_of_another_zone_lack_nothing(zone, years):
    first, last = new_year(2021, zone), new_year(2021 + years, zone)
    whole = piece(int(first), int(last - first))
    every = np.ones(len(whole.values), dtype=bool)
    assert ends(whole, every, "UTC") == ends(whole, every, zone) == []


def test_a_year_that_lacks_its_last_hours_is_none_of_another_zone():
    whole = piece(*hours_of(("2023-01-01", "2023-12-31")))
    (found,) = ends(whole, np.ones(len(whole.values), dtype=bool), "UTC")
    why = "most of 2023 is there, so all of it is expected"
    assert found == Absent("2023-12-31T00:00Z", "2024-01-01T00:00Z", 24, why)
    assert str(found) == f"no file has 24 intervals, 2023-12-31T00:00Z .. 2024-01-01T00:00Z: {why}"


def test_half_a_year_says_nothing_of_the_other_half():
    half = piece(*hours_of(("2023-01-01", "2023-07-02")))
    assert ends(half, np.ones(len(half.values), dtype=bool), "UTC") == []
    more = piece(*hours_of(("2023-01-01", "2023-07-03")))
    assert [one.end for one in ends(more, np.ones(len(more.values), dtype=bool), "UTC")] == ["2024-01-01T00:00Z"]


@pytest.mark.parametrize("days", [364, 365, 366])
def test_files_a_year_apart_are_two_stretches_each_with_its_ends(days):
    first, count = hours_of(("2020-01-01", "2020-12-01"))
    after = first + count + days * DAY
    pieces = [piece(first, count), piece(after, 300 * DAY)]
    whole = joined(pieces, Findings())
    there = covered(whole, pieces)
    assert there.all() == (days < 365)
    starts = [one.start for one in ends(whole, there, "UTC")]
    end = utc_text((after + 300 * DAY) * 3600)
    assert starts == ([end] if days < 365 else ["2020-12-01T00:00Z", end])
    assert unsupplied(whole, pieces, there, "") == (
        [Absent("2020-12-01T00:00Z", utc_text(after * 3600), days * DAY, "")] if days < 365 else []
    )


def test_gaps_inside_a_file_are_none_between_files():
    pieces = [piece(START, 48, missing=[3, 4]), piece(START + 40, 24)]
    whole = joined(pieces, Findings())
    there = covered(whole, pieces)
    assert there.all()
    assert unsupplied(whole, pieces, there, "") == []


@given(st.lists(st.booleans(), min_size=1))
def test_runs_tile_what_is_true(mask):
    found = [at for first, stop in runs(np.array(mask)) for at in range(first, stop)]
    assert found == [at for at, true in enumerate(mask) if true]
