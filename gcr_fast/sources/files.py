"""Opening a file that somebody else made: what it is, its text whatever the encoding, its table whatever the delimiter.

Everything that is no data at all (an empty file, an error page saved under the name of a table, half an archive) is
refused here, so that no format has to think of it.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import gzip
import io
import json
import mmap
import os
import re
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np

from gcr_fast.exchange.reading import DELIMITERS, Source, read_table
from gcr_fast.findings import Finding, Findings, RefusedError
from gcr_fast.sources.delimited import (
    BLOCK_ROW,
    Content,
    OpenQuoteError,
    lines_of_words,
    mapped,
    read_lines,
    release,
)
from gcr_fast.sources.hashing import Hashing

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import pyarrow as pa

HEAD_BYTES = 65_536
UNENDED = "has no line end: if the file was cut off, its last number may be as well"
"""What is said of the last line of a text that is not `ended`."""
ZEROS = "holds zero bytes: it is no text"
LONG_BYTES = 1 << 22
"""A text that has to be unpacked or decoded is kept in memory if it is shorter."""
MAX_UNPACKED = 1 << 31
"""Bytes that a packed file may become: more is no export of a year of hours."""

_MAGIC = ((b"PAR1", "parquet"), (b"ARROW1", "ipc"), (b"\xff\xff\xff\xff", "ipc"), (b"PK\x03\x04", "zip"))
_PAGES = ("<!doctype html", "<html", "<head", "<body", "<script")
_CHANGED = "was changed while it was read: read it again"
_OPEN_QUOTE = 'a quote (") opens a cell that does not end on its line: take it away, or write "" for a quote in a cell'
_ENCODINGS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_WESTERN = bytes({*range(0x80), *range(0xC0, 0xFD), *b"\x92\x96\xa0\xab\xb0\xbb"} - {0, *b"\xd0\xd7\xde\xf0\xf7"})
"""What a Western European text in Windows-1252 is made of: ASCII, letters but the rarest, dash, quotes, degree."""
_ELSEWHERE = re.compile(rb"[\x80-\xff]{3}|[\xc2-\xdf][\x80-\xbf]")
"""What shows that it is of another encoding: no alphabet but Latin has ASCII letters between, and UTF-8 has pairs."""


class _State(NamedTuple):
    """What differs once somebody has written to a file, or put another in its place."""

    device: int
    inode: int
    size: int
    changed_ns: int

    @classmethod
    def of(cls, opened: IO[bytes] | FileIO) -> _State:
        """Return the state of an open file."""
        found = os.fstat(opened.fileno())
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


@dataclass(frozen=True)
class File:
    """A file that exists and is not empty. Nothing but its head is read until something is asked for."""

    path: Path
    head: bytes
    """The first 64 kB, unpacked."""
    packed: bool
    """Whether the file is gzip: it is unpacked in memory."""
    state: _State
    """Which file it was, how long and since when, as it was opened."""

    @property
    def name(self) -> str:
        """The path, for messages."""
        return str(self.path)

    @property
    def sha256(self) -> str:
        """Of the file's bytes as they lie on disk."""
        return self.hashing.result()

    @cached_property
    def hashing(self) -> Future[str]:
        """The hash under way: whoever reads the file by one thread asks for it first, and another thread makes it.

        It is refused if the file was changed since it was opened: what was read may not be what was hashed.
        """
        opened = self.open()
        return _beside(lambda: self._hashed(opened))

    def hash_read(self, data: bytes | memoryview, first: int) -> None:
        """Hash what was read from byte `first` on, for `hashing`, which has to follow: it need not read it again."""
        self._hash.add(data, first)

    @cached_property
    def _hash(self) -> Hashing:
        return Hashing()

    def _hashed(self, opened: FileIO) -> str:
        with opened:
            digest = self._hash.rest(opened)
            self._check(opened)
        return digest

    def open(self) -> FileIO:
        """Open it once more. Refused if it is another by now."""
        try:
            opened = self.path.open("rb", buffering=0)
        except OSError as error:
            refuse(self, f"{_CHANGED} ({error.strerror})")
        self._check(opened)
        return opened

    def _check(self, opened: FileIO) -> None:
        if _State.of(opened) != self.state:
            opened.close()
            refuse(self, _CHANGED)

    @cached_property
    def kind(self) -> str:
        """`csv` (any delimited text), `json`, `xml`, `parquet`, `ipc` or `zip` (a workbook)."""
        for magic, kind in _MAGIC:
            if self.head.startswith(magic):
                return kind
        first = self.head_text.lstrip()[:1]
        return "xml" if first == "<" else "json" if first and first in "{[" else "csv"

    @cached_property
    def encoding(self) -> str:
        """Of a text: UTF-8, UTF-16 with a byte order mark, Windows-1252 or Shift-JIS, whichever can be it."""
        for mark, name in _ENCODINGS:
            if self.head.startswith(mark):
                return name
        tests: dict[str, Callable[[bytes], bool]] = {"utf-8": bool, "cp1252": _is_western, "cp932": _is_japanese}
        for name, can_be in tests.items():
            try:
                codecs.getincrementaldecoder(name)().decode(self.head)
            except UnicodeDecodeError:
                continue
            if can_be(self.head):
                return name
        return "utf-8"

    @cached_property
    def head_text(self) -> str:
        """The beginning as text; what cannot be decoded is left out."""
        return self.head.decode(self.encoding, "ignore").lstrip("\ufeff")

    @cached_property
    def head_lines(self) -> list[str]:
        """The first lines; the last may be cut."""
        return self.head_text.splitlines()

    @property
    def delimiter(self) -> str:
        """The delimiter that the first line has most of."""
        return delimiter_of("".join(self.head_lines[:1]))

    def header(self, delimiter: str = ",", line: int = 0) -> list[str]:
        """Cells of one of the first lines, trimmed; none if there is no such line. Never raises."""
        if (delimiter, line) not in self._headers:
            self._headers[delimiter, line] = _cells(self.head_lines[line : line + 1], delimiter)
        return list(self._headers[delimiter, line])

    @cached_property
    def _headers(self) -> dict[tuple[str, int], list[str]]:
        """Those that were asked for: many formats look at the same line."""
        return {}

    @property
    def data(self) -> bytes:
        """All bytes, unpacked."""
        _ = self.hashing
        if not self.packed:
            return self.path.read_bytes()
        try:
            with gzip.open(self.path) as file:
                data = file.read(MAX_UNPACKED)
        except (OSError, EOFError, zlib.error) as error:
            refuse(self, f"is damaged gzip: {error}")
        if len(data) == MAX_UNPACKED:
            refuse(self, f"unpacks to more than {MAX_UNPACKED >> 30} GiB")
        self.__dict__["_end"] = data[-2:]
        return data

    @property
    def ended(self) -> bool:
        """Whether the last line has its end, which a text that was cut off lacks."""
        return self._end.strip(b"\0").endswith((b"\n", b"\r"))

    @cached_property
    def _end(self) -> bytes:
        """The last two bytes; a packed file that was read before need not be unpacked again for them."""
        if self.packed:
            return self.data[-2:]
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - 2))
            return file.read()

    def text(self) -> str:
        """All of it as text. Refused if a byte is no text in the file's encoding."""
        try:
            text = self.data.decode(self.encoding)
        except UnicodeDecodeError as error:
            refuse(self, f"is not {error.encoding} text: {error.reason} at byte {error.start}")
        if "\0" in text[:HEAD_BYTES]:
            refuse(self, "holds zero bytes: it is no text")
        return text.lstrip("\ufeff")

    def json(self) -> Any:
        """Return the JSON document."""
        try:
            return json.loads(self.text(), parse_float=str)
        except (ValueError, RecursionError) as error:  # a number of thousands of digits is no decoding error
            refuse(self, f"is damaged JSON: {error}")

    def xml(self) -> Element:
        """Return the root of the XML document. One that declares entities is refused: no export needs them."""
        from xml.etree import ElementTree

        text = self.data
        if b"<!ENTITY" in text or b"<!DOCTYPE" in text:
            refuse(self, "declares a document type or entities, which no export needs")
        try:
            return ElementTree.fromstring(text)
        except (ElementTree.ParseError, LookupError, ValueError) as error:  # the last two: an encoding that is none
            refuse(self, f"is damaged XML: {error}")

    def rows(self, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
        """Yield (line, cells) of each row of a delimited text, blank ones left out. For small or irregular files."""
        _ = self.hashing
        if "\0" in self.head_text:
            refuse(self, "holds zero bytes: it is no text")
        with io.BytesIO(self.data) if self.packed else self.path.open("rb") as raw:
            # Decoded as it is read: text in memory takes up to four times the room of its bytes.
            text = io.TextIOWrapper(raw, encoding=self.encoding, newline="")
            lines = csv.reader(text, delimiter=delimiter)
            after = 0
            try:
                for cells in lines:
                    if lines.line_num > after + 1 and _swallows(cells, delimiter):
                        refuse_open_quotes(self, delimiter)
                    if any(cells):
                        yield after + 1, cells
                    after = lines.line_num
            except csv.Error as error:
                _open_quotes(self, delimiter).check()
                refuse(self, f"cannot be read as delimited text: {error}", line=lines.line_num)
            except UnicodeDecodeError as error:
                refuse(self, f"is not {error.encoding} text: {error.reason}", line=lines.line_num + 1)

    def source(self) -> Source:
        """Return a Parquet or Arrow file's table."""
        _ = self.hashing
        return read_table(self.path)


def _cells(lines: list[str], delimiter: str) -> list[str]:
    """Return the cells of one line, trimmed; none of what is no line of a table."""
    with contextlib.suppress(csv.Error):
        return [cell.strip() for cell in next(csv.reader(lines, delimiter=delimiter), [])]
    return []


def _beside(job: Callable[[], str]) -> Future[str]:
    """Begin a job in a thread of its own."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(job)
    finally:
        pool.shutdown(wait=False)


def open_file(path: str | os.PathLike[str]) -> File:
    """Open a file. Refused: one that is missing, empty, a folder, or an HTML page (a download that failed)."""
    place = Path(path)
    try:
        with place.open("rb") as file:
            head, state = file.read(HEAD_BYTES), _State.of(file)
    except OSError as error:
        code = "missing_file" if isinstance(error, FileNotFoundError) else "unreadable_file"
        _raise(Finding(code, f"cannot open {place}: {error.strerror or error}", file=str(place)))
    packed = head.startswith(b"\x1f\x8b")
    opened = File(place, _unpacked_head(place) if packed else head, packed, state)
    if not opened.head.strip(b" \r\n\t\xef\xbb\xbf"):
        _raise(Finding("empty_file", f"{place} is empty", file=str(place)))
    if opened.head_text.lstrip()[:200].lower().startswith(_PAGES):
        refuse(opened, "is an HTML page, not data: the download must have failed")
    return opened


def _unpacked_head(place: Path) -> bytes:
    try:
        with gzip.open(place) as file:
            return file.read(HEAD_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        _raise(Finding("unreadable_file", f"{place} is damaged gzip: {error}", file=str(place)))


def _is_western(head: bytes) -> bool:
    """Whether a text has nothing but Western letters. Asked first: accents before ASCII letters are kanji as well."""
    return not head.translate(None, _WESTERN) and not _ELSEWHERE.search(head)


def _is_japanese(head: bytes) -> bool:
    """Whether a text has kanji or kana: any bytes at all can be read as some Shift-JIS."""
    text = head.decode("cp932", "ignore")
    return any("\u3040" <= letter <= "\u30ff" or "\u4e00" <= letter <= "\u9fff" for letter in text)


def refuse(file: File, message: str, code: str = "unreadable_file", **where: Any) -> NoReturn:
    """Refuse a file as a whole; `message` goes on from its name."""
    _raise(Finding(code, f"{file.path.name} {message}", file=file.name, **where))


def _raise(finding: Finding) -> NoReturn:
    raise RefusedError(Findings([finding]))


def require(file: File, have: Iterable[str], *wanted: str) -> None:
    """Refuse a file that lacks columns, naming all that it lacks and those that it has."""
    names = list(have)
    lacking = [name for name in wanted if name not in names]
    if lacking:
        plural = "s" if len(lacking) > 1 else ""
        has = ", ".join(names)[:300]
        refuse(file, f"has no column{plural} {', '.join(lacking)}; it has {has}", "missing_column", column=lacking[0])


def delimiter_of(line: str) -> str:
    """Return the delimiter that a line has most of."""
    return max(DELIMITERS, key=line.count)


@dataclass(frozen=True)
class Table:
    """A delimited text as columns: text (most often as a dictionary), or floats. Row i stands on line `first_line + i`.

    That holds unless a quoted cell spans lines or a blank line stands between rows; no format read this way has them.
    """

    columns: pa.Table
    first_line: int

    def __len__(self) -> int:
        return int(self.columns.num_rows)

    @cached_property
    def lines(self) -> np.ndarray:
        """int32[n]: the line of each row; for all to share."""
        return np.arange(self.first_line, self.first_line + len(self), dtype=np.int32)

    @property
    def names(self) -> list[str]:
        """Column names, trimmed."""
        return list(self.columns.column_names)


def read_csv(
    file: File,
    *,
    delimiter: str = ",",
    skip: int = 0,
    floats: Sequence[str] | None = None,
    decimal_mark: str = ".",
    missing: Sequence[str] = ("",),
    only: Sequence[str] | None = None,
    keep: Sequence[str] | None = None,
) -> Table:
    """Read a regular delimited text whose header is on line `skip` + 1, fast, every cell as text.

    `floats`: the columns to read as float64 instead; if one of their cells is no number (nor in `missing`), all are
    text again, for the caller to name the cell. `only`: the columns to read; `keep`: those of them to return, after a
    look at all. Rows of another length are refused, all.
    """
    import pyarrow as pa

    _ = file.hashing
    names = header_of(file, delimiter, skip)
    require(file, names, *(only or ()))
    lines = lines_of_words(names, delimiter, floats, decimal_mark, missing, only)
    try:
        table = read_lines(content_of(file), skip + 1, lines, keep)
    except pa.ArrowInvalid as error:
        if "CSV parse error" in str(error):
            _refuse_ragged(file, len(names), delimiter, skip)
        if floats:
            return read_csv(file, delimiter=delimiter, skip=skip, only=only, keep=keep)
        refuse(file, f"cannot be read as delimited text: {BLOCK_ROW.sub('', str(error))}")
    except OpenQuoteError:
        refuse_open_quotes(file, delimiter)
    except UnicodeDecodeError as error:
        refuse(file, f"is not {error.encoding} text: {error.reason} at byte {error.start}")
    if not table.num_rows:
        refuse(file, "has a header, but no rows", "empty_file")
    return Table(table, skip + 2)


def content_of(file: File) -> Content:
    """Return what Arrow reads: the mapped file where it is plain UTF-8, else its text, mapped too if it is long."""
    if file.packed or file.encoding not in {"utf-8", "utf-8-sig"}:
        return _laid_down(file.text().encode())
    content = mapped(file.path)
    if content.find(b"\0") >= 0:
        refuse(file, ZEROS)
    release(content, 0, len(content))
    return content


def _laid_down(text: bytes) -> Content:
    """Return a long text as a mapped file without a name, of which no more is in memory than is being read."""
    if len(text) < LONG_BYTES:
        return text
    try:
        with tempfile.TemporaryFile() as place:
            place.write(text)
            place.flush()
            return mmap.mmap(place.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError:  # no room for it, or nowhere to write
        return text


def header_of(file: File, delimiter: str, skip: int) -> list[str]:
    """Return the names of all columns, trimmed, out of line `skip` + 1. Refused: no such line, and one name twice."""
    lines = file.head_lines
    if len(lines) <= skip:
        refuse(file, f"ends before its header on line {skip + 1}")
    cells = next(csv.reader([lines[skip]], delimiter=delimiter), [])
    names = [cell.strip() for cell in cells]
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        refuse(file, f"has two columns named {', '.join(doubled)}", "ambiguous_column")
    return [name or f"column {at}" for at, name in enumerate(names, start=1)]


def _swallows(cells: Sequence[str], delimiter: str) -> bool:
    """Whether a cell of several lines has the delimiters of a whole row: then it is no text, but rows after a quote."""
    return any(cell.count(delimiter) >= max(len(cells) - 1, 1) for cell in cells if "\n" in cell or "\r" in cell)


def refuse_open_quotes(file: File, delimiter: str) -> NoReturn:
    """Say on which lines a quote opens a cell that does not end there: rows after it would be lost in that cell."""
    _open_quotes(file, delimiter).check()
    refuse(file, f"has rows of several lines: {_OPEN_QUOTE}", "malformed_row")


def _open_quotes(file: File, delimiter: str) -> Findings:
    findings = Findings()
    text = io.StringIO(file.data.decode(file.encoding, "replace"), newline=None)
    for line, cells in enumerate(text, start=1):
        row = next(csv.reader([f"{cells.rstrip()}\n"], delimiter=delimiter), []) if '"' in cells else []
        if row and row[-1].endswith("\n"):
            where = {"file": file.name, "line": line, "value": row[-1].strip()[:60]}
            findings.add("malformed_row", _OPEN_QUOTE, **where)
    return findings


def _refuse_ragged(file: File, wanted: int, delimiter: str, skip: int) -> NoReturn:
    """Say which lines have another number of cells: Arrow's reader stops at the first."""
    findings = Findings()
    for line, cells in file.rows(delimiter):
        if line > skip + 1 and len(cells) != wanted:
            findings.add("malformed_row", f"expected {wanted} cells, found {len(cells)}", file=file.name, line=line)
    if not len(findings):
        refuse(file, f"has rows without {wanted} cells", "malformed_row")
    raise RefusedError(findings)
