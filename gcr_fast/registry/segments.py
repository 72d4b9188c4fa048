"""Segment files: immutable columns under the hash of their content, memory-mapped. Nothing else touches their folder.

A segment holds the energy of some parents with the same number of intervals: an Arrow IPC file with one uncompressed
record batch and one column, so that any Arrow library can read it. Its name is a hash over the hashes of its pieces and
every other byte of the file, so that energies are hashed once for it and for the Merkle tree of their issue. Tables are
kept in the same way, under the SHA-256 of their bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
from functools import lru_cache
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from gcr_fast.errors import CorruptError, RegistryError, UsageError
from gcr_fast.registry.partial import PARTIAL, PIECE_BYTES, HashingSink, Partial, Sink, Written, said_plainly
from gcr_fast.registry.pieces import piece_count, piece_digests
from gcr_fast.sha256 import DIGEST_BYTES

if TYPE_CHECKING:
    import pyarrow as pa

SEGMENT_VERSION = 2
ENERGY = "energy_wh"
NO_SEGMENT = "a segment is a contiguous int32 or int64 array [parents, hours]"
_NAME = re.compile(r"[0-9a-f]{64}\.arrow")
_TAG = b"gcr-segment-2\n"
"""What is hashed for the name of a segment begins with this, as no Arrow file does."""
_HEAD_BYTES = 1 << 16
"""More than stands before the energies of a segment."""


class EnergyFile:
    """A segment on its way to the disk: parents are added in order, then it is finished, or discarded.

    A context manager discards what was not finished. Each may be used by one thread at a time.
    """

    def __init__(self, folder: Path, parents: int, hours: int, kind: Any) -> None:
        self.shape, self.kind = (parents, hours), np.dtype(kind)
        if self.kind not in (np.int32, np.int64):
            raise UsageError(NO_SEGMENT)
        self.pieces = np.empty((parents, piece_count(hours), DIGEST_BYTES), np.uint8)
        """SHA-256 of every piece, uint8[parents, pieces, 32], as far as it was added."""
        self._added = 0
        self._head, self._tail = _frame(parents, hours, self.kind.name)
        self._partial = Partial(folder)
        with self._partial.writing():
            self._partial.put(self._head)

    def add(self, energy: np.ndarray) -> None:
        """Hash and write Wh as they are, int32 or int64 [k, hours], C-contiguous, of the next k parents."""
        fits = energy.ndim == 2 and energy.shape[1] == self.shape[1] and self._added + len(energy) <= self.shape[0]
        if energy.dtype != self.kind or not fits or not energy.flags.c_contiguous:
            raise UsageError(f"the file takes contiguous {self.kind} of {self.shape[0]} x {self.shape[1]} intervals")
        with self._partial.writing():
            for low, high in _spans(len(energy), self.shape[1] * self.kind.itemsize):
                some = energy[low:high]
                self.pieces[self._added : self._added + len(some)] = piece_digests(some)
                self._partial.put(some.reshape(-1).view(np.uint8).data)
                self._added += len(some)

    def finish(self) -> Written:
        """Sync the file and give it its name."""
        if self._added < self.shape[0]:
            raise UsageError(f"{self._added} of {self.shape[0]} parents were added")
        with self._partial.writing():
            self._partial.put(self._tail)
            return self._partial.finish(_segment_hash(self._head, self.pieces, self._tail))

    def discard(self) -> None:
        """Remove what is not finished."""
        self._partial.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.discard()


def write_energy(folder: Path, energy: np.ndarray) -> Written:
    """Store Wh as they are, int32 or int64 [parents, hours], C-contiguous; may be called by several threads."""
    if energy.ndim != 2 or not energy.flags.c_contiguous:
        raise UsageError(NO_SEGMENT)
    parents, hours = energy.shape
    with EnergyFile(folder, parents, hours, energy.dtype) as file:
        file.add(energy)
        return file.finish()


def _spans(parents: int, size: int) -> list[tuple[int, int]]:
    """Return the first and last of parents of so many bytes that are hashed and written at a time."""
    most = max(1, PIECE_BYTES // max(size, 1))
    return [(low, min(low + most, parents)) for low in range(0, parents, most)]


@lru_cache(maxsize=16)
def _frame(parents: int, hours: int, kind: str) -> tuple[bytes, bytes]:
    """Return what stands before and after the energies in a segment file."""
    import pyarrow as pa

    energy = np.empty(parents * hours, kind)  # never looked at
    schema = pa.schema([pa.field(ENERGY, pa.from_numpy_dtype(kind), nullable=False)], metadata=_about(parents, hours))
    values = pa.Array.from_buffers(schema[0].type, len(energy), [None, pa.py_buffer(energy)])
    sink = _Around(energy.ctypes.data)
    with pa.ipc.new_file(pa.PythonFile(sink, "w"), schema) as writer:
        writer.write_batch(pa.record_batch([values], schema=schema))
    whole = b"".join(sink.around)
    at = _energies_at(whole)
    return whole[:at], whole[at:]


def _energies_at(head: bytes) -> int:
    """Return where the energies begin, from the first bytes of the file; `ValueError` if that cannot be told.

    After eight bytes come two messages, schema and record batch: a mark, the length, and what is that long.
    """
    at = 8
    for _ in range(2):
        if len(head) < at + 8:
            raise ValueError("no Arrow file")
        mark, size = struct.unpack_from("<Ii", head, at)
        if mark != 0xFFFFFFFF or size < 0:
            raise ValueError("no Arrow message")
        at += 8 + size
    if len(head) < at:
        raise ValueError("a message that is cut short")
    return at


def _segment_hash(head: bytes, pieces: np.ndarray, tail: bytes) -> bytes:
    return hashlib.sha256(_TAG + struct.pack("<q", len(head)) + head + pieces.tobytes() + tail).digest()


def _about(parents: int, hours: int) -> dict[str, str]:
    return {"gcr_fast.segment": str(SEGMENT_VERSION), "hours": str(hours), "parents": str(parents)}


def write_table(folder: Path, table: pa.Table) -> Written:
    """Store a table; may be called by several threads."""
    import pyarrow as pa

    partial = Partial(folder)
    with partial.writing():
        sink = HashingSink(partial)
        with pa.ipc.new_file(pa.PythonFile(sink, "w"), table.schema) as writer:
            for batch in table.unify_dictionaries().to_batches():
                writer.write_batch(batch)
        return partial.finish(sink.hash.digest())


def sync_folder(folder: Path) -> None:
    """Make the names of what was written last; once is enough for many files."""
    with said_plainly(f"sync {folder}"):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def open_energy(folder: Path, name: str, parents: int, hours: int) -> np.ndarray:
    """Return the Wh of a segment, int32 or int64 [parents, hours]: a view of the mapped file, read-only.

    A file that is missing, damaged in its structure or of another shape is a `CorruptError`; for the bytes see `check`.
    """
    table = open_table(folder, name)
    about = table.schema.metadata or {}
    for key, value in _about(parents, hours).items():
        said = about.get(key.encode(), b"nothing").decode(errors="replace")
        if said != value:
            raise CorruptError(f"{folder / name}: {key} should be {value}, not {said}")
    return _energy_of(table, folder / name, parents, hours)


def _energy_of(table: pa.Table, place: Path, parents: int, hours: int) -> np.ndarray:
    import pyarrow as pa

    if table.column_names != [ENERGY] or table.column(0).num_chunks != 1:
        raise CorruptError(f"{place}: a segment has one batch of one column, {ENERGY}")
    column = table.column(0).chunk(0)
    if column.type not in (pa.int32(), pa.int64()) or column.null_count or len(column) != parents * hours:
        raise CorruptError(f"{place}: {len(column)} of {column.type} are not {parents} x {hours} energies")
    values: np.ndarray = column.to_numpy(zero_copy_only=True)
    return values.reshape(parents, hours)


def open_table(folder: Path, name: str) -> pa.Table:
    """Return a stored table, its columns mapped; a file that is missing or no Arrow file is a `CorruptError`."""
    import pyarrow as pa

    place = folder / name
    if not _NAME.fullmatch(name):
        raise CorruptError(f"{name!r} is no name of a segment file")
    try:
        with pa.memory_map(str(place)) as source:  # columns keep the mapping, not the open file
            table = pa.ipc.open_file(source).read_all()
        _sound(table)
    except FileNotFoundError:
        raise CorruptError(f"{place} is missing") from None
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        by_system = getattr(error, "errno", None) is not None  # no permission, too many open files: no damage
        kind = RegistryError if by_system else CorruptError
        raise kind(f"{place} cannot be read: {error}") from error
    return table


def _sound(table: pa.Table) -> None:
    """Check offsets, codes and texts, names of columns too: a wild one would crash whoever reads it later."""
    table.validate(full=True)  # numbers without nulls cost nothing
    _ = table.column_names


def check(folder: Path, name: str) -> str | None:
    """Read a file again and return what is wrong with its bytes, or None."""
    place = folder / name
    try:
        with place.open("rb") as file:
            digest = _content_hash(file).hex()
    except FileNotFoundError:
        return f"{place} is missing"
    except OSError as error:
        return f"{place} cannot be read: {error.strerror or error}"
    return None if name == f"{digest}.arrow" else f"{place} was altered: its content hashes to {digest}"


def _content_hash(file: BufferedReader) -> bytes:
    """Return what a file's name must be made of, whatever it holds."""
    head = file.read(_HEAD_BYTES)
    shape = _shape_of(head, os.fstat(file.fileno()).st_size)
    if shape is None:
        file.seek(0)
        return hashlib.file_digest(file, "sha256").digest()
    at, parents, hours, kind = shape
    file.seek(at)
    pieces = np.empty((parents, piece_count(hours), DIGEST_BYTES), np.uint8)
    spans = _spans(parents, hours * kind.itemsize)
    memory = np.empty(hours * max((high - low for low, high in spans), default=0), kind)
    for low, high in spans:
        some = memory[: (high - low) * hours]
        file.readinto(some.view(np.uint8).data)
        pieces[low:high] = piece_digests(some.reshape(high - low, hours))
    return _segment_hash(head[:at], pieces, file.read())


def _shape_of(head: bytes, size: int) -> tuple[int, int, int, np.dtype[Any]] | None:
    """Return where the energies of a segment begin, parents, hours and kind; None if it is none, or cut short."""
    import pyarrow as pa

    try:
        at = _energies_at(head)
        schema = pa.ipc.read_schema(pa.py_buffer(head[8:at]))
        about = schema.metadata or {}
        if b"gcr_fast.segment" not in about:
            return None
        parents, hours = int(about[b"parents"]), int(about[b"hours"])
        kind = np.dtype(schema.field(0).type.to_pandas_dtype())
    except (ValueError, KeyError, TypeError, IndexError, NotImplementedError, OSError, pa.ArrowException):
        return None
    fits = 0 <= parents <= size and hours >= 0 and at + parents * hours * kind.itemsize <= size
    return (at, parents, hours, kind) if fits and kind in (np.int32, np.int64) else None


def listing(folder: Path) -> set[str]:
    """Return the names of the files in a folder, without temporary and foreign ones."""
    return {name for name in _names(folder) if _NAME.fullmatch(name)}


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        raise CorruptError(f"{folder} is missing") from None
    except OSError as error:
        raise RegistryError(f"{folder} cannot be listed: {error.strerror or error}") from error


def sweep(folder: Path, keep: set[str]) -> list[str]:
    """Remove what no catalogue names and what killed writers left; return the names. Only under the writer lock."""
    leftovers = {name for name in _names(folder) if name.startswith(PARTIAL)}
    removed = sorted(listing(folder) - keep | leftovers)
    with said_plainly(f"sweep {folder}"):
        for name in removed:
            (folder / name).unlink(missing_ok=True)
    return removed


class _Around(Sink):
    """Keeps everything but the buffer at one address."""

    def __init__(self, address: int) -> None:
        self.address = address
        self.around: list[bytes] = []

    def take(self, view: memoryview) -> None:
        """Copy what does not lie there."""
        if len(view) and np.frombuffer(view, np.uint8).ctypes.data != self.address:
            self.around.append(view.tobytes())
