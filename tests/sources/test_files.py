"""Opening files that somebody else made: what they are, whatever their encoding, and what is no data at all."""

import contextlib
import csv
import gzip
import hashlib
import io
import json
import os
import tempfile
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcr_fast.findings import RefusedError
from gcr_fast.imports import import_generation
from gcr_fast.sources import files
from gcr_fast.sources.files import delimiter_of, open_file, read_csv, require

TEXT = "Datum;Wert\r\n01.01.2024;1,5\r\n02.01.2024;Übertrag\r\n"
JAPANESE = "日,時,太陽光\r\n2016/4/1,0時,0\r\n"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("a,b\n1,2\n", "csv"),
        ('{"a": 1}', "json"),
        (" \n[1, 2]", "json"),
        ("\ufeff{}", "json"),
        ("<?xml version='1.0'?><a/>", "xml"),
        ("<GL_MarketDocument/>", "xml"),
        (b"PAR1....", "parquet"),
        (b"ARROW1..", "ipc"),
        (b"PK\x03\x04....", "zip"),
    ],
)
@pytest.mark.parametrize("name", ["file.csv", "file.json", "file"])
def test_the_kind_is_told_by_content_never_by_name(write, content, kind, name):
    assert open_file(write(content, name)).kind == kind


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-16-be", "utf-16")],
)
def test_text_in_any_encoding_reads_the_same(write, encoding, said):
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    file = open_file(write(mark + TEXT.encode(encoding)))
    assert file.encoding == said
    assert file.text() == TEXT
    assert file.header(";") == ["Datum", "Wert"]
    assert list(file.rows(";")) == list(enumerate(csv.reader(io.StringIO(TEXT), delimiter=";"), start=1))
    table = read_csv(file, delimiter=";")
    assert table.columns.to_pydict() == {"Datum": ["01.01.2024", "02.01.2024"], "Wert": ["1,5", "Übertrag"]}
    assert table.first_line == 2


def test_shift_jis_is_told_by_its_letters(write):
    file = open_file(write(JAPANESE.encode("cp932")))
    assert (file.encoding, file.text()) == ("cp932", JAPANESE)
    assert read_csv(file).columns["時"].to_pylist() == ["0時"]


@pytest.mark.parametrize(
    "text", [TEXT, "Périmètre\tNature\tDate\r\nFrance\tDonnées définitives\t1\r\n", "créée l’été\n1 – 2\n"]
)
def test_western_letters_of_one_byte_are_told_from_shift_jis_and_from_damaged_utf_8(write, text):
    file = open_file(write(text.encode("cp1252")))
    assert (file.encoding, file.text()) == ("cp1252", text)


@pytest.mark.parametrize(
    "content",
    [
        b"Datum;Wert\r\n1;\xff\xfe\xfd\r\n",
        "Datum;à jour".encode() + b"\r\n1;\xe9\r\n",
        "Дата;Значение\r\n1;2\r\n".encode("cp1251"),
        "Data;Wrocław\r\n1;2\r\n".encode("cp1250"),
        "Datum;Wert\r\n1;Ü\r\n".encode("utf-16-le"),
    ],
    ids=["no text", "UTF-8 with a damaged byte", "Cyrillic", "Polish", "UTF-16 without a mark"],
)
def test_bytes_that_may_be_anything_else_are_not_taken_for_western_letters(write, refusal, content):
    (finding,) = refusal(open_file(write(content)).text)
    assert finding["code"] == "unreadable_file"
    assert "is not utf-8 text" in finding["message"] or "zero bytes" in finding["message"]


def test_gzip_is_unpacked_and_hashed_as_it_lies_on_disk(write):
    packed = gzip.compress(TEXT.encode())
    file = open_file(write(packed, "file.gz"))
    assert (file.packed, file.text()) == (True, TEXT)
    assert file.sha256 == hashlib.sha256(packed).hexdigest()
    assert len(read_csv(file, delimiter=";")) == 2


def test_gzip_of_which_the_end_is_missing_is_refused(write, refusal):
    packed = gzip.compress(bytes(range(256)) * 2000)
    file = write(packed[:-20])
    (finding,) = refusal(lambda: open_file(file).data)
    assert "damaged gzip" in finding["message"]
    (finding,) = refusal(open_file, write(packed[:5]))
    assert "damaged gzip" in finding["message"]


@pytest.mark.parametrize("content", ["", "\n\r\n  \t", b"\xef\xbb\xbf", gzip.compress(b"")])
def test_an_empty_file_is_refused(write, refusal, content):
    (finding,) = refusal(open_file, write(content))
    assert finding["code"] == "empty_file"


@pytest.mark.parametrize("content", ["<!DOCTYPE html><html>", "\n <HTML><body>404", "<head>", gzip.compress(b"<html>")])
def test_a_web_page_saved_as_a_table_is_refused(write, refusal, content):
    (finding,) = refusal(open_file, write(content))
    assert "HTML page" in finding["message"]


def test_missing_files_and_folders_are_refused(tmp_path, refusal):
    (missing,) = refusal(open_file, tmp_path / "none.csv")
    (folder,) = refusal(open_file, tmp_path)
    assert [missing["code"], folder["code"]] == ["missing_file", "unreadable_file"]


def test_zero_bytes_are_no_text(write, refusal):
    (finding,) = refusal(open_file(write("a,b\n\0,2\n")).text)
    assert "zero bytes" in finding["message"]


@pytest.mark.parametrize("content", ['{"a": ', "[1, 2", '{"a": 1} x', "[" * 100_000])
def test_damaged_json_is_refused(write, refusal, content):
    (finding,) = refusal(open_file(write(content)).json)
    assert "damaged JSON" in finding["message"]


def test_fractions_of_json_stay_text(write):
    document = open_file(write('{"a": 386.969134968152, "b": 1e400, "c": 12, "d": null}')).json()
    assert document == {"a": "386.969134968152", "b": "1e400", "c": 12, "d": None}


@pytest.mark.parametrize("content", ["<a><b></a>", "<a", "<a>&none;</a>"])
def test_damaged_xml_is_refused(write, refusal, content):
    (finding,) = refusal(open_file(write(content)).xml)
    assert "damaged XML" in finding["message"]


def test_xml_that_declares_entities_is_refused(write, refusal):
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'
    (finding,) = refusal(open_file(write(bomb)).xml)
    assert "declares" in finding["message"]


def test_xml_in_utf_16_is_read(write):
    assert open_file(write("<?xml version='1.0' encoding='utf-16'?><a>ü</a>".encode("utf-16"))).xml().text == "ü"


def test_rows_know_their_line(write):
    """Blank lines are passed over, a cell in quotes may span lines, and the lines stay those of an editor."""
    file = open_file(write('a,b\n\n1,"x\ny"\n2,z\n'))
    assert list(file.rows()) == [(1, ["a", "b"]), (3, ["1", "x\ny"]), (5, ["2", "z"])]


QUOTED = [f"{at},x{at},{at % 7}" for at in range(200)]


@pytest.mark.parametrize("column", [0, 1, 2])
@pytest.mark.parametrize("lines", [(40,), (40, 90), (40, 41), (198,)])
@pytest.mark.parametrize("read", [read_csv, lambda file: list(file.rows())], ids=["table", "rows"])
def test_no_row_is_lost_in_a_cell_that_a_quote_opens(read, lines, column, write, refusal):
    rows = [row.split(",") for row in QUOTED]
    for line in lines:
        rows[line][column] = '"' + rows[line][column]
    path = write("a,b,c\n" + "\n".join(",".join(row) for row in rows) + "\n")
    found = refusal(read, open_file(path))
    assert [item["line"] for item in found] == [line + 2 for line in lines]
    assert all(item["code"] == "malformed_row" for item in found)


def test_a_quote_that_swallows_most_of_a_large_file_is_named_by_its_line(write, refusal):
    rows = [f"{at},x,{at % 7}" for at in range(60_000)]
    rows[100] = rows[100].replace("x", '"x')
    path = write("a,b,c\n" + "\n".join(rows) + "\n")
    for read in (read_csv, lambda file: list(file.rows())):
        (found,) = refusal(read, open_file(path))
        assert (found["code"], found["line"]) == ("malformed_row", 102)


def test_a_quote_within_a_cell_is_a_letter(write):
    assert read_csv(open_file(write('a,b\n5" pipe,1\n"x ""y""",2\n'))).columns["a"].to_pylist() == ['5" pipe', 'x "y"']


def test_a_header_that_is_not_there_is_empty(write):
    file = open_file(write('a, "b" ,c\n1\n'))
    assert file.header(line=1) == ["1"]
    assert file.header(line=7) == []


@pytest.mark.parametrize(("line", "mark"), [("a,b;c,d", ","), ("a;b", ";"), ("a\tb", "\t"), ("a|b|c,d", "|")])
def test_the_delimiter_is_the_one_there_is_most_of(line, mark):
    assert delimiter_of(line) == mark


def test_every_row_of_another_length_is_refused(write, refusal):
    found = refusal(read_csv, open_file(write("a,b,c\n1,2,3\n1,2\n1,2,3\n1,2,3,4\n")))
    assert [(item["code"], item["line"]) for item in found] == [("malformed_row", 3), ("malformed_row", 5)]
    assert found[0]["message"] == "expected 3 cells, found 2"


def test_zero_bytes_anywhere_are_refused_in_a_table_too(write, refusal):
    path = write(b"a,b\n" + b"1,2\n" * 50_000 + b"1,\0\n")
    (finding,) = refusal(lambda: read_csv(open_file(path)))
    assert "zero bytes" in finding["message"]


def test_a_ragged_row_that_is_no_text_is_refused_without_a_word_on_stderr(write, refusal, capfd):
    path = write(b"a,b\n1,2\n\xff\xfe\n")
    refusal(lambda: read_csv(open_file(path)))
    assert capfd.readouterr().err == ""


def _nowhere():
    raise OSError


@pytest.mark.parametrize("nowhere", [False, True])
def test_a_long_text_that_is_packed_or_decoded_is_laid_down_where_that_can_be(write, monkeypatch, nowhere):
    monkeypatch.setattr(files, "LONG_BYTES", 10)
    if nowhere:
        monkeypatch.setattr(tempfile, "TemporaryFile", _nowhere)
    for content in (gzip.compress(TEXT.encode()), TEXT.encode("utf-16")):
        file = open_file(write(content))
        found = files.content_of(file)
        assert isinstance(found, bytes) == nowhere
        assert found[:] == TEXT.encode()
        assert read_csv(file, delimiter=";").columns.column("Wert").to_pylist() == ["1,5", "Übertrag"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp932"])
@pytest.mark.parametrize(("end", "ended"), [("\n", True), ("\r\n", True), ("\r", True), ("", False), ("  ", False)])
@pytest.mark.parametrize("packed", [False, True])
def test_a_last_line_without_end_is_told(write, encoding, end, ended, packed):
    content = f"時刻,b\n1,2{end}".encode(encoding)
    file = open_file(write(gzip.compress(content) if packed else content))
    assert file.ended == ended
    assert file.data
    assert file.ended == ended


def test_a_header_alone_is_refused(write, refusal):
    (finding,) = refusal(lambda: read_csv(open_file(write("a,b\n"))))
    assert finding["code"] == "empty_file"


def test_two_columns_of_one_name_are_refused(write, refusal):
    (finding,) = refusal(read_csv, open_file(write("a,b, a \n1,2,3\n")))
    assert finding["code"] == "ambiguous_column"


def test_a_column_without_a_name_gets_a_number(write):
    assert read_csv(open_file(write("a,,c\n1,2,3\n"))).names == ["a", "column 2", "c"]


def test_a_file_that_ends_before_its_header_is_refused(write, refusal):
    (finding,) = refusal(lambda: read_csv(open_file(write("a,b\n")), skip=3))
    assert "line 4" in finding["message"]


def test_floats_become_text_again_if_one_of_them_is_none(write):
    path = write("a,b\n1.5,x\n-,y\n")
    table = read_csv(open_file(path), floats=["a"], missing=["-"])
    assert table.columns.schema.field("a").type == pa.float64()
    assert table.columns["a"].to_pylist() == [1.5, None]
    table = read_csv(open_file(path), floats=["a"])
    assert table.columns["a"].to_pylist() == ["1.5", "-"]


def test_only_some_columns_of_a_table_below_a_preamble(write):
    table = read_csv(open_file(write("title\nunit;x\na;b;c\n1;2;3\n")), delimiter=";", skip=2, only=["c", "a"])
    assert table.columns.to_pydict() == {"c": ["3"], "a": ["1"]}
    assert table.first_line == 4


def test_a_decimal_comma(write):
    table = read_csv(open_file(write("a;b\n1,25;x\n")), delimiter=";", floats=["a"], decimal_mark=",")
    assert table.columns["a"].to_pylist() == [1.25]


CELL = st.text(st.characters(codec="utf-8", exclude_characters='\r\n"\0;', exclude_categories=["Cs"]), max_size=6)


ROWS = st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=8)


@given(rows=ROWS, encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_cells_are_those_of_the_csv_module(tmp_path_factory, rows, encoding):
    path = tmp_path_factory.getbasetemp() / "cells.csv"
    lines = io.StringIO(newline="")
    csv.writer(lines, delimiter=";", quoting=csv.QUOTE_ALL).writerows([["k", "v", "w"], *rows])
    path.write_bytes(lines.getvalue().encode(encoding))
    table = read_csv(open_file(path), delimiter=";").columns
    found = [[cell or "" for cell in column] for column in table.to_pydict().values()]
    assert found == [list(column) for column in zip(*rows, strict=True)]


def test_parquet_is_read_as_a_table(tmp_path):
    path = tmp_path / "frame.bin"
    pq.write_table(pa.table({"a": [1]}), path)
    file = open_file(path)
    assert (file.kind, file.source().table.to_pydict()) == ("parquet", {"a": [1]})


def test_all_lacking_columns_are_named_together(write, refusal):
    file = open_file(write("a,b\n1,2\n"))
    require(file, ["a", "b"], "a")
    (finding,) = refusal(require, file, ["a", "b"], "a", "x", "y")
    assert (finding["code"], finding["column"]) == ("missing_column", "x")
    assert "x, y; it has a, b" in finding["message"]


def test_a_file_that_is_only_partly_text_is_told_as_such(write, refusal):
    """The head is sound; the byte that is not lies beyond it."""
    content = ("a,b\n" + "1,2\n" * 30_000).encode() + b"\xff\xfe,1\n"
    (finding,) = refusal(open_file(write(content)).text)
    assert f"at byte {len(content) - 5}" in finding["message"]
    assert refusal(read_csv, open_file(write(content)))


def test_the_json_that_we_write_is_read_back(write):
    document = {"unix_seconds": [1, 2], "names": ["ä", None]}
    assert open_file(write(json.dumps(document))).json() == document


CHANGES = {
    "written over": lambda path: path.write_bytes(b"another\n"),
    "cut short": lambda path: os.truncate(path, 5),
    "written on to": lambda path: path.open("ab").write(b"more\n"),
    "replaced": lambda path: _replace(path, path.read_bytes()),
}


def _replace(path, content):
    other = path.with_name("other")
    other.write_bytes(content)
    other.replace(path)


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_was_changed_while_it_was_read_has_no_hash(change, tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(b"start,wind\n" * 1000)
    file = open_file(path)
    time.sleep(0.02)  # clocks of file systems may tick so slowly
    CHANGES[change](path)
    with pytest.raises(RefusedError, match="was changed while it was read"):
        _ = file.sha256


def test_a_file_that_is_gone_before_it_is_hashed_is_refused_and_later_may_go(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(b"start,wind\n")
    gone, kept = open_file(path), open_file(path)
    under_way = kept.hashing
    path.unlink()
    assert under_way.result() == kept.sha256 == hashlib.sha256(b"start,wind\n").hexdigest()
    with pytest.raises(RefusedError, match="was changed while it was read"):
        _ = gone.sha256


def test_a_large_table_may_be_written_over_as_soon_as_it_was_read_or_refused(tmp_path):
    """Whoever hashes the file beside the reader must not look at memory that ends where the file now ends."""
    path = tmp_path / "time_series.csv"
    hours = np.datetime64("2015-01-01T00:00:00") + np.arange(40_000).astype("timedelta64[h]")
    lines = "".join(f"{hour}Z,{','.join(['1234.5'] * 30)}\n" for hour in hours)
    header = "utc_timestamp," + ",".join(f"DE_{at}_solar_generation_actual" for at in range(30)) + "\n"
    for _ in range(5):
        path.write_text(header + lines)
        imported = import_generation([path])
        path.write_text("")
        with contextlib.suppress(RefusedError):  # if the hash was not ready
            assert imported.to_table().num_rows == 30 * 40_000
