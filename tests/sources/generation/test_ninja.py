"""Renewables.ninja: kW of a point, capacity factors of a country."""

import csv
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from oracle.exports import values_by_start

from gcr_fast.imports import import_generation
from gcr_fast.profiles import read_profiles
from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
POINT, COUNTRY = EXAMPLES / "renewables-ninja-point.csv", EXAMPLES / "renewables-ninja-country.csv"


def hours(path, column, scale):
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return {
        int(datetime.fromisoformat(row["time"]).replace(tzinfo=UTC).timestamp()): Fraction(row[column]) * scale // 1
        for row in csv.DictReader(lines)
    }


def test_a_point_is_kw_in_utc_over_both_clock_changes():
    readings = read_readings(POINT)
    (one,) = readings.series
    assert values_by_start(one) == hours(POINT, "electricity", 1000)
    assert (one.kind, one.power, one.is_energy, one.interval_s) == ("wind", True, True, 3600)
    local = [line.split(",")[1] for line in POINT.read_text().splitlines()[4:]]
    assert len(set(local)) < len(local) == len(one)  # the local hour that stands twice is two hours


LICENCE = "https://creativecommons.org/licenses/by-nc/4.0/"
REFERENCE = "https://doi.org/10.1016/j.energy.2016.08.068"


@pytest.mark.parametrize("path", [POINT, COUNTRY])
def test_licence_and_reference_are_the_attribution(path):
    assert read_readings(path).attribution == f"Renewables.ninja, {LICENCE}, {REFERENCE}"


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        (f"License: {LICENCE}", "License: CC BY-NC 4.0", f"Renewables.ninja, CC BY-NC 4.0, {REFERENCE}"),
        (f"License: {LICENCE} - Reference: {REFERENCE}", "Licence: CC BY-NC 4.0", "Renewables.ninja, CC BY-NC 4.0"),
        (
            f" - License: {LICENCE} - Reference: {REFERENCE}",
            "\n# License: Creative Commons Attribution-NonCommercial - see the site\n# Reference: Staffell (2016)",
            "Renewables.ninja, Creative Commons Attribution-NonCommercial - see the site, Staffell (2016)",
        ),
        (f" - License: {LICENCE} - Reference: {REFERENCE}", "", "Renewables.ninja (CC BY-NC 4.0)"),
    ],
)
def test_a_licence_in_words_is_kept_whole(old, new, wanted, write):
    assert old in POINT.read_text()
    assert read_readings(write(POINT.read_text().replace(old, new, 1))).attribution == wanted


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_what_is_written_and_converted_names_the_licence(suffix, tmp_path):
    imported = import_generation([COUNTRY])
    imported.write(tmp_path / f"shapes.{suffix}")
    profiles = read_profiles(tmp_path / f"shapes.{suffix}")
    assert {one.attribution for one in profiles.values()} == {f"Renewables.ninja, {LICENCE}, {REFERENCE}"}
    assert {one.attribution for one in read_profiles(COUNTRY).values()} == {f"Renewables.ninja, {LICENCE}, {REFERENCE}"}


def test_a_country_is_weights_not_energy():
    readings = read_readings(COUNTRY)
    named = {one.name: one for one in readings.series}
    assert set(named) == {"DK-wind", "DK-wind_onshore", "DK-wind_offshore"}
    assert not any(one.is_energy for one in readings.series)
    assert values_by_start(named["DK-wind_onshore"]) == hours(COUNTRY, "onshore", 10**9)
    assert values_by_start(named["DK-wind"]) == hours(COUNTRY, "national", 10**9)


def test_regions_are_areas(write):
    text = COUNTRY.read_text().replace("time,national,onshore,offshore", "time,DK01,DK02,NATIONAL")
    assert {one.name for one in read_readings(write(text)).series} == {"DK01-wind", "DK02-wind", "DK-wind"}


def test_solar_has_its_kind(write):
    text = COUNTRY.read_text().replace("ninja Wind", "ninja PV").replace(",national,onshore,offshore", ",national,b,c")
    assert {one.kind for one in read_readings(write(text), How(areas=frozenset())).series} == {"solar"}


def test_a_factor_above_one_is_refused(write, refusal):
    text = COUNTRY.read_text().replace("0.3500,0.5000", "35.0,-0.5", 1)
    findings = refusal(read_readings, write(text))
    assert [(finding["column"], finding["value"]) for finding in findings] == [
        ("onshore", "35.0"),
        ("offshore", "-0.5"),
    ]


def test_weather_is_refused(write, refusal):
    text = POINT.read_text().replace("ninja Wind", "ninja Weather")
    (finding,) = refusal(read_readings, write(text))
    assert "weather only" in finding["message"]


def test_a_point_without_its_unit_is_refused(write, refusal):
    text = POINT.read_text().replace("electricity in kW", "electricity")
    (finding,) = refusal(read_readings, write(text))
    assert "unit" in finding["message"]


def test_what_the_title_does_not_tell_the_user_may(write, refusal):
    path = write(POINT.read_text().replace("ninja Wind (Point", "ninja (Point"))
    (finding,) = refusal(read_readings, path)
    assert "--types" in finding["message"]
    (one,) = read_readings(path, How(types=frozenset({"wind_offshore"}))).series
    assert one.kind == "wind_offshore"


@pytest.mark.parametrize("label", ["2019-03-31T05:00", "31.03.2019 05:00", ""])
def test_times_of_another_form_are_refused(label, write, refusal):
    (finding,) = refusal(read_readings, write(POINT.read_text().replace("\n2019-03-31 05:00,", f"\n{label},")))
    assert finding["value"] == (label or None)
    assert finding["line"] == 12


def test_a_blank_line_among_the_comments_is_none_of_the_table(write):
    lines = POINT.read_text().splitlines()
    readings = read_readings(write("\n".join([*lines[:2], "", *lines[3:]]) + "\n"))
    assert values_by_start(readings.series[0]) == hours(POINT, "electricity", 1000)
    assert readings.series[0].lines[0] == 5
