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
from gcr_fast.errors import RefusedError
from gcr_fast.findings import Findings
from gcr_fast.periods import local_to_utc
from gcr_fast.sources.cells import report
from gcr_fast.sources.clock import Walk, walk
from gcr_fast.sources.files import File, Table, refuse
from gcr_fast.sources.portions import labels_of
from gcr_fast.sources.words import normalised

if TYPE_CHECKING:
    from gcr_fast.sources.model import Readings

ZONE = "Europe/Paris"
PERIMETER, DATE, HOUR = "perimetre", "date", "heure"
_FIELDS = frozenset({PERIMETER, "nature", DATE, HOUR})
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
    of the two, which is taken for the first. Where a file has both, the order tells them apart, and if it does not,
    both are taken for the first, which is then doubtful; a row that is there again, cell by cell, is no other hour.
    """
    import pyarrow.compute as pc

    date, hour = (as_text(one_array(table.columns[name])) for name in (DATE, HOUR))
    labels = pc.binary_join_element_wise(pc.utf8_trim_whitespace(date), pc.utf8_trim_whitespace(hour), " ")
    found = labels_of(labels, *_LAYOUTS)
    what = "is not like 2020-12-31 23:45 or 31/12/2020 23:45"
    report(readings.findings, readings.file, found.bad, table.lines, DATE, labels, what)
    readings.findings.check()
    original = _original(table, found.seconds, key)
    once = original == np.arange(len(table))
    walked = walk(found.seconds[once], ZONE, key[once])
    place = (np.cumsum(once) - 1)[original]
    return Walk(*(part[place] for part in walked))


def _original(table: Table, local_s: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Return for each row the first row that says all that it says, int64[n]; itself outside of doubled hours."""
    local = local_to_utc(local_s, ZONE)
    rows = np.flatnonzero(local.earliest != local.latest)
    cells = [tuple(row.values()) for row in table.columns.take(rows).to_pylist()]
    said = zip(key[rows].tolist(), local_s[rows].tolist(), cells, strict=True)
    first: dict[tuple[int, int, tuple[object, ...]], int] = {}
    original = np.arange(len(table))
    original[rows] = [first.setdefault(one, row) for one, row in zip(said, rows.tolist(), strict=True)]
    return original
