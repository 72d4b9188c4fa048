"""SQLite: one small row, durable, by itself: what any record of a trade must cost."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

NAME = "SQLite"
ROW = os.urandom(200)
"""As many bytes as the entry of a trade, about."""


class Table:
    """A table that rows are inserted into, each waited for until it is on disk."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.execute("CREATE TABLE entries (seq INTEGER PRIMARY KEY, payload BLOB NOT NULL)")

    def insert(self) -> None:
        """Insert a row; it is on disk afterwards."""
        self.db.execute("INSERT INTO entries (payload) VALUES (?)", (ROW,))

    def count(self) -> int:
        """Return how many rows there are."""
        return int(self.db.execute("SELECT count(*) FROM entries").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self.db.close()
