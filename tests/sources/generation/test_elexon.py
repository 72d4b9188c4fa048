"""Elexon Insights: settlement periods of every day, publications, month-first half-hour ends, units without fuels."""

import csv
import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from oracle.exports import named, values_by_start

from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation import elexon_insights
from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How
from gcr_fast.sources.units_map import read_units

EXAMPLES = Path(__file__).parent.parent / "examples"
FUELHH, AGPT, B1610 = (EXAMPLES / name for name in ("elexon-fuelhh.csv", "elexon-agpt.json", "elexon-b1610.csv"))
LONDON = ZoneInfo("Europe/London")


def utc(text):
    return int(datetime.fromisoformat(text).timestamp())


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def settlement_start(date, period):
    """Begin of a settlement period, by walking from local midnight."""
    midnight = datetime.fromisoformat(date).replace(tzinfo=LONDON).astimezone(UTC)
    return int((midnight + timedelta(minutes=30 * (int(period) - 1))).timestamp())


def test_fuels_are_mw_from_the_start_time_on_over_both_clock_changes():
    readings = read_readings(FUELHH)
    wanted = {}
    for row in sorted(rows_of(FUELHH), key=lambda row: row["PublishTime"]):  # the last publication stays
        assert utc(row["StartTime"]) == settlement_start(row["SettlementDate"], row["SettlementPeriod"])
        wanted.setdefault(row["FuelType"], {})[utc(row["StartTime"])] = int(row["Generation"]) * 10**6
    names = {"NUCLEAR": "GB-nuclear", "NPSHYD": "GB-hydro", "PS": "GB-hydro_pumped_storage", "INTFR": "INTFR"}
    assert {name: values_by_start(one) for name, one in named(readings).items()} == {
        names[fuel]: values for fuel, values in wanted.items()
    }
    assert {one.role for one in readings.series} == {"generation", "storage", "trade"}
    assert {(one.power, one.interval_s) for one in readings.series} == {(True, 1800)}
    assert readings.zone == "Europe/London"


def test_a_later_publication_replaces_an_earlier_one(write):
    readings = read_readings(FUELHH)
    assert values_by_start(named(readings)["GB-nuclear"])[utc("2024-03-31T00:30Z")] == 4321 * 10**6
    assert readings.dropped == {"rows that a later publication or settlement run replaces": 1}
    lines = FUELHH.read_text().splitlines()
    turned = read_readings(write("\n".join([lines[0], *reversed(lines[1:])])))
    assert values_by_start(named(turned)["GB-nuclear"]) == values_by_start(named(readings)["GB-nuclear"])


def test_contradicting_rows_of_one_publication_both_stay(write):
    lines = FUELHH.read_text().splitlines()
    again = lines[2].rsplit(",", 1)[0] + ",1"
    one = named(read_readings(write("\n".join([*lines, again]))))["GB-nuclear"]
    assert (one.starts == utc("2024-03-31T00:00Z")).sum() == 2


@pytest.mark.parametrize(("day", "periods"), [("2024-03-31", 46), ("2024-06-01", 48), ("2024-10-27", 50)])
def test_every_settlement_period_of_a_day_has_its_place(day, periods, write, refusal):
    starts = [settlement_start(day, period) for period in range(1, periods + 1)]
    lines = ["StartTime,SettlementDate,SettlementPeriod,FuelType,Generation"]
    for period, start in enumerate(starts, start=1):
        lines.append(f"{datetime.fromtimestamp(start, UTC):%Y-%m-%dT%H:%M:%SZ},{day},{period},WIND,{period}")
    (one,) = read_readings(write("\n".join(lines))).series
    assert one.starts.tolist() == starts
    assert (one.starts[-1] - one.starts[0]) // 1800 == periods - 1
    lines.append(lines[-1].replace(f",{periods},", f",{periods + 1},"))
    (finding,) = refusal(read_readings, write("\n".join(lines)))
    assert "settlement date and period" in finding["message"]


def test_fuelinst_has_five_minutes_even_if_it_is_one_row(write):
    text = "Dataset,PublishTime,StartTime,SettlementDate,SettlementPeriod,FuelType,Generation\n"
    row = "FUELINST,2024-07-19T23:00:00Z,2024-07-19T22:55:00Z,2024-07-19,48,BIOMASS,1902\n"
    (one,) = read_readings(write(text + row)).series
    assert (one.interval_s, one.starts.tolist(), one.values.tolist()) == (
        300,
        [utc("2024-07-19T22:55Z")],
        [1902 * 10**6],
    )


def test_two_data_sets_in_one_file_are_refused(write, refusal):
    text = FUELHH.read_text() + "FUELINST,2024-03-31T00:05:00Z,2024-03-31T00:00:00Z,2024-03-31,1,NUCLEAR,1\n"
    (finding,) = refusal(read_readings, write(text))
    assert "FUELHH, FUELINST" in finding["message"]


def test_types_are_nested_in_json_and_null_is_a_gap():
    readings = read_readings(AGPT)
    wanted = {}
    for half in json.loads(AGPT.read_text(), parse_float=Fraction)["data"]:
        for part in half["data"]:
            wanted[utc(half["startTime"]), part["psrType"]] = part["quantity"]
    words = {
        "Biomass": "GB-biomass",
        "Hydro Run-of-river and poundage": "GB-hydro_run_of_river",
        "Hydro Pumped Storage": "GB-hydro_pumped_storage",
        "Wind Offshore": "GB-wind_offshore",
        "Solar": "GB-solar",
    }
    found = {}
    for word, name in words.items():
        one = named(readings)[name]
        found |= {
            (int(start), word): None if null else int(value)
            for start, value, null in zip(one.starts, one.values, one.null, strict=True)
        }
    assert found == {key: None if value is None else value * 10**6 // 1 for key, value in wanted.items()}
    assert sum(value is None for value in wanted.values()) == 1


def test_json_lists_without_a_frame_say_the_same(write):
    document = json.loads(AGPT.read_text())
    flat = [half | part for half in document["data"] for part in half["data"]]
    for row in flat:
        row.pop("data")
    path = write(json.dumps(flat), "stream.json")
    assert {n: values_by_start(o) for n, o in named(read_readings(path)).items()} == {
        n: values_by_start(o) for n, o in named(read_readings(AGPT)).items()
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda document: document.pop("data"), "is of no format"),
        (lambda document: document.update(data=[]), "is of no format"),
        (lambda document: document["data"].insert(0, 7), "'7'"),
        (lambda document: document["data"][1].update(data=[1]), "object of values was expected"),
        (lambda document: [half.pop("startTime") for half in document["data"]], "settlement period"),
        (lambda document: document["data"][1].pop("startTime"), "startTime is not like"),
        (lambda document: document["data"][0]["data"][0].update(quantity="much"), "'much' is not a number of MW"),
        (lambda document: document["data"][0]["data"][0].update(quantity=10**30), "is too large a number of MW"),
        (lambda document: document["data"][0].update(settlementPeriod=44), "settlement date and period"),
    ],
)
def test_json_of_another_shape_is_refused(change, said, write, refusal):
    document = json.loads(AGPT.read_text())
    change(document)
    findings = refusal(read_readings, write(json.dumps(document), "types.json"))
    assert said in findings[0]["message"]


def test_units_are_mwh_in_the_half_hour_that_ends():
    readings = read_readings(B1610)
    wanted = {}
    for row in rows_of(B1610):
        end = datetime.strptime(row["HalfHourEndTime"], "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC)
        start = settlement_start(row["SettlementDate"], row["SettlementPeriod"])
        assert start == int(end.timestamp()) - 1800
        unit = row["NationalGridBmUnitId"] or row["BmUnit"]
        wanted.setdefault(unit, {})[start] = Fraction(row["Quantity"]) * 10**6 // 1
    assert {name: values_by_start(one) for name, one in named(readings).items()} == wanted
    assert {(one.power, one.interval_s) for one in readings.series} == {(False, 1800)}
    assert min(wanted["2__XEXDM001"].values()) < 0  # a unit that takes in keeps its sign


def test_a_map_says_what_units_burn_and_those_it_lacks_are_named():
    readings = read_readings(B1610, How(units=read_units(EXAMPLES / "units.csv")))
    told = {name: (one.source_type, one.role) for name, one in named(readings).items()}
    assert told == {
        "EXWND-1": ("wind", "generation"),
        "EXCCG-2": ("fossil", "generation"),
        "EXTID-1": (None, "generation"),
        "2__XEXDM001": (None, "generation"),
        "I_IEG-EXAM1": (None, "trade"),
    }
    assert set(readings.notes) == {"EXTID-1", "2__XEXDM001"}
    assert set(read_readings(B1610).notes) == {"every unit"}


def test_the_elexon_id_is_as_good_as_the_grid_id():
    readings = read_readings(B1610, How(units={"E_EXTID-1": "marine"}))
    assert named(readings)["EXTID-1"].source_type == "marine"


def test_day_first_half_hour_ends_are_refused_row_by_row(write, refusal):
    """12 November and 11 December are both dates: only the settlement date tells."""
    header = "BmUnit,NationalGridBmUnitId,SettlementDate,SettlementPeriod,HalfHourEndTime,Quantity\n"
    right = "T_A-1,A-1,2024-11-12,20,11/12/2024 10:00:00,1.5\n"
    (one,) = read_readings(write(header + right)).series
    assert one.starts.tolist() == [utc("2024-11-12T09:30Z")]
    findings = refusal(read_readings, write(header + right.replace("11/12/", "12/11/") * 2))
    assert [(one["line"], one["value"]) for one in findings] == [(2, "12/11/2024 10:00:00"), (3, "12/11/2024 10:00:00")]
    assert "swapped" in findings[0]["message"]


def test_the_last_settlement_run_counts(write, refusal):
    header = "BmUnit,NationalGridBmUnitId,SettlementDate,SettlementPeriod,HalfHourEndTime,SettlementRunType,Quantity\n"
    row = "T_A-1,A-1,2024-01-12,20,2024-01-12T10:00:00,{},{}\n"
    text = header + row.format("R1", 3) + row.format("DF", 1) + row.format("II", 2)
    readings = read_readings(write(text))
    assert [one.values.tolist() for one in readings.series] == [[10**6]]
    assert sum(readings.dropped.values()) == 2
    (finding,) = refusal(read_readings, write(text + row.format("XX", 4)))
    assert (finding["line"], finding["value"]) == (5, "XX")


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("2024-03-31T00:30:00Z,2024-03-31T00:00:00Z", "2024-03-31T00:30:00Z,31/03/2024 00:00", "31/03/2024 00:00"),
        (",NUCLEAR,4321", ",NUCLEAR,4321.x", "4321.x"),
        (",NUCLEAR,4321", ',NUCLEAR,"4,321"', "4,321"),
        ("2024-03-31T02:05:00Z,", ",", None),
    ],
)
def test_bad_cells_are_named(old, new, value, write, refusal):
    text = FUELHH.read_text()
    assert old in text
    findings = refusal(read_readings, write(text.replace(old, new)))
    assert findings[0]["value"] == value
    assert findings[0]["line"] is not None


def test_a_truncated_row_is_refused(write, refusal):
    (finding,) = refusal(read_readings, write(FUELHH.read_text() + "FUELHH,2024-03-31T02"))
    assert (finding["code"], finding["line"]) == ("malformed_row", 51)


def test_unknown_fuels_are_left_out_by_name(write):
    readings = read_readings(write(FUELHH.read_text().replace("NPSHYD", "PLASMA")))
    assert readings.left_out == {"PLASMA": "not known"}


def test_real_samples(real_data):
    folder = real_data / "samples" / "elexon_insights"
    nested = folder / "AGPT_generation_actual_per_type_2024-01-01.two_periods.json"
    document = json.loads(nested.read_text(), parse_float=Fraction)
    total = sum(part["quantity"] for half in document["data"] for part in half["data"])
    readings = read_readings(nested)
    assert sum(int(one.values.sum()) for one in readings.series) == total * 10**6
    assert len(readings.series) == 11
    assert not readings.left_out
    (one,) = read_readings(folder / "b1610_line.csv").series
    assert (one.device_id, one.values.tolist()) == ("HYWDW-1", [74_000])
    assert one.starts.tolist() == [settlement_start("2023-09-01", 20)] == [utc("2023-09-01T08:30Z")]
    (one,) = read_readings(folder / "FUELINST_doc_line.csv").series
    assert one.starts.tolist() == [utc("2023-07-19T22:55Z")]
    assert np.array_equal(one.values, [1902 * 10**6])
    assert not elexon_insights.detect(open_file(folder / "fuelinst_line.csv"))  # a line without its header
