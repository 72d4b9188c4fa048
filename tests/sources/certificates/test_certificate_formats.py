"""Each format: what its rows become, in every form it comes in; detection by content; mappings."""

import json
from datetime import UTC, datetime

import pytest
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

from gcr_fast import UsageError
from gcr_fast.certificates import read_certificates
from gcr_fast.sources.certificates import mapped
from gcr_fast.sources.certificates.formats import FORMATS


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


# --- REGO


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("preamble", ["", PREAMBLE, "\ufeff" + PREAMBLE, "Textbox1\n"])
def test_rego_with_and_without_preamble_and_header(rows, header, preamble):
    (row,) = rows(rego(rego_row(month=3, count=5000, first=251285), header=header, preamble=preamble))
    assert row["certificate_id"] == "G09001FWSC0000251285010323310323GEN..G09001FWSC0000256284010323310323GEN"
    assert (row["serial_prefix"], row["serial_start"], row["serial_end"]) == (
        "G09001FWSC*010323310323GEN", 251285, 256284,
    )  # fmt: skip
    assert row["energy_wh"] == 5_000_000_000
    assert (row["production_start"], row["production_end"]) == (utc(2023, 3, 1), utc(2023, 3, 31, 23))  # summer time
    assert (row["zone"], row["country"], row["issuer"]) == ("Europe/London", "GB", "Ofgem")
    assert (row["status"], row["purpose"], row["beneficiary"]) == ("CANCELED", "end_use", "Example Supply Ltd")
    assert (row["device_id"], row["source_type"], row["capacity_w"]) == ("G09001FWSC", "wind_onshore", 90_000_000)


@pytest.mark.parametrize(
    ("period", "days", "start", "end"),
    [
        ("Mar-2023", "010323310323", utc(2023, 3, 1), utc(2023, 3, 31, 23)),
        ("01/03/2023 - 31/03/2023", "010323310323", utc(2023, 3, 1), utc(2023, 3, 31, 23)),
        ("2022 - 2023", "010422310323", utc(2022, 3, 31, 23), utc(2023, 3, 31, 23)),
        ("Oct-2023", "011023311023", utc(2023, 9, 30, 23), utc(2023, 11, 1)),
        ("01/03/2023 - 01/03/2023", "010323010323", utc(2023, 3, 1), utc(2023, 3, 2)),
    ],
)
def test_rego_periods_are_days_of_london(rows, period, days, start, end):
    (row,) = rows(rego(rego_row(period=period, days=days)))
    assert (row["production_start"], row["production_end"]) == (start, end)


@pytest.mark.parametrize(
    ("period", "days", "said"),
    [
        ("Mar-2021", "010422310323", "2022-04-01 to 2023-03-31"),
        ("Mar-2023", "010223280223", "2023-02-01 to 2023-02-28"),
        ("01/03/2023 - 01/04/2023", "010323310323", "2023-03-01 to 2023-03-31"),
        ("Feb-2023", "010223310223", "no days at all"),
    ],
)
def test_a_rego_period_must_be_that_of_its_number(write, refusal, period, days, said):
    path = write(rego(rego_row(), rego_row(period=period, days=days)))
    (found,) = refusal(read_certificates, path)
    assert (found["code"], found["line"], found["value"]) == ("period_mismatch", 3, period)
    assert f"G09001FWSC0000000000{days}GEN says {said}" in found["message"]


def test_rego_energy_is_certificates_times_mwh_each(rows):
    (row,) = rows(rego(rego_row(count=3, each="0.5")))
    assert row["energy_wh"] == 1_500_000
    (row,) = rows(rego(rego_row(count=1234)).replace(",1234,", ',"1,234",'))
    assert row["energy_wh"] == 1_234_000_000


def test_rego_counts_must_be_those_of_the_range(faults):
    row = rego_row(count=1000)
    row[8] = "999"
    assert faults(rego(row)) == [("count_mismatch", 2, "No. Of Certificates")]


# --- AIB


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_aib_in_any_delimiter(rows, delimiter):
    (row,) = rows(text(AIB_HEADER, [aib_row(first=5, count=100)], delimiter))
    assert (row["serial_prefix"], row["serial_start"], row["serial_end"]) == ("643002406801", 5, 104)
    assert (row["energy_wh"], row["source_type"]) == (100_000_000, "hydro_run_of_river")
    assert (row["production_start"], row["production_end"]) == (utc(2023, 2, 28, 23), utc(2023, 3, 31, 22))
    assert (row["zone"], row["country"], row["device_id"]) == ("Europe/Oslo", "NO", "571313001234567891")
    assert (row["purpose"], row["beneficiary"]) == ("end_use", "Nordic Paper AS")


def test_aib_headers_by_other_names(rows):
    header = (
        "Land", "Nachweisnummer von", "Nachweisnummer bis", "Menge", "Energieträger", "Technologie", "Produktion von",
        "Produktion bis", "GSRN", "Anlagenname", "Status", "Begünstigter", "x",
    )  # fmt: skip
    (row,) = rows(text(header, [aib_row(volume="100,000", status="entwertet", country="DE")], ";"))
    assert (row["energy_wh"], row["zone"]) == (100_000_000, "Europe/Berlin")
    assert row["beneficiary"] == "Nordic Paper AS"


def test_a_list_of_transactions_may_have_a_certificate_several_times(read):
    header = [name if name != "Status" else "Transaction Type" for name in AIB_HEADER]
    moves = [aib_row(status=status) for status in ("Issuance", "Transfer", "Transfer", "Cancellation")]
    found = read(text(header, moves))
    assert len(found) == 1
    assert {(one.word, one.rows) for one in found.left_out} == {("Issuance", 1), ("Transfer", 2)}


def test_a_list_of_holdings_may_not(faults):
    held = [aib_row(status="Active"), aib_row(status="Cancelled")]
    assert faults(text(AIB_HEADER, held)) == [("duplicate_certificate", 3, None)]


def test_a_wrong_check_digit_and_an_unknown_leaf_are_warnings(read):
    found = read(text(AIB_HEADER, [aib_row(gsrn="571313001234567890", technology="T030199")]))
    assert len(found) == 1
    warnings = found.findings.of("warning")
    assert [item.code for item in warnings] == ["unknown_code", "bad_check_digit"]
    assert "check digit would be 1" in warnings[1].message
    assert {item.line for item in warnings} == {2}


def test_lost_digits_are_refused(faults):
    assert faults(text(AIB_HEADER, [aib_row(gsrn="5.71313E+17")])) == [
        ("unreadable_value", 2, "Production Device GSRN")
    ]
    assert faults(text(AIB_HEADER, [aib_row(low="6.43002E+29", high="6.43002E+29")]))[0][0] == "bad_serial"


def test_contradictory_source_lists_its_rows(faults):
    bad = [aib_row(first=1 + 100 * n, source="F01040100", technology="T020000") for n in range(2)]
    assert faults(text(AIB_HEADER, [aib_row(first=900), *bad])) == [
        ("contradictory_source", 3, "Technology"),
        ("contradictory_source", 4, "Technology"),
    ]


def test_a_contradiction_names_both_codes_what_they_mean_and_how_to_mend_it(write, refusal):
    bad = write(text(AIB_HEADER, [aib_row(source="F01050200", technology="T020001")]), "list.csv")
    (found,) = refusal(read_certificates, [bad])
    said = "Technology 'T020001' means wind_onshore, but Energy Source 'F01050200' means hydro"
    assert (found["message"], found["value"]) == (said, "T020001")
    assert "mapping" in found["hint"]


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        ({"source": "F99000000", "technology": "T020001"}, "Energy Source", "F99000000"),
        ({"source": "", "technology": "T990000"}, "Technology", "T990000"),
    ],
)
def test_an_unknown_code_is_named_in_its_own_column(row, column, value, write, refusal):
    (found,) = refusal(read_certificates, [write(text(AIB_HEADER, [aib_row(**row)]), "list.csv")])
    assert (found["code"], found["column"], found["value"]) == ("unknown_source_type", column, value)


# --- North American tracking systems


def test_wregis_ranges_stand_in_one_cell(rows):
    (row,) = rows(text(WREGIS_HEADER, [wregis_row(first=1, count=100)]), zone="America/Los_Angeles")
    assert row["certificate_id"] == "12345-OR-234567-1..100"
    assert (row["serial_prefix"], row["serial_start"], row["serial_end"]) == ("12345-OR-234567-", 1, 100)
    assert (row["production_start"], row["production_end"]) == (utc(2023, 3, 1, 8), utc(2023, 4, 1, 7))
    assert (row["device_id"], row["beneficiary"]) == ("W1234", "Example Corp")


def test_wregis_names_no_zone(faults):
    assert faults(text(WREGIS_HEADER, [wregis_row()])) == [("naive_time", 2, "Vintage")]


def test_wregis_vintages_and_reasons(rows):
    header = (
        "M-RETS ID", "Generator Name", "Fuel", "Vintage Month", "Vintage Year", "Serial Number Range", "Quantity",
        "Retirement Date", "Reason", "Beneficiary",
    )  # fmt: skip
    row = [
        "M77",
        "Prairie",
        "Solar",
        "March",
        "2023",
        "M77-MN-03-2023-1 to M77-MN-03-2023-40",
        "40",
        "5/1/2024",
        "",
        "",
    ]
    (found,) = rows(text(header, [row]), zone="America/Chicago")
    assert (found["status"], found["purpose"], found["energy_wh"]) == ("CANCELED", "end_use", 40_000_000)
    row[-2] = "Conversion to hourly certificates"
    (found,) = rows(text(header, [row]), zone="America/Chicago")
    assert found["purpose"] == "conversion"


def test_wregis_counts_must_be_those_of_the_range(faults):
    bad = wregis_row(quantity="99")
    assert faults(text(WREGIS_HEADER, [bad]), zone="UTC") == [("count_mismatch", 2, "Quantity")]


# --- I-REC


def test_irec_numbers_are_wh_and_facts_stand_above(rows):
    (row,) = rows(irec(irec_row(count=88)))
    assert row["energy_wh"] == 88_000_000
    assert row["serial_end"] - row["serial_start"] + 1 == 88_000_000
    assert (row["beneficiary"], row["purpose"], row["zone"]) == ("Example Works", "end_use", "Asia/Kolkata")
    assert (row["production_start"], row["production_end"]) == (utc(2023, 2, 28, 18, 30), utc(2023, 3, 31, 18, 30))


def test_irec_volume_must_be_that_of_the_range(faults):
    bad = irec_row(count=88)
    bad[-1] = "88.000001"
    assert faults(irec(bad)) == [("count_mismatch", 6, "Number of Certificates")]


def test_an_irec_list_without_any_sign_of_redemption_is_not_taken_for_one(faults):
    assert faults(irec(irec_row(), facts=())) == [("null_value", 4, None)]


# --- detection


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (rego(rego_row()), "rego"),
        (text(AIB_HEADER, [aib_row()]), "aib"),
        (text(WREGIS_HEADER, [wregis_row()]), "wregis"),
        (irec(irec_row()), "irec"),
        ("certificate_id,energy_mwh,year,status\nA,1,2020,CANCELED\n", "annual"),
        ("certificate_id,total_mwh,year,source_type,status\nA,1,2020,solar,CANCELLED\n", "annual"),
    ],
)
def test_detection_by_content(read, content, name):
    found = read(content, name="anything.dat", zone="UTC")
    assert found.files[0].format == name


def test_an_ambiguous_file_names_its_candidates(write, refusal):
    both = (*AIB_HEADER, "Serial Number Range", "Vintage", "GU ID", "RECs", "Retirement Reason")
    path = write(text(both, [[*aib_row(), "A-1 to 100", "03/2023", "W1", "100", "x"]]))
    (found,) = refusal(read_certificates, path)
    assert found["code"] == "ambiguous_format"
    assert "aib and wregis" in found["message"]
    assert len(read_certificates(path, format="aib")) == 1


def test_an_unknown_file_is_told_what_is_known(write, refusal):
    (found,) = refusal(read_certificates, write("a,b\n1,2\n"))
    assert found["code"] == "unknown_format"
    assert all(one.name in found["message"] for one in FORMATS)
    assert "--mapping" in found["message"] + found["hint"]


def test_an_unknown_format_is_a_usage_error(write):
    with pytest.raises(UsageError, match="unknown format"):
        read_certificates(write("a\n1\n"), format="nonsense")


def test_a_named_format_says_which_columns_are_absent(write, refusal):
    content = text(AIB_HEADER, [aib_row()]).replace("Certificate Number To", "x")
    (found,) = refusal(read_certificates, write(content), format="aib")
    assert found["code"] == "missing_column"
    assert "Certificate Number To" in found["message"]


def test_two_columns_of_one_name_are_refused(faults):
    content = text([*AIB_HEADER, "Beneficiary"], [[*aib_row(), "Somebody"]])
    assert faults(content) == [("ambiguous_column", 2, "Beneficiary")]


def test_formats_are_described():
    assert len({one.name for one in FORMATS}) == len(FORMATS)
    for one in FORMATS:
        assert one.title
        assert one.looks_like
        assert len(one.quirks) >= 2


# --- mappings

FOREIGN = """Bericht

Nr. von;Nr. bis;Menge;Beginn;Ende;Art;Zustand
CH-1;CH-4;2,5;01.03.2023;31.03.2023;Laufwasser;entwertet
"""
MAPPING = {
    "columns": {
        "first": "Nr. von", "last": "Nr. bis", "energy": "Menge", "start": "Beginn", "end": "Ende",
        "technology": "Art", "status": "Zustand",
    },
    "units": {"energy": "GWh"},
    "status": {"entwertet": "cancelled"},
    "technologies": {"Laufwasser": "hydro_run_of_river"},
    "constants": {"country": "CH", "issuer": "Pronovo"},
    "wh_each": 0,
}  # fmt: skip


@pytest.mark.parametrize("language", ["yaml", "json", "dict"])
def test_a_mapping_describes_any_list(write, language):
    described = MAPPING
    if language == "json":
        described = write(json.dumps(MAPPING), "mapping.json")
    elif language == "yaml":
        yaml = pytest.importorskip("yaml")
        described = write(yaml.safe_dump(MAPPING), "mapping.yaml")
    found = read_certificates(write(FOREIGN), mapping=described)
    (row,) = found.table.to_pylist()
    assert (row["energy_wh"], row["source_type"]) == (2_500_000_000, "hydro_run_of_river")
    assert (row["zone"], row["issuer"], row["serial_start"], row["serial_end"]) == ("Europe/Zurich", "Pronovo", 1, 4)
    assert found.files[0].format == "mapped"


def test_the_example_of_a_mapping_is_one(write):
    pytest.importorskip("yaml")
    path = write(mapped.EXAMPLE, "mapping.yaml")
    content = FOREIGN.replace("2,5", "4.000,0").replace("Bericht\n\n", "")
    (row,) = read_certificates(write(content), mapping=path).table.to_pylist()
    assert row["energy_wh"] == 4_000_000


def test_ranges_may_exclude_their_end(write):
    open_ended = MAPPING | {"ranges": "half-open", "wh_each": 1_000_000, "units": {"energy": "MWh"}}
    content = (
        FOREIGN.replace("CH-1;CH-4;2,5", "CH-1;CH-4;3") + "CH-4;CH-6;2;01.03.2023;31.03.2023;Laufwasser;entwertet\n"
    )
    found = read_certificates(write(content), mapping=open_ended)
    assert found.table["serial_end"].to_pylist() == [3, 5]
    inclusive = open_ended | {"ranges": "inclusive"}
    with pytest.raises(Exception, match="half-open"):
        read_certificates(write(content), mapping=inclusive)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"colums": {}}, "colums"),
        ({"columns": {"first": "a", "frist": "b"}}, "columns.frist"),
        ({"columns": {}}, "columns"),
        ({"units": {"energy": "kW"}}, "units.energy"),
        ({"units": {"energy": "furlong"}}, "units.energy"),
        ({"status": {"entwertet": "gone"}}, "status.entwertet"),
        ({"technologies": {"Laufwasser": "water"}}, "technologies.Laufwasser"),
        ({"dates": "sideways"}, "dates"),
        ({"decimal": "'"}, "decimal"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"skip": "-1"}, "skip"),
        ({"ranges": "open"}, "ranges"),
        ({"columns": ["first"]}, "columns"),
        ({"status": {"entwertet": ["x"]}}, "status.entwertet"),
    ],
)
def test_every_slip_in_a_mapping_is_named(write, refusal, change, path):
    findings = refusal(read_certificates, write(FOREIGN), mapping=MAPPING | change)
    assert path in [item["column"] for item in findings]


def test_mapped_needs_a_mapping(write):
    with pytest.raises(UsageError, match="needs a mapping"):
        read_certificates(write(FOREIGN), format="mapped")


# --- numbers that could be read in two ways

PLAIN = {
    "columns": {"id": "Nr", "energy": "Menge", "period": "Monat", "technology": "Art", "status": "Zustand"},
    "constants": {"country": "DE"},
}
LIST = "Nr;Menge;Monat;Art;Zustand\nA1;{};2023-01;Wind;entwertet\nA2;{};2023-02;Wind;entwertet\n"


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("cells", [("1.250", "2.500"), ("1,250", "20"), ("1.250", "1,250")])
def test_numbers_that_can_be_read_in_two_ways_are_refused(write, refusal, cells, delimiter):
    path = write(LIST.format(*cells).replace(";", delimiter))
    (found,) = refusal(read_certificates, path, mapping=PLAIN)
    assert (found["code"], found["value"]) == ("ambiguous_number", cells[0])
    assert repr(cells[0]) in found["message"]
    assert "--decimal" in found["message"]


@pytest.mark.parametrize(("mark", "energy_wh"), [(",", 1_250_000_000), (".", 1_250_000)])
def test_the_decimal_mark_may_be_told(write, mark, energy_wh):
    path = write(LIST.format("1.250", "17"))
    for told in ({"mapping": PLAIN, "decimal": mark}, {"mapping": PLAIN | {"decimal": mark}}):
        assert read_certificates(path, **told).table["energy_wh"].to_pylist() == [energy_wh, 17_000_000]


def test_another_decimal_mark_is_a_usage_error(write):
    with pytest.raises(UsageError, match="decimal mark"):
        read_certificates(write(LIST), mapping=PLAIN, decimal="'")


@pytest.mark.parametrize(("volume", "count"), [("1.250", 1250), ("1,250", 1250), ("2.000", 2), ("2,000", 2)])
def test_serial_numbers_tell_how_numbers_are_written(read, volume, count):
    found = read(text(AIB_HEADER, [aib_row(count=count, volume=volume), aib_row(first=5000, count=7)], ";"))
    assert found.table["energy_wh"].to_pylist() == [count * 1_000_000, 7_000_000]


def test_serial_numbers_that_contradict_each_other_tell_nothing(faults):
    rows = [aib_row(count=1250, volume="1.250"), aib_row(first=5000, count=2, volume="2.000")]
    assert ("ambiguous_number", None, None) in faults(text(AIB_HEADER, rows, ";"))
