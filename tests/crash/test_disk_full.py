"""Full disks and failing ones: a clear error, the registry as it was, and usable once there is room again."""

import errno
import os
import shutil

import crash_checks as checks
import pytest

from gcr_fast.errors import GcrError, OutputError
from gcr_fast.registry.registry import Registry

pytestmark = pytest.mark.slow

ROOMS = [0, 600, 5_000, 9_000, 30_000, 70_000]
"""Bytes that no file may pass: within the first page of the log, within its entries, within a segment."""


def tried(start, folder, **options):
    """Let a child do it with little room; return the refusal, after checking what it left."""
    child = start("full", folder, **options)
    (end,) = [line for line in child.done() if "refused" in line]
    with Registry.open(folder) as registry:
        assert checks.pairs(registry) == end["told"]
        checks.require_swept(registry)
        checks.require_sound(registry)
    return end["refused"]


@pytest.mark.parametrize("work", ["trade", "issue", "group", "long", "snapshot"])
def test_a_file_that_cannot_grow_is_said_and_nothing_of_the_change_is_kept(folder, tmp_path, start, work):
    refusals = []
    for room in ROOMS:
        copy = shutil.copytree(folder, tmp_path / f"{work}{room}")
        refusals.append(tried(start, copy, work=work, limit="FSIZE", room=room))
        shutil.rmtree(copy)
    refused = [said for said in refusals if said]
    assert len(refused) >= 1
    assert {said.split(":")[0] for said in refused} == {"OutputError"}
    assert refusals == sorted(refusals, key=lambda said: not said)  # the less room, the more is refused


def test_no_more_open_files_is_said_and_nothing_of_an_issue_is_kept(folder, tmp_path, start):
    refusals = []
    for room in range(8):
        copy = shutil.copytree(folder, tmp_path / str(room))
        refusals.append(tried(start, copy, work="issue", limit="NOFILE", room=room))
    assert len({bool(said) for said in refusals}) == 2


# --- errors of single calls


def failing(monkeypatch, name, at, number):
    """Let the call number `at` of `os.name` fail; return the list of calls."""
    calls, real = [], getattr(os, name)

    def called(*arguments, **options):
        calls.append(arguments)
        if len(calls) == at:
            raise OSError(number, os.strerror(number))
        return real(*arguments, **options)

    monkeypatch.setattr(os, name, called)
    return calls


def issue(registry):
    registry.issue(*checks.batch(f"more{registry.position}"))


def group(registry):
    with registry.group():
        checks.trade(registry, actor="a" * 9000)
        issue(registry)
        checks.trade(registry)


WORKS = {"issue": issue, "snapshot": Registry.snapshot, "group": group}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
@pytest.mark.parametrize("name", ["write", "fsync", "replace"])
@pytest.mark.parametrize("work", WORKS)
def test_a_call_that_fails_leaves_the_registry_as_it_was(folder, monkeypatch, work, name, number):
    with Registry.open(folder) as registry:
        checks.trade(registry)
        before, wanted = registry.position, checks.certificates(registry.state)
        for at in range(1, 1000):
            with monkeypatch.context() as patch:
                calls = failing(patch, name, at, number)
                try:
                    WORKS[work](registry)
                except OutputError as error:
                    assert os.strerror(number) in str(error)  # noqa: PT017
                else:
                    break
                assert len(calls) >= at
            assert registry.position == registry.journal.position == before
            assert checks.certificates(registry.state).equals(wanted)
        assert at > 1
        checks.require_sound(registry)
        checks.trade(registry)
        told = checks.pairs(registry)
    with Registry.open(folder) as registry:
        assert checks.pairs(registry) == told
    checks.require_usable(folder)


@pytest.mark.parametrize("work", ["trade", "group"])
def test_a_database_that_may_not_grow_is_said_and_nothing_of_the_change_is_kept(folder, work):
    """SQLite's own limit of pages, which it reports as a full disk."""
    do = {"trade": lambda registry: checks.trade(registry, actor="a" * 9000), "group": group}[work]
    with Registry.open(folder) as registry:
        (pages,) = registry.journal._db.execute("PRAGMA page_count").fetchone()
        wanted, before = checks.certificates(registry.state), registry.position
        registry.journal._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(OutputError, match="full"):
            do(registry)
        assert registry.position == registry.journal.position == before
        assert checks.certificates(registry.state).equals(wanted)
        registry.journal._db.execute("PRAGMA max_page_count = 1000000")
        do(registry)
        checks.require_sound(registry)
    checks.require_usable(folder)


# --- what is done besides


def test_a_change_is_acknowledged_though_there_is_no_room_for_a_snapshot_after_it(
    folder, monkeypatch, usual_housekeeping
):
    """It is durable by then: an error would have it done again."""
    with Registry.open(folder) as registry:
        checks.housekeeping(every=1, log_bytes=1 << 30)
        before = registry.position
        with monkeypatch.context() as patch:
            calls = failing(patch, "fsync", 1, errno.ENOSPC)
            assert checks.trade(registry).entry == before + 1
            assert calls
        checks.trade(registry)
        assert registry.journal.snapshots()[0].position == before + 2
        checks.require_sound(registry)
    checks.require_usable(folder)


def test_a_change_is_acknowledged_though_the_log_cannot_be_folded(folder, monkeypatch, usual_housekeeping):
    def full(*arguments, **options):
        raise OutputError("cannot write: database or disk is full")

    with Registry.open(folder) as registry:
        checks.housekeeping(every=1000, log_bytes=0)
        before = registry.position
        with monkeypatch.context() as patch:
            patch.setattr(type(registry.journal), "checkpoint", full)
            assert checks.trade(registry).entry == before + 1
    checks.require_usable(folder)


def test_closing_without_room_for_a_snapshot_closes(folder, monkeypatch):
    registry = Registry.open(folder)
    checks.trade(registry)
    told = checks.pairs(registry)
    with monkeypatch.context() as patch:
        calls = failing(patch, "fsync", 1, errno.ENOSPC)
        registry.close()
        assert calls
    with pytest.raises(GcrError, match="closed"):
        registry.refresh()
    with Registry.open(folder) as again:
        assert checks.pairs(again) == told
    checks.require_usable(folder)


def test_opening_while_a_leftover_cannot_be_removed_opens(folder, monkeypatch):
    orphan = folder / "segments" / f"{'0' * 64}.arrow"
    orphan.write_bytes(b"left by a killed process")
    with monkeypatch.context() as patch:
        calls = failing(patch, "unlink", 1, errno.EIO)
        with Registry.open(folder) as registry:
            checks.trade(registry)
            assert calls
            assert orphan.exists()
    checks.require_usable(folder)
    assert not orphan.exists()


# --- a disk that is really full


def test_a_disk_that_is_really_full_loses_nothing(original, small_disk):
    folder = shutil.copytree(original, small_disk / "R")
    filler = small_disk / "filler"
    told, refused = [], set()
    with Registry.open(folder) as registry:
        wanted = checks.pairs(registry)
        filler.write_bytes(bytes(2 << 20))
        for number in range(400):
            try:
                do = checks.trade if number % 3 else WORKS["issue"]
                do(registry)
                wanted = checks.pairs(registry)
            except GcrError as error:
                refused.add(type(error).__name__)
                assert checks.pairs(registry) == wanted
                checks.require_equal(registry.state, checks.replayed(registry))
                told.append(number)
                if len(told) > 20:
                    break
        with filler.open("r+b") as file:
            file.truncate(0)
        checks.trade(registry)
        checks.require_sound(registry)
    assert refused == {"OutputError"}
    checks.require_usable(folder)
