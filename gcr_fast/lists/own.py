"""Our own annual files, and those of the registry that this one replaces, among other registries' lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.annual import Annual, read_annual
from gcr_fast.errors import UsageError
from gcr_fast.findings import Findings
from gcr_fast.lists.alike import GONE, Row, rows_of_ours
from gcr_fast.lists.files import FileAccount, How, Part, StatusCount, status_count
from gcr_fast.ranges import space_of
from gcr_fast.sources.certificates.statuses import Meaning, meaning_of
from gcr_fast.sources.files import File, refuse

if TYPE_CHECKING:
    import pyarrow as pa

OWN = "annual"
"""The format of our own annual files, and of those of the registry that this one replaces."""


def is_own(file: File) -> bool:
    """Whether a file is one of ours: Parquet or Arrow, or text whose header has certificate_id and status."""
    if file.kind in {"parquet", "ipc"}:
        return True
    header = file.head_lines[0].lower() if file.kind == "csv" and file.head_lines else ""
    words = {word.strip(' "') for word in header.replace(";", ",").replace("\t", ",").split(",")}
    return {"certificate_id", "status"} <= words


def read_own(file: File, how: How) -> Part:
    """Read one of our own files; what `read_annual` lets pass and `convert` refuses passes here as well."""
    import pyarrow as pa

    if how.sift.year is not None or how.sift.units:
        raise UsageError(f"{file.path.name} is an annual file of ours: year and units are for other registries' lists")
    if file.packed or file.encoding not in {"utf-8", "utf-8-sig"}:
        refuse(file, "is an annual file, which must be plain UTF-8 text, Parquet or Arrow")
    annual = read_annual(file.path, zone=how.zone or "UTC", strict=False)
    table = annual.table
    meanings = [_own_meaning(status) for status in table["status"].to_pylist()]
    kept = np.array([how.keep_all or not meaning.reason for meaning in meanings], dtype=bool)
    rows = _own_rows(table, file, annual.source.line)
    account = FileAccount(file.name, OWN, file.sha256, len(annual), int(np.count_nonzero(kept)), {}, [])
    return Part(
        account,
        _findings(annual, rows, how),
        rows_of_ours(rows, kept),
        _counts(table, meanings, file, how),
        [rows[at].line for at in np.flatnonzero(kept)],
        lambda: _overridden(table.filter(pa.array(kept)), how),
    )


def _findings(annual: Annual, rows: Sequence[Row], how: How) -> Findings:
    """Return what speaks against a file of ours: what is there twice is looked for among all files."""
    elsewhere = {"not_canceled", "serial_overlap", "duplicate_certificate"}
    findings = Findings(item for item in annual.findings if item.code not in elsewhere)
    told = zip(*(annual.table[name].to_pylist() for name in ("status", "purpose", "beneficiary")), rows, strict=True)
    for status, purpose, beneficiary, row in told:
        said = Meaning(status, purpose, "", told=purpose is not None)
        field = how.sift.contradicted(said, "", beneficiary or "", "")
        if field:
            column, value = ("beneficiary", beneficiary) if field == "beneficiary" else ("purpose", purpose)
            what = f"{column} {value!r} tells another purpose than {how.purpose}"
            place = {"file": row.file, "line": row.line, "certificate_id": row.identity}
            findings.add("contradictory_purpose", what, column=column, value=value, **place)
    return findings


def _counts(table: pa.Table, meanings: Sequence[Meaning], file: File, how: How) -> list[StatusCount]:
    """Sum the rows by status and purpose."""
    totals: dict[tuple[Meaning, str | None], list[int]] = {}
    columns = (table[name].to_pylist() for name in ("purpose", "energy_wh"))
    for meaning, purpose, energy in zip(meanings, *columns, strict=True):
        total = totals.setdefault((meaning, purpose), [0, 0])
        total[0] += 1
        total[1] += energy
    return [
        status_count(file.name, meaning.status, meaning._replace(purpose=purpose), count, energy, how)
        for (meaning, purpose), (count, energy) in totals.items()
    ]


def _own_meaning(status: str) -> Meaning:
    """Return what one of our own statuses means: RETIRED is one of an hourly certificate, which is not converted."""
    if status == "RETIRED":
        return Meaning("RETIRED", None, "retired, not cancelled for conversion or end use")
    meaning = meaning_of(status)
    assert meaning is not None  # every word of ANNUAL_STATUSES is in the table
    return meaning


def _overridden(table: pa.Table, how: How) -> pa.Table:
    """Set the purpose and basis that the caller names."""
    import pyarrow as pa

    canceled = [status == "CANCELED" for status in table["status"].to_pylist()]
    for name, value in (("purpose", how.purpose), ("allocation_basis", how.basis)):
        if value:
            old = table[name].to_pylist()
            new = [value if mine else before for mine, before in zip(canceled, old, strict=True)]
            table = table.set_column(
                table.schema.get_field_index(name), table.schema.field(name), pa.array(new, pa.string())
            )
    return table


def _own_rows(table: pa.Table, file: File, line: Any) -> list[Row]:
    names = ("certificate_id", "serial_prefix", "serial_start", "serial_end", "issuer", "status")
    rows = zip(*(table[name].to_pylist() for name in names), strict=True)
    found = []
    for at, (identity, prefix, low, high, issuer, status) in enumerate(rows):
        whole = low is not None and high is not None and 0 <= low <= high
        span = (low, high) if whole else None
        space = space_of(prefix or "", issuer) if whole else None
        found.append(Row(file.name, line(at), identity, space, span, status, status, status in GONE))
    return found
