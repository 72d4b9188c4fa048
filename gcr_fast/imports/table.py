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
from gcr_fast.findings import Findings
from gcr_fast.flags import SILENT, among, united
from gcr_fast.grid.series import WEIGHT_DIGITS_KEY
from gcr_fast.grid.shapes import Profile
from gcr_fast.imports.accounts import FileAccount, SeriesAccount
from gcr_fast.memory import empty
from gcr_fast.schema import arrow_schema
from gcr_fast.sources.model import Readings

if TYPE_CHECKING:
    import pyarrow as pa

WORDS = ("profile", "role", "source_type", "kind", "area", "device_id", "format")
"""Columns that say one word for a whole series."""
ROOM = 1 << 21
"""Codes for which memory is asked at a time: 8 MB, on large pages."""
ENERGY, WEIGHT = "energy_wh", "weight"


@dataclass(frozen=True)
class Imported:
    """All series of some files, each on its grid, with the source's sign."""

    profiles: Mapping[str, Profile]
    """By name, every role. A negative value is 0 here and stands in `clipped`."""
    series: Mapping[str, SeriesAccount]
    """By name: what was found."""
    readings: tuple[Readings, ...]
    """What was read of each file, its series taken out."""
    findings: Findings
    """Gaps, repeated intervals, rows out of order."""
    formats: Mapping[str, str]
    """The format of each series."""
    covered: Mapping[str, np.ndarray]
    """By name, bool[n]: intervals that have a row. Between files a year or more apart there are none."""

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
        import pyarrow as pa

        said = {name: self._words(name) for name in self.profiles}
        codes = {column: _codes_of(told[column] for told in said.values()) for column in WORDS}
        dictionaries = {column: pa.array(list(known), pa.string()) for column, known in codes.items()}
        shared = _Repeats(united(profile.flags for profile in self.profiles.values()))
        for name, profile in self.profiles.items():
            columns = _columns(profile, self.covered[name], shared)
            count = len(columns["start"])
            for word, values in dictionaries.items():
                columns[word] = shared.word(count, codes[word].get(said[name][word]), values, again=word != "profile")
            yield columns

    def _words(self, name: str) -> dict[str, str | None]:
        """Return what is one word for a whole series."""
        one = self.series[name]
        told = {column: getattr(one, column) or None for column in WORDS if column not in {"profile", "format"}}
        return {**told, "profile": name, "format": self.formats[name]}

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
        self._room = np.empty(0, np.int32)
        self._codes: dict[tuple[int, int], pa.Array] = {}
        self._words: dict[tuple[int, int, int | None], pa.DictionaryArray] = {}
        self._starts: dict[tuple[int, int, int], pa.Array] = {}

    def codes(self, count: int, code: int) -> pa.Array:
        """Return int32[count] that all say `code`."""
        if (count, code) not in self._codes:
            self._codes[count, code] = self._filled(count, code)
        return self._codes[count, code]

    def _filled(self, count: int, code: int) -> pa.Array:
        """Return int32[count] that all say `code`, in a part of memory that is asked for a large piece at a time."""
        import pyarrow as pa

        if len(self._room) < count:
            self._room = empty(max(count, ROOM), np.int32)
        mine, self._room = self._room[:count], self._room[count:]
        mine[:] = code
        return pa.array(mine)

    def word(self, count: int, code: int | None, words: pa.Array, again: bool = True) -> pa.DictionaryArray:
        """Return `count` times the same one of some words, or none; kept if it may be asked for `again`."""
        import pyarrow as pa

        key = (id(words), count, code)  # `words` live as long as this
        if key in self._words:
            return self._words[key]
        if code is None:
            codes = pa.nulls(count, pa.int32())
        else:
            codes = self.codes(count, code) if again else self._filled(count, code)
        made = _coded(codes, words)
        if again:
            self._words[key] = made
        return made

    def starts(self, profile: Profile, covered: np.ndarray) -> pa.Array:
        """Return the starts of the covered intervals."""
        if not every(covered):
            return utc_timestamps(profile.start_s + profile.step_s * np.flatnonzero(covered))
        key = (profile.start_s, profile.step_s, len(covered))
        if key not in self._starts:
            self._starts[key] = utc_timestamps(profile.start_s + profile.step_s * np.arange(len(covered)))
        return self._starts[key]


def _coded(codes: pa.Array, words: pa.Array) -> pa.DictionaryArray:
    """Return words by their codes int32[n], which are not looked at again: they are ours."""
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(codes, words, safe=False)


def _columns(profile: Profile, covered: np.ndarray, shared: _Repeats) -> dict[str, Any]:
    """Return the columns that differ from interval to interval, and the length of an interval."""
    import pyarrow as pa

    part = slice(None) if every(covered) else covered
    values, missing = profile.signed[part], profile.missing[part]
    energy = pa.array(values, mask=missing) if some(missing) else arrow_int64(values)
    count = len(energy)
    if profile.quality is None and not energy.null_count:
        quality = shared.word(count, MEASURED, shared.qualities)
    else:  # what is not there has no quality
        codes = np.full(count, MEASURED, np.int32) if profile.quality is None else profile.quality[part]
        quality = _coded(pa.array(codes, pa.int32(), mask=missing), shared.qualities)
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
