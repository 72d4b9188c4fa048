"""Public files into one table: every value, sign, gap and year, against plain lists."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle.eia import fuel_pages
from oracle.opsd import filled, opsd, whole_wh

import gcr_fast as gcr
from gcr_fast.errors import UsageError
from gcr_fast.imports import import_generation
from gcr_fast.sources.model import How

SOLAR, WIND, LOAD = (
    "XX_solar_generation_actual",
    "XX_wind_onshore_generation_actual",
    "XX_load_actual_entsoe_transparency",
)
CELL = st.one_of(st.just(""), st.decimals(-50, 9_000, places=3, allow_nan=False).map(str))


def day(**changed):
    """A day of three series; `changed` replaces columns."""
    columns = {SOLAR: [str(h) for h in range(24)], WIND: ["7.5"] * 24, LOAD: ["100"] * 24}
    return columns | {{"solar": SOLAR, "wind": WIND, "load": LOAD}[name]: values for name, values in changed.items()}


def rows_of(imported, name):
    return [row for row in imported.to_table().to_pylist() if row["profile"] == name]


@given(
    st.lists(CELL, min_size=2, max_size=40).filter(any),
    st.sampled_from(("none", "zero", "interpolate")),
)
def test_every_value_keeps_its_sign_and_every_gap_its_place(tmp_path_factory, cells, how):
    path = tmp_path_factory.mktemp("import") / "file.csv"
    path.write_text(opsd("2024-03-30", {SOLAR: cells, WIND: ["1"] * len(cells)}))
    imported = import_generation([path], filling=how)
    wanted, made = filled([whole_wh(cell) for cell in cells], how)
    rows = rows_of(imported, "XX-solar")
    assert [row["energy_wh"] for row in rows] == wanted
    assert [row["quality"] == "estimated" for row in rows] == made
    account = imported.series["XX-solar"]
    assert (account.expected, account.missing, account.estimated) == (len(cells), wanted.count(None), sum(made))
    assert account.energy_wh == sum(value or 0 for value in wanted)
    negative = [value for value in wanted if value is not None and value < 0]
    assert (account.negative, account.negative_wh) == (len(negative), sum(negative))


def test_roles_areas_kinds_and_formats_stand_in_the_table(write):
    table = import_generation([write(opsd("2024-01-01", day()))]).to_table()
    words = ("profile", "role", "source_type", "kind", "area", "device_id", "quality", "format", "interval_s")
    distinct = {tuple(row[word] for word in words) for row in table.to_pylist()}
    assert distinct == {
        ("XX-solar", "generation", "solar", "solar", "XX", None, "measured", "opsd", 3600),
        ("XX-wind_onshore", "generation", "wind_onshore", "wind_onshore", "XX", None, "measured", "opsd", 3600),
        ("XX-load", "load", None, "load", "XX", None, "measured", "opsd", 3600),
    }


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "csv"])
def test_a_written_import_is_read_as_profiles_without_its_load(write, tmp_path, suffix):
    imported = import_generation([write(opsd("2024-01-01", day()))])
    out = tmp_path / f"profiles.{suffix}"
    assert imported.write(out).rows == 72
    profiles = gcr.read_profiles(out)
    assert {name: profile.total for name, profile in profiles.items()} == {
        "XX-solar": sum(range(24)) * 1_000_000,
        "XX-wind_onshore": 24 * 7_500_000,
    }
    assert profiles.findings.counts()["not_generation"] == 24


def test_other_libraries_read_what_is_written_and_the_living_stream(write, tmp_path):
    imported = import_generation([write(opsd("2024-01-01", day()))])
    imported.write(tmp_path / "out.parquet")
    query = f"SELECT sum(energy_wh)::BIGINT FROM '{tmp_path / 'out.parquet'}' WHERE role = 'load'"
    assert duckdb.sql(query).fetchall() == [(2_400_000_000,)]
    frame = pl.from_arrow(imported.to_table())
    assert frame.filter(pl.col("role") == "load")["energy_wh"].sum() == 2_400_000_000


def test_the_files_and_their_hashes_are_told_by_what_is_written(write, tmp_path):
    path = write(opsd("2024-01-01", day()))
    imported = import_generation([path])
    imported.write(tmp_path / "out.parquet")
    metadata = pq.read_schema(tmp_path / "out.parquet").metadata
    assert json.loads(metadata[b"gcr_fast.sources"]) == {str(path): imported.files[0].sha256}
    assert metadata[b"attribution"] == b"Open Power System Data"


def test_halves_of_a_year_are_one_series(write):
    first = write(opsd("2024-01-01", day()), "first.csv")
    second = write(opsd("2024-01-02", day(solar=["1"] * 24)), "second.csv")
    imported = import_generation([second, first])
    account = imported.series["XX-solar"]
    assert (account.expected, account.missing) == (48, 0)
    assert [row["energy_wh"] for row in rows_of(imported, "XX-solar")] == [
        *(hour * 1_000_000 for hour in range(24)),
        *[1_000_000] * 24,
    ]


@pytest.mark.parametrize(("filling", "filled"), [("none", 0), ("zero", 24), ("interpolate", 24)])
def test_a_day_between_two_files_is_missing(write, filling, filled):
    paths = [write(opsd(f"2024-01-0{at}", day()), f"{at}.csv") for at in (3, 1)]
    imported = import_generation(paths, filling=filling)
    account = imported.series["XX-solar"]
    assert (account.expected, account.missing, account.estimated) == (72, 24 - filled, filled)
    assert len(rows_of(imported, "XX-solar")) == 72
    code = "filled_interval" if filled else "missing_interval"
    (found,) = [one for one in imported.findings if one.code == code and one.profile == "XX-solar"]
    assert (found.value, found.count, found.file) == ("2024-01-02T00:00Z .. 2024-01-03T00:00Z", 24, None)
    assert found.message.endswith(f"it lies between files{': filled, marked as estimated' if filled else ''}")


@pytest.mark.parametrize("filling", ["none", "zero", "interpolate"])
def test_between_files_of_years_that_are_apart_nothing_is_expected_and_nothing_filled(write, filling):
    paths = [write(opsd(f"{year}-01-01", day()), f"{year}.csv") for year in (2020, 2023)]
    imported = import_generation(paths, filling=filling)
    account = imported.series["XX-solar"]
    assert (account.expected, account.missing, account.estimated, account.absent) == (48, 0, 0, ())
    assert len(rows_of(imported, "XX-solar")) == 48
    assert not imported.findings.of("error")


def months(write, *chosen):
    """Write the months of 2023 as files."""
    starts = [date(2023, month, 1) for month in range(1, 13)] + [date(2024, 1, 1)]
    spans = {month: (starts[month - 1], (starts[month] - starts[month - 1]).days) for month in chosen}
    texts = {month: opsd(str(start), {SOLAR: ["2"] * 24 * days}) for month, (start, days) in spans.items()}
    return [write(text, f"{month}.csv") for month, text in texts.items()]


@pytest.mark.parametrize("lacking", [1, 5, 12])
@pytest.mark.parametrize("how", [None, How(year=2023)])
def test_a_month_that_is_forgotten_is_missing_wherever_it_is(write, lacking, how):
    imported = import_generation(months(write, *({*range(1, 13)} - {lacking})), how=how)
    account = imported.series["XX-solar"]
    assert (account.expected, account.found, account.missing) == (8760, 8016, 744)
    (absent,) = account.absent
    assert (absent.start, absent.intervals) == (f"2023-{lacking:02}-01T00:00Z", 744)
    why = "2023 is asked for" if how else "it lies between files" if lacking == 5 else "most of 2023 is there"
    assert why in absent.why
    (found,) = imported.findings
    assert (found.code, found.count, found.profile) == ("missing_interval", 744, "XX-solar")
    assert len(rows_of(imported, "XX-solar")) == (8760 if how or lacking == 5 else 8016)


def test_what_a_year_lacks_at_its_end_is_not_filled_unless_the_year_is_asked_for(write):
    paths = months(write, *range(1, 12))
    told, asked = (
        import_generation(paths, how=how, filling="zero").series["XX-solar"] for how in (None, How(year=2023))
    )
    assert (told.missing, told.estimated) == (744, 0)
    assert (asked.missing, asked.estimated) == (0, 744)


def test_five_months_say_nothing_of_the_others(write):
    account = import_generation(months(write, 2, 3, 4, 5, 6)).series["XX-solar"]
    assert (account.missing, account.absent) == (0, ())


def test_a_year_that_is_asked_for_is_expected_whole(write):
    imported = import_generation([write(opsd("2024-01-01", day()))], how=How(year=2024))
    account = imported.series["XX-solar"]
    assert (account.expected, account.missing) == (8784, 8760)


def test_overlapping_files_of_one_truth_are_merged_and_accounted_for(write, tmp_path):
    first, second, third = (write(opsd(f"2024-01-0{day_of}", day()), f"{day_of}.csv") for day_of in (1, 2, 2))
    later = write(opsd("2024-01-02", day(solar=[str(hour) for hour in range(24)])), "again.csv")
    imported = import_generation([first, second, third, later])
    account = imported.series["XX-solar"]
    assert (account.expected, account.found, account.missing, account.duplicate) == (48, 48, 0, 0)
    assert [(one.file, one.other, one.intervals) for one in account.repeated] == [
        (str(third), str(second), 24),
        (str(later), str(second), 24),
    ]
    assert imported.findings.counts() == {"repeated_interval": 3 * 48}
    alone = import_generation([first, second])
    assert imported.to_table().to_pylist() == alone.to_table().to_pylist()
    assert [one.as_dict()["repeated"] for one in alone.series.values()] == [()] * 3


def test_an_hour_that_one_file_lacks_is_taken_from_the_other(write):
    first = write(opsd("2024-01-01", day(solar=["1"] * 5 + [""] + ["1"] * 18)), "first.csv")
    second = write(opsd("2024-01-01", day(solar=["", "1", "1", "1", "1", "7"] + [""] * 18)), "second.csv")
    imported = import_generation([first, second], how=How(types=frozenset({"solar"})))
    assert [row["energy_wh"] // 1_000_000 for row in rows_of(imported, "XX-solar")] == [1] * 5 + [7] + [1] * 18
    assert imported.findings.counts() == {"repeated_interval": 4}


@pytest.mark.parametrize("keep", [False, True])
def test_files_that_contradict_each_other_are_refused_with_every_row(write, refusal, keep):
    first = write(opsd("2024-01-01", day()), "first.csv")
    later = day(solar=["20", "21.5", "22", "", *["0"] * 20], load=["99"] * 24)
    second = write(opsd("2024-01-01T20:00", later), "second.csv")
    found = refusal(import_generation, [first, second], keep_intervals=keep)
    assert [(one["code"], one["profile"], one["file"], one["line"], one["column"], one["value"]) for one in found] == [
        ("contradicted_interval", "XX-solar", str(second), 3, SOLAR, "21500000"),
        *(("contradicted_interval", "XX-load", str(second), line, LOAD, "99000000") for line in range(2, 6)),
    ]
    assert found[0]["message"] == (
        f"XX-solar: 2024-01-01T21:00Z .. 2024-01-01T22:00Z is 21,500,000 Wh, but 21,000,000 Wh in {first}, line 23"
    )


@pytest.mark.parametrize(("filling", "codes"), [("none", {"missing_interval"}), ("zero", {"filled_interval"})])
def test_a_gap_that_is_filled_is_said_to_be_and_is_no_error_any_more(write, filling, codes):
    hours = ["2024-03-30T00:00:00Z,,1", "2024-03-30T02:00:00Z,,1"]
    path = write("\n".join(["t,x,v", *hours]) + "\n")
    mapping = {"time": {"column": "t", "layout": "iso", "marks": "begin", "minutes": 60}, "unit": "MWh"}
    found = import_generation([path], how=How(mapping=mapping | {"value": "v", "kind": "solar"}), filling=filling)
    assert {finding.code for finding in found.findings} == codes
    assert found.findings.ok == (filling == "zero")
    assert all("filled, marked as estimated" in finding.message for finding in found.findings.of("info"))
    assert found.series["solar"].estimated == (filling == "zero")


def test_of_the_gaps_at_the_ends_a_line_fills_none_and_they_stay(write):
    values = ["", "1", "", "3", ""]
    path = write("\n".join(["t,v", *(f"2024-03-30T{hour:02d}:00:00Z,{one}" for hour, one in enumerate(values))]) + "\n")
    mapping = {"time": {"column": "t", "layout": "iso", "marks": "begin"}, "unit": "MWh", "value": "v", "kind": "solar"}
    found = import_generation([path], how=How(mapping=mapping), filling="interpolate").findings
    assert found.counts() == {"null_value": 2, "filled_interval": 1}


@pytest.mark.parametrize("filling", ["none", "interpolate"])
def test_an_interval_with_two_values_is_no_value_of_what_is_written(write, tmp_path, filling):
    whole = opsd("2024-01-01", day())
    lines = whole.splitlines(keepends=True)
    other = lines[4].replace(",3,", ",77777,")
    imported = import_generation([write(whole + other)], filling=filling)
    account = imported.series["XX-solar"]
    assert (account.duplicate, account.missing, account.estimated) == (1, 1, 0)
    imported.write(tmp_path / "written.parquet")
    read = gcr.read_profiles(tmp_path / "written.parquet")["XX-solar"]
    assert read.missing.tolist() == [hour == 3 for hour in range(24)]
    assert read.values.tolist() == [0 if hour == 3 else hour * 1_000_000 for hour in range(24)]


@pytest.mark.parametrize("filling", ["none", "zero", "interpolate"])
def test_only_gaps_are_filled_and_what_is_doubtful_stays_empty_and_named(write, filling):
    """01:00 has two values, 02:30 stands beside the grid and makes 02:00 doubtful; 03:00 is the one gap."""
    rows = [("00:00", 1), ("01:00", 2), ("01:00", 3), ("02:00", 4), ("02:30", 4), ("04:00", 4)]
    path = write("t,kwh\n" + "".join(f"2024-01-01T{time}Z,{kwh}\n" for time, kwh in rows))
    time = {"column": "t", "layout": "iso", "marks": "begin", "minutes": "60"}
    mapping = {"time": time, "unit": "kWh", "columns": {"kwh": "solar"}}
    imported = import_generation([path], how=How(mapping=mapping), filling=filling)
    (account,) = imported.series.values()
    made = {"none": None, "zero": 0, "interpolate": 1_000 + 3_000 * 3 // 4}[filling]
    table = imported.to_table().to_pylist()
    assert [row["energy_wh"] for row in table] == [1_000, None, None, made, 4_000]
    estimated = None if filling == "none" else "estimated"
    assert [row["quality"] for row in table] == ["measured", None, None, estimated, "measured"]
    counts = imported.findings.counts()
    assert (counts["duplicate_interval"], counts["uneven_interval"]) == (1, 1)
    assert (counts["filled_interval"], account.estimated) == ((0, 0) if filling == "none" else (1, 1))
    assert account.missing == (3 if filling == "none" else 2)
    assert not imported.findings.ok


@given(
    st.lists(st.sampled_from(["", "", "1", "2", None]), min_size=5, max_size=40),
    st.sampled_from(("zero", "interpolate")),
)
def test_as_many_intervals_are_told_to_be_filled_as_are_counted(tmp_path_factory, quarters, how):
    """Quarters of an hour without a value or a row: an hour with two such gaps is one filled interval."""
    path = tmp_path_factory.mktemp("filled") / "file.csv"
    lines = [
        f"2024-01-01T{10 + at // 4:02d}:{at % 4 * 15:02d}Z,{cell}"
        for at, cell in enumerate(quarters)
        if cell is not None
    ]
    path.write_text("\n".join(["t,Wh", "2024-01-01T09:00Z,1", *lines, "2024-01-01T22:00Z,1"]) + "\n")
    time = {"column": "t", "layout": "iso", "marks": "begin", "minutes": "15"}
    mapping = {"time": time, "unit": "Wh", "columns": {"Wh": "solar"}}
    imported = import_generation([path], how=How(mapping=mapping), filling=how)
    (account,) = imported.series.values()
    assert imported.findings.counts()["filled_interval"] == account.estimated


def test_a_file_without_the_year_that_is_asked_for_is_accounted_for_beside_one_that_has_it(write):
    files = [write(opsd(f"{year}-01-01", day()), f"{year}.csv") for year in (2023, 2024)]
    imported = import_generation(files, how=How(year=2024, types=frozenset({"solar"})))
    assert imported.series["XX-solar"].found == 24
    assert imported.files[0].dropped == {"values outside 2024 (UTC)": 24}


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (How(year=2020), "it has 72 values outside 2020"),
        (How(types=frozenset({"nuclear"})), "it has XX-solar, XX-wind_onshore, XX-load"),
    ],
)
def test_what_no_file_has_is_refused_with_what_they_have(write, refusal, how, said):
    files = [write(opsd(f"{year}-01-01", day()), f"{year}.csv") for year in (2023, 2024)]
    found = refusal(import_generation, files, how=how)
    assert [one["code"] for one in found] == ["empty_file"] * 2
    assert all("has nothing of what is asked for" in one["message"] and said in one["message"] for one in found)


def test_unknown_area_is_refused_with_those_that_there_are(write, refusal):
    other = day()
    other["YY_solar_generation_actual"] = other.pop(SOLAR)
    files = [write(opsd("2024-01-01", day()), "xx.csv"), write(opsd("2024-01-02", other), "yy.csv")]
    found = refusal(import_generation, files, how=How(areas=frozenset({"XX", "YZ", "ZZ"})))
    assert [(one["code"], one["value"]) for one in found] == [("unknown_area", "YZ"), ("unknown_area", "ZZ")]
    assert found[0]["message"] == "none of the 2 files has the area YZ; they have XX, YY"
    (alone,) = refusal(import_generation, files[:1], how=How(areas=frozenset({"ZZ"})))
    assert (alone["message"], alone["file"]) == ("xx.csv has no area ZZ; it has XX", str(files[0]))
    (alone,) = refusal(gcr.read_profiles, files[0], how=How(areas=frozenset({"ZZ"})))
    assert alone["code"] == "unknown_area"


def test_an_area_may_be_in_one_of_the_files(write):
    other = day()
    other["YY_solar_generation_actual"] = other.pop(SOLAR)
    files = [write(opsd("2024-01-01", day()), "xx.csv"), write(opsd("2024-01-02", other), "yy.csv")]
    assert set(import_generation(files, how=How(areas=frozenset({"YY"}))).series) == {"YY-solar"}


def test_a_file_without_areas_says_so_when_two_are_asked_for(refusal):
    path = Path(__file__).parent.parent / "sources" / "examples" / "smard-german.csv"
    found = refusal(import_generation, [path], how=How(areas=frozenset({"DE", "AT"})))
    assert [one["message"] for one in found] == [
        f"{path.name} has no area {area}; it has none that is named" for area in ("AT", "DE")
    ]


def test_a_word_for_types_that_is_none_is_a_slip_of_the_caller(write):
    with pytest.raises(UsageError, match="unknown type 'soler'; did you mean solar"):
        import_generation([write(opsd("2024-01-01", day()))], how=How(types=frozenset({"wind", "soler"})))


def test_words_for_types_may_be_spelled_as_people_do(write):
    told = How(types=frozenset({"Wind Onshore", "wind-offshore", "LOAD"}))
    assert set(import_generation([write(opsd("2024-01-01", day()))], how=told).series) == {"XX-wind_onshore", "XX-load"}


def test_a_certificate_over_a_load_is_told_that_it_is_none_of_generation(write, refusal):
    profiles = gcr.read_profiles(write(opsd("2024-01-01", day())))
    annual = {"certificate_id": ["A"], "energy_wh": [5], "status": ["CANCELED"], "profile": ["XX-load"]}
    annual |= {"production_start": ["2024-01-01T00:00Z"], "production_end": ["2024-01-02T00:00Z"]}
    import pyarrow as pa

    messages = {one["code"]: one["message"] for one in refusal(gcr.convert, pa.table(annual), profiles)}
    assert messages["no_profile"] == "A: XX-load is load, which is never converted"


SHAPES = "# Renewables.ninja Wind (Country)\n# Units: capacity factor\ntime,national\n" + "".join(
    f"2024-01-01 {hour:02}:00:00,0.{hour:02}\n" for hour in range(24)
)


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "csv"])
def test_a_shape_is_still_none_of_a_meter_when_it_was_written(write, tmp_path, suffix):
    imported = import_generation([write(SHAPES)])
    imported.write(tmp_path / f"shape.{suffix}")
    read = gcr.read_profiles(tmp_path / f"shape.{suffix}")
    assert read["wind"].is_energy is False
    assert read["wind"].values.tolist() == imported.profiles["wind"].values.tolist()
    assert len(set(read["wind"].values.tolist())) == 24


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_a_shape_that_was_written_goes_on_in_a_file_as_it_came(write, tmp_path, suffix):
    import_generation([write(SHAPES)]).write(tmp_path / f"first.{suffix}")
    second = write(SHAPES.replace("2024-01-01", "2024-01-02").replace(",0.", ",0.5"), "second.csv")
    profiles = gcr.profiles_from([tmp_path / f"first.{suffix}", second])
    assert profiles.findings.ok
    wanted = [f"0.{hour:02}" for hour in range(24)] + [f"0.5{hour:02}" for hour in range(24)]
    assert profiles["wind"].values.tolist() == [int(Decimal(text) * 10**9) for text in wanted]


def test_shapes_and_energies_are_not_written_as_one_column(write, tmp_path):
    imported = import_generation([write(SHAPES), write(opsd("2024-01-01", day()), "energy.csv")])
    with pytest.raises(UsageError, match="import them apart"):
        imported.write(tmp_path / "both.parquet")
    assert not (tmp_path / "both.parquet").exists()


def test_only_generation_below_zero_is_said_to_issue_nothing(write):
    values = ["-1", "0", "-2.5", *["3"] * 21]
    export = write(fuel_pages("BPAT", "2024-08-01", dict.fromkeys(("SUN", "BAT", "PS"), values), 1000)[0], "eia.json")
    again = write(export.read_text(), "again.json")
    imported = import_generation([export, again])
    roles = {name: one.role for name, one in imported.series.items()}
    assert roles == {
        "BPAT-solar": "generation",
        "BPAT-battery_storage": "storage",
        "BPAT-hydro_pumped_storage": "storage",
    }
    (found,) = [one for one in imported.findings if one.code == "negative_clipped"]
    assert (found.profile, found.count, found.file) == ("BPAT-solar", 2, f"{export}, {again}")
    assert found.message == "BPAT-solar: 2 negative intervals issue nothing: 3500000 Wh clipped"
    for name, account in imported.series.items():
        assert (account.negative, account.negative_wh) == (2, -3_500_000)
        assert [row["energy_wh"] for row in rows_of(imported, name)][:4] == [-1_000_000, 0, -2_500_000, 3_000_000]


def test_a_gap_stands_at_the_line_before_it_as_bad_cells_do(write, refusal):
    lines = opsd("2024-01-01", day(solar=["1"] * 9 + [""] + ["1"] * 14)).splitlines(keepends=True)
    gap = write("".join(lines[:4] + lines[6:]), "gap.csv")
    found = [one for one in import_generation([gap]).findings if one.profile == "XX-solar"]
    assert [(one.code, one.file, one.row, one.line) for one in found] == [
        ("null_value", str(gap), None, 9),
        ("missing_interval", str(gap), None, 4),
    ]
    assert "no rows for 2 intervals after line 4: 2024-01-01T03:00Z .. 2024-01-01T05:00Z" in found[1].message
    broken = [*lines[:4], lines[4].replace(",1,", ",x,")]
    (bad,) = refusal(import_generation, [write("".join(broken))])
    assert (bad["row"], bad["line"]) == (None, 5)


def test_chosen_areas_and_kinds_alone_are_imported(write):
    path = write(opsd("2024-01-01", day()))
    assert set(import_generation([path], how=How(types=frozenset({"load"}))).series) == {"XX-load"}
    assert set(import_generation([path], how=How(types=frozenset({"generation"}))).series) == {
        "XX-solar",
        "XX-wind_onshore",
    }
    assert set(import_generation([path], how=How(types=frozenset({"wind"}))).series) == {"XX-wind_onshore"}


def test_an_unknown_way_to_fill_is_wrong_usage(write):
    with pytest.raises(UsageError, match="none, zero, interpolate"):
        import_generation([write(opsd("2024-01-01", day(solar=["1"] + [""] * 22 + ["1"])))], filling="guess")


def test_bad_cells_of_all_files_are_listed_together(write, refusal):
    bad = [write(opsd("2024-01-01", day(solar=["1"] * 23 + ["1x"])), name) for name in ("one.csv", "two.csv")]
    found = refusal(import_generation, bad)
    assert [(one["file"], one["line"], one["column"], one["value"]) for one in found] == [
        (str(path), 25, SOLAR, "1x") for path in bad
    ]


def test_a_file_that_names_no_area_takes_the_one_that_is_asked_for(write):
    text = "period_utc_hour_ending,solar,demand\n2024-01-01T01,5,9\n2024-01-01T02,6,9\n"
    path = write(text)
    assert set(import_generation([path]).series) == {"solar", "load"}
    assert set(import_generation([path], how=How(areas=frozenset({"US48"}))).series) == {"US48-solar", "US48-load"}


def test_series_are_counted_when_that_is_asked_for_and_the_table_needs_no_count(write):
    imported = import_generation([write(opsd("2024-01-01", day(solar=["", *map(str, range(23))])))])
    assert imported.to_table()["energy_wh"].null_count == 1
    assert "series" not in vars(imported)
    assert [one.code for one in imported.findings] == ["null_value"]
    assert imported.series is imported.series
    assert imported.series["XX-solar"].missing == 1
