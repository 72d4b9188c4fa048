"""`gcr query`: certificates of a registry, their number and energy, or groups of them, as text, JSON or a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as opt
from . import registry as reg
from .command import Command

if TYPE_CHECKING:
    from gcr_fast.exchange.writing import Written
    from gcr_fast.registry.results import Result

GROUPS = ("owner", "source_type", "status", "device", "country", "hour_of_day", "day", "month", "year")
"""As `gcr_fast.registry.results.GROUPS`, which is not imported here because it loads NumPy."""
SHOWN = 20
COLUMNS = {
    "certificate": "certificate_id", "Wh": "energy_wh", "source": "source_type", "status": "status", "owner": "owner"
}  # fmt: skip
"""What a row shows, by its heading."""
SPARE = "source"
"""Left out where ids would be broken otherwise."""
UNKNOWN = "not stated"


@click.command(
    cls=Command,
    example="gcr query registry --owner Ada --start 2020-06-01 --hour-of-day 12",
    short_help="Find certificates.",
)
@reg.folder
@reg.owner_filter
@reg.filters
@click.option("--as-of", type=click.IntRange(min=1), metavar="ENTRY", help="As it was after this entry of the journal.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help=f"At most N rows; {SHOWN} in text, else all.")
@click.option("--after", type=click.IntRange(min=0), metavar="HANDLE", help="Rows after this one: the next page.")
@click.option(
    "--group-by",
    type=click.Choice(GROUPS),
    multiple=True,
    metavar="NAME",
    help=f"Sums, not rows, by {', '.join(GROUPS[:-1])} or year; may be repeated.",
)
@click.option("--out", type=opt.FILE, metavar="FILE", help="Write all rows to a .parquet, .arrow or .csv file.")
@click.option("--certificate-ids", is_flag=True, help="Add the column certificate_id to JSON and FILE.")
@opt.as_json
def query(registry: Path, out: Path | None, group_by: tuple[str, ...], **given: Any) -> None:
    """Find certificates of REGISTRY: all filters that are given must hold. In order of parent and time."""
    check_rows_place(out)
    if group_by and (given["limit"] is not None or given["after"] is not None):
        raise click.UsageError("--limit and --after are for rows, not for --group-by")
    wanted = reg.chosen(given) | {"as_of": given.pop("as_of")}
    with reg.opened(registry, read_only=True) as held:

        def ask(limit: int | None = None, after: int | None = None) -> Result:
            return held.query(limit=limit, after=after, **wanted)

        if group_by:
            _sums(ask(), group_by, out, given["as_json"])
        elif out:
            _save(ask(given["limit"] or None, given["after"]), out, given)
        elif given["as_json"]:
            _print(ask, given)
        else:
            _show(ask, given)


def check_rows_place(place: Path | None) -> None:
    """Refuse, before any work is done, a file of rows that could not be written."""
    from .files import ROW_SUFFIXES, check_places

    if place is not None and place.suffix.lower() not in ROW_SUFFIXES:
        raise click.UsageError(f"{place}: the name must end in {', '.join(ROW_SUFFIXES)}")
    check_places([], [place])


def _sums(result: Result, names: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    from .files import save_table
    from .output import mwh, plural, print_json, show, table

    groups = result.group_by(*names)
    if out:
        save_table(groups, out)
    if as_json:
        print_json({"groups": groups.to_pylist()} | ({"path": out} if out else {}))
        return
    if out:
        show(f"{plural(groups.num_rows, 'group')} in {out}")
        return
    cells = [
        (*(_named(row[name]) for name in names), f"{row['certificates']:,}", mwh(row["energy_wh"]))
        for row in groups.to_pylist()
    ]
    columns = (*(name.replace("_", " ") for name in names), "certificates", "MWh")
    show(table(columns, cells, right=columns[-2:]), plural(len(cells), "group"))


def _named(key: Any) -> Any:
    return UNKNOWN if key is None else key


def _save(result: Result, out: Path, given: dict[str, Any]) -> None:
    from gcr_fast.exchange.streams import write_stream

    ids = given["certificate_ids"]
    show_written(write_stream(out, result.schema(ids), result.batches(ids)), "certificates", given["as_json"])


def show_written(written: Written, what: str, as_json: bool) -> None:
    """Say what a file now holds."""
    from .output import facts, print_json, show, size_text

    if as_json:
        print_json({"ok": True, "path": written.path, "rows": written.rows, "bytes": written.bytes})
    else:
        show(facts([("written", written.path), (what, f"{written.rows:,}"), ("size", size_text(written.bytes))]))


def _page(ask: Callable[..., Result], limit: int, after: int | None, ids: bool) -> tuple[list[dict[str, Any]], Any]:
    """Return so many rows, and what to give as --after for those behind them, None at the end."""
    if not limit:
        return [], None
    rows = ask(limit + 1, after).to_table(certificate_ids=ids).to_pylist()
    return rows[:limit], rows[limit - 1]["certificate"] if len(rows) > limit else None


def _print(ask: Callable[..., Result], given: dict[str, Any]) -> None:
    """Print JSON; without a limit the rows stream through, however many there are."""
    from .output import print_json_rows

    ids, whole = given["certificate_ids"], ask()
    head: dict[str, Any] = {"certificates": whole.count, "energy_wh": whole.energy_wh}
    if given["limit"] is None:
        batches = ask(None, given["after"]).batches(ids)
        print_json_rows({**head, "next": None}, (batch.to_pylist() for batch in batches))
    else:
        rows, after = _page(ask, given["limit"], given["after"], ids)
        print_json_rows({**head, "next": after}, [rows])


def _show(ask: Callable[..., Result], given: dict[str, Any]) -> None:
    from .output import mwh, plural, show

    limit = SHOWN if given["limit"] is None else given["limit"]
    rows, after = _page(ask, limit, given["after"], ids=True)
    whole = ask()
    more = f"; {len(rows)} shown, next: --after {after}" if after is not None else ""
    found = f"{plural(whole.count, 'certificate')}, {mwh(whole.energy_wh)} MWh{more}"
    show(*([_listing(rows), ""] if rows else []), found)


def _listing(rows: list[dict[str, Any]]) -> Any:
    """Return certificates as a table; ids are only broken where they do not even fit without a column."""
    from .output import console, table

    for columns in (tuple(COLUMNS), tuple(name for name in COLUMNS if name != SPARE)):
        cells = [tuple(_cell(row[COLUMNS[name]]) for name in columns) for row in rows]
        need = sum(1 + max(map(len, column)) for column in zip(columns, *cells, strict=True))
        if fits := need <= console().width + 1:
            break
    return table(columns, cells, right=("Wh",), whole=columns if fits else ())


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
