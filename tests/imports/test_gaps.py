"""The picture of gaps: what each cell counts, and that a gap looks like none of the rest."""

import numpy as np
import pytest
from oracle.opsd import opsd

from gcr_fast.errors import UsageError
from gcr_fast.imports import import_generation
from gcr_fast.imports.gaps import gap_counts, gaps_png
from gcr_fast.sources.model import How

SOLAR, WIND = "XX_solar_generation_actual", "XX_wind_generation_actual"


@pytest.fixture
def imported(write):
    """Two days of two series: hour 3 is missing in one, hour 5 of the second day in both."""
    solar, wind = ["1"] * 48, ["2"] * 48
    solar[3] = solar[29] = wind[29] = ""
    path = write(opsd("2024-01-01", {SOLAR: solar, WIND: wind}))
    return lambda filling="none": import_generation([path], filling=filling)


def test_a_cell_counts_the_series_that_lack_the_hour(imported):
    drawn, filled, hours = gap_counts(imported().profiles, imported().covered, "UTC")
    wanted = np.zeros((24, 2))
    wanted[3, 0], wanted[5, 1] = 1, 2
    assert (drawn.mean == wanted).all()
    assert not filled.any()
    assert hours == (48, 2, 0)


def test_filled_hours_are_counted_apart(imported):
    found = imported("interpolate")
    drawn, filled, hours = gap_counts(found.profiles, found.covered, "UTC")
    assert not drawn.mean.any()
    assert (filled[3, 0], filled[5, 1], filled.sum()) == (1, 2, 3)
    assert hours == (48, 0, 2)


def test_hours_are_those_of_the_zone(imported):
    drawn = gap_counts(imported().profiles, imported().covered, "Europe/Berlin").lacking
    assert drawn.mean[4, 0] == 1
    assert np.isnan(drawn.mean[0, 0])


@pytest.mark.parametrize(("missing", "lacking"), [((), 0), ((1,), 1), ((1, 2), 2)])
def test_the_two_hours_of_one_cell_are_counted_as_two(write, missing, lacking):
    """On 27 October 2024, 02:00 in Berlin comes at 00:00 and at 01:00 UTC."""
    cells = ["" if at - 1 in missing else "1" for at in range(26)]
    found = import_generation([write(opsd("2024-10-26T23:00", {SOLAR: cells}))])
    drawn, _, hours = gap_counts(found.profiles, found.covered, "Europe/Berlin")
    assert hours == (26, lacking, 0)
    assert (drawn.mean[2] == 1).sum() == bool(lacking)


def test_a_year_has_all_its_hours_in_any_zone(write):
    found = import_generation([write(opsd("2023-01-01", {SOLAR: ["1"] * 8760}))])
    for zone in ("UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"):
        assert gap_counts(found.profiles, found.covered, zone).hours == (8760, 0, 0)


def test_quarters_that_are_missing_make_one_hour(write):
    rows = "".join(
        f"{hour}:{minute:02d},{'' if hour == 1 and minute < 30 else 5}\n"
        for hour in range(3)
        for minute in (0, 15, 30, 45)
    )
    text = "time,solar\n" + "".join(f"2024-01-01T0{row}" for row in rows.splitlines(keepends=True))
    mapping = {
        "time": {"column": "time", "marks": "begin", "minutes": 15, "zone": "UTC"},
        "unit": "kWh",
        "columns": {"solar": "solar"},
    }
    found = import_generation([write(text)], how=How(mapping=mapping), keep_intervals=True)
    assert gap_counts(found.profiles, found.covered, "UTC").hours == (3, 1, 0)


def test_a_png_shows_gaps_in_another_colour(imported, tmp_path):
    from matplotlib import image

    found = imported()
    pixels = image.imread(gaps_png(found.profiles, found.covered, tmp_path / "gaps.png", "UTC"))
    empty = import_of_nothing_missing(found)
    plain = image.imread(gaps_png(*empty, tmp_path / "none.png", "UTC"))
    assert pixels.shape == plain.shape
    assert (pixels != plain).any()


def import_of_nothing_missing(found):
    from dataclasses import replace

    profiles = {name: replace(one, missing=np.zeros_like(one.missing)) for name, one in found.profiles.items()}
    return profiles, found.covered


def test_no_series_make_no_picture(tmp_path):
    with pytest.raises(UsageError, match="no series"):
        gaps_png({}, {}, tmp_path / "none.png", "UTC")


def test_a_picture_of_gaps_under_the_name_of_another_format_is_wrong_usage(imported, tmp_path):
    with pytest.raises(UsageError, match=r"must end in \.png"):
        gaps_png(imported().profiles, imported().covered, tmp_path / "gaps.pdf", "UTC")
