"""A public file in UTC to one long table in DuckDB."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks.machine import THREADS

NAME = "DuckDB"
UTC_WIDE = """
FROM (UNPIVOT (SELECT utc_timestamp AS start, (round(COLUMNS(* EXCLUDE utc_timestamp) * 1e6))::BIGINT
               FROM read_csv($path, header = true))
      ON COLUMNS(* EXCLUDE start) INTO NAME profile VALUE energy_wh)
"""
"""Rows come hour by hour: DuckDB would have to sort to have a series together, which is left out of its time."""


def utc_wide(path: Path) -> pa.Table:
    """Read the dates while reading, then MW as whole Wh."""
    with duckdb.connect() as database:
        database.execute(f"SET threads = {THREADS}; SET TimeZone = 'UTC'")
        return database.sql(UTC_WIDE, params={"path": str(path)}).to_arrow_table()


def by_series(long: pa.Table, columns: tuple[str, ...]) -> pa.Table:
    """Return the rows series after series (untimed)."""
    place = {name: at for at, name in enumerate(columns)}
    order = pa.array([place[name] for name in long["profile"].to_pylist()], pa.int16())
    return long.append_column("at", order).sort_by([("at", "ascending"), ("start", "ascending")])
