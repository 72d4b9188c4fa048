"""A table of trades, read: which rows it has, what each says, and what cannot be read of it."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.columns import encode, one_array
from gcr_fast.errors import UsageError
from gcr_fast.units import parse_scaled

if TYPE_CHECKING:
    import pyarrow as pa

NAMED_BY = ("certificate", "certificate_id", "parent_certificate_id")
"""The columns one of which says what a row trades."""
COLUMNS = (*NAMED_BY, "start", "end", "seller", "buyer", "wh", "price", "currency", "key")


@dataclass(frozen=True, eq=False)
class Orders:
    """A table of trades, read: each column a list with None where nothing is given."""

    table: pa.Table
    named: dict[str, np.ndarray]
    """bool[n] for each of `NAMED_BY`: which rows give it."""
    sellers: list[str | None]
    buyers: list[str | None]
    wh: list[int | None]
    bad_wh: np.ndarray
    """bool[n]: an amount that is no whole number of Wh."""
    prices: list[Any]
    currencies: list[str]
    keys: list[str]

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def cell(self, name: str, at: int) -> Any:
        """Return a value, None if there is no such column."""
        return self.table[name][at].as_py() if name in self.table.column_names else None

    def given(self, name: str) -> np.ndarray:
        """Return bool[n]: which rows give a value; none if there is no such column."""
        return _given(self.table[name]) if name in self.table.column_names else np.zeros(len(self), dtype=bool)


def read_orders(given: Any) -> Orders:
    """Read a table of trades: anything with an Arrow stream. Columns that are missing or unknown are a `UsageError`."""
    import pyarrow as pa

    try:
        table = _plain(pa.table(given))
    except (TypeError, ValueError) as error:
        raise UsageError(f"trades come as a table, anything with an Arrow stream, not {given!r}") from error
    _check_columns(table.column_names)
    count = table.num_rows

    def words(name: str) -> list[Any]:
        return _words(table[name]) if name in table.column_names else [None] * count

    named = {name: _given(table[name]) for name in NAMED_BY if name in table.column_names}
    wh, bad = _amounts(table, count)
    currencies, keys = ([word or "" for word in words(name)] for name in ("currency", "key"))
    return Orders(table, named, words("seller"), words("buyer"), wh, bad, words("price"), currencies, keys)


def _plain(table: pa.Table) -> pa.Table:
    """Return a table with every kind of text as plain strings, which all of Arrow's functions know."""
    import pyarrow as pa

    for at, field in enumerate(table.schema):
        if pa.types.is_large_string(field.type) or pa.types.is_string_view(field.type):
            table = table.set_column(at, field.name, table[at].cast(pa.string()))
    return table


def _check_columns(names: list[str]) -> None:
    for name in names:
        if name not in COLUMNS or names.count(name) > 1:
            close = get_close_matches(name, COLUMNS, n=1)
            hint = f"; did you mean {close[0]}?" if close and name not in COLUMNS else ""
            raise UsageError(f"a table of trades has no column {name!r}, or not twice{hint}: {', '.join(COLUMNS)}")
    missing = [name for name in ("seller", "buyer") if name not in names]
    if missing or not set(NAMED_BY) & set(names):
        raise UsageError(f"a table of trades needs seller, buyer and one of {', '.join(NAMED_BY)}")


def _words(column: pa.ChunkedArray) -> list[Any]:
    """Return a column as Python values. Where few differ, each is made once."""
    import pyarrow as pa

    if not pa.types.is_string(column.type) and not pa.types.is_dictionary(column.type):
        return list(column.to_pylist())
    codes, values = encode(column)
    return [None if code < 0 else values[code] for code in codes.tolist()]


def _given(column: pa.ChunkedArray) -> np.ndarray:
    mask: np.ndarray = one_array(column).is_valid().to_numpy(zero_copy_only=False)
    return mask


def _amounts(table: pa.Table, count: int) -> tuple[list[int | None], np.ndarray]:
    """Return the column wh, and which of its cells are no whole number."""
    if "wh" not in table.column_names:
        return [None] * count, np.zeros(count, dtype=bool)
    read = parse_scaled(table["wh"], 0)
    values = read.values.tolist()
    wh = [None if null else value for value, null in zip(values, read.null.tolist(), strict=True)]
    return wh, read.unreadable | read.inexact
