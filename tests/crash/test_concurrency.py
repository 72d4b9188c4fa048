"""Several processes: readers see what was committed and nothing else, writers take turns."""

import os
import time
from itertools import pairwise

import crash_checks as checks
import pytest

from gcr_fast.errors import LockedError
from gcr_fast.findings import RefusedError
from gcr_fast.registry.lock import LOCK, WriterLock
from gcr_fast.registry.registry import Registry

pytestmark = pytest.mark.slow

GROUPS, SIZE = 30, 4


def test_readers_always_see_a_committed_state(folder, start, usual_housekeeping):
    """While groups are committed, snapshots come and go and the log is folded, chain and conservation hold."""
    checks.housekeeping(every=30, log_bytes=20_000)
    with Registry.open(folder) as registry:
        last = registry.position + GROUPS * SIZE
        readers = [start("read", folder, upto=last, whole=SIZE) for _ in range(2)]
        anew = start("read_anew", folder, upto=last)
        for number in range(GROUPS):
            if number % 10 == 0:  # nobody is so slow as to see nothing but the end
                for reader in (*readers, anew):
                    reader.await_that(lambda said: said.get("saw") == registry.position)
            with registry.group():
                for n in range(SIZE - 1):
                    checks.trade(registry, 1000 * n + 1)
                if number % 3:
                    checks.trade(registry)
                else:
                    registry.issue(*checks.batch(f"seen{number}"))
        assert registry.position == last
    assert all(reader.done()[-1]["different"] > GROUPS // 10 for reader in readers)
    assert anew.done()[-1]["opened"] > GROUPS // 10
    checks.require_usable(folder)


def test_a_reader_does_not_see_a_group_that_is_under_way(folder):
    with Registry.open(folder) as writer, Registry.open(folder, read_only=True) as reader:
        before, wanted = reader.position, checks.certificates(reader.state)
        with writer.group():
            checks.trade(writer)
            writer.issue(*checks.batch("under way"))
            assert reader.refresh().position == before
            assert checks.certificates(reader.state).equals(wanted)
            with Registry.open(folder, read_only=True) as another:
                assert another.position == before
        assert reader.refresh().position == before + 2
        checks.require_equal(reader.state, writer.state)


def test_opening_while_another_writes_sweeps_nothing_of_what_it_has_staged(folder):
    """The files of an issue lie there before its entry does: only who holds the lock may remove files."""
    with Registry.open(folder) as writer:
        with writer.group():
            writer.issue(*checks.batch("staged"))
            Registry.open(folder).close()
        checks.require_swept(writer)
        checks.require_sound(writer)
    checks.require_usable(folder)


def test_writers_never_interleave(folder, start):
    """Each gets all of its entries, in groups that stand together, though each leaves snapshots, too."""
    with Registry.open(folder, read_only=True) as reader:
        before = checks.pairs(reader)
    with WriterLock(folder / LOCK):
        writers = {name: start("write", folder, name=name, groups=20, size=SIZE, every=25) for name in ("a", "b")}
        for writer in writers.values():
            writer.await_line("opened")
    told = {name: [pair for line in child.done() for pair in line.get("done", [])] for name, child in writers.items()}
    with Registry.open(folder) as registry:
        stored = checks.pairs(registry)
        assert stored[: len(before)] == before
        assert sorted(told["a"] + told["b"]) == stored[len(before) :]
        keys = [record.entry.key for record in registry.journal.entries(after=len(before))]
        groups = [keys[at : at + SIZE] for at in range(0, len(keys), SIZE)]
        assert all(group == [group[0][:-1] + str(n) for n in range(SIZE)] for group in groups)
        checks.require_sound(registry)
    turns = sum(one[0][0] != other[0][0] for one, other in pairwise(groups))
    assert turns > 1  # neither waited for the other's end
    checks.require_usable(folder)


def test_a_second_writer_waits_for_the_first(folder, start):
    with Registry.open(folder) as registry:
        with registry.group():
            mine = checks.trade(registry).entry
            waiter = start("wait", folder, timeout_s=300)
            waiter.await_line("opened")
            time.sleep(0.1)
            assert waiter.all("done") == []
        assert [line["done"] for line in waiter.done() if "done" in line] == [mine + 1]
        assert registry.refresh().position == mine + 1
    checks.require_usable(folder)


def test_a_second_writer_that_waits_too_long_is_told_who_writes(folder, start):
    with Registry.open(folder) as registry:
        with registry.group():
            mine = checks.trade(registry).entry
            waiter = start("wait", folder, timeout_s=0.2)
            (said,) = [line["locked"] for line in waiter.done() if "locked" in line]
        assert "was not free within 0.2 s" in said
        assert f"held by process {os.getpid()} on {os.uname().nodename}" in said
        assert registry.refresh().position == mine
    checks.require_usable(folder)


def test_who_was_told_that_another_writes_can_try_again(folder):
    with Registry.open(folder) as one, Registry.open(folder, lock_timeout_s=0.05) as other:
        with one.group():
            checks.trade(one)
            with pytest.raises(LockedError):
                checks.trade(other)
            with pytest.raises(LockedError):
                other.snapshot()
            with pytest.raises(LockedError):
                other.issue(*checks.batch("late"))
        assert checks.trade(other).entry == one.position + 1
        checks.require_sound(other)


def test_what_another_has_sold_meanwhile_cannot_be_sold_again(folder):
    with Registry.open(folder) as one, Registry.open(folder) as other:
        anna, ben, clara = checks.PARTIES
        which = {"parent": "made2-2"} | checks.active(anna)
        handles = one.query(**which).to_table()["certificate"].to_pylist()
        assert handles == other.query(**which).to_table()["certificate"].to_pylist()
        one.trade(handles, anna, ben)
        with pytest.raises(RefusedError, match="not_owned"):
            other.trade(handles, anna, clara)
        checks.require_equal(one.refresh().state, other.refresh().state)


def between(other):
    """A clock that lets another act at the moment when a change has been asked for and is not yet under way."""
    acts = [other]

    def clock():
        if acts:
            acts.pop()()
        return time.time()

    return clock


@pytest.fixture
def retired(folder):
    """Two parents' certificates of the same hours, retired."""
    with Registry.open(folder) as registry:
        owner = checks.PARTIES[0]
        for parent in ("made2-1", "made2-2"):
            registry.retire({"parent": parent} | checks.active(owner), owner, "somebody")
    return folder


def test_two_who_claim_for_the_same_hours_at_once_do_not_both_get_them(retired):
    owner = checks.PARTIES[0]

    def claim(registry, parent):
        chosen = {"parent": parent, "owner": owner, "status": "RETIRED"}
        return registry.claim(chosen, owner, "meter 1")

    with Registry.open(retired) as one:
        two = Registry.open(retired, clock=between(lambda: claim(one, "made2-1")))
        with pytest.raises(RefusedError, match="already_claimed"):
            claim(two, "made2-2")
        assert two.query(parent="made2-2", status="CLAIMED").count == 0
        assert one.query(parent="made2-1", status="CLAIMED").count > 0
        two.close()


def test_what_another_has_retired_meanwhile_is_not_withdrawn_without_compensation(folder):
    owner = checks.PARTIES[0]
    chosen = {"parent": "made2-2", "owner": owner}
    with Registry.open(folder) as one:
        two = Registry.open(folder, clock=between(lambda: one.retire(chosen, owner, "somebody")))
        with pytest.raises(RefusedError, match="needs_compensation"):
            two.withdraw(chosen, reason="meter broken")
        assert two.query(parent="made2-2", status="WITHDRAWN").count == 0
        two.close()
