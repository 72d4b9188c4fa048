"""IESO reports in CSV: output and capability by generator of a month, demand by hour of a year."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.findings import Findings
from gcr_fast.sources.cells import MEGA, Numbers, numbers, report
from gcr_fast.sources.clock import HOUR_S, parse_labels
from gcr_fast.sources.files import File, read_csv, refuse
from gcr_fast.sources.generation import ieso
from gcr_fast.sources.long import Words, long, series_keys
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.streamed import text_columns
from gcr_fast.sources.wide import Column, Layout, wide
from gcr_fast.sources.words import KINDS

if TYPE_CHECKING:
    import pyarrow as pa

MONTHLY = ("Delivery Date", "Generator", "Fuel Type", "Measurement")
DEMAND = ("Date", "Hour", "Market Demand", "Ontario Demand")
HOURS = tuple(f"Hour {hour}" for hour in range(1, 25))
OUTPUT = "Output"
_LINE = "line"
_REASONS = {
    "Capability": "what a generator could do",
    "Available Capacity": "what a generator had available, a forecast for wind and sun",
    "Forecast": "a forecast",
}


def detect(file: File) -> bool:
    """Whether lines that begin with a backslash are followed by the header of one of the two reports."""
    if file.kind != "csv" or not file.head_text.startswith("\\"):
        return False
    names = tuple(file.header(line=_preamble(file)))
    return names[: len(MONTHLY)] == MONTHLY or names[: len(DEMAND)] == DEMAND


def _preamble(file: File) -> int:
    """Return how many lines stand before the header."""
    return next((at for at, line in enumerate(file.head_lines) if not line.startswith("\\")), len(file.head_lines))


def read(file: File, how: How) -> Readings:
    """Read output by generator, or Ontario's demand."""
    readings = Readings(file, FORMAT.name, zone=ieso.ZONE, attribution=ieso.ATTRIBUTION)
    skip = _preamble(file)
    (_demand if tuple(file.header(line=skip))[: len(DEMAND)] == DEMAND else _monthly)(readings, skip)
    return readings


def _demand(readings: Readings, skip: int) -> None:
    market, ontario = DEMAND[2:]
    table = read_csv(readings.file, skip=skip, floats=[ontario])
    lines = table.lines
    readings.rows = len(table)
    readings.left_out[market] = "Ontario's demand and its exports"
    day, hour = table.columns[DEMAND[0]], table.columns[DEMAND[1]]
    begins = ieso.begins(readings, day, hour, lines, "Date")
    readings.findings.check()
    columns = {ontario: Column(KINDS["load"], ieso.AREA)}
    wide(readings, table, begins, np.arange(len(table)), columns, Layout(MEGA, True, HOUR_S))


def _monthly(readings: Readings, skip: int) -> None:
    """Read the rows of output. Every row has one comma more than the header, behind its last hour."""
    columns, rows = text_columns(_outputs(readings, skip))
    if not rows:
        refuse(readings.file, f"has no row of {OUTPUT}", "empty_file")
    places = numbers(columns[_LINE], 0).values
    found = [numbers(columns[hour], MEGA) for hour in HOURS]
    _report_hours(readings, found, columns, places)
    day = columns[MONTHLY[0]]
    midnights = parse_labels(day, "%Y-%m-%d")
    report(readings.findings, readings.file, midnights.bad, places, MONTHLY[0], day, "is no day like 2023-01-31")
    readings.findings.check()
    key, words = series_keys([columns[name] for name in MONTHLY[1:3]])
    count = len(HOURS)
    begins = ieso.starts(np.repeat(midnights.seconds, count), np.tile(np.arange(1, count + 1), rows))
    by_hour = Numbers(*(np.stack(parts, axis=1).ravel() for parts in zip(*found, strict=True)))
    lines = np.repeat(places, count)
    long(readings, np.repeat(key, count), words, _describe, begins, by_hour, lines, power=True, interval_s=HOUR_S)


def _outputs(readings: Readings, skip: int) -> Iterator[dict[str, str]]:
    """Tell the rows of output by the names of their columns, and their lines. Refused: rows of another length, all."""
    file, findings = readings.file, Findings()
    width = len(MONTHLY) + len(HOURS)
    names = file.header(line=skip)
    if tuple(names[:width]) != (*MONTHLY, *HOURS):
        lacking = [name for name in (*MONTHLY, *HOURS) if name not in names]
        refuse(file, f"has no column {', '.join(lacking) or 'in the order known'}", "missing_column")
    for line, cells in file.rows():
        if line <= skip + 1:
            continue
        readings.rows += 1
        if len(cells) < width or any(cells[width:]):
            findings.add("malformed_row", f"expected {width} cells, found {len(cells)}", file=file.name, line=line)
        elif cells[3].strip() == OUTPUT:
            about = {name: cell.strip() for name, cell in zip(MONTHLY, cells, strict=False)}
            yield {_LINE: str(line), **about, **dict(zip(HOURS, cells[len(MONTHLY) : width], strict=True))}
        else:
            readings.drop(f"rows of {cells[3]}: {_REASONS.get(cells[3].strip(), 'not known')}")
    findings.check()


def _report_hours(
    readings: Readings, found: Sequence[Numbers], columns: Mapping[str, pa.ChunkedArray], lines: np.ndarray
) -> None:
    """Report what is no number, row by row."""
    bad = np.stack([one.bad for one in found], axis=1)
    for row, hour in np.argwhere(bad).tolist():
        name, line = HOURS[hour], int(lines[row])
        value = columns[name][row].as_py()
        said = f"{name} {value!r} is not a number"
        readings.findings.add("unreadable_value", said, file=readings.file.name, line=line, column=name, value=value)


def _describe(words: Words) -> Column | str:
    return ieso.of_generator(*words)


FORMAT = Format(
    name="ieso-csv",
    title="IESO, GenOutputCapabilityMonth and Demand (CSV)",
    looks_like="\\Generator Output Capability ..., then Delivery Date,Generator,Fuel Type,Measurement,Hour 1,...",
    quirks=(
        "MW, the mean of the hour; hours 1 to 24 are named by their end, in UTC-5 all year",
        "lines with a backslash stand before the header; rows of the month have one comma too many",
        "of output, capability, available capacity and forecast only output is read",
        "demand is Ontario's; the market's, which has exports in it, is left out",
        "batteries are listed under OTHER, a pumped station (PGS) under HYDRO, told by their names: storage",
    ),
    detect=detect,
    read=read,
)
