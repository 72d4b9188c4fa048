"""The one door to Numba: `@kernel` compiles a function of arrays, without the GIL, cached where that is possible.

Loading Numba takes longer than one certificate's year in plain Python, so the first few thousand entries of a process
are computed by the function itself: the same code, shown equal by running every test both ways.

Numba's cache keeps stale machine code when a helper in another file changes, so a kernel file imports no other kernel
file. Signatures stay lazy, so that importing a kernel costs nothing until it runs.
"""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])

PLAIN_ENTRIES = 40_000
"""Array entries that a process computes in plain Python, all kernels together, before it loads Numba."""

_NO_CACHE = (
    "no writable folder for compiled kernels: each new process compiles them again; "
    "set NUMBA_CACHE_DIR to a writable folder"
)
_done_plainly = 0
_parts: list[Callable[..., Any]] = []


def kernel(function: Function) -> Function:
    """Compile `function` in nopython mode when there is work for it; keep the machine code for the next process."""
    compiled: Callable[..., Any] | None = None

    @functools.wraps(function)
    def run(*arguments: Any) -> Any:
        nonlocal compiled
        if compiled is None:
            if _small(arguments):
                with np.errstate(over="ignore"):  # wrapping is part of the arithmetic
                    return function(*arguments)
            compiled = _compile(function)
        return compiled(*arguments)

    return cast("Function", run)


def part(function: Function) -> Function:
    """Let the kernels of the same file call `function`, which is compiled with them; elsewhere it is plain Python."""
    _parts.append(function)
    return function


def _small(arguments: tuple[Any, ...]) -> bool:
    """Whether the process may still compute this plainly; counts it if so."""
    global _done_plainly  # noqa: PLW0603 - one budget for the process
    entries = max((item.size for item in arguments if isinstance(item, np.ndarray)), default=0)
    if _done_plainly + entries > PLAIN_ENTRIES:
        return False
    _done_plainly += entries
    return True


def _compile(function: Callable[..., Any]) -> Callable[..., Any]:
    import numba
    from numba.extending import register_jitable

    while _parts:
        register_jitable(_parts.pop())
    try:
        return cast("Callable[..., Any]", numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # Numba found no folder to cache in, as in a read-only container
        warnings.warn(_NO_CACHE, RuntimeWarning, stacklevel=3)
        return cast("Callable[..., Any]", numba.njit(nogil=True)(function))


def jit_enabled() -> bool:
    """Whether kernels are compiled; `NUMBA_DISABLE_JIT=1` runs them as plain Python."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") in {"", "0"}
