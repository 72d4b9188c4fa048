"""EIA-930 by hour, as derived from its API for one area: a column per fuel and demand, MWh, hour ending in UTC."""

from __future__ import annotations

import numpy as np

from gcr_fast.sources.cells import MEGA, report
from gcr_fast.sources.clock import HOUR_S, parse_labels
from gcr_fast.sources.files import File, read_csv, refuse
from gcr_fast.sources.generation.eia import ATTRIBUTION
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.wide import Column, Layout, wide
from gcr_fast.sources.words import kind_of

END = "period_utc_hour_ending"


def detect(file: File) -> bool:
    """Whether the header begins with the column of hours that end in UTC, and has a fuel beside it."""
    names = file.header() if file.kind == "csv" else []
    return names[:1] == [END] and bool(_columns(names))


def _columns(names: list[str]) -> dict[str, Column]:
    kinds = {name: kind_of(name) for name in names[1:]}
    return {name: Column(kind) for name, kind in kinds.items() if kind}


def read(file: File, how: How) -> Readings:
    """Read generation and load of an area that the file does not name: a series is called by its kind alone."""
    names = file.header()
    columns = _columns(names)
    if END not in names or not columns:
        refuse(file, f"has no column {END}, or none of a known fuel", "missing_column")
    table = read_csv(file, floats=list(columns), only=[END, *columns])
    readings = Readings(file, FORMAT.name, rows=len(table), attribution=ATTRIBUTION)
    readings.left_out |= dict.fromkeys((name for name in names[1:] if name not in columns), "not known")
    ends = parse_labels(table.columns[END], "%Y-%m-%dT%H")
    rows = np.arange(len(table))
    lines = rows + table.first_line
    report(readings.findings, file, ends.bad, lines, END, table.columns[END], "is not like 2019-01-31T23")
    readings.findings.check()
    layout = Layout(digits=MEGA, power=False, interval_s=HOUR_S)
    wide(readings, table, ends.seconds - HOUR_S, rows, columns, layout)
    return readings


FORMAT = Format(
    name="eia930-derived",
    title="EIA-930 by hour and fuel, derived from the API",
    looks_like="period_utc_hour_ending,coal,hydro,natural_gas,...,demand",
    quirks=(
        "the time is the end of the hour, UTC: 2019-01-01T01 is the first hour of the year",
        "MWh in the hour; demand is load",
        "hydro is the sum that EIA's API calls WAT: before July 2024 pumped storage is in it",
        "solar is slightly negative in some nights: the sign is kept",
    ),
    detect=detect,
    read=read,
)
