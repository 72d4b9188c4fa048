"""IESO: reports in XML and CSV, whose clock is UTC-5 all year and whose hours are named by their end."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from oracle.exports import cells_by_start

from gcr_fast.codes import QUALITIES
from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation.formats import BY_NAME, read_as, read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
BY_FUEL, BY_GENERATOR = EXAMPLES / "ieso-fuel.xml", EXAMPLES / "ieso-capability.xml"
MONTH, DEMAND = EXAMPLES / "ieso-month.csv", EXAMPLES / "ieso-demand.csv"
MW = 1_000_000
KINDS = {
    "NUCLEAR": "nuclear",
    "GAS": "fossil_gas",
    "HYDRO": "hydro",
    "WIND": "wind",
    "SOLAR": "solar",
    "BIOFUEL": "biomass",
}


def start_of(day, hour):
    """The hour that ends `hour` hours after midnight of Eastern Standard Time."""
    return int((datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(hours=int(hour) + 4)).timestamp())


def watts(text):
    return int(text) * MW if text else None


def by_fuel(path, namespace):
    """Watts by series and start; a missing output is None."""
    found = {}
    for daily in ElementTree.parse(path).iter(f"{namespace}DailyData"):
        day = daily.findtext(f"{namespace}Day")
        for hourly in daily.iter(f"{namespace}HourlyData"):
            start = start_of(day, hourly.findtext(f"{namespace}Hour"))
            for total in hourly.iter(f"{namespace}FuelTotal"):
                name = f"IESO-{KINDS[total.findtext(f'{namespace}Fuel')]}"
                value = total.findtext(f"{namespace}EnergyValue/{namespace}Output")
                found.setdefault(name, {})[start] = watts(value)
    return found


def by_generator(path):
    root = ElementTree.parse(path).getroot()
    ns = "{http://www.theIMO.com/schema}"
    day = root.findtext(f".//{ns}Date")
    return {
        generator.findtext(f"{ns}GeneratorName"): {
            start_of(day, output.findtext(f"{ns}Hour")): watts(output.findtext(f"{ns}EnergyMW"))
            for output in generator.iter(f"{ns}Output")
        }
        for generator in root.iter(f"{ns}Generator")
    }


def monthly(path):
    found = {}
    lines = [line for line in path.read_text().splitlines() if not line.startswith("\\")]
    for row in csv.DictReader(lines):
        if row["Measurement"] == "Output":
            starts = found.setdefault(row["Generator"], {})
            starts |= {start_of(row["Delivery Date"], h): watts(row[f"Hour {h}"]) for h in range(1, 25)}
    return found


def test_output_by_fuel_with_the_real_namespace():
    readings = read_readings(BY_FUEL)
    assert {one.name: cells_by_start(one) for one in readings.series} == by_fuel(BY_FUEL, "{http://www.ieso.ca/schema}")
    assert {(one.power, one.interval_s) for one in readings.series} == {(True, 3600)}


def test_the_report_of_another_namespace_or_none(write):
    text = BY_FUEL.read_text()
    for new in ("", ' xmlns="http://www.theIMO.com/schema"'):
        path = write(text.replace(' xmlns="http://www.ieso.ca/schema"', new), "report.xml")
        assert len(read_readings(path).series) == 6


def test_an_output_that_is_not_there_is_a_gap_and_one_of_poor_quality_is_imputed():
    readings = read_readings(BY_FUEL)
    found = {one.kind: one for one in readings.series}
    assert found["wind"].null.tolist() == [False, False, False, True, False, False, False]
    assert [QUALITIES[code] for code in found["fossil_gas"].quality.tolist()] == ["measured"] * 4 + ["imputed"] + [
        "measured"
    ] * 2
    assert found["nuclear"].quality is None
    assert list(readings.notes) == ["1 hours"]


@pytest.mark.parametrize("path", [BY_FUEL, BY_GENERATOR, MONTH, DEMAND])
def test_eastern_standard_time_all_year(path):
    readings = read_readings(path)
    assert readings.zone == "-05:00"
    for one in readings.series:
        assert all(datetime.fromtimestamp(start, UTC).minute == 0 for start in one.starts.tolist())


def test_a_day_on_which_clocks_are_changed_elsewhere_has_24_hours():
    for path in (BY_GENERATOR, MONTH):
        one = read_readings(path).series[0]
        first = start_of("2023-11-05", 1)
        hours = [start for start in one.starts.tolist() if first <= start < first + 86_400]
        assert hours == [first + 3600 * at for at in range(24)]


def test_the_year_begins_at_five_utc():
    assert {len(one) for one in read_readings(BY_FUEL, How(year=2023)).series} == {7}
    (load,) = read_readings(DEMAND, How(year=2023)).series
    assert datetime.fromtimestamp(int(load.starts[-1]), UTC) == datetime(2024, 1, 1, 4, tzinfo=UTC)


def test_generators_are_devices_and_only_their_output_is_read():
    readings = read_readings(BY_GENERATOR)
    assert {one.name: cells_by_start(one) for one in readings.series} == by_generator(BY_GENERATOR)
    assert {one.device_id for one in readings.series} == {"MAPLE-G1", "PINE FALLS", "BIRCH BESS", "ROCK-G2"}
    assert set(readings.left_out) == {"Capabilities", "Capacities"}


@pytest.mark.parametrize("path", [BY_GENERATOR, MONTH])
def test_batteries_listed_as_other_are_storage(path):
    roles = {one.name: (one.kind, one.role) for one in read_readings(path).series}
    assert roles["BIRCH BESS"] == ("battery_storage", "storage")
    assert roles["ROCK-G2"] == ("other", "generation")


@pytest.mark.parametrize("path", [BY_GENERATOR, MONTH])
def test_a_pumped_station_listed_as_hydro_is_storage(path, write):
    """PGS is pumped generating station; other names that end so (KAPGS) are none."""
    text = path.read_text().replace("PINE FALLS", "BECK2 PGS").replace("MAPLE-G1", "KAPGS")
    found = {one.name: one for one in read_readings(write(text, path.name)).series}
    pumped = found["BECK2 PGS"]
    assert (pumped.kind, pumped.role, pumped.source_type) == ("hydro_pumped_storage", "storage", "storage_discharge")
    assert found["KAPGS"].role == "generation"


def test_the_month_has_lines_before_its_header_and_commas_behind_its_rows():
    readings = read_readings(MONTH)
    assert {one.name: cells_by_start(one) for one in readings.series} == monthly(MONTH)
    assert readings.rows == 36
    assert readings.dropped == {
        "rows of Capability: what a generator could do": 12,
        "rows of Available Capacity: what a generator had available, a forecast for wind and sun": 6,
        "rows of Forecast: a forecast": 6,
    }


def test_a_month_without_the_commas_is_the_same(write):
    text = "\n".join(line.removesuffix(",") for line in MONTH.read_text().splitlines())
    assert {one.name: cells_by_start(one) for one in read_readings(write(text)).series} == monthly(MONTH)


def test_demand_is_ontarios():
    readings = read_readings(DEMAND)
    (load,) = readings.series
    lines = [line for line in DEMAND.read_text().splitlines() if not line.startswith("\\")]
    rows = list(csv.DictReader(lines))
    assert cells_by_start(load) == {start_of(row["Date"], row["Hour"]): watts(row["Ontario Demand"]) for row in rows}
    assert (load.name, load.role) == ("IESO-load", "load")
    assert readings.left_out == {"Market Demand": "Ontario's demand and its exports"}


@pytest.mark.parametrize(
    ("path", "old", "new", "column", "value", "line"),
    [
        (BY_FUEL, "<Output>1001<", "<Output>many<", "Output", "many", 1),
        (BY_FUEL, "<Day>2023-01-01<", "<Day>01.01.2023<", "Day", "01.01.2023", None),
        (BY_FUEL, "<Hour>1<", "<Hour>25<", "Hour", "25", 1),
        (BY_GENERATOR, "<EnergyMW>801<", "<EnergyMW>8o1<", "Output", "8o1", 1),
        (MONTH, "Output,801,", "Output,8o1,", "Hour 1", "8o1", 5),
        (MONTH, "2023-11-04,MAPLE-G1,NUCLEAR,Output", "11/4/2023,MAPLE-G1,NUCLEAR,Output", None, "11/4/2023", 5),
        (DEMAND, "2023-01-01,1,", "2023-01-01,0,", "Hour", "0", 5),
        (DEMAND, "2023-01-01,1,15001,13510", "2023-01-01,1,15001,x", "Ontario Demand", "x", 5),
    ],
)
def test_bad_cells_are_refused(path, old, new, column, value, line, write, refusal):
    found = refusal(read_readings, write(path.read_text().replace(old, new, 1), f"bad{path.suffix}"))
    assert {item["value"] for item in found} == {value}
    assert column is None or {item["column"] for item in found} == {column}
    assert line is None or found[0]["line"] == line


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (BY_FUEL, "<EnergyValue>", "<Energy>", "damaged XML"),
        (BY_FUEL, "EnergyValue>", "Energy>", "FuelTotal without EnergyValue"),
        (BY_GENERATOR, "GeneratorName>", "Name>", "Generator without GeneratorName"),
        (MONTH, "Hour 7,", "", "no column Hour 7"),
        (MONTH, ",Hour 1,", ",Hour 30,", "no column Hour 1"),
    ],
)
def test_other_shapes_are_refused(path, old, new, said, write, refusal):
    count = 1 if said == "damaged XML" else -1
    file = open_file(write(path.read_text().replace(old, new, count), f"bad{path.suffix}"))
    (found,) = refusal(read_as, file, BY_NAME[f"ieso-{path.suffix[1:]}"], How())
    assert said in found["message"]


def test_every_short_row_of_a_month_is_listed(write, refusal):
    lines = MONTH.read_text().splitlines()
    lines[4], lines[9] = lines[4][:40], lines[9] + "7,8"
    found = refusal(read_readings, write("\n".join(lines)))
    assert [(item["code"], item["line"]) for item in found] == [("malformed_row", 5), ("malformed_row", 10)]


def test_a_real_day_of_180_generators(real_data):
    path = real_data / "samples" / "ieso" / "PUB_GenOutputCapability_20230901.xml"
    readings = read_readings(path)
    expected = by_generator(path)
    assert {one.name: cells_by_start(one) for one in readings.series} == {
        name: values for name, values in expected.items() if any(wh is not None for wh in values.values())
    }
    assert len(expected) == 180
    assert {len(one) for one in readings.series} == {24}


def test_a_real_report_by_fuel(real_data):
    path = real_data / "samples" / "ieso" / "PUB_GenOutputbyFuelHourly_2023.reduced.xml"
    readings = read_readings(path)
    assert {one.name: cells_by_start(one) for one in readings.series} == by_fuel(path, "")
    gas = next(one for one in readings.series if one.kind == "fossil_gas")
    assert {QUALITIES[code] for code in gas.quality.tolist()} == {"imputed"}


def test_a_real_month(real_data):
    path = real_data / "samples" / "ieso" / "PUB_GenOutputCapabilityMonth_202310.head.csv"
    assert {one.name: cells_by_start(one) for one in read_readings(path).series} == monthly(path)
