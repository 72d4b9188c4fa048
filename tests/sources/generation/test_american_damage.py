"""The American formats under damage that befalls any file: refused in words, or read as if nothing had happened."""

import contextlib
import gzip
from pathlib import Path

import pytest

from gcr_fast import RefusedError
from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation.formats import BY_NAME, FORMATS, read_as, read_readings
from gcr_fast.sources.model import How

EXAMPLES = Path(__file__).parent.parent / "examples"
NAMES = {
    "caiso-20240310_fuelsource.csv": "caiso",
    "caiso-20241103_netdemand.csv": "caiso",
    "eia930-api-fuel.json": "eia930-api",
    "eia930-api-region.json": "eia930-api",
    "eia930-bulk.csv": "eia930-bulk",
    "eia930-bulk-split.csv": "eia930-bulk",
    "eia930-derived.csv": "eia930-derived",
    "ercot-dashboard.json": "ercot-dashboard",
    "ercot-fuel-autumn.csv": "ercot-fuel",
    "ercot-fuel.xlsx": "ercot-fuel",
    "ercot-load.csv": "ercot-load",
    "ercot-load.xlsx": "ercot-load",
    "ieso-capability.xml": "ieso-xml",
    "ieso-demand.csv": "ieso-csv",
    "ieso-fuel.xml": "ieso-xml",
    "ieso-month.csv": "ieso-csv",
    "pjm.csv": "pjm",
    "pjm.json": "pjm",
}
TABLES = [name for name in NAMES if name.endswith(".csv")]
TEXTS = [name for name in NAMES if not name.endswith(".xlsx")]


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def content(name):
    return (EXAMPLES / name).read_bytes()


def told(readings):
    """All that the series of a file say."""
    series = [
        (one.name, one.role, one.starts.tolist(), one.values.tolist(), one.null.tolist()) for one in readings.series
    ]
    return series, readings.rows, dict(readings.dropped), readings.left_out


def test_a_file_is_of_one_format(name):
    file = open_file(EXAMPLES / name)
    assert [one.name for one in FORMATS if one.detect(file)] == [NAMES[name]]


def test_no_format_takes_a_file_of_another(name, refusal):
    for one in set(NAMES.values()) - {NAMES[name]}:
        assert refusal(read_as, open_file(EXAMPLES / name), BY_NAME[one], How())


@pytest.mark.parametrize("name", TEXTS)
def test_packed_it_is_the_same(name, write):
    packed = write(gzip.compress(content(name)), f"{name}.gz")
    assert told(read_readings(packed)) == told(read_readings(EXAMPLES / name))


@pytest.mark.parametrize("name", [name for name in TEXTS if not name.endswith(".xml")])
def test_in_utf_16_it_is_the_same(name, write):
    path = write(content(name).decode("utf-8-sig").encode("utf-16"), name)
    assert told(read_readings(path)) == told(read_readings(EXAMPLES / name))


@pytest.mark.parametrize("name", TABLES)
def test_with_another_delimiter_it_is_of_no_format_or_refused(name, write, refusal):
    path = write(content(name).replace(b",", b";"), name)
    assert refusal(read_readings, path)
    assert refusal(read_as, open_file(path), BY_NAME[NAMES[name]], How())


def cuts(name):
    """The file's first bytes, cut at forty places: within a line, and of tables at the end of one, too."""
    data = content(name)
    for at in range(1, 40):
        end = len(data) * at // 40
        yield data[: data.rfind(b"\n", 0, end) + 1 if at % 2 and name in TABLES else end] or b" "


def test_cut_off_it_is_refused_or_shorter(name, write):
    """Whole rows of a table may be read, and the last, of which no one can say whether it is whole."""
    whole = {
        one.name: dict(zip(one.starts.tolist(), one.values.tolist(), strict=True))
        for one in read_readings(EXAMPLES / name).series
    }
    read = 0
    for part in cuts(name):
        with contextlib.suppress(RefusedError):
            readings, read = read_readings(write(part, name)), read + 1
            last = max(int(one.lines.max()) for one in readings.series)
            for one in readings.series:
                rows = zip(one.starts.tolist(), one.values.tolist(), one.lines.tolist(), strict=True)
                assert all(whole[one.name][start] == value for start, value, line in rows if line < last)
    assert (read > 0) == (name in TABLES)


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><html><body>Not found</body></html>", b"", b"\n\n"])
def test_a_page_that_says_it_failed_is_refused(name, page, write, refusal):
    (found,) = refusal(read_readings, write(page, name), None, NAMES[name])
    assert found["code"] in {"unreadable_file", "empty_file"}


@pytest.mark.parametrize("name", TABLES)
def test_a_header_alone_is_refused(name, write, refusal):
    lines = content(name).splitlines(keepends=True)
    header = next(at for at, line in enumerate(lines) if not line.startswith(b"\\")) + 1
    assert refusal(read_readings, write(b"".join(lines[:header]), name))
