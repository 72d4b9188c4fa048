"""The table of formats: each has an example, each example is of one, and nothing else is taken for any."""

import gzip
import random
from pathlib import Path

import corpus
import gcr_fast_data
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gcr_fast import RefusedError, UsageError
from gcr_fast.codes import QUALITIES, ROLES, SOURCE_TYPES
from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation.formats import BY_NAME, FORMATS, MAPPED, format_named, identify, read_readings
from gcr_fast.sources.words import normalised

SHIPPED = sorted(
    path
    for path in Path(gcr_fast_data.__file__).parent.rglob("*")
    if path.suffix in {".csv", ".parquet", ".json"} and path.is_file()
)
ANNUAL = {
    "ours": "certificate_id,energy_mwh,year,source_type,status\nA-1,100,2024,solar,CANCELED\n",
    "profile": "start,energy_mwh\n2024-01-01T00:00Z,1.5\n2024-01-01T01:00Z,2\n",
    "wide profile": "time,solar_mwh,wind_mwh\n2024-01-01 00:00,1.5,3\n2024-01-01 01:00,2,4\n",
    "hourly certificates": "certificate_id,parent_certificate_id,start,energy_wh\nA-1-0,A-1,2024-01-01T00:00Z,5\n",
    "trades": "seller,buyer,price,currency\nA,B,100,EUR\n",
}


def test_names_are_unique_and_plain():
    names = [one.name for one in FORMATS]
    assert len(names) == len(set(names)) == len(BY_NAME)
    for name in names:
        assert name == name.lower()
        assert name.replace("-", "").isalnum()


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_every_format_says_what_it_is(one):
    assert one.title
    assert one.looks_like
    assert one.quirks
    assert all(quirk and not quirk.endswith(".") for quirk in one.quirks)


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_every_format_has_an_example(one):
    assert [path.name for path in corpus.EXAMPLES if corpus.format_of(path) == one.name]


@pytest.mark.parametrize("path", corpus.EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_of_its_own_format_alone(path):
    wanted = corpus.format_of(path)
    assert wanted is not None
    found = [one.name for one in FORMATS if one.detect(open_file(path))]
    assert found == ([] if wanted == MAPPED else [wanted])
    assert identify(open_file(path), corpus.how_of(path)) is BY_NAME[wanted]


@pytest.mark.parametrize("path", corpus.READABLE, ids=lambda path: path.name)
def test_every_example_is_the_same_packed_and_under_another_name(path, tmp_path):
    with gzip.open(tmp_path / path.name, "wb") as packed:
        packed.write(path.read_bytes())
    wanted = corpus.facts(corpus.read(path))
    if path.suffix in {".parquet", ".xlsx"}:
        with pytest.raises(RefusedError):
            corpus.read(tmp_path / path.name, corpus.how_of(path))
        return
    assert corpus.facts(corpus.read(tmp_path / path.name, corpus.how_of(path))) == wanted


@pytest.mark.parametrize("path", corpus.READABLE, ids=lambda path: path.name)
def test_every_reading_keeps_to_the_vocabularies(path):
    readings = corpus.read(path)
    assert readings.format == corpus.format_of(path)
    assert readings.rows > 0
    for one in readings.series:
        assert one.role in ROLES
        assert one.source_type in {None, *SOURCE_TYPES}
        assert (one.source_type is None) or one.role in {"generation", "storage"}
        assert one.kind == normalised(one.kind)
        assert 0 < one.interval_s <= 3600
        assert len(one) == len(one.values) == len(one.null) == len(one.lines)
        assert not one.values[one.null].any()
        assert not (one.starts % 60).any()
        assert one.quality is None or one.quality.max() < len(QUALITIES)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_no_shipped_file_is_taken_for_one(path):
    assert identify(open_file(path)) is None


@pytest.mark.parametrize("text", ANNUAL.values(), ids=ANNUAL)
def test_no_annual_file_and_no_profile_is_taken_for_one(text, write):
    assert identify(open_file(write(text))) is None


def test_there_is_data_to_mistake():
    assert len(SHIPPED) >= 5


@given(st.binary(max_size=400))
@settings(max_examples=200)
def test_detection_never_raises_on_any_bytes(tmp_path_factory, content):
    detected(tmp_path_factory.mktemp("bytes") / "any", content)


@given(st.data())
@settings(max_examples=200)
def test_detection_never_raises_on_the_head_of_an_example_with_other_bytes_in_it(tmp_path_factory, data):
    path = data.draw(st.sampled_from(corpus.EXAMPLES))
    head = path.read_bytes()[: data.draw(st.integers(1, 3000))]
    noise = random.Random(data.draw(st.integers(0, 1 << 32)))
    spoiled = bytearray(head)
    for _ in range(data.draw(st.integers(1, 20))):
        spoiled[noise.randrange(len(spoiled))] = noise.randrange(256)
    detected(tmp_path_factory.mktemp("head") / path.name, bytes(spoiled))


def detected(path, content):
    """Ask every format; the only way out is a refusal of the file as a whole."""
    path.write_bytes(content)
    try:
        file = open_file(path)
    except RefusedError:
        return
    for one in FORMATS:
        assert one.detect(file) in {True, False}


def test_a_file_without_a_last_line_end_may_have_been_cut_off_and_says_so(tmp_path):
    path = corpus.HERE / "examples" / "pjm.csv"
    assert "last line" not in corpus.read(path).notes
    cut = corpus.written(tmp_path, path, path.read_bytes().rstrip())
    assert "cut off" in corpus.read(cut).notes["last line"]


def test_an_unknown_format_is_a_slip_of_the_caller():
    with pytest.raises(UsageError, match="entsoe-old"):
        format_named("entsoe")


def test_a_file_of_no_format_says_how_to_go_on(write, refusal):
    (finding,) = refusal(read_readings, write("a,b\n1,2\n"))
    assert "gcr import formats" in finding["message"]


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_a_file_named_to_be_of_another_format_is_refused_or_fits_it(one):
    """Whoever names a wrong format gets a refusal that names the file, or what the format sees in it: never a crash."""
    refused = 0
    for path in corpus.READABLE:
        if corpus.format_of(path) != one.name:
            try:
                readings = read_readings(path, None, one.name, alone=False)
            except RefusedError as error:
                refused += 1
                findings = error.findings.to_pylist()
            else:
                findings = [{"file": str(path)}] if readings.series else []
            assert {finding["file"] for finding in findings} == {str(path)}
    assert refused > len(corpus.READABLE) // 2


def test_examples_are_small():
    sizes = {path.name: path.stat().st_size for path in corpus.FILES}
    assert max(sizes.values()) < 40_000, sizes


def test_the_examples_have_no_two_alike():
    texts = [path.read_bytes() for path in corpus.FILES]
    assert len(set(texts)) == len(texts)
