"""Parquet row groups encoded in parallel and laid into one file; a column that repeats is encoded once.

pyarrow encodes every column (each as a tiny Parquet file in memory, without the GIL); this module copies the encoded
bytes and writes one footer over them, whose only changed fields are offsets. Measured: 88 million hours in a file
take a fifth of the time of one pyarrow writer, because six of nine columns are the same in every row group.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from gcr_fast.exchange import thrift
from gcr_fast.exchange.thrift import I16, I64, LIST, STRUCT, Struct

if TYPE_CHECKING:
    import pyarrow as pa

MAGIC = b"PAR1"
# Fields of parquet.thrift, by struct.
FILE_ROWS, FILE_GROUPS = 3, 4
CHUNK_OFFSET, CHUNK_META = 2, 3
META_COMPRESSED, META_UNCOMPRESSED, META_DATA_PAGE, META_INDEX_PAGE, META_DICTIONARY_PAGE = 7, 6, 9, 10, 11
GROUP_COLUMNS, GROUP_BYTES, GROUP_ROWS, GROUP_OFFSET, GROUP_COMPRESSED, GROUP_ORDINAL = 1, 2, 3, 5, 6, 7
MAX_ORDINAL = 32_767

DELTA_COLUMNS = frozenset({"energy_wh", "production_start"})
STATISTICS = frozenset({"energy_wh", "production_start", "parent_certificate_id"})
"""Columns by which a reader may skip row groups; statistics of the others would double the encoding time."""


@dataclass(frozen=True)
class Chunk:
    """One encoded column of one row group; offsets in `meta` count from the chunk's first byte."""

    data: bytes
    meta: Struct


@dataclass(frozen=True)
class Group:
    """One encoded row group."""

    chunks: list[Chunk]
    rows: int


class Encoder:
    """Encodes record batches of one schema; may be used by many threads at once."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self._kept: dict[tuple[str, Hashable], Chunk] = {}
        self._lock = threading.Lock()

    def encode(self, batch: pa.RecordBatch, same: Mapping[str, Hashable]) -> Group:
        """Encode a batch as one row group.

        `same` names columns that repeat: equal marks promise equal contents, so the bytes are made once and kept.
        """
        chunks = [self._column(batch, field, same.get(field.name)) for field in self.schema]
        return Group(chunks, batch.num_rows)

    def _column(self, batch: pa.RecordBatch, field: pa.Field, mark: Hashable) -> Chunk:
        key = (field.name, mark)
        if mark is not None and key in self._kept:
            return self._kept[key]
        chunk = encode_column(field, batch.column(field.name))
        if mark is not None:
            with self._lock:
                self._kept[key] = chunk
        return chunk


def encode_column(field: pa.Field, column: pa.Array) -> Chunk:
    """Encode one column with pyarrow and take its bytes and metadata out of the small file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    schema = pa.schema([field])
    delta = field.name in DELTA_COLUMNS
    with pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=not delta,
        column_encoding={field.name: "DELTA_BINARY_PACKED"} if delta else None,
        write_statistics=field.name in STATISTICS,
        write_batch_size=1 << 16,
        store_schema=False,
    ) as writer:
        writer.write_batch(pa.record_batch([column], schema=schema), row_group_size=max(len(column), 1))
    data = sink.getvalue().to_pybytes()
    groups = _footer(data)[FILE_GROUPS][1][1]
    meta: Struct = groups[0][GROUP_COLUMNS][1][1][0][CHUNK_META][1]
    first = min(meta[key][1] for key in (META_DATA_PAGE, META_DICTIONARY_PAGE) if key in meta)
    return Chunk(data[first : first + meta[META_COMPRESSED][1]], _moved(meta, -first))


def _footer(data: bytes) -> Struct:
    size = struct.unpack("<i", data[-8:-4])[0]
    return thrift.read_struct(data[-8 - size : -8])


def _moved(meta: Struct, by: int) -> Struct:
    """Return a column's metadata with its page offsets moved."""
    pages = {key: (I64, meta[key][1] + by) for key in (META_DATA_PAGE, META_DICTIONARY_PAGE) if key in meta}
    return {key: value for key, value in (meta | pages).items() if key != META_INDEX_PAGE}


class FileWriter:
    """Lays encoded row groups into a binary file, one after another, and closes it with a footer."""

    def __init__(self, file: BinaryIO, schema: pa.Schema, metadata: Mapping[str, str]) -> None:
        self.file = file
        self._template = _empty_footer(schema.with_metadata(dict(metadata)))
        self._groups: list[Struct] = []
        self.rows = 0
        self._at = file.write(MAGIC)

    def append(self, group: Group) -> None:
        """Write one row group."""
        start, columns, uncompressed = self._at, [], 0
        for chunk in group.chunks:
            meta = _moved(chunk.meta, self._at)
            columns.append({CHUNK_OFFSET: (I64, 0), CHUNK_META: (STRUCT, meta)})
            uncompressed += meta[META_UNCOMPRESSED][1]
            self._at += self.file.write(chunk.data)
        fields: Struct = {
            GROUP_COLUMNS: (LIST, (STRUCT, columns)),
            GROUP_BYTES: (I64, uncompressed),
            GROUP_ROWS: (I64, group.rows),
            GROUP_OFFSET: (I64, start),
            GROUP_COMPRESSED: (I64, self._at - start),
        }
        if len(self._groups) <= MAX_ORDINAL:
            fields[GROUP_ORDINAL] = (I16, len(self._groups))
        self._groups.append(fields)
        self.rows += group.rows

    def close(self) -> None:
        """Write the footer; the file itself stays open."""
        footer = self._template | {
            FILE_ROWS: (I64, self.rows),
            FILE_GROUPS: (LIST, (STRUCT, self._groups)),
        }
        data = thrift.write_struct(footer)
        self.file.write(data + struct.pack("<i", len(data)) + MAGIC)


def _empty_footer(schema: pa.Schema) -> Struct:
    """Let pyarrow write the schema, the metadata and its own name."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.ParquetWriter(sink, schema).close()
    footer: Any = _footer(sink.getvalue().to_pybytes())
    return dict(footer)


