"""Decimal text of certificate lists -> exact integers, whichever of comma and point is the decimal mark."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import ROUND_FLOOR, Context, Decimal, localcontext
from functools import lru_cache

_TELLING = (
    r"^[0-9]*{0}(?:[0-9]{{1,2}}|[0-9]{{4,}})$|^(?:0|[0-9]{{4,}}){0}[0-9]{{3}}$"
    r"|^[0-9]{{1,3}}(?:{1}[0-9]{{3}})+(?:{0}[0-9]+|{1}[0-9]{{3}})$"
)
_COMMA, _POINT = re.compile(_TELLING.format(",", r"\.")), re.compile(_TELLING.format(r"\.", ","))
_GROUPED = {
    ".": re.compile(r"^[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?$"),
    ",": re.compile(r"^[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]*)?$"),
}
_SET_APART = re.compile(r"^-?\s?[0-9]{1,3}(?:(?:\s[0-9]{3})+|(?:'[0-9]{3})+|(?:’[0-9]{3})+)(?:[.,][0-9]*)?$")
"""Thousands by blanks or, as in Switzerland, by apostrophes, which tells nothing of the decimal mark."""
_BETWEEN = re.compile(r"[\s'’]")
_UNSURE = re.compile(r"^-?(?!0[.,])[0-9]{1,3}[.,][0-9]{3}$")
_PLAIN = re.compile(r"^(?:[0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})$")


def decimal_marks(cells: Iterable[str]) -> set[str]:
    """Return the decimal marks that these numbers must have; empty if none of them tells (`1.234` does not)."""
    distinct = set(map(_joined, cells))
    return {mark for mark, shape in ((",", _COMMA), (".", _POINT)) if any(shape.match(cell) for cell in distinct)}


def unsure_numbers(cells: Iterable[str]) -> list[str]:
    """Return the numbers, each once, that are a thousand times as much by the one decimal mark as by the other."""
    return [cell for cell in dict.fromkeys(cells) if _UNSURE.match(_joined(cell))]


def floored(text: str, mark: str, digits: int) -> tuple[int, bool] | None:
    """Return floor(number * 10 ** digits) and whether that is exact; None if it is no number. A sign may stand before.

    A tail that a float has left (5.3100000000000005) is part of the number: it is rounded down with the rest.
    """
    cell = _joined(text)
    exact = _decimal(cell.removeprefix("-"), mark, digits)
    if exact is None:
        return None
    signed = -exact if cell.startswith("-") else exact
    whole = signed.to_integral_value(ROUND_FLOOR)
    return int(whole), whole == signed


@lru_cache(maxsize=1 << 12)
def scaled(text: str, mark: str, digits: int) -> int | None:
    """Return a number times 10 ** digits; None if it is none, is negative, or is not whole then.

    Thousands may be set apart by the other mark, by blanks or by apostrophes.
    """
    if len(text) <= 18 and text.isascii() and text.isdigit():
        return int(text) * int(10**digits)
    exact = _decimal(_joined(text), mark, digits)
    if exact is None:
        return None
    whole = exact.to_integral_value()
    return int(whole) if whole == exact else None


def _joined(text: str) -> str:
    """Return a number without blanks and apostrophes between its thousands; anywhere else they are no part of one."""
    cell = text.strip()
    return _BETWEEN.sub("", cell) if _SET_APART.match(cell) else cell


def _decimal(cell: str, mark: str, digits: int) -> Decimal | None:
    """Return a number without sign or blanks times 10 ** digits, exactly; None if it is none."""
    if _GROUPED[mark].match(cell):
        cell = cell.replace("," if mark == "." else ".", "")
    elif mark == "," and "." in cell:
        return None
    cell = cell.replace(",", ".") if mark == "," else cell
    if not _PLAIN.match(cell):
        return None
    with localcontext(Context(prec=60)):
        return Decimal(cell).scaleb(digits)
