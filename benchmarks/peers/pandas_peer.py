"""The conversion in pandas: merge, then NumPy on whole columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

NAME = "pandas"
KEY = ["profile", "production_start", "production_end"]
BIRTH = {"conversion": "ACTIVE", "end_use": "RETIRED"}
WORDS = ("source_type", "status", "allocation_basis", "owner")
COLUMNS = ["parent_certificate_id", "production_start", "interval_s", "energy_wh", *WORDS]


def spread(total: np.ndarray, reached: np.ndarray, weight: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return the hours of the cumulative rule."""
    ratio = total / whole
    return _floor(total, reached, whole, ratio) - _floor(total, reached - weight, whole, ratio)


def _floor(total: np.ndarray, reached: np.ndarray, whole: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    guess = (reached * ratio).astype(np.int64)
    rest = total * reached
    rest -= guess * whole
    guess -= rest < 0
    guess += rest >= whole
    return guess


def hours(annual: pd.DataFrame, profiles: pd.DataFrame) -> pd.DataFrame:
    """Convert two frames. Words are categories, and the merge is on one integer."""
    annual = annual.assign(
        span=annual.groupby(KEY, observed=True).ngroup(),
        status=annual["purpose"].map(BIRTH).fillna("LOCKED"),
        allocation_basis=annual["allocation_basis"].fillna("regional_technology_profile"),
    )
    parents = annual[["span", "certificate_id", "energy_wh", *WORDS]].rename(columns={"energy_wh": "total"})
    parents = parents.astype(dict.fromkeys(("certificate_id", *WORDS), "category"))
    merged = parents.merge(_weights(annual[["span", *KEY]].drop_duplicates(), profiles), on="span", sort=False)
    columns = (merged.pop(name).to_numpy() for name in ("total", "reached", "weight", "whole"))
    merged["energy_wh"] = spread(*columns)
    merged["interval_s"] = np.int32(3600)
    merged = merged.rename(columns={"certificate_id": "parent_certificate_id", "start": "production_start"})
    return merged.loc[merged["energy_wh"] > 0, COLUMNS]


def _weights(spans: pd.DataFrame, profiles: pd.DataFrame) -> pd.DataFrame:
    """Return each profile's running sums over each period that is asked of it."""
    every = spans.merge(profiles.rename(columns={"energy_wh": "weight"})[["profile", "start", "weight"]], on="profile")
    inside = (every["start"] >= every["production_start"]) & (every["start"] < every["production_end"])
    every = every[inside & (every["weight"] > 0)].sort_values(["span", "start"])
    sums = every.groupby("span")["weight"]
    every = every.assign(reached=sums.cumsum(), whole=sums.transform("sum"))
    return every[["span", "start", "weight", "reached", "whole"]]


def convert(annual: pa.Table, profiles: pa.Table) -> pd.DataFrame:
    """Convert two Arrow tables into a frame."""
    return hours(annual.to_pandas(), profiles.to_pandas())


def to_arrow(hourly: pd.DataFrame) -> pa.Table:
    """Return the result as Arrow (untimed)."""
    return pa.Table.from_pandas(hourly, preserve_index=False)


def validate(annual: pa.Table, hourly: pd.DataFrame) -> bool:
    """Whether hours sum to their parents, none comes twice and all lie in their parent's period."""
    groups = hourly.groupby("parent_certificate_id", observed=True)
    start = groups["production_start"]
    ends = start.max() + pd.Timedelta(int(hourly["interval_s"].max()), "s")
    sums = pd.DataFrame({"sum": groups["energy_wh"].sum(), "least": groups["energy_wh"].min()})
    sums = sums.assign(first=start.min(), last=ends)
    sums.index = sums.index.astype(str)
    both = annual.to_pandas().set_index("certificate_id").join(sums, how="outer")
    good = (both["energy_wh"] == both["sum"]) & (both["least"] >= 0)
    good &= (both["first"] >= both["production_start"]) & (both["last"] <= both["production_end"])
    return bool(good.all()) and (_ascending(hourly) or not hourly.duplicated(COLUMNS[:2]).any())


def _ascending(hourly: pd.DataFrame) -> bool:
    """Whether hours ascend within parents that are not torn apart, which proves that none comes twice."""
    parents = hourly["parent_certificate_id"].cat.codes.to_numpy()
    starts = hourly["production_start"].astype("int64").to_numpy()
    border = parents[1:] != parents[:-1]
    whole = border.sum() + 1 == len(np.unique(parents[np.flatnonzero(np.append(True, border))]))
    return bool(whole and (border | (starts[1:] > starts[:-1])).all())


def write(annual: Path, profiles: Path, out: Path) -> None:
    """Convert two Parquet files into one."""
    hours(pd.read_parquet(annual), pd.read_parquet(profiles)).to_parquet(out, compression="zstd", index=False)
