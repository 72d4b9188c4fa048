"""The answer to a question: certificates as an Arrow table or stream, their number and energy, or groups of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.codes import SOURCE_TYPES, STATUSES
from gcr_fast.errors import UsageError
from gcr_fast.registry.rendering import columns_of, schema_of, table_as_issued
from gcr_fast.registry.rows import Rows
from gcr_fast.registry.selection import Selection
from gcr_fast.registry.state import State
from gcr_fast.registry.stored import VISIBLE
from gcr_fast.registry.where import Where

if TYPE_CHECKING:
    import pyarrow as pa

GROUPS = ("owner", "source_type", "status", "device", "country", "hour_of_day", "day", "month", "year")
"""What certificates can be grouped by."""
DENSE_GROUPS = 1 << 22


class Result:
    """Certificates that match. Reads them when asked, from the state as it is then."""

    def __init__(self, state: State, selection: Selection, limit: int | None = None, after: int | None = None) -> None:
        if limit is not None and (not isinstance(limit, int) or limit < 1):
            raise UsageError(f"limit must be 1 or more, not {limit!r}")
        self._state, self._limit = state, limit
        self._selection = selection if after is None else selection.beyond(after)

    def rows(self) -> Iterator[Rows]:
        """Yield the certificates as arrays, batch by batch."""
        left = self._limit
        for rows in self._selection.batches():
            some = rows
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
        return schema_of(certificate_ids)

    def batches(self, certificate_ids: bool = False) -> Iterator[pa.RecordBatch]:
        """Yield record batches."""
        import pyarrow as pa

        schema = schema_of(certificate_ids)
        for rows in self.rows():
            yield pa.RecordBatch.from_arrays(columns_of(self._state, rows, certificate_ids), schema=schema)

    def to_table(self, certificate_ids: bool = False) -> pa.Table:
        """Return all certificates as one table."""
        import pyarrow as pa

        return pa.Table.from_batches(list(self.batches(certificate_ids)), schema=schema_of(certificate_ids))

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Stream to any Arrow library: Polars, DuckDB, pandas."""
        import pyarrow as pa

        reader = pa.RecordBatchReader.from_batches(self.schema(), self.batches())
        return reader.__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return self.count

    def group_by(self, *names: str) -> pa.Table:
        """Return certificates and Wh for each combination of `GROUPS` that occurs, in ascending order."""
        import pyarrow as pa

        unknown = [name for name in names if name not in GROUPS]
        if unknown or not names or len(set(names)) < len(names):
            raise UsageError(
                f"group by one or more of {', '.join(GROUPS)}, not {', '.join(map(str, unknown or names)) or 'nothing'}"
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


class WholeParent(Result):
    """All certificates of one parent: the question that is asked most, answered without a search while it may be."""

    def __init__(self, state: State, parent: int, name: str) -> None:
        self._state, self._limit, self._parent, self._name = state, None, parent, name

    @cached_property
    def _selection(self) -> Selection:  # type: ignore[override]
        return Selection(self._state, Where(parent=self._name))

    def to_table(self, certificate_ids: bool = False) -> pa.Table:
        """Return all certificates as one table."""
        if certificate_ids or self._parent in self._state.touched:
            return super().to_table(certificate_ids)
        return table_as_issued(self._state, self._parent)


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
    joined, total = np.zeros(len(energy), dtype=np.int64), 1
    for key, low, size in zip(keys, lows, sizes, strict=True):
        joined, total = joined * size + (key - low), total * size
        if total > DENSE_GROUPS:  # only those that occur: most do not, and the product must fit 64 bits
            distinct, joined = np.unique(joined, return_inverse=True)
            total = len(distinct)
    counts, sums, sample = (np.zeros(total, np.int64) for _ in range(3))
    grouped(joined, np.ascontiguousarray(energy), counts, sums)
    sample[joined] = np.arange(len(joined))
    for at in np.flatnonzero(counts).tolist():
        yield tuple(int(key[sample[at]]) for key in keys), (int(counts[at]), int(sums[at]))
