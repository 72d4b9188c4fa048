"""Large regular tables of numbers, by kernels that read whole Wh from the bytes: several times as fast as by floats.

Nothing is different in what comes out: a file with a single cell that is not plain is left to the slower reader, which
knows how to name it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcr_fast.columns import alike
from gcr_fast.memory import empty
from gcr_fast.parallel import results, thread_count
from gcr_fast.sources.cells import MAX_CELL, PLAIN, Locale, Numbers
from gcr_fast.sources.files import File, Table
from gcr_fast.sources.line_blocks import Block, LineBlocks, about_lines, block_bytes

if TYPE_CHECKING:
    import pyarrow as pa

SMALLEST_BYTES = 1 << 22
"""Smaller files are read sooner than the kernels are loaded."""
EIGHT = 8
"""Bytes that the kernels look at together."""
_ASCII = 128
NO_VALUE = np.iinfo(np.int64).min
"""Stands in a column where a cell has no number."""
_TEXT, _SKIP = -2, -1


class Bulk(NamedTuple):
    """A table of the columns of text alone, and the numbers of the others."""

    table: Table
    numbers: dict[str, Numbers]


def read_bulk(
    file: File,
    names: Sequence[str],
    texts: Sequence[str],
    columns: Sequence[str],
    digits: int,
    *,
    missing: Sequence[str] = (),
    delimiter: str = ",",
    locale: Locale = PLAIN,
) -> Bulk | None:
    """Read `columns` as floor(value * 10 ** digits) and `texts` as text; None if the file is small or not plain.

    There are at most nine `digits`. `names` are all columns, in order; the header is the first line. `missing` are
    words for no value, beside an empty cell. Either every cell is in quotes or none is.
    """
    if not _is_plain(file, names, columns, missing):
        return None
    place = {name: at for at, name in enumerate(columns)} | {name: _TEXT - at for at, name in enumerate(texts)}
    cells = np.array([place.get(name, _SKIP) for name in names], dtype=np.int64)
    begin = file.head.find(b"\n") + 1
    first_line = file.head[:begin].decode("utf-8-sig", "replace").rstrip("\r\n")
    if not 0 < begin < len(file.head) or first_line != file.head_lines[0] or "\0" in first_line:
        return None
    look = _Look.of(delimiter, file.head[begin] == ord('"'), locale, missing, digits)
    found = _parse(file, begin, cells, look)
    labels = [None] if found is None else [_strings(parts) for parts in found.texts]
    if found is None or any(column is None for column in labels):
        return None
    import pyarrow as pa

    table = Table(pa.table(dict(zip(texts, labels, strict=True))), first_line=2)
    return Bulk(table, dict(zip(columns, with_masks(found.values, found.nulls), strict=True)))


def _is_plain(file: File, names: Sequence[str], columns: Sequence[str], missing: Sequence[str]) -> bool:
    """Whether the head of a file, and what is asked for, let the kernels try."""
    if file.packed or file.encoding not in {"utf-8", "utf-8-sig"} or file.state.size < SMALLEST_BYTES:
        return False
    words = all(len(word.encode()) <= EIGHT and not any(map(str.isdigit, word)) for word in missing)
    return words and bool(columns) and len(set(names)) == len(names)


class _Look(NamedTuple):
    """How cells look, as the kernel takes it."""

    delimiter: int
    quoted: bool
    point: int
    thousands: int
    words: np.ndarray
    digits: int

    @classmethod
    def of(cls, delimiter: str, quoted: bool, locale: Locale, missing: Sequence[str], digits: int) -> _Look:
        """Words are uint64[k, 3]: their bytes, all bits of as many bytes, both at the upper end, and how many."""
        texts = [word.encode() for word in missing]
        empty_bits = [8 * (EIGHT - len(text)) for text in texts]
        rows = [
            (int.from_bytes(text, "little") << bits, (1 << 64) - (1 << bits), len(text))
            for text, bits in zip(texts, empty_bits, strict=True)
        ]
        words = np.array(rows, dtype=np.uint64).reshape(-1, 3)
        thousands = locale.thousands if quoted or locale.thousands != delimiter else ""
        return cls(ord(delimiter), quoted, ord(locale.decimal), ord(thousands or "\0"), words, digits)


def _eights(text: np.ndarray) -> np.ndarray:
    """Return eight bytes from each on, uint64[n - 7]."""
    return np.ndarray((len(text) - EIGHT + 1,), np.uint64, text, strides=(1,))


class _Part(NamedTuple):
    """The texts of one column in one block."""

    lengths: np.ndarray
    """int64[rows], bytes."""
    joined: np.ndarray
    """uint8[n]."""


class _Found(NamedTuple):
    """What the kernels have read."""

    values: np.ndarray
    """int64[columns, rows]."""
    nulls: np.ndarray
    """int64[columns]: how many."""
    texts: list[list[_Part]]
    """Of each column of text, block by block."""


class _Read(NamedTuple):
    """What was read of one block, beside its numbers."""

    at: int
    """Which of the blocks."""
    lines: int
    rows: int
    """As many as lines, or fewer if there are empty ones at the end; -1 if a line is not plain."""
    nulls: np.ndarray
    """int64[columns]: how many."""
    parts: list[_Part]


@dataclass(frozen=True)
class _Reader:
    """How lines are read, and the arrays into which they are."""

    cells: np.ndarray
    """int64[m]: see `parse_rows`."""
    look: _Look
    values: np.ndarray
    """int64[columns, room]."""
    spans: np.ndarray
    """int64[texts, room, 2]."""

    @classmethod
    def of(cls, cells: np.ndarray, look: _Look, room: int) -> _Reader:
        """Return a reader that has room for so many lines."""
        columns, texts = int((cells >= 0).sum()), int((cells < _SKIP).sum())
        values = empty(columns * room, np.int64).reshape(columns, room)
        return cls(cells, look, values, np.empty((texts, room, 2), dtype=np.int64))

    @property
    def room(self) -> int:
        """How many lines there is room for."""
        return int(self.values.shape[1])

    def read(self, blocks: LineBlocks) -> list[_Read]:
        """Read blocks as long as there are any; of those beyond the room nothing."""
        from gcr_fast.kernels.cells import memory_bytes

        text, memory = empty(block_bytes(), np.uint8), empty(memory_bytes(len(self.values)), np.uint8)
        eights, found = _eights(text), list[_Read]()
        while block := blocks.take(text):
            if blocks.regular and block.row + block.lines <= self.room:
                found.append(self._read(block, text, eights, memory))
        return found

    def _read(self, block: Block, text: np.ndarray, eights: np.ndarray, memory: np.ndarray) -> _Read:
        from gcr_fast.kernels.cells import parse_rows

        look, nulls = self.look, np.zeros(len(self.values), dtype=np.int64)
        rows = int(
            parse_rows(
                text, eights, block.first, block.last, block.row, look.delimiter, look.quoted, look.point,
                look.thousands, look.words, look.digits, self.cells, MAX_CELL, NO_VALUE, self.values, nulls,
                self.spans, memory,
            )
        )  # fmt: skip
        spans = self.spans[:, block.row : block.row + max(rows, 0)]
        return _Read(block.at, block.lines, rows, nulls, [_copied(eights, column) for column in spans])


def _parse(file: File, begin: int, cells: np.ndarray, look: _Look) -> _Found | None:
    """Read all lines from byte `begin` on; None if a line is not plain."""
    threads, room = thread_count(None), about_lines(file, begin)
    while True:
        reader = _Reader.of(cells, look, room)
        with LineBlocks(file, begin) as blocks:
            several = results(lambda _: reader.read(blocks), range(threads), threads)  # noqa: B023 - done by then
        if blocks.lines <= room:
            break
        room = blocks.lines  # which now is known
    _ = file.hashing
    read = sorted((one for some in several for one in some), key=lambda one: one.at)
    if not (blocks.regular and read and all(one.rows == one.lines for one in read[:-1]) and read[-1].rows >= 0):
        return None
    nulls, rows = np.sum([one.nulls for one in read], axis=0), sum(one.rows for one in read)
    texts = [[one.parts[at] for one in read] for at in range(len(reader.spans))]
    return _Found(reader.values[:, :rows], nulls, texts)


def _copied(eights: np.ndarray, spans: np.ndarray) -> _Part:
    """Copy spans int64[n, 2] out of a block."""
    from gcr_fast.kernels.cells import copy_spans

    lengths = spans[:, 1] - spans[:, 0]
    ends = np.cumsum(lengths)
    count = int(lengths.sum())
    joined = np.empty(count + EIGHT, dtype=np.uint8)
    copy_spans(eights, spans, ends - lengths, _eights(joined))
    return _Part(lengths, joined[:count])


def _strings(parts: Sequence[_Part]) -> pa.Array | None:
    """Return texts as one column; None if they are no UTF-8, or too long for it."""
    import pyarrow as pa

    lengths = np.concatenate([part.lengths for part in parts])
    ends = np.cumsum(lengths)
    if not len(ends) or ends[-1] > np.iinfo(np.int32).max:
        return None
    joined = np.concatenate([part.joined for part in parts])
    if _is_one_word(joined, lengths):
        return _repeated(joined[: lengths[0]].tobytes(), len(ends))
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    labels = pa.Array.from_buffers(pa.string(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(joined)])
    if joined.max() < _ASCII:
        return labels
    try:
        labels.validate(full=True)
    except pa.ArrowInvalid:
        return None
    return labels


def _is_one_word(joined: np.ndarray, lengths: np.ndarray) -> bool:
    """Whether texts, one after another, are all the same; most that are not differ from the first in the last."""
    size = lengths[0]
    if (lengths != size).any() or (joined[-size:] != joined[:size]).any():
        return False
    return bool((joined.reshape(-1, size) == joined[:size]).all())


def _repeated(word: bytes, count: int) -> pa.Array | None:
    """Return a text that stands in every row."""
    import pyarrow as pa

    try:
        words = pa.array([word.decode()])
    except UnicodeDecodeError:
        return None
    return pa.DictionaryArray.from_arrays(np.zeros(count, np.int32), words)


def with_masks(values: Sequence[np.ndarray] | np.ndarray, nulls: np.ndarray) -> Iterator[Numbers]:
    """Yield columns int64[rows] with `NO_VALUE` in some rows, `nulls` int64[columns] of them, as numbers.

    Columns that all are there, or none is, share their masks.
    """
    rows = len(values[0])
    clear, full = alike(False, rows), alike(True, rows)
    nothing = np.zeros(rows, dtype=np.int64)
    for column, count in zip(values, nulls.tolist(), strict=True):
        if not count or count == rows:
            yield Numbers(nothing, full, clear) if count else Numbers(column, clear, clear)
        else:
            null = column == NO_VALUE
            column[null] = 0
            yield Numbers(column, null, clear)
