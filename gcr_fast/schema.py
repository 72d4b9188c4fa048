"""Every column of every table: name, Arrow type, unit, whether it may be null, what it means.

The tables are data, so that `gcr schema`, the readers, the writers and the tests all read the same page.
Nothing here imports pyarrow until a schema is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gcr_fast.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 1


class Column(NamedTuple):
    """One column of a table."""

    name: str
    type: str
    """An Arrow type in words: int64, int32, string, bool, timestamp, words (a dictionary of strings)."""
    unit: str
    needed: bool
    meaning: str
    aliases: tuple[str, ...] = ()
    """Other names under which it is read."""


ANNUAL = (
    Column("certificate_id", "string", "", True, "unique in the file; serial numbers stay text", ("id",)),
    Column("energy_wh", "int64", "Wh", True, "whole watt-hours; or energy_mwh as decimal text, read exactly"),
    Column("production_start", "timestamp", "UTC", True, "start of production, inclusive; or year", ("start",)),
    Column("production_end", "timestamp", "UTC", True, "end of production, exclusive; or year", ("end",)),
    Column("zone", "string", "IANA", False, "zone of the year and of times without offset (UTC)", ("time_zone",)),
    Column("source_type", "string", "", False, "solar, wind, hydro, ... (`gcr schema --codes`)", ("source",)),
    Column(
        "profile",
        "string",
        "",
        False,
        "the profile that spreads it; else device_id, else country-year-source",
    ),
    Column("status", "string", "", True, "CANCELED (or CANCELLED) is what can be converted"),
    Column("purpose", "string", "", False, "conversion: born ACTIVE; end_use: born RETIRED; empty: born LOCKED"),
    Column("owner", "string", "", False, "who holds the hourly certificates"),
    Column("beneficiary", "string", "", False, "for whom it was cancelled, if purpose is end_use"),
    Column("device_id", "string", "", False, "the plant (GSRN, EIC or any text)", ("device",)),
    Column("country", "string", "ISO 3166", False, "two letters"),
    Column("capacity_w", "int64", "W", False, "nameplate; no hour may exceed it times the margin; or capacity_mw"),
    Column("issuer", "string", "", False, "the issuing body"),
    Column(
        "allocation_basis",
        "string",
        "",
        False,
        "metered_hourly ... flat; by default metered on energy of its own device, else as the profile was chosen",
    ),
    Column(
        "residual_permitted",
        "bool",
        "",
        False,
        "whether under 1 MWh above the meter may be booked apart (true)",
    ),
    Column("serial_prefix", "string", "", False, "what the serial numbers of the issuer's registry begin with"),
    Column("serial_start", "int64", "", False, "first serial number, inclusive"),
    Column("serial_end", "int64", "", False, "last serial number, inclusive"),
)

PROFILES = (
    Column(
        "profile",
        "string",
        "",
        False,
        "its name; else device_id, else source_type, else the file's",
        ("name",),
    ),
    Column(
        "start",
        "timestamp",
        "UTC",
        True,
        "start of the interval; a name with `end` or `ending` means its end",
        ("production_start", "timestamp", "time", "datetime", "utc_timestamp", "interval_start"),
    ),
    Column("energy_wh", "int64", "Wh", True, "energy of the interval; the suffix names the unit (_mwh, _mw, ...)"),
    Column("source_type", "string", "", False, "what made it; checked against the certificate's"),
    Column("device_id", "string", "", False, "the meter's device", ("device",)),
    Column("role", "string", "", False, "generation, or what is not converted: load, storage, consumption, trade"),
    Column("quality", "string", "", False, "measured, imputed by its publisher, or estimated: filled in"),
)

GENERATION = (
    Column("profile", "words", "", True, "its name: the device, else area and kind"),
    Column("start", "timestamp", "UTC", True, "start of the interval"),
    Column("interval_s", "int32", "s", True, "its length"),
    Column("energy_wh", "int64", "Wh", False, "with the source's sign; empty is a gap; shapes stand in weight instead"),
    Column("role", "words", "", True, "generation, load, storage, consumption or trade"),
    Column("source_type", "words", "", False, "of generation and storage"),
    Column("kind", "words", "", True, "what it is of, finer than the source type: fossil_gas, load"),
    Column("area", "words", "", False, "country, bidding zone, balancing authority"),
    Column("device_id", "words", "", False, "unit or meter, where the source is about units"),
    Column("quality", "words", "", False, "measured, imputed by its publisher, estimated: filled in; empty in a gap"),
    Column("flags", "words", "", False, "what the source says of the value, in its words: FINAL, R1, Imputed"),
    Column("format", "words", "", True, "the format it was read from"),
)

HOURLY = (
    Column("certificate_id", "string", "", False, "HOURLY-{parent}-{YYYYMMDDHH}, in UTC (by option)", ("id",)),
    Column("parent_certificate_id", "words", "", True, "the annual certificate", ("parent", "parent_id")),
    Column("production_start", "timestamp", "UTC", True, "start of the interval", ("timestamp", "start")),
    Column("interval_s", "int32", "s", True, "its length, at most 3600"),
    Column("energy_wh", "int64", "Wh", True, "whole watt-hours"),
    Column("source_type", "words", "", False, "as the parent's"),
    Column("status", "words", "", True, "ACTIVE, RETIRED, LOCKED, ..."),
    Column("allocation_basis", "words", "", False, "where the hourly shape came from"),
    Column("owner", "words", "", False, "who holds it"),
)

REPORT = (
    Column("parent_certificate_id", "string", "", True, "the annual certificate"),
    Column("source_type", "string", "", True, "its own, else the profile's, else other"),
    Column("profile", "string", "", True, "the profile that spread it"),
    Column("allocation_basis", "string", "", True, "where the hourly shape came from"),
    Column("production_start", "timestamp", "UTC", True, "start of the period"),
    Column("production_end", "timestamp", "UTC", True, "end of the period, exclusive"),
    Column("hours", "int64", "", True, "intervals in the period"),
    Column("nonzero_hours", "int64", "", True, "intervals that received energy: hourly certificates issued"),
    Column("energy_wh", "int64", "Wh", True, "the annual certificate's energy"),
    Column("issued_wh", "int64", "Wh", True, "sum of its hourly certificates"),
    Column("residual_wh", "int64", "Wh", True, "energy_wh - issued_wh"),
    Column("clipped_wh", "int64", "Wh", True, "negative generation of the profile in the period, not issued"),
    Column("findings", "strings", "", True, "codes that concern it"),
)

PARENTS = (
    Column("certificate_id", "string", "", True, "the annual certificate"),
    Column("energy_wh", "int64", "Wh", True, "its energy"),
    Column("issued_wh", "int64", "Wh", True, "sum of its hourly certificates"),
    Column("residual_wh", "int64", "Wh", True, "energy_wh - issued_wh"),
    Column("certificates", "int64", "", True, "its hourly certificates: intervals with energy"),
    Column("production_start", "timestamp", "UTC", True, "start of the period"),
    Column("production_end", "timestamp", "UTC", True, "end of the period, exclusive"),
    Column("hours", "int64", "", True, "intervals in the period"),
    Column("step_s", "int64", "s", True, "length of an interval"),
    Column("zone", "string", "IANA", True, "zone of its period"),
    Column("source_type", "string", "", True, "its own, else the profile's, else other"),
    Column("profile", "string", "", True, "the profile that spread it"),
    Column("status", "string", "", True, "the state in which its hours were born"),
    Column("annual_status", "string", "", True, "its own status when it was converted: CANCELED"),
    Column("purpose", "string", "", False, "for what it was cancelled"),
    Column("allocation_basis", "string", "", True, "where the hourly shape came from"),
    Column("owner", "string", "", True, "to whom its hours were issued"),
    Column("beneficiary", "string", "", False, "for whom it was cancelled, if purpose is end_use"),
    Column("device_id", "string", "", False, "the plant"),
    Column("country", "string", "ISO 3166", False, "two letters"),
    Column("capacity_w", "int64", "W", False, "nameplate"),
    Column("issuer", "string", "", False, "the issuing body"),
    Column("serial_prefix", "string", "", False, "what its serial numbers begin with"),
    Column("serial_start", "int64", "", False, "first serial number, inclusive"),
    Column("serial_end", "int64", "", False, "last serial number, inclusive"),
)

CERTIFICATES = (
    Column("certificate", "int64", "", True, "its handle: row number, or piece from 2^62 on"),
    *HOURLY,
)

JOURNAL = (
    Column("entry", "int64", "", True, "its number, from 1 without gaps"),
    Column("kind", "string", "", True, "create, party, issue, trade, retire, ..."),
    Column("at", "timestamp", "UTC", True, "when it happened"),
    Column("actor", "string", "", False, "who asked for it"),
    Column("key", "string", "", False, "its idempotency key"),
    Column("from_party", "string", "", False, "whose the certificates were"),
    Column("to_party", "string", "", False, "who got them"),
    Column("certificates", "int64", "", True, "how many"),
    Column("energy_wh", "int64", "Wh", True, "their energy"),
    Column("price_minor_per_mwh", "int64", "minor units", False, "the price; 0 is a price, empty is none"),
    Column("total_minor", "int64", "minor units", False, "price x energy, rounded half to even"),
    Column("currency", "string", "ISO 4217", False, "three letters"),
    Column("texts", "string", "JSON", True, "all else that it says: beneficiary, purpose, reference, hashes, ..."),
    Column("runs", "int64", "", True, "runs of consecutive certificates that it takes whole"),
    Column("splits", "int64", "", True, "certificates that it takes a part of"),
    Column("hash", "string", "hex", True, "SHA-256 of the entry's bytes and the hash before it"),
    Column("previous_hash", "string", "hex", True, "the hash before it; zeros before the first"),
)

TRADES = (
    Column("entry", "int64", "", True, "its number in the journal"),
    Column("at", "timestamp", "UTC", True, "when it was made"),
    Column("seller", "string", "", True, "who had the certificates"),
    Column("buyer", "string", "", True, "who got them"),
    *(
        column
        for column in JOURNAL
        if column.name
        in ("certificates", "energy_wh", "price_minor_per_mwh", "total_minor", "currency", "actor", "key")
    ),
)

BUNDLES = (
    Column("issuance_id", "string", "", True, "the hourly certificate's id"),
    Column("bundle_quantity", "int64", "", True, "how many certificates: end - start + 1 of their numbers"),
    Column(
        "certificate_bundle_id_range_start", "int64", "", True, "first number, inclusive", ("bundle_id_range_start",)
    ),
    Column("certificate_bundle_id_range_end", "int64", "", True, "last number, inclusive", ("bundle_id_range_end",)),
    Column("energy_carrier", "string", "", False, "electricity"),
    Column("energy_source", "string", "", False, "solar_pv, wind, hydro, biomass, nuclear, geothermal, ..., other"),
    Column("face_value", "int64", "Wh", True, "energy of one certificate"),
    Column("issuance_post_energy_carrier_conversion", "string", "", False, "TRUE after a conversion of the carrier"),
    Column("emissions_factor_production_device", "string", "kgCO2e/MWh", False, "the device's emissions factor"),
    Column("emissions_factor_source", "string", "", False, "how it was calculated"),
    Column("production_starting_interval", "string", "UTC", True, "start of the interval, ISO 8601"),
    Column("production_ending_interval", "string", "UTC", True, "end of the interval, at most an hour later"),
    Column("local_timezone", "string", "IANA", False, "zone of the device"),
    Column("expiry_datestamp", "string", "UTC", False, "the day from which it is invalid, if not cancelled"),
    Column("is_storage", "string", "", False, "TRUE for what a storage device discharged"),
    Column("storage_efficiency_factor", "string", "", False, "of the storage device"),
    Column("country_of_issuance", "string", "", False, "the domain of the issuing body"),
    Column("connected_grid_identification", "string", "", False, "into which grid the energy was fed"),
    Column("issuing_body", "string", "", False, "who issued it"),
    Column("legal_status", "string", "", False, "of the issuing body"),
    Column("issuance_purpose", "string", "", False, "disclosure, compliance, ..."),
    Column("support_received", "string", "", False, "public support of the device"),
    Column("quality_scheme_reference", "string", "", False, "a quality scheme"),
    Column("dissemination_level", "string", "", False, "consumed on site, or fed into which grid"),
    Column("issue_market_zone", "string", "", False, "bidding zone or price node"),
    Column("device_id", "string", "", False, "the device; its numbers follow each other"),
    Column("account_id", "string", "", False, "who holds it"),
    Column(
        "certificate_bundle_status", "string", "", False, "Active, Cancelled, Claimed, ...", ("certificate_status",)
    ),
)

FINDINGS_COLUMNS = (
    Column("code", "string", "", True, "what was found; see `gcr schema --codes`"),
    Column("severity", "string", "", True, "error, warning or info"),
    Column("file", "string", "", False, "the file it is in"),
    Column("row", "int64", "", False, "row of a table, from 0; of a gap the row before it"),
    Column("line", "int64", "", False, "line of a text file, from 1, the header included; entry of a document"),
    Column("column", "string", "", False, "the column, as the file spells it"),
    Column("value", "string", "", False, "the offending value"),
    Column("certificate_id", "string", "", False, "the certificate concerned"),
    Column("profile", "string", "", False, "the profile concerned"),
    Column("count", "int64", "", True, "how many rows this finding speaks for"),
    Column("message", "string", "", True, "what was found and what was expected"),
    Column("hint", "string", "", True, "how to mend it"),
)

TABLES = {
    "annual": ANNUAL,
    "profiles": PROFILES,
    "generation": GENERATION,
    "hourly": HOURLY,
    "report": REPORT,
    "parents": PARENTS,
    "certificates": CERTIFICATES,
    "trades": TRADES,
    "journal": JOURNAL,
    "bundles": BUNDLES,
    "findings": FINDINGS_COLUMNS,
}

LEGACY_ALIASES = {"total_mwh": "energy_mwh", "mwh": "energy_mwh"}
"""The older registry's names for energy."""


def columns_of(table: str) -> tuple[Column, ...]:
    """Return the columns of one of `TABLES`; an unknown name is a `UsageError`."""
    if table not in TABLES:
        raise UsageError(f"no table {table!r}; there are {', '.join(TABLES)}")
    return TABLES[table]


def arrow_schema(table: str, without: tuple[str, ...] = ()) -> pa.Schema:
    """Return the Arrow schema of a table, its version in the metadata."""
    import pyarrow as pa

    fields = [
        pa.field(column.name, arrow_type(column), nullable=not column.needed)
        for column in columns_of(table)
        if column.name not in without
    ]
    return pa.schema(fields, metadata={"gcr_fast.table": table, "gcr_fast.schema_version": str(SCHEMA_VERSION)})


def arrow_type(column: Column) -> pa.DataType:
    """Return the Arrow type that a column's type word stands for."""
    import pyarrow as pa

    return {
        "string": pa.string(),
        "strings": pa.list_(pa.string()),
        "words": pa.dictionary(pa.int32(), pa.string()),
        "int64": pa.int64(),
        "int32": pa.int32(),
        "bool": pa.bool_(),
        "timestamp": pa.timestamp("ms", "UTC"),
    }[column.type]
