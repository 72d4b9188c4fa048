"""Tables whose text is gone once they are read say what they say read at once, whatever is changed in them."""

import corpus
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from test_delimited import is_no_text, outcome
from test_mutations import EXAMPLES, changed

from gcr_fast.findings import RefusedError
from gcr_fast.imports import import_generation
from gcr_fast.sources import delimited, long
from gcr_fast.sources.early import Blocks, read_early
from gcr_fast.sources.files import File, open_file
from gcr_fast.sources.generation import mapped, meters
from gcr_fast.sources.model import How
from gcr_fast.sources.pieces import IrregularError

EARLY = {"mapped-long", "mapped-wide", "gc-registry", "granular-metering", "ieso-month"}
READ_EARLY = [path for path in corpus.READABLE if path.stem in EARLY]


def irregular(*given, **more):
    raise IrregularError


@pytest.mark.parametrize("path", READ_EARLY, ids=lambda path: path.name)
def test_blocks_say_what_the_whole_says(path, tmp_path, monkeypatch):
    @given(changed(path.read_bytes()), st.integers(1, 500))
    @settings(max_examples=8 * EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @example(path.read_bytes(), 1)
    @example(path.read_bytes(), 300)
    def both(content, size):
        place = corpus.written(tmp_path, path, content)
        with monkeypatch.context() as patch:
            patch.setattr(delimited, "BLOCK_BYTES", size)
            found = outcome(place)
            patch.setattr(Blocks, "__init__", irregular)
            wanted = outcome(place)
        assert found == wanted or (is_no_text(found) and is_no_text(wanted))

    both()


@pytest.mark.parametrize("path", READ_EARLY, ids=lambda path: path.name)
def test_an_example_is_read_early_and_once(path, monkeypatch):
    tried, each = [], Blocks.each
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 100)
    monkeypatch.setattr(Blocks, "each", lambda *given: tried.append(each(*given)) or tried[-1])
    for module in (mapped, meters):
        monkeypatch.setattr(module, "read_csv", None)
    monkeypatch.setattr(File, "rows", None)
    outcome(path)
    assert len(tried) == 1


AUTUMN = ["00:00", "01:00", "02:00", "02:00", "03:00", "04:00"]
"""The hours of a day on which the clock of Berlin is set back."""
CELLS = st.sampled_from(["0,0005", "0,25", "1", "12,5", "-3,75", "0,1234567", "", "n/a", "1e3"])
BAD = st.sampled_from(["x", "1.5", "99999999999999999999"])


def mapping(**more):
    time = {"column": "Zeit", "layout": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin", "marks": "begin"}
    return {"time": time, "unit": "kWh", "decimal": ",", "delimiter": ";", "missing": ["n/a"], "kind": "solar", **more}


def both_ways(place, described, size, monkeypatch):
    """Return what an import says of a file that is read in blocks, and of one that is read at once."""

    def said():
        try:
            made = import_generation([place], format="mapped", how=How(mapping=described))
        except RefusedError as refusal:
            return list(refusal.collected)
        notes = [(one.notes, one.left_out, one.dropped) for one in made.readings]
        return made.to_table(), dict(made.series), made.files, list(made.findings), notes

    with monkeypatch.context() as patch:
        patch.setattr(delimited, "BLOCK_BYTES", size)
        found = said()
        patch.setattr(Blocks, "__init__", irregular)
        return found, said()


@given(st.data(), st.integers(1, 400), st.booleans())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_local_hours_of_small_systems_over_the_borders_of_blocks(tmp_path, monkeypatch, data, size, spoiled):
    rows = [
        f"{day}.10.2023 {hour};{device};{data.draw(CELLS)}"
        for day in (28, 29)
        for hour in AUTUMN
        for device in ("A ", "B")
    ]
    if spoiled:
        at = data.draw(st.integers(0, len(rows) - 1))
        rows[at] = rows[at].rpartition(";")[0] + ";" + data.draw(BAD)
    place = tmp_path / "long.csv"
    place.write_text("\n".join(["Zeit;Anlage;Wert", *rows]) + "\n")
    found, wanted = both_ways(place, mapping(value="Wert", series={"device": "Anlage"}), size, monkeypatch)
    assert found == wanted
    if spoiled:
        assert [one.line for one in found if one.column == "Wert"] == [at + 2]


@given(st.lists(st.tuples(CELLS, CELLS), min_size=6, max_size=6), st.integers(1, 400))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_columns_of_small_systems_over_the_borders_of_blocks(tmp_path, monkeypatch, cells, size):
    rows = [f"29.10.2023 {hour};{one};{other};-" for hour, (one, other) in zip(AUTUMN, cells, strict=True)]
    place = tmp_path / "wide.csv"
    place.write_text("\n".join(["Zeit;A;B;C", *rows]) + "\n")
    found, wanted = both_ways(place, mapping(pattern="(?P<device>[AB])"), size, monkeypatch)
    assert found == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2024-01-01T00:00Z;1\n2024-01-01T01:00;1\n", "naive_time"),
        ("2024-01-01T00:00;1\n2024-01-01T01:00;1\n", "naive_time"),
        ("2024-01-01T00:00Z;1\n\n2024-01-01T01:00:00.5Z;1\n", "unreadable_value"),
        ("2024-01-01T00:00Z;1;2\n2024-01-01T01:00Z;1\n", "malformed_row"),
        ("", "empty_file"),
    ],
)
def test_what_is_amiss_is_told_as_of_a_whole_file(tmp_path, monkeypatch, text, said):
    place = tmp_path / "file.csv"
    place.write_text("Zeit;Wert\n" + text)
    described = mapping(value="Wert", time={"column": "Zeit", "marks": "begin"})
    found, wanted = both_ways(place, described, 20, monkeypatch)
    assert found == wanted
    assert {one.code for one in found} == {said}


def test_blank_lines_are_for_whoever_reads_at_once(tmp_path):
    place = tmp_path / "file.csv"
    place.write_text("a,b\n1,2\n\n3,4\n")
    with pytest.raises(IrregularError):
        read_early(open_file(place), lambda block: [np.zeros(len(block))], [np.int64], [])


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n\r\n\n"])
def test_blank_lines_at_the_end_are_no_rows(tmp_path, end):
    place = tmp_path / "file.csv"
    place.write_bytes(b"a,b\n1,2\n3,4\n5,6" + end.encode())
    found = read_early(open_file(place), lambda block: [np.arange(len(block)) + 7], [np.int64], ["a"])
    assert found.table.columns["a"].to_pylist() == ["1", "3", "5"]
    assert found.columns[0].tolist() == [7, 8, 9]


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b ", " b", None]), st.sampled_from(["", "x", "y", None])), max_size=40)
)
@pytest.mark.parametrize(("many", "portion"), [(long.MANY, long.PORTION), (0, long.PORTION), (long.MANY, 3)])
def test_keys_tell_what_the_cells_are(many, portion, rows):
    columns = [pa.array([row[at] for row in rows], pa.string()) for at in (0, 1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long, "MANY", many)
        patch.setattr(long, "PORTION", portion)
        key, words = long.series_keys(columns)
    assert [words[one] for one in key.tolist()] == [tuple((cell or "").strip() for cell in row) for row in rows]
    assert len({(one, row) for one, row in zip(key.tolist(), rows, strict=True)}) == len(set(rows))
    assert set(key.tolist()) == set(range(len(words)))
