"""CAISO Today's Outlook, one day a file: supply by fuel (fuelsource.csv), demand (netdemand.csv, demand.csv)."""

from __future__ import annotations

import re

import numpy as np

from gcr_fast.columns import as_text, one_array
from gcr_fast.periods import DAY_S, local_to_utc, utc_text
from gcr_fast.sources.cells import MEGA, report
from gcr_fast.sources.clock import parse_labels
from gcr_fast.sources.files import File, Table, read_csv, refuse
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.wide import Column, Layout, wide
from gcr_fast.sources.words import KINDS, kind_of

AREA, ZONE = "CAISO", "America/Los_Angeles"
TIME, INTERVAL_S = "Time", 300
_DATED = re.compile(r"(?<!\d)(?P<year>20\d\d)(?P<month>\d\d)(?P<day>\d\d)_")
_LOAD = "Current demand"
_REASONS = {"Net demand": "demand less solar and wind", "Demand response": "no generation"}
_OF_SUPPLY = frozenset({"Solar", "Wind", "Large Hydro", "Imports"})


def detect(file: File) -> bool:
    """Whether the header is one of the outlook's: a time of day beside CAISO's own words for supply or demand."""
    names = file.header() if file.kind == "csv" else []
    words = {name.lower() for name in names}
    supply = {name.lower() for name in _OF_SUPPLY} <= words
    return names[:1] == [TIME] and (supply or _LOAD.lower() in words)


def read(file: File, how: How) -> Readings:
    """Read a day, whose date is only in the file's name. The hour that clocks skip is no gap; the hour lost is one."""
    midnight = _midnight(file)
    readings = Readings(file, FORMAT.name, zone=ZONE, attribution="California ISO, Today's Outlook")
    names = file.header()
    if TIME not in names:
        refuse(file, f"has no column {TIME}", "missing_column", column=TIME)
    columns = _columns(readings, names)
    table = read_csv(file, floats=list(columns))
    readings.rows = len(table)
    starts, rows = _clock(readings, table, midnight, list(columns))
    layout = Layout(digits=MEGA, power=True, interval_s=INTERVAL_S)
    wide(readings, table, starts, rows, columns, layout)
    readings.notes[f"all of {utc_text(midnight)[:10]}"] = "the date is that of the file's name: the file has none"
    return readings


def _midnight(file: File) -> int:
    """Return the wall-clock midnight of the day that the file's name begins with."""
    found = _DATED.search(file.path.name)
    if not found:
        said = "has times without a date: name it YYYYMMDD_fuelsource.csv or YYYYMMDD_netdemand.csv, after its day"
        refuse(file, said, "unreadable_value", column=TIME)
    day = f"{found['year']}-{found['month']}-{found['day']}"
    try:
        return int(np.datetime64(day, "s").astype(np.int64))
    except ValueError:
        refuse(file, f"is named after the day {day}, which is in no calendar", "unreadable_value", value=day)


def _columns(readings: Readings, names: list[str]) -> dict[str, Column]:
    found: dict[str, Column] = {}
    demand = any(name.lower() == _LOAD.lower() for name in names)
    for name in names:
        if name == TIME:
            continue
        kind = (KINDS["load"] if name.lower() == _LOAD.lower() else None) if demand else kind_of(name)
        if kind:
            found[name] = Column(kind, AREA)
        else:
            forecast = "a forecast" if "forecast" in name.lower() else "not known"
            readings.left_out[name] = _REASONS.get(name, forecast)
    return found


def _clock(readings: Readings, table: Table, midnight: int, columns: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return (UTC starts, rows of the table) without the hour that is skipped and without the next day's midnight."""
    labels = table.columns[TIME]
    lines = table.lines
    times = _times_of_day(table)
    report(readings.findings, readings.file, times < 0, lines, TIME, labels, "is no time of day such as 23:55")
    readings.findings.check()
    following = _following(times)
    empty = np.ones(len(table), dtype=bool)
    for name in columns:
        empty &= table.columns[name].is_null().to_numpy()
    found = local_to_utc(midnight + times, ZONE)  # the earlier of two hours: the later is never there
    wrong = found.skipped & ~empty & ~following
    what = f"does not exist on that day in {ZONE}, but has values"
    report(readings.findings, readings.file, wrong, lines, TIME, labels, what, "nonexistent_time")
    readings.drop("midnight of the next day, whose file has it", int(following.sum()))
    readings.drop("empty rows of the hour that does not exist in spring", int((found.skipped & ~following).sum()))
    rows = np.flatnonzero(~found.skipped & ~following)
    return found.earliest[rows], rows


def _following(times: np.ndarray) -> np.ndarray:
    """bool[n]: the row of the next day's midnight, which ends a file, or begins one that is told backwards."""
    backwards = (np.diff(times) < 0).sum() > (np.diff(times) > 0).sum()
    edge = 0 if backwards else len(times) - 1
    following: np.ndarray = (np.arange(len(times)) == edge) & (times == 0) & (len(times) > 1)
    return following


def _times_of_day(table: Table) -> np.ndarray:
    """Return seconds since midnight int64[n]; -1 for what is no multiple of five minutes of a day."""
    import pyarrow.compute as pc

    dated = pc.binary_join_element_wise("2000-01-01", as_text(one_array(table.columns[TIME])), " ")
    found = parse_labels(dated, "%Y-%m-%d %H:%M")
    times: np.ndarray = found.seconds % DAY_S
    return np.where(found.bad | (times % INTERVAL_S != 0), -1, times)


FORMAT = Format(
    name="caiso",
    title="California ISO, Today's Outlook: fuelsource.csv, netdemand.csv",
    looks_like="Time,Solar,Wind,Geothermal,... or Time,...,Current demand,...: times of day only",
    quirks=(
        "the date is in the file's name only, YYYYMMDD_fuelsource.csv: a file of another name is refused",
        "MW at a moment every five minutes, taken for the five minutes that begin with it; local time",
        "in spring an hour has empty rows: dropped; in autumn the second of the two hours is not there: a gap",
        "netdemand.csv ends with midnight of the next day: dropped, the next file has it",
        "solar is negative at night; batteries are storage, imports are trade; net demand and forecasts are left out",
    ),
    detect=detect,
    read=read,
)
