"""Certificates that are there twice: in one list or in two, in one state or in two that cannot both be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from gcr_fast.annual import overlaps
from gcr_fast.findings import Finding, Findings
from gcr_fast.sources.certificates.serials import canonical

LIVE = frozenset({"CANCELED", "ISSUED", "ACTIVE", "TRADED"})
"""A certificate can be in one of these states only, so a list of holdings must not have it in two."""

GONE = frozenset({"CONVERTED", "EXPIRED", "WITHDRAWN"})
"""States in which a certificate is no more; one that was cancelled cannot come to any of them."""

TELLING_PREFIX = 6
"""A serial prefix of so many characters names its registry; shorter ones are compared within one issuer."""


class Row(NamedTuple):
    """What has to be known of a row to find it elsewhere."""

    file: str
    line: int | None
    identity: str
    space: Any
    """Serial numbers of one space can be compared."""
    span: tuple[int, int] | None
    status: str
    word: str
    """The status as the list gives it."""
    gone: bool
    """Whether no certificate can be cancelled and this."""
    in_history: bool
    """Whether it is a transaction, of which a certificate may have several."""
    told: bool = True
    """Whether the list itself gives the identity."""

    @property
    def place(self) -> str:
        """Where it is, as a person would say it."""
        return f"{self.file}, line {self.line}" if self.line is not None else self.file


def space_of(prefix: str, issuer: str | None) -> Any:
    """Return what makes serial numbers comparable: their prefix, and the issuer where that is short."""
    known = canonical(prefix)
    return known if len(known) >= TELLING_PREFIX else (issuer, known)


def report_twice(kept: Sequence[Row], lists: Iterable[Sequence[Row]], findings: Findings) -> None:
    """Report certificates that are there twice: among those kept, within a list, or in two states at once."""
    told: set[tuple[str, int | None]] = set()
    _compare(kept, findings, told)
    every: list[Row] = []
    for rows in lists:
        _compare([row for row in rows if row.status in LIVE and not row.in_history], findings, told)
        every.extend(rows)
    _contradictions([row for row in every if row.gone or row.status == "CANCELED"], findings, told)
    _later([row for row in every if not row.in_history], findings, told)


def _compare(rows: Sequence[Row], findings: Findings, told: set[tuple[str, int | None]]) -> None:
    """Report rows whose serial numbers, or ids, an earlier row has; each row once."""
    for later, earlier in overlaps([(row.space, row.span) for row in rows]):
        one, other = rows[later], rows[earlier]
        same = one.span == other.span
        what = "is the same certificate as" if same else "shares serial numbers with"
        code = "duplicate_certificate" if same else "serial_overlap"
        _report(code, one, f"{what} {other.identity} in {other.place}", findings, told)
    first: dict[str, Row] = {}
    for row in rows:
        other = first.setdefault(canonical(row.identity), row)
        if other is not row:
            _report("duplicate_certificate", row, f"has the id of the certificate in {other.place}", findings, told)


def _contradictions(rows: Sequence[Row], findings: Findings, told: set[tuple[str, int | None]]) -> None:
    """Report certificates that are cancelled in one row, and in another what no cancelled one can be."""
    for one, other in _pairs(rows):
        if one.gone != other.gone:
            what = f"is {one.word!r} here and {other.word!r} as {other.identity} in {other.place}"
            _report("contradictory_status", one, what, findings, told)


def _later(rows: Sequence[Row], findings: Findings, told: set[tuple[str, int | None]]) -> None:
    """Report certificates that one row has as cancelled or gone, and another as still held: one of them is later."""
    for one, other in _pairs(rows):
        states = {one.status, other.status}
        if len(states) == 2 and (states & GONE or "CANCELED" in states):
            what = f"is {one.word!r} here and {other.word!r} as {other.identity} in {other.place}"
            _report("later_status", one, what, findings, told)


def _pairs(rows: Sequence[Row]) -> Iterable[tuple[Row, Row]]:
    """Yield (later, earlier) rows of one certificate, at least one pair for each row that shares something.

    An id that was made of device and period stands for no certificate of its own: two states may share it.
    """
    for later, earlier in overlaps([(row.space, row.span) for row in rows]):
        yield rows[later], rows[earlier]
    known: dict[str, Row] = {}
    for row in rows:
        if row.span is None and row.told:
            other = known.setdefault(canonical(row.identity), row)
            if other is not row:
                yield row, other


def _report(code: str, row: Row, what: str, findings: Findings, told: set[tuple[str, int | None]]) -> None:
    if (row.file, row.line) not in told:
        told.add((row.file, row.line))
        said = f"{row.identity} {what}"
        findings.extend([Finding(code, said, file=row.file, line=row.line, certificate_id=row.identity)])
