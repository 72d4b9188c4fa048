"""Hourly certificates of any origin, batch by batch, as plain arrays with one integer code per word."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.columns import encode, without_nulls
from gcr_fast.errors import RefusedError
from gcr_fast.exchange.reading import Scan, Source, from_stream, scan, scan_source
from gcr_fast.fields import Fields
from gcr_fast.findings import Findings
from gcr_fast.periods import parse_times
from gcr_fast.units import parse_scaled

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 1 << 19
HOUR_S = 3600
TICKS_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
WORD_COLUMNS = ("source_type", "status", "allocation_basis")


@dataclass(frozen=True)
class Batch:
    """Some hourly certificates, in file order. Rows that could not be read are left out and reported."""

    first_row: int
    rows: np.ndarray | None
    """int64[n]: position of each in the batch; None if none was left out."""
    codes: np.ndarray
    """int32[n]: which of `names` is the parent, -1 if none is named."""
    names: list[Any]
    known: np.ndarray
    """int32[names + 1]: row of the annual table of each name, -1 if there is none; last that of no name."""
    ticks: np.ndarray
    """int64[n]: start of each interval, `per_second` of them a second."""
    per_second: int
    lengths: np.ndarray
    energy: np.ndarray
    words: dict[str, tuple[np.ndarray, list[Any]]]
    """Per word column that is there: codes int32[n] (-1 is null) and the distinct words."""
    ids: pa.Array | None
    findings: Findings
    """What could not be read."""

    @cached_property
    def starts(self) -> np.ndarray:
        """int64[n] UTC seconds; a fraction is cut off."""
        seconds: np.ndarray = self.ticks // self.per_second
        return seconds

    @cached_property
    def parents(self) -> np.ndarray:
        """int32[n]: row of the annual table, -1 if there is none."""
        rows: np.ndarray = self.known[self.codes]
        return rows

    def parent_name(self, at: int) -> str | None:
        """Return the parent's id as the file spells it."""
        code = int(self.codes[at])
        return str(self.names[code]) if code >= 0 else None

    def row(self, at: int) -> int:
        """Return the file's row of an entry."""
        return self.first_row + (at if self.rows is None else int(self.rows[at]))


class HourlyReader:
    """Reads hourly certificates from a path, a table or a stream; may be gone through more than once."""

    def __init__(self, hourly: Any, zone: str | None = None) -> None:
        self._scan = _open(hourly)
        self.zone = zone

    @property
    def source(self) -> Source:
        """Where it came from, with the metadata that the file carries."""
        return self._scan.head

    def pieces(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yield the file's batches as they are, each with its first row."""
        first_row = 0
        for piece in self._scan.batches():
            if piece.num_rows:
                yield first_row, piece
            first_row += piece.num_rows

    def parse(self, piece: tuple[int, pa.RecordBatch], certificate_ids: pa.Array) -> Batch:
        """Turn a piece into arrays; parents are positions in `certificate_ids`. May be used by many threads."""
        import pyarrow as pa

        first_row, batch = piece
        source = replace(self._scan.head, table=pa.Table.from_batches([batch]), first_row=first_row)
        return self._read(Fields(source, "hourly"), first_row, certificate_ids)

    def _read(self, fields: Fields, first_row: int, certificate_ids: pa.Array) -> Batch:
        codes, names, known = _parents(fields, certificate_ids)
        ticks, per_second, bad = _starts(fields, self.zone)
        energy, unreadable = _energy(fields)
        lengths = _lengths(fields)
        words = {name: encode(fields.column(column)) for name in WORD_COLUMNS if (column := fields.name(name))}
        ids = fields.column(column) if (column := fields.name("certificate_id")) else None
        bad |= unreadable
        found = fields.findings
        batch = Batch(first_row, None, codes, names, known, ticks, per_second, lengths, energy, words, ids, found)
        if not bad.any():
            return batch
        readable = np.flatnonzero(~bad)
        return keep(batch, readable, readable)


def _open(hourly: Any) -> Scan:
    if isinstance(hourly, str | os.PathLike):
        return scan(hourly, BATCH_ROWS)
    return scan_source(from_stream(hourly, may_be_empty=True), BATCH_ROWS)


def keep(batch: Batch, at: np.ndarray, rows: np.ndarray) -> Batch:
    """Return the entries `at` int64[k] of a batch, in that order; `rows` are their positions in the file's batch."""
    import pyarrow as pa

    return replace(
        batch,
        rows=rows,
        codes=batch.codes[at],
        ticks=batch.ticks[at],
        lengths=batch.lengths[at],
        energy=batch.energy[at],
        words={name: (codes[at], values) for name, (codes, values) in batch.words.items()},
        ids=None if batch.ids is None else batch.ids.take(pa.array(at)),
    )


def _needed(fields: Fields, found: Any, wanted: str) -> Any:
    """Return what was found; a needed column that is absent refuses the file at once."""
    if found is None:
        fields.missing(wanted)
        raise RefusedError(fields.findings)
    return found


def _parents(fields: Fields, certificate_ids: pa.Array) -> tuple[np.ndarray, list[Any], np.ndarray]:
    """Return the batch's parents as (code per row, names, annual row per name)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    name = _needed(fields, fields.name("parent_certificate_id"), "parent_certificate_id")
    codes, values = encode(fields.column(name))
    known = pc.index_in(pa.array(values, pa.string()), value_set=certificate_ids)
    return codes, values, np.append(without_nulls(known, -1), -1).astype(np.int32)


def _starts(fields: Fields, zone: str | None) -> tuple[np.ndarray, int, np.ndarray]:
    """Return the starts, how many of their unit make a second, and which rows have none, bool[n]."""
    import pyarrow as pa

    name = _needed(fields, fields.name("production_start"), "production_start")
    column = fields.column(name)
    if pa.types.is_timestamp(column.type) and column.type.tz is not None and not column.null_count:
        ticks = without_nulls(column.cast(pa.int64()), 0)
        return ticks, TICKS_PER_SECOND[column.type.unit], np.zeros(len(fields), dtype=bool)
    times = parse_times(column, zone)
    fields.report("null_value", times.null, name, "is empty")
    fields.report("unreadable_value", times.unreadable, name, "is not an ISO 8601 time")
    fields.report("nonexistent_time", times.skipped, name, f"does not exist in {zone}")
    fields.report("naive_time", times.naive, name, "names no time zone")
    return times.earliest, 1, times.null | times.unreadable | times.skipped | times.naive


def _energy(fields: Fields) -> tuple[np.ndarray, np.ndarray]:
    name, unit = _needed(fields, fields.measure("energy", "energy") or fields.measure("", "energy"), "energy_wh")
    parsed = parse_scaled(fields.column(name), unit.digits)
    readable = ~(parsed.null | parsed.unreadable)
    fields.report("null_value", parsed.null, name, "is empty")
    fields.report("unreadable_value", parsed.unreadable, name, f"is not a number of {unit.name}")
    fields.report("inexact_energy", parsed.inexact & readable, name, "is not a whole number of Wh")
    return parsed.values, ~readable


def _lengths(fields: Fields) -> np.ndarray:
    name = fields.name("interval_s")
    if name is None:
        return np.full(len(fields), HOUR_S, dtype=np.int32)
    column = fields.column(name)
    if str(column.type) == "int32" and column.null_count == 0:
        return np.asarray(column.to_numpy())
    parsed = parse_scaled(column, 0)
    fields.report("unreadable_value", parsed.unreadable | parsed.null, name, "is not a number of seconds")
    return parsed.values.clip(-1, 1 << 30).astype(np.int32)
