"""Coverage-guided fuzzing of every reader: `make fuzz`, for GCR_FUZZ_SECONDS.

The first byte of an input chooses the example whose name and options it is read under; the rest is the file. What is
not a result or a refusal is a bug, and atheris leaves the input that shows it in tests/fuzz/found/.
"""

import os
import sys
import tempfile
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "sources"), str(HERE.parent)]

with atheris.instrument_imports(include=["gcr_fast.sources", "gcr_fast.units", "gcr_fast.periods"]):
    import corpus
    import test_mutations

FOUND, SEEDS = HERE / "found", HERE / "seeds"


def seeds():
    """Write each example as an input: its number among them, then its bytes."""
    SEEDS.mkdir(exist_ok=True)
    for number, path in enumerate(corpus.EXAMPLES):
        (SEEDS / path.name).write_bytes(bytes([number]) + path.read_bytes())


def one_input(data):
    """Read one input as the file that its first byte names."""
    if len(data) > 1:
        path = corpus.EXAMPLES[data[0] % len(corpus.EXAMPLES)]
        test_mutations.read_or_refuse(FOLDER.name, path, data[1:])


if __name__ == "__main__":
    FOLDER = tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    FOUND.mkdir(exist_ok=True)
    seeds()
    seconds = int(corpus.fuzz_seconds(300))
    limits = [f"-max_total_time={seconds}", "-max_len=16384", "-rss_limit_mb=4096", "-timeout=60"]
    atheris.Setup([sys.argv[0], str(SEEDS), f"-artifact_prefix={FOUND}/", *limits, *sys.argv[1:]], one_input)
    atheris.Fuzz()
