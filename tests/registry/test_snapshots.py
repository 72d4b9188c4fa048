"""Snapshots: a cache of the state, left where it saves more than it costs, and never believed without a look."""

import os
import shutil

import numpy as np
import pytest
from oracle.damage import write_over
from oracle.lively import NOW, parents
from pyarrow import ipc

from gcr_fast.errors import CorruptError, UsageError
from gcr_fast.registry import keeper, replay, segments, snapshots
from gcr_fast.registry.audit import verify
from gcr_fast.registry.catalogue import Catalogue
from gcr_fast.registry.registry import Registry
from gcr_fast.registry.snapshots import SNAPSHOTS
from gcr_fast.registry.state import State
from gcr_fast.registry.stored import PIECE


def opened(folder):
    return Registry.open(folder, clock=lambda: NOW)


def stored(folder):
    return segments.listing(folder / SNAPSHOTS)


def facts(state):
    """Everything that a state knows, as plain values."""
    rows = range(state.catalogue.rows)
    pieces = range(PIECE, PIECE + len(state.pieces))
    return {
        "position": state.position,
        "holdings": [state.holding(handle) for handle in (*rows, *pieces)],
        "traded": [state.was_traded(handle) for handle in (*rows, *pieces)],
        "pieces": state.pieces.rows.tolist(),
        "pieces_of": state.pieces_of,
        "touched": state.touched,
        "touches": state.touches.rows.tolist(),
        "claims": [(state.references.words[at], start) for at, start in state.claims.rows.tolist()],
        "trades": state.trades,
        "sums": [table[table.any(axis=(1, 2))].tolist() for table in (state.by_owner, state.by_source, state.by_month)],
    }


def replayed(registry):
    """The state by replay from the first entry, whatever snapshots there are."""
    return replay.replayed(registry.journal, State(Catalogue(registry.folder)), registry.position)


def loaded(registry, position, name):
    """The state that a snapshot has."""
    issued = registry.journal.entries(upto=position, kinds=replay.ISSUED)
    return replay.loaded(registry.folder, issued, name)


# --- what a snapshot holds


def test_a_loaded_state_is_the_replayed_one_in_everything(folder):
    with opened(folder) as registry:
        registry.snapshot()
        newest = registry.journal.snapshots()[0]
        assert newest.position == registry.position
        found = facts(loaded(registry, *newest))
        assert found == facts(replayed(registry))
        assert all(found[name] for name in ("pieces", "claims", "trades"))  # else this would tell nothing


@pytest.mark.parametrize("position", [6, 8, 12, 17])
def test_every_position_can_be_saved_and_loaded(folder, position):
    with opened(folder) as registry:
        past = registry.as_of(position)
        name = snapshots.save(past, folder)
        assert facts(loaded(registry, position, name)) == facts(past)


def test_what_follows_a_loaded_state_is_as_if_it_had_never_been_saved(folder):
    with opened(folder) as registry:
        registry.snapshot()
    with opened(folder) as registry:
        assert registry._snapshot_at == registry.position  # it was loaded, nothing was replayed
        registry.trade({"parent": "WIND-1", "status": "ACTIVE"}, "South", "North", wh=100_003)
        registry.issue(*parents({"certificate_id": "NEW"}))
        registry.add_party("Late")
        registry.trade({"parent": "NEW"}, "North", "Late")
        assert facts(registry.state) == facts(replayed(registry))


def test_untouched_parents_take_no_room(tmp_path):
    sizes = []
    for count in (1, 200):
        with Registry.create(tmp_path / str(count), clock=lambda: NOW) as registry:
            registry.issue(*parents(*({"certificate_id": f"P{at}"} for at in range(count))), create_parties=True)
            registry.trade({"parent": "P0"}, "North", "Buyer", create_parties=True)
            registry.snapshot()
            (name,) = stored(registry.folder)
            sizes.append((registry.folder / SNAPSHOTS / name).stat().st_size)
    assert sizes[0] == sizes[1]


# --- when one is left


def test_opening_and_asking_leaves_none(folder):
    before = stored(folder)
    for read_only in (True, False):
        with Registry.open(folder, read_only) as registry:
            assert registry.query().count
    assert stored(folder) == before


def test_a_few_small_changes_leave_none_and_many_do(folder):
    with opened(folder) as registry:
        registry.snapshot()
        names = registry.query(parent="SUN-1", owner="South").to_table(certificate_ids=True)["certificate_id"]
    before = stored(folder)
    with opened(folder) as registry:
        registry.trade([names[0].as_py()], "South", "Trader")
        registry.add_party("Another")
        assert registry.position == registry._snapshot_at + 2
    assert stored(folder) == before
    with opened(folder) as registry:
        with registry.group():
            for number in range(2 * keeper.LEAVE_US // keeper.ENTRY_US):
                registry.add_party(f"party {number}")
        position = registry.position
    assert newest_position(folder) == position


def newest_position(folder):
    with Registry.open(folder, read_only=True) as registry:
        return registry.journal.snapshots()[0].position


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.trade({"parent": "WIND-1", "status": "ACTIVE"}, "South", "North"),
        lambda r: r.trade({"parent": "WIND-1", "status": "ACTIVE"}, "South", "North", wh=1),
        lambda r: r.issue(*parents({"certificate_id": "NEW"})),
    ],
    ids=["many rows", "a split", "an issue"],
)
def test_what_needs_kernels_to_replay_leaves_one(folder, change):
    with opened(folder) as registry:
        registry.snapshot()
    with opened(folder) as registry:
        change(registry)
        position = registry.position
    assert newest_position(folder) == position


def test_one_that_would_take_longer_than_a_replay_is_not_left(folder, monkeypatch):
    with opened(folder) as registry:
        registry.snapshot()
    before = stored(folder)
    monkeypatch.setattr(keeper, "LEAVE_US", keeper.KERNELS_US + 1)
    with opened(folder) as registry:
        registry.trade({"parent": "WIND-1", "status": "ACTIVE"}, "South", "North")
    assert stored(folder) == before
    monkeypatch.undo()
    monkeypatch.setattr(keeper, "ROWS_PER_US", 1e-6)  # rows of touched parents count
    with opened(folder) as registry:
        registry.trade({"parent": "WIND-1", "status": "ACTIVE"}, "North", "South")
    assert stored(folder) == before


def test_closing_folds_the_log_in_any_case(folder):
    with opened(folder) as registry:
        registry.snapshot()
        reader = Registry.open(folder, read_only=True)  # while it is open SQLite keeps the log
        registry.add_party("Another")
        assert registry.journal.log_bytes
    assert reader.journal.log_bytes == 0
    assert reader.refresh().state.catalogue.parties.find("Another")
    reader.close()


def test_closing_again_changes_nothing(folder):
    registry = opened(folder)
    registry.trade({"parent": "WIND-1", "status": "ACTIVE"}, "South", "North")
    registry.close()
    before = stored(folder)
    registry.close()
    assert stored(folder) == before


def test_a_long_life_leaves_them_on_the_way(folder, monkeypatch):
    monkeypatch.setattr(keeper, "SNAPSHOT_EVERY", 5)
    with opened(folder) as registry:
        registry.snapshot()
        first, positions = registry.position, set()
        for number in range(12):
            registry.add_party(f"party {number}")
            positions.add(registry.journal.snapshots()[0].position)
    assert sorted(positions) == [first, first + 5, first + 10]


def test_only_the_newest_are_kept(folder):
    with opened(folder) as registry:
        for number in range(5):
            registry.add_party(f"party {number}")
            registry.snapshot()
        kept = registry.journal.snapshots()
        assert [one.position for one in kept] == [registry.position, registry.position - 1]
        assert len(kept) == keeper.SNAPSHOTS_KEPT
    assert stored(folder) == {one.name for one in kept}


def test_a_group_leaves_none_and_says_why(folder):
    with opened(folder) as registry:
        before = registry.journal.snapshots()
        with registry.group():
            registry.add_party("Another")
            with pytest.raises(UsageError, match="group is over"):
                registry.snapshot()
        assert registry.journal.snapshots() == before
        assert registry.state.catalogue.parties.find("Another") is not None
        registry.snapshot()
        assert registry.journal.snapshots()[0].position == registry.position


# --- when one is not what it should be


def rewritten(folder, name, **columns):
    """Store the snapshot again with other columns, under its right name."""
    table = segments.open_table(folder / SNAPSHOTS, name)
    for column, values in columns.items():
        place = table.schema.get_field_index(column)
        table = table.set_column(place, table.schema.field(place), [values])
    return segments.write_table(folder / SNAPSHOTS, table).name


@pytest.mark.parametrize(("column", "value"), [("version", 1), ("parents", 4), ("parties", 99)])
def test_one_of_another_version_or_journal_is_refused(folder, column, value):
    with opened(folder) as registry:
        registry.snapshot()
        position, name = registry.journal.snapshots()[0]
        loaded(registry, position, rewritten(folder, name))  # as it is, it loads
        with pytest.raises(CorruptError):
            loaded(registry, position, rewritten(folder, name, **{column: [value]}))


@pytest.mark.parametrize("damage", ["flipped", "cut", "missing", "emptied"])
def test_opening_passes_over_a_damaged_one(folder, damage):
    with opened(folder) as registry:
        registry.snapshot()
        registry.add_party("Another")
        registry.snapshot()
        wanted, place = facts(registry.state), folder / SNAPSHOTS / registry.journal.snapshots()[0].name
    sound = place.read_bytes()
    data = bytearray(sound)
    data[len(data) // 2] ^= 1
    if damage == "missing":
        place.unlink()
    else:
        write_over(place, {"flipped": bytes(data), "cut": bytes(data[:-9]), "emptied": b""}[damage])
    with opened(folder) as registry:
        assert facts(registry.state) == wanted
        older = registry.journal.snapshots()[1].position
        assert registry._snapshot_at == older  # the one before it is sound, so only its tail was replayed
    assert place.read_bytes() == bytes(sound)  # and whoever may write leaves it as it was
    assert verify(folder).ok


def test_what_another_writer_left_meanwhile_is_enough(folder):
    with opened(folder) as one:
        with opened(folder) as other:
            other.trade({"parent": "WIND-1", "status": "ACTIVE"}, "South", "North")
            other.snapshot()
            newest = other.journal.snapshots()[0]
        assert one.refresh().position == newest.position > one._snapshot_at
        before = stored(folder)
    assert stored(folder) == before
    assert newest_position(folder) == newest.position


def test_without_any_the_journal_is_enough(folder):
    with opened(folder) as registry:
        wanted = facts(registry.state)
    shutil.rmtree(folder / SNAPSHOTS)
    with Registry.open(folder, read_only=True) as registry:
        assert facts(registry.state) == wanted
    with opened(folder) as registry:
        registry.snapshot()
    assert len(stored(folder)) == 1


def test_the_folder_is_never_synced_late(folder, monkeypatch):
    """A snapshot that the journal names is on disk: file first, then its name, then the note of it."""
    steps = []
    monkeypatch.setattr(snapshots.files, "sync_folder", lambda place: steps.append(("sync", len(stored(folder)))))
    with opened(folder) as registry:
        count = len(stored(folder))
        registry.add_party("Another")
        note = registry.journal.add_snapshot

        def noted(position, name):
            steps.append(("note", position))
            note(position, name)

        monkeypatch.setattr(registry.journal, "add_snapshot", noted)
        registry.snapshot()
        assert steps == [("sync", count + 1), ("note", registry.position)]


def test_a_new_registry_is_synced_up_to_the_folder_that_was_there(tmp_path, monkeypatch):
    synced, fsync = [], os.fsync

    def noted(handle):
        synced.append(os.fstat(handle).st_ino)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    Registry.create(tmp_path / "new" / "deep" / "registry").close()
    for place in (tmp_path, tmp_path / "new", tmp_path / "new" / "deep", tmp_path / "new" / "deep" / "registry"):
        assert place.stat().st_ino in synced


def test_a_snapshot_is_one_arrow_file_of_one_row(folder):
    (name, *_) = stored(folder)
    with ipc.open_file(folder / SNAPSHOTS / name) as file:
        table = file.read_all()
    assert table.num_rows == 1
    assert np.frombuffer(table["pieces"][0].as_buffer(), np.int64).size % len(snapshots.PIECE_COLUMNS) == 0
