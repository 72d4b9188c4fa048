"""Which profile spreads which certificate, and every reason why it may not: code, place and value of each finding."""

import pyarrow as pa
import pytest
from oracle.conversion import DAY, HOUR, MWH, START, annual_table, hours_of, profile_table, series
from pyarrow import csv

import gcr_fast as gcr
from gcr_fast.codes import FINDINGS, MAX_PROFILE_TOTAL
from gcr_fast.conversion.matching import residual_verdict
from gcr_fast.findings import Findings

FLAT_DAY = series([1] * 24)
PRECEDENCE = [finding.name for finding in FINDINGS]


def only(found, code):
    """The one finding with a code."""
    (match,) = [finding for finding in found if finding["code"] == code]
    return match


def about(finding, *names):
    return tuple(finding[name] for name in names)


def errors(found):
    return [finding["code"] for finding in found if finding["severity"] == "error"]


@pytest.fixture
def refused(refusal):
    """The findings of a conversion that must be refused."""
    return lambda annual, profiles, **options: refusal(gcr.convert, annual, profiles, **options)


# --- no profile, or not the right one


def test_no_profile_suggests_names_that_are_close(refused):
    found = refused(annual_table({}, {"profile": "alpha-wimd"}), profile_table({"p": FLAT_DAY, "alpha-wind": FLAT_DAY}))
    finding = only(found, "no_profile")
    assert about(finding, "row", "column", "value", "certificate_id") == (1, "profile", "alpha-wimd", "C1")
    assert "did you mean alpha-wind?" in finding["message"]
    assert errors(found) == ["no_profile"]


def test_no_profile_counts_what_is_loaded_if_nothing_is_close(refused):
    found = refused(annual_table({"profile": "xyz"}), profile_table({"p": FLAT_DAY, "q": FLAT_DAY}))
    assert "2 profiles are loaded" in only(found, "no_profile")["message"]


def test_no_profile_lists_those_of_its_area_and_source_first(refused):
    """`wind` is not the name of any, but two of the area are wind, and one of an area that nobody tells."""
    names = {"CH-wind_onshore": "wind_onshore", "CH-wind_offshore": "wind_offshore", "DE-wind_onshore": "wind_onshore",
             "mill": "wind", "CH-solar": "solar"}  # fmt: skip
    row = {"profile": None, "country": "CH", "source_type": "wind"}
    found = refused(annual_table(row), profile_table(dict.fromkeys(names, FLAT_DAY), source_types=names))
    assert only(found, "no_profile")["message"].endswith("did you mean CH-wind_onshore, CH-wind_offshore, mill?")


def test_no_profile_lists_five_names_at_most(refused):
    names = [f"{letter}{letter}" for letter in "abcdefg"]
    found = refused(annual_table({"profile": "xyz"}), profile_table(dict.fromkeys(names, FLAT_DAY)))
    message = only(found, "no_profile")["message"]
    assert message.endswith("there is no profile xyz; 7 profiles are loaded: aa, bb, cc, dd, ee, ...")


def imported(table, roles):
    return table.append_column("role", pa.array([roles[name] for name in table["profile"].to_pylist()]))


def test_no_profile_of_load_says_that_it_is_load(refused):
    """As from the raw file: "did you mean CH-solar?" was said of CH-load in an imported one."""
    table = profile_table({"CH-load": FLAT_DAY, "CH-solar": FLAT_DAY})
    table = imported(table, {"CH-load": "load", "CH-solar": "generation"})
    found = refused(annual_table({"profile": "CH-load"}), table)
    finding = only(found, "no_profile")
    assert finding["message"] == "C0: CH-load is load, which is never converted"
    assert "never converted" in finding["hint"]
    assert errors(found) == ["no_profile"]


def test_no_profile_where_all_is_load_says_so(refused):
    """It was said that there is no column of values, beside a list of columns with energy_wh in it."""
    table = imported(profile_table({"CH-load": FLAT_DAY, "p": FLAT_DAY}), {"CH-load": "load", "p": "trade"})
    found = refused(annual_table({"profile": "CH-solar"}), table)
    assert only(found, "no_profile")["message"].endswith(
        "the files have load and trade alone, which is never converted"
    )
    assert errors(found) == ["no_profile"]


def test_no_profile_where_nothing_names_one(refused):
    found = refused(annual_table({"profile": None}), profile_table({"p": FLAT_DAY}))
    finding = only(found, "no_profile")
    assert about(finding, "row", "column", "value", "certificate_id") == (0, "profile", None, "C0")
    assert "names no profile" in finding["message"]


def test_no_profile_of_the_country_year_and_source(refused):
    row = {"profile": None, "country": "AT", "source_type": "solar"}
    found = refused(annual_table(row), profile_table({"AT-2023-solar": FLAT_DAY}))
    assert "there is no profile AT-2024-solar; did you mean AT-2023-solar?" in only(found, "no_profile")["message"]


def test_wrong_source_type(refused):
    profiles = profile_table({"p": FLAT_DAY}, source_types={"p": "solar"})
    found = refused(annual_table({"source_type": "solar"}, {"source_type": "Wind"}), profiles)
    finding = only(found, "wrong_source_type")
    assert about(finding, "row", "column", "value", "certificate_id") == (1, "source_type", "wind", "C1")
    assert "is wind, but profile p is solar" in finding["message"]


@pytest.mark.parametrize(
    ("parent", "profile", "agree"),
    [
        ("wind", "wind_onshore", True),
        ("wind_offshore", "wind", True),
        ("hydro", "hydro_reservoir", True),
        ("wind_onshore", "wind_offshore", False),
        ("solar", "wind", False),
        ("solar", None, True),
        (None, "solar", True),
    ],
)
def test_a_kind_agrees_with_its_family_only(parent, profile, agree, refused):
    annual = annual_table({"source_type": parent})
    profiles = profile_table({"p": FLAT_DAY}, source_types={"p": profile})
    if agree:
        (source,) = gcr.convert(annual, profiles).to_table()["source_type"].unique().to_pylist()
        assert source == (parent or profile)
    else:
        assert errors(refused(annual, profiles)) == ["wrong_source_type"]


# --- not the right period


@pytest.mark.parametrize("days", [-400, -1, 1, 366])
def test_wrong_year(days, refused):
    found = refused(annual_table({}), profile_table({"p": series([1] * 24, START + days * DAY)}))
    finding = only(found, "wrong_year")
    assert about(finding, "row", "column", "value", "certificate_id") == (0, "profile", "p", "C0")
    assert errors(found) == ["wrong_year"]


def test_leap_year_hours(refused):
    leap_day = START + 59 * DAY
    whole = series([1] * 8784)
    without = {second: wh for second, wh in whole.items() if not leap_day <= second < leap_day + DAY}
    cut = {second: wh for second, wh in whole.items() if second < START + 365 * DAY}
    rows = [{"profile": name, "end": START + 366 * DAY} for name in ("without", "cut")]
    found = refused(annual_table(*rows), profile_table({"without": without, "cut": cut}))
    assert [about(item, "row", "certificate_id") for item in found if item["code"] == "leap_year_hours"] == [
        (0, "C0"),
        (1, "C1"),
    ]
    assert "8760 of the 8784" in found[-1]["message"]
    assert "incomplete_profile" not in errors(found)


@pytest.mark.parametrize(
    ("first", "last", "lacking"), [(-5, 24, 5), (0, 30, 6), (-1, 25, 2), (-30, 1, 30), (23, 48, 24)]
)
def test_incomplete_profile_at_its_ends(first, last, lacking, refused):
    row = {"start": START + first * HOUR, "end": START + last * HOUR}
    found = refused(annual_table({}, row), profile_table({"p": FLAT_DAY}))
    finding = only(found, "incomplete_profile")
    assert about(finding, "row", "column", "value", "certificate_id") == (1, "profile", "p", "C1")
    assert f"lacks {lacking} of the {last - first} intervals" in finding["message"]


@pytest.mark.parametrize("shift", [60, 1800, 3599])
def test_period_off_grid(shift, refused):
    rows = [{"start": START + shift}, {"end": START + DAY - shift}, {"start": START + shift, "end": START + HOUR}]
    found = refused(annual_table(*rows), profile_table({"p": FLAT_DAY}))
    assert [about(item, "code", "row") for item in found if item["severity"] == "error"] == [
        ("period_off_grid", 0),
        ("period_off_grid", 1),
        ("period_off_grid", 2),
    ]


def test_all_zero_profile(refused):
    profiles = profile_table({"p": series([0] * 24 + [1] * 24)})
    found = refused(annual_table({}, {"start": START + DAY, "end": START + 2 * DAY}), profiles)
    finding = only(found, "all_zero_profile")
    assert about(finding, "row", "column", "value", "certificate_id") == (0, "profile", "p", "C0")
    assert errors(found) == ["all_zero_profile"]


def test_profile_over_limit(refused):
    half = (MAX_PROFILE_TOTAL + 1) // 2
    row = {"end": START + 2 * HOUR, "energy_wh": 7}
    found = refused(annual_table({}, row), profile_table({"p": series([half, half] + [1] * 22)}))
    assert [about(item, "code", "row", "column", "value") for item in found if item["severity"] == "error"] == [
        ("profile_over_limit", 0, "profile", "p"),
        ("profile_over_limit", 1, "profile", "p"),
    ]
    just_right = profile_table({"p": series([half, half - 1])})
    assert sum(gcr.convert(annual_table(row), just_right).to_table()["energy_wh"].to_pylist()) == 7


def test_profile_whose_sum_passes_int64_is_over_the_limit(refused):
    # 4096 * (2^53 - 1) wraps to a small number in 64 bits
    profiles = profile_table({"p": series([MAX_PROFILE_TOTAL] * 4096)})
    assert errors(refused(annual_table({"end": START + 4096 * HOUR}), profiles)) == ["profile_over_limit"]


def test_meter_without_energy(refused):
    rows = [{}, {"allocation_basis": "metered_hourly"}, {"allocation_basis": "metered_scaled"}]
    found = refused(annual_table(*rows), profile_table({"p": FLAT_DAY}, values="weight"))
    keys = ("row", "column", "value", "certificate_id")
    assert [about(item, *keys) for item in found if item["code"] == "meter_without_energy"] == [
        (1, "allocation_basis", "metered_hourly", "C1"),
        (2, "allocation_basis", "metered_scaled", "C2"),
    ]


def test_a_named_distribution_is_no_meter(refused):
    found = refused(
        annual_table({"profile": "flat", "allocation_basis": "metered_hourly"}), profile_table({"p": FLAT_DAY})
    )
    assert errors(found) == ["meter_without_energy"]


# --- faults of the profile itself


def with_gap(values, *gaps):
    return {second: wh for at, (second, wh) in enumerate(series(values).items()) if at not in gaps}


def doubled(profile, second):
    """A profile's table with one interval twice; the second is its last row."""
    table = profile_table({"p": profile})
    return pa.concat_tables([table, profile_table({"p": {second: 5}})])


def test_missing_interval_in_a_used_profile(refused, tmp_path):
    csv.write_csv(profile_table({"p": with_gap([1] * 24, 5, 6)}), tmp_path / "p.csv")
    found = refused(annual_table({}, {}), tmp_path / "p.csv")
    gap = only(found, "missing_interval")
    assert about(gap, "file", "row", "line", "profile", "count") == (str(tmp_path / "p.csv"), 4, 6, "p", 2)
    assert gap["value"] == "2024-01-01T05:00Z .. 2024-01-01T07:00Z"
    assert [about(item, "row", "value") for item in found if item["code"] == "incomplete_profile"] == [
        (0, "p"),
        (1, "p"),
    ]
    assert "lacks 2 of 24 intervals" in found[-1]["message"]


def test_empty_value_in_a_used_profile(refused):
    found = refused(annual_table({}), profile_table({"p": series([1, None] + [1] * 22)}))
    assert about(only(found, "null_value"), "row", "column", "profile") == (1, "energy_wh", "p")
    assert about(only(found, "incomplete_profile"), "row", "certificate_id") == (0, "C0")


def test_duplicate_interval_in_a_used_profile(refused):
    found = refused(annual_table({}), doubled(FLAT_DAY, START + 3 * HOUR))
    assert about(only(found, "duplicate_interval"), "row", "value", "profile") == (24, "2024-01-01T03:00Z", "p")
    assert errors(found) == ["duplicate_interval"]


def test_a_fault_is_told_once_with_the_certificates_that_need_it(refused):
    """Not once in the profile and once more for each certificate: "has 1 faulty intervals"."""
    rows = [{}, {"end": START + 2 * HOUR}, {"start": START + HOUR}, {"profile": "q"}]
    profiles = [doubled(FLAT_DAY, START + 3 * HOUR), profile_table({"q": FLAT_DAY})]
    found = refused(annual_table(*rows), profiles)
    finding = only(found, "duplicate_interval")
    assert about(finding, "certificate_id", "profile", "count") == ("C0", "p", 1)
    assert finding["message"].endswith("; C0 and 1 more need it")
    assert errors(found) == ["duplicate_interval"]


def test_uneven_interval_in_a_used_profile(refused):
    found = refused(annual_table({}), doubled(FLAT_DAY, START + 3 * HOUR + 60))
    keys = ("row", "value", "profile", "certificate_id")
    assert about(only(found, "uneven_interval"), *keys) == (24, "2024-01-01T03:01Z", "p", "C0")


def test_intervals_over_an_hour_are_refused(refused):
    found = refused(annual_table({}), profile_table({"p": series([1] * 12, step=2 * HOUR)}))
    assert errors(found) == ["interval_too_long"]


@pytest.mark.parametrize(
    "faulty",
    [
        profile_table({"q": with_gap([1] * 24, 7)}),
        profile_table({"q": series([1, None] + [1] * 22)}),
        profile_table({"q": series([0] * 24)}),
        profile_table({"q": {**FLAT_DAY, START + 61: 4}}),
        profile_table({"q": series([MAX_PROFILE_TOTAL] * 24)}),
    ],
)
def test_faults_of_a_profile_that_is_not_used_refuse_nothing(faulty):
    profiles = pa.concat_tables([profile_table({"p": FLAT_DAY}), faulty])
    conversion = gcr.convert(annual_table({}), profiles)
    assert conversion.to_table().num_rows == 24
    assert conversion.findings["code"].to_pylist() == []


def test_faults_outside_the_period_refuse_nothing():
    profile = with_gap([1] * 72, 30, 50)
    annual = annual_table({}, {"start": START + 31 * HOUR, "end": START + 50 * HOUR})
    assert gcr.convert(annual, profile_table({"p": profile})).report["hours"].to_pylist() == [24, 19]


@pytest.mark.parametrize("bounds", [(30, 31), (29, 31), (0, 72), (30, 32)])
def test_faults_at_the_border_of_the_period_refuse(bounds, refused):
    first, last = bounds
    row = {"start": START + first * HOUR, "end": START + last * HOUR}
    assert "incomplete_profile" in errors(refused(annual_table(row), profile_table({"p": with_gap([1] * 72, 30)})))


def test_one_profile_in_two_files_is_one_longer_profile(refused):
    parts = [profile_table({"p": series([wh] * 12, START + at * 12 * HOUR)}) for at, wh in enumerate((1, 3))]
    hours = hours_of(gcr.convert(annual_table({"energy_wh": 48}), parts).to_table())["C0"]
    assert list(hours.values()) == [1] * 12 + [3] * 12
    again = profile_table({"p": series([2] * 12)})
    found = refused(annual_table({}), [*parts, again])
    assert errors(found) == ["contradicted_interval"] * 12
    assert all(item["message"].endswith("; C0 needs it") for item in found if item["severity"] == "error")


def test_contradicted_interval_outside_the_period_refuses_nothing(refused):
    parts = [profile_table({"p": series([1] * 24)}), profile_table({"p": series([1] * 23 + [2, 2])})]
    early, late = ({"start": START + first * HOUR, "end": START + last * HOUR} for first, last in ((0, 23), (23, 25)))
    assert gcr.convert(annual_table(early), parts).to_table().num_rows == 23
    assert "contradicted_interval" in errors(refused(annual_table(late), parts))


def test_naive_profile_times_refuse(refused):
    table = profile_table({"p": FLAT_DAY})
    table = table.set_column(1, "start", table["start"].cast(pa.timestamp("s")))
    found = refused(annual_table({}), table)
    assert about(only(found, "naive_time"), "column", "count") == ("start", 24)


# --- which profile is chosen, and what its basis is called

DEVICES = pa.table(
    {
        "profile": [name for name in ("named", "AT-2024-wind", "other") for _ in range(24)],
        "start": profile_table({"p": FLAT_DAY})["start"].to_pylist() * 3,
        "energy_wh": [1] * 72,
        "device_id": [device for device in ("plant 1", "plant 2", "plant 3") for _ in range(24)],
    }
)


@pytest.mark.parametrize(
    ("row", "default", "chosen", "basis"),
    [
        ({"profile": "named", "device_id": "plant 3"}, None, "named", "regional_technology_profile"),
        ({"profile": "named", "device_id": "plant 1"}, None, "named", "metered_hourly"),
        ({"profile": "named", "device_id": "plant 3"}, "other", "named", "regional_technology_profile"),
        ({"profile": None, "device_id": "plant 3"}, "named", "named", "regional_technology_profile"),
        ({"profile": None, "device_id": "plant 3"}, None, "other", "metered_hourly"),
        ({"profile": None, "device_id": "named"}, None, "named", "metered_hourly"),
        (
            {"profile": None, "device_id": "unknown", "country": "AT", "source_type": "wind"},
            None,
            "AT-2024-wind",
            "regional_technology_profile",
        ),
        (
            {"profile": None, "device_id": "plant 1", "country": "AT", "source_type": "wind"},
            None,
            "named",
            "metered_hourly",
        ),
        (
            {"profile": None, "device_id": "plant 1", "allocation_basis": "facility_profile"},
            None,
            "named",
            "facility_profile",
        ),
        ({"profile": "flat"}, None, "flat", "flat"),
        ({"profile": None}, "daylight", "daylight", "flat"),
        ({"profile": "named", "allocation_basis": "metered_scaled"}, None, "named", "metered_scaled"),
    ],
)
def test_the_profile_and_basis_that_are_chosen(row, default, chosen, basis):
    report = gcr.convert(annual_table({"energy_wh": 24, **row}), DEVICES, profile=default).report
    assert report["profile"].to_pylist() == [chosen]
    assert report["allocation_basis"].to_pylist() == [basis]


def of_one_device(**starts):
    """Profiles of a day each that bear one device id; `starts` are their first hours."""
    parts = [profile_table({name: series([1] * 24, start=at)}) for name, at in starts.items()]
    table = pa.concat_tables(parts)
    return table.append_column("device_id", pa.array(["plant"] * len(table)))


def test_two_profiles_of_one_device_are_not_chosen_from(refused):
    """The last one was taken, whatever was in it, and nothing said so."""
    row = {"profile": None, "device_id": "plant", "energy_wh": 24}
    found = only(refused(annual_table(row), of_one_device(first=START, second=START)), "no_profile")
    assert "its device plant has 2 in this period: first, second" in found["message"]
    report = gcr.convert(annual_table(row | {"profile": "first"}), of_one_device(first=START, second=START)).report
    assert report["allocation_basis"].to_pylist() == ["metered_hourly"]


@pytest.mark.parametrize("starts", [{"day": START, "next": START + DAY}, {"before": START - DAY, "day": START}])
def test_of_several_profiles_of_a_device_the_one_of_the_period_is_taken(starts):
    """The last one was, which had no interval in the period of the others."""
    row = {"profile": None, "device_id": "plant", "energy_wh": 24}
    assert gcr.convert(annual_table(row), of_one_device(**starts)).report["profile"].to_pylist() == ["day"]


OWN = {"profile": None, "device_id": "plant 1"}


@pytest.mark.parametrize(
    ("row", "basis", "what", "hint"),
    [
        ({"profile": "uneven"}, "flat", "profile uneven has 1 to 3 Wh an interval", "name the profile flat"),
        (OWN, "regional_technology_profile", "profile named bears its own device's id", "facility_profile"),
        (OWN | {"profile": "named"}, "regional_technology_profile", "bears its own device's id", "is its meter"),
        ({"profile": "flat"}, "regional_technology_profile", "flat, which no meter measured", "state flat"),
        ({"profile": "daylight"}, "facility_profile", "daylight, which no meter measured", "state flat"),
    ],
)
def test_a_contradictory_basis_is_refused(row, basis, what, hint, refused):
    """`flat` was stamped on hours from 3,170 to 2,683,649 Wh, and `regional` undid the metering of a device."""
    uneven = DEVICES.slice(0, 24).set_column(0, "profile", pa.array(["uneven"] * 24))
    uneven = uneven.set_column(2, "energy_wh", pa.array([1, 3] * 12)).set_column(3, "device_id", pa.array(["x"] * 24))
    found = refused(annual_table({"energy_wh": 24, "allocation_basis": basis, **row}), [DEVICES, uneven])
    finding = only(found, "contradictory_basis")
    assert about(finding, "row", "column", "value", "certificate_id") == (0, "allocation_basis", basis, "C0")
    assert f"C0: states the basis {basis}" in finding["message"]
    assert what in finding["message"]
    assert hint in finding["hint"]
    assert errors(found) == ["contradictory_basis"]


@pytest.mark.parametrize(
    ("row", "basis"),
    [
        ({"profile": "named"}, "flat"),  # which is even
        ({"profile": "uniform"}, "flat"),
        ({"profile": "peakload"}, "flat"),
        (OWN, "facility_profile"),
        ({"profile": "named", "device_id": "plant 3"}, "regional_technology_profile"),
        ({"profile": "named"}, "facility_profile"),
    ],
)
def test_a_basis_that_nothing_contradicts_stands(row, basis):
    conversion = gcr.convert(annual_table({"energy_wh": 24, "allocation_basis": basis, **row}), DEVICES)
    assert conversion.report["allocation_basis"].to_pylist() == [basis]


def test_a_total_that_was_spread_evenly_is_flat():
    """Its hours differ by a Wh where the total is no multiple of them."""
    year = {"start": START, "end": START + 366 * DAY, "profile": "flat-2024", "allocation_basis": "flat"}
    conversion = gcr.convert(annual_table(year), gcr.profile_from_total(10_000, 2024))
    assert conversion.report["allocation_basis"].to_pylist() == ["flat"]


def test_a_shape_without_unit_of_the_device_is_no_meter():
    shape = DEVICES.rename_columns(["profile", "start", "weight", "device_id"])
    row = {"profile": None, "device_id": "plant 1", "energy_wh": 10 * MWH}
    report = gcr.convert(annual_table(row, row | {"certificate_id": "again"}), shape).report
    assert report["allocation_basis"].to_pylist() == ["facility_profile"] * 2
    assert report["issued_wh"].to_pylist() == [10 * MWH] * 2


def test_country_year_and_source_choose_by_the_year_where_the_plant_is():
    # New Year in Vienna is 31 December 23:00Z
    row = {"profile": None, "country": "AT", "source_type": "wind", "zone": "Europe/Vienna"}
    start = START - HOUR
    annual = annual_table({**row, "start": start, "end": start + DAY})
    profiles = profile_table({"AT-2024-wind": series([1] * 24, start)})
    assert gcr.convert(annual, profiles).report["profile"].to_pylist() == ["AT-2024-wind"]


def test_intervals_outside_the_period_are_noted():
    profiles = profile_table({"p": series([1] * 30), "q": FLAT_DAY})
    conversion = gcr.convert(annual_table({}, {}, {"profile": "q"}), profiles)
    finding = only(conversion.findings.to_pylist(), "outside_period")
    assert about(finding, "severity", "profile", "count") == ("info", "p", 6)


def test_months_of_a_year_are_no_note_about_what_is_outside_period():
    """8,040 intervals of a yearly meter outside January are no surprise; an hour beside twelve months is."""
    profiles = profile_table({"p": series([1] * 100)})
    assert gcr.convert(annual_table({}), profiles).findings["code"].to_pylist() == []
    months = [{"start": START + day * DAY, "end": START + (day + 1) * DAY} for day in range(4)]
    finding = only(gcr.convert(annual_table(*months), profiles).findings.to_pylist(), "outside_period")
    assert finding["count"] == 4


# --- a refusal as a whole


def test_a_refusal_names_every_bad_row_in_order_of_precedence(refused, tmp_path):
    rows = [
        {"profile": "absent"},
        {},
        {"status": "ISSUED"},
        {"energy_wh": 0},
        {"profile": "gap"},
        {"start": START + 9 * DAY, "end": START + 10 * DAY},
        {"profile": "absent", "energy_wh": -4},
        {"certificate_id": "C1"},
        {"purpose": None},
        {"start": START + 60},
        {"capacity_w": 1},
        {"source_type": "wind"},
    ]
    csv.write_csv(annual_table(*rows), tmp_path / "annual.csv")
    profiles = profile_table({"p": FLAT_DAY, "gap": with_gap([1] * 24, 3)}, source_types={"p": "solar"})
    found = refused(tmp_path / "annual.csv", profiles)
    in_annual = [about(item, "code", "row", "line", "certificate_id") for item in found if item["row"] != 29]
    # rows of the profile table are 24 p and 23 gap: the gap follows its third row
    in_annual = [entry for entry in in_annual if entry[0] != "missing_interval"]
    assert in_annual == [
        ("not_canceled", 2, 4, "C2"),
        ("duplicate_certificate", 7, 9, "C1"),
        ("non_positive_energy", 3, 5, "C3"),
        ("non_positive_energy", 6, 8, "C6"),
        ("purpose_missing", 8, 10, "C8"),
        ("no_profile", 0, 2, "C0"),
        ("no_profile", 6, 8, "C6"),
        ("wrong_source_type", 11, 13, "C11"),
        ("wrong_year", 5, 7, "C5"),
        ("incomplete_profile", 4, 6, "C4"),
        ("period_off_grid", 9, 11, "C9"),
        ("over_capacity", 10, 12, "C10"),
    ]
    assert only(found, "missing_interval")["row"] == 24 + 2
    ranks = [PRECEDENCE.index(item["code"]) for item in found]
    assert ranks == sorted(ranks)
    names = {about(item, "file") for item in found if item["code"] != "missing_interval"}
    assert names == {(str(tmp_path / "annual.csv"),)}
    assert all(item["hint"] for item in found)


def test_a_fault_of_one_profile_is_told_once_however_many_need_it(refused):
    found = refused(annual_table(*[{}] * 50), profile_table({"p": with_gap([1] * 24, 3)}))
    assert [item["code"] for item in found].count("missing_interval") == 1
    assert [item["row"] for item in found if item["code"] == "incomplete_profile"] == list(range(50))


def test_the_text_of_a_refusal_shows_some_and_counts_all():
    with pytest.raises(gcr.RefusedError) as caught:
        gcr.convert(annual_table(*[{"profile": "x"}] * 30), profile_table({"p": FLAT_DAY}))
    lines = str(caught.value).splitlines()
    assert lines[0] == "refused: 30 errors"
    assert lines[21] == "  ... and 10 more"
    assert lines[22] == "  no_profile: name one in the column profile"
    assert caught.value.findings.num_rows == 30


def test_warnings_alone_refuse_nothing():
    findings = Findings()
    findings.add("outside_period", "a note")
    findings.add("purpose_missing", "a warning")
    findings.check()
    assert findings.ok
    assert [item.code for item in findings] == ["purpose_missing", "outside_period"]


@pytest.mark.parametrize("seconds", [0, 1800, -3600])
def test_a_period_of_no_interval_is_refused_whatever_the_profile(seconds, refused):
    rows = [{"profile": name, "end": START + seconds} for name in ("p", "flat", "daylight", "peakload")]
    found = refused(annual_table(*rows), profile_table({"p": FLAT_DAY}))
    bad = {item["row"] for item in found if item["severity"] == "error"}
    assert bad == {0, 1, 2, 3}
    if seconds <= 0:
        assert [item["row"] for item in found if item["code"] == "bad_period"] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("excess", "permitted", "verdict"),
    [
        (0, None, "none"),
        (0, False, "none"),
        (1, None, "residual_booked"),
        (999_999, True, "residual_booked"),
        (999_999, False, "residual_refused"),
        (1_000_000, True, "over_meter"),
        (1_000_000, None, "over_meter"),
    ],
)
def test_residual_verdict(excess, permitted, verdict):
    assert residual_verdict(excess, permitted) == verdict
