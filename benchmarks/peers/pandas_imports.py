"""Public files to one long table in pandas."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.public_files import PublicFile, Words

NAME = "pandas"
ENGINES = ("c", "pyarrow")
MISSING = ["n/e", "N/A", "-"]


def utc_wide(engine: str, path: Path) -> pd.DataFrame:
    """Read the dates while reading, then MW as whole Wh."""
    return _long(*_utc(engine, path))


def local_quoted(engine: str, path: Path) -> pd.DataFrame:
    """Read the beginnings of the labels afterwards; of the hour that comes twice, the first is summer's."""
    return _long(*_local(engine, path))


def utc_whole(truth: PublicFile) -> pd.DataFrame:
    """Read the same, and make all columns of the table that ours is."""
    return _whole(*_utc("c", truth.path), truth)


def local_whole(truth: PublicFile) -> pd.DataFrame:
    """Read the same, and make all columns of the table that ours is."""
    return _whole(*_local("c", truth.path), truth)


def _utc(engine: str, path: Path) -> tuple[pd.Series, pd.DataFrame]:
    frame = pd.read_csv(path, parse_dates=["utc_timestamp"], engine=engine)
    return frame.pop("utc_timestamp"), frame


def _local(engine: str, path: Path) -> tuple[pd.Series, pd.DataFrame]:
    frame = pd.read_csv(path, na_values=MISSING, engine=engine)
    frame = frame.dropna(how="all", subset=frame.columns[2:])
    local = pd.to_datetime(frame.pop("MTU").str.slice(0, 16), format="%d.%m.%Y %H:%M")
    start = local.dt.tz_localize("Europe/Brussels", ambiguous="infer").dt.tz_convert("UTC")
    return start, frame.drop(columns="Area").dropna(axis=1, how="all")


def _long(start: pd.Series, values: pd.DataFrame) -> pd.DataFrame:
    energy = np.rint(values.to_numpy(dtype=np.float64) * 1e6).astype(np.int64)
    whole = pd.DataFrame(energy, columns=values.columns, index=start.index)
    whole.insert(0, "start", start)
    return whole.melt(id_vars="start", var_name="profile", value_name="energy_wh")


def _whole(start: pd.Series, values: pd.DataFrame, truth: PublicFile) -> pd.DataFrame:
    """Lay the series one after another, words as categories, and hash the file: no slower than melting."""
    with truth.path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    series, count = [truth.words[name] for name in values.columns], len(values)
    megawatts = values.to_numpy(dtype=np.float64).T.ravel()
    with np.errstate(invalid="ignore"):
        energy = np.rint(megawatts * 1e6).astype(np.int64)
    moments = np.tile(start.dt.tz_localize(None).to_numpy(), len(series))
    columns = {
        "start": pd.DatetimeIndex(moments).tz_localize("UTC"),
        "interval_s": np.full(len(energy), 3600, np.int32),
        "energy_wh": pd.arrays.IntegerArray(energy, np.isnan(megawatts)),
        **{name: _repeated([getattr(one, name) for one in series], count) for name in Words._fields},
        **{name: _repeated([None] * len(series), count) for name in ("device_id", "flags")},
        "quality": _repeated(["measured"] * len(series), count),
        "format": _repeated([truth.format] * len(series), count),
    }
    whole = pd.DataFrame(columns, copy=False)
    whole.attrs["sha256"] = sha256
    return whole


def _repeated(words: list[str | None], count: int) -> pd.Categorical:
    """Return each word `count` times."""
    known = pd.Index(list(dict.fromkeys(word for word in words if word is not None)), dtype=object)
    codes = known.get_indexer(words).astype(np.int8 if len(known) < 128 else np.int16)
    return pd.Categorical.from_codes(np.repeat(codes, count), known)


def to_arrow(long: pd.DataFrame) -> pa.Table:
    """Return the result as Arrow (untimed)."""
    return pa.Table.from_pandas(long, preserve_index=False).replace_schema_metadata(long.attrs)
