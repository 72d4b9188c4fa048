"""`gcr import generation` and `gcr import formats`, as a user calls them."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from oracle.opsd import opsd

EXAMPLES = Path(__file__).parents[1] / "sources" / "examples"
SOLAR, LOAD = "XX_solar_generation_actual", "XX_load_actual_entsoe_transparency"


@pytest.fixture
def opsd_file(folder):
    """Two days around a clock change; an hour is missing, an hour is negative."""
    solar = ["1.5"] * 48
    solar[7], solar[8] = "", "-0.25"
    (folder / "opsd.csv").write_text(
        opsd("2024-03-30", {SOLAR: solar, LOAD: ["9"] * 48, "XX_solar_capacity": ["5"] * 48})
    )
    return "opsd.csv"


def test_the_summary_says_what_is_in_a_file(gcr, opsd_file):
    text = gcr("import", "generation", opsd_file).stdout
    assert max(map(len, text.splitlines())) <= 80
    for said in (
        "opsd",
        "48",
        "XX-solar",
        "generation",
        "XX-load",
        "load",
        "no energy: XX_solar_capacity",
        "intervals below 0",
        "-0.25",
    ):
        assert said in text, said
    assert "null_value" in text


def test_long_names_and_large_figures_break_no_word_of_a_role(gcr, folder):
    name = "DE_AMPRION_SOUTH_AND_BATTERIES_BEHIND_ONE_METER"
    columns = {f"{name}_solar_generation_actual": ["-1234567.25"] * 48}
    (folder / "opsd.csv").write_text(opsd("2024-03-30", columns))
    text = gcr("import", "generation", "opsd.csv").stdout
    assert max(map(len, text.splitlines())) <= 80
    for said in (" generation 1 h", "-59,259,228"):
        assert said in text, said


def test_a_shape_is_not_told_in_mwh(gcr, folder):
    rows = "".join(f"2019-01-01 {hour:02}:00:00,0.1,0.2,0.3\n" for hour in range(24))
    head = "# Renewables.ninja Wind (Country)\n# Units: capacity factor\ntime,national,onshore,offshore\n"
    (folder / "wind.csv").write_text(head + rows)
    assert "a shape, no energy" in gcr("import", "generation", "wind.csv").stdout


def test_an_import_is_written_and_converted(gcr, opsd_file, folder):
    gcr("import", "generation", opsd_file, "--out", "profiles.parquet", "--quiet")
    assert pq.read_table(folder / "profiles.parquet").num_rows == 96
    (folder / "one.csv").write_text(
        "certificate_id,energy_wh,production_start,production_end,profile,status\n"
        "A,1000,2024-03-31T00:00Z,2024-04-01T00:00Z,XX-solar,CANCELED\n"
    )
    for profiles in ("profiles.parquet", opsd_file):  # imported before, or read as it came
        gcr("convert", "one.csv", "--profiles", profiles, "--out", "hourly.parquet", "--quiet")
        assert sum(pq.read_table(folder / "hourly.parquet")["energy_wh"].to_pylist()) == 1000


SAID = "a CSV has no place for hashes and attribution of its sources"


@pytest.mark.parametrize(("name", "said"), [("p.csv", True), ("p.parquet", False), ("p.arrow", False)])
def test_a_csv_that_loses_hashes_and_attribution_says_so(gcr, gcr_json, opsd_file, name, said):
    command = ("import", "generation", opsd_file, "--out", name)
    assert (SAID in " ".join(gcr(*command).stdout.split())) == said
    told = gcr_json(*command)["files"][0]
    assert len(told["sha256"]) == 64
    assert "Open Power System Data" in told["attribution"]
    list_of = ("import", "certificates", "regos.csv", "--out", name)
    assert (SAID in " ".join(gcr(*list_of).stdout.split())) == said
    hours = ("convert", name, "--profile", "flat", "--out", f"hours-{name}")
    assert (SAID in " ".join(gcr(*hours).stdout.split())) == said


def test_what_was_filled_needs_permission(gcr, opsd_file, folder):
    gcr("import", "generation", opsd_file, "--fill", "interpolate", "--out", "profiles.parquet", "--quiet")
    (folder / "one.csv").write_text(
        "certificate_id,energy_wh,production_start,production_end,profile,status\n"
        "A,1000,2024-03-30T00:00Z,2024-03-31T00:00Z,XX-solar,CANCELED\n"
    )
    command = ("convert", "one.csv", "--profiles", "profiles.parquet", "--out", "hourly.parquet")
    refused = gcr(*command, code=1)
    assert "estimated_interval" in refused.stderr
    assert "--allow-estimated" in refused.stderr
    assert not (folder / "hourly.parquet").exists()
    assert "estimated_allowed" in gcr(*command, "--allow-estimated").stdout


def test_json_has_every_figure(gcr_json, opsd_file):
    told = gcr_json("import", "generation", opsd_file)
    (solar,) = [one for one in told["series"] if one["name"] == "XX-solar"]
    assert (solar["expected"], solar["missing"], solar["negative"], solar["negative_wh"]) == (48, 1, 1, -250_000)
    assert told["files"][0]["left_out"] == {"XX_solar_capacity": "no energy"}
    assert len(told["files"][0]["sha256"]) == 64
    assert told["findings"]


def test_what_two_files_have_is_taken_once_and_said(gcr, gcr_json, opsd_file, folder):
    (folder / "later.csv").write_text(opsd("2024-03-31", {SOLAR: ["1.5"] * 48, LOAD: ["9"] * 48}))
    text = gcr("import", "generation", opsd_file, "later.csv").stdout
    assert "48 given twice" in text
    assert "by opsd.csv and later.csv, with one value: taken once" in " ".join(text.split())
    told = gcr_json("import", "generation", opsd_file, "later.csv")
    assert [one["repeated"] for one in told["series"]] == [
        [{"file": "later.csv", "other": "opsd.csv", "intervals": 24}]
    ] * 2


def test_what_two_files_have_with_two_values_is_refused(gcr, opsd_file, folder):
    (folder / "later.csv").write_text(opsd("2024-03-31", {SOLAR: ["1.5"] * 30 + ["2"] * 18, LOAD: ["8"] + ["9"] * 47}))
    refused = gcr("import", "generation", opsd_file, "later.csv", "--out", "profiles.parquet", code=1)
    assert "later.csv, line 2" in refused.stderr
    assert "is 8,000,000 Wh, but 9,000,000 Wh in opsd.csv, line 26" in " ".join(refused.stderr.split())
    assert not (folder / "profiles.parquet").exists()


def test_what_no_file_has_is_said_plainly(gcr, gcr_json, folder):
    for day in ("2024-01-01", "2024-01-03"):
        (folder / f"{day}.csv").write_text(opsd(day, {SOLAR: ["1"] * 24, LOAD: ["9"] * 24}))
    command = ("import", "generation", "2024-01-01.csv", "2024-01-03.csv")
    text = " ".join(gcr(*command).stdout.split())
    assert "no file has 24 intervals, 2024-01-02T00:00Z .. 2024-01-03T00:00Z: it lies between files" in text
    assert "(XX-solar, XX-load)" in text
    told = gcr_json(*command)
    assert told["rows"] == 2 * 72
    wanted = {"start": "2024-01-02T00:00Z", "end": "2024-01-03T00:00Z", "intervals": 24, "why": "it lies between files"}
    assert [one["absent"] for one in told["series"]] == [[wanted]] * 2


def test_a_picture_of_the_gaps(gcr, opsd_file, folder):
    gcr("import", "generation", opsd_file, "--png", "gaps.png", "--quiet")
    assert (folder / "gaps.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_is_refused_under_another_name_before_anything_is_read(gcr, folder):
    refused = gcr("import", "generation", "nothing.csv", "--png", "gaps.pdf", "--out", "out.csv", code=2)
    assert "gaps.pdf: a picture's name must end in .png" in refused.stderr
    assert not (folder / "gaps.pdf").exists()
    gcr("import", "generation", "nothing.csv", "--png", "GAPS.PNG", code=1)


def test_flags_are_counted_by_word_where_there_are_any(gcr, gcr_json, opsd_file):
    assert "flags" not in gcr("import", "generation", opsd_file).stdout
    assert all(one["flags"] == {} for one in gcr_json("import", "generation", opsd_file)["series"])
    command = ("import", "generation", EXAMPLES / "ercot-fuel-autumn.csv")
    counts = [one["flags"] for one in gcr_json(*command)["series"]]
    assert all(set(count) == {"FINAL"} for count in counts)
    assert f"flags, by interval: FINAL {sum(count['FINAL'] for count in counts):,}" in gcr(*command).stdout


def test_a_kind_that_no_file_has_is_named_with_those_that_there_are(gcr, gcr_json, opsd_file):
    command = ("import", "generation", opsd_file, "--types", "solar,nuclear", "--out", "p.parquet")
    assert "opsd.csv has no nuclear; it has load, solar" in " ".join(gcr(*command).stdout.split())
    (told,) = (one for one in gcr_json(*command)["findings"] if one["code"] == "absent_kind")
    assert (told["severity"], told["value"], told["file"]) == ("warning", "nuclear", "opsd.csv")
    assert "nothing of what is asked for; it has" in " ".join(gcr(*command[:-3], "nuclear", code=1).stderr.split())


def test_an_unknown_file_is_refused_and_nothing_is_written(gcr, folder):
    (folder / "other.csv").write_text("a,b\n1,2\n")
    refused = gcr("import", "generation", "other.csv", "--out", "profiles.parquet", code=1)
    assert "unknown_format" in refused.stderr
    assert not (folder / "profiles.parquet").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "nonsense"), "there are entsoe-old"),
        (("--format", "opds"), "did you mean opsd?"),
        (("--fill", "guess"), "interpolate"),
        (("--types", "solar,soler"), "did you mean solar"),
    ],
)
def test_wrong_words_are_wrong_usage(gcr, opsd_file, words, said):
    assert said in gcr("import", "generation", opsd_file, *words, code=2).stderr


def test_an_area_that_is_not_there_is_refused_with_those_that_are(gcr, opsd_file, folder):
    refused = gcr("import", "generation", opsd_file, "--area", "XX", "--area", "ZZ", "--out", "out.csv", code=1)
    assert "opsd.csv has no area ZZ; it has XX" in refused.stderr
    assert not (folder / "out.csv").exists()


def test_a_format_that_is_not_known_is_told_its_nearest(gcr):
    assert "did you mean smard?" in gcr("import", "formats", "smrd", code=2).stderr


def test_every_format_is_listed_with_its_quirks(gcr, gcr_json):
    told = gcr_json("import", "formats")
    assert {"opsd", "entsoe-old"} <= {one["name"] for one in told}
    assert all(one["title"] and one["looks_like"] and one["quirks"] for one in told)
    text = gcr("import", "formats").stdout
    assert all(one["name"] in text for one in told)
    assert "capacity" in gcr("import", "formats", "opsd").stdout
    gcr("import", "formats", "nonsense", code=2)


def test_a_part_that_is_missing_takes_its_hour_along_and_this_is_said(gcr, gcr_json, folder):
    """Three metered quarters became 0 Wh of an hour, without a word."""
    mapping = "time: {column: t, layout: iso, zone: UTC, marks: begin, minutes: 15}\nunit: Wh\narea: XX\n"
    (folder / "q.yaml").write_text(mapping + "columns: {v: solar}\n")
    quarters = [f"2024-03-01T{at // 4:02}:{at % 4 * 15:02}:00Z" for at in range(16) if at != 5]
    (folder / "q.csv").write_text("t,v\n" + "".join(f"{at},{'' if '02:' in at else 100}\n" for at in quarters))
    command = ("import", "generation", "q.csv", "--mapping", "q.yaml")
    shown = " ".join(gcr(*command, "--fill", "zero").stdout.split())
    assert "XX-solar: of filled intervals of 60 min, 1 had metered parts: 3 of 15 min are set aside" in shown
    assert "Of files in steps of 15 min, findings count these; the series above count 1 h" in shown
    told = gcr_json(*command, "--fill", "zero")
    (note,) = [one for one in told["findings"] if one["code"] == "reading_note"]
    assert (note["profile"], note["count"]) == ("XX-solar", 3)
    assert (told["series"][0]["read_interval_s"], told["series"][0]["energy_wh"]) == (900, 800)
    for more in (("--fill", "none"), ("--fill", "zero", "--keep-intervals")):
        told = gcr_json(*command, *more)
        assert "reading_note" not in [one["code"] for one in told["findings"]]
    assert (told["series"][0]["energy_wh"], told["series"][0]["estimated"]) == (1_100, 5)
