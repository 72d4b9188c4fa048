"""Large tables by kernels: they make of a file what the slower reader makes of it, or leave it to that one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle.opsd import opsd

from gcr_fast.findings import RefusedError
from gcr_fast.imports import import_generation
from gcr_fast.sources import bulk, line_blocks
from gcr_fast.sources.cells import GERMAN
from gcr_fast.sources.files import open_file
from gcr_fast.sources.generation import entsoe_old
from gcr_fast.sources.generation import opsd as opsd_format

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # wrapping is meant

ZONE, HOUR = ZoneInfo("Europe/Brussels"), timedelta(hours=1)
NAMES = ("DE_solar_generation_actual", "FR_wind_onshore_generation_actual", "DE_load_actual_entsoe_transparency")


def quoted(cells):
    return '"' + '","'.join(cells) + '"\n'


def entsoe(first, hours):
    """Return an old export over a clock change: three types, of which one the area has not, and pumping."""
    kinds = [f"{kind}  - Actual Aggregated [MW]" for kind in ("Marine", "Nuclear", "Solar")]
    lines = [quoted(["Area", "MTU", *kinds, "Hydro Pumped Storage  - Actual Consumption [MW]"])]
    last = None
    for at in range(hours):
        local = (first + at * HOUR).astimezone(ZONE).replace(tzinfo=None)
        label = f"{local:%d.%m.%Y %H:%M} - {local + HOUR:%d.%m.%Y %H:%M} (CET/CEST)"
        if last is not None and local - last > HOUR:
            skipped = f"{last + HOUR:%d.%m.%Y %H:%M} - {local:%d.%m.%Y %H:%M} (CET/CEST)"
            lines.append(quoted(["BZN|BE", skipped, "", "", "", ""]))
        lines.append(quoted(["BZN|BE", label, "n/e", str(5_000 + at), f"{at / 4}", "N/A" if at == 7 else str(at % 3)]))
        last = local
    return "".join(lines)


COLUMNS = {name: [f"{at * 7 + k}.{at % 10}" for at in range(60)] for k, name in enumerate(NAMES)}
TEXTS = {
    "utc": opsd("2019-03-30T00:00", COLUMNS),
    "spring": entsoe(datetime(2019, 3, 30, 12, tzinfo=UTC), 48),
    "autumn": entsoe(datetime(2019, 10, 26, 12, tzinfo=UTC), 48),
}  # fmt: skip
FORMATS = {"utc": opsd_format, "spring": entsoe_old, "autumn": entsoe_old}


def outcome(path):
    """Return all that an import says of a file: its table, accounts and findings, or why it is refused."""
    try:
        made = import_generation([path])
    except RefusedError as refusal:
        return list(refusal.collected)
    return made.to_table(), dict(made.series), made.files, list(made.findings)


def both(path, monkeypatch, block=200):
    """Assert that both ways say the same; return what the kernels read, None if the file was left to the slower one."""
    wanted = outcome(path)
    tried = []

    def spy(*given_, **more):
        tried.append(bulk.read_bulk(*given_, **more))
        return tried[-1]

    with monkeypatch.context() as patch:
        patch.setattr(bulk, "SMALLEST_BYTES", 0)
        patch.setattr(line_blocks, "BLOCK_BYTES", block)
        for module in (opsd_format, entsoe_old):
            patch.setattr(module, "read_bulk", spy)
        found = outcome(path)
    assert found == wanted
    return tried[-1] if tried else None


@pytest.fixture
def write(tmp_path):
    def save(data, name="file.csv"):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return save


@pytest.mark.parametrize("block", [1, 90, 1_000, 1 << 20])
@pytest.mark.parametrize("shape", TEXTS)
def test_kernels_read_what_the_slower_reader_reads(shape, block, write, monkeypatch):
    read = both(write(TEXTS[shape]), monkeypatch, block)
    assert read is not None, "nothing of this was read by kernels"
    assert read.numbers


@pytest.mark.parametrize("shape", TEXTS)
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.removesuffix("\n"),
        lambda text: text + "\n\n",
        lambda text: text.replace("\n", "\r\n") + "\r\n",
        lambda text: text + "\r\r\n",
        lambda text: "\ufeff" + text,
    ],
    ids=[
        "carriage returns",
        "no last line feed",
        "blank last lines",
        "blank last line with both",
        "two carriage returns at the end",
        "byte order mark",
    ],
)
def test_ends_of_lines_and_of_the_file(shape, change, write, monkeypatch):
    assert both(write(change(TEXTS[shape])), monkeypatch, 1 << 20) is not None


@pytest.mark.parametrize(
    "cell", ["", "-3.5", "0", "-0.0000001", "123456.7890123", "12345678", ".5", "5.", "00000000001", "35184372"]
)
def test_plain_cells_are_read_by_kernels(cell, write, monkeypatch):
    row = TEXTS["utc"].splitlines()[30]
    cells = row.split(",")
    path = write(TEXTS["utc"].replace(row, ",".join([*cells[:2], cell, *cells[3:]])))
    assert both(path, monkeypatch) is not None


@pytest.mark.parametrize(
    "cell",
    [
        "x",
        "1e3",
        "+5",
        " 5",
        "5 ",
        "1.2.3",
        "--1",
        "nan",
        "inf",
        "99999999999999",
        "1" * 25,
        '"5"',
        "5;6",
        "é",
        "\0",
        "-",
    ],
)
def test_odd_cells_are_left_to_the_slower_reader(cell, write, monkeypatch):
    row = TEXTS["utc"].splitlines()[30]
    cells = row.split(",")
    path = write(TEXTS["utc"].replace(row, ",".join([*cells[:2], cell, *cells[3:]])))
    assert both(path, monkeypatch) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: [*rows[:9], "", *rows[9:]],
        lambda rows: [*rows[:9], rows[9] + ",1", *rows[10:]],
        lambda rows: [*rows[:9], rows[9].rpartition(",")[0], *rows[10:]],
        lambda rows: [*rows[:9], "," + rows[9].partition(",")[2], *rows[10:]],
        lambda rows: [*rows[:9], '"' + rows[9].replace(",", '",', 1), *rows[10:]],
        lambda rows: [rows[0] + ",DE_solar_generation_actual", *(row + ",1" for row in rows[1:])],
        lambda rows: rows[:1],
    ],
    ids=["blank line", "too long", "too short", "no time", "a quoted time", "a column twice", "a header alone"],
)
def test_odd_lines_are_left_to_the_slower_reader(change, write, monkeypatch):
    text = "\n".join(change(TEXTS["utc"].splitlines())) + "\n"
    assert both(write(text), monkeypatch) is None


@pytest.mark.parametrize("time", ["2019-04-31T05:00:00Z", "2019-13-01T05:00:00Z", "31.03.2019", "é"])
def test_bad_times_are_found_alike(time, write, monkeypatch):
    row = TEXTS["utc"].splitlines()[30]
    both(write(TEXTS["utc"].replace(row.partition(",")[0], time)), monkeypatch)


def test_bytes_that_are_no_text_are_left_to_the_slower_reader(write, monkeypatch):
    data = TEXTS["utc"].encode().replace(b"2019-03-31T05", b"2019-03-3\xffT05")
    assert both(write(data), monkeypatch) is None


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(sorted(TEXTS)),
    st.lists(st.tuples(st.floats(0, 0.999), st.sampled_from('0-.,"\n\r x/;nN\0')), min_size=1, max_size=3),
    st.sampled_from((1, 150, 1 << 20)),
)
def test_whatever_is_changed_both_say_the_same(write, monkeypatch, shape, changes, block):
    letters = list(TEXTS[shape])
    for where, letter in changes:
        letters[int(where * len(letters))] = letter
    both(write("".join(letters)), monkeypatch, block)


@pytest.mark.parametrize("name", ["cet_cest_timestamp", "note\0"])
def test_zero_bytes_are_found_in_columns_that_nobody_reads(name, write, monkeypatch):
    header, *rows = TEXTS["utc"].splitlines()
    rows = [f"{row},x{at}" for at, row in enumerate(rows)]
    path = write("\n".join([f"{header},{name}", *rows]) + "\n")
    assert (both(path, monkeypatch) is None) == ("\0" in name)
    path = write("\n".join([f"{header},{name}", *rows, rows[-1] + "\0"]) + "\n")
    assert both(path, monkeypatch) is None


def test_small_files_are_not_mapped(write):
    path = write(TEXTS["utc"])
    names = open_file(path).header()
    assert bulk.read_bulk(open_file(path), names, names[:1], names[1:], 6) is None


def test_a_word_that_may_be_a_number_is_left_to_the_slower_reader(write, monkeypatch):
    monkeypatch.setattr(bulk, "SMALLEST_BYTES", 0)
    path = write(TEXTS["utc"])
    names = open_file(path).header()
    assert bulk.read_bulk(open_file(path), names, names[:1], names[1:], 6, missing=("-9999",)) is None
    assert bulk.read_bulk(open_file(path), names, names[:1], names[1:], 6, missing=("-",)) is not None


def test_thousands_and_a_decimal_comma(write, monkeypatch):
    monkeypatch.setattr(bulk, "SMALLEST_BYTES", 0)
    file = open_file(write("time;a;b\nx;1.234,5;-\ny;-12.345.678,125;7\n"))
    read = bulk.read_bulk(
        file, ["time", "a", "b"], ["time"], ["a", "b"], 3, missing=("-",), delimiter=";", locale=GERMAN
    )
    assert read is not None
    assert read.table.columns["time"].to_pylist() == ["x", "y"]
    assert read.numbers["a"].values.tolist() == [1_234_500, -12_345_678_125]
    assert read.numbers["b"].null.tolist() == [True, False]
    assert np.array_equal(read.numbers["b"].values, [0, 7_000])


@pytest.mark.parametrize("shape", TEXTS)
def test_more_lines_than_were_expected_are_read_all(shape, write, monkeypatch):
    monkeypatch.setattr(line_blocks, "TOO_MANY", 0.3)
    monkeypatch.setattr(line_blocks, "SAMPLES", 2)
    read = both(write(TEXTS[shape]), monkeypatch, 90)
    assert read is not None
    assert len(read.table) == TEXTS[shape].count("\n") - 1


def test_a_line_that_is_too_long_is_left_to_the_slower_reader(write, monkeypatch):
    monkeypatch.setattr(line_blocks, "LONGEST_BYTES", 20)
    assert both(write(TEXTS["utc"]), monkeypatch, 30) is None
