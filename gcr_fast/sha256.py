"""Many messages of one length hashed at once: SHA-256 with the processor's own instructions, else by `hashlib`.

One message after another keeps the unit that computes SHA-256 waiting for its own results: four at a time take half as
long. No call into Python lies between two of them, so threads do not wait for each other. The instructions are those
of x86 processors; they are put together here as LLVM's assembly, which Numba's own compiler makes machine code of.
What came out is used only if it hashes a trial message as `hashlib` does.
"""

from __future__ import annotations

import ctypes
import hashlib
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import count, islice
from math import isqrt, prod
from typing import Any

import numpy as np

DIGEST_BYTES = 32
BLOCK_BYTES = 64
LANES = 4
"""Messages under way at a time."""
PLAIN_BYTES = 16 << 20
"""What a process hashes by `hashlib`, before making machine code takes less time than it saves."""

Compress = Callable[[int, int], None]
"""Do jobs int64[n, 5], given by their address and number, one after another. A job is (address of the states, of the
messages, of offsets, blocks, count): advance each of so many states over so many blocks at its offset."""

_HELD = (5, 4, 1, 0, 7, 6, 3, 2)
"""The instructions hold the eight words A to H of a state as F E B A and H G D C."""
_BACK = np.argsort(_HELD)
_lock = threading.Lock()
_hashed_plainly = 0


def digests(messages: np.ndarray) -> np.ndarray:
    """Return the SHA-256 of each message, uint8[..., 32].

    `messages` uint8[..., size]: bytes that lie one after another along the last axis; the other axes as they like.
    """
    if messages.dtype != np.uint8 or (messages.size and messages.shape[-1] > 1 and messages.strides[-1] != 1):
        raise ValueError("messages are bytes that lie one after another")
    compress = _machine(messages.size)
    out = _by_hashlib(messages) if compress is None else _by_machine(messages, compress)
    return out.reshape(*messages.shape[:-1], DIGEST_BYTES)


def _machine(size: int) -> Compress | None:
    """Return what hashes by machine code, None where there is none, or not yet enough to hash."""
    global _hashed_plainly  # noqa: PLW0603 - one budget for the process
    if _hashed_plainly + size <= PLAIN_BYTES:
        _hashed_plainly += size
        return None
    with _lock:
        if "compress" not in _made:
            _made["compress"] = _compiled()
    return _made["compress"]


_made: dict[str, Compress | None] = {}


def _by_hashlib(messages: np.ndarray) -> np.ndarray:
    each = (messages[index] for index in np.ndindex(messages.shape[:-1]))
    return np.frombuffer(b"".join(hashlib.sha256(message.data).digest() for message in each), np.uint8)


def _by_machine(messages: np.ndarray, compress: Compress) -> np.ndarray:
    """Hash the whole blocks where they lie, then what is left of each message, with its padding."""
    number, ends = prod(messages.shape[:-1]), _ends(messages)
    states = np.empty((number, 8), np.uint32)
    states[:] = _START
    if number:
        places = [(some, _offsets(some.shape[:-1], some.strides[:-1])) for some in (messages, ends)]
        jobs = [
            (_address(states), _address(some), _address(offsets), some.shape[-1] // BLOCK_BYTES, number)
            for some, offsets in places
            if some.shape[-1] >= BLOCK_BYTES
        ]
        todo = np.array(jobs, np.int64)
        compress(_address(todo), len(todo))  # in one call, as each may have to wait for other threads
    return states.take(_BACK, axis=1).astype(">u4").view(np.uint8)


def _address(array: np.ndarray) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


@lru_cache(maxsize=64)
def _offsets(shape: tuple[int, ...], strides: tuple[int, ...]) -> np.ndarray:
    """Return where each message begins, int64[n]."""
    offsets = np.zeros(1, np.int64)
    for size, stride in zip(shape, strides, strict=True):
        offsets = np.add.outer(offsets, np.arange(size) * stride).reshape(-1)
    return offsets


def _ends(messages: np.ndarray) -> np.ndarray:
    """Return the last one or two blocks of each message: its rest, a bit, zeros, and its length in bits."""
    size, shape = messages.shape[-1], messages.shape[:-1]
    rest = size % BLOCK_BYTES
    if not rest:  # one for all
        return np.broadcast_to(_padding(size), (*shape, BLOCK_BYTES))
    padding = _padding(size)
    ends = np.empty((*shape, rest + len(padding)), np.uint8)
    ends[..., :rest] = messages[..., size - rest :]
    ends[..., rest:] = padding
    return ends


@lru_cache(maxsize=64)
def _padding(size: int) -> np.ndarray:
    """Return what follows a message of so many bytes: a bit, zeros up to the end of a block, its length in bits."""
    zeros = -(size + 9) % BLOCK_BYTES
    return np.frombuffer(b"\x80" + bytes(zeros) + (8 * size).to_bytes(8, "big"), np.uint8)


# --- constants, as FIPS 180-4 defines them: the first bits of the fractions of roots of primes


def _primes() -> Iterator[int]:
    return (n for n in count(2) if all(n % divisor for divisor in range(2, isqrt(n) + 1)))


def _cube_root(number: int) -> int:
    root = 1 << (number.bit_length() + 2) // 3
    while root**3 > number:
        root = (2 * root + number // root**2) // 3
    return root


_START = np.array([isqrt(prime << 64) & 0xFFFFFFFF for prime in islice(_primes(), 8)], np.uint32)[[*_HELD]]
_ROUNDS = [_cube_root(prime << 96) & 0xFFFFFFFF for prime in islice(_primes(), 64)]


# --- machine code


def _compiled() -> Compress | None:
    """Return the machine code, None where this processor or library has none."""
    try:
        import llvmlite.binding as llvm

        features = llvm.get_host_cpu_features()
        if not features.get("sha"):
            return None
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=features.flatten()
        )
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(assembly()), machine)
        engine.finalize_object()
    except (ImportError, RuntimeError, OSError):  # a compiler that is not there, or too old for this assembly
        return None
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    kind = ctypes.CFUNCTYPE(None, pointer, number)  # calls of it let other threads run
    entry: Any = kind(engine.get_function_address("compress_all"))
    entry.engine = engine  # the code lives as long as its engine
    return entry if _sound(entry) else None


def _sound(compress: Compress) -> bool:
    """Whether it hashes trial messages as `hashlib` does: some in lanes, some alone."""
    trial = (np.arange((LANES + 1) * 200, dtype=np.int64) * 151 % 256).astype(np.uint8).reshape(-1, 200)
    return bool((_by_machine(trial, compress).reshape(-1) == _by_hashlib(trial)).all())


def assembly() -> str:
    """Return LLVM's assembly of `Compress`: lanes together while there are enough messages, the others one by one."""
    return "\n".join([_DECLARED, _compress_some(LANES), _compress_some(1), _COMPRESS.replace("LANES", str(LANES))])


_V = "<4 x i32>"
_DECLARED = f"""
declare {_V} @llvm.x86.sha256rnds2({_V}, {_V}, {_V})
declare {_V} @llvm.x86.sha256msg1({_V}, {_V})
declare {_V} @llvm.x86.sha256msg2({_V}, {_V})
declare {_V} @llvm.bswap.v4i32({_V})"""
_COMPRESS = """
define internal void @compress(ptr %states, ptr %data, ptr %offsets, i64 %blocks, i64 %count) {
  br label %together
together:
  %i = phi i64 [0, %0], [%i.next, %some]
  %i.next = add i64 %i, LANES
  %enough = icmp sle i64 %i.next, %count
  br i1 %enough, label %some, label %rest
some:
  call void @compress_LANES(ptr %states, ptr %data, ptr %offsets, i64 %blocks, i64 %i)
  br label %together
rest:
  %j = phi i64 [%i, %together], [%j.next, %one]
  %left = icmp slt i64 %j, %count
  br i1 %left, label %one, label %done
one:
  call void @compress_1(ptr %states, ptr %data, ptr %offsets, i64 %blocks, i64 %j)
  %j.next = add i64 %j, 1
  br label %rest
done:
  ret void
}
define void @compress_all(ptr %jobs, i64 %count) {
  br label %next
next:
  %i = phi i64 [0, %0], [%i.next, %job]
  %left = icmp slt i64 %i, %count
  br i1 %left, label %job, label %done
job:
  %states.at = getelementptr [5 x i64], ptr %jobs, i64 %i, i64 0
  %data.at = getelementptr [5 x i64], ptr %jobs, i64 %i, i64 1
  %offsets.at = getelementptr [5 x i64], ptr %jobs, i64 %i, i64 2
  %blocks.at = getelementptr [5 x i64], ptr %jobs, i64 %i, i64 3
  %count.at = getelementptr [5 x i64], ptr %jobs, i64 %i, i64 4
  %states = load ptr, ptr %states.at
  %data = load ptr, ptr %data.at
  %offsets = load ptr, ptr %offsets.at
  %blocks = load i64, ptr %blocks.at
  %messages = load i64, ptr %count.at
  call void @compress(ptr %states, ptr %data, ptr %offsets, i64 %blocks, i64 %messages)
  %i.next = add i64 %i, 1
  br label %next
done:
  ret void
}"""


class _Lines:
    """Instructions, each with a name of its own."""

    def __init__(self) -> None:
        self.text: list[str] = []

    def let(self, instruction: str) -> str:
        """Add one that gives something; return its name."""
        name = f"%v{len(self.text)}"
        self.text.append(f"  {name} = {instruction}")
        return name

    def shuffle(self, one: str, other: str, places: str) -> str:
        """Take four words out of eight."""
        mask = ", ".join(f"i32 {place}" for place in places)
        return self.let(f"shufflevector {_V} {one}, {_V} {other}, {_V} <{mask}>")

    def call(self, name: str, *given: str) -> str:
        """Call an instruction of the processor."""
        return self.let(f"call {_V} @llvm.{name}({', '.join(f'{_V} {one}' for one in given)})")


def _compress_some(lanes: int) -> str:
    """Return a function that advances the states first, first + 1, ... of some messages, block by block."""
    into, loop, out, each = _Lines(), _Lines(), _Lines(), range(lanes)
    into.text.append(f"define internal void @compress_{lanes}(ptr %s, ptr %data, ptr %offsets, i64 %n, i64 %first) {{")
    for lane in each:
        into.text += [
            f"  %at{lane} = add i64 %first, {lane}",
            f"  %where{lane} = getelementptr i64, ptr %offsets, i64 %at{lane}",
            f"  %offset{lane} = load i64, ptr %where{lane}",
            f"  %m{lane}.0 = getelementptr i8, ptr %data, i64 %offset{lane}",
            f"  %a{lane}.at = getelementptr [32 x i8], ptr %s, i64 %at{lane}, i64 0",
            f"  %c{lane}.at = getelementptr [32 x i8], ptr %s, i64 %at{lane}, i64 16",
            f"  %a{lane}.0 = load {_V}, ptr %a{lane}.at, align 4",
            f"  %c{lane}.0 = load {_V}, ptr %c{lane}.at, align 4",
        ]
    into.text += ["  br label %loop", "loop:", "  %i = phi i64 [0, %0], [%i.next, %loop]"]
    after = _rounds(loop, [f"%m{lane}" for lane in each], [(f"%a{lane}", f"%c{lane}") for lane in each])
    for lane, (a, c) in enumerate(after):
        into.text += [
            f"  %a{lane} = phi {_V} [%a{lane}.0, %0], [{a}, %loop]",
            f"  %c{lane} = phi {_V} [%c{lane}.0, %0], [{c}, %loop]",
            f"  %m{lane} = phi ptr [%m{lane}.0, %0], [%m{lane}.next, %loop]",
        ]
        loop.text.append(f"  %m{lane}.next = getelementptr i8, ptr %m{lane}, i64 {BLOCK_BYTES}")
        out.text += [f"  store {_V} {a}, ptr %a{lane}.at, align 4", f"  store {_V} {c}, ptr %c{lane}.at, align 4"]
    loop.text += ["  %i.next = add i64 %i, 1", "  %more = icmp ult i64 %i.next, %n"]
    loop.text += ["  br i1 %more, label %loop, label %done", "done:"]
    return "\n".join([*into.text, *loop.text, *out.text, "  ret void", "}"])


def _rounds(lines: _Lines, messages: list[str], states: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Add the 64 rounds of one block, four at a time, for all lanes; return the states after it."""
    words: list[list[str]] = [[] for _ in messages]
    now = list(states)
    for four in range(16):
        for have, message in zip(words, messages, strict=True):
            have.append(_next_words(lines, have, message))
        for lane, have in enumerate(words):
            constants = ", ".join(f"i32 {constant}" for constant in _ROUNDS[4 * four : 4 * four + 4])
            low = lines.let(f"add {_V} {have[four]}, <{constants}>")
            high = lines.shuffle(low, "poison", "2323")
            for two in (low, high):  # two rounds each: what was A to F moves on as it is
                a, c = now[lane]
                now[lane] = lines.call("x86.sha256rnds2", c, a, two), a
    pairs = zip(now, states, strict=True)
    return [(lines.let(f"add {_V} {a}, {a0}"), lines.let(f"add {_V} {c}, {c0}")) for (a, c), (a0, c0) in pairs]


def _next_words(lines: _Lines, have: list[str], message: str) -> str:
    """Return four words of the schedule: the first sixteen are the block's, the others follow from those before."""
    if len(have) < 4:
        place = lines.let(f"getelementptr i8, ptr {message}, i64 {16 * len(have)}")
        return lines.call("bswap.v4i32", lines.let(f"load {_V}, ptr {place}, align 1"))
    seven_ago = lines.shuffle(have[-2], have[-1], "1234")
    begun = lines.let(f"add {_V} {lines.call('x86.sha256msg1', have[-4], have[-3])}, {seven_ago}")
    return lines.call("x86.sha256msg2", begun, have[-1])
