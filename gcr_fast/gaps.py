"""A picture of where series have gaps, day by hour: in how many of them each hour is missing or filled in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from gcr_fast.codes import ESTIMATED
from gcr_fast.errors import UsageError
from gcr_fast.periods import DAY_S, EPOCH, utc_to_local
from gcr_fast.pictures import HOURS, Picture, label_axes, matplotlib_parts, png_named
from gcr_fast.shapes import Profile

HOUR_S = 3600
PALE = "#eeeeee"


def gap_counts(
    profiles: Mapping[str, Profile], covered: Mapping[str, np.ndarray], zone: str
) -> tuple[Picture, np.ndarray]:
    """Return how many series lack each hour of each day, and float64[24, days], in how many it was filled in.

    The first is the `mean` of a picture with a column a day; NaN where no file is about the hour.
    """
    if not profiles:
        raise UsageError("there are no series to draw")
    first_s = min(profile.start_s for profile in profiles.values())
    last_s = max(profile.end_s for profile in profiles.values())
    ends = utc_to_local(np.array([first_s, last_s - 1], dtype=np.int64), zone) // DAY_S
    days = int(ends[1] - ends[0]) + 1
    counts = np.zeros((3, HOURS * days))
    for name, profile in profiles.items():
        starts = profile.start_s + profile.step_s * np.arange(len(profile.values), dtype=np.int64)
        local = utc_to_local(starts, zone)
        cell = local // HOUR_S % HOURS * days + local // DAY_S - int(ends[0])
        filled = np.zeros(len(starts), bool) if profile.quality is None else profile.quality == ESTIMATED
        for at, mask in enumerate((covered[name], covered[name] & profile.missing, filled)):
            counts[at] += np.bincount(cell[mask], minlength=HOURS * days) > 0
    lacking = np.where(counts[0] > 0, counts[1], np.nan).reshape(HOURS, days)
    first_day = EPOCH.date() + timedelta(days=int(ends[0]))
    picture = Picture(lacking, lacking > 0, first_day, 1.0, "")
    return picture, counts[2].reshape(HOURS, days)


def gaps_png(
    profiles: Mapping[str, Profile], covered: Mapping[str, np.ndarray], path: str | os.PathLike[str], zone: str
) -> Path:
    """Write the picture as a .png file, complete or not at all. Needs `gcr_fast[png]`."""
    from gcr_fast.exchange.writing import said_plainly, whole_file

    place = png_named(path)
    drawn, filled = gap_counts(profiles, covered, zone)
    figure = _figure(drawn, filled, len(profiles), zone)
    with said_plainly(place), whole_file(place) as file:
        figure.savefig(file, format="png", dpi=150, metadata={"Title": "gaps"})
    return place


def _figure(drawn: Picture, filled: np.ndarray, series: int, zone: str) -> Any:
    from matplotlib.colors import ListedColormap
    from matplotlib.ticker import MaxNLocator

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
    gaps, hours = int((drawn.mean > 0).sum()), int((~np.isnan(drawn.mean)).sum())
    title = f"gaps: {gaps:,} of {hours:,} hours are missing in some series"
    axes.set_title(title + (f"; {int((filled > 0).sum()):,} filled in (teal)" if filled.any() else ""), loc="left")
    return figure
