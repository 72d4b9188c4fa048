"""Totals for which a share comes as close to a whole number as it can: where rounding would go wrong."""

from math import gcd

from gcr_fast.codes import MAX_PARENT_WH


def hard_totals(weight, whole):
    """Return totals T up to the limit with T * weight = r modulo whole, for r from -9 to 9."""
    common = gcd(weight, whole)
    weight, whole = weight // common, whole // common
    inverse = pow(weight, -1, whole)
    found = {rest * inverse % whole for rest in range(-9, 10)}
    return sorted(total for total in found if total <= MAX_PARENT_WH)
