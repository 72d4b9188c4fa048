"""Lists in workbooks (xlsx): a sheet as delimited text, without what a spreadsheet adds, and with what it has lost."""

from __future__ import annotations

import csv
import io
import mmap
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from gcr_fast.sources.certificates.sheet import HEADER_WITHIN
from gcr_fast.sources.damaged import refuse_damaged
from gcr_fast.sources.files import File, refuse
from gcr_fast.sources.workbook import cells

_EXACT_DIGITS = 15
"""Digits of a number that a spreadsheet keeps; it makes zeros of those that follow."""


@dataclass(frozen=True)
class SheetFile(File):
    """One sheet of a workbook. Lines are the sheet's rows."""

    sheet: str
    """Its name."""
    content: mmap.mmap
    """Its rows as lines of delimited text, the number of the row in front of each."""
    width: int
    """Cells of the widest row: what is empty at the end of others is not written."""

    @property
    def kind(self) -> str:
        """It is read as any delimited text."""
        return "csv"

    @property
    def ended(self) -> bool:
        """Whether it is whole: a workbook that was cut off cannot be opened."""
        return True

    def rows(self, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
        """Yield (row of the sheet, cells) of each row that is not blank; `delimiter` is no matter."""
        _ = self.hashing
        self.content.seek(0)
        lines = iter(self.content.readline, b"")
        for number, *found in csv.reader(line.decode() for line in lines):
            if any(found):
                yield int(number), found + [""] * (self.width - len(found))


def sheets_of(file: File) -> Iterator[SheetFile]:
    """Yield the sheets of a workbook that are not empty. Refused: a damaged one, or any where openpyxl is not there."""
    refuse_damaged(file)
    for name, rows in cells(file):
        try:
            found = _sheet(file, name, rows)
        except OSError as error:
            refuse(file, f"cannot be laid down as text: {error}")
        if found is not None:
            yield found


def _sheet(file: File, name: str, rows: Iterable[Sequence[Any]]) -> SheetFile | None:
    """Lay the rows of a sheet down in a file without a name, of which no more is in memory than is being read."""
    with tempfile.TemporaryFile() as place:
        head, width = _written(place, rows)
        if not width:
            return None
        content = mmap.mmap(place.fileno(), 0, access=mmap.ACCESS_READ)
        return SheetFile(file.path, head, False, file.state, name, content, width)


def _written(place: Any, rows: Iterable[Sequence[Any]]) -> tuple[bytes, int]:
    """Write all rows; return the first of them as text alone, and the number of cells of the widest."""
    out, head, width = io.TextIOWrapper(place, "utf-8", newline="", write_through=True), list[list[str]](), 0
    whole = csv.writer(out, lineterminator="\n")
    for number, row in enumerate(rows, start=1):
        texts = _trimmed(list(map(text_of, row)))
        whole.writerow([number, *texts])
        width = max(width, len(texts))
        head += [texts] if number <= HEADER_WITHIN else []
    out.detach()
    place.flush()
    first = io.StringIO(newline="")
    csv.writer(first, lineterminator="\n").writerows(texts + [""] * (width - len(texts)) for texts in head)
    return first.getvalue().encode(), width


def _trimmed(texts: list[str]) -> list[str]:
    while texts and not texts[-1]:
        texts.pop()
    return texts


def text_of(cell: object) -> str:
    """Return a cell as somebody would have typed it: whole days without a time, numbers without an exponent.

    A number with more digits than a spreadsheet keeps gets one, though: its last digits are lost, which is told of it
    like of any that an export has shortened.
    """
    if cell is None:
        return ""
    if isinstance(cell, str):
        return " ".join(cell.splitlines()).strip()
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _number(cell)
    if isinstance(cell, datetime):
        moment = (cell + timedelta(milliseconds=500)).replace(microsecond=0)  # a day is a float in there
        return moment.date().isoformat() if moment.time() == time() else moment.isoformat(" ")
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def _number(value: int | float) -> str:
    if abs(value) >= 10**_EXACT_DIGITS and _is_rounded(value):
        return f"{value:.{_EXACT_DIGITS - 1}E}"
    if isinstance(value, int):
        return str(value)
    text = format(Decimal(f"{value:.{_EXACT_DIGITS}g}"), "f")
    # Of 1.125 nobody could tell whether the point sets thousands apart; in a workbook it never does.
    return f"{text}0" if len(text.partition(".")[2]) == 3 else text


def _is_rounded(value: int | float) -> bool:
    """Whether a long number ends in nothing but zeros where a spreadsheet keeps no digits."""
    return isinstance(value, float) or value % 10 ** (len(str(abs(value))) - _EXACT_DIGITS) == 0
