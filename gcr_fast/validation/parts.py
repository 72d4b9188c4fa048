"""A column in the parts in which it lies in memory, so that what comes again is looked at once.

The hours of many certificates share their times and words: the same memory, named by many chunks. A part is known by
its address; what was found out about it is remembered for as long as that memory is held.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Parts:
    """A column without nulls, as arrays of one type."""

    arrays: tuple[np.ndarray, ...]
    marks: tuple[Hashable, ...]
    """Where each lies in memory."""

    @classmethod
    def of(cls, values: np.ndarray) -> Parts:
        """Return a column of one part."""
        return cls((values,), (None,))

    @classmethod
    def from_chunks(cls, chunks: list[pa.Array], dtype: type) -> Parts:
        """View the values (of a dictionary column, its indices) of chunks without nulls. Nothing is copied."""
        arrays, marks = [], []
        size = np.dtype(dtype).itemsize
        seen: dict[Hashable, np.ndarray] = {}
        for chunk in chunks:
            if not len(chunk):
                continue
            buffer, count, offset = chunk.buffers()[1], len(chunk), chunk.offset
            mark = (buffer.address + offset * size, count)
            if mark not in seen:
                seen[mark] = np.frombuffer(buffer, dtype, count, offset * size)
            arrays.append(seen[mark])
            marks.append(mark)
        return cls(tuple(arrays), tuple(marks))

    @cached_property
    def flat(self) -> np.ndarray:
        """The whole column as one array."""
        whole: np.ndarray = self.arrays[0] if len(self.arrays) == 1 else np.concatenate(self.arrays)
        return whole

    @cached_property
    def bounds(self) -> np.ndarray:
        """int64[parts + 1]: where each part begins, and the end of the last."""
        return np.concatenate([[0], np.cumsum([len(part) for part in self.arrays])]).astype(np.int64)


@dataclass
class Memory:
    """What is known of parts, by where they lie. Valid only while their memory is held by someone else."""

    known: dict[Hashable, Any] = field(default_factory=dict)
    constants: dict[Hashable, tuple[int, int | None]] = field(default_factory=dict)
    """Per address: how many entries were looked at, and the one value of them all."""

    def constant(self, part: np.ndarray, mark: Hashable) -> int | None:
        """Return the one value that a part holds throughout, or None."""
        address = mark[0] if isinstance(mark, tuple) else None
        size, value = self.constants.get(address, (0, None)) if address is not None else (0, None)
        if value is not None and len(part) <= size:
            return value
        found = int(part[0]) if len(part) and bool((part == part[0]).all()) else None
        if address is not None and found is not None:
            self.constants[address] = (len(part), found)
        return found

    def spread(self, column: Parts, bounds: np.ndarray) -> np.ndarray | None:
        """Return the value of each run int64[r], if every run has one value in memory that says so; else None.

        `bounds` int64[r + 1] are the runs of the rows.
        """
        values = [self.constant(part, mark) for part, mark in zip(column.arrays, column.marks, strict=True)]
        if any(value is None for value in values):
            return None
        known = np.array(values, dtype=np.int64)
        firsts = np.flatnonzero(np.concatenate([[True], known[1:] != known[:-1]]))
        edges = np.append(column.bounds[firsts], column.bounds[-1])
        at = np.searchsorted(bounds, edges)
        if (bounds[at] != edges).any():
            return None  # a run has two values
        return np.repeat(known[firsts], np.diff(at))
