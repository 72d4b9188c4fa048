"""Which rows of a list become certificates. What is left out is named, row by row, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gcr_fast.periods import Period, year_period
from gcr_fast.sources.certificates.statuses import Meaning
from gcr_fast.sources.words import normalised

if TYPE_CHECKING:
    from gcr_fast.sources.certificates.layout import Layout

NO_ENERGY = "holds no energy"


@dataclass(frozen=True)
class Sift:
    """What a user says about the rows of a list, whatever its format."""

    units: Mapping[str, str] = field(default_factory=dict)
    """Source type by device id, for lists that do not say what a device burns."""
    year: int | None = None
    """The calendar year of production to keep, in each row's zone."""
    words: Mapping[str, str] = field(default_factory=dict)
    """What the map of units says of a device where it is no known fuel."""
    purpose: str | None = None
    """For what cancelled certificates were cancelled, where the list does not say it."""

    def contradicted(self, meaning: Meaning, reason: str, beneficiary: str, consumption: str) -> str:
        """Return the field by which a row says that it was cancelled for something else; empty if none does."""
        if self.purpose is None or meaning.status != "CANCELED" or (meaning.told and meaning.purpose == self.purpose):
            return ""
        if meaning.told and meaning.purpose == "conversion":
            return "status"
        spent = {"beneficiary": beneficiary, "reason": reason, "consumption": consumption, "status": meaning.told}
        told = (name for name, said in spent.items() if said is True or (said and normalised(said)))
        return next(told, "") if self.purpose == "conversion" else ""

    def other_year(self, period: Period, zone: str) -> str:
        """Return why a row of another year, or of two, is left out; empty for one that is within the year."""
        if self.year is None:
            return ""
        start_s, end_s = year_period(self.year, zone)
        if period.end_s <= start_s or end_s <= period.start_s:
            return self.not_of_year
        within = start_s <= period.start_s and period.end_s <= end_s
        return "" if within else f"of {self.year} and of another year: it cannot be cut"

    @property
    def not_of_year(self) -> str:
        """Why a row of another year is left out."""
        return f"not of {self.year}"

    def source(self, stated: str | None, device: str | None) -> tuple[str | None, str]:
        """Return the source type of a device, and why it is left out where a map of units does not have it."""
        if stated is not None or not self.units:
            return stated, ""
        found = self.units.get(device or "")
        if found is None and device is not None and device in self.words:
            return None, f"its fuel {self.words[device]!r} is none that is known"
        return found, "" if found else "not in the map of units to fuels"


def unwanted(layout: Layout, energy_wh: int, source: str | None) -> str:
    """Return why a mapping leaves a row out; empty if it does not."""
    if energy_wh <= 0 and layout.leave_empty:
        return NO_ENERGY if energy_wh == 0 else "has negative energy"
    return f"{source}, which is left out" if source in layout.leave_sources else ""
