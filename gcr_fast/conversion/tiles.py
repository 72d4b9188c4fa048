"""What repeats in every batch and table, made once: the times of a pattern, constants, single words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.columns import utc_timestamps
from gcr_fast.conversion.plan import Pattern
from gcr_fast.periods import utc_text

if TYPE_CHECKING:
    import pyarrow as pa

KEPT_TILES = 64
WHOLE_ROWS = 1 << 19
"""Entries of a constant in a batch."""
TILE_ROWS = 1 << 16
"""Entries of a constant in a table, where it may stand in many chunks."""
HOUR_S = 3600


class Tiles:
    """Repeated columns, made once and sliced: the last few patterns' times, and constants."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._kept: dict[Hashable, Any] = {}

    def starts(self, pattern: Pattern, times: int) -> pa.Array:
        """Return a pattern's starts, `times` times over."""
        return self._get((id(pattern), times), lambda: utc_timestamps(np.tile(pattern.starts_s, times)))

    def constant(self, value: int, size: int) -> pa.Array:
        """Return int32: one value, `size` times."""
        import pyarrow as pa

        whole = max(size, WHOLE_ROWS)
        tile = self._get(("constant", value, whole), lambda: pa.array(np.full(whole, value, dtype=np.int32)))
        return tile.slice(0, size)

    def constants(self, value: int, size: int) -> list[pa.Array]:
        """Return int32: one value, `size` times, in slices of one small tile."""
        import pyarrow as pa

        tile = self._get(("tile", value), lambda: pa.array(np.full(TILE_ROWS, value, dtype=np.int32)))
        return _slices(tile, size)

    def words(self, name: str, code: int, size: int, dictionary: pa.Array) -> list[pa.DictionaryArray]:
        """Return one word of a dictionary, `size` times, in slices of one small tile."""
        import pyarrow as pa

        def make() -> pa.DictionaryArray:
            return pa.DictionaryArray.from_arrays(self.constants(code, TILE_ROWS)[0], dictionary, safe=False)

        return _slices(self._get((name, code), make), size)

    def stamps(self, pattern: Pattern) -> list[str]:
        """Return a pattern's starts as the last part of certificate ids."""
        digits = 10 if pattern.step_s == HOUR_S else 12

        def make() -> list[str]:
            return [_stamp(second, digits) for second in pattern.starts_s.tolist()]

        values: list[str] = self._get(("stamps", id(pattern)), make)
        return values

    def _get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        with self._lock:
            if key in self._kept:
                self._kept[key] = self._kept.pop(key)  # most recent last
                return self._kept[key]
            value = self._kept[key] = make()
            while len(self._kept) > KEPT_TILES:
                self._kept.pop(next(iter(self._kept)))
            return value


def _slices(tile: pa.Array, size: int) -> list[pa.Array]:
    """Return `size` entries of a tile that is the same throughout."""
    whole, rest = divmod(size, len(tile))
    return [tile] * whole + ([tile.slice(0, rest)] if rest else [])


def _stamp(second: int, digits: int) -> str:
    return "".join(mark for mark in utc_text(second) if mark.isdigit())[:digits]
