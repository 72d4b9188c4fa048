"""What was read out of public files, as one long table: a row for each interval of each series."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.codes import MEASURED, QUALITIES
from gcr_fast.columns import arrow_int64, every, some, utc_timestamps
from gcr_fast.errors import UsageError
from gcr_fast.exchange.streams import write_stream
from gcr_fast.exchange.writing import Written
from gcr_fast.findings import Finding, Findings
from gcr_fast.flags import SILENT, among, united
from gcr_fast.grid.series import WEIGHT_DIGITS_KEY
from gcr_fast.grid.shapes import Profile
from gcr_fast.imports.accounts import Calendars, FileAccount, Laid, SeriesAccount, account
from gcr_fast.imports.told import findings_of
from gcr_fast.memory import empty
from gcr_fast.schema import arrow_schema
from gcr_fast.sources.model import Readings

if TYPE_CHECKING:
    import pyarrow as pa

ROOM = 1 << 21
"""Codes for which memory is asked at a time: 8 MB, on large pages."""
ENERGY, WEIGHT = "energy_wh", "weight"


@dataclass(frozen=True)
class Imported:
    """All series of some files, each on its grid, with the source's sign. They are counted when that is asked for."""

    profiles: Mapping[str, Profile]
    """By name, every role. A negative value is 0 here and stands in `clipped`."""
    laid: Mapping[str, Laid]
    """By name: what is known of each beside its values."""
    readings: tuple[Readings, ...]
    """What was read of each file, its series taken out."""
    formats: Mapping[str, str]
    """The format of each series."""
    told: tuple[Finding, ...] = ()
    """What was found while they were laid."""

    @cached_property
    def series(self) -> Mapping[str, SeriesAccount]:
        """By name: what was found, in figures."""
        calendars = Calendars()
        return {name: account(self.laid[name], profile, calendars) for name, profile in self.profiles.items()}

    @cached_property
    def findings(self) -> Findings:
        """Gaps, repeated intervals, rows out of order."""
        return Findings([*findings_of(self.series, self.profiles), *self.told])

    @property
    def covered(self) -> Mapping[str, np.ndarray]:
        """By name, bool[n]: intervals that have a row. Between files a year or more apart there are none."""
        return {name: one.covered for name, one in self.laid.items()}

    @cached_property
    def files(self) -> tuple[FileAccount, ...]:
        """The account of each file. Its hash may still be under way: this waits for it."""
        return tuple(FileAccount.of(one) for one in self.readings)

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
        for columns in self._columns():
            yield pa.record_batch([columns[column] for column in schema.names], schema=schema)

    def _columns(self) -> Iterator[dict[str, pa.Array]]:
        """Yield the columns of each series."""
        said = {name: self._words(name) for name in self.profiles}
        shared = _Repeats(united(profile.flags for profile in self.profiles.values()))
        words = {
            column: _Words(shared, [told[column] for told in said.values()], again=column != "profile")
            for column in next(iter(said.values()), ())
        }
        for name, profile in self.profiles.items():
            columns = _columns(profile, self.laid[name].covered, shared)
            count = len(columns["start"])
            for column, word in said[name].items():
                columns[column] = words[column].repeated(word, count)
            yield columns

    def _words(self, name: str) -> dict[str, str | None]:
        """Return what is one word for a whole series."""
        profile, one = self.profiles[name], self.laid[name]
        return {
            "profile": name,
            "role": one.role,
            "source_type": profile.source_type,
            "kind": one.kind,
            "area": one.area or None,
            "device_id": profile.device_id or None,
            "format": self.formats[name],
        }

    def to_table(self) -> pa.Table:
        """Return all intervals of all series."""
        import pyarrow as pa

        series = list(self._columns())
        schema = self.schema  # after the columns: by then the files are hashed
        columns = [pa.chunked_array([one[field.name] for one in series], field.type) for field in schema]
        return pa.table(columns, schema=schema)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Hand the table to any Arrow library."""
        return self.to_table().__arrow_c_stream__(requested_schema)

    def write(self, path: str | os.PathLike[str]) -> Written:
        """Write the table to a .parquet, .arrow or .csv file, whole or not at all."""
        return write_stream(path, self.schema, self.batches())


class _Repeats:
    """Columns that many series have alike are made once and share their memory."""

    def __init__(self, flags: tuple[str, ...]) -> None:
        self.flags = flags
        """The words of all sources."""
        self.quality, self.flag = _Words(self, QUALITIES), _Words(self, flags)
        self._room = np.empty(0, np.int32)
        self._codes: dict[tuple[int, int], pa.Array] = {}
        self._starts: dict[tuple[int, int, int], pa.Array] = {}

    def codes(self, count: int, code: int) -> pa.Array:
        """Return int32[count] that all say `code`."""
        if (count, code) not in self._codes:
            self._codes[count, code] = self.filled(count, code)
        return self._codes[count, code]

    def filled(self, count: int, code: int) -> pa.Array:
        """Return int32[count] that all say `code`, in a part of memory that is asked for a large piece at a time."""
        import pyarrow as pa

        if len(self._room) < count:
            self._room = empty(max(count, ROOM), np.int32)
        mine, self._room = self._room[:count], self._room[count:]
        mine[:] = code
        return pa.array(mine)

    def starts(self, profile: Profile, covered: np.ndarray) -> pa.Array:
        """Return the starts of the covered intervals."""
        if not every(covered):
            return utc_timestamps(profile.start_s + profile.step_s * np.flatnonzero(covered))
        key = (profile.start_s, profile.step_s, len(covered))
        if key not in self._starts:
            self._starts[key] = utc_timestamps(profile.start_s + profile.step_s * np.arange(len(covered)))
        return self._starts[key]


class _Words:
    """A column of words: of the whole of a series one, or one of each interval."""

    def __init__(self, shared: _Repeats, words: Iterable[str | None], again: bool = True) -> None:
        import pyarrow as pa

        self._shared, self._again = shared, again
        self._places = {word: at for at, word in enumerate(dict.fromkeys(word for word in words if word is not None))}
        self._words = pa.array(list(self._places), pa.string())
        self._made: dict[tuple[str | None, int], pa.DictionaryArray] = {}

    def repeated(self, word: str | None, count: int) -> pa.DictionaryArray:
        """Return `count` times a word, or none; kept if several series may have it."""
        made = self._made.get((word, count))
        if made is None:
            made = self.coded(self._codes(word, count))
            if self._again:
                self._made[word, count] = made
        return made

    def _codes(self, word: str | None, count: int) -> pa.Array:
        import pyarrow as pa

        if word is None:
            return pa.nulls(count, pa.int32())
        fill = self._shared.codes if self._again else self._shared.filled
        return fill(count, self._places[word])

    def coded(self, codes: pa.Array) -> pa.DictionaryArray:
        """Return words by their places int32[n], which are not looked at again: they are ours."""
        import pyarrow as pa

        return pa.DictionaryArray.from_arrays(codes, self._words, safe=False)


def _columns(profile: Profile, covered: np.ndarray, shared: _Repeats) -> dict[str, Any]:
    """Return the columns that differ from interval to interval, and the length of an interval."""
    import pyarrow as pa

    part = slice(None) if every(covered) else covered
    values, missing = profile.signed[part], profile.missing[part]
    energy = pa.array(values, mask=missing) if some(missing) else arrow_int64(values)
    count = len(energy)
    if profile.quality is None and not energy.null_count:
        quality = shared.quality.repeated(QUALITIES[MEASURED], count)
    else:  # what is not there has no quality
        codes = np.full(count, MEASURED, np.int32) if profile.quality is None else profile.quality[part]
        quality = shared.quality.coded(pa.array(codes, pa.int32(), mask=missing))
    if profile.flags is None:
        flags = shared.flag.repeated(None, count)
    else:
        codes = among(shared.flags, profile.flags, len(profile.values))[part]
        flags = shared.flag.coded(pa.array(codes, mask=codes == SILENT))
    return {
        "start": shared.starts(profile, covered),
        "interval_s": shared.codes(count, profile.step_s),
        ENERGY if profile.is_energy else WEIGHT: energy,
        "quality": quality,
        "flags": flags,
    }
