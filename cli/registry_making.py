"""`gcr init`, `issue`, `parties`: a registry, what is in it, and who may hold it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as opt
from . import registry as reg
from .command import Command, Group
from .convert import default_profile, spreading

if TYPE_CHECKING:
    from gcr_fast.findings import Findings
    from gcr_fast.registry import Registry
    from gcr_fast.registry.receipts import Receipt

MONTHS = click.IntRange(min=1)


@click.command(
    cls=Command, example="gcr init registry --name 'My registry' --expiry-months 18", short_help="Make a registry."
)
@reg.folder
@click.option("--name", default="", metavar="TEXT", help="What it is called.")
@click.option("--transfer-months", type=MONTHS, metavar="N", help="Nothing is traded so many months after production.")
@click.option("--expiry-months", type=MONTHS, metavar="N", help="Certificates expire so many months after production.")
@opt.as_json
def init(registry: Path, as_json: bool, **given: Any) -> None:
    """Make an empty registry in the new or empty folder REGISTRY."""
    from gcr_fast.registry import Registry

    from . import output
    from .registry_telling import about, facts_of

    with Registry.create(registry, **given) as made:
        if as_json:
            output.print_json({"ok": True, **about(made)})
        else:
            output.show(output.facts(facts_of(about(made))))


@click.command(
    cls=Command,
    example="gcr issue registry annual.csv --profiles shipped --create-parties",
    short_help="Convert and issue annual certificates.",
)
@reg.folder
@click.argument("annual", type=opt.FILE)
@opt.profiles
@spreading
@opt.allow_estimated
@opt.margin
@opt.inputs
@opt.threads
@reg.create_parties
@reg.ending
def issue(registry: Path, annual: Path, findings_file: Path | None, **given: Any) -> None:
    """Convert the cancelled ANNUAL certificates and issue their hours into REGISTRY.

    ANNUAL and --profiles may be other people's files, as `gcr convert` takes them; --findings names the rows of a list
    that are left out. As a whole or not at all: if any certificate was converted before, exceeds what its meter has
    left, or is wrong in any other way, all of it is listed and nothing is issued.
    """
    from .files import check_places, check_table_places, save_table
    from .loading import Inputs, files_of, load
    from .told import told_by

    inputs, files = Inputs.taken_from(given), given.pop("profile_files")
    check_table_places(findings_file)
    check_places(files_of(annual, files, inputs), [findings_file])
    shown = {name: given.pop(name) for name in ("as_json", "quiet")} | {"dry_run": given["dry_run"]}
    given["profile"] = default_profile(files, given["profile"], given.pop("profile_from_total"))
    with reg.opened(registry) as held:
        certificates, profiles = load(annual, files, given["profile"], inputs)
        receipt, told = _issue(held, certificates, profiles, shown, given), told_by(certificates, profiles)
    if findings_file:
        save_table(told.to_table(), findings_file)
    _show(receipt, told, shown)


def _issue(held: Registry, certificates: Any, profiles: Any, shown: dict[str, Any], given: dict[str, Any]) -> Receipt:
    from .progress import progress

    with progress("issuing", len(certificates), off=shown["quiet"] or shown["as_json"]) as advance:
        return held.issue(certificates, profiles, progress=advance, **given)


def _show(receipt: Receipt, told: Findings, shown: dict[str, Any]) -> None:
    """Show the receipt, and what the reading of the files left out and assumed."""
    from .output import facts, show
    from .told import left_out, left_out_counts, notes

    said = {"left_out": left_out_counts(told), "findings": told.to_table().to_pylist()}
    more = said if shown["as_json"] else {}
    reg.show_receipt(receipt, shown, **more)
    if not shown["as_json"] and not shown["quiet"]:
        rows = left_out(told)
        show(*([facts(rows)] if rows else []), *notes(told))


@click.group(cls=Group)
def parties() -> None:
    """List and add the parties of a registry."""


@parties.command("list", example="gcr parties list registry")
@reg.folder
@opt.as_json
def list_parties(registry: Path, as_json: bool) -> None:
    """List the parties of REGISTRY, by the number that each has for good, and what it holds."""
    from . import output

    with reg.opened(registry, read_only=True) as held:
        rows = _holdings(held)
    if as_json:
        output.print_json(rows)
        return
    columns = ("code", "party", "certificates", "MWh", "active", "active MWh")
    figures = ("certificates", "energy_wh", "active", "active_wh")
    cells = [(str(row["code"]), row["party"], *(_figure(name, row[name]) for name in figures)) for row in rows]
    output.show(
        output.table(columns, cells, right=("code", *columns[2:])), output.plural(len(rows), "party", "parties")
    )


def _figure(name: str, value: int) -> str:
    from .output import mwh

    return mwh(value) if name.endswith("_wh") else f"{value:,}"


def _holdings(held: Registry) -> list[dict[str, Any]]:
    """Return what each party holds, in the order in which they came: sums that the registry keeps."""
    sums, rows = held.statistics().by_owner(), []
    for code, name in enumerate(held.state.catalogue.parties.words, start=1):
        held_by = sums.get(name, {})
        active = held_by.get("ACTIVE", {})
        row: dict[str, Any] = {"code": code, "party": name}
        row |= {what: sum(each[what] for each in held_by.values()) for what in ("certificates", "energy_wh")}
        row |= {"active": active.get("certificates", 0), "active_wh": active.get("energy_wh", 0)}
        rows.append(row)
    return rows


@parties.command("add", example="gcr parties add registry Carol 'Blue Wind Ltd'")
@reg.folder
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--actor", metavar="NAME", default="", help="Who asks for it; goes into the journal.")
@opt.as_json
def add_parties(registry: Path, names: tuple[str, ...], actor: str, as_json: bool) -> None:
    """Add parties to REGISTRY; those that are there already are left as they are."""
    from . import output

    with reg.opened(registry) as held, held.group():
        receipts = {name: held.add_party(name, actor=actor) for name in names}
    rows = [{"party": name, "entry": got.entry, "repeated": got.repeated} for name, got in receipts.items()]
    if as_json:
        output.print_json({"ok": True, "parties": rows})
        return
    cells = [(row["party"], f"{row['entry']:,}", "was there" if row["repeated"] else "added") for row in rows]
    output.show(output.table(("party", "entry", ""), cells, right=("entry",)))
