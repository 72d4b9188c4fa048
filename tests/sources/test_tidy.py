"""What is done to every file's readings alike, against a twin that goes through rows one at a time."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracle import exports as oracle

from gcr_fast.sources.files import Table, open_file
from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How, Reading, Readings
from gcr_fast.sources.tidy import absent_kinds, take, tidy

REPEATED = "rows that repeat an earlier one word for word"


def reading(starts, values, kind="solar", **others):
    """Return a series; a value of None is a gap."""
    return Reading(
        kind=kind,
        area=others.pop("area", "XX"),
        role=others.pop("role", "generation"),
        power=False,
        starts=others.pop("shared", None) if "shared" in others else np.array(starts, dtype=np.int64),
        interval_s=3600,
        values=np.array([value or 0 for value in values], dtype=np.int64),
        null=np.array([value is None for value in values], dtype=bool),
        lines=np.arange(len(values)) + others.pop("line", 2),
        **others,
    )


@pytest.fixture(scope="module")
def readings(tmp_path_factory):
    path = tmp_path_factory.mktemp("tidy") / "file.csv"

    def made(*series, zone="UTC", others=()):
        """Return readings of a file that has them; `others` are cells that are not read, by line."""
        cells = {}
        for one in series:
            for start, value, line in rows_of(one):
                cells.setdefault(line, []).append(f"{start},{value}")
        texts = [
            ",".join([*cells.get(line, []), dict(others).get(line, "")]) for line in range(1, max(cells, default=1) + 1)
        ]
        path.write_text("\n".join(["a,b", *texts[1:]]) + "\n")
        return Readings(open_file(path), "test", list(series), zone=zone)

    return made


def rows_of(one):
    columns = (part.tolist() for part in (one.starts, one.values, one.null, one.lines))
    return [(start, None if null else value, line) for start, value, null, line in zip(*columns, strict=True)]


def without_repeats(rows):
    """The twin: a row goes if an earlier row of its start, the one before it among those, has the same values."""
    kept, before = [], {}
    for start, *values, line in rows:
        if before.get(start) != values:
            kept.append((start, *values, line))
        before[start] = values
    return kept


ROWS = st.lists(st.tuples(st.integers(0, 4), st.one_of(st.none(), st.integers(-1, 1)), st.integers(0, 1)), max_size=14)


@given(rows=ROWS)
@example(rows=[(0, 1, 0), (0, 1, 0), (0, 1, 1), (1, None, 0), (1, None, 0), (1, 0, 0)])
def test_a_row_that_repeats_an_earlier_one_in_every_series_is_dropped(readings, rows):
    starts = np.array([row[0] * 3600 for row in rows], dtype=np.int64)
    first = reading(starts, [row[1] for row in rows])
    second = replace(reading(starts, [row[2] for row in rows], kind="wind"), starts=first.starts)
    found = tidy(readings(first, second), How())
    numbered = zip(starts.tolist(), rows, range(2, len(rows) + 2), strict=True)
    wanted = without_repeats([(start, row[1], row[2], line) for start, row, line in numbered])
    one, two = found.series
    assert rows_of(one) == [(start, value, line) for start, value, _, line in wanted]
    assert rows_of(two) == [(start, value, line) for start, _, value, line in wanted]
    assert found.dropped[REPEATED] == len(rows) - len(wanted)


def test_rows_of_one_start_that_differ_both_stay(readings):
    found = tidy(readings(reading([0, 0], [1, 2])), How())
    assert found.series[0].values.tolist() == [1, 2]
    assert not found.dropped


def test_a_gap_is_not_the_value_zero(readings):
    found = tidy(readings(reading([0, 0], [0, None])), How())
    assert len(found.series[0]) == 2


@pytest.mark.parametrize("blank", ["\n", "\r\n", "\n\n"])
def test_a_row_that_repeats_one_above_a_blank_line_is_a_repeat(write, blank):
    header = "interval_start_datetime,interval_end_datetime,device_id,interval_usage,gross_net_indicator\n"
    rows = [f"2024-01-01T0{at}:00Z,2024-01-01T0{at + 1}:00Z,M,{7 + at},NET\n" for at in range(4)]
    found = read_readings(write(header + "".join(rows[:3]) + blank + "".join(rows[1:])))
    assert found.dropped == {REPEATED: 2}
    assert found.series[0].values.tolist() == [7, 8, 9, 10]
    assert not found.notes
    assert read_readings(write(header + blank + "".join([*rows, rows[2], blank, rows[1]]))).dropped == {REPEATED: 2}


def test_a_row_whose_unread_cells_differ_is_no_repeat(readings):
    """Two plants with one value at one time are two, whichever columns a reader knows of."""
    found = tidy(
        readings(reading([0, 0, 0, 3600, 3600], [7, 7, 7, 0, 0]), others={2: "A", 3: "B", 4: "B", 5: "A", 6: "B"}),
        How(),
    )
    assert rows_of(found.series[0]) == [(0, 7, 2), (0, 7, 3), (3600, 0, 5), (3600, 0, 6)]
    assert found.dropped == {REPEATED: 1}
    assert "lines 2 and 3" in found.notes["2 rows"]


def test_cells_of_a_table_that_is_no_text_are_looked_at_as_well(readings):
    given = readings(reading([0, 0, 0], [7, 7, 7], line=1))
    given.cells = Table(pa.table({"plant": ["A", "B", "B"]}), 1)
    found = tidy(given, How())
    assert rows_of(found.series[0]) == [(0, 7, 1), (0, 7, 2)]
    assert found.dropped == {REPEATED: 1}


def test_series_of_other_rows_keep_theirs(readings):
    """Two series that happen to have equal times are not one table: each is looked at alone."""
    found = tidy(readings(reading([0, 0], [1, 1]), reading([0, 0], [1, 2], kind="wind", line=4)), How())
    assert [len(one) for one in found.series] == [1, 2]
    assert found.dropped[REPEATED] == 1


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Auckland"])
def test_a_year_is_that_of_the_zone(readings, zone):
    place = ZoneInfo(zone)
    first, end = (int(datetime(year, 1, 1, tzinfo=place).timestamp()) for year in (2024, 2025))
    starts = list(range(first - 48 * 3600, end + 48 * 3600, 3600))
    found = tidy(readings(reading(starts, starts), zone=zone), How(year=2024))
    assert found.series[0].starts.tolist() == list(range(first, end, 3600))
    assert len(found.series[0]) == 8784
    assert found.dropped == {f"values outside 2024 ({zone})": 96}


def test_a_series_with_a_zone_of_its_own_has_its_own_year(readings):
    first = int(datetime(2023, 12, 31, 23).replace(tzinfo=ZoneInfo("UTC")).timestamp())
    berlin = reading([first], [1], zone="Europe/Berlin")
    found = tidy(readings(berlin, reading([first], [1], area="YY")), How(year=2024))
    assert [one.area for one in found.series] == ["XX"]


CHOICES = [
    (How(), {"XX-solar", "XX-wind_onshore", "YY-load"}),
    (How(areas=frozenset({"XX"})), {"XX-solar", "XX-wind_onshore"}),
    (How(types=frozenset({"solar"})), {"XX-solar"}),
    (How(types=frozenset({"load"})), {"YY-load"}),
    (How(types=frozenset({"generation"})), {"XX-solar", "XX-wind_onshore"}),
    (How(areas=frozenset({"YY"}), types=frozenset({"solar"})), set()),
]


@pytest.mark.parametrize(("how", "wanted"), CHOICES)
def test_areas_and_kinds_are_chosen_and_the_rest_accounted_for(readings, how, wanted):
    series = [
        reading([0], [1], source_type="solar"),
        reading([0], [1], kind="wind_onshore", source_type="wind_onshore"),
        reading([0], [1], kind="load", role="load", area="YY"),
    ]
    found = tidy(readings(*series), how)
    assert {one.name for one in found.series} == wanted
    assert found.left_out == dict.fromkeys({one.name for one in series} - wanted, "not asked for")


def test_taking_rows_takes_them_of_every_array():
    one = reading([0, 3600, 7200], [1, None, 3], quality=np.array([0, 1, 2], dtype=np.uint8))
    two = replace(one, kind="wind", quality=None)
    first, second = take([one, two], np.array([2, 0]))
    assert rows_of(first) == rows_of(second) == [(7200, 3, 4), (0, 1, 2)]
    assert (first.quality.tolist(), second.quality) == ([2, 0], None)
    assert first.starts is second.starts


def test_a_name_is_the_device_or_area_and_kind():
    assert reading([], []).name == "XX-solar"
    assert reading([], [], area="").name == "solar"
    assert reading([], [], device_id="T_1").name == "T_1"
    assert oracle.values(reading([5], [None])) == {5: None}


@pytest.mark.parametrize(
    ("asked", "absent"),
    [
        ({"wind"}, []),
        ({"wind_onshore", "generation"}, []),
        ({"wind_onshore", "wind_offshore"}, ["has no wind_offshore; it has load, wind_onshore"]),
        ({"load", "solar"}, ["has no solar; it has load, wind_onshore"]),
        (set(), []),
    ],
    ids=["family", "role", "sibling", "area", "all"],
)
def test_a_kind_is_absent_if_no_series_of_the_areas_asked_for_has_it(readings, asked, absent):
    given = readings(
        reading([0], [1], "wind_onshore", source_type="wind_onshore"),
        reading([0], [1], "load", role="load"),
        reading([0], [1], "solar", area="YY"),
    )
    how = How(types=frozenset(asked), areas=frozenset({"XX"}))
    assert [one.message for one in absent_kinds([tidy(given, how)], how)] == [f"file.csv {said}" for said in absent]


def test_a_kind_of_another_year_is_absent_from_the_year_asked_for(readings):
    seconds = [int(datetime(year, 6, 1).timestamp()) for year in (2023, 2024)]
    given = readings(reading(seconds, [1, 1]), reading(seconds[:1], [1], "wind"))
    how = How(types=frozenset({"solar", "wind"}), year=2024)
    (found,) = absent_kinds([tidy(given, how)], how)
    assert found.message == "file.csv has no wind of 2024; it has solar, wind"
