"""Whether a row repeats an earlier one word for word: in all its cells, those that its reader does not know as well."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import numpy as np

from gcr_fast.sources.files import File, Table
from gcr_fast.sources.model import Readings

_CELLS = re.compile(r"[,;\t|]")
_FEW = 2
"""Cells of a title, a unit or another line above a header; a header has more."""


def word_for_word(readings: Readings, before: np.ndarray, again: np.ndarray) -> np.ndarray:
    """bool[n]: whether rows have the cells of those before them. Both are int[n], the lines that they stand on.

    Documents have nothing to compare: their readers take all words of a record that tell what it is of.
    """
    if not len(again) or (readings.cells is None and readings.file.kind != "csv"):
        return np.ones(len(again), dtype=bool)
    wanted = np.unique(np.concatenate([before, again]))
    said = _lines_of(readings.file, wanted) if readings.cells is None else _rows_of(readings.cells, wanted)
    told = dict(zip(wanted.tolist(), said, strict=True))
    return np.array([told[one] == told[other] for one, other in zip(before.tolist(), again.tolist(), strict=True)])


def _rows_of(table: Table, lines: np.ndarray) -> list[str]:
    """Return the rows of a table by their lines, cell by cell, each as one text; of another sheet, none alike."""
    at = lines.astype(np.int64) - table.first_line
    inside = (at >= 0) & (at < len(table))
    rows = iter(table.columns.take(at[inside]).to_pylist())
    return [
        str(tuple(next(rows).values())) if there else f"\0{line}" for there, line in zip(inside, lines, strict=True)
    ]


def _lines_of(file: File, wanted: np.ndarray) -> list[str]:
    """Return some lines of a text by their ascending numbers, trimmed; one that is not there is as no other.

    Readers of tables pass over blank lines between rows, and do not count them. Those above a header count: there are
    none if the first line is the header; else from the first of these lines on.
    """
    lines, found, at, line = _lines(file), list[str](), 0, ""
    above = 0 if sum(map(bool, _CELLS.split(file.head_text.partition("\n")[0]))) > _FEW else wanted[0]
    for number in wanted.tolist():
        while at < number and (following := next(lines, None)) is not None:
            if at < above or following.rstrip("\r\n"):
                at, line = at + 1, following
        found.append(line.strip() if at == number else f"\0{number}")
    return found


def _lines(file: File) -> Iterator[str]:
    """Yield the lines of a text. What cannot be decoded is replaced: the reader has seen to it."""
    with io.BytesIO(file.data) if file.packed else file.path.open("rb") as raw:
        yield from io.TextIOWrapper(raw, encoding=file.encoding, errors="replace")
