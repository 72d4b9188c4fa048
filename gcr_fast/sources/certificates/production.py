"""When certificates were produced: cells of a row -> days -> UTC, and what all rows of a list say of it together."""

from __future__ import annotations

import re
from typing import NamedTuple

from gcr_fast.periods import Period, zone_named
from gcr_fast.sources.certificates.edges import UNSURE, Texts, Told, judge
from gcr_fast.sources.certificates.periods import PeriodError, Span, between, calendar_span, is_year, read_period
from gcr_fast.sources.certificates.places import agreed_zone, candidates
from gcr_fast.sources.certificates.serials import Serial
from gcr_fast.sources.certificates.sheet import Sheet

_MONTHLY = re.compile(r"month|vintage|monat|\bmois\b|\bmes\b|\bmese\b|\bmaand\b", re.IGNORECASE)
"""Names of columns whose every period is a month (or a year), never a day."""


class Placed(NamedTuple):
    """A production period in UTC."""

    zone: str
    period: Period
    days: Span | None
    """The local days that it is; None where the list gives instants."""


class Wrong(NamedTuple):
    """Why there is no period."""

    what: str
    """Goes on from the cell."""
    field: str
    """The field whose cell it is."""


class Production:
    """Reads the periods of one sheet, remembering what cells that repeat mean."""

    def __init__(self, sheet: Sheet, zone: str | None, told: Told) -> None:
        self.sheet = sheet
        self.layout = sheet.layout
        self.zone = zone
        self.told = told
        self.column, self.names = _columns(sheet)
        """The field to name where a period is wrong, and the fields that it is read from."""
        self._months = bool(_MONTHLY.search(sheet.header.named("period")))
        self._spans: dict[Texts, Span | Period | Wrong] = {}
        self._places: dict[tuple[str, str | None, Span], Placed | Wrong] = {}
        if zone is not None:
            zone_named(zone)

    def span(self, texts: Texts) -> Span | Period | Wrong:
        """Return what the cells of `names` say: local days, instants, or what is wrong with them."""
        if texts not in self._spans:
            self._spans[texts] = self._days(texts)
        return self._spans[texts]

    def place(self, found: Span | Period | Wrong, zone: str, country: str | None) -> Placed | Wrong:
        """Return the UTC period of what `span` has found, or why there is none; `zone` is what the row says of it."""
        named = self.zone or zone or self.layout.zone
        if isinstance(found, Wrong):
            return found
        if isinstance(found, Period):
            whole = (found.end_s - found.start_s) % 3600 == 0
            return Placed(named or "UTC", found, None) if whole else self._wrong("is no whole number of hours")
        key = (named or "", country, found)
        if key not in self._places:
            placed = _place(found, named, country)
            self._places[key] = self._wrong(placed) if isinstance(placed, str) else placed
        return self._places[key]

    def mismatch(self, found: Span | Period | Wrong, first: Serial) -> str:
        """Say that a period is not the one within the certificate's number; empty if it is, or there is none."""
        if self.layout.dated is None or not isinstance(found, Span):
            return ""
        dated = self.layout.dated(first.suffix)
        if found == dated:
            return ""
        days = f"{dated.first} to {dated.last}" if dated else "no days at all"
        return f"is {found.first} to {found.last}, but the number {first.text} says {days}"

    def _days(self, texts: Texts) -> Span | Period | Wrong:
        named = zip(self.names, texts, strict=True)
        empty = next((name for name, text in named if not text and self._needs(name, texts)), "")
        if empty:
            return Wrong("is empty", empty)
        if self._dates(texts) in self.told.unsure:
            return self._wrong(self.told.unsure[self._dates(texts)])
        try:
            return self._read(texts)
        except PeriodError as fault:
            return Wrong(str(fault), self.column if fault.part is None else self.names[fault.part])

    def _needs(self, name: str, texts: Texts) -> bool:
        """Whether a field may not be empty: without a month only a list that has no months means whole years."""
        return name != "month" or (name in self.sheet.header.columns and self._in_two(texts))

    def _in_two(self, texts: Texts) -> bool:
        """Whether a year and a month stand in two cells; the one beside a whole period is not looked at."""
        return self.column == "year" or (len(texts) == 2 and self.column == "period" and is_year(texts[0]))

    def _dates(self, texts: Texts) -> Texts:
        return texts[:1] if self.column == "period" else texts

    def _read(self, texts: Texts) -> Span | Period:
        order, after = self.layout.order, self.told.after
        if self._in_two(texts):
            return calendar_span(texts[0], texts[1])
        if self.column == "period":
            return read_period(texts[0], order, self.layout.april_years, months=self._months, after=after)
        return between(texts[0], texts[1], order, after)

    def _wrong(self, what: str) -> Wrong:
        return Wrong(what, self.column)

    def note(self) -> None:
        """Say whether ends of production were taken for the day after the last."""
        if self.told.after:
            what = (
                f"{self.sheet.file.path.name}: all periods go from the first of a month to the first of another: "
                "the end was read as the day after the last"
            )
            self.sheet.findings.add("exclusive_end", what, file=self.sheet.file.name)

    def judged(self) -> Told:
        """Return what all dates together tell of each; numbers that hold their period tell it of their row."""
        if self.layout.dated or self.column == "year":
            return Told()
        return judge(dict.fromkeys(map(self._dates, self._spans)), self.layout.order, self._months)


def code_of(fault: str, placed: bool) -> str:
    """Return the finding's code of what is wrong with a period: with its cells, or with where it is."""
    if placed:
        return "naive_time" if fault.startswith("names no") else "bad_period"
    return "ambiguous_period" if fault in UNSURE else "null_value" if fault == "is empty" else "bad_period"


def _columns(sheet: Sheet) -> tuple[str, tuple[str, ...]]:
    columns = sheet.header.columns
    if "period" in columns:
        return "period", ("period", "month") if "month" in columns else ("period",)
    if columns.keys() & {"start", "end"}:
        return "end", ("start", "end")
    return "year", ("year", "month")


def _place(days: Span, named: str | None, country: str | None) -> Placed | str:
    """Return the UTC period of local days, or why there is none."""
    zones = (named,) if named else candidates(country or "")
    try:
        periods = {zone: days.in_zone(zone) for zone in zones}
    except ValueError as fault:
        return str(fault)
    zone = agreed_zone(periods) if periods else None
    if zone is not None:
        return Placed(zone, periods[zone], days)
    why = f"{country} has several time zones" if zones else "its country is not given"
    return f"names no time zone, and {why}"
