"""Where values of a profile stand in its source, and which they are there: read once more, where two sources differ."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from gcr_fast.errors import GcrError
from gcr_fast.grid.series import Series
from gcr_fast.grid.shapes import Parts, Profile


class Place(NamedTuple):
    """Where a value stands; what is not known of it is None."""

    file: str | None
    row: int | None = None
    line: int | None = None
    column: str | None = None

    @property
    def said(self) -> str:
        """The place in words."""
        counted = f", row {self.row}" if self.row is not None else ""
        return (self.file or "a table") + (f", line {self.line}" if self.line is not None else counted)


def places(piece: Profile, starts_s: np.ndarray, step_s: int) -> list[Place]:
    """Return where the values of intervals of this length stand; of an hour of several rows, the first."""
    places = [Place(piece.file or None)] * len(starts_s)
    if piece.rows is not None:
        with suppress(GcrError, OSError):  # the file is not there any more, or is another one
            for one in piece.rows.of(piece.name):
                for at, row in _rows_at(one, starts_s, step_s):
                    place = one.source.place(row)
                    name = place["file"] or piece.file or None
                    places[at] = Place(name, place["row"], place["line"], one.column)
    return places


def _rows_at(series: Series, starts_s: np.ndarray, step_s: int) -> Iterator[tuple[int, int]]:
    """Yield which of the intervals have a value in a series, and the first row of each."""
    kept = np.flatnonzero(~(series.null | series.unreadable))
    begins = series.seconds[kept] - (series.label == "end")  # what ends with an hour is within it
    order = np.argsort(begins, kind="stable")
    begins, rows = begins[order], series.rows[kept[order]]
    first = np.searchsorted(begins, starts_s)
    there = first < np.searchsorted(begins, starts_s + step_s)
    yield from zip(np.flatnonzero(there).tolist(), rows[first[there]].tolist(), strict=True)


def differing_values(piece: Profile, parts: Parts) -> dict[int, int]:
    """Return which parts of another source (their places, ascending) have another value in a piece's, and which it is.

    Only what begins and lasts alike is compared, W with W and Wh with Wh.
    """
    found: dict[int, int] = {}
    if piece.rows is not None:
        with suppress(GcrError, OSError):  # as above
            for one in piece.rows.of(piece.name):
                found |= _differing(one, parts)
    return dict(sorted(found.items()))


def _differing(series: Series, parts: Parts) -> dict[int, int]:
    kept = np.flatnonzero(~(series.null | series.unreadable))
    lasting = series.step_s or (int(parts.steps[0]) if len(parts.steps) else 0)
    begins = series.seconds[kept] - (lasting if series.label == "end" else 0)
    order = np.argsort(begins, kind="stable")
    begins, values = begins[order], series.values[kept[order]]
    place = np.minimum(np.searchsorted(begins, parts.begins), max(len(begins) - 1, 0))
    if not len(begins):
        return {}
    alike = (begins[place] == parts.begins) & (parts.steps == lasting) & (parts.power == (series.unit.kind == "power"))
    differ = np.flatnonzero(alike & (values[place] != parts.values))
    return dict(zip(differ.tolist(), values[place][differ].tolist(), strict=True))
