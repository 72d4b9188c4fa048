"""A fresh process that opens a registry, or DuckDB's file, and asks it: `python -m benchmarks.reopening WHAT PATH`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def anonymous_bytes() -> int:
    """Return the memory of this process that is no mapped file."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon"))


def ours(path: Path) -> dict[str, Any]:
    """Open a registry, ask for its first certificate's year, then read everything."""
    import numba  # noqa: F401
    import pyarrow as pa
    import pyarrow.compute

    from gcr_fast.registry import Registry
    from gcr_fast.registry.results import Result  # noqa: F401

    pa.array([0])  # loads pandas, if there is one: all of these are imports, which are timed with the whole only
    before, begin = anonymous_bytes(), time.perf_counter()
    with Registry.open(path, read_only=True) as registry:
        opened = time.perf_counter()
        first = registry.query(parent=registry.state.catalogue.ids[0].as_py()).to_table()
        answered = time.perf_counter()
        count = registry.query().count
        return {
            "open_s": opened - begin,
            "answer_s": answered - opened,
            "rows": first.num_rows,
            "certificates": count,
            "anonymous_bytes": anonymous_bytes() - before,
        }


def duckdb(path: Path) -> dict[str, Any]:
    """Open DuckDB's file and read everything."""
    from benchmarks.peers import duckdb_registry

    before = anonymous_bytes()
    database = duckdb_registry.Database(path, "integer codes")
    columns = ("parent_certificate_id", "production_start", "energy_wh", "owner", "status")
    least = ", ".join(f"max({name})" for name in columns)
    database.db.execute(f"SELECT {least} FROM hours").fetchall()
    return {"certificates": database.count()[0], "anonymous_bytes": anonymous_bytes() - before}


if __name__ == "__main__":
    begun = time.perf_counter()
    told = {"ours": ours, "duckdb": duckdb}[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps(told | {"whole_s": time.perf_counter() - begun}))
