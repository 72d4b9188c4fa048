"""RTE eco2mix, national and regional: the open data portal's records of JSON and CSV with labels, RTE's own files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gcr_fast.columns import as_text, encode, one_array
from gcr_fast.findings import RefusedError
from gcr_fast.flags import Flags, taken, told
from gcr_fast.sources.bulk import Bulk
from gcr_fast.sources.cells import MEGA, Numbers, numbers, report
from gcr_fast.sources.doubled import Walk
from gcr_fast.sources.figures import read_figures
from gcr_fast.sources.files import File, Table, read_csv, refuse
from gcr_fast.sources.generation import eco2mix_site as site
from gcr_fast.sources.long import span
from gcr_fast.sources.model import Format, How, Reading, Readings
from gcr_fast.sources.pieces import IrregularError
from gcr_fast.sources.portions import labels_of
from gcr_fast.sources.streamed import listed, text_columns
from gcr_fast.sources.words import KINDS, Kind, normalised

TIME, LOAD, NATURE, REGION = "date_heure", "consommation", "nature", "libelle_region"
QUARTER_S, HALF_S = 900, 1800
_LAYOUT = "%Y-%m-%dT%H:%M:%S%z"
_GAPS = ("", "-", "ND", "n/d", "n/a", "DC")
"""Not there, not known, confidential."""
_UNIT = re.compile(r"\s*\([^)]*\)\s*$")
_LABELS = {
    "hydraulique_fil_de_l_eau_eclusee": "hydraulique_fil_eau_eclusee",
    "fioul_cogeneration": "fioul_cogen",
    "gaz_cogeneration": "gaz_cogen",
    "region": REGION,
    "heures": "heure",
    "taux_de_co2": "taux_co2",
}
"""Columns with labels whose name differs from that of the field."""
_WHOLES = {
    "eolien": ("wind", {"eolien_terrestre": "wind_onshore", "eolien_offshore": "wind_offshore"}),
    "hydraulique": (
        "hydro_and_pumped_storage",
        {
            "hydraulique_fil_eau_eclusee": "hydro_run_of_river",
            "hydraulique_lacs": "hydro_reservoir",
            "hydraulique_step_turbinage": "hydro_pumped_storage",
        },
    ),
    "bioenergies": (
        "biomass",
        {
            "bioenergies_biomasse": "biomass",
            "bioenergies_biogaz": "biogas",
            "bioenergies_dechets": "waste",
        },
    ),
}
"""What a column is as a whole, and its parts: the parts are read where they have a value whenever the whole has."""
_SINGLE = {
    LOAD: KINDS["load"],
    "nucleaire": KINDS["nuclear"],
    "solaire": KINDS["solar"],
    "charbon": KINDS["fossil_coal"],
    "gaz": KINDS["fossil_gas"],
    "fioul": KINDS["fossil_oil"],
    "thermique": KINDS["fossil"],
    "pompage": KINDS["pumping"],
    "stockage_batterie": KINDS["battery_charging"],
    "destockage_batterie": KINDS["battery_storage"],
    "ech_physiques": KINDS["exchange"],
}
_NO_ENERGY = {
    "prevision": "forecast",
    "consommation_": "corrected for the weather: nobody consumed it",
    "taux_co2": "emission factor",
    "tco": "percentage",
    "tch": "percentage",
    "ech_comm": "commercial exchange, not what flowed",
    "gaz_": "part of gaz",
    "fioul_": "part of fioul",
    "flux": "exchange with one region: part of ech_physiques",
}
"""Beginnings of fields that are left out, and why."""
_ABOUT = frozenset({TIME, "date", "heure", "perimetre", NATURE, REGION, "code_insee_region", "column_30"})


def detect(file: File) -> bool:
    """Whether it has load and the portal's time, as keys of records or in a header, or what RTE's site has instead."""
    if file.kind == "json":
        return all(f'"{key}"' in file.head_text for key in (TIME, LOAD))
    if file.kind != "csv":
        return False
    fields = [_field(name) for name in file.header(file.delimiter)]
    return LOAD in fields and (TIME in fields or site.has_fields(fields))


def _field(name: str) -> str:
    """Return the portal's name of a column: `Hydraulique - Lacs (MW)` -> `hydraulique_lacs`."""
    word = normalised(_UNIT.sub("", name))
    return _LABELS.get(word, word)


def read(file: File, how: How) -> Readings:
    """Read generation, load, storage and exchange: of a whole and its parts, one of both."""
    document, notes, read = None, 0, dict[str, Numbers]()
    if file.kind == "json":
        table, document = _records(file)
    else:
        table, notes, read = _table(file)
    readings = Readings(file, FORMAT.name, rows=len(table) + notes, zone=how.zone or site.ZONE)
    readings.attribution = "RTE, eco2mix"
    readings.drop("the publisher's note on the last line", notes)
    _note_rest(readings, document)
    portal = file.kind == "json" or TIME in table.names or not site.has_fields(table.names)
    names = table.names if not read else list(map(_field, file.header(file.delimiter)))
    for field in (TIME, LOAD) if portal else (LOAD,):
        if field not in names:
            refuse(file, f"has no {field}", "missing_column", column=field)
    wanted = list(filter(_is_figure, names))
    _account(readings, names, wanted)
    codes, areas = _areas(readings, table) if portal else site.areas(readings, table)
    clock = _portal_clock(readings, table) if portal else site.local_starts(readings, table, codes)
    found = read or {name: _numbers(readings, table, name) for name in wanted}
    readings.findings.check()
    used = _used(readings, found, clock)
    flags = told(table.columns[NATURE]) if NATURE in table.names else None
    for code, area in enumerate(areas):
        rows = span(np.flatnonzero(used & (codes == code)))
        some = {name: Numbers(*(part[rows] for part in numbers)) for name, numbers in found.items()}
        _series(readings, area, _chosen(readings, some), clock.seconds[rows], table.lines[rows], taken(flags, rows))
    return readings


def _used(readings: Readings, found: dict[str, Numbers], clock: Walk) -> np.ndarray:
    """bool[n]: rows that have a value, at a time that exists and is known. The others are accounted for."""
    empty = np.logical_and.reduce([part.null for part in found.values()])
    readings.drop("rows that hold forecasts only", int((empty & ~clock.skipped & ~clock.unclear).sum()))
    hour = "rows of the hour that does not exist in spring"
    readings.drop(f"empty {hour}", int((empty & clock.skipped).sum()))
    readings.drop(f"{hour}, with values that are of no time", int((~empty & clock.skipped).sum()))
    used: np.ndarray = ~(empty | clock.skipped | clock.unclear)
    return used


def _note_rest(readings: Readings, document: Any) -> None:
    """Note that the portal has more records than were asked for at once: nobody means to leave out the rest unseen."""
    members = document if isinstance(document, dict) else {}
    total = str(members.get("nhits", members.get("total_count", "")))
    if total.isdecimal() and int(total) > readings.rows:
        readings.notes["records"] = f"{readings.rows} of the {total} that the answer has"


def _all_parts() -> set[str]:
    return {part for _, parts in _WHOLES.values() for part in parts}


def _records(file: File) -> tuple[Table, Any]:
    """Return (records as a table of text, the document with them or without). Row i is record i + 1.

    The portal's interfaces wrap records in three ways.
    """
    import pyarrow as pa

    told = listed(file, "results" if '"results"' in file.head_text else "records")
    try:
        columns, _ = text_columns(_fields(file, told))
        if isinstance(told.rest, dict) and len(told.rest.keys() & {"records", "results"}) > 1:
            raise IrregularError
        return Table(pa.table(columns), 1), told.rest
    except (IrregularError, RefusedError):
        document = file.json()
        columns, _ = text_columns(_fields(file, _all_records(file, document)))
        return Table(pa.table(columns), 1), document


def _all_records(file: File, document: Any) -> list[dict[str, Any]]:
    """Return the records of a document that is in memory; refused if it has none."""
    records: Any = document
    if isinstance(document, dict):
        records = document.get("records", document.get("results"))
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        refuse(file, "has no list of records or results", "missing_column", column="records")
    return records


def _fields(file: File, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for record in records:
        fields = record.get("fields", record)
        if not isinstance(fields, dict):
            refuse(file, "has a record whose fields are no object", "malformed_row", column="fields")
        yield fields


def _is_figure(field: str) -> bool:
    return field in _SINGLE or field in _WHOLES or field in _all_parts()


def _table(file: File) -> tuple[Table, int, dict[str, Numbers]]:
    """Return (the table with the portal's names, lines that are a note of the publisher, numbers if they are read)."""
    header = file.header(file.delimiter)
    fields = list(map(_field, header))
    of_portal = TIME in fields or not site.has_fields(fields)
    figures = _figures(file, dict(zip(header, fields, strict=True))) if TIME in fields else None
    if figures:
        table, notes = figures.table, 0
    else:
        table, notes = (read_csv(file, delimiter=file.delimiter), 0) if of_portal else site.read_rows(file)
    names = [_field(name) for name in table.names]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        refuse(file, f"has two columns for {', '.join(doubled)}", "ambiguous_column")
    read = {_field(name): found for name, found in figures.numbers.items()} if figures else {}
    return replace(table, columns=table.columns.rename_columns(names)), notes, read


def _figures(file: File, fields: Mapping[str, str]) -> Bulk | None:
    """Read the columns that hold MW as numbers, and what says what they are of as text; None if that cannot be."""
    if len(set(fields.values())) < len(file.header(file.delimiter)) or "" in fields:
        return None
    texts = [name for name, field in fields.items() if field in _ABOUT]
    values = [name for name, field in fields.items() if _is_figure(field)]
    return read_figures(file, texts, values, MEGA, delimiter=file.delimiter, missing=_GAPS[1:])


def _account(readings: Readings, names: list[str], wanted: list[str]) -> None:
    """Say why the other columns are left out."""
    for name in names:
        if name not in wanted and name not in _ABOUT:
            why = next((reason for begin, reason in _NO_ENERGY.items() if name.startswith(begin)), "not known")
            readings.left_out[name] = why


def _portal_clock(readings: Readings, table: Table) -> Walk:
    """Return UTC starts; every time of the portal names its offset."""
    found = labels_of(table.columns[TIME], _LAYOUT)
    what = "is not like 2023-09-21T02:45:00+02:00"
    report(readings.findings, readings.file, found.bad, table.lines, TIME, table.columns[TIME], what)
    none = np.zeros(len(table), dtype=bool)
    return Walk(found.seconds, none, none, none)


def _areas(readings: Readings, table: Table) -> tuple[np.ndarray, list[str]]:
    """Return (area int64[n] of each row, names): `FR`, or `FR-` and the region's official number."""
    if "code_insee_region" not in table.names and REGION in table.names:
        return site.areas(readings, table, REGION)
    if "code_insee_region" not in table.names:
        return np.zeros(len(table), np.int64), ["FR"]
    codes, names = encode(as_text(one_array(table.columns["code_insee_region"])))
    return np.where(codes < 0, len(names), codes).astype(np.int64), [*(f"FR-{name}" for name in names), "FR"]


def _numbers(readings: Readings, table: Table, name: str) -> Numbers:
    column = table.columns[name]
    found = numbers(column, MEGA, _GAPS)
    lines = table.lines
    report(readings.findings, readings.file, found.bad, lines, name, column, "is not a number of MW")
    return found


def _chosen(readings: Readings, found: dict[str, Numbers]) -> list[tuple[str, Kind, Numbers]]:
    """Return the columns to read, each with its kind: a whole, or its parts where they are all there."""
    chosen = [(name, kind, found[name]) for name, kind in _SINGLE.items() if name in found]
    for whole, (slug, parts) in _WHOLES.items():
        there = [name for name in parts if name in found and not found[name].null.all()]
        sound = there and all(not (found[name].null & ~_null(found, whole)).any() for name in there)
        if sound:
            chosen += [(name, KINDS[parts[name]], found[name]) for name in there]
            if whole in found:
                readings.left_out[whole] = f"the sum of {', '.join(there)}"
        elif whole in found:
            chosen.append((whole, KINDS[slug], found[whole]))
            readings.left_out |= dict.fromkeys(there, f"part of {whole}, not there for all times")
    return chosen


def _null(found: dict[str, Numbers], name: str) -> np.ndarray | bool:
    """bool[n]: where a column has no value; one that is not there has none."""
    return found[name].null if name in found else True


def _series(
    readings: Readings,
    area: str,
    chosen: list[tuple[str, Kind, Numbers]],
    starts: np.ndarray,
    lines: np.ndarray,
    flags: Flags | None,
) -> None:
    """Add a reading for each column that has a value."""
    # Not the most frequent distance: the portal gives any few records, in any order.
    step = QUARTER_S if (starts % HALF_S).any() else HALF_S
    for name, kind, found in chosen:
        if found.null.all():
            readings.left_out.setdefault(name, "no value in any row")
            continue
        readings.series.append(
            Reading(
                kind=kind.slug,
                area=area,
                role=kind.role,
                power=True,
                starts=starts,
                interval_s=step,
                values=found.values,
                null=found.null,
                lines=lines,
                source_type=kind.source_type,
                column=name,
                flags=flags,
            )
        )


FORMAT = Format(
    name="eco2mix",
    title="RTE eco2mix, national and regional, real time and consolidated",
    looks_like='"date_heure": "2023-09-21T02:45:00+02:00", "consommation": 1, ... or Date - Heure;Consommation (MW), '
    "or Périmètre, Nature, Date, Heures, Consommation, ... set apart by tabs, called .xls",
    quirks=(
        "MW, the mean of 15 or 30 minutes from the time on, which names its offset; newest or oldest first, or mixed",
        "files of RTE's site are text of tabs in Windows-1252, called .xls; rows have a tab more, the last is a note",
        "their times are local: in spring rows of the hour that does not exist are dropped, with values or without; "
        "in autumn an hour that is there once is the first of the two, and the second a gap",
        "ND, - and DC (confidential) are gaps",
        "numbers are numbers or text; consolidated files have rows between the half hours with forecasts only: dropped",
        "wind, hydro and bioenergy come as a whole and in parts: the parts are read if they are all there",
        "the whole of hydro has the turbines of pumped storage in it: it is no hydro",
        "pumping and charging are negative: kept apart, sign as it is",
        "the flag is the nature of the record: real time, consolidated or definitive, in the portal's words",
        "commercial exchanges, forecasts, emission factors, percentages and corrected loads are left out",
    ),
    detect=detect,
    read=read,
)
