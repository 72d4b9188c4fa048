"""Japan's areas: Shift-JIS, the unit above the header, the day on its first row only."""

import csv
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from oracle.exports import values_by_start

from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
HOURS, HALVES = EXAMPLES / "japan-area.csv", EXAMPLES / "japan-area-half-hours.csv"
TOKYO = timezone(timedelta(hours=9))


def columns_of(path):
    """Whole numbers by column and UTC start, a row without a day being of the day above it."""
    rows = list(csv.reader(path.read_bytes().decode("cp932").splitlines()))
    at = next(at for at, row in enumerate(rows) if row[0] in {"月日", "DATE"})
    names, found, day = rows[at], {}, None
    for row in rows[at + 1 :]:
        if not row[1]:
            continue
        day = row[0] or day
        hour, _, minute = row[1].replace("時", ":00").partition(":")
        start = datetime(*map(int, day.split("/")), int(hour), int(minute), tzinfo=TOKYO)
        for name, cell in zip(names[2:], row[2:], strict=True):
            found.setdefault(name, {})[int(start.timestamp())] = int(cell)
    return found


def by_column(readings):
    return {one.column: one for one in readings.series}


def rewritten(write, path, change):
    return write(change(path.read_bytes().decode("cp932")).encode("cp932"))


def test_hours_are_mwh_and_a_row_without_a_day_is_of_the_day_above():
    readings = read_readings(HOURS)
    wanted = columns_of(HOURS)
    assert {name: values_by_start(one) for name, one in by_column(readings).items()} == {
        name: {start: value * 10**6 for start, value in values.items()}
        for name, values in wanted.items()
        if name not in readings.left_out
    }
    assert {(one.power, one.interval_s) for one in readings.series} == {(False, 3600)}
    assert all(len(one) == 48 for one in readings.series)
    assert readings.dropped == {"rows without any value": 1}
    assert readings.zone == "Asia/Tokyo"


def test_curtailed_energy_and_sums_are_left_out():
    assert read_readings(HOURS).left_out == {
        "太陽光抑制量": "curtailed",
        "風力抑制量": "curtailed",
        "供給力合計": "a sum",
    }


def test_words_have_their_kinds_and_pumping_keeps_its_sign():
    told = {name: (one.kind, one.role) for name, one in by_column(read_readings(HOURS)).items()}
    assert told == {
        "エリア需要": ("load", "load"),
        "原子力": ("nuclear", "generation"),
        "火力": ("fossil", "generation"),
        "水力": ("hydro", "generation"),
        "地熱": ("geothermal", "generation"),
        "バイオマス": ("biomass", "generation"),
        "太陽光実績": ("solar", "generation"),
        "風力実績": ("wind", "generation"),
        "揚水": ("hydro_pumped_storage", "storage"),
        "連系線": ("exchange", "trade"),
    }
    assert by_column(read_readings(HOURS))["揚水"].values.min() < 0


def test_half_hours_are_mean_mw_and_kinds_of_fossil_are_apart():
    readings = read_readings(HALVES)
    wanted = columns_of(HALVES)
    assert {name: values_by_start(one) for name, one in by_column(readings).items()} == {
        name: {start: value * 10**6 for start, value in values.items()}
        for name, values in wanted.items()
        if name not in readings.left_out
    }
    assert {(one.power, one.interval_s) for one in readings.series} == {(True, 1800)}
    names = [one.name for one in readings.series]
    assert len(names) == len(set(names)) == 15


def test_ten_thousands_of_kwh_are_ten_mwh(write):
    path = rewritten(write, HOURS, lambda text: text.replace("単位[MWh]", "単位[万kWh]"))
    assert by_column(read_readings(path))["火力"].values.tolist() == [
        10 * value for value in by_column(read_readings(HOURS))["火力"].values.tolist()
    ]


def test_the_area_is_what_the_user_says():
    readings = read_readings(HOURS, How(areas=frozenset({"SHIKOKU"})))
    assert {one.area for one in readings.series} == {"SHIKOKU"}
    assert "SHIKOKU-hydro" in {one.name for one in readings.series}


def test_utf_8_says_the_same(write):
    path = write(HOURS.read_bytes().decode("cp932"))
    assert [values_by_start(one) for one in read_readings(path).series] == [
        values_by_start(one) for one in read_readings(HOURS).series
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("単位[MWh]", "単位[GWh]", None, "does not say its unit"),
        (",5時,", ",5-6,", 10, "is not a day and hour"),
        (",23時,", ",24時,", 28, "counts hours from 1 to 24"),
        ("2017/4/1,0時", ",0時", 5, "is not a day and hour"),
        ("2017/4/1,0時", "1/4/2017,0時", 5, "is not a day and hour"),
        (",13,3,", ",13,三,", 5, "is not a number"),
    ],
)
def test_what_cannot_be_read_is_refused(old, new, line, said, write, refusal):
    findings = refusal(read_readings, rewritten(write, HOURS, lambda text: text.replace(old, new, 1)))
    assert said in findings[0]["message"]
    assert findings[0]["line"] == line


def test_the_real_sample(real_data):
    (path,) = (real_data / "samples" / "japan_area").iterdir()
    readings = read_readings(path)
    wanted = columns_of(path)
    assert {name: values_by_start(one) for name, one in by_column(readings).items()} == {
        name: {start: value * 10**6 for start, value in values.items()}
        for name, values in wanted.items()
        if name not in readings.left_out
    }
    supplied = [values_by_start(one) for one in readings.series if one.role != "load"]
    for start, total in wanted["供給力合計"].items():  # nothing twice, nothing lost; all round to whole MWh
        assert abs(sum(one[start] for one in supplied) - total * 10**6) <= 3 * 10**6
