"""Lists in workbooks: read as the text that they would be, whatever their cells are; lost digits are refused."""

import csv
import datetime
import io
import sys
import tempfile

import pytest
from lists import AIB_HEADER, WREGIS_HEADER, aib_row, irec, irec_row, rego, rego_row, text, wregis_row

from gcr_fast.certificates import is_list, read_certificates
from gcr_fast.sources.certificates.book import text_of

openpyxl = pytest.importorskip("openpyxl")
LISTS = {
    "rego": rego(rego_row(), rego_row(first=1000, status="Issued"), preamble="Textbox4,Textbox5\n\n"),
    "rego without header": rego(rego_row(company="01234567"), rego_row(first=1000), header=False),
    "aib": text(AIB_HEADER, [aib_row(), aib_row(first=500, beneficiary="", consumption="")]),
    "wregis": text(WREGIS_HEADER, [wregis_row()]),
    "irec": irec(irec_row()),
}
DAY = datetime.datetime(2023, 3, 1)


def cells_of(content):
    """The rows of a list as somebody would type them into a sheet."""
    return [[cell or None for cell in row] for row in csv.reader(io.StringIO(content))]


def aib_cells(**changes):
    row = dict(zip(AIB_HEADER, aib_row(), strict=True)) | changes
    return [list(AIB_HEADER), list(row.values())]


@pytest.mark.parametrize("name", LISTS)
def test_a_sheet_is_read_as_its_text_is(book, write, name):
    path = book(List=cells_of(LISTS[name]))
    found, wanted = (read_certificates(one, zone="UTC") for one in (path, write(LISTS[name])))
    assert found.table.to_pylist() == wanted.table.to_pylist()
    assert list(found.lines) == list(wanted.lines)
    assert found.files[0].file == str(path)
    assert (found.files[0].format, found.files[0].dropped) == (wanted.files[0].format, wanted.files[0].dropped)
    assert is_list(path)


def test_dates_and_numbers_are_what_was_typed(book):
    changes = {"Production Period From": DAY, "Production Period To": DAY.replace(day=31), "Volume (MWh)": 100}
    (row,) = read_certificates(book(A=aib_cells(**changes))).table.to_pylist()
    assert (row["energy_wh"], row["certificate_id"]) == (10**8, f"{aib_row()[1]}..{aib_row()[2]}")
    assert (row["production_end"] - row["production_start"]).total_seconds() == 743 * 3600  # with the hour of spring


def test_a_month_is_a_month_where_a_spreadsheet_has_made_a_day_of_it(book):
    cells = [list(WREGIS_HEADER), [*wregis_row(vintage=DAY)]]
    cells[1][5] = 100.0
    (row,) = read_certificates(book(A=cells), zone="UTC").table.to_pylist()
    assert row["production_start"].date() == DAY.date()
    assert (row["production_end"] - row["production_start"]).days == 31


def test_decimals_of_a_sheet_have_points(book):
    mapping = {
        "columns": {"id": "n", "energy": "mwh", "period": "p", "technology": "t", "status": "s"},
        "constants": {"country": "AT"},
    }
    rows = [["n", "mwh", "p", "t", "s"], ["A1", 1.125, "Mar-2023", "Wind", "cancelled"]]
    rows.append(["A2", 0.1 + 0.2, DAY.date().replace(month=4).strftime("%b-%Y"), "Wind", "cancelled"])
    found = read_certificates(book(A=rows), mapping=mapping | {"delimiter": "semicolon"})
    assert found.table["energy_wh"].to_pylist() == [1_125_000, 300_000]


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("Certificate Number From", 643002406801000000000000000000, "bad_serial"),
        ("Certificate Number From", 6.43002406801e29, "bad_serial"),
        ("Production Device GSRN", 571313001234567000, "unreadable_value"),
        ("Production Device GSRN", 5.71313001234567e17, "unreadable_value"),
        ("Production Device GSRN", "571313001234567000", None),
        ("Production Device GSRN", 123456789012000, None),
    ],
)
def test_digits_that_a_spreadsheet_has_lost_are_refused(book, refusal, column, value, code):
    path = book(A=aib_cells(**{column: value}))
    if code is None:
        assert len(read_certificates(path)) == 1
        return
    (found,) = [one for one in refusal(read_certificates, path) if one["severity"] == "error"]
    assert (found["code"], found["line"], found["column"]) == (code, 2, column)
    assert "digits are lost" in found["message"]


def test_an_id_that_was_shortened_is_refused_in_any_list(faults):
    mapping = {"columns": {"id": "n", "energy": "mwh", "period": "p", "technology": "t", "status": "s"}}
    content = "n,mwh,p,t,s\n5.71313E+17,1,Mar-2023,Wind,cancelled\n"
    assert faults(content, mapping=mapping, zone="UTC") == [("unreadable_value", 2, "n")]


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        (None, ""), ("a\r\nb ", "a b"), (7, "7"), (7.0, "7"), (1e-7, "0.0000001"), (12.5, "12.5"), (True, "True"),
        (DAY, "2023-03-01"), (DAY.date(), "2023-03-01"), (DAY.replace(hour=6), "2023-03-01 06:00:00"),
        (datetime.datetime(2023, 3, 1, 23, 59, 59, 999_700), "2023-03-02"), (datetime.time(6, 30), "06:30:00"),
        (10**15, "1.00000000000000E+15"), (10**15 + 1, "1000000000000001"),
        (571313001234567891, "571313001234567891"), (-2.5, "-2.5"),
    ],
)  # fmt: skip
def test_a_cell_is_what_was_typed(cell, wanted):
    assert text_of(cell) == wanted


# --- sheets


def test_the_sheet_that_has_the_list_is_read(book):
    found = read_certificates(book(Cover=[["A report"]], List=cells_of(LISTS["aib"]), Notes=[]))
    assert len(found) == 2


def test_lists_in_two_sheets_are_refused(book, refusal):
    path = book(One=cells_of(LISTS["aib"]), Two=cells_of(LISTS["wregis"]))
    (found,) = refusal(read_certificates, path)
    assert found["code"] == "ambiguous_format"
    assert "One, Two" in found["message"]
    assert len(read_certificates(path, format="aib")) == 2


def test_a_workbook_without_a_list_is_refused(book, refusal):
    for sheets in ({"One": [["a"], [1]]}, {"One": [["a"]], "Two": [["b"]]}, {"One": []}):
        (found,) = refusal(read_certificates, book(**sheets))
        assert found["code"] == "unknown_format"


def test_a_workbook_of_our_own_says_what_it_must_be(book, refusal):
    cells = [["certificate_id", "energy_mwh", "year", "status"], ["A", 1, 2023, "CANCELED"]]
    for sheets in ({"One": cells}, {"One": cells, "Two": [["b"]]}):
        (found,) = refusal(read_certificates, book(**sheets))
        assert "save it as CSV" in found["message"]


def test_a_workbook_that_finds_no_room_is_refused(book, refusal, monkeypatch):
    path = book(List=cells_of(LISTS["aib"]))
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: (_ for _ in ()).throw(OSError("no space left")))
    (found,) = refusal(read_certificates, path)
    assert "no space left" in found["message"]


def test_a_damaged_workbook_is_refused(write, refusal):
    (found,) = refusal(read_certificates, write(b"PK\x03\x04" + bytes(40), "x.xlsx"))
    assert found["code"] == "unreadable_file"


def test_without_the_library_a_workbook_says_what_it_needs(book, refusal, monkeypatch):
    path = book(List=cells_of(LISTS["aib"]))
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (found,) = refusal(read_certificates, path)
    assert "gcr_fast[xlsx]" in found["message"]
    assert is_list(path)  # so that a conversion says it, too
