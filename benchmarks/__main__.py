"""Run all benchmarks: `python -m benchmarks`. With `--smoke`, everything once at a small size, writing nothing."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass

from benchmarks.machine import THREADS

os.environ["POLARS_MAX_THREADS"] = str(THREADS)  # read when Polars is imported


@dataclass(frozen=True)
class Sizes:
    """Device-years of each stage, and how often each is run."""

    kernel: int = 2_000
    memory: int = 1_000
    files: int = 1_000
    formats: int = 200
    reading: int = 10_000
    imports_bytes: int = 50_000_000
    registry: int = 10_000
    processes: tuple[int, ...] = (1_000, 5_000, 10_000)
    runs: int = 7
    process_runs: int = 3

    def shown(self) -> dict[str, object]:
        """Return the sizes of the stages, for the page."""
        listed = ", ".join(f"{size:,}" for size in self.processes)
        return {key: f"{value:,}" for key, value in asdict(self).items() if isinstance(value, int)} | {
            "processes": listed
        }


SMOKE = Sizes(
    kernel=20,
    memory=20,
    files=20,
    formats=20,
    reading=20,
    imports_bytes=50_000,
    registry=20,
    processes=(20, 40, 60),
    runs=1,
    process_runs=1,
)


def stages(sizes: Sizes) -> dict[str, Callable[..., None]]:
    """Return every stage by name."""
    from benchmarks import commandline, files, imports, kernel, memory, registry

    return {
        "kernel": lambda results: kernel.bench(results, sizes.kernel, sizes.runs),
        "memory": lambda results: memory.bench(results, sizes.memory, sizes.runs),
        "files": lambda results: files.bench(results, sizes.files, sizes.runs),
        "formats": lambda results: files.formats(results, sizes.formats, sizes.runs),
        "reading": lambda results: files.reading(results, sizes.reading, sizes.runs),
        "imports": lambda results: imports.bench(results, sizes.imports_bytes, sizes.runs),
        "registry": lambda results: registry.bench(results, sizes.registry, sizes.runs),
        "processes": lambda results: commandline.bench(results, sizes.processes, sizes.process_runs),
        "startup": lambda results: commandline.startup(results, sizes.runs),
    }


def main() -> None:
    """Run the stages that were named, or all; only all of them write the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "stages", nargs="*", help="kernel, memory, files, formats, reading, imports, registry, processes, startup"
    )
    parser.add_argument("--smoke", action="store_true", help="once each at a small size, writing nothing")
    chosen = parser.parse_args()
    sizes = SMOKE if chosen.smoke else Sizes()
    from benchmarks.timing import Results

    results = Results(judged=not chosen.smoke)
    known = stages(sizes)
    unknown = sorted(set(chosen.stages) - set(known))
    if unknown:
        parser.error(f"no stage {', '.join(unknown)}; there are {', '.join(known)}")
    for name, run in known.items():
        if not chosen.stages or name in chosen.stages:
            print(name, flush=True)
            run(results)
    if not chosen.smoke and not chosen.stages:
        from benchmarks.report import save

        save(results, sizes.shown())


if __name__ == "__main__":
    main()
