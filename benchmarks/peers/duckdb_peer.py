"""The conversion in DuckDB: window sums over the profile, joined to the certificates."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from benchmarks.machine import THREADS

if TYPE_CHECKING:
    import pyarrow as pa

NAME = "DuckDB"

SPREAD = """
spans AS (SELECT DISTINCT profile, production_start AS first, production_end AS last FROM annual),
weights AS (
    SELECT p.profile, s.first, s.last, p.start, p.energy_wh AS weight,
           {whole_type}(sum(p.energy_wh) OVER (span ORDER BY p.start)) AS reached,
           {whole_type}(sum(p.energy_wh) OVER span) AS whole
    FROM profiles p JOIN spans s ON p.profile = s.profile AND p.start >= s.first AND p.start < s.last
    WHERE p.energy_wh > 0
    WINDOW span AS (PARTITION BY p.profile, s.first, s.last)
)"""

HOURLY = """
SELECT a.certificate_id AS parent_certificate_id, w.start AS production_start, 3600::INTEGER AS interval_s,
       {energy} AS energy_wh, a.source_type,
       CASE a.purpose WHEN 'conversion' THEN 'ACTIVE' WHEN 'end_use' THEN 'RETIRED' ELSE 'LOCKED' END AS status,
       coalesce(a.allocation_basis, 'regional_technology_profile') AS allocation_basis, a.owner
FROM annual a JOIN weights w
  ON a.profile = w.profile AND a.production_start = w.first AND a.production_end = w.last
WHERE {energy} > 0"""

DIVIDED = "(a.energy_wh * w.reached // w.whole - a.energy_wh * (w.reached - w.weight) // w.whole)::BIGINT"
"""128-bit integers throughout: sums over BIGINT are HUGEINT already."""

FLOOR = """
CREATE OR REPLACE MACRO guess(total, reached, whole) AS
    trunc(reached::DOUBLE * (total::DOUBLE / whole::DOUBLE))::BIGINT;
CREATE OR REPLACE MACRO rest(total, reached, whole, guessed) AS
    total::HUGEINT * reached - guessed::HUGEINT * whole;
CREATE OR REPLACE MACRO mended(total, reached, whole, guessed) AS
    guessed + (rest(total, reached, whole, guessed) >= whole)::BIGINT
            - (rest(total, reached, whole, guessed) < 0)::BIGINT;
CREATE OR REPLACE MACRO share(total, reached, whole) AS mended(total, reached, whole, guess(total, reached, whole));
"""
GUESSED = "(share(a.energy_wh, w.reached, w.whole) - share(a.energy_wh, w.reached - w.weight, w.whole))"
"""A float guess, mended by its exact 128-bit remainder: no 128-bit division. BIGINT would overflow: an error."""

VARIANTS = {
    "HUGEINT division": "WITH" + SPREAD.format(whole_type="") + HOURLY.format(energy=DIVIDED),
    "float guess, HUGEINT remainder": "WITH" + SPREAD.format(whole_type="to_bigint") + HOURLY.format(energy=GUESSED),
}

CHECK = """
WITH sums AS (
    SELECT parent_certificate_id AS id, sum(energy_wh) AS energy_wh, min(production_start) AS first,
           count(DISTINCT production_start) = count(*) AS once,
           max(production_start + to_seconds(interval_s)) AS last, min(energy_wh) AS least
    FROM hourly GROUP BY ALL
)
SELECT count(*) FILTER (
    s.id IS NULL OR a.certificate_id IS NULL OR s.energy_wh <> a.energy_wh OR NOT s.once
    OR s.first < a.production_start OR s.last > a.production_end OR s.least < 0)
FROM annual a FULL JOIN sums s ON a.certificate_id = s.id"""


def connect() -> duckdb.DuckDBPyConnection:
    """Open an in-memory database with as many threads as everyone has."""
    db = duckdb.connect(config={"threads": THREADS})
    db.execute("CREATE OR REPLACE MACRO to_bigint(x) AS x::BIGINT;" + FLOOR)
    db.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET preserve_insertion_order = false")
    return db


def convert(variant: str, annual: pa.Table, profiles: pa.Table) -> pa.Table:
    """Convert two Arrow tables into one."""
    with connect() as db:
        db.register("annual", annual)
        db.register("profiles", profiles)
        return db.sql(VARIANTS[variant]).to_arrow_table()


def validate(annual: pa.Table, hourly: Any) -> bool:
    """Whether hours sum to their parents, none comes twice and all lie in their parent's period."""
    with connect() as db:
        db.register("annual", annual)
        db.register("hourly", hourly)
        return db.execute(CHECK).fetchall() == [(0,)]


VALIDATIONS = {"distinct starts": validate}


def to_arrow(hourly: pa.Table) -> pa.Table:
    """Return the result as Arrow, which it is."""
    return hourly


def write(variant: str, annual: Path, profiles: Path, out: Path) -> None:
    """Convert two Parquet files into one, zstd at DuckDB's own level."""
    with connect() as db:
        db.execute(script(variant, annual, profiles, out))


def script(variant: str, annual: Path, profiles: Path, out: Path) -> str:
    """Return the SQL that converts two Parquet files into one."""
    return f"""
    CREATE OR REPLACE VIEW annual AS FROM read_parquet('{annual}');
    CREATE OR REPLACE VIEW profiles AS FROM read_parquet('{profiles}');
    COPY ({VARIANTS[variant]}) TO '{out}' (FORMAT parquet, COMPRESSION zstd);"""


def copy(hourly: pa.Table, out: Path, kind: str) -> None:
    """Write finished hours to a file."""
    with connect() as db:
        db.register("hourly", hourly)
        db.execute(f"COPY hourly TO '{out}' (FORMAT {kind})")


if __name__ == "__main__":
    write(sys.argv[1], *map(Path, sys.argv[2:]))
