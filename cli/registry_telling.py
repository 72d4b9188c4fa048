"""`gcr info`, `stats`, `history`, `statement`: what there is to know of a registry, a certificate, a retirement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as opt
from . import registry as reg
from .command import Command

if TYPE_CHECKING:
    from gcr_fast.registry import Registry

OWNERS = 20
COUNTS = ("certificates", "hours", "capacity_w")
"""Numbers that are amounts; all others are names."""
NARROW = 14
"""Marks of an energy of which three, with their months, fit into 80 columns."""


@click.command(cls=Command, example="gcr info registry A-1", short_help="What a registry is; what an ID is.")
@reg.folder
@click.argument("id", required=False)
@opt.as_json
def info(registry: Path, id: str | None, as_json: bool) -> None:  # noqa: A002
    """Say what REGISTRY is, or what the certificate or annual certificate ID in it is."""
    from .output import facts, print_json, show

    with reg.opened(registry, read_only=True) as held:
        if id is None:
            found, lines = about(held), [facts(facts_of(about(held)))]
        elif id in held.state.catalogue.place_of:
            found = held.parent(id)
            lines = _parent(found)
        else:
            found = held.certificate(reg.handle_or_id(id))
            lines = [facts(_named(found))]
    print_json(reg.plain(found)) if as_json else show(*lines)


def about(held: Registry) -> dict[str, Any]:
    """Return what a registry says of itself, and how large it is."""
    from gcr_fast.periods import utc_text

    meta, head, catalogue = held.info, held.head(), held.state.catalogue
    return {
        "path": str(held.folder),
        "name": meta["name"],
        "registry_id": meta["registry_id"],
        "created_at": utc_text(int(meta["created_at_s"])),
        "format_version": int(meta["format_version"]),
        **{name: int(meta[name]) if name in meta else None for name in ("transfer_months", "expiry_months")},
        "entries": head.entry,
        "hash": head.hash,
        "parties": len(catalogue.parties.words),
        "parents": len(catalogue),
        "issues": len(catalogue.roots),
        "snapshots": len(held.journal.snapshots()),
        "signatures": len(held.journal.signatures()),
        "bytes": sum(file.stat().st_size for file in held.folder.rglob("*") if file.is_file()),
    }


def facts_of(found: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the same for people."""
    from .output import size_text

    months = {"traded for": found["transfer_months"], "expire after": found["expiry_months"]}
    counts = ("parties", "parents", "issues", "snapshots", "signatures")
    return [
        ("registry", found["path"]),
        ("name", found["name"] or None),
        ("id", found["registry_id"]),
        ("created", found["created_at"]),
        *((name, f"{value} months from production") for name, value in months.items() if value),
        ("entries", f"{found['entries']:,}"),
        ("hash", found["hash"]),
        *((name, f"{found[name]:,}") for name in counts),
        ("size", size_text(found["bytes"])),
    ]


def _named(found: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return facts as they are called, energies in MWh; without what is not known."""
    return [(_called(name), _said(name, value)) for name, value in found.items()]


def _called(name: str) -> str:
    return "interval" if name in ("step_s", "interval_s") else name.removesuffix("_wh").replace("_", " ")


def _said(name: str, value: Any) -> Any:
    from .output import mwh, span

    if name in ("step_s", "interval_s"):
        return span(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        if name == "first_wh" and not value:
            return None  # only a piece begins within its hour
        counted = f"{value:,}" if name in COUNTS else value  # a handle, an entry or a serial number is a name
        return f"{mwh(value)} MWh" if name.endswith("_wh") else counted
    return (", ".join(map(str, value)) if isinstance(value, list) else value) or None


def _parent(found: dict[str, Any]) -> list[Any]:
    from .output import facts, mwh, table

    plain = {name: value for name, value in found.items() if name not in ("by_status", "by_owner")}
    cells = [
        (owner, status, f"{figures['certificates']:,}", mwh(figures["energy_wh"]))
        for owner, several in found["by_owner"].items()
        for status, figures in several.items()
    ]
    columns = ("owner", "status", "hours", "MWh")
    return [facts(_named(plain)), "", table(columns, cells, right=columns[2:])]


# --- the whole


@click.command(cls=Command, example="gcr stats registry", short_help="Figures: energy, statuses, owners, prices.")
@reg.folder
@opt.as_json
def stats(registry: Path, as_json: bool) -> None:
    """Show the figures of REGISTRY: certificates and energy by status, source, owner and month; trades; prices."""
    from .output import print_json, show

    with reg.opened(registry, read_only=True) as held:
        found = held.statistics().to_dict()
    print_json(found) if as_json else show(*figures(found))


def figures(found: dict[str, Any]) -> list[Any]:
    """Return statistics as text."""
    from .output import facts, mwh, plural

    traded, made = found["trading"], found["conversion"]
    parents = f"{found['parents']:,} in {plural(made['issues'], 'issue')}"
    rows = [
        ("annual certificates", f"{parents}, {mwh(made['energy_wh'])} MWh"),
        ("certificates", f"{found['certificates']:,}, {mwh(found['energy_wh'])} MWh"),
        ("residual", f"{mwh(found['residual_wh'])} MWh"),
        ("trades", f"{traded['trades']:,}, {mwh(traded['energy_wh'])} MWh"),
    ]
    for currency, price in found["prices"].items():
        total, average = (reg.priced(price[name], currency) for name in ("total", "average_per_mwh"))
        rows.append((f"in {currency}", f"{price['trades']:,}, {total}, on average {average}/MWh"))
    several = [_statuses(found["by_status"]), _split("source", found["by_source"]), _split("owner", found["by_owner"])]
    return [facts(rows), *(part for one in [*several, _months(found["by_month"])] if one for part in ("", *one))]


def _statuses(found: dict[str, dict[str, int]]) -> list[Any]:
    from .output import mwh, table

    cells = [(name, f"{each['certificates']:,}", mwh(each["energy_wh"])) for name, each in found.items()]
    return [table(("status", "certificates", "MWh"), cells, right=("certificates", "MWh"))] if cells else []


def _sum(several: dict[str, dict[str, int]], what: str) -> int:
    return sum(each[what] for each in several.values())


def _split(name: str, found: dict[str, dict[str, dict[str, int]]]) -> list[Any]:
    """Return a table by source or owner, the largest first."""
    from .output import mwh, table

    ordered = sorted(found, key=lambda word: -_sum(found[word], "energy_wh"))
    cells = [
        (
            word,
            f"{_sum(found[word], 'certificates'):,}",
            mwh(_sum(found[word], "energy_wh")),
            *(mwh(found[word].get(status, {}).get("energy_wh", 0)) for status in ("ACTIVE", "RETIRED")),
        )
        for word in ordered[:OWNERS]
    ]
    columns = (name, "certificates", "MWh", "active MWh", "retired MWh")
    more = [f"... and {len(found) - OWNERS:,} more; --json gives all of them"] if len(found) > OWNERS else []
    return [table(columns, cells, right=columns[1:]), *more] if cells else []


def _months(found: dict[str, dict[str, dict[str, int]]]) -> list[Any]:
    """Return energy by month, three to a line where they fit."""
    from .output import mwh, table

    cells = [(month, mwh(_sum(several, "energy_wh"))) for month, several in found.items()]
    each = 3 if max((len(value) for _, value in cells), default=0) <= NARROW else 2
    lines = [sum(cells[at : at + each], ()) for at in range(0, len(cells), each)]
    columns = [word for at in range(min(each, len(cells))) for word in (f"month{' ' * at}", f"MWh{' ' * at}")]
    return [table(columns, lines, right=columns[1::2], gap=3)] if cells else []


# --- one life


@click.command(
    cls=Command, example="gcr history registry HOURLY-A-1-2020060112", short_help="The life of one certificate."
)
@reg.folder
@click.argument("certificate")
@opt.as_json
def history(registry: Path, certificate: str, as_json: bool) -> None:
    """Show what happened to CERTIFICATE (its id or its handle) of REGISTRY, entry by entry of the journal."""
    from .output import plural, print_json, show, table

    with reg.opened(registry, read_only=True) as held:
        named = reg.handle_or_id(certificate)
        facts, events = held.certificate(named), held.history(named).to_pylist()
    if as_json:
        print_json({"certificate": facts, "history": [reg.plain(event) for event in events]})
        return
    columns = ("entry", "time (UTC)", "what", "from", "to, or why", "Wh", "per MWh")
    now = f"{facts['certificate_id']}: {facts['energy_wh']:,} Wh, {facts['status']}, {facts['owner']}"
    life = table(columns, map(_event, events), right=("entry", "Wh", "per MWh"), whole=("time (UTC)", "what"))
    show(now, "", life, "", plural(len(events), "event"))


def _event(row: dict[str, Any]) -> tuple[Any, ...]:
    price = reg.priced(row["price_per_mwh"], row["currency"])
    when = f"{row['at']:%Y-%m-%d %H:%M}"
    return f"{row['entry']:,}", when, row["kind"], row["from"], row["to"] or _why(row), f"{row['energy_wh']:,}", price


def _why(row: dict[str, Any]) -> str:
    """Return for whom or why something happened, as its entry says."""
    said = dict(row["texts"])
    for_whom = said.get("beneficiary") or said.get("reference")
    return f"for {for_whom}" if for_whom else said.get("reason", "")


@click.command(
    cls=Command, example="gcr statement registry 5 --out retired.html", short_help="The statement of a retirement."
)
@reg.folder
@click.argument("entry", type=int)
@click.option("--out", type=opt.FILE, metavar="FILE", help="Write it: .html to print, .json or .txt.")
@opt.as_json
def statement(registry: Path, entry: int, out: Path | None, as_json: bool) -> None:
    """Show the statement of the retirement in an ENTRY of the journal of REGISTRY."""
    from gcr_fast.registry.statements import statement as told
    from gcr_fast.registry.statements import text

    from .output import print_json

    reg.check_statement_place(out)
    with reg.opened(registry, read_only=True) as held:
        found = told(held, entry)
    if out:
        reg.save_statement(found, out)
    if as_json:
        print_json(found)
    elif out:
        click.echo(f"written {out}")
    else:
        click.echo(text(found).rstrip("\n"))
