"""A bar on stderr with the rate and the time that is left; silent where nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def progress(what: str, total: int | None, off: bool = False) -> Iterator[Callable[[int], None]]:
    """Yield a function to call with the number of things just done; no bar if `off` or stderr is no terminal.

    A `total` of None is not known beforehand.
    """
    if off or not sys.stderr.isatty():
        yield lambda count: None
        return
    with _bar() as bar:
        task = bar.add_task(what, total=total, rate="")

        def advance(count: int) -> None:
            bar.update(task, advance=count, rate=_rate(bar.tasks[0]))

        yield advance


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=True,
    )


def _rate(task: Any) -> str:
    return f"{task.completed / task.elapsed:,.0f} certificates/s" if task.elapsed else ""
