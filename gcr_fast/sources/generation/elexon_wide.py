"""Wide yearly dumps of Elexon data (FUELHH, B1630) as a common client of the older service saved them."""

from __future__ import annotations

import numpy as np

from gcr_fast.columns import runs
from gcr_fast.periods import DAY_S, local_to_utc, utc_to_local
from gcr_fast.sources.cells import MEGA, report
from gcr_fast.sources.figures import read_figures
from gcr_fast.sources.files import File, Table, read_csv, require
from gcr_fast.sources.generation.elexon import ATTRIBUTION, PERIOD_S, ZONE, fuel_column
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.portions import labels_of
from gcr_fast.sources.wide import Column, Layout, step_of, wide

TIME = "local_datetime"
MANY_KINDS = 5
"""Kinds of plants that are never all still at once."""


def detect(file: File) -> bool:
    """Whether the header is a local time beside fuels."""
    names = file.header() if file.kind == "csv" else []
    return names[:1] == [TIME] and any(fuel_column(name.strip('"')) for name in names[1:])


def read(file: File, how: How) -> Readings:
    """Read MW by fuel. Rows without a time are placed by their sequence, where it leaves no choice."""
    header = file.header()
    require(file, header, TIME)
    names = [name for name in header if name != TIME]
    figures = read_figures(file, [TIME], names, MEGA)
    table = figures.table if figures else read_csv(file, floats=names)
    readings = Readings(file, FORMAT.name, zone=ZONE, rows=len(table), attribution=ATTRIBUTION)
    starts = _starts(readings, table)
    readings.findings.check()
    columns: dict[str, Column] = {}
    for name in header:
        column = fuel_column(name.strip('"'))
        if column is not None:
            columns[name] = column
        elif name != TIME:
            readings.left_out[name] = "not known"
    layout = Layout(MEGA, power=True, interval_s=step_of(starts, PERIOD_S))
    read = figures.numbers if figures else None
    wide(readings, table, starts, np.arange(len(table)), columns, layout, read=read)
    _note_zeros(readings, table)
    return readings


def _note_zeros(readings: Readings, table: Table) -> None:
    """Note rows in which no plant of any kind runs: a country never stands still, so the source has a gap there."""
    plants = [one for one in readings.series if one.source_type is not None]
    if len(plants) < MANY_KINDS:
        return
    still = np.ones(len(table), dtype=bool)
    for one in plants:
        still &= (one.values == 0) & ~one.null
    lines = np.flatnonzero(still) + table.first_line
    if len(lines):
        said = ", ".join(map(str, lines[:10].tolist())) + (", ..." if len(lines) > 10 else "")
        readings.notes[f"{_rows(len(lines))} of zeros"] = (
            f"kept, but more likely gaps that were written as 0: lines {said}"
        )


def _starts(readings: Readings, table: Table) -> np.ndarray:
    """Return UTC begins; the offset stands in each time."""
    labels = table.columns[TIME]
    times = labels_of(labels, "%Y-%m-%d %H:%M:%S%z")
    lines = table.lines
    blank = labels.is_null().to_numpy()
    wrong = times.bad & ~blank
    report(readings.findings, readings.file, wrong, lines, TIME, labels, "is not like 2018-03-25 02:00:00+01:00")
    starts = times.seconds.copy()
    known = np.unique(starts[~times.bad])
    for first, stop in runs(blank):
        _place(readings, starts, known, first, stop, lines)
    return starts


def _place(readings: Readings, starts: np.ndarray, known: np.ndarray, first: int, stop: int, lines: np.ndarray) -> None:
    """Give a run of rows without a time the intervals left of the day in which it stands, if they fit exactly.

    They fit if there are as many, all of them after the row before the run, and before the row after it.
    """
    count = stop - first
    before = int(starts[first - 1]) if first else None
    left = np.zeros(0, np.int64) if before is None else _left_of_day(before, known)
    fits = len(left) == count and left[0] > before and (stop == len(starts) or left[-1] < starts[stop])
    rows = _rows(count)
    if fits:
        starts[first:stop] = left
        day = np.datetime64(int(utc_to_local(left[:1], ZONE)[0]), "s").astype("datetime64[D]")
        noted = f"placed in order in what the day has left, from line {lines[first]} on"
        readings.notes[f"{rows} without a time on {day}"] = noted
        return
    mask = np.zeros(len(starts), dtype=bool)
    mask[first:stop] = True
    what = f"is empty, and {rows} do not fit the {len(left)} intervals left of the day before them"
    report(readings.findings, readings.file, mask, lines, TIME, None, what, "null_value")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _left_of_day(second: int, known: np.ndarray) -> np.ndarray:
    """Return the UTC intervals of a moment's local day that no row has, ascending."""
    midnight = utc_to_local(np.array([second]), ZONE) // DAY_S * DAY_S
    begin, end = (int(local_to_utc(midnight + days * DAY_S, ZONE).earliest[0]) for days in (0, 1))
    slots = np.arange(begin, end, step_of(known, PERIOD_S))
    return slots[~np.isin(slots, known)]


FORMAT = Format(
    name="elexon-wide",
    title="Elexon by fuel, yearly dump of the older service",
    looks_like='local_datetime,ccgt,oil,coal,nuclear,wind,ps,npshyd,... or local_datetime,"""Solar""",...',
    quirks=(
        "MW, the mean of the half hour that begins at the time; the offset (+00:00, +01:00) stands in each",
        "rows that repeat an earlier one word for word are dropped and counted",
        "rows without a time are placed by their order if they exactly fill what their day has left, else refused",
        "half hours in which every kind of plant is 0 are kept, and noted: they must be gaps",
        "column names may be quoted twice",
        "intfr, intned, ... are links to other countries: trade; ps is pumped storage",
    ),
    detect=detect,
    read=read,
)
