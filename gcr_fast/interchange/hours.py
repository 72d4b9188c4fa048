"""Hourly certificates of any origin, batch by batch, in full: ids and owners too. A bad row refuses them all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.codes import MAX_INTERVAL_S
from gcr_fast.columns import as_text, encode, exact_sum, one_array
from gcr_fast.errors import UsageError
from gcr_fast.exchange.reading import from_stream, read_table
from gcr_fast.fields import Fields
from gcr_fast.findings import Finding, Findings, RefusedError
from gcr_fast.interchange.ranges import where
from gcr_fast.units import mwh_text
from gcr_fast.validation.hourly import Batch, HourlyReader

if TYPE_CHECKING:
    import pyarrow as pa


ONCE = "keep one; the pieces of a split hour have ids of their own, as a registry itself is written with them"
"""How to mend two certificates of one id."""
HANDLE = "certificate"
"""The column of a registry's own numbers, by which `gcr query` and `gcr export` name certificates."""


@dataclass(frozen=True)
class Hours:
    """Some hourly certificates with energy, in file order. All arrays have one entry per certificate."""

    ids: pa.Array
    """Their ids: as the file has them, else HOURLY-{parent}-{time}."""
    parent_codes: np.ndarray
    """int32[n]: which of `parents` each comes from."""
    parents: list[str]
    starts: np.ndarray
    """int64[n] UTC seconds."""
    lengths: np.ndarray
    """int64[n] s."""
    energy: np.ndarray
    """int64[n] Wh, above 0."""
    texts: Mapping[str, pa.Array]
    """source_type, status, allocation_basis and owner, as text; null where the file has none."""

    def __len__(self) -> int:
        return len(self.starts)


def hours_of(hourly: Any, zone: str | None = None, *, named: bool = True) -> Iterator[Hours]:
    """Yield the certificates of a path or an Arrow object. Hours of 0 Wh are no certificates and are left out.

    `zone` is that of times that name none. Raises `RefusedError` with every bad row of the whole file, at the latest
    after the last batch. Two certificates of one id are bad as well, also where it is made of parent and time, as the
    file has none; but unless they are to be `named`, not in files whose rows a registry's handles tell apart.
    """
    import pyarrow as pa

    reader = HourlyReader(hourly, zone)
    nobody = pa.array([], pa.string())
    findings, digests = Findings(), list[np.ndarray]()
    for piece in reader.pieces():
        batch = reader.parse(piece, nobody)
        findings.extend(batch.findings.of("error"))
        findings.extend(_impossible(reader, batch))
        if findings.ok:
            hours = _hours(reader, piece[1], batch)
            if named or batch.ids is not None or HANDLE not in piece[1].column_names:
                digests.append(_digests(hours.ids))
            yield hours
    if findings.ok:
        findings.extend(_namesakes(reader, digests))
    findings.check()


def _digests(ids: pa.Array) -> np.ndarray:
    """Return int64[n]: equal where ids are the same, and almost never elsewhere."""
    return np.fromiter(map(hash, ids.to_pylist()), np.int64, len(ids))


def _namesakes(reader: HourlyReader, digests: list[np.ndarray]) -> Iterator[Finding]:
    """Yield the certificates whose id an earlier one has. The file is read once more only if there are any."""
    import pyarrow as pa

    values, counts = np.unique(np.concatenate(digests or [np.empty(0, np.int64)]), return_counts=True)
    twice, first = values[counts > 1], dict[str, int]()
    for piece in reader.pieces() if len(twice) else ():
        batch = reader.parse(piece, pa.array([], pa.string()))
        ids = _ids(batch, [str(name) for name in batch.names])
        for at in np.flatnonzero(np.isin(_digests(ids), twice) & (batch.energy > 0)).tolist():
            name, row = ids[at].as_py(), batch.row(at)
            other = first.setdefault(name, row)
            if other != row:
                what = f"{name} is there twice: also {where(reader.source.place(other))}"
                place = reader.source.place(row)
                yield Finding("duplicate_id", what, column="certificate_id", value=name, hint=ONCE, **place)


def _impossible(reader: HourlyReader, batch: Batch) -> list[Finding]:
    """Return findings about rows that are no certificate: without a parent, negative, of no sound length."""
    found = []
    for code, mask, column, what in (
        ("null_value", batch.codes < 0, "parent_certificate_id", "is empty"),
        ("negative_energy", batch.energy < 0, "energy_wh", "is negative"),
        (
            "interval_too_long",
            (batch.lengths <= 0) | (batch.lengths > MAX_INTERVAL_S),
            "interval_s",
            "is not 1 to 3600",
        ),
    ):
        for at in np.flatnonzero(mask).tolist():
            row = batch.row(at)
            place: dict[str, Any] = {"file": reader.source.name or None, "row": row, "line": reader.source.line(row)}
            found.append(Finding(code, f"{column} {what}", column=column, **place))
    return found


def _hours(reader: HourlyReader, table: pa.Table, batch: Batch) -> Hours:
    fields = Fields(replace(reader.source, table=table), "hourly")
    texts = {name: _text(fields, name) for name in ("source_type", "status", "allocation_basis", "owner")}
    parents = [str(name) for name in batch.names]
    hours = Hours(
        _ids(batch, parents), batch.codes, parents, batch.starts, batch.lengths.astype(np.int64), batch.energy, texts
    )
    if (batch.energy > 0).all():
        return hours
    return _taken(hours, np.flatnonzero(batch.energy > 0))


def _taken(hours: Hours, kept: np.ndarray) -> Hours:
    """Return some of the certificates, by their places int64[k]."""
    import pyarrow as pa

    rows = pa.array(kept)
    return replace(
        hours,
        ids=hours.ids.take(rows),
        parent_codes=hours.parent_codes[kept],
        starts=hours.starts[kept],
        lengths=hours.lengths[kept],
        energy=hours.energy[kept],
        texts={name: text.take(rows) for name, text in hours.texts.items()},
    )


class LeftOut:
    """Takes out certificates of some states, and keeps count of them: the energy that they name is not there."""

    def __init__(self, *states: str) -> None:
        self._states = states
        self.counts: dict[str, tuple[int, int]] = {}
        """By state: certificates and Wh."""

    def of(self, hours: Hours) -> Hours:
        """Return the others."""
        codes, words = encode(hours.texts["status"])
        kept = np.ones(len(hours), dtype=bool)
        for code, word in enumerate(words):
            state = str(word).strip().upper()
            if state in self._states:
                here = codes == code
                kept &= ~here
                count, wh = self.counts.get(state, (0, 0))
                self.counts[state] = count + int(here.sum()), wh + exact_sum(hours.energy[here])
        return hours if kept.all() else _taken(hours, np.flatnonzero(kept))

    def told(self) -> dict[str, str]:
        """Return what was left out and why, by state."""
        return {
            state: f"{count:,} certificate{'s' if count > 1 else ''} of {mwh_text(wh)} MWh: {_WHY[state]}"
            for state, (count, wh) in self.counts.items()
            if count
        }


_WHY = {"SPLIT": "their pieces carry on", "WITHDRAWN": "energy that was taken back is no reading"}


def _text(fields: Fields, name: str) -> pa.Array:
    import pyarrow as pa

    found = fields.texts(name)
    return pa.nulls(len(fields), pa.string()) if found is None else found


def _ids(batch: Batch, parents: list[str]) -> pa.Array:
    """Return the ids of the file; where it has none, they follow from parent and time."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if batch.ids is not None and not batch.ids.null_count:
        return as_text(one_array(batch.ids))
    names = pa.DictionaryArray.from_arrays(pa.array(batch.codes), pa.array(parents, pa.string())).cast(pa.string())
    stamps = pc.strftime(pa.array(batch.starts, pa.timestamp("s")), format="%Y%m%d%H%M")
    whole = pa.array(batch.lengths == MAX_INTERVAL_S)
    stamps = pc.if_else(whole, pc.utf8_slice_codeunits(stamps, 0, -2), stamps)
    return pc.binary_join_element_wise("HOURLY", names, stamps, "-")


def are_hours(path: str | os.PathLike[str]) -> bool:
    """Whether a file or folder holds hourly certificates, which name their parents. A file of another kind does not."""
    with suppress(RefusedError):
        fields = Fields(HourlyReader(path).source, "hourly")
        return fields.name("parent_certificate_id") is not None
    return False


PARENT_FACTS = ("device_id", "country", "issuer", "zone", "source_type", "allocation_basis")
"""Columns of annual certificates that are taken from them, where they are there."""


def parent_facts(parents: Any) -> dict[str, dict[str, str | None]]:
    """Return what a table of annual certificates (or a registry's parents) says of each, by certificate id."""
    if parents is None:
        return {}
    source = read_table(parents) if isinstance(parents, str) or hasattr(parents, "__fspath__") else from_stream(parents)
    fields = Fields(source, "annual")
    ids = fields.texts("certificate_id")
    if ids is None:
        raise UsageError(f"{source.name or 'the table'} has no column certificate_id: it is no list of parents")
    columns = {name: _text(fields, name).to_pylist() for name in PARENT_FACTS}
    return {
        identity: {name: column[at] for name, column in columns.items()}
        for at, identity in enumerate(ids.to_pylist())
        if identity is not None
    }
