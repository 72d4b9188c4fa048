"""Decimal text to whole numbers, straight from the bytes of a delimited file.

Bytes are uint8[n]; lines end in a line feed, with or without a carriage return; the last may end with the bytes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gcr_fast.accelerate import kernel

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


@kernel
def count_rows(text: Bytes, first: int, last: int) -> int:
    """Return how many lines of text[first:last], which begins with a line, are not empty."""
    rows = 0
    empty = True
    for i in range(first, last):
        byte = text[i]
        if byte == 10:
            rows += not empty
            empty = True
        elif byte != 13:
            empty = False
    return rows + (not empty)


@kernel
def parse_rows(  # noqa: C901, PLR0912, PLR0915 - one pass over the bytes, whatever stands there
    text: Bytes, first: int, last: int, row: int, delimiter: int, quoted: bool, words: Bytes, cells: Ints,
    digits: int, most: int, null: int, values: Ints, nulls: Ints, spans: Ints,
) -> bool:  # fmt: skip
    """Read text[first:last] into `values` int64[columns, rows] from `row` on; return whether all lines are plain.

    `cells` int64[m]: where each cell of a line goes: a column of `values`, -1 nowhere, -2 - k its first and last byte
    to `spans` int64[k, rows, 2]. A number becomes floor(value * 10 ** digits). An empty cell, or one of `words`
    uint8[k, length] (padded with zeros), becomes `null`, and is counted in `nulls` int64[columns].

    Not plain, which ends it at once, is a cell that is none of these: a decimal of at most 18 digits before the point,
    together with `digits`, and up to `most`, in quotes if `quoted`; a line of another number of cells; an empty line
    above others.
    """
    i = np.int64(first)
    while i < last:
        if text[i] == 10 or text[i] == 13:  # an empty line
            while i < last and (text[i] == 10 or text[i] == 13):
                i += 1
            return bool(i == last)
        for cell in range(cells.shape[0]):
            target = cells[cell]
            if quoted:
                if i >= last or text[i] != 34:
                    return False
                i += 1
            begin = i
            if target < 0:
                if quoted:
                    while i < last and text[i] != 34:
                        i += 1
                else:
                    while i < last and text[i] != delimiter and text[i] != 10 and text[i] != 13:
                        i += 1
                if target <= -2:
                    spans[-2 - target, row, 0], spans[-2 - target, row, 1] = begin, i
            else:
                negative = i < last and text[i] == 45
                i += negative
                number = np.int64(0)
                while i < last and 48 <= text[i] <= 57:
                    number = number * 10 + (np.int64(text[i]) - 48)
                    i += 1
                whole = i - begin - negative
                scale = np.int64(0)
                rest = False
                if i < last and text[i] == 46:
                    i += 1
                    point = i
                    while i < last and 48 <= text[i] <= 57:
                        if i - point < digits:
                            number = number * 10 + (np.int64(text[i]) - 48)
                        elif text[i] != 48:
                            rest = True
                        i += 1
                    whole += i > point
                    scale = min(i - point, np.int64(digits))
                if whole == 0:
                    i = begin
                    for word in range(words.shape[0]):
                        length = np.int64(0)
                        while (
                            length < words.shape[1]
                            and begin + length < last
                            and words[word, length] != 0
                            and text[begin + length] == words[word, length]
                        ):
                            length += 1
                        if length == words.shape[1] or words[word, length] == 0:
                            i = max(i, begin + length)
                    values[target, row] = null
                    nulls[target] += 1
                else:
                    for _ in range(digits - scale):
                        number *= 10
                    if whole + digits > 18 or number > most:
                        return False
                    values[target, row] = -number - rest if negative else number
            if quoted:
                if i >= last or text[i] != 34:
                    return False
                i += 1
            more = i < last and text[i] == delimiter
            if more != (cell + 1 < cells.shape[0]):
                return False
            i += more
        if i < last and text[i] == 13:
            i += 1
        if i < last and text[i] != 10:
            return False
        i += 1
        row += 1
    return True


@kernel
def copy_spans(text: Bytes, spans: Ints, offsets: Ints, copied: Bytes) -> None:
    """Copy text[spans[i, 0] : spans[i, 1]] to copied[offsets[i] : offsets[i + 1]], `offsets` int64[n + 1]."""
    for i in range(spans.shape[0]):
        begin, at = spans[i, 0], offsets[i]
        for k in range(spans[i, 1] - begin):
            copied[at + k] = text[begin + k]
