"""Writing any stream of record batches to one file: Parquet, Arrow IPC or CSV; a whole file or none.

For tables that come batch by batch from somewhere else than a conversion, whose own writer is `writing`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from gcr_fast.errors import UsageError
from gcr_fast.exchange.writing import Written, format_of, said_plainly, whole_file

if TYPE_CHECKING:
    import pyarrow as pa

GROUP_ROWS = 1 << 19
"""Rows of a row group or batch: small batches are joined."""


def write_stream(path: str | os.PathLike[str], schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Written:
    """Write batches of one schema, in order, to the file that `path` names; its suffix is the format.

    Never more than about one row group is in memory. Complete or not at all: `OutputError` if it cannot be written.
    """
    place = Path(path)
    if place.is_dir() or not place.suffix:
        raise UsageError(f"{place}: name a file that ends in .parquet, .arrow or .csv")
    kind = format_of(place)
    with said_plainly(place):
        with whole_file(place) as file:
            rows = _FORMATS[kind](file, schema, _joined(schema, batches))
        return Written(place, 1, rows, place.stat().st_size, kind)


def _joined(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        if rows and rows + batch.num_rows > GROUP_ROWS:
            yield pa.Table.from_batches(waiting, schema)
            waiting, rows = [], 0
        waiting.append(batch)
        rows += batch.num_rows
    if rows:
        yield pa.Table.from_batches(waiting, schema)


def _write_parquet(file: BinaryIO, schema: pa.Schema, tables: Iterator[pa.Table]) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    integers = [field.name for field in schema if _is_integer(field.type)]
    options: dict[str, Any] = {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": [field.name for field in schema if field.name not in integers],
        "column_encoding": dict.fromkeys(integers, "DELTA_BINARY_PACKED"),
        "store_schema": True,
    }
    rows = 0
    with parquet.ParquetWriter(pa.PythonFile(file, "w"), schema, **options) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=GROUP_ROWS)
            rows += table.num_rows
    return rows


def _is_integer(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_timestamp(kind))


def _write_ipc(file: BinaryIO, schema: pa.Schema, tables: Iterator[pa.Table]) -> int:
    """Write Arrow IPC with buffers in zstd: every Arrow library reads them, and they take a twelfth of the room."""
    import pyarrow as pa

    rows = 0
    options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=1))
    with pa.ipc.new_file(file, schema, options=options) as writer:
        for table in tables:
            writer.write_table(table)
            rows += table.num_rows
    return rows


def _write_csv(file: BinaryIO, schema: pa.Schema, tables: Iterator[pa.Table]) -> int:
    import pyarrow as pa
    from pyarrow import csv

    rows = 0
    file.write((",".join(schema.names) + "\n").encode())
    for table in tables:
        sink = pa.BufferOutputStream()
        csv.write_csv(table, sink, csv.WriteOptions(include_header=False))
        file.write(sink.getvalue())
        rows += table.num_rows
    return rows


_FORMATS: dict[str, Callable[[BinaryIO, pa.Schema, Iterator[pa.Table]], int]] = {
    "parquet": _write_parquet,
    "ipc": _write_ipc,
    "csv": _write_csv,
}
