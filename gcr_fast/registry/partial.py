"""A file on its way: written under a temporary name, synced, and named by the hash of its content, or removed."""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gcr_fast.errors import OutputError

PARTIAL = ".part-"
"""What temporary names begin with."""
READ_ONLY = 0o444
"""The mode of a file, from its beginning: it is written by who made it, and by nobody after that."""
PIECE_BYTES = 1 << 22
"""Hashed and written at a time: what was hashed is still in cache when it is copied."""
_EARLY_BYTES = 1 << 23
"""Handed to the disk at a time, while the next is hashed, so that little is left for fsync."""


@dataclass(frozen=True)
class Written:
    """A file that is complete and on disk; its name will be too, once its folder is synced."""

    name: str
    bytes: int
    hash: builtins.bytes
    """What its name is made of."""


class Partial:
    """A file under a temporary name: written, synced, and renamed to the hash of its content, or removed.

    A file of that name has the same bytes, or is damaged: it is replaced either way, so that one is left, a sound one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.size = folder, 0
        self.place = folder / (PARTIAL + secrets.token_hex(8))
        with said_plainly(f"write into {folder}"):
            self.handle = os.open(self.place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, READ_ONLY)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Say errors plainly, and leave nothing after one."""
        try:
            with said_plainly(f"write into {self.folder}"):
                yield
        except BaseException:
            self.discard()
            raise

    def put(self, piece: Any) -> None:
        """Write bytes."""
        piece, early = memoryview(piece), self.size // _EARLY_BYTES
        while piece:
            count = os.write(self.handle, piece)
            piece, self.size = piece[count:], self.size + count
        if self.size // _EARLY_BYTES > early:
            self._begin_writeback(early * _EARLY_BYTES)

    def _begin_writeback(self, start: int) -> None:
        """Advise that these bytes are not needed, so that the system begins to write them; it keeps them meanwhile."""
        with contextlib.suppress(AttributeError, OSError):  # only advice, and not known to every system
            os.posix_fadvise(self.handle, start, self.size - start, os.POSIX_FADV_DONTNEED)

    def finish(self, digest: bytes) -> Written:
        """Sync the file and name it."""
        os.fsync(self.handle)
        name = f"{digest.hex()}.arrow"
        self.place.replace(self.folder / name)
        self._close()
        return Written(name, self.size, digest)

    def discard(self) -> None:
        """Remove the file, unless it is finished."""
        if self.handle >= 0:
            self.place.unlink(missing_ok=True)
            self._close()

    def _close(self) -> None:
        handle, self.handle = self.handle, -1
        os.close(handle)


class Sink:
    """What pyarrow writes to, buffer by buffer."""

    closed = False
    size = 0

    def write(self, data: Any) -> int:
        """Take a buffer."""
        view = memoryview(data)
        self.take(view)
        self.size += len(view)
        return len(view)

    def take(self, view: memoryview) -> None:
        """Do what is to be done with a buffer."""
        raise NotImplementedError

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self.size

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The file is closed by who opened it."""


class HashingSink(Sink):
    """Hashes and writes the buffers themselves, without a copy."""

    def __init__(self, partial: Partial) -> None:
        self.partial, self.hash = partial, hashlib.sha256()

    def take(self, view: memoryview) -> None:
        """Hash and write, piece by piece."""
        for low in range(0, len(view), PIECE_BYTES):
            piece = view[low : low + PIECE_BYTES]
            self.hash.update(piece)
            self.partial.put(piece)


@contextmanager
def said_plainly(doing: str) -> Iterator[None]:
    """Turn errors of the system into errors that say what was being done."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot {doing}: {error.strerror or error}") from error
