"""ENTSO-E Transparency Platform, export of the old web site: wide, local time, every cell quoted."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from gcr_fast.sources.cells import MEGA, report
from gcr_fast.sources.clock import parse_labels, walk
from gcr_fast.sources.files import File, Table, read_csv, refuse
from gcr_fast.sources.generation.entsoe import ABSENT, ATTRIBUTION, MISSING, ZONES, area_code
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.wide import Column, Layout, step_of, wide
from gcr_fast.sources.words import KINDS, kind_of

_VALUE = re.compile(r"^(?P<kind>.+?)\s+- Actual (?P<way>Aggregated|Consumption) \[MW\]$")
_LOAD = re.compile(r"^Actual Total Load \[MW\](?: - .*)?$")
_TIME = re.compile(r"^(?:MTU|Time \((?P<zone>[A-Z/]+)\))$")
_CELL = re.compile(r"\((?P<zone>[A-Z/]+)\)\s*$")


def detect(file: File) -> bool:
    """Whether the header has this export's time column beside columns of actual MW."""
    if file.kind != "csv" or not file.head_lines:
        return False
    head = file.head_lines[0]
    wide_types = '"MTU"' in head and "- Actual Aggregated [MW]" in head
    return wide_types or ('"Time (' in head and "Actual Total Load [MW]" in head)


class _Clock(NamedTuple):
    starts: np.ndarray
    rows: np.ndarray
    zone: str


def read(file: File, how: How) -> Readings:
    """Read generation by type, or load. Pumping is kept as consumption; types the area does not have are left out."""
    table = read_csv(file)
    readings = Readings(file, FORMAT.name, rows=len(table), attribution=ATTRIBUTION)
    clock = _clock(readings, table, how)
    areas = _areas(table, clock.rows)
    columns = _columns(readings, table.names, areas[0])
    layout = Layout(MEGA, True, step_of(clock.starts), MISSING, ABSENT)
    wide(readings, table, clock.starts, clock.rows, columns, layout)
    readings.zone = clock.zone
    return readings


def _areas(table: Table, rows: np.ndarray) -> list[str]:
    """Return the areas of a file; this export has one, or none in a load file."""
    if "Area" not in table.names:
        return [""]
    areas = list(dict.fromkeys(area_code(str(name)) for name in table.columns["Area"].unique().to_pylist() if name))
    return areas or [""]


def _columns(readings: Readings, names: list[str], area: str) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for name in names:
        value = _VALUE.match(name)
        kind = KINDS["load"] if _LOAD.match(name) else kind_of(value["kind"]) if value else None
        if value and kind and value["way"] == "Consumption":
            kind = KINDS["pumping" if kind.slug == "hydro_pumped_storage" else "consumption"]
        if kind:
            found[name] = Column(kind, area)
        elif name != "Area" and not _TIME.match(name):
            readings.left_out[name] = "not known" if value else "no actual energy"
    return found


def _clock(readings: Readings, table: Table, how: How) -> _Clock:
    """Walk the local labels. The row of the hour that spring skips has no value, and is no gap."""
    name = next((name for name in table.names if _TIME.match(name)), None)
    if name is None:
        refuse(readings.file, "has no column MTU or Time", "missing_column")
    labels = table.columns[name]
    zone = how.zone or _zone(readings.file, name, str(labels[0].as_py()))
    times = parse_labels(labels, "%d.%m.%Y %H:%M - ...")
    lines = np.arange(len(table)) + table.first_line
    report(
        readings.findings,
        readings.file,
        times.bad,
        lines,
        name,
        labels,
        "is not like 31.01.2019 00:00 - 31.01.2019 01:00",
    )
    readings.findings.check()
    found = walk(times.seconds, zone)
    empty = _empty_rows(table)
    rows = np.flatnonzero(~(found.skipped & empty))
    readings.drop("empty rows of the hour that does not exist in spring", len(table) - len(rows))
    wrong = found.skipped & ~empty
    what = f"does not exist in {zone}, but has values"
    report(readings.findings, readings.file, wrong, lines, name, labels, what, "nonexistent_time")
    return _Clock(found.seconds[rows], rows, zone)


def _zone(file: File, column: str, cell: str) -> str:
    header, label = _TIME.match(column), _CELL.search(cell)
    word = (header and header["zone"]) or (label and label["zone"])
    if word not in ZONES:
        refuse(file, f"names the time zone {word!r}, which is not known", "unknown_zone", column=column)
    return ZONES[word]


def _empty_rows(table: Table) -> np.ndarray:
    """bool[n]: no cell of the row has a value."""
    empty = np.ones(len(table), dtype=bool)
    for name in table.names:
        if name != "Area" and not _TIME.match(name):
            column = table.columns[name]
            empty &= column.is_null().to_numpy() if column.null_count else False
    return empty


FORMAT = Format(
    name="entsoe-old",
    title="ENTSO-E Transparency Platform, old export",
    looks_like='"Area","MTU","Biomass  - Actual Aggregated [MW]",... or "Time (CET/CEST)",...,"Actual Total Load [MW]"',
    quirks=(
        "MW, the mean of each 15, 30 or 60 minutes; local time, the zone in brackets",
        "spring has an empty row for the hour that does not exist: dropped",
        "autumn has one label twice: in order, first summer then winter time",
        "n/e is a type that the area does not have; N/A and - are gaps",
        "pumping is a column of its own: consumption, never generation",
    ),
    detect=detect,
    read=read,
)
