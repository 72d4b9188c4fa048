"""The answer to a question: certificates as an Arrow table or stream, their number and energy, or groups of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.codes import BASES, SOURCE_TYPES, STATUSES
from gcr_fast.columns import arrow_int64
from gcr_fast.errors import UsageError
from gcr_fast.registry.selection import Rows, Selection, id_text
from gcr_fast.registry.state import VISIBLE, State

if TYPE_CHECKING:
    import pyarrow as pa

GROUPS = ("owner", "source_type", "status", "device", "country", "hour_of_day", "day", "month", "year")
"""What certificates can be grouped by."""
DENSE_GROUPS = 1 << 22
EAGER_ROWS = 1 << 22
"""Up to so many rows are read at once when first asked for."""


class Result:
    """Certificates that match. Reads them when asked, from the state as it is then."""

    def __init__(self, state: State, selection: Selection, limit: int | None = None, after: int | None = None) -> None:
        if limit is not None and limit < 1:
            raise UsageError(f"limit must be 1 or more, not {limit}")
        self._state, self._selection, self._limit, self._after = state, selection, limit, after

    def rows(self) -> Iterator[Rows]:
        """Yield the certificates as arrays, batch by batch."""
        left, past = self._limit, self._after is None
        for rows in self._selection.batches():
            some = rows
            if not past:
                at = np.flatnonzero(rows.handles == self._after)
                if not len(at):
                    continue
                some, past = rows.take(slice(int(at[0]) + 1, None)), True
            if left is not None:
                some, left = some.take(slice(0, left)), left - min(left, len(some))
            if len(some):
                yield some
            if left == 0:
                return

    @cached_property
    def _figures(self) -> tuple[int, int]:
        count = energy = 0
        for rows in self.rows():
            count, energy = count + len(rows), energy + int(rows.energy_wh.sum())
        return count, energy

    @property
    def count(self) -> int:
        """How many certificates."""
        return self._figures[0]

    @property
    def energy_wh(self) -> int:
        """Their energy."""
        return self._figures[1]

    @property
    def cursor(self) -> int | None:
        """What to give as `after` for the next page; None if there is no certificate."""
        last = None
        for rows in self.rows():
            last = int(rows.handles[-1])
        return last

    def schema(self, certificate_ids: bool = False) -> pa.Schema:
        """Return the schema of the table."""
        from gcr_fast.schema import arrow_schema

        schema = arrow_schema("certificates", without=() if certificate_ids else ("certificate_id",))
        import pyarrow as pa

        return pa.schema([field.with_nullable(False) for field in schema], metadata=schema.metadata)

    def batches(self, certificate_ids: bool = False) -> Iterator[pa.RecordBatch]:
        """Yield record batches."""
        import pyarrow as pa

        schema = self.schema(certificate_ids)
        for rows in self.rows():
            yield pa.RecordBatch.from_arrays(self._columns(rows, certificate_ids), schema=schema)

    def to_table(self, certificate_ids: bool = False) -> pa.Table:
        """Return all certificates as one table."""
        import pyarrow as pa

        return pa.Table.from_batches(list(self.batches(certificate_ids)), schema=self.schema(certificate_ids))

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Stream to any Arrow library: Polars, DuckDB, pandas."""
        import pyarrow as pa

        reader = pa.RecordBatchReader.from_batches(self.schema(), self.batches())
        return reader.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return self.count

    def _columns(self, rows: Rows, certificate_ids: bool) -> list[pa.Array]:
        import pyarrow as pa

        numbers, catalogue = self._state.catalogue.numbers, self._state.catalogue
        parents = rows.parents
        columns = [
            arrow_int64(np.ascontiguousarray(rows.handles)),
            _words(parents, catalogue.ids),
            arrow_int64(np.ascontiguousarray(rows.start_ms)).cast(pa.timestamp("ms", "UTC")),
            pa.array(numbers["step_s"][parents].astype(np.int32)),
            arrow_int64(np.ascontiguousarray(rows.energy_wh)),
            _words(numbers["source"][parents], _constant(SOURCE_TYPES)),
            _words(VISIBLE[rows.states], _constant(STATUSES)),
            _words(numbers["basis"][parents], _constant(BASES)),
            _words(rows.owners - 1, pa.array(catalogue.parties.words, pa.string())),
        ]
        if certificate_ids:
            ids = [id_text(self._state, handle) for handle in rows.handles.tolist()]
            columns.insert(1, pa.array(ids, pa.string()))
        return columns

    def group_by(self, *names: str) -> pa.Table:
        """Return certificates and Wh for each combination of `GROUPS` that occurs, in ascending order."""
        import pyarrow as pa

        unknown = [name for name in names if name not in GROUPS]
        if unknown or not names or len(set(names)) < len(names):
            raise UsageError(
                f"group by one or more of {', '.join(GROUPS)}, not {', '.join(unknown or names) or 'nothing'}"
            )
        sums: dict[tuple[int, ...], list[int]] = {}
        for rows in self.rows():
            for keys, figures in _grouped([_key(self._state, rows, name) for name in names], rows.energy_wh):
                have = sums.setdefault(keys, [0, 0])
                have[0], have[1] = have[0] + figures[0], have[1] + figures[1]
        ordered = sorted(sums)
        columns = {name: [_shown(self._state, name, keys[at]) for keys in ordered] for at, name in enumerate(names)}
        totals = {
            "certificates": [sums[keys][0] for keys in ordered],
            "energy_wh": [sums[keys][1] for keys in ordered],
        }
        kinds = {name: pa.int64() if name in ("hour_of_day", "year") else pa.string() for name in names}
        schema = pa.schema([*kinds.items(), ("certificates", pa.int64()), ("energy_wh", pa.int64())])
        return pa.table(columns | totals, schema=schema)


def _key(state: State, rows: Rows, name: str) -> np.ndarray:
    """Return what rows are grouped by as integers, int64[n]."""
    numbers = state.catalogue.numbers
    if name in ("source_type", "device", "country"):
        column: np.ndarray = numbers[name.removesuffix("_type")][rows.parents]
        return column
    if name == "owner":
        return rows.owners.astype(np.int64)
    if name == "status":
        statuses: np.ndarray = VISIBLE[rows.states].astype(np.int64)
        return statuses
    if name == "hour_of_day":
        key: np.ndarray = rows.start_ms // 3_600_000 % 24
    elif name == "day":
        key = rows.start_ms // 86_400_000
    else:
        unit = "M" if name == "month" else "Y"
        key = rows.start_ms.astype("datetime64[ms]").astype(f"datetime64[{unit}]").astype(np.int64)
    return key


def _shown(state: State, name: str, key: int) -> Any:
    """Return a key as people write it; None where it is unknown."""
    if name in ("device", "country"):
        words = state.catalogue.devices.words if name == "device" else state.catalogue.countries.words
        return words[key] if key >= 0 else None
    if name == "owner":
        return state.catalogue.party(key)
    if name in ("source_type", "status"):
        return (SOURCE_TYPES if name == "source_type" else STATUSES)[key]
    if name in ("day", "month"):
        return str(np.datetime64(key, "D" if name == "day" else "M"))
    return key + 1970 if name == "year" else key


def _grouped(keys: list[np.ndarray], energy: np.ndarray) -> Iterator[tuple[tuple[int, ...], tuple[int, int]]]:
    """Yield (keys, (count, Wh)) for each combination in a batch."""
    from gcr_fast.kernels.aggregate import grouped

    lows = [int(key.min()) for key in keys]
    sizes = [int(key.max()) - low + 1 for key, low in zip(keys, lows, strict=True)]
    total = int(np.prod([float(size) for size in sizes]))
    joined = np.zeros(len(energy), dtype=np.int64)
    for key, low, size in zip(keys, lows, sizes, strict=True):
        joined = joined * size + (key - low)
    if total > DENSE_GROUPS:
        distinct, joined = np.unique(joined, return_inverse=True)
    else:
        distinct = np.arange(total)
    counts, sums = np.zeros(len(distinct), np.int64), np.zeros(len(distinct), np.int64)
    grouped(joined, np.ascontiguousarray(energy), counts, sums)
    for at in np.flatnonzero(counts).tolist():
        rest, parts = int(distinct[at]), []
        for low, size in zip(reversed(lows), reversed(sizes), strict=True):
            rest, part = divmod(rest, size)
            parts.append(part + low)
        yield tuple(reversed(parts)), (int(counts[at]), int(sums[at]))


def _words(codes: np.ndarray, dictionary: pa.Array) -> pa.DictionaryArray:
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), dictionary, safe=False)


def _constant(words: Sequence[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(words, pa.string())
