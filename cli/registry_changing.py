"""`gcr retire`, `reserve`, `release`, `lock`, `unlock`, `claim`, `expire`, `withdraw`: what ends or holds a life."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gcr_fast.errors import OutputError

from . import options as opt
from . import registry as reg
from .command import Command, options

if TYPE_CHECKING:
    from gcr_fast.registry import Registry
    from gcr_fast.registry.receipts import Receipt

owner = click.option(
    "--owner",
    required=True,
    metavar="NAME",
    help="Whose they are: filters choose among this party's, and each --certificate must be.",
)
which = options(reg.filters, reg.every)
reason = click.option("--reason", default="", metavar="TEXT", help="Why; goes into the journal.")
why = click.option("--reason", required=True, metavar="TEXT", help="Why; goes into the journal.")


def _carry_out(registry: Path, given: dict[str, Any], change: Callable[..., Receipt], **more: Any) -> None:
    """Open the registry, make the change, show the receipt."""
    shown = {name: given.pop(name) for name in ("as_json", "quiet")} | {"dry_run": given["dry_run"]}
    reg.check_findings_place(given.pop("findings_file"))
    with reg.opened(registry) as held:
        receipt = change(held, **given)
        reg.show_receipt(receipt, shown, **more)


def _verb(name: str) -> Callable[..., Receipt]:
    """Return a change by its name as a function of the registry."""

    def change(held: Registry, **given: Any) -> Receipt:
        done: Receipt = getattr(held, name)(**given)
        return done

    return change


@click.command(
    cls=Command,
    example="gcr reserve registry --owner Ada --parent A-1 --end 2020-02-01",
    short_help="Keep certificates for later.",
)
@reg.folder
@owner
@which
@reg.wh
@reg.order
@reason
@reg.ending
def reserve(registry: Path, **given: Any) -> None:
    """Reserve certificates of REGISTRY for something that is still to come; they cannot be traded."""
    _carry_out(registry, {"selection": reg.selected(given, "owner"), **given}, _verb("reserve"))


@click.command(
    cls=Command,
    example="gcr release registry --owner Ada --parent A-1",
    short_help="Make reserved ones active again.",
)
@reg.folder
@owner
@which
@reason
@reg.ending
def release(registry: Path, **given: Any) -> None:
    """Make reserved certificates of REGISTRY active again."""
    _carry_out(registry, {"selection": reg.selected(given, "owner", status="RESERVED"), **given}, _verb("release"))


@click.command(
    cls=Command,
    example="gcr lock registry --parent A-2 --reason 'meter under review'",
    short_help="Stop certificates, as the registry.",
)
@reg.folder
@reg.owner_filter
@which
@why
@reg.ending
def lock(registry: Path, **given: Any) -> None:
    """Stop certificates of REGISTRY: until they are unlocked, nobody can use them."""
    _carry_out(registry, {"selection": reg.selected(given), **given}, _verb("lock"))


@click.command(
    cls=Command,
    example="gcr unlock registry --parent A-2 --reason 'meter found right'",
    short_help="Undo a lock.",
)
@reg.folder
@reg.owner_filter
@which
@why
@reg.ending
def unlock(registry: Path, **given: Any) -> None:
    """Give locked certificates of REGISTRY their former status back."""
    _carry_out(registry, {"selection": reg.selected(given, status="LOCKED"), **given}, _verb("unlock"))


@click.command(
    cls=Command,
    example="gcr retire registry --owner Ada --all --beneficiary Green --statement r.html",
    short_help="Retire certificates for a beneficiary.",
)
@reg.folder
@owner
@click.option("--beneficiary", required=True, metavar="NAME", help="For whom they are used.")
@click.option("--purpose", default="", metavar="TEXT", help="For what.")
@click.option("--period", default="", metavar="TEXT", help="The consumption period, as the statement shall name it.")
@which
@reg.wh
@reg.order
@click.option(
    "--statement", type=opt.FILE, metavar="FILE", help="Write the retirement statement: .html to print, .json or .txt."
)
@reg.ending
def retire(registry: Path, statement: Path | None, **given: Any) -> None:
    """Retire certificates of REGISTRY, finally, for a named beneficiary."""
    reg.check_statement_place(statement)
    if statement and given["dry_run"]:
        raise click.UsageError("a dry run has no statement")

    def change(held: Registry, **how: Any) -> Receipt:
        from gcr_fast.registry.statements import statement as told

        receipt = held.retire(**how)
        if statement:
            try:
                reg.save_statement(told(held, receipt.entry), statement)
            except OutputError as error:
                raise OutputError(f"entry {receipt.entry} is done, but has no statement yet: {error}") from error
        return receipt

    more = {"statement": str(statement)} if statement else {}
    _carry_out(registry, {"selection": reg.selected(given, "owner"), **given}, change, **more)


@click.command(
    cls=Command,
    example="gcr claim registry --owner Ada --parent A-1 --reference 'meter 7'",
    short_help="Use retired certificates for consumption.",
)
@reg.folder
@owner
@click.option("--reference", required=True, metavar="TEXT", help="The consumption, such as a meter.")
@click.option("--zone", default="", metavar="CC", help="Its country; certificates of another are refused.")
@click.option(
    "--consumption",
    type=opt.FILE,
    metavar="FILE",
    help="What it used hour by hour (a profile file), at most.",
)
@which
@reg.ending
def claim(registry: Path, consumption: Path | None, **given: Any) -> None:
    """Claim retired certificates of REGISTRY against consumption in the same hours; each hour once."""
    given["consumption"] = None if consumption is None else _used(consumption)
    _carry_out(registry, {"selection": reg.selected(given, "owner", status="RETIRED"), **given}, _verb("claim"))


def _used(file: Path) -> Any:
    """Read the hours of one meter as a table (start, energy_wh)."""
    from gcr_fast.errors import UsageError

    from .loading import load_profiles

    meters = load_profiles([file], zone=None, unit=None, label=None)
    meters.findings.check()
    if len(meters) != 1 or not all(meter.is_energy for meter in meters.values()):
        raise UsageError(f"{file} must hold one series of energy, with its unit in the column's name: start,energy_wh")
    return meters.to_table().select(["start", "energy_wh"])


@click.command(
    cls=Command, example="gcr expire registry --now 2022-01-01 --months 18", short_help="End lives that are over."
)
@reg.folder
@click.option("--now", metavar="TIME", help="As if it were this time.")
@click.option(
    "--months", type=click.IntRange(min=1), metavar="N", help="After so many months; by default as the registry has it."
)
@reg.owner_filter
@reg.filters
@reg.ending
def expire(registry: Path, **given: Any) -> None:
    """End the life of certificates of REGISTRY that are too old: of all, or of those that filters choose."""
    _carry_out(registry, {"selection": reg.chosen(given) or None, **given}, _verb("expire"))


@click.command(
    cls=Command,
    example="gcr withdraw registry --parent A-2 --reason 'issued in error'",
    short_help="Take certificates back.",
)
@reg.folder
@reg.owner_filter
@which
@why
@click.option("--compensation", default="", metavar="TEXT", help="How retired ones are made good; they need it.")
@reg.ending
def withdraw(registry: Path, **given: Any) -> None:
    """Take certificates of REGISTRY back, as the registry."""
    _carry_out(registry, {"selection": reg.selected(given), **given}, _verb("withdraw"))


CHANGES = (retire, reserve, release, lock, unlock, claim, expire, withdraw)
