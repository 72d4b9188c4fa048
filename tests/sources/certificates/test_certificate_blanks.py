"""Cells that are empty: what would be made up for them is refused, or told, with row and column."""

import pytest
from lists import AIB_HEADER, WREGIS_HEADER, aib_row, rego, rego_row, text, wregis_row

from gcr_fast.certificates import read_certificates

MAPPING = {
    "columns": {
        "id": "nr", "device_id": "plant", "energy": "mwh", "year": "Jahr", "month": "Monat", "technology": "art",
        "status": "stand",
    },
    "constants": {"country": "AT"},
}  # fmt: skip
HEADER = ("nr", "plant", "mwh", "Jahr", "Monat", "art", "stand")
SOUND = dict(zip(HEADER, ("A1", "W1", "5", "2024", "3", "Wind", "cancelled"), strict=True))


def listed(*rows, without=()):
    """A list of no known format; each row changes cells of a sound one."""
    kept = [name for name in HEADER if name not in without]
    return text(kept, [[(SOUND | row)[name] for name in kept] for row in rows])


def mapping(*without):
    """How that list is described without some of its columns."""
    columns = {name: header for name, header in MAPPING["columns"].items() if header not in without}
    return MAPPING | {"columns": columns}


# --- serial numbers and ids


def test_a_row_without_its_serial_number_is_no_certificate(faults):
    without = {"low": "", "high": ""}
    assert faults(text(AIB_HEADER, [aib_row(), aib_row(**without)], ";")) == [
        ("null_value", 3, "Certificate Number From")
    ]
    assert faults(rego(rego_row(), rego_row(start="", end=""))) == [("null_value", 3, "Start Certificate No.")]
    rows = [wregis_row(), wregis_row(serials="")]
    assert faults(text(WREGIS_HEADER, rows), zone="UTC") == [("null_value", 3, "Certificate Serial Numbers")]


def test_a_row_without_its_id_is_no_certificate(faults):
    assert faults(listed({}, {"nr": ""}), mapping=MAPPING) == [("null_value", 3, "nr")]


def test_an_id_is_made_up_where_a_list_has_no_column_of_any_and_said(read):
    found = read(listed({}, {"plant": "W2"}, without=["nr"]), mapping=mapping("nr"))
    assert found.table["certificate_id"].to_pylist() == ["W1-2024-3", "W2-2024-3"]
    (note,) = found.findings
    assert note.code == "reading_note"
    assert "no column of serial numbers or ids" in note.message


@pytest.mark.parametrize("change", [{}, {"mwh": "7"}])
def test_of_made_up_ids_two_are_never_the_same(faults, change):
    content = listed({}, {"plant": "W2"}, change, without=["nr"])
    assert faults(content, mapping=mapping("nr")) == [("duplicate_certificate", 4, None)]


# --- months


def test_an_empty_month_is_no_whole_year(faults):
    assert faults(listed({}, {"nr": "A2", "Monat": ""}), mapping=MAPPING) == [("null_value", 3, "Monat")]
    header = [*(name for name in WREGIS_HEADER if name != "Vintage"), "Vintage Month", "Vintage Year"]
    rows = [[*row[:3], *row[4:], month, "2023"] for row, month in ((wregis_row(), "3"), (wregis_row(first=500), ""))]
    assert faults(text(header, rows), zone="UTC") == [("null_value", 3, "Vintage Month")]


def test_an_empty_month_beside_a_vintage_that_is_a_year_is_no_whole_year(faults, rows):
    header = [*WREGIS_HEADER, "Vintage Month"]
    listed = [[*wregis_row(vintage="2023"), "4"], [*wregis_row(first=500, vintage="2023"), ""]]
    assert faults(text(header, listed), zone="UTC") == [("null_value", 3, "Vintage Month")]
    whole = [listed[0], [*wregis_row(first=500, vintage="05/2023"), ""]]
    assert [row["production_start"].month for row in rows(text(header, whole), zone="UTC")] == [4, 5]


def test_a_list_without_months_has_whole_years(rows):
    (row,) = rows(listed({}, without=["Monat"]), mapping=mapping("Monat"))
    assert (row["production_end"] - row["production_start"]).days == 366


@pytest.mark.parametrize(
    ("change", "column", "said"),
    [
        ({"Monat": "Februar"}, "Monat", "Monat 'Februar' is no month"),
        ({"Monat": "13"}, "Monat", "Monat '13' is no month"),
        ({"Jahr": "24"}, "Jahr", "Jahr '24' is no year"),
        ({"Jahr": ""}, "Jahr", "Jahr is empty"),
    ],
)
def test_the_wrong_one_of_year_and_month_is_named(write, refusal, change, column, said):
    (found,) = refusal(read_certificates, write(listed(change)), mapping=MAPPING)
    assert (found["line"], found["column"], found["value"]) == (2, column, change[column] or None)
    assert found["message"].startswith(said)


@pytest.mark.parametrize(
    ("change", "column", "said"),
    [
        ({"start": "01.13.2023"}, "Production Period From", "'01.13.2023' is no date"),
        ({"end": "32.03.2023"}, "Production Period To", "'32.03.2023' is no date"),
        ({"start": ""}, "Production Period From", "is empty"),
        ({"end": "28.02.2023"}, "Production Period To", "ends on 2023-02-28, before it begins"),
    ],
)
def test_the_wrong_end_of_a_period_is_named_once(write, refusal, change, column, said):
    (found,) = refusal(read_certificates, write(text(AIB_HEADER, [aib_row(**change)])))
    assert found["column"] == column
    assert said in found["message"]
    assert found["message"].count(found["value"] or column) == 1
    assert "inclusive" in found["hint"] or found["code"] == "null_value"


# --- what was burnt


def test_what_was_burnt_is_missed(read):
    rows = [
        aib_row(),
        aib_row(first=500, source="", technology=""),
        aib_row(first=900, source="", technology="T050000"),
    ]
    found = read(text(AIB_HEADER, rows))
    assert [(one.code, one.line, one.column, one.value) for one in found.findings] == [
        ("source_missing", 3, "Energy Source", None),
        ("source_missing", 4, "Technology", "T050000"),
    ]
    assert found.table["source_type"].to_pylist() == ["hydro_run_of_river", None, None]
    held = aib_row(source="", technology="", status="Active")
    assert not len(read(text(AIB_HEADER, [aib_row(first=500), held])).findings)
    found = read(text(WREGIS_HEADER, [wregis_row(fuel="")]), zone="UTC")
    assert [(one.code, one.line, one.column) for one in found.findings] == [("source_missing", 2, "Fuel Type")]


def test_what_was_burnt_is_missed_once_in_a_list_that_has_no_column_of_it(read):
    content = listed({}, {"nr": "A2"}, without=["art"])
    (found,) = read(content, mapping=mapping("art")).findings
    assert (found.code, found.line, found.count) == ("source_missing", None, 2)
    assert not read(content, mapping=mapping("art"), units={"W1": "wind"}).findings.of("warning")


def test_a_technology_that_is_not_known_is_no_beginning_of_a_code(read):
    found = read(text(AIB_HEADER, [aib_row(source="F01040100", technology="TC110")]))
    assert [(one.code, one.line, one.column, one.value) for one in found.findings] == [
        ("unknown_technology", 2, "Technology", "TC110")
    ]
    assert found.table["source_type"].to_pylist() == ["solar"]


# --- the status


def test_a_list_without_a_status_says_so(write, refusal):
    header = [name for name in AIB_HEADER if name != "Status"]
    row = aib_row(beneficiary="")
    path = write(text(header, [[*row[:10], *row[11:]]]))
    (found,) = refusal(read_certificates, path)
    assert (found["code"], found["line"], found["column"]) == ("null_value", 2, None)
    assert found["message"].startswith("status has no column")
    assert "constants: {status: cancelled}" in found["hint"]


# --- words for nothing


NOTHING = ("-", "--", "–", "n/a", "N/A", "NULL", "none", "None")


@pytest.mark.parametrize("word", ["0000-00-00", "00/00/0000 00:00", "No", "pending", *NOTHING])
def test_no_date_of_cancellation_is_no_cancellation(faults, word):
    """In a list without states whatever stood there was taken for a date: what is still held was converted."""
    header = [*AIB_HEADER[:10], "Cancellation Date"]
    rows = [[*aib_row(number)[:10], cell] for number, cell in ((1, "2024-01-31"), (101, word))]
    assert faults(text(header, rows, ";")) == [("null_value", 3, None)]


@pytest.mark.parametrize("word", NOTHING)
@pytest.mark.parametrize("column", ["Beneficiary", "Cancellation Purpose"])
def test_a_word_for_nothing_is_no_beneficiary_and_no_reason(faults, read, word, column):
    """They were taken for a name, and a row for cancelled as somebody had it."""
    header = [*AIB_HEADER[:10], column]
    rows = [[*aib_row(number)[:10], cell] for number, cell in ((1, "Works"), (101, word))]
    assert faults(text(header, rows, ";")) == [("null_value", 3, None)]
    told = read(text(AIB_HEADER, [aib_row(beneficiary=word, consumption="")], ";")).table
    assert told["beneficiary"].to_pylist() == [None]


@pytest.mark.parametrize("word", NOTHING)
def test_a_word_for_nothing_above_the_header_is_no_beneficiary(rows, word):
    (one,) = rows(f"Beneficiary;{word}\n" + text(AIB_HEADER, [aib_row(beneficiary="", consumption="")], ";"))
    assert one["beneficiary"] is None


# --- rows that are none of the list


DEVICES = {
    "columns": {"device_id": "Dev", "energy": "MWh", "year": "Year"},
    "constants": {"status": "cancelled", "country": "AT", "technology": "solar"},
}


@pytest.mark.parametrize("word", ["Total", "TOTAL:", "Gesamt", "Summe", "Somme", "Total MWh"])
@pytest.mark.parametrize("line", ["{},2023,300", "{},,300"])
def test_a_total_that_fills_every_column_is_no_device(read, word, line):
    """It became a certificate of its own: all energy was there twice."""
    found = read("Dev,Year,MWh\nA,2023,100\nB,2023,200\n" + line.format(word) + "\n", mapping=DEVICES)
    assert found.table["device_id"].to_pylist() == ["A", "B"]
    assert found.files[0].dropped == {"totals and closing lines": 1}
    swapped = read("Year,Dev,MWh\n2023,A,100\n2023," + word + ",100\n", mapping=DEVICES)
    assert swapped.table["device_id"].to_pylist() == ["A"]


def test_a_device_whose_name_only_begins_as_a_total_is_one(rows):
    found = rows("Dev,Year,MWh\nTotal Energies,2023,100\nSummersite,2023,200\n", mapping=DEVICES)
    assert [one["device_id"] for one in found] == ["Total Energies", "Summersite"]


def test_the_header_of_a_list_that_was_joined_from_two_is_no_row(read, faults):
    both = text(AIB_HEADER, [aib_row(1), AIB_HEADER, aib_row(101)], ";")
    found = read(both)
    assert found.table["energy_wh"].to_pylist() == [100_000_000] * 2
    assert found.files[0].dropped == {"the header once more": 1}
    other = text(AIB_HEADER, [aib_row(1), AIB_HEADER[::-1], aib_row(101)[::-1]], ";")
    assert faults(other)


# --- numbers of certificates


def test_energy_that_the_number_of_certificates_contradicts_is_refused(faults, rows):
    """Without serial numbers the number of certificates was not looked at."""
    mapping = {**DEVICES, "columns": {"id": "Id", "energy": "MWh", "count": "N", "year": "Year"}}
    lines = "Id,Year,MWh,N\nA,2023,200,200\nB,2023,100,50\nC,2023,,50\nD,2023,7,\n"
    assert faults(lines, mapping=mapping) == [("count_mismatch", 3, "MWh")]
    found = rows(lines.replace("B,2023,100,50\n", ""), mapping=mapping)
    assert [one["energy_wh"] for one in found] == [200_000_000, 50_000_000, 7_000_000]
    varying = rows(lines.replace("C,2023,,50\n", ""), mapping=mapping | {"wh_each": 0})
    assert [one["energy_wh"] for one in varying] == [200_000_000, 100_000_000, 7_000_000]


# --- one device at one time


def test_periods_of_a_device_that_overlap_are_told_where_no_number_tells_certificates_apart(read):
    """A year and one of its months were both taken, and nothing said so."""
    mapping = {**DEVICES, "columns": {"device_id": "Dev", "energy": "MWh", "period": "P"}}
    rows = ["A,2023,100", "B,2023-01,10", "B,2023-02,10", "a,2023-01,10", "B,2024,10", "A,2022-12-01 - 2023-01-31,9"]
    found = read("\n".join(["Dev,P,MWh", *rows]), mapping=mapping)
    assert len(found) == 6
    (told,) = (one for one in found.findings if "overlap" in one.message)
    assert (told.line, told.count, told.severity) == (2, 2, "warning")
    assert "lines 7 and 2 (of 2 such pairs)" in told.message
    apart = read("\n".join(["Dev,P,MWh", *rows[1:3], rows[4]]), mapping=mapping)
    assert not any("overlap" in one.message for one in apart.findings)
    numbered = {**mapping, "columns": mapping["columns"] | {"id": "Id"}}
    told = read("Dev,P,MWh,Id\nA,2023,100,1\nA,2023-01,10,2\n", mapping=numbered).findings
    assert not any("overlap" in one.message for one in told)
