"""What the dates of a list's periods mean, told by all of them together: last days, days after the last, or months."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from gcr_fast.sources.certificates.periods import Order, lone_day, read_day, swapped, two_parts

AFTER_OR_LAST = "ends on the first of a month, which may be in the period or after it: give its last day"
DAY_OR_MONTH = "is the first of a month, and may stand for the day or for the month: give it as 2023-03, or both days"
DAY_OR_MONTH_FIRST = "may be day first or month first, as no date of the list tells: write it as 2023-03-31"
UNSURE = frozenset({AFTER_OR_LAST, DAY_OR_MONTH, DAY_OR_MONTH_FIRST})
"""Why a period that can be read in two ways is refused; each goes on from the cell."""

Texts = tuple[str, ...]
"""A period as it is written: one cell, or the two cells of its first and last day."""


@dataclass(frozen=True)
class Told:
    """What all dates of a list tell of each."""

    after: bool = False
    """Whether ends are the day after the last."""
    unsure: Mapping[Texts, str] = field(default_factory=dict)
    """Why periods are refused that can be read in two ways."""


def judge(periods: Iterable[Texts], order: Order, months: bool = False) -> Told:
    """Return what the periods of a list tell; `months` if its column's name says that lone days are months.

    Where every period goes from the first of a month to the first of another, ends are exclusive. Where only some
    end so they are refused, as are lone firsts of months where no other day shows that days are meant.
    """
    plain = {texts: days for texts in periods if (days := _days(texts, order, months)) is not None}
    if mixed := _either_order(plain):
        return Told(unsure=dict.fromkeys(mixed, DAY_OR_MONTH_FIRST))
    suspect = {texts for texts, (_, last) in plain.items() if last.day == 1}
    lone = {texts for texts in suspect if plain[texts][0] == plain[texts][1]}
    if suspect and len(suspect) < len(plain):
        return Told(unsure=dict.fromkeys(suspect - lone, AFTER_OR_LAST))
    if lone or any(plain[texts][0].day != 1 for texts in suspect):
        return Told(unsure={texts: DAY_OR_MONTH if texts in lone else AFTER_OR_LAST for texts in suspect})
    return Told(after=bool(suspect))


def _cells(texts: Texts) -> Texts:
    return two_parts(texts[0]) if len(texts) == 1 else texts


def _days(texts: Texts, order: Order, months: bool) -> tuple[date, date] | None:
    """Return the two days of a period that is written as days; None for any other, and for one that is none."""
    cells = _cells(texts)
    if len(cells) > 2 or (len(cells) == 1 and months):
        return None
    first, last = lone_day(cells[0], order), (read_day if len(cells) == 2 else lone_day)(cells[-1], order)
    return (first, last) if first and last and first <= last else None


def _either_order(plain: Mapping[Texts, tuple[date, date]]) -> list[Texts]:
    """Return the periods whose days and months can be exchanged, if all are days of January then, or firsts."""
    found = [texts for texts in plain if all(map(swapped, _cells(texts)))]
    days = [day for texts in found for day in plain[texts]]
    within = all(day.month == 1 and day.day <= 12 for day in days)
    return found if within and any(day.day > 1 for day in days) else []
