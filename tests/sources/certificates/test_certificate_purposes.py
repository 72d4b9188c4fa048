"""For what certificates were cancelled: an option says it where the list does not, and never against the list."""

import pytest
from lists import AIB_HEADER, WREGIS_HEADER, aib_row, irec, irec_row, rego, rego_row, text, wregis_row

UNSAID = {"beneficiary": "", "consumption": ""}
OWN = "certificate_id,energy_mwh,year,zone,source_type,status,purpose,beneficiary\n"
MAPPING = {
    "columns": {"id": "nr", "energy": "mwh", "period": "p", "technology": "t", "status": "s", "beneficiary": "b"},
    "constants": {"country": "AT"},
    "status": {"weg": "cancelled for conversion", "fort": "cancelled"},
}


def contradictions(faults, content, column, purpose="conversion", **options):
    found = faults(content, purpose=purpose, **options)
    assert found == [("contradictory_purpose", 2, column)]


def test_an_option_says_what_a_list_does_not(read):
    content = text(AIB_HEADER, [aib_row(**UNSAID), aib_row(first=500, status="Active")])
    assert read(content).table["purpose"].to_pylist() == ["end_use"]
    found = read(content, purpose="conversion", keep_all=True)
    assert found.table["purpose"].to_pylist() == ["conversion", None]
    rows = [wregis_row(reason="", beneficiary="", status="Retired")]
    found = read(text(WREGIS_HEADER, rows), purpose="conversion", zone="UTC")
    assert found.table["purpose"].to_pylist() == ["conversion"]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"beneficiary": "Steel AG", "consumption": ""}, "Beneficiary"),
        ({"beneficiary": "", "consumption": "2023"}, "Consumption Period"),
        ({"status": "Cancelled for end use"} | UNSAID, "Status"),
        ({"status": "Cancelled – ex-domain"} | UNSAID, "Status"),
    ],
)
def test_what_was_cancelled_for_an_end_user_is_never_for_conversion(faults, change, column):
    contradictions(faults, text(AIB_HEADER, [aib_row(**change), aib_row(first=500, **UNSAID)]), column)


@pytest.mark.parametrize("status", ["Redeemed", "Retired"])
def test_what_a_holder_has_redeemed_is_never_for_conversion(faults, status):
    holder = "Current Holder Organisation Name"
    contradictions(faults, rego(rego_row(status=status), rego_row(first=1000, status="Issued")), holder)


def test_a_redemption_is_for_an_end_user_without_a_name_too(faults):
    contradictions(faults, rego(rego_row(holder="")), "Certificate Status")


def test_a_reason_of_end_use_is_never_for_conversion(faults):
    rows = [wregis_row(beneficiary="")]
    contradictions(faults, text(WREGIS_HEADER, rows), "Retirement Reason", zone="UTC")


def test_a_beneficiary_above_the_table_counts_for_all_rows(faults):
    content = irec(irec_row(), facts=(("Beneficiary", "Example Works"),))
    assert faults(content, purpose="conversion") == [("contradictory_purpose", 5, "beneficiary")]


def test_what_was_cancelled_for_conversion_is_not_spent(faults, rows):
    """A reason that says conversion goes before a beneficiary: whoever issues the hours may stand there."""
    content = text(WREGIS_HEADER, [wregis_row(reason="Conversion to hourly certificates")])
    (row,) = rows(content, purpose="conversion", zone="UTC")
    assert row["purpose"] == "conversion"
    contradictions(faults, content, "Status", "end_use", zone="UTC")


def test_a_mapping_may_say_what_a_word_means(faults, rows):
    header = "nr,mwh,p,t,s,b\n"
    (row,) = rows(header + "A1,5,Mar-2023,Wind,weg,Steel AG\n", mapping=MAPPING, purpose="conversion")
    assert row["purpose"] == "conversion"
    contradictions(faults, header + "A1,5,Mar-2023,Wind,fort,Steel AG\n", "b", mapping=MAPPING)
    (row,) = rows(header + "A1,5,Mar-2023,Wind,fort,\n", mapping=MAPPING, purpose="conversion")
    assert row["purpose"] == "conversion"


def test_rows_that_are_left_out_contradict_nothing(read):
    content = rego(rego_row(year=2022), rego_row(first=1000, status="Retired", holder=""))
    assert read(content, purpose="conversion", year=2023).table["purpose"].to_pylist() == ["conversion"]


def test_our_own_files_contradict_as_well(faults, rows):
    own = OWN + "A,1,2023,UTC,wind,CANCELED,{},{}\n"
    contradictions(faults, own.format("end_use", ""), "purpose")
    contradictions(faults, own.format("", "Steel AG"), "beneficiary")
    contradictions(faults, own.format("conversion", "Steel AG"), "purpose", "end_use")
    for purpose, beneficiary in (("conversion", "Steel AG"), ("", "")):
        (row,) = rows(own.format(purpose, beneficiary), purpose="conversion")
        assert row["purpose"] == "conversion"
