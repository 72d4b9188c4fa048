"""Files piece by piece: together they are what `File` reads at once, or they are left to it."""

import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcr_fast.findings import RefusedError
from gcr_fast.sources import pieces as module
from gcr_fast.sources.files import open_file
from gcr_fast.sources.pieces import IrregularError, pieces, texts

WORDS = st.text("aé€\U0001f600,\n時", max_size=40)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "cp932"])


@given(WORDS, ENCODINGS, st.booleans(), st.integers(1, 9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pieces_together_are_the_file(tmp_path_factory, text, encoding, packed, size):
    content = ("x" + text).encode(encoding, "ignore")
    path = tmp_path_factory.mktemp("pieces") / "file"
    path.write_bytes(gzip.compress(content) if packed else content)
    file = open_file(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PIECE_BYTES", size)
        assert b"".join(pieces(file)) == content
        try:
            whole = file.text()
        except RefusedError:
            with pytest.raises(IrregularError):
                list(texts(file))
        else:
            assert "".join(texts(file)) == whole


@pytest.mark.parametrize("left", [1, 7, 8, 9, 200])
def test_packed_pieces_of_which_the_end_is_missing_are_left(write, left):
    packed = gzip.compress(bytes(range(256)) * 2000)
    with pytest.raises(IrregularError):
        list(pieces(open_file(write(packed[:-left]))))


def test_a_file_that_unpacks_to_too_much_is_left(write, monkeypatch):
    file = open_file(write(gzip.compress(b"a,b\n" * 1000)))
    assert list(pieces(file))
    monkeypatch.setattr(module, "MAX_UNPACKED", 4000)
    with pytest.raises(IrregularError):
        list(pieces(file))


def test_bytes_that_are_no_text_are_left(write):
    with pytest.raises(IrregularError):
        list(texts(open_file(write(b"Datum;Wert\r\n1;\xff\xfe\xfd\r\n"))))
