"""Production periods of annual certificates: moments, years and months of our own columns -> UTC seconds."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from gcr_fast.columns import as_text
from gcr_fast.errors import UsageError
from gcr_fast.fields import Fields
from gcr_fast.periods import Period, month_period, parse_times, year_period, zone_named

UNREAD_PERIOD = Period(0, 3600)
"""Stands where a period could not be read; the finding that says so stops the certificate."""


def periods_of(fields: Fields, zones: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return start and end in UTC seconds: from production_start and _end where filled, else from year."""
    start = _moments(fields, "production_start", zones)
    end = _moments(fields, "production_end", zones)
    year_name = fields.named(("year", "production_year", "vintage"))
    if start is None or end is None:
        if year_name is not None:
            return _from_years(fields, year_name, zones, np.ones(len(fields), dtype=bool))
        fields.missing("year (or production_start and production_end)")
        return np.full(len(fields), UNREAD_PERIOD.start_s), np.full(len(fields), UNREAD_PERIOD.end_s)
    return _from_moments(fields, start, end, year_name, zones)


def _from_moments(
    fields: Fields, start: _Moments, end: _Moments, year_name: str | None, zones: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the periods of rows that state both moments; rows that state neither may state a year."""
    starts, ends = start.seconds, end.seconds
    by_year = start.empty & end.empty if year_name is not None else np.zeros(len(fields), dtype=bool)
    if year_name is not None and by_year.any():
        year_starts, year_ends = _from_years(fields, year_name, zones, by_year)
        starts, ends = np.where(by_year, year_starts, starts), np.where(by_year, year_ends, ends)
    fields.report("null_value", start.empty & ~by_year, "production_start", "is empty")
    fields.report("null_value", end.empty & ~by_year, "production_end", "is empty")
    stated = start.good & end.good
    _check_order(fields, starts, ends, zones, stated)
    known = stated | by_year
    return np.where(known, starts, UNREAD_PERIOD.start_s), np.where(known, ends, UNREAD_PERIOD.end_s)


class _Moments(NamedTuple):
    """A time column as UTC seconds int64[n], and which cells are empty or usable, bool[n]."""

    seconds: np.ndarray
    empty: np.ndarray
    good: np.ndarray


def _moments(fields: Fields, field: str, zones: list[str]) -> _Moments | None:
    """Read a time column, naive times in each row's zone; None if it is absent."""
    name = fields.name(field)
    if name is None:
        return None
    column = fields.column(name)
    times = parse_times(column, None)
    seconds, skipped = times.earliest.copy(), times.skipped.copy()
    for zone in sorted({zones[row] for row in np.flatnonzero(times.naive)}):
        rows = np.flatnonzero(times.naive & np.array([known == zone for known in zones]))
        local = parse_times(column.take(rows), zone)
        seconds[rows], skipped[rows] = local.earliest, local.skipped
    fields.report("unreadable_value", times.unreadable, name, "is not an ISO 8601 time (2024-01-01T00:00Z)")
    fields.report("nonexistent_time", skipped, name, "does not exist in its zone")
    return _Moments(seconds, times.null, ~(times.null | times.unreadable | skipped))


_YEAR = re.compile(r"^([0-9]{4})(?:\.0)?(?:-([0-9]{2}))?$")


def _from_years(fields: Fields, name: str, zones: list[str], wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the periods of `2024` or `2024-03`, each in its row's zone, for the rows of `wanted`."""
    texts = as_text(fields.column(name)).to_pylist()
    known: dict[tuple[str | None, str], Period | None] = {}
    starts = np.full(len(fields), UNREAD_PERIOD.start_s)
    ends = np.full(len(fields), UNREAD_PERIOD.end_s)
    bad = np.zeros(len(fields), dtype=bool)
    for row, key in enumerate(zip(texts, zones, strict=True)):
        if not wanted[row]:
            continue
        if key not in known:
            known[key] = _calendar_period(*key)
        period = known[key]
        bad[row] = period is None
        starts[row], ends[row] = period or UNREAD_PERIOD
    null = np.array([text is None or not text.strip() for text in texts]) & wanted
    fields.report("null_value", null, name, "is empty")
    fields.report("unreadable_value", bad & ~null, name, "is not a year such as 2024 or a month such as 2024-03")
    return starts, ends


def _calendar_period(text: str | None, zone: str) -> Period | None:
    match = _YEAR.match((text or "").strip())
    if match is None:
        return None
    try:
        year, month = int(match[1]), match[2]
        return year_period(year, zone) if month is None else month_period(year, int(month), zone)
    except (UsageError, ValueError):
        return None


def _check_order(fields: Fields, starts: np.ndarray, ends: np.ndarray, zones: list[str], stated: np.ndarray) -> None:
    fields.report("bad_period", (ends <= starts) & stated, "production_end", "is not after production_start")
    rows = np.flatnonzero(stated)
    spans = zip(starts[rows].tolist(), ends[rows].tolist(), (zones[row] for row in rows), strict=True)
    day = np.zeros(len(starts), dtype=bool)
    day[rows] = [_lacks_last_day(*span) for span in spans]
    what = "begins the last day of a month, which is left out: the end is exclusive"
    fields.report("end_looks_inclusive", day, "production_end", what)


@lru_cache(maxsize=1 << 12)
def _lacks_last_day(start_s: int, end_s: int, zone: str) -> bool:
    """Whether local days begin with a month, and end with the beginning of the last day of one."""
    place = zone_named(zone)
    start, end = (datetime.fromtimestamp(second, place) for second in (start_s, end_s))
    midnights = start.time() == end.time() == time()
    return end_s > start_s and midnights and start.day == 1 and (end + timedelta(days=1)).day == 1
