"""The one table of formats, and which of them a file is of: told by content, never by a file's name alone."""

from __future__ import annotations

from gcr_fast.sources.certificates import aib, irec, mapped, rego, wregis
from gcr_fast.sources.certificates.layout import Format
from gcr_fast.sources.files import File
from gcr_fast.sources.known import known_as, recognised

FORMATS: tuple[Format, ...] = (rego.FORMAT, aib.FORMAT, wregis.FORMAT, irec.FORMAT)
"""Every format that a file is recognised as."""

DESCRIBED = (*FORMATS, mapped.FORMAT)
"""What the list of formats shows: these, and how any other list is described."""

BY_NAME = {one.name: one for one in FORMATS}


def identify(file: File) -> Format | None:
    """Return the format of a file; None if it is of none. Refused, with the candidates: one that may be of several."""
    return recognised(file, FORMATS)


def format_named(name: str) -> Format:
    """Return the format of this name; an unknown one is a `UsageError`."""
    return known_as(name, BY_NAME, " of certificates")
