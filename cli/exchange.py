"""`gcr exchange`: files that other registries read, and theirs back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as opt
from .command import Group, options

if TYPE_CHECKING:
    from gcr_fast.interchange.bundles_in import Bundles
    from gcr_fast.interchange.exchanged import Exchanged

FORMS = ("gc-registry", "granular", "meter-readings")
JOURNAL = "registry.db"
WRITE = "gcr exchange write hourly.parquet --as gc-registry --out bundles.csv"
READ = "gcr exchange read bundles.csv --annual annual.csv --out hours.parquet"


@click.group(cls=Group)
def exchange() -> None:
    """Write files that other registries read, and read theirs."""


@exchange.command("write", example=WRITE, short_help="Write certificates or readings for another registry.")
@click.argument("source", type=opt.FILE)
@click.option("--as", "form", type=click.Choice(FORMS), required=True, help="The other registry's form.")
@click.option("--out", type=opt.FILE, required=True, metavar="OUT", help="A .csv file.")
@click.option(
    "--annual", type=opt.FILE, metavar="FILE", help="Annual certificates: devices, countries, issuers, zones."
)
@click.option("--set", "constants", multiple=True, metavar="NAME=VALUE", help="Fill a bundle column; may be repeated.")
@click.option("--expiry-months", type=click.IntRange(min=1), default=24, show_default=True, help="Life of a bundle.")
@click.option("--first-number", type=click.IntRange(min=0), default=0, show_default=True, help="Of each device's Wh.")
@opt.choice
@opt.units
@opt.typical_year
@options(opt.zone("Zone of times that name none."), opt.unit, opt.label)
@opt.as_json
@opt.quiet
def write(source: Path, form: str, out: Path, as_json: bool, quiet: bool, **given: Any) -> None:
    """Write SOURCE in the form of another registry.

    SOURCE is a file of hourly certificates or a registry; for the forms of meter readings it may be a profile file.
    What the form has no place for is said.
    """
    from .files import check_places
    from .output import print_json, show

    check_places([source, *([given["annual"]] if given["annual"] else [])], [out])
    done = _bundles(source, out, given) if form == FORMS[0] else _readings(source, out, form, given)
    if as_json:
        print_json(document(done))
    elif not quiet:
        show(*summary(done))


@exchange.command("read", example=READ, short_help="Read another registry's bundles.")
@click.argument("file", type=opt.FILE)
@click.option("--out", type=opt.FILE, required=True, metavar="OUT", help="Hourly certificates: .parquet, .arrow, .csv.")
@click.option("--annual", type=opt.FILE, metavar="FILE", help="Annual certificates: kinds of source, and bases.")
@click.option(
    "--parents",
    "parents_file",
    type=opt.FILE,
    metavar="OUT",
    help="Write what FILE says of their parents (devices, countries, issuers, zones), as `write --annual` takes it.",
)
@opt.findings
@opt.as_json
@opt.quiet
def read(file: Path, out: Path, annual: Path | None, as_json: bool, quiet: bool, **given: Path | None) -> None:
    """Read FILE, a CSV of bundles of the GC registry, as hourly certificates.

    What a storage device gave back becomes storage_discharge, whatever was stored. Bundles that were split are left
    out, as those that they became carry on. What hourly certificates have no place for is said.
    """
    from gcr_fast.interchange.bundles_in import read_bundles

    from .files import check_places, check_table_places, save_table
    from .output import print_json, show

    parents, findings = given["parents_file"], given["findings_file"]
    check_table_places(parents, findings)
    check_places([file, *([annual] if annual else [])], [out, parents, findings])
    found = read_bundles(file, parents=annual)
    written = found.write(out)
    if parents:
        save_table(found.parents, parents)
    if findings:
        save_table(found.findings.to_table(), findings)
    said = read_document(found, str(written.path), parents)
    if as_json:
        print_json(said)
    elif not quiet:
        show(*read_summary(said, found))


def read_document(found: Bundles, path: str, parents: Path | None) -> dict[str, Any]:
    """Return everything that can be said of bundles that were read, for JSON."""
    unkept = (
        {}
        if parents
        else dict.fromkeys(found.facts, "hourly certificates have no column for it; --parents OUT keeps it")
    )
    return {
        "ok": True,
        "path": path,
        "parents": str(parents) if parents else None,
        "certificates": len(found),
        "energy_wh": sum(found.table["energy_wh"].to_pylist()),
        "not_carried": unkept | found.not_carried,
        "left_out": found.left_out,
        "findings": found.findings.to_table().to_pylist(),
    }


def read_summary(said: dict[str, Any], found: Bundles) -> list[Any]:
    """Return what a person wants to know of them."""
    from .output import facts, mwh, plural
    from .told import notes

    rows = _unsaid(said["not_carried"], said["left_out"])
    line = f"{said['path']}: {plural(said['certificates'], 'hourly certificate')} of {mwh(said['energy_wh'])} MWh"
    noted, parents = list(notes(found.findings)), [f"{said['parents']}: parents"] if said["parents"] else []
    return [*([facts(rows), ""] if rows else []), *noted, *([""] if noted else []), line, *parents]


def _unsaid(not_carried: dict[str, str], left_out: dict[str, str]) -> list[tuple[str, str]]:
    rows = [(name, f"not carried: {what}") for name, what in not_carried.items()]
    return rows + [(name, f"left out: {what}") for name, what in left_out.items()]


def _bundles(source: Path, out: Path, given: dict[str, Any]) -> Exchanged:
    from gcr_fast.interchange.bundles_out import write_bundles

    from .loading import said_of

    zone = said_of(given, [])["zone"]  # other options of profile files say nothing of bundles
    hourly, parents = _hourly(source, given["annual"])
    how = {name: given[name] for name in ("expiry_months", "first_number")}
    return write_bundles(hourly, out, parents=parents, constants=_constants(given["constants"]), zone=zone, **how)


def _readings(source: Path, out: Path, form: str, given: dict[str, Any]) -> Exchanged:
    from gcr_fast.interchange.hours import are_hours
    from gcr_fast.interchange.readings import no_readings, series_of_hours, series_of_profiles, write_readings
    from gcr_fast.profiles import read_profiles

    from .loading import said_of

    said = said_of(given, [] if _is_registry(source) or are_hours(source) else [source])
    if _is_registry(source) or are_hours(source):
        left_out = no_readings()
        series = series_of_hours(*_hourly(source, given["annual"]), left_out, said["zone"])
        return write_readings(series, out, form, left_out)
    profiles = read_profiles(source, **(said | {"keep_intervals": True}))
    return write_readings(series_of_profiles(profiles), out, form, profiles)


def _is_registry(source: Path) -> bool:
    return (source / JOURNAL).is_file()


def _hourly(source: Path, annual: Path | None) -> tuple[Any, Any]:
    """Return hourly certificates and their parents: of files, or of a registry as it is now."""
    if not _is_registry(source):
        return source, annual
    import pyarrow as pa

    from gcr_fast.errors import RegistryError
    from gcr_fast.registry import Registry

    with Registry.open(source, read_only=True) as registry:
        if not registry.state.catalogue.tables:
            raise RegistryError(f"nothing is issued in {source}, so there is nothing to write: `gcr issue` issues")
        parents = pa.concat_tables(registry.state.catalogue.tables, promote_options="default")
        return registry.query().to_table(certificate_ids=True), annual or parents


def _constants(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    for name, equals, _ in pairs:
        if not equals:
            raise click.UsageError(f"--set {name}: expected NAME=VALUE")
    return {name.strip(): value.strip() for name, _, value in pairs}


def document(done: Exchanged) -> dict[str, Any]:
    """Return everything that can be said of a file that was written, for JSON."""
    return {
        "ok": True,
        "path": done.written.path,
        "form": done.format,
        "rows": done.written.rows,
        "bytes": done.written.bytes,
        "energy_wh": done.energy_wh,
        "not_carried": done.not_carried,
        "left_out": done.left_out,
        "empty": list(done.empty),
        "findings": done.findings.to_table().to_pylist(),
    }


def summary(done: Exchanged) -> list[Any]:
    """Return what a person wants to know of it."""
    from .output import facts, mwh, plural
    from .told import notes

    rows = _unsaid(done.not_carried, done.left_out)
    rows += [(name, "empty, but asked for: fill it with --set") for name in done.empty]
    said = f"{done.written.path}: {plural(done.written.rows, 'row')} of {mwh(done.energy_wh)} MWh ({done.format})"
    noted = list(notes(done.findings))
    return [*([facts(rows), ""] if rows else []), *noted, *([""] if noted else []), said]
