"""New Zealand, EMI Generation_MD: a row per plant and day, a column per trading period, kWh."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from gcr_fast.sources.cells import KILO, Numbers, numbers, report
from gcr_fast.sources.clock import numbered, parse_labels, periods_in_day
from gcr_fast.sources.figures import read_figures
from gcr_fast.sources.files import File, Table, read_csv, require
from gcr_fast.sources.long import Times, Words, long, series_keys
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.wide import Column
from gcr_fast.sources.words import kind_of

ZONE, AREA, PERIOD_S = "Pacific/Auckland", "NZ", 1800
DATE = "Trading_Date"
_PLANT = ("POC_Code", "Nwk_Code", "Gen_Code", "Fuel_Code")
_PERIOD = re.compile(r"^TP(\d{1,2})$")


def detect(file: File) -> bool:
    """Whether the header has a plant's codes, the trading date and trading periods."""
    names = set(file.header()) if file.kind == "csv" else set()
    return {"Gen_Code", "Fuel_Code", DATE, "TP1", "TP48"} <= names


def read(file: File, how: How) -> Readings:
    """Read kWh by plant and fuel: a plant that burns two fuels has two rows a day, and is two devices."""
    header = file.header()
    require(file, header, *_PLANT, DATE, *(f"TP{period}" for period in range(1, 49)))
    periods = {name: int(match[1]) for name in header if (match := _PERIOD.match(name))}
    texts = [*_PLANT, DATE]
    figures = read_figures(file, texts, list(periods), KILO)
    table = figures.table if figures else read_csv(file, floats=list(periods), keep=[*texts, *periods])
    readings = Readings(file, FORMAT.name, zone=ZONE, rows=len(table), attribution="Electricity Authority (EMI)")
    lines = table.lines
    midnights = _midnights(readings, table, lines)
    length = periods_in_day(midnights, PERIOD_S, ZONE)
    found = _values(readings, table, figures.numbers if figures else {}, periods, length, lines)
    readings.findings.check()
    key, words = series_keys([table.columns[name] for name in _PLANT])
    number, begins = np.array(list(periods.values())), Times()
    for code, plant in enumerate(words):  # one at a time: all half hours together take up many times the file
        rows = np.flatnonzero(key == code)
        days = _days(midnights[rows], number, length[rows])
        flat = Numbers(*(np.stack([part[at][rows] for part in found], axis=1)[days.there] for at in range(3)))
        starts, each, one = begins.of(days.starts), lines[rows][days.row], np.zeros(len(days.row), np.int64)
        long(readings, one, [plant], _describe, starts, flat, each, power=False, interval_s=PERIOD_S)
    return readings


class _Days(NamedTuple):
    """The trading periods of some days."""

    there: np.ndarray
    """bool[days, periods]: which periods a day has."""
    row: np.ndarray
    """int64[n]: the day of each that there is."""
    starts: np.ndarray
    """int64[n]: its begin."""


def _days(midnights: np.ndarray, number: np.ndarray, length: np.ndarray) -> _Days:
    there = number[None, :] <= length[:, None]
    row, column = np.nonzero(there)
    return _Days(there, row, numbered(midnights[row], number[column], PERIOD_S, ZONE))


def _describe(words: Words) -> Column | str:
    kind = kind_of(words[-1])
    return Column(kind, AREA, "-".join(words)) if kind else f"fuel {words[-1]} is not known"


def _midnights(readings: Readings, table: Table, lines: np.ndarray) -> np.ndarray:
    """Return the local midnights of the trading dates."""
    cells = table.columns[DATE]
    dates = parse_labels(cells, "%Y-%m-%d")
    report(readings.findings, readings.file, dates.bad, lines, DATE, cells, "is not like 2023-04-01")
    readings.findings.check()
    return dates.seconds


def _values(
    readings: Readings,
    table: Table,
    read: dict[str, Numbers],
    periods: dict[str, int],
    length: np.ndarray,
    lines: np.ndarray,
) -> list[Numbers]:
    """Return Wh of each period, if not `read` already. A value in a period that its day does not have is a finding."""
    parts = []
    for name, period in periods.items():
        cells = None if read else table.columns[name]
        found = read[name] if cells is None else numbers(cells, KILO)
        report(readings.findings, readings.file, found.bad, lines, name, cells, "is not a number of kWh")
        beyond = (period > length) & ~(found.null | found.bad)
        what = "stands in a trading period that the day does not have"
        if read and beyond.any():
            return _values(readings, read_csv(readings.file, floats=list(periods)), {}, periods, length, lines)
        report(readings.findings, readings.file, beyond, lines, name, cells, what, "nonexistent_time")
        parts.append(found)
    return parts


FORMAT = Format(
    name="nz-emi",
    title="New Zealand, EMI Generation_MD",
    looks_like="Site_Code,POC_Code,Nwk_Code,Gen_Code,Fuel_Code,Tech_Code,Trading_Date,TP1,...,TP50",
    quirks=(
        "kWh in each half hour from local midnight on: 48 of them, 46 in spring, 50 in autumn",
        "the columns beyond are empty, and are no gaps; a value there is refused",
        "one plant may stand on several lines (networks, fuels): each is a device POC-network-plant-fuel",
    ),
    detect=detect,
    read=read,
)
