"""Public files to one long table in pandas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

NAME = "pandas"
ENGINES = ("c", "pyarrow")
MISSING = ["n/e", "N/A", "-"]


def utc_wide(engine: str, path: Path) -> pd.DataFrame:
    """Read the dates while reading, then MW as whole Wh."""
    frame = pd.read_csv(path, parse_dates=["utc_timestamp"], engine=engine)
    return _long(frame.pop("utc_timestamp"), frame)


def local_quoted(engine: str, path: Path) -> pd.DataFrame:
    """Read the beginnings of the labels afterwards; of the hour that comes twice, the first is summer's."""
    frame = pd.read_csv(path, na_values=MISSING, engine=engine)
    frame = frame.dropna(how="all", subset=frame.columns[2:])
    local = pd.to_datetime(frame.pop("MTU").str.slice(0, 16), format="%d.%m.%Y %H:%M")
    start = local.dt.tz_localize("Europe/Brussels", ambiguous="infer").dt.tz_convert("UTC")
    return _long(start, frame.drop(columns="Area").dropna(axis=1, how="all"))


def _long(start: pd.Series, values: pd.DataFrame) -> pd.DataFrame:
    energy = np.rint(values.to_numpy(dtype=np.float64) * 1e6).astype(np.int64)
    whole = pd.DataFrame(energy, columns=values.columns, index=start.index)
    whole.insert(0, "start", start)
    return whole.melt(id_vars="start", var_name="profile", value_name="energy_wh")


def to_arrow(long: pd.DataFrame) -> pa.Table:
    """Return the result as Arrow (untimed)."""
    return pa.Table.from_pandas(long, preserve_index=False)
