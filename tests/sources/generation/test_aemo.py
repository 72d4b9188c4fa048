"""AEMO: records of the eastern market (five minutes that end, regions and their parts), tables of the western one."""

import csv
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

import pytest
from oracle.exports import named, values_by_start

from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
SCADA, ROOFTOP = EXAMPLES / "aemo-nem-scada.csv", EXAMPLES / "aemo-nem-rooftop.csv"
FACILITIES, SOLAR = EXAMPLES / "aemo-wem-facilities.csv", EXAMPLES / "aemo-wem-solar.csv"
EAST, WEST = timezone(timedelta(hours=10)), timezone(timedelta(hours=8))


def second(label, place):
    return int(datetime.fromisoformat(label.replace("/", "-")).replace(tzinfo=place).timestamp())


def records_of(path):
    """The D records of a file as dictionaries, columns named by its I record."""
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    (names,) = (row[4:] for row in rows if row[0] == "I")
    return [dict(zip(names, row[4:], strict=True)) for row in rows if row[0] == "D"]


def scaled(cell):
    return Fraction(cell) * 10**6 // 1


def test_units_have_five_minutes_that_end_in_eastern_standard_time():
    """6 October 2024, 02:00 to 03:00 did not exist in Sydney; the market does not notice."""
    wanted = {}
    for row in records_of(SCADA):
        if row["SCADAVALUE"]:
            start = second(row["SETTLEMENTDATE"], EAST) - 300
            wanted.setdefault(row["DUID"], {})[start] = scaled(row["SCADAVALUE"])
    readings = read_readings(SCADA)
    assert {name: values_by_start(one) for name, one in named(readings).items()} == wanted
    assert {(one.power, one.interval_s) for one in readings.series} == {(True, 300)}
    assert readings.zone == "+10:00"
    assert max(wanted["EXBL1"].values()) < 0  # a load keeps its sign


def test_a_unit_without_values_is_left_out_by_name():
    assert read_readings(SCADA).left_out == {"EXNEW1": "no value in any row"}


def test_a_map_says_what_units_burn_and_those_it_lacks_are_named():
    readings = read_readings(SCADA, How(units={"EXWF1": "wind", "EXPS1": "storage_discharge"}))
    assert {name: (one.source_type, one.role) for name, one in named(readings).items()} == {
        "EXWF1": ("wind", "generation"),
        "EXPS1": ("storage_discharge", "storage"),
        "EXBL1": (None, "generation"),
    }
    assert set(readings.notes) == {"EXBL1", "EXNEW1"}
    assert set(read_readings(SCADA).notes) == {"every unit"}


def test_rooftop_keeps_whole_regions_and_one_estimate_of_each():
    readings = read_readings(ROOFTOP)
    wanted = {}
    for row in records_of(ROOFTOP):  # a later row of the same half hour was published later
        kept = "SATELLITE" if row["REGIONID"] == "TAS1" else "MEASUREMENT"
        if row["REGIONID"].endswith("1") and row["TYPE"] == kept:
            start = second(row["INTERVAL_DATETIME"], EAST) - 1800
            wanted.setdefault(f"{row['REGIONID']}-solar", {})[start] = scaled(row["POWER"])
    assert {name: values_by_start(one) for name, one in named(readings).items()} == wanted
    assert {one.interval_s for one in readings.series} == {1800}
    assert readings.left_out == {
        "NSW1 SATELLITE": "another estimate of the same; MEASUREMENT is kept",
        "QLD1 SATELLITE": "another estimate of the same; MEASUREMENT is kept",
        "QLDN MEASUREMENT": "a part of a region, which is there as a whole",
        "QLDN SATELLITE": "a part of a region, which is there as a whole",
        "TASS MEASUREMENT": "a part of a region, which is there as a whole",
        "TASS SATELLITE": "a part of a region, which is there as a whole",
    }
    assert sum(readings.dropped.values()) == 1
    assert 1_111_500_000 in wanted["NSW1-solar"].values()


def test_lines_without_their_i_record_are_read_by_their_place(write):
    text = "".join(line for line in SCADA.read_text().splitlines(keepends=True) if line.startswith("D,"))
    assert {n: values_by_start(o) for n, o in named(read_readings(write(text))).items()} == {
        n: values_by_start(o) for n, o in named(read_readings(SCADA)).items()
    }


@pytest.mark.parametrize("cells", [1, 2])
def test_a_record_without_its_i_record_that_ends_before_its_value_is_refused(cells, write, refusal):
    line = next(line for line in SCADA.read_text().splitlines() if line.startswith("D,"))
    cut = ",".join(line.split(",")[: 4 + cells])
    (finding,) = refusal(read_readings, write(f"{cut}\n"))
    assert finding["code"] == "missing_column"
    assert finding["line"] == 1
    assert "SCADAVALUE" in finding["message"]


def test_columns_are_found_by_name(write):
    lines = SCADA.read_text().splitlines()
    moved = [lines[0]]
    for line in lines[1:-1]:
        *lead, time, unit, value, changed = line.split(",")
        moved.append(",".join([*lead, value, time, changed, unit]))
    assert {n: values_by_start(o) for n, o in named(read_readings(write("\n".join([*moved, lines[-1]])))).items()} == {
        n: values_by_start(o) for n, o in named(read_readings(SCADA)).items()
    }


def test_other_tables_of_a_file_are_left_out_by_name_and_lines_stay_right(write, refusal):
    lines = SCADA.read_text().splitlines()
    price = ["I,DISPATCH,PRICE,5,SETTLEMENTDATE,RRP", 'D,DISPATCH,PRICE,5,"2024/10/06 02:00:00",85.5']
    text = "\n".join([lines[0], *price, *lines[1:-1], f'C,"END OF REPORT",{len(lines) + 2}'])
    readings = read_readings(write(text))
    assert readings.left_out["DISPATCH PRICE"] == "another table"
    assert len(readings.series) == 3
    (finding,) = refusal(read_readings, write(text.replace("EXWF1,", "EXWF1,much", 1)))
    assert text.splitlines()[finding["line"] - 1].startswith('D,DISPATCH,UNIT_SCADA,1,"2024/10/06 02:00:00",EXWF1,')


@pytest.mark.parametrize("lines", [1, 3])
def test_a_file_that_was_cut_off_is_refused(lines, write, refusal):
    text = "\n".join(SCADA.read_text().splitlines()[:-lines])
    (finding,) = refusal(read_readings, write(text))
    assert "cut off" in finding["message"]


def test_rows_lost_from_the_midst_are_noticed(write, refusal):
    lines = SCADA.read_text().splitlines()
    (finding,) = refusal(read_readings, write("\n".join(lines[:4] + lines[6:])))
    assert "speaks of 19 lines, but there are 17" in finding["message"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"2024/10/06 02:00:00",EXWF1', '"06/10/2024 02:00",EXWF1', "is not like"),
        ("EXPS1,", "EXPS1,1e30;", "is not a number of MW"),
        ("D,DISPATCH,UNIT_SCADA,1", "D,DISPATCH,UNIT_OTHER,1", "is no D record of DISPATCH UNIT_SCADA"),
        (",SCADAVALUE", ",VALUE", "lacks columns"),
    ],
)
def test_bad_records_are_named(old, new, said, write, refusal):
    findings = refusal(read_readings, write(SCADA.read_text().replace(old, new, 1)))
    assert said in findings[0]["message"]


def test_a_short_record_is_refused_with_its_line(write, refusal):
    (finding,) = refusal(read_readings, write(SCADA.read_text().replace(",EXBL1,", ",", 1)))
    assert (finding["code"], finding["line"]) == ("malformed_row", 5)


def test_facilities_are_mwh_in_the_half_hour_that_begins_in_western_time():
    wanted = {}
    with FACILITIES.open() as file:
        for row in sorted(csv.DictReader(file), key=lambda row: row["Extracted At"]):  # the last extract stays
            wanted.setdefault(row["Facility Code"], {})[second(row["Trading Interval"], WEST)] = scaled(
                row["Energy Generated (MWh)"]
            )
    readings = read_readings(FACILITIES, How(units={"EXAMPLE_WF1": "wind", "EXAMPLE_BT1": "storage_discharge"}))
    assert {name: values_by_start(one) for name, one in named(readings).items()} == wanted
    assert {(one.power, one.interval_s) for one in readings.series} == {(False, 1800)}
    assert {name: one.source_type for name, one in named(readings).items()} == {
        "EXAMPLE_WF1": "wind",
        "EXAMPLE_G1": None,
        "EXAMPLE_BT1": "storage_discharge",
    }
    assert set(readings.notes) == {"EXAMPLE_G1"}
    assert readings.dropped == {"rows that a later extract replaces": 1}
    assert "EOI Quantity (MW)" in readings.left_out
    assert readings.zone == "+08:00"


def test_distributed_solar_is_mw_and_demand_beside_it_is_load():
    readings = read_readings(SOLAR)
    with SOLAR.open() as file:
        rows = list(csv.DictReader(file))
    for name, column in (
        ("WEM-solar", "Estimated DPV Generation (MW)"),
        ("WEM-load", "Operational Demand (MW)"),
    ):
        one = named(readings)[name]
        assert values_by_start(one) == {second(row["Trading Interval"], WEST): scaled(row[column]) for row in rows}
        assert one.power
    assert named(readings)["WEM-load"].role == "load"


@pytest.mark.parametrize("path", [FACILITIES, SOLAR])
def test_an_interval_of_another_number_is_refused(path, write, refusal):
    text = path.read_text()
    assert " 08:30:00," in text
    findings = refusal(read_readings, write(text.replace(" 08:30:00,", " 09:30:00,")))
    assert "counts from 08:00" in findings[0]["message"]


def test_swapped_day_and_month_is_refused(write, refusal):
    findings = refusal(read_readings, write(SOLAR.read_text().replace("2023-09-28", "28-09-2023")))
    assert len(findings) == 6


def test_real_samples(real_data):
    folder = real_data / "samples" / "aemo"
    scada = named(read_readings(folder / "nem_dispatch_unit_scada.csv"))
    start = second("2023-09-13 05:30", EAST)
    assert {name: values_by_start(one) for name, one in scada.items()} == {
        "WDGPH1": {start: 0},
        "SNOWYP": {start: 800_000},
        "HPRL1": {start: 800_000},
    }
    (roof,) = read_readings(folder / "nem_rooftop_pv_actual.csv").series
    assert (roof.name, values_by_start(roof)) == ("NSW1-solar", {second("2022-12-31 23:30", EAST): 0})
    (farm,) = read_readings(folder / "wem_facility_scada.csv").series
    assert (farm.device_id, values_by_start(farm)) == ("ALBANY_WF1", {second("2023-01-01 08:00", WEST): 3_021_000})
    live = named(read_readings(folder / "spec_AemoWem_DistributedPvLive_8.csv"))
    assert live["WEM-solar"].values.tolist() == [756_524_200, 796_453_600]
    (daily,) = read_readings(folder / "spec_AemoWem_DistributedPv_7.csv").series
    assert daily.values.tolist() == [874_348_900]


@pytest.mark.parametrize("name", ["BalancingHistoric_9", "BalancingLive_5", "Balancing_4"])
def test_prices_and_totals_of_the_western_market_are_no_known_format(name, real_data, refusal):
    path = real_data / "samples" / "aemo" / f"spec_AemoWem_{name}.csv"
    (finding,) = refusal(read_readings, path)
    assert finding["code"] == "unknown_format"
    for format_ in ("aemo-nem", "aemo-wem"):
        (finding,) = refusal(read_readings, path, format=format_)
        assert finding["code"] in {"missing_column", "empty_file"}
