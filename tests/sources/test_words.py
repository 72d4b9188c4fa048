"""What the world calls its power plants: one table, without contradictions, that never guesses."""

import re

import corpus
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcr_fast.codes import ROLES, SOURCE_TYPES, canonical_source
from gcr_fast.errors import UsageError
from gcr_fast.sources.words import _WORDS, KINDS, kind_of, normalised, type_named


def test_every_kind_has_a_role_and_only_what_is_made_has_a_source_type():
    for slug, kind in KINDS.items():
        assert kind.slug == slug == normalised(slug)
        assert kind.role in ROLES
        assert (kind.source_type in SOURCE_TYPES) == (kind.role in {"generation", "storage"})
        assert kind.source_type is not None or kind.role in {"consumption", "load", "trade"}


def test_storage_is_never_generation_and_the_other_way_round():
    for kind in KINDS.values():
        assert (kind.source_type == "storage_discharge") == (kind.role == "storage")


def test_no_word_means_two_kinds():
    seen = dict.fromkeys(KINDS, "itself")
    for slug, words in _WORDS.items():
        assert slug in KINDS
        for word in words.split():
            assert word == normalised(word)
            assert word not in seen, f"{word} is listed for {slug} and {seen.get(word)}"
            seen[word] = slug


def test_words_agree_with_those_of_certificates():
    """What both tables know, they know alike; a profile and its certificate would not find each other otherwise."""
    for word in [*KINDS, *(word for words in _WORDS.values() for word in words.split())]:
        source, kind = canonical_source(word), kind_of(word)
        if source is not None and kind is not None:
            assert kind.source_type == source, word


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Hydro Run-of-river and poundage", "hydro_run_of_river"),
        ("Hydro Run-of-river and pondage", "hydro_run_of_river"),
        ("Hydro Water Reservoir", "hydro_reservoir"),
        ("Fossil Brown coal/Lignite", "fossil_lignite"),
        ("Fossil brown coal / lignite", "fossil_lignite"),
        ("Fossil Coal-derived gas", "fossil_coal_derived_gas"),
        ("Wind Onshore ", "wind_onshore"),
        ("Wasserkraft", "hydro"),
        ("Sonstige Erneuerbare", "other_renewable"),
        ("Sonstige Konventionelle", "fossil"),
        ("Photovoltaik", "solar"),
        ("NUCLÉAIRE", "nuclear"),
        ("Éolien terrestre", "wind_onshore"),
        ("Natural Gas", "fossil_gas"),
        ("Fossil Oil shale", "fossil_oil_shale"),
        ("Gesamt (Netzlast)", "load"),
        ("Total (grid load)", "load"),
        ("Hydro pumped storage consumption", "pumping"),
        ("Cross border electricity trading", "exchange"),
        ("WAT", "hydro"),
        ("battery storage", "battery_storage"),
    ],
)
def test_words_of_the_world(text, slug):
    assert kind_of(text) == KINDS[slug]


@pytest.mark.parametrize(
    "text", ["", " ", "?", "Total", "Residual load", "Solar forecast", "capacity", "風力", "x" * 300]
)
def test_a_word_that_is_not_known_is_not_guessed(text):
    assert kind_of(text) is None


@given(text=st.text(max_size=30))
def test_a_word_is_normalised_once_and_for_all(text):
    once = normalised(text)
    assert normalised(once) == once
    assert " " not in once
    assert kind_of(text) == kind_of(once) == kind_of(f"  {text} ")


@given(text=st.sampled_from(sorted(KINDS)), mark=st.sampled_from([" ", "-", "/", " / ", "  ", " - "]))
def test_case_blanks_and_marks_make_no_difference(text, mark):
    assert kind_of(text.upper().replace("_", mark)) == KINDS[text]


@pytest.mark.parametrize("word", [*KINDS, *SOURCE_TYPES, *ROLES, "fossil_oil_consumption", "consumption_gas"])
def test_every_kind_source_type_and_role_can_be_named(word):
    assert type_named(word) == type_named(f" {word.replace('_', ' ').title()} ") == word


@pytest.mark.parametrize("path", corpus.READABLE, ids=lambda path: path.name)
def test_every_series_of_every_format_can_be_asked_for(path):
    for one in corpus.read(path).series:
        assert {type_named(word) for word in (one.kind, one.role)} == {one.kind, one.role}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("soler", "did you mean solar"), ("wnd", "did you mean wind?"), ("photovoltaics", "did you mean solar?"),
        ("coal", "did you mean fossil_coal, fossil_hard_coal"), ("genration", "did you mean generation"),
        ("fairy_dust", "there are generation, storage"), ("fairy_dust_consumption", "unknown type"),
        ("", "unknown type"),
    ],
)  # fmt: skip
def test_a_word_that_is_none_is_wrong_usage_with_the_nearest(word, said):
    with pytest.raises(UsageError, match=re.escape(said)):
        type_named(word)
