"""PVWatts and SAM: a year without a number, standard time, no 29 February."""

import csv
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

import pytest
from oracle.exports import values_by_start

from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.generation.pvwatts import standard_zone
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
DENVER = How(year=2020, zone="America/Denver")


def hours_of(path, year, offset_hours):
    """W by UTC second, straight from the text."""
    place = timezone(timedelta(hours=offset_hours))
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    header = next(at for at, row in enumerate(rows) if row[:3] == ["Month", "Day", "Hour"])
    power = rows[header].index("AC System Output (W)")
    found = {}
    for row in rows[header + 1 :]:
        if row[0] != "Totals":
            at = datetime(year, int(row[0]), int(row[1]), int(row[2]), tzinfo=place)
            found[int(at.timestamp())] = Fraction(row[power]) // 1
    return found


def test_pvwatts_hours_are_standard_time_also_in_summer():
    readings = read_readings(EXAMPLES / "pvwatts.csv", DENVER)
    (one,) = readings.series
    assert values_by_start(one) == hours_of(EXAMPLES / "pvwatts.csv", 2020, -7)
    assert (one.kind, one.source_type, one.power, one.interval_s) == ("solar", "solar", True, 3600)
    assert readings.dropped == {"line of totals": 1}
    assert "DC Array Output (W)" in readings.left_out
    assert readings.zone == "-07:00"


def test_the_leap_day_is_a_gap_and_never_invented():
    (one,) = read_readings(EXAMPLES / "pvwatts.csv", DENVER).series
    leap = datetime(2020, 2, 29, 7, tzinfo=UTC).timestamp()
    assert not [start for start in one.starts.tolist() if leap <= start < leap + 86_400]
    assert leap - 3600 in one.starts
    assert leap + 86_400 in one.starts


@pytest.mark.parametrize(("how", "option"), [(How(zone="UTC"), "--year"), (How(year=2020), "--zone")])
@pytest.mark.parametrize("name", ["pvwatts.csv", "sam.csv"])
def test_without_year_or_zone_it_is_refused(name, how, option, refusal):
    (finding,) = refusal(read_readings, EXAMPLES / name, how)
    assert option in finding["message"]
    assert finding["file"].endswith(name)


@pytest.mark.parametrize(
    ("zone", "standard"),
    [
        ("America/Denver", "-07:00"),
        ("Europe/Dublin", "+00:00"),
        ("Australia/Adelaide", "+09:30"),
        ("America/St_Johns", "-03:30"),
        ("Asia/Kolkata", "+05:30"),
    ],
)
def test_standard_time_is_that_of_winter(zone, standard):
    assert standard_zone(zone, 2019) == standard


def test_bad_hours_and_powers_are_listed_each(write, refusal):
    text = (EXAMPLES / "pvwatts.csv").read_text()
    bad = text.replace("\n2,28,13,", "\n2,30,13,").replace("\n2,28,14,", "\n2,28,x,").replace("\n3,10,0,", "\n,10,0,")
    findings = refusal(read_readings, write(bad), DENVER)
    assert [finding["value"] for finding in findings] == ["2020-2-30 13:00", "2020-2-28 x:00", None]
    lines = text.splitlines()
    assert lines[findings[0]["line"] - 1].startswith("2,28,13,")
    last = text.rindex("\n3,10,12,")
    cell = text[last + 1 : text.index("\n", last + 1)].rpartition(",")[2]
    findings = refusal(read_readings, write(text.replace(f",{cell}\n", ",n/a\n")), DENVER)
    assert [finding["value"] for finding in findings] == ["n/a"] * len(findings)


def test_monthly_tables_and_tables_without_output_are_refused(write, refusal):
    text = (EXAMPLES / "pvwatts.csv").read_text()
    (finding,) = refusal(read_readings, write(text.replace("AC System Output (W)", "Output")), DENVER)
    assert "AC System Output (W)" in finding["message"]
    monthly = "PVWatts: Hourly PV Performance Data,,\nMonth,AC Energy (kWh),Value ($)\n1,400,40\n"
    (finding,) = refusal(read_readings, write(monthly), DENVER)
    assert "months" in finding["message"]


def test_the_other_version_of_the_header_is_read(write):
    quoted = (
        '"PVWatts: Hourly PV Performance Data",""\n"Latitude","40"\n\n'
        '"Month","Day","Hour","Albedo","DC Array Output (W)","AC System Output (W)"\n'
        '"1","1","0","0.2","0","12.9"\n"1","1","1","0.2","0","-0.5"\n"Totals","","","","0","12.4"\n'
    )
    (one,) = read_readings(write(quoted), How(year=2019, zone="UTC")).series
    assert one.values.tolist() == [12, -1]


def test_sam_reads_twelve_hour_times_and_keeps_the_sign():
    readings = read_readings(EXAMPLES / "sam.csv", How(year=2019, zone="America/Denver", types=frozenset({"wind"})))
    with (EXAMPLES / "sam.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = {}
    for row in rows:
        at = datetime.strptime(f"2019 {row['Time stamp'].upper()} -0700", "%Y %b %d, %I:%M %p %z")
        wanted[int(at.timestamp())] = Fraction(row["System power generated | (kW)"]) * 1000 // 1
    (one,) = readings.series
    assert values_by_start(one) == wanted
    assert min(wanted.values()) < 0
    assert (one.kind, one.source_type) == ("wind", "wind")


def test_sam_does_not_tell_what_generates():
    (one,) = read_readings(EXAMPLES / "sam.csv", DENVER).series
    assert (one.role, one.source_type) == ("generation", None)


def test_sam_with_hours_as_numbers_is_refused(write, refusal):
    findings = refusal(read_readings, write("Time stamp,System power generated | (kW)\n0,1\n1,2\n"), DENVER)
    assert [finding["value"] for finding in findings] == ["2020 0", "2020 1"]


def test_a_real_day(real_data):
    path = real_data / "samples" / "pvwatts" / "pvwatts_hourly_head45_tail2.csv"
    (one,) = read_readings(path, How(year=2019, zone="America/Denver")).series
    assert values_by_start(one) == hours_of(path, 2019, -7)
