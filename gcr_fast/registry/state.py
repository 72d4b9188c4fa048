"""Who holds what, in which state: derived from the journal, entry by entry, and rebuilt by replaying it.

Owners and states are columns over the rows of a segment, made when a change first touches it; 0 stands for "as
issued", so an untouched parent costs nothing. A part of an hour is a piece: pieces live in a small table of their own.
Sums by owner, source and month follow every change, so that nothing is counted over again to answer for the whole.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gcr_fast.codes import SOURCE_TYPES
from gcr_fast.parallel import ordered_map, thread_count
from gcr_fast.registry.catalogue import Block, Catalogue, Vocabulary
from gcr_fast.registry.entries import Entry
from gcr_fast.registry.lifecycle import SPLIT
from gcr_fast.registry.stored import (
    OWNER,
    PIECE,
    PIECE_COLUMNS,
    ROW,
    STATE,
    STORED,
    TRADED,
    WH,
    Born,
    Columns,
    Growing,
    becomes,
    months,
    zeros_by_month,
)


class State:
    """The registry after entry `position` of its journal."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.position = 0
        self.columns: list[Columns] = []
        self.born: list[Born] = []
        self.pieces = Growing(len(PIECE_COLUMNS))
        self.pieces_of: dict[int, list[int]] = {}
        """Numbers of the pieces of each row."""
        self.touches = Growing(2)
        """(parent, entry) for every parent that an entry touched."""
        self.touched: set[int] = set()
        self._mask, self._masked = np.zeros(0, dtype=bool), 0
        self._split_rows = np.zeros(0, dtype=np.int64)
        self.references = Vocabulary()
        """Consumption that was claimed for."""
        self.claims = Growing(2)
        """(reference, start s) of every hour of consumption that was claimed."""
        self.trades: dict[str, list[int]] = {}
        """Per currency ("" is none): trades, certificates, Wh, total in minor units."""
        self.by_owner = np.zeros((16, STORED, 2), dtype=np.int64)
        self.by_source = np.zeros((len(SOURCE_TYPES), STORED, 2), dtype=np.int64)
        self.by_month = zeros_by_month()

    # --- growing

    def apply(self, seq: int, entry: Entry, by_month: np.ndarray | None = None) -> None:
        """Take in the next entry; it was checked before it was written.

        `by_month` int64[months, stored states, 2]: what an issue adds, if its hours were summed when they were made.
        """
        if entry.kind == "party":
            self.catalogue.parties.add(dict(entry.texts)["name"])
            self.make_room()
        elif entry.kind == "issue":
            self._issue(seq, entry, by_month)
        elif entry.kind != "create":
            self._change(seq, entry)
        self.position = seq

    def make_room(self) -> None:
        """Let every party have its sums."""
        need = len(self.catalogue.parties.words) + 1
        if need > len(self.by_owner):
            grown = np.zeros((2 * need, STORED, 2), dtype=np.int64)
            grown[: len(self.by_owner)] = self.by_owner
            self.by_owner = grown

    def _issue(self, seq: int, entry: Entry, by_month: np.ndarray | None) -> None:
        first, blocks = len(self.catalogue), self.adopt(seq, entry)
        if by_month is not None:
            self._count_parents(first)
            self.by_month += by_month
            return
        for sums in ordered_map(self._born, blocks, thread_count(None)):
            self.by_owner += sums[0]
            self.by_source += sums[1]
            self.by_month += sums[2]

    def _count_parents(self, first: int) -> None:
        """Add the parents from `first` on to the sums by owner and source."""
        numbers = {name: column[first:] for name, column in self.catalogue.numbers.items()}
        figures = np.stack([numbers["certificates"], numbers["issued_wh"]], axis=1)
        np.add.at(self.by_owner, (numbers["owner"], numbers["state"]), figures)
        np.add.at(self.by_source, (numbers["source"], numbers["state"]), figures)

    def _born(self, block: Block) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the sums that a segment adds, counted over."""
        from gcr_fast.kernels.aggregate import born

        given = self.born[block.number]
        owners, states = given.owners.astype(np.int64), given.states.astype(np.int64)
        sums = np.zeros_like(self.by_owner), np.zeros_like(self.by_source), np.zeros_like(self.by_month)
        born(block.energy, given.starts, given.steps, owners, states, given.sources, months(), *sums)
        return sums

    def adopt(self, seq: int, entry: Entry) -> list[Block]:
        """Take in an issue's segments without counting them: a snapshot has the sums."""
        blocks = self.catalogue.add_issue(seq, dict(entry.texts))
        for block in blocks:
            span = slice(block.first_parent, block.first_parent + block.parents)
            numbers = {name: np.ascontiguousarray(self.catalogue.numbers[name][span]) for name in _BORN}
            owners, states = numbers["owner"].astype(np.int32), numbers["state"].astype(np.int8)
            self.columns.append(Columns(block))
            self.born.append(Born(owners, states, numbers["start_s"], numbers["step_s"], numbers["source"]))
        self.make_room()
        return blocks

    # --- changing

    def _change(self, seq: int, entry: Entry) -> None:
        runs = entry.runs
        if len(runs) == 1 and runs.item(1) == 1 and runs.item(0) < PIECE and not len(entry.splits):
            self._change_row(seq, runs.item(0), entry.kind, entry.to_party)
        else:
            self._change_all(seq, entry)
        if entry.kind == "trade":
            self._count_trade(entry)
        elif entry.kind == "claim":
            self._note_claim(entry)

    def _change_row(self, seq: int, row: int, action: str, to_party: int) -> None:
        """Do for a single row what `_move` and `_touch` do for runs: most trades are of one, and a call costs more."""
        numbers, parent = self.catalogue.numbers, self.catalogue.one_parent_of(row)
        block = self.catalogue.blocks[numbers["block"].item(parent)]
        columns, born = self.columns[block.number], self.born[block.number]
        columns.touch()
        local, place = row - block.first_row, parent - block.first_parent
        self.touches.add(parent, seq)
        self.touched.add(parent)
        wh = int(block.flat.item(local))
        if not wh:
            return
        owner = columns.owners.item(local) or born.owners.item(place)
        state = columns.states.item(local) or born.states.item(place)
        holder, after = owner, becomes(action).item(state) or state
        if action == "trade" and to_party:
            columns.owners[local] = holder = to_party
        _shift(self.by_owner, (owner, state), (holder, after), wh)
        if after != state:
            columns.states[local] = after
            begin = born.starts.item(place) + (local - place * block.hours) * born.steps.item(place)
            month, source = int(months().searchsorted(begin, side="right")) - 1, born.sources.item(place)
            _shift(self.by_source, (source, state), (source, after), wh)
            _shift(self.by_month, (month, state), (month, after), wh)

    def _change_all(self, seq: int, entry: Entry) -> None:
        if len(entry.splits):
            self._split(seq, entry)
        parts = entry.runs[:, 0] >= PIECE
        for handle, count in entry.runs[parts].tolist():
            for number in range(handle - PIECE, handle - PIECE + count):
                self._move_piece(number, entry.kind, entry.to_party)
                self._touch(int(self.pieces.rows[number, ROW]), 1, seq)
        rows = entry.runs[~parts]
        if len(rows) > 1:
            self._change_runs(seq, rows, entry.kind, entry.to_party)
            return
        for handle, count in rows.tolist():
            for columns, local in self.parts(handle, count):
                self._move(columns, local, entry.kind, entry.to_party)
            self._touch(handle, count, seq)

    def _change_runs(self, seq: int, runs: np.ndarray, action: str, to_party: int) -> None:
        """Move many runs of rows int64[k, 2]: those of one segment together, as a call takes longer than a run."""
        lows, highs = self.catalogue.parent_of(runs[:, 0]), self.catalogue.parent_of(runs.sum(axis=1) - 1)
        of = self.catalogue.numbers["block"][lows]
        inside = of == self.catalogue.numbers["block"][highs]
        for number in np.unique(of[inside]).tolist():
            columns = self.columns[number]
            self._move(
                columns, runs[inside & (of == number)] - np.array([columns.block.first_row, 0]), action, to_party
            )
        for handle, count in runs[~inside].tolist():
            for columns, local in self.parts(handle, count):
                self._move(columns, local, action, to_party)
        counts = highs - lows + 1
        parents = np.unique(np.repeat(lows - np.cumsum(counts) + counts, counts) + np.arange(counts.sum()))
        self.touches.append(np.stack([parents, np.full(len(parents), seq)], axis=1))
        self.touched.update(parents.tolist())

    def _note_claim(self, entry: Entry) -> None:
        reference = self.references.add(dict(entry.texts)["reference"])
        handles = np.concatenate([np.arange(first, first + count) for first, count in entry.runs.tolist()])
        starts = {self.start_of(self.holding(handle)[0]) for handle in handles.tolist()}
        self.claims.append(np.array([[reference, start] for start in sorted(starts)], dtype=np.int64))

    def _count_trade(self, entry: Entry) -> None:
        figures = self.trades.setdefault(entry.currency, [0, 0, 0, 0])
        figures[0] += 1
        figures[1] += entry.certificates
        figures[2] += entry.energy_wh
        figures[3] += entry.total_minor or 0

    def parts(self, first: int, count: int) -> Iterator[tuple[Columns, np.ndarray]]:
        """Cut a run of rows by segment: yields its columns and the run int64[1, 2] in rows of the segment."""
        block = self.catalogue.block_of(first)
        while count > 0:
            low = first - block.first_row
            size = min(count, block.rows - low)
            yield self.columns[block.number], np.array([[low, size]], dtype=np.int64)
            first, count = first + size, count - size
            if count:
                block = self.catalogue.blocks[block.number + 1]

    def _move(self, columns: Columns, runs: np.ndarray, action: str, to_party: int) -> None:
        from gcr_fast.kernels.transfer import move

        columns.touch()
        block, born = columns.block, self.born[columns.block.number]
        move(
            runs, block.hours, block.flat, columns.owners, columns.states, born.owners, born.states,
            born.starts, born.steps, born.sources, months(), to_party if action == "trade" else 0, becomes(action),
            self.by_owner, self.by_source, self.by_month,
        )  # fmt: skip

    def _touch(self, row: int, count: int, seq: int) -> None:
        low, high = self.catalogue.parent_of(np.array([row, row + count - 1])).tolist()
        parents = range(low, high + 1)
        self.touches.append(np.array([[parent, seq] for parent in parents], dtype=np.int64))
        self.touched.update(parents)

    # --- pieces

    def _split(self, seq: int, entry: Entry) -> None:
        """Split each handle in two; what happens, happens to the first child."""
        for handle, wh in entry.splits.tolist():
            row, first, whole, owner, state = self.holding(handle)
            traded = self.was_traded(handle)
            self._set_split(handle)
            number = len(self.pieces)
            for start, size in ((first, wh), (first + wh, whole - wh)):
                self.pieces.append(np.array([row, start, size, owner, state, handle, traded]))
                self.pieces_of.setdefault(row, []).append(len(self.pieces) - 1)
                self._tally(row, owner, state, size, 1)
            self._move_piece(number, entry.kind, entry.to_party)
            self._touch(row, 1, seq)

    def _set_split(self, handle: int) -> None:
        if handle < PIECE:
            for columns, local in self.parts(handle, 1):
                self._move(columns, local, "split", 0)
            return
        piece = self.pieces.rows[handle - PIECE]
        self._retally(piece, piece[OWNER], SPLIT + 1)

    def _move_piece(self, number: int, action: str, to_party: int) -> None:
        piece = self.pieces.rows[number]
        after = becomes(action)[piece[STATE]]
        piece[TRADED] |= action == "trade"
        self._retally(piece, to_party if action == "trade" else piece[OWNER], after or piece[STATE])

    def _retally(self, piece: np.ndarray, owner: int, state: int) -> None:
        self._tally(piece[ROW], piece[OWNER], piece[STATE], piece[WH], -1)
        piece[OWNER], piece[STATE] = owner, state
        self._tally(piece[ROW], owner, state, piece[WH], 1)

    def _tally(self, row: int, owner: int, state: int, wh: int, sign: int) -> None:
        parent = self.catalogue.one_parent_of(row)
        month = int(np.searchsorted(months(), self.start_of(int(row)), side="right")) - 1
        figures = np.array([sign, sign * int(wh)], dtype=np.int64)
        self.by_owner[owner, state] += figures
        self.by_source[self.catalogue.source[parent], state] += figures
        self.by_month[month, state] += figures

    # --- looking

    def touched_mask(self) -> np.ndarray:
        """Return bool[parents]: `touched` as a mask, brought up to date with what was touched since the last call."""
        if len(self._mask) < len(self.catalogue):
            self._mask = np.append(self._mask, np.zeros(len(self.catalogue) - len(self._mask), dtype=bool))
        self._mask[self.touches.rows[self._masked :, 0]] = True
        self._masked = len(self.touches)
        return self._mask

    def split_rows(self) -> np.ndarray:
        """Return the rows that have pieces, int64[n], ascending."""
        if len(self._split_rows) < len(self.pieces_of):
            self._split_rows = np.sort(np.fromiter(self.pieces_of, np.int64, len(self.pieces_of)))
        return self._split_rows

    def start_of(self, row: int) -> int:
        """Return when a row's interval begins, UTC seconds."""
        parent, numbers = self.catalogue.one_parent_of(row), self.catalogue.numbers
        offset = row - numbers["first_row"].item(parent)
        return int(numbers["start_s"].item(parent) + offset * numbers["step_s"].item(parent))

    def holding(self, handle: int) -> tuple[int, int, int, int, int]:
        """Return (row, first Wh, Wh, owner, stored state) of a row or piece."""
        if handle >= PIECE:
            row, first, wh, owner, state, _, _ = self.pieces.rows[handle - PIECE].tolist()
            return row, first, wh, owner, state
        block = self.catalogue.block_of(handle)
        local = handle - block.first_row
        columns, parent = self.columns[block.number], local // block.hours
        owner = int(columns.owners[local]) if len(columns.owners) else 0
        state = int(columns.states[local]) if len(columns.states) else 0
        born = self.born[block.number]
        return handle, 0, int(block.flat[local]), owner or int(born.owners[parent]), state or int(born.states[parent])

    def was_traded(self, handle: int) -> bool:
        """Whether a row or piece has changed hands since its issue."""
        if handle >= PIECE:
            return bool(self.pieces.rows[handle - PIECE, TRADED])
        block = self.catalogue.block_of(handle)
        owners = self.columns[block.number].owners
        return bool(len(owners) and owners[handle - block.first_row])


def _shift(sums: np.ndarray, out: tuple[int, int], into: tuple[int, int], wh: int) -> None:
    """Move one certificate from one (key, stored state) of int64[keys, stored states, 2] to another."""
    for (key, state), sign in ((out, -1), (into, 1)):
        sums[key, state, 0] += sign
        sums[key, state, 1] += sign * wh


_BORN = ("owner", "state", "start_s", "step_s", "source")
