"""Files of no known format, described by a mapping: long and wide, local and UTC, begin and end."""

import csv
import json
import random
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle.exports import cells_by_start

from gcr_fast.findings import RefusedError
from gcr_fast.imports import import_generation
from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.mapping_file import load_mapping
from gcr_fast.sources.model import How

TESTS = Path(__file__).parent.parent
WIDE, LONG = TESTS / "examples" / "mapped-wide.csv", TESTS / "examples" / "mapped-long.txt"
BERLIN, CHICAGO = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Chicago")


def wide_mapping():
    return json.loads(json.dumps(load_mapping(TESTS / "mappings" / "mapped-wide.yaml")))


def long_mapping():
    return json.loads((TESTS / "mappings" / "mapped-long.json").read_text())


def read(path, mapping, **how):
    return read_readings(path, How(mapping=mapping, **how))


def utc_starts(labels, zone):
    """UTC seconds of local begins: a label that stands again is the later of the two hours."""
    seen, found = set(), []
    for label in labels:
        found.append(int(label.replace(tzinfo=zone, fold=label in seen).timestamp()))
        seen.add(label)
    return found


def german(cell):
    return None if cell == "-" else Fraction(cell.replace(".", "").replace(",", ".")) * 1000 // 1


def test_a_wide_table_in_german_numbers_and_local_time():
    with WIDE.open(newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))[3:]
    starts = utc_starts([datetime.strptime(f"{row[0]} {row[1]}", "%d.%m.%Y %H:%M") for row in rows], BERLIN)
    readings = read(WIDE, wide_mapping())
    named = {one.name: one for one in readings.series}
    for name, column in (("PV-1", 2), ("WEA-1", 3), ("NO-load", 4)):
        assert cells_by_start(named[name]) == {at: german(row[column]) for at, row in zip(starts, rows, strict=True)}
    assert len(named) == 3
    assert (named["WEA-1"].source_type, named["NO-load"].role) == ("wind_onshore", "load")
    assert (readings.zone, readings.attribution) == ("Europe/Berlin", "Netzbetreiber Musterstadt")
    assert readings.left_out == {"Bemerkung": "not in the mapping"}


def test_lines_are_those_of_the_file(write, refusal):
    text = WIDE.read_text().replace("312,000", "312.000,00,0")
    findings = refusal(read, write(text), wide_mapping())
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if "312.000,00,0" in line]
    assert [finding["line"] for finding in findings] == lines


@pytest.mark.parametrize("cell", ["1.234.5", "1,234,567", "12.34", "1'234", "0x10", "1e40"])
def test_numbers_of_another_form_are_refused(cell, write, refusal):
    (finding,) = refusal(read, write(WIDE.read_text().replace("1.244,500", cell, 1)), wide_mapping())
    assert (finding["column"], finding["value"]) == ("WEA Nord", cell)


def long_hours():
    """W by (plant, UTC begin), of hours named by their end: the begin is an hour before it on the clock."""
    with LONG.open(newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="|") if row["Fuel"] != "Aux"]
    found = {}
    for plant in ("A1", "B2"):
        mine = [row for row in rows if row["Plant"] == plant]
        begins = [datetime.strptime(row["Hour Ending"], "%m/%d/%Y %H:%M") - timedelta(hours=1) for row in mine]
        values = [Fraction(row["MW"].replace(",", "")) * 1_000_000 // 1 for row in mine]
        found[plant] = dict(zip(utc_starts(begins, CHICAGO), values, strict=True))
    return found


def test_a_long_table_of_hours_named_by_their_end():
    readings = read(LONG, long_mapping())
    assert {one.device_id: cells_by_start(one) for one in readings.series} == long_hours()
    assert {one.device_id: one.kind for one in readings.series} == {"A1": "solar", "B2": "wind"}
    assert readings.left_out == {"B2 Aux": "the mapping ignores it"}


def test_ends_as_the_clock_shows_them_are_understood_too(write):
    """In autumn the hour from 1 to 2 summer time ends when the clock shows 1 again."""
    labels = ["01:00", "01:00", "02:00", "03:00"]
    text = "t,kWh\n" + "".join(f"2024-11-03 {label},{at}\n" for at, label in enumerate(labels))
    mapping = {
        "time": {"column": "t", "layout": "%Y-%m-%d %H:%M", "zone": "America/Chicago", "marks": "end"},
        "unit": "kWh",
        "columns": {"kWh": "solar"},
    }
    (one,) = read(write(text), mapping).series
    midnight = int(datetime(2024, 11, 3, 5, tzinfo=UTC).timestamp())
    assert one.starts.tolist() == [midnight + 3600 * at for at in range(4)]


def wall(start, place):
    return datetime.fromtimestamp(start, UTC).astimezone(place).replace(tzinfo=None)


def marked(start, step, convention):
    """Return the label of an interval: its begin, its end as the begin plus the length, or as the clock shows it."""
    if convention == "end by length":
        return wall(start, BERLIN) + timedelta(seconds=step)
    return wall(start + step * (convention == "end by clock"), BERLIN)


CONVENTIONS = ["begin", "end by length", "end by clock"]


def read_or_codes(path, mapping):
    """Return (readings, none), or (None, the codes for which the file is refused)."""
    try:
        return read(path, mapping), set()
    except RefusedError as refusal:
        return None, {finding.code for finding in refusal.collected}


@given(
    convention=st.sampled_from(CONVENTIONS),
    step=st.sampled_from([900, 3600]),
    date=st.sampled_from([datetime(2024, 3, 31), datetime(2024, 10, 27)]),
    lost=st.sampled_from([0.0, 0.05, 0.3, 0.7]),
    order=st.sampled_from(["ascending", "newest first", "none"]),
    keyed=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_value_lands_in_a_wrong_interval_whichever_rows_are_missing(
    tmp_path_factory, convention, step, date, lost, order, keyed, seed
):
    draw = random.Random(seed)
    begin, end = (int((date + timedelta(days=days)).replace(tzinfo=BERLIN).timestamp()) for days in (0, 1))
    plants = "AB" if keyed else "A"
    truth = [(start, plant) for start in range(begin, end, step) for plant in plants if draw.random() >= lost]
    if not truth:
        return
    if order == "none":
        draw.shuffle(truth)
    rows = truth[::-1] if order == "newest first" else truth
    path = tmp_path_factory.getbasetemp() / "lost.csv"
    lines = [f"{marked(start, step, convention):%Y-%m-%d %H:%M},{plant},{start % 99_991}" for start, plant in rows]
    path.write_text("\n".join(["t,plant,Wh", *lines]))
    marks = "begin" if convention == "begin" else "end"
    minutes = str(step // 60)
    time = {"column": "t", "layout": "%Y-%m-%d %H:%M", "zone": "Europe/Berlin", "marks": marks, "minutes": minutes}
    mapping = {"time": time, "unit": "Wh", "kind": "solar", "value": "Wh", "series": {"device": "plant"}}
    readings, codes = read_or_codes(path, mapping)
    if codes:  # rows of the hour that spring skips, where nothing tells of which convention they are
        assert codes == {"nonexistent_time"}
        assert (lost, date.month) > (0, 3) or order == "none"
        return
    kept = sum(map(len, readings.series))
    assert kept + readings.dropped.total() == len(rows)
    for one in readings.series:
        for start, value in zip(one.starts.tolist(), one.values.tolist(), strict=True):
            assert (start, one.device_id) in truth
            assert value == start % 99_991
    assert lost or order == "none" or kept == len(rows)


def around_changes(plants, dates, step):
    """Return (UTC start, plant) of the days around changes of the clock, a plant after the other."""
    starts = []
    for date in dates:
        begin, end = (int((date + timedelta(days=days)).replace(tzinfo=BERLIN).timestamp()) for days in (-1, 2))
        starts += range(begin, end, step)
    return [(start, plant) for plant in plants for start in starts]


def spoiled(rows, fault, on, draw):
    """Return rows (label, plant, value) with a fault in the rows `on`: some lost, two values, a repeat, disorder."""
    at = draw.choice(on)
    label, plant, value = rows[at]
    if fault == "lost":
        gone = set(draw.sample(on, len(on) // 3))
        return [row for at, row in enumerate(rows) if at not in gone]
    if fault == "disorder":
        other = draw.choice(on)
        rows[at], rows[other] = rows[other], rows[at]
        return rows
    return [*rows[: at + 1], (label, plant, value + (fault == "two values")), *rows[at + 1 :]]


CHANGES = [datetime(2023, 3, 26), datetime(2023, 10, 29), datetime(2024, 3, 31), datetime(2024, 10, 27)]


def mapping_of_plants(convention, step):
    marks = "begin" if convention == "begin" else "end"
    time = {"column": "t", "layout": "%Y-%m-%d %H:%M", "zone": "Europe/Berlin", "marks": marks}
    time["minutes"] = str(step // 60)
    return {"time": time, "unit": "Wh", "kind": "solar", "value": "Wh", "series": {"device": "plant"}}


@given(
    convention=st.sampled_from(CONVENTIONS),
    step=st.sampled_from([900, 3600]),
    fault=st.sampled_from(["lost", "two values", "repeat", "disorder"]),
    spoiled_change=st.sampled_from(CHANGES),
    by_time=st.booleans(),
    nights=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_fault_in_one_series_costs_no_other_series_or_change_an_hour(
    tmp_path_factory, convention, step, fault, spoiled_change, by_time, nights, seed
):
    truth = around_changes("AB", CHANGES, step)
    truth = sorted(truth) if by_time else truth
    rows = [(marked(start, step, convention), plant, 0 if nights else 2 * (start % 99_991)) for start, plant in truth]
    begin, end = (int((spoiled_change + timedelta(days=at)).replace(tzinfo=BERLIN).timestamp()) for at in (0, 1))
    on = [at for at, (start, plant) in enumerate(truth) if plant == "B" and begin <= start < end]
    rows = spoiled(rows, fault, on, random.Random(seed))
    path = tmp_path_factory.getbasetemp() / "one_fault.csv"
    path.write_text("\n".join(["t,plant,Wh", *(f"{label:%Y-%m-%d %H:%M},{plant},{wh}" for label, plant, wh in rows)]))
    found = {one.device_id: one for one in read(path, mapping_of_plants(convention, step)).series}
    starts = [start for start, plant in truth if plant == "A"]
    assert sorted(found["A"].starts.tolist()) == starts
    elsewhere = [start for start in starts if not begin - 86400 <= start < end + 86400]
    assert set(elsewhere) <= set(found["B"].starts.tolist())
    for one in [] if nights else found.values():
        for start, value in zip(one.starts.tolist(), one.values.tolist(), strict=True):
            assert value // 2 == start % 99_991


@pytest.mark.parametrize("shape", ["wide", "long"])
def test_what_small_series_lose_by_whole_watt_hours_is_noted(shape, write):
    values = {
        "A": ["0.0015", "0.0025", "0.0009"],
        "B": ["1500.5", "9000.0001", "1200"],
        "C": ["0.002", "0.003", "0.004"],
    }
    mapping = {"time": {"column": "t", "layout": "iso", "marks": "begin", "minutes": "60"}, "unit": "kWh"}
    times = [f"2024-01-01T{hour:02d}:00Z" for hour in range(3)]
    if shape == "wide":
        mapping |= {"columns": {name: {"kind": "solar", "device": name} for name in values}}
        rows = zip(times, *values.values(), strict=True)
        text = "\n".join([",".join(["t", *values]), *map(",".join, rows)])
    else:
        mapping |= {"value": "kWh", "kind": "solar", "series": {"device": "plant"}}
        rows = [f"{time},{name},{values[name][at]}" for at, time in enumerate(times) for name in values]
        text = "\n".join(["t,plant,kWh", *rows])
    notes = {what: said for what, said in read(write(text), mapping).notes.items() if "rounded" in said}
    assert notes == {"values of A": "are rounded down to whole Wh, each of 3: 2 Wh less in all, 39 %"}


MOMENTS = {
    "iso": ("2024-06-01T{:02d}:00:00.000Z", "2024-06-01T03:00:00.582Z"),
    "unix": ("{}.000", "1717210800.582"),
    "unix_ms": ("{}000", "1717210800582"),
}


@pytest.mark.parametrize("layout", MOMENTS)
def test_a_fraction_of_a_second_is_read_if_it_is_zero_and_else_refused_as_what_it_is(layout, write, refusal):
    """Statistics are exported with .000; a log of changes of state has no intervals."""
    first = 1717200000
    mapping = {"time": {"column": "t", "layout": layout, "marks": "begin"}, "unit": "Wh", "columns": {"Wh": "solar"}}
    form, between = MOMENTS[layout]
    labels = [form.format(hour if layout == "iso" else first + 3600 * hour) for hour in range(3)]
    text = "t,Wh\n" + "".join(f"{label},{at}\n" for at, label in enumerate(labels))
    (one,) = read(write(text), mapping).series
    assert one.starts.tolist() == [first + 3600 * hour for hour in range(3)]
    (finding,) = refusal(read, write(f"{text}{between},3\n"), mapping)
    assert (finding["line"], finding["column"], finding["value"]) == (5, "t", between)
    assert "fraction of a second" in finding["message"]


def test_a_pattern_takes_all_columns_that_it_matches(write):
    mapping = {
        "time": {"column": "t", "layout": "unix", "marks": "begin", "minutes": "15"},
        "unit": "MW",
        "pattern": r"(?P<area>[A-Z]{2}) (?P<kind>.+) \[MW\]",
        "kinds": {"Sun": "solar"},
    }
    text = "t,DE Sun [MW],FR Wind [MW],FR Magic [MW],note\n1704067200,1,2,3,x\n1704068100,1.5,,4,y\n"
    readings = read(write(text), mapping)
    assert {one.name: one.values.tolist() for one in readings.series} == {
        "DE-solar": [1_000_000, 1_500_000],
        "FR-wind": [2_000_000, 0],
    }
    assert readings.left_out == {"FR Magic [MW]": "not known", "note": "not in the mapping"}
    assert {one.interval_s for one in readings.series} == {900}


@pytest.mark.parametrize(
    ("columns", "apart"),
    [
        ({"a": "solar", "b": "solar"}, False),
        ({"a": "solar", "b": {"kind": "pv", "area": "X"}}, False),
        ({"a": {"kind": "solar", "device": "D"}, "b": {"kind": "load", "device": "D"}}, False),
        ({"a": "solar", "b": {"kind": "solar", "area": "Y"}}, True),
        ({"a": {"kind": "solar", "device": "D1"}, "b": {"kind": "solar", "device": "D2"}}, True),
        ({"a": "solar", "b": "load"}, True),
    ],
)
def test_two_columns_are_never_one_series_of_which_one_counts_for_nothing(columns, apart, write, refusal):
    text = "t,a,b\n2024-01-01T00:00Z,0,0\n2024-01-01T01:00Z,5,5\n"
    mapping = {"time": {"column": "t", "marks": "begin"}, "unit": "kWh", "area": "X", "columns": columns}
    if apart:
        readings = read_readings(write(text), How(mapping=mapping))
        assert [one.values.tolist() for one in readings.series] == [[0, 5000]] * 2
    else:
        (finding,) = refusal(read_readings, write(text), How(mapping=mapping))
        assert finding["message"].startswith("mapping: columns names a and b as one series")


@pytest.mark.parametrize("group", ["(?:_.)", "_(?P<area>.)", "_(?P<device>.)"])
def test_columns_of_a_pattern_are_told_apart_or_refused(group, write, refusal):
    path = write("t,solar_a,solar_b\n2024-01-01T00:00Z,0,0\n2024-01-01T01:00Z,5,5\n")
    pattern = "(?P<kind>solar)" + group
    how = How(mapping={"time": {"column": "t", "marks": "begin"}, "unit": "kWh", "pattern": pattern})
    if "?P" in group:
        assert [one.values.tolist() for one in read_readings(path, how).series] == [[0, 5000]] * 2
    else:
        (finding,) = refusal(read_readings, path, how)
        assert (finding["code"], finding["column"]) == ("ambiguous_column", "solar_b")
        assert "solar_a and solar_b, which the mapping makes one series" in finding["message"]


def test_each_column_may_have_its_unit_and_weights_are_no_energy(write):
    mapping = {
        "time": {"column": "t", "marks": "begin", "minutes": 60},
        "columns": {
            "a": {"kind": "solar", "unit": "weight"},
            "b": {"kind": "wind", "unit": "GWh"},
            "c": {"kind": "load", "unit": "W"},
        },
    }
    text = "t,a,b,c\n2024-01-01T00:00Z,0.25,0.001,7\n2024-01-01T01:00Z,0.5,0.002,8\n"
    a, b, c = read(write(text), mapping).series
    assert (a.is_energy, b.is_energy, c.is_energy) == (False, True, True)
    assert a.values.tolist() == [250_000_000, 500_000_000]
    assert (b.power, b.values.tolist()) == (False, [1_000_000, 2_000_000])
    assert (c.power, c.values.tolist()) == (True, [7, 8])


def test_parquet_with_typed_columns(tmp_path):
    times = pa.array([0, 3_600_000, 7_200_000], pa.int64()).cast(pa.timestamp("ms"))
    local = pa.compute.add(times, pa.scalar(1_704_067_200_000, pa.int64()).cast(pa.duration("ms")))
    pq.write_table(pa.table({"when": local, "kwh": [0.1, 0.25, None]}), tmp_path / "a.parquet")
    mapping = {"time": {"column": "when", "marks": "begin"}, "unit": "kWh", "columns": {"kwh": "solar"}}
    (one,) = read(tmp_path / "a.parquet", mapping, zone="Europe/Paris").series
    assert one.starts[0] == 1_704_067_200 - 3600
    assert one.values.tolist() == [100, 250, 0]
    assert one.null.tolist() == [False, False, True]


def test_local_times_without_zone_are_refused(refusal):
    mapping = wide_mapping()
    del mapping["time"]["zone"]
    (finding,) = refusal(read, WIDE, mapping)
    assert "time.zone" in finding["message"]
    assert len(read(WIDE, mapping, zone="Europe/Berlin").series) == 3


def test_an_hour_that_spring_skips_is_refused(write, refusal):
    text = WIDE.read_text().replace("31.03.2024;03:00", "31.03.2024;02:00")
    (finding,) = refusal(read, write(text), wide_mapping())
    assert finding["code"] == "nonexistent_time"


def test_times_with_and_without_offset_are_not_mixed(write, refusal):
    mapping = {"time": {"column": "t", "marks": "begin"}, "unit": "kWh", "columns": {"a": "solar"}}
    text = "t,a\n2024-01-01T00:00Z,1\n2024-01-01T01:00,1\n"
    (finding,) = refusal(read, write(text), mapping, zone="UTC")
    assert (finding["line"], finding["code"]) == (3, "naive_time")


@pytest.mark.parametrize("parquet", [False, True])
def test_rows_of_two_plants_that_the_mapping_does_not_tell_apart_are_no_repeats(write, tmp_path, parquet):
    """One of two equal values would be half the energy, without a word: both stay, and no hour has a value."""
    rows = [(f"2024-01-01T{hour:02d}:00Z", plant, "5") for hour in range(3) for plant in ["A", "B", "B"]]
    path = write("\n".join(["t,plant,v", *map(",".join, rows)]) + "\n")
    if parquet:
        path = tmp_path / "plants.parquet"
        pq.write_table(pa.table(dict(zip(["t", "plant", "v"], zip(*rows, strict=True), strict=True))), path)
    mapping = {"time": {"column": "t", "layout": "iso", "marks": "begin"}, "unit": "MWh", "value": "v", "kind": "solar"}
    readings = read(path, mapping)
    assert readings.dropped == {"rows that repeat an earlier one word for word": 3}
    assert readings.series[0].values.tolist() == [5_000_000] * 6
    assert "3 rows" in readings.notes
    found = import_generation([path], how=How(mapping=mapping)).series["solar"]
    assert (found.duplicate, found.energy_wh) == (3, 0)


def test_columns_that_the_file_lacks_are_named(refusal):
    mapping = wide_mapping()
    mapping["columns"]["PV Rathaus"] = "solar"
    (finding,) = refusal(read, WIDE, mapping)
    assert "PV Rathaus" in finding["message"]


def test_one_time_without_minutes_is_refused(write, refusal):
    mapping = {"time": {"column": "t", "marks": "begin"}, "unit": "kWh", "columns": {"a": "solar"}}
    (finding,) = refusal(read, write("t,a\n2024-01-01T00:00Z,1\n"), mapping)
    assert "time.minutes" in finding["message"]


FAULTS = [
    (lambda m: m.pop("unit"), "unit", "missing"),
    (lambda m: m.update(unit="MJ"), "unit", "Wh, kWh"),
    (lambda m: m.update(unit=["kWh"]), "unit", "text"),
    (lambda m: m.update(decimal="x"), "decimal", "one of"),
    (lambda m: m.update(thousands=","), "thousands", "decimal mark"),
    (lambda m: m.update(delimiter="::"), "delimiter", "one character"),
    (lambda m: m.update(skip="two"), "skip", "whole number"),
    (lambda m: m.update(skip=-1), "skip", "whole number"),
    (lambda m: m.update(missing=[["-"]]), "missing", "list of texts"),
    (lambda m: m.update(decimals=","), "decimals", "not known"),
    (lambda m: m.update(kinds={"x": "sunshine"}), "kinds.x", "no kind"),
    (lambda m: m.update(pattern="("), "pattern", "regular expression"),
    (lambda m: m.update(pattern="(?P<plant>.*)"), "pattern", "'plant'"),
    (lambda m: m.update(value="Bezug"), "value", "long table"),
    (lambda m: m.update(series={"kind": "a"}), "series", "needs value"),
    (lambda m: m.update(series="a"), "series", "keys below"),
    (lambda m: m.update(columns={}), "columns", "missing"),
    (lambda m: m["columns"].update({"Bezug": "sunshine"}), "columns.Bezug", "no kind"),
    (lambda m: m["columns"].update({"Bezug": {"kind": "load", "unti": "kWh"}}), "columns.Bezug.unti", "not known"),
    (lambda m: m["columns"].update({"Bezug": {"device": "a"}}), "kind", "Bezug"),
    (lambda m: m.pop("time"), "time.column", "missing"),
    (lambda m: m["time"].pop("marks"), "time.marks", "missing"),
    (lambda m: m["time"].update(marks="start"), "time.marks", "begin, end"),
    (lambda m: m["time"].update(zone="Berlin"), "time.zone", "Europe/Berlin"),
    (lambda m: m["time"].update(layout="%d.%m.%y %j"), "time.layout", "%j"),
    (lambda m: m["time"].update(layout="%d.%m.%Y"), "time.layout", "%H"),
    (lambda m: m["time"].update(layout="%d.%d.%Y %H"), "time.layout", "twice"),
    (lambda m: m["time"].update(layout="%d.%m. %H:%M"), "time.layout", "%Y"),
    (lambda m: m["time"].update(minutes="hour"), "time.minutes", "whole number"),
]


@pytest.mark.parametrize(("spoil", "key", "said"), FAULTS)
def test_what_is_wrong_in_a_mapping_has_its_key_named(spoil, key, said, refusal):
    mapping = wide_mapping()
    spoil(mapping)
    findings = refusal(read, WIDE, mapping)
    (message,) = [finding["message"] for finding in findings if finding["column"] == key]
    assert said in message


def test_all_faults_of_a_mapping_come_together_with_its_file(write, refusal):
    path = write("time: {column: [a], marks: start}\nunit: kwatt\nkolumns: {}\n", "m.yaml")
    findings = refusal(read, WIDE, load_mapping(path))
    assert {"time.marks", "unit", "kolumns", "columns"} <= {finding["column"] for finding in findings}
    assert {finding["file"] for finding in findings} == {str(path)}


def test_the_example_mappings_agree_in_yaml_and_json(write):
    as_json = write(json.dumps(wide_mapping()), "wide.json")
    found = [read(WIDE, load_mapping(path)) for path in (TESTS / "mappings" / "mapped-wide.yaml", as_json)]
    assert [cells_by_start(one) for one in found[0].series] == [cells_by_start(one) for one in found[1].series]


def test_without_a_mapping_the_format_says_so(refusal):
    (finding,) = refusal(read_readings, WIDE, None, "mapped")
    assert "--mapping" in finding["message"]
