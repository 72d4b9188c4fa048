"""Defects of existing registries, each a test named after it: here the same calls are refused, or do what they say."""

from datetime import UTC, datetime
from fractions import Fraction

import pyarrow as pa
import pytest
from oracle.conversion import DAY, HOUR, MWH, START, annual_table, profile_table, series
from oracle.lively import reissued

import gcr_fast as gcr
from gcr_fast import RefusedError
from gcr_fast.errors import CorruptError
from gcr_fast.registry.audit import verify
from gcr_fast.registry.registry import Registry

NOW = START + 400 * DAY
SHAPES = profile_table({"p": series([0, *range(1, 24)]), "q": series([1] * 24)})


@pytest.fixture
def registry(tmp_path):
    """Ada has A (24 MWh), Bob has B (12 MWh), both over 24 hours; Cid is a party."""
    with Registry.create(tmp_path / "r", clock=lambda: NOW) as registry:
        rows = annual_table(
            {"certificate_id": "A", "energy_wh": 24 * MWH, "owner": "Ada", "profile": "q"},
            {"certificate_id": "B", "energy_wh": 12 * MWH, "owner": "Bob", "profile": "q"},
        )
        registry.issue(rows, SHAPES, create_parties=True)
        registry.add_party("Cid")
        yield registry


def codes(call, *arguments, **options):
    """The codes of a refusal, which must have changed nothing."""
    with pytest.raises(RefusedError) as caught:
        call(*arguments, **options)
    return set(caught.value.findings["code"].to_pylist())


def unchanged(registry, position, energy=36 * MWH):
    return (registry.position, registry.query().energy_wh) == (position, energy)


# --- issuing


def test_one_annual_certificate_converted_twice_with_two_profiles(registry):
    position = registry.position
    again = annual_table({"certificate_id": "A", "energy_wh": 24 * MWH, "owner": "Ada", "profile": "p"})
    assert codes(registry.issue, again, SHAPES) == {"already_converted"}
    both = annual_table({"certificate_id": "C", "profile": "p"}, {"certificate_id": "C", "profile": "q"})
    assert codes(registry.issue, both, SHAPES, create_parties=True) == {"duplicate_certificate"}
    serial = {"issuer": "I", "serial_start": 1, "serial_end": 5}
    registry.issue(annual_table({"certificate_id": "D", **serial}), SHAPES, create_parties=True)
    assert codes(registry.issue, annual_table({"certificate_id": "E", **serial}), SHAPES) == {"serial_overlap"}
    assert unchanged(registry, position + 2, 36 * MWH + 1000)


def test_small_letters_and_blanks_make_no_other_certificate(registry):
    serial = {"issuer": "I", "serial_prefix": "NVC 2023 ", "serial_start": 1, "serial_end": 5}
    registry.issue(annual_table({"certificate_id": "Go 1", **serial}), SHAPES, create_parties=True)
    for name in ("go 1", "GO1", " gO\t1"):
        assert codes(registry.issue, annual_table({"certificate_id": name}), SHAPES) == {"already_converted"}
    other = annual_table({"certificate_id": "E", **serial, "serial_prefix": "nvc2023"})
    assert codes(registry.issue, other, SHAPES) == {"serial_overlap"}


@pytest.mark.parametrize("status", ["ACTIVE", "ISSUED", "RETIRED", ""])
def test_failed_validation_registered_anyway(registry, status):
    position = registry.position
    batch = annual_table({"certificate_id": "C"}, {"certificate_id": "D", "status": status})
    assert codes(registry.issue, batch, SHAPES, create_parties=True) <= {"not_canceled", "null_value", "unknown_status"}
    assert unchanged(registry, position)


def test_a_profile_of_the_wrong_year_accepted(registry):
    profile = profile_table({"p": series([1] * 8760, int(datetime(2023, 1, 1, tzinfo=UTC).timestamp()))})
    begin, end = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2022, 2023))
    year = annual_table({"certificate_id": "C", "start": begin, "end": end})
    assert codes(registry.issue, year, profile) == {"wrong_year"}


def test_8784_hours_refused(registry):
    leap = annual_table({"certificate_id": "C", "end": START + 8784 * HOUR, "owner": "Ada", "energy_wh": 10**9})
    receipt = registry.issue(leap, profile_table({"p": series([1] * 8784)}))
    assert (receipt.certificates, receipt.energy_wh) == (8784, 10**9)
    assert registry.query(parent="C", at="2024-12-31T23:00Z").count == 1


@pytest.mark.parametrize("month", range(1, 13))
def test_month_end_ranges_crash(tmp_path, month):
    with Registry.create(tmp_path / "r", clock=lambda: NOW) as registry:
        year = annual_table({"end": START + 8784 * HOUR, "owner": "Ada", "energy_wh": 8784})
        registry.issue(year, profile_table({"p": series([1] * 8784)}), create_parties=True)
        begin = datetime(2024, month, 1, tzinfo=UTC)
        end = datetime(2024 + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        days = (end - begin).days
        assert registry.query(start=begin, end=end).count == 24 * days
        assert registry.query(start=f"2024-{month:02}-{days:02}", end=end).count == 24
        assert registry.query(at=f"2024-{month:02}-{days:02}T23:59:59Z").count == 1
        (row,) = registry.query(start=begin, end=end).group_by("month").to_pylist()
        assert (row["month"], row["certificates"]) == (f"2024-{month:02}", 24 * days)


def test_import_of_two_identical_rows_in_one_file(registry, write):
    row = "C,1000,2024-01-01T00:00Z,2024-01-02T00:00Z,q,CANCELED,conversion,Ada\n"
    header = "certificate_id,energy_wh,production_start,production_end,profile,status,purpose,owner\n"
    position = registry.position
    assert codes(registry.issue, write(header + row + row), SHAPES) == {"duplicate_certificate"}
    assert unchanged(registry, position)
    assert registry.issue(write(header + row, "once.csv"), SHAPES).energy_wh == 1000


def test_negative_reading_issued(registry):
    profile = profile_table({"p": series([-5, -1] + [10] * 22)})
    registry.issue(annual_table({"certificate_id": "C", "owner": "Ada", "energy_wh": 220}), profile)
    energy = registry.query(parent="C").to_table()
    assert energy["energy_wh"].to_pylist() == [10] * 22
    assert min(start.hour for start in energy["production_start"].to_pylist()) == 2


def test_late_reading_silently_dropped(registry):
    """A reading that comes after others of a later hour counts like any other, and is told."""
    hours = series(range(1, 25))
    late = dict(sorted(hours.items(), key=lambda pair: pair[0] == START + 5 * HOUR))
    assert list(late)[-1] == START + 5 * HOUR
    shapes = gcr.profiles_from(profile_table({"p": late}))
    registry.issue(annual_table({"certificate_id": "C", "owner": "Ada", "energy_wh": 300}), shapes)
    assert registry.query(parent="C", at=START + 5 * HOUR).energy_wh == 6
    assert [found.code for found in shapes.findings] == ["unsorted_interval"]


# --- asking


def test_only_the_first_of_several_filters_applied(registry):
    one, other = {"owner": "Ada"}, {"hour_of_day": [3, 4]}
    assert registry.query(**one).count == 24
    assert registry.query(**other).count == 4
    assert registry.query(**one, **other).count == registry.query(**other, **one).count == 2
    assert registry.query(**one, **other, parent="B").count == 0


# --- trading


def test_a_trade_listing_an_id_twice_counts_it_twice(registry):
    position, name = registry.position, "HOURLY-A-2024010105"
    assert codes(registry.trade, [name, name], "Ada", "Bob") == {"listed_twice"}
    table = pa.table({"certificate_id": [name, name], "seller": ["Ada"] * 2, "buyer": ["Bob"] * 2})
    assert codes(registry.trade_many, table) == {"not_owned"}  # the first row sold it
    assert unchanged(registry, position)
    assert registry.statistics().trading() == {"trades": 0, "certificates": 0, "energy_wh": 0}


def test_trade_to_oneself_recorded(registry):
    position = registry.position
    assert codes(registry.trade, {"parent": "A"}, "Ada", "Ada") == {"same_party"}
    assert unchanged(registry, position)


def test_empty_trade_recorded(registry):
    position = registry.position
    for nothing in ([], {"parent": "A", "min_wh": 10 * MWH}, {"parent": "A", "start": START + DAY}):
        assert codes(registry.trade, nothing, "Ada", "Bob") == {"nothing_selected"}
    assert unchanged(registry, position)
    assert registry.trades().num_rows == 0


def test_price_0_stored_as_none(registry):
    entry = registry.trade({"parent": "A"}, "Ada", "Bob", 0, "EUR").entry
    told = registry.get_trade(entry)
    assert (told["price_minor_per_mwh"], told["total_minor"], told["price_per_mwh"]) == (0, 0, "0.00")
    assert registry.trades()["total_minor"].to_pylist() == [0]
    assert registry.statistics().prices()["EUR"]["average_minor_per_mwh"] == 0


def test_average_price_divided_by_unpriced_mwh_too(registry):
    registry.trade({"parent": "A", "end": START + 6 * HOUR}, "Ada", "Bob", "40", "EUR")
    registry.trade({"parent": "A", "start": START + 6 * HOUR}, "Ada", "Bob")
    assert registry.statistics().prices()["EUR"]["average_per_mwh"] == "40.00"
    assert registry.trade_statistics()["average_per_mwh"].to_pylist() == [None, "40.00"]


# --- whose


def test_someone_elses_certificates_transferred_because_only_the_named_account_was_checked(registry):
    position = registry.position
    mine, theirs = "HOURLY-A-2024010105", "HOURLY-B-2024010105"
    for which in ([theirs], [mine, theirs], {"parent": ["A", "B"]}, {}):
        assert codes(registry.trade, which, "Ada", "Cid") == {"not_owned"}
        assert codes(registry.reserve, which, "Ada") == {"not_owned"}
    table = pa.table({"certificate_id": [mine, theirs], "seller": ["Ada"] * 2, "buyer": ["Cid"] * 2})
    assert codes(registry.trade_many, table) == {"not_owned"}
    assert unchanged(registry, position)
    assert registry.query(owner="Cid").count == 0


def test_someone_elses_certificates_cancelled_because_only_the_named_account_was_checked(registry):
    position = registry.position
    for which in (["HOURLY-B-2024010105"], ["HOURLY-A-2024010105", "HOURLY-B-2024010105"], {"parent": "B"}):
        assert codes(registry.retire, which, "Ada", "Mill") == {"not_owned"}
        assert codes(registry.retire, which, "Ada", "Mill", wh=5) == {"not_owned"}
    assert unchanged(registry, position)
    assert registry.query(status="RETIRED").count == 0
    registry.retire({"parent": "B"}, "Bob", "Mill")
    assert codes(registry.claim, {"parent": "B"}, "Ada", "meter") == {"not_owned"}


# --- states


def test_retired_certificates_reserved_and_retired_again_for_a_second_beneficiary(registry):
    registry.retire({"parent": "A"}, "Ada", "First")
    position = registry.position
    for attempt in (
        lambda: registry.reserve({"parent": "A"}, "Ada"),
        lambda: registry.retire({"parent": "A"}, "Ada", "Second"),
        lambda: registry.retire({"parent": "A"}, "Ada", "Second", wh=1),
        lambda: registry.trade({"parent": "A"}, "Ada", "Bob"),
        lambda: registry.lock({"parent": "A"}, reason="x"),
    ):
        assert codes(attempt) == {"wrong_state"}
    assert unchanged(registry, position)
    told = registry.history("HOURLY-A-2024010105").to_pylist()
    assert [dict(row["texts"])["beneficiary"] for row in told if row["kind"] == "retire"] == ["First"]


@pytest.mark.parametrize("wh", [1, 7, 499_999, 500_000, 999_999])
def test_a_split_whose_childrens_ranges_are_off_by_one(registry, wh):
    name = "HOURLY-A-2024010105"  # 1 MWh
    registry.trade([name], "Ada", "Bob", wh=wh)
    pieces = [registry.certificate(piece) for piece in registry.certificate(name)["pieces"]]
    ranges = [(piece["first_wh"], piece["first_wh"] + piece["energy_wh"]) for piece in pieces]
    assert ranges == [(0, wh), (wh, MWH)]
    assert [piece["owner"] for piece in pieces] == ["Bob", "Ada"]
    assert [piece["certificate_id"] for piece in pieces] == [f"{name}/0-{wh}", f"{name}/{wh}-{MWH}"]
    assert sum(Fraction(piece["energy_wh"], MWH) for piece in pieces) == 1
    assert unchanged(registry, registry.position)


# --- all or nothing


def test_a_bulk_action_committed_row_by_row_so_that_a_failure_leaves_half_of_it(registry):
    position = registry.position
    names = [f"HOURLY-A-20240101{hour:02}" for hour in range(24)]
    table = pa.table({"certificate_id": [*names, "HOURLY-B-2024010100"], "seller": ["Ada"] * 25, "buyer": ["Cid"] * 25})
    assert codes(registry.trade_many, table) == {"not_owned"}
    assert codes(registry.retire, table["certificate_id"].to_pylist(), "Ada", "Mill") == {"not_owned"}
    assert unchanged(registry, position)

    def one_after_another():
        with registry.group():
            registry.trade(names[:12], "Ada", "Cid")
            registry.trade(["HOURLY-B-2024010100"], "Ada", "Cid")

    assert codes(one_after_another) == {"not_owned"}
    assert unchanged(registry, position)
    assert registry.query(owner="Cid").count == 0
    with Registry.open(registry.folder, read_only=True) as other:
        assert other.query(owner="Cid").count == 0


# --- files


@pytest.mark.parametrize("name", ["../secret.arrow", "/etc/passwd", "x.arrow", "a" * 64 + ".arrow/../x", ""])
def test_a_path_opened_because_an_entry_named_it(registry, name):
    """Files are opened by the hash of their content, in their folder, and by nothing else."""
    (registry.folder / "secret.arrow").write_bytes(b"secret")
    reissued(registry, parents=name)
    with pytest.raises(CorruptError) as caught:
        Registry.open(registry.folder, read_only=True)
    assert "secret" not in str(caught.value).replace("secret.arrow", "")
    report = verify(registry.folder)
    assert not report.ok
