"""Energinet: two price areas in turn, either decimal mark, and technologies in size classes."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from oracle import exports as oracle

from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation.energinet import FORMAT
from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
DOT, COMMA = EXAMPLES / "energinet-dot.csv", EXAMPLES / "energinet-comma.csv"
SETTLEMENT, FIVE = EXAMPLES / "energinet-settlement.json", EXAMPLES / "energinet-5min.json"
OFFSHORE = ["OffshoreWindLt100MW_MWh", "OffshoreWindGe100MW_MWh"]
SOLAR = ["SolarPowerLt10kW_MWh", "SolarPowerGe10Lt40kW_MWh", "SolarPowerGe40kW_MWh", "SolarPowerSelfConMWh"]
FUELS = ["CentralPowerMWh", "LocalPowerMWh", "CommercialPowerMWh", "LocalPowerSelfConMWh"]


def rows_of(path):
    if path.suffix == ".json":
        return json.loads(path.read_text(), parse_float=str, parse_int=str)["records"]
    with path.open() as file:
        return list(csv.DictReader(file, delimiter=";"))


def plain(path, area, columns, time="HourUTC", decimal="."):
    """Return {UTC start: sum of some columns}; None where one of them has no value."""
    found = {}
    for row in rows_of(path):
        if row["PriceArea"] == area:
            start = int(datetime.fromisoformat(row[time]).replace(tzinfo=UTC).timestamp())
            cells = [oracle.number(row[column], 6, decimal=decimal) for column in columns]
            found[start] = None if None in cells else sum(cells)
    return found


@pytest.mark.parametrize(("path", "decimal"), [(DOT, "."), (COMMA, ",")], ids=["dot", "comma"])
def test_hours_are_mwh_of_two_areas_in_either_decimal_mark(path, decimal):
    readings = read_readings(path)
    found = oracle.named(readings)
    columns = {
        "load": ["GrossCon"],
        "wind_offshore": ["OffshoreWindPower"],
        "wind_onshore": ["OnshoreWindPower"],
        "solar": ["SolarPowerProd"],
        "multiple_fuels": ["LocalPowerProd", "CentralProd"],
        "exchange": ["ExchangeContinent", "ExchangeGreatBelt", "ExchangeNordicCountries"],
    }
    assert set(found) == {f"{area}-{kind}" for area in ("DK1", "DK2") for kind in columns}
    for name, one in found.items():
        area, kind = name.split("-")
        assert oracle.values(one) == plain(path, area, columns[kind], decimal=decimal), name
        assert (one.power, one.interval_s) == (False, 3600)
    assert readings.left_out == {
        "NetCon": "load without losses: another way to count it",
        "ElectricBoilerCon": "part of the load",
    }
    assert (readings.format, readings.zone, readings.rows) == ("energinet", "UTC", 12)


def test_the_time_in_utc_counts_not_the_danish_one_that_repeats():
    danish = [row["HourDK"] for row in rows_of(DOT) if row["PriceArea"] == "DK1"]
    assert len(set(danish)) == 5
    assert len(oracle.values(oracle.named(read_readings(DOT))["DK1-solar"])) == 6


def test_where_a_part_has_no_value_the_sum_has_none():
    found = oracle.named(read_readings(DOT))
    assert [int(found[f"{area}-multiple_fuels"].null.sum()) for area in ("DK1", "DK2")] == [1, 0]


def test_size_classes_are_summed_and_what_an_area_lacks_is_no_gap():
    found = oracle.named(read_readings(SETTLEMENT))
    for area in ("DK1", "DK2"):
        assert oracle.values(found[f"{area}-wind_offshore"]) == plain(SETTLEMENT, area, OFFSHORE)
        assert oracle.values(found[f"{area}-solar"]) == plain(SETTLEMENT, area, SOLAR)
        assert oracle.values(found[f"{area}-multiple_fuels"]) == plain(SETTLEMENT, area, FUELS)
    assert int(found["DK1-solar"].null.sum()) == 1
    assert oracle.values(found["DK2-exchange"]) == plain(SETTLEMENT, "DK2", ["ExchangeGreatBelt_MWh"])
    assert "DK2-hydro" not in found
    assert read_readings(SETTLEMENT).left_out["DK2 HydroPowerMWh"] == "no value in any row"


def test_five_minutes_are_mw_and_newest_first():
    readings = read_readings(FIVE)
    found = oracle.named(readings)
    for area in ("DK1", "DK2"):
        for kind, columns in {
            "solar": ["SolarPower"],
            "multiple_fuels": ["ProductionLt100MW", "ProductionGe100MW"],
            "wind_onshore": ["OnshoreWindPower"],
        }.items():
            one = found[f"{area}-{kind}"]
            assert oracle.values(one) == plain(FIVE, area, columns, "Minutes5UTC")
            assert (one.power, one.interval_s) == (True, 300)
    assert (one.starts[1:] < one.starts[:-1]).all()
    assert readings.notes == {"records": "8 of the 2000000 that the dataset has"}
    assert readings.left_out == {"BornholmSE4": "part of the exchange with Sweden"}


def test_an_area_may_be_chosen():
    readings = read_readings(DOT, How(areas=frozenset({"DK2"}), types=frozenset({"generation"})))
    assert {one.area for one in readings.series} == {"DK2"}
    assert {one.role for one in readings.series} == {"generation"}


def test_times_with_offset_or_seconds(write):
    text = DOT.read_text()
    wanted = oracle.values(read_readings(DOT).series[0])
    for pattern in ("{}T{}:00", "{} {}:00", "{}T{}:00+00:00"):
        lines = [line.split(";") for line in text.splitlines()]
        changed = [lines[0], *([pattern.format(*line[0].split(" ")), *line[1:]] for line in lines[1:])]
        path = write("\n".join(";".join(line) for line in changed))
        assert oracle.values(read_readings(path).series[0]) == wanted


def test_a_list_of_records_alone(write):
    path = write(json.dumps(json.loads(SETTLEMENT.read_text())["records"]))
    assert len(read_readings(path).series) == len(read_readings(SETTLEMENT).series)


# --- refusals


def test_every_bad_cell_is_named(write, refusal):
    lines = [line.split(";") for line in DOT.read_text().splitlines()]
    lines[2][6], lines[5][6], lines[6][3] = "x", "1e30", "1,5"
    found = refusal(read_readings, write("\n".join(";".join(line) for line in lines)))
    assert {item["code"] for item in found} <= {"unreadable_value", "ambiguous_number"}
    lines[6][3] = "1.5"
    found = refusal(read_readings, write("\n".join(";".join(line) for line in lines)))
    assert [(item["line"], item["column"], item["value"]) for item in found] == [
        (3, "OffshoreWindPower", "x"),
        (6, "OffshoreWindPower", "1e30"),
    ]


def test_a_record_without_its_time_or_area_is_named(write, refusal):
    document = json.loads(SETTLEMENT.read_text())
    del document["records"][1]["HourUTC"], document["records"][3]["PriceArea"]
    found = refusal(read_readings, write(json.dumps(document)))
    assert sorted((item["line"], item["column"]) for item in found) == [(2, "HourUTC"), (4, "PriceArea")]


@pytest.mark.parametrize("text", ['{"records": 5, "HourUTC": "PriceArea"}', '["HourUTC", "PriceArea"]'])
def test_json_of_another_shape_is_refused(write, refusal, text):
    (finding,) = refusal(FORMAT.read, open_file(write(text)), How())
    assert "no list of records" in finding["message"]


def test_prices_are_refused(write, refusal):
    text = "HourUTC;HourDK;PriceArea;SpotPriceDKK\n2022-12-31 23:00;2023-01-01 00:00;DK1;14,950000\n"
    (finding,) = refusal(read_readings, write(text))
    assert (finding["code"], "SpotPriceDKK: price" in finding["message"]) == ("empty_file", True)


def test_a_missing_column_is_named(write, refusal):
    (finding,) = refusal(FORMAT.read, open_file(write("HourDK;SolarPower\n2023-01-01 00:00;1\n")), How())
    assert (finding["code"], "HourUTC" in finding["message"]) == ("missing_column", True)


def test_day_first_is_refused(write, refusal):
    found = refusal(read_readings, write(DOT.read_text().replace("2024-10-27 0", "27-10-2024 0")))
    assert {item["code"] for item in found} == {"unreadable_value"}
    assert {item["column"] for item in found} == {"HourUTC"}


# --- real lines


def test_real_five_minutes_are_read_as_by_hand(real_data):
    path = real_data / "samples" / "energinet" / "ElectricityProdex5MinRealtime.json"
    found = oracle.named(read_readings(path))
    assert len(found) == 10
    for area in ("DK1", "DK2"):
        for kind, columns in {
            "solar": ["SolarPower"],
            "wind_offshore": ["OffshoreWindPower"],
            "multiple_fuels": ["ProductionLt100MW", "ProductionGe100MW"],
        }.items():
            assert oracle.values(found[f"{area}-{kind}"]) == plain(path, area, columns, "Minutes5UTC")
            assert len(found[f"{area}-{kind}"]) == 50


def test_a_real_line_of_hours(real_data):
    path = real_data / "samples" / "energinet" / "electricitybalance_quoted_line.csv"
    found = oracle.named(read_readings(path))
    assert found["DK2-wind_offshore"].values.tolist() == [386_969_134]
    assert oracle.values(found["DK2-multiple_fuels"]) == plain(path, "DK2", ["LocalPowerProd", "CentralProd"])
