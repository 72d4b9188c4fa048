"""`gcr schema`: every column and every word of the vocabularies, from the pages that the readers use."""

from __future__ import annotations

from typing import Any

import click

from gcr_fast import codes
from gcr_fast.schema import SCHEMA_VERSION, TABLES, Column, columns_of

from . import options as opt
from .command import Command

VOCABULARIES = {
    "source types": codes.SOURCE_TYPES,
    "statuses of annual certificates": codes.ANNUAL_STATUSES,
    "statuses of hourly certificates": codes.STATUSES,
    "purposes": codes.PURPOSES,
    "allocation bases, best first": codes.BASES,
    "methods": codes.METHODS,
}


HELP = f"""Show every column of TABLE, or of all tables.

TABLE is one of {", ".join(TABLES)}.
"""


@click.command(cls=Command, example="gcr schema annual", short_help="Show every column and code.", help=HELP)
@click.argument("table", required=False, type=click.Choice(list(TABLES)), metavar="[TABLE]")
@click.option("--codes", "with_codes", is_flag=True, help="The vocabularies and every finding there is.")
@opt.as_json
def schema(table: str | None, with_codes: bool, as_json: bool) -> None:
    """Show every column of TABLE, or of all of them."""
    from .output import print_json, show

    chosen = [table] if table else [] if with_codes else list(TABLES)
    if as_json:
        print_json(_document(chosen, with_codes))
        return
    for name in chosen:
        show(*_columns(name, columns_of(name)))
    if with_codes:
        show(*_words(), *_codes())


def _document(chosen: list[str], with_codes: bool) -> dict[str, Any]:
    tables = {name: [column._asdict() for column in columns_of(name)] for name in chosen}
    document: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "tables": tables}
    if with_codes:
        document |= {name.split(",")[0].replace(" ", "_"): list(words) for name, words in VOCABULARIES.items()}
        document["source_aliases"] = codes.SOURCE_ALIASES
        document["findings"] = [
            {"precedence": place, **finding._asdict()} for place, finding in enumerate(codes.FINDINGS)
        ]
    return document


def _columns(name: str, columns: tuple[Column, ...]) -> list[Any]:
    from .output import table

    rows = (
        (column.name, column.type, column.unit, "yes" if column.needed else "", _meaning(column)) for column in columns
    )
    return [_heading(name), table(("column", "type", "unit", "needed", "meaning"), rows, whole=("column",)), ""]


def _meaning(column: Column) -> str:
    return column.meaning + (f" (also: {', '.join(column.aliases)})" if column.aliases else "")


def _words() -> list[Any]:
    from .output import facts

    return [_heading("vocabularies"), facts((name, ", ".join(words)) for name, words in VOCABULARIES.items()), ""]


def _codes() -> list[Any]:
    from .output import COLOURS, table

    rows = (
        (place, finding.name, (finding.severity, COLOURS[finding.severity]), f"{finding.meaning}: {finding.mend}")
        for place, finding in enumerate(codes.FINDINGS)
    )
    columns = ("#", "finding", "severity", "meaning: how to mend it")
    return [_heading("findings, in order of precedence"), table(columns, rows, right=("#",))]


def _heading(text: str) -> Any:
    from rich.text import Text

    return Text(text, style="bold underline")
