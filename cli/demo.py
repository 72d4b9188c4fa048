"""`gcr demo`: the main job on the data that ships, then a life in a registry, with the commands that do the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as opt
from .command import Command

if TYPE_CHECKING:
    from gcr_fast.report import Report

    from .convert import Result
    from .demo_registry import Life

YEARS = ("2019", "2020")
"""As `gcr_fast.shipped.shipped_years`, known here so that the help need not read the manifest."""


@click.command(cls=Command, example="gcr demo --out gcr-demo", short_help="Convert, issue, trade, retire what ships.")
@click.option(
    "--out",
    type=opt.FILE,
    default=Path("gcr-demo"),
    show_default=True,
    metavar="DIR",
    help="Where to write; results of an earlier demo there are replaced.",
)
@click.option("--year", type=click.Choice(YEARS), help="Only this year's certificates.")
@opt.as_json
@opt.quiet
@click.pass_context
def demo(ctx: click.Context, out: Path, year: str | None, as_json: bool, quiet: bool) -> None:
    """Convert and validate the demo certificates over real national profiles, then issue, trade, retire and verify.

    Writes the certificates (CSV), their hours (Parquet) of 2019 and 2020, and a registry with all of them into the
    folder DIR, and shows the commands that do the same.
    """
    from .demo_registry import live
    from .output import print_json, show

    years = [year] if year else list(YEARS)
    runs = [_run(out, int(each), as_json or quiet) for each in years]
    life = live(out, [result for result, _ in runs], as_json or quiet)
    if as_json:
        print_json(_document(runs) | {"registry": life.document()})
    elif not quiet:
        show(*_summary(out, years, runs, life))
    ctx.exit(0 if all(report.ok for _, report in runs) and life.audit.ok else 1)


def _run(folder: Path, year: int, silent: bool) -> tuple[Result, Report]:
    from gcr_fast import validate
    from gcr_fast.shipped import annual_path

    from .convert import run
    from .files import save_bytes

    _make(folder)
    annual, hourly = folder / f"certificates-{year}.csv", folder / f"hourly-{year}.parquet"
    save_bytes(annual_path(year).read_bytes(), annual)
    result = run(annual, hourly, (opt.SHIPPED,), quiet=silent)
    return result, validate(result.annual, hourly, result.profiles)


def _make(folder: Path) -> None:
    from gcr_fast.errors import OutputError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror or error}") from error


def _document(runs: list[tuple[Result, Report]]) -> dict[str, Any]:
    from . import convert, validate

    return {
        "ok": all(report.ok for _, report in runs),
        "conversions": [convert.document(result) for result, _ in runs],
        "validations": [validate.document(report) for _, report in runs],
    }


def _summary(folder: Path, years: list[str], runs: list[tuple[Result, Report]], life: Life) -> list[Any]:
    """Return what was done, a picture, and how to do it by hand."""
    from gcr_fast.shipped import attribution

    from .output import facts, mwh

    totals = [result.conversion.report.totals for result, _ in runs]
    hours, seconds = sum(r.written.rows for r, _ in runs), sum(r.seconds for r, _ in runs)
    size = sum(result.written.bytes for result, _ in runs)
    outcomes = Counter(check.outcome for _, report in runs for check in report.checks)
    rows = [
        ("profiles", attribution()),
        ("annual certificates", f"{sum(t['parents'] for t in totals):,} made-up ones, over real profiles"),
        ("hourly certificates", f"{hours:,}, {size / hours:.1f} bytes each"),
        ("energy in", f"{mwh(sum(t['energy_wh'] for t in totals))} MWh"),
        ("energy out", f"{mwh(sum(t['issued_wh'] for t in totals))} MWh"),
        ("checks", ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())),
        ("time", f"{seconds:.2f} s to read, convert and write; {hours / seconds:,.0f} certificates/s"),
    ]
    return [facts(rows), "", *life.summary(), "", *_picture(years[-1]), "", *_commands(folder, years[-1], life)]


def _picture(year: str) -> list[Any]:
    from gcr_fast.pictures import terminal_heat_map
    from gcr_fast.shipped import shipped_profiles

    from .output import console, picture_width, shows_colours

    screen, name = console(), f"AT-{year}-solar"
    profile = shipped_profiles([name])[name]
    return [name, terminal_heat_map(profile, min(picture_width(screen), 80), "Europe/Vienna", shows_colours(screen))]


def _commands(folder: Path, year: str, life: Life) -> list[Any]:
    """Return what the user can type next, unbroken, so that it can be copied."""
    from rich.text import Text

    annual, hourly = folder / f"certificates-{year}.csv", folder / f"hourly-{year}.parquet"
    lines = (
        "The same by hand:",
        f"  gcr convert {annual} --profiles shipped \\",
        f"    --out {hourly}",
        f"  gcr validate {hourly} --profiles shipped \\",
        f"    --annual {annual}",
        f"  gcr profiles show AT-{year}-solar --zone Europe/Vienna",
        *life.commands(annual),
        "With DuckDB:",
        '  duckdb -c "SELECT source_type, sum(energy_wh) / 1e6 AS mwh',
        f"    FROM '{hourly}' GROUP BY 1 ORDER BY 2 DESC\"",
    )
    return [Text(line, no_wrap=True) for line in lines]
