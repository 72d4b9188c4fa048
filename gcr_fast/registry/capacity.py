"""Devices against their capacity: no hour of a device may be issued above it, over all its parents, earlier ones too.

What is checked here before an issue is what row 4 of an audit checks after it. A parent alone on its device was looked
at when it was converted, so only devices with several parents in the same hours cost anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import numpy as np

from gcr_fast.columns import one_array, utc_seconds, without_nulls
from gcr_fast.periods import utc_text
from gcr_fast.processor import Conversion
from gcr_fast.registry.catalogue import Catalogue

HOUR_S = 3600
UNKNOWN = -1
DEVICES_AT_ONCE = 500
"""Their hours are in memory together."""


@dataclass(frozen=True, eq=False)
class Device:
    """A device with several parents in the same hours: those of a batch, by row, and those that were issued before."""

    name: str
    capacity_w: int
    """The largest that any of its parents states."""
    first: list[int]
    """Rows that state it, if no parent did before: then it has to hold for what the device was issued until now."""
    rows: list[int]
    parents: list[int]
    first_hour: int
    """In hours since 1970: of the batch, or of all that the device has, if nobody stated its capacity before."""
    hours: int


def check_devices(conversion: Conversion, catalogue: Catalogue, report: Callable[..., None]) -> None:
    """Report every certificate that has energy in an hour in which its device would exceed capacity x margin.

    So is one that is the first to state a capacity, if the device exceeded it before.
    """
    margin, devices = conversion.capacity_margin, _shared(conversion, catalogue)
    while some := list(islice(devices, DEVICES_AT_ONCE)):
        wh = {device.name: _before_wh(catalogue, device) for device in some}
        place = {row: device for device in some for row in device.rows}
        energetic: dict[int, np.ndarray] = {}
        for row, (profile, first, hours) in conversion.hours_of(place.keys()):
            device = place[row]
            starts = profile.start_s + (first + np.flatnonzero(hours)) * profile.step_s
            energetic[row] = starts // HOUR_S - device.first_hour
            np.add.at(wh[device.name], energetic[row], hours[hours != 0])
        for device in some:
            limit = int(device.capacity_w * margin)
            _report(device, wh[device.name], limit, energetic, report)


def _report(
    device: Device, wh: np.ndarray, limit: int, energetic: dict[int, np.ndarray], report: Callable[..., None]
) -> None:
    over = wh > limit
    if not over.any():
        return
    before = over.copy()
    for row in device.rows:
        before[energetic[row]] = False
    for row in device.rows:
        mine, said = energetic[row][over[energetic[row]]], "over all its certificates"
        if not len(mine) and row in device.first:
            mine, said = np.flatnonzero(before), "issued before"
        if len(mine):
            hour = int(mine.min())
            when = utc_text((device.first_hour + hour) * HOUR_S)
            what = f"{int(wh[hour])} Wh of device {device.name} in the hour from {when}, {said}"
            count = len(np.unique(mine))
            report(
                "over_capacity", row, f"{what}, exceed capacity x margin, {limit} Wh; {count} such hours",
                column="capacity_w", value=when, count=count,
            )  # fmt: skip


def _shared(conversion: Conversion, catalogue: Catalogue) -> Iterator[Device]:
    """Yield the devices of a batch whose hours have to be added up."""
    table = conversion.annual.table
    rows_of: dict[str, list[int]] = {}
    for row, name in enumerate(table["device_id"].to_pylist()):
        if name is not None:
            rows_of.setdefault(name, []).append(row)
    if not rows_of:
        return
    starts = utc_seconds(table["production_start"], "production_start").tolist()
    ends = utc_seconds(table["production_end"], "production_end").tolist()
    stated = _stated(table["capacity_w"]).tolist()
    before, capacities = _before(catalogue, rows_of)
    for name, rows in rows_of.items():
        capacity = max(*(stated[row] for row in rows), capacities.get(name, UNKNOWN))
        first, last = min(starts[row] for row in rows) // HOUR_S, -(-max(ends[row] for row in rows) // HOUR_S)
        parents, stating = before.get(name, []), list[int]()
        if parents and capacities[name] == UNKNOWN:
            stating = [row for row in rows if stated[row] != UNKNOWN]
            first, last = _reach(catalogue, parents, first, last)
        parents = _within(catalogue, parents, first * HOUR_S, last * HOUR_S)
        alone = not parents and all(stated[row] != UNKNOWN for row in rows)
        spans = sorted((starts[row] // HOUR_S, -(-ends[row] // HOUR_S)) for row in rows)
        if capacity != UNKNOWN and not (alone and all(one[1] <= next_[0] for one, next_ in pairwise(spans))):
            yield Device(name, capacity, stating, rows, parents, first, last - first)


def _stated(column: Any) -> np.ndarray:
    return without_nulls(one_array(column), UNKNOWN)


def _before(catalogue: Catalogue, names: dict[str, list[int]]) -> tuple[dict[str, list[int]], dict[str, int]]:
    """Return the parents that some devices have already, and the largest capacity that these state."""
    parents: dict[str, list[int]] = {}
    capacities: dict[str, int] = {}
    codes = [code for name in names if (code := catalogue.devices.find(name)) is not None]
    if not codes:
        return parents, capacities
    devices = catalogue.numbers["device"]
    stated = np.concatenate([_stated(table["capacity_w"]) for table in catalogue.tables])
    for parent in np.flatnonzero(np.isin(devices, codes)).tolist():
        name = catalogue.devices.words[int(devices[parent])]
        parents.setdefault(name, []).append(parent)
        capacities[name] = max(capacities.get(name, UNKNOWN), int(stated[parent]))
    return parents, capacities


def _reach(catalogue: Catalogue, parents: list[int], first: int, last: int) -> tuple[int, int]:
    """Return the hours since 1970 from `first` to `last` (exclusive), and those of some parents beside them."""
    starts, ends = _spans(catalogue, parents)
    return min(first, int(starts.min()) // HOUR_S), max(last, -(-int(ends.max()) // HOUR_S))


def _spans(catalogue: Catalogue, parents: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return when parents begin and end, int64[n] UTC seconds each."""
    numbers, some = catalogue.numbers, np.array(parents, dtype=np.int64)
    starts = numbers["start_s"][some]
    return starts, starts + numbers["hours"][some] * numbers["step_s"][some]


def _within(catalogue: Catalogue, parents: list[int], low_s: int, high_s: int) -> list[int]:
    """Return those of some parents that have intervals in some hours."""
    starts, ends = _spans(catalogue, parents)
    return [parents[at] for at in np.flatnonzero((starts < high_s) & (ends > low_s)).tolist()]


def used_wh(catalogue: Catalogue, parents: list[int], start_s: int, step_s: int, count: int) -> np.ndarray:
    """Return int64[count]: Wh that parents were issued in each interval of a grid."""
    used = np.zeros(count, dtype=np.int64)
    for parent in parents:
        facts = {name: int(catalogue.numbers[name][parent]) for name in ("block", "start_s", "step_s", "hours")}
        block = catalogue.blocks[facts["block"]]
        row = block.energy[parent - block.first_parent]
        places = (facts["start_s"] + np.arange(facts["hours"]) * facts["step_s"] - start_s) // step_s
        inside = (places >= 0) & (places < count)
        np.add.at(used, places[inside], row[inside].astype(np.int64))
    return used


def _before_wh(catalogue: Catalogue, device: Device) -> np.ndarray:
    """Return int64[hours]: Wh that a device was issued before."""
    return used_wh(catalogue, device.parents, device.first_hour * HOUR_S, HOUR_S, device.hours)
