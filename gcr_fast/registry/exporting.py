"""A registry's tables out: certificates, parents, trades and journal, as files that any Arrow library reads."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from gcr_fast.columns import utc_timestamps
from gcr_fast.errors import UsageError
from gcr_fast.exchange.streams import write_stream
from gcr_fast.registry.entries import GENESIS
from gcr_fast.registry.records import Record
from gcr_fast.schema import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from gcr_fast.exchange.writing import Written
    from gcr_fast.registry.questions import Questions

BATCH_ENTRIES = 1 << 14


def export(registry: Questions, what: str, path: str | os.PathLike[str], **options: Any) -> Written:
    """Write `certificates`, `parents`, `trades` or `journal` to a .parquet, .arrow or .csv file: whole or not at all.

    Certificates take the filters of `query`, and `certificate_ids=True` for a column of text ids. They are written
    batch by batch, so that memory does not grow with their number.
    """
    if not isinstance(what, str) or what not in EXPORTS:
        raise UsageError(f"cannot export {what!r}; there are {', '.join(EXPORTS)}")
    if options and what != "certificates":
        raise UsageError(f"{what} are exported whole: {', '.join(options)} is for certificates")
    registry.latest()
    schema, batches = EXPORTS[what](registry, **options)
    return write_stream(path, schema, batches)


Stream = tuple["pa.Schema", "Iterator[pa.RecordBatch]"]


def _certificates(registry: Questions, certificate_ids: bool = False, **filters: Any) -> Stream:
    result = registry.query(**filters)
    return result.schema(certificate_ids), result.batches(certificate_ids)


def _parents(registry: Questions) -> Stream:
    """Parents as they were issued, each with the number of its issue in the journal."""
    import pyarrow as pa

    stored = arrow_schema("parents")
    schema = stored.insert(0, pa.field("entry", pa.int64(), nullable=False))

    def batches() -> Iterator[pa.RecordBatch]:
        catalogue = registry.state.catalogue
        for seq, table in zip(sorted(catalogue.roots), catalogue.tables, strict=True):
            for batch in table.select(stored.names).cast(stored).to_batches():
                entry = pa.array([seq], pa.int64()).take(pa.array([0] * batch.num_rows, pa.int32()))
                yield pa.RecordBatch.from_arrays([entry, *batch.columns], schema=schema)

    return schema, batches()


def _trades(registry: Questions) -> Stream:
    return _entries(registry, "trades", ("trade",))


def _journal(registry: Questions) -> Stream:
    return _entries(registry, "journal", None)


def _entries(registry: Questions, table: str, kinds: tuple[str, ...] | None) -> Stream:
    schema = arrow_schema(table)
    records = _chained(registry, kinds)
    parties = registry.state.catalogue.parties.words

    def batches() -> Iterator[pa.RecordBatch]:
        while some := list(islice(records, BATCH_ENTRIES)):
            yield _batch(schema, some, parties)

    return schema, batches()


def _chained(registry: Questions, kinds: tuple[str, ...] | None) -> Iterator[tuple[Record, bytes]]:
    """Yield entries up to the state's, each with the hash before it (which only the whole journal has)."""
    previous = GENESIS
    for record in registry.journal.entries(upto=registry.position, kinds=kinds):
        yield record, previous
        previous = record.hash


def _batch(schema: pa.Schema, some: list[tuple[Record, bytes]], parties: list[str]) -> pa.RecordBatch:
    import numpy as np
    import pyarrow as pa

    rows = [_row(record, previous, parties) for record, previous in some]
    at = utc_timestamps(np.array([record.entry.at_s for record, _ in some], dtype=np.int64))
    columns = [
        at if field.name == "at" else pa.array([row[field.name] for row in rows], field.type) for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _row(record: Record, previous: bytes, parties: list[str]) -> dict[str, Any]:
    entry = record.entry
    seller, buyer = (parties[code - 1] if code else None for code in (entry.from_party, entry.to_party))
    return {
        "entry": record.seq,
        "kind": entry.kind,
        "actor": entry.actor or None,
        "key": entry.key or None,
        "from_party": seller,
        "to_party": buyer,
        "seller": seller,
        "buyer": buyer,
        "certificates": entry.certificates,
        "energy_wh": entry.energy_wh,
        "price_minor_per_mwh": entry.price_minor,
        "total_minor": entry.total_minor,
        "currency": entry.currency or None,
        "texts": json.dumps(dict(entry.texts), ensure_ascii=False),
        "runs": len(entry.runs),
        "splits": len(entry.splits),
        "hash": record.hash.hex(),
        "previous_hash": previous.hex(),
    }


EXPORTS: dict[str, Callable[..., Stream]] = {
    "certificates": _certificates,
    "parents": _parents,
    "trades": _trades,
    "journal": _journal,
}
"""What can be exported, and what yields it."""
