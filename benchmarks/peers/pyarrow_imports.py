"""Public files to one long table with pyarrow, and what its reader alone takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

NAME = "pyarrow"
MISSING = ["n/e", "N/A", "-", ""]


def parse(path: Path) -> pa.Table:
    """Parse, infer types, and no more."""
    return csv.read_csv(path)


def utc_wide(path: Path) -> pa.Table:
    """Read the dates while reading, then MW as whole Wh."""
    table = csv.read_csv(path)
    return _long(table["utc_timestamp"].cast(pa.timestamp("ms", "UTC")), table.drop(["utc_timestamp"]))


def local_quoted(path: Path) -> pa.Table:
    """Read the beginnings of the labels afterwards; the first mention of a time is summer's, the second winter's."""
    table = csv.read_csv(path, convert_options=csv.ConvertOptions(null_values=MISSING))
    label = pc.utf8_slice_codeunits(table["MTU"], 0, 16).combine_chunks()
    values = table.drop(["Area", "MTU"])
    values = values.select([name for name in values.column_names if values[name].null_count < len(values)])
    there = values[0].is_valid().combine_chunks()
    local = pc.strptime(label.filter(there), "%d.%m.%Y %H:%M", "s")
    again = np.zeros(len(local), dtype=bool)
    seconds = local.cast(pa.int64()).to_numpy()
    again[1:] = seconds[1:] <= seconds[:-1]
    early, late = (pc.assume_timezone(local, "Europe/Brussels", ambiguous=way) for way in ("earliest", "latest"))
    start = pc.if_else(pa.array(again), late, early)
    return _long(pa.chunked_array([start.cast(pa.timestamp("ms", "UTC"))]), values.filter(there))


def _long(start: pa.ChunkedArray, values: pa.Table) -> pa.Table:
    names = pa.array(values.column_names, pa.string())
    pieces = []
    for at, name in enumerate(values.column_names):
        energy = pc.round(pc.multiply(values[name].cast(pa.float64()), 1e6)).cast(pa.int64())
        codes = pa.array(np.full(len(energy), at, np.int32))
        words = pa.chunked_array([pa.DictionaryArray.from_arrays(codes, names)])
        pieces.append(pa.table({"profile": words, "start": start, "energy_wh": energy}))
    return pa.concat_tables(pieces)
