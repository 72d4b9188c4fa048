"""Who writes: requests are checked, appended in groups, made durable by one fsync, and then acknowledged."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property

import numpy as np

from gcr_fast.errors import GcrError, RegistryError, UsageError
from gcr_fast.findings import Findings
from gcr_fast.registry.changes import Deadline, Request, prepare, same
from gcr_fast.registry.entries import Entry
from gcr_fast.registry.journal import Transaction
from gcr_fast.registry.keeper import Keeper
from gcr_fast.registry.lock import LOCK, WriterLock
from gcr_fast.registry.receipts import Receipt
from gcr_fast.registry.records import Record


class Writer(Keeper):
    """A registry that can be changed, unless it was opened for reading only."""

    @cached_property
    def deadline(self) -> Deadline:
        """The registry's deadlines, as its first entry has them."""
        said = dict(next(self.journal.entries(kinds=("create",))).entry.texts)
        return Deadline(*(int(said[key]) if key in said else None for key in ("transfer_months", "expiry_months")))

    # --- groups

    @contextmanager
    def group(self) -> Iterator[Transaction]:
        """Make the changes of a block durable together, by one fsync: many small ones are far faster so.

        A change that is refused raises in the block, and may be caught there: the others are not concerned. Receipts
        count once the block has been left; if it is left by an exception, none of its changes was made.
        """
        self._require_writable()
        if self._transaction is not None:
            raise UsageError("groups do not nest")
        with WriterLock(self.folder / LOCK, self._lock_timeout_s):
            try:
                with self.journal.transaction() as self._transaction:
                    self.refresh()
                    before = self.state.position
                    yield self._transaction
                    if self._torn:
                        raise RegistryError("an entry was not taken in whole, so nothing of its group is kept")
            except BaseException:
                if self._torn or self.state.position != self._committed():
                    self._restore()
                raise
            finally:
                self._transaction = None
            if self.state.position != before:
                with contextlib.suppress(GcrError):  # the changes are durable: an error would have them made again
                    self._look_after()

    @contextmanager
    def series(self) -> Iterator[None]:
        """Make many groups one after another: a snapshot, if it is time for one, is left once they are done."""
        self._in_series = True
        try:
            yield
        finally:
            self._in_series = False
        with contextlib.suppress(GcrError), WriterLock(self.folder / LOCK, 0.0):
            self._look_after()

    def _committed(self) -> int:
        try:
            return self.journal.position
        except RegistryError:
            return -1

    @contextmanager
    def _changing(self) -> Iterator[Transaction]:
        """Be in a group: the one that is under way, or one of its own."""
        if self._transaction is not None:
            yield self._transaction
            return
        with self.group() as transaction:
            yield transaction

    def _append(self, transaction: Transaction, entry: Entry, by_month: np.ndarray | None = None) -> Receipt:
        receipt = transaction.append(entry)
        self._take_in(receipt.seq, entry, by_month)
        return Receipt.of(receipt.seq, receipt.hash, entry)

    # --- changes

    def change(self, request: Request, *, create_parties: bool = False, dry_run: bool = False) -> Receipt:
        """Check a request and carry it out. Used by every kind of change, and by `bulk`."""
        self._require_writable()
        with self._changing() as transaction:
            repeat = self._repeated(request)
            if repeat is not None:
                return repeat
            entry, _ = prepare(self.state, request, self.deadline, new_buyer=create_parties)
            if dry_run:
                return Receipt.of(0, b"", entry)
            if request.to_party and entry.to_party > len(self.state.catalogue.parties.words):
                self.add_party(request.to_party, actor=request.actor)
            return self._append(transaction, entry)

    def _repeated(self, request: Request) -> Receipt | None:
        """Return the receipt of the entry that has this key already."""
        seq = self.journal.find_key(request.key) if request.key else None
        if seq is None:
            return None
        record = next(self.journal.entries(after=seq - 1, upto=seq))
        findings = Findings()
        if not same(self.state, request, record.entry):
            key_reused(request.key, record, findings)
        findings.check()
        return Receipt.of(seq, record.hash, record.entry, repeated=True)

    def add_party(self, name: str, *, actor: str = "") -> Receipt:
        """Add a party that may hold certificates; an existing one is left as it is."""
        if not isinstance(name, str) or not name.strip():
            raise UsageError(f"a party needs a name, not {name!r}")
        with self._changing() as transaction:
            if self.state.catalogue.party_code(name):
                return self._first_of("party", lambda entry: dict(entry.texts)["name"] == name)
            return self._append(transaction, Entry("party", self.now(), actor, texts=(("name", name),)))

    def _first_of(self, kind: str, fits: Callable[[Entry], bool]) -> Receipt:
        """Return the receipt of an earlier entry, as a repetition."""
        record = next(r for r in self.journal.entries(kinds=(kind,)) if fits(r.entry))
        return Receipt.of(record.seq, record.hash, record.entry, repeated=True)


def key_reused(key: str, record: Record, findings: Findings) -> None:
    """Note that a key is another entry's."""
    what = f"key {key!r} was used by entry {record.seq}, another {record.entry.kind}"
    findings.add("key_reused", what, value=key)
