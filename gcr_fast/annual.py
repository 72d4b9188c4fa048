"""Annual certificates: read, checked row by row, held as one Arrow table.

Reading refuses what cannot be read (a value that is no number, an unknown zone). What can be read but must not be
converted (not cancelled, no energy, an id twice) is held with its finding and refused by `convert`, so that one
refusal names everything at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.annual_periods import periods_of
from gcr_fast.codes import (
    ANNUAL_STATUS_ALIASES,
    ANNUAL_STATUSES,
    BASES,
    MAX_PARENT_WH,
    PURPOSES,
    SOURCE_TYPES,
    canonical_source,
)
from gcr_fast.columns import arrow_int64, encode, utc_seconds, utc_timestamps
from gcr_fast.errors import UsageError
from gcr_fast.exchange.reading import Source, from_stream, read_table
from gcr_fast.fields import Fields
from gcr_fast.findings import Findings
from gcr_fast.periods import Period, zone_named
from gcr_fast.ranges import overlaps, space_of
from gcr_fast.schema import arrow_schema
from gcr_fast.sources.certificates.serials import canonical_each
from gcr_fast.units import parse_scaled

if TYPE_CHECKING:
    import pyarrow as pa

CONVERT_DECIDES = frozenset(
    {"not_canceled", "duplicate_certificate", "non_positive_energy", "energy_over_limit", "bad_capacity"}
)
"""Errors that reading lets pass and converting refuses."""

_TRUE, _FALSE = frozenset({"true", "yes", "1", "permitted"}), frozenset({"false", "no", "0"})


@dataclass(frozen=True)
class Annual:
    """Annual certificates: `table` has the columns of `schema.ANNUAL`, one row per certificate, in file order."""

    table: pa.Table
    findings: Findings
    source: Source

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def num_rows(self) -> int:
        """How many certificates."""
        return len(self)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Hand the table to any Arrow library."""
        return self.table.__arrow_c_stream__(requested_schema)

    def periods(self) -> list[Period]:
        """Return each certificate's production period."""
        starts = utc_seconds(self.table["production_start"], "production_start").tolist()
        ends = utc_seconds(self.table["production_end"], "production_end").tolist()
        return [Period(*pair) for pair in zip(starts, ends, strict=True)]


def read_annual(path: str | os.PathLike[str], *, zone: str = "UTC", strict: bool = True) -> Annual:
    """Read annual certificates from CSV, Parquet or Arrow IPC.

    `zone` is the zone of years and naive times of rows without a zone of their own. Raises `RefusedError` for what
    cannot be read; with `strict=False` it is held in `.findings` instead, for `convert` or `validate` to report.
    """
    return _parse(read_table(path), zone, strict)


def annual_from(obj: Any, *, zone: str = "UTC", strict: bool = True) -> Annual:
    """Take annual certificates from any object with `__arrow_c_stream__`; otherwise as `read_annual`."""
    if isinstance(obj, Annual):
        return obj
    if isinstance(obj, str | os.PathLike):
        return read_annual(obj, zone=zone, strict=strict)
    return _parse(from_stream(obj), zone, strict)


def _parse(source: Source, zone: str, strict: bool) -> Annual:
    zone_named(zone)
    fields = Fields(source, "annual")
    columns = _columns(fields, zone)
    fields.note_unused()
    import pyarrow as pa

    annual = Annual(pa.table(columns, schema=arrow_schema("annual")), fields.findings, source)
    if strict:
        _check_readable(fields.findings)
    return annual


def _check_readable(findings: Findings) -> None:
    if any(item.code not in CONVERT_DECIDES for item in findings.of("error")):
        findings.check()


def _columns(fields: Fields, default_zone: str) -> dict[str, Any]:
    zones = _zones(fields, default_zone)
    starts, ends = periods_of(fields, zones)
    purposes = fields.mapped("purpose", _one_of(PURPOSES), "unknown_purpose", "conversion or end_use")
    columns: dict[str, Any] = {
        "certificate_id": _ids(fields),
        "energy_wh": _energy(fields),
        "production_start": utc_timestamps(starts),
        "production_end": utc_timestamps(ends),
        "zone": zones,
        "source_type": fields.mapped(
            "source_type", canonical_source, "unknown_source_type", f"one of {', '.join(SOURCE_TYPES)}"
        ),
        "status": _statuses(fields),
        "purpose": purposes,
        "allocation_basis": fields.mapped("allocation_basis", _one_of(BASES), "unknown_basis", ", ".join(BASES)),
        "capacity_w": _capacity(fields),
        "residual_permitted": _residual(fields),
    }
    columns |= _serials(fields)
    for name in ("profile", "owner", "beneficiary", "device_id", "country", "issuer", "serial_prefix"):
        text = fields.texts(name)
        columns[name] = [None] * len(fields) if text is None else text
    _purpose_warnings(fields, purposes, fields.texts("beneficiary"))
    return columns


def _serials(fields: Fields) -> dict[str, list[int | None]]:
    """Read serial ranges, inclusive; ranges of one issuer and prefix that overlap are faults of the later row."""
    found = {name: _whole(fields, name) for name in ("serial_start", "serial_end")}
    if not any(map(any, found.values())):
        return found
    ranges = list(zip(found["serial_start"], found["serial_end"], strict=True))
    sound = [_span(low, high) for low, high in ranges]
    wrong = [span is None and (low, high) != (None, None) for span, (low, high) in zip(sound, ranges, strict=True)]
    fields.report("bad_serial", np.array(wrong, dtype=bool), "serial_end", "does not end a range of serial numbers")
    texts = [fields.texts(name) for name in ("serial_prefix", "issuer")]
    told = zip(*([None] * len(fields) if text is None else text.to_pylist() for text in texts), strict=True)
    spaces = (space_of(prefix or "", issuer) for prefix, issuer in told)
    for row, other in overlaps(list(zip(spaces, sound, strict=True))):
        mask = np.arange(len(fields)) == row
        what = f"begins a range that overlaps with the one of {_place(fields, other)}"
        fields.report("serial_overlap", mask, "serial_start", what)
    return found


def _place(fields: Fields, row: int) -> str:
    """Return where a row is, as the place of a finding says it."""
    line = fields.place(row)["line"]
    return f"line {line}" if line is not None else f"row {fields.place(row)['row']}"


def _span(low: int | None, high: int | None) -> tuple[int, int] | None:
    return (low, high) if low is not None and high is not None and 0 <= low <= high else None


def _whole(fields: Fields, name: str) -> list[int | None]:
    """Read an optional column of whole numbers."""
    column = fields.name(name)
    if column is None:
        return [None] * len(fields)
    parsed = parse_scaled(fields.column(column), 0)
    bad = parsed.unreadable | (parsed.inexact & ~parsed.null)
    fields.report("unreadable_value", bad, column, "is not a whole number")
    usable = ~(bad | parsed.null)
    return [value if good else None for value, good in zip(parsed.values.tolist(), usable.tolist(), strict=True)]


def _one_of(values: Iterable[str]) -> Any:
    known = frozenset(values)
    return lambda text: word if (word := text.strip().lower().replace(" ", "_").replace("-", "_")) in known else None


def _ids(fields: Fields) -> Any:
    import pyarrow.compute as pc

    text = fields.texts("certificate_id")
    if text is None:
        fields.missing("certificate_id")
        return [""] * len(fields)
    null = text.is_null().to_numpy(zero_copy_only=False)
    fields.report("null_value", null, "certificate_id", "is empty")
    codes = _alike(text)
    first = np.full(int(codes.max(initial=-1)) + 2, -1, dtype=np.int64)
    order = np.arange(len(codes))[::-1]
    first[codes[::-1]] = order  # the earliest row wins, being written last
    again = (first[codes] != np.arange(len(codes))) & ~null
    fields.report("duplicate_certificate", again, "certificate_id", "appears in an earlier row")
    return pc.fill_null(text, "")


def _alike(ids: pa.Array) -> np.ndarray:
    """Return int32[n]: equal for ids that differ in nothing but case and blanks; null is -1."""
    codes, values = encode(ids)
    known = canonical_each(values)
    place = {name: code for code, name in enumerate(dict.fromkeys(known))}
    if len(place) == len(known):
        return codes
    alike: np.ndarray = np.array([place[name] for name in known] + [-1], dtype=np.int32)[codes]
    return alike


def _energy(fields: Fields) -> pa.Array:
    found = fields.measure("energy", "energy")
    if found is None:
        fields.missing("energy_wh (or energy_mwh)")
        return arrow_int64(np.zeros(len(fields), dtype=np.int64))
    name, unit = found
    parsed = parse_scaled(fields.column(name), unit.digits)
    unreadable = parsed.unreadable & ~parsed.outside
    readable = ~(parsed.null | unreadable)
    fields.report("null_value", parsed.null, name, "is empty")
    fields.report("unreadable_value", unreadable, name, f"is not a number of {unit.name}")
    fields.report("inexact_energy", parsed.inexact & readable, name, "is not a whole number of Wh")
    fields.report("non_positive_energy", (parsed.values <= 0) & readable & ~parsed.inexact, name, "must be above 0")
    over = parsed.values > MAX_PARENT_WH
    fields.report("energy_over_limit", over, name, f"is above the exact limit of 2^51 Wh ({MAX_PARENT_WH} Wh)")
    return arrow_int64(parsed.values.copy())


def _zones(fields: Fields, default: str) -> list[str]:
    named = fields.mapped("zone", _known_zone, "unknown_zone", "an IANA name such as Europe/Berlin, or UTC")
    return [zone or default for zone in named]


def _known_zone(text: str) -> str | None:
    try:
        zone_named(text)
    except UsageError:
        return None
    return text


def _statuses(fields: Fields) -> list[str]:
    if fields.name("status") is None:
        fields.missing("status")
        return ["CANCELED"] * len(fields)
    known = fields.mapped("status", _known_status, "unknown_status", ", ".join(ANNUAL_STATUSES))
    text = fields.texts("status")
    assert text is not None
    null = text.is_null().to_numpy(zero_copy_only=False)
    fields.report("null_value", null, "status", "is empty")
    other = np.array([status not in {None, "CANCELED"} for status in known], dtype=bool)
    fields.report("not_canceled", other, "status", "is not CANCELED: only cancelled certificates are converted")
    return [status or "ISSUED" for status in known]


def _known_status(text: str) -> str | None:
    word = text.strip().upper()
    word = ANNUAL_STATUS_ALIASES.get(word, word)
    return word if word in ANNUAL_STATUSES else None


def _capacity(fields: Fields) -> Any:
    import pyarrow as pa

    found = fields.measure("capacity", "power")
    if found is None:
        return pa.nulls(len(fields), pa.int64())
    name, unit = found
    parsed = parse_scaled(fields.column(name), unit.digits)
    fields.report("unreadable_value", parsed.unreadable, name, f"is not a number of {unit.name}")
    fields.report("bad_capacity", (parsed.values <= 0) & ~parsed.null & ~parsed.unreadable, name, "must be above 0")
    return pa.array(parsed.values, mask=parsed.null | parsed.unreadable, type=pa.int64())


def _residual(fields: Fields) -> list[bool | None]:
    words = fields.mapped("residual_permitted", _known_bool, "unreadable_value", "true or false")
    return [None if word is None else word == "true" for word in words]


def _known_bool(text: str) -> str | None:
    word = text.strip().lower()
    return "true" if word in _TRUE else "false" if word in _FALSE else None


def _purpose_warnings(fields: Fields, purposes: list[str | None], beneficiaries: Any) -> None:
    text = fields.texts("purpose")
    if text is None:
        count = len(fields)
        fields.findings.add(
            "purpose_missing",
            f"no column purpose: the hours of all {count} certificates are born LOCKED, not tradable",
            file=fields.source.name or None,
            count=count,
        )
    else:
        fields.report(
            "purpose_missing",
            text.is_null().to_numpy(zero_copy_only=False),
            "purpose",
            "is empty: its hours are born LOCKED, not tradable",
        )
    nobody = np.array([purpose == "end_use" for purpose in purposes], dtype=bool)
    if beneficiaries is not None:
        nobody &= beneficiaries.is_null().to_numpy(zero_copy_only=False)
    fields.report("beneficiary_missing", nobody, "purpose", "names no beneficiary")
