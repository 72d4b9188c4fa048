"""The conversion in Polars: running sums over the profile, joined to the certificates."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "Polars"
KEY = ["profile", "first", "last"]
COLUMNS = (
    "parent_certificate_id",
    "production_start",
    "interval_s",
    "energy_wh",
    "source_type",
    "status",
    "allocation_basis",
    "owner",
)


def divided(total: pl.Expr, reached: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Return floor(total * reached / whole) in 128-bit integers."""
    return (total.cast(pl.Int128) * reached.cast(pl.Int128) // whole.cast(pl.Int128)).cast(pl.Int64)


def guessed(total: pl.Expr, reached: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """Return the same from a float guess, mended by its remainder: 64-bit products wrap around, which is harmless."""
    guess = (reached.cast(pl.Float64) * (total.cast(pl.Float64) / whole.cast(pl.Float64))).cast(pl.Int64)
    rest = total * reached - guess * whole
    return guess + (rest >= whole).cast(pl.Int64) - (rest < 0).cast(pl.Int64)


Floor = Callable[[pl.Expr, pl.Expr, pl.Expr], pl.Expr]


def parents(annual: pl.LazyFrame) -> pl.LazyFrame:
    """Return what each certificate's hours have in common."""
    birth = pl.when(pl.col("purpose") == "conversion").then(pl.lit("ACTIVE"))
    birth = birth.when(pl.col("purpose") == "end_use").then(pl.lit("RETIRED")).otherwise(pl.lit("LOCKED"))
    return annual.select(
        pl.col("certificate_id").alias("parent_certificate_id"),
        pl.col("energy_wh").alias("total"),
        "source_type",
        birth.alias("status"),
        pl.col("allocation_basis").fill_null("regional_technology_profile"),
        "owner",
        "profile",
        pl.col("production_start").alias("first"),
        pl.col("production_end").alias("last"),
    )


def weights(annual: pl.LazyFrame, profiles: pl.LazyFrame) -> pl.LazyFrame:
    """Return each profile's running sums over each period that is asked of it."""
    return (
        parents(annual)
        .select(KEY)
        .unique()
        .join(profiles.select("profile", "start", pl.col("energy_wh").alias("weight")), on="profile")
        .filter(pl.col("start") >= pl.col("first"), pl.col("start") < pl.col("last"), pl.col("weight") > 0)
        .sort([*KEY, "start"])
        .with_columns(
            pl.col("weight").cum_sum().over(KEY).alias("reached"),
            pl.col("weight").sum().over(KEY).alias("whole"),
        )
    )


def joined(annual: pl.LazyFrame, profiles: pl.LazyFrame, floor: Floor) -> pl.LazyFrame:
    """Join certificates with running sums: one row per hour, then two floors."""
    return hours(parents(annual).join(weights(annual, profiles), on=KEY), floor)


def exploded(annual: pl.LazyFrame, profiles: pl.LazyFrame, floor: Floor) -> pl.LazyFrame:
    """Join certificates with whole lists of running sums and unfold these: a join of few rows."""
    lists = weights(annual, profiles).group_by(KEY).agg("start", "weight", "reached", pl.col("whole").first())
    return hours(parents(annual).join(lists, on=KEY).explode("start", "weight", "reached"), floor)


def hours(matched: pl.LazyFrame, floor: Floor) -> pl.LazyFrame:
    """Return the hourly certificates of rows that have total, reached, weight and whole."""
    total, reached, weight, whole = (pl.col(name) for name in ("total", "reached", "weight", "whole"))
    return (
        matched.with_columns(
            (floor(total, reached, whole) - floor(total, reached - weight, whole)).alias("energy_wh"),
            pl.lit(3600, pl.Int32).alias("interval_s"),
            pl.col("start").alias("production_start"),
        )
        .filter(pl.col("energy_wh") > 0)
        .select(COLUMNS)
    )


VARIANTS: dict[str, Callable[[pl.LazyFrame, pl.LazyFrame], pl.LazyFrame]] = {
    "Int128 division, join": lambda annual, profiles: joined(annual, profiles, divided),
    "float guess, join": lambda annual, profiles: joined(annual, profiles, guessed),
    "float guess, lists": lambda annual, profiles: exploded(annual, profiles, guessed),
}


def convert(variant: str, annual: pa.Table, profiles: pa.Table) -> pl.DataFrame:
    """Convert two Arrow tables into a frame, by the engine named last in the variant."""
    query, engine = variant.rsplit(", ", 1)
    frames = (pl.from_arrow(table).lazy() for table in (annual, profiles))
    return VARIANTS[query](*frames).collect(engine=engine)


def to_arrow(hourly: pl.DataFrame) -> pa.Table:
    """Return the result as Arrow (untimed)."""
    return hourly.to_arrow()


def frame(hourly: pa.Table) -> pl.DataFrame:
    """Take finished hours from Arrow."""
    return pl.from_arrow(hourly)


def validate_by_count(annual: pa.Table, hourly: pl.DataFrame) -> bool:
    """Whether hours sum to their parents, none comes twice (distinct starts are counted) and all lie in the period."""
    once = pl.col("production_start").n_unique() == pl.len()
    sums = hourly.lazy().group_by("parent_certificate_id").agg(*_sums(), once.alias("once"))
    return _agree(annual, sums) and bool(sums.select(pl.col("once").all()).collect().item())


def validate_by_order(annual: pa.Table, hourly: pl.DataFrame) -> bool:
    """The same where hours ascend within parents that are not torn apart, which proves that none comes twice."""
    parent, start = pl.col("parent_certificate_id"), pl.col("production_start")
    same = parent == parent.shift()
    runs = (~same).fill_null(True).sum().alias("runs")
    ordered = (~same | (start > start.shift())).fill_null(True).all().alias("ordered")
    look = hourly.lazy().select(runs, ordered)
    sums = hourly.lazy().group_by("parent_certificate_id").agg(*_sums())
    state, sums = pl.collect_all([look, sums])
    if state["ordered"][0] and state["runs"][0] == len(sums):
        return _agree(annual, sums.lazy())
    return validate_by_count(annual, hourly)


VALIDATIONS = {"distinct starts": validate_by_count, "order": validate_by_order}


def _sums() -> tuple[pl.Expr, ...]:
    start = pl.col("production_start")
    return (
        pl.col("energy_wh").sum(),
        pl.col("energy_wh").min().alias("least"),
        start.min().alias("from"),
        (start + pl.duration(seconds=pl.col("interval_s"))).max().alias("to"),
    )


def _agree(annual: pa.Table, sums: pl.LazyFrame) -> bool:
    frame = pl.from_arrow(annual).lazy()
    both = frame.join(sums, left_on="certificate_id", right_on="parent_certificate_id", how="full")
    good = (
        (pl.col("energy_wh") == pl.col("energy_wh_right"))
        & (pl.col("least") >= 0)
        & (pl.col("from") >= pl.col("production_start"))
        & (pl.col("to") <= pl.col("production_end"))
    )
    return bool(both.select(good.fill_null(False).all()).collect().item())


def write_collected(variant: str, annual: Path, profiles: Path, out: Path) -> None:
    """Convert two Parquet files into one: everything in memory first."""
    frames = (pl.scan_parquet(path) for path in (annual, profiles))
    VARIANTS[variant](*frames).collect().write_parquet(out, compression="zstd")


def write_streamed(variant: str, annual: Path, profiles: Path, out: Path) -> None:
    """Convert two Parquet files into one by the streaming engine."""
    frames = (pl.scan_parquet(path) for path in (annual, profiles))
    VARIANTS[variant](*frames).sink_parquet(out, compression="zstd")


WRITERS = {"collect, write_parquet": write_collected, "sink_parquet": write_streamed}


if __name__ == "__main__":
    write_streamed(sys.argv[1], *map(Path, sys.argv[2:]))
