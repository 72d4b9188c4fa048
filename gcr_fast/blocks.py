"""Converted hours as blocks: many parents with the same number of intervals, each interval in its place.

What a registry stores. Where batches drop the hours without energy, a block keeps them as 0, so that a parent's hour
is found by its number.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from gcr_fast.batches import BatchMaker, Task
from gcr_fast.columns import empty

BLOCK_PARENTS = 1000
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


def energy_of(plan: BlockPlan, maker: BatchMaker) -> np.ndarray:
    """Compute a block: Wh [parents, hours], int32 where every hour fits; may be used by many threads."""
    from gcr_fast.kernels.blocks import lay

    kind = np.int32 if all(_narrow(task, maker) for task in plan.tasks) else np.int64
    out = empty(len(plan.rows) * plan.hours, kind).reshape(-1, plan.hours)
    at = 0
    for task in plan.tasks:
        piece = task.pieces[0]
        hours = maker.energy(task, _scratch(piece.count * piece.width)).reshape(piece.count, piece.width)
        lay(hours, piece.lot.share.positions, out[at : at + piece.count])
        at += piece.count
    return out


_kept = threading.local()


def _scratch(size: int) -> np.ndarray:
    """Return int64[size] to compute in, this thread's own: new memory takes longer than what is computed in it."""
    if getattr(_kept, "hours", None) is None or len(_kept.hours) < size:
        _kept.hours = empty(size, np.int64)
    hours: np.ndarray = _kept.hours[:size]
    return hours


def _narrow(task: Task, maker: BatchMaker) -> bool:
    """Whether no hour can pass 32 bits: by the quota rule none is above the ceiling of its share."""
    share = task.pieces[0].lot.share
    if task.metered:
        return int(share.weights.max()) <= INT32_WH
    most = int(maker.plan.issue_wh[task.rows].max())
    return most * int(share.weights.max()) // share.total + maker.unit_wh <= INT32_WH
