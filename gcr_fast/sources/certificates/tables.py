"""The certificates of a list that are kept -> one table with the columns of `schema.ANNUAL`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.columns import utc_timestamps
from gcr_fast.schema import arrow_schema
from gcr_fast.sources.certificates.held import NONE, TEXTS, Held

if TYPE_CHECKING:
    import pyarrow as pa


def table_of(held: Held, kept: np.ndarray, purpose: str | None, basis: str | None) -> pa.Table:
    """Return the certificates bool[n] that are kept, in order; `held` is without its texts then.

    `purpose` overrides for what they were cancelled, `basis` is their allocation basis.
    """
    import pyarrow as pa

    rows = np.flatnonzero(kept)
    columns: dict[str, Any] = {name: held.taken(name, rows) for name in TEXTS}
    columns |= _produced(held, rows) | _states(held, rows, purpose) | _numbers(held, rows)
    columns |= {
        "serial_prefix": columns["prefix"],
        "source_type": _spelled(held, rows, "source_type", list(held.meanings.source_type)),
        "allocation_basis": pa.repeat(pa.scalar(basis, pa.string()), len(rows)),
        "profile": pa.nulls(len(rows), pa.string()),
        "residual_permitted": pa.nulls(len(rows), pa.bool_()),
    }
    schema = arrow_schema("annual")
    return pa.table({name: columns[name] for name in schema.names}, schema=schema)


def _produced(held: Held, rows: np.ndarray) -> dict[str, Any]:
    placed = list(held.meanings.placed)
    edges = np.array([one.period for one in placed], dtype=np.int64).reshape(-1, 2)
    codes = held.numbers("placed")[rows]
    return {
        "production_start": utc_timestamps(edges[codes, 0]),
        "production_end": utc_timestamps(edges[codes, 1]),
        "zone": _spelled(held, rows, "placed", [one.zone for one in placed]),
    }


def _states(held: Held, rows: np.ndarray, purpose: str | None) -> dict[str, Any]:
    meanings = [one.meaning for one in held.meanings.said]
    purposes = [(purpose or one.purpose) if one.status == "CANCELED" else None for one in meanings]
    return {
        "status": _spelled(held, rows, "said", [one.status for one in meanings]),
        "purpose": _spelled(held, rows, "said", purposes),
    }


def _numbers(held: Held, rows: np.ndarray) -> dict[str, Any]:
    import pyarrow as pa

    low, high, capacity_w = (held.numbers(name)[rows] for name in ("low", "high", "capacity_w"))
    return {
        "energy_wh": pa.array(held.numbers("energy_wh")[rows]),
        "capacity_w": pa.array(capacity_w, mask=capacity_w == 0),
        "serial_start": pa.array(low, mask=low == NONE),
        "serial_end": pa.array(high, mask=low == NONE),
    }


def _spelled(held: Held, rows: np.ndarray, name: str, words: Sequence[str | None]) -> pa.Array:
    """Return the text that stands for the code of each row."""
    import pyarrow as pa

    return pa.array(words, pa.string()).take(pa.array(held.numbers(name)[rows]))
