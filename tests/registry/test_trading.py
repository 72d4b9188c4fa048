"""Trades: many in one call, found again, and summed."""

import numpy as np
import pyarrow as pa
import pytest
from oracle.conversion import DAY, HOUR, MWH, START, annual_table, profile_table, series

import gcr_fast
from gcr_fast import RefusedError, UsageError
from gcr_fast.errors import OutputError, ReadOnlyError
from gcr_fast.registry.catalogue import Catalogue
from gcr_fast.registry.ids import id_text
from gcr_fast.registry.registry import Registry
from gcr_fast.registry.replay import replayed
from gcr_fast.registry.state import State
from gcr_fast.registry.stored import PIECE
from gcr_fast.trading import average_minor, decimal_text

NOW = START + 40 * DAY
ANNUAL = annual_table(
    {"certificate_id": "A", "energy_wh": 24 * MWH, "owner": "Ada", "country": "AT"},
    {"certificate_id": "B", "energy_wh": 12 * MWH, "owner": "Bob", "country": "BE"},
    {"certificate_id": "C", "energy_wh": 6 * MWH, "owner": "Ada", "purpose": "end_use", "beneficiary": "Eve"},
)
MINE = {"parent": "A", "owner": "Ada"}
PROFILES = profile_table({"p": series([0, *range(1, 24)])})


@pytest.fixture
def clock():
    """The time that registries of a test have; change it by `clock[0] = ...`."""
    return [NOW]


@pytest.fixture
def make(tmp_path, clock):
    """Create registries with the same content."""
    made = []

    def create(name="r", **policy):
        registry = Registry.create(tmp_path / name, clock=lambda: clock[0], **policy)
        made.append(registry)
        registry.issue(gcr_fast.convert(ANNUAL, PROFILES), create_parties=True)
        registry.add_party("Zed")
        return registry

    yield create
    for registry in made:
        registry.close()


@pytest.fixture
def registry(make):
    return make()


def ids(registry, parent):
    return registry.query(parent=parent).to_table(certificate_ids=True)["certificate_id"].to_pylist()


def handles(registry, parent):
    return registry.query(parent=parent).to_table()["certificate"].to_pylist()


def orders(*rows, **types):
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: pa.array([row.get(name) for row in rows], types.get(name)) for name in names})


def sums(registry):
    state = registry.state
    return [array.tolist() for array in (state.by_owner, state.by_source, state.by_month)], {
        currency: list(figures) for currency, figures in state.trades.items()
    }


def payloads(registry):
    """What the journal says, but for the registry's own name."""
    return [record.payload for record in registry.journal.entries(after=1)]


def holdings(registry):
    return registry.query().to_table(certificate_ids=True).to_pylist()


def same_as_replayed(registry):
    """The live state is what the journal alone gives."""
    live = (sums(registry), holdings(registry), registry.state.touches.rows.tolist())
    registry.state = replayed(registry.journal, State(Catalogue(registry.folder)), 1 << 40)
    return live == (sums(registry), holdings(registry), registry.state.touches.rows.tolist())


def statuses(result):
    return result["status"].to_pylist()


def codes(caught):
    return [(found["row"], found["column"], found["code"]) for found in caught.value.findings.to_pylist()]


# --- one by one


def test_a_trade_to_oneself_is_refused(registry):
    with pytest.raises(RefusedError, match="same_party"):
        registry.trade({"parent": "A"}, "Ada", "Ada")


def test_an_empty_trade_is_refused(registry):
    position = registry.position
    for nothing in ([], {"parent": "A", "min_wh": 100 * MWH}):
        with pytest.raises(RefusedError, match="nothing_selected"):
            registry.trade(nothing, "Ada", "Bob")
    assert registry.position == position


def test_a_trade_listing_an_id_twice_is_refused(registry):
    first = ids(registry, "A")[0]
    handle = handles(registry, "A")[0]
    for twice in ([first, first], [handle, handle], [handle, first]):
        with pytest.raises(RefusedError, match="listed_twice"):
            registry.trade(twice, "Ada", "Bob")
    assert registry.trades().num_rows == 0


def test_someone_elses_certificate_cannot_be_sold_even_if_the_named_party_is_right(registry):
    mine, theirs = ids(registry, "A")[0], ids(registry, "B")[0]
    with pytest.raises(RefusedError, match=f"{theirs} belongs to Bob"):
        registry.trade([mine, theirs], "Ada", "Zed")
    assert registry.query(owner="Zed").count == 0


def test_retired_certificates_are_never_sold_or_retired_again(registry):
    registry.retire({"parent": "A"}, "Ada", "Eve")
    for act in (
        lambda: registry.trade({"parent": "A"}, "Ada", "Bob"),
        lambda: registry.retire({"parent": "A"}, "Ada", "Mallory"),
        lambda: registry.reserve({"parent": "A"}, "Ada"),
        lambda: registry.trade({"parent": "C"}, "Ada", "Bob"),
    ):
        with pytest.raises(RefusedError, match="wrong_state"):
            act()


# --- many


def test_many_trades_are_the_same_as_one_after_another(make):
    one, many = make("one"), make("many")
    some = ids(one, "A")[:6]
    texts = [("Ada", "Bob", "45.50", "EUR"), ("Ada", "Zed", None, None), ("Ada", "Bob", "0", "JPY")]
    rows = [
        {"certificate_id": name, "seller": s, "buyer": b, "price": p, "currency": c, "key": f"k{at}"}
        for at, (name, (s, b, p, c)) in enumerate(zip(some, texts * 2, strict=True))
    ]
    rows.append({"certificate_id": some[0], "seller": "Bob", "buyer": "Zed"})
    for row in rows:
        one.trade([row["certificate_id"]], row["seller"], row["buyer"], row.get("price"), row.get("currency"),
                  key=row.get("key", ""))  # fmt: skip
    result = many.trade_many(orders(*rows))
    assert statuses(result) == ["done"] * 7
    assert payloads(many) == payloads(one)
    assert (sums(many), holdings(many)) == (sums(one), holdings(one))
    assert same_as_replayed(many)


@pytest.mark.parametrize("atomic", [True, False])
def test_later_rows_sell_what_earlier_ones_bought(registry, atomic):
    first = handles(registry, "A")[0]
    chain = [("Ada", "Bob"), ("Bob", "Zed"), ("Zed", "Ada"), ("Ada", "Zed")]
    table = orders(*({"certificate": first, "seller": s, "buyer": b} for s, b in chain))
    assert statuses(registry.trade_many(table, atomic=atomic)) == ["done"] * 4
    assert registry.certificate(first)["owner"] == "Zed"
    assert same_as_replayed(registry)


def bad_rows(registry):
    """Rows with everything that can be wrong, and what is said of each."""
    a, b, c = (ids(registry, name) for name in "ABC")
    fine = {"seller": "Ada", "buyer": "Zed"}
    return [
        ({"certificate_id": a[0], **fine}, None),
        ({"certificate_id": a[0], **fine}, ("seller", "not_owned")),  # sold in the row before
        ({"certificate_id": b[0], **fine}, ("seller", "not_owned")),
        ({"certificate_id": c[0], **fine}, ("certificate_id", "wrong_state")),
        ({"certificate_id": "HOURLY-A-2024010100", **fine}, ("certificate_id", "no_such_certificate")),  # 0 Wh
        ({"certificate_id": "HOURLY-A-2024013201", **fine}, ("certificate_id", "no_such_certificate")),
        ({"certificate_id": "HOURLY-A-202401010100", **fine}, ("certificate_id", "no_such_certificate")),
        ({"certificate_id": "rubbish", **fine}, ("certificate_id", "no_such_certificate")),
        ({"certificate_id": a[1], "seller": "Ada", "buyer": "Ada"}, ("buyer", "same_party")),
        ({"certificate_id": a[1], "seller": "Ada", "buyer": "Nobody"}, ("buyer", "unknown_party")),
        ({"certificate_id": a[1], "seller": "Nobody", "buyer": "Ada"}, ("seller", "unknown_party")),
        ({"certificate_id": a[1], "seller": "Ada"}, ("buyer", "null_value")),
        ({**fine}, ("certificate_id", "null_value")),
        ({"certificate_id": a[1], "parent_certificate_id": "A", **fine}, ("parent_certificate_id", "ambiguous_column")),
        ({"parent_certificate_id": "Q", **fine}, ("parent_certificate_id", "unknown_parent")),
        ({"certificate_id": a[1], "price": "1.005", "currency": "EUR", **fine}, ("price", "bad_amount")),
        ({"certificate_id": a[1], "price": "-1", "currency": "EUR", **fine}, ("price", "bad_amount")),
        ({"certificate_id": a[1], "price": "cheap", "currency": "EUR", **fine}, ("price", "bad_amount")),
        ({"certificate_id": a[1], "price": "1", **fine}, ("price", "bad_amount")),
        ({"certificate_id": a[1], "wh": "0.5", **fine}, ("wh", "bad_amount")),
        ({"certificate_id": a[1], "wh": "0", **fine}, ("wh", "bad_amount")),
        ({"certificate_id": a[1], "wh": "99999999", **fine}, ("wh", "amount_over")),
        ({"certificate_id": a[1], **fine}, None),
    ]


def test_bulk_failure_leaves_nothing_and_names_every_bad_row(registry):
    rows = bad_rows(registry)
    before, head = (sums(registry), holdings(registry)), registry.journal.head()
    with pytest.raises(RefusedError) as caught:
        registry.trade_many(orders(*(row for row, _ in rows)))
    assert sorted(codes(caught)) == [(at, *said) for at, (_, said) in enumerate(rows) if said]
    assert (sums(registry), holdings(registry)) == before
    assert registry.journal.head() == head
    assert registry.trade([ids(registry, "A")[0]], "Ada", "Zed").entry == registry.position


def test_each_row_for_itself_does_the_good_ones_and_says_why_not_the_others(registry):
    rows = bad_rows(registry)
    result = registry.trade_many(orders(*(row for row, _ in rows)), atomic=False)
    assert statuses(result) == ["refused" if said else "done" for _, said in rows]
    assert result["code"].to_pylist() == [said and said[1] for _, said in rows]
    assert all(bool(text) == bool(said) for text, (_, said) in zip(result["message"].to_pylist(), rows, strict=True))
    assert registry.query(owner="Zed").count == 2
    assert result["entry"].drop_null().to_pylist() == [registry.position - 1, registry.position]
    assert same_as_replayed(registry)


def test_refusals_of_many_are_those_of_one(registry):
    for row, said in bad_rows(registry)[2:11]:
        with pytest.raises(RefusedError) as one:
            registry.trade([row["certificate_id"]], row["seller"], row["buyer"])
        with pytest.raises(RefusedError) as many:
            registry.trade_many(orders(row))
        assert many.value.findings["message"].to_pylist() == one.value.findings["message"].to_pylist()
        assert many.value.findings["code"].to_pylist() == [said[1]]


def test_many_trades_of_parts_and_parents(registry):
    rows = [
        {"parent_certificate_id": "A", "seller": "Ada", "buyer": "Zed", "wh": 100},
        {"parent_certificate_id": "A", "seller": "Ada", "buyer": "Zed", "start": "2024-01-01T10:00Z",
         "end": "2024-01-01T12:00Z"},
        {"parent_certificate_id": "B", "seller": "Bob", "buyer": "Zed"},
    ]  # fmt: skip
    assert statuses(registry.trade_many(orders(*rows))) == ["refused"] * 0 + ["done"] * 3
    ten_and_eleven = registry.query(parent="A", start="2024-01-01T10:00Z", end="2024-01-01T12:00Z").energy_wh
    assert registry.query(owner="Zed").energy_wh == 100 + ten_and_eleven + 12 * MWH
    piece = registry.query(owner="Zed", parent="A").to_table()["certificate"][0].as_py()
    assert piece >= PIECE
    name = id_text(registry.state, piece)
    back = [{"certificate_id": name, "seller": "Zed", "buyer": "Ada"}]
    assert statuses(registry.trade_many(orders(*back))) == ["done"]
    assert statuses(registry.trade_many(orders({"certificate": piece, "seller": "Ada", "buyer": "Bob"}))) == ["done"]
    assert same_as_replayed(registry)


@pytest.mark.parametrize("atomic", [True, False])
def test_a_key_makes_a_row_once(registry, atomic):
    a = ids(registry, "A")
    rows = [{"certificate_id": a[at], "seller": "Ada", "buyer": "Zed", "key": f"k{at}"} for at in range(3)]
    first = registry.trade_many(orders(*rows), atomic=atomic)
    position = registry.position
    again = registry.trade_many(orders(*rows), atomic=atomic)
    assert statuses(again) == ["repeated"] * 3
    assert again["entry"].to_pylist() == first["entry"].to_pylist()
    assert registry.position == position


def test_a_key_used_for_another_certificate_is_refused(registry):
    a = ids(registry, "A")
    rows = [{"certificate_id": name, "seller": "Ada", "buyer": "Zed", "key": "same"} for name in a[:2]]
    with pytest.raises(RefusedError) as caught:
        registry.trade_many(orders(*rows))
    assert codes(caught) == [(1, "key", "key_reused")]
    assert statuses(registry.trade_many(orders(*rows), atomic=False)) == ["done", "refused"]


def test_new_buyers_are_added_only_with_their_trade(registry):
    a = ids(registry, "A")
    rows = [
        {"certificate_id": ids(registry, "B")[0], "seller": "Ada", "buyer": "Mallory"},
        {"certificate_id": a[0], "seller": "Ada", "buyer": "New"},
        {"certificate_id": a[1], "seller": "Ada", "buyer": "New"},
    ]
    result = registry.trade_many(orders(*rows), atomic=False, create_parties=True)
    assert statuses(result) == ["refused", "done", "done"]
    assert "Mallory" not in registry.state.catalogue.parties.words
    assert registry.query(owner="New").count == 2


def test_the_deadline_for_transfers_holds_in_bulk(make, clock):
    registry = make(transfer_months=12)
    first, last = ids(registry, "A")[0], ids(registry, "A")[-1]
    clock[0] = START + 366 * DAY + 5 * HOUR
    rows = orders(*({"certificate_id": name, "seller": "Ada", "buyer": "Zed"} for name in (first, last)))
    result = registry.trade_many(rows, atomic=False)
    assert result["code"].to_pylist() == ["past_deadline", None]


def test_groups_are_bounded_and_all_is_durable(registry, tmp_path):
    some = handles(registry, "A")
    hops = [("Ada", "Zed"), ("Zed", "Ada")] * 150
    table = orders(*({"certificate": some[0], "seller": s, "buyer": b} for s, b in hops))
    result = registry.trade_many(table, atomic=False)
    assert statuses(result) == ["done"] * 300
    with Registry.open(registry.folder, read_only=True) as reader:
        assert reader.position == registry.position
        assert sums(reader) == sums(registry)


def test_a_snapshot_waits_for_the_end_of_the_call(registry, monkeypatch):
    monkeypatch.setattr("gcr_fast.registry.keeper.SNAPSHOT_EVERY", 10)
    left = []
    monkeypatch.setattr(registry, "_leave_snapshot", lambda: left.append(registry.position))
    hops = [("Ada", "Zed"), ("Zed", "Ada")] * 300
    first = handles(registry, "A")[0]
    registry.trade_many(orders(*({"certificate": first, "seller": s, "buyer": b} for s, b in hops)), atomic=False)
    assert left == [registry.position]


def test_a_failed_commit_says_which_rows_are_done(registry, monkeypatch):
    hops = [("Ada", "Zed"), ("Zed", "Ada")] * 150
    first = handles(registry, "A")[0]
    table = orders(*({"certificate": first, "seller": s, "buyer": b} for s, b in hops))
    from gcr_fast.registry.journal import Transaction

    real, calls = Transaction._commit, []

    def fails_second(self):
        calls.append(1)
        if len(calls) == 2:
            raise OutputError("disk full")
        real(self)

    monkeypatch.setattr(Transaction, "_commit", fails_second)
    position = registry.position
    with pytest.raises(OutputError) as caught:
        registry.trade_many(table, atomic=False)
    assert "rows before 256" in caught.value.__notes__[0]
    assert registry.position == position + 256
    assert same_as_replayed(registry)


def test_a_table_of_trades_needs_its_columns(registry):
    first = handles(registry, "A")[0]
    for wrong in (
        {"certificate": [first], "seller": ["Ada"]},
        {"seller": ["Ada"], "buyer": ["Bob"]},
        {"certificate": [first], "seller": ["Ada"], "buyer": ["Bob"], "prize": ["1"]},
        {"certificate": ["HOURLY-A-2024010101"], "seller": ["Ada"], "buyer": ["Bob"]},
    ):
        with pytest.raises(UsageError):
            registry.trade_many(pa.table(wrong))


def test_a_table_without_rows_changes_nothing(registry):
    table = orders({"certificate": 1, "seller": "Ada", "buyer": "Bob"}).slice(0, 0)
    assert registry.trade_many(table).num_rows == 0
    assert registry.trade_many(table, atomic=False).num_rows == 0


def test_tables_of_other_libraries_are_read(registry):
    import polars as pl

    first = ids(registry, "A")[0]
    frame = pl.DataFrame({"certificate_id": [first], "seller": ["Ada"], "buyer": ["Zed"], "price": ["1.5"],
                          "currency": ["EUR"]})  # fmt: skip
    assert statuses(registry.trade_many(frame)) == ["done"]
    assert registry.trades()["price_minor_per_mwh"].to_pylist() == [150]


def test_bulk_ids_mean_what_single_ids_mean(registry):
    from gcr_fast.registry.ids import find_id
    from gcr_fast.registry.lookups import find_rows, rows_at

    known = [*ids(registry, "A"), *ids(registry, "B")]
    odd = ["", "HOURLY-A-", "HOURLY-A-2024010123", "HOURLY-A-2024010200", "HOURLY--2024010101", "HOURLY-A-2024023001",
           "HOURLY-A-0000010101", "HOURLY-A-20240101015", "hourly-A-2024010101", "HOURLY-A-2024010101/0-5"]  # fmt: skip
    rows = find_rows(registry.state, pa.chunked_array([pa.array([*known, *odd, None])]))
    expected = [find_id(registry.state, text) for text in (*known, *odd)]
    assert rows.tolist() == [-1 if row is None else row for row in expected] + [-1]
    found = rows_at(registry.state, rows[: len(known)])
    for at, handle in enumerate(rows[: len(known)].tolist()):
        row, _, wh, owner, state = registry.state.holding(handle)
        assert (found.handles[at], found.energy_wh[at], found.owners[at], found.states[at]) == (row, wh, owner, state)
        assert found.start_ms[at] == registry.state.start_of(row) * 1000


# --- found again


def test_trades_are_found_by_party_time_and_parent(registry, clock):
    registry.trade({"parent": "A"}, "Ada", "Zed", "10", "EUR", wh=100)
    clock[0] += DAY
    registry.trade({"parent": "B"}, "Bob", "Zed")
    clock[0] += DAY
    registry.trade({"parent": "A", "owner": "Zed"}, "Zed", "Bob", 0, "EUR")
    first, second, third = registry.trades()["entry"].to_pylist()
    assert registry.trades(owner="Ada")["entry"].to_pylist() == [first]
    assert registry.trades(owner="Zed")["entry"].to_pylist() == [first, second, third]
    assert registry.trades(parent="A")["entry"].to_pylist() == [first, third]
    assert registry.trades(start=NOW + DAY)["entry"].to_pylist() == [second, third]
    assert registry.trades(end=NOW + DAY)["entry"].to_pylist() == [first]
    assert registry.trades(owner="Bob", start=NOW + DAY, end=NOW + DAY + 1, parent="B").num_rows == 1
    for wrong in ({"owner": "Nobody"}, {"parent": "Q"}, {"start": "soon"}):
        with pytest.raises(UsageError):
            registry.trades(**wrong)


def test_one_trade_tells_all(registry):
    done = registry.trade({"parent": "A"}, "Ada", "Zed", "45.5", "EUR", wh=1_500_000, actor="desk", key="k")
    told = registry.get_trade(done.entry)
    assert (told["seller"], told["buyer"], told["energy_wh"]) == ("Ada", "Zed", 1_500_000)
    assert (told["price_per_mwh"], told["total"], told["currency"]) == ("45.50", "68.25", "EUR")
    assert (told["actor"], told["key"], told["hash"]) == ("desk", "k", done.hash)
    assert told["parent_certificate_ids"] == ["A"]
    held = registry.query(owner="Zed").to_table(certificate_ids=True)["certificate_id"].to_pylist()
    assert sorted(told["certificate_ids"]) == sorted(held)
    for wrong in (1, 0, done.entry + 1):
        with pytest.raises(UsageError):
            registry.get_trade(wrong)


def test_trades_in_a_group_are_told_once_they_are_durable(registry):
    with pytest.raises(RefusedError), registry.group():  # noqa: PT012 - the block is what is taken back
        registry.trade({"parent": "A"}, "Ada", "Zed")
        assert registry.trades().num_rows == 0
        registry.trade({"parent": "A"}, "Ada", "Zed")
    assert registry.trades().num_rows == 0
    registry.trade({"parent": "B"}, "Bob", "Zed")
    assert registry.trades()["seller"].to_pylist() == ["Bob"]


# --- prices


def test_price_0_is_a_price(registry):
    entry = registry.trade({"parent": "A"}, "Ada", "Zed", 0, "EUR").entry
    assert registry.get_trade(entry)["price_minor_per_mwh"] == 0
    assert registry.trades().to_pylist()[0]["price_per_mwh"] == "0.00"
    assert registry.statistics().prices()["EUR"]["average_minor_per_mwh"] == 0


def test_no_price_is_not_0(registry):
    entry = registry.trade({"parent": "A"}, "Ada", "Zed").entry
    assert registry.get_trade(entry)["price_minor_per_mwh"] is None
    shown = registry.trades().to_pylist()[0]
    assert [shown[name] for name in ("price_minor_per_mwh", "total_minor", "currency", "price_per_mwh")] == [None] * 4
    assert registry.statistics().prices() == {}


def test_average_price_counts_priced_wh_only(registry):
    registry.trade({"parent": "A"}, "Ada", "Zed", "40", "EUR", wh=MWH)
    registry.trade(MINE, "Ada", "Zed", 0, "EUR", wh=MWH)
    registry.trade(MINE, "Ada", "Zed", wh=8 * MWH)
    registry.trade({"parent": "B"}, "Bob", "Zed", 500, "JPY", wh=MWH)
    prices = registry.statistics().prices()
    assert (prices["EUR"]["energy_wh"], prices["EUR"]["average_per_mwh"]) == (2 * MWH, "20.00")
    assert prices["JPY"]["average_per_mwh"] == "500"
    moved = sum(registry.trades()["certificates"].to_pylist())
    assert registry.statistics().trading() == {"trades": 4, "certificates": moved, "energy_wh": 11 * MWH}


def test_trades_are_summed_by_day_and_currency(registry, clock):
    registry.trade({"parent": "A"}, "Ada", "Zed", "40", "EUR", wh=MWH)
    registry.trade(MINE, "Ada", "Zed", "41", "EUR", wh=MWH)
    registry.trade(MINE, "Ada", "Zed", wh=MWH)
    clock[0] += DAY
    registry.trade(MINE, "Ada", "Zed", "42", "EUR", wh=MWH)
    lines = registry.trade_statistics().to_pylist()
    assert [(str(line["day"]), line["currency"], line["trades"], line["average_per_mwh"]) for line in lines] == [
        ("2024-02-10", None, 1, None),
        ("2024-02-10", "EUR", 2, "40.50"),
        ("2024-02-11", "EUR", 1, "42.00"),
    ]
    assert sum(line["energy_wh"] for line in lines) == 4 * MWH


def test_without_trades_there_are_no_lines(registry):
    assert registry.trade_statistics().num_rows == registry.trades().num_rows == 0


def test_averages_round_half_to_even():
    assert [average_minor(total, 2 * MWH) for total in (1, 3, 4, 5)] == [0, 2, 2, 2]
    assert average_minor(5, 0) is None
    assert (decimal_text(5, "EUR"), decimal_text(-1234, "EUR"), decimal_text(1234, "KWD")) == (
        "0.05",
        "-12.34",
        "1.234",
    )


# --- the fast path is the same


def test_a_single_row_moves_as_runs_do(make):
    """Every kind of change of one row, by the short way and by the kernel."""
    short, long = make("short"), make("long")
    name = ids(short, "A")[3]
    steps = [
        lambda r: r.reserve([name], "Ada"),
        lambda r: r.lock([name], reason="x"),
        lambda r: r.unlock([name], reason="y"),
        lambda r: r.release([name], "Ada"),
        lambda r: r.trade([name], "Ada", "Bob"),
        lambda r: r.retire([name], "Bob", "Eve"),
        lambda r: r.claim([name], "Bob", "meter"),
    ]
    for step in steps:
        step(short)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(State, "_change_row", _by_kernel)
            step(long)
        assert (sums(short), holdings(short)) == (sums(long), holdings(long))
        assert short.state.touches.rows.tolist() == long.state.touches.rows.tolist()
        assert short.state.touched == long.state.touched
        for mine, theirs in zip(short.state.columns, long.state.columns, strict=True):
            assert np.array_equal(mine.states, theirs.states)
            assert np.array_equal(mine.owners, theirs.owners)


def _by_kernel(state, seq, row, action, to_party):
    for columns, local in state.parts(row, 1):
        state._move(columns, local, action, to_party)
    state._touch(row, 1, seq)


@pytest.mark.parametrize("atomic", [True, False])
def test_a_dry_run_of_many_is_what_would_be_done_and_leaves_nothing(registry, atomic):
    some = ids(registry, "A")
    chain = [("Ada", "Bob", "k1"), ("Bob", "New", None), ("New", "Zed", None), ("Ada", "Bob", "k1")]
    rows = [{"certificate_id": some[0], "seller": s, "buyer": b, "key": k} for s, b, k in chain]
    rows.append({"certificate_id": some[1], "seller": "Ada", "buyer": "Bob", "wh": "5"})
    table, before = orders(*rows), (registry.position, sums(registry), holdings(registry), payloads(registry))
    tried = registry.trade_many(table, atomic=atomic, create_parties=True, dry_run=True)
    assert (registry.position, sums(registry), holdings(registry), payloads(registry)) == before
    assert same_as_replayed(registry)
    done = registry.trade_many(table, atomic=atomic, create_parties=True)
    assert statuses(tried) == statuses(done) == ["done", "done", "done", "repeated", "done"]
    assert tried["energy_wh"].equals(done["energy_wh"])
    assert tried["entry"].to_pylist() == [None] * 5
    again = registry.trade_many(table.slice(0, 1), atomic=atomic, dry_run=True)
    assert (statuses(again), again["entry"]) == (["repeated"], done["entry"].slice(0, 1))


def test_a_dry_run_of_many_names_every_bad_row(registry):
    table = orders({"certificate_id": ids(registry, "B")[0], "seller": "Ada", "buyer": "Zed"}, {"certificate_id": "x"})
    with pytest.raises(RefusedError) as real:
        registry.trade_many(table)
    with pytest.raises(RefusedError) as tried:
        registry.trade_many(table, dry_run=True)
    assert codes(tried) == codes(real)
    each = registry.trade_many(table, dry_run=True, atomic=False)
    assert statuses(each) == ["refused", "refused"]


@pytest.mark.parametrize("atomic", [True, False])
def test_many_trades_are_no_part_of_a_group(registry, atomic):
    table = orders({"certificate": handles(registry, "A")[0], "seller": "Ada", "buyer": "Zed"})
    with registry.group(), pytest.raises(UsageError, match="nest"):
        registry.trade_many(table, atomic=atomic)
    assert registry.trades().num_rows == 0
    assert statuses(registry.trade_many(table, atomic=atomic)) == ["done"]


def test_a_reader_trades_nothing_and_sees_the_trades_of_others(registry):
    table = orders({"certificate": handles(registry, "A")[0], "seller": "Ada", "buyer": "Zed"})
    with Registry.open(registry.folder, read_only=True) as reader:
        with pytest.raises(ReadOnlyError):
            reader.trade_many(table)
        assert reader.trades().num_rows == 0
        registry.trade_many(table)
        assert reader.refresh().trades()["buyer"].to_pylist() == ["Zed"]
