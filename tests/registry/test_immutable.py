"""Whatever is called immutable, append-only or read-only: each test attempts the forbidden write."""

import dataclasses
import os
import shutil
import sqlite3
import stat
from contextlib import closing

import numpy as np
import pytest
from oracle.conversion import START
from oracle.lively import NOW, copied, lively, parents, row_of

from gcr_fast import codes
from gcr_fast.errors import OutputError, ReadOnlyError, RegistryError, UsageError
from gcr_fast.registry import entries, filters, lifecycle, segments, signing
from gcr_fast.registry.catalogue import SEGMENTS
from gcr_fast.registry.database import FILE
from gcr_fast.registry.entries import NO_PAIRS, Entry, decode, encode
from gcr_fast.registry.journal import Journal
from gcr_fast.registry.keeper import SNAPSHOTS_KEPT
from gcr_fast.registry.lock import LOCK
from gcr_fast.registry.partial import PARTIAL
from gcr_fast.registry.registry import Registry
from gcr_fast.registry.selection import Selection
from gcr_fast.registry.snapshots import SNAPSHOTS
from gcr_fast.registry.where import Where

TABLES = {
    "journal": ("seq", "payload"),
    "meta": ("key", "value"),
    "keys": ("key", "seq"),
    "signatures": ("id", "signature"),
}


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("immutable") / "registry"
    with lively(folder) as registry:
        registry.journal.add_signature(registry.position, b"key", b"signature", NOW)
    return folder


@pytest.fixture
def reader(folder):
    with Registry.open(folder, read_only=True, clock=lambda: NOW) as registry:
        yield registry


def raw(folder):
    return closing(sqlite3.connect(folder / FILE, isolation_level=None))


def contents(folder):
    """What the files hold; SQLite's index of its log is no content."""
    wanted = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal")))
    return {str(path.relative_to(folder)): path.read_bytes() for path in wanted}


# --- the journal, by any program that opens the file


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET {value} = {value}",
        "DELETE FROM {table}",
        "INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1",
        "REPLACE INTO {table} SELECT * FROM {table} LIMIT 1",
        "UPDATE OR REPLACE {table} SET {key} = {key}",
        "INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT DO UPDATE SET {value} = excluded.{value}",
    ],
)
def test_no_row_of_the_journal_is_changed_removed_or_replaced(folder, table, statement):
    key, value = TABLES[table]
    with raw(folder) as db:
        before = db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()
        assert before
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(statement.format(table=table, key=key, value=value))
        assert db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() == before


def test_no_entry_is_put_between_or_before_others(folder):
    with raw(folder) as db:
        for seq in (-1, 0, 3):
            with pytest.raises(sqlite3.IntegrityError):
                db.execute("INSERT INTO journal VALUES (?, 3, x'00', x'00')", (seq,))


def test_an_entrys_columns_take_no_other_types(folder):
    with raw(folder) as db, pytest.raises(sqlite3.IntegrityError):
        db.execute("INSERT INTO journal VALUES (1000, 'trade', 'text', 3)")


# --- entries


def test_an_entry_and_its_arrays_cannot_be_written():
    entry = decode(encode(Entry("trade", 1, runs=np.array([[1, 2]]), splits=np.array([[7, 3]]))))
    with pytest.raises(dataclasses.FrozenInstanceError):
        entry.energy_wh = 5
    for pairs in (entry.runs, entry.splits, NO_PAIRS):
        assert not pairs.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        entry.runs[0, 0] = 9
    with pytest.raises(ValueError, match="read-only"):
        entry.splits[0, 1] = 9


def test_a_receipt_and_a_record_cannot_be_written(reader):
    record = next(reader.journal.entries())
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.hash = b""
    with pytest.raises(TypeError):
        reader.head()[0] = "x"


def test_what_is_handed_out_cannot_be_written(folder):
    with Registry.open(folder, clock=lambda: NOW) as registry:
        receipt = registry.add_party("New")
        report = registry.verify()
        for frozen, name in (
            (receipt, "energy_wh"),
            (registry.statistics(), "position"),
            (registry.deadline, "expiry_months"),
        ):
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(frozen, name, 1)
        for row in (report.checks[0], registry.journal.snapshots()[0], registry.journal.signatures()[0]):
            with pytest.raises(AttributeError):
                row.name = "x"
            with pytest.raises(TypeError):
                row[0] = "x"


# --- vocabularies: positions are codes on disk

ON_DISK = {
    "STATUSES": "ACTIVE RESERVED LOCKED RETIRED CLAIMED EXPIRED WITHDRAWN SPLIT",
    "BASES": "metered_hourly metered_scaled facility_profile regional_technology_profile flat",
    "SOURCE_TYPES": (
        "solar wind hydro geothermal biomass other nuclear marine wind_onshore wind_offshore hydro_run_of_river"
        " hydro_reservoir waste storage_discharge fossil"
    ),
    "KINDS": "create party issue trade reserve release lock unlock retire claim expire withdraw",
}
"""What registries have been written with; words may follow, none may move or go."""


@pytest.mark.parametrize("name", ON_DISK)
def test_a_vocabulary_keeps_its_words_in_their_places(name):
    vocabulary, known = getattr(entries if name == "KINDS" else codes, name), ON_DISK[name].split()
    assert list(vocabulary[: len(known)]) == known
    with pytest.raises(TypeError):
        vocabulary[0] = "something else"


# --- what exists is not written over


def test_no_registry_is_made_over_another(folder):
    (folder / LOCK).write_text("{}")  # even who held the lock last stays as it is
    before = contents(folder)
    with pytest.raises(RegistryError, match="holds a registry already"):
        Registry.create(folder)
    assert contents(folder) == before


def test_no_key_is_written_over(tmp_path):
    signing.generate_key(tmp_path / "key.pem")
    before = (tmp_path / "key.pem").read_bytes()
    with pytest.raises(OutputError, match="never overwritten"):
        signing.generate_key(tmp_path / "key.pem")
    assert (tmp_path / "key.pem").read_bytes() == before


def test_the_lock_file_stays_the_same_file(folder):
    with Registry.open(folder, clock=lambda: NOW) as registry:
        registry.add_party("One")
        first = (folder / LOCK).stat().st_ino
        registry.add_party("Two")
    assert (folder / LOCK).stat().st_ino == first  # another file of its name would be another lock


# --- segments


def test_a_mapped_segment_cannot_be_written_through_any_view(reader):
    block = reader.state.catalogue.blocks[0]
    for view in (block.energy, block.flat, block.energy[0], block.flat[3:5]):
        with pytest.raises(ValueError, match="read-only"):
            view[...] = 0
        with pytest.raises(ValueError, match=r"WRITEABLE|writeable"):
            view.flags.writeable = True


def test_a_block_cannot_be_pointed_at_another_file(reader):
    with pytest.raises(dataclasses.FrozenInstanceError):
        reader.state.catalogue.blocks[0].name = "x"


def test_no_change_of_certificates_writes_into_a_segment(folder):
    before = {name: (folder / SEGMENTS / name).read_bytes() for name in segments.listing(folder / SEGMENTS)}
    with Registry.open(folder, clock=lambda: NOW) as registry:
        registry.trade({"parent": "WIND-1", "status": "ACTIVE"}, "South", "North", wh=100_001)
        registry.retire({"parent": "WIND-1", "status": "ACTIVE", "owner": "North"}, "North", "Mill")
        registry.issue(*parents({"certificate_id": "NEW"}))
        registry.snapshot()
    for name, data in before.items():
        assert (folder / SEGMENTS / name).read_bytes() == data


def stored(folder):
    return [path for name in (SEGMENTS, SNAPSHOTS) for path in sorted((folder / name).iterdir())]


def test_a_stored_file_is_read_only_on_disk(folder):
    assert len(stored(folder)) >= 3  # energies, parents, a snapshot
    for path in stored(folder):
        assert stat.S_IMODE(path.stat().st_mode) & 0o222 == 0
        if os.geteuid():  # nothing is forbidden to root
            with pytest.raises(PermissionError):
                path.open("r+b")


def test_a_stored_file_keeps_to_what_its_user_lets_others_read(tmp_path):
    usual = os.umask(0o077)
    try:
        written = segments.write_energy(tmp_path, np.zeros((2, 5), np.int32))
    finally:
        os.umask(usual)
    assert stat.S_IMODE((tmp_path / written.name).stat().st_mode) == 0o400


def test_a_registry_with_read_only_files_is_copied_changed_swept_and_removed(folder, tmp_path):
    place = copied(folder, tmp_path / "again")
    with Registry.open(place, clock=lambda: NOW) as registry:
        left = place / SEGMENTS / (PARTIAL + "left")
        left.touch(0o444)
        for number in range(SNAPSHOTS_KEPT + 1):
            registry.add_party(f"Party {number}")
            registry.snapshot()  # the oldest is dropped
        assert registry.verify().ok
    with Registry.open(place, clock=lambda: NOW):
        assert not left.exists()
    assert len(list((place / SNAPSHOTS).iterdir())) == SNAPSHOTS_KEPT
    shutil.rmtree(place)
    assert not place.exists()


def test_a_stored_file_is_never_written_under_a_name_that_is_not_its_hash(folder, tmp_path):
    block = np.arange(10, dtype=np.int32).reshape(2, 5)
    written = segments.write_energy(tmp_path, block)
    block[0, 0] = 77
    assert segments.write_energy(tmp_path, block).name != written.name
    assert segments.check(tmp_path, written.name) is None


# --- a registry that was opened for reading

CHANGES = {
    "trade": lambda r: r.trade({"parent": "WIND-1", "status": "ACTIVE"}, "South", "North"),
    "reserve": lambda r: r.reserve({"parent": "WIND-1", "status": "ACTIVE"}, "South"),
    "release": lambda r: r.release({"parent": "WIND-1"}, "South"),
    "lock": lambda r: r.lock({"parent": "WIND-1", "status": "ACTIVE"}, reason="x"),
    "unlock": lambda r: r.unlock({"parent": "DARK-1", "status": "LOCKED"}, reason="x"),
    "retire": lambda r: r.retire({"parent": "WIND-1", "status": "ACTIVE"}, "South", "Mill"),
    "claim": lambda r: r.claim({"parent": "USED-1"}, "Town", "meter 9"),
    "expire": lambda r: r.expire(NOW + 10**9, {"parent": "WIND-1", "status": "ACTIVE"}, months=1),
    "withdraw": lambda r: r.withdraw({"parent": "WIND-1", "status": "ACTIVE"}, reason="x"),
    "add_party": lambda r: r.add_party("New"),
    "issue": lambda r: r.issue(*parents({"certificate_id": "NEW"})),
    "snapshot": lambda r: r.snapshot(),
    "sign": lambda r: r.sign("key.pem"),
    "group": lambda r: r.group().__enter__(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_reader_changes_nothing(reader, folder, change):
    before = contents(folder)
    with pytest.raises(ReadOnlyError):
        CHANGES[change](reader)
    assert contents(folder) == before


def test_what_a_reader_was_refused_a_writer_may(folder):
    for name, change in CHANGES.items():
        if name in ("release", "sign", "group"):
            continue
        target = copied(folder, folder.with_name(name))
        with Registry.open(target, clock=lambda: NOW) as registry:
            before = registry.position
            change(registry)
            assert registry.position > before or name == "snapshot"


def test_a_readers_journal_takes_nothing(folder):
    with Journal.open(folder, read_only=True) as journal:
        for attempt in (
            lambda: journal.transaction().__enter__(),
            lambda: journal.add_snapshot(1, "x"),
            lambda: journal.drop_snapshot("x"),
            lambda: journal.add_signature(1, b"", b"", 1),
            journal.checkpoint,
        ):
            with pytest.raises(ReadOnlyError):
                attempt()


def test_a_reader_leaves_no_lock_behind_and_takes_none(folder):
    (folder / LOCK).unlink()
    with Registry.open(folder, read_only=True) as reader:
        assert reader.query(parent="SUN-1").count
    assert not (folder / LOCK).exists()


# --- what was asked stays what it was


def test_a_table_that_was_queried_does_not_change_with_the_registry(folder):
    with Registry.open(folder, clock=lambda: NOW) as registry:
        table = registry.query(parent="WIND-1").to_table()
        before = table.to_pylist()
        registry.trade({"parent": "WIND-1", "status": "ACTIVE"}, "South", "North")
        assert table.to_pylist() == before
        assert registry.query(parent="WIND-1").to_table().to_pylist() != before


def test_the_past_cannot_be_written_into_the_present(folder):
    with Registry.open(folder, clock=lambda: NOW) as registry:
        row = row_of(registry, "SUN-1", 3)
        wanted = registry.state.holding(row)
        past = registry.as_of(registry.position)
        past.columns[0].owners[row] = 1 + past.columns[0].owners[row]
        assert registry.state.holding(row) == wanted
        assert registry.verify().ok


# --- tables of rules


def test_the_transition_table_cannot_be_written():
    with pytest.raises(TypeError):
        lifecycle.TRANSITIONS["trade"] = lifecycle.TRANSITIONS["retire"]
    with pytest.raises(AttributeError):
        lifecycle.TRANSITIONS["trade"].starts = (1,)
    for mask in (lifecycle.allowed("trade"), lifecycle.moves()):
        with pytest.raises(ValueError, match="read-only"):
            mask[0] = False


def test_what_is_kept_between_questions_cannot_be_written(reader):
    untouched = Selection(reader.state, Where(parent="USED-1", status="RETIRED")).all()
    masks = (
        filters.statuses("ACTIVE")[0],
        filters.statuses(None)[0],
        filters.clock(None),
        filters.clock(3),
    )
    for kept in (*masks, untouched.parents, untouched.owners, untouched.states):
        with pytest.raises(ValueError, match="read-only"):
            kept[...] = 0


def test_nothing_leaves_a_final_state_by_any_verb(folder):
    with Registry.open(folder, clock=lambda: NOW) as registry:
        final = registry.query(status=["CLAIMED", "EXPIRED", "WITHDRAWN"]).to_table(certificate_ids=True).to_pylist()
        assert {row["status"] for row in final} == {"CLAIMED", "EXPIRED", "WITHDRAWN"}
        position = registry.position
        for row in final[:: len(final) // 6]:
            one, owner = [row["certificate"]], row["owner"]
            for attempt in (
                lambda one=one, owner=owner: registry.trade(one, owner, "Trader" if owner != "Trader" else "North"),
                lambda one=one, owner=owner: registry.retire(one, owner, "Second"),
                lambda one=one, owner=owner: registry.reserve(one, owner),
                lambda one=one, owner=owner: registry.claim(one, owner, "another meter"),
                lambda one=one: registry.lock(one, reason="x"),
                lambda one=one: registry.unlock(one, reason="x"),
                lambda one=one: registry.withdraw(one, reason="x", compensation="y"),
                lambda one=one: registry.expire(START + 10**9, one, months=1),
            ):
                with pytest.raises(Exception, match="wrong_state") as caught:
                    attempt()
                assert not isinstance(caught.value, UsageError)
        assert registry.position == position
