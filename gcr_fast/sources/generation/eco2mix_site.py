"""RTE eco2mix as RTE's own site gives it: a text of tabs that is called .xls, in French local time without an offset.

The same in another delimiter, as spreadsheets save it, is read as well. What the portal's fields are is told elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.columns import as_text, encode, one_array
from gcr_fast.findings import Findings, RefusedError
from gcr_fast.periods import DAY_S
from gcr_fast.sources.cells import report
from gcr_fast.sources.clock import walk
from gcr_fast.sources.doubled import Walk, account_unclear, walk_once
from gcr_fast.sources.files import File, Table, refuse
from gcr_fast.sources.portions import labels_of
from gcr_fast.sources.words import normalised

if TYPE_CHECKING:
    from gcr_fast.sources.model import Readings

ZONE = "Europe/Paris"
PERIMETER, DATE, HOUR = "perimetre", "date", "heure"
_FIELDS = frozenset({PERIMETER, "nature", DATE, HOUR})
_ONE_HOUR = "the hour that happens twice in autumn"
_NOTE = "rte ne pourra"
"""How the publisher's note begins, which stands alone on the last line."""
_LAYOUTS = ("%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M")
_REGIONS = {
    "auvergne_rhone_alpes": 84,
    "bourgogne_franche_comte": 27,
    "bretagne": 53,
    "centre_val_de_loire": 24,
    "grand_est": 44,
    "hauts_de_france": 32,
    "ile_de_france": 11,
    "normandie": 28,
    "nouvelle_aquitaine": 75,
    "occitanie": 76,
    "paca": 93,
    "pays_de_la_loire": 52,
    "provence_alpes_cote_d_azur": 93,
}
"""The official numbers of regions, by which the portal names their areas."""


@dataclass(frozen=True)
class Rows(Table):
    """A table whose rows know their lines."""

    at: np.ndarray
    """int64[n]: the line of each row."""

    @property
    def lines(self) -> np.ndarray:
        """int64[n]: the line of each row."""
        return self.at


def has_fields(fields: Collection[str]) -> bool:
    """Whether a header has what RTE's site has for a time: local date and hour, beside the perimeter and the nature."""
    return _FIELDS.issubset(fields)


def read_rows(file: File) -> tuple[Rows, int]:
    """Return (the table as text, how many lines are the publisher's note)."""
    import pyarrow as pa

    rows = file.rows(file.delimiter)
    header = [cell.strip() for cell in next(rows, (1, []))[1]]
    names = header[: max((at for at, name in enumerate(header, start=1) if name), default=0)]
    body, notes = [], 0
    for line, cells in rows:
        if cells[0].strip().lower().startswith(_NOTE):
            notes += 1
        else:
            body.append((line, cells))
    if not body:
        refuse(file, "has a header, but no rows", "empty_file")
    _check_lengths(file, body, len(names), len(header))
    columns = zip(*(cells[: len(names)] for _, cells in body), strict=True)
    table = pa.table([pa.array(column, pa.string()) for column in columns], names=_named(names))
    at = np.array([line for line, _ in body], dtype=np.int64)
    return Rows(table, int(at[0]), at), notes


def _check_lengths(file: File, body: list[tuple[int, list[str]]], names: int, header: int) -> None:
    """Refuse all rows that have not as many cells as most, or these not one for each name and at most an empty one.

    Rows end with a delimiter more than the header. All do or none: else a row that has lost a cell would pass for one.
    """
    ((most, _),) = Counter(len(cells) for _, cells in body).most_common(1)
    wanted = most if most in {names, names + 1, header} else names
    findings = Findings()
    for line, cells in body:
        if len(cells) != wanted:
            what = f"expected {wanted} cells, found {len(cells)}"
            findings.add("malformed_row", what, file=file.name, line=line)
        elif any(cells[names:]):
            findings.add("malformed_row", "has a cell under no name", file=file.name, line=line)
    if len(findings):
        raise RefusedError(findings)


def _named(names: list[str]) -> list[str]:
    return [name or f"column {at}" for at, name in enumerate(names, start=1)]


def areas(readings: Readings, table: Table, name: str = PERIMETER) -> tuple[np.ndarray, list[str]]:
    """Return (area int64[n] of each row, names): `FR`, or `FR-` and the region's official number, else its name.

    `name`: the column that has France or the regions by their names.
    """
    column = table.columns[name]
    codes, words = encode(as_text(one_array(column)))
    texts = [str(word).strip() for word in words]
    blank = np.array([*(not text for text in texts), True])[codes]
    report(readings.findings, readings.file, blank, table.lines, name, None, "is empty")
    readings.findings.check()
    names = [_area(text) for text in texts]
    distinct = list(dict.fromkeys(names))
    places = np.array([distinct.index(name) for name in names], dtype=np.int64)
    return places[codes], distinct


def _area(perimeter: str) -> str:
    word = normalised(perimeter)
    return "FR" if word == "france" else f"FR-{_REGIONS.get(word, perimeter)}"


def local_starts(readings: Readings, table: Table, key: np.ndarray) -> Walk:
    """Return the UTC starts of all rows, and which are of the hour that spring skips; `key` int64[n] tells areas apart.

    Files have 96 quarters on every day: in spring with rows of an hour that does not exist, in autumn with one hour
    of the two, which is taken for the first, and noted. Where a file has both, the order tells them apart, and what it
    does not tell is unclear.
    """
    import pyarrow.compute as pc

    date, hour = (as_text(one_array(table.columns[name])) for name in (DATE, HOUR))
    labels = pc.binary_join_element_wise(pc.utf8_trim_whitespace(date), pc.utf8_trim_whitespace(hour), " ")
    found = labels_of(labels, *_LAYOUTS)
    what = "is not like 2020-12-31 23:45 or 31/12/2020 23:45"
    report(readings.findings, readings.file, found.bad, table.lines, DATE, labels, what)
    readings.findings.check()
    lines = table.lines
    walked, original = walk_once(
        readings, lambda rows: walk(found.seconds[rows], ZONE, key[rows]), found.seconds, key, lines
    )
    alone = _alone(walked, original, found.seconds, key)
    if alone.any():
        readings.notes[_ONE_HOUR] = "is there once, and taken for the first"
    walked = walked._replace(unclear=walked.unclear & ~alone)
    account_unclear(readings, walked, lines)
    return walked


def _alone(walked: Walk, original: np.ndarray, local_s: np.ndarray, key: np.ndarray) -> np.ndarray:
    """bool[n]: unclear rows of a day and an area in which no label stands twice, but for rows that repeat another."""
    first = np.flatnonzero(walked.unclear & (original == np.arange(len(original))))
    labels, counts = np.unique(np.stack([key[first], local_s[first]]), axis=1, return_counts=True)
    twice = {(area, local // DAY_S) for area, local in labels[:, counts > 1].T.tolist()}
    alone = np.zeros(len(original), dtype=bool)
    rows = np.flatnonzero(walked.unclear)
    days = zip(key[rows].tolist(), (local_s[rows] // DAY_S).tolist(), strict=True)
    alone[rows] = [day not in twice for day in days]
    return alone
