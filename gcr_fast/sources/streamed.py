"""Large JSON, row by row: neither the text nor the rows of a list are in memory together.

Whatever is out of the ordinary is `IrregularError`, and left to whoever reads all at once and can say what it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from gcr_fast.sources.files import File
from gcr_fast.sources.pieces import IrregularError, texts

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 4096
SEVERAL = 1 << 18
"""Letters that are read at once, where they hold whole objects."""
_BLANK = re.compile(r"[ \t\n\r]*")
_HALF_LETTERS = ("\\ud", "\\uD")
_OPEN_END = 2
"""Letters behind a number that may be the begin of its rest, such as e-."""


@dataclass(frozen=True)
class Rows:
    """Stands in a document for the list whose members were told one by one."""

    count: int


class Part(NamedTuple):
    """A row of the list, or a document without them."""

    row: dict[str, Any] | None
    document: dict[str, Any] | None


def parts(pieces: Iterable[str], *path: str) -> Iterator[Part]:
    """Go through the objects of a text, as `documents` has them, and tell the members of one list one by one.

    The list is under the last of some keys, each in the object under the one before. An object is told after its rows.
    The members of a list that is the whole text are documents. Numbers are text.
    """
    walk = _Walk(pieces, parse_int=str)
    while walk.sign():
        if walk.sign() == "[":
            yield from (Part(None, one) for one in walk.elements())
        else:
            document = yield from walk.members(path)
            yield Part(None, document)


class Told:
    """The rows of the one document that a text is, as `File.json` has them, one by one; then the `rest` of it.

    Their list is under the last of some keys, or is the document.
    """

    def __init__(self, pieces: Iterable[str], *path: str) -> None:
        self._pieces, self._path = pieces, path
        self.rest: Any = None
        """The document without the rows, when they have been told."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        walk = _Walk(self._pieces)
        told = walk.inside(self._path)
        while True:
            try:
                part = next(told)
            except StopIteration as end:
                self.rest = end.value
                break
            if part.row is not None:
                yield part.row
        if walk.sign() or walk.lists != 1:
            raise IrregularError


class _Walk:
    """A place in a text that is being read, after blanks. What lies behind it is let go of."""

    def __init__(self, pieces: Iterable[str], parse_int: Callable[[str], Any] | None = None) -> None:
        self._pieces = iter(pieces)
        self._decode = json.JSONDecoder(parse_float=str, parse_int=parse_int).raw_decode
        self._text, self._at, self._ended = "", 0, False
        self.lists = 0
        """How many lists of rows have been told."""
        self._step(0)

    def _fill(self, least: int) -> None:
        """Read on until so many letters lie ahead, or all that there are."""
        count = len(self._text) - self._at
        if self._ended or count >= least:
            return
        ahead = [self._text[self._at :]]
        while count < least and (piece := next(self._pieces, None)) is not None:
            ahead.append(piece)
            count += len(piece)
        self._ended = count < least
        self._text, self._at = "".join(ahead), 0
        if any(half in self._text for half in _HALF_LETTERS):
            raise IrregularError

    def _step(self, to: int) -> None:
        self._at = to
        while (found := _BLANK.match(self._text, self._at)) and found.end() == len(self._text) and not self._ended:
            self._at = found.end()
            self._fill(1)
        self._at = found.end() if found else self._at

    def sign(self) -> str:
        """Return the letter at this place; empty at the end."""
        return self._text[self._at : self._at + 1]

    def _pass(self, *signs: str) -> str:
        """Go on behind one of these letters, and return it."""
        sign = self.sign()
        if sign not in signs:
            raise IrregularError
        self._step(self._at + 1)
        return sign

    def _value(self) -> Any:
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except RecursionError:
                raise IrregularError from None
            except ValueError:
                if self._ended:
                    raise IrregularError from None
            else:
                if self._ended or end + _OPEN_END < len(self._text):
                    self._step(end)
                    return value
            self._fill(2 * (len(self._text) - self._at) + 1)

    def elements(self) -> Iterator[dict[str, Any]]:
        """Tell the members of a list, which are objects."""
        self._pass("[")
        if self.sign() == "]":
            self._pass("]")
            return
        more = many = True
        while more:
            found = self._several() if many else []
            many = bool(found)
            for element in found or [self._value()]:
                if not isinstance(element, dict):
                    raise IrregularError
                yield element
            more = self._pass(",", "]") == ","

    def _several(self) -> list[Any]:
        """Return members of a list from here on, as many as stand in `SEVERAL` letters; none if one would be cut."""
        self._fill(SEVERAL)
        last = self._text.rfind("}", self._at, self._at + SEVERAL) + 1
        try:
            several, end = self._decode(f"[{self._text[self._at : last]}]", 0)
        except (ValueError, RecursionError):
            return []
        if end != last - self._at + 2:
            return []
        self._step(last)
        return list(several)

    def inside(self, path: Sequence[str]) -> Generator[Part, None, Any]:
        """Tell the rows in what stands here, whose list is at the end of a path, and return it without them."""
        if path and self.sign() == "{":
            return (yield from self.members(path))
        if path or self.sign() != "[":
            return self._value()
        count = 0
        for row in self.elements():
            yield Part(row, None)
            count += 1
        self.lists += 1
        return Rows(count)

    def members(self, path: Sequence[str]) -> Generator[Part, None, dict[str, Any]]:
        """Tell the rows in an object, and return it without them."""
        self._pass("{")
        document: dict[str, Any] = {}
        more = self.sign() != "}"
        if not more:
            self._pass("}")
        while more:
            name = self._value() if self.sign() == '"' else None
            self._pass(":")
            if name is None or name in document:
                raise IrregularError
            document[name] = (yield from self.inside(path[1:])) if name == path[0] else self._value()
            more = self._pass(",", "}") == ","
        return document


def listed(file: File, *path: str) -> Told:
    """Return the rows of a document, which is one list or has it under the last of some keys."""
    return Told(texts(file), *(() if file.head_text.lstrip().startswith("[") else path))


def text_columns(
    rows: Iterable[dict[str, Any]], without: Collection[str] = ()
) -> tuple[dict[str, pa.ChunkedArray], int]:
    """Return every key of some objects as a column of text, in order of appearance, and how many objects there are.

    What an object lacks is null, what is no text is shown as Python does. Keys `without` are left out.
    """
    import pyarrow as pa

    chunks, counts, names = list[dict[str, Any]](), list[int](), dict[str, None]()
    each = iter(rows)
    while batch := list(islice(each, BATCH)):
        here = {name: None for name in dict.fromkeys(chain.from_iterable(batch)) if name not in without}
        cells = {name: _texts([row.get(name) for row in batch]) for name in here}
        chunks.append({name: column.dictionary_encode() for name, column in cells.items()})
        counts.append(len(batch))
        names |= here
    words = pa.dictionary(pa.int32(), pa.string())
    nothing = [pa.nulls(count, words) for count in counts]
    columns = {
        name: pa.chunked_array([chunk.get(name, none) for chunk, none in zip(chunks, nothing, strict=True)], words)
        for name in names
    }
    return columns, sum(counts)


def _texts(cells: list[Any]) -> pa.Array:
    import pyarrow as pa

    try:
        return pa.array(cells, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):  # not all of them are text
        shown = [cell if cell is None or isinstance(cell, str) else str(cell) for cell in cells]
        return pa.array(shown, pa.string())
