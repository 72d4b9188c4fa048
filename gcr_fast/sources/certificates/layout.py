"""What one format of list is, as data: its columns under all their names, and the little in which it is special."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gcr_fast.sources.certificates import serials
from gcr_fast.sources.certificates.periods import Order, Span
from gcr_fast.sources.certificates.statuses import Meaning
from gcr_fast.sources.known import Known
from gcr_fast.sources.words import normalised

FIELDS = {
    "first": "first serial number of the range, or the whole range",
    "last": "last serial number of the range, inclusive",
    "id": "the certificate's id, where it has no serial numbers",
    "count": "how many certificates",
    "mwh_each": "MWh of one certificate",
    "energy": "energy of them all",
    "period": "production period in one cell",
    "start": "first day of production",
    "end": "last day of production, inclusive",
    "month": "month of production, beside the year",
    "year": "year of production",
    "zone": "time zone of the production period",
    "energy_source": "energy source: a word or an AIB code F01050100",
    "technology": "technology: a word or an AIB code T020001",
    "device_id": "production device: GSRN, EIC or the registry's own number",
    "device": "the device's name",
    "capacity": "the device's capacity",
    "country": "country of production",
    "issuer": "issuing body",
    "owner": "account holder",
    "status": "what state it is in",
    "transaction": "what was done with it, in a list of transactions",
    "cancelled_on": "when it was cancelled",
    "reason": "why it was cancelled",
    "beneficiary": "for whom it was cancelled",
    "consumption": "consumption period that was claimed",
}
"""Everything that can be read from a list: the words for `columns` and `constants` of a mapping file."""

NOT_CARRIED = ("device", "consumption", "cancelled_on", "reason")
"""What annual certificates have no column for; it is read where it decides something, and said to be left out."""


@dataclass(frozen=True)
class Layout:
    """How a format's files are laid out and meant."""

    fields: Mapping[str, tuple[str, ...]]
    """Header words of each field, as lists spell them; compared in small letters without punctuation."""
    needed: tuple[frozenset[str], ...] = ()
    """Of each of these sets, one field must be there."""
    names: tuple[str, ...] = ()
    """Fields of the columns in order, for files without a header."""
    order: Order = "day"
    zone: str | None = None
    """Zone of production days; None where the country, the list or the user tells."""
    april_years: bool = False
    """Whether `2022 - 2023` means April to March."""
    serial: re.Pattern[str] = serials.PLAIN
    half_open: bool = False
    """Whether the last serial number of a range is the first that is not in it."""
    dated: Callable[[str], Span | None] | None = None
    """What period a serial number is of, by what follows its number; None where it has none. Periods must agree."""
    wh_each: int = 1_000_000
    """Energy of one serial number; 0 where serial numbers tell nothing about energy."""
    capacity_digits: int = 3
    """Decimal places that make W of a capacity whose column names no unit."""
    energy_digits: int = 6
    """Decimal places that make Wh of an energy whose column names no unit."""
    units: Mapping[str, int] = field(default_factory=dict)
    """Decimal places of fields whose unit is known, whatever their columns' names say."""
    decimal: str | None = None
    """The decimal mark, where it is known; else the numbers tell."""
    statuses: Mapping[str, Meaning] = field(default_factory=dict)
    """Status words of this file alone."""
    technologies: Mapping[str, str] = field(default_factory=dict)
    """Technology words of this file alone, to source types."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Values of fields that the file has no column for."""
    delimiter: str | None = None
    round_down: bool = False
    """Whether an energy that is no whole number of Wh is rounded down and counted; else it is refused."""
    leave_empty: bool = False
    """Whether a row without energy is left out by name; else it is refused."""
    leave_sources: frozenset[str] = frozenset()
    """Source types that are left out by name."""
    skip: int | None = None
    """Lines before the header, where that is known."""

    def words(self) -> dict[str, str]:
        """Return the field of each header word, normalised."""
        return {normalised(word): name for name, words in self.fields.items() for word in words}


@dataclass(frozen=True)
class Format(Known):
    """One public format of certificate lists."""

    layout: Layout
