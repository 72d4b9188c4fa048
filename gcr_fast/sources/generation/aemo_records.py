"""AEMO's files of records: C is a comment, I says what the columns of a table are, D is a row of it."""

from __future__ import annotations

import contextlib
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from gcr_fast.findings import Findings
from gcr_fast.sources.delimited import (
    BLOCK_ROW,
    Content,
    Lines,
    OpenQuoteError,
    blocks_of,
    each_block,
    feeds,
    read_lines,
)
from gcr_fast.sources.files import ZEROS, File, content_of, refuse, refuse_open_quotes

if TYPE_CHECKING:
    import pyarrow as pa

LEAD = ("RECORD", "SET", "TABLE", "VERSION")
"""What the first cells of each record are."""
_END = re.compile(rb'^C,"?END OF REPORT"?,"?(\d+)')


@dataclass(frozen=True)
class Records:
    """The D records of one table that stand together."""

    name: str
    """Data set and table: `DISPATCH UNIT_SCADA`."""
    names: tuple[str, ...]
    """Columns in capitals; empty if no I record said them."""
    content: Content
    """The whole file."""
    first: int
    last: int
    """Where in it they begin and end."""
    first_line: int


def sections(file: File) -> Iterator[Records]:
    """Yield the tables of a file, in order. Refused: a file that was cut off, as its last record would tell."""
    raw = _content(file)
    _check_end(file, raw)
    marks = sorted({0, len(raw), *_places(raw, b"I,"), *_places(raw, b"C,")})
    line = 1
    for at, until in pairwise(marks):
        stop = raw.find(b"\n", at, until) + 1 or until
        cells = _cells(raw[at:stop])
        begin = at if cells[0] == "D" else stop  # without an I record, rows begin at once
        if raw[begin : min(begin + 64, until)].strip():
            names = tuple(cells[len(LEAD) :]) if cells[0] == "I" else ()
            yield Records(" ".join(cells[1:3]), names, raw, begin, until, line + (begin > at))
        line += _feeds(raw, at, until)


def _content(file: File) -> Content:
    """Return all bytes as UTF-8 text, mapped where the file is that as it lies. Refused: zero bytes."""
    _ = file.hashing
    if file.encoding == "utf-8" and not file.packed:
        return content_of(file)
    raw = file.data if file.encoding == "utf-8" else file.text().encode()
    if b"\0" in raw:
        refuse(file, ZEROS)
    return raw


def _feeds(raw: Content, first: int, last: int) -> int:
    """Count line feeds."""
    return sum(each_block(raw, blocks_of(raw, 0, first, last), lambda _, text: feeds(text)))


def _places(raw: Content, letters: bytes) -> list[int]:
    """Return where lines begin with these letters."""
    places = [0] if raw[: len(letters)] == letters else []
    at = raw.find(b"\n" + letters)
    while at >= 0:
        places.append(at + 1)
        at = raw.find(b"\n" + letters, at + 1)
    return places


def _cells(line: bytes) -> list[str]:
    """Return the cells of one record, in capitals."""
    text = line.decode("utf-8", "replace").strip()
    with contextlib.suppress(csv.Error):
        cells = next(csv.reader(text.splitlines()[:1]), [])
        return [cell.strip().upper() for cell in cells] or [""]
    return [""]


def _check_end(file: File, raw: Content) -> None:
    """A file that begins with its C record ends with another, which has the number of its lines."""
    if raw[:2] != b"C,":
        return
    end = _END.match(raw[-4096:].rstrip().rpartition(b"\n")[2])
    if end is None:
        refuse(file, "is cut off: it does not end with the record END OF REPORT")
    have = _feeds(raw, 0, len(raw)) + (raw[-1:] != b"\n")
    if int(end[1]) > have:
        refuse(file, f"is cut off: its last record speaks of {int(end[1])} lines, but there are {have}")


def records_table(file: File, records: Records, names: Sequence[str], numbers: Sequence[str]) -> pa.Table:
    """Return the columns of a table as text, `numbers` as floats where all of them are.

    `names` are its columns if no I record said them. Records of another length or table are refused, all of them.
    """
    import pyarrow as pa
    from pyarrow import csv as pacsv

    columns = [*LEAD, *(records.names or _cut(names, records))]
    words = pa.dictionary(pa.int32(), pa.string())
    kinds = dict.fromkeys(columns, words) | dict.fromkeys(numbers, pa.float64())
    convert = pacsv.ConvertOptions(column_types=kinds, strings_can_be_null=True, null_values=[""])
    lines = Lines(columns, pacsv.ParseOptions(), convert)
    try:
        return read_lines(records.content, 0, lines, first=records.first, end=records.last)
    except OpenQuoteError:
        refuse_open_quotes(file, ",")
    except pa.ArrowInvalid as error:
        if "CSV parse error" in str(error):
            _refuse_ragged(file, records, len(columns))
        if numbers:
            return records_table(file, records, names, ())
        refuse(file, f"cannot be read as records: {BLOCK_ROW.sub('', str(error))}")


def _refuse_ragged(file: File, records: Records, wanted: int) -> None:
    """Refuse records of another length, all of them."""
    findings = Findings()
    lines = records.content[records.first : records.last].decode("utf-8", "replace").split("\n")
    for line, text in enumerate(lines, start=records.first_line):
        cells = len(next(csv.reader([text.replace("\r", "")]), []))
        if cells not in (0, wanted):
            what = f"expected {wanted} cells, found {cells}"
            findings.add("malformed_row", what, file=file.name, line=line)
    findings.check()


def _cut(names: Sequence[str], records: Records) -> list[str]:
    """Return as many of the usual columns as the first record has cells."""
    head = records.content[records.first : min(records.first + 4096, records.last)]
    cells = len(_cells(head.partition(b"\n")[0])) - len(LEAD)
    return [*names[:cells], *(f"column {at}" for at in range(len(names), cells))]
