"""The books kept a second time, plainly, by parent: replays a journal and notes every entry that breaks a rule.

For audits. Shares nothing with `state`: a certificate's owner and state stand here as they are, and every step is
looked up in the transition table before it is made. `comparing` holds the outcome against the live columns.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.codes import SOURCE_TYPES, STATUSES, WH_PER_MWH
from gcr_fast.columns import utc_seconds
from gcr_fast.errors import CorruptError
from gcr_fast.periods import DAY_S, FIRST_S, LAST_S, utc_text
from gcr_fast.registry import segments as files
from gcr_fast.registry.books import (
    CLAIM,
    ENDED,
    ENTRY,
    FIRST_PIECE,
    OWNED,
    TABLE,
    USED,
    Faults,
    Issue,
    Parent,
    Piece,
    follows,
    status_name,
)
from gcr_fast.registry.catalogue import SEGMENTS
from gcr_fast.registry.changes import latest_before
from gcr_fast.registry.entries import Entry
from gcr_fast.registry.lifecycle import (
    RETIRED,
    SPLIT,
)

if TYPE_CHECKING:
    import pyarrow as pa

MONTHS_FROM, MONTHS_TO = FIRST_S - 366 * DAY_S, LAST_S + 365 * DAY_S
"""No certificate begins before, or ends after: one year around the calendar that parents may name, for time zones."""


@dataclass
class Ledger:
    """Everything that the journal says, up to entry `position`."""

    folder: Path
    position: int = 0
    faults: Faults = field(default_factory=Faults)
    policy: dict[str, int] = field(default_factory=dict)
    """Months until the deadlines, from the first entry."""
    parties: list[str] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    parents: list[Parent] = field(default_factory=list)
    first_rows: list[int] = field(default_factory=list)
    rows: int = 0
    pieces: list[Piece] = field(default_factory=list)
    claims: set[tuple[str, int]] = field(default_factory=set)
    """(reference, start s) of consumption that was claimed for."""
    trades: dict[str, list[int]] = field(default_factory=dict)
    """Per currency: trades, certificates, Wh, total in minor units."""
    touches: list[np.ndarray] = field(default_factory=list)
    """int64[n, 2]: (parent, entry)."""
    used: dict[str, Counter[int]] = field(default_factory=lambda: {"retire": Counter(), "claim": Counter()})
    """Wh that were ever retired and claimed, by parent."""

    def apply(self, seq: int, entry: Entry) -> None:
        """Take in the next entry. What breaks a rule is noted, and done as far as it can be."""
        if (entry.kind == "create") != (seq == 1):
            self.faults.note(ENTRY, f"entry {seq}: a registry is created once, by its first entry")
        if entry.kind == "create":
            texts = dict(entry.texts)
            self.policy = {key: int(texts[key]) for key in ("transfer_months", "expiry_months") if key in texts}
        elif entry.kind == "party":
            self._add_party(seq, dict(entry.texts).get("name", ""))
        elif entry.kind == "issue":
            self._issue(seq, entry)
        else:
            _Change(self, seq, entry).make()
        self.position = seq

    def _add_party(self, seq: int, name: str) -> None:
        if not name.strip() or name in self.codes:
            self.faults.note(ENTRY, f"entry {seq}: the party {name!r} has no name, or was added before")
        self.parties.append(name)
        self.codes.setdefault(name, len(self.parties))

    def _issue(self, seq: int, entry: Entry) -> None:
        texts, place = dict(entry.texts), self.folder / SEGMENTS
        table = files.open_table(place, texts["parents"])
        shapes = [tuple(map(int, shape.split("x"))) for shape in texts["shapes"].split()]
        named = zip(texts["segments"].split(), shapes, strict=True)
        blocks = [(name, files.open_energy(place, name, *shape)) for name, shape in named]
        rows = [row for _, energy in blocks for row in energy]
        if len(rows) != table.num_rows:
            raise CorruptError(f"{place / texts['parents']}: {table.num_rows} parents, in segments {len(rows)}")
        self.issues.append(Issue(seq, entry, texts, table, blocks, len(self.parents)))
        for facts, energy in zip(_facts(table), rows, strict=True):
            self._add_parent(seq, facts, energy)

    def _add_parent(self, seq: int, facts: dict[str, Any], energy: np.ndarray) -> None:
        owner = self.codes.get(facts["owner"], 0)
        if not owner:
            self.faults.note(OWNED, f"entry {seq}: {facts['certificate_id']} is issued to {facts['owner']!r}, no party")
        state = STATUSES.index(facts["status"]) + 1
        source = SOURCE_TYPES.index(facts["source_type"])
        end = facts["start_s"] + len(energy) * facts["step_s"]
        if not (MONTHS_FROM <= facts["start_s"] < end <= MONTHS_TO):
            raise CorruptError(f"entry {seq}: {facts['certificate_id']} has no period that can be")
        shape = (self.rows, facts["start_s"], facts["step_s"], source, facts["country"], owner, state)
        if state == RETIRED + 1:
            self.used["retire"][len(self.parents)] += int(energy.sum(dtype=np.int64))
        self.parents.append(Parent(facts["certificate_id"], *shape, energy))
        self.first_rows.append(self.rows)
        self.rows += len(energy)

    def parent_of(self, row: int) -> int:
        """Return the parent that a row belongs to."""
        return bisect_right(self.first_rows, row) - 1


def _facts(table: pa.Table) -> list[dict[str, Any]]:
    names = ("certificate_id", "owner", "status", "source_type", "step_s", "country")
    columns = {name: table[name].to_pylist() for name in names}
    columns["start_s"] = utc_seconds(table["production_start"], "production_start").tolist()
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


class _Change:
    """One entry that changes certificates, on its way through the rules."""

    def __init__(self, ledger: Ledger, seq: int, entry: Entry) -> None:
        self.ledger, self.seq, self.entry = ledger, seq, entry
        self.texts = dict(entry.texts)
        self.follows = follows(entry.kind)
        known = entry.to_party <= len(ledger.parties)
        self.new_owner = entry.to_party if entry.kind == "trade" and known else 0
        self.certificates = self.wh = 0
        self.hours: set[int] = set()
        self.too_early, self.too_late = self._limits()

    def _limits(self) -> tuple[int | None, int | None]:
        """Return before which start nothing may be traded, and from which on nothing has expired."""
        if self.entry.kind == "trade" and "transfer_months" in self.ledger.policy:
            return latest_before(self.entry.at_s, self.ledger.policy["transfer_months"]), None
        if self.entry.kind == "expire":
            months = [int(self.texts.get("months", 0)), self.ledger.policy.get("expiry_months", 0)]
            return None, latest_before(self.entry.at_s, max(months))
        return None, None

    def note(self, rule: str, what: str) -> None:
        self.ledger.faults.note(rule, f"entry {self.seq} ({self.entry.kind}): {what}")

    def make(self) -> None:
        self._check_words()
        for handle, wh in self.entry.splits.tolist():
            self._split(handle, wh)
        for first, count in self.entry.runs.tolist():
            self._run(first, count)
        self._check_figures()
        if self.entry.kind == "claim":
            self._claim()

    # --- what it says

    def _check_words(self) -> None:
        entry, texts = self.entry, self.texts
        if max(entry.from_party, entry.to_party) > len(self.ledger.parties):
            self.note(ENTRY, f"party {max(entry.from_party, entry.to_party)} does not exist")
        if entry.kind == "trade" and (entry.from_party == entry.to_party or not entry.from_party * entry.to_party):
            self.note(OWNED, "needs two different parties")
        needed = {"retire": "beneficiary", "claim": "reference"}.get(entry.kind)
        if needed and not texts.get(needed):
            self.note(ENTRY, f"names no {needed}")

    def _check_figures(self) -> None:
        said, found = (self.entry.certificates, self.entry.energy_wh), (self.certificates, self.wh)
        if said != found:
            self.note(ENTRY, f"says {said[0]} certificates of {said[1]} Wh, and takes {found[0]} of {found[1]} Wh")
        price, total = self.entry.price_minor, self.entry.total_minor
        if (price is None) != (total is None) or (price is None) != (not self.entry.currency):
            self.note(ENTRY, "has a price without total and currency, or these without a price")
        elif price is not None and total is not None and abs(2 * (total * WH_PER_MWH - price * said[1])) > WH_PER_MWH:
            self.note(ENTRY, f"says a total of {total}, which is not {price} per MWh")
        if self.entry.kind == "trade":
            more = (1, self.entry.certificates, self.entry.energy_wh, total or 0)
            have = self.ledger.trades.setdefault(self.entry.currency, [0, 0, 0, 0])
            have[:] = [old + new for old, new in zip(have, more, strict=True)]

    # --- what it takes

    def _run(self, first: int, count: int) -> None:
        pieces = first >= FIRST_PIECE
        end = len(self.ledger.pieces) + FIRST_PIECE if pieces else self.ledger.rows
        if first < 0 or first + count > end:
            self.note(ENTRY, f"names certificates {first} to {first + count - 1}, which do not exist")
            return
        if pieces:
            for number in range(first - FIRST_PIECE, first - FIRST_PIECE + count):
                self._piece(self.ledger.pieces[number])
            return
        while count:
            at = self.ledger.parent_of(first)
            parent = self.ledger.parents[at]
            low = first - parent.first_row
            high = min(low + count, len(parent.energy))
            self._rows(at, parent, low, high)
            first, count = first + high - low, count - (high - low)

    def _rows(self, at: int, parent: Parent, low: int, high: int) -> None:
        """Take the intervals `low` to `high` of a parent: those with energy."""
        owners, states, traded = (column[low:high] for column in parent.open())
        there, after = states != 0, self.follows[states]
        self._check_rows(parent, low, owners, states, after)
        self._check_dates(parent, low, there)
        self._count(at, int(there.sum()), int(parent.energy[low:high].sum(dtype=np.int64)))
        if self.entry.kind == "claim":
            self._note_hours(parent, low + np.flatnonzero(there))
        np.copyto(states, after, where=after > 0)
        if self.new_owner:
            owners[there], traded[there] = self.new_owner, True

    def _check_rows(self, parent: Parent, low: int, owners: np.ndarray, states: np.ndarray, after: np.ndarray) -> None:
        barred = np.flatnonzero(after < 0)
        if len(barred):
            self._barred(parent, low + int(barred[0]), int(states[barred[0]]), len(barred))
        if self.entry.from_party:
            foreign = np.flatnonzero((owners != self.entry.from_party) & (states != 0))
            if len(foreign):
                self._foreign(parent, low + int(foreign[0]), int(owners[foreign[0]]), len(foreign))
        if self.entry.kind == "withdraw" and (states == RETIRED + 1).any() and not self.texts.get("compensation"):
            self.note(TABLE, f"{parent.name}: retired certificates are withdrawn, and nothing compensates for them")

    def _barred(self, parent: Parent, interval: int, stored: int, count: int) -> None:
        status = status_name(stored)
        what = f"{parent.name} {self._when(parent, interval)} is {status}" + (f" ({count} so)" if count > 1 else "")
        self.note(TABLE, what)
        if self.entry.kind == "trade" and status in {STATUSES[code] for code in USED}:
            self.note(ENDED, what)

    def _foreign(self, parent: Parent, interval: int, owner: int, count: int) -> None:
        name = self.ledger.parties[owner - 1] if 0 < owner <= len(self.ledger.parties) else f"party {owner}"
        more = f" ({count} so)" if count > 1 else ""
        self.note(OWNED, f"{parent.name} {self._when(parent, interval)} belongs to {name}{more}")

    def _when(self, parent: Parent, interval: int) -> str:
        return utc_text(parent.start_s + interval * parent.step_s)

    def _check_dates(self, parent: Parent, low: int, there: np.ndarray) -> None:
        if self.too_early is not None and there[: max(0, parent.before(self.too_early) - low)].any():
            self.note(ENDED, f"{parent.name}: is past the deadline for transfers, {utc_text(self.too_early)}")
        if self.too_late is not None and there[max(0, parent.before(self.too_late) - low) :].any():
            self.note(TABLE, f"{parent.name}: has not expired, as it was produced after {utc_text(self.too_late)}")

    def _count(self, at: int, certificates: int, wh: int) -> None:
        self.certificates, self.wh = self.certificates + certificates, self.wh + wh
        self.ledger.touches.append(np.array([[at, self.seq]]))
        if self.entry.kind in self.ledger.used:
            self.ledger.used[self.entry.kind][at] += wh

    def _piece(self, piece: Piece) -> None:
        """Take a part of an hour, as a column of one."""
        parent = self.ledger.parents[piece.parent]
        interval = piece.row - parent.first_row
        owners, states = np.array([piece.owner]), np.array([piece.state])
        after = self.follows[states]
        self._check_rows(parent, interval, owners, states, after)
        self._check_dates(parent, interval, np.ones(1, dtype=bool))
        self._count(piece.parent, 1, piece.wh)
        if self.entry.kind == "claim":
            self._note_hours(parent, np.array([interval]))
        piece.state = int(after[0]) if after[0] > 0 else piece.state
        if self.new_owner:
            piece.owner, piece.traded = self.new_owner, True

    def _split(self, handle: int, wh: int) -> None:
        """Split a certificate in two; what happens, happens to the first part."""
        whole = self._whole(handle)
        if whole is None or not 0 < wh < whole.wh:
            have = "does not exist" if whole is None else f"has {whole.wh} Wh"
            self.note(OWNED, f"takes {wh} Wh of certificate {handle}, which {have}")
            return
        parent = self.ledger.parents[whole.parent]
        if follows("split")[whole.state] < 0:
            self._barred(parent, whole.row - parent.first_row, whole.state, 1)
        self._retire_whole(handle, parent, whole)
        for first, size in ((whole.first, wh), (whole.first + wh, whole.wh - wh)):
            self.ledger.pieces.append(
                Piece(whole.row, whole.parent, first, size, whole.owner, whole.state, handle, whole.traded)
            )
        self._piece(self.ledger.pieces[-2])

    def _whole(self, handle: int) -> Piece | None:
        """Return a certificate, whole or in part, as it is; None if there is none."""
        if FIRST_PIECE <= handle < FIRST_PIECE + len(self.ledger.pieces):
            return self.ledger.pieces[handle - FIRST_PIECE]
        if not 0 <= handle < self.ledger.rows:
            return None
        at = self.ledger.parent_of(handle)
        parent = self.ledger.parents[at]
        owners, states, traded = parent.open()
        place = handle - parent.first_row
        held = int(owners[place]), int(states[place]), -1, bool(traded[place])
        return Piece(handle, at, 0, int(parent.energy[place]), *held) if held[1] else None

    def _retire_whole(self, handle: int, parent: Parent, whole: Piece) -> None:
        """Mark what was split."""
        if handle < FIRST_PIECE:
            parent.open()[1][handle - parent.first_row] = SPLIT + 1
            return
        self.ledger.pieces[handle - FIRST_PIECE] = Piece(
            whole.row, whole.parent, whole.first, whole.wh, whole.owner, SPLIT + 1, whole.of, whole.traded
        )

    # --- what it is used for

    def _note_hours(self, parent: Parent, intervals: np.ndarray) -> None:
        zone = self.texts.get("zone")
        if zone and zone != parent.country:
            self.note(CLAIM, f"{parent.name} is of {parent.country}, the consumption of {zone}")
        self.hours.update((parent.start_s + intervals * parent.step_s).tolist())

    def _claim(self) -> None:
        reference = self.texts.get("reference", "")
        for hour in sorted(self.hours):
            if (reference, hour) in self.ledger.claims:
                self.note(CLAIM, f"the consumption {reference} of {utc_text(hour)} was claimed before")
            self.ledger.claims.add((reference, hour))
