"""`gcr import formats`: what is known of other people's files."""

from __future__ import annotations

from typing import Any

import click

from . import options as opt
from .command import Command


@click.command(cls=Command, example="gcr import formats entsoe-old", short_help="List the formats that are known.")
@click.argument("name", required=False)
@opt.as_json
def formats(name: str | None, as_json: bool) -> None:
    """List the formats of generation, load and certificates that are known; or show one, NAME, with its quirks."""
    from gcr_fast.sources.known import meant

    from .output import facts, print_json, show, table

    known = _known()
    if name is not None and name not in {row["name"] for row in known}:
        near = meant(name, (row["name"] for row in known))
        raise click.UsageError(f"unknown format {name!r}{near or '; `gcr import formats` lists them'}")
    rows = [row for row in known if name is None or row["name"] == name]
    if as_json:
        print_json(rows)
    elif name:
        show(*(facts(_portrait(row)) for row in rows))
    else:
        cells = ((row["name"], row["of"], row["title"]) for row in rows)
        listed = table(("format", "of", "published by"), cells, whole=("format", "of"))
        show(listed, "", "gcr import formats NAME shows what one looks like, and its quirks")


def _known() -> list[dict[str, Any]]:
    """Return every format of both tables."""
    from gcr_fast.sources.certificates.formats import DESCRIBED as CERTIFICATES
    from gcr_fast.sources.generation.formats import FORMATS as GENERATION

    tables = (("generation", GENERATION), ("certificates", CERTIFICATES))
    return [
        {
            "name": one.name,
            "of": what,
            "title": one.title,
            "looks_like": one.looks_like,
            "quirks": list(one.quirks),
            "needs": getattr(one, "needs", "") or None,
        }
        for what, several in tables
        for one in several
    ]


def _portrait(row: dict[str, Any]) -> list[tuple[str, Any]]:
    quirks = [("" if at else "quirks", quirk) for at, quirk in enumerate(row["quirks"])]
    head = [("format", row["name"]), ("of", row["of"]), ("published by", row["title"])]
    return [*head, ("looks like", row["looks_like"]), *quirks, ("needs", row["needs"])]
