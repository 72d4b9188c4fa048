"""ENTSO-E Transparency Platform, file library and the SFTP server before it: tab separated, UTC, all Europe a month."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from gcr_fast.columns import encode_text, one_array
from gcr_fast.sources.cells import MEGA, Numbers, numbers, report
from gcr_fast.sources.clock import HOUR_S, parse_best
from gcr_fast.sources.files import File, Table, read_csv, refuse
from gcr_fast.sources.generation.entsoe import AREA_TYPES, ATTRIBUTION, consumed, production_kind
from gcr_fast.sources.generation.entsoe_areas import AREA_BY_EIC, area_of, countries_of, joined_by
from gcr_fast.sources.long import Describe, Words, long, series_keys
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.revisions import replaced
from gcr_fast.sources.tidy import NOT_ASKED
from gcr_fast.sources.wide import Column
from gcr_fast.sources.words import KINDS

_ROLES = {
    "time": ("DateTime",),
    "resolution": ("ResolutionCode",),
    "area": ("AreaCode",),
    "area_type": ("AreaTypeCode",),
    "map": ("AreaMapCode", "MapCode"),
    "update": ("UpdateTime",),
    "unit": ("GenerationUnitCode", "GenerationUnitEIC"),
    "type": ("ProductionType", "GenerationUnitType"),
    "made": ("ActualGenerationOutput",),
    "used": ("ActualConsumption",),
    "load": ("TotalLoadValue", "TotalLoad"),
}
"""What columns are called, without the unit that newer files append: `ActualGenerationOutput[MW]`, `(EIC)`."""
_NEEDED = ("time", "resolution", "area", "area_type", "update")
_VALUES = ("made", "used", "load")
_UNIT = re.compile(r"\s*[\[(][^\])]*[\])]")
_LAYOUTS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.000", "%Y-%m-%d %H:%M")
_STEPS = {"PT1M": 60, "PT5M": 300, "PT15M": 900, "PT30M": 1800, "PT60M": HOUR_S}
_GAPS = ("", "N/A", "n/e", "-")
SAME = "areas of another type, that repeat the energy of {}: --area names one"


def _roles(names: Iterable[str]) -> dict[str, str]:
    """Return the column of each role that a header has."""
    plain = {_UNIT.sub("", name).replace(" ", ""): name for name in names}
    return {role: plain[word] for role, words in _ROLES.items() for word in words if word in plain}


def detect(file: File) -> bool:
    """Whether the header has this platform's columns of areas and times beside a column of actual MW."""
    if file.kind != "csv":
        return False
    roles = _roles(file.header(file.delimiter))
    values = "load" in roles or {"made", "type"} <= roles.keys()
    return values and all(role in roles for role in _NEEDED)


class _Rows(NamedTuple):
    """What is read of the rows that are kept, each int64[n]."""

    at: np.ndarray
    starts: np.ndarray
    steps: np.ndarray
    key: np.ndarray

    def only(self, kept: np.ndarray) -> _Rows:
        return _Rows(*(part[kept] for part in self))


def read(file: File, how: How) -> Readings:
    """Read generation by type or unit, or load: of each area once, of each interval what was published last."""
    roles = _roles(file.header(file.delimiter))
    lacking = [_ROLES[role][0] for role in _NEEDED if role not in roles]
    if lacking:
        refuse(file, f"has no column {', '.join(lacking)}", "missing_column")
    values = [roles[role] for role in _VALUES if role in roles]
    table = read_csv(file, delimiter=file.delimiter, floats=values, missing=_GAPS, only=list(roles.values()))
    readings = Readings(file, FORMAT.name, rows=len(table), zone=how.zone or "UTC", attribution=ATTRIBUTION)
    starts, steps = _times(readings, table, roles)
    named = [role for role in ("area", "map", "area_type", "unit", "type") if role in roles]
    key, words = series_keys([table.columns[roles[role]] for role in named])
    series = [_Series(dict(zip(named, some, strict=True))) for some in words]
    kept = _one_area_each(readings, series, key, how.areas)
    rows = _Rows(np.flatnonzero(kept), starts[kept], steps[kept], key[kept])
    rows = _published_last(readings, table, roles, rows)
    rows = _finest(readings, rows)
    _series(readings, table, roles, rows, [some.words for some in series])
    return readings


class _Series:
    """What the words of a row say."""

    def __init__(self, words: dict[str, str]) -> None:
        known = words.get("map", "")
        # A map code that another area's name is taken for would make one area of two.
        self.area = area_of(words["area"], "" if known in AREA_BY_EIC.values() else known)
        # In a code that is not known, the map code still tells the country.
        self.place = self.area if self.area in AREA_BY_EIC.values() else known.strip() or self.area
        self.types = frozenset(words["area_type"].split("/"))
        self.unit = words.get("unit", "")
        self.words: Words = (self.area, self.unit, words.get("type", ""))


def _times(readings: Readings, table: Table, roles: dict[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """Return (UTC starts, lengths in seconds), int64[n]."""
    lines = table.lines
    time, resolution = table.columns[roles["time"]], table.columns[roles["resolution"]]
    found = parse_best(time, *_LAYOUTS)
    report(readings.findings, readings.file, found.bad, lines, roles["time"], time, "is not like 2024-01-31 23:00:00")
    codes, words = encode_text(resolution)
    steps = np.array([*(_STEPS.get(str(word).strip(), 0) for word in words), 0], dtype=np.int64)[codes]
    what = f"is not one of {', '.join(_STEPS)}"
    report(readings.findings, readings.file, steps == 0, lines, roles["resolution"], resolution, what)
    readings.findings.check()
    return found.seconds, steps


def _one_area_each(
    readings: Readings, series: Sequence[_Series], key: np.ndarray, areas: Collection[str]
) -> np.ndarray:
    """bool[n]: rows of areas of one type for each country, the first of `AREA_TYPES` that is listed for it.

    A zone of several countries makes them one. Of areas that are asked for, each is one of its own. A generating unit
    is one thing, whatever the areas it is listed under: of each, the first type that it has.
    """
    asked = [one for one in series if not areas or one.area in areas]
    readings.left_out |= {one.area: NOT_ASKED for one in series if areas and one.area not in areas}
    best = _best_types(asked, bool(areas))
    chosen = [one in best and best[one] in one.types for one in series]
    kept: np.ndarray = np.array(chosen, dtype=bool)[key]
    counts = np.bincount(key, minlength=len(series)).tolist()
    for one, count in zip(series, counts, strict=True):
        if one not in best or best[one] not in one.types:
            same = "a unit under another area, once more" if one.unit else SAME.format(best.get(one))
            readings.drop("areas not asked for" if areas else same, count)
    if not areas:
        _note_types(
            readings, {one.area: best[one] for one, here in zip(series, chosen, strict=True) if here and not one.unit}
        )
    return kept


def _best_types(series: Sequence[_Series], apart: bool) -> dict[_Series, str]:
    """Return the type of area to read of each: that which has most of the countries, of these the first.

    A country that stands behind another in the name of a zone counts if it is listed by itself as well.
    """
    of = {one: (one.unit or one.area,) if one.unit or apart else countries_of(one.place) for one in series}
    group, first = joined_by(of.values()), {names[0] for names in of.values()}
    listed: dict[str, dict[str, set[str]]] = {}
    for one, names in of.items():
        types = listed.setdefault(group[names[0]], {})
        for area_type in one.types:
            types.setdefault(area_type, set()).update(first.intersection(names))
    best = {
        name: min(types, key=lambda area_type: (-len(types[area_type]), _rank(area_type), area_type))
        for name, types in listed.items()
    }
    return {one: best[group[names[0]]] for one, names in of.items()}


def _note_types(readings: Readings, types: dict[str, str]) -> None:
    """Note which areas are read as another type than the others."""
    first = min(types.values(), key=_rank, default="")
    for area_type in sorted(set(types.values()) - {first}):
        names = ", ".join(area for area, its in types.items() if its == area_type)
        readings.notes[names] = f"read as {area_type}: the file does not list as {first} all that it has of them"


def _rank(area_type: str) -> int:
    return AREA_TYPES.index(area_type) if area_type in AREA_TYPES else len(AREA_TYPES)


def _published_last(readings: Readings, table: Table, roles: dict[str, str], rows: _Rows) -> _Rows:
    """Drop rows that a later publication of the same interval replaces."""
    update = table.columns[roles["update"]]
    found = parse_best(update, "%Y-%m-%d %H:%M:%S...")
    lines = table.lines
    what = "is not like 2024-02-05 10:48:37"
    report(readings.findings, readings.file, found.bad, lines, roles["update"], update, what)
    readings.findings.check()
    old = replaced(rows.starts, found.seconds[rows.at], rows.key * (HOUR_S + 1) + rows.steps)
    readings.drop("values that a later publication replaces", int(old.sum()))
    return rows.only(~old)


def _finest(readings: Readings, rows: _Rows) -> _Rows:
    """Where an hour of a series is published in several resolutions, keep the finest that covers all of it."""
    if len(np.unique(rows.steps)) < 2:
        return rows
    hours = rows.starts // HOUR_S
    hours = rows.key * (int(hours.max() - hours.min()) + 1) + hours - hours.min()
    pairs, place = np.unique(hours * (HOUR_S + 1) + rows.steps, return_inverse=True)
    covered = np.minimum(np.bincount(place, weights=rows.steps), HOUR_S)
    hour, step = np.divmod(pairs, HOUR_S + 1)
    order = np.lexsort((step, -covered, hour))  # of an hour, the best covered first, then the finest
    first = order[np.diff(hour[order], prepend=-1) != 0]
    chosen = np.zeros(len(hour), dtype=bool)
    chosen[first] = True
    kept = chosen[place]
    readings.drop("values of hours that are there in another resolution too", int((~kept).sum()))
    return rows.only(kept)


def _series(readings: Readings, table: Table, roles: dict[str, str], rows: _Rows, words: Sequence[Words]) -> None:
    """Add what is generated, consumed and loaded, each length of intervals as series of its own."""
    lines = rows.at + table.first_line
    found = {role: _numbers(readings, table, roles[role], rows.at) for role in _VALUES if role in roles}
    for role, values in found.items():
        others = [other.null for name, other in found.items() if name != role]
        # A row of what is consumed is no gap in what is generated, nor the other way round.
        here = ~values.null | np.logical_and.reduce(others) if others else np.ones(len(lines), dtype=bool)
        moved = np.bincount(rows.key[here], weights=values.values[here] != 0, minlength=len(words)) > 0
        # The same words stand under each type of area, of which one is read: what moves there is not still.
        still = set(words).difference(name for name, moves in zip(words, moved, strict=True) if moves)
        describe = _describe(role, still)
        for step in np.unique(rows.steps).tolist():
            part = np.flatnonzero(here & (rows.steps == step))
            some = Numbers(*(array[part] for array in values))
            key, starts = rows.key[part], rows.starts[part]
            long(readings, key, words, describe, starts, some, lines[part], power=True, interval_s=step)


def _numbers(readings: Readings, table: Table, name: str, at: np.ndarray) -> Numbers:
    column = one_array(table.columns[name]).take(at)
    found = numbers(column, MEGA, _GAPS)
    report(readings.findings, readings.file, found.bad, at + table.first_line, name, column, "is not a number")
    return found


def _describe(role: str, still: Collection[Words]) -> Describe:
    def describe(words: Words) -> Column | str:
        area, unit, kind_word = words
        if role == "load":
            return Column(KINDS["load"], area)
        kind = production_kind(kind_word)
        if kind is None:
            return "not known"
        if role == "made":
            return Column(kind, area, unit or None)
        if words in still:
            return "consumes nothing in any row"
        return Column(consumed(kind), area, f"{unit}-consumption" if unit else None)

    return describe


FORMAT = Format(
    name="entsoe-library",
    title="ENTSO-E Transparency Platform, file library and old SFTP (16.1.B&C, 16.1.A, 6.1.A)",
    looks_like="DateTime(UTC)<tab>ResolutionCode<tab>AreaCode<tab>...<tab>ActualGenerationOutput[MW]<tab>...",
    quirks=(
        "UTC, the beginning of the interval; MW, the mean over it",
        "one energy is listed for country, bidding zone and control area: of each country that is listed as such it is "
        "read, of others the bidding zones, else the control areas; --area names others",
        "15, 30 and 60 minutes in one file, changing in mid-year: each is a series of one name",
        "an hour that is there in several resolutions counts once, in the finest that covers it",
        "what was published last for an interval counts (UpdateTime)",
        "consumption is a column of its own: kept apart, never subtracted",
    ),
    detect=detect,
    read=read,
)
