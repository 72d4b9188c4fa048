"""The registry: one folder, no server. Everything that changes it goes through its journal; everything else reads.

A change is checked, appended, committed (one fsync) and then acknowledged. Any number of processes may read while one
writes; a second writer waits for the lock.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gcr_fast.annual import annual_from
from gcr_fast.errors import CorruptError, ReadOnlyError, RegistryError, UsageError
from gcr_fast.findings import Findings
from gcr_fast.processor import Conversion, convert
from gcr_fast.profiles import profiles_from
from gcr_fast.registry import issuing, segments, snapshots
from gcr_fast.registry.catalogue import SEGMENTS, Catalogue
from gcr_fast.registry.changes import Deadline, Request, prepare
from gcr_fast.registry.entries import Entry
from gcr_fast.registry.journal import Journal, Transaction
from gcr_fast.registry.lock import WriterLock
from gcr_fast.registry.operations import Operations
from gcr_fast.registry.receipts import Receipt
from gcr_fast.registry.results import Result
from gcr_fast.registry.selection import Selection, Where
from gcr_fast.registry.state import State

LOCK = "writer.lock"
SNAPSHOT_EVERY = 10_000
"""Entries after which the next writer leaves a snapshot."""
LOG_BYTES = 64 << 20
"""Size of SQLite's log from which it is folded into the main file."""


class Registry(Operations):
    """`Registry.create(path)` or `Registry.open(path)`; close it, or use it as a context manager."""

    def __init__(self, folder: Path, journal: Journal, lock_timeout_s: float, clock: Callable[[], float]) -> None:
        self.folder = folder
        self.journal = journal
        self.clock = clock
        self._lock_timeout_s = lock_timeout_s
        self._transaction: Transaction | None = None
        self._snapshot_at = 0
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
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / SEGMENTS).mkdir(exist_ok=True)
            (folder / snapshots.SNAPSHOTS).mkdir(exist_ok=True)
        except OSError as error:
            raise RegistryError(f"cannot make {folder}: {error.strerror}") from error
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
        registry = cls(folder, Journal.open(folder, read_only), lock_timeout_s, clock)
        if not read_only:
            registry._sweep()
        return registry

    def close(self) -> None:
        """Leave a snapshot if much has happened, and close."""
        if not self.journal.read_only and self.state.position > self._snapshot_at:
            with contextlib.suppress(RegistryError), WriterLock(self.folder / LOCK, 0.0):
                self._leave_snapshot()
        self.journal.close()

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
        """Take in what others have committed since."""
        for record in self.journal.entries(after=self.state.position):
            self.state.apply(record.seq, record.entry)
        return self

    def as_of(self, position: int) -> State:
        """Return the state after a past entry, computed anew."""
        if not 0 < position <= self.state.position:
            raise UsageError(f"the journal has entries 1 to {self.state.position}, not {position}")
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
        for record in self.journal.entries(upto=position, kinds=("party", "issue")):
            if record.entry.kind == "issue":
                state.adopt(record.seq, record.entry)
            else:
                state.apply(record.seq, record.entry)
        snapshots.load(state, self.folder, name)
        return state

    def _replayed(self, state: State, last: int) -> State:
        for record in self.journal.entries(after=state.position, upto=last):
            state.apply(record.seq, record.entry)
        return state

    def _leave_snapshot(self) -> None:
        """Save the state; the caller holds the lock. Older snapshots but one are dropped."""
        self.refresh()
        name = snapshots.save(self.state, self.folder)
        self.journal.add_snapshot(self.state.position, name)
        self._snapshot_at = self.state.position
        for old in self.journal.snapshots()[2:]:
            self.journal.drop_snapshot(old.name)
        segments.sweep(self.folder / snapshots.SNAPSHOTS, {kept.name for kept in self.journal.snapshots()})
        self.journal.checkpoint()

    def snapshot(self) -> None:
        """Save the state, so that the next opening is quick."""
        self._require_writable()
        with WriterLock(self.folder / LOCK, self._lock_timeout_s):
            self._leave_snapshot()

    def _sweep(self) -> None:
        """Remove what a killed process left; not while another writes."""
        with contextlib.suppress(RegistryError), WriterLock(self.folder / LOCK, 0.0):
            self.refresh()
            known = {block.name for block in self.state.catalogue.blocks}
            known |= {dict(r.entry.texts)["parents"] for r in self.journal.entries(kinds=("issue",))}
            segments.sweep(self.folder / SEGMENTS, known)
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
                    self.state, self._torn = self._rebuilt(), False
                raise
            finally:
                self._transaction = None
            if self.state.position != before:
                self._look_after()

    def _committed(self) -> int:
        try:
            return self.journal.position
        except RegistryError:
            return -1

    def _look_after(self) -> None:
        """Fold the log and leave a snapshot when it is time; the lock is held."""
        if self.state.position - self._snapshot_at >= SNAPSHOT_EVERY:
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

    def _append(self, transaction: Transaction, entry: Entry) -> Receipt:
        receipt = transaction.append(entry)
        self._torn = True  # until the entry is taken in whole, nothing may be committed
        self.state.apply(receipt.seq, entry)
        self._torn = False
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
        if not name.strip():
            raise UsageError("a party needs a name")
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
        **options: Any,
    ) -> Receipt:
        """Issue the hours of a `Conversion`, or of annual certificates and profiles (`options` as for `convert`).

        As a whole or not at all: `RefusedError` lists every reason. What was issued before, exactly so, is left as it
        is. Owners that are no parties are refused, or with `create_parties` added.
        """
        self._require_writable()
        conversion = annual if isinstance(annual, Conversion) else self._converted(annual, profiles, options)
        with self._changing() as transaction:
            owners = issuing.owners_of(conversion)
            findings = issuing.refusals(conversion, self.state.catalogue)
            repeat = self._same_issue(conversion, owners) if _all_known(conversion, self.state.catalogue) else None
            if repeat is not None:
                return repeat
            self._check_parties(owners, create_parties, findings)
            findings.check()
            if dry_run:
                totals = conversion.report.totals
                return Receipt(0, "", "issue", totals["nonzero_hours"], totals["issued_wh"])
            for name in dict.fromkeys(owners):
                if not self.state.catalogue.party_code(name):
                    self._append(transaction, Entry("party", self.now(), actor, texts=(("name", name),)))
            staged = issuing.stage(conversion, self.folder, owners, self.now(), actor, key)
            return self._append(transaction, staged.entry)

    def _converted(self, annual: Any, profiles: Any, options: Mapping[str, Any]) -> Conversion:
        if profiles is None:
            raise UsageError("issue takes a Conversion, or annual certificates and profiles")
        certificates = annual_from(annual, strict=False)
        self.refresh()
        shapes = issuing.remaining(self.state.catalogue, certificates, profiles_from(profiles, strict=False))
        return convert(certificates, shapes, **options)

    def _same_issue(self, conversion: Conversion, owners: list[str]) -> Receipt | None:
        """Return the receipt of the entry that issued exactly this, None if it was something else."""
        content = issuing.stage(conversion, self.folder, owners, 0, "", "").content
        for record in self.journal.entries(kinds=("issue",)):
            if dict(record.entry.texts)["content"] == content:
                return Receipt.of(record.seq, record.hash, record.entry, repeated=True)
        return None

    def _check_parties(self, owners: list[str], create: bool, findings: Findings) -> None:
        for name in dict.fromkeys(owners):
            if not create and not self.state.catalogue.party_code(name):
                findings.add("unknown_party", f"there is no party {name!r}", column="owner", value=name)

    def change(self, request: Request, *, create_parties: bool = False, dry_run: bool = False) -> Receipt:
        """Check a request and carry it out. Used by every kind of change, and by `trading`."""
        self._require_writable()
        with self._changing() as transaction:
            repeat = self._repeated(request)
            if repeat is not None:
                return repeat
            if create_parties and request.to_party and not self.state.catalogue.party_code(request.to_party):
                if dry_run:
                    raise UsageError(f"there is no party {request.to_party!r} yet, so nothing can be tried with it")
                self.add_party(request.to_party, actor=request.actor)
            entry, _ = prepare(self.state, request, self.deadline)
            if dry_run:
                return Receipt.of(0, b"", entry)
            return self._append(transaction, entry)

    def _repeated(self, request: Request) -> Receipt | None:
        """Return the receipt of the entry that has this key already."""
        seq = self.journal.find_key(request.key) if request.key else None
        if seq is None:
            return None
        record = next(self.journal.entries(after=seq - 1, upto=seq))
        entry, catalogue = record.entry, self.state.catalogue
        same = (entry.kind, entry.from_party, entry.to_party) == (
            request.action,
            catalogue.party_code(request.from_party or ""),
            catalogue.party_code(request.to_party or ""),
        )
        if not same:
            what = f"key {request.key!r} was used by entry {seq}, a {entry.kind}"
            findings = Findings()
            findings.add("key_reused", what, value=request.key)
            findings.check()
        return Receipt.of(seq, record.hash, entry, repeated=True)

    # --- asking

    def query(
        self, *, as_of: int | None = None, limit: int | None = None, after: int | None = None, **filters: Any
    ) -> Result:
        """Find certificates: all filters of `Where` combine. Ordered by parent and time, then piece.

        `as_of` asks the state after a past entry; `limit` and `after` (the `cursor` of the result before) page.
        """
        state = self.state if as_of is None else self.as_of(as_of)
        return Result(state, Selection(state, Where.of(filters)), limit, after)


def _all_known(conversion: Conversion, catalogue: Catalogue) -> bool:
    return all(name in catalogue.place_of for name in conversion.annual.table["certificate_id"].to_pylist())
