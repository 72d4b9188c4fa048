"""Converted hours as blocks: many parents with the same number of intervals, each interval in its place.

What a registry stores. Where batches drop the hours without energy, a block keeps them as 0, so that a parent's hour
is found by its number.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gcr_fast.conversion.batches import BatchMaker, Task
from gcr_fast.memory import empty

BLOCK_PARENTS = 1000
PART_ROWS = 64
"""Certificates at a time: 2 MB, which stay in cache. With fewer, threads would wait for each other more often."""
INT32_WH = (1 << 31) - 1


@dataclass(frozen=True, eq=False)
class BlockPlan:
    """Parents of one block, in order: tasks of one piece each."""

    tasks: tuple[Task, ...]
    hours: int

    @property
    def rows(self) -> np.ndarray:
        """int64[parents]: rows of the annual table."""
        return np.concatenate([task.rows for task in self.tasks])


def block_plans(tasks: Iterable[Task], parents: int = BLOCK_PARENTS) -> Iterator[BlockPlan]:
    """Group tasks by the number of intervals into blocks of about `parents`; order is kept within a length."""
    waiting: dict[int, list[Task]] = {}
    sizes: dict[int, int] = {}
    for task in tasks:
        for single in _singles(task):
            hours = single.pieces[0].lot.share.hours
            waiting.setdefault(hours, []).append(single)
            sizes[hours] = sizes.get(hours, 0) + len(single.rows)
            if sizes[hours] >= parents:
                yield BlockPlan(tuple(waiting.pop(hours)), hours)
                del sizes[hours]
    for hours, some in waiting.items():
        yield BlockPlan(tuple(some), hours)


def _singles(task: Task) -> Iterator[Task]:
    """Cut a task into tasks of one piece."""
    if len(task.pieces) == 1:
        yield task
        return
    for at, piece in enumerate(task.pieces):
        metered = {0: task.metered[at]} if at in task.metered else {}
        yield replace(task, pieces=(piece,), rows=piece.rows, metered=metered)


@dataclass(frozen=True, eq=False)
class BlockHours:
    """The hours of one block, computed as they are gone through; may be used by many threads, each its own block."""

    plan: BlockPlan
    maker: BatchMaker

    @property
    def rows(self) -> np.ndarray:
        """int64[parents]: rows of the annual table."""
        return self.plan.rows

    @property
    def hours(self) -> int:
        """Intervals of each parent."""
        return self.plan.hours

    @property
    def steps_s(self) -> np.ndarray:
        """int64[parents]: length of their intervals."""
        steps = [task.pieces[0].lot.share.profile.step_s for task in self.plan.tasks]
        return np.repeat(np.array(steps, np.int64), [len(task.rows) for task in self.plan.tasks])

    @cached_property
    def kind(self) -> type[np.signedinteger]:
        """int32 if every hour fits, else int64."""
        return np.int32 if all(_narrow(task, self.maker) for task in self.plan.tasks) else np.int64

    def parts(self) -> Iterator[np.ndarray]:
        """Yield Wh of a few parents, `kind` [k, hours], in order, each part in the place of the one before."""
        from gcr_fast.kernels.blocks import lay

        for task in self.plan.tasks:
            piece = task.pieces[0]
            memory = _scratch("computed", PART_ROWS * piece.width, self.kind)
            for hours in self.maker.parts(task, memory, PART_ROWS, reuse=True):
                if piece.width == self.hours:
                    yield hours
                    continue
                out = _scratch("laid", len(hours) * self.hours, self.kind).reshape(len(hours), self.hours)
                lay(hours, piece.lot.share.positions, out)
                yield out


_kept = threading.local()


def _scratch(name: str, size: int, kind: type) -> np.ndarray:
    """Return memory to compute in, this thread's own: new memory takes longer than what is computed in it."""
    have: np.ndarray | None = getattr(_kept, name, None)
    if have is None or have.nbytes < size * np.dtype(kind).itemsize:
        have = empty(size, kind).view(np.uint8)
        setattr(_kept, name, have)
    return have[: size * np.dtype(kind).itemsize].view(kind)


def _narrow(task: Task, maker: BatchMaker) -> bool:
    """Whether no hour can pass 32 bits: by the quota rule none is above the ceiling of its share."""
    share = task.pieces[0].lot.share
    if task.metered:
        return int(share.weights.max()) <= INT32_WH
    most = int(maker.plan.issue_wh[task.rows].max())
    return most * int(share.weights.max()) // share.total + maker.unit_wh <= INT32_WH
