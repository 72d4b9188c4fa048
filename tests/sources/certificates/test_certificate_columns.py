"""Several columns for one thing: those that agree are one, the best known of others is read, and doubt is refused."""

import pytest
from lists import AIB_HEADER, WREGIS_HEADER, aib_row, text, wregis_row

from gcr_fast.certificates import read_certificates


def with_more(header, row, *more):
    """A list with further columns: (name, cell of each row)."""
    rows = [[*one, *(cells[at] for _, cells in more)] for at, one in enumerate(row)]
    return text([*header, *(name for name, _ in more)], rows)


def aib(*more, rows=None):
    return with_more(AIB_HEADER, rows or [aib_row(), aib_row(first=500)], *more)


def wregis(*more):
    return with_more(WREGIS_HEADER, [wregis_row(), wregis_row(first=500)], *more)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("Volume", ("100", "100.0")),
        ("Energy (kWh)", ("100000", "100 000")),
        ("Fuel", ("Hydro", "water")),
        ("Technology Code", ("T030100", "")),
        ("Country of Production", ("Norway", "no")),
        ("State", ("Retired", "Telemark")),
        ("Period From", ("01.03.2023", "")),
        ("Consumer", ("NORDIC PAPER AS", "")),
    ],
)
def test_columns_that_say_the_same_are_one(read, name, cells):
    found = read(aib((name, cells)))
    assert not len(found.findings)
    assert found.table.to_pylist() == read(aib()).table.to_pylist()
    assert name not in found.files[0].unused


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("Volume", ("100", "101")),
        ("Fuel", ("Hydro", "Wind")),
        ("Technology Code", ("T030100", "T010000")),
        ("State", ("Cancelled", "Active")),
    ],
)
def test_columns_that_differ_in_what_is_certified_are_refused(write, refusal, name, cells):
    (found,) = refusal(read_certificates, write(aib((name, cells))))
    assert (found["code"], found["line"]) == ("ambiguous_column", 3)
    assert repr(cells[1]) in found["message"]
    assert "--mapping" in found["hint"]


@pytest.mark.parametrize(
    ("name", "synonyms", "cell"),
    [
        ("Beneficiary", ("End Consumer", "Consumer"), "Steel AG"),
        ("Production Period To", ("Period To", "Production End"), "30.04.2023"),
        ("Volume (MWh)", ("Quantity", "Energy (kWh)"), "101"),
        ("Certificate Number From", ("GO From", "From"), "7"),
    ],
)
def test_a_formats_own_name_goes_before_a_synonym_and_two_synonyms_are_in_doubt(
    read, refusal, write, name, synonyms, cell
):
    found = read(aib((synonyms[1], ("", cell))))
    assert [(note.code, note.line) for note in found.findings] == [("reading_note", 3)]
    assert found.table.to_pylist() == read(aib()).table.to_pylist()
    path = write(aib((synonyms[1], ("", cell))).replace(name, synonyms[0]))
    (fault,) = refusal(read_certificates, path)
    assert (fault["code"], fault["line"]) == ("ambiguous_column", 3)


def test_an_energy_that_is_preferred_must_still_be_that_of_its_numbers(faults):
    content = aib(("Cancelled Volume", ("100", "50")), rows=[aib_row(), aib_row(first=500, volume="60")])
    assert faults(content) == [("count_mismatch", 3, "Volume (MWh)")]


@pytest.mark.parametrize(
    ("one", "other", "field"),
    [
        (("Account Holder", "Acme AG"), ("Account", "4711"), "owner"),
        (("GSRN", "571313001234567891"), ("Plant ID", "W1"), "device_id"),
        (("Issuing Body", "Statnett"), ("Competent Body", "RME"), "issuer"),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_the_best_known_name_of_a_column_is_read_and_the_other_named(read, one, other, field, order):
    header = [name for name in AIB_HEADER if name != "Production Device GSRN"]
    at = AIB_HEADER.index("Production Device GSRN")
    row = aib_row()
    del row[at]
    found = read(with_more(header, [row], *((name, [cell]) for name, cell in (one, other)[::order])))
    (note,) = found.findings
    assert (note.code, note.line) == ("reading_note", 2)
    assert f"columns {one[0]} and {other[0]} both stand for {field}" in note.message
    assert found.table[field].to_pylist() == [one[1]]


def test_the_country_of_production_goes_before_the_one_of_issue(read):
    found = read(aib(("Country of Production", ("SE", "SE"))))
    assert found.table["country"].to_pylist() == ["SE", "SE"]
    assert [note.code for note in found.findings] == ["reading_note"]


def test_a_reason_of_retirement_goes_before_its_type(read):
    found = read(wregis(("Retirement Type", ("Compliance", "Voluntary"))), zone="UTC")
    assert [note.code for note in found.findings] == ["reading_note"]
    assert len(found) == 2


def test_empty_cells_are_filled_from_the_other_column(read, faults):
    rows = [aib_row(), aib_row(first=500, beneficiary="", consumption="")]
    content = aib(("Consumer", ("", "Steel AG")), rows=rows)
    assert read(content).table["beneficiary"].to_pylist() == ["Nordic Paper AS", "Steel AG"]
    assert ("contradictory_purpose", 3, "Beneficiary") in faults(content, purpose="conversion")


def test_one_header_twice_is_one_column_only_if_it_says_the_same(read, faults):
    assert len(read(aib(("Plant Name", ("Foss", "Foss"))))) == 2
    assert faults(aib(("Plant Name", ("Foss", "Elv")))) == [("ambiguous_column", 3, "Plant Name")]


# --- ranges, words and states of tracking systems


def test_blanks_around_a_dash_are_no_range(rows):
    (row,) = rows(text(WREGIS_HEADER, [wregis_row(serials="1234567 - 1 to 10", quantity="10")]), zone="UTC")
    assert (row["serial_prefix"], row["serial_start"], row["serial_end"]) == ("1234567-", 1, 10)
    (row,) = rows(text(WREGIS_HEADER, [wregis_row(serials="AB-1 - AB-10", quantity="10")]), zone="UTC")
    assert (row["serial_prefix"], row["serial_start"], row["serial_end"]) == ("AB-", 1, 10)


def test_a_reserve_is_held(read):
    header = [name if name != "Status" else "Sub-Account Type" for name in WREGIS_HEADER]
    kinds = ("Active", "Reserve", "Retirement")
    listed = text(header, [wregis_row(first=1000 * at, status=kind) for at, kind in enumerate(kinds, start=1)])
    found = read(listed, zone="UTC")
    assert len(found) == 1
    assert [(one.word, one.status) for one in found.left_out] == [("Active", "ACTIVE"), ("Reserve", "ACTIVE")]


def test_all_rows_of_a_list_of_transactions_are_no_certificates(write, refusal, read):
    header = [name if name != "Status" else "Transaction Type" for name in AIB_HEADER]
    content = text(header, [aib_row(status=word) for word in ("Issue", "Transfer", "Cancellation")])
    assert len(read(content)) == 1
    found = refusal(read_certificates, write(content), keep_all=True)
    assert [(one["code"], one["line"]) for one in found] == [("duplicate_certificate", 3), ("duplicate_certificate", 4)]
    assert all("--keep-all" in one["hint"] for one in found)
    apart = text(header, [aib_row(status="Issue"), aib_row(first=500, status="Cancellation")])
    assert read(apart, keep_all=True).table["status"].to_pylist() == ["ISSUED", "CANCELED"]
