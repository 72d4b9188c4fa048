"""What ERCOT's files have in common: whom to name, where the clock is, tables that stand in CSV or in a workbook."""

from __future__ import annotations

from collections.abc import Iterator

from gcr_fast.sources import workbook
from gcr_fast.sources.files import File, Table, read_csv, refuse

AREA, ZONE = "ERCOT", "America/Chicago"
ATTRIBUTION = "Electric Reliability Council of Texas (ERCOT)"


def tables(file: File, *needed: str) -> Iterator[tuple[str, Table | None]]:
    """Yield (sheet, table) of a workbook, None for a sheet without the `needed` columns; of a CSV its one table."""
    if file.kind == "zip":
        yield from workbook.sheets(file, needed)
        return
    lacking = [name for name in needed if name not in file.header()]
    if lacking:
        refuse(file, f"has no column {', '.join(lacking)}", "missing_column", column=lacking[0])
    yield "", read_csv(file)
