"""Files of meter readings that other registries of granular certificates take in: the GC registry's, and Granular's."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.columns import as_text
from gcr_fast.flags import told as flags_of
from gcr_fast.periods import Times, utc_to_local
from gcr_fast.sources.cells import KILO, ONE, Numbers, numbers, report
from gcr_fast.sources.clock import walk
from gcr_fast.sources.devices import ANY_GENERATION, told
from gcr_fast.sources.doubled import Walk, walk_rows
from gcr_fast.sources.files import File, Table, read_csv, refuse, require
from gcr_fast.sources.long import Words, long, series_keys, span
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.portions import times_of
from gcr_fast.sources.wide import Column

if TYPE_CHECKING:
    import pyarrow as pa

START, END, DEVICE = "interval_start_datetime", "interval_end_datetime", "device_id"
USAGE, INDICATOR = "interval_usage", "gross_net_indicator"
POINT, PERIOD, QUANTITY = "metering_point", "period_start", "quantity"
STEPS = (300, 600, 900, 1800, 3600)
"""Lengths of intervals in seconds that Granular Energy takes; it takes months too, which have no hours."""


def _header(file: File) -> list[str]:
    return [cell.strip() for cell in next(csv.reader(file.head_lines[:1]), [])]


def detect(file: File) -> bool:
    """Whether the header has the five columns of the registry's readings."""
    return file.kind == "csv" and {START, END, DEVICE, USAGE, INDICATOR} <= set(_header(file))


def read(file: File, how: How) -> Readings:
    """Read Wh by device. Of a device with gross and net readings, the net ones stay."""
    table = read_csv(file)
    require(file, table.names, START, END, DEVICE, USAGE, INDICATOR)
    readings = Readings(file, FORMAT.name, rows=len(table))
    starts = _times(readings, table, START, "UTC").earliest
    lengths = _times(readings, table, END, "UTC").earliest - starts
    lines = table.lines
    wrong = (lengths <= 0) | (lengths > 86_400)
    report(readings.findings, file, wrong, lines, END, table.columns[END], "is not within a day after its start")
    found = numbers(table.columns[USAGE], ONE)
    report(readings.findings, file, found.bad, lines, USAGE, table.columns[USAGE], "is not a number")
    readings.findings.check()
    key, words = series_keys([*(table.columns[name] for name in (DEVICE, INDICATOR)), _as_column(lengths)])
    net = {device for device, indicator, _ in words if indicator.upper() == "NET"}

    def describe(name: Words) -> Column | str:
        device, indicator, _ = name
        if not device:
            return "no device"
        if indicator.upper() != "NET" and device in net:
            return "the device has net readings too, which are what reached the grid"
        return Column(told(file, how, device) or ANY_GENERATION, device_id=device)

    long(
        readings,
        key,
        words,
        describe,
        starts,
        found,
        lines,
        power=False,
        interval_s=lambda name: int(name[2]),
        flags=flags_of(table.columns[INDICATOR]),
    )
    return readings


def _as_column(values: np.ndarray) -> pa.DictionaryArray:
    """Return numbers as text, each word of which is spelled once."""
    import pyarrow as pa

    words = pa.array(values).dictionary_encode()
    return pa.DictionaryArray.from_arrays(words.indices, as_text(words.dictionary))


def _times(readings: Readings, table: Table, name: str, zone: str | None) -> Times:
    """Return the times of ISO 8601 text."""
    times = times_of(table.columns[name], zone)
    _report_times(readings, times, table, name)
    return times


def _starts(readings: Readings, table: Table, times: Times, key: np.ndarray, zone: str | None) -> Walk:
    """Return when intervals begin; of an hour that a local clock has twice, the order in each series tells which."""
    twice = times.earliest != times.latest
    if zone is None or not twice.any():
        none = np.zeros(len(twice), dtype=bool)
        return Walk(times.earliest, none, none, none)
    local = utc_to_local(times.earliest, zone)

    def walked(rows: np.ndarray | slice) -> Walk:
        found, some = walk(local[rows], zone, key[rows]), twice[rows]
        return found._replace(seconds=np.where(some, found.seconds, times.earliest[rows]), unclear=found.unclear & some)

    return walk_rows(readings, walked, local, key, table.lines)


def _report_times(readings: Readings, times: Times, table: Table, name: str) -> None:
    lines, cells = table.lines, table.columns[name]
    for mask, what, code in (
        (times.null, "is empty", "null_value"),
        (times.unreadable, "is no time like 2024-01-01T00:00:00", "unreadable_value"),
        (times.naive & ~times.null, "names no time zone", "naive_time"),
        (times.skipped, "does not exist: the clock change skips it", "nonexistent_time"),
    ):
        report(readings.findings, readings.file, mask, lines, name, cells, what, code)


FORMAT = Format(
    name="gc-registry",
    title="Granular Certificate Registry, meter readings",
    looks_like="interval_start_datetime,interval_end_datetime,device_id,interval_usage,gross_net_indicator",
    quirks=(
        "Wh of each interval; times without offset are UTC, as that registry takes them",
        "the length of an interval is its end less its start; one device may have several lengths",
        "gross and net readings of one device count the same energy twice: net is read, gross is left out",
        "the indicator, NET or GROSS, is the flag",
        "what a device generates stands in the registry, not here: --units says it; else of no known kind",
    ),
    detect=detect,
    read=read,
)


def detect_granular(file: File) -> bool:
    """Whether the header is that of the three-column file."""
    return file.kind == "csv" and set(_header(file)) == {POINT, PERIOD, QUANTITY}


def read_granular(file: File, how: How) -> Readings:
    """Read kWh by metering point. The user has to say what each is: production and consumption look alike."""
    table = read_csv(file)
    require(file, table.names, POINT, PERIOD, QUANTITY)
    readings = Readings(file, GRANULAR.name, rows=len(table), zone=how.zone or "UTC")
    times = _times(readings, table, PERIOD, how.zone)
    lines = table.lines
    found = numbers(table.columns[QUANTITY], KILO)
    report(readings.findings, file, found.bad, lines, QUANTITY, table.columns[QUANTITY], "is not a number")
    readings.findings.check()
    key, words = series_keys([table.columns[POINT]])
    clock = _starts(readings, table, times, key, how.zone)
    starts, rows = clock.seconds, np.flatnonzero(~clock.unclear)
    step = _step(file, starts)
    off = starts % step != 0
    report(readings.findings, file, off, lines, PERIOD, table.columns[PERIOD], f"is not on a step of {step // 60} min")
    _refuse_untold(file, how, [point for (point,) in words if point])

    def describe(name: Words) -> Column | str:
        kind = told(file, how, name[0]) if name[0] else None
        return Column(kind, device_id=name[0]) if kind else "no metering point"

    some = span(rows)
    few = Numbers(*(part[some] for part in found))
    long(readings, key[some], words, describe, starts[some], few, lines[some], power=False, interval_s=step)
    return readings


def _step(file: File, starts: np.ndarray) -> int:
    """Return the one granularity of a file: the least distance of two times."""
    gaps = np.diff(np.unique(starts))
    if not len(gaps):
        refuse(file, "has fewer than two times: the length of its intervals is unknown", "empty_file")
    step = int(gaps.min())
    if step not in STEPS:
        refuse(file, f"has a time every {step // 60} minutes; expected 5, 10, 15, 30 or 60", "interval_too_long")
    return step


def _refuse_untold(file: File, how: How, points: list[str]) -> None:
    unknown = [point for point in points if told(file, how, point) is None]
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        what = f"does not say what {', '.join(unknown[:3])}{more} measures: production and consumption look alike"
        refuse(file, f"{what}; name it for each in --units, or for all with --types", "unknown_source_type")


GRANULAR = Format(
    name="granular-metering",
    title="Granular Energy, metering data",
    looks_like="metering_point,period_start,quantity",
    quirks=(
        "kWh of the interval that begins at the time, which has its offset; 5, 10, 15, 30 or 60 minutes",
        "production and consumption have the same columns: --units or --types has to say which it is",
        "months are taken by that platform, but have no hours: refused",
    ),
    detect=detect_granular,
    read=read_granular,
)
