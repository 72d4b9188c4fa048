"""Frames of the Python package entsoe-py saved as Parquet: query_generation, query_generation_per_plant, query_load."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcr_fast.columns import one_array, without_nulls
from gcr_fast.periods import DAY_S, utc_to_local
from gcr_fast.sources.cells import MEGA, report
from gcr_fast.sources.clock import HOUR_S
from gcr_fast.sources.devices import only_area
from gcr_fast.sources.files import File, Table, refuse
from gcr_fast.sources.generation.entsoe import ATTRIBUTION, consumed
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.wide import Column, Layout, step_of, wide
from gcr_fast.sources.words import KINDS, kind_of, normalised

if TYPE_CHECKING:
    import pyarrow as pa

AGGREGATED, CONSUMPTION, LOAD = "Actual Aggregated", "Actual Consumption", "Actual Load"
_TYPE_WORDS = """
biomass energy_storage fossil_brown_coal_lignite fossil_coal_derived_gas fossil_gas fossil_hard_coal fossil_oil
fossil_oil_shale fossil_peat geothermal hydro_pumped_storage hydro_run_of_river_and_poundage
hydro_run_of_river_and_pondage hydro_water_reservoir marine nuclear other other_renewable solar waste
wind_offshore wind_onshore
"""
TYPES = frozenset(_TYPE_WORDS.split())
"""All production types as the platform calls them, normalised."""
FORECAST = frozenset({"solar", "wind_offshore", "wind_onshore"})
"""What the package's forecasts have, in columns of the same names."""


class _Frame(NamedTuple):
    """What a Parquet file's schema tells."""

    times: str
    """Name of the index column."""
    zone: str
    names: tuple[str, ...]
    """The other columns."""


def detect(file: File) -> bool:
    """Whether a Parquet file has a zone-aware time index and columns that entsoe-py makes."""
    frame = _frame(file)
    if frame is None:
        return False
    named = [_levels(name) for name in frame.names]
    return any(levels[-1] in {AGGREGATED, CONSUMPTION, LOAD} for levels in named) or _is_flat(named)


def _is_flat(named: Sequence[tuple[str, ...]]) -> bool:
    """Whether all columns are production types alone, or plants with one: the level below is left out if all have one.

    The package does so where nothing is consumed; it gives net generation, forecasts and capacities so, too.
    """
    return bool(named) and all(len(levels) <= 2 and normalised(levels[-1]) in TYPES for levels in named)


def _frame(file: File) -> _Frame | None:
    if file.kind != "parquet" or file.packed:
        return None
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(file.path)
    except (pa.ArrowException, OSError, ValueError):  # a name in a damaged schema may be no text
        return None
    index = next(iter(_index_columns(schema)), "")
    if index not in schema.names or not pa.types.is_timestamp(schema.field(index).type):
        return None
    zone = schema.field(index).type.tz
    return _Frame(index, zone, tuple(name for name in schema.names if name != index)) if zone else None


def _index_columns(schema: pa.Schema) -> list[str]:
    """Return the names of the index columns that pandas noted."""
    try:
        noted = json.loads((schema.metadata or {}).get(b"pandas", b"{}")).get("index_columns", [])
    except (ValueError, AttributeError, RecursionError):
        return []
    return [one for one in noted if isinstance(one, str)] if isinstance(noted, list) else []


def _levels(name: str) -> tuple[str, ...]:
    """Return a column's name as its levels: pandas writes a tuple as its Python text."""
    if name.startswith("("):
        try:
            found = ast.literal_eval(name)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return (name,)
        if isinstance(found, tuple) and found and all(isinstance(one, str) for one in found):
            return found
    return (name,)


def read(file: File, how: How) -> Readings:
    """Read MW by type, by plant, or load. Each resolution of the index becomes series of its own."""
    frame = _frame(file)
    if frame is None:
        refuse(file, "has no time index with a zone, as entsoe-py frames have", "missing_column")
    table = file.source().table
    readings = Readings(file, FORMAT.name, rows=table.num_rows, attribution=ATTRIBUTION, zone=how.zone or frame.zone)
    starts = _starts(readings, table, frame)
    columns = _columns(readings, frame, only_area(how))
    if len(np.unique(starts)) < 2:
        refuse(file, "has fewer than two times: the length of its intervals is unknown", "empty_file")
    steps = steps_of(starts, readings.zone)
    _check_flat(file, frame, steps)
    counted = Table(table, 1)
    for step in np.unique(steps).tolist():
        rows = np.flatnonzero(steps == step)
        wide(readings, counted, starts[rows], rows, columns, Layout(MEGA, True, int(step)))
    return readings


def _starts(readings: Readings, table: pa.Table, frame: _Frame) -> np.ndarray:
    import pyarrow as pa

    ticks = one_array(table.column(frame.times))
    seconds = ticks.cast(pa.timestamp("s", frame.zone), safe=False)
    starts = without_nulls(seconds.cast(pa.int64()), 0)
    lines = np.arange(len(ticks)) + 1
    none = ticks.is_null().to_numpy(zero_copy_only=False)
    report(readings.findings, readings.file, none, lines, frame.times, None, "is empty", "null_value")
    odd = ~none & ((starts % 60 != 0) | (without_nulls(ticks.cast(pa.int64()), 0) % _ticks(ticks.type.unit) != 0))
    report(readings.findings, readings.file, odd, lines, frame.times, ticks, "is not on a whole minute")
    readings.findings.check()
    return starts


def _ticks(unit: str) -> int:
    return {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]


def _check_flat(file: File, frame: _Frame, steps: np.ndarray) -> None:
    """Refuse a frame whose columns are types alone and that may be no generation at all."""
    named = [_levels(name) for name in frame.names]
    if not _is_flat(named):
        return
    if steps.max() > HOUR_S:
        refuse(file, "has intervals longer than an hour: it is installed capacity, not energy", "missing_column")
    if max(map(len, named)) == 1 and {normalised(levels[0]) for levels in named} <= FORECAST:
        what = (
            "has wind and solar only, without Actual Aggregated: a forecast looks the same; say what it is by --mapping"
        )
        refuse(file, what, "unknown_format", column=frame.names[0])


def _columns(readings: Readings, frame: _Frame, area: str) -> dict[str, Column]:
    """Return what the columns are. A plant of several types is one device for each; what it consumes is another."""
    found: dict[str, Column] = {}
    named = {name: _levels(name) for name in frame.names}
    if _is_flat(list(named.values())):
        named = {name: (*levels, AGGREGATED) for name, levels in named.items()}
    types = Counter(plant for plant, _ in {levels[:2] for levels in named.values() if len(levels) == 3})
    for name, levels in named.items():
        kind = KINDS["load"] if levels == (LOAD,) else kind_of(levels[-2]) if len(levels) > 1 else None
        if kind is None or levels[-1] not in {AGGREGATED, CONSUMPTION, LOAD}:
            readings.left_out[name] = "no actual energy" if "Forecast" in name else "not known"
            continue
        device = levels[0] if len(levels) == 3 else None
        if device and types[device] > 1:
            device = f"{device}-{kind.slug}"
        if levels[-1] == CONSUMPTION:
            kind, device = consumed(kind), device and f"{device}-consumption"
        found[name] = Column(kind, area, device)
    return found


def steps_of(starts: np.ndarray, zone: str) -> np.ndarray:
    """Return the length of each interval int64[n]: the least distance of two times in its local day.

    Areas have gone from hours to quarters of an hour at a midnight, and a frame over that day has both.
    """
    days = utc_to_local(starts, zone) // DAY_S
    order = np.argsort(starts, kind="stable")
    gaps = np.diff(starts[order])
    inner = (gaps > 0) & (days[order][1:] == days[order][:-1])
    distinct, place = np.unique(days, return_inverse=True)
    least = np.full(len(distinct), np.iinfo(np.int64).max)
    np.minimum.at(least, place[order][1:][inner], gaps[inner])
    least[least == np.iinfo(np.int64).max] = step_of(starts)
    steps: np.ndarray = least[place]
    return steps


FORMAT = Format(
    name="entsoe-py",
    title="entsoe-py frames saved as Parquet",
    looks_like="Parquet with columns ('Solar', 'Actual Aggregated'), ... or Actual Load, and a time index with a zone",
    quirks=(
        "MW, the mean of the interval that begins at the time",
        "columns of two levels are tuples written as text; Actual Consumption of pumped storage is pumping, "
        "that of others is named after them (solar_consumption)",
        "columns of types alone, as the package writes where nothing is consumed, or net of it, are read; with wind "
        "and solar only they may be a forecast, and are refused",
        "a frame over the day on which an area went from hours to quarters has both: series of each",
        "the frame does not say of which area it is: --area names it",
        "pickled frames are not read: a pickle can run any program; save it with to_parquet",
    ),
    detect=detect,
    read=read,
)
