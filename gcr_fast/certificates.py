"""Certificate lists of other registries -> one table of annual certificates, and an account of every row.

Files of any known format, lists that a mapping describes, and our own annual files may come together. What may not be
in several files, or twice in one, is checked here: no serial number is read twice.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from gcr_fast.annual import Annual
from gcr_fast.codes import BASES, PURPOSES
from gcr_fast.errors import UsageError
from gcr_fast.exchange.reading import Source
from gcr_fast.exchange.streams import write_stream
from gcr_fast.findings import Finding, Findings, RefusedError
from gcr_fast.lists.files import FileAccount, How, Part, StatusCount, part_of
from gcr_fast.lists.own import OWN, is_own, read_own
from gcr_fast.lists.twice import report_twice
from gcr_fast.periods import year_period
from gcr_fast.schema import arrow_schema
from gcr_fast.sources.certificates import mapped
from gcr_fast.sources.certificates.book import SheetFile, sheets_of
from gcr_fast.sources.certificates.formats import BY_NAME, format_named, identify
from gcr_fast.sources.certificates.nearly import nearly
from gcr_fast.sources.certificates.sheet import find_header, without_header
from gcr_fast.sources.certificates.sifting import Sift
from gcr_fast.sources.damaged import refuse_damaged
from gcr_fast.sources.files import UNENDED, File, open_file, refuse
from gcr_fast.sources.mapping_file import load_mapping
from gcr_fast.sources.units_map import Units, read_units

if TYPE_CHECKING:
    import pyarrow as pa

    from gcr_fast.exchange.writing import Written

SOURCES = "gcr_fast.sources"
"""In the metadata of an imported table: the files that it was made of, with their hashes."""


@dataclass(frozen=True)
class Certificates:
    """Annual certificates that were read from other people's lists: `table` has the columns of `schema.ANNUAL`."""

    table: pa.Table
    findings: Findings
    files: tuple[FileAccount, ...]
    statuses: tuple[StatusCount, ...]
    lines: Sequence[int | None] = ()
    """Line of its file on which each certificate stands."""

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def energy_wh(self) -> int:
        """Of all certificates of the table."""
        return sum(self.table["energy_wh"].to_pylist())

    @property
    def left_out(self) -> tuple[StatusCount, ...]:
        """The rows that are not in the table, with the reason."""
        return tuple(count for count in self.statuses if count.left_out)

    def to_annual(self) -> Annual:
        """Return them as `convert` takes them: its findings name the list's own lines, and say what was left out."""
        names = ", ".join(account.file for account in self.files)
        digest = self.files[0].sha256 if len(self.files) == 1 else ""
        findings = Findings(self.findings)
        for one in self.left_out:
            what = f"{one.word}: {one.left_out}"
            findings.add("left_out", what, file=one.file, value=one.word, count=one.rows)
        source = _List(self.table, names, digest=digest, lines=self.lines)
        findings.extend(self._uncancelled(source))
        return Annual(self.table, findings, source)

    def _uncancelled(self, source: Source) -> Iterator[Finding]:
        """Yield the rows that were kept though they are not cancelled: as in a file of ours, they stop a conversion."""
        for row, status in enumerate(self.table["status"].to_pylist()):
            if status != "CANCELED":
                identity = self.table["certificate_id"][row].as_py()
                what = f"{identity}: status {status} is not CANCELED: only cancelled certificates are converted"
                place: dict[str, Any] = {"file": source.name or None, "row": row, "line": source.line(row)}
                yield Finding("not_canceled", what, column="status", value=status, certificate_id=identity, **place)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Hand the table to any Arrow library."""
        return self.table.__arrow_c_stream__(requested_schema)

    def write(self, path: str | os.PathLike[str]) -> Written:
        """Write a .parquet, .arrow or .csv file that `read_annual` and `convert` take; all but CSV keep the hashes."""
        hashes = json.dumps({one.file: one.sha256 for one in self.files})
        named = self.table.replace_schema_metadata({**(self.table.schema.metadata or {}), SOURCES: hashes})
        return write_stream(path, named.schema, named.to_batches())


@dataclass(frozen=True)
class _List(Source):
    """Certificates whose lines in their file are known."""

    lines: Sequence[int | None] = ()

    def line(self, row: int | None) -> int | None:
        return self.lines[row] if row is not None and row < len(self.lines) else None


def read_certificates(
    paths: Iterable[str | os.PathLike[str]] | str | os.PathLike[str],
    *,
    format: str | None = None,  # noqa: A002
    mapping: Mapping[str, object] | str | os.PathLike[str] | None = None,
    zone: str | None = None,
    keep_all: bool = False,
    purpose: str | None = None,
    basis: str | None = None,
    units: Mapping[str, str] | str | os.PathLike[str] | None = None,
    year: int | None = None,
    decimal: str | None = None,
) -> Certificates:
    """Read certificate lists of any known format into one table.

    `mapping` describes files of no known format. `zone` is the zone of production days where a list names none.
    Only cancelled certificates are kept, unless `keep_all`; the others are accounted for. `purpose` says for what
    the cancelled ones were cancelled where the list does not, and is refused where a row contradicts it; `basis` is
    their allocation basis. `units` (a mapping, or a file that `read_units` takes) says what a device burns where a
    list does not; `year` keeps one year of production. What they leave out is named in `.findings`. `decimal` is the
    decimal mark where no number of a list tells it. Raises `RefusedError` with everything that is wrong in all files,
    among it any certificate that is there twice, with both rows.
    """
    names = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    how = _checked(format, mapping, zone, keep_all, basis, _sift(units, year, purpose), decimal)
    if not names:
        raise UsageError("name at least one file")
    findings = Findings()
    parts = [part for path in names if (part := _attempt(path, how, findings)) is not None]
    for part in parts:
        findings.extend(part.findings)
    _refuse_twice(parts, findings)
    findings.check()
    return _joined(parts, findings)


def _checked(
    name: str | None,
    mapping: Mapping[str, object] | str | os.PathLike[str] | None,
    zone: str | None,
    keep_all: bool,
    basis: str | None,
    sift: Sift,
    decimal: str | None,
) -> How:
    if name is not None and name not in (OWN, "auto", mapped.NAME):
        format_named(name)
    if name == mapped.NAME and mapping is None:
        raise UsageError("the format `mapped` needs a mapping")
    if basis is not None and basis not in BASES:
        raise UsageError(f"unknown allocation basis {basis!r}; there are {', '.join(BASES)}")
    if decimal not in (None, ",", "."):
        raise UsageError(f"the decimal mark is , or . and not {decimal!r}")
    described = load_mapping(mapping) if isinstance(mapping, str | os.PathLike) else mapping
    return How(None if name == "auto" else name, described, zone, keep_all, basis, sift, decimal)


def _sift(units: Mapping[str, str] | str | os.PathLike[str] | None, year: int | None, purpose: str | None) -> Sift:
    if year is not None:
        year_period(year)  # a year that cannot be is a UsageError
    if purpose is not None and purpose not in PURPOSES:
        raise UsageError(f"unknown purpose {purpose!r}; there are {', '.join(PURPOSES)}")
    told = read_units(units) if isinstance(units, str | os.PathLike) else units
    words = told.words if isinstance(told, Units) else {}
    return Sift(told or {}, year, words, purpose)


def _attempt(path: str | os.PathLike[str], how: How, findings: Findings) -> Part | None:
    """Read one file; a refusal of the whole file is kept, so that all files are looked at."""
    try:
        file = open_file(path)
        part = _read(file, how)
    except RefusedError as refusal:
        findings.extend(refusal.collected)
        return None
    if file.kind == "csv" and not file.ended:
        findings.add("reading_note", f"{file.path.name}: last line {UNENDED}", file=file.name)
    return part


def _read(file: File, how: How) -> Part:
    if file.kind == "zip":
        return _read_book(file, how)
    if how.format == OWN or (how.format is None and how.mapping is None and is_own(file)):
        return read_own(file, how)
    if how.mapping is not None and how.format in (None, mapped.NAME):
        return part_of(how.listing(file, mapped.NAME, mapped.layout_of(how.mapping)), how)
    chosen = identify(file) if how.format is None else format_named(how.format)
    if chosen is None:
        _refuse_unknown(file)
    return part_of(how.listing(file, chosen.name, chosen.layout), how)


def _read_book(file: File, how: How) -> Part:
    """Read the one sheet of a workbook that has a list."""
    sheets = list(sheets_of(file))
    if how.format == OWN or any(is_own(sheet) for sheet in sheets):
        refuse(
            file, "is a workbook of annual certificates of ours, which must be CSV, Parquet or Arrow: save it as CSV"
        )
    lists = [sheet for sheet in sheets if _has_list(sheet, how)] if len(sheets) > 1 else sheets
    if len(lists) != 1:
        _refuse_sheets(file, [sheet.sheet for sheet in lists or sheets], several=bool(lists))
    return _read(lists[0], how)


def _refuse_sheets(file: File, names: Sequence[str], several: bool) -> NoReturn:
    shown = ", ".join(names) or "empty"
    if several:
        hint = "save each of these sheets as a workbook, or as CSV, of its own"
        refuse(file, f"has lists in several sheets: {shown}", "ambiguous_format", hint=hint)
    refuse(file, f"is a workbook without a certificate list; its sheets are: {shown}", "unknown_format")


def _has_list(sheet: SheetFile, how: How) -> bool:
    """Whether a sheet is a list of the format that is named, or described, or of any."""
    if how.format is None and how.mapping is None:
        return identify(sheet) is not None
    described = how.mapping is not None and how.format in (None, mapped.NAME)
    layout = mapped.layout_of(how.mapping or {}) if described else format_named(how.format or "").layout
    return find_header(sheet, layout) is not None or without_header(sheet, layout) is not None


def _refuse_unknown(file: File) -> NoReturn:
    refuse_damaged(file)
    known = ", ".join([*BY_NAME, OWN])
    what = f"is no certificate list of a known format ({known}); `gcr import formats mapped` shows how to describe it"
    refuse(file, what + nearly(file, tuple(BY_NAME.values())), "unknown_format")


def is_list(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a certificate list of a known format of another registry, or a workbook. Never raises."""
    with contextlib.suppress(RefusedError):
        file = open_file(path)
        return file.kind == "zip" or (not is_own(file) and identify(file) is not None)
    return False


def nearly_list(path: str | os.PathLike[str]) -> str:
    """Return `; it is nearly ...` with the formats of which a file lacks one column; else nothing. Never raises."""
    with contextlib.suppress(RefusedError):
        return nearly(open_file(path), tuple(BY_NAME.values()))
    return ""


def _refuse_twice(parts: Sequence[Part], findings: Findings) -> None:
    """Report whatever is there twice: a file, a serial number, a certificate without one."""
    seen: dict[str, str] = {}
    for part in list(parts):
        earlier = seen.setdefault(part.account.sha256, part.account.file)
        if earlier != part.account.file or [one.account.file for one in parts].count(part.account.file) > 1:
            what = f"{part.account.file} is the same file as {earlier}"
            findings.add("duplicate_certificate", what, file=part.account.file)
            return
    report_twice([part.rows for part in parts], findings)


def _joined(parts: list[Part], findings: Findings) -> Certificates:
    import pyarrow as pa

    accounts = tuple(part.account for part in parts)
    statuses = tuple(count for part in parts for count in part.statuses)
    lines = parts[0].lines if len(parts) == 1 else tuple(line for part in parts for line in part.lines)
    tables = []
    while parts:  # a file that is in the table already is let go of
        tables.append(parts.pop(0).table().cast(arrow_schema("annual")))
    table = pa.concat_tables(tables)
    return Certificates(table, findings, accounts, statuses, lines)
