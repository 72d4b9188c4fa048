"""Saving tables beside the main result: .parquet, .arrow, .csv or .json, complete or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gcr_fast.errors import OutputError

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".json", ".csv", ".parquet", ".arrow")
ROW_SUFFIXES = (".parquet", ".arrow", ".csv")


def check_places(inputs: list[Path], outputs: list[Path | None]) -> None:
    """Refuse, before any work is done, outputs that could not be written or would overwrite an input."""
    named = [place for place in outputs if place is not None]
    for place in named:
        if not place.absolute().parent.is_dir():
            raise OutputError(f"cannot write {place}: there is no folder {place.parent}")
        if any(source.exists() and place.exists() and place.samefile(source) for source in inputs):
            raise click.UsageError(f"{place} is an input of this command; name another file")
    if len({place.absolute() for place in named}) < len(named):
        raise click.UsageError("two outputs have the same name")


def check_table_places(*places: Path | None) -> None:
    """Refuse names of tables whose suffix says no format."""
    for place in places:
        if place is not None and place.suffix.lower() not in SUFFIXES:
            raise click.UsageError(f"{place}: the name must end in {', '.join(SUFFIXES)}")


def save_table(table: pa.Table, place: Path) -> None:
    """Write a table in the format that the name's suffix says."""
    save_bytes(_encoders[place.suffix.lower()](table), place)


def save_bytes(content: bytes, place: Path) -> None:
    """Write a whole file or none."""
    from gcr_fast.exchange.writing import said_plainly, whole_file

    with said_plainly(place), whole_file(place) as file:
        file.write(content)


def _json(table: pa.Table) -> bytes:
    from .output import json_text

    return (json_text(table.to_pylist()) + "\n").encode()


def _csv(table: pa.Table) -> bytes:
    from pyarrow import csv

    sink = io.BytesIO()
    csv.write_csv(_flat(table), sink)
    return sink.getvalue()


def _flat(table: pa.Table) -> pa.Table:
    """Join lists of words, which a CSV cell cannot hold, with spaces."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for position, column in enumerate(table.schema):
        if pa.types.is_list(column.type):
            table = table.set_column(position, column.name, pc.binary_join(table[column.name], " "))
    return table


def _parquet(table: pa.Table) -> bytes:
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _arrow(table: pa.Table) -> bytes:
    import pyarrow as pa

    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


_encoders: dict[str, Any] = {".json": _json, ".csv": _csv, ".parquet": _parquet, ".arrow": _arrow}
