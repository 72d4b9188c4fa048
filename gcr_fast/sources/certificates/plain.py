"""Rows with which nothing is wrong, a block at a time: each cell that repeats is looked up once, and sums are arrays.

What is read here is what `rows` would read. A row that has, or may have, a fault, a warning or a reason to be left out
is odd: it is left to that reader, which knows how to say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

import numpy as np

from gcr_fast.codes import MAX_PARENT_WH
from gcr_fast.errors import UsageError
from gcr_fast.sources.certificates.cutting import Cutter, Ranges
from gcr_fast.sources.certificates.facts import Facts, country_named
from gcr_fast.sources.certificates.held import NONE, Batch, Meanings, Said
from gcr_fast.sources.certificates.identifiers import fault_of, is_shortened
from gcr_fast.sources.certificates.production import Wrong
from gcr_fast.sources.certificates.rows import TELLING, own_id
from gcr_fast.sources.certificates.serials import Serial
from gcr_fast.sources.certificates.sheet import Block
from gcr_fast.sources.certificates.statuses import CANCELLING, tells_cancelled

_MANY = 1 << 13
_ODD = -2
"""Stands for what is left to the reader of single rows."""


class Plain(NamedTuple):
    """A block as far as it is plain."""

    batch: Batch
    odd: np.ndarray
    """bool[n]: rows that are to be read one by one."""
    outside: np.ndarray
    """bool[n]: plain rows of another year than the one to keep."""
    rounded: np.ndarray
    """bool[n]: rows whose energy is no whole number of Wh."""


class PlainReader:
    """Reads blocks of one sheet. What cells mean is told by codes of `meanings`."""

    def __init__(self, facts: Facts, meanings: Meanings) -> None:
        self.facts = facts
        self.layout = facts.layout
        self.meanings = meanings
        self._cutter = Cutter(self.layout.serial, self.layout.half_open)
        self._outside: set[int] = set()
        """Codes of periods that are not within the year to keep."""
        self._known: dict[Callable[..., int], Callable[..., int]] = {}

    def read(self, block: Block) -> Plain:
        """Read all rows; in odd ones stands anything."""
        text, serials = block.text, self._cutter.ranges(block.text("first"), block.text("last"))
        low, high = (np.array(numbers, dtype=np.int64) for numbers in (serials.low, serials.high))
        numbers = {
            "line": np.array(block.numbers),
            "energy_wh": self._energies(block, low, high),
            "capacity_w": self._each(self._capacity, text("capacity")),
            "low": low,
            "high": high,
            "told": (low != NONE) | np.array(list(map(bool, text("id")))),
            "placed": self._periods(block, serials),
            "source_type": self._sources(block),
            "said": self._each(self._meaning, self._words_of(block), text("reason")),
        }
        odd = (low == NONE) & ~self._needs_none(block)
        named = (self._each(self._device, text("device_id")), self._each(self._identity, text("id")))
        for found in (*numbers.values(), *named):
            odd |= found == _ODD
        odd |= self._contradicted(block, numbers["said"])
        outside = np.isin(numbers["placed"], list(self._outside)) & ~odd
        odd[np.flatnonzero(outside)[:1]] = True  # so that the reason is told in its turn
        batch = Batch(numbers, self._texts(block, serials, numbers["said"]))
        return Plain(batch, odd, outside & ~odd, self._rounded(block))

    def _each(self, find: Callable[..., int], *columns: Iterable[object]) -> np.ndarray:
        """Return int64[n]: what `find` makes of the cells of each row, remembering those that repeat."""
        if find not in self._known:
            self._known[find] = lru_cache(_MANY)(find)
        found: np.ndarray = np.array(list(map(self._known[find], *columns)), dtype=np.int64)
        return found

    def _needs_none(self, block: Block) -> np.ndarray:
        """bool[n]: rows that have no serial numbers, and something else that tells them apart."""
        cells = zip(*map(block.text, ("first", "last", "id", "device_id")), strict=True)
        numbered = self.facts.sheet.numbered
        return np.array(
            [not (first or last) and bool(given or (device and not numbered)) for first, last, given, device in cells]
        )

    def _device(self, text: str) -> int:
        return _ODD if is_shortened(text) or fault_of(text) else 0

    def _identity(self, text: str) -> int:
        return _ODD if is_shortened(text) else 0

    # --- energy

    def _amount(self, name: str, text: str) -> int:
        value = self.facts.number(name, text) if text else NONE
        return _ODD if value is None or value > MAX_PARENT_WH else value

    def _stated(self, text: str) -> int:
        if not text:
            return NONE
        found = self.facts.energy(text)
        return found[0] if found and 0 <= found[0] <= MAX_PARENT_WH else _ODD

    def _capacity(self, text: str) -> int:
        watts = self.facts.capacity(text) if text else 0
        return _ODD if watts is None else watts

    def _energies(self, block: Block, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Return Wh int64[n], where the cells of a row agree on them and with its serial numbers."""
        stated = self._each(self._stated, block.text("energy"))
        each, count = (self._each(self._amount, repeat(name), block.text(name)) for name in ("mwh_each", "count"))
        size, unit = np.where(low == NONE, NONE, high - low + 1), self.layout.wh_each
        quantity = np.where(
            (each != NONE) & (count != NONE), count, size if unit else np.where(each == NONE, NONE, size)
        )
        per = np.where(each == NONE, unit, each)
        counted = _times(quantity, per)
        alone = np.where(low == NONE, _times(count, per), NONE) if unit else np.full(len(low), NONE)
        odd = np.minimum(np.minimum(stated, each), count) == _ODD
        odd |= _differ(stated, counted) | _differ(stated, alone)
        if unit:
            odd |= _differ(count, size)
        energy = np.where(stated != NONE, stated, np.where(counted != NONE, counted, alone))
        return np.where(odd | (energy <= 0) | (energy > MAX_PARENT_WH), _ODD, energy)

    def _rounded(self, block: Block) -> np.ndarray:
        if not self.layout.round_down:
            return np.zeros(len(block), dtype=bool)
        return self._each(self._rounds, block.text("energy")) > 0

    def _rounds(self, text: str) -> int:
        found = self.facts.energy(text) if text else None
        return int(found is not None and not found[1])

    # --- what it is, when and where

    def _words_of(self, block: Block) -> Sequence[str]:
        """Return the status words, as `rows` finds them."""
        words = [one or other for one, other in zip(block.text("status"), block.text("transaction"), strict=True)]
        if self.facts.states:
            return words
        cells = zip(*map(block.text, CANCELLING), strict=True)
        return [
            word or ("cancelled" if tells_cancelled(*said) else "") for word, said in zip(words, cells, strict=True)
        ]

    def _meaning(self, word: str, reason: str) -> int:
        meaning = self.facts.meaning(word, reason) if word else None
        return _ODD if meaning is None else self.meanings.said[Said(word, meaning)]

    def _contradicted(self, block: Block, said: np.ndarray) -> np.ndarray:
        """bool[n]: rows that tell another purpose than the one that their user gives."""
        if self.facts.sift.purpose is None:
            return np.zeros(len(block), dtype=bool)
        meanings = [one.meaning for one in self.meanings.said]
        cells = zip(said.tolist(), *map(block.text, TELLING), strict=True)
        contradicted = self.facts.sift.contradicted
        return np.array([code != _ODD and bool(contradicted(meanings[code], *told)) for code, *told in cells])

    def _sources(self, block: Block) -> np.ndarray:
        devices = block.text("device_id") if self.facts.sift.units else repeat("")
        return self._each(self._source, block.text("energy_source"), block.text("technology"), devices)

    def _source(self, energy: str, technology: str, device: str) -> int:
        found = self.facts.source(energy, technology)
        source, unmapped = self.facts.sift.source(found.source_type, device or None)
        said = found.unknown or found.clash or found.warning or found.alone
        unsaid = source is None and self.facts.burnt
        odd = said or unsaid or unmapped or source in self.layout.leave_sources
        return _ODD if odd else self.meanings.source_type[source]

    def _periods(self, block: Block, serials: Ranges) -> np.ndarray:
        texts = zip(*map(block.text, self.facts.production.names), strict=True)
        suffixes = serials.suffixes if self.layout.dated else repeat(None)
        return self._each(self._placed, texts, block.text("zone"), block.text("country"), suffixes)

    def _placed(self, texts: tuple[str, ...], zone: str, country: str, suffix: str | None) -> int:
        production = self.facts.production
        found = production.span(texts)
        if suffix is not None and production.mismatch(found, Serial("", "", 0, suffix)):
            return _ODD
        placed = production.place(found, zone, country_named(country))
        if isinstance(placed, Wrong):
            return _ODD
        try:
            other = self.facts.sift.other_year(placed.period, placed.zone)
        except UsageError:  # an unknown zone: said where the row is read
            return _ODD
        if other and other != self.facts.sift.not_of_year:
            return _ODD
        code = self.meanings.placed[placed]
        self._outside |= {code} if other else set()
        return code

    def _texts(self, block: Block, serials: Ranges, said: np.ndarray) -> dict[str, list[str | None]]:
        canceled = {code for one, code in self.meanings.said.items() if one.meaning.status == "CANCELED"}
        beneficiaries = zip(block.text("beneficiary"), said.tolist(), strict=True)
        ids = enumerate(zip(serials.ids, block.text("id"), strict=True))
        return {
            "certificate_id": [whole or given or own_id(block.line(at)) for at, (whole, given) in ids],
            "prefix": list(serials.prefixes),
            "beneficiary": [cell or None if code in canceled else None for cell, code in beneficiaries],
            "owner": [cell or None for cell in block.text("owner")],
            "device_id": [cell or None for cell in block.text("device_id")],
            "country": [country_named(cell) for cell in block.text("country")],
            "issuer": [cell or None for cell in block.text("issuer")],
        }


def _times(quantity: np.ndarray, per: np.ndarray) -> np.ndarray:
    """Return products int64[n]: `NONE` where there is no quantity, odd where one is above what a certificate may be."""
    large = quantity.astype(np.float64) * per > MAX_PARENT_WH
    return np.where(quantity == NONE, NONE, np.where(large, _ODD, quantity * np.where(large, 0, per)))


def _differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """bool[n]: where both are there and are not the same."""
    differing: np.ndarray = (one != NONE) & (other != NONE) & (one != other)
    return differing
