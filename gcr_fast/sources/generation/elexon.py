"""What Elexon's exports of every age have in common: attribution, zone, fuels, links to other countries."""

from __future__ import annotations

import re

import numpy as np

from gcr_fast.periods import DAY_S, local_to_utc, utc_to_local
from gcr_fast.sources.wide import Column
from gcr_fast.sources.words import KINDS, kind_of

ATTRIBUTION = "Contains BMRS data (c) Elexon Limited copyright and database right"
ZONE, AREA = "Europe/London", "GB"
PERIOD_S = 1800

_LINK = re.compile(r"^int[a-z0-9]{1,6}$", re.IGNORECASE)


def fuel_column(word: str) -> Column | None:
    """Return what a fuel type means; a link to another country is trade, under its own name. None: not known."""
    if _LINK.match(word):
        return Column(KINDS["exchange"], AREA, device_id=word.upper())
    kind = kind_of(word)
    return Column(kind, AREA) if kind else None


def settlement(starts_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the settlement date (local wall-clock midnight) and period (1 .. 46, 48 or 50) of UTC seconds int64[n]."""
    midnights = utc_to_local(starts_s, ZONE) // DAY_S * DAY_S
    periods = (starts_s - local_to_utc(midnights, ZONE).earliest) // PERIOD_S + 1
    return midnights, periods
