"""A conversion's files on their way into the registry: segments and parents, written and synced, and their entry."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.codes import BIRTH_STATUS, STATUSES
from gcr_fast.columns import exact_sum, utc_seconds
from gcr_fast.conversion.blocks import BlockHours
from gcr_fast.parallel import ordered_map
from gcr_fast.processor import Conversion
from gcr_fast.registry import merkle
from gcr_fast.registry import segments as files
from gcr_fast.registry.catalogue import SEGMENTS
from gcr_fast.registry.entries import Entry
from gcr_fast.registry.proof import HASH_BYTES
from gcr_fast.registry.stored import STORED, months, zeros_by_month

if TYPE_CHECKING:
    import pyarrow as pa

SYNCING = 8
"""Threads that wait for the disk: they compute nothing, and the more there are, the less those who do wait for them."""


@dataclass(frozen=True)
class Staged:
    """Files that are written and synced, and the entry that would make them part of the registry."""

    entry: Entry
    content: str
    """Equal for equal issues: the SHA-256 over the names of its files."""
    by_month: np.ndarray
    """int64[months, stored states, 2]: certificates and Wh that it adds."""


def stage(
    conversion: Conversion, folder: Path, owners: list[str], at_s: int, actor: str, key: str,
    progress: Callable[[int], None] | None = None,
) -> Staged:  # fmt: skip
    """Write the segments and the table of parents, and sync them. An orphan, until its entry is in the journal.

    `progress` is called with the number of parents just stored.
    """
    place = folder / SEGMENTS
    stored = _store(conversion, place, progress)
    leaves = b"".join(block.leaves for block in stored)

    def parents() -> tuple[pa.Table, str]:
        table = conversion.parents_table(np.concatenate([block.rows for block in stored]), owners)
        return table, files.write_table(place, table).name

    at_once: list[Callable[[], Any]] = [lambda: merkle.root(leaves).hex(), parents]
    root, (table, name) = ordered_map(lambda work: work(), at_once, 2)
    files.sync_folder(place)
    names = [name, *(block.name for block in stored)]
    content = hashlib.sha256("\n".join(names).encode()).hexdigest()
    texts = {
        "content": content,
        "leaves": str(len(leaves) // HASH_BYTES),
        "merkle_root": root,
        "parents": name,
        "segments": " ".join(block.name for block in stored),
        "shapes": " ".join(block.shape for block in stored),
    } | {word.replace("gcr_fast.", "made."): text for word, text in conversion.metadata.items()}
    entry = Entry(
        "issue", at_s, actor, key,
        certificates=exact_sum(table["certificates"].to_numpy()),
        energy_wh=exact_sum(table["issued_wh"].to_numpy()),
        texts=tuple(sorted(texts.items())),
    )  # fmt: skip
    return Staged(entry, content, sum((block.by_month for block in stored), zeros_by_month()))


# --- segments


@dataclass
class _Stored:
    """A segment: all of it is with the system, and with `finished`, on disk."""

    rows: np.ndarray
    file: files.EnergyFile
    leaves: bytes
    by_month: np.ndarray
    name: str = ""

    @property
    def shape(self) -> str:
        return "{}x{}".format(*self.file.shape)

    def finished(self) -> _Stored:
        self.name = self.file.finish().name
        return self


def _store(conversion: Conversion, place: Path, progress: Callable[[int], None] | None) -> list[_Stored]:
    """Write the segments: one thread of computing for each core, and beside them those that wait for the disk."""
    writing = _Writing(conversion, place)
    stored = []
    try:
        for block in ordered_map(_Stored.finished, conversion.map_blocks(writing.write), SYNCING):
            stored.append(block)
            if progress is not None:
                progress(len(block.rows))
    finally:
        for file in writing.begun:
            file.discard()
    return stored


class _Writing:
    """Writes blocks as they are computed; each part is hashed, written and summed while it is in cache."""

    def __init__(self, conversion: Conversion, place: Path) -> None:
        table = conversion.annual.table
        self.place = place
        self.begun: list[files.EnergyFile] = []
        self.ids = table["certificate_id"].to_pylist()
        self.starts = utc_seconds(table["production_start"], "production_start")
        born = {purpose: STATUSES.index(status) + 1 for purpose, status in BIRTH_STATUS.items()}
        self.states = np.array([born[purpose] for purpose in table["purpose"].to_pylist()], dtype=np.int64)

    def write(self, block: BlockHours) -> _Stored:
        """Write a segment, but for its end, which waits for the disk."""
        rows, steps, by_month = block.rows, block.steps_s, zeros_by_month()
        file = files.EnergyFile(self.place, len(rows), block.hours, block.kind)
        self.begun.append(file)
        at = 0
        for part in block.parts():
            file.add(part)
            some = slice(at, at + len(part))
            self._sum(part, rows[some], steps[some], by_month)
            at = some.stop
        named, width = [self.ids[row] for row in rows.tolist()], file.kind.itemsize
        leaves = merkle.leaves_over(named, self.starts[rows], steps, block.hours, width, file.pieces)
        return _Stored(rows, file, leaves, by_month)

    def _sum(self, energy: np.ndarray, rows: np.ndarray, steps: np.ndarray, by_month: np.ndarray) -> None:
        from gcr_fast.kernels.aggregate import born

        nobody = np.zeros(len(rows), np.int64)  # owners and sources are summed from the table of parents
        aside = np.zeros((1, STORED, 2), np.int64)
        born(energy, self.starts[rows], steps, nobody, self.states[rows], nobody, months(), aside, aside, by_month)
