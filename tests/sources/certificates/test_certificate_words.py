"""The tables of words: statuses, technologies and AIB codes, countries and their zones, check digits, numbers."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcr_fast.codes import ANNUAL_STATUSES, PURPOSES, SOURCE_TYPES
from gcr_fast.sources.certificates.amounts import decimal_marks, scaled, unsure_numbers
from gcr_fast.sources.certificates.identifiers import eic_letter, fault_of, gsrn_digit, is_shortened
from gcr_fast.sources.certificates.periods import Span
from gcr_fast.sources.certificates.places import agreed_zone, candidates, country_of
from gcr_fast.sources.certificates.statuses import CONVERSION, END_USE, WORDS, meaning_of
from gcr_fast.sources.certificates.technologies import ENERGY_CODES, TECHNOLOGY_CODES, source_of

# --- statuses


@pytest.mark.parametrize("word", ["Redeemed", "retired", "CANCELLED", "Canceled", "Cancelled – ex-domain", "Claimed"])
def test_spent_claims_are_for_end_use(word):
    assert meaning_of(word)[:3] == END_USE[:3]


def test_conversion_is_said_by_the_word_or_the_reason():
    assert meaning_of("Cancelled for conversion") == CONVERSION
    assert meaning_of("Retired", "Conversion to hourly certificates") == CONVERSION
    assert meaning_of("Retired", "Compliance") == END_USE
    assert meaning_of("Issued", "Conversion").status == "ISSUED"


def test_every_meaning_is_one_of_ours():
    for meaning, words in WORDS.items():
        assert meaning.status in ANNUAL_STATUSES
        assert meaning.purpose in (None, *PURPOSES)
        assert bool(meaning.reason) != (meaning.status == "CANCELED")
        assert all(meaning_of(word.upper()) == meaning for word in words)


def test_an_unknown_word_means_nothing():
    assert meaning_of("Banked") is None
    assert meaning_of("") is None


# --- technologies


@pytest.mark.parametrize(
    ("energy", "technology", "source"),
    [
        ("F01040100", "T010000", "solar"), ("F01050100", "T020000", "wind"), ("F01050200", "T030000", "hydro"),
        ("F03010100", "T060000", "nuclear"), ("F01050100", "T020001", "wind_onshore"),
        ("F01050100", "T020002", "wind_offshore"), ("F01010300", "T050000", "biomass"), ("", "T050000", None),
        ("F01050200: Hydro & marine", "T030100 Run-of-river", "hydro_run_of_river"),
        ("", "Off-shore Wind", "wind_offshore"),
        ("", "On-shore Wind", "wind_onshore"), ("", "Photovoltaic", "solar"), ("", "Hydro 20MW DNC or less", "hydro"),
        ("", "Micro Hydro", "hydro"), ("", "Landfill Gas", "biomass"), ("", "Biomass 50kW DNC or less", "biomass"),
        ("", "Fuelled", "biomass"), ("WND", "", "wind"), ("SUN", "", "solar"), ("", "", None), ("Wind", "", "wind"),
    ],
)  # fmt: skip
def test_sources(energy, technology, source):
    found = source_of(energy, technology)
    assert (found.source_type, found.unknown, found.clash, found.warning) == (source, "", None, "")


def test_an_unknown_leaf_is_a_warning():
    found = source_of("F01040199", "T010000")
    assert (found.source_type, found.unknown, found.clash) == ("solar", "", None)
    assert "F010401" in found.warning


def test_unknown_words_and_contradictions_are_errors():
    assert source_of("Fairy dust", "").unknown == "Fairy dust"
    assert source_of("F99000000", "T010000").unknown == "F99000000"
    assert source_of("F01040100", "T020000").clash == ("solar", "wind")  # sunshine does not turn a rotor


@pytest.mark.parametrize("cell", ["F01010100; F02010000", "F01050100,F01040100", "F01050200 T010101"])
def test_several_fuels_in_one_cell_are_none_that_is_known(cell):
    """The first was taken: waste that was burnt with coal was waste."""
    assert source_of(cell, "").unknown == cell


@pytest.mark.parametrize(
    ("cell", "source"),
    [
        ("F01010100 (60%), F01010200 (40%)", "waste"), ("F01050100 T020001", "wind_onshore"),
        ("F01030100/T050000", "biomass"), ("F01040100 - Solar", "solar"),
    ],
)  # fmt: skip
def test_several_codes_of_one_source_in_one_cell_are_one(cell, source):
    assert source_of(cell, "").source_type == source


def test_the_energy_source_tells_where_the_technology_is_unknown():
    found = source_of("F01040100", "Crystalline modules")
    assert found.source_type == "solar"
    assert (found.alone, found.warning) == ("Crystalline modules", "")


def test_codes_lead_to_source_types():
    assert {*ENERGY_CODES.values(), *TECHNOLOGY_CODES.values()} - {None} <= set(SOURCE_TYPES)


# --- places


def test_countries_by_code_and_name():
    assert [country_of(word) for word in ("Scotland", "GB", "Great Britain", "de", "Germany")] == [
        "GB",
        "GB",
        "GB",
        "DE",
        "DE",
    ]
    assert country_of("Atlantis") is None


def test_zones_that_agree_are_one():
    days = Span(date(2023, 3, 1), date(2023, 3, 31))
    for country, zone in (
        ("DE", "Europe/Berlin"),
        ("GB", "Europe/London"),
        ("ES", "Europe/Madrid"),
        ("IN", "Asia/Kolkata"),
    ):
        assert agreed_zone({one: days.in_zone(one) for one in candidates(country)}) == zone
    assert agreed_zone({one: days.in_zone(one) for one in candidates("US")}) is None
    assert candidates("XX") == ()


# --- identifiers


def test_check_digits_of_the_domain():
    assert gsrn_digit("57131300123456789") == "1"
    assert fault_of("571313001234567891") is None
    for eic in ("10YFR-RTE------C", "10Y1001A1001A83F", "10YNL----------L", "10YCZ-CEPS-----N"):
        assert fault_of(eic) is None
        assert eic_letter(eic[:15]) == eic[15]


@pytest.mark.parametrize(("wrong", "right"), [("571313001234567890", "1"), ("10YFR-RTE------D", "C")])
def test_a_wrong_digit_names_the_right_one(wrong, right):
    assert fault_of(wrong).endswith(right)


@given(st.integers(0, 10**17 - 1), st.integers(0, 16), st.integers(1, 9))
def test_every_single_digit_error_of_a_gsrn_is_found(number, place, change):
    digits = f"{number:017d}"
    whole = digits + gsrn_digit(digits)
    other = whole[:place] + str((int(whole[place]) + change) % 10) + whole[place + 1 :]
    assert fault_of(whole) is None
    assert fault_of(other) is not None


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-", min_size=12, max_size=12))
def test_eic_letters_are_found_again(middle):
    whole = "10Y" + middle
    assert fault_of(whole + eic_letter(whole)) is None


def test_other_identifiers_are_not_judged():
    assert fault_of("W1234") is None
    assert is_shortened("5.71313E+17")
    assert not is_shortened("571313001234567891")


# --- amounts


@pytest.mark.parametrize(
    ("cell", "mark", "digits", "value"),
    [
        ("650,422", ".", 0, 650422), ("650.422", ",", 0, 650422), ("1,234.5", ".", 6, 1_234_500_000),
        ("1.234,5", ",", 6, 1_234_500_000), ("0.000251", ".", 6, 251), ("1 234", ".", 0, 1234), (".5", ".", 3, 500),
        ("1.", ".", 0, 1), ("1.5", ".", 0, None), ("-5", ".", 0, None), ("1,23", ".", 6, None), ("1.2.3", ".", 6, None),
        ("1'000", ".", 0, 1000), ("12’345.678", ".", 3, 12_345_678), ("1'234'567,5", ",", 1, 12_345_675),
        ("1 234 567,5", ",", 1, 12_345_675), ("1\u202f000", ".", 0, 1000), ("1'00", ".", 0, None),
        ("1'000 000", ".", 0, None), ("12 5", ".", 0, None), ("1 2 3", ".", 0, None), ("1234 567", ".", 0, None),
        ("1e3", ".", 0, None), ("", ".", 0, None), ("NaN", ".", 0, None), ("0.0000001", ".", 6, None),
    ],
)  # fmt: skip
def test_numbers(cell, mark, digits, value):
    assert scaled(cell, mark, digits) == value


def test_marks_are_told_by_the_numbers():
    assert decimal_marks(["1,5", "1.234"]) == {","}
    assert decimal_marks(["1.234,50"]) == {","}
    assert decimal_marks(["1,234,567"]) == {"."}
    assert decimal_marks(["1.234", "5"]) == set()
    assert decimal_marks(["1,5", "1.5"]) == {",", "."}
    assert decimal_marks(["1250,500"]) == {","}


def test_numbers_that_no_mark_tells_are_found():
    cells = ["1.250", "0.250", "1,250", "1250.500", "12.5", "1.250.000", "250", "1.250", "-12.250"]
    assert unsure_numbers(cells) == ["1.250", "1,250", "-12.250"]
    for cell in cells:
        told = bool(decimal_marks([cell])) or cell == "250"
        assert told != bool(unsure_numbers([cell]))


@given(st.integers(0, 10**12), st.integers(0, 6))
def test_every_number_is_read_exactly(number, places):
    value = Decimal(number).scaleb(-places)
    assert scaled(f"{value:f}", ".", 6) == int(value * 10**6)
    assert scaled(f"{value:f}".replace(".", ","), ",", 6) == int(value * 10**6)
