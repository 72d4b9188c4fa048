"""The output of 318 British units in 2018 as annual certificates, over British generation by fuel: one command."""

import csv
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from click.testing import CliRunner
from gcr_cli.main import main

import gcr_fast as gcr
from gcr_fast.certificates import read_certificates

MAPPING = Path(__file__).parent / "mappings" / "british-units.yaml"
SOURCES = {"WIND": "wind", "NPSHYD": "hydro", "BIOMASS": "biomass", "NUCLEAR": "nuclear", "TIDAL": "marine"}
FOSSIL, STORAGE = ("CCGT", "OCGT", "COAL"), ("PS", "BATTERY")
COLUMNS = {"wind": "wind", "hydro": "npshyd", "biomass": "biomass", "nuclear": "nuclear"}
"""The column of generation by fuel that spreads each source."""


@pytest.fixture(scope="module")
def folder(real_data):
    return real_data / "gb_2018"


@pytest.fixture(scope="module")
def fuels(folder):
    with (folder / "bmu_fuel_types.csv").open(encoding="utf-8-sig") as file:
        return {row["ngc_bmu_id"]: row["fuel_type"].upper() for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def units(folder, fuels):
    """Of each unit in 2018: fuel and exact Wh, rounded down."""
    with (folder / "annual-output.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["year"] == "2018"]
    return {row["ngc_bmu_id"]: (fuels[row["ngc_bmu_id"]], Fraction(row["output_MWh"]) * 10**6 // 1) for row in rows}


@pytest.fixture(scope="module")
def hours(folder):
    """W of each fuel in each hour, its half hours in order, repeated rows once."""
    with (folder / "FUELHH_2018.csv").open() as file:
        rows = list(csv.DictReader(file))
    halves, before = {}, None
    for row in rows:
        label = row["local_datetime"]
        before = int(datetime.fromisoformat(label).timestamp()) if label else before + 1800
        halves[before] = row
    start = int(datetime(2018, 1, 1, tzinfo=UTC).timestamp())
    assert sorted(halves) == list(range(start, start + 17520 * 1800, 1800))
    return {
        source: [
            (int(halves[at][column]) + int(halves[at + 1800][column])) * 10**6 // 2
            for at in range(start, start + 17520 * 1800, 3600)
        ]
        for source, column in COLUMNS.items()
    }


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    """The one command; what it wrote and what it said."""
    place = tmp_path_factory.mktemp("british")
    names = {name: place / name for name in ("hours.parquet", "left-out.json", "certificates.csv")}
    words = ["convert", folder / "annual-output.csv", "--mapping", MAPPING, "--units", folder / "bmu_fuel_types.csv"]
    words += ["--year", "2018", "--profiles", folder / "FUELHH_2018.csv", "--out", names["hours.parquet"]]
    words += ["--findings", names["left-out.json"], "--report", names["certificates.csv"], "--json"]
    done = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return names, json.loads(done.stdout)


def reason(fuel, energy_wh):
    """Why a unit is left out; empty if it is converted."""
    if energy_wh <= 0:
        return "holds no energy"
    if fuel in FOSSIL:
        return "fossil, which is left out"
    return "storage_discharge, which is left out" if fuel in STORAGE else ""


def test_the_control_totals(units):
    assert len(units) == 318
    sums, counts = defaultdict(int), Counter()
    for fuel, energy_wh in units.values():
        sums[fuel] += energy_wh
        counts[fuel] += energy_wh > 0
    assert (counts["NUCLEAR"], round(sums["NUCLEAR"] / 1e12, 1)) == (18, 57.9)
    assert (counts["WIND"], round(sums["WIND"] / 1e12, 1)) == (80, 27.5)
    assert (counts["NPSHYD"], round(sums["NPSHYD"] / 1e12, 2)) == (15, 0.78)
    assert (counts["BIOMASS"], round(sums["BIOMASS"] / 1e12, 1)) == (10, 16.2)


def test_every_unit_is_converted_or_left_out_by_name(run, units):
    names, said = run
    found = json.loads(names["left-out.json"].read_text())
    left = {row["certificate_id"]: row["message"].partition(": ")[2] for row in found if row["code"] == "left_out"}
    assert left == {unit: why for unit, facts in units.items() if (why := reason(*facts))}
    assert Counter(left.values()) == {
        "fossil, which is left out": 111,
        "holds no energy": 68,
        "storage_discharge, which is left out": 16,
    }
    assert len(left) + said["totals"]["parents"] == 195 + 123 == 318
    assert all(row["line"] for row in found if row["code"] == "left_out")
    assert [row["code"] for row in said["findings"]].count("left_out") == 195


def test_each_unit_keeps_its_energy_to_the_wh(run, units):
    names, said = run
    wanted = {f"{unit}-2018": energy for unit, (fuel, energy) in units.items() if not reason(fuel, energy)}
    query = (
        f"SELECT parent_certificate_id::VARCHAR, sum(energy_wh)::BIGINT FROM '{names['hours.parquet']}' GROUP BY ALL"
    )
    assert dict(duckdb.sql(query).fetchall()) == wanted
    assert said["totals"]["residual_wh"] == 0
    assert said["totals"]["energy_wh"] == sum(wanted.values())


def test_energies_with_float_tails_are_counted(run, folder, units):
    _, said = run
    with (folder / "annual-output.csv").open() as file:
        rows = {row["ngc_bmu_id"]: row["output_MWh"] for row in csv.DictReader(file) if row["year"] == "2018"}
    tails = [
        unit for unit, facts in units.items() if not reason(*facts) and (Fraction(rows[unit]) * 10**6).denominator > 1
    ]
    (rounded,) = (row for row in said["findings"] if row["code"] == "energy_rounded")
    assert rounded["count"] == len(tails) > 0


def test_what_was_assumed_and_dropped_of_generation_is_told(run):
    _, said = run
    notes = [row["message"] for row in said["findings"] if row["code"] == "reading_note"]
    told = [note.partition(": ")[2][:16] for note in notes]
    assert told == ["an id is made of", "47 rows without ", "7 rows of zeros "]
    (dropped,) = (row for row in said["findings"] if row["code"] == "rows_dropped")
    assert (dropped["count"], dropped["severity"]) == (128, "info")


@pytest.mark.parametrize("unit", ["TORN-1", "ACHRW-1", "DRAXX-1", "ERRO-1"])
def test_the_hours_of_a_unit_are_its_share_of_its_fuel(unit, run, units, hours):
    """Each hour is the step of floor(energy x running sum / sum), computed here with Python's integers."""
    names, _ = run
    fuel, energy = units[unit]
    weights = hours[SOURCES[fuel]]
    start = int(datetime(2018, 1, 1, tzinfo=UTC).timestamp())
    total, running, before, wanted = sum(weights), 0, 0, {}
    for at, weight in enumerate(weights):
        running += weight
        now = energy * running // total
        if now > before:
            wanted[start + 3600 * at] = now - before
        before = now
    query = f"""
        SELECT epoch(production_start)::BIGINT, energy_wh::BIGINT FROM '{names["hours.parquet"]}'
        WHERE parent_certificate_id = '{unit}-2018'
    """
    assert dict(duckdb.sql(query).fetchall()) == wanted


def test_sources_and_bases_are_what_they_are(run):
    names, _ = run
    with names["certificates.csv"].open() as file:
        rows = list(csv.DictReader(file))
    assert Counter(row["source_type"] for row in rows) == {"wind": 80, "nuclear": 18, "hydro": 15, "biomass": 10}
    assert {row["allocation_basis"] for row in rows} == {"regional_technology_profile"}
    assert {(row["source_type"], row["profile"]) for row in rows} == {
        (source, f"GB-{source}") for source in ("wind", "nuclear", "hydro", "biomass")
    }


def test_hours_are_validated_against_the_list_and_the_profiles(run, folder):
    names, _ = run
    listed = read_certificates(
        folder / "annual-output.csv", mapping=MAPPING, units=folder / "bmu_fuel_types.csv", year=2018
    )
    report = gcr.validate(listed.to_annual(), names["hours.parquet"], gcr.read_profiles(folder / "FUELHH_2018.csv"))
    assert report.ok


def wind_certificate(start, end):
    return pa.table(
        {
            "certificate_id": ["W"],
            "energy_wh": [10**9],
            "production_start": [start],
            "production_end": [end],
            "status": ["CANCELED"],
            "purpose": ["conversion"],
            "profile": ["GB-wind_onshore"],
        }
    )


def test_wind_and_sun_with_gaps_spread_only_what_needs_none_of_them(folder, refusal):
    profiles = gcr.read_profiles(folder / "B1630_2018.csv")
    year = wind_certificate("2018-01-01T00:00Z", "2019-01-01T00:00Z")
    found = refusal(gcr.convert, year, profiles)
    assert "incomplete_profile" in {item["code"] for item in found}
    december = gcr.convert(wind_certificate("2018-12-01T00:00Z", "2019-01-01T00:00Z"), profiles)
    assert december.report.totals["issued_wh"] == 10**9
    assert december.report.totals["hours"] == 31 * 24


def test_a_unit_that_the_map_lacks_is_left_out_by_name(folder, fuels, write):
    few = {unit: fuel for unit, fuel in fuels.items() if unit != "TORN-1"}
    table = write("unit,fuel\n" + "".join(f"{unit},{fuel}\n" for unit, fuel in few.items()), "units.csv")
    found = read_certificates(folder / "annual-output.csv", mapping=MAPPING, units=table, year=2018)
    left = {one.certificate_id: one.message for one in found.findings if one.code == "left_out"}
    assert left["TORN-1"] == "TORN-1: not in the map of units to fuels"
    assert len(left) == 196
