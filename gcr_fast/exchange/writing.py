"""Writing hourly certificates: Parquet, Arrow IPC or CSV, one file or a folder of parts; a whole result or none.

Everything is written beside its destination under a hidden name and renamed when it is complete and on disk.
"""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from gcr_fast.errors import OutputError, UsageError
from gcr_fast.parallel import ordered_map

if TYPE_CHECKING:
    import pyarrow as pa

    from gcr_fast.exchange.rowgroups import Column

SUFFIXES = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "ipc",
    ".ipc": "ipc",
    ".feather": "ipc",
    ".csv": "csv",
}
EXTENSION = {"parquet": ".parquet", "ipc": ".arrow", "csv": ".csv"}
BATCHES_PER_PART = 16
PARTIAL = ".partial"


@dataclass(frozen=True)
class Written:
    """What was written."""

    path: Path
    files: int
    rows: int
    bytes: int
    format: str
    """A key of `EXTENSION`."""

    @property
    def keeps_sources(self) -> bool:
        """Whether the files themselves say what they were made of, and whom to name; CSV has no place for it."""
        return self.format != "csv"


@dataclass(frozen=True)
class Job:
    """Everything a writer needs, whatever makes the batches."""

    tasks: Iterable[Any]
    batch: Callable[[Any], pa.RecordBatch]
    columns: Callable[[Any], tuple[int, Mapping[str, Column]]]
    """The same as rows and columns, in which repeated parts are named, not made: what Parquet is written from."""
    schema: pa.Schema
    metadata: Mapping[str, str]
    threads: int
    done: Callable[[Any], None] = lambda task: None
    """Called after each task's rows are handed to the file."""


def format_of(path: Path) -> str:
    """Return the format that a name asks for: by its suffix; a folder (no suffix) holds Parquet parts."""
    if not path.suffix or path.is_dir():
        return "parquet"
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path.name}: write .parquet, .arrow or .csv, or a folder (no suffix) for parts")
    return SUFFIXES[path.suffix.lower()]


def write(path: str | os.PathLike[str], job: Job, *, format: str | None = None) -> Written:  # noqa: A002
    """Write a job's batches in order. A path without suffix becomes a folder of parts."""
    place = Path(path)
    kind = format or format_of(place)
    if kind not in EXTENSION:
        raise UsageError(f"unknown format {kind!r}; there are {', '.join(EXTENSION)}")
    with said_plainly(place):
        return _write_folder(place, job, kind) if _is_folder(place) else _write_file(place, job, kind)


def _is_folder(place: Path) -> bool:
    return place.is_dir() or not place.suffix


def _write_file(place: Path, job: Job, kind: str) -> Written:
    with whole_file(place) as file:
        rows = _FORMATS[kind](file, job)
    return Written(place, 1, rows, place.stat().st_size, kind)


def _write_folder(place: Path, job: Job, kind: str) -> Written:
    if place.is_dir() and any(place.iterdir()):
        raise OutputError(f"the folder {place} is not empty; name another, or remove it first")
    rows = files = 0
    with whole_folder(place) as folder:
        tasks = iter(job.tasks)
        for number, first in enumerate(tasks):
            part = folder / f"part-{number:05d}{EXTENSION[kind]}"
            some = replace(job, tasks=_some(first, tasks))
            with part.open("wb") as file:
                rows += _FORMATS[kind](file, some)
                _sync(file)
            files += 1
    return Written(place, files, rows, sum(part.stat().st_size for part in place.iterdir()), kind)


def _some(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    """Yield `first` and the next tasks of one part."""
    yield first
    for _, task in zip(range(BATCHES_PER_PART - 1), rest, strict=False):
        yield task


def _write_parquet(file: BinaryIO, job: Job) -> int:
    from gcr_fast.exchange.rowgroups import Encoder, FileWriter

    encoder = Encoder(job.schema)
    writer = FileWriter(file, job.schema, job.metadata)

    def encode(task: Any) -> tuple[Any, Any]:
        return task, encoder.encode(*job.columns(task))

    for task, group in ordered_map(encode, job.tasks, job.threads):
        if group.rows:
            writer.append(group)
        job.done(task)
    writer.close()
    return writer.rows


def _write_ipc(file: BinaryIO, job: Job) -> int:
    import pyarrow as pa

    rows = 0
    schema = job.schema.with_metadata(dict(job.metadata))
    with pa.ipc.new_file(file, schema) as writer:
        for task, batch in ordered_map(lambda task: (task, job.batch(task)), job.tasks, job.threads):
            writer.write_batch(batch)
            rows += batch.num_rows
            job.done(task)
    return rows


def _write_csv(file: BinaryIO, job: Job) -> int:
    import pyarrow as pa
    from pyarrow import csv

    def encode(task: Any) -> tuple[Any, int, pa.Buffer]:
        batch = job.batch(task)
        sink = pa.BufferOutputStream()
        csv.write_csv(batch, sink, csv.WriteOptions(include_header=False))
        return task, batch.num_rows, sink.getvalue()

    rows = 0
    file.write((",".join(job.schema.names) + "\n").encode())
    for task, count, text in ordered_map(encode, job.tasks, job.threads):
        file.write(text)
        rows += count
        job.done(task)
    return rows


_FORMATS: dict[str, Callable[[BinaryIO, Job], int]] = {
    "parquet": _write_parquet,
    "ipc": _write_ipc,
    "csv": _write_csv,
}


@contextmanager
def whole_file(place: Path) -> Iterator[BinaryIO]:
    """Open a hidden file beside `place`; rename it there, synced, if the block ends well; else leave nothing."""
    _sweep(place)
    partial, handle = _claim(place, lambda path: os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            _sync(file)
            partial.replace(place)
        _sync_folder(place.parent)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(place: Path) -> Iterator[Path]:
    """As `whole_file`, for a folder, which must be absent or empty."""
    _sweep(place)
    partial, handle = _claim(place, _new_folder)
    try:
        yield partial
        os.fsync(handle)
        partial.replace(place)
        _sync_folder(place.parent)
    finally:
        os.close(handle)
        shutil.rmtree(partial, ignore_errors=True)


def _claim(place: Path, create: Callable[[Path], int]) -> tuple[Path, int]:
    """Create and lock something new beside `place`; again, if a sweep took it for a leftover before it was locked."""
    while True:
        partial = _partial(place)
        handle = create(partial)
        _lock(handle)
        if partial.exists():
            return partial, handle
        os.close(handle)


def _new_folder(path: Path) -> int:
    path.mkdir()
    return os.open(path, os.O_RDONLY)


def _partial(place: Path) -> Path:
    return place.with_name(f".{place.name}.{secrets.token_hex(4)}{PARTIAL}")


def _sweep(place: Path) -> None:
    """Remove what killed processes left of earlier tries at the same destination: what nobody holds a lock on."""
    for old in place.parent.glob(f".{glob.escape(place.name)}.*{PARTIAL}"):
        with contextlib.suppress(OSError):
            handle = os.open(old, os.O_RDONLY)
            try:
                if _lock(handle):
                    shutil.rmtree(old) if old.is_dir() else old.unlink()
            finally:
                os.close(handle)


def _lock(handle: int) -> bool:
    """Lock an open file or folder until it is closed; False if somebody else has it, or locks are not known here."""
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every system lets a folder be opened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def said_plainly(place: Path) -> Iterator[None]:
    """Turn an operating system's refusal into one that says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"cannot write {place}: {reason}; nothing was left behind") from error
