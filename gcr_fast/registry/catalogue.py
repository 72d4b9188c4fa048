"""What was issued, by row number: parties, parents and segments. It only ever grows, by entries of the journal.

Row = position: a segment holds [parents, hours], its rows follow those of the segment before, and a parent's hours are
a slice of them. So a parent and a time need no index.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.codes import BASES, SOURCE_TYPES, STATUSES
from gcr_fast.columns import encode, utc_seconds
from gcr_fast.errors import CorruptError, UsageError
from gcr_fast.registry import segments as files
from gcr_fast.sources.certificates.serials import canonical_each

if TYPE_CHECKING:
    import pyarrow as pa

SEGMENTS = "segments"
"""The folder of segment and parent files."""


class Vocabulary:
    """Words numbered in the order in which they came, from 0; None is -1."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._codes: dict[str, int] = {}
        self._array: pa.Array | None = None

    @property
    def array(self) -> pa.Array:
        """The words as an Arrow array of text."""
        if self._array is None or len(self._array) != len(self.words):
            import pyarrow as pa

            self._array = pa.array(self.words, pa.string())
        return self._array

    def add(self, word: str) -> int:
        """Return a word's number; a new word gets the next one."""
        if word not in self._codes:
            self._codes[word] = len(self.words)
            self.words.append(word)
        return self._codes[word]

    def find(self, word: str) -> int | None:
        """Return a word's number, None if it was never added."""
        return self._codes.get(word)

    def encode(self, column: pa.ChunkedArray) -> np.ndarray:
        """Return the numbers of a column of text, int64[n], adding what is new."""
        codes, values = encode(column)
        known = np.array([self.add(str(value)) for value in values] + [-1], dtype=np.int64)
        numbers: np.ndarray = known[codes]
        return numbers


@dataclass(frozen=True, eq=False)
class Block:
    """One segment: some parents with the same number of intervals."""

    number: int
    name: str
    folder: Path
    first_row: int
    first_parent: int
    parents: int
    hours: int

    @property
    def rows(self) -> int:
        """Intervals in it, with and without energy."""
        return self.parents * self.hours

    @cached_property
    def energy(self) -> np.ndarray:
        """int32 or int64 [parents, hours] Wh, mapped when first asked for; read-only."""
        return files.open_energy(self.folder, self.name, self.parents, self.hours)

    @cached_property
    def flat(self) -> np.ndarray:
        """The same laid flat."""
        return self.energy.reshape(-1)


@dataclass(frozen=True)
class Grids:
    """The times that parents share: few differ in when their intervals begin, how long they are and how many."""

    of: np.ndarray
    """int64[parents]: the grid of each."""
    start_s: np.ndarray
    step_s: np.ndarray
    hours: np.ndarray


NUMBERS = (
    "first_row", "block", "hours", "start_s", "step_s", "source", "basis", "state", "owner", "device", "country",
    "energy_wh", "issued_wh", "residual_wh", "certificates", "issue",
)  # fmt: skip
"""The int64 columns over all parents. `state` is stored (code + 1), `owner` a party."""


@dataclass
class Catalogue:
    """Everything that was issued, and to whom."""

    folder: Path
    parties: Vocabulary = field(default_factory=Vocabulary)
    """Party n of the journal is word n - 1."""
    devices: Vocabulary = field(default_factory=Vocabulary)
    countries: Vocabulary = field(default_factory=Vocabulary)
    blocks: list[Block] = field(default_factory=list)
    tables: list[pa.Table] = field(default_factory=list)
    """The parents of each issue, as stored."""
    roots: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    """Per issue entry: Merkle root, first parent, number of parents."""
    numbers: dict[str, np.ndarray] = field(default_factory=lambda: {name: np.zeros(0, np.int64) for name in NUMBERS})

    def __len__(self) -> int:
        return len(self.numbers["first_row"])

    def __getattr__(self, name: str) -> np.ndarray:
        """Return one of `NUMBERS` as int64[parents]."""
        if name in NUMBERS:
            column: np.ndarray = self.numbers[name]
            return column
        raise AttributeError(name)

    @property
    def rows(self) -> int:
        """Rows so far."""
        return self.blocks[-1].first_row + self.blocks[-1].rows if self.blocks else 0

    def party(self, code: int) -> str:
        """Return a party's name."""
        return self.parties.words[code - 1]

    def party_code(self, name: str) -> int:
        """Return a party's code, 0 if there is none of that name."""
        code = self.parties.find(name)
        return 0 if code is None else code + 1

    def add_issue(self, seq: int, texts: dict[str, str]) -> list[Block]:
        """Take in the segments and parents of an issue entry. Returns its blocks."""
        wrong = files.check(self.folder / SEGMENTS, texts["parents"])  # all that is said of parents rests on it
        if wrong:
            raise CorruptError(wrong)
        table = files.open_table(self.folder / SEGMENTS, texts["parents"])
        shapes = [tuple(map(int, shape.split("x"))) for shape in texts["shapes"].split()]
        first_parent, row = len(self), self.rows
        self.roots[seq] = (texts["merkle_root"], first_parent, table.num_rows)
        blocks: list[Block] = []
        for name, (parents, hours) in zip(texts["segments"].split(), shapes, strict=True):
            place = len(self.blocks) + len(blocks)
            blocks.append(Block(place, name, self.folder / SEGMENTS, row, first_parent, parents, hours))
            row, first_parent = row + parents * hours, first_parent + parents
        if first_parent - len(self) != table.num_rows:
            raise CorruptError(f"issue {seq}: {table.num_rows} parents, but segments of {first_parent - len(self)}")
        self._add_parents(table, blocks, seq)
        self.blocks += blocks
        self.tables.append(table)
        for derived in ("ids", "place_of", "compared", "grids", "first_parents"):
            self.__dict__.pop(derived, None)
        return blocks

    def _add_parents(self, table: pa.Table, blocks: list[Block], seq: int) -> None:
        counts = [block.parents for block in blocks]
        places = np.concatenate([np.arange(count) for count in counts]) if counts else np.zeros(0, np.int64)
        hours = np.repeat([block.hours for block in blocks], counts).astype(np.int64)
        fresh = {
            "first_row": np.repeat([block.first_row for block in blocks], counts) + places * hours,
            "block": np.repeat([block.number for block in blocks], counts),
            "hours": hours,
            "start_s": utc_seconds(table["production_start"], "production_start"),
            "source": _positions(table["source_type"], SOURCE_TYPES),
            "basis": _positions(table["allocation_basis"], BASES),
            "state": _positions(table["status"], STATUSES) + 1,
            "owner": self.parties.encode(table["owner"]) + 1,
            "device": self.devices.encode(table["device_id"]),
            "country": self.countries.encode(table["country"]),
            "issue": np.full(len(places), seq),
        }
        plain = ("step_s", "energy_wh", "issued_wh", "residual_wh", "certificates")
        fresh |= {name: table[name].to_numpy() for name in plain}
        self.numbers = {name: np.concatenate([self.numbers[name], fresh[name].astype(np.int64)]) for name in NUMBERS}

    @cached_property
    def ids(self) -> pa.Array:
        """Every parent's certificate id, by parent."""
        import pyarrow as pa

        if not self.tables:
            return pa.array([], pa.string())
        return pa.chunked_array(
            [c for t in self.tables for c in t["certificate_id"].chunks], pa.string()
        ).combine_chunks()

    @cached_property
    def place_of(self) -> dict[str, int]:
        """The parent of each certificate id."""
        return {name: at for at, name in enumerate(self.ids.to_pylist())}

    @cached_property
    def compared(self) -> dict[str, int]:
        """The parent of each certificate id as two are compared: neither case nor blanks make another one."""
        return {name: at for at, name in enumerate(canonical_each(self.ids.to_pylist()))}

    def place(self, name: Any) -> int:
        """Return the parent of a certificate id; `UsageError` if there is none."""
        place = self.place_of.get(name) if isinstance(name, str) else None
        if place is None:
            raise UsageError(f"no parent certificate {name!r} in this registry")
        return place

    @cached_property
    def grids(self) -> Grids:
        """The times of all parents."""
        of, facts = np.zeros(len(self), np.int64), (self.numbers[name] for name in ("start_s", "step_s", "hours"))
        for column in facts:
            values, codes = np.unique(column, return_inverse=True)
            _, firsts, of = np.unique(of * len(values) + codes, return_index=True, return_inverse=True)
        return Grids(of, *(self.numbers[name][firsts] for name in ("start_s", "step_s", "hours")))

    @cached_property
    def first_parents(self) -> np.ndarray:
        """int64[segments + 1]: the first parent of each, and the end of the last."""
        return np.array([block.first_parent for block in self.blocks] + [len(self)], dtype=np.int64)

    def parent_of(self, rows: np.ndarray) -> np.ndarray:
        """Return the parent of each row, int64[n]."""
        parents: np.ndarray = np.searchsorted(self.first_row, rows, side="right") - 1
        return parents

    def one_parent_of(self, row: int) -> int:
        """Return the parent of one row."""
        return int(self.numbers["first_row"].searchsorted(row, side="right")) - 1

    def block_of(self, row: int) -> Block:
        """Return the segment that a row is in."""
        number: int = self.numbers["block"].item(self.one_parent_of(row))
        return self.blocks[number]

    def describe(self, parent: int) -> dict[str, Any]:
        """Return a parent's row of its issue's table."""
        at = parent
        for table in self.tables:
            if at < table.num_rows:
                return dict(table.slice(at, 1).to_pylist()[0])
            at -= table.num_rows
        raise IndexError(parent)


def _positions(column: pa.ChunkedArray, words: tuple[str, ...]) -> np.ndarray:
    """Return the position of each text in a closed vocabulary, int64[n]."""
    codes, values = encode(column)
    place = {word: at for at, word in enumerate(words)}
    positions: np.ndarray = np.array([place[str(value)] for value in values], dtype=np.int64)[codes]
    return positions
