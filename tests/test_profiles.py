"""Profiles: every layout, unit, label, zone and interval read to the same hours; every irregularity is a finding."""

import csv
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracle import grid as oracle
from oracle.eia import fuel_pages

from gcr_fast import RefusedError, UsageError, profile_from_total, profiles_from, read_profiles
from gcr_fast.codes import MAX_PROFILE_TOTAL, PRECEDENCE
from gcr_fast.findings import Findings
from gcr_fast.grid.shapes import synthetic
from gcr_fast.periods import Period, utc_text, year_period
from gcr_fast.profiles import DISTRIBUTIONS, ProfileOptions, merge, read_together
from gcr_fast.sources.model import How

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # in kernels wrapping is meant

START = datetime(2024, 1, 1, tzinfo=UTC)
START_S = int(START.timestamp())
LONG = "profile,start,energy_wh\n"


def stamp(hours=0, minutes=0):
    """Return the text of a moment so long after the start of 2024."""
    return (START + timedelta(hours=hours, minutes=minutes)).strftime("%Y-%m-%dT%H:%MZ")


def series(values, name="p", step=60, header=LONG, first=0):
    """Return CSV text of one profile with these values, one after the other."""
    lines = (f"{name},{stamp(minutes=(first + i) * step)},{value}\n" for i, value in enumerate(values))
    return header + "".join(lines)


def table_of(values, name="energy_wh", step_s=3600, **more):
    """Return an Arrow table of one profile with typed columns."""
    starts = pa.array([START_S + step_s * i for i in range(len(values))], pa.timestamp("s", "UTC"))
    return pa.table({"start": starts, name: values, **more})


def shown(profile):
    """Return (start, step, values or None where missing) of a profile."""
    values = [None if gap else int(value) for value, gap in zip(profile.values, profile.missing, strict=True)]
    return utc_text(profile.start_s), profile.step_s, values


@pytest.fixture
def read(write):
    """Write CSV text and read it without refusing."""
    return lambda content, name="input.csv", **options: read_profiles(write(content, name), strict=False, **options)


@pytest.fixture
def faults(read):
    """Read CSV text; return (code, row, line, column, value, profile, count) of each finding, in their order."""

    def found(content, **options):
        findings = list(read(content, **options).findings)
        assert [PRECEDENCE[f.code] for f in findings] == sorted(PRECEDENCE[f.code] for f in findings)
        assert all(f.file.endswith("input.csv") for f in findings)
        return [(f.code, f.row, f.line, f.column, f.value, f.profile, f.count) for f in findings]

    return found


# --- layouts


def test_long_layout_one_profile_per_name(read):
    content = LONG + "".join(f"{name},{stamp(hour)},{hour + 1}\n" for hour in range(2) for name in ("b", "a"))
    profiles = read(content)
    assert {name: shown(profile) for name, profile in profiles.items()} == {
        "b": (stamp(), 3600, [1, 2]),
        "a": (stamp(), 3600, [1, 2]),
    }
    assert not len(profiles.findings)


def test_wide_layout_one_profile_per_column(read):
    profiles = read(f"time,solar_mwh,Wind [MW],hydro_wh,remark\n{stamp()},0.000251,1.5,,fine\n{stamp(1)},0,2,7,\n")
    assert {name: shown(profile)[2] for name, profile in profiles.items()} == {
        "solar": [251, 0],
        "Wind": [1_500_000, 2_000_000],
        "hydro": [None, 7],
    }
    assert [profile.source_type for profile in profiles.values()] == ["solar", "wind", "hydro"]
    assert [finding.column for finding in profiles.findings if finding.code == "ignored_column"] == ["remark"]


@pytest.mark.parametrize(
    ("key", "name"), [("profile", "x"), ("name", "x"), ("device_id", "5713"), ("source_type", "solar")]
)
def test_a_profile_is_named_by_the_first_of_profile_device_source_type(read, key, name):
    profiles = read(f"{key},start,energy_wh\n{name},{stamp()},1\n")
    assert list(profiles) == [name]


def test_a_profile_without_a_name_has_the_files(read):
    assert list(read(f"start,energy_wh\n{stamp()},1\n", name="plant 7.csv")) == ["plant 7"]
    assert list(profiles_from(table_of([1]))) == ["profile"]


def test_start_and_end_beside_one_value_is_still_one_series(read):
    profiles = read(f"start,end,energy_wh\n{stamp()},{stamp(1)},1\n{stamp(1)},{stamp(2)},2\n")
    assert {name: shown(profile)[2] for name, profile in profiles.items()} == {"input": [1, 2]}


def test_source_types_in_a_column_are_profiles_whatever_stands_beside(read):
    profiles = read(f"start,source_type,energy_wh,note\n{stamp()},solar,1,a\n{stamp()},wind,2,b\n")
    assert {name: shown(profile)[2] for name, profile in profiles.items()} == {"solar": [1], "wind": [2]}


def test_device_and_source_type_are_kept(read):
    profiles = read(f"profile,start,energy_wh,source_type,device_id\np,{stamp()},1,PV,5713\n")
    assert (profiles["p"].source_type, profiles["p"].device_id) == ("solar", "5713")


@pytest.mark.parametrize(
    ("name", "kind"), [("AT-2020-solar", "solar"), ("Wind Offshore", "wind_offshore"), ("p", None)]
)
def test_a_name_tells_its_source_type(read, name, kind):
    assert read(series([1], name=name))[name].source_type == kind


# --- units


@pytest.mark.parametrize(
    ("column", "unit", "wh"),
    [
        ("energy_wh", None, 2),
        ("energy_kwh", None, 2_000),
        ("energy_mwh", None, 2_000_000),
        ("mwh", None, 2_000_000),
        ("power_kw", None, 2_000),
        ("generation_mw", None, 2_000_000),
        ("MW", None, 2_000_000),
        ("value", "kWh", 2_000),
        ("output", "MW", 2_000_000),
        ("energy_wh", "MWh", 2),  # the column's own unit counts
    ],
)
def test_units_by_suffix_by_option_and_by_older_names(read, column, unit, wh):
    profile = read(series([2], header=f"profile,start,{column}\n"), unit=unit)["p"]
    assert shown(profile)[2] == [wh]
    assert profile.is_energy
    assert profile.values.dtype == np.int64


@pytest.mark.parametrize(
    ("timestamp", "value"), [("timestamp", "mwh"), ("Time", "MWh"), ("utc_timestamp", "total_mwh"), ("datetime", "mwh")]
)
def test_the_older_registrys_files_are_read(read, timestamp, value):
    profiles = read(f"{timestamp},{value},source_type\n{stamp()},0.000251,solar\n{stamp(1)},1,solar\n")
    assert shown(profiles["solar"]) == (stamp(), 3600, [251, 1_000_000])


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 2, None]),
        pa.array([1, 2, None], pa.uint8()),
        pa.array([1.0, 2.0, None]),
        pa.array([1.0, 2.0, None], pa.float32()),
        pa.array([Decimal("1"), Decimal("2"), None], pa.decimal128(12, 3)),
        pa.array(["1", "2.0", ""]),
        pa.array(["1", "2", None]).dictionary_encode(),
    ],
    ids=["int", "uint", "float", "float32", "decimal", "text", "words"],
)
def test_values_of_any_type(column):
    profile = profiles_from(table_of(column, "energy_kwh"), strict=False)["profile"]
    assert shown(profile)[2] == [1000, 2000, None]


def test_energy_below_a_wh_is_rounded_down(read):
    assert shown(read(series(["0.0000019", "1.9999999"], header="profile,start,energy_mwh\n"))["p"])[2] == [
        1,
        1_999_999,
    ]


@pytest.mark.parametrize(
    ("texts", "weights"),
    [
        (["1", "3"], [1, 3]),
        (["0.5", "0.25"], [500, 250]),
        (["0.1234567", "1"], [123_456_700, 10**9]),
        (["9007199254740990", "1"], [9007199254740990, 1]),
        (["9007199254739.5", "1"], [9007199254739500, 1000]),
        (["90071992547409.55", "0"], [90071992547409, 0]),
    ],
)
def test_weights_keep_as_many_decimals_as_their_sum_allows(read, texts, weights):
    profiles = read(series(texts, header="profile,start,weight\n"))
    assert shown(profiles["p"])[2] == weights
    assert not profiles["p"].is_energy


def test_taken_as_weights(faults):
    assert faults(f"profile,start,value\np,{stamp()},5\n") == [("taken_as_weights", None, None, "value", None, None, 1)]
    assert faults(f"profile,start,value\np,{stamp()},5\n", unit="weight") == []


def test_a_value_that_no_profile_can_hold_is_unreadable(faults):
    found = faults(series([MAX_PROFILE_TOTAL, MAX_PROFILE_TOTAL + 1]))
    assert [(code, row, value) for code, row, _, _, value, *_ in found] == [
        ("unreadable_value", 1, str(MAX_PROFILE_TOTAL + 1))
    ]


@pytest.mark.parametrize("step", [15, 30, 60])
@pytest.mark.parametrize("keep", [False, True])
def test_the_largest_power_does_not_wrap(read, step, keep):
    content = series([MAX_PROFILE_TOTAL] * 8, step=step, header="profile,start,power_w\n")
    values = shown(read(content, keep_intervals=keep)["p"])[2]
    assert set(values) == {MAX_PROFILE_TOTAL * step // 60 if keep else MAX_PROFILE_TOTAL}


def test_the_largest_total_does_not_wrap():
    profile = profiles_from(table_of([MAX_PROFILE_TOTAL] * 2000))["profile"]
    assert profile.total == MAX_PROFILE_TOTAL * 2000


# --- times


@pytest.mark.parametrize("column", ["hour_ending", "time_end", "Interval End", "period_utc_hour_ending", "end"])
def test_a_column_named_ending_means_the_end_of_the_interval(read, column):
    profiles = read(f"{column},energy_wh\n{stamp(1)},1\n{stamp(2)},2\n")
    assert shown(profiles["input"]) == (stamp(0), 3600, [1, 2])


@pytest.mark.parametrize(("label", "first"), [("begin", stamp(1)), ("end", stamp(0))])
@pytest.mark.parametrize("column", ["start", "time_end"])
def test_the_label_option_counts_more_than_the_name(read, label, first, column):
    assert shown(read(f"{column},energy_wh\n{stamp(1)},1\n{stamp(2)},2\n", label=label)["input"])[0] == first


@pytest.mark.parametrize("step", [5, 15, 30])
def test_the_end_label_of_shorter_intervals_is_one_of_those_back(read, step):
    content = series(range(60 // step), step=step, first=1)
    assert shown(read(content, label="end", keep_intervals=True)["p"])[:2] == (stamp(), step * 60)
    assert shown(read(content, label="end")["p"]) == (stamp(), 3600, [sum(range(60 // step))])


def test_berlin_2024_is_a_shifted_utc_window(read):
    profile = read("start,energy_wh\n2024-01-01T00:00,1\n2024-01-01T01:00,2\n", zone="Europe/Berlin")["input"]
    assert shown(profile) == ("2023-12-31T23:00Z", 3600, [1, 2])


def test_an_offset_counts_more_than_the_zone(read):
    content = "start,energy_wh\n2024-01-01T00:00+05:00,1\n2024-01-01T01:00+05:00,2\n"
    assert shown(read(content, zone="Europe/Berlin")["input"])[0] == "2023-12-31T19:00Z"


def local_labels(zone, first, last, step_s):
    """Return the wall-clock readings of a span, as a logger in that zone would write them."""
    return [
        datetime.fromtimestamp(second, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
        for second in range(first, last, step_s)
    ]


@pytest.mark.parametrize(
    ("zone", "day", "count", "step"),
    [
        ("Europe/Berlin", (2024, 3, 31), 23, 60),
        ("Europe/Berlin", (2024, 10, 27), 25, 60),
        ("Europe/Berlin", (2024, 10, 27), 100, 15),
        ("America/New_York", (2024, 11, 3), 25, 60),
        ("Australia/Lord_Howe", (2024, 4, 7), 49, 30),
        ("Australia/Lord_Howe", (2024, 10, 6), 47, 30),
    ],
)
@pytest.mark.parametrize("label", ["begin", "end"])
def test_autumn_hour_appears_twice_and_spring_hour_is_skipped(read, zone, day, count, step, label):
    place = ZoneInfo(zone)
    first = int(datetime(*day, tzinfo=place).timestamp())
    shift = step * 60 if label == "end" else 0
    labels = local_labels(zone, first + shift, first + shift + count * step * 60, step * 60)
    content = "start,energy_wh\n" + "".join(f"{text},{i}\n" for i, text in enumerate(labels))
    profiles = read(content, zone=zone, label=label, keep_intervals=True)
    assert shown(profiles["input"]) == (utc_text(first), step * 60, list(range(count)))
    assert profiles.findings.ok
    following = datetime(*day) + timedelta(days=1)
    assert profiles["input"].end_s == following.replace(tzinfo=place).timestamp()


@given(
    step=st.sampled_from([900, 3600]),
    lost=st.sampled_from([0.0, 0.05, 0.4]),
    order=st.sampled_from(["ascending", "newest first", "none"]),
    shape=st.sampled_from(["long", "wide"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_value_lands_in_a_wrong_hour_of_autumn_whichever_rows_are_missing(step, lost, order, shape, seed):
    draw = random.Random(seed)
    first, last = (int(datetime(2024, 10, day, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()) for day in (27, 28))
    kept = [start for start in range(first, last, step) if draw.random() >= lost]
    kept = draw.sample(kept, len(kept)) if order == "none" else kept[:: -1 if order == "newest first" else 1]
    labels = [local_labels("Europe/Berlin", start, start + 1, 1)[0] for start in kept]
    values = [(start - first) // step + 1 for start in kept]
    table = {"start": labels, "energy_wh": values}
    if shape == "wide":
        table = {"start": labels, "a_wh": values, "b_wh": values}
    profiles = profiles_from(pa.table(table), zone="Europe/Berlin", keep_intervals=True, strict=False)
    for profile in profiles.values():
        for at in np.flatnonzero(~profile.missing).tolist():
            assert profile.values[at] == (profile.start_s + at * profile.step_s - first) // step + 1
    notes = [finding for finding in profiles.findings if finding.code == "reading_note"]
    told = [finding for finding in notes if "happens twice" in finding.message]
    assert all(finding.value[:13] == "2024-10-27 02" for finding in told)
    if not lost:
        assert len(told) == (2 * 3600 // step if order == "none" else 0)


def local_end(start, step, by_clock):
    """Return the end of an interval as the clock of Berlin shows it, or as the begin that it shows plus the length."""
    place = ZoneInfo("Europe/Berlin")
    moment = datetime.fromtimestamp(start + step * by_clock, UTC).astimezone(place).replace(tzinfo=None)
    return (moment + timedelta(seconds=step * (not by_clock))).isoformat()


@given(
    step=st.sampled_from([900, 3600]),
    by_clock=st.booleans(),
    day=st.sampled_from([(2024, 3, 31), (2024, 10, 27)]),
    lost=st.sampled_from([0.0, 0.05, 0.2]),
    order=st.sampled_from(["ascending", "newest first", "none"]),
    shape=st.sampled_from(["long", "wide", "keyed"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_value_lands_in_a_wrong_hour_however_ends_are_written(step, by_clock, day, lost, order, shape, seed):
    draw, midnight = random.Random(seed), datetime(*day)
    edges = (midnight + timedelta(days=shift) for shift in (0, 1))
    first, last = (int(edge.replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()) for edge in edges)
    starts = list(range(first, last, step))
    kept = [start for start in starts if draw.random() >= lost]
    kept = draw.sample(kept, len(kept)) if order == "none" else kept[:: -1 if order == "newest first" else 1]
    labels, values = [local_end(start, step, by_clock) for start in kept], [(s - first) // step + 1 for s in kept]
    tables = {
        "long": {"end": labels, "energy_wh": values},
        "wide": {"end": labels, "a_wh": values, "b_wh": values},
        "keyed": {"end": labels * 2, "profile": ["a"] * len(kept) + ["b"] * len(kept), "energy_wh": values * 2},
    }
    profiles = profiles_from(pa.table(tables[shape]), zone="Europe/Berlin", keep_intervals=True, strict=False)
    for profile in profiles.values():
        if profile.step_s != step:  # so few are left that most are of another distance
            return
        for at in np.flatnonzero(~profile.missing).tolist():
            assert profile.values[at] == (profile.start_s + at * step - first) // step + 1
    if not lost and order != "none":
        assert profiles.findings.ok
        assert all((~profile.missing).sum() == len(starts) for profile in profiles.values())


ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns", "Africa/Cairo"]


@given(
    zone=st.sampled_from(ZONES),
    start=st.integers(0, 365 * 24),
    count=st.integers(2, 24 * 40),
    step=st.sampled_from([900, 1800, 3600]),
    label=st.sampled_from(["begin", "end"]),
)
@example(zone="Europe/Berlin", start=299 * 24, count=24 * 8, step=3600, label="begin")
@example(zone="Australia/Lord_Howe", start=95 * 24, count=48 * 6, step=1800, label="end")
def test_local_times_of_any_zone_come_back_as_the_utc_they_were(zone, start, count, step, label):
    first = START_S + start * 3600
    shift = step if label == "end" else 0
    labels = local_labels(zone, first + shift, first + shift + count * step, step)
    table = pa.table({"start": labels, "energy_wh": list(range(count))})
    options = {"zone": zone, "label": label, "keep_intervals": True}
    profiles = profiles_from(table, **options, strict=False)
    if profiles.findings.counts()["reading_note"]:
        return  # it begins or ends within an hour that happens twice: there is no step back to tell which it is
    if (zone, step) == ("Australia/Lord_Howe", 3600) and not profiles.findings.ok:
        return  # its clock moves by half an hour, so hourly labels cannot tell which half was meant
    assert shown(profiles["profile"]) == (utc_text(first), step, list(range(count)))


# --- intervals


@pytest.mark.parametrize("step", [5, 10, 15, 20, 30])
def test_shorter_intervals_are_summed_to_hours_or_kept(read, step):
    parts = 60 // step
    content = series(range(2 * parts), step=step)
    assert shown(read(content)["p"]) == (stamp(), 3600, [sum(range(parts)), sum(range(parts, 2 * parts))])
    assert shown(read(content, keep_intervals=True)["p"]) == (stamp(), step * 60, list(range(2 * parts)))


def test_power_of_quarter_hours_is_a_quarter_of_the_energy(read):
    content = series([1, 2, 3, 5], step=15, header="profile,start,power_w\n")
    assert shown(read(content)["p"])[2] == [11 // 4]  # rounded down once, not four times
    assert shown(read(content, keep_intervals=True)["p"])[2] == [0, 0, 0, 1]


def test_hours_begin_where_the_zones_clock_says(read):
    content = "start,energy_wh\n" + "".join(f"2024-01-01T{i // 4:02d}:{i % 4 * 15:02d},1\n" for i in range(8))
    assert shown(read(content, zone="Asia/Kolkata")["input"]) == ("2023-12-31T18:30Z", 3600, [4, 4])


def test_an_hour_with_a_missing_part_is_missing(read):
    rows = series([1, 2, "", 4, 5, 6, 7, 8], step=15)
    assert shown(read(rows)["p"]) == (stamp(), 3600, [None, 26])
    assert shown(read(series([1, 1, 1, 1, 1, 1], step=15, first=3))["p"]) == (stamp(), 3600, [None, 4, None])


def test_missing_is_null_zero_is_zero(read):
    profile = read(series(["0", "", "0.0", " "]))["p"]
    assert shown(profile)[2] == [0, None, 0, None]
    assert not profile.complete


@st.composite
def damaged(draw):
    """Rows of a regular series, shuffled, some deleted, doubled with another value, or emptied."""
    step = draw(st.sampled_from([900, 1800, 3600]))
    count = draw(st.integers(3, 60))
    first = START_S + draw(st.integers(0, 100)) * step
    value = st.one_of(st.none(), st.integers(0, 9999))
    rows = [(first + i * step, draw(value)) for i in range(count)]
    gone = draw(st.sets(st.integers(0, count - 1), max_size=count // 4))
    # of the rest, most neighbours must be one step apart, or the step itself would be another
    kept = [row for i, row in enumerate(rows) if i not in gone]
    again = [(start, draw(value)) for start, _ in draw(st.lists(st.sampled_from(kept), max_size=4))]
    return step, draw(st.permutations(kept + again)) if draw(st.booleans()) else kept + again


@given(case=damaged())
def test_shuffled_deleted_and_doubled_rows_same_as_a_dictionary(case):
    step, rows = case
    starts = pa.array([start for start, _ in rows], pa.timestamp("s", "UTC"))
    table = pa.table({"profile": ["p"] * len(rows), "start": starts, "energy_wh": [value for _, value in rows]})
    distinct = sorted({start for start, _ in rows})
    gaps = [two - one for one, two in pairwise(distinct)]
    if 2 * gaps.count(step) <= len(gaps):
        return
    profiles = profiles_from(table, strict=False)
    first, hours = oracle.hours(rows, step)
    assert shown(profiles["p"]) == (utc_text(first), 3600, hours)
    counts = profiles.findings.counts()
    known = dict(reversed(rows))
    assert counts["duplicate_interval"] == len(rows) - len(known)
    assert counts["missing_interval"] == oracle.absent(rows, step)
    assert counts["null_value"] == sum(value is None for value in known.values())
    in_order = all(one[0] <= two[0] for one, two in pairwise(rows))
    assert (counts["unsorted_interval"] == 0) == in_order


# --- files and tables


@pytest.fixture
def typed():
    """Two profiles in long layout with typed columns."""
    starts = pa.array([START + timedelta(hours=i // 2) for i in range(6)], pa.timestamp("us", "UTC"))
    names = ["solar", "wind"] * 3
    return pa.table({"profile": names, "start": starts, "energy_mwh": [0.000251, 1.5, 0.0, 2.0, 3.25, None]})


def write_ipc(table, path):
    with pa.ipc.new_file(path, table.schema) as sink:
        sink.write_table(table)


def write_stream(table, path):
    with pa.ipc.new_stream(path, table.schema) as sink:
        sink.write_table(table)


EXPECTED = {"solar": (stamp(), 3600, [251, 0, 3_250_000]), "wind": (stamp(), 3600, [1_500_000, 2_000_000, None])}


@pytest.mark.parametrize(
    "make",
    [
        lambda table: table,
        lambda table: table.to_reader(),
        lambda table: table.to_batches()[0],
        pl.from_arrow,
        lambda table: pl.from_arrow(table).with_columns(pl.col("profile").cast(pl.Categorical)),
        lambda table: table.to_pandas(),
        lambda table: table.to_pandas().astype({"profile": "category"}),
        lambda table: table.to_pandas().set_index("start"),
        lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
        lambda table: duckdb.connect().from_arrow(table),
    ],
    ids=[
        "pyarrow",
        "reader",
        "batch",
        "polars",
        "categorical",
        "pandas",
        "category",
        "index",
        "pandas-arrow",
        "duckdb",
    ],
)
def test_every_arrow_object_reads_to_the_same_profiles(typed, make):
    profiles = profiles_from(make(typed), strict=False)
    assert {name: shown(profile) for name, profile in profiles.items()} == EXPECTED


@pytest.mark.parametrize("writer", [pyarrow.csv.write_csv, pq.write_table, write_ipc, write_stream])
def test_every_file_kind_reads_to_the_same_profiles(typed, writer, tmp_path):
    writer(typed, tmp_path / "file")
    profiles = read_profiles(tmp_path / "file", strict=False)
    assert {name: shown(profile) for name, profile in profiles.items()} == EXPECTED


def test_words_that_a_dictionary_holds_but_no_row_uses_are_no_profiles(typed):
    names = pa.DictionaryArray.from_arrays(pa.array([2, 0] * 3, pa.int8()), pa.array(["wind", "never", "solar"]))
    profiles = profiles_from(typed.set_column(0, "profile", names), strict=False)
    assert {name: shown(profile) for name, profile in profiles.items()} == EXPECTED


def test_semicolon_and_tab_files(read):
    for delimiter in ";\t":
        assert shown(read(series([1, 2]).replace(",", delimiter))["p"])[2] == [1, 2]


def test_what_was_read_can_be_handed_on_and_taken_again(typed):
    profiles = profiles_from(typed, strict=False)
    assert profiles_from(profiles) is profiles
    assert len(profiles) == 2
    again = profiles_from(pa.RecordBatchReader.from_stream(profiles), strict=False)
    assert {name: shown(profile) for name, profile in again.items()} == EXPECTED


def test_attribution_of_a_file_is_kept(typed, tmp_path):
    pq.write_table(typed.replace_schema_metadata({"attribution": "Jane Doe, CC BY 4.0"}), tmp_path / "file")
    assert read_profiles(tmp_path / "file", strict=False)["solar"].attribution == "Jane Doe, CC BY 4.0"


def test_two_files_are_one_longer_profile(write):
    paths = [write(series([3, 4], first=2), "b.csv"), write(series([1, 2]), "a.csv")]
    profiles = profiles_from(paths)
    assert shown(profiles["p"]) == (stamp(), 3600, [1, 2, 3, 4])
    assert profiles["p"].complete
    assert profiles.findings.ok
    assert [source.name for source in profiles.sources] == [str(path) for path in paths]


def test_a_gap_between_two_files_is_missing(write):
    profiles = profiles_from([write(series([1, -2]), "a.csv"), write(series([5, -6], first=4), "b.csv")])
    assert shown(profiles["p"]) == (stamp(), 3600, [1, 0, None, None, 5, 0])
    assert profiles["p"].clipped.tolist() == [0, 2, 0, 0, 0, 6]


@pytest.mark.parametrize("order", ["abc", "acb", "cab", "bca"])
def test_files_may_come_in_any_order(write, order):
    first = {"a": 0, "b": 2, "c": 4}
    paths = [write(series([first[name], 9], first=first[name]), f"{name}.csv") for name in order]
    profiles = profiles_from(paths)
    assert shown(profiles["p"]) == (stamp(), 3600, [0, 9, 2, 9, 4, 9])
    assert profiles.findings.ok


def test_faults_of_a_later_file_move_with_its_intervals(write):
    paths = [write(series([1, 2]), "a.csv"), write(series([3, ""], first=2), "b.csv")]
    (fault,) = profiles_from(paths, strict=False)["p"].faults
    assert (fault.first, fault.last, fault.finding.code) == (3, 3, "null_value")


def test_weights_of_files_with_other_decimals_keep_their_proportions(write):
    head = "profile,start,weight\n"
    texts = [series(values, header=head, first=first) for first, values in ((0, ["0.5", "-1"]), (2, ["0.5001", "2"]))]
    paths = [write(text, f"{at}.csv") for at, text in enumerate(texts)]
    for some in (paths, paths[::-1]):
        profile = profiles_from(some)["p"]
        assert [Fraction(value, 10**profile.weight_digits) for value in profile.signed.tolist()] == [
            Fraction(text) for text in ("0.5", "-1", "0.5001", "2")
        ]


def test_contradicted_weights_are_said_as_their_files_have_them(write):
    head = "profile,start,weight\n"
    one, two = write(series(["0.5", "1"], header=head), "a.csv"), write(series(["0.5", "1.0625"], header=head), "b.csv")
    profiles = profiles_from([one, two])
    assert profiles.findings.counts() == {"contradicted_interval": 1, "repeated_interval": 1, "taken_as_weights": 2}
    (finding,) = profiles.findings.of("error")
    assert f"is 1.0625, but 1 in {one}, line 3" in finding.message
    assert finding.value == "1.0625"


def test_duplicate_profile_weights_too_large_for_the_decimals_of_another_file(write):
    head = "profile,start,weight\n"
    large = write(series([MAX_PROFILE_TOTAL // 2], header=head), "a.csv")
    fine = write(series(["0.5"], header=head, first=1), "b.csv")
    (finding,) = profiles_from([large, fine]).findings.of("error")
    assert (finding.code, finding.file) == ("duplicate_profile", str(fine))
    assert "precision" in finding.message


def test_contradicted_interval_of_files_that_overlap(write):
    one, two = write(series([1, 2]), "a.csv"), write(series([4, 3], first=1), "b.csv")
    profiles = profiles_from([one, two])
    (finding,) = profiles.findings.of("error")
    assert (finding.code, finding.profile, finding.file) == ("contradicted_interval", "p", str(two))
    assert (finding.row, finding.line, finding.value) == (0, 2, "4")
    assert shown(profiles["p"])[2] == [1, 2, 3]
    assert [(fault.first, fault.last, fault.finding) for fault in profiles["p"].faults] == [(1, 1, finding)]


def test_repeated_interval_of_files_that_overlap(write):
    one, two = write(series([1, 2]), "a.csv"), write(series([2, 3], first=1), "b.csv")
    profiles = profiles_from([one, two])
    (finding,) = profiles.findings
    assert (finding.code, finding.profile, finding.file, finding.value, finding.count) == (
        "repeated_interval", "p", str(two), str(one), 1,
    )  # fmt: skip
    assert shown(profiles["p"])[2] == [1, 2, 3]


@pytest.mark.parametrize(
    ("other", "said", "hint"),
    [
        (
            series([1, 2], first=10, header="profile,start,weight\n"),
            "is a shape without a unit, but energy",
            "one unit",
        ),
        (series([1, 2], first=40, step=30), "has intervals of 30 min, but of 60 min", "without --keep-intervals"),
        (LONG + f"p,{stamp(5, 30)},1\np,{stamp(6, 30)},1\n", "but every 60 min from", "mend the starts"),
        (f"profile,start,energy_wh,source_type\np,{stamp(5)},1,wind\n", "is wind, but of no source type", "in both"),
    ],
    ids=["unit", "step", "grid", "source"],
)
def test_duplicate_profile_files_that_do_not_fit_together(write, other, said, hint):
    first = write(series([1, 2]), "a.csv")
    findings = profiles_from([first, write(other, "b.csv")], keep_intervals=True).findings
    (finding,) = findings.of("error")
    assert finding.code == "duplicate_profile"
    assert said in finding.message
    assert finding.message.endswith(f"in {first}")
    assert hint in finding.mend
    assert hint in findings.describe()
    assert finding.mend in findings.to_table()["hint"].to_pylist()


def test_the_same_file_twice_is_that_file(write):
    path = write(series([1, 2]))
    profiles = profiles_from([path, path])
    assert [(finding.code, finding.count) for finding in profiles.findings] == [("repeated_interval", 2)]
    assert shown(profiles["p"]) == shown(profiles_from(path)["p"])


def pages_of(write, start="2024-08-01", size=10):
    texts = fuel_pages("BPAT", start, {"SUN": range(24), "WND": [7] * 24}, size)
    return [write(text, f"page-{start}-{at}.json") for at, text in enumerate(texts)]


@pytest.mark.parametrize("step", [1, -1])
def test_pages_of_one_answer_are_whole_together(write, step):
    pages = pages_of(write)[::step]
    assert len(pages) == 5
    together = profiles_from(pages)
    assert {name: profile.values.tolist() for name, profile in together.items()} == {
        "BPAT-solar": [hour * 1_000_000 for hour in range(24)],
        "BPAT-wind": [7_000_000] * 24,
    }
    assert not together.findings.of("error")


def test_a_page_that_lacks_is_refused_among_other_files(write, refusal):
    first, second = pages_of(write), pages_of(write, "2024-08-02", 30)
    own = write(series([1, 2]))
    assert set(profiles_from([own, *first, *second])) == {"p", "BPAT-solar", "BPAT-wind"}
    found = refusal(profiles_from, [first[0], own, *second, *first[2:]])
    assert [(one["code"], one["file"], one["count"]) for one in found] == [("missing_interval", str(first[0]), 10)]
    assert "38 of the 48 rows of one answer are in" in found[0]["message"]
    (alone,) = refusal(read_profiles, first[0])
    assert "10 of the 48 rows" in alone["message"]


def test_a_page_that_cannot_be_read_is_not_called_missing_as_well(write, refusal):
    pages = pages_of(write)
    pages[1].write_text(pages[1].read_text().replace('"7"', '"seven"', 1))
    found = refusal(profiles_from, [*pages, write("", "empty.csv")])
    assert [(one["code"], one["file"].endswith("1.json")) for one in found] == [
        ("empty_file", False),
        ("unreadable_value", True),
    ]


def test_a_file_may_have_nothing_of_what_another_one_has(write, refusal):
    solar, wind = (fuel_pages("BPAT", "2024-08-01", {code: [1] * 24}, 24)[0] for code in ("SUN", "WND"))
    paths = [write(solar, "solar.json"), write(wind, "wind.json")]
    refused, how = Findings(), How(types=frozenset({"solar"}))
    assert [list(one) for one in read_together(paths, refused, ProfileOptions(how=how))] == [["BPAT-solar"], []]
    assert not len(refused)
    assert "nothing of what is asked for" in refusal(read_profiles, paths[1], how=how)[0]["message"]


def test_absent_kind_is_told_with_the_kinds_that_there_are(write):
    (text,) = fuel_pages("BPAT", "2024-08-01", {"SUN": [1] * 24, "WND": [7] * 24}, 48)
    how = How(types=frozenset({"solar", "nuclear", "Fossil Gas"}))
    profiles = read_profiles(write(text, "a.json"), how=how)
    assert list(profiles) == ["BPAT-solar"]
    found = [one for one in profiles.findings if one.code == "absent_kind"]
    assert [(one.value, one.severity, one.message) for one in found] == [
        (kind, "warning", f"a.json has no {kind}; it has solar, wind") for kind in ("fossil_gas", "nuclear")
    ]


def test_a_kind_of_one_file_is_not_absent_from_another(write):
    paths = [
        write(fuel_pages("BPAT", "2024-08-01", {code: [1] * 24}, 24)[0], f"{code}.json") for code in ("SUN", "WND")
    ]
    refused, how = Findings(), How(types=frozenset({"solar", "wind"}))
    read = read_together(paths, refused, ProfileOptions(how=how))
    assert not [one for part in read for one in part.findings if one.code == "absent_kind"]
    read = read_together(paths, refused, ProfileOptions(how=How(types=frozenset({"wind", "nuclear"}))))
    (found,) = (one for part in read for one in part.findings if one.code == "absent_kind")
    assert found.message == "none of the 2 files has nuclear; they have solar, wind"
    assert refused.ok


def test_a_gap_stands_at_the_row_before_it(write):
    hours = {hour: hour for hour in (0, 1, 4)}
    text = LONG + "\n" + "".join(f"p,{stamp(hour)},{wh}\n" for hour, wh in hours.items())
    (found,) = profiles_from(write(text), strict=False).findings
    assert (found.code, found.row, found.line, found.count) == ("missing_interval", 1, 4, 2)
    assert "no rows for 2 intervals after line 4" in found.message
    (found,) = profiles_from(pa.table({"start": [*map(stamp, hours)], "energy_wh": [*hours.values()]})).findings
    assert (found.code, found.row, found.line, found.file) == ("missing_interval", 1, None, None)
    assert "no rows for 2 intervals after row 1" in found.message


def test_merging_nothing_is_no_profiles():
    assert len(merge([])) == 0


# --- findings


def test_naive_timestamps_are_refused_unless_a_zone_is_named(write, refusal):
    path = write("start,energy_wh\n2024-01-01T00:00Z,1\n2024-01-01T01:00,2\n2024-01-01T02:00,3\n")
    (finding,) = refusal(read_profiles, path)
    assert (finding["code"], finding["row"], finding["line"]) == ("naive_time", 1, 3)
    assert (finding["column"], finding["value"], finding["count"]) == ("start", "2024-01-01T01:00", 2)
    assert shown(read_profiles(path, zone="UTC")["input"])[2] == [1, 2, 3]


def test_nonexistent_time(write, refusal):
    path = write(
        "start,energy_wh\n" + "".join(f"2024-03-31T{hour:02d}:{m},1\n" for hour in range(4) for m in ("00", "30"))
    )
    found = refusal(read_profiles, path, zone="Europe/Berlin")
    assert [(f["code"], f["row"], f["line"], f["column"], f["value"]) for f in found] == [
        ("nonexistent_time", 4, 6, "start", "2024-03-31T02:00"),
        ("nonexistent_time", 5, 7, "start", "2024-03-31T02:30"),
    ]


def test_null_value_of_a_time(write, refusal):
    found = refusal(read_profiles, write(LONG + f"p,,1\np,{stamp()},1\np, ,1\n"))
    assert [(f["code"], f["row"], f["line"], f["column"]) for f in found] == [
        ("null_value", 0, 2, "start"),
        ("null_value", 2, 4, "start"),
    ]


def test_null_value_of_a_profiles_name(write, refusal):
    found = refusal(read_profiles, write(LONG + f",{stamp()},1\np,{stamp()},1\n ,{stamp()},1\n"))
    assert [(f["code"], f["row"], f["line"], f["column"]) for f in found] == [
        ("null_value", 0, 2, "profile"),
        ("null_value", 2, 4, "profile"),
    ]


def test_null_value_of_an_interval(faults):
    assert faults(series([1, "", 3, ""])) == [("null_value", row, row + 2, "energy_wh", None, "p", 1) for row in (1, 3)]


def test_unreadable_value(faults, write, refusal):
    content = series([1, "n/e", 3, "1,5".replace(",", ".5.")])
    assert faults(content) == [
        ("unreadable_value", 1, 3, "energy_wh", "n/e", "p", 1),
        ("unreadable_value", 3, 5, "energy_wh", "1.5.5", "p", 1),
    ]
    assert [finding["code"] for finding in refusal(read_profiles, write(content))] == ["unreadable_value"] * 2


def test_unreadable_value_of_a_time(write, refusal):
    found = refusal(read_profiles, write(LONG + f"p,{stamp()},1\np,1.2.2024,1\np,{stamp(2)},1\np,noon,1\n"))
    assert [(f["code"], f["row"], f["line"], f["column"], f["value"]) for f in found] == [
        ("unreadable_value", 1, 3, "start", "1.2.2024"),
        ("unreadable_value", 3, 5, "start", "noon"),
    ]


def test_unreadable_value_in_one_column_of_a_wide_table(faults):
    found = faults(f"start,solar_wh,wind_wh\n{stamp()},1,x\n{stamp(1)},1,2\n")
    assert found == [("unreadable_value", 0, 2, "wind_wh", "x", "wind", 1)]


def test_unknown_source_type(write, refusal):
    header = "profile,start,energy_wh,source_type\n"
    found = refusal(read_profiles, write(header + f"p,{stamp()},1,moon\np,{stamp(1)},1,solar\nq,{stamp()},1,sea\n"))
    assert [(f["code"], f["row"], f["line"], f["column"], f["value"]) for f in found] == [
        ("unknown_source_type", 0, 2, "source_type", "moon"),
        ("unknown_source_type", 2, 4, "source_type", "sea"),
    ]


@pytest.mark.parametrize("header", ["profile,when,energy_wh", "profile,start,remark"])
def test_missing_column(write, refusal, header):
    path = write(f"{header}\np,{stamp()},x\n")
    (finding,) = (found for found in refusal(read_profiles, path) if found["severity"] == "error")
    assert (finding["code"], finding["file"]) == ("missing_column", str(path))


@pytest.mark.parametrize("names", ["start,time", "timestamp,utc_timestamp"])
def test_ambiguous_column(write, refusal, names):
    found = refusal(read_profiles, write(f"profile,{names},energy_wh\np,{stamp()},{stamp()},1\n"))
    assert [finding["code"] for finding in found] == ["ambiguous_column"]


def test_ambiguous_column_two_of_values(write, refusal):
    found = refusal(read_profiles, write(f"profile,start,energy_wh,power_mw\np,{stamp()},1,2\n"))
    assert "ambiguous_column" in [finding["code"] for finding in found]


def test_unsorted_interval(faults):
    content = LONG + "".join(f"p,{stamp(hour)},{hour}\n" for hour in (0, 2, 1, 3))
    assert faults(content) == [("unsorted_interval", None, None, None, None, "p", 1)]


@pytest.mark.parametrize("hours", [3, 24])
def test_interval_too_long(faults, hours):
    found = faults(LONG + "".join(f"p,{stamp(hours * i)},1\n" for i in range(4)))
    assert found == [("interval_too_long", 0, 2, None, None, "p", 1)]


def test_uneven_interval_off_the_grid(faults):
    minutes = [0, 60, 125, 180, 240, 301, 300, 360]
    found = faults(LONG + "".join(f"p,{stamp(minutes=m)},1\n" for m in minutes))
    assert [entry for entry in found if entry[0] == "uneven_interval"] == [
        ("uneven_interval", 2, 4, None, stamp(minutes=125), "p", 1),
        ("uneven_interval", 5, 7, None, stamp(minutes=301), "p", 1),
    ]


def test_uneven_interval_that_does_not_divide_an_hour(faults):
    assert [entry[0] for entry in faults(series([1] * 5, step=25))] == ["uneven_interval"]


def test_missing_interval_what_the_hours_lack_in_which_a_file_begins_and_ends(faults):
    found = faults(series([1] * 5, step=15, first=2))
    assert [entry[0] for entry in found] == ["missing_interval"] * 2
    assert [(entry[4], entry[6]) for entry in found] == [
        ("2024-01-01T00:00Z .. 2024-01-01T00:30Z", 2),
        ("2024-01-01T01:45Z .. 2024-01-01T02:00Z", 1),
    ]


def test_duplicate_interval_every_later_row_and_the_first_counts(faults, read):
    content = LONG + "".join(f"p,{stamp(hour)},{i}\n" for i, hour in enumerate([0, 1, 1, 2, 2, 2, 3]))
    assert faults(content) == [
        ("duplicate_interval", row, row + 2, None, stamp(hour), "p", 1) for row, hour in ((2, 1), (4, 2), (5, 2))
    ]
    assert shown(read(content)["p"])[2] == [0, 1, 3, 6]
    messages = [finding.message for finding in read(content).findings]
    assert messages[0] == f"p: {stamp(1)} appears twice: 1 Wh on line 3 and 2 Wh on line 4"
    assert messages[2] == f"p: {stamp(2)} appears twice: 3 Wh on line 5 and 5 Wh on line 7"


def test_missing_interval_one_finding_for_each_run(faults, read):
    content = LONG + "".join(f"p,{stamp(hour)},1\n" for hour in (0, 1, 4, 5, 6, 8))
    assert faults(content) == [
        ("missing_interval", 1, 3, None, f"{stamp(2)} .. {stamp(4)}", "p", 2),
        ("missing_interval", 4, 6, None, f"{stamp(7)} .. {stamp(8)}", "p", 1),
    ]
    assert shown(read(content)["p"])[2] == [1, 1, None, None, 1, 1, 1, None, 1]


def test_negative_generation_is_clipped_and_counted(faults, read):
    content = series([5, -3, 0, -4])
    (finding,) = faults(content)
    assert (finding[0], finding[5], finding[6]) == ("negative_clipped", "p", 2)
    profile = read(content)["p"]
    assert (profile.values.tolist(), profile.clipped.tolist()) == ([5, 0, 0, 0], [0, 3, 0, 4])
    assert "7 Wh" in next(iter(read(content).findings)).message


def test_no_netting_across_hours(read):
    assert read(series([100, -100]))["p"].total == 100


def test_ignored_column(faults):
    found = faults(f"profile,start,energy_wh,colour\np,{stamp()},1,red\n")
    assert found == [("ignored_column", None, None, "colour", None, None, 1)]


def test_findings_come_in_order_of_precedence(faults):
    content = LONG + f"p,{stamp(1)},1\np,{stamp(0)},-1\np,{stamp(0)},x\np,{stamp(3)},y\np,{stamp(4)},\np,{stamp(5)},1\n"
    assert [entry[0] for entry in faults(content)] == [
        "null_value",
        "unreadable_value",
        "unsorted_interval",
        "duplicate_interval",
        "missing_interval",
        "negative_clipped",
    ]


def test_a_year_that_is_a_typing_error_does_not_fill_the_memory(write):
    rows = f"p,{stamp()},1\np,2024-01-01T00:00:01Z,1\np,9024-01-01T00:00:00Z,1\n"
    with pytest.raises(RefusedError):
        read_profiles(write(LONG + rows))


# --- options


@pytest.mark.parametrize(
    "options",
    [{"unit": "furlong"}, {"label": "middle"}, {"zone": "Mars/Base"}, {"zone": ""}],
)
def test_options_that_make_no_sense_are_usage_errors(write, options):
    with pytest.raises(UsageError):
        read_profiles(write(series([1])), **options)


# --- shapes that no meter measured


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata"])
@pytest.mark.parametrize("wh", [1, 8_784, 10**12 + 1, 2**51])
def test_energy_is_conserved_exactly_by_every_named_shape(distribution, zone, wh):
    (profile,) = profile_from_total(wh, 2024, "solar", distribution, zone=zone).values()
    period = year_period(2024, zone)
    assert (profile.start_s, profile.end_s, len(profile.values)) == (*period, 8784)
    assert profile.total == wh
    assert profile.values.min() >= 0
    assert profile.is_energy


def test_daylight_and_peakload_follow_the_local_clock():
    zone = "Europe/Berlin"
    period = year_period(2024, zone)
    local = [datetime.fromtimestamp(second, ZoneInfo(zone)) for second in range(*period, 3600)]
    daylight = synthetic("daylight", period, zone).values
    assert [value > 0 for value in daylight] == [6 <= moment.hour < 18 for moment in local]
    peak = synthetic("peakload", period, zone).values
    assert peak.tolist() == [int(moment.weekday() < 5 and 8 <= moment.hour < 20) for moment in local]


def test_flat_is_one_everywhere_and_uniform_is_another_word_for_it():
    period = Period(START_S, START_S + 7200)
    assert synthetic("flat", period, "UTC", 900).values.tolist() == [1] * 8
    assert (synthetic("uniform", period, "UTC").values == synthetic("flat", period, "UTC").values).all()


@pytest.mark.parametrize(
    ("total", "source", "shape"),
    [(-5, None, "flat"), (2**51 + 1, None, "flat"), (5, "moon", "flat"), (5, None, "random")],
)
def test_a_profile_from_a_total_that_makes_no_sense_is_a_usage_error(total, source, shape):
    with pytest.raises(UsageError):
        profile_from_total(total, 2024, source, shape)


# --- real files


@pytest.fixture(scope="module")
def us48(real_data):
    """US Lower 48 by source, as read, and the raw sums of the files by plain Python."""
    read = {}
    for year in (2019, 2020):
        path = real_data / "eia930_us48" / f"derived_US48_{year}_MWh.csv"
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        read[year] = read_profiles(path, zone="UTC", unit="MWh"), rows
    return read


@pytest.mark.parametrize(("year", "hours"), [(2019, 8760), (2020, 8784)])
def test_us48_has_all_hours_of_its_year_and_its_labels_are_endings(us48, year, hours):
    profiles, _ = us48[year]
    for profile in profiles.values():
        assert (profile.start_s, profile.end_s) == year_period(year)
        assert len(profile.values) == hours
        assert profile.complete


@pytest.mark.parametrize(("year", "clipped"), [(2019, 13), (2020, 36)])
def test_us48_negative_solar_nights_are_clipped_and_counted(us48, year, clipped):
    profiles, _ = us48[year]
    assert (profiles["solar"].clipped > 0).sum() == clipped
    counts = [f.count for f in profiles.findings if f.code == "negative_clipped" and f.profile == "solar"]
    assert counts == [clipped]


@pytest.mark.parametrize("year", [2019, 2020])
def test_us48_raw_sums_are_exactly_those_of_the_file(us48, year):
    profiles, rows = us48[year]
    columns = {"fossil_coal": "coal", "fossil_gas": "natural_gas", "fossil_oil": "petroleum"}
    assert {columns.get(name, name) for name in profiles} == rows[0].keys() - {"period_utc_hour_ending", "demand"}
    for name, profile in profiles.items():
        raw = profile.total - int(profile.clipped.sum())
        assert raw == sum(int(row[columns.get(name, name)]) for row in rows) * 1_000_000


DISPUTED = pytest.mark.xfail(strict=True, reason="the file sums to 333.357 TWh, its README says 333.3")


@pytest.mark.parametrize(
    ("year", "name", "twh"),
    [
        (2019, "solar", 63.6),
        (2019, "wind", 293.9),
        (2019, "nuclear", 840.9),
        (2019, "hydro", 291.0),
        (2020, "solar", 77.9),
        pytest.param(2020, "wind", 333.3, marks=DISPUTED),
        (2020, "nuclear", 785.4),
        (2020, "hydro", 279.6),
    ],
)
def test_us48_published_control_totals(us48, year, name, twh):
    profile = us48[year][0][name]
    assert round((profile.total - int(profile.clipped.sum())) / 1e12, 1) == twh


def test_a_stray_date_asks_for_no_endless_grid(tmp_path):
    path = tmp_path / "stray.csv"
    path.write_text(
        "profile,start,energy_wh\np,2020-01-01T00:00:00Z,1\np,2020-01-01T00:00:01Z,1\np,2099-01-01T00:00:00Z,1\n"
    )
    with pytest.raises(RefusedError, match="uneven_interval") as refused:
        read_profiles(path)
    assert refused.value.findings["line"].to_pylist() == [4]
