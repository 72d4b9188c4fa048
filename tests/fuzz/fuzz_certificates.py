"""Coverage-guided fuzzing of the certificate lists: `make fuzz`, for GCR_FUZZ_SECONDS.

An input is a file of a list. What is not a table or a refusal is a bug, and so is a table that does not have the energy
that a REGO report states.
"""

import os
import sys
import tempfile
from pathlib import Path

import atheris

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "sources" / "certificates"), str(HERE.parent)]

with atheris.instrument_imports(include=["gcr_fast.sources", "gcr_fast.certificates"]):
    import test_certificate_damage as damage

FOUND, SEEDS = HERE / "found", HERE / "seeds-certificates"


def one_input(data):
    """Read one input as a list; compare what a REGO report holds with what it states."""
    path = Path(FOLDER.name) / "list.csv"
    path.write_bytes(data)
    found = damage.accepted(path)
    if found is not None and found.files[0].format == "rego":
        damage.check(found, data)


if __name__ == "__main__":
    FOLDER = tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    FOUND.mkdir(exist_ok=True)
    SEEDS.mkdir(exist_ok=True)
    for name, content in damage.LISTS.items():
        (SEEDS / name.replace(" ", "-")).write_bytes(content.encode())
    seconds = int(os.environ.get("GCR_FUZZ_SECONDS", "300"))
    limits = [f"-max_total_time={seconds}", "-max_len=4096", "-rss_limit_mb=4096", "-timeout=60"]
    atheris.Setup([sys.argv[0], str(SEEDS), f"-artifact_prefix={FOUND}/", *limits, *sys.argv[1:]], one_input)
    atheris.Fuzz()
