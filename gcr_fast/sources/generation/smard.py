"""SMARD, the market data of the German Federal Network Agency: German or English, local time, MWh per interval."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from gcr_fast.columns import as_text, one_array
from gcr_fast.sources.cells import MEGA, Locale, locale_of, report, told_locale
from gcr_fast.sources.clock import HOUR_S, parse_best, walk
from gcr_fast.sources.doubled import walk_rows
from gcr_fast.sources.figures import read_figures
from gcr_fast.sources.files import File, Table, read_csv, refuse
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.wide import Column, Layout, step_of, wide
from gcr_fast.sources.words import KINDS, Kind, kind_of, normalised

ZONE = "Europe/Berlin"
_TIMES = (
    ("Datum von", "Datum bis"),
    ("Start date", "End date"),
    ("Datum", "Anfang", "Ende"),
    ("Date", "Start", "End"),
    ("Datum", "Uhrzeit"),
    ("Date", "Time of day"),
)
"""The columns of time, in the ways that downloads have had them. The end is not read: it is wrong one day in spring."""
_WHOLE = frozenset({"Datum von", "Start date"})
"""First columns that hold date and time of day; else the second holds the time of day."""
_LAYOUTS = ("%d.%m.%Y %H:%M", "%b %d, %Y %I:%M %p", "%d.%m.%y %H:%M", "%d.%m.%Y %H:%M - ...")
_VALUE = re.compile(r"^(?P<kind>.+?)\s*\[(?P<unit>[^\]]+)\]\s*(?:Original|Berechnete|Calculated)?[\w ]*$")
_MISSING = ("-", "–")
_LOADS = frozenset({"gesamt_netzlast", "netzlast", "total_grid_load", "grid_load", "residuallast", "residual_load"})
_FORECASTS = frozenset({"gesamt", "total", "photovoltaik_und_wind", "photovoltaics_and_wind", "wind_and_photovoltaics"})
_PUMPED = KINDS["hydro_pumped_storage"]


class _Head(NamedTuple):
    """What the header says."""

    times: tuple[str, ...]
    values: dict[str, str]
    """Normalised kind by column, of the columns of MWh."""
    others: list[str]


def _head(file: File) -> _Head | None:
    names = file.header(";")
    times = next((some for some in _TIMES if tuple(names[: len(some)]) == some), None)
    if times is None:
        return None
    matches = {name: match for name in names[len(times) :] if (match := _VALUE.match(name))}
    values = {name: normalised(match["kind"]) for name, match in matches.items() if match["unit"] == "MWh"}
    others = [name for name in names[len(times) :] if name not in values]
    return _Head(times, values, others) if values else None


def detect(file: File) -> bool:
    """Whether the header has one of this publisher's sets of time columns, then columns of [MWh]."""
    return file.kind == "csv" and _head(file) is not None


def read(file: File, how: How) -> Readings:
    """Read generation, or load and pumping. The file does not say of which area."""
    head = _head(file)
    if head is None:
        refuse(file, f"has no columns {';'.join(_TIMES[0])} and then of [MWh]", "missing_column")
    _refuse_forecasts(file, head)
    locale = _told_locale(file, head)
    texts, names = head.times[:2], list(head.values)
    figures = locale and read_figures(file, texts, names, MEGA, delimiter=";", missing=_MISSING, locale=locale)
    table = figures.table if figures else read_csv(file, delimiter=";", keep=[*texts, *names])
    readings = Readings(file, FORMAT.name, rows=len(table), zone=how.zone or ZONE, attribution="SMARD (CC BY 4.0)")
    for name in head.others:
        readings.left_out[name] = "price or capacity, no energy"
    columns = _columns(readings, head)
    starts, rows = _starts(readings, table, head)
    step = step_of(starts)
    if step > HOUR_S:
        refuse(file, f"has one value per {step // HOUR_S} hours: download hours or quarter hours", "interval_too_long")
    locale = locale if locale and figures else locale_of(file, [table.columns[name] for name in names])
    layout = Layout(MEGA, power=False, interval_s=step, missing=_MISSING, locale=locale)
    read = figures.numbers if figures else None
    wide(readings, table, starts, rows, columns, layout, read=read)
    return readings


def _told_locale(file: File, head: _Head) -> Locale | None:
    """Return how numbers are written, if the first lines tell; if all are written so, they tell the same together."""
    import pyarrow as pa

    few = [cell for line in file.head_lines[1:-1] for cell in line.split(";")[len(head.times) :]]
    return told_locale([pa.array(few, pa.string())])


def _refuse_forecasts(file: File, head: _Head) -> None:
    """Refuse day-ahead forecasts: their columns of wind and sun are called as those of actual generation."""
    telling = sorted(_FORECASTS & set(head.values.values()))
    name = normalised(file.path.name)
    if telling or "prognos" in name or "forecast" in name:
        why = f"has a column {telling[0]}" if telling else "is called so"
        refuse(file, f"holds forecasts ({why}), not what was generated or consumed", "missing_column")


def _columns(readings: Readings, head: _Head) -> dict[str, Column]:
    """Return what each column of MWh holds, and account for the others."""
    consumption = not _LOADS.isdisjoint(head.values.values())
    found: dict[str, Column] = {}
    for name, word in head.values.items():
        kind = kind_of(word)
        if kind == _PUMPED:
            kind = _pumped(readings.file, head, consumption)
        if word.startswith("residual"):
            readings.left_out[name] = "load less wind and sun: derived"
        elif "_inkl_" in word or "_incl_" in word:
            readings.left_out[name] = "load and pumping: a sum of other columns"
        elif kind is None:
            known = kind_of(word) is not None
            readings.left_out[name] = "turbining or pumping: the file does not say" if known else "not known"
        else:
            found[name] = Column(kind)
    return found


def _pumped(file: File, head: _Head, consumption: bool) -> Kind | None:
    """Return what the column of pumped storage is: what it generates, or pumping in a file of consumption.

    A file of this column alone says it only in its name; None if not even there.
    """
    if consumption:
        return KINDS["pumping"]
    if len(head.values) > 1:
        return _PUMPED
    name = normalised(file.path.name)
    if "verbrauch" in name or "consumption" in name:
        return KINDS["pumping"]
    return _PUMPED if "erzeugung" in name or "generation" in name else None


def _starts(readings: Readings, table: Table, head: _Head) -> tuple[np.ndarray, np.ndarray]:
    """Walk the local labels: (UTC starts, their rows), int64[k]. Which of two hours is meant, their order tells."""
    import pyarrow.compute as pc

    first, second, *_ = head.times
    labels = as_text(one_array(table.columns[first]))
    if first not in _WHOLE:
        time = as_text(one_array(table.columns[second]))
        labels = pc.binary_join_element_wise(pc.utf8_trim_whitespace(labels), pc.utf8_trim_whitespace(time), " ")
    times = parse_best(labels, *_LAYOUTS)
    lines = table.lines
    what = "is not like 31.01.2024 00:00 or Jan 31, 2024 12:00 AM"
    report(readings.findings, readings.file, times.bad, lines, first, labels, what)
    readings.findings.check()
    found = walk_rows(readings, lambda rows: walk(times.seconds[rows], ZONE), times.seconds, None, lines)
    what = f"does not exist in {ZONE}"
    report(readings.findings, readings.file, found.skipped, lines, first, labels, what, "nonexistent_time")
    readings.findings.check()
    rows = np.flatnonzero(~found.unclear)
    return found.seconds[rows], rows


FORMAT = Format(
    name="smard",
    title="SMARD.de, Bundesnetzagentur: generation, load",
    looks_like="Datum von;Datum bis;Biomasse [MWh] Originalauflösungen;... or Start date;End date;Biomass [MWh] ...",
    quirks=(
        "MWh in the interval, not MW; local time, three layouts of time columns",
        "numbers are 1.002,50 or 1,002.5 whatever the language of the header: decided by the numbers",
        "- is a gap; a type that ended (nuclear) is - or 0,00",
        "spring skips an hour, and one end label is of the day before: only begins are read; autumn has an hour twice",
        "pumped storage is turbining in a file of generation, pumping in a file of consumption",
        "forecasts have the same columns of wind and sun: told by their totals (or their file's name), refused",
        "the file does not name its area: --area does",
    ),
    detect=detect,
    read=read,
)
