"""The column of times of a source: which one it is, what its labels mean, and which moments of UTC they are."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.fields import Fields
from gcr_fast.periods import Times, parse_times, utc_to_local
from gcr_fast.sources.clock import walk
from gcr_fast.sources.endings import walk_ends
from gcr_fast.sources.wide import step_of

if TYPE_CHECKING:
    import pyarrow as pa

_TIME_WORD = re.compile(r"(^|_)(start|begin|beginning|time|timestamp|datetime|end|ending)(_|$)")
_END_WORD = re.compile(r"(^|_)(end|ending)(_|$)")
_UNCLEAR = "happens twice on that day, and the order of rows does not tell which is meant: not read"


@dataclass(frozen=True)
class Clock:
    """The parsed time column."""

    name: str
    label: str
    times: Times
    good: np.ndarray
    """bool[n]: which cells are times; those that spring skips are not, unless they are `ends`."""
    zone: str | None
    """That of times that name none."""
    ends: np.ndarray | None
    """int64[n]: what the clock of the zone shows at the ends of intervals; None if no end is in its local time."""
    walked: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    """By rows from and to: what `unfold` has found, which series side by side have alike."""


def clock_of(fields: Fields, zone: str | None, label: str | None) -> Clock | None:
    """Find and parse the column of times, of beginnings before one of ends; None, which is reported, if none is.

    `zone` is that of times that name none; `label`, begin or end, is what they mean, else their name tells.
    """
    name = fields.name("start") or next(iter(_time_columns(fields)), None)
    if name is None:
        fields.missing("start")
        return None
    for other in (name, *_time_columns(fields)):
        fields.claim(other)
    times = parse_times(fields.column(name), zone)
    fields.report("null_value", times.null, name, "is empty")
    fields.report("unreadable_value", times.unreadable, name, "is not an ISO 8601 time such as 2024-01-01T00:00Z")
    _report_naive(fields, name, times.naive)
    meaning = label or ("end" if _END_WORD.search(plain_name(name)) else "begin")
    good = ~(times.null | times.unreadable | times.naive)
    ends = _local_ends(fields.column(name), good) if zone is not None and meaning == "end" else None
    if ends is None:
        fields.report("nonexistent_time", times.skipped, name, f"does not exist in {zone}")
        good &= ~times.skipped
    return Clock(name, meaning, times, good, zone, ends)


def _local_ends(column: pa.Array, good: np.ndarray) -> np.ndarray | None:
    """Return what the clock shows int64[n] where all times that are good bool[n] name no zone; else None."""
    times = parse_times(column, None)
    return times.earliest if good.any() and times.naive[good].all() else None


def _time_columns(fields: Fields) -> list[str]:
    """Return the columns whose names speak of time, those of beginnings first."""
    names = [name for name in fields.source.table.column_names if _TIME_WORD.search(plain_name(name))]
    return sorted(names, key=lambda name: _END_WORD.search(plain_name(name)) is not None)


def plain_name(name: str) -> str:
    """Return a column's name in small letters, its words joined by `_`."""
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _report_naive(fields: Fields, name: str, naive: np.ndarray) -> None:
    """One finding for the whole column: a file's times are naive together."""
    rows = np.flatnonzero(naive)
    if len(rows):
        first = str(fields.column(name)[int(rows[0])].as_py())
        fields.findings.add(
            "naive_time",
            f"{name} {first!r} names no time zone, nor do {len(rows) - 1} more",
            column=name,
            value=first,
            count=len(rows),
            **fields.place(int(rows[0])),
        )


def span_of(rows: np.ndarray) -> slice | np.ndarray:
    """Return rows, which ascend, as a slice if none between them is left out: then nothing is copied."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def unfold(fields: Fields, clock: Clock, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tell the two passes of an autumn hour apart in the rows int64[n] of a series, by their order: see `walk`.

    Returns (UTC seconds int64[n], whether they are known bool[n]); of rows that are not, a note says so.
    """
    at = span_of(rows)
    side = (at.start, at.stop) if isinstance(at, slice) else None
    if side in clock.walked:
        return clock.walked[side]
    if clock.ends is not None and len(rows):
        found = _unfold_ends(fields, clock, rows, clock.ends[at])
    else:
        found = _unfold_labels(fields, clock, rows, clock.times.earliest[at], clock.times.latest[at])
    if side is not None:
        clock.walked[side] = found
    return found


def _unfold_labels(
    fields: Fields, clock: Clock, rows: np.ndarray, earliest: np.ndarray, latest: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """As `unfold`, of labels that are the moments which the clock shows: earliest and latest int64[n] UTC."""
    twice = earliest != latest
    if clock.zone is None or not twice.any():
        return earliest, ~twice
    walked = walk(utc_to_local(earliest, clock.zone), clock.zone)
    unclear = twice & walked.unclear
    fields.report("reading_note", _among(len(clock.good), rows[unclear]), clock.name, _UNCLEAR)
    return np.where(twice, walked.seconds, earliest), ~unclear


def _unfold_ends(fields: Fields, clock: Clock, rows: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `unfold`, of ends int64[n] on the local clock: the begin plus the length, or what the clock then shows."""
    assert clock.zone is not None  # ends in local time have one
    length_s = step_of(ends)
    walked = walk_ends(ends, length_s, clock.zone)
    count = len(clock.good)
    what = f"does not exist in {clock.zone}"
    fields.report("nonexistent_time", _among(count, rows[walked.skipped]), clock.name, what)
    fields.report("reading_note", _among(count, rows[walked.unclear]), clock.name, _UNCLEAR)
    return walked.seconds + length_s, ~(walked.skipped | walked.unclear)


def _among(count: int, rows: np.ndarray) -> np.ndarray:
    """Return bool[count] that is true for these rows."""
    mask = np.zeros(count, dtype=bool)
    mask[rows] = True
    return mask
