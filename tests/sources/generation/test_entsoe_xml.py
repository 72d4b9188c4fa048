"""ENTSO-E's API: staircases of values, directions, and answers that hold nothing."""

import re
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracle import exports as oracle

from gcr_fast.grid.metered import profiles_of
from gcr_fast.imports import import_generation
from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
GENERATION, LOAD = EXAMPLES / "entsoe-api-generation.xml", EXAMPLES / "entsoe-api-load.xml"
NO_DATA = EXAMPLES / "entsoe-api-no-data.xml"
STEPS = {"PT15M": 900, "PT30M": 1800, "PT60M": 3600}


def moment(text):
    return int(datetime.fromisoformat(text).timestamp())


def plain(path):
    """Return {(direction, type, length): {UTC start: W}}: a staircase carries its value on to the next or the end."""
    text = re.sub(r'\sxmlns="[^"]*"', "", path.read_text(encoding="utf-8"))
    found = {}
    for series in ElementTree.fromstring(text.encode()).iter("TimeSeries"):
        way = "in" if series.find("inBiddingZone_Domain.mRID") is not None else "out"
        staircase = series.findtext("curveType") == "A03"
        for period in series.iter("Period"):
            start, end = (moment(period.findtext(f"timeInterval/{edge}")) for edge in ("start", "end"))
            step = STEPS[period.findtext("resolution")]
            points = {
                int(p.findtext("position")): oracle.number(p.findtext("quantity"), 6) for p in period.iter("Point")
            }
            values = found.setdefault((way, series.findtext("MktPSRType/psrType"), step), {})
            last = None
            for position in range(1, (end - start) // step + 1):
                last = points.get(position, last if staircase else None)
                if last is not None:
                    values[start + (position - 1) * step] = last
    return found


def keyed(readings):
    """Return {(direction, type, length): {UTC start: W}} by how the series call their columns."""
    return {
        (
            "out" if "consumption" in one.column or one.role == "load" else "in",
            one.column.split()[0],
            one.interval_s,
        ): oracle.values(one)
        for one in readings.series
    }


def document(series, kind="A75", process="A16"):
    return (
        '<?xml version="1.0"?><GL_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0">'
        f"<type>{kind}</type><process.processType>{process}</process.processType>{series}</GL_MarketDocument>"
    )


def series(points, curve="A03", psr="B16", way="in", step="PT60M", start="2024-01-01T00:00Z", end="2024-01-02T00:00Z"):
    written = "".join(f"<Point><position>{at}</position><quantity>{mw}</quantity></Point>" for at, mw in points)
    return (
        f"<TimeSeries><mRID>1</mRID><{way}BiddingZone_Domain.mRID>10YFR-RTE------C</{way}BiddingZone_Domain.mRID>"
        f"<quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name><curveType>{curve}</curveType>"
        f"<MktPSRType><psrType>{psr}</psrType></MktPSRType><Period><timeInterval><start>{start}</start><end>{end}</end>"
        f"</timeInterval><resolution>{step}</resolution>{written}</Period></TimeSeries>"
    )


def test_the_example_is_read_as_by_hand():
    readings = read_readings(GENERATION)
    wanted = plain(GENERATION)
    wanted.pop(("in", "B99", 3600))
    assert keyed(readings) == wanted
    assert [one.name for one in readings.series] == [
        "CH-nuclear",
        "CH-solar",
        "CH-solar",
        "CH-hydro_pumped_storage",
        "CH-pumping",
    ]
    assert (readings.format, readings.zone, readings.rows) == ("entsoe-xml", "UTC", 17)


def test_omitted_positions_of_a_staircase_are_carried_to_the_end_of_the_period():
    nuclear = oracle.values(read_readings(GENERATION).series[0])
    assert list(nuclear.values()) == [3_200_000_000, *[3_195_000_000] * 5, *[3_201_000_000] * 18, 3_190_000_000]
    assert len(nuclear) == 25  # a local day in autumn
    pumping = read_readings(GENERATION).series[-1]
    assert pumping.values.tolist() == [0] * 3 + [250_000_000] + [0] * 21


def test_what_comes_before_the_first_position_is_not_made_up():
    stored = read_readings(GENERATION).series[3]
    assert (stored.kind, len(stored), stored.starts[0]) == (
        "hydro_pumped_storage",
        23,
        moment("2024-10-27T00:00Z"),
    )


def test_an_omitted_position_of_a_curve_of_points_is_a_gap():
    solar = oracle.values(read_readings(GENERATION).series[1])
    assert [after - before for before, after in pairwise(solar)] == [900] * 3 + [1800] + [900] * 2


def test_two_resolutions_are_two_series_of_one_name():
    solar = [one for one in read_readings(GENERATION).series if one.kind == "solar"]
    assert [(one.interval_s, len(one)) for one in solar] == [(900, 7), (1800, 2)]


def test_the_other_direction_is_consumption():
    found = {one.name: (one.role, one.source_type) for one in read_readings(GENERATION).series}
    assert found["CH-pumping"] == ("consumption", None)
    assert found["CH-hydro_pumped_storage"] == ("storage", "storage_discharge")


def test_load_is_load():
    (one,) = read_readings(LOAD).series
    assert oracle.values(one) == plain(LOAD)["out", None, 3600]
    assert (one.name, one.role, len(one)) == ("CH-load", "load", 25)


@given(
    points=st.dictionaries(st.integers(1, 24), st.integers(-5, 5), min_size=1, max_size=24),
    curve=st.sampled_from(["A01", "A03"]),
)
def test_any_staircase(tmp_path_factory, points, curve):
    path = tmp_path_factory.getbasetemp() / "stairs.xml"
    path.write_text(document(series(sorted(points.items()), curve)))
    assert keyed(read_readings(path)) == plain(path)


@given(
    points=st.dictionaries(st.integers(1, 24), st.integers(-5, 5), min_size=1, max_size=24),
    curve=st.sampled_from(["A01", "A03"]),
    keep=st.booleans(),
)
@example({3: 1, 5: 1}, "A01", False)
def test_a_period_is_expected_whole(tmp_path_factory, points, curve, keep):
    path = tmp_path_factory.getbasetemp() / "period.xml"
    path.write_text(document(series(sorted(points.items()), curve)))
    imported = import_generation([path], keep_intervals=keep)
    account, profile = imported.series["FR-solar"], imported.profiles["FR-solar"]
    there = set(points) if curve == "A01" else set(range(min(points), 25))
    assert (account.expected, account.found, account.missing) == (24, len(there), 24 - len(there))
    assert (account.start, account.end) == ("2024-01-01T00:00Z", "2024-01-02T00:00Z")
    assert {at + 1 for at in range(24) if not profile.missing[at]} == there
    gaps = [one for one in imported.findings if one.code == "missing_interval"]
    assert sum(one.count for one in gaps) == 24 - len(there)


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([(3, 1), (4, 1)], "before the first row: 2024-01-01T00:00Z .. 2024-01-01T02:00Z"),
        ([(1, 1), (2, 1)], "22 intervals after line 2: 2024-01-01T02:00Z .. 2024-01-02T00:00Z"),
    ],
)
def test_the_ends_of_a_period_are_told_as_one_gap_each(write, points, said):
    filler = [(at, 1) for at in range(5, 25)] if points[0][0] == 3 else []
    imported = import_generation([write(document(series([*points, *filler], "A01")))])
    (found,) = [one for one in imported.findings if one.code == "missing_interval"]
    assert said in found.message


def test_quarters_that_a_period_lacks_make_their_hours_missing(write):
    text = document(series([(at, 8) for at in range(2, 96)], "A01", step="PT15M"))
    profile = import_generation([write(text)]).profiles["FR-solar"]
    assert profile.missing.tolist() == [True, *[False] * 22, True]


def test_of_a_year_that_is_asked_for_only_its_part_of_a_period_is_expected(write):
    text = series([(2, 5), (3, 5)], "A01", start="2023-12-31T22:00Z", end="2024-01-01T04:00Z")
    readings = read_readings(write(document(text)), How(year=2023))
    assert readings.series[0].span == (moment("2023-12-31T22:00Z"), moment("2024-01-01T00:00Z"))
    (profile,) = profiles_of(readings).values()
    assert profile.missing.tolist() == [True, False]


def test_the_end_of_a_period_may_stand_in_another_file(write):
    first, second = (
        write(document(series(points, "A01", **when)), name)
        for points, when, name in (
            ([(at, 1) for at in range(1, 20)], {}, "first.xml"),
            ([(at, 2) for at in range(1, 9)], {"start": "2024-01-01T19:00Z", "end": "2024-01-02T03:00Z"}, "second.xml"),
        )
    )
    imported = import_generation([second, first])
    assert imported.profiles["FR-solar"].values.tolist() == [1_000_000] * 19 + [2_000_000] * 8
    assert imported.series["FR-solar"].missing == 0
    assert not imported.findings.of("error")


def test_periods_of_one_type_are_one_series(write):
    days = [("2024-01-01T00:00Z", "2024-01-02T00:00Z"), ("2024-01-04T00:00Z", "2024-01-05T00:00Z")]
    text = document("".join(series([(1, day)], start=start, end=end) for day, (start, end) in enumerate(days)))
    (one,) = read_readings(write(text)).series
    starts = [moment(start) + 3600 * hour for start, _ in days for hour in range(24)]
    assert oracle.values(one) == dict(zip(starts, [0] * 24 + [1_000_000] * 24, strict=True))


def test_a_period_of_one_interval_and_the_number_of_each_point(write):
    hour = {"start": "2024-01-01T00:00Z", "end": "2024-01-01T01:00Z"}
    one, two = read_readings(write(document(series([(1, 5)], **hour) + series([(1, 7), (3, 8)], psr="B17")))).series
    assert (oracle.values(one), one.lines.tolist()) == ({moment(hour["start"]): 5_000_000}, [1])
    assert two.lines.tolist() == [2, 2, *[3] * 22]  # a value that is carried on stands where it was written


def test_units_are_known_by_their_code(write):
    unit = "<psrType>B16</psrType><PowerSystemResources><mRID>{}</mRID><name>x</name></PowerSystemResources>"
    both = series([(1, 5)]).replace("<psrType>B16</psrType>", unit.format("U-1"))
    both += series([(1, 7)], way="out").replace("<psrType>B16</psrType>", unit.format("U-1"))
    found = oracle.named(read_readings(write(document(both, "A73"))))
    assert {name: (one.role, one.kind) for name, one in found.items()} == {
        "U-1": ("generation", "solar"),
        "U-1-consumption": ("consumption", "solar_consumption"),
    }


def test_an_area_that_is_not_listed_keeps_its_code(write):
    text = document(series([(1, 5)])).replace("10YFR-RTE------C", "10YXX-ELSEWHERE-")
    assert read_readings(write(text)).series[0].area == "10YXX-ELSEWHERE-"


def test_a_year_is_meant_in_utc_or_in_the_zone_that_is_named(write):
    path = write(document(series([(1, 5)], start="2023-12-31T23:00Z", end="2024-01-01T23:00Z")))
    assert len(read_readings(path, How(year=2024)).series[0]) == 23
    assert len(read_readings(path, How(year=2024, zone="Europe/Paris")).series[0]) == 24


@pytest.mark.parametrize(
    ("kind", "process", "said"),
    [
        ("A65", "A01", "forecast or plan"),
        ("A75", "A01", "forecast or plan"),
        ("A69", "A16", "forecast of wind"),
        ("A68", "A16", "installed capacity"),
        ("A44", "A16", "A44 are not known"),
    ],
)
def test_what_is_no_actual_energy_is_left_out_with_its_reason(write, refusal, kind, process, said):
    (finding,) = refusal(read_readings, write(document(series([(1, 5)]), kind, process)))
    assert (finding["code"], said in finding["message"]) == ("empty_file", True)


def test_an_answer_without_data_is_refused_with_its_words(refusal):
    (finding,) = refusal(read_readings, NO_DATA)
    assert finding["code"] == "empty_file"
    assert "holds no data" in finding["message"]
    assert "No matching data found for an area that does not exist." in finding["message"]
    assert "999" in finding["message"]


# --- refusals


def test_every_bad_point_is_named(write, refusal):
    text = document(series([(1, 5), (2, "x"), (2, 3), (25, 1), ("y", 1), (4, "1e30")]))
    found = refusal(read_readings, write(text))
    assert [(item["column"], item["value"]) for item in found] == [
        ("position", "2"),
        ("position", "25"),
        ("position", "y"),
        ("position", "4"),
        ("quantity", "x"),
        ("quantity", "1e30"),
    ]
    assert "position '25' of B16 is not one of 1 to 24" in found[1]["message"]


@pytest.mark.parametrize(
    "name",
    ["type", "process.processType", "psrType", "quantity_Measure_Unit.name", "start", "resolution"],
)
def test_a_missing_key_is_named(write, refusal, name):
    text = document(series([(1, 5)]))
    (finding,) = refusal(read_readings, write(re.sub(rf"<{name}>[^<]*</{name}>", "", text, count=1)))
    assert (finding["code"], name in finding["message"]) == ("missing_column", True)


def test_a_series_without_an_area_is_refused(write, refusal):
    text = re.sub(r"<inBiddingZone_Domain.mRID>[^<]*</inBiddingZone_Domain.mRID>", "", document(series([(1, 5)])))
    (finding,) = refusal(read_readings, write(text))
    assert "inBiddingZone_Domain.mRID" in finding["message"]


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("MAW", "KWT", "unreadable_value", "B16 in KWT; expected MAW"),
        ("PT60M", "P1D", "interval_too_long", "'P1D'; expected PT15M"),
        ("PT60M", "PT0M", "interval_too_long", "'PT0M'"),
        ("PT60M", "PT7M", "bad_period", "not 1 to 1048576 whole intervals of 420 s"),
        ("2024-01-02T00:00Z", "2023-01-02T00:00Z", "bad_period", "2024-01-01T00:00Z .. 2023-01-02T00:00Z"),
        ("2024-01-02T00:00Z", "9024-01-02T00:00Z", "bad_period", "9024-01-02T00:00Z"),
        ("2024-01-01T00:00Z", "2024-01-01 00:00", "unreadable_value", "'2024-01-01 00:00'; expected"),
        ("2024-01-01T00:00Z", "01.01.2024", "unreadable_value", "'01.01.2024'; expected"),
    ],
)
def test_other_units_resolutions_and_times_are_refused(write, refusal, old, new, code, said):
    (finding,) = refusal(read_readings, write(document(series([(1, 5)])).replace(old, new)))
    assert (finding["code"], said in finding["message"]) == (code, True), finding["message"]


def test_a_file_that_was_cut_off_is_refused(write, refusal):
    text = GENERATION.read_text()
    (finding,) = refusal(read_readings, write(text[: len(text) // 2]))
    assert "damaged XML" in finding["message"]


# --- real answers


@pytest.mark.parametrize("name", ["A75_FR_2021-01-01", "A75_DE_2021-01-01", "A75_NO_2021-11-23"])
def test_real_generation_is_read_as_by_hand(real_data, name):
    path = real_data / "samples" / "entsoe_api_xml" / f"{name}.xml"
    readings = read_readings(path)
    assert keyed(readings) == plain(path)
    steps = 96 if "DE" in name else 24
    assert {len(one) for one in readings.series if one.role == "generation"} == {steps}
    assert {one.area for one in readings.series} == {name[4:6]}
    assert not readings.left_out


def test_real_staircases_have_fewer_points_than_hours(real_data):
    path = real_data / "samples" / "entsoe_api_xml" / "A75_FR_2021-01-01.xml"
    biomass = read_readings(path).series[0]
    assert (biomass.kind, len(biomass)) == ("biomass", 24)
    assert biomass.values[1] == biomass.values[2] == biomass.values[3]  # positions 3 and 4 are not in the file


def test_real_load_is_read_as_by_hand(real_data):
    path = real_data / "samples" / "entsoe_api_xml" / "A65_load_FR_2021-01-01.xml"
    (one,) = read_readings(path).series
    assert oracle.values(one) == plain(path)["out", None, 3600]
    assert (one.name, len(one)) == ("FR-load", 24)


def test_a_real_answer_without_data_is_refused(real_data, refusal):
    (finding,) = refusal(read_readings, real_data / "samples" / "entsoe_api_xml" / "Acknowledgement_no_data.xml")
    assert "No matching data found" in finding["message"]
