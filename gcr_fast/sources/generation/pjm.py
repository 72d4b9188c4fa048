"""PJM Data Miner, generation by fuel type: the download as CSV, and the answer of its API as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.sources.cells import MEGA, numbers, report
from gcr_fast.sources.clock import HOUR_S, parse_best
from gcr_fast.sources.documents import column, documents, member
from gcr_fast.sources.files import File, read_csv, refuse
from gcr_fast.sources.long import long, of_kind, series_keys
from gcr_fast.sources.model import Format, How, Page, Readings
from gcr_fast.sources.pieces import IrregularError, texts
from gcr_fast.sources.streamed import Rows, parts, text_columns

if TYPE_CHECKING:
    import pyarrow as pa

AREA, ZONE = "PJM", "America/New_York"
BEGIN, FUEL, VALUE = "datetime_beginning_utc", "fuel_type", "mw"
_NEEDED = (BEGIN, FUEL, VALUE)
_REASONS = {
    "fuel_percentage_of_total": "a share",
    "is_renewable": "no energy",
    "datetime_beginning_ept": "names two hours alike when clocks go back: the UTC time is taken",
}


def detect(file: File) -> bool:
    """Whether the columns, or the keys of the API's items, are time in UTC, fuel and MW."""
    if file.kind == "csv":
        return set(_NEEDED) <= set(file.header())
    head = file.head_text if file.kind == "json" else ""
    return '"items"' in head and all(f'"{name}"' in head for name in _NEEDED)


def read(file: File, how: How) -> Readings:
    """Read either form. Whether all of an answer of the API is here is for `pages.check`."""
    readings = Readings(file, FORMAT.name, zone=ZONE, attribution="PJM Interconnection, Data Miner 2")
    (_csv if file.kind == "csv" else _api)(readings)
    return readings


def _csv(readings: Readings) -> None:
    names = readings.file.header()
    lacking = [name for name in _NEEDED if name not in names]
    if lacking:
        refuse(readings.file, f"has no column {', '.join(lacking)}", "missing_column", column=lacking[0])
    table = read_csv(readings.file, floats=[VALUE], only=list(_NEEDED))
    readings.left_out |= {name: _REASONS.get(name, "not known") for name in names if name not in _NEEDED}
    begin, fuel, value = (table.columns[name] for name in _NEEDED)
    _add(readings, begin, fuel, value, table.lines)


def _api(readings: Readings) -> None:
    file, pages = readings.file, list[Page]()
    try:
        columns, count = text_columns(_items(file, pages))
    except IrregularError:
        columns, count, pages = _items_at_once(file)
    if not count:
        refuse(file, "is an answer without items", "empty_file")
    readings.pages += tuple(pages)
    begin, fuel, value = (columns[name] for name in _NEEDED)
    _add(readings, begin, fuel, value, np.arange(1, count + 1, dtype=np.int32))


def _items(file: File, pages: list[Page]) -> Iterator[dict[str, Any]]:
    """Tell the items as they are read, and add each answer to `pages`."""
    for item, document in parts(texts(file), "items"):
        if item is not None:
            try:
                yield {name: item[name] for name in _NEEDED}
            except KeyError:
                raise IrregularError from None
        elif document is not None:
            if not isinstance(rows := document.get("items"), Rows):
                raise IrregularError
            pages.append(_page(document, rows.count))


def _items_at_once(file: File) -> tuple[dict[str, pa.Array], int, list[Page]]:
    """Return the columns, how many items there are, and the answers. Refused: a file in which something is missing."""
    items, pages = list[Any](), list[Page]()
    for document in documents(file):
        some = member(file, document, "items", list)
        pages.append(_page(document, len(some)))
        items += some
    return {name: column(file, items, name, "items") for name in _NEEDED}, len(items), pages


def _page(document: dict[str, Any], rows: int) -> Page:
    """Return which part of its answer a document is; its first row is 1."""
    asked = document.get("searchSpecification")
    asked = asked if isinstance(asked, dict) else {}
    total, first = str(document.get("totalRows", "")), str(asked.get("startRow", ""))
    return Page(
        request=json.dumps([asked.get("filters"), asked.get("order")], sort_keys=True),
        first=int(first) - 1 if first.isdecimal() else -1,
        rows=rows,
        total=int(total) if total.isdecimal() else rows,
    )


def _add(
    readings: Readings,
    begin: pa.ChunkedArray | pa.Array,
    fuel: pa.ChunkedArray | pa.Array,
    value: pa.ChunkedArray | pa.Array,
    lines: np.ndarray,
) -> None:
    readings.rows = len(lines)
    # Downloads write times as in America, the API as in ISO 8601, without saying that they are UTC.
    times = parse_best(begin, "%m/%d/%Y %I:%M:%S %p", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ")
    what = "is no time such as 9/30/2024 8:00:00 AM or 2024-09-30T08:00:00"
    report(readings.findings, readings.file, times.bad, lines, BEGIN, begin, what)
    found = numbers(value, MEGA)
    report(readings.findings, readings.file, found.bad, lines, VALUE, value, "is not a number")
    readings.findings.check()
    key, words = series_keys([fuel])
    long(readings, key, words, of_kind(AREA), times.seconds, found, lines, power=True, interval_s=HOUR_S)


FORMAT = Format(
    name="pjm",
    title="PJM Data Miner 2, generation by fuel type",
    looks_like='datetime_beginning_utc,...,fuel_type,mw,... or {"items": [{"datetime_beginning_utc"...',
    quirks=(
        "MW, the mean of the hour that begins at the UTC time; the year is that of New York",
        "downloads write 9/30/2024 8:00:00 AM, month first; the API writes 2024-09-30T08:00:00 and means UTC",
        "storage is kept apart; multiple fuels and other renewables are kinds of their own",
        "the API answers in pages: files that lack rows of its total are refused",
    ),
    detect=detect,
    read=read,
)
