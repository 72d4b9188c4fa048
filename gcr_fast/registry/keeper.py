"""Who keeps a registry's state up to its journal, opens and closes it, and leaves snapshots for the next opening."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from gcr_fast.errors import GcrError, ReadOnlyError, UsageError
from gcr_fast.registry import replay, segments, snapshots
from gcr_fast.registry.catalogue import SEGMENTS
from gcr_fast.registry.entries import Entry
from gcr_fast.registry.journal import Journal, Transaction
from gcr_fast.registry.lock import LOCK, WriterLock
from gcr_fast.registry.state import State

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


class Keeper:
    """A registry that is open: its folder, its journal, and the state as far as it was taken in."""

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- what it is

    @property
    def read_only(self) -> bool:
        """Whether nothing can be changed through this object."""
        return self.journal.read_only

    @property
    def info(self) -> dict[str, str]:
        """What was said of the registry when it was made: name, id, format, deadlines."""
        return self.journal.meta

    def now(self) -> int:
        """UTC seconds, as the registry's clock has them."""
        return int(self.clock())

    def _require_writable(self) -> None:
        if self.read_only:
            raise ReadOnlyError(f"{self.folder} was opened for reading only")

    @property
    def in_group(self) -> bool:
        """Whether a group of changes is under way, which is not committed yet."""
        return self._transaction is not None

    def _require_no_group(self, what: str) -> None:
        if self.in_group:
            raise UsageError(f"{what} is known when the group is over")

    # --- the state

    @property
    def position(self) -> int:
        """The last entry that this object has taken in."""
        return self.state.position

    def refresh(self) -> Self:
        """Take in what others have committed since; of an entry that cannot be read, nothing is taken in."""
        if self._torn:
            self._restore()
        try:
            for record in replay.sound(self.journal, self.journal.entries(after=self.state.position)):
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

    def latest(self) -> State:
        """Return the state with everything that is committed."""
        return self.state if self._transaction is not None else self.refresh().state

    def committed(self) -> int:
        """Return the last entry that is durable and taken in."""
        within = self._transaction
        return self.state.position if within is None else min(self.state.position, within.position)

    def as_of(self, position: int) -> State:
        """Return the state after a past entry, computed anew."""
        if not isinstance(position, int) or not 0 < position <= self.state.position:
            raise UsageError(f"the journal has entries 1 to {self.state.position}, not {position!r}")
        return self._rebuilt(position)

    def _rebuilt(self, upto: int | None = None) -> State:
        state, at = replay.rebuilt(self.folder, self.journal, upto)
        self._snapshot_at = max(self._snapshot_at, at)
        return state

    # --- snapshots and what else is left in order

    def snapshot(self) -> None:
        """Save the state, so that the next opening is quick. Not within a group, which is not committed yet."""
        self._require_writable()
        self._require_no_group("what a snapshot saves")
        with WriterLock(self.folder / LOCK, self._lock_timeout_s):
            self._leave_snapshot()

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

    def _look_after(self) -> None:
        """Fold the log and leave a snapshot when it is time; the lock is held."""
        if self.state.position - self._snapshot_at >= SNAPSHOT_EVERY and not self._in_series:
            self._leave_snapshot()
        elif self.journal.log_bytes > LOG_BYTES:
            self.journal.checkpoint(truncate=False)

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


def _needs_kernels(entry: Entry) -> bool:
    """Whether replaying an entry takes more than looking up one row."""
    return entry.kind == "issue" or len(entry.splits) > 0 or len(entry.runs) > 1 or entry.certificates > 1
