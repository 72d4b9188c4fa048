"""What the files of EIA-930 have in common: whom to name, what its words mean, in which zone an area lives."""

from __future__ import annotations

import numpy as np

from gcr_fast.periods import DAY_S, local_to_utc
from gcr_fast.sources.clock import HOUR_S
from gcr_fast.sources.words import KINDS, Kind

ATTRIBUTION = "U.S. Energy Information Administration, Form EIA-930 (public domain)"

FUELS = {
    "COL": "fossil_coal",
    "NG": "fossil_gas",
    "NUC": "nuclear",
    "OIL": "fossil_oil",
    "WAT": "hydro",
    "SUN": "solar",
    "WND": "wind",
    "OTH": "other",
    "GEO": "geothermal",
    "PS": "hydro_pumped_storage",
    "BAT": "battery_storage",
    "SNB": "solar_and_battery_storage",
    "WNB": "wind_and_battery_storage",
    "OES": "other_energy_storage",
    "UES": "unknown_energy_storage",
    "UNK": "unknown",
}
"""Kind by the code of the API."""

NAMES = {
    "coal": "COL",
    "natural gas": "NG",
    "nuclear": "NUC",
    "all petroleum products": "OIL",
    "hydropower excluding pumped storage": "WAT",
    "pumped storage": "PS",
    "solar": "SUN",
    "solar without integrated battery storage": "SUN",
    "solar with integrated battery storage": "SNB",
    "wind": "WND",
    "wind without integrated battery storage": "WND",
    "wind with integrated battery storage": "WNB",
    "battery storage": "BAT",
    "other energy storage": "OES",
    "unknown energy storage": "UES",
    "geothermal": "GEO",
    "other fuel sources": "OTH",
    "unknown fuel sources": "UNK",
}
"""Code by the words of the bulk files' headers."""

HYDRO_WITH_PUMPS = KINDS["hydro_and_pumped_storage"]
"""What `hydropower and pumped storage` and, until July 2024, WAT mean."""

ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Phoenix")


def fuel(code: str) -> Kind | None:
    """Return the kind of a fuel code, or None."""
    slug = FUELS.get(code)
    return KINDS[slug] if slug else None


def zone_of(local_s: np.ndarray, utc_s: np.ndarray) -> tuple[str, int]:
    """Return the zone in which wall clocks int64[n] show these UTC seconds int64[n], and how many of them do not.

    Of zones that fit equally well the first counts: a winter of Phoenix is a winter of Denver.
    """
    wrong = [int((local_to_utc(local_s, zone).earliest != utc_s).sum()) for zone in ZONES]
    best = int(np.argmin(wrong))
    offsets, counts = np.unique(local_s - utc_s, return_counts=True)
    common = int(np.argmax(counts))
    fixed_wrong = len(utc_s) - int(counts[common])
    if fixed_wrong < wrong[best] and abs(int(offsets[common])) < DAY_S:
        return _fixed(int(offsets[common])), fixed_wrong
    return ZONES[best], wrong[best]


def _fixed(offset_s: int) -> str:
    """Return the name of a zone that never changes its clocks: -18000 is -05:00."""
    hours, rest = divmod(abs(offset_s), HOUR_S)
    return f"{'-' if offset_s < 0 else '+'}{hours:02d}:{rest // 60:02d}"
