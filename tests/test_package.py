"""The wheel: it holds everything, and what it holds works from an empty environment in another folder."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(
    ".*", "build", "dist", "*.egg-info", "__pycache__", "out", "tests", "benchmarks", "venv"
)


def run(*command, cwd):
    """Run a command with nothing of this project on its path."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy so that nothing is left in the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "source", ignore=LEFT_OUT)
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        folder,
        folder / "source",
        cwd=folder,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The scripts folder of an empty environment with the wheel; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    scripts = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    run(scripts / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    place = run(scripts / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    own = Path(sysconfig.get_path("purelib"))
    for entry in own.iterdir():  # all but this project, which is there as an editable install
        if "gcr" not in entry.name.lower() and not (Path(place) / entry.name).exists():
            (Path(place) / entry.name).symlink_to(entry)
    return scripts


def test_the_wheel_holds_every_module_and_data_file(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    for folder, package in (("gcr_fast", "gcr_fast"), ("cli", "gcr_cli"), ("data", "gcr_fast_data")):
        modules = [path.relative_to(ROOT / folder).as_posix() for path in (ROOT / folder).rglob("*.py")]
        assert modules
        assert {f"{package}/{module}" for module in modules} <= held
    assert "gcr_fast/py.typed" in held
    data = [path.name for path in (ROOT / "data").iterdir() if path.suffix in {".parquet", ".csv", ".json", ".md"}]
    assert len(data) >= 6
    assert {f"gcr_fast_data/{name}" for name in data} <= held
    assert any(name.endswith("licenses/LICENSE") or name.endswith("/LICENSE") for name in held)


def test_the_wheel_holds_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"gcr_fast", "gcr_cli", "gcr_fast_data"}


CONVERSION = """
import json
import gcr_fast as gcr
from gcr_fast.shipped import profiles_for, shipped_annual

annual = shipped_annual(2020)
profiles = profiles_for(annual)
conversion = gcr.convert(annual, profiles)
conversion.write("hours.parquet")
report = gcr.validate(annual, "hours.parquet", profiles)
print(json.dumps({"file": gcr.__file__, "version": gcr.__version__, "ok": report.ok, **report.totals}))
"""


def test_what_is_installed_converts_what_ships(installed, tmp_path):
    said = json.loads(run(installed / "python", "-c", CONVERSION, cwd=tmp_path))
    assert Path(said["file"]).is_relative_to(installed.parent)
    assert said["ok"]
    assert said["parents"] > 100
    assert said["issued_wh"] + said["residual_wh"] == said["energy_wh"]
    assert (tmp_path / "hours.parquet").exists()


def test_the_command_is_installed(installed, tmp_path):
    import gcr_fast

    assert gcr_fast.__version__ in run(installed / "gcr", "--version", cwd=tmp_path)
    assert "convert" in run(installed / "gcr", "--help", cwd=tmp_path)


def test_the_version_of_the_wheel_is_that_of_the_library(wheel):
    import gcr_fast

    assert f"-{gcr_fast.__version__}-" in wheel.name
