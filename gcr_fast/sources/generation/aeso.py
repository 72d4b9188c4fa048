"""Alberta (AESO), current supply demand report: known, so that it can be refused by name."""

from __future__ import annotations

from gcr_fast.sources.files import File, refuse
from gcr_fast.sources.model import Format, How, Readings

TITLE = "Current Supply Demand Report"


def detect(file: File) -> bool:
    """Whether the report's title is on one of the first lines."""
    return file.kind == "csv" and any(line.strip('", ') == TITLE for line in file.head_lines[:5])


def read(file: File, how: How) -> Readings:
    """Refuse: one moment is no hour."""
    updated = next((line.strip('", ') for line in file.head_lines[:10] if "Last Update" in line), "")
    moment = f" ({updated})" if updated else ""
    refuse(
        file,
        f"is the output of one moment{moment}, not energy in an interval: there is no hourly data in it; "
        "AESO's historical generation data by asset and hour would do, described with --mapping",
        "missing_interval",
    )


FORMAT = Format(
    name="aeso-csd",
    title="AESO (Alberta), current supply demand report",
    looks_like="Current Supply Demand Report, then blocks of quoted figures",
    quirks=("a snapshot of one moment, without an interval: refused, as it is no hourly data",),
    detect=detect,
    read=read,
)
