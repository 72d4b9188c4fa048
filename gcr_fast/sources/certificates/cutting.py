"""Serial numbers of many rows: texts that differ in nothing but digits are cut apart in the same places.

So each shape of a range is taken apart once, by the rules of `serials`, and all its rows as it was. A range that cannot
be read, or whose two ends are not plainly of one series, is left to the reader of single rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from gcr_fast.sources.certificates.held import NONE
from gcr_fast.sources.certificates.identifiers import is_shortened
from gcr_fast.sources.certificates.serials import (
    BLANKS,
    SEVERAL,
    canonical,
    canonical_each,
    ends_of,
    is_bare,
    prefix_of,
)

_ZEROS = str.maketrans("123456789", "000000000")
_NO_MARKS = str.maketrans("", "", "-.")
"""What stands among the digits of a number."""
_BETWEEN = "\0"
_MANY = 1 << 13
_MOST_DIGITS = 18


class Ranges(NamedTuple):
    """The serial numbers of a block of rows; of a row without any, or with any that cannot be read here, nothing."""

    ids: Sequence[str]
    """Each range as one text."""
    low: Sequence[int]
    high: Sequence[int]
    prefixes: Sequence[str | None]
    """What stands around the numbers of each."""
    suffixes: Sequence[str | None]
    """What follows them, as it is compared."""


_Cells: TypeAlias = tuple[str, int, int, str, str]
"""A range: as one text, its ends, and what stands before and behind its first number as it is written."""
_NOTHING: _Cells = ("", NONE, NONE, "", "")


class _Parts(NamedTuple):
    """Where a serial number stands in its cell, and its parts."""

    text: slice
    prefix: slice
    number: slice
    suffix: slice


class _Cut(NamedTuple):
    """Where the ends of a range stand."""

    begin: _Parts
    """In the first cell."""
    end: _Parts
    """In the last cell, or in the first if there is no other."""
    bare: bool
    """Whether the last number does not repeat what stands around the first."""


class Cutter:
    """Cuts the serial numbers of one list."""

    def __init__(self, pattern: re.Pattern[str], half_open: bool) -> None:
        self._half_open = half_open
        self._cut: Callable[[str, str], _Cut | None] = lru_cache(_MANY)(lambda first, last: _cut(first, last, pattern))

    def ranges(self, firsts: Sequence[str], lasts: Sequence[str]) -> Ranges:
        """Read the ranges of two columns, which have a row."""
        cuts = map(self._cut, _shapes(firsts), _shapes(lasts))
        rows = zip(firsts, lasts, cuts, strict=True)
        found = [_NOTHING if cut is None else self._cells(first, last, cut) for first, last, cut in rows]
        ids, low, high, before, behind = zip(*found, strict=True)
        around = list(zip(low, canonical_each(before), canonical_each(behind), strict=True))
        prefixes = [None if number == NONE else prefix_of(prefix, suffix) for number, prefix, suffix in around]
        return Ranges(ids, low, high, prefixes, [None if number == NONE else suffix for number, _, suffix in around])

    def _cells(self, first: str, last: str, cut: _Cut) -> _Cells:
        begin, end, bare = cut
        other = last or first
        prefix, suffix = first[begin.prefix], first[begin.suffix]
        if not bare and (other[end.prefix] != prefix or other[end.suffix] != suffix):
            return _NOTHING
        low, high = _number(first[begin.number]), _number(other[end.number])
        if self._half_open and last:
            high -= 1
        if high < low:
            return _NOTHING
        one, two = first[begin.text], other[end.text]
        whole = one if one == two else f"{one}..{two}"
        return whole, low, high, prefix, suffix


def _shapes(texts: Sequence[str]) -> list[str]:
    """Return texts with 0 for every digit."""
    shapes = _BETWEEN.join(texts).translate(_ZEROS).split(_BETWEEN)
    return shapes if len(shapes) == len(texts) else [text.translate(_ZEROS) for text in texts]


def _number(text: str) -> int:
    return int(text if text.isdigit() else text.translate(_NO_MARKS))


def _cut(first: str, last: str, pattern: re.Pattern[str]) -> _Cut | None:
    """Find the ends of the ranges of one shape; None if they are to be read one by one."""
    texts = (slice(len(first)), slice(len(last))) if last else _ends(first)
    begin = _parts(first, texts[0], pattern) if first and texts else None
    if texts is None or begin is None:
        return None
    other, text = last or first, texts[1]
    if is_bare(canonical(first[begin.prefix]), other[text], pattern):
        end = _Parts(text, text, text, text)
        return _Cut(begin, end, bare=True) if len(other[text]) <= _MOST_DIGITS else None
    found = _parts(other, text, pattern)
    return None if found is None else _Cut(begin, found, bare=False)


def _ends(cell: str) -> tuple[slice, slice] | None:
    """Find the ends of a range that stands in one cell."""
    ends = ends_of(cell)
    return None if SEVERAL.search(cell) or len(ends) > 2 else (ends[0], ends[-1])


def _parts(cell: str, text: slice, pattern: re.Pattern[str]) -> _Parts | None:
    """Find the parts of a serial number; None if it is none, or has blanks around or within its digits."""
    part, at = cell[text], text.start or 0
    blanks = part != part.strip() or (part != "".join(part.split()) and BLANKS.match(part))
    match = None if blanks or is_shortened(part) else pattern.match(part)
    if match is None:
        return None
    spans = [match.span(name) if name in pattern.groupindex else (0, 0) for name in ("prefix", "number", "suffix")]
    return _Parts(text, *(slice(at + low, at + high) for low, high in spans))
