"""Parquet row groups encoded in parallel and laid into one file; a part that repeats is encoded once.

pyarrow encodes every column (each as a tiny Parquet file in memory, without the GIL); this module copies the encoded
pages and writes one footer over them, whose changed fields are counts, sizes and offsets. The times of a year, or a
status that never changes, are the same pages over and over: only energy and parents are really encoded again.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from gcr_fast.exchange import thrift
from gcr_fast.exchange.thrift import BINARY, I16, I32, I64, LIST, STRUCT, Struct

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

MAGIC = b"PAR1"
# Fields of parquet.thrift, by struct.
FILE_ROWS, FILE_GROUPS = 3, 4
CHUNK_OFFSET, CHUNK_META = 2, 3
META_VALUES, META_UNCOMPRESSED, META_COMPRESSED = 5, 6, 7
META_DATA_PAGE, META_DICTIONARY_PAGE, META_STATISTICS = 9, 11, 12
META_OF_ONE_WRITER = frozenset({8, 10, 13, 14, 15, 16, 17})
"""Key-values, index page, page counts, bloom filter, sizes: optional, and true of one writer's file only."""
STAT_NULLS, STAT_MAX, STAT_MIN = 3, 5, 6
PAGE_UNCOMPRESSED = 2
RLE, RLE_DICTIONARY = 3, 8
GROUP_COLUMNS, GROUP_BYTES, GROUP_ROWS, GROUP_OFFSET, GROUP_COMPRESSED, GROUP_ORDINAL = 1, 2, 3, 5, 6, 7
MAX_ORDINAL = 32_767
KEPT_PAGES = 4096
"""Repeated parts that are kept encoded; a few hundred bytes each."""

DELTA_COLUMNS = frozenset({"energy_wh", "production_start"})
STATISTICS = frozenset({"energy_wh", "production_start", "parent_certificate_id"})
"""Columns by which a reader may skip row groups; statistics of the others would double the encoding time."""


@dataclass(frozen=True)
class Repeat:
    """Part of a column that comes again and again: `make()` returns its values, which stand `times` times."""

    mark: Hashable
    """Equal marks promise equal values."""
    rows: int
    times: int
    make: Callable[[], pa.Array]


@dataclass(frozen=True, eq=False)
class Runs:
    """A column of few values in long runs: value `values[codes[j]]` stands `counts[j]` times, one run after another."""

    codes: np.ndarray
    counts: np.ndarray
    values: pa.Array
    """Distinct, without null."""


Column: TypeAlias = "pa.Array | Runs | tuple[Repeat, ...]"


@dataclass(frozen=True)
class Pages:
    """Encoded pages of one column: the dictionary, if it has one, and the data, headers included."""

    dictionary: bytes
    data: bytes
    dictionary_size: int
    """Uncompressed bytes of the dictionary page."""
    data_size: int
    """Uncompressed bytes of the data pages."""
    rows: int
    meta: Struct


@dataclass(frozen=True)
class Chunk:
    """One encoded column of one row group; offsets in `meta` count from the chunk's first byte."""

    parts: tuple[bytes, ...]
    meta: Struct


@dataclass(frozen=True)
class Group:
    """One encoded row group."""

    chunks: list[Chunk]
    rows: int


class Encoder:
    """Encodes row groups of one schema; may be used by many threads at once."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self._kept: dict[tuple[str, Hashable], Pages] = {}
        self._lock = threading.Lock()

    def encode(self, rows: int, columns: Mapping[str, Column]) -> Group:
        """Encode one row group. A repeated part is encoded once and its pages are copied."""
        if not rows:
            return Group([], 0)
        return Group([self._column(field, columns[field.name]) for field in self.schema], rows)

    def _column(self, field: pa.Field, column: Column) -> Chunk:
        if isinstance(column, Runs):
            return chunk_of([(encode_runs(field, column), 1)])
        if isinstance(column, tuple):
            return chunk_of([(self._repeated(field, part), part.times) for part in column])
        return chunk_of([(encode_pages(field, column), 1)])

    def _repeated(self, field: pa.Field, part: Repeat) -> Pages:
        key = (field.name, part.mark)
        pages = self._kept.get(key)
        if pages is None:
            pages = encode_pages(field, part.make())
            with self._lock:
                if len(self._kept) >= KEPT_PAGES:
                    self._kept.clear()
                self._kept[key] = pages
        return pages


def encode_pages(field: pa.Field, column: pa.Array) -> Pages:
    """Encode one column with pyarrow and take its pages and metadata out of the small file."""
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
    return _take_pages(sink.getvalue(), len(column))


def encode_runs(field: pa.Field, runs: Runs) -> Pages:
    """Encode runs as one data page of run-length coded indices; the dictionary page is pyarrow's.

    Format: the RLE / bit-packing hybrid of https://parquet.apache.org/docs/file-format/data-pages/encodings/
    """
    import pyarrow as pa

    indices = pa.array(range(len(runs.values)), pa.int32())
    each = runs.values
    if pa.types.is_dictionary(field.type):
        each = pa.DictionaryArray.from_arrays(indices, runs.values)
    template = encode_pages(field, each)
    rows = int(runs.counts.sum())
    width = max(1, (len(runs.values) - 1).bit_length())
    body = bytearray(_all_defined(rows)) if field.nullable else bytearray()
    body.append(width)
    for code, count in zip(runs.codes.tolist(), runs.counts.tolist(), strict=True):
        if count:
            body += _run(count, code, (width + 7) // 8)
    header, packed = _data_page(bytes(body), rows)
    return replace(template, data=header + packed, data_size=len(header) + len(body), rows=rows)


def _run(count: int, value: int, width_bytes: int) -> bytes:
    writer = thrift.Writer()
    writer.varint(count << 1)
    return bytes(writer.out) + value.to_bytes(width_bytes, "little")


def _all_defined(rows: int) -> bytes:
    """The definition levels of a nullable column in which nothing is null."""
    levels = _run(rows, 1, 1)
    return struct.pack("<i", len(levels)) + levels


def _data_page(body: bytes, rows: int) -> tuple[bytes, bytes]:
    """Return the header and the compressed body of a data page."""
    import pyarrow as pa

    packed: bytes = pa.Codec("zstd", compression_level=1).compress(body, asbytes=True)
    about: Struct = {1: (I32, rows), 2: (I32, RLE_DICTIONARY), 3: (I32, RLE), 4: (I32, RLE)}
    header: Struct = {1: (I32, 0), 2: (I32, len(body)), 3: (I32, len(packed)), 5: (STRUCT, about)}
    return thrift.write_struct(header), packed


def _take_pages(file: pa.Buffer, rows: int) -> Pages:
    view = memoryview(file)
    groups = _footer(view)[FILE_GROUPS][1][1]
    meta: Struct = groups[0][GROUP_COLUMNS][1][1][0][CHUNK_META][1]
    data = meta[META_DATA_PAGE][1]
    first = min(data, meta[META_DICTIONARY_PAGE][1]) if META_DICTIONARY_PAGE in meta else data
    end = first + meta[META_COMPRESSED][1]
    dictionary_size = _page_size(view[first:data]) if first < data else 0
    return Pages(
        dictionary=bytes(view[first:data]),
        data=bytes(view[data:end]),
        dictionary_size=dictionary_size,
        data_size=meta[META_UNCOMPRESSED][1] - dictionary_size,
        rows=rows,
        meta=meta,
    )


def _page_size(page: memoryview) -> int:
    """Return a page's uncompressed size, its header included."""
    reader = thrift.Reader(page)
    header = reader.struct()
    return int(header[PAGE_UNCOMPRESSED][1]) + reader.at


def chunk_of(parts: Sequence[tuple[Pages, int]]) -> Chunk:
    """Lay pages one after another, each so many times; all must have the first one's dictionary."""
    first = parts[0][0]
    data = [pages.data for pages, times in parts for _ in range(times)]
    stored = sum(len(pages.data) * times for pages, times in parts)
    unpacked = sum(pages.data_size * times for pages, times in parts)
    meta = {key: value for key, value in first.meta.items() if key not in META_OF_ONE_WRITER}
    meta[META_VALUES] = (I64, sum(pages.rows * times for pages, times in parts))
    meta[META_UNCOMPRESSED] = (I64, first.dictionary_size + unpacked)
    meta[META_COMPRESSED] = (I64, len(first.dictionary) + stored)
    meta[META_DATA_PAGE] = (I64, len(first.dictionary))
    if first.dictionary:
        meta[META_DICTIONARY_PAGE] = (I64, 0)
    if META_STATISTICS in first.meta:
        meta[META_STATISTICS] = (STRUCT, _joined([pages.meta[META_STATISTICS][1] for pages, _ in parts]))
    return Chunk((first.dictionary, *data), meta)


def _joined(parts: list[Struct]) -> Struct:
    """Join the statistics of pages: of one part as they are, of several (64-bit integers) least and most."""
    if len(parts) == 1:
        return parts[0]
    least = min(_int64(part[STAT_MIN][1]) for part in parts)
    most = max(_int64(part[STAT_MAX][1]) for part in parts)
    return {
        STAT_NULLS: (I64, 0),
        STAT_MAX: (BINARY, struct.pack("<q", most)),
        STAT_MIN: (BINARY, struct.pack("<q", least)),
    }


def _int64(data: bytes) -> int:
    return int(struct.unpack("<q", data)[0])


def _footer(data: memoryview) -> Struct:
    size = struct.unpack("<i", data[-8:-4])[0]
    return thrift.read_struct(data[-8 - size : -8])


def _moved(meta: Struct, by: int) -> Struct:
    """Return a column's metadata with its page offsets moved."""
    pages = {key: (I64, meta[key][1] + by) for key in (META_DATA_PAGE, META_DICTIONARY_PAGE) if key in meta}
    return meta | pages


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
            self._at += self.file.write(b"".join(chunk.parts))
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
    footer: Any = _footer(memoryview(sink.getvalue()))
    return dict(footer)
