"""Kills: what was acknowledged is there, the rest is absent or whole, what lies about is swept, and work goes on."""

import json
import random
import shutil
import time

import crash_checks as checks
import pytest
from crash_checks import SEEDS

from gcr_fast.errors import RegistryError
from gcr_fast.registry.database import FILE
from gcr_fast.registry.registry import Registry

pytestmark = pytest.mark.slow


def require_acknowledged(folder, before, said):
    """Everything acknowledged is there; besides at most what was about to be, and that whole. Returns what is there."""
    told = before + [pair for line in said if "done" in line for pair in line["done"]]
    announced = said[-1].get("pending", []) if said else []
    with Registry.open(folder, read_only=True) as reader:
        stored = checks.pairs(reader)
    more = stored[len(told) :]
    assert stored[: len(told)] == told
    assert len(more) in (0, 1) if announced == 1 else more in ([], announced)
    return stored


def entries_of(folder):
    with Registry.open(folder, read_only=True) as reader:
        return checks.pairs(reader)


def test_after_a_kill_all_that_was_acknowledged_is_there_and_nothing_half_done(folder, start, seed):
    """Issues, trades, splits, groups, snapshots, checkpoints, openings; killed, and what is left killed again."""
    rng = random.Random(seed)
    stored = entries_of(folder)
    for life in range(2):
        child = start("change", folder, seed=1000 * seed + life)
        if rng.random() < 0.9:
            child.await_line("opened")
        time.sleep(rng.random() * rng.choice([0.01, 0.1, 0.3]))
        stored = require_acknowledged(folder, stored, child.kill())
    checks.require_usable(folder)


def test_a_kill_while_creating_leaves_a_registry_or_a_place_for_one(tmp_path, start, seed):
    child = start("create", tmp_path)
    time.sleep(random.Random(seed).random() * 0.1)
    said = child.kill()
    for place in child.all("done"):
        with Registry.open(place, read_only=True) as registry:
            assert registry.position == 1
    if not said:
        return
    place = said[-1].get("pending") or said[-1]["done"]
    require_created(place)


def require_created(place):
    try:
        Registry.open(place).close()
    except RegistryError:
        Registry.create(place, name="again").close()
    with Registry.open(place) as registry:
        assert registry.position == 1
        checks.require_swept(registry)
        registry.add_party(checks.PARTIES[0])
        registry.issue(*checks.batch("first"))
        checks.require_sound(registry)


def sample(count):
    """Return the steps to try: as many as there are seeds, all of them if there are enough."""
    return sorted(random.Random(7).sample(range(count), min(count, SEEDS)))


def test_a_kill_at_every_step_of_creating(tmp_path, start):
    count = start("steps", tmp_path / "whole", script="create", at=-1).await_line("steps")
    for at in sample(count):
        child = start("steps", tmp_path / str(at), script="create", at=at)
        child.wait()
        if child.all("done"):
            Registry.open(tmp_path / str(at), read_only=True).close()
        require_created(tmp_path / str(at))
    assert count > 10


def test_a_kill_at_every_step_of_a_life(original, tmp_path, start):
    """Before each call of the system and each statement of SQLite: in between, nothing on the disk changes."""
    before = entries_of(original)
    whole = start("steps", shutil.copytree(original, tmp_path / "whole"), script="live", at=-1)
    count = whole.await_line("steps")
    assert count > 60
    lengths = set()
    for at in sample(count):
        folder = shutil.copytree(original, tmp_path / str(at))
        child = start("steps", folder, script="live", at=at)
        child.wait()
        stored = require_acknowledged(folder, before, child.said())
        with Registry.open(folder) as registry:
            checks.require_swept(registry)
            checks.require_sound(registry)
            checks.trade(registry)
        lengths.add(len(stored))
        shutil.rmtree(folder)
    assert len(lengths) > 3
    if count <= SEEDS:  # a life ends after each of its changes, and before the first
        assert len(lengths) == 1 + len(whole.all("done"))


@pytest.mark.parametrize("restarted", [False, True], ids=["log as it grew", "log written over"])
def test_a_torn_log_gives_back_a_beginning_of_whole_groups(folder, tmp_path, restarted):
    """Cut the write-ahead log anywhere, as a power failure may: what is left is what some earlier commit left."""
    rng = random.Random(restarted)
    registry = Registry.open(folder)
    if restarted:
        for _ in range(8):
            checks.trade(registry)
        registry.journal.checkpoint(truncate=False)
    states = {registry.position: registry.journal.head()}
    for number in range(6):
        with registry.group():
            for n in range(3):
                checks.trade(registry, 100 * number + n + 1)
            if number % 2:
                registry.issue(*checks.batch(f"torn{number}", owner=f"new{number}"), create_parties=True)
        states[registry.position] = registry.journal.head()
        if number == 3:
            leave_note_of_snapshot(registry)
    copy = shutil.copytree(folder, tmp_path / "copy")
    registry.close()
    log = (copy / f"{FILE}-wal").read_bytes()
    seen = set()
    for number in range(min(40, SEEDS)):
        torn = shutil.copytree(copy, tmp_path / f"torn{number}")
        (torn / f"{FILE}-shm").unlink()
        left = bytearray(log[: rng.randrange(len(log) + 1)])
        if number % 2 and left:
            left[rng.randrange(len(left))] ^= 1 << rng.randrange(8)
        (torn / f"{FILE}-wal").write_bytes(left)
        with Registry.open(torn) as again:
            assert states[again.position] == again.journal.head()
            checks.require_swept(again)
            checks.require_sound(again)
            checks.trade(again)
            seen.add(again.position)
        shutil.rmtree(torn)
    assert len(seen) > 3


def leave_note_of_snapshot(registry):
    """Leave a snapshot without folding the log, so that the log has the note of it."""
    name = checks.snapshots.save(registry.state, registry.folder)
    registry.journal.add_snapshot(registry.position, name)


def test_a_killed_holder_of_the_lock_holds_nobody_up(folder, start):
    before = entries_of(folder)
    holder = start("hold", folder)
    holder.await_line("held")
    waiter = start("wait", folder, timeout_s=300)
    waiter.await_line("opened")
    holder.kill()
    assert [line["done"] for line in waiter.done() if "done" in line] == [len(before) + 1]
    checks.require_usable(folder)


def test_the_lines_of_a_child_that_was_killed_are_read_as_far_as_they_are_whole(tmp_path, start):
    child = start("create", tmp_path)
    child.await_line("done")
    child.kill()
    with child.out.open("a") as file:
        file.write(json.dumps({"done": "half"})[:-3])
    assert "half" not in child.all("done")
