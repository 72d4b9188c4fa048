"""What meter readings do not say of the profiles that they were made of: series that are no readings, words, marks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.codes import IMPUTED
from gcr_fast.columns import encode
from gcr_fast.findings import Finding
from gcr_fast.flags import counted, taken, told
from gcr_fast.grid.shapes import Profiles

if TYPE_CHECKING:
    import pyarrow as pa

MEND = "choose a file of generation: load, storage and trade are no readings to issue from"
SHOWN = 3
"""Words of a source that a message quotes."""


def of_profiles(profiles: Profiles) -> tuple[dict[str, str], dict[str, str]]:
    """Return what the form has no column for and which series are not in it, by name, each with what becomes of it."""
    return dict(_not_carried(profiles)), dict(_left_out(profiles))


def nothing_in(profiles: Profiles) -> Iterator[Finding]:
    """Yield why there is nothing to write, if no profile is there."""
    roles = sorted({one.value for one in _others(profiles) if one.value})
    if not profiles and roles:
        file = _others(profiles)[0].file
        yield Finding(
            "empty_file", f"there is {' and '.join(roles)} alone, and only generation is written", file=file, hint=MEND
        )


def _others(profiles: Profiles) -> list[Finding]:
    return [one for one in profiles.findings if one.code == "not_generation"]


def _left_out(profiles: Profiles) -> Iterator[tuple[str, str]]:
    """Yield the series that are no generation, each with its role."""
    for one in _others(profiles):
        yield one.profile or "", f"{one.value}, {one.count:,} intervals: only generation is written"


def _not_carried(profiles: Profiles) -> Iterator[tuple[str, str]]:
    kinds = dict.fromkeys(one.source_type for one in profiles.values() if one.source_type)
    if kinds:
        yield "source_type", f"{', '.join(kinds)}: no column says it"
    imputed = sum(int((one.quality == IMPUTED).sum()) for one in profiles.values() if one.quality is not None)
    if imputed:
        yield "quality", f"{imputed:,} intervals were imputed by their publisher: no column says it"
    flags = _flags(profiles)
    if flags:
        common = sorted(flags.items(), key=lambda item: -item[1])
        more = f" and {len(common) - SHOWN:,} more" if len(common) > SHOWN else ""
        yield "flags", f"{', '.join(f'{word} ({count:,})' for word, count in common[:SHOWN])}{more}: no column says it"
    if names := dict.fromkeys(one.attribution for one in profiles.values() if one.attribution):
        yield "attribution", f"{'; '.join(names)}: no place to name it"


def _flags(profiles: Profiles) -> Mapping[str, int]:
    """Count what sources say of intervals of generation: public files in their profiles, imported ones in a column."""
    counts: Counter[str] = Counter()
    for one in profiles.values():
        counts.update(counted(one.flags))
    for source in profiles.sources:
        if "flags" in source.table.column_names:
            counts.update(counted(taken(told(source.table["flags"]), _generated(source.table))))
    return counts


def _generated(table: pa.Table) -> np.ndarray:
    """Return the rows of an imported table that are generation, int64[k]; all of them if it does not tell."""
    if "role" not in table.column_names:
        return np.arange(table.num_rows)
    codes, words = encode(table["role"])
    mine: np.ndarray = np.array([word == "generation" for word in words] + [False])[codes]
    return np.flatnonzero(mine)
