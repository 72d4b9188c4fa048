"""Whole lines of a large file, block after block, for several threads: read once, counted, and hashed by the way.

Blocks are read into memory that each thread uses again. A mapped file would be as fast, but whoever cuts it short
meanwhile would end the process.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np

from gcr_fast.sources.files import File

BLOCK_BYTES = 1 << 20
"""What is read at a time, and stays in a processor's cache until it is parsed."""
LONGEST_BYTES = 1 << 18
"""No line is longer."""
MARGIN = 8
"""Bytes before and after a block's lines that may be looked at."""
HASHED_SHARE = 0.6
"""Of a file what is hashed as it is read; the rest is by a thread of its own, while a table is made of the rows."""
SAMPLES, SAMPLE_BYTES = 16, 1 << 15
"""Where lines are counted, to know about how many there are."""
TOO_MANY = 1.02
"""More room than seems to be needed."""
_LATELY = 1 << 12
"""Bytes among which a line most often ends."""


class Block(NamedTuple):
    """Some lines: text[first:last] of the memory that was given for them."""

    at: int
    """Which block of the file."""
    first: int
    last: int
    row: int
    """How many lines are before it."""
    lines: int


class LineBlocks(AbstractContextManager["LineBlocks"]):
    """The lines of a file from some byte on, in blocks, to be taken by any thread."""

    def __init__(self, file: File, begin: int) -> None:
        self._file, self._opened = file, file.open()
        self._reading, self._hashing = threading.Lock(), threading.Lock()
        head = self._opened.read(begin)
        self._position, self._rest = len(head), b""
        file.hash_read(head, 0)
        self.taken = self.lines = 0
        """Blocks and lines until now."""
        self.regular = True
        """Whether no line was too long."""

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def take(self, text: np.ndarray) -> Block | None:
        """Read the next lines, if not only a part of one, into `text` uint8[`block_bytes()`]; None if there are none.

        Each line ends in a line feed, which the last one gets if it has none.
        """
        with self._reading:
            first, fresh, end = self._position, *self._read(text)
            if end == MARGIN:
                return None
            block = self._block(text, end)
            self._hashing.acquire()  # before another thread reads on: bytes are hashed in their order
        try:
            if first <= HASHED_SHARE * self._file.state.size:
                self._file.hash_read(fresh, first)
        finally:
            self._hashing.release()
        return block

    def _read(self, text: np.ndarray) -> tuple[memoryview, int]:
        """Read on behind what is left of a line; return what was read, and where it ends, a last line feed added."""
        begin = MARGIN + len(self._rest)
        text[MARGIN:begin] = np.frombuffer(self._rest, np.uint8)
        place = text[begin : begin + BLOCK_BYTES].data
        count = self._opened.readinto(place) if self.regular else 0
        self._position += count
        if not count and self.regular and self._rest:
            text[begin] = ord("\n")
            return place[:0], begin + 1
        return place[:count], begin + count if self.regular else MARGIN

    def _block(self, text: np.ndarray, end: int) -> Block:
        """Return the whole lines of text[MARGIN:end], and keep the rest."""
        from gcr_fast.kernels.cells import count_lines

        last = _after_feed(text, end)
        self._rest = text[last:end].tobytes()
        self.regular = len(self._rest) <= LONGEST_BYTES
        block = Block(self.taken, MARGIN, last, self.lines, int(count_lines(text, MARGIN, last)))
        self.taken, self.lines = self.taken + 1, self.lines + block.lines
        return block


def block_bytes() -> int:
    """Return how much memory a thread needs for its blocks."""
    return MARGIN + LONGEST_BYTES + BLOCK_BYTES + MARGIN


def _after_feed(text: np.ndarray, end: int) -> int:
    """Return where the last line that ends in text[MARGIN:end] ends; `MARGIN` if none does."""
    for begin in (max(MARGIN, end - _LATELY), MARGIN):
        found = text[begin:end].tobytes().rfind(b"\n")
        if found >= 0:
            return begin + found + 1
    return MARGIN


def about_lines(file: File, begin: int) -> int:
    """Return how many lines a file has from byte `begin` on, rather too many: it is looked at here and there."""
    span = max(file.state.size - SAMPLE_BYTES - begin, 0)
    places = [begin + span * (2 * at + 1) // (2 * SAMPLES) for at in range(SAMPLES)]
    lines = size = 0
    with file.open() as opened:
        for place in places:
            opened.seek(place)
            piece = opened.read(SAMPLE_BYTES)
            lines, size = lines + piece.count(b"\n"), size + len(piece)
    return int(lines * (file.state.size - begin) / max(size, 1) * TOO_MANY) + SAMPLES
