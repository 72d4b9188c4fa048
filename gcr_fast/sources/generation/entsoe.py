"""What the ENTSO-E Transparency Platform's exports have in common: attribution, zones, how an area is named."""

from __future__ import annotations

import re

ATTRIBUTION = "ENTSO-E Transparency Platform (CC BY 4.0)"
ZONES = {"CET/CEST": "Europe/Brussels", "UTC": "UTC", "WET/WEST": "Europe/Lisbon", "EET/EEST": "Europe/Helsinki"}
"""Zone by the word in brackets; all places of one word have changed their clocks together since 1998."""
ABSENT, MISSING = ("n/e",), ("N/A", "-")
"""A type that the area does not have; a value that should be there."""

_AREA = re.compile(r"\((?P<code>[^()]+)\)\s*$")


def area_code(text: str) -> str:
    """Return the code in the ways this platform names an area: `BZN|CH`, `CTA|CH`, `Switzerland (CH)`."""
    text = text.strip()
    code = _AREA.search(text)
    return code["code"].strip() if code else text.rpartition("|")[2].strip()
