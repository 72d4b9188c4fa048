"""Serial numbers: kept as text, and as what stands around a whole number, so that ranges can be compared."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from sys import intern
from typing import NamedTuple

from gcr_fast.sources.certificates.identifiers import is_shortened


class Serial(NamedTuple):
    """One serial number: its text as it is written, what stands around its number as it is compared."""

    text: str
    prefix: str
    number: int
    suffix: str = ""

    @property
    def space(self) -> tuple[str, str]:
        """Numbers of one space can be compared."""
        return self.prefix, self.suffix


@dataclass(frozen=True, slots=True)
class Range:
    """Serial numbers from first to last, both inclusive."""

    first: Serial
    last: Serial

    @property
    def text(self) -> str:
        """The range as one text, unique to it: its certificates' id."""
        return self.first.text if self.first == self.last else f"{self.first.text}..{self.last.text}"

    @property
    def prefix(self) -> str:
        """What its numbers begin with; a `*` stands for the number where something follows it."""
        return prefix_of(*self.first.space)

    def without_last(self) -> Range:
        """Return the range where its last number is the first that is not in it; its text stays."""
        if self.last.number == self.first.number:
            raise SerialError("is an empty range")
        return Range(self.first, self.last._replace(number=self.last.number - 1))

    def __len__(self) -> int:
        return self.last.number - self.first.number + 1


def prefix_of(prefix: str, suffix: str) -> str:
    """Return what stands around a number as one text."""
    return f"{prefix}*{suffix}" if suffix else prefix


class SerialError(ValueError):
    """A text that is no serial number or range; the message goes on from the cell."""

    def __init__(self, what: str, first: bool = False) -> None:
        super().__init__(what)
        self.first = first
        """Whether it is the first of two cells; else the last, or the only one."""


PLAIN = re.compile(r"^(?P<prefix>.*?)(?P<number>[0-9]{1,18})$", re.ASCII | re.DOTALL)
"""The last digits are the number, at most 18 of them: a 30-digit serial keeps its first 12 in the prefix."""

IREC = re.compile(r"^(?P<prefix>[0-9]{4}-)(?P<number>[0-9]{4}-[0-9]{4}-[0-9]{4}\.[0-9]{6})$")
"""0000-0158-2837-7532.000000: six decimals of a MWh, so that each number is one Wh."""

BLANKS = re.compile(r"^(?:[0-9]\s*){30}$", re.ASCII)
"""The 30 digits of a guarantee of origin, perhaps in groups."""

_IREC_SOMEWHERE = re.compile(r"(?<![0-9.-])[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{4}\.[0-9]{6}(?![0-9])")
_BETWEEN = (
    re.compile(r"\s+(?:to|through|thru|bis)\s+", re.IGNORECASE),
    re.compile(r"\s+(?:-|–|—)\s+|\s*(?:–|—)\s*"),
)
"""What stands between both ends of a range in one cell: a dash only where no word does, as numbers have dashes."""
SEVERAL = re.compile(r"[;,|&]|\band\b", re.IGNORECASE)


def ends_of(cell: str) -> list[slice]:
    """Return where the ends of a range stand in a cell: one if it is a number alone, more than two if it is neither."""
    between = next((found for mark in _BETWEEN if (found := list(mark.finditer(cell)))), [])
    begins, ends = [0, *(one.end() for one in between)], [*(one.start() for one in between), len(cell)]
    return list(map(slice, begins, ends))


def has_irec_numbers(text: str) -> bool:
    """Whether a text holds a certificate number of the I-REC registry."""
    return bool(_IREC_SOMEWHERE.search(text))


def canonical(text: str) -> str:
    """Return a prefix or id as it is compared: neither small letters nor blanks make another certificate."""
    return "".join(text.split()).upper()


def canonical_each(texts: Sequence[str]) -> list[str]:
    """Return many texts as they are compared: all at once, as it is one text without blanks."""
    found = "".join("\0".join(texts).split()).upper().split("\0")
    return found if len(found) == len(texts) else [canonical(text) for text in texts]


def read_serial(text: str, pattern: re.Pattern[str] = PLAIN) -> Serial:
    """Take a serial number apart by a pattern with the groups prefix, number and, if there is any, suffix."""
    cell = text.strip()
    if pattern is PLAIN and is_shortened(cell):
        raise SerialError("is a number that a spreadsheet shortened: its digits are lost, export it as text")
    match = pattern.match("".join(cell.split()) if BLANKS.match(cell) else cell)
    if match is None:
        raise SerialError("is no serial number of this format")
    digits = match["number"]
    number = int(digits if digits.isdigit() else "".join(mark for mark in digits if mark.isdigit()))
    suffix = match["suffix"] if "suffix" in pattern.groupindex else ""
    return Serial(cell, intern(canonical(match["prefix"])), number, intern(canonical(suffix)))


def read_range(first: str, last: str, pattern: re.Pattern[str] = PLAIN) -> Range:
    """Read a range from two cells; an empty `last` means that `first` is one number, or holds the range itself."""
    if not last.strip():
        return _from_one_cell(first, pattern)
    try:
        begin = read_serial(first, pattern)
    except SerialError as fault:
        raise SerialError(str(fault), first=True) from None
    bare = is_bare(begin.prefix, last.strip(), pattern)
    return _checked(begin, _bare(begin, last.strip()) if bare else read_serial(last, pattern))


def is_bare(prefix: str, last: str, pattern: re.Pattern[str]) -> bool:
    """Whether the last number of a range is digits alone, and does not repeat the prefix of the first."""
    return pattern is PLAIN and bool(prefix) and not prefix.isdigit() and re.fullmatch("[0-9]+", last) is not None


def _from_one_cell(text: str, pattern: re.Pattern[str]) -> Range:
    """Read `PREFIX-1 to 100`, `PREFIX-1 to PREFIX-100` or `PREFIX-1`."""
    if SEVERAL.search(text):
        raise SerialError("holds several ranges: give each a row of its own")
    cell = text.strip()
    parts = [cell[end] for end in ends_of(cell)]
    if len(parts) > 2:
        raise SerialError("is no range of serial numbers: expected 12345-OR-234567-1 to 100")
    begin = read_serial(parts[0], pattern)
    return _checked(begin, begin) if len(parts) == 1 else read_range(parts[0], parts[1], pattern)


def _bare(begin: Serial, digits: str) -> Serial:
    """Return the last number of `PREFIX-1 to 100`, which does not repeat the prefix."""
    if len(digits) > 18:
        raise SerialError(f"ends in {digits}, which does not begin as {begin.text} does")
    return Serial(digits, begin.prefix, int(digits), begin.suffix)


def _checked(begin: Serial, end: Serial) -> Range:
    if begin.space != end.space:
        raise SerialError(f"goes from {begin.text} to {end.text}, which are not of one series")
    if end.number < begin.number:
        raise SerialError(f"ends with {end.text}, before it begins with {begin.text}")
    return Range(begin, end)
