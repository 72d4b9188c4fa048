"""Energy-Charts, answers of its API (public_power, total_power): JSON, UTC, MW by production type."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from gcr_fast.findings import RefusedError
from gcr_fast.periods import FIRST_S, LAST_S
from gcr_fast.sources.cells import MEGA, numbers
from gcr_fast.sources.files import File, refuse
from gcr_fast.sources.model import Format, How, Reading, Readings
from gcr_fast.sources.pieces import IrregularError, texts
from gcr_fast.sources.streamed import Told
from gcr_fast.sources.wide import step_of
from gcr_fast.sources.words import Kind, kind_of, normalised

_BEGINS = re.compile(r'^\s*\{\s*"unix_seconds"\s*:\s*\[')
_DERIVED = ("share", "residual")


def detect(file: File) -> bool:
    """Whether it begins with a list of `unix_seconds`: what follows may lie beyond the head of a year."""
    if file.kind != "json":
        return False
    head = file.head_text
    return bool(_BEGINS.match(head)) or ('"unix_seconds"' in head and '"production_types"' in head)


class _Parsed(NamedTuple):
    """A production type that is read, or that is left out."""

    name: str
    size: int
    values: np.ndarray
    """int64[n] W; empty if it is left out."""
    null: np.ndarray
    wrong: dict[int, Any]
    """What is no number, by its place."""


def read(file: File, how: How) -> Readings:
    """Read generation, load and trade by type. The file does not say of which area."""
    try:
        starts, parsed = _row_by_row(file)
    except (IrregularError, RefusedError):
        starts, parsed = _at_once(file)
    readings = Readings(file, FORMAT.name, rows=len(starts), zone=how.zone or "UTC")
    readings.attribution = "Energy-Charts, Fraunhofer ISE (CC BY 4.0)"
    lines, clear = np.arange(1, len(starts) + 1, dtype=np.int32), np.zeros(len(starts), dtype=bool)
    for one in parsed:
        kind = kind_of(one.name)
        if _is_derived(one.name):
            readings.left_out[one.name] = "derived from other series"
        elif kind is None:
            readings.left_out[one.name] = "not known"
        else:
            _add(readings, kind, one if len(one.null) else one._replace(null=clear), starts, lines)
    return readings


def _row_by_row(file: File) -> tuple[np.ndarray, list[_Parsed]]:
    """Return the starts and the production types, each of which is let go of when its numbers are read."""
    told = Told(texts(file), "production_types")
    parsed = [_parsed(*_entry(file, entry)) for entry in told]
    starts = _starts(file, _list(file, told.rest, "unix_seconds"))
    if any(one.size != len(starts) for one in parsed):
        raise IrregularError
    return starts, parsed


def _at_once(file: File) -> tuple[np.ndarray, list[_Parsed]]:
    """Return the same. Refused: a file in which something is missing."""
    document = file.json()
    starts = _starts(file, _list(file, document, "unix_seconds"))
    parsed = []
    for entry in _list(file, document, "production_types"):
        name, data = _entry(file, entry)
        if len(data) != len(starts):
            what = f"has {len(data)} values of {name} for {len(starts)} unix_seconds"
            refuse(file, what, "malformed_row", column=name)
        parsed.append(_parsed(name, data))
    return starts, parsed


def _is_derived(name: str) -> bool:
    return any(word in normalised(name) for word in _DERIVED)


def _parsed(name: str, data: list[Any]) -> _Parsed:
    import pyarrow as pa

    if _is_derived(name) or kind_of(name) is None:
        return _Parsed(name, len(data), np.zeros(0, np.int64), np.zeros(0, bool), {})
    found = numbers(pa.array([None if value is None else str(value) for value in data], pa.string()), MEGA)
    wrong = {at: data[at] for at in np.flatnonzero(found.bad).tolist()}
    return _Parsed(name, len(data), found.values, found.null if found.null.any() else found.null[:0], wrong)


def _list(file: File, document: Any, key: str) -> list[Any]:
    """Return a list of the document; refused if it has none."""
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, list):
        have = ", ".join(map(str, document)) if isinstance(document, dict) else "no object"
        refuse(file, f"has no list {key}, but {have}: save the answer of public_power", "missing_column", column=key)
    return value


def _entry(file: File, entry: Any) -> tuple[str, list[Any]]:
    """Return the name and the values of one production type."""
    name = entry.get("name") if isinstance(entry, dict) else None
    data = entry.get("data") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not isinstance(data, list):
        refuse(file, "has an entry of production_types without name or data", "missing_column")
    return name, data


def _starts(file: File, seconds: list[Any]) -> np.ndarray:
    """Return UTC starts int64[n]."""
    for at, second in enumerate(seconds):
        if type(second) is not int or not FIRST_S <= second < LAST_S:
            said = f"has unix_seconds {second!r} at position {at + 1}; expected seconds since 1970, such as 1704063600"
            refuse(file, said, "unreadable_value", column="unix_seconds", value=str(second))
    return np.array(seconds, dtype=np.int64)


def _add(readings: Readings, kind: Kind, parsed: _Parsed, starts: np.ndarray, lines: np.ndarray) -> None:
    """Add one series; a value that is no number is a finding."""
    name = parsed.name
    for at, value in parsed.wrong.items():
        what = f"value {value!r} of {name} at position {at + 1} is not a number"
        readings.findings.add("unreadable_value", what, file=readings.file.name, column=name, value=str(value)[:60])
    if parsed.null.all():
        readings.left_out[name] = "no value at any time"
        return
    readings.series.append(
        Reading(
            kind=kind.slug,
            area="",
            role=kind.role,
            power=True,
            starts=starts,
            interval_s=step_of(starts),
            values=parsed.values,
            null=parsed.null,
            lines=lines,
            source_type=kind.source_type,
            column=name,
        )
    )


FORMAT = Format(
    name="energy-charts",
    title="Energy-Charts API, public_power and total_power",
    looks_like='{"unix_seconds":[1704063600,...],"production_types":[{"name":"Solar","data":[0.0,...]},...]}',
    quirks=(
        "MW, the mean of 15 or 60 minutes from the time on; null is a gap",
        "load, residual load and shares in percent stand among the production types: load is kept, the others left out",
        "pumping is negative and trade has both signs: kept apart, sign as it is",
        "the file does not name its country: --area does",
    ),
    detect=detect,
    read=read,
)
