"""Fixtures that several test files share, and how Hypothesis is run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from gcr_fast import RefusedError, accelerate

settings.register_profile(
    "project",
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("project")

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data():
    """The folder of real data, which is not part of the project."""
    folder = Path(os.environ.get("GCR_TEST_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; name its folder in GCR_TEST_DATA")
    return folder


@pytest.fixture
def write(tmp_path):
    """Write a file of text or bytes; return its path."""

    def written(content, name="input.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


@pytest.fixture
def refusal():
    """Call something that must be refused; return its findings as dictionaries, in the order they come in."""

    def findings_of(call, *args, **options):
        with pytest.raises(RefusedError) as caught:
            call(*args, **options)
        return caught.value.findings.to_pylist()

    return findings_of


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 3 MB, where this system lets one be made."""
    place = tmp_path / "small"
    place.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    command = [mount, "-t", "tmpfs", "-o", "size=3m", "tmpfs", place]
    if not (mount and umount) or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run([umount, "-l", place], check=True)  # a test that failed still has files of it mapped


@pytest.fixture(autouse=True, scope="session")
def kernels_compiled_from_the_first_entry():
    """Small arrays would be computed by the plain functions: the tests mean the compiled ones."""
    accelerate.PLAIN_ENTRIES = -1
