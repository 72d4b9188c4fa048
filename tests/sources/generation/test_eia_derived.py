"""EIA-930 by hour and fuel: the two years of the lower 48 states."""

import csv
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from oracle.exports import cells_by_start

import gcr_fast as gcr
from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLE = Path(__file__).parent.parent / "examples" / "eia930-derived.csv"
KINDS = {
    "coal": "fossil_coal",
    "hydro": "hydro",
    "natural_gas": "fossil_gas",
    "nuclear": "nuclear",
    "other": "other",
    "petroleum": "fossil_oil",
    "solar": "solar",
    "wind": "wind",
    "demand": "load",
}
MWH = 1_000_000


def plain(path, column):
    """Watt-hours by start, read row by row; a gap is None."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    ends = [datetime.strptime(row["period_utc_hour_ending"], "%Y-%m-%dT%H").replace(tzinfo=UTC) for row in rows]
    values = [Fraction(row[column]) * MWH if row[column] else None for row in rows]
    return {int((end - timedelta(hours=1)).timestamp()): value for end, value in zip(ends, values, strict=True)}


def test_every_column_is_a_series_called_by_its_kind():
    readings = read_readings(EXAMPLE)
    assert {one.name: cells_by_start(one) for one in readings.series} == {
        kind: plain(EXAMPLE, column) for column, kind in KINDS.items()
    }
    assert {(one.power, one.interval_s, one.area) for one in readings.series} == {(False, 3600, "")}
    assert {one.role for one in readings.series if one.kind != "load"} == {"generation"}


def test_the_label_is_the_end_of_the_hour():
    (wind,) = (one for one in read_readings(EXAMPLE).series if one.kind == "wind")
    assert datetime.fromtimestamp(int(wind.starts[0]), UTC) == datetime(2019, 12, 31, 19, tzinfo=UTC)
    assert len(read_readings(EXAMPLE, How(year=2019, types=frozenset({"solar"}))).series[0]) == 5


def test_an_empty_cell_is_a_gap_and_negative_nights_keep_their_sign():
    found = {one.kind: one for one in read_readings(EXAMPLE).series}
    assert found["wind"].null.tolist() == [at == 11 for at in range(30)]
    assert found["solar"].values[9:14].tolist() == [-3 * MWH] * 5


def test_a_column_of_no_known_fuel_is_left_out(write):
    readings = read_readings(write(EXAMPLE.read_text().replace(",coal,", ",moonshine,", 1)))
    assert readings.left_out == {"moonshine": "not known"}
    assert len(readings.series) == 8


@pytest.mark.parametrize(
    ("old", "new", "column", "value"),
    [
        ("2019-12-31T21", "31.12.2019 21", "period_utc_hour_ending", "31.12.2019 21"),
        ("2019-12-31T21,100007", "2019-12-31T21,1.000.07", "coal", "1.000.07"),
        ("2019-12-31T21,100007", "2019-12-31T21,1e+30", "coal", "1e+30"),
    ],
)
def test_bad_cells_are_refused(old, new, column, value, write, refusal):
    (found,) = refusal(read_readings, write(EXAMPLE.read_text().replace(old, new)))
    assert (found["column"], found["value"], found["line"]) == (column, value, 3)


@pytest.fixture(params=[2019, 2020])
def year(request):
    return request.param


TOTALS_TWH = {
    2019: {"solar": "63.6", "wind": "293.9", "nuclear": "840.9", "hydro": "291.0"},
    2020: {"solar": "77.9", "wind": "333.4", "nuclear": "785.4", "hydro": "279.6"},
}
"""Of the hours that begin in the year. Counted by their labels, which are their ends, wind of 2020 is 333.3."""


def test_real_years_have_all_hours_and_their_totals(real_data, year):
    path = real_data / "eia930_us48" / f"derived_US48_{year}_MWh.csv"
    readings = read_readings(path)
    assert readings.format == "eia930-derived"
    assert {len(one) for one in readings.series} == {8784 if year == 2020 else 8760}
    found = {one.kind: one for one in readings.series}
    for column, kind in KINDS.items():
        assert cells_by_start(found[kind]) == plain(path, column)
    totals = {kind: f"{int(found[kind].values.sum()) / 10**12:.1f}" for kind in TOTALS_TWH[year]}
    assert totals == TOTALS_TWH[year]
    negative = found["solar"].values < 0
    assert int(negative.sum()) == {2019: 13, 2020: 36}[year]
    kept = read_readings(path, How(year=year))
    assert len(kept.series[0]) == len(found["solar"])


def test_wind_of_2020_by_labels_is_the_published_control_total(real_data):
    rows = {}
    for number in (2019, 2020):
        with (real_data / "eia930_us48" / f"derived_US48_{number}_MWh.csv").open() as file:
            rows |= {row["period_utc_hour_ending"]: Fraction(row["wind"]) for row in csv.DictReader(file)}
    total = sum(value for label, value in rows.items() if label.startswith("2020-"))
    assert f"{float(total / 10**6):.1f}" == "333.3"


def test_profiles_of_a_real_year_have_the_columns_names(real_data, year):
    profiles = gcr.read_profiles(real_data / "eia930_us48" / f"derived_US48_{year}_MWh.csv")
    assert {"solar", "wind", "nuclear", "hydro", "other"} <= set(profiles)
    assert "load" not in profiles
    assert profiles["solar"].source_type == "solar"
