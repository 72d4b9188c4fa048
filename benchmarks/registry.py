"""The registry: issuing, opening, asking and trading, beside DuckDB on the same hours, SQLite and the machine."""

from __future__ import annotations

from benchmarks import registry_changes, registry_issuing, registry_opening, registry_questions
from benchmarks.files import folder
from benchmarks.timing import Results


def bench(results: Results, device_years: int, runs: int) -> None:
    """Take the times of this stage: issue, then questions to what was issued, then changes of it."""
    given = registry_issuing.registry_inputs(device_years)
    with folder() as place:
        issued = registry_issuing.bench(results, given, place, runs)
        registry_opening.sizes(results, issued)
        registry_opening.reopened(results, issued.registry, runs, "nothing to replay", 0.3)
        registry_questions.bench(results, issued, runs)
        registry_changes.bench(results, issued, runs)
