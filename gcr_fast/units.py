"""Decimal text and typed numbers <-> exact integers, a column at a time. No float ever carries energy.

A float cell stands for its shortest decimal text (0.000251 is 251 Wh, whatever its binary tail); everything then
goes through Arrow's 128-bit decimals and ends in int64.
"""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MIN_EMIN, ROUND_FLOOR, Context, Decimal, InvalidOperation, localcontext
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from gcr_fast.columns import as_text, one_array, without_nulls
from gcr_fast.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
INT64_LIMIT = 1 << 63
INT64_DIGITS = 19
SAFE_FLOAT = 1e18
"""Below this a number fits int64 and 128-bit decimals whatever its float rounding."""


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
    """int64[n]; 0 where null or unreadable, floored where inexact, the nearest int64 where outside."""
    null: np.ndarray
    unreadable: np.ndarray
    """No number, or `outside`."""
    inexact: np.ndarray
    outside: np.ndarray
    """A number beyond 64 bits."""


def parse_scaled(column: pa.ChunkedArray | pa.Array, digits: int) -> Parsed:
    """Read a column of numbers as floor(value * 10 ** digits), exactly.

    Takes decimal text, integers, floats (by their shortest text) and decimals. Values outside int64 are unreadable.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    flat = one_array(column)
    no = np.zeros(len(flat), dtype=bool)
    null = flat.is_null().to_numpy(zero_copy_only=False) if flat.null_count else no
    if pa.types.is_integer(flat.type) and digits == 0 and flat.type != pa.uint64():
        values = without_nulls(flat.cast(pa.int64()), 0)
        return Parsed(np.ascontiguousarray(values), null, no, no, no)
    text = pc.utf8_trim_whitespace(as_text(flat))
    null = null | pc.fill_null(pc.equal(text, ""), True).to_numpy(zero_copy_only=False)
    unreadable = ~pc.fill_null(pc.match_substring_regex(text, NUMBER), False).to_numpy(zero_copy_only=False)
    unreadable &= ~null
    text = pc.if_else(pa.array(null | unreadable), "0", text)
    values, outside, inexact = _parse_text(text, digits)
    return Parsed(values, null, unreadable | outside, inexact, outside)


Scaled: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]
"""int64[n] floors, bool[n] outside int64, bool[n] not a whole number."""


def _parse_text(text: pa.Array, digits: int) -> Scaled:
    """Parse plain decimals together; large ones and powers of ten one by one, as Arrow lets their overflow pass."""
    import pyarrow as pa
    import pyarrow.compute as pc

    large = np.abs(text.cast(pa.float64()).to_numpy()) >= SAFE_FLOAT / 10**digits
    odd = large | pc.match_substring(text, "e", ignore_case=True).to_numpy(zero_copy_only=False)
    scaled = _parse_decimals(pc.if_else(pa.array(odd), "0", text), digits)
    if scaled is None:
        return _parse_one_by_one(text, digits)
    rows = np.flatnonzero(odd)
    if len(rows):
        few = _parse_one_by_one(text.take(pa.array(rows)), digits)
        for whole, part in zip(scaled, few, strict=True):
            whole[rows] = part
    return scaled


def _parse_decimals(text: pa.Array, digits: int) -> Scaled | None:
    """Parse with 128-bit decimals; None where the column needs more digits than they have."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        exact = text.cast(pa.decimal128(38, 18))
        floored = pc.round(exact, ndigits=digits, round_mode="down")
        inexact = np.array(pc.not_equal(exact, floored))
        words = np.frombuffer(floored.cast(pa.decimal128(38, digits)).buffers()[1], dtype=np.int64)
    except pa.ArrowInvalid:
        return None
    return words[0 : 2 * len(text) : 2].copy(), np.zeros(len(text), dtype=bool), inexact


def _parse_one_by_one(text: pa.Array, digits: int) -> Scaled:
    """The same with Python's decimals, for columns with very long or very large numbers."""
    values = np.zeros(len(text), dtype=np.int64)
    outside = np.zeros(len(text), dtype=bool)
    inexact = np.zeros(len(text), dtype=bool)
    for i, cell in enumerate(text.to_pylist()):
        whole, inexact[i] = _floor(cell, digits)
        outside[i] = not -INT64_LIMIT <= whole < INT64_LIMIT
        values[i] = min(max(whole, -INT64_LIMIT), INT64_LIMIT - 1)
    return values, outside, inexact


def _floor(cell: str, digits: int) -> tuple[int, bool]:
    """Return floor(value * 10 ** digits), cut off far outside int64, and whether the value was not whole."""
    with localcontext(Context(prec=len(cell) + 40, Emax=MAX_EMAX, Emin=MIN_EMIN)):
        try:
            exact = Decimal(cell)
        except InvalidOperation:  # an exponent that no decimal can have
            mantissa, _, power = cell.lower().partition("e")
            below = -1 if mantissa.strip().startswith("-") else 0
            return (below, True) if power.startswith("-") else (INT64_LIMIT * (2 * below + 1) * 2, False)
        if not exact:
            return 0, False
        if exact.adjusted() + digits > INT64_DIGITS:
            return (INT64_LIMIT if exact > 0 else -INT64_LIMIT) * 2, False
        if exact.adjusted() + digits < 0:
            return (0 if exact > 0 else -1), True
        scaled = exact.scaleb(digits)
        whole = scaled.to_integral_value(ROUND_FLOOR)
        return int(whole), whole != scaled


def floor_floats(values: np.ndarray, digits: int) -> np.ndarray:
    """Return floor(value * 10 ** digits) int64[n] of float64[n], each standing for its shortest decimal text.

    Exact for |value * 10 ** digits| < 2^51: the nearest integer r is the floor unless the float lies below the float
    nearest to r / 10 ** digits, and floats keep the order of the decimals that they stand for.
    """
    scale = float(10**digits)
    nearest = np.rint(values * scale)
    nearest -= values < nearest / scale
    whole: np.ndarray = nearest.astype(np.int64)
    return whole


def mwh_text(energy_wh: int) -> str:
    """Return whole Wh as exact decimal MWh text: 1234567 -> "1.234567", 5000000 -> "5"."""
    sign, wh = ("-", -energy_wh) if energy_wh < 0 else ("", energy_wh)
    whole, rest = divmod(wh, 1_000_000)
    return f"{sign}{whole}" + (f".{rest:06d}".rstrip("0") if rest else "")
