"""Many hashes at once are those of `hashlib`, by whichever way they are made."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import llvmlite.binding
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gcr_fast import sha256

COMPRESS = sha256._compiled()
WAYS = ["hashlib", "machine code"]


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """Each test runs with either, where this processor has the instructions."""
    if request.param == "machine code" and COMPRESS is None:
        pytest.skip("this processor has no instructions for SHA-256, or the compiler is too old")
    monkeypatch.setattr(sha256, "PLAIN_BYTES", 1 << 62 if request.param == "hashlib" else -1)
    return request.param


SIZES = [0, 1, 2, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 127, 128, 129, 4096, 4101]
"""Around what fits into a block with its padding, and what does not."""


@pytest.mark.parametrize("size", SIZES)
def test_messages_of_every_length(way, size):
    for number in (1, 2, 3, 4, 5, 7, 8, 9):  # whole groups of lanes, and what is left of them
        messages = np.random.default_rng([size, number]).integers(0, 256, (number, size), np.uint8)
        found = sha256.digests(messages)
        assert found.shape == (number, 32)
        assert found.dtype == np.uint8
        assert found.tolist() == [list(hashlib.sha256(one.tobytes()).digest()) for one in messages]


@pytest.mark.parametrize("text", [b"", b"abc", b"a" * 1_000_000], ids=["nothing", "abc", "a million a"])
def test_published_values(way, text):
    """From FIPS 180 and its examples, not from `hashlib`."""
    known = {
        0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        3: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        1_000_000: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
    }
    assert sha256.digests(np.frombuffer(text, np.uint8)[None]).tobytes().hex() == known[len(text)]


bytes_of = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=70))


@given(bytes_of, st.sampled_from(WAYS))
def test_any_shape(messages, way):
    compress = COMPRESS if way == "machine code" else None
    if way == "machine code" and compress is None:
        pytest.skip("no instructions for SHA-256")
    found = sha256._by_hashlib(messages) if compress is None else sha256._by_machine(messages, compress)
    rows = [messages[index].tobytes() for index in np.ndindex(messages.shape[:-1])]
    assert found.tobytes() == b"".join(hashlib.sha256(row).digest() for row in rows)


def test_messages_are_hashed_where_they_lie(way):
    """Slices, steps and turned axes: only the bytes of one message need to lie together."""
    whole = np.random.default_rng(1).integers(0, 256, (6, 5, 400), np.uint8)
    whole.flags.writeable = False
    for some in (whole[:, :, 3:203], whole[::2, ::-1, :65], whole.transpose(1, 0, 2), whole[4:4], whole[0, 0]):
        rows = [some[index].tobytes() for index in np.ndindex(some.shape[:-1])]
        found = sha256.digests(some)
        assert found.shape == (*some.shape[:-1], 32)
        assert found.tobytes() == b"".join(hashlib.sha256(row).digest() for row in rows)


@pytest.mark.parametrize(
    "messages", [np.zeros((3, 4), np.int8), np.zeros((3, 4), np.int64), np.zeros((3, 8), np.uint8)[:, ::2]]
)
def test_what_is_no_message_is_refused(messages):
    with pytest.raises(ValueError, match="bytes that lie one after another"):
        sha256.digests(messages)


def test_threads_hash_at_once(way):
    blocks = [np.random.default_rng(number).integers(0, 256, (40, 3000), np.uint8) for number in range(16)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(sha256.digests, blocks))
    for block, have in zip(blocks, found, strict=True):
        assert have.tobytes() == b"".join(hashlib.sha256(row.tobytes()).digest() for row in block)


# --- which way is taken


def test_a_process_begins_with_hashlib(monkeypatch):
    made = []
    monkeypatch.setattr(sha256, "_hashed_plainly", 0)
    monkeypatch.setattr(sha256, "_made", {})
    monkeypatch.setattr(sha256, "_compiled", lambda: made.append(1))
    half = np.zeros((1, sha256.PLAIN_BYTES // 2), np.uint8)
    for wanted in ([], [], [1], [1]):  # made once, even if there is none
        assert sha256.digests(half).tobytes() == hashlib.sha256(half.tobytes()).digest()
        assert made == wanted


def test_a_few_hashes_load_no_compiler():
    code = (
        "import sys, numpy as np; from gcr_fast.sha256 import digests; digests(np.zeros((9, 4096), np.uint8));"
        "print([m for m in ('llvmlite', 'numba') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_the_instructions_there_is_no_machine_code(monkeypatch):
    monkeypatch.setattr(llvmlite.binding, "get_host_cpu_features", dict)
    assert sha256._compiled() is None


def test_without_the_compiler_there_is_no_machine_code(monkeypatch):
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    assert sha256._compiled() is None


@pytest.mark.skipif(COMPRESS is None, reason="no instructions for SHA-256")
def test_an_older_compiler_is_no_reason_to_fail(monkeypatch):
    monkeypatch.setattr(sha256, "assembly", lambda: "what it does not know")
    assert sha256._compiled() is None


@pytest.mark.skipif(COMPRESS is None, reason="no instructions for SHA-256")
@pytest.mark.parametrize("lanes", [1, sha256.LANES], ids=["alone", "in lanes"])
def test_machine_code_that_hashes_anything_else_is_not_used(monkeypatch, lanes):
    """One wrong round, in one of its two forms."""
    real = sha256._compress_some

    def wrong(number):
        text = real(number)
        return (
            text.replace("<i32 2, i32 3, i32 2, i32 3>", "<i32 3, i32 2, i32 2, i32 3>", 1) if number == lanes else text
        )

    monkeypatch.setattr(sha256, "_compress_some", wrong)
    assert sha256._compiled() is None


@pytest.mark.skipif(COMPRESS is None, reason="no instructions for SHA-256")
def test_states_are_advanced_in_place_and_no_others():
    messages = np.zeros((sha256.LANES + 1, 64), np.uint8)
    states = np.tile(sha256._START, (len(messages) + 2, 1))
    offsets = np.arange(len(messages)) * 64
    jobs = np.array([states[1:].ctypes.data, messages.ctypes.data, offsets.ctypes.data, 1, len(messages)])
    COMPRESS(jobs.ctypes.data, 1)
    assert (states[[0, -1]] == sha256._START).all()
    assert (states[1:-1] == states[1]).all()
    assert (states[1] != sha256._START).all()
