"""Times as the world writes them, against `datetime` and `zoneinfo`, one label at a time."""

from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracle import exports as oracle

from gcr_fast.sources.clock import numbered, parse_best, parse_labels, periods_in_day, walk

LAYOUTS = [
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%b %d, %Y %I:%M %p",
    "%m/%d/%Y %I:%M:%S %p",
    "%Y%m%d:%H%M",
    "%Y-%m-%d",
]
ZONES = ["UTC", "Europe/Berlin", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Pacific/Auckland"]
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 12, 31, 23, 59, 59)).map(lambda m: m.replace(microsecond=0))
CHANGES = {
    "Europe/Berlin": ["2024-03-31", "2024-10-27"],
    "Europe/London": ["2024-03-31", "2024-10-27"],
    "America/New_York": ["2024-03-10", "2024-11-03"],
    "Australia/Lord_Howe": ["2024-10-06", "2024-04-07"],
    "Pacific/Auckland": ["2024-09-29", "2024-04-07"],
}


def read(texts, layout):
    found = parse_labels(pa.array(texts, pa.string()), layout)
    assert found.seconds.dtype == np.int64
    assert not found.seconds[found.bad].any()
    return [None if bad else seconds for seconds, bad in zip(found.seconds.tolist(), found.bad.tolist(), strict=True)]


@given(moments=st.lists(MOMENTS, max_size=8), layout=st.sampled_from(LAYOUTS))
@example(moments=[datetime(2024, 2, 29), datetime(2024, 1, 1, 12), datetime(2024, 1, 1, 0)], layout=LAYOUTS[3])
def test_labels_are_what_strptime_reads(moments, layout):
    texts = [moment.strftime(layout) for moment in moments]
    assert read(texts, layout) == [oracle.label(text, layout) for text in texts]


DATE_PARTS = st.tuples(
    st.sampled_from([1989, 1990, 2000, 2023, 2024, 2100, 2101]),
    st.integers(0, 13),
    st.integers(0, 32),
    st.integers(0, 25),
    st.integers(0, 60),
    st.integers(0, 60),
)


@given(parts=st.lists(DATE_PARTS, max_size=8))
@example(parts=[(2024, 2, 29, 24, 0, 0), (2023, 2, 29, 0, 0, 0), (2024, 4, 31, 0, 0, 0), (2024, 1, 1, 24, 0, 1)])
@example(parts=[(2100, 2, 29, 0, 0, 0), (2000, 2, 29, 0, 0, 0), (2023, 13, 1, 0, 0, 0)])
def test_no_date_of_the_calendar_is_bad(parts):
    texts = ["{:04d}-{:02d}-{:02d} {:02d}:{:02d}:{:02d}".format(*some) for some in parts]
    assert read(texts, "%Y-%m-%d %H:%M:%S") == [oracle.wall(*some) for some in parts]


@given(offset=st.integers(-14 * 60, 14 * 60), moment=MOMENTS.filter(lambda m: 1991 < m.year < 2100))
def test_an_offset_in_the_label_makes_utc(offset, moment):
    sign = "-" if offset < 0 else "+"
    text = f"{moment.isoformat()}{sign}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"
    assert read([text], "%Y-%m-%dT%H:%M:%S%z") == [int(datetime.fromisoformat(text).timestamp())]
    assert read([moment.isoformat() + "Z"], "%Y-%m-%dT%H:%M:%S%z") == [int(moment.replace(tzinfo=UTC).timestamp())]


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        ("", "%Y-%m-%d"),
        (None, "%Y-%m-%d"),
        ("2024-01-01", "%Y-%m-%d %H:%M"),
        ("2024-01-01 00:00:00", "%Y-%m-%d %H:%M"),
        ("01.31.2024 00:00", "%d.%m.%Y %H:%M"),
        ("1.1.24 00:00", "%d.%m.%Y %H:%M"),
        ("Foo 1, 2024 1:00 AM", "%b %d, %Y %I:%M %p"),
        ("Jan 1, 2024 13:00 PM", "%b %d, %Y %I:%M %p"),
        ("Jan 1, 2024 0:00 AM", "%b %d, %Y %I:%M %p"),
        ("٢٠٢٤-01-01", "%Y-%m-%d"),
        ("2024-01-01T00:00:00", "%Y-%m-%dT%H:%M:%S%z"),
    ],
)
def test_a_label_of_another_layout_is_bad(text, layout):
    assert read(["2024-01-01", text], layout)[1] is None


def test_blanks_around_and_anything_after_three_dots():
    layout = "%d.%m.%Y %H:%M - ..."
    texts = [" 01.02.2024 03:00 - 01.02.2024 04:00 (CET/CEST) ", "01.02.2024 03:00 -", "01.02.2024 03:00"]
    assert read(texts, layout) == [oracle.wall(2024, 2, 1, 3), None, None]


def test_years_of_two_digits_are_of_this_century():
    found = parse_labels(pa.array(["31.12.24 23:00", "31.12.2024 23:00", "1.1.00 00:00"]), "%d.%m.%y %H:%M")
    moments = [datetime(2024, 12, 31, 23, tzinfo=UTC), None, datetime(2000, 1, 1, tzinfo=UTC)]
    assert found.seconds.tolist() == [0 if moment is None else int(moment.timestamp()) for moment in moments]
    assert found.bad.tolist() == [False, True, False]


def test_what_stands_between_directives_is_taken_literally():
    assert read(["2024x01x01", "2024.01.01"], "%Y.%m.%d") == [None, oracle.wall(2024, 1, 1)]


def test_the_layout_that_fits_most_is_taken_for_the_whole_column():
    column = pa.array(["31/01/2024 00:00", "01/02/2024 00:00", "30/01/2024 00:00", "02/13/2024 00:00"])
    found = parse_best(column, "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M")
    assert found.bad.tolist() == [False, False, False, True]
    assert found.seconds.tolist()[1] == oracle.wall(2024, 2, 1)


def local_labels(starts, zone):
    place = ZoneInfo(zone)
    moments = [datetime.fromtimestamp(start, UTC).astimezone(place).replace(tzinfo=None) for start in starts]
    return [int((moment - oracle.EPOCH).total_seconds()) for moment in moments]


@given(
    zone=st.sampled_from(ZONES),
    date=st.one_of(
        st.dates(datetime(2005, 1, 1).date(), datetime(2037, 1, 1).date()).map(str),
        st.sampled_from([day for days in CHANGES.values() for day in days]),
    ),
    step=st.sampled_from([300, 900, 1800, 3600]),
    count=st.integers(0, 60),
    series=st.integers(1, 3),
)
@example(zone="Pacific/Auckland", date="2024-04-07", step=300, count=60, series=2)
def test_a_walk_over_local_labels_gives_the_starts_back(zone, date, step, count, series):
    """From midnight on: a file that begins in the later of two hours cannot be told from one of the earlier."""
    first = int(datetime.fromisoformat(date).replace(tzinfo=ZoneInfo(zone)).timestamp())
    starts = [start for start in range(first, first + step * count, step) for _ in range(series)]
    keys = [at % series for at in range(len(starts))]
    local = local_labels(starts, zone)
    found = walk(np.array(local, dtype=np.int64), zone, np.array(keys, dtype=np.int64))
    assert found.seconds.tolist() == oracle.walked(local, zone, keys)
    assert not found.skipped.any()
    if step <= 1800 or zone != "Australia/Lord_Howe":  # a clock set back by half an hour makes no label of hours twice
        assert found.seconds.tolist() == starts


@pytest.mark.parametrize("step", [900, 1800])
@pytest.mark.parametrize(("zone", "day"), [(zone, day) for zone, days in CHANGES.items() for day in days])
def test_both_days_of_a_clock_change(zone, day, step):
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    following = (datetime.fromisoformat(day) + timedelta(days=1)).replace(tzinfo=ZoneInfo(zone))
    starts = list(range(int(midnight.timestamp()), int(following.timestamp()), step))
    assert len(starts) != 86400 // step
    local = local_labels(starts, zone)
    found = walk(np.array(local), zone)
    assert found.seconds.tolist() == starts
    doubled = {label for label in local if local.count(label) == 2}
    assert [bool(flag) for flag in found.doubled] == [label in doubled for label in local]


@pytest.mark.parametrize(("zone", "day"), [(zone, days[0]) for zone, days in CHANGES.items()])
def test_times_that_a_clock_skips_are_told(zone, day):
    local = [oracle.wall(*map(int, day.split("-"))) + 900 * quarter for quarter in range(96)]
    found = walk(np.array(local), zone)
    assert found.skipped.tolist() == [not oracle.exists(label, zone) for label in local]
    assert found.skipped.sum() == (2 if "Lord" in zone else 4)
    assert not (found.skipped & found.doubled).any()


@pytest.mark.parametrize("series", [1, 2])
def test_newest_first_the_first_mention_is_the_later(series):
    midnight = datetime(2024, 10, 27, tzinfo=ZoneInfo("Europe/Berlin"))
    starts = [int(midnight.timestamp()) + 3600 * hour for hour in range(25) for _ in range(series)][::-1]
    keys = np.array([at % series for at in range(len(starts))])
    local = np.array(local_labels(starts, "Europe/Berlin"))
    assert walk(local, "Europe/Berlin", keys if series > 1 else None).seconds.tolist() == starts


def test_second_mentions_are_counted_in_each_series():
    """Sorted by time and then type, a label stands twice in a row without being the second."""
    one, two = oracle.wall(2024, 10, 27, 1), oracle.wall(2024, 10, 27, 2)
    local, keys = np.array([one, one, two, two, two, two]), np.array([0, 1, 0, 1, 0, 1])
    first = int(datetime(2024, 10, 27, 0, tzinfo=UTC).timestamp())
    before, after = first - 3600, first + 3600
    assert walk(local, "Europe/Berlin", keys).seconds.tolist() == [before, before, first, first, after, after]
    assert walk(local[[0, 2, 3]], "Europe/Berlin").seconds.tolist() == [before, first, after]


@pytest.mark.parametrize("series", [1, 3])
@pytest.mark.parametrize("by_time", [True, False])
def test_in_a_file_with_the_newest_rows_first_the_first_mention_is_the_later(series, by_time):
    begin = int(datetime(2024, 10, 26, 22, tzinfo=UTC).timestamp())
    rows = [(begin + 1800 * at, key) for at in range(50) for key in range(series)]
    rows.sort(key=lambda row: row if by_time else row[::-1], reverse=True)
    starts, keys = (np.array(column) for column in zip(*rows, strict=True))
    local = np.array(local_labels(starts.tolist(), "Europe/Berlin"))
    assert walk(local, "Europe/Berlin", keys if series > 1 else None).seconds.tolist() == starts.tolist()


@pytest.mark.parametrize("length", [900, 1800])
@pytest.mark.parametrize("zone", ["Europe/London", "Pacific/Auckland", "UTC"])
def test_numbered_periods_count_from_local_midnight(zone, length):
    place = ZoneInfo(zone)
    days = [datetime(2024, 1, 1) + timedelta(days=at) for at in range(366)]
    edges = [int(day.replace(tzinfo=place).timestamp()) for day in [*days, datetime(2025, 1, 1)]]
    midnights = np.array([int((day - oracle.EPOCH).total_seconds()) for day in days])
    counts = periods_in_day(midnights, length, zone)
    assert counts.tolist() == [(after - before) // length for before, after in pairwise(edges)]
    whole = 86400 // length
    assert {count for count, _ in groupby(sorted(counts.tolist()))} == (
        {whole} if zone == "UTC" else {whole - 3600 // length, whole, whole + 3600 // length}
    )
    rows = [(day, period) for day, count in enumerate(counts.tolist()) for period in range(1, count + 1)]
    starts = numbered(midnights[[day for day, _ in rows]], np.array([period for _, period in rows]), length, zone)
    assert starts.tolist() == list(range(edges[0], edges[-1], length))


def test_the_first_period_of_a_summer_day_begins_the_day_before_in_utc():
    midnight = np.array([oracle.wall(2018, 7, 1)])
    assert numbered(midnight, np.array([1]), 1800, "Europe/London").tolist() == [
        int(datetime(2018, 6, 30, 23, tzinfo=UTC).timestamp())
    ]
