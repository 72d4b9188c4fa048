"""Taking times: everyone in turn, round after round, so that a slow moment of the machine falls on all alike."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Timing:
    """How long one tool took for one piece of work."""

    work: str
    who: str
    how: str
    seconds: tuple[float, ...]
    amount: float
    unit: str
    """What `amount` counts: hours, certificates, bytes."""
    more: dict[str, float] = field(default_factory=dict)
    """Bytes of the file, peak memory, ..."""

    @property
    def median(self) -> float:
        """The figure that is compared."""
        return median(self.seconds)

    @property
    def rate(self) -> float:
        """Amount per second."""
        return self.amount / self.median

    def as_dict(self) -> dict[str, Any]:
        """Return all figures, for the JSON file."""
        return asdict(self) | {"median": self.median, "rate": self.rate}


@dataclass(frozen=True)
class Claim:
    """One figure that is required."""

    name: str
    work: str
    measured: float
    required: float
    at_least: bool = True
    unit: str = "x"

    @property
    def met(self) -> bool:
        """Whether the figure is as good as required."""
        return self.measured >= self.required if self.at_least else self.measured <= self.required

    def as_dict(self) -> dict[str, Any]:
        """Return all figures, for the JSON file."""
        return asdict(self) | {"met": self.met}


@dataclass
class Results:
    """All times and claims, in the order in which they were taken."""

    timings: list[Timing] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    judged: bool = True
    """Whether claims are said; on few certificates they prove nothing."""

    def add(self, *timings: Timing) -> None:
        """Keep times, and say them."""
        for item in timings:
            print(f"  {item.work}: {item.who} ({item.how}): {item.median:.4f} s, {item.rate:.3g} {item.unit}/s")
        self.timings += timings

    def claim(self, *claims: Claim) -> None:
        """Keep claims, and say them."""
        for item in claims if self.judged else ():
            word = "met" if item.met else "NOT MET"
            print(f"  {word}: {item.name}: {item.measured:.3g} {item.unit}, required {item.required:.3g}")
        self.claims += claims

    def best(self, work: str, who: str) -> Timing:
        """Return the fastest of a tool's ways."""
        return min((t for t in self.timings if (t.work, t.who) == (work, who)), key=lambda t: t.median)

    def ratio(self, work: str, peer: str, ours: str = "gcr_fast") -> float:
        """Return how many times longer a peer's best way takes than ours."""
        return self.best(work, peer).median / self.best(work, ours).median


SLOW_S = 2.0
"""What takes longer than this once is run `SLOW_RUNS` times only."""
SLOW_RUNS = 3

Key = tuple[str, str]


def measure(jobs: Mapping[Key, Callable[[], Any]], runs: int) -> dict[Key, tuple[float, ...]]:
    """Run each job once unmeasured, then as often as it is to be. Returns seconds of each run by (who, how).

    A tool's runs come one after another: taken in turn, each would pay for the memory that the one before gives back.
    """
    return {key: _measured(job, runs) for key, job in jobs.items()}


def _measured(job: Callable[[], Any], runs: int) -> tuple[float, ...]:
    first = _once(job)
    return tuple(_once(job) for _ in range(runs if first < SLOW_S else min(runs, SLOW_RUNS)))


def timings(work: str, jobs: Mapping[Key, Callable[[], Any]], runs: int, amount: float, unit: str) -> list[Timing]:
    """Measure jobs that do the same work."""
    return [Timing(work, *key, seconds, amount, unit) for key, seconds in measure(jobs, runs).items()]


def _once(job: Callable[[], Any]) -> float:
    gc.collect()
    begin = time.perf_counter()
    result = job()
    seconds = time.perf_counter() - begin
    del result
    return seconds


LAUNCHER = """
import json, os, subprocess, sys, time
begin = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(json.dumps([time.perf_counter() - begin, usage.ru_maxrss * 1024, os.waitstatus_to_exitcode(status)]))
"""
"""A process inherits the peak memory of the one that starts it, so a small one does."""


def process(command: list[str], **environment: str) -> tuple[float, float]:
    """Run a command. Returns its seconds and its peak memory in bytes."""
    launch = [sys.executable, "-I", "-S", "-c", LAUNCHER, *command]
    done = subprocess.run(launch, env=os.environ | environment, cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, peak, status = json.loads(done.stdout)
    if status != 0:
        raise RuntimeError(f"{command[0]} ended with {status}: {done.stderr[-2000:]}")
    return seconds, peak
