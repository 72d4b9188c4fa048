"""Meter readings out: hours or profiles as the files that other registries take in to issue from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gcr_fast.columns import exact_sum
from gcr_fast.errors import UsageError
from gcr_fast.exchange.streams import write_stream
from gcr_fast.findings import Finding, Findings
from gcr_fast.grid.shapes import Profile, Profiles
from gcr_fast.interchange.exchanged import Exchanged
from gcr_fast.interchange.hours import Hours, LeftOut, hours_of, parent_facts
from gcr_fast.interchange.unsaid import nothing_in, of_profiles
from gcr_fast.periods import utc_text
from gcr_fast.units import mwh_text

if TYPE_CHECKING:
    import pyarrow as pa

ONE_EACH = "keep one; hours are summed where they are of one length; two meters need a device each"
GRANULAR_STEPS = (300, 600, 900, 1800, 3600)
"""Lengths of intervals that Granular Energy takes, in seconds."""


class Series(NamedTuple):
    """The energy of one device, hour by hour."""

    device: str
    step_s: int
    starts: np.ndarray
    """int64[n] UTC seconds, ascending."""
    energy: np.ndarray
    """int64[n] Wh."""


OF_HOURS = {"certificates": "energy is summed by device and interval; ids, states and owners are not carried"}
"""What readings that were made of hourly certificates do not carry."""


def no_readings() -> LeftOut:
    """Return what takes out certificates without energy of their own: what was split stands in its pieces."""
    return LeftOut("SPLIT", "WITHDRAWN")


def series_of_hours(
    hourly: Any, parents: Any = None, left_out: LeftOut | None = None, zone: str | None = None
) -> list[Series]:
    """Sum hourly certificates by device and interval. The device of a parent that names none is the parent itself.

    Certificates that were split or withdrawn are taken out; `left_out` (of `no_readings`) keeps count of them. `zone`
    is that of times that name none.
    """
    import pyarrow as pa

    facts = parent_facts(parents)
    others = left_out or no_readings()
    parts = [_summed(_by_device(others.of(hours), facts)) for hours in hours_of(hourly, zone, named=False)]
    if not parts:
        return []
    table = _summed(pa.concat_tables(parts)).sort_by(
        [("device", "ascending"), ("length", "ascending"), ("start", "ascending")]
    )
    devices, lengths, starts, energy = (table[name].to_numpy() for name in ("device", "length", "start", "energy"))
    borders = np.flatnonzero((devices[1:] != devices[:-1]) | (lengths[1:] != lengths[:-1])) + 1
    ends = [0, *borders.tolist(), len(devices)]
    return [Series(str(devices[a]), int(lengths[a]), starts[a:b], energy[a:b]) for a, b in pairwise(ends) if b > a]


def _by_device(hours: Hours, facts: dict[str, dict[str, str | None]]) -> pa.Table:
    import pyarrow as pa

    devices = pa.array([facts.get(name, {}).get("device_id") or name for name in hours.parents], pa.string())
    columns = {"length": hours.lengths, "start": hours.starts, "energy": hours.energy}
    return pa.table({"device": devices.take(pa.array(hours.parent_codes))} | columns)


def _summed(table: pa.Table) -> pa.Table:
    sums = table.group_by(["device", "length", "start"]).aggregate([("energy", "sum")])
    return sums.rename_columns(["device", "length", "start", "energy"])


def series_of_profiles(profiles: Profiles) -> list[Series]:
    """Take profiles as the readings of their devices.

    Refused: shapes without a unit, whatever is wrong with an interval (a gap, one that was filled in, for which no form
    has a mark), and files without any generation.
    """
    findings = Findings(nothing_in(profiles))
    findings.extend(
        Finding("meter_without_energy", f"{name} is a shape without unit", profile=name, file=profile.file or None)
        for name, profile in profiles.items()
        if not profile.is_energy
    )
    findings.extend(finding for finding in profiles.findings.of("error"))
    findings.check()
    return [_series(profile) for profile in profiles.values()]


def _series(profile: Profile) -> Series:
    there = np.flatnonzero(~profile.missing)
    starts = profile.start_s + there * profile.step_s
    net = profile.values[there] - profile.clipped[there]  # a meter says when it took from the grid
    return Series(profile.device_id or profile.name, profile.step_s, starts, net)


def write_readings(
    series: list[Series], path: str | os.PathLike[str], form: str, of: LeftOut | Profiles | None = None
) -> Exchanged:
    """Write readings as one of `FORMS`: `granular` or `meter-readings`.

    `of` is what the series were made of, so that what is not in them can be told: profiles, or what counted the hours
    that were left out. Refused: two series of one device that have a time in common, which would be its readings twice.
    """
    if form not in FORMS:
        raise UsageError(f"unknown form {form!r}; there are {', '.join(FORMS)}")
    if Path(path).suffix.lower() != ".csv":
        raise UsageError(f"{path}: meter readings are written as .csv")
    names, batch = FORMS[form]
    if form == "granular":
        _check_steps(series)
    Findings(_read_twice(series)).check()
    import pyarrow as pa

    schema = pa.schema([(name, pa.string()) for name in names])
    written = write_stream(path, schema, _batches(series, schema, batch))
    energy_wh = sum(exact_sum(one.energy) for one in series)
    if isinstance(of, Profiles):
        return Exchanged(written, form, energy_wh, *of_profiles(of), findings=of.findings)
    return Exchanged(written, form, energy_wh, OF_HOURS, of.told() if of else {})


def _read_twice(series: list[Series]) -> Iterator[Finding]:
    """Yield the devices of which several series have a time in common."""
    by_device: dict[str, list[Series]] = {}
    for one in series:
        by_device.setdefault(one.device, []).append(one)
    for device, several in by_device.items():
        if len(several) < 2:
            continue
        starts = np.concatenate([one.starts for one in several])
        order = np.argsort(starts, kind="stable")
        ends = (starts + np.concatenate([np.full(len(one.starts), one.step_s) for one in several]))[order]
        early = np.flatnonzero(starts[order][1:] < np.maximum.accumulate(ends)[:-1])
        if len(early):
            when = utc_text(int(starts[order][early[0] + 1]))
            many = "time in common" if len(early) == 1 else f"{len(early):,} times in common"
            what = f"{len(several)} series of device {device} have {many}, from {when} on"
            yield Finding("duplicate_interval", what, value=device, count=len(early), hint=ONE_EACH)


def _check_steps(series: list[Series]) -> None:
    steps = sorted({one.step_s for one in series})
    if len(steps) > 1:
        raise UsageError(f"a Granular file has intervals of one length, not {', '.join(f'{step} s' for step in steps)}")
    if steps and steps[0] not in GRANULAR_STEPS:
        raise UsageError(f"a Granular file has intervals of 5, 10, 15, 30 or 60 minutes, not {steps[0]} s")


Columns = Callable[[Series], list[Any]]


def _batches(series: list[Series], schema: pa.Schema, columns: Columns) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    for one in series:
        arrays = [pa.array(column, pa.string()) for column in columns(one)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _granular(one: Series) -> list[Any]:
    """Return metering point, ISO time and kWh with at most three decimals: exactly the Wh."""
    quantities = [mwh_text(wh * 1000) for wh in one.energy.tolist()]
    return [[one.device] * len(one.starts), _iso(one.starts, "+00:00"), quantities]


def _meter_readings(one: Series) -> list[Any]:
    ends = one.starts + one.step_s
    count = len(one.starts)
    return [
        _iso(one.starts),
        _iso(ends),
        [one.device] * count,
        [str(wh) for wh in one.energy.tolist()],
        ["NET"] * count,
    ]


def _iso(seconds: np.ndarray, offset: str = "Z") -> list[str]:
    return [f"{text}{offset}" for text in np.datetime_as_string(seconds.astype("datetime64[s]"), unit="s").tolist()]


FORMS: dict[str, tuple[tuple[str, ...], Columns]] = {
    "granular": (("metering_point", "period_start", "quantity"), _granular),
    "meter-readings": (
        ("interval_start_datetime", "interval_end_datetime", "device_id", "interval_usage", "gross_net_indicator"),
        _meter_readings,
    ),
}
"""Forms of meter readings: Granular Energy's three columns, and the GC registry's upload of measurements."""
