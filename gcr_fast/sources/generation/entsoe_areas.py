"""Areas of the ENTSO-E Transparency Platform by their Energy Identification Code (the last character is a check)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

_AREAS = """
10YAL-KESH-----5 AL           10YAT-APG------L AT           10YBA-JPCC-----D BA           10YBE----------2 BE
10YCA-BULGARIA-R BG           10Y1001A1001A51S BY           10YCH-SWISSGRIDZ CH           10YCZ-CEPS-----N CZ
10YCY-1001A0003J CY           10Y1001A1001A83F DE           10Y1001A1001A82H DE-LU        10Y1001A1001A63L DE-AT-LU
10YDE-VE-------2 DE-50HERTZ   10YDE-RWENET---I DE-AMPRION   10YDE-EON------1 DE-TENNET    10YDE-ENBW-----N DE-TRANSNET
10Y1001A1001A65H DK           10YDK-1--------W DK1          10YDK-2--------M DK2          10Y1001A1001A39I EE
10YES-REE------0 ES           10YFI-1--------U FI           10YFR-RTE------C FR           10YGB----------A GB
10Y1001A1001A016 GB-NIR       10Y1001A1001B012 GE           10YGR-HTSO-----Y GR           10YHR-HEP------M HR
10YHU-MAVIR----U HU           10YIE-1001A00010 IE           10Y1001A1001A59C IE-SEM       10YIT-GRTN-----B IT
10Y1001A1001A73I IT-NORTH     10Y1001A1001A70O IT-CNORTH    10Y1001A1001A71M IT-CSOUTH    10Y1001A1001A788 IT-SOUTH
10Y1001A1001A75E IT-SICILY    10Y1001A1001A74G IT-SARDINIA  10Y1001C--00096J IT-CALABRIA  10YLT-1001A0008Q LT
10YLU-CEGEDEL-NQ LU           10YLV-1001A00074 LV           10Y1001A1001A990 MD           10YCS-CG-TSO---S ME
10YMK-MEPSO----8 MK           10Y1001A1001A93C MT           10YNL----------L NL           10YNO-0--------C NO
10YNO-1--------2 NO1          10YNO-2--------T NO2          10YNO-3--------J NO3          10YNO-4--------9 NO4
10Y1001A1001A48H NO5          10YPL-AREA-----S PL           10YPT-REN------W PT           10YRO-TEL------P RO
10YCS-SERBIATSOV RS           10YSE-1--------K SE           10Y1001A1001A44P SE1          10Y1001A1001A45N SE2
10Y1001A1001A46L SE3          10Y1001A1001A47J SE4          10YSI-ELES-----O SI           10YSK-SEPS-----K SK
10YTR-TEIAS----W TR           10Y1001C--00003F UA           10Y1001C--000182 UA-IPS       10Y1001C--00100H XK
"""

_WORDS = _AREAS.split()
AREA_BY_EIC = dict(zip(_WORDS[::2], _WORDS[1::2], strict=True))
"""Short name by code: a country, a bidding zone or a control area."""


def area_of(eic: str, otherwise: str = "") -> str:
    """Return the short name of an area; of one that is not known `otherwise`, or else the code itself."""
    return AREA_BY_EIC.get(eic.strip(), otherwise.strip() or eic.strip())


_COUNTRY = re.compile(r"([A-Z]{2})\d?")


def countries_of(area: str) -> tuple[str, ...]:
    """Return the countries that a name of an area tells: `DK1` DK, `DE-LU` DE and LU; of one that tells none itself."""
    first, *others = re.split("[-_]", "GB" if area == "UK" else area)
    country = _COUNTRY.fullmatch(first)
    if country is None:
        return (area,)
    return (country[1], *(word for word in others if re.fullmatch("[A-Z]{2}", word)))


def joined_by(sets: Iterable[Collection[str]]) -> dict[str, str]:
    """Return, for each name in any of the sets, one name that all share whom the sets hang together."""
    group: dict[str, str] = {}
    for some in sets:
        met = {group.get(name, name) for name in some}
        least = min(met)
        if len(met) > 1:
            group |= {name: least for name, of in group.items() if of in met}
        group |= dict.fromkeys(some, least)
    return group
