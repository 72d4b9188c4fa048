"""Columns of times in portions: what makes Python's objects of each cell makes them of some ten thousand at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np

from gcr_fast.columns import as_text, is_words, one_array
from gcr_fast.periods import Times, parse_times
from gcr_fast.sources.clock import Labels, best_of, parse_labels

if TYPE_CHECKING:
    import pyarrow as pa

Cells: TypeAlias = "pa.ChunkedArray | pa.Array"
Read = TypeVar("Read", Labels, Times)
PORTION = 1 << 15


def labels_of(column: Cells, *layouts: str) -> Labels:
    """Read a column as `parse_best` does: by the one of several layouts that fits most of it."""
    return best_of(lambda layout: _joined(Labels, column, partial(parse_labels, layout=layout)), layouts)


def times_of(column: Cells, zone: str | None) -> Times:
    """Read a column as `parse_times` does. One in which something is amiss is read as a whole."""
    found = _joined(Times, column, partial(parse_times, zone=zone))
    if found.unreadable.any() or found.null.any() or (found.naive.any() and not found.naive.all()):
        return parse_times(column, zone)
    return found


def _joined(kind: type[Read], column: Cells, read: Callable[[pa.Array], Read]) -> Read:
    """Read portion by portion, into arrays of the whole."""
    found: Read | None = None
    first = 0
    for cells in _portions(column):
        some = read(cells)
        if found is None:
            found = kind(*(np.empty(len(column), part.dtype) for part in some))
        for whole, part in zip(found, some, strict=True):
            whole[first : first + len(cells)] = part
        first += len(cells)
    return found if found is not None else read(one_array(column))


def _portions(column: Cells) -> Iterator[pa.Array]:
    """Cut a column; a dictionary is spelled out, so that its words are not read again for each portion of it."""
    import pyarrow as pa

    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        for first in range(0, len(chunk), PORTION):
            cells = chunk.slice(first, PORTION)
            yield as_text(cells) if is_words(cells) and len(chunk) > PORTION else cells
