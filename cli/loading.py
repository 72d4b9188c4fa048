"""Reading the files a command names, so that one refusal lists what is wrong in all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from gcr_fast.errors import UsageError
from gcr_fast.findings import RefusedError

from .options import SHIPPED

if TYPE_CHECKING:
    from gcr_fast.annual import Annual
    from gcr_fast.findings import Finding
    from gcr_fast.profiles import ProfileOptions, Profiles, Said
    from gcr_fast.sources.model import How

Read = TypeVar("Read")


@dataclass(frozen=True)
class Inputs:
    """What a command is told of the files that it reads: the options of `options.inputs`, by name."""

    mapping: Path | None = None
    """Describes the annual file, if that is a list of no known format."""
    units: Path | None = None
    year: int | None = None
    """That of a list to keep, and of profile files of a typical year."""
    decimal: str | None = None
    keep_all: bool = False
    purpose: str | None = None
    basis: str | None = None
    areas: tuple[str, ...] = ()
    types: str | None = None
    profile_mapping: Path | None = None
    zone: str | None = None
    unit: str | None = None
    label: str | None = None
    keep_intervals: bool = False

    @classmethod
    def taken_from(cls, given: dict[str, Any]) -> Inputs:
        """Take them out of a command's options."""
        return cls(**{each.name: given.pop(each.name) for each in fields(cls)})

    @property
    def files(self) -> list[Path]:
        """The files that are read to understand others."""
        return [file for file in (self.mapping, self.units, self.profile_mapping) if file]


def files_of(annual: Path, profile_files: Sequence[str], inputs: Inputs) -> list[Path]:
    """Return every file that `load` reads."""
    return [annual, *(Path(name) for name in profile_files if name != SHIPPED), *inputs.files]


def load(
    annual: Path, profile_files: Sequence[str], default: str | None = None, inputs: Inputs | None = None
) -> tuple[Annual, Profiles]:
    """Read annual certificates, ours or another registry's list, and profiles, ours or public files.

    `default` is the profile of certificates that name none. Raises one refusal for all files that cannot be read.
    """
    from gcr_fast.profiles import ProfileOptions
    from gcr_fast.shipped import profiles_for
    from gcr_fast.sources.units_map import read_units

    told = inputs or Inputs()
    refused: list[Finding] = []
    units = _attempt(refused, partial(read_units, told.units)) if told.units else None
    own = [name for name in profile_files if name != SHIPPED]
    given = {"areas": told.areas, "types": told.types, "mapping": told.profile_mapping}
    how = _attempt(refused, lambda: how_of(given, typical_year=told.year, units=units or {}))
    typical = how is None or _check_choices(own, how)
    certificates = _attempt(refused, lambda: _certificates(annual, told, units, typical))
    options = ProfileOptions(told.zone, told.unit, told.label, told.keep_intervals, strict=False, how=how)
    shapes = _attempt_profiles(refused, own, options)
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


def _check_choices(own: Sequence[str | Path], how: How) -> bool:
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
        raise UsageError("--area and --types choose from public files of generation, and no profile file is one")
    return any(one.typical for one in known if one)


def _certificates(annual: Path, told: Inputs, units: Mapping[str, str] | None, typical: bool) -> Annual:
    """Read our own annual file, or a list of another registry. The year may be that of `typical` profiles alone."""
    from gcr_fast.certificates import is_list, read_certificates

    if told.mapping is not None or is_list(annual):
        return read_certificates(
            annual,
            mapping=told.mapping,
            zone=told.zone,
            keep_all=told.keep_all,
            purpose=told.purpose,
            basis=told.basis,
            units=units,
            year=told.year,
            decimal=told.decimal,
        ).to_annual()
    if annual.is_file():  # else the reading says so
        _check_is_told(annual, told, typical)
    return _own(annual, told.zone or "UTC")


def _own(annual: Path, zone: str) -> Annual:
    """Read an annual file of ours. One that is not may nearly be a list: then it is said what that lacks."""
    from gcr_fast.annual import read_annual
    from gcr_fast.certificates import nearly_list

    read = read_annual(annual, zone=zone, strict=False)
    near = nearly_list(annual) if read.findings.counts()["missing_column"] else ""
    if near:
        what = f"{annual.name} is no annual file of ours, and no list that is known{near}"
        read.findings.add("unknown_format", what, file=str(annual))
    return read


def _check_is_told(annual: Path, told: Inputs, typical: bool) -> None:
    """Refuse options that say something of a list, where there is none."""
    none = f"but {annual} is no list that is known"
    if told.decimal is not None:
        raise UsageError(f"--decimal is the mark of numbers in another registry's list, {none}")
    columns = {"--purpose": told.purpose, "--basis": told.basis, "--keep-all": told.keep_all}
    for option in (name for name, value in columns.items() if value):
        what = f"{option} says of another registry's list what its columns do not, {none}"
        raise UsageError(f"{what}: here the columns status, purpose and allocation_basis do")
    if told.year is not None and not typical:
        what = f"{none}, and no profile file is of a typical year"
        raise UsageError(f"--year chooses rows of another registry's list, or says the year of typical hours; {what}")


def said_of(given: dict[str, Any], files: Sequence[Path | str]) -> Said:
    """Take the options `choice`, `units`, `typical_year`, `zone`, `unit` and `label` out of a command's: how it reads.

    `files` are the profile files that they are said of; what none of them knows is a usage error.
    """
    names = ("areas", "types", "units", "profile_mapping", "year")
    public = {name: given.pop(name, None) for name in names}
    mapping, year = public.pop("profile_mapping"), public.pop("year")
    how = how_of(public | {"mapping": mapping}, typical_year=year)
    typical = _check_choices(files, how)
    if year is not None and not typical:
        raise UsageError("--year is that of typical hours, and no profile file has such")
    return {"zone": given.pop("zone"), "unit": given.pop("unit"), "label": given.pop("label"), "how": how}


def load_profiles(files: Sequence[Path | str], **said: Unpack[Said]) -> Profiles:
    """Read profile files; what is wrong inside them is held in `.findings`, not raised."""
    from gcr_fast.profiles import ProfileOptions

    refused: list[Finding] = []
    shapes = _attempt_profiles(refused, files, ProfileOptions(**(said | {"strict": False})))
    _refuse(refused, shapes)
    return _merged(shapes)


def load_readable(files: Sequence[Path | str], **said: Unpack[Said]) -> Profiles:
    """As `load_profiles`, but refuse files in which no profile has a single interval that could be read."""
    loaded = load_profiles(files, **said)
    if not any(len(profile.values) for profile in loaded.values()):
        loaded.findings.check()
    return loaded


def find_profile(name: str, file: Path | None, **said: Unpack[Said]) -> Profiles:
    """Return the profiles of a file, or one that ships; a name that is not there is a usage error."""
    from gcr_fast.shipped import shipped_names, shipped_profiles

    loaded = load_readable([file], **said) if file else None
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


def _attempt_profiles(refused: list[Finding], files: Sequence[Path | str], options: ProfileOptions) -> list[Profiles]:
    from gcr_fast.findings import Findings
    from gcr_fast.profiles import read_together

    unread = Findings()
    found = read_together(files, unread, options)
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
