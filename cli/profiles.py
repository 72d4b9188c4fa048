"""`gcr profiles`: list, show and check generation profiles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gcr_fast.codes import SOURCE_TYPES

from . import options as opt
from .command import Group, options

if TYPE_CHECKING:
    from gcr_fast.profiles import Profile, Profiles

WIDE = 112
reading = options(opt.choice, opt.units, opt.zone("Zone of times that name none."), opt.unit, opt.label)


@click.group(cls=Group)
def profiles() -> None:
    """List, show and check generation profiles."""


@profiles.command("list", example="gcr profiles list --country AT --year 2020")
@click.argument("files", nargs=-1, type=opt.FILE, metavar="[FILE]...")
@click.option("--country", metavar="CC", help="Only of this country (two letters, from the name).")
@click.option("--year", type=int, help="Only those of this year (from the name).")
@click.option("--source", type=click.Choice(SOURCE_TYPES), metavar="TYPE", help="Only of this source type.")
@reading
@opt.as_json
def list_profiles(files: tuple[Path, ...], as_json: bool, **given: Any) -> None:
    """List the profiles of FILEs, or those that ship with gcr."""
    from .output import print_json, show

    chosen = {key: given.pop(key) for key in ("country", "year", "source")}
    loaded = _load(files, chosen, given)
    rows = [describe(profile) for profile in loaded.values() if _is_chosen(profile, **chosen)]
    if as_json:
        print_json(rows)
    else:
        show(*_listing(rows))


@profiles.command(
    example="gcr profiles show AT-2020-solar --zone Europe/Vienna", short_help="Show one profile, day by hour."
)
@click.argument("name")
@click.argument("file", required=False, type=opt.FILE)
@click.option("--png", type=opt.PICTURE, metavar="OUT", help="Write a heat map as PNG (needs gcr_fast[png]).")
@opt.choice
@opt.units
@opt.typical_year
@click.option("--zone", metavar="ZONE", help="Zone of the hours shown (UTC), and of FILE's times that name none.")
@opt.unit
@opt.label
@opt.as_json
def show(name: str, file: Path | None, png: Path | None, as_json: bool, **given: Any) -> None:
    """Show the profile NAME, of FILE or of those that ship, day by hour."""
    from gcr_fast.pictures import heat_map_png, month_totals

    from . import output
    from .loading import find_profile, said_of

    zone = given["zone"] or "UTC"
    profile = find_profile(name, file, **said_of(given, [file] if file else []))[name]
    months = month_totals(profile, zone)
    if png:
        heat_map_png(profile, png, zone)
    if as_json:
        output.print_json({**describe(profile), "attribution": profile.attribution, "zone": zone, "months": months})
    else:
        output.show(*_portrait(profile, zone, months, png))


@profiles.command(
    example="gcr profiles check generation.csv --zone Europe/Berlin --unit MWh",
    short_help="Check profiles and list every finding.",
)
@click.argument("files", nargs=-1, required=True, type=opt.FILE, metavar="FILE...")
@reading
@opt.typical_year
@opt.findings
@opt.as_json
@click.pass_context
def check(
    ctx: click.Context, /, files: tuple[Path, ...], findings_file: Path | None, as_json: bool, **given: Any
) -> None:
    """Check the profiles of FILEs and list every finding; exit code 1 if any is an error."""
    from .files import check_places, check_table_places, save_table
    from .loading import load_profiles, said_of
    from .output import print_json, show

    check_table_places(findings_file)
    check_places(list(files), [findings_file])
    found = load_profiles(files, **said_of(given, files))
    if findings_file:
        save_table(found.findings.to_table(), findings_file)
    if as_json:
        print_json(_verdict(found))
    else:
        show(*_findings(found))
    ctx.exit(0 if found.findings.ok else 1)


def _load(files: tuple[Path, ...], chosen: dict[str, Any], given: dict[str, Any]) -> Profiles:
    from gcr_fast.shipped import shipped_names, shipped_profiles

    from .loading import load_readable, said_of
    from .output import plural

    said = said_of(given, files)
    if files:
        loaded = load_readable(files, **said)
        if not loaded.findings.ok:
            errors = plural(len(loaded.findings.of("error")), "error")
            click.echo(f"{errors} in these files: `gcr profiles check` lists them", err=True)
        return loaded
    return shipped_profiles(shipped_names(_upper(chosen["country"]), chosen["year"], chosen["source"]))


def _upper(country: str | None) -> str | None:
    return country.upper() if country else None


def _is_chosen(profile: Profile, country: str | None, year: int | None, source: str | None) -> bool:
    parts = profile.name.split("-")
    return (
        (country is None or parts[0] == country.upper())
        and (year is None or str(year) in parts)
        and (source is None or profile.source_type == source)
    )


def describe(profile: Profile) -> dict[str, Any]:
    """Return a profile's facts; the total is in Wh, or a sum of weights."""
    from gcr_fast.periods import utc_text
    from gcr_fast.pictures import span_text

    total = {"total_wh": profile.total} if profile.is_energy else {"total_weight": profile.total}
    return {
        "name": profile.name,
        "source_type": profile.source_type,
        "device_id": profile.device_id,
        "start": utc_text(profile.start_s),
        "end": utc_text(profile.end_s),
        "period": span_text(profile),
        "intervals": len(profile.values),
        "interval_s": profile.step_s,
        **total,
        "missing": int(profile.missing.sum()),
        "clipped": int((profile.clipped > 0).sum()),
        "file": profile.file or None,
    }


def _listing(rows: list[dict[str, Any]]) -> list[Any]:
    """A calendar year is named as such where the terminal is too narrow for both ends."""
    from .output import console, plural, si_text, span, table

    wide = console().width >= WIDE
    when = ("first", "last") if wide else ("period",)
    columns = ("name", "source", *when, "count", "step", "total", "gaps")
    cells = (
        (
            row["name"],
            row["source_type"],
            *((row["start"], row["end"]) if wide else (row["period"],)),
            f"{row['intervals']:,}",
            span(row["interval_s"]),
            si_text(row["total_wh"]) if "total_wh" in row else f"{row['total_weight']:,}",
            row["missing"] or "",
        )
        for row in rows
    )
    return [table(columns, cells, right=("count", "step", "total", "gaps")), plural(len(rows), "profile")]


def _portrait(profile: Profile, zone: str, months: dict[str, int], png: Path | None) -> list[Any]:
    from gcr_fast.pictures import terminal_heat_map
    from gcr_fast.shipped import shipped_notes

    from .output import console, facts, picture_width, plural, shows_colours, span

    screen = console()
    gaps = int(profile.missing.sum())
    rows = [
        ("profile", profile.name),
        ("source type", profile.source_type),
        ("period", f"{describe(profile)['start']} .. {describe(profile)['end']}"),
        ("intervals", f"{len(profile.values):,} of {span(profile.step_s)}{f', {gaps:,} missing' if gaps else ''}"),
        ("total", _exact(profile, profile.total)),
        ("clipped", plural(int((profile.clipped > 0).sum()), "interval") if profile.clipped.any() else None),
        ("from", profile.attribution or profile.file or None),
        ("note", "; ".join(shipped_notes(profile.name)) or None if profile.attribution else None),
        ("picture", png),
    ]
    picture = terminal_heat_map(profile, picture_width(screen), zone, shows_colours(screen))
    return [facts(rows), "", picture, "", *_months(profile, months)]


def _exact(profile: Profile, value: int) -> str:
    from .output import mwh

    return f"{mwh(value)} MWh" if profile.is_energy else f"{value:,} (weights, no unit)"


def _months(profile: Profile, months: dict[str, int]) -> list[Any]:
    """Return the months' totals, three to a line."""
    from .output import mwh, table

    cells = [(name, mwh(value) if profile.is_energy else f"{value:,}") for name, value in months.items()]
    lines = [sum(cells[at : at + 3], ()) for at in range(0, len(cells), 3)]
    unit = "MWh" if profile.is_energy else "weight"
    columns = [word for number in range(min(3, len(cells))) for word in (f"month{' ' * number}", unit + " " * number)]
    return [table(columns, lines, right=columns[1::2], gap=3)] if cells else []


def _verdict(found: Profiles) -> dict[str, Any]:
    return {
        "ok": found.findings.ok,
        "profiles": [describe(profile) for profile in found.values()],
        "findings": found.findings.to_table().to_pylist(),
    }


def _findings(found: Profiles) -> list[Any]:
    from .output import finding_lines, plural

    lines = list(finding_lines(found.findings, limit=None))
    verdict = "no errors" if found.findings.ok else plural(len(found.findings.of("error")), "error")
    return [*lines, *([""] if lines else []), f"{plural(len(found), 'profile')}, {verdict}"]
