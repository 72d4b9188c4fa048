"""The files that ship: profiles as Parquet, demo certificates as CSV, and the manifest of both."""

from __future__ import annotations

import csv
import hashlib
import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .harvest import YEARS, BuildError, Harvest, Refusal, Series, utc_text, year_window
from .source_wheel import ATTRIBUTION, LICENCE, LICENCE_URL, PACKAGE, VERSION, WHEEL_NAME, WHEEL_SHA256

WH_PER_MWH = 1_000_000

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
