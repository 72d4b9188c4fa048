"""What a source says of its values beside the values, in its own words: FINAL, R1, Imputed. Few words, so codes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.columns import encode

if TYPE_CHECKING:
    import pyarrow as pa

SILENT = -1
"""The code of an interval of which the source says nothing."""


@dataclass(frozen=True)
class Flags:
    """The word of each interval."""

    codes: np.ndarray
    """Signed integers [n]: places in `words`, or `SILENT`."""
    words: tuple[str, ...]

    def by_groups(self, size: int) -> Flags:
        """Return the flags of every `size` intervals together: their one word, or all of them, set apart by +."""
        groups = np.sort(self.codes.astype(np.int32).reshape(-1, size), axis=1)
        codes = groups[:, -1].copy()
        first = np.where(groups == SILENT, codes[:, None], groups).min(axis=1)
        mixed = np.flatnonzero(first != codes)
        if not len(mixed):
            return Flags(codes, self.words)
        sets, which = np.unique(groups[mixed], axis=0, return_inverse=True)
        joined = ["+".join(self.words[code] for code in sorted({*some} - {SILENT})) for some in sets.tolist()]
        words = united([self, Flags(codes, tuple(joined))])
        codes[mixed] = np.array([words.index(word) for word in joined], dtype=np.int32)[which.ravel()]
        return Flags(codes, words)


def told(column: pa.ChunkedArray | pa.Array) -> Flags | None:
    """Return what a column says, trimmed; None if it says nothing."""
    codes, values = encode(column)
    trimmed = [str(value).strip() for value in values]
    words = tuple(dict.fromkeys(filter(None, trimmed)))
    places = [words.index(word) if word else SILENT for word in trimmed]
    found = Flags(np.array([*places, SILENT], dtype=np.int32)[codes], words)
    return found if words else None


def taken(flags: Flags | None, rows: np.ndarray | slice) -> Flags | None:
    """Return the flags of some rows, int64[k] or a slice; None if nothing is said of any of them."""
    if flags is None:
        return None
    codes = flags.codes[rows]
    return Flags(codes, flags.words) if len(codes) and codes.max() > SILENT else None


def among(words: tuple[str, ...], flags: Flags | None, count: int) -> np.ndarray:
    """Return int32[count]: flags as codes of `words`, which has all of theirs."""
    if flags is None:
        return np.full(count, SILENT, dtype=np.int32)
    places = np.array([*(words.index(word) for word in flags.words), SILENT], dtype=np.int32)
    codes: np.ndarray = places[flags.codes]
    return codes


def counted(flags: Flags | None) -> dict[str, int]:
    """Return how many intervals each word is said of, without words that are said of none."""
    if flags is None:
        return {}
    counts = np.bincount(flags.codes.astype(np.int64) - SILENT, minlength=len(flags.words) + 1)[1:].tolist()
    return {word: count for word, count in zip(flags.words, counts, strict=True) if count}


def united(several: Iterable[Flags | None]) -> tuple[str, ...]:
    """Return the words of all of them, each once."""
    return tuple(dict.fromkeys(word for one in several if one is not None for word in one.words))
