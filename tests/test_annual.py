"""Annual certificates: what is read, under which names, and every finding that reading can raise."""

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import decimals as oracle

from gcr_fast import RefusedError, UsageError, annual_from, read_annual
from gcr_fast.annual import CONVERT_DECIDES
from gcr_fast.codes import ANNUAL_STATUSES, BASES, FINDINGS, MAX_PARENT_WH, PRECEDENCE, SOURCE_TYPES
from gcr_fast.ranges import overlaps
from gcr_fast.schema import arrow_schema

GOOD = {"certificate_id": "A", "energy_wh": "5", "status": "CANCELED", "year": "2024", "purpose": "conversion"}


def text_of(*rows, delimiter=","):
    """Return CSV text; each row is GOOD with changes, its id its number unless named."""
    full = [{**GOOD, "certificate_id": f"A{number}", **row} for number, row in enumerate(rows, start=1)]
    names = list(dict.fromkeys(name for row in full for name in row if any(r.get(name) is not None for r in full)))
    lines = [names, *([str(row.get(name) or "") for name in names] for row in full)]
    return "".join(delimiter.join(line) + "\n" for line in lines)


@pytest.fixture
def read(write):
    """Read rows of changes to GOOD, without refusing."""
    return lambda *rows, **options: read_annual(write(text_of(*rows)), strict=False, **options)


@pytest.fixture
def faults(write):
    """Read rows of changes to GOOD; return (code, row, line, column, value, certificate_id) of all but notes.

    Checks that reading refuses if it must, that findings come in order of precedence and name the file.
    """

    def found(*rows, **options):
        path = write(text_of(*rows))
        findings = list(read_annual(path, strict=False, **options).findings)
        assert [PRECEDENCE[f.code] for f in findings] == sorted(PRECEDENCE[f.code] for f in findings)
        assert {f.file for f in findings} <= {str(path)}
        if {f.code for f in findings if f.severity == "error"} - CONVERT_DECIDES:
            with pytest.raises(RefusedError) as caught:
                read_annual(path, **options)
            assert caught.value.findings["code"].to_pylist() == [f.code for f in findings]
        else:
            assert len(read_annual(path, **options)) == len(rows)
        return [(f.code, f.row, f.line, f.column, f.value, f.certificate_id) for f in findings]

    return found


def test_all_columns_are_read(read):
    row = {
        "certificate_id": "0017",
        "energy_wh": None,
        "energy_mwh": "0.000251",
        "zone": "Europe/Berlin",
        "source_type": "Offshore Wind",
        "profile": "DE-2024-wind_offshore",
        "status": "cancelled",
        "purpose": "End use",
        "owner": " Ann ",
        "beneficiary": "Bob",
        "device_id": "571313001234567891",
        "country": "DE",
        "capacity_mw": "1.5",
        "issuer": "UBA",
        "allocation_basis": "Metered-Hourly",
        "residual_permitted": "no",
        "serial_prefix": "DE-71",
        "serial_start": "1001",
        "serial_end": "2000",
    }
    annual = read(row)
    assert annual.table.schema.equals(arrow_schema("annual"), check_metadata=True)
    assert annual.table.to_pylist() == [
        {
            **{name: row[name] for name in ("certificate_id", "zone", "profile", "beneficiary", "device_id")},
            "energy_wh": 251,
            "production_start": datetime(2023, 12, 31, 23, tzinfo=UTC),
            "production_end": datetime(2024, 12, 31, 23, tzinfo=UTC),
            "source_type": "wind_offshore",
            "status": "CANCELED",
            "purpose": "end_use",
            "owner": "Ann",
            "country": "DE",
            "capacity_w": 1_500_000,
            "issuer": "UBA",
            "allocation_basis": "metered_hourly",
            "residual_permitted": False,
            "serial_prefix": "DE-71",
            "serial_start": 1001,
            "serial_end": 2000,
        }
    ]
    assert not len(annual.findings)


def test_what_is_absent_is_null(read):
    (row,) = read({}).table.to_pylist()
    for name in ("source_type", "profile", "owner", "beneficiary", "capacity_w", "allocation_basis"):
        assert row[name] is None
    assert row["residual_permitted"] is None
    assert row["zone"] == "UTC"


@pytest.mark.parametrize("column", ["energy_wh", "energy_kwh", "Energy (MWh)", "energy-GWh", "total_mwh", "MWh"])
def test_energy_in_any_unit_and_under_its_older_names(read, column):
    digits = {"w": 0, "k": 3, "m": 6, "g": 9}[column.replace(")", "")[-3].lower().replace("_", "w")]
    annual = read({"energy_wh": None, column: "3"})
    assert annual.table["energy_wh"].to_pylist() == [3 * 10**digits]
    assert annual.table["energy_wh"].type == pa.int64()


@given(wh=st.integers(1, MAX_PARENT_WH))
def test_decimal_mwh_text_never_loses_a_wh(wh):
    text = f"{wh // 10**6}.{wh % 10**6:06d}"
    table = pa.table({**{name: [value] for name, value in GOOD.items() if name != "energy_wh"}, "energy_mwh": [text]})
    assert annual_from(table).table["energy_wh"].to_pylist() == [oracle.mwh(text)] == [wh]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([251, 2_000_000], pa.int32()),
        pa.array([251, 2_000_000], pa.uint64()),
        pa.array([251.0, 2e6]),
        pa.array([Decimal("251"), Decimal("2000000.000")]),
        pa.array(["251", "2e6"]),
        pa.array(["251", " 2000000.0 "]).dictionary_encode(),
    ],
    ids=["int", "uint", "float", "decimal", "text", "words"],
)
def test_energy_of_any_type(column):
    table = pa.table(
        {"certificate_id": ["a", "b"], "energy_wh": column, "status": ["CANCELED"] * 2, "year": [2024] * 2}
    )
    assert annual_from(table).table["energy_wh"].to_pylist() == [251, 2_000_000]


@pytest.mark.parametrize("year", [2024, 2024.0, "2024", " 2024 ", "2024.0"])
@pytest.mark.parametrize("name", ["year", "Year", "production_year", "vintage"])
def test_2024_has_8784_hours_however_it_is_written(year, name):
    table = pa.table({"certificate_id": ["a"], "energy_wh": [1], "status": ["CANCELED"], name: [year]})
    (period,) = annual_from(table).periods()
    assert period.intervals(3600) == 8784


@pytest.mark.parametrize(
    ("row", "options", "expected"),
    [
        ({"year": "2024"}, {}, "2024-01-01T00:00Z .. 2025-01-01T00:00Z"),
        ({"year": "2024"}, {"zone": "Europe/Berlin"}, "2023-12-31T23:00Z .. 2024-12-31T23:00Z"),
        ({"year": "2024", "zone": "Asia/Tokyo"}, {"zone": "Europe/Berlin"}, "2023-12-31T15:00Z .. 2024-12-31T15:00Z"),
        ({"year": "2024-02"}, {}, "2024-02-01T00:00Z .. 2024-03-01T00:00Z"),
        ({"year": "2024-12", "zone": "Europe/Berlin"}, {}, "2024-11-30T23:00Z .. 2024-12-31T23:00Z"),
    ],
)
def test_berlin_2024_is_a_shifted_utc_window(read, row, options, expected):
    assert [str(period) for period in read(row, **options).periods()] == [expected]


@pytest.mark.parametrize(
    ("start", "end", "zone", "expected"),
    [
        ("2023-04-01T00:00Z", "2024-04-01T00:00Z", "", "2023-04-01T00:00Z .. 2024-04-01T00:00Z"),
        ("2024-01-01", "2025-01-01", "Europe/Berlin", "2023-12-31T23:00Z .. 2024-12-31T23:00Z"),
        ("2024-01-01T00:00+05:45", "2024-02-01T00:00", "Europe/Berlin", "2023-12-31T18:15Z .. 2024-01-31T23:00Z"),
    ],
)
def test_a_year_may_be_april_to_march_or_any_period(read, start, end, zone, expected):
    annual = read({"year": None, "production_start": start, "production_end": end, "zone": zone})
    assert [str(period) for period in annual.periods()] == [expected]


def test_where_a_period_is_empty_the_year_counts(read):
    own = {"production_start": "2024-03-01T00:00Z", "production_end": "2024-04-01T00:00Z", "year": ""}
    annual = read(own, {"production_start": "", "production_end": "", "year": "2023"})
    assert [period.intervals(24 * 3600) for period in annual.periods()] == [31, 365]
    assert annual.findings.ok


def test_dates_and_timestamps_are_periods_too():
    table = pa.table(
        {
            "id": ["a"],
            "energy_wh": [1],
            "status": ["CANCELED"],
            "start": [date(2024, 1, 1)],
            "end": pa.array([datetime(2025, 1, 1)], pa.timestamp("ns", "UTC")),
        }
    )
    assert [period.intervals(3600) for period in annual_from(table).periods()] == [8784]


@pytest.mark.parametrize("status", ["CANCELED", "CANCELLED", "canceled", " Cancelled "])
def test_both_spellings_of_cancelled(read, status):
    annual = read({"status": status})
    assert annual.table["status"].to_pylist() == ["CANCELED"]
    assert annual.findings.ok


@pytest.mark.parametrize(
    ("word", "meaning"), [(source, source) for source in SOURCE_TYPES] + [("PV", "solar"), ("Hard coal", "fossil")]
)
def test_source_types_in_any_spelling(read, word, meaning):
    assert read({"source_type": word.upper()}).table["source_type"].to_pylist() == [meaning]


@pytest.mark.parametrize("basis", BASES)
def test_allocation_bases(read, basis):
    assert read({"allocation_basis": basis.upper()}).table["allocation_basis"].to_pylist() == [basis]


@pytest.mark.parametrize(
    ("word", "meaning"), [("true", True), ("Yes", True), ("1", True), ("FALSE", False), ("no", False), ("", None)]
)
def test_residual_permitted(read, word, meaning):
    assert read({"residual_permitted": word, "owner": "x"}).table["residual_permitted"].to_pylist() == [meaning]


def write_ipc(table, path):
    with pa.ipc.new_file(path, table.schema) as sink:
        sink.write_table(table)


@pytest.fixture
def table():
    """Two certificates with typed columns."""
    return pa.table(
        {
            "certificate_id": ["007", "b"],
            "energy_mwh": [0.000251, 2.5],
            "status": ["CANCELED", "CANCELLED"],
            "production_start": pa.array([datetime(2024, 1, 1)] * 2, pa.timestamp("us", "UTC")),
            "production_end": pa.array([datetime(2025, 1, 1), datetime(2024, 2, 1)], pa.timestamp("us", "UTC")),
            "source_type": ["solar", None],
            "capacity_mw": [1.5, None],
            "residual_permitted": [True, None],
        }
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda table: table,
        lambda table: table.to_reader(),
        lambda table: table.to_batches()[0],
        pl.from_arrow,
        lambda table: pl.from_arrow(table).with_columns(pl.col("status").cast(pl.Categorical)),
        lambda table: table.to_pandas(),
        lambda table: table.to_pandas().astype({"status": "category"}),
        lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
        lambda table: duckdb.connect().from_arrow(table),
    ],
    ids=["pyarrow", "reader", "batch", "polars", "categorical", "pandas", "category", "pandas-arrow", "duckdb"],
)
def test_every_arrow_object_reads_to_the_same_certificates(table, make):
    assert annual_from(make(table)).table.equals(annual_from(table).table)
    assert annual_from(table).table["energy_wh"].to_pylist() == [251, 2_500_000]


def test_every_file_kind_reads_to_the_same_certificates(table, tmp_path):
    pq.write_table(table, tmp_path / "p")
    write_ipc(table, tmp_path / "i")
    from pyarrow import csv

    csv.write_csv(table, tmp_path / "c")
    for name in "pic":
        assert read_annual(tmp_path / name).table.equals(annual_from(table).table)
        assert annual_from(str(tmp_path / name)).table.equals(annual_from(table).table)


def test_what_was_read_can_be_taken_again(table):
    annual = annual_from(table)
    assert annual_from(annual) is annual
    assert (len(annual), annual.num_rows) == (2, 2)
    again = annual_from(pa.RecordBatchReader.from_stream(annual))
    assert again.table.equals(annual.table)


def test_semicolons_and_a_byte_order_mark(write):
    path = write("\ufeff" + text_of({}, delimiter=";"))
    assert read_annual(path).table["certificate_id"].to_pylist() == ["A1"]


# --- findings, one test for each code, in order of precedence


@pytest.mark.parametrize(
    ("absent", "named"),
    [
        ("certificate_id", "certificate_id"),
        ("energy_wh", "energy_mwh"),
        ("status", "status"),
        ("year", "production_end"),
    ],
)
def test_missing_column(write, refusal, absent, named):
    rows = [line.split(",") for line in text_of({}).splitlines()]
    kept = [i for i, name in enumerate(rows[0]) if name != absent]
    path = write("\n".join(",".join(row[i] for i in kept) for row in rows))
    (finding,) = (finding for finding in refusal(read_annual, path) if finding["severity"] == "error")
    assert (finding["code"], finding["file"], finding["row"]) == ("missing_column", str(path), None)
    assert named in finding["message"]


def test_missing_column_energy_in_a_unit_of_power(read):
    codes = read({"energy_wh": None, "energy_mw": "5"}).findings.counts()
    assert codes["missing_column"] == 1


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("energy_wh", "total_mwh"),
        ("energy_mwh", "mwh"),
        ("certificate_id", "id"),
        ("status", "Status"),
        ("source", "source_type"),
        ("year", "vintage"),
    ],
)
def test_ambiguous_column(read, one, two):
    row = {one: GOOD.get(one, "1"), two: GOOD.get(two.lower(), "1")}
    row.update(dict.fromkeys({"energy_wh"} - set(row)) if "mwh" in two else {})
    (finding,) = (f for f in read(row).findings if f.code == "ambiguous_column")
    assert {one, two} <= set(finding.message.split())


def test_null_value_certificate_id(faults):
    found = faults({"certificate_id": ""}, {}, {"certificate_id": " "})
    assert found == [
        ("null_value", 0, 2, "certificate_id", None, None),
        ("null_value", 2, 4, "certificate_id", " ", None),
    ]


@pytest.mark.parametrize("column", ["energy_wh", "status", "year"])
def test_null_value_missing_is_null_zero_is_zero(faults, column):
    found = faults({column: ""}, {}, {column: ""})
    assert found == [("null_value", row, row + 2, column, None, f"A{row + 1}") for row in (0, 2)]


@pytest.mark.parametrize("empty", ["production_start", "production_end"])
def test_null_value_names_the_end_of_the_period_that_is_empty(faults, empty):
    row = {"year": None, "production_start": "2024-01-01T00:00Z", "production_end": "2024-02-01T00:00Z"}
    found = faults(row, {**row, empty: ""}, {**row, empty: ""})
    assert found == [("null_value", at, at + 2, empty, None, f"A{at + 1}") for at in (1, 2)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("energy_wh", "5 Wh"),
        ("energy_wh", "1.000.000"),
        ("energy_wh", "nan"),
        ("year", "24"),
        ("year", "2024-13"),
        ("year", "1889"),
        ("year", "0001-01"),
        ("year", "٢٠٢٤"),
        ("residual_permitted", "perhaps"),
        ("capacity_mw", "big"),
    ],
)
def test_unreadable_value(faults, column, value):
    good = {"residual_permitted": "yes", "capacity_mw": "1"}
    found = faults({**good, column: value}, good, {**good, column: value})
    assert found == [("unreadable_value", row, row + 2, column, value, f"A{row + 1}") for row in (0, 2)]


@pytest.mark.parametrize("column", ["production_start", "production_end"])
@pytest.mark.parametrize("value", ["soon", "31.12.2024 00:00", "1890-01-01T00:00Z", "9999-12-31T23:00"])
def test_unreadable_value_time(faults, column, value):
    row = {"year": None, "production_start": "2024-01-01T00:00Z", "production_end": "2024-02-01T00:00Z"}
    found = faults(row, {**row, column: value}, {**row, column: value}, zone="Europe/Berlin")
    assert found == [("unreadable_value", at, at + 2, column, value, f"A{at + 1}") for at in (1, 2)]


def test_nonexistent_time(faults):
    gap = "2024-03-31T02:30"
    row = {"year": None, "production_start": gap, "production_end": "2024-05-01T00:00", "zone": "Europe/Berlin"}
    found = faults(row, {**row, "zone": "UTC"}, row)
    assert found == [("nonexistent_time", at, at + 2, "production_start", gap, f"A{at + 1}") for at in (0, 2)]


def test_inexact_energy(faults):
    found = faults({"energy_wh": "0.5"}, {"energy_wh": "5.0"}, {"energy_wh": "1e-9"})
    assert found == [
        ("inexact_energy", at, at + 2, "energy_wh", text, f"A{at + 1}") for at, text in ((0, "0.5"), (2, "1e-9"))
    ]


@pytest.mark.parametrize(
    ("code", "column", "good"),
    [
        ("unknown_source_type", "source_type", "solar"),
        ("unknown_purpose", "purpose", "conversion"),
        ("unknown_basis", "allocation_basis", "flat"),
        ("unknown_status", "status", "CANCELED"),
        ("unknown_zone", "zone", "UTC"),
    ],
)
def test_unknown_source_type_purpose_basis_status_and_zone(faults, code, column, good):
    found = faults({column: "moon"}, {column: good}, {column: "moon"})
    assert found == [(code, row, row + 2, column, "moon", f"A{row + 1}") for row in (0, 2)]


@pytest.mark.parametrize("end", ["2024-01-01T00:00Z", "2023-12-31T23:59Z"])
def test_bad_period(faults, end):
    row = {"year": None, "production_start": "2024-01-01T00:00Z", "production_end": end}
    found = faults(row, {**row, "production_end": "2024-01-01T01:00Z"}, row)
    assert found == [("bad_period", at, at + 2, "production_end", end, f"A{at + 1}") for at in (0, 2)]


@pytest.mark.parametrize("value", ["0", "-1"])
def test_bad_capacity(faults, value):
    found = faults({"capacity_mw": value}, {"capacity_mw": "1"}, {"capacity_mw": value}, {"capacity_mw": ""})
    assert found == [("bad_capacity", at, at + 2, "capacity_mw", value, f"A{at + 1}") for at in (0, 2)]


def test_a_capacity_in_a_unit_of_energy_is_no_capacity(read):
    annual = read({"capacity_mwh": "4"})
    assert annual.table["capacity_w"].to_pylist() == [None]
    assert "ignored_column" in annual.findings.counts()


@pytest.mark.parametrize("status", [status for status in ANNUAL_STATUSES if status != "CANCELED"])
def test_not_canceled(faults, status):
    found = faults({"status": status}, {}, {"status": status})
    assert found == [("not_canceled", at, at + 2, "status", status, f"A{at + 1}") for at in (0, 2)]


def test_duplicate_certificate_every_later_row(faults):
    found = faults(*({"certificate_id": name} for name in "abacba"))
    assert found == [
        ("duplicate_certificate", row, row + 2, "certificate_id", name, name)
        for row, name in ((2, "a"), (4, "b"), (5, "a"))
    ]


@given(ids=st.lists(st.sampled_from(["a", "b", "c", " a", "A", "b c", "B\tc", "ß", "SS", ""]), min_size=1, max_size=30))
def test_duplicate_certificate_same_as_a_set(ids):
    count = len(ids)
    table = pa.table(
        {"certificate_id": ids, "energy_wh": [1] * count, "status": ["CANCELED"] * count, "year": [2024] * count}
    )
    found = annual_from(table, strict=False).findings
    seen, again = set(), []
    for row, name in enumerate(ids):
        compared = "".join(name.split()).upper()
        if compared in seen:
            again.append(row)
        seen |= {compared} - {""}
    assert [finding.row for finding in found if finding.code == "duplicate_certificate"] == again


@pytest.mark.parametrize("value", ["0", "-1", "-0.0"])
def test_non_positive_energy(faults, value):
    found = faults({"energy_wh": value}, {}, {"energy_wh": value})
    assert found == [("non_positive_energy", at, at + 2, "energy_wh", value, f"A{at + 1}") for at in (0, 2)]


def test_energy_over_limit_2_to_51_wh(faults):
    found = faults({"energy_wh": 2**51}, {"energy_wh": 2**51 + 1}, {"energy_wh": 2**63 - 1})
    assert found == [
        ("energy_over_limit", at, at + 2, "energy_wh", str(wh), f"A{at + 1}")
        for at, wh in ((1, 2**51 + 1), (2, 2**63 - 1))
    ]


def test_energy_over_limit_also_beyond_64_bits(faults):
    for energy in (2**63, 2**70, "1e300"):
        (found,) = faults({"energy_wh": energy})
        assert found[0] in {"energy_over_limit", "unreadable_value"}
        assert found[1:] == (0, 2, "energy_wh", str(energy), "A1")


def test_purpose_missing_in_some_rows(faults):
    found = faults({"purpose": ""}, {}, {"purpose": ""})
    assert found == [("purpose_missing", at, at + 2, "purpose", None, f"A{at + 1}") for at in (0, 2)]


def test_purpose_missing_as_a_column_is_one_finding(read):
    (finding,) = read({"purpose": None}, {"purpose": None}).findings
    assert (finding.code, finding.count, finding.row, finding.severity) == ("purpose_missing", 2, None, "warning")


def test_beneficiary_missing(faults):
    found = faults(
        {"purpose": "end_use", "beneficiary": ""},
        {"purpose": "end_use", "beneficiary": "B"},
        {"purpose": "end_use"},
        {},
    )
    assert found == [("beneficiary_missing", at, at + 2, "purpose", "end_use", f"A{at + 1}") for at in (0, 2)]


def test_beneficiary_missing_as_a_column(faults):
    assert [found[:2] for found in faults({"purpose": "end_use"}, {})] == [("beneficiary_missing", 0)]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_end_looks_inclusive(faults, zone):
    row = {"year": None, "production_start": "2024-01-01", "production_end": "2024-12-31", "zone": zone}
    found = faults(row, {**row, "production_end": "2025-01-01"}, {**row, "production_start": "2024-01-02"}, row)
    assert found == [("end_looks_inclusive", at, at + 2, "production_end", "2024-12-31", f"A{at + 1}") for at in (0, 3)]


@pytest.mark.parametrize(
    ("start", "end", "looks"),
    [
        ("2024-01-01", "2024-01-31", True),
        ("2024-02-01", "2024-02-29", True),
        ("2024-02-01", "2024-02-28", False),
        ("2023-02-01", "2023-02-28", True),
        ("2023-04-01", "2024-03-31", True),
        ("2024-01-01", "2024-06-30", True),
        ("2024-01-01", "2024-02-01", False),
        ("2024-01-15", "2024-01-31", False),
        ("2024-01-01", "2024-01-31T23:00", False),
        ("2024-01-01T06:00", "2024-01-31", False),
        ("2024-01-31", "2024-01-31T01:00", False),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata"])
def test_end_looks_inclusive_of_any_period_that_begins_with_a_month(faults, start, end, looks, zone):
    found = faults({"year": None, "production_start": start, "production_end": end, "zone": zone})
    assert [code for code, *_ in found] == ["end_looks_inclusive"] * looks


def test_ignored_column(read):
    findings = read({"enrgy_mwh": "5", "colour": "red"}).findings
    assert [(f.code, f.column, f.severity) for f in findings] == [
        ("ignored_column", "enrgy_mwh", "info"),
        ("ignored_column", "colour", "info"),
    ]


def test_findings_come_in_order_of_precedence_and_every_row_is_named(faults):
    found = faults(
        {"energy_wh": "0", "purpose": "", "status": "RETIRED"},
        {"energy_wh": "x", "source_type": "moon"},
        {"certificate_id": "A1", "energy_wh": ""},
    )
    assert [(code, row) for code, row, *_ in found] == [
        ("null_value", 2),
        ("unreadable_value", 1),
        ("unknown_source_type", 1),
        ("not_canceled", 0),
        ("duplicate_certificate", 2),
        ("non_positive_energy", 0),
        ("purpose_missing", 0),
    ]


def test_of_several_faults_in_one_cell_the_first_is_reported(faults):
    row = {"year": None, "production_start": "2024-01-01T00:00Z", "production_end": "nope", "purpose": "moon"}
    assert [(code, column) for code, _, _, column, *_ in faults(row)] == [
        ("unreadable_value", "production_end"),
        ("unknown_purpose", "purpose"),
    ]


def test_findings_of_a_table_in_memory_name_its_rows(table, refusal):
    bad = table.set_column(1, "energy_mwh", pa.array(["x", "y"]))
    found = [finding for finding in refusal(annual_from, bad) if finding["severity"] == "error"]
    assert [(f["row"], f["line"], f["file"], f["value"]) for f in found] == [(0, None, None, "x"), (1, None, None, "y")]


def test_lines_are_right_after_blank_lines(write, refusal):
    path = write("\n" + text_of({}, {"energy_wh": "x"}).replace("\n", "\r\n\r\n"))
    assert [finding["line"] for finding in refusal(read_annual, path)] == [6]


def test_what_convert_decides_is_read_and_kept(read):
    annual = read({"status": "RETIRED"}, {"energy_wh": "0"}, {"energy_wh": 2**52}, {"certificate_id": "A1"})
    assert {finding.code for finding in annual.findings.of("error")} == CONVERT_DECIDES - {"bad_capacity"}
    assert len(annual) == 4


def test_a_wrong_default_zone_is_a_usage_error(write):
    with pytest.raises(UsageError, match="Mars"):
        read_annual(write(text_of({})), zone="Mars/Base")


@pytest.mark.parametrize("rows", [1, 3000])
def test_every_bad_row_is_listed_however_many(rows, refusal):
    ids = [f"A{row}" for row in range(rows)]
    columns = {"certificate_id": ids, "energy_wh": ["x"] * rows, "status": ["CANCELED"] * rows, "year": ["2024"] * rows}
    found = [finding for finding in refusal(annual_from, pa.table(columns)) if finding["code"] == "unreadable_value"]
    assert [finding["row"] for finding in found] == list(range(rows))


def test_energy_column_is_never_a_float(table):
    assert annual_from(table).table["energy_wh"].to_numpy().dtype == np.int64


def test_codes_and_their_precedence_are_unique():
    names = [finding.name for finding in FINDINGS]
    assert len(set(names)) == len(names)
    assert {finding.severity for finding in FINDINGS} == {"error", "warning", "info"}


def serials(issuer, prefix, first, last):
    return {"issuer": issuer, "serial_prefix": prefix, "serial_start": first, "serial_end": last}


def test_serial_ranges_of_one_registry_do_not_overlap(faults):
    rows = (
        serials("A", "p", "1", "100"),
        serials("A", "p", "101", "200"),
        serials("A", "q", "1", "100"),
        serials("B", "p", "1", "100"),
        serials("A", "p", "100", "100"),
        serials("A", "p", "5", "7"),
    )
    found = faults(*({"certificate_id": f"C{at}"} | row for at, row in enumerate(rows)))
    assert [(code, row, value) for code, row, _, _, value, _ in found] == [
        ("serial_overlap", 4, "100"),
        ("serial_overlap", 5, "5"),
    ]


def test_serial_ranges_that_overlap_name_the_other_line(read):
    rows = ({"certificate_id": f"C{at}"} | serials("A", "p", "1", "9") for at in range(2))
    (found,) = read(*rows).findings.of("error")
    assert (found.line, found.row) == (3, 1)
    assert found.message.endswith("overlaps with the one of line 2")
    table = pa.table(
        {"certificate_id": ["A", "B"], "energy_wh": [1, 1], "status": ["CANCELED"] * 2, "year": [2024] * 2}
    )
    for name in ("serial_start", "serial_end"):
        table = table.append_column(name, pa.array([5, 5]))
    (found,) = annual_from(table, strict=False).findings.of("error")
    assert found.message.endswith("overlaps with the one of row 0")


def test_small_letters_and_blanks_make_no_other_serial_numbers(faults):
    rows = (serials("A", "NVC 2023 ", "1", "100"), serials("B", "nvc2023", "100", "100"))
    found = faults(*({"certificate_id": f"C{at}"} | row for at, row in enumerate(rows)))
    assert [(code, row) for code, row, *_ in found] == [("serial_overlap", 1)]


def test_small_letters_and_blanks_make_no_other_issuer(faults):
    """Numbers with a short prefix are compared within an issuer: `Ofgem` and `OFGEM` were two."""
    rows = (serials("Issuing Body", "p", "1", "100"), serials("issuing  body", "p", "100", "100"))
    found = faults(*({"certificate_id": f"C{at}"} | row for at, row in enumerate(rows)))
    assert [(code, row) for code, row, *_ in found] == [("serial_overlap", 1)]


@pytest.mark.parametrize(("first", "last"), [("7", "6"), ("7", ""), ("", "7"), ("-1", "3")])
def test_a_serial_range_has_both_ends_in_order(faults, first, last):
    (fault,) = faults(serials("A", "p", first, last))
    assert fault[0] == "bad_serial"


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 12), st.integers(0, 4)), max_size=7))
def test_every_row_that_overlaps_another_is_paired_with_one(spans):
    ranges = [(space, (low, low + size)) for space, low, size in spans]
    found = overlaps(ranges)

    def meet(one, two):
        (space, (low, high)), (other, (start, end)) = ranges[one], ranges[two]
        return space == other and low <= end and start <= high

    assert all(meet(later, earlier) and later > earlier for later, earlier in found)
    count = len(ranges)
    assert bool(found) is any(meet(one, two) for one in range(count) for two in range(one))
