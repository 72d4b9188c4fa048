"""`gcr trade` and `gcr trades`: one trade, a table of them, and what was traded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as opt
from . import registry as reg
from .command import Command

if TYPE_CHECKING:
    import pyarrow as pa

    from gcr_fast.findings import Findings

LATEST = 20
ONE_BY_ONE = ("seller", "buyer", "price", "currency", "wh", "key", "every", *reg.FILTERS)
"""What a table of trades says itself."""


@click.command(
    cls=Command,
    example="gcr trade registry --seller Ada --buyer Bob --all --price 45 --currency EUR",
    short_help="Trade certificates: one trade, or a table.",
)
@reg.folder
@click.option("--seller", metavar="NAME", help="Whose they are: filters choose among this party's certificates.")
@click.option("--buyer", metavar="NAME", help="Who gets them.")
@click.option("--price", metavar="X", help="Per MWh, such as 45.50; 0 is a price.")
@click.option("--currency", metavar="CODE", help="Of the price: EUR, JPY, ...")
@reg.filters
@reg.every
@reg.wh
@reg.order
@click.option(
    "--table", type=opt.FILE, metavar="FILE", help="A trade per row: certificate_id, seller, buyer, price, ..."
)
@click.option("--atomic/--each", default=True, help="All rows of the table or none (so by default); or each by itself.")
@click.option("--results", type=opt.FILE, metavar="FILE", help="Write what became of each row: .csv, .parquet, ...")
@reg.create_parties
@reg.ending
@click.pass_context
def trade(ctx: click.Context, /, registry: Path, findings_file: Path | None, **given: Any) -> None:
    """Trade certificates of REGISTRY from one party to another, all or nothing.

    With --table FILE many trades, in order: later ones may sell what earlier ones bought. Its columns are seller,
    buyer, one of certificate_id, certificate and parent_certificate_id (with start, end), and perhaps wh, price,
    currency, key.
    """
    reg.check_findings_place(findings_file)
    if given["table"]:
        ctx.exit(_many(ctx, registry, findings_file, given))
    if given["results"] or not given.pop("atomic"):
        raise click.UsageError("--results and --each are for --table")
    if not given["seller"] or not given["buyer"]:
        raise click.UsageError("name --seller and --buyer, or a --table of trades")
    for name in ("table", "results"):
        given.pop(name)
    shown = {name: given.pop(name) for name in ("as_json", "quiet")} | {"dry_run": given["dry_run"]}
    selection = reg.selected(given, "seller")
    with reg.opened(registry) as held:
        reg.show_receipt(held.trade(selection, **given), shown)


# --- a table of trades


def _many(ctx: click.Context, registry: Path, findings_file: Path | None, given: dict[str, Any]) -> int:
    """Make the trades of a table; return the exit code."""
    from .files import check_places, check_table_places, save_table

    said = [name for name in ONE_BY_ONE if given.get(name) not in (None, (), "", False)]
    if said:
        raise click.UsageError(f"--{said[0].replace('_', '-')} is not for --table, whose rows say it")
    check_table_places(given["results"])
    check_places([given["table"]], [given["results"], findings_file])
    orders = _read(given["table"])
    with reg.opened(registry) as held:
        how = {name: given[name] for name in ("atomic", "create_parties", "actor", "dry_run")}
        results = held.trade_many(orders, **how)
    findings = _findings(results)
    if given["results"]:
        save_table(results, given["results"])
    if findings_file:
        save_table(findings.to_table(), findings_file)
    _show_many(results, findings, given)
    return 0 if findings.ok else 1


def _read(file: Path) -> pa.Table:
    """Read a table; empty cells of a CSV are nothing, and its handles numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from gcr_fast.errors import UsageError
    from gcr_fast.exchange.reading import read_table

    table = read_table(file).table
    for at, name in enumerate(table.column_names):
        if pa.types.is_string(table[name].type):
            column = pc.utf8_trim_whitespace(table[name])
            column = pc.if_else(pc.equal(column, ""), None, column)
            try:
                column = column.cast(pa.int64()) if name == "certificate" else column
            except pa.ArrowInvalid as error:
                raise UsageError(f"{file}: the column certificate holds handles; name ids certificate_id") from error
            table = table.set_column(at, name, column)
    return table


def _findings(results: pa.Table) -> Findings:
    from gcr_fast.findings import Finding, Findings

    bad = [row for row in results.to_pylist() if row["status"] == "refused"]
    return Findings([Finding(row["code"], row["message"], row=row["row"]) for row in bad])


def _show_many(results: pa.Table, findings: Findings, given: dict[str, Any]) -> None:
    from .output import facts, finding_lines, mwh, print_json, show

    statuses, energy = results["status"].to_pylist(), results["energy_wh"].to_pylist()
    counts = {name: statuses.count(name) for name in ("done", "repeated", "refused")}
    wh = sum(one or 0 for one, status in zip(energy, statuses, strict=True) if status == "done")
    if given["as_json"]:
        figures = {"dry_run": given["dry_run"], **counts, "energy_wh": wh}
        print_json({"ok": findings.ok, **figures, "results": results.to_pylist()})
    elif not given["quiet"]:
        rows: list[tuple[str, Any]] = [("trades", f"{len(statuses):,}")]
        shown = {"done": "would be done"} if given["dry_run"] else {}
        rows += [(shown.get(name, name), f"{count:,}") for name, count in counts.items() if count]
        found = list(finding_lines(findings))
        rows += [("energy", f"{mwh(wh)} MWh"), ("results", given["results"])]
        show(facts(rows), *([""] if found else []), *found)


# --- what was traded


@click.command(cls=Command, example="gcr trades registry --owner Bob", short_help="List trades, or show one.")
@reg.folder
@click.argument("entry", type=int, required=False)
@click.option("--owner", metavar="NAME", help="Only what this party sold or bought.")
@reg.start("Made from this time on.")
@reg.end("Made before this time.")
@click.option("--parent", metavar="ID", help="Only of hours of this annual certificate.")
@click.option("--certificate", metavar="ID", help="Only of this certificate.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help=f"The last N; {LATEST} in text, else all.")
@click.option("--stats", is_flag=True, help="Sums by day and currency instead: number, energy, value, average price.")
@opt.as_json
def trades(registry: Path, entry: int | None, limit: int | None, stats: bool, as_json: bool, **given: Any) -> None:
    """List the trades of REGISTRY, or show the one of an ENTRY of the journal."""
    from .output import print_json, show

    one, wanted = given.pop("certificate"), {name: value for name, value in given.items() if value is not None}
    if sum((entry is not None, one is not None, stats, bool(wanted))) > 1:
        raise click.UsageError("ENTRY, --certificate, --stats and the filters do not combine")
    with reg.opened(registry, read_only=True) as held:
        if entry is not None:
            found = held.get_trade(entry)
            print_json(found) if as_json else show(*_one(found))
            return
        table = _asked(held, one, stats, wanted)
    total = table.num_rows
    rows = table.slice(max(0, total - (limit or (total if as_json else LATEST)))).to_pylist()
    if as_json:
        print_json([reg.plain(row) for row in rows])
    else:
        show(*(_days(rows, total) if stats else _listing(rows, total)))


def _asked(held: Any, certificate: str | None, stats: bool, wanted: dict[str, Any]) -> Any:
    if certificate is not None:
        return held.trade_history(reg.handle_or_id(certificate))
    return held.trade_statistics() if stats else held.trades(**wanted)


def _listing(rows: list[dict[str, Any]], total: int) -> list[Any]:
    from .output import mwh, plural, table

    cells = [
        (
            f"{row['entry']:,}",
            f"{row['at']:%Y-%m-%d %H:%M}",
            row.get("seller", row.get("from")),
            row.get("buyer", row.get("to")),
            f"{row.get('certificates', 1):,}",
            mwh(row["energy_wh"]),
            reg.priced(row["price_per_mwh"], row["currency"]),
        )
        for row in rows
    ]
    columns = ("entry", "time (UTC)", "seller", "buyer", "hours", "MWh", "per MWh")
    counted = plural(total, "trade") + (f"; the last {len(rows)} shown" if len(rows) < total else "")
    return [*([table(columns, cells, right=("entry", "hours", "MWh", "per MWh")), ""] if cells else []), counted]


def _days(rows: list[dict[str, Any]], total: int) -> list[Any]:
    from .output import mwh, plural, table

    cells = [
        (
            f"{row['day']}",
            f"{row['trades']:,}",
            f"{row['certificates']:,}",
            mwh(row["energy_wh"]),
            reg.priced(row["total"], row["currency"]),
            reg.priced(row["average_per_mwh"], row["currency"]),
        )
        for row in rows
    ]
    columns = ("day", "trades", "hours", "MWh", "value", "per MWh")
    counted = plural(total, "line") + (f"; the last {len(rows)} shown" if len(rows) < total else "")
    return [*([table(columns, cells, right=columns[1:]), ""] if cells else []), counted]


def _one(found: dict[str, Any]) -> list[Any]:
    from .output import facts, mwh

    ids = found["certificate_ids"] or []
    more = f", ... {found['certificates'] - 3:,} more" if found["certificates"] > 3 else ""
    rows = [
        ("entry", f"{found['entry']:,}"),
        ("time", found["at"]),
        ("seller", found["seller"]),
        ("buyer", found["buyer"]),
        ("hours", f"{found['certificates']:,}, {mwh(found['energy_wh'])} MWh"),
        ("of", ", ".join(found["parent_certificate_ids"])),
        ("certificates", ", ".join(ids[:3]) + more if ids else None),
        ("price", reg.priced(found["price_per_mwh"], found["currency"], "/MWh")),
        ("total", reg.priced(found["total"], found["currency"])),
        ("actor", found["actor"] or None),
        ("key", found["key"] or None),
        ("hash", found["hash"]),
    ]
    return [facts(rows)]
