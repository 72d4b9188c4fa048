"""The energies of a segment in pieces: up to 1,024 intervals of one parent, hashed once.

A segment's name and the leaves of its issue's Merkle tree both rest on the hashes of its pieces, so each byte of energy
is hashed a single time, by whoever writes it and by whoever checks it.
"""

from __future__ import annotations

import numpy as np

from gcr_fast.errors import UsageError
from gcr_fast.sha256 import DIGEST_BYTES, digests

PIECE_INTERVALS = 1024
"""Most intervals in a piece: the larger, the fewer hashes for an issue; the smaller, the shorter a proof (4 kB)."""


def piece_count(hours: int) -> int:
    """Return how many pieces a parent with so many intervals has."""
    return -(-hours // PIECE_INTERVALS)


def piece_digests(energy: np.ndarray) -> np.ndarray:
    """Return the SHA-256 of each piece, uint8[parents, pieces, 32].

    energy: Wh, int32 or int64 [parents, hours], hashed where it lies: little-endian, in the width that it has.
    """
    energy = little_endian(energy)
    parents, hours = energy.shape
    size, full = PIECE_INTERVALS * energy.itemsize, hours // PIECE_INTERVALS
    rows = np.ascontiguousarray(energy).reshape(-1).view(np.uint8).reshape(parents, hours * energy.itemsize)
    found = np.empty((parents, piece_count(hours), DIGEST_BYTES), np.uint8)
    found[:, :full] = digests(rows[:, : full * size].reshape(parents, full, size))
    if full < piece_count(hours):
        found[:, full] = digests(rows[:, full * size :])
    return found


def little_endian(energy: np.ndarray) -> np.ndarray:
    """Return int32 or int64 in the order of bytes that is hashed; anything else is refused."""
    if energy.dtype.kind != "i" or energy.itemsize not in (4, 8):
        raise UsageError(f"energy is int32 or int64, not {energy.dtype}")
    return energy.astype(energy.dtype.newbyteorder("<"), copy=False)
