"""Green Button: directions, multipliers, units, links, and what an XML file may have wrong."""

import re
from pathlib import Path

import pytest
from oracle.exports import values_by_start

from gcr_fast.codes import IMPUTED
from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLE = Path(__file__).parent.parent / "examples" / "green-button.xml"
READING = re.compile(r"<espi:start>(\d+)</espi:start></espi:timePeriod><espi:value>(\d+)</espi:value>")


def blocks():
    """Start and value of each reading, in the three blocks of the example, straight from the text."""
    text = EXAMPLE.read_text()
    return [
        {int(start): int(value) for start, value in READING.findall(part)}
        for part in text.split("IntervalBlock>")[1::2]
    ]


def test_reverse_is_generation_and_forward_is_load():
    forward, reverse, _ = blocks()
    readings = read_readings(EXAMPLE)
    named = {one.name: one for one in readings.series}
    assert set(named) == {"R4", "R4-load"}
    assert values_by_start(named["R4-load"]) == forward
    assert values_by_start(named["R4"]) == {start: value // 1000 for start, value in reverse.items()}
    assert (named["R4"].role, named["R4-load"].role) == ("generation", "load")
    assert {(one.interval_s, one.power) for one in readings.series} == {(900, False)}
    assert readings.rows == 26
    assert readings.zone == "-05:00"


def test_reactive_energy_is_left_out():
    assert read_readings(EXAMPLE).left_out == {"R4 ReadingType/3": "reactive energy, no energy"}


def test_estimates_are_imputed():
    (one,) = (one for one in read_readings(EXAMPLE).series if one.name == "R4")
    assert one.quality.tolist() == [0] * 5 + [IMPUTED] + [0] * 6


def test_the_user_says_what_generates():
    named = {one.name: one.source_type for one in read_readings(EXAMPLE, How(units={"R4": "solar"})).series}
    assert named == {"R4": "solar", "R4-load": None}


def test_with_default_namespace_and_no_prefix(write):
    text = EXAMPLE.read_text().replace("<espi:", "<").replace("</espi:", "</")
    named = {one.name: values_by_start(one) for one in read_readings(write(text, "a.xml")).series}
    assert named == {one.name: values_by_start(one) for one in read_readings(EXAMPLE).series}


def test_a_power_of_ten_above_zero_multiplies(write):
    text = EXAMPLE.read_text().replace("Multiplier>0<", "Multiplier>3<")
    (load,) = (one for one in read_readings(write(text, "a.xml")).series if one.role == "load")
    assert values_by_start(load) == {start: 1000 * value for start, value in blocks()[0].items()}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("flowDirection>19<", "flowDirection>4<", "both directions"),
        ("accumulationBehaviour>4<", "accumulationBehaviour>3<", "register"),
        ("uom>72<", "uom>169<", "unit 169"),
    ],
)
def test_what_is_no_energy_of_one_direction_is_left_out(old, new, reason, write, refusal):
    text = EXAMPLE.read_text()
    at = text.index("ReadingType/2")
    readings = read_readings(write(text[:at] + text[at:].replace(old, new, 1), "a.xml"))
    assert [one.role for one in readings.series] == ["load"]
    assert reason in readings.left_out["R4 ReadingType/2"]


def test_days_are_left_out_where_the_meter_has_shorter_readings_too(write):
    before, reverse, after = EXAMPLE.read_text().partition(
        READING.search(EXAMPLE.read_text().split("IntervalBlock>")[3])[0]
    )
    duration = before.rindex("duration>900<")
    readings = read_readings(
        write(before[:duration] + "duration>86400<" + before[duration + 13 :] + reverse + after, "a.xml")
    )
    made = next(one for one in readings.series if one.name == "R4")
    first, *rest = blocks()[1].items()
    assert values_by_start(made) == {start: value // 1000 for start, value in rest}
    assert first[0] not in values_by_start(made)
    (name,) = (name for name in readings.left_out if name.endswith(", 1440 min"))
    assert readings.left_out[name] == "more than an hour, beside shorter readings of the same"


def test_power_is_read_as_power(write):
    text = EXAMPLE.read_text().replace("uom>72<", "uom>38<", 1)
    assert {one.role: one.power for one in read_readings(write(text, "a.xml")).series} == {
        "load": True,
        "generation": False,
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<espi:start>1710049500</espi:start></espi:timePeriod>", "</espi:timePeriod>", "IntervalReading 1: start ''"),
        ("<espi:value>400<", "<espi:value>4,00<", "'4,00'"),
        ("<espi:value>400<", f"<espi:value>{10**30}<", str(10**30)),
        ("<espi:duration>900<", "<espi:duration>a quarter<", "'a quarter'"),
        (
            "<espi:start>1710049500</espi:start></espi:timePeriod>",
            "<espi:start>99</espi:start></espi:timePeriod>",
            "'99'",
        ),
        ("Multiplier>-3<", "Multiplier>lots<", "'lots'"),
        ("Multiplier>-3<", "Multiplier>300<", "'300'"),
        ("ReadingType/2", "ReadingType/9", "no link"),
        ("</feed>", "", "damaged XML"),
    ],
)
def test_what_is_wrong_is_named(old, new, said, write, refusal):
    text = EXAMPLE.read_text()
    assert old in text
    findings = refusal(read_readings, write(text.replace(old, new, 1), "a.xml"))
    assert said in findings[0]["message"]
    assert findings[0]["file"].endswith("a.xml")


def test_entities_are_refused(write, refusal):
    bomb = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><feed xmlns:e="http://naesb.org/espi">&b;</feed>'
    (finding,) = refusal(read_readings, write(bomb, "a.xml"))
    assert "entities" in finding["message"]


def test_an_empty_value_is_a_gap(write):
    text = EXAMPLE.read_text().replace("<espi:value>400<", "<espi:value><", 1)
    (load,) = (one for one in read_readings(write(text, "a.xml")).series if one.role == "load")
    assert load.null.tolist() == [True] + [False] * 11
