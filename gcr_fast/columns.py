"""The door between Arrow and kernels: checked, contiguous int64 views. No copy where none is needed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from gcr_fast.errors import UsageError
from gcr_fast.memory import empty

if TYPE_CHECKING:
    import pyarrow as pa

INT64_MAX = (1 << 63) - 1
LONG = 10_000
"""Text of fewer cells is hashed sooner than its runs are found."""
FEW_RUNS = 8
"""Text is encoded by runs if they are eight cells long on average."""


def one_array(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return a column as one array; a single chunk is not copied."""
    import pyarrow as pa

    if not isinstance(column, pa.ChunkedArray):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    joined = column.unify_dictionaries().combine_chunks()
    return pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined


def as_text(flat: pa.Array) -> pa.Array:
    """Return a column as strings; what Arrow cannot cast (lists, bytes that are no text) as Python would show it."""
    import pyarrow as pa

    try:
        return flat.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([None if cell is None else str(cell) for cell in flat.to_pylist()], pa.string())


def without_nulls(flat: pa.Array, instead: int) -> np.ndarray:
    """Return integers as a NumPy array, nulls replaced; no copy if there are none."""
    import pyarrow.compute as pc

    filled = pc.fill_null(flat, instead) if flat.null_count else flat
    values: np.ndarray = filled.to_numpy(zero_copy_only=False)
    return values


def exact_sum(values: np.ndarray) -> int:
    """Return the sum of int64[n] as a Python integer, which does not wrap."""
    if _sums_fit(values):
        return int(values.sum())
    low = values & 0xFFFFFFFF
    return (int((values >> 32).sum()) << 32) + int(low.sum())


def exact_sums(values: np.ndarray, cuts: list[int], bits: int | None = None) -> list[int]:
    """Return the sums of the parts of int64[n] between neighbours of `cuts`, which ascend.

    `bits` are those of the values, where they are known.
    """
    if len(values) and len(set(cuts)) == len(cuts) and cuts[-1] == len(values) and _sums_fit(values, bits):
        sums: list[int] = np.add.reduceat(values, cuts[:-1]).tolist()
        return sums
    return [exact_sum(values[low:high]) for low, high in pairwise(cuts)]


def bits_of(values: np.ndarray) -> int:
    """Return all bits that some of int64[n] has: below 0 if one of them is, else none of them is above."""
    return int(np.bitwise_or.reduce(values))


def _sums_fit(values: np.ndarray, bits: int | None = None) -> bool:
    """Whether no sum of some of these can be beyond 64 bits."""
    if not len(values):
        return True
    most = INT64_MAX // len(values)
    if 0 <= (bits_of(values) if bits is None else bits) <= most:  # then each of them is, and one look was enough
        return True
    return max(int(values.max()), -int(values.min())) <= most


def int64_view(column: pa.ChunkedArray | pa.Array, name: str) -> np.ndarray:
    """Return a column without nulls as contiguous int64[n]; other integers are cast, anything else is refused."""
    import pyarrow as pa

    flat = one_array(column)
    if flat.null_count:
        raise UsageError(f"column {name} has {flat.null_count} nulls where none may be")
    if pa.types.is_timestamp(flat.type) or pa.types.is_integer(flat.type):
        return np.ascontiguousarray(flat.cast(pa.int64()).to_numpy())
    raise UsageError(f"column {name} holds {flat.type}, not integers")


def arrow_int64(values: np.ndarray) -> pa.Array:
    """Wrap a contiguous int64 array as an Arrow array without copying."""
    import pyarrow as pa

    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(values)])


def utc_seconds(column: pa.ChunkedArray | pa.Array, name: str) -> np.ndarray:
    """Return a UTC timestamp column as int64[n] seconds."""
    import pyarrow as pa

    return int64_view(column.cast(pa.timestamp("s", "UTC")), name)


def utc_timestamps(seconds: np.ndarray) -> pa.Array:
    """Return int64[n] UTC seconds as the timestamp type of every table here (milliseconds, UTC)."""
    import pyarrow as pa

    ticks = empty(len(seconds), np.int64)
    np.multiply(seconds, 1000, out=ticks)
    return arrow_int64(ticks).cast(pa.timestamp("ms", "UTC"))


@lru_cache(maxsize=64)
def alike(value: bool, count: int) -> np.ndarray:
    """Return bool[count], read-only, that all say `value`: one byte stands for them, which `some` and `every` see."""
    return np.broadcast_to(np.bool_(value), (count,))


def some(mask: np.ndarray) -> bool:
    """Whether an element of a mask is true, or of numbers not 0."""
    if mask.strides == (0,):
        return bool(len(mask)) and bool(mask[0])
    return bool(np.count_nonzero(mask))


def every(mask: np.ndarray) -> bool:
    """Whether all elements of a mask are true."""
    if mask.strides == (0,):
        return not len(mask) or bool(mask[0])
    return bool(mask.all())


def runs(mask: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield the runs of true elements of bool[n]: first, and one past the last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def repeated(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return `values[j]` `counts[j]` times, one after another: `numpy.repeat`, into `empty` memory."""
    out = empty(int(counts.sum()), values.dtype.type)
    at = 0
    for value, count in zip(values.tolist(), counts.tolist(), strict=True):
        out[at : at + count] = value
        at += count
    return out


def repeat_into(out: np.ndarray, first: int, counts: np.ndarray) -> None:
    """Fill `out` with first, first + 1, ..., each as often as `counts` says."""
    at = 0
    for value, count in enumerate(counts.tolist(), start=first):
        out[at : at + count] = value
        at += count


def words(codes: np.ndarray, counts: np.ndarray, dictionary: pa.Array) -> pa.DictionaryArray:
    """Return a dictionary array in which text `codes[j]` stands `counts[j]` times; a code below 0 is null."""
    import pyarrow as pa

    null = codes < 0
    # Under a null stands 0, not -1: some readers look at the key before they look at the null.
    indices = repeated(np.where(null, 0, codes).astype(np.int32), counts)
    mask = np.repeat(null, counts) if null.any() else None
    return pa.DictionaryArray.from_arrays(pa.array(indices, mask=mask), dictionary)


def encode(column: pa.ChunkedArray | pa.Array) -> tuple[np.ndarray, list[Any]]:
    """Return text as (codes int32[n], distinct values); null is -1. Values stand in order of first appearance."""
    import pyarrow as pa

    flat = one_array(column)
    if not pa.types.is_dictionary(flat.type):
        return _encode_text(as_text(flat))
    return codes_of(flat), flat.dictionary.to_pylist()


def encode_text(column: pa.ChunkedArray | pa.Array) -> tuple[np.ndarray, list[str]]:
    """Return a column of any type as `encode` does text; a dictionary of text is not spelled out for that."""
    flat = one_array(column)
    return encode(flat if is_words(flat) else as_text(flat))


def is_words(flat: pa.Array) -> bool:
    """Whether this is text as a dictionary."""
    import pyarrow as pa

    return bool(pa.types.is_dictionary(flat.type) and pa.types.is_string(flat.type.value_type))


def codes_of(words: pa.DictionaryArray) -> np.ndarray:
    """Return which word of its dictionary each cell is, int32[n]; null is -1."""
    import pyarrow as pa

    codes = np.ascontiguousarray(without_nulls(words.indices.cast(pa.int32()), -1))
    if words.dictionary.null_count:
        no_word = np.append(words.dictionary.is_null().to_numpy(zero_copy_only=False), False)
        codes = np.where(no_word[codes], np.int32(-1), codes)
    return codes


def _encode_text(text: pa.Array) -> tuple[np.ndarray, list[Any]]:
    """Encode plain text; where it stands in long runs, only their first cells are hashed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(text) < LONG:
        words = text.dictionary_encode()
        return without_nulls(words.indices.cast(pa.int32()), -1), words.dictionary.to_pylist()
    runs = pc.run_end_encode(text)
    ends = runs.run_ends.to_numpy()
    few = len(ends) * FEW_RUNS < len(text)
    words = (runs.values if few else text).dictionary_encode()
    codes = without_nulls(words.indices.cast(pa.int32()), -1)
    return (np.repeat(codes, np.diff(ends, prepend=0)) if few else codes), words.dictionary.to_pylist()
