"""Answers that a service gives in pages: whether the files at hand hold all of one."""

from __future__ import annotations

from collections.abc import Iterable

from gcr_fast.findings import Findings
from gcr_fast.sources.files import File
from gcr_fast.sources.model import Page, Readings


def check(readings: Iterable[Readings]) -> None:
    """Refuse files that together lack rows of an answer which came in pages, each answer with its own finding.

    Give all files that are read together: a page alone is as incomplete as a table cut off in the middle.
    """
    answers: dict[tuple[str, str, int], list[tuple[File, Page]]] = {}
    for one in readings:
        for page in one.pages:
            answers.setdefault((one.format, page.request, page.total), []).append((one.file, page))
    findings = Findings()
    for (_, _, total), pages in answers.items():
        held = _held([page for _, page in pages])
        if held < total:
            files = list(dict.fromkeys(file for file, _ in pages))
            names = ", ".join(file.path.name for file in files)
            said = f"{held} of the {total} rows of one answer are in {names}: give all its pages at once"
            findings.add("missing_interval", said, file=files[0].name, count=total - held)
    findings.check()


def _held(pages: list[Page]) -> int:
    """Return how many rows pages hold; of pages that say where they begin, what two of them hold counts once."""
    held = sum(page.rows for page in pages if page.first < 0)
    reached = 0
    for page in sorted((page for page in pages if page.first >= 0), key=lambda page: page.first):
        end = page.first + page.rows
        held += max(0, end - max(reached, page.first))
        reached = max(reached, end)
    return held
