"""Which unit burns what: a list of units and fuels, for files that name units but not their fuel.

Any delimited text does that has a column of unit ids and a column of fuels: `ngc_bmu_id,fuel_type`, the market
operator's register, a list of one's own. Several columns of ids are several names of one unit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gcr_fast.codes import canonical_source
from gcr_fast.findings import Findings
from gcr_fast.sources.files import File, delimiter_of, open_file, refuse
from gcr_fast.sources.long import Describe, Words
from gcr_fast.sources.model import How, Readings
from gcr_fast.sources.wide import Column
from gcr_fast.sources.words import Kind, kind_of, normalised

_UNIT_WORDS = """
unit unitid device deviceid id bmu bmuid bmunit bmunitid ngcbmuid ngcbmunitid settbmuid nationalgridbmunit
nationalgridbmuid nationalgridbmunitid elexonbmunit duid facility facilitycode plant plantid eic eiccode gsrn gencode
generator
"""
_FUEL_WORDS = """
fuel fueltype sourcetype source technology technologytype type psrtype energysource fuelsource fuelsourcedescriptor
fuelsourceprimary primaryfuel fuelcode
"""
UNIT_COLUMNS, FUEL_COLUMNS = frozenset(_UNIT_WORDS.split()), frozenset(_FUEL_WORDS.split())
"""Headers of columns of unit ids and of fuels, in small letters and digits alone."""

UNKNOWN_UNIT = Kind("unknown", None, "generation")
"""A unit that no map names: kept, but of no source type."""


@dataclass(frozen=True)
class Units(Mapping[str, str]):
    """Source type by unit id."""

    by_id: dict[str, str]
    unknown: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Words that are no known fuel, and the units that have them; an empty word where the cell is empty."""
    path: str = ""

    @property
    def words(self) -> dict[str, str]:
        """The unknown word of each unit that has one."""
        return {unit: word for word, units in self.unknown.items() for unit in units}

    def __getitem__(self, unit: str) -> str:
        return self.by_id[unit]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_id)

    def __len__(self) -> int:
        return len(self.by_id)


def read_units(path: str | os.PathLike[str]) -> Units:
    """Read a map of units to fuels. Words that are no fuel are listed in `.unknown`, not guessed.

    Refused, with every line: a unit with two fuels, a row without an id, a file without the two columns.
    """
    file = open_file(path)
    if file.kind != "csv":
        refuse(file, f"is {file.kind}, not a delimited text of units and fuels")
    delimiter = delimiter_of(file.head_lines[0])
    rows = file.rows(delimiter)
    _, header = next(rows)
    ids, fuel = _columns(file, header)
    units, unknown = _Gathered(file), dict[str, list[str]]()
    for line, cells in rows:
        if len(cells) != len(header):
            units.findings.add(
                "malformed_row", f"expected {len(header)} cells, found {len(cells)}", file=file.name, line=line
            )
            continue
        names = list(dict.fromkeys(name for at in ids if (name := cells[at].strip())))
        word = cells[fuel].strip()
        source = _source_of(word)
        units.add(line, names, source, header[fuel], word)
        if source is None:
            unknown.setdefault(word, []).extend(names[:1])
    units.findings.check()
    if not units.by_id and not unknown:
        refuse(file, "has a header, but no units", "empty_file")
    return Units(units.by_id, {word: tuple(dict.fromkeys(names)) for word, names in unknown.items()}, file.name)


def _source_of(word: str) -> str | None:
    kind = kind_of(word)
    return kind.source_type if kind else canonical_source(word)


def _columns(file: File, header: list[str]) -> tuple[list[int], int]:
    """Return the positions of the columns of ids and of the column of fuels."""
    words = [normalised(name).replace("_", "") for name in header]
    ids = [at for at, word in enumerate(words) if word in UNIT_COLUMNS]
    fuels = [at for at, word in enumerate(words) if word in FUEL_COLUMNS]
    have = ", ".join(header)
    if not ids or not fuels:
        lacks = "units, such as unit_id" if not ids else "fuels, such as fuel_type"
        refuse(file, f"has no column of {lacks}; the columns are: {have}", "missing_column")
    if len(fuels) > 1:
        both = " and ".join(header[at] for at in fuels)
        refuse(file, f"has several columns of fuels, {both}: keep one", "ambiguous_column")
    return ids, fuels[0]


class _Gathered:
    """Units as they are read, and what is wrong with their rows."""

    def __init__(self, file: File) -> None:
        self.file = file
        self.by_id: dict[str, str] = {}
        self.findings = Findings()
        self._first: dict[str, tuple[int, str | None, str]] = {}

    def add(self, line: int, names: list[str], source: str | None, column: str, word: str) -> None:
        """Take one row; the same unit again is fine if it says the same."""
        where = {"file": self.file.name, "line": line}
        if not names:
            self.findings.add("null_value", "the row names no unit", **where)
        for name in names:
            before, known, said = self._first.setdefault(name, (line, source, word))
            if known != source:
                what = f"unit {name} is {word!r} here, but {said!r} on line {before}"
                self.findings.add("unknown_source_type", what, column=column, value=word, **where)
            if source is not None:
                self.by_id.setdefault(name, source)


def unit_kind(units: Mapping[str, str], *names: str) -> Kind | None:
    """Return what a unit generates, under the first of its names that the map has; None if it has none."""
    source = next((units[name] for name in names if name in units), None)
    if source is None:
        return None
    return Kind(source, source, "storage" if source == "storage_discharge" else "generation")


def describe_units(readings: Readings, how: How, area: str) -> Describe:
    """Return what tells of each unit what it is: `words` are its names, the last of them its best.

    A unit that the map lacks stays, without source type, and is noted: whether it may be converted is not known.
    """
    if not how.units:
        readings.notes["every unit"] = "no map of units to fuels was given (--units): no source type"

    def describe(words: Words) -> Column | str:
        names = [name for name in reversed(words) if name]
        if not names:
            return "rows that name no unit"
        kind = unit_kind(how.units, *names)
        if kind is None and how.units:
            readings.notes[names[0]] = f"{_why(how.units, names)}: no source type"
        return Column(kind or UNKNOWN_UNIT, area, names[0])

    return describe


def _why(units: Mapping[str, str], names: list[str]) -> str:
    """Say why a map has no source type for a unit: it does not have the unit, or not known what that burns."""
    words = units.words if isinstance(units, Units) else {}
    word = next((words[name] for name in names if name in words), None)
    if word is None:
        return "not in the map of units to fuels"
    return f"its fuel in the map of units, {word!r}, is not known" if word else "has no fuel in the map of units"
