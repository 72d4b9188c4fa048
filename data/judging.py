"""Which series ship: those without a gap, as whole Wh per UTC hour; the others are refused, with the reason.

"Gap-free" means, here and in the tests:

* A country-year is accepted only if its file is a regular grid (60, 30 or 15 minutes, strictly rising, no
  label twice) that covers exactly the year window, and if no row reads zero in every series at once. A
  country does not stop generating altogether: such rows are missing data written as zeros. They are
  refused, not repaired.
* A series is accepted only if it has no null at all in that window. Nothing is filled. A null beside zeros
  is a gap like any other. A series that is null or zero throughout is left out: nothing can be spread over
  an all-zero profile.
* A country-year in which no series was refused for a gap is called `complete` in the manifest; otherwise
  `partial`.
* A pumped-storage series is refused if pumping is mixed into it as if it were generation (see
  `pumping_mixed_in`).

The year window is the year in Central European Time for 2019, which is how the source files of that year
are cut, and the country's own local year for 2020.

Energy is computed with integers only: MW become whole watts exactly, and the Wh of an hour are
`floor(sum(watts * seconds) / 3600)`. An hour below zero (own use, or pumping, above generation) ships as 0
and is counted in the manifest.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .harvest import (
    STORAGE,
    TYPES,
    BuildError,
    FloatArray,
    Harvest,
    IntArray,
    Refusal,
    Series,
    Source,
    utc_text,
    year_window,
)

STEPS = (3600, 1800, 900)


# --- what is gap-free


def grid_step(starts: IntArray) -> int:
    """Return the most frequent distance between two intervals, seconds."""
    steps, counts = np.unique(np.diff(starts), return_counts=True)
    return int(steps[np.argmax(counts)])


def grid_fault(source: Source) -> str | None:
    """Say why the file's intervals are not the whole year window, or None if they are."""
    first, end = year_window(source.year, source.zone)
    step = grid_step(source.starts)
    if step not in STEPS or first % 3600:
        return f"intervals of {step} s from {utc_text(first)} do not make UTC hours"
    wanted = np.arange(first, end, step, dtype=np.int64)
    if np.array_equal(wanted, source.starts):
        return None
    missing = len(np.setdiff1d(wanted, source.starts))
    outside = len(source.starts) - (len(wanted) - missing)
    return f"{missing} of {len(wanted)} intervals missing, {outside} outside the year or repeated"


def standstill_fault(source: Source) -> str | None:
    """Say how many rows read zero in every series at once: missing data written as zeros."""
    carrying = [v for v in source.megawatts.values() if np.nansum(np.abs(v)) > 0]
    rows = np.flatnonzero(np.all([v == 0 for v in carrying], axis=0))
    if not len(rows):
        return None
    first = utc_text(source.starts[rows[0]])
    return f"{len(rows)} intervals read zero in every series at once, first {first}"


def series_fault(values: FloatArray) -> tuple[str, bool] | None:
    """Say why a series cannot ship, and whether that is a gap; None if it can."""
    nulls, carries = int(np.isnan(values).sum()), bool(np.nansum(np.abs(values)) > 0)
    if nulls:
        return f"{nulls} of {len(values)} intervals null" + ("" if carries else ", the rest zero"), True
    return None if carries else ("zero throughout", False)


def pumping_mixed_in(hourly_wh: IntArray, start: int) -> bool:
    """Tell whether pumping was written into a pumped-storage series as if it were generation.

    In some 2019 files hours in which a country only pumped hold the pumped MW, with the wrong sign. It
    shows as a hump in the dead of night, when storage is filled: more "generation" at 01-03 UTC than at
    21-23 UTC. A series that goes below zero keeps the sign of pumping and is not affected.
    """
    if (hourly_wh < 0).any():
        return False
    hour = (start // 3600 + np.arange(len(hourly_wh))) % 24
    late, dead = np.isin(hour, (21, 22, 23)), np.isin(hour, (1, 2, 3))
    return int(hourly_wh[dead].sum()) > int(hourly_wh[late].sum())


# --- from MW to Wh


def whole_watts(values: FloatArray) -> IntArray:
    """Return MW as whole watts, exactly: the float must be the one nearest to that decimal number."""
    watts = np.rint(values * 1e6).astype(np.int64)
    if not np.array_equal(watts / 1e6, values):
        raise BuildError("a value in MW has more than six decimals")
    return watts


def hourly_energy(watts: IntArray, step: int) -> IntArray:
    """Return the Wh of each hour, rounded down; the hour's mean power where it has several intervals."""
    per_hour = watts.reshape(-1, 3600 // step).sum(axis=1)
    return np.asarray(per_hour * step // 3600, dtype=np.int64)


def harvest_source(source: Source, harvest: Harvest) -> None:
    """Put every series of one file on the accepted or on the refused side."""
    fault = grid_fault(source) or standstill_fault(source)
    if fault:
        harvest.refused.append(Refusal(source.country, source.year, None, fault))
        return
    for production_type in sorted(source.megawatts):
        accept_or_refuse(source, production_type, harvest)


def accept_or_refuse(source: Source, production_type: str, harvest: Harvest) -> None:
    """Judge one series of a file whose grid is whole."""
    part, source_type = TYPES[production_type]
    name = f"{source.country}-{source.year}-{part}"
    values = source.megawatts[production_type]
    fault = series_fault(values)
    if fault is None:
        energy = hourly_energy(whole_watts(values), grid_step(source.starts))
        if source_type == STORAGE and pumping_mixed_in(energy, int(source.starts[0])):
            fault = "pumping is mixed in as if it were generation", False
        elif (energy > 0).any():
            harvest.series.append(make_series(source, name, source_type, energy))
            return
        else:
            fault = "never above zero", False
    harvest.refused.append(Refusal(source.country, source.year, name, *fault))


def make_series(source: Source, name: str, source_type: str, energy: IntArray) -> Series:
    """Clip what is below zero, count it, and note what a reader should know."""
    below = energy[energy < 0]
    clipped = np.maximum(energy, 0)
    return Series(
        name=name,
        country=source.country,
        year=source.year,
        zone=source.zone,
        source_type=source_type,
        start=int(source.starts[0]),
        energy_wh=clipped,
        clipped_hours=len(below),
        clipped_wh=-int(below.sum()),
        notes=tuple(notes_on(clipped, int(source.starts[0]), source_type, len(below))),
    )


# --- oddities worth telling


def notes_on(energy: IntArray, start: int, source_type: str, clipped_hours: int) -> Iterator[str]:
    """Yield remarks on a series that ships as it was published, although it looks odd."""
    if source_type == STORAGE and clipped_hours:
        yield "net of pumping: the hours in which generation exceeded pumping, by the excess"
    if energy.min() == energy.max():
        yield "the same value in every hour"
        return
    peaks = peak_hours(energy)
    if len(peaks):
        yield f"{len(peaks)} h more than 1.5 times the tenth-highest hour: {hours_text(peaks, start)}"
    gone = dropout_hours(energy)
    if len(gone):
        yield f"{len(gone)} h of zero amid ordinary output, probably missing: {hours_text(gone, start)}"


def peak_hours(energy: IntArray) -> IntArray:
    """Return the hours that stand far above even the highest others: often a doubled or mistyped value."""
    tenth = np.sort(energy)[-10]
    return np.asarray(np.flatnonzero(2 * energy > 3 * tenth), dtype=np.int64)


def dropout_hours(energy: IntArray) -> IntArray:
    """Return the hours of zero that begin and end abruptly, at half the usual output or more.

    All plants of a kind do not stop and restart at once: these are probably missing values published as
    zeros. Only series that seldom rest are looked at; at others, a zero says nothing.
    """
    zero = np.flatnonzero(energy == 0)
    if not 0 < 100 * len(zero) < len(energy):
        return np.empty(0, dtype=np.int64)
    ordinary = int(np.median(energy[energy > 0])) // 2
    runs = np.split(zero, np.flatnonzero(np.diff(zero) > 1) + 1)
    inner = [r for r in runs if r[0] > 0 and r[-1] < len(energy) - 1]
    abrupt = [r for r in inner if min(energy[r[0] - 1], energy[r[-1] + 1]) >= ordinary]
    return np.concatenate(abrupt).astype(np.int64) if abrupt else np.empty(0, dtype=np.int64)


def hours_text(hours: IntArray, start: int) -> str:
    """Name the first few of some hours."""
    shown = [utc_text(start + 3600 * int(h)) for h in hours[:3]]
    return ", ".join(shown) + (", ..." if len(hours) > len(shown) else "")
