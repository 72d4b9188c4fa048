"""What the publications of the ENTSO-E Transparency Platform have in common: attribution, zones, areas, types."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcr_fast.columns import encode_text
from gcr_fast.sources.clock import HOUR_S, parse_best
from gcr_fast.sources.files import File, refuse
from gcr_fast.sources.words import KINDS, Kind, kind_of

if TYPE_CHECKING:
    import pyarrow as pa

ATTRIBUTION = "ENTSO-E Transparency Platform (CC BY 4.0)"
ZONES = {"CET/CEST": "Europe/Brussels", "UTC": "UTC", "WET/WEST": "Europe/Lisbon", "EET/EEST": "Europe/Helsinki"}
"""Zone by the word in brackets; all places of one word have changed their clocks together since 1998."""
ABSENT, MISSING = ("n/e",), ("N/A", "-")
"""A type that the area does not have; a value that should be there."""

AREA_TYPES = ("CTY", "BZN", "CTA")
"""Country, bidding zone, control area: the platform publishes one energy under each. The first that is there counts."""

_AREA = re.compile(r"\((?P<code>[^()]+)\)\s*$")
_PSR = """
biomass fossil_lignite fossil_coal_derived_gas fossil_gas fossil_hard_coal fossil_oil fossil_oil_shale fossil_peat
geothermal hydro_pumped_storage hydro_run_of_river hydro_reservoir marine nuclear other_renewable solar waste
wind_offshore wind_onshore other
"""
PSR_TYPES = {f"B{number:02d}": KINDS[slug] for number, slug in enumerate(_PSR.split(), start=1)} | {
    "B25": KINDS["energy_storage"]
}
"""Kind by the platform's code: B01 biomass ... B20 other, B25 energy storage."""


def area_code(text: str) -> str:
    """Return the code in the ways this platform names an area: `BZN|CH`, `CTA|CH`, `Switzerland (CH)`."""
    text = text.strip()
    code = _AREA.search(text)
    return code["code"].strip() if code else text.rpartition("|")[2].strip()


def area_rank(text: str) -> int:
    """Return how much an area's name is preferred, 0 most: `BZN|CH` 1; `Switzerland (CH)` is the country, 0."""
    word = text.strip().partition("|")[0]
    return AREA_TYPES.index(word) if word in AREA_TYPES else 0


def doubled_areas(texts: Iterable[str]) -> dict[str, str]:
    """Return the names of areas that repeat another's energy, each with the name that is read instead."""
    best: dict[str, str] = {}
    names = list(dict.fromkeys(texts))
    for text in sorted(names, key=area_rank):
        best.setdefault(area_code(text), text)
    return {text: best[area_code(text)] for text in names if best[area_code(text)] != text}


def production_kind(text: str) -> Kind | None:
    """Return the kind of a production type: its code (B16) or its words (Solar)."""
    return PSR_TYPES.get(text.strip()) or kind_of(text)


def consumed(kind: Kind) -> Kind:
    """Return the kind of what plants of a kind consume. It is never subtracted from what they generate."""
    if kind.slug == "hydro_pumped_storage":
        return KINDS["pumping"]
    return Kind(f"{kind.slug}_consumption", None, "consumption")


def named_zone(file: File, word: str | None, column: str) -> str:
    """Return the zone that a word of the platform means: `CET/CEST`, `UTC`. Refused: one that is not known."""
    if word is None or word not in ZONES:
        said = f"names the time zone {word!r}" if word else "names no time zone"
        refuse(file, f"{said}; expected one of {', '.join(ZONES)} in brackets", "unknown_zone", column=column)
    return ZONES[word]


class Spans(NamedTuple):
    """A column of labels `begin - end`, in local wall-clock seconds."""

    begins: np.ndarray
    ends: np.ndarray
    lengths: np.ndarray
    """int64[n]: how long the intervals are in truth; labels across a clock change may say an hour more or less."""
    bad: np.ndarray
    """bool[n]: no such label, or one of a length that no market has."""


LENGTHS_S = (60, 300, 900, 1800, HOUR_S)
"""What an interval may last."""


def read_spans(labels: pa.ChunkedArray, *layouts: str) -> Spans:
    """Read labels whose both ends have one of these layouts; each distinct label once."""
    import pyarrow as pa

    codes, texts = encode_text(labels)
    halves = [str(text).partition(" - ")[::2] for text in texts]
    begin, end = (parse_best(pa.array([half[at] for half in halves], pa.string()), *layouts) for at in (0, 1))
    local = end.seconds - begin.seconds
    lengths = local + HOUR_S * (local <= 0) - HOUR_S * (local > HOUR_S)
    bad = begin.bad | end.bad | ~np.isin(lengths, LENGTHS_S)
    begins, ends, lasting = (np.append(part, 0)[codes] for part in (begin.seconds, end.seconds, lengths))
    return Spans(begins, ends, lasting, np.append(bad, True)[codes])
