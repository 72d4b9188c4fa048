"""Large files in the shape of two public ones, with made-up numbers, and what is in them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gcr_fast.columns import one_array

HOUR = timedelta(hours=1)
ZONE = ZoneInfo("Europe/Brussels")
TENTHS_WH = 100_000
"""Wh in a tenth of a MWh."""
MOST_TENTHS = 40_000
AREAS = [first + second for first in "ABCDEFGHIJ" for second in "ABCDEF"]
KINDS = ("solar", "wind_onshore", "wind_offshore")
MADE = {
    "Biomass": ("biomass", "biomass"),
    "Fossil Gas": ("fossil_gas", "fossil"),
    "Fossil Hard coal": ("fossil_hard_coal", "fossil"),
    "Hydro Pumped Storage": ("hydro_pumped_storage", "storage_discharge"),
    "Hydro Run-of-river and poundage": ("hydro_run_of_river", "hydro_run_of_river"),
    "Hydro Water Reservoir": ("hydro_reservoir", "hydro_reservoir"),
    "Nuclear": ("nuclear", "nuclear"),
    "Other": ("other", "other"),
    "Solar": ("solar", "solar"),
    "Waste": ("waste", "waste"),
    "Wind Onshore": ("wind_onshore", "wind_onshore"),
}
"""Types that the area has, each with its kind and source type."""
ABSENT = (
    "Energy storage", "Fossil Brown coal/Lignite", "Fossil Coal-derived gas", "Fossil Oil", "Fossil Oil shale",
    "Fossil Peat", "Geothermal", "Marine", "Other renewable", "Wind Offshore",
)  # fmt: skip


class Words(NamedTuple):
    """What a series of a file is."""

    profile: str
    role: str
    source_type: str | None
    kind: str
    area: str


@dataclass(frozen=True)
class PublicFile:
    """A file and the whole truth about it."""

    path: Path
    format: str
    """The name of its format here."""
    words: dict[str, Words]
    """Its columns with values, in its order."""
    starts_ms: np.ndarray
    """int64[n] UTC."""
    energy_wh: np.ndarray
    """int64[series, n]."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Its series with values, in its order."""
        return tuple(self.words)

    @property
    def cells(self) -> int:
        """How many values."""
        return int(self.energy_wh.size)


def utc_wide(path: Path, size: int) -> PublicFile:
    """Write about `size` bytes like Open Power System Data: UTC, 180 columns, tenths and whole MW row by row."""
    words = {
        f"{area}_{kind}_generation_actual": Words(f"{area}-{kind}", "generation", kind, kind, area)
        for area in AREAS
        for kind in KINDS
    }
    columns = tuple(words)
    draw, texts = np.random.default_rng(1), [str(value / 10) for value in range(10 * MOST_TENTHS)]
    starts, rows = [], []
    with path.open("w", encoding="ascii") as file:
        file.write("utc_timestamp," + ",".join(columns) + "\n")
        for at, moment in enumerate(_hours(datetime(2015, 1, 1, tzinfo=UTC))):
            values = draw.integers(0, MOST_TENTHS, len(columns)) * (10 if at % 2 else 1)
            file.write(f"{moment:%Y-%m-%dT%H:%M:%SZ}," + ",".join([texts[value] for value in values.tolist()]) + "\n")
            starts.append(_ms(moment))
            rows.append(values)
            if file.tell() >= size:
                break
    return PublicFile(path, "opsd", words, np.array(starts), np.ascontiguousarray(np.array(rows).T) * TENTHS_WH)


def local_quoted(path: Path, size: int) -> PublicFile:
    """Write about `size` bytes like ENTSO-E's old export: local time, quotes, ten types that the area has not.

    An empty row stands for the hour that spring skips, and autumn has a label twice.
    """
    names, pumping = sorted(map(_aggregated, (*MADE, *ABSENT))), "Hydro Pumped Storage  - Actual Consumption [MW]"
    words = {_aggregated(name): _made(*what) for name, what in sorted(MADE.items())}
    words[pumping] = Words("AT-pumping", "consumption", None, "pumping", "AT")
    columns = tuple(words)
    draw = random.Random(1)
    starts, rows, last = [], [], None
    with path.open("w", encoding="ascii") as file:
        file.write(_quoted(["Area", "MTU", *names, pumping]))
        for moment in _hours(datetime(1999, 12, 31, 23, tzinfo=UTC)):
            local = moment.astimezone(ZONE).replace(tzinfo=None)
            if last is not None and local - last > HOUR:
                file.write(_quoted(["BZN|AT", _label(last + HOUR), *[""] * (len(names) + 1)]))
            values = [draw.randint(0, MOST_TENTHS // 10) for _ in columns]
            have = dict(zip(columns, map(str, values), strict=True))
            cells = [have.get(name, "n/e") for name in (*names, pumping)]
            file.write(_quoted(["BZN|AT", _label(local), *cells]))
            starts.append(_ms(moment))
            rows.append(values)
            last = local
            if file.tell() >= size:
                break
    energy_wh = np.ascontiguousarray(np.array(rows).T) * 10 * TENTHS_WH
    return PublicFile(path, "entsoe-old", words, np.array(starts), energy_wh)


def _aggregated(name: str) -> str:
    return f"{name}  - Actual Aggregated [MW]"


def _made(kind: str, source_type: str) -> Words:
    role = "storage" if source_type == "storage_discharge" else "generation"
    return Words(f"AT-{kind}", role, source_type, kind, "AT")


def _hours(first: datetime) -> Iterator[datetime]:
    moment = first
    while True:
        yield moment
        moment += HOUR


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def _label(local: datetime) -> str:
    return f"{local:%d.%m.%Y %H:%M} - {local + HOUR:%d.%m.%Y %H:%M} (CET/CEST)"


def _quoted(cells: list[str]) -> str:
    return '"' + '","'.join(cells) + '"\n'


def check(who: str, table: pa.Table, truth: PublicFile) -> None:
    """Raise unless a long table is the file, series after series: a name each, its UTC starts and whole Wh."""
    series, hours = truth.energy_wh.shape
    starts = table["start"].cast(pa.timestamp("ms", "UTC")).cast(pa.int64()).to_numpy()
    names = pc.run_end_encode(one_array(table["profile"]).cast(pa.string()))
    right = (
        table.num_rows == truth.cells
        and table["energy_wh"].null_count == 0
        and np.array_equal(table["energy_wh"].cast(pa.int64()).to_numpy(), truth.energy_wh.ravel())
        and np.array_equal(starts, np.tile(truth.starts_ms, series))
        and np.array_equal(names.run_ends.to_numpy(), hours * np.arange(1, series + 1))
        and len(set(names.values.to_pylist())) == series
    )
    assert right, f"{who} reads {truth.path.name} differently: nothing was timed"


def check_whole(who: str, table: pa.Table, ours: pa.Table, truth: PublicFile) -> None:
    """Raise unless a table says the same as ours in each of its columns, and its metadata has the file's hash."""
    right = table.schema.metadata[b"sha256"].decode() in ours.schema.metadata[b"gcr_fast.sources"].decode()
    for field in ours.schema:
        one, other = (_runs(each[field.name]) for each in (table, ours))
        right &= one.values.equals(other.values) and one.run_ends.equals(other.run_ends)
    assert right, f"{who} makes another table of {truth.path.name}: nothing was timed"


def _runs(column: pa.ChunkedArray) -> pa.RunEndEncodedArray:
    flat = one_array(column)
    if pa.types.is_timestamp(flat.type):
        flat = flat.cast(pa.timestamp("ms", "UTC")).cast(pa.int64())
    return pc.run_end_encode(flat.cast(pa.string()) if pa.types.is_dictionary(flat.type) else flat)
