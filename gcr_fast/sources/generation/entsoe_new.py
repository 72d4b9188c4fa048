"""ENTSO-E Transparency Platform, export of the new web site: a row per time, area and (of generation) type.

CSV, or the same table as a workbook.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.columns import one_array
from gcr_fast.periods import local_to_utc
from gcr_fast.sources import workbook
from gcr_fast.sources.cells import MEGA, Numbers, numbers, report
from gcr_fast.sources.clock import walk
from gcr_fast.sources.doubled import FIRST, SECOND, UNCLEAR, Walk, walk_rows
from gcr_fast.sources.files import File, Table, read_csv, refuse, require
from gcr_fast.sources.generation.entsoe import (
    ABSENT,
    ATTRIBUTION,
    MISSING,
    Spans,
    area_code,
    consumed,
    doubled_areas,
    named_zone,
    production_kind,
    read_spans,
)
from gcr_fast.sources.long import Describe, Words, long, series_keys
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.wide import Column
from gcr_fast.sources.words import KINDS

if TYPE_CHECKING:
    import pyarrow as pa

AREA, TYPE = "Area", "Production Type"
_TIME = re.compile(r"^MTU \((?P<zone>[A-Z/]+)\)$")
_VALUE = re.compile(r"^(?:Actual )?(?P<what>Generation|Consumption|Total Load) \(MW\)$")
_LAYOUTS = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M")
_LABEL = "is not like 31/01/2020 00:00:00 - 31/01/2020 01:00:00, of 60 minutes at most"
_GAPS = ("", " ", *MISSING, *ABSENT)


def detect(file: File) -> bool:
    """Whether the header has this export's time column, an area, and a column of MW; in a workbook, its cells."""
    if file.kind == "zip":
        return _is_header(workbook.texts(file))
    return file.kind == "csv" and _is_header(file.header())


def _is_header(cells: Collection[str]) -> bool:
    return AREA in cells and any(map(_TIME.match, cells)) and any(map(_VALUE.match, cells))


def read(file: File, how: How) -> Readings:
    """Read generation (or consumption) by type, or load. Of an area named in several ways one is read."""
    readings = Readings(file, FORMAT.name, attribution=ATTRIBUTION)
    for sheet, table in _tables(file):
        if table is None or not len(table):
            readings.left_out[f"sheet {sheet}"] = "no table of times, areas and MW"
            continue
        _add(readings, table, how)
    if not readings.rows:
        refuse(file, "has no sheet whose table has rows, and columns like MTU (CET/CEST), Area and Generation (MW)")
    return readings


def _tables(file: File) -> Iterator[tuple[str, Table | None]]:
    """Yield (sheet, table) of a workbook, None for a sheet without such a table; of a CSV its one table."""
    if file.kind == "zip":
        yield from workbook.sheets(file, _is_header)
        return
    names = file.header()
    time = next(filter(_TIME.match, names), "MTU (CET/CEST)")
    values = [name for name in names if _VALUE.match(name)]
    require(file, names, time, AREA, *(() if values else ("Generation (MW)",)))
    yield "", read_csv(file, floats=values, missing=_GAPS)


def _add(readings: Readings, table: Table, how: How) -> None:
    """Add the series of a table."""
    time = next(filter(_TIME.match, table.names))
    values = [name for name in table.names if _VALUE.match(name)]
    for name in table.names:
        if name not in {time, AREA, TYPE, *values}:
            readings.left_out[name] = "no actual energy"
    match = _TIME.match(time)
    zone = named_zone(readings.file, match and match["zone"], time)
    readings.zone = how.zone or zone
    if readings.file.kind == "zip" and not readings.rows:  # sheets after the first have the same lines
        readings.cells = table
    readings.rows += len(table)
    key, words = series_keys([table.columns[name] for name in (AREA, TYPE) if name in table.names])
    rows, starts, lengths = _clock(readings, table, time, zone, key, [table.columns[name] for name in values])
    doubled = doubled_areas(area for area, *_ in words)
    for name in values:
        found = _numbers(readings, table, name, rows)
        describe = _describe(name, doubled)
        for length in np.unique(lengths).tolist():  # intervals may change their length in the middle of a file
            part = np.flatnonzero(lengths == length)
            some = Numbers(*(mask[part] for mask in found))
            lines = rows[part] + table.first_line
            long(readings, key[rows[part]], words, describe, starts[part], some, lines, power=True, interval_s=length)


def _numbers(readings: Readings, table: Table, name: str, rows: np.ndarray) -> Numbers:
    """Return the values of some rows of a column; a cell that is no number is a finding."""
    column = table.columns[name]
    found = Numbers(*(part[rows] for part in numbers(column, MEGA, _GAPS)))
    cells = one_array(column).take(rows) if found.bad.any() else None
    report(readings.findings, readings.file, found.bad, rows + table.first_line, name, cells, "is not a number")
    return found


def _describe(column: str, doubled: dict[str, str]) -> Describe:
    match = _VALUE.match(column)
    what = match["what"] if match else ""

    def describe(words: Words) -> Column | str:
        area = words[0]
        if area in doubled:
            return f"the same energy as {doubled[area]}, which is read"
        if what == "Total Load":
            return Column(KINDS["load"], area_code(area))
        kind = production_kind(words[1]) if len(words) > 1 else None
        if kind is None:
            return "not known"
        return Column(consumed(kind) if what == "Consumption" else kind, area_code(area))

    return describe


def _clock(
    readings: Readings, table: Table, time: str, zone: str, key: np.ndarray, values: list[pa.ChunkedArray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (rows, UTC starts, lengths in seconds) of the rows that exist; labels of `time` are local begin - end."""
    labels = table.columns[time]
    lines = table.lines
    spans = read_spans(labels, *_LAYOUTS)
    report(readings.findings, readings.file, spans.bad, lines, time, labels, _LABEL)
    readings.findings.check()
    told = _told(spans, key, zone)

    def walked(some: np.ndarray | slice) -> Walk:
        return walk(spans.begins[some], zone, key[some], None if told is None else told[some])

    found = walk_rows(readings, walked, spans.begins, key, lines)
    empty = np.logical_and.reduce([numbers(column, 0, _GAPS).null for column in values])
    readings.drop("empty rows of the hour that does not exist in spring", int((found.skipped & empty).sum()))
    what = f"does not exist in {zone}, but has values"
    report(readings.findings, readings.file, found.skipped & ~empty, lines, time, labels, what, "nonexistent_time")
    readings.findings.check()
    rows = np.flatnonzero(~(found.skipped | found.unclear))
    return rows, found.seconds[rows], spans.lengths[rows]


def _told(spans: Spans, key: np.ndarray, zone: str) -> np.ndarray | None:
    """Return what labels tell of an hour that happens twice, int8[n], codes of `doubled`; None if there is none.

    One that ends where it began, or before, ends the first hour, as the clock is then set back. One that ends after
    both ends the second, unless a row of the same series says the same: then labels have no such ends.
    """
    begin, end = local_to_utc(spans.begins, zone), local_to_utc(spans.ends, zone)
    doubled = (begin.earliest != begin.latest) & ~begin.skipped
    if not doubled.any():
        return None
    told = np.where(doubled & (spans.ends <= spans.begins), FIRST, UNCLEAR).astype(np.int8)
    crossing = np.flatnonzero(doubled & (spans.ends - spans.begins == spans.lengths) & (end.earliest == end.latest))
    pairs = np.stack([key[crossing], spans.begins[crossing]], axis=1)
    _, place, counts = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    told[crossing[counts[place.reshape(-1)] == 1]] = SECOND
    return told


FORMAT = Format(
    name="entsoe-new",
    title="ENTSO-E Transparency Platform, new export",
    looks_like='"MTU (CET/CEST)","Area","Production Type","Generation (MW)" or ...,"Actual Total Load (MW)",...',
    quirks=(
        "MW, the mean of the interval; local time, day first, the zone in the header, UTC in the file's name",
        "labels across a clock change lie: 01:00 - 03:00 in spring and 02:00 - 02:00 in autumn are one hour each",
        "of the hour that autumn has twice, such labels and the order of rows tell which; else neither is read",
        "n/e is a type that the area does not have; a blank is a gap",
        "the length of intervals may change within a file: read as two series of one name",
        "one energy under CTY|, BZN| and CTA|: the first of them that is there is read",
        "forecasts of load stand beside the actual load: left out",
        "a workbook has the same table, below titles or not, its numbers as numbers or as text: needs the extra xlsx",
    ),
    detect=detect,
    read=read,
    needs=workbook.EXTRA,
)
