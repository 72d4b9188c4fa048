"""The live columns beside the books: whether a state is what the journal says. For audits."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import numpy as np

from gcr_fast.codes import SOURCE_TYPES
from gcr_fast.kernels.aggregate import grouped
from gcr_fast.periods import utc_text
from gcr_fast.registry.books import FIRST_PIECE, STATES, Parent, status_name
from gcr_fast.registry.ledger import Ledger
from gcr_fast.registry.lifecycle import SPLIT
from gcr_fast.registry.state import State
from gcr_fast.registry.stored import months


def differences(ledger: Ledger, state: State) -> Iterator[str]:
    """Yield in words where a state differs from the books of the same entry: columns, pieces, sums, trades, claims."""
    if state.position != ledger.position:
        yield f"the state is of entry {state.position}, the books of entry {ledger.position}"
    yield from _issued(ledger, state)
    if [parent.name for parent in ledger.parents] != state.catalogue.ids.to_pylist():
        return  # what follows goes by parent
    for at, parent in enumerate(ledger.parents):
        yield from _columns(ledger, state, at, parent)
    yield from _pieces(ledger, state)
    yield from _sums(ledger, state)
    yield from _records(ledger, state)


def _issued(ledger: Ledger, state: State) -> Iterator[str]:
    catalogue = state.catalogue
    if catalogue.parties.words != ledger.parties:
        yield "the parties are not those of the journal"
    if catalogue.ids.to_pylist() != [parent.name for parent in ledger.parents]:
        yield "the parents are not those of the journal"
        return
    for name, column in catalogue.numbers.items():
        if name in ("first_row", "start_s", "step_s", "source"):
            said = np.array([getattr(parent, name) for parent in ledger.parents], dtype=np.int64)
            if not np.array_equal(said, column):
                yield f"the parents' {name} is not as it was issued"


# --- certificates


def _columns(ledger: Ledger, state: State, at: int, parent: Parent) -> Iterator[str]:
    """Compare a parent's hours one by one, where either side was touched."""
    block = state.catalogue.blocks[int(state.catalogue.numbers["block"][at])]
    columns, born, local = state.columns[block.number], state.born[block.number], at - block.first_parent
    low = parent.first_row - block.first_row
    owners, states = (column[low : low + len(parent.energy)] for column in (columns.owners, columns.states))
    if (int(born.owners[local]), int(born.states[local])) != (parent.owner, parent.state):
        yield f"{parent.name}: was not born as the state has it"
    if parent.owners is None and not owners.any() and not states.any():
        return
    there = parent.energy != 0
    wanted_owners, wanted_states, wanted_traded = parent.open()
    if not len(owners):
        owners, states = np.zeros(len(there), np.int32), np.zeros(len(there), np.int8)
    wrong = there & (np.where(owners == 0, parent.owner, owners) != wanted_owners)
    wrong |= there & (np.where(states == 0, parent.state, states) != wanted_states)
    wrong |= there & ((owners != 0) != wanted_traded)
    for interval in np.flatnonzero(wrong)[:1].tolist():
        when = utc_text(parent.start_s + interval * parent.step_s)
        status, code = status_name(int(wanted_states[interval])), int(wanted_owners[interval])
        said = f"the journal says {status}, of {ledger.parties[code - 1]}"
        yield f"{parent.name} {when}: {said}; the state differs, in {int(wrong.sum())} hours of this parent"


def _pieces(ledger: Ledger, state: State) -> Iterator[str]:
    wanted = [(p.row, p.first, p.wh, p.owner, p.state, p.of, int(p.traded)) for p in ledger.pieces]
    found = [tuple(row) for row in state.pieces.rows.tolist()]
    if len(wanted) != len(found):
        yield f"{len(found)} pieces of hours, not {len(wanted)}"
    wrong = [at for at, (one, other) in enumerate(zip(wanted, found, strict=False)) if one != other]
    if wrong:
        yield f"piece {wrong[0]} is {found[wrong[0]]}, not {wanted[wrong[0]]}; {len(wrong)} such pieces"


def untiled(ledger: Ledger) -> Iterator[str]:
    """Yield where pieces do not lie side by side over exactly what was split: each Wh has one owner."""
    children: dict[int, list[tuple[int, int]]] = {}
    for piece in ledger.pieces:
        children.setdefault(piece.of, []).append((piece.first, piece.wh))
        if not 0 < piece.owner <= len(ledger.parties):
            yield f"a piece of {ledger.parents[piece.parent].name} belongs to nobody"
    for handle, parts in children.items():
        first, wh, stored = _whole(ledger, handle)
        edges = [first, *(at for at, _ in parts[1:]), first + wh]
        tiled = [(low, high - low) for low, high in pairwise(edges)]
        if parts != tiled or stored != SPLIT + 1:
            yield f"the parts {parts} of certificate {handle} do not make up its {wh} Wh"
    for parent in ledger.parents:
        owners = parent.owner if parent.owners is None else parent.owners[parent.energy != 0]
        if np.size(owners) and not 0 < np.min(owners) <= np.max(owners) <= len(ledger.parties):
            yield f"hours of {parent.name} belong to nobody"
        if parent.states is not None and ((parent.states != 0) != (parent.energy != 0)).any():
            yield f"hours of {parent.name} without energy have a state, or with energy none"


def _whole(ledger: Ledger, handle: int) -> tuple[int, int, int]:
    if handle >= FIRST_PIECE:
        piece = ledger.pieces[handle - FIRST_PIECE]
        return piece.first, piece.wh, piece.state
    parent = ledger.parents[ledger.parent_of(handle)]
    place = handle - parent.first_row
    return 0, int(parent.energy[place]), int(parent.open()[1][place])


# --- sums


class Sums:
    """Certificates and Wh by owner, source and month with the state, int64[.., STATES, 2], added up from the books."""

    def __init__(self, ledger: Ledger) -> None:
        sizes = len(ledger.parties) + 1, len(SOURCE_TYPES), len(months()) - 1
        self._flat = [(np.zeros(size * STATES, np.int64), np.zeros(size * STATES, np.int64)) for size in sizes]
        for parent in ledger.parents:
            self._add(parent)
        for piece in ledger.pieces:
            self._add_piece(ledger.parents[piece.parent], piece.row, piece.owner, piece.state, piece.wh)
        tables = [np.stack(pair, axis=1).reshape(-1, STATES, 2) for pair in self._flat]
        for table in tables:
            table[:, 0] = 0  # intervals without a certificate
        self.by_owner, self.by_source, self.by_month = tables

    def _add(self, parent: Parent) -> None:
        energy = np.ascontiguousarray(parent.energy, dtype=np.int64)
        if parent.owners is None or parent.states is None:
            states = np.where(energy != 0, parent.state, 0)
            owners = np.full(len(energy), parent.owner)
        else:
            states, owners = parent.states.astype(np.int64), parent.owners.astype(np.int64)
        places = owners, np.full(len(energy), parent.source), _month_of(parent.start_s, parent.step_s, len(energy))
        for place, (counts, sums) in zip(places, self._flat, strict=True):
            grouped(place * STATES + states, energy, counts, sums)

    def _add_piece(self, parent: Parent, row: int, owner: int, stored: int, wh: int) -> None:
        interval = row - parent.first_row
        month = int(_month_of(parent.start_s, parent.step_s, len(parent.energy))[interval])
        for place, (counts, sums) in zip((owner, parent.source, month), self._flat, strict=True):
            counts[place * STATES + stored] += 1
            sums[place * STATES + stored] += wh


@lru_cache(maxsize=64)
def _month_of(start_s: int, step_s: int, count: int) -> np.ndarray:
    """Return the month that each interval of a parent begins in, int64[count]."""
    starts = start_s + np.arange(count, dtype=np.int64) * step_s
    places: np.ndarray = np.searchsorted(months(), starts, side="right") - 1
    return places


def _sums(ledger: Ledger, state: State) -> Iterator[str]:
    sums = Sums(ledger)
    for name in ("by_owner", "by_source", "by_month"):
        wanted, found = getattr(sums, name), getattr(state, name)
        size = min(len(wanted), len(found))
        if found[size:].any() or wanted[size:].any() or not np.array_equal(wanted[:size], found[:size]):
            yield f"the sums {name} are not those of the certificates"


# --- records


def _records(ledger: Ledger, state: State) -> Iterator[str]:
    if {name: list(figures) for name, figures in state.trades.items()} != ledger.trades:
        yield "the figures of trades are not those of the journal"
    words = state.references.words
    if {(words[reference], start) for reference, start in state.claims.rows.tolist()} != ledger.claims:
        yield "the hours of consumption that were claimed are not those of the journal"
    touches = np.concatenate([np.zeros((0, 2), np.int64), *ledger.touches])
    if not np.array_equal(np.unique(touches, axis=0), np.unique(state.touches.rows, axis=0)):
        yield "the histories of parents are not those of the journal"
