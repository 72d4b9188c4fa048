"""The source's own words about its values, against plain lists of words."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcr_fast.exchange.reading import Source
from gcr_fast.findings import Findings
from gcr_fast.flags import SILENT, Flags, among, counted, taken, told, united
from gcr_fast.grid.intervals import build
from gcr_fast.grid.merging import joined
from gcr_fast.grid.series import Series
from gcr_fast.grid.shapes import Profile
from gcr_fast.imports.filling import fill, stretched
from gcr_fast.periods import Period
from gcr_fast.units import UNITS

SAID = st.sampled_from([None, "", "  ", "II", " R1", "R1", "Imputed"])


def spelled(flags, count):
    """A word or None for each interval."""
    return [None] * count if flags is None else [flags.words[code] if code >= 0 else None for code in flags.codes]


def plain(cells):
    return [(cell or "").strip() or None for cell in cells]


@given(st.lists(SAID))
def test_a_column_says_its_trimmed_words(cells):
    assert spelled(told(pa.array(cells, pa.string())), len(cells)) == plain(cells)
    assert (told(pa.chunked_array([pa.array(cells, pa.string())])) is None) == (not any(plain(cells)))


@given(st.lists(SAID), st.data())
def test_some_rows_of_it_are_said_of_these_rows(cells, data):
    rows = data.draw(st.lists(st.integers(0, len(cells) - 1)) if cells else st.just([]))
    found = taken(told(pa.array(cells, pa.string())), np.array(rows, dtype=np.int64))
    assert spelled(found, len(rows)) == [plain(cells)[row] for row in rows]
    assert found is None or any(spelled(found, len(rows)))


@given(st.lists(SAID), st.sampled_from([np.int8, np.int32]))
def test_words_are_counted_by_the_intervals_of_which_they_are_said(cells, dtype):
    flags = told(pa.array(cells, pa.string()))
    some = None if flags is None else Flags(flags.codes.astype(dtype), flags.words)
    assert counted(some) == Counter(word for word in plain(cells) if word)


def test_more_words_than_a_byte_counts_are_counted_apart():
    words = tuple(map(str, range(128)))
    codes = np.arange(128, dtype=np.int8)
    assert counted(Flags(codes, words)) == dict.fromkeys(words, 1)


@given(st.lists(SAID), st.lists(SAID))
def test_words_of_several_are_united_each_once(one, two):
    flags = [told(pa.array(cells, pa.string())) for cells in (one, two)]
    words = united(flags)
    assert sorted(words) == sorted({word for word in plain(one) + plain(two) if word})
    for cells, some in zip((one, two), flags, strict=True):
        codes = among(words, some, len(cells))
        assert codes.dtype == np.int32
        assert spelled(Flags(codes, words), len(cells)) == plain(cells)


@given(st.lists(st.tuples(SAID, SAID, SAID, SAID)), st.sampled_from([np.int8, np.int32]))
def test_an_hour_is_told_of_by_every_word_of_its_parts(hours, dtype):
    cells = [cell for hour in hours for cell in hour]
    flags = told(pa.array(cells, pa.string())) or Flags(np.full(len(cells), SILENT), ())
    found = Flags(flags.codes.astype(dtype), flags.words).by_groups(4)
    order = list(flags.words)
    for said, hour in zip(spelled(found, len(hours)), hours, strict=True):
        words = sorted({word for word in plain(hour) if word}, key=order.index)
        assert said == ("+".join(words) or None)
    assert len(set(found.words)) == len(found.words)


def test_an_hour_that_is_told_of_by_a_joined_word_is_told_of_by_that_word():
    found = Flags(np.array([0, 0, 1, 2], dtype=np.int32), ("A+B", "A", "B")).by_groups(2)
    assert spelled(found, 2) == ["A+B", "A+B"]
    assert found.words == ("A+B", "A", "B")


SOURCE = Source(pa.table({}), "a table")


def series(cells, step_s=3600, starts=None, null=()):
    count = len(cells)
    seconds = np.arange(count) * step_s if starts is None else np.array(starts)
    nothing = np.zeros(count, dtype=bool)
    empty = np.isin(np.arange(count), null)
    return Series(
        "P", UNITS["wh"], "begin", seconds, np.ones(count, np.int64) * ~empty, empty, nothing, np.arange(count), "c",
        None, None, SOURCE, flags=told(pa.array(cells, pa.string())), step_s=step_s,
    )  # fmt: skip


GRIDS = {
    "in order": (series(["A", "B", None]), ["A", "B", None]),
    "out of order, with a gap": (series(["A", "B", "C"], starts=[7200, 0, 10_800]), ["B", None, "A", "C"]),
    "of an interval without a value": (series(["A", "B", "C"], null=[1]), ["A", "B", "C"]),
    "of quarter-hours": (series(["A"] * 4 + ["A", "B", "B", None], 900), ["A", "A+B"]),
    "of nothing": (series([None, None]), [None, None]),
}


@pytest.mark.parametrize(("given", "wanted"), GRIDS.values(), ids=GRIDS)
def test_flags_go_to_their_places_on_the_grid(given, wanted):
    profile = build(given, None, keep_intervals=False)
    assert spelled(profile.flags, len(profile.values)) == wanted


def test_quarter_hours_that_are_kept_keep_their_own_words():
    assert spelled(build(series(["A", "B"], 900), None, keep_intervals=True).flags, 2) == ["A", "B"]


def profile(hour, cells, missing=()):
    nothing = np.zeros(len(cells), dtype=np.int64)
    absent = np.isin(np.arange(len(cells)), missing)
    flags = told(pa.array(cells, pa.string()))
    return Profile("P", hour * 3600, 3600, nothing, absent, nothing, flags=flags)


def test_flags_of_two_files_go_with_the_values_of_each():
    one, two = profile(0, ["A", "B", "A"], missing=[1]), profile(1, ["C", "B", "B"], missing=[1])
    assert spelled(joined([one, two], Findings()).flags, 4) == ["A", "C", "A", "B"]
    silent = profile(3, [None])
    assert spelled(joined([one, silent], Findings()).flags, 4) == ["A", "B", "A", None]
    assert spelled(joined([silent, one], Findings()).flags, 4) == ["A", "B", "A", None]
    assert joined([silent, profile(4, [None])], Findings()).flags is None


def test_flags_of_a_value_that_two_files_have_are_those_of_the_one_that_has_words():
    one, two = profile(0, ["A", None, "A", None], missing=[3]), profile(0, ["C", "C", "C", "C"], missing=[2])
    assert spelled(joined([one, two], Findings()).flags, 4) == ["A", "C", "A", "C"]
    assert spelled(joined([two, one], Findings()).flags, 4) == ["C", "C", "A", "C"]


def test_flags_stay_where_a_gap_is_filled_and_where_a_year_is_stretched():
    one = profile(1, ["A", "-3", "A"], missing=[1])
    assert spelled(fill(one, "zero", np.ones(3, dtype=bool)).flags, 3) == ["A", "-3", "A"]
    assert spelled(stretched(one, Period(0, 5 * 3600)).flags, 5) == [None, "A", "-3", "A", None]
