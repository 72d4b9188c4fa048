"""The rules of the domain, each as a test with its name; and what existing systems get wrong, each as a test."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle.conversion import DAY, HOUR, MWH, START, annual_table, hours_of, profile_table, series

import gcr_fast as gcr
from gcr_fast.codes import BASES, SOURCE_TYPES, STATUSES
from gcr_fast.schema import TABLES

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # wrapping is meant

DAYLIGHT = [0] * 6 + [5, 30, 90, 140, 180, 200, 190, 160, 120, 70, 25, 3] + [0] * 6
FLAT_DAY = profile_table({"p": series([1] * 24)})


def second(*moment, zone="UTC"):
    return int(datetime(*moment, tzinfo=ZoneInfo(zone)).timestamp())


def year_of(year, zone="UTC", **more):
    """A certificate of a calendar year, as the year and a zone."""
    return pa.table({"certificate_id": ["C0"], "energy_wh": [10**12 + 1], "year": [year], "zone": [zone],
                     "profile": ["flat"], "status": ["CANCELED"], "purpose": ["conversion"], **more})  # fmt: skip


def codes(found):
    return [item["code"] for item in found if item["severity"] == "error"]


def hours(*rows, profile=FLAT_DAY, **options):
    return hours_of(gcr.convert(annual_table(*rows), profile, **options).to_table())


# --- energy


def test_energy_is_whole_watt_hours_and_no_column_of_any_table_is_a_float():
    for columns in TABLES.values():
        for column in columns:
            assert "float" not in column.type
            assert column.type == "int64" or not column.name.endswith("_wh")
    conversion = gcr.convert(annual_table({}), FLAT_DAY)
    for table in (conversion.to_table(), conversion.report.table, gcr.profiles_from(FLAT_DAY).to_table()):
        assert not any(pa.types.is_floating(kind) for kind in table.schema.types)


@pytest.mark.parametrize("text", ["0.000251", "0.999999", "2251799813.685248", "0.000001", "1e-6", "1234567.89"])
def test_mwh_is_read_from_its_decimal_text(text):
    # int(0.000251 * 1e6) is 250
    table = annual_table({}).drop_columns(["energy_wh"]).append_column("energy_mwh", pa.array([text]))
    wanted = (
        round(float(text) * 1e6)
        if len(text) < 9
        else int(text.replace(".", "").ljust(len(text.split(".")[0]) + 6, "0"))
    )
    assert sum(gcr.convert(table, FLAT_DAY).to_table()["energy_wh"].to_pylist()) == wanted


@given(
    st.lists(st.integers(1, 1 << 51), min_size=1, max_size=5),
    st.lists(st.integers(0, 1 << 40), min_size=24, max_size=24),
)
def test_conservation_is_exact(totals, weights):
    if not any(weights):
        weights[7] = 1
    issued = hours(*({"energy_wh": total} for total in totals), profile=profile_table({"p": series(weights)}))
    assert [sum(issued[f"C{number}"].values()) for number in range(len(totals))] == totals


@given(st.integers(1, 1 << 51), st.lists(st.integers(0, 1 << 40), min_size=24, max_size=24))
def test_cumulative_keeps_every_running_total_within_a_wh(total, weights):
    weights[3] += 1
    issued = hours({"energy_wh": total}, profile=profile_table({"p": series(weights)}), keep_zero_hours=True)["C0"]
    whole = sum(weights)
    for reached, weight in zip(accumulate(issued.values()), accumulate(weights), strict=True):
        assert 0 <= total * weight - reached * whole < whole


@pytest.mark.parametrize("method", ["cumulative", "largest-remainder"])
def test_every_hour_is_floor_or_ceiling_of_its_share_and_none_is_negative(method):
    weights = np.random.default_rng(3).integers(0, 1 << 40, 24).tolist()
    for total in (1, 2, 23, 10**9 + 7, (1 << 51) - 1):
        issued = hours({"energy_wh": total}, profile=profile_table({"p": series(weights)}), method=method)["C0"]
        for weight, moment in zip(weights, series(weights), strict=True):
            share, rest = divmod(total * weight, sum(weights))
            assert issued.get(moment, 0) in {share, share + (rest > 0)}


def test_largest_remainder_keeps_equal_hours_in_order_and_ties_go_to_the_earliest():
    issued = hours({"energy_wh": 50}, method="largest-remainder")["C0"]
    assert list(issued.values()) == [3, 3] + [2] * 22


def test_a_zero_hour_stays_zero():
    issued = hours({"energy_wh": (1 << 51) - 1}, profile=profile_table({"p": series(DAYLIGHT)}), keep_zero_hours=True)
    for weight, wh in zip(DAYLIGHT, issued["C0"].values(), strict=True):
        assert (weight == 0) == (wh == 0)


def test_cumulative_is_the_default_and_the_method_is_recorded():
    assert gcr.convert(annual_table({}), FLAT_DAY).metadata["gcr_fast.method"] == "cumulative"
    chosen = gcr.convert(annual_table({}), FLAT_DAY, "largest-remainder")
    assert chosen.metadata["gcr_fast.method"] == "largest-remainder"
    assert chosen.metadata["gcr_fast.method_version"]


@pytest.mark.parametrize("method", ["cumulative", "largest-remainder"])
def test_2_to_the_51_wh_converts_exactly_and_one_more_is_refused(method, refusal):
    weights = [(1 << 53) // 24 - number for number in range(24)]
    profile = profile_table({"p": series(weights)})
    issued = hours({"energy_wh": 1 << 51}, profile=profile, method=method)["C0"]
    assert sum(issued.values()) == 1 << 51
    for weight, wh in zip(weights, issued.values(), strict=True):
        share, rest = divmod((1 << 51) * weight, sum(weights))
        assert wh in {share, share + (rest > 0)}
    assert codes(refusal(gcr.convert, annual_table({"energy_wh": (1 << 51) + 1}), profile)) == ["energy_over_limit"]


def test_several_parents_on_one_meter_never_exceed_an_hour():
    meter = np.random.default_rng(5).integers(0, 1000, 24).tolist()
    whole = sum(meter)
    totals = [whole // 3, whole // 7, whole - whole // 3 - whole // 7]
    rows = [{"energy_wh": total, "allocation_basis": "metered_hourly"} for total in totals]
    issued = hours(*rows, profile=profile_table({"p": series(meter)}))
    assert [sum(parent.values()) for parent in issued.values()] == totals
    for moment, metered in series(meter).items():
        assert sum(parent.get(moment, 0) for parent in issued.values()) == metered


@pytest.mark.parametrize(
    ("over", "outcome"), [(0, []), (1, ["residual_booked"]), (MWH - 1, ["residual_booked"]), (MWH, None)]
)
def test_a_carried_fraction_is_booked_and_a_mwh_is_rejected(over, outcome):
    annual = annual_table({"energy_wh": 24 + over, "allocation_basis": "metered_scaled"})
    if outcome is None:
        with pytest.raises(gcr.RefusedError, match="over_meter"):
            gcr.convert(annual, FLAT_DAY)
        return
    conversion = gcr.convert(annual, FLAT_DAY)
    assert conversion.report["findings"].to_pylist() == [outcome]
    assert max(conversion.to_table()["energy_wh"].to_pylist()) == 1  # no hour is inflated


# --- time


def test_a_period_includes_its_start_and_not_its_end():
    issued = hours({"start": START + HOUR, "end": START + 3 * HOUR})["C0"]
    assert list(issued) == [START + HOUR, START + 2 * HOUR]


@pytest.mark.parametrize(("step", "taken"), [(3600, True), (1800, True), (900, True), (60, True), (7200, False)])
def test_an_interval_is_at_most_an_hour(step, taken, refusal):
    shapes = gcr.profiles_from(profile_table({"p": series([1] * (DAY // step), step=step)}), keep_intervals=True)
    if taken:
        assert gcr.convert(annual_table({}), shapes).report["hours"].to_pylist() == [DAY // step]
    else:
        assert "interval_too_long" in codes(refusal(gcr.convert, annual_table({}), shapes))


def test_times_without_a_zone_are_an_error_unless_one_is_named(refusal):
    naive = FLAT_DAY.set_column(1, "start", FLAT_DAY["start"].cast(pa.timestamp("s")))
    assert "naive_time" in codes(refusal(gcr.convert, annual_table({}), naive))
    assert gcr.convert(annual_table({}), gcr.profiles_from(naive, zone="UTC")).report.ok


@pytest.mark.parametrize(
    ("year", "zone", "first", "count"),
    [
        (2024, "UTC", (2024, 1, 1), 8784),
        (2023, "UTC", (2023, 1, 1), 8760),
        (2024, "Europe/Berlin", (2023, 12, 31, 23), 8784),
        (2100, "UTC", (2100, 1, 1), 8760),
        ("2024-02", "UTC", (2024, 2, 1), 696),
        ("2024-03", "Europe/Berlin", (2024, 2, 29, 23), 743),
        ("2024-10", "Europe/Berlin", (2024, 9, 30, 22), 745),
    ],
)
def test_hours_are_counted_in_utc(year, zone, first, count):
    conversion = gcr.convert(year_of(str(year), zone), FLAT_DAY)
    assert conversion.report["hours"].to_pylist() == [count]
    assert conversion.report["production_start"].to_pylist() == [datetime(*first, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("zone", "day", "count"),
    [
        ("Europe/Berlin", (2024, 3, 31), 23),
        ("Europe/Berlin", (2024, 10, 27), 25),
        ("America/New_York", (2024, 3, 10), 23),
        ("Europe/Berlin", (2024, 7, 1), 24),
    ],
)
def test_clock_change_days_have_23_and_25_hours(zone, day, count):
    following = datetime(*day) + timedelta(days=1)
    row = {"start": second(*day, zone=zone), "end": second(following.year, following.month, following.day, zone=zone)}
    assert len(hours({**row, "profile": "flat", "zone": zone})["C0"]) == count


@pytest.mark.parametrize(("day", "halves"), [((2024, 10, 6), 47), ((2024, 4, 7), 49)])
def test_lord_howe_days_have_half_hours(day, halves):
    following = datetime(*day) + timedelta(days=1)
    zone = "Australia/Lord_Howe"
    start, end = second(*day, zone=zone), second(following.year, following.month, following.day, zone=zone)
    shapes = gcr.profiles_from(profile_table({"p": series([1] * 200, start, 1800)}), keep_intervals=True)
    assert gcr.convert(annual_table({"start": start, "end": end}), shapes).report["hours"].to_pylist() == [halves]


def test_a_year_may_run_from_april_to_march():
    row = {"start": second(2023, 4, 1), "end": second(2024, 4, 1), "profile": "flat"}
    report = gcr.convert(annual_table(row), FLAT_DAY).report
    assert report["hours"].to_pylist() == [8784]


def test_missing_is_not_zero(refusal):
    profile = series(DAYLIGHT)
    null = profile_table({"p": {**profile, START: None}})
    gap = profile_table({"p": {moment: wh for moment, wh in profile.items() if moment != START + 8 * HOUR}})
    assert "incomplete_profile" in codes(refusal(gcr.convert, annual_table({}), null))
    assert "incomplete_profile" in codes(refusal(gcr.convert, annual_table({}), gap))
    assert len(hours({}, profile=profile_table({"p": profile}))["C0"]) == 12


def test_negative_reading_issues_nothing_and_is_counted():
    profile = profile_table({"p": series([-7, -3] + [10] * 22)})
    conversion = gcr.convert(annual_table({"energy_wh": 220}), profile)
    issued = hours_of(conversion.to_table())["C0"]
    assert set(issued.values()) == {10}  # and nothing was netted against other hours
    assert START not in issued
    assert conversion.report["clipped_wh"].to_pylist() == [10]
    note = next(item for item in conversion.findings.to_pylist() if item["code"] == "negative_clipped")
    assert (note["count"], note["severity"]) == (2, "info")


def test_no_certificate_is_issued_for_0_wh():
    table = gcr.convert(annual_table({"energy_wh": 5}), profile_table({"p": series(DAYLIGHT)})).to_table()
    assert min(table["energy_wh"].to_pylist()) > 0
    assert table.num_rows <= 5


# --- allocation basis


def test_the_bases_are_these_best_first():
    assert BASES == ("metered_hourly", "metered_scaled", "facility_profile", "regional_technology_profile", "flat")


@pytest.mark.parametrize("basis", BASES)
def test_every_certificate_carries_its_basis(basis):
    profile = "flat" if basis == "flat" else "p"
    row = {"allocation_basis": basis, "energy_wh": 24, "profile": profile}
    table = gcr.convert(annual_table(row), FLAT_DAY).to_table()
    assert table["allocation_basis"].unique().to_pylist() == [basis]
    assert table["allocation_basis"].null_count == 0


def test_nothing_is_called_metered_but_what_says_so_and_the_energy_of_its_own_device():
    own = {"profile": None, "device_id": "p", "energy_wh": 24}
    rows = [{}, {"profile": "flat"}, own, own | {"allocation_basis": "facility_profile"}, {"device_id": "other"}]
    assert gcr.convert(annual_table(*rows), FLAT_DAY).report["allocation_basis"].to_pylist() == [
        "regional_technology_profile",
        "flat",
        "metered_hourly",
        "facility_profile",
        "regional_technology_profile",
    ]


def test_certificates_of_one_device_are_never_issued_above_its_meter(refusal):
    meter = profile_table({"p": series([MWH] * 24)})
    own = {"profile": None, "device_id": "p"}
    found = refusal(gcr.convert, annual_table({**own, "energy_wh": 20 * MWH}, {**own, "energy_wh": 5 * MWH}), meter)
    assert [(one["code"], one["certificate_id"]) for one in found] == [("over_meter", "C1")]


def test_months_of_one_device_share_what_remains_each_within_its_own():
    meter = profile_table({"p": series([1000, 0, 500, 250] * 12)})
    own = {"profile": None, "device_id": "p"}
    first, second = {"start": START, "end": START + DAY}, {"start": START + DAY, "end": START + 2 * DAY}
    rows = [own | first | {"energy_wh": 6000}, own | second | {"energy_wh": 10_500}, own | first | {"energy_wh": 4501}]
    made = gcr.convert(annual_table(*rows), meter)
    assert made.report["residual_wh"].to_pylist() == [0, 0, 1]
    summed = made.to_table().group_by("production_start").aggregate([("energy_wh", "sum")])
    assert sorted(summed["energy_wh_sum"].to_pylist()) == [250] * 12 + [500] * 12 + [1000] * 12


def test_a_residual_on_the_own_meter_of_a_device_is_valid():
    annual = annual_table({"profile": None, "device_id": "p", "energy_wh": 25})
    hours = gcr.convert(annual, FLAT_DAY).to_table()
    for profiles in (None, FLAT_DAY):
        report = gcr.validate(annual, hours, profiles)
        assert report.ok
        assert report.findings["code"].to_pylist() == ["residual_booked"]


def test_a_flat_profile_is_never_a_fall_back(refusal):
    for row in ({"profile": None}, {"profile": "nowhere"}, {"profile": None, "source_type": "solar", "country": "DE"}):
        assert codes(refusal(gcr.convert, annual_table(row), FLAT_DAY)) == ["no_profile"]


# --- purpose


@pytest.mark.parametrize(
    ("purpose", "status"), [("conversion", "ACTIVE"), ("end_use", "RETIRED"), (None, "LOCKED"), ("", "LOCKED")]
)
def test_hours_are_born_as_the_purpose_says(purpose, status):
    conversion = gcr.convert(annual_table({"purpose": purpose, "beneficiary": "Bob"}), FLAT_DAY)
    assert conversion.to_table()["status"].unique().to_pylist() == [status]
    assert ("purpose_missing" in conversion.findings["code"].to_pylist()) == (status == "LOCKED")


@pytest.mark.parametrize("status", ["ACTIVE", "RESERVED", "LOCKED", "EXPIRED", "SPLIT"])
def test_a_claim_that_is_spent_cannot_be_traded(status):
    annual = annual_table({"purpose": "end_use", "beneficiary": "Bob"})
    table = gcr.convert(annual, FLAT_DAY).to_table()
    place = table.schema.get_field_index("status")
    report = gcr.validate(annual, table.set_column(place, "status", pa.array([status] * 24)))
    assert set(codes(report.findings.to_pylist())) == {"status_mismatch"}


def test_both_spellings_of_cancelled_are_read():
    for status in ("CANCELED", "CANCELLED", "cancelled"):
        assert gcr.convert(annual_table({"status": status}), FLAT_DAY).report.ok


# --- identifiers


def test_hourly_ids_are_in_utc_with_minutes_for_shorter_intervals():
    berlin = {"start": START - HOUR, "end": START, "certificate_id": "DE-7", "zone": "Europe/Berlin"}
    profile = profile_table({"p": series([1] * 24, START - HOUR)})
    table = gcr.convert(annual_table(berlin), profile, certificate_ids=True).to_table()
    assert table["certificate_id"].to_pylist() == ["HOURLY-DE-7-2023123123"]
    quarters = gcr.profiles_from(profile_table({"p": series([1] * 4, START, 900)}), keep_intervals=True)
    annual = annual_table({"end": START + HOUR, "certificate_id": "Q"})
    assert gcr.convert(annual, quarters, certificate_ids=True).to_table()["certificate_id"].to_pylist() == [
        "HOURLY-Q-202401010000",
        "HOURLY-Q-202401010015",
        "HOURLY-Q-202401010030",
        "HOURLY-Q-202401010045",
    ]


def test_serial_numbers_stay_text():
    names = ["000571313001234567", "571313001234567891", "1e5", "0x10"]
    issued = hours(*({"certificate_id": name} for name in names))
    assert list(issued) == names


def test_ids_are_unique_even_where_one_parent_is_named_like_anothers_hour():
    rows = [{"certificate_id": name, "end": START + 2 * HOUR} for name in ("A", "A-2024010100", "HOURLY-A")]
    ids = gcr.convert(annual_table(*rows), FLAT_DAY, certificate_ids=True).to_table()["certificate_id"].to_pylist()
    assert len(set(ids)) == len(ids) == 6


# --- double counting, as far as conversion can


def test_hourly_and_residual_together_are_the_parent():
    rows = [{"energy_wh": 24_999}, {"energy_wh": 7_000}, {"energy_wh": 30, "allocation_basis": "metered_hourly"}]
    for unit_wh in (1, 1000):
        report = gcr.convert(annual_table(*rows), FLAT_DAY, unit_wh=unit_wh).report.table.to_pylist()
        for row in report:
            assert row["issued_wh"] + row["residual_wh"] == row["energy_wh"]


# --- defects of existing systems


def test_one_parent_converted_twice_in_one_call_is_refused(refusal):
    profiles = profile_table({"p": series([1] * 24), "q": series([2] * 24)})
    found = refusal(gcr.convert, annual_table({}, {"certificate_id": "C0", "profile": "q"}), profiles)
    assert codes(found) == ["duplicate_certificate"]


def test_one_parent_converted_twice_into_one_table_is_found():
    profiles = profile_table({"p": series([1] * 24), "q": series([2] * 24)})
    once, again = (gcr.convert(annual_table({"profile": name}), profiles).to_table() for name in "pq")
    report = gcr.validate(annual_table({}), pa.concat_tables([once, again]))
    assert set(codes(report.findings.to_pylist())) == {"duplicate_interval", "total_mismatch"}


def test_failed_validation_writes_nothing(tmp_path, refusal):
    from pyarrow import csv

    csv.write_csv(annual_table({}, {"status": "ACTIVE"}), tmp_path / "annual.csv")
    before = sorted(tmp_path.iterdir())
    refusal(lambda: gcr.convert(tmp_path / "annual.csv", FLAT_DAY).write(tmp_path / "hours.parquet"))
    assert sorted(tmp_path.iterdir()) == before


def test_one_bad_row_refuses_all_of_them(refusal):
    found = refusal(gcr.convert, annual_table(*[{}] * 50, {"energy_wh": 0}), FLAT_DAY)
    assert [(item["code"], item["row"]) for item in found] == [("non_positive_energy", 50)]


def test_profile_of_wrong_year_is_refused(refusal):
    profile = profile_table({"p": series([1] * 8760, second(2023, 1, 1))})
    annual = annual_table({"start": second(2022, 1, 1), "end": second(2023, 1, 1)})
    assert codes(refusal(gcr.convert, annual, profile)) == ["wrong_year"]


def test_8784_hours_are_accepted():
    profile = profile_table({"p": series([1] * 8784)})
    annual = annual_table({"start": START, "end": START + 366 * DAY, "energy_wh": 1})
    assert gcr.convert(annual, profile).report["hours"].to_pylist() == [8784]


def test_8760_hours_for_a_leap_year_are_refused_as_such(refusal):
    profile = profile_table({"p": series([1] * 8760)})
    annual = annual_table({"start": START, "end": START + 366 * DAY})
    assert codes(refusal(gcr.convert, annual, profile)) == ["leap_year_hours"]


@pytest.mark.parametrize("month", range(1, 13))
def test_month_end_ranges_work(month):
    conversion = gcr.convert(year_of(f"2024-{month:02d}"), FLAT_DAY)
    days = (datetime(2024 + month // 12, month % 12 + 1, 1) - datetime(2024, month, 1)).days
    assert conversion.report["hours"].to_pylist() == [24 * days]
    assert sum(conversion.to_table()["energy_wh"].to_pylist()) == 10**12 + 1


def test_two_identical_rows_in_one_file_are_refused(tmp_path, write, refusal):
    row = "A,1000,2024-01-01T00:00Z,2024-01-02T00:00Z,p,CANCELED\n"
    header = "certificate_id,energy_wh,production_start,production_end,profile,status\n"
    found = refusal(gcr.convert, write(header + row + row), FLAT_DAY)
    assert [(item["code"], item["line"]) for item in found if item["severity"] == "error"] == [
        ("duplicate_certificate", 3)
    ]


def test_negative_energy_of_someone_else_is_found():
    annual = annual_table({"energy_wh": 1000})
    table = gcr.convert(annual, FLAT_DAY).to_table()
    energy = table["energy_wh"].to_pylist()
    energy[4], energy[5] = -1, energy[5] + energy[4] + 1
    place = table.schema.get_field_index("energy_wh")
    report = gcr.validate(annual, table.set_column(place, "energy_wh", pa.array(energy)))
    assert [(item["code"], item["row"]) for item in report.findings.to_pylist()] == [("negative_energy", 4)]


def test_a_total_within_a_display_tolerance_is_still_off():
    # 0.01 MWh, the tolerance of older systems, is 10,000 Wh
    annual = annual_table({"energy_wh": 1_000_000})
    table = gcr.convert(annual_table({"energy_wh": 990_001}), FLAT_DAY).to_table()
    assert not gcr.validate(annual, table).ok
    assert gcr.validate(annual, table, tolerance_wh=9_999).ok
    assert not gcr.validate(annual, table, tolerance_wh=9_998).ok


def test_the_vocabularies_have_the_older_systems_words():
    assert {"solar", "wind", "hydro", "geothermal", "biomass", "other", "nuclear"} <= set(SOURCE_TYPES)
    assert {"ACTIVE", "RETIRED"} <= set(STATUSES)
