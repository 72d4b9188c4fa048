"""Generation profiles from files of any known format, from tables, or from named distributions.

Nothing is refused here for a gap: a certificate that needs the gap is refused by `convert`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypedDict, Unpack

import numpy as np

from gcr_fast.codes import MAX_PARENT_WH, SOURCE_TYPES, canonical_source
from gcr_fast.errors import UsageError
from gcr_fast.exchange.reading import Source, from_stream, read_table
from gcr_fast.findings import Finding, Findings, RefusedError
from gcr_fast.grid.intervals import build
from gcr_fast.grid.merging import merge
from gcr_fast.grid.metered import profiles_of, rows_of
from gcr_fast.grid.series import Rows, read_series
from gcr_fast.grid.shapes import DISTRIBUTIONS, Fault, Profile, Profiles, synthetic
from gcr_fast.periods import year_period
from gcr_fast.sources import pages
from gcr_fast.sources.files import UNENDED, File, open_file
from gcr_fast.sources.generation.formats import FORMATS, format_named, identify, nothing_in, read_as
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.nearly import nearly
from gcr_fast.sources.sites import check_sites
from gcr_fast.sources.tidy import absent_kinds, check_areas

__all__ = [
    "DISTRIBUTIONS",
    "Fault",
    "Profile",
    "ProfileOptions",
    "Profiles",
    "merge",
    "profile_from_total",
    "profiles_from",
    "read_profiles",
]


class Said(TypedDict, total=False):
    """The fields of `ProfileOptions`, as the keywords of `read_profiles`."""

    zone: str | None
    unit: str | None
    label: str | None
    keep_intervals: bool
    strict: bool
    format: str | None
    how: How | None


@dataclass(frozen=True)
class ProfileOptions:
    """How profile files are read: what their bytes do not say, and what is wanted of them."""

    zone: str | None = None
    """Of times without offset; without it they are refused."""
    unit: str | None = None
    """Of columns whose name has no unit's suffix: Wh, kWh, MWh, kW, MW, weight."""
    label: str | None = None
    """What a time names, the `begin` or `end` of its interval; by default the column's name tells."""
    keep_intervals: bool = False
    """Whether 5, 15 and 30 minutes are not summed to hours."""
    strict: bool = True
    """Whether cells that cannot be read are refused; else they are held in `.findings`."""
    format: str | None = None
    """The public format of all files; by default the content of each tells."""
    how: How | None = None
    """What a file of a public format does not say: its year, what its units burn, a mapping."""

    @property
    def told(self) -> How:
        """What is said of files of public formats; the zone holds for them, too."""
        how = self.how or How()
        return replace(how, zone=self.zone or how.zone)


def read_profiles(path: str | os.PathLike[str], **said: Unpack[Said]) -> Profiles:
    """Read profiles from CSV, Parquet or Arrow IPC, long (profile, start, value) or wide (start, one column each).

    Or from a file of any public format that `sources` knows, told by its content or named by `format`; only its
    generation becomes profiles. `how` says what such a file does not (its year, what its units burn, a mapping).

    `zone`: of times without offset; without it they are refused. `unit`: of columns whose name has no unit's suffix
    (Wh, kWh, MWh, kW, MW, weight). `label`: what a time names, the "begin" or "end" of its interval; by default the
    column's name tells. `keep_intervals`: do not sum 5, 15 and 30 minutes to hours. Raises `RefusedError` for cells
    that cannot be read, or with `strict=False` holds them in `.findings`.
    """
    refused = Findings()
    found = read_together([path], refused, ProfileOptions(**said))
    refused.check()
    return found[0]


def read_together(
    paths: Iterable[str | os.PathLike[str]], refused: Findings, options: ProfileOptions | None = None
) -> list[Profiles]:
    """Read files as `read_profiles` does, each for itself, but for pages of one answer, which are whole together.

    `refused` takes the findings of every file that cannot be read; the others are returned, in the order given. A file
    may have nothing of what is asked for if another one has.
    """
    options = options or ProfileOptions()
    found, public = list[Profiles](), list[Readings]()
    for path in paths:
        with _held(refused):
            profiles, readings = _read_one(path, options)
            found.append(profiles)
            public += [] if readings is None else [readings]
    if refused.ok and public:  # a page or an area may be in what could not be read
        with _held(refused):
            check_areas(public, options.told)
            check_sites(public)
        if refused.ok:
            _check_whole(found, public, options.told, refused)
    return found


def _read_one(path: str | os.PathLike[str], options: ProfileOptions) -> tuple[Profiles, Readings | None]:
    """Return the profiles of a file; of a public one also its readings without arrays, to be checked with others."""
    file = open_file(path)
    chosen = format_named(options.format) if options.format else identify(file, options.how)
    if chosen is None:
        return _own(file, options), None
    readings = read_as(file, chosen, options.told, alone=False)
    return _public(readings, chosen, options.told, options.keep_intervals), replace(readings, series=[])


def _own(file: File, options: ProfileOptions) -> Profiles:
    """Read a table of ours, or of nobody in particular. What is neither may nearly be a public file, and is said so."""
    try:
        own = _parse(read_table(file.path), options)
    except RefusedError as refusal:
        refusal.collected.extend(_nearly_public(file, refusal.collected))
        raise RefusedError(refusal.collected) from None
    if not own.by_name:
        own.findings.extend(_nearly_public(file, own.findings))
    own.findings.extend(may_be_cut(file))
    return own


def _nearly_public(file: File, found: Findings) -> Iterator[Finding]:
    """Yield of which public format a file nearly is, if it lacks a column of ours."""
    near = nearly(file, FORMATS) if found.counts()["missing_column"] else ""
    if near:
        yield Finding("unknown_format", f"{file.path.name} is no table of profiles{near}", file=file.name)


def _check_whole(found: Sequence[Profiles], public: Sequence[Readings], how: How, refused: Findings) -> None:
    """Check what files have together: something of what is asked for, all kinds of it, and every page."""
    nothing = [one for one in public if not one.names]
    if len(nothing) == len(found):
        for one in nothing:
            refused.add("empty_file", f"{one.file.path.name} {nothing_in(one)}", file=one.file.name)
    else:
        found[0].findings.extend(absent_kinds(public, how))
    with _held(refused):
        pages.check(public)


def may_be_cut(file: File) -> Iterator[Finding]:
    """Yield a warning about a text whose last line has no end: of a number that is cut off nothing else tells."""
    if file.kind == "csv" and not file.ended:
        yield Finding("reading_note", f"{file.path.name}: last line {UNENDED}", file=file.name)


@contextmanager
def _held(refused: Findings) -> Iterator[None]:
    """Take the findings of a refusal."""
    try:
        yield
    except RefusedError as refusal:
        refused.extend(refusal.collected)


def _public(readings: Readings, chosen: Format, how: How, keep_intervals: bool) -> Profiles:
    """Return the generation of a public file as profiles that know where to find their rows."""
    path = readings.file.path
    rows = Rows(lambda: rows_of(read_as(open_file(path), chosen, how, alone=False)))
    profiles = profiles_of(readings, keep_intervals)
    return replace(profiles, by_name={name: replace(one, rows=rows) for name, one in profiles.items()})


def profiles_from(obj: Any, **said: Unpack[Said]) -> Profiles:
    """Take profiles from a `Profiles`, a path, any object with `__arrow_c_stream__`, or a list of these.

    `said` as for `read_profiles`. Files of a list are read together: pages of one answer have to be whole only
    together.
    """
    if isinstance(obj, Profiles):
        return obj
    if isinstance(obj, str | os.PathLike):
        return read_profiles(obj, **said)
    options = ProfileOptions(**said)
    if not isinstance(obj, list | tuple):
        return _parse(from_stream(obj), options)
    refused = Findings()
    paths = [one for one in obj if isinstance(one, str | os.PathLike)]
    read = iter(read_together(paths, refused, options))
    refused.check()
    return merge(next(read) if isinstance(one, str | os.PathLike) else profiles_from(one, **said) for one in obj)


def _parse(source: Source, options: ProfileOptions) -> Profiles:
    said = (options.zone, options.unit, options.label)
    series, findings = read_series(source, *said)
    profiles = [build(item, options.zone, options.keep_intervals) for item in series]
    attribution = (source.table.schema.metadata or {}).get(b"attribution", b"").decode()
    rows = Rows(lambda: read_series(source, *said)[0])
    by_name = {profile.name: replace(profile, attribution=attribution, rows=rows) for profile in profiles}
    faults = [fault.finding for profile in profiles for fault in profile.faults]
    findings.extend(fault for fault in faults if fault.code == "unreadable_value")
    if options.strict:
        findings.check()
    findings.extend(fault for fault in faults if fault.code != "unreadable_value")
    return Profiles(by_name, findings, (source,))


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

    kind = canonical_source(source_type) if source_type else None
    if source_type and kind is None:
        raise UsageError(f"unknown source type {source_type!r}; there are {', '.join(SOURCE_TYPES)}")
    if not 0 < energy_wh <= MAX_PARENT_WH:
        raise UsageError(f"energy_wh must be 1 to {MAX_PARENT_WH} (2^51), not {energy_wh}")
    shape = synthetic(distribution, year_period(year, zone), zone)
    prefix = np.concatenate([[0], np.cumsum(shape.values)]).astype(np.int64)
    spread = np.empty((1, len(shape.values)), dtype=np.int64)
    cumulative(prefix, np.array([energy_wh], dtype=np.int64), spread)
    known = name or (f"{distribution}-{year}" + (f"-{source_type}" if source_type else ""))
    profile = replace(shape, name=known, values=spread[0], is_energy=True, source_type=kind)
    return Profiles({known: profile})
