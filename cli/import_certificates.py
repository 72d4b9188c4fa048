"""`gcr import certificates`: other registries' lists into one file of annual certificates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as opt
from .command import Command, options

if TYPE_CHECKING:
    from gcr_fast.certificates import Certificates
    from gcr_fast.exchange.writing import Written

EXAMPLE = "gcr import certificates regos.csv --out annual.parquet"

meaning = options(
    opt.foreign_format,
    click.option("--mapping", type=opt.FILE, metavar="FILE", help="A YAML description of a list of no known format."),
    click.option("--zone", metavar="ZONE", help="Zone of production days, where neither list nor country tells."),
    opt.decimal,
    opt.units,
    click.option("--year", type=int, metavar="YYYY", help="Keep this year of production."),
    opt.meaning,
)


@click.command(cls=Command, example=EXAMPLE, short_help="Read certificates from other registries' lists.")
@click.argument("files", nargs=-1, required=True, type=opt.FILE, metavar="FILE...")
@click.option(
    "--out",
    type=opt.FILE,
    metavar="OUT",
    help="Write annual certificates: .parquet or .arrow, or .csv, which cannot keep hashes of the lists.",
)
@meaning
@opt.findings
@opt.as_json
@opt.quiet
def certificates(files: tuple[Path, ...], out: Path | None, findings_file: Path | None, **given: Any) -> None:
    """Read certificate lists (FILEs) of any known format into annual certificates.

    Redeemed, retired and cancelled ones are kept, for their beneficiaries; the others are accounted for. A serial
    number that is there twice, in one file or in two, is refused. Without --out the files are only checked.
    """
    from gcr_fast.certificates import read_certificates

    from .files import check_places, check_table_places, save_table
    from .output import print_json, show

    as_json, quiet = given.pop("as_json"), given.pop("quiet")
    check_table_places(findings_file)
    described = [given[name] for name in ("mapping", "units") if given[name]]
    check_places([*files, *described], [out, findings_file])
    found = read_certificates(files, **given)
    written = found.write(out) if out else None
    if findings_file:
        save_table(found.findings.to_table(), findings_file)
    if as_json:
        print_json(document(found, written))
    elif not quiet:
        show(*summary(found, written))


def document(found: Certificates, written: Written | None) -> dict[str, Any]:
    """Return everything that can be said of an import, for JSON."""
    return {
        "ok": True,
        "path": written.path if written else None,
        "certificates": len(found),
        "energy_wh": found.energy_wh,
        "files": [vars(one) for one in found.files],
        "statuses": [one._asdict() for one in found.statuses],
        "findings": found.findings.to_table().to_pylist(),
    }


def summary(found: Certificates, written: Written | None) -> list[Any]:
    """Return what a person wants to know of an import."""
    from .output import UNKEPT, finding_counts, mwh, plural

    parts: list[Any] = [_files(found), "", _statuses(found)]
    if notes := _notes(found):
        parts += ["", *notes]
    if counts := finding_counts(found.findings):
        parts += ["", counts]
    said = f"{plural(len(found), 'annual certificate')} of {mwh(found.energy_wh)} MWh"
    unkept = [UNKEPT] if written and not written.keeps_sources else []
    return [*parts, "", f"{written.path}: {said}" if written else said, *unkept]


def _files(found: Certificates) -> Any:
    from .output import table

    columns = ("file", "format", "rows", "certificates")
    rows = ((Path(one.file).name, one.format, f"{one.rows:,}", f"{one.kept:,}") for one in found.files)
    return table(columns, rows, right=columns[2:])


def _statuses(found: Certificates) -> Any:
    """Sum the rows by status word, over all files."""
    from .output import mwh, table

    sums: dict[tuple[str, str], list[int]] = {}
    for one in found.statuses:
        outcome = f"left out: {one.left_out}" if one.left_out else f"kept: {_kept(one.status, one.purpose)}"
        total = sums.setdefault((one.word, outcome), [0, 0])
        total[0] += one.rows
        total[1] += one.energy_wh
    rows = ((word, f"{count:,}", mwh(energy), outcome) for (word, outcome), (count, energy) in sums.items())
    return table(("status", "rows", "MWh", "what became of it"), rows, right=("rows", "MWh"))


def _kept(status: str, purpose: str | None) -> str:
    if status != "CANCELED":
        return f"{status}, not converted"
    return f"cancelled for {purpose.replace('_', ' ')}" if purpose else "cancelled, purpose unknown"


def _notes(found: Certificates) -> list[str]:
    from .output import plural

    notes = [
        f"{Path(one.file).name}: {plural(count, 'row')} dropped: {reason}"
        for one in found.files
        for reason, count in one.dropped.items()
    ]
    notes += [one.message for one in found.findings if one.code in {"reading_note", "exclusive_end"}]
    unused = dict.fromkeys(name for one in found.files for name in one.unused)
    return [*notes, *([f"not carried over: {', '.join(unused)}"] if unused else [])]
