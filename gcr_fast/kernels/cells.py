"""Decimal text to whole numbers, straight from the bytes of a delimited file, eight bytes at a time.

Bytes are uint8[n], and `eights` uint64[n - 7] is a view of the same bytes: eight from each on, the first the lowest.
A kernel looks up to eight bytes past what it reads. A line ends in a line feed, perhaps with a carriage return before.

Eight bytes are looked at together by arithmetic that keeps them apart: a byte's highest bit says what was found of it,
and the bytes below the lowest such bit are those before the first find.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gcr_fast.accelerate import kernel

Bytes = npt.NDArray[np.uint8]
Eights = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]

# Unsigned throughout: with a signed operand the compiled arithmetic would be in floats.
_0, _1, _3, _7, _8, _16, _32, _56, _64 = map(np.uint64, (0, 1, 3, 7, 8, 16, 32, 56, 64))
_10 = np.uint64(10)
_EACH = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_LOW = np.uint64(0x7F7F7F7F7F7F7F7F)
_ZEROS = np.uint64(0x3030303030303030)
"""Digits become 0 to 9 when these are taken off."""
_ABOVE_9 = np.uint64(0x7676767676767676)
"""Added to a byte of 10 or more it reaches the highest bit."""
_PAIRS = np.uint64(0x000000FF000000FF)
_MILLION_AND_100 = np.uint64((1_000_000 << 32) + 100)
_10000_AND_1 = np.uint64((10_000 << 32) + 1)
_POWERS = np.array([10**k for k in range(19)], dtype=np.uint64)


@kernel
def parse_rows(  # noqa: C901, PLR0912, PLR0915 - one pass over the bytes, whatever stands there
    text: Bytes, eights: Eights, first: int, last: int, row: int, delimiter: int, quoted: bool, point: int,
    thousands: int, words: Eights, digits: int, cells: Ints, most: int, null: int,
    values: Ints, nulls: Ints, spans: Ints,
) -> int:  # fmt: skip
    """Read text[first:last], whole lines, into `values` int64[columns, rows] from `row` on; return how many rows.

    `cells` int64[m]: where each cell of a line goes: a column of `values`, -1 nowhere, -2 - k its first and last byte
    to `spans` int64[k, rows, 2]. A number becomes floor(value * 10 ** digits). An empty cell, or one of `words`
    uint64[k, 3] (its bytes, all bits of as many bytes, their number), becomes `null`, and is counted in `nulls`
    int64[columns]. `point` is the decimal mark; `thousands` the mark before each three digits, 0 if there is none.

    -1, at once, if a cell is none of these: a decimal of at most 18 digits before the point, together with `digits`,
    and up to `most`; text that is not empty and has no byte 0. All cells are in quotes if `quoted`, else none. -1 also
    for a line of another number of cells, and for an empty line above others; empty lines at the end are no rows.
    """
    at, end, into = np.uint64(first), np.uint64(last), np.uint64(row)
    places, limit = np.uint64(digits), np.uint64(most)
    points = (np.uint64(point) * _EACH) ^ _ZEROS
    stop = 34 if quoted else delimiter
    while at < end:
        if text[at] == 10 or text[at] == 13:
            while at < end and (text[at] == 10 or text[at] == 13):
                at += _1
            return int(into) - row if at == end else -1
        for cell in range(cells.shape[0]):
            target = cells[cell]
            if quoted:
                if text[at] != 34:
                    return -1
                at += _1
            begin = at
            if target < 0:
                if not quoted and text[at] == 34:
                    return -1
                while text[at] != stop and text[at] != 10 and text[at] != 13 and text[at] != 0:
                    at += _1
                if target <= -2:
                    if at == begin:
                        return -1
                    spans[-2 - target, into, 0], spans[-2 - target, into, 1] = begin, at
            else:
                eight = eights[at] ^ _ZEROS
                negative = text[at] == 45
                if negative:
                    at += _1
                    eight = eights[at] ^ _ZEROS
                # Where the number ends: the first byte that is neither digit nor point.
                pointed = eight ^ points
                no_point = ((pointed & _LOW) + _LOW) | pointed
                ends = (((eight & _LOW) + _ABOVE_9) | eight) & no_point & _HIGH
                length, size, fraction = _0, _0, _0
                if ends != 0:
                    before = (ends - _1) & ~ends
                    length = ((before & _EACH) * _EACH >> _56) - _1
                    size = length
                    found = ~no_point & before & _HIGH
                    if found != 0:  # closes the gap at the point
                        before = (found - _1) & ~found
                        fraction = length - ((before & _EACH) * _EACH >> _56)
                        eight = (eight & (before >> _7)) | ((eight >> _8) & ~(before >> _7))
                        size -= _1
                # Eight digits, zeros before them: pairs, then fours, then all.
                eight <<= (_64 - (size << _3)) & np.uint64(63)
                other = ((eight & _LOW) + _ABOVE_9) | eight
                eight = eight * _10 + (eight >> _8)
                eight = ((eight & _PAIRS) * _MILLION_AND_100 + ((eight >> _16) & _PAIRS) * _10000_AND_1) >> _32
                after = text[at + length]
                closed = after == stop or (not quoted and (after == 10 or after == 13))  # noqa: PLR1714
                if size != 0 and fraction <= places and other & _HIGH == 0 and closed:
                    scaled = eight * _POWERS[places - fraction]
                    if scaled > limit:
                        return -1
                    at += length
                    number = np.int64(scaled)
                    values[np.uint64(target), into] = -number if negative else number
                else:
                    # No number, or one of eight bytes and more, or with marks between thousands.
                    longest = _0
                    for word in range(words.shape[0]):
                        if eights[begin] & words[word, 1] == words[word, 0]:
                            longest = max(longest, words[word, 2])
                    after = text[begin + longest]
                    if after == stop or (not quoted and (after == 10 or after == 13)):  # noqa: PLR1714
                        at = begin + longest
                        values[np.uint64(target), into] = null
                        nulls[target] += 1
                    else:
                        scaled, size, fraction = _0, _0, _0
                        group, grouped, rest = _0, False, False
                        while 48 <= text[at] <= 57 or (thousands != 0 and text[at] == thousands):
                            if text[at] == thousands:
                                if group == 0 or group > _3 or (grouped and group != _3):
                                    return -1
                                group, grouped = _0, True
                            else:
                                scaled = scaled * _10 + np.uint64(text[at] - 48)
                                group += _1
                                size += _1
                            at += _1
                        if (grouped and group != _3) or size + places > 18:
                            return -1
                        if text[at] == point:
                            at += _1
                            while 48 <= text[at] <= 57:
                                if fraction < places:
                                    scaled = scaled * _10 + np.uint64(text[at] - 48)
                                    fraction += _1
                                elif text[at] != 48:
                                    rest = True
                                size += _1
                                at += _1
                        if size == 0:
                            return -1
                        scaled *= _POWERS[places - fraction]
                        if scaled > limit:
                            return -1
                        number = np.int64(scaled)
                        values[np.uint64(target), into] = -number - rest if negative else number
            if quoted:
                if text[at] != 34:
                    return -1
                at += _1
            if cell + 1 < cells.shape[0]:
                if text[at] != delimiter:
                    return -1
                at += _1
        if text[at] == 13:
            at += _1
        if text[at] != 10:
            return -1
        at += _1
        into += _1
    return int(into) - row


@kernel
def copy_spans(eights: Eights, spans: Ints, offsets: Ints, copied: Eights) -> None:
    """Copy bytes spans[i, 0] to spans[i, 1] of each i to offsets[i] on; `copied` views bytes like `eights`.

    `offsets` int64[n] ascend as the spans fill them. Up to seven bytes after the last are written over.
    """
    for i in range(spans.shape[0]):
        begin, into = np.uint64(spans[i, 0]), np.uint64(offsets[i])
        length = np.uint64(spans[i, 1]) - begin
        done = _0
        while done < length:
            copied[into + done] = eights[begin + done]
            done += _8
