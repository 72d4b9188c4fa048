"""The state at a position of the journal: from the newest snapshot before it that is sound, then entry by entry."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from gcr_fast.errors import CorruptError
from gcr_fast.registry import snapshots
from gcr_fast.registry.catalogue import Catalogue
from gcr_fast.registry.entries import GENESIS, chain_hash
from gcr_fast.registry.journal import Journal
from gcr_fast.registry.records import Record
from gcr_fast.registry.state import State

ISSUED = ("party", "issue")
"""The kinds of entries that a snapshot rests on: it has what became of their certificates."""


def rebuilt(folder: Path, journal: Journal, upto: int | None = None) -> tuple[State, int]:
    """Return the state after entry `upto`, by default the last; and the entry of the snapshot it rests on, or 0."""
    last = journal.position if upto is None else upto
    for snapshot in journal.snapshots():
        if snapshot.position <= last:
            with contextlib.suppress(CorruptError):
                issued = sound(journal, journal.entries(upto=snapshot.position, kinds=ISSUED))
                state = loaded(folder, issued, snapshot.name)
                return replayed(journal, state, last), snapshot.position
    return replayed(journal, State(Catalogue(folder)), last), 0


def loaded(folder: Path, issued: Iterable[Record], name: str) -> State:
    """Return the state that a snapshot has of what was issued up to it; `CorruptError` if it is not sound."""
    state = State(Catalogue(folder))
    for record in issued:
        if record.entry.kind == "issue":
            state.adopt(record.seq, record.entry)
        else:
            state.apply(record.seq, record.entry)
    snapshots.load(state, folder, name)
    return state


def replayed(journal: Journal, state: State, last: int) -> State:
    """Take in what a state has not seen of the entries up to `last`; return the state."""
    for record in sound(journal, journal.entries(after=state.position, upto=last)):
        state.apply(record.seq, record.entry)
    return state


def sound(journal: Journal, records: Iterable[Record]) -> Iterator[Record]:
    """Yield entries whose hashes follow from their bytes; one that does not is a `CorruptError`."""
    seq, head = 0, GENESIS
    for record in records:
        if record.seq != seq + 1:
            before = next(journal.entries(after=record.seq - 2, upto=record.seq - 1), None)
            head = GENESIS if before is None else before.hash
        if chain_hash(head, record.seq, record.payload) != record.hash:
            what = f"entry {record.seq} of {journal.path} is not as it was written; restore it from a copy"
            raise CorruptError(what)
        seq, head = record.seq, record.hash
        yield record
