"""The kernels alone: hours per second, beside NumPy and beside filling the same array."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.exact import big_prefix, spread
from benchmarks.inputs import HOURS, NAMES, inputs
from benchmarks.machine import in_blocks
from benchmarks.peers import numpy_peer
from benchmarks.timing import Claim, Results, timings
from gcr_fast.kernels import apportion

WORK = "cumulative kernel"
REMAINDERS = "largest-remainder kernel"
BLOCK_ROWS = 8
LARGEST_WH = 1 << 51

Kernel = Callable[[np.ndarray, np.ndarray, np.ndarray], Any]


@dataclass(frozen=True)
class Problem:
    """Certificates ordered by profile, so many on each."""

    weights: list[np.ndarray]
    prefixes: list[np.ndarray]
    totals: np.ndarray
    out: np.ndarray

    @property
    def blocks(self) -> list[tuple[int, slice]]:
        """Profile and rows of each block; a block has one profile and stays in cache, as in the conversion."""
        each = len(self.totals) // len(self.prefixes)
        firsts = [(at, low) for at in range(len(self.prefixes)) for low in range(0, each, BLOCK_ROWS)]
        return [(at, slice(at * each + low, at * each + min(low + BLOCK_ROWS, each))) for at, low in firsts]


def problem(device_years: int) -> Problem:
    """Return the certificates of the other benchmarks; every hundredth is as large as allowed."""
    given = inputs(device_years // len(NAMES) * len(NAMES))
    weights = list(given.profiles["energy_wh"].to_numpy().reshape(len(NAMES), HOURS))
    order = np.argsort(given.annual["profile"].to_numpy(zero_copy_only=False), kind="stable")
    totals = given.annual["energy_wh"].to_numpy()[order].copy()
    totals[::100] = LARGEST_WH
    prefixes = [np.concatenate([[0], np.cumsum(part)]).astype(np.int64) for part in weights]
    return Problem(weights, prefixes, totals, np.zeros((len(totals), HOURS), np.int64))


def run(given: Problem, kernel: Kernel) -> None:
    """Run a kernel of running sums over all rows, on all threads."""

    blocks = given.blocks

    def some(first: int, last: int) -> None:
        for profile, rows in blocks[first:last]:
            kernel(given.prefixes[profile], given.totals[rows], given.out[rows])

    in_blocks(some, len(blocks))


def run_remainders(given: Problem) -> None:
    """Run the other method's kernel over all rows, on all threads."""

    blocks = given.blocks

    def some(first: int, last: int) -> None:
        rests = np.empty(HOURS, np.int64)
        for profile, rows in blocks[first:last]:
            whole = given.prefixes[profile][-1]
            apportion.largest_remainder(given.weights[profile], whole, given.totals[rows], rests, given.out[rows])

    in_blocks(some, len(blocks))


def check_cumulative(given: Problem, kernel: Kernel) -> None:
    """Raise unless every hour equals big-integer arithmetic."""
    given.out.fill(-1)
    run(given, kernel)
    each = len(given.totals) // len(given.prefixes)
    big = [big_prefix(part) for part in given.weights]
    for row, total in enumerate(given.totals.tolist()):
        assert np.array_equal(given.out[row], spread(big[row // each], total)), f"row {row} is not exact"


def check_remainders(given: Problem) -> None:
    """Raise unless every hour equals big-integer arithmetic."""
    given.out.fill(-1)
    run_remainders(given)
    each = len(given.totals) // len(given.prefixes)
    for row, total in enumerate(given.totals.tolist()):
        right = remainders(given.weights[row // each].astype(object), total)
        assert np.array_equal(given.out[row], right), f"row {row} is not exact"


def remainders(weights: np.ndarray, total: int) -> np.ndarray:
    """Return floors plus 1 for the largest remainders, the earliest first, in Python's integers."""
    whole = int(weights.sum())
    floors = (total * weights // whole).astype(np.int64)
    rests = (total * weights % whole).astype(np.int64)
    best = np.argsort(-rests, kind="stable")[: total - int(floors.sum())]
    floors[best] += 1
    return floors


def compile_seconds(kernel: Any, *arguments: Any) -> float:
    """Return how long a kernel takes to compile where no machine code is kept."""
    import numba

    fresh = numba.njit(nogil=True)(kernel.__wrapped__)
    begin = time.perf_counter()
    fresh(*arguments)
    return time.perf_counter() - begin


def bench(results: Results, device_years: int, runs: int) -> None:
    """Take the times of this stage."""
    given = problem(device_years)
    for kernel in (apportion.cumulative, numpy_peer.cumulative):
        check_cumulative(given, kernel)
    check_remainders(given)
    hours = float(given.out.size)
    jobs = {
        ("gcr_fast", "blocks of 8 rows"): lambda: run(given, apportion.cumulative),
        (numpy_peer.NAME, "float guess, blocks of 8 rows"): lambda: run(given, numpy_peer.cumulative),
        ("machine", "filling the same array"): lambda: machine.fill(given.out),
    }
    results.add(*timings(WORK, jobs, runs, hours, "hours"))
    others = {
        ("gcr_fast", "blocks of 8 rows"): lambda: run_remainders(given),
        ("machine", "filling the same array"): lambda: machine.fill(given.out),
    }
    results.add(*timings(REMAINDERS, others, runs, hours, "hours"))
    share = 100 / results.ratio(WORK, "gcr_fast", "machine")
    text = f"cumulative kernel, {len(given.totals):,} device-years: of the rate of filling the same array"
    results.claim(Claim("kernel_of_fill", text, share, 40, unit="%"))
    one = compile_seconds(apportion.cumulative, given.prefixes[0], given.totals[:1], given.out[:1])
    results.notes.append(
        f"Compiling the cumulative kernel where no machine code is kept: {one:.2f} s, not in any median."
    )
