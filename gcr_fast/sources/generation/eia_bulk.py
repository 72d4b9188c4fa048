"""EIA-930 six-month files: a row per balancing authority and hour, each quantity as reported, imputed and adjusted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from gcr_fast.codes import IMPUTED, MEASURED
from gcr_fast.columns import encode_text
from gcr_fast.flags import SILENT, Flags, taken
from gcr_fast.sources.bulk import Bulk
from gcr_fast.sources.cells import ENGLISH, MEGA, ONE, Numbers, numbers, report
from gcr_fast.sources.clock import HOUR_S, Labels, parse_best
from gcr_fast.sources.figures import read_figures
from gcr_fast.sources.files import File, Table, read_csv, refuse
from gcr_fast.sources.generation.eia import ATTRIBUTION, HYDRO_WITH_PUMPS, NAMES, fuel, zone_of
from gcr_fast.sources.long import span
from gcr_fast.sources.model import Format, How, Reading, Readings
from gcr_fast.sources.words import KINDS, Kind

AREA, DATE, HOUR, UTC_END = "Balancing Authority", "Data Date", "Hour Number", "UTC Time at End of Hour"
_NEEDED = (AREA, DATE, HOUR, UTC_END)
_OTHER_FILES = frozenset({"Sub-Region", "Directly Interconnected Balancing Authority"})
"""Columns of files of the same series that have several rows for an area's hour."""
_QUANTITY = re.compile(
    r"^(?P<what>Demand|Net Generation|Total Interchange) \(MW\)"
    r"(?: from (?P<fuel>.+?))?\s*(?:\((?P<way>Imputed|Adjusted)\))?$"
)
_REASONS = {
    "Demand Forecast (MW)": "a forecast",
    "Net Generation (MW)": "the sum of the fuels",
    "Sum(Valid DIBAs) (MW)": "the interchange a second time",
    "Local Time at End of Hour": "names two hours alike when clocks go back: the UTC time is taken",
    "Region": "no energy",
}


@dataclass
class _Quantity:
    """One quantity and its columns, by what the publisher did with it."""

    kind: Kind
    columns: dict[str, str] = field(default_factory=dict)
    """Column name by `Imputed`, `Adjusted`, or empty: as reported."""

    @property
    def name(self) -> str:
        return next(iter(self.columns.values()))


class _Values(NamedTuple):
    """Of every row of the file."""

    values: np.ndarray
    null: np.ndarray
    quality: np.ndarray
    flags: Flags | None


def detect(file: File) -> bool:
    """Whether the header has the area, the hour's end in UTC and a quantity in MW."""
    names = file.header() if file.kind == "csv" else []
    parts = _OTHER_FILES & set(names)
    return names[:1] == [AREA] and UTC_END in names and any(map(_QUANTITY.match, names)) and not parts


def read(file: File, how: How) -> Readings:
    """Read what each area generated, used and traded: adjusted where there is an adjusted value, else as reported."""
    readings = Readings(file, FORMAT.name, attribution=ATTRIBUTION)
    table, numbers_of = _table(file)
    readings.rows = len(table)
    quantities = _quantities(readings, file.header())
    clock = _clock(readings, table)
    areas = _areas(readings, table, clock)
    found = [_values(readings, table, numbers_of, quantity) for quantity in quantities]
    readings.findings.check()
    lines = table.lines
    for area in areas:
        readings.series += _series(area, clock.starts[area.rows], lines[area.rows], quantities, found)
    _account(readings, quantities)
    zones = {area.zone for area in areas}
    readings.zone = zones.pop() if len(zones) == 1 else readings.zone
    return readings


class _Area(NamedTuple):
    """A balancing authority, its zone and its rows int64[n], or all from one to another."""

    name: str
    zone: str
    rows: np.ndarray | slice


def _areas(readings: Readings, table: Table, clock: _Clock) -> list[_Area]:
    codes, names = encode_text(table.columns[AREA])
    report(readings.findings, readings.file, codes < 0, table.lines, AREA, None, "is empty")
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(names) + 1))
    areas = []
    for code, name in enumerate(names):
        rows = span(order[bounds[code] : bounds[code + 1]])
        zone, wrong = zone_of(clock.midnights[rows], clock.begins[rows])
        if wrong:
            said = f"date and hour are not those of the UTC time in {zone}: UTC holds"
            readings.notes[f"{name}: {wrong} rows"] = said
        areas.append(_Area(str(name).strip(), zone, rows))
    return areas


def _table(file: File) -> Bulk:
    names = file.header()
    lacking = [name for name in _NEEDED if name not in names]
    if lacking:
        refuse(file, f"has no column {', '.join(lacking)}", "missing_column", column=lacking[0])
    for name in _OTHER_FILES & set(names):
        refuse(file, f"has rows by {name}, which are parts of an area: give the balance file", column=name)
    values = [name for name in names if _QUANTITY.match(name)]
    figures = read_figures(file, _NEEDED, values, MEGA, locale=ENGLISH, only=[*_NEEDED, *values])
    return figures or Bulk(read_csv(file, only=[*_NEEDED, *values]), {})


def _quantities(readings: Readings, names: Iterable[str]) -> list[_Quantity]:
    """Sort the columns by quantity; what is none of ours is left out with its reason."""
    found: dict[tuple[str, str], _Quantity] = {}
    for name in names:
        match = _QUANTITY.match(name)
        if name in _NEEDED:
            continue
        words = _words(match["fuel"]) if match and match["fuel"] else ""
        kind = _kind(match["what"], words) if match else None
        if match and kind:
            quantity = found.setdefault((match["what"], words), _Quantity(kind))
            quantity.columns[match["way"] or ""] = name
        elif not match or not match["way"]:
            total = match is not None and not words
            readings.left_out[name] = _REASONS["Net Generation (MW)"] if total else _REASONS.get(name, "not known")
    return list(found.values())


def _words(text: str) -> str:
    """Return a fuel's words without the slips in the publisher's headers (`witho`, two blanks)."""
    return re.sub(r"\bwitho\b", "with", " ".join(text.lower().split()))


def _kind(what: str, words: str) -> Kind | None:
    if not words:
        return {"Demand": KINDS["load"], "Total Interchange": KINDS["exchange"]}.get(what)
    return HYDRO_WITH_PUMPS if words == "hydropower and pumped storage" else fuel(NAMES.get(words, ""))


class _Clock(NamedTuple):
    starts: np.ndarray
    """UTC begin of each row's hour."""
    midnights: np.ndarray
    """Wall-clock midnight of the local date."""
    begins: np.ndarray
    """UTC seconds at which that date begins, by the row's hour number."""


def _clock(readings: Readings, table: Table) -> _Clock:
    # The second layout is that of a spreadsheet which has saved the file again.
    ends = _labels(readings, table, UTC_END, "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M")
    dates = _labels(readings, table, DATE, "%m/%d/%Y")
    hours = numbers(table.columns[HOUR], ONE)
    outside = hours.bad | hours.null | (hours.values < 1) | (hours.values > 25)
    report(readings.findings, readings.file, outside, table.lines, HOUR, table.columns[HOUR], "is no hour of 1 to 25")
    return _Clock(ends.seconds - HOUR_S, dates.seconds, ends.seconds - hours.values * HOUR_S)


def _labels(readings: Readings, table: Table, name: str, *layouts: str) -> Labels:
    column = table.columns[name]
    found = parse_best(column, *layouts)
    what = "is no time such as 07/31/2024 11:00:00 PM"
    report(readings.findings, readings.file, found.bad, table.lines, name, column, what)
    return found


def _values(readings: Readings, table: Table, read: dict[str, Numbers], quantity: _Quantity) -> _Values:
    """Choose adjusted values before reported ones, and mark those that are not what was reported.

    Takes what it needs out of `read`, the columns that are numbers already: each is needed once.
    """
    ways = {
        way: read.pop(name) if name in read else _numbers(readings, table, name)
        for way, name in quantity.columns.items()
    }
    none = Numbers(np.zeros(len(table), np.int64), np.ones(len(table), bool), np.zeros(len(table), bool))
    raw, imputed, adjusted = (ways.get(way, none) for way in ("", "Imputed", "Adjusted"))
    chosen = np.where(adjusted.null, raw.values, adjusted.values)
    altered = ~adjusted.null & (~imputed.null | raw.null | (raw.values != adjusted.values))
    quality = np.where(altered, IMPUTED, MEASURED).astype(np.uint8)
    said = np.where(altered, np.where(imputed.null, 0, 1), SILENT).astype(np.int8)
    flags = Flags(said, ("Adjusted", "Imputed")) if altered.any() else None
    return _Values(chosen, adjusted.null & raw.null, quality, flags)


def _numbers(readings: Readings, table: Table, name: str) -> Numbers:
    """Read a column in MW; each distinct number of its text once."""
    import pyarrow as pa

    column = table.columns[name]
    codes, texts = encode_text(column)
    distinct = numbers(pa.array([*texts, None], pa.string()), MEGA, locale=ENGLISH)
    found = Numbers(*(part[codes] for part in distinct))
    report(readings.findings, readings.file, found.bad, table.lines, name, column, "is not a number")
    return found


def _series(
    area: _Area, starts: np.ndarray, lines: np.ndarray, quantities: list[_Quantity], found: list[_Values]
) -> Iterator[Reading]:
    """Yield an area's series, of `starts` and `lines` int64[n]. A fuel without a value is one that it does not have."""
    for quantity, (values, nulls, qualities, flags) in zip(quantities, found, strict=True):
        null, quality = nulls[area.rows], qualities[area.rows]
        if not null.all():
            yield Reading(
                kind=quantity.kind.slug,
                area=area.name,
                role=quantity.kind.role,
                power=True,
                starts=starts,
                interval_s=HOUR_S,
                values=values[area.rows],
                null=null,
                lines=lines,
                source_type=quantity.kind.source_type,
                column=quantity.name,
                quality=quality if quality.any() else None,
                flags=taken(flags, area.rows),
                zone=area.zone,
            )


def _account(readings: Readings, quantities: Iterable[_Quantity]) -> None:
    """Say in how many areas a quantity has no value at all."""
    areas = {one.area for one in readings.series}
    for quantity in quantities:
        without = areas - {one.area for one in readings.series if one.column == quantity.name}
        if without:
            some = ", ".join(sorted(without)[:5]) + (", ..." if len(without) > 5 else "")
            readings.left_out[f"{quantity.name} ({some})"] = "no value in any row"


FORMAT = Format(
    name="eia930-bulk",
    title="EIA-930 balance, six-month files",
    looks_like="Balancing Authority,Data Date,Hour Number,Local Time at End of Hour,UTC Time at End of Hour,...",
    quirks=(
        "MW, the mean of the hour that ends at the UTC time; numbers may have thousands commas",
        "adjusted values are taken, else reported ones; what is not as reported is marked imputed, its flag is Imputed "
        "if the publisher imputed a value, else Adjusted",
        "the year is that of the area's local date, whose zone is told by date, hour number and UTC time",
        "until June 2024 hydropower and pumped storage are one sum, which is not taken for hydro; solar and wind with "
        "batteries behind the same meter likewise",
        "a fuel without any value is one that the area does not have; demand is load, interchange is trade",
        "slips in the publisher's headers are read as meant (`Solar witho Integrated Battery Storage`)",
    ),
    detect=detect,
    read=read,
)
