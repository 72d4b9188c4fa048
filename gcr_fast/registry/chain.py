"""The chain of a journal, read as it stands: whatever is not as it was written is named, with its entry.

Evidence rests on this, not on the triggers of the file.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NamedTuple

from gcr_fast.errors import CorruptError
from gcr_fast.registry import database
from gcr_fast.registry.database import FIND_KEY, Connection
from gcr_fast.registry.entries import GENESIS, KIND_CODES, chain_hash, decode
from gcr_fast.registry.records import Receipt


class Fault(NamedTuple):
    """What was found wrong, at which entry; 0 stands for the file as a whole."""

    seq: int
    what: str


def faults_of(db: Connection, path: Path) -> list[Fault]:
    """Return what is wrong, in a transaction of its caller; see `Journal.verify_chain`."""
    inspection = _Inspection(db)
    try:
        inspection.run()
    except database.Error as error:
        if not database.malformed(error):
            raise
        inspection.fault(0, f"{path}: {error}")
    return inspection.faults


class _Inspection:
    """One reading of everything, which collects faults."""

    def __init__(self, db: Connection) -> None:
        self.db, self.keys = db, db.cursor()
        self.faults: list[Fault] = []
        self.keyed = 0

    def run(self) -> None:
        last = Receipt(0, GENESIS)
        for seq, kind, payload, stored in self.db.execute("SELECT seq, kind, payload, hash FROM journal ORDER BY seq"):
            if not isinstance(payload, bytes) or not isinstance(stored, bytes):
                self.fault(seq, "its payload or hash is not bytes")
                continue
            self.link(last, Receipt(seq, stored), payload)
            self.content(seq, kind, payload)
            last = Receipt(seq, stored)
        if not last.seq:
            self.fault(0, "the journal is empty")
        self.stray_keys()
        self.missing_end(last.seq)
        self.structure()

    def fault(self, seq: int, what: str) -> None:
        self.faults.append(Fault(seq, what))

    def link(self, last: Receipt, this: Receipt, payload: bytes) -> None:
        if this.seq != last.seq + 1:
            self.fault(this.seq, f"stands where entry {last.seq + 1} should")
        if chain_hash(last.hash, this.seq, payload) != this.hash:
            self.fault(this.seq, "its hash does not follow from its payload and the hash before it")

    def content(self, seq: int, kind: int, payload: bytes) -> None:
        try:
            entry = decode(payload)
        except CorruptError as error:
            self.fault(seq, str(error))
            return
        if kind != KIND_CODES[entry.kind]:
            self.fault(seq, f"is filed under kind {kind}, but is {entry.kind}")
        if entry.key:
            found = self.keys.execute(FIND_KEY, (entry.key,)).fetchone()
            if found == (seq,):
                self.keyed += 1
            else:
                self.fault(seq, f"its key {entry.key!r} is filed under {found[0] if found else 'no entry'}")

    def stray_keys(self) -> None:
        """Name keys that no entry has; only searched for if there are more keys than entries with one."""
        if self.db.execute("SELECT count(*) FROM keys").fetchone() == (self.keyed,):
            return
        for key, seq in self.db.execute("SELECT CAST(key AS BLOB), seq FROM keys ORDER BY seq"):
            row = self.keys.execute("SELECT payload FROM journal WHERE seq = ?", (seq,)).fetchone()
            with contextlib.suppress(CorruptError):
                if row and decode(row[0]).key.encode() == key:
                    continue
            self.fault(seq, f"the key {key.decode(errors='replace')!r} is filed under it, but it does not have it")

    def missing_end(self, last: int) -> None:
        for what, column in (("signatures", "seq"), ("snapshots", "position")):
            for (seq,) in self.db.execute(f"SELECT {column} FROM {what} WHERE {column} > ? ORDER BY 1", (last,)):
                self.fault(seq, f"is among the {what}, but the journal ends at {last}: later entries are missing")

    def structure(self) -> None:
        for (said,) in self.db.execute("PRAGMA integrity_check(20)"):
            if said != "ok":
                self.fault(0, said)
