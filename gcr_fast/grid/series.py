"""From a table of any layout to raw series: name, times, signed integers and where each row came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.codes import MAX_PROFILE_TOTAL, MEASURED, QUALITIES, SOURCE_TYPES, canonical_source, known_source
from gcr_fast.errors import UsageError
from gcr_fast.exchange.reading import Source
from gcr_fast.fields import Fields
from gcr_fast.findings import Findings
from gcr_fast.flags import Flags
from gcr_fast.grid.labels import Clock, clock_of, plain_name, span_of, unfold
from gcr_fast.periods import zone_named
from gcr_fast.schema import LEGACY_ALIASES
from gcr_fast.units import UNITS, Parsed, Unit, parse_scaled, split_unit, unit_named

if TYPE_CHECKING:
    import pyarrow as pa

LABELS = ("begin", "end")
GENERATION = "generation"
VALUE_STEMS = frozenset(
    {
        "",
        "energy",
        "power",
        "value",
        "weight",
        "weights",
        "generation",
        "output",
        "capacity_factor",
        "cf",
        "share",
    }
)
"""Names of a column that holds the values of a long table, its unit's suffix taken off."""

WEIGHT_DIGITS = (0, 3, 6, 9, 12)
"""Decimal places tried for weights, until none is lost."""
WEIGHT_DIGITS_KEY = b"gcr_fast.weight_digits"
"""In the metadata of an imported table: its weights are whole numbers, of so many decimal places."""


@dataclass(frozen=True)
class Series:
    """One profile's rows as they stood in the file, parsed, in file order."""

    name: str
    unit: Unit
    label: str
    seconds: np.ndarray
    """int64[n] UTC: begin or end of each interval, as `label` says."""
    values: np.ndarray
    """int64[n] with its sign: Wh, W or weight."""
    null: np.ndarray
    unreadable: np.ndarray
    """bool[n]: why a value is not to be used."""
    rows: np.ndarray
    """int64[n]: row of each in the source."""
    column: str
    source_type: str | None
    device_id: str | None
    source: Source
    quality: np.ndarray | None = None
    """uint8[n]: codes of `codes.QUALITIES`; None if every value is as it was metered."""
    flags: Flags | None = None
    """What the source says of each value in its own words; None if it says nothing."""
    step_s: int | None = None
    """Length of an interval, where the file tells; else it follows from the times."""
    span: tuple[int, int] | None = None
    """UTC seconds, from when to when intervals are expected, where the file tells; else from the first to the last."""
    hourly: bool | None = None
    """Whether each time is an hour after the one before, where that is known: series of a file share their times."""
    attribution: str = ""
    """Whom to name, where the source asks for it."""
    again: Rows | None = field(default=None, repr=False, compare=False)
    """Where to read all rows once more, where that can be done."""


class Rows:
    """The rows of a source, by profile, read once more when they are asked for.

    Only two sources that contradict each other are; rows that were kept would take as much memory as the profiles.
    """

    def __init__(self, read: Callable[[], Iterable[Series]]) -> None:
        self._read = read

    def of(self, name: str) -> list[Series]:
        """Return the rows of a profile: several series where its source changes the length of intervals."""
        return self._by_name.get(name, [])

    @cached_property
    def _by_name(self) -> dict[str, list[Series]]:
        found: dict[str, list[Series]] = {}
        for one in self._read():
            found.setdefault(one.name, []).append(one)
        return found


def read_series(source: Source, zone: str | None, unit: str | None, label: str | None) -> tuple[list[Series], Findings]:
    """Split a source into series. The layout is long if a column names profiles or there is one column of values."""
    if label is not None and label not in LABELS:
        raise UsageError(f"label must be begin or end, not {label!r}")
    if zone is not None:
        zone_named(zone)
    default = unit_named(unit) if unit else None
    fields = Fields(source, "profiles")
    clock = clock_of(fields, zone, label)
    if clock is None:
        return [], fields.findings
    named = {key: fields.name(key) for key in ("profile", "device_id", "source_type")}
    # Of an imported file: the profile's name says as much, or it is of no concern to a conversion.
    for told in ("interval_s", "area", "kind", "flags", "format"):
        if told in source.table.column_names:
            fields.claim(told)
    value = _value_column(fields, keyed=any(named.values()))
    found = list(_wide(fields, clock, default) if value is None else _long(fields, clock, named, value, default))
    if not found and not fields.findings.counts()["not_generation"]:
        fields.missing("of values, such as energy_wh")
    fields.note_unused()
    return found, fields.findings


def _value_column(fields: Fields, keyed: bool) -> str | None:
    """Return the one column of values of a long table, or None if the table is wide."""
    likely = [name for name in fields.unused if _stem(name) in VALUE_STEMS]
    if keyed and len(likely) > 1:
        both = " and ".join(likely)
        fields.findings.add("ambiguous_column", f"columns {both} both hold values", file=fields.source.name or None)
    long = keyed or len(likely) == len(fields.unused) == 1
    return likely[0] if long and likely else None


def _stem(name: str) -> str:
    plain = plain_name(name)
    return split_unit(LEGACY_ALIASES.get(plain, plain))[0]


def _wide(fields: Fields, clock: Clock, default: Unit | None) -> Iterator[Series]:
    """One series per remaining column that holds any number; the unit's suffix is not part of the name."""
    for column in list(fields.unused):
        stem, own = split_unit(column)
        unit = own or default
        parsed, unit = _values(fields.column(column), unit)
        if not (~(parsed.null | parsed.unreadable)).any():
            continue
        fields.claim(column)
        name = stem.strip() if own and stem.strip() else column.strip()
        _note_weights(fields, column, own or default)
        every = np.arange(len(fields))
        yield _series(fields, clock, every, name, unit, parsed, column, known_source(name), None)


def _long(
    fields: Fields, clock: Clock, named: dict[str, str | None], column: str, default: Unit | None
) -> Iterator[Series]:
    """One series per distinct profile, device or source type: the first of these columns there is."""
    plain = column.strip().lower()
    own = split_unit(LEGACY_ALIASES.get(plain, plain))[1] or default
    parsed, unit = _values(fields.column(column), own)
    if unit.kind == "weight":
        unit = unit._replace(digits=unit.digits + _digits_told(fields))
    fields.claim(column)
    _note_weights(fields, column, own)
    sources = _sources(fields)
    devices = fields.words("device_id")
    quality = _qualities(fields)
    roles = _roles(fields)
    key = next((key for key in ("profile", "device_id", "source_type") if named[key]), None)
    for name, every in _groups(fields, key):
        rows = _generated(fields, roles, name, every)
        if not len(rows):
            continue
        first = int(rows[0])
        device = _word_at(devices, first)
        kind = canonical_source(_word_at(sources, first) or "") or known_source(name)
        series = _series(fields, clock, rows, name, unit, parsed, column, kind, device)
        yield series if quality is None else replace(series, quality=quality[series.rows])


def _digits_told(fields: Fields) -> int:
    """Return how many decimal places of weights became digits when the table was imported."""
    told = (fields.source.table.schema.metadata or {}).get(WEIGHT_DIGITS_KEY, b"0")
    return int(told) if told.isdigit() and len(told) < 3 else 0


def _roles(fields: Fields) -> tuple[np.ndarray, list[str]] | None:
    """Return the role of each row, int32[n] codes and their words; None if there is no such column."""
    found = fields.words("role")
    return None if found is None or set(found[1]) <= {GENERATION} else found


def _generated(fields: Fields, roles: tuple[np.ndarray, list[str]] | None, name: str, every: np.ndarray) -> np.ndarray:
    """Return the rows of a profile that are generation (or do not tell). The others are noted under its name."""
    if roles is None:
        return every
    codes, words = roles
    here = codes[every]
    other: np.ndarray = np.array([word != GENERATION for word in words] + [False])[here]
    if other.any():
        role = ", ".join(words[code] for code in np.unique(here[other]).tolist())
        place = {"column": "role", "value": role, "file": fields.source.name or None, "profile": name}
        fields.findings.add(
            "not_generation", f"{name} is {role}, which is never converted", count=int(other.sum()), **place
        )
    kept: np.ndarray = every[~other]
    return kept


def _qualities(fields: Fields) -> np.ndarray | None:
    """uint8[n]: codes of `QUALITIES`; None if the file does not tell, or all is as metered.."""
    found = fields.words("quality")
    if found is None:
        return None
    codes, values = found
    known = [QUALITIES.index(value) if value in QUALITIES else MEASURED for value in values]
    quality = np.array([*known, MEASURED], dtype=np.uint8)[codes]
    return quality if quality.any() else None


def _groups(fields: Fields, key: str | None) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (name, rows) of each distinct value of a field; the file's name if there is no such field."""
    if key is None:
        yield Path(fields.source.name).stem or "profile", np.arange(len(fields))
        return
    codes, values = fields.words(key) or (np.zeros(0, np.int32), [])
    fields.report("null_value", codes < 0, key, "is empty")
    order = None if (codes[1:] >= codes[:-1]).all() else np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes if order is None else codes[order], np.arange(len(values) + 1))
    for name, (low, high) in zip(values, pairwise(bounds.tolist()), strict=True):
        if low < high:  # a filtered table may name profiles that have no rows
            yield name, np.arange(low, high) if order is None else order[low:high]


def _sources(fields: Fields) -> tuple[np.ndarray, list[str]] | None:
    """Return the source types as written; words that are none are reported."""
    found = fields.words("source_type")
    if found is not None:
        codes, values = found
        unknown = np.array([canonical_source(value) is None for value in values] + [False])
        what = f"is not known; expected one of {', '.join(SOURCE_TYPES)}"
        if unknown.any():
            fields.report("unknown_source_type", unknown[codes], "source_type", what)
    return found


def _word_at(found: tuple[np.ndarray, list[str]] | None, row: int) -> str | None:
    return found[1][found[0][row]] if found is not None and found[0][row] >= 0 else None


def _values(column: pa.Array, unit: Unit | None) -> tuple[Parsed, Unit]:
    """Parse values in their unit; bare weights keep as many decimals as their sum allows, which their unit tells."""
    if unit is not None and unit.kind != "weight":
        parsed = parse_scaled(column, unit.digits)
        return _within_limit(parsed), unit
    best, kept = None, 0
    for digits in WEIGHT_DIGITS:
        parsed = parse_scaled(column, digits)
        too_large = np.abs(parsed.values.astype(np.float64)).sum() > MAX_PROFILE_TOTAL
        if best is not None and (too_large or (parsed.unreadable & ~best.unreadable).any()):
            break
        best, kept = parsed, digits
        if not parsed.inexact.any():
            break
    assert best is not None
    return _within_limit(best), UNITS["weight"]._replace(digits=kept)


def _within_limit(parsed: Parsed) -> Parsed:
    """Take a value that no profile can hold (2^53 or more) as unreadable."""
    if len(parsed.values) == 0 or -MAX_PROFILE_TOTAL <= parsed.values.min() <= parsed.values.max() <= MAX_PROFILE_TOTAL:
        return parsed
    over = np.abs(parsed.values) > MAX_PROFILE_TOTAL
    return parsed._replace(unreadable=parsed.unreadable | over, values=np.where(over, 0, parsed.values))


def _note_weights(fields: Fields, column: str, unit: Unit | None) -> None:
    if unit is None:
        fields.findings.add(
            "taken_as_weights",
            f"column {column} names no unit: taken as a shape, not as energy",
            column=column,
            file=fields.source.name or None,
        )


def _series(
    fields: Fields,
    clock: Clock,
    rows: np.ndarray,
    name: str,
    unit: Unit,
    parsed: Parsed,
    column: str,
    source_type: str | None,
    device_id: str | None,
) -> Series:
    good = clock.good[span_of(rows)]
    kept = rows if good.all() else rows[good]
    seconds, known = unfold(fields, clock, kept)
    if not known.all():
        kept, seconds = kept[known], seconds[known]
    at = span_of(kept)
    return Series(
        name=name,
        unit=unit,
        label=clock.label,
        seconds=seconds,
        values=parsed.values[at],
        null=parsed.null[at],
        unreadable=parsed.unreadable[at],
        rows=kept,
        column=column,
        source_type=source_type,
        device_id=device_id,
        source=fields.source,
    )
