"""entsoe-py frames as Parquet, compared with what pandas reads back."""

import math
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from oracle.exports import cells_by_start

from gcr_fast.imports import import_generation
from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
GENERATION, LOAD = EXAMPLES / "entsoe-py-generation.parquet", EXAMPLES / "entsoe-py-load.parquet"
NAMES = {
    ("Solar", "Actual Aggregated"): "solar",
    ("Wind Offshore", "Actual Aggregated"): "wind_offshore",
    ("Hydro Pumped Storage", "Actual Aggregated"): "hydro_pumped_storage",
    ("Hydro Pumped Storage", "Actual Consumption"): "pumping",
}


def watts(value):
    return None if math.isnan(value) else Fraction(str(value)) * 1_000_000 // 1


def test_columns_of_two_levels_are_generation_and_pumping():
    frame = pd.read_parquet(GENERATION)
    readings = read_readings(GENERATION)
    named = {one.kind: one for one in readings.series}
    assert set(named) == set(NAMES.values())
    for levels, kind in NAMES.items():
        wanted = {int(at.timestamp()): watts(value) for at, value in frame[levels].items()}
        assert cells_by_start(named[kind]) == wanted
    assert named["pumping"].role == "consumption"
    assert named["hydro_pumped_storage"].role == "storage"
    assert readings.zone == "Europe/Brussels"


def test_clock_changes_have_23_and_25_hours():
    (one,) = read_readings(GENERATION, How(types=frozenset({"solar"}))).series
    days = [datetime.fromtimestamp(start, ZoneInfo("Europe/Brussels")).date() for start in one.starts.tolist()]
    assert [days.count(day) for day in sorted(set(days))] == [23, 25]


def test_hours_and_quarters_in_one_index_are_not_taken_for_each_other():
    frame = pd.read_parquet(LOAD)["Actual Load"]
    series = {one.interval_s: one for one in read_readings(LOAD).series}
    assert {step: len(one) for step, one in series.items()} == {3600: 24, 900: 32}
    mwh = sum(int(one.values.sum()) * step for step, one in series.items()) / 3.6e9
    change = pd.Timestamp("2025-10-01", tz="Europe/Brussels")
    assert mwh == frame[frame.index < change].sum() + frame[frame.index >= change].sum() / 4
    assert {one.role for one in series.values()} == {"load"}


def test_the_area_is_what_the_user_says():
    readings = read_readings(GENERATION, How(areas=frozenset({"BE"})))
    assert {one.area for one in readings.series} == {"BE"}


def test_plants_are_devices(tmp_path):
    index = pd.date_range("2024-01-01", periods=3, freq="1h", tz="UTC")
    frame = pd.DataFrame({("L'Anneau 1", "Nuclear", "Actual Aggregated"): [900.0, 901.5, None]}, index=index)
    frame.to_parquet(tmp_path / "plants.parquet")
    (one,) = read_readings(tmp_path / "plants.parquet").series
    assert (one.device_id, one.kind) == ("L'Anneau 1", "nuclear")
    assert one.values.tolist() == [900_000_000, 901_500_000, 0]
    assert one.null.tolist() == [False, False, True]


def saved(tmp_path, columns, freq="1h"):
    """Return the path of a frame whose columns have 1, 2, 3 ... MW."""
    index = pd.date_range("2024-01-01", periods=3, freq=freq, tz="Europe/Berlin")
    frame = pd.DataFrame({name: [float(at)] * 3 for at, name in enumerate(columns, start=1)}, index=index)
    frame.to_parquet(tmp_path / "frame.parquet")
    return tmp_path / "frame.parquet"


def energies(path):
    """Return (role, MWh) by name: no two columns have one name, else some of them would contradict another."""
    found = import_generation([path], how=How(areas=frozenset({"DE"})))
    assert not list(found.findings)
    return {name: (one.role, one.energy_wh // 3_000_000) for name, one in found.series.items()}


def test_what_plants_of_a_kind_consume_is_named_after_them(tmp_path):
    kinds = ("Solar", "Wind Onshore", "Hydro Pumped Storage")
    path = saved(tmp_path, [(kind, what) for kind in kinds for what in ("Actual Aggregated", "Actual Consumption")])
    assert energies(path) == {
        "DE-solar": ("generation", 1),
        "DE-solar_consumption": ("consumption", 2),
        "DE-wind_onshore": ("generation", 3),
        "DE-wind_onshore_consumption": ("consumption", 4),
        "DE-hydro_pumped_storage": ("storage", 5),
        "DE-pumping": ("consumption", 6),
    }


def test_what_a_plant_consumes_is_no_second_value_of_it(tmp_path):
    plants = [("Isar 2", "Nuclear"), ("Nord", "Fossil Gas"), ("Nord", "Fossil Oil")]
    path = saved(tmp_path, [(*plant, what) for plant in plants for what in ("Actual Aggregated", "Actual Consumption")])
    assert energies(path) == {
        "Isar 2": ("generation", 1),
        "Isar 2-consumption": ("consumption", 2),
        "Nord-fossil_gas": ("generation", 3),
        "Nord-fossil_gas-consumption": ("consumption", 4),
        "Nord-fossil_oil": ("generation", 5),
        "Nord-fossil_oil-consumption": ("consumption", 6),
    }


def test_columns_of_types_alone_are_generation(tmp_path):
    path = saved(tmp_path, ["Solar", "Fossil Brown coal/Lignite", "Hydro Run-of-river and pondage"], "15min")
    found = read_readings(path).series
    assert {one.kind: one.values[0] for one in found} == {
        "solar": 1_000_000,
        "fossil_lignite": 2_000_000,
        "hydro_run_of_river": 3_000_000,
    }
    assert {(one.role, one.interval_s) for one in found} == {("generation", 900)}


def test_columns_of_plants_and_types_alone_are_devices(tmp_path):
    path = saved(tmp_path, [("Isar 2", "Nuclear"), ("Nord", "Wind Onshore")])
    assert energies(path) == {"Isar 2": ("generation", 1), "Nord": ("generation", 2)}


@pytest.mark.parametrize(
    ("columns", "freq", "said"),
    [
        (["Solar", "Wind Onshore"], "1h", "a forecast looks the same"),
        (["Solar", "Nuclear"], "365D", "installed capacity"),
        (["Solar", "Price"], "1h", "format"),
    ],
)
def test_columns_that_may_be_no_generation_are_refused(tmp_path, refusal, columns, freq, said):
    (finding,) = refusal(read_readings, saved(tmp_path, columns, freq))
    assert said in finding["message"]


def test_forecasts_are_left_out(tmp_path):
    index = pd.date_range("2024-01-01", periods=2, freq="1h", tz="UTC")
    pd.DataFrame({"Forecasted Load": [1.0, 2.0], "Actual Load": [3.0, 4.0]}, index=index).to_parquet(tmp_path / "a")
    readings = read_readings(tmp_path / "a")
    assert readings.left_out == {"Forecasted Load": "no actual energy"}
    assert [one.kind for one in readings.series] == ["load"]


def test_one_time_has_no_length(tmp_path, refusal):
    index = pd.date_range("2024-01-01", periods=1, freq="1h", tz="UTC")
    pd.DataFrame({"Actual Load": [1.0]}, index=index).to_parquet(tmp_path / "a")
    (finding,) = refusal(read_readings, tmp_path / "a")
    assert "length" in finding["message"]


@pytest.mark.parametrize("index", [None, pd.date_range("2024-01-01", periods=2, freq="1h")])
def test_frames_without_a_zone_are_of_no_known_format(index, tmp_path, refusal):
    pd.DataFrame({"Actual Load": [1.0, 2.0]}, index=index).to_parquet(tmp_path / "a")
    (finding,) = refusal(read_readings, tmp_path / "a")
    assert finding["code"] == "unknown_format"


def test_times_that_are_null_or_off_the_minute_are_listed(tmp_path, refusal):
    table = pq.read_table(GENERATION)
    at = table.column_names.index("__index_level_0__")
    times = table.column(at).cast(pa.int64()).to_pylist()
    times[2], times[3] = None, times[3] + 1
    broken = table.set_column(at, table.schema.field(at), pa.array(times).cast(table.schema.field(at).type))
    pq.write_table(broken, tmp_path / "a")
    findings = refusal(read_readings, tmp_path / "a")
    assert [(finding["code"], finding["line"]) for finding in findings] == [("null_value", 3), ("unreadable_value", 4)]


def test_a_pickle_is_never_opened(tmp_path, refusal):
    frame = pd.read_parquet(GENERATION)
    frame.to_pickle(tmp_path / "frame.pkl")
    findings = refusal(read_readings, tmp_path / "frame.pkl")
    assert findings[0]["code"] in {"unknown_format", "unreadable_file"}
