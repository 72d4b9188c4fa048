"""Public files to one long table in Polars."""

from __future__ import annotations

from pathlib import Path

import polars as pl

NAME = "Polars"
MISSING = ["n/e", "N/A", "-", ""]


def utc_wide(path: Path) -> pl.DataFrame:
    """Read the dates while reading, then MW as whole Wh."""
    frame = pl.read_csv(path, try_parse_dates=True, infer_schema_length=10)
    return _long(frame.rename({"utc_timestamp": "start"}))


def local_quoted(path: Path) -> pl.DataFrame:
    """Read the beginnings of the labels afterwards; the first mention of a time is summer's, the second winter's."""
    frame = pl.read_csv(path, null_values=MISSING, infer_schema_length=10).drop("Area")
    values = [name for name in frame.columns if name != "MTU" and frame[name].null_count() < len(frame)]
    local = pl.col("MTU").str.slice(0, 16).str.to_datetime("%d.%m.%Y %H:%M")
    which = pl.when(local.is_first_distinct()).then(pl.lit("earliest")).otherwise(pl.lit("latest"))
    start = local.dt.replace_time_zone("Europe/Brussels", ambiguous=which, non_existent="null")
    there = frame.filter(~pl.all_horizontal(pl.col(values).is_null()))
    return _long(there.select(start.dt.convert_time_zone("UTC").alias("start"), *values))


def _long(frame: pl.DataFrame) -> pl.DataFrame:
    whole = frame.with_columns((pl.exclude("start") * 1e6).round().cast(pl.Int64))
    return whole.unpivot(index="start", variable_name="profile", value_name="energy_wh")
