"""`gcr demo`: everything that ships, converted and validated."""

import shlex

import duckdb
import pytest
from gcr_cli.demo import YEARS

from gcr_fast.accelerate import jit_enabled
from gcr_fast.shipped import shipped_years

compiled = pytest.mark.skipif(not jit_enabled(), reason="slow without compiled kernels")


@compiled
def test_demo(gcr, folder):
    shown = gcr("demo").stdout
    assert " 0 MWh" not in shown
    assert "gcr convert gcr-demo/certificates-2020.csv" in shown
    assert "duckdb -c" in shown
    assert sorted(path.name for path in (folder / "gcr-demo").iterdir()) == [
        "certificates-2019.csv", "certificates-2020.csv", "hourly-2019.parquet", "hourly-2020.parquet",
        "registry", "retired.html",
    ]  # fmt: skip


@compiled
def test_its_query_runs(gcr):
    shown = gcr("demo", "--year", "2019", "--out", "d").stdout
    query = shown.split('duckdb -c "')[1].rsplit('"', 1)[0]
    assert len(duckdb.sql(query).fetchall()) > 10


@compiled
def test_one_year_as_json_twice(gcr_json):
    for _ in range(2):  # results of an earlier demo are replaced
        said = gcr_json("demo", "--year", "2020", "--out", "d")
    assert said["ok"]
    assert said["conversions"][0]["totals"]["residual_wh"] == 0
    assert all(check["outcome"] != "failed" for check in said["validations"][0]["checks"])
    life = said["registry"]
    assert life["audit"]["ok"]
    assert life["statistics"]["energy_wh"] == said["conversions"][0]["totals"]["issued_wh"]
    assert life["statistics"]["by_status"]["RETIRED"]["energy_wh"] == life["retired"]["energy_wh"] > 0


@compiled
def test_what_it_shows_can_be_typed(gcr):
    shown = gcr("demo", "--year", "2020", "--out", "d").stdout
    typed = shown.split("The same by hand:")[1].split("With DuckDB:")[0].replace("\\\n", " ")
    for line in filter(None, map(str.strip, typed.splitlines())):
        gcr(*shlex.split(line)[1:])


@compiled
def test_a_registry_that_is_not_the_demos_is_left_alone(gcr, folder):
    (folder / "d").mkdir()
    gcr("init", "d/registry", "--name", "Mine")
    assert "is not the registry of an earlier demo" in gcr("demo", "--year", "2020", "--out", "d", code=1).stderr
    gcr("verify", "d/registry")


def test_misuse(gcr, folder):
    gcr("demo", "--year", "1999", code=2)
    (folder / "file").touch()
    assert "cannot make the folder" in gcr("demo", "--out", "file", code=1).stderr


def test_years_are_those_that_ship():
    assert [int(year) for year in YEARS] == shipped_years()
