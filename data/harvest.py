"""What is taken of the source files, and what becomes of it: series that ship, and refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

YEARS = (2019, 2020)
COMMON_ZONE = {2019: "Europe/Brussels"}
"""Years whose files are cut at one common calendar; in other years each country has its own."""
STORAGE = "storage_discharge"

TYPES: dict[str, tuple[str, str]] = {
    "Solar": ("solar", "solar"),
    "Wind Onshore": ("wind_onshore", "wind_onshore"),
    "Wind Offshore": ("wind_offshore", "wind_offshore"),
    "Hydro Run-of-river and poundage": ("hydro_run_of_river", "hydro_run_of_river"),
    "Hydro Water Reservoir": ("hydro_reservoir", "hydro_reservoir"),
    "Hydro Pumped Storage": ("hydro_pumped_storage", STORAGE),
    "Nuclear": ("nuclear", "nuclear"),
    "Biomass": ("biomass", "biomass"),
    "Geothermal": ("geothermal", "geothermal"),
    "Marine": ("marine", "marine"),
    "Waste": ("waste", "waste"),
    "Other renewable": ("other_renewable", "other"),
    "Other": ("other", "other"),
    "Fossil Hard coal": ("fossil_hard_coal", "fossil"),
    "Fossil Brown coal/Lignite": ("fossil_brown_coal", "fossil"),
    "Fossil Gas": ("fossil_gas", "fossil"),
    "Fossil Oil": ("fossil_oil", "fossil"),
    "Fossil Oil shale": ("fossil_oil_shale", "fossil"),
    "Fossil Peat": ("fossil_peat", "fossil"),
    "Fossil Coal-derived gas": ("fossil_coal_derived_gas", "fossil"),
}
"""Production type of the source -> last part of our profile name, and source type."""


class BuildError(Exception):
    """The source is not what this script was written for; nothing is written."""


@dataclass(frozen=True)
class Source:
    """One source file: what a country generated in a year, per production type, in average MW."""

    country: str
    year: int
    own_zone: str
    starts: IntArray
    """Start of each interval, seconds since 1970 UTC."""
    megawatts: dict[str, FloatArray]
    """Per production type; NaN where the source has no value."""

    @property
    def zone(self) -> str:
        """Return the zone whose calendar year the file is meant to cover."""
        return COMMON_ZONE.get(self.year, self.own_zone)


@dataclass(frozen=True)
class Refusal:
    """Something of the source that does not ship, and why."""

    country: str
    year: int
    series: str | None
    """None when the whole country-year is refused."""
    reason: str
    is_gap: bool = True


@dataclass(frozen=True)
class Series:
    """One hourly profile as shipped."""

    name: str
    country: str
    year: int
    zone: str
    source_type: str
    start: int
    """First hour, seconds since 1970 UTC."""
    energy_wh: IntArray
    clipped_hours: int
    clipped_wh: int
    notes: tuple[str, ...] = ()

    @property
    def hours(self) -> int:
        """Return the number of hours."""
        return len(self.energy_wh)

    @property
    def end(self) -> int:
        """Return the end of the last hour, exclusive."""
        return self.start + 3600 * self.hours

    @property
    def total_wh(self) -> int:
        """Return the energy of the whole year."""
        return int(self.energy_wh.sum())


@dataclass
class Harvest:
    """Everything that was accepted and refused, in order of country, year and name."""

    series: list[Series] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    def of_year(self, year: int) -> list[Series]:
        """Return the accepted series of one year, sorted by name."""
        return sorted((s for s in self.series if s.year == year), key=lambda s: s.name)

    def gaps_in(self, country: str, year: int) -> list[Refusal]:
        """Return what was refused for a gap in one country-year."""
        return [r for r in self.refused if (r.country, r.year) == (country, year) and r.is_gap]


def year_window(year: int, zone: str) -> tuple[int, int]:
    """Return the start and the end (exclusive) of a local calendar year, seconds since 1970 UTC."""
    tz = ZoneInfo(zone)
    first, last = datetime(year, 1, 1, tzinfo=tz), datetime(year + 1, 1, 1, tzinfo=tz)
    return int(first.timestamp()), int(last.timestamp())


def utc_text(seconds: int) -> str:
    """Write an instant as people read it, UTC."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%MZ")
