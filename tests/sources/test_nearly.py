"""A file of no known format that is nearly of one: which, and by what it differs."""

from pathlib import Path

import pytest
from oracle.conversion import annual_table

import gcr_fast as gcr
from gcr_fast.certificates import nearly_list, read_certificates
from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation.formats import FORMATS, identify, read_readings
from gcr_fast.sources.nearly import nearly

EXAMPLES = Path(__file__).parent / "examples"
AIB = (
    "Certificate Number From,Certificate Number To,Volume,Energy Source,Production Period From,Production Period To,"
    "Status,Country\n1,100,100,F01040100,2019-01-01,2019-01-31,Cancelled,AT\n"
)
"""A list of guarantees of origin."""
ONE_MARK = ("eia930-bulk", "entsoe-new", "entsoe-old", "neso", "nz-emi", "pjm", "smard-german", "gc-registry", "opsd")
ONE_COLUMN = [
    ("eia930-bulk", '"UTC Time at End of Hour"', "UTC Time at End of Hour"),
    ("energinet-dot", "HourUTC", "HourUTC"),
    ("entsoe-library", "AreaCode", "AreaCode"),
    ("entsoe-new", '"Area"', "Area"),
    ("entsoe-old", '"MTU"', "MTU"),
    ("eskom", "Date_Time_Hour_Beginning", "Date_Time_Hour_Beginning"),
    ("gc-registry", "interval_usage", "interval_usage"),
    ("nz-emi", "Fuel_Code", "Fuel_Code"),
    ("pjm", "fuel_type", "fuel_type"),
    ("smard-german", "Datum von", "Datum von"),
]
UNITS = [("entsoe-new", "MW", "kW"), ("smard-german", "MWh", "kWh"), ("entsoe-old-load", "MW", "GW")]


@pytest.fixture
def changed(tmp_path):
    """An example of which the header, or all, was replaced."""

    def make(name, old, new):
        file = open_file(EXAMPLES / f"{name}.csv")
        text = file.path.read_bytes().decode(file.encoding)
        assert old in text
        path = tmp_path / f"{name}.csv"
        path.write_bytes(text.replace(old, new).encode(file.encoding))
        return path

    return make


def told(path):
    """What is said of a file that no format takes."""
    file = open_file(path)
    assert identify(file) is None
    return nearly(file, FORMATS)


@pytest.mark.parametrize("name", ONE_MARK)
def test_other_marks_between_cells_are_named(changed, name):
    mark = open_file(EXAMPLES / f"{name}.csv").delimiter
    said = told(changed(name, mark, "," if mark == ";" else ";"))
    format_ = identify(open_file(EXAMPLES / f"{name}.csv")).name
    assert said.startswith(f"; it is nearly {format_}, but its cells are set apart by ")


@pytest.mark.parametrize(("name", "unit", "other"), UNITS)
def test_another_unit_is_named(changed, name, unit, other):
    brackets = "()" if name == "entsoe-new" else "[]"
    said = told(changed(name, f"{brackets[0]}{unit}{brackets[1]}", f"{brackets[0]}{other}{brackets[1]}"))
    assert said.endswith(f"but its unit is {other}, not {unit}")


@pytest.mark.parametrize(("name", "column", "said"), ONE_COLUMN)
def test_a_column_that_lacks_is_named(changed, refusal, name, column, said):
    path = changed(name, column, "Fin")
    format_ = identify(open_file(EXAMPLES / f"{name}.csv")).name
    (found,) = refusal(read_readings, path)
    assert found["code"] == "unknown_format"
    assert f"it is nearly {format_}, but has no column {said}" in found["message"]


@pytest.mark.parametrize(
    "header", ["time,wind", "timestamp;value", "start,end,kWh", "Date,Amount,Who", '{"a": 1}', "<a/>", "x"]
)
def test_what_is_near_to_nothing_is_not_called_so(tmp_path, header):
    path = tmp_path / "other.csv"
    path.write_text(header + "\n1,2,3\n")
    assert told(path) == ""


def test_a_conversion_says_what_its_profile_file_nearly_is(changed, refusal):
    found = refusal(gcr.convert, annual_table({}), changed("smard-german", "Datum von", "Fin"))
    (near,) = (one for one in found if one["code"] == "unknown_format")
    assert "it is nearly smard, but has no column Datum von" in near["message"]


@pytest.mark.parametrize("column", ["Production Period To", "Status"])
def test_a_list_that_lacks_one_column_is_told_which(tmp_path, refusal, column):
    path = tmp_path / "list.csv"
    path.write_text(AIB.replace(column, "Fin"))
    (found,) = refusal(read_certificates, path)
    assert f"it is nearly aib, but has no column {column}" in found["message"]
    path.write_text(AIB.replace(column, "Fin").replace("Volume", "Vol."))
    assert nearly_list(path) == ""
