"""Periods of one device that have a time in common: their ends may be the days after the last, or energy is in both."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np

from gcr_fast.sources.certificates.held import Held
from gcr_fast.sources.certificates.periods import Span
from gcr_fast.sources.certificates.serials import canonical_each


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


def lines_that_overlap(held: Held) -> list[tuple[int, int]]:
    """Return (line, earlier begun line) of certificates without id or serial numbers whose periods overlap.

    They are of one device, whose energy may be in both: a year and one of its months, say.
    """
    rows = np.flatnonzero(~held.numbers("told"))
    if not len(rows):
        return []
    edges = np.array([one.period for one in held.meanings.placed], dtype=np.int64).reshape(-1, 2)
    device, lines = held.digests("device_id", canonical_each)[rows], held.numbers("line")[rows]
    begins, ends = edges[held.numbers("placed")[rows]].T
    order = np.lexsort((lines, -ends, begins, device))
    device, lines, begins, ends = device[order], lines[order], begins[order], ends[order]
    found, furthest = list[tuple[int, int]](), 0
    for at in range(1, len(order)):
        if device[at] != device[furthest]:
            furthest = at
        elif begins[at] < ends[furthest]:
            found.append((int(lines[at]), int(lines[furthest])))
        if ends[at] > ends[furthest]:
            furthest = at
    return found
