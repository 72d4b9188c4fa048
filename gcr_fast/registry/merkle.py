"""Merkle trees (RFC 6962) over an issue: a leaf is a block of one parent's intervals. `proof` checks what comes out.

Pairing level by level, with the odd last node moved up as it is, gives the very tree that the RFC describes by
splitting at the largest power of two. Leaves and nodes are hashes of 32 bytes, laid one after another.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gcr_fast.errors import UsageError
from gcr_fast.registry.pieces import PIECE_INTERVALS, little_endian, piece_count, piece_digests
from gcr_fast.registry.proof import (
    FORMAT,
    HASH_BYTES,
    LEAF_VERSION,
    block_header,
    certificate_id,
    leaf_hash,
    parent_header,
    read_time,
    root_from_path,
    time_text,
    verify_proof,
)
from gcr_fast.sha256 import digests

__all__ = ["leaf_hash", "root_from_path"]  # from `proof`, which must stand alone

Seconds = Sequence[int] | np.ndarray
EMPTY_ROOT = hashlib.sha256().digest()
_PAIR_BYTES = 2 * HASH_BYTES
_HEADER = np.dtype([("first_start_s", "<i8"), ("step_s", "<i8"), ("count", "<i8"), ("width", "u1")])
"""What `block_header` packs."""


def leaf_data(parent_id: str, first_start_s: int, step_s: int, energies: np.ndarray) -> bytes:
    """Return the bytes of a leaf: the canonical encoding of int32[n] or int64[n] Wh, as the segment stores them.

    Version 2 (uint8), length of the id (uint32), the id in UTF-8, first start and step in seconds (int64), n (int64),
    bytes of an energy (uint8), and the SHA-256 over the energies; all little-endian.
    """
    energies = little_endian(energies)
    header = block_header(first_start_s, step_s, len(energies), energies.itemsize)
    return parent_header(parent_id) + header + hashlib.sha256(energies.tobytes()).digest()


def leaf_count(hours: int) -> int:
    """Return how many leaves a parent with so many intervals has: one for each piece."""
    return piece_count(hours)


def block_leaves(ids: Sequence[str], starts_s: Seconds, steps_s: Seconds, energy: np.ndarray) -> bytes:
    """Return the leaf hashes of a block of parents, one after another: by parent, then by time.

    energy: Wh, int32 or int64 [parents, hours], hashed where it lies; starts_s, steps_s: one for each parent.
    """
    if little_endian(energy).ndim != 2 or not len(ids) == len(starts_s) == len(steps_s) == len(energy):
        raise UsageError("a block needs one id, start, step and row of energy for each parent")
    return leaves_over(ids, starts_s, steps_s, energy.shape[1], energy.itemsize, piece_digests(energy))


def leaves_over(
    ids: Sequence[str], starts_s: Seconds, steps_s: Seconds, hours: int, width: int, pieces: np.ndarray
) -> bytes:
    """Return the same from the hashes of the pieces, uint8[parents, pieces, 32], of energies of `width` bytes."""
    names = [name.encode() for name in ids]
    sizes, leaves = np.array([len(name) for name in names], np.int64), np.empty_like(pieces)
    headers = _headers(np.asarray(starts_s, np.int64), np.asarray(steps_s, np.int64), hours, width)
    for size in np.unique(sizes).tolist():  # names of one length at a time, so that all leaves are as long
        some = np.flatnonzero(sizes == size)
        before = b"\x00" + struct.pack("<BI", LEAF_VERSION, size)
        front = b"".join(before + names[at] for at in some.tolist())
        fronts = np.frombuffer(front, np.uint8).reshape(len(some), 1, len(before) + size)
        fronts = np.broadcast_to(fronts, (*pieces[some].shape[:2], fronts.shape[2]))
        leaves[some] = digests(np.concatenate([fronts, headers[some], pieces[some]], axis=2))
    return leaves.tobytes()


def _headers(starts_s: np.ndarray, steps_s: np.ndarray, hours: int, width: int) -> np.ndarray:
    """Return what tells the pieces of some parents apart, uint8[parents, pieces, header]."""
    lows = np.arange(0, hours, PIECE_INTERVALS)
    headers = np.empty((len(starts_s), len(lows)), _HEADER)
    headers["first_start_s"] = starts_s[:, None] + steps_s[:, None] * lows
    headers["step_s"], headers["width"] = steps_s[:, None], width
    headers["count"] = np.minimum(hours - lows, PIECE_INTERVALS)
    return headers[..., None].view(np.uint8)


def levels(leaves: bytes | Sequence[bytes]) -> list[bytes]:
    """Return the whole tree over leaf hashes, from the leaves to the root; each level is its nodes, joined."""
    level = leaves if isinstance(leaves, bytes) else b"".join(leaves)
    if len(level) % HASH_BYTES:
        raise UsageError(f"leaf hashes have {HASH_BYTES} bytes each; {len(level)} is no multiple")
    tree = [level]
    while len(level) > HASH_BYTES:
        level = _next_level(level)
        tree.append(level)
    return tree


def _next_level(level: bytes) -> bytes:
    paired = len(level) // _PAIR_BYTES * _PAIR_BYTES
    nodes = np.empty((paired // _PAIR_BYTES, 1 + _PAIR_BYTES), np.uint8)
    nodes[:, 0] = 1
    nodes[:, 1:] = np.frombuffer(level, np.uint8, paired).reshape(-1, _PAIR_BYTES)
    return digests(nodes).tobytes() + level[paired:]


def root(leaves: bytes | Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes; of none, SHA-256 of nothing."""
    return levels(leaves)[-1] or EMPTY_ROOT


def path(leaves: bytes | Sequence[bytes], index: int) -> list[bytes]:
    """Return the siblings that lead from leaf `index` to the root, from the leaf upwards."""
    return path_in(levels(leaves), index)


def path_in(tree: Sequence[bytes], index: int) -> list[bytes]:
    """Return the same from a tree that `levels` made: the way to ask for many."""
    size = len(tree[0]) // HASH_BYTES
    if not 0 <= index < size:
        raise UsageError(f"a tree of {size} leaves has no leaf {index}")
    siblings = ((level, (index >> height) ^ 1) for height, level in enumerate(tree))
    return [node for level, at in siblings if (node := level[at * HASH_BYTES : (at + 1) * HASH_BYTES])]


@dataclass(frozen=True)
class Proof:
    """That a certificate is part of an issue: its leaf, the way up, and the root."""

    parent_id: str
    start_s: int
    """Start of the certificate, UTC."""
    first_start_s: int
    """Start of the leaf, UTC."""
    interval_s: int
    width: int
    """Bytes of an energy in the segment."""
    energies: tuple[int, ...]
    """Wh of every interval of the leaf."""
    index: int
    size: int
    path: tuple[bytes, ...]
    root: bytes

    @property
    def energy_wh(self) -> int:
        """Energy of the certificate."""
        return self.energies[(self.start_s - self.first_start_s) // self.interval_s]

    def to_json(self) -> dict[str, Any]:
        """Return what `verify_proof` takes, ready for `json.dumps`."""
        certificate = {
            "id": certificate_id(self.parent_id, self.start_s, self.interval_s),
            "parent": self.parent_id,
            "start": time_text(self.start_s),
            "interval_s": self.interval_s,
            "energy_wh": self.energy_wh,
        }
        leaf = {
            "parent_certificate_id": self.parent_id,
            "first_start": time_text(self.first_start_s),
            "interval_s": self.interval_s,
            "width": self.width,
            "energies": list(self.energies),
        }
        return {
            "format": FORMAT,
            "certificate": certificate,
            "leaf": leaf,
            "index": self.index,
            "size": self.size,
            "path": [step.hex() for step in self.path],
            "root": self.root.hex(),
        }

    @classmethod
    def from_json(cls, proof: dict[str, Any]) -> Proof:
        """Read a proof; one that contradicts itself is a `ProofError`. Whose root it is, `verify_proof` asks."""
        verify_proof(proof)
        leaf = proof["leaf"]
        return cls(
            parent_id=leaf["parent_certificate_id"],
            start_s=read_time(proof["certificate"]["start"]),
            first_start_s=read_time(leaf["first_start"]),
            interval_s=leaf["interval_s"],
            width=leaf["width"],
            energies=tuple(leaf["energies"]),
            index=proof["index"],
            size=proof["size"],
            path=tuple(bytes.fromhex(step) for step in proof["path"]),
            root=bytes.fromhex(proof["root"]),
        )


def prove(
    tree: Sequence[bytes],
    first_leaf: int,
    parent_id: str,
    start_s: int,
    step_s: int,
    row: np.ndarray,
    interval: int,
) -> Proof:
    """Prove one certificate of an issue.

    tree: the issue's, from `levels`; first_leaf: where its parent's leaves begin; start_s: of the parent's first
    interval; row: the parent's Wh, int32[hours] or int64[hours], as stored; interval: which of them it is.
    """
    if not 0 <= interval < len(row) or row[interval] <= 0:
        raise UsageError(f"{parent_id} has no certificate for its interval {interval}")
    block = interval // PIECE_INTERVALS
    low = block * PIECE_INTERVALS
    return Proof(
        parent_id=parent_id,
        start_s=start_s + interval * step_s,
        first_start_s=start_s + low * step_s,
        interval_s=step_s,
        width=row.itemsize,
        energies=tuple(row[low : low + PIECE_INTERVALS].tolist()),
        index=first_leaf + block,
        size=len(tree[0]) // HASH_BYTES,
        path=tuple(path_in(tree, first_leaf + block)),
        root=tree[-1],
    )
