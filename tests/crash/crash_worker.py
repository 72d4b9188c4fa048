"""Forks children that use a registry, often until they are killed: `python crash_worker.py SCRATCH`.

Started once, so that imports are paid once. Takes a request per line on standard input (JSON) and answers each by a
line: `{"run": name, "out": file, ...}` by the process number of a child that does it, and `{"wait": number}` by how it
ended. A child says what it has been told in its file, a line per call of the system: a kill takes none of it back.
"""

import contextlib
import itertools
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback

import crash_checks as checks

from gcr_fast import accelerate
from gcr_fast.errors import GcrError, LockedError
from gcr_fast.registry import database
from gcr_fast.registry.lock import LOCK, WriterLock
from gcr_fast.registry.registry import Registry

WRITE = os.write
LONGEST_S = 600


class Diary:
    """What a child was told."""

    def __init__(self, out):
        self.handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)

    def say(self, **said):
        WRITE(self.handle, json.dumps(said).encode() + b"\n")


# --- until killed


def change(diary, folder, seed):
    """Change a registry for ever. Says what is about to be committed, and then that it was acknowledged."""
    rng = random.Random(seed)
    checks.housekeeping(every=rng.choice([5, 25, 10_000]), log_bytes=rng.choice([0, 100_000, 1 << 26]))
    registry = Registry.open(folder)
    diary.say(opened=registry.position)
    for step in itertools.count():
        (work,) = rng.choices([alone, group, issue, issue_to_others, snapshot, fold, reopen], [8, 8, 3, 2, 2, 1, 1])
        registry = work(diary, registry, rng, f"{seed}-{step}") or registry


def alone(diary, registry, rng, name):
    diary.say(pending=1)
    if rng.random() < 0.2:
        owner = max(checks.PARTIES, key=lambda party: registry.query(**checks.active(party)).energy_wh)
        receipt = registry.retire(checks.active(owner), owner, name, wh=3, key=name)
    else:
        receipt = checks.trade(registry, rng.randrange(1, 9_000_000), key=name)
    diary.say(done=[[receipt.entry, receipt.hash]])


def grouped(diary, registry, work):
    with registry.group():
        before = registry.position
        work()
        told = checks.pairs(registry, before)
        diary.say(pending=told)
    diary.say(done=told)


def group(diary, registry, rng, name):
    def work():
        for number in range(rng.randrange(1, 9)):
            checks.trade(registry, rng.randrange(1, 2_000_000), key=f"{name}-{number}")

    grouped(diary, registry, work)


def issue(diary, registry, rng, name):
    diary.say(pending=1)
    receipt = registry.issue(*checks.batch(name, rng.randrange(1, 5)))
    diary.say(done=[[receipt.entry, receipt.hash]])


def issue_to_others(diary, registry, rng, name):
    """With entries for its new owner, and another change."""

    def work():
        registry.issue(*checks.batch(name, owner=f"owner {name}"), create_parties=True)
        checks.trade(registry)

    grouped(diary, registry, work)


def snapshot(diary, registry, rng, name):
    registry.snapshot()


def fold(diary, registry, rng, name):
    with WriterLock(registry.folder / LOCK):
        registry.journal.checkpoint(truncate=rng.random() < 0.5)


def reopen(diary, registry, rng, name):
    registry.close()
    return Registry.open(registry.folder)


def create(diary, folder):
    """Create registries, one after another."""
    for number in itertools.count():
        place = f"{folder}/{number}"
        diary.say(pending=place)
        Registry.create(place, name=str(number)).close()
        diary.say(done=place)


def hold(diary, folder):
    """Keep the writer lock, with a trade on the way."""
    registry = Registry.open(folder)
    with registry.group():
        checks.trade(registry)
        diary.say(held=registry.position)
        time.sleep(LONGEST_S)


# --- killed by their own hand, at a step


def steps(diary, folder, script, at):
    """Do a script and die at the call number `at` of the system or of SQLite; say how many calls there are."""
    numbers = itertools.count()

    def step(*_):
        if next(numbers) == at:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(function):
        def called(*arguments, **options):
            step()
            return function(*arguments, **options)

        return called

    for name in ("open", "write", "fsync", "link", "unlink", "replace", "rename", "mkdir", "pwrite", "ftruncate"):
        setattr(os, name, before(getattr(os, name)))
    connect = database.connect

    def traced(*arguments):
        step()
        db = connect(*arguments)
        db.set_trace_callback(step)
        return db

    database.connect = traced
    {"create": create_once, "live": live}[script](diary, folder)
    diary.say(steps=next(numbers))


def create_once(diary, folder):
    Registry.create(folder, name="once", transfer_months=12).close()
    diary.say(done=folder)


def live(diary, folder):
    """A little of everything."""
    rng = random.Random(0)
    registry = Registry.open(folder)
    alone(diary, registry, rng, "a")
    issue(diary, registry, rng, "b")
    group(diary, registry, rng, "c")
    registry.snapshot()
    issue_to_others(diary, registry, rng, "d")
    fold(diary, registry, rng, "e")
    alone(diary, registry, rng, "f")
    registry.close()


# --- with too little room


def full(diary, folder, work, limit, room):
    """Do something while files may not pass a size (or so many be open): it works or is refused; then it works."""
    registry = Registry.open(folder)
    before, wanted = registry.position, checks.certificates(registry.state)
    what = getattr(resource, f"RLIMIT_{limit}")
    highest = resource.getrlimit(what)
    said = ""
    room += len(os.listdir("/proc/self/fd")) if limit == "NOFILE" else 0
    resource.setrlimit(what, (room, highest[1]))
    try:
        WORKS[work](registry)
    except GcrError as error:
        said = f"{type(error).__name__}: {error}"
    finally:
        resource.setrlimit(what, highest)
    if said:
        assert registry.journal.position == registry.position == before
        assert checks.certificates(registry.state).equals(wanted)
    checks.require_sound(registry)
    if said:
        WORKS[work](registry)
    checks.require_sound(registry)
    told = checks.pairs(registry)
    registry.close()
    diary.say(refused=said, told=told)


def issue_many(registry):
    registry.issue(*checks.batch(f"full{registry.position}", parents=20, days=5))


def group_many(registry):
    with registry.group():
        for number in range(40):
            checks.trade(registry, 1000 + number)


def long_trade(registry):
    """Entries of some pages."""
    owner = max(checks.PARTIES, key=lambda party: registry.query(**checks.active(party)).count)
    with registry.group():
        registry.reserve(checks.active(owner) | {"hour_of_day": list(range(0, 24, 2))}, owner, reason="x" * 50_000)
        registry.release({"owner": owner, "status": "RESERVED"}, owner)


def snapshot_more(registry):
    registry.snapshot()


WORKS = {"trade": checks.trade, "issue": issue_many, "group": group_many, "long": long_trade, "snapshot": snapshot_more}


# --- with others


def read(diary, folder, upto, whole):
    """Refresh and check until an entry is seen; every position seen must be the end of a group."""
    seen = []
    with Registry.open(folder, read_only=True) as registry:
        diary.say(opened=registry.position)
        while not seen or seen[-1] < upto:
            seen.append(registry.refresh().position)
            if seen[-1] not in seen[-2:-1]:
                diary.say(saw=seen[-1])
            assert (upto - seen[-1]) % whole == 0, seen[-1]
            checks.require_conserved(registry.state)
            if len(seen) % 10 == 0:
                assert registry.journal.verify_chain() == []
        checks.require_sound(registry)
    assert seen == sorted(seen)
    diary.say(seen=len(seen), different=len(set(seen)))


def read_anew(diary, folder, upto):
    """Open again and again while snapshots come and go."""
    opened = 0
    last = 0
    while last < upto:
        with Registry.open(folder, read_only=True) as registry:
            assert registry.position >= last
            last, opened = registry.position, opened + 1
            diary.say(saw=last)
            checks.require_conserved(registry.state)
            checks.require_equal(registry.as_of(last), registry.state)
    diary.say(opened=opened)


def write(diary, folder, name, groups, size, every):
    """Trade in groups, and now and then alone."""
    checks.housekeeping(every=every, log_bytes=50_000)
    with Registry.open(folder, lock_timeout_s=LONGEST_S) as registry:
        diary.say(opened=registry.position)
        with WriterLock(registry.folder / LOCK, LONGEST_S):
            pass  # until the others are there, too
        for number in range(groups):
            with registry.group():
                receipts = [checks.trade(registry, 1 + n, key=f"{name}-{number}-{n}") for n in range(size)]
            diary.say(done=[[receipt.entry, receipt.hash] for receipt in receipts])


def wait(diary, folder, timeout_s):
    """Trade as soon as the lock is free; say what came of it."""
    registry = Registry.open(folder, lock_timeout_s=timeout_s)
    diary.say(opened=registry.position)
    try:
        diary.say(done=checks.trade(registry).entry)
    except LockedError as error:
        diary.say(locked=str(error))
    checks.require_sound(registry)


# --- the server

RUNS = {run.__name__: run for run in (change, create, hold, steps, full, read, read_anew, write, wait)}


def child(run, out, **options):
    """Do it and end; never returns."""
    diary = Diary(out)
    signal.alarm(LONGEST_S)
    try:
        RUNS[run](diary, **options)
        os._exit(0)
    except BaseException:
        diary.say(trouble=traceback.format_exc())
        os._exit(1)


def answer(request):
    if "wait" in request:
        return os.waitpid(request["wait"], 0)[1]
    number = os.fork()
    if not number:
        child(**request)
    return number


def main():
    accelerate.PLAIN_ENTRIES = 1 << 60  # nothing here is worth compiling
    with contextlib.suppress(FileExistsError), tempfile.TemporaryDirectory(dir=sys.argv[1]) as scratch:
        checks.require_usable(checks.made(f"{scratch}/R"))  # load all that is loaded late
    print("ready", flush=True)
    for line in sys.stdin:
        print(answer(json.loads(line)), flush=True)


if __name__ == "__main__":
    main()
