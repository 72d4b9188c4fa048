"""One row of a list -> a certificate, or what is wrong with it: every fault at its cell."""

from __future__ import annotations

from typing import Any

from gcr_fast.codes import MAX_PARENT_WH
from gcr_fast.sources.certificates.facts import Facts, country_named
from gcr_fast.sources.certificates.held import NONE, Certificate, Said
from gcr_fast.sources.certificates.identifiers import fault_of, is_shortened
from gcr_fast.sources.certificates.marks import range_of
from gcr_fast.sources.certificates.production import Placed, Wrong, code_of
from gcr_fast.sources.certificates.serials import Range, SerialError
from gcr_fast.sources.certificates.sheet import Line
from gcr_fast.sources.certificates.sifting import unwanted
from gcr_fast.sources.certificates.statuses import CANCELLING, WORDS, Meaning, tells_cancelled

TELLING = ("reason", "beneficiary", "consumption")
"""What tells for what a certificate was cancelled, beside its status."""
INCLUSIVE = "give the first and the last day of production, both inclusive, or the month"
COUNTED = "check both; if a certificate is not of 1 MWh, say what it is of: `wh_each` in a mapping, 0 if it varies"
SHORTENED = "was shortened by a spreadsheet: its digits are lost"
NO_STATUS = "has no column, and neither a date, a reason nor a beneficiary says that it was cancelled"
STATUS_HINT = (
    "name the column of the status by a mapping (--mapping); or, if all rows are cancelled, say so there: "
    "constants: {status: cancelled}; rows that are not cancelled are to be removed"
)


class RowReader:
    """Reads rows of one sheet one by one."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.sheet = facts.sheet
        self.layout = facts.layout
        self.rounded = 0
        """Certificates whose energy is no whole number of Wh."""
        self._rounds = False
        self.failed = False
        """Whether something in the row at hand is wrong."""

    def certificate(self, line: Line) -> Certificate | None:
        """Read one row; None if something in it is wrong, which is then among the findings."""
        self.failed = self._rounds = False
        serials = self._serials(line)
        energy = self._energy(line, serials)
        meaning = self._meaning(line)
        country = country_named(line.text("country"))
        placed = self._placed(line, country, serials)
        device, capacity = self._device(line), self._capacity(line)
        source, unmapped = self.facts.sift.source(self._source(line), device)
        if self.failed or energy is None or meaning is None or placed is None:
            return None
        other = self.facts.sift.other_year(placed.period, placed.zone)
        reason = other or unmapped or unwanted(self.layout, energy, source)
        if reason:
            self._leave(line, reason, named=reason != self.facts.sift.not_of_year)
            return None
        if self._contradicts(line, meaning):
            return None
        if source is None and self.facts.burnt and meaning.status == "CANCELED":
            self._warn_unsaid(line)
        self.rounded += self._rounds
        return Certificate(
            line=line.number,
            energy_wh=energy,
            capacity_w=capacity or 0,
            low=serials.first.number if serials else NONE,
            high=serials.last.number if serials else NONE,
            told=serials is not None or bool(line.text("id")),
            placed=placed,
            source_type=source,
            said=Said(self._word(line), meaning),
            certificate_id=serials.text if serials else line.text("id") or own_id(line),
            prefix=serials.prefix if serials else None,
            beneficiary=line.text("beneficiary") or None if meaning.status == "CANCELED" else None,
            owner=line.text("owner") or None,
            device_id=device,
            country=country,
            issuer=line.text("issuer") or None,
        )

    def _leave(self, line: Line, reason: str, named: bool) -> None:
        """Account for a row that is left out, by name unless there are whole years of them."""
        self.sheet.dropped[reason] += 1
        if named:
            identity = line.text("first") or line.text("id") or line.text("device_id")
            where = {"file": self.sheet.file.name, "line": line.number, "certificate_id": identity}
            self.sheet.findings.add("left_out", f"{identity}: {reason}", value=line.text("energy") or None, **where)

    def _fault(self, line: Line, code: str, name: str, what: str, **more: Any) -> None:
        self.failed = True
        line.fault(code, name, what, **more)

    def _serials(self, line: Line) -> Range | None:
        if is_shortened(line.text("id")):
            self._fault(line, "unreadable_value", "id", SHORTENED)
        first, last = line.text("first"), line.text("last")
        if not first:
            if last:
                self._fault(line, "null_value", "first", "is empty")
            elif not line.text("id") and (self.sheet.numbered or not line.text("device_id")):
                wanted = next(filter(line.has, ("first", "id")), "device_id")
                self._fault(line, "null_value", wanted, "is empty")
            return None
        try:
            return range_of(line)
        except SerialError as fault:
            self._fault(line, "bad_serial", "last" if last and not fault.first else "first", str(fault))
            return None

    def _energy(self, line: Line, serials: Range | None) -> int | None:
        """Return the Wh that the row states, having compared it with its serial numbers."""
        stated = self._stated(line)
        counted = len(serials) * self.layout.wh_each if serials and self.layout.wh_each else None
        each = self._number(line, "mwh_each", "inexact_energy", "is no number of MWh")
        count = self._number(line, "count", "unreadable_value", "is no whole number of certificates")
        if serials and count is not None and self.layout.wh_each and count != len(serials):
            self._fault(line, "count_mismatch", "count", _off(count, serials))
        if each is not None:
            quantity = count if count is not None else len(serials) if serials else None
            counted = quantity * each if quantity is not None else None
        if counted is None and each is None and count is not None and not serials and self.layout.wh_each:
            counted = count * self.layout.wh_each
        if stated is not None and counted is not None and stated != counted and not self.failed:
            self._contradict(line, serials, stated, counted, each or self.layout.wh_each)
        return self._sound(line, stated if stated is not None else counted)

    def _contradict(self, line: Line, serials: Range | None, stated: int, counted: int, each: int) -> None:
        """Report an energy that serial numbers, or a number of certificates, contradict."""
        if serials is None:
            what = f"is {stated} Wh, but {line.text('count')} certificates of {each} Wh are {counted} Wh"
            self._fault(line, "count_mismatch", "energy", what, hint=COUNTED)
            return
        what = f"is {stated} Wh, but the serial numbers {serials.text} stand for {counted} Wh"
        self._fault(line, "count_mismatch", "energy", what + _hint(stated, counted, each))

    def _sound(self, line: Line, energy: int | None) -> int | None:
        if energy is None and not self.failed:
            self._fault(line, "null_value", "energy" if line.has("energy") else "count", "is empty")
        if energy is not None and not self.failed and energy <= 0 and not self.layout.leave_empty:
            self._fault(line, "non_positive_energy", "energy" if line.has("energy") else "count", "must be above 0")
        if energy is not None and energy > MAX_PARENT_WH:
            self._fault(line, "energy_over_limit", "energy", "is above the exact limit of 2^51 Wh")
        return energy

    def _stated(self, line: Line) -> int | None:
        text = line.text("energy")
        if not text:
            return None
        found = self.facts.energy(text)
        if found is None:
            self._fault(line, "inexact_energy", "energy", "is no number of whole Wh")
            return None
        self._rounds = not found[1]
        return found[0]

    def _number(self, line: Line, name: str, code: str, what: str) -> int | None:
        text = line.text(name)
        if not text:
            return None
        value = self.facts.number(name, text)
        if value is None:
            self._fault(line, code, name, what)
        return value

    def _capacity(self, line: Line) -> int | None:
        text = line.text("capacity")
        watts = self.facts.capacity(text) if text else 0
        if watts is None:
            self._fault(line, "unreadable_value", "capacity", "is no capacity in whole W")
        return watts

    def _word(self, line: Line) -> str:
        """Return the status as the list gives it.

        A list of cancellations alone need not give any: there a row is one if it says when, why or for whom.
        """
        stated = line.text("status") or line.text("transaction")
        if stated or self.facts.states:
            return stated
        return "cancelled" if tells_cancelled(*map(line.text, CANCELLING)) else ""

    def _meaning(self, line: Line) -> Meaning | None:
        word = self._word(line)
        column = "status" if line.has("status") or not line.has("transaction") else "transaction"
        if not word and self.facts.states:
            self._fault(line, "null_value", column, "is empty")
            return None
        if not word:
            self._fault(line, "null_value", column, NO_STATUS, hint=STATUS_HINT, column=None)
            return None
        meaning = self.facts.meaning(word, line.text("reason"))
        if meaning is None:
            known = ", ".join(words[0] for words in WORDS.values())
            self._fault(line, "unknown_status", column, f"is not known; expected a word such as {known}")
        return meaning

    def _contradicts(self, line: Line, meaning: Meaning) -> bool:
        """Report a row that tells another purpose than the one that its user gives."""
        field = self.facts.sift.contradicted(meaning, *map(line.text, TELLING))
        if field:
            column = "transaction" if field == "status" and not line.has("status") else field
            asked = str(self.facts.sift.purpose).replace("_", " ")
            told = "conversion" if meaning.purpose == "conversion" else "end use"
            self._fault(
                line, "contradictory_purpose", column, f"tells that it was cancelled for {told}, not for {asked}"
            )
        return bool(field)

    def _placed(self, line: Line, country: str | None, serials: Range | None) -> Placed | None:
        """Return the period of production, having compared it with the one within the row's serial numbers."""
        production = self.facts.production
        found = production.span(tuple(line.text(name) for name in production.names))
        if serials is not None and (what := production.mismatch(found, serials.first)):
            self._fault(line, "period_mismatch", production.column, what)
        placed = production.place(found, line.text("zone"), country)
        if isinstance(placed, Wrong):
            code = code_of(placed.what, placed=not isinstance(found, Wrong))
            hint = INCLUSIVE if code == "bad_period" else ""
            self._fault(line, code, placed.field, placed.what, hint=hint)
            return None
        return placed

    def _source(self, line: Line) -> str | None:
        energy, technology = line.text("energy_source"), line.text("technology")
        found = self.facts.source(energy, technology)
        column = "technology" if line.has("technology") else "energy_source"
        if found.unknown:
            where = "technology" if technology == found.unknown else "energy_source"
            self._fault(line, "unknown_source_type", where, "is no energy source or technology that is known")
        if found.clash:
            other = f"{self.sheet.header.named('energy_source')} {energy!r} means {found.clash[0]}"
            self._fault(line, "contradictory_source", column, f"means {found.clash[1]}, but {other}")
        if found.warning:
            line.fault("unknown_code", column, found.warning)
        if found.alone:
            line.fault("unknown_technology", "technology", "is not known: the energy source alone tells")
        return found.source_type

    def _warn_unsaid(self, line: Line) -> None:
        """Warn of a row that does not tell what was burnt, in a list that does: hours get what their profile is of."""
        names = [name for name in ("energy_source", "technology") if line.has(name)]
        said = next(filter(line.text, names), None)
        what = "tells no source type" if said else "is empty"
        line.fault("source_missing", said or names[0], f"{what}: it is the one of the profile, or `other`")

    def _device(self, line: Line) -> str | None:
        device = line.text("device_id")
        if is_shortened(device):
            self._fault(line, "unreadable_value", "device_id", SHORTENED)
        elif device and (fault := fault_of(device)):
            line.fault("bad_check_digit", "device_id", fault)
        return device or None


OWN_ID = ("device_id", "period", "start", "year", "month")
"""What makes the id of a certificate that its list gives none."""


def own_id(line: Line) -> str:
    """Return the id of a certificate that its list gives none: its device and period."""
    return "-".join(filter(None, (line.text(name) for name in OWN_ID)))


def _off(count: int, serials: Range) -> str:
    ends = f"{serials.first.text} to {serials.last.text}"
    return f"is not the number of certificates from {ends}, which is {len(serials)}" + _hint(count, len(serials), 1)


def _hint(stated: int, counted: int, unit: int) -> str:
    """Say what one certificate too many most often means."""
    exclusive = counted - stated == unit
    return ": if the last number is not part of the range, say `ranges: half-open` in a mapping" if exclusive else ""
