"""A folder with small inputs, and ways to run `gcr` in it."""

import json
import os
import pty
import subprocess
import sys

import pytest
from click.testing import CliRunner
from gcr_cli.main import main
from oracle.opsd import opsd

from gcr_fast.accelerate import jit_enabled

ANNUAL = """certificate_id,energy_mwh,year,zone,source_type,profile,status,purpose,owner
A-1,12.345678,2020,Europe/Vienna,solar,AT-2020-solar,CANCELED,conversion,Ada
A-2,1000,2020,Europe/Vienna,wind_onshore,AT-2020-wind_onshore,CANCELED,conversion,Bob
"""
REGOS = """Accreditation No.,Generating Station / Agent Group,Station TIC,Scheme,Country,Technology Group,\
Generation Type,Output Period,No. Of Certificates,Start Certificate No.,End Certificate No.,MWh Per Certificate,\
Issue Date,Certificate Status,Status Date,Current Holder Organisation Name,Company Registration Number
G09001FWSC,Example Wind,90000,REGO,Scotland,On-shore Wind,,Jan-2020,1000,G09001FWSC0000000000010120310120GEN,\
G09001FWSC0000000999010120310120GEN,1.0,05/03/2020,Redeemed,01/07/2020,Example Supply,01234567
G09001FWSC,Example Wind,90000,REGO,Scotland,On-shore Wind,,Feb-2020,500,G09001FWSC0000000000010220290220GEN,\
G09001FWSC0000000499010220290220GEN,1.0,05/04/2020,Issued,05/04/2020,Example Wind,
"""
BAD = """certificate_id,energy_mwh,year,zone,source_type,profile,status,purpose,owner
B-1,12.3456789,2020,Europe/Vienna,solar,AT-2020-solar,CANCELED,conversion,Ada
B-2,1000,2020,Europe/Vienna,wind_onshore,AT-2020-wind_onsore,ISSUED,conversion,Bob
"""


def hours_of_a_day(values, zone="Z"):
    """A long CSV of one day of hours."""
    rows = (f"2024-01-01T{hour:02d}:00{zone},{value}" for hour, value in enumerate(values))
    return "start,mine\n" + "\n".join(rows) + "\n"


@pytest.fixture
def day_of():
    """Return the text of a profile file: one row per value, hours of 1 January 2024."""
    return hours_of_a_day


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder: annual.csv is sound, bad.csv has three errors, generation.csv is a naive day in MWh."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "annual.csv").write_text(ANNUAL)
    (tmp_path / "bad.csv").write_text(BAD)
    (tmp_path / "regos.csv").write_text(REGOS)
    (tmp_path / "opsd.csv").write_text(opsd("2024-01-01", {"XX_solar_generation_actual": ["1.5"] * 24}))
    (tmp_path / "generation.csv").write_text(hours_of_a_day(range(24), zone=""))
    return tmp_path


@pytest.fixture
def gcr(folder):
    """Run a command in the folder; compare its exit code; never a traceback."""

    def run(*words, code=0):
        result = CliRunner().invoke(main, [str(word) for word in words])
        unplanned = result.exception is not None and not isinstance(result.exception, SystemExit)
        assert not unplanned, repr(result.exception)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def gcr_json(gcr):
    """Run a command with --json; return its one document."""
    return lambda *words, code=0: json.loads(gcr(*words, "--json", code=code).stdout)


@pytest.fixture
def process(folder):
    """Run `gcr` as a process of its own."""

    def run(*words, **options):
        command = [
            sys.executable,
            "-m",
            "gcr_cli.main",
            *(word if isinstance(word, bytes) else str(word) for word in words),
        ]
        environment = dict(os.environ)
        if not jit_enabled():  # plain NumPy warns of the overflow that the kernels rely on
            environment["PYTHONWARNINGS"] = "ignore::RuntimeWarning"
        return subprocess.run(
            command, capture_output=True, text=True, cwd=folder, env=environment, timeout=300, check=False, **options
        )

    return run


@pytest.fixture
def hourly(gcr):
    """The hours of annual.csv, converted."""
    gcr("convert", "annual.csv", "--profiles", "shipped", "--out", "hourly.parquet", "--quiet")
    return "hourly.parquet"


@pytest.fixture
def issued(gcr):
    """A registry with the hours of annual.csv: 4,824 of Ada's solar, 8,784 of Bob's wind; entries 1 to 4."""
    gcr("init", "registry", "--name", "Test", "--expiry-months", 18)
    gcr("issue", "registry", "annual.csv", "--profiles", "shipped", "--create-parties")
    return "registry"


@pytest.fixture
def registry(gcr, issued):
    """The same after a trade (entry 5) of 5 MWh from Ada to Bob, and a retirement (entry 6) of what she has left."""
    priced = ("--price", "45.50", "--currency", "EUR")
    gcr("trade", issued, "--seller", "Ada", "--buyer", "Bob", "--wh", 5_000_000, *priced)
    gcr("retire", issued, "--owner", "Ada", "--parent", "A-1", "--beneficiary", "Green <Ltd>", "--period", "2020")
    return issued


@pytest.fixture
def in_terminal(folder):
    """Run `gcr` on a pseudo-terminal."""

    def run(words):
        """Run `gcr` with stdout and stderr on a pseudo-terminal of 80 columns; return the exit code and the text."""
        here, there = pty.openpty()
        environment = {**os.environ, "COLUMNS": "80", "TERM": "xterm-256color"}
        running = subprocess.Popen(
            [sys.executable, "-m", "gcr_cli.main", *words],
            cwd=folder,
            stdout=there,
            stderr=there,
            stdin=there,
            env=environment,
        )
        os.close(there)
        text = b""
        while True:
            try:
                piece = os.read(here, 65_536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not piece:
                break
            text += piece
        os.close(here)
        return running.wait(timeout=300), text.decode()

    return run
