"""The door to Numba: cached where possible, compiled all the same where not."""

import subprocess
import sys

import numba
import numpy as np
import pytest

from gcr_fast import accelerate


def test_without_a_folder_for_the_cache_kernels_compile_and_say_so_once(monkeypatch):
    real = numba.njit

    def njit(*functions, **options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return real(*functions, **options)

    monkeypatch.setattr(numba, "njit", njit)
    with pytest.warns(RuntimeWarning, match="NUMBA_CACHE_DIR"):
        assert accelerate.kernel(lambda values: values * 2)(np.arange(3)).tolist() == [0, 2, 4]


def test_the_switch_for_plain_python_is_seen(monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert not accelerate.jit_enabled()
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "0")
    assert accelerate.jit_enabled()


def test_a_little_work_needs_no_numba_and_much_work_does():
    code = """
import sys, numpy as np
from gcr_fast.kernels.apportion import cumulative
prefix, small, large = np.arange(101), np.empty((1, 100), np.int64), np.empty((1000, 100), np.int64)
cumulative(prefix, np.array([1 << 51]), small)
print("numba" in sys.modules, small.sum() == 1 << 51)
cumulative(prefix, np.full(1000, 1 << 51), large)
print("numba" in sys.modules, (large == small).all())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "True", "True"]
    assert not done.stderr


def test_a_kernel_calls_the_parts_of_its_file_plainly_and_compiled(tmp_path):
    module = tmp_path / "parts.py"
    module.write_text(
        "from gcr_fast.accelerate import kernel, part\n"
        "@part\ndef twice(value):\n    return value * 2\n"
        "@kernel\ndef run(values):\n    for at in range(values.shape[0]):\n        values[at] = twice(values[at])\n"
    )
    code = """
import sys, numpy as np, parts
for count in (3, 100_000):
    values = np.arange(count)
    parts.run(values)
    print("numba" in sys.modules, (values == 2 * np.arange(count)).all(), parts.twice(4))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split() == ["False", "True", "8", "True", "True", "8"]
