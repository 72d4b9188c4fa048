"""Eskom (South Africa), data portal: station build-up by kind of plant, and demand, hour by hour."""

from __future__ import annotations

import numpy as np

from gcr_fast.sources.cells import MEGA, report
from gcr_fast.sources.clock import parse_best
from gcr_fast.sources.files import File, Table, read_csv, refuse
from gcr_fast.sources.model import Format, How, Readings
from gcr_fast.sources.wide import Column, Layout, wide
from gcr_fast.sources.words import KINDS, Kind, normalised

ZONE, ZONE_S, AREA, HOUR_S = "Africa/Johannesburg", 2 * 3600, "ZA", 3600
TIMES = ("date_time_hour_beginning", "datetimekey")
_LAYOUTS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d %H:%M")


def _used_by(plant: str) -> Kind:
    return Kind(f"consumption_{plant}", None, "consumption")


_COLUMNS = {
    "thermal_generation": KINDS["fossil_coal"],
    "nuclear_generation": KINDS["nuclear"],
    "eskom_ocgt_generation": KINDS["fossil_oil"],
    "eskom_gas_generation": KINDS["fossil_gas"],
    "dispatchable_ipp_ocgt": KINDS["fossil_oil_ipp"],
    "hydro_water_generation": KINDS["hydro"],
    "pumped_water_generation": KINDS["hydro_pumped_storage"],
    "wind": KINDS["wind"],
    "pv": KINDS["solar"],
    "csp": KINDS["solar_thermal"],
    "other_re": KINDS["other_renewable"],
    "international_imports": KINDS["imports"],
    "pumped_water_sco_pumping": KINDS["pumping"],
    "eskom_ocgt_sco_pumping": _used_by("oil"),
    "eskom_gas_sco_pumping": _used_by("gas"),
    "hydro_water_sco_pumping": _used_by("hydro"),
    "rsa_contracted_demand": KINDS["load"],
}
_LEFT_OUT = {
    "thermal_gen_excl_pumping_and_sco": "thermal generation less the energy of pumping: a sum of other columns",
    "ios_excl_ils_and_mlr": "load that was not served",
    "ils_usage": "load that was not served",
    "manual_load_reduction_mlr": "load that was not served",
    "residual_demand": "demand less renewables: a difference of other figures",
    "residual_forecast": "a forecast",
    "rsa_contracted_forecast": "a forecast",
    "total_re": "a sum of other columns",
}


def detect(file: File) -> bool:
    """Whether the header has the portal's time beside one of its own columns."""
    names = [normalised(name) for name in file.header()] if file.kind == "csv" else []
    own = {"thermal_generation", "pumped_water_generation", "rsa_contracted_demand"}
    return any(name in TIMES for name in names) and bool(own & set(names))


def read(file: File, how: How) -> Readings:
    """Read MW by kind of plant, or demand. Sums, forecasts and load that was shed are left out."""
    spelled = {normalised(name): name for name in file.header()}
    time = next((spelled[name] for name in TIMES if name in spelled), None)
    if time is None:
        refuse(file, f"has no column {' or '.join(TIMES)}", "missing_column")
    columns = {name: Column(_COLUMNS[word], AREA) for word, name in spelled.items() if word in _COLUMNS}
    table = read_csv(file, floats=list(columns))
    readings = Readings(file, FORMAT.name, zone=ZONE, rows=len(table), attribution="Eskom")
    for word, name in spelled.items():
        if name != time and name not in columns:
            readings.left_out[name] = _LEFT_OUT.get(word, "not known")
    starts = _starts(readings, table, time)
    wide(readings, table, starts, np.arange(len(table)), columns, Layout(MEGA, power=True, interval_s=HOUR_S))
    return readings


def _starts(readings: Readings, table: Table, time: str) -> np.ndarray:
    labels = table.columns[time]
    times = parse_best(labels, *_LAYOUTS)
    lines = table.lines
    report(readings.findings, readings.file, times.bad, lines, time, labels, "is not like 2023-10-18 13:00:00")
    readings.findings.check()
    return times.seconds - ZONE_S


FORMAT = Format(
    name="eskom",
    title="Eskom (South Africa), station build-up and demand",
    looks_like="Date_Time_Hour_Beginning,Thermal_Gen_Excl_Pumping_and_SCO,... or DateTimeKey,...,RSA Contracted Demand",
    quirks=(
        "MW, the mean of the hour that begins at the time; South African time, which never changes",
        "Thermal_Gen_Excl_Pumping_and_SCO is Thermal_Generation less pumping: left out, as both would count twice",
        "columns in SCO_Pumping are what pumps and idling plants use, below zero: consumption",
        "numbers are floats printed in full (18016.901000000002): read as the float that they are, 18,016.901 MW",
        "hours that lie in the future are empty: gaps",
    ),
    detect=detect,
    read=read,
)
