"""Which of two hours of one name a row is of: the clock was set back between them, and the order of rows tells when.

In a file whose times ascend (or all descend) the one step back is the change: what stands before it is of the first
hour, what stands after it of the second, whichever rows are missing. Where no step is there, or several are, the order
does not tell, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcr_fast.periods import DAY_S
from gcr_fast.sources.repeats import word_for_word

if TYPE_CHECKING:
    from gcr_fast.sources.model import Readings

UNCLEAR, FIRST, SECOND = range(3)
"""What is known of a row: nothing, or of which of the two hours it is."""
SHOWN_LINES = 12
MOST_REPEATS = 16
"""How often one row may stand in a file and still be told from others."""
_DROPPED = "rows of an hour that happens twice: nothing tells which of the two is meant"
_UNKNOWN = (
    "stand in an hour that happens twice, as the clock is set back, and neither label nor order of rows tells which of "
    "the two is meant: not read, and both are left empty"
)


class Walk(NamedTuple):
    """Local labels turned into UTC."""

    seconds: np.ndarray
    """int64[n] UTC; where unclear, of the first of the two hours."""
    skipped: np.ndarray
    """bool[n]: the clock change skips this local time."""
    doubled: np.ndarray
    """bool[n]: this local time happens twice on that day."""
    unclear: np.ndarray
    """bool[n]: it happens twice, and nothing tells which of the two is meant."""


class Window(NamedTuple):
    """Local wall-clock seconds that happen twice, the end exclusive."""

    begin_s: int
    end_s: int


def hours_of(
    local_s: np.ndarray, windows: list[Window], key: np.ndarray | None, told: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return (the rows int64[k] inside of the windows, of which hour each is int8[k]).

    `local_s` int64[n] are in the file's order; `key` int64[n] tells series apart, each of which has an order of its
    own; `told` int8[n] is what labels tell by themselves, which no order overrules. Windows ascend.
    """
    rows, hours = [np.zeros(0, np.int64)], [np.zeros(0, np.int8)]
    for window, some in _near(local_s, windows, key):
        labels = local_s[some]
        inside = (labels >= window.begin_s) & (labels < window.end_s)
        if inside.any():
            marks = np.zeros(len(some), np.int8) if told is None else told[some]
            rows.append(some[inside])
            hours.append(_of_series(labels, inside, marks))
    return np.concatenate(rows), np.concatenate(hours)


def _near(local_s: np.ndarray, windows: list[Window], key: np.ndarray | None) -> Iterator[tuple[Window, np.ndarray]]:
    """Yield each window with the rows int64[k] of its day, in the file's order, for each series apart."""
    first = int(local_s.min()) // DAY_S
    days = np.zeros(int(local_s.max()) // DAY_S - first + 1, np.int16)
    for at, window in enumerate(windows, start=1):
        low, high = window.begin_s // DAY_S - first, (window.end_s - 1) // DAY_S - first
        days[max(low, 0) : max(high + 1, 0)] = at
    place = days[local_s // DAY_S - first]
    near = np.flatnonzero(place)
    keys = np.zeros(len(near), np.int64) if key is None else key[near]
    order = np.lexsort((place[near], keys))  # which is stable: rows stay in the file's order
    apart = (np.diff(place[near[order]]) != 0) | (np.diff(keys[order]) != 0)
    for some in np.split(near[order], np.flatnonzero(apart) + 1):
        if len(some):
            yield windows[int(place[some[0]]) - 1], some


def _of_series(labels: np.ndarray, inside: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Return the hours int8[k] of the rows of one series and one day that are inside bool[n] of the window."""
    way = _direction(np.where(inside, labels[inside].min(), labels), inside)
    marks: np.ndarray = told[inside]
    return _ascending(labels[inside][::way], marks[::way])[::way] if way else marks


def _direction(labels: np.ndarray, inside: np.ndarray) -> int:
    """Return 1 for a day in order, -1 for one whose newest rows come first, 0 for neither, or for no other row at all.

    All rows inside have one label here. A label outside that stands there again tells nothing of the order.
    """
    seen = inside.copy()
    seen[np.unique(labels, return_index=True)[1]] = True
    steps = np.diff(labels[seen])
    return int((steps > 0).any()) - int((steps < 0).any())


def _ascending(labels: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Return the hours int8[k] of rows in order of time. What labels tell int8[k] stays if the order contradicts it."""
    steps = np.diff(labels)
    back = np.flatnonzero(steps < 0)
    if not len(back) and not steps.any():  # one label, as in a file of hours: its second mention is the second hour
        back = np.flatnonzero(steps == 0)
    hours = np.full(len(labels), UNCLEAR, np.int8)
    if len(back) == 1:
        hours[:] = SECOND
        hours[: back[0] + 1] = FIRST
    elif not len(back) and (told == FIRST).any():
        hours[: np.flatnonzero(told == FIRST)[-1] + 1] = FIRST
    if not len(back) and (told == SECOND).any():
        hours[np.flatnonzero(told == SECOND)[0] :] = SECOND
    contradicted = bool(((told != UNCLEAR) & (told != hours)).any())
    return told if contradicted or len(back) > 1 else hours


def walk_rows(
    readings: Readings,
    walk: Callable[[np.ndarray | slice], Walk],
    local_s: np.ndarray,
    key: np.ndarray | None,
    lines: np.ndarray,
) -> Walk:
    """Walk all rows, as `walk_once` does; those of which it stays unclear when they were are told to be dropped."""
    found, _ = walk_once(readings, walk, local_s, key, lines)
    account_unclear(readings, found, lines)
    return found


def walk_once(
    readings: Readings,
    walk: Callable[[np.ndarray | slice], Walk],
    local_s: np.ndarray,
    key: np.ndarray | None,
    lines: np.ndarray,
) -> tuple[Walk, np.ndarray]:
    """Walk all rows; return for each, int64[n], also the row that it repeats, which is itself for most.

    `walk` takes rows of a file, int64[k] or a slice, and walks them; `local_s` int64[n], `key` int64[n] and `lines`
    int[n] are of all rows. Rows that repeat an earlier one word for word would hide the order: each is taken for that.
    """
    found, rows = walk(slice(None)), np.arange(len(lines))
    if not found.unclear.any():
        return found, rows
    original = _originals(readings, found.unclear, local_s, key, lines)
    once = original == rows
    if not once.all():
        place = (np.cumsum(once) - 1)[original]
        found = type(found)(*(part[place] for part in walk(rows[once])))
    return found, original


def _originals(
    readings: Readings, unclear: np.ndarray, local_s: np.ndarray, key: np.ndarray | None, lines: np.ndarray
) -> np.ndarray:
    """Return for each row int64[n] the first that says the same, in a series on a day of which some is unclear.

    Elsewhere each is itself: two hours of one output, as at night, are no repeat where nothing is doubtful.
    """
    original, days = np.arange(len(local_s)), local_s // DAY_S
    near = rows_beside(unclear, days, key)
    keys = np.zeros(len(near), np.int64) if key is None else key[near]
    order = np.lexsort((local_s[near], keys))
    rows, parts = near[order], np.stack([keys[order], local_s[near][order]])
    for apart in range(1, min(MOST_REPEATS, len(rows))):
        same = (parts[:, apart:] == parts[:, :-apart]).all(axis=0)
        if not same.any():
            break
        before, again = rows[:-apart][same], rows[apart:][same]
        alike = word_for_word(readings, lines[before], lines[again])
        original[again[alike]] = np.minimum(original[again[alike]], original[before[alike]])
    return original


def rows_beside(marked: np.ndarray, days: np.ndarray, key: np.ndarray | None) -> np.ndarray:
    """Return the rows int64[k], ascending, that are of the series and day of one that is marked bool[n].

    `days` int64[n] count days, `key` int64[n] tells series apart.
    """
    near = np.flatnonzero(np.isin(days, np.unique(days[marked])))
    if key is None or not len(near):
        return near
    series = np.unique(key[near], return_inverse=True)[1]
    parts = series * (int(np.ptp(days[near])) + 1) + days[near] - days[near].min()
    rows: np.ndarray = near[np.isin(parts, np.unique(parts[marked[near]]))]
    return rows


def account_unclear(readings: Readings, walked: Walk, lines: np.ndarray) -> None:
    """Name the rows of which it is unclear when they were, and count them as dropped."""
    told = lines[walked.unclear].tolist()
    if told:
        some = ", ".join(map(str, told[:SHOWN_LINES])) + (", ..." if len(told) > SHOWN_LINES else "")
        readings.notes[f"line{'s' if len(told) > 1 else ''} {some}"] = _UNKNOWN
        readings.drop(_DROPPED, len(told))
