"""Periods of one device that have a day in common: their ends may be the days after the last."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np

from gcr_fast.sources.certificates.held import Held
from gcr_fast.sources.certificates.periods import Span


def lines_that_share(held: Held) -> list[int]:
    """Return the lines of periods, longer than a day, that end on the day on which another of their device begins.

    Of several that end on one day the first is named.
    """
    spans = [_longer(placed.days) for placed in held.meanings.placed]
    begins = {span.first for span in spans if span}
    both = begins & {span.last for span in spans if span}
    if not both:
        return []
    wanted = np.array([span is not None and not both.isdisjoint(span) for span in spans])
    codes = held.numbers("placed")
    rows = np.flatnonzero(wanted[codes])
    devices, lines = held.text("device_id", rows).to_pylist(), held.numbers("line")[rows].tolist()
    return _ending(zip(devices, [spans[code] for code in codes[rows]], lines, strict=True))


def _longer(days: Span | None) -> Span | None:
    return days if days is not None and days.first < days.last else None


def _ending(rows: Iterable[tuple[str | None, Span | None, int]]) -> list[int]:
    begins: set[tuple[str, date]] = set()
    ends: dict[tuple[str, date], int] = {}
    for device, span, line in rows:
        if device and span:
            begins.add((device, span.first))
            ends.setdefault((device, span.last), line)
    return [line for edge, line in ends.items() if edge in begins]
