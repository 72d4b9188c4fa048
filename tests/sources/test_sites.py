"""Simulated power of two places, or of two systems in one place, is never one longer series."""

from pathlib import Path

import corpus
import pytest

from gcr_fast.findings import Findings
from gcr_fast.imports import import_generation
from gcr_fast.profiles import ProfileOptions, read_together
from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How
from gcr_fast.sources.sites import SITE, site_of

EXAMPLES = Path(__file__).parent / "examples"
NINJA, PVGIS, PVGIS_JSON, PVWATTS = (
    EXAMPLES / name for name in ("renewables-ninja-point.csv", "pvgis.csv", "pvgis-hours.json", "pvwatts.csv")
)
PLACE = {"latitude": "47.1", "longitude": "8.3", "kW": "10"}
SITES = {
    NINJA: {"latitude": "55.1", "longitude": "8.2", "kW": "3000", "height": "100", "turbine": "Vestas V90 3000"},
    PVGIS: {**PLACE, "tilt": "35", "azimuth": "0"},
    PVGIS_JSON: PLACE,
    PVWATTS: {"latitude": "40.1", "degrees west": "104.9", "kW": "5", "tilt": "30", "azimuth": "180"},
}
OTHERS = [
    (NINJA, "55.1, 8.2", "50.0, 8.2", "latitude"),
    (NINJA, '"capacity": 3000.0', '"capacity": 3.0', "kW"),
    (NINJA, "Vestas V90 3000", "Vestas V90 2000", "turbine"),
    (PVGIS, "47.100", "-47.100", "latitude"),
    (PVGIS, "Azimuth: 0", "Azimuth: 90", "azimuth"),
    (PVGIS_JSON, '"peak_power": 10.0', '"peak_power": 20.0', "kW"),
    (PVWATTS, "Long (deg W):,104.9", "Long (deg W):,105.9", "degrees west"),
]


def how_of(path):
    return How(year=2023, zone="America/Denver") if path == PVWATTS else How()


@pytest.mark.parametrize("path", SITES, ids=lambda path: path.name)
def test_a_file_tells_where_its_system_is(path):
    assert read_readings(path, how_of(path)).site == SITES[path]


def other(path, old, new, write, years=0):
    text = path.read_text()
    assert old in text
    return write(text.replace(old, new).replace("\n2019-", f"\n{2019 + years}-"), f"other{path.suffix}")


@pytest.mark.parametrize(("path", "old", "new", "what"), OTHERS)
def test_files_of_two_systems_are_refused_together(path, old, new, what, write, refusal):
    second = other(path, old, new, write, years=1)
    for read in (lambda: import_generation([path, second], how=how_of(path)), lambda: profiles(path, second)):
        (finding,) = refusal(read)
        assert finding["code"] == "duplicate_profile"
        assert all(word in finding["message"] for word in (what, path.name, second.name))


def profiles(*paths):
    how, refused = how_of(paths[0]), Findings()
    read_together(paths, refused, ProfileOptions(how=how))
    refused.check()


def test_another_year_of_one_system_is_one_longer_series(write):
    second = other(NINJA, "date_from", "date_from", write, years=1)
    (one,) = import_generation([NINJA, second]).series.values()
    assert (one.start[:4], one.end[:4]) == ("2019", "2020")


def test_one_system_as_csv_and_json_is_one():
    assert len(import_generation([PVGIS, PVGIS_JSON]).series) == 1


def test_solar_and_wind_of_two_places_have_their_own_names(write):
    second = other(NINJA, "Renewables.ninja Wind (Point API) - 55.1", "Renewables.ninja PV (Point API) - 50.1", write)
    assert set(import_generation([NINJA, second]).series) == {"solar", "wind"}


def test_numbers_have_one_form_and_what_is_not_told_is_left_out():
    told = {"latitude": "47.100", "longitude": -8, "kW": None, "tilt": "", "turbine": '"V90"'}
    assert site_of(told) == {"latitude": "47.1", "longitude": "-8", "turbine": "V90"}


@pytest.mark.parametrize("name", ["sam.csv", "renewables-ninja-country.csv"])
def test_a_file_that_tells_no_site_says_what_is_assumed(name):
    readings = corpus.read(EXAMPLES / name)
    assert readings.site == {}
    assert "taken to be of one" in readings.notes[SITE]


def test_a_file_that_tells_its_site_assumes_none():
    assert SITE not in corpus.read(NINJA).notes
