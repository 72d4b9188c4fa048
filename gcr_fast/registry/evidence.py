"""What a registry can show for itself: an audit, proofs of single certificates, its head, signatures, exports."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gcr_fast.errors import CorruptError
from gcr_fast.registry.entries import GENESIS
from gcr_fast.registry.lock import LOCK, WriterLock
from gcr_fast.registry.questions import Questions

if TYPE_CHECKING:
    from gcr_fast.exchange.writing import Written
    from gcr_fast.registry.audit_report import AuditReport

TREES_KEPT = 4
"""Merkle trees of issues that are kept: hashing ten thousand parents anew takes part of a second."""


class Head(NamedTuple):
    """The end of the journal: its hash vouches for every entry before it."""

    registry_id: str
    entry: int
    hash: str


class Signed(NamedTuple):
    """A signature over a head, all in hex."""

    registry_id: str
    entry: int
    hash: str
    public_key: str
    signature: str
    at_s: int


class Evidence(Questions):
    """Verify, prove, sign and export: nothing here changes a certificate."""

    def verify(
        self, *, public_key: str | os.PathLike[str] | None = None, capacity_margin: str | float | None = None
    ) -> AuditReport:
        """Check everything, files, journal and columns in memory: see `audit.verify`. Writes nothing."""
        from gcr_fast.registry.audit import verify

        return verify(self, public_key=public_key, capacity_margin=capacity_margin)

    def head(self) -> Head:
        """Return the number and hash of the last entry that is committed."""
        self._require_no_group("its head")
        last = self.journal.last()
        return Head(self.journal.meta["registry_id"], last.seq, last.hash.hex())

    def prove(self, certificate: str | int) -> dict[str, Any]:
        """Return the proof that an hourly certificate was issued, ready for `json.dumps`; `proof.py` checks it.

        It leads from the certificate to the Merkle root of its issue, and from there to the hash of the journal at
        the issue's entry. Of a piece it proves the hour that was split. Raises `UsageError` for an unknown id.
        """
        from gcr_fast.registry import merkle
        from gcr_fast.registry.ids import resolve_ids

        state = self.latest()
        row = state.holding(int(resolve_ids(state, [certificate])[0]))[0]
        catalogue = state.catalogue
        parent = catalogue.one_parent_of(row)
        start_s, step_s, first_row = (
            int(catalogue.numbers[name][parent]) for name in ("start_s", "step_s", "first_row")
        )
        block = catalogue.block_of(row)
        issue = int(catalogue.numbers["issue"][parent])
        proof = merkle.prove(
            self._tree(issue), self._first_leaf(issue, parent), catalogue.ids[parent].as_py(), start_s, step_s,
            block.energy[parent - block.first_parent], row - first_row,
        )  # fmt: skip
        return proof.to_json() | {"journal": self._entry_json(issue)}

    def _first_leaf(self, issue: int, parent: int) -> int:
        """Return where a parent's leaves begin in the tree of its issue."""
        from gcr_fast.registry.merkle import leaf_count

        _, first, _ = self.state.catalogue.roots[issue]
        hours = self.state.catalogue.numbers["hours"][first:parent]
        lengths, counts = np.unique(hours, return_counts=True)
        return sum(leaf_count(length) * count for length, count in zip(lengths.tolist(), counts.tolist(), strict=True))

    def _tree(self, issue: int) -> list[bytes]:
        """Return the Merkle tree of an issue, from its segments; it must have the root that its entry names."""
        from gcr_fast.registry.merkle import levels

        trees: dict[int, list[bytes]] = vars(self).setdefault("_trees", {})
        if issue not in trees:
            tree = levels(self._leaves(issue))
            if tree[-1].hex() != self.state.catalogue.roots[issue][0]:
                raise CorruptError(
                    f"the certificates of issue {issue} are not those of its entry; verify names the file"
                )
            if len(trees) >= TREES_KEPT:
                trees.pop(next(iter(trees)))
            trees[issue] = tree
        return trees[issue]

    def _leaves(self, issue: int) -> bytes:
        from gcr_fast.parallel import ordered_map, thread_count
        from gcr_fast.registry.catalogue import Block
        from gcr_fast.registry.merkle import block_leaves

        catalogue = self.state.catalogue
        _, first, count = catalogue.roots[issue]

        def leaves(block: Block) -> bytes:
            span = slice(block.first_parent, block.first_parent + block.parents)
            starts, steps = (catalogue.numbers[name][span].tolist() for name in ("start_s", "step_s"))
            return block_leaves(catalogue.ids[span].to_pylist(), starts, steps, block.energy)

        blocks = [block for block in catalogue.blocks if first <= block.first_parent < first + count]
        return b"".join(ordered_map(leaves, blocks, thread_count(None)))

    def _entry_json(self, seq: int) -> dict[str, Any]:
        """Return an entry of the journal as a proof carries it: what hashes to the journal's hash there."""
        records = {record.seq: record for record in self.journal.entries(after=seq - 2, upto=seq)}
        previous = records[seq - 1].hash if seq > 1 else GENESIS
        record = records[seq]
        return {
            "entry": seq, "previous": previous.hex(), "payload": record.payload.hex(), "hash": record.hash.hex()
        }  # fmt: skip

    def sign(self, key: str | os.PathLike[str]) -> Signed:
        """Sign the head of the journal with an Ed25519 private key (a PEM file), and keep the signature.

        Whoever keeps the public key can tell later that no entry up to here was altered: `verify(public_key=...)`.
        """
        from gcr_fast.registry import signing

        self._require_writable()
        self._require_no_group("what to sign")
        private = signing.load_private(key)
        with WriterLock(self.folder / LOCK, self._lock_timeout_s):
            head, at_s = self.head(), self.now()
            text = signing.message(head.registry_id, head.entry, bytes.fromhex(head.hash), at_s)
            public, signature = signing.public_hex(private), signing.sign(private, text)
            self.journal.add_signature(head.entry, bytes.fromhex(public), signature, at_s)
        return Signed(*head, public, signature.hex(), at_s)

    def export(self, what: str, path: str | os.PathLike[str], **filters: Any) -> Written:
        """Write certificates, parents, trades or journal as .parquet, .arrow or .csv: see `exporting.export`."""
        from gcr_fast.registry.exporting import export

        return export(self, what, path, **filters)
