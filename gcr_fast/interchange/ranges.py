"""Numbers of bundles: whose they are, which two bundles have, and which are gone after a split.

The Wh of one device are numbered one after another, and a bundle is a range of them, both ends included. A row without
a device is numbered within its issuance.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.columns import encode, exact_sum
from gcr_fast.fields import SHOWN_VALUE, Fields
from gcr_fast.units import mwh_text

if TYPE_CHECKING:
    import pyarrow as pa

START = "certificate_bundle_id_range_start"


def numbering(fields: Fields) -> np.ndarray:
    """Return int64[n]: equal where numbers are of one device, or, in rows that name none, of one issuance."""
    issuances, _ = fields.words_or_none("issuance_id")
    devices, names = fields.words_or_none("device_id")
    return np.where(devices >= 0, devices, len(names) + 1 + issuances.astype(np.int64))


def refuse_overlaps(fields: Fields, low: np.ndarray, high: np.ndarray, alive: np.ndarray) -> None:
    """Report bundles whose numbers another one has, each with the row of that one.

    A bundle that was split is not `alive`, bool[n], and has an empty range: its numbers are those of its children.
    """
    codes = numbering(fields)
    order = np.lexsort((low, codes))
    highs = high[order]
    reach = _running_max(highs, codes[order])
    furthest = np.maximum.accumulate(np.where(highs == reach, np.arange(len(codes)), 0))
    same = codes[order][1:] == codes[order][:-1]
    hit = 1 + np.flatnonzero(same & (low[order][1:] <= reach[:-1]) & alive[order][1:])
    pairs = sorted(zip(order[hit].tolist(), order[furthest[hit - 1]].tolist(), strict=True))
    _report(fields, "serial_overlap", START, pairs, "begins a range that overlaps that of")


def refuse_namesakes(fields: Fields, ids: pa.ChunkedArray, alive: np.ndarray) -> None:
    """Report bundles alive, bool[n], of which an earlier one would have the same id as a certificate."""
    import pyarrow as pa

    rows = np.flatnonzero(alive)
    codes, names = encode(ids.take(pa.array(rows)))
    if len(names) == len(rows):
        return
    _, first, place = np.unique(codes, return_index=True, return_inverse=True)
    again = np.flatnonzero(first[place] != np.arange(len(rows)))
    pairs = list(zip(rows[again].tolist(), rows[first[place[again]]].tolist(), strict=True))
    _report(fields, "duplicate_id", "issuance_id", pairs, "would give two certificates one id: this row and")


def _report(fields: Fields, code: str, field: str, pairs: list[tuple[int, int]], what: str) -> None:
    """Add a finding for each pair of rows, at the first of them."""
    cells, column = fields.texts(field), fields.name(field)
    for row, other in pairs:
        value = ((None if cells is None else cells[row].as_py()) or "")[:SHOWN_VALUE]
        said = f"{field} {value!r} {what} {where(fields.place(other))}"
        fields.findings.add(code, said, column=column, value=value, **fields.place(row))


def where(place: Mapping[str, Any]) -> str:
    """Return where a row is, as a person would say it; its `place` as of a source."""
    return f"line {place['line']}" if place["line"] is not None else f"row {place['row']}"


def _running_max(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the largest value so far within each run of one code, int64[n]."""
    borders = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(values)]
    runs = [np.maximum.accumulate(values[a:b]) for a, b in pairwise(borders)]
    return np.concatenate(runs) if runs else values


def note_lost(fields: Fields, low: np.ndarray, high: np.ndarray, energy_wh: np.ndarray, alive: np.ndarray) -> int:
    """Warn of every range of a bundle that was split which no bundle alive has. Returns its Wh, over all.

    Arrays int64[n] and bool[n] are by row; ranges of bundles alive do not overlap.
    """
    lost = list[int]()
    for row, first, last in _lost(numbering(fields), low, high, alive):
        face = int(energy_wh[row]) // (int(high[row]) - int(low[row]) + 1)
        lost.append((last - first + 1) * face)
        place = fields.place(row)
        gone = f"no bundle has its numbers {first} to {last}: {mwh_text(lost[-1])} MWh are gone"
        what = f"{where(place)} was split, and {gone}"
        hint = "export its children, too: all accounts, and those that are cancelled, claimed or withdrawn"
        fields.findings.add("reading_note", what, column=START, value=f"{first}-{last}", hint=hint, **place)
    return exact_sum(np.array(lost, dtype=np.int64))


def _lost(codes: np.ndarray, low: np.ndarray, high: np.ndarray, alive: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Yield row, first and last number of each range that was split and is nowhere; at the largest bundle of it."""
    split = np.flatnonzero(~alive)
    if not len(split):
        return
    living = np.flatnonzero(alive & np.isin(codes, codes[split]))
    ranges: dict[int, tuple[list[int], list[int]]] = {}
    for row in living[np.argsort(low[living], kind="stable")].tolist():
        firsts, lasts = ranges.setdefault(int(codes[row]), ([], []))
        firsts.append(int(low[row]))
        lasts.append(int(high[row]))
    told = dict[int, int]()
    """By numbering, the first number that was not looked at: bundles may be split again."""
    for row in split[np.lexsort((-high[split], low[split]))].tolist():
        code, last = int(codes[row]), int(high[row])
        first = max(int(low[row]), told.get(code, 0))
        for begin, end in _holes(*ranges.get(code, ([], [])), first, last):
            yield row, begin, end
        told[code] = max(first, last + 1)


def _holes(firsts: list[int], lasts: list[int], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield what of `first` to `last` no range has; ranges are in order and do not overlap."""
    at = max(bisect_right(firsts, first) - 1, 0)
    while at < len(firsts) and firsts[at] <= last:
        if firsts[at] > first:
            yield first, firsts[at] - 1
        first = max(first, lasts[at] + 1)
        at += 1
    if first <= last:
        yield first, last
