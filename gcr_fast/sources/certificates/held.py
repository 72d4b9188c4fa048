"""The certificates of a list as columns: a hundred bytes or two a row, where a row of objects takes ten times that.

Columns grow in place. Text is held as words, each once in a block of rows, and the word of each row.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import numpy as np

from gcr_fast.sources.certificates.production import Placed
from gcr_fast.sources.certificates.statuses import Meaning

if TYPE_CHECKING:
    import pyarrow as pa

NONE = -1
"""Stands where a certificate has no serial number."""
NUMBERS: Mapping[str, Any] = {
    "line": np.int32,
    "energy_wh": np.int64,
    "capacity_w": np.int64,
    "low": np.int64,
    "high": np.int64,
    "told": np.bool_,
    "placed": np.int32,
    "source_type": np.int32,
    "said": np.int32,
}
TEXTS = ("certificate_id", "prefix", "beneficiary", "owner", "device_id", "country", "issuer")
_MANY = 1 << 14
_FIRST_BYTES = 1 << 16
Word = TypeVar("Word")


class Said(NamedTuple):
    """What a list says of the state of a certificate."""

    word: str
    """The status as the list gives it."""
    meaning: Meaning


class Certificate(NamedTuple):
    """One row of a list: a batch of certificates with a common device and period. Its fields are the columns."""

    line: int
    energy_wh: int
    capacity_w: int
    """0 where the list does not give it."""
    low: int
    """First serial number, `NONE` where there are none."""
    high: int
    told: bool
    """Whether the list gives an id or serial numbers; else its id is made of device and period."""
    placed: Placed
    source_type: str | None
    said: Said
    certificate_id: str
    prefix: str | None
    beneficiary: str | None
    owner: str | None
    device_id: str | None
    country: str | None
    issuer: str | None


class Words(dict[Word, int], Generic[Word]):
    """What a column holds, each once, and its code: the order in which it came."""

    def __missing__(self, word: Word) -> int:
        code = self[word] = len(self)
        return code


class Meanings:
    """What cells mean, each once; columns of the same names hold codes of these."""

    def __init__(self) -> None:
        self.placed = Words[Placed]()
        self.source_type = Words[str | None]()
        self.said = Words[Said]()

    def codes_of(self, one: Certificate) -> dict[str, int]:
        """Return the code of everything in a row that has one."""
        codes = (self.placed[one.placed], self.source_type[one.source_type], self.said[one.said])
        return dict(zip(("placed", "source_type", "said"), codes, strict=True))


@dataclass
class Batch:
    """The certificates of a block of rows."""

    numbers: dict[str, np.ndarray]
    """int64[n] or bool[n] of each of `NUMBERS`."""
    texts: dict[str, list[str | None]]
    """Of each of `TEXTS`."""

    def put(self, at: int, certificate: Certificate, meanings: Meanings) -> None:
        """Put a certificate into a row."""
        values = certificate._asdict() | meanings.codes_of(certificate)
        for name, column in self.numbers.items():
            column[at] = values[name]
        for name, texts in self.texts.items():
            texts[at] = values[name]


class Grown:
    """Bytes that grow, in memory of their own: what is let go of goes back to the system."""

    def __init__(self) -> None:
        self._room = mmap.mmap(-1, _FIRST_BYTES)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, more: bytes) -> None:
        """Append some bytes; nobody may look at a `view` any more."""
        end = self._size + len(more)
        if end > len(self._room):
            larger = mmap.mmap(-1, max(2 * len(self._room), end))
            larger[: self._size] = self._room[: self._size]
            self._room = larger
        self._room[self._size : end] = more
        self._size = end

    def view(self, kind: Any) -> np.ndarray:
        """Return all as an array of some type, without a copy."""
        return np.frombuffer(self._room, np.uint8, self._size).view(kind)


class _Text:
    """A column of text that grows: the words of each block, and which of them each row has."""

    def __init__(self) -> None:
        self._joined, self._lengths, self._codes = Grown(), Grown(), Grown()

    def add(self, texts: Sequence[str | None]) -> None:
        """Append the texts of a block."""
        known = Words[str | None]({None: 0})
        codes = np.fromiter(map(known.__getitem__, texts), np.int32, len(texts))
        before = len(self._lengths) // 4 - 1
        words = [word.encode() for word in known if word is not None]
        self._codes.add(np.where(codes > 0, codes + np.int32(before), np.int32(NONE)).tobytes())
        self._lengths.add(np.fromiter(map(len, words), np.int32, len(words)).tobytes())
        self._joined.add(b"".join(words))

    def codes(self) -> np.ndarray:
        """int32[n]: which word each row has; `NONE` where it has none."""
        return self._codes.view(np.int32)

    def words(self) -> pa.Array:
        """Return all words, without a copy."""
        import pyarrow as pa

        ends = np.cumsum(self._lengths.view(np.int32), dtype=np.int64)
        offsets = np.concatenate([[0], ends]).astype(np.int32)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(self._joined.view(np.uint8))]
        return pa.Array.from_buffers(pa.string(), len(ends), buffers)


class Held:
    """The certificates that were read so far, in the order of their rows."""

    def __init__(self) -> None:
        self.meanings = Meanings()
        self._numbers = {name: Grown() for name in NUMBERS}
        self._texts = {name: _Text() for name in TEXTS}

    def add(self, batch: Batch, keep: np.ndarray) -> None:
        """Append the rows bool[n] of a block that are certificates."""
        for name, values in batch.numbers.items():
            self._numbers[name].add(values[keep].astype(NUMBERS[name]).tobytes())
        for name, texts in batch.texts.items():
            self._texts[name].add(texts if keep.all() else [texts[at] for at in np.flatnonzero(keep)])

    def numbers(self, name: str) -> np.ndarray:
        """Return a column of numbers or codes, as `NUMBERS` says, without a copy."""
        return self._numbers[name].view(NUMBERS[name])

    def text(self, name: str, rows: np.ndarray) -> pa.Array:
        """Return the text of some rows int64[k]."""
        import pyarrow as pa

        codes = self._texts[name].codes()[rows]
        return self._texts[name].words().take(pa.array(codes, mask=codes == NONE))

    def taken(self, name: str, rows: np.ndarray) -> pa.Array:
        """Return the text of some rows int64[k], and let go of the column."""
        found = self.text(name, rows)
        self._texts[name] = _Text()
        return found

    def digests(self, name: str, of: Callable[[list[str]], Iterable[Any]] = iter) -> np.ndarray:
        """Return int64[n]: the hash of what `of` makes of the text of each row; 0 where there is none."""
        words, codes = self._texts[name].words(), self._texts[name].codes()
        parts = (words[at : at + _MANY].to_pylist() for at in range(0, len(words), _MANY))
        hashes = (map(hash, of(part)) for part in parts)
        found = np.fromiter(chain([0], chain.from_iterable(hashes)), np.int64, len(words) + 1)
        digests: np.ndarray = found[codes + 1]
        return digests
