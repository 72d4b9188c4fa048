"""Questions: which certificates, one certificate, one parent, trades, and the whole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast import trading
from gcr_fast.codes import SOURCE_TYPES, STATUSES
from gcr_fast.columns import exact_sum
from gcr_fast.periods import utc_text
from gcr_fast.registry.catalogue import Catalogue, Vocabulary
from gcr_fast.registry.ids import id_text
from gcr_fast.registry.keeper import Keeper
from gcr_fast.registry.lifecycle import SPLIT
from gcr_fast.registry.results import Result, WholeParent
from gcr_fast.registry.selection import Selection
from gcr_fast.registry.state import State
from gcr_fast.registry.stored import OF, PIECE, VISIBLE, months
from gcr_fast.registry.where import Where

if TYPE_CHECKING:
    import pyarrow as pa

Figures = dict[str, dict[str, dict[str, int]]]
"""{word: {status: {certificates, energy_wh}}}"""


class Questions(Keeper):
    """What a registry can be asked. A certificate is given by its handle or text id."""

    def query(
        self, *, as_of: int | None = None, limit: int | None = None, after: int | None = None, **filters: Any
    ) -> Result:
        """Find certificates: all filters of `Where` combine. Ordered by parent and time, then piece.

        `as_of` asks the state after a past entry; `limit` and `after` (the `cursor` of the result before) page.
        """
        state = self.state if as_of is None else self.as_of(as_of)
        name = filters.get("parent")
        if len(filters) == 1 and limit is None and after is None and name.__class__ is str:
            parent = state.catalogue.place_of.get(name)
            if parent is not None:
                return WholeParent(state, parent, name)
        return Result(state, Selection(state, Where.of(filters)), limit, after)

    @cached_property
    def trade_list(self) -> trading.Trades:
        """What is kept of each trade, once it was asked for."""
        return trading.Trades(Vocabulary())

    def statistics(self) -> Statistics:
        """Return the figures of the whole as they are now. No certificate is looked at: it takes microseconds."""
        return Statistics.of(self.state)

    def certificate(self, certificate: Any) -> dict[str, Any]:
        """Return everything about one certificate, also one that was split."""
        state = self.state
        handle = trading.one_handle(state, certificate)
        row, first, wh, owner, stored = state.holding(handle)
        parent = state.catalogue.one_parent_of(row)
        pieces = [PIECE + n for n in state.pieces_of.get(row, ()) if state.pieces.rows[n, OF] == handle]
        of = int(state.pieces.rows[handle - PIECE, OF]) if handle >= PIECE else None
        facts = state.catalogue.describe(parent)
        return {
            "certificate": handle,
            "certificate_id": id_text(state, handle),
            "parent_certificate_id": facts["certificate_id"],
            "production_start": utc_text(state.start_of(row)),
            "interval_s": facts["step_s"],
            "energy_wh": wh,
            "first_wh": first,
            "status": STATUSES[VISIBLE[stored]],
            "owner": state.catalogue.party(owner),
            "traded": state.was_traded(handle),
            "issue": int(state.catalogue.issue[parent]),
            "split_from": None if of is None else id_text(state, of),
            "pieces": [id_text(state, piece) for piece in pieces],
            **{name: facts[name] for name in ("source_type", "allocation_basis", "device_id", "country", "issuer")},
        }

    def parent(self, certificate_id: str) -> dict[str, Any]:
        """Return the facts of an annual certificate, and what became of its hours: by status, by owner and status."""
        state = self.state
        place = state.catalogue.place(certificate_id)
        groups = Result(state, Selection(state, Where(parent=certificate_id))).group_by("owner", "status").to_pylist()
        by_status: dict[str, dict[str, int]] = {}
        by_owner: Figures = {}
        for one in groups:
            figures = {"certificates": one["certificates"], "energy_wh": one["energy_wh"]}
            by_owner.setdefault(one["owner"], {})[one["status"]] = figures
            have = by_status.setdefault(one["status"], dict.fromkeys(figures, 0))
            by_status[one["status"]] = {name: have[name] + figures[name] for name in figures}
        facts = state.catalogue.describe(place)
        facts |= {name: utc_text(int(facts[name].timestamp())) for name in ("production_start", "production_end")}
        issue = int(state.catalogue.issue[place])
        born = facts.pop("status")
        return facts | {
            "status": "CONVERTED", "born": born, "issue": issue, "by_status": by_status, "by_owner": by_owner
        }  # fmt: skip

    # --- trades

    def history(self, certificate: Any) -> pa.Table:
        """Return what happened to a certificate, one row per journal entry: birth, trades, ..., retirement.

        The history of a piece begins with that of its row. Columns: entry, at, kind, certificate_id (what it was part
        of then), from, to, energy_wh, owner and status afterwards, price, actor, texts, hash.
        """
        return trading.history(self, certificate)

    def trade_history(self, certificate: Any) -> pa.Table:
        """Return the trades of a certificate, as `history` shows them."""
        life = trading.history(self, certificate)
        return life.filter([kind == "trade" for kind in life["kind"].to_pylist()])

    def trades(
        self, owner: str | None = None, start: Any = None, end: Any = None, parent: str | None = None
    ) -> pa.Table:
        """Return trades by entry: sold or bought by `owner`, made from `start` on and before `end`, of `parent`.

        Columns: entry, at, seller, buyer, certificates, energy_wh, price_minor_per_mwh, total_minor, currency,
        price_per_mwh and total as decimal text. Without a price the last five are null; a price of 0 is a price.
        """
        return trading.trades(self, self.trade_list, owner, start, end, parent)

    def get_trade(self, entry: int) -> dict[str, Any]:
        """Return a trade by its entry, with its parents and, up to 1000, the ids of its certificates."""
        return trading.get_trade(self, entry)

    def trade_statistics(self) -> pa.Table:
        """Return trades by day (UTC) and currency; a null currency has those without a price.

        Columns: day, currency, trades, certificates, energy_wh, total_minor, average_minor_per_mwh, and both as
        decimal text. An average is over priced energy alone.
        """
        return trading.trade_statistics(self, self.trade_list)


@dataclass(frozen=True, eq=False)
class Statistics:
    """The figures of a registry at one position. Certificates that were split count by their pieces."""

    position: int
    catalogue: Catalogue
    parents: int
    issues: int
    energy_wh: int
    """Of the annual certificates."""
    issued_certificates: int
    issued_wh: int
    residual_wh: int
    owners: np.ndarray
    """int64[parties + 1, statuses, 2]: certificates and Wh."""
    sources: np.ndarray
    """int64[source types, statuses, 2]"""
    months: np.ndarray
    """int64[months, statuses, 2]"""
    trades: dict[str, list[int]]
    """Per currency ("" is no price): trades, certificates, Wh, total in minor units."""

    @classmethod
    def of(cls, state: State) -> Statistics:
        """Take the figures of a state as it is now."""
        numbers = state.catalogue.numbers
        return cls(
            position=state.position,
            catalogue=state.catalogue,
            parents=len(state.catalogue),
            issues=len(state.catalogue.roots),
            energy_wh=exact_sum(numbers["energy_wh"]),
            issued_certificates=exact_sum(numbers["certificates"]),
            issued_wh=exact_sum(numbers["issued_wh"]),
            residual_wh=exact_sum(numbers["residual_wh"]),
            owners=_by_status(state.by_owner),
            sources=_by_status(state.by_source),
            months=_by_status(state.by_month),
            trades={currency: list(figures) for currency, figures in state.trades.items()},
        )

    @property
    def certificates(self) -> int:
        """How many there are now, pieces included."""
        return int(self.sources[:, :, 0].sum())

    @property
    def certificates_wh(self) -> int:
        """Their energy: what was issued."""
        return int(self.sources[:, :, 1].sum())

    def by_status(self) -> dict[str, dict[str, int]]:
        """Return certificates and Wh by status."""
        return _shown(self.sources.sum(axis=0))

    def by_source(self) -> Figures:
        """Return certificates and Wh by source type and status."""
        return _named(self.sources, SOURCE_TYPES.__getitem__)

    def by_owner(self) -> Figures:
        """Return certificates and Wh by owner and status."""
        return _named(self.owners, self.catalogue.party)

    def by_month(self) -> Figures:
        """Return certificates and Wh by month of production, UTC, and status."""
        starts = months()
        return _named(self.months, lambda at: str(np.datetime64(int(starts[at]), "s").astype("datetime64[M]")))

    def conversion(self) -> dict[str, int]:
        """Return what was issued, and of what."""
        return {
            "issues": self.issues,
            "parents": self.parents,
            "energy_wh": self.energy_wh,
            "certificates": self.issued_certificates,
            "issued_wh": self.issued_wh,
            "residual_wh": self.residual_wh,
        }

    def trading(self) -> dict[str, int]:
        """Return how much was traded, with and without a price."""
        count, certificates, wh, _ = (sum(figures) for figures in zip(*self.trades.values(), [0] * 4, strict=True))
        return {"trades": count, "certificates": certificates, "energy_wh": wh}

    def prices(self) -> dict[str, dict[str, Any]]:
        """Return, per currency, the trades with a price (0 is one): their energy, total and average per MWh."""
        return {currency: _price(currency, *figures) for currency, figures in sorted(self.trades.items()) if currency}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "position": self.position,
            "parents": self.parents,
            "certificates": self.certificates,
            "energy_wh": self.certificates_wh,
            "residual_wh": self.residual_wh,
            "by_status": self.by_status(),
            "by_source": self.by_source(),
            "by_owner": self.by_owner(),
            "by_month": self.by_month(),
            "conversion": self.conversion(),
            "trading": self.trading(),
            "prices": self.prices(),
        }


def _by_status(sums: np.ndarray) -> np.ndarray:
    """Return int64[keys, statuses, 2] of sums by stored state; what was split is left out, its pieces carry on."""
    shown = np.zeros((len(sums), len(STATUSES), 2), dtype=np.int64)
    for stored in range(1, sums.shape[1]):
        if VISIBLE[stored] != SPLIT:
            shown[:, VISIBLE[stored]] += sums[:, stored]
    return shown


def _shown(figures: np.ndarray) -> dict[str, dict[str, int]]:
    return {
        STATUSES[at]: {"certificates": count, "energy_wh": wh}
        for at, (count, wh) in enumerate(figures.tolist())
        if count
    }


def _named(sums: np.ndarray, name: Any) -> Figures:
    some = np.flatnonzero(sums[:, :, 0].any(axis=1))
    return {name(key): _shown(sums[key]) for key in some.tolist()}


def _price(currency: str, trades: int, certificates: int, wh: int, total: int) -> dict[str, Any]:
    average = trading.average_minor(total, wh)
    return {
        "trades": trades,
        "certificates": certificates,
        "energy_wh": wh,
        "total_minor": total,
        "average_minor_per_mwh": average,
        "total": trading.decimal_text(total, currency),
        "average_per_mwh": None if average is None else trading.decimal_text(average, currency),
    }
