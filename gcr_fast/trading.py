"""Trades as they were made: found, shown, followed for one certificate, and summed by day and currency.

Everything is read from the journal. What a question over all trades needs of each is kept, once read, as integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.codes import STATUSES, WH_PER_MWH
from gcr_fast.columns import arrow_int64, exact_sum
from gcr_fast.errors import UsageError
from gcr_fast.periods import DAY_S, utc_text
from gcr_fast.registry.changes import MINOR_DIGITS
from gcr_fast.registry.ids import id_text, resolve_ids
from gcr_fast.registry.lookups import first_child, handles_of
from gcr_fast.registry.state import State
from gcr_fast.registry.stored import OF, PIECE, ROW, VISIBLE, Growing, becomes
from gcr_fast.registry.where import seconds_of

if TYPE_CHECKING:
    import pyarrow as pa

    from gcr_fast.registry.catalogue import Vocabulary
    from gcr_fast.registry.entries import Entry
    from gcr_fast.registry.keeper import Keeper
    from gcr_fast.registry.records import Record

LISTED_IDS = 1000
"""A trade of more certificates is told by its parents and runs alone."""
NEAR = 32
"""Entries closer than this are read in one go."""
FIELDS = ("entry", "at_s", "seller", "buyer", "certificates", "energy_wh", "price", "total", "currency")
ENTRY, AT, SELLER, BUYER, CERTIFICATES, ENERGY, PRICE, TOTAL, CURRENCY = range(len(FIELDS))
"""Columns of the list of trades; a currency is a word of its vocabulary, -1 if there is no price."""


class Trades:
    """All trades of a registry as integers; reads on where it stopped, as entries never change."""

    def __init__(self, currencies: Vocabulary) -> None:
        self.position = 0
        self.table = Growing(len(FIELDS))
        self.currencies = currencies

    def read_on(self, keeper: Keeper) -> np.ndarray:
        """Take in what was committed since and return int64[trades, fields], by entry."""
        position = keeper.committed()
        for record in keeper.journal.entries(after=self.position, upto=position, kinds=("trade",)):
            entry = record.entry
            word = self.currencies.add(entry.currency) if entry.currency else -1
            self.table.add(
                record.seq, entry.at_s, entry.from_party, entry.to_party, entry.certificates, entry.energy_wh,
                entry.price_minor or 0, entry.total_minor or 0, word,
            )  # fmt: skip
        self.position = position
        return self.table.rows


def decimal_text(minor: int, currency: str) -> str:
    """Return minor units as decimal text: 4550 EUR is "45.50", 4550 JPY "4550"."""
    digits = MINOR_DIGITS.get(currency, 2)
    whole, rest = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{rest:0{digits}d}" if digits else f"{sign}{whole}"


def average_minor(total_minor: int, energy_wh: int) -> int | None:
    """Return the average price per MWh in minor units, rounded half to even; None without energy."""
    if not energy_wh:
        return None
    average, rest = divmod(total_minor * WH_PER_MWH, energy_wh)
    return average + (2 * rest > energy_wh or (2 * rest == energy_wh and average % 2 == 1))


# --- all trades


def trades(keeper: Keeper, listed: Trades, owner: str | None, start: Any, end: Any, parent: str | None) -> pa.Table:
    """Return trades by entry; see `Questions.trades`."""
    rows = listed.read_on(keeper)
    fits = np.ones(len(rows), dtype=bool)
    if owner is not None:
        code = keeper.state.catalogue.party_code(owner) if isinstance(owner, str) else 0
        if not code:
            raise UsageError(f"no party {owner!r}")
        fits &= (rows[:, SELLER] == code) | (rows[:, BUYER] == code)
    if start is not None:
        fits &= rows[:, AT] >= seconds_of(start, "start")
    if end is not None:
        fits &= rows[:, AT] < seconds_of(end, "end")
    if parent is not None:
        fits &= np.isin(rows[:, ENTRY], entries_of(keeper.state, keeper.state.catalogue.place(parent)))
    return _trade_table(keeper.state, listed.currencies.words, rows[fits])


def entries_of(state: State, parent: int) -> np.ndarray:
    """Return the entries that touched certificates of a parent, ascending."""
    touches = state.touches.rows
    entries: np.ndarray = np.unique(touches[touches[:, 0] == parent, 1])
    return entries


def _trade_table(state: State, words: list[str], rows: np.ndarray) -> pa.Table:
    import pyarrow as pa

    party = state.catalogue.party
    priced = rows[:, CURRENCY] >= 0
    currencies = [words[code] if code >= 0 else None for code in rows[:, CURRENCY].tolist()]

    def shown(column: int) -> list[str | None]:
        pairs = zip(rows[:, column].tolist(), currencies, strict=True)
        return [None if word is None else decimal_text(minor, word) for minor, word in pairs]

    def whole(column: int, mask: np.ndarray | None = None) -> pa.Array:
        return pa.array(np.ascontiguousarray(rows[:, column]), pa.int64(), mask=mask)

    columns: dict[str, Any] = {
        "entry": whole(ENTRY),
        "at": arrow_int64(rows[:, AT] * 1000).cast(pa.timestamp("ms", "UTC")),
        "seller": pa.array([party(code) for code in rows[:, SELLER].tolist()], pa.string()),
        "buyer": pa.array([party(code) for code in rows[:, BUYER].tolist()], pa.string()),
        "certificates": whole(CERTIFICATES),
        "energy_wh": whole(ENERGY),
        "price_minor_per_mwh": whole(PRICE, ~priced),
        "total_minor": whole(TOTAL, ~priced),
        "currency": pa.array(currencies, pa.string()),
        "price_per_mwh": pa.array(shown(PRICE), pa.string()),
        "total": pa.array(shown(TOTAL), pa.string()),
    }
    return pa.table(columns)


def trade_statistics(keeper: Keeper, listed: Trades) -> pa.Table:
    """Return trades by day and currency; see `Questions.trade_statistics`."""
    import pyarrow as pa

    rows = listed.read_on(keeper)
    words = listed.currencies.words
    keys, place = np.unique(np.stack([rows[:, AT] // DAY_S, rows[:, CURRENCY]], axis=1), axis=0, return_inverse=True)
    order = np.argsort(place.reshape(-1), kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(place.reshape(-1), minlength=len(keys)))[:-1])
    lines = [
        _day(rows[some], day, words[code] if code >= 0 else None)
        for (day, code), some in zip(keys.tolist(), groups, strict=len(keys) > 0)
    ]
    return pa.Table.from_pylist(lines, schema=_day_schema())


def _day(rows: np.ndarray, day: int, currency: str | None) -> dict[str, Any]:
    energy, total = exact_sum(rows[:, ENERGY]), exact_sum(rows[:, TOTAL])
    average = None if currency is None else average_minor(total, energy)
    return {
        "day": day,
        "currency": currency,
        "trades": len(rows),
        "certificates": exact_sum(rows[:, CERTIFICATES]),
        "energy_wh": energy,
        "total_minor": None if currency is None else total,
        "average_minor_per_mwh": average,
        "total": None if currency is None else decimal_text(total, currency),
        "average_per_mwh": None if average is None or currency is None else decimal_text(average, currency),
    }


def _day_schema() -> pa.Schema:
    import pyarrow as pa

    numbers = ("trades", "certificates", "energy_wh", "total_minor", "average_minor_per_mwh")
    fields = [("day", pa.date32()), ("currency", pa.string()), *((name, pa.int64()) for name in numbers)]
    return pa.schema([*fields, ("total", pa.string()), ("average_per_mwh", pa.string())])


# --- one trade


def get_trade(keeper: Keeper, number: int) -> dict[str, Any]:
    """Return a trade by its entry; see `Questions.get_trade`."""
    record = record_of(keeper, number)
    entry = record.entry
    if entry.kind != "trade":
        raise UsageError(f"entry {number} is a {entry.kind}, not a trade")
    state = keeper.state
    handles = handles_of(state, entry)
    rows = np.where(handles < PIECE, handles, 0)
    rows[handles >= PIECE] = state.pieces.rows[handles[handles >= PIECE] - PIECE, ROW]
    parents = np.unique(state.catalogue.parent_of(rows)).tolist()
    few = len(handles) <= LISTED_IDS
    return {
        **_facts(state, record),
        "parent_certificate_ids": state.catalogue.ids.take(parents).to_pylist(),
        "certificate_ids": [id_text(state, handle) for handle in handles.tolist()] if few else None,
        "runs": entry.runs.tolist(),
        "splits": entry.splits.tolist(),
    }


def _facts(state: State, record: Record) -> dict[str, Any]:
    """Return what every trade tells."""
    entry, party = record.entry, state.catalogue.party
    priced = entry.price_minor is not None
    return {
        "entry": record.seq,
        "at": utc_text(entry.at_s),
        "seller": party(entry.from_party),
        "buyer": party(entry.to_party),
        "certificates": entry.certificates,
        "energy_wh": entry.energy_wh,
        "price_minor_per_mwh": entry.price_minor,
        "total_minor": entry.total_minor,
        "currency": entry.currency or None,
        "price_per_mwh": decimal_text(entry.price_minor or 0, entry.currency) if priced else None,
        "total": decimal_text(entry.total_minor or 0, entry.currency) if priced else None,
        "actor": entry.actor,
        "key": entry.key,
        "texts": dict(entry.texts),
        "hash": record.hash.hex(),
    }


def record_of(keeper: Keeper, number: int) -> Record:
    """Return an entry of the journal; one that does not exist is a `UsageError`."""
    position = keeper.committed()
    if not isinstance(number, int | np.integer) or not 0 < number <= position:
        raise UsageError(f"the journal has entries 1 to {position}, not {number!r}")
    return next(keeper.journal.entries(after=number - 1, upto=number))


def records(keeper: Keeper, numbers: list[int]) -> Iterator[Record]:
    """Yield some entries, ascending; those that are close together in one go."""
    at = 0
    while at < len(numbers):
        stop = at + 1
        while stop < len(numbers) and numbers[stop] - numbers[stop - 1] <= NEAR:
            stop += 1
        wanted = set(numbers[at:stop])
        for record in keeper.journal.entries(after=numbers[at] - 1, upto=numbers[stop - 1]):
            if record.seq in wanted:
                yield record
        at = stop


# --- one certificate


def history(keeper: Keeper, certificate: Any) -> pa.Table:
    """Return what happened to a certificate; see `Questions.history`."""
    import pyarrow as pa

    state = keeper.state
    handle = one_handle(state, certificate)
    line = _ancestors(state, handle)
    parent = state.catalogue.one_parent_of(line[0])
    numbers = [int(state.catalogue.issue[parent]), *entries_of(state, parent).tolist()]
    life = _Life(state, parent, line)
    events = [life.event(record) for record in records(keeper, numbers)]
    return pa.Table.from_pylist([event for event in events if event], schema=_history_schema())


def one_handle(state: State, certificate: Any) -> int:
    """Return the handle of one certificate, given by handle or text id."""
    handles = resolve_ids(state, certificate)
    if len(handles) != 1:
        raise UsageError(f"one certificate is asked for, not {len(handles)}")
    return int(handles[0])


def _ancestors(state: State, handle: int) -> list[int]:
    """Return the handles that a certificate was part of, from its row on, itself last."""
    line = [handle]
    while line[0] >= PIECE:
        line.insert(0, int(state.pieces.rows[line[0] - PIECE, OF]))
    return line


class _Life:
    """A certificate on its way through the journal: what it is part of, who holds it, in which state."""

    def __init__(self, state: State, parent: int, line: list[int]) -> None:
        self.state, self.line = state, line
        numbers = state.catalogue.numbers
        self.owner, self.stored = int(numbers["owner"][parent]), int(numbers["state"][parent])
        self.at = 0

    def event(self, record: Record) -> dict[str, Any] | None:
        """Return what an entry did to it, None if it left it alone."""
        entry, handle = record.entry, self.line[self.at]
        if entry.kind == "issue":
            return self._told(record, "issue", to=self.owner)
        if ((entry.runs[:, 0] <= handle) & (handle < entry.runs.sum(axis=1))).any():
            return self._moved(record, entry)
        if not (entry.splits[:, 0] == handle).any():
            return None
        if self.at + 1 == len(self.line):
            return self._told(record, "split")
        self.at += 1
        if self.line[self.at] == first_child(self.state, handle):
            return self._moved(record, entry)
        return self._told(record, "split")

    def _moved(self, record: Record, entry: Entry) -> dict[str, Any]:
        self.stored = int(becomes(entry.kind)[self.stored]) or self.stored
        if entry.kind == "trade":
            self.owner = entry.to_party
        return self._told(record, entry.kind, entry.from_party, entry.to_party, entry)

    def _told(
        self, record: Record, kind: str, giver: int = 0, to: int = 0, entry: Entry | None = None
    ) -> dict[str, Any]:
        party, handle = self.state.catalogue.party, self.line[self.at]
        gone = kind == "split" and self.at + 1 == len(self.line) and self._is_split(handle, record)
        minor, currency = (entry.price_minor, entry.currency) if entry else (None, "")
        return {
            "entry": record.seq,
            "at": record.entry.at_s * 1000,
            "kind": kind,
            "certificate_id": id_text(self.state, handle),
            "from": party(giver) if giver else None,
            "to": party(to) if to else None,
            "energy_wh": self.state.holding(handle)[2],
            "owner": party(self.owner),
            "status": "SPLIT" if gone else STATUSES[VISIBLE[self.stored]],
            "price_minor_per_mwh": minor,
            "currency": currency or None,
            "price_per_mwh": None if minor is None else decimal_text(minor, currency),
            "actor": record.entry.actor,
            "texts": [] if kind == "issue" else list(record.entry.texts),
            "hash": record.hash.hex(),
        }

    def _is_split(self, handle: int, record: Record) -> bool:
        return bool((record.entry.splits[:, 0] == handle).any())


def _history_schema() -> pa.Schema:
    import pyarrow as pa

    text, number = pa.string(), pa.int64()
    return pa.schema(
        [
            ("entry", number), ("at", pa.timestamp("ms", "UTC")), ("kind", text), ("certificate_id", text),
            ("from", text), ("to", text), ("energy_wh", number), ("owner", text), ("status", text),
            ("price_minor_per_mwh", number), ("currency", text), ("price_per_mwh", text), ("actor", text),
            ("texts", pa.map_(text, text)), ("hash", text),
        ]
    )  # fmt: skip
