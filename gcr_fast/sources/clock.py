"""Times as the world writes them -> UTC seconds. Labels are parsed once each, whole columns at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcr_fast.columns import as_text, codes_of, encode, is_words, one_array
from gcr_fast.periods import DAY_S, FIRST_YEAR, LAST_YEAR, local_to_utc, set_back
from gcr_fast.sources.doubled import SECOND, UNCLEAR, Walk, Window, hours_of

if TYPE_CHECKING:
    import pyarrow as pa

HOUR_S = 3600
_DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d{2})",
    "m": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})",
    "H": r"(?P<H>\d{1,2})",
    "I": r"(?P<I>\d{1,2})",
    "M": r"(?P<M>\d{2})",
    "S": r"(?P<S>\d{2})",
    "p": r"(?P<p>[AaPp])\.?[Mm]\.?",
    "b": r"(?P<b>[A-Za-z]{3})[a-z]*",
    "z": r"(?P<z>Z|[+-]\d{2}:?\d{2})",
}
_PLACES = "YmdHMS"
"""The parts of a moment, in the order of `_moments`."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_STARTS = (
    np.arange(f"{FIRST_YEAR}-01", f"{LAST_YEAR + 1}-02", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)
)
"""Days since 1970 on which each month of the calendar begins, and the one after the last."""


class Labels(NamedTuple):
    """A column of times: seconds since 1970 of what is written, whatever its zone, and which cells are none."""

    seconds: np.ndarray
    """int64[n]; 0 where bad. With %z in the layout they are UTC."""
    bad: np.ndarray
    """bool[n]: empty, of another layout, or no date of the calendar (31 April)."""


def parse_labels(column: pa.ChunkedArray | pa.Array, layout: str, skip: int = 0) -> Labels:
    """Read a column by a strptime-like layout (%Y %y %m %d %H %I %M %S %p %b %z; `...` stands for anything after).

    Nothing is guessed: a label of another layout is bad. 24:00 is the end of its day. Each distinct label is read once.
    The first `skip` letters of each are passed over.
    """
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        plain = _parse_chunks(column, layout, skip)
        return parse_labels(one_array(column), layout, skip) if plain is None else plain
    if is_words(column):
        return _by_words(parse_labels(column.dictionary, layout, skip), column)
    text = as_text(column)
    plain = _parse_fixed(text, layout, skip)
    if plain is not None:
        return plain
    codes, values = encode(_skipped(text, skip) if skip else text)
    seconds, bad = _parse_distinct([None if value is None else str(value) for value in values], layout)
    return Labels(np.append(seconds, 0)[codes], np.append(bad, True)[codes])


def _by_words(once: Labels, words: pa.DictionaryArray) -> Labels:
    """Return what each cell is, by what the words of its dictionary are."""
    codes = codes_of(words)
    return Labels(np.append(once.seconds, 0)[codes], np.append(once.bad, True)[codes])


def _parse_chunks(column: pa.ChunkedArray, layout: str, skip: int) -> Labels | None:
    """Read labels of fixed places chunk by chunk: none of them is copied. None if they are not."""
    found = Labels(np.empty(len(column), np.int64), np.empty(len(column), bool))
    first = 0
    for chunk in column.iterchunks():
        words = is_words(chunk)
        once = _parse_fixed(chunk.dictionary if words else as_text(chunk), layout, skip)
        if once is None:
            return None
        some, rows = _by_words(once, chunk) if words else once, slice(first, first + len(chunk))
        found.seconds[rows], found.bad[rows] = some
        first = rows.stop
    return found


def _skipped(text: pa.Array, skip: int) -> pa.Array:
    import pyarrow.compute as pc

    return pc.utf8_slice_codeunits(pc.utf8_trim_whitespace(text), skip)


def common_tail(column: pa.ChunkedArray | pa.Array, after: int) -> str | None:
    """Return what all labels have in common from their `after`-th byte on to their end; None if they differ there."""
    text = as_text(one_array(column))
    if not len(text) or text.null_count:
        return None
    letters = _letters(text, None)
    if letters is None or letters.shape[1] <= after:
        return None
    tails = letters[:, after:]
    first = tails[0]
    same = all((column == letter).all() for column, letter in zip(tails.T, first, strict=True))
    return first.tobytes().decode(errors="replace") if same else None


def _letters(text: pa.Array, width: int | None) -> np.ndarray | None:
    """Return labels, none of them null, as bytes uint8[n, their length], or the first `width` of longer ones.

    None if they are not of one length, or some are shorter than `width`.
    """
    offsets = np.frombuffer(text.buffers()[1], np.int32)[text.offset : text.offset + len(text) + 1]
    lengths = np.diff(offsets)
    letters = np.frombuffer(text.buffers()[2] or b"", np.uint8)
    if (lengths == lengths[0]).all():
        rows = letters[offsets[0] : offsets[-1]].reshape(len(text), int(lengths[0]))
        return rows[:, :width] if width is None or width <= lengths[0] else None
    if width is None or lengths.min() < width:
        return None
    gathered: np.ndarray = letters[offsets[:-1, None] + np.arange(width)]
    return gathered


def parse_best(column: pa.ChunkedArray | pa.Array, *layouts: str) -> Labels:
    """Read a column by the one of several layouts that fits most of it: a file writes its times in one way."""
    return best_of(lambda layout: parse_labels(column, layout), layouts)


def best_of(read: Callable[[str], Labels], layouts: Sequence[str]) -> Labels:
    """Return what is read by the first layout, of one or more, that leaves fewest labels bad."""
    best = read(layouts[0])
    for layout in layouts[1:]:
        if not best.bad.any():
            break
        found = read(layout)
        if found.bad.sum() < best.bad.sum():
            best = found
    return best


def _parse_fixed(text: pa.Array, layout: str, skip: int) -> Labels | None:
    """Read labels that all have two digits in each of their places, as a matrix of bytes; None if any has not."""
    form = _fixed_form(layout)
    if form is None or not len(text) or text.null_count:
        return None
    width = skip + len(form)
    letters = _letters(text, width if layout.endswith("...") else None)
    if letters is None or letters.shape[1] != width or not _passed_over(letters[:, :skip]):
        return None
    rows = letters[:, skip:].T.copy()
    written = [at for at, place in enumerate(form) if place not in _PLACES]
    if any((rows[at] != ord(form[at])).any() for at in written):
        return None
    rows -= np.uint8(ord("0"))  # a byte below "0" wraps to a large one
    if any(rows[at].max() > 9 for at, place in enumerate(form) if place in _PLACES):
        return None
    parts = {place: _of_digits([rows[at] for at, each in enumerate(form) if each == place]) for place in _PLACES}
    seconds, sound = _moments(*parts.values())
    return Labels(np.where(sound, seconds, 0), ~sound)


def _of_digits(digits: list[np.ndarray]) -> np.ndarray:
    """Return the number of two or four digits uint8[n] each, int32[n]; one 0 if there are none."""
    number = np.zeros(1, np.int32)
    for tens, ones in zip(digits[::2], digits[1::2], strict=True):
        number = number * 100 + (tens * np.uint8(10) + ones)
    return number


def _passed_over(letters: np.ndarray) -> bool:
    """Whether letters uint8[n, k] are one byte each, and the first would not be trimmed away."""
    return not letters.shape[1] or bool((letters[:, 0] > ord(" ")).all() and letters.max() <= ord("~"))


@lru_cache(maxsize=64)
def _fixed_form(layout: str) -> str | None:
    """Return a layout with a letter for each digit (`YYYY-mm-ddTHH:MM:SSZ`); None if its width or places may vary."""
    pieces = re.split(r"%([A-Za-z])", layout.removesuffix("...").replace("%z", "Z"))
    if not {"Y", "m", "d"} <= set(pieces[1::2]) <= set("YmdHMS"):
        return None
    if any(letter in "YmdHMS" for literal in pieces[::2] for letter in literal):
        return None
    places = (piece * (4 if piece == "Y" else 2) if at % 2 else piece for at, piece in enumerate(pieces))
    form = "".join(places)
    return form if form.isascii() else None


def _parse_distinct(values: list[str | None], layout: str) -> tuple[np.ndarray, np.ndarray]:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(pa.array(values, pa.string()))
    parts = pc.extract_regex(text, pattern=_pattern(layout))
    found = parts.is_valid().to_numpy(zero_copy_only=False)
    fields = {field.name: parts.field(at) for at, field in enumerate(parts.type)}
    seconds, sound = _seconds(fields, len(values))
    good = found & sound
    return np.where(good, seconds, 0), ~good


@lru_cache(maxsize=64)
def _pattern(layout: str) -> str:
    """Return the regular expression of a layout; text between directives is literal."""
    body = layout.removesuffix("...")
    pieces = re.split(r"%([A-Za-z])", body)
    text = "".join(_DIRECTIVES[piece] if at % 2 else re.escape(piece) for at, piece in enumerate(pieces))
    return f"^{text}{'.*' if layout.endswith('...') else ''}$"


def _seconds(fields: dict[str, pa.Array], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return seconds int64[n] of date and time parts, and whether they are a moment of the calendar, bool[n]."""
    day = _number(fields, "d", count)
    year = _number(fields, "Y", count) if "Y" in fields else 2000 + _number(fields, "y", count)
    month = _number(fields, "m", count) if "m" in fields else _named_months(fields["b"])
    hour = _number(fields, "H", count) if "H" in fields else _twelve(fields, count)
    minute, second = _number(fields, "M", count), _number(fields, "S", count)
    seconds, sound = _moments(year, month, day, hour, minute, second)
    return seconds - _offsets(fields, count), sound


def _moments(
    year: np.ndarray, month: np.ndarray, day: np.ndarray, hour: np.ndarray, minute: np.ndarray, second: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return seconds since 1970 int64[n], and whether date and time are in the calendar, bool[n]."""
    sound = (month >= 1) & (month <= 12) & (year >= FIRST_YEAR) & (year <= LAST_YEAR)
    at = np.where(sound, (year - FIRST_YEAR) * 12 + month - 1, 0)
    begins = _MONTH_STARTS[at]
    sound &= (day >= 1) & (day <= _MONTH_STARTS[at + 1] - begins) & (minute < 60) & (second < 60)
    sound &= (hour >= 0) & ((hour < 24) | ((hour == 24) & (minute == 0) & (second == 0)))
    seconds: np.ndarray = (begins + day - 1) * DAY_S + hour * HOUR_S + minute * 60 + second
    return seconds, sound


def _number(fields: dict[str, pa.Array], name: str, count: int) -> np.ndarray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if name not in fields:
        return np.zeros(count, np.int64)
    digits = pc.if_else(pc.equal(pc.fill_null(fields[name], ""), ""), "0", fields[name])
    values: np.ndarray = pc.fill_null(digits, "0").cast(pa.int64()).to_numpy(zero_copy_only=False)
    return values


def _named_months(names: pa.Array) -> np.ndarray:
    spelled = [(name or "").lower() for name in names.to_pylist()]
    return np.array([_MONTHS.index(name) + 1 if name in _MONTHS else 0 for name in spelled], dtype=np.int64)


def _twelve(fields: dict[str, pa.Array], count: int) -> np.ndarray:
    """Return the hour of a twelve-hour clock; -1 for an hour that it does not have."""
    if "I" not in fields:
        return np.zeros(count, np.int64)
    hour = _number(fields, "I", count)
    afternoon = np.array([(cell or "").lower() == "p" for cell in fields["p"].to_pylist()], dtype=bool)
    return np.where((hour < 1) | (hour > 12), -1, hour % 12 + 12 * afternoon)


def _offsets(fields: dict[str, pa.Array], count: int) -> np.ndarray:
    if "z" not in fields:
        return np.zeros(count, np.int64)
    return np.array([_offset(cell) for cell in fields["z"].to_pylist()], dtype=np.int64)


@lru_cache(maxsize=256)
def _offset(cell: str | None) -> int:
    if not cell or cell == "Z":
        return 0
    hours, minutes = int(cell[1:3]), int(cell[-2:])
    return (hours * HOUR_S + minutes * 60) * (-1 if cell[0] == "-" else 1)


def walk(local_s: np.ndarray, zone: str, key: np.ndarray | None = None, told: np.ndarray | None = None) -> Walk:
    """Turn local wall-clock seconds int64[n] into UTC; which of two hours of one name is meant, their order tells.

    `key` int64[n] tells series apart where a file mixes them. `told` int8[n], codes of `doubled`, is what labels tell
    by themselves. See `doubled` for what is unclear.
    """
    local = local_to_utc(local_s, zone)
    doubled = (local.earliest != local.latest) & ~local.skipped
    seconds = local.earliest
    np.copyto(seconds, local.latest, where=local.skipped)
    unclear = np.zeros(len(local_s), dtype=bool)
    if doubled.any():
        windows = [Window(*span) for span in set_back(local_s, zone)]
        rows, hours = hours_of(local_s, windows, key, told)
        later = rows[hours == SECOND]
        seconds[later] = local.latest[later]
        unclear[rows[hours == UNCLEAR]] = True
    return Walk(seconds, local.skipped, doubled, unclear)


def numbered(midnights_s: np.ndarray, period: np.ndarray, length_s: int, zone: str) -> np.ndarray:
    """Return UTC starts of numbered periods (1, 2, ...), which count from local midnight: 46, 48 or 50 in a day.

    `midnights_s` int64[n] is the local wall-clock midnight of each row's day, `period` int64[n] its number.
    """
    starts: np.ndarray = local_to_utc(midnights_s, zone).earliest + (period - 1) * length_s
    return starts


def periods_in_day(midnights_s: np.ndarray, length_s: int, zone: str) -> np.ndarray:
    """Return how many periods each row's local day has."""
    begins = local_to_utc(midnights_s, zone).earliest
    ends = local_to_utc(midnights_s + DAY_S, zone).earliest
    count: np.ndarray = (ends - begins) // length_s
    return count
