"""ERCOT, interval generation by fuel (IntGenbyFuel): a row per day and fuel, a column per quarter-hour."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcr_fast.columns import as_text, encode, one_array
from gcr_fast.flags import told
from gcr_fast.periods import DAY_S, local_to_utc
from gcr_fast.sources import workbook
from gcr_fast.sources.cells import ENGLISH, MEGA, Numbers, numbers, report
from gcr_fast.sources.clock import HOUR_S, parse_best
from gcr_fast.sources.files import File, Table, refuse
from gcr_fast.sources.generation.ercot import AREA, ATTRIBUTION, ZONE, tables
from gcr_fast.sources.long import Words, long, series_keys
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.revisions import replaced
from gcr_fast.sources.wide import Column
from gcr_fast.sources.words import KINDS, kind_of

if TYPE_CHECKING:
    import pyarrow as pa

DATE, FUEL, SETTLEMENT, TOTAL = "Date", "Fuel", "Settlement Type", "Total"
QUARTER_S = 900
_SLOT = re.compile(r"^(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::00)?(?P<again>\s*\(DST\))?$")
_SETTLED = {"INITIAL": 0, "FINAL": 1, "TRUE-UP": 2, "TRUEUP": 2}
_CHARGING = "WSL"
_ROUNDING_WH = 1_000


def detect(file: File) -> bool:
    """Whether a table has day, fuel, settlement and quarter-hours."""
    if file.kind == "zip":
        return workbook.has_cells(workbook.words(file), DATE, FUEL, SETTLEMENT)
    names = file.header() if file.kind == "csv" else []
    return {DATE, FUEL, SETTLEMENT} <= set(names) and any(map(_SLOT.match, names))


class _Slot(NamedTuple):
    """A column of quarter-hours."""

    name: str
    end_s: int
    """Wall-clock seconds after midnight, at which it ends."""
    again: bool
    """Whether it is of the hour that autumn repeats, the second time."""


class _Part(NamedTuple):
    """The quarter-hours of one sheet, in the order of its rows; all are [n]."""

    fuels: pa.Array
    settled: pa.Array
    starts: np.ndarray
    found: Numbers
    lines: np.ndarray


def read(file: File, how: How) -> Readings:
    """Read all months of a workbook, or the one sheet that a CSV is."""
    readings = Readings(file, FORMAT.name, zone=ZONE, attribution=ATTRIBUTION)
    parts = []
    for name, table in tables(file, DATE, FUEL, SETTLEMENT):
        if table is None:
            readings.left_out[f"sheet {name}"] = "no table of days and fuels"
        elif len(table):
            parts.append(_Sheet(readings, table, f"{name} " if name else "").part())
    if not parts:
        refuse(file, "has no row of a day and a fuel", "empty_file")
    readings.findings.check()
    readings.left_out[TOTAL] = "the sum of the quarter-hours"
    _add(readings, parts)
    return readings


def _add(readings: Readings, parts: list[_Part]) -> None:
    """Add one series per fuel, over all sheets."""
    import pyarrow as pa

    fuels, settled, starts, found, lines = zip(*parts, strict=True)
    key, words = series_keys([pa.chunked_array(fuels)])
    whole = Numbers(*map(np.concatenate, zip(*found, strict=True)))
    times, places = np.concatenate(starts), np.concatenate(lines)
    flags = told(pa.chunked_array(settled))
    long(readings, key, words, _describe, times, whole, places, power=False, interval_s=QUARTER_S, flags=flags)


@dataclass(frozen=True)
class _Sheet:
    """A table of days and fuels. Findings name its sheet before the column."""

    readings: Readings
    table: Table
    name: str

    def part(self) -> _Part:
        """Return the quarter-hours that there are, without days that were settled again."""
        midnights = self._midnights()
        rows = self._rows(midnights)
        slots = self._slots()
        found = [numbers(self.table.columns[slot.name], MEGA, locale=ENGLISH) for slot in slots]
        starts, exist = self._starts(slots, midnights, found)
        self._compare(found)
        kept, each = exist[rows], exist[rows].sum(axis=1)
        self.readings.rows += int(each.sum())
        again = np.repeat(rows, each)
        cells = (np.stack([one[at] for one in found], axis=1)[rows][kept] for at in range(3))
        fuels, settled = (as_text(one_array(self.table.columns[name])).take(again) for name in (FUEL, SETTLEMENT))
        return _Part(fuels, settled, starts[rows][kept], Numbers(*cells), self.lines[again])

    @property
    def lines(self) -> np.ndarray:
        """Line of the file, or row of the sheet, of each row."""
        return np.arange(len(self.table)) + self.table.first_line

    def _report(self, mask: np.ndarray, column: str, what: str, code: str = "unreadable_value") -> None:
        cells = self.table.columns[column]
        report(self.readings.findings, self.readings.file, mask, self.lines, self.name + column, cells, what, code)

    def _midnights(self) -> np.ndarray:
        """Return the wall-clock midnight of each row's day, int64[n]."""
        days = parse_best(self.table.columns[DATE], "%Y-%m-%d %H:%M:%S", "%m/%d/%Y", "%Y-%m-%d", "%m/%d/%Y %H:%M")
        self._report(days.bad | (days.seconds % DAY_S != 0), DATE, "is no day like 2023-01-31")
        self._report(self.table.columns[FUEL].is_null().to_numpy(), FUEL, "is empty")
        self.readings.findings.check()
        return days.seconds

    def _rows(self, midnights: np.ndarray) -> np.ndarray:
        """Return the rows that no later settlement of their day and fuel replaces."""
        codes, texts = encode(as_text(one_array(self.table.columns[SETTLEMENT])))
        ranks = np.array([*(_SETTLED.get(str(text).strip().upper(), 0) for text in texts), 0], dtype=np.int64)
        old = replaced(midnights, ranks[codes], series_keys([self.table.columns[FUEL]])[0])
        self.readings.drop("days that a later settlement replaces", int(old.sum()))
        return np.flatnonzero(~old)

    def _slots(self) -> list[_Slot]:
        """Return the columns of quarter-hours in order of time; the second time of an hour stands after the first."""
        slots = []
        for name in self.table.names:
            match = _SLOT.match(name)
            if match:
                end_s = int(match["hour"]) * HOUR_S + int(match["minute"]) * 60
                slots.append(_Slot(name, end_s or DAY_S, bool(match["again"])))
            elif name not in {DATE, FUEL, SETTLEMENT, TOTAL}:
                self.readings.left_out[name] = "not known"
        there = {slot.end_s for slot in slots if not slot.again}
        lacking = [end for end in range(QUARTER_S, DAY_S + 1, QUARTER_S) if end not in there]
        if lacking:
            ends = ", ".join(f"{end // HOUR_S}:{end % HOUR_S // 60:02d}" for end in lacking[:5])
            said = f"has no column for the quarter-hours that end at {ends}"
            refuse(self.readings.file, said, "missing_column", line=self.table.first_line - 1)
        return sorted(slots, key=lambda slot: ((slot.end_s - 1) // HOUR_S, slot.again, slot.end_s))

    def _starts(self, slots: list[_Slot], midnights: np.ndarray, found: list[Numbers]) -> tuple[np.ndarray, np.ndarray]:
        """Return (UTC starts int64[n, slots], bool[n, slots] of quarter-hours that there are on that day)."""
        ends = np.array([slot.end_s for slot in slots])
        local = local_to_utc((midnights[:, None] + ends - QUARTER_S).ravel(), ZONE)
        earliest, latest, skipped = (part.reshape(len(midnights), len(slots)) for part in local)
        again = np.array([slot.again for slot in slots])
        exist = np.where(again, earliest != latest, True) & ~skipped
        what = f"is of a quarter-hour that is not there on that day in {ZONE}"
        for at, slot in enumerate(slots):
            self._report(found[at].bad, slot.name, "is not a number")
            self._report(~exist[:, at] & ~found[at].null, slot.name, what, "nonexistent_time")
        return np.where(again, latest, earliest), exist

    def _compare(self, found: list[Numbers]) -> None:
        """Note days whose quarter-hours do not add up to the day's total: an hour may have been lost."""
        if TOTAL not in self.table.names:
            return
        total = numbers(self.table.columns[TOTAL], MEGA, locale=ENGLISH)
        sums = np.sum([one.values for one in found], axis=0)
        count = int(((np.abs(sums - total.values) > _ROUNDING_WH) & ~total.null & ~total.bad).sum())
        if count:
            said = "the total is not the sum of the quarter-hours, which hold"
            self.readings.notes[f"{self.name}{count} days of a fuel"] = said


def _describe(words: Words) -> Column | str:
    kind = KINDS["consumption"] if words[0] == _CHARGING else kind_of(words[0])
    return Column(kind, AREA) if kind else "not known"


FORMAT = Format(
    name="ercot-fuel",
    title="ERCOT, interval generation by fuel (IntGenbyFuelYYYY.xlsx)",
    looks_like="Date,Fuel,Settlement Type,Total,0:15,0:30,...,23:45,0:00; in a workbook, a sheet per month",
    quirks=(
        "MWh in the quarter-hour that ends at the time of the column; the last, 0:00, is 24:00 of that day",
        "local time; in spring four quarter-hours are empty, as they are not there",
        "in November the hour that is repeated has four more columns, 01:15 (DST) to 02:00 (DST): the second time",
        "a day that was settled twice counts as settled last; the flag is its settlement type",
        "WSL is what storage takes, negative: consumption",
        "a workbook needs the extra xlsx; any of its sheets may be saved as CSV, with thousands commas or without",
    ),
    detect=detect,
    read=read,
    needs=workbook.EXTRA,
)
