"""JSON row by row: what is told is what `documents` has, or it is left to that."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcr_fast.sources import streamed
from gcr_fast.sources.documents import documents
from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation import elexon_insights, pjm
from gcr_fast.sources.pieces import IrregularError
from gcr_fast.sources.streamed import Part, Rows, Told, parts, text_columns

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab\u00e9"\\ \n', max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=2),
    max_leaves=5,
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "data"]), VALUES, max_size=3)
DOCUMENTS = st.lists(OBJECTS, max_size=3) | OBJECTS
BLANKS = st.sampled_from(["", " ", "\n", "\r\n\t "])


def cut(text, size):
    """A text in pieces of some letters, as it is read."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def told(text, size=1 << 20):
    """The documents that the parts make up, or None if they are left to `documents`."""
    found, rows = [], []
    try:
        for row, document in parts(cut(text, size), "data"):
            if row is not None:
                rows.append(row)
                continue
            whole = {name: rows if isinstance(cell, Rows) else cell for name, cell in document.items()}
            if isinstance(document.get("data"), Rows):
                assert document["data"].count == len(rows)
                rows = []
            found.append(whole)
    except IrregularError:
        return None
    return found


LENGTHS = st.integers(1, 60)


@given(st.lists(DOCUMENTS, min_size=1, max_size=3), BLANKS, st.sampled_from([None, 1]), LENGTHS, LENGTHS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parts_make_up_the_documents(tmp_path_factory, monkeypatch, several, blank, indent, at_once, size):
    monkeypatch.setattr(streamed, "SEVERAL", at_once)
    text = blank.join(["", *(json.dumps(one, indent=indent) for one in several), ""])
    path = tmp_path_factory.mktemp("json") / "file.json"
    path.write_text(text or " ")
    found = told(text, size)
    rows = [one["data"] for one in several if isinstance(one, dict) and isinstance(one.get("data"), list)]
    if all(isinstance(row, dict) for some in rows for row in some):
        assert found is not None
    assert found is None or found == documents(open_file(path))


@pytest.mark.parametrize(
    "text",
    [
        '{"data": [{"a": 1}', '{"data": [{"a": 1},]}', '{"data": [{"a": 1} {"a": 2}]}', '{"data": [1]}', "[5]", "5",
        '{"a": 1, "a": 2}', '{"a" 1}', '{"data": [{}]} x', '{1: 2}', '{"a": "\\ud83d"}', '{"data": [{"a": 01}]}',
        '[{"a": 1},]', '{"a": 1,}', "{", "[", '[{"a": 1}]]', '{"data": [{"a": 1}]]}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 100])
def test_what_is_out_of_the_ordinary_is_left(text, size):
    with pytest.raises(IrregularError):
        list(parts(cut(text, size), "data"))


NUMBERS = st.integers() | st.floats() | st.sampled_from([1e300, -1.5e-9, 10**40, 0.25])
ROWS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "rows"]), NUMBERS | VALUES, max_size=3), max_size=4)


@given(ROWS, OBJECTS, st.sampled_from([(), ("rows",), ("data", "rows")]), LENGTHS, LENGTHS)
def test_rows_and_the_rest_make_up_the_document(rows, rest, path, at_once, size):
    document = rows
    for key in reversed(path):
        document = {**rest, key: document}
    text = json.dumps(document, indent=size % 3 or None)
    whole = json.loads(text, parse_float=str)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streamed, "SEVERAL", at_once)
        one = Told(cut(text, size), *path)
        found = list(one)
    there, outer = one.rest, whole
    for key in path:
        assert there.keys() == outer.keys()
        assert repr({**there, key: 0}) == repr({**outer, key: 0})  # what is no number is not like itself
        there, outer = there[key], outer[key]
    assert there == Rows(len(found))
    assert repr(found) == repr(outer)


@pytest.mark.parametrize(
    "text",
    [
        "{}", '{"rows": 1}', '{"rows": {"rows": []}}', '{"rows": [{}]} {}', '{"rows": [{}]} x', "[{}]", '{"rows": [1]}',
        '{"rows": [{"a": 1}', '{"rows": [], "rows": []}', "", '{"rows": [' + "[" * 100_000, '"rows"',
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 100])
def test_a_document_without_its_rows_is_left(text, size):
    with pytest.raises(IrregularError):
        list(Told(cut(text, size), "rows"))


def test_a_number_that_is_cut_is_read_whole():
    text = '{"rows": [{"a": 1}], "n": -12.5e-12, "m": 7}'
    for size in range(1, len(text)):
        one = Told(cut(text, size), "rows")
        assert list(one) == [{"a": 1}]
        assert one.rest == {"rows": Rows(1), "n": "-12.5e-12", "m": 7}


def test_rows_come_before_their_document():
    found = list(parts(['{"data": [{"a": 1}, {"a": 0.50}], "n": 2}'], "data"))
    assert found == [Part({"a": "1"}, None), Part({"a": "0.50"}, None), Part(None, {"data": Rows(2), "n": "2"})]


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.none() | st.integers() | st.text(max_size=2)), max_size=9))
def test_columns_are_the_texts_of_all_keys(rows):
    columns, count = text_columns(iter(rows), without={"c"})
    assert count == len(rows)
    assert list(columns) == list(dict.fromkeys(name for row in rows for name in row if name != "c"))
    for name, column in columns.items():
        assert column.to_pylist() == [None if row.get(name) is None else str(row[name]) for row in rows]


@pytest.mark.parametrize("module", [elexon_insights, pjm])
def test_examples_are_told_row_by_row(module, monkeypatch):
    """Neither format needs all objects at once for its examples."""
    import corpus

    name = module.FORMAT.name
    monkeypatch.setattr(module, "documents", lambda file: pytest.fail("read at once"))
    read = [corpus.read(path) for path in corpus.READABLE if path.suffix == ".json" and corpus.format_of(path) == name]
    assert read
