"""The journal: every entry of a registry, durable, in one order, chained by hashes.

One thread at a time may use a `Journal`, and none in a fork: a fork opens its own. Whoever changes something holds the
writer lock (`lock.py`); readers need none, and see what was committed before they asked.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gcr_fast.errors import DuplicateKeyError, GcrError, ReadOnlyError, RegistryError, UsageError
from gcr_fast.registry import chain, database
from gcr_fast.registry.chain import Fault
from gcr_fast.registry.database import CATALOGUE, CATALOGUE_KINDS, FILE, FIND_KEY, Connection, Cursor, said_plainly
from gcr_fast.registry.entries import GENESIS, KIND_CODES, Entry, chain_hash, encode
from gcr_fast.registry.records import Receipt, Record, Signature, Snapshot

CHUNK_ROWS = 1024
CHUNK_BYTES = 8 << 20

_APPEND = "INSERT INTO journal VALUES (?, ?, ?, ?)"
_ADD_KEY = "INSERT INTO keys VALUES (?, ?)"
_LAST = "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1"


class Journal:
    """The journal of the registry in one folder: `Journal.create` or `Journal.open`, then `close` or a with block."""

    def __init__(self, path: Path, db: Connection, *, read_only: bool) -> None:
        self.path, self.read_only = path, read_only
        self._db = db

    @classmethod
    def create(cls, folder: str | os.PathLike[str], meta: Mapping[str, str], first: Entry) -> Self:
        """Start a journal in an existing folder and open it; its caller holds the writer lock.

        `meta` gets a `format_version`, and a `registry_id` and `created_at_s` where it has none. A kill at any time
        leaves a whole `registry.db` or none.
        """
        place = Path(folder) / FILE
        if not place.parent.is_dir():
            raise RegistryError(f"there is no folder {place.parent}; make it first")
        known = {"registry_id": secrets.token_hex(16), "created_at_s": str(first.at_s)}
        with database.making(place, known | dict(meta)) as db:
            transaction = Transaction(db, place)
            transaction.append(first)
            transaction._commit()
        return cls.open(folder)

    @staticmethod
    def require_none(folder: str | os.PathLike[str]) -> None:
        """Refuse a folder that has a journal."""
        database.require_absent(Path(folder) / FILE)

    @classmethod
    def open(cls, folder: str | os.PathLike[str], read_only: bool = False, *, still: bool = False) -> Self:
        """Open the journal in a folder.

        `still`, for a reader, reads the main file alone if everything is in it, so that not even SQLite makes files
        beside it. What is written meanwhile is not seen, and what is moved into that file spoils the reading: its
        caller looks afterwards whether the file is still what it was.

        A reader needs no permission to write: where SQLite would need it, and everything is in the main file, that is
        read as it stands, so that what is written later may not be seen until the next opening.
        Raises `RegistryError` if there is none, or one of another format.
        """
        path = Path(folder) / FILE
        return cls(path, database.opened(path, read_only, still), read_only=read_only)

    def close(self) -> None:
        """Close the file; doing so again changes nothing."""
        with said_plainly(self.path):
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def meta(self) -> dict[str, str]:
        """What was said of the registry when it was made."""
        return dict(self._rows("SELECT key, value FROM meta ORDER BY key"))

    @property
    def position(self) -> int:
        """The number of the last entry that is committed now; inside a transaction, of the last that was appended."""
        return self.last().seq

    def head(self) -> bytes:
        """Return the hash of the last entry."""
        return self.last().hash

    def last(self) -> Receipt:
        """Return number and hash of the last entry, both of the same moment."""
        with said_plainly(self.path):
            return _last(self._db.cursor())

    def entries(
        self, after: int = 0, upto: int | None = None, kinds: tuple[str, ...] | None = None
    ) -> Iterator[Record]:
        """Yield the entries with `after < seq <= upto` in order, only those of `kinds` if given.

        `upto` is the last entry at the time of the call, or an earlier one. As entries never change, this is one
        consistent view; as they are read in chunks, it holds back neither the writer nor a checkpoint.
        """
        unknown = set(kinds or ()) - set(KIND_CODES)
        if unknown:
            raise UsageError(f"unknown kinds of entries: {', '.join(sorted(unknown))}")
        position = self.position
        return self._stream(_select(kinds), after, position if upto is None else min(upto, position))

    def _stream(self, query: str, after: int, upto: int) -> Iterator[Record]:
        while after < upto and (rows := self._chunk(query, after, upto)):
            for row in rows:
                yield Record(*row)
            after = rows[-1][0]

    def _chunk(self, query: str, after: int, upto: int) -> list[tuple[int, bytes, bytes]]:
        """Return the next rows: not too many, and few if they are large. Nothing stays open between chunks."""
        rows: list[tuple[int, bytes, bytes]] = []
        size = 0
        with said_plainly(self.path), contextlib.closing(self._db.execute(query, (after, upto, CHUNK_ROWS))) as cursor:
            while size < CHUNK_BYTES and (some := cursor.fetchmany(64)):
                rows += some
                size += sum(len(row[1]) for row in some)
        return rows

    def find_key(self, key: str) -> int | None:
        """Return the number of the entry that has this idempotency key, or None."""
        try:
            found = self._rows(FIND_KEY, key)
        except UnicodeEncodeError as error:
            raise UsageError(f"{key!r} is no text, so no key: {error}") from None
        return found[0][0] if found else None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Append in a block, as a whole or not at all; its caller holds the writer lock.

        The entries are durable once the block has been left without an exception, and not before; any exception
        takes all of them back, and the journal can be used again.
        """
        self._require_writable()
        with said_plainly(self.path):
            nested = self._db.in_transaction
        if nested:
            raise UsageError("a transaction is under way; transactions do not nest")
        transaction: Transaction | None = None
        try:
            with said_plainly(self.path):
                self._db.execute("BEGIN IMMEDIATE")
                transaction = Transaction(self._db, self.path)
            yield transaction
            transaction._commit()
        finally:
            if transaction is not None:
                transaction._over = True
            database.roll_back(self._db)

    def add_snapshot(self, position: int, name: str) -> None:
        """Note that the file `name` has the state after entry `position`; replaces an earlier note of that position."""
        self._write("INSERT OR REPLACE INTO snapshots VALUES (?, ?)", position, name)

    def snapshots(self) -> list[Snapshot]:
        """Return the snapshots, newest first."""
        return [Snapshot(*row) for row in self._rows("SELECT position, name FROM snapshots ORDER BY position DESC")]

    def drop_snapshot(self, name: str) -> None:
        """Forget the snapshot of this name, if there is one; its file is its owner's to remove."""
        self._write("DELETE FROM snapshots WHERE name = ?", name)

    def add_signature(self, seq: int, public_key: bytes, signature: bytes, at_s: int) -> None:
        """Keep a signature over the head at entry `seq`, made at `at_s` (UTC seconds)."""
        columns = "INSERT INTO signatures (seq, public_key, signature, at_s) VALUES (?, ?, ?, ?)"
        self._write(columns, seq, public_key, signature, at_s)

    def signatures(self) -> list[Signature]:
        """Return the signatures in the order in which they were made."""
        rows = self._rows("SELECT seq, public_key, signature, at_s FROM signatures ORDER BY id")
        return [Signature(*row) for row in rows]

    @property
    def log_bytes(self) -> int:
        """Size of the write-ahead log, by which its owner decides when to `checkpoint`."""
        return database.log_bytes(self.path)

    def checkpoint(self, *, truncate: bool = True) -> bool:
        """Move the write-ahead log into the main file; its caller holds the writer lock.

        `truncate=False` keeps the log's file to be overwritten, which makes later commits faster. False if a reader
        was in the way: then it is for another time.
        """
        self._require_writable()
        with said_plainly(self.path):
            return database.checkpoint(self._db, "TRUNCATE" if truncate else "RESTART")

    def verify_chain(self) -> list[Fault]:
        """Read everything in one transaction and return what is wrong: empty if all is as it was written.

        Finds gaps, hashes that do not follow, payloads that are no entry, kinds and keys that differ from the
        payload's, a missing end where a signature or snapshot knows of it, and damage to the file's own structure.
        A chain that somebody computed anew throughout is consistent: only a signature tells.
        """
        with said_plainly(self.path), self._one_view():
            return chain.faults_of(self._db, self.path)

    @contextmanager
    def _one_view(self) -> Iterator[None]:
        """Read in one transaction: the one that is under way, or a new one."""
        begun = not self._db.in_transaction
        if begun:
            self._db.execute("BEGIN")
        try:
            yield
        finally:
            if begun:
                database.roll_back(self._db)

    def _rows(self, query: str, *values: object) -> list[Any]:
        with said_plainly(self.path):
            return self._db.execute(query, values).fetchall()

    def _write(self, statement: str, *values: object) -> None:
        self._require_writable()
        with said_plainly(self.path):
            self._db.execute(statement, values)

    def _require_writable(self) -> None:
        if self.read_only:
            raise ReadOnlyError(f"{self.path} was opened for reading only")


class Transaction:
    """A group of entries on their way in; `position` is the last entry before them."""

    def __init__(self, db: Connection, path: Path) -> None:
        self._db, self._path = db, path
        self._cursor = db.cursor()
        self._last = _last(self._cursor)
        self.position = self._last.seq
        self._over, self._whole = False, True

    def append(self, entry: Entry) -> Receipt:
        """Append an entry; its receipt counts once the transaction is committed.

        Raises `DuplicateKeyError` if its key was used before, also in this transaction, and `UsageError` if it cannot
        be written down: neither keeps the others from being committed. After any other error nothing can be.
        """
        if self._over or not self._whole:
            raise RegistryError("this transaction is over, or an append failed; begin another")
        payload = encode(entry)
        seq = self._last.seq + 1
        receipt = Receipt(seq, chain_hash(self._last.hash, seq, payload))
        self._whole = False  # an interrupt between two statements must not be committed
        try:
            if entry.key:
                self._cursor.execute(_ADD_KEY, (entry.key, seq))
            self._cursor.execute(_APPEND, (seq, payload[1], payload, receipt.hash))
        except database.Error as error:
            raise self._refusal(error, entry.key) from error
        self._last, self._whole = receipt, True
        return receipt

    def _refusal(self, error: database.Error, key: str) -> GcrError:
        if isinstance(error, database.IntegrityError) and key:
            found = self._cursor.execute(FIND_KEY, (key,)).fetchone()
            if found and found[0] <= self._last.seq:  # refused at the key, so nothing was written
                self._whole = True
                return DuplicateKeyError(key, found[0])
        return database.plain(error, self._path)

    def _commit(self) -> None:
        if not self._whole:
            raise RegistryError("an append failed, so nothing of its transaction is kept")
        with said_plainly(self._path):
            self._db.execute("COMMIT")


def _last(cursor: Cursor) -> Receipt:
    row = cursor.execute(_LAST).fetchone()
    return Receipt(*row) if row else Receipt(0, GENESIS)


def _select(kinds: tuple[str, ...] | None) -> str:
    """Return the query for entries of some kinds, by the index of the catalogue if it has all of them."""
    source, among = "journal", ""
    if kinds is not None:
        among = f"kind IN ({', '.join(str(KIND_CODES[kind]) for kind in kinds)}) AND "
        if kinds and set(kinds) <= set(CATALOGUE_KINDS):
            source, among = "journal INDEXED BY journal_catalogue", f"{CATALOGUE} AND {among}"
    return f"SELECT seq, payload, hash FROM {source} WHERE {among}seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
