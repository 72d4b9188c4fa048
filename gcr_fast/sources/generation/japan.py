"""Japan's areas, demand and supply results: Shift-JIS, the unit above the header, the day on its first row only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcr_fast.columns import encode_text
from gcr_fast.sources.cells import ENGLISH, Numbers, report
from gcr_fast.sources.devices import only_area
from gcr_fast.sources.figures import read_figures
from gcr_fast.sources.files import File, Table, read_csv, refuse
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.portions import PORTION, labels_of
from gcr_fast.sources.wide import Column, Layout, step_of, wide
from gcr_fast.sources.words import KINDS, Kind

if TYPE_CHECKING:
    import pyarrow as pa

ZONE, ZONE_S = "Asia/Tokyo", 9 * 3600
_DAYS = ("月日", "日付", "年月日", "DATE")
_TIMES = frozenset({"時刻", "時間", "TIME"})
_UNIT = re.compile(r"単位\s*[\[［(（](?P<unit>MWh|万kWh|MW平均)[\]］)）]")


class _Unit(NamedTuple):
    digits: int
    power: bool


_UNITS = {"MWh": _Unit(6, power=False), "万kWh": _Unit(7, power=False), "MW平均": _Unit(6, power=True)}
_FUELS = {
    "原子力": KINDS["nuclear"],
    "火力": KINDS["fossil"],
    "火力(LNG)": KINDS["fossil_gas"],
    "火力(石炭)": KINDS["fossil_coal"],
    "火力(石油)": KINDS["fossil_oil"],
    "火力(その他)": Kind("fossil_other", "fossil", "generation"),
    "水力": KINDS["hydro"],
    "地熱": KINDS["geothermal"],
    "バイオマス": KINDS["biomass"],
    "太陽光": KINDS["solar"],
    "風力": KINDS["wind"],
    "揚水": KINDS["hydro_pumped_storage"],
    "蓄電池": KINDS["battery_storage"],
    "連系線": KINDS["exchange"],
    "その他": KINDS["other"],
}
_WIDTHS = str.maketrans("（）［］　", "()[] ")


def _header_line(file: File) -> int | None:
    """Return which of the first lines is the header: it begins with a day and a time."""
    for line in range(min(10, len(file.head_lines))):
        if not file.head_lines[line].lstrip().lstrip('"').lstrip().startswith(_DAYS):
            continue  # a line is not parted for nothing
        names = file.header(line=line)
        if len(names) > 3 and names[0] in _DAYS and names[1] in _TIMES:
            return line
    return None


def _unit(file: File, header: int) -> _Unit | None:
    found = _UNIT.search("\n".join(file.head_lines[: header + 1]))
    return _UNITS[found["unit"]] if found else None


def detect(file: File) -> bool:
    """Whether the header has a day, a time and an area's demand in Japanese."""
    header = _header_line(file) if file.kind == "csv" else None
    return header is not None and any("エリア需要" in name for name in file.header(line=header))


def read(file: File, how: How) -> Readings:
    """Read MWh (or mean MW) by fuel. What was curtailed and sums are left out; the area is what `how.areas` says."""
    header = _header_line(file)
    if header is None:
        refuse(file, "has no header that begins with 月日,時刻 or DATE,TIME", "missing_column")
    unit = _unit(file, header)
    if unit is None:
        refuse(file, "does not say its unit above the header: 単位[MWh], 単位[万kWh] or 単位[MW平均]", "missing_column")
    names = file.header(line=header)
    readings = Readings(file, FORMAT.name, zone=ZONE)
    columns = _columns(readings, names[2:], only_area(how))
    texts = [name for name in names if name not in columns]
    figures = read_figures(file, texts, list(columns), unit.digits, locale=ENGLISH, skip=header) if all(names) else None
    table = figures.table if figures else read_csv(file, skip=header)
    read = figures.numbers if figures else None
    readings.rows = len(table)
    empty = _empty(table, read or {})
    readings.drop("rows without any value", int(empty.sum()))
    rows = np.flatnonzero(~empty)
    starts = _starts(readings, table, names[0], names[1], rows)
    layout = Layout(unit.digits, unit.power, step_of(starts), locale=ENGLISH)
    wide(readings, table, starts, rows, columns, layout, read=read)
    return readings


def _columns(readings: Readings, names: list[str], area: str) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for name in names:
        word = name.translate(_WIDTHS).replace("発電", "").removesuffix("実績").strip()
        if word.endswith("エリア需要"):
            found[name] = Column(KINDS["load"], area)
        elif word in _FUELS:
            found[name] = Column(_FUELS[word], area)
        elif word:
            curtailed, summed = "抑制" in word or "制御" in word, word.endswith("合計")
            readings.left_out[name] = "curtailed" if curtailed else "a sum" if summed else "not known"
    return found


def _empty(table: Table, read: Mapping[str, Numbers]) -> np.ndarray:
    """bool[n]: rows without a time and any value."""
    empty = np.ones(len(table), dtype=bool)
    for found in read.values():
        empty &= found.null
    for name in table.names[1:]:
        empty &= table.columns[name].is_null().to_numpy()
    return empty


def _labels(table: Table, day: str, time: str, rows: np.ndarray) -> pa.ChunkedArray:
    """Return day and time of rows int64[n] as one text, in portions. A row without a day is of the day before it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    days, times = (encode_text(table.columns[name]) for name in (day, time))
    there = np.maximum.accumulate(np.where(days[0] >= 0, np.arange(len(table)), 0))
    codes = (days[0][there][rows], times[0][rows])
    words = (pa.array(days[1], pa.string()), pa.array(times[1], pa.string()))
    labels = []
    for first in range(0, len(rows), PORTION):
        some = (part[first : first + PORTION] for part in codes)
        texts = (told.take(pa.array(part, mask=part < 0)) for told, part in zip(words, some, strict=True))
        labels.append(pc.binary_join_element_wise(*texts, " "))
    return pa.chunked_array(labels, pa.string())


def _starts(readings: Readings, table: Table, day: str, time: str, rows: np.ndarray) -> np.ndarray:
    """Return UTC begins."""
    import pyarrow.compute as pc

    labels = _labels(table, day, time, rows)
    times = labels_of(labels, "%Y/%m/%d %H時", "%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M")
    lines = rows + table.first_line
    what = "is not a day and hour such as 2016/4/1 0時 or 2024/4/1 0:30"
    report(readings.findings, readings.file, times.bad, lines, time, labels, what)
    ends = pc.fill_null(pc.match_substring_regex(labels, " 24"), False).to_numpy(zero_copy_only=False)
    report(readings.findings, readings.file, ends, lines, time, labels, "counts hours from 1 to 24: not known here")
    readings.findings.check()
    return times.seconds - ZONE_S


FORMAT = Format(
    name="japan-area",
    title="Japan, an area's demand and supply results",
    looks_like="単位[MWh], then 月日,時刻,エリア需要,原子力,火力,... or DATE,TIME,...; Shift-JIS",
    quirks=(
        "Shift-JIS; the unit (MWh, 万kWh, MW平均) stands above the header; an empty row may stand below it",
        "hours or half hours begin at their label; Japanese time, which never changes",
        "the day stands on its first row only",
        "the area is not in the file: name it with --area",
        "揚水 and 蓄電池 are storage, below zero while they take in; 連系線 is trade",
        "抑制量 and 制御量 were curtailed, 合計 is a sum: left out",
    ),
    detect=detect,
    read=read,
)
