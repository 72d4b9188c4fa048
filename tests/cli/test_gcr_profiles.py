"""`gcr profiles`: list, show, check."""

from pathlib import Path

import pytest
from oracle.opsd import opsd

from gcr_fast.shipped import shipped_names

EXAMPLES = Path(__file__).parents[1] / "sources" / "examples"


def test_list_shows_what_ships(gcr_json):
    said = gcr_json("profiles", "list")
    assert [row["name"] for row in said] == shipped_names()
    assert said[0]["start"] == "2018-12-31T23:00Z"
    assert all(isinstance(row["total_wh"], int) and row["missing"] == 0 for row in said)


def test_list_filters(gcr_json):
    assert [
        row["name"] for row in gcr_json("profiles", "list", "--country", "at", "--year", 2020, "--source", "solar")
    ] == ["AT-2020-solar"]
    assert {row["source_type"] for row in gcr_json("profiles", "list", "--source", "nuclear")} == {"nuclear"}
    assert gcr_json("profiles", "list", "--country", "XX") == []


def test_list_of_files(gcr, gcr_json, folder):
    (folder / "a.csv").write_text(
        "start,AT-2024-solar_mwh,ES-2024-wind_mwh\n2024-01-01T00:00Z,1,2\n2024-01-01T01:00Z,,2\n"
    )
    said = gcr_json("profiles", "list", "a.csv", "--country", "AT")
    assert [(row["name"], row["total_wh"], row["missing"]) for row in said] == [("AT-2024-solar", 1_000_000, 1)]
    given = ("profiles", "list", "generation.csv", "--zone", "Europe/Berlin", "--unit", "MWh", "--label", "end")
    assert gcr_json(*given)[0]["start"] == "2023-12-31T22:00Z"
    assert "276 MWh" in gcr(*given).stdout
    gcr("profiles", "list", "nope.csv", code=1)
    assert "naive_time" in gcr("profiles", "list", "generation.csv", code=1).stderr
    assert "1 error in these files" in gcr("profiles", "list", "a.csv").stderr
    gcr("profiles", "list", "--source", "steam", code=2)


def two_areas(folder):
    columns = ("AT_solar", "AT_wind_onshore", "DE_solar")
    (folder / "opsd.csv").write_text(opsd("2024-01-01", {f"{one}_generation_actual": ["1.5"] * 24 for one in columns}))


@pytest.mark.parametrize("command", ["list", "check"])
def test_public_files_are_chosen_from(gcr, gcr_json, folder, command):
    """As `gcr convert` does, by the same options."""
    two_areas(folder)

    def names(*words):
        said = gcr_json("profiles", command, "opsd.csv", *words)
        return [row["name"] for row in (said if command == "list" else said["profiles"])]

    assert names("--area", "DE") == ["DE-solar"]
    assert names("--types", "wind") == ["AT-wind_onshore"]
    assert names("--types", "solar", "--area", "AT") == ["AT-solar"]
    assert "has no area FR" in gcr("profiles", command, "opsd.csv", "--area", "FR", code=1).stderr
    gcr("profiles", command, "annual.csv", "--area", "AT", code=2)


def test_a_profile_of_a_public_file_is_shown(gcr_json, folder):
    two_areas(folder)
    said = gcr_json("profiles", "show", "DE-solar", "opsd.csv", "--area", "DE")
    assert said["total_wh"] == 36_000_000
    (folder / "smard.csv").write_bytes((EXAMPLES / "smard-english.csv").read_bytes())
    said = gcr_json("profiles", "show", "DE-biomass", "smard.csv", "--area", "DE")
    assert said["name"] == "DE-biomass"


def test_a_file_that_a_mapping_describes_is_listed(gcr_json, folder):
    (folder / "wide.csv").write_bytes((EXAMPLES / "mapped-wide.csv").read_bytes())
    (folder / "wide.yaml").write_bytes((EXAMPLES.parent / "mappings" / "mapped-wide.yaml").read_bytes())
    said = gcr_json("profiles", "list", "wide.csv", "--profile-mapping", "wide.yaml")
    assert "WEA-1" in [row["name"] for row in said]


def test_hours_of_a_typical_year_are_given_it(gcr, gcr_json, folder):
    (folder / "pv.csv").write_bytes((EXAMPLES / "pvwatts.csv").read_bytes())
    given = ("profiles", "check", "pv.csv", "--zone", "America/Denver")
    gcr(*given, code=1)
    start = gcr_json(*given, "--year", "2023", code=1)["profiles"][0]["start"]
    assert start.startswith("2023-")
    two_areas(folder)
    gcr("profiles", "check", "opsd.csv", "--year", "2023", code=2)


def test_show(gcr, gcr_json):
    shown = gcr("profiles", "show", "AT-2020-solar", "--zone", "Europe/Vienna").stdout
    for word in ("Jan", "Dec", "█", "ENTSO-E", "CC BY 4.0", "923,318", "MWh in an hour", "hours of Europe/Vienna"):
        assert word in shown
    said = gcr_json("profiles", "show", "AT-2020-solar", "--zone", "Europe/Vienna")
    assert list(said["months"]) == [f"2020-{month:02d}" for month in range(1, 13)]
    assert sum(said["months"].values()) == said["total_wh"]


def test_show_of_a_file(gcr, gcr_json, folder, day_of):
    given = ("profiles", "show", "mine", "generation.csv", "--zone", "Europe/Berlin")
    assert gcr_json(*given, "--unit", "MWh")["total_wh"] == 276_000_000
    assert "weights, no unit" in gcr(*given).stdout
    assert gcr_json(*given, "--unit", "MWh", "--label", "end")["start"] == "2023-12-31T22:00Z"
    (folder / "gap.csv").write_text(day_of([1, 2, "", 4]))
    shown = gcr("profiles", "show", "mine", "gap.csv").stdout
    assert ", x missing" in shown
    assert "1 missing" in shown


def test_show_png(gcr, folder):
    pytest.importorskip("matplotlib")
    gcr("profiles", "show", "AT-2020-solar", "--png", "solar.png")
    assert (folder / "solar.png").read_bytes().startswith(b"\x89PNG")
    assert "cannot write" in gcr("profiles", "show", "AT-2020-solar", "--png", "no/solar.png", code=1).stderr
    assert "must end in .png" in gcr("profiles", "show", "AT-2020-solar", "--png", "solar.pdf", code=2).stderr
    assert not (folder / "solar.pdf").exists()


def test_show_of_an_unknown_profile(gcr):
    assert "did you mean AT-2020-solar" in gcr("profiles", "show", "AT-2020-solr", code=2).stderr
    gcr("profiles", "show", "x", "nope.csv", code=1)
    assert "naive_time" in gcr("profiles", "show", "mine", "generation.csv", code=1).stderr
    gcr("profiles", "show", "AT-2020-solar", "--zone", "Nowhere", code=2)


def test_check(gcr, gcr_json):
    sound = ("profiles", "check", "generation.csv", "--zone", "Europe/Berlin", "--unit", "MWh", "--label", "begin")
    assert "1 profile, no errors" in gcr(*sound).stdout
    assert gcr_json(*sound)["ok"]
    assert "naive_time" in gcr("profiles", "check", "generation.csv", code=1).stdout
    assert gcr_json("profiles", "check", "nope.csv", code=1)["findings"][0]["code"] == "missing_file"
    gcr("profiles", "check", code=2)


def test_check_lists_all(gcr, gcr_json, folder, day_of):
    (folder / "gaps.csv").write_text(
        day_of(["" if hour % 2 else 1 for hour in range(24)] + [1]).replace("T24:00", "T23:30")
    )
    said = gcr_json("profiles", "check", "gaps.csv", "--findings", "f.csv", code=1)
    empty = [row for row in said["findings"] if row["code"] == "null_value"]
    assert len(empty) == 12
    assert len((folder / "f.csv").read_text().splitlines()) == 1 + len(said["findings"])
    shown = gcr("profiles", "check", "gaps.csv", code=1).stdout
    assert shown.count("[null_value]") == 12
    assert "how to mend it" in shown
