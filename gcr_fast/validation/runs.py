"""Hourly certificates cut into runs of one parent, and what a glance at each run shows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from gcr_fast.codes import BASES, PURPOSES, SOURCE_TYPES, STATUS_ALIASES, STATUSES, canonical_source
from gcr_fast.validation.hourly import Batch, keep

SORT_FROM_RUNS = 4
"""A batch with more runs than a quarter of its rows is sorted by parent first."""

_END_USE = frozenset({"RETIRED", "CLAIMED", "WITHDRAWN"})
_UNKNOWN = frozenset({"LOCKED", "EXPIRED", "WITHDRAWN"})
_ALLOWED_STATUS = {"conversion": frozenset(STATUSES), "end_use": _END_USE, None: _UNKNOWN}


@dataclass
class Runs:
    """One batch cut into runs of one parent, and what the kernels found in each."""

    batch: Batch
    bounds: np.ndarray
    parents: np.ndarray
    times: np.ndarray
    energy: np.ndarray
    suspects: np.ndarray
    """bool[r]: some row of the run is wrong."""
    quota: Any = None
    odd_ids: Any = None

    def rows(self, run: int) -> slice:
        """Return the entries of the batch that make up a run."""
        return slice(int(self.bounds[run]), int(self.bounds[run + 1]))


def cut(batch: Batch) -> Runs:
    """Cut a batch into runs of one parent, sorting it first if its parents are all mixed up."""
    from gcr_fast.kernels.check import run_bounds, run_energy

    bounds = np.empty(len(batch.codes) + 1, dtype=np.int64)
    count = run_bounds(batch.codes, bounds)
    if count * SORT_FROM_RUNS > len(batch.codes) and count > 1:
        batch = _sorted(batch)
        count = run_bounds(batch.codes, bounds)
    bounds = bounds[: count + 1].copy()
    energy = np.empty((count, 4), np.int64)
    run_energy(batch.energy, bounds, energy)
    times = _times(batch, bounds)
    return Runs(batch, bounds, batch.known[batch.codes[bounds[:-1]]], times, energy, np.zeros(count, bool))


def _times(batch: Batch, bounds: np.ndarray) -> np.ndarray:
    """Return what `run_times` finds in each run, int64[r, 4]; times that several runs share are gone through once."""
    from gcr_fast.kernels.check import run_times

    parts, memory, count = batch.start_parts, batch.memory, len(bounds) - 1
    lengths = memory.spread(batch.length_parts, bounds) if np.array_equal(parts.bounds, bounds) else None
    figures = np.empty((count, 4), np.int64)
    if lengths is None or None in parts.marks:
        run_times(batch.ticks, batch.lengths, bounds, batch.per_second, figures)
        return figures
    for run, (part, mark, length) in enumerate(zip(parts.arrays, parts.marks, lengths.tolist(), strict=True)):
        known = memory.known.get((mark, length, batch.per_second))
        if known is None:
            known = figures[run : run + 1]
            every = np.full(len(part), length, np.int32)
            run_times(part, every, np.array([0, len(part)]), batch.per_second, known)
            memory.known[mark, length, batch.per_second] = known
        figures[run] = known[0]
    return figures


def begun_before(parents: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return bool[n]: the interval begins before an earlier one of its parent ends. Sorted by parent and start."""
    over = np.zeros(len(parents), dtype=bool)
    bounds = np.flatnonzero(np.diff(parents, prepend=-2, append=-2))
    for low, high in pairwise(bounds.tolist()):
        reached = np.maximum.accumulate(ends[low:high])
        over[low + 1 : high] = starts[low + 1 : high] < reached[:-1]
    return over


def _sorted(batch: Batch) -> Batch:
    order = np.lexsort((batch.ticks, batch.codes))
    rows = order if batch.rows is None else batch.rows[order]
    return keep(batch, order, rows)


def words_agree(runs: Runs, name: str, kinds: np.ndarray) -> np.ndarray:
    """Return bool[r]: every word of the run is one that a parent of its kind, int64[r], allows."""
    from gcr_fast.kernels.check import run_words

    word = runs.batch.words[name]
    allowed = allowed_words(name, word.values)
    codes = runs.batch.memory.spread(word.parts, runs.bounds)
    if codes is not None:
        agree: np.ndarray = allowed[kinds, codes]
        return agree
    good = np.empty(len(runs.parents), dtype=bool)
    run_words(word.codes, runs.bounds, kinds, allowed, good)
    return good


def allowed_words(name: str, words: list[Any]) -> np.ndarray:
    """Return bool[kinds + 1, words + 1]: which words a parent of each kind allows; last row and column are null."""
    if name == "status":
        meant = [STATUS_ALIASES.get(str(word).strip().upper(), str(word).strip().upper()) for word in words]
        rows = [[word in _ALLOWED_STATUS[purpose] for word in meant] + [False] for purpose in (*PURPOSES, None)]
        return np.array(rows)
    vocabulary = SOURCE_TYPES if name == "source_type" else BASES
    known = [canonical_source(str(word)) if name == "source_type" else str(word) for word in words]
    rows = [[word == kind for word in known] + [False] for kind in vocabulary]
    return np.array([*rows, [word in vocabulary for word in known] + [True]])
