"""The door to Numba: cached where possible, compiled all the same where not."""

import numba
import numpy as np
import pytest

from gcr_fast import accelerate


def test_without_a_folder_for_the_cache_kernels_compile_and_say_so_once(monkeypatch):
    real = numba.njit

    def njit(**options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return real(**options)

    monkeypatch.setattr(numba, "njit", njit)
    with pytest.warns(RuntimeWarning, match="NUMBA_CACHE_DIR"):
        double = accelerate.kernel(lambda values: values * 2)
    assert double(np.arange(3)).tolist() == [0, 2, 4]


def test_the_switch_for_plain_python_is_seen(monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert not accelerate.jit_enabled()
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "0")
    assert accelerate.jit_enabled()
