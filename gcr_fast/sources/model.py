"""What every format is turned into: readings, each the measurements of one thing in one file.

A format says what it is (`Format`), and reads a `File` into a `Reading` per series. Whatever all formats have in common
(order, duplicates, gaps, hours, the sign) is done once, by whoever takes the readings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np

from gcr_fast.findings import Findings
from gcr_fast.flags import Flags
from gcr_fast.sources.files import File, Table
from gcr_fast.sources.known import Known

WEIGHT_DIGITS = 9
"""Weights are whole billionths, in every format that has them."""


@dataclass(frozen=True)
class Reading:
    """One series of a file, in the file's order and with the file's sign. Arrays may be shared between series."""

    kind: str
    """What it is of, as a slug of `words`: `solar`, `hydro_run_of_river`, `fossil_gas`, `load`."""
    area: str
    """Of which area; empty if the file does not say."""
    role: str
    """One of `codes.ROLES`."""
    power: bool
    """Whether values are W, the mean over the interval; else they are Wh."""
    starts: np.ndarray
    """int64[n] UTC seconds, the beginning of each interval."""
    interval_s: int
    """Length of an interval."""
    values: np.ndarray
    """int64[n] W or Wh, rounded down; 0 where null."""
    null: np.ndarray
    """bool[n]: no value where there should be one."""
    lines: np.ndarray
    """Integers [n]: line of the file on which each stands (a counter where a file has no lines)."""
    source_type: str | None = None
    """Of `codes.SOURCE_TYPES`; None if it is no generation, or of no known kind."""
    device_id: str | None = None
    """The unit or meter, where the file is about units."""
    column: str = ""
    """How the file calls it, for messages."""
    quality: np.ndarray | None = None
    """uint8[n], codes of `codes.QUALITIES`; None if all are measured."""
    flags: Flags | None = None
    """What the source says of each value in its own words; None if it says nothing."""
    is_energy: bool = True
    """Whether values are W or Wh. Else they are weights: a shape without a unit (`power` says nothing then)."""
    span: tuple[int, int] | None = None
    """UTC seconds: from when to when (exclusive) its file says to be. None: from the first interval to the last."""
    zone: str = ""
    """In which a calendar year of this series is meant, where a file has areas of several zones."""

    @property
    def name(self) -> str:
        """The profile's name: the device, else area and kind."""
        return self.device_id or (f"{self.area}-{self.kind}" if self.area else self.kind)

    def __len__(self) -> int:
        return len(self.starts)


class Page(NamedTuple):
    """A part of an answer that a service gives in several."""

    request: str
    """What all pages of one answer have in common."""
    first: int
    """Which of the answer's rows this part begins with, from 0; -1 if it does not say."""
    rows: int
    total: int
    """Rows of the whole answer."""


@dataclass(frozen=True)
class How:
    """What a user says about a file beyond its bytes."""

    zone: str | None = None
    """Of local times, where the file does not tell."""
    year: int | None = None
    """The calendar year (in the file's zone) to keep; or the year of a file that names none."""
    typical_year: int | None = None
    """The year of a file that names none, where `year` does not say; other files keep all their years."""
    areas: frozenset[str] = frozenset()
    """Areas to keep; empty: all. A file that does not name its area is of the one that is named here."""
    types: frozenset[str] = frozenset()
    """Kinds, source types (a family stands for its members) or roles to keep; empty: all."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Source type by unit, for files that do not say what a unit burns."""
    mapping: Mapping[str, object] | None = None
    """The description of a file of no known format (see `generic`)."""


@dataclass
class Readings:
    """What one file holds: its series, and an account of every row and column that is in none of them."""

    file: File
    format: str
    series: list[Reading] = field(default_factory=list)
    zone: str = "UTC"
    """In which a calendar year of this file is meant."""
    rows: int = 0
    """Rows (or points, where a file has no rows) that were read."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Rows that are in no series, by the reason in words."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Columns or kinds that are in no series, each with the reason."""
    notes: dict[str, str] = field(default_factory=dict)
    """Rows or units that are in a series, but with something assumed of them: how many or which, and what."""
    pages: tuple[Page, ...] = ()
    """What this file holds of an answer that a service gives in pages; see `pages.check`."""
    areas: set[str] = field(default_factory=set)
    """All areas that the file has, whichever are asked for."""
    kinds: set[str] = field(default_factory=set)
    """All kinds that the file has in the areas that are asked for, whichever kinds are."""
    absent: set[str] = field(default_factory=set)
    """Of the kinds, source types and roles that are asked for, those of which there is no series."""
    findings: Findings = field(default_factory=Findings)
    attribution: str = ""
    """Whom to name, where the publisher asks for it."""
    cells: Table | None = None
    """The rows of a table that is no text: what is not read of them as well, to tell whether one repeats another."""
    site: dict[str, str] = field(default_factory=dict)
    """Of one system that is simulated: its place and size, see `sites`."""
    names: tuple[str, ...] = ()
    """Of all series, once they are tidied."""

    def drop(self, reason: str, count: int = 1) -> None:
        """Account for rows that are left out."""
        if count:
            self.dropped[reason] += int(count)


Read: TypeAlias = Callable[[File, How], Readings]


@dataclass(frozen=True)
class Format(Known):
    """One public format of generation or load."""

    read: Read
    """Take it apart. Raises `RefusedError` with every bad cell."""
    needs: str = ""
    """The extra that has to be installed for it."""
    typical: bool = False
    """Whether its hours are of a typical year, which somebody has to name."""
