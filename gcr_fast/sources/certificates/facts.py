"""What the cells of a list mean, by their text alone: one cell means the same in every row."""

from __future__ import annotations

from gcr_fast.sources.certificates.amounts import floored, scaled
from gcr_fast.sources.certificates.edges import Told
from gcr_fast.sources.certificates.places import country_of
from gcr_fast.sources.certificates.production import Production
from gcr_fast.sources.certificates.sheet import Sheet
from gcr_fast.sources.certificates.sifting import Sift
from gcr_fast.sources.certificates.statuses import Meaning, meaning_of
from gcr_fast.sources.certificates.technologies import Source, source_of
from gcr_fast.sources.words import normalised

_MOST = (1 << 63) - 1


class Facts:
    """What the cells of one sheet mean."""

    def __init__(self, sheet: Sheet, zone: str | None, sift: Sift, told: Told) -> None:
        self.sheet = sheet
        self.layout = sheet.layout
        self.sift = sift
        self.mark = "."
        """The decimal mark."""
        self.production = Production(sheet, zone, told)
        self.states = any(name in sheet.header.columns for name in ("status", "transaction"))
        """Whether the list has a column that says what became of a certificate."""
        self.burnt = any(name in sheet.header.columns for name in ("energy_source", "technology"))
        """Whether it has a column that says what was burnt."""
        self._units = units_of(sheet)
        self._meanings: dict[tuple[str, str], Meaning | None] = {}

    def number(self, name: str, text: str) -> int | None:
        """Return a number in Wh, W or certificates; None if it is none, or not whole then."""
        return scaled(text, self.mark, self._units.get(name, 0))

    def energy(self, text: str) -> tuple[int, bool] | None:
        """Return Wh and whether they are exact; None if they are no number, or one that may not be rounded."""
        if not (self.layout.round_down or self.layout.leave_empty):
            exact = self.number("energy", text)
            return None if exact is None else (exact, True)
        found = floored(text, self.mark, self._units["energy"])
        return found if found is not None and (found[1] or self.layout.round_down) else None

    def capacity(self, text: str) -> int | None:
        """Return whole W; None if they are none."""
        watts = self.number("capacity", text)
        return watts if watts is not None and watts <= _MOST else None

    def meaning(self, word: str, reason: str) -> Meaning | None:
        """Return what a status word means, with the reason that stands beside it; None if it is not known."""
        key = (word, reason)
        if key not in self._meanings:
            self._meanings[key] = meaning_of(word, reason, dict(self.layout.statuses))
        return self._meanings[key]

    def source(self, energy: str, technology: str) -> Source:
        """Return what an energy source and a technology mean together, the list's own words first."""
        own = self.layout.technologies
        for text in (technology, energy):
            if own and normalised(text) in own:
                return Source(own[normalised(text)])
        return source_of(energy, technology)


def country_named(text: str) -> str | None:
    """Return the code of a country, else the text itself; None if there is none."""
    return (country_of(text) or text) if text else None


def units_of(sheet: Sheet) -> dict[str, int]:
    """Return the decimal places that make Wh or W of each field of numbers that has a unit."""
    return {
        "energy": sheet.unit_of("energy", sheet.layout.energy_digits),
        "capacity": sheet.unit_of("capacity", sheet.layout.capacity_digits),
        "mwh_each": 6,
    } | dict(sheet.layout.units)
