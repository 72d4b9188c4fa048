"""Readings of a public file -> profiles on a regular grid: the same grid, gaps and faults as for every other file."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gcr_fast.exchange.reading import Source
from gcr_fast.findings import Findings
from gcr_fast.intervals import build
from gcr_fast.merging import joined
from gcr_fast.periods import zone_anchor
from gcr_fast.series import Series
from gcr_fast.shapes import Profile, Profiles
from gcr_fast.sources.model import Reading, Readings
from gcr_fast.units import UNITS

GENERATION = "generation"


@dataclass(frozen=True)
class _Lines(Source):
    """A file whose rows are known by their lines."""

    def line(self, row: int | None) -> int | None:
        return row


def profiles_of(readings: Readings, keep_intervals: bool = False) -> Profiles:
    """Return the generation of a file, by name. Gaps and repeated intervals are faults, as in `profiles`."""
    source, findings = source_of(readings), Findings()
    profiles = {
        name: profile_of(readings, some, keep_intervals, findings)
        for name, some in by_name(readings).items()
        if some[0].role == GENERATION
    }
    findings.extend(fault.finding for profile in profiles.values() for fault in profile.faults)
    return Profiles(profiles, findings, (source,))


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
    return _Lines(pa.table({}), file.name, "lines", file.path, digest=file.sha256)


def profile_of(readings: Readings, some: list[Reading], keep_intervals: bool, findings: Findings) -> Profile:
    """Lay the readings of one name on a grid; those of several lengths become hours and are joined."""
    keep = keep_intervals and len({one.interval_s for one in some}) == 1
    zone = some[0].zone or readings.zone
    anchored = zone if zone_anchor(zone, int(some[0].starts[0])) else None
    pieces = [build(series_of(one, readings), anchored, keep) for one in some]
    return replace(joined(pieces, findings), attribution=readings.attribution)


def series_of(one: Reading, readings: Readings) -> Series:
    """Return a reading as rows for the grid."""
    clear = np.zeros(len(one), dtype=bool)
    return Series(
        name=one.name,
        unit=UNITS["weight" if not one.is_energy else "w" if one.power else "wh"],
        label="begin",
        seconds=one.starts,
        values=one.values,
        null=one.null,
        unreadable=clear,
        rows=one.lines,
        column=one.column,
        source_type=one.source_type,
        device_id=one.device_id,
        source=source_of(readings),
        quality=one.quality,
        step_s=one.interval_s,
    )
