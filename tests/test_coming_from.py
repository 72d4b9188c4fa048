"""The map from the older registry: every part of it has a row, and every row does what it says."""

import ast
import os
import re
import shlex
import shutil
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import walk_packages
from typing import NamedTuple

import pytest
from click.testing import CliRunner

import gcr_fast as gcr

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "coming-from.md").read_text()
COMMAND = "gcr "

THERE = {
    "AnnualCertificate": (
        "certificate_id", "total_mwh", "year", "source_type", "status", "issuer", "created_at", "metadata",
    ),
    "HourlyCertificate": (
        "certificate_id", "parent_certificate_id", "timestamp", "mwh", "source_type", "status", "owner", "metadata",
    ),
    "HourlyGenerationData": ("timestamp", "mwh", "source_type"),
    "CertificateTrade": (
        "trade_id", "certificate_ids", "from_owner", "to_owner", "trade_date", "price_per_mwh", "total_price",
        "metadata",
    ),
    "ConversionResult": (
        "annual_certificate", "hourly_certificates", "total_hours", "total_mwh_converted", "conversion_date",
        "validation_passed", "validation_errors",
    ),
    "Source types": ("solar", "wind", "hydro", "geothermal", "biomass", "other"),
    "Statuses": ("CANCELED", "ACTIVE", "TRADED", "RETIRED"),
    "Processor": ("load_hourly_data", "create_hourly_data_from_total", "convert_to_hourly"),
    "Validator": (
        "validate_conversion", "validate_hourly_certificate", "validate_annual_certificate", "totals within tolerance",
        "tolerance of 0.01 MWh", "year", "source type", "parent id", "duplicate timestamps", "id uniqueness", "status",
    ),
    "Registry": (
        "register an annual certificate", "register an hourly certificate", "register many", "find by id",
        "find by parent", "find by owner", "find by timestamp", "find by source", "find by date range", "statistics",
    ),
    "Trading": (
        "trade_certificates", "get_trade", "get_trades_by_owner", "get_trade_history", "trading statistics",
    ),
    "REST": (
        "POST /certificates/annual", "POST /certificates/convert", "GET /certificates/hourly",
        "GET /certificates/hourly/{id}", "POST /certificates/trade", "GET /certificates/validate/{id}",
        "GET /certificates/statistics", "GET /trades", "GET /trades/{id}",
    ),
}  # fmt: skip
"""Every field, source type, status, call and path of the older registry, by the section that has its row."""

WISHED = (
    "database", "persistence", "transaction log", "audit trail", "batch processing", "distributed processing",
    "caching", "users", "roles", "API keys", "signatures", "immutable log", "encryption", "access log",
    "anonymisation", "metrics", "streaming", "analytics", "multi-tenancy", "expiry", "bulk operations",
    "Docker image",
)  # fmt: skip
"""What was wished for there: each is here, or is said not to be."""


class Row(NamedTuple):
    """One row of a table of the page."""

    section: str
    there: str
    here: list[str]
    """Its expressions and commands."""
    outcome: str
    """The value at the head of the last column; empty if it states none."""
    cells: int


def spans(cell):
    return re.findall(r"`([^`]+)`", cell)


def rows_of(page):
    section = ""
    for line in page.splitlines():
        if line.startswith("#"):
            section = line.lstrip("# ")
        elif line.startswith("| ") and not line.startswith(("| there |", "| --- |")):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            stated = re.match(r"`([^`]+)`", cells[-1])
            yield Row(section, cells[0].replace("`", ""), spans(cells[1]), stated[1] if stated else "", len(cells))


ROWS = list(rows_of(PAGE))
MISSING = [row for row in ROWS if row.section.startswith("Not here")]
PRESENT = [row for row in ROWS if row not in MISSING]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Run the page's own preparation; return its folder and names."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    folder, names = tmp_path_factory.mktemp("prepared"), {}
    before = Path.cwd()
    os.chdir(folder)
    try:
        exec(code, names)
    finally:
        os.chdir(before)
    names.pop("registry").close()
    return folder, names


@pytest.fixture
def names(prepared, tmp_path, monkeypatch):
    """Be in a copy of the prepared folder; return the names that rows use, the registry opened anew."""
    folder, prepared_names = prepared
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    with gcr.Registry.open("registry") as registry:
        yield prepared_names | {"registry": registry}


def installed():
    """Return the command that is installed as `gcr`."""
    (command,) = entry_points(group="console_scripts", name="gcr")
    return command.load()


def ran(line):
    """Run a command line; return what it prints."""
    done = CliRunner().invoke(installed(), shlex.split(line)[1:])
    assert done.exit_code == 0, (line, done.output, done.exception)
    return done.output


def name_of(row):
    return f"{row.section}: {row.there}"


@pytest.mark.parametrize("row", PRESENT, ids=name_of)
def test_every_row_does_what_it_says(row, names):
    assert row.cells == 3, "a cell must not hold ` | `"
    assert row.here, "a row without anything to run belongs to what is not here yet"
    for each in row.here:
        result = ran(each) if each.startswith(COMMAND) else eval(each, names)
    if row.outcome and row.here[-1].startswith(COMMAND):
        assert row.outcome in result
    elif row.outcome:
        wanted = ast.literal_eval(row.outcome)
        assert (type(result), result) == (type(wanted), wanted)


@pytest.mark.parametrize("section", THERE)
def test_everything_of_the_older_registry_has_its_row(section):
    have = {row.there for row in PRESENT if row.section == section}
    assert [name for name in THERE[section] if name not in have] == []


def test_everything_wished_for_is_here_or_said_not_to_be():
    here = {row.there for row in PRESENT if row.section == "Wished for there"}
    missing = {row.there for row in MISSING}
    assert here | missing >= set(WISHED)
    assert here & missing == set()


def names_of_everything():
    """Return the modules, calls of the library and of a registry, commands, options and files at the top."""
    modules = [module.name for module in walk_packages(gcr.__path__, "gcr_fast.")]
    commands = installed().commands
    options = [option for command in commands.values() for param in command.params for option in param.opts]
    files = [path.name for path in ROOT.iterdir() if not path.name.startswith(".")]
    return [*modules, *gcr.__all__, *dir(gcr.Registry), *commands, *options, *files]


@pytest.fixture(scope="module")
def vocabulary():
    """Every word of every name, in lower case."""
    names = " ".join(names_of_everything())
    return set(re.findall("[a-z]+", re.sub("([a-z])([A-Z])", r"\1 \2", names).lower()))


@pytest.mark.parametrize("row", MISSING, ids=name_of)
def test_what_is_not_here_does_not_exist(row, vocabulary):
    """As soon as it does, the page has to be told."""
    assert row.cells == 3
    assert row.here
    assert [word for word in vocabulary if word.startswith(tuple(row.here))] == []


@pytest.mark.parametrize("word", ["trade", "expire", "parties", "merkle", "conversion", "certificate", "changelog"])
def test_what_is_here_would_be_found(word, vocabulary):
    assert word in vocabulary


def test_what_the_page_calls_new_is_all_that_is_new():
    """The source types and statuses that it lists beside the older ones are the rest of the vocabularies."""
    text = " ".join(PAGE.split())
    for vocabulary, old in ((gcr.codes.SOURCE_TYPES, "Source types"), (gcr.codes.STATUSES, "Statuses")):
        listed = text.split(f"## {old} ")[1].split("| there |")[0].replace("-", " ")
        words = [re.sub("(wind|hydro)_", "", word).replace("_", " ") for word in vocabulary if word not in THERE[old]]
        assert [word for word in words if word not in listed] == []
