"""Workbooks: told by their words without a library, read as text."""

import datetime
import re
import zipfile

import pytest

from gcr_fast.sources import workbook
from gcr_fast.sources.files import open_file

openpyxl = pytest.importorskip("openpyxl")


@pytest.fixture
def book(book):
    """Write a workbook of sheets; return its file."""
    return lambda **sheets: open_file(book(**sheets))


def test_words_tell_cells_and_sheets(book):
    words = workbook.words(book(First=[["Date", "Fuel Type"]]))
    assert workbook.has_cells(words, "Date", "Fuel Type")
    assert not workbook.has_cells(words, "Fuel")
    assert "First" in words


@pytest.mark.parametrize("content", [b"PK\x03\x04 no archive", b"PK\x03\x04" + bytes(40)])
def test_words_of_what_is_no_workbook_are_none(content, write):
    assert workbook.words(open_file(write(content, "x.xlsx"))) == ""


def test_a_table_begins_under_the_row_that_has_all_it_needs(book):
    file = book(A=[["a title"], [], ["Date", None, "MW"], ["x", "note", 1]], B=[["other"]])
    (_, table), (_, none) = workbook.sheets(file, ["Date", "MW"])
    assert none is None
    assert table.columns.to_pydict() == {"Date": ["x"], "MW": ["1"]}
    assert table.first_line == 4


def test_cells_are_text(book):
    cells = [
        0.1,
        1e-7,
        12345678,
        datetime.datetime(2023, 1, 31, 14, 59, 59, 999_600),
        datetime.time(23, 45),
        None,
        "text",
        True,
    ]
    names = [f"c{at}" for at in range(len(cells))]
    ((_, table),) = workbook.sheets(book(A=[names, cells]), names[:1])
    assert [table.columns[name][0].as_py() for name in names] == [
        "0.1",
        "1e-07",
        "12345678",
        "2023-01-31 15:00:00",
        "23:45",
        None,
        "text",
        "True",
    ]


def test_a_day_as_a_time_is_24_hours(book):
    header = ["Date", datetime.timedelta(hours=23, minutes=45), datetime.timedelta(days=1)]
    ((_, table),) = workbook.sheets(book(A=[header, ["x", 1, 2]]), ["Date"])
    assert table.names == ["Date", "23:45", "24:00"]


def test_empty_rows_behind_the_table_are_not_of_it(book):
    ((_, table),) = workbook.sheets(book(A=[["a", "b"], [1, 2], [None, 4], [None, None], [None, None]]), ["a"])
    assert table.columns.to_pydict() == {"a": ["1", None], "b": ["2", "4"]}


def test_two_columns_of_one_name_are_refused(book, refusal):
    (found,) = refusal(lambda: list(workbook.sheets(book(A=[["a", "b", "b"], [1, 2, 3]]), ["a"])))
    assert (found["code"], found["line"]) == ("ambiguous_column", 1)


def test_what_unpacks_to_too_much_is_refused(tmp_path, refusal, monkeypatch):
    monkeypatch.setattr(workbook, "MAX_UNPACKED", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/workbook.xml", bytes((1 << 20) + 1))
    file = open_file(tmp_path / "bomb.xlsx")
    (found,) = refusal(lambda: list(workbook.sheets(file, ["a"])))
    assert "unpacks to more" in found["message"]


def rewritten(file, place, change):
    """Write a workbook again with its parts changed."""
    with zipfile.ZipFile(file.path) as parts, zipfile.ZipFile(place, "w") as other:
        for name in parts.namelist():
            other.writestr(name, change(name, parts.read(name).decode()))
    return open_file(place)


@pytest.mark.parametrize("said", ['<dimension ref="A1"', '<dimension ref="A1:B2"', '<dimension ref="A1:XFD9"'])
def test_what_a_sheet_says_of_its_size_is_not_believed(book, tmp_path, said):
    def change(name, text):
        return re.sub('<dimension ref="[^"]*"', said, text)

    rows = [["title"], ["a", "b", "c"], *([at, 2, 3] for at in range(5))]
    file = rewritten(book(A=rows), tmp_path / "streamed.xlsx", change)
    ((_, table),) = workbook.sheets(file, ["a", "c"])
    assert table.columns.to_pydict() == {"a": list("01234"), "b": ["2"] * 5, "c": ["3"] * 5}


def test_texts_are_whole_cells_whatever_their_letters(book):
    texts = workbook.texts(book(A=[["R&D <kW>", " trimmed ", "Périmètre"], [1.5]]))
    assert {"R&D <kW>", "trimmed", "Périmètre"} <= texts


def test_a_header_may_be_told_by_a_rule(book):
    file = book(A=[["b"], ["a", "ab"], [1, 2]])
    ((_, table),) = workbook.sheets(file, lambda cells: sum("a" in cell for cell in cells) == 2)
    assert (table.names, table.first_line) == (["a", "ab"], 3)
