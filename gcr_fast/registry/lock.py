"""The writer lock: one writer at a time, over threads and processes, released by the system if its holder dies.

A blocking flock, because polling starves: whoever sleeps between two tries is overtaken by those who do not. As flock
knows no timeout, a thread waits in it where the lock is not free at once; a waiter that is given up lets go of the lock
as soon as it gets it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import getpass
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from gcr_fast.errors import LockedError, ReadOnlyError, RegistryError

LOCK = "writer.lock"
"""The name of the lock file in the folder of a registry."""
_NO_PERMISSION = {errno.EACCES, errno.EPERM, errno.EROFS}
_open_files: set[_LockFile] = set()
"""Every lock file that is open in this process, for its forks to let go of."""


class WriterLock:
    """Hold the lock file at `path` for a block: `with WriterLock(folder / "writer.lock"): ...`.

    Waits up to `timeout_s`, then raises `LockedError`, which names the holder as the file tells it (JSON: pid, host,
    user, command, since). The file is made if need be and never deleted: a second file of its name would be a second
    lock. Objects exclude each other, in one process too; one object is for one thread at a time, and not re-entrant.
    """

    def __init__(self, path: str | os.PathLike[str], timeout_s: float = 30.0) -> None:
        self.path, self.timeout_s = Path(path), timeout_s
        self._file: _LockFile | None = None

    def __enter__(self) -> Self:
        if self._file is not None:
            raise RegistryError(f"{self.path} is held by this very object")
        with _said_plainly(self.path):
            file = _LockFile(self.path)
            if not file.take(self.timeout_s):
                raise LockedError(f"{self.path} was not free within {self.timeout_s:g} s; {_holder_of(self.path)}")
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.release()


class _LockFile:
    """One open lock file, with or without the lock on it."""

    def __init__(self, path: Path) -> None:
        self.handle: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        _open_files.add(self)

    def take(self, timeout_s: float) -> bool:
        """Take the lock and sign; False, and the file is as good as released, if it was not to be had in time."""
        try:
            taken = self.flock(fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            self.release()
            raise
        if not taken and not _Waiter(self).wait(timeout_s):
            return False
        self._sign()
        return True

    def flock(self, how: int) -> bool:
        """Call flock; False if somebody else has the lock and `how` says not to wait."""
        try:
            if self.handle is not None:
                fcntl.flock(self.handle, how)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Unlock and close. Unlocking matters: a copy of the handle in a fork would keep the lock past a close."""
        with contextlib.suppress(OSError):
            self.flock(fcntl.LOCK_UN)
        self.close()

    def close(self) -> None:
        """Close, which leaves the lock to other copies of the handle."""
        handle, self.handle = self.handle, None
        _open_files.discard(self)
        if handle is not None:
            os.close(handle)

    def _sign(self) -> None:
        """Write down who holds the lock. Only the lock itself matters: a full disk does not stop it."""
        text = _signature(os.getpid(), int(time.time()))
        with contextlib.suppress(OSError):
            if self.handle is not None:
                os.pwrite(self.handle, text, 0)
                if os.fstat(self.handle).st_size != len(text):
                    os.ftruncate(self.handle, len(text))


@functools.lru_cache(maxsize=1)
def _signature(pid: int, second: int) -> bytes:
    """Return what a holder writes down: many take the lock again within a second."""
    since = datetime.fromtimestamp(second, UTC).isoformat(timespec="seconds")
    return json.dumps({"pid": pid, **_process(), "since": since}).encode()


class _Waiter:
    """A thread that waits for the lock on one file, which it releases itself if nobody wants it any more."""

    def __init__(self, file: _LockFile) -> None:
        self.file = file
        self.mutex = threading.Lock()
        self.done = threading.Event()
        self.taken = self.given_up = False
        self.thread = threading.Thread(target=self._run, name="gcr-writer-lock", daemon=True)

    def wait(self, timeout_s: float) -> bool:
        """Wait for the lock up to `timeout_s`; say whether it was taken."""
        try:
            self.thread.start()
            self.done.wait(timeout_s)
            return self._settle()
        except BaseException as error:  # an interrupt gives up, too
            if self._settle() or isinstance(error, RuntimeError):  # that is no thread to be had
                self.file.release()
            raise

    def _settle(self) -> bool:
        with self.mutex:
            self.given_up = not self.taken
            return self.taken

    def _run(self) -> None:
        try:
            got = self.file.flock(fcntl.LOCK_EX)
        except OSError:
            got = False
        with self.mutex:
            self.taken = got and not self.given_up
            if not self.taken:
                self.file.release()
        self.done.set()


@contextmanager
def _said_plainly(path: Path) -> Iterator[None]:
    """Turn the system's errors into ours."""
    try:
        yield
    except OSError as error:
        kind = ReadOnlyError if error.errno in _NO_PERMISSION else RegistryError
        raise kind(f"cannot lock {path}: {error.strerror}") from error


@functools.cache
def _process() -> dict[str, str]:
    """Return host, user and command: its name and first word only, for the rest may hold secrets."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        user = str(os.getuid())
    words = [word for word in sys.argv[1:2] if not word.startswith("-")]
    return {"host": socket.gethostname(), "user": user, "command": " ".join([Path(sys.argv[0]).name, *words])}


def _holder_of(path: Path) -> str:
    """Say who holds the lock, as far as the file tells."""
    try:
        who = json.loads(path.read_text())
        return "held by process {pid} on {host}: {command}, of {user}, since {since}".format_map(who)
    except (OSError, ValueError, KeyError, TypeError):  # its holder has only just taken it
        return "its holder has not signed yet"


def _close_in_fork() -> None:
    """Close the copies that a fork has: unlocked, they would take the lock from the parent; kept, they outlive it."""
    for file in list(_open_files):
        file.close()


os.register_at_fork(after_in_child=_close_in_fork)
