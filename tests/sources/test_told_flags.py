"""What publishers say beside their values, from each format that tells it to the written table, in their own words."""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import corpus
import pytest

import gcr_fast as gcr
from gcr_fast.imports import import_generation
from gcr_fast.sources.generation.formats import FORMATS, read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent / "examples"
TELLING = {
    "aemo-nem", "eco2mix", "eia930-bulk", "elexon", "ercot-fuel", "gc-registry", "green-button", "ieso-xml", "mapped",
    "pvgis",
}  # fmt: skip


def words_of(one):
    """The word of each reading, or None; nothing at all where no word is said."""
    if one.flags is None:
        return None
    return [one.flags.words[code] if code >= 0 else None for code in one.flags.codes.tolist()]


def series(path, name, **told):
    return next(one for one in read_readings(path, **told).series if one.name == name)


def rows_of(path):
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file, delimiter=";" if path.stem == "eco2mix-labels" else ","))


def test_eia_says_whether_a_value_was_imputed_or_adjusted(tmp_path):
    raw, rows = "Net Generation (MW) from Wind", rows_of(EXAMPLES / "eia930-bulk.csv")
    rows[10][f"{raw} (Adjusted)"] = "1,143"
    with (tmp_path / "eia.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    wind = series(tmp_path / "eia.csv", "PJM-wind")
    plain = []
    for row in rows:
        if row["Balancing Authority"] == "PJM":
            adjusted = row[f"{raw} (Adjusted)"] not in {"", row[raw]}
            said = adjusted and ("Imputed" if row[f"{raw} (Imputed)"] else "Adjusted")
            plain.append(said or None)
    assert words_of(wind) == plain
    assert set(plain) == {None, "Imputed", "Adjusted"}
    assert series(EXAMPLES / "eia930-bulk.csv", "PJM-nuclear").flags is None


def test_ercot_says_how_a_day_was_settled():
    plain = Counter()
    for row in rows_of(EXAMPLES / "ercot-fuel-autumn.csv"):
        quarters = [name for name in row if ":" in name and ("DST" not in name or "11-05" in row["Date"])]
        plain[row["Fuel"], row["Settlement Type"]] += len(quarters)
    found = {one.column: one for one in read_readings(EXAMPLES / "ercot-fuel-autumn.csv").series}
    assert {
        (name, word): count for name, one in found.items() for word, count in Counter(words_of(one)).items()
    } == plain


def test_ercot_tells_days_apart_that_were_settled_otherwise(write):
    text = (EXAMPLES / "ercot-fuel-autumn.csv").read_text()
    lines = [line.replace("FINAL", "INITIAL") if line.startswith("2023-11-05") else line for line in text.split("\n")]
    one = series(write("\n".join(lines), "ercot.csv"), "ERCOT-wind")
    assert Counter(words_of(one)) == {"FINAL": 96, "INITIAL": 100}


def test_a_workbook_says_it_of_every_sheet():
    pytest.importorskip("openpyxl")
    said = {word for one in read_readings(EXAMPLES / "ercot-fuel.xlsx").series for word in words_of(one)}
    assert said == {"FINAL", "INITIAL"}


def test_ieso_says_the_quality_of_an_output_and_of_one_that_is_not_there():
    text = (EXAMPLES / "ieso-fuel.xml").read_text()
    totals = re.findall(r"<Fuel>(\w+)</Fuel>.*?<OutputQuality>(-?\d+)</OutputQuality>", text, re.DOTALL)
    plain = {}
    for fuel, quality in totals:
        plain.setdefault(fuel, []).append(quality)
    found = {one.column: words_of(one) for one in read_readings(EXAMPLES / "ieso-fuel.xml").series}
    assert found == {fuel: words for fuel, words in plain.items() if fuel in found}
    assert {"0", "-3"} <= {word for words in found.values() for word in words}


def test_green_button_says_the_number_of_the_quality():
    one = next(one for one in read_readings(EXAMPLES / "green-button.xml").series if one.role == "generation")
    assert words_of(one) == [None] * 5 + ["8"] + [None] * 6


def test_elexon_says_the_run_that_an_interval_was_settled_in_last(write):
    rows = [("II", 1), ("SF", 2), ("R1", 3)]
    head = "BmUnit,NationalGridBmUnitId,SettlementDate,SettlementPeriod,HalfHourEndTime,SettlementRunType,Quantity\n"
    line = "T_X-1,X-1,2024-01-10,{},01/10/2024 {:02d}:{}:00,{},{}\n"
    first = "".join(line.format(1, 0, "30", run, wh) for run, wh in rows)
    second = line.format(2, 1, "00", "II", 4)
    (one,) = read_readings(write(head + second + first, "b1610.csv")).series
    assert (one.values.tolist(), words_of(one)) == ([4_000_000, 3_000_000], ["II", "R1"])
    assert read_readings(EXAMPLES / "elexon-fuelhh.csv").series[0].flags is None


@pytest.mark.parametrize("name", ["eco2mix.json", "eco2mix-labels.csv"])
def test_eco2mix_says_the_nature_of_a_record(name):
    if name.endswith("json"):
        records = [record["fields"] for record in json.loads((EXAMPLES / name).read_text())["records"]]
        said = {record["nature"] for record in records if record.get("consommation") is not None}
    else:
        said = {row["Nature"] for row in rows_of(EXAMPLES / name) if row["Consommation (MW)"]}
    found = {one.name: set(words_of(one)) for one in read_readings(EXAMPLES / name).series}
    assert set().union(*found.values()) == said
    assert said


def test_aemo_says_which_estimate_of_the_rooftops_is_kept():
    found = {one.area: set(words_of(one)) for one in read_readings(EXAMPLES / "aemo-nem-rooftop.csv").series}
    assert found == {"NSW1": {"MEASUREMENT"}, "QLD1": {"MEASUREMENT"}, "TAS1": {"SATELLITE"}}
    assert read_readings(EXAMPLES / "aemo-nem-scada.csv").series[0].flags is None


def test_the_registry_says_whether_a_reading_is_net_or_gross():
    found = {one.device_id: set(words_of(one)) for one in read_readings(EXAMPLES / "gc-registry.csv").series}
    assert found == {"7": {"NET"}, "12": {"GROSS"}}


@pytest.mark.parametrize("name", ["pvgis.csv", "pvgis-hours.json"])
def test_pvgis_says_which_hours_it_reconstructed(name, write):
    text = (EXAMPLES / name).read_text()
    assert read_readings(EXAMPLES / name).series[0].flags is None
    old, new = (("5.0,1.3,0.0", "5.0,1.3,1.0"), ('"Int": 0.0', '"Int": 1.0'))[name.endswith("json")]
    assert old in text
    one = read_readings(write(text.replace(old, new, 1), name)).series[0]
    first = next(at for at, word in enumerate(words_of(one)) if word)
    assert words_of(one) == [None] * first + ["reconstructed"] + [None] * (len(one) - first - 1)
    assert "Int" not in read_readings(EXAMPLES / name).left_out


MAPPING = {"time": {"column": "t", "marks": "begin", "minutes": 60}, "unit": "kWh", "flags": "run", "area": "XX"}
TABLE = "t,run,solar,kind\n2024-01-01T00:00Z,SF,1,solar\n2024-01-01T01:00Z,,2,solar\n2024-01-01T02:00Z, R1 ,3,solar\n"


@pytest.mark.parametrize(
    "shape", [{"columns": {"solar": "solar"}}, {"value": "solar", "series": {"kind": "kind"}}], ids=["wide", "long"]
)
def test_a_mapping_names_the_column_of_flags(shape, write):
    readings = read_readings(write(TABLE), How(mapping=MAPPING | shape))
    assert words_of(readings.series[0]) == ["SF", None, "R1"]
    assert "run" not in readings.left_out


def test_a_mapping_that_names_no_such_column_is_refused(write, refusal):
    told = How(mapping=MAPPING | {"columns": {"solar": "solar"}, "flags": "state"})
    assert "no column state" in refusal(read_readings, write(TABLE), told)[0]["message"]


@pytest.mark.parametrize("path", corpus.READABLE, ids=lambda path: path.name)
def test_every_other_format_says_nothing(path):
    readings = corpus.read(path)
    assert readings.format in TELLING or all(one.flags is None for one in readings.series)
    for one in readings.series:
        assert one.flags is None or (len(one.flags.codes) == len(one) and all(one.flags.words))


def test_the_quirks_of_a_format_that_tells_say_what_the_flag_is():
    silent = {one.name for one in FORMATS if not any("flag" in quirk for quirk in one.quirks)}
    assert {one.name for one in FORMATS} - silent == TELLING


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "csv"])
def test_flags_are_written_and_do_not_hinder_a_conversion(tmp_path, suffix):
    imported = import_generation([EXAMPLES / "ercot-fuel-autumn.csv"])
    table = imported.to_table()
    assert Counter(table["flags"].to_pylist()) == {"FINAL": table.num_rows}
    assert sum((Counter(one.flags) for one in imported.series.values()), Counter()) == {"FINAL": table.num_rows}
    out = tmp_path / f"profiles.{suffix}"
    imported.write(out)
    profiles = gcr.read_profiles(out)
    assert set(profiles) == {"ERCOT-wind", "ERCOT-fossil_gas_ccgt"}
    assert set(profiles.findings.counts()) == {"not_generation"}


def test_where_nobody_says_anything_the_column_is_empty_and_shared():
    table = import_generation([EXAMPLES / "opsd.csv"]).to_table()
    assert table["flags"].null_count == table.num_rows
    chunks = table["flags"].chunks
    assert len(chunks) > 1
    assert len({chunk.indices.buffers()[1].address for chunk in chunks}) == 1
