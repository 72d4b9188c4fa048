"""The closed vocabularies: every word that may stand in a status, source, basis or finding column.

Each vocabulary is append-only: a value's position is its code on disk, so nothing is ever removed or moved.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_STANDARD_NAME = re.compile(r"^(?P<country>[A-Z]{2})-(?P<year>\d{4})-(?P<source>.+)$")
"""How the profiles that ship are named."""

SOURCE_TYPES = (
    "solar",
    "wind",
    "hydro",
    "geothermal",
    "biomass",
    "other",
    "nuclear",
    "marine",
    "wind_onshore",
    "wind_offshore",
    "hydro_run_of_river",
    "hydro_reservoir",
    "waste",
    "storage_discharge",
    "fossil",
)

SOURCE_ALIASES = {
    "pv": "solar",
    "photovoltaic": "solar",
    "onshore_wind": "wind_onshore",
    "onshore": "wind_onshore",
    "offshore_wind": "wind_offshore",
    "offshore": "wind_offshore",
    "run_of_river": "hydro_run_of_river",
    "hydro_run_of_river_and_poundage": "hydro_run_of_river",
    "reservoir": "hydro_reservoir",
    "hydro_water_reservoir": "hydro_reservoir",
    "hydroelectric": "hydro",
    "tidal": "marine",
    "wave": "marine",
    "uranium": "nuclear",
    "pumped_storage": "storage_discharge",
    "hydro_pumped_storage": "storage_discharge",
    "coal": "fossil",
    "hard_coal": "fossil",
    "lignite": "fossil",
    "gas": "fossil",
    "natural_gas": "fossil",
    "oil": "fossil",
    "petroleum": "fossil",
    "peat": "fossil",
}
"""Other spellings that are read, after lower-casing and turning spaces and hyphens into underscores."""

SOURCE_FAMILIES = {
    "wind_onshore": "wind",
    "wind_offshore": "wind",
    "hydro_run_of_river": "hydro",
    "hydro_reservoir": "hydro",
}
"""A kind and the family it belongs to; a parent and a profile agree if they are equal or one is the other's family."""

STATUSES = ("ACTIVE", "RESERVED", "LOCKED", "RETIRED", "CLAIMED", "EXPIRED", "WITHDRAWN", "SPLIT")
"""States of an hourly certificate."""

STATUS_ALIASES = {"TRADED": "ACTIVE"}
"""The older registry's TRADED is an ACTIVE certificate whose trade count is above zero."""

ANNUAL_STATUSES = ("CANCELED", "CONVERTED", "ISSUED", "ACTIVE", "TRADED", "RETIRED", "EXPIRED", "WITHDRAWN")
"""States of an annual certificate; only the first may be converted."""

ANNUAL_STATUS_ALIASES = {"CANCELLED": "CANCELED"}

PURPOSES = ("conversion", "end_use")

BIRTH_STATUS = {"conversion": "ACTIVE", "end_use": "RETIRED", None: "LOCKED"}
"""An hourly certificate's first state, by its parent's purpose. Unknown purpose: not tradable until unlocked."""

BASES = ("metered_hourly", "metered_scaled", "facility_profile", "regional_technology_profile", "flat")
"""Where the hourly shape comes from, best first."""

METERED_BASES = frozenset(BASES[:2])

ROLES = ("generation", "storage", "consumption", "load", "trade")
"""What a series of energy is. Only `generation` is ever converted; `load` is kept for matching.

`storage` is what comes out of storage (or net of what goes in), `consumption` what goes into storage or a plant."""

QUALITIES = ("measured", "imputed", "estimated")
"""How an interval's value came about: as metered; made up by who published it; filled in here. Position = code."""
MEASURED, IMPUTED, ESTIMATED = range(3)

METHODS = ("cumulative", "largest-remainder")
METHOD_VERSION = 2
"""Raised whenever the same input could give other hours."""

MAX_PARENT_WH = 1 << 51
"""2,250 TWh: the largest parent for which the apportionment is proved exact."""

MAX_PROFILE_TOTAL = (1 << 53) - 1
"""The largest sum of a profile over one period: every prefix must be exact as a float."""

MAX_INTERVAL_S = 3600
WH_PER_MWH = 1_000_000


class FindingCode(NamedTuple):
    """One thing that can be wrong (or worth saying), with how much it matters."""

    name: str
    severity: str
    """`error` refuses the call, `warning` and `info` only speak."""
    meaning: str
    mend: str


FINDINGS = (
    # --- files
    FindingCode("missing_file", "error", "there is no such file", "check the path"),
    FindingCode(
        "unreadable_file", "error", "the file cannot be read as what it is", "get it once more, or save it as CSV"
    ),
    FindingCode("empty_file", "error", "the file has no rows", "check the export"),
    FindingCode("missing_column", "error", "a needed column is absent", "add or rename the column; see `gcr schema`"),
    FindingCode("ambiguous_column", "error", "two columns stand for the same field", "keep one of them"),
    FindingCode("malformed_row", "error", "a row has another number of cells than the header", "quote or mend it"),
    FindingCode("unknown_format", "error", "no known format", "see `gcr import formats`; describe it: --mapping"),
    FindingCode("ambiguous_format", "error", "several formats fit", "name the format: --format"),
    FindingCode("unknown_area", "error", "no file has the area that is asked for", "name one that is there: --area"),
    FindingCode("ambiguous_number", "error", "numbers that can be read in two ways", "export them with one mark"),
    # --- cells
    FindingCode("null_value", "error", "a needed value is missing", "fill it; missing is not zero"),
    FindingCode("unreadable_value", "error", "a value cannot be read as what the column holds", "correct the value"),
    FindingCode("naive_time", "error", "a time names no zone", "add an offset or Z, or name the zone: --zone"),
    FindingCode("nonexistent_time", "error", "a local time that the clock change skips", "use UTC or drop the row"),
    FindingCode(
        "inexact_energy",
        "error",
        "an energy that is not a whole number of Wh",
        "give at most 6 decimals of MWh",
    ),
    FindingCode("unknown_source_type", "error", "a source type outside the vocabulary", "see `gcr schema --codes`"),
    FindingCode("unknown_purpose", "error", "a purpose outside the vocabulary", "use conversion or end_use"),
    FindingCode("unknown_basis", "error", "an allocation basis outside the vocabulary", "see `gcr schema --codes`"),
    FindingCode("unknown_status", "error", "a status outside the vocabulary", "see `gcr schema --codes`"),
    FindingCode("not_electricity", "error", "a certificate of another energy carrier", "leave it out"),
    FindingCode("unknown_zone", "error", "a time zone outside the IANA list", "use a name such as Europe/Berlin"),
    FindingCode(
        "bad_period",
        "error",
        "a production period that ends before it starts",
        "end is exclusive, after start",
    ),
    FindingCode("ambiguous_period", "error", "a period that can be read in two ways", "give both days, last inclusive"),
    FindingCode("bad_capacity", "error", "a capacity that is not above zero", "leave it empty if it is unknown"),
    # --- annual certificates
    FindingCode("not_canceled", "error", "only a cancelled certificate is converted", "cancel it for conversion first"),
    FindingCode("duplicate_certificate", "error", "the certificate id appears twice", "convert each certificate once"),
    FindingCode("non_positive_energy", "error", "energy must be above zero", "remove the row or correct it"),
    FindingCode("energy_over_limit", "error", "energy above 2^51 Wh", "split the certificate"),
    FindingCode("bad_serial", "error", "serial numbers that end before they start", "give both, inclusive"),
    FindingCode("serial_overlap", "error", "serial numbers that another certificate has", "convert each Wh once"),
    FindingCode("count_mismatch", "error", "energy or count that the serial numbers contradict", "check both"),
    FindingCode("period_mismatch", "error", "a period that the certificate's number contradicts", "check both"),
    FindingCode("contradictory_status", "error", "a cancelled certificate that is gone, too", "leave it out"),
    FindingCode(
        "contradictory_source",
        "error",
        "energy source and technology contradict each other",
        "correct the wrong one, or read the list by a mapping that names only the right column: --mapping",
    ),
    FindingCode(
        "contradictory_purpose",
        "error",
        "a purpose that the list itself contradicts",
        "leave the purpose away: such a certificate keeps the one that its list tells",
    ),
    FindingCode("exclusive_end", "warning", "ends that were read as the day after the last", "check the periods"),
    FindingCode("later_status", "warning", "two lists give a certificate two statuses", "check which is the later one"),
    FindingCode("unknown_code", "warning", "an AIB code known by its beginning only", "check the source type"),
    FindingCode(
        "unknown_technology", "warning", "a technology that is not known: its energy source tells", "check both"
    ),
    FindingCode(
        "source_missing",
        "warning",
        "no energy source or technology: the profile tells the source type",
        "fill it in, or tell what devices burn: --units",
    ),
    FindingCode("bad_check_digit", "warning", "a GSRN or EIC with a wrong check digit", "check the identifier"),
    FindingCode("purpose_missing", "warning", "purpose unknown: born LOCKED, not tradable", "state the purpose"),
    FindingCode("beneficiary_missing", "warning", "cancelled for an end user who is not named", "name the beneficiary"),
    FindingCode("end_looks_inclusive", "warning", "the period ends at the start of its last day", "end is exclusive"),
    # --- profiles
    FindingCode("unsorted_interval", "warning", "intervals out of order were sorted", "sort by profile and start"),
    FindingCode("interval_too_long", "error", "an interval longer than an hour", "give hourly data or finer"),
    FindingCode("uneven_interval", "error", "an interval off the profile's regular grid", "mend its start"),
    FindingCode("duplicate_interval", "error", "an interval appears twice", "keep one of the rows"),
    FindingCode("contradicted_interval", "error", "two files have different values", "keep one; of two areas: --area"),
    FindingCode("missing_interval", "error", "intervals are missing", "supply them; gaps are never filled silently"),
    FindingCode("filled_interval", "info", "gaps of the source, filled in and marked as estimated", "none needed"),
    FindingCode(
        "estimated_interval", "error", "intervals were filled in", "supply them; `gcr convert` can --allow-estimated"
    ),
    FindingCode("estimated_allowed", "info", "filled-in intervals are converted, as allowed", "none needed"),
    FindingCode("negative_clipped", "info", "negative generation issues nothing", "none needed"),
    FindingCode("not_generation", "info", "load, storage or trade: never converted", "none needed"),
    FindingCode("repeated_interval", "info", "two files have the interval, with one value", "none needed"),
    FindingCode("absent_kind", "warning", "no file has a kind that is asked for", "name one that is there: --types"),
    FindingCode("reading_note", "warning", "something was assumed of what a file has", "see what it says"),
    FindingCode("rows_dropped", "info", "rows of a file that are in no series", "see the reason it gives"),
    FindingCode("series_left_out", "info", "columns or kinds of a file that are in no series", "see the reason"),
    FindingCode("taken_as_weights", "info", "no unit: values are a shape, not energy", "name the unit: --unit"),
    FindingCode("duplicate_profile", "error", "one name stands for what is no one profile", "name or read them apart"),
    FindingCode("profile_over_limit", "error", "the profile sums to 2^53 or more", "use a coarser unit"),
    # --- an annual certificate and its profile
    FindingCode("no_profile", "error", "no profile for this certificate", "name one in the column profile"),
    FindingCode("wrong_source_type", "error", "the profile is of another source type", "choose a matching profile"),
    FindingCode("wrong_year", "error", "the profile has no interval in the period", "choose the profile of that year"),
    FindingCode("leap_year_hours", "error", "8,760 hours for a leap year of 8,784", "supply the missing day"),
    FindingCode("incomplete_profile", "error", "the profile does not cover the period", "supply the missing intervals"),
    FindingCode("period_off_grid", "error", "the period does not fall on the profile's intervals", "check the zone"),
    FindingCode("all_zero_profile", "error", "the profile is zero throughout the period", "choose another profile"),
    FindingCode("outside_period", "info", "the profile's intervals outside the period are not used", "none needed"),
    FindingCode("meter_without_energy", "error", "a metered basis needs a profile in energy", "name the unit"),
    FindingCode("contradictory_basis", "error", "a basis that its profile contradicts", "state the one that it has"),
    FindingCode(
        "over_meter",
        "error",
        "the certificate exceeds what its meter has left",
        "check both; see residual; if the profile is but a shape, state allocation_basis facility_profile",
    ),
    FindingCode(
        "residual_refused",
        "error",
        "a residual would be booked, but is not permitted",
        "permit or correct it",
    ),
    FindingCode("residual_booked", "info", "the fraction over the meter was booked as residual", "none needed"),
    FindingCode("over_capacity", "error", "an hour above capacity x margin", "check capacity, profile and total"),
    # --- hourly certificates
    FindingCode("unknown_parent", "error", "the parent is not among the annual certificates", "give its annual file"),
    FindingCode("parent_without_hours", "error", "no hourly certificate of this parent", "convert it"),
    FindingCode("hour_outside_period", "error", "an hour outside its parent's period", "check zone and year"),
    FindingCode("negative_energy", "error", "negative energy", "issue nothing for a negative hour"),
    FindingCode("zero_energy", "info", "certificates of 0 Wh", "drop them: no certificate is issued for 0 Wh"),
    FindingCode("duplicate_id", "error", "a certificate id appears twice", "ids are unique"),
    FindingCode("source_mismatch", "error", "source type differs from the parent's", "correct it"),
    FindingCode("basis_mismatch", "error", "allocation basis differs from the parent's", "correct it"),
    FindingCode("status_mismatch", "error", "a status that the parent's purpose does not allow", "see the lifecycle"),
    FindingCode("total_mismatch", "error", "hours do not sum to the parent's energy", "convert the parent again"),
    FindingCode("quota_broken", "error", "an hour that is neither floor nor ceiling of its share", "convert again"),
    FindingCode("over_metered_hour", "error", "more issued in an hour than was metered", "convert again"),
    # --- a registry
    FindingCode("already_converted", "error", "the certificate was converted in this registry", "convert it once"),
    FindingCode("over_meter_issued", "error", "more than the meter has left in some interval", "convert what remains"),
    FindingCode("unknown_party", "error", "no party of this name", "add it, or --create-parties on first use"),
    FindingCode("same_party", "error", "seller and buyer are the same", "name two parties"),
    FindingCode("no_such_certificate", "error", "no certificate of this id", "check the id"),
    FindingCode("listed_twice", "error", "the certificate is listed twice", "list it once"),
    FindingCode("nothing_selected", "error", "no certificate matches", "check the filters"),
    FindingCode("not_owned", "error", "the certificate is not the party's", "name its owner, or choose by owner"),
    FindingCode("wrong_state", "error", "the certificate's state does not allow it", "leave it out: choose by status"),
    FindingCode("past_deadline", "error", "the deadline for transfers has passed", "retire it, or let it expire"),
    FindingCode("not_expired", "error", "the certificate's life has not ended", "wait for its date"),
    FindingCode("amount_over", "error", "more Wh than the selection holds", "ask for less"),
    FindingCode("bad_amount", "error", "an amount or price that cannot be", "give whole Wh and a price of 0 or more"),
    FindingCode("already_claimed", "error", "the consumption of this hour was claimed before", "claim each hour once"),
    FindingCode("other_zone", "error", "the certificate is of another country than the consumption", "match the zone"),
    FindingCode("needs_compensation", "error", "a used certificate is withdrawn without making good", "say by what"),
    FindingCode("key_reused", "error", "the idempotency key stands for something else", "use a key once"),
    # --- notes
    FindingCode("left_out", "info", "a row of a list that is not taken, as asked", "see the reason it gives"),
    FindingCode("energy_rounded", "info", "energies were rounded down to whole Wh, as asked", "none needed"),
    FindingCode("ignored_column", "info", "a column that is not used", "check its spelling; see `gcr schema`"),
)
"""Every finding there is, in order of precedence: of several faults in one place, the first is reported."""

FINDING_BY_NAME = {finding.name: finding for finding in FINDINGS}
PRECEDENCE = {finding.name: position for position, finding in enumerate(FINDINGS)}


def canonical_source(text: str) -> str | None:
    """Return the source type that `text` spells, or None."""
    word = "_".join(text.strip().lower().replace("-", " ").replace("_", " ").split())
    word = "fossil" if word.startswith("fossil_") else SOURCE_ALIASES.get(word, word)
    return word if word in SOURCE_TYPES else None


def known_source(name: str) -> str | None:
    """Return the source type that a profile's name tells: `AT-2020-solar`, `solar`."""
    match = _STANDARD_NAME.match(name)
    return canonical_source(match["source"] if match else name)


def sources_agree(parent: str, profile: str) -> bool:
    """Whether a certificate of one source type may take its hours from a profile of the other."""
    return parent == profile or SOURCE_FAMILIES.get(parent) == profile or SOURCE_FAMILIES.get(profile) == parent
