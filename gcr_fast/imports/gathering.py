"""Generation and load out of public files, as one long table, with an account of every row, gap and clock change."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from gcr_fast.findings import Finding, Findings, RefusedError
from gcr_fast.grid.merging import ABSENT, joined
from gcr_fast.grid.metered import Shared, by_name, profile_of, rows_of, source_of
from gcr_fast.grid.series import Rows
from gcr_fast.grid.shapes import Profile
from gcr_fast.imports.accounts import Laid
from gcr_fast.imports.coverage import Coverages
from gcr_fast.imports.filling import fill, set_aside, stretched
from gcr_fast.imports.table import Imported
from gcr_fast.periods import year_period
from gcr_fast.sources import pages
from gcr_fast.sources.generation.formats import nothing_in, read_readings
from gcr_fast.sources.model import How, Reading, Readings
from gcr_fast.sources.sites import check_sites
from gcr_fast.sources.tidy import absent_kinds, check_areas


def import_generation(
    paths: Iterable[str | os.PathLike[str]],
    *,
    format: str | None = None,  # noqa: A002
    how: How | None = None,
    keep_intervals: bool = False,
    filling: str = "none",
    progress: Callable[[int], None] = lambda count: None,
) -> Imported:
    """Read files of public formats, each told by its content (or all of `format`), into one table of hours.

    `how` chooses areas, kinds and a year, and says what the files do not. `keep_intervals` keeps 5, 15 and 30 minutes.
    `filling` is one of `filling.FILLS`; what is filled is marked as estimated, and not converted unless allowed.
    `progress` is called with 1 for each file read. One series in several files is one longer series.

    Raises `RefusedError` with every bad cell of every file, or every interval of which two files have other values.
    Gaps stand in `.findings`; so do intervals with two values in one file, which are left empty, and what two files
    have with one value.
    """
    told = how or How()
    found, refused = list[Readings](), Findings()
    for path in paths:
        try:
            found.append(read_readings(path, told, format, alone=False))
        except RefusedError as refusal:
            refused.extend(refusal.collected)
        progress(1)
    if refused.ok:
        check_areas(found, told)
        check_sites(found)
    if not any(one.series for one in found):  # one file among others may have nothing of a year or kind
        for one in found:
            refused.add("empty_file", f"{one.file.path.name} {nothing_in(one)}", file=one.file.name)
    refused.check()
    pages.check(found)
    return _gathered(found, told, keep_intervals, filling)


def _rows(readings: Readings, how: How) -> Rows:
    """Return the rows of a file, to be read once more."""
    path, known = readings.file.path, readings.format
    return Rows(lambda: rows_of(read_readings(path, how, known, alone=False)))


class _Opened:
    """A file whose readings are taken one name after another."""

    def __init__(self, readings: Readings, rows: Rows) -> None:
        self.readings, self.rows = readings, rows
        self.shared = Shared(source_of(readings))
        self.named = by_name(readings)
        readings.series.clear()  # what is taken and copied can go

    def take(self, name: str, keep_intervals: bool, clashes: Findings) -> tuple[list[Reading], Profile]:
        """Return the readings of a name, and all of them as a profile. Once only: nothing is kept of them."""
        some = self.named.pop(name)
        return some, profile_of(self.readings, some, keep_intervals, clashes, self.shared, self.rows)


def _gathered(found: list[Readings], how: How, keep_intervals: bool, filling: str) -> Imported:
    opened = [_Opened(readings, _rows(readings, how)) for readings in found]
    having: dict[str, list[_Opened]] = {}
    for file in opened:
        for name in file.named:
            having.setdefault(name, []).append(file)
    gathered = _Gathered(how, keep_intervals, filling)
    for name, files in having.items():  # series after series, as long as its values are in the processor's cache
        gathered.add(name, files)
    Findings(gathered.clashes.of("error")).check()
    return gathered.imported(found, {name: files[0].readings.format for name, files in having.items()})


class _Gathered:
    """Series of all files, laid on their grids one after another."""

    def __init__(self, how: How, keep_intervals: bool, filling: str) -> None:
        self.how, self.keep_intervals, self.filling = how, keep_intervals, filling
        self.clashes = Findings()
        self.profiles: dict[str, Profile] = {}
        self.laid: dict[str, Laid] = {}
        self.set_aside = list[Finding]()
        self._coverages = Coverages(how.year)

    def add(self, name: str, files: list[_Opened]) -> None:
        """Join what files have of a series, and fill it if that is asked for."""
        taken = [file.take(name, self.keep_intervals, self.clashes) for file in files]
        one, pieces = taken[0][0][0], [piece for _, piece in taken]
        zone = one.zone or files[0].readings.zone
        whole = joined(pieces, self.clashes)
        if self.how.year is not None:
            whole = stretched(whole, year_period(self.how.year, zone))
        whole, doubtful = _uncontested(whole)
        there, absent = self._coverages.of(whole, pieces)
        self.profiles[name] = fill(whole, self.filling, there, doubtful)
        self.laid[name] = Laid.of(one, zone, there, absent)
        if self.profiles[name] is not whole:
            filled = whole.missing & ~self.profiles[name].missing
            self.set_aside.extend(_set_aside((one for some, _ in taken for one in some), whole, filled))

    def imported(self, found: list[Readings], formats: Mapping[str, str]) -> Imported:
        """Return all series, of the files `found`."""
        told = (*self.set_aside, *absent_kinds(found, self.how))
        return Imported(self.profiles, self.laid, tuple(found), formats, told)


def _set_aside(readings: Iterable[Reading], profile: Profile, filled: np.ndarray) -> Iterator[Finding]:
    """Yield what the files have of sums that were filled: a sum is filled as a whole."""
    if not filled.any():
        return
    for step_s, parts, sums in set_aside(readings, profile, filled):
        what = (
            f"{profile.name}: of filled intervals of {profile.step_s // 60} min, {sums:,} had metered parts: "
            f"{parts:,} of {step_s // 60} min are set aside"
        )
        hint = "keep the intervals of the files (--keep-intervals): then each gap of them is filled alone"
        yield Finding(
            "reading_note",
            f"{what}; --keep-intervals fills the gaps alone",
            profile=profile.name,
            count=parts,
            hint=hint,
        )


def _uncontested(profile: Profile) -> tuple[Profile, np.ndarray | None]:
    """Return a profile without the intervals that have two values, or a row beside the grid; and these, bool[n].

    None of them is known. A profile that is converted at once is refused for such faults; a table that is written has
    no place for them.
    """
    faults = [f for f in profile.faults if f.finding.severity == "error" and f.finding.code not in ABSENT]
    if not faults:
        return profile, None
    doubtful = np.zeros(len(profile.values), dtype=bool)
    for fault in faults:
        doubtful[fault.first : fault.last + 1] = True
    values, clipped = np.where(doubtful, 0, profile.values), np.where(doubtful, 0, profile.clipped)
    return replace(profile, values=values, clipped=clipped, missing=profile.missing | doubtful), doubtful
