"""Certificates as columns, as a selection reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Rows:
    """Certificates as columns, int64[n] unless said otherwise."""

    handles: np.ndarray
    parents: np.ndarray
    start_ms: np.ndarray
    energy_wh: np.ndarray
    owners: np.ndarray
    states: np.ndarray
    """int8[n], stored."""
    first_wh: np.ndarray | None = None
    """Where a piece begins within its row; None if there are no pieces."""

    def __len__(self) -> int:
        return len(self.handles)

    def take(self, at: Any) -> Rows:
        """Return some of them, by a mask, slice or positions."""
        columns: dict[str, Any] = {item.name: getattr(self, item.name) for item in fields(self)}
        taken: dict[str, Any] = {name: None if have is None else have[at] for name, have in columns.items()}
        return Rows(**taken)


def concat(parts: Sequence[Rows]) -> Rows:
    """Join, in order."""
    if len(parts) == 1:
        return parts[0]
    pieces = any(part.first_wh is not None for part in parts)
    names = [item.name for item in fields(Rows) if item.name != "first_wh"]
    if not parts:
        return Rows(*_NO_ROWS)
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    zeros = [np.zeros(len(part), np.int64) if part.first_wh is None else part.first_wh for part in parts]
    return Rows(**columns, first_wh=np.concatenate(zeros) if pieces else None)


_NO_ROWS: Any = [np.zeros(0, np.int64)] * 5 + [np.zeros(0, np.int8)]
