"""Row groups laid together from parts that were encoded once: every reader must see the rows that went in."""

import io

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcr_fast.exchange import rowgroups
from gcr_fast.exchange.rowgroups import Encoder, FileWriter, Repeat, Runs

SCHEMA = pa.schema(
    [
        pa.field("production_start", pa.timestamp("ms", "UTC"), nullable=False),
        pa.field("interval_s", pa.int32(), nullable=False),
        pa.field("energy_wh", pa.int64(), nullable=False),
        pa.field("parent_certificate_id", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("owner", pa.dictionary(pa.int32(), pa.string())),
    ]
)
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)


def times(milliseconds):
    return pa.array(milliseconds, pa.timestamp("ms", "UTC"))


def write(groups, metadata=None, encoder=None):
    """Lay groups of (rows, columns) into one file in memory."""
    sink, encoder = io.BytesIO(), encoder or Encoder(SCHEMA)
    writer = FileWriter(sink, SCHEMA, metadata or {})
    for rows, columns in groups:
        group = encoder.encode(rows, columns)
        if group.rows:
            writer.append(group)
    writer.close()
    return sink.getvalue()


def spelled_out(column):
    """The values that a column description stands for."""
    if isinstance(column, Runs):
        values = column.values.to_pylist()
        return [values[code] for code, count in zip(column.codes, column.counts, strict=True) for _ in range(count)]
    if isinstance(column, tuple):
        return [value for part in column for _ in range(part.times) for value in part.make().to_pylist()]
    return column.to_pylist()


@st.composite
def runs(draw, rows, values):
    """Runs of some values that together have `rows` rows; some values or runs may be empty."""
    distinct = draw(st.lists(values, min_size=1, max_size=9, unique=True))
    cuts = sorted(draw(st.lists(st.integers(0, rows), max_size=12)))
    counts = np.diff([0, *cuts, rows])
    codes = draw(st.lists(st.integers(0, len(distinct) - 1), min_size=len(counts), max_size=len(counts)).map(np.array))
    return codes, counts, distinct


@st.composite
def groups(draw):
    """One row group in all the ways in which its columns may be described."""
    widths = draw(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 4)), min_size=1, max_size=3))
    starts = tuple(
        Repeat((mark, width), width, count, lambda first=mark, n=width: times([1000 * first + t for t in range(n)]))
        for mark, (width, count) in enumerate(widths)
    )
    rows = sum(width * count for width, count in widths)
    codes, counts, steps = draw(runs(rows, st.integers(-(1 << 31), (1 << 31) - 1)))
    names = draw(runs(rows, st.text(max_size=6)))
    owners = draw(runs(rows, st.text(max_size=6)))
    owner = Runs(owners[0], owners[1], pa.array(owners[2], pa.string()))
    if draw(st.booleans()):
        texts = draw(st.lists(st.none() | st.text(max_size=3), min_size=rows, max_size=rows))
        owner = pa.array(texts, pa.string()).dictionary_encode()
    columns = {
        "production_start": starts if draw(st.booleans()) else times([7 * t for t in range(rows)]),
        "interval_s": Runs(codes, counts, pa.array(steps, pa.int32())),
        "energy_wh": pa.array(draw(st.lists(INT64, min_size=rows, max_size=rows)), pa.int64()),
        "parent_certificate_id": Runs(names[0], names[1], pa.array(names[2], pa.string())),
        "owner": owner,
    }
    return rows, columns


@given(st.lists(groups(), max_size=4))
def test_what_goes_in_is_read_back(drawn):
    data = write(drawn)
    table = pq.read_table(io.BytesIO(data))
    assert table.schema.equals(SCHEMA)
    for name in SCHEMA.names:
        wanted = [value for _, columns in drawn for value in spelled_out(columns[name])]
        assert table[name].to_pylist() == wanted
    assert pq.ParquetFile(io.BytesIO(data)).num_row_groups == len(drawn)


@given(st.lists(groups(), min_size=1, max_size=3))
def test_statistics_hold_and_are_reached(drawn):
    file = pq.ParquetFile(io.BytesIO(write(drawn)))
    assert file.metadata.num_rows == sum(rows for rows, _ in drawn)
    for number, (rows, columns) in enumerate(drawn):
        group = file.metadata.row_group(number)
        assert group.num_rows == rows
        for place, name in enumerate(SCHEMA.names):
            chunk = group.column(place)
            assert chunk.num_values == rows
            if name not in ("energy_wh", "production_start"):
                continue
            values = spelled_out(columns[name])
            assert (chunk.statistics.min, chunk.statistics.max) == (min(values), max(values))
            assert chunk.statistics.null_count == 0


@given(groups())
def test_polars_reads_the_same(drawn):
    rows, columns = drawn
    frame = pl.read_parquet(io.BytesIO(write([drawn])))
    assert frame.height == rows
    for name in SCHEMA.names:
        assert frame[name].to_list() == spelled_out(columns[name])


def sample(parents, hours=24, first=0):
    """A plain group of `parents` parents, each of `hours` hours."""
    rows = parents * hours
    names = [f"parent {first + number:05d}" for number in range(parents)]
    return rows, {
        "production_start": (Repeat("day", hours, parents, lambda: times([3_600_000 * h for h in range(hours)])),),
        "interval_s": Runs(np.array([0]), np.array([rows]), pa.array([3600], pa.int32())),
        "energy_wh": pa.array(np.arange(rows) + first, pa.int64()),
        "parent_certificate_id": Runs(np.arange(parents), np.full(parents, hours), pa.array(names)),
        "owner": Runs(np.array([0]), np.array([rows]), pa.array(["Alice"])),
    }


@pytest.mark.parametrize("parents", [1, 2, 3, 255, 256, 257, 1000])
def test_any_number_of_parents_in_a_group(tmp_path, parents):
    (tmp_path / "x.parquet").write_bytes(write([sample(parents)]))
    query = (
        f"SELECT parent_certificate_id AS p, count(*), min(energy_wh) FROM '{tmp_path / 'x.parquet'}' "
        "GROUP BY p ORDER BY p"
    )
    wanted = [(f"parent {number:05d}", 24, 24 * number) for number in range(parents)]
    assert duckdb.sql(query).fetchall() == wanted
    assert pl.read_parquet(tmp_path / "x.parquet")["parent_certificate_id"].to_list() == [
        name for name, count, _ in wanted for _ in range(count)
    ]


@pytest.mark.slow
def test_indices_of_more_than_two_bytes():
    rows, columns = sample(70_000, hours=1)
    table = pq.read_table(io.BytesIO(write([(rows, columns)])))
    assert table["parent_certificate_id"].to_pylist() == spelled_out(columns["parent_certificate_id"])


def test_a_column_of_many_pages():
    rows = 400_000  # over 1 MB of energy: several data pages
    _, columns = sample(1)
    columns = columns | {
        "production_start": (Repeat("many", 1000, 400, lambda: times(range(1000))),),
        "interval_s": Runs(np.array([0]), np.array([rows]), pa.array([3600], pa.int32())),
        "energy_wh": pa.array(np.random.default_rng(1).integers(0, 1 << 51, rows)),
        "parent_certificate_id": Runs(np.array([0]), np.array([rows]), pa.array(["P"])),
        "owner": pa.DictionaryArray.from_arrays(pa.array([0, None] * (rows // 2), pa.int32()), ["Alice"]),
    }
    table = pq.read_table(io.BytesIO(write([(rows, columns)] * 2)))
    assert table["energy_wh"].combine_chunks()[rows:].equals(columns["energy_wh"])
    assert table["owner"].null_count == rows
    starts = table["production_start"].cast(pa.int64()).to_numpy()
    assert (starts == np.tile(np.arange(1000), 800)).all()


def test_a_repeated_part_is_encoded_once():
    made = []

    def make():
        made.append(1)
        return times(range(24))

    def group():
        rows, columns = sample(3)
        return rows, columns | {"production_start": (Repeat("day", 24, 3, make),)}

    encoder = Encoder(SCHEMA)
    write([group(), group()], encoder=encoder)
    write([group()], encoder=encoder)
    assert len(made) == 1


def test_kept_parts_are_forgotten_before_they_fill_the_memory(monkeypatch):
    monkeypatch.setattr(rowgroups, "KEPT_PAGES", 2)
    rows, columns = sample(1)
    numbered = [
        (rows, columns | {"production_start": (Repeat(n, 24, 1, lambda n=n: times(range(n, n + 24))),)})
        for n in (1, 2, 3, 4, 1, 2)
    ]
    encoder = Encoder(SCHEMA)
    table = pq.read_table(io.BytesIO(write(numbered, encoder=encoder)))
    assert table["production_start"].cast(pa.int64()).to_pylist()[::24] == [1, 2, 3, 4, 1, 2]
    assert len(encoder._kept) <= 2


def test_groups_beyond_the_last_ordinal_are_read(monkeypatch):
    monkeypatch.setattr(rowgroups, "MAX_ORDINAL", 2)
    data = write([sample(1, first=n) for n in range(6)])
    assert pq.ParquetFile(io.BytesIO(data)).num_row_groups == 6
    assert pq.read_table(io.BytesIO(data))["energy_wh"].to_pylist()[::24] == list(range(6))
    assert pl.read_parquet(io.BytesIO(data)).height == 144


def test_a_reader_may_skip_groups_by_their_statistics(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_bytes(write([sample(4, first=100 * n) for n in range(5)]))
    for query, wanted in [
        ("parent_certificate_id = 'parent 00201'", 24),
        ("energy_wh = 450", 1),
        ("energy_wh < 100", 96),
        ("production_start >= TIMESTAMPTZ '1970-01-01 12:00:00+00'", 12 * 4 * 5),
        ("production_start > TIMESTAMPTZ '1970-01-02 00:00:00+00'", 0),
    ]:
        assert duckdb.sql(f"SELECT count(*) FROM '{path}' WHERE {query}").fetchall() == [(wanted,)]


def test_a_file_without_rows_has_its_schema_and_metadata():
    data = write([], {"gcr_fast.method": "cumulative"})
    file = pq.ParquetFile(io.BytesIO(data))
    assert file.num_row_groups == file.metadata.num_rows == 0
    assert file.schema_arrow.equals(SCHEMA)
    assert file.schema_arrow.metadata == {b"gcr_fast.method": b"cumulative"}
    assert pl.read_parquet(io.BytesIO(data)).height == 0


def test_sizes_in_the_footer_are_those_of_the_file():
    data = write([sample(40), sample(7, first=50)])
    metadata = pq.ParquetFile(io.BytesIO(data)).metadata
    at = len(rowgroups.MAGIC)
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        packed = unpacked = 0
        for place in range(group.num_columns):
            chunk = group.column(place)
            first = chunk.dictionary_page_offset if chunk.has_dictionary_page else chunk.data_page_offset
            assert first == at
            at += chunk.total_compressed_size
            packed += chunk.total_compressed_size
            unpacked += chunk.total_uncompressed_size
        assert group.total_byte_size == unpacked
        assert packed > 0
    assert data[at:][-4:] == rowgroups.MAGIC
    assert len(data) - at == metadata.serialized_size + 8
