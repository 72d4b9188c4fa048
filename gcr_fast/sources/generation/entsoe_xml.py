"""ENTSO-E Transparency Platform, answers of its API: XML, UTC, one time series per production type and direction."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import numpy as np

from gcr_fast.findings import RefusedError
from gcr_fast.sources.cells import MEGA, numbers
from gcr_fast.sources.clock import HOUR_S
from gcr_fast.sources.files import File, refuse
from gcr_fast.sources.generation.entsoe import ATTRIBUTION, PSR_TYPES, consumed
from gcr_fast.sources.generation.entsoe_areas import area_of
from gcr_fast.sources.growing import grown, name_of
from gcr_fast.sources.model import Format, How, Reading, Readings
from gcr_fast.sources.pieces import IrregularError
from gcr_fast.sources.words import KINDS, Kind

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

GENERATION, UNITS, LOAD = "A75", "A73", "A65"
REALISED = "A16"
MAX_POINTS = 1 << 20
"""Of one period: two years of minutes. The platform answers with one year at most."""

_SERIES = "TimeSeries"
_ROOTS = ("GL_MarketDocument", "Acknowledgement_MarketDocument")
_MW = "MAW"
_RESOLUTION = re.compile(r"^PT(?P<count>\d{1,4})(?P<unit>[MH])$")
_NO_ENERGY = {
    "A68": "installed capacity",
    "A69": "a forecast of wind and solar",
    "A70": "a forecast margin of load",
    "A71": "a forecast of generation",
    "A72": "what reservoirs hold",
}


def detect(file: File) -> bool:
    """Whether the root is this platform's document of generation and load, or its answer that there is none."""
    return file.kind == "xml" and any(f"<{root}" in file.head_text[:2000] for root in _ROOTS)


class _Key(NamedTuple):
    """What makes one series."""

    kind: Kind
    area: str
    unit: str
    said: str
    step_s: int


class _Part(NamedTuple):
    """The points of one period: UTC starts, W, nulls and the number of each point in the file."""

    starts: np.ndarray
    values: np.ndarray
    null: np.ndarray
    lines: np.ndarray


def read(file: File, how: How) -> Readings:
    """Read actual generation by type (A75) or unit (A73), or load (A65). Refused: an answer that says "no data"."""
    try:
        return _read(file, how, _one_by_one(file))
    except (IrregularError, RefusedError):
        return _read(file, how, _at_once(file))


def _one_by_one(file: File) -> Iterator[tuple[Element, Element]]:
    """Tell (root, time series) as each has been read, and let go of it. There has to be one."""
    found = 0
    for root, whole in grown(file):
        for child in root[:whole]:
            if name_of(child) == _SERIES and name_of(root) != _ROOTS[1]:
                yield root, child
                root.remove(child)
                found += 1
    if not found:
        raise IrregularError


def _at_once(file: File) -> Iterator[tuple[Element, Element]]:
    root = file.xml()
    if name_of(root) == _ROOTS[1]:
        _refuse_nothing(file, root)
    _text(file, root, "type"), _text(file, root, "process.processType")
    return ((root, series) for series in root.findall(f"{{*}}{_SERIES}"))


def _read(file: File, how: How, document: Iterator[tuple[Element, Element]]) -> Readings:
    readings = Readings(file, FORMAT.name, zone=how.zone or "UTC", attribution=ATTRIBUTION)
    parts: dict[_Key, list[_Part]] = defaultdict(list)
    spans: dict[_Key, list[int]] = defaultdict(list)
    for root, series in document:
        said = _said(series)
        kind = _kind(file, series, _text(file, root, "type"), _text(file, root, "process.processType"))
        if isinstance(kind, str):
            readings.left_out[said] = kind
            continue
        for period in series.findall("{*}Period"):
            key, part, span = _period(readings, series, period, kind, said)
            parts[key].append(part)
            spans[key] += span
    readings.findings.check()
    for key, some in parts.items():
        _add(readings, key, some, (min(spans[key]), max(spans[key])))
    return readings


def _text(file: File, element: Element, path: str) -> str:
    """Return the text of an element below; refused if there is none, naming it."""
    names = path.split("/")
    text = element.findtext("/".join(f"{{*}}{name}" for name in names))
    if text is None or not text.strip():
        refuse(file, f"has a {name_of(element)} without {path}", "missing_column", column=names[-1])
    return text.strip()


def _refuse_nothing(file: File, root: Element) -> NoReturn:
    said = " ".join((root.findtext("{*}Reason/{*}text") or "without a reason").split())
    code = root.findtext("{*}Reason/{*}code") or "?"
    refuse(file, f"holds no data: the platform answered {said!r} (reason {code})", "empty_file")


def _said(series: Element) -> str:
    """Return how the file calls a series: its production type, the direction, its unit."""
    kind = series.findtext("{*}MktPSRType/{*}psrType") or ""
    way = "consumption" if _area(series, "out") and kind else ""
    return " ".join(filter(None, (kind, way, _unit(series)))) or "load"


def _unit(series: Element) -> str:
    path = "{*}MktPSRType/{*}PowerSystemResources/{*}mRID"
    return (series.findtext(path) or series.findtext("{*}registeredResource.mRID") or "").strip()


def _area(series: Element, way: str) -> str:
    return (series.findtext(f"{{*}}{way}BiddingZone_Domain.mRID") or "").strip()


def _kind(file: File, series: Element, document: str, process: str) -> Kind | str:
    """Return what a time series is of, or in words why it is left out."""
    if process != REALISED:
        return f"a forecast or plan (process type {process}), not what happened"
    if document == LOAD:
        return KINDS["load"]
    if document not in {GENERATION, UNITS}:
        return _NO_ENERGY.get(document, f"documents of type {document} are not known")
    code = _text(file, series, "MktPSRType/psrType")
    if code not in PSR_TYPES:
        return "not known"
    if not _area(series, "in") and not _area(series, "out"):
        refuse(file, "has a TimeSeries without inBiddingZone_Domain.mRID", "missing_column")
    return PSR_TYPES[code] if _area(series, "in") else consumed(PSR_TYPES[code])


def _period(
    readings: Readings, series: Element, period: Element, kind: Kind, said: str
) -> tuple[_Key, _Part, tuple[int, int]]:
    """Read the points of one period, which is expected whole: the last value of a curve A03 holds until its end."""
    file = readings.file
    unit = _text(file, series, "quantity_Measure_Unit.name")
    if unit != _MW:
        refuse(file, f"gives {said} in {unit}; expected {_MW} (MW)", "unreadable_value", value=unit)
    start, end = (_moment(file, period, f"timeInterval/{edge}") for edge in ("start", "end"))
    step = _step(file, period)
    count, rest = divmod(end - start, step)
    if not 0 < count <= MAX_POINTS or rest:
        text = " .. ".join(_text(file, period, f"timeInterval/{edge}") for edge in ("start", "end"))
        wanted = f"1 to {MAX_POINTS} whole intervals of {step} s"
        refuse(file, f"has a period of {said}, {text}, that is not {wanted}", "bad_period")
    positions, part = _points(readings, period, said, count)
    if (series.findtext("{*}curveType") or "A01").strip() == "A03" and len(positions):
        # A value that repeats the one before is not written: the curve is a staircase.
        all_positions = np.arange(positions[0], count + 1)
        stair = np.searchsorted(positions, all_positions, side="right") - 1
        positions, part = all_positions, _Part(*(array[stair] for array in part))
    device = _unit(series) + ("-consumption" if kind.role == "consumption" and _unit(series) else "")
    key = _Key(kind, area_of(_area(series, "in") or _area(series, "out")), device, said, step)
    return key, part._replace(starts=start + (positions - 1) * step), (start, end)


def _moment(file: File, period: Element, path: str) -> int:
    text = _text(file, period, path)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        refuse(file, f"has the time {text!r}; expected one like 2021-01-01T00:00Z", "unreadable_value", value=text)
    return int(moment.timestamp())


def _step(file: File, period: Element) -> int:
    text = _text(file, period, "resolution")
    match = _RESOLUTION.match(text)
    step = int(match["count"]) * (60 if match["unit"] == "M" else HOUR_S) if match else 0
    if not 0 < step <= HOUR_S:
        refuse(file, f"has the resolution {text!r}; expected PT15M, PT30M or PT60M", "interval_too_long", value=text)
    return step


def _points(readings: Readings, period: Element, said: str, count: int) -> tuple[np.ndarray, _Part]:
    """Return (positions int64[n] ascending, points) as they are written; a bad one is a finding."""
    import pyarrow as pa

    space = period.tag[: -len("Period")]  # a name that is spelled out is found in a fifth of the time of {*}
    points = period.findall(f"{space}Point")
    places = [(point.findtext(f"{space}position") or "").strip() for point in points]
    found = numbers(pa.array([point.findtext(f"{space}quantity") for point in points], pa.string()), MEGA)
    positions = np.array([int(text) if text.isdecimal() and len(text) < 9 else 0 for text in places], dtype=np.int64)
    before = np.maximum.accumulate(np.append(0, positions))[:-1] if len(positions) else positions
    for at in np.flatnonzero((positions <= before) | (positions > count)).tolist():
        what = f"position {places[at]!r} of {said} is not one of 1 to {count}, ascending"
        readings.findings.add("unreadable_value", what, file=readings.file.name, column="position", value=places[at])
    for at in np.flatnonzero(found.bad).tolist():
        text = (points[at].findtext(f"{space}quantity") or "").strip()
        what = f"quantity {text!r} of {said}, position {places[at]}, is not a number"
        readings.findings.add("unreadable_value", what, file=readings.file.name, column="quantity", value=text)
    lines = readings.rows + np.arange(1, len(points) + 1)
    readings.rows += len(points)
    return positions, _Part(positions, found.values, found.null, lines)


def _add(readings: Readings, key: _Key, parts: list[_Part], span: tuple[int, int]) -> None:
    """Add a series; its periods are joined in the file's order, and `span` is from the first of them to the last."""
    starts, values, null, lines = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    if null.all():
        readings.left_out[key.said] = "no value at any position"
        return
    readings.series.append(
        Reading(
            kind=key.kind.slug,
            area=key.area,
            role=key.kind.role,
            power=True,
            starts=starts,
            interval_s=key.step_s,
            values=values,
            null=null,
            lines=lines,
            source_type=key.kind.source_type,
            device_id=key.unit or None,
            column=key.said,
            span=span,
        )
    )


FORMAT = Format(
    name="entsoe-xml",
    title="ENTSO-E Transparency Platform, API (A75, A73, A65)",
    looks_like="<GL_MarketDocument ...><type>A75</type> ... <psrType>B16</psrType> ... <curveType>A03</curveType>",
    quirks=(
        "UTC; MW, the mean of 15, 30 or 60 minutes; a point's time is its position in its period",
        "curve A03 leaves out a position whose value repeats the one before: carried forward to the end of the period",
        "curve A03 that does not begin with position 1 (France, 2021): what it leaves out there is a gap",
        "curve A01 has every position: one that is absent is a gap, at the ends of the period too",
        "inBiddingZone is generation, outBiddingZone of the same type is consumption, which is kept apart",
        "an acknowledgement instead of a document says that there are no data: refused with its words",
        "forecasts, plans and capacities come in the same document: left out",
    ),
    detect=detect,
    read=read,
)
