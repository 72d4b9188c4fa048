"""What the world calls its power plants, and what each word means here: a kind, its source type, its role.

One table for all formats. A word that is not in it is reported, never guessed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from gcr_fast.codes import ROLES, SOURCE_TYPES
from gcr_fast.errors import UsageError
from gcr_fast.sources.known import meant


class Kind(NamedTuple):
    """What a series is of."""

    slug: str
    source_type: str | None
    """Of `codes.SOURCE_TYPES`; None where nothing is generated."""
    role: str
    """Of `model.ROLES`."""


def _kinds(role: str, **source_of: str | None) -> dict[str, Kind]:
    return {slug: Kind(slug, source, role) for slug, source in source_of.items()}


KINDS = (
    _kinds(
        "generation",
        biomass="biomass",
        biogas="biomass",
        waste="waste",
        solar="solar",
        solar_thermal="solar",
        wind="wind",
        wind_onshore="wind_onshore",
        wind_offshore="wind_offshore",
        wind_embedded="wind",
        hydro="hydro",
        hydro_run_of_river="hydro_run_of_river",
        hydro_reservoir="hydro_reservoir",
        small_hydro="hydro",
        large_hydro="hydro",
        geothermal="geothermal",
        marine="marine",
        nuclear="nuclear",
        other="other",
        other_renewable="other",
        unknown="other",
        multiple_fuels="other",
        fossil="fossil",
        fossil_gas="fossil",
        fossil_gas_ccgt="fossil",
        fossil_gas_ocgt="fossil",
        fossil_coal="fossil",
        fossil_hard_coal="fossil",
        fossil_lignite="fossil",
        fossil_coal_derived_gas="fossil",
        fossil_oil="fossil",
        fossil_oil_shale="fossil",
        fossil_peat="fossil",
        fossil_oil_ipp="fossil",
        fossil_other="fossil",
    )
    | _kinds(
        "storage",
        hydro_pumped_storage="storage_discharge",
        hydro_and_pumped_storage="storage_discharge",
        solar_and_battery_storage="storage_discharge",
        wind_and_battery_storage="storage_discharge",
        battery_storage="storage_discharge",
        energy_storage="storage_discharge",
        other_energy_storage="storage_discharge",
        unknown_energy_storage="storage_discharge",
    )
    | _kinds("consumption", pumping=None, battery_charging=None, consumption=None)
    | _kinds("load", load=None)
    | _kinds("trade", exchange=None, imports=None)
)
"""Every kind by its slug. `hydro_and_pumped_storage` is reported as one sum by its publisher, so it is not hydro; no
more are panels or turbines and the batteries behind one meter with them solar or wind."""

_WORDS = {
    "biomass": "biomasse bio wood biofuel biofuels other_biomass bioenergies",
    "biogas": "landfill_gas sewage_gas",
    "waste": "abfall refuse municipal_waste non_renewable_waste renewable_waste",
    "solar": "pv photovoltaic photovoltaics photovoltaik sun solaire solarpower solar_photovoltaic",
    "solar_thermal": "csp thermal_solar",
    "wind": "wnd eolien windpower",
    "wind_onshore": "onshore onshore_wind onshorewindpower on_shore_wind eolien_terrestre land_wind",
    "wind_offshore": "offshore offshore_wind offshorewindpower off_shore_wind eolien_offshore",
    "wind_embedded": "wind_emb embedded_wind",
    "hydro": "wat water hydropower wasserkraft npshyd hydroelectric hydraulique hydropower_generation",
    "hydro_run_of_river": "run_of_river hydro_run_of_river_and_poundage hydro_run_of_the_river ror"
    " hydro_run_of_river_and_pondage",
    "hydro_reservoir": "reservoir hydro_water_reservoir water_reservoir",
    "geothermal": "geo geothermie",
    "marine": "tidal wave ocean",
    "nuclear": "nuc uranium kernenergie nucleaire",
    "other": "oth sonstige sonstiges autres others other_generation",
    "other_renewable": "other_renewables sonstige_erneuerbare",
    "unknown": "unk",
    "multiple_fuels": "multi multiple",
    "fossil_gas": "gas ng natural_gas erdgas gaz gas_cogeneration gas_steam",
    "fossil_gas_ccgt": "ccgt gas_cc combined_cycle",
    "fossil_gas_ocgt": "ocgt gas_gt",
    "fossil_coal": "coal col charbon coal_and_lignite",
    "fossil_hard_coal": "hard_coal steinkohle black_coal",
    "fossil_lignite": "lignite brown_coal braunkohle fossil_brown_coal_lignite brown_coal_lignite",
    "fossil_oil": "oil petroleum fioul diesel distillate",
    "fossil_peat": "peat",
    "fossil": "sonstige_konventionelle other_conventional thermal",
    "hydro_pumped_storage": "ps pumped_storage pumpspeicher pumped_hydro pumpage",
    "battery_storage": "bat batteries battery power_storage",
    "energy_storage": "storage",
    "other_energy_storage": "oes",
    "unknown_energy_storage": "ues",
    "solar_and_battery_storage": "snb",
    "wind_and_battery_storage": "wnb",
    "pumping": "hydro_pumped_storage_consumption",
    "load": "demand total_load actual_total_load actual_load netzlast gesamt_netzlast grid_load total_grid_load",
    "imports": "import",
    "exchange": "cross_border_electricity_trading net_actual_interchange total_interchange exports",
}
"""Other words for a kind, normalised, set apart by blanks."""

_KIND_OF = {word: KINDS[slug] for slug, words in _WORDS.items() for word in words.split()} | KINDS

_NO_LETTER = re.compile(r"[^0-9a-zà-ÿ]+")
_PLAIN = str.maketrans("àáâäçèéêëìíîïñòóôöùúûü", "aaaaceeeeiiiinoooouuuu")


@lru_cache(maxsize=4096)
def normalised(text: str) -> str:
    """Return a word as the table spells it: `Hydro Run-of-river and poundage ` -> `hydro_run_of_river_and_poundage`."""
    return _NO_LETTER.sub("_", text.strip().lower()).strip("_").translate(_PLAIN)


@lru_cache(maxsize=4096)
def kind_of(text: str) -> Kind | None:
    """Return the kind that a word of a file means, or None if it is in no table."""
    word = normalised(text)
    return _KIND_OF.get(word) or _KIND_OF.get(word.removeprefix("fossil_"))


_TYPES = tuple(dict.fromkeys((*SOURCE_TYPES, *ROLES, *KINDS)))
_USED = re.compile(r"(?P<plant>\w+)_consumption|consumption_\w+")
"""What plants of a kind consume, in the words of some publishers."""


def type_named(text: str) -> str:
    """Return the kind, source type or role that a user names; a word that is none is a `UsageError`."""
    word = normalised(text)
    used = _USED.fullmatch(word)
    if word in _TYPES or (used and (used["plant"] is None or used["plant"] in KINDS)):
        return word
    kind = kind_of(text)
    alike = [kind.slug, *(name for name in _TYPES if word in name)] if kind else []
    near = f"; did you mean {', '.join(dict.fromkeys(alike[:5]))}?" if alike else meant(word, _TYPES)
    known = f"; there are {', '.join((*ROLES, *SOURCE_TYPES))}, and kinds such as fossil_gas"
    raise UsageError(f"unknown type {text!r}{near or known}")
