"""Energinet, the Danish grid's Energi Data Service: CSV or JSON, UTC, a row per time and price area (DK1, DK2)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gcr_fast.columns import as_text, encode, one_array
from gcr_fast.sources.cells import MEGA, PLAIN, Locale, Numbers, locale_of, numbers, report
from gcr_fast.sources.clock import HOUR_S, parse_best
from gcr_fast.sources.files import File, Table, read_csv, refuse
from gcr_fast.sources.model import Format, How, Reading, Readings
from gcr_fast.sources.pieces import IrregularError
from gcr_fast.sources.streamed import listed, text_columns
from gcr_fast.sources.words import KINDS

AREA = "PriceArea"
_STEPS = {"HourUTC": HOUR_S, "Minutes5UTC": 300}
_LOCAL = frozenset({"HourDK", "Minutes5DK"})
_LAYOUTS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%z")
_PARTS = {
    "wind_offshore": "OffshoreWindPower OffshoreWindLt100MW_MWh OffshoreWindGe100MW_MWh",
    "wind_onshore": "OnshoreWindPower OnshoreWindLt50kW_MWh OnshoreWindGe50kW_MWh",
    "solar": "SolarPower SolarPowerProd SolarPowerLt10kW_MWh SolarPowerGe10Lt40kW_MWh SolarPowerGe40kW_MWh "
    "SolarPowerSelfConMWh",
    "hydro": "HydroPower HydroPowerMWh",
    "biomass": "Biomass",
    "waste": "Waste",
    "other_renewable": "OtherRenewable",
    "fossil_gas": "FossilGas",
    "fossil_hard_coal": "FossilHardCoal",
    "fossil_oil": "FossilOil",
    "multiple_fuels": "CentralProd CentralPowerMWh LocalPowerProd LocalPowerMWh LocalPowerSelfConMWh "
    "CommercialPowerMWh ProductionLt100MW ProductionGe100MW",
    "unknown": "UnknownProdMWh",
    "load": "TotalLoad GrossCon GrossConsumptionMWh",
}
_KIND = {column: slug for slug, columns in _PARTS.items() for column in columns.split()}
"""What is summed: size classes of one technology, and plants whose fuel is not told. A dataset has one set of them."""
_SETS = tuple(
    frozenset(columns.split())
    for columns in (
        "OffshoreWindLt100MW_MWh OffshoreWindGe100MW_MWh",
        "OnshoreWindLt50kW_MWh OnshoreWindGe50kW_MWh",
        "SolarPowerLt10kW_MWh SolarPowerGe10Lt40kW_MWh SolarPowerGe40kW_MWh SolarPowerSelfConMWh",
        "CentralPowerMWh LocalPowerMWh LocalPowerSelfConMWh CommercialPowerMWh",
        "CentralProd LocalPowerProd",
        "ProductionLt100MW ProductionGe100MW",
    )
)
"""Columns that are one sum in a dataset: without one of them, that of the others would be too small."""
_NO_ENERGY = {
    "NetCon": "load without losses: another way to count it",
    "ElectricBoilerCon": "part of the load",
    "PowerToHeatMWh": "part of the load",
    "GridLoss": "part of the load",
    "BornholmSE4": "part of the exchange with Sweden",
    "SpotPrice": "price",
}
"""Beginnings of columns that are left out, and why."""


def detect(file: File) -> bool:
    """Whether it has this service's times in UTC beside a price area, as a header or as keys of records."""
    if file.kind == "json":
        return f'"{AREA}"' in file.head_text and any(f'"{time}"' in file.head_text for time in _STEPS)
    names = file.header(file.delimiter) if file.kind == "csv" else []
    return AREA in names and not _STEPS.keys().isdisjoint(names)


class _Data(NamedTuple):
    """A file as columns of text."""

    table: Table
    locale: Locale


def read(file: File, how: How) -> Readings:
    """Read generation, load and exchange of each price area; size classes of one technology are summed."""
    readings = Readings(file, FORMAT.name, zone=how.zone or "UTC", attribution="Energinet, Energi Data Service")
    table, names = _records(readings) if file.kind == "json" else _csv(file)
    readings.rows = len(table)
    time = next((name for name in _STEPS if name in names), "")
    if not time or AREA not in names:
        refuse(file, f"has no columns {' or '.join(_STEPS)} and {AREA}", "missing_column")
    _refuse_parts(file, names)
    slugs = _slugs(readings, names, time)
    locale = PLAIN if file.kind == "json" else locale_of(file, [table.columns[name] for name in slugs])
    starts, areas, codes = _starts_and_areas(readings, table, time)
    found = {name: _numbers(readings, table, name, locale) for name in slugs}
    readings.findings.check()
    for code, area in enumerate(codes):
        rows = np.flatnonzero(areas == code)
        lines, begins = rows + table.first_line, starts[rows]
        for slug in dict.fromkeys(slugs.values()):
            parts = {name: Numbers(*(part[rows] for part in found[name])) for name in slugs if slugs[name] == slug}
            _sum(readings, slug, area, parts, (begins, lines, _STEPS[time]))
    return readings


def _refuse_parts(file: File, names: list[str]) -> None:
    for whole in _SETS:
        absent = sorted(whole.difference(names))
        if absent and len(absent) < len(whole):
            what = f"has no column {', '.join(absent)}: the others of its sum alone would be too little"
            refuse(file, what, "missing_column", column=absent[0])


def _csv(file: File) -> tuple[Table, list[str]]:
    """Return (the columns that are read, the names of all)."""
    names = [name or f"column {at}" for at, name in enumerate(file.header(file.delimiter), start=1)]
    kept = [name for name in names if name in _STEPS or name == AREA or name in _KIND or name.startswith("Exchange")]
    return read_csv(file, delimiter=file.delimiter, keep=kept), names


def _records(readings: Readings) -> tuple[Table, list[str]]:
    """Return (JSON records as a table of text, the names of their columns); row i is record i + 1."""
    import pyarrow as pa

    told = listed(readings.file, "records")
    try:
        columns, count = text_columns(told)
        document: Any = told.rest
    except IrregularError:
        document = readings.file.json()
        columns, count = text_columns(_all_records(readings.file, document))
    if isinstance(document, dict) and isinstance(document.get("total"), int) and document["total"] > count:
        readings.notes["records"] = f"{count} of the {document['total']} that the dataset has"
    return Table(pa.table(columns), 1), list(columns)


def _all_records(file: File, document: Any) -> list[dict[str, Any]]:
    """Return the records of a document that is in memory; refused if it has none."""
    records: Any = document.get("records") if isinstance(document, dict) else document
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        refuse(file, "has no list of records", "missing_column", column="records")
    return records


def _slugs(readings: Readings, names: list[str], time: str) -> dict[str, str]:
    """Return the kind of each column that is read, and account for the others."""
    slugs: dict[str, str] = {}
    for name in names:
        if name in _KIND:
            slugs[name] = _KIND[name]
        elif name.startswith("Exchange"):
            slugs[name] = "exchange"
        elif name not in {time, AREA, *_LOCAL}:
            why = next((reason for begin, reason in _NO_ENERGY.items() if name.startswith(begin)), "not known")
            readings.left_out[name] = why
    return slugs


def _starts_and_areas(readings: Readings, table: Table, time: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return (UTC starts int64[n], area of each row int64[n], names of the areas)."""
    lines = table.lines
    found = parse_best(table.columns[time], *_LAYOUTS)
    what = "is not like 2023-01-31 23:00 or 2023-01-31T23:00:00"
    report(readings.findings, readings.file, found.bad, lines, time, table.columns[time], what)
    codes, names = encode(as_text(one_array(table.columns[AREA])))
    areas = np.where(codes < 0, len(names), codes)
    report(
        readings.findings, readings.file, codes < 0, lines, AREA, None, "is empty; expected DK1 or DK2", "null_value"
    )
    return found.seconds, areas, [str(name).strip() for name in names]


def _numbers(readings: Readings, table: Table, name: str, locale: Locale) -> Numbers:
    column = table.columns[name]
    found = numbers(column, MEGA, locale=locale)
    lines = table.lines
    report(readings.findings, readings.file, found.bad, lines, name, column, "is not a number")
    return found


def _sum(
    readings: Readings, slug: str, area: str, parts: dict[str, Numbers], rows: tuple[np.ndarray, np.ndarray, int]
) -> None:
    """Add the sum of the columns that an area has. Where one of them has no value, neither has the sum."""
    there = {name: part for name, part in parts.items() if not part.null.all()}
    said = " + ".join(there)
    if not there:
        readings.left_out[f"{area} {' + '.join(parts)}"] = "no value in any row"
        return
    null = np.logical_or.reduce([part.null for part in there.values()])
    values = np.where(null, 0, np.sum([part.values for part in there.values()], axis=0))
    kind, (starts, lines, step) = KINDS[slug], rows
    readings.series.append(
        Reading(
            kind=slug,
            area=area,
            role=kind.role,
            power=step < HOUR_S,
            starts=starts,
            interval_s=step,
            values=values,
            null=null,
            lines=lines,
            source_type=kind.source_type,
            column=said,
        )
    )


FORMAT = Format(
    name="energinet",
    title="Energinet, Energi Data Service: ElectricityBalanceNonv, ProductionConsumptionSettlement, 5-minute data",
    looks_like="HourUTC;HourDK;PriceArea;GrossCon;... or the same keys in records of JSON, or Minutes5UTC",
    quirks=(
        "UTC, the beginning of the interval; hours are MWh, five minutes are MW; newest first",
        "DK1 and DK2 stand in turn: two areas, which are not summed",
        "the decimal mark is a comma or a dot: decided by the numbers",
        "size classes of one technology, and the self-consumption of solar panels, are summed: each rounded down to Wh",
        "central, local and commercial plants burn what they burn: multiple_fuels",
        "gross consumption is the load; net consumption, losses and boilers are counted in it",
    ),
    detect=detect,
    read=read,
)
