"""Damaged lists: each gives a clear refusal or the right result, never a wrong number and never a traceback."""

import contextlib
import csv
import gzip
import io
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lists import (
    AIB_HEADER,
    PREAMBLE,
    WREGIS_HEADER,
    aib_row,
    irec,
    irec_row,
    rego,
    rego_row,
    text,
    wregis_row,
)

from gcr_fast import RefusedError
from gcr_fast.certificates import read_certificates

LISTS = {
    "rego": rego(*(rego_row(month=month, count=100 * month) for month in range(1, 13)), preamble=PREAMBLE),
    "rego without header": rego(*(rego_row(month=month) for month in range(1, 13)), header=False),
    "aib": text(AIB_HEADER, [aib_row(first=1 + 100 * at) for at in range(5)], ";"),
    "wregis": text(WREGIS_HEADER, [wregis_row(first=1 + 100 * at) for at in range(5)]),
    "irec": irec(*(irec_row(first=1000 * at, count=7) for at in range(5))),
    "annual": "certificate_id,energy_mwh,year,status\nA,1.5,2020,CANCELED\nB,2,2020,ISSUED\n",
}
ENERGY = dict(zip(LISTS, (7_800, 12_000, 500, 500, 35, 1.5), strict=True))
"""MWh that are cancelled in each."""


@pytest.fixture(params=LISTS)
def name(request):
    return request.param


@pytest.fixture
def content(name):
    return LISTS[name]


def energy(path):
    return read_certificates(path, zone="UTC").energy_wh


def test_the_lists_are_sound(write, name, content):
    assert energy(write(content)) == ENERGY[name] * 1_000_000


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le-bom", "gzip", "crlf", "cr-free"])
def test_other_encodings_are_read_alike(write, refusal, name, content, encoding):
    data = {
        "utf-8-sig": content.encode("utf-8-sig"),
        "utf-16": content.encode("utf-16"),
        "utf-16-le-bom": b"\xff\xfe" + content.encode("utf-16-le"),
        "gzip": gzip.compress(content.encode()),
        "crlf": content.replace("\n", "\r\n").encode(),
        "cr-free": content.rstrip("\n").encode(),
    }[encoding]
    path = write(data)
    if name == "annual" and encoding in {"utf-16", "utf-16-le-bom", "gzip"}:
        assert refusal(read_certificates, path)[0]["code"] == "unreadable_file"
    else:
        assert energy(path) == ENERGY[name] * 1_000_000


def test_shift_jis_is_read(write):
    content = text(AIB_HEADER, [aib_row(plant="黒部川第四発電所", country="JP")])
    assert energy(write(content.encode("cp932"))) == 100_000_000


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\n\n \n", "empty_file"),
        (b"<!DOCTYPE html><html><body>Session expired</body></html>", "unreadable_file"),
        (b"\xef\xbb\xbf<html>", "unreadable_file"),
        (gzip.compress(LISTS["rego"].encode())[:60], "unreadable_file"),
        (b"PK\x03\x04" + bytes(40), "unreadable_file"),
        (b"\x00\x01\x02\x03", "unknown_format"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "unknown_format"),
        (b'{"certificates": []}', "unknown_format"),
    ],
)
def test_what_is_no_list_is_refused(write, refusal, data, code):
    assert refusal(read_certificates, write(data))[0]["code"] == code


def test_a_missing_file_and_a_folder(tmp_path, refusal):
    assert refusal(read_certificates, tmp_path / "none.csv")[0]["code"] == "missing_file"
    assert refusal(read_certificates, tmp_path)[0]["code"] == "unreadable_file"


def test_a_header_without_rows(write, refusal):
    for content in (rego(), text(AIB_HEADER, [])):
        assert refusal(read_certificates, write(content))[0]["code"] == "empty_file"


def test_the_wrong_delimiter_inside_a_row(faults):
    content = LISTS["rego"].replace("G09001FWSC,Example Wind", "G09001FWSC;Example Wind", 1)
    assert faults(content) == [("malformed_row", 5, None)]


def test_a_damaged_first_row_is_no_preamble(faults):
    content = rego(rego_row(month=1), rego_row(month=2), header=False)
    assert faults("x,y,z," + content) == [("malformed_row", 1, None)]


@pytest.mark.parametrize("above", ["a\x0cb\n", "a\u2028b\x85c\n", '"two\nlines",x\n', "\r", "a\rb\r\n"])
@pytest.mark.parametrize("header", [True, False])
def test_odd_breaks_above_the_table_hide_no_row(write, above, header):
    content = rego(rego_row(month=1, name="Two\nlines"), rego_row(month=2), header=header)
    assert energy(write(above + content)) == 2_000_000_000


def test_a_missing_column_is_named(write, refusal):
    content = LISTS["aib"].replace("Volume (MWh)", "Colour")
    assert refusal(read_certificates, write(content))[0]["code"] == "unknown_format"
    (found,) = refusal(read_certificates, write(content), format="aib")
    assert (found["code"], "Volume" in found["message"]) == ("missing_column", True)


def test_a_truncated_last_row_is_refused(write, name, content):
    cut = content[:-25]
    if name == "annual":
        cut = content[: content.rindex(",")]
    with pytest.raises(RefusedError):
        read_certificates(write(cut), zone="UTC")


@pytest.mark.parametrize(
    ("change", "code", "column"),
    [
        ({"period": "31/04/2023 - 30/05/2023"}, "bad_period", "Output Period"),
        ({"period": "03/31/2023 - 04/30/2023"}, "bad_period", "Output Period"),
        ({"period": "31/03/2023 - 01/03/2023"}, "bad_period", "Output Period"),
        ({"period": "Mar-23"}, "bad_period", "Output Period"),
        ({"period": ""}, "null_value", "Output Period"),
        ({"stated": "999"}, "count_mismatch", "No. Of Certificates"),
        ({"stated": "1001"}, "count_mismatch", "No. Of Certificates"),
        ({"stated": "-1000"}, "unreadable_value", "No. Of Certificates"),
        ({"stated": "1000.5"}, "unreadable_value", "No. Of Certificates"),
        ({"each": "one"}, "inexact_energy", "MWh Per Certificate"),
        ({"each": "0.0000001"}, "inexact_energy", "MWh Per Certificate"),
        ({"each": "0"}, "non_positive_energy", "No. Of Certificates"),
        ({"each": "99999999999"}, "energy_over_limit", "energy"),
        ({"start": ""}, "null_value", "Start Certificate No."),
        ({"end": "G09001FWSC0000000000010123310123GE"}, "bad_serial", "End Certificate No."),
        ({"end": "G09001FWSC0000000999010223280223GEN"}, "bad_serial", "End Certificate No."),
        ({"technology": "Perpetual motion"}, "unknown_source_type", "Technology Group"),
        ({"status": "???"}, "unknown_status", "Certificate Status"),
        ({"tic": "lots"}, "unreadable_value", "Station TIC"),
        ({"tic": "571313001234567891"}, "unreadable_value", "Station TIC"),
    ],
)
def test_every_bad_cell_has_its_place(faults, change, code, column):
    content = rego(rego_row(month=1), rego_row(month=3, **change), rego_row(month=5))
    assert (code, 3, column) in faults(content)
    assert all(line == 3 for _, line, _ in faults(content))


def test_a_reversed_range_is_refused(faults):
    row = rego_row(month=3)
    row[9], row[10] = row[10], row[9]
    assert faults(rego(row)) == [("bad_serial", 2, "End Certificate No.")]


def test_decimal_commas_and_points_do_not_mix(faults):
    rows = [aib_row(volume="100,0"), aib_row(first=500, volume="100.0")]
    assert ("ambiguous_number", None, None) in faults(text(AIB_HEADER, rows, ";"))


def test_a_thousands_mark_that_could_be_a_decimal_is_caught_by_the_range(write, faults):
    ok = text(AIB_HEADER, [aib_row(count=1234, volume="1,234")])
    assert energy(write(ok)) == 1_234_000_000
    assert energy(write(text(AIB_HEADER, [aib_row(count=1234, volume="1,234")], ";"))) == 1_234_000_000
    assert [code for code, *_ in faults(text(AIB_HEADER, [aib_row(count=1233, volume="1,234")], ";"))] == [
        "ambiguous_number",
        "count_mismatch",
    ]


def test_a_bell_in_a_quoted_cell_keeps_line_numbers(faults):
    content = rego(rego_row(name='Two\nlines, "quoted"'), rego_row(month=2, status="Banked"))
    assert faults(content) == [("unknown_status", 4, "Certificate Status")]


# --- whatever comes


def accepted(path):
    """The certificates of a file; None if it was refused. Anything else that is raised is a fault of ours."""
    try:
        return read_certificates(path, zone="UTC")
    except RefusedError as refusal:
        return None if refusal.findings.num_rows else refusal


@given(st.binary(max_size=400))
def test_random_bytes(write, data):
    accepted(write(data))


@given(st.sampled_from(sorted(LISTS)), st.data())
def test_mutations_of_a_list_never_lose_or_make_energy(write, name, data):
    """A few bytes are changed, dropped or doubled: what is accepted is what the rows say."""
    raw = bytearray(LISTS[name].encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        kind = data.draw(st.sampled_from(["change", "drop", "double"]))
        if kind == "change":
            raw[at] = data.draw(st.sampled_from(b'0123456789,;"\n \x00\xff-.AZ'))
        elif kind == "drop":
            del raw[at]
        else:
            raw[at:at] = raw[at : at + data.draw(st.integers(1, 40))]
    found = accepted(write(bytes(raw)))
    if found is not None:
        check(found, bytes(raw))


def check(found, raw):
    """Compare what was read with itself, and a REGO report in UTF-8 with what its rows state."""
    _conserves(found)
    with contextlib.suppress(UnicodeDecodeError):
        content = raw.decode("utf-8-sig")
        assert found.files[0].format != "rego" or found.energy_wh == stated_wh(content)


def stated_wh(content):
    """What a REGO report states, read in the plainest way: rows of 17 cells with a certificate number, count x MWh."""
    total = 0
    for row in csv.reader(io.StringIO(content, newline="")):
        cells = [cell.strip() for cell in row]
        if len(cells) >= 17 and re.fullmatch(r"[GR][0-9]{5}[A-Z0-9]{4}[0-9]{22}[A-Z]{3}", cells[9]):
            kept = cells[13].lower() in {"redeemed", "retired"}
            total += kept * Fraction(cells[8].replace(",", "")) * Fraction(cells[11].replace(",", "")) * 1_000_000
    return total


def _conserves(found):
    """Kept and left out energies sum to the rows'; every range holds as many certificates as MWh stand for it."""
    kept = sum(one.energy_wh for one in found.statuses if not one.left_out)
    assert kept == found.energy_wh
    assert sum(one.rows for one in found.statuses) == sum(one.rows for one in found.files)
    assert len(found) == sum(one.kept for one in found.files)
    for row in found.table.to_pylist():
        assert row["energy_wh"] > 0
        assert row["production_start"] < row["production_end"]


@given(
    st.lists(st.tuples(st.integers(1, 12), st.integers(1, 5000), st.sampled_from(["Redeemed", "Issued"])), max_size=12)
)
def test_accepted_lists_conserve_mwh(write, drawn):
    first, rows = 0, []
    for month, count, status in drawn:
        rows.append(rego_row(month=month, count=count, first=first, status=status))
        first += count
    found = accepted(write(rego(*rows)))
    if not drawn:
        assert found is None
        return
    stated = {"Redeemed": 0, "Issued": 0}
    for _, count, status in drawn:
        stated[status] += count * 1_000_000
    assert found.energy_wh == stated["Redeemed"]
    assert sum(one.energy_wh for one in found.left_out) == stated["Issued"]


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r"])
def test_a_last_line_without_its_end_may_have_been_cut_off(read, end):
    for content in (
        rego(rego_row()),
        "certificate_id,energy_mwh,year,status,purpose\nA,1250,2020,CANCELED,conversion\n",
    ):
        found = read(content.rstrip("\n") + end)
        notes = [one for one in found.findings.of("warning") if one.code == "reading_note"]
        assert len(notes) == (not end)
        assert all("has no line end" in one.message for one in notes)
