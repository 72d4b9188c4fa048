"""The borders of ARCHITECTURE.md, each as a test."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = sorted((ROOT / "gcr_fast").rglob("*.py"))
FILE_MODULES = {"pyarrow.csv", "pyarrow.dataset", "pyarrow.parquet", "pyarrow.feather"}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_import_contracts_hold():
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_only_exchange_and_sources_open_data_files():
    guilty = {
        str(path.relative_to(ROOT))
        for path in LIBRARY
        if not {"exchange", "sources"} & set(path.parts) and FILE_MODULES & set(imported(path))
    }
    # the shipped package is ours, and its files are read by name and row group
    assert guilty <= {"gcr_fast/shipped.py"}


def modules_of(package):
    """Modules by name; doors, which import what is behind them when it is asked for, are left out."""
    paths = [path for path in (ROOT / package).rglob("*.py") if path.name != "__init__.py"]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}


def imports_among(modules, path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from modules.keys() & {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from modules.keys() & (inside | {node.module})


@pytest.mark.parametrize("packages", [("gcr_fast.registry", "gcr_fast.trading", "gcr_fast.bulk"), ("benchmarks",)])
def test_no_module_imports_itself_by_way_of_others_not_even_for_types(packages):
    everything = modules_of(packages[0].partition(".")[0])
    modules = {name: path for name, path in everything.items() if name.startswith(packages)}
    order = TopologicalSorter({name: set(imports_among(modules, path)) for name, path in modules.items()})
    order.prepare()  # names the modules of a circle


def test_no_kernel_uses_parallel_or_fastmath():
    for path in LIBRARY:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword):
                assert node.arg not in {"parallel", "fastmath"}, path


@pytest.mark.parametrize("statement", ["import gcr_fast", "import gcr_fast; gcr_fast.read_annual"])
def test_importing_the_library_loads_no_numba(statement):
    code = f"import sys; {statement}; print([m for m in ('numba', 'pyarrow.compute') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_door_is_sorted_and_complete():
    import gcr_fast

    assert gcr_fast.__all__ == sorted(gcr_fast.__all__)
    for name in gcr_fast.__all__:
        assert getattr(gcr_fast, name) is not None
    with pytest.raises(AttributeError):
        gcr_fast.no_such_name  # noqa: B018
