"""The journal's file: made, opened, set up; and what SQLite says, as our errors. Nothing else imports SQLite.

`registry.db` is append-only by trigger: an entry, a key, a signature is inserted once, and never changed or removed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gcr_fast.errors import CorruptError, GcrError, LockedError, OutputError, ReadOnlyError, RegistryError
from gcr_fast.registry.entries import KIND_CODES

Connection = sqlite3.Connection
Cursor = sqlite3.Cursor
Error = sqlite3.Error
IntegrityError = sqlite3.IntegrityError
"""SQLite's names for what is handed out and raised, for the rooms that hold its file by this one."""

FILE = "registry.db"
PARTIAL = ".partial"
FORMAT_VERSION = 2
APPLICATION_ID = 0x67637266
"""Marks the SQLite file as ours: "gcrf"."""

CATALOGUE_KINDS = ("create", "party", "issue")
"""Kinds with an index of their own: they are few among many trades, and needed at every opening."""

BUSY_S = 5.0
CHECKPOINT_BUSY_MS = 100

CATALOGUE = f"kind IN ({', '.join(str(KIND_CODES[kind]) for kind in CATALOGUE_KINDS)})"
_TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE journal (seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, payload BLOB NOT NULL, hash BLOB NOT NULL)"
    " STRICT",
    "CREATE TABLE keys (key TEXT PRIMARY KEY NOT NULL, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE snapshots (position INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT",
    "CREATE TABLE signatures (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, public_key BLOB NOT NULL,"
    " signature BLOB NOT NULL, at_s INTEGER NOT NULL) STRICT",
    f"CREATE INDEX journal_catalogue ON journal (seq) WHERE {CATALOGUE}",
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
FIND_KEY = "SELECT seq FROM keys WHERE key = ?"

_REFUSED = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_MALFORMED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNREADABLE = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


# --- making and opening


@contextmanager
def making(place: Path, meta: dict[str, str]) -> Iterator[Connection]:
    """Make the file as `place`, whole or not at all; its first entry is appended and committed in the block."""
    require_absent(place)
    sweep(place)
    partial = place.with_name(f".{FILE}.{secrets.token_hex(4)}{PARTIAL}")
    with said_plainly(place):
        try:
            with contextlib.closing(connect(partial, "mode=rwc")) as db:
                _fill(db, meta)
                yield db
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            publish(partial, place)
        finally:
            _remove(partial)


def _fill(db: Connection, meta: dict[str, str]) -> None:
    """Make the tables, in a transaction that is left open."""
    set_up(db)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute("BEGIN IMMEDIATE")
    for statement in (*_TABLES, *_triggers()):
        db.execute(statement)
    db.executemany("INSERT INTO meta VALUES (?, ?)", (meta | {"format_version": str(FORMAT_VERSION)}).items())


def opened(path: Path, read_only: bool, still: bool) -> Connection:
    """Open the file of a registry; `RegistryError` if there is none, or one of another format. See `Journal.open`."""
    with said_plainly(path):
        if not path.is_file():
            raise RegistryError(f"there is no registry in {path.parent}")
        db = _reader(path, still) if read_only else _writer(path)
        try:
            _check_format(db, path)
        except BaseException:
            db.close()
            raise
    return db


def _allows(path: Path, what: int) -> bool:
    return os.access(path, what, effective_ids=os.access in os.supports_effective_ids)


def connect(path: Path, how: str) -> Connection:
    """Open a file as SQLite takes it: nothing is begun, nothing looked at."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}",
        uri=True,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=64,
    )


def _writer(path: Path) -> Connection:
    if not (_allows(path, os.W_OK) and _allows(path.parent, os.W_OK)):
        raise ReadOnlyError(f"{path} may not be written here; open it for reading")
    sweep(path)
    db = connect(path, "mode=rw")
    try:
        set_up(db)
    except BaseException:
        db.close()
        raise
    return db


def set_up(db: Connection) -> None:
    """Set what a writer needs: a log that is synced at every commit, and folded when its owner says so."""
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


def _reader(path: Path, still: bool) -> Connection:
    if not _allows(path, os.R_OK):
        raise RegistryError(f"{path} may not be read by this user")
    if still and not log_bytes(path):
        return _settled(path)
    db = connect(path, "mode=ro")
    try:
        db.execute("SELECT 1 FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        db.close()
        if not _is(error, {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}):
            raise
        return _settled(path)
    return db


def log_bytes(path: Path) -> int:
    """Return the size of the write-ahead log."""
    try:
        return os.stat(f"{path}-wal").st_size
    except FileNotFoundError:
        return 0


def _settled(path: Path) -> Connection:
    """Open the main file alone, which needs no files beside it and no locks; only if everything is in it."""
    if log_bytes(path):
        raise ReadOnlyError(
            f"{path} has a write-ahead log, which can only be read where SQLite may write beside it;"
            " copy the folder to such a place"
        )
    return connect(path, "mode=ro&immutable=1")


def _check_format(db: Connection, path: Path) -> None:
    if db.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
        raise RegistryError(f"{path} is not a registry")
    found = db.execute("SELECT value FROM meta WHERE key = 'format_version'").fetchone()
    if found != (str(FORMAT_VERSION),):
        has = f"format {found[0]}" if found else "no format"
        raise RegistryError(f"{path} has {has}; this program reads format {FORMAT_VERSION}")


def _triggers() -> Iterator[str]:
    for table, taken in _TAKEN.items():
        yield from (_FORBIDDEN.format(table=table, verb=verb) for verb in ("UPDATE", "DELETE"))
        yield _REPLACED.format(table=table, taken=taken)


def publish(partial: Path, place: Path) -> None:
    """Give a complete file its name, for good: synced, and never over another."""
    _sync(partial)
    try:
        os.link(partial, place)
    except FileExistsError:
        require_absent(place)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        require_absent(place)
        partial.rename(place)
    partial.unlink(missing_ok=True)
    _sync(place.parent)


def require_absent(place: Path) -> None:
    """Refuse a folder that has a journal."""
    if os.path.lexists(place):
        raise RegistryError(f"{place.parent} holds a registry already")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(place: Path) -> None:
    """Remove what a killed `create` left."""
    for old in place.parent.glob(f".{FILE}.*{PARTIAL}"):
        _remove(old)


def _remove(partial: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        with contextlib.suppress(OSError):
            os.unlink(f"{partial}{suffix}")


# --- at work


def checkpoint(db: Connection, how: str) -> bool:
    """Move the write-ahead log into the main file; False if a reader was in the way for long."""
    db.execute(f"PRAGMA busy_timeout = {CHECKPOINT_BUSY_MS}")  # writers wait for this
    try:
        busy, _, _ = db.execute(f"PRAGMA wal_checkpoint({how})").fetchone()
    finally:
        db.execute(f"PRAGMA busy_timeout = {int(BUSY_S * 1000)}")
    return not busy


def roll_back(db: Connection) -> None:
    """Take back what is not committed; SQLite may have done so itself."""
    if db.in_transaction:
        with contextlib.suppress(sqlite3.Error):  # the error that led here says more
            db.execute("ROLLBACK")


# --- what SQLite says


@contextmanager
def said_plainly(path: Path) -> Iterator[None]:
    """Turn SQLite's and the system's errors into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise plain(error, path) from error
    except UnicodeDecodeError as error:  # what SQLite says of a damaged schema quotes it
        raise CorruptError(f"{path} is not as it was written: {error}; restore it from a copy") from error
    except OSError as error:
        raise OutputError(f"cannot use {path}: {error.strerror}; nothing was left behind") from error


def plain(error: Error, path: Path) -> GcrError:
    """Return our error for one of SQLite."""
    if malformed(error) or getattr(error, "sqlite_errorcode", 0) in _UNREADABLE:
        return CorruptError(f"{path} is not as it was written: {error}; restore it from a copy")
    if _is(error, _REFUSED):
        return OutputError(f"cannot write {path}: {error}; nothing of it was kept")
    if _is(error, _BUSY):
        return LockedError(f"another process is writing {path}, without the writer lock: {error}")
    return RegistryError(f"{path}: {error}")


def malformed(error: Error) -> bool:
    """Whether SQLite says that the file is not one of its own, or no longer."""
    return _is(error, _MALFORMED)


def _is(error: Error, codes: set[int]) -> bool:
    """Whether SQLite's error is one of these, leaving aside its finer kind."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in codes
