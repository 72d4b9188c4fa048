"""Decimal text and typed numbers <-> exact integers, a column at a time. No float ever carries energy.

A float cell stands for its shortest decimal text (0.000251 is 251 Wh, whatever its binary tail); everything then
goes through Arrow's 128-bit decimals and ends in int64.
"""

from __future__ import annotations

import re
from decimal import ROUND_FLOOR, Decimal, InvalidOperation, localcontext
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcr_fast.columns import one_array, without_nulls
from gcr_fast.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
INT64_LIMIT = 1 << 63


class Unit(NamedTuple):
    """A unit of energy, power or bare weight, as a power of ten of Wh or W."""

    name: str
    kind: str
    """`energy`, `power` or `weight`."""
    digits: int
    """Decimal places that are kept: 10 ** digits of the base unit make one."""


UNITS = {
    unit.name.lower(): unit
    for unit in (
        Unit("Wh", "energy", 0),
        Unit("kWh", "energy", 3),
        Unit("MWh", "energy", 6),
        Unit("GWh", "energy", 9),
        Unit("W", "power", 0),
        Unit("kW", "power", 3),
        Unit("MW", "power", 6),
        Unit("GW", "power", 9),
        Unit("weight", "weight", 0),
    )
}

_SUFFIX = re.compile(r"^(?P<stem>.*?)[\s_\-(\[]*(?P<unit>[kmg]?wh?)[)\]]?$", re.IGNORECASE)
_BOUNDARY = re.compile(r"(^|[\s_\-(\[])[kmg]?wh?[)\]]?$", re.IGNORECASE)


def unit_named(name: str) -> Unit:
    """Return the unit with this name, whatever its case; an unknown one is a `UsageError`."""
    unit = UNITS.get(name.strip().lower())
    if unit is None:
        raise UsageError(f"unknown unit {name!r}; there are {', '.join(u.name for u in UNITS.values())}")
    return unit


def split_unit(column: str) -> tuple[str, Unit | None]:
    """Split `solar_mwh`, `Solar [MW]` or `energy_wh` into stem and unit; no unit leaves the name whole."""
    if not _BOUNDARY.search(column):
        return column, None
    match = _SUFFIX.match(column)
    assert match is not None  # the boundary pattern is contained in it
    return match["stem"], UNITS[match["unit"].lower()]


class Parsed(NamedTuple):
    """Integers read from a column, with a mask for each way in which a cell may fail (bool[n])."""

    values: np.ndarray
    """int64[n]; 0 where a mask is set, floored where `inexact`."""
    null: np.ndarray
    unreadable: np.ndarray
    inexact: np.ndarray


def parse_scaled(column: pa.ChunkedArray | pa.Array, digits: int) -> Parsed:
    """Read a column of numbers as floor(value * 10 ** digits), exactly.

    Takes decimal text, integers, floats (by their shortest text) and decimals. Values outside int64 are unreadable.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    flat = one_array(column)
    null = flat.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_integer(flat.type) and digits == 0 and flat.type != pa.uint64():
        values = without_nulls(flat.cast(pa.int64()), 0)
        no = np.zeros(len(flat), dtype=bool)
        return Parsed(np.ascontiguousarray(values), null, no, no)
    text = pc.utf8_trim_whitespace(flat.cast(pa.string()))
    null |= pc.fill_null(pc.equal(text, ""), True).to_numpy(zero_copy_only=False)
    unreadable = ~pc.fill_null(pc.match_substring_regex(text, NUMBER), False).to_numpy(zero_copy_only=False)
    unreadable &= ~null
    text = pc.if_else(pa.array(null | unreadable), "0", text)
    fast = _parse_decimals(text, digits)
    values, outside, inexact = fast if fast is not None else _parse_one_by_one(text, digits)
    return Parsed(values, null, unreadable | outside, inexact)


def _parse_decimals(text: pa.Array, digits: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Parse with 128-bit decimals; None where the column needs more digits than they have."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        exact = text.cast(pa.decimal128(38, 18))
        floored = pc.round(exact, ndigits=digits, round_mode="down")
        inexact = pc.not_equal(exact, floored).to_numpy(zero_copy_only=False)
        words = np.frombuffer(floored.cast(pa.decimal128(38, digits)).buffers()[1], dtype=np.int64)
    except pa.ArrowInvalid:
        return None
    low, high = words[0 : 2 * len(text) : 2], words[1 : 2 * len(text) : 2]
    outside = high != (low >> 63)
    return np.where(outside, 0, low), outside, inexact


def _parse_one_by_one(text: pa.Array, digits: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same with Python's decimals, for columns with very long or very large numbers."""
    values = np.zeros(len(text), dtype=np.int64)
    outside = np.zeros(len(text), dtype=bool)
    inexact = np.zeros(len(text), dtype=bool)
    with localcontext() as context:
        context.prec = 400
        for i, cell in enumerate(text.to_pylist()):
            try:
                exact = Decimal(cell).scaleb(digits)
                whole = exact.to_integral_value(ROUND_FLOOR)
            except InvalidOperation:
                outside[i] = True
                continue
            outside[i] = not -INT64_LIMIT <= whole < INT64_LIMIT
            inexact[i] = whole != exact
            values[i] = 0 if outside[i] else int(whole)
    return values, outside, inexact


def mwh_text(energy_wh: int) -> str:
    """Return whole Wh as exact decimal MWh text: 1234567 -> "1.234567", 5000000 -> "5"."""
    sign, wh = ("-", -energy_wh) if energy_wh < 0 else ("", energy_wh)
    whole, rest = divmod(wh, 1_000_000)
    return f"{sign}{whole}" + (f".{rest:06d}".rstrip("0") if rest else "")
