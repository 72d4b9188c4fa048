"""Certificates that are there twice: in one list or in two, in one state or in two that cannot both be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from gcr_fast.findings import Finding, Findings
from gcr_fast.lists.alike import GONE, Everything, Row, Rows
from gcr_fast.ranges import overlaps
from gcr_fast.sources.certificates.held import NONE
from gcr_fast.sources.certificates.serials import canonical

LIVE = frozenset({"CANCELED", "ISSUED", "ACTIVE", "TRADED"})
"""A certificate can be in one of these states only, so a list of holdings must not have it in two."""


ONCE = (
    "a list of transactions has a row for each move of a certificate: read it without keep_all (--keep-all), which "
    "takes its cancellations alone; one that is cancelled twice is to be converted once"
)
"""How to mend what is twice in a list of transactions."""


def report_twice(files: Sequence[Rows], findings: Findings) -> None:
    """Report certificates that are there twice: among those kept, within a list, or in two states at once."""
    told: set[tuple[str, int | None]] = set()
    rows = Everything(files)
    _compare(rows, rows.where(one.kept for one in files), findings, told)
    for at, file in enumerate(files):
        held = file.having(LIVE) & (not file.in_history)
        _compare(rows, np.flatnonzero(held) + rows.begins[at], findings, told)
    _contradictions(rows, rows.where(one.having(frozenset({"CANCELED"}), gone=True) for one in files), findings, told)
    _later(rows, rows.where(np.full(len(one), not one.in_history) for one in files), findings, told)


def _compare(rows: Everything, some: np.ndarray, findings: Findings, told: set[tuple[str, int | None]]) -> None:
    """Report rows whose serial numbers, or ids, an earlier row has; each row once."""
    found = rows.touching(some)
    for later, earlier in overlaps([(row.space, row.span) for row in found]):
        one, other = found[later], found[earlier]
        same = one.span == other.span
        what = "is the same certificate as" if same else "shares serial numbers with"
        code = "duplicate_certificate" if same else "serial_overlap"
        _report(code, one, f"{what} {other.identity} in {other.place}", findings, told)
    first: dict[str, Row] = {}
    for row in rows.namesakes(some):
        other = first.setdefault(canonical(row.identity), row)
        if other is not row:
            _report("duplicate_certificate", row, f"has the id of the certificate in {other.place}", findings, told)


def _contradictions(rows: Everything, some: np.ndarray, findings: Findings, told: set[tuple[str, int | None]]) -> None:
    """Report certificates that are cancelled in one row, and in another what no cancelled one can be."""
    for one, other in _pairs(rows, some):
        if one.gone != other.gone:
            what = f"is {one.word!r} here and {other.word!r} as {other.identity} in {other.place}"
            _report("contradictory_status", one, what, findings, told)


def _later(rows: Everything, some: np.ndarray, findings: Findings, told: set[tuple[str, int | None]]) -> None:
    """Report certificates that one row has as cancelled or gone, and another as still held: one of them is later."""
    for one, other in _pairs(rows, some):
        states = {one.status, other.status}
        if len(states) == 2 and (states & GONE or "CANCELED" in states):
            what = f"is {one.word!r} here and {other.word!r} as {other.identity} in {other.place}"
            _report("later_status", one, what, findings, told)


def _pairs(rows: Everything, some: np.ndarray) -> Iterable[tuple[Row, Row]]:
    """Yield (later, earlier) rows of one certificate, at least one pair for each row that shares something.

    An id that was made of device and period stands for no certificate of its own: two states may share it.
    """
    found = rows.touching(some)
    for later, earlier in overlaps([(row.space, row.span) for row in found]):
        yield found[later], found[earlier]
    known: dict[str, Row] = {}
    for row in rows.namesakes(some[(rows.low[some] == NONE) & rows.told[some]]):
        other = known.setdefault(canonical(row.identity), row)
        if other is not row:
            yield row, other


def _report(code: str, row: Row, what: str, findings: Findings, told: set[tuple[str, int | None]]) -> None:
    if (row.file, row.line) not in told:
        told.add((row.file, row.line))
        said = f"{row.identity} {what}"
        hint = ONCE if row.in_history and code in {"duplicate_certificate", "serial_overlap"} else ""
        findings.extend([Finding(code, said, file=row.file, line=row.line, certificate_id=row.identity, hint=hint)])
