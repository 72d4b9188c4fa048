"""A file piece by piece: its bytes as they are unpacked, its text as it is decoded.

What cannot be unpacked or decoded is `IrregularError`, and left to `File`, which reads all at once and can name it.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator

from gcr_fast.sources.files import MAX_UNPACKED, File

PIECE_BYTES = 1 << 20


class IrregularError(Exception):
    """This is not what it should be, or not in the form that is expected: whoever reads all at once can name it."""


def pieces(file: File) -> Iterator[bytes]:
    """Yield the bytes of a file, unpacked, `PIECE_BYTES` at a time."""
    _ = file.hashing
    size = 0
    try:
        with gzip.open(file.path) if file.packed else file.path.open("rb") as opened:
            while piece := opened.read(PIECE_BYTES):
                size += len(piece)
                if file.packed and size >= MAX_UNPACKED:
                    raise IrregularError
                yield piece
    except (OSError, EOFError, zlib.error):
        raise IrregularError from None


def texts(file: File) -> Iterator[str]:
    """Yield the text of a file, without the mark of its byte order."""
    decoder = codecs.getincrementaldecoder(file.encoding)()
    begins = True
    try:
        for piece in pieces(file):
            text = decoder.decode(piece)
            yield text.lstrip("\ufeff") if begins else text
            begins = begins and not text
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise IrregularError from None
