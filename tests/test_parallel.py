"""Work over threads: in order, a bounded number under way, errors passed on."""

import threading
import time

import pytest

from gcr_fast import UsageError
from gcr_fast.parallel import ordered_map, thread_count


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_order_for_any_thread_count(threads):
    def later_first(number):
        time.sleep(0.002 * (number % 3 == 0))
        return number * number

    assert list(ordered_map(later_first, range(40), threads)) == [n * n for n in range(40)]


@pytest.mark.parametrize("threads", [1, 3])
def test_no_tasks_no_results(threads):
    assert list(ordered_map(str, [], threads)) == []


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_memory_does_not_grow_with_the_number_of_tasks(threads):
    drawn = []

    def tasks():
        for number in range(100):
            drawn.append(number)
            yield number

    for taken, _ in enumerate(ordered_map(str, tasks(), threads), start=1):
        assert len(drawn) <= taken + threads


@pytest.mark.parametrize("threads", [1, 3])
def test_tasks_are_drawn_by_the_calling_thread_only(threads):
    callers = set()

    def tasks():
        for number in range(10):
            callers.add(threading.get_ident())
            yield number

    list(ordered_map(str, tasks(), threads))
    assert callers == {threading.get_ident()}


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_in_a_task_reaches_the_caller(threads):
    def fails(number):
        if number == 5:
            raise KeyError(number)
        return number

    results = ordered_map(fails, range(100), threads)
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(KeyError):
        next(results)


def test_giving_up_early_leaves_the_rest_undone():
    done = []

    def slow(number):
        time.sleep(0.005)
        done.append(number)

    results = ordered_map(slow, range(1000), 2)
    next(results)
    results.close()
    assert len(done) < 10


@pytest.mark.parametrize("bad", [0, -1])
def test_fewer_than_one_thread_is_a_usage_error(bad):
    with pytest.raises(UsageError, match=str(bad)):
        thread_count(bad)


def test_threads_as_given_or_one_per_core():
    assert thread_count(3) == 3
    assert thread_count(None) >= 1
