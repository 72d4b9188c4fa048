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
from gcr_fast.sources.files import ZEROS, File, refuse

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
    block: memoryview
    """Their bytes, not copied."""
    first_line: int


def sections(file: File) -> Iterator[Records]:
    """Yield the tables of a file, in order. Refused: a file that was cut off, as its last record would tell."""
    raw = file.data if file.encoding == "utf-8" else file.text().encode()
    if b"\0" in raw:
        refuse(file, ZEROS)
    view = memoryview(raw)
    _check_end(file, raw)
    marks = sorted({0, len(raw), *_places(raw, b"I,"), *_places(raw, b"C,")})
    line = 1
    for at, until in pairwise(marks):
        stop = raw.find(b"\n", at, until) + 1 or until
        cells = _cells(raw[at:stop])
        begin = at if cells[0] == "D" else stop  # without an I record, rows begin at once
        if raw[begin : min(begin + 64, until)].strip():
            names = tuple(cells[len(LEAD) :]) if cells[0] == "I" else ()
            yield Records(" ".join(cells[1:3]), names, view[begin:until], line + (begin > at))
        line += raw.count(b"\n", at, until)


def _places(raw: bytes, letters: bytes) -> list[int]:
    """Return where lines begin with these letters."""
    places = [0] if raw.startswith(letters) else []
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


def _check_end(file: File, raw: bytes) -> None:
    """A file that begins with its C record ends with another, which has the number of its lines."""
    if not raw.startswith(b"C,"):
        return
    end = _END.match(raw[-4096:].rstrip().rpartition(b"\n")[2])
    if end is None:
        refuse(file, "is cut off: it does not end with the record END OF REPORT")
    have = raw.count(b"\n") + (not raw.endswith(b"\n"))
    if int(end[1]) > have:
        refuse(file, f"is cut off: its last record speaks of {int(end[1])} lines, but there are {have}")


def records_table(file: File, records: Records, names: Sequence[str], numbers: Sequence[str]) -> pa.Table:
    """Return the columns of a table as text, `numbers` as floats where all of them are.

    `names` are its columns if no I record said them. Records of another length or table are refused, all of them.
    """
    import pyarrow as pa
    from pyarrow import csv as pacsv

    columns = [*LEAD, *(records.names or _cut(names, records.block))]
    kinds = dict.fromkeys(columns, pa.string()) | dict.fromkeys(numbers, pa.float64())
    read = pacsv.ReadOptions(column_names=columns, use_threads=False)
    convert = pacsv.ConvertOptions(column_types=kinds, strings_can_be_null=True, null_values=[""])
    try:
        return pacsv.read_csv(pa.py_buffer(records.block), read, convert_options=convert)
    except pa.ArrowInvalid as error:
        if "CSV parse error" in str(error):
            _refuse_ragged(file, records, len(columns))
        if numbers:
            return records_table(file, records, names, ())
        refuse(file, f"cannot be read as records: {error}")


def _refuse_ragged(file: File, records: Records, wanted: int) -> None:
    """Refuse records of another length, all of them."""
    findings = Findings()
    lines = bytes(records.block).decode("utf-8", "replace").split("\n")
    for line, text in enumerate(lines, start=records.first_line):
        cells = len(next(csv.reader([text.replace("\r", "")]), []))
        if cells not in (0, wanted):
            what = f"expected {wanted} cells, found {cells}"
            findings.add("malformed_row", what, file=file.name, line=line)
    findings.check()


def _cut(names: Sequence[str], block: memoryview) -> list[str]:
    """Return as many of the usual columns as the first record has cells."""
    cells = len(_cells(bytes(block[:4096]).partition(b"\n")[0])) - len(LEAD)
    return [*names[:cells], *(f"column {at}" for at in range(len(names), cells))]
