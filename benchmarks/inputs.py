"""The input of every benchmark: real profiles as shipped, and made-up annual certificates spread over them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gcr_fast_data
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

YEAR = 2020
HOURS = 8784
WH_PER_MWH = 1_000_000
SEED = 2020
OWNERS = ("Aare Energie", "Blue River Power", "Coastal Wind", "Danube Green", "Ember Trading")
PURPOSES = ("conversion", "end_use")

PLANT_MWH = {
    "solar": 60_000,
    "wind_onshore": 300_000,
    "wind_offshore": 2_000_000,
    "hydro_run_of_river": 800_000,
    "hydro_reservoir": 500_000,
    "biomass": 150_000,
    "geothermal": 250_000,
    "waste": 150_000,
    "nuclear": 10_000_000,
}
"""The most that one plant of a kind makes in a year, about: certificates are drawn from 1 MWh up to it."""

NAMES = (
    "AT-2020-biomass",
    "AT-2020-hydro_run_of_river",
    "AT-2020-wind_onshore",
    "BE-2020-waste",
    "BE-2020-wind_onshore",
    "CZ-2020-nuclear",
    "DE-2020-solar",
    "DE-2020-wind_offshore",
    "FI-2020-biomass",
    "FI-2020-hydro_run_of_river",
    "FI-2020-wind_onshore",
    "GB-2020-solar",
    "GB-2020-wind_offshore",
    "IT-2020-geothermal",
    "LT-2020-wind_onshore",
    "PT-2020-solar",
    "PT-2020-wind_onshore",
    "RO-2020-hydro_reservoir",
    "RO-2020-hydro_run_of_river",
    "RO-2020-solar",
)
"""Nine kinds of source and ten countries, in three windows of UTC."""


@dataclass(frozen=True)
class Inputs:
    """The same certificates and profiles, in memory."""

    annual: pa.Table
    profiles: pa.Table

    @property
    def device_years(self) -> int:
        """How many annual certificates."""
        return int(self.annual.num_rows)

    @property
    def hours(self) -> int:
        """Hours to compute, those without energy included."""
        return self.device_years * HOURS

    def save(self, folder: Path) -> Files:
        """Write both tables as Parquet."""
        files = Files(folder / f"annual-{self.device_years}.parquet", folder / "profiles.parquet")
        pq.write_table(self.annual, files.annual)
        pq.write_table(self.profiles, files.profiles)
        return files


@dataclass(frozen=True)
class Files:
    """The same certificates and profiles, as Parquet files."""

    annual: Path
    profiles: Path


@cache
def profiles() -> pa.Table:
    """Return the chosen profiles in long form, ordered by profile and start; their words as plain text."""
    path = next(path for path in gcr_fast_data.profile_paths() if str(YEAR) in path.name)
    table = pq.read_table(path, columns=["profile", "start", "energy_wh", "source_type"])
    for at, name in ((0, "profile"), (3, "source_type")):
        table = table.set_column(at, name, table[name].cast(pa.string()))
    chosen = table.filter(pc.is_in(table["profile"], value_set=pa.array(NAMES)))
    chosen = chosen.sort_by([("profile", "ascending"), ("start", "ascending")]).combine_chunks()
    assert chosen.num_rows == len(NAMES) * HOURS
    return chosen.cast(chosen.schema.set(1, pa.field("start", pa.timestamp("ms", "UTC")))).replace_schema_metadata()


def inputs(device_years: int) -> Inputs:
    """Return that many annual certificates, evenly spread over the profiles, in mixed order; always the same."""
    rng = np.random.default_rng([SEED, device_years])
    which = rng.permutation(np.arange(device_years) % len(NAMES))
    kinds = np.array([name.split("-", 2)[2] for name in NAMES])
    most = np.array([PLANT_MWH[kind] for kind in kinds])
    names = np.array(NAMES)[which]
    first, last = _windows()
    return Inputs(
        pa.table(
            {
                "certificate_id": [f"GO-{YEAR}-{name[:2]}-{at:08d}" for at, name in enumerate(names, start=1)],
                "energy_wh": rng.integers(1, most[which], endpoint=True) * WH_PER_MWH,
                "production_start": first.take(which),
                "production_end": last.take(which),
                "source_type": kinds[which],
                "profile": names,
                "status": pa.repeat("CANCELED", device_years),
                "purpose": np.array(PURPOSES)[(rng.random(device_years) < 0.2).astype(np.int64)],
                "beneficiary": pa.repeat("A consumer", device_years),
                "owner": np.array(OWNERS)[rng.integers(0, len(OWNERS), device_years)],
                "country": [name[:2] for name in names],
                "allocation_basis": pa.repeat("regional_technology_profile", device_years),
            }
        ),
        profiles(),
    )


def _windows() -> tuple[pa.Array, pa.Array]:
    """Return each profile's first start and last end."""
    starts = profiles()["start"].combine_chunks()
    first = starts.take(pa.array(np.arange(len(NAMES)) * HOURS))
    hours = pa.array(np.full(len(NAMES), HOURS * 3_600_000), pa.duration("ms"))
    return first, pc.add(first, hours)
