"""Wide dumps of Elexon data: repeated rows, rows without a time, links to other countries, a real year."""

import csv
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from oracle.exports import named, values_by_start

from gcr_fast.sources.generation.formats import read_readings

EXAMPLES = Path(__file__).parent.parent / "examples"
FUELS, WIND = EXAMPLES / "elexon-wide.csv", EXAMPLES / "elexon-wide-b1630.csv"
NAMES = {
    "ccgt": "GB-fossil_gas_ccgt",
    "nuclear": "GB-nuclear",
    "wind": "GB-wind",
    "ps": "GB-hydro_pumped_storage",
    "npshyd": "GB-hydro",
    "intfr": "INTFR",
    "biomass": "GB-biomass",
}


def utc(text):
    return int(datetime.fromisoformat(text).timestamp())


def rows_of(path):
    with path.open(newline="") as file:
        return [row for row in csv.reader(file) if row]


def in_sequence(path):
    """Rows by their UTC start; one without a time is half an hour after the row before it."""
    header, *rows = rows_of(path)
    found, before = {}, None
    for row in rows:
        before = utc(row[0]) if row[0] else before + 1800
        found[before] = dict(zip(header, row, strict=True))
    return found


def test_half_hours_begin_at_their_time_over_both_clock_changes():
    readings = read_readings(FUELS)
    wanted = in_sequence(FUELS)
    assert {name: values_by_start(one) for name, one in named(readings).items()} == {
        name: {start: int(row[column]) * 10**6 for start, row in wanted.items()} for column, name in NAMES.items()
    }
    spring = {utc(f"2018-03-25T0{hour}:00Z") for hour in (0, 1, 2)}
    autumn = {utc("2018-10-28T01:30+01:00"), utc("2018-10-28T01:30+00:00")}
    assert spring | autumn <= set(wanted)
    assert {name: one.role for name, one in named(readings).items() if one.role != "generation"} == {
        "INTFR": "trade",
        "GB-hydro_pumped_storage": "storage",
    }
    assert {(one.power, one.interval_s) for one in readings.series} == {(True, 1800)}


def test_repeated_rows_are_dropped_and_counted():
    assert read_readings(FUELS).dropped == {"rows that repeat an earlier one word for word": 3}


def test_rows_without_a_time_fill_what_their_day_has_left_and_are_counted():
    readings = read_readings(FUELS)
    assert (
        readings.notes["5 rows without a time on 2018-12-31"]
        == "placed in order in what the day has left, from line 61 on"
    )
    assert readings.series[0].starts[-1] == utc("2018-12-31T23:30Z")


@pytest.mark.parametrize(
    "change", ["one less", "one more", "at the start", "an hour known twice", "next day in between"]
)
def test_rows_without_a_time_that_do_not_fit_are_refused_one_by_one(change, write, refusal):
    lines = FUELS.read_text().splitlines()
    blank = [at for at, line in enumerate(lines) if line.startswith(",")]
    last = lines[blank[0] - 1]
    if change == "one less":
        lines.pop()
    elif change == "one more":
        lines.append(lines[-1])
    elif change == "at the start":
        lines = [lines[0], *lines[blank[0] :], *lines[1 : blank[0]]]
    elif change == "one of them known":
        lines.append(last.replace("21:00:00", "23:30:00"))
    else:
        lines.insert(blank[2], last.replace("2018-12-31 21:00:00", "2019-01-01 00:00:00"))
    count = sum(line.startswith(",") for line in lines)
    findings = refusal(read_readings, write("\n".join(lines)))
    assert [one["code"] for one in findings] == ["null_value"] * count
    assert [one["line"] for one in findings] == [at for at, line in enumerate(lines, 1) if line.startswith(",")]
    assert "left of the day" in findings[0]["message"]


def test_rows_without_a_time_in_the_midst_of_a_day_are_placed_too(write):
    header, *lines = FUELS.read_text().splitlines()
    day = [line for line in lines if line.startswith("2018-12-31")]
    late = [f"{day[0][:11]}{hour}:00+00:00{day[0][25:]}" for hour in ("21:30", "22:00", "22:30", "23:00", "23:30")]
    whole = values_by_start(read_readings(write("\n".join([header, *day, *late]))).series[0])
    gaps = [line[25:] if line[11:16] in {"10:00", "10:30"} else line for line in day]
    readings = read_readings(write("\n".join([header, *gaps, *late, ""])))
    assert list(readings.notes) == ["2 rows without a time on 2018-12-31"]
    assert values_by_start(readings.series[0]) == whole


def test_half_hours_in_which_nothing_runs_are_kept_and_noted():
    readings = read_readings(FUELS)
    lines = FUELS.read_text().splitlines()
    (still,) = (at for at, line in enumerate(lines, 1) if line.endswith(",0,0,0,0,0,1204,0"))
    assert readings.notes["1 row of zeros"].endswith(f"lines {still}")
    assert not any(one.null.any() for one in readings.series)


def test_columns_quoted_twice_are_wind_and_sun_and_an_empty_cell_is_a_gap():
    readings = read_readings(WIND)
    header, *rows = rows_of(WIND)
    names = {'"Solar"': "GB-solar", '"Wind Offshore"': "GB-wind_offshore", '"Wind Onshore"': "GB-wind_onshore"}
    for column, name in names.items():
        one = named(readings)[name]
        cells = {utc(row[0]): row[header.index(column)] for row in rows}
        assert values_by_start(one) == {start: Fraction(cell or 0) * 10**6 // 1 for start, cell in cells.items()}
        assert one.null.tolist() == [not cell for cell in cells.values()]
    assert named(readings)["GB-wind_onshore"].null.sum() == 1


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("2018-03-25 00:30:00+00:00", "25/03/2018 00:30", "25/03/2018 00:30"),
        ("2018-03-25 00:30:00+00:00", "2018-03-25 00:30:00", "2018-03-25 00:30:00"),
        ("2018-10-28 01:30:00+01:00,", "2018-10-28 01:30:00+01:00,x", None),
    ],
)
def test_bad_cells_are_named(old, new, value, write, refusal):
    text = FUELS.read_text()
    assert old in text
    findings = refusal(read_readings, write(text.replace(old, new, 1)))
    assert findings[0]["line"] == next(at for at, line in enumerate(text.splitlines(), 1) if old in line)
    assert value is None or findings[0]["value"] == value


def test_a_column_of_no_known_fuel_is_left_out_by_name(write):
    readings = read_readings(write(FUELS.read_text().replace(",biomass", ",plasma")))
    assert readings.left_out == {"plasma": "not known"}


@pytest.fixture
def real(real_data):
    return real_data / "gb_2018"


def test_the_real_year_has_every_half_hour_once(real):
    """17,648 rows are 17,473 distinct ones, 128 repeats and 47 without a time: 17,520 half hours."""
    path = real / "FUELHH_2018.csv"
    header, *rows = rows_of(path)
    dated = [tuple(row) for row in rows if row[0]]
    assert (len(rows), len(set(dated)), len(dated) - len(set(dated)), len(rows) - len(dated)) == (17648, 17473, 128, 47)
    readings = read_readings(path)
    assert readings.rows == 17648
    assert readings.dropped == {"rows that repeat an earlier one word for word": 128}
    assert (
        readings.notes["47 rows without a time on 2018-12-31"]
        == "placed in order in what the day has left, from line 17603 on"
    )
    start, end = (int(datetime(year, 1, 1, tzinfo=ZoneInfo("Europe/London")).timestamp()) for year in (2018, 2019))
    every = list(range(start, end, 1800))
    assert len(every) == 17520
    sums = [
        sum(int(row[at]) for row in set(dated)) + sum(int(row[at]) for row in rows if not row[0])
        for at in range(1, len(header))
    ]
    assert [int(one.values.sum()) for one in readings.series] == [total * 10**6 for total in sums]
    for one in readings.series:
        assert sorted(one.starts.tolist()) == every
        assert not one.null.any()
    twh = {one.name: int(one.values.sum()) / 2 / 1e12 for one in readings.series}
    assert twh["GB-nuclear"] == 60.6096595
    assert twh["GB-wind"] == 39.403597


def test_the_rows_without_a_time_agree_with_another_file_of_that_day(real):
    """Wind of 31 December, placed by its sequence, follows the wind that the other dump has with its times."""
    placed = values_by_start(named(read_readings(real / "FUELHH_2018.csv"))["GB-wind"])
    other = named(read_readings(real / "B1630_2018.csv"))
    both = [values_by_start(other[name]) for name in ("GB-wind_onshore", "GB-wind_offshore")]
    day = [utc("2018-12-31T00:00Z") + 1800 * at for at in range(1, 36)]
    ratios = [placed[start] / sum(one[start] for one in both) for start in day]
    assert all(0.85 < ratio < 1.05 for ratio in ratios)


def test_the_real_gaps_of_the_other_dump_stay_gaps(real):
    readings = read_readings(real / "B1630_2018.csv")
    _, *rows = rows_of(real / "B1630_2018.csv")
    assert {len(one) for one in readings.series} == {len(rows)} == {17455}
    sums = [sum(Fraction(row[at]) for row in rows) for at in (1, 2, 3)]
    assert [int(one.values.sum()) for one in readings.series] == [total * 10**6 for total in sums]


def test_real_days_of_clock_changes_have_46_and_50_half_hours(real):
    starts = set(read_readings(real / "FUELHH_2018.csv").series[0].starts.tolist())
    for day, hours in (("2018-03-25", 23), ("2018-10-28", 25)):
        midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/London"))
        begin, end = (int(at.timestamp()) for at in (midnight, midnight + timedelta(days=1)))
        assert (end - begin) // 3600 == hours
        assert sum(begin <= start < end for start in starts) == 2 * hours


def test_an_extract_whose_rows_without_a_time_do_not_fill_the_day_is_refused(real_data, refusal):
    findings = refusal(read_readings, real_data / "samples" / "elexon_legacy_fuelhh" / "FUELHH_2018_head_dst_tail.csv")
    assert [one["line"] for one in findings] == [25, 26, 27]
