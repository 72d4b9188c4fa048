"""Every exception this library raises on purpose.

GcrError
├── RefusedError      input that must not be used; carries every finding, and stands with them in `findings`
├── UsageError        a call that makes no sense whatever the data (also a ValueError)
├── OutputError       the result could not be written (disk full, no such folder); nothing was left behind
├── ConservationError our own result failed its own check: a bug, please report it
└── RegistryError     the registry cannot do what was asked
    ├── LockedError       another process holds the writer lock; names who
    ├── CorruptError      what is on disk is not what was written; names the file or the entry
    ├── ReadOnlyError     the registry was opened, or can only be opened, for reading
    └── DuplicateKeyError the idempotency key belongs to an earlier entry; says which
"""

from __future__ import annotations


class GcrError(Exception):
    """Root of the tree: catch this to catch all of them."""


class UsageError(GcrError, ValueError):
    """An argument outside its range, an unknown method or option."""


class OutputError(GcrError):
    """The operating system refused to write; the destination is as it was."""


class ConservationError(GcrError):
    """Hours did not sum to what was booked. Never seen; checked on every block all the same."""


class RegistryError(GcrError):
    """The registry cannot do what was asked: no registry there, another format, a rule of its journal."""


class LockedError(RegistryError):
    """Somebody else holds the writer lock; the message says who, since when."""


class CorruptError(RegistryError):
    """What is on disk is not what was written. Restore the file from a copy; never mend it by hand."""


class ReadOnlyError(RegistryError):
    """A change was asked of a registry that was opened for reading, or lies where nothing can be written."""


class DuplicateKeyError(RegistryError):
    """The idempotency key was used before; `seq` is the entry that has it."""

    def __init__(self, key: str, seq: int) -> None:
        self.key, self.seq = key, seq
        super().__init__(f"the key {key!r} belongs to entry {seq}; an action keeps its key, another needs a new one")
