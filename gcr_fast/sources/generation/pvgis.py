"""PVGIS of the European Commission's Joint Research Centre: hourly radiation and power of a PV system, CSV and JSON."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gcr_fast.flags import SILENT, Flags
from gcr_fast.sources.cells import ONE, numbers, report
from gcr_fast.sources.clock import parse_labels
from gcr_fast.sources.devices import only_area
from gcr_fast.sources.documents import column, member
from gcr_fast.sources.excerpt import until_blank_line
from gcr_fast.sources.files import File, Table, read_csv, refuse
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.pieces import IrregularError, texts
from gcr_fast.sources.rounding import note_rounding
from gcr_fast.sources.sites import AZIMUTH, KW, LATITUDE, LONGITUDE, TILT, site_of
from gcr_fast.sources.streamed import Told, text_columns
from gcr_fast.sources.wide import Column, Layout, wide
from gcr_fast.sources.words import KINDS

if TYPE_CHECKING:
    import pyarrow as pa

TIME, POWER, RECONSTRUCTED = "time", "P", "Int"
LAYOUT = "%Y%m%d:%H%M"
NO_POWER = "has radiation only, no column P: ask PVGIS for PV power too"
_TOLD = re.compile(r"^\s*(?P<label>[A-Z][a-z]+)\b[^:\n]*:\s*(?P<said>-?[\d.]+)", re.MULTILINE)
_HOUR = re.compile(r"^\s*\"?\d{8}:\d{4}\b")
_LABELS = {"Latitude": LATITUDE, "Longitude": LONGITUDE, "Nominal": KW, "Slope": TILT, "Azimuth": AZIMUTH}
"""The site in the header, by the first words of its lines."""
_KEYS = {
    "location.latitude": LATITUDE,
    "location.longitude": LONGITUDE,
    "pv_module.peak_power": KW,
    "mounting_system.fixed.slope.value": TILT,
    "mounting_system.fixed.azimuth.value": AZIMUTH,
}
"""The same in a JSON answer."""
ATTRIBUTION = "PVGIS (c) European Union"


def detect(file: File) -> bool:
    """Whether a text begins with the place and has hours, or a JSON document names a radiation database."""
    if file.kind == "json":
        head = file.head_text
        return '"radiation_db"' in head and '"meteo_data"' in head
    begins = file.kind == "csv" and file.head_text.lstrip().startswith("Latitude (decimal degrees)")
    return begins and _header(file) is not None


def _header(file: File) -> int | None:
    return next((at for at, line in enumerate(file.head_lines[:60]) if line.startswith(f"{TIME},")), None)


class _Hours(NamedTuple):
    table: Table
    end: str
    """What stands below the table."""
    site: dict[str, str]


def read(file: File, how: How) -> Readings:
    """Read the power of the system. The minute is when the satellite looked: hours begin at :00."""
    hours = _json(file) if file.kind == "json" else _csv(file)
    table = hours.table
    readings = Readings(file, FORMAT.name, rows=len(table), attribution=_attribution(hours.end), site=hours.site)
    times = parse_labels(table.columns[TIME], LAYOUT)
    lines = table.lines
    cells = table.columns[TIME]
    report(readings.findings, file, times.bad, lines, TIME, cells, "is not like 20160101:0010")
    readings.findings.check()
    minutes = times.seconds % 3600
    odd = minutes != minutes[0] if len(minutes) else np.zeros(0, dtype=bool)
    report(readings.findings, file, odd, lines, TIME, cells, f"is not {minutes[:1] // 60} minutes past the hour")
    starts = times.seconds - minutes
    columns = {POWER: Column(KINDS["solar"], only_area(how))}
    wide(readings, table, starts, np.arange(len(table)), columns, Layout(ONE, True, 3600), flags=_flags(table))
    note_rounding(readings, readings.series, table.columns[POWER], table.first_line, ONE)
    for name in table.names:
        if name not in {TIME, POWER, RECONSTRUCTED}:
            readings.left_out[name] = "weather or radiation, no energy"
    return readings


def _flags(table: Table) -> Flags | None:
    """Return which hours' radiation was reconstructed; an answer without the column does not tell."""
    if RECONSTRUCTED not in table.names:
        return None
    said = numbers(table.columns[RECONSTRUCTED], ONE).values == 1
    return Flags(np.where(said, 0, SILENT).astype(np.int8), ("reconstructed",)) if said.any() else None


def _csv(file: File) -> _Hours:
    header = _header(file)
    if header is None:
        refuse(file, f"has no table that begins with {TIME}", "missing_column", column=TIME)
    part, end = until_blank_line(file, header)
    _refuse_more_hours(file, end)
    table = read_csv(part, skip=header)
    if POWER not in table.names:
        refuse(file, NO_POWER, "missing_column", column=POWER)
    told = dict(_TOLD.findall("\n".join(file.head_lines[:header])))
    return _Hours(table, end, site_of({name: told.get(label) for label, name in _LABELS.items()}))


def _refuse_more_hours(file: File, end: str) -> None:
    """Refuse a file that has hours below its legend, or a blank line in their midst: they would be lost unsaid."""
    below = end.splitlines()
    first = next((at for at, line in enumerate(below) if _HOUR.match(line)), None)
    if first is not None:
        line = len(file.text().splitlines()) - len(below) + first + 1
        what = "has hours below a blank line, where PVGIS ends a table: take it out, or read the tables apart"
        refuse(file, what, "malformed_row", line=line)


def _json(file: File) -> _Hours:
    import pyarrow as pa

    told = Told(texts(file), "outputs", "hourly")
    hours = iter(told)
    try:
        first = next(hours, {})
        columns, count = text_columns(_needed(first, hour) for hour in chain([first], hours))
        document = told.rest
    except IrregularError:
        document = file.json()
        columns, first = _columns_at_once(file, document)
        count = len(columns[TIME])
    others = {name: pa.nulls(count, pa.string()) for name in first if name not in columns}
    return _Hours(Table(pa.table(columns | others), 1), "", _json_site(document))


def _needed(first: dict[str, Any], hour: dict[str, Any]) -> dict[str, Any]:
    """Return the cells that are read of an hour; the first tells whether hours may be reconstructed."""
    try:
        needed = {name: hour[name] for name in (TIME, POWER)}
    except KeyError:
        raise IrregularError from None
    return needed | ({RECONSTRUCTED: str(hour.get(RECONSTRUCTED))} if RECONSTRUCTED in first else {})


def _columns_at_once(file: File, document: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (columns, the first hour) of a document that is in memory. Refused: one in which something is missing."""
    import pyarrow as pa

    if not isinstance(document, dict):
        refuse(file, "is a JSON list where an object was expected")
    rows = member(file, member(file, document, "outputs", dict), "hourly", list, "outputs")
    if not rows:
        refuse(file, "has no hours", "empty_file")
    if isinstance(rows[0], dict) and POWER not in rows[0]:
        refuse(file, NO_POWER, "missing_column", column=POWER)
    columns: dict[str, pa.Array] = {name: column(file, rows, name, "hourly") for name in (TIME, POWER)}
    if RECONSTRUCTED in rows[0]:
        columns[RECONSTRUCTED] = pa.array([str(row.get(RECONSTRUCTED)) for row in rows])
    return columns, rows[0]


def _json_site(document: dict[str, Any]) -> dict[str, str]:
    """Return what the inputs of an answer tell, in the words of the header of a CSV."""
    told: dict[str, object] = {}
    for path, name in _KEYS.items():
        found: Any = document.get("inputs")
        for key in path.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        told[name] = found if isinstance(found, str | int | float) else None
    return site_of(told)


def _attribution(end: str) -> str:
    said = next((line.strip() for line in end.splitlines() if line.startswith("PVGIS (c)")), "")
    return said or ATTRIBUTION


FORMAT = Format(
    name="pvgis",
    title="PVGIS, hourly radiation and PV power",
    looks_like="Latitude (decimal degrees): ... time,P,G(i),H_sun,... 20160101:0010,... or JSON with outputs.hourly",
    quirks=(
        "20160101:0010: the minute is when the satellite passed; the interval is the hour that begins at :00 UTC",
        "W of the system that was asked for, rounded down: what a small one loses is noted",
        "several years in one file: --year keeps one",
        "hours whose radiation was reconstructed (Int is 1) have the flag reconstructed",
        "files of two places or systems are never one series: refused together",
        "a legend follows after blank lines: not read",
        "without the PV option there is no column P: refused, radiation is no power",
    ),
    detect=detect,
    read=read,
)
