"""Renewables.ninja: simulated wind and solar of a point (kW) or a country (capacity factors)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from gcr_fast.sources.cells import KILO, MEGA, ONE, report
from gcr_fast.sources.clock import parse_labels
from gcr_fast.sources.devices import only_area, told
from gcr_fast.sources.files import File, Table, read_csv, refuse
from gcr_fast.sources.model import WEIGHT_DIGITS, Format, How, Readings
from gcr_fast.sources.sites import AZIMUTH, KW, LATITUDE, LONGITUDE, SITE, TILT, site_of, untold
from gcr_fast.sources.wide import Column, Layout, wide
from gcr_fast.sources.words import KINDS, Kind

TIME, POWER, LOCAL = "time", "electricity", "local_time"
WEATHER = frozenset({LOCAL, "irradiance_direct", "irradiance_diffuse", "temperature", "wind_speed"})

_TITLE = re.compile(r"^#.*\bRenewables\.ninja\s+(?P<what>PV|Wind|Weather)?", re.IGNORECASE)
_UNIT = re.compile(r"\belectricity in (?P<unit>[kM]?W)\b")
_TOLD = re.compile(r"\b(?P<what>Licen[cs]e|Reference):\s*(?P<said>\S.*?)\s*(?=\s-\s+\w+:|$)", re.IGNORECASE)
"""What a comment tells under a name: up to the next name, or the end of the line; a link or words."""
_PLACE = re.compile(r"Point API\)\s+-\s+(?P<latitude>-?[\d.]+),\s*(?P<longitude>-?[\d.]+)")
_SYSTEM = re.compile(
    r'"(?P<what>lat|lon|capacity|tilt|azim|tracking|height|turbine|system_loss)":\s*(?P<said>"[^"]*"|-?[\d.]+)'
)
_WORDS = {"lat": LATITUDE, "lon": LONGITUDE, "capacity": KW, "tilt": TILT, "azim": AZIMUTH}
_COUNTRY = re.compile(r"(?:^|[\s(,-])(?P<code>[A-Z]{2})(?=$|[\s),-])")
_DIGITS = {"W": ONE, "kW": KILO, "MW": MEGA}
_WHOLE = {"national": "", "onshore": "wind_onshore", "offshore": "wind_offshore"}


def detect(file: File) -> bool:
    """Whether the first lines are comments that name the service."""
    return file.kind == "csv" and any(_TITLE.match(line) for line in _comments(file))


def _comments(file: File) -> list[str]:
    lines = file.head_lines
    count = next(
        (at for at, line in enumerate(lines) if line.strip(' "') and not line.lstrip('"').startswith("#")), len(lines)
    )
    return [line.strip('"') for line in lines[:count]]


def read(file: File, how: How) -> Readings:
    """Read a point's power, or a country's capacity factors, which become weights: a shape, not energy."""
    comments = _comments(file)
    title = next((match for match in map(_TITLE.match, comments) if match), None)
    kind = (title["what"] or "").lower() if title else ""
    if kind == "weather":
        refuse(file, "has weather only: ask Renewables.ninja for PV or wind", "missing_column", column=POWER)
    table = read_csv(file, skip=len(comments))
    if TIME not in table.names:
        refuse(file, f"has no column {TIME}", "missing_column", column=TIME)
    readings = Readings(file, FORMAT.name, rows=len(table), attribution=_attribution(comments))
    starts = _starts(readings, table)
    if POWER in table.names:
        _point(readings, table, starts, kind, comments, how)
    else:
        _country(readings, table, starts, kind, comments, how)
    return readings


def _attribution(comments: Iterable[str]) -> str:
    """Return whom to name: the service, under which licence, and the work that it asks to be cited."""
    told = {one["what"][0].upper(): one["said"] for line in comments for one in _TOLD.finditer(line)}
    licence = f", {told['L']}" if "L" in told else " (CC BY-NC 4.0)"
    return f"Renewables.ninja{licence}" + (f", {told['R']}" if "R" in told else "")


def _starts(readings: Readings, table: Table) -> np.ndarray:
    """Return the UTC starts; country files write seconds too."""
    labels = table.columns[TIME]
    longest = max((len(label) for label in labels.slice(0, 1).to_pylist() if label), default=0)
    times = parse_labels(labels, "%Y-%m-%d %H:%M:%S" if longest > len("2019-01-01 00:00") else "%Y-%m-%d %H:%M")
    lines = table.lines
    report(readings.findings, readings.file, times.bad, lines, TIME, labels, "is not like 2019-01-01 00:00")
    readings.findings.check()
    return times.seconds


def _point(readings: Readings, table: Table, starts: np.ndarray, what: str, comments: Iterable[str], how: How) -> None:
    file = readings.file
    unit = _UNIT.search(" ".join(comments))
    if unit is None:
        refuse(file, "does not say in its comments in which unit electricity is", "missing_column", column=POWER)
    readings.site = _site(comments)
    columns = {POWER: Column(_kind(file, what, how), only_area(how))}
    layout = Layout(_DIGITS[unit["unit"]], True, 3600)
    wide(readings, table, starts, np.arange(len(table)), columns, layout)
    for name in table.names:
        if name not in {TIME, POWER}:
            readings.left_out[name] = "weather, no energy" if name in WEATHER else "not known"


def _site(comments: Iterable[str]) -> dict[str, str]:
    """Return where the comments say that the system is, and what it is."""
    text = "\n".join(comments).replace('""', '"')
    place = _PLACE.search(text)
    system = {_WORDS.get(one["what"], one["what"]): one["said"] for one in _SYSTEM.finditer(text)}
    return site_of(system | (place.groupdict() if place else {}))


def _kind(file: File, what: str, how: How) -> Kind:
    """Return what the comments call it; else what the user does."""
    word = {"pv": "solar", "wind": "wind"}.get(what)
    kind = KINDS[word] if word else told(file, how, POWER)
    if kind is None:
        refuse(file, "does not say whether it is of PV or wind: name it with --types", "unknown_source_type")
    return kind


def _country(readings: Readings, table: Table, starts: np.ndarray, what: str, comments: list[str], how: How) -> None:
    """Read the columns national, onshore and offshore, or one for each region. They overlap."""
    readings.notes[SITE] = untold("one country and one fleet of plants")
    names = [name for name in table.names if name not in {TIME, LOCAL}]
    word = what or ("wind" if {"onshore", "offshore"} & {name.lower() for name in names} else "")
    kind, area = _kind(readings.file, word, how), only_area(how) or _country_code(comments)
    columns = {name: _country_column(name, kind, area) for name in names}
    wide(readings, table, starts, np.arange(len(table)), columns, Layout(WEIGHT_DIGITS, True, 3600))
    readings.series = [replace(one, is_energy=False) for one in readings.series]
    for one in readings.series:
        wild = (one.values < 0) | (one.values > 10**WEIGHT_DIGITS)
        cells = table.columns[one.column]
        report(readings.findings, readings.file, wild, one.lines, one.column, cells, "is no capacity factor (0 to 1)")


def _country_column(name: str, kind: Kind, area: str) -> Column:
    """Return what a column is: a part of the country's fleet, else a region of that name."""
    part = _WHOLE.get(name.lower())
    if part is None:
        return Column(kind, name)
    return Column(KINDS[part] if part else kind, area)


def _country_code(comments: list[str]) -> str:
    code = _COUNTRY.search(comments[0].partition("enewables.ninja")[2].replace("PV", "")) if comments else None
    return code["code"] if code else ""


FORMAT = Format(
    name="renewables-ninja",
    title="Renewables.ninja, point and country",
    looks_like="# Renewables.ninja PV (Point API) - ... then time,local_time,electricity or time,national,...",
    quirks=(
        "time is UTC: a local calendar year is not complete in the file of one UTC year; local_time is not used",
        "point: kW of the capacity named in the comments, simulated, not metered",
        "files of two places, capacities or turbines are never one series: refused together",
        "country: no site is told: files that are read together are taken to be of one country, which is noted",
        "country: capacity factors, no energy: weights, a shape only; national, onshore and offshore overlap",
        "licence (CC BY-NC 4.0) and reference in the comments are kept as the attribution",
        "weather files: refused, they have no power",
    ),
    detect=detect,
    read=read,
)
