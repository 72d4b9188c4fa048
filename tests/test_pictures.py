"""Pictures: right cells, gaps apart from zeros, text that fits, files whole or absent."""

import sys
from datetime import date

import numpy as np
import pytest

from gcr_fast.errors import OutputError, UsageError
from gcr_fast.periods import year_period
from gcr_fast.pictures import heat_map_png, month_totals, picture, span_text, terminal_heat_map
from gcr_fast.profiles import Profile

HOUR = 3600


def profile(values, start_s=0, step_s=HOUR, missing=(), **more):
    values = np.array(values, dtype=np.int64)
    gaps = np.zeros(len(values), dtype=bool)
    gaps[list(missing)] = True
    return Profile("mine", start_s, step_s, values, gaps, np.zeros_like(values), **more)


def year(number, zone="UTC", **more):
    period = year_period(number, zone)
    return profile(np.arange(period.intervals(HOUR)) % 24 * 1_000_000, period.start_s, **more)


def rows(text):
    return [line[3:] for line in text.plain.splitlines()[:24]]


@pytest.mark.parametrize(("number", "days"), [(2023, 365), (2024, 366)])
def test_one_column_a_day(number, days):
    drawn = picture(year(number))
    assert drawn.mean.shape == (24, days)
    assert (drawn.mean == np.arange(24)[:, None] * 1_000_000).all()
    assert not drawn.missing.any()


def test_hours_are_those_of_the_zone():
    drawn = picture(year(2024, "Europe/Berlin"), zone="Europe/Berlin")
    assert drawn.mean.shape == (24, 366)
    spring, autumn = (date(2024, 3, 31) - date(2024, 1, 1)).days, (date(2024, 10, 27) - date(2024, 1, 1)).days
    assert np.argwhere(np.isnan(drawn.mean)).tolist() == [[2, spring]]
    before, doubled = drawn.mean[2, autumn - 1], drawn.mean[2, autumn]
    assert doubled == before + 500_000  # the doubled hour is the mean of two


def test_days_are_binned_to_the_width():
    values = np.repeat(np.arange(10), 24)
    drawn = picture(profile(values), columns=5)
    assert drawn.mean[0].tolist() == [0.5, 2.5, 4.5, 6.5, 8.5]
    assert drawn.days_per_column == 2


def test_intervals_below_an_hour_are_shown_by_the_hour():
    assert picture(profile([1, 2, 3, 4] * 24, step_s=900)).mean[:, 0].tolist() == [10.0] * 24


def test_missing_is_not_zero():
    drawn = picture(profile([0, 0, 5, 5], missing=[1]))
    assert drawn.missing[:4, 0].tolist() == [False, True, False, False]
    shown = rows(terminal_heat_map(profile([0, 0, 5, 5], missing=[1])))
    assert [row[:1] for row in shown[:4]] == [" ", "x", "█", "█"]
    assert "x missing" in terminal_heat_map(profile([0, 0], missing=[1])).plain
    assert "missing" not in terminal_heat_map(profile([0, 0])).plain


@pytest.mark.parametrize("width", [60, 80, 133])
@pytest.mark.parametrize("colour", [False, True])
def test_fits_the_width(width, colour):
    text = terminal_heat_map(year(2024), width, "Europe/Berlin", colour)
    lines = text.plain.splitlines()
    assert len(lines) == 27
    assert max(len(line) for line in lines) <= width


def test_months_and_scale_are_named():
    plain = terminal_heat_map(year(2024), 80).plain
    months = plain.splitlines()[24].split()
    assert months == ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    assert "23.0 MWh in an hour" in plain
    assert "hours of UTC, mean of 4.8 days" in plain


def test_many_years_are_named_by_year():
    whole = profile(np.ones(20 * 8766), year_period(2000).start_s)
    assert terminal_heat_map(whole, 80).plain.splitlines()[24].split()[:2] == ["2000", "2002"]


def test_a_short_profile_is_widened():
    shown = rows(terminal_heat_map(profile(np.arange(48)), 80))
    assert len(shown[23]) == 76


def test_colour_is_only_in_the_styles():
    plain, coloured = (terminal_heat_map(year(2024), colour=colour) for colour in (False, True))
    assert "█" in plain.plain
    assert "█" not in coloured.plain
    assert any("on #" in str(part.style) for part in coloured.spans)


def test_a_profile_of_zeros_or_gaps_can_be_drawn():
    assert "0.000000 MWh" in terminal_heat_map(profile([0] * 24)).plain
    assert rows(terminal_heat_map(profile([0] * 24, missing=range(24))))[5].startswith("x")


def test_weights_have_no_unit():
    assert "MWh" not in terminal_heat_map(profile([1, 2, 3], is_energy=False)).plain


@pytest.mark.parametrize("call", [terminal_heat_map, picture])
def test_what_cannot_be_drawn(call):
    with pytest.raises(UsageError, match="no intervals"):
        call(profile([]))
    with pytest.raises(UsageError, match="time zone"):
        call(profile([1]), zone="Mars")


def test_too_narrow():
    with pytest.raises(UsageError, match="60 columns"):
        terminal_heat_map(profile([1]), 20)


def test_month_totals_are_exact():
    large = profile([(1 << 53) + 1, 5], year_period(2024).start_s + 31 * 24 * HOUR - HOUR)
    assert month_totals(large) == {"2024-01": (1 << 53) + 1, "2024-02": 5}
    assert month_totals(large, "Europe/Berlin") == {"2024-02": (1 << 53) + 6}
    assert month_totals(profile([3, 4], missing=[1])) == {"1970-01": 3}
    assert month_totals(profile([])) == {}


def test_spans():
    assert span_text(year(2020, "Europe/Vienna")) == "2020"
    assert span_text(profile([1, 2])) == "1970-01-01T00:00Z .. 1970-01-01T02:00Z"


def test_png(tmp_path):
    pytest.importorskip("matplotlib")
    place = heat_map_png(year(2024, missing=[5, 6, 7]), tmp_path / "a.png", "Europe/Berlin")
    assert place.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert list(tmp_path.iterdir()) == [place]
    again = heat_map_png(year(2024, missing=[5, 6, 7]), tmp_path / "b.png", "Europe/Berlin")
    assert again.read_bytes() == place.read_bytes()
    heat_map_png(profile([1, 2, 3], is_energy=False), tmp_path / "weights.png")


def test_png_says_what_it_shows(monkeypatch, tmp_path):
    figure = pytest.importorskip("matplotlib.figure")
    seen = {}

    def look(self, *args, **options):
        axes, bar = self.axes
        seen.update(title=axes.get_title("left"), y=axes.get_ylabel(), bar=bar.get_ylabel(), small=self.get_supxlabel())
        seen["months"] = [label.get_text() for label in axes.get_xticklabels()]

    monkeypatch.setattr(figure.Figure, "savefig", look)
    heat_map_png(year(2024, attribution="Somebody (CC BY 4.0)"), tmp_path / "a.png")
    assert seen["title"] == "mine   2024   101,016 MWh"
    assert seen["y"] == "hour of day (UTC)"
    assert seen["bar"] == "MWh per hour"
    assert seen["small"] == "Somebody (CC BY 4.0)"
    assert seen["months"][::11] == ["Jan\n2024", "Dec"]
    assert sum("\n" in month for month in seen["months"]) == 1


def test_png_without_matplotlib(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UsageError, match=r"gcr_fast\[png\]"):
        heat_map_png(profile([1]), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_png_that_cannot_be_written(tmp_path):
    pytest.importorskip("matplotlib")
    with pytest.raises(OutputError, match="nothing was left behind"):
        heat_map_png(profile([1]), tmp_path / "no" / "a.png")


@pytest.mark.parametrize("name", ["x.pdf", "x", "png", "x.png.svg"])
def test_a_picture_under_the_name_of_another_format_is_wrong_usage(tmp_path, name):
    with pytest.raises(UsageError, match=r"must end in \.png"):
        heat_map_png(profile([1]), tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("drawn", "wanted"),
    [
        (year(2024), {0: "Jan\n2024", 31: "Feb", 335: "Dec"}),
        (year(2024, "Europe/Vienna"), {1: "Jan\n2024", 32: "Feb"}),  # it begins on 31 December in UTC
        (profile([1] * 24 * 400), {0: "Jan\n1970", 334: "Dec", 365: "Jan\n1971"}),
        (profile([1] * 24 * 4000), {0: "Jan\n1970", 365: "Jan\n1971", 730: "Jan\n1972"}),
        (profile([1] * 48), {0: "01 Jan\n1970"}),
    ],
)
def test_the_year_stands_below_the_first_month_of_each(drawn, wanted, monkeypatch, tmp_path):
    figure = pytest.importorskip("matplotlib.figure")
    seen = {}

    def look(self, *args, **options):
        axes = self.axes[0]
        seen.update(zip(axes.get_xticks().tolist(), [one.get_text() for one in axes.get_xticklabels()], strict=True))

    monkeypatch.setattr(figure.Figure, "savefig", look)
    heat_map_png(drawn, tmp_path / "a.png")
    assert wanted.items() <= seen.items()
    assert len({said.partition("\n")[2] for said in seen.values()} - {""}) == sum(
        "\n" in said for said in seen.values()
    )
