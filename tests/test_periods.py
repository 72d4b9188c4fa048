"""Years, months and local times as UTC windows, against `zoneinfo` one moment at a time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gcr_fast import UsageError, periods
from gcr_fast.periods import (
    FIRST_S,
    Period,
    local_to_utc,
    local_year,
    month_period,
    parse_times,
    utc_text,
    utc_to_local,
    year_period,
    zone_anchor,
    zone_named,
)

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "America/St_Johns",
    "Pacific/Apia",
    "Asia/Tehran",
    "+05:45",
]
MOMENTS = st.integers(
    int(datetime(2005, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())
)
EPOCH = datetime(1970, 1, 1)


def second(*moment):
    """Return a UTC moment as seconds."""
    return int(datetime(*moment, tzinfo=UTC).timestamp())


def wall(moment):
    """Return a moment's wall-clock reading as seconds, its zone forgotten."""
    return int((moment.replace(tzinfo=None) - EPOCH).total_seconds())


def day_hours(year, month, day, zone):
    """Return how many hours a local day has."""
    place = ZoneInfo(zone)
    start = datetime(year, month, day, tzinfo=place).timestamp()
    following = datetime(year, month, day) + timedelta(days=1)
    stop = following.replace(tzinfo=place).timestamp()
    return (stop - start) / 3600


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("year", "hours"), [(2023, 8760), (2024, 8784), (2100, 8760), (2000, 8784)])
def test_expected_hours_are_counted_in_utc(year, hours, zone):
    assert year_period(year, zone).intervals(3600) == hours


def test_2024_has_8784_hours():
    period = year_period(2024)
    assert (period.intervals(3600), period.intervals(900)) == (8784, 35_136)
    assert sum(month_period(2024, month).intervals(3600) for month in range(1, 13)) == 8784


def test_berlin_2024_is_a_shifted_utc_window():
    period = year_period(2024, "Europe/Berlin")
    assert str(period) == "2023-12-31T23:00Z .. 2024-12-31T23:00Z"
    assert period == Period(second(2023, 12, 31, 23), second(2024, 12, 31, 23))


@pytest.mark.parametrize("zone", ZONES)
def test_months_follow_one_another_and_make_the_year(zone):
    months = [month_period(2024, month, zone) for month in range(1, 13)]
    assert all(one.end_s == two.start_s for one, two in pairwise(months))
    assert Period(months[0].start_s, months[-1].end_s) == year_period(2024, zone)


def test_months_with_a_clock_change_have_an_hour_less_or_more():
    assert month_period(2024, 3, "Europe/Berlin").intervals(3600) == 31 * 24 - 1
    assert month_period(2024, 10, "Europe/Berlin").intervals(3600) == 31 * 24 + 1
    assert month_period(2024, 2, "Europe/Berlin").intervals(3600) == 29 * 24


@pytest.mark.parametrize("year", [1989, 2101, 0, 10_000])
def test_years_out_of_range_are_usage_errors(year):
    with pytest.raises(UsageError, match=str(year)):
        year_period(year)
    with pytest.raises(UsageError, match=str(year)):
        month_period(year, 1)


@pytest.mark.parametrize("name", ["Berlin", "Europe/Nowhere", "", " ", "+", "+25:00", "../etc/passwd", "Europe"])
def test_unknown_zones_are_usage_errors(name):
    with pytest.raises(UsageError, match="time zone"):
        zone_named(name)


@pytest.mark.parametrize("name", ["UTC", "utc", "Z", "+00:00", "Etc/UTC"])
def test_names_of_utc(name):
    assert year_period(2024, name) == year_period(2024)


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ((2024, 3, 31), "Europe/Berlin", 23),
        ((2024, 10, 27), "Europe/Berlin", 25),
        ((2024, 3, 10), "America/New_York", 23),
        ((2024, 11, 3), "America/New_York", 25),
    ],
)
def test_days_of_23_and_25_hours(day, zone, hours):
    assert day_hours(*day, zone) == hours
    minutes = np.arange(wall(datetime(*day)), wall(datetime(*day)) + 86_400, 900)
    local = local_to_utc(minutes, zone)
    kept = ~local.skipped
    assert len({*local.earliest[kept].tolist(), *local.latest[kept].tolist()}) == 4 * hours


@pytest.mark.parametrize(("day", "hours"), [((2024, 4, 7), 24.5), ((2024, 10, 6), 23.5)])
def test_lord_howe_days_have_23_and_a_half_and_24_and_a_half_hours(day, hours):
    zone = "Australia/Lord_Howe"
    assert day_hours(*day, zone) == hours
    local = local_to_utc(np.arange(wall(datetime(*day)), wall(datetime(*day)) + 86_400, 900), zone)
    kept = ~local.skipped
    assert len({*local.earliest[kept].tolist(), *local.latest[kept].tolist()}) == 4 * hours


def test_autumn_hour_appears_twice_and_spring_hour_not_at_all():
    autumn = local_to_utc(np.array([wall(datetime(2024, 10, 27, 2, 30))]), "Europe/Berlin")
    assert [utc_text(t[0]) for t in autumn[:2]] == ["2024-10-27T00:30Z", "2024-10-27T01:30Z"]
    assert not autumn.skipped[0]
    spring = local_to_utc(np.array([wall(datetime(2024, 3, 31, 2, 30))]), "Europe/Berlin")
    assert spring.skipped[0]


@given(moments=st.lists(MOMENTS, min_size=1, max_size=20), zone=st.sampled_from(ZONES))
def test_local_times_and_back_same_as_zoneinfo(moments, zone):
    place = zone_named(zone)
    local = utc_to_local(np.array(moments), zone)
    assert local.tolist() == [wall(datetime.fromtimestamp(moment, place)) for moment in moments]
    both = local_to_utc(local, zone)
    assert not both.skipped.any()
    for i, moment in enumerate(moments):
        assert moment in {int(both.earliest[i]), int(both.latest[i])}


@given(local=st.lists(MOMENTS, max_size=20), zone=st.sampled_from(ZONES))
@example(local=[wall(datetime(2024, 3, 31, 2)), wall(datetime(2024, 3, 31, 3))], zone="Europe/Berlin")
@example(local=[wall(datetime(2024, 10, 27, 3)), wall(datetime(2024, 10, 27, 2))], zone="Europe/Berlin")
@example(local=[wall(datetime(2011, 12, 30, 12))], zone="Pacific/Apia")  # a day that was skipped
@example(local=[wall(datetime(2024, 4, 7, 1, 45))], zone="Australia/Lord_Howe")
def test_folds_and_gaps_same_as_zoneinfo(local, zone):
    place = zone_named(zone)
    found = local_to_utc(np.array(local, dtype=np.int64), zone)
    for i, reading in enumerate(local):
        naive = EPOCH + timedelta(seconds=reading)
        first, again = (int(naive.replace(tzinfo=place, fold=fold).timestamp()) for fold in (0, 1))
        exists = wall(datetime.fromtimestamp(first, place)) == reading
        assert found.skipped[i] == (not exists)
        if exists:
            assert (int(found.earliest[i]), int(found.latest[i])) == (first, again)


@given(moment=MOMENTS, zone=st.sampled_from(ZONES))
def test_local_year_is_the_year_on_the_wall(moment, zone):
    assert local_year(moment, zone) == datetime.fromtimestamp(moment, zone_named(zone)).year


def test_hours_begin_where_the_zones_clock_says():
    assert zone_anchor(None, 0) == zone_anchor("UTC", 0) == 0
    assert zone_anchor("Asia/Kolkata", second(2024, 1, 1)) == 1800
    assert zone_anchor("Asia/Kathmandu", second(2024, 1, 1)) == 900
    assert zone_anchor("Europe/Berlin", second(2024, 7, 1)) == 0
    assert zone_anchor("America/St_Johns", second(2024, 1, 1)) == 1800


def test_utc_text_shows_seconds_only_where_there_are_any():
    assert [utc_text(s) for s in (0, 59, 60)] == ["1970-01-01T00:00Z", "1970-01-01T00:00:59Z", "1970-01-01T00:01Z"]


@pytest.mark.parametrize(
    "text",
    [
        "2024-06-01T12:00Z",
        "2024-06-01 12:00:00Z",
        "2024-06-01T14:00+02:00",
        "2024-06-01T12:00:00.000Z",
        "2024-06-01T17:45:00+05:45",
        " 2024-06-01T12:00Z ",
    ],
)
@pytest.mark.parametrize("beside", [None, "2024-06-01T13:00", "nonsense"])
def test_forms_of_one_moment_read_the_same_alone_and_in_mixed_columns(text, beside):
    times = parse_times(pa.array([text, beside]), None)
    assert utc_text(times.earliest[0]) == "2024-06-01T12:00Z"
    assert not (times.null | times.unreadable | times.naive | times.skipped)[0]
    assert times.null[1] == (beside is None)
    assert times.unreadable[1] == (beside == "nonsense")
    assert times.naive[1] == (beside == "2024-06-01T13:00")


def test_naive_timestamps_are_marked_unless_a_zone_is_named():
    column = pa.array(["2024-06-01T12:00", "2024-06-01 13:00"])
    assert parse_times(column, None).naive.all()
    named = parse_times(column, "Europe/Berlin")
    assert [utc_text(s) for s in named.earliest] == ["2024-06-01T10:00Z", "2024-06-01T11:00Z"]
    assert not named.naive.any()


@pytest.mark.parametrize("text", ["31.12.2024 00:00", "12/31/2024", "2024-13-01", "2024-06-01T12:00:00.5Z", "24:00"])
def test_nothing_is_guessed(text):
    times = parse_times(pa.array([text, "2024-01-01T00:00Z"]), "UTC")
    assert times.unreadable.tolist() == [True, False]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_arrow_timestamps_of_every_resolution(unit):
    moment = datetime(2024, 6, 1, 12)
    aware = parse_times(pa.array([moment.replace(tzinfo=UTC), None], pa.timestamp(unit, "Europe/Berlin")), None)
    assert utc_text(aware.earliest[0]) == "2024-06-01T12:00Z"
    assert aware.null.tolist() == [False, True]
    naive = parse_times(pa.array([moment, None], pa.timestamp(unit)), "Europe/Berlin")
    assert utc_text(naive.earliest[0]) == "2024-06-01T10:00Z"
    assert parse_times(pa.array([moment, None], pa.timestamp(unit)), None).naive.tolist() == [True, False]


def test_fractions_of_a_second_are_unreadable_in_timestamps_too():
    column = pa.array([datetime(2024, 1, 1, 0, 0, 0, 500_000), datetime(2024, 1, 1)], pa.timestamp("us", "UTC"))
    assert parse_times(column, None).unreadable.tolist() == [True, False]


def test_dates_are_the_midnight_of_their_zone():
    times = parse_times(pa.array([datetime(2024, 6, 1).date()]), "Europe/Berlin")
    assert utc_text(times.earliest[0]) == "2024-05-31T22:00Z"


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["2024-06-01T12:00Z"], pa.large_string()),
        pa.array(["2024-06-01T12:00Z"]).dictionary_encode(),
        pa.array(["2024-06-01T12:00Z"], pa.string_view()),
        pa.chunked_array([["2024-06-01T12:00Z"]]),
        pa.array(["x", "2024-06-01T12:00Z"])[1:],
    ],
    ids=["large", "dictionary", "view", "chunks", "slice"],
)
def test_every_arrow_layout_of_text_reads_the_same(column):
    assert parse_times(column, None).earliest.tolist() == [second(2024, 6, 1, 12)]


@pytest.mark.parametrize("column", [pa.array([1]), pa.array([1.5]), pa.array([True])])
def test_numbers_are_no_times(column):
    assert parse_times(column, None).unreadable.all()


@pytest.mark.parametrize("text", ["9999-12-31T23:00", "0001-01-01T00:00"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Apia"])
def test_times_at_the_ends_of_the_calendar_are_read_or_refused(text, zone):
    times = parse_times(pa.array([text, "2024-06-01T12:00"]), zone)
    assert times.unreadable.tolist() == [True, False]


def test_times_are_turned_into_utc_alike_in_portions(monkeypatch):
    local_s = np.arange(FIRST_S, FIRST_S + 400 * 86_400, 1800)[::-1]
    whole = local_to_utc(local_s, "Europe/Berlin")
    monkeypatch.setattr(periods, "PORTION", 7)
    for part, wanted in zip(local_to_utc(local_s, "Europe/Berlin"), whole, strict=True):
        assert part.tolist() == wanted.tolist()
    assert whole.skipped.any()
    assert (whole.earliest != whole.latest).any()
