"""A picture of where series have gaps, day by hour: in how many of them each hour is missing or filled in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gcr_fast.codes import ESTIMATED
from gcr_fast.errors import UsageError
from gcr_fast.grid.shapes import Profile
from gcr_fast.periods import DAY_S, EPOCH, utc_to_local
from gcr_fast.pictures import HOURS, Picture, label_axes, matplotlib_parts, png_named

HOUR_S = 3600
PALE = "#eeeeee"


class Gaps(NamedTuple):
    """What is drawn, and what is said above it."""

    lacking: Picture
    """A column a day; its `mean` is how many series lack the hour, NaN where no file is about it."""
    filled: np.ndarray
    """float64[24, days]: in how many series the hour was filled in."""
    hours: tuple[int, int, int]
    """How many some file is about, how many of them some series lacks, and how many were filled in.

    They are counted as they passed: on the day of 25 hours, two of them share a cell of the picture.
    """


def gap_counts(profiles: Mapping[str, Profile], covered: Mapping[str, np.ndarray], zone: str) -> Gaps:
    """Return how many series lack each hour of each day, or have it filled in."""
    if not profiles:
        raise UsageError("there are no series to draw")
    first_s = min(profile.start_s for profile in profiles.values())
    last_s = max(profile.end_s for profile in profiles.values())
    ends = utc_to_local(np.array([first_s, last_s - 1], dtype=np.int64), zone) // DAY_S
    days = int(ends[1] - ends[0]) + 1
    cells, hours = np.zeros((3, HOURS * days)), np.zeros((3, (last_s - first_s) // HOUR_S + 2), dtype=bool)
    for name, profile in profiles.items():
        starts = profile.start_s + profile.step_s * np.arange(len(profile.values), dtype=np.int64)
        local = utc_to_local(starts, zone)
        cell = local // HOUR_S % HOURS * days + local // DAY_S - int(ends[0])
        hour = (starts + (local - starts) % HOUR_S) // HOUR_S - first_s // HOUR_S
        for at, mask in enumerate(_masks(profile, covered[name])):
            cells[at] += np.bincount(cell[mask], minlength=HOURS * days) > 0
            hours[at, hour[mask]] = True
    lacking = np.where(cells[0] > 0, cells[1], np.nan).reshape(HOURS, days)
    first_day = EPOCH.date() + timedelta(days=int(ends[0]))
    known, missing, filled = hours.sum(axis=1).tolist()
    picture = Picture(lacking, lacking > 0, first_day, 1.0, "")
    return Gaps(picture, cells[2].reshape(HOURS, days), (known, missing, filled))


def _masks(profile: Profile, covered: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return bool[n]: intervals that some file is about, those of them that are missing, and those filled in."""
    filled = np.zeros(len(covered), bool) if profile.quality is None else profile.quality == ESTIMATED
    return covered, covered & profile.missing, filled


def gaps_png(
    profiles: Mapping[str, Profile], covered: Mapping[str, np.ndarray], path: str | os.PathLike[str], zone: str
) -> Path:
    """Write the picture as a .png file, complete or not at all. Needs `gcr_fast[png]`."""
    from gcr_fast.exchange.writing import said_plainly, whole_file

    place = png_named(path)
    figure = _figure(gap_counts(profiles, covered, zone), len(profiles), zone)
    with said_plainly(place), whole_file(place) as file:
        figure.savefig(file, format="png", dpi=150, metadata={"Title": "gaps"})
    return place


def _figure(found: Gaps, series: int, zone: str) -> Any:
    from matplotlib.colors import ListedColormap
    from matplotlib.ticker import MaxNLocator

    drawn, filled = found.lacking, found.filled
    figures, agg = matplotlib_parts()
    figure = figures.Figure(figsize=(11, 4.2), layout="constrained")
    agg.FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    style: dict[str, Any] = {
        "aspect": "auto",
        "origin": "lower",
        "interpolation": "nearest",
        "extent": (0, drawn.columns, 0, HOURS),
    }
    axes.imshow(np.where(np.isnan(drawn.mean), np.nan, 1), cmap=ListedColormap([PALE]), **style)
    lacking = np.where(drawn.mean > 0, drawn.mean, np.nan)
    image = axes.imshow(lacking, cmap="inferno_r", vmin=0, vmax=max(series, 1), **style)
    axes.imshow(np.where(filled > 0, 1.0, np.nan), cmap=ListedColormap(["#00a0a0"]), **style)
    label_axes(axes, drawn, zone)
    whole = MaxNLocator(integer=True, min_n_ticks=1)  # there is no half of a series
    figure.colorbar(image, ax=axes, pad=0.015, label=f"missing in how many of {series} series", ticks=whole)
    known, missing, made = found.hours
    title = f"gaps: {missing:,} of {known:,} hours are missing in some series"
    axes.set_title(title + (f"; {made:,} filled in (teal)" if made else ""), loc="left")
    return figure
