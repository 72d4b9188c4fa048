"""Production periods as lists write them -> UTC periods. Last days are inclusive there, ends are exclusive here."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from gcr_fast.periods import FIRST_YEAR, LAST_YEAR, Period, zone_named

Order = Literal["day", "month"]
"""Which of `03/04/2023` comes first; year-first dates and dates with dots tell by themselves."""

_MONTHS = (
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    (
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ),
)  # fmt: skip
_MONTH_OF = {word: number for words in _MONTHS for number, word in enumerate(words, start=1)} | {"sept": 9}
_SPLIT = re.compile(r"\s+(?:-|–|—|to|bis|through)\s+|\s*(?:–|—)\s*", re.IGNORECASE)
_YEARS = re.compile(r"^([0-9]{4})\s*[-–/]\s*([0-9]{4})$")
_NUMERIC = re.compile(r"^([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})$")
_YEAR_FIRST = re.compile(r"^([0-9]{4})([/.-])([0-9]{1,2})\2([0-9]{1,2})$")
_WORDED = re.compile(r"^([0-9]{1,2})[\s-]([A-Za-z]{3,9})[\s-]([0-9]{4})$")
_MONTH = re.compile(r"^([0-9]{1,2})[/.-]([0-9]{4})$")
_MONTH_YEAR_FIRST = re.compile(r"^([0-9]{4})[/.-]([0-9]{1,2})$")
_MONTH_WORD = re.compile(r"^([A-Za-z]{3,9})\.?[\s/-]*([0-9]{4})$")
_TIMED = re.compile(r"^(\S+(?:\s[A-Za-z]+\s[0-9]{4})?)[T ]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.0+)?)?$")


class Span(NamedTuple):
    """Whole local days, both inclusive."""

    first: date
    last: date

    def in_zone(self, zone: str) -> Period:
        """Return the UTC period from the beginning of the first day to the end of the last, in a zone."""
        period = Period(_midnight(self.first, zone), _midnight(self.last + timedelta(days=1), zone))
        if period.end_s <= period.start_s:
            raise PeriodError(f"is no time in {zone}")
        return period


def _midnight(day: date, zone: str) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone_named(zone)).timestamp())


class PeriodError(ValueError):
    """A text that is no period; the message says what was expected, and goes on from the cell."""

    def __init__(self, what: str, part: int | None = None) -> None:
        super().__init__(what)
        self.part = part
        """Which of the two texts of a period is meant, 0 or 1; None if it is both, or there is one."""


def read_period(
    text: str, order: Order, april_years: bool = False, *, months: bool = False, after: bool = False
) -> Span | Period:
    """Read a period that stands in one cell.

    Forms: `Mar-2023`, `2023-03`, `03/2023`, `2023`; two days or months with ` - ` or ` to ` between them, both
    inclusive; two instants with offsets. `2022 - 2023` is April to March where `april_years`, else it is refused.
    A lone day is that day; where `months`, it is the month that it is the first of. `after` is as in `between`.
    """
    cell = " ".join(text.split())
    years = _YEARS.match(cell)
    if years:
        return _april_year(int(years[1]), int(years[2]), april_years)
    parts = two_parts(cell)
    if len(parts) == 2:
        return _within(parts, order, after)
    day = lone_day(cell, order)
    if day is not None:
        return _month_from(day) if months else _checked(Span(day, day))
    whole = _whole(cell, order)
    if whole is None:
        raise PeriodError("is no period: expected a month (Mar-2023, 2023-03), a year, or two days with ` - ` between")
    return whole


def _within(parts: tuple[str, ...], order: Order, after: bool) -> Span | Period:
    """Read a period from both ends that one cell holds; what is wrong with one of them names it."""
    try:
        return between(parts[0], parts[1], order, after)
    except PeriodError as fault:
        named = "" if fault.part is None else f"has {parts[fault.part]!r}, which "
        raise PeriodError(f"{named}{fault}") from None


def two_parts(cell: str) -> tuple[str, ...]:
    """Return the two texts of a cell that holds both ends of a period; the cell alone if it does not."""
    return tuple(_SPLIT.split(" ".join(cell.split())))


def lone_day(text: str, order: Order) -> date | None:
    """Return the day that a cell holds, also with the midnight that spreadsheets add to it; None if it holds none."""
    timed = _TIMED.match(" ".join(text.split()))
    midnight = timed is not None and int(timed[2]) == int(timed[3]) == int(timed[4] or 0) == 0
    return read_day(timed[1] if timed and midnight else text, order)


def swapped(text: str) -> bool:
    """Whether a cell holds a day such as `03/04/2023`, of which nothing but the order tells the month."""
    match = _NUMERIC.match(" ".join(text.split()))
    return match is not None and match[2] != "."


def _month_from(day: date) -> Span:
    """Return the month that begins with a day, as spreadsheets write January as 01/01/2023."""
    if day.day != 1:
        raise PeriodError(f"is {day}, a day, but the column holds months: expected 2023-03, or the first of a month")
    last = _last_of(day.year, day.month)
    return _checked(Span(day, last or day))


def _april_year(first: int, last: int, known: bool) -> Span:
    if last != first + 1:
        raise PeriodError("names two years that do not follow each other")
    if not known:
        raise PeriodError("names two years: give its first and last day")
    return _checked(Span(date(first, 4, 1), date(last, 3, 31)))


def between(first: str, last: str, order: Order, after: bool = False) -> Span | Period:
    """Read a period from the texts of its beginning and its end. Days and months are inclusive.

    Where `after`, an end that is a day is the day after the last.
    """
    begin, end = _instant(first), _instant(last)
    if begin is not None and end is not None:
        return _ordered(Period(begin, end))
    start, stop = _edge(first, order, last=False), _edge(last, order, last=True)
    if start is None or stop is None:
        expected = f"{'31/03' if order == 'day' else '03/31'}/2023 or 2023-03-31"
        raise PeriodError(f"is no date: expected {expected}", 0 if start is None else 1)
    if after and read_day(last, order):
        stop -= timedelta(days=1)
    if stop < start:
        raise PeriodError(f"ends on {stop}, before it begins on {start}")
    return _checked(Span(start, stop))


def _ordered(period: Period) -> Period:
    if period.end_s <= period.start_s:
        raise PeriodError("ends before it begins")
    return period


def _checked(span: Span) -> Span:
    if not FIRST_YEAR <= span.first.year <= span.last.year < LAST_YEAR:
        raise PeriodError(f"is outside the years {FIRST_YEAR} to {LAST_YEAR}")
    if span.last < span.first:
        raise PeriodError(f"ends on {span.last}, before it begins on {span.first}")
    return span


def _whole(text: str, order: Order) -> Span | None:
    """Read a year, a month or a day as a span."""
    first, last = _edge(text, order, last=False), _edge(text, order, last=True)
    return _checked(Span(first, last)) if first and last else None


def _edge(text: str, order: Order, last: bool) -> date | None:
    """Return the first or last day that a year, a month, a day or a day with a time names; None if it names none."""
    cell = " ".join(text.split())
    if re.fullmatch(r"[0-9]{4}", cell):
        return _day(int(cell), 12, 31) if last else _day(int(cell), 1, 1)
    month = _month_of(cell)
    if month is not None:
        return _last_of(*month) if last else _day(*month, 1)
    timed = _TIMED.match(cell)
    if timed:
        return _timed_edge(timed, order, last)
    return read_day(cell, order)


def _timed_edge(timed: re.Match[str], order: Order, last: bool) -> date | None:
    """Return the day of a local time: 00:00 begins it; 23:59 or 24:00 ends it.

    An end at 00:00 is exclusive on the first of a month, and the last day itself on the last of one, as a date that
    a spreadsheet wrote with a time; in between it could be either, and is not read.
    """
    day = read_day(timed[1], order)
    clock = f"{int(timed[2]):02d}:{timed[3]}"
    if day is None or (not last and clock != "00:00"):
        return None
    if not last or clock in {"23:59", "24:00"}:
        return day
    if clock != "00:00":
        return None
    if day.day == 1:
        return day - timedelta(days=1)
    return day if (day + timedelta(days=1)).day == 1 else None


def _month_of(cell: str) -> tuple[int, int] | None:
    """Return (year, month)."""
    if match := _MONTH_WORD.match(cell):
        number = _MONTH_OF.get(match[1].lower())
        return (int(match[2]), number) if number else None
    if match := _MONTH.match(cell):
        return _sound(int(match[2]), int(match[1]))
    if match := _MONTH_YEAR_FIRST.match(cell):
        return _sound(int(match[1]), int(match[2]))
    return None


def _sound(year: int, month: int) -> tuple[int, int] | None:
    return (year, month) if 1 <= month <= 12 else None


def read_day(text: str, order: Order) -> date | None:
    """Read a day: `31/03/2023` in the given order, `31.03.2023`, `2023-03-31`, `31-Mar-2023`; None if it is none."""
    cell = " ".join(text.split())
    if match := _YEAR_FIRST.match(cell):
        return _day(int(match[1]), int(match[3]), int(match[4]))
    if match := _WORDED.match(cell):
        month = _MONTH_OF.get(match[2].lower())
        return _day(int(match[3]), month, int(match[1])) if month else None
    match = _NUMERIC.match(cell)
    if match is None:
        return None
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    day_first = order == "day" or match[2] == "."
    return _day(year, second, first) if day_first else _day(year, first, second)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _last_of(year: int, month: int) -> date | None:
    following = _day(year + month // 12, month % 12 + 1, 1)
    return following - timedelta(days=1) if following else None


def _instant(text: str) -> int | None:
    """Return the UTC second of an ISO time with an offset; None if it has none."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None or moment.microsecond or not FIRST_YEAR <= moment.year < LAST_YEAR:
        return None
    return int(moment.timestamp())


def is_year(text: str) -> bool:
    """Whether a cell is a year alone."""
    return re.fullmatch(r"[0-9]{4}", text.strip()) is not None


def calendar_span(year: str, month: str) -> Span:
    """Read a period from a year and a month (a number or a word; empty: the whole year) in two cells."""
    alone = _whole(year, "day")
    if alone is None or (month and not is_year(year)):
        raise PeriodError("is no year: expected 2023", 0)
    found = _whole(f"{month}-{year}", "day") if month else alone
    if found is None:
        raise PeriodError("is no month: expected 3, 03, Mar or March", 1)
    return found
