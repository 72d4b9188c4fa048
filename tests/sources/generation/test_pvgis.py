"""PVGIS: the satellite's minute, several years, a legend below, radiation without power."""

import csv
import json
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from oracle.exports import values_by_start

from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"


def second(label):
    """The hour of `20160101:0010`, whatever its minute."""
    return int(datetime.strptime(label[:11], "%Y%m%d:%H").replace(tzinfo=UTC).timestamp())


def csv_hours(path):
    lines = path.read_text().splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("time,"))
    last = lines.index("", first)
    return {second(row["time"]): Fraction(row["P"]) // 1 for row in csv.DictReader(lines[first:last])}


def test_hours_begin_at_the_full_hour_and_the_legend_is_no_row():
    readings = read_readings(EXAMPLES / "pvgis.csv")
    (one,) = readings.series
    assert values_by_start(one) == csv_hours(EXAMPLES / "pvgis.csv")
    assert not (one.starts % 3600).any()
    assert (one.kind, one.power, readings.zone) == ("solar", True, "UTC")
    assert readings.attribution == "PVGIS (c) European Union, 2001-2024"


@pytest.mark.parametrize("blank", [16, 20])
def test_hours_below_a_blank_line_are_not_lost_unsaid(write, refusal, blank):
    lines = (EXAMPLES / "pvgis.csv").read_text().splitlines()
    assert ":" in lines[blank][:9]
    assert lines[blank - 1].startswith("2015")
    (found,) = refusal(read_readings, write("\n".join([*lines[:blank], "", *lines[blank:], ""])))
    assert (found["code"], found["line"]) == ("malformed_row", blank + 2)
    assert "take it out" in found["message"]


def test_two_files_behind_each_other_are_not_taken_for_the_first(write, refusal):
    text = (EXAMPLES / "pvgis.csv").read_text()
    (found,) = refusal(read_readings, write(text + "\n" + text))
    assert found["line"] > len(text.splitlines())


def test_json_says_the_same():
    (one,) = read_readings(EXAMPLES / "pvgis-hours.json").series
    rows = json.loads((EXAMPLES / "pvgis-hours.json").read_text(), parse_float=Fraction)["outputs"]["hourly"]
    assert values_by_start(one) == {second(row["time"]): row["P"] // 1 for row in rows}


def scaled(factor):
    """Return the example as of a system so many times as large, and its powers in W."""
    lines = (EXAMPLES / "pvgis.csv").read_bytes().decode().splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("time,"))
    powers = []
    for at in range(first + 1, lines.index("", first)):
        time, power, *rest = lines[at].split(",")
        powers.append(Decimal(power) * factor)
        lines[at] = ",".join([time, f"{powers[-1]:f}", *rest])
    return "\n".join(lines), powers


def test_what_a_small_system_loses_by_whole_watts_is_noted(write):
    """1 kWp loses a thousandth of its year: how much it is, the file's own decimals tell. A large one loses nothing."""
    text, powers = scaled(Decimal("0.1"))
    lost = sum(power - power // 1 for power in powers)
    said = read_readings(write(text)).notes["values of solar"]
    assert f"{lost:,.0f} Wh less" in said
    assert f"{100 * lost / sum(powers):.2g} %" in said
    assert "values of solar" not in read_readings(write(scaled(Decimal("1000.01"))[0])).notes


def test_a_year_is_kept_of_several():
    readings = read_readings(EXAMPLES / "pvgis.csv", How(year=2016))
    assert [len(one) for one in readings.series] == [24]
    assert readings.dropped == {"values outside 2016 (UTC)": 36}


def test_lines_are_those_of_the_file(write, refusal):
    text = (EXAMPLES / "pvgis.csv").read_bytes().decode().replace("20161231:0511,", "31.12.2016 05:11,")
    (finding,) = refusal(read_readings, write(text))
    assert text.splitlines()[finding["line"] - 1].startswith("31.12.2016")


def test_another_minute_in_the_midst_is_refused(write, refusal):
    text = (EXAMPLES / "pvgis.csv").read_bytes().decode().replace("20161231:0511,", "20161231:0521,")
    (finding,) = refusal(read_readings, write(text))
    assert finding["value"] == "20161231:0521"


def without_power(text):
    return text.replace("time,P,", "time,Q,").replace('"P":', '"Q":')


@pytest.mark.parametrize("name", ["pvgis.csv", "pvgis-hours.json"])
def test_radiation_is_no_power(name, write, refusal):
    (finding,) = refusal(read_readings, write(without_power((EXAMPLES / name).read_text()), name))
    assert "radiation" in finding["message"]
    assert finding["file"].endswith(name)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda document: document.pop("outputs"), "'outputs'"),
        (lambda document: document["outputs"].pop("hourly"), "'hourly'"),
        (lambda document: document["outputs"].update(hourly=[]), "no hours"),
        (lambda document: document["outputs"].update(hourly=[1]), "entry 1"),
        (lambda document: document["outputs"]["hourly"][3].pop("P"), "'P' in entry 4"),
        (lambda document: document["outputs"]["hourly"][3].update(P="much"), "'much'"),
        (lambda document: document["outputs"]["hourly"][3].update(P=10**30), str(10**30)),
        (lambda document: document["outputs"]["hourly"][3].update(time=None), "time"),
    ],
)
def test_json_of_another_shape_is_refused(change, said, write, refusal):
    document = json.loads((EXAMPLES / "pvgis-hours.json").read_text())
    change(document)
    findings = refusal(read_readings, write(json.dumps(document), "hours.json"))
    assert said in findings[0]["message"]


def test_null_is_a_gap(write):
    document = json.loads((EXAMPLES / "pvgis-hours.json").read_text())
    document["outputs"]["hourly"][3]["P"] = None
    (one,) = read_readings(write(json.dumps(document), "hours.json")).series
    assert np.flatnonzero(one.null).tolist() == [3]


def test_real_files(real_data, refusal):
    folder = real_data / "samples" / "pvgis"
    (radiation,) = folder.glob("*_SA_30deg_*.csv")
    (finding,) = refusal(read_readings, radiation)
    assert "radiation" in finding["message"]
    (power,) = folder.glob("*.json")
    (one,) = read_readings(power).series
    rows = json.loads(power.read_text(), parse_float=Fraction)["outputs"]["hourly"]
    assert values_by_start(one) == {second(row["time"]): Fraction(row["P"]) // 1 for row in rows}
