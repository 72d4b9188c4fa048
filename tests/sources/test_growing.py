"""XML element by element: what is told is what `File.xml` has, or it is left to that."""

from xml.etree.ElementTree import Element, tostring

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcr_fast.sources import growing, pieces
from gcr_fast.sources.files import open_file
from gcr_fast.sources.growing import elements_of, grown, name_of
from gcr_fast.sources.pieces import IrregularError

NAMES = st.sampled_from(["a", "b", "c", "{urn:x}a", "{urn:x}b"])


def _tree(name, text, children):
    element = Element(name, {"k": text})
    element.text = text
    element.extend(children)
    return element


TEXTS = st.text("é<&\n ", max_size=3)
TREES = st.recursive(
    st.builds(_tree, NAMES, TEXTS, st.just([])),
    lambda inner: st.builds(_tree, NAMES, TEXTS, st.lists(inner, max_size=4)),
    max_leaves=25,
)


def shown(elements):
    """Elements as they are written, without what follows them."""
    found = []
    for element in elements:
        element.tail = None
        found.append(tostring(element))
    return found


@given(TREES, st.sets(st.sampled_from("abc"), min_size=1), st.integers(1, 40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_told_elements_are_those_of_the_document(tmp_path_factory, tree, names, size):
    path = tmp_path_factory.mktemp("xml") / "file.xml"
    path.write_bytes(tostring(tree, encoding="utf-8", xml_declaration=True))
    file = open_file(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "PIECE_BYTES", size)
        found = shown(elements_of(file, *names))
    root = file.xml()
    assert found == shown([one for one in root.iter() if one is not root and name_of(one) in names])


def test_what_is_told_does_not_stay(write, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 50)
    path = write("<r><day>1</day>" + "<list>" + "<one><v>1</v></one>" * 500 + "</list></r>")
    most = max(sum(1 for _ in root.iter()) for root, _ in _thinned(open_file(path), "one"))
    assert most < 40


def _thinned(file, *names):
    for root, whole in grown(file):
        yield root, whole
        list(growing._taken(root, whole, len(root) == whole, names))


@pytest.mark.parametrize(
    "text",
    [
        "<a><b></a>", "<a>", "<a/><b/>", "<a>\xff</a>", "<a>&b;</a>", "x<a/>", "<a>" + "<!DOCTYPE a>" + "</a>",
        '<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>', '<?xml version="1.0" encoding="klingon"?><a/>',
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_what_is_out_of_the_ordinary_is_left(write, monkeypatch, text, size):
    monkeypatch.setattr(pieces, "PIECE_BYTES", size)
    with pytest.raises(IrregularError):
        list(grown(open_file(write(text.encode("latin-1")))))


@pytest.mark.parametrize("encoding", ["utf-16", "cp037", "utf-7"])
def test_encodings_that_hide_a_document_type_are_left(write, encoding):
    """Their bytes are not those of ASCII, so that looking for a declaration would not find it."""
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    body = "<a><b/></a>"
    content = (head + body).encode(encoding) if encoding == "utf-16" else head.encode() + body.encode(encoding)
    with pytest.raises(IrregularError):
        list(elements_of(open_file(write(content)), "b"))


@pytest.mark.parametrize("encoding", ["utf-8", "ISO-8859-1", "windows-1252", "us-ascii"])
def test_usual_encodings_are_told(write, encoding):
    text = "kein Öl" if encoding != "us-ascii" else "no oil"
    path = write(f"<?xml version='1.0' encoding='{encoding}'?>\n<a><b>{text}</b></a>".encode(encoding))
    assert [one.text for one in elements_of(open_file(path), "b")] == [text]
