"""GC-registry bundle files, written for the registry's import.

The open granular certificate registry takes a CSV of bundles: a row holds the certificates of one device and hour, of
one Wh each, numbered in sequence, both ends of a range included. We write a bundle per hourly certificate, under the
certificate's own id, and number the Wh of each device one after another.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.columns import encode, exact_sum
from gcr_fast.errors import UsageError
from gcr_fast.exchange.streams import write_stream
from gcr_fast.findings import Finding, Findings
from gcr_fast.interchange.bundle_words import ASKED_FOR, FREE, NAME, PIECE, SOURCE_BACK, SOURCE_OF, STATUS_OF, TAKEN_AS
from gcr_fast.interchange.exchanged import Exchanged
from gcr_fast.interchange.hours import Hours, LeftOut, hours_of, parent_facts
from gcr_fast.schema import arrow_schema
from gcr_fast.units import mwh_text

if TYPE_CHECKING:
    import pyarrow as pa

_FROM_PARENT = {"country_of_issuance": "country", "issuing_body": "issuer", "local_timezone": "zone"}


def write_bundles(
    hourly: Any,
    path: str | os.PathLike[str],
    *,
    parents: Any = None,
    constants: Mapping[str, str] | None = None,
    expiry_months: int = 24,
    first_number: int = 0,
    zone: str | None = None,
) -> Exchanged:
    """Write hourly certificates (a path, or any Arrow object) as a bundle CSV.

    `parents` is a table of their annual certificates, from which device, country, issuer and zone are taken.
    `constants` fills columns of `FREE` in all rows. `expiry_months` after production they expire. The Wh of each
    device are numbered from `first_number` on. `zone` is that of hourly times that name none. What was split is left
    out: its pieces are bundles.

    Raises `RefusedError` with every bad row; nothing is left behind then.
    """
    given = _checked(path, constants or {}, expiry_months, first_number)
    writer = _Writer(parent_facts(parents), given, expiry_months, first_number)
    split = LeftOut("SPLIT")
    written = write_stream(path, writer.schema, (writer.batch(split.of(hours)) for hours in hours_of(hourly, zone)))
    return Exchanged(written, NAME, writer.energy_wh, writer.not_carried(), split.told(), writer.unfilled())


def _checked(
    path: str | os.PathLike[str], constants: Mapping[str, str], expiry_months: int, first_number: int
) -> dict[str, str]:
    if Path(path).suffix.lower() != ".csv":
        raise UsageError(f"{path}: bundles are written as .csv")
    for name in constants:
        if name not in FREE:
            raise UsageError(f"cannot set {name!r}; there are {', '.join(FREE)}")
    if expiry_months < 1 or first_number < 0:
        raise UsageError("expiry_months must be 1 or more, first_number 0 or more")
    return dict(constants)


class _Writer:
    """Turns hours into bundles, and keeps count of what it meets."""

    def __init__(
        self, facts: dict[str, dict[str, str | None]], constants: dict[str, str], expiry_months: int, first_number: int
    ) -> None:
        self.schema = arrow_schema("bundles")
        self.facts = facts
        self.constants = constants
        self.expiry_months = expiry_months
        self.first_number = first_number
        self.energy_wh = 0
        self._next: dict[str, int] = {}
        """The number after the last of each device."""
        self._lost: dict[str, set[str]] = {"source_type": set(), "allocation_basis": set()}
        self._states: dict[str, tuple[int, int]] = {}
        """Of each state that the registry's import does not take: bundles and Wh."""
        self._unfilled: set[str] = set()

    def batch(self, hours: Hours) -> pa.RecordBatch:
        """Return the bundles of some hours."""
        import pyarrow as pa

        _check_status(hours.texts["status"])
        names = hours.parents
        device = [self._fact(name, "device_id") or name for name in names]
        first = self._number(hours, device)
        columns: dict[str, Any] = {
            "issuance_id": _issuances(hours),
            "bundle_quantity": hours.energy,
            "certificate_bundle_id_range_start": first,
            "certificate_bundle_id_range_end": first + hours.energy - 1,
            "energy_carrier": _same("electricity", len(hours)),
            "energy_source": self._sources(hours),
            "face_value": np.ones(len(hours), dtype=np.int64),
            "issuance_post_energy_carrier_conversion": _same("FALSE", len(hours)),
            "production_starting_interval": _iso(hours.starts),
            "production_ending_interval": _iso(hours.starts + hours.lengths),
            "expiry_datestamp": _days(later_days(hours.starts + hours.lengths, self.expiry_months)),
            "is_storage": _are(hours.texts["source_type"], "storage_discharge"),
            "device_id": _each(hours, device),
            "account_id": hours.texts["owner"],
            "certificate_bundle_status": _translated(hours.texts["status"], STATUS_OF, ""),
        }
        for name in FREE:
            columns[name] = self._free(name, hours)
        self._note(hours)
        arrays = [pa.array(columns[field.name], field.type) for field in self.schema]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _fact(self, parent: str, name: str) -> str | None:
        return self.facts.get(parent, {}).get(name)

    def _number(self, hours: Hours, device: list[str]) -> np.ndarray:
        """Return the first number of each hour, int64[n]: the Wh of a device follow each other."""
        before = np.cumsum(hours.energy) - hours.energy
        borders = np.flatnonzero(np.diff(hours.parent_codes)) + 1
        first = np.empty(len(hours), dtype=np.int64)
        for low, high in zip([0, *borders.tolist()], [*borders.tolist(), len(hours)], strict=True):
            if low == high:
                continue
            place = device[int(hours.parent_codes[low])]
            begin = self._next.get(place, self.first_number)
            first[low:high] = before[low:high] - before[low] + begin
            self._next[place] = int(first[high - 1] + hours.energy[high - 1])
        self.energy_wh += int(hours.energy.sum())
        return first

    def _sources(self, hours: Hours) -> pa.Array:
        source = hours.texts["source_type"]
        for word in source.unique().to_pylist():
            if word is not None and SOURCE_BACK.get(SOURCE_OF.get(word, "other")) != word:
                self._lost["source_type"].add(f"{word} becomes {SOURCE_OF.get(word, 'other')}")
        return _translated(source, SOURCE_OF, "other")

    def _free(self, name: str, hours: Hours) -> pa.Array:
        import pyarrow as pa

        if name in self.constants:
            return _same(self.constants[name], len(hours))
        fact = _FROM_PARENT.get(name)
        values = [self._fact(parent, fact) if fact else None for parent in hours.parents]
        used = [values[code] for code in np.unique(hours.parent_codes).tolist()]
        if name in ASKED_FOR and any(value is None for value in used):
            self._unfilled.add(name)
        return _each(hours, values) if fact else pa.nulls(len(hours), pa.string())

    def _note(self, hours: Hours) -> None:
        bases = hours.texts["allocation_basis"].unique().to_pylist()
        self._lost["allocation_basis"].update(base for base in bases if base is not None)
        codes, words = encode(hours.texts["status"])
        for code, word in enumerate(words):
            theirs = STATUS_OF[str(word)]
            if theirs != TAKEN_AS:
                here = codes == code
                count, wh = self._states.get(theirs, (0, 0))
                self._states[theirs] = count + int(here.sum()), wh + exact_sum(hours.energy[here])

    def not_carried(self) -> dict[str, str]:
        """Return the columns that the form has no place for, and what becomes of them."""
        lost = {}
        if self._lost["source_type"]:
            lost["source_type"] = ", ".join(sorted(self._lost["source_type"]))
        if self._lost["allocation_basis"]:
            lost["allocation_basis"] = f"{', '.join(sorted(self._lost['allocation_basis']))}: no column says it"
        if said := [
            f"{count:,} {theirs} of {mwh_text(wh)} MWh" for theirs, (count, wh) in self._states.items() if count
        ]:
            lost["status"] = f"{', '.join(said)}: the import takes every bundle as {TAKEN_AS}, whatever the file says"
        return lost

    def unfilled(self) -> tuple[str, ...]:
        """Return the columns that the registry asks for and that stayed empty."""
        return tuple(name for name in ASKED_FOR if name in self._unfilled)


def _check_status(status: pa.Array) -> None:
    """Refuse a state that is not there, or is none of ours: the registry would take it for active."""
    words = status.unique().to_pylist()
    for word in words:
        if word is None:
            Findings(
                [Finding("null_value", "status is empty: say in what state each certificate is", column="status")]
            ).check()
        if word not in STATUS_OF:
            what = f"status {word!r} is not known; expected one of {', '.join(STATUS_OF)}"
            Findings([Finding("unknown_status", what, column="status", value=word)]).check()


def _issuances(hours: Hours) -> pa.Array:
    """Return the issuance of each hour: its own id, but for those that were read from a bundle of another maker.

    Such a one is called as its issuance, its parent, with the range behind it: the range has columns of its own.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    pieces = np.flatnonzero(pc.match_substring_regex(hours.ids, PIECE.pattern).to_numpy(zero_copy_only=False))
    if not len(pieces):
        return hours.ids
    texts = hours.ids.to_pylist()
    for at in pieces.tolist():
        parent = hours.parents[hours.parent_codes[at]]
        piece = PIECE.search(texts[at])
        if piece is not None and texts[at][: piece.start()] == parent:
            texts[at] = parent
    return pa.array(texts, pa.string())


def _same(word: str, count: int) -> pa.Array:
    import pyarrow as pa

    return pa.array([word], pa.string()).take(pa.array(np.zeros(count, dtype=np.int32)))


def _each(hours: Hours, values: list[Any]) -> pa.Array:
    """Return the value of each hour's parent."""
    import pyarrow as pa

    return pa.array(values, pa.string()).take(pa.array(hours.parent_codes))


def _translated(words: pa.Array, table: Mapping[str, str], default: str) -> pa.Array:
    import pyarrow as pa

    codes, values = encode(words)
    theirs = [table.get(str(value), default) for value in values] + [default]
    return pa.array(theirs, pa.string()).take(pa.array(np.where(codes < 0, len(values), codes)))


def _are(words: pa.Array, word: str) -> pa.Array:
    return _translated(words, {word: "TRUE"}, "FALSE")


def _iso(seconds: np.ndarray) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.strftime(pa.array(seconds, pa.timestamp("s")), format="%Y-%m-%dT%H:%M:%SZ")


def _days(days: np.ndarray) -> pa.Array:
    import pyarrow as pa

    return pa.array(np.datetime_as_string(days, unit="D"), pa.string())


def later_days(seconds: np.ndarray, months: int) -> np.ndarray:
    """Return the UTC day so many months after each second, datetime64[D][n]; 31 May and a month is 30 June."""
    days = seconds.astype("datetime64[s]").astype("datetime64[D]")
    first = days.astype("datetime64[M]")
    later = first + np.timedelta64(months, "M")
    last = (later + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    wanted = later.astype("datetime64[D]") + (days - first.astype("datetime64[D]"))
    found: np.ndarray = np.minimum(wanted, last)
    return found
