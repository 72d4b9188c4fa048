"""Green Button files (ESPI, an Atom feed of XML): a utility customer's meter, both directions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from gcr_fast.codes import IMPUTED, MEASURED
from gcr_fast.findings import RefusedError
from gcr_fast.flags import told as flags_of
from gcr_fast.periods import FIRST_S, LAST_S, zone_named
from gcr_fast.sources.cells import Numbers, numbers
from gcr_fast.sources.clock import HOUR_S
from gcr_fast.sources.devices import ANY_GENERATION, told
from gcr_fast.sources.files import File, refuse
from gcr_fast.sources.growing import elements_of
from gcr_fast.sources.model import Format, How, Reading, Readings
from gcr_fast.sources.pieces import IrregularError
from gcr_fast.sources.streamed import text_columns
from gcr_fast.sources.words import KINDS, Kind

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import pyarrow as pa

NAMESPACE = "http://naesb.org/espi"
WATT_HOURS, WATTS = "72", "38"
FORWARD, REVERSE = "1", "19"
DELTA = ("4", "0", "")
"""Accumulation of values that are of the interval alone; an absent one means it too."""
MADE_UP = frozenset({"7", "8", "9", "12", "13"})
"""Qualities of a value that nobody metered: edited, of a reference day, interpolated, projected, mixed."""
_ENTRY, _OFFSET, _BLOCK = "entry", "tzOffset", "block"
_FIELDS = ("duration", "start", "value", "quality")
"""What is read of an IntervalReading, by the names of its elements."""
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
    starts: list[int] = field(default_factory=list)
    values: list[str | None] = field(default_factory=list)
    qualities: list[str] = field(default_factory=list)
    """Numbers of the standard; empty where a reading has none."""
    places: list[int] = field(default_factory=list)


def read(file: File, how: How) -> Readings:
    """Read Wh by direction: reverse is generation, forward is load. Other units and sums of both are left out."""
    try:
        return _read(file, how, elements_of(file, _ENTRY, _OFFSET))
    except (IrregularError, RefusedError):
        return _read(file, how, _at_once(file.xml()))


def _at_once(root: Element) -> Iterator[Element]:
    """Tell the entries and the offset of the zone; a document that is no feed is one entry."""
    return chain(list(_all(root, _ENTRY)) or [root], _all(root, _OFFSET))


def _read(file: File, how: How, elements: Iterator[Element]) -> Readings:
    feed = _Feed()
    columns, _ = text_columns(feed.take(elements))
    readings = Readings(file, FORMAT.name, zone=how.zone or _zone(feed.offsets))
    runs = _runs(readings, feed, columns)
    for run in runs:
        reason = _why_not(run.type)
        name = f"{run.point or 'meter'} {run.type.href}".strip()
        if not reason and _is_sum_beside(run, runs):
            name, reason = f"{name}, {run.length_s // 60} min", "more than an hour, beside shorter readings of the same"
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


def _links(entry: Element, rel: str) -> list[str]:
    """Return where an Atom entry's links lead, without host and version, which utilities write differently."""
    links = (one for one in entry if _local(one) == "link" and one.get("rel") == rel)
    return [_path(link.get("href", "")) for link in links]


def _path(href: str) -> str:
    """`https://utility.example/espi/1_1/resource/ReadingType/07` and `ReadingType/07` are one."""
    return href.partition("/resource/")[2] or href.strip("/")


def _zone(offsets: Sequence[str]) -> str:
    """Return the standard time that LocalTimeParameters names, as a fixed offset; UTC if there is none."""
    try:
        minutes = int(offsets[0]) // 60
    except (IndexError, ValueError):
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
    blocks: list[str] = field(default_factory=list)
    """Of each interval block the link of what it belongs to."""
    offsets: list[str] = field(default_factory=list)
    """Seconds from UTC, each time that they are named."""
    entries: int = 0

    def take(self, elements: Iterable[Element]) -> Iterator[dict[str, str]]:
        """Go through entries and offsets, and tell the readings."""
        for element in elements:
            if _local(element) == _OFFSET:
                self.offsets.append((element.text or "").strip())
            else:
                self.entries += 1
                yield from self._entry(element)

    def _entry(self, entry: Element) -> Iterator[dict[str, str]]:
        own = next(iter(_links(entry, "self")), f"entry {self.entries}")
        for kind in _all(entry, "ReadingType"):
            self.types[own] = _Type({_local(one): (one.text or "").strip() for one in kind}, own)
        for _ in _all(entry, "MeterReading"):
            self.type_of[own] = next((link for link in _links(entry, "related") if "ReadingType" in link), "")
        up = next(iter(_links(entry, "up")), "") or own
        for block in _all(entry, "IntervalBlock"):
            at = str(len(self.blocks))
            self.blocks.append(up)
            yield from ({_BLOCK: at, **_texts(reading)} for reading in _all(block, "IntervalReading"))


def _texts(reading: Element) -> dict[str, str]:
    """Return the first text of each name that is read; empty if there is none."""
    found = dict.fromkeys(_FIELDS, "")
    for one in reversed(list(reading.iter())):
        if (name := _local(one)) in found:
            found[name] = (one.text or "").strip()
    return found


def _runs(readings: Readings, feed: _Feed, columns: Mapping[str, pa.ChunkedArray]) -> list[_Run]:
    found = dict[tuple[str, str, int], _Run]()
    meters = [up.removesuffix("/IntervalBlock") for up in feed.blocks]
    kinds = [_type_of(readings.file, feed, meter) for meter in meters]
    for block, *texts in _rows(columns):
        readings.rows += 1
        kind, point = kinds[int(block)], _point(meters[int(block)])
        reading = dict(zip(_FIELDS, texts, strict=True))
        length = _length(readings, reading, kind)
        _take(readings, found.setdefault((kind.href, point, length), _Run(kind, point, length)), reading)
    readings.findings.check()
    return list(found.values())


def _rows(columns: Mapping[str, pa.ChunkedArray]) -> Iterator[tuple[str, ...]]:
    """Yield the block and the texts of each reading; only some thousands are objects at once."""
    if columns:
        for chunks in zip(*(columns[name].iterchunks() for name in (_BLOCK, *_FIELDS)), strict=True):
            yield from zip(*(chunk.to_pylist() for chunk in chunks), strict=True)


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


def _length(readings: Readings, reading: dict[str, str], kind: _Type) -> int:
    said = reading["duration"] or kind.get("intervalLength")
    if said.isascii() and said.isdigit() and len(said) < 9 and int(said) > 0:
        return int(said)
    _fault(readings, "duration", said, "is no length in seconds")
    return 1


def _take(readings: Readings, run: _Run, reading: dict[str, str]) -> None:
    start = reading["start"]
    if not (start.isascii() and start.isdigit() and len(start) < 12 and FIRST_S <= int(start) <= LAST_S):
        _fault(readings, "start", start, "is no time in seconds since 1970")
        return
    run.starts.append(int(start))
    run.values.append(reading["value"] or None)
    run.qualities.append(reading["quality"])
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


def _is_sum_beside(run: _Run, runs: Iterable[_Run]) -> bool:
    """Whether readings last too long to have hours, where others of their meter and direction have."""
    way = (run.point, run.type.get("flowDirection"))
    beside = (other for other in runs if (other.point, other.type.get("flowDirection")) == way)
    return run.length_s > HOUR_S and any(one.length_s <= HOUR_S and not _why_not(one.type) for one in beside)


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
        "registers that count up are left out: no energy of an interval; so are sums of days beside hours of the same",
        "values that were edited, estimated or projected are imputed; the flag is the number of ReadingQuality",
    ),
    detect=detect,
    read=read,
)
