"""Generation profiles: integer energy (or weights) on a regular UTC grid, with every gap known.

A profile is held from its first to its last interval; an interval that is absent, null or unusable is `missing`,
never zero. Nothing is refused here for a gap: a certificate that needs the gap is refused by `convert`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.codes import canonical_source
from gcr_fast.errors import UsageError
from gcr_fast.exchange.reading import Source, from_stream, read_table
from gcr_fast.findings import Finding, Findings
from gcr_fast.periods import Period, utc_text, utc_to_local, year_period

if TYPE_CHECKING:
    import pyarrow as pa

DISTRIBUTIONS = ("flat", "uniform", "daylight", "peakload")
"""Shapes that no meter measured; used only where they are asked for by name. `uniform` is another word for flat."""

_DAYLIGHT = np.array([0] * 6 + [131, 383, 609, 793, 924, 991, 991, 924, 793, 609, 383, 131] + [0] * 6)
"""1000 x the sine of the hour's middle, from 06:00 to 18:00 local time."""

_STANDARD_NAME = re.compile(r"^(?P<country>[A-Z]{2})-(?P<year>\d{4})-(?P<source>.+)$")


@dataclass(frozen=True, slots=True)
class Fault:
    """A finding about some of a profile's intervals, `first` to `last` (positions in the grid, both included)."""

    first: int
    last: int
    finding: Finding


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
    source_type: str | None = None
    device_id: str | None = None
    file: str = ""
    attribution: str = ""
    faults: tuple[Fault, ...] = ()

    @property
    def end_s(self) -> int:
        """End of the last interval."""
        return self.start_s + len(self.values) * self.step_s

    @property
    def total(self) -> int:
        """Sum of all values."""
        return int(self.values.sum())

    @property
    def complete(self) -> bool:
        """Whether no interval is missing."""
        return not self.missing.any()

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

        from gcr_fast.columns import utc_timestamps

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


def read_profiles(
    path: str | os.PathLike[str],
    *,
    zone: str | None = None,
    unit: str | None = None,
    label: str | None = None,
    keep_intervals: bool = False,
    strict: bool = True,
) -> Profiles:
    """Read profiles from CSV, Parquet or Arrow IPC, long (profile, start, value) or wide (start, one column each).

    `zone`: of times without offset; without it they are refused. `unit`: of columns whose name has no unit's suffix
    (Wh, kWh, MWh, kW, MW, weight). `label`: what a time names, the "begin" or "end" of its interval; by default the
    column's name tells. `keep_intervals`: do not sum 5, 15 and 30 minutes to hours. Raises `RefusedError` for cells
    that cannot be read, or with `strict=False` holds them in `.findings`.
    """
    return _parse(read_table(path), zone, unit, label, keep_intervals, strict)


def profiles_from(
    obj: Any,
    *,
    zone: str | None = None,
    unit: str | None = None,
    label: str | None = None,
    keep_intervals: bool = False,
    strict: bool = True,
) -> Profiles:
    """Take profiles from a `Profiles`, a path, any object with `__arrow_c_stream__`, or a list of these."""
    if isinstance(obj, Profiles):
        return obj
    if isinstance(obj, list | tuple):
        options = {
            "zone": zone,
            "unit": unit,
            "label": label,
            "keep_intervals": keep_intervals,
            "strict": strict,
        }
        return merge(profiles_from(item, **options) for item in obj)
    source = read_table(obj) if isinstance(obj, str | os.PathLike) else from_stream(obj)
    return _parse(source, zone, unit, label, keep_intervals, strict)


def _parse(
    source: Source, zone: str | None, unit: str | None, label: str | None, keep_intervals: bool, strict: bool
) -> Profiles:
    from gcr_fast.intervals import build
    from gcr_fast.series import read_series

    series, findings = read_series(source, zone, unit, label)
    profiles = [build(item, zone, keep_intervals) for item in series]
    attribution = (source.table.schema.metadata or {}).get(b"attribution", b"").decode()
    by_name = {profile.name: replace(profile, attribution=attribution) for profile in profiles}
    if strict:
        findings.check()
    findings.extend(fault.finding for profile in profiles for fault in profile.faults)
    return Profiles(by_name, findings, (source,))


def merge(parts: Iterable[Profiles]) -> Profiles:
    """Join profiles of several files; one name in two files is one longer profile, unless their intervals overlap."""
    by_name: dict[str, Profile] = {}
    findings, sources = Findings(), ()
    for part in parts:
        findings.extend(part.findings)
        sources += part.sources
        for name, profile in part.items():
            known = by_name.get(name)
            by_name[name] = profile if known is None else _join(known, profile, findings)
    return Profiles(by_name, findings, sources)


def _join(one: Profile, two: Profile, findings: Findings) -> Profile:
    """Lay two profiles on one grid. If they do not fit together, report it and keep the first, marked by a fault."""
    first, last = sorted((one, two), key=lambda profile: profile.start_s)
    offset, rest = divmod(last.start_s - first.start_s, first.step_s)
    same = one.step_s == two.step_s and one.is_energy == two.is_energy and one.source_type == two.source_type
    if rest or not same or offset < len(first.values):
        why = "covers the same intervals" if same and not rest else "has another interval, unit or source type"
        message = f"profile {two.name} of {two.file or 'a table'} {why} as in {one.file or 'an earlier table'}"
        finding = Finding("duplicate_profile", message, file=two.file or None, profile=two.name)
        findings.extend([finding])
        return replace(one, faults=(*one.faults, Fault(0, len(one.values) - 1, finding)))
    gap = offset - len(first.values)
    moved = tuple(Fault(fault.first + offset, fault.last + offset, fault.finding) for fault in last.faults)
    return replace(
        first,
        values=np.concatenate([first.values, np.zeros(gap, np.int64), last.values]),
        missing=np.concatenate([first.missing, np.ones(gap, bool), last.missing]),
        clipped=np.concatenate([first.clipped, np.zeros(gap, np.int64), last.clipped]),
        faults=first.faults + moved,
        file=", ".join(dict.fromkeys((first.file, last.file))),
    )


def known_source(name: str) -> str | None:
    """Return the source type that a profile's name tells: `AT-2020-solar`, `solar`."""
    match = _STANDARD_NAME.match(name)
    return canonical_source(match["source"] if match else name)


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


def profile_from_total(
    energy_wh: int,
    year: int,
    source_type: str | None = None,
    distribution: str = "flat",
    *,
    zone: str = "UTC",
    name: str | None = None,
) -> Profiles:
    """Return one profile of a calendar year that sums to `energy_wh` exactly, spread by a named distribution."""
    from gcr_fast.kernels.apportion import cumulative

    shape = synthetic(distribution, year_period(year, zone), zone)
    prefix = np.concatenate([[0], np.cumsum(shape.values)]).astype(np.int64)
    spread = np.empty((1, len(shape.values)), dtype=np.int64)
    cumulative(prefix, np.array([energy_wh], dtype=np.int64), spread)
    known = name or (f"{distribution}-{year}" + (f"-{source_type}" if source_type else ""))
    kind = canonical_source(source_type) if source_type else None
    profile = replace(shape, name=known, values=spread[0], is_energy=True, source_type=kind)
    return Profiles({known: profile})


def describe_gap(profile: Profile, first: int, last: int) -> str:
    """Say which intervals are meant: one, or from .. to."""
    begin = utc_text(profile.start_s + first * profile.step_s)
    end = utc_text(profile.start_s + last * profile.step_s)
    return begin if first == last else f"{begin} to {end} ({last - first + 1} intervals)"
