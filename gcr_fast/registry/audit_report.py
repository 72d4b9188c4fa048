"""What an audit tells: the names of its checks, the outcome of each, and every fault."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"

FILES = "files are as written"
ROOTS = "roots of issues recompute"
SNAPSHOTS = "snapshots are states of the log"
SIGNATURES = "signatures are over the log's heads"
ENTRIES = "entries take what they say"
CHECKS = (
    "1 serial ranges are unique",
    "2 parents are converted once",
    "3 hours + residual = parent, to the Wh",
    "4 devices stay within capacity",
    "5 each Wh has one owner",
    "6 no transition outside the table",
    "7 nothing trades after its end",
    "8 claimed <= retired <= issued",
    "9 consumption is claimed once",
    "10 the hash chain recomputes",
    "11 the state recomputes from the log",
)
"""The eleven checks against double counting."""
CHAIN, STATE = CHECKS[9], CHECKS[10]


class Check(NamedTuple):
    """One row of an audit."""

    name: str
    outcome: str
    """passed, failed, or skipped: it could not be checked."""
    detail: str


class AuditFinding(NamedTuple):
    """One fault, and the check that found it."""

    check: str
    message: str


@dataclass
class AuditReport:
    """What `verify` checked and found."""

    registry: str
    """Its folder."""
    position: int = 0
    """The last entry that was looked at."""
    head: str = ""
    """Its hash."""
    checks: list[Check] = field(default_factory=list)
    findings: list[AuditFinding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing failed. Something is skipped without a failure only where a library is missing."""
        return all(check.outcome != FAILED for check in self.checks)

    def outcome(self, name: str) -> str:
        """Return the outcome of a check, by its name or the beginning of it."""
        return next(check.outcome for check in self.checks if check.name.startswith(name))

    def to_table(self) -> pa.Table:
        """Return the checks as an Arrow table: check, outcome, detail."""
        import pyarrow as pa

        schema = pa.schema([(name, pa.string()) for name in ("check", "outcome", "detail")])
        return pa.Table.from_pylist(
            [dict(zip(schema.names, check, strict=True)) for check in self.checks], schema=schema
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for `json.dumps`."""
        return {
            "registry": self.registry,
            "position": self.position,
            "head": self.head,
            "ok": self.ok,
            "checks": [check._asdict() for check in self.checks],
            "findings": [finding._asdict() for finding in self.findings],
        }
