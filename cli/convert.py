"""`gcr convert`: annual certificates in, hourly ones out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gcr_fast.codes import METHODS

from . import options as opt
from .command import Command, options

if TYPE_CHECKING:
    from gcr_fast.annual import Annual
    from gcr_fast.exchange.writing import Written
    from gcr_fast.processor import Conversion
    from gcr_fast.profiles import Profiles

    from .loading import Inputs

EXAMPLE = "gcr convert annual.csv --profiles shipped --out hourly.parquet"

outputs = options(
    click.option(
        "--out",
        type=opt.FILE,
        required=True,
        metavar="OUT",
        help="A .parquet or .arrow file, or .csv (which cannot say what it was made of), or a new folder for parts.",
    ),
    click.option("--format", type=click.Choice(["parquet", "ipc", "csv"]), help="By default OUT's suffix tells."),
    click.option(
        "--report", type=opt.FILE, metavar="FILE", help="Write what became of each certificate: .json, .csv, ..."
    ),
    opt.findings,
)
spreading = options(
    click.option("--method", type=click.Choice(METHODS), default=METHODS[0], show_default=True, help="How to round."),
    click.option("--profile", metavar="NAME", help="The profile for certificates that name none."),
    click.option(
        "--profile-from-total",
        type=click.Choice(opt.DISTRIBUTIONS),
        help="Spread certificates that name no profile by this shape, which no meter measured.",
    ),
    opt.unit_wh,
)
"""How a certificate's energy is spread over its hours."""
choices = options(
    spreading,
    click.option("--keep-zero-hours", is_flag=True, help="Also write hours of 0 Wh."),
    click.option("--certificate-ids", is_flag=True, help="Add the column certificate_id."),
    opt.allow_estimated,
    opt.margin,
)


@dataclass(frozen=True)
class Result:
    """A conversion that was written, and how long it took from the first byte read to the last one written."""

    annual: Annual
    profiles: Profiles
    conversion: Conversion
    written: Written
    seconds: float


@click.command(cls=Command, example=EXAMPLE, short_help="Convert annual certificates into hourly ones.")
@click.argument("annual", type=opt.FILE)
@opt.profiles
@outputs
@opt.inputs
@choices
@opt.threads
@opt.as_json
@opt.quiet
def convert(annual: Path, out: Path, report: Path | None, findings_file: Path | None, **given: Any) -> None:
    """Convert the cancelled ANNUAL certificates into exact hourly ones.

    ANNUAL is CSV, Parquet or Arrow IPC, or another registry's list as `gcr import certificates` takes it; --findings
    names the rows of a list that are left out. The hours of a certificate sum to its energy, to the Wh. If anything
    is wrong, all of it is listed and nothing is written.
    """
    from .files import check_places, check_table_places, save_table
    from .loading import Inputs, files_of

    inputs = Inputs.taken_from(given)
    check_table_places(report, findings_file)
    check_places(files_of(annual, given["profile_files"], inputs), [out, report, findings_file])
    result = run(annual, out, inputs=inputs, **given)
    if report:
        save_table(result.conversion.report.table, report)
    if findings_file:
        save_table(result.conversion.findings, findings_file)
    _show(result, given["as_json"], given["quiet"])


def run(
    annual: Path,
    out: Path,
    profile_files: tuple[str, ...],
    format: str | None = None,  # noqa: A002
    inputs: Inputs | None = None,
    as_json: bool = False,
    quiet: bool = False,
    profile: str | None = None,
    profile_from_total: str | None = None,
    **how: Any,
) -> Result:
    """Load, convert, write. `how` goes to `gcr_fast.convert` as it is."""
    from gcr_fast import convert as convert_annual

    from .loading import load
    from .progress import progress

    started = time.perf_counter()
    default = default_profile(profile_files, profile, profile_from_total)
    certificates, profiles = load(annual, profile_files, default, inputs)
    conversion = convert_annual(certificates, profiles, profile=default, **how)
    with progress("converting", len(certificates), off=quiet or as_json) as advance:
        written = conversion.write(out, format=format, progress=advance)
    return Result(certificates, profiles, conversion, written, time.perf_counter() - started)


def default_profile(files: tuple[str, ...], named: str | None, shape: str | None) -> str | None:
    """Return the profile of certificates that name none; refuse a command that names no profile at all."""
    if named and shape:
        raise click.UsageError("give --profile or --profile-from-total, not both")
    if not files and not shape and named not in opt.DISTRIBUTIONS:
        raise click.UsageError("give --profiles FILE, --profiles shipped, or --profile-from-total")
    return named or shape


def _show(result: Result, as_json: bool, quiet: bool) -> None:
    from .output import print_json, show

    if as_json:
        print_json(document(result))
    elif not quiet:
        show(*summary(result))


def by_source(result: Result) -> list[dict[str, Any]]:
    """Sum the report by source type: certificates, hourly certificates, energy, residual."""
    report = result.conversion.report.table
    figures = ("nonzero_hours", "energy_wh", "issued_wh", "residual_wh")
    sums = report.group_by("source_type").aggregate([("source_type", "count"), *((name, "sum") for name in figures)])
    renamed = sums.rename_columns([name.removesuffix("_sum") for name in sums.column_names])
    return [dict(row) for row in renamed.sort_by("source_type").to_pylist()]


def document(result: Result) -> dict[str, Any]:
    """Return everything that can be said of a conversion, for JSON."""
    from .told import left_out_counts

    report, written = result.conversion.report, result.written
    return {
        "ok": True,
        "path": written.path,
        "files": written.files,
        "bytes": written.bytes,
        "hourly_certificates": written.rows,
        "seconds": round(result.seconds, 3),
        "totals": report.totals,
        "by_source": by_source(result),
        "left_out": left_out_counts(result.annual.findings),
        "metadata": result.conversion.metadata,
        "findings": report.findings.to_pylist(),
    }


def summary(result: Result) -> list[Any]:
    """Return what a person wants to know of a conversion."""
    from .output import UNKEPT, facts, finding_counts, mwh, size_text, table
    from .told import left_out, notes

    totals, written = result.conversion.report.totals, result.written
    dropped = totals["hours"] - written.rows
    each = f", {written.bytes / written.rows:.1f} bytes a certificate" if written.rows else ""
    rows = [
        ("annual certificates", f"{totals['parents']:,}"),
        *left_out(result.annual.findings),
        ("hourly certificates", f"{written.rows:,}"),
        ("zero hours dropped", f"{dropped:,}" if dropped else None),
        ("energy in", f"{mwh(totals['energy_wh'])} MWh"),
        ("energy out", f"{mwh(totals['issued_wh'])} MWh"),
        ("residual", f"{mwh(totals['residual_wh'])} MWh"),
        ("clipped in profiles", f"{mwh(totals['clipped_wh'])} MWh" if totals["clipped_wh"] else None),
        ("written", f"{written.path}{f', {written.files} files' if written.files > 1 else ''}"),
        ("size", f"{size_text(written.bytes)}{each}"),
        ("time", f"{result.seconds:.2f} s, {written.rows / result.seconds:,.0f} hourly certificates/s"),
    ]
    columns = ("source type", "certificates", "hourly", "MWh out", "residual")
    sources = [
        (
            row["source_type"],
            f"{row['source_type_count']:,}",
            f"{row['nonzero_hours']:,}",
            mwh(row["issued_wh"]),
            mwh(row["residual_wh"]),
        )
        for row in by_source(result)
    ]
    counts = finding_counts(result.conversion.report.collected)
    noted = list(notes(result.conversion.report.collected))
    noted += [] if written.keeps_sources else [UNKEPT]
    told = [*(("", counts) if counts else ()), *(("", *noted) if noted else ())]
    return [facts(rows), "", table(columns, sources, right=columns[1:]), *told]
