"""Decimal text to whole numbers, straight from the bytes of a delimited file, many cells at a time.

Bytes are uint8[n], and `eights` uint64[n - 7] is a view of the same bytes: eight from each on, the first the lowest.
A kernel looks up to eight bytes before and after what it reads. A line ends in a line feed, perhaps with a carriage
return before.

First the bytes that end cells are found (`_find_cuts`), without a branch: whatever a line holds takes the same time.
Then the last eight bytes of each number of some lines are gathered and all of them computed at once, without a branch
again (`_numbers`), which compilers turn into vector instructions. What that leaves over is looked at one by one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gcr_fast.accelerate import kernel, part

Bytes = npt.NDArray[np.uint8]
Eights = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Cuts = npt.NDArray[np.int32]
Sizes = npt.NDArray[np.uint32]
Bools = npt.NDArray[np.bool_]

CHUNK = 1 << 18
"""Bytes that are cut at a time, which stay in cache: no line is longer."""
TOGETHER = 1 << 16
"""Numbers that are computed at a time, of one line at least: enough for vectors, and few enough for the cache."""
ROUND = 5
"""Cuts that are written at a time: 64 bytes have about two or four times as many."""

_SPARE = 8
"""Cuts beyond those of a chunk: the one before it, and what a round writes too much."""

# Unsigned throughout: with a signed operand the compiled arithmetic would be in floats, and an index would be looked at
# for a sign.
_0, _1, _2, _3, _4, _7, _8, _16, _32, _56, _64 = map(np.uint64, (0, 1, 2, 3, 4, 7, 8, 16, 32, 56, 64))
_10, _100, _10_000, _100_000_000 = (np.uint64(10**k) for k in (1, 2, 4, 8))
_63, _BYTE, _THREE, _HALF, _ALL = (np.uint64((1 << k) - 1) for k in (6, 8, 24, 32, 64))
_EACH = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_LOW = np.uint64(0x7F7F7F7F7F7F7F7F)
_ZEROS = np.uint64(0x3030303030303030)
"""Digits become 0 to 9 when these are taken off."""
_ABOVE_9 = np.uint64(0x7676767676767676)
"""Added to a byte of 10 or more it reaches the highest bit."""
_QUOTES = np.uint64(0x220022)
"""The first and the last of three bytes."""
_GATHER = np.uint64(0x0102040810204080)
"""Times a byte of 0 or 1 each: their bits side by side, in the highest byte."""
_ONES_OF_2, _ONES_OF_4, _ONES_OF_8 = (
    np.uint64(k) for k in (0x55 * 0x0101010101010101, 0x33 * 0x0101010101010101, 0x0F * 0x0101010101010101)
)
_PAIRS = np.uint64(0x000000FF000000FF)
_MILLION_AND_100 = np.uint64((1_000_000 << 32) + 100)
_10000_AND_1 = np.uint64((10_000 << 32) + 1)
_MINUS_TAKEN = np.uint64(ord("-") ^ ord("0"))
_MINUS, _FEED, _RETURN, _NUL, _QUOTE = (np.uint8(ord(sign)) for sign in '-\n\r\0"')


@kernel
def parse_rows(
    text: Bytes, eights: Eights, first: int, last: int, row: int, delimiter: int, quoted: bool, point: int,
    thousands: int, words: Eights, digits: int, cells: Ints, most: int, null: int,
    values: Ints, nulls: Ints, spans: Ints, memory: Bytes,
) -> int:  # fmt: skip
    """Read text[first:last], whole lines of up to `CHUNK` bytes, into `values` int64[columns, rows] from `row` on.

    Return how many rows. `cells` int64[m]: where each cell of a line goes: a column of `values`, -1 nowhere, -2 - k its
    first and last byte to `spans` int64[k, rows, 2]. A number becomes floor(value * 10 ** digits), of at most nine
    `digits`. An empty cell, or one of `words` uint64[k, 3] (its bytes, all bits of as many, both at the upper end of
    the eight, and how many they are), becomes `null`, and is counted in `nulls` int64[columns]. `point` is the decimal
    mark; `thousands` the mark before each three digits, 0 if there is none. It computes in `memory`
    uint8[memory_bytes(columns)].

    -1, at once, if a cell is none of these: a decimal of at most 18 digits before the point, together with `digits`,
    and up to `most`; text that is not empty and has no byte 0. All cells are in quotes if `quoted`, else none. -1 also
    for a line of another number of cells, and for an empty line above others; empty lines at the end are no rows.
    """
    # A cell lies between two cuts: the delimiters before and after it, or its quotes.
    stop, each, lead = np.uint8(_QUOTE if quoted else delimiter), 1 + quoted, 1 * quoted
    inner = each * cells.shape[0] - (not quoted)
    columns, others = cells[cells >= 0], np.nonzero(cells < 0)[0]
    slots = np.nonzero(cells >= 0)[0] * each + lead
    flags, bits, cuts, lines, raw, sizes, odd = _parted(memory, slots.shape[0])
    at, into = first, row
    while at < last:
        if _ends_line(text[at]):
            return into - row if _is_blank(text, at, last) else -1
        found = _find_cuts(text[at : min(at + CHUNK, last)], stop, flags, bits, bits.view(np.uint64), cuts)
        line, done = 0, into
        while True:
            line, rows = _gather_lines(
                text, eights, cuts, line, found, at, inner, each, lead, stop, delimiter, others, cells, slots, lines,
                raw, sizes, spans, into,
            )  # fmt: skip
            if rows <= 0:
                break
            for j in range(slots.shape[0]):
                whole = values[columns[j], into : into + rows]
                if _numbers(raw[j, :rows], sizes[j, :rows], point, digits, most, whole, odd) > 0:
                    none = _leftovers(
                        text, cuts, lines[:rows], at, slots[j], raw[j, :rows], sizes[j, :rows], point, thousands,
                        words, digits, most, null, whole, odd,
                    )  # fmt: skip
                    if none < 0:
                        return -1
                    nulls[columns[j]] += none
            into += rows
        if rows < 0 or into == done:
            return -1
        at += cuts[line] + 1
    return into - row


def memory_bytes(columns: int) -> int:
    """Return how much memory a kernel computes in that reads so many columns of numbers."""
    return int(_ends(columns)[-1])


@part
def _ends(columns: int) -> Ints:
    """Return where each part of a kernel's memory begins and the one before it ends."""
    together = max(TOGETHER // max(columns, 1), 1)
    room = together * columns
    sizes = [0, CHUNK, CHUNK >> 3, 4 * (CHUNK + _SPARE), 8 * together, 8 * room, 4 * room, together]
    return np.cumsum(np.array(sizes))


@part
def _parted(memory: Bytes, columns: int) -> tuple[Bytes, Bytes, Cuts, Ints, Eights, Sizes, Bools]:
    """Part memory: for flags, their bits and the cuts of a chunk, for lines, and three arrays for their numbers."""
    ends = _ends(columns)
    shape = (columns, ends[4] - ends[3] >> 3)
    return (
        memory[: ends[1]],
        memory[ends[1] : ends[2]],
        memory[ends[2] : ends[3]].view(np.int32),
        memory[ends[3] : ends[4]].view(np.int64),
        memory[ends[4] : ends[5]].view(np.uint64).reshape(shape),
        memory[ends[5] : ends[6]].view(np.uint32).reshape(shape),
        memory[ends[6] : ends[7]].view(np.bool_),
    )


@kernel
def count_lines(text: Bytes, first: int, last: int) -> int:
    """Count the line feeds in text[first:last]."""
    found = 0
    for at in range(first, last):
        found += text[np.uint64(at)] == _FEED
    return found


@part
def _gather_lines(
    text: Bytes, eights: Eights, cuts: Cuts, line: int, found: int, base: int, inner: int, each: int, lead: int,
    stop: np.uint8, delimiter: int, others: Ints, cells: Ints, slots: Ints, lines: Ints, raw: Eights, sizes: Sizes,
    spans: Ints, row: int,
) -> tuple[int, int]:  # fmt: skip
    """Gather the numbers of as many lines as there is room for, and lay down their texts.

    Return the cut at which the next line begins, and how many lines: -1 if one is not regular.
    """
    rows, start = 0, np.uint64(base)
    while rows < lines.shape[0]:
        end = _line_end(text, cuts, line + inner + 1, found, base)
        if end < 0 or (line > 0 and _ends_line(text[base + cuts[line] + 1])):
            break
        if stop == _QUOTE:
            regular = _is_quoted(eights, cuts, line, inner, start, delimiter)
        else:
            regular = _is_delimited(text, cuts, line, inner, start, delimiter)
        if not regular or not _lay_texts(
            text, cuts, line, each, lead, base, others, cells, stop == _QUOTE, spans, row + rows
        ):
            return line, -1
        _gather(eights, cuts, line, start, slots, raw[:, rows], sizes[:, rows])
        lines[rows] = line
        line = end
        rows += 1
    return line, rows


@part
def _ends_line(byte: np.uint8) -> bool:
    return bool((byte == _FEED) | (byte == _RETURN))


@part
def _is_blank(text: Bytes, at: int, last: int) -> bool:
    """Whether nothing but ends of lines is left."""
    while at < last and _ends_line(text[at]):
        at += 1
    return at == last


@part
def _find_cuts(text: Bytes, stop: np.uint8, flags: Bytes, bits: Bytes, sets: Eights, cuts: Cuts) -> int:
    """Write the places of `stop`, and of what no cell holds, to cuts[1:], after a -1; return how many they are.

    Up to `ROUND` places after the last are written over. A byte each says so in `flags`, then a bit each in `bits`,
    which `sets` views as 64 bits at a time.
    """
    whole = (text.shape[0] + 63) >> 6
    for at in range(text.shape[0]):
        byte = text[np.uint64(at)]
        flags[np.uint64(at)] = (byte == stop) | (byte == _FEED) | (byte == _RETURN) | (byte == _NUL)
    flags[text.shape[0] : whole << 6] = 0
    _pack(flags[: whole << 6].view(np.uint64), bits)
    cuts[0], found = -1, _1
    for at in range(whole):
        left, base = sets[np.uint64(at)], at << 6
        after = found + _count_bits(left)
        while left != _0:  # by rounds, which are easier to foresee than single ones; what is too much is written over
            for each in range(ROUND):
                cuts[found + np.uint64(each)] = base + np.int64(_count_bits((left - _1) & ~left))
                left &= left - _1
            found += np.uint64(ROUND)
        found = after
    return int(found) - 1


@part
def _pack(flags: Eights, bits: Bytes) -> None:
    """Make a bit of each byte of 0 or 1."""
    for at in range(flags.shape[0]):
        bits[at] = (flags[at] * _GATHER) >> _56


@part
def _count_bits(bits: np.uint64) -> np.uint64:
    """Count the ones; compilers know these lines and put one instruction for them."""
    bits -= (bits >> _1) & _ONES_OF_2
    bits = (bits & _ONES_OF_4) + ((bits >> _2) & _ONES_OF_4)
    return (((bits + (bits >> _4)) & _ONES_OF_8) * _EACH) >> _56


@part
def _line_end(text: Bytes, cuts: Cuts, end: int, found: int, base: int) -> int:
    """Return which cut is the line feed after a line that may have its carriage return at cut `end`; -1 if none is."""
    if end < found and text[base + cuts[end]] == _RETURN and cuts[end + 1] == cuts[end] + 1:
        end += 1
    return end if end <= found and text[base + cuts[end]] == _FEED else -1


@part
def _is_delimited(text: Bytes, cuts: Cuts, line: int, inner: int, base: np.uint64, delimiter: int) -> bool:
    """Whether all inner cuts of a line are delimiters."""
    wrong, mark = np.uint8(0), np.uint8(delimiter)
    for cut in range(line + 1, line + inner + 1):
        wrong |= text[base + np.uint64(cuts[np.uint64(cut)])] ^ mark
    return bool(wrong == 0)


@part
def _is_quoted(eights: Eights, cuts: Cuts, line: int, inner: int, base: np.uint64, delimiter: int) -> bool:
    """Whether the inner cuts of a line are quotes, two for each cell, and only a delimiter is between two cells."""
    between = _QUOTES | (np.uint64(delimiter) << _8)
    wrong = _0
    for cut in range(line + 2, line + inner, 2):
        wrong |= (eights[base + np.uint64(cuts[np.uint64(cut)])] ^ between) & _THREE
    outer = cuts[line + 1] - cuts[line] == 1 and cuts[line + inner + 1] - cuts[line + inner] == 1
    opens = eights[base + np.uint64(cuts[line + 1])] & _BYTE == _QUOTE
    return bool(wrong == _0 and outer and opens and eights[base + np.uint64(cuts[line + inner])] & _BYTE == _QUOTE)


@part
def _lay_texts(
    text: Bytes, cuts: Cuts, line: int, each: int, lead: int, base: int, others: Ints, cells: Ints, quoted: bool,
    spans: Ints, row: int,
) -> bool:  # fmt: skip
    """Lay down where texts are; False if one is empty, or a cell has quotes where there are none."""
    for cell in others:
        cut = line + each * cell + lead
        begin, end, target = base + cuts[cut] + 1, base + cuts[cut + 1], cells[cell]
        if (not quoted and text[begin] == _QUOTE) or (target < -1 and begin == end):
            return False
        if target < -1:
            spans[-2 - target, row, 0], spans[-2 - target, row, 1] = begin, end
    return True


@part
def _gather(eights: Eights, cuts: Cuts, line: int, base: np.uint64, slots: Ints, raw: Eights, sizes: Sizes) -> None:
    """Fetch the last eight bytes of each number of a line, and its length."""
    for j in range(slots.shape[0]):
        cut = np.uint64(line + slots[j])
        begin, end = np.uint64(cuts[cut] + 1), np.uint64(cuts[cut + _1])
        raw[j] = eights[base + end - _8]
        sizes[j] = end - begin


@part
def _numbers(raw: Eights, sizes: Sizes, point: int, digits: int, most: int, whole: Ints, odd: Bools) -> int:
    """Make whole numbers of plain decimals of up to eight bytes; return how many are something else, which `odd` says.

    Eight bytes are looked at together by arithmetic that keeps them apart: a byte's highest bit says what was found of
    it, and the bytes below that bit are those before it.
    """
    points, places, limit = (np.uint64(point) * _EACH) ^ _ZEROS, np.uint64(digits), np.uint64(most)
    left = 0
    for j in range(raw.shape[0]):
        eight, size = raw[j] ^ _ZEROS, np.uint64(sizes[j])
        minus = np.uint64((eight >> ((_64 - (size << _3)) & _63)) & _BYTE == _MINUS_TAKEN)
        size -= minus
        eight &= _ALL << ((_64 - (size << _3)) & _63)
        # The highest bit of each byte that is a point; then all bytes before it move up by one.
        pointed = eight ^ points
        found = ~(((pointed & _LOW) + _LOW) | pointed | _LOW)
        through, before = (found << _1) - _1, (found >> _7) - _1
        closed = (eight & ~through) | ((eight & before) << _8)
        eight = eight if found == _0 else closed
        fraction = ((~through & _EACH) * _EACH) >> _56
        other = ((((eight & _LOW) + _ABOVE_9) | eight) & _HIGH) | (found & (found - _1))
        # Eight digits, zeros before them: pairs, then fours, then all.
        eight = eight * _10 + (eight >> _8)
        eight = ((eight & _PAIRS) * _MILLION_AND_100 + ((eight >> _16) & _PAIRS) * _10000_AND_1) >> _32
        power = places - fraction
        scale = (_10 if power & _1 else _1) * (_100 if power & _2 else _1)
        scale *= (_10_000 if power & _4 else _1) * (_100_000_000 if power & _8 else _1)
        eight = (eight & _HALF) * (scale & _HALF)
        wrong = (
            (other != _0) | (size - _1 >= _8) | (size == np.uint64(found != _0)) | (fraction > places) | (eight > limit)
        )
        whole[j] = np.int64((eight ^ (_0 - minus)) + minus)
        odd[j] = wrong
        left += wrong
    return left


@part
def _nulls(
    raw: Eights, sizes: Sizes, word: np.uint64, bits: np.uint64, size: np.uint64, null: int, whole: Ints, odd: Bools
) -> None:
    """Put `null` for the cells that are a word of no value."""
    for j in range(raw.shape[0]):
        hit = (raw[j] & bits == word) & (np.uint64(sizes[j]) == size)
        whole[j] = null if hit else whole[j]
        odd[j] = odd[j] & (not hit)


@part
def _leftovers(
    text: Bytes, cuts: Cuts, lines: Ints, base: int, slot: int, raw: Eights, sizes: Sizes, point: int,
    thousands: int, words: Eights, digits: int, most: int, null: int, whole: Ints, odd: Bools,
) -> int:  # fmt: skip
    """Read what one column of some lines has left: words, empty cells, numbers of more than eight bytes.

    Return in how many lines there is no number; -1 if a cell is neither a number nor a word for none.
    """
    for word in range(words.shape[0]):
        _nulls(raw, sizes, words[word, 0], words[word, 1], words[word, 2], null, whole, odd)
    nulls = 0
    for i in range(lines.shape[0]):
        if odd[i] and np.uint64(sizes[i]) > _0:
            end = base + cuts[lines[i] + slot + 1]
            right, whole[i] = _number(text, end - np.int64(sizes[i]), end, point, thousands, digits, most)
            if not right:
                return -1
        elif odd[i]:
            whole[i] = null
        nulls += whole[i] == null
    return nulls


@part
def _number(  # noqa: C901 - one pass over the bytes
    text: Bytes, at: int, end: int, point: int, thousands: int, digits: int, most: int
) -> tuple[bool, np.int64]:
    """Read one number of any length, with marks between thousands; (False, 0) if it is none, or too large."""
    negative = at < end and text[at] == _MINUS
    at += negative
    scaled, size, fraction = _0, 0, 0
    group, grouped, rest = 0, False, False
    while at < end and (48 <= text[at] <= 57 or (thousands != 0 and text[at] == thousands)):
        if text[at] == thousands:
            if group == 0 or group > 3 or (grouped and group != 3):
                return False, np.int64(0)
            group, grouped = 0, True
        else:
            scaled = scaled * _10 + np.uint64(text[at] - 48)
            group += 1
            size += 1
        at += 1
    if (grouped and group != 3) or size + digits > 18:
        return False, np.int64(0)
    if at < end and text[at] == point:
        at += 1
        while at < end and 48 <= text[at] <= 57:
            if fraction < digits:
                scaled = scaled * _10 + np.uint64(text[at] - 48)
                fraction += 1
            elif text[at] != 48:
                rest = True
            size += 1
            at += 1
    for _ in range(fraction, digits):
        scaled *= _10
    if at < end or size == 0 or scaled > np.uint64(most):
        return False, np.int64(0)
    number = np.int64(scaled)
    return True, -number - rest if negative else number


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
