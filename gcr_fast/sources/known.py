"""A table of formats: what each says of itself, and which of them a file is of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeVar

from gcr_fast.errors import UsageError
from gcr_fast.sources.files import File, refuse


@dataclass(frozen=True)
class Known:
    """One public format, as a list shows it."""

    name: str
    """The word for `--format`."""
    title: str
    """Publisher and product."""
    looks_like: str
    """What a person recognises it by: its header, or how its files are called."""
    quirks: tuple[str, ...]
    """Its traps, each with what is done about it."""
    detect: Callable[[File], bool]
    """Whether a file is of this format, by its head alone. Never raises."""


Format = TypeVar("Format", bound=Known)


def recognised(file: File, formats: Sequence[Format]) -> Format | None:
    """Return the format of a file; None if it is of none. Refused, with the candidates: one that may be of several."""
    found = [one for one in formats if one.detect(file)]
    if len(found) > 1:
        names = " and ".join(one.name for one in found)
        refuse(file, f"could be {names}; name one with --format", "ambiguous_format")
    return found[0] if found else None


def meant(word: str, names: Iterable[str]) -> str:
    """Return `; did you mean ...?` with the names that are nearest to a word, else nothing."""
    near = get_close_matches(word, list(names), n=4, cutoff=0.7)
    return f"; did you mean {', '.join(near)}?" if near else ""


def known_as(name: str, formats: Mapping[str, Format], what: str = "") -> Format:
    """Return the format of this name; an unknown one is a `UsageError`, which may say of `what`."""
    if name not in formats:
        near = meant(name, formats) or f"; there are {', '.join(formats)}"
        raise UsageError(f"unknown format {name!r}{what}{near}")
    return formats[name]
