"""GC-registry bundle files, read back as hourly certificates."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.codes import MAX_INTERVAL_S, STATUSES, canonical_source
from gcr_fast.columns import exact_sum, utc_timestamps
from gcr_fast.exchange.reading import read_table
from gcr_fast.exchange.streams import write_stream
from gcr_fast.fields import Fields
from gcr_fast.findings import Findings
from gcr_fast.interchange.bundle_facts import OF_PARENT, told_by
from gcr_fast.interchange.bundle_words import PIECE, SOURCE_BACK, SOURCE_OF, STATUS_BACK, STATUS_OF, TAKEN_AS
from gcr_fast.interchange.hours import parent_facts
from gcr_fast.interchange.ranges import note_lost, refuse_namesakes, refuse_overlaps
from gcr_fast.periods import parse_times
from gcr_fast.schema import arrow_schema, columns_of
from gcr_fast.units import mwh_text, parse_scaled

if TYPE_CHECKING:
    import pyarrow as pa

    from gcr_fast.exchange.writing import Written


STATUS = "certificate_bundle_status"
SPLIT, STORAGE = "SPLIT", "storage_discharge"
TRUE, FALSE = frozenset({"true", "t", "yes", "y", "1"}), frozenset({"false", "f", "no", "n", "0"})
BATCH = 1 << 15
"""Rows whose ids are Python's texts at once."""


@dataclass(frozen=True)
class Bundles:
    """Bundles that were read: `table` has the columns of `schema.HOURLY`, ids first, a row per bundle that is alive."""

    table: pa.Table
    findings: Findings
    parents: pa.Table
    """What they say of their parents: device, country, issuer, zone and source type, by certificate id."""
    not_carried: dict[str, str] = field(default_factory=dict)
    """Columns that neither table has a place for, each with what it holds or what becomes of it."""
    left_out: dict[str, str] = field(default_factory=dict)
    """States of bundles that are not in the table: how many and why."""

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def facts(self) -> list[str]:
        """Columns of the file that `parents` has and the table of hours has not, where any bundle fills them."""
        return [theirs for theirs, ours in OF_PARENT.items() if self.parents[ours].null_count < len(self.parents)]

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Hand the table to any Arrow library."""
        return self.table.__arrow_c_stream__(requested_schema)

    def write(self, path: str | os.PathLike[str]) -> Written:
        """Write a .parquet, .arrow or .csv file of hourly certificates."""
        return write_stream(path, self.table.schema, self.table.to_batches())


def read_bundles(path: str | os.PathLike[str], *, parents: Any = None) -> Bundles:
    """Read a bundle CSV as hourly certificates. Raises `RefusedError` with every bad row.

    `parents` is a table of their annual certificates: it tells the kind of wind or hydro, and the allocation basis.

    An id that we wrote gives back its parent. A bundle of another maker is its own parent, under its issuance id. Its
    range makes its id unique, as it does for those of ours that were split elsewhere: they keep the id of the whole.
    """
    import pyarrow as pa

    fields = Fields(read_table(path), "bundles")
    for column in columns_of("bundles"):
        if fields.name(column.name) is None and column.needed:
            fields.missing(column.name)
    fields.findings.check()
    columns = _columns(fields, parent_facts(parents))
    alive = np.array([word != SPLIT for word in columns["status"]], dtype=bool)
    sources, lost = _sources(fields, columns.pop("source_type"))
    told = told_by(fields, columns["parent_certificate_id"], sources, alive)
    fields.note_unused()
    fields.findings.check()
    left_out = _left_out(fields, columns, alive)
    columns["source_type"] = sources
    schema = arrow_schema("hourly")
    table = pa.table([_typed(columns[name], schema.field(name).type) for name in schema.names], schema)
    kept = table if alive.all() else table.filter(pa.array(alive))
    return Bundles(kept, fields.findings, told.parents, lost | told.not_carried, left_out)


def _left_out(fields: Fields, columns: dict[str, Any], alive: np.ndarray) -> dict[str, str]:
    """Say that bundles were split, and whether their Wh are all in the bundles which they became."""
    split_wh = columns["energy_wh"][~alive]
    if not len(split_wh):
        return {}
    lost_wh = note_lost(fields, columns["first_number"], columns["last_number"], columns["energy_wh"], alive)
    said = f"{len(split_wh):,} bundle{'s' * (len(split_wh) > 1)} of {mwh_text(exact_sum(split_wh))} MWh"
    but = f", but for {mwh_text(lost_wh)} MWh that no bundle of the file has" if lost_wh else ""
    what = f"{said}: the bundles that they were split into carry on{but}"
    fields.findings.add("left_out", what, value=STATUS_OF[SPLIT], count=len(split_wh), file=fields.source.name or None)
    return {STATUS_OF[SPLIT]: what}


def _sources(fields: Fields, words: list[str | None]) -> tuple[list[str | None], dict[str, str]]:
    """Return source types: what a storage device gave back is storage, whatever was stored; and what that loses.

    Refused: carriers other than electricity, and electricity that was made of another carrier. They are no generation
    that an hourly certificate could be of.
    """
    _check_carriers(fields)
    stored = _flags(fields, "is_storage")
    lost = [word for word, is_stored in zip(words, stored, strict=True) if is_stored and word != STORAGE]
    counts = Counter(word or "empty" for word in lost)
    said = ", ".join(f"{word} ({count:,})" for word, count in sorted(counts.items()))
    sources = [STORAGE if is_stored else word for word, is_stored in zip(words, stored, strict=True)]
    return sources, {"energy_source": f"{said} becomes {STORAGE}, where is_storage is TRUE"} if lost else {}


def _check_carriers(fields: Fields) -> None:
    converted = "issuance_post_energy_carrier_conversion"
    fields.report("not_electricity", _flags(fields, converted), converted, "says that another carrier was converted")
    carriers, words = fields.words_or_none("energy_carrier")
    other = np.array([word.lower() != "electricity" for word in words] + [False])[carriers]
    fields.report("not_electricity", other, "energy_carrier", "is not electricity")


def _flags(fields: Fields, field: str) -> np.ndarray:
    """Return bool[n]: where a column of TRUE and FALSE is true; an empty cell is not."""
    found = fields.words(field)
    if found is None:
        return np.zeros(len(fields), dtype=bool)
    codes, words = found
    lower = [word.lower() for word in words]
    unknown = np.array([word not in TRUE | FALSE for word in lower] + [False])[codes]
    fields.report("unreadable_value", unknown, field, "is neither TRUE nor FALSE")
    true: np.ndarray = np.array([word in TRUE for word in lower] + [False])[codes]
    return true


def _typed(column: Any, kind: pa.DataType) -> Any:
    """Return a column in the type of its table."""
    import pyarrow as pa

    return (column if isinstance(column, pa.ChunkedArray) else pa.array(column)).cast(kind)


def _columns(fields: Fields, facts: dict[str, dict[str, str | None]]) -> dict[str, Any]:
    starts, ends = (_times(fields, f"production_{which}_interval") for which in ("starting", "ending"))
    lengths = ends - starts
    bad = (lengths <= 0) | (lengths > MAX_INTERVAL_S)
    fields.report("interval_too_long", bad, "production_ending_interval", "is not within an hour after its start")
    low, high, quantity, face = (
        _whole(fields, name)
        for name in (
            "certificate_bundle_id_range_start", "certificate_bundle_id_range_end", "bundle_quantity", "face_value",
        )
    )  # fmt: skip
    wrong = (high - low + 1 != quantity) | (low < 0)
    fields.report("count_mismatch", wrong, "bundle_quantity", "is not the length of its range, both ends included")
    fields.report("non_positive_energy", quantity <= 0, "bundle_quantity", "must be above 0")
    fields.report("non_positive_energy", face <= 0, "face_value", "must be above 0")
    large = quantity > np.iinfo(np.int64).max // np.maximum(face, 1)
    fields.report("energy_over_limit", large, "bundle_quantity", "is above the limit of 2^63 Wh")
    status = _states(fields)
    source = fields.mapped("energy_source", _source, "unknown_source_type", ", ".join(SOURCE_BACK))
    owner = fields.texts("account_id")
    alive = np.array([word != SPLIT for word in status], dtype=bool)
    ids, parents = _identities(fields, starts, low, high)
    refuse_namesakes(fields, ids, alive & ~wrong)
    refuse_overlaps(fields, low, np.where(wrong | ~alive, low - 1, high), alive)
    return {
        "certificate_id": ids,
        "parent_certificate_id": parents,
        "production_start": utc_timestamps(starts),
        "interval_s": np.where(bad, 0, lengths).astype(np.int32),
        "energy_wh": quantity * np.where(large, 1, face),
        "source_type": [_finer(word, facts.get(parent, {})) for word, parent in zip(source, parents, strict=True)],
        "status": [word or "ACTIVE" for word in status],
        "allocation_basis": [facts.get(parent, {}).get("allocation_basis") for parent in parents],
        "owner": [None] * len(fields) if owner is None else owner,
        "first_number": low,
        "last_number": high,
    }


def _finer(word: str | None, facts: dict[str, str | None]) -> str | None:
    """Return the parent's source type, where the bundle's word is the one that it is written as."""
    own = facts.get("source_type")
    kind = canonical_source(own) if own else None
    return kind if kind and word and SOURCE_OF.get(kind, "other") == SOURCE_OF.get(word, "other") else word


def _states(fields: Fields) -> list[str | None]:
    """Return our states. A file that names none holds active bundles, as its import takes them; an empty cell does not.

    Refused: bundles without a state beside others that have one.
    """
    expected = ", ".join(dict.fromkeys(STATUS_OF.values()))
    states = fields.mapped(STATUS, _status, "unknown_status", expected)
    empty = fields.words_or_none(STATUS)[0] < 0
    if empty.all():
        what = f"no bundle says its {STATUS}: all are taken as {TAKEN_AS}"
        fields.findings.add("reading_note", what, column=STATUS, file=fields.source.name or None, count=len(states))
    else:
        fields.report("null_value", empty, STATUS, "is empty, and others are not")
    return states


def _status(word: str) -> str | None:
    return STATUS_BACK.get(word.lower()) or (word.upper() if word.upper() in STATUSES else None)


def _source(word: str) -> str | None:
    return SOURCE_BACK.get(word.lower())


def _times(fields: Fields, field: str) -> np.ndarray:
    """Return UTC seconds; a time without an offset is UTC, as that registry means it."""
    name = fields.name(field)
    assert name is not None
    times = parse_times(fields.column(name), "UTC")
    fields.report("null_value", times.null, name, "is empty")
    fields.report("unreadable_value", times.unreadable, name, "is not an ISO 8601 time (2024-01-01T00:00Z)")
    return times.earliest


def _whole(fields: Fields, field: str) -> np.ndarray:
    name = fields.name(field)
    assert name is not None
    parsed = parse_scaled(fields.column(name), 0)
    fields.report("null_value", parsed.null, name, "is empty")
    fields.report("unreadable_value", parsed.unreadable | (parsed.inexact & ~parsed.null), name, "is no whole number")
    return parsed.values


def _identities(
    fields: Fields, starts: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[pa.ChunkedArray, list[str]]:
    """Return ids and parents of all rows. A parent's name is one text, however many rows it has.

    One of our ids stays as it is, unless several bundles have it: then each gets its range.
    """
    import pyarrow as pa

    texts = fields.texts("issuance_id")
    assert texts is not None
    null = texts.is_null().to_numpy(zero_copy_only=False)
    fields.report("null_value", null, "issuance_id", "is empty")
    chunks, parents, known = [], list[str](), dict[str, str]()
    several = _several(fields)
    for at in range(0, len(texts), BATCH):
        rows, ids = slice(at, at + BATCH), list[str]()
        cells = texts.slice(at, BATCH).to_pylist()
        columns = zip(cells, _stamps(starts[rows]), low[rows], high[rows], several[rows], strict=True)
        for text, stamp, first, last, is_part in columns:
            parent = parent_of(text or "", stamp)
            ids.append((text or "") if parent and not is_part else f"{text}/{first}-{int(last) + 1}")
            parents.append(known.setdefault(parent or text or "", parent or text or ""))
        chunks.append(pa.array(ids, pa.string()))
    return pa.chunked_array(chunks, pa.string()), parents


def _several(fields: Fields) -> np.ndarray:
    """Return bool[n]: rows whose issuance another row has, too, in whichever state."""
    codes, words = fields.words_or_none("issuance_id")
    counts = np.bincount(codes[codes >= 0], minlength=len(words) + 1)
    several: np.ndarray = (counts > 1)[codes]
    return several


def _stamps(starts: np.ndarray) -> list[str]:
    """Return UTC seconds as YYYYMMDDHHMM."""
    import pyarrow as pa
    import pyarrow.compute as pc

    stamps: list[str] = pc.strftime(pa.array(starts, pa.timestamp("s")), format="%Y%m%d%H%M").to_pylist()
    return stamps


def parent_of(certificate_id: str, stamp: str) -> str | None:
    """Return the parent in HOURLY-{parent}-{time}, or such an id with /{first}-{end} of a piece; None if it is none.

    `stamp` is the start of the interval as YYYYMMDDHHMM: names of parents may have dashes, strokes and digits, too.
    A piece may have been split again: then it has several such ends.
    """
    texts = [certificate_id]
    while (match := PIECE.search(texts[-1])) is not None:
        texts.append(texts[-1][: match.start()])
    for text in reversed(texts):
        head, dash, time = text.rpartition("-")
        if dash and time in (stamp, stamp[:-2]) and head.startswith("HOURLY-") and head != "HOURLY-":
            return head.removeprefix("HOURLY-")
    return None
