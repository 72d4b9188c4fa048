"""Delimited text -> Arrow columns, block by block: of a large file no more than some blocks are in memory at once."""

from __future__ import annotations

import mmap
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

import numpy as np

from gcr_fast.columns import is_words, one_array
from gcr_fast.parallel import results, thread_count

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import csv as pacsv

Content: TypeAlias = mmap.mmap | bytes
Result = TypeVar("Result")

BLOCK_ROW = re.compile(r"Row #\d+: ")
"""What Arrow says of a row's place: in its block, which tells nobody anything."""
BLOCK_BYTES = 1 << 20
_MOST_BYTES = 1 << 30
"""What Arrow can take for one block."""
_FEW = 2
"""Text is kept as a dictionary where each word of a block stands in so many of its rows, on average."""


def mapped(path: Path) -> mmap.mmap:
    """Map a file; it is closed when the last buffer on it is gone."""
    with path.open("rb") as opened:
        return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)


def release(content: Content, first: int, last: int) -> None:
    """Let go of the pages of a mapped file that have been read; they come back if they are looked at again."""
    if isinstance(content, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        begin = first // mmap.PAGESIZE * mmap.PAGESIZE
        content.madvise(mmap.MADV_DONTNEED, begin, last - begin)


class OpenQuoteError(Exception):
    """A quote opens a cell that does not end on its line: rows that follow would be part of the cell."""


class Block(NamedTuple):
    """Whole lines of a text."""

    at: int
    """Which of the blocks, from 0."""
    first: int
    last: int
    skip: int
    """How many of the lines are passed over."""


def blocks_of(content: Content, skip: int, first: int = 0, end: int | None = None) -> list[Block]:
    """Cut the lines of content[first:end] into blocks, of which the first `skip`, all in one block, are passed over."""
    size = len(content) if end is None else end
    cuts, below = [first], first
    for _ in range(skip):
        below = content.find(b"\n", below, size) + 1 or size
    while (least := max(below, cuts[-1]) + BLOCK_BYTES) < size and (cut := _next_line(content, least, size)):
        cuts.append(cut)
    ends = [*cuts, size] if cuts[-1] < size else cuts
    return [Block(at, *span, skip * (at == 0)) for at, span in enumerate(pairwise(ends))]


def _next_line(content: Content, least: int, end: int) -> int:
    """Return where the first line after a place begins, 0 if there is none before the end.

    Not one that begins with a byte order mark, which Arrow would pass over at the begin of a block, but not elsewhere.
    """
    cut = content.find(b"\n", least, end) + 1
    while cut and content[cut : cut + len(BOM_UTF8)] == BOM_UTF8:
        cut = content.find(b"\n", cut, end) + 1
    return cut


def each_block(content: Content, blocks: Sequence[Block], work: Callable[[Block, pa.Buffer], Result]) -> list[Result]:
    """Return what `work` makes of each block and its bytes, in order; several are under way at once."""
    import pyarrow as pa

    buffer = pa.py_buffer(content)

    def one(block: Block) -> Result:
        try:
            return work(block, buffer.slice(block.first, block.last - block.first))
        finally:
            release(content, block.first, block.last)

    return results(one, blocks, thread_count(None))


def feeds(text: pa.Buffer) -> int:
    """Count line feeds."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord("\n")))


def line_rows(block: Block, text: pa.Buffer) -> int:
    """Return how many rows a block has, if each line is one that ends in a line feed."""
    return max(feeds(text) + int(text[-1:].to_pybytes() != b"\n") - block.skip, 0)


def _rows_at_least(text: np.ndarray, skip: int) -> int:
    """Count the lines of text uint8[n] that are not empty, less some; 0 where there is no quote to make fewer rows."""
    if not (text == ord('"')).any():
        return 0
    ends = np.flatnonzero((text == ord("\n")) | (text == ord("\r")))
    between = np.diff(ends, prepend=-1, append=len(text)) > 1
    return int(np.count_nonzero(between)) - skip


@dataclass(frozen=True)
class Lines:
    """How lines become columns. A cell may not hold a line end."""

    names: Sequence[str]
    """Of all columns."""
    parse: pacsv.ParseOptions
    convert: pacsv.ConvertOptions

    def read(self, lines: pa.Buffer, skip: int) -> pa.Table:
        """Read one block; raises what Arrow's reader raises, and `OpenQuoteError`."""
        import pyarrow as pa
        from pyarrow import csv as pacsv

        size = min(lines.size + 1, _MOST_BYTES)
        options = pacsv.ReadOptions(use_threads=False, block_size=size, column_names=list(self.names), skip_rows=skip)
        # Arrow's own pool would keep for itself what is freed here.
        pool = pa.system_memory_pool()
        table = pacsv.read_csv(pa.BufferReader(lines), options, self.parse, self.convert, memory_pool=pool)
        if table.num_rows < _rows_at_least(np.frombuffer(lines, np.uint8), skip):
            raise OpenQuoteError
        return table


def lines_of_words(
    names: Sequence[str],
    delimiter: str,
    floats: Sequence[str] | None = None,
    decimal_mark: str = ".",
    missing: Sequence[str] = ("",),
    only: Sequence[str] | None = None,
) -> Lines:
    """Return how lines become columns of words, all or `only` some, but for those that are `floats`."""
    import pyarrow as pa
    from pyarrow import csv as pacsv

    kinds = dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string())) | dict.fromkeys(floats or (), pa.float64())
    parse = pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=False)
    convert = pacsv.ConvertOptions(
        column_types=kinds,
        null_values=list(missing) if floats else [""],
        strings_can_be_null=True,
        decimal_point=decimal_mark,
        include_columns=list(only or ()),
    )
    return Lines(names, parse, convert)


def read_lines(
    content: Content,
    skip: int,
    lines: Lines,
    keep: Sequence[str] | None = None,
    first: int = 0,
    end: int | None = None,
) -> pa.Table:
    """Read the lines of content[first:end] after the first `skip`. Each block is a chunk of the table.

    Text is a dictionary where words repeat, of each chunk its own. `keep`: the columns that are returned.
    """

    def work(block: Block, text: pa.Buffer) -> pa.Table:
        found = lines.read(text, block.skip)
        return apart(found if keep is None else found.select(list(keep)))

    blocks = blocks_of(content, skip, first, end)
    if not lines.names:  # the header is blank: Arrow takes the next line for it, which only the first block has
        blocks = [Block(0, blocks[0].first, blocks[-1].last, skip)]
    return joined(each_block(content, blocks, work))


def apart(table: pa.Table) -> pa.Table:
    """Return a copy of a small table in memory of its own: what lives on is not strewn among what is freed.

    Words that hardly repeat are written out.
    """
    import pyarrow as pa

    table = pa.table([_spelled(one_array(column)) for column in table.columns], table.column_names)
    counted = pa.MockOutputStream()
    _write(table, counted)
    buffer = pa.py_buffer(mmap.mmap(-1, counted.size()))
    _write(table, pa.FixedSizeBufferWriter(buffer))
    return pa.ipc.open_stream(buffer).read_all()


def _write(table: pa.Table, sink: pa.NativeFile) -> None:
    import pyarrow as pa

    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


def _spelled(column: pa.Array) -> pa.Array:
    import pyarrow as pa

    return column.cast(pa.string()) if is_words(column) and len(column.dictionary) * _FEW > len(column) else column


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Return tables one after another; a column that is plain text in some of them is so in all."""
    import pyarrow as pa

    schema = tables[0].schema
    for table in tables:
        for at, field in enumerate(table.schema):
            if field.type == pa.string():
                schema = schema.set(at, field)
    return pa.concat_tables(table.cast(schema) for table in tables)
