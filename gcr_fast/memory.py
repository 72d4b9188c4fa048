"""Memory for large arrays: on huge pages, and given out again once no array looks at it.

The system fills every page with zeros before it gives it out. Page by page that takes six times as long as computing a
table of hours into it, on huge pages still about as long. So some blocks stay with the process, as they do in the
allocators of Arrow and of other tables.
"""

from __future__ import annotations

import contextlib
import mmap
import sys
import threading
from collections.abc import Iterator, Sequence

import numpy as np

HUGE_FROM_BYTES = 1 << 20
HUGE_PAGE_BYTES = 1 << 21
KEPT_BYTES = 1 << 27
"""What stays with the process at most, looked at or not; all beyond goes back to the system as soon as it is free."""

_lock = threading.Lock()
_kept: list[mmap.mmap] = []
"""Blocks, the last given out last."""
_asked: set[int] = set()
"""Sizes that were asked for: a block is kept from the second of its size on, as the first may have been the only."""


def empty(count: int, dtype: type) -> np.ndarray:
    """Return uninitialised memory; large blocks on huge pages, where the system has them."""
    size = count * np.dtype(dtype).itemsize
    if size < HUGE_FROM_BYTES or not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.empty(count, dtype=dtype)
    whole = -(-size // HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES  # only then is the block laid on their borders
    with _lock:
        block = _taken(whole) or _new(whole)
        return np.frombuffer(block, dtype=dtype, count=count)  # it, and every view of it, refers to the block


def _taken(size: int) -> mmap.mmap | None:
    """Return a block that is idle, of this size or up to a quarter more; None if there is none."""
    for at in _idle():
        if size <= len(_kept[at]) <= size * 5 // 4:
            _kept.append(_kept.pop(at))
            return _kept[-1]
    return None


def _new(size: int) -> mmap.mmap:
    """Return a new block. One of a size that comes again is kept, if idle ones, the oldest first, make room for it."""
    block = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):  # a kernel without huge pages
        block.madvise(mmap.MADV_HUGEPAGE)
    if size in _asked and size <= KEPT_BYTES:
        while sum(map(len, _kept)) + size > KEPT_BYTES:
            oldest = next(_idle(), None)
            if oldest is None:
                return block
            del _kept[oldest]
        _kept.append(block)
    _asked.add(size)
    return block


def _references(blocks: Sequence[object], at: int) -> int:
    return sys.getrefcount(blocks[at])


_UNUSED = _references([object()], 0)
"""What is counted of a block that only `_kept` refers to."""


def _idle() -> Iterator[int]:
    """Yield the places of blocks that no array looks at."""
    return (at for at in range(len(_kept)) if _references(_kept, at) == _UNUSED)
