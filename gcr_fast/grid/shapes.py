"""What a profile is: integer energy (or weights) on a regular UTC grid, with every gap known.

A profile is held from its first to its last interval; an interval that is absent, null or unusable is `missing`,
never zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gcr_fast.columns import bits_of, exact_sum, some, utc_timestamps
from gcr_fast.errors import UsageError
from gcr_fast.exchange.reading import Source
from gcr_fast.findings import Finding, Findings
from gcr_fast.flags import Flags
from gcr_fast.periods import Period, utc_to_local

if TYPE_CHECKING:
    import pyarrow as pa

    from gcr_fast.grid.series import Rows

DISTRIBUTIONS = ("flat", "uniform", "daylight", "peakload")
"""Shapes that no meter measured; used only where they are asked for by name. `uniform` is another word for flat."""

_DAYLIGHT = np.array([0] * 6 + [131, 383, 609, 793, 924, 991, 991, 924, 793, 609, 383, 131] + [0] * 6)
"""1000 x the sine of the hour's middle, from 06:00 to 18:00 local time."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A finding about some of a profile's intervals, `first` to `last` (positions in the grid, both included)."""

    first: int
    last: int
    finding: Finding


def negative_clipped(name: str, count: int, amount: int, is_energy: bool, **where: Any) -> Finding:
    """Return what is said of intervals below zero: nothing is issued for them. `amount` is above zero."""
    unit = "Wh" if is_energy else "weight"
    what = f"{name}: {count} negative intervals issue nothing: {amount} {unit} clipped"
    return Finding("negative_clipped", what, profile=name, count=count, **where)


class Parts(NamedTuple):
    """Metered parts of intervals of which others are missing: another file may have those. All arrays are [k]."""

    begins: np.ndarray
    """int64: UTC seconds."""
    steps: np.ndarray
    """int64: seconds that each lasts."""
    values: np.ndarray
    """int64: W or Wh (or weights), with the source's sign."""
    power: np.ndarray
    """bool: whether it is W."""
    quality: np.ndarray
    """uint8, as of a profile."""
    flags: np.ndarray
    """int32: codes of `words`."""
    words: tuple[str, ...]

    def only(self, rows: np.ndarray) -> Parts:
        """Return some of them."""
        arrays = {name: array[rows] for name, array in self._asdict().items() if name != "words"}
        return self._replace(**arrays)


@dataclass(frozen=True)
class Profile:
    """One series on its grid: interval i is [start_s + i * step_s, start_s + (i + 1) * step_s)."""

    name: str
    start_s: int
    step_s: int
    values: np.ndarray
    """int64[n], >= 0: Wh, or weights without unit."""
    missing: np.ndarray
    """bool[n]: no usable value."""
    clipped: np.ndarray
    """int64[n], >= 0: Wh of negative generation that became 0."""
    is_energy: bool = True
    weight_digits: int = 0
    """Decimal places that weights have: the source says values / 10 ** weight_digits."""
    source_type: str | None = None
    device_id: str | None = None
    file: str = ""
    attribution: str = ""
    faults: tuple[Fault, ...] = ()
    quality: np.ndarray | None = None
    """uint8[n]: codes of `codes.QUALITIES`; None if every interval is as it was metered."""
    flags: Flags | None = None
    """What the source says of each interval in its own words; None if it says nothing."""
    parts: Parts | None = None
    """What was metered of intervals that are missing as a whole; None if nothing was."""
    rows: Rows | None = field(default=None, repr=False, compare=False)
    """Where its values stand in the source, to be read once more if another source says otherwise."""

    @property
    def end_s(self) -> int:
        """End of the last interval."""
        return self.start_s + len(self.values) * self.step_s

    @property
    def total(self) -> int:
        """Sum of all values."""
        return exact_sum(self.values)

    @cached_property
    def bits(self) -> int:
        """All bits that some value has."""
        return bits_of(self.values)

    @cached_property
    def has_clipped(self) -> bool:
        """Whether negative energy became 0 somewhere; where it nowhere did, a single 0 may stand for all intervals."""
        return some(self.clipped)

    @property
    def signed(self) -> np.ndarray:
        """int64[n]: values with the source's sign, 0 where missing; `values` itself where none was negative."""
        return self.values - self.clipped if self.has_clipped else self.values

    @property
    def complete(self) -> bool:
        """Whether no interval is missing."""
        return not some(self.missing)

    def positions(self, period: Period) -> tuple[int, int]:
        """Return the grid positions of a period, first and one past the last; they may lie outside the grid."""
        return (period.start_s - self.start_s) // self.step_s, (period.end_s - self.start_s) // self.step_s

    def on_grid(self, period: Period) -> bool:
        """Whether a period starts and ends on the grid's interval borders."""
        return not (period.start_s - self.start_s) % self.step_s and not (period.end_s - self.start_s) % self.step_s


@dataclass(frozen=True)
class Profiles(Mapping[str, Profile]):
    """Profiles by name; `findings` has everything that was seen while they were read."""

    by_name: dict[str, Profile]
    findings: Findings = field(default_factory=Findings)
    sources: tuple[Source, ...] = ()

    def __getitem__(self, name: str) -> Profile:
        return self.by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def __len__(self) -> int:
        return len(self.by_name)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Hand the profiles, one row per interval, to any Arrow library."""
        return self.to_table().__arrow_c_stream__(requested_schema)

    def to_table(self) -> pa.Table:
        """Return all intervals in long form: profile, start, energy_wh (or weight), source_type; missing is null."""
        import pyarrow as pa

        value = "energy_wh" if all(profile.is_energy for profile in self.values()) else "weight"
        pieces = [
            pa.table(
                {
                    "profile": pa.repeat(profile.name, len(profile.values)),
                    "start": utc_timestamps(profile.start_s + profile.step_s * np.arange(len(profile.values))),
                    value: pa.array(profile.values, mask=profile.missing),
                    "source_type": pa.repeat(pa.scalar(profile.source_type, pa.string()), len(profile.values)),
                }
            )
            for profile in self.values()
        ]
        return pa.concat_tables(pieces) if pieces else pa.table({})


def synthetic(distribution: str, period: Period, zone: str, step_s: int = 3600) -> Profile:
    """Return weights that no meter measured, over exactly one period; `distribution` is one of `DISTRIBUTIONS`."""
    if distribution not in DISTRIBUTIONS:
        raise UsageError(f"unknown distribution {distribution!r}; there are {', '.join(DISTRIBUTIONS)}")
    count = period.intervals(step_s)
    local = utc_to_local(period.start_s + step_s * np.arange(count, dtype=np.int64), zone)
    hour = local // 3600 % 24
    if distribution == "daylight":
        values = _DAYLIGHT[hour]
    elif distribution == "peakload":
        weekday = (local // 86_400 + 3) % 7  # 1 January 1970 was a Thursday; Monday is 0
        values = ((weekday < 5) & (hour >= 8) & (hour < 20)).astype(np.int64)
    else:
        values = np.ones(count, dtype=np.int64)
    none = np.zeros(count, dtype=np.int64)
    return Profile(distribution, period.start_s, step_s, values, none.astype(bool), none, is_energy=False)
