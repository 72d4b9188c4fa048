"""Segment files: immutable columns under the hash of their bytes, memory-mapped. Nothing else touches their folder.

A segment holds the energy of some parents with the same number of intervals: an Arrow IPC file with one uncompressed
record batch and one column, so that any Arrow library can read it. Tables are kept in the same way.
"""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.errors import CorruptError, OutputError, RegistryError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

SEGMENT_VERSION = 1
ENERGY = "energy_wh"
PARTIAL = ".part-"
_NAME = re.compile(r"[0-9a-f]{64}\.arrow")
_PIECE_BYTES = 1 << 20
"""Hashed and written at a time: what was hashed is still in cache when it is copied."""
_EARLY_BYTES = 1 << 23
"""Handed to the disk at a time, while the next is hashed, so that little is left for fsync."""


@dataclass(frozen=True)
class Written:
    """A file that is complete and on disk; its name will be too, once its folder is synced."""

    name: str
    bytes: int
    hash: builtins.bytes
    """SHA-256 of the file's bytes."""


def write_energy(folder: Path, energy: np.ndarray) -> Written:
    """Store Wh as they are, int32 or int64 [parents, hours], C-contiguous; may be called by several threads."""
    import pyarrow as pa

    if energy.dtype not in (np.int32, np.int64) or energy.ndim != 2 or not energy.flags.c_contiguous:
        raise UsageError("a segment is a contiguous int32 or int64 array [parents, hours]")
    kind, (parents, hours) = pa.from_numpy_dtype(energy.dtype), energy.shape
    schema = pa.schema([pa.field(ENERGY, kind, nullable=False)], metadata=_about(parents, hours))
    values = pa.Array.from_buffers(kind, energy.size, [None, pa.py_buffer(energy)])
    return _write(folder, schema, [pa.record_batch([values], schema=schema)])


def _about(parents: int, hours: int) -> dict[str, str]:
    return {"gcr_fast.segment": str(SEGMENT_VERSION), "hours": str(hours), "parents": str(parents)}


def write_table(folder: Path, table: pa.Table) -> Written:
    """Store a table; may be called by several threads."""
    return _write(folder, table.schema, table.unify_dictionaries().to_batches())


def sync_folder(folder: Path) -> None:
    """Make the names of what was written last; once is enough for many files."""
    with _said_plainly(f"sync {folder}"):
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
        with place.open("rb", buffering=0) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return f"{place} is missing"
    except OSError as error:
        return f"{place} cannot be read: {error.strerror or error}"
    return None if name == f"{digest}.arrow" else f"{place} was altered: its bytes hash to {digest}"


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
    with _said_plainly(f"sweep {folder}"):
        for name in removed:
            (folder / name).unlink(missing_ok=True)
    return removed


def _write(folder: Path, schema: pa.Schema, batches: list[pa.RecordBatch]) -> Written:
    """Write under a temporary name, sync, and rename to the hash of the bytes.

    A file of that name has the same bytes, or is damaged: it is replaced either way, so that one is left, a sound one.
    """
    place = folder / (PARTIAL + secrets.token_hex(8))
    with _said_plainly(f"write into {folder}"):
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            written = _fill(handle, schema, batches)
            place.replace(folder / written.name)
        except BaseException:
            place.unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)
    return written


def _fill(handle: int, schema: pa.Schema, batches: list[pa.RecordBatch]) -> Written:
    """Write an Arrow file to an open one and sync it."""
    import pyarrow as pa

    sink = _Sink(handle)
    with pa.ipc.new_file(pa.PythonFile(sink, "w"), schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    os.fsync(handle)
    return Written(f"{sink.hash.hexdigest()}.arrow", sink.size, sink.hash.digest())


class _Sink:
    """What pyarrow writes to: hashes and writes the buffers themselves, without a copy."""

    closed = False

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self.hash = hashlib.sha256()
        self.size = 0

    def write(self, data: Any) -> int:
        """Hash and write a buffer, piece by piece."""
        view = memoryview(data)
        for low in range(0, len(view), _PIECE_BYTES):
            piece = view[low : low + _PIECE_BYTES]
            self.hash.update(piece)
            self._put(piece)
        return len(view)

    def _put(self, piece: memoryview) -> None:
        early = self.size // _EARLY_BYTES
        while piece:
            count = os.write(self.handle, piece)
            piece, self.size = piece[count:], self.size + count
        if self.size // _EARLY_BYTES > early:
            self._begin_writeback(early * _EARLY_BYTES)

    def _begin_writeback(self, start: int) -> None:
        """Advise that these bytes are not needed, so that the system begins to write them; it keeps them meanwhile."""
        with contextlib.suppress(AttributeError, OSError):  # only advice, and not known to every system
            os.posix_fadvise(self.handle, start, self.size - start, os.POSIX_FADV_DONTNEED)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self.size

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The file is closed by who opened it."""


@contextmanager
def _said_plainly(doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot {doing}: {error.strerror or error}") from error
