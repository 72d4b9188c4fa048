"""What happened, as canonical bytes: one encoding of each entry of the journal, and the hash chain over them.

An encoded entry is, with every number a little-endian int64:

    version u8 | kind u8 | which prices are present u8 | five zero bytes
    at_s, from_party, to_party, certificates, energy_wh, price_minor, total_minor      an absent price is 0
    how many runs and splits; bytes of actor, key and currency; how many texts
    runs | splits                                                                      pairs, on a multiple of 8 bytes
    actor | key | currency                                                             UTF-8
    per text: bytes of its name, bytes of its value, name, value                       names ascending, each once
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.errors import CorruptError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = (
    "create",
    "party",
    "issue",
    "trade",
    "reserve",
    "release",
    "lock",
    "unlock",
    "retire",
    "claim",
    "expire",
    "withdraw",
)
"""Every kind of entry. Append-only: a kind's position is its code on disk."""

KIND_CODES = {kind: code for code, kind in enumerate(KINDS)}

ENCODING = 1
GENESIS = bytes(32)
"""What the first entry's hash is chained to."""

NO_PAIRS: NDArray[np.int64] = np.zeros((0, 2), np.int64)
NO_PAIRS.flags.writeable = False

_HEAD = struct.Struct("<BBB5x13q")
_TEXT = struct.Struct("<2q")
_SEQ = struct.Struct("<q")
_PAIRS = np.dtype("<i8")
_PAIR_BYTES = 16
_ZEROS = bytes(5)
_CHAIN = hashlib.sha256(b"gcr-journal-1")


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One thing that happened. Two entries are equal if their bytes are; parties count from 1, and 0 is none."""

    kind: str
    at_s: int
    """When, in UTC seconds."""
    actor: str = ""
    key: str = ""
    """The idempotency key; empty if there is none."""
    from_party: int = 0
    to_party: int = 0
    certificates: int = 0
    energy_wh: int = 0
    price_minor: int | None = None
    """Minor units of `currency` per MWh. 0 is a price, None is not."""
    total_minor: int | None = None
    currency: str = ""
    texts: tuple[tuple[str, str], ...] = ()
    """(name, value) pairs by ascending name, each name once: beneficiary, purpose, reference, hashes."""
    runs: NDArray[np.int64] = field(default_factory=lambda: NO_PAIRS)
    """int64[k, 2]: first handle and count of each run; counts are above 0."""
    splits: NDArray[np.int64] = field(default_factory=lambda: NO_PAIRS)
    """int64[m, 2]: a handle, and the Wh of its first child."""

    def __eq__(self, other: object) -> bool:
        return encode(self) == encode(other) if isinstance(other, Entry) else NotImplemented

    def __hash__(self) -> int:
        return hash(encode(self))


def encode(entry: Entry) -> bytes:
    """Return an entry's bytes. Raises `UsageError` for an entry that none can be: it would not be read back."""
    try:
        return _encode(entry)
    except KeyError:
        raise UsageError(f"unknown kind of entry {entry.kind!r}; there are {', '.join(KINDS)}") from None
    except (struct.error, TypeError, AttributeError, UnicodeEncodeError) as error:
        raise UsageError(f"this {entry.kind} entry cannot be written down: {error}") from None


def _encode(entry: Entry) -> bytes:
    actor, key, currency = entry.actor.encode(), entry.key.encode(), entry.currency.encode()
    price, total = entry.price_minor, entry.total_minor
    if entry.from_party | entry.to_party | entry.certificates | entry.energy_wh < 0:  # one sign bit is enough
        raise UsageError(f"this {entry.kind} entry has a party, count or energy below 0")
    head = _HEAD.pack(
        ENCODING,
        KIND_CODES[entry.kind],
        (price is not None) | (total is not None) << 1,
        entry.at_s,
        entry.from_party,
        entry.to_party,
        entry.certificates,
        entry.energy_wh,
        0 if price is None else price,
        0 if total is None else total,
        len(entry.runs),
        len(entry.splits),
        len(actor),
        len(key),
        len(currency),
        len(entry.texts),
    )
    runs, splits = _pair_bytes(entry.runs, "runs"), _pair_bytes(entry.splits, "splits")
    if _lowest_count(entry.runs) <= 0:
        raise UsageError(f"this {entry.kind} entry has a run of no rows")
    return b"".join((head, runs, splits, actor, key, currency, *_text_bytes(entry.texts)))


def _pair_bytes(pairs: NDArray[np.int64], what: str) -> bytes:
    if pairs is NO_PAIRS:
        return b""
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise UsageError(f"{what} must be int64[n, 2], not of shape {pairs.shape}")
    # another byte order is turned; anything else, such as a float, is refused
    return pairs.tobytes() if pairs.dtype == _PAIRS else pairs.astype(_PAIRS, casting="equiv").tobytes()


def _lowest_count(runs: NDArray[np.int64]) -> int:
    """Return the smallest count, 1 if there are no runs. Most entries have one run, for which a reduction is slow."""
    if len(runs) > 1:
        return int(runs[:, 1].min())
    return int(runs.item(1)) if len(runs) else 1


def _text_bytes(texts: tuple[tuple[str, str], ...]) -> list[bytes]:
    parts: list[bytes] = []
    before: str | None = None
    for name, value in texts:
        if before is not None and name <= before:
            raise UsageError(f"the texts of an entry stand by name, each once: {name!r} follows {before!r}")
        name_bytes, value_bytes, before = name.encode(), value.encode(), name
        parts += (_TEXT.pack(len(name_bytes), len(value_bytes)), name_bytes, value_bytes)
    return parts


def decode(payload: bytes) -> Entry:
    """Return the entry that has these bytes. Raises `CorruptError` for bytes that `encode` never makes."""
    try:
        entry, end = _decode(payload)
    except (struct.error, UnicodeDecodeError, ValueError) as error:
        raise CorruptError(f"not an entry: {error}") from None
    if end != len(payload):
        raise CorruptError(f"not an entry: {len(payload)} bytes, of which {end} belong to it")
    return entry


def _decode(payload: bytes) -> tuple[Entry, int]:
    head = _HEAD.unpack_from(payload)
    _check_head(head, payload)
    run_count, split_count, actor_size, key_size, currency_size, text_count = head[10:]
    splits_at = _HEAD.size + run_count * _PAIR_BYTES
    actor_at = splits_at + split_count * _PAIR_BYTES
    key_at = actor_at + actor_size
    currency_at = key_at + key_size
    texts_at = currency_at + currency_size
    if texts_at + text_count * _TEXT.size > len(payload):
        raise CorruptError("not an entry: cut short")
    runs = _pairs(payload, _HEAD.size, run_count)
    if _lowest_count(runs) <= 0:
        raise CorruptError("not an entry: a run of no rows")
    texts, end = _texts(payload, texts_at, text_count) if text_count else ((), texts_at)
    actor, key = str(payload[actor_at:key_at], "utf-8"), str(payload[key_at:currency_at], "utf-8")
    price, total = head[8] if head[2] & 1 else None, head[9] if head[2] & 2 else None
    currency = str(payload[currency_at:texts_at], "utf-8")
    splits = _pairs(payload, splits_at, split_count)
    who_what = head[4], head[5], head[6], head[7]
    return Entry(KINDS[head[1]], head[3], actor, key, *who_what, price, total, currency, texts, runs, splits), end


def _check_head(head: tuple[int, ...], payload: bytes) -> None:
    """Raise for what no entry has, so that two different heads never mean the same."""
    version, kind, present, price, total = head[0], head[1], head[2], head[8], head[9]
    if version != ENCODING or kind >= len(KINDS) or present > 3 or payload[3:8] != _ZEROS:
        raise CorruptError("not an entry: another encoding, an unknown kind, or marks that no entry has")
    if (price and not present & 1) or (total and not present & 2):
        raise CorruptError("not an entry: a price where none is said to be")
    if min(head[4:8]) < 0 or min(head[10:]) < 0:
        raise CorruptError("not an entry: a party, an amount or a size below 0")


def _pairs(payload: bytes, start: int, count: int) -> NDArray[np.int64]:
    """Return `count` pairs as a read-only view on the payload."""
    return np.ndarray((count, 2), _PAIRS, payload, start) if count else NO_PAIRS


def _texts(payload: bytes, at: int, count: int) -> tuple[tuple[tuple[str, str], ...], int]:
    """Read the texts; return them, and where they end."""
    texts: list[tuple[str, str]] = []
    for _ in range(count):
        name_size, value_size = _TEXT.unpack_from(payload, at)
        value_at = at + _TEXT.size + name_size
        end = value_at + value_size
        if name_size < 0 or value_size < 0 or end > len(payload):
            raise CorruptError("not an entry: a text that is cut short")
        name = str(payload[at + _TEXT.size : value_at], "utf-8")
        if texts and name <= texts[-1][0]:
            raise CorruptError("not an entry: texts out of order")
        texts.append((name, str(payload[value_at:end], "utf-8")))
        at = end
    return tuple(texts), at


def chain_hash(previous: bytes, seq: int, payload: bytes) -> bytes:
    """Return the hash of entry `seq`: SHA-256 over a fixed prefix, its number, the hash before it and its bytes."""
    chain = _CHAIN.copy()  # the prefix is taken in already
    chain.update(_SEQ.pack(seq) + previous + payload)
    return chain.digest()
