"""Workbooks (xlsx): what words they have, without any library; their sheets as tables of text, with openpyxl.

A workbook is a zip of XML, so telling its format needs none of it to be parsed.
"""

from __future__ import annotations

import html
import importlib
import re
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

from gcr_fast.findings import RefusedError
from gcr_fast.sources.files import HEAD_BYTES, MAX_UNPACKED, File, Table, refuse
from gcr_fast.sources.streamed import text_columns

EXTRA = "xlsx"
_LOOKED_AT = re.compile(r"^xl/(?:sharedStrings|workbook|worksheets/sheet\d+)\.xml$")
_TITLES = 30
"""Rows in which the header of a table may stand."""


def words(file: File) -> str:
    """Return the beginning of a workbook's parts that have words: names of sheets, texts of cells. Never raises."""
    found = []
    try:
        with zipfile.ZipFile(file.path) as parts:
            for name in filter(_LOOKED_AT.match, parts.namelist()):
                with parts.open(name) as part:
                    found.append(part.read(HEAD_BYTES).decode("utf-8", "ignore"))
    except (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return ""
    return "\n".join(found)


def has_cells(text: str, *cells: str) -> bool:
    """Whether every one of these texts is a whole cell of a workbook whose `words` are `text`."""
    return all(re.search(rf">\s*{re.escape(cell)}\s*<", text) for cell in cells)


def texts(file: File) -> set[str]:
    """Return the whole cells of text at the beginning of a workbook's parts, trimmed. Never raises."""
    return {html.unescape(cell).strip() for cell in re.findall(r">([^<>]+)<", words(file))}


Header = Callable[[Collection[str]], bool]
"""Whether a row of cells, trimmed, is the header of a table."""


def sheets(file: File, needed: Collection[str] | Header) -> Iterator[tuple[str, Table | None]]:
    """Yield (name, table) of each sheet; the table begins under the first row that has all `needed` cells, else None.

    Cells are text: numbers as their shortest decimals, dates like 2023-01-31 00:00:00, times of day like 23:45.
    """
    is_header = needed if callable(needed) else set(needed).issubset
    for name, rows in cells(file):
        yield name, _table(file, rows, is_header)


def cells(file: File) -> Iterator[tuple[str, Iterator[Sequence[Any]]]]:
    """Yield (name, rows) of each sheet, cells as the workbook holds them: None, text, numbers, dates and times."""
    openpyxl = _openpyxl(file)
    _check_size(file)
    with _damage_told(file):
        book = openpyxl.load_workbook(file.path, read_only=True, data_only=True)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # a sheet that was written as a stream may say that it has one cell
            yield sheet.title, _cells_of(file, sheet)
        book.close()


def _cells_of(file: File, sheet: Any) -> Iterator[Sequence[Any]]:
    with _damage_told(file):
        yield from sheet.iter_rows(values_only=True)


@contextmanager
def _damage_told(file: File) -> Iterator[None]:
    """Refuse a workbook for whatever a damaged archive, or the XML within it, makes of openpyxl."""
    try:
        yield
    except RefusedError:
        raise
    except Exception as error:
        refuse(file, f"is a damaged workbook: {type(error).__name__}: {error}")


def _openpyxl(file: File) -> Any:
    try:
        return importlib.import_module("openpyxl")
    except ImportError:
        refuse(file, f"is a workbook: reading it needs openpyxl (pip install 'gcr_fast[{EXTRA}]'), or save it as CSV")


def _check_size(file: File) -> None:
    try:
        with zipfile.ZipFile(file.path) as parts:
            size = sum(part.file_size for part in parts.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        refuse(file, f"is a damaged workbook: {error}")
    if size > MAX_UNPACKED:
        refuse(file, f"unpacks to more than {MAX_UNPACKED >> 30} GiB")


def _table(file: File, rows: Iterator[Sequence[Any]], is_header: Header) -> Table | None:
    import pyarrow as pa

    header: list[str] = []
    for line, cells in enumerate(rows, start=1):
        header = ["" if cell is None else str(_text(cell)).strip() for cell in cells]
        if is_header(header):
            break
        if line >= _TITLES:
            return None
    else:
        return None
    used = [at for at, name in enumerate(header) if name]
    doubled = sorted({header[at] for at in used if header.count(header[at]) > 1})
    if doubled:
        refuse(file, f"has two columns named {', '.join(doubled)}", "ambiguous_column", line=line)
    columns, _ = text_columns(_rows(rows, {header[at]: at for at in used}))
    none = pa.chunked_array([], pa.string())
    return Table(pa.table({header[at]: columns.get(header[at], none) for at in used}), line + 1)


def _rows(rows: Iterator[Sequence[Any]], used: Mapping[str, int]) -> Iterator[dict[str, str | None]]:
    """Tell the rows by the names of their columns, as text, without the empty ones at the end of a sheet."""
    empty = 0
    for cells in rows:
        texts = [_text(cell) for cell in cells]
        if not any(texts):
            empty += 1
            continue
        yield from (dict[str, str | None].fromkeys(used) for _ in range(empty))
        empty = 0
        # A sheet's rows may be cut off behind their last cell that is not empty.
        yield {name: texts[at] if at < len(texts) else None for name, at in used.items()}


def _text(cell: Any) -> str | None:
    """Return a cell as text; midnight after the last hour, which spreadsheets count as a day, is 24:00."""
    if cell is None or isinstance(cell, str):
        return cell or None
    if isinstance(cell, datetime):
        rounded = cell + timedelta(milliseconds=500)
        return rounded.strftime("%Y-%m-%d %H:%M:%S") if cell.year > 1900 else "24:00"
    if isinstance(cell, date):
        return f"{cell.isoformat()} 00:00:00"
    if isinstance(cell, time):
        return cell.strftime("%H:%M")
    if isinstance(cell, timedelta):
        minutes = round(cell.total_seconds() / 60)
        return f"{minutes // 60}:{minutes % 60:02d}"
    return repr(cell)
