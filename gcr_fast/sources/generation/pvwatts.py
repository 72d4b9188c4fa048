"""NREL's PVWatts and SAM: simulated hours of a year that has no number, in local standard time, without 29 February."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.columns import as_text, one_array
from gcr_fast.periods import zone_named
from gcr_fast.sources.cells import KILO, ONE, report
from gcr_fast.sources.devices import ANY_GENERATION, only_area, told
from gcr_fast.sources.files import File, Table, read_csv, refuse
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.portions import labels_of
from gcr_fast.sources.rounding import note_rounding
from gcr_fast.sources.sites import AZIMUTH, KW, LATITUDE, SITE, TILT, site_of, untold
from gcr_fast.sources.wide import Column, Layout, step_of, wide
from gcr_fast.sources.words import KINDS

if TYPE_CHECKING:
    import pyarrow as pa

TIMES = ["Month", "Day", "Hour"]
POWER = "AC System Output (W)"
STAMP, SAM_POWER = "Time stamp", "System power generated | (kW)"
TITLE = "PVWatts: Hourly PV Performance Data"
_LABELS = {
    "Lat (deg N)": LATITUDE,
    "Long (deg W)": "degrees west",
    "DC System Size (kW)": KW,
    "Array Tilt (deg)": TILT,
    "Array Azimuth (deg)": AZIMUTH,
}


def detect(file: File) -> bool:
    """Whether the file has PVWatts' title, or the header of its hours."""
    return file.kind == "csv" and (_cells(file, 0)[:1] == [TITLE] or _header(file) is not None)


def _lines(file: File) -> Iterator[tuple[int, str]]:
    """Yield the lines among which the header is."""
    return enumerate(file.head_lines[:60])


def _cells(file: File, at: int) -> list[str]:
    """Return the cells of a line of the head."""
    lines = file.head_lines[at : at + 1]
    return [cell.strip() for cell in next(csv.reader(lines), [])]


def _header(file: File) -> int | None:
    for at, line in _lines(file):
        cells = _cells(file, at) if "Month" in line else []
        if cells[:3] == TIMES and POWER in cells:
            return at
    return None


def read(file: File, how: How) -> Readings:
    """Read the AC output; the year is what `how` names, the standard time that of `how.zone`."""
    header = _header(file)
    if header is None:
        tables = [_cells(file, at) for at, line in _lines(file) if line.lstrip('"').startswith("Month")]
        monthly = any(cells[1:2] != ["Day"] for cells in tables)
        what = "has months, not hours: ask PVWatts for hourly data" if monthly else f"has no column {POWER}"
        refuse(file, what, "missing_column", column=POWER)
    year, zone = _told(file, how)
    table = read_csv(file, skip=header, only=[*TIMES, POWER])
    readings = Readings(file, FORMAT.name, rows=len(table), attribution="NREL PVWatts", zone=zone)
    readings.site = _site(file, header)
    rows = np.flatnonzero(~_is_total(table.columns["Month"]))
    readings.drop("line of totals", len(table) - len(rows))
    starts = _starts(
        readings, _labels(table, rows, year), rows + table.first_line, "%Y-%m-%d %H:%M", "Month, Day, Hour"
    )
    wide(readings, table, starts, rows, {POWER: Column(KINDS["solar"], only_area(how))}, Layout(ONE, True, 3600))
    note_rounding(readings, readings.series, table.columns[POWER], table.first_line, ONE)
    _leave_out(readings, _cells(file, header), {*TIMES, POWER})
    return readings


def _site(file: File, header: int) -> dict[str, str]:
    """Return where the system is and how large, as the lines above the hours tell it."""
    lines = (_cells(file, at) for at in range(header))
    told = {cells[0].rstrip(":"): cells[1] for cells in lines if len(cells) > 1}
    return site_of({name: told.get(label) for label, name in _LABELS.items()})


def _told(file: File, how: How) -> tuple[int, str]:
    """Return the year, and the zone of its standard time as a fixed offset."""
    year = how.typical_year if how.year is None else how.year
    if year is None:
        what = "name one with --year of `gcr convert` or `gcr import generation`"
        refuse(file, f"is of a typical year and names none: {what}", "naive_time")
    if how.zone is None:
        refuse(file, "is in local standard time and names no zone: name one with --zone", "naive_time")
    return year, standard_zone(how.zone, year)


def standard_zone(zone: str, year: int) -> str:
    """Return a zone's standard time as a fixed offset (-07:00): the least that it has at the begin of any month."""
    place = zone_named(zone)
    offsets = [datetime(year, month, 1, tzinfo=place).utcoffset() for month in range(1, 13)]
    minutes = min(int(offset.total_seconds()) for offset in offsets if offset is not None) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


def _is_total(months: pa.ChunkedArray) -> np.ndarray:
    import pyarrow.compute as pc

    total = pc.equal(pc.utf8_trim_whitespace(as_text(one_array(months))), "Totals")
    found: np.ndarray = pc.fill_null(total, False).to_numpy(zero_copy_only=False)
    return found


def _labels(table: Table, rows: np.ndarray, year: int) -> pa.Array:
    """Join month, day and hour to one text; a cell that is empty leaves it empty."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = (as_text(one_array(table.columns[name]).take(pa.array(rows))) for name in TIMES)
    month, day, hour = map(pc.utf8_trim_whitespace, cells)
    date = pc.binary_join_element_wise(str(year), month, day, "-")
    return pc.binary_join_element_wise(date, pc.binary_join_element_wise(hour, "00", ":"), " ")


def _starts(
    readings: Readings, labels: pa.ChunkedArray | pa.Array, lines: np.ndarray, layout: str, column: str
) -> np.ndarray:
    """Return UTC starts of labels in the readings' zone, which is a fixed offset."""
    times = labels_of(labels, layout)
    what = "is no hour of that year"
    report(readings.findings, readings.file, times.bad, lines, column, labels, what)
    readings.findings.check()
    offset = datetime(2000, 1, 1, tzinfo=zone_named(readings.zone)).utcoffset()
    assert offset is not None  # a fixed offset has one
    starts: np.ndarray = times.seconds - int(offset.total_seconds())
    return starts


def _leave_out(readings: Readings, names: list[str], used: set[str]) -> None:
    for name in names:
        if name and name not in used:
            readings.left_out[name] = "no energy of the system"


FORMAT = Format(
    name="pvwatts",
    title="NREL PVWatts, hourly results",
    looks_like="PVWatts: Hourly PV Performance Data ... Month,Day,Hour,...,AC System Output (W)",
    quirks=(
        "no year: --year says which; the hours are of a typical year",
        "local standard time all year, Hour 0..23: --zone says where, its summer time is not used",
        "8,760 hours without 29 February: in a leap year that day is a gap",
        "files of two places or systems are never one series: refused together",
        "W, the mean of the hour; DC output and weather are left out, the line of totals is dropped",
    ),
    detect=detect,
    read=read,
    typical=True,
)


def detect_sam(file: File) -> bool:
    """Whether the header has SAM's time stamp and its power."""
    return file.kind == "csv" and {STAMP, SAM_POWER} <= set(_cells(file, 0))


def read_sam(file: File, how: How) -> Readings:
    """Read the power of a system; `how` says the year, the zone, and what the system is."""
    year, zone = _told(file, how)
    table = read_csv(file, only=[STAMP, SAM_POWER])
    readings = Readings(file, SAM.name, rows=len(table), attribution="NREL System Advisor Model", zone=zone)
    readings.notes[SITE] = untold("one system")
    starts = _sam_starts(readings, table, year)
    column = Column(told(file, how, SAM_POWER) or ANY_GENERATION, only_area(how))
    layout = Layout(KILO, True, _step(file, starts))
    wide(readings, table, starts, np.arange(len(table)), {SAM_POWER: column}, layout)
    note_rounding(readings, readings.series, table.columns[SAM_POWER], table.first_line, KILO)
    _leave_out(readings, _cells(file, 0), {STAMP, SAM_POWER})
    return readings


def _sam_starts(readings: Readings, table: Table, year: int) -> np.ndarray:
    import pyarrow as pa
    import pyarrow.compute as pc

    stamps = (pc.utf8_trim_whitespace(as_text(chunk)) for chunk in table.columns[STAMP].iterchunks())
    labels = pa.chunked_array([pc.binary_join_element_wise(str(year), some, " ") for some in stamps], pa.string())
    return _starts(readings, labels, table.lines, "%Y %b %d, %I:%M %p", STAMP)


def _step(file: File, starts: np.ndarray) -> int:
    if len(np.unique(starts)) < 2:
        refuse(file, "has fewer than two times: the length of its intervals is unknown", "empty_file")
    return step_of(starts)


SAM = Format(
    name="sam",
    title="NREL System Advisor Model, time series",
    looks_like="Time stamp,System power generated | (kW) with times such as Jan 1, 12:00 am",
    quirks=(
        "no year: --year says which; local standard time all year: --zone says where",
        "kW, the mean of the interval that begins at the time; below zero at night, when the inverter draws power",
        "what generates is not told: of no known kind, unless --types names one",
        "no site is told either: files that are read together are taken to be of one system, which is noted",
        "no 29 February: in a leap year that day is a gap",
    ),
    detect=detect_sam,
    read=read_sam,
    typical=True,
)
