"""IESO reports in XML: output by fuel and hour of a year, output and capability by generator of a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gcr_fast.codes import IMPUTED, MEASURED
from gcr_fast.findings import RefusedError
from gcr_fast.flags import told
from gcr_fast.sources.cells import MEGA, ONE, numbers, report
from gcr_fast.sources.clock import HOUR_S
from gcr_fast.sources.files import File, refuse
from gcr_fast.sources.generation import ieso
from gcr_fast.sources.growing import elements_of, name_of
from gcr_fast.sources.long import Words, long, series_keys
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.pieces import IrregularError
from gcr_fast.sources.streamed import text_columns
from gcr_fast.sources.wide import Column

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import pyarrow as pa

_BY_FUEL = ("<DailyData", "<FuelTotal", "<EnergyValue")
_BY_GENERATOR = ("<IMODocument", "<Generator>", "<Outputs>")
DAY, DATE, GENERATOR = "DailyData", "Date", "Generator"
_NO_OUTPUT = {
    "Capabilities": "what a generator could do",
    "Capacities": "what a generator had available, a forecast for wind and sun",
}
_MADE_UP = "values of a quality other than 0: marked as imputed"


class _Cell(NamedTuple):
    """An hour of a fuel or generator, as it is written."""

    day: str | None
    hour: str | None
    generator: str
    fuel: str
    value: str | None
    quality: str | None = None


def detect(file: File) -> bool:
    """Whether it is one of the two reports, by its elements: older ones have no namespace, or that of another name."""
    head = file.head_text if file.kind == "xml" else ""
    return any(all(tag in head for tag in tags) for tags in (_BY_FUEL, _BY_GENERATOR))


def read(file: File, how: How) -> Readings:
    """Read output by fuel, or by generator; what generators could do and had available is left out."""
    try:
        return _read(file, _one_by_one(file))
    except (IrregularError, RefusedError):
        return _read(file, _at_once(file))


def _one_by_one(file: File) -> Iterator[Element]:
    """Tell days with fuels, or the date and then generators, as each has been read."""
    seen = set[str]()
    for element in elements_of(file, DAY, DATE, GENERATOR):
        seen.add(name_of(element))
        if GENERATOR in seen and (DAY in seen or DATE not in seen):
            raise IrregularError
        yield _plain(element)


def _at_once(file: File) -> Iterator[Element]:
    root = _plain(file.xml())
    days = list(root.iter(DAY))
    if any(True for day in days for hourly in day.iter("HourlyData") for _ in hourly.iter("FuelTotal")):
        return iter(days)
    return chain(root.iter(DATE), root.iter(GENERATOR))


def _read(file: File, elements: Iterator[Element]) -> Readings:
    readings = Readings(file, FORMAT.name, zone=ieso.ZONE, attribution=ieso.ATTRIBUTION)
    columns, readings.rows = text_columns(cell._asdict() for cell in _cells(readings, elements))
    if not readings.rows:
        refuse(file, "has no hour of any fuel or generator", "empty_file")
    _add(readings, columns)
    return readings


def _cells(readings: Readings, elements: Iterator[Element]) -> Iterator[_Cell]:
    dates, generators = list[str | None](), 0
    for element in elements:
        if element.tag == DAY:
            yield from _of_day(readings.file, element)
        elif element.tag == DATE:
            dates.append(element.text)
        else:
            generators += 1
            yield from _of_generator(readings, element, dates[0] if dates else None)
    if generators:
        readings.left_out |= _NO_OUTPUT


def _of_day(file: File, daily: Element) -> Iterator[_Cell]:
    day = _text(daily, "Day")
    for hourly in daily.iter("HourlyData"):
        hour = _text(hourly, "Hour")
        for total in hourly.iter("FuelTotal"):
            value = total.find("EnergyValue")
            if value is None:
                refuse(file, f"has a FuelTotal without EnergyValue on {day}, hour {hour}", "missing_column")
            quality = _text(value, "OutputQuality")
            yield _Cell(day, hour, "", _text(total, "Fuel") or "", _text(value, "Output"), quality)


def _of_generator(readings: Readings, generator: Element, day: str | None) -> Iterator[_Cell]:
    name, fuel = (_text(generator, tag) or "" for tag in ("GeneratorName", "FuelType"))
    if not name:
        refuse(readings.file, "has a Generator without GeneratorName", "missing_column")
    outputs = generator.find("Outputs")
    if outputs is None:
        readings.left_out[f"{name} {fuel}"] = "no output"
        return
    for output in outputs.iter("Output"):
        hour, value = _text(output, "Hour"), _text(output, "EnergyMW")
        yield _Cell(day, hour, name, fuel, value, _text(output, "OutputQuality"))


def _plain(root: Element) -> Element:
    """Take the namespace off every tag: reports have had different ones, and none."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def _text(parent: Element, tag: str) -> str | None:
    found = parent.find(tag)
    return None if found is None or found.text is None else found.text.strip() or None


def _add(readings: Readings, columns: Mapping[str, pa.ChunkedArray]) -> None:
    day, hour, generator, fuel, value, quality = (columns[name] for name in _Cell._fields)
    lines = np.arange(1, readings.rows + 1, dtype=np.int32)
    file, findings = readings.file, readings.findings
    begins, found = ieso.begins(readings, day, hour, lines, "Day"), numbers(value, MEGA)
    report(findings, file, found.bad, lines, "Output", value, "is not a number")
    findings.check()
    qualities = numbers(quality, ONE)
    made_up = (qualities.bad | (qualities.values != 0)) & ~found.null
    if made_up.any():
        readings.notes[f"{int(made_up.sum())} hours"] = _MADE_UP
    key, words = series_keys([generator, fuel])
    long(
        readings,
        key,
        words,
        _describe,
        begins,
        found,
        lines,
        power=True,
        interval_s=HOUR_S,
        quality=np.where(made_up, IMPUTED, MEASURED).astype(np.uint8),
        flags=told(quality),
    )


def _describe(words: Words) -> Column | str:
    generator, fuel = words
    return ieso.of_generator(generator, fuel) if generator else ieso.by_fuel(fuel)


FORMAT = Format(
    name="ieso-xml",
    title="IESO, GenOutputbyFuelHourly and GenOutputCapability (XML)",
    looks_like='<Document><DocBody><DailyData><Day>... or <IMODocument docID="GenOutputCapability"...',
    quirks=(
        "MW, the mean of the hour; hours 1 to 24 are named by their end, in UTC-5 all year",
        "an output that is missing, as some are of a quality other than 0, is a gap; one that is there is imputed",
        "the flag is the number of OutputQuality, 0 included",
        "capability and available capacity stand beside output: left out",
        "batteries are listed under OTHER, a pumped station (PGS) under HYDRO, told by their names: storage",
    ),
    detect=detect,
    read=read,
)
