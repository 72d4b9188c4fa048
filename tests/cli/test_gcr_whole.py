"""What holds for every command: help, examples, widths, speed of `--help`, processes, signals."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import click
import pytest
from gcr_cli.main import main

from gcr_fast import __version__
from gcr_fast.accelerate import jit_enabled


def commands(group=main, path=()):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = {" ".join(path): command for path, command in commands()}


@pytest.mark.parametrize("name", list(ALL))
def test_help_ends_in_an_example_that_runs(gcr, name):
    shown = gcr(*name.split(), "--help").stdout
    example = ALL[name].example
    assert shown.rstrip().endswith(example)
    assert example.startswith(f"gcr {name} ")
    if name == "demo" and not jit_enabled():
        pytest.skip("slow without compiled kernels")
    for before in _needed(name):
        gcr(*shlex.split(ALL[before].example)[1:])
    gcr(*shlex.split(example)[1:])


def _needed(name):
    """The commands whose examples come before that of a command."""
    if name in {"validate", "exchange write"}:
        return ["convert"]
    if name == "exchange read":
        return ["convert", "exchange write"]
    if "registry" not in ALL[name].example or name == "init":
        return []
    first = {"release": ["reserve"], "unlock": ["lock"], "claim": ["retire"], "statement": ["retire"]}
    return ["init", *([] if name == "issue" else ["issue", *first.get(name, [])])]


@pytest.mark.parametrize("name", list(ALL))
def test_every_option_has_help(name):
    options = [param for param in ALL[name].params if isinstance(param, click.Option)]
    assert all(option.help for option in options)
    assert any(option.name == "as_json" for option in options)


@pytest.mark.parametrize(
    "words",
    [
        ("convert", "annual.csv", "--profiles", "shipped", "--out", "h.parquet"),
        ("validate", "hourly.parquet", "--annual", "annual.csv"),
        ("profiles", "list"),
        ("profiles", "show", "BE-2020-hydro_pumped_storage"),
        ("profiles", "check", "generation.csv", "--zone", "UTC"),
        ("schema",),
        ("schema", "--codes"),
        ("query", "registry"),
        ("query", "registry", "--group-by", "month", "--group-by", "status"),
        ("stats", "registry"),
        ("parties", "list", "registry"),
        ("info", "registry"),
        ("info", "registry", "A-1"),
        ("info", "registry", "HOURLY-A-1-2020060112"),
        ("history", "registry", "HOURLY-A-1-2020060112"),
        ("trades", "registry"),
        ("trades", "registry", "5"),
        ("trades", "registry", "--stats"),
        ("statement", "registry", "6"),
        ("verify", "registry"),
        ("prove", "registry", "HOURLY-A-1-2020060112"),
        ("audit", "registry"),
    ],
)
@pytest.mark.usefixtures("hourly", "registry")
def test_tables_fit_80_columns(gcr, words):
    assert max(len(line) for line in gcr(*words).stdout.splitlines()) <= 80


@pytest.mark.parametrize("name", list(ALL))
def test_help_fits_80_columns(gcr, name):
    assert max(len(line) for line in gcr(*name.split(), "--help").stdout.splitlines()) <= 80


def test_version(gcr):
    assert __version__ in gcr("--version").stdout


def test_unknown_command(gcr):
    gcr("konvert", code=2)


HEAVY = ("numba", "numpy", "pyarrow", "rich", "matplotlib", "gcr_fast_data")


@pytest.mark.parametrize(
    "words", [["--help"], ["convert", "--help"], ["demo", "--help"], ["--version"], ["trade", "--help"]]
)
def test_help_loads_nothing_heavy(words):
    program = (
        "import sys; from gcr_cli.main import main\n"
        f"try: main({words!r})\n"
        f"except SystemExit: print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stderr.strip() == "[]"


def test_help_is_quick(process):
    """Beside Python that only imports click: about twice its time, on any machine."""

    def seconds(run):
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    bare = [sys.executable, "-c", "import click"]
    taken = [(seconds(lambda: process("--help")), seconds(lambda: subprocess.run(bare, check=True))) for _ in range(5)]
    ours, clicks = (min(each) for each in zip(*taken, strict=True))
    assert ours < 5 * clicks


def test_as_a_process(process):
    done = process("convert", "annual.csv", "--profiles", "shipped", "--out", "h.parquet", "--json")
    assert (done.returncode, done.stderr) == (0, "")  # no progress where nobody watches
    assert json.loads(done.stdout)["ok"]
    refused = process("convert", "bad.csv", "--profiles", "shipped", "--out", "h2.parquet")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert process("convert").returncode == 2


def test_closed_pipe_is_quiet(folder):
    command = f"{shlex.quote(sys.executable)} -m gcr_cli.main schema | head -n 1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=folder, check=False)
    assert result.stderr == ""
    assert "annual" in result.stdout


@pytest.mark.parametrize("words", [["profiles", "show", "AT-2020-solar"], ["convert", "u.csv", "--out", "h.csv"]])
def test_a_terminal_that_is_not_utf8(folder, words):
    (folder / "u.csv").write_text("certificate_id,energy_mwh,year,status\nÄ,1,2020,ISSUED\n", encoding="utf-8")
    words = [*words, "--profile-from-total", "flat"] if words[0] == "convert" else words
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "gcr_cli.main", *words]
    for more in ([], ["--json"]):
        done = subprocess.run([*command, *more], cwd=folder, capture_output=True, env=environment, check=False)
        assert b"Traceback" not in done.stderr


def test_interrupt_is_130(folder, monkeypatch, gcr):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("gcr_fast.annual.read_annual", interrupted)
    result = gcr("convert", "annual.csv", "--profiles", "shipped", "--out", "h.parquet", code=130)
    assert "interrupted" in result.stderr


@pytest.mark.skipif(not jit_enabled(), reason="slow without compiled kernels")
def test_interrupted_process_leaves_nothing(folder):
    rows = "".join(f"L-{row},1,2020,CANCELED,conversion\n" for row in range(20_000))
    (folder / "large.csv").write_text("certificate_id,energy_mwh,year,status,purpose\n" + rows)
    words = ["convert", "large.csv", "--profile-from-total", "flat", "--out", "h.csv"]
    running = subprocess.Popen([sys.executable, "-m", "gcr_cli.main", *words], cwd=folder, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list(folder.glob(".h.csv.*")):
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=120)
    assert running.returncode == 130
    assert b"Traceback" not in said
    assert not list(folder.glob("*h.csv*"))
    assert not list(folder.glob(".h.csv*"))


def test_progress_shows_in_a_terminal(folder, in_terminal):
    rows = "".join(f"P-{row},1,2020-0{1 + row % 9},CANCELED,conversion\n" for row in range(3))
    (folder / "some.csv").write_text("certificate_id,energy_mwh,year,status,purpose\n" + rows)
    words = ["convert", "some.csv", "--profile-from-total", "flat", "--out", "h.parquet"]
    code, text = in_terminal(words)
    assert code == 0
    assert "converting" in text
    code, text = in_terminal([*words, "--quiet"])
    assert (code, text) == (0, "")
    code, text = in_terminal([*words, "--json"])
    assert json.loads(text)["ok"]


def test_colour_only_in_a_terminal(in_terminal, gcr):
    _, text = in_terminal(["profiles", "show", "AT-2020-solar"])
    assert "\x1b[48;5;" in text
    assert "\x1b" not in gcr("profiles", "show", "AT-2020-solar").stdout
