"""The slow twin of `units`: one cell at a time, in fractions."""

from fractions import Fraction
from math import floor


def scaled(text, digits):
    """Return (floor of the number times 10^digits, whether digits were lost); None outside 64 bits."""
    exact = Fraction(text.strip()) * 10**digits
    whole = floor(exact)
    return (whole, whole != exact) if -(2**63) <= whole < 2**63 else None


def mwh(text):
    """Return the whole Wh of decimal MWh text, by moving the point."""
    before, _, after = text.partition(".")
    return int(before + after.ljust(6, "0"))
