"""Which certificates: filters become runs of rows, and runs columns. Ordered by parent, then time, then piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import numpy as np

from gcr_fast.codes import BASES, SOURCE_FAMILIES, SOURCE_TYPES, STATUSES, canonical_source
from gcr_fast.errors import UsageError
from gcr_fast.periods import utc_text
from gcr_fast.registry import moment
from gcr_fast.registry.catalogue import Block, Grids, Vocabulary
from gcr_fast.registry.lifecycle import ACTIVE, SPLIT
from gcr_fast.registry.state import FIRST, OWNER, PIECE, ROW, STATE, STORED, TRADED, VISIBLE, WH, State
from gcr_fast.registry.untouched import certificates_of, constant

BATCH_ROWS = 1 << 19
Words = str | Sequence[str] | None
Moment = str | int | datetime | None
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_S = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class Where:
    """Filters; all that are given must hold. A list of words means any of them."""

    parent: Words = None
    """Certificate ids of parents."""
    owner: str | None = None
    start: Moment = None
    """Intervals that begin at or after this."""
    end: Moment = None
    """Intervals that begin before this."""
    at: Moment = None
    """The interval that holds this moment."""
    source_type: Words = None
    device: Words = None
    country: Words = None
    basis: Words = None
    status: Words = None
    """Statuses, or TRADED: ACTIVE and traded at least once. By default all but SPLIT, whose pieces carry on."""
    min_wh: int = 1
    hour_of_day: int | Sequence[int] | None = None
    """Hours of the day, UTC, 0 to 23."""
    certificate: Any = None
    """Row handles or text ids of certificates, one or many."""

    @classmethod
    def of(cls, given: Any) -> Where:
        """Take filters, a mapping of them, or ids of certificates."""
        if isinstance(given, Where):
            return given
        if given is None:
            raise UsageError("say which certificates: filters, or ids")
        if isinstance(given, dict):
            unknown = given.keys() - cls.__dataclass_fields__.keys()
            if unknown:
                raise UsageError(f"no filter {', '.join(sorted(unknown))}; there are {', '.join(cls.names())}")
            return cls(**given)
        return cls(certificate=given)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of all filters."""
        return tuple(field.name for field in fields(cls))


def seconds_of(moment: str | int | datetime, what: str = "time", *, up: bool = False) -> int:
    """Return UTC seconds of a moment: ISO 8601 with an offset, an aware datetime, or seconds themselves.

    A fraction of a second is rounded down, or `up`.
    """
    if isinstance(moment, int | np.integer):
        return _possible(int(moment), what)
    try:
        read = moment if isinstance(moment, datetime) else datetime.fromisoformat(moment.strip())
    except (ValueError, AttributeError, TypeError):
        raise UsageError(f"{what} {moment!r} is not an ISO 8601 time such as 2024-06-01T12:00Z") from None
    if read.tzinfo is None and isinstance(moment, str) and len(moment.strip()) == len("2024-06-01"):
        read = read.replace(tzinfo=UTC)  # a day is a day of UTC here, as are all stamps of certificates
    if read.tzinfo is None:
        raise UsageError(f"{what} {moment!r} names no time zone; append Z or an offset")
    since, second = read - _EPOCH, timedelta(seconds=1)
    return -(-since // second) if up else since // second


def _possible(second: int, what: str) -> int:
    if abs(second) > _LAST_S:
        raise UsageError(f"{what} {second} is no time: seconds since 1970 are meant")
    return second


@dataclass(frozen=True, eq=False)
class Rows:
    """Certificates as columns, int64[n] unless said otherwise."""

    handles: np.ndarray
    parents: np.ndarray
    start_ms: np.ndarray
    energy_wh: np.ndarray
    owners: np.ndarray
    states: np.ndarray
    """int8[n], stored."""
    first_wh: np.ndarray | None = None
    """Where a piece begins within its row; None if there are no pieces."""

    def __len__(self) -> int:
        return len(self.handles)

    def take(self, at: Any) -> Rows:
        """Return some of them, by a mask, slice or positions."""
        columns: dict[str, Any] = {item.name: getattr(self, item.name) for item in fields(self)}
        taken: dict[str, Any] = {name: None if have is None else have[at] for name, have in columns.items()}
        return Rows(**taken)


def concat(parts: Sequence[Rows]) -> Rows:
    """Join, in order."""
    if len(parts) == 1:
        return parts[0]
    pieces = any(part.first_wh is not None for part in parts)
    names = [item.name for item in fields(Rows) if item.name != "first_wh"]
    if not parts:
        return Rows(*_NO_ROWS)
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    zeros = [np.zeros(len(part), np.int64) if part.first_wh is None else part.first_wh for part in parts]
    return Rows(**columns, first_wh=np.concatenate(zeros) if pieces else None)


_NO_ROWS: Any = [np.zeros(0, np.int64)] * 5 + [np.zeros(0, np.int8)]


class Selection:
    """Filters applied to a state. Finds candidates at once, reads rows when asked."""

    def __init__(self, state: State, where: Where) -> None:
        self.state = state
        self.owner = 0 if where.owner is None else _known(where.owner, state.catalogue.parties, "party") + 1
        self.wanted, self.traded = _statuses(_frozen(where.status))
        self.clock = _clock(where.hour_of_day)
        self.min_wh = _least(where.min_wh)
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
            parents = np.array([_parent(self.state, where.parent)])
        elif where.parent is not None:
            parents = np.unique(np.array([_parent(self.state, name) for name in _listed(where.parent)], dtype=np.int64))
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
            ("source", _sources(where.source_type)),
            ("basis", _fixed(where.basis, BASES, "basis")),
            ("device", _open(where.device, catalogue.devices, "device")),
            ("country", _open(where.country, catalogue.countries, "country")),
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
        if not isinstance(handle, int | np.integer) or _checked(self.state, int(handle)) is None:
            raise UsageError(f"no certificate {handle!r} that anything could follow")
        row, first, wh, _, _ = self.state.holding(handle)
        rest = self._copy()
        # parts of what was split meanwhile have been seen whole; where SPLIT is asked for, wholes and parts are listed
        rest.past = (row, first, handle) if self.wanted[SPLIT + 1] else (row, first + wh - 1, handle)
        parent = int(self.state.catalogue.parent_of(np.array([row]))[0])
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
        parent = int(self.state.catalogue.parent_of(np.array([row]))[0])
        at = int(np.searchsorted(self.parents, parent))
        if at == len(self.parents) or self.parents[at] != parent:
            return False
        place = row - int(self.state.catalogue.numbers["first_row"][parent])
        return bool(self.low[at] <= place < self.high[at])

    def _one(self, row: int) -> Rows:
        """Read a single row with the filters that are set."""
        at = np.flatnonzero(self.parents == self.state.catalogue.parent_of(np.array([row]))[0])
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


# --- words to codes


def _frozen(words: Any) -> Any:
    """Return a list as a tuple, to be remembered by."""
    return words if words is None or isinstance(words, str) else tuple(_listed(words))


def _listed(words: Words) -> list[str]:
    if words is None or isinstance(words, str):
        return [] if words is None else [words]
    given = words.to_pylist() if hasattr(words, "to_pylist") else words
    listed = list(given) if isinstance(given, Iterable) else [given]
    if not all(isinstance(word, str) for word in listed):
        raise UsageError(f"a filter takes a text or a list of texts, not {words!r}")
    return listed


def _spans(codes: np.ndarray) -> list[tuple[int, int]]:
    """Return where each run of equal codes begins and ends."""
    if not len(codes) or codes.item(0) == codes.item(-1):  # they ascend
        return [(0, len(codes))][: len(codes)]
    firsts = np.flatnonzero(np.diff(codes, prepend=-1)).tolist()
    return list(zip(firsts, [*firsts[1:], len(codes)], strict=True))


def _known(word: str, vocabulary: Vocabulary, what: str) -> int:
    if not isinstance(word, str):
        raise UsageError(f"{what} must be one text, not {word!r}")
    code = vocabulary.find(word)
    if code is None:
        close = get_close_matches(word, vocabulary.words, n=3)
        raise UsageError(f"no {what} {word!r}" + (f"; did you mean {', '.join(close)}?" if close else ""))
    return code


def _open(words: Words, vocabulary: Vocabulary, what: str) -> list[int] | None:
    return None if words is None else [_known(word, vocabulary, what) for word in _listed(words)]


def _fixed(words: Words, known: tuple[str, ...], what: str) -> list[int] | None:
    if words is None:
        return None
    for word in _listed(words):
        if word not in known:
            raise UsageError(f"no {what} {word!r}; there are {', '.join(known)}")
    return [known.index(word) for word in _listed(words)]


def _sources(words: Words) -> list[int] | None:
    """A family (wind, hydro) stands for its members, too."""
    if words is None:
        return None
    named = [canonical_source(word) or word for word in _listed(words)]
    members = [kind for kind, family in SOURCE_FAMILIES.items() if family in named]
    return _fixed([*named, *members], SOURCE_TYPES, "source type")


@lru_cache(maxsize=64)
def _statuses(words: str | tuple[str, ...] | None) -> tuple[np.ndarray, bool]:
    """Return bool[stored states], and whether only traded certificates are meant."""
    wanted = np.zeros(STORED, dtype=bool)
    named = [word.upper() for word in _listed(words)]
    if words is None:
        wanted[1:] = VISIBLE[1:] != SPLIT
        wanted.flags.writeable = False
        return wanted, False
    if "TRADED" in named and len(named) > 1:
        raise UsageError("TRADED is a view of ACTIVE: ask for it alone")
    codes = [ACTIVE] if named == ["TRADED"] else _fixed(named, STATUSES, "status")
    wanted[1:] = np.isin(VISIBLE[1:], codes or [])
    wanted.flags.writeable = False
    return wanted, named == ["TRADED"]


def _every_hour() -> np.ndarray:
    clock = np.ones(24, dtype=bool)
    clock.flags.writeable = False
    return clock


EVERY_HOUR = _every_hour()


def _clock(hours: int | Sequence[int] | None) -> np.ndarray:
    if hours is None:
        return EVERY_HOUR
    clock = np.zeros(24, dtype=bool)
    for hour in hours if isinstance(hours, Iterable) else [hours]:
        if not isinstance(hour, int | np.integer) or not 0 <= hour < 24:
            raise UsageError(f"hour_of_day must be 0 to 23, or several of them, not {hour!r}")
        clock[hour] = True
    clock.flags.writeable = False
    return clock


def _least(wh: int) -> int:
    if not isinstance(wh, int | np.integer) or wh < 1:
        raise UsageError(f"min_wh must be a whole number of Wh, 1 or more, not {wh!r}")
    return min(int(wh), (1 << 63) - 1)


def _parent(state: State, name: str) -> int:
    place = state.catalogue.place_of.get(name)
    if place is None:
        raise UsageError(f"no parent certificate {name!r} in this registry")
    return place


# --- ids


def resolve_ids(state: State, given: Any) -> np.ndarray:
    """Return handles, int64[n], of handles or text ids, one or many. Unknown ids are a `UsageError` that lists them."""
    if hasattr(given, "to_pylist"):
        given = given.to_pylist()
    items: Iterable[Any] = given if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    handles: list[int] = []
    unknown: list[Any] = []
    for item in items:
        found = handle_of(state, item)
        if found is None:
            unknown.append(item)
        else:
            handles.append(found)
    if unknown:
        shown = ", ".join(map(str, unknown[:20])) + (f" and {len(unknown) - 20} more" if len(unknown) > 20 else "")
        raise UsageError(f"no such certificate: {shown}")
    return np.array(handles, dtype=np.int64)


def handle_of(state: State, given: Any) -> int | None:
    """Return the handle of a handle or text id, None if there is no such certificate."""
    if isinstance(given, str):
        return find_id(state, given)
    if not isinstance(given, int | np.integer) or isinstance(given, bool):
        raise UsageError(f"{given!r} is no certificate: give a handle, or an id such as HOURLY-GO-1-2024060112")
    return _checked(state, int(given))


def _checked(state: State, handle: int) -> int | None:
    """Return a handle if there is such a certificate."""
    if handle >= PIECE:
        return handle if handle - PIECE < len(state.pieces) else None
    if not 0 <= handle < state.catalogue.rows:
        return None
    return handle if state.holding(handle)[2] else None


def id_text(state: State, handle: int) -> str:
    """Return HOURLY-{parent}-{YYYYMMDDHH}, minutes appended for shorter intervals; a piece has /{first}-{end} Wh."""
    row, first, wh, _, _ = state.holding(handle)
    parent = int(state.catalogue.parent_of(np.array([row]))[0])
    digits = 10 if state.catalogue.numbers["step_s"][parent] == 3600 else 12
    stamp = "".join(mark for mark in utc_text(state.start_of(row)) if mark.isdigit())[:digits]
    whole = f"HOURLY-{state.catalogue.ids[parent].as_py()}-{stamp}"
    return whole if handle < PIECE else f"{whole}/{first}-{first + wh}"


def find_id(state: State, text: str) -> int | None:
    """Return the handle of a text id, None if there is no such certificate."""
    row = _find_row(state, text)
    if row is not None or "/" not in text:
        return row
    row = _find_row(state, text.rpartition("/")[0])  # ids of parents may have strokes, too
    numbers = [] if row is None else state.pieces_of.get(row, [])
    return next((PIECE + n for n in numbers if id_text(state, PIECE + n) == text), None)


def _find_row(state: State, text: str) -> int | None:
    head, _, stamp = text.rpartition("-")
    if not head.startswith("HOURLY-") or not (stamp.isascii() and stamp.isdigit()) or len(stamp) not in (10, 12):
        return None
    parent = state.catalogue.place_of.get(head[len("HOURLY-") :])
    return None if parent is None else _row_at(state, parent, stamp)


def _row_at(state: State, parent: int, stamp: str) -> int | None:
    numbers = state.catalogue.numbers
    step = int(numbers["step_s"][parent])
    if (len(stamp) == 10) != (step == 3600):
        return None
    try:
        day = datetime(
            int(stamp[:4]), int(stamp[4:6]), int(stamp[6:8]), int(stamp[8:10]), int(stamp[10:] or 0), tzinfo=UTC
        )
    except ValueError:
        return None
    named, begin = int(day.timestamp()), int(numbers["start_s"][parent])
    offset = -((begin - named) // step)  # hours of half-hour zones begin at :30, which their ids leave out
    if begin + offset * step >= named + max(step, 60) or not 0 <= offset < numbers["hours"][parent]:
        return None
    return _checked(state, int(numbers["first_row"][parent]) + offset)
