"""`gcr schema`: the pages that the readers use, whole."""

import pytest

from gcr_fast import codes
from gcr_fast.schema import TABLES


@pytest.mark.parametrize("table", list(TABLES))
def test_every_column_is_shown(gcr, gcr_json, table):
    said = gcr_json("schema", table)["tables"][table]
    assert [column["name"] for column in said] == [column.name for column in TABLES[table]]
    shown = gcr("schema", table).stdout
    assert all(column.name in shown for column in TABLES[table])


def test_help_names_every_table(gcr):
    words = gcr("schema", "--help").stdout.replace(",", " ").replace(".", " ").split()
    assert set(TABLES) <= set(words)


def test_all_tables(gcr_json):
    assert list(gcr_json("schema")["tables"]) == list(TABLES)


def test_every_code_is_shown(gcr, gcr_json):
    said = gcr_json("schema", "--codes")
    assert [row["name"] for row in said["findings"]] == [finding.name for finding in codes.FINDINGS]
    assert said["source_types"] == list(codes.SOURCE_TYPES)
    shown = gcr("schema", "--codes").stdout
    words = (*codes.SOURCE_TYPES, *codes.STATUSES, *codes.PURPOSES, *codes.BASES)
    assert all(word in shown for word in (*words, *(finding.name for finding in codes.FINDINGS)))


def test_unknown_table(gcr):
    gcr("schema", "annuals", code=2)
