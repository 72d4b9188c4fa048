"""Which certificates: filters become runs of rows, and runs columns. Ordered by parent, then time, then piece."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gcr_fast.errors import UsageError
from gcr_fast.registry import filters, moment
from gcr_fast.registry.catalogue import Block, Grids
from gcr_fast.registry.filters import EVERY_HOUR
from gcr_fast.registry.ids import existing, resolve_ids
from gcr_fast.registry.lifecycle import SPLIT
from gcr_fast.registry.rows import Rows, concat
from gcr_fast.registry.state import State
from gcr_fast.registry.stored import FIRST, OWNER, PIECE, ROW, STATE, TRADED, WH
from gcr_fast.registry.untouched import certificates_of, constant
from gcr_fast.registry.where import Where, seconds_of

BATCH_ROWS = 1 << 19


class Selection:
    """Filters applied to a state. Finds candidates at once, reads rows when asked."""

    def __init__(self, state: State, where: Where) -> None:
        self.state = state
        self.owner = 0 if where.owner is None else filters.code_of(where.owner, state.catalogue.parties, "party") + 1
        self.wanted, self.traded = filters.statuses(where.status)
        self.clock = filters.clock(where.hour_of_day)
        self.min_wh = filters.least_wh(where.min_wh)
        self.handles = None if where.certificate is None else resolve_ids(state, where.certificate)
        self.parents = self._candidates(where)
        self.low, self.high = self._intervals(where)
        self.at_once = where.at is not None
        """Whether each candidate has a single interval in range."""
        self.past: tuple[int, int, int] | None = None

    def _candidates(self, where: Where) -> np.ndarray:
        """Return the parents that may have matching certificates, ascending."""
        catalogue = self.state.catalogue
        if isinstance(where.parent, str):
            parents = np.array([catalogue.place(where.parent)])
        elif where.parent is not None:
            parents = np.unique(np.array(list(map(catalogue.place, filters.listed(where.parent))), dtype=np.int64))
        else:
            parents = np.arange(len(catalogue))
        if (where.source_type, where.basis, where.device, where.country) != (None, None, None, None):
            parents = self._described(parents, where)
        if self.handles is not None:
            rows = np.array([self.state.holding(handle)[0] for handle in self.handles], dtype=np.int64)
            parents = np.intersect1d(parents, catalogue.parent_of(rows))
        return self._held(parents) if self.owner or where.status is not None else parents

    def _described(self, parents: np.ndarray, where: Where) -> np.ndarray:
        """Return those of some parents that are of a source, basis, device and country."""
        catalogue = self.state.catalogue
        for column, wanted in (
            ("source", filters.sources(where.source_type)),
            ("basis", filters.bases(where.basis)),
            ("device", filters.codes_of(where.device, catalogue.devices, "device")),
            ("country", filters.codes_of(where.country, catalogue.countries, "country")),
        ):
            if wanted is not None:
                parents = parents[np.isin(catalogue.numbers[column][parents], wanted)]
        return parents

    def _held(self, parents: np.ndarray) -> np.ndarray:
        """Leave out untouched parents that were born to someone else, or in another state."""
        numbers = self.state.catalogue.numbers
        fits = self.wanted[numbers["state"][parents]] & (not self.traded)
        if self.owner:
            fits &= numbers["owner"][parents] == self.owner
        if self.state.touched:
            fits |= self.state.touched_mask()[parents]
        held: np.ndarray = parents[fits]
        return held

    def _intervals(self, where: Where) -> tuple[np.ndarray, np.ndarray]:
        """Return each candidate's first interval in the time range, and the one after its last."""
        catalogue = self.state.catalogue
        if where.at is None and where.start is None and where.end is None:
            return np.zeros(len(self.parents), np.int64), catalogue.numbers["hours"][self.parents]
        grids = catalogue.grids  # far fewer than parents
        low, high = _in_range(where, grids)
        of = grids.of if len(self.parents) == len(catalogue) else grids.of[self.parents]
        if (low >= high).any():
            some = (low < high)[of]
            self.parents, of = self.parents[some], of[some]
        return low[of], high[of]

    def beyond(self, handle: int) -> Selection:
        """Return the rest of this selection that follows a certificate, even one that it no longer has."""
        if not isinstance(handle, int | np.integer) or existing(self.state, int(handle)) is None:
            raise UsageError(f"no certificate {handle!r} that anything could follow")
        row, first, wh, _, _ = self.state.holding(handle)
        rest = self._copy()
        # parts of what was split meanwhile have been seen whole; where SPLIT is asked for, wholes and parts are listed
        rest.past = (row, first, handle) if self.wanted[SPLIT + 1] else (row, first + wh - 1, handle)
        parent = self.state.catalogue.one_parent_of(row)
        some = self.parents >= parent
        rest.parents, rest.low, rest.high = self.parents[some], self.low[some].copy(), self.high[some]
        if len(rest.parents) and rest.parents[0] == parent:
            rest.low[0] = max(rest.low[0], row - self.state.catalogue.numbers["first_row"][parent])
            if rest.low[0] >= rest.high[0]:
                rest.parents, rest.low, rest.high = rest.parents[1:], rest.low[1:], rest.high[1:]
        return rest

    def _copy(self) -> Selection:
        other = Selection.__new__(Selection)
        other.__dict__.update(self.__dict__)
        return other

    # --- reading

    def batches(self, rows: int = BATCH_ROWS) -> Iterator[Rows]:
        """Yield the certificates, at most about so many at a time."""
        found = self._found(rows)
        return found if self.past is None else map(self._after, found)

    def _after(self, rows: Rows) -> Rows:
        """Leave out what does not follow `past` in order of row, piece and handle."""
        assert self.past is not None
        of, pieces = rows.handles.copy(), rows.handles >= PIECE
        of[pieces] = self.state.pieces.rows[rows.handles[pieces] - PIECE, ROW]
        first = np.zeros(len(rows), np.int64) if rows.first_wh is None else rows.first_wh
        row, wh, handle = self.past
        later = (first > wh) | ((first == wh) & (rows.handles > handle))
        return rows.take((of > row) | ((of == row) & later))

    def _found(self, rows: int) -> Iterator[Rows]:
        if self.handles is not None:
            yield self._by_handle(self.handles)
        elif self._as_issued():
            yield self._untouched()
        elif self.at_once:
            for at in range(0, len(self.parents), rows):
                yield self._read_one_each(slice(at, min(at + rows, len(self.parents))))
        else:
            at, reached = 0, np.append(0, np.cumsum(self.high - self.low))
            while at < len(self.parents):
                stop = max(at + 1, int(np.searchsorted(reached, reached[at] + rows, side="right")) - 1)
                yield self._read(slice(at, stop), int(reached[stop] - reached[at]))
                at = stop

    def _as_issued(self) -> bool:
        """Whether this asks for one parent that nothing has touched, so that all of its rows are alike."""
        alone = len(self.parents) == 1 and self.clock is EVERY_HOUR and not self.traded
        return alone and self.parents.item(0) not in self.state.touched

    def _untouched(self) -> Rows:
        parent, numbers, low = self.parents.item(0), self.state.catalogue.numbers, self.low.item(0)
        owner, state = numbers["owner"].item(parent), numbers["state"].item(parent)
        high = self.high.item(0) if self.owner in (0, owner) and self.wanted[state] else low
        handles, starts, wh = certificates_of(self.state.catalogue, parent, low, high, self.min_wh)
        parents, owners = (constant(value, len(handles), np.int64) for value in (parent, owner))
        return Rows(handles, parents, starts, wh, owners, constant(state, len(handles), np.int8))

    def all(self) -> Rows:
        """Return all certificates at once."""
        return concat(list(self.batches(1 << 62)))

    def _read(self, chosen: slice, size: int) -> Rows:
        """Read the chosen candidates, which have so many rows."""
        catalogue, parents = self.state.catalogue, self.parents[chosen]
        first = catalogue.numbers["first_row"][parents] + self.low[chosen]
        runs = np.stack([first, self.high[chosen] - self.low[chosen]], axis=1)
        handles, start_ms, wh = (np.empty(size, np.int64) for _ in range(3))
        places, owners, states = np.empty(size, np.int64), np.empty(size, np.int32), np.empty(size, np.int8)
        outs = (handles, places, start_ms, wh, owners, states)
        found = 0
        blocks = catalogue.numbers["block"][parents]
        for low, high in _spans(blocks):
            block = catalogue.blocks[blocks.item(low)]
            count = self._match(block, runs[low:high], tuple(out[found:] for out in outs))
            handles[found : found + count] += block.first_row
            places[found : found + count] += block.first_parent
            found += count
        rows = Rows(handles[:found], places[:found], start_ms[:found], wh[:found], owners[:found], states[:found])
        return self._with_pieces(rows, runs) if self.state.pieces_of else rows

    def _read_one_each(self, chosen: slice) -> Rows:
        """Read the chosen candidates, each of which has a single interval in range."""
        columns, traded = moment.columns_of(self.state, self.parents[chosen], self.low[chosen])
        rows = Rows(*columns)
        fits = rows.energy_wh >= self.min_wh
        if traded is not None:  # of untouched ones, only those that fit are candidates
            fits &= self.wanted[rows.states] & (traded | (not self.traded))
            if self.owner:
                fits &= rows.owners == self.owner
        if self.clock is not EVERY_HOUR:
            fits &= self.clock[rows.start_ms // 3_600_000 % 24]
        some = rows if fits.all() else rows.take(np.flatnonzero(fits))
        if not self.state.pieces_of:
            return some
        return self._with_pieces(some, np.stack([rows.handles, np.ones_like(rows.handles)], axis=1))

    def _match(self, block: Block, runs: np.ndarray, outs: tuple[np.ndarray, ...]) -> int:
        """Write the certificates of runs of one segment into the columns, counted from its start. Returns how many."""
        from gcr_fast.kernels.lookup import matching

        born, columns = self.state.born[block.number], self.state.columns[block.number]
        return matching(
            runs - np.array([block.first_row, 0]), block.hours, block.flat, columns.owners, columns.states,
            born.owners, born.states, born.starts, born.steps,
            self.owner, self.wanted, self.traded, self.clock, self.min_wh, *outs,
        )  # fmt: skip

    def _with_pieces(self, rows: Rows, runs: np.ndarray) -> Rows:
        """Add the pieces of rows in the runs, each in its place."""
        split = self.state.split_rows()
        lows, highs = np.searchsorted(split, runs[:, 0]), np.searchsorted(split, runs.sum(axis=1))
        some = np.flatnonzero(lows < highs)
        inside = [split[low:high] for low, high in zip(lows[some].tolist(), highs[some].tolist(), strict=True)]
        numbers = [number for part in inside for row in part.tolist() for number in self.state.pieces_of[row]]
        return self._merge(rows, self._pieces(np.array(numbers, dtype=np.int64))) if numbers else rows

    def _pieces(self, numbers: np.ndarray) -> Rows:
        """Return those of some pieces that match."""
        table = self.state.pieces.rows[numbers]
        parents = self.state.catalogue.parent_of(table[:, ROW])
        fits = self.wanted[table[:, STATE]] & (table[:, WH] >= self.min_wh)
        if self.owner:
            fits &= table[:, OWNER] == self.owner
        if self.traded:
            fits &= table[:, TRADED] == 1
        starts = np.array([self.state.start_of(row) for row in table[:, ROW].tolist()], dtype=np.int64)
        fits &= self.clock[(starts // 3600) % 24]
        return Rows(
            PIECE + numbers, parents, starts * 1000, table[:, WH], table[:, OWNER], table[:, STATE].astype(np.int8),
            table[:, FIRST],
        ).take(fits)  # fmt: skip

    def _merge(self, rows: Rows, pieces: Rows) -> Rows:
        if not len(pieces):
            return rows
        both = concat([rows, pieces])
        assert both.first_wh is not None
        of = np.concatenate([rows.handles, self.state.pieces.rows[pieces.handles - PIECE, ROW]])
        return both.take(np.lexsort((both.first_wh, of)))

    def _by_handle(self, handles: np.ndarray) -> Rows:
        """Return the named certificates that match, in order of parent and time."""
        whole, pieces = np.unique(handles[handles < PIECE]), np.unique(handles[handles >= PIECE]) - PIECE
        parts = [self._one(int(row)) for row in whole.tolist()]
        fits = [self._within(row) for row in self.state.pieces.rows[pieces, ROW].tolist()]
        return self._merge(concat(parts), self._pieces(pieces[np.array(fits, dtype=bool)]))

    def _within(self, row: int) -> bool:
        """Whether a row is of a candidate, and in its range."""
        parent = self.state.catalogue.one_parent_of(row)
        at = int(np.searchsorted(self.parents, parent))
        if at == len(self.parents) or self.parents[at] != parent:
            return False
        place = row - int(self.state.catalogue.numbers["first_row"][parent])
        return bool(self.low[at] <= place < self.high[at])

    def _one(self, row: int) -> Rows:
        """Read a single row with the filters that are set."""
        at = np.flatnonzero(self.parents == self.state.catalogue.one_parent_of(row))
        alone = self._copy()
        alone.parents, place = self.parents[at], row - self.state.catalogue.numbers["first_row"][self.parents[at]]
        inside = (place >= self.low[at]) & (place < self.high[at])
        alone.parents, alone.low, alone.high = alone.parents[inside], place[inside], place[inside] + 1
        read = alone._read(slice(0, len(alone.parents)), len(alone.parents))
        return read.take(read.handles < PIECE)


def _in_range(where: Where, grids: Grids) -> tuple[np.ndarray, np.ndarray]:
    """Return the first interval of each grid that is in the time range, and the one after the last."""
    low, high = np.zeros(len(grids.hours), np.int64), grids.hours
    if where.at is not None:
        place = (seconds_of(where.at, "at") - grids.start_s) // grids.step_s
        low, high = np.maximum(low, place), np.minimum(high, place + 1)
    if where.start is not None:
        start = seconds_of(where.start, "start", up=True)
        low = np.maximum(low, -((grids.start_s - start) // grids.step_s))
    if where.end is not None:
        end = seconds_of(where.end, "end", up=True)
        high = np.minimum(high, -((grids.start_s - end) // grids.step_s))
    return low, high


def _spans(codes: np.ndarray) -> list[tuple[int, int]]:
    """Return where each run of equal codes begins and ends."""
    if not len(codes) or codes.item(0) == codes.item(-1):  # they ascend
        return [(0, len(codes))][: len(codes)]
    firsts = np.flatnonzero(np.diff(codes, prepend=-1)).tolist()
    return list(zip(firsts, [*firsts[1:], len(codes)], strict=True))
