"""Columns of a delimited text as numbers, as early as can be: the text of a block is let go of with the block.

Whatever is amiss is `IrregularError`, and left to whoever reads all at once and can name it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

import numpy as np

from gcr_fast.columns import some
from gcr_fast.sources.delimited import (
    Block,
    Content,
    Lines,
    OpenQuoteError,
    apart,
    blocks_of,
    each_block,
    joined,
    line_rows,
    lines_of_words,
)
from gcr_fast.sources.files import File, Table, content_of, header_of
from gcr_fast.sources.pieces import IrregularError

if TYPE_CHECKING:
    import pyarrow as pa

TAIL_BYTES = 64
"""In which blank lines are looked for at the end of a text: there they harm nobody."""
Result = TypeVar("Result")
Turn: TypeAlias = "Callable[[pa.Table], Sequence[np.ndarray]]"
"""Makes arrays [rows] of the text of a block. Raises `IrregularError` where a cell is not what it should be."""


class Early(NamedTuple):
    """A table whose text is gone, but for some columns."""

    table: Table
    """Of the columns that were kept; with one of nothing if there are none."""
    columns: list[np.ndarray]
    """What the blocks were turned into, each [rows]."""


def read_early(
    file: File, turn: Turn, kinds: Sequence[type], keep: Sequence[str], *, delimiter: str = ",", skip: int = 0
) -> Early:
    """Read a text as `read_csv` does, its blocks turned into arrays of some `kinds`, and the columns `keep` as text."""
    import pyarrow as pa

    lines = lines_of_words(header_of(file, delimiter, skip), delimiter)
    blocks = Blocks(file, skip + 1)
    columns: list[np.ndarray] = [np.zeros(blocks.rows, kind) for kind in kinds]  # what stays zero takes no memory

    def work(found: pa.Table, first: int) -> pa.Table | None:
        for whole, part in zip(columns, turn(found), strict=True):
            if some(part):
                whole[first : first + len(found)] = part
        return apart(found.select(list(keep))) if keep else None

    parts = [part for part in blocks.each(lines, work) if part is not None]
    table = joined(parts) if keep else pa.table({"": pa.nulls(blocks.rows)})
    return Early(Table(table, skip + 2), columns)


class Blocks:
    """The lines of a text after the first `skip`, each of which is a row."""

    def __init__(self, file: File, skip: int) -> None:
        _ = file.hashing
        self._content = content_of(file)
        self._blocks = blocks_of(self._content, skip)
        counts = each_block(self._content, self._blocks, line_rows)
        if self._blocks:
            counts[-1] = max(counts[-1] - _blank_at_end(self._content), 0)
        self._firsts = list(accumulate(counts, initial=0))
        self.rows = self._firsts[-1]
        if not self.rows:
            raise IrregularError

    def each(self, lines: Lines, work: Callable[[pa.Table, int], Result]) -> list[Result]:
        """Return what `work` makes of each block and the number of its first row, counted from 0."""
        import pyarrow as pa

        def one(block: Block, text: pa.Buffer) -> Result:
            found, first = lines.read(text, block.skip), self._firsts[block.at]
            if found.num_rows != self._firsts[block.at + 1] - first:
                raise IrregularError
            return work(found, first)

        try:
            return each_block(self._content, self._blocks, one)
        except (pa.ArrowInvalid, UnicodeDecodeError, OpenQuoteError):
            raise IrregularError from None
        finally:
            give_back()


def give_back() -> None:
    """Give memory that was let go of back to the system, where it lies between what is still in use."""
    import pyarrow as pa

    for pool in (pa.default_memory_pool(), pa.system_memory_pool()):
        pool.release_unused()


def _blank_at_end(content: Content) -> int:
    """Return how many blank lines a text ends with."""
    tail = content[-TAIL_BYTES:]
    return max(tail[len(tail.rstrip(b"\r\n")) :].count(b"\n") - 1, 0)
