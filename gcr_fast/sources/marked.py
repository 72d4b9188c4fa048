"""Numbers with marks between thousands, or with a decimal comma -> floats, many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

MOST_LETTERS = 16
"""A number of so many letters has at most fifteen digits beside its mark or sign: its float stands for it alone."""


def floats(text: pa.Array, thousands: str, decimal: str, missing: Sequence[str]) -> pa.Array:
    """Return text[n] as float64[n], the words `missing` as null; `thousands` may be empty.

    Raises `pyarrow.ArrowInvalid` if a cell could be anything but such a number: it has other letters or more than
    `MOST_LETTERS`, a mark that is not before three digits, or one behind a zero (`0.123` may be a fraction). Whoever
    reads the text itself can say what it is.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    there = text.is_valid()
    if missing:
        there = pc.and_not(there, pc.is_in(text, value_set=pa.array(missing, pa.string())))
    text = pc.if_else(there, text, "")  # under a null, too, may stand letters
    bounds = np.frombuffer(text.buffers()[1], np.int32)[text.offset : text.offset + len(text) + 1]
    letters = np.frombuffer(text.buffers()[2] or b"", np.uint8)[bounds[0] : bounds[-1]]
    bounds = bounds - bounds[0]
    mark = letters == ord(thousands) if thousands else np.zeros(len(letters), bool)
    point = letters == ord(decimal)
    digit = letters - np.uint8(ord("0")) <= 9
    known = digit | mark | point | (letters == ord("-")) | (letters == ord("+"))
    sound = known.all() and (np.diff(bounds) <= MOST_LETTERS).all()
    if not sound or not _well_marked(np.flatnonzero(mark), digit, mark | point, letters, bounds):
        raise pa.ArrowInvalid("no plain numbers")
    return _without_marks(np.where(point, np.uint8(ord(".")), letters), mark, bounds, there).cast(pa.float64())


def _well_marked(
    marks: np.ndarray, digit: np.ndarray, ends: np.ndarray, letters: np.ndarray, bounds: np.ndarray
) -> bool:
    """Whether each of `marks` (places in the letters) stands before three digits, behind one to three or a mark's."""
    if not len(marks):
        return True
    cell = np.repeat(np.arange(len(bounds) - 1, dtype=np.int32), np.diff(bounds))[marks]
    first, last = bounds[cell], bounds[cell + 1]
    first = first + ~digit[first]  # a sign
    if (marks + 4 > last).any() or (marks <= first).any():
        return False
    ended = np.append(ends, True)[marks + 4] | (marks + 4 == last)
    behind = (np.diff(marks, prepend=-4) == 4) & (np.diff(cell, prepend=-1) == 0)
    lead = (letters[first] != ord("0")) & (marks - first <= 3)
    for place in (1, 2, 3):
        ended &= digit[marks + place]
        lead &= digit[np.maximum(marks - place, first)]
    return bool((ended & (behind | lead)).all())


def _without_marks(letters: np.ndarray, mark: np.ndarray, bounds: np.ndarray, there: pa.BooleanArray) -> pa.Array:
    """Return the text of these letters without its marks, null where it is not `there`."""
    import pyarrow as pa

    kept = np.append(np.int32(0), np.cumsum(~mark, dtype=np.int32))[bounds]
    data = [there.buffers()[1], pa.py_buffer(kept), pa.py_buffer(letters[~mark])]
    return pa.Array.from_buffers(pa.string(), len(there), data)
