"""Generation and load out of public files, as one long table, with an account of every row, gap and clock change."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.accounts import Calendars, FileAccount, SeriesAccount, account
from gcr_fast.codes import ESTIMATED, MEASURED, QUALITIES
from gcr_fast.columns import arrow_int64, utc_timestamps
from gcr_fast.coverage import Coverages
from gcr_fast.errors import RefusedError, UsageError
from gcr_fast.exchange.streams import write_stream
from gcr_fast.exchange.writing import Written
from gcr_fast.filling import fill, stretched
from gcr_fast.findings import Finding, Findings
from gcr_fast.flags import SILENT, among, united
from gcr_fast.merging import ABSENT, joined
from gcr_fast.metered import GENERATION, Shared, by_name, profile_of, rows_of, source_of
from gcr_fast.periods import year_period
from gcr_fast.schema import arrow_schema
from gcr_fast.series import WEIGHT_DIGITS_KEY, Rows
from gcr_fast.shapes import Fault, Profile
from gcr_fast.sources import pages
from gcr_fast.sources.generation.formats import nothing_in, read_readings
from gcr_fast.sources.model import How, Reading, Readings
from gcr_fast.sources.sites import check_sites
from gcr_fast.sources.tidy import absent_kinds, check_areas

if TYPE_CHECKING:
    import pyarrow as pa

WORDS = ("profile", "role", "source_type", "kind", "area", "device_id", "format")
"""Columns that say one word for a whole series."""
ENERGY, WEIGHT = "energy_wh", "weight"


@dataclass(frozen=True)
class Imported:
    """All series of some files, each on its grid, with the source's sign."""

    profiles: Mapping[str, Profile]
    """By name, every role. A negative value is 0 here and stands in `clipped`."""
    series: Mapping[str, SeriesAccount]
    """By name: what was found."""
    files: tuple[FileAccount, ...]
    findings: Findings
    """Gaps, repeated intervals, rows out of order."""
    formats: Mapping[str, str]
    """The format of each series."""
    covered: Mapping[str, np.ndarray]
    """By name, bool[n]: intervals that have a row. Between files a year or more apart there are none."""

    @property
    def schema(self) -> pa.Schema:
        """The columns of `schema.GENERATION`; the metadata names the files, their hashes and whom to name.

        Shapes without a unit stand in a column `weight` instead of `energy_wh`, so that nobody takes them for metered;
        beside energies they are refused.
        """
        attribution = "; ".join(dict.fromkeys(file.attribution for file in self.files if file.attribution))
        hashes = {file.file: file.sha256 for file in self.files}
        told = {"attribution": attribution, "gcr_fast.sources": json.dumps(hashes)}
        base = arrow_schema("generation")
        if self._are_weights():
            told[WEIGHT_DIGITS_KEY.decode()] = str(max(one.weight_digits for one in self.profiles.values()))
            place = base.get_field_index(ENERGY)
            base = base.set(place, base.field(place).with_name(WEIGHT))
        return base.with_metadata({**(base.metadata or {}), **{k.encode(): v.encode() for k, v in told.items()}})

    def _are_weights(self) -> bool:
        """Whether all series are shapes; some of them alone cannot share a column with energies."""
        shapes = [name for name, one in self.profiles.items() if not one.is_energy]
        if shapes and len(shapes) < len(self.profiles):
            energies = next(name for name, one in self.profiles.items() if one.is_energy)
            raise UsageError(f"{shapes[0]} is a shape without a unit, {energies} is energy: import them apart")
        return bool(shapes)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield one record batch per series, its intervals ascending; a gap is a null. Dictionaries are shared."""
        import pyarrow as pa

        schema = self.schema
        said = {name: self._words(name) for name in self.profiles}
        codes = {column: _codes_of(told[column] for told in said.values()) for column in WORDS}
        dictionaries = {column: pa.array(list(known), pa.string()) for column, known in codes.items()}
        shared = _Repeats(united(profile.flags for profile in self.profiles.values()))
        for name, profile in self.profiles.items():
            columns = _columns(profile, self.covered[name], shared)
            count = len(columns["start"])
            for word, values in dictionaries.items():
                columns[word] = shared.word(count, codes[word].get(said[name][word]), values, again=word != "profile")
            yield pa.record_batch([columns[column] for column in schema.names], schema=schema)

    def _words(self, name: str) -> dict[str, str | None]:
        """Return what is one word for a whole series."""
        one = self.series[name]
        told = {column: getattr(one, column) or None for column in WORDS if column not in {"profile", "format"}}
        return {**told, "profile": name, "format": self.formats[name]}

    def to_table(self) -> pa.Table:
        """Return all intervals of all series."""
        import pyarrow as pa

        return pa.Table.from_batches(self.batches(), self.schema)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Hand the table to any Arrow library."""
        return self.to_table().__arrow_c_stream__(requested_schema)

    def write(self, path: str | os.PathLike[str]) -> Written:
        """Write the table to a .parquet, .arrow or .csv file, whole or not at all."""
        return write_stream(path, self.schema, self.batches())


def _codes_of(words: Iterable[str | None]) -> dict[str | None, int]:
    """Return the distinct words, each with its place; no word has none."""
    return {word: at for at, word in enumerate(dict.fromkeys(word for word in words if word is not None))}


class _Repeats:
    """Columns that many series have alike are made once and share their memory."""

    def __init__(self, flags: tuple[str, ...]) -> None:
        import pyarrow as pa

        self.flags = flags
        """The words of all sources."""
        self.qualities, self.flag_words = pa.array(QUALITIES, pa.string()), pa.array(flags, pa.string())
        self._codes: dict[tuple[int, int], pa.Array] = {}
        self._words: dict[tuple[int, int, int | None], pa.DictionaryArray] = {}
        self._starts: dict[tuple[int, int, int], pa.Array] = {}

    def codes(self, count: int, code: int) -> pa.Array:
        """Return int32[count] that all say `code`."""
        if (count, code) not in self._codes:
            self._codes[count, code] = _codes(count, code)
        return self._codes[count, code]

    def word(self, count: int, code: int | None, words: pa.Array, again: bool = True) -> pa.DictionaryArray:
        """Return `count` times the same one of some words, or none; kept if it may be asked for `again`."""
        key = (id(words), count, code)  # `words` live as long as this
        if key in self._words:
            return self._words[key]
        made = _coded(_codes(count, code) if code is None or not again else self.codes(count, code), words)
        if again:
            self._words[key] = made
        return made

    def starts(self, profile: Profile, covered: np.ndarray) -> pa.Array:
        """Return the starts of the covered intervals."""
        if not covered.all():
            return utc_timestamps(profile.start_s + profile.step_s * np.flatnonzero(covered))
        key = (profile.start_s, profile.step_s, len(covered))
        if key not in self._starts:
            self._starts[key] = utc_timestamps(profile.start_s + profile.step_s * np.arange(len(covered)))
        return self._starts[key]


def _codes(count: int, code: int | None) -> pa.Array:
    """Return int32[count] that all say `code`, or are null."""
    import pyarrow as pa

    return pa.nulls(count, pa.int32()) if code is None else pa.array(np.full(count, code, np.int32))


def _coded(codes: pa.Array, words: pa.Array) -> pa.DictionaryArray:
    """Return words by their codes int32[n], which are not looked at again: they are ours."""
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(codes, words, safe=False)


def _columns(profile: Profile, covered: np.ndarray, shared: _Repeats) -> dict[str, Any]:
    """Return the columns that differ from interval to interval, and the length of an interval."""
    import pyarrow as pa

    part = slice(None) if covered.all() else covered
    values, missing = profile.signed[part], profile.missing[part]
    energy = pa.array(values, mask=missing) if np.count_nonzero(missing) else arrow_int64(values)
    count = len(energy)
    if profile.quality is None:
        quality = shared.word(count, MEASURED, shared.qualities)
    else:
        quality = _coded(pa.array(profile.quality[part], pa.int32()), shared.qualities)
    if profile.flags is None:
        flags = shared.word(count, None, shared.flag_words)
    else:
        codes = among(shared.flags, profile.flags, len(profile.values))[part]
        flags = _coded(pa.array(codes, mask=codes == SILENT), shared.flag_words)
    return {
        "start": shared.starts(profile, covered),
        "interval_s": shared.codes(count, profile.step_s),
        ENERGY if profile.is_energy else WEIGHT: energy,
        "quality": quality,
        "flags": flags,
    }


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

    def take(self, name: str, keep_intervals: bool, clashes: Findings) -> tuple[Reading, Profile]:
        """Return the first reading of a name, and all of them as a profile. Once only: nothing is kept of them."""
        some = self.named.pop(name)
        return some[0], profile_of(self.readings, some, keep_intervals, clashes, self.shared, self.rows)


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
    """Series of all files, laid on their grids and counted one after another."""

    def __init__(self, how: How, keep_intervals: bool, filling: str) -> None:
        self.how, self.keep_intervals, self.filling = how, keep_intervals, filling
        self.clashes = Findings()
        self.profiles: dict[str, Profile] = {}
        self.series: dict[str, SeriesAccount] = {}
        self.covered: dict[str, np.ndarray] = {}
        self._coverages, self._calendars = Coverages(how.year), Calendars()

    def add(self, name: str, files: list[_Opened]) -> None:
        """Join what files have of a series, fill it if that is asked for, and count it."""
        taken = [file.take(name, self.keep_intervals, self.clashes) for file in files]
        one, pieces = taken[0][0], [piece for _, piece in taken]
        zone = one.zone or files[0].readings.zone
        whole = _uncontested(joined(pieces, self.clashes))
        if self.how.year is not None:
            whole = stretched(whole, year_period(self.how.year, zone))
        there, absent = self._coverages.of(whole, pieces)
        self.profiles[name], self.covered[name] = fill(whole, self.filling, there), there
        self.series[name] = account(one, self.profiles[name], there, zone, absent, self._calendars)

    def imported(self, found: list[Readings], formats: Mapping[str, str]) -> Imported:
        """Return all series, and everything that was found of them."""
        profiles = self.profiles
        told = (_told(fault, profile) for profile in profiles.values() for fault in profile.faults if not _clips(fault))
        findings = Findings(told)
        findings.extend(_absences(self.series.values(), profiles))
        findings.extend(_negatives(self.series, profiles))
        findings.extend(absent_kinds(found, self.how))
        files = tuple(FileAccount.of(readings) for readings in found)
        return Imported(profiles, self.series, files, findings, formats, self.covered)


def _told(fault: Fault, profile: Profile) -> Finding:
    """Return what a fault says."""
    if fault.finding.code not in ABSENT:
        return fault.finding
    return _if_filled(fault.finding, profile, fault.first, fault.last + 1)


def _if_filled(gap: Finding, profile: Profile, first: int, stop: int) -> Finding:
    """Return what is said of a gap in these intervals; where all of them are filled, nothing has to be mended."""
    quality = np.zeros(0) if profile.quality is None else profile.quality
    if first < 0 or stop > len(quality) or (quality[first:stop] != ESTIMATED).any():
        return gap
    return replace(gap, code="filled_interval", message=f"{gap.message}: filled, marked as estimated")


def _clips(fault: Fault) -> bool:
    return fault.finding.code == "negative_clipped"


def _negatives(series: Mapping[str, SeriesAccount], profiles: Mapping[str, Profile]) -> Iterator[Finding]:
    """Yield what generation has below zero, over all its files: nothing is issued for it.

    Whatever else is below zero goes the other way, into storage or over a border: that is what it says.
    """
    for name, one in series.items():
        if one.role == GENERATION and one.negative:
            unit = "Wh" if one.is_energy else "weight"
            what = f"{name}: {one.negative} negative intervals issue nothing: {-one.negative_wh} {unit} clipped"
            where = {"file": profiles[name].file or None, "profile": name, "count": one.negative}
            yield Finding("negative_clipped", what, **where)  # type: ignore[arg-type]


def _absences(series: Iterable[SeriesAccount], profiles: Mapping[str, Profile]) -> Iterator[Finding]:
    """Yield a finding for each run of intervals that no file is about."""
    for one in series:
        for absent in one.absent:
            span = f"{absent.start} .. {absent.end}"
            finding = Finding(
                "missing_interval", f"{one.name}: {absent}", value=span, profile=one.name, count=absent.intervals
            )
            profile = profiles[one.name]
            begin, end = (int(datetime.fromisoformat(text).timestamp()) for text in (absent.start, absent.end))
            first, stop = ((second - profile.start_s) // profile.step_s for second in (begin, end))
            yield _if_filled(finding, profile, first, stop)


def _uncontested(profile: Profile) -> Profile:
    """Return a profile without the intervals that have two values, or a row beside the grid: none of them is known.

    A profile that is converted at once is refused for such faults; a table that is written has no place for them.
    """
    faults = [f for f in profile.faults if f.finding.severity == "error" and f.finding.code not in ABSENT]
    if not faults:
        return profile
    doubtful = np.zeros(len(profile.values), dtype=bool)
    for fault in faults:
        doubtful[fault.first : fault.last + 1] = True
    values, clipped = np.where(doubtful, 0, profile.values), np.where(doubtful, 0, profile.clipped)
    return replace(profile, values=values, clipped=clipped, missing=profile.missing | doubtful)
