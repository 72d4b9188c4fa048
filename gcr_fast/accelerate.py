"""The one door to Numba: `@kernel` compiles a function of arrays, without the GIL, cached where that is possible.

Numba's cache keeps stale machine code when a helper in another file changes, so a kernel file imports no other
kernel file. Signatures stay lazy, so that importing a kernel costs nothing until it runs.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

_NO_CACHE = (
    "no writable folder for compiled kernels: each new process compiles them again; "
    "set NUMBA_CACHE_DIR to a writable folder"
)


def kernel(function: Function) -> Function:
    """Compile `function` in nopython mode on first call; keep the machine code for the next process."""
    import numba

    try:
        return cast("Function", numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # Numba found no folder to cache in, as in a read-only container
        warnings.warn(_NO_CACHE, RuntimeWarning, stacklevel=2)
        return cast("Function", numba.njit(nogil=True)(function))


def jit_enabled() -> bool:
    """Whether kernels are compiled; `NUMBA_DISABLE_JIT=1` runs them as plain Python."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") in {"", "0"}
