"""Many trades in one call: a table with a trade in each row, made all together or each by itself.

A trade of one whole certificate, which most are, is checked and written here without more ado. Whatever is out of the
ordinary in any way goes through `Writer.change`, which alone says what is wrong with it.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.columns import one_array
from gcr_fast.errors import DuplicateKeyError, GcrError, UsageError
from gcr_fast.findings import Finding, Findings, RefusedError
from gcr_fast.registry.changes import Request, latest_before, price_of, total_of
from gcr_fast.registry.entries import NO_PAIRS, Entry
from gcr_fast.registry.lookups import energy_of, find_rows, rows_at
from gcr_fast.registry.orders import NAMED_BY, Orders, read_orders
from gcr_fast.registry.state import State
from gcr_fast.registry.stored import may

if TYPE_CHECKING:
    import pyarrow as pa

    from gcr_fast.registry.journal import Transaction
    from gcr_fast.registry.writer import Writer

GROUP = 256
"""Trades that become durable by one fsync, where each stands for itself."""
DONE, REPEATED, REFUSED = "done", "repeated", "refused"
BLAMED = {
    "same_party": "buyer", "not_owned": "seller", "amount_over": "wh", "key_reused": "key",
    "unknown_parent": "parent_certificate_id",
}  # fmt: skip
"""The column that a code speaks of, where the finding does not say."""


def trade_many(
    registry: Writer, table: Any, *, atomic: bool = True, create_parties: bool = False, actor: str = "",
    dry_run: bool = False,
) -> pa.Table:  # fmt: skip
    """Make one trade per row, in order; see `Operations.trade_many`."""
    orders = read_orders(table)
    registry.refresh()
    bulk = Bulk(registry, orders, create_parties, actor)
    if dry_run:
        _try(registry, bulk, atomic)
    elif atomic:
        with registry.group() as transaction:
            bulk.run(transaction, range(len(orders)))
            bulk.findings.check()
    else:
        with registry.series():
            for first in range(0, len(orders), GROUP):
                _one_group(registry, bulk, range(first, min(first + GROUP, len(orders))))
    return bulk.to_table()


class _TriedError(Exception):
    """Leaves a group, so that nothing of it is kept."""


def _try(registry: Writer, bulk: Bulk, atomic: bool) -> None:
    """Do all of it in a group that is taken back; what would be done has no number in the journal."""
    before = registry.position
    with contextlib.suppress(_TriedError), registry.group() as transaction:
        bulk.run(transaction, range(len(bulk.orders)))
        if atomic:
            bulk.findings.check()
        raise _TriedError
    bulk.results = [(one[0], one[1] if one[1] and one[1] <= before else None, *one[2:]) for one in bulk.results]


def _one_group(registry: Writer, bulk: Bulk, rows: range) -> None:
    try:
        with registry.group() as transaction:
            bulk.run(transaction, rows)
    except GcrError as error:
        error.add_note(f"rows before {rows.start} are dealt with and durable; nothing was done from that row on")
        raise


@dataclass(frozen=True, eq=False)
class Places:
    """Where the whole certificates of a table lie, as lists; a row of -1 is to be looked at more closely."""

    rows: list[int]
    blocks: list[int]
    locals: list[int]
    wh: list[int]
    starts: list[int]
    owners: list[int]
    """To whom each was issued."""
    states: list[int]
    """In which stored state."""
    runs: np.ndarray
    """int64[n, 1, 2]: each as the runs of an entry."""


class Bulk:
    """A table of trades on its way into a registry, and what became of each row."""

    def __init__(self, registry: Writer, orders: Orders, create_parties: bool, actor: str) -> None:
        self.registry, self.orders, self.create_parties, self.actor = registry, orders, create_parties, actor
        self.findings = Findings()
        self.places = _places(registry.state, orders)
        self.results: list[tuple[str, int | None, int | None, int | None, Finding | None]] = []
        """Per row: status, entry, Wh, total in minor units, the first thing that speaks against it."""
        self.minor: dict[Any, int | str | None] = {}
        """Price in minor units by (price, currency); text says why it is none."""
        self.codes: dict[str | None, int] = {}
        self.now, self.late_s = 0, 0

    def run(self, transaction: Transaction, rows: range) -> None:
        """Trade some rows in a transaction."""
        self.now = self.registry.now()
        months = self.registry.deadline.transfer_months
        self.late_s = -(1 << 62) if months is None else latest_before(self.now, months)
        for at in rows:
            entry = self._quick(self.registry.state, at)
            if entry is None:
                self.results.append(self._thorough(at))
                continue
            try:
                receipt = transaction.append(entry)
            except DuplicateKeyError:
                self.results.append(self._thorough(at))
                continue
            self.registry._take_in(receipt.seq, entry)
            self.results.append((DONE, receipt.seq, entry.energy_wh, entry.total_minor, None))

    def _quick(self, state: State, at: int) -> Entry | None:
        """Return the entry of a trade of one whole certificate against which nothing speaks; None for any other."""
        places, orders = self.places, self.orders
        row = places.rows[at]
        if row < 0 or places.starts[at] < self.late_s:
            return None
        columns, local = state.columns[places.blocks[at]], places.locals[at]
        owner, stored = places.owners[at], places.states[at]
        if len(columns.owners):
            owner, stored = columns.owners.item(local) or owner, columns.states.item(local) or stored
        seller, buyer = orders.sellers[at], orders.buyers[at]
        giver, taker = self._code(state, seller), self._code(state, buyer)
        if owner != giver or not taker or giver == taker or not _TRADABLE[stored]:
            return None
        wh, currency = places.wh[at], orders.currencies[at]
        minor = self._minor(orders.prices[at], currency)
        if isinstance(minor, str):
            return None
        total = None if minor is None else total_of(minor, wh)
        return Entry(
            "trade", self.now, self.actor, orders.keys[at], giver, taker, 1, wh, minor, total, currency, (),
            places.runs[at], NO_PAIRS,
        )  # fmt: skip

    def _code(self, state: State, name: str | None) -> int:
        """Return a party's code, which never changes; 0 if there is none yet."""
        code = self.codes.get(name, 0)
        if not code and name:
            code = self.codes[name] = state.catalogue.party_code(name)
        return code

    def _minor(self, price: Any, currency: str) -> int | str | None:
        found = self.minor.get((price, currency), self)
        if found is self:
            try:
                found = price_of(price, currency, 0)[0]
            except UsageError as error:
                found = str(error)
            self.minor[price, currency] = found
        return found  # type: ignore[return-value]

    # --- one by one

    def _thorough(self, at: int) -> tuple[str, int | None, int | None, int | None, Finding | None]:
        """Trade a row as any other change is made, and keep what speaks against it."""
        try:
            request = self._request(at)
            receipt = self.registry.change(request, create_parties=self.create_parties)
        except RefusedError as error:
            found = [self._placed(one, at) for one in error.collected.of("error")]
        except UsageError as error:
            found = [self._placed(Finding("unreadable_value", str(error)), at)]
        else:
            status = REPEATED if receipt.repeated else DONE
            return status, receipt.entry, receipt.energy_wh, receipt.total_minor, None
        self.findings.extend(found)
        return REFUSED, None, None, None, found[0]

    def _request(self, at: int) -> Request:
        """Return a row as a request; `RefusedError` if it does not say what it needs to."""
        orders, faults = self.orders, Findings()
        selection = self._selection(at, faults)
        wh, price, currency = orders.wh[at], orders.prices[at], orders.currencies[at]
        for name, cell in (("seller", orders.sellers[at]), ("buyer", orders.buyers[at])):
            if not cell:
                faults.add("null_value", f"a trade needs a {name}", column=name)
        minor = self._minor(price, currency)
        if isinstance(minor, str):
            faults.add("bad_amount", minor, column="price", value=None if price is None else str(price))
        if orders.bad_wh[at]:
            given = str(orders.cell("wh", at))
            faults.add("bad_amount", f"{given} is not a whole number of Wh", column="wh", value=given)
        faults.check()
        return Request(
            "trade", selection, self.now, self.actor, orders.keys[at], orders.sellers[at], orders.buyers[at], wh,
            "earliest", price, currency, {} if wh is None else {"order": "earliest"},
        )  # fmt: skip

    def _selection(self, at: int, faults: Findings) -> dict[str, Any]:
        cell = self.orders.cell
        named = [name for name, given in self.orders.named.items() if given[at]]
        if len(named) != 1:
            what = "a trade needs one of" if not named else f"{' and '.join(named)} are given; use one of"
            code, column = ("ambiguous_column", named[-1]) if named else ("null_value", "certificate_id")
            faults.add(code, f"{what} {', '.join(NAMED_BY)}", column=column)
            return {}
        value, span = cell(named[0], at), {name: cell(name, at) for name in ("start", "end")}
        if named[0] != "parent_certificate_id":
            return {"certificate": [value], **span}
        if value not in self.registry.state.catalogue.place_of:
            faults.add("unknown_parent", f"no parent certificate {value!r} in this registry", value=str(value))
        return {"parent": value, **span}

    def _placed(self, one: Finding, at: int) -> Finding:
        """Say of which row and column of the table a finding is."""
        column = one.column or BLAMED.get(one.code)
        if one.code == "unknown_party":
            column = "seller" if one.value == self.orders.sellers[at] else "buyer"
        named = [name for name, given in self.orders.named.items() if given[at]]
        return replace(one, row=at, column=column or (named[0] if named else None))

    # --- what came of it

    def to_table(self) -> pa.Table:
        """Return one row per trade: row, status, entry, energy_wh, total_minor, code, message."""
        import pyarrow as pa

        statuses, entries, wh, totals, found = zip(*self.results, strict=True) if self.results else [()] * 5
        columns: dict[str, Any] = {
            "row": pa.array(range(len(self.results)), pa.int64()),
            "status": pa.array(statuses, pa.string()),
            "entry": pa.array(entries, pa.int64()),
            "energy_wh": pa.array(wh, pa.int64()),
            "total_minor": pa.array(totals, pa.int64()),
            "code": pa.array([one and one.code for one in found], pa.string()),
            "message": pa.array([one and one.message for one in found], pa.string()),
        }
        return pa.table(columns)


_TRADABLE = may("trade").tolist()


def _places(state: State, orders: Orders) -> Places:
    """Find the whole certificates that rows name by handle or id, without amount or times."""
    rows = np.full(len(orders), -1, dtype=np.int64)
    others = _others(orders)
    for name, find in (("certificate", _known_rows), ("certificate_id", find_rows)):
        if name in orders.named:
            alone = orders.named[name] & ~np.any([m for n, m in orders.named.items() if n != name] or [others], axis=0)
            chosen = np.flatnonzero(alone & ~others)
            rows[chosen] = find(state, one_array(orders.table[name]).take(chosen))
    there = np.flatnonzero(rows >= 0)
    facts = rows_at(state, rows[there])
    numbers = state.catalogue.numbers

    def spread(values: np.ndarray) -> list[int]:
        whole = np.zeros(len(rows), dtype=np.int64)
        whole[there] = values
        return list(whole.tolist())

    blocks = numbers["block"][facts.parents]
    first_rows = np.array([block.first_row for block in state.catalogue.blocks], dtype=np.int64)
    return Places(
        rows.tolist(), spread(blocks), spread(rows[there] - first_rows[blocks]), spread(facts.energy_wh),
        spread(facts.start_ms // 1000), spread(numbers["owner"][facts.parents]),
        spread(numbers["state"][facts.parents]),
        np.stack([rows, np.ones_like(rows)], axis=1)[:, np.newaxis, :],
    )  # fmt: skip


def _others(orders: Orders) -> np.ndarray:
    """Return bool[n]: rows with an amount or times, which are no plain trade of one whole certificate."""
    other: np.ndarray = np.array([wh is not None for wh in orders.wh], dtype=bool) | orders.bad_wh
    other |= orders.given("start") | orders.given("end")
    return other


def _known_rows(state: State, handles: pa.Array) -> np.ndarray:
    """Return the rows that handles are, -1 for pieces, what does not exist and what is no number."""
    import pyarrow as pa

    if not pa.types.is_integer(handles.type):
        raise UsageError(f"column certificate holds {handles.type}, not handles; text ids go into certificate_id")
    given: np.ndarray = handles.cast(pa.int64(), safe=False).to_numpy(zero_copy_only=False).astype(np.int64)
    rows: np.ndarray = np.where((given >= 0) & (given < state.catalogue.rows), given, -1)
    there = np.flatnonzero(rows >= 0)
    rows[there[energy_of(state.catalogue, rows[there]) == 0]] = -1
    return rows
