"""Which rows of a list become certificates: those left out are named, energies with float tails rounded and counted."""

from fractions import Fraction
from pathlib import Path

import pytest

from gcr_fast import UsageError
from gcr_fast.certificates import is_list, read_certificates

MAPPING = Path(__file__).parents[1] / "mappings" / "british-units.yaml"
UNITS = {"W-1": "wind", "N-1": "nuclear", "C-1": "fossil", "P-1": "storage_discharge"}
LIST = """ngc_bmu_id,year,output_MWh
W-1,2018,5.3100000000000005
W-1,2019,7.0
N-1,2018,1200000.25
C-1,2018,99.5
P-1,2018,12.0
X-1,2018,3.5
N-1,2019,0.0
N-2,2018,-0.75
"""


@pytest.fixture
def british(write):
    """Read a list as the mapping of British units says; return what was read."""

    def read(content=LIST, **options):
        told = {"mapping": MAPPING, "units": {**UNITS, "N-2": "nuclear"}, "year": 2018} | options
        return read_certificates(write(content, "output.csv"), **told)

    return read


def left_out(found):
    return {one.certificate_id: one.message.partition(": ")[2] for one in found.findings if one.code == "left_out"}


def test_rows_of_known_sources_are_certificates_of_their_device_and_year(british):
    kept = british().table.to_pylist()
    assert [(one["certificate_id"], one["device_id"], one["source_type"]) for one in kept] == [
        ("W-1-2018", "W-1", "wind"),
        ("N-1-2018", "N-1", "nuclear"),
    ]
    assert {(one["status"], one["purpose"], one["zone"]) for one in kept} == {
        ("CANCELED", "conversion", "Europe/London")
    }
    assert {one["production_start"].year for one in kept} == {2018}


def test_energies_are_whole_wh_rounded_down_and_counted(british):
    found = british()
    assert found.table["energy_wh"].to_pylist() == [
        Fraction("5.3100000000000005") * 10**6 // 1,
        Fraction("1200000.25") * 10**6,
    ]
    (rounded,) = (one for one in found.findings if one.code == "energy_rounded")
    assert rounded.count == 1


def test_every_row_that_is_left_out_is_named_with_its_reason(british):
    found = british()
    assert left_out(found) == {
        "C-1": "fossil, which is left out",
        "P-1": "storage_discharge, which is left out",
        "X-1": "not in the map of units to fuels",
        "N-2": "has negative energy",
    }
    (account,) = found.files
    assert account.dropped["not of 2018"] == 2
    assert account.rows == account.kept + sum(account.dropped.values()) == 8
    assert {one.line for one in found.findings if one.code == "left_out"} == {5, 6, 7, 9}


def test_what_is_of_two_years_is_left_out_by_name(read):
    """It was counted among the rows of other years, and nobody could tell which energy was lost."""
    mapping = {
        "columns": {"id": "Id", "energy": "MWh", "start": "From", "end": "To"},
        "constants": {"status": "cancelled", "country": "AT", "technology": "solar"},
    }
    lines = ["A,1,2023-01-01,2023-12-31", "B,1,2022-12-01,2023-01-31", "C,1,2022-12-01,2022-12-31"]
    found = read("\n".join(["Id,MWh,From,To", *lines]), mapping=mapping, year=2023)
    assert found.table["certificate_id"].to_pylist() == ["A"]
    assert left_out(found) == {"B": "of 2023 and of another year: it cannot be cut"}
    assert found.files[0].dropped == {"of 2023 and of another year: it cannot be cut": 1, "not of 2023": 1}


def test_a_year_without_energy_is_left_out_by_name(british):
    found = british(year=2019)
    assert left_out(found) == {"N-1": "holds no energy"}
    assert found.table["certificate_id"].to_pylist() == ["W-1-2019"]


def test_words_of_the_map_that_are_no_fuel_are_told(british, write):
    units = write("unit,fuel\nW-1,WIND\nN-1,RECIPROCATING\nN-2,NUCLEAR\n", "units.csv")
    assert left_out(british(units=units))["N-1"] == "its fuel 'RECIPROCATING' is none that is known"


def without(line):
    return "".join(row for row in MAPPING.read_text().splitlines(keepends=True) if not row.startswith(line))


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("rounding", ["inexact_energy"]),
        ("without_energy", ["non_positive_energy", "non_positive_energy"]),
    ],
)
def test_without_being_asked_such_rows_are_refused(line, codes, write, refusal):
    mapping = write(without(line), "mapping.yaml")
    findings = refusal(read_certificates, write(LIST, "output.csv"), mapping=mapping, units=UNITS, year=2018)
    assert [one["code"] for one in findings if one["severity"] == "error"] == codes


def test_without_being_asked_fossil_units_are_kept(write):
    mapping = write(without("leave_out"), "mapping.yaml")
    found = read_certificates(write(LIST, "output.csv"), mapping=mapping, units=UNITS, year=2018)
    assert set(found.table["device_id"].to_pylist()) == {"W-1", "N-1", "C-1", "P-1"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rounding: down", "rounding: up", "rounding"),
        ("without_energy: leave-out", "without_energy: zero", "without_energy"),
        ("leave_out: [fossil", "leave_out: [plasma", "leave_out"),
    ],
)
def test_a_slip_in_the_mapping_is_refused(old, new, said, write, refusal):
    text = MAPPING.read_text()
    assert old in text
    mapping = write(text.replace(old, new), "mapping.yaml")
    findings = refusal(read_certificates, write(LIST, "output.csv"), mapping=mapping, units=UNITS)
    assert said in findings[0]["message"]


@pytest.mark.parametrize("energy", ["5.31x", "5.3.1", "--3", "1e5"])
def test_what_is_no_number_is_refused(energy, write, refusal):
    text = LIST.replace("5.3100000000000005", f'"{energy}"')
    findings = refusal(read_certificates, write(text, "output.csv"), mapping=MAPPING, units=UNITS, year=2018)
    assert [(one["line"], one["value"]) for one in findings if one["severity"] == "error"] == [(2, energy)]


def test_two_rows_of_one_device_and_year_are_refused(write, refusal):
    findings = refusal(
        read_certificates, write(LIST + "W-1,2018,1.5\n", "o.csv"), mapping=MAPPING, units=UNITS, year=2018
    )
    assert [one["line"] for one in findings if one["severity"] == "error"] == [10]


def test_our_own_files_are_not_sifted(write):
    own = write("certificate_id,energy_wh,year,status\nA,1,2018,CANCELED\n", "annual.csv")
    assert not is_list(own)
    with pytest.raises(UsageError, match="annual file of ours"):
        read_certificates(own, year=2018)


def test_what_convert_takes_names_the_lines_of_the_list(british):
    annual = british().to_annual()
    assert [annual.source.line(row) for row in range(len(annual))] == [2, 4]
    assert sum(one.code == "left_out" for one in annual.findings) == 4
