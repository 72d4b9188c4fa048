"""Reading a table field by field: which column is which, and one finding per bad cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.columns import as_text, encode, one_array
from gcr_fast.exchange.reading import Source
from gcr_fast.findings import Finding, Findings
from gcr_fast.schema import LEGACY_ALIASES, columns_of
from gcr_fast.units import Unit, split_unit

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN_VALUE = 60


class Fields:
    """The columns of a source under the names of one table of `schema.py`; collects findings as they are read."""

    def __init__(self, source: Source, table: str) -> None:
        self.source = source
        self.findings = Findings()
        self._known = columns_of(table)
        self._spelled: dict[str, list[str]] = {}
        self._used: set[str] = set()
        names = source.table.column_names
        for name in sorted({name for name in names if names.count(name) > 1}):
            Findings([Finding("ambiguous_column", f"two columns are named {name}", column=name)]).check()
        for name in names:
            self._spelled.setdefault(_plain(name), []).append(name)

    def __len__(self) -> int:
        return int(self.source.table.num_rows)

    @property
    def unused(self) -> list[str]:
        """Columns that no field has claimed yet, in file order."""
        return [name for name in self.source.table.column_names if name not in self._used]

    def name(self, field: str) -> str | None:
        """Return the source's column for a field, by its name or an alias; two candidates are ambiguous."""
        column = next(item for item in self._known if item.name == field)
        return self.named((field, *column.aliases))

    def named(self, words: Iterable[str]) -> str | None:
        """Return the source's column that is called by one of these words."""
        return self._claim([name for word in words for name in self._spelled.get(word, [])])

    def measure(self, stem: str, kind: str) -> tuple[str, Unit] | None:
        """Return the column `{stem}_{unit}`, by the suffix of any unit of a kind or an older name, and that unit."""
        spelled = self._spelled.items()
        names = [n for word, same in spelled if split_unit(LEGACY_ALIASES.get(word, word))[0] == stem for n in same]
        units = {name: unit for name in names if (unit := self._unit(name)) is not None}
        found = self._claim([name for name, unit in units.items() if unit.kind == kind])
        unit = self._unit(found) if found else None
        return (found, unit) if found and unit else None

    def claim(self, name: str) -> None:
        """Mark a column as used."""
        self._used.add(name)

    def column(self, name: str) -> pa.Array:
        """Return a column of the source as one array."""
        return one_array(self.source.table.column(name))

    def texts(self, field: str) -> pa.Array | None:
        """Return a field as trimmed text, empty cells as null; None where the column is absent."""
        import pyarrow as pa
        import pyarrow.compute as pc

        name = self.name(field)
        if name is None:
            return None
        text = pc.utf8_trim_whitespace(as_text(self.column(name)))
        return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)

    def words(self, field: str) -> tuple[np.ndarray, list[str]] | None:
        """Return a field as codes int32[n] (-1 is empty) and its distinct trimmed words; None if it is absent."""
        name = self.name(field)
        if name is None:
            return None
        codes, values = encode(self.column(name))
        trimmed = ["" if value is None else str(value).strip() for value in values]
        distinct = list(dict.fromkeys(word for word in trimmed if word))
        if distinct == trimmed:
            return codes, distinct
        place = {word: at for at, word in enumerate(distinct)}
        moved = np.array([place.get(word, -1) for word in trimmed] + [-1], dtype=np.int32)
        return moved[codes], distinct

    def words_or_none(self, field: str) -> tuple[np.ndarray, list[str]]:
        """As `words`, but all cells of a field that is absent are empty."""
        return self.words(field) or (np.full(len(self), -1, dtype=np.int32), [])

    def mapped(self, field: str, known: Callable[[str], str | None], code: str, expected: str) -> list[str | None]:
        """Read a field of a closed vocabulary: each distinct word is looked up once, unknown words are findings."""
        found = self.words(field)
        if found is None:
            return [None] * len(self)
        codes, values = found
        meanings: list[str | None] = [known(value) for value in values]
        unknown = np.array([meaning is None for meaning in meanings] + [False])
        self.report(code, unknown[codes], field, f"is not known; expected {expected}")
        meanings.append(None)  # code -1, an empty cell, reads the last entry
        return [meanings[code] for code in codes.tolist()]

    def report(self, code: str, mask: np.ndarray, field: str, what: str) -> None:
        """Add one finding for each row of `mask` bool[n], naming the cell of `field` (a field or a column's name)."""
        rows = np.flatnonzero(mask)
        if not len(rows):
            return
        name = field if field in self.source.table.column_names else self.name(field) or field
        cells = self.column(name) if name in self.source.table.column_names else None
        ids = self._ids()
        for row in rows.tolist():
            shown = None if cells is None else _shown(cells[row])
            self.findings.add(
                code,
                f"{name} {shown!r} {what}" if shown is not None else f"{name} {what}",
                column=name,
                value=shown,
                certificate_id=ids[row].as_py() if ids is not None else None,
                **self.place(row),
            )

    def place(self, row: int) -> dict[str, Any]:
        """Return where a row is, as the fields of a finding."""
        row += self.source.first_row
        return {"file": self.source.name or None, "row": row, "line": self.source.line(row)}

    def missing(self, wanted: str) -> None:
        """Report a needed column that is absent."""
        have = ", ".join(self.source.table.column_names)
        self.findings.add(
            "missing_column", f"no column {wanted}; the columns are: {have}", file=self.source.name or None
        )

    def note_unused(self) -> None:
        """Report columns that nothing reads: most often a misspelling."""
        for name in self.unused:
            self.findings.add(
                "ignored_column", f"column {name} is not used", column=name, file=self.source.name or None
            )

    def _ids(self) -> pa.Array | None:
        known = {column.name for column in self._known}
        return self.texts("certificate_id") if "certificate_id" in known else None

    def _unit(self, name: str) -> Unit | None:
        return split_unit(LEGACY_ALIASES.get(_plain(name), _plain(name)))[1]

    def _claim(self, candidates: Iterable[str]) -> str | None:
        names = list(dict.fromkeys(candidates))
        if len(names) > 1 and not set(names) <= self._used:
            both = " and ".join(names)
            self.findings.add("ambiguous_column", f"columns {both} stand for the same", file=self.source.name or None)
        self._used.update(names)
        return names[0] if names else None


def _shown(cell: pa.Scalar) -> str | None:
    """Return a cell as a message quotes it: not too long, and also where Python has no such value."""
    try:
        value = cell.as_py()
    except (OverflowError, ValueError):
        value = f"{cell.type} {cell.value}"
    return None if value is None else str(value)[:SHOWN_VALUE]


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")
