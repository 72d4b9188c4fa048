"""Green Button files (ESPI, an Atom feed of XML): a utility customer's meter, both directions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.codes import IMPUTED, MEASURED
from gcr_fast.flags import told as flags_of
from gcr_fast.periods import FIRST_S, LAST_S, zone_named
from gcr_fast.sources.cells import Numbers, numbers
from gcr_fast.sources.devices import ANY_GENERATION, told
from gcr_fast.sources.files import File, refuse
from gcr_fast.sources.model import Format, How, Reading, Readings
from gcr_fast.sources.words import KINDS, Kind

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

NAMESPACE = "http://naesb.org/espi"
WATT_HOURS, WATTS = "72", "38"
FORWARD, REVERSE = "1", "19"
DELTA = ("4", "0", "")
"""Accumulation of values that are of the interval alone; an absent one means it too."""
MADE_UP = frozenset({"7", "8", "9", "12", "13"})
"""Qualities of a value that nobody metered: edited, of a reference day, interpolated, projected, mixed."""
_OTHER_UNITS = {"71": "apparent energy", "73": "reactive energy", "61": "apparent power", "63": "reactive power"}


def detect(file: File) -> bool:
    """Whether an XML document names the namespace of ESPI and has readings."""
    return file.kind == "xml" and NAMESPACE in file.head_text


@dataclass
class _Type:
    """What a ReadingType says of readings."""

    fields: dict[str, str]
    href: str = ""

    def get(self, name: str) -> str:
        return self.fields.get(name, "")


@dataclass
class _Run:
    """The readings of one type, meter and length, in the order of the file."""

    type: _Type
    point: str
    length_s: int
    starts: list[str] = field(default_factory=list)
    values: list[str | None] = field(default_factory=list)
    qualities: list[str] = field(default_factory=list)
    """Numbers of the standard; empty where a reading has none."""
    places: list[int] = field(default_factory=list)


def read(file: File, how: How) -> Readings:
    """Read Wh by direction: reverse is generation, forward is load. Other units and sums of both are left out."""
    root = file.xml()
    readings = Readings(file, FORMAT.name, zone=how.zone or _zone(root))
    for run in _runs(readings, root):
        reason = _why_not(run.type)
        name = f"{run.point or 'meter'} {run.type.href}".strip()
        if reason:
            readings.left_out[name] = reason
        else:
            _add(readings, run, how)
    if not readings.rows:
        refuse(file, "has no IntervalReading", "empty_file")
    return readings


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _all(parent: Element, name: str) -> Iterator[Element]:
    return (one for one in parent.iter() if _local(one) == name)


def _text(parent: Element, name: str) -> str:
    """Return the text of the first element of this name below another; empty if there is none."""
    return next(((one.text or "").strip() for one in _all(parent, name)), "")


def _links(entry: Element, rel: str) -> list[str]:
    """Return where an Atom entry's links lead, without host and version, which utilities write differently."""
    links = (one for one in entry if _local(one) == "link" and one.get("rel") == rel)
    return [_path(link.get("href", "")) for link in links]


def _path(href: str) -> str:
    """`https://utility.example/espi/1_1/resource/ReadingType/07` and `ReadingType/07` are one."""
    return href.partition("/resource/")[2] or href.strip("/")


def _zone(root: Element) -> str:
    """Return the standard time that LocalTimeParameters names, as a fixed offset; UTC if there is none."""
    said = _text(root, "tzOffset")
    try:
        minutes = int(said) // 60
    except ValueError:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    name = f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"
    try:
        zone_named(name)
    except ValueError:
        return "UTC"
    return name


@dataclass
class _Feed:
    """What the entries of a feed are, and how they lead to each other."""

    types: dict[str, _Type] = field(default_factory=dict)
    """Reading types by their own link."""
    type_of: dict[str, str] = field(default_factory=dict)
    """The link of its reading type, by that of a meter reading."""
    blocks: list[tuple[str, Element]] = field(default_factory=list)
    """Interval blocks, each with the link of what it belongs to."""


def _feed(root: Element) -> _Feed:
    """Go through the entries; a document that is no feed is one entry."""
    feed = _Feed()
    entries = list(_all(root, "entry")) or [root]
    for at, entry in enumerate(entries):
        own = next(iter(_links(entry, "self")), f"entry {at + 1}")
        for kind in _all(entry, "ReadingType"):
            feed.types[own] = _Type({_local(one): (one.text or "").strip() for one in kind}, own)
        for _ in _all(entry, "MeterReading"):
            feed.type_of[own] = next((link for link in _links(entry, "related") if "ReadingType" in link), "")
        up = next(iter(_links(entry, "up")), "") or own
        feed.blocks += [(up, block) for block in _all(entry, "IntervalBlock")]
    return feed


def _runs(readings: Readings, root: Element) -> list[_Run]:
    feed, found = _feed(root), dict[tuple[str, str, int], _Run]()
    for up, block in feed.blocks:
        meter = up.removesuffix("/IntervalBlock")
        kind = _type_of(readings.file, feed, meter)
        for reading in _all(block, "IntervalReading"):
            readings.rows += 1
            length = _length(readings, reading, kind)
            key = (kind.href, _point(meter), length)
            run = found.setdefault(key, _Run(kind, _point(meter), length))
            _take(readings, run, reading)
    readings.findings.check()
    return list(found.values())


def _type_of(file: File, feed: _Feed, meter: str) -> _Type:
    """Return the reading type of a meter reading: by its link, or the only one that there is."""
    kind = feed.types.get(feed.type_of.get(meter, ""))
    if kind is None and len(feed.types) == 1:
        kind = next(iter(feed.types.values()))
    if kind is None:
        what = "no ReadingType" if not feed.types else f"no link from {meter or 'its readings'} to a ReadingType"
        refuse(file, f"has {what}: unit and direction are unknown", "missing_column", column="ReadingType")
    return kind


def _point(meter: str) -> str:
    """Return the usage point in a link such as `RetailCustomer/1/UsagePoint/01/MeterReading/01`."""
    parts = meter.split("/")
    at = parts.index("UsagePoint") + 1 if "UsagePoint" in parts else len(parts)
    return parts[at] if at < len(parts) else ""


def _length(readings: Readings, reading: Element, kind: _Type) -> int:
    said = _text(reading, "duration") or kind.get("intervalLength")
    if said.isascii() and said.isdigit() and len(said) < 9 and int(said) > 0:
        return int(said)
    _fault(readings, "duration", said, "is no length in seconds")
    return 1


def _take(readings: Readings, run: _Run, reading: Element) -> None:
    start, value = _text(reading, "start"), _text(reading, "value")
    if not (start.isascii() and start.isdigit() and len(start) < 12 and FIRST_S <= int(start) <= LAST_S):
        _fault(readings, "start", start, "is no time in seconds since 1970")
        return
    run.starts.append(start)
    run.values.append(value or None)
    run.qualities.append(_text(reading, "quality"))
    run.places.append(readings.rows)


def _fault(readings: Readings, name: str, value: str, what: str) -> None:
    said = f"IntervalReading {readings.rows}: {name} {value[:60]!r} {what}"
    readings.findings.add(
        "unreadable_value", said, file=readings.file.name, row=readings.rows - 1, column=name, value=value[:60]
    )


def _why_not(kind: _Type) -> str:
    """Say in words why readings of a type are in no series; empty if they are."""
    unit = kind.get("uom")
    if unit not in {WATT_HOURS, WATTS}:
        return f"{_OTHER_UNITS.get(unit, 'unit ' + (unit or 'unknown'))}, no energy"
    if kind.get("accumulationBehaviour") not in DELTA and unit == WATT_HOURS:
        return "a register's count, not the energy of an interval"
    if kind.get("flowDirection") not in {FORWARD, REVERSE}:
        return "a sum or difference of both directions"
    return ""


def _add(readings: Readings, run: _Run, how: How) -> None:
    import pyarrow as pa

    found = _numbers(readings, run)
    quality = [IMPUTED if said in MADE_UP else MEASURED for said in run.qualities]
    role = _kind(readings.file, run, how)
    name = run.point or "meter"
    readings.series.append(
        Reading(
            kind=role.slug,
            area="",
            role=role.role,
            power=run.type.get("uom") == WATTS,
            starts=np.array(run.starts, dtype=np.int64),
            interval_s=run.length_s,
            values=found.values,
            null=found.null,
            lines=np.array(run.places, dtype=np.int64),
            source_type=role.source_type,
            device_id=name if role.role == "generation" else f"{name}-{role.slug}",
            column=run.type.href,
            quality=np.array(quality, dtype=np.uint8) if any(quality) else None,
            flags=flags_of(pa.array(run.qualities, pa.string())),
        )
    )


def _kind(file: File, run: _Run, how: How) -> Kind:
    """Return what a direction means: what flows back was generated, of a kind that only the user knows."""
    if run.type.get("flowDirection") == FORWARD:
        return KINDS["load"]
    kind = told(file, how, run.point)
    return kind if kind and kind.role == "generation" else ANY_GENERATION


def _numbers(readings: Readings, run: _Run) -> Numbers:
    """Return the values times ten to the power that the type names."""
    import pyarrow as pa

    power = run.type.fields.get("powerOfTenMultiplier", "0")  # none, by the standard, where it is absent
    try:
        digits = int(power)
    except ValueError:
        digits = 99
    if not -12 <= digits <= 12:
        refuse(readings.file, f"has the powerOfTenMultiplier {power[:20]!r}", "unreadable_value", column="ReadingType")
    found = numbers(pa.array(run.values, pa.string()), max(digits, 0))
    for row in np.flatnonzero(found.bad).tolist():
        said = f"IntervalReading {run.places[row]}: value {str(run.values[row])[:60]!r} is not a number"
        readings.findings.add(
            "unreadable_value", said, file=readings.file.name, row=run.places[row] - 1, column="value"
        )
    return found if digits >= 0 else found._replace(values=found.values // 10**-digits)


FORMAT = Format(
    name="green-button",
    title="Green Button (ESPI) XML",
    looks_like="<feed ...> with <IntervalReading xmlns='http://naesb.org/espi'> or espi: as prefix",
    quirks=(
        "start is in seconds since 1970, UTC; a utility that adds its local offset to them cannot be told from others",
        "value x 10^powerOfTenMultiplier in Wh (uom 72), or W (38); other units are left out",
        "reverse flow (19) is generation, forward (1) is load; net and total of both are left out",
        "registers that count up are left out: no energy of an interval",
        "values that were edited, estimated or projected are imputed; the flag is the number of ReadingQuality",
    ),
    detect=detect,
    read=read,
)
