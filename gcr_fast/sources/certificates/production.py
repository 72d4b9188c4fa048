"""When a row's certificates were produced: its cells -> days -> UTC, and what all rows of a list say of it together."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from gcr_fast.periods import Period, zone_named
from gcr_fast.sources.certificates.edges import UNSURE, Texts, Told, judge
from gcr_fast.sources.certificates.periods import PeriodError, Span, between, calendar_span, read_period
from gcr_fast.sources.certificates.places import agreed_zone, candidates
from gcr_fast.sources.certificates.serials import Range
from gcr_fast.sources.certificates.sheet import Line, Sheet

Fault = Callable[[Line, str, str, str], None]
"""Takes what is wrong with a cell: its row, the finding's code, the field, and what goes on from the cell."""

_MONTHLY = re.compile(r"month|vintage|monat|\bmois\b|\bmes\b|\bmese\b|\bmaand\b", re.IGNORECASE)
"""Names of columns whose every period is a month (or a year), never a day."""


class Production:
    """Reads the periods of one sheet, remembering what cells that repeat mean."""

    def __init__(self, sheet: Sheet, zone: str | None, told: Told, fault: Fault) -> None:
        self.sheet = sheet
        self.layout = sheet.layout
        self.zone = zone
        self.told = told
        self._fault = fault
        self._months = bool(_MONTHLY.search(sheet.header.named("period")))
        self._spans: dict[Texts, Span | Period | str] = {}
        self._begins: set[tuple[str, date]] = set()
        self._ends: dict[tuple[str, date], int] = {}
        self._zones: dict[tuple[str, str | None, Span], tuple[str, Period] | str] = {}
        if zone is not None:
            zone_named(zone)

    def period(self, line: Line, country: str | None, serials: Range | None) -> tuple[str, Period | None]:
        """Return the zone and the UTC period of production."""
        column, found = self._span(line)
        if serials is not None and self.layout.dated and isinstance(found, Span):
            self._compare(line, column, found, serials, self.layout.dated(serials.first.suffix))
        if isinstance(found, str):
            code = "ambiguous_period" if found in UNSURE else "null_value" if found == "is empty" else "bad_period"
            self._fault(line, code, column, found)
            return "UTC", None
        named = self.zone or line.text("zone") or self.layout.zone
        if isinstance(found, Period):
            return named or "UTC", self._whole_hours(line, column, found)
        key = (named or "", country, found)
        if key not in self._zones:
            self._zones[key] = _place(found, named, country)
        placed = self._zones[key]
        if isinstance(placed, str):
            self._fault(line, "naive_time" if placed.startswith("names no") else "bad_period", column, placed)
            return "UTC", None
        return placed

    def _compare(self, line: Line, column: str, found: Span, serials: Range, dated: Span | None) -> None:
        """Report a period that is not the one within the certificate's number."""
        if found != dated:
            days = f"{dated.first} to {dated.last}" if dated else "no days at all"
            what = f"is {found.first} to {found.last}, but the number {serials.first.text} says {days}"
            self._fault(line, "period_mismatch", column, what)

    def _whole_hours(self, line: Line, column: str, period: Period) -> Period | None:
        if (period.end_s - period.start_s) % 3600:
            self._fault(line, "bad_period", column, "is no whole number of hours")
            return None
        return period

    def _span(self, line: Line) -> tuple[str, Span | Period | str]:
        """Return the column to name, and the days of production or what is wrong with them."""
        texts: Texts
        if line.has("period"):
            column, texts = "period", (line.text("period"),)
        elif line.has("start") or line.has("end"):
            column, texts = "end", (line.text("start"), line.text("end"))
        else:
            column, texts = "year", (line.text("year"), line.text("month"), "calendar")
        if texts not in self._spans:
            self._spans[texts] = self._days(texts)
        return column, self._spans[texts]

    def _days(self, texts: tuple[str, ...]) -> Span | Period | str:
        if not texts[0] or (len(texts) == 2 and not texts[1]):
            return "is empty"
        if texts in self.told.unsure:
            return self.told.unsure[texts]
        order, april, after = self.layout.order, self.layout.april_years, self.told.after
        try:
            if len(texts) == 1:
                return read_period(texts[0], order, april, months=self._months, after=after)
            if len(texts) == 2:
                return between(texts[0], texts[1], order, after)
            return calendar_span(texts[0], texts[1])
        except PeriodError as fault:
            return str(fault)

    def note(self) -> None:
        """Say whether ends of production were taken for the day after the last, or may have to be."""
        if self.told.after:
            what = (
                f"{self.sheet.file.path.name}: all periods go from the first of a month to the first of another: "
                "the end was read as the day after the last"
            )
            self.sheet.findings.add("exclusive_end", what, file=self.sheet.file.name)
        self._note_shared()

    def remember(self, line: Line, device: str | None) -> None:
        """Remember on which days a device's periods begin and end, if they are longer than a day."""
        span = self._span(line)[1]
        if device and isinstance(span, Span) and span.first < span.last:
            self._begins.add((device, span.first))
            self._ends.setdefault((device, span.last), line.number)

    def _note_shared(self) -> None:
        """Say which periods have a day in common with the next one of their device: their ends may be exclusive."""
        lines = [line for edge, line in self._ends.items() if edge in self._begins]
        if lines:
            what = (
                f"{self.sheet.file.path.name}: {len(lines)} periods end on the day on which another of their device "
                "begins, which is in both: are the ends the day after the last?"
            )
            where = {"file": self.sheet.file.name, "line": lines[0], "count": len(lines)}
            self.sheet.findings.add("reading_note", what, **where)

    def judged(self) -> Told:
        """Return what all dates together tell of each; numbers that hold their period tell it of their row."""
        if self.layout.dated:
            return Told()
        return judge((texts for texts in self._spans if len(texts) < 3), self.layout.order, self._months)


def _place(days: Span, named: str | None, country: str | None) -> tuple[str, Period] | str:
    """Return the zone and UTC period of local days, or why there is none."""
    zones = (named,) if named else candidates(country or "")
    try:
        periods = {zone: days.in_zone(zone) for zone in zones}
    except ValueError as fault:
        return str(fault)
    zone = agreed_zone(periods) if periods else None
    if zone is not None:
        return zone, periods[zone]
    why = f"{country} has several time zones" if zones else "its country is not given"
    return f"names no time zone, and {why}"
