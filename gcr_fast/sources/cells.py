"""Numbers as the world writes them -> exact integers, and the findings about those that are none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcr_fast.columns import as_text, codes_of, is_words, one_array
from gcr_fast.parallel import ordered_map, thread_count
from gcr_fast.sources.files import File, refuse
from gcr_fast.units import floor_floats, parse_scaled

if TYPE_CHECKING:
    import pyarrow as pa

    from gcr_fast.findings import Findings

MEGA, KILO, ONE = 6, 3, 0
"""Decimal places that make W or Wh of a MW, a kW, a W."""

MAX_CELL = 1 << 45
"""W or Wh in one interval (35 TWh) above which a number must be wrong: the world's plants together make less."""


NO_NUMBER, _TOO_LARGE = "is not a number", "is too large a number"
_WHOLE = 1e16
"""Floats from here on write themselves with an exponent."""
_PLAIN_NUMBER = re.compile(r"[+-]?\d{8,}(?:[.,]\d*)?$|[+-]?\d+(?:[.,]\d*)?[eE][+]?\d{1,3}$")


class Numbers(NamedTuple):
    """A column of numbers as integers."""

    values: np.ndarray
    """int64[n], rounded down; 0 where null or bad."""
    null: np.ndarray
    """bool[n]: empty, or one of the words for a missing value."""
    bad: np.ndarray
    """bool[n]: something else than a number, or a number that cannot be."""


class Locale(NamedTuple):
    """How a file writes numbers."""

    thousands: str
    decimal: str


ENGLISH, GERMAN, PLAIN, PLAIN_COMMA = Locale(",", "."), Locale(".", ","), Locale("", "."), Locale("", ",")


def numbers(
    column: pa.ChunkedArray | pa.Array,
    digits: int,
    missing: Iterable[str] = (),
    locale: Locale = PLAIN,
    most: int = MAX_CELL,
) -> Numbers:
    """Read a column as floor(value * 10 ** digits). Floats stand for their shortest decimal text.

    Text that makes more than `most` is no number that can be.
    """
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        return _from_chunks(column, partial(numbers, digits=digits, missing=missing, locale=locale, most=most))
    flat = column
    if is_words(flat):
        once, codes = numbers(flat.dictionary, digits, missing, locale, most), codes_of(flat)
        beyond = (0, True, False)  # of a cell that is null
        return Numbers(*(np.append(part, last)[codes] for part, last in zip(once, beyond, strict=True)))
    if pa.types.is_floating(flat.type):
        return _from_floats(flat, digits)
    if pa.types.is_dictionary(flat.type) or not pa.types.is_string(flat.type):
        flat = as_text(flat)
    text = _without(flat, frozenset(missing), locale)
    parsed = parse_scaled(text, digits)
    wild = np.abs(parsed.values) > most
    bad = parsed.unreadable | (wild & ~parsed.null)
    return Numbers(np.where(bad | parsed.null, 0, parsed.values), parsed.null, bad)


def _from_chunks(column: pa.ChunkedArray, read: Callable[[pa.Array], Numbers]) -> Numbers:
    """Read a column chunk by chunk: none of it is copied, and a mask without a mark takes up no memory."""
    count = len(column)
    found = Numbers(np.zeros(count, np.int64), np.zeros(count, bool), np.zeros(count, bool))
    first = 0
    for some in ordered_map(read, column.iterchunks(), min(column.num_chunks, thread_count(None)) or 1):
        rows = slice(first, first + len(some.values))
        found.values[rows] = some.values
        for mask, marks in ((found.null, some.null), (found.bad, some.bad)):
            if marks.any():
                mask[rows] = marks
        first = rows.stop
    return found


def _from_floats(flat: pa.Array, digits: int) -> Numbers:
    null = flat.is_null().to_numpy(zero_copy_only=False)
    raw = flat.fill_null(0.0) if flat.null_count else flat
    floats = raw.to_numpy(zero_copy_only=False)
    bad = ~(np.abs(floats) <= MAX_CELL / 10**digits)
    if bad.any():
        floats = np.where(bad, 0.0, floats)
    return Numbers(floor_floats(floats, digits), null, bad & ~null)


def _without(flat: pa.Array, missing: frozenset[str], locale: Locale) -> pa.Array:
    """Return the text with missing words as null, without thousands marks, with a decimal point.

    A thousands mark must stand before three digits, else the cell is left as it is, and is no number.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(flat)
    if missing:
        none = pc.is_in(text, value_set=pa.array(sorted(missing), pa.string()))
        text = pc.if_else(none, pa.scalar(None, pa.string()), text)
    if locale.thousands:
        mark = re.escape(locale.thousands)
        shape = rf"^[+-]?\d{{1,3}}({mark}\d{{3}})+({re.escape(locale.decimal)}\d*)?$"
        grouped = pc.match_substring_regex(text, shape)
        text = pc.if_else(grouped, pc.replace_substring(text, locale.thousands, ""), text)
    if locale.decimal == ",":
        comma = pc.match_substring(text, ".")
        swapped = pc.replace_substring(text, ",", ".", max_replacements=1)
        text = pc.if_else(comma, pc.binary_join_element_wise(text, "?", ""), swapped)
    return text


_DECIMAL = (
    r"\d{1,3}(?:G\d{3})+D\d+",  # 1,234.5
    r"\d{1,3}(?:G\d{3}){2,}",  # 1,234,567
    r"\d*D(?:\d{1,2}|\d{4,})",  # 0.5, 12.3456
    r"(?:0|\d{4,})D\d{3}",  # 0.123, 1234.567
)
"""Numbers that can be read in one way only: D is the decimal mark then, G the mark of thousands."""


def locale_of(file: File, columns: Sequence[pa.ChunkedArray | pa.Array]) -> Locale:
    """Decide from a file's numbers how it writes them; never from its language.

    Refused: a file that writes them in two ways, or whose every number could be read in two (`1.234` alone).
    """
    decimals, unsure = _telling(columns)
    if len(decimals) > 1:
        refuse(file, f"writes numbers in two ways: {' and '.join(decimals.values())}", "ambiguous_number")
    if not decimals:
        if unsure:
            refuse(file, f"has numbers such as {unsure} that can be read in two ways", "ambiguous_number")
        return PLAIN
    return ENGLISH if "." in decimals else GERMAN


def told_locale(columns: Sequence[pa.ChunkedArray | pa.Array]) -> Locale | None:
    """Return how numbers are written that tell it in one way; None of others, even if they have no marks at all."""
    decimals, _ = _telling(columns)
    return None if len(decimals) != 1 else ENGLISH if "." in decimals else GERMAN


def _telling(columns: Sequence[pa.ChunkedArray | pa.Array]) -> tuple[dict[str, str], str]:
    """Return a number that can be read in one way only by its decimal mark, and one that can be read in two."""
    decimals: dict[str, str] = {}
    unsure = ""
    for column in columns:
        cells = _distinct(column)
        marked = _first(cells, "[.,]")
        for decimal, thousands in ((",", "."), (".", ",")) if marked else ():
            shapes = "|".join(_DECIMAL).replace("D", re.escape(decimal)).replace("G", re.escape(thousands))
            found = _first(cells, f"^[+-]?(?:{shapes})$")
            if found:
                decimals.setdefault(decimal, found)
        unsure = unsure or marked
    return decimals, unsure


def _distinct(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    flat = one_array(column)
    return pc.utf8_trim_whitespace(as_text(flat.unique()) if is_words(flat) else as_text(flat).unique())


def _first(cells: pa.Array, pattern: str) -> str:
    """Return the first cell that a pattern fits; empty if none does."""
    import pyarrow.compute as pc

    found = cells.filter(pc.fill_null(pc.match_substring_regex(cells, pattern), False))
    return str(found[0].as_py()) if len(found) else ""


def _shown(cell: pa.Scalar) -> object:
    """Return a cell as Python has it, a whole float as files write it; a time beyond the calendar as Arrow does."""
    try:
        value: object = cell.as_py()
        return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE else value
    except (OverflowError, ValueError):
        return str(cell)


def _is_too_large(text: str) -> bool:
    """Whether a cell is a number, but one that no unit makes small enough to be true."""
    return bool(_PLAIN_NUMBER.match(text)) and abs(float(text.replace(",", "."))) > MAX_CELL / 10**MEGA


def report(
    findings: Findings,
    file: File,
    mask: np.ndarray,
    lines: np.ndarray,
    column: str,
    cells: pa.ChunkedArray | pa.Array | None,
    what: str,
    code: str = "unreadable_value",
) -> None:
    """Add one finding for each row of `mask` bool[n]: the file, the line, the column and the cell.

    Of a cell that `is not a number` because it is too large, that is said instead.
    """
    rows = np.flatnonzero(mask)
    flat = None if cells is None or not len(rows) else one_array(cells)
    for row in rows.tolist():
        shown = None if flat is None else _shown(flat[row])
        text = None if shown is None else str(shown)[:60]
        why = what.replace(NO_NUMBER, _TOO_LARGE) if text is not None and _is_too_large(text) else what
        said = f"{column} {text!r} {why}" if text is not None else f"{column} {why}"
        findings.add(code, said, file=file.name, line=int(lines[row]), column=column, value=text)
