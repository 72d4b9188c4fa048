"""What is told of an import: gaps, repeated intervals, rows out of order, energy below zero, what was filled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

import numpy as np

from gcr_fast.codes import ESTIMATED
from gcr_fast.findings import Finding
from gcr_fast.grid.merging import ABSENT
from gcr_fast.grid.metered import GENERATION
from gcr_fast.grid.shapes import Fault, Profile, negative_clipped
from gcr_fast.imports.accounts import SeriesAccount

TOLD = 2
"""A filled interval of which was told."""


def findings_of(series: Mapping[str, SeriesAccount], profiles: Mapping[str, Profile]) -> Iterator[Finding]:
    """Yield what was found of all series."""
    for one in series.values():
        yield from _told(one, profiles[one.name])
    yield from _negatives(series, profiles)


def _told(one: SeriesAccount, profile: Profile) -> Iterator[Finding]:
    """Yield what was found of a series, the gaps of its files and those that no file is about among it."""
    filled = np.zeros(0, np.int8) if profile.quality is None else (profile.quality == ESTIMATED).astype(np.int8)
    for fault in profile.faults:
        if fault.finding.code in ABSENT:
            yield from _if_filled(fault.finding, filled, fault.first, fault.last + 1)
        elif not _clips(fault):
            yield fault.finding
    for finding, first, stop in _absences(one, profile):
        yield from _if_filled(finding, filled, first, stop)


def _if_filled(gap: Finding, filled: np.ndarray, first: int, stop: int) -> Iterator[Finding]:
    """Yield what is said of a gap in these intervals; where all of them are filled, nothing has to be mended.

    `filled` int8[n] are 1 where an interval was filled, and become `TOLD`: an hour that two gaps share is counted once.
    """
    part = filled[max(first, 0) : stop]
    whole = len(part) == stop - first > 0 and bool(part.all())
    if not whole:
        yield gap
    count = int((part == 1).sum())
    if count:
        said = "filled" if whole else f"{count} filled"
        part[part == 1] = TOLD
        yield replace(gap, code="filled_interval", message=f"{gap.message}: {said}, marked as estimated", count=count)


def _clips(fault: Fault) -> bool:
    return fault.finding.code == "negative_clipped"


def _negatives(series: Mapping[str, SeriesAccount], profiles: Mapping[str, Profile]) -> Iterator[Finding]:
    """Yield what generation has below zero, over all its files: nothing is issued for it.

    Whatever else is below zero goes the other way, into storage or over a border: that is what it says.
    """
    for name, one in series.items():
        if one.role == GENERATION and one.negative:
            file = profiles[name].file or None
            yield negative_clipped(name, one.negative, -one.negative_wh, one.is_energy, file=file)


def _absences(one: SeriesAccount, profile: Profile) -> Iterator[tuple[Finding, int, int]]:
    """Yield a finding for each run of intervals that no file is about, and the positions where it begins and ends."""
    for absent in one.absent:
        what, span = f"{one.name}: {absent}", f"{absent.start} .. {absent.end}"
        begin, end = (int(datetime.fromisoformat(text).timestamp()) for text in (absent.start, absent.end))
        first, stop = ((second - profile.start_s) // profile.step_s for second in (begin, end))
        yield Finding("missing_interval", what, value=span, profile=one.name, count=absent.intervals), first, stop
