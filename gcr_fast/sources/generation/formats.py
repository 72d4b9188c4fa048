"""The one table of formats, and which of them a file is of: told by content, never by a file's name alone."""

from __future__ import annotations

import os
from dataclasses import replace

from gcr_fast.errors import GcrError
from gcr_fast.sources import pages
from gcr_fast.sources.damaged import refuse_damaged
from gcr_fast.sources.files import UNENDED, File, open_file, refuse
from gcr_fast.sources.generation import (
    aemo_nem,
    aemo_wem,
    aeso,
    caiso,
    eco2mix,
    eia_api,
    eia_bulk,
    eia_derived,
    elexon_insights,
    elexon_wide,
    energinet,
    energy_charts,
    entsoe_library,
    entsoe_new,
    entsoe_old,
    entsoe_py,
    entsoe_xml,
    ercot_dashboard,
    ercot_fuel,
    ercot_load,
    eskom,
    green_button,
    ieso_csv,
    ieso_xml,
    japan,
    mapped,
    meters,
    neso,
    ninja,
    nz_emi,
    opsd,
    pjm,
    pvgis,
    pvwatts,
    smard,
)
from gcr_fast.sources.known import known_as, recognised
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.nearly import nearly
from gcr_fast.sources.tidy import check_areas, tidy, unasked
from gcr_fast.sources.words import type_named

FORMATS: tuple[Format, ...] = (
    entsoe_old.FORMAT,
    entsoe_new.FORMAT,
    entsoe_library.FORMAT,
    entsoe_xml.FORMAT,
    opsd.FORMAT,
    smard.FORMAT,
    energy_charts.FORMAT,
    energinet.FORMAT,
    eco2mix.FORMAT,
    eia_bulk.FORMAT,
    eia_api.FORMAT,
    eia_derived.FORMAT,
    pjm.FORMAT,
    caiso.FORMAT,
    ercot_load.FORMAT,
    ieso_xml.FORMAT,
    ieso_csv.FORMAT,
    ercot_fuel.FORMAT,
    ercot_dashboard.FORMAT,
    pvgis.FORMAT,
    pvwatts.FORMAT,
    pvwatts.SAM,
    ninja.FORMAT,
    entsoe_py.FORMAT,
    elexon_insights.FORMAT,
    elexon_wide.FORMAT,
    neso.FORMAT,
    nz_emi.FORMAT,
    aemo_nem.FORMAT,
    aemo_wem.FORMAT,
    eskom.FORMAT,
    japan.FORMAT,
    aeso.FORMAT,
    meters.FORMAT,
    meters.GRANULAR,
    green_button.FORMAT,
    mapped.FORMAT,
)
"""Every format, as the list shows them."""

BY_NAME = {one.name: one for one in FORMATS}
UNKNOWN = (
    "is of no format that is known (gcr import formats lists them); a table of profile, start and energy, "
    "or one that was imported before, needs no import: gcr convert --profiles takes it"
)
MAPPED = "mapped"
"""The format of files that a mapping describes."""


def identify(file: File, how: How | None = None) -> Format | None:
    """Return the format of a file; None if it is of none. Refused, with the candidates: one that may be of several.

    A mapping in `how` describes the file: then it is of no public format.
    """
    if how is not None and how.mapping is not None:
        return BY_NAME.get(MAPPED)
    return recognised(file, FORMATS)


def format_named(name: str) -> Format:
    """Return the format of this name; an unknown one is a `UsageError`."""
    return known_as(name, BY_NAME)


def read_readings(
    path: str | os.PathLike[str],
    how: How | None = None,
    format: str | None = None,  # noqa: A002
    *,
    alone: bool = True,
) -> Readings:
    """Read any file of a known format. Raises `RefusedError` with every bad cell, or if the format is not known.

    `alone`: a file that is one page of a longer answer, or has nothing of what `how` asks for, is refused; else the
    caller has to `pages.check` all files, and to see whether any of them has a series.
    """
    file = open_file(path)
    chosen = identify(file, how) if format is None else format_named(format)
    if chosen is None:
        refuse_damaged(file)
        refuse(file, UNKNOWN + nearly(file, FORMATS), "unknown_format")
    try:
        return read_as(file, chosen, how or How(), alone=alone)
    except GcrError:
        raise
    except Exception:
        if format is None or chosen.detect(file):
            raise
        # A reader trusts what its format is told by; here nobody but the caller has told it.
        refuse(file, f"is not {chosen.title}, which looks like {chosen.looks_like}", "unknown_format")


def read_as(file: File, chosen: Format, how: How, *, alone: bool = True) -> Readings:
    """Read a file of a format, and tidy what it holds. Raises `RefusedError` with every bad cell.

    A word of `how.types` that names no kind, source type or role is a `UsageError`.
    """
    how = replace(how, types=frozenset(map(type_named, how.types)))
    readings = chosen.read(file, how)
    readings.findings.check()
    if any(one.interval_s <= 0 for one in readings.series):
        refuse(file, "has one time alone: how long its intervals are cannot be told", "empty_file")
    if file.kind == "csv" and not file.ended:
        readings.notes["last line"] = UNENDED
    if alone:
        pages.check([readings])
    tidied = tidy(readings, how)
    if alone:
        check_areas([readings], how)
    if not readings.series and (alone or not unasked(readings)):
        refuse(file, nothing_in(readings), "empty_file")
    return tidied


def nothing_in(readings: Readings) -> str:
    """Say why a file has no series, as its name goes on: nothing was asked for of what it has, or it has none."""
    if other := unasked(readings):
        return f"has nothing of what is asked for; it has {other}"
    why = "; ".join(f"{name}: {reason}" for name, reason in list(readings.left_out.items())[:5])
    return f"has no series of energy{f' ({why})' if why else ''}"
