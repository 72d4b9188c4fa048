"""Ids of certificates: handles and text ids, each from the other."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import numpy as np

from gcr_fast.errors import UsageError
from gcr_fast.periods import utc_text
from gcr_fast.registry.state import State
from gcr_fast.registry.stored import PIECE


def resolve_ids(state: State, given: Any) -> np.ndarray:
    """Return handles, int64[n], of handles or text ids, one or many. Unknown ids are a `UsageError` that lists them."""
    if hasattr(given, "to_pylist"):
        given = given.to_pylist()
    items: Iterable[Any] = given if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    handles: list[int] = []
    unknown: list[Any] = []
    for item in items:
        found = handle_of(state, item)
        if found is None:
            unknown.append(item)
        else:
            handles.append(found)
    if unknown:
        shown = ", ".join(map(str, unknown[:20])) + (f" and {len(unknown) - 20} more" if len(unknown) > 20 else "")
        raise UsageError(f"no such certificate: {shown}")
    return np.array(handles, dtype=np.int64)


def handle_of(state: State, given: Any) -> int | None:
    """Return the handle of a handle or text id, None if there is no such certificate."""
    if isinstance(given, str):
        return find_id(state, given)
    if not isinstance(given, int | np.integer) or isinstance(given, bool):
        raise UsageError(f"{given!r} is no certificate: give a handle, or an id such as HOURLY-GO-1-2024060112")
    return existing(state, int(given))


def existing(state: State, handle: int) -> int | None:
    """Return a handle if there is such a certificate, else None."""
    if handle >= PIECE:
        return handle if handle - PIECE < len(state.pieces) else None
    if not 0 <= handle < state.catalogue.rows:
        return None
    return handle if state.holding(handle)[2] else None


def id_text(state: State, handle: int) -> str:
    """Return HOURLY-{parent}-{YYYYMMDDHH}, minutes appended for shorter intervals; a piece has /{first}-{end} Wh."""
    row, first, wh, _, _ = state.holding(handle)
    parent = state.catalogue.one_parent_of(row)
    digits = 10 if state.catalogue.numbers["step_s"][parent] == 3600 else 12
    stamp = "".join(mark for mark in utc_text(state.start_of(row)) if mark.isdigit())[:digits]
    whole = f"HOURLY-{state.catalogue.ids[parent].as_py()}-{stamp}"
    return whole if handle < PIECE else f"{whole}/{first}-{first + wh}"


def find_id(state: State, text: str) -> int | None:
    """Return the handle of a text id, None if there is no such certificate."""
    row = _find_row(state, text)
    if row is not None or "/" not in text:
        return row
    row = _find_row(state, text.rpartition("/")[0])  # ids of parents may have strokes, too
    numbers = [] if row is None else state.pieces_of.get(row, [])
    return next((PIECE + n for n in numbers if id_text(state, PIECE + n) == text), None)


def _find_row(state: State, text: str) -> int | None:
    head, _, stamp = text.rpartition("-")
    if not head.startswith("HOURLY-") or not (stamp.isascii() and stamp.isdigit()) or len(stamp) not in (10, 12):
        return None
    parent = state.catalogue.place_of.get(head[len("HOURLY-") :])
    return None if parent is None else _row_at(state, parent, stamp)


def _row_at(state: State, parent: int, stamp: str) -> int | None:
    numbers = state.catalogue.numbers
    step = int(numbers["step_s"][parent])
    if (len(stamp) == 10) != (step == 3600):
        return None
    try:
        day = datetime(
            int(stamp[:4]), int(stamp[4:6]), int(stamp[6:8]), int(stamp[8:10]), int(stamp[10:] or 0), tzinfo=UTC
        )
    except ValueError:
        return None
    named, begin = int(day.timestamp()), int(numbers["start_s"][parent])
    offset = -((begin - named) // step)  # hours of half-hour zones begin at :30, which their ids leave out
    if begin + offset * step >= named + max(step, 60) or not 0 <= offset < numbers["hours"][parent]:
        return None
    return existing(state, int(numbers["first_row"][parent]) + offset)
