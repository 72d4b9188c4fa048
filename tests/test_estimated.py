"""What was filled in is marked, and converted only where its user takes it upon himself."""

import pyarrow as pa
import pytest
from oracle.opsd import opsd

import gcr_fast as gcr
from gcr_fast.imports import import_generation

SOLAR = "XX_solar_generation_actual"


def annual(first, last):
    return pa.table(
        {
            "certificate_id": ["A-1"],
            "energy_wh": [1_000_000],
            "production_start": [f"2024-01-01T{first:02d}:00Z"],
            "production_end": [f"2024-01-01T{last:02d}:00Z"],
            "profile": ["XX-solar"],
            "status": ["CANCELED"],
        }
    )


@pytest.fixture(params=["parquet", "csv", "stream"])
def profiles(request, write, tmp_path):
    """Eight hours of which the fourth is filled in, as they come back from a file or in memory."""
    path = write(opsd("2024-01-01", {SOLAR: ["1", "2", "3", "", "5", "6", "7", "8"]}))
    imported = import_generation([path], filling="interpolate")
    if request.param == "stream":
        return gcr.profiles_from(imported)
    out = tmp_path / f"filled.{request.param}"
    imported.write(out)
    return gcr.read_profiles(out)


def test_a_filled_hour_is_refused(profiles, refusal):
    messages = {one["code"]: one["message"] for one in refusal(gcr.convert, annual(0, 8), profiles)}
    assert (
        messages["estimated_interval"] == "XX-solar: 1 filled in: 2024-01-01T03:00Z .. 2024-01-01T04:00Z; A-1 needs it"
    )
    assert "incomplete_profile" not in messages  # which would tell the same once more


def test_a_filled_hour_is_converted_where_it_is_allowed_and_said_so(profiles):
    conversion = gcr.convert(annual(0, 8), profiles, allow_estimated=True)
    hours = conversion.to_table()
    assert hours.num_rows == 8
    assert sum(hours["energy_wh"].to_pylist()) == 1_000_000
    assert "estimated_allowed" in conversion.findings["code"].to_pylist()


def test_a_period_without_a_filled_hour_needs_no_permission(profiles):
    assert gcr.convert(annual(4, 8), profiles).to_table().num_rows == 4


def test_a_gap_that_is_not_filled_is_refused_even_where_estimates_are_allowed(write, refusal):
    path = write(opsd("2024-01-01", {SOLAR: ["1", "2", "3", "", "5", "6", "7", "8"]}))
    found = refusal(gcr.convert, annual(0, 8), gcr.read_profiles(path), allow_estimated=True)
    assert {one["code"] for one in found} >= {"incomplete_profile"}


def test_country_and_source_choose_a_profile_of_several_years(write):
    path = write(opsd("2024-01-01", {SOLAR: ["1", "2"]}))
    chosen = annual(0, 2).drop_columns(["profile"])
    chosen = chosen.append_column("country", [["XX"]]).append_column("source_type", [["solar"]])
    assert gcr.convert(chosen, gcr.read_profiles(path)).to_table()["energy_wh"].to_pylist() == [333_333, 666_667]
