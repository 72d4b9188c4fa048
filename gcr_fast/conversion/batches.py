"""From a plan to record batches: hours computed in cache-sized blocks, repeating columns shared between batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.codes import BIRTH_STATUS
from gcr_fast.columns import arrow_int64, encode, repeat_into, repeated, utc_timestamps, words
from gcr_fast.conversion.booking import Meter, fill
from gcr_fast.conversion.plan import Lot, Pattern, Plan
from gcr_fast.conversion.tiles import Tiles
from gcr_fast.errors import ConservationError
from gcr_fast.exchange.rowgroups import Repeat, Runs
from gcr_fast.memory import empty
from gcr_fast.parallel import results
from gcr_fast.schema import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from gcr_fast.exchange.rowgroups import Column

BATCH_ROWS = 1 << 19
"""Hours in a batch, about: enough to share columns and encode well, few enough that ten batches are 100 MB."""
BLOCK_ROWS = 24
"""Certificates computed and checked at a time, so that the check reads what is still in cache."""
WORDS = ("source_type", "status", "allocation_basis", "owner")


@dataclass(frozen=True, eq=False)
class Piece:
    """Some certificates of one lot: rows[first : first + count]."""

    lot: Lot
    first: int
    count: int

    @property
    def rows(self) -> np.ndarray:
        """int64[count]: rows of the annual table."""
        return self.lot.rows[self.first : self.first + self.count]

    @property
    def width(self) -> int:
        """Hours of each certificate."""
        return len(self.lot.share.positions)


@dataclass(frozen=True, eq=False)
class Task:
    """The pieces of one batch."""

    number: int
    pieces: tuple[Piece, ...]
    rows: np.ndarray
    """int64[p]: rows of the annual table, in output order."""
    first_parent: int
    """How many certificates come before these in the output."""
    metered: dict[int, np.ndarray] = field(default_factory=dict)
    """Hours of metered pieces, by position in `pieces`: they depend on those before, so they come ready made."""

    @property
    def pattern(self) -> Pattern | None:
        """The pattern that all pieces share, or None."""
        first = self.pieces[0].lot.share.pattern
        return first if all(piece.lot.share.pattern is first for piece in self.pieces) else None


def tasks(plan: Plan, method: str, unit_wh: int) -> Iterator[Task]:
    """Cut the plan's lots into batches of about `BATCH_ROWS` hours, in order. Metered hours are computed here."""
    meters: dict[tuple[str, int], Meter] = {}
    waiting: list[Piece] = []
    size = number = parents = 0
    for piece in _pieces(plan):
        if waiting and _full(waiting[-1], piece, size):
            task = _task(number, waiting, parents, meters, plan, method, unit_wh)
            yield task
            number, parents, waiting, size = number + 1, parents + len(task.rows), [], 0
        waiting.append(piece)
        size += piece.count * piece.width
    if waiting:
        yield _task(number, waiting, parents, meters, plan, method, unit_wh)


def _full(last: Piece, piece: Piece, size: int) -> bool:
    """Whether a batch of `size` ends before a piece: it would be too large, or lose what its rows have in common."""
    other = piece.lot.share.pattern is not last.lot.share.pattern
    return size + piece.count * piece.width > BATCH_ROWS or (other and size >= BATCH_ROWS // 4)


def _pieces(plan: Plan) -> Iterator[Piece]:
    for lot in plan.lots:
        most = max(1, BATCH_ROWS // len(lot.share.positions))
        for first in range(0, len(lot.rows), most):
            yield Piece(lot, first, min(most, len(lot.rows) - first))


def _task(
    number: int,
    pieces: list[Piece],
    parents: int,
    meters: dict[tuple[str, int], Meter],
    plan: Plan,
    method: str,
    unit_wh: int,
) -> Task:
    task = Task(number, tuple(pieces), np.concatenate([piece.rows for piece in pieces]), parents)
    for at, piece in enumerate(pieces):
        if piece.lot.metered:
            share, turn = piece.lot.share, (piece.lot.share.profile.name, piece.lot.turn)
            key = turn if turn in plan.left else (turn[0], 0)  # else lots are in order of turns
            if key not in meters:
                meters[key] = Meter(share, method, unit_wh, plan.left.get(turn))
            meter = meters[key]
            energy = plan.issue_wh[piece.rows].tolist()
            task.metered[at] = np.stack([meter.take(share, wh) for wh in energy])
    return task


@dataclass
class Figures:
    """What came out, per row of the annual table; filled as batches are made."""

    issued_wh: np.ndarray
    nonzero: np.ndarray
    done: np.ndarray

    @classmethod
    def empty(cls, count: int) -> Figures:
        """Nothing yet."""
        return cls(np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, bool))


class BatchMaker:
    """Makes the batch of a task; may be used by many threads at once."""

    def __init__(self, plan: Plan, method: str, unit_wh: int, keep_zero_hours: bool, certificate_ids: bool) -> None:
        self.plan = plan
        self.method = method
        self.unit_wh = unit_wh
        self.keep_zero_hours = keep_zero_hours
        self.schema = output_schema(certificate_ids)
        self.figures = Figures.empty(len(plan.annual))
        self._tiles = Tiles()
        self._ids = plan.annual.table["certificate_id"].combine_chunks()
        self._words = {name: encode(column) for name, column in _words_of(plan).items()}
        self._dictionaries = {name: _strings(values) for name, (_, values) in self._words.items()}
        self._order = (
            self._ids.take(_int64(np.concatenate([lot.rows for lot in plan.lots]))) if plan.lots else self._ids
        )

    def energy(self, task: Task, out: np.ndarray | None = None) -> np.ndarray:
        """Compute a task's hours, int64[n] (into `out`), and check each certificate's sum and signs."""
        out = empty(sum(piece.count * piece.width for piece in task.pieces), np.int64) if out is None else out
        for _ in self.parts(task, out):
            pass
        return out

    def parts(
        self, task: Task, memory: np.ndarray, at_once: int = BLOCK_ROWS, *, reuse: bool = False
    ) -> Iterator[np.ndarray]:
        """Compute and check the same, `at_once` certificates at a time: yields [certificates, width], in order.

        `memory` int64[n], or int32[n] if no hour is larger, takes one part after another, or with `reuse` each in the
        place of the one before. What is wrong is said once all were yielded.
        """
        from gcr_fast.kernels.check import row_figures

        sums, nonzero, lowest = (np.empty(len(task.rows), np.int64) for _ in range(3))
        at = parent = 0
        for number, piece in enumerate(task.pieces):
            totals = self.plan.issue_wh[piece.rows]
            for low in range(0, piece.count, at_once):
                count = min(at_once, piece.count - low)
                hours = memory[at : at + count * piece.width].reshape(count, piece.width)
                self._block(task, number, piece, totals[low : low + count], low, hours)
                figures = slice(parent, parent + count)
                row_figures(hours, sums[figures], nonzero[figures], lowest[figures])
                yield hours
                at, parent = 0 if reuse else at + hours.size, parent + count
        self._book(task, sums, nonzero, lowest)

    def _block(self, task: Task, number: int, piece: Piece, totals: np.ndarray, low: int, hours: np.ndarray) -> None:
        if number in task.metered:
            hours[:] = task.metered[number][low : low + len(hours)]
            return
        share = piece.lot.share
        fill(self.method, share.weights, share.prefix, totals // self.unit_wh, hours)
        if self.unit_wh != 1:
            hours *= self.unit_wh

    def _book(self, task: Task, sums: np.ndarray, nonzero: np.ndarray, lowest: np.ndarray) -> None:
        wanted = self.plan.issue_wh[task.rows]
        if (sums != wanted).any() or lowest.any():
            wrong = self._ids[int(task.rows[int(np.argmax((sums != wanted) | (lowest != 0)))])]
            raise ConservationError(f"the hours of {wrong} do not sum to its energy; please report this")
        self.figures.issued_wh[task.rows] = sums
        self.figures.nonzero[task.rows] = nonzero
        self.figures.done[task.rows] = True

    def batch(self, task: Task) -> pa.RecordBatch:
        """Return a task's record batch. All batches share their dictionaries, and columns that repeat their buffers."""
        layout = _Layout.of(task)
        return self._batch(task, layout, arrow_int64(self.energy(task)))

    def _batch(self, task: Task, layout: _Layout, energy: pa.Array) -> pa.RecordBatch:
        import pyarrow as pa
        import pyarrow.compute as pc

        columns: dict[str, Any] = {
            "energy_wh": energy,
            "production_start": self._starts(task),
            "interval_s": self._intervals(layout),
            "parent_certificate_id": self._parents(task, layout),
        }
        for name in WORDS:
            columns[name] = self._word(name, task, layout)
        if "certificate_id" in self.schema.names:
            columns["certificate_id"] = self._certificate_ids(task, columns["parent_certificate_id"])
        batch = pa.record_batch([columns[name] for name in self.schema.names], schema=self.schema)
        return batch if self._dense(task, layout) else batch.filter(pc.not_equal(energy, 0))

    def table(self, planned: list[Task], threads: int) -> pa.Table:
        """Return all tasks' rows as one table, its columns in chunks of their own lengths: so far more is shared.

        The times of one certificate are the chunk of all that have its pattern; a word is a slice of its constant.
        """
        import pyarrow as pa

        sizes = [sum(piece.count * piece.width for piece in task.pieces) for task in planned]
        ends = np.cumsum(sizes, dtype=np.int64)
        block = empty(int(ends[-1]) if planned else 0, np.int64)
        parts = [block[end - size : end] for end, size in zip(ends.tolist(), sizes, strict=True)]
        layouts = [_Layout.of(task) for task in planned]
        order = empty(len(block), np.int32)

        def make(at: int) -> None:
            self.energy(planned[at], parts[at])
            first = planned[at].first_parent
            repeat_into(order[ends[at] - sizes[at] : ends[at]], first, layouts[at].counts)

        results(make, range(len(planned)), threads)
        whole = all(map(self._dense, planned, layouts)) and "certificate_id" not in self.schema.names
        chunks = self._shared(planned, layouts, block, order) if whole else self._gathered(planned, layouts, parts)
        return pa.table([pa.chunked_array(chunks[f.name], f.type) for f in self.schema], schema=self.schema)

    def _gathered(self, planned: list[Task], layouts: list[_Layout], parts: list[np.ndarray]) -> dict[str, list[Any]]:
        """Return the columns' chunks batch by batch."""
        each = zip(planned, layouts, parts, strict=True)
        batches = [self._batch(task, layout, arrow_int64(part)) for task, layout, part in each]
        return {name: [batch.column(name) for batch in batches] for name in self.schema.names}

    def _shared(
        self, planned: list[Task], layouts: list[_Layout], block: np.ndarray, order: np.ndarray
    ) -> dict[str, list[Any]]:
        """Return the columns' chunks where no hour is dropped: one of energy, many of all that repeats."""
        import pyarrow as pa

        pieces = [piece for task in planned for piece in task.pieces]
        chunks: dict[str, list[Any]] = {name: [] for name in self.schema.names}
        chunks["energy_wh"] = [arrow_int64(block)]
        chunks["parent_certificate_id"] = [pa.DictionaryArray.from_arrays(pa.array(order), self._order, safe=False)]
        chunks["production_start"] = [
            starts for piece in pieces for starts in [self._tiles.starts(piece.lot.share.pattern, 1)] * piece.count
        ]
        for task, layout in zip(planned, layouts, strict=True):
            chunks["interval_s"] += self._interval_chunks(layout)
            for name in WORDS:
                chunks[name] += self._word_chunks(name, task, layout)
        return chunks

    def _word_chunks(self, name: str, task: Task, layout: _Layout) -> list[pa.Array]:
        """Return a chunk for each run of certificates with one word."""
        codes, dictionary = self._words[name][0][task.rows], self._dictionaries[name]
        if codes.min() < 0:
            return [words(codes, layout.counts, dictionary)]
        firsts = np.flatnonzero(np.diff(codes, prepend=-1))
        sizes = np.add.reduceat(layout.counts, firsts)
        runs = list(zip(codes[firsts].tolist(), sizes.tolist(), strict=True))
        slices = {run: self._tiles.words(name, *run, dictionary) for run in set(runs)}
        return [chunk for run in runs for chunk in slices[run]]

    def _interval_chunks(self, layout: _Layout) -> list[pa.Array]:
        if (layout.steps != layout.steps[0]).any():
            return [self._intervals(layout)]
        return self._tiles.constants(int(layout.steps[0]), layout.size)

    def columns(self, task: Task) -> tuple[int, Mapping[str, Column]]:
        """Return the same rows for Parquet: times as repeated parts, words as runs, each with its own dictionary."""
        layout = _Layout.of(task)
        energy = self.energy(task)
        counts, starts = layout.counts, tuple(_repeat_starts(piece) for piece in task.pieces)
        columns: dict[str, Column] = {"energy_wh": arrow_int64(energy), "production_start": starts}
        if "certificate_id" in self.schema.names:
            columns["certificate_id"] = self._certificate_ids(task, self._parents(task, layout))
        if not self._dense(task, layout):
            columns["production_start"] = self._starts(task)
            keep = energy != 0
            columns = {name: column.filter(_bools(keep)) for name, column in columns.items()}  # type: ignore[union-attr]
            counts = self.figures.nonzero[task.rows]
        issued = counts > 0  # the others must not lend their words to the dictionaries
        rows, counts, steps = task.rows[issued], counts[issued], layout.steps[issued]
        columns["interval_s"] = _interval_runs(steps, counts)
        columns["parent_certificate_id"] = Runs(np.arange(len(counts)), counts, self._ids.take(_int64(rows)))
        for name in WORDS:
            columns[name] = self._word_runs(name, rows, counts)
        return int(counts.sum()), columns

    def _dense(self, task: Task, layout: _Layout) -> bool:
        """Whether no hour is to be dropped: zeros are kept, or every interval of the pattern received energy."""
        return self.keep_zero_hours or bool((self.figures.nonzero[task.rows] == layout.counts).all())

    def _starts(self, task: Task) -> pa.Array:
        if task.pattern is not None:
            return self._tiles.starts(task.pattern, len(task.rows))
        seconds = empty(sum(piece.count * piece.width for piece in task.pieces), np.int64)
        at = 0
        for piece in task.pieces:
            size = piece.count * piece.width
            seconds[at : at + size].reshape(piece.count, piece.width)[:] = piece.lot.share.pattern.starts_s
            at += size
        return utc_timestamps(seconds)

    def _intervals(self, layout: _Layout) -> pa.Array:
        import pyarrow as pa

        if (layout.steps == layout.steps[0]).all():
            return self._tiles.constant(int(layout.steps[0]), layout.size)
        return pa.array(repeated(layout.steps, layout.counts))

    def _parents(self, task: Task, layout: _Layout) -> pa.DictionaryArray:
        """Return the parents' ids, in the dictionary of all certificates."""
        import pyarrow as pa

        order = np.arange(task.first_parent, task.first_parent + len(layout.counts), dtype=np.int32)
        return pa.DictionaryArray.from_arrays(pa.array(repeated(order, layout.counts)), self._order, safe=False)

    def _word(self, name: str, task: Task, layout: _Layout) -> pa.DictionaryArray:
        codes, dictionary = self._words[name][0][task.rows], self._dictionaries[name]
        if (codes == codes[0]).all() and codes[0] >= 0:
            import pyarrow as pa

            return pa.DictionaryArray.from_arrays(self._tiles.constant(int(codes[0]), layout.size), dictionary)
        return words(codes, layout.counts, dictionary)

    def _word_runs(self, name: str, rows: np.ndarray, counts: np.ndarray) -> Column:
        """Return a word column as runs with the words that occur; as an array where some are null."""
        dictionary = self._dictionaries[name]
        used, codes = np.unique(self._words[name][0][rows], return_inverse=True)
        if len(used) and used[0] < 0:
            return words(codes - 1, counts, dictionary.take(_int64(used[1:].astype(np.int64))))
        return Runs(codes, counts, dictionary.take(_int64(used.astype(np.int64))))

    def _certificate_ids(self, task: Task, parents: pa.DictionaryArray) -> pa.Array:
        """HOURLY-{parent}-{YYYYMMDDHH}, minutes appended for intervals under an hour."""
        import pyarrow as pa
        import pyarrow.compute as pc

        stamps = [stamp for piece in task.pieces for stamp in self._tiles.stamps(piece.lot.share.pattern) * piece.count]
        return pc.binary_join_element_wise("HOURLY", parents.cast(pa.string()), pa.array(stamps, pa.string()), "-")


@dataclass(frozen=True, eq=False)
class _Layout:
    """How a batch's rows fall on its certificates."""

    counts: np.ndarray
    """int64[p]: rows of each certificate."""
    steps: np.ndarray
    """int32[p]: length of its intervals."""

    @classmethod
    def of(cls, task: Task) -> _Layout:
        parents = [piece.count for piece in task.pieces]
        widths = np.array([piece.width for piece in task.pieces], dtype=np.int64)
        steps = np.array([piece.lot.share.profile.step_s for piece in task.pieces], dtype=np.int32)
        return cls(np.repeat(widths, parents), np.repeat(steps, parents))

    @property
    def size(self) -> int:
        """Rows of the batch, before any is dropped."""
        return int(self.counts.sum())


def _repeat_starts(piece: Piece) -> Repeat:
    """The times of one certificate, once for each of a piece."""
    pattern = piece.lot.share.pattern
    return Repeat(id(pattern), piece.width, piece.count, lambda: utc_timestamps(pattern.starts_s))


def _interval_runs(steps: np.ndarray, counts: np.ndarray) -> Column:
    import pyarrow as pa

    values, codes = np.unique(steps, return_inverse=True)
    return Runs(codes, counts, pa.array(values))


def _bools(mask: np.ndarray) -> pa.Array:
    import pyarrow as pa

    return pa.array(mask)


def output_schema(certificate_ids: bool) -> pa.Schema:
    """Return the hourly schema as written here: only the owner may be null."""
    import pyarrow as pa

    schema = arrow_schema("hourly", without=() if certificate_ids else ("certificate_id",))
    fields = [item.with_nullable(item.name == "owner") for item in schema]
    return pa.schema(fields, metadata=schema.metadata)


def _words_of(plan: Plan) -> dict[str, pa.Array]:
    import pyarrow as pa

    table = plan.annual.table
    status = [BIRTH_STATUS[purpose] for purpose in table["purpose"].to_pylist()]
    return {
        "source_type": pa.array(plan.sources, pa.string()),
        "status": pa.array(status, pa.string()),
        "allocation_basis": pa.array(plan.bases, pa.string()),
        "owner": table["owner"],
    }


def _strings(values: list[Any]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, pa.string())


def _int64(values: np.ndarray) -> pa.Array:
    return arrow_int64(np.ascontiguousarray(values))
