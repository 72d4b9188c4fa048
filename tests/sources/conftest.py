"""What tests of several formats make files with."""

import pytest


@pytest.fixture
def book(tmp_path):
    """Write a workbook of sheets; return its path."""
    openpyxl = pytest.importorskip("openpyxl")

    def made(**sheets):
        whole = openpyxl.Workbook()
        whole.remove(whole.active)
        for name, rows in sheets.items():
            sheet = whole.create_sheet(name)
            for row in rows:
                sheet.append(row)
        whole.save(tmp_path / "book.xlsx")
        return tmp_path / "book.xlsx"

    return made
