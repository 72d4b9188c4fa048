"""Times and production periods, in UTC seconds: start inclusive, end exclusive.

Zones come from Python's `zoneinfo` (with the `tzdata` package behind it), so results do not depend on what Arrow's
C++ library finds on the machine. Vectorised conversion walks the zone's transitions, which are found by bisection.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from gcr_fast.columns import as_text, one_array, without_nulls
from gcr_fast.errors import UsageError

if TYPE_CHECKING:
    from datetime import tzinfo

    import pyarrow as pa

DAY_S = 86_400
PORTION = 1 << 16
"""Times that are turned into UTC together."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = 1990, 2100
FIRST_S, LAST_S = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (FIRST_YEAR, LAST_YEAR + 1))


class Period(NamedTuple):
    """A production period."""

    start_s: int
    end_s: int

    def intervals(self, step_s: int) -> int:
        """Return how many intervals of `step_s` it holds: 8,784 hours for 2024, counted in UTC."""
        return (self.end_s - self.start_s) // step_s

    def __str__(self) -> str:
        return f"{utc_text(self.start_s)} .. {utc_text(self.end_s)}"


def utc_text(second: int) -> str:
    """Return a UTC second as text: 2023-12-31T23:00Z."""
    try:
        moment = EPOCH + timedelta(seconds=int(second))
    except OverflowError:
        return f"second {second}"
    return moment.strftime("%Y-%m-%dT%H:%MZ" if moment.second == 0 else "%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=512)
def zone_named(name: str) -> tzinfo:
    """Return the IANA zone, `UTC`, or a fixed offset such as +01:00; an unknown one is a `UsageError`."""
    try:
        if name.startswith(("+", "-")):
            return datetime.fromisoformat(f"2000-01-01T00:00:00{name}").tzinfo or UTC
        if not name:
            raise ValueError("empty")
        return UTC if name.upper() in {"UTC", "Z"} else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, IndexError):
        raise UsageError(f"unknown time zone {name!r}; use a name such as Europe/Berlin, UTC or +01:00") from None


@lru_cache(maxsize=4096)
def year_period(year: int, zone: str = "UTC") -> Period:
    """Return the calendar year in a zone: Berlin 2024 is 2023-12-31T23:00Z .. 2024-12-31T23:00Z."""
    _check_year(year)
    place = zone_named(zone)
    return Period(
        int(datetime(year, 1, 1, tzinfo=place).timestamp()),
        int(datetime(year + 1, 1, 1, tzinfo=place).timestamp()),
    )


def _check_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise UsageError(f"year {year} is outside {FIRST_YEAR} .. {LAST_YEAR}")


def month_period(year: int, month: int, zone: str = "UTC") -> Period:
    """Return a calendar month in a zone."""
    _check_year(year)
    place = zone_named(zone)
    following = (year + month // 12, month % 12 + 1)
    return Period(
        int(datetime(year, month, 1, tzinfo=place).timestamp()),
        int(datetime(*following, 1, tzinfo=place).timestamp()),
    )


@lru_cache(maxsize=4096)
def local_year(second: int, zone: str) -> int:
    """Return the calendar year that a UTC second falls in, in a zone."""
    return (EPOCH + timedelta(seconds=second)).astimezone(zone_named(zone)).year


class Transitions(NamedTuple):
    """The offsets of a zone over a span: `offsets[k]` holds from `utc[k]` until `utc[k + 1]`."""

    utc: np.ndarray
    offsets: np.ndarray


@lru_cache(maxsize=64)
def transitions(zone: str, first_s: int, last_s: int) -> Transitions:
    """Find a zone's offset changes between two UTC seconds, by sampling days and bisecting those that differ."""
    place = zone_named(zone)
    starts, offsets = [first_s], [_offset(place, first_s)]
    for day in range(first_s, last_s, DAY_S):
        low, high = day, min(day + DAY_S, last_s)
        after = _offset(place, high)
        if after == offsets[-1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset(place, middle) == offsets[-1] else (low, middle)
        starts.append(high)
        offsets.append(after)
    return Transitions(np.array(starts, dtype=np.int64), np.array(offsets, dtype=np.int64))


def _offset(place: tzinfo, second: int) -> int:
    offset = (EPOCH + timedelta(seconds=second)).astimezone(place).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


class LocalTimes(NamedTuple):
    """Local wall-clock seconds turned into UTC, both ways where the clock is set back."""

    earliest: np.ndarray
    latest: np.ndarray
    """int64[n]; differs from `earliest` where the local time happens twice."""
    skipped: np.ndarray
    """bool[n]: the clock change skips this local time."""


def local_to_utc(local_s: np.ndarray, zone: str) -> LocalTimes:
    """Turn local wall-clock seconds int64[n] of a zone into UTC seconds."""
    count = len(local_s)
    found = LocalTimes(np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, bool))
    if count == 0:
        return found
    walk = _around(local_s, zone)
    begins = walk.utc + walk.offsets
    ends = np.append(walk.utc[1:] + walk.offsets[:-1], np.iinfo(np.int64).max)
    for first in range(0, count, PORTION):  # what is needed on the way is of a portion alone
        rows = slice(first, first + PORTION)
        local = local_s[rows]
        early = np.searchsorted(ends, local, side="right")
        late = np.searchsorted(begins, local, side="right") - 1
        np.subtract(local, walk.offsets[early], out=found.earliest[rows])
        np.subtract(local, walk.offsets[late], out=found.latest[rows])
        np.greater(early, late, out=found.skipped[rows])
    return found


def _around(local_s: np.ndarray, zone: str) -> Transitions:
    """Return the offsets of a zone over the days of local wall-clock seconds int64[n], and some before and after."""
    first = int(local_s.min()) // DAY_S * DAY_S - 2 * DAY_S
    return transitions(zone, first, int(local_s.max()) // DAY_S * DAY_S + 3 * DAY_S)


def set_back(local_s: np.ndarray, zone: str) -> list[tuple[int, int]]:
    """Return the local wall-clock seconds that happen twice, [begin, end), among the days of `local_s` int64[n]."""
    walk = _around(local_s, zone)
    changes = zip(walk.utc[1:].tolist(), walk.offsets[:-1].tolist(), walk.offsets[1:].tolist(), strict=True)
    return [(at + after, at + before) for at, before, after in changes if after < before]


def utc_to_local(utc_s: np.ndarray, zone: str) -> np.ndarray:
    """Turn UTC seconds int64[n] into local wall-clock seconds of a zone."""
    walk = transitions(zone, int(utc_s.min()), int(utc_s.max()) + 1)
    local: np.ndarray = utc_s + walk.offsets[np.searchsorted(walk.utc, utc_s, side="right") - 1]
    return local


@lru_cache(maxsize=1024)
def zone_anchor(zone: str | None, second: int) -> int:
    """Return where a zone's hours begin, modulo an hour: 1800 in India, 0 in most places."""
    return -_offset(zone_named(zone), second) % 3600 if zone else 0


class Times(NamedTuple):
    """A column of times as UTC seconds, with a mask for each way in which a cell may fail."""

    earliest: np.ndarray
    latest: np.ndarray
    null: np.ndarray
    unreadable: np.ndarray
    naive: np.ndarray
    """bool[n]: no offset in the cell and no zone named."""
    skipped: np.ndarray


def parse_times(column: pa.ChunkedArray | pa.Array, zone: str | None) -> Times:
    """Read timestamps, dates or ISO 8601 text as UTC seconds; `zone` is that of times that name none.

    Fractions of a second, years outside 1990 .. 2100 and day-first or month-first dates are unreadable: nothing is
    guessed.
    """
    import pyarrow as pa

    flat = one_array(column)
    null = flat.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_date(flat.type):
        flat = flat.cast(pa.timestamp("s"))
    if pa.types.is_timestamp(flat.type):
        return _from_timestamps(flat, null, zone)
    if pa.types.is_integer(flat.type) or pa.types.is_floating(flat.type):
        no = np.zeros(len(flat), dtype=bool)
        return Times(np.zeros(len(flat), np.int64), np.zeros(len(flat), np.int64), null, ~null, no, no)
    flat = as_text(flat)
    for kind in (pa.timestamp("us", "UTC"), pa.timestamp("us")):
        try:
            return _from_timestamps(flat.cast(kind), null, zone)
        except pa.ArrowInvalid:
            continue
    return _one_by_one(flat, zone)


def _from_timestamps(flat: pa.Array, null: np.ndarray, zone: str | None) -> Times:
    import pyarrow as pa
    import pyarrow.compute as pc

    no = np.zeros(len(flat), dtype=bool)
    try:
        whole, fraction = flat.cast(pa.timestamp("s", flat.type.tz)), no
    except pa.ArrowInvalid:  # some cell has a fraction of a second
        whole = flat.cast(pa.timestamp("s", flat.type.tz), safe=False)
        fraction = without_nulls(pc.not_equal(whole.cast(flat.type), flat), 0).astype(bool)
    seconds = without_nulls(whole.cast(pa.int64()), 0)
    wild = ~null & ((seconds < FIRST_S) | (seconds > LAST_S))
    if wild.any():
        fraction, seconds = fraction | wild, np.where(wild, 0, seconds)
    if flat.type.tz is not None:
        return Times(seconds, seconds, null, fraction, no, no)
    usable = ~(null | fraction)
    if zone is None:
        return Times(seconds, seconds, null, fraction, usable, no)
    local = local_to_utc(np.where(usable, seconds, FIRST_S), zone)
    return Times(local.earliest, local.latest, null, fraction, no, local.skipped & usable)


def _one_by_one(flat: pa.Array, zone: str | None) -> Times:
    """Cell by cell, for columns that mix forms or hold something unreadable."""
    import pyarrow as pa

    times = [_read_one(cell) for cell in flat.to_pylist()]
    null = np.array([isinstance(t, str) and not t for t in times], dtype=bool)
    unreadable = np.array([t is None for t in times], dtype=bool)
    aware = np.array([isinstance(t, datetime) and t.tzinfo is not None for t in times], dtype=bool)
    seconds = [_seconds(t) if isinstance(t, datetime) else 0 for t in times]
    naive = _from_timestamps(pa.array(seconds, pa.timestamp("s")), null | aware | unreadable, zone)
    as_is = np.array(seconds, dtype=np.int64)
    return Times(
        np.where(aware, as_is, naive.earliest),
        np.where(aware, as_is, naive.latest),
        null,
        unreadable,
        naive.naive,
        naive.skipped & ~aware,
    )


def _read_one(cell: str | None) -> datetime | str | None:
    """Return the moment, "" for an empty cell, None for an unreadable one."""
    text = (cell or "").strip()
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.microsecond or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return None
    return moment


def _seconds(moment: datetime) -> int:
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
