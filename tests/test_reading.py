"""Files of every kind read to the same table, and what cannot be read is refused with every bad row named."""

import hashlib

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gcr_fast import RefusedError, UsageError, annual_from, profiles_from, read_annual, read_profiles
from gcr_fast.exchange.reading import from_stream, read_table

CELLS = {"certificate_id": ["007", "b"], "energy_wh": ["10", None], "owner": ["Ann, Bob", "ü"]}
TABLE = pa.table(CELLS)
CSV = 'certificate_id,energy_wh,owner\n007,10,"Ann, Bob"\nb,,ü\n'


def write_stream(table, path):
    with pa.ipc.new_stream(path, table.schema) as sink:
        sink.write_table(table)


def write_ipc(table, path):
    with pa.ipc.new_file(path, table.schema) as sink:
        sink.write_table(table)


def write_csv(table, path):
    pyarrow.csv.write_csv(table, path)


WRITERS = pytest.mark.parametrize(
    ("kind", "writer"),
    [("csv", write_csv), ("parquet", pq.write_table), ("ipc", write_ipc), ("ipc", write_stream)],
    ids=["csv", "parquet", "ipc-file", "ipc-stream"],
)
STREAMS = pytest.mark.parametrize(
    "make",
    [
        lambda table: table,
        lambda table: table.to_batches()[0],
        lambda table: table.to_reader(),
        pl.from_arrow,
        lambda table: table.to_pandas(),
        lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
        lambda table: duckdb.connect().from_arrow(table),
    ],
    ids=["pyarrow", "batch", "reader", "polars", "pandas", "pandas-arrow", "duckdb"],
)


@WRITERS
def test_every_file_kind_reads_to_the_same_table(kind, writer, tmp_path):
    path = tmp_path / "whatever.dat"  # told apart by content, not by name
    writer(TABLE, path)
    source = read_table(path)
    assert source.table.to_pydict() == CELLS
    assert (source.kind, source.name) == (kind, str(path))
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@STREAMS
def test_every_arrow_object_reads_to_the_same_table(make):
    source = from_stream(make(TABLE))
    assert source.table.to_pydict() == CELLS
    assert (source.name, source.line(0)) == ("", None)


def test_a_table_in_memory_has_one_hash_whatever_its_chunks():
    chunked = pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)])
    assert from_stream(chunked).sha256 == from_stream(TABLE).sha256
    other = TABLE.set_column(1, "energy_wh", pa.array(["11", None]))
    assert from_stream(other).sha256 != from_stream(TABLE).sha256


@pytest.mark.parametrize(
    "content",
    [
        CSV,
        "\ufeff" + CSV,
        CSV.replace("\n", "\r\n"),
        CSV.replace('"Ann, Bob"', "Ann! Bob").replace(",", ";").replace("!", ","),
        CSV.replace('"Ann, Bob"', "Ann! Bob").replace(",", "\t").replace("!", ","),
        CSV.replace('"Ann, Bob"', "Ann! Bob").replace(",", "|").replace("!", ","),
        "\n\n" + CSV.replace("\n", "\n\n"),
        CSV.rstrip("\n"),
        CSV.replace("certificate_id,energy_wh,owner", '"certificate_id","energy_wh","owner"'),
    ],
    ids=["comma", "bom", "crlf", "semicolon", "tab", "pipe", "blank-lines", "no-last-newline", "quoted-header"],
)
def test_csv_dialects_read_the_same(write, content):
    assert read_table(write(content)).table.to_pydict() == CELLS


def test_csv_cells_stay_text(write):
    table = read_table(write("a,b,c,d\n007,1e3,2024-01-01,\n")).table
    assert table.to_pydict() == {"a": ["007"], "b": ["1e3"], "c": ["2024-01-01"], "d": [None]}
    assert set(table.schema.types) == {pa.string()}


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n".encode("utf-16"),
        "a,b\n1,2\n".encode("utf-16-le"),
        b"<html><body>Please log in</body></html>",
        b"\xef\xbb\xbf  <!DOCTYPE html>\n",
        b'{"a": 1}',
        b"PK\x03\x04 a spreadsheet",
        b"\x1f\x8b gzip",
        b"PAR1 and nothing more",
        b"PAR1" + bytes(100) + b"PAR1",
        b"ARROW1\0\0 and nothing more",
        b"\xff\xff\xff\xff\x10\x00\x00\x00 and nothing more",
        b"a,b\n1\xe9,2\n",
        b"a\xe9,b\n1,2\n",
        b"a,b\n1,2\n" + b"\0" * 10,
    ],
    ids=[
        "utf-16", "utf-16-no-bom", "html", "html-bom", "json", "zip", "gzip", "parquet-head", "parquet-empty",
        "ipc-file", "ipc-stream", "latin-1-cell", "latin-1-header", "zeros",
    ],
)  # fmt: skip
def test_unreadable_file_is_refused(write, refusal, content):
    path = write(content)
    (finding,) = refusal(read_table, path)
    assert (finding["code"], finding["file"]) == ("unreadable_file", str(path))
    assert str(path) in finding["message"]


@WRITERS
def test_unreadable_file_truncated_at_any_place(kind, writer, tmp_path):
    path = tmp_path / "cut"
    writer(TABLE, path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        try:
            cut = read_table(path).table
        except RefusedError:
            continue
        assert kind != "parquet"
        assert cut.num_rows <= TABLE.num_rows


def test_missing_file(tmp_path, refusal):
    path = tmp_path / "nothing.csv"
    (finding,) = refusal(read_table, path)
    assert (finding["code"], finding["file"]) == ("missing_file", str(path))


def test_unreadable_file_that_is_a_folder(tmp_path, refusal):
    (finding,) = refusal(read_table, tmp_path)
    assert (finding["code"], finding["file"]) == ("unreadable_file", str(tmp_path))


@pytest.mark.parametrize("content", ["", "a,b\n", "a,b", "a,b\n\n\n"])
def test_empty_file_is_refused(write, refusal, content):
    path = write(content)
    (finding,) = refusal(read_table, path)
    assert (finding["code"], finding["file"]) == ("empty_file", str(path))


@WRITERS
def test_empty_file_of_any_kind_is_refused(kind, writer, tmp_path, refusal):
    writer(TABLE.slice(0, 0), tmp_path / kind)
    assert [finding["code"] for finding in refusal(read_table, tmp_path / kind)] == ["empty_file"]


def test_empty_file_in_memory_is_refused(refusal):
    assert [finding["code"] for finding in refusal(from_stream, TABLE.slice(0, 0))] == ["empty_file"]


def ragged(refusal, path):
    """Read a ragged file; return (code, line) of each finding."""
    found = refusal(read_table, path)
    assert {finding["file"] for finding in found} == {str(path)}
    return [(finding["code"], finding["line"]) for finding in found]


def test_malformed_row_lists_every_ragged_row_with_its_line(write, refusal):
    path = write("a,b\n1,2\n3\n4,5\n6,7,8\n9\n")
    assert ragged(refusal, path) == [("malformed_row", line) for line in (3, 5, 6)]
    assert "expected 2 cells, found 3" in refusal(read_table, path)[1]["message"]


def test_malformed_row_has_the_right_line_after_blank_lines(write, refusal):
    path = write("\n\na,b\n\n1\n1,2\n\n\r\n1,2,3\n")
    assert ragged(refusal, path) == [("malformed_row", 5), ("malformed_row", 9)]


def test_malformed_row_has_the_right_line_after_lines_of_spaces(write, refusal):
    assert ragged(refusal, write("a,b\n1,2\n   \n1\n")) == [("malformed_row", 3), ("malformed_row", 4)]


def test_malformed_row_has_the_right_line_where_lines_end_with_cr_alone(write, refusal):
    assert ragged(refusal, write("a,b\r1,2\r1\r")) == [("malformed_row", 3)]


def test_malformed_row_has_the_right_line_after_a_line_break_in_quotes(write, refusal):
    assert ragged(refusal, write('a,b\n"x\ny",2\n1\n')) == [("malformed_row", 4)]


def test_ambiguous_column_two_columns_of_one_name(write, refusal):
    path = write("a,b,a\n1,2,3\n")
    (finding,) = refusal(read_table, path)
    assert (finding["code"], finding["file"]) == ("ambiguous_column", str(path))


def test_lines_of_rows_count_the_header_and_blank_lines(write):
    source = read_table(write("\na,b\n1,2\n\n3,4\n"))
    assert [source.line(row) for row in (0, 1, 2, None)] == [3, 5, None, None]


def test_lines_of_rows_count_line_breaks_in_quotes(write):
    source = read_table(write('a,b\n"x\ny",2\n3,4\n'))
    assert source.table.num_rows == 2
    assert [source.line(row) for row in (0, 1)] == [2, 4]


def test_a_rewritten_file_is_counted_anew(write):
    assert read_table(write("a\n1\n")).line(0) == 2
    assert read_table(write("\n\na\n1\n")).line(0) == 4


def test_our_own_metadata_is_kept(tmp_path):
    pq.write_table(TABLE.replace_schema_metadata({"gcr_fast.method": "cumulative", "other": "x"}), tmp_path / "t")
    assert read_table(tmp_path / "t").metadata == {"gcr_fast.method": "cumulative"}


@pytest.mark.parametrize("take", [annual_from, profiles_from])
@pytest.mark.parametrize("thing", [{"a": 1}, 5, None])
def test_what_is_no_table_is_a_usage_error(take, thing):
    with pytest.raises(UsageError):
        take(thing)


@pytest.mark.parametrize("take", [annual_from, profiles_from])
def test_ambiguous_column_in_arrow_data_too(take, refusal):
    doubled = pa.table([pa.array(["2024-01-01T00:00Z"]), pa.array(["x"])], names=["start", "start"])
    assert "ambiguous_column" in [finding["code"] for finding in refusal(take, doubled)]


@pytest.mark.parametrize("take", [annual_from, profiles_from])
@pytest.mark.parametrize("cell", [[1], {"x": 1}, b"\xff"], ids=["list", "struct", "binary"])
def test_columns_of_unexpected_types_are_refused(take, cell, refusal):
    names = ["certificate_id", "energy_wh", "status", "year", "start", "profile"]
    found = refusal(take, pa.table({name: pa.array([cell]) for name in names}))
    assert "unreadable_value" in [finding["code"] for finding in found]


HEADERS = """
certificate_id energy_wh energy_mwh status year production_start production_end zone start timestamp profile
mw solar time_end source_type purpose capacity_mw end"""
TEXTS = """
a CANCELED 2024 2024-02 0001-01 1.5 -3 1e400 1e999999 nan solar 2024-01-01T00:00Z 2024-01-01T01:00Z 0001-01-01
2024-03-31T02:30 2024-10-27T02:30 9999-12-31T23:00 1890-01-01T00:00Z Europe/Berlin +14:00 Mars/Base end_use ü" """


@st.composite
def csv_bytes(draw):
    """Small files: half of them well-formed with strange cells, half of them any bytes that look like a table."""
    delimiter = draw(st.sampled_from([",", ",", ";", "\t"]))
    names = draw(st.lists(st.sampled_from(HEADERS.split()), min_size=1, max_size=6, unique=True))
    row = st.lists(st.sampled_from(["", " ", '"q\n"', *TEXTS.split()]), min_size=len(names), max_size=len(names))
    rows = draw(st.lists(row, max_size=4))
    text = draw(st.sampled_from(["\n", "\r\n", "\n\n", "\r"])).join(delimiter.join(row) for row in [names, *rows])
    content = text.encode()
    if draw(st.booleans()):
        at = draw(st.integers(0, len(content)))
        noise = draw(
            st.one_of(st.binary(max_size=4), st.sampled_from([b"\n", b",", b'"', b"  \n", b"\x0b", b"\xe2\x80\xa8"]))
        )
        content = content[:at] + noise + content[at:]
    return content


@pytest.mark.parametrize("read", [read_annual, read_profiles])
@given(content=csv_bytes(), zone=st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia"]), strict=st.booleans())
@example(content=b"a\xe9,b\n1,2\n", zone="UTC", strict=False)
@example(content=b"  \na,b\n1\n", zone="UTC", strict=False)
@example(content=b"start\x0bx,mw\n2024-01-01T00:00Z,1\n", zone="UTC", strict=False)
def test_any_bytes_are_read_or_refused(tmp_path, read, content, zone, strict):
    path = tmp_path / "fuzz.csv"
    path.write_bytes(content)
    try:
        findings = read(path, zone=zone, strict=strict).findings
    except RefusedError as error:
        lines = error.findings["line"].to_pylist()
        severities = error.findings["severity"].to_pylist()
    else:
        lines = [finding.line for finding in findings]
        severities = ["error"]
    assert "error" in severities
    count = content.count(b"\n") + content.count(b"\r") + 1
    assert all(line is None or 0 < line <= count for line in lines)
