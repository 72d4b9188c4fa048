"""Validation: sound tables of anyone pass, and every single fault is found, in the right row, whoever made it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from oracle import conversion as oracle
from oracle.conversion import DAY, HOUR, MWH, START, annual_table, hours_of, profile_table, series
from pyarrow import csv

import gcr_fast as gcr
from gcr_fast import validator
from gcr_fast.validation import hourly

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # wrapping is meant

PROFILES = {
    "p": series(range(1, 25)),
    "q": series([0] * 6 + [5, 30, 90, 140, 180, 200, 190, 160, 120, 70, 25, 3] + [0] * 6),
    "m": series([500] * 12 + [700] * 12),
}
ROWS = (
    {"energy_wh": 9_000, "source_type": "wind", "owner": "Alice"},
    {"energy_wh": 5_000, "profile": "q", "source_type": "solar", "purpose": "end_use", "beneficiary": "Bob"},
    {"energy_wh": 12_345, "profile": "m", "allocation_basis": "metered_hourly", "capacity_w": 10_000},
)
ANNUAL = annual_table(*ROWS)
SHAPES = gcr.profiles_from(profile_table(PROFILES))
FIRST = {"C0": 0, "C1": 24, "C2": 36}
"""The row at which each parent's hours begin: 24 of C0, 12 of C1 in daylight, 24 of C2."""


def converted(**options):
    return gcr.convert(ANNUAL, SHAPES, certificate_ids=True, **options)


@pytest.fixture(scope="module")
def sound():
    """The rows of a sound table, to be changed."""
    records = converted().to_table().to_pylist()
    return lambda: [dict(record) for record in records]


TYPES = {
    "certificate_id": pa.string(),
    "production_start": pa.timestamp("ms", "UTC"),
    "interval_s": pa.int32(),
    "energy_wh": pa.int64(),
}


def table_of(records):
    """Rows as a table, texts plain; a column in which some row has another kind of value becomes text."""
    columns = {}
    for name in dict.fromkeys(name for record in records for name in record):
        values = [record.get(name) for record in records]
        try:
            columns[name] = pa.array(values, TYPES.get(name, pa.string()))
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            columns[name] = pa.array([None if value is None else str(value) for value in values])
    return pa.table(columns)


def examine(records, *, annual=ANNUAL, profiles=None, **options):
    """The report on a table, whose verdict and checks must agree."""
    report = gcr.validate(annual, table_of(records) if isinstance(records, list) else records, profiles, **options)
    failed = [check.name for check in report.checks if check.outcome == "failed"]
    assert report.ok == (not failed), (failed, report.findings.to_pylist())
    return report


def errors(report, *keys):
    return [
        tuple(item[key] for key in ("code", "row", *keys))
        for item in report.findings.to_pylist()
        if item["severity"] == "error"
    ]


def outcomes(report):
    return {check.name: check.outcome for check in report.checks}


def later(record, seconds):
    return record["production_start"] + pd.Timedelta(seconds=seconds)


# --- sound tables


@pytest.mark.parametrize("profiles", [None, SHAPES], ids=["without profiles", "with profiles"])
@pytest.mark.parametrize(
    "show",
    [
        lambda conversion: conversion,
        lambda conversion: conversion.to_table(),
        lambda conversion: pa.RecordBatchReader.from_batches(conversion.schema, conversion.batches()),
        pl.DataFrame,
        pd.DataFrame.from_arrow,
        lambda conversion: duckdb.sql("SELECT * FROM conversion"),
    ],
    ids=["conversion", "table", "stream", "polars", "pandas", "duckdb"],
)
def test_our_own_hours_pass_from_any_library(show, profiles):
    report = examine(show(converted()), profiles=profiles)
    assert report.ok
    assert report.totals == {
        "parents": 3,
        "hourly_certificates": 60,
        "energy_wh": 26_345,
        "issued_wh": 26_345,
        "residual_wh": 0,
    }
    assert set(outcomes(report).values()) == ({"passed"} if profiles else {"passed", "skipped"})


@pytest.mark.parametrize("target", ["out.parquet", "out", "out.arrow", "out.csv"])
@pytest.mark.parametrize("options", [{}, {"keep_zero_hours": True}, {"method": "largest-remainder"}])
def test_our_own_files_pass(tmp_path, target, options):
    conversion = converted(**options)
    conversion.write(tmp_path / target)
    report = examine(tmp_path / target, profiles=SHAPES)
    assert report.ok
    assert report.totals["hourly_certificates"] == len(conversion.to_table())
    assert examine(str(tmp_path / target)).ok


@pytest.mark.parametrize("target", ["out.parquet", "out", "out.arrow"])
@pytest.mark.parametrize("unit_wh", [1000, MWH])
@pytest.mark.parametrize("keep_zero_hours", [False, True])
def test_our_own_files_of_whole_units_pass(tmp_path, target, unit_wh, keep_zero_hours):
    conversion = converted(unit_wh=unit_wh, keep_zero_hours=keep_zero_hours)
    conversion.write(tmp_path / target)
    report = examine(tmp_path / target, profiles=SHAPES)
    assert report.ok, report.findings.to_pylist()
    assert report.totals["residual_wh"] == conversion.report.totals["residual_wh"] > 0
    booked = {item["certificate_id"] for item in report.findings.to_pylist() if item["code"] == "residual_booked"}
    names = conversion.report["parent_certificate_id"].to_pylist()
    assert booked == {name for name, wh in zip(names, conversion.report["residual_wh"].to_pylist(), strict=True) if wh}


def test_a_conversion_in_which_all_is_residual_passes():
    annual = annual_table({"energy_wh": 400}, {"energy_wh": 1})
    conversion = gcr.convert(annual, profile_table({"p": series([1] * 24)}), unit_wh=1000)
    assert examine(conversion, annual=annual).ok


def test_an_empty_table_is_a_table_without_hours():
    empty = converted().to_table().slice(0, 0)
    # C2 has a meter, which others may have emptied: only its profile tells
    assert {("parent_without_hours", 0), ("parent_without_hours", 1)} <= set(errors(examine(empty)))
    assert sorted(row for _, row in errors(examine(empty, profiles=SHAPES))) == [0, 1, 2]


@pytest.mark.parametrize("profiles", [None, SHAPES], ids=["without profiles", "with profiles"])
def test_a_certificate_whose_meter_was_emptied_by_others_passes(profiles):
    metered = {"profile": "m", "allocation_basis": "metered_hourly"}
    annual = annual_table(*({**metered, "energy_wh": wh} for wh in (14_000, 500, 5)))
    conversion = gcr.convert(annual, SHAPES)
    assert conversion.report["issued_wh"].to_pylist() == [14_000, 400, 0]
    report = examine(conversion, annual=annual, profiles=profiles)
    assert report.ok, errors(report, "certificate_id")
    assert report.totals["residual_wh"] == 105


def test_the_layout_of_the_older_system_passes(sound, tmp_path):
    older = pa.table(
        {
            "certificate_id": [record["certificate_id"] for record in sound()],
            "parent_certificate_id": [record["parent_certificate_id"] for record in sound()],
            "timestamp": [f"{record['production_start']:%Y-%m-%dT%H:%M:%S}+00:00" for record in sound()],
            "mwh": [f"{record['energy_wh'] / 1e6:.6f}" for record in sound()],
            "source_type": [record["source_type"].upper() for record in sound()],
            "status": [{"ACTIVE": "TRADED"}.get(record["status"], record["status"]) for record in sound()],
        }
    )
    report = examine(older, profiles=SHAPES)
    assert report.ok
    assert outcomes(report)["allocation basis is the parent's"] == "skipped"
    csv.write_csv(older, tmp_path / "older.csv")
    assert examine(tmp_path / "older.csv", profiles=SHAPES).ok


def test_naive_times_need_a_zone(sound):
    naive = [record | {"production_start": f"{record['production_start']:%Y-%m-%d %H:%M}"} for record in sound()]
    assert {code for code, _ in errors(examine(naive))} >= {"naive_time"}
    assert examine(naive, zone="UTC", profiles=SHAPES).ok
    assert not examine(naive, zone="Asia/Tokyo").ok


def autumn(hours, zone="Europe/Berlin"):
    """Two certificates over the four hours around the clock's change of 2024, and their hours with local times."""
    begin = datetime(2024, 10, 26, 23, tzinfo=UTC)
    annual = pa.table(
        {
            "certificate_id": ["A", "B"], "energy_wh": [100, 1000], "status": ["CANCELED"] * 2,
            "production_start": [begin] * 2, "production_end": [begin + timedelta(hours=4)] * 2,
        }
    )  # fmt: skip
    found = [
        {
            "parent_certificate_id": parent,
            "production_start": f"{(begin + timedelta(hours=hour)).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}",
            "energy_wh": wh * (hour + 1),
        }
        for parent, wh in (("A", 10), ("B", 100))
        for hour in range(4)
        if (parent, hour) in hours
    ]
    return annual, found


def test_ids_of_our_own_form_that_come_twice_fail_their_check(sound):
    """They were said to be unique: only the interval was told."""
    report = examine([*sound(), sound()[0]])
    assert outcomes(report)["no certificate id twice"] == "failed"
    assert "was split: of hours that a registry split" in str(report.findings.to_pylist())


EVERY = {(parent, hour) for parent in "AB" for hour in range(4)}
BY_TIME = [0, 4, 1, 5, 2, 6, 3, 7]


@pytest.mark.parametrize("order", [range(8), BY_TIME, range(7, -1, -1)])
def test_the_autumn_hour_that_comes_twice_is_told_apart_by_the_order_of_its_parents_rows(order):
    """Both hours were taken for the first, and refused as one that is issued twice."""
    annual, hours = autumn(EVERY)
    assert [row["production_start"][11:] for row in hours[:4]] == ["01:00", "02:00", "02:00", "03:00"]
    report = examine([hours[at] for at in order], annual=annual, zone="Europe/Berlin")
    assert report.ok


def test_an_autumn_hour_that_nothing_tells_apart_is_refused():
    """It was taken for the first of the two, whichever it was."""
    annual, hours = autumn(EVERY - {("A", 1)})
    report = examine(hours, annual=annual, zone="Europe/Berlin")
    assert ("naive_time", 1) in errors(report)
    said = next(item["message"] for item in report.findings.to_pylist() if item["code"] == "naive_time")
    assert "happens twice, and the order" in said
    assert "Europe/Berlin: write it with its offset" in said
    assert {code for code, _ in errors(report)} == {"naive_time", "total_mismatch"}


def test_a_column_that_names_offsets_here_and_there_is_read_row_by_row():
    annual, hours = autumn(EVERY)
    hours[1]["production_start"] = "2024-10-27T02:00+02:00"
    assert examine(hours, annual=annual, zone="Europe/Berlin").ok


def test_whatever_is_in_error_fails_a_check(sound):
    # an hour of 0 Wh that cannot be placed leaves all sums right
    nothing = sound()[0] | {"energy_wh": 0, "certificate_id": "x", "production_start": "2024-01-01T05:00"}
    texts = [record | {"production_start": record["production_start"].isoformat()} for record in sound()]
    assert errors(examine([*texts, nothing])) == [("naive_time", 60)]


ORDERS = {
    "shuffled": lambda records: np.random.default_rng(4).permutation(len(records)),
    "by time": lambda records: sorted(range(len(records)), key=lambda at: records[at]["production_start"]),
    "backwards": lambda records: range(len(records))[::-1],
    "parents in turn": lambda records: sorted(range(len(records)), key=lambda at: at % 7),
}


@pytest.mark.parametrize("batch", [5, 24, 1 << 19])
@pytest.mark.parametrize("order", ORDERS)
def test_rows_may_come_in_any_order(sound, monkeypatch, order, batch):
    monkeypatch.setattr(hourly, "BATCH_ROWS", batch)
    records = sound()
    places = [int(at) for at in ORDERS[order](records)]
    assert examine([records[at] for at in places], profiles=SHAPES).ok
    records[30]["energy_wh"] += 2
    records[31]["energy_wh"] -= 2
    report = examine([records[at] for at in places], profiles=SHAPES)
    assert sorted(errors(report)) == sorted(("quota_broken", places.index(at)) for at in (30, 31))


def test_parents_in_any_type_that_spells_their_id(sound):
    annual = annual_table({"certificate_id": "17"})
    table = gcr.convert(annual, SHAPES).to_table()
    numbers = pa.array([17] * len(table))
    words = table["parent_certificate_id"].cast(pa.large_string())
    for parents in (numbers, words, words.cast(pa.string_view()), words.dictionary_encode()):
        assert examine(table.set_column(0, "parent_certificate_id", parents), annual=annual).ok


def test_intervals_of_less_than_an_hour_pass():
    for step in (1800, 900, 300, 60, 90, 30, 1):
        profile = {"p": series([at % 3 for at in range(2 * HOUR // step)], step=step)}
        shapes = gcr.profiles_from(profile_table(profile), keep_intervals=True)
        annual = annual_table({"end": START + 2 * HOUR, "energy_wh": 100_000})
        conversion = gcr.convert(annual, shapes, certificate_ids=True)
        report = examine(conversion, annual=annual, profiles=shapes)
        assert report.ok, (step, errors(report)[:3])


def test_a_family_is_no_mismatch_of_its_own():
    # the certificate says nothing, so the hours say what the profile is
    annual = annual_table({"source_type": None})
    profiles = profile_table({"p": PROFILES["p"]}, source_types={"p": "wind_onshore"})
    assert examine(gcr.convert(annual, profiles), annual=annual, profiles=profiles).ok


def test_converted_is_what_a_parent_is_afterwards():
    annual = annual_table(*({**row, "status": "CONVERTED"} for row in ROWS))
    assert examine(converted(), annual=annual).ok
    issued = annual_table(*({**row, "status": "ISSUED"} for row in ROWS))
    assert errors(examine(converted(), annual=issued), "certificate_id") == [
        ("not_canceled", row, f"C{row}") for row in range(3)
    ]


def test_a_certificate_without_ids_has_none_to_repeat(sound):
    records = [{**record, "certificate_id": None} for record in sound()]
    assert examine(records).ok


def test_checks_without_what_they_need_are_skipped(sound):
    bare = [
        {name: record[name] for name in ("parent_certificate_id", "production_start", "energy_wh")}
        for record in sound()
    ]
    annual = annual_table(*({**row, "capacity_w": None} for row in ROWS))
    report = examine(bare, annual=annual)
    assert report.ok
    assert {name for name, outcome in outcomes(report).items() if outcome == "skipped"} == {
        "no certificate id twice",
        "source type is the parent's",
        "status is one the purpose allows",
        "allocation basis is the parent's",
        "no hour over capacity",
        "every hour is floor or ceiling of its share",
    }
    assert all(check.detail for check in report.checks if check.outcome == "skipped")


def test_a_file_without_a_needed_column_is_refused_at_once(sound):
    for name in ("parent_certificate_id", "production_start", "energy_wh"):
        records = [{key: value for key, value in record.items() if key != name} for record in sound()]
        with pytest.raises(gcr.RefusedError) as caught:
            examine(records)
        assert caught.value.findings["code"].to_pylist() == ["missing_column"]


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_times_beyond_the_calendar_never_raise(unit):
    times = pa.array([(1 << 63) - 1, -(1 << 63), 10**18, 0], pa.timestamp(unit, "UTC"))
    table = pa.table(
        {"parent_certificate_id": ["C0"] * 4, "production_start": times, "energy_wh": [3000, 3000, 2000, 1000]}
    )
    report = examine(table, profiles=SHAPES)
    assert {
        row for code, row in errors(report) if code in {"hour_outside_period", "uneven_interval", "unreadable_value"}
    } == {
        0,
        1,
        2,
        3,
    }


# --- one fault at a time

ENERGY, TIME = "energy_wh", "production_start"


def change(**cells):
    return lambda record: record | cells


FAULTS = {
    "one Wh too much": (3, lambda r: r | {ENERGY: r[ENERGY] + 1}, "total_mismatch", 0, "hours sum to their parent"),
    "one Wh too little": (3, lambda r: r | {ENERGY: r[ENERGY] - 1}, "total_mismatch", 0, "hours sum to their parent"),
    "after the period": (
        3, lambda r: r | {TIME: later(r, DAY)}, "hour_outside_period", 3, "hours lie in their parent's period",
    ),
    "before the period": (
        25, lambda r: r | {TIME: later(r, -DAY)}, "hour_outside_period", 25, "hours lie in their parent's period",
    ),
    "off the grid": (
        3, lambda r: r | {TIME: later(r, 1)}, "uneven_interval", 3, "hours lie in their parent's period",
    ),
    "no length": (3, change(interval_s=0), "uneven_interval", 3, "hours lie in their parent's period"),
    "negative length": (3, change(interval_s=-3600), "uneven_interval", 3, "hours lie in their parent's period"),
    "two hours long": (3, change(interval_s=7200), "interval_too_long", 3, "hours lie in their parent's period"),
    "negative energy": (3, change(energy_wh=-1), "negative_energy", 3, "no negative energy"),
    "wrong source": (3, change(source_type="solar"), "source_mismatch", 3, "source type is the parent's"),
    "unknown source": (3, change(source_type="magic"), "source_mismatch", 3, "source type is the parent's"),
    "no source": (3, change(source_type=None), "source_mismatch", 3, "source type is the parent's"),
    "active though spent": (25, change(status="ACTIVE"), "status_mismatch", 25, "status is one the purpose allows"),
    "traded though spent": (25, change(status="TRADED"), "status_mismatch", 25, "status is one the purpose allows"),
    "unknown status": (3, change(status="LOST"), "status_mismatch", 3, "status is one the purpose allows"),
    "no status": (3, change(status=None), "status_mismatch", 3, "status is one the purpose allows"),
    "wrong basis": (40, change(allocation_basis="flat"), "basis_mismatch", 40, "allocation basis is the parent's"),
    "unknown basis": (3, change(allocation_basis="guess"), "basis_mismatch", 3, "allocation basis is the parent's"),
    "unknown parent": (3, change(parent_certificate_id="C9"), "unknown_parent", 3, "every parent is known"),
    "no parent": (3, change(parent_certificate_id=None), "unknown_parent", 3, "every parent is known"),
    "over capacity": (40, change(energy_wh=11_001), "over_capacity", 40, "no hour over capacity"),
    "no energy": (3, change(energy_wh=None), "null_value", 3, "annual certificates are sound"),
    "no number": (3, change(energy_wh="many"), "unreadable_value", 3, "annual certificates are sound"),
    "no time": (3, change(production_start=None), "null_value", 3, "annual certificates are sound"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("batch", [5, 1 << 19])
def test_a_fault_is_found_in_its_row(sound, monkeypatch, name, batch):
    monkeypatch.setattr(hourly, "BATCH_ROWS", batch)
    at, changed, code, row, check = FAULTS[name]
    records = sound()
    records[at] = changed(records[at])
    report = examine(records)
    assert (code, row) in errors(report)
    if not {"null_value", "unreadable_value"} & {code}:  # of the hours, but named with those of the annual file
        assert outcomes(report)[check] == "failed"
    parent = converted().to_table()["parent_certificate_id"][at].as_py()
    named = {item["certificate_id"] for item in report.findings.to_pylist() if item["severity"] == "error"}
    assert named <= {parent, records[at]["parent_certificate_id"], records[at].get("certificate_id"), None}


def test_every_bad_row_is_listed(sound):
    records = sound()
    for at in (2, 3, 9, 30, 59):
        records[at]["energy_wh"] = -5
    for at in (4, 58):
        records[at]["source_type"] = "geothermal"
    report = examine(records)
    assert [row for code, row in errors(report) if code == "negative_energy"] == [2, 3, 9, 30, 59]
    assert [row for code, row in errors(report) if code == "source_mismatch"] == [4]  # C2 has no source to differ from
    assert [row for code, row in errors(report) if code == "total_mismatch"] == [0, 1]  # C2 has a meter


def test_rows_are_counted_in_the_file_though_some_were_unreadable(sound):
    records = sound()
    records[3]["energy_wh"] = "many"
    records[5]["energy_wh"] = None
    records[7]["energy_wh"] = -1
    records[50]["status"] = "LOST"
    assert {(code, row) for code, row in errors(examine(records))} == {
        ("unreadable_value", 3),
        ("null_value", 5),
        ("negative_energy", 7),
        ("status_mismatch", 50),
        ("total_mismatch", 0),
    }


def test_faults_in_a_csv_file_have_their_line(sound, tmp_path):
    records = sound()
    records[7]["energy_wh"] = -1
    csv.write_csv(table_of(records), tmp_path / "hours.csv")
    report = examine(tmp_path / "hours.csv")
    assert ("negative_energy", 7, 9, str(tmp_path / "hours.csv")) in errors(report, "line", "file")


def test_very_many_bad_rows_are_told_at_once(sound, monkeypatch):
    monkeypatch.setattr(validator, "LISTED_ROWS", 10)
    report = examine([record | {"energy_wh": -1} for record in sound()])
    assert report.collected.counts()["negative_energy"] == 60
    assert len(errors(report)) < 60


def test_a_parent_without_hours(sound):
    report = examine([record for record in sound() if record["parent_certificate_id"] != "C1"])
    assert errors(report, "certificate_id") == [("parent_without_hours", 1, "C1")]


@pytest.mark.parametrize(("off", "tolerance", "ok"), [(1, 0, False), (1, 1, True), (-5, 5, True), (-6, 5, False)])
def test_tolerance_wh(sound, off, tolerance, ok):
    records = sound()
    records[0]["energy_wh"] += off + 10
    records[1]["energy_wh"] -= 10
    assert examine(records, tolerance_wh=tolerance).ok == ok


def test_capacity_margin(sound):
    records = sound()
    records[40]["energy_wh"] += 10_000
    wanted = records[40]["energy_wh"]
    for margin, over in (("1.1", False), (1, True), ("1.0001", True), (wanted / 10_000, False)):
        codes = {code for code, _ in errors(examine(records, capacity_margin=margin))}
        assert ("over_capacity" in codes) == over


def test_capacity_of_intervals_of_mixed_length():
    annual = annual_table({"energy_wh": 1_900, "capacity_w": 1000})
    records = [
        {"parent_certificate_id": "C0", "production_start": START * 1000, "interval_s": 3600, "energy_wh": 1000},
        {
            "parent_certificate_id": "C0",
            "production_start": (START + HOUR) * 1000,
            "interval_s": 900,
            "energy_wh": 900,
        },
    ]
    assert errors(examine(records, annual=annual, capacity_margin=1)) == [("over_capacity", 1)]


def test_energy_that_wraps_around_64_bits_is_no_total():
    top = (1 << 63) - 1
    records = [
        {"parent_certificate_id": "C0", "production_start": (START + HOUR * at) * 1000, "energy_wh": energy}
        for at, energy in enumerate((top, top, 1002))
    ]
    report = examine(records, annual=annual_table({"energy_wh": 1000}))
    assert ("total_mismatch", 0) in errors(report)
    assert report.totals["issued_wh"] == 2 * top + 1002


# --- intervals and ids that come twice


@pytest.mark.parametrize("batch", [5, 24, 1 << 19])
@pytest.mark.parametrize("place", [4, 5, 20, 60])
def test_an_interval_that_comes_twice(sound, monkeypatch, place, batch):
    monkeypatch.setattr(hourly, "BATCH_ROWS", batch)
    records = sound()
    copied = dict(records[3])
    records[3]["energy_wh"] -= 1
    copied["energy_wh"] = 1  # so that the sum is right
    copied["certificate_id"] = "another"
    records.insert(place, copied)
    assert errors(examine(records), "value", "certificate_id") == [
        ("duplicate_interval", place, "2024-01-01T03:00Z", "C0")
    ]


def test_intervals_that_overlap_are_all_named():
    rows = [(0, 3600, 400), (900, 900, 200), (1800, 900, 200), (2700, 900, 100), (3600, 900, 100)]
    records = [
        {
            "parent_certificate_id": "C0",
            "production_start": (START + first) * 1000,
            "interval_s": length,
            "energy_wh": energy,
        }
        for first, length, energy in rows
    ]
    report = examine(records, annual=annual_table({"energy_wh": 1000}))
    assert errors(report) == [("duplicate_interval", 1), ("duplicate_interval", 2), ("duplicate_interval", 3)]


def test_the_same_interval_of_two_parents_is_no_duplicate(sound):
    by_time = sorted(sound(), key=lambda record: record["production_start"])
    assert examine(by_time).ok


@pytest.mark.parametrize("batch", [5, 1 << 19])
@pytest.mark.parametrize(("copied", "onto"), [(3, 4), (4, 3), (3, 30), (30, 3)])
def test_an_id_of_our_form_that_comes_twice(sound, monkeypatch, copied, onto, batch):
    monkeypatch.setattr(hourly, "BATCH_ROWS", batch)
    records = sound()
    identity = records[onto]["certificate_id"] = records[copied]["certificate_id"]
    report = examine(records)
    assert {code for code, _ in errors(report)} == {"duplicate_id"}
    assert identity in {item["value"] for item in report.findings.to_pylist()}
    assert outcomes(report)["no certificate id twice"] == "failed"


@pytest.mark.parametrize("batch", [5, 1 << 19])
def test_an_id_of_another_form_that_comes_twice(sound, monkeypatch, batch):
    monkeypatch.setattr(hourly, "BATCH_ROWS", batch)
    records = [record | {"certificate_id": f"{number:08d}"} for number, record in enumerate(sound())]
    assert examine(records).ok
    records[50]["certificate_id"] = records[2]["certificate_id"]
    report = examine(records)
    assert {code for code, _ in errors(report)} == {"duplicate_id"}
    assert {item["value"] for item in report.findings.to_pylist()} == {"00000002"}


# --- the quota rule


def test_two_hours_between_which_one_wh_was_moved_twice(sound):
    records = sound()
    records[3]["energy_wh"] -= 2
    records[20]["energy_wh"] += 2
    assert examine(records).ok  # the sum is right, and no profile is given
    assert errors(examine(records, profiles=SHAPES)) == [("quota_broken", 3), ("quota_broken", 20)]


def test_an_hour_that_has_a_share_but_no_certificate(sound):
    records = sound()
    gone = records.pop(20)
    records[19]["energy_wh"] += gone["energy_wh"]
    found = examine(records, profiles=SHAPES).findings.to_pylist()
    broken = [(item["row"], item["count"]) for item in found if item["code"] == "quota_broken"]
    assert broken == [(19, 1), (None, 1)]


def test_an_hour_that_has_a_certificate_but_no_share(sound):
    records = sound()
    records[25]["energy_wh"] -= 1
    night = records[25] | {"production_start": records[0]["production_start"], "energy_wh": 1, "certificate_id": "x"}
    assert errors(examine([*records, night], profiles=SHAPES)) == [("quota_broken", 60)]


def test_hours_of_another_length_than_the_profile_are_not_judged_alone(sound):
    # quarters cannot be compared with an hour's share, but the hours that are missing are noticed
    records = sound()
    record = records.pop(23)
    quarters = [
        record
        | {"production_start": later(record, 900 * n), "interval_s": 900, "energy_wh": wh, "certificate_id": str(n)}
        for n, wh in enumerate((180, 180, 180, 180))
    ]
    assert sum(quarter["energy_wh"] for quarter in quarters) == record["energy_wh"]
    assert examine([*records, *quarters]).ok
    assert {code for code, _ in errors(examine([*records, *quarters], profiles=SHAPES))} == {"quota_broken"}


METER = annual_table(
    {"profile": "m", "allocation_basis": "metered_hourly", "energy_wh": 9_000},
    {"profile": "m", "allocation_basis": "metered_hourly", "energy_wh": 5_000},
)


def test_more_in_an_hour_than_its_meter_by_two_certificates_together():
    records = gcr.convert(METER, SHAPES).to_table().to_pylist()
    assert examine(records, annual=METER, profiles=SHAPES).ok
    room = 500 - records[5]["energy_wh"] - records[24 + 5]["energy_wh"]
    records[5]["energy_wh"] += room
    records[6]["energy_wh"] -= room
    assert examine(records, annual=METER, profiles=SHAPES).ok  # the meter is full, and no more
    records[24 + 5]["energy_wh"] += 1
    records[24 + 6]["energy_wh"] -= 1
    found = [
        item
        for item in examine(records, annual=METER, profiles=SHAPES).findings.to_pylist()
        if item["severity"] == "error"
    ]
    assert [(item["code"], item["profile"], item["value"]) for item in found] == [
        ("over_metered_hour", "m", "2024-01-01T05:00Z")
    ]
    assert "501 Wh issued" in found[0]["message"]
    assert "500 Wh metered" in found[0]["message"]


def test_a_profile_that_is_not_given_fails_the_rule_only(sound):
    report = examine(sound(), profiles=profile_table({"p": PROFILES["p"], "q": PROFILES["q"]}))
    assert errors(report, "certificate_id") == [("no_profile", 2, "C2")]
    assert [name for name, outcome in outcomes(report).items() if outcome == "failed"] == [
        "every hour is floor or ceiling of its share"
    ]


@pytest.mark.parametrize("at", [0, 11, 12, 23])
def test_a_metered_certificate_that_its_meter_covers_has_no_residual(sound, at):
    records = sound()
    records[FIRST["C2"] + at]["energy_wh"] -= 1
    report = examine(records, profiles=SHAPES)
    assert not report.ok
    assert {item["certificate_id"] for item in report.findings.to_pylist() if item["severity"] == "error"} == {"C2"}


@pytest.mark.parametrize(("parent", "at"), [(0, 3), (0, 23), (1, 0), (1, 12)])
def test_a_residual_means_that_the_meter_is_empty(parent, at):
    # 14,000 of the 14,400 Wh of a meter are certified by two, so neither may leave anything
    records = gcr.convert(METER, SHAPES).to_table().to_pylist()
    records[24 * parent + at]["energy_wh"] -= 1
    report = examine(records, annual=METER, profiles=SHAPES)
    assert not report.ok
    assert {item["certificate_id"] for item in report.findings.to_pylist() if item["severity"] == "error"} == {
        f"C{parent}"
    }


@pytest.mark.parametrize("profiles", [None, SHAPES], ids=["without profiles", "with profiles"])
@pytest.mark.parametrize(("over", "ok"), [(MWH - 1, True), (MWH, False), (5 * MWH, False)])
def test_a_mwh_over_the_meter_is_no_residual(over, ok, profiles):
    row = {"profile": "m", "allocation_basis": "metered_hourly"}
    full = gcr.convert(annual_table({**row, "energy_wh": 14_400}), SHAPES)
    annual = annual_table({**row, "energy_wh": 14_400 + over})
    assert examine(full, annual=annual, profiles=profiles).ok == ok


# --- residuals


@pytest.mark.parametrize(
    ("short", "basis", "permitted", "code"),
    [
        (1, "metered_hourly", None, "residual_booked"),
        (999_999, "metered_hourly", "true", "residual_booked"),
        (999_999, "metered_hourly", "false", "residual_refused"),
        (1_000_000, "metered_hourly", "true", "total_mismatch"),
        (-1, "metered_hourly", "true", "total_mismatch"),
        (1, "facility_profile", "true", "total_mismatch"),
        (1, None, None, "total_mismatch"),
    ],
)
def test_energy_that_was_not_issued(short, basis, permitted, code):
    row = {"energy_wh": 5_000_000, "profile": "p", "allocation_basis": basis, "residual_permitted": permitted}
    records = [
        {
            "parent_certificate_id": "C0",
            "production_start": START * 1000,
            "interval_s": 3600,
            "energy_wh": 5_000_000 - short,
        }
    ]
    report = examine(records, annual=annual_table(row))
    assert [(item["code"], item["row"]) for item in report.findings.to_pylist()] == [(code, 0)]
    assert report.ok == (code == "residual_booked")
    assert report.totals["residual_wh"] == short


# --- at random


@given(
    oracle.inputs(),
    st.sampled_from(["cumulative", "largest-remainder"]),
    st.sampled_from([1, 1000, MWH]),
    st.booleans(),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_a_sound_table_is_never_rejected(drawn, method, unit_wh, keep_zero_hours, with_profiles, random):
    certificates, profiles = drawn
    _, residual = oracle.convert(certificates, profiles, method, unit_wh)
    assume(all(wh < MWH for wh in residual.values()))
    annual, shapes = annual_table(*certificates), gcr.profiles_from(profile_table(profiles), keep_intervals=True)
    options = {"unit_wh": unit_wh, "keep_zero_hours": keep_zero_hours, "certificate_ids": True}
    table = gcr.convert(annual, shapes, method, **options).to_table()
    order = list(range(len(table)))
    random.shuffle(order)
    report = examine(table.take(pa.array(order, pa.int64())), annual=annual, profiles=shapes if with_profiles else None)
    assert report.ok, report.findings.to_pylist()
    assert report.totals["residual_wh"] == sum(residual.values())


def mutations(records, at):
    """Ways to spoil one row of a sound table of unmetered parents: (rows, code that must be found, its row)."""
    record = records[at]
    wh, start = record["energy_wh"], record["production_start"]

    def changed(code, row=at, **cells):
        return [*records[:at], record | cells, *records[at + 1 :]], code, row

    last = len(records)
    yield changed("total_mismatch", None, energy_wh=wh + 1)
    yield changed("total_mismatch", None, energy_wh=wh - 1) if wh > 1 else changed("negative_energy", energy_wh=-1)
    yield changed("hour_outside_period", production_start=start + pd.Timedelta(days=400))
    yield changed("uneven_interval", production_start=start + pd.Timedelta(seconds=7))
    yield changed("interval_too_long", interval_s=3601)
    yield changed("source_mismatch", source_type="fossil")
    yield changed("status_mismatch", status="ISSUED")
    yield changed("basis_mismatch", allocation_basis="hourly")
    yield changed("unknown_parent", parent_certificate_id="nobody")
    yield changed("negative_energy", energy_wh=-wh)
    yield changed("null_value", energy_wh=None)
    yield changed("unreadable_value", energy_wh=f"{wh} Wh")
    yield changed("null_value", production_start=None)
    yield changed("unreadable_value", production_start="soon")
    yield [*records[:at], *records[at + 1 :]], None, None
    yield [*records, record], "duplicate_interval", last
    yield [*records[:at], record, *records[at:]], "duplicate_interval", at + 1
    other = records[at - 1]
    if other is not record:
        yield changed("duplicate_id", None, certificate_id=other["certificate_id"])
        if wh > 2:
            moved, _, _ = changed("quota_broken", energy_wh=wh - 2)
            moved[at - 1] = other | {"energy_wh": other["energy_wh"] + 2}
            yield moved, "quota_broken" if same_parent(record, other) else "total_mismatch", None


def same_parent(one, two):
    return one["parent_certificate_id"] == two["parent_certificate_id"]


@given(oracle.inputs(), st.data())
def test_any_single_change_of_a_sound_table_is_found(drawn, data):
    certificates, profiles = drawn
    certificates = [{**row, "allocation_basis": "facility_profile", "source_type": "wind"} for row in certificates]
    annual, shapes = annual_table(*certificates), gcr.profiles_from(profile_table(profiles), keep_intervals=True)
    records = gcr.convert(annual, shapes, certificate_ids=True).to_table().to_pylist()
    at = data.draw(st.integers(0, len(records) - 1))
    spoiled, code, row = data.draw(st.sampled_from(list(mutations(records, at))))
    assume(spoiled)
    report = examine(spoiled, annual=annual, profiles=shapes)
    assert not report.ok
    if code is not None:
        found = [item for item in report.findings.to_pylist() if item["code"] == code]
        assert found, errors(report)
        if row is not None:
            assert row in [item["row"] for item in found]


JUNK = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.sampled_from(["", " ", "nan", "inf", "-0", "1e999", "9" * 40, "0x1F", "2024-13-01", "2024-01-01T25:00Z", "\0"]),
    st.integers(-(1 << 70), 1 << 70).map(str),
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "certificate_id": JUNK,
                "parent_certificate_id": JUNK | st.sampled_from(["C0", "C1"]),
                "production_start": JUNK | st.integers(0, 30).map(lambda at: f"2024-01-01T{at % 24:02d}:00Z"),
                "interval_s": JUNK | st.sampled_from(["3600", "900", "0", "-5"]),
                "energy_wh": JUNK | st.integers(0, 5000).map(str),
                "source_type": JUNK,
                "status": JUNK | st.just("ACTIVE"),
                "allocation_basis": JUNK,
            }
        ),
        min_size=1,
        max_size=8,
    ),
    st.booleans(),
)
def test_bad_rows_never_raise(records, with_profiles):
    columns = {name: pa.array([record[name] for record in records], pa.string()) for name in records[0]}
    report = examine(pa.table(columns), profiles=SHAPES if with_profiles else None)
    assert not report.ok


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_report_does_not_depend_on_the_threads(sound, monkeypatch, threads):
    monkeypatch.setattr(hourly, "BATCH_ROWS", 7)
    records = sound()
    for at in (1, 8, 15, 29, 50):
        records[at]["energy_wh"] += 3
    records.append(records[5])
    wanted = examine(records, profiles=SHAPES, threads=1)
    assert examine(records, profiles=SHAPES, threads=threads).findings.equals(wanted.findings)


def test_a_report_goes_to_any_arrow_library(sound):
    records = sound()
    records[3]["energy_wh"] = -1
    frame = pl.DataFrame(examine(records))
    assert "negative_energy" in frame["code"].to_list()


def test_hours_of_a_table_are_those_of_the_twin():
    hours, _ = oracle.convert(oracle.certificates_of(*ROWS), PROFILES)
    assert hours_of(converted().to_table()) == hours


def rechunked(table, column, chunk, change):
    """A table in which one chunk of one column is changed; all other memory stays shared."""
    chunks = table[column].chunks
    chunks[chunk] = change(chunks[chunk])
    place = table.schema.get_field_index(column)
    return table.set_column(place, table.schema.field(column), pa.chunked_array(chunks))


def other_word(words):
    def change(chunk):
        dictionary = pa.array([*chunk.dictionary.to_pylist(), *words])
        return pa.DictionaryArray.from_arrays(
            pa.array(np.full(len(chunk), len(chunk.dictionary), np.int32)), dictionary
        )

    return change


def moved(seconds):
    return lambda chunk: pa.array(chunk.cast(pa.int64()).to_numpy() + seconds * 1000).cast(chunk.type)


def doubled(chunk):
    ticks = chunk.cast(pa.int64()).to_numpy().copy()
    ticks[1] = ticks[0]
    return pa.array(ticks).cast(chunk.type)


TAMPERED = {
    "nothing": (None, None),
    "a later start": ("production_start", moved(3600)),
    "a start off the grid": ("production_start", moved(60)),
    "an hour twice": ("production_start", doubled),
    "another length": ("interval_s", lambda chunk: pa.array(np.full(len(chunk), 7200, np.int32))),
    "no status": ("status", other_word(["NONE"])),
    "another source": ("source_type", other_word(["nuclear"])),
    "another basis": ("allocation_basis", other_word(["flat"])),
    "a Wh more": ("energy_wh", lambda chunk: pa.array(chunk.to_numpy() + (np.arange(len(chunk)) == 3))),
}


@pytest.mark.parametrize("chunk", [0, -1])
@pytest.mark.parametrize("fault", TAMPERED)
def test_shared_memory_hides_no_fault(fault, chunk):
    """Many certificates lie on the same chunks of times and words: a changed chunk is seen as if all were copied."""
    alike = {"source_type": "wind", "allocation_basis": "facility_profile"}
    purposes = ["conversion", "end_use"] * 3
    annual = annual_table(*(alike | {"energy_wh": 9_000 + n, "purpose": each} for n, each in enumerate(purposes)))
    shapes = profile_table({"p": PROFILES["p"]})
    table = gcr.convert(annual, shapes).to_table()
    column, change = TAMPERED[fault]
    given_table = table if column is None else rechunked(table, column, chunk, change)
    shared, copied = gcr.validate(annual, given_table), gcr.validate(annual, given_table.combine_chunks())
    assert shared.findings.equals(copied.findings)
    assert shared.ok is (column is None)
