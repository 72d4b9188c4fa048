"""ERCOT, native load by weather zone: a row per hour, which ends at the local time of its label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.columns import as_text, one_array
from gcr_fast.sources import workbook
from gcr_fast.sources.cells import ENGLISH, MEGA, report
from gcr_fast.sources.clock import HOUR_S, parse_best, walk
from gcr_fast.sources.doubled import FIRST, SECOND, walk_rows
from gcr_fast.sources.files import File, Table, refuse
from gcr_fast.sources.generation.ercot import AREA, ATTRIBUTION, ZONE, tables
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.wide import Column, Layout, wide
from gcr_fast.sources.words import KINDS

if TYPE_CHECKING:
    import pyarrow as pa

ENDS = ("Hour Ending", "HourEnding", "Hour_Ending", "Hour_End", "Hour End")
_AGAIN = r"\s*DST$"


def detect(file: File) -> bool:
    """Whether a table has the hour's end beside the load of the whole area."""
    if file.kind == "zip":
        words = workbook.words(file)
        return workbook.has_cells(words, AREA) and any(workbook.has_cells(words, end) for end in ENDS)
    names = file.header() if file.kind == "csv" else []
    return bool(names) and names[0] in ENDS and AREA in names


def read(file: File, how: How) -> Readings:
    """Read the load of the whole area. Its weather zones are parts of it: they are read where `how` asks for them."""
    readings = Readings(file, FORMAT.name, zone=ZONE, attribution=ATTRIBUTION)
    for sheet, table in tables(file, AREA):
        end = next((name for name in ENDS if table is not None and name in table.names), None)
        if table is None or end is None or not len(table):
            readings.left_out[f"sheet {sheet}"] = "no table of hours"
            continue
        _add(readings, table, end, how)
    if not readings.rows:
        refuse(file, f"has no row of hours: no column {' or '.join(ENDS[:2])}", "empty_file")
    return readings


def _add(readings: Readings, table: Table, end: str, how: How) -> None:
    columns = {name: Column(KINDS["load"], name) for name in table.names if name == AREA or name in how.areas}
    for name in table.names:
        if name not in columns and name != end:
            readings.left_out[name] = f"a part of {AREA}; --area {name} reads it"
    starts, rows = _clock(readings, table, end)
    readings.rows += len(table)
    layout = Layout(digits=MEGA, power=False, interval_s=HOUR_S, locale=ENGLISH)
    wide(readings, table, starts, rows, columns, layout)


def _clock(readings: Readings, table: Table, end: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (UTC starts, their rows). The second of two equal hours is marked by DST, or by its place."""
    import pyarrow.compute as pc

    labels = as_text(one_array(table.columns[end]))
    again = pc.fill_null(pc.match_substring_regex(labels, _AGAIN), False).to_numpy(zero_copy_only=False)
    plain = pc.replace_substring_regex(labels, _AGAIN, "")
    times = parse_best(plain, "%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M:%S")
    lines = table.lines
    report(readings.findings, readings.file, times.bad, lines, end, labels, "is not like 01/31/2024 24:00")
    readings.findings.check()
    starts = times.seconds - HOUR_S
    # a mark tells more than the place: the other of the two hours may be missing
    told = np.where(again, SECOND, FIRST).astype(np.int8) if again.any() else np.zeros(len(starts), np.int8)
    found = walk_rows(readings, lambda some: walk(starts[some], ZONE, None, told[some]), starts, None, lines)
    rows = _without_skipped(readings, table, end, labels, found.skipped)
    rows = rows[~found.unclear[rows]]
    return found.seconds[rows], rows


def _without_skipped(readings: Readings, table: Table, end: str, labels: pa.Array, skipped: np.ndarray) -> np.ndarray:
    """Return the rows but those of the hour that does not exist in spring, which must be empty."""
    empty = np.ones(len(table), dtype=bool)
    for name in table.names:
        if name != end:
            empty &= table.columns[name].is_null().to_numpy()
    lines = table.lines
    what = f"ends an hour that does not exist in {ZONE}, but has values"
    report(readings.findings, readings.file, skipped & ~empty, lines, end, labels, what, "nonexistent_time")
    readings.drop("empty rows of the hour that does not exist in spring", int((skipped & empty).sum()))
    return np.flatnonzero(~skipped)


FORMAT = Format(
    name="ercot-load",
    title="ERCOT, native load (Native_Load_YYYY.xlsx)",
    looks_like="Hour Ending,COAST,EAST,FWEST,NORTH,NCENT,SOUTH,SCENT,WEST,ERCOT",
    quirks=(
        "MWh in the hour that ends at the local time; 24:00 is midnight",
        "in spring 03:00 is not there; in autumn 02:00 comes again as 02:00 DST",
        "ERCOT is the sum of its eight weather zones: only the sum is read, a zone where --area asks for it",
        'saved as CSV, numbers may have thousands commas: "41,223.48"',
        "a workbook needs the extra xlsx",
    ),
    detect=detect,
    read=read,
    needs=workbook.EXTRA,
)
