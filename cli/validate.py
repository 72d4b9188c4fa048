"""`gcr validate`: hourly certificates against their annual ones, ours or anyone's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as opt
from .command import Command

if TYPE_CHECKING:
    from gcr_fast.report import Report

    from .loading import Inputs

EXAMPLE = "gcr validate hourly.parquet --annual annual.csv --profiles shipped"


@click.command(cls=Command, example=EXAMPLE, short_help="Check hourly certificates.")
@click.argument("hourly", type=opt.FILE)
@click.option("--annual", type=opt.FILE, required=True, metavar="FILE", help="Their annual certificates.")
@opt.profiles
@click.option("--tolerance-wh", type=click.IntRange(min=0), default=0, show_default=True, help="Allowed per parent.")
@opt.margin
@click.option("--profile", metavar="NAME", help="As --profile of the conversion; our files, CSV aside, carry it.")
@click.option(
    "--unit-wh",
    type=click.Choice(list(opt.UNIT_SIZES), case_sensitive=False),
    callback=lambda ctx, param, value: None if value is None else opt.UNIT_WORDS[value.lower()],
    help="Size of a certificate, as in the conversion; our files, CSV aside, carry it.",
)
@opt.allow_estimated
@opt.inputs
@opt.findings
@opt.as_json
@click.pass_context
def validate(ctx: click.Context, /, hourly: Path, findings_file: Path | None, as_json: bool, **given: Any) -> None:
    """Check HOURLY certificates: totals, hours, doubles, sources, status, capacity.

    HOURLY is a file or a folder of parts. The annual certificates and --profiles may be other people's files, as
    `gcr convert` takes them. Hourly times that name no zone are local to --zone; the order of rows tells apart what
    comes twice in autumn. With --profiles also that each hour is the floor or the ceiling of its share. Exit code 1 if
    anything is in error.
    """
    from .files import check_places, check_table_places, save_table
    from .loading import Inputs, files_of
    from .output import print_json, show

    inputs = Inputs.taken_from(given)
    check_table_places(findings_file)
    check_places([hourly, *files_of(given["annual"], given["profile_files"], inputs)], [findings_file])
    report = run(hourly, inputs=inputs, **given)
    if findings_file:
        save_table(report.findings, findings_file)
    if as_json:
        print_json(document(report))
    else:
        show(*summary(report))
    ctx.exit(0 if report.ok else 1)


def run(
    hourly: Path,
    annual: Path,
    profile_files: tuple[str, ...] = (),
    tolerance_wh: int = 0,
    capacity_margin: str = "1.1",
    profile: str | None = None,
    unit_wh: int | None = None,
    allow_estimated: bool = False,
    inputs: Inputs | None = None,
) -> Report:
    """Load and validate."""
    from gcr_fast import validate as check

    from .loading import load
    from .progress import progress

    certificates, profiles = load(annual, profile_files, profile, inputs)
    with progress("checking", None) as advance:
        return check(
            certificates,
            hourly,
            profiles if profile_files else None,
            tolerance_wh=tolerance_wh,
            capacity_margin=capacity_margin,
            zone=inputs.zone if inputs else None,
            profile=profile,
            unit_wh=unit_wh,
            allow_estimated=allow_estimated,
            progress=advance,
        )


def document(report: Report) -> dict[str, Any]:
    """Return the verdict for JSON."""
    return {
        "ok": report.ok,
        "checks": [check.__dict__ for check in report.checks],
        "totals": report.totals,
        "findings": report.findings.to_pylist(),
    }


def summary(report: Report) -> list[Any]:
    """Return the checks, the totals, and the first findings."""
    from .output import COLOURS, facts, finding_lines, mwh, plural, table

    rows = [(check.name, (check.outcome, COLOURS[check.outcome]), check.detail) for check in report.checks]
    totals = [
        (name.removesuffix("_wh").replace("_", " "), f"{mwh(value)} MWh" if name.endswith("_wh") else f"{value:,}")
        for name, value in report.totals.items()
    ]
    verdict = "valid" if report.ok else f"not valid: {plural(len(report.collected.of('error')), 'error')}"
    found = list(finding_lines(report.collected))
    return [
        table(("check", "outcome", "detail"), rows),
        "",
        facts(totals),
        "",
        *found,
        *([""] if found else []),
        verdict,
    ]
