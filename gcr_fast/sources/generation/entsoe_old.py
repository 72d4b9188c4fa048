"""ENTSO-E Transparency Platform, export of the old web site: wide, local time, every cell quoted."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import numpy as np

from gcr_fast.columns import as_text, encode, every, one_array
from gcr_fast.findings import Findings, RefusedError
from gcr_fast.sources import workbook
from gcr_fast.sources.bulk import Bulk, read_bulk
from gcr_fast.sources.cells import MEGA, Numbers, report
from gcr_fast.sources.clock import common_tail, parse_labels, walk
from gcr_fast.sources.doubled import walk_rows
from gcr_fast.sources.files import File, Table, read_csv, refuse
from gcr_fast.sources.generation.entsoe import (
    ABSENT,
    ATTRIBUTION,
    LENGTHS_S,
    MISSING,
    area_code,
    consumed,
    doubled_areas,
    named_zone,
)
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.wide import Column, Layout, wide
from gcr_fast.sources.words import KINDS, kind_of

if TYPE_CHECKING:
    import pyarrow as pa

_VALUE = re.compile(r"^(?P<kind>.+?)\s+- Actual (?P<way>Aggregated|Consumption) \[MW\]$")
_LOAD = re.compile(r"^Actual Total Load \[MW\](?: - (?P<area>.+))?$")
_TIME = re.compile(r"^(?:MTU|Time \((?P<zone>[A-Z/]+)\))$")
_CELL = re.compile(r"\((?P<zone>[A-Z/]+)\)\s*$")
_NO_VALUE = frozenset({"", *MISSING, *ABSENT})
_UNZONED = "names no time zone, where other rows do"
_LABEL = "is not like 31.01.2019 00:00 - 31.01.2019 01:00, of 60 minutes at most"


def detect(file: File) -> bool:
    """Whether the header has this export's time column beside columns of actual MW; in a workbook, its cells."""
    if file.kind == "zip":
        return _is_header(workbook.texts(file))
    return file.kind == "csv" and _is_header(file.header())


def _is_header(cells: Collection[str]) -> bool:
    return any(map(_TIME.match, cells)) and any(_VALUE.match(cell) or _LOAD.match(cell) for cell in cells)


class _Clock(NamedTuple):
    seconds: np.ndarray
    """int64[n] UTC, of every row of the table."""
    lengths: np.ndarray
    """int64[n]: how long each interval is, in seconds."""
    used: np.ndarray
    """bool[n]: no row of the hour that does not exist, or of which nothing tells when it was."""
    zone: str


def read(file: File, how: How) -> Readings:
    """Read generation by type, or load. Pumping is kept as consumption; types the area does not have are left out."""
    readings = Readings(file, FORMAT.name, attribution=ATTRIBUTION)
    if file.kind != "zip":
        names = file.header()
        bulk = _bulk(file, names)
        _add(readings, names, bulk.table if bulk else read_csv(file), bulk, how)
        return readings
    for sheet, table in workbook.sheets(file, _is_header):
        if table is not None and len(table):
            _add(readings, table.names, table, None, how)
        else:
            readings.left_out[f"sheet {sheet}"] = "no table of times and actual MW"
    if not readings.rows:
        refuse(file, "has no sheet whose table has rows, and columns like MTU and Solar  - Actual Aggregated [MW]")
    return readings


def _add(readings: Readings, names: list[str], table: Table, bulk: Bulk | None, how: How) -> None:
    """Add the series of a table; its numbers are in `bulk`, or in its own columns."""
    readings.rows += len(table)
    codes, areas = _areas(table)
    clock = _clock(readings, table, codes, bulk)
    readings.zone = how.zone or clock.zone
    doubled = doubled_areas(areas)
    for code, area in enumerate(areas):
        rows = np.flatnonzero(clock.used & (codes == code))
        if area in doubled:
            readings.drop(f"rows of {area}: the same energy as {doubled[area]}, which is read", len(rows))
            continue
        columns = _columns(readings, names, area_code(area))
        lengths = clock.lengths[rows]
        for length in LENGTHS_S:  # hours may become quarters within a year
            some = rows[lengths == length]
            if not len(some):
                continue
            layout = Layout(MEGA, True, length, MISSING, ABSENT)
            wide(readings, table, clock.seconds[some], some, columns, layout, read=bulk.numbers if bulk else None)


def _bulk(file: File, names: list[str]) -> Bulk | None:
    """Read a large file by kernels: every column but those of area and time holds numbers."""
    texts = [name for name in names if name == "Area" or _TIME.match(name)]
    values = [name for name in names if name not in texts]
    return read_bulk(file, names, texts, values, MEGA, missing=(*MISSING, *ABSENT))


def _areas(table: Table) -> tuple[np.ndarray, list[str]]:
    """Return (area int64[n] of each row, names of the areas); a load file names its area in its header."""
    if "Area" not in table.names:
        return np.zeros(len(table), np.int64), [""]
    codes, names = encode(table.columns["Area"])
    return np.where(codes < 0, len(names), codes).astype(np.int64), [*(str(name) for name in names), ""]


def _columns(readings: Readings, names: list[str], area: str) -> dict[str, Column]:
    """Return what each column of values holds, and account for the others."""
    loads = {name: match["area"] or area for name in names if (match := _LOAD.match(name))}
    doubled = doubled_areas(loads.values())
    found: dict[str, Column] = {}
    for name in names:
        value = _VALUE.match(name)
        kind = kind_of(value["kind"]) if value else None
        if value and kind:
            found[name] = Column(consumed(kind) if value["way"] == "Consumption" else kind, area)
        elif name in loads and loads[name] not in doubled:
            found[name] = Column(KINDS["load"], area_code(loads[name]))
        elif name in loads:
            readings.left_out[name] = f"the same load as of {doubled[loads[name]]}, which is read"
        elif name != "Area" and not _TIME.match(name):
            readings.left_out[name] = "not known" if value else "no actual energy"
    return found


def _clock(readings: Readings, table: Table, areas: np.ndarray, bulk: Bulk | None) -> _Clock:
    """Walk the local labels. The row of the hour that spring skips has no value, and is no gap."""
    name = next((name for name in table.names if _TIME.match(name)), None)
    if name is None:
        refuse(readings.file, "has no column MTU or Time", "missing_column")
    labels = table.columns[name]
    zone = _zone(readings.file, name, table)
    times = parse_labels(labels, "%d.%m.%Y %H:%M - ...")
    lengths = _ends(labels) - times.seconds
    bad = times.bad | ~np.isin(lengths, LENGTHS_S)
    lines = table.lines
    report(readings.findings, readings.file, bad, lines, name, labels, _LABEL)
    readings.findings.check()
    found = walk_rows(readings, lambda rows: walk(times.seconds[rows], zone, areas[rows]), times.seconds, areas, lines)
    empty = _empty_rows(bulk.numbers if bulk else table, found.skipped)
    readings.drop("empty rows of the hour that does not exist in spring", int((found.skipped & empty).sum()))
    wrong = found.skipped & ~empty
    what = f"does not exist in {zone}, but has values"
    report(readings.findings, readings.file, wrong, lines, name, labels, what, "nonexistent_time")
    return _Clock(found.seconds, lengths, ~(found.skipped | found.unclear), zone)


def _ends(labels: pa.ChunkedArray) -> np.ndarray:
    """Return the local wall-clock seconds at which intervals end, int64[n]; 0 where a label does not tell."""
    return parse_labels(labels, "%d.%m.%Y %H:%M...", skip=len("31.01.2019 00:00 - ")).seconds


def _zone(file: File, column: str, table: Table) -> str:
    """Return the zone that the header or, in a column MTU, every label names: a file that names two is refused."""
    header = _TIME.match(column)
    words = {header["zone"]} if header and header["zone"] else set()
    tail = common_tail(table.columns[column], len("31.01.2019 00:00 - 31.01.2019 01:00")) if not words else None
    if tail and (match := _CELL.search(tail)):
        words = {match["zone"]}
    if not words and len(table):
        labels = encode(as_text(one_array(table.columns[column])))[1]
        words = {match["zone"] if (match := _CELL.search(str(label))) else None for label in labels if label}
    if None in words and len(words) > 1:
        _refuse_unzoned(file, column, table)
    if len(words) > 1:
        said = " and ".join(sorted(word or "none" for word in words))
        refuse(file, f"names several time zones: {said}", "unknown_zone", column=column)
    return named_zone(file, words.pop() if words else None, column)


def _refuse_unzoned(file: File, column: str, table: Table) -> NoReturn:
    """Refuse labels that name no zone where others do, such as the header of a second file behind the first."""
    labels, findings = [str(label or "") for label in one_array(table.columns[column]).to_pylist()], Findings()
    for line, label in zip(table.lines.tolist(), labels, strict=True):
        if not _CELL.search(label):
            what = (
                "is a second header, as of two files in one: read them apart" if label.strip() == column else _UNZONED
            )
            findings.add(
                "unknown_zone", f"{column} {label!r} {what}", file=file.name, line=line, column=column, value=label
            )
    raise RefusedError(findings)


def _empty_rows(cells: Table | Mapping[str, Numbers], rows: np.ndarray) -> np.ndarray:
    """bool[n]: no cell of the row has a value; looked at where `rows` bool[n] says so, False elsewhere."""
    empty = rows.copy()
    if isinstance(cells, Table):
        some = np.flatnonzero(rows)
        for name in cells.names if len(some) else ():
            if name != "Area" and not _TIME.match(name):
                found = one_array(cells.columns[name]).take(some).to_pylist()
                empty[some] &= [cell is None or str(cell).strip() in _NO_VALUE for cell in found]
        return empty
    for numbers in cells.values():
        if not every(numbers.null):
            empty &= numbers.null
    return empty


FORMAT = Format(
    name="entsoe-old",
    title="ENTSO-E Transparency Platform, old export",
    looks_like='"Area","MTU","Biomass  - Actual Aggregated [MW]",... or "Time (CET/CEST)",...,"Actual Total Load [MW]"',
    quirks=(
        "MW, the mean of 15, 30 or 60 minutes, which may change within a file; local time, the zone in brackets",
        "spring has an empty row for the hour that does not exist: dropped",
        "autumn has one label twice: in order, first summer then winter time; without order, neither is read",
        "n/e is a type that the area does not have; N/A and - are gaps",
        "pumping is a column of its own: consumption, never generation",
        "one energy under CTY|, BZN| and CTA|: the first of them that is there is read",
        "a workbook has the same table, below titles or not, its numbers as numbers or as text: needs the extra xlsx",
    ),
    detect=detect,
    read=read,
    needs=workbook.EXTRA,
)
