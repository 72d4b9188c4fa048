"""The verbs of the registry: every change of certificates, as a request to be checked and carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast import bulk
from gcr_fast.errors import UsageError
from gcr_fast.findings import Findings, RefusedError
from gcr_fast.periods import utc_text
from gcr_fast.registry.changes import Request, latest_before, list_each
from gcr_fast.registry.lifecycle import compensates
from gcr_fast.registry.receipts import Receipt
from gcr_fast.registry.rows import Rows
from gcr_fast.registry.state import State
from gcr_fast.registry.stored import VISIBLE
from gcr_fast.registry.where import Where, seconds_of
from gcr_fast.registry.writer import Writer

if TYPE_CHECKING:
    import pyarrow as pa

MONTHS = 1200
"""No certificate lives longer."""


class Operations(Writer):
    """What a registry can do with certificates.

    A selection is a mapping of the filters of `Where`, a `Where`, or a list of handles or text ids. Every verb takes
    `actor` (who asked), `key` (doing it again with the same key changes nothing) and `dry_run` (check only).
    """

    def trade(
        self,
        selection: Any,
        seller: str,
        buyer: str,
        price: Any = None,
        currency: str | None = None,
        wh: int | None = None,
        *,
        order: str = "earliest",
        create_parties: bool = False,
        actor: str = "",
        key: str = "",
        dry_run: bool = False,
    ) -> Receipt:
        """Give certificates from one party to another, all or nothing.

        `price` per MWh, decimal, in units of `currency` (0 is a price, None is none). `wh` takes that much of the
        selection: from its `earliest` hours on, or `proportional` to each; an hour is split exactly where need be.
        """
        _needs(seller=seller, buyer=buyer)
        texts = {"order": order} if wh is not None else {}
        request = Request(
            "trade", selection, self.now(), actor, key, seller, buyer, wh, order, price, currency or "", texts
        )
        return self.change(request, create_parties=create_parties, dry_run=dry_run)

    def trade_many(
        self, table: Any, *, atomic: bool = True, create_parties: bool = False, actor: str = "",
        dry_run: bool = False,
    ) -> pa.Table:  # fmt: skip
        """Make one trade per row of an Arrow table, in order: later rows may sell on what earlier ones bought.

        Columns: `certificate` (handle), `certificate_id` or `parent_certificate_id` (with `start`, `end`); `seller`,
        `buyer`; perhaps `wh`, `price` with `currency`, `key`. `atomic`: all or nothing, and `RefusedError` lists every
        bad row. Otherwise each row stands for itself, up to 256 of them durable together. Returns row, status (done,
        refused, repeated), entry, energy_wh, total_minor, code, message. `dry_run` does it and takes it back: rows that
        would be done have no entry.
        """
        return bulk.trade_many(self, table, atomic=atomic, create_parties=create_parties, actor=actor, dry_run=dry_run)

    def reserve(
        self, selection: Any, owner: str, wh: int | None = None, *, order: str = "earliest", reason: str = "",
        actor: str = "", key: str = "", dry_run: bool = False,
    ) -> Receipt:  # fmt: skip
        """Keep certificates for something that is still to come; they cannot be traded."""
        _needs(owner=owner)
        request = Request(
            "reserve", selection, self.now(), actor, key, owner, wh=wh, order=order, texts=_given(reason=reason)
        )
        return self.change(request, dry_run=dry_run)

    def release(
        self, selection: Any, owner: str, *, reason: str = "", actor: str = "", key: str = "", dry_run: bool = False
    ) -> Receipt:
        """Make reserved certificates active again."""
        _needs(owner=owner)
        return self._plain("release", selection, owner, reason, actor, key, dry_run)

    def lock(self, selection: Any, *, reason: str, actor: str = "", key: str = "", dry_run: bool = False) -> Receipt:
        """Stop certificates, as the registry: until they are unlocked nobody can use them."""
        _needs(reason=reason)
        return self._plain("lock", selection, None, reason, actor, key, dry_run)

    def unlock(self, selection: Any, *, reason: str, actor: str = "", key: str = "", dry_run: bool = False) -> Receipt:
        """Give locked certificates their former state back, as the registry."""
        _needs(reason=reason)
        return self._plain("unlock", selection, None, reason, actor, key, dry_run)

    def retire(
        self,
        selection: Any,
        owner: str,
        beneficiary: str,
        purpose: str = "",
        period: str = "",
        wh: int | None = None,
        *,
        order: str = "earliest",
        actor: str = "",
        key: str = "",
        dry_run: bool = False,
    ) -> Receipt:
        """Cancel certificates finally for a named beneficiary; `statements.statement` tells of it."""
        _needs(owner=owner, beneficiary=beneficiary)
        texts = _given(beneficiary=beneficiary, purpose=purpose, period=period)
        request = Request("retire", selection, self.now(), actor, key, owner, wh=wh, order=order, texts=texts)
        return self.change(request, dry_run=dry_run)

    def claim(
        self,
        selection: Any,
        owner: str,
        reference: str,
        *,
        zone: str = "",
        consumption: Any = None,
        actor: str = "",
        key: str = "",
        dry_run: bool = False,
    ) -> Receipt:
        """Use retired certificates for the consumption `reference` of the same hours.

        An hour of a reference is claimed once. `zone` is the country of the consumption: certificates of another are
        refused. `consumption`, a table (start, energy_wh) with an `__arrow_c_stream__`, bounds what each hour can take.
        """
        _needs(owner=owner, reference=reference)
        used = None if consumption is None else _consumed(consumption)

        def check(state: State, rows: Rows, found: Findings) -> None:
            _check_claim(state, rows, reference, zone, found)
            if used is not None:
                _check_consumption(rows, used, reference, found)

        texts = _given(reference=reference, zone=zone)
        request = Request("claim", selection, self.now(), actor, key, owner, texts=texts, check=check)
        return self.change(request, dry_run=dry_run)

    def expire(
        self, now: Any = None, selection: Any = None, *, months: int | None = None, actor: str = "", key: str = "",
        dry_run: bool = False,
    ) -> Receipt:  # fmt: skip
        """End the life of certificates that are older, at `now`, than `months`: the registry's, or more, not fewer.

        Of all that are due, unless there is a selection. If none is due, nothing happens, and the receipt has entry 0.
        """
        lifetime = self.deadline.expiry_months if months is None else months
        if not isinstance(lifetime, int) or not 0 < lifetime <= MONTHS:
            said = "this registry has no expiry_months" if months is None else f"not {months!r}"
            raise UsageError(f"say after how many months, 1 to {MONTHS}, such as months=18: {said}")
        at_s = self.now() if now is None else seconds_of(now, "now")
        end = latest_before(at_s, lifetime)
        due = Where(end=end, status=("ACTIVE", "RESERVED", "LOCKED"))
        chosen = due if selection is None else selection

        def check(state: State, rows: Rows, found: Findings) -> None:
            list_each(
                state,
                found,
                "not_expired",
                rows.take(rows.start_ms >= end * 1000),
                lambda _: f"lives for {lifetime} months after its production",
            )

        request = Request("expire", chosen, at_s, actor, key, texts={"months": str(lifetime)}, check=check)
        try:
            return self.change(request, dry_run=dry_run)
        except RefusedError as refusal:  # where all that is due is meant, nothing may be due
            if selection is not None or set(refusal.collected.counts()) != {"nothing_selected"}:
                raise
            return Receipt(0, "", "expire", 0, 0)

    def withdraw(
        self, selection: Any, *, reason: str, compensation: str = "", actor: str = "", key: str = "",
        dry_run: bool = False,
    ) -> Receipt:  # fmt: skip
        """Take certificates back, as the registry; of retired ones only with a `compensation`: how it is made good."""
        _needs(reason=reason)

        def check(_: State, rows: Rows, found: Findings) -> None:
            used = [compensates("withdraw", int(VISIBLE[stored])) for stored in np.unique(rows.states)]
            if any(used) and not compensation.strip():
                found.add("needs_compensation", "retired certificates are withdrawn, and nothing compensates for them")

        texts = _given(reason=reason, compensation=compensation)
        request = Request("withdraw", selection, self.now(), actor, key, texts=texts, check=check)
        return self.change(request, dry_run=dry_run)

    def _plain(
        self, action: str, selection: Any, owner: str | None, reason: str, actor: str, key: str, dry_run: bool
    ) -> Receipt:
        request = Request(action, selection, self.now(), actor, key, owner, texts=_given(reason=reason))
        return self.change(request, dry_run=dry_run)


def _check_claim(state: State, rows: Rows, reference: str, zone: str, found: Findings) -> None:
    """Certificates are of the zone of the consumption, and no hour of it is claimed twice."""
    if zone:
        code = state.catalogue.countries.find(zone)
        other = state.catalogue.numbers["country"][rows.parents] != (-2 if code is None else code)
        list_each(state, found, "other_zone", rows.take(other), lambda _: f"is not of {zone}")
    known = state.references.find(reference)
    claims = state.claims.rows
    before = claims[claims[:, 0] == known, 1] if known is not None else claims[:0, 1]
    for hour in np.intersect1d(rows.start_ms // 1000, before).tolist():
        when = utc_text(hour)
        found.add("already_claimed", f"the consumption {reference} of {when} was claimed before", value=when)


def _consumed(consumption: Any) -> dict[int, int]:
    """Return Wh by UTC second of a table (start, energy_wh)."""
    import pyarrow as pa

    from gcr_fast.columns import int64_view, utc_seconds

    try:
        table = pa.table(consumption)
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise UsageError(f"consumption must be a table (start, energy_wh), not {consumption!r}") from error
    if missing := {"start", "energy_wh"} - set(table.column_names):
        raise UsageError(f"the table of consumption has no column {', '.join(sorted(missing))}")
    starts, wh = utc_seconds(table["start"], "start"), int64_view(table["energy_wh"], "energy_wh")
    used = dict(zip(starts.tolist(), wh.tolist(), strict=True))
    if len(used) < len(starts):
        raise UsageError("the consumption tells of an interval twice; give each start once")
    return used


def _check_consumption(rows: Rows, used: dict[int, int], reference: str, found: Findings) -> None:
    """No hour may be claimed for more than was consumed in it."""
    hours, place = np.unique(rows.start_ms // 1000, return_inverse=True)
    sums = np.zeros(len(hours), np.int64)
    np.add.at(sums, place, rows.energy_wh)
    for hour, claimed in zip(hours.tolist(), sums.tolist(), strict=True):
        if claimed > used.get(hour, 0):
            when = utc_text(hour)
            what = f"{claimed} Wh would be claimed for {reference} at {when}, {used.get(hour, 0)} Wh were consumed"
            found.add("amount_over", what, value=when)


def _needs(**texts: str) -> None:
    for name, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise UsageError(f"name the {name}, not {text!r}")


def _given(**texts: str) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text}
