"""Mapping files: what YAML and JSON are read as, and what is refused."""

import sys

import pytest

from gcr_fast.sources.mapping_file import Keys, load_mapping


def test_scalars_of_yaml_stay_text(write):
    text = "area: NO\nlength: 01:00\nnumber: 1_000\nnone: ~\nsure: yes\ndate: 2024-01-01\nlist: [on, 0x1]\n"
    assert dict(load_mapping(write(text, "m.yaml"))) == {
        "area": "NO",
        "length": "01:00",
        "number": "1_000",
        "none": "~",
        "sure": "yes",
        "date": "2024-01-01",
        "list": ["on", "0x1"],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\na: 2\n", "'a' twice"),
        ('{"a": 1, "a": 2}', "'a' twice"),
        ("a: {b: 1, b: 2}\n", "'b' twice"),
        ("- a\n- b\n", "keys with values"),
        ("just words", "keys with values"),
        ("a: [1, 2\n", "damaged YAML"),
        ("a: b: c\n", "damaged YAML"),
        ('{"a": 1', "damaged JSON"),
        ("? [a]\n: 1\n", "no plain word"),
        ("a: *b\n", "damaged YAML"),
        ("[" * 100_000, "nested too deep"),
        ('{"a": ' * 100_000, "nested too deep"),
        ("a: &x [*x]\n", "nested too deep"),
        ("a: \0\n", "zero bytes"),
    ],
)
def test_what_is_no_mapping_is_refused(text, said, write, refusal):
    path = write(text, "m.yaml")
    (finding,) = refusal(load_mapping, path)
    assert said in finding["message"]
    assert finding["file"] == str(path)


def test_aliases_do_not_multiply(write):
    levels = "\n".join(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 30))
    mapping = load_mapping(write(f"a0: &a0 [x, x]\n{levels}\n", "m.yaml"))
    assert len(mapping) == 30


def test_yaml_needs_its_extra_but_json_does_not(write, refusal, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    (finding,) = refusal(load_mapping, write("a: 1\n", "m.yaml"))
    assert "gcr_fast[yaml]" in finding["message"]
    assert load_mapping(write('{"a": 1}', "m.json")) == {"a": 1}


def test_keys_that_nobody_asked_for_are_refused_at_every_level(refusal):
    keys = Keys({"a": "1", "b": {"c": "2", "d": "3"}, "e": "4"})
    assert keys.text("a") == "1"
    assert keys.part("b").text("c") == "2"
    assert [finding["column"] for finding in refusal(keys.check)] == ["e", "b.d"]


def test_all_faults_come_together(refusal):
    keys = Keys({"number": "x", "word": "up", "list": [1], "part": "no"})
    keys.number("number", 0)
    keys.text("word", one_of=("left", "right"))
    keys.texts("list")
    keys.part("part")
    keys.text("absent")
    assert {finding["column"] for finding in refusal(keys.check)} == {"number", "word", "list", "part", "absent"}
