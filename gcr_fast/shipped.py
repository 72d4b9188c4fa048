"""What ships with the library: two years of real hourly profiles, and demo certificates that fit them.

The profiles lie sorted by name, a country to a row group, so that asking for one profile reads a few kilobytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gcr_fast.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from gcr_fast.annual import Annual
    from gcr_fast.profiles import Profiles


_COLUMNS = ("profile", "start", "energy_wh", "source_type")


@cache
def manifest() -> dict[str, Any]:
    """Return what ships: `files`, `series`, `country_years`, `refused`, licence and source."""
    import gcr_fast_data

    loaded: dict[str, Any] = gcr_fast_data.manifest()
    return loaded


def attribution() -> str:
    """Return the credit that whoever passes on these profiles, or certificates made from them, must pass on."""
    known = manifest()
    return f"{known['attribution']} ({known['licence'].replace('CC-BY-', 'CC BY ')}, {known['licence_url']})"


def shipped_names(country: str | None = None, year: int | None = None, source_type: str | None = None) -> list[str]:
    """Return the names of the shipped profiles, oldest year first, of one country, year or source type if named."""
    wanted = {"country": country, "year": year, "source_type": source_type}
    return [
        series["name"]
        for series in manifest()["series"]
        if all(value is None or series[key] == value for key, value in wanted.items())
    ]


def shipped_notes(name: str) -> list[str]:
    """Return what is odd about a shipped profile, as `data/SOURCE.md` lists it."""
    return next((list(series["notes"]) for series in manifest()["series"] if series["name"] == name), [])


def shipped_years() -> list[int]:
    """Return the years of the shipped profiles and certificates."""
    return sorted({series["year"] for series in manifest()["series"]})


def annual_path(year: int) -> Path:
    """Return the file of a year's demo certificates; no such year is a `UsageError`."""
    import gcr_fast_data

    for path in gcr_fast_data.certificate_paths():
        if path.stem.endswith(f"-{year}"):
            return Path(path)
    raise UsageError(f"no demo certificates of {year}; there are {', '.join(map(str, shipped_years()))}")


def shipped_annual(year: int) -> Annual:
    """Return a year's demo certificates, one for each shipped profile."""
    from gcr_fast.annual import read_annual

    return read_annual(annual_path(year))


def shipped_profiles(names: Iterable[str] | None = None) -> Profiles:
    """Return the shipped profiles, or those of `names`, reading no more than they need.

    All 244 take about half a second, one a few milliseconds. A name that does not ship is a `UsageError`.
    """
    import gcr_fast_data

    from gcr_fast.profiles import merge

    wanted = None if names is None else set(names)
    unknown = (wanted or set()) - set(shipped_names())
    if unknown:
        raise UsageError(f"no shipped profile {', '.join(sorted(unknown))}; `gcr profiles list` lists them")
    files = [(Path(path), _rows(Path(path), wanted)) for path in gcr_fast_data.profile_paths()]
    return merge(_profiles(path, table) for path, table in files if table.num_rows)


def profiles_for(annual: Annual, default: str | None = None) -> Profiles:
    """Return the shipped profiles that these certificates use: by name, `default`, or country, year and source.

    All of them, if a certificate asks for one that does not ship, so that its refusal can name those that are close.
    """
    asked, known = _asked(annual, default), set(shipped_names())
    return shipped_profiles(asked & known if asked <= known else None)


def _asked(annual: Annual, default: str | None) -> set[str]:
    from gcr_fast.periods import local_year

    table = annual.table
    columns = (table[name].to_pylist() for name in ("profile", "country", "source_type", "zone"))
    return {
        named or default or f"{country}-{local_year(period.start_s, zone)}-{source}"
        for (named, country, source, zone), period in zip(zip(*columns, strict=True), annual.periods(), strict=True)
    }


def _rows(path: Path, wanted: set[str] | None) -> pa.Table:
    """Read the row groups that may hold a wanted name, and of these the rows that do."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        groups = [
            number
            for number in range(file.num_row_groups)
            if wanted is None or _may_hold(file.metadata.row_group(number).column(0).statistics, wanted)
        ]
        table = file.read_row_groups(groups, columns=list(_COLUMNS))
    if wanted is None or not groups:
        return table
    names = table["profile"].cast(pa.string())  # plain text: a dictionary would keep the names filtered out
    return table.set_column(0, "profile", names).filter(pc.is_in(names, pa.array(sorted(wanted))))


def _may_hold(statistics: Any, wanted: set[str]) -> bool:
    return any(statistics.min <= name <= statistics.max for name in wanted)


def _profiles(path: Path, table: pa.Table) -> Profiles:
    """Parse rows of a shipped file. They name that file as their source: its hash stands for them."""
    from gcr_fast.exchange.reading import Source
    from gcr_fast.profiles import Profiles, profiles_from

    read = profiles_from(table)
    credit = attribution()
    by_name = {name: replace(profile, file=path.name, attribution=credit) for name, profile in read.items()}
    return Profiles(by_name, read.findings, (Source(table, path.name, kind="parquet", path=path),))
