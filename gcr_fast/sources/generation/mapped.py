"""Any other table, as a mapping describes it: long or wide, delimited text, Parquet or Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.columns import as_text, one_array
from gcr_fast.flags import Flags, told
from gcr_fast.periods import FIRST_S, LAST_S
from gcr_fast.sources.cells import numbers, report
from gcr_fast.sources.clock import walk
from gcr_fast.sources.files import File, Table, delimiter_of, read_csv, refuse
from gcr_fast.sources.generation.mapping import END, ISO, UNIX, UNIX_MS, Of, Plan, plan_of
from gcr_fast.sources.long import Words, long, series_keys
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.portions import labels_of, times_of
from gcr_fast.sources.wide import Column, Layout, step_of, wide
from gcr_fast.sources.words import Kind, kind_of
from gcr_fast.units import Unit

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = ("nan", "NaN", "null")


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


def _starts(readings: Readings, table: Table, plan: Plan, how: How, key: np.ndarray | None) -> tuple[np.ndarray, int]:
    """Return (UTC begins int64[n], length in seconds). `key` int64[n] tells the series of a long table apart."""
    clock, zone = plan.clock, plan.clock.zone or how.zone or ""
    cells = _time_cells(table, plan)
    marks, local, bad = _marks(cells, clock.layout)
    lines = table.lines
    name = " ".join(clock.columns)
    wanted = "an ISO 8601 time" if clock.layout == ISO else clock.layout
    report(readings.findings, readings.file, bad, lines, name, cells, f"is not {wanted}")
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
    if not local.any():
        return marks - (length if clock.marks == END else 0), length
    starts, skipped = _walked(marks, length if clock.marks == END else 0, readings.zone, key)
    what = f"does not exist in {readings.zone}"
    report(readings.findings, readings.file, skipped, lines, name, cells, what, "nonexistent_time")
    return starts, length


def _time_cells(table: Table, plan: Plan) -> pa.Array:
    """Return the cells of the time column; of several, their texts joined by a blank."""
    import pyarrow.compute as pc

    columns = [one_array(table.columns[name]) for name in plan.clock.columns]
    if len(columns) == 1:
        return columns[0]
    return pc.binary_join_element_wise(*(pc.utf8_trim_whitespace(as_text(one)) for one in columns), " ")


def _marks(cells: pa.Array, layout: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (seconds int64[n], whether they are of a local clock bool[n], which cells are no times bool[n])."""
    if layout in {UNIX, UNIX_MS}:
        found = numbers(cells, 0)
        seconds = found.values // (1000 if layout == UNIX_MS else 1)
        wild = (seconds < FIRST_S) | (seconds > LAST_S)
        return seconds, np.zeros(len(cells), dtype=bool), found.bad | found.null | wild
    if layout == ISO:
        aware, walls = times_of(cells, None), times_of(cells, "UTC")
        return walls.earliest, aware.naive & ~aware.null, walls.null | walls.unreadable
    times = labels_of(cells, layout)
    return times.seconds, np.full(len(cells), "%z" not in layout), times.bad


def _length(file: File, marks: np.ndarray) -> int:
    if len(np.unique(marks)) < 2:
        refuse(file, "has fewer than two times: name the length of its intervals as time.minutes", "empty_file")
    return step_of(marks)


def _walked(marks: np.ndarray, back_s: int, zone: str, key: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return (UTC begins int64[n], skipped bool[n]) of local marks that lie `back_s` after the begin.

    On days of a clock change an end is written as the begin plus the length, or as the clock then shows it; whichever
    gives each interval once is meant. Where neither does, the first stays, and its doubles are refused later.
    """
    begins = walk(marks - back_s, zone, key)
    if back_s and (begins.skipped.any() or _doubled(begins.seconds, key)):
        ends = walk(marks, zone, key)
        if not ends.skipped.any() and not _doubled(ends.seconds, key):
            return ends.seconds - back_s, ends.skipped
    return begins.seconds, begins.skipped


def _doubled(seconds: np.ndarray, key: np.ndarray | None) -> bool:
    pairs = np.stack([np.zeros(len(seconds), np.int64) if key is None else key, seconds])
    return bool(np.unique(pairs, axis=1).shape[1] < len(seconds))


def _long(readings: Readings, table: Table, plan: Plan, how: How) -> None:
    """Read a table of one value a row; the columns of `series` tell whose."""
    names = list(plan.series)
    columns = [table.columns[plan.series[name]] for name in names]
    key, words = series_keys(columns) if columns else (np.zeros(len(table), np.int64), [()])
    starts, length = _starts(readings, table, plan, how, key)
    unit = plan.unit
    assert unit is not None  # a plan of a long table has one
    cells = table.columns[plan.value]
    found = numbers(cells, unit.digits, (*MISSING, *plan.missing), plan.locale)
    lines = table.lines
    report(readings.findings, readings.file, found.bad, lines, plan.value, cells, "is not a number")

    def describe(said: Words) -> Column | str:
        return _described(plan, dict(zip(names, said, strict=True)))

    power = unit.kind != "energy"
    flags = _flags(table, plan)
    long(readings, key, words, describe, starts, found, lines, power=power, interval_s=length, flags=flags)
    _mark_weights(readings, {one.column: unit for one in readings.series})
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
    starts, length = _starts(readings, table, plan, how, None)
    rows, flags = np.arange(len(table)), _flags(table, plan)
    units: dict[str, Unit] = {}
    for name in table.names:
        column, unit = _column(plan, name)
        if isinstance(column, str):
            readings.left_out[name] = column
        elif isinstance(column, Column) and unit is not None:
            units[name] = unit
            layout = Layout(unit.digits, unit.kind != "energy", length, (*MISSING, *plan.missing), (), plan.locale)
            wide(readings, table, starts, rows, {name: column}, layout, flags=flags)
    if not units:
        refuse(readings.file, "has no column that the mapping's pattern matches", "missing_column")
    _mark_weights(readings, units)


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
