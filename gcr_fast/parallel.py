"""Threads for work that releases the GIL: results in order, of any number of tasks, or of all at once."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, cast

from gcr_fast.errors import UsageError

Task = TypeVar("Task")
Result = TypeVar("Result")


def thread_count(threads: int | None) -> int:
    """Return `threads`, or the number of cores this process may use."""
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if threads < 1:
        raise UsageError(f"threads must be 1 or more, not {threads}")
    return threads


def ordered_map(function: Callable[[Task], Result], tasks: Iterable[Task], threads: int) -> Iterator[Result]:
    """Yield `function(task)` for each task, in order.

    At most `threads + 1` tasks are under way or waiting to be taken, so memory does not grow with their number,
    and `tasks` is advanced only by the caller's thread.
    """
    if threads == 1:
        yield from map(function, tasks)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(function, task))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def results(function: Callable[[Task], Result], tasks: Sequence[Task], threads: int) -> list[Result]:
    """Return `function(task)` of each task, in order, once all are done.

    The caller's thread works too, and each thread takes the next task by itself: none waits to be given one. After an
    error no more tasks are begun.
    """
    found: list[Result | None] = [None] * len(tasks)
    order = iter(range(len(tasks)))  # which gives each number to one thread

    def work() -> None:
        try:
            for at in order:
                found[at] = function(tasks[at])
        except BaseException:
            deque(order, maxlen=0)
            raise

    others = min(threads, len(tasks)) - 1
    if others < 1:
        work()
    else:
        with ThreadPoolExecutor(others) as pool:
            beside = [pool.submit(work) for _ in range(others)]
            work()
        for one in beside:
            one.result()
    return cast("list[Result]", found)
