"""The kernels that read numbers from bytes against decimals, a cell at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import cells as oracle

from gcr_fast.kernels.cells import CHUNK, TOGETHER, copy_spans, count_lines, memory_bytes, parse_rows

MOST, NULL = 1 << 45, -(1 << 63)


def eights(data):
    return np.ndarray((len(data) - 7,), np.uint64, data, strides=(1,))


def word_of(word):
    """Return a word's bytes, and all bits of as many, at the upper end of eight; and how many bytes."""
    sides = [int.from_bytes(each.rjust(8, b"\0"), "little") for each in (word, b"\xff" * len(word))]
    return *sides, len(word)


def run(text, cells, digits=6, *, delimiter=",", quoted=False, point=".", thousands="", words=()):
    """Return what `oracle.parse` does, by the kernels; a last line feed is added where there is none."""
    raw = text.encode() + (b"" if text.endswith("\n") else b"\n")
    data = np.frombuffer(bytes(8) + raw + bytes(8), np.uint8)
    known = np.array([word_of(word.encode()) for word in words], np.uint64).reshape(-1, 3)
    numbers, texts = sum(cell >= 0 for cell in cells), sum(cell <= -2 for cell in cells)
    lines = raw.count(b"\n")
    values, nulls = np.full((numbers, lines), 7, np.int64), np.zeros(numbers, np.int64)
    spans = np.zeros((texts, lines, 2), np.int64)
    rows = parse_rows(
        data, eights(data), 8, 8 + len(raw), 0, ord(delimiter), quoted, ord(point), ord(thousands or "\0"), known,
        digits, np.array(cells, np.int64), MOST, NULL, values, nulls, spans,
        np.full(memory_bytes(numbers), 0xA5, np.uint8),
    )  # fmt: skip
    if rows < 0:
        return None
    found = [[None if wh == NULL else int(wh) for wh in values[:, row]] for row in range(rows)]
    assert nulls.tolist() == [sum(line[at] is None for line in found) for at in range(numbers)]
    return found, [[data[low:high].tobytes().decode() for low, high in spans[:, row]] for row in range(rows)]


PLAIN = ("0", "7", "-7", "12.5", "-12.5", "0.000251", "-0.0000001", "1.99999999", ".5", "5.", "00012", "12345678",
         "123456789", "-98765432.123456789", "35184372", "35184372.1", "999999999999", "1234567.8",
         "-0", "", "n/e", "-")  # fmt: skip
ODD = ("x", "1x", "--1", "1.2.3", "1e5", " 1", "+1", ".", "-.", "1,", "n/x", "9999999999999", "123456789012345678901")
CELL = st.one_of(
    st.sampled_from(PLAIN),
    st.decimals(-(10**9), 10**9, places=3, allow_nan=False).map(str),
    st.integers(-(10**8), 10**8).map(str),
    st.floats(-1e6, 1e6).map(lambda x: f"{x:.9f}"),
)


@given(
    st.lists(
        st.tuples(st.text("abc 1\0", min_size=1, max_size=20), CELL, CELL, st.sampled_from(("s", "skip", ""))),
        max_size=8,
    ),
    st.booleans(),
    st.sampled_from(("\n", "\r\n")),
    st.integers(0, 3),
    st.sampled_from((0, 3, 6)),
)
def test_plain_tables_are_read_as_decimals_are(rows, quoted, end, empty, digits):
    lines = [",".join(f'"{cell}"' if quoted else cell for cell in row) for row in rows]
    text = end.join(lines) + end * empty
    layout = {"digits": digits, "quoted": quoted, "words": ("n/e", "-")}
    wanted = oracle.parse(text, (-2, 0, 1, -1), layout["digits"], MOST, quoted=quoted, words=("n/e", "-"))
    assert run(text, (-2, 0, 1, -1), **layout) == wanted


@given(st.lists(st.sampled_from(PLAIN + ODD), min_size=1, max_size=6), st.sampled_from((0, 6)), st.booleans())
def test_what_is_not_plain_is_never_read(column, digits, quoted):
    text = "".join(f'"{cell}","a"\n' if quoted else f"{cell},a\n" for cell in column)
    options = {"quoted": quoted, "words": ("n/e", "-")}
    assert run(text, (0, -1), digits, **options) == oracle.parse(text, (0, -1), digits, MOST, **options)


@given(st.text('0123456789.-,"ne/\r\n', max_size=30), st.booleans())
def test_any_bytes_are_read_as_decimals_are_or_not_at_all(text, quoted):
    cells = (0, 1)
    wanted = oracle.parse(text, cells, 6, MOST, quoted=quoted, words=("n/e",))
    found = run(text, cells, quoted=quoted, words=("n/e",))
    assert found == wanted or (found is None and ('"' in text or "\r" in text))


@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=8), st.integers(0, 999), st.sampled_from((",.", ".,"))
)
def test_thousands_stand_before_three_digits(values, part, marks):
    thousands, point = marks
    cells = [f"{value:,}".replace(",", thousands) + f"{point}{part:03d}" for value in values]
    text = "".join(f'"{cell}"\n' for cell in cells)
    found = run(text, (0,), 3, quoted=True, point=point, thousands=thousands)
    assert found == oracle.parse(text, (0,), 3, MOST, quoted=True, point=point, thousands=thousands)
    assert found is not None


@pytest.mark.parametrize("cell", ["1,23", "1234,567", ",123", "1,234,56", "12,,345", "1,2345", "1,234,"])
def test_thousands_elsewhere_are_no_number(cell):
    assert run(f'"{cell}"\n', (0,), 3, quoted=True, thousands=",") is None


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("1,2\n\n3,4\n", False),  # an empty line above others
        ("1\n", False),  # a cell is missing
        ("1,2,3\n", False),  # a cell too many
        ('"1","2"\n', False),  # quotes where there are none
        ("1,2\n", True),  # no quotes where there are
        ('"1,"2"\n', True),
        ('"1","2\n', True),
        ('"1","2"x\n', True),
        ('x"1","2"\n', True),
        ('"1"x,"2"\n', True),
        ('"1";"2"\n', True),
        ("1,2\rx\n", False),
    ],
)
def test_lines_that_are_not_plain(text, quoted):
    assert run(text, (0, 1), quoted=quoted) is None


@pytest.mark.parametrize(
    ("text", "quoted"),
    [(",1\n", False), ('"","1"\n', True), ('"a,1\n', False), ('"a\n","1"\n', True), ("a\0b,1\n", False)],
)
def test_texts_that_are_not_plain(text, quoted):
    assert run(text, (-2, 0), quoted=quoted) is None


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_may_lie_across_what_is_cut_at_a_time(quoted, end):
    rows = [("a" * (at % 97 + 1), f"{at}.{at % 10}", "" if at % 5 else "n/e", str(-at)) for at in range(900)]
    some = "".join(",".join(f'"{cell}"' if quoted else cell for cell in row) + end for row in rows)
    text = some * (5 * CHUNK // (4 * len(some)) + 1)
    cells = (-2, 0, 1, 2)
    assert run(text, cells, quoted=quoted, words=("n/e",)) == oracle.parse(
        text, cells, 6, MOST, quoted=quoted, words=("n/e",)
    )


@pytest.mark.parametrize(("length", "read"), [(CHUNK - 3, True), (CHUNK - 2, False)])
def test_no_line_is_longer_than_what_is_cut_at_a_time(length, read):
    text = f"1,{'a' * length}\n2,b\n"
    assert (run(text, (0, -2)) is not None) == read


@pytest.mark.parametrize("digits", [0, 3, 6])
def test_the_largest_number_and_the_next(digits):
    most = f"{MOST:020d}"
    whole = most[: 20 - digits].lstrip("0")
    cell = f"{whole}.{most[20 - digits :]}" if digits else whole
    assert run(f"{cell}\n", (0,), digits) == ([[MOST]], [[]])
    above = f"{MOST + 1:020d}"
    cell = f"{above[: 20 - digits].lstrip('0')}.{above[20 - digits :]}" if digits else str(MOST + 1)
    assert run(f"{cell}\n", (0,), digits) is None


@pytest.mark.parametrize(("cell", "digits"), [("99999999", 6), ("99999", 9)])
def test_a_short_number_that_scales_beyond_the_largest(cell, digits):
    assert run(f"{cell}\n", (0,), digits) is None


@given(st.lists(st.binary(max_size=30), max_size=10))
def test_spans_are_copied_one_after_another(pieces):
    joined = b"".join(pieces)
    data = np.frombuffer(b"#" + joined + bytes(16), np.uint8)
    lengths = np.array([len(piece) for piece in pieces], np.int64)
    ends = 1 + np.cumsum(lengths)
    spans = np.stack([ends - lengths, ends], axis=1) if pieces else np.zeros((0, 2), np.int64)
    order = np.arange(len(pieces))[::-1]
    offsets = np.concatenate([[0], np.cumsum(lengths[order])])[: len(pieces)].astype(np.int64)
    copied = np.zeros(len(joined) + 16, np.uint8)
    copy_spans(eights(data), spans[order], offsets, eights(copied))
    assert copied[: len(joined)].tobytes() == b"".join(pieces[::-1])


@given(st.text("1,\n\r", max_size=300).map(str.encode), st.integers(0, 300), st.integers(0, 300))
def test_lines_are_counted_as_python_counts_them(raw, first, last):
    first, last = sorted(min(at, len(raw)) for at in (first, last))
    assert count_lines(np.frombuffer(raw, np.uint8), first, last) == raw[first:last].count(b"\n")


def test_more_lines_than_are_computed_at_a_time():
    lines, columns = 20, TOGETHER // 16
    text = "".join(",".join(str((at * column) % 10) for column in range(columns)) + "\n" for at in range(lines))
    found, _ = run(text, list(range(columns)), digits=0)
    assert found == [[(at * column) % 10 for column in range(columns)] for at in range(lines)]
