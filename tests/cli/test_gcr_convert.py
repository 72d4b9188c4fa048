"""`gcr convert`: every option, refusals, and that a refusal leaves nothing behind."""

import json
from datetime import date
from itertools import pairwise

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from gcr_cli.options import DISTRIBUTIONS
from oracle.eia import fuel_pages
from oracle.opsd import opsd

from gcr_fast import profiles

SHIPPED = ("--profiles", "shipped")
WH = 1_012_345_678

pytestmark = pytest.mark.usefixtures("folder")


def energies(path):
    """Wh by parent, as DuckDB reads them."""
    return dict(duckdb.sql(f"SELECT parent_certificate_id, sum(energy_wh)::BIGINT FROM '{path}' GROUP BY 1").fetchall())


def errors(said):
    """Return the codes of the errors."""
    return [finding["code"] for finding in said["findings"] if finding["severity"] == "error"]


@pytest.fixture
def day(folder, day_of):
    """Write one certificate over one day as day.csv, and its profile `mine` as mine.csv; return the former's name."""
    (folder / "mine.csv").write_text(day_of(range(24)))

    def written(energy="24", **columns):
        more = "".join(f",{name}" for name in columns)
        values = "".join(f",{value}" for value in columns.values())
        (folder / "day.csv").write_text(
            f"certificate_id,energy_wh,production_start,production_end,status{more}\n"
            f"D,{energy},2024-01-01T00:00Z,2024-01-02T00:00Z,CANCELED{values}\n"
        )
        return "day.csv"

    return written


def test_conserves_energy_and_says_so(gcr):
    shown = gcr("convert", "annual.csv", *SHIPPED, "--out", "hourly.parquet").stdout
    assert energies("hourly.parquet") == {"A-1": 12_345_678, "A-2": 1_000_000_000}
    assert "1,012.345678 MWh" in shown
    assert "solar" in shown
    assert "hourly certificates/s" in shown
    assert "bytes a certificate" in shown


def test_json_is_one_document_in_wh(gcr_json):
    said = gcr_json("convert", "annual.csv", *SHIPPED, "--out", "hourly.parquet")
    assert said["ok"] is True
    assert said["totals"]["energy_wh"] == said["totals"]["issued_wh"] == WH
    assert said["hourly_certificates"] == pq.read_metadata("hourly.parquet").num_rows
    assert [row["source_type"] for row in said["by_source"]] == ["solar", "wind_onshore"]
    assert said["findings"] == []


@pytest.mark.parametrize("name", ["h.parquet", "h.arrow", "h.csv", "parts"])
def test_every_kind_of_output(gcr, folder, name):
    gcr("convert", "annual.csv", *SHIPPED, "--out", name, "--quiet")
    read = {
        ".parquet": pq.read_table,
        ".arrow": lambda path: pa.ipc.open_file(path).read_all(),
        ".csv": pa.csv.read_csv,
        "": pq.read_table,
    }[(folder / name).suffix]
    assert sum(read(name)["energy_wh"].to_pylist()) == WH


def test_format_of_parts(gcr, folder):
    gcr("convert", "annual.csv", *SHIPPED, "--out", "parts", "--format", "csv", "--quiet")
    assert [path.suffix for path in (folder / "parts").iterdir()] == [".csv"]


@pytest.mark.parametrize("method", ["cumulative", "largest-remainder"])
def test_method_is_recorded(gcr_json, method):
    said = gcr_json("convert", "annual.csv", *SHIPPED, "--out", "h.parquet", "--method", method)
    assert said["metadata"]["gcr_fast.method"] == method
    assert said["totals"]["issued_wh"] == WH


def test_zone_reads_profiles_and_years(gcr, folder):
    (folder / "year.csv").write_text("certificate_id,energy_mwh,year,status\nY,1,2023,CANCELED\n")
    gcr("convert", "year.csv", "--profile-from-total", "flat", "--out", "h.parquet", "--zone", "Europe/Berlin")
    starts = pq.read_table("h.parquet")["production_start"].to_pylist()
    assert starts[0].isoformat() == "2022-12-31T23:00:00+00:00"
    assert len(starts) == 8760


def test_naive_profile_needs_a_zone(gcr, folder, day, day_of):
    annual = day(profile="mine")
    given = ("convert", annual, "--profiles", "naive.csv", "--out", "h.parquet")
    (folder / "naive.csv").write_text(day_of(range(1, 25), zone=""))
    assert "naive_time" in gcr(*given, code=1).stderr
    gcr(*given, "--zone", "UTC")


def test_unit_and_label(gcr_json, folder, day):
    annual = day(profile="mine", allocation_basis="metered_hourly")
    (folder / "ends.csv").write_text(
        "time,mine\n" + "".join(f"2024-01-{1 + h // 24:02d}T{h % 24:02d}:00Z,1\n" for h in range(1, 25))
    )
    given = ("convert", annual, "--profiles", "ends.csv", "--out", "h.parquet", "--label", "end")
    assert errors(gcr_json(*given, code=1)) == ["meter_without_energy"]
    assert gcr_json(*given, "--unit", "Wh")["totals"]["nonzero_hours"] == 24


def test_keep_intervals(gcr_json, folder, day):
    annual = day(energy="96", profile="quarters")
    rows = (f"2024-01-01T{q // 4:02d}:{q % 4 * 15:02d}Z,1" for q in range(96))
    (folder / "quarters.csv").write_text("start,energy_wh\n" + "\n".join(rows) + "\n")
    given = ("convert", annual, "--profiles", "quarters.csv", "--out", "h.parquet")
    assert gcr_json(*given)["hourly_certificates"] == 24
    assert gcr_json(*given, "--keep-intervals")["hourly_certificates"] == 96


def test_profile_serves_certificates_that_name_none(gcr_json, day):
    annual = day()
    given = ("convert", annual, "--profiles", "mine.csv", "--out", "h.parquet", "--unit", "Wh")
    assert errors(gcr_json(*given, code=1)) == ["no_profile"]
    assert gcr_json(*given, "--profile", "mine")["totals"]["issued_wh"] == 24


@pytest.mark.parametrize("shape", DISTRIBUTIONS)
def test_profile_from_total_needs_no_file(gcr_json, shape, day):
    said = gcr_json("convert", day(), "--profile-from-total", shape, "--out", "h.parquet")
    assert said["totals"]["issued_wh"] == 24
    assert said["metadata"]["gcr_fast.allocation_basis"] == "flat"


def test_distributions_are_those_of_the_library():
    assert DISTRIBUTIONS == profiles.DISTRIBUTIONS


@pytest.mark.parametrize(("word", "issued"), [("Wh", 2400), ("1", 2400), ("kWh", 2000), ("1000", 2000)])
def test_unit_wh(gcr_json, word, issued, day):
    annual = day(energy="2400", profile="flat")
    said = gcr_json("convert", annual, "--profile-from-total", "flat", "--out", "h.parquet", "--unit-wh", word)
    assert said["totals"]["issued_wh"] == issued
    assert said["totals"]["residual_wh"] == 2400 - issued


def test_zero_hours(gcr_json, day):
    given = ("convert", day(profile="mine"), "--profiles", "mine.csv", "--out", "h.parquet")
    assert gcr_json(*given)["hourly_certificates"] < 24
    assert gcr_json(*given, "--keep-zero-hours")["hourly_certificates"] == 24


def test_certificate_ids(gcr, day):
    gcr("convert", day(), "--profile-from-total", "flat", "--out", "h.parquet", "--certificate-ids")
    assert pq.read_table("h.parquet")["certificate_id"][0].as_py() == "HOURLY-D-2024010100"


def test_capacity_margin(gcr_json, day):
    annual = day(energy="2400", profile="flat", capacity_w="95")
    given = ("convert", annual, "--profile-from-total", "flat", "--out", "h.parquet")
    assert gcr_json(*given)["ok"]
    assert errors(gcr_json(*given, "--capacity-margin", "1", code=1)) == ["over_capacity"]


def test_capacity_margin_is_a_number(gcr, day):
    given = ("convert", day(), "--profile-from-total", "flat", "--out", "h.parquet")
    assert "must be a number" in gcr(*given, "--capacity-margin", "x", code=2).stderr


def test_threads_do_not_matter(gcr, folder):
    for threads in (1, 3):
        gcr("convert", "annual.csv", *SHIPPED, "--out", f"{threads}.parquet", "--threads", threads, "--quiet")
    assert (folder / "1.parquet").read_bytes() == (folder / "3.parquet").read_bytes()


@pytest.mark.parametrize("suffix", ["json", "csv", "parquet"])
def test_report_and_findings_files(gcr, folder, suffix, day):
    out = ("--out", "h.parquet", "--report", f"report.{suffix}", "--findings", f"findings.{suffix}")
    gcr("convert", day(), "--profile-from-total", "flat", *out)
    report = read_any(folder / f"report.{suffix}")
    assert [row["issued_wh"] for row in report] == [24]
    assert [row["code"] for row in read_any(folder / f"findings.{suffix}")] == ["purpose_missing"]


def read_any(path):
    if path.suffix == ".json":
        return json.loads(path.read_text())
    return {".csv": pa.csv.read_csv, ".parquet": pq.read_table}[path.suffix](path).to_pylist()


def test_warnings_are_counted_in_the_summary(gcr, day):
    shown = gcr("convert", day(), "--profile-from-total", "flat", "--out", "h.parquet").stdout
    assert "purpose_missing" in shown


def test_quiet_prints_nothing(gcr):
    result = gcr("convert", "annual.csv", *SHIPPED, "--out", "h.parquet", "--quiet")
    assert (result.stdout, result.stderr) == ("", "")


def test_refusal_lists_everything_and_leaves_nothing(gcr, folder):
    before = sorted(folder.iterdir())
    result = gcr("convert", "bad.csv", *SHIPPED, "--out", "h.parquet", "--report", "r.json", code=1)
    for word in ("inexact_energy", "not_canceled", "no_profile", "did you mean AT-2020-wind_onshore", "line 3"):
        assert word in result.stderr
    assert result.stdout == ""
    assert sorted(folder.iterdir()) == before


def test_refusal_as_json_and_in_a_file(gcr_json, folder):
    said = gcr_json("convert", "bad.csv", *SHIPPED, "--out", "h.parquet", "--findings", "why.json", code=1)
    assert said["ok"] is False
    assert {row["code"] for row in said["findings"]} >= {"inexact_energy", "not_canceled", "no_profile"}
    assert all(row["hint"] for row in said["findings"])
    assert json.loads((folder / "why.json").read_text()) == said["findings"]
    assert not (folder / "h.parquet").exists()


def test_one_refusal_for_all_files(gcr_json):
    files = ("--profiles", "nope.csv", "--profiles", "nor.csv", "--profiles", "shipped")
    said = gcr_json("convert", "bad.csv", *files, "--out", "h.parquet", code=1)
    assert [row["file"] for row in said["findings"] if row["code"] == "missing_file"] == ["nope.csv", "nor.csv"]
    assert {row["file"] for row in said["findings"]} == {"nope.csv", "nor.csv", "bad.csv"}


def test_pages_of_one_answer_are_profiles_together(gcr, gcr_json, folder, day):
    annual = day(energy=24_000, profile="BPAT-wind")
    pages = fuel_pages("BPAT", "2024-01-01", {"SUN": range(24), "WND": [7] * 24}, 10)
    for at, text in enumerate(pages):
        (folder / f"{at}.json").write_text(text)
    files = [word for at in range(len(pages)) for word in ("--profiles", f"{at}.json")]
    gcr("convert", annual, *files, "--out", "h.parquet", "--quiet")
    assert pq.read_table("h.parquet")["energy_wh"].to_pylist() == [1000] * 24
    refused = gcr_json("convert", annual, *files[:-2], "--out", "i.parquet", code=1)
    assert "40 of the 48 rows of one answer" in refused["findings"][0]["message"]
    assert not (folder / "i.parquet").exists()


def test_months_of_one_year_are_a_profile_together(gcr, folder):
    starts = [date(2023, month, 1) for month in range(1, 13)] + [date(2024, 1, 1)]
    for month, following in pairwise(starts):
        solar = ["2"] * 24 * (following - month).days
        (folder / f"{month:%m}.csv").write_text(opsd(str(month), {"XX_solar_generation_actual": solar}))
    (folder / "year.csv").write_text("certificate_id,energy_wh,year,status,profile\nY,8760,2023,CANCELED,XX-solar\n")
    files = [word for month in range(12, 0, -1) for word in ("--profiles", f"{month:02}.csv")]
    gcr("convert", "year.csv", *files, "--out", "h.parquet", "--quiet")
    assert pq.read_table("h.parquet")["energy_wh"].to_pylist() == [1] * 8760
    assert "lacks 744 of the 8760" in gcr("convert", "year.csv", *files[2:], "--out", "i.parquet", code=1).stderr


def whole(text):
    return text


def cut_short(text):
    """Cut a text inside its last number."""
    return text.rstrip("\n")[:-1]


@pytest.mark.parametrize(("change", "count"), [(whole, 0), (cut_short, 1)])
@pytest.mark.parametrize("form", ["public", "own"])
def test_a_profile_file_that_may_be_cut_off_is_told(form, change, count, gcr, gcr_json, folder, day, day_of):
    text = opsd("2024-01-01", {"XX_solar_generation_actual": ["100"] * 24}) if form == "public" else day_of([100] * 24)
    (folder / "mine.csv").write_text(change(text))
    given = ["convert", day(profile="XX-solar" if form == "public" else "mine"), "--profiles", "mine.csv"]
    told = [one for one in gcr_json(*given, "--out", "a.parquet")["findings"] if one["code"] == "reading_note"]
    assert len(told) == count
    assert all(one["severity"] == "warning" and one["file"].endswith("mine.csv") for one in told)
    assert ("last number" in " ".join(gcr(*given, "--out", "b.parquet").stdout.split())) == bool(count)


def test_rows_and_columns_that_a_profile_file_has_in_vain_are_told(gcr_json, folder, day):
    text = opsd("2024-01-01", {"XX_solar_generation_actual": ["100"] * 24, "XX_solar_capacity": ["5"] * 24})
    (folder / "mine.csv").write_text(text)
    said = gcr_json("convert", day(profile="XX-solar"), "--profiles", "mine.csv", "--out", "a.parquet")
    (left,) = (one for one in said["findings"] if one["code"] == "series_left_out")
    assert "XX_solar_capacity" in left["message"]


def test_many_errors_are_cut_in_text_but_not_in_json(gcr, gcr_json, folder):
    rows = "".join(f"M-{row},1,2020,ISSUED\n" for row in range(50))
    (folder / "many.csv").write_text("certificate_id,energy_mwh,year,status\n" + rows)
    given = ("convert", "many.csv", "--profile-from-total", "flat", "--out", "h.parquet")
    assert "and 30 more" in gcr(*given, code=1).stderr
    assert len([row for row in gcr_json(*given, code=1)["findings"] if row["code"] == "not_canceled"]) == 50


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("annual.csv", "--out", "h.parquet"), "give --profiles FILE"),
        (("annual.csv", *SHIPPED), "--out"),
        (("annual.csv", *SHIPPED, "--out", "h.txt"), ".parquet, .arrow or .csv"),
        (("annual.csv", *SHIPPED, "--out", "h.parquet", "--method", "guess"), "guess"),
        (("annual.csv", *SHIPPED, "--out", "h.parquet", "--unit-wh", "7"), "7"),
        (("annual.csv", *SHIPPED, "--out", "h.parquet", "--threads", "0"), "threads"),
        (("annual.csv", *SHIPPED, "--out", "h.parquet", "--zone", "Mars/North"), "Mars/North"),
        (("annual.csv", *SHIPPED, "--out", "h.parquet", "--report", "r.txt"), "must end in"),
        (("annual.csv", *SHIPPED, "--out", "annual.csv"), "is an input"),
        (("annual.csv", *SHIPPED, "--out", "h.parquet", "--report", "h.parquet"), "same name"),
        (("annual.csv", "--out", "h.parquet", "--profile", "x", "--profile-from-total", "flat"), "not both"),
        (("annual.csv", "--profiles", "generation.csv", "--unit", "horses", "--out", "h.parquet"), "horses"),
    ],
)
def test_misuse_is_exit_code_2(gcr, folder, words, said):
    before = sorted(folder.iterdir())
    assert said in gcr("convert", *words, code=2).stderr
    assert sorted(folder.iterdir()) == before


def test_an_output_that_cannot_be_written(gcr, folder):
    assert "no folder" in gcr("convert", "annual.csv", *SHIPPED, "--out", "no/h.parquet", code=1).stderr
    (folder / "full").mkdir()
    (folder / "full" / "file").touch()
    assert "not empty" in gcr("convert", "annual.csv", *SHIPPED, "--out", "full", code=1).stderr
    (folder / "f.json").mkdir()
    where = ("--out", "h.parquet", "--findings", "f.json")
    assert "cannot write f.json" in gcr("convert", "bad.csv", *SHIPPED, *where, code=1).stderr


@pytest.mark.parametrize("hours", [3, 4])  # the gap is the end of the profile, or inside of it
def test_a_refusal_shows_what_was_assumed_of_profile_files(gcr, folder, hours):
    """Rows of an hour that nothing tells apart are not read; the refusal said "no rows", and nothing of this."""
    rows = [f"{name},2024-10-27T0{hour}:00:00,{100 + hour}" for hour in range(hours) for name in ("WIND", "SUN")]
    (folder / "meters.csv").write_text("\n".join(["metering_point,period_start,quantity", *rows]) + "\n")
    (folder / "units.csv").write_text("unit,fuel\nWIND,wind\nSUN,solar\n")
    head = "certificate_id,energy_wh,production_start,production_end,status,profile"
    (folder / "w.csv").write_text(f"{head}\nW,1000,2024-10-26T22:00Z,2024-10-27T02:00Z,CANCELED,WIND\n")
    more = ("--zone", "Europe/Berlin", "--units", "units.csv", "--out", "h.parquet")
    refused = gcr("convert", "w.csv", "--profiles", "meters.csv", *more, code=1).stderr
    assert "[incomplete_profile]" in refused
    (note,) = [line for line in refused.splitlines() if line.startswith("  note: ")]
    assert note.startswith("  note: meters.csv: ")
    assert "an hour that happens twice" in note
    (folder / "bad_energy.csv").write_text(f"{head}\nW,x,2024-10-26T22:00Z,2024-10-26T23:00Z,CANCELED,WIND\n")
    other = gcr("convert", "bad_energy.csv", "--profiles", "meters.csv", *more, code=1).stderr
    assert "note:" not in other
