"""The registry: one folder, no server. Everything that changes it goes through its journal; everything else reads.

A change is checked, appended, committed (one fsync) and then acknowledged. Any number of processes may read while one
writes; a second writer waits for the lock.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from gcr_fast.annual import annual_from
from gcr_fast.errors import CorruptError, GcrError, ReadOnlyError, RegistryError, UsageError
from gcr_fast.findings import Findings
from gcr_fast.processor import Conversion, convert
from gcr_fast.profiles import profiles_from
from gcr_fast.registry import issuing, segments, snapshots, staging
from gcr_fast.registry.catalogue import SEGMENTS, Catalogue
from gcr_fast.registry.changes import Deadline, Request, prepare, same
from gcr_fast.registry.entries import GENESIS, Entry, chain_hash
from gcr_fast.registry.evidence import Evidence
from gcr_fast.registry.journal import Journal, Transaction
from gcr_fast.registry.lock import WriterLock
from gcr_fast.registry.operations import Operations
from gcr_fast.registry.questions import Questions
from gcr_fast.registry.receipts import Receipt
from gcr_fast.registry.records import Record
from gcr_fast.registry.results import Result, WholeParent
from gcr_fast.registry.selection import Selection
from gcr_fast.registry.state import State
from gcr_fast.registry.where import Where
from gcr_fast.shapes import Profiles

LOCK = "writer.lock"
SNAPSHOT_EVERY = 10_000
"""Entries after which the next writer leaves a snapshot."""
ENTRY_US, KERNELS_US = 50, 400_000
"""What an opening takes to replay an entry, and to load the kernels, which only entries of several rows need."""
LEAVE_US, ROWS_PER_US = 3_000, 100
"""What a snapshot takes, and how many rows of touched parents it saves in a microsecond."""
SNAPSHOTS_KEPT = 2
"""The newest, and one more in case it is damaged."""
LOG_BYTES = 64 << 20
"""Size of SQLite's log from which it is folded into the main file."""


class Registry(Operations, Evidence, Questions):
    """`Registry.create(path)` or `Registry.open(path)`; close it, or use it as a context manager."""

    def __init__(self, folder: Path, journal: Journal, lock_timeout_s: float, clock: Callable[[], float]) -> None:
        self.folder = folder
        self.journal = journal
        self.clock = clock
        self._lock_timeout_s = lock_timeout_s
        self._transaction: Transaction | None = None
        self._snapshot_at = 0
        self._in_series = False
        self._torn = False
        self.state = self._rebuilt()

    # --- opening and closing

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        *,
        name: str = "",
        transfer_months: int | None = None,
        expiry_months: int | None = None,
        lock_timeout_s: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Make an empty registry in a new or empty folder and open it.

        `transfer_months` and `expiry_months` after production, certificates may no longer be traded, and expire
        (12 and 18 in EECS); None is never. `clock` gives UTC seconds.
        """
        folder = Path(path)
        for value, what in ((transfer_months, "transfer_months"), (expiry_months, "expiry_months")):
            if value is not None and value < 1:
                raise UsageError(f"{what} must be 1 or more, not {value}")
        Journal.require_none(folder)  # before anything is written, the lock's signature too
        _make_folders(folder)
        policy = {"transfer_months": transfer_months, "expiry_months": expiry_months}
        texts = {"name": name, "registry_id": secrets.token_hex(16)}
        texts |= {key: str(value) for key, value in policy.items() if value is not None}
        with WriterLock(folder / LOCK, lock_timeout_s):
            first = Entry("create", int(clock()), texts=tuple(sorted(texts.items())))
            Journal.create(folder, texts, first).close()
        return cls.open(folder, lock_timeout_s=lock_timeout_s, clock=clock)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        read_only: bool = False,
        *,
        lock_timeout_s: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Open a registry; a reader sees what is committed, and more of it after `refresh`."""
        folder = Path(path)
        journal = Journal.open(folder, read_only)
        try:
            registry = cls(folder, journal, lock_timeout_s, clock)
            if not read_only:
                registry._sweep()
        except BaseException:
            journal.close()
            raise
        return registry

    def close(self) -> None:
        """Leave a snapshot if it is worth it, fold the log, and close in any case."""
        try:
            if not self.journal.read_only:
                with contextlib.suppress(GcrError):
                    self._leave_tidy()
        finally:
            self.journal.close()

    def _leave_tidy(self) -> None:
        """Leave a snapshot, or at least all entries in the main file, unless another writer is at work."""
        worth_it = self._worth_a_snapshot()
        if worth_it or self.journal.log_bytes:
            with WriterLock(self.folder / LOCK, 0.0):
                if worth_it:
                    self._leave_snapshot()
                else:
                    self.journal.checkpoint()

    def _worth_a_snapshot(self) -> bool:
        """Whether replaying what came since the last one would take the next opening longer than leaving one takes."""
        newest = next(iter(self.journal.snapshots()), None)
        if newest is not None and newest.position > self._snapshot_at:  # another writer's, or one that was passed over
            return segments.check(self.folder / snapshots.SNAPSHOTS, newest.name) is not None
        touched = np.fromiter(self.state.touched, np.int64, len(self.state.touched))
        rows = int(self.state.catalogue.numbers["hours"][touched].sum())
        leave_us = LEAVE_US + rows // ROWS_PER_US
        if (self.state.position - self._snapshot_at) * ENTRY_US >= leave_us:
            return True
        later = self.journal.entries(after=self._snapshot_at, upto=self.state.position)
        return leave_us <= KERNELS_US and any(_needs_kernels(record.entry) for record in later)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def read_only(self) -> bool:
        """Whether nothing can be changed through this object."""
        return self.journal.read_only

    @property
    def info(self) -> dict[str, str]:
        """What was said of the registry when it was made: name, id, format, deadlines."""
        return self.journal.meta

    @cached_property
    def deadline(self) -> Deadline:
        """The registry's deadlines, as its first entry has them."""
        said = dict(next(self.journal.entries(kinds=("create",))).entry.texts)
        return Deadline(*(int(said[key]) if key in said else None for key in ("transfer_months", "expiry_months")))

    @property
    def position(self) -> int:
        """The last entry that this object has taken in."""
        return self.state.position

    def refresh(self) -> Self:
        """Take in what others have committed since; of an entry that cannot be read, nothing is taken in."""
        if self._torn:
            self._restore()
        try:
            for record in self._sound(self.journal.entries(after=self.state.position)):
                self._take_in(record.seq, record.entry)
        except BaseException:
            if self._torn:
                self._restore(self.state.position)
            raise
        return self

    def _take_in(self, seq: int, entry: Entry, by_month: np.ndarray | None = None) -> None:
        self._torn = True  # until the entry is taken in whole, nothing may be committed
        self.state.apply(seq, entry, by_month)
        self._torn = False

    def _restore(self, upto: int | None = None) -> None:
        """Compute the state anew; should that fail, whoever needs it next tries again."""
        self._torn = True
        self.state = self._rebuilt(upto)
        self._torn = False

    def _sound(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield entries whose hashes follow from their bytes; one that does not is a `CorruptError`."""
        seq, head = 0, GENESIS
        for record in records:
            if record.seq != seq + 1:
                before = next(self.journal.entries(after=record.seq - 2, upto=record.seq - 1), None)
                head = GENESIS if before is None else before.hash
            if chain_hash(head, record.seq, record.payload) != record.hash:
                what = f"entry {record.seq} of {self.journal.path} is not as it was written; restore it from a copy"
                raise CorruptError(what)
            seq, head = record.seq, record.hash
            yield record

    def as_of(self, position: int) -> State:
        """Return the state after a past entry, computed anew."""
        if not isinstance(position, int) or not 0 < position <= self.state.position:
            raise UsageError(f"the journal has entries 1 to {self.state.position}, not {position!r}")
        return self._rebuilt(position)

    def _rebuilt(self, upto: int | None = None) -> State:
        """Return the state at a position: from the newest snapshot before it that is sound, then by replay."""
        last = self.journal.position if upto is None else upto
        for snapshot in self.journal.snapshots():
            if snapshot.position <= last:
                with contextlib.suppress(CorruptError):
                    state = self._loaded(snapshot.position, snapshot.name)
                    self._snapshot_at = max(self._snapshot_at, snapshot.position)
                    return self._replayed(state, last)
        return self._replayed(State(Catalogue(self.folder)), last)

    def _loaded(self, position: int, name: str) -> State:
        state = State(Catalogue(self.folder))
        for record in self._sound(self.journal.entries(upto=position, kinds=("party", "issue"))):
            if record.entry.kind == "issue":
                state.adopt(record.seq, record.entry)
            else:
                state.apply(record.seq, record.entry)
        snapshots.load(state, self.folder, name)
        return state

    def _replayed(self, state: State, last: int) -> State:
        for record in self._sound(self.journal.entries(after=state.position, upto=last)):
            state.apply(record.seq, record.entry)
        return state

    def _leave_snapshot(self) -> None:
        """Save the state; the caller holds the lock. All snapshots but the newest `SNAPSHOTS_KEPT` are dropped."""
        self.refresh()
        name = snapshots.save(self.state, self.folder)
        self.journal.add_snapshot(self.state.position, name)
        self._snapshot_at = self.state.position
        for old in self.journal.snapshots()[SNAPSHOTS_KEPT:]:
            self.journal.drop_snapshot(old.name)
        segments.sweep(self.folder / snapshots.SNAPSHOTS, {kept.name for kept in self.journal.snapshots()})
        self.journal.checkpoint()

    def snapshot(self) -> None:
        """Save the state, so that the next opening is quick. Not within a group, which is not committed yet."""
        self._require_writable()
        self._require_no_group("what a snapshot saves")
        with WriterLock(self.folder / LOCK, self._lock_timeout_s):
            self._leave_snapshot()

    def _sweep(self) -> None:
        """Remove what a killed process left; not while another writes, and if it cannot be, another time."""
        with contextlib.suppress(GcrError), WriterLock(self.folder / LOCK, 0.0):
            self.refresh()
            self._clean()

    def _clean(self) -> None:
        """Remove files that no entry names; the lock is held."""
        known = {block.name for block in self.state.catalogue.blocks}
        known |= {dict(r.entry.texts)["parents"] for r in self.journal.entries(kinds=("issue",))}
        segments.sweep(self.folder / SEGMENTS, known)
        snapshots.make_folder(self.folder)
        kept = {snapshot.name for snapshot in self.journal.snapshots()}
        segments.sweep(self.folder / snapshots.SNAPSHOTS, kept)

    # --- changing

    def _require_writable(self) -> None:
        if self.read_only:
            raise ReadOnlyError(f"{self.folder} was opened for reading only")

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

    def _look_after(self) -> None:
        """Fold the log and leave a snapshot when it is time; the lock is held."""
        if self.state.position - self._snapshot_at >= SNAPSHOT_EVERY and not self._in_series:
            self._leave_snapshot()
        elif self.journal.log_bytes > LOG_BYTES:
            self.journal.checkpoint(truncate=False)

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

    def now(self) -> int:
        """UTC seconds, as the registry's clock has them."""
        return int(self.clock())

    def latest(self) -> State:
        """Return the state with everything that is committed."""
        return self.state if self._transaction is not None else self.refresh().state

    def expiry_months(self) -> int | None:
        """Return the registry's deadline for expiry."""
        return self.deadline.expiry_months

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

    def issue(
        self,
        annual: Any,
        profiles: Any = None,
        *,
        create_parties: bool = False,
        actor: str = "",
        key: str = "",
        dry_run: bool = False,
        progress: Callable[[int], None] | None = None,
        **options: Any,
    ) -> Receipt:
        """Issue the hours of a `Conversion`, or of annual certificates and profiles (`options` as for `convert`).

        As a whole or not at all: `RefusedError` lists every reason. What was issued before, exactly so, is left as it
        is. Owners that are no parties are refused, or with `create_parties` added. `progress` is
        called with the number of certificates just stored.
        """
        self._require_writable()
        made = (annual, None) if isinstance(annual, Conversion) else self._converted(annual, profiles, options)
        conversion, meters = made
        with self._changing() as transaction:
            owners = issuing.owners_of(conversion)
            strict = [] if create_parties else owners
            findings = issuing.refusals(conversion, self.state.catalogue, strict, meters)
            repeat = self._same_issue(conversion, owners) if _all_known(conversion, self.state.catalogue) else None
            self._check_key(key, repeat, findings)
            if repeat is not None:
                return repeat
            findings.check()
            if dry_run:
                totals = conversion.report.totals
                return Receipt(0, "", "issue", totals["nonzero_hours"], totals["issued_wh"])
            staged = staging.stage(conversion, self.folder, owners, self.now(), actor, key, progress)
            for name in dict.fromkeys(owners):
                self.add_party(name, actor=actor)
            return self._append(transaction, staged.entry, staged.by_month)

    def _converted(self, annual: Any, profiles: Any, options: Mapping[str, Any]) -> tuple[Conversion, Profiles]:
        """Convert with what earlier issues have left of meters; return the profiles as they were metered, too."""
        if profiles is None:
            raise UsageError("issue takes a Conversion, or annual certificates and profiles")
        certificates = annual_from(annual, strict=False)
        self.refresh()
        given, catalogue = profiles_from(profiles, strict=False), self.state.catalogue
        allowed = options.get("allow_estimated", False)
        shapes = issuing.remaining(catalogue, certificates, given, options.get("profile"), allowed)
        return convert(certificates, shapes, **options), given

    def _same_issue(self, conversion: Conversion, owners: list[str]) -> Receipt | None:
        """Return the receipt of the entry that issued exactly this, None if it was something else."""
        content = staging.stage(conversion, self.folder, owners, 0, "", "").content
        for record in self.journal.entries(kinds=("issue",)):
            if dict(record.entry.texts)["content"] == content:
                return Receipt.of(record.seq, record.hash, record.entry, repeated=True)
        self._clean()
        return None

    def _check_key(self, key: str, repeat: Receipt | None, findings: Findings) -> None:
        """A key that another entry has cannot be this issue's."""
        seq = self.journal.find_key(key) if key else None
        if seq is not None and (repeat is None or repeat.entry != seq):
            _key_reused(key, next(self.journal.entries(after=seq - 1, upto=seq)), findings)
            findings.check()

    def change(self, request: Request, *, create_parties: bool = False, dry_run: bool = False) -> Receipt:
        """Check a request and carry it out. Used by every kind of change, and by `trading`."""
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
            _key_reused(request.key, record, findings)
        findings.check()
        return Receipt.of(seq, record.hash, record.entry, repeated=True)

    # --- asking

    def query(
        self, *, as_of: int | None = None, limit: int | None = None, after: int | None = None, **filters: Any
    ) -> Result:
        """Find certificates: all filters of `Where` combine. Ordered by parent and time, then piece.

        `as_of` asks the state after a past entry; `limit` and `after` (the `cursor` of the result before) page.
        """
        state = self.state if as_of is None else self.as_of(as_of)
        name = filters.get("parent")
        if len(filters) == 1 and limit is None and after is None and name.__class__ is str:
            parent = state.catalogue.place_of.get(name)
            if parent is not None:
                return WholeParent(state, parent, name)
        return Result(state, Selection(state, Where.of(filters)), limit, after)


def _make_folders(folder: Path) -> None:
    """Make a registry's folders so that they stay: a name is on disk once the folder that it stands in is synced."""
    fresh = [each for each in folder.parents if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SEGMENTS).mkdir(exist_ok=True)
        (folder / snapshots.SNAPSHOTS).mkdir(exist_ok=True)
    except OSError as error:
        raise RegistryError(f"cannot make {folder}: {error.strerror}") from error
    for each in (folder, *fresh):
        if os.access(each.parent, os.R_OK):  # else it cannot be opened, and so not be synced
            segments.sync_folder(each.parent)


def _needs_kernels(entry: Entry) -> bool:
    """Whether replaying an entry takes more than looking up one row."""
    return entry.kind == "issue" or len(entry.splits) > 0 or len(entry.runs) > 1 or entry.certificates > 1


def _key_reused(key: str, record: Record, findings: Findings) -> None:
    what = f"key {key!r} was used by entry {record.seq}, another {record.entry.kind}"
    findings.add("key_reused", what, value=key)


def _all_known(conversion: Conversion, catalogue: Catalogue) -> bool:
    return all(name in catalogue.place_of for name in conversion.annual.table["certificate_id"].to_pylist())
