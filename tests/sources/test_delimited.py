"""Files block by block: they say what they say in one piece, whatever is changed in them."""

import corpus
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from test_mutations import EXAMPLES, changed

from gcr_fast.findings import RefusedError
from gcr_fast.imports import import_generation
from gcr_fast.sources import delimited
from gcr_fast.sources.files import open_file, read_csv
from gcr_fast.sources.generation import eco2mix, eia_bulk, elexon_wide, japan, neso, nz_emi, smard

TABLES = [path for path in corpus.READABLE if open_file(path).kind == "csv"]
FIGURED = {
    "eco2mix": eco2mix,
    "eia930-bulk": eia_bulk,
    "elexon-wide": elexon_wide,
    "japan-area": japan,
    "neso": neso,
    "nz-emi": nz_emi,
    "smard": smard,
}
"""Formats whose numbers are read block by block."""
OF_FIGURES = [path for path in TABLES if corpus.format_of(path) in FIGURED and "site" not in path.stem]


def outcome(path):
    """Return all that an import says of a file: its table, accounts and findings, or why it is refused."""
    try:
        made = import_generation([path], how=corpus.how_of(path))
    except RefusedError as refusal:
        return list(refusal.collected)
    return made.to_table(), dict(made.series), made.files, list(made.findings)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_blocks_make_no_difference(path, tmp_path, monkeypatch):
    @given(changed(path.read_bytes()), st.integers(1, 2000))
    @settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @example(path.read_bytes(), 1)
    @example(path.read_bytes(), 300)
    def cut(content, size):
        assume(all(line.count(b'"') % 2 == 0 for line in content.split(b"\n")))  # a quoted cell is of one line
        place = corpus.written(tmp_path, path, content)
        wanted = outcome(place)
        with monkeypatch.context() as patch:
            patch.setattr(delimited, "BLOCK_BYTES", size)
            found = outcome(place)
        assert found == wanted or (is_no_text(found) and is_no_text(wanted))

    cut()


def is_no_text(found):
    """Whether a file was refused as a whole: bytes that are no text, or rows of another length, whichever is first."""
    return isinstance(found, list) and any(one.code in {"unreadable_file", "malformed_row"} for one in found)


@pytest.mark.parametrize("path", OF_FIGURES, ids=lambda path: path.name)
def test_numbers_by_blocks_are_those_of_the_slower_reader(path, tmp_path, monkeypatch):
    module = FIGURED[corpus.format_of(path)]

    @given(changed(path.read_bytes()))
    @settings(max_examples=8 * EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @example(path.read_bytes())
    def both(content):
        place = corpus.written(tmp_path, path, content)
        found = outcome(place)
        with monkeypatch.context() as patch:
            patch.setattr(module, "read_figures", lambda *given, **more: None)
            assert outcome(place) == found

    both()


@pytest.mark.parametrize("path", OF_FIGURES, ids=lambda path: path.name)
def test_an_example_is_read_by_blocks(path, monkeypatch):
    module, tried = FIGURED[corpus.format_of(path)], []
    real = module.read_figures
    monkeypatch.setattr(module, "read_figures", lambda *given, **more: tried.append(real(*given, **more)) or tried[-1])
    outcome(path)
    assert len(tried) == 1
    assert tried[0] is not None


def test_words_are_dictionaries_of_each_block_and_what_does_not_repeat_is_text(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 40)
    path = tmp_path / "file.csv"
    path.write_text("a,b\n" + "".join(f"word,{at}\n" for at in range(100)))
    table = read_csv(open_file(path)).columns
    assert table["a"].num_chunks > 1
    assert str(table["a"].type).startswith("dictionary")
    assert str(table["b"].type) == "string"
    assert table["a"].to_pylist() == ["word"] * 100
    assert table["b"].to_pylist() == [str(at) for at in range(100)]


def test_columns_that_are_not_kept_are_looked_at(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(b"a,b\n1,\xff\n")
    with pytest.raises(RefusedError):
        read_csv(open_file(path), keep=["a"])
    path.write_bytes(b"a,b\n1,2\n")
    assert read_csv(open_file(path), keep=["a"]).names == ["a"]


def test_a_blank_line_for_a_header_is_the_same_in_one_block_and_in_several(tmp_path, monkeypatch):
    path = tmp_path / "file.csv"
    path.write_text("\na,b\n" + "".join(f"{at},word\n" for at in range(20)))
    whole = read_csv(open_file(path))
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 40)
    several = read_csv(open_file(path))
    assert several.names == whole.names
    assert several.columns.to_pylist() == whole.columns.to_pylist()
