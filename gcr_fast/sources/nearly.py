"""Which format a file nearly is, where it is of none: other marks between its cells, another unit, a column less.

Nothing is read by it. It is asked only where a file is refused, and looks at the head alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gcr_fast.sources.files import File
from gcr_fast.sources.known import Known

MARKS = {",": "commas", ";": "semicolons", "\t": "tabs"}
"""Marks between cells, and what a message calls them."""
ENOUGH, LEAST = 0.5, 3
"""How much of a known header has to be there, and how many of its words at least."""
SHOWN = 3
"""Columns that lack of which a message speaks."""
HEADER_WITHIN = 10
"""Lines at the top among which a header is looked for."""

_UNIT = re.compile(r"(?<=[\[(])([kKGT]?W|MW)(h?)(?=[\])])")
_WORD = re.compile(r"[\[(]?[^\W_]+[\])]?")
"""Words with their brackets, by which publishers' units differ: (MW) and [MW]."""
_OPTIONAL = re.compile(r"\[[^\]]*,\]|\.\.\.( with)?")
"""What may be absent from a header, and what stands for more columns, in the words of a format."""
_CELL = re.compile(r"[,;\t]|<tab>")


def nearly(file: File, formats: Sequence[Known]) -> str:
    """Return `; it is nearly ...` with a format and what differs; nothing if it is near to none, or to several."""
    for said, changed in _variants(file):
        near = [one for one in formats if one.detect(changed)]
        if len(near) == 1:
            return f"; it is nearly {near[0].name}, but {said}"
    return _by_columns(file, formats) if file.kind == "csv" else ""


def _variants(file: File) -> Iterator[tuple[str, File]]:
    """Yield the file as it would be with other marks between its cells, or in MW, and what that changes."""
    if file.kind != "csv":
        return
    mark, text = file.delimiter, file.head_text
    for other, name in MARKS.items():
        if mark in text and other != mark:
            said = f"its cells are set apart by {MARKS.get(mark, mark)}, not by {name}"
            yield said, _with(file, text.replace(mark, other))
    units = dict.fromkeys(f"{match[1]}{match[2]}" for match in _UNIT.finditer(text.partition("\n")[0]))
    others = [unit for unit in units if not unit.startswith("MW")]
    if others:
        yield f"its unit is {' and '.join(others)}, not {_mega(others[0])}", _with(file, _UNIT.sub(r"MW\2", text))


def _mega(unit: str) -> str:
    return "MWh" if unit.endswith("h") else "MW"


def _with(file: File, head: str) -> File:
    """Return a file with another head, of which nothing else may be asked."""
    return replace(file, head=head.encode(file.encoding if file.encoding != "utf-8-sig" else "utf-8", "replace"))


def _by_columns(file: File, formats: Sequence[Known]) -> str:
    """Compare the rows near the top with the headers by which each format is known."""
    rows = [[_words(cell) for cell in line.split(file.delimiter)] for line in file.head_lines[:HEADER_WITHIN]]
    near: list[tuple[float, Known, list[str]]] = []
    for one in formats:
        for known in _headers(one.looks_like):
            for row in rows:
                share, lacking = _share(row, known)
                near += [(share, one, lacking)] if share else []
    most = max((share for share, _, _ in near), default=0)
    names = {one.name: lacking for share, one, lacking in near if share == most}
    if len(names) != 1:
        return ""
    ((name, lacking),) = names.items()
    what = f", but has no column {' and no '.join(lacking[:SHOWN])}" if lacking else ""
    return f"; it is nearly {name}{what}: `gcr import formats {name}` shows what that looks like"


def _share(row: Sequence[frozenset[str]], known: Sequence[str]) -> tuple[float, list[str]]:
    """Return how many of a known header's words are in cells of a row, 0 if too few, and the cells that lack.

    A cell of one word has to be there alone, others may stand with more words.
    """
    there, every, lacking = 0, 0, list[str]()
    for cell in known:
        words = _words(cell)
        every += len(words)
        if words in row or (len(words) > 1 and any(words <= other for other in row)):
            there += len(words)
        else:
            lacking.append(cell)
    enough = len(known) > 1 and there >= LEAST and there >= ENOUGH * every
    return (there / every if enough else 0), lacking


def _headers(looks_like: str) -> list[list[str]]:
    """Return the headers that a format is said to have, each as its cells: it may have several forms."""
    parts = re.split(r"\bor\b|\bthen\b|;\s", _OPTIONAL.sub("", looks_like))
    return [[cell for one in _CELL.split(part) if _words(cell := one.strip(' "\\'))] for part in parts]


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))
