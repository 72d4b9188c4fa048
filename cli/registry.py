"""What the commands of a registry share: its folder, filters, who asks, and how a receipt is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as opt
from .command import options

if TYPE_CHECKING:
    from gcr_fast.registry import Registry
    from gcr_fast.registry.receipts import Receipt

FILTERS = (
    "parent", "owner", "start", "end", "at", "source_type", "device", "country", "basis", "status", "min_wh",
    "hour_of_day", "certificate",
)  # fmt: skip
"""The filters of `Registry.query`, by name."""
DONE = {
    "issue": "issued", "trade": "traded", "reserve": "reserved", "release": "released", "lock": "locked",
    "unlock": "unlocked", "retire": "retired", "claim": "claimed", "expire": "expired", "withdraw": "withdrawn",
}  # fmt: skip
"""What was done, by kind of entry."""

STATEMENTS = (".html", ".json", ".txt")

folder = click.argument("registry", type=opt.FILE)


def handle_or_id(word: str) -> str | int:
    """A number is a handle; anything else is a text id."""
    return int(word) if word.isdecimal() else word


def _certificates(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str | int, ...]:
    return tuple(map(handle_or_id, value))


def _many(name: str, metavar: str, help_text: str, **more: Any) -> Any:
    return click.option(name, multiple=True, metavar=metavar, help=help_text, **more)


def start(help_text: str) -> Callable[..., Any]:
    """Return the option --start."""
    return click.option("--start", metavar="TIME", help=help_text)


def end(help_text: str) -> Callable[..., Any]:
    """Return the option --end."""
    return click.option("--end", metavar="TIME", help=help_text)


owner_filter = click.option("--owner", metavar="NAME", help="Only this party's.")
filters = options(
    _many("--parent", "ID", "Only of this annual certificate; this and most of the next may be repeated."),
    start("From this time on, such as 2024-06-01 or 2024-06-01T12:00Z."),
    end("Before this time."),
    click.option("--at", metavar="TIME", help="The interval that holds this time."),
    _many("--source-type", "TYPE", "Only of this source type."),
    _many("--device", "ID", "Only of this device."),
    _many("--country", "CC", "Only of this country."),
    _many("--basis", "BASIS", "Only of this allocation basis."),
    _many("--status", "STATUS", "Only in this status; TRADED is ACTIVE and traded."),
    click.option("--min-wh", type=click.IntRange(min=1), metavar="WH", help="Only of so much energy, or more."),
    _many("--hour-of-day", "HOUR", "Only of this hour of the day (UTC, 0 to 23).", type=click.IntRange(0, 23)),
    _many("--certificate", "ID", "This one: its id or its handle.", callback=_certificates),
)
every = click.option("--all", "every", is_flag=True, help="All of them: no filter is needed.")
wh = click.option(
    "--wh",
    type=click.IntRange(min=1),
    metavar="WH",
    help="So much of them, of ACTIVE ones if --status says nothing; splits an hour if need be.",
)
order = click.option(
    "--order",
    type=click.Choice(["earliest", "proportional"]),
    default="earliest",
    show_default=True,
    help="How --wh is taken: from the first hours on, or from each its share.",
)
create_parties = click.option("--create-parties", is_flag=True, help="Add parties that are not there yet.")
dry_run = click.option("--dry-run", is_flag=True, help="Check all of it and say what would be done; change nothing.")
asking = options(
    click.option("--actor", metavar="NAME", default="", help="Who asks for it; goes into the journal."),
    click.option("--key", metavar="TEXT", default="", help="Doing it again with the same key changes nothing."),
    dry_run,
)
ending = options(asking, opt.findings, opt.as_json, opt.quiet)
"""What every change ends its list of options with."""


def opened(place: Path, read_only: bool = False) -> Registry:
    """Open a registry; close it, or use it in a with block."""
    from gcr_fast.registry import Registry

    return Registry.open(place, read_only)


def chosen(given: dict[str, Any], keep: str = "") -> dict[str, Any]:
    """Take the filters out of a command's options, all but `keep`; what was not given is left out."""
    taken = {name: given.pop(name, None) for name in FILTERS if name != keep}
    found = {name: value for name, value in taken.items() if value is not None and value != ()}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def selected(given: dict[str, Any], party: str = "", status: str = "") -> dict[str, Any]:
    """Take the filters, which must say something; `party` is the option that names whose certificates are meant.

    Filters choose among what the party has, and of that, if nothing else is said, what is in `status`; an amount is
    taken from what is ACTIVE. Certificates that are named one by one are not sifted: each must be as the change needs
    it, or all is refused.
    """
    wanted, every, amount = chosen(given, keep=party), given.pop("every"), given.get("wh")
    if not wanted and not every and amount is None:
        raise click.UsageError("say which certificates: --parent, --start, --certificate, ..., or --all")
    if "certificate" in wanted:
        return wanted
    status = status or ("ACTIVE" if amount is not None else "")
    return ({"status": status} if status else {}) | wanted | ({"owner": given[party]} if party else {})


def check_findings_place(findings_file: Path | None) -> None:
    """Refuse, before any work is done, a file of findings that could not be written."""
    from .files import check_places, check_table_places

    check_table_places(findings_file)
    check_places([], [findings_file])


def check_statement_place(place: Path | None) -> None:
    """Refuse, before anything is retired, a statement that could not be written."""
    from .files import check_places

    if place is not None and place.suffix.lower() not in STATEMENTS:
        raise click.UsageError(f"{place}: the name must end in {', '.join(STATEMENTS)}")
    check_places([], [place])


def save_statement(told: dict[str, Any], place: Path) -> None:
    """Write a retirement statement in the form that the name's suffix says."""
    from gcr_fast.registry.statements import html, text

    from .files import save_bytes
    from .output import json_text

    forms: dict[str, Callable[[dict[str, Any]], str]] = {".html": html, ".json": json_text, ".txt": text}
    save_bytes((forms[place.suffix.lower()](told).rstrip("\n") + "\n").encode(), place)


def money(minor: int | None, currency: str, per: str = "") -> str | None:
    """Say an amount of minor units: 1,234.50 EUR."""
    from gcr_fast.trading import decimal_text

    return None if minor is None else priced(decimal_text(minor, currency), currency, per)


def priced(amount: str | None, currency: str | None, per: str = "") -> str | None:
    """Say a decimal amount: 1,234.50 EUR, or EUR/MWh; None if there is none."""
    from decimal import Decimal

    return None if amount is None else f"{Decimal(amount):,} {currency}{per}"


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row for JSON: what pairs names with texts becomes an object, a day its text."""
    from datetime import date, datetime

    shown = {}
    for name, value in row.items():
        pairs = name == "texts" and isinstance(value, list)
        day = isinstance(value, date) and not isinstance(value, datetime)
        shown[name] = dict(value) if pairs else value.isoformat() if day else value
    return shown


def show_receipt(receipt: Receipt, given: dict[str, Any], **more: Any) -> None:
    """Say what was acknowledged. `given` are the command's options; `more` are further facts."""
    from . import output

    dry, named = given["dry_run"], {name.replace(" ", "_"): value for name, value in more.items()}
    if given["as_json"]:
        output.print_json({"ok": True, "dry_run": dry, **asdict(receipt), **named})
    elif not given["quiet"]:
        output.show(output.facts([*_facts(receipt, dry), *more.items()]))


def _facts(receipt: Receipt, dry: bool) -> list[tuple[str, Any]]:
    from .output import mwh, plural

    what = DONE[receipt.kind]
    name = f"would be {what}" if dry else "done before" if receipt.repeated else what
    return [
        (name, f"{plural(receipt.certificates, 'certificate')}, {mwh(receipt.energy_wh)} MWh"),
        ("price", money(receipt.price_minor, receipt.currency, "/MWh")),
        ("total", money(receipt.total_minor, receipt.currency)),
        ("entry", f"{receipt.entry:,}, hash {receipt.hash[:16]}..." if receipt.entry else None),
        ("changed", "nothing" if dry or receipt.repeated or not receipt.entry else None),
    ]
