"""Pictures of a profile, day by hour: small in the terminal, large as PNG. A gap never looks like a zero."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.codes import WH_PER_MWH
from gcr_fast.errors import UsageError
from gcr_fast.periods import DAY_S, EPOCH, utc_text, utc_to_local, zone_named
from gcr_fast.profiles import Profile

if TYPE_CHECKING:
    from rich.text import Text

HOURS = 24
SHADES = " ░▒▓█"
MISSING = "x"
GUTTER = 3
MIN_WIDTH = 60
MOST_LABELS = 13
"""Months named below a picture; of more, every second, third, ... one is."""
GAP_COLOUR = "#00d0d0"
DAYS_PER_COLUMN_BY_YEAR = 12
FEW_DAYS = 7
"""A month of which less is in the picture is not named."""
COLOURS = ("#0d0887", "#41049d", "#6a00a8", "#8f0da4", "#b12a90", "#cc4778", "#e16462", "#f2844b", "#fca636", "#fcce25")
"""From dark to bright, even to the eye (the palette `plasma`)."""


@dataclass(frozen=True)
class Picture:
    """A profile's hours in a zone's clock, as a grid of 24 rows and a column for each day (or several days)."""

    mean: np.ndarray
    """float64[24, columns]: mean Wh (or weight) of the hour; NaN where the profile has no such hour."""
    missing: np.ndarray
    """bool[24, columns]: some hour of the cell has no value."""
    first_day: date
    days_per_column: float
    unit: str
    """`MWh`, or empty for weights."""

    @property
    def columns(self) -> int:
        """How many columns."""
        return int(self.mean.shape[1])

    @cached_property
    def peak(self) -> float:
        """The largest cell, 0 if there is none."""
        return float(np.nanmax(self.mean)) if np.isfinite(self.mean).any() else 0.0

    def month_starts(self) -> list[tuple[float, date]]:
        """Return (column, first of month) of each month in the picture; a few days of one at the edge do not count."""
        end = self.first_day + timedelta(days=round(self.columns * self.days_per_column))
        month, found = self.first_day.replace(day=1), []
        while month < end:
            following = (month + timedelta(days=32)).replace(day=1)
            first = max(month, self.first_day)
            if (min(following, end) - first).days >= FEW_DAYS:
                found.append(((first - self.first_day).days / self.days_per_column, month))
            month = following
        return found


def picture(profile: Profile, columns: int | None = None, zone: str = "UTC") -> Picture:
    """Lay a profile out day by hour, in at most so many columns (None: one a day).

    Hours are those of the zone's clock: on the day with 25 hours the doubled one is a mean, on the day with 23 the
    skipped one is empty.
    """
    zone_named(zone)
    if not len(profile.values):
        raise UsageError(f"profile {profile.name} has no intervals to draw")
    starts = profile.start_s + profile.step_s * np.arange(len(profile.values), dtype=np.int64)
    local = utc_to_local(starts, zone)
    day = local // DAY_S
    days = int(day[-1] - day[0]) + 1
    count = min(columns or days, days)
    cell = local // 3600 % HOURS * count + (day - day[0]) * count // days
    mean, missing = _cells(profile, cell, HOURS * count)
    first = EPOCH.date() + timedelta(days=int(day[0]))
    shape = (HOURS, count)
    unit = "MWh" if profile.is_energy else ""
    return Picture(mean.reshape(shape), missing.reshape(shape), first, days / count, unit)


def _cells(profile: Profile, cell: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean hour of each cell, NaN where it has none, and whether any of its intervals is missing."""
    present = ~profile.missing
    sums = np.bincount(cell[present], weights=profile.values[present].astype(np.float64), minlength=size)
    hours = np.bincount(cell[present], minlength=size) * (profile.step_s / 3600)
    with np.errstate(invalid="ignore"):
        mean = np.where(hours > 0, sums / hours, np.nan)
    return mean, np.bincount(cell[profile.missing], minlength=size) > 0


def terminal_heat_map(profile: Profile, width: int = 80, zone: str = "UTC", colour: bool = False) -> Text:
    """Return a picture of `width` characters: 24 rows of hours, months below, the scale, notes.

    Without colour, shading tells the size; with it, the background. A cell in which an hour is missing is an `x`.
    """
    from rich.text import Text

    if width < MIN_WIDTH:
        raise UsageError(f"a picture needs {MIN_WIDTH} columns or more, not {width}")
    drawn = picture(profile, width - GUTTER, zone)
    repeat = max(1, (width - GUTTER) // drawn.columns)
    text = Text(no_wrap=True)
    for hour in range(HOURS):
        text.append(f"{hour:02d} " if hour % 3 == 0 else " " * GUTTER, style="dim")
        _append_row(text, drawn, hour, repeat, colour)
        text.append("\n")
    text.append(" " * GUTTER + _month_line(drawn, repeat) + "\n", style="dim")
    _append_scale(text, drawn, zone, colour)
    return text


def _append_row(text: Text, drawn: Picture, hour: int, repeat: int, colour: bool) -> None:
    for value, gap in zip(drawn.mean[hour].tolist(), drawn.missing[hour].tolist(), strict=True):
        if gap:
            text.append(MISSING * repeat, style="bold white on red" if colour else "")
        elif isnan(value):  # before the profile's first hour, after its last, or skipped by the clock
            text.append(" " * repeat)
        elif colour:
            text.append(" " * repeat, style=f"on {_level(value, drawn.peak, COLOURS)}")
        else:
            text.append(_level(value, drawn.peak, SHADES) * repeat)


def _level(value: float, peak: float, levels: str | tuple[str, ...]) -> str:
    """Return the level of a value: zero alone has the first, the rest share the others."""
    if value <= 0 or peak <= 0:
        return levels[0]
    steps = len(levels) - 1
    return levels[1 + min(int(value / peak * steps), steps - 1)]


def _month_line(drawn: Picture, repeat: int) -> str:
    """Name each month under its first column, where the name fits before the next; of many years, the years."""
    by_year = drawn.days_per_column > DAYS_PER_COLUMN_BY_YEAR
    line = [" "] * (drawn.columns * repeat)
    free = 0
    for column, month in drawn.month_starts():
        at = int(np.ceil(column)) * repeat
        name = f"{month:%Y}" if by_year else f"{month:%b}"
        if (month.month == 1 or not by_year) and at >= free and at + len(name) <= len(line):
            line[at : at + len(name)] = name
            free = at + len(name) + 1
    return "".join(line).rstrip()


def _append_scale(text: Text, drawn: Picture, zone: str, colour: bool) -> None:
    text.append(" " * GUTTER + "0 ")
    for level in COLOURS if colour else SHADES:
        text.append(" " if colour else level, style=f"on {level}" if colour else "")
    text.append(f" {_amount(drawn.peak, drawn.unit)} in an hour\n")
    notes = [f"hours of {zone}"]
    if drawn.days_per_column > 1:
        notes.append(f"mean of {drawn.days_per_column:.2g} days")
    if drawn.missing.any():
        notes.append(f"{MISSING} missing")
    text.append(" " * GUTTER + ", ".join(notes), style="dim")


def _amount(value: float, unit: str) -> str:
    """Say a value of the picture: in MWh with a sensible number of digits, or as a bare weight."""
    size = value / WH_PER_MWH if unit else value
    digits = 0 if size >= 100 else 1 if size >= 10 else 3 if size >= 0.1 else 6
    return f"{size:,.{digits}f} {unit}".strip()


def heat_map_png(profile: Profile, path: str | os.PathLike[str], zone: str = "UTC") -> Path:
    """Write a heat map, 24 hours by days, as a .png file, complete or not at all. Needs `gcr_fast[png]`."""
    from gcr_fast.exchange.writing import said_plainly, whole_file

    place = png_named(path)
    figure = _figure(profile, picture(profile, None, zone), zone)
    with said_plainly(place), whole_file(place) as file:
        figure.savefig(file, format="png", dpi=150, metadata={"Title": profile.name})
    return place


def png_named(path: str | os.PathLike[str]) -> Path:
    """Return the path of a picture; one whose name says another format is a `UsageError`."""
    place = Path(path)
    if place.suffix.lower() != ".png":
        raise UsageError(f"{place}: a picture's name must end in .png")
    return place


def _figure(profile: Profile, drawn: Picture, zone: str) -> Any:
    figures, agg = matplotlib_parts()
    figure = figures.Figure(figsize=(11, 4.6), layout="constrained")
    agg.FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    scale = WH_PER_MWH if drawn.unit else 1
    extent = (0, drawn.columns, 0, HOURS)
    image = axes.imshow(
        np.where(drawn.missing, np.nan, drawn.mean) / scale,
        aspect="auto",
        origin="lower",
        interpolation="nearest",
        cmap="plasma",
        vmin=0,
        vmax=drawn.peak / scale or 1,
        extent=extent,
    )
    _mark_missing(axes, drawn, extent)
    label_axes(axes, drawn, zone)
    figure.colorbar(image, ax=axes, pad=0.015, label=f"{drawn.unit} per hour" if drawn.unit else "weight (no unit)")
    axes.set_title(_title(profile, drawn), loc="left", fontsize=12)
    figure.supxlabel(_small_print(profile), x=0.01, ha="left", fontsize=7, color="0.4")
    return figure


def matplotlib_parts() -> tuple[Any, Any]:
    """Return matplotlib's modules of figures and of their PNG canvas, without the state of pyplot."""
    try:
        from matplotlib import figure
        from matplotlib.backends import backend_agg
    except ImportError:
        raise UsageError("a PNG needs matplotlib: pip install 'gcr_fast[png]'") from None
    return figure, backend_agg


def _mark_missing(axes: Any, drawn: Picture, extent: tuple[int, int, int, int]) -> None:
    """Paint gaps in a colour that is not on the scale."""
    if not drawn.missing.any():
        return
    from matplotlib.colors import ListedColormap

    gaps = np.where(drawn.missing, 1.0, np.nan)
    paint = ListedColormap([GAP_COLOUR])
    axes.imshow(gaps, aspect="auto", origin="lower", interpolation="nearest", cmap=paint, extent=extent)
    axes.plot([], [], "s", color=GAP_COLOUR, label="missing")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), frameon=False, fontsize=8, borderaxespad=0.2)


def label_axes(axes: Any, drawn: Picture, zone: str) -> None:
    """Name months below, of each year the first with the year, and hours at the left."""
    labels = _labels(drawn)
    axes.set_xticks(list(labels))
    axes.set_xticklabels(list(labels.values()), ha="left")
    axes.set_yticks(range(0, HOURS + 1, 3))
    axes.set_ylabel(f"hour of day ({zone})")
    axes.tick_params(length=3, labelsize=9)


def _labels(drawn: Picture) -> dict[float, str]:
    """Return names by their column: of months; of the first day, where there are only a few."""
    months = drawn.month_starts()
    if not months:
        return {0.0: f"{drawn.first_day:%d %b\n%Y}"}
    apart = next((k for k in (1, 2, 3, 6, 12) if len(months) <= MOST_LABELS * k), 12)
    labels, year = dict[float, str](), 0
    for column, month in months:
        if (month.month - 1) % apart == 0:
            labels[column] = f"{month:%b\n%Y}" if month.year > year else f"{month:%b}"
            year = month.year
    return labels


def _title(profile: Profile, drawn: Picture) -> str:
    total = f"{profile.total / WH_PER_MWH:,.0f} MWh" if drawn.unit else f"weights that sum to {profile.total:,}"
    return f"{profile.name}   {span_text(profile)}   {total}"


def month_totals(profile: Profile, zone: str = "UTC") -> dict[str, int]:
    """Return the exact sum of each month of a zone's clock, by `2020-01`; missing intervals add nothing."""
    zone_named(zone)
    if not len(profile.values):
        return {}
    starts = profile.start_s + profile.step_s * np.arange(len(profile.values), dtype=np.int64)
    months = utc_to_local(starts, zone).astype("datetime64[s]").astype("datetime64[M]")
    names, firsts = np.unique(months, return_index=True)
    sums = np.add.reduceat(np.where(profile.missing, 0, profile.values), firsts)
    return dict(zip(names.astype(str).tolist(), sums.tolist(), strict=True))


def span_text(profile: Profile) -> str:
    """Say which time a profile covers: `2020` if that is about a calendar year in some zone, else both ends."""
    length = profile.end_s - profile.start_s
    middle = EPOCH + timedelta(seconds=profile.start_s + length // 2)
    first = int((EPOCH.replace(year=middle.year) - EPOCH).total_seconds())
    last = int((EPOCH.replace(year=middle.year + 1) - EPOCH).total_seconds())
    if abs(profile.start_s - first) <= DAY_S and abs(profile.end_s - last) <= DAY_S:
        return str(middle.year)
    return f"{utc_text(profile.start_s)} .. {utc_text(profile.end_s)}"


def _small_print(profile: Profile) -> str:
    parts = [profile.attribution, "" if profile.complete else f"{int(profile.missing.sum())} intervals are missing"]
    return "; ".join(part for part in parts if part) or (profile.file or " ")
