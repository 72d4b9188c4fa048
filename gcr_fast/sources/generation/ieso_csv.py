"""IESO reports in CSV: output and capability by generator of a month, demand by hour of a year."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcr_fast.columns import alike, as_text, encode_text, one_array, some
from gcr_fast.findings import Findings, RefusedError
from gcr_fast.sources.cells import MEGA, Numbers, numbers, report
from gcr_fast.sources.clock import HOUR_S, parse_labels
from gcr_fast.sources.delimited import lines_of_words
from gcr_fast.sources.early import Blocks, give_back
from gcr_fast.sources.files import File, read_csv, refuse
from gcr_fast.sources.generation import ieso
from gcr_fast.sources.long import Words, long, series_keys
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.pieces import IrregularError
from gcr_fast.sources.streamed import text_columns
from gcr_fast.sources.wide import Column, Layout, wide
from gcr_fast.sources.words import KINDS

if TYPE_CHECKING:
    import pyarrow as pa

MONTHLY = ("Delivery Date", "Generator", "Fuel Type", "Measurement")
DEMAND = ("Date", "Hour", "Market Demand", "Ontario Demand")
HOURS = tuple(f"Hour {hour}" for hour in range(1, 25))
OUTPUT = "Output"
_LINE, _BEHIND = "line", "behind the last comma"
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


class _Days(NamedTuple):
    """The rows of output, one for each generator and day."""

    words: Sequence[pa.ChunkedArray | pa.Array]
    """The columns of generators and fuels."""
    lines: np.ndarray
    """int32[n]."""
    midnights: np.ndarray
    """int64[n]: on the wall clock."""
    values: np.ndarray
    """int64[n, 24]: W in each hour."""
    null: np.ndarray
    """bool[n, 24]."""


def _monthly(readings: Readings, skip: int) -> None:
    """Read the rows of output. Every row has one comma more than the header, behind its last hour."""
    try:
        days = _in_blocks(readings, skip)
    except IrregularError:
        days = _row_by_row(readings, skip)
    key, words = series_keys(days.words)
    begins = ieso.starts(days.midnights[:, None], np.arange(1, len(HOURS) + 1))
    lines = np.broadcast_to(days.lines[:, None], begins.shape)
    found = Numbers(days.values, days.null, alike(False, len(key)))
    long(readings, key, words, _describe, begins, found, lines, power=True, interval_s=HOUR_S)
    give_back()


def _in_blocks(readings: Readings, skip: int) -> _Days:
    """Read a report that is in memory block by block; what is amiss is `IrregularError`."""
    import pyarrow as pa

    file = readings.file
    if tuple(file.header(line=skip)) != (*MONTHLY, *HOURS) or not _is_plain(file, skip):
        raise IrregularError
    try:
        blocks = Blocks(file, skip + 1)
    except RefusedError:  # a zero byte somewhere: a cell of no interest may have it
        raise IrregularError from None
    parts = blocks.each(lines_of_words([*MONTHLY, *HOURS, _BEHIND], ","), partial(_block, skip + 2))
    if not any(len(part.days.lines) for part in parts):
        raise IrregularError
    for part in parts:
        readings.rows += part.rows
        for measured, count in part.others.items():
            readings.drop(_dropped(measured), count)
    several = [part.days for part in parts]
    words = [pa.chunked_array([one.words[at] for one in several]) for at in (0, 1)]
    return _Days(words, *(np.concatenate(arrays) for arrays in list(zip(*several, strict=True))[1:]))


def _is_plain(file: File, skip: int) -> bool:
    """Whether the lines before the header, at which nobody looks in blocks, are text that opens no cell."""
    try:
        codecs.getincrementaldecoder(file.encoding)().decode(file.head)
    except UnicodeDecodeError:
        return False
    return not any('"' in line for line in file.head_lines[:skip])


class _Block(NamedTuple):
    """What a block of lines holds."""

    days: _Days
    rows: int
    others: dict[str, int]
    """Rows that are not of output, by what they are of."""


def _block(first_line: int, found: pa.Table, first: int) -> _Block:
    """Take a block apart, that begins with row `first` of all, counted from 0; that one stands on `first_line`."""
    codes, measured = encode_text(found.column(MONTHLY[3]))
    if some(codes < 0) or found.column(_BEHIND).null_count < len(found):
        raise IrregularError
    outputs = np.array([word.strip() == OUTPUT for word in measured], dtype=bool)[codes]
    rows = np.flatnonzero(outputs)
    counts = np.bincount(codes[~outputs], minlength=len(measured)).tolist()
    taken = found.take(rows)
    day, generator, fuel = (_trimmed(taken.column(name)) for name in MONTHLY[:3])
    midnights, (values, null) = parse_labels(day, "%Y-%m-%d"), _hours(taken)
    if some(midnights.bad):
        raise IrregularError
    words = [generator.dictionary_encode(), fuel.dictionary_encode()]
    days = _Days(words, (rows + first + first_line).astype(np.int32), midnights.seconds, values, null)
    return _Block(days, len(found), {word: count for word, count in zip(measured, counts, strict=True) if count})


def _trimmed(column: pa.ChunkedArray) -> pa.Array:
    import pyarrow.compute as pc

    return pc.fill_null(pc.utf8_trim_whitespace(as_text(one_array(column))), "")


def _hours(rows: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Return the hours of some rows int64[n, 24], and which are empty bool[n, 24]."""
    import pyarrow as pa

    found = numbers(pa.concat_arrays([as_text(one_array(rows.column(hour))) for hour in HOURS]), MEGA)
    if some(found.bad):
        raise IrregularError
    shape = (len(HOURS), len(rows))
    return found.values.reshape(shape).T.copy(), found.null.reshape(shape).T.copy()


def _row_by_row(readings: Readings, skip: int) -> _Days:
    """Read a report cell by cell. Refused with every bad one."""
    readings.rows = 0
    readings.dropped.clear()
    columns, rows = text_columns(_outputs(readings, skip))
    if not rows:
        refuse(readings.file, f"has no row of {OUTPUT}", "empty_file")
    lines = numbers(columns[_LINE], 0).values
    found = [numbers(columns[hour], MEGA) for hour in HOURS]
    _report_hours(readings, found, columns, lines)
    day = columns[MONTHLY[0]]
    midnights = parse_labels(day, "%Y-%m-%d")
    report(readings.findings, readings.file, midnights.bad, lines, MONTHLY[0], day, "is no day like 2023-01-31")
    readings.findings.check()
    values, null = (np.stack([one[at] for one in found], axis=1) for at in (0, 1))
    return _Days([columns[name] for name in MONTHLY[1:3]], lines.astype(np.int32), midnights.seconds, values, null)


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
            readings.drop(_dropped(cells[3]))
    findings.check()


def _dropped(measured: str) -> str:
    return f"rows of {measured}: {_REASONS.get(measured.strip(), 'not known')}"


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
