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
) -> tuple[Annual, Profiles]:
    """Read annual certificates and profiles; raise one refusal for all files that cannot be read.

    `annual` may also be a list of another registry, which `mapping`, `units` and `year` say how to read.
    """
    from gcr_fast.shipped import profiles_for
    from gcr_fast.sources.model import How
    from gcr_fast.sources.units_map import read_units

    refused: list[Finding] = []
    told = _attempt(refused, lambda: read_units(units)) if units else None
    lists = {"mapping": mapping, "units": told, "year": year}
    certificates = _attempt(refused, lambda: _certificates(annual, zone, lists))
    own = [name for name in profile_files if name != SHIPPED]
    reading = {"zone": zone, "unit": unit, "label": label, "keep_intervals": keep_intervals}
    shapes = _attempt_profiles(refused, own, **reading, how=How(units=told or {}))
    if certificates is not None and SHIPPED in profile_files:
        shapes.append(profiles_for(certificates, default))
    _refuse(refused, [held for held in (certificates, *shapes) if held is not None])
    assert certificates is not None  # else it was refused
    return certificates, _merged(shapes)


def _certificates(annual: Path, zone: str | None, lists: dict[str, Any]) -> Annual:
    """Read our own annual file, or a list of another registry."""
    from gcr_fast.annual import read_annual
    from gcr_fast.certificates import is_list, read_certificates

    if lists["mapping"] is not None or is_list(annual):
        return read_certificates(annual, zone=zone, **lists).to_annual()
    if lists["year"] is not None:
        raise UsageError(f"--year chooses rows of another registry's list, but {annual} is no list that is known")
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
    from gcr_fast.profiles import read_together

    unread = Findings()
    found = read_together(files, unread, **reading, strict=False)
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
