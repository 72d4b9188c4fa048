"""Binary files that are cut off, spoiled or packed: said to be so, whichever command reads them, never of no format."""

import gzip
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from gcr_fast.certificates import read_certificates
from gcr_fast.sources.damaged import refuse_damaged
from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation.formats import read_readings

EXAMPLES = Path(__file__).parent / "examples"
FRAME, BOOK = EXAMPLES / "entsoe-py-load.parquet", EXAMPLES / "ercot-fuel.xlsx"
TABLE = pa.table({"start": [0, 3600], "wh": [1, 2]})


def arrow(opener):
    sink = pa.BufferOutputStream()
    with opener(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return sink.getvalue().to_pybytes()


def zipped(path, **files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts:
        for name, content in files.items():
            parts.writestr(name, content)
    return path


def spoiled_inside(path):
    """A workbook of whose sheet a few bytes are others: its list of parts is whole."""
    with zipfile.ZipFile(BOOK) as parts:
        at = parts.getinfo("xl/worksheets/sheet3.xml").header_offset + 200
    content = bytearray(BOOK.read_bytes())
    content[at : at + 20] = bytes(20)
    path.write_bytes(content)
    return path


DAMAGED = {
    "Parquet, cut off": (FRAME.read_bytes()[:-100], "damaged Parquet", "magic bytes"),
    "Parquet, its beginning": (b"PAR1" + bytes(3), "damaged Parquet", ""),
    "a workbook, cut off": (BOOK.read_bytes()[:4000], "damaged zip", "not a zip file"),
    "an archive's beginning": (b"PK\x03\x04garbage", "damaged zip", "not a zip file"),
    "an Arrow file, cut off": (arrow(pa.ipc.new_file)[:-40], "damaged Arrow IPC", ""),
    "an Arrow stream, cut off": (arrow(pa.ipc.new_stream)[:300], "damaged Arrow IPC", ""),
    "packed Parquet": (gzip.compress(FRAME.read_bytes()), "Parquet that was packed by gzip", "unpack"),
}


@pytest.mark.parametrize(("content", "said", "library"), DAMAGED.values(), ids=DAMAGED)
def test_it_is_said_to_be_damaged_and_what_the_library_said(content, said, library, write, refusal):
    (finding,) = refusal(read_readings, write(content, "file.bin"))
    assert finding["code"] == "unreadable_file"
    assert said in finding["message"]
    assert library in finding["message"]
    assert len(finding["message"].partition(said)[2]) > len(": ")


def test_a_workbook_with_a_broken_sheet_names_the_sheet(tmp_path, refusal):
    path = spoiled_inside(tmp_path / "book.xlsx")
    (finding,) = refusal(read_certificates, path)
    assert "damaged zip" in finding["message"]
    assert "xl/worksheets/sheet3.xml: Error -3 while decompressing" in finding["message"]


@pytest.mark.parametrize("read", [read_readings, read_certificates])
def test_an_archive_of_files_is_to_be_unpacked(read, tmp_path, refusal):
    few = zipped(tmp_path / "few.zip", **{"a.csv": "x", "b.csv": "y"})
    many = zipped(tmp_path / "many.zip", **{f"{at}.csv": "x" for at in range(5)})
    assert "zip archive of a.csv, b.csv: unpack it" in refusal(read, few)[0]["message"]
    assert "zip archive of 0.csv, 1.csv, 2.csv and 2 more: unpack it" in refusal(read, many)[0]["message"]


@pytest.mark.parametrize(
    "content", [FRAME.read_bytes(), BOOK.read_bytes(), arrow(pa.ipc.new_file), arrow(pa.ipc.new_stream), b"a,b\n1,2\n"]
)
def test_what_is_whole_is_no_concern_of_it(content, write):
    refuse_damaged(open_file(write(content, "file.bin")))


def test_a_whole_table_of_no_known_format_still_is_one(write, refusal):
    assert refusal(read_readings, write(arrow(pa.ipc.new_file), "x.arrow"))[0]["code"] == "unknown_format"


def test_a_workbook_without_a_certificate_list_is_told_by_its_sheets(refusal):
    (finding,) = refusal(read_certificates, BOOK)
    assert (finding["code"], "Disclaimer, Summary, Mar, Nov" in finding["message"]) == ("unknown_format", True)
