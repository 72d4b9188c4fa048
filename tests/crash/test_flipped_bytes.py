"""Damage: a registry whose files were changed works as before or names the file; what is only a cache is made anew."""

import os
import random
import shutil
import sqlite3
from contextlib import closing

import crash_checks as checks
import pytest
from crash_checks import SEEDS
from oracle.damage import flip

from gcr_fast.errors import CorruptError, RegistryError
from gcr_fast.registry import segments
from gcr_fast.registry.catalogue import SEGMENTS
from gcr_fast.registry.database import FILE
from gcr_fast.registry.journal import Journal
from gcr_fast.registry.registry import Registry
from gcr_fast.registry.snapshots import SNAPSHOTS


def some_bytes(place, seed=1):
    size = place.stat().st_size
    return sorted(random.Random(seed).sample(range(size), min(size, 2 * SEEDS)))


def files_of(folder, which):
    """Return the parents files or the segments of a registry."""
    with Registry.open(folder, read_only=True) as registry:
        entries = [dict(record.entry.texts) for record in registry.journal.entries(kinds=("issue",))]
    return [folder / SEGMENTS / name for texts in entries for name in texts[which].split()]


def forget_snapshots(folder):
    shutil.rmtree(folder / SNAPSHOTS)
    (folder / SNAPSHOTS).mkdir()


@pytest.fixture
def wanted(folder):
    """What the registry has while it is sound."""
    with Registry.open(folder) as registry:
        return checks.certificates(registry.state)


@pytest.mark.parametrize("snapshots", [True, False], ids=["with snapshot", "without"])
def test_any_changed_byte_of_a_parents_file_is_named(folder, snapshots):
    place = files_of(folder, "parents")[1]
    if not snapshots:
        forget_snapshots(folder)
    for at in some_bytes(place):
        flip(place, at, at % 8)
        for read_only in (True, False):
            with pytest.raises(CorruptError, match=place.name):
                Registry.open(folder, read_only)
        flip(place, at, at % 8)
    checks.require_usable(folder)


def test_any_changed_byte_of_a_segment_is_named_or_changes_nothing(folder, wanted):
    """Opening does not read energies, which may be gigabytes: `segments.check` does, and `verify` by it."""
    place = files_of(folder, "segments")[1]
    for at in some_bytes(place):
        flip(place, at, at % 8)
        assert place.name in segments.check(place.parent, place.name)
        try:
            with Registry.open(folder, read_only=True) as registry:
                same = checks.certificates(registry.state).equals(wanted)
                assert same or not registry.verify().ok
        except CorruptError as error:
            assert place.name in str(error)  # noqa: PT017
        flip(place, at, at % 8)
    checks.require_usable(folder)


@pytest.mark.parametrize("which", ["parents", "segments"])
def test_a_file_that_is_missing_is_named_and_nothing_is_swept_for_it(folder, which):
    place = files_of(folder, which)[1]
    moved = place.rename(folder.parent / place.name)
    others = sorted(os.listdir(place.parent))
    with pytest.raises(CorruptError, match=place.name), Registry.open(folder) as registry:
        checks.certificates(registry.state)
    assert sorted(os.listdir(place.parent)) == others
    moved.rename(place)
    checks.require_usable(folder)


def test_any_changed_byte_of_a_snapshot_is_found_and_the_state_computed_anew(folder, wanted):
    with Registry.open(folder) as registry:
        registry.snapshot()
        name = registry.journal.snapshots()[0].name
    place = folder / SNAPSHOTS / name
    for at in some_bytes(place):
        flip(place, at, at % 8)
        with Registry.open(folder, read_only=True) as registry:
            assert checks.certificates(registry.state).equals(wanted)
            checks.require_equal(registry.state, checks.replayed(registry))
        flip(place, at, at % 8)


def test_a_damaged_snapshot_is_replaced_by_a_sound_one(folder, wanted):
    for place in (folder / SNAPSHOTS).iterdir():
        flip(place, place.stat().st_size // 2)
    with Registry.open(folder) as registry:
        assert checks.certificates(registry.state).equals(wanted)
    with Registry.open(folder, read_only=True) as registry:
        name = registry.journal.snapshots()[0].name
        assert segments.check(folder / SNAPSHOTS, name) is None
    checks.require_usable(folder)


@pytest.mark.parametrize("whole", [True, False], ids=["folder", "content"])
def test_snapshots_may_be_deleted(folder, wanted, whole):
    forget_snapshots(folder)
    if whole:
        (folder / SNAPSHOTS).rmdir()
    with Registry.open(folder, read_only=True) as reader:
        assert checks.certificates(reader.state).equals(wanted)
    with Registry.open(folder) as registry:
        checks.trade(registry)
    checks.require_usable(folder)


def rows_of(folder):
    """Return where the payload of each entry lies in the main file: (entry, its kind, first byte, bytes)."""
    with closing(sqlite3.connect(folder / FILE)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        rows = db.execute("SELECT seq, payload FROM journal").fetchall()
    content = (folder / FILE).read_bytes()
    found = [(seq, content.find(payload), payload) for seq, payload in rows]
    return [(seq, at, len(payload)) for seq, at, payload in found if at >= 0]  # long ones lie in several pages


@pytest.mark.parametrize("snapshots", [True, False], ids=["with snapshot", "without"])
def test_a_changed_byte_of_the_journal_is_named_or_was_not_needed(folder, wanted, snapshots):
    """An entry before a snapshot is not read when opening; `verify_chain` names every one."""
    if not snapshots:
        forget_snapshots(folder)
    rng = random.Random(5)
    rows = rows_of(folder)
    assert len(rows) > 8
    for seq, first, size in rows:
        for _ in range(3):
            at, bit = first + rng.randrange(size), rng.randrange(8)
            flip(folder / FILE, at, bit)
            try:
                with Registry.open(folder, read_only=True) as registry:
                    assert snapshots
                    assert checks.certificates(registry.state).equals(wanted)
            except CorruptError as error:
                assert f"entry {seq} " in str(error)  # noqa: PT017
            with Journal.open(folder, read_only=True) as journal:
                assert seq in {fault.seq for fault in journal.verify_chain()}
            flip(folder / FILE, at, bit)
    checks.require_usable(folder)


def test_a_damaged_entry_leaves_a_reader_with_what_it_had(folder, wanted):
    """It says which entry it is, and takes it in once it has been restored."""
    with Registry.open(folder, read_only=True) as reader, Registry.open(folder) as writer:
        writer.issue(*checks.batch("later"))
        place = files_of(folder, "segments")[-1]
        moved = place.rename(folder / "elsewhere")
        before = reader.position
        for _ in range(2):
            with pytest.raises(CorruptError, match=place.name):
                reader.refresh()
            assert reader.position == before
            assert checks.certificates(reader.state).equals(wanted)
        moved.rename(place)
        checks.require_equal(reader.refresh().state, writer.state)


def test_a_change_that_cannot_take_in_what_another_wrote_changes_nothing(folder):
    with Registry.open(folder) as one, Registry.open(folder) as other:
        one.issue(*checks.batch("later"))
        place = files_of(folder, "parents")[-1]
        moved = place.rename(folder / "elsewhere")
        for _ in range(2):
            with pytest.raises(CorruptError, match=place.name):
                checks.trade(other)
        moved.rename(place)
        assert checks.trade(other).entry == one.position + 1
        checks.require_sound(other)
    checks.require_usable(folder)


@pytest.mark.parametrize("cut", [0.1, 0.3, 0.6, 0.9])
def test_a_journal_cut_short_is_named(folder, wanted, cut):
    place = folder / FILE
    rows_of(folder)
    os.truncate(place, int(place.stat().st_size * cut))
    require_same_or_found(folder, wanted)


def test_a_changed_byte_anywhere_in_the_journal_is_named_or_was_not_needed(folder, wanted):
    rows_of(folder)
    for at in some_bytes(folder / FILE, seed=3):
        copy = shutil.copytree(folder, folder.parent / f"flipped{at}")
        flip(copy / FILE, at, at % 8)
        require_same_or_found(copy, wanted)
        shutil.rmtree(copy)


def require_same_or_found(folder, wanted):
    try:
        with Registry.open(folder, read_only=True) as registry:
            same = checks.certificates(registry.state).equals(wanted)
            assert same or registry.journal.verify_chain()
    except RegistryError as error:
        assert FILE in str(error) or str(folder) in str(error)  # noqa: PT017
