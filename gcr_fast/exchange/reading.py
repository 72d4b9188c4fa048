"""Reading a table from CSV, Parquet or Arrow IPC, chosen by content, never by file name alone."""

from __future__ import annotations

import codecs
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from gcr_fast.errors import UsageError
from gcr_fast.findings import Finding, Findings, RefusedError

if TYPE_CHECKING:
    import pyarrow as pa

HASHED_BYTES = 1 << 22
DELIMITERS = (",", ";", "\t", "|")
SNIFF_BYTES = 65_536


@dataclass(frozen=True)
class Source:
    """A table as it came, and where it came from."""

    table: pa.Table
    name: str
    """The file's name for messages and reports; empty for a table that was handed over in memory."""
    kind: str = "arrow"
    path: Path | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    digest: str = ""
    """The file's hash, taken when it was read: it may be another file later."""
    first_row: int = 0
    """Row of the file that the table begins with, where it is one of several batches."""

    @cached_property
    def sha256(self) -> str:
        """Of the file's bytes; of the canonical Arrow stream for a table in memory."""
        return self.digest or (table_sha256(self.table) if self.path is None else file_sha256(self.path))

    def line(self, row: int | None) -> int | None:
        """Return the line of a CSV file that a row stands on."""
        if row is None or self.kind != "csv" or self.path is None:
            return None
        lines = _csv_lines(self.path)
        return lines[row] if row < len(lines) else None

    def place(self, row: int | None) -> dict[str, Any]:
        """Return where a row is, as the fields of a finding."""
        return {"file": self.name or None, "row": row, "line": self.line(row)}


_lines: dict[tuple[str, int], list[int]] = {}


def _csv_lines(path: Path) -> list[int]:
    """Line numbers of the data rows, which blank lines and line breaks in quotes set apart from row numbers."""
    import csv

    key = (str(path), path.stat().st_mtime_ns)
    if key not in _lines:
        _lines.clear()
        begins, after = [], 0
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            rows = csv.reader(file, delimiter=_csv_header(path)[1])
            for row in rows:
                if row:
                    begins.append(after + 1)
                after = rows.line_num
        _lines[key] = begins[1:]
    return _lines[key]


def read_table(path: str | os.PathLike[str], *, may_be_empty: bool = False) -> Source:
    """Read a whole file. CSV cells stay text, so that numbers can be read exactly.

    Raises `RefusedError` for a file that is missing, empty, of another kind, or has ragged rows (all are listed).
    """
    place = Path(path)
    kind = _kind(place)
    reader = {"csv": _read_csv, "parquet": _read_parquet, "ipc": _read_ipc}[kind]
    digest = file_sha256(place)
    table = reader(place)
    if table.num_rows == 0 and not may_be_empty:
        _refuse("empty_file", f"{place} has no rows", place)
    return Source(table, str(place), kind, place, _metadata(table), digest)


def from_stream(obj: Any, *, may_be_empty: bool = False) -> Source:
    """Take any object with `__arrow_c_stream__` (Polars, DuckDB, pandas, pyarrow, ...)."""
    import pyarrow as pa

    if not isinstance(obj, pa.Table) and not hasattr(obj, "__arrow_c_stream__"):
        raise UsageError(f"expected a path or an object with __arrow_c_stream__, not {type(obj).__name__}")
    table = obj if isinstance(obj, pa.Table) else pa.RecordBatchReader.from_stream(obj).read_all()
    table = table.cast(pa.schema([_plain_text(field) for field in table.schema], table.schema.metadata))
    if table.num_rows == 0 and not may_be_empty:
        Findings([Finding("empty_file", "the table has no rows")]).check()
    return Source(table, "", metadata=_metadata(table))


def _plain_text(field: pa.Field) -> pa.Field:
    """Read the other layouts of text (large strings, string views) as strings; leave the rest."""
    import pyarrow as pa

    kind = field.type
    words = pa.types.is_dictionary(kind)
    if pa.types.is_large_string(kind.value_type if words else kind) or pa.types.is_string_view(
        kind.value_type if words else kind
    ):
        return field.with_type(pa.dictionary(pa.int32(), pa.string()) if words else pa.string())
    return field


@dataclass(frozen=True)
class Scan:
    """A table that is gone through batch by batch, as often as needed, without being held."""

    head: Source
    """An empty table with the schema, and where it came from."""
    batches: Callable[[], Iterator[pa.Table]]
    held: bool = False
    """Whether the whole table stays in memory, so that an address there means one thing."""


def scan(path: str | os.PathLike[str], batch_rows: int) -> Scan:
    """Scan a file, or a folder of Parquet parts, which is never held whole. CSV and Arrow IPC are read at once."""
    place = Path(path)
    if place.is_dir():
        parts = sorted(part for part in place.iterdir() if part.is_file() and not part.name.startswith("."))
        if not parts:
            _refuse("empty_file", f"the folder {place} has no files", place)
        if any(_kind(part) != "parquet" for part in parts):
            return _scan_parts(place, parts, batch_rows)
    elif _kind(place) != "parquet":
        return scan_source(read_table(place, may_be_empty=True), batch_rows)
    import pyarrow as pa
    import pyarrow.dataset as ds

    try:
        data = ds.dataset(place, format="parquet")
    except (pa.ArrowInvalid, OSError) as error:
        _refuse("unreadable_file", f"{place} cannot be read as Parquet: {error}", place)
    empty = data.schema.empty_table()
    head = Source(empty, str(place), "parquet", place, _metadata(empty))
    options = {"batch_size": batch_rows, "batch_readahead": 2, "fragment_readahead": 1}
    return Scan(head, lambda: (pa.Table.from_batches([batch]) for batch in data.to_batches(**options)))


def _scan_parts(place: Path, parts: list[Path], batch_rows: int) -> Scan:
    """Scan the parts of a folder one after another; a part is read when its turn comes."""
    head = replace(read_table(parts[0], may_be_empty=True), name=str(place), kind="folder", path=None)

    def batches() -> Iterator[pa.Table]:
        for part in parts:
            yield from scan(part, batch_rows).batches()

    return Scan(replace(head, table=head.table.slice(0, 0)), batches)


def scan_source(source: Source, batch_rows: int) -> Scan:
    """Scan a table in memory; its chunks are not copied."""
    head = replace(source, table=source.table.slice(0, 0))
    return Scan(head, lambda: _slices(source.table, batch_rows), held=True)


def _slices(table: pa.Table, most: int) -> Iterator[pa.Table]:
    """Cut a table where the chunks of its coarsest column end, and wherever a slice would have over `most` rows."""
    coarsest = min(table.columns, key=lambda column: column.num_chunks, default=None)
    at = 0
    for size in () if coarsest is None else map(len, coarsest.iterchunks()):
        for first in range(at, at + size, most):
            yield table.slice(first, min(most, at + size - first))
        at += size


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb", buffering=0) as file:
        return opened_sha256(file)


def opened_sha256(file: FileIO, digest: Any = None) -> str:
    """Return the SHA-256 of what is left of an open file, after all that `digest` has hashed until now.

    In large pieces: between two of them a thread that hashes beside others has to wait for its turn.
    """
    digest, piece = digest or hashlib.sha256(), memoryview(bytearray(HASHED_BYTES))
    while count := file.readinto(piece):
        digest.update(piece[:count])
    return str(digest.hexdigest())


def table_sha256(table: pa.Table) -> str:
    """Return the SHA-256 of a table's rows in one canonical Arrow stream, whatever its chunks."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema.remove_metadata()) as writer:
        writer.write_table(table.replace_schema_metadata(None).combine_chunks())
    return hashlib.sha256(sink.getvalue()).hexdigest()


def _kind(path: Path) -> str:
    """Tell what a file holds by its first bytes."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        code = "missing_file" if isinstance(error, FileNotFoundError) else "unreadable_file"
        _refuse(code, f"cannot open {path}: {error.strerror or error}", path)
    if not head:
        _refuse("empty_file", f"{path} is empty", path)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "ipc"
    if head.lstrip(b"\xef\xbb\xbf \r\n").startswith((b"<", b"{", b"PK", b"\x1f\x8b")):
        _refuse("unreadable_file", f"{path} is not CSV, Parquet or Arrow IPC (it begins {head!r})", path)
    return "csv"


def _read_parquet(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        words = [field.name for field in pq.read_schema(path) if pa.types.is_string(field.type)]
        return pq.read_table(path, read_dictionary=words)  # text that repeats is never spelled out
    except (pa.ArrowException, OSError, ValueError) as error:
        _refuse("unreadable_file", f"{path} is damaged Parquet: {error}", path)


def _read_ipc(path: Path) -> pa.Table:
    import pyarrow as pa

    try:
        with pa.memory_map(str(path)) as source:
            head = source.read(6)
            source.seek(0)
            opener = pa.ipc.open_file if head == b"ARROW1" else pa.ipc.open_stream
            return opener(source).read_all()
    except (pa.ArrowException, OSError, ValueError) as error:
        _refuse("unreadable_file", f"{path} is damaged Arrow IPC: {error}", path)


def _read_csv(path: Path) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    header, delimiter = _csv_header(path)
    if path.stat().st_size < SNIFF_BYTES and not _csv_lines(path):
        return pa.table({name: pa.nulls(0, pa.string()) for name in header})
    ragged: list[tuple[int, int, int]] = []

    def skip(row: Any) -> str:
        ragged.append((row.number, row.expected_columns, row.actual_columns))
        return "skip"

    try:
        table = csv.read_csv(
            path,
            read_options=csv.ReadOptions(use_threads=False),
            parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True, null_values=[""]
            ),
        )
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        _refuse("unreadable_file", f"{path} cannot be read as CSV: {error}", path)
    _refuse_ragged(path, ragged)
    return table


def _csv_header(path: Path) -> tuple[list[str], str]:
    """Return the column names, and the delimiter that splits the header into most of them."""
    import csv

    with path.open("rb") as file:
        head = file.read(SNIFF_BYTES)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head:
        _refuse("unreadable_file", f"{path} is not UTF-8 text (UTF-16, or not text at all)", path)
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError as error:
        _refuse("unreadable_file", f"{path} is not UTF-8 text: {error.reason} at byte {error.start}", path)
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    names = next(csv.reader([first], delimiter=delimiter), [])
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        _refuse("ambiguous_column", f"{path} has two columns named {', '.join(doubled)}", path)
    return names, delimiter


def _refuse_ragged(path: Path, ragged: list[tuple[int, int, int]]) -> None:
    Findings(
        Finding(
            "malformed_row",
            f"expected {expected} cells, found {actual}",
            line=_csv_lines(path)[number - 2],
            file=str(path),
        )
        for number, expected, actual in ragged
    ).check()


def _metadata(table: pa.Table) -> dict[str, str]:
    pairs = (table.schema.metadata or {}).items()
    return {key.decode(): value.decode() for key, value in pairs if key.startswith(b"gcr_fast.")}


def _refuse(code: str, message: str, path: Path) -> NoReturn:
    """Raise at once: nothing else can be said of a file that cannot be read."""
    raise RefusedError(Findings([Finding(code, message, file=str(path))]))
