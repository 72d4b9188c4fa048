"""What is said of a profile that is asked for and not there: it is no generation, or is called otherwise."""

from __future__ import annotations

import re
from difflib import get_close_matches

from gcr_fast.codes import canonical_source, sources_agree
from gcr_fast.grid.shapes import Profile, Profiles

MEND = "choose a profile of generation: load, storage and trade are never converted"
SHOWN = 5
"""Names that a message lists."""
PUBLIC = "lines"
"""The kind of source that a public file is: only there the command line may say the area."""

_ASKED = re.compile(r"^(?P<area>[A-Z]{2})-(?:\d{4}-)?(?P<source>.+)$")
"""What a certificate without a profile asks for: country, year and source type."""


def lacking(name: str, profiles: Profiles) -> tuple[str, str]:
    """Return what to say of a profile that is not among these, and a hint where the usual one is not enough."""
    others = [one for one in profiles.findings if one.code == "not_generation"]
    for one in others:
        if one.profile == name:
            return one.message, MEND
    said = f"there is no profile {name}"
    if not profiles and others:
        return f"{said}: the files have {' and '.join(_roles(profiles))} alone, which is never converted", MEND
    if area := _unsaid_area(name, profiles):
        kind = name.rpartition("-")[2]
        hint = f"say of which area the file is: --area {area}"
        return f"{said}; there is {kind}, whose file does not tell its area: --area {area} makes it {area}-{kind}", hint
    near = _near(name, profiles)
    if near:
        return f"{said}; did you mean {', '.join(near)}?", ""
    some = list(profiles)[:SHOWN]
    more = ", ..." if len(profiles) > len(some) else ""
    return f"{said}; {len(profiles)} profiles are loaded{': ' if some else ''}{', '.join(some)}{more}", ""


def _roles(profiles: Profiles) -> list[str]:
    """Return what the series that are no generation are, each word once."""
    return sorted({one.value for one in profiles.findings if one.code == "not_generation" and one.value})


def _unsaid_area(name: str, profiles: Profiles) -> str | None:
    """Return the area that a public file has to be given for its series to have this name; None if that is no cure."""
    asked = _ASKED.match(name)
    there = profiles.get(asked["source"]) if asked else None
    public = {source.name for source in profiles.sources if source.kind == PUBLIC}
    return asked["area"] if asked and there is not None and there.file in public else None


def _near(name: str, profiles: Profiles) -> list[str]:
    """Return up to five names: first of the same area and source or its family, then those that are spelled alike."""
    asked = _ASKED.match(name)
    kin = [other for other, profile in profiles.items() if asked and _is_kin(asked, other, profile)]
    kin.sort(key=lambda other: not (asked and other.startswith(f"{asked['area']}-")))
    alike = get_close_matches(name, list(profiles), n=SHOWN)
    return list(dict.fromkeys([*kin, *alike]))[:SHOWN]


def _is_kin(asked: re.Match[str], other: str, profile: Profile) -> bool:
    """Whether a profile is of the source that is asked for or its family, and of its area or of none that is told."""
    source = canonical_source(asked["source"])
    there = _ASKED.match(other)
    alike = bool(source and profile.source_type and sources_agree(source, profile.source_type))
    return alike and (there is None or there["area"] == asked["area"])
