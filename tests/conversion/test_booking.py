"""How much of each certificate is issued: meters, residuals, whole units and capacity."""

from fractions import Fraction

import pytest
from oracle.conversion import DAY, HOUR, MWH, START, annual_table, hours_of, profile_table, series

import gcr_fast as gcr
from gcr_fast.codes import MAX_PARENT_WH
from gcr_fast.conversion.booking import parse_margin

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # wrapping is meant

METERED = {"allocation_basis": "metered_hourly"}
KEYS = ("code", "row", "column", "certificate_id")


def errors(found):
    return [tuple(item[key] for key in KEYS) for item in found if item["severity"] == "error"]


@pytest.fixture
def refused(refusal):
    return lambda annual, profiles, **options: refusal(gcr.convert, annual, profiles, **options)


# --- meters


def test_a_certificate_within_its_meter_is_issued_whole():
    report = gcr.convert(annual_table({**METERED, "energy_wh": 48}), profile_table({"p": series([2] * 24)})).report
    assert report["issued_wh"].to_pylist() == [48]
    assert report["residual_wh"].to_pylist() == [0]
    assert report["findings"].to_pylist() == [[]]


@pytest.mark.parametrize("excess", [1, 999_999])
def test_less_than_a_mwh_over_the_meter_is_booked_as_residual(excess):
    annual = annual_table({**METERED, "energy_wh": 240 + excess})
    conversion = gcr.convert(annual, profile_table({"p": series([10] * 24)}))
    assert set(hours_of(conversion.to_table())["C0"].values()) == {10}
    assert conversion.report["residual_wh"].to_pylist() == [excess]
    assert conversion.report["findings"].to_pylist() == [["residual_booked"]]
    (finding,) = conversion.findings.to_pylist()
    assert (finding["code"], finding["severity"], finding["row"], finding["column"], finding["certificate_id"]) == (
        "residual_booked",
        "info",
        0,
        "energy_wh",
        "C0",
    )
    assert conversion.metadata["gcr_fast.residual_wh"] == str(excess)


def test_a_mwh_or_more_over_the_meter_is_refused(refused):
    rows = [{**METERED, "energy_wh": 240 + MWH}, {**METERED, "energy_wh": MAX_PARENT_WH}]
    found = refused(annual_table(*rows), profile_table({"p": series([10] * 24)}))
    assert errors(found) == [("over_meter", 0, "energy_wh", "C0"), ("over_meter", 1, "energy_wh", "C1")]
    assert "1.00024 MWh, but its meter has 0.00024 MWh left" in found[0]["message"]


def test_a_residual_that_is_not_permitted_is_refused(refused):
    rows = [
        {**METERED, "energy_wh": 241, "residual_permitted": permitted, "profile": name}
        for permitted, name in (("true", "p"), ("false", "q"), (None, "r"))
    ]
    profiles = profile_table({name: series([10] * 24) for name in "pqr"})
    found = refused(annual_table(*rows), profiles)
    assert errors(found) == [("residual_refused", 1, "energy_wh", "C1")]
    assert [item["row"] for item in found if item["code"] == "residual_booked"] == [0, 2]


def test_certificates_of_one_meter_take_in_file_order():
    rows = [{**METERED, "energy_wh": wh} for wh in (100, 100, 100, 5)]
    conversion = gcr.convert(annual_table(*rows), profile_table({"p": series([10] * 24)}))
    assert conversion.report["issued_wh"].to_pylist() == [100, 100, 40, 0]
    assert conversion.report["residual_wh"].to_pylist() == [0, 0, 60, 5]
    assert conversion.report["findings"].to_pylist() == [[], [], ["residual_booked"], ["residual_booked"]]
    hours = hours_of(conversion.to_table())
    assert set(hours) == {"C0", "C1", "C2"}
    for second in series([10] * 24):
        assert sum(issued.get(second, 0) for issued in hours.values()) == 10


def test_the_shorter_periods_of_one_meter_take_first():
    rows = [
        {**METERED, "energy_wh": 90, "end": START + 12 * HOUR},
        {**METERED, "energy_wh": 150},
        {**METERED, "energy_wh": 30, "end": START + 12 * HOUR},
    ]
    conversion = gcr.convert(annual_table(*rows), profile_table({"p": series([10] * 24)}))
    assert conversion.report["residual_wh"].to_pylist() == [0, 30, 0]  # the mornings took all of the morning
    hours = hours_of(conversion.to_table())
    assert list(hours) == ["C0", "C1", "C2"]  # they come out in file order nevertheless
    assert set(hours["C1"]) == set(series([10] * 12, START + 12 * HOUR))
    for second in series([10] * 24):
        assert sum(issued.get(second, 0) for issued in hours.values()) == 10


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_certificates_whose_periods_lie_within_each_other_fit_in_any_order(order):
    """A list that its meter can hold is not refused for the order of its rows: a day, its halves, an hour."""
    mwh = [9, 8, 5, 2]
    periods = [(0, 24), (0, 12), (12, 24), (3, 4)]
    rows = [
        {**METERED, "certificate_id": f"C{at}", "energy_wh": mwh[at] * MWH,
         "start": START + periods[at][0] * HOUR, "end": START + periods[at][1] * HOUR}
        for at in order
    ]  # fmt: skip
    conversion = gcr.convert(annual_table(*rows), profile_table({"p": series([MWH] * 3 + [2 * MWH] + [MWH] * 20)}))
    assert conversion.report["parent_certificate_id"].to_pylist() == [f"C{at}" for at in order]
    assert conversion.report["residual_wh"].to_pylist() == [0] * 4
    issued = hours_of(conversion.to_table())
    assert sum(issued["C0"].values()) == 9 * MWH


def test_what_is_over_a_meter_is_told_in_file_order(refused):
    """The day of 24 MWh is booked after its morning, and told before it."""
    rows = [{**METERED, "energy_wh": 26 * MWH}, {**METERED, "energy_wh": 14 * MWH, "end": START + 12 * HOUR}]
    found = refused(annual_table(*rows), profile_table({"p": series([MWH] * 24)}))
    assert errors(found) == [("over_meter", 0, "energy_wh", "C0"), ("over_meter", 1, "energy_wh", "C1")]
    assert all("12 MWh left" in item["message"] for item in found if item["severity"] == "error")


def test_other_certificates_of_the_profile_leave_its_meter_alone():
    rows = [{"energy_wh": 10**9}, {**METERED, "energy_wh": 240}]
    report = gcr.convert(annual_table(*rows), profile_table({"p": series([10] * 24)})).report
    assert report["residual_wh"].to_pylist() == [0, 0]


def test_a_meter_gives_whole_units_only():
    # 24 hours of 1.9 kWh hold 24 whole kWh
    rows = [{**METERED, "energy_wh": 20_000}, {**METERED, "energy_wh": 10_000}]
    conversion = gcr.convert(annual_table(*rows), profile_table({"p": series([1900] * 24)}), unit_wh=1000)
    assert conversion.report["issued_wh"].to_pylist() == [20_000, 4_000]
    assert set(conversion.to_table()["energy_wh"].to_pylist()) == {1000}


# --- whole units


@pytest.mark.parametrize(("unit_wh", "rest"), [(1000, 999), (1000, 1), (MWH, 999_999), (MWH, 1)])
def test_what_is_less_than_a_unit_is_a_residual(unit_wh, rest, refused):
    profiles = profile_table({"p": series(range(24))})
    row = {"energy_wh": 7 * unit_wh + rest}
    conversion = gcr.convert(annual_table(row, {"energy_wh": unit_wh}), profiles, unit_wh=unit_wh)
    assert conversion.report["residual_wh"].to_pylist() == [rest, 0]
    assert conversion.report["findings"].to_pylist() == [["residual_booked"], []]
    assert all(wh % unit_wh == 0 for wh in conversion.to_table()["energy_wh"].to_pylist())
    found = refused(annual_table({**row, "residual_permitted": False}), profiles, unit_wh=unit_wh)
    assert errors(found) == [("residual_refused", 0, "energy_wh", "C0")]


def test_a_certificate_of_less_than_a_unit_has_no_hours():
    conversion = gcr.convert(annual_table({"energy_wh": 999}), profile_table({"p": series([1] * 24)}), unit_wh=1000)
    assert conversion.to_table().num_rows == 0
    assert conversion.report.totals["residual_wh"] == 999


def test_a_unit_over_a_mwh_makes_no_sense():
    # what is left of it could be a MWh and more, which is no carried fraction
    with pytest.raises(gcr.UsageError, match="unit_wh"):
        gcr.convert(annual_table({}), profile_table({"p": series([1] * 24)}), unit_wh=MWH + 1)


# --- capacity


@pytest.mark.parametrize("method", ["cumulative", "largest-remainder"])
@pytest.mark.parametrize("extra", [{}, METERED])
def test_no_hour_exceeds_capacity_times_margin(extra, method, refused):
    weights = [100] * 23 + [110]
    profiles = profile_table({"p": series(weights)})
    rows = [{**extra, "energy_wh": 2410, "capacity_w": 100}]
    assert gcr.convert(annual_table(*rows), profiles, method).report.ok
    found = refused(annual_table({**rows[0], "capacity_w": 99}, *rows), profiles, method=method)
    (finding,) = [item for item in found if item["code"] == "over_capacity"]
    assert tuple(finding[key] for key in KEYS) == ("over_capacity", 0, "capacity_w", "C0")
    assert finding["value"] == "2024-01-01T23:00Z"
    assert finding["count"] == 1


def test_the_margin_is_exact():
    # as a float, 10 W x 1.1 is 11.000000000000002 and 100 W x 1.15 is 114.99999999999999
    profiles = profile_table({"p": series([1] * 24)})
    assert gcr.convert(annual_table({"energy_wh": 24 * 11, "capacity_w": 10}), profiles).report.ok
    rows = annual_table({"energy_wh": 24 * 115, "capacity_w": 100})
    assert gcr.convert(rows, profiles, capacity_margin=1.15).report.ok
    with pytest.raises(gcr.RefusedError):
        gcr.convert(rows, profiles, capacity_margin="1.1499")


def test_capacity_counts_the_length_of_the_interval(refused):
    shapes = gcr.profiles_from(profile_table({"p": series([1] * 96, step=900)}), keep_intervals=True)
    assert gcr.convert(annual_table({"energy_wh": 96 * 250, "capacity_w": 1000}), shapes, capacity_margin=1).report.ok
    found = refused(annual_table({"energy_wh": 96 * 251, "capacity_w": 1000}), shapes, capacity_margin=1)
    assert errors(found) == [("over_capacity", 0, "capacity_w", "C0")]
    assert found[0]["count"] == 96


def test_capacity_of_several_on_one_meter_is_judged_by_what_each_took(refused):
    profiles = profile_table({"p": series([100] * 24)})
    rows = [{**METERED, "energy_wh": 1200, "capacity_w": 50}, {**METERED, "energy_wh": 1200, "capacity_w": 49}]
    found = refused(annual_table(*rows), profiles, capacity_margin=1)
    assert errors(found) == [("over_capacity", 1, "capacity_w", "C1")]


def test_every_certificate_over_capacity_is_named(refused):
    rows = [{"energy_wh": 2400, "capacity_w": 50 + 10 * number} for number in range(8)]
    found = refused(annual_table(*rows), profile_table({"p": series([1] * 24)}))
    assert [item["row"] for item in found] == [0, 1, 2, 3, 4]  # 50 .. 90 W; 100 W x 1.1 holds


def test_no_capacity_is_no_limit():
    rows = [{"energy_wh": MAX_PARENT_WH, "capacity_w": None}, {"energy_wh": 1, "capacity_w": 5}]
    assert gcr.convert(annual_table(*rows), profile_table({"p": series([1] * 24)})).report.ok


def test_capacity_beyond_any_plant_does_not_overflow():
    annual = annual_table({"energy_wh": MAX_PARENT_WH, "capacity_w": (1 << 63) - 1})
    conversion = gcr.convert(annual, profile_table({"p": series([1] * 24)}))
    assert gcr.validate(annual, conversion).ok


@pytest.mark.parametrize(
    ("given", "margin"), [("1.1", Fraction(11, 10)), (1.1, Fraction(11, 10)), (2, Fraction(2)), ("3/2", Fraction(3, 2))]
)
def test_parse_margin(given, margin):
    assert parse_margin(given) == margin


@pytest.mark.parametrize("given", ["0", 0, -1, "much", "", "nan", "inf", "1/0", None])
def test_parse_margin_refuses(given):
    with pytest.raises(gcr.UsageError, match="capacity_margin"):
        parse_margin(given)


# --- what reading held back, and converting refuses


@pytest.mark.parametrize(
    ("change", "code", "column", "value"),
    [
        ({"status": "ISSUED"}, "not_canceled", "status", "ISSUED"),
        ({"status": "CONVERTED"}, "not_canceled", "status", "CONVERTED"),
        ({"status": "RETIRED"}, "not_canceled", "status", "RETIRED"),
        ({"status": None}, "null_value", "status", None),
        ({"status": "GONE"}, "unknown_status", "status", "GONE"),
        ({"certificate_id": "C0"}, "duplicate_certificate", "certificate_id", "C0"),
        ({"certificate_id": None}, "null_value", "certificate_id", None),
        ({"energy_wh": 0}, "non_positive_energy", "energy_wh", "0"),
        ({"energy_wh": -1}, "non_positive_energy", "energy_wh", "-1"),
        ({"energy_wh": None}, "null_value", "energy_wh", None),
        ({"energy_wh": MAX_PARENT_WH + 1}, "energy_over_limit", "energy_wh", str(MAX_PARENT_WH + 1)),
        ({"energy_wh": (1 << 63) - 1}, "energy_over_limit", "energy_wh", str((1 << 63) - 1)),
        ({"capacity_w": 0}, "bad_capacity", "capacity_w", "0"),
        ({"purpose": "gift"}, "unknown_purpose", "purpose", "gift"),
        ({"source_type": "coal?"}, "unknown_source_type", "source_type", "coal?"),
        ({"allocation_basis": "guess"}, "unknown_basis", "allocation_basis", "guess"),
        ({"zone": "Mars/Base"}, "unknown_zone", "zone", "Mars/Base"),
        ({"end": START}, "bad_period", "production_end", "2024-01-01 00:00:00+00:00"),
    ],
)
def test_a_bad_certificate_refuses_the_conversion(change, code, column, value, refused):
    found = refused(annual_table({}, change), profile_table({"p": series([1] * 24)}))
    (finding,) = [item for item in found if item["code"] == code]
    identity = change.get("certificate_id", "C1")
    assert tuple(finding[key] for key in (*KEYS, "value")) == (code, 1, column, identity, value)
    assert {item["row"] for item in found if item["severity"] == "error"} == {1}


def test_an_unreadable_row_hides_nothing_of_the_others(refused):
    rows = [{"energy_wh": None}, {"profile": "absent"}, {"status": "ISSUED"}, {"energy_wh": 0}]
    found = refused(annual_table(*rows), profile_table({"p": series([1] * 24)}))
    assert {item["row"] for item in found if item["severity"] == "error"} == {0, 1, 2, 3}


def test_warnings_of_reading_stay_with_the_conversion():
    rows = [{"purpose": "end_use"}, {"purpose": None}, {"purpose": "end_use", "beneficiary": "Bob"}]
    conversion = gcr.convert(annual_table(*rows), profile_table({"p": series([1] * 24)}))
    found = [(item["code"], item["severity"], item["row"]) for item in conversion.findings.to_pylist()]
    assert found == [("purpose_missing", "warning", 1), ("beneficiary_missing", "warning", 0)]
    assert conversion.report["findings"].to_pylist() == [["beneficiary_missing"], ["purpose_missing"], []]


def test_a_file_without_purposes_is_warned_of_once():
    annual = annual_table({}, {}).drop_columns(["purpose"])
    conversion = gcr.convert(annual, profile_table({"p": series([1] * 24)}))
    (finding,) = conversion.findings.to_pylist()
    assert (finding["code"], finding["count"], finding["row"]) == ("purpose_missing", 2, None)
    assert conversion.to_table()["status"].unique().to_pylist() == ["LOCKED"]


def test_an_end_that_looks_inclusive_is_warned_of():
    annual = annual_table({"end": START + 365 * DAY})
    conversion = gcr.convert(annual, profile_table({"p": series([1] * 8784)}))
    assert [(item["code"], item["row"], item["column"]) for item in conversion.findings.to_pylist()] == [
        ("end_looks_inclusive", 0, "production_end"),
        ("outside_period", None, None),
    ]
