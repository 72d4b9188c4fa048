"""From raw rows to a regular grid: order, length, duplicates and gaps of one series, summed to hours, clipped at 0."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from gcr_fast.codes import ESTIMATED, MAX_INTERVAL_S
from gcr_fast.columns import runs, some
from gcr_fast.findings import Finding, Findings
from gcr_fast.flags import SILENT, Flags
from gcr_fast.grid.series import Series
from gcr_fast.grid.shapes import Fault, Parts, Profile, negative_clipped
from gcr_fast.periods import utc_text, zone_anchor

HOUR_S = 3600
MAX_GRID = 1 << 25
"""Three hundred years of five minutes."""


@dataclass
class _Grid:
    """A series laid on its grid, at the resolution of the file."""

    series: Series
    start_s: int
    step_s: int
    values: np.ndarray
    missing: np.ndarray
    unreadable: np.ndarray
    row_at: np.ndarray
    """int64[n]: the source row of each interval, -1 where there is none."""
    quality: np.ndarray | None = None
    """uint8[n], as the series has it."""
    flags: Flags | None = None
    faults: list[Fault] = field(default_factory=list)

    def fault(self, code: str, message: str, first: int, last: int, row: int | None, **more: Any) -> None:
        """Record a finding about intervals `first` to `last`."""
        series = self.series
        where = {"profile": series.name, **series.source.place(row), **more}
        finding = Finding(code, f"{series.name}: {message}", **where)
        self.faults.append(Fault(first, last, finding))


def build(series: Series, zone: str | None, keep_intervals: bool) -> Profile:
    """Lay a series on its grid; sum to hours unless `keep_intervals`. Every irregularity becomes a fault."""
    if not len(series.seconds):
        return _profile(series, 0, HOUR_S, _empty(), _empty().astype(bool), [])
    if _is_grid(series):
        start = int(series.seconds[0]) - (HOUR_S if series.label == "end" else 0)
        return _profile(series, start, HOUR_S, series.values, series.null, [], series.quality, series.flags)
    grid = _lay(series)
    if keep_intervals or grid.step_s >= HOUR_S:
        values = _as_energy(grid.values, series, grid.step_s)
        marks = grid.quality, grid.flags
        return _profile(series, grid.start_s, grid.step_s, values, grid.missing, grid.faults, *marks)
    return _hourly(grid, zone)


def _is_grid(series: Series) -> bool:
    """Whether the rows already are what a grid would make of them: every hour once, in order, with a value."""
    hours = len(series.seconds) > 1 and series.step_s in {None, HOUR_S}
    even = series.hourly if series.hourly is not None else is_hourly(series.seconds)
    whole = series.span is None or _reach(series.span, int(series.seconds[0]), len(series.seconds), HOUR_S) == (0, 0)
    return hours and even and whole and not some(series.null) and not some(series.unreadable)


def is_hourly(seconds: np.ndarray) -> bool:
    """Whether each of these times int64[n] is an hour after the one before."""
    return bool((np.diff(seconds) == HOUR_S).all())


def _empty() -> np.ndarray:
    return np.zeros(0, dtype=np.int64)


def _lay(series: Series) -> _Grid:
    """Sort, find the step, drop what is off the grid or doubled, and mark what is missing."""
    order = np.arange(len(series.seconds))
    unsorted = int((np.diff(series.seconds) < 0).sum())
    if unsorted:
        order = np.argsort(series.seconds, kind="stable")
    seconds = series.seconds[order]
    step, phase = _step(seconds, series.step_s)
    begins = seconds - step if series.label == "end" else seconds
    even = (begins - phase) % step == 0
    start = int(begins[even][0])
    count = (int(begins[even][-1]) - start) // step + 1
    if series.span is not None:
        before, after = _reach(series.span, start, count, step)
        start, count = start - before * step, before + count + after
    _refuse_endless(series, count, order)
    blank = np.zeros(count, bool)
    grid = _Grid(series, start, step, np.zeros(count, np.int64), ~blank, blank, np.full(count, -1))
    if series.quality is not None:
        grid.quality = np.zeros(count, np.uint8)
    if series.flags is not None:
        grid.flags = Flags(np.full(count, SILENT, np.int32), series.flags.words)
    _note_order(grid, unsorted)
    _note_uneven(grid, begins, order, even)
    _place(grid, (begins[even] - start) // step, order[even])
    _note_gaps(grid)
    return grid


def _reach(span: tuple[int, int], start_s: int, count: int, step_s: int) -> tuple[int, int]:
    """Return how many whole intervals a file is about before the first of its `count` intervals, and after the last."""
    before, after = start_s - span[0], span[1] - (start_s + count * step_s)
    return max(before // step_s, 0), max(after // step_s, 0)


def _refuse_endless(series: Series, count: int, order: np.ndarray) -> None:
    """A stray date far from the others would ask for a grid that no memory holds."""
    if count > MAX_GRID:
        row = int(series.rows[order[-1]])
        what = f"{series.name}: {count} intervals from the first time to the last; one of them must be wrong"
        Findings([Finding("uneven_interval", what, profile=series.name, **series.source.place(row))]).check()


def _step(seconds: np.ndarray, told: int | None) -> tuple[int, int]:
    """Return the most frequent distance of neighbours (or `told`), and the phase on which most intervals lie."""
    gaps = np.diff(seconds)
    gaps = gaps[gaps > 0]
    step = told or HOUR_S
    if len(gaps) and not told:
        lengths, counts = np.unique(gaps, return_counts=True)
        step = int(lengths[np.argmax(counts)])
    phases, counts = np.unique(seconds % step, return_counts=True)
    return step, int(phases[np.argmax(counts)])


def _note_order(grid: _Grid, unsorted: int) -> None:
    last = len(grid.values) - 1
    if unsorted:
        grid.fault("unsorted_interval", f"{unsorted} rows are out of order; sorted", 0, last, None, count=unsorted)
    if grid.step_s > MAX_INTERVAL_S:
        what = f"intervals of {grid.step_s} s are longer than an hour"
        grid.fault("interval_too_long", what, 0, last, int(grid.series.rows[0]))
    elif MAX_INTERVAL_S % grid.step_s:
        what = f"intervals of {grid.step_s} s do not divide an hour"
        grid.fault("uneven_interval", what, 0, last, int(grid.series.rows[0]))


def _note_uneven(grid: _Grid, begins: np.ndarray, order: np.ndarray, even: np.ndarray) -> None:
    for at in np.flatnonzero(~even).tolist():
        position = int(np.clip((begins[at] - grid.start_s) // grid.step_s, 0, len(grid.values) - 1))
        text = utc_text(int(begins[at]))
        what = f"{text} is not on the {grid.step_s // 60}-minute grid from {utc_text(grid.start_s)}"
        grid.fault("uneven_interval", what, position, position, int(grid.series.rows[order[at]]), value=text)


def _place(grid: _Grid, positions: np.ndarray, order: np.ndarray) -> None:
    """Put values on the grid; of an interval that comes twice the first stays, and the second is a fault."""
    series = grid.series
    first = np.concatenate([[True], positions[1:] != positions[:-1]])
    kept = np.maximum.accumulate(np.where(first, np.arange(len(positions)), 0))
    for at in np.flatnonzero(~first).tolist():
        position, row = int(positions[at]), int(series.rows[order[at]])
        text = utc_text(grid.start_s + position * grid.step_s)
        both = " and ".join(_said(series, int(order[one])) for one in (kept[at], at))
        grid.fault("duplicate_interval", f"{text} appears twice: {both}", position, position, row, value=text)
    grid.values[positions[first]] = series.values[order[first]]
    grid.missing[positions[first]] = (series.null | series.unreadable)[order[first]]
    grid.unreadable[positions[first]] = series.unreadable[order[first]]
    grid.row_at[positions[first]] = series.rows[order[first]]
    if grid.quality is not None and series.quality is not None:
        grid.quality[positions[first]] = series.quality[order[first]]
    if grid.flags is not None and series.flags is not None:
        grid.flags.codes[positions[first]] = series.flags.codes[order[first]]


def _said(series: Series, at: int) -> str:
    """Say where the `at`-th value of a series stands, and what it is."""
    row = int(series.rows[at])
    line, kind = series.source.line(row), series.unit.kind
    unit = "" if kind == "weight" else " W" if kind == "power" else " Wh"
    value = "no value" if series.null[at] or series.unreadable[at] else f"{int(series.values[at]):,}{unit}"
    return f"{value} {f'in row {row}' if line is None else f'on line {line}'}"


def _note_gaps(grid: _Grid) -> None:
    """A row with an empty value is one fault; a run of absent rows is one for the run, at the row before it."""
    for position in np.flatnonzero(grid.missing & (grid.row_at >= 0)).tolist():
        _note_cell(grid, position)
    for first, stop in runs(grid.missing & (grid.row_at < 0)):
        _note_absent(grid, first, stop)


def _note_absent(grid: _Grid, first: int, stop: int) -> None:
    """No row is there for the intervals `first` to `stop`, exclusive; both may lie outside of the grid."""
    text = f"{utc_text(grid.start_s + first * grid.step_s)} .. {utc_text(grid.start_s + stop * grid.step_s)}"
    row = int(grid.row_at[first - 1]) if first > 0 else None
    count = stop - first
    what = f"no rows for {count} interval{'s' if count > 1 else ''} {_after(grid.series, row)}: {text}"
    grid.fault("missing_interval", what, first, stop - 1, row, value=text, count=count)


def _after(series: Series, row: int | None) -> str:
    """Say where a gap is, by the row before it."""
    line = series.source.line(row)
    if row is None:
        return "before the first row"
    return f"after row {row}" if line is None else f"after line {line}"


def _note_cell(grid: _Grid, position: int) -> None:
    """A row is there, but its value is empty or no number."""
    series, row = grid.series, int(grid.row_at[position])
    text = utc_text(grid.start_s + position * grid.step_s)
    if not grid.unreadable[position]:
        grid.fault("null_value", f"{text} has no value", position, position, row, column=series.column)
        return
    cell = str(series.source.table.column(series.column)[row].as_py())
    what = f"{text} has the value {cell!r}, which is not a number ({series.unit.name})"
    grid.fault("unreadable_value", what, position, position, row, column=series.column, value=cell)


def _as_energy(values: np.ndarray, series: Series, step_s: int) -> np.ndarray:
    """Power over an interval is energy, rounded down to the Wh; energy and weights stay as they are."""
    return values // max(HOUR_S // step_s, 1) if series.unit.kind == "power" else values


def _hourly(grid: _Grid, zone: str | None) -> Profile:
    """Sum to hours of the zone's clock. An hour with a missing part is missing: no part is guessed."""
    parts = HOUR_S // grid.step_s
    lead = (grid.start_s - zone_anchor(zone, grid.start_s)) % HOUR_S // grid.step_s
    hours = -(-(lead + len(grid.values)) // parts)
    for first, stop in ((-lead, 0), (len(grid.values), hours * parts - lead)):
        if first < stop and not HOUR_S % grid.step_s:
            _note_absent(grid, first, stop)  # of the hours in which it begins and ends a part is missing
    values = np.zeros(hours * parts, dtype=np.int64)
    missing = np.ones(hours * parts, dtype=bool)
    values[lead : lead + len(grid.values)] = grid.values
    missing[lead : lead + len(grid.values)] = grid.missing
    sums = values.reshape(hours, parts).sum(axis=1)
    if grid.series.unit.kind == "power":
        sums = sums // parts
    faults = [Fault((f.first + lead) // parts, (f.last + lead) // parts, f.finding) for f in grid.faults]
    partial = np.logical_or.reduce(missing.reshape(hours, parts), axis=1)
    start_s = grid.start_s - lead * grid.step_s
    marks = _hourly_marks(grid, lead, parts, hours)
    hourly = _profile(grid.series, start_s, HOUR_S, sums, partial, faults, *marks)
    if not partial.any():
        return hourly
    return replace(hourly, parts=_parts(grid, np.repeat(partial, parts)[lead : lead + len(grid.values)]))


def _parts(grid: _Grid, partial: np.ndarray) -> Parts | None:
    """Return what was metered where `partial` bool[n] says that the hour lacks a part."""
    rows = np.flatnonzero(partial & ~grid.missing)
    if not len(rows):
        return None
    flags = grid.flags or Flags(np.full(len(grid.values), SILENT, np.int32), ())
    return Parts(
        begins=grid.start_s + rows * grid.step_s,
        steps=np.full(len(rows), grid.step_s, np.int64),
        values=grid.values[rows],
        power=np.full(len(rows), grid.series.unit.kind == "power"),
        quality=np.zeros(len(rows), np.uint8) if grid.quality is None else grid.quality[rows],
        flags=flags.codes[rows],
        words=flags.words,
    )


def _hourly_marks(grid: _Grid, lead: int, parts: int, hours: int) -> tuple[np.ndarray | None, Flags | None]:
    """Return quality and flags of the hours; an hour is as good as the worst of its parts, and told of by all."""
    quality, flags = grid.quality, grid.flags
    place = slice(lead, lead + len(grid.values))
    if quality is not None:
        laid = np.zeros(hours * parts, dtype=np.uint8)
        laid[place] = quality
        quality = laid.reshape(hours, parts).max(axis=1)
    if flags is not None:
        codes = np.full(hours * parts, SILENT, dtype=np.int32)
        codes[place] = flags.codes
        flags = Flags(codes, flags.words).by_groups(parts)
    return quality, flags


def _profile(
    series: Series,
    start_s: int,
    step_s: int,
    signed: np.ndarray,
    missing: np.ndarray,
    faults: list[Fault],
    quality: np.ndarray | None = None,
    flags: Flags | None = None,
) -> Profile:
    """Close the record; what is below 0 is clipped, and counted."""
    profile = Profile(
        name=series.name,
        start_s=start_s,
        step_s=step_s,
        values=signed * ~missing if some(missing) else signed,
        missing=missing,
        clipped=_zeros(len(signed)),
        is_energy=series.unit.kind != "weight",
        weight_digits=series.unit.digits if series.unit.kind == "weight" else 0,
        source_type=series.source_type,
        device_id=series.device_id,
        file=series.source.name,
        attribution=series.attribution,
        faults=tuple(faults),
        quality=quality,
        flags=flags,
        rows=series.again,
    )
    if profile.bits < 0:
        profile = _clipped(profile, series)
    filled = _estimates(series, quality, start_s, step_s)
    return replace(profile, faults=(*profile.faults, *filled)) if filled else profile


def _clipped(profile: Profile, series: Series) -> Profile:
    """Return a profile without its negative values, which are told of."""
    clipped = np.maximum(-profile.values, 0)
    below = np.flatnonzero(clipped)
    where = {"file": profile.file or None, "column": series.column}
    finding = negative_clipped(profile.name, len(below), int(clipped.sum()), profile.is_energy, **where)
    faults = (*profile.faults, Fault(int(below[0]), len(clipped) - 1, finding))
    return replace(profile, values=np.maximum(profile.values, 0), clipped=clipped, faults=faults)


@lru_cache(maxsize=16)
def _zeros(count: int) -> np.ndarray:
    """Return int64[count] zeros, none of which takes memory."""
    return np.broadcast_to(np.int64(0), (count,))


def _estimates(series: Series, quality: np.ndarray | None, start_s: int, step_s: int) -> list[Fault]:
    """Return a fault for each run of intervals that were filled in: nobody metered them."""
    if quality is None:
        return []
    faults = []
    for first, stop in runs(quality == ESTIMATED):
        text = f"{utc_text(start_s + first * step_s)} .. {utc_text(start_s + stop * step_s)}"
        place: dict[str, Any] = {"file": series.source.name or None, "profile": series.name, "value": text}
        what = f"{series.name}: {stop - first} filled in: {text}"
        faults.append(Fault(first, stop - 1, Finding("estimated_interval", what, count=stop - first, **place)))
    return faults
