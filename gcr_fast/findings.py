"""What was found wrong, row by row: collected, sorted by precedence, shown as text or as an Arrow table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gcr_fast.codes import FINDING_BY_NAME, PRECEDENCE
from gcr_fast.errors import GcrError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, at one place.

    `row` counts from 0 in the table; `line` from 1 in a text file, its header included. Files of public formats have
    lines only (of a document the number of its entry), tables in memory rows only. A gap is at the row before it.
    `count` is above 1 where one finding speaks for many rows (clipped hours, a run of missing intervals).
    """

    code: str
    message: str
    row: int | None = None
    column: str | None = None
    value: str | None = None
    file: str | None = None
    line: int | None = None
    certificate_id: str | None = None
    profile: str | None = None
    count: int = 1
    hint: str = ""
    """How to mend this one, where what the code says in general is not enough."""

    @property
    def mend(self) -> str:
        """How to mend it."""
        return self.hint or FINDING_BY_NAME[self.code].mend

    @property
    def severity(self) -> str:
        """`error`, `warning` or `info`."""
        return FINDING_BY_NAME[self.code].severity

    @property
    def place(self) -> str:
        """Where it is, as a person would say it."""
        parts = [self.file] if self.file else []
        if self.line is not None:
            parts.append(f"line {self.line}")
        elif self.row is not None:
            parts.append(f"row {self.row}")
        if self.column:
            parts.append(f"column {self.column}")
        return ", ".join(parts)


class Findings:
    """A growing list of findings; `check()` refuses if any of them is an error."""

    def __init__(self, items: Iterable[Finding] = ()) -> None:
        self._items = list(items)

    def add(self, code: str, message: str, **where: Any) -> None:
        """Append one finding; `where` are the other fields of `Finding`."""
        self._items.append(Finding(code, message, **where))

    def extend(self, items: Iterable[Finding]) -> None:
        """Append many."""
        self._items.extend(items)

    def __iter__(self) -> Iterator[Finding]:
        return iter(sorted(self._items, key=lambda item: PRECEDENCE[item.code]))

    def __len__(self) -> int:
        return len(self._items)

    def of(self, *severities: str) -> list[Finding]:
        """The findings of these severities, in order of precedence."""
        return [item for item in self if item.severity in severities]

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return not any(item.severity == "error" for item in self._items)

    def check(self) -> None:
        """Raise `RefusedError` with every finding, if any is an error."""
        if not self.ok:
            raise RefusedError(self)

    def counts(self) -> Counter[str]:
        """How many rows each code concerns."""
        total: Counter[str] = Counter()
        for item in self._items:
            total[item.code] += item.count
        return total

    def describe(self, limit: int | None = None) -> str:
        """Return the errors as text: one line each, the first `limit` of them, then how to mend each kind."""
        errors = self.of("error")
        shown = errors[:limit]
        lines = [f"refused: {len(errors)} error{'s' if len(errors) != 1 else ''}"]
        lines += [f"  {item.place + ': ' if item.place else ''}{item.message} [{item.code}]" for item in shown]
        if len(errors) > len(shown):
            lines.append(f"  ... and {len(errors) - len(shown)} more")
        kinds = dict.fromkeys((item.code, item.mend) for item in errors)
        lines += [f"  {code}: {mend}" for code, mend in kinds]
        return "\n".join(lines)

    def to_table(self) -> pa.Table:
        """Every finding as an Arrow table with the columns of `schema.FINDINGS_SCHEMA`."""
        import pyarrow as pa

        from gcr_fast.schema import arrow_schema

        rows = list(self)
        schema = arrow_schema("findings")
        columns = {name: [_cell(item, name) for item in rows] for name in schema.names}
        return pa.table(columns, schema=schema)


def _cell(item: Finding, name: str) -> Any:
    return getattr(item, "mend" if name == "hint" else name)


class RefusedError(GcrError):
    """Input was refused as a whole; nothing was written.

    `findings` is an Arrow table, one row per bad row, in order of precedence (columns: `schema.FINDINGS_COLUMNS`).
    """

    def __init__(self, findings: Findings) -> None:
        self.collected = findings
        super().__init__(findings.describe(limit=20))

    @property
    def findings(self) -> pa.Table:
        """Every finding, in order of precedence."""
        return self.collected.to_table()
