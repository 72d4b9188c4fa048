"""`gcr import generation`: public files of generation and load into one table."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as opt
from .command import Command, options

if TYPE_CHECKING:
    from gcr_fast.exchange.writing import Written
    from gcr_fast.imports.accounts import SeriesAccount
    from gcr_fast.imports.table import Imported

EXAMPLE = "gcr import generation opsd.csv --types solar,wind --out profiles.parquet"
FILLS = ("none", "zero", "interpolate")
SHOWN_FLAGS = 10
SHOWN_YEARS = 24
"""Years of series that the summary lists before it refers to --json."""

source = options(
    opt.foreign_format,
    click.option("--zone", metavar="ZONE", help="Zone of local times, where the file does not tell."),
    click.option("--year", type=int, metavar="YYYY", help="Keep this year; or the year of a file that has none."),
    click.option(
        "--area", "areas", multiple=True, metavar="AREA", help="Keep this area, which a file without one takes."
    ),
    click.option(
        "--types", metavar="LIST", help="Keep these kinds, source types or roles, set apart by commas: solar,wind,load."
    ),
    click.option("--units", type=opt.FILE, metavar="FILE", help="A table of unit and fuel, for files about units."),
    click.option("--mapping", type=opt.FILE, metavar="FILE", help="A YAML description of a file of no known format."),
)


@click.command(cls=Command, example=EXAMPLE, short_help="Read generation and load from public files.")
@click.argument("files", nargs=-1, required=True, type=opt.FILE, metavar="FILE...")
@click.option(
    "--out",
    type=opt.FILE,
    metavar="OUT",
    help="Write all series: .parquet or .arrow, or .csv, which cannot keep hashes and attribution of the sources.",
)
@source
@opt.keep_intervals
@click.option(
    "--fill",
    type=click.Choice(FILLS),
    default=FILLS[0],
    show_default=True,
    help="Fill gaps; what is filled is estimated, and not converted without --allow-estimated. An hour of which a part "
    "is missing is filled as a whole; with --keep-intervals, the part alone.",
)
@click.option("--png", type=opt.PICTURE, metavar="OUT", help="Draw the gaps of all series, day by hour.")
@opt.findings
@opt.as_json
@opt.quiet
def generation(
    files: tuple[Path, ...], out: Path | None, png: Path | None, findings_file: Path | None, **given: Any
) -> None:
    """Read FILEs as their publishers made them, in any format that is known, into one long table of hours.

    Without --out the files are only checked. Gaps are reported, never filled unasked.
    """
    from gcr_fast.imports import import_generation

    from .files import check_places, check_table_places, save_table
    from .loading import how_of
    from .output import print_json, show
    from .progress import progress

    check_table_places(findings_file)
    check_places(list(files), [out, png, findings_file])
    with progress("reading", len(files), off=given["quiet"] or given["as_json"]) as advance:
        found = import_generation(
            files,
            format=given["format"],
            how=how_of(given),
            keep_intervals=given["keep_intervals"],
            filling=given["fill"],
            progress=advance,
        )
    written = found.write(out) if out else None
    if png:
        draw(found, png)
    if findings_file:
        save_table(found.findings.to_table(), findings_file)
    if given["as_json"]:
        print_json(document(found, written))
    elif not given["quiet"]:
        show(*summary(found, written))


def draw(found: Imported, png: Path) -> None:
    """Draw where the series have gaps."""
    from gcr_fast.imports.gaps import gaps_png

    gaps_png(found.profiles, found.covered, png, found.files[0].zone)


def document(found: Imported, written: Written | None) -> dict[str, Any]:
    """Return everything that can be said of an import, for JSON."""
    return {
        "ok": True,
        "path": written.path if written else None,
        "rows": written.rows if written else sum(int(there.sum()) for there in found.covered.values()),
        "files": [one.as_dict() for one in found.files],
        "series": [one.as_dict() for one in found.series.values()],
        "findings": found.findings.to_table().to_pylist(),
    }


def summary(found: Imported, written: Written | None) -> list[Any]:
    """Return what a person wants to know of an import."""
    from .output import UNKEPT, finding_counts, plural
    from .told import notes

    series = list(found.series.values())
    parts: list[Any] = [_files(found), "", _reasons(found), "", _series(found), *_absent(series), ""]
    parts += [*_negatives(series), *_years(series), "", *_changes(found), *_flags(series), *notes(found.findings)]
    counts = finding_counts(found.findings)
    parts += ["", counts, *_counted_in(series)] if counts else []
    if written:
        parts += ["", f"{written.path}: {plural(written.rows, 'row')}, {written.bytes:,} bytes"]
        parts += [] if written.keeps_sources else [UNKEPT]
    return parts


def _files(found: Imported) -> Any:
    from .output import table

    columns = ("file", "format", "calendar", "rows", "dropped", "left out")
    rows = (
        (
            Path(one.file).name,
            one.format,
            one.zone,
            f"{one.rows:,}",
            f"{sum(one.dropped.values()):,}",
            len(one.left_out),
        )
        for one in found.files
    )
    return table(columns, rows, right=columns[3:])


def _reasons(found: Imported) -> Any:
    """Say why rows were dropped and columns left out, over all files."""
    from .output import facts

    dropped: Counter[str] = Counter()
    left: dict[str, dict[str, None]] = {}
    for one in found.files:
        dropped.update(one.dropped)
        for name, reason in one.left_out.items():
            left.setdefault(reason, {})[name] = None
    noted = {what: said for one in found.files for what, said in one.notes.items()}
    rows = [(f"{count:,} dropped", reason) for reason, count in dropped.items()]
    rows += [(f"{len(names):,} left out", f"{reason}: {_some(list(names))}") for reason, names in left.items()]
    rows += [(f"{count:,} given twice", said) for said, count in _repeats(found).items()]
    names = dict.fromkeys(one.attribution for one in found.files if one.attribution)
    return facts([*rows, *noted.items(), *(("to be named", name) for name in names)])


def _repeats(found: Imported) -> Counter[str]:
    """Count what two files have, over all series."""
    counts: Counter[str] = Counter()
    for one in found.series.values():
        for repeat in one.repeated:
            both = " and ".join(Path(name).name for name in (repeat.other, repeat.file))
            counts[f"by {both}, with one value: taken once"] += repeat.intervals
    return counts


def _some(names: list[str], most: int = 4) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _series(found: Imported) -> Any:
    from .output import span, table

    columns = ("series", "role", "step", "expected", "missing", "doubled")
    rows = (
        (
            one.name,
            one.role,
            span(one.interval_s),
            f"{one.expected:,}",
            (f"{one.missing:,}", "red") if one.missing else "0",
            (f"{one.duplicate:,}", "red") if one.duplicate else "0",
        )
        for one in found.series.values()
    )
    return table(columns, rows, right=columns[3:], whole=columns[1:3])


def _counted_in(series: list[SeriesAccount]) -> list[str]:
    """Say in what gaps are counted, where the intervals of the files are not those of the series."""
    from .output import span

    steps = {(one.read_interval_s, one.interval_s) for one in series if one.read_interval_s < one.interval_s}
    return [
        f"Of files in steps of {span(read)}, findings count these; the series above count {span(step)}, and one with a "
        "missing part is missing"
        for read, step in sorted(steps)
    ]


def _absent(series: list[SeriesAccount]) -> list[str]:
    """Say what is missing because no file is about it."""
    named: dict[str, list[str]] = {}
    for one in series:
        for absent in one.absent:
            named.setdefault(str(absent), []).append(one.name)
    return [f"{said} ({_some(names)})" for said, names in named.items()]


def _negatives(series: list[SeriesAccount]) -> list[Any]:
    """List the series that go below zero, a table of their own: most have none, and the figures are wide."""
    from .output import table

    columns = ("series", "intervals below 0", "MWh below 0")
    rows = [(one.name, f"{one.negative:,}", _amount(one, one.negative_wh)) for one in series if one.negative]
    return [table(columns, rows, right=columns[1:]), ""] if rows else []


def _amount(one: SeriesAccount, energy_wh: int) -> str:
    from .output import mwh

    return mwh(energy_wh) if one.is_energy else "a shape, no energy"


def _years(series: list[SeriesAccount]) -> list[Any]:
    from .output import table

    rows = [
        (one.name, str(year.year), f"{year.found:,} of {year.expected:,}", _amount(one, year.energy_wh))
        for one in series
        for year in one.years
    ]
    columns = ("series", "year", "intervals", "MWh")
    more = [f"... and {len(rows) - SHOWN_YEARS:,} more; --json gives all of them"] if len(rows) > SHOWN_YEARS else []
    return [table(columns, rows[:SHOWN_YEARS], right=columns[1:]), *more]


def _changes(found: Imported) -> list[str]:
    """Say whether the days of clock changes are whole."""
    days: dict[tuple[str, float], list[bool]] = {}
    for one in found.series.values():
        for change in one.clock_changes:
            days.setdefault((change.day, change.length_s / 3600), []).append(change.found == change.expected)
    return [
        f"clock change {day}: {hours:g} hours, complete in {sum(whole):,} of {len(whole):,} series"
        for (day, hours), whole in sorted(days.items())
    ]


def _flags(series: list[SeriesAccount]) -> list[str]:
    """Say how many intervals have which flag, over all series."""
    counts: Counter[str] = Counter()
    for one in series:
        counts.update(one.flags)
    words = [f"{word} {count:,}" for word, count in counts.most_common()]
    return [f"flags, by interval: {_some(words, SHOWN_FLAGS)}"] if words else []
