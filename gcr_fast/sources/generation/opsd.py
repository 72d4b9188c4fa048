"""Open Power System Data, package time series: UTC rows, a column per zone and kind, many files of 200 columns."""

from __future__ import annotations

import re

import numpy as np

from gcr_fast.sources.bulk import read_bulk
from gcr_fast.sources.cells import MEGA, report
from gcr_fast.sources.clock import parse_labels
from gcr_fast.sources.files import File, read_csv, refuse, require
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.wide import Column, Layout, step_of, wide
from gcr_fast.sources.words import KINDS, kind_of

START = "utc_timestamp"
_GENERATION = re.compile(r"^(?P<area>[A-Za-z0-9_]+?)_(?P<kind>solar|wind(?:_onshore|_offshore)?)_generation_actual$")
_LOAD = re.compile(r"^(?P<area>[A-Za-z0-9_]+?)_load_actual_entsoe_(?:transparency|power_statistics)$")
_WINDS = ("wind_onshore", "wind_offshore")
_NO_ENERGY = ("_capacity", "_profile", "_forecast", "_price", "_day_ahead")


def detect(file: File) -> bool:
    """Whether the header has the package's time column and a column of its kind."""
    if file.kind != "csv" or not file.head_text.lstrip('" ').startswith(START):
        return False
    return file.header()[:1] == [START] and any(map(_column, file.header()))


def _column(name: str) -> Column | None:
    """Return what a column of energy holds; None if it holds something else."""
    made, used = _GENERATION.match(name), _LOAD.match(name)
    kind = kind_of(made["kind"]) if made else KINDS["load"] if used else None
    match = made or used
    return Column(kind, match["area"].upper()) if kind and match else None


def _doubled(columns: dict[str, Column]) -> dict[str, str]:
    """Return the columns that count what others count, each with what is read instead."""
    doubled: dict[str, str] = {}
    by_area = {(column.area, column.kind.slug): name for name, column in columns.items()}
    for name, column in columns.items():
        parts = [by_area[key] for slug in _WINDS if (key := (column.area, slug)) in by_area]
        transparency = name.replace("power_statistics", "transparency")
        if column.kind.slug == "wind" and len(parts) == len(_WINDS):
            doubled[name] = f"the sum of {' and '.join(parts)}"
        elif column.kind.slug == "wind" and parts:  # the other part was cut out of the file: the sum still has it
            doubled[parts[0]] = f"part of {name}, which is read, as the file lacks the other part"
        elif transparency != name and transparency in columns:
            doubled[name] = f"the same load as {transparency}, by another statistic"
    return doubled


def read(file: File, how: How) -> Readings:
    """Read the actual generation and load; capacities, profiles, forecasts and prices are left out."""
    names = file.header()
    columns = {name: column for name in names if (column := _column(name))}
    if not columns:
        refuse(file, "has no column of actual generation or load", "missing_column")
    require(file, names, START)
    doubled = _doubled(columns)
    columns = {name: column for name, column in columns.items() if name not in doubled}
    bulk = read_bulk(file, names, [START], list(columns), MEGA)
    table = bulk.table if bulk else read_csv(file, floats=list(columns), only=[START, *columns])
    readings = Readings(file, FORMAT.name, rows=len(table), zone=how.zone or "UTC")
    readings.attribution = "Open Power System Data"
    for name in names:
        if name not in columns and not name.startswith(("utc_", "cet_cest_")):
            why = "no energy" if any(word in name for word in _NO_ENERGY) else "not known"
            readings.left_out[name] = doubled.get(name, why)
    times = parse_labels(table.columns[START], "%Y-%m-%dT%H:%M:%S%z")
    lines = table.lines
    report(readings.findings, file, times.bad, lines, START, table.columns[START], "is not like 2017-01-01T00:00:00Z")
    readings.findings.check()
    rows = np.arange(len(table))
    layout = Layout(digits=MEGA, power=True, interval_s=step_of(times.seconds))
    wide(readings, table, times.seconds, rows, columns, layout, read=bulk.numbers if bulk else None)
    return readings


FORMAT = Format(
    name="opsd",
    title="Open Power System Data, time series",
    looks_like="utc_timestamp,[cet_cest_timestamp,]DE_wind_generation_actual,...",
    quirks=(
        "columns of capacity, capacity factor and forecast stand beside generation: left out",
        "MW, the mean of the interval that begins at the time",
        "wind stands beside its parts, on land and at sea: the parts are read; of two statistics of load one",
        "the last year stops in the middle: its missing hours are gaps",
    ),
    detect=detect,
    read=read,
)
