"""ERCOT, fuel mix of the dashboard (fuel-mix.json): MW at moments some five minutes apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from gcr_fast.sources.cells import MEGA, Numbers, numbers, report
from gcr_fast.sources.clock import parse_labels
from gcr_fast.sources.documents import documents, member
from gcr_fast.sources.files import File, refuse
from gcr_fast.sources.generation.ercot import AREA, ATTRIBUTION, ZONE
from gcr_fast.sources.long import long, of_kind, series_keys
from gcr_fast.sources.model import Format, How, Readings

INTERVAL_S, NEAR_S = 300, 60
"""Length of the intervals; how far off the end of one a moment may lie to stand for it."""


def detect(file: File) -> bool:
    """Whether it is the dashboard's JSON: when it was updated, and what fuels generate by day and moment."""
    head = file.head_text if file.kind == "json" else ""
    return all(f'"{key}"' in head for key in ("lastUpdated", "data", "gen"))


def read(file: File, how: How) -> Readings:
    """Read what each fuel generated. A moment counts for the five minutes that end within a minute of it."""
    import pyarrow as pa

    readings = Readings(file, FORMAT.name, zone=ZONE, attribution=ATTRIBUTION)
    moments, fuels, values = list[str](), list[str](), list[str | None]()
    for document in documents(file):
        if "monthlyCapacity" in document:
            readings.left_out["monthlyCapacity"] = "a capacity"
        for moment, fuel, value in _cells(file, member(file, document, "data", dict)):
            moments.append(moment)
            fuels.append(fuel)
            values.append(value)
    if not values:
        refuse(file, "has no reading of any fuel", "empty_file")
    _add(readings, pa.array(moments), pa.array(fuels), pa.array(values, pa.string()))
    return readings


def _cells(file: File, data: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    """Return (moment, fuel, MW) of every reading, in the file's order."""
    found = []
    for day in data:
        moments = member(file, data, day, dict, "data")
        for moment in moments:
            fuels = member(file, moments, moment, dict, day)
            for fuel in fuels:
                value = member(file, fuels, fuel, dict, moment).get("gen")
                found.append((moment, fuel, value if value is None else str(value)))
    return found


def _add(readings: Readings, moments: Any, fuels: Any, values: Any) -> None:
    lines = np.arange(1, len(values) + 1)
    times = parse_labels(moments, "%Y-%m-%d %H:%M:%S%z")
    what = "is no moment like 2025-10-08 00:04:56-0500"
    report(readings.findings, readings.file, times.bad, lines, "data", moments, what)
    found = numbers(values, MEGA)
    report(readings.findings, readings.file, found.bad, lines, "gen", values, "is not a number")
    readings.findings.check()
    readings.rows = len(lines)
    ends = (times.seconds + INTERVAL_S // 2) // INTERVAL_S * INTERVAL_S
    near = np.abs(times.seconds - ends) <= NEAR_S
    readings.drop("moments over a minute off every fifth: which five minutes they are for is not told", (~near).sum())
    rows = np.flatnonzero(near)
    key, words = series_keys([fuels])
    found = Numbers(*(part[rows] for part in found))
    starts = ends[rows] - INTERVAL_S
    long(readings, key[rows], words, of_kind(AREA), starts, found, lines[rows], power=True, interval_s=INTERVAL_S)


FORMAT = Format(
    name="ercot-dashboard",
    title="ERCOT, fuel mix of the dashboard (fuel-mix.json)",
    looks_like='{"lastUpdated": ..., "data": {"2025-10-08": {"2025-10-08 00:04:56-0500": {"Wind": {"gen": ...',
    quirks=(
        "MW at a moment just before every fifth minute: taken for the five minutes that end there",
        "a moment over a minute off is dropped and counted, and its five minutes are a gap",
        "power storage is storage, negative while it charges; monthly capacities are left out",
    ),
    detect=detect,
    read=read,
)
