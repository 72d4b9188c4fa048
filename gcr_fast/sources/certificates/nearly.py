"""Which format of certificates a list nearly is, where it is of none: it lacks one of the columns that are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gcr_fast.sources.certificates.layout import Format, Layout
from gcr_fast.sources.certificates.sheet import find_header
from gcr_fast.sources.files import File


def nearly(file: File, formats: Sequence[Format]) -> str:
    """Return `; it is nearly ...` with the formats of which a file lacks one column alone; nothing if it lacks more."""
    near = {one.name: lacking for one in formats if (lacking := _lacking(file, one.layout))}
    said = " or ".join(f"{name}, but has no column {lacking}" for name, lacking in near.items())
    return f"; it is nearly {said}" if said else ""


def _lacking(file: File, layout: Layout) -> str:
    """Return what the one column that lacks is mostly called; nothing if more of them lack."""
    if file.kind != "csv" or len(layout.needed) < 3:
        return ""
    for at, choices in enumerate(layout.needed):
        others = layout.needed[:at] + layout.needed[at + 1 :]
        if find_header(file, replace(layout, needed=others)) is not None:
            return " or ".join(layout.fields[field][0] for field in layout.fields if field in choices)
    return ""
