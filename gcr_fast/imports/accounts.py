"""What an import found, in figures: intervals, gaps, negative hours, clock-change days, energy by calendar year."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from gcr_fast.codes import ESTIMATED, IMPUTED
from gcr_fast.columns import exact_sum, exact_sums, some
from gcr_fast.flags import counted, taken
from gcr_fast.grid.shapes import Profile
from gcr_fast.imports.coverage import Absent, ends
from gcr_fast.periods import DAY_S, local_year, transitions, utc_text, year_period
from gcr_fast.sources.model import Reading, Readings


@dataclass(frozen=True)
class FileAccount:
    """One file: every row is in a series, or dropped for a reason; every column is a series, or left out for one."""

    file: str
    sha256: str
    format: str
    zone: str
    rows: int
    dropped: dict[str, int]
    left_out: dict[str, str]
    notes: dict[str, str]
    """What was assumed of rows or units that are kept."""
    attribution: str

    @classmethod
    def of(cls, readings: Readings) -> FileAccount:
        """Return the account of one file."""
        return cls(
            file=readings.file.name,
            sha256=readings.file.sha256,
            format=readings.format,
            zone=readings.zone,
            rows=readings.rows,
            dropped=dict(readings.dropped),
            left_out=dict(readings.left_out),
            notes=dict(readings.notes),
            attribution=readings.attribution,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class YearAccount:
    """One calendar year of a series, in the file's zone."""

    year: int
    expected: int
    """Intervals of the whole year: 8,760 or 8,784 hours."""
    found: int
    energy_wh: int
    """With the source's sign."""


@dataclass(frozen=True)
class ClockChange:
    """A day on which the clock was changed, and whether all its intervals are there."""

    day: str
    length_s: int
    """How long the day is: 23 or 25 hours, or 23.5 or 24.5 where the clock is changed by half an hour."""
    expected: int
    """Intervals of the grid that begin on that day."""
    found: int


@dataclass(frozen=True)
class Repeat:
    """Intervals that two files have, with one value."""

    file: str
    other: str
    """The file from which they were taken."""
    intervals: int


@dataclass(frozen=True)
class SeriesAccount:
    """One series over all files."""

    name: str
    area: str
    kind: str
    role: str
    source_type: str | None
    device_id: str | None
    start: str
    end: str
    interval_s: int
    read_interval_s: int
    """Of the intervals in the files, which findings count; shorter than `interval_s` where they were summed."""
    expected: int
    """Those of the files, those between files less than a year apart, and `absent` ones."""
    found: int
    missing: int
    absent: tuple[Absent, ...]
    """Those of the missing that no file is about: between files, or in a year of which most is there."""
    duplicate: int
    """Intervals that come twice with different values: which is right is for the source to say."""
    repeated: tuple[Repeat, ...]
    """Intervals that came from two files, and were taken once."""
    imputed: int
    estimated: int
    flags: dict[str, int]
    """Intervals by what the source says of them in its own words; those of which it says nothing are in none."""
    negative: int
    negative_wh: int
    energy_wh: int
    """With the source's sign."""
    is_energy: bool
    """Else all figures are weights: a shape without a unit."""
    years: tuple[YearAccount, ...]
    clock_changes: tuple[ClockChange, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, for JSON."""
        return asdict(self)


class Laid(NamedTuple):
    """What is known of a series, beside its values, once it is laid on its grid."""

    kind: str
    area: str
    role: str
    read_interval_s: int
    """Length of the intervals in the files."""
    zone: str
    """Of its calendar years and clock changes."""
    covered: np.ndarray
    """bool[n]: see `coverage.covered`."""
    unsupplied: tuple[Absent, ...] = ()
    """What of it no file is about."""

    @classmethod
    def of(cls, one: Reading, zone: str, covered: np.ndarray, unsupplied: Iterable[Absent] = ()) -> Laid:
        """Return what a file says of a series."""
        return cls(one.kind, one.area, one.role, one.interval_s, zone, covered, tuple(unsupplied))


@dataclass(frozen=True)
class _Calendar:
    """What all series with the same intervals have alike."""

    start: str
    end: str
    covered: int
    missing: int
    uncovered: int
    """How many of the missing no file is about."""
    beyond: tuple[Absent, ...]
    years: tuple[tuple[YearAccount, int, int], ...]
    """Each year without its energy, and the positions where it begins and ends."""
    clock_changes: tuple[ClockChange, ...]


class Calendars:
    """Calendars by intervals: most files have many series that lie alike, and what is found of one holds for all."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], tuple[_Calendar, np.ndarray]] = {}

    def of(self, profile: Profile, covered: np.ndarray, zone: str) -> _Calendar:
        """Return the calendar of a series; `covered` bool[n] as in `account`."""
        missing = profile.missing.tobytes() if some(profile.missing) else b""
        key = (profile.start_s, profile.step_s, len(covered), zone, missing, id(covered))
        if key not in self._known:
            self._known[key] = _calendar(profile, covered, zone), covered  # which keeps its identity as it is kept
        return self._known[key][0]


def _calendar(profile: Profile, covered: np.ndarray, zone: str) -> _Calendar:
    return _Calendar(
        start=utc_text(profile.start_s),
        end=utc_text(profile.end_s),
        covered=_count(covered),
        missing=_count(profile.missing),
        uncovered=_count(profile.missing & ~covered),
        beyond=tuple(ends(profile, covered, zone)),
        years=tuple(_years(profile, zone)),
        clock_changes=tuple(_clock_changes(profile, covered, zone)),
    )


def account(one: Laid, profile: Profile, calendars: Calendars | None = None) -> SeriesAccount:
    """Count a series; `calendars` are those of the series before it."""
    lies, clipped = (calendars or Calendars()).of(profile, one.covered, one.zone), profile.has_clipped
    years = tuple(_with_energy(profile, lies))
    outside = sum(absent.intervals for absent in lies.beyond)
    return SeriesAccount(
        name=profile.name,
        area=one.area,
        kind=one.kind,
        role=one.role,
        source_type=profile.source_type,
        device_id=profile.device_id,
        start=lies.start,
        end=lies.end,
        interval_s=profile.step_s,
        read_interval_s=one.read_interval_s,
        expected=lies.covered + outside,
        found=len(profile.missing) - lies.missing,
        missing=lies.missing - lies.uncovered + outside,
        absent=(*one.unsupplied, *lies.beyond),
        duplicate=sum(fault.finding.code == "duplicate_interval" for fault in profile.faults),
        repeated=tuple(_repeats(profile)),
        imputed=_marked(profile, IMPUTED),
        estimated=_marked(profile, ESTIMATED),
        flags={} if profile.flags is None else counted(taken(profile.flags, one.covered)),
        negative=_count(profile.clipped) if clipped else 0,
        negative_wh=-exact_sum(profile.clipped) if clipped else 0,
        energy_wh=sum(year.energy_wh for year in years),
        is_energy=profile.is_energy,
        years=years,
        clock_changes=lies.clock_changes,
    )


def _repeats(profile: Profile) -> Iterator[Repeat]:
    for finding in (fault.finding for fault in profile.faults):
        if finding.code == "repeated_interval":
            yield Repeat(finding.file or "", finding.value or "", finding.count)


def _count(mask: np.ndarray) -> int:
    return int(np.count_nonzero(mask))


def _marked(profile: Profile, quality: int) -> int:
    return 0 if profile.quality is None else _count((profile.quality == quality) & ~profile.missing)


def _span(profile: Profile, start_s: int, end_s: int) -> tuple[int, int]:
    """Return the positions of the intervals that begin in [start_s, end_s)."""
    first, last = max(_ordinal(profile, start_s), 0), max(_ordinal(profile, end_s), 0)
    return first, min(last, len(profile.values))


def _ordinal(profile: Profile, second: int) -> int:
    """Return the position, which may lie outside of the grid, of the first interval that begins not before a second."""
    return -((profile.start_s - second) // profile.step_s)


def _years(profile: Profile, zone: str) -> Iterator[tuple[YearAccount, int, int]]:
    last = local_year(profile.end_s - 1, zone)
    for year in range(local_year(profile.start_s, zone), last + 1):
        period = year_period(year, zone)
        low, high = _span(profile, *period)
        there = high - low - _count(profile.missing[low:high])
        yield YearAccount(year, period.intervals(profile.step_s), there, 0), low, high


def _with_energy(profile: Profile, lies: _Calendar) -> Iterator[YearAccount]:
    """Yield the years of which something is there."""
    bits = None if profile.has_clipped else profile.bits
    sums = exact_sums(profile.signed, [lies.years[0][1], *(high for _, _, high in lies.years)], bits)
    for (year, _, _), energy_wh in zip(lies.years, sums, strict=True):
        if year.found > 0:
            yield YearAccount(year.year, year.expected, year.found, energy_wh)


def _clock_changes(profile: Profile, covered: np.ndarray, zone: str) -> list[ClockChange]:
    changes = transitions(zone, profile.start_s, profile.end_s)
    found = []
    for at, before, after in zip(changes.utc[1:], changes.offsets[:-1], changes.offsets[1:], strict=True):
        midnight = (int(at) + int(before)) // DAY_S * DAY_S
        begin, end = midnight - int(before), midnight + DAY_S - int(after)
        low, high = _span(profile, begin, end)
        expected = _ordinal(profile, end) - _ordinal(profile, begin)
        if not covered[low:high].any():
            continue
        text = str(np.datetime64(midnight, "s").astype("datetime64[D]"))
        found.append(ClockChange(text, end - begin, expected, _count(~profile.missing[low:high])))
    return found
