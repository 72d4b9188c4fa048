"""The SHA-256 of a file: of its beginning by whoever reads it, of the rest by itself."""

from __future__ import annotations

import hashlib
from io import FileIO

from gcr_fast.exchange.reading import opened_sha256


class Hashing:
    """The hash of a file on its way."""

    def __init__(self) -> None:
        self._digest, self._done = hashlib.sha256(), 0

    def add(self, data: bytes | memoryview, first: int) -> None:
        """Hash what was read from byte `first` on; unless that is where the hash ends now, it is left."""
        if first == self._done:
            self._digest.update(data)
            self._done += len(data)

    def rest(self, opened: FileIO) -> str:
        """Read and hash all that is left of the file, and return its hash."""
        opened.seek(self._done)
        return opened_sha256(opened, self._digest)
