"""EIA API v2, electricity/rto: fuel-type-data and region-data, as JSON, in pages of at most 5,000 rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from gcr_fast.columns import as_text, encode, encode_text, one_array
from gcr_fast.sources.cells import MEGA, numbers, report
from gcr_fast.sources.clock import HOUR_S, Labels, parse_labels
from gcr_fast.sources.documents import column, documents, member
from gcr_fast.sources.files import File, refuse
from gcr_fast.sources.generation.eia import ATTRIBUTION, HYDRO_WITH_PUMPS, fuel, zone_of
from gcr_fast.sources.long import Words, long, series_keys
from gcr_fast.sources.model import Format, How, Page, Readings
from gcr_fast.sources.pieces import IrregularError, texts
from gcr_fast.sources.streamed import Rows, parts, text_columns
from gcr_fast.sources.wide import Column
from gcr_fast.sources.words import KINDS

if TYPE_CHECKING:
    import pyarrow as pa

Cells: TypeAlias = "pa.ChunkedArray | pa.Array"
UNIT, MWH = "value-units", "megawatthours"
APART_S = 1_719_820_800
"""2024-07-01T08:00Z, by when it is July in every area: from July 2024 on, pumped storage is no part of WAT."""
SUMS = frozenset(["US48", "CAL", "CAR", "CENT", "FLA", "MIDA", "MIDW", "NE", "NW", "NY", "SE", "SW", "TEN", "TEX"])
"""Respondents that are sums of others: regions, and the lower 48 states."""

_ROW = re.compile(r'"respondent"\s*:\s*"')
_TYPE = re.compile(r'"(?:fueltype|type)"\s*:\s*"')
_REGION = {"D": KINDS["load"], "TI": KINDS["exchange"]}
_REASONS = {"DF": "a forecast", "NG": "the sum of the fuels"}
_PUMPED = "with pumped storage"
_PAGE_ONLY = frozenset({"offset", "length", "api_key"})


def detect(file: File) -> bool:
    """Whether it is JSON with the API's envelope, whose rows have a respondent and a type."""
    head = file.head_text if file.kind == "json" else ""
    return '"response"' in head and bool(_ROW.search(head)) and bool(_TYPE.search(head))


def read(file: File, how: How) -> Readings:
    """Read one page or several, in one document or several. Whether all of an answer is here is for `pages.check`."""
    readings = Readings(file, FORMAT.name, attribution=ATTRIBUTION)
    found, by_fuel = _columns(readings)
    if not readings.rows:
        refuse(file, "is an answer without rows", "empty_file")
    _add(readings, found, by_fuel)
    return readings


def _columns(readings: Readings) -> tuple[dict[str, Cells], bool]:
    """Return what rows have under the needed names, and whether they are by fuel; count the rows and their pages."""
    file, pages = readings.file, list[Page]()
    rows = _rows(file, pages)
    try:
        first = next(rows, {})
        by_fuel = "fueltype" in first
        columns, readings.rows = text_columns(
            _needed(_names(by_fuel), row) for row in chain([first] if first else [], rows)
        )
    except IrregularError:
        return _columns_at_once(readings)
    readings.pages += tuple(pages)
    return columns, by_fuel


def _rows(file: File, pages: list[Page]) -> Iterator[dict[str, Any]]:
    """Tell the rows as they are read, and add each answer to `pages`."""
    for row, document in parts(texts(file), "response", "data"):
        if row is not None:
            yield row
        elif document is not None:
            answer = document.get("response")
            if not isinstance(answer, dict) or not isinstance(data := answer.get("data"), Rows):
                raise IrregularError
            pages.append(_page(document, answer, data.count))


def _needed(names: Sequence[str], row: dict[str, Any]) -> dict[str, Any]:
    """Return the cells that are needed. Only older answers name no unit."""
    try:
        return {UNIT: row.get(UNIT, MWH), **{name: row[name] for name in names}}
    except KeyError:
        raise IrregularError from None


def _names(by_fuel: bool) -> tuple[str, str, str, str]:
    return "period", "respondent", "fueltype" if by_fuel else "type", "value"


def _columns_at_once(readings: Readings) -> tuple[dict[str, Cells], bool]:
    """Return the same of a file with something out of the ordinary. Refused: one in which something is missing."""
    import pyarrow as pa

    file, rows = readings.file, list[Any]()
    for document in documents(file):
        answer = member(file, document, "response", dict)
        data = member(file, answer, "data", list, "the response")
        readings.pages += (_page(document, answer, len(data)),)
        rows += data
    readings.rows = len(rows)
    by_fuel = bool(rows) and isinstance(rows[0], dict) and "fueltype" in rows[0]
    columns: dict[str, Cells] = {name: column(file, rows, name, "data") for name in _names(by_fuel) if rows}
    units = [row.get(UNIT, MWH) for row in rows]
    return columns | {UNIT: pa.array([None if unit is None else str(unit) for unit in units], pa.string())}, by_fuel


def _page(document: dict[str, Any], answer: dict[str, Any], rows: int) -> Page:
    """Return which part of its answer a document is; the total is a number or its text, and absent in old answers."""
    request = document.get("request")
    params = request.get("params") if isinstance(request, dict) else None
    asked = params if isinstance(params, dict) else {}
    same = {key: value for key, value in asked.items() if key not in _PAGE_ONLY}
    total, first = str(answer.get("total", "")), str(asked.get("offset", ""))
    return Page(
        request=json.dumps(same, sort_keys=True),
        first=int(first) if first.isdecimal() else -1,
        rows=rows,
        total=int(total) if total.isdecimal() else rows,
    )


class _Clock(NamedTuple):
    starts: np.ndarray
    """UTC begin of each hour."""
    local: np.ndarray | None
    """Wall-clock begin, where times have an offset."""


def _add(readings: Readings, columns: dict[str, Cells], by_fuel: bool) -> None:
    file, lines = readings.file, np.arange(1, readings.rows + 1, dtype=np.int32)
    names = _names(by_fuel)
    period, area, code, value = (columns[name] for name in names)
    clock = _clock(readings, period, lines)
    for name, cells in (("respondent", area), (names[2], code)):
        empty = one_array(cells).is_null().to_numpy(zero_copy_only=False)
        report(readings.findings, file, empty, lines, name, None, "is empty")
    found = numbers(value, MEGA)
    report(readings.findings, file, found.bad, lines, "value", value, "is not a number")
    _check_units(readings, columns[UNIT], lines)
    readings.findings.check()
    key, words = series_keys([area, code, _eras(code, clock.starts) if by_fuel else code])
    describe = _of_fuel if by_fuel else _of_region
    long(readings, key, words, describe, clock.starts, found, lines, power=False, interval_s=HOUR_S)
    _say_sums(readings)
    _set_zone(readings, area, clock)


def _clock(readings: Readings, period: Cells, lines: np.ndarray) -> _Clock:
    """Read hours that end at the time named: in UTC, or with `frequency=local-hourly` at the offset that they name."""
    utc = parse_labels(period, "%Y-%m-%dT%H")
    if not utc.bad.any():
        return _Clock(utc.seconds - HOUR_S, None)
    import pyarrow.compute as pc

    text = as_text(one_array(period))
    # An offset such as -05 has no minutes, which the layout wants: they are put behind it.
    aware = parse_labels(pc.replace_substring_regex(text, r"([+-]\d{2})$", r"\1:00"), "%Y-%m-%dT%H%z")
    wall = parse_labels(pc.replace_substring_regex(text, r"[+-]\d{2}(:\d{2})?$", ""), "%Y-%m-%dT%H")
    best: Labels = min((utc, aware), key=lambda labels: int(labels.bad.sum()))
    what = "is no hour such as 2023-01-31T23 or 2023-01-31T23-05"
    report(readings.findings, readings.file, best.bad, lines, "period", text, what)
    return _Clock(best.seconds - HOUR_S, wall.seconds - HOUR_S if best is aware else None)


def _check_units(readings: Readings, unit: Cells, lines: np.ndarray) -> None:
    """Refuse rows in another unit than megawatt hours; older answers name none."""
    codes, units = encode_text(unit)
    other = np.append(np.array([one != MWH for one in units], dtype=bool), True)[codes]
    report(readings.findings, readings.file, other, lines, UNIT, None, "is not megawatthours")


def _eras(code: Cells, starts: np.ndarray) -> pa.Array:
    """Return a word for hours in which WAT is a sum with pumped storage, else an empty one; the first stands first."""
    import pyarrow as pa

    codes, words = encode_text(code)
    water = np.append(np.array([word == "WAT" for word in words], dtype=bool), False)[codes]
    summed = water & (starts < APART_S)
    words = ["", _PUMPED] if not summed[0] else [_PUMPED, ""]
    return pa.DictionaryArray.from_arrays((summed != summed[0]).astype(np.int32), pa.array(words))


def _of_fuel(words: Words) -> Column | str:
    area, code, era = words
    kind = HYDRO_WITH_PUMPS if era else fuel(code)
    return Column(kind, area) if kind else "not known"


def _of_region(words: Words) -> Column | str:
    area, code, _ = words
    kind = _REGION.get(code)
    return Column(kind, area) if kind else _REASONS.get(code, "not known")


def _say_sums(readings: Readings) -> None:
    """Say which areas are sums of others: adding all areas would count these twice."""
    areas = {one.area for one in readings.series}
    sums = sorted(areas & SUMS)
    if sums and areas - SUMS:
        readings.notes[", ".join(sums)] = "sums of other areas of this file: not to be added to them"


def _set_zone(readings: Readings, area: pa.Array, clock: _Clock) -> None:
    """Give each series the zone of its area's offsets, so that a year is that of the place."""
    if clock.local is None:
        return
    codes, areas = encode(area)
    of_area = ((str(name).strip(), np.flatnonzero(codes == code)) for code, name in enumerate(areas))
    zones = {name: zone_of(clock.local[rows], clock.starts[rows])[0] for name, rows in of_area}
    readings.series = [replace(one, zone=zones[one.area]) for one in readings.series]


FORMAT = Format(
    name="eia930-api",
    title="EIA API v2, hourly electric grid monitor (electricity/rto)",
    looks_like='{"response": {"total": ..., "data": [{"period": "2023-01-01T00", "respondent": "PJM", ...}]}}',
    quirks=(
        "the time is the end of the hour: in UTC, or local with its offset (frequency=local-hourly)",
        "values are MWh, as numbers or text; null is a gap",
        "an answer comes in pages of 5,000 rows: files that lack rows of its total are refused",
        "each respondent is an area of its own; sums such as US48 stand beside their parts, and are named",
        "until June 2024 WAT is a sum with pumped storage, which is not taken for hydro",
        "demand is load, interchange is trade; forecasts and total net generation are left out",
    ),
    detect=detect,
    read=read,
)
