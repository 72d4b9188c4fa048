"""Elexon Insights, CSV and JSON: generation by fuel (FUELHH, FUELINST), by type (AGPT, AGWS), by unit (B1610).

The rows of all of them say when in two ways, a UTC time and a settlement date with a period. The time is used, and has
to agree with the other: that is what tells a month-first date from a day-first one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gcr_fast.findings import RefusedError
from gcr_fast.flags import taken, told
from gcr_fast.sources.cells import MEGA, Numbers, numbers, report
from gcr_fast.sources.clock import parse_best, parse_labels
from gcr_fast.sources.documents import documents, member
from gcr_fast.sources.files import File, read_csv, refuse
from gcr_fast.sources.generation.elexon import AREA, ATTRIBUTION, PERIOD_S, ZONE, fuel_column, settlement
from gcr_fast.sources.long import Describe, Words, long, series_keys
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.pieces import IrregularError, texts
from gcr_fast.sources.revisions import replaced
from gcr_fast.sources.streamed import Rows, parts, text_columns
from gcr_fast.sources.units_map import describe_units
from gcr_fast.sources.wide import Column, step_of
from gcr_fast.sources.words import KINDS

if TYPE_CHECKING:
    import pyarrow as pa

_ISO = ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S")
RUN = "settlementruntype"
_RUNS = ("II", "SF", "R1", "R2", "R3", "RF", "DF")
"""Settlement runs, from the first reckoning to the last."""


class _Shape(NamedTuple):
    """One of the three kinds of rows."""

    words: tuple[str, ...]
    """Columns that tell series apart; the first must be there."""
    value: str
    time: str
    layouts: tuple[str, ...]
    ends: bool
    """Whether the time is the end of the half hour."""
    power: bool


_UNITS = ("bmunit", "nationalgridbmunitid")
_SHAPES = (
    _Shape(_UNITS, "quantity", "halfhourendtime", (*_ISO, "%m/%d/%Y %H:%M:%S"), ends=True, power=False),
    _Shape(("fueltype",), "generation", "starttime", _ISO, ends=False, power=True),
    _Shape(("psrtype", "businesstype"), "quantity", "starttime", _ISO, ends=False, power=True),
)
_LENGTHS = {"FUELINST": 300, "FUELHH": PERIOD_S, "AGPT": PERIOD_S, "AGWS": PERIOD_S, "B1610": PERIOD_S}


def _shape(names: set[str]) -> _Shape | None:
    if "settlementperiod" not in names:
        return None
    return next((one for one in _SHAPES if {one.words[0], one.value, one.time} <= names), None)


def detect(file: File) -> bool:
    """Whether rows (or JSON objects) have a settlement period beside a fuel, a type or a unit."""
    if file.kind == "json":
        keys = ('"fueltype"', '"psrtype"', '"bmunit"')
        head = file.head_text.lower()
        return '"settlementperiod"' in head and any(key in head for key in keys)
    return file.kind == "csv" and _shape({name.lower() for name in file.header()}) is not None


@dataclass(frozen=True)
class _Records:
    """Rows as columns, under lower-case names."""

    columns: dict[str, pa.ChunkedArray | pa.Array]
    lines: np.ndarray
    names: dict[str, str]
    """How the file spells each column."""


def read(file: File, how: How) -> Readings:
    """Read MW by fuel or type, or MWh by unit. `how.units` says what a unit burns; units that it lacks are noted."""
    records = _from_json(file) if file.kind == "json" else _from_csv(file)
    shape = _known_shape(file, records.names.values())
    readings = Readings(file, FORMAT.name, zone=ZONE, rows=len(records.lines), attribution=ATTRIBUTION)
    starts = _starts(readings, records, shape)
    found = _values(readings, records, shape)
    readings.findings.check()
    key, words = series_keys([records.columns[name] for name in shape.words if name in records.columns])
    published = _published(readings, records)
    readings.findings.check()
    keep = np.ones(len(starts), dtype=bool) if published is None else ~replaced(starts, published, key)
    readings.drop("rows that a later publication or settlement run replaces", int((~keep).sum()))
    rows = np.flatnonzero(keep)
    describe = _describe_unit(readings, how) if shape.ends else _describe_type
    runs = records.columns.get(RUN)
    long(
        readings,
        key[rows],
        words,
        describe,
        starts[rows],
        Numbers(*(part[rows] for part in found)),
        records.lines[rows],
        power=shape.power,
        interval_s=_interval(file, records, starts),
        flags=None if runs is None else taken(told(runs), rows),
    )
    return readings


def _known_shape(file: File, names: Iterable[str]) -> _Shape:
    shape = _shape({name.lower() for name in names})
    if shape is None:
        have = ", ".join(names)
        refuse(file, f"lacks columns of a settlement period, a kind and a value; it has {have}", "missing_column")
    return shape


def _interval(file: File, records: _Records, starts: np.ndarray) -> int:
    """Return the length of an interval, by the data set's name where rows have it."""
    if "dataset" not in records.columns:
        return step_of(starts, PERIOD_S)
    names = [word for (word,) in series_keys([records.columns["dataset"]])[1]]
    if len(names) > 1:
        refuse(file, f"holds several data sets, {', '.join(names)}: give each its own file", "ambiguous_format")
    return _LENGTHS.get(names[0].upper()) or step_of(starts, PERIOD_S)


def _from_csv(file: File) -> _Records:
    _known_shape(file, file.header())
    floats = [name for name in file.header() if name.lower() in {"generation", "quantity"}]
    table = read_csv(file, floats=floats)
    names = {name.lower(): name for name in table.names}
    columns = {lower: table.columns[name] for lower, name in names.items()}
    return _Records(columns, table.lines, names)


def _from_json(file: File) -> _Records:
    """Flatten the objects; those of a half hour may hold a list of its types. Lines are numbers of values."""
    try:
        columns, count = text_columns(_flat_parts(file), without={"data"})
    except (IrregularError, RefusedError):
        flat = (row for document in documents(file) for row in _flat(file, document))
        columns, count = text_columns(flat, without={"data"})
    if not count:
        refuse(file, "has no values", "empty_file")
    names = {name.lower(): name for name in columns}
    found = {lower: columns[name] for lower, name in names.items()}
    return _Records(found, np.arange(1, count + 1, dtype=np.int32), names)


def _flat_parts(file: File) -> Iterator[dict[str, Any]]:
    """Flatten the objects as they are read."""
    for row, document in parts(texts(file), "data"):
        if row is not None:
            yield from _values_of(file, row)
        elif document is not None and not isinstance(document.get("data"), Rows):
            yield from _flat(file, document)
        elif document is not None and "settlementPeriod" in document:
            raise IrregularError  # its rows are its own values


def _flat(file: File, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    whole = "data" in document and "settlementPeriod" not in document
    for row in member(file, document, "data", list) if whole else [document]:
        yield from _values_of(file, row)


def _values_of(file: File, row: Any) -> Iterator[dict[str, Any]]:
    """Return the values of a half hour, each as an object that says of which."""
    inner = row.get("data", [row]) if isinstance(row, dict) else None
    if not isinstance(inner, list) or not all(isinstance(part, dict) for part in inner):
        refuse(file, f"has {str(row)[:40]!r} where an object of values was expected")
    for part in inner:
        yield row | part


def _starts(readings: Readings, records: _Records, shape: _Shape) -> np.ndarray:
    """Return UTC begins, checked against the settlement date and period."""
    name, cells = records.names[shape.time], records.columns[shape.time]
    times = parse_best(cells, *shape.layouts)
    what = "is not like 2024-01-31T00:30:00Z" + (" or 01/31/2024 00:30:00, month first" if shape.ends else "")
    report(readings.findings, readings.file, times.bad, records.lines, name, cells, what)
    starts = times.seconds - PERIOD_S * shape.ends
    if not times.bad.all():
        _check_settlement(readings, records, np.where(times.bad, starts[~times.bad][0], starts), ~times.bad, name)
    return starts


def _check_settlement(readings: Readings, records: _Records, starts: np.ndarray, good: np.ndarray, name: str) -> None:
    """Report rows whose settlement date or period is another than that of their time."""
    midnights, periods = settlement(starts)
    period = numbers(records.columns["settlementperiod"], 0)
    wrong = period.bad | period.null | (period.values != periods)
    if "settlementdate" in records.columns:
        dates = parse_labels(records.columns["settlementdate"], "%Y-%m-%d...")
        wrong |= dates.bad | (dates.seconds != midnights)
    what = "is not in the row's settlement date and period; are day and month swapped?"
    report(readings.findings, readings.file, wrong & good, records.lines, name, records.columns[name.lower()], what)


def _values(readings: Readings, records: _Records, shape: _Shape) -> Numbers:
    cells = records.columns[shape.value]
    found = numbers(cells, MEGA)
    unit = "MW" if shape.power else "MWh"
    name = records.names[shape.value]
    report(readings.findings, readings.file, found.bad, records.lines, name, cells, f"is not a number of {unit}")
    return found


def _published(readings: Readings, records: _Records) -> np.ndarray | None:
    """Return the order of publication int64[n]: by settlement run, else by time and revision; None if none is told."""
    if RUN in records.columns:
        return _ranked(readings, records, RUN)
    if "publishtime" not in records.columns:
        return None
    cells = records.columns["publishtime"]
    times = parse_best(cells, *_ISO)
    name = records.names["publishtime"]
    report(readings.findings, readings.file, times.bad, records.lines, name, cells, "is not like 2024-01-31T00:30:00Z")
    revisions = records.columns.get("documentrevisionnumber")
    number = 0 if revisions is None else np.clip(numbers(revisions, 0).values, 0, 999)
    order: np.ndarray = times.seconds * 1000 + number
    return order


def _ranked(readings: Readings, records: _Records, column: str) -> np.ndarray:
    """Return the rank of each row's settlement run; a run that is not known is a finding."""
    cells = records.columns[column]
    code, words = series_keys([cells])
    ranks: np.ndarray = np.array([_RUNS.index(word) if word in _RUNS else -1 for (word,) in words])[code]
    what = f"is no settlement run; expected one of {', '.join(_RUNS)}"
    report(readings.findings, readings.file, ranks < 0, records.lines, records.names[column], cells, what)
    return ranks


def _describe_type(words: Words) -> Column | str:
    word, business = (*words, "")[:2]
    if business.lower() == "consumption":
        return Column(KINDS["pumping"], AREA)
    return fuel_column(word) or "not known"


def _describe_unit(readings: Readings, how: How) -> Describe:
    """A unit is known by its National Grid id, else by its Elexon id; links to other countries are I_ units."""
    usual = describe_units(readings, how, AREA)

    def describe(words: Words) -> Column | str:
        link = words[0].startswith("I_")
        return Column(KINDS["exchange"], AREA, words[-1] or words[0]) if link else usual(words)

    return describe


FORMAT = Format(
    name="elexon",
    title="Elexon Insights: FUELHH, FUELINST, AGPT, AGWS, B1610",
    looks_like="Dataset,...,SettlementDate,SettlementPeriod,... with FuelType, PsrType or BmUnit; or the same as JSON",
    quirks=(
        "FUELHH, FUELINST, AGPT, AGWS are MW, the mean from StartTime on; B1610 is MWh in the half hour that ends",
        "B1610 writes month first in CSV: every time must agree with its settlement date and period",
        "settlement periods count from local midnight: 46 in spring, 50 in autumn",
        "B1610 does not say what a unit burns: --units FILE does; one that it lacks has no source type, and is named",
        "a later publication, revision or settlement run (II, SF, R1 .. DF) replaces an earlier one",
        "the settlement run, where rows tell it, is the flag",
        "INTFR, INTNED, ... and I_ units are links to other countries: trade, never generation",
        "FUELHH has no solar, and of wind only what is metered by the transmission system",
    ),
    detect=detect,
    read=read,
)
