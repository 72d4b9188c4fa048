"""Our own batches through pyarrow's ParquetWriter, same columns and encodings: what the row-group writer saves."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import gcr_fast
from benchmarks.machine import THREADS

NAME = "pyarrow ParquetWriter"
DELTA = ("energy_wh", "production_start")


def write(annual: Path, profiles: Path, out: Path) -> None:
    """Convert with gcr_fast, write with pyarrow."""
    made = gcr_fast.convert(annual, profiles, threads=THREADS)
    words = [name for name in made.schema.names if name not in DELTA]
    with pq.ParquetWriter(
        out,
        made.schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=words,
        column_encoding=dict.fromkeys(DELTA, "DELTA_BINARY_PACKED"),
        write_statistics=[*DELTA, "parent_certificate_id"],
    ) as writer:
        for batch in made.batches():
            writer.write_batch(batch, row_group_size=batch.num_rows)


def write_ipc(table: pa.Table, out: Path) -> None:
    """Write finished hours as Arrow IPC; one dictionary for all batches, as the file format asks."""
    whole = table.unify_dictionaries()
    with pa.ipc.new_file(out, whole.schema) as writer:
        writer.write_table(whole)
