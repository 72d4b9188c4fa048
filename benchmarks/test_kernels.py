"""The kernels under pytest-benchmark: `python -m pytest benchmarks/test_kernels.py -o addopts= --benchmark-only`."""

from __future__ import annotations

import os

import pytest

from benchmarks import kernel, machine
from benchmarks.peers import numpy_peer
from gcr_fast.kernels import apportion

DEVICE_YEARS = int(os.environ.get("BENCHMARK_DEVICE_YEARS", "200"))


@pytest.fixture(scope="module")
def given() -> kernel.Problem:
    return kernel.problem(DEVICE_YEARS)


@pytest.mark.parametrize("function", [apportion.cumulative, numpy_peer.cumulative], ids=["gcr_fast", "NumPy"])
def test_cumulative(benchmark, given, function):
    kernel.check_cumulative(given, function)
    benchmark(kernel.run, given, function)


def test_largest_remainder(benchmark, given):
    kernel.check_remainders(given)
    benchmark(kernel.run_remainders, given)


def test_fill(benchmark, given):
    benchmark(machine.fill, given.out)
    assert (given.out == 7).all()
