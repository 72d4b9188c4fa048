"""The state at a position, as one file: a cache, so that opening need not replay everything. May be deleted."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.errors import CorruptError
from gcr_fast.registry import segments as files
from gcr_fast.registry.state import State
from gcr_fast.registry.stored import PIECE_COLUMNS, ROW

if TYPE_CHECKING:
    import pyarrow as pa

SNAPSHOTS = "snapshots"
"""The folder of snapshots."""
VERSION = 3


def make_folder(folder: Path) -> None:
    """Make the folder anew should somebody have deleted it: it is only a cache."""
    with contextlib.suppress(OSError):  # whoever writes into it says why there is none
        (folder / SNAPSHOTS).mkdir(exist_ok=True)


def save(state: State, folder: Path) -> str:
    """Write the state and return the file's name; synced."""
    make_folder(folder)
    written = files.write_table(folder / SNAPSHOTS, _table(state))
    files.sync_folder(folder / SNAPSHOTS)
    return written.name


def _table(state: State) -> pa.Table:
    """One row: every array as bytes. Of owners and states, only the runs of rows that were changed."""
    import pyarrow as pa

    touched = np.array(sorted(state.touched), dtype=np.int64)
    currencies = sorted(state.trades)
    arrays = {
        "touched": touched,
        "changed": _changed(state, touched),
        "pieces": state.pieces.rows,
        "touches": state.touches.rows,
        "claims": state.claims.rows,
        "trades": np.array([state.trades[name] for name in currencies], dtype=np.int64),
        "by_owner": state.by_owner,
        "by_source": state.by_source,
        "by_month": state.by_month,
    }
    columns: dict[str, Any] = {name: pa.array([array.tobytes()], pa.large_binary()) for name, array in arrays.items()}
    columns["currencies"] = pa.array([currencies], pa.list_(pa.string()))
    columns["references"] = pa.array([state.references.words], pa.list_(pa.string()))
    columns["position"] = pa.array([state.position], pa.int64())
    columns["version"] = pa.array([VERSION], pa.int64())
    columns |= {what: pa.array([size], pa.int64()) for what, size in _sizes(state).items()}
    return pa.table(columns)


def _sizes(state: State) -> dict[str, int]:
    """Return what a catalogue must have for the snapshot to fit: a damaged index can hide entries."""
    return {"parents": len(state.catalogue), "parties": len(state.catalogue.parties.words)}


def _changed(state: State, parents: np.ndarray) -> np.ndarray:
    """Return the rows that are not as issued as runs int64[k, 4]: first row, count, owner and stored state (0: born).

    A run ends with its segment.
    """
    parts = [np.zeros((0, 4), np.int64)]
    for number, low, high in _spans(state, parents):
        columns = state.columns[number]
        if len(columns.owners):
            owners, states = columns.owners[low:high], columns.states[low:high]
            at = np.flatnonzero((owners != 0) | (states != 0))
            segment = np.full(len(at), number)
            parts.append(np.stack([at + (columns.block.first_row + low), owners[at], states[at], segment], axis=1))
    rows = np.concatenate(parts)
    if not len(rows):
        return np.zeros((0, 4), np.int64)
    begins = np.flatnonzero(np.append(True, (rows[1:] - rows[:-1] != [1, 0, 0, 0]).any(axis=1)))
    counts = np.diff(np.append(begins, len(rows)))
    return np.stack([rows[begins, 0], counts, rows[begins, 1], rows[begins, 2]], axis=1)


def _set_changed(state: State, runs: np.ndarray) -> None:
    """Give the rows of runs that `_changed` made their owners and states."""
    blocks = state.catalogue.numbers["block"][state.catalogue.parent_of(runs[:, 0])]
    for number in np.unique(blocks).tolist():
        columns, some = state.columns[number], runs[blocks == number]
        columns.touch()
        first, counts, owners, states = some.T
        rows = np.repeat(first - columns.block.first_row - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        columns.owners[rows] = np.repeat(owners, counts)
        columns.states[rows] = np.repeat(states, counts)


def _spans(state: State, parents: np.ndarray) -> list[tuple[int, int, int]]:
    """Return each parent's (block, first row in it, the row after its last)."""
    spans = []
    for parent in parents.tolist():
        facts = {name: int(state.catalogue.numbers[name][parent]) for name in ("block", "first_row", "hours")}
        low = facts["first_row"] - state.catalogue.blocks[facts["block"]].first_row
        spans.append((facts["block"], low, low + facts["hours"]))
    return spans


def load(state: State, folder: Path, name: str) -> None:
    """Set a state, whose catalogue is that of the snapshot's position, as it was then. Raises `CorruptError`."""
    wrong = files.check(folder / SNAPSHOTS, name)
    if wrong:
        raise CorruptError(wrong)
    row = files.open_table(folder / SNAPSHOTS, name)
    if row["version"][0].as_py() != VERSION:
        raise CorruptError(f"{name} is a snapshot of another version")
    for what, size in _sizes(state).items():
        if row[what][0].as_py() != size:
            raise CorruptError(f"{name} was left with {row[what][0].as_py()} {what}, the journal gives {size}")

    def array(column: str, kind: type, shape: tuple[int, ...]) -> np.ndarray:
        return np.frombuffer(row[column][0].as_buffer(), dtype=kind).reshape(shape).copy()

    touched = array("touched", np.int64, (-1,))
    for number in np.unique(state.catalogue.numbers["block"][touched]).tolist():
        state.columns[number].touch()
    _set_changed(state, array("changed", np.int64, (-1, 4)))
    state.touched = set(touched.tolist())
    state.pieces.append(array("pieces", np.int64, (-1, len(PIECE_COLUMNS))))
    for number, of in enumerate(state.pieces.rows[:, ROW].tolist()):
        state.pieces_of.setdefault(of, []).append(number)
    state.touches.append(array("touches", np.int64, (-1, 2)))
    state.claims.append(array("claims", np.int64, (-1, 2)))
    for word in row["references"][0].as_py():
        state.references.add(word)
    figures = array("trades", np.int64, (-1, 4)).tolist()
    state.trades = dict(zip(row["currencies"][0].as_py(), figures, strict=True))
    for column in ("by_owner", "by_source", "by_month"):
        have = getattr(state, column)
        setattr(state, column, array(column, np.int64, (-1, *have.shape[1:])))
    state.position = int(row["position"][0].as_py())
    state.make_room()
