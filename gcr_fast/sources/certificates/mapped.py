"""A list of no known format, read as a mapping file describes it (see `EXAMPLE`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeVar, cast

from gcr_fast.codes import canonical_source
from gcr_fast.errors import UsageError
from gcr_fast.exchange.reading import DELIMITERS
from gcr_fast.periods import zone_named
from gcr_fast.sources.certificates.layout import FIELDS, Format, Layout
from gcr_fast.sources.certificates.statuses import Meaning, named
from gcr_fast.sources.mapping_file import Keys
from gcr_fast.sources.words import normalised
from gcr_fast.units import unit_named

Ours = TypeVar("Ours")
NAME = "mapped"
EXAMPLE = """\
columns:              # what it is here: the header of its column
  first: Nr. von
  last: Nr. bis
  energy: Menge
  start: Beginn
  end: Ende
  technology: Art
  status: Zustand
units: {energy: kWh}
status: {entwertet: cancelled, aktiv: active}
technologies: {Laufwasser: hydro_run_of_river}
constants: {country: CH, issuer: Pronovo}
dates: day-first      # or month-first
decimal: ","
zone: Europe/Zurich
rounding: exact       # or down: to whole Wh, and counted
without_energy: refuse    # or leave-out
leave_out: [fossil]   # source types that are named, not taken
"""
"""A whole mapping file; `FIELDS` lists everything that may stand under `columns` and `constants`."""

FORMAT = Format(
    name=NAME,
    title="any list, described by a mapping file (YAML or JSON)",
    looks_like=EXAMPLE.rstrip(),
    quirks=(
        f"columns and constants may name {', '.join(FIELDS)}",
        "needed: serial numbers (first, last) or an id or a device; energy or count; a period, its ends or a year; "
        "a status, or what only a cancellation has",
        "constants stand for columns that the list does not have: its country, its issuer, its status",
        "a serial number stands for wh_each Wh (1000000): the range must hold the energy; 0 if it says nothing of it",
        "ranges: half-open if the last number is the first that is not in the range; years: april for 2022 - 2023",
    ),
    layout=Layout(fields={}),
    detect=lambda file: False,
)
"""How the list of formats shows it; no file is recognised as one."""

_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"} | {mark: mark for mark in DELIMITERS}
_UNIT_KINDS = {"energy": "energy", "capacity": "power", "mwh_each": "energy"}
_NEEDED = (
    frozenset({"first", "id", "device_id"}),
    frozenset({"energy", "count"}),
    frozenset({"period", "start", "year"}),
    frozenset({"period", "end", "year"}),
    frozenset({"status", "transaction", "cancelled_on", "reason", "beneficiary"}),
)


def layout_of(mapping: Mapping[str, object]) -> Layout:
    """Return the layout that a mapping describes. Refused: every key that is unknown, missing or of another shape."""
    keys = Keys(mapping)
    columns = _fields(keys, "columns")
    constants = _fields(keys, "constants")
    for choices in _NEEDED:
        if not choices & (set(columns) | set(constants)):
            keys.fail("columns", f"must have {' or '.join(sorted(choices))} (or constants must)")
    units = _units(keys)
    order = "day" if keys.text("dates", "day-first", ("day-first", "month-first")) == "day-first" else "month"
    layout = Layout(
        fields={name: (header,) for name, header in columns.items()},
        needed=tuple(frozenset({name}) for name in columns),
        order=cast("Literal['day', 'month']", order),
        zone=_zone(keys),
        april_years=keys.text("years", "calendar", ("calendar", "april")) == "april",
        half_open=keys.text("ranges", "inclusive", ("inclusive", "half-open")) == "half-open",
        wh_each=keys.number("wh_each", 1_000_000),
        units=units,
        energy_digits=units.get("energy", 6),
        capacity_digits=units.get("capacity", 3),
        decimal=keys.text("decimal", "", (".", ",")) or None,
        statuses=_statuses(keys),
        technologies=_technologies(keys),
        constants=constants,
        round_down=keys.text("rounding", "exact", ("exact", "down")) == "down",
        leave_empty=keys.text("without_energy", "refuse", ("refuse", "leave-out")) == "leave-out",
        leave_sources=_left_sources(keys),
        delimiter=_DELIMITERS[mark] if (mark := keys.text("delimiter", "", _DELIMITERS)) else None,
        skip=keys.number("skip", 0, most=1000) or None,
    )
    keys.check()
    return layout


def _fields(keys: Keys, part: str) -> dict[str, str]:
    below = keys.part(part)
    return {name: text for name in FIELDS if name in below and (text := below.text(name))}


def _units(keys: Keys) -> dict[str, int]:
    """Return the decimal places that make Wh or W of the fields whose unit is named."""
    below = keys.part("units")
    found = {}
    for name, kind in _UNIT_KINDS.items():
        word = below.text(name, "")
        try:
            unit = unit_named(word) if word else None
        except UsageError:
            unit = None
        if unit is not None and unit.kind == kind:
            found[name] = unit.digits
        elif word:
            below.fail(name, f"is no unit of {kind}: expected kWh, MWh, ... or kW, MW, ...", word)
    return found


def _zone(keys: Keys) -> str | None:
    zone = keys.text("zone", "")
    try:
        zone_named(zone or "UTC")
    except UsageError as error:
        keys.fail("zone", f": {error}")
    return zone or None


def _words(keys: Keys, name: str, known: Callable[[str], Ours | None], what: str) -> dict[str, Ours]:
    """Return what each word under a key means; a meaning that is not known is a fault of the mapping."""
    below, found = keys.part(name), {}
    for word in below.names:
        ours = below.text(word)
        meaning = known(ours)
        if meaning is None:
            below.fail(word, what, ours)
        else:
            found[normalised(word)] = meaning
    return found


def _statuses(keys: Keys) -> dict[str, Meaning]:
    return _words(
        keys, "status", named, "is no status: expected cancelled, cancelled for conversion, issued, expired, ..."
    )


def _left_sources(keys: Keys) -> frozenset[str]:
    """Return the source types that the list is to be read without."""
    sources = {word: canonical_source(word) for word in keys.texts("leave_out")}
    for word, source in sources.items():
        if source is None:
            keys.fail("leave_out", "names no source type (see `gcr schema --codes`)", word)
    return frozenset(filter(None, sources.values()))


def _technologies(keys: Keys) -> dict[str, str]:
    return _words(keys, "technologies", canonical_source, "is no source type (see `gcr schema --codes`)")
