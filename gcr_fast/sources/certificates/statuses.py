"""The published table of status words: what each registry's word means here.

A word is looked up in small letters, punctuation aside. One that is in no row is refused, never guessed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gcr_fast.sources.words import normalised


class Meaning(NamedTuple):
    """What a status word means."""

    status: str
    """Of `codes.ANNUAL_STATUSES`."""
    purpose: str | None
    """Of `codes.PURPOSES`, where it was cancelled."""
    reason: str
    """Why such a certificate is left out; empty if it is not."""
    told: bool = False
    """Whether the word alone says for what it was cancelled; else a reason or a beneficiary may."""


END_USE = Meaning("CANCELED", "end_use", "")
"""What is merely cancelled or retired: for end use, unless its user knows better."""
USED = END_USE._replace(told=True)
CONVERSION = Meaning("CANCELED", "conversion", "", told=True)
UNKNOWN_PURPOSE = Meaning("CANCELED", None, "")
ISSUED = Meaning("ISSUED", None, "not cancelled: still held by its owner")
ACTIVE = Meaning("ACTIVE", None, "not cancelled: still held by its owner")
TRADED = Meaning("TRADED", None, "not cancelled: transferred")
CONVERTED = Meaning("CONVERTED", None, "converted before")
EXPIRED = Meaning("EXPIRED", None, "expired: never cancelled")
WITHDRAWN = Meaning("WITHDRAWN", None, "withdrawn by its issuer")
UNDONE = Meaning("ACTIVE", None, "its cancellation was undone")

WORDS: dict[Meaning, tuple[str, ...]] = {
    END_USE: (
        "cancelled", "canceled", "cancellation", "cancel", "retired", "retirement", "entwertet", "annule", "cancelado",
    ),
    USED: (
        "redeemed", "redemption", "surrendered", "consumed", "claimed", "used", "settled", "cancelled for end use",
        "canceled for end use", "retired for end use", "cancelled for disclosure", "cancelled ex domain",
        "ex domain cancellation", "ex domain cancelled",
    ),
    CONVERSION: (
        "cancelled for conversion", "canceled for conversion", "cancelled for granular issuance",
        "cancelled for granular certificates", "cancelled for hourly certificates", "retired for conversion",
        "retired for hourly certificates", "redeemed for conversion",
    ),
    ISSUED: ("issued", "issuance", "issue", "created", "pending", "registered", "ausgestellt"),
    ACTIVE: (
        "active", "available", "valid", "live", "tradable", "tradeable", "transferable", "held", "in circulation",
        "reserved", "reserve", "locked",
    ),
    UNDONE: ("unretired", "unsettled", "uncancelled", "uncanceled"),
    TRADED: (
        "transferred", "transfer", "traded", "exported", "export", "imported", "import", "internal transfer",
        "external transfer", "sold", "assigned",
    ),
    CONVERTED: ("converted",),
    EXPIRED: ("expired", "expiry", "expiration", "lapsed", "verfallen"),
    WITHDRAWN: ("withdrawn", "withdrawal", "revoked", "invalidated", "invalid", "deleted", "reversed", "voided"),
}  # fmt: skip
"""Every status word that is read, by its meaning."""

CANCELLING = ("cancelled_on", "reason", "beneficiary")
"""Fields of which one alone tells that a certificate was cancelled, in a list without states."""
_DATED = re.compile(r"[1-9]")
_BY_WORD = {normalised(word): meaning for meaning, words in WORDS.items() for word in words}

CONVERSION_REASONS = frozenset(
    normalised(reason)
    for reason in (
        "conversion", "for conversion", "conversion to granular certificates", "conversion to hourly certificates",
        "granular certificate issuance", "issuance of granular certificates", "hourly certificate issuance",
        "granular certificates", "hourly certificates",
    )
)  # fmt: skip
"""Reasons for a cancellation that make its purpose conversion; every other reason, and none, is end use."""


def meaning_of(word: str, reason: str = "", own: dict[str, Meaning] | None = None) -> Meaning | None:
    """Return what a status word means, `own` words first; `reason` is what the list gives for a cancellation."""
    key = normalised(word)
    meaning = (own or {}).get(key) or _BY_WORD.get(key)
    if meaning in (END_USE, USED) and normalised(reason) in CONVERSION_REASONS:
        return CONVERSION
    return meaning


def tells_cancelled(cancelled_on: str, reason: str, beneficiary: str) -> bool:
    """Whether a row of a list without states says that it was cancelled: when, why or for whom.

    A date has a digit other than 0: `0000-00-00`, `No` and `pending` are none.
    """
    return bool(reason or beneficiary or (cancelled_on and _DATED.search(cancelled_on)))


def named(name: str) -> Meaning | None:
    """Return the meaning of one of our own words, as a mapping file gives them: `cancelled`, `issued`, ..."""
    return _BY_WORD.get(normalised(name))
