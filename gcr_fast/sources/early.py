"""Columns of a delimited text as numbers, as early as can be: the text of a block is let go of with the block.

Whatever is amiss is `IrregularError`, and left to whoever reads all at once and can name it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from gcr_fast.columns import some
from gcr_fast.sources.delimited import (
    Block,
    OpenQuoteError,
    apart,
    blocks_of,
    each_block,
    feeds,
    joined,
    lines_of_words,
)
from gcr_fast.sources.files import File, Table, content_of, header_of
from gcr_fast.sources.pieces import IrregularError

if TYPE_CHECKING:
    import pyarrow as pa

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

    _ = file.hashing
    lines = lines_of_words(header_of(file, delimiter, skip), delimiter)
    content = content_of(file)
    blocks = blocks_of(content, skip + 1)
    counts = each_block(content, blocks, _count)
    firsts = list(accumulate(counts, initial=0))
    columns: list[np.ndarray] = [np.zeros(firsts[-1], kind) for kind in kinds]  # what stays zero takes no memory

    def work(block: Block, text: pa.Buffer) -> pa.Table:
        found = lines.read(text, block.skip)
        if found.num_rows != counts[block.at]:
            raise IrregularError
        for whole, part in zip(columns, turn(found), strict=True):
            if some(part):
                whole[firsts[block.at] : firsts[block.at + 1]] = part
        return apart(found.select(list(keep))) if keep else None

    try:
        parts = each_block(content, blocks, work)
    except (pa.ArrowInvalid, UnicodeDecodeError, OpenQuoteError):
        raise IrregularError from None
    finally:
        give_back()
    if not firsts[-1]:
        raise IrregularError
    table = joined(parts) if keep else pa.table({"": pa.nulls(firsts[-1])})
    return Early(Table(table, skip + 2), columns)


def give_back() -> None:
    """Give memory that was let go of back to the system, where it lies between what is still in use."""
    import pyarrow as pa

    for pool in (pa.default_memory_pool(), pa.system_memory_pool()):
        pool.release_unused()


def _count(block: Block, text: pa.Buffer) -> int:
    """Return how many rows a block has, if each line is one that ends in a line feed."""
    return max(feeds(text) + int(text[-1:].to_pybytes() != b"\n") - block.skip, 0)
