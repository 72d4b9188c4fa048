"""Where the systems of simulated power stand, and how large they are: two of them are never one longer series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gcr_fast.findings import Findings
from gcr_fast.sources.model import Readings

LATITUDE, LONGITUDE, KW, TILT, AZIMUTH = "latitude", "longitude", "kW", "tilt", "azimuth"
SITE = "site"


def untold(whose: str) -> str:
    """Return the note of a file that tells no site."""
    return f"is not told by the file: files that are read together are taken to be of {whose}"


def site_of(told: Mapping[str, object]) -> dict[str, str]:
    """Return what a file tells of its site, numbers in one form; what it does not tell (None, empty) is left out."""
    texts = {name: str(value).strip().strip('"') for name, value in told.items() if value is not None}
    return {name: _plain(text) for name, text in texts.items() if text}


def _plain(text: str) -> str:
    try:
        return f"{float(text):.10g}"
    except ValueError:
        return text


def check_sites(several: Iterable[Readings]) -> None:
    """Refuse files of different sites that have a series of one name. Give all files that are read together."""
    findings = Findings()
    first: dict[str, list[Readings]] = {}
    for one in several:
        for name in one.names if one.site else ():
            earlier = first.setdefault(name, [])
            for other in earlier:
                differing = [what for what in one.site if other.site.get(what, one.site[what]) != one.site[what]]
                if differing:
                    both = " and ".join(f"{each.file.path.name} ({_said(each, differing)})" for each in (other, one))
                    what = f"{both} are of different systems: as one series {name} they would be one. Read them apart, "
                    findings.add("duplicate_profile", f"{what}each with an --area", file=one.file.name, profile=name)
                    break
            earlier.append(one)
    findings.check()


def _said(one: Readings, names: Iterable[str]) -> str:
    return ", ".join(f"{name} {one.site[name]}" for name in names)
