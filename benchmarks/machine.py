"""The machine: what it is, and how fast it is at nothing but filling memory and writing bytes."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

THREADS = 2
LIBRARIES = ("gcr_fast", "numpy", "numba", "pyarrow", "duckdb", "polars", "pandas")
CHUNK = 1 << 20


def describe() -> dict[str, str]:
    """Return what the figures were measured on."""
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "processor": _processor(),
        "cores": f"{len(os.sched_getaffinity(0))} used, {os.cpu_count()} present; {THREADS} threads for everyone",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}",
        "libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def in_blocks(work: Callable[[int, int], None], rows: int) -> None:
    """Call `work(first, last)` for one block of rows per thread, all at once."""
    bounds = [rows * at // THREADS for at in range(THREADS + 1)]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, bounds[:-1], bounds[1:]))


def fill(out: np.ndarray) -> None:
    """Fill an array: the least that any computation of it must do."""
    in_blocks(lambda first, last: out[first:last].fill(7), len(out))


def fill_new(size: int) -> None:
    """Fill that many bytes of memory not touched before."""
    import numpy as np

    fill(np.empty(-(-size // 8), dtype=np.int64))


def write_bytes(path: Path, size: int) -> None:
    """Write that many bytes and wait until they are on disk."""
    block = os.urandom(CHUNK)
    with path.open("wb") as file:
        for at in range(0, size, CHUNK):
            file.write(block[: size - at])
        file.flush()
        os.fsync(file.fileno())


def write_files(folder: Path, contents: list[memoryview]) -> None:
    """Write files and wait until they are on disk, as many at a time as there are threads."""

    def write(place: Path, content: memoryview) -> None:
        with place.open("wb", buffering=0) as file:
            while content:
                content = content[file.write(content) :]
            os.fsync(file.fileno())

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(write, [folder / str(at) for at in range(len(contents))], contents))
