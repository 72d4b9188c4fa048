"""Writing: what is read back is what was converted, and a file is there whole or not at all."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from oracle.conversion import DAY, HOUR, START, annual_table, profile_table, series
from pyarrow import csv, feather

import gcr_fast as gcr
from gcr_fast.conversion import batches
from gcr_fast.errors import OutputError
from gcr_fast.exchange import writing

NAMES = ("parent_certificate_id", "production_start", "interval_s", "energy_wh", "source_type", "status", "owner")
TARGETS = ("out.parquet", "out.arrow", "out.csv", "out")

PROFILES = {
    "p": series([0] * 6 + list(range(1, 13)) + [0] * 6),
    "q": series(range(48)),
    "s": series([3] * 96, step=900),
}


def convert(rows, **options):
    return gcr.convert(annual_table(*rows), gcr.profiles_from(profile_table(PROFILES), keep_intervals=True), **options)


MIXED = (
    {"profile": "p", "energy_wh": 5000, "owner": "Alice"},
    {"profile": "q", "energy_wh": 777, "owner": None, "end": START + 2 * DAY},
    {"profile": "s", "energy_wh": 10, "owner": 'Bob, "junior"', "purpose": None},
    {"profile": "p", "energy_wh": 3, "owner": "Élodie", "source_type": "wind"},
    {"profile": "q", "energy_wh": 1 << 51, "owner": None, "purpose": "end_use", "beneficiary": "Bob"},
)


def mixed(**options):
    """Certificates of three shapes, with owners and without."""
    return convert(MIXED, **options)


CONVERSIONS = {
    "mixed": mixed,
    "zero hours kept": lambda: mixed(keep_zero_hours=True),
    "with ids": lambda: mixed(certificate_ids=True),
    "zero hours kept, with ids": lambda: mixed(certificate_ids=True, keep_zero_hours=True),
    "whole kWh, some without hours": lambda: mixed(unit_wh=1000),
    "nothing but residuals": lambda: convert([{"energy_wh": 999}, {"energy_wh": 1}], unit_wh=1000),
    "one hour": lambda: convert([{"profile": "q", "start": START + HOUR, "end": START + 2 * HOUR}]),
    "no owners": lambda: convert([{"owner": None}, {"owner": None}]),
    "dense": lambda: convert([{"profile": "s", "energy_wh": 12_345 + n} for n in range(20)]),
    "metered": lambda: convert([{"profile": "q", "energy_wh": 90, "allocation_basis": "metered_hourly"}]),
}


@pytest.fixture(params=[30, batches.BATCH_ROWS], ids=["small batches", "large batches"])
def batch_rows(request, monkeypatch):
    monkeypatch.setattr(batches, "BATCH_ROWS", request.param)


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(batches, "BATCH_ROWS", 30)


def plain(records):
    """Rows as tuples of texts, numbers and milliseconds, whoever read them."""
    return [tuple(simple(record[name]) for name in NAMES) for record in records]


def simple(value):
    if isinstance(value, str) and value[:4].isdigit() and len(value) > 15:
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        assert value.utcoffset().total_seconds() == 0
        return int(value.timestamp() * 1000)
    return None if value is None or value != value else value


def read_duckdb(source):
    columns = ", ".join(f"epoch_ms({name}) AS {name}" if name == "production_start" else name for name in NAMES)
    return duckdb.sql(f"SELECT {columns} FROM {source}").fetchall()


def schema_of(conversion):
    """The schema of a written file."""
    return conversion.schema.with_metadata(conversion.metadata)


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


# --- read back by everyone


@pytest.mark.parametrize("kind", CONVERSIONS)
def test_parquet_is_read_back_by_everyone(tmp_path, batch_rows, kind):
    conversion = CONVERSIONS[kind]()
    table, path = conversion.to_table(), tmp_path / "hours.parquet"
    written = conversion.write(path)
    assert (written.path, written.files, written.rows, written.bytes) == (path, 1, len(table), path.stat().st_size)
    back = pq.read_table(path)
    assert back.schema.equals(schema_of(conversion), check_metadata=True)
    back.validate(full=True)
    assert back.to_pylist() == table.to_pylist()
    rows = plain(table.to_pylist())
    assert plain(pl.read_parquet(path).to_dicts()) == rows
    assert read_duckdb(f"'{path}'") == rows
    assert plain(pd.read_parquet(path).astype(object).to_dict("records")) == rows


@pytest.mark.parametrize("kind", CONVERSIONS)
def test_ipc_is_read_back(tmp_path, batch_rows, kind):
    conversion = CONVERSIONS[kind]()
    table, path = conversion.to_table(), tmp_path / "hours.arrow"
    assert conversion.write(path).rows == len(table)
    with pa.memory_map(str(path)) as file:
        back = pa.ipc.open_file(file).read_all()
        assert back.schema.equals(schema_of(conversion), check_metadata=True)
        assert back.to_pylist() == table.to_pylist()
    assert plain(pl.read_ipc(path).to_dicts()) == plain(table.to_pylist())
    assert plain(feather.read_feather(path).astype(object).to_dict("records")) == plain(table.to_pylist())


@pytest.mark.parametrize("kind", CONVERSIONS)
def test_csv_is_read_back(tmp_path, batch_rows, kind):
    conversion = CONVERSIONS[kind]()
    table, path = conversion.to_table(), tmp_path / "hours.csv"
    assert conversion.write(path).rows == len(table)
    assert path.read_text(encoding="utf-8").splitlines()[0] == ",".join(table.column_names)
    back = csv.read_csv(path, convert_options=csv.ConvertOptions(strings_can_be_null=True))
    assert back.column_names == table.column_names
    rows = plain(table.to_pylist())
    assert plain(back.to_pylist()) == rows
    if rows:  # types are guessed from rows
        assert plain(pl.read_csv(path).to_dicts()) == rows
        assert plain(pd.read_csv(path).astype(object).to_dict("records")) == rows
        assert read_duckdb(f"read_csv('{path}', header = true, types = {{'owner': 'VARCHAR'}})") == rows


@pytest.mark.parametrize("kind", CONVERSIONS)
def test_a_folder_of_parts_is_read_back(tmp_path, batch_rows, monkeypatch, kind):
    monkeypatch.setattr(writing, "BATCHES_PER_PART", 2)
    conversion = CONVERSIONS[kind]()
    table, path = conversion.to_table(), tmp_path / "hours"
    written = conversion.write(path)
    parts = sorted(path.iterdir())
    assert [part.name for part in parts] == [f"part-{number:05d}.parquet" for number in range(written.files)]
    assert written.files == -(-len(list(conversion.batches())) // 2)
    assert written.rows == len(table)
    assert written.bytes == sum(part.stat().st_size for part in parts)
    back = ds.dataset(path, format="parquet").to_table()
    assert back.schema.equals(schema_of(conversion), check_metadata=True)
    assert back.to_pylist() == table.to_pylist()
    if table.num_rows:
        rows = plain(table.to_pylist())
        assert sorted(read_duckdb(f"'{path}/*.parquet'"), key=str) == sorted(rows, key=str)
        assert plain(pl.read_parquet(f"{path}/*.parquet").to_dicts()) == rows


@pytest.mark.parametrize("kind", ["csv", "ipc"])
def test_a_folder_of_other_parts(tmp_path, small_batches, kind):
    conversion = mixed()
    written = conversion.write(tmp_path / "hours", format=kind)
    (part,) = (tmp_path / "hours").iterdir()
    assert part.name == f"part-00000{writing.EXTENSION[kind]}"
    assert written.rows == len(conversion.to_table())


@pytest.mark.parametrize("kind", CONVERSIONS)
def test_row_group_statistics_hold_and_are_reached(tmp_path, batch_rows, kind):
    path = tmp_path / "hours.parquet"
    CONVERSIONS[kind]().write(path)
    file = pq.ParquetFile(path)
    checked = 0
    for number in range(file.num_row_groups):
        group, rows = file.metadata.row_group(number), file.read_row_group(number)
        assert group.num_rows == len(rows) > 0
        for place in range(group.num_columns):
            chunk = group.column(place)
            values = [value for value in rows[chunk.path_in_schema].to_pylist() if value is not None]
            if chunk.statistics is not None and chunk.statistics.has_min_max:
                assert (chunk.statistics.min, chunk.statistics.max) == (min(values), max(values))
                checked += 1
    assert checked == 3 * file.num_row_groups


def test_footer_tells_how_the_hours_were_made(tmp_path):
    conversion = mixed()
    conversion.write(tmp_path / "hours.parquet")
    metadata = pq.read_schema(tmp_path / "hours.parquet").metadata
    assert metadata == {key.encode(): value.encode() for key, value in conversion.metadata.items()}
    assert metadata[b"gcr_fast.method"] == b"cumulative"


def test_columns_are_encoded_as_promised(tmp_path):
    CONVERSIONS["dense"]().write(tmp_path / "hours.parquet")
    group = pq.ParquetFile(tmp_path / "hours.parquet").metadata.row_group(0)
    encodings = {group.column(n).path_in_schema: group.column(n).encodings for n in range(group.num_columns)}
    assert "DELTA_BINARY_PACKED" in encodings["energy_wh"]
    assert "DELTA_BINARY_PACKED" in encodings["production_start"]
    assert {group.column(n).compression for n in range(group.num_columns)} == {"ZSTD"}
    assert not any("RLE_DICTIONARY" in encodings[name] for name in ("energy_wh", "production_start"))


@pytest.mark.parametrize("target", TARGETS)
def test_the_bytes_do_not_depend_on_the_threads(tmp_path, small_batches, monkeypatch, target):
    monkeypatch.setattr(writing, "BATCHES_PER_PART", 3)

    def content(threads):
        place = tmp_path / str(threads)
        place.mkdir()
        rows = [{"profile": "psq"[n % 3], "energy_wh": 900 + n, "owner": "Alice"} for n in range(40)]
        convert(rows, threads=threads).write(place / target)
        return {file.relative_to(place): file.read_bytes() for file in sorted(place.rglob("*")) if file.is_file()}

    assert content(1) == content(4)


def test_progress_counts_each_certificate_once(tmp_path, small_batches):
    for target in TARGETS:
        told = []
        mixed(threads=2).write(tmp_path / target, progress=told.append)
        assert sum(told) == 5
        assert len(told) > 2


# --- where it may be written


@pytest.mark.parametrize("name", ["out.xlsx", "out.json", "out.parquet.gz", "year.2024"])
def test_an_unknown_suffix_is_a_usage_error(tmp_path, name):
    with pytest.raises(gcr.UsageError, match=r"\.parquet, \.arrow or \.csv"):
        mixed().write(tmp_path / name)
    assert files_in(tmp_path) == []


def test_an_unknown_format_is_a_usage_error(tmp_path):
    with pytest.raises(gcr.UsageError, match="orc"):
        mixed().write(tmp_path / "out.parquet", format="orc")
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(("name", "kind"), [("out.dat", "parquet"), ("out.csv", "ipc"), ("out.parquet", "csv")])
def test_a_format_that_is_named_goes_before_the_suffix(tmp_path, name, kind):
    mixed().write(tmp_path / name, format=kind)
    start = {"parquet": b"PAR1", "ipc": b"ARROW1", "csv": b"parent"}[kind]
    assert (tmp_path / name).read_bytes().startswith(start)


@pytest.mark.parametrize("name", ["OUT.PARQUET", "out.pq", "out.Feather", "out.ipc"])
def test_suffixes_in_any_case_and_spelling(tmp_path, name):
    mixed().write(str(tmp_path / name))
    assert (tmp_path / name).read_bytes()[:4] in {b"PAR1", b"ARRO"}


def test_an_existing_file_is_replaced_only_at_the_end(tmp_path, small_batches):
    path, seen = tmp_path / "out.parquet", []
    path.write_bytes(b"the old one")
    mixed().write(path, progress=lambda count: seen.append(path.read_bytes()))
    assert set(seen) == {b"the old one"}
    assert pq.read_table(path).num_rows == len(mixed().to_table())
    assert files_in(tmp_path) == ["out.parquet"]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "out").mkdir()
    assert mixed().write(tmp_path / "out").files == 1


def test_a_folder_with_a_dot_in_its_name_is_a_folder(tmp_path):
    (tmp_path / "out.2024").mkdir()
    mixed().write(tmp_path / "out.2024")
    assert files_in(tmp_path / "out.2024") == ["part-00000.parquet"]


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("precious")
    with pytest.raises(OutputError, match="not empty"):
        mixed().write(tmp_path / "out")
    assert files_in(tmp_path) == ["out"]
    assert (tmp_path / "out" / "mine.txt").read_text() == "precious"


def test_a_file_where_a_folder_should_be_is_left_alone(tmp_path):
    (tmp_path / "out").write_text("precious")
    with pytest.raises(OutputError, match="out"):
        mixed().write(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "precious"
    assert files_in(tmp_path) == ["out"]


@pytest.mark.parametrize("target", TARGETS)
def test_a_folder_that_is_missing_is_said_plainly(tmp_path, target):
    with pytest.raises(OutputError, match="No such file or directory; nothing was left behind"):
        mixed().write(tmp_path / "absent" / target)
    assert files_in(tmp_path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
@pytest.mark.parametrize("target", TARGETS)
def test_a_folder_without_permission_is_said_plainly(tmp_path, target):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        mixed().write(locked / target)
    assert files_in(locked) == []


# --- whole or not at all


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("trouble", [RuntimeError("stop"), KeyboardInterrupt()])
@pytest.mark.parametrize("threads", [1, 3])
def test_an_exception_in_the_middle_leaves_nothing(tmp_path, small_batches, target, trouble, threads):
    calls = []

    def progress(count):
        calls.append(count)
        if len(calls) == 3:
            assert any(name.endswith(".partial") for name in files_in(tmp_path))
            raise trouble

    with pytest.raises(type(trouble)):
        mixed(threads=threads).write(tmp_path / target, progress=progress)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("target", TARGETS)
def test_a_full_disk_at_the_last_moment_leaves_what_was_there(tmp_path, monkeypatch, target):
    if target != "out":
        (tmp_path / target).write_text("the old one")
    before = files_in(tmp_path)

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(writing.os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device; nothing was left behind"):
        mixed().write(tmp_path / target)
    assert files_in(tmp_path) == before
    assert target == "out" or (tmp_path / target).read_text() == "the old one"


CHILD = """
import sys, time
sys.path[:0] = {path!r}
import pyarrow as pa
from oracle.conversion import DAY, START, annual_table, profile_table, series
import gcr_fast as gcr
from gcr_fast.conversion import batches
from gcr_fast.exchange import writing

batches.BATCH_ROWS, writing.BATCHES_PER_PART = 24 * 4, 5
annual = annual_table(*[dict(energy_wh=10**9 + n * n) for n in range(400)])
conversion = gcr.convert(annual, profile_table(dict(p=series(range(1, 25)))), certificate_ids=True)
"""
CHILD_PATH = [str(Path(__file__).parent), str(Path(gcr.__file__).parents[1])]


def child(code, *arguments, **options):
    """A Python process that makes a conversion of 100 batches, then runs `code`."""
    text = CHILD.format(path=CHILD_PATH) + code
    return subprocess.Popen([sys.executable, "-c", text, *map(str, arguments)], text=True, stdout=-1, **options)


LIMITED = """
import json, resource, signal
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
said = {}
for target in sys.argv[2:]:
    try:
        conversion.write(Path(sys.argv[1]) / target)
    except gcr.GcrError as error:
        said[target] = type(error).__name__ + ": " + str(error)
print(json.dumps(said))
"""


def test_a_disk_that_fills_up_leaves_nothing(tmp_path):
    targets = ("out.parquet", "out.arrow", "out.csv")
    with child(LIMITED, tmp_path, *targets) as process:
        said = json.loads(process.stdout.read())
    assert set(said) == set(targets)
    for text in said.values():
        assert text.startswith("OutputError: cannot write")
        assert text.endswith("File too large; nothing was left behind")
    assert files_in(tmp_path) == []


STOPPED = """
done = 0
def progress(count):
    global done
    done += count
    if done >= int(sys.argv[2]):
        print(done, flush=True)
        time.sleep(60)
conversion.write(sys.argv[1], progress=progress)
"""


@pytest.mark.parametrize(
    ("target", "after"),
    [
        ("out.parquet", 4),
        ("out.parquet", 200),
        ("out.parquet", 400),
        ("out", 200),
        ("out.csv", 200),
        ("out.arrow", 200),
    ],
)
def test_a_kill_leaves_nothing_under_the_name_and_the_next_write_sweeps(tmp_path, target, after):
    place = tmp_path / target
    with child(STOPPED, place, after) as process:
        assert int(process.stdout.readline()) >= after
        process.send_signal(signal.SIGKILL)
    assert not place.exists()
    (left,) = files_in(tmp_path)
    assert left.startswith(f".{target}.")
    assert left.endswith(".partial")
    mixed().write(place)
    assert files_in(tmp_path) == [target]
    assert gcr.validate(annual_table(*MIXED), place).ok


RACING = """
print("ready", flush=True)
conversion.write(sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_a_kill_at_any_time_leaves_nothing_or_everything(tmp_path, seed):
    place = tmp_path / "out.parquet"
    with child(RACING, place) as process:
        process.stdout.readline()
        time.sleep(0.004 * (seed + 1) ** 2)
        process.send_signal(signal.SIGKILL)
    if place.exists():
        table = pq.read_table(place)
        assert len(table) == 24 * 400
        assert sum(table["energy_wh"].to_pylist()) == sum(10**9 + n * n for n in range(400))
    mixed().write(place)
    assert files_in(tmp_path) == ["out.parquet"]


@pytest.mark.parametrize("target", TARGETS)
def test_what_nobody_holds_any_more_is_swept(tmp_path, target):
    # in a container every run may have the same process id, so a number in the name would prove nothing
    left = tmp_path / f".{target}.{os.getpid()}.partial"
    left.mkdir() if target == "out" else left.write_text("half a file")
    mixed().write(tmp_path / target)
    assert files_in(tmp_path) == [target]


def test_what_a_living_process_is_writing_is_not_swept(tmp_path):
    place = tmp_path / "out.parquet"
    with child(STOPPED, place, 200) as process:
        process.stdout.readline()
        (others,) = files_in(tmp_path)
        mixed().write(place)
        assert files_in(tmp_path) == [others, "out.parquet"]
        process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("name", ["a[1].parquet", "a*.parquet", ".hidden.parquet", "a b.parquet"])
def test_only_what_was_left_of_the_same_name_is_swept(tmp_path, name):
    for other in (".a1.parquet.99.partial", ".ab.parquet.99.partial", "a.partial", ".partial"):
        (tmp_path / other).write_text("of another")
    (tmp_path / f".{name}.0123abcd.partial").write_text("left")
    mixed().write(tmp_path / name)
    assert files_in(tmp_path) == sorted(
        [".a1.parquet.99.partial", ".ab.parquet.99.partial", ".partial", "a.partial", name]
    )


def test_two_threads_may_write_the_same_destination(tmp_path, small_batches):
    # the last to finish wins; neither may break the other's file
    path, both, troubles = tmp_path / "out.parquet", threading.Barrier(2, timeout=30), []

    def write(conversion):
        waited = []

        def progress(count):
            if not waited:
                waited.append(both.wait())

        try:
            conversion.write(path, progress=progress)
        except BaseException as error:
            both.abort()
            troubles.append(error)

    conversions = [mixed(), convert([{"owner": "Alice"}, {"profile": "s"}])]
    threads = [threading.Thread(target=write, args=(conversion,)) for conversion in conversions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    assert files_in(tmp_path) == ["out.parquet"]
    assert pq.read_table(path).num_rows in {len(conversion.to_table()) for conversion in conversions}
