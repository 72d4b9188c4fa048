"""The journal: acknowledged is durable, the rest absent; append-only; tampering shows; errors leave it usable."""

import errno
import inspect
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gcr_fast as gcr
from gcr_fast import OutputError, UsageError
from gcr_fast.errors import CorruptError, DuplicateKeyError, LockedError, ReadOnlyError, RegistryError
from gcr_fast.registry import database
from gcr_fast.registry import journal as module
from gcr_fast.registry.database import FILE
from gcr_fast.registry.entries import GENESIS, KINDS, Entry, chain_hash, decode, encode
from gcr_fast.registry.journal import Journal
from gcr_fast.registry.records import Signature, Snapshot

FIRST = Entry("create", 1_767_225_600, texts=(("name", "test"),))
NOBODY = 65534
PATIENCE_S = 300
"""How long others are waited for: a disk that is busy takes its time over each of many commits."""


def trade(number, key=None):
    key = f"order-{number}" if key is None else key
    return Entry("trade", number, "anna", key, 1, 2, 3, 4000, 5, currency="EUR", runs=np.array([[number, 3]]))


@pytest.fixture
def journal(tmp_path):
    with Journal.create(tmp_path, {}, FIRST) as journal:
        yield journal


def append(journal, *entries):
    with journal.transaction() as transaction:
        return [transaction.append(entry) for entry in entries]


def numbers(journal):
    """When the trades were, which these tests use to tell them apart."""
    return [record.entry.at_s for record in journal.entries(after=1)]


def raw(journal):
    """The file as another program would open it."""
    return closing(sqlite3.connect(journal.path, isolation_level=None))


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


CHILD = f"""
import json, os, random, resource, signal, sys, time
sys.path.insert(0, {str(Path(gcr.__file__).parents[1])!r})
from pathlib import Path
import numpy as np
from gcr_fast.errors import GcrError
from gcr_fast.registry.entries import Entry
from gcr_fast.registry.journal import Journal
from gcr_fast.registry.lock import WriterLock
folder = Path(sys.argv[1])
FIRST = Entry("create", 1)
PATIENCE_S = {PATIENCE_S}
{inspect.getsource(trade)}
{inspect.getsource(append)}
"""


def child(code, *arguments):
    command = [sys.executable, "-c", CHILD + code, *map(str, arguments)]
    return subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


# --- making and opening


def test_a_new_journal_has_its_first_entry_and_nothing_lies_beside_it(tmp_path):
    with Journal.create(tmp_path, {"operator": "us"}, FIRST) as journal:
        assert journal.position == 1
        assert journal.head() == chain_hash(GENESIS, 1, encode(FIRST))
        assert [record.entry for record in journal.entries()] == [FIRST]
        assert journal.meta["operator"] == "us"
        assert journal.meta["format_version"] == "2"
        assert journal.meta["created_at_s"] == str(FIRST.at_s)
        assert len(journal.meta["registry_id"]) == 32
    assert files_in(tmp_path) == [FILE]


def test_a_name_given_is_kept(tmp_path):
    with Journal.create(tmp_path, {"registry_id": "r", "created_at_s": "7", "format_version": "9"}, FIRST) as journal:
        assert journal.meta == {"registry_id": "r", "created_at_s": "7", "format_version": "2"}


def test_a_journal_is_never_created_over_another(journal):
    append(journal, trade(1))
    before = journal.path.read_bytes()
    with pytest.raises(RegistryError, match="holds a registry already"):
        Journal.create(journal.path.parent, {}, FIRST)
    assert journal.path.read_bytes() == before
    assert journal.position == 2


def test_of_two_that_create_at_once_the_later_fails(tmp_path, monkeypatch):
    publish = database.publish

    def late(partial, place):
        monkeypatch.setattr(database, "publish", publish)
        monkeypatch.setattr(database, "sweep", lambda place: None)
        Journal.create(tmp_path, {"registry_id": "first"}, FIRST).close()
        publish(partial, place)

    monkeypatch.setattr(database, "publish", late)
    with pytest.raises(RegistryError, match="holds a registry already"):
        Journal.create(tmp_path, {"registry_id": "second"}, FIRST)
    with Journal.open(tmp_path) as journal:
        assert journal.meta["registry_id"] == "first"


def test_a_file_system_without_links_is_served_by_renaming(tmp_path, monkeypatch):
    def refuse(*names):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(database.os, "link", refuse)
    Journal.create(tmp_path, {}, FIRST).close()
    assert files_in(tmp_path) == [FILE]


def test_a_disk_that_is_full_while_creating_leaves_nothing(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(database.os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        Journal.create(tmp_path, {}, FIRST)
    assert files_in(tmp_path) == []


def test_a_first_entry_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(UsageError):
        Journal.create(tmp_path, {}, Entry("no such kind", 1))
    assert files_in(tmp_path) == []


KILLED_CREATING = """
from gcr_fast.registry import database
die, when = sys.argv[2], int(sys.argv[3])
real = getattr(database.os, die) if hasattr(database.os, die) else getattr(database, die)
def wrapped(*arguments):
    global when
    when -= 1
    if not when:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments)
setattr(database.os if hasattr(database.os, die) else database, die, wrapped)
Journal.create(folder, {}, FIRST)
"""


@pytest.mark.parametrize(
    ("die", "when", "whole"),
    [("set_up", 1, False), ("publish", 1, False), ("link", 1, False), ("fsync", 2, True)],
)
def test_a_kill_while_creating_leaves_a_whole_journal_or_none(tmp_path, die, when, whole):
    with child(KILLED_CREATING, tmp_path, die, when) as process:
        assert process.wait(PATIENCE_S) == -signal.SIGKILL
    assert (tmp_path / FILE).exists() is whole
    with Journal.open(tmp_path) if whole else Journal.create(tmp_path, {}, FIRST) as journal:
        assert journal.verify_chain() == []
        assert journal.position == 1
    assert files_in(tmp_path) == [FILE]  # and what was left has been swept


@pytest.mark.parametrize("read_only", [True, False])
def test_no_registry_there_is_said_plainly(tmp_path, read_only):
    with pytest.raises(RegistryError, match="there is no registry in"):
        Journal.open(tmp_path / "nowhere", read_only)
    with pytest.raises(RegistryError, match="no folder"):
        Journal.create(tmp_path / "nowhere", {}, FIRST)


@pytest.mark.parametrize("read_only", [True, False])
def test_another_format_names_the_one_that_is_read(journal, read_only):
    journal.close()
    with raw(journal) as db:
        db.execute("DROP TRIGGER meta_no_UPDATE")
        db.execute("UPDATE meta SET value = '1' WHERE key = 'format_version'")
    with pytest.raises(RegistryError, match="has format 1; this program reads format 2"):
        Journal.open(journal.path.parent, read_only)


@pytest.mark.parametrize(
    ("content", "kind"), [(b"", RegistryError), (b"PAR1" * 2000, CorruptError), (b"SQLite format 3\0", CorruptError)]
)
def test_a_file_that_is_no_registry_is_refused(tmp_path, content, kind):
    (tmp_path / FILE).write_bytes(content)
    for read_only in (True, False):
        with pytest.raises(kind, match=FILE):
            Journal.open(tmp_path, read_only)


def test_a_folder_with_any_name_can_be_opened(tmp_path):
    folder = tmp_path / "50% of a?b#c é"
    folder.mkdir()
    Journal.create(folder, {}, FIRST).close()
    with Journal.open(folder) as journal:
        append(journal, trade(1))
    with Journal.open(folder, read_only=True) as journal:
        assert journal.position == 2


def test_a_closed_journal_says_so(journal):
    journal.close()
    journal.close()
    with pytest.raises(RegistryError, match="closed"):
        journal.position  # noqa: B018
    with pytest.raises(RegistryError, match="closed"):
        append(journal, trade(1))


# --- appending


def test_entries_come_back_in_order_with_their_hashes(journal):
    receipts = append(journal, *(trade(n) for n in range(5))) + append(journal, trade(5))
    assert [receipt.seq for receipt in receipts] == [2, 3, 4, 5, 6, 7]
    head = GENESIS
    for seq, record in enumerate(journal.entries(), start=1):
        head = chain_hash(head, seq, encode(record.entry))
        assert (record.seq, record.hash) == (seq, head)
    assert journal.head() == head == receipts[-1].hash
    assert numbers(journal) == list(range(6))


class UndoError(Exception):
    """Takes a transaction back."""


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.integers(-(2**63), 2**63 - 1))
def test_any_key_and_any_number_is_stored(journal, key, number):
    entry = Entry("trade", number, key=key, runs=np.array([[number, 1]]))
    with suppress(UndoError), journal.transaction() as transaction:
        transaction.append(entry)
        assert next(journal.entries(after=1)).entry == entry
        assert journal.find_key(key) == 2
        assert journal.verify_chain() == []
        raise UndoError  # the next example begins anew


@pytest.mark.parametrize("trouble", [RuntimeError("stop"), KeyboardInterrupt()])
def test_any_exception_takes_the_whole_group_back(journal, trouble):
    append(journal, trade(1))
    head = journal.head()
    with pytest.raises(type(trouble)), journal.transaction() as transaction:  # noqa: PT012
        transaction.append(trade(2))
        transaction.append(trade(3))
        raise trouble
    assert (journal.position, journal.head(), journal.find_key("order-2")) == (2, head, None)
    append(journal, trade(3))
    assert numbers(journal) == [1, 3]
    assert journal.verify_chain() == []


def test_a_transaction_sees_its_own_entries_and_knows_where_it_began(journal):
    append(journal, trade(1))
    with journal.transaction() as transaction:
        assert transaction.position == 2
        transaction.append(trade(2))
        assert transaction.position == 2
        assert journal.position == 3
        assert numbers(journal) == [1, 2]
        assert journal.find_key("order-2") == 3


def test_a_key_is_used_once_and_its_refusal_spoils_nothing(journal):
    append(journal, trade(1))
    with journal.transaction() as transaction:
        transaction.append(trade(2))
        for taken, seq in (("order-1", 2), ("order-2", 3)):
            with pytest.raises(DuplicateKeyError, match=f"{taken}.* entry {seq}") as caught:
                transaction.append(trade(9, taken))
            assert (caught.value.key, caught.value.seq) == (taken, seq)
        with pytest.raises(UsageError):
            transaction.append(Entry("no such kind", 1))
        transaction.append(trade(3))
    assert numbers(journal) == [1, 2, 3]
    assert journal.verify_chain() == []


def test_entries_without_a_key_do_not_meet(journal):
    append(journal, trade(1, ""), trade(2, ""))
    assert journal.find_key("") is None
    with pytest.raises(UsageError, match="key"):
        journal.find_key("\ud800")


def test_transactions_do_not_nest_and_end_with_their_block(journal):
    with journal.transaction() as transaction:
        with pytest.raises(UsageError, match="do not nest"), journal.transaction():
            pass
        transaction.append(trade(1))
    with pytest.raises(RegistryError, match="over"):
        transaction.append(trade(2))
    assert numbers(journal) == [1]


def test_a_group_in_which_an_append_was_interrupted_is_never_committed(journal, monkeypatch):
    class Interrupted:
        def __init__(self, cursor):
            self.cursor = cursor

        def execute(self, statement, values):
            if statement == module._APPEND:
                raise KeyboardInterrupt
            return self.cursor.execute(statement, values)

    kept = pytest.raises(RegistryError, match="nothing of its transaction is kept")
    with kept, journal.transaction() as transaction:
        transaction.append(trade(1))
        transaction._cursor = Interrupted(transaction._cursor)
        with pytest.raises(KeyboardInterrupt):
            transaction.append(trade(2))
        with pytest.raises(RegistryError, match="begin another"):
            transaction.append(trade(3))
    assert journal.position == 1
    assert journal.find_key("order-2") is None


def test_a_second_writer_without_the_lock_is_told_so(journal, monkeypatch):
    monkeypatch.setattr(database, "BUSY_S", 0.05)
    with Journal.open(journal.path.parent) as other, journal.transaction() as transaction:
        transaction.append(trade(1))
        with pytest.raises(LockedError, match="without the writer lock"):
            append(other, trade(2))
    assert numbers(journal) == [1]


def test_what_is_opened_for_reading_is_not_written(journal):
    append(journal, trade(1))
    with Journal.open(journal.path.parent, read_only=True) as reader:
        for change in (
            lambda: append(reader, trade(2)),
            lambda: reader.add_snapshot(1, "a"),
            lambda: reader.drop_snapshot("a"),
            lambda: reader.add_signature(1, b"k", b"s", 1),
            reader.checkpoint,
        ):
            with pytest.raises(ReadOnlyError, match="for reading only"):
                change()
        assert numbers(reader) == [1]


# --- reading


def test_ranges_and_kinds_select(journal):
    made = [Entry(KINDS[n % 12], n) for n in range(1, 61)]
    append(journal, *made)
    for after, upto in ((0, None), (0, 0), (7, 30), (60, 99), (99, None), (30, 7)):
        for kinds in (None, (), ("issue",), ("party", "issue", "create"), ("trade", "issue"), KINDS):
            expected = [
                seq
                for seq, entry in enumerate([FIRST, *made], start=1)
                if seq > after and (upto is None or seq <= upto) and (kinds is None or entry.kind in kinds)
            ]
            assert [record.seq for record in journal.entries(after, upto, kinds)] == expected
    with pytest.raises(UsageError, match="steal"):
        journal.entries(kinds=("steal",))


@pytest.mark.parametrize("kinds", [("issue",), ("create", "party"), ("issue", "create", "party")])
def test_the_catalogue_is_found_without_a_scan(journal, kinds):
    with raw(journal) as db:
        (plan,) = db.execute(f"EXPLAIN QUERY PLAN {module._select(kinds)}", (0, 9, 9))
    assert plan[3].startswith("SEARCH journal USING INDEX journal_catalogue")


@pytest.mark.parametrize(("rows", "size"), [(1, 1), (3, 1 << 20), (1000, 500)])
def test_chunks_change_nothing(journal, monkeypatch, rows, size):
    append(journal, *(trade(n) for n in range(300)))
    monkeypatch.setattr(module, "CHUNK_ROWS", rows)
    monkeypatch.setattr(module, "CHUNK_BYTES", size)
    assert numbers(journal) == list(range(300))


def test_a_reading_that_has_begun_does_not_see_later_entries_nor_hold_back_a_checkpoint(journal, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_ROWS", 2)
    append(journal, *(trade(n) for n in range(9)))
    with Journal.open(journal.path.parent, read_only=True) as reader:
        reading = reader.entries(after=1)
        seen = [next(reading).entry.at_s]
        append(journal, trade(100))
        assert journal.checkpoint()
        assert journal.log_bytes == 0
        append(journal, trade(101))
        assert seen + [record.entry.at_s for record in reading] == list(range(9))
        assert numbers(reader) == [*range(9), 100, 101]


def test_a_checkpoint_that_a_reader_prevents_is_for_another_time(journal):
    append(journal, trade(1))
    with raw(journal) as db:
        db.execute("BEGIN")
        db.execute("SELECT * FROM journal").fetchall()
        append(journal, trade(2))
        assert journal.checkpoint() is False
    assert journal.log_bytes > 0
    assert journal.checkpoint(truncate=False) is True
    assert journal.log_bytes > 0
    assert journal.checkpoint() is True
    assert journal.log_bytes == 0
    assert numbers(journal) == [1, 2]


def test_an_entry_that_cannot_be_read_is_named(journal):
    append(journal, trade(1))
    tamper(journal, "UPDATE journal SET payload = x'00' WHERE seq = 2")
    *_, record = journal.entries()
    with pytest.raises(CorruptError, match=r"entry 2 of registry\.db: not an entry"):
        record.entry  # noqa: B018


# --- other people's folders


@contextmanager
def unwritable(folder):
    """Make a folder read-only, also for root, who is somebody else within the block."""
    root = os.geteuid() == 0
    os.chmod(folder, 0o555)
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        os.chmod(folder, 0o755)


@pytest.fixture
def copied(journal):
    """Copy the journal's files, by their endings, into a folder that everybody may look into."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)

        def copy(*endings):
            for ending in endings:
                shutil.copy(f"{journal.path}{ending}", name)
                os.chmod(Path(name, FILE + ending), 0o644)
            return Path(name)

        yield copy


def test_a_copied_folder_with_its_log_can_be_read_and_written(journal, copied):
    append(journal, trade(1))
    folder = copied("", "-wal")
    with Journal.open(folder, read_only=True) as reader:
        assert numbers(reader) == [1]
    with Journal.open(folder) as copy:
        append(copy, trade(2))
        assert copy.verify_chain() == []
    assert numbers(journal) == [1]


@pytest.mark.parametrize("endings", [("",), ("", "-wal"), ("", "-wal", "-shm")])
def test_a_folder_that_cannot_be_written_is_read(journal, copied, endings):
    append(journal, trade(1))
    journal.checkpoint()
    folder = copied(*endings)
    with unwritable(folder):
        with Journal.open(folder, read_only=True) as reader:
            assert numbers(reader) == [1]
            assert reader.verify_chain() == []
        with pytest.raises(ReadOnlyError, match="open it for reading"):
            Journal.open(folder)
    assert files_in(folder) == sorted(FILE + ending for ending in endings)


def test_a_log_that_cannot_be_read_there_is_not_ignored(journal, copied):
    append(journal, trade(1))
    folder = copied("", "-wal")
    with unwritable(folder), pytest.raises(ReadOnlyError, match="copy the folder"):
        Journal.open(folder, read_only=True)


def test_a_reader_without_permission_to_write_follows_a_living_writer(journal, copied):
    folder = copied()
    with Journal.create(folder, {}, FIRST) as writer:
        for ending in ("", "-wal", "-shm"):
            os.chmod(folder / (FILE + ending), 0o644)
        append(writer, trade(1))
        with unwritable(folder):
            reader = Journal.open(folder, read_only=True)
            assert numbers(reader) == [1]
        append(writer, trade(2))
        with reader, unwritable(folder):
            assert numbers(reader) == [1, 2]


# --- snapshots and signatures


def test_snapshots_are_notes_that_may_go(journal):
    for position, name in ((3, "c"), (1, "a"), (2, "b"), (3, "d")):
        journal.add_snapshot(position, name)
    assert journal.snapshots() == [Snapshot(3, "d"), Snapshot(2, "b"), Snapshot(1, "a")]
    journal.drop_snapshot("b")
    journal.drop_snapshot("never there")
    assert journal.snapshots() == [Snapshot(3, "d"), Snapshot(1, "a")]


def test_signatures_are_kept_in_their_order(journal):
    made = [Signature(1, b"key", b"signature", 9), Signature(1, b"other key", b"", 8)]
    for signature in made:
        journal.add_signature(*signature)
    assert journal.signatures() == made


# --- append-only, and what shows if it was not


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE {table} SET {column} = {column}",
        "DELETE FROM {table}",
        "INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
        "REPLACE INTO {table} SELECT * FROM {table} LIMIT 1",
    ],
)
@pytest.mark.parametrize(
    ("table", "column"), [("meta", "value"), ("journal", "payload"), ("keys", "seq"), ("signatures", "signature")]
)
def test_what_was_written_is_neither_changed_nor_deleted(journal, table, column, change):
    append(journal, trade(1))
    journal.add_signature(2, b"key", b"signature", 1)
    with raw(journal) as db:
        before = db.execute(f"SELECT * FROM {table}").fetchall()
        with pytest.raises(sqlite3.IntegrityError, match=f"the table {table} is append-only"):
            db.execute(change.format(table=table, column=column))
        assert db.execute(f"SELECT * FROM {table}").fetchall() == before != []


def test_nothing_is_inserted_before_the_end(journal):
    append(journal, *(trade(n) for n in range(3)))
    with raw(journal) as db:
        for seq in (-1, 0, 2, 4):
            with pytest.raises(sqlite3.IntegrityError):
                db.execute("INSERT INTO journal VALUES (?, 3, x'00', x'00')", (seq,))


def tamper(journal, *statements):
    """Change the file as somebody would who removes the triggers first."""
    with raw(journal) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            db.execute(statement)


TAMPERED = {
    "a payload": (
        "UPDATE journal SET payload = zeroblob(length(payload)) WHERE seq = 3",
        {3: "not follow|not an|filed under it"},
    ),
    "a hash": ("UPDATE journal SET hash = zeroblob(32) WHERE seq = 3", {3: "not follow", 4: "not follow"}),
    "the first": ("DELETE FROM journal WHERE seq = 1", {2: "stands where entry 1 should|not follow"}),
    "a middle one": (
        "DELETE FROM journal WHERE seq = 3",
        {3: "key 'order-2' is filed under it", 4: "stands where entry 3 should|not follow"},
    ),
    "the last": ("DELETE FROM journal WHERE seq = 5", {5: "key 'order-4' is filed under it"}),
    "all": ("DELETE FROM journal", {0: "empty", **dict.fromkeys((2, 3, 4, 5), "filed under it")}),
    "a kind": ("UPDATE journal SET kind = 8 WHERE seq = 4", {4: "filed under kind 8, but is trade"}),
    "a number": ("UPDATE journal SET seq = 9 WHERE seq = 5", {9: "stands where|not follow|filed under 5", 5: "key"}),
    "a key's entry": (
        "UPDATE keys SET seq = 3 WHERE seq = 2",
        {2: "key 'order-1' is filed under 3", 3: "key 'order-1' is filed under it"},
    ),
    "a key": ("DELETE FROM keys WHERE seq = 3", {3: "key 'order-2' is filed under no entry"}),
    "a key too many": ("INSERT INTO keys VALUES ('new', 4)", {4: "key 'new' is filed under it"}),
    "a key of nothing": ("INSERT INTO keys VALUES ('new', 77)", {77: "key 'new' is filed under it"}),
    "a key's letters": (
        "UPDATE keys SET key = CAST(x'ff' AS TEXT) WHERE seq = 5",
        {5: "filed under no entry|is filed under it"},
    ),
    "two that change places": (
        "UPDATE journal SET seq = CASE seq WHEN 3 THEN -4 WHEN 4 THEN -3 END WHERE seq IN (3, 4);"
        "UPDATE journal SET seq = -seq WHERE seq < 0",
        {3: "not follow|filed under", 4: "not follow|filed under", 5: "not follow"},
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampering_is_found_without_the_triggers(journal, name):
    append(journal, *(trade(n) for n in range(1, 5)))
    assert journal.verify_chain() == []
    statement, expected = TAMPERED[name]
    tamper(journal, *statement.split(";"))
    faults = journal.verify_chain()
    assert {fault.seq for fault in faults} == set(expected)
    for fault in faults:
        assert any(part in fault.what for part in expected[fault.seq].split("|")), fault
    with Journal.open(journal.path.parent, read_only=True) as reader:
        assert reader.verify_chain() == faults


@pytest.mark.parametrize("note", ["snapshot", "signature"])
def test_a_missing_end_shows_by_what_was_noted_of_it(journal, note):
    append(journal, *(trade(n, "") for n in range(1, 5)))
    journal.add_snapshot(4, "a") if note == "snapshot" else journal.add_signature(4, b"key", b"signature", 1)
    assert journal.verify_chain() == []
    tamper(journal, "DELETE FROM journal WHERE seq > 3")
    (fault,) = journal.verify_chain()
    assert fault.seq == 4
    assert "the journal ends at 3" in fault.what


def test_a_changed_trade_shows_even_if_its_hash_was_computed_anew(journal):
    append(journal, *(trade(n) for n in range(1, 5)))
    before = next(journal.entries(after=2)).hash
    payload = encode(trade(99, "order-3"))
    new = chain_hash(before, 4, payload)
    tamper(journal, f"UPDATE journal SET payload = x'{payload.hex()}', hash = x'{new.hex()}' WHERE seq = 4")
    assert [fault.seq for fault in journal.verify_chain()] == [5]


def test_an_index_that_hides_an_entry_is_found(journal):
    append(journal, Entry("issue", 1), Entry("issue", 2))
    tamper(
        journal,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = replace(sql, '(0, 1, 2)', '(0, 1, 3)') WHERE name = 'journal_catalogue'",
        "PRAGMA writable_schema = RESET",
        "REINDEX journal_catalogue",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = replace(sql, '(0, 1, 3)', '(0, 1, 2)') WHERE name = 'journal_catalogue'",
    )
    with Journal.open(journal.path.parent, read_only=True) as reader:
        assert [record.seq for record in reader.entries(kinds=("issue",))] == []
        assert any("missing from index" in fault.what for fault in reader.verify_chain())


@pytest.mark.parametrize("seed", range(25))
def test_a_damaged_file_is_found_or_was_not_read(tmp_path, seed):
    """Overwrite bytes anywhere in the file: either it shows, or no entry, key or kind has changed."""
    rng = random.Random(seed)
    with Journal.create(tmp_path, {}, FIRST) as journal:
        append(journal, *(trade(n) for n in range(200)))
        good = [(record.seq, record.payload, record.hash) for record in journal.entries()]
    content = bytearray(journal.path.read_bytes())
    at = rng.randrange(100, len(content) - 8)
    content[at : at + 8] = rng.randbytes(8)
    journal.path.write_bytes(content)
    try:
        with Journal.open(tmp_path, read_only=True) as reader:
            if reader.verify_chain() == []:
                assert [(record.seq, record.payload, record.hash) for record in reader.entries()] == good
                assert [reader.find_key(f"order-{n}") for n in range(200)] == list(range(2, 202))
    except RegistryError:
        pass  # said at opening: a header or the schema was hit


def test_a_file_cut_short_is_corrupt_and_named(journal):
    append(journal, *(trade(n) for n in range(200)))
    journal.close()
    journal.path.write_bytes(journal.path.read_bytes()[: 8 * 4096])
    with pytest.raises(CorruptError, match=f"{FILE} is not as it was written.*restore"):
        Journal.open(journal.path.parent)


def test_a_page_that_is_lost_is_corrupt_and_a_fault(journal):
    append(journal, *(trade(n) for n in range(200)))
    journal.close()
    content = journal.path.read_bytes()
    pages = [content[at : at + 4096] for at in range(0, len(content), 4096)]
    (lost,) = (page for page in pages if page[0] == 13 and b"order-150" in page)  # a leaf of the table
    journal.path.write_bytes(content.replace(lost, bytes(4096)))
    with Journal.open(journal.path.parent, read_only=True) as reader:
        with pytest.raises(CorruptError, match=f"{FILE} is not as it was written.*restore"):
            numbers(reader)
        assert any("malformed" in fault.what for fault in reader.verify_chain())


# --- other processes, kills and full disks

READER = """
seen = []
with Journal.open(folder, read_only=True) as journal:
    print("ready", flush=True)
    while not seen or seen[-1] < int(sys.argv[2]):
        records = list(journal.entries())
        assert [record.seq for record in records] == list(range(1, len(records) + 1))
        assert journal.position >= len(records)
        seen.append(len(records))
print(json.dumps(seen))
"""


def test_readers_in_other_processes_see_whole_groups_only(journal):
    groups = 60
    with child(READER, journal.path.parent, 1 + 7 * groups) as process:
        process.stdout.readline()
        for group in range(groups):
            append(journal, *(trade(10 * group + n) for n in range(7)))
            if group % 20 == 9:
                journal.checkpoint()
        seen = json.loads(process.communicate(timeout=PATIENCE_S)[0])
    assert seen == sorted(seen)
    assert {(count - 1) % 7 for count in seen} == {0}


def test_threads_with_their_own_journals_read_while_one_writes(journal):
    troubles, done = [], threading.Event()

    def read():
        try:
            with Journal.open(journal.path.parent, read_only=True) as reader:
                while not done.is_set():
                    assert (reader.position - 1) % 5 == 0
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for group in range(40):
        append(journal, *(trade(10 * group + n) for n in range(5)))
    done.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert troubles == []


WRITER = """
rng = random.Random(int(sys.argv[2]))
with Journal.open(folder) as journal:
    for group in range(10**6):
        size = rng.randrange(1, 9)
        with WriterLock(folder / "writer.lock", PATIENCE_S):
            receipts = append(journal, *(trade(100 * group + n) for n in range(size)))
            if rng.random() < 0.1:
                journal.checkpoint(truncate=rng.random() < 0.5)
        print(json.dumps([[each.seq, each.hash.hex()] for each in receipts]), flush=True)
"""


@pytest.mark.parametrize("seed", range(10))
def test_after_a_kill_everything_acknowledged_is_there_and_nothing_half_done(tmp_path, seed):
    Journal.create(tmp_path, {}, FIRST).close()
    with child(WRITER, tmp_path, seed) as process:
        lines = [process.stdout.readline()]
        time.sleep(0.01 + random.Random(seed).random() * 0.08)
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.read().splitlines()
    acknowledged = [pair for line in lines if line.endswith(("]", "]\n")) for pair in json.loads(line)]
    with Journal.open(tmp_path) as journal:
        assert journal.verify_chain() == []
        stored = [[record.seq, record.hash.hex()] for record in journal.entries(after=1)]
        assert stored[: len(acknowledged)] == acknowledged
        # one group may have been committed and not yet been acknowledged: it is whole, for its size was drawn so
        rng, whole = random.Random(seed), [0]
        while whole[-1] < len(stored):
            whole.append(whole[-1] + rng.randrange(1, 9))
            if rng.random() < 0.1:
                rng.random()
        assert whole[-1] == len(stored)
        assert len(acknowledged) in whole[-2:]
        assert [record.entry for record in journal.entries(after=1)] == [
            trade(100 * group + n) for group, (a, b) in enumerate(pairwise(whole)) for n in range(b - a)
        ]
        append(journal, trade(7, "after"))


RACER = """
name = sys.argv[2]
with Journal.open(folder) as journal:
    for group in range(int(sys.argv[3])):
        with WriterLock(folder / "writer.lock", PATIENCE_S), journal.transaction() as transaction:
            for n in range(5):
                transaction.append(trade(group, f"{name}-{group}-{n}"))
"""


def test_two_writers_never_interleave(tmp_path):
    Journal.create(tmp_path, {}, FIRST).close()
    writers = [child(RACER, tmp_path, name, 60) for name in ("a", "b", "c")]
    for process in writers:
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
    with Journal.open(tmp_path) as journal:
        keys = [record.entry.key for record in journal.entries(after=1)]
        assert journal.verify_chain() == []
    groups = [keys[at : at + 5] for at in range(0, len(keys), 5)]
    assert all(group == [group[0][:-1] + str(n) for n in range(5)] for group in groups)
    assert sorted(keys) == sorted(f"{name}-{group}-{n}" for name in "abc" for group in range(60) for n in range(5))


FULL_DISK = """
said = []
with Journal.open(folder) as journal:
    append(journal, trade(0))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.log_bytes + 40_000, limits[1]))
    for group in range(100):
        try:
            append(journal, *(trade(1000 * (group + 1) + n) for n in range(20)))
        except GcrError as error:
            said.append(f"{type(error).__name__}: {error}")
            break
    stored = journal.position
    assert not journal._db.in_transaction
    again = 0
    try:
        append(journal, *(trade(10**6 + n) for n in range(2000)))
    except GcrError as error:
        again = 1
    assert journal.position == stored
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    append(journal, trade(9))
    print(json.dumps([said, group, stored, again, journal.position, journal.verify_chain()]))
"""


def test_a_full_disk_loses_nothing_and_the_journal_can_be_used_afterwards(tmp_path):
    Journal.create(tmp_path, {}, FIRST).close()
    with child(FULL_DISK, tmp_path) as process:
        (said,), groups, stored, again, position, faults = json.loads(process.stdout.read())
    assert said.startswith("OutputError: cannot write")
    assert said.endswith("nothing of it was kept")
    assert groups > 0
    assert stored == 2 + 20 * groups  # the group that failed is absent, the others are whole
    assert again == 1
    assert position == stored + 1
    assert faults == []
    with Journal.open(tmp_path) as journal:
        assert journal.position == position
        assert numbers(journal)[-1] == 9


def test_a_torn_log_gives_back_a_beginning_of_whole_groups(journal, tmp_path_factory):
    """Cut the write-ahead log anywhere, as a power failure may: what is left is what some earlier commit left."""
    states = {journal.position: journal.head()}
    for group in range(6):
        append(journal, *(trade(10 * group + n) for n in range(4)))
        states[journal.position] = journal.head()
    log = Path(f"{journal.path}-wal").read_bytes()
    rng, seen = random.Random(3), set()
    for number in range(30):
        folder = tmp_path_factory.mktemp(f"torn{number}")
        shutil.copy(journal.path, folder)
        torn = bytearray(log[: rng.randrange(len(log) + 1)])
        if number % 2 and torn:
            torn[rng.randrange(len(torn))] ^= 1
        (folder / f"{FILE}-wal").write_bytes(torn)
        with Journal.open(folder) as again:
            assert states[again.position] == again.head()
            assert again.verify_chain() == []
            seen.add(again.position)
    assert len(seen) > 3


def test_decoding_is_left_to_who_asks_for_it(journal):
    append(journal, trade(1))
    *_, record = journal.entries()
    assert record.entry is record.entry
    assert decode(record.payload) == record.entry
