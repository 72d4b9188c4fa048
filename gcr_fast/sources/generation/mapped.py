"""Any other table, as a mapping describes it: long or wide, delimited text, Parquet or Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcr_fast.columns import as_text, one_array
from gcr_fast.flags import Flags, taken, told
from gcr_fast.periods import FIRST_S, LAST_S
from gcr_fast.sources.cells import Numbers, numbers, report
from gcr_fast.sources.clock import walk
from gcr_fast.sources.doubled import Walk, walk_rows
from gcr_fast.sources.endings import walk_ends
from gcr_fast.sources.files import File, Table, delimiter_of, read_csv, refuse
from gcr_fast.sources.generation.mapping import END, ISO, UNIX, UNIX_MS, Of, Plan, plan_of
from gcr_fast.sources.long import Words, long, series_keys, span
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.portions import labels_of, times_of
from gcr_fast.sources.rounding import note_rounding
from gcr_fast.sources.wide import Column, Layout, step_of, wide
from gcr_fast.sources.words import Kind, kind_of
from gcr_fast.units import Unit

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = ("nan", "NaN", "null")
_FRACTION = r":\d{2}[.,]\d*[1-9]\d*(?:Z|[+-][\d:]+)?$"
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
    plan = plan_of(how.mapping)
    table = _table(file, plan)
    readings = Readings(file, FORMAT.name, rows=len(table), attribution=plan.attribution)
    readings.cells = None if file.kind == "csv" else table
    if not len(table):
        refuse(file, "has a header, but no rows", "empty_file")
    if plan.value:
        _long(readings, table, plan, how)
    else:
        _wide(readings, table, plan, how)
    return readings


def _table(file: File, plan: Plan) -> Table:
    if file.kind in {"parquet", "ipc"}:
        table = Table(file.source().table, 1)
    elif file.kind == "csv":
        lines = file.head_lines
        header = lines[plan.skip] if len(lines) > plan.skip else ""
        table = read_csv(file, delimiter=plan.delimiter or delimiter_of(header), skip=plan.skip)
    else:
        refuse(file, f"is {file.kind}: a mapping describes delimited text, Parquet or Arrow")
    others = filter(None, [plan.value, plan.flags])
    _need(file, table, [*plan.clock.columns, *plan.columns, *others, *plan.series.values()])
    return table


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
    rows: np.ndarray
    """int64[k], ascending: of which it is known when they were."""
    length_s: int


def _begins(readings: Readings, table: Table, plan: Plan, how: How, key: np.ndarray | None) -> _Begins:
    """Return when intervals begin. `key` int64[n] tells the series of a long table apart."""
    clock, zone = plan.clock, plan.clock.zone or how.zone or ""
    cells = _time_cells(table, plan)
    marks, local, bad, between = _marks(cells, clock.layout)
    lines = table.lines
    name = " ".join(clock.columns)
    wanted = "an ISO 8601 time" if clock.layout == ISO else clock.layout
    report(readings.findings, readings.file, bad, lines, name, cells, f"is not {wanted}")
    report(readings.findings, readings.file, between & ~bad, lines, name, cells, _BETWEEN)
    if local.any() and not zone:
        what = "names no time zone: name it in the mapping as time.zone, or with --zone"
        report(
            readings.findings, readings.file, local & (np.cumsum(local) == 1), lines, name, cells, what, "naive_time"
        )
    if not local.all():
        what = "names no offset, where other rows do"
        report(readings.findings, readings.file, local, lines, name, cells, what, "naive_time")
    readings.findings.check()
    readings.zone = zone or "UTC"
    length = clock.interval_s or _length(readings.file, marks)
    back_s = length if clock.marks == END else 0
    if not local.any():
        return _Begins(marks - back_s, np.arange(len(table)), length)

    def walked(rows: np.ndarray | slice) -> Walk:
        some = None if key is None else key[rows]
        if clock.marks == END:
            return walk_ends(marks[rows], length, readings.zone, some)
        return walk(marks[rows], readings.zone, some)

    found = walk_rows(readings, walked, marks, key, lines)
    what = f"does not exist in {readings.zone}"
    report(readings.findings, readings.file, found.skipped, lines, name, cells, what, "nonexistent_time")
    rows = np.flatnonzero(~found.unclear)
    return _Begins(found.seconds[rows], rows, length)


def _has_fraction(cells: pa.Array) -> np.ndarray:
    """bool[n]: times in ISO 8601 with a fraction of a second that is not zero."""
    import pyarrow.compute as pc

    found = pc.match_substring_regex(pc.utf8_trim_whitespace(as_text(cells)), _FRACTION)
    fractions: np.ndarray = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
    return fractions


def _time_cells(table: Table, plan: Plan) -> pa.Array:
    """Return the cells of the time column; of several, their texts joined by a blank."""
    import pyarrow.compute as pc

    columns = [one_array(table.columns[name]) for name in plan.clock.columns]
    if len(columns) == 1:
        return columns[0]
    return pc.binary_join_element_wise(*(pc.utf8_trim_whitespace(as_text(one)) for one in columns), " ")


class _Marks(NamedTuple):
    """A column of times, each bool[n] or int64[n]."""

    seconds: np.ndarray
    local: np.ndarray
    """Whether they are of a local clock; else they are UTC."""
    bad: np.ndarray
    """Which cells are no times."""
    between: np.ndarray
    """Which are times between two seconds, where no interval begins."""


def _marks(cells: pa.Array, layout: str) -> _Marks:
    """Read times as a mapping lays them out."""
    none = np.zeros(len(cells), dtype=bool)
    if layout in {UNIX, UNIX_MS}:
        found = numbers(cells, 3 if layout == UNIX else 0)
        seconds, fraction = np.divmod(found.values, 1000)
        wild = (seconds < FIRST_S) | (seconds > LAST_S)
        return _Marks(seconds, none, found.bad | found.null | wild, fraction != 0)
    if layout == ISO:
        aware, walls = times_of(cells, None), times_of(cells, "UTC")
        bad = walls.null | walls.unreadable
        between = bad & _has_fraction(cells) if bad.any() else none
        return _Marks(walls.earliest, aware.naive & ~aware.null, bad & ~between, between)
    times = labels_of(cells, layout)
    return _Marks(times.seconds, np.full(len(cells), "%z" not in layout), times.bad, none)


def _length(file: File, marks: np.ndarray) -> int:
    if len(np.unique(marks)) < 2:
        refuse(file, "has fewer than two times: name the length of its intervals as time.minutes", "empty_file")
    return step_of(marks)


def _long(readings: Readings, table: Table, plan: Plan, how: How) -> None:
    """Read a table of one value a row; the columns of `series` tell whose."""
    names = list(plan.series)
    columns = [table.columns[plan.series[name]] for name in names]
    key, words = series_keys(columns) if columns else (np.zeros(len(table), np.int64), [()])
    begins = _begins(readings, table, plan, how, key)
    unit = plan.unit
    assert unit is not None  # a plan of a long table has one
    cells = table.columns[plan.value]
    found = numbers(cells, unit.digits, (*MISSING, *plan.missing), plan.locale)
    lines = table.lines
    report(readings.findings, readings.file, found.bad, lines, plan.value, cells, "is not a number")

    def describe(said: Words) -> Column | str:
        return _described(plan, dict(zip(names, said, strict=True)))

    power, step, rows = unit.kind != "energy", begins.length_s, span(begins.rows)
    flags, some = taken(_flags(table, plan), rows), Numbers(*(part[rows] for part in found))
    long(
        readings,
        key[rows],
        words,
        describe,
        begins.starts,
        some,
        lines[rows],
        power=power,
        interval_s=step,
        flags=flags,
    )
    _mark_weights(readings, {one.column: unit for one in readings.series})
    missing = (*MISSING, *plan.missing)
    note_rounding(readings, readings.series, cells, table.first_line, unit.digits, missing, plan.locale)
    for name in table.names:
        if name not in {*plan.clock.columns, plan.value, plan.flags, *plan.series.values()}:
            readings.left_out[name] = "not in the mapping"


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


def _wide(readings: Readings, table: Table, plan: Plan, how: How) -> None:
    """Read a table of one time a row and one column a series."""
    begins, flags = _begins(readings, table, plan, how, None), _flags(table, plan)
    units: dict[str, Unit] = {}
    for name in table.names:
        column, unit = _column(plan, name)
        if isinstance(column, str):
            readings.left_out[name] = column
        elif isinstance(column, Column) and unit is not None:
            units[name] = unit
            missing, step = (*MISSING, *plan.missing), begins.length_s
            layout = Layout(unit.digits, unit.kind != "energy", step, missing, (), plan.locale)
            wide(readings, table, begins.starts, begins.rows, {name: column}, layout, flags=flags)
    if not units:
        refuse(readings.file, "has no column that the mapping's pattern matches", "missing_column")
    _mark_weights(readings, units)
    for one in readings.series:
        missing, cells = (*MISSING, *plan.missing), table.columns[one.column]
        note_rounding(readings, [one], cells, table.first_line, units[one.column].digits, missing, plan.locale)


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
