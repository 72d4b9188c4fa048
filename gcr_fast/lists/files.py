"""One file of certificates, read: what its user says of it, its rows as they are compared, and an account of them."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcr_fast.columns import exact_sum
from gcr_fast.findings import Findings
from gcr_fast.lists.alike import Rows, rows_of
from gcr_fast.sources.certificates.book import SheetFile
from gcr_fast.sources.certificates.held import Held
from gcr_fast.sources.certificates.layout import Layout
from gcr_fast.sources.certificates.reading import Listing, read_listing
from gcr_fast.sources.certificates.sifting import Sift
from gcr_fast.sources.certificates.statuses import Meaning
from gcr_fast.sources.certificates.tables import table_of
from gcr_fast.sources.files import File

if TYPE_CHECKING:
    import pyarrow as pa


class StatusCount(NamedTuple):
    """The rows of one file that have one status word."""

    file: str
    word: str
    """The status as the list gives it."""
    status: str
    """What it means here, of `codes.ANNUAL_STATUSES`."""
    purpose: str | None
    rows: int
    energy_wh: int
    left_out: str
    """Why they are left out; empty if they are kept."""


@dataclass(frozen=True)
class FileAccount:
    """What became of one file."""

    file: str
    format: str
    sha256: str
    rows: int
    kept: int
    """Rows that are certificates of the table."""
    dropped: dict[str, int]
    """Rows that hold no certificate, by the reason in words."""
    unused: list[str]
    """Columns that annual certificates have no place for."""


@dataclass(frozen=True)
class How:
    """What the caller says about all files."""

    format: str | None
    mapping: Mapping[str, object] | None
    zone: str | None
    keep_all: bool
    basis: str | None
    sift: Sift
    decimal: str | None

    @property
    def purpose(self) -> str | None:
        """For what the cancelled ones were cancelled, where nothing else says it."""
        return self.sift.purpose

    def listing(self, file: File, name: str, layout: Layout) -> Listing:
        """Read a file in a layout, with what the caller says of it."""
        told = replace(layout, decimal=self.decimal) if self.decimal else layout
        if isinstance(file, SheetFile):
            told = replace(told, delimiter=None)  # a sheet has none
        return read_listing(file, name, told, self.zone, self.sift)


@dataclass
class Part:
    """One file, read."""

    account: FileAccount
    findings: Findings
    rows: Rows
    statuses: list[StatusCount]
    lines: Sequence[int | None]
    """Of the rows that are kept."""
    table: Callable[[], pa.Table]
    """Makes the table of the rows that are kept."""


def part_of(listing: Listing, how: How) -> Part:
    """Take from a list that was read what is kept of it."""
    held = listing.held
    leaves = [bool(one.meaning.reason) and not how.keep_all for one in held.meanings.said]
    kept = ~np.array(leaves, dtype=bool)[held.numbers("said")]
    count = int(np.count_nonzero(kept))
    account = FileAccount(
        listing.file.name, listing.format, listing.file.sha256, listing.rows, count, dict(listing.dropped),
        listing.unused,
    )  # fmt: skip
    return Part(
        account,
        listing.findings,
        rows_of(listing, kept),
        _counts(listing.file.name, held, how),
        array("i", held.numbers("line")[kept].tobytes()),
        lambda: table_of(held, kept, how.purpose, how.basis),
    )


def _counts(file: str, held: Held, how: How) -> list[StatusCount]:
    """Sum the rows by what the list says of them, in the order in which it first does."""
    said, codes, energies = list(held.meanings.said), held.numbers("said"), held.numbers("energy_wh")
    found, firsts, counts = np.unique(codes, return_index=True, return_counts=True)
    order = np.argsort(firsts)
    return [
        status_count(file, said[code].word, said[code].meaning, rows, exact_sum(energies[codes == code]), how)
        for code, rows in zip(found[order].tolist(), counts[order].tolist(), strict=True)
    ]


def status_count(file: str, word: str, meaning: Meaning, rows: int, energy_wh: int, how: How) -> StatusCount:
    """Say what becomes of the rows that have one status."""
    purpose = (how.purpose or meaning.purpose) if meaning.status == "CANCELED" else None
    left_out = "" if how.keep_all else meaning.reason
    return StatusCount(file, word, meaning.status, purpose, rows, energy_wh, left_out)
