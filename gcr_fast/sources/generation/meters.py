"""Files of meter readings that other registries of granular certificates take in: the GC registry's, and Granular's."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcr_fast.columns import alike, as_text, one_array, some
from gcr_fast.flags import told as flags_of
from gcr_fast.periods import DAY_S, Times, utc_to_local
from gcr_fast.sources.cells import KILO, ONE, Numbers, numbers, report
from gcr_fast.sources.clock import walk
from gcr_fast.sources.devices import ANY_GENERATION, told
from gcr_fast.sources.doubled import Walk, walk_rows
from gcr_fast.sources.early import give_back, read_early
from gcr_fast.sources.files import File, Table, header_of, read_csv, refuse, require
from gcr_fast.sources.long import Words, long, series_keys, span
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.pieces import IrregularError
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


class _Cells(NamedTuple):
    """What the rows of a file say, each [n]."""

    table: Table
    """All of it; of one that was read in blocks only its columns of words."""
    starts: np.ndarray
    """int64 UTC."""
    more: np.ndarray
    """int32: how long the interval is, in seconds; or bool: whether its local time happens twice."""
    found: Numbers


def read(file: File, how: How) -> Readings:
    """Read Wh by device. Of a device with gross and net readings, the net ones stay."""
    readings = Readings(file, FORMAT.name)
    try:
        cells = _in_blocks(file, (START, END), _lengths, np.int32, USAGE, ONE, (DEVICE, INDICATOR))
    except IrregularError:
        cells = _at_once(readings)
    readings.rows = len(cells.table)
    words_of = cells.table.columns
    key, words = series_keys([words_of[DEVICE], words_of[INDICATOR], _as_column(cells.more)])
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
        cells.starts,
        cells.found,
        cells.table.lines,
        power=False,
        interval_s=lambda name: int(name[2]),
        flags=flags_of(words_of[INDICATOR]),
    )
    give_back()
    return readings


def _at_once(readings: Readings) -> _Cells:
    """Read the registry's readings as a whole. Refused with every bad cell."""
    file = readings.file
    table = read_csv(file)
    require(file, table.names, START, END, DEVICE, USAGE, INDICATOR)
    starts = _times(readings, table, START, "UTC").earliest
    lengths = _times(readings, table, END, "UTC").earliest - starts
    lines, wrong = table.lines, _is_wrong(lengths)
    report(readings.findings, file, wrong, lines, END, table.columns[END], "is not within a day after its start")
    found = numbers(table.columns[USAGE], ONE)
    report(readings.findings, file, found.bad, lines, USAGE, table.columns[USAGE], "is not a number")
    readings.findings.check()
    return _Cells(table, starts, lengths, found)


def _is_wrong(lengths: np.ndarray) -> np.ndarray:
    wrong: np.ndarray = (lengths <= 0) | (lengths > DAY_S)
    return wrong


def _lengths(starts: Times, ends: Times) -> np.ndarray:
    lengths: np.ndarray = ends.earliest - starts.earliest
    if _is_wrong(lengths).any():
        raise IrregularError
    return lengths


def _twice(times: Times) -> np.ndarray:
    twice: np.ndarray = times.earliest != times.latest
    return twice


def _in_blocks(
    file: File,
    times: Sequence[str],
    more: Callable[..., np.ndarray],
    kind: type,
    values: str,
    digits: int,
    words: Sequence[str],
    zone: str | None = "UTC",
) -> _Cells:
    """Read a file that is in memory block by block; what is amiss is `IrregularError`.

    `more` makes of the columns of `times`, the first of which are the starts, an array of a `kind`. `values` are in
    Wh times 10 ** `digits`.
    """
    if not {*times, values, *words} <= set(header_of(file, ",", 0)):
        raise IrregularError

    def turn(block: pa.Table) -> list[np.ndarray]:
        read = [times_of(block.column(name), zone) for name in times]
        found = numbers(one_array(block.column(values)), digits)
        if some(found.bad) or any(some(mask) for one in read for mask in one[2:]):
            raise IrregularError
        return [read[0].earliest, more(*read), found.values, found.null]

    table, (starts, extra, whole, null) = read_early(file, turn, [np.int64, kind, np.int64, np.bool_], words)
    return _Cells(table, starts, extra, Numbers(whole, null, alike(False, len(table))))


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


def _starts(readings: Readings, cells: _Cells, key: np.ndarray, zone: str | None) -> Walk:
    """Return when intervals begin; of an hour that a local clock has twice, the order in each series tells which."""
    starts, twice = cells.starts, cells.more
    if zone is None or not twice.any():
        none = alike(False, len(twice))
        return Walk(starts, none, none, none)
    local = utc_to_local(starts, zone)

    def walked(rows: np.ndarray | slice) -> Walk:
        found, again = walk(local[rows], zone, key[rows]), twice[rows]
        return found._replace(seconds=np.where(again, found.seconds, starts[rows]), unclear=found.unclear & again)

    return walk_rows(readings, walked, local, key, cells.table.lines)


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
    with contextlib.suppress(IrregularError):
        return _granular(file, how, _in_blocks(file, (PERIOD,), _twice, np.bool_, QUANTITY, KILO, (POINT,), how.zone))
    return _granular(file, how, None)


def _granular(file: File, how: How, cells: _Cells | None) -> Readings:
    """Return the readings of a file, which is read as a whole if its `cells` are not known.

    `IrregularError`: something is amiss, and its cells are gone.
    """
    readings = Readings(file, GRANULAR.name, zone=how.zone or "UTC")
    given, cells = cells, cells or _granular_at_once(readings, how)
    table, lines = cells.table, cells.table.lines
    readings.rows = len(table)
    key, words = series_keys([table.columns[POINT]])
    clock = _starts(readings, cells, key, how.zone)
    starts, rows = clock.seconds, np.flatnonzero(~clock.unclear)
    step = _step(file, starts)
    off = starts % step != 0
    if given is not None and off.any():
        raise IrregularError
    periods = None if given else table.columns[PERIOD]
    report(readings.findings, file, off, lines, PERIOD, periods, f"is not on a step of {step // 60} min")
    _refuse_untold(file, how, [point for (point,) in words if point])

    def describe(name: Words) -> Column | str:
        kind = told(file, how, name[0]) if name[0] else None
        return Column(kind, device_id=name[0]) if kind else "no metering point"

    chosen = span(rows)
    few = Numbers(*(part[chosen] for part in cells.found))
    long(readings, key[chosen], words, describe, starts[chosen], few, lines[chosen], power=False, interval_s=step)
    give_back()
    return readings


def _granular_at_once(readings: Readings, how: How) -> _Cells:
    """Read the three columns as a whole. Refused with every bad cell."""
    file = readings.file
    table = read_csv(file)
    require(file, table.names, POINT, PERIOD, QUANTITY)
    times = _times(readings, table, PERIOD, how.zone)
    found = numbers(table.columns[QUANTITY], KILO)
    report(readings.findings, file, found.bad, table.lines, QUANTITY, table.columns[QUANTITY], "is not a number")
    readings.findings.check()
    return _Cells(table, times.earliest, _twice(times), found)


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
