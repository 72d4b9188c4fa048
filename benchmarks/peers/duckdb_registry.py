"""Hourly certificates in a DuckDB file, in order of parent and time, and a registry's questions to it in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.inputs import Inputs
from benchmarks.machine import THREADS

NAME = "DuckDB"
ANSWER = (
    "parent_certificate_id", "production_start", "interval_s", "energy_wh", "source_type", "status",
    "allocation_basis", "owner",
)  # fmt: skip
"""What an answer tells of each certificate, as ours does. What is the same for all hours of a parent is stored once."""

Tables = dict[str, pa.Table]


@dataclass(frozen=True)
class Layout:
    """One way to store hours: what it takes, how it is loaded, and where an answer's columns come from."""

    tables: Any
    """(hours, annual certificates) to Arrow tables by name; made beforehand, so not timed."""
    load: str
    select: str
    parent: str
    """The condition that names one parent by its id."""
    owner: str


def _codes_of(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    return pa.chunked_array([chunk.indices.cast(kind) for chunk in column.chunks])


def _plain_times(hours: pa.Table) -> pa.Table:
    """Times without a zone: DuckDB computes faster on them."""
    return hours["production_start"].cast(pa.int64()).cast(pa.timestamp("ms"))


def _words(hours: pa.Table, given: Inputs) -> Tables:
    names = ("parent_certificate_id", "energy_wh", "owner", "status")
    kept = hours.select(names).append_column("production_start", _plain_times(hours))
    return {"given": kept, "parents_given": _parents(hours, given), "owners_given": _dictionary(hours, "owner")}


def _codes(hours: pa.Table, given: Inputs) -> Tables:
    kinds = {"parent_certificate_id": pa.int32(), "owner": pa.int16(), "status": pa.int8()}
    columns = {name: _codes_of(hours[name], kind) for name, kind in kinds.items()}
    columns |= {"energy_wh": hours["energy_wh"], "production_start": _plain_times(hours)}
    return {
        "given": pa.table(columns),
        "parents_given": _parents(hours, given),
        "owners_given": _dictionary(hours, "owner"),
        "statuses_given": _dictionary(hours, "status"),
    }


def _dictionary(hours: pa.Table, name: str) -> pa.Table:
    """Words by code; ours have one dictionary for all chunks."""
    words = hours[name].chunk(0).dictionary
    return pa.table({"code": pa.array(range(len(words)), pa.int32()), "word": words})


def _parents(hours: pa.Table, given: Inputs) -> pa.Table:
    ids = _dictionary(hours, "parent_certificate_id")
    annual = given.annual.take(pc.index_in(ids["word"], value_set=given.annual["certificate_id"].combine_chunks()))
    more = {name: annual[name] for name in ("source_type", "allocation_basis")}
    steps = pa.array([3600] * len(ids), pa.int32())
    return pa.table({"code": ids["code"], "certificate_id": ids["word"], "interval_s": steps, **more})


LAYOUTS = {
    "ENUM words": Layout(
        _words,
        """
        CREATE TYPE parent_id AS ENUM (SELECT certificate_id FROM parents_given ORDER BY code);
        CREATE TYPE party AS ENUM (SELECT word FROM owners_given ORDER BY code);
        CREATE TYPE status_word AS ENUM ('ACTIVE', 'RETIRED', 'LOCKED');
        CREATE TABLE parents AS SELECT * REPLACE (certificate_id::parent_id AS certificate_id) FROM parents_given;
        CREATE TABLE hours AS SELECT parent_certificate_id::parent_id AS parent_certificate_id,
            production_start::TIMESTAMP AS production_start, energy_wh, owner::party AS owner,
            status::status_word AS status FROM given;""",
        """SELECT h.parent_certificate_id, h.production_start, p.interval_s, h.energy_wh, p.source_type, h.status,
            p.allocation_basis, h.owner
        FROM hours h JOIN parents p ON h.parent_certificate_id = p.certificate_id""",
        "h.parent_certificate_id = '{}'",
        "h.owner = '{}'",
    ),
    "integer codes": Layout(
        _codes,
        """
        CREATE TABLE parents AS FROM parents_given;
        CREATE TABLE owners AS FROM owners_given;
        CREATE TABLE statuses AS FROM statuses_given;
        CREATE TABLE hours AS SELECT * REPLACE (production_start::TIMESTAMP AS production_start) FROM given;""",
        """SELECT p.certificate_id AS parent_certificate_id, h.production_start, p.interval_s, h.energy_wh,
            p.source_type, s.word AS status, p.allocation_basis, o.word AS owner
        FROM hours h JOIN parents p ON h.parent_certificate_id = p.code JOIN owners o ON h.owner = o.code
            JOIN statuses s ON h.status = s.code""",
        "h.parent_certificate_id = (SELECT code FROM parents WHERE certificate_id = '{}')",
        "h.owner = (SELECT code FROM owners WHERE word = '{}')",
    ),
}

STATISTICS = {
    "ENUM words": """
        SELECT h.owner::VARCHAR AS owner, p.source_type, h.status::VARCHAR AS status,
            year(h.production_start) * 12 + month(h.production_start) AS month,
            count(*) AS certificates, sum(h.energy_wh) AS energy_wh
        FROM hours h JOIN parents p ON h.parent_certificate_id = p.certificate_id GROUP BY ALL""",
    "integer codes": """
        WITH sums AS (
            SELECT owner, parent_certificate_id, status,
                year(production_start) * 12 + month(production_start) AS month,
                count(*) AS certificates, sum(energy_wh) AS energy_wh
            FROM hours GROUP BY ALL)
        SELECT o.word AS owner, p.source_type, s.word AS status, month, sum(certificates) AS certificates,
            sum(energy_wh) AS energy_wh
        FROM sums h JOIN parents p ON h.parent_certificate_id = p.code JOIN owners o ON h.owner = o.code
            JOIN statuses s ON h.status = s.code GROUP BY ALL""",
}
"""By owner, source, status and month at once: every figure of a monitoring page is a sum of these few rows."""


class Database:
    """One file."""

    def __init__(self, path: Path, layout: str) -> None:
        self.path, self.layout = path, layout
        self.db = duckdb.connect(str(path), config={"threads": THREADS})
        self.db.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    def ask(self, where: str) -> pa.Table:
        """Return certificates as an Arrow table."""
        return self.db.sql(f"{LAYOUTS[self.layout].select} WHERE {where}").to_arrow_table()

    def bare(self, where: str) -> pa.Table:
        """Return the stored columns alone, codes and all: less than what is asked for."""
        return self.db.sql(f"SELECT * FROM hours h WHERE {where}").to_arrow_table()

    def statistics(self) -> pa.Table:
        """Return certificates and Wh by owner, source, status and month."""
        return self.db.sql(STATISTICS[self.layout]).to_arrow_table()

    def count(self) -> tuple[int, int]:
        """Return how many certificates there are, and their Wh."""
        count, energy = self.db.execute("SELECT count(*), sum(energy_wh) FROM hours").fetchall()[0]
        return int(count), int(energy)

    # --- conditions

    def of_parent(self, name: str) -> str:
        """All hours of one parent."""
        return LAYOUTS[self.layout].parent.format(name)

    def at(self, moment: str) -> str:
        """All parents at one hour."""
        return f"h.production_start = TIMESTAMP '{moment}'"

    def of_owner(self, owner: str, start: str, end: str) -> str:
        """One owner's hours of a time."""
        span = f"h.production_start >= TIMESTAMP '{start}' AND h.production_start < TIMESTAMP '{end}'"
        return f"{LAYOUTS[self.layout].owner.format(owner)} AND {span}"


def load(path: Path, layout: str, tables: Tables) -> None:
    """Load hours into a new file, in the order in which they come, and wait until they are on disk."""
    database = Database(path, layout)
    for name, table in tables.items():
        database.db.register(name, table)
    database.db.execute(LAYOUTS[layout].load)
    database.db.execute("CHECKPOINT")
    database.close()
