"""JSON of services: one document or several, numbers as text, and what is missing is named."""

import pytest

from gcr_fast.sources.documents import column, documents, member
from gcr_fast.sources.files import open_file


@pytest.mark.parametrize("text", ['{"a": 1}\n{"a": 2}', '[{"a": 1}, {"a": 2}]', '\ufeff {"a": 1} {"a": 2}\n\n'])
def test_documents_in_three_ways(text, write):
    assert documents(open_file(write(text))) == [{"a": "1"}, {"a": "2"}]


def test_numbers_stay_what_they_are(write):
    digits = "9" * 5000
    assert documents(open_file(write(f'{{"a": 0.1000, "b": {digits}}}'))) == [{"a": "0.1000", "b": digits}]


@pytest.mark.parametrize("text", ['{"a": 1', '{"a": 1} x', "[" * 100_000, '{"a": 01}'])
def test_damaged_json_is_refused(text, write, refusal):
    (found,) = refusal(documents, open_file(write(text)))
    assert "damaged JSON" in found["message"]


def test_half_a_letter_is_refused_and_a_whole_one_is_read(write, refusal):
    (found,) = refusal(documents, open_file(write('{"a": "\\ud83d"}')))
    assert "damaged JSON" in found["message"]
    assert documents(open_file(write('{"a": "\\ud83d\\ude00"}'))) == [{"a": "\U0001f600"}]


def test_something_else_than_objects_is_refused(write, refusal):
    (found,) = refusal(documents, open_file(write('[{"a": 1}, 5]')))
    assert "'5'" in found["message"]


@pytest.mark.parametrize(("key", "said"), [("b", "has no 'b' in c"), ("a", "something else than a list as 'a' in c")])
def test_a_missing_member_is_named(key, said, write, refusal):
    file = open_file(write('{"a": 1}'))
    (found,) = refusal(member, file, documents(file)[0], key, list, "c")
    assert said in found["message"]
    assert (found["code"], found["column"]) == ("missing_column", key)


def test_columns_are_text_with_nulls(write):
    rows = [{"a": "1.50"}, {"a": None}, {"a": "x"}, {"a": True}]
    assert column(open_file(write("{}")), rows, "a", "data").to_pylist() == ["1.50", None, "x", "True"]


@pytest.mark.parametrize(("row", "code"), [({"b": 1}, "missing_column"), (5, "malformed_row")])
def test_the_entry_that_lacks_a_key_is_named(row, code, write, refusal):
    (found,) = refusal(column, open_file(write("{}")), [{"a": "1"}, row], "a", "data")
    assert (found["code"], found["line"]) == (code, 2)
    assert "entry 2 of data" in found["message"]
