"""National Energy System Operator (Great Britain), historic generation mix: one wide half-hourly file since 2009."""

from __future__ import annotations

import numpy as np

from gcr_fast.sources.cells import MEGA, report
from gcr_fast.sources.clock import parse_best
from gcr_fast.sources.figures import read_figures
from gcr_fast.sources.files import File, Table, read_csv, require
from gcr_fast.sources.generation.elexon import AREA, ZONE
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.wide import Column, Layout, step_of, wide
from gcr_fast.sources.words import KINDS

TIME = "DATETIME"
_COLUMNS = {
    "GAS": "fossil_gas",
    "COAL": "fossil_coal",
    "NUCLEAR": "nuclear",
    "WIND": "wind",
    "WIND_EMB": "wind_embedded",
    "HYDRO": "hydro",
    "BIOMASS": "biomass",
    "OTHER": "other",
    "SOLAR": "solar",
    "STORAGE": "energy_storage",
    "IMPORTS": "imports",
}
_SUMS = frozenset({"GENERATION", "LOW_CARBON", "ZERO_CARBON", "RENEWABLE", "FOSSIL"})
_LAYOUTS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S%z")


def detect(file: File) -> bool:
    """Whether the header has this file's time, fuels and carbon columns."""
    names = file.header() if file.kind == "csv" else []
    return names[:1] == [TIME] and {"GAS", "GENERATION", "CARBON_INTENSITY"} <= set(names)


def read(file: File, how: How) -> Readings:
    """Read MW by fuel. Sums of fuels, percentages and the carbon intensity are left out."""
    require(file, file.header(), TIME)
    columns = {name: Column(KINDS[_COLUMNS[name]], AREA) for name in file.header() if name in _COLUMNS}
    names = [TIME, *columns]
    figures = read_figures(file, [TIME], list(columns), MEGA, only=names)
    table = figures.table if figures else read_csv(file, floats=list(columns), only=names)
    readings = Readings(file, FORMAT.name, zone=ZONE, rows=len(table), attribution="National Energy System Operator")
    for name in file.header():
        if name != TIME and name not in columns:
            readings.left_out[name] = _reason(name)
    starts = _starts(readings, table)
    layout = Layout(MEGA, power=True, interval_s=step_of(starts, 1800))
    read = figures.numbers if figures else None
    wide(readings, table, starts, np.arange(len(table)), columns, layout, read=read)
    return readings


def _reason(name: str) -> str:
    if name.endswith("_perc"):
        return "a percentage"
    if name in _SUMS:
        return "a sum of other columns"
    return "no energy" if name == "CARBON_INTENSITY" else "not known"


def _starts(readings: Readings, table: Table) -> np.ndarray:
    """Return the begins. Times name no zone; their publisher says that they are UTC."""
    labels = table.columns[TIME]
    times = parse_best(labels, *_LAYOUTS)
    lines = table.lines
    report(readings.findings, readings.file, times.bad, lines, TIME, labels, "is not like 2023-02-01 00:30:00")
    readings.findings.check()
    return times.seconds


FORMAT = Format(
    name="neso",
    title="NESO (Great Britain), historic generation mix",
    looks_like="DATETIME,GAS,COAL,NUCLEAR,WIND,[WIND_EMB,]HYDRO,IMPORTS,...,GENERATION,CARBON_INTENSITY,...",
    quirks=(
        "MW, the mean of the half hour that begins at the time; times name no zone and are UTC",
        "FOSSIL, RENEWABLE, LOW_CARBON, ZERO_CARBON and GENERATION are sums of the others: left out",
        "columns in _perc are percentages: left out",
        "WIND is what the transmission system meters, WIND_EMB an estimate of what is connected below it",
        "IMPORTS is trade, STORAGE is storage: never generation",
    ),
    detect=detect,
    read=read,
)
