"""Australia's National Electricity Market (AEMO): output by unit every five minutes, rooftop solar every half hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcr_fast.flags import taken, told
from gcr_fast.sources.cells import MEGA, Numbers, numbers, report
from gcr_fast.sources.clock import parse_labels
from gcr_fast.sources.files import File, refuse
from gcr_fast.sources.generation.aemo_records import LEAD, Records, records_table, sections
from gcr_fast.sources.long import Describe, Words, long, series_keys
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.revisions import replaced
from gcr_fast.sources.units_map import describe_units
from gcr_fast.sources.wide import Column
from gcr_fast.sources.words import KINDS

if TYPE_CHECKING:
    import pyarrow as pa

ZONE, ZONE_S, AREA = "+10:00", 10 * 3600, "NEM"
_LAYOUT = "%Y/%m/%d %H:%M:%S"


class _Known(NamedTuple):
    """A table that is read."""

    names: tuple[str, ...]
    """Its columns, for files without an I record."""
    time: str
    words: tuple[str, ...]
    value: str
    interval_s: int


_TABLES = {
    "DISPATCH UNIT_SCADA": _Known(
        ("SETTLEMENTDATE", "DUID", "SCADAVALUE", "LASTCHANGED"), "SETTLEMENTDATE", ("DUID",), "SCADAVALUE", 300
    ),
    "ROOFTOP ACTUAL": _Known(
        ("INTERVAL_DATETIME", "REGIONID", "POWER", "QI", "TYPE", "LASTCHANGED"),
        "INTERVAL_DATETIME",
        ("REGIONID", "TYPE"),
        "POWER",
        1800,
    ),
}
_REGIONS = frozenset({"NSW1", "QLD1", "SA1", "TAS1", "VIC1"})
_TYPES = ("MEASUREMENT", "DAILY", "SATELLITE")
"""Estimates of the same rooftops, the one that is kept first."""


def detect(file: File) -> bool:
    """Whether there is an I or D record of one of the tables."""
    return file.kind == "csv" and any(_name_of(line) in _TABLES for line in file.head_lines[:50])


def _name_of(line: str) -> str:
    cells = line.split(",", 3)
    return " ".join(cells[1:3]).upper() if cells[0] in {"I", "D"} else ""


def read(file: File, how: How) -> Readings:
    """Read MW by unit or region. `how.units` says what a unit burns; units that it lacks are noted."""
    readings = Readings(file, FORMAT.name, zone=ZONE, attribution="AEMO")
    for records in sections(file):
        known = _TABLES.get(records.name)
        if known is None:
            readings.left_out[records.name] = "another table"
            continue
        _read_table(readings, records, known, how)
    readings.findings.check()
    return readings


def _read_table(readings: Readings, records: Records, known: _Known, how: How) -> None:
    file, needed = readings.file, {known.time, known.value, *known.words}
    if records.names and not needed <= set(records.names):
        have = ", ".join(records.names)
        refuse(file, f"lacks columns of {records.name}; it has {have}", "missing_column", line=records.first_line - 1)
    table = records_table(file, records, known.names, [known.value])
    if absent := sorted(needed.difference(table.column_names)):
        what = f"has records of {records.name} that end before {', '.join(absent)}: it may be cut off"
        refuse(file, what, "missing_column", line=records.first_line, column=absent[0])
    lines = np.arange(records.first_line, records.first_line + len(table), dtype=np.int32)
    readings.rows += len(table)
    _check_records(readings, records, table, lines)
    cells = table.column(known.time)
    times = parse_labels(cells, _LAYOUT)
    report(readings.findings, file, times.bad, lines, known.time, cells, "is not like 2023/09/13 05:35:00")
    found = numbers(table.column(known.value), MEGA)
    report(readings.findings, file, found.bad, lines, known.value, table.column(known.value), "is not a number of MW")
    readings.findings.check()
    starts = times.seconds - ZONE_S - known.interval_s
    key, words = series_keys([table.column(name) for name in known.words])
    rows = np.flatnonzero(~_replaced(table, starts, key))
    readings.drop("rows that a later publication replaces", len(table) - len(rows))
    units = known.words == ("DUID",)
    describe = describe_units(readings, how, AREA) if units else _describe_regions(words)
    few = Numbers(*(part[rows] for part in found))
    step = known.interval_s
    flags = None if units else taken(told(table.column("TYPE")), rows)
    long(readings, key[rows], words, describe, starts[rows], few, lines[rows], power=True, interval_s=step, flags=flags)


def _check_records(readings: Readings, records: Records, table: pa.Table, lines: np.ndarray) -> None:
    """Report rows that are no D record of the table in whose midst they stand."""
    key, words = series_keys([table.column(name) for name in LEAD[:3]])
    other = np.array([(word[0], " ".join(word[1:])) != ("D", records.name) for word in words])[key]
    what = f"is no D record of {records.name}"
    report(readings.findings, readings.file, other, lines, "record", None, what, "malformed_row")


def _replaced(table: pa.Table, starts: np.ndarray, key: np.ndarray) -> np.ndarray:
    if "LASTCHANGED" not in table.column_names:
        return np.zeros(len(starts), dtype=bool)
    return replaced(starts, parse_labels(table.column("LASTCHANGED"), _LAYOUT).seconds, key)


def _describe_regions(words: list[Words]) -> Describe:
    """Keep whole regions, and of several estimates of a region one."""
    best = {region: min((type_ for other, type_ in words if other == region), key=_rank) for region, _ in words}

    def describe(words: Words) -> Column | str:
        region, type_ = words
        if region not in _REGIONS:
            return "a part of a region, which is there as a whole"
        if type_ != best[region]:
            return f"another estimate of the same; {best[region]} is kept"
        return Column(KINDS["solar"], region)

    return describe


def _rank(type_: str) -> int:
    return _TYPES.index(type_) if type_ in _TYPES else len(_TYPES)


FORMAT = Format(
    name="aemo-nem",
    title="AEMO (eastern Australia), DISPATCH UNIT_SCADA and ROOFTOP ACTUAL",
    looks_like="C,NEMP.WORLD,... I,DISPATCH,UNIT_SCADA,1,SETTLEMENTDATE,DUID,SCADAVALUE D,DISPATCH,UNIT_SCADA,...",
    quirks=(
        "C, I and D records; a file whose last C record is missing, or speaks of more lines, was cut off: refused",
        "times are UTC+10 all year, and the end of their 5 minutes (units) or 30 minutes (rooftop)",
        "UNIT_SCADA is MW at the end of the five minutes, taken as their mean; loads are negative",
        "units do not say what they burn: --units FILE does; one that it lacks has no source type, and is named",
        "rooftop: QLDN, TASS, ... are parts of regions that are there as a whole: left out",
        "rooftop: MEASUREMENT, DAILY and SATELLITE estimate the same; the first of these that a region has is kept, "
        "and is the flag",
    ),
    detect=detect,
    read=read,
)
