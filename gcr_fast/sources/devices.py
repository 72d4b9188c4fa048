"""What the files of meters leave out, and a user may say: what a device generates, or that it does not."""

from __future__ import annotations

from gcr_fast.codes import canonical_source
from gcr_fast.sources.files import File, refuse
from gcr_fast.sources.model import How
from gcr_fast.sources.words import Kind, kind_of

ANY_GENERATION = Kind("unknown", None, "generation")
"""Generation of a device about which no more is known: it agrees with any source type."""


def told(file: File, how: How, device: str) -> Kind | None:
    """Return what the user says a device is: of its own in `how.units`, else the only one of `how.types`."""
    word = how.units.get(device)
    if word is None and len(how.types) == 1:
        word = next(iter(how.types))
    if word is None:
        return None
    kind = _kind(word)
    if kind is None:
        refuse(file, f"has the device {device}, for which {word!r} was named: no kind that is known")
    return kind


def _kind(word: str) -> Kind | None:
    if word == "generation":
        return ANY_GENERATION
    source = canonical_source(word)
    known = kind_of(word)
    if known is None and source is not None:
        known = Kind(source, source, "storage" if source.startswith("storage") else "generation")
    return known


def only_area(how: How) -> str:
    """Return the one area that a user names, for files that name none."""
    return next(iter(how.areas)) if len(how.areas) == 1 else ""
