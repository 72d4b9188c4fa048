"""Segment files are whole or absent, named by their bytes, mapped, never changed."""

import hashlib
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracle.damage import write_over

from gcr_fast.errors import CorruptError, OutputError, UsageError
from gcr_fast.registry import segments
from gcr_fast.registry.pieces import piece_digests

ENERGY = np.arange(24, dtype=np.int32).reshape(4, 6) * 1000
TABLE = pa.table(
    {
        "id": ["a", "Ö", None],
        "energy_wh": pa.array([1, 1 << 50, -1]),
        "source": pa.array(["wind", "solar", "wind"]).dictionary_encode(),
        "start": pa.array([0, 1, 2], pa.timestamp("ms", "UTC")),
    }
)


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


def written_by_arrow(folder, table, **options):
    """A file that Arrow wrote, under the name of its bytes, as whoever meddles with a folder might leave it."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, **options) as writer:
        writer.write_table(table)
    return put(folder, sink.getvalue().to_pybytes())


def put(folder, content):
    name = hashlib.sha256(content).hexdigest() + ".arrow"
    (folder / name).write_bytes(content)
    return name


def energy_table(values, column="energy_wh", **about):
    metadata = {"gcr_fast.segment": "2", "hours": "6", "parents": "4"} | about
    return pa.table({column: values}).replace_schema_metadata(metadata)


# --- what is written is read back


@given(
    hnp.arrays(
        st.sampled_from([np.int32, np.int64]),
        st.tuples(st.integers(0, 9), st.integers(0, 30)),
        elements=st.integers(0, 2**31 - 1),
    )
)
def test_energy_is_read_back(tmp_path_factory, energy):
    folder = tmp_path_factory.mktemp("segments")
    written = segments.write_energy(folder, energy)
    back = segments.open_energy(folder, written.name, *energy.shape)
    assert segments.check(folder, written.name) is None
    assert back.dtype == energy.dtype
    assert back.tolist() == energy.tolist()


def named(content, energy):
    """The name of a segment, from its bytes: a tag, how long the head is, head, hashes of the pieces, tail."""
    at = content.index(energy.tobytes())
    pieces = [row[low : low + 1024].tobytes() for row in energy for low in range(0, energy.shape[1], 1024)]
    digests = b"".join(hashlib.sha256(piece).digest() for piece in pieces)
    hashed = b"gcr-segment-2\n" + at.to_bytes(8, "little") + content[:at] + digests
    return hashlib.sha256(hashed + content[at + energy.nbytes :]).hexdigest() + ".arrow"


@pytest.mark.parametrize("kind", [np.int32, np.int64])
@pytest.mark.parametrize("shape", [(4, 6), (1, 1), (3, 1024), (2, 1025), (3, 2501), (300, 1500)])
def test_the_name_is_the_hash_of_the_content(tmp_path, kind, shape):
    energy = np.random.default_rng(shape).integers(1, 1 << 31, shape).astype(kind)
    written = segments.write_energy(tmp_path, energy)
    content = (tmp_path / written.name).read_bytes()
    assert files_in(tmp_path) == [written.name]
    assert written.name == written.hash.hex() + ".arrow" == named(content, energy)
    assert written.bytes == len(content)
    assert len(content) < energy.nbytes + 1500
    assert segments.check(tmp_path, written.name) is None


def test_a_table_has_the_hash_of_its_bytes(tmp_path):
    written = segments.write_table(tmp_path, TABLE)
    content = (tmp_path / written.name).read_bytes()
    assert written.name == hashlib.sha256(content).hexdigest() + ".arrow"
    assert (written.hash.hex(), written.bytes) == (written.name[:64], len(content))


# --- part by part


@given(st.lists(st.integers(0, 40), max_size=6), st.sampled_from([np.int32, np.int64]))
def test_it_does_not_matter_in_what_parts_a_segment_is_written(tmp_path_factory, counts, kind):
    folder = tmp_path_factory.mktemp("segments")
    energy = np.arange(sum(counts) * 1030, dtype=kind).reshape(-1, 1030)
    with segments.EnergyFile(folder, *energy.shape, kind) as file:
        for part in np.split(energy, np.cumsum(counts)[:-1]) if counts else []:
            file.add(part)
        written = file.finish()
    assert file.pieces.tobytes() == piece_digests(energy).tobytes()
    assert written == segments.write_energy(folder, energy)
    assert files_in(folder) == [written.name]


def test_a_segment_takes_what_it_was_made_for_and_no_less(tmp_path):
    with segments.EnergyFile(tmp_path, 4, 6, np.int32) as file:
        wrong = (ENERGY.astype(np.int64), ENERGY[:, :5].copy(), np.tile(ENERGY, (2, 1)), ENERGY[0], ENERGY[:, ::-1])
        for part in wrong:
            with pytest.raises(UsageError, match="contiguous int32 of 4 x 6"):
                file.add(part)
        file.add(ENERGY[:3])
        with pytest.raises(UsageError, match="3 of 4 parents"):
            file.finish()
        with pytest.raises(UsageError, match="contiguous int32"):
            file.add(ENERGY[:2])
        file.add(ENERGY[3:])
        written = file.finish()
    assert files_in(tmp_path) == [written.name]  # leaving the block removes nothing that is finished


def test_what_is_not_finished_leaves_nothing(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    with segments.EnergyFile(tmp_path, 4, 6, np.int32) as file:
        file.add(ENERGY)
        assert len(files_in(tmp_path)) == 1
    file.discard()
    assert files_in(tmp_path) == []
    assert len(os.listdir("/proc/self/fd")) == before


def test_pieces_of_a_large_block_are_all_written(tmp_path):
    """Larger than what is hashed, and than what is handed to the disk, at a time."""
    energy = np.random.default_rng(1).integers(0, 1 << 40, (3, 1_100_003))
    written = segments.write_energy(tmp_path, energy)
    assert segments.check(tmp_path, written.name) is None
    assert written.bytes == (tmp_path / written.name).stat().st_size
    assert (segments.open_energy(tmp_path, written.name, *energy.shape) == energy).all()


def test_other_libraries_read_a_segment(tmp_path):
    name = segments.write_energy(tmp_path, ENERGY).name
    assert pl.read_ipc(tmp_path / name)["energy_wh"].to_list() == ENERGY.ravel().tolist()
    with pa.memory_map(str(tmp_path / name)) as source:
        reader = pa.ipc.open_file(source)
        assert reader.num_record_batches == 1
        assert reader.schema.metadata == {b"gcr_fast.segment": b"2", b"hours": b"6", b"parents": b"4"}
        view = duckdb.from_arrow(reader.read_all())
        assert view.aggregate("sum(energy_wh), count(*)").fetchall() == [(ENERGY.sum(), 24)]


def test_a_table_is_read_back(tmp_path):
    written = segments.write_table(tmp_path, TABLE)
    assert segments.open_table(tmp_path, written.name).equals(TABLE)
    assert segments.check(tmp_path, written.name) is None
    assert pl.read_ipc(tmp_path / written.name)["id"].to_list() == ["a", "Ö", None]


def test_a_table_of_pieces_with_different_words_is_read_back(tmp_path):
    """An IPC file has one dictionary for all its batches."""
    pieces = [pa.table({"word": pa.array(words).dictionary_encode()}) for words in (["a", "b"], ["c", "a"])]
    name = segments.write_table(tmp_path, pa.concat_tables(pieces)).name
    assert segments.open_table(tmp_path, name)["word"].to_pylist() == ["a", "b", "c", "a"]


def test_an_empty_table_is_read_back(tmp_path):
    name = segments.write_table(tmp_path, TABLE.slice(0, 0)).name
    assert segments.open_table(tmp_path, name).schema == TABLE.schema


# --- mapped, not copied


def mappings():
    with open("/proc/self/maps", encoding="utf-8") as file:
        return file.read()


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="the system does not tell its mappings")
def test_an_open_segment_is_a_mapping_and_holds_no_file_open(tmp_path):
    name = segments.write_energy(tmp_path, ENERGY).name
    before = len(os.listdir("/proc/self/fd"))
    energy = segments.open_energy(tmp_path, name, 4, 6)
    line = next(line for line in mappings().splitlines() if name in line)
    low, high = (int(end, 16) for end in line.split()[0].split("-"))
    assert low <= energy.ctypes.data < high
    assert len(os.listdir("/proc/self/fd")) == before
    assert energy.tolist() == ENERGY.tolist()
    del energy
    end = time.monotonic() + 20
    while name in mappings() and time.monotonic() < end:
        time.sleep(0.01)  # a thread of Arrow's that read it may be about to let go
    assert name not in mappings()


def test_an_open_segment_is_read_only(tmp_path):
    energy = segments.open_energy(tmp_path, segments.write_energy(tmp_path, ENERGY).name, 4, 6)
    with pytest.raises(ValueError, match="read-only"):
        energy[0, 0] = 7
    with pytest.raises(ValueError, match="WRITEABLE"):
        energy.flags.writeable = True


def test_an_open_segment_outlives_its_file(tmp_path):
    name = segments.write_energy(tmp_path, ENERGY).name
    energy = segments.open_energy(tmp_path, name, 4, 6)
    assert segments.sweep(tmp_path, set()) == [name]
    assert energy.tolist() == ENERGY.tolist()


# --- same content, same file


def test_the_same_content_is_stored_once(tmp_path):
    one, two = (segments.write_energy(tmp_path, ENERGY) for _ in range(2))
    assert one == two
    assert files_in(tmp_path) == [one.name]
    assert segments.write_energy(tmp_path, ENERGY.reshape(6, 4)).name != one.name
    assert segments.write_energy(tmp_path, ENERGY.astype(np.int64)).name != one.name


def test_writing_again_mends_a_damaged_file(tmp_path):
    written = segments.write_energy(tmp_path, ENERGY)
    write_over(tmp_path / written.name, b"damage")
    segments.write_energy(tmp_path, ENERGY)
    assert segments.check(tmp_path, written.name) is None


def test_threads_write_at_once(tmp_path):
    blocks = [np.full((50, 800), number % 10, dtype=np.int64) for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        written = list(pool.map(lambda block: segments.write_energy(tmp_path, block), blocks))
    assert files_in(tmp_path) == sorted({each.name for each in written})
    assert len(files_in(tmp_path)) == 10
    for block, each in zip(blocks, written, strict=True):
        assert segments.check(tmp_path, each.name) is None
        assert (segments.open_energy(tmp_path, each.name, 50, 800) == block).all()


# --- what is no segment


@pytest.mark.parametrize(
    "energy",
    [
        ENERGY.astype(np.float64),
        ENERGY.astype(np.uint32),
        ENERGY.astype(np.int16),
        ENERGY.ravel(),
        ENERGY[:, ::2],
        np.asfortranarray(ENERGY),
        ENERGY.astype(">i4"),
    ],
    ids=["float", "unsigned", "short", "flat", "strided", "by column", "big-endian"],
)
def test_only_contiguous_integers_are_stored(tmp_path, energy):
    with pytest.raises(UsageError, match="contiguous int32 or int64"):
        segments.write_energy(tmp_path, energy)
    assert files_in(tmp_path) == []


def test_every_truncation_is_noticed(tmp_path):
    name = segments.write_energy(tmp_path, ENERGY).name
    whole = (tmp_path / name).read_bytes()
    for size in range(len(whole)):
        write_over(tmp_path / name, whole[:size])
        with pytest.raises(CorruptError, match=name):
            segments.open_energy(tmp_path, name, 4, 6)
        assert "was altered" in segments.check(tmp_path, name)


def every_row(table):
    """Every value of a table, followed to where it lies."""
    return table.take(pa.array(range(table.num_rows), pa.int64()))


STORED = {
    "energy": (
        lambda folder: segments.write_energy(folder, ENERGY),
        lambda folder, name: segments.open_energy(folder, name, 4, 6).tolist(),
    ),
    "table": (
        lambda folder: segments.write_table(folder, TABLE),
        lambda folder, name: every_row(segments.open_table(folder, name)),
    ),
}


@pytest.mark.parametrize("kind", STORED)
def test_every_changed_byte_is_noticed_by_check_and_none_is_fatal(tmp_path, kind):
    """Opening looks at the structure only: it refuses, or gives what can be read without harm."""
    write, read = STORED[kind]
    name = write(tmp_path).name
    whole, refused = bytearray((tmp_path / name).read_bytes()), 0
    for at in range(len(whole)):
        changed = whole.copy()
        changed[at] ^= 0xFF
        write_over(tmp_path / name, changed)
        assert "was altered" in segments.check(tmp_path, name)
        try:
            read(tmp_path, name)
        except CorruptError as error:
            refused += name in str(error)
    assert 0 < refused < len(whole)


@pytest.mark.parametrize(("parents", "hours"), [(6, 4), (4, 7), (3, 6), (24, 1), (0, 0)])
def test_another_shape_is_refused(tmp_path, parents, hours):
    name = segments.write_energy(tmp_path, ENERGY).name
    with pytest.raises(CorruptError, match=rf"{name}: (hours should be {hours}|parents should be {parents})"):
        segments.open_energy(tmp_path, name, parents, hours)


FLAT = pa.array(ENERGY.ravel())


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (pa.table({"energy_wh": FLAT}), "gcr_fast.segment should be 2, not nothing"),
        (energy_table(FLAT, **{"gcr_fast.segment": "1"}), "gcr_fast.segment should be 2, not 1"),
        (energy_table(FLAT.slice(1)), "23 of int32"),
        (energy_table(FLAT.cast(pa.float64())), "24 of double"),
        (energy_table(FLAT.cast(pa.uint32())), "24 of uint32"),
        (energy_table(pa.array([None, *range(23)], pa.int32())), "24 of int32"),
        (energy_table(pa.chunked_array([FLAT.slice(0, 12), FLAT.slice(12)])), "one batch"),
        (energy_table(FLAT).append_column("more", FLAT), "one column"),
        (energy_table(FLAT, "energy_mwh"), "one column"),
    ],
)
def test_what_is_no_segment_is_refused(tmp_path, table, reason):
    name = written_by_arrow(tmp_path, table)
    with pytest.raises(CorruptError, match=f"{name}.*{reason}"):
        segments.open_energy(tmp_path, name, 4, 6)


@pytest.mark.parametrize("content", [b"", b"ARROW1", b"PAR1" * 100, bytes(5000), b"ARROW1\0\0" + bytes(99) + b"ARROW1"])
def test_what_is_no_arrow_file_is_refused(tmp_path, content):
    name = put(tmp_path, content)
    for call in (lambda: segments.open_table(tmp_path, name), lambda: segments.open_energy(tmp_path, name, 4, 6)):
        with pytest.raises(CorruptError, match=name):
            call()


def test_what_is_missing_is_said(tmp_path):
    name = "0" * 64 + ".arrow"
    with pytest.raises(CorruptError, match=f"{name} is missing"):
        segments.open_table(tmp_path, name)
    assert f"{name} is missing" in segments.check(tmp_path, name)
    for call in (segments.listing, lambda folder: segments.sweep(folder, set())):
        with pytest.raises(CorruptError, match="absent is missing"):
            call(tmp_path / "absent")


@pytest.mark.parametrize("name", ["../" + "0" * 64 + ".arrow", "/etc/passwd", "", "0" * 64, "A" * 64 + ".arrow"])
def test_only_names_of_segments_are_opened(tmp_path, name):
    with pytest.raises(CorruptError, match="no name of a segment"):
        segments.open_table(tmp_path, name)


# --- the folder


def test_a_sweep_removes_orphans_and_leftovers_only(tmp_path):
    kept, orphan = (segments.write_energy(tmp_path, ENERGY + number).name for number in range(2))
    (tmp_path / ".part-0123").write_bytes(b"half")
    (tmp_path / "README.md").write_text("not ours")
    assert segments.listing(tmp_path) == {kept, orphan}
    assert segments.sweep(tmp_path, {kept}) == sorted([orphan, ".part-0123"])
    assert files_in(tmp_path) == sorted([kept, "README.md"])
    assert segments.sweep(tmp_path, {kept}) == []


def test_a_folder_is_synced(tmp_path, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda handle: (synced.append(os.path.realpath(f"/proc/self/fd/{handle}")), real(handle))
    )
    segments.sync_folder(tmp_path)
    assert synced == [str(tmp_path)]
    with pytest.raises(OutputError, match="cannot sync"):
        segments.sync_folder(tmp_path / "absent")


def test_a_file_is_synced_before_it_has_its_name(tmp_path, monkeypatch):
    """Otherwise a power cut could leave an empty file under the right name."""
    seen = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (seen.append(files_in(tmp_path)), real(handle)))
    name = segments.write_energy(tmp_path, ENERGY).name
    (before,) = seen
    assert [each.startswith(".part-") for each in before] == [True]
    assert files_in(tmp_path) == [name]


# --- refusals of the system


LIMITED = """
import resource, sys, pathlib, numpy as np
from gcr_fast.errors import OutputError
from gcr_fast.registry import segments
from gcr_fast.registry.pieces import piece_digests
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
energy = np.arange(3_000_000).reshape(3, -1)
try: segments.write_energy(pathlib.Path(sys.argv[1]), energy)
except OutputError as error: print(error)
"""


@pytest.mark.parametrize("limit", [0, 100, 300, 1_000_000, 10_000_000, 24_000_100, 24_000_500])
def test_a_write_that_is_cut_short_leaves_nothing(tmp_path, limit):
    """A file-size limit stops the write within the header, the energies and the footer, as a full disk would."""
    kept = segments.write_energy(tmp_path, ENERGY).name
    command = [sys.executable, "-c", LIMITED, tmp_path, str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"cannot write into {tmp_path}: File too large" in done.stdout
    assert files_in(tmp_path) == [kept]


def test_a_really_full_disk_leaves_nothing(small_disk):
    kept = segments.write_energy(small_disk, ENERGY).name
    with pytest.raises(OutputError, match="No space left on device"):
        segments.write_energy(small_disk, np.zeros((3, 1_000_000), np.int64))
    assert files_in(small_disk) == [kept]


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(OutputError, match="No such file or directory"):
        segments.write_energy(tmp_path / "absent", ENERGY)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Not a directory"):
        segments.write_table(tmp_path / "file", TABLE)


@pytest.mark.parametrize("fault", [OSError(5, "Input/output error"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_a_sync_that_fails_leaves_nothing(tmp_path, monkeypatch, fault):
    def refuse(handle):
        raise fault

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises((OutputError, KeyboardInterrupt)):
        segments.write_energy(tmp_path, ENERGY)
    assert files_in(tmp_path) == []


def test_a_killed_writer_leaves_only_what_a_sweep_removes(tmp_path):
    """Killed at any moment: what has a segment's name is whole."""
    code = (
        "import pathlib, sys, numpy as np; from gcr_fast.registry import segments\n"
        "for n in range(10**6):\n"
        "    segments.write_energy(pathlib.Path(sys.argv[1]), np.full((3, 400_000), n)); print(n, flush=True)\n"
    )
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE)
        writer.stdout.readline()
        killer = threading.Timer(0.05, writer.kill)
        killer.start()
        writer.communicate()
        assert all(segments.check(tmp_path, name) is None for name in segments.listing(tmp_path))
        keep = segments.listing(tmp_path)
        segments.sweep(tmp_path, keep)
        assert files_in(tmp_path) == sorted(keep)


def test_importing_loads_no_pyarrow():
    code = "import sys, gcr_fast.registry.segments; print([m for m in ('pyarrow', 'numba') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
