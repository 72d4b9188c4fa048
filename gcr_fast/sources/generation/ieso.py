"""IESO (Ontario): what its reports have in common. Hours 1 to 24 are named by their end, in UTC-5 all year."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.sources.cells import ONE, numbers, report
from gcr_fast.sources.clock import HOUR_S, parse_labels
from gcr_fast.sources.model import Readings
from gcr_fast.sources.wide import Column
from gcr_fast.sources.words import KINDS, kind_of

if TYPE_CHECKING:
    import pyarrow as pa

AREA, ZONE = "IESO", "-05:00"
OFFSET_S = 5 * HOUR_S
ATTRIBUTION = "Independent Electricity System Operator (IESO), Ontario"

_PUMPED = re.compile(r"\bPGS\b", re.IGNORECASE)
"""Pumped generating station: it stands among the generators of HYDRO."""
_STORAGE = re.compile(r"\b(?:BESS|BATTERY|STORAGE)\b", re.IGNORECASE)


def starts(midnights_s: np.ndarray, hour: np.ndarray) -> np.ndarray:
    """Return the UTC begin int64[n] of hours 1 to 24 of days, whose wall-clock midnights these are."""
    begins: np.ndarray = midnights_s + (hour - 1) * HOUR_S + OFFSET_S
    return begins


def begins(
    readings: Readings, day: pa.ChunkedArray | pa.Array, hour: pa.ChunkedArray | pa.Array, lines: np.ndarray, name: str
) -> np.ndarray:
    """Return the UTC begin int64[n] of days, in a column of this name, and hours; what is neither is a finding."""
    days, hours = parse_labels(day, "%Y-%m-%d"), numbers(hour, ONE)
    report(readings.findings, readings.file, days.bad, lines, name, day, "is no day like 2023-01-31")
    outside = hours.bad | hours.null | (hours.values < 1) | (hours.values > 24)
    report(readings.findings, readings.file, outside, lines, "Hour", hour, "is no hour of 1 to 24")
    return starts(days.seconds, hours.values)


def by_fuel(fuel: str) -> Column | str:
    """Return what the series of a fuel of the whole province is."""
    kind = kind_of(fuel)
    return Column(kind, AREA) if kind else "not known"


def of_generator(name: str, fuel: str) -> Column | str:
    """Return what a generator's series is: storage is listed as OTHER or HYDRO, and told by its name."""
    kind = kind_of(fuel)
    if kind is not None and kind.slug == "other" and _STORAGE.search(name):
        kind = KINDS["battery_storage"]
    elif kind is not None and kind.source_type == "hydro" and _PUMPED.search(name):
        kind = KINDS["hydro_pumped_storage"]
    return Column(kind, AREA, device_id=name) if kind else f"of the fuel {fuel}, which is not known"
