"""Tables of numbers -> whole Wh, block by block: a file, its text and its numbers are never in memory together.

For files that the kernels of `bulk` cannot read: small ones, those that are packed, or whose cells are quoted here and
there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.columns import one_array
from gcr_fast.sources import marked
from gcr_fast.sources.bulk import NO_VALUE, Bulk, with_masks
from gcr_fast.sources.cells import MAX_CELL, PLAIN, Locale
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
)
from gcr_fast.sources.files import File, Table, content_of
from gcr_fast.units import floor_floats

if TYPE_CHECKING:
    import pyarrow as pa


def read_figures(
    file: File,
    texts: Sequence[str],
    columns: Sequence[str],
    digits: int,
    *,
    delimiter: str = ",",
    missing: Sequence[str] = (),
    locale: Locale = PLAIN,
    only: Sequence[str] | None = None,
    skip: int = 0,
) -> Bulk | None:
    """Read `columns` as floor(value * 10 ** digits) and `texts` as text; None if a cell is no plain number.

    The header is on line `skip` + 1. `missing` are words for no value, beside an empty cell. `only` are the columns
    that are looked at, else all are. Whatever is wrong with a file, `read_csv` can tell.
    """
    import pyarrow as pa

    _ = file.hashing
    names = file.header(delimiter, skip)
    if not columns or len(set(names)) < len(names) or not {*texts, *columns} <= set(names):
        return None
    reader = _Reader(tuple(texts), tuple(columns), digits, tuple(missing), locale)
    try:
        return reader.read(content_of(file), reader.lines(names, delimiter, only), skip + 1)
    except (pa.ArrowInvalid, UnicodeDecodeError, OpenQuoteError):
        return None


@dataclass(frozen=True)
class _Reader:
    """What is read, and how numbers are written."""

    texts: tuple[str, ...]
    columns: tuple[str, ...]
    digits: int
    missing: tuple[str, ...]
    locale: Locale

    def lines(self, names: Sequence[str], delimiter: str, only: Sequence[str] | None) -> Lines:
        """Return how the lines become floats, or text that is made floats of, and words."""
        import pyarrow as pa
        from pyarrow import csv as pacsv

        number = pa.float64() if self._are_plain else pa.string()
        kinds = dict.fromkeys(names, pa.string()) | dict.fromkeys(self.texts, pa.dictionary(pa.int32(), pa.string()))
        convert = pacsv.ConvertOptions(
            column_types=kinds | dict.fromkeys(self.columns, number),
            null_values=[""],
            strings_can_be_null=True,
            include_columns=list(only or ()),
        )
        return Lines(names, pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=False), convert)

    @property
    def _are_plain(self) -> bool:
        """Whether Arrow can read the numbers."""
        return self.locale == PLAIN and not self.missing

    def read(self, content: Content, lines: Lines, skip: int) -> Bulk | None:
        """Read all blocks after the first `skip` lines; None if rows are not lines, or there is none."""
        blocks = blocks_of(content, skip)
        counts = each_block(content, blocks, line_rows)
        firsts = list(accumulate(counts, initial=0))
        values = [np.empty(firsts[-1], np.int64) for _ in self.columns]  # each is let go of alone

        def work(block: Block, text: pa.Buffer) -> tuple[np.ndarray, pa.Table] | None:
            found, rows = lines.read(text, block.skip), slice(firsts[block.at], firsts[block.at + 1])
            if found.num_rows != counts[block.at]:
                return None
            whole, missing = self._whole(found)
            for out, column in zip(values, whole, strict=True):
                out[rows] = column
            return np.count_nonzero(missing, axis=1), apart(found.select(list(self.texts)))

        parts = [part for part in each_block(content, blocks, work) if part is not None]
        if len(parts) < len(blocks) or not firsts[-1]:
            return None
        table = Table(joined([some for _, some in parts]), first_line=skip + 1)
        nulls = np.sum([some for some, _ in parts], axis=0)
        return Bulk(table, dict(zip(self.columns, with_masks(values, nulls), strict=True)))

    def _whole(self, found: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers of a block int64[columns, rows], and where there is none bool[columns, rows]."""
        import pyarrow as pa

        cells = pa.concat_arrays([one_array(found.column(name)) for name in self.columns])
        flat = cells if self._are_plain else marked.floats(cells, *self.locale, self.missing)
        missing = flat.is_null().to_numpy(zero_copy_only=False)
        raw = (flat.fill_null(0.0) if flat.null_count else flat).to_numpy(zero_copy_only=False)
        if not (np.abs(raw) <= MAX_CELL / 10**self.digits).all():
            raise pa.ArrowInvalid("no number that can be")
        whole = floor_floats(raw, self.digits)
        whole[missing] = NO_VALUE
        shape = (len(self.columns), found.num_rows)
        return whole.reshape(shape), missing.reshape(shape)
