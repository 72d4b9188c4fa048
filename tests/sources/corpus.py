"""The examples of all formats, how each is to be read, and what a reading of one says."""

import os
import warnings
from pathlib import Path

import numpy as np

from gcr_fast.grid.metered import profiles_of
from gcr_fast.sources.generation.formats import BY_NAME, read_readings
from gcr_fast.sources.mapping_file import load_mapping
from gcr_fast.sources.model import How

HERE = Path(__file__).parent
FILES = sorted(path for path in (HERE / "examples").iterdir() if not path.name.startswith("."))
INPUTS = {"units"}
"""Files that are no readings: a map of units to fuels."""
REFUSED = {"aeso-csd", "entsoe-api-no-data"}
"""Files of a known format which have nothing to read, whole as they are."""
EXAMPLES = [path for path in FILES if path.stem not in INPUTS]
READABLE = [path for path in EXAMPLES if path.stem not in REFUSED]
HOWS = {
    "pvwatts": How(year=2019, zone="America/Denver"),
    "sam": How(year=2019, zone="America/Denver"),
    "granular-metering": How(types=frozenset({"solar"})),
    "mapped-wide": How(mapping=load_mapping(HERE / "mappings" / "mapped-wide.yaml")),
    "mapped-long": How(mapping=load_mapping(HERE / "mappings" / "mapped-long.json")),
}
"""What has to be said about a file, by its stem or its format."""


NAMED_OTHERWISE = {
    "entsoe-api-": "entsoe-xml",
    "entsoe-sftp-": "entsoe-library",
    "ieso-capability": "ieso-xml",
    "ieso-demand": "ieso-csv",
    "ieso-fuel": "ieso-xml",
    "ieso-month": "ieso-csv",
}
"""Examples that are named after what they hold, by the beginning of their name."""


def format_of(path):
    """The format an example is named after: the longest name that its own begins with."""
    for begin, name in NAMED_OTHERWISE.items():
        if path.stem.startswith(begin):
            return name
    names = [name for name in BY_NAME if path.stem == name or path.stem.startswith(f"{name}-")]
    return max(names, key=len, default=None)


def how_of(path):
    return HOWS.get(path.stem) or HOWS.get(format_of(path) or "") or How()


def read(path, how=None):
    """Read a file as a user would, on to the grid; a warning of NumPy is a fault like any other."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        readings = read_readings(path, how or how_of(path), alone=False)
        profiles_of(readings)
    return readings


def facts(readings):
    """Every value by series and start: {series: {start: set of values}}; None is a gap."""
    found = {}
    for one in readings.series:
        key = (one.name, one.role, one.kind, one.source_type, one.power, one.is_energy, one.interval_s)
        cells = found.setdefault(key, {})
        values = np.where(one.null, None, one.values)
        for start, value in zip(one.starts.tolist(), values.tolist(), strict=True):
            cells.setdefault(start, set()).add(value)
    return found


def written(folder, path, content):
    """Write damaged content under the example's own name, which some formats need for their date."""
    place = Path(folder) / path.name
    place.write_bytes(content)
    return place


def fuzz_seconds(default):
    return float(os.environ.get("GCR_FUZZ_SECONDS", default))
