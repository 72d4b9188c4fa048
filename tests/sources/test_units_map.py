"""Maps of units to fuels: any table that has both, with no word guessed and no contradiction."""

import csv
from pathlib import Path

import pytest

from gcr_fast.sources.generation.formats import read_readings
from gcr_fast.sources.model import How
from gcr_fast.sources.units_map import read_units, unit_kind

EXAMPLE = Path(__file__).parent / "examples" / "units.csv"


def test_units_have_source_types_and_unknown_words_are_listed():
    units = read_units(EXAMPLE)
    assert dict(units) == {"EXWND-1": "wind", "EXCCG-2": "fossil", "EXPUM-1": "storage_discharge", "EXTID-9": "marine"}
    assert units.unknown == {"CHP": ("EXCHP-1",)}
    assert units.words == {"EXCHP-1": "CHP"}


@pytest.mark.parametrize(
    "header",
    ["unit,fuel", "unit_id;source_type", "DUID\tFuel Source - Descriptor", "Facility Code,technology", "id,Type"],
)
def test_any_two_columns_of_units_and_fuels_do(header, write):
    mark = next(mark for mark in ";\t," if mark in header)
    text = f"{header}\nA-1{mark}wind_onshore\n B-2 {mark} Natural Gas \n"
    assert dict(read_units(write(text))) == {"A-1": "wind_onshore", "B-2": "fossil"}


def test_a_unit_may_have_two_ids(write):
    text = "nationalGridBmUnit,elexonBmUnit,fuelType\nWBURB-1,T_WBURB-1,CCGT\nEXWND-1,T_EXWND-1,WIND\n"
    units = read_units(write(text))
    assert units["T_EXWND-1"] == units["EXWND-1"] == "wind"
    assert len(units) == 4


def test_our_own_words_are_known(write):
    units = read_units(write("device_id,source_type\nA,storage_discharge\nB,hydro_run_of_river\n"))
    assert dict(units) == {"A": "storage_discharge", "B": "hydro_run_of_river"}
    assert unit_kind(units, "A").role == "storage"
    assert unit_kind(units, "nobody", "B").role == "generation"
    assert unit_kind(units, "nobody") is None


def test_a_unit_with_two_fuels_is_refused_with_both_lines(write, refusal):
    (finding,) = refusal(read_units, write("unit,fuel\nA,wind\nB,coal\nA,nuclear\nB,oil\n"))
    assert (finding["line"], finding["value"]) == (4, "nuclear")
    assert "line 2" in finding["message"]  # coal and oil are both fossil: no contradiction


def test_an_unknown_word_beside_a_known_one_is_a_contradiction(write, refusal):
    (finding,) = refusal(read_units, write("unit,fuel\nA,wind\nA,plasma\n"))
    assert finding["value"] == "plasma"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("unit,colour\nA,red\n", "missing_column"),
        ("colour,fuel\nred,coal\n", "missing_column"),
        ("unit,fuel,technology\nA,coal,ccgt\n", "ambiguous_column"),
        ("unit,fuel\nA\n", "malformed_row"),
        ("unit,fuel\n,coal\n", "null_value"),
        ("unit,fuel\n", "empty_file"),
        ('{"unit": "A"}', "unreadable_file"),
    ],
)
def test_what_is_no_map_is_refused(text, code, write, refusal):
    assert [one["code"] for one in refusal(read_units, write(text))] == [code]


def test_an_empty_fuel_is_listed_not_guessed(write):
    units = read_units(write("unit,fuel\nA,\nB,wind\n"))
    assert (dict(units), units.unknown) == ({"B": "wind"}, {"": ("A",)})


def test_the_real_map(real_data):
    path = real_data / "gb_2018" / "bmu_fuel_types.csv"
    with path.open(encoding="utf-8-sig") as file:
        fuels = {row["ngc_bmu_id"]: row["fuel_type"].upper() for row in csv.DictReader(file)}
    kinds = {
        "WIND": "wind",
        "NPSHYD": "hydro",
        "BIOMASS": "biomass",
        "NUCLEAR": "nuclear",
        "TIDAL": "marine",
        "PS": "storage_discharge",
        "BATTERY": "storage_discharge",
        **dict.fromkeys(("CCGT", "OCGT", "COAL"), "fossil"),
    }
    units = read_units(path)
    assert dict(units) == {unit: kinds[fuel] for unit, fuel in fuels.items() if fuel in kinds}
    assert units.words == {unit: fuel for unit, fuel in fuels.items() if fuel not in kinds}
    assert set(units.unknown) == {"CHP", "RECIPROCATING"}


def test_a_unit_whose_fuel_is_not_known_is_told_apart_from_one_that_the_map_lacks(write):
    path = write("D,DISPATCH,UNIT_SCADA,1,2024/01/01 00:05:00,A,1\n".replace(",A,", ",{},") * 3, "scada.csv")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[0].format(unit) for unit in "ABCD"))
    units = read_units(write("unit,fuel\nA,wind\nB,plasma\nD,\n", "units.csv"))
    readings = read_readings(path, How(units=units))
    assert readings.notes == {
        "B": "its fuel in the map of units, 'plasma', is not known: no source type",
        "C": "not in the map of units to fuels: no source type",
        "D": "has no fuel in the map of units: no source type",
    }
    assert {one.name: one.source_type for one in readings.series} == {"A": "wind", "B": None, "C": None, "D": None}
