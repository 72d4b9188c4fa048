"""A list as lines of named cells: its delimiter, the header somewhere near its top, and what stands above it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from sys import intern
from typing import Any

from gcr_fast.exchange.reading import DELIMITERS
from gcr_fast.findings import Findings
from gcr_fast.sources.certificates.layout import Layout
from gcr_fast.sources.files import File, refuse
from gcr_fast.sources.words import normalised
from gcr_fast.units import split_unit

HEADER_WITHIN = 30
"""Lines among which the header must stand."""
BLOCK_ROWS = 2048
"""Rows that are looked at together."""
CLOSING = "totals and closing lines"
REPEATED = "the header once more"
SHOWN_VALUE = 60
_CLOSING = frozenset(
    (
        "total", "totals", "grand total", "sum", "summe", "end of report", "report total", "subtotal", "total mwh",
        "total general", "sub total", "sum total", "gesamt", "gesamtsumme", "insgesamt", "zwischensumme", "somme",
        "totale", "totaal", "suma", "summa",
    )
)  # fmt: skip
_CLOSING_BEGINS = frozenset(words[:3] for words in _CLOSING)
_NOTHING = frozenset(
    word
    for each in (
        "-", "--", "---", "–", "—", ".", "?", "/", "n/a", "n.a.", "na", "#n/a", "none", "null", "nil", "nan",
        "not applicable", "not available", "k.a.", "(blank)", "(none)",
    )
    for word in (each, each.upper(), each.capitalize())
)  # fmt: skip
"""What stands in a cell that somebody did not want to leave empty."""
_MAY_BE_NOTHING = ("cancelled_on", "reason", "beneficiary", "consumption", "owner", "device_id")
"""Fields whose text, whatever it says, is taken for an answer."""


@dataclass(frozen=True)
class Header:
    """Where a list's columns are."""

    line: int
    """Line of the header; 0 where there is none."""
    delimiter: str
    columns: dict[str, int]
    """Position of each field's column."""
    names: tuple[str, ...]
    """All column names, as the file spells them."""
    also: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Positions of further columns of a field, the best known name first."""

    def named(self, name: str) -> str:
        """Return a field's column as the file spells it, or the field where there is none."""
        return self.names[self.columns[name]] if name in self.columns else name

    @property
    def unused(self) -> list[str]:
        """Columns that are no field."""
        taken = set(self.columns.values()).union(*self.also.values())
        return [name for at, name in enumerate(self.names) if at not in taken and name]


def find_header(file: File, layout: Layout) -> Header | None:
    """Return the first row near the top whose words are the needed fields of a layout; None if there is none."""
    words = layout.words()
    for delimiter in _delimiters(file, layout):
        for line, cells in _head_rows(file, delimiter):
            if layout.skip is not None and line <= layout.skip:
                continue
            header = _header(line, delimiter, cells, words)
            if is_complete(header, layout):
                return header
    return None


def without_header(file: File, layout: Layout) -> Header | None:
    """Return the columns of a file without a header, as the layout names them; None if no row near the top fits.

    A row fits if it has as many cells, and a serial number of the format where the first one stands. Data begin with
    the first row that has such a number anywhere: one that is damaged must not be taken for a preamble.
    """
    if not layout.names:
        return None
    columns = {name: at for at, name in enumerate(layout.names) if name}
    begins = 0
    for line, cells in _head_rows(file, layout.delimiter or ","):
        numbered = [bool(layout.serial.match(cell.strip())) for cell in cells]
        begins = begins or (line if any(numbered) else 0)
        if len(cells) == len(layout.names) and numbered[columns["first"]]:
            return Header(begins - 1, layout.delimiter or ",", columns, layout.names)
    return None


def is_complete(header: Header, layout: Layout) -> bool:
    """Whether a header has every field that a layout needs."""
    given = set(header.columns) | set(layout.constants)
    return all(given & choices for choices in layout.needed)


def _delimiters(file: File, layout: Layout) -> list[str]:
    if layout.delimiter:
        return [layout.delimiter]
    head = "\n".join(file.head_lines[:HEADER_WITHIN])
    return sorted(DELIMITERS, key=head.count, reverse=True)


def _head_rows(file: File, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (first line, cells) of the first rows, counted as `File.rows` counts; never raises, as it only looks."""
    rows = csv.reader(io.StringIO(file.head_text, newline=""), delimiter=delimiter)
    after = 0
    try:
        for cells in islice(rows, HEADER_WITHIN):
            yield after + 1, cells
            after = rows.line_num
    except csv.Error:
        return


def _header(line: int, delimiter: str, cells: list[str], words: dict[str, str]) -> Header:
    """Take a row for a header: of several columns of one field the one whose name stands first in the layout."""
    known = [(word, at) for at, cell in enumerate(cells) if (word := _word_of(cell, words)) is not None]
    rank = {word: place for place, word in enumerate(words)} if len(known) > 1 else {}
    columns: dict[str, list[int]] = {}
    for word, at in sorted(known, key=lambda one: rank.get(one[0], 0)):
        columns.setdefault(words[word], []).append(at)
    return Header(
        line,
        delimiter,
        {name: places[0] for name, places in columns.items()},
        tuple(cell.strip() for cell in cells),
        {name: tuple(places[1:]) for name, places in columns.items() if len(places) > 1},
    )


def _word_of(cell: str, words: dict[str, str]) -> str | None:
    """Return the word that a header cell is, with or without a unit at its end."""
    both = (normalised(cell), normalised(split_unit(cell.strip())[0]))
    return next((word for word in both if word in words), None)


def field_of(cell: str, words: dict[str, str]) -> str | None:
    """Return the field that a header cell names."""
    word = _word_of(cell, words)
    return None if word is None else words[word]


@dataclass
class Sheet:
    """A list that has been opened, and what was found wrong in it so far."""

    file: File
    layout: Layout
    header: Header
    findings: Findings = field(default_factory=Findings)
    dropped: Counter[str] = field(default_factory=Counter)
    """Rows that hold no certificate, by the reason in words."""
    facts: dict[str, str] = field(default_factory=dict)
    """What lines above the header say: `Beneficiary,Example Ltd`."""
    fills: list[tuple[int, int]] = field(default_factory=list)
    """Positions of columns whose empty cells another column fills."""
    gone_through: bool = False
    """Whether all rows were read once: what is wrong with them as rows, and which of them hold no data, is said."""

    @property
    def numbered(self) -> bool:
        """Whether it has a column of serial numbers or of ids: a row that has none in it stands for no certificate."""
        return not self.header.columns.keys().isdisjoint(("first", "id"))

    @cached_property
    def _naming(self) -> tuple[int, ...]:
        """Columns in which the name of a closing line makes it one: those that are ids where nothing is numbered."""
        columns = self.header.columns
        return () if "first" in columns else tuple(columns[name] for name in ("id", "device_id") if name in columns)

    @cached_property
    def _answers(self) -> tuple[int, ...]:
        """Columns in which `n/a` and the like are no answer."""
        columns, also = self.header.columns, self.header.also
        return tuple(at for name in _MAY_BE_NOTHING if name in columns for at in (columns[name], *also.get(name, ())))

    @cached_property
    def defaults(self) -> dict[str, str]:
        """What fields hold where a row says nothing: known from the first row of data on."""
        return {**self.layout.constants, **self.facts}

    def blocks(self) -> Iterator[Block]:
        """Yield the rows that hold data, many at once. Rows of another length than the header are reported, all.

        They may be gone through several times; the first time reports.
        """
        block = Block(self)
        for number, cells in self._rows():
            if reason := self._no_data(cells):
                if len(block) and reason not in self.dropped:  # reasons are told in the order of the file
                    yield block
                    block = Block(self)
                self.dropped[reason] += not self.gone_through
            elif len(cells) != len(self.header.names):
                self._note_length(number, len(cells))
            else:
                block.add(number, cells)
            if len(block) == BLOCK_ROWS:
                yield block
                block = Block(self)
        if len(block):
            yield block
        self.gone_through = True

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (line, cells) below the header, but for blank rows."""
        wanted = len(self.header.names)
        for number, raw in self.file.rows(self.header.delimiter):
            if number <= self.header.line:
                self._note_fact(raw)
                continue
            cells = list(map(str.strip, raw))
            if not any(cells):
                continue
            cells = cells if len(cells) == wanted else _fitted(cells, wanted)
            if len(cells) == wanted:
                self._answer(cells)
            yield number, cells

    def _answer(self, cells: list[str]) -> None:
        """Empty the cells of a row that say `n/a`, and fill those that another column fills."""
        for at in self._answers:
            if cells[at] in _NOTHING:
                cells[at] = ""
        for at, other in self.fills:
            cells[at] = cells[at] or cells[other]

    def _no_data(self, cells: list[str]) -> str:
        """Return why a row is none of the list; empty if it is one."""
        if _is_closing(cells) or (self._naming and any(_closes(cells[at]) for at in self._naming if at < len(cells))):
            return CLOSING
        first = self.header.names[0]
        return REPEATED if cells[0] == first and first and self.header.line and (*cells,) == self.header.names else ""

    def _note_length(self, number: int, found: int) -> None:
        if not self.gone_through:
            what = f"expected {len(self.header.names)} cells, found {found}"
            self.findings.add("malformed_row", what, file=self.file.name, line=number)

    def _note_fact(self, cells: list[str]) -> None:
        """Take a line such as `Beneficiary:,Example Ltd`, whose first cell is the name of a field."""
        filled = [cell.strip() for cell in cells if cell.strip()]
        if len(filled) == 2 and filled[1] not in _NOTHING and (name := field_of(filled[0], self.layout.words())):
            self.facts.setdefault(name, filled[1])

    def unit_of(self, name: str, default: int) -> int:
        """Return the decimal places that the unit in a column's name asks for: 6 for `Volume (MWh)`."""
        if name not in self.header.columns:
            return default
        unit = split_unit(self.header.names[self.header.columns[name]])[1]
        return unit.digits if unit else default


def _fitted(cells: list[str], wanted: int) -> list[str]:
    """Return a row without empty cells beyond the header, which a trailing delimiter makes."""
    while len(cells) > wanted and not cells[-1]:
        cells = cells[:-1]
    return cells


def _is_closing(cells: list[str]) -> bool:
    first = cells[0] or next(filter(None, cells))
    return _closes(first) and sum(bool(cell) for cell in cells) <= len(cells) // 2 + 1


def _closes(cell: str) -> bool:
    """Whether a cell is the name of a closing line."""
    return cell[:3].lower() in _CLOSING_BEGINS and normalised(cell).replace("_", " ") in _CLOSING


@dataclass
class Block:
    """Rows of a list, many at once."""

    sheet: Sheet
    numbers: list[int] = field(default_factory=list)
    """Line of the file on which each begins, from 1."""
    rows: list[list[str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, number: int, cells: list[str]) -> None:
        """Append a row."""
        self.numbers.append(number)
        self.rows.append(cells)

    @cached_property
    def _columns(self) -> list[tuple[str, ...]]:
        return list(zip(*self.rows, strict=True))

    def text(self, name: str) -> Sequence[str]:
        """Return a field of all rows, each as `Line.text` has it."""
        at, default = self.sheet.header.columns.get(name), self.sheet.defaults.get(name, "")
        if at is None:
            return [default] * len(self)
        column = self._columns[at]
        return [cell or default for cell in column] if default else column

    def line(self, at: int) -> Line:
        """Return one of the rows."""
        return Line(self.sheet, self.numbers[at], self.rows[at])

    def lines(self) -> Iterator[Line]:
        """Return the rows one by one."""
        return map(self.line, range(len(self)))


@dataclass(slots=True)
class Line:
    """One row of a list. There are many: what they share is looked up in few steps."""

    sheet: Sheet
    number: int
    """Line of the file, from 1."""
    cells: list[str]

    def text(self, name: str) -> str:
        """Return a field's cell, else what the lines above the header or the layout say, else nothing."""
        at = self.sheet.header.columns.get(name)
        if at is not None and self.cells[at]:
            return self.cells[at]
        return self.sheet.defaults.get(name, "")

    def word(self, name: str) -> str | None:
        """Return a cell that many rows have, as one object for all of them; None if it says nothing."""
        return intern(self.text(name)) or None

    def has(self, name: str) -> bool:
        """Whether a field has a column."""
        return name in self.sheet.header.columns

    def fault(self, code: str, name: str, what: str, **more: Any) -> None:
        """Report a cell; `what` goes on from it."""
        column = self.sheet.header.named(name)
        value = intern(self.text(name)[:SHOWN_VALUE])  # one warning may concern every row
        said = intern(f"{column} {value!r} {what}" if value else f"{column} {what}")
        place = {"file": self.sheet.file.name, "line": self.number, "column": column, "value": value or None}
        self.sheet.findings.add(code, said, **(place | more))


def open_sheet(file: File, layout: Layout) -> Sheet:
    """Open a file in a layout. Refused: a file without the needed columns."""
    header = find_header(file, layout)
    if header is None:
        header = without_header(file, layout)
    if header is None:
        refuse(file, f"lacks columns: {_missing(file, layout)}", "missing_column")
    return Sheet(file, layout, header)


def _missing(file: File, layout: Layout) -> str:
    """Say what the row that comes closest to a header does not have."""
    words = layout.words()
    rows = [
        _header(line, delimiter, cells, words)
        for delimiter in _delimiters(file, layout)
        for line, cells in _head_rows(file, delimiter)
    ]
    best = max(rows, key=lambda header: len(header.columns), default=None)
    given = (set(best.columns) if best else set()) | set(layout.constants)
    absent = [choices for choices in layout.needed if not given & choices]
    wanted = [" or ".join(layout.fields.get(name, (name,))[0] for name in sorted(choices)) for choices in absent]
    seen = f"; the columns are: {', '.join(filter(None, best.names))}" if best and best.columns else ""
    return "; ".join(wanted) + seen
