"""The journal: every entry of a registry, durable, in one order, chained by hashes; the only user of SQLite.

`registry.db` is append-only by trigger. Evidence does not rest on the triggers: `verify_chain` reads what is there.
One thread at a time may use a `Journal`, and none in a fork: a fork opens its own. Whoever changes something holds the
writer lock (`lock.py`); readers need none, and see what was committed before they asked.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from gcr_fast.errors import (
    CorruptError,
    DuplicateKeyError,
    GcrError,
    LockedError,
    OutputError,
    ReadOnlyError,
    RegistryError,
    UsageError,
)
from gcr_fast.registry.entries import GENESIS, KIND_CODES, Entry, chain_hash, decode, encode

FILE = "registry.db"
PARTIAL = ".partial"
FORMAT_VERSION = 2
APPLICATION_ID = 0x67637266
"""Marks the SQLite file as ours: "gcrf"."""

CATALOGUE_KINDS = ("create", "party", "issue")
"""Kinds with an index of their own: they are few among many trades, and needed at every opening."""

BUSY_S = 5.0
CHECKPOINT_BUSY_MS = 100
CHUNK_ROWS = 1024
CHUNK_BYTES = 8 << 20

_CATALOGUE = f"kind IN ({', '.join(str(KIND_CODES[kind]) for kind in CATALOGUE_KINDS)})"
_TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE journal (seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, payload BLOB NOT NULL, hash BLOB NOT NULL)"
    " STRICT",
    "CREATE TABLE keys (key TEXT PRIMARY KEY NOT NULL, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE snapshots (position INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT",
    "CREATE TABLE signatures (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, public_key BLOB NOT NULL,"
    " signature BLOB NOT NULL, at_s INTEGER NOT NULL) STRICT",
    f"CREATE INDEX journal_catalogue ON journal (seq) WHERE {_CATALOGUE}",
)
_FORBIDDEN = (
    "CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}"
    " BEGIN SELECT RAISE(ABORT, 'the table {table} is append-only'); END"
)
# INSERT OR REPLACE deletes without asking the triggers on DELETE, so inserting is guarded, too
_REPLACED = (
    "CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {taken}"
    " BEGIN SELECT RAISE(ABORT, 'the table {table} is append-only'); END"
)
_TAKEN = {
    "meta": "EXISTS (SELECT 1 FROM meta WHERE key = NEW.key)",
    "journal": "EXISTS (SELECT 1 FROM journal WHERE seq >= NEW.seq)",
    "keys": "EXISTS (SELECT 1 FROM keys WHERE key = NEW.key)",
    "signatures": "EXISTS (SELECT 1 FROM signatures WHERE id = NEW.id)",
}
_APPEND = "INSERT INTO journal VALUES (?, ?, ?, ?)"
_ADD_KEY = "INSERT INTO keys VALUES (?, ?)"
_FIND_KEY = "SELECT seq FROM keys WHERE key = ?"
_LAST = "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1"

_REFUSED = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_MALFORMED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNREADABLE = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class Receipt(NamedTuple):
    """An entry's number and hash. To be given out only after its transaction was committed."""

    seq: int
    hash: bytes


class Snapshot(NamedTuple):
    """A file with the state after entry `position`: a cache."""

    position: int
    name: str


class Signature(NamedTuple):
    """A signature over the head of the journal as it was at entry `seq`."""

    seq: int
    public_key: bytes
    signature: bytes
    at_s: int


class Fault(NamedTuple):
    """What `verify_chain` found wrong, at which entry; 0 stands for the file as a whole."""

    seq: int
    what: str


@dataclass(frozen=True)
class Record:
    """An entry as it is stored."""

    seq: int
    payload: bytes
    hash: bytes

    @cached_property
    def entry(self) -> Entry:
        """The decoded entry. Raises `CorruptError`, which names it."""
        try:
            return decode(self.payload)
        except CorruptError as error:
            raise CorruptError(f"entry {self.seq} of {FILE}: {error}") from None


class Journal:
    """The journal of the registry in one folder: `Journal.create` or `Journal.open`, then `close` or a with block."""

    def __init__(self, path: Path, db: sqlite3.Connection, *, read_only: bool) -> None:
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
        cls.require_none(folder)
        _sweep(place)
        partial = place.with_name(f".{FILE}.{secrets.token_hex(4)}{PARTIAL}")
        known = {"registry_id": secrets.token_hex(16), "created_at_s": str(first.at_s)}
        with _said_plainly(place):
            try:
                _build(partial, {**known, **meta, "format_version": str(FORMAT_VERSION)}, first)
                _publish(partial, place)
            finally:
                _remove(partial)
        return cls.open(folder)

    @staticmethod
    def require_none(folder: str | os.PathLike[str]) -> None:
        """Refuse a folder that has a journal."""
        _require_absent(Path(folder) / FILE)

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
        with _said_plainly(path):
            if not path.is_file():
                raise RegistryError(f"there is no registry in {path.parent}")
            db = _reader(path, still) if read_only else _writer(path)
            try:
                _check_format(db, path)
            except BaseException:
                db.close()
                raise
        return cls(path, db, read_only=read_only)

    def close(self) -> None:
        """Close the file; doing so again changes nothing."""
        with _said_plainly(self.path):
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
        with _said_plainly(self.path):
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
        with _said_plainly(self.path), contextlib.closing(self._db.execute(query, (after, upto, CHUNK_ROWS))) as cursor:
            while size < CHUNK_BYTES and (some := cursor.fetchmany(64)):
                rows += some
                size += sum(len(row[1]) for row in some)
        return rows

    def find_key(self, key: str) -> int | None:
        """Return the number of the entry that has this idempotency key, or None."""
        try:
            found = self._rows(_FIND_KEY, key)
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
        with _said_plainly(self.path):
            nested = self._db.in_transaction
        if nested:
            raise UsageError("a transaction is under way; transactions do not nest")
        transaction: Transaction | None = None
        try:
            with _said_plainly(self.path):
                self._db.execute("BEGIN IMMEDIATE")
                transaction = Transaction(self._db, self.path)
            yield transaction
            transaction._commit()
        finally:
            if transaction is not None:
                transaction._over = True
            self._roll_back()

    def _roll_back(self) -> None:
        """Take back what is not committed; SQLite may have done so itself."""
        if self._db.in_transaction:
            with contextlib.suppress(sqlite3.Error):  # the error that led here says more
                self._db.execute("ROLLBACK")

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
        return _log_bytes(self.path)

    def checkpoint(self, *, truncate: bool = True) -> bool:
        """Move the write-ahead log into the main file; its caller holds the writer lock.

        `truncate=False` keeps the log's file to be overwritten, which makes later commits faster. False if a reader
        was in the way: then it is for another time.
        """
        self._require_writable()
        how = "TRUNCATE" if truncate else "RESTART"
        with _said_plainly(self.path):
            self._db.execute(f"PRAGMA busy_timeout = {CHECKPOINT_BUSY_MS}")  # writers wait for this
            try:
                busy, _, _ = self._db.execute(f"PRAGMA wal_checkpoint({how})").fetchone()
            finally:
                self._db.execute(f"PRAGMA busy_timeout = {int(BUSY_S * 1000)}")
        return not busy

    def verify_chain(self) -> list[Fault]:
        """Read everything in one transaction and return what is wrong: empty if all is as it was written.

        Finds gaps, hashes that do not follow, payloads that are no entry, kinds and keys that differ from the
        payload's, a missing end where a signature or snapshot knows of it, and damage to the file's own structure.
        A chain that somebody computed anew throughout is consistent: only a signature tells.
        """
        faults: list[Fault] = []
        with _said_plainly(self.path), self._one_view():
            try:
                _Inspection(self._db, faults).run()
            except sqlite3.DatabaseError as error:
                if not _is(error, _MALFORMED):
                    raise
                faults.append(Fault(0, f"{self.path}: {error}"))
        return faults

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
                self._roll_back()

    def _rows(self, query: str, *values: object) -> list[Any]:
        with _said_plainly(self.path):
            return self._db.execute(query, values).fetchall()

    def _write(self, statement: str, *values: object) -> None:
        self._require_writable()
        with _said_plainly(self.path):
            self._db.execute(statement, values)

    def _require_writable(self) -> None:
        if self.read_only:
            raise ReadOnlyError(f"{self.path} was opened for reading only")


class Transaction:
    """A group of entries on their way in; `position` is the last entry before them."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
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
        except sqlite3.Error as error:
            raise self._refusal(error, entry.key) from error
        self._last, self._whole = receipt, True
        return receipt

    def _refusal(self, error: sqlite3.Error, key: str) -> GcrError:
        if isinstance(error, sqlite3.IntegrityError) and key:
            found = self._cursor.execute(_FIND_KEY, (key,)).fetchone()
            if found and found[0] <= self._last.seq:  # refused at the key, so nothing was written
                self._whole = True
                return DuplicateKeyError(key, found[0])
        return _plain(error, self._path)

    def _commit(self) -> None:
        if not self._whole:
            raise RegistryError("an append failed, so nothing of its transaction is kept")
        with _said_plainly(self._path):
            self._db.execute("COMMIT")


class _Inspection:
    """One reading of everything, which collects faults."""

    def __init__(self, db: sqlite3.Connection, faults: list[Fault]) -> None:
        self.db, self.faults = db, faults
        self.keys = db.cursor()
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
            found = self.keys.execute(_FIND_KEY, (entry.key,)).fetchone()
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


def _last(cursor: sqlite3.Cursor) -> Receipt:
    row = cursor.execute(_LAST).fetchone()
    return Receipt(*row) if row else Receipt(0, GENESIS)


def _select(kinds: tuple[str, ...] | None) -> str:
    """Return the query for entries of some kinds, by the index of the catalogue if it has all of them."""
    source, among = "journal", ""
    if kinds is not None:
        among = f"kind IN ({', '.join(str(KIND_CODES[kind]) for kind in kinds)}) AND "
        if kinds and set(kinds) <= set(CATALOGUE_KINDS):
            source, among = "journal INDEXED BY journal_catalogue", f"{_CATALOGUE} AND {among}"
    return f"SELECT seq, payload, hash FROM {source} WHERE {among}seq > ? AND seq <= ? ORDER BY seq LIMIT ?"


# --- the file


def _allows(path: Path, what: int) -> bool:
    return os.access(path, what, effective_ids=os.access in os.supports_effective_ids)


def _connect(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}",
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=64,
    )


def _writer(path: Path) -> sqlite3.Connection:
    if not (_allows(path, os.W_OK) and _allows(path.parent, os.W_OK)):
        raise ReadOnlyError(f"{path} may not be written here; open it for reading")
    _sweep(path)
    db = _connect(path, "mode=rw")
    try:
        _set_up(db)
    except BaseException:
        db.close()
        raise
    return db


def _set_up(db: sqlite3.Connection) -> None:
    if db.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
        raise RegistryError("SQLite cannot keep a write-ahead log here; use a local disk")
    for setting in (
        "synchronous = FULL",
        "fullfsync = ON",  # where fsync alone does not reach the disk
        "wal_autocheckpoint = 0",  # the owner's to do, under the lock
        "cache_size = -65536",  # keys come in no order: keep their pages
        "recursive_triggers = ON",
        "trusted_schema = OFF",
    ):
        db.execute(f"PRAGMA {setting}")


def _reader(path: Path, still: bool) -> sqlite3.Connection:
    if not _allows(path, os.R_OK):
        raise RegistryError(f"{path} may not be read by this user")
    if still and not _log_bytes(path):
        return _settled(path)
    db = _connect(path, "mode=ro")
    try:
        db.execute("SELECT 1 FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        db.close()
        if not _is(error, {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}):
            raise
        return _settled(path)
    return db


def _log_bytes(path: Path) -> int:
    try:
        return os.stat(f"{path}-wal").st_size
    except FileNotFoundError:
        return 0


def _settled(path: Path) -> sqlite3.Connection:
    """Open the main file alone, which needs no files beside it and no locks; only if everything is in it."""
    if _log_bytes(path):
        raise ReadOnlyError(
            f"{path} has a write-ahead log, which can only be read where SQLite may write beside it;"
            " copy the folder to such a place"
        )
    return _connect(path, "mode=ro&immutable=1")


def _check_format(db: sqlite3.Connection, path: Path) -> None:
    if db.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
        raise RegistryError(f"{path} is not a registry")
    found = db.execute("SELECT value FROM meta WHERE key = 'format_version'").fetchone()
    if found != (str(FORMAT_VERSION),):
        has = f"format {found[0]}" if found else "no format"
        raise RegistryError(f"{path} has {has}; this program reads format {FORMAT_VERSION}")


def _build(partial: Path, meta: Mapping[str, str], first: Entry) -> None:
    """Make a whole journal with its first entry, all of it in its main file."""
    with contextlib.closing(_connect(partial, "mode=rwc")) as db:
        _set_up(db)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("BEGIN IMMEDIATE")
        for statement in (*_TABLES, *_triggers()):
            db.execute(statement)
        db.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        transaction = Transaction(db, partial)
        transaction.append(first)
        transaction._commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _triggers() -> Iterator[str]:
    for table, taken in _TAKEN.items():
        yield from (_FORBIDDEN.format(table=table, verb=verb) for verb in ("UPDATE", "DELETE"))
        yield _REPLACED.format(table=table, taken=taken)


def _publish(partial: Path, place: Path) -> None:
    """Give a complete file its name, for good: synced, and never over another."""
    _sync(partial)
    try:
        os.link(partial, place)
    except FileExistsError:
        _require_absent(place)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _require_absent(place)
        partial.rename(place)
    partial.unlink(missing_ok=True)
    _sync(place.parent)


def _require_absent(place: Path) -> None:
    if os.path.lexists(place):
        raise RegistryError(f"{place.parent} holds a registry already")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(place: Path) -> None:
    """Remove what a killed `create` left."""
    for old in place.parent.glob(f".{FILE}.*{PARTIAL}"):
        _remove(old)


def _remove(partial: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        with contextlib.suppress(OSError):
            os.unlink(f"{partial}{suffix}")


# --- what SQLite says


@contextmanager
def _said_plainly(path: Path) -> Iterator[None]:
    """Turn SQLite's and the system's errors into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise _plain(error, path) from error
    except UnicodeDecodeError as error:  # what SQLite says of a damaged schema quotes it
        raise CorruptError(f"{path} is not as it was written: {error}; restore it from a copy") from error
    except OSError as error:
        raise OutputError(f"cannot use {path}: {error.strerror}; nothing was left behind") from error


def _plain(error: sqlite3.Error, path: Path) -> GcrError:
    if _is(error, _MALFORMED) or getattr(error, "sqlite_errorcode", 0) in _UNREADABLE:
        return CorruptError(f"{path} is not as it was written: {error}; restore it from a copy")
    if _is(error, _REFUSED):
        return OutputError(f"cannot write {path}: {error}; nothing of it was kept")
    if _is(error, _BUSY):
        return LockedError(f"another process is writing {path}, without the writer lock: {error}")
    return RegistryError(f"{path}: {error}")


def _is(error: sqlite3.Error, codes: set[int]) -> bool:
    """Whether SQLite's error is one of these, leaving aside its finer kind."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in codes
