"""What is said of a file that was written for somebody else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gcr_fast.findings import Findings

if TYPE_CHECKING:
    from gcr_fast.exchange.writing import Written


@dataclass(frozen=True)
class Exchanged:
    """A file in another registry's form."""

    written: Written
    format: str
    energy_wh: int
    """Of all its rows."""
    not_carried: dict[str, str] = field(default_factory=dict)
    """Columns of ours that the form has no place for, each with what becomes of it."""
    left_out: dict[str, str] = field(default_factory=dict)
    """States of certificates, or series of a profile file, that are not in it: how many and why."""
    empty: tuple[str, ...] = ()
    """Columns that its reader asks for and nothing here fills."""
    findings: Findings = field(default_factory=Findings)
    """What was assumed, dropped and left out when a profile file was read."""
