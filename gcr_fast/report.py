"""Results a person or a program can read: a table, the findings behind it, and a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gcr_fast.findings import Findings

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Check:
    """One rule, and how it went."""

    name: str
    outcome: str
    """`passed`, `failed`, or `skipped` with the reason in `detail`."""
    detail: str


@dataclass(frozen=True)
class Report:
    """The verdict of `validate`."""

    checks: tuple[Check, ...]
    collected: Findings
    totals: dict[str, int]
    """parents, hourly_certificates, energy_wh (of the parents), issued_wh, residual_wh."""

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return self.collected.ok

    @property
    def findings(self) -> pa.Table:
        """What was found, in order of precedence, as an Arrow table (`schema.FINDINGS_COLUMNS`)."""
        return self.collected.to_table()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Hand the findings to any Arrow library."""
        return self.findings.__arrow_c_stream__(requested_schema)


@dataclass(frozen=True)
class ConversionReport:
    """What became of each annual certificate: `table` has the columns of `schema.REPORT`."""

    table: pa.Table
    collected: Findings

    @property
    def ok(self) -> bool:
        """Whether nothing is in error."""
        return self.collected.ok

    @property
    def findings(self) -> pa.Table:
        """Warnings and notes, as an Arrow table."""
        return self.collected.to_table()

    @property
    def totals(self) -> dict[str, int]:
        """Sums over all certificates: parents, hours, nonzero_hours, energy_wh, issued_wh, residual_wh, clipped_wh."""
        names = ("hours", "nonzero_hours", "energy_wh", "issued_wh", "residual_wh", "clipped_wh")
        sums = {name: sum(self.table[name].to_pylist()) for name in names}
        return {"parents": self.table.num_rows, **sums}

    def __getitem__(self, column: str) -> pa.ChunkedArray:
        return self.table[column]

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Hand the table to any Arrow library."""
        return self.table.__arrow_c_stream__(requested_schema)
