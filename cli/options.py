"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from gcr_fast.codes import BASES, PURPOSES

from .command import options

SHIPPED = "shipped"
FILE = click.Path(path_type=Path)


class _Picture(click.Path):
    """A file that is to be a PNG picture: its name has to say so."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path; a name of another suffix is wrong usage."""
        place = Path(os.fsdecode(super().convert(value, param, ctx)))
        if place.suffix.lower() != ".png":
            self.fail(f"{place}: a picture's name must end in .png", param, ctx)
        return place


PICTURE = _Picture()
DISTRIBUTIONS = ("flat", "uniform", "daylight", "peakload")
"""As `gcr_fast.profiles.DISTRIBUTIONS`, which is not imported here because it loads NumPy."""

UNIT_SIZES = {"Wh": 1, "kWh": 1000, "MWh": 1_000_000, "1": 1, "1000": 1000, "1000000": 1_000_000}
UNIT_WORDS = {word.lower(): size for word, size in UNIT_SIZES.items()}


def _in_wh(ctx: click.Context, param: click.Parameter, value: str) -> int:
    return UNIT_WORDS[value.lower()]


def _unless_auto(ctx: click.Context, param: click.Parameter, value: str) -> str | None:
    return None if value.lower() == "auto" else value


foreign_format = click.option(
    "--format",
    metavar="NAME",
    default="auto",
    show_default=True,
    callback=_unless_auto,
    help="The content tells (auto), or a name that `gcr import formats` lists.",
)
unit_wh = click.option(
    "--unit-wh",
    type=click.Choice(list(UNIT_SIZES), case_sensitive=False),
    default="Wh",
    show_default=True,
    callback=_in_wh,
    help="Size of a certificate; what is less becomes a residual.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
quiet = click.option("--quiet", is_flag=True, help="No progress and no summary.")
profiles = click.option(
    "--profiles",
    "profile_files",
    metavar="FILE",
    multiple=True,
    help="Profiles: CSV, Parquet, Arrow IPC or a public file; may be repeated, for months or pages of an answer. "
    "'shipped' names those that ship with gcr.",
)
findings = click.option(
    "--findings",
    "findings_file",
    type=FILE,
    metavar="FILE",
    help="Write every finding to a .json, .csv, .parquet or .arrow file; also when refused.",
)
allow_estimated = click.option(
    "--allow-estimated", is_flag=True, help="Allow intervals of profiles that an import filled in."
)
margin = click.option(
    "--capacity-margin",
    default="1.1",
    show_default=True,
    metavar="X",
    help="No hour may exceed the capacity times this.",
)
unit = click.option(
    "--unit", metavar="UNIT", help="Unit of profile columns whose name has none: Wh, kWh, MWh, kW, MW, weight."
)
label = click.option(
    "--label",
    type=click.Choice(["begin", "end"]),
    help="Which end of an interval a profile's time names; by default the column's name tells.",
)
keep_intervals = click.option(
    "--keep-intervals", is_flag=True, help="Do not sum intervals of 5, 15 or 30 minutes to hours."
)
decimal = click.option(
    "--decimal", type=click.Choice([",", "."]), metavar="MARK", help="Decimal mark of a list, if no number tells."
)
threads = click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads; by default one per core.")


def zone(help_text: str) -> Any:
    """Return the option --zone; what it is the zone of differs."""
    return click.option("--zone", metavar="ZONE", help=help_text)


units = click.option("--units", type=FILE, metavar="FILE", help="A table of unit and fuel, for files without fuels.")
choice = options(
    click.option(
        "--area",
        "areas",
        multiple=True,
        metavar="AREA",
        help="Keep this area of public profile files; a file that names no area takes it.",
    ),
    click.option("--types", metavar="LIST", help="Keep these kinds of public profile files: solar,wind."),
    click.option(
        "--profile-mapping", type=FILE, metavar="FILE", help="Read profile files as this YAML file describes them."
    ),
)
"""What is read of public files of generation, and how."""
meaning = options(
    click.option("--keep-all", is_flag=True, help="Keep what a list has not cancelled, too; it cannot be converted."),
    click.option(
        "--purpose",
        type=click.Choice(PURPOSES),
        help="For what the cancelled ones of a list were cancelled, where it does not say that itself.",
    ),
    click.option(
        "--basis",
        type=click.Choice(BASES),
        metavar="BASIS",
        help="Their allocation basis, such as metered_hourly, where several share a meter.",
    ),
)
"""What a list of another registry does not say of its certificates."""
inputs = options(
    click.option("--mapping", type=FILE, metavar="FILE", help="Read the annual file as this YAML file describes it."),
    units,
    click.option(
        "--year",
        type=int,
        metavar="YYYY",
        help="Keep this year of a list of certificates; the year of profiles that name none.",
    ),
    decimal,
    meaning,
    choice,
    zone("Zone of profile times and production years that name none, such as Europe/Berlin."),
    unit,
    label,
    keep_intervals,
)
"""How annual certificates and profiles are read, ours and other people's: what `loading.Inputs` holds."""
typical_year = click.option("--year", type=int, metavar="YYYY", help="The year of typical hours, which name none.")
