"""Hourly certificates of any origin, batch by batch, as plain arrays with one integer code per word."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.columns import encode, without_nulls
from gcr_fast.exchange.reading import Scan, Source, from_stream, scan, scan_source
from gcr_fast.fields import Fields
from gcr_fast.findings import Findings, RefusedError
from gcr_fast.periods import Times, parse_times, utc_to_local
from gcr_fast.sources.clock import walk
from gcr_fast.units import parse_scaled
from gcr_fast.validation.parts import Memory, Parts

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 1 << 19
LOOKED_AT_ROWS = 1 << 22
"""Rows at a time where nothing is copied or parsed."""
HOUR_S = 3600
TICKS_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_TWICE = "happens twice, and the order of its parent's rows does not tell which of the two is meant"
_WRITE_OFFSET = "write it with its offset, or in UTC"
WORD_COLUMNS = ("source_type", "status", "allocation_basis")


@dataclass(frozen=True, eq=False)
class Words:
    """A column of words: codes (-1 is null), and the distinct words."""

    parts: Parts
    values: list[Any]

    @property
    def codes(self) -> np.ndarray:
        """int32[n]."""
        return self.parts.flat


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
    start_parts: Parts
    """int64[n]: start of each interval, `per_second` of them a second."""
    per_second: int
    length_parts: Parts
    """int32[n] s."""
    energy: np.ndarray
    words: dict[str, Words]
    """The word columns that are there."""
    ids: pa.Array | None
    findings: Findings
    """What could not be read."""
    memory: Memory
    """What is known of the parts' memory."""

    @property
    def ticks(self) -> np.ndarray:
        """int64[n]: start of each interval, `per_second` of them a second."""
        return self.start_parts.flat

    @property
    def lengths(self) -> np.ndarray:
        """int32[n] s: length of each interval."""
        return self.length_parts.flat

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
        self._memory = Memory()
        self.zone = zone

    @property
    def source(self) -> Source:
        """Where it came from, with the metadata that the file carries."""
        return self._scan.head

    def pieces(self) -> Iterator[tuple[int, pa.Table]]:
        """Yield the file's batches as they are, each with its first row."""
        first_row = 0
        for piece in self._scan.batches():
            if piece.num_rows:
                yield first_row, piece
            first_row += piece.num_rows

    def parse(self, piece: tuple[int, pa.Table], certificate_ids: pa.Array) -> Batch:
        """Turn a piece into arrays; parents are positions in `certificate_ids`. May be used by many threads."""
        first_row, table = piece
        source = replace(self._scan.head, table=table, first_row=first_row)
        return self._read(Fields(source, "hourly"), first_row, certificate_ids)

    def _read(self, fields: Fields, first_row: int, certificate_ids: pa.Array) -> Batch:
        codes, names, known = _parents(fields, certificate_ids)
        starts, per_second, bad = _starts(fields, self.zone, codes)
        energy, unreadable = _energy(fields)
        lengths = _lengths(fields)
        words = {name: _words(fields, column) for name in WORD_COLUMNS if (column := fields.name(name))}
        ids = fields.column(column) if (column := fields.name("certificate_id")) else None
        memory = self._memory if self._scan.held else Memory()
        batch = Batch(
            first_row, None, codes, names, known, starts, per_second, lengths, energy, words, ids,
            fields.findings, memory,
        )  # fmt: skip
        wrong = [mask for mask in (bad, unreadable) if mask is not None and mask.any()]
        if not wrong:
            return batch
        readable = np.flatnonzero(~np.logical_or.reduce(wrong))
        return keep(batch, readable, readable)


def _open(hourly: Any) -> Scan:
    if isinstance(hourly, str | os.PathLike):
        return scan(hourly, BATCH_ROWS)
    source = from_stream(hourly, may_be_empty=True)
    return scan_source(source, LOOKED_AT_ROWS if _encoded(source.table.schema) else BATCH_ROWS)


def _encoded(schema: pa.Schema) -> bool:
    import pyarrow as pa

    return not any(pa.types.is_string(field.type) for field in schema)


def keep(batch: Batch, at: np.ndarray, rows: np.ndarray) -> Batch:
    """Return the entries `at` int64[k] of a batch, in that order; `rows` are their positions in the file's batch."""
    import pyarrow as pa

    return replace(
        batch,
        rows=rows,
        codes=batch.codes[at],
        start_parts=Parts.of(batch.ticks[at]),
        length_parts=Parts.of(batch.lengths[at]),
        energy=batch.energy[at],
        words={name: Words(Parts.of(word.codes[at]), word.values) for name, word in batch.words.items()},
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


def _words(fields: Fields, name: str) -> Words:
    """Return a column of words; chunks that share one dictionary stay where they are."""
    import pyarrow as pa

    chunks = fields.source.table.column(name).chunks
    first = chunks[0]
    plain = first.type == pa.dictionary(pa.int32(), pa.string()) and not first.dictionary.null_count
    if plain and len(chunks) > 1:
        home = first.dictionary.buffers()[1:]
        plain = all(_same(chunk.dictionary.buffers()[1:], home) for chunk in chunks)
    if plain and not any(chunk.null_count for chunk in chunks):
        return Words(Parts.from_chunks(chunks, np.int32), first.dictionary.to_pylist())
    codes, values = encode(fields.column(name))
    return Words(Parts.of(codes), values)


def _same(some: list[Any], others: list[Any]) -> bool:
    """Whether two arrays lie in the same memory."""
    return [buffer.address for buffer in some] == [buffer.address for buffer in others]


def _starts(fields: Fields, zone: str | None, parents: np.ndarray) -> tuple[Parts, int, np.ndarray | None]:
    """Return the starts, how many of their unit make a second, and which rows have none: bool[n], None if all have.

    `parents` int32[n] tells series apart, each of which has an order of its own.
    """
    import pyarrow as pa

    name = _needed(fields, fields.name("production_start"), "production_start")
    chunked = fields.source.table.column(name)
    if pa.types.is_timestamp(chunked.type) and chunked.type.tz is not None and not chunked.null_count:
        parts = Parts.from_chunks(chunked.chunks, np.int64)
        return parts, TICKS_PER_SECOND[chunked.type.unit], None
    column = fields.column(name)
    times = parse_times(column, zone)
    fields.report("null_value", times.null, name, "is empty")
    fields.report("unreadable_value", times.unreadable, name, "is not an ISO 8601 time")
    fields.report("nonexistent_time", times.skipped, name, f"does not exist in {zone}")
    fields.report("naive_time", times.naive, name, "names no time zone")
    bad = times.null | times.unreadable | times.skipped | times.naive
    starts, unclear = _told_apart(times, zone, parents, ~bad)
    fields.report("naive_time", unclear, name, f"{_TWICE} in {zone}: {_WRITE_OFFSET}")
    return Parts.of(starts), 1, bad | unclear


def _told_apart(times: Times, zone: str | None, parents: np.ndarray, good: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return UTC seconds int64[n] of times that are `good` bool[n], and where they are unclear bool[n].

    Which of the two autumn hours of one name is meant, the order of a parent's rows tells, or nothing does.
    """
    twice = good & (times.earliest != times.latest)
    unclear = np.zeros(len(good), dtype=bool)
    if zone is None or not twice.any():
        return times.earliest, unclear
    rows = np.flatnonzero(good)
    walked = walk(utc_to_local(times.earliest[rows], zone), zone, parents[rows].astype(np.int64))
    starts = times.earliest.copy()
    starts[rows] = np.where(twice[rows], walked.seconds, starts[rows])
    unclear[rows] = twice[rows] & walked.unclear
    return starts, unclear


def _energy(fields: Fields) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the energy, int64[n] Wh, and which rows have none: bool[n], None if all have."""
    name, unit = _needed(fields, fields.measure("energy", "energy") or fields.measure("", "energy"), "energy_wh")
    column = fields.column(name)
    if str(column.type) == "int64" and not unit.digits and not column.null_count:
        return column.to_numpy(), None
    parsed = parse_scaled(column, unit.digits)
    readable = ~(parsed.null | parsed.unreadable)
    fields.report("null_value", parsed.null, name, "is empty")
    fields.report("unreadable_value", parsed.unreadable, name, f"is not a number of {unit.name}")
    fields.report("inexact_energy", parsed.inexact & readable, name, "is not a whole number of Wh")
    return parsed.values, ~readable


def _lengths(fields: Fields) -> Parts:
    name = fields.name("interval_s")
    if name is None:
        return Parts.of(np.full(len(fields), HOUR_S, dtype=np.int32))
    chunked = fields.source.table.column(name)
    if str(chunked.type) == "int32" and chunked.null_count == 0:
        return Parts.from_chunks(chunked.chunks, np.int32)
    column = fields.column(name)
    parsed = parse_scaled(column, 0)
    fields.report("unreadable_value", parsed.unreadable | parsed.null, name, "is not a number of seconds")
    return Parts.of(parsed.values.clip(-1, 1 << 30).astype(np.int32))
