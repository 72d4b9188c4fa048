"""Two real years of hourly generation, spread over hundreds of made plants, and read back by other tools."""

import csv
from fractions import Fraction

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gcr_fast as gcr

pytestmark = pytest.mark.slow

SOURCES = ("solar", "wind", "nuclear", "hydro")
PLANTS = 75
HOURS = {2019: 8760, 2020: 8784}


@pytest.fixture(params=HOURS)
def year(request):
    return request.param


@pytest.fixture
def generation(real_data, year):
    return real_data / "eia930_us48" / f"derived_US48_{year}_MWh.csv"


@pytest.fixture
def sums(generation):
    """Wh of each source in the year, and in how many hours it was negative, straight from the text."""
    with generation.open() as file:
        rows = list(csv.DictReader(file))
    values = {source: [Fraction(row[source]) * 1_000_000 for row in rows] for source in SOURCES}
    assert all(len(hours) in HOURS.values() for hours in values.values())
    return {
        source: (int(sum(max(wh, 0) for wh in hours)), sum(wh < 0 for wh in hours)) for source, hours in values.items()
    }


def plants(sums, year, basis):
    """Certificates of many plants: of each source, parts of its year that together are all of it or a little less."""
    rows = []
    for source in SOURCES:
        whole, left = sums[source][0], sums[source][0]
        for number in range(PLANTS):
            energy = left if number == PLANTS - 1 and basis else whole * (number + 1) // (PLANTS * (PLANTS + 1) // 2)
            left -= energy
            rows.append({"certificate_id": f"{source}-{number:03d}", "energy_wh": energy, "source_type": source})
        assert left >= 0
    texts = {"year": str(year), "status": "CANCELED", "purpose": "conversion", "allocation_basis": basis}
    return pa.table(
        {name: [row[name] for row in rows] for name in rows[0]}
        | {name: [text] * len(rows) for name, text in texts.items()}
        | {"profile": [row["source_type"] for row in rows]}
    )


@pytest.mark.parametrize("basis", [None, "metered_hourly"])
def test_a_real_year_is_converted_exactly_and_others_read_it(generation, sums, year, basis, tmp_path):
    annual = plants(sums, year, basis)
    pq.write_table(annual, tmp_path / "annual.parquet")
    profiles = gcr.read_profiles(generation, zone="UTC", unit="MWh")
    conversion = gcr.convert(tmp_path / "annual.parquet", profiles)
    out = tmp_path / "hours.parquet"
    conversion.write(out)

    report = conversion.report.table
    assert report["hours"].unique().to_pylist() == [HOURS[year]]
    assert set(report["residual_wh"].to_pylist()) == {0}
    assert gcr.validate(tmp_path / "annual.parquet", out, profiles).ok

    wanted = dict(zip(annual["certificate_id"].to_pylist(), annual["energy_wh"].to_pylist(), strict=True))
    query = f"""
        SELECT a.certificate_id, a.energy_wh, sum(h.energy_wh)::BIGINT
        FROM '{tmp_path / "annual.parquet"}' a JOIN '{out}' h ON h.parent_certificate_id = a.certificate_id
        GROUP BY ALL
    """
    assert {name: (one, two) for name, one, two in duckdb.sql(query).fetchall()} == {
        name: (wh, wh) for name, wh in wanted.items()
    }
    assert pl.read_parquet(tmp_path / "annual.parquet").height == len(SOURCES) * PLANTS
    summed = pl.scan_parquet(out).group_by("parent_certificate_id").agg(pl.col("energy_wh").sum()).collect()
    assert {str(name): wh for name, wh in summed.iter_rows()} == wanted

    by_hour = duckdb.sql(
        "SELECT source_type::VARCHAR, epoch(production_start)::BIGINT, sum(energy_wh)::BIGINT "
        f"FROM '{out}' GROUP BY ALL"
    ).fetchall()
    for source, start, issued in by_hour:
        profile = profiles[source]
        metered = int(profile.values[(start - profile.start_s) // 3600])
        if basis:
            assert issued == metered  # the certificates of a source are all of its year
        else:
            assert issued <= metered + PLANTS


def test_solar_nights_are_clipped_and_counted(generation, sums, year):
    profiles = gcr.read_profiles(generation, zone="UTC", unit="MWh")
    solar = profiles["solar"]
    assert len(solar.values) == HOURS[year]
    assert solar.total == sums["solar"][0]
    assert int((solar.clipped > 0).sum()) == sums["solar"][1] == {2019: 13, 2020: 36}[year]
    conversion = gcr.convert(plants(sums, year, None), profiles)
    clipped = {row["profile"]: row["clipped_wh"] for row in conversion.report.table.to_pylist()}
    assert clipped == {"solar": int(solar.clipped.sum()), "wind": 0, "nuclear": 0, "hydro": 0}
    assert "negative_clipped" in conversion.findings["code"].to_pylist()


def test_the_other_year_is_refused(generation, year, refusal):
    other = 2039 - year + 2000
    annual = pa.table(
        {"certificate_id": ["A"], "energy_wh": [1], "year": [other], "status": ["CANCELED"], "profile": ["wind"]}
    )
    found = refusal(gcr.convert, annual, gcr.read_profiles(generation, zone="UTC", unit="MWh"))
    assert [item["code"] for item in found if item["severity"] == "error"] == ["wrong_year"]
