"""Numbers of bundles: whose they are, which two bundles have, and which are gone after a split.

The Wh of one device are numbered one after another, and a bundle is a range of them, both ends included. A row without
a device is numbered within its issuance.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from gcr_fast.columns import exact_sum
from gcr_fast.fields import Fields
from gcr_fast.units import mwh_text

START = "certificate_bundle_id_range_start"


def numbering(fields: Fields) -> np.ndarray:
    """Return int64[n]: equal where numbers are of one device, or, in rows that name none, of one issuance."""
    issuances, _ = fields.words_or_none("issuance_id")
    devices, names = fields.words_or_none("device_id")
    return np.where(devices >= 0, devices, len(names) + 1 + issuances.astype(np.int64))


def refuse_overlaps(fields: Fields, low: np.ndarray, high: np.ndarray, alive: np.ndarray) -> None:
    """Report bundles whose numbers another one has, and those of several devices that would have one id.

    A bundle that was split is not `alive`, bool[n], and has an empty range: its numbers are those of its children.
    """
    codes = numbering(fields)
    order = np.lexsort((low, codes))
    same = codes[order][1:] == codes[order][:-1]
    reach = _running_max(high[order], codes[order])
    twice = np.zeros(len(codes), dtype=bool)
    twice[order[1:]] = same & (low[order][1:] <= reach[:-1])
    fields.report("serial_overlap", twice & alive, START, "begins a range that overlaps another")
    shared = _shared(fields.words_or_none("issuance_id")[0], low, high, codes) & alive
    what = "begins a range that two devices have of one issuance: it would give two certificates one id"
    fields.report("duplicate_id", shared, START, what)


def _shared(issuances: np.ndarray, low: np.ndarray, high: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return bool[n]: rows whose issuance and range another row has, in another numbering. Empty ranges share none."""
    order = np.lexsort((codes, high, low, issuances))
    alike = high[order][1:] >= low[order][1:]
    for column in (issuances, low, high):
        alike &= column[order][1:] == column[order][:-1]
    alike &= codes[order][1:] != codes[order][:-1]
    shared = np.zeros(len(codes), dtype=bool)
    shared[order[1:][alike]] = True
    shared[order[:-1][alike]] = True
    return shared


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
        where = f"line {place['line']}" if place["line"] is not None else f"row {place['row']}"
        what = f"{where} was split, and no bundle has its numbers {first} to {last}: {mwh_text(lost[-1])} MWh are gone"
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
