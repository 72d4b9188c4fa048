"""Work over threads: in order, a bounded number under way, errors passed on."""

import threading
import time

import pytest

from gcr_fast import UsageError
from gcr_fast.parallel import ordered_map, results, thread_count


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

    each = ordered_map(fails, range(100), threads)
    assert [next(each) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(KeyError):
        next(each)


def test_giving_up_early_leaves_the_rest_undone():
    done = []

    def slow(number):
        time.sleep(0.005)
        done.append(number)

    each = ordered_map(slow, range(1000), 2)
    next(each)
    each.close()
    assert len(done) < 10


@pytest.mark.parametrize("bad", [0, -1])
def test_fewer_than_one_thread_is_a_usage_error(bad):
    with pytest.raises(UsageError, match=str(bad)):
        thread_count(bad)


def test_threads_as_given_or_one_per_core():
    assert thread_count(3) == 3
    assert thread_count(None) >= 1


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_all_results_stand_in_the_order_of_their_tasks(threads):
    def later_first(number):
        time.sleep(0.002 * (number % 3 == 0))
        return number * number

    assert results(later_first, range(40), threads) == [n * n for n in range(40)]
    assert results(later_first, [], threads) == []


def test_the_caller_works_too_and_no_more_threads_than_tasks():
    def who(_):
        time.sleep(0.02)
        return threading.get_ident()

    assert set(results(who, range(3), 1)) == {threading.get_ident()}
    assert len(set(results(who, range(2), 5))) == 2
    assert threading.get_ident() in results(who, range(9), 3)


@pytest.mark.parametrize("threads", [1, 3])
def test_after_an_error_no_more_tasks_are_begun_and_all_threads_are_done(threads):
    begun, done = [], []

    def fails(number):
        begun.append(number)
        time.sleep(0.002)
        if number == 5:
            raise KeyError(number)
        done.append(number)

    with pytest.raises(KeyError):
        results(fails, range(1000), threads)
    assert len(begun) < 20
    assert len(begun) == len(done) + 1


def test_an_error_of_another_thread_reaches_the_caller():
    def fails_elsewhere(_):
        time.sleep(0.005)
        if threading.get_ident() != caller:
            raise KeyError

    caller = threading.get_ident()
    with pytest.raises(KeyError):
        results(fails_elsewhere, range(100), 2)
