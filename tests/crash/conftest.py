"""Registries to be hurt, and a server that forks the processes that are."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import crash_checks as checks
import pytest
from crash_checks import SEEDS


def pytest_generate_tests(metafunc):
    """A test that takes a `seed` runs with as many as GCR_CRASH_SEEDS says."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(SEEDS))


class Child:
    """A process that was forked to do something, and what it says."""

    def __init__(self, server, number, out):
        self.server, self.number, self.out = server, number, out
        self.status = None

    def said(self):
        """Return the lines that are complete."""
        text = self.out.read_text() if self.out.exists() else ""
        lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        troubles = [line["trouble"] for line in lines if "trouble" in line]
        assert not troubles, troubles[0]
        return lines

    def await_line(self, key):
        """Wait until a line with this key was said; return its value."""
        return self.await_that(lambda line: key in line)[key]

    def await_that(self, fits, timeout_s=300):
        """Wait until a line was said that fits; return it."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            for line in self.said():
                if fits(line):
                    return line
            time.sleep(0.002)
        raise AssertionError(f"what was awaited was not said in {timeout_s} s; last was {self.said()[-1:]}")

    def all(self, key):
        return [line[key] for line in self.said() if key in line]

    def kill(self):
        """Kill it as the system would for want of memory; return what it said until then."""
        os.kill(self.number, signal.SIGKILL)  # it stays a zombie until it is waited for: the number is its own
        assert os.waitstatus_to_exitcode(self.wait()) == -signal.SIGKILL, self.said()
        return self.said()

    def wait(self):
        if self.status is None:
            self.status = self.server.ask(wait=self.number)
        return self.status

    def done(self):
        """Wait for its own end, which must be a good one; return what it said."""
        status = self.wait()
        said = self.said()
        assert status == 0, said
        return said


class Server:
    """`crash_worker.py`, started once."""

    def __init__(self, scratch):
        self.scratch, self.numbers, self.children = scratch, itertools.count(), []
        command = [sys.executable, str(Path(__file__).with_name("crash_worker.py")), str(scratch)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, text=True, env=environment, **pipes)
        assert self.process.stdout.readline() == "ready\n"

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def start(self, run, folder, **options):
        """Fork a child that does something with a folder."""
        out = self.scratch / f"said{next(self.numbers)}"
        child = Child(self, self.ask(run=run, out=str(out), folder=str(folder), **options), out)
        self.children.append(child)
        return child

    def end_children(self):
        for child in self.children:
            if child.status is None:
                os.kill(child.number, signal.SIGKILL)
                child.wait()
        self.children.clear()

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(30) == 0


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.close()


@pytest.fixture
def start(server):
    """Start a child: `start(run, folder, **options)`. Whatever still runs at the end of the test is killed."""
    yield server.start
    server.end_children()


@pytest.fixture(scope="session")
def original(tmp_path_factory):
    return checks.made(tmp_path_factory.mktemp("original") / "R")


@pytest.fixture
def folder(original, tmp_path):
    """A registry of this test's own."""
    return shutil.copytree(original, tmp_path / "R")


@pytest.fixture
def usual_housekeeping(monkeypatch):
    """Put back what a test changes by `housekeeping`."""
    monkeypatch.setattr(checks.keeper, "SNAPSHOT_EVERY", checks.keeper.SNAPSHOT_EVERY)
    monkeypatch.setattr(checks.keeper, "LOG_BYTES", checks.keeper.LOG_BYTES)
