"""Which decimal mark the numbers of a list have: one of them tells it, or the serial numbers of their rows do."""

from __future__ import annotations

import contextlib
from itertools import chain

from gcr_fast.sources.certificates.amounts import decimal_marks, scaled, unsure_numbers
from gcr_fast.sources.certificates.facts import units_of
from gcr_fast.sources.certificates.serials import Range, SerialError, read_range
from gcr_fast.sources.certificates.sheet import Line, Sheet

_NUMBERS = ("energy", "mwh_each", "capacity", "count")
_SAY = "say which mark is the decimal one: `decimal` in a mapping, or gcr import certificates --decimal"


def mark_of(sheet: Sheet) -> str:
    """Return the decimal mark of a list: told by its layout, else by a first look at all its rows.

    Where nothing tells it, or two numbers tell two, that is among the sheet's findings.
    """
    if sheet.layout.decimal:
        return sheet.layout.decimal
    marks, unsure = _told(sheet)
    file = sheet.file
    if len(marks) > 1:
        what = f"{file.path.name} writes numbers with a decimal comma and with a decimal point"
        sheet.findings.add("ambiguous_number", what, file=file.name)
    elif not marks and unsure:
        marks = _told_by_serials(sheet, frozenset(unsure))
        if len(marks) != 1:
            shown = " and ".join(repr(cell) for cell in unsure[:3])
            what = f"{file.path.name} has numbers such as {shown} that can be read in two ways: " + _SAY
            sheet.findings.add("ambiguous_number", what, file=file.name, value=unsure[0])
    return marks.pop() if len(marks) == 1 else "."


def _told(sheet: Sheet) -> tuple[set[str], list[str]]:
    """Return the marks that some number must have; without any, the numbers that can be read in two ways."""
    marks: set[str] = set()
    unsure: dict[str, None] = {}
    for block in sheet.blocks():
        cells = dict.fromkeys(chain.from_iterable(zip(*map(block.text, _NUMBERS), strict=True)))
        marks |= decimal_marks(cells)
        if not marks:
            unsure |= dict.fromkeys(unsure_numbers(cells))
    return marks, list(unsure)


def _told_by_serials(sheet: Sheet, unsure: frozenset[str]) -> set[str]:
    """Return the decimal marks by which every number is that of its row's serial numbers; empty if none has any."""
    marks, compared = {",", "."}, False
    each = 0 if "mwh_each" in sheet.header.columns else sheet.layout.wh_each
    digits_of = units_of(sheet)
    for line in chain.from_iterable(block.lines() for block in sheet.blocks()):
        for name, digits, unit in (("energy", digits_of["energy"], each), ("count", 0, bool(each))):
            text = line.text(name)
            if unit and text in unsure and (serials := _range(line)) is not None:
                compared = True
                marks = {mark for mark in marks if scaled(text, mark, digits) == len(serials) * unit}
    return marks if compared else set()


def _range(line: Line) -> Range | None:
    """Return the serial numbers of a row if they can be read; what is wrong with them is said in its turn."""
    if line.text("first"):
        with contextlib.suppress(SerialError):
            return range_of(line)
    return None


def range_of(line: Line) -> Range:
    """Return the serial numbers of a row; raises `SerialError`."""
    layout, last = line.sheet.layout, line.text("last")
    found = read_range(line.text("first"), last, layout.serial)
    return found.without_last() if layout.half_open and last else found
