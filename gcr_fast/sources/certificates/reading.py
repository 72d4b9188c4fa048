"""A list of any format -> its certificates: every row read in full or reported, in one way for all formats."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from sys import intern
from typing import NamedTuple

from gcr_fast.codes import MAX_PARENT_WH
from gcr_fast.findings import Findings
from gcr_fast.periods import Period
from gcr_fast.sources.certificates.amounts import decimal_marks, floored, scaled, unsure_numbers
from gcr_fast.sources.certificates.edges import Told
from gcr_fast.sources.certificates.identifiers import fault_of, is_shortened
from gcr_fast.sources.certificates.layout import NOT_CARRIED, Layout
from gcr_fast.sources.certificates.places import country_of
from gcr_fast.sources.certificates.production import Production
from gcr_fast.sources.certificates.serials import Range, SerialError, read_range
from gcr_fast.sources.certificates.sheet import Line, Sheet, open_sheet
from gcr_fast.sources.certificates.sifting import Sift, unwanted
from gcr_fast.sources.certificates.statuses import WORDS, Meaning, meaning_of
from gcr_fast.sources.certificates.technologies import Source, source_of
from gcr_fast.sources.files import File
from gcr_fast.sources.words import normalised


class Certificate(NamedTuple):
    """One row of a list: a batch of certificates with a common device and period."""

    line: int
    certificate_id: str
    serials: Range | None
    energy_wh: int
    period: Period
    zone: str
    source_type: str | None
    meaning: Meaning
    word: str
    """The status as the list gives it."""
    beneficiary: str | None
    owner: str | None
    device_id: str | None
    country: str | None
    capacity_w: int | None
    issuer: str | None
    in_history: bool
    """Whether the row is a transaction, of which a certificate may have several."""
    told: bool
    """Whether the list gives an id or serial numbers; else its id is made of device and period."""


@dataclass
class Listing:
    """What one file holds."""

    file: File
    format: str
    certificates: list[Certificate] = field(default_factory=list)
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
    reader = _Reader(sheet, zone, sift, told)
    unused = sheet.header.unused + [sheet.header.named(name) for name in NOT_CARRIED if name in sheet.header.columns]
    listing = Listing(file, name, findings=sheet.findings, dropped=sheet.dropped, unused=unused)
    for line in reader.lines():
        listing.rows += 1
        certificate = reader.certificate(line)
        if certificate is not None:
            listing.certificates.append(certificate)
    if not listing.rows and sheet.findings.ok:
        sheet.findings.add("empty_file", f"{file.path.name} has no rows below its header", file=file.name)
    reader.note_rounded()
    reader.production.note()
    return listing, reader.production.judged()


_SAY_MARK = "say which mark is the decimal one: `decimal` in a mapping, or gcr import certificates --decimal"


class _Reader:
    """Reads the rows of one sheet, remembering what cells that repeat mean."""

    def __init__(self, sheet: Sheet, zone: str | None, sift: Sift, told: Told) -> None:
        self.sheet = sheet
        self.layout = sheet.layout
        self.sift = sift
        self.rounded = 0
        """Certificates whose energy is no whole number of Wh."""
        self._rounds = False
        self.mark = self.layout.decimal or "."
        self.failed = False
        """Whether something in the row at hand is wrong."""
        self._meanings: dict[tuple[str, str], Meaning | None] = {}
        self._units = {
            "energy": sheet.unit_of("energy", self.layout.energy_digits),
            "capacity": sheet.unit_of("capacity", self.layout.capacity_digits),
            "mwh_each": 6,
        } | dict(self.layout.units)
        self.production = Production(sheet, zone, told, self._fault)

    def lines(self) -> Iterable[Line]:
        """Return the rows; all at once only where the file's numbers have to tell how they are written."""
        if self.layout.decimal:
            return self.sheet.lines()
        lines = list(self.sheet.lines())
        self._learn_numbers(lines)
        return lines

    def _learn_numbers(self, lines: list[Line]) -> None:
        """Find the decimal mark that the numbers have: one of them tells it, or the serial numbers do."""
        names = ("energy", "mwh_each", "capacity", "count")
        cells = dict.fromkeys(line.text(name) for line in lines for name in names)
        marks, unsure = decimal_marks(cells), unsure_numbers(cells)
        file = self.sheet.file
        if len(marks) > 1:
            what = f"{file.path.name} writes numbers with a decimal comma and with a decimal point"
            self.sheet.findings.add("ambiguous_number", what, file=file.name)
        elif not marks and unsure:
            marks = self._marks_by_serials(lines, frozenset(unsure))
            if len(marks) != 1:
                shown = " and ".join(repr(cell) for cell in unsure[:3])
                what = f"{file.path.name} has numbers such as {shown} that can be read in two ways: " + _SAY_MARK
                self.sheet.findings.add("ambiguous_number", what, file=file.name, value=unsure[0])
        self.mark = marks.pop() if len(marks) == 1 else "."

    def _marks_by_serials(self, lines: list[Line], unsure: frozenset[str]) -> set[str]:
        """Return the decimal marks by which every number is that of its row's serial numbers; empty if none has any."""
        marks, compared = {",", "."}, False
        each = 0 if self.sheet.header.columns.keys() & {"mwh_each"} else self.layout.wh_each
        for line in lines:
            for name, digits, unit in (("energy", self._units["energy"], each), ("count", 0, bool(each))):
                text = line.text(name)
                if unit and text in unsure and (serials := self._range(line)) is not None:
                    compared = True
                    marks = {mark for mark in marks if scaled(text, mark, digits) == len(serials) * unit}
        return marks if compared else set()

    def _range(self, line: Line) -> Range | None:
        """Return the serial numbers of a row if they can be read; what is wrong with them is said in its turn."""
        if not line.text("first"):
            return None
        with contextlib.suppress(SerialError):
            return self._read_range(line)
        return None

    def _read_range(self, line: Line) -> Range:
        first, last = line.text("first"), line.text("last")
        found = read_range(first, last, self.layout.serial)
        return found.without_last() if self.layout.half_open and last else found

    def certificate(self, line: Line) -> Certificate | None:
        """Read one row; None if something in it is wrong, which is then among the findings."""
        self.failed = self._rounds = False
        serials = self._serials(line)
        energy = self._energy(line, serials)
        meaning = self._meaning(line)
        country = self._country(line)
        zone, period = self.production.period(line, country, serials)
        device, capacity = self._device(line), self._capacity(line)
        source, unmapped = self.sift.source(self._source(line), device)
        if self.failed or energy is None or meaning is None or period is None:
            return None
        other = self.sift.other_year(period, zone)
        reason = other or unmapped or unwanted(self.layout, energy, source)
        if reason:
            self._leave(line, reason, named=not other)
            return None
        self.rounded += self._rounds
        self.production.remember(line, device)
        return Certificate(
            line=line.number,
            certificate_id=serials.text if serials else line.text("id") or _own_id(line),
            serials=serials,
            energy_wh=energy,
            period=period,
            zone=zone,
            source_type=source,
            meaning=meaning,
            word=intern(self._word(line)),
            beneficiary=line.word("beneficiary") if meaning.status == "CANCELED" else None,
            owner=line.word("owner"),
            device_id=device,
            country=country,
            capacity_w=capacity,
            issuer=line.word("issuer"),
            in_history=line.has("transaction"),
            told=serials is not None or bool(line.text("id")),
        )

    def _leave(self, line: Line, reason: str, named: bool) -> None:
        """Account for a row that is left out, by name unless there are whole years of them."""
        self.sheet.dropped[reason] += 1
        if named:
            identity = line.text("first") or line.text("id") or line.text("device_id")
            where = {"file": self.sheet.file.name, "line": line.number, "certificate_id": identity}
            self.sheet.findings.add("left_out", f"{identity}: {reason}", value=line.text("energy") or None, **where)

    def note_rounded(self) -> None:
        """Say how many energies were rounded down."""
        if self.rounded:
            what = f"{self.rounded} energies are no whole number of Wh: rounded down, by less than 1 Wh each"
            self.sheet.findings.add("energy_rounded", what, file=self.sheet.file.name, count=self.rounded)

    def _fault(self, line: Line, code: str, name: str, what: str) -> None:
        self.failed = True
        line.fault(code, name, what)

    def _serials(self, line: Line) -> Range | None:
        first, last = line.text("first"), line.text("last")
        if not first:
            if last:
                self._fault(line, "null_value", "first", "is empty")
            elif not line.text("id") and not line.text("device_id"):
                self._fault(line, "null_value", "first" if line.has("first") else "id", "is empty")
            return None
        try:
            return self._read_range(line)
        except SerialError as fault:
            self._fault(line, "bad_serial", "last" if last else "first", str(fault))
            return None

    def _energy(self, line: Line, serials: Range | None) -> int | None:
        """Return the Wh that the row states, having compared it with its serial numbers."""
        stated = self._stated(line)
        counted = len(serials) * self.layout.wh_each if serials and self.layout.wh_each else None
        each = self._each(line)
        count = self._count(line)
        if serials and count is not None and self.layout.wh_each and count != len(serials):
            self._fault(line, "count_mismatch", "count", self._off(count, serials))
        if each is not None:
            quantity = count if count is not None else len(serials) if serials else None
            counted = quantity * each if quantity is not None else None
        if stated is not None and counted is not None and stated != counted and not self.failed:
            what = f"is {stated} Wh, but the serial numbers {serials.text if serials else ''} stand for {counted} Wh"
            self._fault(line, "count_mismatch", "energy", what + _hint(stated, counted, each or self.layout.wh_each))
        energy = stated if stated is not None else counted
        if energy is None and count is not None and not serials:
            energy = count * (each or self.layout.wh_each)
        return self._sound(line, energy)

    def _sound(self, line: Line, energy: int | None) -> int | None:
        if energy is None and not self.failed:
            self._fault(line, "null_value", "energy" if line.has("energy") else "count", "is empty")
        if energy is not None and not self.failed and energy <= 0 and not self.layout.leave_empty:
            self._fault(line, "non_positive_energy", "energy" if line.has("energy") else "count", "must be above 0")
        if energy is not None and energy > MAX_PARENT_WH:
            self._fault(line, "energy_over_limit", "energy", "is above the exact limit of 2^51 Wh")
        return energy

    def _off(self, count: int, serials: Range) -> str:
        ends = f"{serials.first.text} to {serials.last.text}"
        return f"is not the number of certificates from {ends}, which is {len(serials)}" + _hint(count, len(serials), 1)

    def _stated(self, line: Line) -> int | None:
        text, digits = line.text("energy"), self._units["energy"]
        if not text or not (self.layout.round_down or self.layout.leave_empty):
            return self._number(line, "energy", digits, "inexact_energy", "is no number of whole Wh")
        found = floored(text, self.mark, digits)
        if found is None or not (found[1] or self.layout.round_down):
            self._fault(line, "inexact_energy", "energy", "is no number of whole Wh")
            return None
        self._rounds = not found[1]
        return found[0]

    def _each(self, line: Line) -> int | None:
        return self._number(line, "mwh_each", self._units["mwh_each"], "inexact_energy", "is no number of MWh")

    def _count(self, line: Line) -> int | None:
        return self._number(line, "count", 0, "unreadable_value", "is no whole number of certificates")

    def _capacity(self, line: Line) -> int | None:
        digits = self._units["capacity"]
        watts = self._number(line, "capacity", digits, "unreadable_value", "is no capacity in whole W")
        return watts or None

    def _number(self, line: Line, name: str, digits: int, code: str, what: str) -> int | None:
        text = line.text(name)
        if not text:
            return None
        value = scaled(text, self.mark, digits)
        if value is None:
            self._fault(line, code, name, what)
        return value

    def _word(self, line: Line) -> str:
        """Return the status as the list gives it.

        A list of cancellations alone need not give any: there a row is one if it says when, why or for whom.
        """
        stated = line.text("status") or line.text("transaction")
        if stated or line.has("status") or line.has("transaction"):
            return stated
        return "cancelled" if any(line.text(name) for name in ("cancelled_on", "reason", "beneficiary")) else ""

    def _meaning(self, line: Line) -> Meaning | None:
        word = self._word(line)
        column = "status" if line.has("status") or not line.has("transaction") else "transaction"
        if not word:
            self._fault(line, "null_value", column, "is empty")
            return None
        key = (word, line.text("reason"))
        if key not in self._meanings:
            self._meanings[key] = meaning_of(*key, dict(self.layout.statuses))
        meaning = self._meanings[key]
        if meaning is None:
            known = ", ".join(words[0] for words in WORDS.values())
            self._fault(line, "unknown_status", column, f"is not known; expected a word such as {known}")
        return meaning

    def _country(self, line: Line) -> str | None:
        text = line.text("country")
        return (country_of(text) or text) if text else None

    def _source(self, line: Line) -> str | None:
        energy, technology = line.text("energy_source"), line.text("technology")
        own = self.layout.technologies
        for text in (technology, energy):
            if own and normalised(text) in own:
                return own[normalised(text)]
        found: Source = source_of(energy, technology)
        column = "technology" if line.has("technology") else "energy_source"
        if found.unknown:
            where = "technology" if technology == found.unknown else "energy_source"
            self._fault(line, "unknown_source_type", where, "is no energy source or technology that is known")
        if found.clash:
            other = f"{self.sheet.header.named('energy_source')} {energy!r} means {found.clash[0]}"
            self._fault(line, "contradictory_source", column, f"means {found.clash[1]}, but {other}")
        if found.warning:
            line.fault("unknown_code", column, found.warning)
        return found.source_type

    def _device(self, line: Line) -> str | None:
        device = line.text("device_id")
        if is_shortened(device):
            self._fault(line, "unreadable_value", "device_id", "was shortened by a spreadsheet: its digits are lost")
        elif device and (fault := fault_of(device)):
            line.fault("bad_check_digit", "device_id", fault)
        return line.word("device_id")


def _own_id(line: Line) -> str:
    """Return the id of a certificate that its list gives none: its device and period."""
    period = ("device_id", "period", "start", "year", "month")
    return "-".join(filter(None, (line.text(name) for name in period)))


def _hint(stated: int, counted: int, unit: int) -> str:
    """Say what one certificate too many most often means."""
    exclusive = counted - stated == unit
    return ": if the last number is not part of the range, say `ranges: half-open` in a mapping" if exclusive else ""
