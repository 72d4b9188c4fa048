"""What the reading of files left out and assumed, in short: nobody shall take half a list for all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gcr_fast.annual import Annual
    from gcr_fast.findings import Finding, Findings
    from gcr_fast.profiles import Profiles

NOTES = frozenset({"absent_kind", "reading_note"})
SHOWN_NOTES = 5
"""Notes of the reading that a summary quotes."""


def told_by(annual: Annual, profiles: Profiles) -> Findings:
    """Return what was found when certificates and profiles were read; of profiles, what concerns whole files."""
    from gcr_fast.findings import Findings

    return Findings([*annual.findings, *(one for one in profiles.findings if one.profile is None)])


def left_out_counts(findings: Findings) -> dict[str, int]:
    """Return how many rows of a list were left out, by reason, the commonest first."""
    reasons: Counter[str] = Counter()
    for one in _of(findings, {"left_out"}):
        reasons[one.message.partition(": ")[2]] += one.count
    return dict(reasons.most_common())


def left_out(findings: Findings) -> list[tuple[str, str]]:
    """Return the same as lines of a summary."""
    return [(f"left out: {count:,}", reason) for reason, count in left_out_counts(findings).items()]


def notes(findings: Findings, limit: int = SHOWN_NOTES) -> Iterator[str]:
    """Yield what was assumed when files were read, in short."""
    every = [one.message for one in _of(findings, NOTES)]
    yield from every[:limit]
    if len(every) > limit:
        yield f"... and {len(every) - limit:,} more notes; --json gives all of them"


def _of(findings: Findings, codes: frozenset[str] | set[str]) -> list[Finding]:
    return [one for one in findings if one.code in codes]
