"""What the journal hands out: entries as they are stored, receipts, and its notes of snapshots and signatures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from gcr_fast.errors import CorruptError
from gcr_fast.registry.database import FILE
from gcr_fast.registry.entries import Entry, decode


class Receipt(NamedTuple):
    """An entry's number and hash. To be given out only after its transaction was committed."""

    seq: int
    hash: bytes


class Snapshot(NamedTuple):
    """A file with the state after entry `position`: a cache."""

    position: int
    name: str


class Signature(NamedTuple):
    """A signature over the head of the journal as it was at entry `seq`."""

    seq: int
    public_key: bytes
    signature: bytes
    at_s: int


@dataclass(frozen=True)
class Record:
    """An entry as it is stored."""

    seq: int
    payload: bytes
    hash: bytes

    @cached_property
    def entry(self) -> Entry:
        """The decoded entry. Raises `CorruptError`, which names it."""
        try:
            return decode(self.payload)
        except CorruptError as error:
            raise CorruptError(f"entry {self.seq} of {FILE}: {error}") from None
