"""Every command and every line of code of the README does what it says."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
EXAMPLES = {"examples/smard-german.csv": "smard.csv", "certificates/regos.csv": "regos.csv"}
RESULTS = ROOT / "benchmarks" / "results.json"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands(name):
    lines = "\n".join(blocks("sh")).splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.startswith(f"{name} ")]


def test_make_targets_exist():
    wanted = {words[1] for words in commands("make")}
    assert wanted == {"demo", "test"}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert wanted <= targets


@pytest.mark.slow
def test_commands_run_one_after_another(tmp_path):
    gcr = Path(sys.executable).with_name("gcr")
    ran = commands("gcr")
    assert len(ran) >= 5
    for example, name in EXAMPLES.items():  # what a reader of the README has downloaded
        shutil.copy(ROOT / "tests" / "sources" / example, tmp_path / name)
    for words in ran:
        done = subprocess.run([gcr, *words[1:]], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (words, done.stderr)
    made = {"hourly.parquet", "solar.png", "registry", "statement.html", "proof.json", "trades.parquet"}
    made |= {"profiles.parquet", "gaps.png", "annual.parquet", "bundles.csv"}
    assert made <= {path.name for path in tmp_path.iterdir()}
    shown = run_python(blocks("python")[1], tmp_path)
    assert "hydro_reservoir" in shown
    assert "RETIRED" in shown
    assert "Blue River Power" in shown


def run_python(code, folder):
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_job_in_python_runs(tmp_path):
    job, _ = blocks("python")
    assert len(job.splitlines()) <= 15
    shown = run_python(job, tmp_path)
    assert "1000000000" in shown
    assert "250000251" in shown


def test_files_and_tests_that_the_readme_names_exist():
    for name in re.findall(r"`((?:tests|data|benchmarks|gcr_fast)/[\w./-]*|[A-Z]+\.md)`", README):
        assert (ROOT / name).exists(), name


def test_figures_are_those_of_the_benchmarks():
    """Each row of the table of figures is a line of RESULTS.md, word for word."""
    figures = README.split("## How fast")[1].split("\n## ")[0]
    rows = [line for line in figures.splitlines() if line.startswith("|")][2:]
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text()
    assert len(rows) >= 8
    assert [row for row in rows if row not in results] == []
    assert json.loads(RESULTS.read_text())
