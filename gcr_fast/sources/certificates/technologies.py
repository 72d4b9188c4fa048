"""What the lists call a technology, and AIB codes -> source types.

Words that generation files use as well stand in `sources.words`; here are those of certificate lists alone.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from gcr_fast.codes import canonical_source, sources_agree
from gcr_fast.sources.words import kind_of, normalised

_WORDS = {
    "solar": "solar_pv solar_energy solar_electric solar_photovoltaics roof_mounted_solar ground_mounted_solar",
    "wind": "wind_energy wind_power",
    "wind_onshore": "on_shore_wind wind_on_shore",
    "wind_offshore": "off_shore_wind wind_off_shore",
    "hydro": "hydro_20mw_dnc_or_less micro_hydro hydro_electric hydroelectric_water small_hydroelectric hydro_power "
    "incremental_hydro conduit_hydro",
    "hydro_run_of_river": "run_of_river_hydro run_of_river_head_installation",
    "hydro_reservoir": "storage_head_installation dammed_hydro",
    "geothermal": "geothermal_energy",
    "biomass": "biomass_50kw_dnc_or_less fuelled ad anaerobic_digestion advanced_gasification advanced_pyrolysis "
    "biodegradable dedicated_biomass dedicated_energy_crops co_firing_of_biomass biomass_using_an_agent "
    "biogas_landfill_gas landfill_methane lfg wds wood_waste wood_wood_waste wood_waste_solids black_liquor blq abs "
    "agricultural_by_products digester_gas biodiesel liquid_biofuel solid_biomass biomethane bagasse",
    "waste": "waste_using_an_advanced_conversion_technology msw municipal_solid_waste energy_from_waste "
    "waste_to_energy efw industrial_waste",
    "marine": "tidal_flow tidal_power wave_power ocean_thermal tidal_stream wave_energy ocean_energy",
    "nuclear": "nuclear_energy nuclear_fission",
    "fossil": "fossil_fuel natural_gas_fired bit sub lig coal_mine_methane waste_heat_fossil",
    "other": "fuel_cell waste_heat any_renewable",
}
_SOURCE_OF = {word: source for source, words in _WORDS.items() for word in words.split()}

_CODE = re.compile(r"(?<![A-Z0-9])([FT])([0-9]{8}|[0-9]{6})(?![0-9])")

ENERGY_CODES = {
    "F01000000": "other",
    "F01010000": "biomass", "F01010100": "waste", "F01010200": "waste", "F01010300": "biomass",
    "F01010400": "biomass", "F01010500": "biomass",
    "F01020000": "biomass", "F01020100": "biomass", "F01020200": "biomass", "F01020300": "biomass",
    "F01020400": "biomass",
    "F01030000": "biomass", "F01030100": "biomass", "F01030200": "biomass", "F01030300": "biomass",
    "F01030400": "biomass", "F01030500": "biomass",
    "F01040000": "other", "F01040100": "solar", "F01040200": "geothermal",
    "F01050000": "other", "F01050100": "wind", "F01050200": "hydro",
    "F02000000": "fossil", "F02010000": "fossil", "F02020000": "fossil", "F02030000": "fossil", "F02040000": "fossil",
    "F03000000": "nuclear", "F03010000": "nuclear", "F03010100": "nuclear",
}  # fmt: skip
"""AIB energy sources (F) whose leaf is known."""

TECHNOLOGY_CODES = {
    "T010000": "solar", "T010100": "solar", "T010101": "solar", "T010102": "solar", "T010200": "solar",
    "T020000": "wind", "T020001": "wind_onshore", "T020002": "wind_offshore",
    "T030000": "hydro", "T030100": "hydro_run_of_river", "T030200": "hydro_reservoir",
    "T030300": "storage_discharge", "T030400": "hydro",
    "T040000": "marine",
    "T050000": None,
    "T060000": "nuclear",
}  # fmt: skip
"""AIB technologies (T) whose leaf is known. T05 is a heat engine, whatever heats it: it tells no source."""

_STEMS = {
    "F0101": "biomass", "F0102": "biomass", "F0103": "biomass", "F010401": "solar", "F010402": "geothermal",
    "F010501": "wind", "F010502": "hydro", "F0104": "other", "F0105": "other", "F01": "other", "F02": "fossil",
    "F03": "nuclear",
    "T01": "solar", "T02": "wind", "T0301": "hydro_run_of_river", "T0302": "hydro_reservoir",
    "T0303": "storage_discharge", "T03": "hydro", "T04": "marine", "T05": None, "T06": "nuclear",
}  # fmt: skip
"""What the beginning of a code tells where its leaf is not known."""


class Source(NamedTuple):
    """What a list's words say of a technology."""

    source_type: str | None
    warning: str = ""
    """An AIB code whose last digits are not known."""
    unknown: str = ""
    """A word or code that is in no table."""
    clash: tuple[str, str] | None = None
    """The source types of both, where they contradict each other."""
    alone: str = ""
    """A technology that is in no table, so that the energy source alone tells."""


@lru_cache(maxsize=4096)
def source_of(energy: str, technology: str) -> Source:
    """Return the source type that an energy source and a technology, as words or AIB codes, mean together."""
    found: list[str] = []
    warnings: list[str] = []
    alone = ""
    for text in (energy, technology):
        if not text:
            continue
        known, source, warning = _one(text)
        if not known and not found:
            return Source(None, unknown=text)
        alone = alone if known else text
        found += [source] if source else []
        warnings += [warning] if warning else []
    if not found:
        return Source(None, "; ".join(warnings), alone=alone)
    first, last = found[0], found[-1]
    if first != last and not _agree(first, last):
        return Source(None, clash=(first, last))
    return Source(_finer(first, last), "; ".join(warnings), alone=alone)


def _one(text: str) -> tuple[bool, str | None, str]:
    """Return whether a text is known, its source type, and a warning about its leaf."""
    codes = [code + digits for code, digits in _CODE.findall(text.upper()) if (code == "F") == (len(digits) == 8)]
    if codes:
        return _all_coded(codes)
    word = normalised(text)
    if source := canonical_source(text) or _SOURCE_OF.get(word):
        return True, source, ""
    kind = kind_of(text)
    return kind is not None and kind.source_type is not None, kind.source_type if kind else None, ""


def _all_coded(codes: list[str]) -> tuple[bool, str | None, str]:
    """As `_one`, of all codes in one cell. Two fuels, or two technologies, of different source types are not known."""
    found = {code: _coded(code) for code in codes}
    energy, technology = ({found[code][1] for code in found if code[0] == kind} for kind in "FT")
    if not all(known for known, *_ in found.values()) or len(energy) > 1 or len(technology) > 1:
        return False, None, ""
    told = [source for source in (*energy, *technology) if source]
    if len(told) > 1 and not _agree(*told):
        return False, None, ""
    source = _finer(told[0], told[-1]) if told else None
    return True, source, "; ".join(warning for *_, warning in found.values() if warning)


def _coded(code: str) -> tuple[bool, str | None, str]:
    table: dict[str, str] | dict[str, str | None] = ENERGY_CODES if code[0] == "F" else TECHNOLOGY_CODES
    if code in table:
        return True, table[code], ""
    for length in range(len(code) - 1, 2, -1):
        if code[:length] in _STEMS:
            return True, _STEMS[code[:length]], f"{code}: only its beginning {code[:length]} is known"
    return False, None, ""


def _agree(energy: str, technology: str) -> bool:
    """Whether a technology may run on an energy source. `other` is renewable of unsaid kind; water drives T04."""
    pairs = {("hydro", "marine"), ("hydro", "storage_discharge"), ("solar", "other"), ("waste", "biomass")}
    both = {(energy, technology), (technology, energy)}
    return "other" in (energy, technology) or sources_agree(energy, technology) or bool(both & pairs)


def _finer(energy: str, technology: str) -> str:
    """Return what tells more; the technology, unless it tells nothing."""
    return energy if technology == "other" else technology
