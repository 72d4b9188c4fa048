"""The state at a position, as one file: a cache, so that opening need not replay everything. May be deleted."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.errors import CorruptError
from gcr_fast.registry import segments as files
from gcr_fast.registry.state import PIECE_COLUMNS, ROW, State

if TYPE_CHECKING:
    import pyarrow as pa

SNAPSHOTS = "snapshots"
"""The folder of snapshots."""
VERSION = 2


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
    """One row: every array as bytes. Of owners and states, only the parents that were touched."""
    import pyarrow as pa

    touched = np.array(sorted(state.touched), dtype=np.int64)
    currencies = sorted(state.trades)
    arrays = {
        "touched": touched,
        "owners": _gather(state, touched, "owners", np.int32),
        "states": _gather(state, touched, "states", np.int8),
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


def _gather(state: State, parents: np.ndarray, name: str, kind: type) -> np.ndarray:
    parts: list[np.ndarray] = [np.zeros(0, kind)]
    for block, low, high in _spans(state, parents):
        column = getattr(state.columns[block], name)
        parts.append(column[low:high] if len(column) else np.zeros(high - low, kind))
    return np.concatenate(parts)


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
    owners, states = array("owners", np.int32, (-1,)), array("states", np.int8, (-1,))
    at = 0
    for block, low, high in _spans(state, touched):
        columns = state.columns[block]
        columns.touch()
        columns.owners[low:high] = owners[at : at + high - low]
        columns.states[low:high] = states[at : at + high - low]
        at += high - low
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
