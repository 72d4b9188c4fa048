"""Reading the files a command names, so that one refusal lists what is wrong in all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gcr_fast.errors import RefusedError, UsageError

from .options import SHIPPED

if TYPE_CHECKING:
    from gcr_fast.annual import Annual
    from gcr_fast.findings import Finding
    from gcr_fast.profiles import Profiles
    from gcr_fast.sources.model import How

Read = TypeVar("Read")


def load(
    annual: Path,
    profile_files: Sequence[str],
    default: str | None = None,
    *,
    zone: str | None,
    unit: str | None,
    label: str | None,
    keep_intervals: bool,
    mapping: Path | None = None,
    units: Path | None = None,
    year: int | None = None,
    areas: Sequence[str] = (),
    types: str | None = None,
    profile_mapping: Path | None = None,
) -> tuple[Annual, Profiles]:
    """Read annual certificates and profiles; raise one refusal for all files that cannot be read.

    `annual` may also be a list of another registry, which `mapping`, `units` and `year` say how to read. `year` is
    that of profile files of a typical year, too; `areas`, `types` and `profile_mapping` concern profile files alone.
    """
    from gcr_fast.shipped import profiles_for
    from gcr_fast.sources.units_map import read_units

    refused: list[Finding] = []
    told = _attempt(refused, lambda: read_units(units)) if units else None
    own = [name for name in profile_files if name != SHIPPED]
    given = {"areas": areas, "types": types, "mapping": profile_mapping}
    how = _attempt(refused, lambda: how_of(given, typical_year=year, units=told or {}))
    typical = how is None or _check_choices(own, how)
    lists = {"mapping": mapping, "units": told, "year": year}
    certificates = _attempt(refused, lambda: _certificates(annual, zone, lists, typical))
    reading = {"zone": zone, "unit": unit, "label": label, "keep_intervals": keep_intervals}
    shapes = _attempt_profiles(refused, own, **reading, how=how)
    if certificates is not None and SHIPPED in profile_files:
        shapes.append(profiles_for(certificates, default))
    _refuse(refused, [held for held in (certificates, *shapes) if held is not None])
    assert certificates is not None  # else it was refused
    return certificates, _merged(shapes)


def how_of(given: dict[str, Any], **more: Any) -> How:
    """Return what options say about public files of generation: zone, year, areas, types, units, mapping."""
    from gcr_fast.sources.mapping_file import load_mapping
    from gcr_fast.sources.model import How
    from gcr_fast.sources.units_map import read_units

    kinds = (given.get("types") or "").split(",")
    said: dict[str, Any] = {
        "zone": given.get("zone"),
        "year": given.get("year"),
        "areas": frozenset(given.get("areas") or ()),
        "types": frozenset(kind.strip().lower() for kind in kinds if kind.strip()),
        "units": read_units(given["units"]) if given.get("units") else {},
        "mapping": load_mapping(given["mapping"]) if given.get("mapping") else None,
    }
    return How(**(said | more))


def _check_choices(own: Sequence[str], how: How) -> bool:
    """Return whether any profile file is of a typical year. Choices that no profile file knows are a usage error."""
    if how.typical_year is None and not how.areas and not how.types and how.mapping is None:
        return False
    from gcr_fast.sources.files import open_file
    from gcr_fast.sources.generation.formats import identify

    try:
        known = [identify(open_file(name), how) for name in own]
    except RefusedError:
        return True  # reading will say so
    if how.mapping is not None and not own:
        raise UsageError("--profile-mapping describes files of --profiles, and there is none")
    if (how.areas or how.types) and not any(known):
        raise UsageError("--area and --types choose from public files of generation, and no file of --profiles is one")
    return any(one.typical for one in known if one)


def _certificates(annual: Path, zone: str | None, lists: dict[str, Any], typical: bool) -> Annual:
    """Read our own annual file, or a list of another registry. The year may be that of `typical` profiles alone."""
    from gcr_fast.annual import read_annual
    from gcr_fast.certificates import is_list, read_certificates

    if lists["mapping"] is not None or is_list(annual):
        return read_certificates(annual, zone=zone, **lists).to_annual()
    if lists["year"] is not None and not typical:
        what = f"but {annual} is no list that is known, and no profile file is of a typical year"
        raise UsageError(f"--year chooses rows of another registry's list, or says the year of typical hours; {what}")
    return read_annual(annual, zone=zone or "UTC", strict=False)


def load_profiles(files: Sequence[Path | str], **reading: Any) -> Profiles:
    """Read profile files; what is wrong inside them is held in `.findings`, not raised."""
    refused: list[Finding] = []
    shapes = _attempt_profiles(refused, files, **reading)
    _refuse(refused, shapes)
    return _merged(shapes)


def load_readable(files: Sequence[Path | str], **reading: Any) -> Profiles:
    """As `load_profiles`, but refuse files in which no profile has a single interval that could be read."""
    loaded = load_profiles(files, **reading)
    if not any(len(profile.values) for profile in loaded.values()):
        loaded.findings.check()
    return loaded


def find_profile(name: str, file: Path | None, **reading: Any) -> Profiles:
    """Return the profiles of a file, or one that ships; a name that is not there is a usage error."""
    from gcr_fast.shipped import shipped_names, shipped_profiles

    loaded = load_readable([file], **reading) if file else None
    names = list(loaded) if loaded is not None else shipped_names()
    if name not in names:
        raise UsageError(f"no profile {name} in {file or 'the shipped data'}{_close(name, names)}")
    return shipped_profiles([name]) if loaded is None else loaded


def _close(name: str, names: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, names, n=3)
    return f"; did you mean {', '.join(close)}?" if close else "; `gcr profiles list` lists them"


def _merged(shapes: list[Profiles]) -> Profiles:
    from gcr_fast.profiles import merge

    return shapes[0] if len(shapes) == 1 else merge(shapes)


def _attempt_profiles(refused: list[Finding], files: Sequence[Path | str], **reading: Any) -> list[Profiles]:
    from gcr_fast.findings import Findings
    from gcr_fast.profiles import ProfileOptions, read_together

    unread = Findings()
    found = read_together(files, unread, ProfileOptions(**reading, strict=False))
    refused.extend(unread)
    return found


def _attempt(refused: list[Finding], read: Callable[[], Read]) -> Read | None:
    """Return what was read, or None and its findings in `refused`."""
    try:
        return read()
    except RefusedError as refusal:
        refused.extend(refusal.collected)
        return None


def _refuse(refused: list[Finding], held: Sequence[Annual | Profiles]) -> None:
    """Raise if any file could not be read, with the errors inside those that could."""
    if refused:
        from gcr_fast.findings import Findings

        inside = [finding for part in held for finding in part.findings.of("error")]
        raise RefusedError(Findings([*refused, *inside]))
