"""Check digits of the identifiers that plants have: GSRN (18 digits, GS1 mod 10) and EIC (16 characters)."""

from __future__ import annotations

import re

_GSRN = re.compile(r"^[0-9]{18}$")
_EIC = re.compile(r"^[0-9]{2}[A-Z][A-Z0-9-]{12}[A-Z0-9-]$")
_EIC_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
_SHORTENED = re.compile(r"^[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+$")


def gsrn_digit(digits: str) -> str:
    """Return the check digit of the first 17 digits of a GSRN: weights 3, 1, 3, ... from the left."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits))
    return str(-total % 10)


def eic_letter(letters: str) -> str:
    """Return the check character of the first 15 characters of an EIC: weights 16 down to 2, modulo 37."""
    total = sum(_EIC_LETTERS.index(letter) * (16 - place) for place, letter in enumerate(letters))
    return _EIC_LETTERS[36 - (total - 1) % 37]


def fault_of(device_id: str) -> str | None:
    """Say what is wrong with an identifier that has the form of a GSRN or EIC; None if nothing is, or it is neither."""
    if _GSRN.match(device_id):
        wanted = gsrn_digit(device_id[:17])
        return None if device_id[17] == wanted else f"is no GSRN: its check digit would be {wanted}"
    if _EIC.match(device_id):
        wanted = eic_letter(device_id[:15])
        return None if device_id[15] == wanted else f"is no EIC: its check character would be {wanted}"
    return None


def is_shortened(text: str) -> bool:
    """Whether a spreadsheet turned a long number into one such as 5.71313E+17: its digits are lost."""
    return bool(_SHORTENED.match(text))
