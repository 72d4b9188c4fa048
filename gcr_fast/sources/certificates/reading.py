"""A list of any format -> its certificates: every row read in full or reported, in one way for all formats."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from gcr_fast.findings import Findings
from gcr_fast.sources.certificates.choosing import choose_columns
from gcr_fast.sources.certificates.edges import Told
from gcr_fast.sources.certificates.facts import Facts
from gcr_fast.sources.certificates.held import NONE, Held
from gcr_fast.sources.certificates.layout import NOT_CARRIED, Layout
from gcr_fast.sources.certificates.marks import mark_of
from gcr_fast.sources.certificates.neighbours import lines_that_overlap, lines_that_share
from gcr_fast.sources.certificates.plain import PlainReader
from gcr_fast.sources.certificates.rows import RowReader
from gcr_fast.sources.certificates.sheet import Block, Sheet, open_sheet
from gcr_fast.sources.certificates.sifting import Sift
from gcr_fast.sources.files import File


@dataclass
class Listing:
    """What one file holds."""

    file: File
    format: str
    in_history: bool
    """Whether its rows are transactions, of which a certificate may have several."""
    held: Held = field(default_factory=Held)
    findings: Findings = field(default_factory=Findings)
    rows: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """Rows that hold no certificate, by the reason in words."""
    unused: list[str] = field(default_factory=list)
    """Columns that nothing here has a place for."""


def read_listing(file: File, name: str, layout: Layout, zone: str | None = None, sift: Sift | None = None) -> Listing:
    """Read a whole file in one layout; what is wrong in it is in `findings`, not raised.

    Raises `RefusedError` if it is not of that layout at all. `zone` is the zone of its production days. Rows that
    `sift` or the layout leave out are counted in `dropped` and, but for those of other years, named in `findings`.
    """
    listing, told = _listed(file, name, layout, zone, sift or Sift(), Told())
    if told != Told():  # all dates together say that each means something else: that is rare, and read once more
        listing, _ = _listed(file, name, layout, zone, sift or Sift(), told)
    return listing


def _listed(file: File, name: str, layout: Layout, zone: str | None, sift: Sift, told: Told) -> tuple[Listing, Told]:
    """Read a whole file by what is told of its dates; return what they have told by then, too."""
    sheet = open_sheet(file, layout)
    choose_columns(sheet)
    unused = sheet.header.unused + [sheet.header.named(name) for name in NOT_CARRIED if name in sheet.header.columns]
    listing = Listing(
        file, name, "transaction" in sheet.header.columns, findings=sheet.findings, dropped=sheet.dropped, unused=unused
    )
    facts = Facts(sheet, zone, sift, told)
    facts.mark = mark_of(sheet)
    reader = _Reader(facts, listing.held)
    for block in sheet.blocks():
        listing.rows += len(block)
        reader.read(block)
    if not listing.rows and sheet.findings.ok:
        sheet.findings.add("empty_file", f"{file.path.name} has no rows below its header", file=file.name)
    _note_rounded(sheet, reader.rounded)
    facts.production.note()
    _note_shared(sheet, lines_that_share(listing.held))
    _note_overlap(sheet, lines_that_overlap(listing.held))
    _note_unsaid(facts, listing.held)
    return listing, facts.production.judged()


class _Reader:
    """Reads blocks of a list: plain rows together, the others one by one."""

    def __init__(self, facts: Facts, held: Held) -> None:
        self.facts = facts
        self.held = held
        self._plain = PlainReader(facts, held.meanings)
        self._rows = RowReader(facts)

    @property
    def rounded(self) -> int:
        """Certificates whose energy is no whole number of Wh."""
        return self._rows.rounded

    def read(self, block: Block) -> None:
        """Read a block; rows stay in order, and so does what is said of them."""
        plain = self._plain.read(block)
        keep = ~(plain.odd | plain.outside)
        self._rows.rounded += int(np.count_nonzero(plain.rounded & keep))
        for at in np.flatnonzero(plain.odd).tolist():
            certificate = self._rows.certificate(block.line(at))
            if certificate is not None:
                plain.batch.put(at, certificate, self.held.meanings)
                keep[at] = True
        self._leave(int(np.count_nonzero(plain.outside)))
        self.held.add(plain.batch, keep)

    def _leave(self, count: int) -> None:
        if count:
            self.facts.sheet.dropped[self.facts.sift.not_of_year] += count


def _note_rounded(sheet: Sheet, count: int) -> None:
    """Say how many energies were rounded down."""
    if count:
        what = f"{count} energies are no whole number of Wh: rounded down, by less than 1 Wh each"
        sheet.findings.add("energy_rounded", what, file=sheet.file.name, count=count)


def _note_unsaid(facts: Facts, held: Held) -> None:
    """Say of a list that it has no column which tells certificates apart, or none which says what was burnt."""
    sheet, count = facts.sheet, len(held.numbers("line"))
    if not sheet.numbered and count:
        what = (
            f"{sheet.file.path.name} has no column of serial numbers or ids: an id is made of device and period, "
            "and two rows that have both in common are refused"
        )
        sheet.findings.add("reading_note", what, file=sheet.file.name)
    unsaid = held.meanings.source_type.get(None, NONE)
    count = int(np.count_nonzero(held.numbers("source_type") == unsaid))
    if count and not facts.burnt:
        what = (
            f"{sheet.file.path.name} has no column of energy source or technology: the source type of {count} "
            "certificates is the one of their profile, or `other`"
        )
        sheet.findings.add("source_missing", what, file=sheet.file.name, count=count)


def _note_shared(sheet: Sheet, lines: list[int]) -> None:
    """Say which periods have a day in common with the next one of their device: their ends may be exclusive."""
    if lines:
        what = (
            f"{sheet.file.path.name}: {len(lines)} periods end on the day on which another of their device "
            "begins, which is in both: are the ends the day after the last?"
        )
        sheet.findings.add("reading_note", what, file=sheet.file.name, line=lines[0], count=len(lines))


def _note_overlap(sheet: Sheet, pairs: list[tuple[int, int]]) -> None:
    """Say which rows without serial numbers are of one device at one time: their energy may be there twice."""
    for line, other in pairs[:1]:
        more = f" (of {len(pairs)} such pairs)" if len(pairs) > 1 else ""
        what = f"{sheet.file.path.name}: lines {other} and {line}{more} are of one device, and their periods overlap"
        what += ": is its energy in both?"
        sheet.findings.add("reading_note", what, file=sheet.file.name, line=line, count=len(pairs))
