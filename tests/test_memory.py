"""Memory for large arrays is given out again, but never while anything looks at it."""

import gc
import threading

import numpy as np
import pyarrow as pa
import pytest

from gcr_fast import memory
from gcr_fast.columns import arrow_int64
from gcr_fast.memory import HUGE_PAGE_BYTES, KEPT_BYTES, empty

PAGE_INTS = HUGE_PAGE_BYTES // 8


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    """Each test begins with no block kept and one size asked for before, on a system that has huge pages."""
    if not hasattr(memory.mmap, "MADV_HUGEPAGE"):
        pytest.skip("this system has no huge pages")
    monkeypatch.setattr(memory, "_kept", [])
    monkeypatch.setattr(memory, "_asked", {HUGE_PAGE_BYTES})


def address(array):
    return array.__array_interface__["data"][0]


def kept_bytes():
    return sum(len(block) for block in memory._kept)


def test_memory_that_is_free_is_given_out_again():
    first = empty(PAGE_INTS, np.int64)
    place = address(first)
    del first
    assert address(empty(PAGE_INTS - 5, np.int64)) == place


def test_a_block_is_kept_from_the_second_of_its_size_on():
    for kept in (0, 1, 1):
        empty(3 * PAGE_INTS, np.int64)
        assert len(memory._kept) == kept


@pytest.mark.parametrize(
    "look",
    [
        lambda array: array[5:9],
        lambda array: array.view(np.int32).reshape(2, -1)[1],
        memoryview,
        arrow_int64,
        lambda array: pa.table({"energy_wh": arrow_int64(array)}).slice(7, 2),
    ],
)
def test_memory_that_something_looks_at_is_not(look):
    first = empty(PAGE_INTS, np.int64)
    first[:] = np.arange(len(first))
    place, seen = address(first), look(first)
    before = bytes(memoryview(seen)) if isinstance(seen, (np.ndarray, memoryview)) else seen.to_pylist()
    del first
    gc.collect()
    second = empty(PAGE_INTS, np.int64)
    second[:] = -1
    assert address(second) != place
    assert (bytes(memoryview(seen)) if isinstance(seen, (np.ndarray, memoryview)) else seen.to_pylist()) == before
    del seen
    assert address(empty(PAGE_INTS, np.int64)) == place


def test_a_block_of_another_size_is_not_taken():
    memory._asked.add(8 * HUGE_PAGE_BYTES)
    large = empty(8 * PAGE_INTS, np.int64)
    place = address(large)
    del large
    small = empty(PAGE_INTS, np.int64)
    assert address(small) != place
    assert len(memory._kept) == 2


def test_no_more_than_the_limit_is_kept_and_the_oldest_idle_goes_first():
    part = KEPT_BYTES // 16
    for size in (2, 3, 4, 5, 6):  # of sixteen
        memory._asked.add(size * part)
        empty(size * part, np.uint8)
    assert kept_bytes() <= KEPT_BYTES
    assert [len(block) // part for block in memory._kept] == [4, 5, 6]


def test_what_is_in_use_or_too_large_is_never_dropped_or_kept():
    memory._asked.update({KEPT_BYTES // 2, KEPT_BYTES + HUGE_PAGE_BYTES})
    used = [empty(KEPT_BYTES // 2, np.uint8) for _ in range(3)]
    assert kept_bytes() == KEPT_BYTES
    assert len({address(one) for one in used}) == 3
    too_large = empty(KEPT_BYTES + 1, np.uint8)
    too_large[-1] = 1
    assert kept_bytes() == KEPT_BYTES


def test_small_arrays_are_ordinary_ones():
    assert empty(1000, np.int64).base is None
    assert empty(0, np.int32).shape == (0,)


def test_threads_never_share_a_block():
    wrong = []

    def work(mark):
        for _ in range(200):
            mine = empty(PAGE_INTS, np.int64)
            mine[:: PAGE_INTS // 64] = mark
            if (mine[:: PAGE_INTS // 64] != mark).any():
                wrong.append(mark)

    threads = [threading.Thread(target=work, args=(mark,)) for mark in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
