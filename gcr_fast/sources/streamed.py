"""Large JSON, row by row: the rows of a list are never objects in memory together.

Whatever is out of the ordinary is `IrregularError`, and left to `documents`, which reads all at once and can say what
it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 4096
SEVERAL = 1 << 18
"""Letters that are read at once, where they hold whole objects."""
_BLANK = re.compile(r"[ \t\n\r]*")
_HALF_LETTERS = ("\\ud", "\\uD")


class IrregularError(Exception):
    """This is no JSON, or not in the form that is expected."""


@dataclass(frozen=True)
class Rows:
    """Stands in a document for the list whose members were told one by one."""

    count: int


class Part(NamedTuple):
    """A row of the list, or a document without them."""

    row: dict[str, Any] | None
    document: dict[str, Any] | None


def parts(text: str, key: str) -> Iterator[Part]:
    """Go through the objects of a text, as `documents` has them, and tell the members of a list under `key` one by one.

    An object is told after its rows. The members of a list that is the whole text are documents. Numbers are text.
    """
    if any(half in text for half in _HALF_LETTERS):
        raise IrregularError
    walk = _Walk(text)
    while walk.sign():
        if walk.sign() == "[":
            yield from (Part(None, one) for one in walk.elements())
        else:
            yield from walk.members(key)


class _Walk:
    """A place in a text, after blanks."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._decode = json.JSONDecoder(parse_float=str, parse_int=str).raw_decode
        self._at = 0
        self._step(0)

    def _step(self, to: int) -> None:
        found = _BLANK.match(self._text, to)
        self._at = found.end() if found else to

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
        try:
            value, end = self._decode(self._text, self._at)
        except (ValueError, RecursionError):
            raise IrregularError from None
        self._step(end)
        return value

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
        last = self._text.rfind("}", self._at, self._at + SEVERAL) + 1
        try:
            several, end = self._decode(f"[{self._text[self._at : last]}]", 0)
        except (ValueError, RecursionError):
            return []
        if end != last - self._at + 2:
            return []
        self._step(last)
        return list(several)

    def members(self, key: str) -> Iterator[Part]:
        """Tell the rows of an object, and then the object."""
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
            if name == key and self.sign() == "[":
                count = 0
                for row in self.elements():
                    yield Part(row, None)
                    count += 1
                document[name] = Rows(count)
            else:
                document[name] = self._value()
            more = self._pass(",", "}") == ","
        yield Part(None, document)


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
        here = {name: None for row in batch for name in row if name not in without}
        cells = {name: pa.array([_text(row.get(name)) for row in batch], pa.string()) for name in here}
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


def _text(cell: Any) -> str | None:
    return cell if cell is None or isinstance(cell, str) else str(cell)
