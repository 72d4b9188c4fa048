"""Bundles of the GC registry: what is written, what comes back, and everything that the form does not carry."""

import csv
from datetime import date
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gcr_fast as gcr
from gcr_fast import OutputError, RefusedError, UsageError
from gcr_fast.codes import SOURCE_TYPES, STATUSES
from gcr_fast.interchange.bundle_words import FREE, SOURCE_BACK, SOURCE_OF, STATUS_OF
from gcr_fast.interchange.bundles_in import parent_of, read_bundles
from gcr_fast.interchange.bundles_out import later_days, write_bundles
from gcr_fast.interchange.hours import hours_of
from gcr_fast.interchange.ranges import _lost
from gcr_fast.schema import arrow_schema

TEMPLATE = (
    "issuance_id", "bundle_quantity", "certificate_bundle_id_range_start", "certificate_bundle_id_range_end",
    "energy_carrier", "energy_source", "face_value", "issuance_post_energy_carrier_conversion",
    "emissions_factor_production_device", "emissions_factor_source", "production_starting_interval",
    "production_ending_interval", "local_timezone", "expiry_datestamp", "is_storage", "storage_efficiency_factor",
    "country_of_issuance", "connected_grid_identification", "issuing_body", "legal_status", "issuance_purpose",
    "support_received", "quality_scheme_reference", "dissemination_level", "issue_market_zone",
)  # fmt: skip
"""The columns of the registry's own template; its import sets device, account and status itself."""

CARRIED = ("certificate_id", "parent_certificate_id", "production_start", "interval_s", "energy_wh", "status", "owner")


def hourly(rows):
    """A table of hourly certificates: (parent, hour, Wh) and changes by column."""
    names = arrow_schema("hourly").names
    full = []
    for parent, hour, energy, *more in rows:
        start = 1_704_067_200 + 3600 * hour
        stamp = np.datetime_as_string(np.datetime64(start, "s"), unit="h").replace("-", "").replace("T", "")
        cells = {
            "certificate_id": f"HOURLY-{parent}-{stamp}", "parent_certificate_id": parent,
            "production_start": start * 1000, "interval_s": 3600,
            "energy_wh": energy, "source_type": "solar", "status": "ACTIVE",
            "allocation_basis": "metered_hourly", "owner": "Ada",
        }  # fmt: skip
        full.append(cells | (more[0] if more else {}))
    columns = {name: [row[name] for row in full] for name in names}
    columns["production_start"] = pa.array(columns["production_start"], pa.timestamp("ms", "UTC"))
    return pa.table(columns, schema=arrow_schema("hourly"))


PARENTS = pa.table(
    {
        "certificate_id": ["A", "B", "C"],
        "device_id": ["D1", "D1", None],
        "country": ["AT", "AT", "DE"],
        "issuer": ["E-Control", "E-Control", "UBA"],
        "zone": ["Europe/Vienna", "Europe/Vienna", "Europe/Berlin"],
        "source_type": ["wind_onshore", "solar", "hydro_reservoir"],
        "allocation_basis": ["metered_hourly", None, "flat"],
    }
)
ROWS = [
    ("A", 0, 500, {"source_type": "wind_onshore"}),
    ("A", 1, 1),
    ("B", 0, 250, {"status": "RETIRED", "owner": "Bob"}),
    ("C", 5, 10**12, {"status": "LOCKED", "owner": None, "source_type": "hydro_reservoir"}),
]


def cells(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_columns_are_those_of_the_template_and_what_its_import_sets(tmp_path):
    write_bundles(hourly(ROWS), tmp_path / "b.csv", parents=PARENTS)
    header = list(cells(tmp_path / "b.csv")[0])
    assert tuple(header[:25]) == TEMPLATE
    assert header[25:] == ["device_id", "account_id", "certificate_bundle_status"]
    assert set(FREE) <= set(TEMPLATE)


def test_ranges_hold_their_quantity_and_follow_each_other_by_device(tmp_path):
    done = write_bundles(hourly(ROWS), tmp_path / "b.csv", parents=PARENTS, first_number=7)
    rows = cells(tmp_path / "b.csv")
    ranges = [
        (row["device_id"], int(row["certificate_bundle_id_range_start"]), int(row["certificate_bundle_id_range_end"]))
        for row in rows
    ]
    assert ranges == [("D1", 7, 506), ("D1", 507, 507), ("D1", 508, 757), ("C", 7, 10**12 + 6)]
    for row, (_, low, high) in zip(rows, ranges, strict=True):
        assert high - low + 1 == int(row["bundle_quantity"]) * int(row["face_value"])
    assert done.energy_wh == 751 + 10**12


def test_what_the_registry_asks_for_comes_from_parents_and_constants(tmp_path):
    done = write_bundles(
        hourly(ROWS), tmp_path / "b.csv", parents=PARENTS, constants={"issue_market_zone": "AT", "issuing_body": "X"}
    )
    row = cells(tmp_path / "b.csv")[3]
    assert (row["country_of_issuance"], row["local_timezone"]) == ("DE", "Europe/Berlin")
    assert (row["issuing_body"], row["issue_market_zone"]) == ("X", "AT")
    assert row["production_starting_interval"] == "2024-01-01T05:00:00Z"
    assert row["production_ending_interval"] == "2024-01-01T06:00:00Z"
    assert (row["expiry_datestamp"], row["certificate_bundle_status"]) == ("2026-01-01", "Locked")
    assert done.empty == ("connected_grid_identification",)


def test_a_parent_without_a_device_has_none_when_it_comes_back(tmp_path):
    """The form needs a device, and takes the parent's name for it: it came back as a fact of the parent."""
    write_bundles(hourly(ROWS), tmp_path / "b.csv", parents=PARENTS)
    back = read_bundles(tmp_path / "b.csv").parents
    assert back["device_id"].to_pylist() == ["D1", "D1", None]
    write_bundles(hourly(ROWS), tmp_path / "again.csv", parents=back)
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_what_cannot_be_carried_is_said(tmp_path):
    done = write_bundles(hourly(ROWS), tmp_path / "b.csv")
    assert set(done.not_carried) == {"source_type", "allocation_basis", "status"}
    assert done.not_carried["status"].startswith("1 Cancelled of 0.00025 MWh, 1 Locked of 1000000 MWh: ")
    assert "wind_onshore becomes wind" in done.not_carried["source_type"]
    plain = hourly([("A", 0, 5, {"allocation_basis": None})])
    assert write_bundles(plain, tmp_path / "b.csv").not_carried == {}


def test_round_trip_loses_nothing_that_it_can_carry(tmp_path):
    table = hourly(ROWS)
    write_bundles(table, tmp_path / "b.csv", parents=PARENTS)
    back = read_bundles(tmp_path / "b.csv")
    assert back.table.schema == arrow_schema("hourly")
    assert back.table.select(CARRIED).to_pylist() == table.select(CARRIED).to_pylist()
    assert back.table["source_type"].to_pylist() == ["wind", "solar", "solar", "hydro"]
    whole = read_bundles(tmp_path / "b.csv", parents=PARENTS)
    assert whole.table["source_type"].to_pylist() == table["source_type"].to_pylist()
    assert whole.table["allocation_basis"].to_pylist() == ["metered_hourly", "metered_hourly", None, "flat"]


@pytest.mark.parametrize("suffix", ["parquet", "csv", "arrow"])
def test_a_real_conversion_there_and_back(tmp_path, write, suffix):
    """Shipped Austrian hours of two plants, through the form, are valid against their profiles again."""
    annual = write(
        "certificate_id,energy_mwh,year,zone,source_type,profile,status,purpose,owner,device_id,country\n"
        "A/1-2,12.345678,2020,Europe/Vienna,solar,AT-2020-solar,CANCELED,conversion,Ada,D1,AT\n"
        "A-2,1000,2020,Europe/Vienna,wind_onshore,AT-2020-wind_onshore,CANCELED,conversion,Bob,D1,AT\n",
        "annual.csv",
    )
    profiles = gcr.shipped_profiles(["AT-2020-solar", "AT-2020-wind_onshore"])
    conversion = gcr.convert(annual, profiles)
    conversion.write(tmp_path / f"hours.{suffix}")
    done = write_bundles(tmp_path / f"hours.{suffix}", tmp_path / "b.csv", parents=annual)
    assert done.energy_wh == 1_012_345_678
    back = read_bundles(tmp_path / "b.csv", parents=annual)
    again = back.write(tmp_path / "again.parquet")
    assert gcr.validate(annual, again.path, profiles).ok
    first = conversion.to_table()
    assert back.table["energy_wh"].to_pylist() == first["energy_wh"].to_pylist()
    assert back.table["owner"].to_pylist() == first["owner"].to_pylist()
    ranges = duckdb.sql(
        f"SELECT certificate_bundle_id_range_start AS low, certificate_bundle_id_range_end AS high "
        f"FROM '{tmp_path / 'b.csv'}' ORDER BY low"
    ).fetchall()
    assert all(one[1] + 1 == other[0] for one, other in pairwise(ranges))


def test_a_registrys_certificates_there_and_back(tmp_path, write):
    """After a trade that splits an hour and a retirement: pieces, owners and states come back."""
    annual = write(
        "certificate_id,energy_mwh,production_start,production_end,status,purpose,owner\n"
        "P-1,24,2024-01-01T00:00Z,2024-01-02T00:00Z,CANCELED,conversion,Ada\n"
    )
    with gcr.Registry.create(tmp_path / "registry") as registry:
        registry.issue(gcr.convert(annual, gcr.Profiles({}), profile="flat"), create_parties=True)
        registry.add_party("Bob")
        registry.trade({"owner": "Ada"}, seller="Ada", buyer="Bob", wh=2_500_000)
        registry.retire({"owner": "Bob"}, owner="Bob", beneficiary="Works", wh=1_000_000)
        table = registry.query().to_table(certificate_ids=True)
    assert any("/" in text for text in table["certificate_id"].to_pylist())
    write_bundles(table, tmp_path / "b.csv", parents=annual)
    back = read_bundles(tmp_path / "b.csv").table
    key = "certificate_id"
    rows = {row[key]: row for row in table.select(CARRIED).to_pylist()}
    assert {row[key]: row for row in back.select(CARRIED).to_pylist()} == rows
    assert set(back["status"].to_pylist()) >= {"ACTIVE", "RETIRED"}


ids = (
    st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), min_size=1, max_size=12)
    .map(str.strip)
    .filter(bool)
)
owners = (
    st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=8)
    .map(str.strip)
    .map(lambda text: text or None)
)


@given(
    st.lists(
        st.tuples(
            ids,
            st.integers(0, 8000),
            st.integers(1, 2**40),
            st.sampled_from([state for state in STATUSES if state != "SPLIT"]),
            st.sampled_from(SOURCE_TYPES),
            owners,
        ),
        min_size=1,
        max_size=20,
        unique_by=lambda row: row[:2],
    )
)
def test_round_trip_of_anything(tmp_path, drawn):
    rows = [
        (parent, hour, wh, {"status": state, "source_type": kind, "owner": owner})
        for parent, hour, wh, state, kind, owner in drawn
    ]
    table = hourly(rows)
    write_bundles(table, tmp_path / "b.csv")
    back = read_bundles(tmp_path / "b.csv").table
    assert back.select(CARRIED).to_pylist() == table.select(CARRIED).to_pylist()
    for kind, found in zip(table["source_type"].to_pylist(), back["source_type"].to_pylist(), strict=True):
        assert SOURCE_OF.get(found, "other") == SOURCE_OF.get(kind, "other")


def test_what_was_split_is_left_out_for_its_pieces(tmp_path):
    pieces = [
        ("A", 0, 60, {"certificate_id": "HOURLY-A-2024010100/0-60", "status": "RETIRED"}),
        ("A", 0, 40, {"certificate_id": "HOURLY-A-2024010100/60-100"}),
    ]
    done = write_bundles(hourly([("A", 0, 100, {"status": "SPLIT"}), *pieces]), tmp_path / "b.csv")
    assert (done.written.rows, done.energy_wh) == (2, 100)
    assert list(done.left_out) == ["SPLIT"]
    assert done.left_out["SPLIT"].startswith("1 certificate of 0.0001 MWh")
    back = read_bundles(tmp_path / "b.csv").table
    assert back.select(CARRIED).to_pylist() == hourly(pieces).select(CARRIED).to_pylist()
    assert [row["certificate_bundle_id_range_start"] for row in cells(tmp_path / "b.csv")] == ["0", "60"]


def test_words_cover_our_vocabularies():
    assert set(STATUS_OF) == {*STATUSES, "TRADED"}
    assert set(SOURCE_OF) <= set(SOURCE_TYPES)
    assert set(SOURCE_OF.values()) | {"other"} == set(SOURCE_BACK)


# --- what is refused


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (("A", 0, -5), "negative_energy"),
        (("A", 0, 5, {"status": "BANKED"}), "unknown_status"),
        (("A", 0, 5, {"interval_s": 7200}), "interval_too_long"),
        (("A", 0, 5, {"interval_s": 0}), "interval_too_long"),
    ],
)
def test_what_is_no_certificate_is_not_written(tmp_path, row, code, refusal):
    found = refusal(write_bundles, hourly([("B", 0, 1), row]), tmp_path / "b.csv")
    assert code in [item["code"] for item in found]
    assert not list(tmp_path.iterdir())


def test_a_file_without_states_is_not_taken_for_active(tmp_path, refusal):
    table = hourly([("A", 0, 5)]).drop_columns(["status"])
    assert refusal(write_bundles, table, tmp_path / "b.csv")[0]["code"] == "null_value"


def test_zero_hours_are_no_bundles(tmp_path):
    assert write_bundles(hourly([("A", 0, 5), ("A", 1, 0)]), tmp_path / "b.csv").written.rows == 1
    assert sum(len(hours) for hours in hours_of(hourly([("A", 1, 0)]))) == 0


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"constants": {"colour": "red"}}, "cannot set"),
        ({"expiry_months": 0}, "expiry_months"),
        ({"first_number": -1}, "first_number"),
        ({"parents": pa.table({"x": [1]})}, "certificate_id"),
    ],
)
def test_misuse(tmp_path, options, what):
    with pytest.raises(UsageError, match=what):
        write_bundles(hourly(ROWS), tmp_path / "b.csv", **options)


def test_places(tmp_path):
    with pytest.raises(UsageError, match="csv"):
        write_bundles(hourly(ROWS), tmp_path / "b.parquet")
    with pytest.raises(OutputError):
        write_bundles(hourly(ROWS), tmp_path / "none" / "b.csv")


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("bundle_quantity", "499", "count_mismatch"),
        ("certificate_bundle_id_range_end", "500", "count_mismatch"),
        ("certificate_bundle_id_range_start", "-1", "count_mismatch"),
        ("bundle_quantity", "many", "unreadable_value"),
        ("face_value", "0", "non_positive_energy"),
        ("face_value", "9223372036854775807", "energy_over_limit"),
        ("production_starting_interval", "21/01/2025 21:00", "unreadable_value"),
        ("production_starting_interval", "", "null_value"),
        ("production_ending_interval", "2024-01-01T09:00:00Z", "interval_too_long"),
        ("production_ending_interval", "2024-01-01T00:00:00Z", "interval_too_long"),
        ("energy_source", "magic", "unknown_source_type"),
        ("certificate_bundle_status", "Banked", "unknown_status"),
        ("issuance_id", "", "null_value"),
    ],
)
def test_every_bad_cell_of_a_bundle_file_has_its_place(tmp_path, column, value, code, refusal):
    write_bundles(hourly(ROWS), tmp_path / "b.csv")
    rows = cells(tmp_path / "b.csv")
    rows[0][column] = value
    with open(tmp_path / "b.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    found = [item for item in refusal(read_bundles, tmp_path / "b.csv") if item["severity"] == "error"]
    assert code in [item["code"] for item in found]
    assert {item["line"] for item in found} == {2}


def test_overlapping_bundles_are_refused(tmp_path, refusal):
    write_bundles(hourly([("A", 0, 10), ("A", 1, 10)]), tmp_path / "b.csv")
    text = (tmp_path / "b.csv").read_text().replace(",10,10,19,", ",10,9,18,")
    (tmp_path / "b.csv").write_text(text)
    assert [item["code"] for item in refusal(read_bundles, tmp_path / "b.csv")] == ["serial_overlap"]


def test_bundles_without_an_issuance_that_overlap_are_refused_for_both(write, refusal):
    rows = [bundle(issuance_id=""), bundle(issuance_id="")]
    found = refusal(read_bundles, bundle_file(write, *rows))
    assert {one["code"] for one in found} >= {"null_value", "serial_overlap", "duplicate_id"}


def test_bundles_of_another_maker_keep_their_issuance_when_they_are_written_again(write):
    """Their ids were written as issuances, and became their parents when they were read."""
    rows = [half(0), half(250), bundle(issuance_id="I2", device_id="D2"), bundle(issuance_id="I3/1-2", device_id="D3")]
    first = read_bundles(bundle_file(write, *rows))
    path = bundle_file(write, *rows).with_name("again.csv")
    write_bundles(first.table, path, parents=first.parents)
    assert [row["issuance_id"] for row in cells(path)] == ["I1", "I1", "I2", "I3/1-2"]
    back = read_bundles(path)
    assert back.table.select(CARRIED).to_pylist() == first.table.select(CARRIED).to_pylist()
    assert back.parents.to_pylist() == first.parents.to_pylist()


def test_an_overlap_names_both_rows(write, refusal):
    """The second row was named alone; and the widest range before it is what it meets, not its neighbour."""
    path = bundle_file(write, bundle(), piece(100, 199, issuance_id="I2"), piece(300, 399, issuance_id="I3"))
    found = [one for one in refusal(read_bundles, path) if one["severity"] == "error"]
    assert [(one["code"], one["line"]) for one in found] == [("serial_overlap", 3), ("serial_overlap", 4)]
    assert all("overlaps that of line 2" in one["message"] for one in found)


OURS = "HOURLY-A-2024010100"


@pytest.mark.parametrize("whole_is_there", [True, False])
def test_our_bundles_that_were_split_elsewhere_have_an_id_each(write, whole_is_there):
    """Both pieces had the id of the whole: two certificates of one id."""
    whole = [piece(100, 199, "Bundle Split", issuance_id=OURS)] * whole_is_there
    again = [piece(120, 159, "Bundle Split", issuance_id=OURS)]
    alive = [piece(first, last, issuance_id=OURS) for first, last in ((100, 119), (120, 129), (130, 159), (160, 199))]
    path = bundle_file(write, *whole, *again, *alive, piece(200, 299, issuance_id="HOURLY-A-2024010100/0-60"))
    table = read_bundles(path).table
    assert table["certificate_id"].to_pylist() == [
        f"{OURS}/100-120", f"{OURS}/120-130", f"{OURS}/130-160", f"{OURS}/160-200", f"{OURS}/0-60"
    ]  # fmt: skip
    assert set(table["parent_certificate_id"].to_pylist()) == {"A"}
    write_bundles(table, path.with_name("again.csv"))
    back = read_bundles(path.with_name("again.csv")).table
    assert back.select(CARRIED).to_pylist() == table.select(CARRIED).to_pylist()


def test_a_piece_that_was_split_again_elsewhere_keeps_its_parent(write):
    alive = [piece(first, last, issuance_id=f"{OURS}/0-60") for first, last in ((0, 9), (10, 59))]
    table = read_bundles(bundle_file(write, *alive)).table
    assert table["certificate_id"].to_pylist() == [f"{OURS}/0-60/0-10", f"{OURS}/0-60/10-60"]
    assert table["parent_certificate_id"].to_pylist() == ["A", "A"]


def test_two_bundles_of_one_id_are_refused_with_both_rows(write, refusal):
    """A piece of ours may be called as the range of another bundle is."""
    alive = [piece(first, last, issuance_id=OURS) for first, last in ((0, 9), (10, 59))]
    found = refusal(read_bundles, bundle_file(write, *alive, piece(100, 149, issuance_id=f"{OURS}/10-60")))
    errors = [(one["code"], one["line"]) for one in found if one["severity"] == "error"]
    assert errors == [("duplicate_id", 4)]
    assert any("line 3" in one["message"] for one in found)


def test_a_bundle_without_a_state_beside_others_is_not_taken_for_active(write, refusal):
    """An empty cell was ACTIVE, and nothing said so."""
    rows = [bundle(), bundle(issuance_id="I2", device_id="D2", certificate_bundle_status="")]
    assert [(one["code"], one["line"]) for one in refusal(read_bundles, bundle_file(write, *rows))] == [
        ("null_value", 3)
    ]


def test_a_file_that_names_no_state_says_how_it_is_taken(write):
    found = read_bundles(bundle_file(write, bundle(certificate_bundle_status="")))
    assert found.table["status"].to_pylist() == ["ACTIVE"]
    assert [one.column for one in found.findings if one.code == "reading_note"] == ["certificate_bundle_status"]


def test_numbers_are_of_a_device_or_of_the_issuance_of_a_row_that_names_none(write, refusal):
    """Rows without a device were taken for one device, and refused as overlapping."""
    rows = [bundle(device_id=""), bundle(issuance_id="I2", device_id=""), bundle(issuance_id="I3", device_id="I1")]
    assert read_bundles(bundle_file(write, *rows)).table["energy_wh"].to_pylist() == [500, 500, 500]
    twice = bundle_file(write, *rows, half(250, issuance_id="I2", device_id=""))
    assert [(one["code"], one["line"]) for one in refusal(read_bundles, twice)] == [("serial_overlap", 5)]


def test_one_issuance_and_range_of_two_devices_would_be_one_id(write, refusal):
    path = bundle_file(write, bundle(), half(0, issuance_id="I2"), bundle(device_id="D2"), bundle(device_id=""))
    found = refusal(read_bundles, path)
    assert [(one["code"], one["line"]) for one in found if one["code"] == "duplicate_id"] == [
        ("duplicate_id", 4), ("duplicate_id", 5)
    ]  # fmt: skip
    assert all("line 2" in one["message"] for one in found if one["code"] == "duplicate_id")
    apart = read_bundles(bundle_file(write, half(0), half(250, device_id="D2")))
    assert apart.table["certificate_id"].to_pylist() == ["I1/0-250", "I1/250-500"]


def piece(first, last, state="Active", **cells):
    return bundle(
        bundle_quantity=str(last - first + 1), certificate_bundle_id_range_start=str(first),
        certificate_bundle_id_range_end=str(last), certificate_bundle_status=state, **cells,
    )  # fmt: skip


def test_what_a_split_loses_is_told_with_its_row(write):
    """It was said that the children carry on, whatever was left of them."""
    rows = [
        piece(100, 199, "Bundle Split", face_value="2"),
        piece(110, 149, "Bundle Split", face_value="2"),
        piece(120, 129, face_value="2"),
        piece(150, 199, "Withdrawn", face_value="2"),
        piece(100, 109, issuance_id="I2", device_id="D2"),
    ]
    found = read_bundles(bundle_file(write, *rows))
    lost = [(one.line, one.value) for one in found.findings if one.code == "reading_note"]
    assert lost == [(2, "100-119"), (2, "130-149")]
    assert found.left_out["Bundle Split"].endswith("carry on, but for 0.00008 MWh that no bundle of the file has")
    whole = read_bundles(bundle_file(write, *rows, piece(100, 119), piece(130, 149)))
    assert not whole.findings.counts()["reading_note"]
    assert whole.left_out["Bundle Split"].endswith("carry on")


@given(
    split=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12), st.integers(0, 1)), max_size=4),
    cuts=st.sets(st.integers(1, 40)),
    kept=st.integers(0, 2**41),
)
def test_lost_numbers_are_those_that_counting_finds(split, cuts, kept):
    """The slow twin counts single numbers."""
    borders = [0, *sorted(cuts), 42]
    alive = [(a, b - 1, 0) for at, (a, b) in enumerate(pairwise(borders)) if kept >> at & 1]
    rows = [(first, first + length - 1, code) for first, length, code in split] + alive
    low, high, codes = (np.array([row[at] for row in rows], dtype=np.int64) for at in range(3))
    living = np.arange(len(rows)) >= len(split)
    found = [(row, n) for row, first, last in _lost(codes, low, high, living) for n in range(first, last + 1)]
    numbers = {(code, n) for first, last, code in rows[: len(split)] for n in range(first, last + 1)}
    there = {(0, n) for first, last, _ in alive for n in range(first, last + 1)}
    assert sorted((int(codes[row]), n) for row, n in found) == sorted(numbers - there)
    assert all(low[row] <= n <= high[row] for row, n in found)


def bundle(**cells):
    """A row of a bundle file of another maker."""
    return {
        "issuance_id": "I1", "bundle_quantity": "500", "certificate_bundle_id_range_start": "0",
        "certificate_bundle_id_range_end": "499", "face_value": "1", "energy_source": "wind", "is_storage": "FALSE",
        "production_starting_interval": "2024-01-01T00:00Z", "production_ending_interval": "2024-01-01T01:00Z",
        "device_id": "D1", "certificate_bundle_status": "Active",
    } | cells  # fmt: skip


def half(first, **cells):
    return bundle(
        bundle_quantity="250", certificate_bundle_id_range_start=str(first),
        certificate_bundle_id_range_end=str(first + 249), **cells,
    )  # fmt: skip


def bundle_file(write, *rows):
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(names), *(",".join(row.get(name, "") for name in names) for row in rows)]
    return write("\n".join(lines) + "\n")


@pytest.mark.parametrize("word", ["TRUE", "true", "1"])
def test_what_storage_gave_back_is_no_generation(write, word):
    """`is_storage` was dropped: a discharge of stored wind became an ACTIVE certificate of wind."""
    rows = [bundle(is_storage=word), bundle(issuance_id="I2", device_id="D2")]
    found = read_bundles(bundle_file(write, *rows))
    assert found.table["source_type"].to_pylist() == ["storage_discharge", "wind"]
    assert found.not_carried["energy_source"].startswith("wind (1) becomes storage_discharge")
    assert found.parents["source_type"].to_pylist() == ["storage_discharge", "wind"]
    battery = read_bundles(bundle_file(write, bundle(is_storage=word, energy_source="battery_storage")))
    assert (battery.table["source_type"].to_pylist(), battery.not_carried) == (["storage_discharge"], {})


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("energy_carrier", "hydrogen", "not_electricity"),
        ("issuance_post_energy_carrier_conversion", "TRUE", "not_electricity"),
        ("is_storage", "perhaps", "unreadable_value"),
    ],
)
def test_another_carrier_is_not_electricity(write, refusal, column, value, code):
    (found,) = refusal(read_bundles, bundle_file(write, bundle(**{column: value}), half(0, device_id="D2")))
    assert (found["code"], found["line"], found["column"], found["value"]) == (code, 2, column, value)


def test_a_bundle_that_was_split_is_dead(write, refusal):
    """Its numbers are those of its children: the registry's own list was refused, "convert each Wh once"."""
    split = bundle(certificate_bundle_status="Bundle Split")
    found = read_bundles(bundle_file(write, half(0, account_id="Bob"), split, half(250, account_id="Ada")))
    assert found.table["certificate_id"].to_pylist() == ["I1/0-250", "I1/250-500"]
    assert found.table["owner"].to_pylist() == ["Bob", "Ada"]
    assert found.left_out["Bundle Split"].startswith("1 bundle of 0.0005 MWh")
    (note,) = (one for one in found.findings if one.code == "left_out")
    assert (note.value, note.count) == ("Bundle Split", 1)
    twice = bundle_file(write, half(0), split, half(200))
    assert [(one["code"], one["line"]) for one in refusal(read_bundles, twice) if one["severity"] == "error"] == [
        ("serial_overlap", 4)
    ]


def test_facts_of_parents_are_kept_beside_the_hours(write, tmp_path):
    facts = {"country_of_issuance": "FR", "issuing_body": "Powernext", "local_timezone": "Europe/Paris"}
    path = bundle_file(write, half(0, **facts), half(250, **facts), bundle(issuance_id="I2", device_id="D2"))
    found = read_bundles(path)
    assert found.parents.to_pylist() == [
        {"certificate_id": "I1", "device_id": "D1", "country": "FR", "issuer": "Powernext", "zone": "Europe/Paris",
         "source_type": "wind"},
        {"certificate_id": "I2", "device_id": "D2", "country": None, "issuer": None, "zone": None,
         "source_type": "wind"},
    ]  # fmt: skip
    write_bundles(found.table, tmp_path / "again.csv", parents=found.parents)
    assert [row["country_of_issuance"] for row in cells(tmp_path / "again.csv")] == ["FR", "FR", ""]
    assert [row["device_id"] for row in cells(tmp_path / "again.csv")] == ["D1", "D1", "D2"]


def test_parents_whose_bundles_disagree_have_no_fact(write):
    rows = (half(0, issuing_body="A"), half(250, issuing_body="B"), bundle(issuance_id="I2", device_id="D2"))
    found = read_bundles(bundle_file(write, *rows))
    assert found.parents["issuer"].to_pylist() == [None, None]
    assert found.not_carried["issuing_body"] == "bundles of one issuance differ in it, of 1 of 2"


def test_what_no_table_of_ours_has_a_place_for_is_named(write):
    more = {
        "expiry_datestamp": "2026-01-01",
        "support_received": "none",
        "storage_efficiency_factor": "",
        "colour": "x",
        "shade": " ",
    }
    other = bundle(issuance_id="I2", device_id="D2", support_received="FIT")
    assert read_bundles(bundle_file(write, bundle(**more), other)).not_carried == {
        "expiry_datestamp": "2026-01-01 (1)",
        "support_received": "none (1), FIT (1)",
        "colour": "no column of this form",
    }
    everything = dict.fromkeys(FREE, "said") | {"local_timezone": "Europe/Paris"}
    lost = read_bundles(bundle_file(write, bundle(**everything))).not_carried
    assert set(lost) == set(FREE) - {"country_of_issuance", "issuing_body", "local_timezone"}


def test_a_file_of_another_maker(write):
    names = [name for name in TEMPLATE if name not in FREE]
    row = dict.fromkeys(names, "") | {
        "issuance_id": "GC-1-2025-01-21-1500", "bundle_quantity": "5210", "certificate_bundle_id_range_start": "0",
        "certificate_bundle_id_range_end": "5209", "face_value": "1000", "energy_source": "solar_pv",
        "production_starting_interval": "2025-01-21 21:00", "production_ending_interval": "2025-01-21 22:00",
    }  # fmt: skip
    found = read_bundles(write(",".join(names) + "\n" + ",".join(row[name] for name in names) + "\n"))
    (back,) = found.table.to_pylist()
    assert (back["certificate_id"], back["parent_certificate_id"]) == (
        "GC-1-2025-01-21-1500/0-5210", "GC-1-2025-01-21-1500",
    )  # fmt: skip
    assert (back["energy_wh"], back["status"], back["source_type"]) == (5_210_000, "ACTIVE", "solar")


def test_missing_columns_are_all_named(write, refusal):
    found = refusal(read_bundles, write("issuance_id,face_value\nA,1\n"))
    assert len(found) == 5
    assert {item["code"] for item in found} == {"missing_column"}


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_or_read(write, data):
    try:
        read_bundles(write(data))
    except RefusedError:
        return


@pytest.mark.parametrize(
    ("text", "parent"),
    [
        ("HOURLY-A-1-2020010107", "A-1"), ("HOURLY-A-202001010700", "A"), ("HOURLY-A-2020010107/0-99", "A"),
        ("HOURLY-A/1-2-2020010107", "A/1-2"), ("HOURLY-A/1-2-2020010107/5-9", "A/1-2"), ("GC-1-2025", None),
        ("HOURLY-/0-2020010107", "/0"), ("HOURLY-A-2020010107/5-2020010107", "A"), ("HOURLY--2020010107", None),
        ("HOURLY-A-2020010108", None), ("HOURLY-A-20200101", None), ("", None), ("HOURLY-2020010107", None),
    ],
)  # fmt: skip
def test_parents_are_found_in_ids(text, parent):
    assert parent_of(text, "202001010700") == parent


@given(st.dates(date(1990, 1, 1), date(2099, 1, 1)), st.integers(1, 60))
def test_later_days_are_those_of_the_calendar(day, months):
    (found,) = later_days(np.array([np.datetime64(day, "s")]).astype(np.int64), months).tolist()
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1).toordinal()
    last = date.fromordinal(following - 1).day
    assert found == date(year, month + 1, min(day.day, last))


def test_parquet_of_the_schema_is_taken(tmp_path):
    pq.write_table(hourly(ROWS), tmp_path / "h.parquet")
    assert write_bundles(tmp_path / "h.parquet", tmp_path / "b.csv").written.rows == 4
