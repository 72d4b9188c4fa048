"""Western Australia's Wholesale Electricity Market (AEMO): half-hourly energy by facility, and distributed solar."""

from __future__ import annotations

import numpy as np

from gcr_fast.periods import DAY_S
from gcr_fast.sources.cells import MEGA, Numbers, numbers, report
from gcr_fast.sources.clock import parse_labels
from gcr_fast.sources.files import File, Table, read_csv, require
from gcr_fast.sources.long import long, series_keys
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.revisions import replaced
from gcr_fast.sources.units_map import describe_units
from gcr_fast.sources.wide import Column, Layout, wide
from gcr_fast.sources.words import KINDS

ZONE, ZONE_S, AREA, PERIOD_S = "+08:00", 8 * 3600, "WEM", 1800
FIRST_S = 8 * 3600
"""A trading day begins at 08:00."""
TIME, NUMBER, DAY = "Trading Interval", "Interval Number", "Trading Date"
FACILITY, ENERGY, TAKEN = "Facility Code", "Energy Generated (MWh)", "Extracted At"
SOLAR, DEMAND = "Estimated DPV Generation (MW)", "Operational Demand (MW)"
_LAYOUT = "%Y-%m-%d %H:%M:%S"
_LEFT_OUT = {"EOI Quantity (MW)": "power at the end of the interval, beside its energy"}
_NO_VALUES = frozenset({TIME, NUMBER, DAY, FACILITY, ENERGY, TAKEN, SOLAR, DEMAND, "Participant Code"})


def detect(file: File) -> bool:
    """Whether the header has trading intervals beside facilities' energy or distributed solar."""
    names = set(file.header())
    return file.kind == "csv" and {TIME, NUMBER} <= names and ({FACILITY, ENERGY} <= names or SOLAR in names)


def read(file: File, how: How) -> Readings:
    """Read MWh by facility, or MW of distributed solar (and demand). `how.units` says what a facility burns."""
    names = file.header()
    require(file, names, TIME, NUMBER, *((FACILITY, ENERGY) if SOLAR not in names else (SOLAR,)))
    table = read_csv(file, floats=[name for name in (ENERGY, SOLAR, DEMAND) if name in names])
    readings = Readings(file, FORMAT.name, zone=ZONE, rows=len(table), attribution="AEMO")
    readings.left_out |= {name: _LEFT_OUT.get(name, "not known") for name in names if name not in _NO_VALUES}
    starts = _starts(readings, table)
    if ENERGY in names:
        _facilities(readings, table, starts, how)
    else:
        columns = {SOLAR: Column(KINDS["solar"], AREA), DEMAND: Column(KINDS["load"], AREA)}
        present = {name: column for name, column in columns.items() if name in names}
        wide(readings, table, starts, np.arange(len(table)), present, Layout(MEGA, power=True, interval_s=PERIOD_S))
    return readings


def _starts(readings: Readings, table: Table) -> np.ndarray:
    """Return UTC begins, checked against the interval's number, which counts from 08:00."""
    labels, lines = table.columns[TIME], table.lines
    times = parse_labels(labels, _LAYOUT)
    report(readings.findings, readings.file, times.bad, lines, TIME, labels, "is not like 2023-01-01 08:30:00")
    number = numbers(table.columns[NUMBER], 0)
    expected = (times.seconds - FIRST_S) % DAY_S // PERIOD_S + 1
    wrong = ~times.bad & (number.values != expected)
    what = "is not the trading interval of its number, which counts from 08:00"
    report(readings.findings, readings.file, wrong, lines, TIME, labels, what)
    readings.findings.check()
    return times.seconds - ZONE_S


def _facilities(readings: Readings, table: Table, starts: np.ndarray, how: How) -> None:
    cells, lines = table.columns[ENERGY], table.lines
    found = numbers(cells, MEGA)
    report(readings.findings, readings.file, found.bad, lines, ENERGY, cells, "is not a number of MWh")
    key, words = series_keys([table.columns[FACILITY]])
    taken = parse_labels(table.columns[TAKEN], _LAYOUT).seconds if TAKEN in table.names else np.zeros_like(starts)
    rows = np.flatnonzero(~replaced(starts, taken, key))
    readings.drop("rows that a later extract replaces", len(table) - len(rows))
    few = Numbers(*(part[rows] for part in found))
    describe = describe_units(readings, how, AREA)
    long(readings, key[rows], words, describe, starts[rows], few, lines[rows], power=False, interval_s=PERIOD_S)


FORMAT = Format(
    name="aemo-wem",
    title="AEMO (Western Australia), facility SCADA and distributed solar, until September 2023",
    looks_like="Trading Date,Interval Number,Trading Interval,...,Facility Code,Energy Generated (MWh),...",
    quirks=(
        "times are UTC+8 all year, and the begin of their half hour; a trading day begins at 08:00",
        "facilities: MWh; EOI Quantity is the power at the end, another way of saying it: left out",
        "solar: MW, the mean of the half hour; Operational Demand beside it is load",
        "facilities do not say what they burn: --units FILE does; one that it lacks has no source type, and is named",
        "a later extract of the same interval replaces an earlier one",
    ),
    detect=detect,
    read=read,
)
