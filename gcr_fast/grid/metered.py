"""Readings of a public file -> profiles on a regular grid: the same grid, gaps and faults as for every other file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gcr_fast.columns import alike
from gcr_fast.exchange.reading import Source
from gcr_fast.findings import Finding, Findings
from gcr_fast.grid.intervals import build, is_hourly
from gcr_fast.grid.merging import joined
from gcr_fast.grid.series import Rows, Series
from gcr_fast.grid.shapes import Profile, Profiles
from gcr_fast.periods import zone_anchor
from gcr_fast.sources.files import File
from gcr_fast.sources.model import WEIGHT_DIGITS, Reading, Readings
from gcr_fast.units import UNITS

GENERATION = "generation"
WEIGHT = UNITS["weight"]._replace(digits=WEIGHT_DIGITS)


@dataclass(frozen=True)
class _Lines(Source):
    """A file whose rows are known by their lines alone: its tables begin where its format says."""

    file: File | None = None

    def line(self, row: int | None) -> int | None:
        return row

    def place(self, row: int | None) -> dict[str, Any]:
        return {"file": self.name or None, "row": None, "line": row}

    @property
    def sha256(self) -> str:
        """Of the file's bytes, taken when it was read."""
        return self.file.sha256 if self.file else ""


def profiles_of(readings: Readings, keep_intervals: bool = False) -> Profiles:
    """Return the generation of a file, by name. Gaps and repeated intervals are faults, as in `profiles`."""
    shared, findings, profiles = Shared(source_of(readings)), Findings(), dict[str, Profile]()
    for name, some in by_name(readings).items():
        role, rows = some[0].role, sum(map(len, some))
        if role == GENERATION:
            profiles[name] = profile_of(readings, some, keep_intervals, findings, shared)
        else:
            what = f"{name} is {role}, which is never converted"
            findings.add("not_generation", what, file=readings.file.name, profile=name, value=role, count=rows)
    findings.extend(fault.finding for profile in profiles.values() for fault in profile.faults)
    findings.extend(told_of(readings))
    return Profiles(profiles, findings, (shared.source,))


def told_of(readings: Readings) -> Iterator[Finding]:
    """Yield what the reading of a file has assumed, dropped and left out: a conversion must not keep it to itself."""
    name = readings.file.name
    short = readings.file.path.name
    for what, said in readings.notes.items():
        yield Finding("reading_note", f"{short}: {what} {said}", file=name)
    for reason, count in readings.dropped.items():
        yield Finding("rows_dropped", f"{short}: {count:,} dropped: {reason}", file=name, count=count)
    reasons: dict[str, list[str]] = {}
    for what, reason in readings.left_out.items():
        reasons.setdefault(reason, []).append(what)
    for reason, names in reasons.items():
        what = f"{short}: {', '.join(names)}: {reason}"
        yield Finding("series_left_out", what, file=name, count=len(names))


def rows_of(readings: Readings) -> Iterator[Series]:
    """Yield all readings of a file as rows for a grid."""
    shared = Shared(source_of(readings))
    return (series_of(one, shared) for one in readings.series)


def by_name(readings: Readings) -> dict[str, list[Reading]]:
    """Return the readings of each name: several where a file changes the length of its intervals."""
    found: dict[str, list[Reading]] = {}
    for one in readings.series:
        found.setdefault(one.name, []).append(one)
    return found


def source_of(readings: Readings) -> Source:
    """Return where the readings came from; the table is empty, as no grid is a table of the file."""
    import pyarrow as pa

    file = readings.file
    return _Lines(pa.table({}), file.name, "lines", file.path, file=file)


@dataclass
class Shared:
    """What series of one file have in common, found out once."""

    source: Source
    hourly: dict[int, tuple[bool, np.ndarray]] = field(default_factory=dict)
    """Whether an array of times is hourly, by its identity, and the array, which keeps its identity as it is kept."""

    def is_hourly(self, one: Reading) -> bool:
        """Whether each interval of a reading begins an hour after the one before."""
        if id(one.starts) not in self.hourly:
            self.hourly[id(one.starts)] = is_hourly(one.starts), one.starts
        return self.hourly[id(one.starts)][0]


def profile_of(
    readings: Readings,
    some: list[Reading],
    keep_intervals: bool,
    findings: Findings,
    shared: Shared,
    rows: Rows | None = None,
) -> Profile:
    """Lay the readings of one name on a grid; those of several lengths become hours and are joined.

    `rows` are where the profile's values can be read once more.
    """
    keep = keep_intervals and len({one.interval_s for one in some}) == 1
    zone = some[0].zone or readings.zone
    anchored = zone if zone_anchor(zone, int(some[0].starts[0])) else None
    told = readings.attribution
    if len(some) == 1:
        return build(series_of(some[0], shared, told, rows), anchored, keep)
    laid = [build(series_of(one, shared, told, _only(series_of(one, shared))), anchored, keep) for one in some]
    return replace(joined(laid, findings), rows=rows)


def _only(series: Series) -> Rows:
    return Rows(lambda: [series])


def series_of(one: Reading, shared: Shared, attribution: str = "", again: Rows | None = None) -> Series:
    """Return a reading as rows for the grid; where to read them `again`."""
    return Series(
        name=one.name,
        unit=UNITS["w" if one.power else "wh"] if one.is_energy else WEIGHT,
        label="begin",
        seconds=one.starts,
        values=one.values,
        null=one.null,
        unreadable=alike(False, len(one)),  # a file with an unreadable cell is refused
        rows=one.lines,
        column=one.column,
        source_type=one.source_type,
        device_id=one.device_id,
        source=shared.source,
        quality=one.quality,
        flags=one.flags,
        step_s=one.interval_s,
        span=one.span,
        hourly=shared.is_hourly(one),
        attribution=attribution,
        again=again,
    )
