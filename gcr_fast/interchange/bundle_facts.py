"""What a bundle file says beyond hourly certificates: facts of their parents, and what we have no place for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.columns import encode
from gcr_fast.fields import Fields
from gcr_fast.schema import columns_of

if TYPE_CHECKING:
    import pyarrow as pa

OF_PARENT = {
    "device_id": "device_id",
    "country_of_issuance": "country",
    "issuing_body": "issuer",
    "local_timezone": "zone",
}
"""Columns that are a fact of the parent, and what that is called among annual certificates."""
TAKEN = frozenset(
    {
        "issuance_id", "bundle_quantity", "certificate_bundle_id_range_start", "certificate_bundle_id_range_end",
        "energy_carrier", "energy_source", "face_value", "issuance_post_energy_carrier_conversion", "is_storage",
        "production_starting_interval", "production_ending_interval", "account_id", "certificate_bundle_status",
    }
)  # fmt: skip
"""Columns that become hourly certificates, or refuse them."""
SHOWN = 3
"""Different values that a message quotes."""


@dataclass(frozen=True)
class Told:
    """The facts of all parents of a file, and what is in neither table."""

    parents: pa.Table
    """One row a parent: certificate_id, source_type and the facts of `OF_PARENT`; null where its bundles disagree."""
    not_carried: dict[str, str]
    """By column, what becomes of it."""


def told_by(fields: Fields, parents: list[str], sources: list[str | None], alive: np.ndarray) -> Told:
    """Return what the bundles that are alive, bool[n], say beyond their hours. `parents` and `sources` are by row."""
    import pyarrow as pa

    rows = np.flatnonzero(alive)
    codes, names = encode(pa.array(parents, pa.string()).take(pa.array(rows)))
    _, first = np.unique(codes, return_index=True)
    order = [str(names[code]) for code in codes[first].tolist()]
    table: dict[str, list[str | None]] = {"certificate_id": [*order]}
    lost = dict[str, str]()
    for theirs, ours in OF_PARENT.items():
        table[ours], unlike = _agreed(*_words(fields, theirs, rows), codes, first)
        if unlike:
            lost[theirs] = f"bundles of one issuance differ in it, of {unlike:,} of {len(order):,}"
    # A device of its parent's name is the one that our own writer has made up for a parent without any.
    table["device_id"] = [
        None if device == name else device for device, name in zip(table["device_id"], order, strict=True)
    ]
    kinds, known = encode(pa.array(sources, pa.string()).take(pa.array(rows)))
    table["source_type"], _ = _agreed(kinds, [str(word) for word in known], codes, first)
    facts = pa.table({name: pa.array(column, pa.string()) for name, column in table.items()})
    return Told(facts, lost | _rest(fields, rows))


def _words(fields: Fields, name: str, rows: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return int32[k] codes of some rows (-1 is empty), and the distinct words."""
    codes, values = fields.words_or_none(name)
    return codes[rows], values


def _agreed(words: np.ndarray, values: list[str], codes: np.ndarray, first: np.ndarray) -> tuple[list[str | None], int]:
    """Return the word of each parent, None where its bundles have several or none, and how many have several.

    `words` and the parents' `codes` are by row, int32[k]; `first` is a row of each parent.
    """
    place = np.zeros(int(codes.max(initial=-1)) + 1, dtype=np.int64)
    place[codes[first]] = first
    unlike = np.zeros(len(place), dtype=bool)
    unlike[codes[words != words[place[codes]]]] = True
    known: list[str | None] = [*values, None]  # -1, an empty cell, is the last
    agreed = np.where(unlike[codes[first]], -1, words[first]).tolist()
    return [known[word] for word in agreed], int(unlike.sum())


def _rest(fields: Fields, rows: np.ndarray) -> dict[str, str]:
    """Return the columns that nothing of ours has a place for, with what they hold; empty ones are no loss."""
    lost = dict[str, str]()
    for column in columns_of("bundles"):
        if column.name not in TAKEN and column.name not in OF_PARENT:
            said = held(*_words(fields, column.name, rows))
            lost |= {column.name: said} if said else {}
    filled = [name for name in fields.unused if _has_words(fields, name, rows)]
    return lost | dict.fromkeys(filled, "no column of this form")


def _has_words(fields: Fields, name: str, rows: np.ndarray) -> bool:
    """Whether any of some rows has more than an empty cell in a column, by its name in the file."""
    codes, values = encode(fields.column(name))
    return any(str(values[code]).strip() for code in np.unique(codes[rows]).tolist() if code >= 0)


def held(codes: np.ndarray, values: list[str]) -> str:
    """Return what a column holds: the commonest of its words, each with its rows. Empty if it holds none."""
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    common = [at for at in np.argsort(-counts, kind="stable").tolist() if counts[at]]
    shown = ", ".join(f"{values[at]} ({counts[at]:,})" for at in common[:SHOWN])
    return shown + (f" and {len(common) - SHOWN:,} more" if len(common) > SHOWN else "")
