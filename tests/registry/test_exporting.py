"""Exports: whole or not at all, in every format, read by DuckDB, Polars and pandas; and the live registry."""

import errno
import json
import os

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from oracle.lively import NOW, parents
from pyarrow import csv, parquet

from gcr_fast import OutputError, UsageError
from gcr_fast.errors import GcrError
from gcr_fast.exchange import streams
from gcr_fast.registry import exporting
from gcr_fast.registry.entries import GENESIS
from gcr_fast.registry.exporting import EXPORTS
from gcr_fast.registry.registry import Registry
from gcr_fast.schema import arrow_schema

SUFFIXES = (".parquet", ".arrow", ".csv")


def plain(table):
    """Rows in which words are text, as every format gives them."""
    return table.cast(pa.schema([(f.name, f.type.value_type if is_words(f) else f.type) for f in table.schema]))


def is_words(field):
    return pa.types.is_dictionary(field.type)


def read(path, schema):
    """Read a file with pyarrow, CSV with the types that the table has."""
    if path.suffix == ".parquet":
        return parquet.read_table(path)
    if path.suffix == ".arrow":
        with pa.memory_map(str(path)) as source:
            return pa.ipc.open_file(source).read_all()
    kinds = {f.name: f.type.value_type if is_words(f) else f.type for f in schema}
    kinds = {name: pa.timestamp("ms", "UTC") if pa.types.is_timestamp(kind) else kind for name, kind in kinds.items()}
    options = csv.ConvertOptions(column_types=kinds, strings_can_be_null=True, quoted_strings_can_be_null=False)
    return csv.read_csv(path, convert_options=options)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("what", list(EXPORTS))
def test_every_table_comes_back_from_every_format(registry, tmp_path, what, suffix):
    path = tmp_path / f"out{suffix}"
    written = registry.export(what, path)
    schema, batches = EXPORTS[what](registry)
    wanted = plain(pa.Table.from_batches(list(batches), schema))
    found = plain(read(path, schema))
    assert found.to_pylist() == wanted.to_pylist()
    assert (written.rows, written.bytes, written.files) == (wanted.num_rows, path.stat().st_size, 1)
    assert wanted.num_rows


def test_certificates_are_those_of_the_query(registry, tmp_path):
    registry.export("certificates", tmp_path / "all.parquet")
    assert plain(parquet.read_table(tmp_path / "all.parquet")).equals(plain(registry.query().to_table()))
    filters = {"owner": "North", "status": "ACTIVE"}
    registry.export("certificates", tmp_path / "some.parquet", certificate_ids=True, **filters)
    some = registry.query(**filters).to_table(certificate_ids=True)
    assert plain(parquet.read_table(tmp_path / "some.parquet")).equals(plain(some))
    assert some["certificate_id"][0].as_py().startswith("HOURLY-")


def test_parents_come_with_the_entry_that_issued_them(registry, tmp_path):
    registry.issue(*parents({"certificate_id": "LATER"}))
    registry.export("parents", tmp_path / "p.parquet")
    rows = parquet.read_table(tmp_path / "p.parquet").to_pylist()
    issues = [record.seq for record in registry.journal.entries(kinds=("issue",))]
    assert [row["entry"] for row in rows] == [*[issues[0]] * 5, issues[1]]
    assert rows[-1]["certificate_id"] == "LATER"
    assert sum(row["issued_wh"] for row in rows) == registry.query().energy_wh


def test_trades_name_both_parties_and_a_price_of_0_is_a_price(registry, tmp_path):
    registry.export("trades", tmp_path / "t.parquet")
    rows = parquet.read_table(tmp_path / "t.parquet").to_pylist()
    assert [(row["seller"], row["buyer"]) for row in rows] == [
        ("North", "Trader"),
        ("Trader", "South"),
        ("South", "North"),
    ]
    assert [row["price_minor_per_mwh"] for row in rows] == [4500, 0, None]
    assert [row["total_minor"] for row in rows] == [4500, 0, None]
    assert [row["key"] for row in rows] == ["k1", None, None]


def test_the_journal_chains(registry, tmp_path):
    registry.export("journal", tmp_path / "j.parquet")
    rows = parquet.read_table(tmp_path / "j.parquet").to_pylist()
    assert [row["entry"] for row in rows] == list(range(1, registry.position + 1))
    assert [row["previous_hash"] for row in rows] == [GENESIS.hex(), *(row["hash"] for row in rows[:-1])]
    assert rows[-1]["hash"] == registry.head().hash
    retired = next(row for row in rows if row["kind"] == "retire")
    assert json.loads(retired["texts"]) == {"beneficiary": "Bakery", "purpose": "2024"}
    assert (retired["from_party"], retired["to_party"]) == ("North", None)


def test_a_journal_longer_than_a_batch_is_whole(registry, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "BATCH_ENTRIES", 4)
    monkeypatch.setattr(streams, "GROUP_ROWS", 8)
    registry.export("journal", tmp_path / "j.parquet")
    file = parquet.ParquetFile(tmp_path / "j.parquet")
    assert file.num_row_groups == -(-registry.position // 8)
    assert file.read()["entry"].to_pylist() == list(range(1, registry.position + 1))


def test_certificates_are_written_batch_by_batch(registry, tmp_path, monkeypatch):
    from gcr_fast.registry import selection

    monkeypatch.setattr(selection.Selection.batches, "__defaults__", (50,))
    monkeypatch.setattr(streams, "GROUP_ROWS", 60)
    registry.export("certificates", tmp_path / "c.parquet")
    file = parquet.ParquetFile(tmp_path / "c.parquet")
    assert file.num_row_groups > 2
    assert plain(file.read()).equals(plain(registry.query().to_table()))


def test_an_empty_registry_exports_empty_tables(tmp_path):
    with Registry.create(tmp_path / "r", clock=lambda: NOW) as registry:
        for what in EXPORTS:
            for suffix in SUFFIXES:
                rows = 1 if what == "journal" else 0
                assert registry.export(what, tmp_path / f"{what}{suffix}").rows == rows
            assert parquet.read_table(tmp_path / f"{what}.parquet").num_rows == rows


def test_a_reader_exports_what_is_committed(registry, tmp_path):
    with Registry.open(registry.folder, read_only=True) as reader:
        registry.add_party("New")
        reader.export("journal", tmp_path / "j.csv")
    assert (tmp_path / "j.csv").read_text().count("\n") == registry.position + 1


@pytest.mark.parametrize("table", ["journal", "trades"])
def test_the_schema_has_every_exported_column(registry, table):
    schema, _ = EXPORTS[table](registry)
    assert schema.equals(arrow_schema(table))


def test_arrow_files_are_compressed(registry, tmp_path):
    registry.issue(*parents({"certificate_id": "YEAR", "energy_wh": 10**9}, hours=8784))
    sizes = {suffix: registry.export("certificates", tmp_path / f"c{suffix}").bytes for suffix in SUFFIXES}
    assert sizes[".arrow"] < registry.query().to_table().nbytes / 5
    assert sizes[".arrow"] < sizes[".csv"] / 10


# --- refusals


@pytest.mark.parametrize(
    ("what", "name", "options"),
    [
        ("certificate", "x.parquet", {}),
        ("trades", "x.xlsx", {}),
        ("trades", "folder", {}),
        ("trades", "x.csv", {"owner": "North"}),
        ("certificates", "x.csv", {"owner": "Norht"}),
    ],
)
def test_what_cannot_be_exported_is_refused_and_leaves_nothing(registry, tmp_path, what, name, options):
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(UsageError):
        registry.export(what, out / name, **options)
    assert not list(out.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_leaves_the_earlier_file_as_it_was(registry, tmp_path, suffix, monkeypatch):
    path = tmp_path / f"c{suffix}"
    path.write_bytes(b"earlier")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("gcr_fast.exchange.writing._sync", full)
    with pytest.raises(OutputError, match="No space left"):
        registry.export("certificates", path)
    assert path.read_bytes() == b"earlier"
    assert sorted(one.name for one in tmp_path.iterdir()) == [f"c{suffix}", "copy"]


def test_a_failure_half_way_leaves_nothing(registry, tmp_path):
    def batches():
        yield from registry.query().batches()
        raise GcrError("stop")

    for suffix in SUFFIXES:
        with pytest.raises(GcrError, match="stop"):
            streams.write_stream(tmp_path / f"c{suffix}", registry.query().schema(), batches())
    assert [one.name for one in tmp_path.iterdir()] == ["copy"]


def test_a_folder_that_does_not_exist_is_an_output_error(registry, tmp_path):
    with pytest.raises(OutputError, match="nothing was left behind"):
        registry.export("trades", tmp_path / "no" / "t.csv")


# --- others read it


@pytest.fixture
def wanted(registry):
    table = registry.query().group_by("owner", "status")
    return {(row["owner"], row["status"]): row["energy_wh"] for row in table.to_pylist()}


def test_duckdb_reads_the_exports(registry, tmp_path, wanted):
    query = "SELECT owner, status, sum(energy_wh)::BIGINT FROM {} GROUP BY ALL"
    for suffix, source in ((".parquet", "'{}'"), (".csv", "'{}'")):
        path = tmp_path / f"c{suffix}"
        registry.export("certificates", path)
        rows = duckdb.sql(query.format(source.format(path))).fetchall()
        assert {(owner, status): wh for owner, status, wh in rows} == wanted
    registry.export("journal", tmp_path / "j.parquet")
    said = "SELECT texts->>'beneficiary' FROM '{}' WHERE kind = 'retire' ORDER BY entry"
    assert duckdb.sql(said.format(tmp_path / "j.parquet")).fetchall() == [("Bakery",), ("Mill",)]


def test_duckdb_polars_and_pandas_read_the_live_registry(registry, wanted):
    live = registry.query()
    assert live.count
    rows = duckdb.sql("SELECT owner, status, sum(energy_wh)::BIGINT FROM live GROUP BY ALL").fetchall()
    assert {(owner, status): wh for owner, status, wh in rows} == wanted
    frame = pl.DataFrame(registry.query()).group_by("owner", "status").agg(pl.col("energy_wh").sum())
    assert {(row["owner"], row["status"]): row["energy_wh"] for row in frame.to_dicts()} == wanted
    table = pd.DataFrame.from_arrow(registry.query())
    sums = table.groupby(["owner", "status"], observed=True)["energy_wh"].sum()
    assert {key: int(wh) for key, wh in sums.items()} == wanted


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_polars_and_pandas_read_the_exports(registry, tmp_path, wanted, suffix):
    path = tmp_path / f"c{suffix}"
    registry.export("certificates", path)
    frame = {".parquet": pl.read_parquet, ".arrow": pl.read_ipc, ".csv": pl.read_csv}[suffix](path)
    sums = frame.group_by("owner", "status").agg(pl.col("energy_wh").sum()).to_dicts()
    assert {(row["owner"], row["status"]): row["energy_wh"] for row in sums} == wanted
    table = {".parquet": pd.read_parquet, ".arrow": pd.read_feather, ".csv": pd.read_csv}[suffix](path)
    sums = table.groupby(["owner", "status"], observed=True)["energy_wh"].sum()
    assert {key: int(wh) for key, wh in sums.items()} == wanted
