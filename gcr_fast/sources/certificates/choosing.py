"""Several columns for one thing: which of them is read, or why that cannot be known."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from gcr_fast.sources.certificates.amounts import scaled
from gcr_fast.sources.certificates.facts import country_named
from gcr_fast.sources.certificates.layout import Layout
from gcr_fast.sources.certificates.serials import canonical
from gcr_fast.sources.certificates.sheet import SHOWN_VALUE, Sheet
from gcr_fast.sources.certificates.statuses import meaning_of
from gcr_fast.sources.certificates.technologies import source_of
from gcr_fast.sources.files import refuse
from gcr_fast.sources.words import normalised
from gcr_fast.units import split_unit

DESCRIBING = frozenset({"device_id", "device", "capacity", "country", "issuer", "owner", "cancelled_on", "reason"})
"""Fields of which one column may be preferred, whatever it is called."""
DOUBTFUL = frozenset({"status", "transaction", "energy_source", "technology"})
"""Fields in which two columns that contradict each other leave it open what was certified, or whether it is spent."""
_NUMBERS = ("energy", "capacity", "count", "mwh_each")
_UNITLESS = 6
"""Decimal places of a number whose column names no unit: the same in both columns."""


class _Pair(NamedTuple):
    """Two columns of one field."""

    field: str
    at: int
    other: int
    digits: tuple[int, int]
    """Decimal places that make whole units of the numbers of each."""


class _Difference(NamedTuple):
    """Where both columns first say something else."""

    line: int
    values: tuple[str, str]


def choose_columns(sheet: Sheet) -> None:
    """Settle which column each field is read from, by all rows; refused where two differ in what matters.

    Columns that agree are one. Of others the format's own name goes before any synonym, and of what only describes the
    better known synonym; a note says so. Empty cells are filled from the other column, so that a beneficiary is not
    overlooked.
    """
    pairs = list(_pairs(sheet))
    if not pairs:
        return
    found = _differences(sheet, pairs)
    for pair in pairs:
        if pair in found:
            _settle(sheet, pair, found[pair])
    sheet.fills = [(pair.at, pair.other) for pair in pairs if pair.digits[0] == pair.digits[1]]


def _pairs(sheet: Sheet) -> Iterator[_Pair]:
    header = sheet.header
    for field, others in header.also.items():
        at = header.columns[field]
        for other in others:
            yield _Pair(field, at, other, (_digits(header.names[at]), _digits(header.names[other])))


def _digits(name: str) -> int:
    unit = split_unit(name)[1]
    return unit.digits if unit else _UNITLESS


def _differences(sheet: Sheet, pairs: list[_Pair]) -> dict[_Pair, _Difference]:
    found: dict[_Pair, _Difference] = {}
    for block in sheet.blocks():
        for number, cells in zip(block.numbers, block.rows, strict=True):
            for pair in pairs:
                values = (cells[pair.at], cells[pair.other])
                if pair not in found and all(values) and not _same(pair.field, values, pair.digits):
                    found[pair] = _Difference(number, values)
    return found


@lru_cache(maxsize=1 << 13)
def _same(field: str, values: tuple[str, str], digits: tuple[int, int]) -> bool:
    """Whether two cells mean the same. A word that means nothing contradicts none."""
    one, other = values
    if canonical(one) == canonical(other) and digits[0] == digits[1]:
        return True
    if field in ("status", "transaction"):
        meanings = [meaning_of(text) for text in (one, other)]
        return None in meanings or meanings[0] == meanings[1]
    if field in ("energy_source", "technology"):
        sources = [source_of(text, "").source_type for text in (one, other)]
        return None in sources or sources[0] == sources[1]
    if field == "country":
        return country_named(one) == country_named(other)
    if field in _NUMBERS:
        both = [(scaled(one, mark, digits[0]), scaled(other, mark, digits[1])) for mark in ".,"]
        return any(first is not None and first == last for first, last in both)
    return False


def _settle(sheet: Sheet, pair: _Pair, found: _Difference) -> None:
    """Note which of two columns that differ is read, or refuse the file."""
    name, other = (sheet.header.names[at] for at in (pair.at, pair.other))
    one, two = (value[:SHOWN_VALUE] for value in found.values)
    where = f"differ on line {found.line}: {one!r} and {two!r}"
    said = f"columns {name} and {other} both stand for {pair.field}, and {where}"
    if not _is_preferred(sheet.layout, pair.field, _plain(name), _plain(other)):
        place = {"line": found.line, "column": name, "hint": "keep the right one, or name it in a mapping (--mapping)"}
        refuse(sheet.file, f"cannot be read, as its {said}", "ambiguous_column", **place)
    what = f"{sheet.file.path.name}: {said}; {name} is read, and the other one where it is empty"
    sheet.findings.add("reading_note", what, file=sheet.file.name, line=found.line, column=name)


def _is_preferred(layout: Layout, field: str, name: str, other: str) -> bool:
    """Whether one of two names of a field that differ in what they hold goes before the other."""
    own = name == _plain(layout.fields[field][0])
    return name != other and field not in DOUBTFUL and (own or field in DESCRIBING)


def _plain(name: str) -> str:
    """Return the name of a column as it is compared: without its unit."""
    return normalised(split_unit(name)[0])
