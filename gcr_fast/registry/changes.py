"""A change on its way into the registry: which certificates it takes, whether each may, and the entry it becomes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Any

import numpy as np

from gcr_fast.codes import STATUSES, WH_PER_MWH
from gcr_fast.errors import UsageError
from gcr_fast.findings import Findings
from gcr_fast.periods import utc_text
from gcr_fast.registry.entries import NO_PAIRS, Entry
from gcr_fast.registry.ids import handle_of, id_text
from gcr_fast.registry.lifecycle import explain
from gcr_fast.registry.rows import Rows
from gcr_fast.registry.selection import Selection
from gcr_fast.registry.state import State
from gcr_fast.registry.stored import PIECE, VISIBLE, may
from gcr_fast.registry.untouched import is_constant
from gcr_fast.registry.where import Where

ORDERS = ("earliest", "proportional")
"""How an amount is taken from a selection: from its first hours on, or from each its share."""
LISTED = 10_000
"""Bad certificates that get a finding each; one more speaks for the rest."""
_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
MINOR_DIGITS = {currency: digits for digits, currencies in _DIGITS.items() for currency in currencies.split()}
"""Decimal places of currencies that have not two (ISO 4217)."""
_CURRENCY = re.compile("[A-Z]{3}")
_EXACT = Context(prec=100, traps=[InvalidOperation, Overflow, Inexact])


@dataclass(frozen=True)
class Deadline:
    """Months after production until which certificates may be traded, or after which they expire; None is never."""

    transfer_months: int | None = None
    expiry_months: int | None = None


@dataclass(frozen=True)
class Request:
    """What somebody asks for: an action on a selection."""

    action: str
    selection: Any
    at_s: int
    actor: str = ""
    key: str = ""
    from_party: str | None = None
    """Whose the certificates must be; None for what the registry itself does."""
    to_party: str | None = None
    wh: int | None = None
    order: str = "earliest"
    price: Any = None
    """Per MWh, decimal, in the currency's units."""
    currency: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    check: Callable[[State, Rows, Findings], None] | None = None
    """What else must hold of the certificates, under the writer lock."""


@dataclass(frozen=True, eq=False)
class Taken:
    """Certificates that a change takes: whole ones by handle, and parts of others."""

    rows: Rows
    splits: np.ndarray
    """int64[m, 2]: handle, and the Wh taken of it."""

    @property
    def energy_wh(self) -> int:
        """Wh taken."""
        return int(self.rows.energy_wh.sum()) + int(self.splits[:, 1].sum())

    @property
    def certificates(self) -> int:
        """Certificates taken, parts included."""
        return len(self.rows) + len(self.splits)


def prepare(
    state: State, request: Request, deadline: Deadline, findings: Findings | None = None, *, new_buyer: bool = False
) -> tuple[Entry, Taken]:
    """Check a request and return its entry; `RefusedError` lists everything that speaks against it.

    With `new_buyer` an unknown buyer gets the number of the next party; the caller adds it, if it keeps the entry.
    """
    found = Findings() if findings is None else findings
    seller, buyer = _parties(state, request, found, new_buyer)
    found.check()
    rows = select(state, request.selection, found)
    _check_rows(state, request, rows, seller, found)
    _check_deadline(state, request, rows, deadline, found)
    if request.check is not None:
        request.check(state, rows, found)
    found.check()
    if not len(rows):
        found.add("nothing_selected", "no certificate matches the selection")
        found.check()
    taken = _take(state, rows, request, found)
    found.check()
    minor, total = price_of(request.price, request.currency, taken.energy_wh)
    entry = Entry(
        request.action, request.at_s, request.actor, request.key, seller, buyer, taken.certificates, taken.energy_wh,
        minor, total, request.currency, tuple(sorted(request.texts.items())), runs_of(taken.rows.handles), taken.splits,
    )  # fmt: skip
    return entry, taken


def _parties(state: State, request: Request, found: Findings, new_buyer: bool) -> tuple[int, int]:
    codes = []
    for name, may_be_new in ((request.from_party, False), (request.to_party, new_buyer)):
        code = 0 if name is None else state.catalogue.party_code(name)
        if name and not code and may_be_new:
            code = len(state.catalogue.parties.words) + 1
        if name is not None and not code:
            found.add("unknown_party", f"there is no party {name!r}", value=name)
        codes.append(code)
    if request.from_party is not None and request.from_party == request.to_party:
        found.add("same_party", f"{request.from_party} would trade with itself", value=request.from_party)
    return codes[0], codes[1]


# --- which


def select(state: State, given: Any, found: Findings) -> Rows:
    """Return the certificates that are meant. A list names each; filters find them."""
    where = Where.of(given)
    if where.certificate is None:
        return Selection(state, where).all()
    handles = _named(state, where.certificate, found)
    if where == Where(certificate=where.certificate):
        return rows_of(state, handles)
    filtered = {name: getattr(where, name) for name in Where.names()} | {"certificate": handles}
    return Selection(state, Where(**filtered)).all()


def _named(state: State, given: Any, found: Findings) -> np.ndarray:
    """Resolve a list of ids; those that are unknown or come twice are findings."""
    items: Iterable[Any] = given.to_pylist() if hasattr(given, "to_pylist") else given
    items = items if isinstance(items, Iterable) and not isinstance(items, str) else [items]
    handles: list[int] = []
    seen: set[int] = set()
    for place, item in enumerate(items):
        handle = handle_of(state, item)
        if handle is None:
            found.add("no_such_certificate", f"{item}: there is no such certificate", row=place, value=str(item))
        elif handle in seen:
            found.add("listed_twice", f"{item} is listed twice", row=place, value=str(item))
        else:
            seen.add(handle)
            handles.append(handle)
    return np.array(handles, dtype=np.int64)


def rows_of(state: State, handles: np.ndarray) -> Rows:
    """Return single certificates as columns, whatever their state, in order of row and piece."""
    if len(handles) == 1:
        return _row_of(state, handles)
    facts = np.array([state.holding(handle) for handle in handles.tolist()], dtype=np.int64).reshape(-1, 5)
    order = np.lexsort((facts[:, 1], facts[:, 0]))
    row, first, wh, owner, stored = facts[order].T
    starts = np.array([state.start_of(at) for at in row.tolist()], dtype=np.int64)
    pieces = first if (handles >= PIECE).any() else None
    return Rows(
        handles[order], state.catalogue.parent_of(row), starts * 1000, wh, owner, stored.astype(np.int8), pieces
    )


def _row_of(state: State, handles: np.ndarray) -> Rows:
    """Return the same of one: most trades are of a single certificate."""
    row, first, wh, owner, stored = state.holding(handles.item(0))
    facts = (state.catalogue.one_parent_of(row), state.start_of(row) * 1000, wh, owner)
    parents, start_ms, whs, owners = np.array(facts, dtype=np.int64).reshape(4, 1)
    pieces = np.array([first], dtype=np.int64) if handles.item(0) >= PIECE else None
    return Rows(handles, parents, start_ms, whs, owners, np.array([stored], dtype=np.int8), pieces)


# --- whether


def _check_rows(state: State, request: Request, rows: Rows, seller: int, found: Findings) -> None:
    """Every certificate must be the party's, and in a state that allows the action."""
    allowed = may(request.action)
    as_issued = len(rows) > 0 and is_constant(rows.owners) and is_constant(rows.states)  # of one owner and state
    if as_issued and rows.owners.item(0) == (seller or rows.owners.item(0)) and allowed.item(rows.states.item(0)):
        return
    foreign = rows.owners != seller if seller else np.zeros(len(rows), dtype=bool)
    barred = ~allowed[rows.states]
    if not foreign.any() and not barred.any():
        return
    list_each(state, found, "not_owned", rows.take(foreign), lambda one: f"belongs to {state.catalogue.party(one[0])}")
    both = rows.take(barred & ~foreign)
    list_each(state, found, "wrong_state", both, lambda one: explain(request.action, int(VISIBLE[one[1]])))


def list_each(state: State, found: Findings, code: str, rows: Rows, why: Any) -> None:
    """Add a finding for each certificate; `why` is given its owner and stored state."""
    for at in range(min(len(rows), LISTED)):
        name = id_text(state, int(rows.handles[at]))
        what = f"{name} {why((int(rows.owners[at]), int(rows.states[at])))}"
        found.add(code, what, certificate_id=name, value=str(int(rows.handles[at])))
    if len(rows) > LISTED:
        found.add(code, f"and {len(rows) - LISTED} more certificates", count=len(rows) - LISTED)


def add_months(seconds: int, months: int) -> int:
    """Return the same time of the month `months` later; the last day of a shorter month stays its last."""
    when = datetime.fromtimestamp(seconds, UTC)
    year, month = divmod(when.year * 12 + when.month - 1 + months, 12)
    first = datetime(year, month + 1, 1, tzinfo=UTC)
    length = (datetime(year + (month == 11), (month + 1) % 12 + 1, 1, tzinfo=UTC) - first).days
    return int(when.replace(year=year, month=month + 1, day=min(when.day, length)).timestamp())


def latest_before(at_s: int, months: int) -> int:
    """Return the latest start, UTC seconds, for which `months` have passed at `at_s`."""
    return add_months(at_s, -months)


def _check_deadline(state: State, request: Request, rows: Rows, deadline: Deadline, found: Findings) -> None:
    if request.action == "trade" and deadline.transfer_months is not None:
        late = rows.start_ms < latest_before(request.at_s, deadline.transfer_months) * 1000
        when = f"was produced more than {deadline.transfer_months} months before {utc_text(request.at_s)}"
        list_each(state, found, "past_deadline", rows.take(late), lambda _: when)
    if request.action == "expire" and deadline.expiry_months is not None:
        early = rows.start_ms >= latest_before(request.at_s, deadline.expiry_months) * 1000
        when = f"lives for {deadline.expiry_months} months after its production"
        list_each(state, found, "not_expired", rows.take(early), lambda _: when)


# --- whether it was done before


def same(state: State, request: Request, entry: Entry) -> bool:
    """Whether an earlier entry did what is asked for, as far as the entry tells.

    Filters find other certificates later: those that the entry took must be among what they find in any state.
    """
    codes = tuple(state.catalogue.party_code(name or "") for name in (request.from_party, request.to_party))
    if (entry.kind, entry.from_party, entry.to_party) != (request.action, *codes):
        return False
    minor, _ = price_of(request.price, request.currency, 0)
    amount = entry.energy_wh if request.wh is None else request.wh
    if (entry.price_minor, entry.currency, entry.energy_wh) != (minor, request.currency, amount):
        return False
    return entry.texts == tuple(sorted(request.texts.items())) and _covers(state, request, entry)


def _covers(state: State, request: Request, entry: Entry) -> bool:
    """Whether the certificates of an entry are those of a request, or with filters or an amount, among them."""
    whole = [np.arange(first, first + count) for first, count in entry.runs.tolist()]
    handles = np.concatenate([*whole, entry.splits[:, 0]])
    where = Where.of(request.selection)
    if where.certificate is not None:
        named = _named(state, where.certificate, Findings())
        exact = request.wh is None and where == Where(certificate=where.certificate)
        if not np.isin(handles, named).all() or (exact and len(handles) != len(named)):
            return False
    lasting = replace(where, owner=None, status=STATUSES, certificate=handles)
    return len(Selection(state, lasting).all()) == len(handles)


# --- how much


def _take(state: State, rows: Rows, request: Request, found: Findings) -> Taken:
    if request.wh is None:
        return Taken(rows, NO_PAIRS)
    if not isinstance(request.wh, int | np.integer) or isinstance(request.wh, bool):
        raise UsageError(f"an amount is a whole number of Wh, not {request.wh!r}")
    if request.order not in ORDERS:
        raise UsageError(f"unknown order {request.order!r}; there are {', '.join(ORDERS)}")
    held = int(rows.energy_wh.sum())
    if request.wh <= 0:
        found.add("bad_amount", f"{request.wh} Wh cannot be taken", column="wh", value=str(request.wh))
    elif request.wh > held:
        what = f"{request.wh} Wh asked for, {held} Wh selected"
        found.add("amount_over", what, column="wh", value=str(request.wh))
    found.check()
    amounts = (_earliest if request.order == "earliest" else _proportional)(rows, int(request.wh))
    part = (amounts > 0) & (amounts < rows.energy_wh)
    whole = rows.take(part & ~may("split")[rows.states])
    list_each(state, found, "wrong_state", whole, lambda one: explain("split", int(VISIBLE[one[1]])))
    splits = np.stack([rows.handles[part], amounts[part]], axis=1)
    return Taken(rows.take(amounts == rows.energy_wh), splits)


def _earliest(rows: Rows, wh: int) -> np.ndarray:
    """Take certificates whole in order of time (then parent) until the amount is reached, the last one in part."""
    order = np.argsort(rows.start_ms, kind="stable")
    reached = np.cumsum(rows.energy_wh[order])
    amounts = np.zeros(len(rows), dtype=np.int64)
    amounts[order] = np.clip(wh - (reached - rows.energy_wh[order]), 0, rows.energy_wh[order])
    return amounts


def _proportional(rows: Rows, wh: int) -> np.ndarray:
    """Take of each its share, exact by running totals: floor(T * C_i / W) - floor(T * C_(i-1) / W)."""
    whole, reached, before = int(rows.energy_wh.sum()), 0, 0
    amounts = []
    for energy in rows.energy_wh.tolist():
        reached += energy
        now = wh * reached // whole
        amounts.append(now - before)
        before = now
    return np.array(amounts, dtype=np.int64)


def runs_of(handles: np.ndarray) -> np.ndarray:
    """Return int64[k, 2]: consecutive handles as runs (first, count). Handles ascend within rows and within pieces."""
    if not len(handles):
        return NO_PAIRS
    if len(handles) == 1:
        return np.array([[handles.item(0), 1]], dtype=np.int64)
    steps = handles[1:] - handles[:-1]
    if (steps == 1).all():
        return np.array([[handles.item(0), len(handles)]], dtype=np.int64)
    if (steps <= 0).any():
        handles = np.sort(handles)
        steps = np.diff(handles)
    edges = np.concatenate([[0], np.flatnonzero(steps != 1) + 1, [len(handles)]])
    return np.stack([handles[edges[:-1]], np.diff(edges)], axis=1)


# --- for what


def price_of(price: Any, currency: str, energy_wh: int) -> tuple[int | None, int | None]:
    """Return price per MWh and total in minor units, the total rounded half to even; None if there is no price."""
    if price is None:
        if currency:
            raise UsageError(f"a currency ({currency}) without a price")
        return None, None
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise UsageError(f"a price needs a currency of three letters such as EUR, not {currency!r}")
    try:
        minor = Decimal(str(price)).scaleb(MINOR_DIGITS.get(currency, 2), _EXACT)
    except (InvalidOperation, Overflow, Inexact):
        raise UsageError(f"price {price!r} is not a decimal number that can be a price") from None
    if not minor.is_finite() or minor < 0 or minor != minor.to_integral_value() or minor >= 1 << 62:
        raise UsageError(f"price {price} must be 0 or more, with at most {MINOR_DIGITS.get(currency, 2)} decimals")
    return int(minor), total_of(int(minor), energy_wh)


def total_of(minor: int, energy_wh: int) -> int:
    """Return price per MWh times energy, in minor units, rounded half to even."""
    total, rest = divmod(minor * energy_wh, WH_PER_MWH)
    twice = 2 * rest - WH_PER_MWH
    return total + (twice > 0 or (twice == 0 and total % 2 == 1))
