"""Lines that several threads take block after block: all of them, once, numbered, and the hash of all bytes."""

import hashlib
import os
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcr_fast.findings import RefusedError
from gcr_fast.parallel import results
from gcr_fast.sources import line_blocks
from gcr_fast.sources.files import open_file
from gcr_fast.sources.line_blocks import LineBlocks, about_lines, block_bytes

HEADER = b"start,wind\n"


def taken(path, threads=1):
    """Return all blocks as (at, row, lines, bytes), in order, the blocks' source, and the file."""
    file = open_file(path)
    with LineBlocks(file, len(HEADER)) as blocks:

        def work(_):
            text, found = np.empty(block_bytes(), np.uint8), []
            while block := blocks.take(text):
                found.append((block.at, block.row, block.lines, text[block.first : block.last].tobytes()))
            return found

        found = sorted(one for some in results(work, range(threads), threads) for one in some)
    return found, blocks, file


@given(
    st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=30),
    st.booleans(),
    st.integers(1, 200),
    st.sampled_from((0.0, 0.5, 1.0)),
    st.integers(1, 3),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_line_is_in_one_block_in_order_and_all_bytes_are_hashed(
    tmp_path, monkeypatch, lines, ended, size, share, threads
):
    data = HEADER + b"\n".join(lines) + b"\n" * ended
    path = tmp_path / "file.csv"
    path.write_bytes(data)
    with monkeypatch.context() as patch:
        patch.setattr(line_blocks, "BLOCK_BYTES", size)
        patch.setattr(line_blocks, "HASHED_SHARE", share)
        found, blocks, file = taken(path, threads)
    text = data[len(HEADER) :]
    text += b"" if not text or text.endswith(b"\n") else b"\n"
    assert b"".join(part for *_, part in found) == text
    assert [at for at, *_ in found] == list(range(len(found)))
    row = 0
    for _, first, count, part in found:
        assert (first, count) == (row, part.count(b"\n"))
        row += count
    assert (blocks.lines, blocks.regular) == (row, True)
    assert file.sha256 == hashlib.sha256(data).hexdigest()


def test_a_line_that_is_longer_than_any_may_be_ends_the_blocks(tmp_path, monkeypatch):
    path = tmp_path / "file.csv"
    path.write_bytes(HEADER + b"1,2\n" + b"x" * 500 + b"\n1,2\n")
    monkeypatch.setattr(line_blocks, "BLOCK_BYTES", 64)
    monkeypatch.setattr(line_blocks, "LONGEST_BYTES", 100)
    found, blocks, file = taken(path)
    assert not blocks.regular
    assert b"".join(part for *_, part in found) == b"1,2\n"
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_about_as_many_lines_as_there_are(tmp_path):
    """Lines of a growing file get longer from year to year: the room is for all of them, and not for many more."""
    path = tmp_path / "file.csv"
    lines = 120_000
    path.write_bytes(HEADER + b"".join(b"1" * (20 + 40 * at // lines) + b"\n" for at in range(lines)))
    assert lines <= about_lines(open_file(path), len(HEADER)) <= 1.03 * lines


def test_of_a_small_file_no_line_is_beyond_the_room(tmp_path):
    path = tmp_path / "file.csv"
    for lines in (0, 1, 7, 500):
        path.write_bytes(HEADER + b"1,2\n" * lines)
        assert about_lines(open_file(path), len(HEADER)) >= lines


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_file_that_is_cut_short_while_its_blocks_are_taken_ends_nothing_and_has_no_hash(tmp_path, monkeypatch, share):
    path = tmp_path / "file.csv"
    path.write_bytes(HEADER + b"1,2\n" * 50_000)
    monkeypatch.setattr(line_blocks, "BLOCK_BYTES", 10_000)
    monkeypatch.setattr(line_blocks, "HASHED_SHARE", share)
    file, text = open_file(path), np.empty(block_bytes(), np.uint8)
    with LineBlocks(file, len(HEADER)) as blocks:
        assert blocks.take(text)
        time.sleep(0.02)  # clocks of file systems may tick so slowly
        os.truncate(path, 30_000)
        while blocks.take(text):
            pass
    with pytest.raises(RefusedError, match="was changed while it was read"):
        _ = file.sha256


def test_a_file_that_is_another_by_the_time_of_its_blocks_is_refused(tmp_path):
    path = tmp_path / "file.csv"
    path.write_bytes(HEADER + b"1,2\n")
    file = open_file(path)
    other = tmp_path / "other.csv"
    other.write_bytes(HEADER + b"3,4\n")
    other.replace(path)
    with pytest.raises(RefusedError, match="was changed while it was read"):
        LineBlocks(file, len(HEADER))
