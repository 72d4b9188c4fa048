"""The conversion against its slow twin, and what a `Conversion` promises to those who stream it."""

from unittest.mock import patch

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from oracle import conversion as oracle
from oracle.conversion import DAY, HOUR, MWH, START, annual_table, hours_of, profile_table, series

import gcr_fast as gcr
from gcr_fast.codes import MAX_PARENT_WH
from gcr_fast.conversion import batches
from gcr_fast.schema import REPORT, arrow_schema

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # wrapping is meant

METHODS = ("cumulative", "largest-remainder")
DAYLIGHT = [0] * 6 + [5, 30, 90, 140, 180, 200, 190, 160, 120, 70, 25, 3] + [0] * 6


@given(
    oracle.inputs(),
    st.sampled_from(METHODS),
    st.sampled_from([1, 1000, MWH]),
    st.booleans(),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([1, 7, 50, batches.BATCH_ROWS]),
)
def test_conversion_equals_its_slow_twin(drawn, method, unit_wh, keep_zero_hours, threads, batch_rows):
    certificates, profiles = drawn
    hours, residual = oracle.convert(certificates, profiles, method, unit_wh, keep_zero_hours)
    shapes = gcr.profiles_from(profile_table(profiles), keep_intervals=True)
    options = {"unit_wh": unit_wh, "keep_zero_hours": keep_zero_hours, "threads": threads}
    annual = annual_table(*certificates)
    over = {name for name, wh in residual.items() if wh >= MWH}
    if over:
        with pytest.raises(gcr.RefusedError) as refused:
            gcr.convert(annual, shapes, method, **options)
        found = refused.value.findings.filter(pc.field("severity") == "error")
        assert set(found["code"].to_pylist()) == {"over_meter"}
        # a refused certificate takes what is there, as does the twin's, so that all later ones are judged alike
        assert set(found["certificate_id"].to_pylist()) == over
        return
    with patch.object(batches, "BATCH_ROWS", batch_rows):
        conversion = gcr.convert(annual, shapes, method, **options)
        table = conversion.to_table()
    assert hours_of(table) == {name: issued for name, issued in hours.items() if issued}
    report = conversion.report.table
    names = report["parent_certificate_id"].to_pylist()
    assert names == [certificate["certificate_id"] for certificate in certificates]
    assert dict(zip(names, report["residual_wh"].to_pylist(), strict=True)) == residual
    assert dict(zip(names, report["issued_wh"].to_pylist(), strict=True)) == {
        name: sum(issued.values()) for name, issued in hours.items()
    }
    assert report["nonzero_hours"].to_pylist() == [sum(1 for wh in hours[name].values() if wh) for name in names]


@given(oracle.inputs(), st.sampled_from(METHODS), st.sampled_from([1, 30]))
def test_any_number_of_threads_gives_the_same_bits(drawn, method, batch_rows):
    certificates, profiles = drawn
    _, residual = oracle.convert(certificates, profiles, method)
    assume(all(wh < MWH for wh in residual.values()))
    shapes = gcr.profiles_from(profile_table(profiles), keep_intervals=True)
    with patch.object(batches, "BATCH_ROWS", batch_rows):
        tables = [gcr.convert(annual_table(*certificates), shapes, method, threads=n).to_table() for n in (1, 2, 4)]
    assert tables[0].equals(tables[1], check_metadata=True)
    assert tables[0].equals(tables[2], check_metadata=True)
    assert [chunk.num_rows for chunk in tables[0].to_batches()] == [chunk.num_rows for chunk in tables[2].to_batches()]


PERIODS = {
    "a leap year": ("2024-01-01T00:00Z", "2025-01-01T00:00Z", 8784),
    "a common year": ("2023-01-01T00:00Z", "2024-01-01T00:00Z", 8760),
    "a year in Berlin": ("2022-12-31T23:00Z", "2023-12-31T23:00Z", 8760),
    "April to March": ("2023-04-01T00:00Z", "2024-04-01T00:00Z", 8784),
    "a month": ("2024-02-01T00:00Z", "2024-03-01T00:00Z", 696),
    "an hour": ("2024-02-29T12:00Z", "2024-02-29T13:00Z", 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("period", PERIODS)
def test_real_periods_equal_the_slow_twin(period, method):
    first, last, hours = PERIODS[period]
    start, end = (int(np.datetime64(text[:-1], "s").astype(int)) for text in (first, last))
    weights = np.random.default_rng(8).integers(0, 4_000_000, 3 * 8784)
    profiles = {"p": series(weights.tolist(), START - 365 * DAY - DAY)}
    rows = [{"energy_wh": wh, "start": start, "end": end} for wh in (1, 999_999, 10**12 + 7, MAX_PARENT_WH)]
    certificates = oracle.certificates_of(*rows)
    inside = [wh for second, wh in profiles["p"].items() if start <= second < end]
    assert len(inside) == hours
    conversion = gcr.convert(annual_table(*certificates), profile_table(profiles), method, keep_zero_hours=True)
    table = conversion.to_table()
    assert conversion.report["hours"].to_pylist() == [hours] * 4
    from oracle import apportion

    spread = {"cumulative": apportion.cumulative, "largest-remainder": apportion.largest_remainder}[method]
    for number, certificate in enumerate(certificates):
        part = table.slice(number * hours, hours)
        assert set(part["parent_certificate_id"].to_pylist()) == {certificate["certificate_id"]}
        assert part["energy_wh"].to_pylist() == spread(certificate["energy_wh"], inside)
        assert part["production_start"].cast(pa.timestamp("s", "UTC")).cast(pa.int64()).to_pylist() == list(
            range(start, end, HOUR)
        )


# --- what a Conversion is to those who use it


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(batches, "BATCH_ROWS", 50)


def several(count=9, **options):
    """A conversion of several certificates with three periods, two profiles, owners and zero hours."""
    profiles = {"p": series(DAYLIGHT * 3), "q": series(range(72))}
    rows = [
        {
            "energy_wh": 1000 + 37 * number,
            "profile": "pq"[number % 2],
            "start": START + DAY * (number % 3),
            "end": START + DAY * 3 if number % 3 else START + DAY,
            "owner": [None, "Alice", "Bob"][number % 3],
            "purpose": [None, "conversion", "end_use"][number % 3],
            "beneficiary": "Carol",
            "source_type": "solar",
        }
        for number in range(count)
    ]
    return gcr.convert(annual_table(*rows), profile_table(profiles), **options)


def test_to_table_is_the_batches_joined(small_batches):
    conversion = several(certificate_ids=True)
    parts = list(conversion.batches())
    assert len(parts) > 3
    assert all(part.num_rows <= 72 for part in parts)
    assert pa.Table.from_batches(parts).equals(conversion.to_table(), check_metadata=True)
    assert conversion.to_table().schema.equals(conversion.schema, check_metadata=True)


def test_a_conversion_can_be_gone_through_again(small_batches):
    conversion = several()
    assert conversion.to_table().equals(conversion.to_table())
    assert pa.table(conversion).equals(pa.table(conversion))


def test_arrow_libraries_take_a_conversion_directly_and_twice(small_batches):
    conversion = several()
    table = conversion.to_table()
    wanted = table.to_pylist()
    for _ in range(2):
        assert (
            pl.DataFrame(conversion).to_arrow().select(["energy_wh", "owner"]).to_pylist()
            == table.select(["energy_wh", "owner"]).to_pylist()
        )
        (sums,) = duckdb.sql("SELECT count(*), sum(energy_wh), count(owner) FROM conversion").fetchall()
        assert sums == (len(table), sum(row["energy_wh"] for row in wanted), len(table) - table["owner"].null_count)
        frame = pd.DataFrame.from_arrow(conversion)
        assert frame["energy_wh"].tolist() == table["energy_wh"].to_pylist()
        assert frame["parent_certificate_id"].tolist() == table["parent_certificate_id"].to_pylist()
        assert pa.table(conversion).to_pandas()["production_start"].tolist() == [
            pd.Timestamp(row["production_start"]) for row in wanted
        ]


def test_an_unfinished_stream_spoils_nothing(small_batches):
    conversion = several(threads=2)
    next(iter(conversion.batches()))
    assert conversion.report.totals["issued_wh"] == sum(conversion.to_table()["energy_wh"].to_pylist())


def test_hours_come_by_certificate_and_ascend(small_batches):
    table = several().to_table()
    seen = {}
    for position, parent in enumerate(table["parent_certificate_id"].to_pylist()):
        seen.setdefault(parent, []).append(position)
    starts = table["production_start"].to_pylist()
    for positions in seen.values():
        assert positions == list(range(positions[0], positions[-1] + 1))
        assert [starts[at] for at in positions] == sorted(starts[at] for at in positions)


def test_columns_say_what_the_certificate_is():
    profiles = {"p": series([1] * 96, step=900)}
    rows = [
        {"purpose": "conversion", "owner": "Alice", "source_type": "wind"},
        {"purpose": "end_use", "beneficiary": "Bob", "owner": None, "source_type": "solar"},
        {"purpose": None, "owner": "Carol", "source_type": None},
    ]
    shapes = gcr.profiles_from(profile_table(profiles), keep_intervals=True)
    table = gcr.convert(annual_table(*rows), shapes).to_table()
    by_parent = {row["parent_certificate_id"]: row for row in table.to_pylist()}
    words = ("status", "owner", "source_type", "interval_s", "allocation_basis")
    assert {name: [by_parent[parent][name] for parent in ("C0", "C1", "C2")] for name in words} == {
        "status": ["ACTIVE", "RETIRED", "LOCKED"],
        "owner": ["Alice", None, "Carol"],
        "source_type": ["wind", "solar", "other"],
        "interval_s": [900, 900, 900],
        "allocation_basis": ["regional_technology_profile"] * 3,
    }


def test_hourly_schema_is_the_documented_one():
    with_ids, without = several(certificate_ids=True).schema, several().schema
    documented = arrow_schema("hourly")
    assert with_ids.names == documented.names
    assert without.names == documented.names[1:]
    assert with_ids.types == documented.types
    assert [field.name for field in with_ids if field.nullable] == ["owner"]


# --- report


def test_report_has_a_row_per_certificate_in_file_order():
    profiles = {"p": series([-3, 0, 5, 5] * 6), "q": series([2] * 24)}
    rows = [
        {"profile": "q", "energy_wh": 100},
        {"profile": "p", "energy_wh": 24},
        {"profile": "q", "energy_wh": 49, "allocation_basis": "metered_hourly"},
    ]
    report = gcr.convert(annual_table(*rows), profile_table(profiles)).report
    day = {"production_start": START, "production_end": START + DAY, "hours": 24}
    figures = report.table.to_pylist()
    for row in figures:
        for name in ("production_start", "production_end"):
            row[name] = int(row[name].timestamp())
    regional = "regional_technology_profile"
    day["source_type"] = "other"
    assert figures == [
        {
            "parent_certificate_id": "C0", "profile": "q", "allocation_basis": regional, **day, "nonzero_hours": 24,
            "energy_wh": 100, "issued_wh": 100, "residual_wh": 0, "clipped_wh": 0, "findings": [],
        },
        {
            "parent_certificate_id": "C1", "profile": "p", "allocation_basis": regional, **day, "nonzero_hours": 12,
            "energy_wh": 24, "issued_wh": 24, "residual_wh": 0, "clipped_wh": 18, "findings": [],
        },
        {
            "parent_certificate_id": "C2", "profile": "q", "allocation_basis": "metered_hourly", **day,
            "nonzero_hours": 24, "energy_wh": 49, "issued_wh": 48, "residual_wh": 1, "clipped_wh": 0,
            "findings": ["residual_booked"],
        },
    ]  # fmt: skip
    assert report.totals == {
        "parents": 3,
        "hours": 72,
        "nonzero_hours": 60,
        "energy_wh": 173,
        "issued_wh": 172,
        "residual_wh": 1,
        "clipped_wh": 18,
    }
    assert report.table.schema.names == [column.name for column in REPORT]
    assert report.ok
    assert "residual_booked" in report.findings["code"].to_pylist()
    assert pl.DataFrame(report)["issued_wh"].sum() == 172
    assert len(report) == 3
    assert report["issued_wh"].to_pylist() == [100, 24, 48]


def test_report_is_the_same_before_during_and_after_streaming(small_batches, tmp_path):
    before, conversion = several().report.table, several()
    stream = conversion.batches()
    next(stream)
    assert conversion.report.table.equals(before)
    list(stream)
    assert conversion.report.table.equals(before)
    written = several()
    written.write(tmp_path / "hours.parquet")
    assert written.report.table.equals(before)


def test_report_totals_pass_int64():
    rows = [{"energy_wh": MAX_PARENT_WH} for _ in range(5000)]
    annual = annual_table(*({**row, "end": START + HOUR} for row in rows))
    report = gcr.convert(annual, profile_table({"p": series([1])})).report
    assert report.totals["issued_wh"] == 5000 * MAX_PARENT_WH > 1 << 63


# --- options


def test_metadata_tells_how_the_hours_were_made():
    conversion = several(method="largest-remainder", unit_wh=1)
    said = {key.removeprefix("gcr_fast."): value for key, value in conversion.metadata.items()}
    assert said["table"] == "hourly"
    assert said["method"] == "largest-remainder"
    assert said["method_version"] == "2"
    assert said["unit_wh"] == "1"
    assert said["parents"] == "9"
    assert said["parents_wh"] == str(sum(1000 + 37 * number for number in range(9)))
    assert said["residual_wh"] == "0"
    assert said["allocation_basis"] == "regional_technology_profile"
    assert said["version"] == gcr.__version__
    assert len(said["annual_sha256"]) == len(said["profiles_sha256"]) == 64
    streamed = {key.decode(): value.decode() for key, value in conversion.schema.metadata.items()}
    assert streamed.items() <= conversion.metadata.items()  # the hashes of what went in are for files
    assert {"gcr_fast.table", "gcr_fast.method", "gcr_fast.unit_wh", "gcr_fast.parents"} <= set(streamed)
    assert several(count=8).metadata["gcr_fast.annual_sha256"] != said["annual_sha256"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"method": "hamilton"}, "hamilton"),
        ({"unit_wh": 0}, "unit_wh"),
        ({"unit_wh": -1}, "unit_wh"),
        ({"threads": 0}, "threads"),
        ({"capacity_margin": "much"}, "capacity_margin"),
        ({"capacity_margin": 0}, "capacity_margin"),
        ({"capacity_margin": "nan"}, "capacity_margin"),
        ({"capacity_margin": "1/0"}, "capacity_margin"),
        ({"capacity_margin": "inf"}, "capacity_margin"),
    ],
)
def test_a_call_that_makes_no_sense_is_a_usage_error(options, named):
    with pytest.raises(gcr.UsageError, match=named):
        several(**options)


def test_a_default_profile_serves_those_that_name_none():
    profiles = {"p": series([1] * 24), "q": series([0] * 12 + [1] * 12)}
    annual = annual_table({"profile": None}, {"profile": "p"})
    report = gcr.convert(annual, profile_table(profiles), profile="q").report
    assert report["profile"].to_pylist() == ["q", "p"]


def test_paths_tables_and_lists_are_taken_alike(tmp_path):
    from pyarrow import csv, parquet

    annual, profiles = annual_table({}), {"p": series(DAYLIGHT), "q": series([1] * 24)}
    csv.write_csv(annual, tmp_path / "annual.csv")
    parquet.write_table(profile_table(profiles), tmp_path / "profiles.parquet")
    wanted = gcr.convert(annual, profile_table(profiles)).to_table()
    parts = [profile_table({name: profile}) for name, profile in profiles.items()]
    for given_annual in (str(tmp_path / "annual.csv"), gcr.read_annual(tmp_path / "annual.csv"), pl.DataFrame(annual)):
        for given_profiles in (tmp_path / "profiles.parquet", parts, pl.DataFrame(profile_table(profiles))):
            assert gcr.convert(given_annual, given_profiles).to_table().equals(wanted)
