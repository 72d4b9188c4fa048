"""Countries as lists spell them, and the time zone of a production period where the list names none."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from gcr_fast.periods import Period
from gcr_fast.sources.words import normalised

_NAMES = {
    "GB": "united_kingdom uk great_britain england scotland wales northern_ireland",
    "US": "united_states usa united_states_of_america",
    "CZ": "czech_republic czechia",
    "NL": "the_netherlands netherlands holland",
    "KR": "south_korea korea republic_of_korea",
    "VN": "vietnam viet_nam",
    "TR": "turkey turkiye",
    "TW": "taiwan chinese_taipei",
    "RU": "russia russian_federation",
    "MK": "north_macedonia macedonia",
    "AE": "uae united_arab_emirates",
    "GR": "el greece",
}

_MAIN_ZONES = {"ES": "Europe/Madrid", "PT": "Europe/Lisbon", "NL": "Europe/Amsterdam", "DK": "Europe/Copenhagen"}
"""Countries whose islands far away keep another time, and whose national lists are of the mainland."""


def _tab(name: str) -> list[list[str]]:
    text = resources.files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    """Return ISO codes by code and by normalised name."""
    known = {code.lower(): code for code, _ in _tab("iso3166.tab")}
    known |= {normalised(name): code for code, name in _tab("iso3166.tab")}
    return known | {word: code for code, words in _NAMES.items() for word in words.split()}


@lru_cache(maxsize=1)
def _zones() -> dict[str, list[str]]:
    zones: dict[str, list[str]] = {}
    for code, _, zone, *_ in _tab("zone.tab"):
        zones.setdefault(code, []).append(zone)
    return zones


@lru_cache(maxsize=1024)
def country_of(text: str) -> str | None:
    """Return the ISO 3166 code of a country's code or English name; None if it is not known."""
    return _countries().get(normalised(text))


@lru_cache(maxsize=1024)
def candidates(country: str) -> tuple[str, ...]:
    """Return the zones in which a country's local time may be meant."""
    main = _MAIN_ZONES.get(country)
    return (main,) if main else tuple(_zones().get(country, ()))


def agreed_zone(periods: dict[str, Period]) -> str | None:
    """Return the zone to use where all zones of a country give a local period the same UTC seconds, else None."""
    return next(iter(periods)) if len(set(periods.values())) == 1 else None
