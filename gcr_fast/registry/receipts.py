"""What the registry answers to a change."""

from __future__ import annotations

from dataclasses import dataclass

from gcr_fast.registry.entries import Entry


@dataclass(frozen=True)
class Receipt:
    """What was acknowledged: it is on disk."""

    entry: int
    """Its number in the journal; 0 for a dry run."""
    hash: str
    """Of the journal up to it."""
    kind: str
    certificates: int
    energy_wh: int
    price_minor: int | None = None
    total_minor: int | None = None
    currency: str = ""
    repeated: bool = False
    """Nothing was changed: the same was done before, by this entry."""

    @classmethod
    def of(cls, seq: int, digest: bytes, entry: Entry, repeated: bool = False) -> Receipt:
        """Return the receipt of an entry."""
        return cls(
            seq, digest.hex(), entry.kind, entry.certificates, entry.energy_wh,
            entry.price_minor, entry.total_minor, entry.currency, repeated,
        )  # fmt: skip
