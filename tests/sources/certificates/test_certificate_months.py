"""Monthly certificates of one device over one yearly meter, converted in one call: each within its own month."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from lists import rego, rego_row

import gcr_fast as gcr
from gcr_fast.certificates import read_certificates
from gcr_fast.conversion.matching import residual_verdict

STATION = "G09001FWSC"
LONDON = ZoneInfo("Europe/London")
FIRST = datetime(2023, 1, 1, tzinfo=UTC)


def metered(hour):
    """Wh of an hour of the year: uneven, sometimes nothing."""
    return 0 if hour % 97 == 0 else 1_000_000 + (hour * 7_919) % 3_000_001


def month_of(start):
    return start.astimezone(LONDON).month


METER = {FIRST + timedelta(hours=hour): metered(hour) for hour in range(8760)}


@pytest.fixture(scope="module")
def by_month():
    """Wh that the meter has in each month of London."""
    sums = Counter()
    for start, energy in METER.items():
        sums[month_of(start)] += energy
    return sums


@pytest.fixture
def profiles(write):
    rows = "".join(f"{STATION},{start:%Y-%m-%dT%H:%MZ},{energy}\n" for start, energy in METER.items())
    return gcr.read_profiles(write("device_id,start,energy_wh\n" + rows, "meter.csv"))


def convert(write, profiles, rows, tmp_path, **options):
    """Import a list, write it, read it, convert it: what a user does."""
    annual = read_certificates(write(rego(*rows), "regos.csv"), basis="metered_hourly").write(
        tmp_path / "annual.parquet"
    )
    return gcr.convert(annual.path, profiles, **options)


def hours_of(conversion):
    """Return (parent, start, Wh) of every hourly certificate."""
    table = conversion.to_table()
    names = ("parent_certificate_id", "production_start", "energy_wh")
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("method", ["cumulative", "largest-remainder"])
def test_months_share_one_meter(write, profiles, by_month, tmp_path, order, method):
    """Two certificates a month: together all the whole MWh that the meter has."""
    rows, wanted = [], {}
    for month, energy in sorted(by_month.items()):
        whole = energy // 1_000_000
        parts = (whole // 3, whole - whole // 3)
        for first, count in ((0, parts[0]), (parts[0], parts[1])):
            row = rego_row(month=month, count=count, first=first)
            rows.append(row)
            wanted[f"{row[9]}..{row[10]}"] = (month, count * 1_000_000)
    conversion = convert(write, profiles, rows[::order], tmp_path, method=method)

    sums, issued = Counter(), defaultdict(int)
    for parent, start, energy in hours_of(conversion):
        assert month_of(start) == wanted[parent][0]
        sums[parent] += energy
        issued[start] += energy
    assert dict(sums) == {name: energy for name, (_, energy) in wanted.items()}
    assert all(energy <= METER[start] for start, energy in issued.items())
    assert conversion.report.totals["residual_wh"] == 0
    left = sum(METER.values()) - sum(issued.values())
    assert left == sum(energy % 1_000_000 for energy in by_month.values())
    assert gcr.validate(tmp_path / "annual.parquet", conversion.to_table(), profiles).ok


def test_a_second_certificate_takes_what_the_first_left(write, profiles, by_month, tmp_path):
    whole = by_month[3] // 1_000_000
    rows = [rego_row(month=3, count=whole - 10), rego_row(month=3, count=11, first=whole - 10)]
    conversion = convert(write, profiles, rows, tmp_path)
    report = conversion.report.table.to_pylist()
    excess = whole * 1_000_000 + 1_000_000 - by_month[3]
    assert residual_verdict(excess, None) == "residual_booked"
    assert [row["residual_wh"] for row in report] == [0, excess]
    issued = Counter()
    for _, start, energy in hours_of(conversion):
        issued[start] += energy
    assert issued == {start: energy for start, energy in METER.items() if energy and month_of(start) == 3}


def test_more_than_the_month_has_is_refused_though_the_year_has_it(write, profiles, by_month, tmp_path, refusal):
    rows = [rego_row(month=2, count=by_month[2] // 1_000_000 + 2), rego_row(month=3, count=5)]
    found = refusal(convert, write, profiles, rows, tmp_path)
    assert [item["code"] for item in found if item["severity"] == "error"] == ["over_meter"]


def test_a_year_from_april_and_its_months_share(write, profiles, by_month, tmp_path):
    """A certificate of the quarter and one of a month in it: the month's hours never exceed the meter."""
    quarter = sum(by_month[month] for month in (4, 5, 6)) // 2_000_000
    rows = [
        rego_row(month=4, count=quarter, period="01/04/2023 - 30/06/2023", days="010423300623"),
        rego_row(month=5, count=by_month[5] // 3_000_000),
    ]
    conversion = convert(write, profiles, rows, tmp_path)
    issued = Counter()
    for _, start, energy in hours_of(conversion):
        issued[start] += energy
    assert all(energy <= METER[start] for start, energy in issued.items())
    assert sum(issued.values()) == (quarter + by_month[5] // 3_000_000) * 1_000_000
