"""Any other table, as a mapping describes it: long or wide, delimited text, Parquet or Arrow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from gcr_fast.columns import every, some
from gcr_fast.flags import Flags, taken, told
from gcr_fast.sources.cells import NO_NUMBER, Numbers, report
from gcr_fast.sources.clock import walk
from gcr_fast.sources.doubled import Walk, walk_rows
from gcr_fast.sources.early import give_back
from gcr_fast.sources.endings import walk_ends
from gcr_fast.sources.files import File, Table, read_csv, refuse
from gcr_fast.sources.generation.mapped_cells import MISSING, Cells, at_once, delimiter_in, in_blocks
from gcr_fast.sources.generation.mapping import END, ISO, Of, Plan, plan_of
from gcr_fast.sources.long import Words, long, series_keys, span
from gcr_fast.sources.model import Format, How, Reading, Readings
from gcr_fast.sources.pieces import IrregularError
from gcr_fast.sources.rounding import note_lost, note_rounding
from gcr_fast.sources.wide import Column, Layout, step_of, wide
from gcr_fast.sources.words import Kind, kind_of
from gcr_fast.units import Unit

_BETWEEN = (
    "has a fraction of a second, where no interval begins: a log of changes has no intervals; export hourly values or "
    "the like"
)


def detect(file: File) -> bool:
    """Never: a mapping makes a file one of these."""
    return False


def read(file: File, how: How) -> Readings:
    """Read a table as `how.mapping` describes it. Refused: a mapping that is wrong, or that does not fit the file."""
    if how.mapping is None:
        refuse(file, "needs a mapping that describes it: --mapping", "unknown_format")
    readings = _read(file, plan_of(how.mapping), how)
    give_back()
    return readings


def _read(file: File, plan: Plan, how: How) -> Readings:
    units = partial(_units, plan)
    if file.kind == "csv":
        with contextlib.suppress(IrregularError):
            return _readings(file, plan, how, in_blocks(file, plan, units))
    return _readings(file, plan, how, at_once(_table(file, plan), plan, units))


def _readings(file: File, plan: Plan, how: How, cells: Cells) -> Readings:
    """Return the readings of a table. `IrregularError`: something is amiss, and the cells are gone."""
    readings = Readings(file, FORMAT.name, rows=len(cells.table), attribution=plan.attribution)
    readings.cells = None if file.kind == "csv" else cells.table
    (_long if plan.value else _wide)(readings, cells, plan, how)
    return readings


def _table(file: File, plan: Plan) -> Table:
    if file.kind in {"parquet", "ipc"}:
        table = Table(file.source().table, 1)
    elif file.kind == "csv":
        table = read_csv(file, delimiter=delimiter_in(file, plan), skip=plan.skip)
    else:
        refuse(file, f"is {file.kind}: a mapping describes delimited text, Parquet or Arrow")
    others = filter(None, [plan.value, plan.flags])
    _need(file, table, [*plan.clock.columns, *plan.columns, *others, *plan.series.values()])
    if not len(table):
        refuse(file, "has a header, but no rows", "empty_file")
    return table


def _units(plan: Plan, names: Sequence[str]) -> dict[str, Unit]:
    """Return the columns of values, and what each is in."""
    if plan.value and plan.unit is not None:
        return {plan.value: plan.unit}
    described = {name: _column(plan, name) for name in names}
    return {name: unit for name, (column, unit) in described.items() if isinstance(column, Column) and unit is not None}


def _need(file: File, table: Table, names: Sequence[str]) -> None:
    absent = [name for name in dict.fromkeys(names) if name not in table.names]
    if absent:
        have = ", ".join(table.names[:12])
        what = f"has no column {', '.join(absent)}, which the mapping names; it has {have}"
        refuse(file, what, "missing_column", column=absent[0])


class _Begins(NamedTuple):
    """The intervals of a table."""

    starts: np.ndarray
    """int64[k] UTC."""
    rows: np.ndarray | slice
    """int64[k], ascending, or all: of which it is known when they were."""
    length_s: int


def _begins(readings: Readings, cells: Cells, plan: Plan, how: How, key: np.ndarray | None) -> _Begins:
    """Return when intervals begin. `key` int64[n] tells the series of a long table apart."""
    clock, zone = plan.clock, plan.clock.zone or how.zone or ""
    marks, local, bad, between = cells.marks
    wanted = "an ISO 8601 time" if clock.layout == ISO else clock.layout
    _report(readings, cells, plan, bad, f"is not {wanted}")
    _report(readings, cells, plan, between & ~bad, _BETWEEN)
    if some(local) and not zone:
        what = "names no time zone: name it in the mapping as time.zone, or with --zone"
        _report(readings, cells, plan, local & (np.cumsum(local) == 1), what, "naive_time")
    if not every(local):
        _report(readings, cells, plan, local, "names no offset, where other rows do", "naive_time")
    readings.findings.check()
    readings.zone = zone or "UTC"
    length = clock.interval_s or _length(readings.file, marks)
    back_s = length if clock.marks == END else 0
    if not some(local):
        return _Begins(marks - back_s if back_s else marks, slice(None), length)

    def walked(rows: np.ndarray | slice) -> Walk:
        series = None if key is None else key[rows]
        if clock.marks == END:
            return walk_ends(marks[rows], length, readings.zone, series)
        return walk(marks[rows], readings.zone, series)

    found = walk_rows(readings, walked, marks, key, cells.table.lines)
    _report(readings, cells, plan, found.skipped, f"does not exist in {readings.zone}", "nonexistent_time")
    if not some(found.unclear):
        return _Begins(found.seconds, slice(None), length)
    rows = np.flatnonzero(~found.unclear)
    return _Begins(found.seconds[rows], rows, length)


def _report(
    readings: Readings, cells: Cells, plan: Plan, mask: np.ndarray, what: str, code: str = "unreadable_value"
) -> None:
    """Report times that are marked bool[n]."""
    if not some(mask):
        return
    if cells.times is None:
        raise IrregularError
    report(
        readings.findings, readings.file, mask, cells.table.lines, " ".join(plan.clock.columns), cells.times, what, code
    )


def _length(file: File, marks: np.ndarray) -> int:
    if len(np.unique(marks)) < 2:
        refuse(file, "has fewer than two times: name the length of its intervals as time.minutes", "empty_file")
    return step_of(marks)


def _long(readings: Readings, cells: Cells, plan: Plan, how: How) -> None:
    """Read a table of one value a row; the columns of `series` tell whose."""
    table, unit, names = cells.table, plan.unit, list(plan.series)
    assert unit is not None  # a plan of a long table has one
    columns = [table.columns[plan.series[name]] for name in names]
    key, words = series_keys(columns) if columns else (np.zeros(len(table), np.int32), [()])
    begins, found, lines = _begins(readings, cells, plan, how, key), cells.numbers.pop(plan.value), table.lines
    if some(found.bad):
        report(readings.findings, readings.file, found.bad, lines, plan.value, table.columns[plan.value], NO_NUMBER)

    def describe(said: Words) -> Column | str:
        return _described(plan, dict(zip(names, said, strict=True)))

    rows = begins.rows if isinstance(begins.rows, slice) else span(begins.rows)
    long(
        readings,
        key[rows],
        words,
        describe,
        begins.starts,
        Numbers(*(part[rows] for part in found)),
        lines[rows],
        power=unit.kind != "energy",
        interval_s=begins.length_s,
        flags=taken(_flags(table, plan), rows),
    )
    _mark_weights(readings, {one.column: unit for one in readings.series})
    _note_rounding(readings, readings.series, cells, plan, plan.value, unit)
    for name in cells.names:
        if name not in {*plan.clock.columns, plan.value, plan.flags, *plan.series.values()}:
            readings.left_out[name] = "not in the mapping"


def _note_rounding(
    readings: Readings, series: Iterable[Reading], cells: Cells, plan: Plan, name: str, unit: Unit
) -> None:
    """Note what series whose values stand in one column have lost."""
    first = cells.table.first_line
    if name in cells.lost:
        note_lost(readings, series, cells.lost[name], first)
    else:
        missing = (*MISSING, *plan.missing)
        note_rounding(readings, series, cells.table.columns[name], first, unit.digits, missing, plan.locale)


def _flags(table: Table, plan: Plan) -> Flags | None:
    """Return what the column of flags says of each row; None if the mapping names none."""
    return told(table.columns[plan.flags]) if plan.flags else None


def _described(plan: Plan, said: dict[str, str]) -> Column | str:
    """Return what a series is whose kind, area and device a file names; or why it is left out."""
    kind, word = plan.kind, said.get("kind", "")
    if word:
        if word in plan.kinds and plan.kinds[word] is None:
            return "the mapping ignores it"
        kind = plan.kinds.get(word) or kind_of(word)
        if kind is None:
            return "not known"
    if kind is None:
        return "names no kind"
    return Column(kind, said.get("area", "") or plan.area, said.get("device") or None)


def _wide(readings: Readings, cells: Cells, plan: Plan, how: How) -> None:
    """Read a table of one time a row and one column a series."""
    begins, flags = _begins(readings, cells, plan, how, None), _flags(cells.table, plan)
    rows = np.arange(len(cells.table))[begins.rows]
    units: dict[str, Unit] = {}
    first: dict[tuple[str, ...], str] = {}
    for name in cells.names:
        column, unit = _column(plan, name)
        if isinstance(column, str):
            readings.left_out[name] = column
        elif isinstance(column, Column) and unit is not None:
            _need_apart(readings.file, first, name, column)
            units[name] = unit
            layout = Layout(unit.digits, unit.kind != "energy", begins.length_s)
            read = {name: cells.numbers.pop(name)}
            wide(readings, cells.table, begins.starts, rows, {name: column}, layout, read=read, flags=flags)
    if not units:
        refuse(readings.file, "has no column that the mapping's pattern matches", "missing_column")
    _mark_weights(readings, units)
    for one in readings.series:
        _note_rounding(readings, [one], cells, plan, one.column, units[one.column])


def _need_apart(file: File, first: dict[tuple[str, ...], str], name: str, column: Column) -> None:
    """Refuse a column that would be one series with an earlier one: of two that say the same, one would not count."""
    series = (column.device_id,) if column.device_id else (column.area, column.kind.slug)
    before = first.setdefault(series, name)
    if before != name:
        what = f"has {before} and {name}, which the mapping makes one series: tell them apart by area or device"
        refuse(file, what, "ambiguous_column", column=name)


def _column(plan: Plan, name: str) -> tuple[Column | str | None, Unit | None]:
    """Return (what a column is, its unit); None for a column of times or flags."""
    of = plan.columns.get(name)
    if of is not None:
        return _as_column(plan, of), of.unit or plan.unit
    if name in {*plan.clock.columns, plan.flags}:
        return None, None
    match = plan.pattern.fullmatch(name) if plan.pattern else None
    if match is None:
        return "not in the mapping", None
    return _described(plan, {group: (text or "").strip() for group, text in match.groupdict().items()}), plan.unit


def _as_column(plan: Plan, of: Of) -> Column:
    kind: Kind | None = of.kind or plan.kind
    assert kind is not None  # a plan has one for every column
    return Column(kind, plan.area if of.area is None else of.area, of.device)


def _mark_weights(readings: Readings, units: dict[str, Unit]) -> None:
    readings.series = [
        replace(one, is_energy=False) if units[one.column].kind == "weight" else one for one in readings.series
    ]


FORMAT = Format(
    name="mapped",
    title="any table, described by a mapping file (YAML or JSON)",
    looks_like="--mapping FILE: time: {column, layout, zone, marks, minutes}, unit, and columns, pattern or value",
    quirks=(
        "time.layout: iso, unix, unix_ms or %Y %y %m %d %H %I %M %S %p %b %z; time.marks: begin or end, never guessed",
        "decimal and thousands as the mapping says: a number in another form is refused",
        "missing names the words for a gap; an empty cell is one too",
        "flags names the column of what the source says of its values, such as a settlement run",
        "unit weight makes shapes, not energy",
        "columns that the mapping does not name are left out, and listed",
    ),
    detect=detect,
    read=read,
)
