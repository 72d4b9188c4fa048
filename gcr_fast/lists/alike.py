"""Rows of certificate lists as columns: which of them share a serial number or an id, in one list or in several.

Columns of hashes tell which rows may be one certificate; whole rows are made of those alone, and their texts decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from gcr_fast.ranges import is_short, space_of
from gcr_fast.sources.certificates.held import NONE, Said
from gcr_fast.sources.certificates.reading import Listing
from gcr_fast.sources.certificates.serials import canonical, canonical_each
from gcr_fast.sources.certificates.statuses import UNDONE, Meaning

GONE = frozenset({"CONVERTED", "EXPIRED", "WITHDRAWN"})
"""States in which a certificate is no more; one that was cancelled cannot come to any of them."""

_APART = np.int64(0x1E3779B97F4A7C15)
"""Makes another number of the hash of an issuer than of the same text as a prefix."""


class Row(NamedTuple):
    """What has to be known of a row to find it elsewhere."""

    file: str
    line: int | None
    identity: str
    space: Any
    """Serial numbers of one space can be compared."""
    span: tuple[int, int] | None
    status: str
    word: str
    """The status as the list gives it."""
    gone: bool
    """Whether no certificate can be cancelled and this."""
    in_history: bool = False
    """Whether it is a transaction, of which a certificate may have several."""

    @property
    def place(self) -> str:
        """Where it is, as a person would say it."""
        return f"{self.file}, line {self.line}" if self.line is not None else self.file


@dataclass
class Rows:
    """The rows of one file, in order."""

    space: np.ndarray
    """int64[n]: equal where serial numbers can be compared, and almost never elsewhere."""
    low: np.ndarray
    """int64[n]: first serial number, `NONE` where there are none."""
    high: np.ndarray
    identity: np.ndarray
    """int64[n]: equal where ids are the same, and almost never elsewhere."""
    told: np.ndarray
    """bool[n]: whether the list itself gives the identity."""
    states: Sequence[tuple[str, bool]]
    """The status, and whether no certificate can be cancelled and this, for each code."""
    state: np.ndarray
    """Codes of states."""
    kept: np.ndarray
    """bool[n]: rows that are in the table."""
    in_history: bool
    """Whether they are transactions, of which a certificate may have several."""
    whole: Callable[[np.ndarray], list[Row]]
    """Makes some rows int64[k], which ascend."""

    def __len__(self) -> int:
        return len(self.low)

    def having(self, statuses: frozenset[str], gone: bool = False) -> np.ndarray:
        """bool[n]: rows in one of some states; those that are gone, too, if they are asked for."""
        wanted = [status in statuses or (gone and is_gone) for status, is_gone in self.states]
        found: np.ndarray = np.array(wanted, dtype=bool)[self.state]
        return found


class Everything:
    """The rows of all files, one after another; a row is its position among them."""

    def __init__(self, files: Sequence[Rows]) -> None:
        self.files = files
        self.begins = np.cumsum([0, *map(len, files)])
        self._space, self.low, self._high, self._identity, self.told = (
            _joined([getattr(one, name) for one in files]) for name in ("space", "low", "high", "identity", "told")
        )

    def where(self, masks: Iterable[np.ndarray]) -> np.ndarray:
        """Return the rows that bool[n] of each file tell."""
        return _joined([np.flatnonzero(mask) + begin for mask, begin in zip(masks, self.begins, strict=False)])

    def touching(self, rows: np.ndarray) -> list[Row]:
        """Return those of some rows whose serial numbers another of them has, in order."""
        known = rows[self.low[rows] != NONE]
        return self._whole(known[touching(self._space[known], self.low[known], self._high[known])])

    def namesakes(self, rows: np.ndarray) -> list[Row]:
        """Return those of some rows whose id another of them has, in order."""
        names, place, counts = np.unique(self._identity[rows], return_inverse=True, return_counts=True)
        return self._whole(rows[counts[place] > 1]) if len(names) < len(rows) else []

    def _whole(self, rows: np.ndarray) -> list[Row]:
        cuts = np.searchsorted(rows, self.begins).tolist()
        parts = zip(self.files, self.begins.tolist(), pairwise(cuts), strict=False)
        return [row for file, begin, (low, high) in parts for row in file.whole(rows[low:high] - begin)]


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    if not parts:
        return np.empty(0, dtype=np.int64)
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def touching(space: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the positions, ascending, of ranges int64[n] that share a number with another of their space.

    Ranges that overlap come in clusters, with gaps between them: all of each is returned, whoever meets whom in it.
    """
    order = np.lexsort((low, space))
    space, low, high = space[order], low[order], high[order]
    apart = space[1:] != space[:-1]
    if (apart | (low[1:] > high[:-1])).all():  # of two that meet, the first meets its neighbour
        return np.empty(0, dtype=np.int64)
    highs, rank = np.unique(high, return_inverse=True)
    reach = np.maximum.accumulate(np.cumsum([0, *apart]) * len(highs) + rank) % len(highs)
    cluster = np.cumsum([0, *(apart | (low[1:] > highs[reach[:-1]]))])
    return np.sort(order[np.bincount(cluster)[cluster] > 1])


def rows_of(listing: Listing, kept: np.ndarray) -> Rows:
    """Return the rows of a list that was read, bool[n] of which are kept."""
    held = listing.held
    said = list(held.meanings.said)
    short = held.digests("prefix", lambda texts: map(is_short, canonical_each(texts))) > 0
    return Rows(
        space=held.digests("prefix", canonical_each)
        + np.where(short, held.digests("issuer", canonical_each) * _APART, 0),
        low=held.numbers("low"),
        high=held.numbers("high"),
        identity=held.digests("certificate_id", canonical_each),
        told=held.numbers("told"),
        states=[(one.meaning.status, _is_gone(one.meaning)) for one in said],
        state=held.numbers("said"),
        kept=kept,
        in_history=listing.in_history,
        whole=lambda rows: _whole(listing, rows),
    )


def rows_of_ours(rows: Sequence[Row], kept: np.ndarray) -> Rows:
    """Return the rows of one of our own files, bool[n] of which are kept."""
    states = {state: code for code, state in enumerate(dict.fromkeys((row.status, row.gone) for row in rows))}
    spans = np.array([row.span or (NONE, NONE) for row in rows], dtype=np.int64).reshape(-1, 2)
    parts = [row.space if isinstance(row.space, tuple) else (None, row.space) for row in rows]
    issuers, prefixes = np.array([[hash(part or "") for part in pair] for pair in parts], np.int64).reshape(-1, 2).T
    return Rows(
        space=prefixes + issuers * _APART,
        low=spans[:, 0],
        high=spans[:, 1],
        identity=np.array([hash(canonical(row.identity)) for row in rows], dtype=np.int64),
        told=np.ones(len(rows), dtype=bool),
        states=list(states),
        state=np.array([states[row.status, row.gone] for row in rows], dtype=np.int64),
        kept=kept,
        in_history=False,
        whole=lambda some: [rows[at] for at in some.tolist()],
    )


def _is_gone(meaning: Meaning) -> bool:
    return meaning.status in GONE or meaning == UNDONE


def _whole(listing: Listing, rows: np.ndarray) -> list[Row]:
    held, said = listing.held, list(listing.held.meanings.said)
    columns = (
        *(held.text(name, rows).to_pylist() for name in ("certificate_id", "prefix", "issuer")),
        *(held.numbers(name)[rows].tolist() for name in ("line", "low", "high", "said")),
    )
    made = (_row(listing.file.name, said[code], *cells) for *cells, code in zip(*columns, strict=True))
    return [row._replace(in_history=listing.in_history) for row in made]


def _row(
    file: str, said: Said, name: str, prefix: str | None, issuer: str | None, line: int, low: int, high: int
) -> Row:
    space, span = (space_of(prefix or "", issuer), (low, high)) if low != NONE else (None, None)
    return Row(file, line, name, space, span, said.meaning.status, said.word, _is_gone(said.meaning))
