"""The door: what is kept and left out, certificates that are there twice, our own files, and the written file."""

import duckdb
import pytest
from lists import AIB_HEADER, aib_row, irec, irec_row, rego, rego_row, text

from gcr_fast import RefusedError, UsageError, read_annual
from gcr_fast.certificates import read_certificates
from gcr_fast.schema import arrow_schema

STATUSES = ("Redeemed", "Retired", "Issued", "Transferred", "Expired", "Revoked")


@pytest.fixture
def several(write):
    """Write lists; return their paths."""
    return lambda *contents: [write(content, f"list{at}.csv") for at, content in enumerate(contents)]


def mixed():
    return rego(*(rego_row(first=1000 * at, status=status) for at, status in enumerate(STATUSES)))


# --- what is kept


def test_only_the_cancelled_are_kept_and_the_others_accounted_for(read):
    found = read(mixed())
    assert found.table["status"].to_pylist() == ["CANCELED"] * 2
    assert found.table["purpose"].to_pylist() == ["end_use"] * 2
    assert {(one.word, one.status, one.rows, one.energy_wh) for one in found.left_out} == {
        ("Issued", "ISSUED", 1, 10**9), ("Transferred", "TRADED", 1, 10**9), ("Expired", "EXPIRED", 1, 10**9),
        ("Revoked", "WITHDRAWN", 1, 10**9),
    }  # fmt: skip
    assert all(one.left_out for one in found.left_out)
    assert sum(one.energy_wh for one in found.statuses) == 6 * 10**9


def test_all_are_kept_if_asked_for(read):
    found = read(mixed(), keep_all=True)
    assert found.table["status"].to_pylist() == ["CANCELED", "CANCELED", "ISSUED", "TRADED", "EXPIRED", "WITHDRAWN"]
    assert found.table["purpose"].to_pylist() == ["end_use"] * 2 + [None] * 4
    assert found.left_out == ()


def test_purpose_and_basis_may_be_stated(read):
    found = read(
        rego(rego_row(status="Retired", holder=""), rego_row(first=1000, status="Retired", holder="")),
        purpose="conversion",
        basis="metered_hourly",
    )
    assert found.table["purpose"].to_pylist() == ["conversion"] * 2
    assert found.table["allocation_basis"].to_pylist() == ["metered_hourly"] * 2


@pytest.mark.parametrize("options", [{"purpose": "fun"}, {"basis": "guess"}, {"zone": "Mars"}, {"format": "x"}])
def test_misuse_is_a_usage_error(read, options):
    with pytest.raises(UsageError):
        read(mixed(), **options)


def test_an_unknown_status_is_refused_with_every_row(faults):
    rows = [rego_row(first=1000 * at, status=word) for at, word in enumerate(("Redeemed", "Banked", ""))]
    assert faults(rego(*rows)) == [
        ("null_value", 4, "Certificate Status"),
        ("unknown_status", 3, "Certificate Status"),
    ]


def test_totals_at_the_end_are_no_certificates(read):
    found = read(rego(rego_row(), ["Total", *[""] * 7, "1000", *[""] * 8]))
    assert len(found) == 1
    assert found.files[0].dropped == {"totals and closing lines": 1}


def test_columns_without_a_place_are_named(read):
    assert {"Scheme", "Issue Date", "Generating Station / Agent Group"} <= set(read(rego(rego_row())).files[0].unused)


# --- twice


def test_a_certificate_twice_in_a_file_names_both_rows(write, refusal):
    path = write(rego(rego_row(), rego_row(first=5000), rego_row()))
    (found,) = refusal(read_certificates, path)
    assert (found["code"], found["line"]) == ("duplicate_certificate", 4)
    assert f"{path}, line 2" in found["message"]


def test_ranges_that_overlap_across_files_name_both(several, refusal):
    one, two = several(rego(rego_row(first=0, count=1000)), rego(rego_row(first=999, count=10)))
    (found,) = refusal(read_certificates, [one, two])
    assert (found["code"], found["file"], found["line"]) == ("serial_overlap", str(two), 2)
    assert f"{one}, line 2" in found["message"]


def test_neighbours_do_not_overlap(several):
    found = read_certificates(several(rego(rego_row(first=0)), rego(rego_row(first=1000), rego_row(month=2))))
    assert len(found) == 3


def test_an_overlap_with_what_is_left_out_counts_within_a_list_only(several, faults):
    held = rego(rego_row(status="Issued"))
    both = rego(rego_row(status="Issued"), rego_row(first=10, count=5))
    assert faults(both) == [("serial_overlap", 3, None)]
    found = read_certificates(several(held, rego(rego_row())))  # issued in spring, redeemed in summer
    assert len(found) == 1
    (warning,) = found.findings.of("warning")
    assert (warning.code, warning.line) == ("later_status", 2)
    assert "'Redeemed' here and 'Issued'" in warning.message


@pytest.mark.parametrize("status", ["Converted", "Withdrawn", "Reversed", "Expired", "Unretired"])
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("count", [100, 7])
def test_a_cancelled_certificate_that_is_gone_too_is_refused(several, refusal, status, order, count):
    rows = [aib_row(), aib_row(first=3, count=min(count, 90), status=status)][::order]
    path, *both = several(text(AIB_HEADER, rows), *(text(AIB_HEADER, [row]) for row in rows))
    wanted = "serial_overlap" if status == "Unretired" else "contradictory_status"  # two states of one list of holdings
    (found,) = refusal(read_certificates, path)
    assert (found["code"], found["line"]) == (wanted, 3)
    assert f"{path}, line 2" in found["message"]
    (found,) = refusal(read_certificates, both)
    assert (found["code"], found["file"]) == ("contradictory_status", str(both[1]))
    assert f"{both[0]}, line 2" in found["message"]


@pytest.mark.parametrize("word", ["Reversed", "Withdrawal", "Converted", "Unretired"])
def test_a_cancellation_that_was_undone_is_refused_in_a_list_of_transactions(faults, word):
    header = [name if name != "Status" else "Transaction Type" for name in AIB_HEADER]
    moves = [aib_row(status="Issue"), aib_row(status="Transfer")]
    moves += [aib_row(first=20, count=4, status=status) for status in ("Cancellation", word)]
    assert faults(text(header, moves)) == [("contradictory_status", 5, None)]


def test_what_is_gone_in_a_list_that_has_it_as_held_is_a_warning(read):
    found = read(text(AIB_HEADER, [aib_row(first=500), aib_row(status="Expired"), aib_row(status="Active")]))
    assert [(one.code, one.line) for one in found.findings.of("warning")] == [("later_status", 4)]


def test_a_device_and_month_without_numbers_may_have_several_states(write):
    mapping = {
        "columns": {"device_id": "d", "energy": "mwh", "period": "p", "technology": "t", "status": "s"},
        "constants": {"country": "AT"},
    }
    path = write("d,mwh,p,t,s\nW1,5,Mar-2023,Wind,cancelled\nW1,7,Mar-2023,Wind,expired\n")
    assert read_certificates(path, mapping=mapping).energy_wh == 5_000_000


@pytest.mark.parametrize(("one", "other"), [("1234-OR-99-", "1234-or-99-"), ("NVC 2023 ", "NVC2023 ")])
def test_small_letters_and_blanks_make_no_other_certificate(write, several, refusal, one, other):
    mapping = {
        "columns": {"first": "n", "energy": "mwh", "period": "p", "technology": "t", "status": "s"},
        "constants": {"country": "AT"},
    }
    row = "{},{},Mar-2023,Wind,cancelled\n"
    lists = several(*("n,mwh,p,t,s\n" + row.format(*cells) for cells in ((f"{one}1 to 100", 100), (f"{other}100", 1))))
    (found,) = refusal(read_certificates, lists, mapping=mapping)
    assert (found["code"], found["certificate_id"]) == ("serial_overlap", f"{other}100")


def test_thirty_digits_in_groups_are_the_same_number(faults, rows):
    spaced = aib_row(first=100, count=2)
    spaced[1:3] = [f"{cell[:12]} {cell[12:24]} {cell[24:]}" for cell in spaced[1:3]]
    assert faults(text(AIB_HEADER, [aib_row(count=100), spaced])) == [("serial_overlap", 3, None)]
    (row,) = rows(text(AIB_HEADER, [spaced]))
    assert (row["serial_prefix"], row["serial_start"], row["serial_end"]) == ("643002406801", 100, 101)
    assert row["certificate_id"] == f"{spaced[1]}..{spaced[2]}"


def test_the_same_file_twice(several, refusal):
    (path,) = several(rego(rego_row()))
    assert [item["code"] for item in refusal(read_certificates, [path, path])] == ["duplicate_certificate"]
    one, two = several(rego(rego_row()), rego(rego_row()))
    (found,) = refusal(read_certificates, [one, two])
    assert f"{two} is the same file as {one}" in found["message"]


def test_one_refusal_for_all_files(several, refusal):
    bad = several(rego(rego_row(status="Banked")), "a,b\n1,2\n", "", rego(rego_row(period="31/04/2023 - 30/05/2023")))
    codes = [item["code"] for item in refusal(read_certificates, bad)]
    assert sorted(codes) == ["bad_period", "empty_file", "unknown_format", "unknown_status"]


@pytest.mark.parametrize(("issuer", "refused"), [("Verbund", False), ("Statnett", True)])
def test_short_numbers_are_compared_within_an_issuer(several, issuer, refused):
    mapping = {
        "columns": {
            "first": "a", "last": "b", "energy": "mwh", "period": "p", "technology": "t", "status": "s", "issuer": "i",
        },
        "constants": {"country": "AT"},
    }  # fmt: skip
    header = "a,b,mwh,p,t,s,i\n"
    row = "N1,N5,5,Mar-2023,Wind,cancelled,"
    parts = several(f"{header}{row}Statnett\n", f"{header}{row}{issuer}\nN6,N7,2,Mar-2023,Wind,cancelled,{issuer}\n")
    with pytest.raises(RefusedError) as caught:
        read_certificates(parts, mapping=mapping)
    said = caught.value.findings["message"].to_pylist()
    assert len(said) == 1
    assert ("is the same certificate" in said[0]) == refused  # else only their ids are the same


# --- our own files


OWN = "certificate_id,energy_mwh,year,zone,source_type,status,purpose,serial_prefix,serial_start,serial_end,issuer\n"


def test_own_files_pass_through(several):
    own, foreign = several(OWN + "A,1.5,2023,Europe/Paris,wind,CANCELED,conversion,FR-12345,1,2,X\n", rego(rego_row()))
    found = read_certificates([own, foreign])
    assert found.table["certificate_id"].to_pylist()[0] == "A"
    assert found.table["energy_wh"].to_pylist() == [1_500_000, 10**9]
    assert found.table["purpose"].to_pylist() == ["conversion", "end_use"]
    assert [one.format for one in found.files] == ["annual", "rego"]


def test_small_letters_and_blanks_make_no_other_certificate_of_ours(several, faults):
    rows = [f"{name},1,2023,UTC,wind,CANCELED,conversion,,,,\n" for name in ("GO-1", "go- 1")]
    assert faults(OWN + "".join(rows)) == [("duplicate_certificate", 3, None)]
    with pytest.raises(RefusedError, match="duplicate_certificate"):
        read_certificates(several(*(OWN + row for row in rows)))


def test_own_files_are_checked_against_the_others(several, refusal):
    row = "A,1,2023,UTC,wind,CANCELED,conversion,G09001FWSC*010123310123GEN,500,600,Ofgem\n"
    own, foreign = several(OWN + row, rego(rego_row()))
    found = refusal(read_certificates, [own, foreign])
    assert [item["code"] for item in found] == ["serial_overlap"]
    assert f"{own}, line 2" in found[0]["message"]


def test_the_older_registry_is_read(read):
    content = "certificate_id,total_mwh,year,source_type,status\nA,1,2023,solar,CANCELLED\nB,2,2023,solar,RETIRED\n"
    found = read(content)
    assert found.table["certificate_id"].to_pylist() == ["A"]
    assert [(one.status, one.rows) for one in found.left_out] == [("RETIRED", 1)]


def test_own_files_take_purpose_and_basis(read):
    found = read(OWN + "A,1,2023,UTC,wind,CANCELED,,,,,\n", purpose="conversion", basis="flat")
    (row,) = found.table.to_pylist()
    assert (row["purpose"], row["allocation_basis"]) == ("conversion", "flat")


# --- the written file


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "csv"])
def test_what_is_written_is_read_by_read_annual(several, tmp_path, suffix):
    lists = several(mixed(), text(AIB_HEADER, [aib_row()]), irec(irec_row()))
    found = read_certificates(lists, basis="metered_hourly")
    written = found.write(tmp_path / f"annual.{suffix}")
    assert written.rows == len(found) == 4
    again = read_annual(written.path)
    assert again.table.schema == arrow_schema("annual")
    assert again.table.to_pylist() == found.table.to_pylist()


def test_any_arrow_library_takes_it(read):
    found = read(mixed())
    assert duckdb.sql("SELECT sum(energy_wh)::BIGINT FROM found").fetchall() == [(2 * 10**9,)]
    assert found.energy_wh == 2 * 10**9


# --- real lines


def test_real_lines_of_the_rego_register(real_data, tmp_path):
    lines = (real_data / "samples" / "ofgem_rego" / "regos_head60_no_header.csv").read_text().splitlines(True)
    path = tmp_path / "regos.csv"
    path.write_text("".join(lines[4:]))  # the first four stand again below, as the file's maker altered them
    found = read_certificates(path)
    cells = [line.strip().split(",") for line in lines[4:]]
    stated = sum(int(row[8]) for row in cells if row[13] in {"Redeemed", "Retired"})
    assert found.energy_wh == stated * 1_000_000 == 4_462_236 * 1_000_000
    assert {(one.word, one.rows) for one in found.statuses} == {
        ("Redeemed", 28), ("Retired", 26), ("Issued", 1), ("Expired", 1),
    }  # fmt: skip
    path.write_text("".join(lines))
    with pytest.raises(RefusedError) as caught:
        read_certificates(path)
    twice = caught.value.findings.to_pylist()
    assert [(item["code"], item["line"]) for item in twice] == [
        ("duplicate_certificate", line) for line in (6, 7, 8, 5)
    ]
