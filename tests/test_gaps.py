"""The picture of gaps: what each cell counts, and that a gap looks like none of the rest."""

import numpy as np
import pytest
from oracle.opsd import opsd

from gcr_fast.errors import UsageError
from gcr_fast.gaps import gap_counts, gaps_png
from gcr_fast.imports import import_generation

SOLAR, WIND = "XX_solar_generation_actual", "XX_wind_generation_actual"


@pytest.fixture
def imported(write):
    """Two days of two series: hour 3 is missing in one, hour 5 of the second day in both."""
    solar, wind = ["1"] * 48, ["2"] * 48
    solar[3] = solar[29] = wind[29] = ""
    path = write(opsd("2024-01-01", {SOLAR: solar, WIND: wind}))
    return lambda filling="none": import_generation([path], filling=filling)


def test_a_cell_counts_the_series_that_lack_the_hour(imported):
    drawn, filled = gap_counts(imported().profiles, imported().covered, "UTC")
    wanted = np.zeros((24, 2))
    wanted[3, 0], wanted[5, 1] = 1, 2
    assert (drawn.mean == wanted).all()
    assert not filled.any()


def test_filled_hours_are_counted_apart(imported):
    found = imported("interpolate")
    drawn, filled = gap_counts(found.profiles, found.covered, "UTC")
    assert not drawn.mean.any()
    assert (filled[3, 0], filled[5, 1], filled.sum()) == (1, 2, 3)


def test_hours_are_those_of_the_zone(imported):
    drawn, _ = gap_counts(imported().profiles, imported().covered, "Europe/Berlin")
    assert drawn.mean[4, 0] == 1
    assert np.isnan(drawn.mean[0, 0])


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
