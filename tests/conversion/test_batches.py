"""Batches: their borders, what they share, and the ids that are made on demand."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from oracle.conversion import DAY, HOUR, START, annual_table, hours_of, profile_table, series

import gcr_fast as gcr
from gcr_fast.conversion import batches
from gcr_fast.conversion.booking import apportion
from gcr_fast.errors import ConservationError
from gcr_fast.kernels import apportion as kernels

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # wrapping is meant

WORDS = ("parent_certificate_id", "source_type", "status", "allocation_basis", "owner")


@pytest.fixture
def batch_rows(monkeypatch):
    return lambda rows: monkeypatch.setattr(batches, "BATCH_ROWS", rows)


def many(count, days=1, *, energy=10_000, **options):
    """Certificates that share one profile; owners differ in pairs."""
    rows = [{"energy_wh": energy + n, "end": START + days * DAY, "owner": f"owner {n // 2}"} for n in range(count)]
    return gcr.convert(
        annual_table(*rows), profile_table({"p": series([1 + n % 7 for n in range(24 * days)])}), **options
    )


def address(array):
    """Where an array's last buffer is, and where its values begin in it."""
    return array.buffers()[-1].address, array.offset


def test_dictionaries_are_the_same_in_all_batches(batch_rows):
    batch_rows(48)
    conversion = many(7)
    parts = list(conversion.batches())
    assert [part.num_rows for part in parts] == [48, 48, 48, 24]
    for name in WORDS:
        assert all(part[name].dictionary.equals(parts[0][name].dictionary) for part in parts)
    sums = conversion.to_table().group_by("parent_certificate_id").aggregate([("energy_wh", "sum")]).to_pylist()
    assert {row["parent_certificate_id"]: row["energy_wh_sum"] for row in sums} == {
        f"C{number}": 10_000 + number for number in range(7)
    }


def test_columns_that_repeat_share_their_buffers_between_batches(batch_rows):
    batch_rows(48)
    parts = [part for part in many(8).batches() if part.num_rows == 48]
    assert len(parts) == 4
    for one, two in pairwise(parts):
        assert address(one["production_start"]) == address(two["production_start"])
        assert address(one["interval_s"]) == address(two["interval_s"])
        for name in ("source_type", "status", "allocation_basis"):
            assert address(one[name].indices) == address(two[name].indices)
        assert address(one["energy_wh"]) != address(two["energy_wh"])


@pytest.mark.parametrize("rows", [1, 23, 24, 25, 47, 48, 1000])
def test_a_certificate_is_never_cut(batch_rows, rows):
    wanted = many(5).to_table()
    batch_rows(rows)
    parts = list(many(5).batches())
    assert pa.Table.from_batches(parts).equals(wanted)
    each = [set(part["parent_certificate_id"].to_pylist()) for part in parts]
    assert sum(map(len, each)) == 5
    assert [len(parents) for parents in each] == [max(1, rows // 24)] * (5 // max(1, rows // 24)) + [
        5 % max(1, rows // 24)
    ] * (5 % max(1, rows // 24) > 0)


def test_blocks_of_certificates_are_all_computed(batch_rows):
    # more certificates in a batch than a block has, and not a multiple of it
    count = 2 * batches.BLOCK_ROWS + 3
    hours = hours_of(many(count).to_table())
    assert {name: sum(issued.values()) for name, issued in hours.items()} == {
        f"C{number}": 10_000 + number for number in range(count)
    }


def test_profiles_with_the_same_zero_hours_share_a_batch_and_its_times():
    profiles = {name: series([0] * 6 + [weight] * 12 + [0] * 6) for name, weight in (("p", 3), ("q", 5))}
    annual = annual_table({"profile": "p"}, {"profile": "q"}, {"profile": "p"})
    parts = list(gcr.convert(annual, profile_table(profiles)).batches())
    assert [part.num_rows for part in parts] == [36]
    assert len(parts[0]["production_start"].unique()) == 12


def test_certificates_of_different_lengths_share_a_batch():
    profiles = {"p": series([1] * 72), "q": series([2] * 24, step=900)}
    rows = [{"end": START + DAY * days} for days in (1, 3, 2)] + [{"profile": "q", "end": START + 6 * HOUR}]
    shapes = gcr.profiles_from(profile_table(profiles), keep_intervals=True)
    conversion = gcr.convert(annual_table(*rows), shapes, certificate_ids=True)
    (part,) = conversion.batches()
    counted = part["parent_certificate_id"].value_counts().to_pylist()
    assert {entry["values"]: entry["counts"] for entry in counted} == {"C0": 24, "C1": 72, "C2": 48, "C3": 24}
    lengths = pa.table(part).group_by("parent_certificate_id").aggregate([("interval_s", "min_max")]).to_pylist()
    assert {row["parent_certificate_id"]: row["interval_s_min_max"] for row in lengths} == {
        "C0": {"min": 3600, "max": 3600},
        "C1": {"min": 3600, "max": 3600},
        "C2": {"min": 3600, "max": 3600},
        "C3": {"min": 900, "max": 900},
    }
    assert len(part["certificate_id"].unique()) == part.num_rows


def test_hours_that_receive_nothing_are_dropped_or_kept():
    annual, profiles = annual_table({"energy_wh": 5}), profile_table({"p": series([0] * 12 + [1] * 12)})
    dropped = gcr.convert(annual, profiles).to_table()
    assert sorted(dropped["energy_wh"].to_pylist()) == [1] * 5
    kept = gcr.convert(annual, profiles, keep_zero_hours=True).to_table()
    assert kept.num_rows == 24
    assert kept.filter(pc.field("energy_wh") > 0).equals(dropped)


def test_meters_are_shared_across_batch_borders(batch_rows):
    profiles = {"p": series([10] * 24)}
    rows = [{"energy_wh": 50, "allocation_basis": "metered_hourly", "end": START + DAY} for _ in range(4)]
    wanted = hours_of(gcr.convert(annual_table(*rows), profile_table(profiles)).to_table())
    batch_rows(1)
    conversion = gcr.convert(annual_table(*rows), profile_table(profiles), threads=3)
    assert len(list(conversion.batches())) == 4
    hours = hours_of(conversion.to_table())
    assert hours == wanted
    for second in profiles["p"]:
        assert sum(issued.get(second, 0) for issued in hours.values()) <= 10


def test_certificate_ids_are_in_utc_and_unique():
    table = many(3, 2, certificate_ids=True).to_table()
    ids = table["certificate_id"].to_pylist()
    assert ids[0] == "HOURLY-C0-2024010100"
    assert ids[47] == "HOURLY-C0-2024010223"
    assert ids[48] == "HOURLY-C1-2024010100"
    assert len(set(ids)) == len(ids) == 144


def test_certificate_ids_fit_rows_whose_zero_hours_were_dropped():
    annual = annual_table({"energy_wh": 2})
    table = gcr.convert(annual, profile_table({"p": series([0, 1, 0, 1] * 6)}), certificate_ids=True).to_table()
    for row in table.to_pylist():
        assert row["certificate_id"] == f"HOURLY-C0-{row['production_start']:%Y%m%d%H}"


def test_hours_that_do_not_sum_are_never_handed_out(monkeypatch):
    conversion = many(3)

    def wrong(prefix, totals, out):
        out[:] = 1

    monkeypatch.setattr(kernels, "cumulative", wrong)
    with pytest.raises(ConservationError, match="C0"):
        conversion.to_table()


def test_negative_hours_are_never_handed_out(monkeypatch):
    conversion = many(1)

    def wrong(prefix, totals, out):
        out[:] = 0
        out[:, 0], out[:, 1] = totals + 1, -1

    monkeypatch.setattr(kernels, "cumulative", wrong)
    with pytest.raises(ConservationError, match="C0"):
        conversion.to_table()


def test_an_empty_meter_hands_out_nothing():
    nothing = apportion("cumulative", np.zeros(5, np.int64), np.array([0]), 1)
    assert nothing.tolist() == [[0] * 5]
