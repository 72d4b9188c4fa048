"""What a mapping says of a delimited text: its keys, checked before the file is opened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gcr_fast.errors import UsageError
from gcr_fast.periods import zone_named
from gcr_fast.sources.cells import Locale
from gcr_fast.sources.mapping_file import Keys
from gcr_fast.sources.model import WEIGHT_DIGITS
from gcr_fast.sources.words import KINDS, Kind, kind_of
from gcr_fast.units import UNITS, Unit

ISO, UNIX, UNIX_MS = "iso", "unix", "unix_ms"
BEGIN, END = "begin", "end"
GROUPS = frozenset({"kind", "area", "device"})
_DIRECTIVE = re.compile(r"%(.?)")
_KNOWN = frozenset("YymdHIMSpbz")
IGNORE = "ignore"


@dataclass(frozen=True)
class Clock:
    """How times are written, and what they mark."""

    columns: tuple[str, ...]
    """Joined by a blank where there are several: date and time."""
    layout: str
    """`iso`, `unix`, `unix_ms`, or directives such as %d.%m.%Y %H:%M."""
    zone: str
    """Empty if the mapping names none."""
    marks: str
    interval_s: int
    """0: the most frequent distance of two times."""


@dataclass(frozen=True)
class Of:
    """What a column or a series is; None where another key says it."""

    kind: Kind | None = None
    area: str | None = None
    device: str | None = None
    unit: Unit | None = None


@dataclass(frozen=True)
class Plan:
    """A mapping, checked."""

    clock: Clock
    delimiter: str
    """Empty: the one that the header has most of."""
    skip: int
    locale: Locale
    missing: tuple[str, ...]
    unit: Unit | None
    kind: Kind | None
    area: str
    attribution: str
    flags: str
    """The column of what the source says of its values; empty: none."""
    value: str
    """The column of values of a long table; empty if the table is wide."""
    series: Mapping[str, str]
    """Of a long table: the columns by what they tell, `kind`, `area` or `device`."""
    kinds: Mapping[str, Kind | None]
    """What the file's own words mean; None: left out."""
    columns: Mapping[str, Of]
    """Of a wide table: what each column is."""
    pattern: re.Pattern[str] | None
    """Of a wide table: the columns whose whole name it matches are series."""


def plan_of(mapping: Mapping[str, object]) -> Plan:
    """Check a mapping. Refused with every key that is missing, not known, or has a value that cannot be."""
    keys = Keys(mapping)
    keys.text("title", "")
    clock = _clock(keys)
    kinds = _kinds(keys)
    plan = Plan(
        clock=clock,
        delimiter=_delimiter(keys),
        skip=keys.number("skip", 0, most=10_000),
        locale=_locale(keys),
        missing=tuple(keys.texts("missing")),
        unit=_unit(keys),
        kind=_kind(keys, "kind", kinds),
        area=keys.text("area", ""),
        attribution=keys.text("attribution", ""),
        flags=keys.text("flags", ""),
        value=keys.text("value", ""),
        series=_series(keys),
        kinds=kinds,
        columns=_columns(keys, kinds),
        pattern=_pattern(keys),
    )
    _check_shape(keys, plan)
    keys.check()
    return plan


def _clock(keys: Keys) -> Clock:
    time = keys.part("time")
    columns = tuple(time.texts("column", None))
    layout = time.text("layout", ISO)
    if layout not in {ISO, UNIX, UNIX_MS}:
        fault = _layout_fault(layout)
        if fault:
            time.fail("layout", fault, layout)
    zone = time.text("zone", "")
    try:
        zone_named(zone or "UTC")
    except UsageError:
        time.fail("zone", "is no time zone: expected a name such as Europe/Berlin, UTC or +01:00", zone)
    marks = time.text("marks", one_of=(BEGIN, END))
    return Clock(columns, layout, zone, marks, 60 * time.number("minutes", 0, most=1440))


def _layout_fault(layout: str) -> str:
    """Say what is wrong with a layout of dates; empty if nothing is."""
    used = _DIRECTIVE.findall(layout)
    unknown = [one for one in used if one not in _KNOWN]
    if unknown:
        return f"has %{unknown[0]}; there are {', '.join('%' + one for one in sorted(_KNOWN))}"
    if len(set(used)) < len(used):
        return "has a directive twice"
    if "d" not in used or len({"Y", "y"} & set(used)) != 1 or len({"m", "b"} & set(used)) != 1:
        return "must have %d, one of %Y and %y, and one of %m and %b"
    if len({"H", "I"} & set(used)) != 1 or ("I" in used) != ("p" in used):
        return "must have %H, or %I with %p"
    return ""


def _delimiter(keys: Keys) -> str:
    said = keys.text("delimiter", "")
    said = {"tab": "\t", "\\t": "\t"}.get(said, said)
    if len(said) > 1 or said in {'"', "\n", "\r"}:
        keys.fail("delimiter", "must be one character, or tab", said)
        return ""
    return said


def _locale(keys: Keys) -> Locale:
    decimal, thousands = keys.text("decimal", ".", one_of=(".", ",")), keys.text("thousands", "")
    if len(thousands) > 1 or thousands in {decimal, "-", "+"} or thousands.isdigit():
        keys.fail("thousands", "must be one character, and not the decimal mark", thousands)
    return Locale(thousands, decimal)


def _unit(told: Keys) -> Unit | None:
    """Return the unit under `unit`; a weight is kept in billionths."""
    if "unit" not in told:
        return None
    name = told.text("unit")
    unit = UNITS.get(name.lower())
    if unit is None:
        told.fail("unit", f"must be one of {', '.join(one.name for one in UNITS.values())}", name)
    return unit._replace(digits=WEIGHT_DIGITS) if unit and unit.kind == "weight" else unit


def _kind(keys: Keys, name: str, kinds: Mapping[str, Kind | None]) -> Kind | None:
    if name not in keys:
        return None
    word = keys.text(name)
    kind = kinds.get(word) or kind_of(word)
    if kind is None and word:
        keys.fail(name, f"is no kind that is known; there are {', '.join(KINDS)}", word)
    return kind


def _kinds(keys: Keys) -> dict[str, Kind | None]:
    """Read what the file's own words mean."""
    part = keys.part("kinds")
    return {word: _meaning(part, word) for word in part.names}


def _meaning(part: Keys, word: str) -> Kind | None:
    said = part.text(word)
    kind = kind_of(said)
    if kind is None and said != IGNORE:
        part.fail(word, f"is no kind that is known; there are {IGNORE}, {', '.join(KINDS)}", said)
    return kind


def _series(keys: Keys) -> dict[str, str]:
    part = keys.part("series")
    return {name: part.text(name) for name in sorted(GROUPS) if name in part}


def _columns(keys: Keys, kinds: Mapping[str, Kind | None]) -> dict[str, Of]:
    """Read what each column is: a kind alone, or kind, area, device and unit below its name."""
    part = keys.part("columns")
    return {name: _column(part, name, kinds) for name in part.names}


def _column(part: Keys, name: str, kinds: Mapping[str, Kind | None]) -> Of:
    if part.is_text(name):
        return Of(kind=_kind(part, name, kinds))
    told = part.part(name)
    area = told.text("area") if "area" in told else None
    device = told.text("device") if "device" in told else None
    return Of(_kind(told, "kind", kinds), area, device, _unit(told))


def _pattern(keys: Keys) -> re.Pattern[str] | None:
    text = keys.text("pattern", "")
    try:
        pattern = re.compile(text)
    except re.error as error:
        keys.fail("pattern", f"is no regular expression: {error}", text)
        return None
    odd = sorted(set(pattern.groupindex) - GROUPS)
    if odd:
        keys.fail("pattern", f"has the group {odd[0]!r}; there are {', '.join(sorted(GROUPS))}", text)
    return pattern if text else None


def _check_shape(keys: Keys, plan: Plan) -> None:
    """Check that a mapping describes one table: long with a column of values, or wide with columns or a pattern."""
    wide = bool(plan.columns or plan.pattern)
    if plan.value and wide:
        keys.fail("value", "is of a long table, but columns or pattern describe a wide one", plan.value)
    if not plan.value and not wide:
        keys.fail("columns", "is missing: name columns, or pattern, or (in a long table) value")
    if plan.series and not plan.value:
        keys.fail("series", "is of a long table, which needs value")
    if plan.unit is None and not (plan.columns and all(of.unit for of in plan.columns.values()) and not plan.pattern):
        keys.fail("unit", "is missing")
    _check_kinds(keys, plan)
    _check_apart(keys, plan)


def _check_apart(keys: Keys, plan: Plan) -> None:
    """Check that no two columns are one series: of two that say the same, one would count for nothing."""
    first: dict[tuple[str, ...], str] = {}
    for name, of in plan.columns.items():
        kind, area = of.kind or plan.kind, plan.area if of.area is None else of.area
        series = (of.device,) if of.device else (area, kind.slug if kind else name)
        before = first.setdefault(series, name)
        if before != name:
            keys.fail("columns", f"names {before} and {name} as one series: give each a device, or an area, of its own")


def _check_kinds(keys: Keys, plan: Plan) -> None:
    """Check that something tells the kind of every series."""
    if plan.kind is not None:
        return
    without = [name for name, of in plan.columns.items() if of.kind is None]
    if without:
        keys.fail("kind", f"is missing, for {', '.join(without[:3])}")
    elif plan.value and "kind" not in plan.series:
        keys.fail("kind", "is missing: name it, or the column that tells it in series.kind")
    elif plan.pattern and "kind" not in plan.pattern.groupindex:
        keys.fail("kind", "is missing: name it, or a group (?P<kind>...) in pattern")
