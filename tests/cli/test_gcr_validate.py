"""`gcr validate`: the verdict, its exit code, and every finding in JSON and files."""

import json

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

ANNUAL = ("--annual", "annual.csv")


@pytest.fixture
def broken(hourly):
    """Hours of A-1 with 5 Wh too many in one of them."""
    table = pq.read_table(hourly)
    more = pc.add(table["energy_wh"], pa.array([5] + [0] * (table.num_rows - 1)))
    position = table.schema.get_field_index("energy_wh")
    pq.write_table(table.set_column(position, table.schema.field(position), more), "broken.parquet")
    return "broken.parquet"


def test_valid(gcr, hourly):
    shown = gcr("validate", hourly, *ANNUAL).stdout
    assert "passed" in shown
    assert shown.rstrip().endswith("valid")
    assert "no profiles given" in shown


def test_profiles_turn_on_the_quota_rule(gcr_json, hourly):
    said = gcr_json("validate", hourly, *ANNUAL, "--profiles", "shipped")
    outcome = {check["name"]: check["outcome"] for check in said["checks"]}
    assert outcome["every hour is floor or ceiling of its share"] == "passed"
    assert said["ok"]
    assert said["totals"]["issued_wh"] == 1_012_345_678


def test_a_folder_of_parts(gcr):
    gcr("convert", "annual.csv", "--profiles", "shipped", "--out", "parts", "--quiet")
    gcr("validate", "parts", *ANNUAL)


def test_invalid_is_exit_code_1(gcr, gcr_json, broken):
    shown = gcr("validate", broken, *ANNUAL, code=1).stdout
    assert "total_mismatch" in shown
    assert "not valid: 1 error" in shown
    assert gcr_json("validate", broken, *ANNUAL, code=1)["ok"] is False


def test_tolerance(gcr, broken):
    gcr("validate", broken, *ANNUAL, "--tolerance-wh", 5)
    gcr("validate", broken, *ANNUAL, "--tolerance-wh", 4, code=1)
    gcr("validate", broken, *ANNUAL, "--tolerance-wh", -1, code=2)


def test_capacity_margin(gcr, gcr_json, folder):
    (folder / "day.csv").write_text(
        "certificate_id,energy_wh,production_start,production_end,status,capacity_w\n"
        "D,2400,2024-01-01T00:00Z,2024-01-02T00:00Z,CANCELED,95\n"
    )
    gcr("convert", "day.csv", "--profile-from-total", "flat", "--out", "h.parquet", "--quiet")
    assert gcr_json("validate", "h.parquet", "--annual", "day.csv")["ok"]
    said = gcr_json("validate", "h.parquet", "--annual", "day.csv", "--capacity-margin", "1.0", code=1)
    assert [row["code"] for row in said["findings"] if row["severity"] == "error"] == ["over_capacity"] * 24


def test_zone_of_naive_hours(gcr, folder):
    (folder / "y.csv").write_text(
        "certificate_id,energy_wh,production_start,production_end,status,purpose\n"
        "D,2,2024-01-01T00:00,2024-01-01T02:00,CANCELED,conversion\n"
    )
    (folder / "h.csv").write_text(
        "parent_certificate_id,production_start,energy_wh,interval_s,status\n"
        "D,2024-01-01T00:00,1,3600,ACTIVE\nD,2024-01-01T01:00,1,3600,ACTIVE\n"
    )
    gcr("validate", "h.csv", "--annual", "y.csv", code=1)
    gcr("validate", "h.csv", "--annual", "y.csv", "--zone", "Europe/Berlin")


def test_unit_label_and_intervals_reach_the_profile(gcr_json, folder):
    (folder / "d.csv").write_text(
        "certificate_id,energy_wh,production_start,production_end,status,profile,allocation_basis,purpose\n"
        "D,8,2024-01-01T00:00Z,2024-01-01T02:00Z,CANCELED,p,metered_hourly,conversion\n"
    )
    times = ("00:15", "00:30", "00:45", "01:00", "01:15", "01:30", "01:45", "02:00")
    (folder / "p.csv").write_text("time,p\n" + "".join(f"2024-01-01T{time}Z,1\n" for time in times))
    how = ("--profiles", "p.csv", "--label", "end", "--unit", "Wh", "--keep-intervals")
    assert gcr_json("convert", "d.csv", *how, "--out", "h.parquet")["hourly_certificates"] == 8
    assert gcr_json("validate", "h.parquet", "--annual", "d.csv", *how)["ok"]


@pytest.mark.parametrize("suffix", ["json", "csv", "parquet", "arrow"])
def test_findings_file(gcr, folder, broken, suffix):
    name = f"f.{suffix}"
    gcr("validate", broken, *ANNUAL, "--findings", name, code=1)
    content = (folder / name).read_bytes()
    rows = {
        "json": lambda: json.loads(content),
        "csv": lambda: content.decode().splitlines()[1:],
        "parquet": lambda: pq.read_table(name).to_pylist(),
        "arrow": lambda: pa.ipc.open_file(name).read_all().to_pylist(),
    }[suffix]()
    assert len(rows) == 1


def test_many_findings_are_cut_in_text_but_not_in_json(gcr, gcr_json, folder, hourly):
    lines = (folder / "annual.csv").read_text()
    extra = "".join(f"X-{row},1,2020,UTC,solar,flat,CANCELED,conversion,Eve\n" for row in range(30))
    (folder / "more.csv").write_text(lines + extra)
    assert "10 more; --json or --findings FILE" in gcr("validate", hourly, "--annual", "more.csv", code=1).stdout
    said = gcr_json("validate", hourly, "--annual", "more.csv", code=1)
    assert [row["code"] for row in said["findings"]] == ["parent_without_hours"] * 30


def test_files_that_cannot_be_read(gcr, gcr_json, hourly):
    assert "cannot open nope.csv" in gcr("validate", hourly, "--annual", "nope.csv", code=1).stderr
    assert gcr_json("validate", "nope.parquet", *ANNUAL, code=1)["findings"][0]["code"] == "missing_file"
    gcr("validate", hourly, code=2)
    gcr("validate", hourly, *ANNUAL, "--findings", "f.xlsx", code=2)


def test_csv_carries_no_metadata_so_what_it_lacks_can_be_named(gcr, folder):
    (folder / "unnamed.csv").write_text("certificate_id,energy_mwh,year,status\nA-1,12.345678,2020,CANCELED\n")
    made = ("--unit-wh", "kWh", "--profile", "flat")
    gcr("convert", "unnamed.csv", *made, "--out", "whole.csv", "--quiet")
    check = ("validate", "whole.csv", "--annual", "unnamed.csv", "--profiles", "shipped")
    gcr(*check, code=1)
    gcr(*check, *made)
