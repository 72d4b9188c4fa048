"""The writer lock: one holder at a time, over threads and processes; waiting ends in time, and says who holds it."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import gcr_fast as gcr
from gcr_fast.errors import LockedError, ReadOnlyError, RegistryError
from gcr_fast.registry import lock
from gcr_fast.registry.lock import WriterLock

CHILD = f"""
import os, sys, time
sys.path.insert(0, {str(Path(gcr.__file__).parents[1])!r})
from gcr_fast.registry.lock import WriterLock
path = sys.argv[1]
"""
HOLD = """
with WriterLock(path):
    print("held", flush=True)
    sys.stdin.readline()
"""


PATIENCE_S = 20
"""How long a busy machine may take to go on with what nothing holds up."""


@pytest.fixture
def place(tmp_path):
    return tmp_path / "writer.lock"


def child(code, *arguments):
    command = [sys.executable, "-c", CHILD + code, *map(str, arguments)]
    return subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def holder(place, *arguments):
    """A process that has the lock, until it reads a line."""
    process = child(HOLD, place, *arguments)
    assert process.stdout.readline() == "held\n"
    return process


def is_free(place):
    with place.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def waiting():
    return [thread for thread in threading.enumerate() if thread.name == "gcr-writer-lock"]


def test_the_lock_is_held_within_the_block_only(place):
    with WriterLock(place):
        assert not is_free(place)
    assert is_free(place)
    assert place.exists()


def test_an_exception_in_the_block_releases(place):
    with pytest.raises(ZeroDivisionError), WriterLock(place):
        raise ZeroDivisionError
    assert is_free(place)


def test_an_object_can_be_used_again_but_not_nested(place):
    mine = WriterLock(place)
    for _ in range(3):
        with mine, pytest.raises(RegistryError, match="this very object"), mine:
            pass
        assert is_free(place)


def test_the_file_says_who_holds_it(place):
    with WriterLock(place):
        who = json.loads(place.read_text())
    assert set(who) == {"pid", "host", "user", "command", "since"}
    assert who["pid"] == os.getpid()


def test_a_shorter_signature_leaves_nothing_of_a_longer_one(place):
    place.write_text("x" * 5000)
    with WriterLock(place):
        assert json.loads(place.read_text())["pid"] == os.getpid()


def test_waiting_ends_in_time_and_names_the_holder(place):
    with holder(place, "trade", "--secret") as process:
        started = time.monotonic()
        with pytest.raises(LockedError) as caught, WriterLock(place, 0.2):
            pass
        assert 0.2 <= time.monotonic() - started < PATIENCE_S
        said = str(caught.value)
        assert f"held by process {process.pid} on {os.uname().nodename}" in said
        assert "not free within 0.2 s" in said
        assert "secret" not in said
        process.communicate("\n")
    with WriterLock(place, PATIENCE_S):
        pass


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 4}', "\udcff"])
def test_a_holder_who_has_not_signed_is_no_trouble(place, content):
    place.write_bytes(content.encode(errors="surrogateescape"))
    with place.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LockedError, match="has not signed yet"), WriterLock(place, 0.01):
            pass


def test_a_waiter_gets_the_lock_as_soon_as_it_is_free(place):
    with holder(place) as process:
        started = time.monotonic()
        threading.Timer(0.2, lambda: process.stdin.write("\n") and process.stdin.flush()).start()
        with WriterLock(place, 3 * PATIENCE_S):
            assert 0.2 <= time.monotonic() - started < PATIENCE_S
            assert json.loads(place.read_text())["pid"] == os.getpid()


def test_who_gave_up_waiting_does_not_keep_the_lock(place):
    with holder(place) as process:
        for _ in range(3):
            with pytest.raises(LockedError), WriterLock(place, 0.01):
                pass
        process.communicate("\n")
    with WriterLock(place, PATIENCE_S):
        pass
    for thread in waiting():
        thread.join(PATIENCE_S)
    assert is_free(place)
    assert not lock._open_files


def test_an_interrupt_while_waiting_gives_up(place, monkeypatch):
    def interrupted(self, timeout=None):
        raise KeyboardInterrupt

    with holder(place) as process:
        monkeypatch.setattr(threading.Event, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            lock._Waiter(lock._LockFile(place)).wait(PATIENCE_S)
        monkeypatch.undo()
        process.communicate("\n")
    for thread in waiting():
        thread.join(PATIENCE_S)
    assert is_free(place)


def test_without_a_thread_to_wait_nothing_is_kept(place, monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    with holder(place) as process:
        monkeypatch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError), WriterLock(place):
            pass
        assert not lock._open_files
        process.communicate("\n")
    assert is_free(place)


def test_a_killed_holder_releases(place):
    with holder(place) as process:
        process.send_signal(signal.SIGKILL)
    with WriterLock(place, PATIENCE_S):
        pass


COUNT = """
for _ in range(int(sys.argv[3])):
    with WriterLock(path, 300):
        number = int(open(sys.argv[2]).read())
        open(sys.argv[2], "w").write(str(number + 1))
"""


def test_processes_exclude_each_other_and_none_starves(place, tmp_path):
    number = tmp_path / "number"
    number.write_text("0")
    children = [child(COUNT, place, number, 300) for _ in range(3)]
    for process in children:
        process.communicate(timeout=300)
        assert process.returncode == 0
    assert number.read_text() == "900"


def test_threads_exclude_each_other(place):
    inside, troubles = [], []

    def work():
        try:
            for _ in range(60):
                with WriterLock(place, 300):
                    inside.append(1)
                    assert len(inside) == 1
                    time.sleep(0)
                    inside.pop()
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert troubles == []
    assert is_free(place)


FORK = r"""
mine = WriterLock(path)
mine.__enter__()
child = os.fork()
if not child:
    mine.__exit__(None, None, None)
    os.write(1, b"forked\n")  # as one piece: two processes write here
    time.sleep(60)
os.write(1, b"%d\n" % child)
sys.stdin.readline()
if len(sys.argv) > 2:
    os.kill(os.getpid(), 9)
mine.__exit__(None, None, None)
sys.stdin.readline()
"""


@pytest.mark.parametrize("end", [(), ("killed",)])
def test_a_fork_neither_releases_the_lock_nor_outlives_its_holder_with_it(place, end):
    with child(FORK, place, *end) as process:
        said = {process.stdout.readline().strip() for _ in range(2)}
        (forked,) = said - {"forked"}
        try:
            assert not is_free(place)
            process.stdin.write("\n")
            process.stdin.flush()
            with WriterLock(place, PATIENCE_S):
                pass
        finally:
            os.kill(int(forked), signal.SIGKILL)
            process.stdin.close()


def test_a_program_that_is_started_does_not_inherit_the_lock(place):
    with WriterLock(place):
        started = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], close_fds=False)
    try:
        assert is_free(place)
    finally:
        started.kill()
        started.wait()


def test_a_folder_that_is_missing_is_said_plainly(tmp_path):
    with pytest.raises(RegistryError, match="No such file or directory"), WriterLock(tmp_path / "no" / "writer.lock"):
        pass


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_place_that_cannot_be_written_is_read_only(place, monkeypatch, number):
    def refuse(*arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(lock.os, "open", refuse)
    with pytest.raises(ReadOnlyError, match="cannot lock"), WriterLock(place):
        pass


def test_a_file_system_without_locks_is_an_error_not_a_lock(place, monkeypatch):
    def refuse(handle, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(lock.fcntl, "flock", refuse)
    with pytest.raises(RegistryError, match="No locks"), WriterLock(place):
        pass
    monkeypatch.undo()
    assert not lock._open_files
