"""Changes: what is taken, whether it may be, for how much; all of it or nothing, with every reason."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle.conversion import DAY, HOUR, START
from oracle.pairs import changed, lived, names
from oracle.registry import ENDS, STARTS, RefusalError, earlier, round_half_even

from gcr_fast import RefusedError, UsageError
from gcr_fast.codes import STATUSES
from gcr_fast.registry import changes
from gcr_fast.registry.changes import (
    MINOR_DIGITS,
    _earliest,
    _proportional,
    add_months,
    latest_before,
    price_of,
    runs_of,
    total_of,
)
from gcr_fast.registry.rows import Rows


@pytest.fixture
def pair(tmp_path):
    registry, twin, _ = lived(tmp_path / "registry")
    yield registry, twin
    registry.close()


@pytest.fixture
def registry(pair):
    return pair[0]


@pytest.fixture
def twin(pair):
    return pair[1]


def codes(call, *arguments, **options):
    with pytest.raises(RefusedError) as caught:
        call(*arguments, **options)
    return caught.value.findings["code"].to_pylist()


def holdings(registry):
    rows = registry.query(status=STATUSES).to_table(certificate_ids=True).to_pylist()
    return {row["certificate_id"]: (row["owner"], row["status"], row["energy_wh"]) for row in rows}


# --- amounts


def rows_of(energies, starts):
    """Certificates with these Wh, beginning in these hours."""
    count = len(energies)
    zeros = np.zeros(count, np.int64)
    begins = (START + np.array(starts, np.int64) * HOUR) * 1000
    return Rows(np.arange(count), zeros, begins, np.array(energies, np.int64), zeros, zeros.astype(np.int8))


@st.composite
def amounts(draw):
    energies = draw(st.lists(st.integers(1, 10**12) | st.integers(1, 5), min_size=1, max_size=12))
    starts = draw(st.lists(st.integers(0, 4), min_size=len(energies), max_size=len(energies)))
    return energies, starts, draw(st.integers(1, sum(energies)))


@given(amounts())
def test_the_earliest_hours_are_taken_whole_and_the_last_in_part(given_amounts):
    energies, starts, wh = given_amounts
    left, wanted = wh, [0] * len(energies)
    for at in sorted(range(len(energies)), key=lambda at: starts[at]):
        wanted[at] = min(left, energies[at])
        left -= wanted[at]
    assert _earliest(rows_of(energies, starts), wh).tolist() == wanted


@given(amounts())
def test_each_gives_its_share_to_the_wh(given_amounts):
    energies, starts, wh = given_amounts
    taken = _proportional(rows_of(energies, starts), wh).tolist()
    assert sum(taken) == wh
    shares = [Fraction(wh * energy, sum(energies)) for energy in energies]
    assert all(
        share - 1 < part < share + 1 and 0 <= part <= energy
        for part, share, energy in zip(taken, shares, energies, strict=True)
    )


def test_shares_of_more_than_64_bits_are_exact():
    energies = [2**51 - 1] * 3000
    taken = _proportional(rows_of(energies, [0] * 3000), 2**61 + 7)
    assert sum(taken.tolist()) == 2**61 + 7
    assert max(taken.tolist()) - min(taken.tolist()) == 1


@given(st.lists(st.integers(0, 40) | st.integers(1 << 62, (1 << 62) + 9), unique=True))
def test_runs_are_the_handles_and_as_few_as_can_be(handles):
    runs = runs_of(np.array(handles, np.int64)).tolist()
    assert [first + place for first, count in runs for place in range(count)] == sorted(handles)
    assert all(first + count < after for (first, count), (after, _) in pairwise(runs))


@pytest.mark.parametrize("order", ["earliest", "proportional"])
@pytest.mark.parametrize("wh", [1, 17, 5_000, 12_000])
def test_an_amount_is_taken_as_a_walk_would_take_it(registry, twin, order, wh):
    where, how = {"owner": "Ann", "status": "ACTIVE"}, {"wh": wh, "order": order}
    before = registry.query().energy_wh
    expected = twin.change("trade", where, seller="Ann", buyer="Dot", **how)
    receipt = registry.trade(where, "Ann", "Dot", **how)
    assert (receipt.certificates, receipt.energy_wh, receipt.total_minor) == expected
    assert holdings(registry) == {one.name: (one.owner, one.status, one.wh) for one in twin.certificates}
    assert registry.query().energy_wh == before


def test_pieces_lie_side_by_side_over_exactly_the_hour(registry):
    name = "HOURLY-UNSEEN-2024013121"
    whole = registry.certificate(name)["energy_wh"]
    for wh in (100, 7, 1):
        piece = names(registry.query(parent="UNSEEN", at="2024-01-31T21:00Z", owner="Cid"))[-1]
        registry.trade([piece], "Cid", "Ann", wh=wh)
    parts = registry.query(parent="UNSEEN", at="2024-01-31T21:00Z").to_table(certificate_ids=True).to_pylist()
    edges = [tuple(map(int, row["certificate_id"].rpartition("/")[2].split("-"))) for row in parts]
    assert edges[0][0] == 0
    assert edges[-1][1] == whole
    assert all(one[1] == other[0] for one, other in pairwise(edges))
    assert [end - first for first, end in edges] == [row["energy_wh"] for row in parts]


def test_only_what_is_active_can_be_split(registry):
    where = {"parent": "SEA-3", "status": "RESERVED"}
    held = registry.query(**where).energy_wh
    assert codes(registry.retire, where, "Ann", "Mill", wh=held - 1) == ["wrong_state"]
    assert registry.retire(where, "Ann", "Mill", wh=held).energy_wh == held


@pytest.mark.parametrize(("wh", "code"), [(0, "bad_amount"), (-5, "bad_amount"), (10**15, "amount_over")])
def test_an_amount_that_cannot_be_taken(registry, wh, code):
    assert codes(registry.trade, {"owner": "Ann", "status": "ACTIVE"}, "Ann", "Bob", wh=wh) == [code]


@pytest.mark.parametrize("wh", [1.0, "5", True])
def test_an_amount_is_a_whole_number(registry, wh):
    with pytest.raises(UsageError, match="whole number of Wh"):
        registry.trade({"owner": "Ann", "status": "ACTIVE"}, "Ann", "Bob", wh=wh)
    with pytest.raises(UsageError, match="unknown order"):
        registry.trade({"owner": "Ann", "status": "ACTIVE"}, "Ann", "Bob", wh=5, order="latest")


# --- money


@given(st.integers(0, 10**9), st.integers(1, 10**13))
def test_a_total_is_rounded_once_half_to_even(minor, energy):
    assert total_of(minor, energy) == round_half_even(minor * energy, 10**6)


@pytest.mark.parametrize(
    ("minor", "energy", "total"), [(1, 500_000, 0), (3, 500_000, 2), (5, 500_000, 2), (1, 500_001, 1)]
)
def test_half_a_cent_goes_to_the_even_one(minor, energy, total):
    assert total_of(minor, energy) == total


@given(st.integers(0, 10**8), st.sampled_from(["EUR", "USD", "JPY", "KWD", "CLF"]))
def test_a_price_is_read_exactly_however_it_is_written(minor, currency):
    digits = MINOR_DIGITS.get(currency, 2)
    exact = Decimal(minor).scaleb(-digits)
    for written in (str(exact), exact, f"{exact}" if digits else int(exact)):
        assert price_of(written, currency, 10**6) == (minor, minor)


def test_0_is_a_price_and_none_is_none(registry):
    assert price_of(0, "EUR", 10**9) == (0, 0)
    assert price_of("0.00", "EUR", 10**9) == (0, 0)
    assert price_of(None, "", 10**9) == (None, None)
    free = registry.trade({"parent": "UNSEEN", "at": "2024-01-31T21:00Z"}, "Cid", "Ann", 0, "EUR")
    unpriced = registry.trade({"parent": "UNSEEN", "at": "2024-01-31T23:00Z"}, "Cid", "Ann")
    assert (free.price_minor, free.total_minor, free.currency) == (0, 0, "EUR")
    assert (unpriced.price_minor, unpriced.total_minor, unpriced.currency) == (None, None, "")


@pytest.mark.parametrize(
    ("price", "currency"),
    [
        ("1.001", "EUR"), ("0.5", "JPY"), (-1, "EUR"), ("cheap", "EUR"), ("NaN", "EUR"), ("Infinity", "EUR"),
        ("1e40", "EUR"), ("", "EUR"), (1, ""), (1, "eur"), (1, "EURO"), (1, "€€€"), (1, 978), (None, "EUR"),
        (2**63, "JPY"),
    ],
)  # fmt: skip
def test_a_price_that_cannot_be_is_a_usage_error(price, currency):
    with pytest.raises(UsageError):
        price_of(price, currency, 10**6)


# --- time


@given(st.integers(0, 4 * 10**9), st.integers(0, 400))
def test_months_back_are_those_of_the_calendar(second, months):
    assert latest_before(second, months) == earlier(second, months)


@pytest.mark.parametrize(
    ("day", "months", "wanted"),
    [((2024, 1, 31), 1, (2024, 2, 29)), ((2023, 1, 31), 1, (2023, 2, 28)), ((2024, 3, 31), -1, (2024, 2, 29)),
     ((2024, 2, 29), 12, (2025, 2, 28)), ((2024, 12, 31), 2, (2025, 2, 28)), ((2024, 12, 1), 1, (2025, 1, 1))],
)  # fmt: skip
def test_the_last_day_of_a_shorter_month_stays_its_last(day, months, wanted):
    begin, end = (int(datetime(*each, 7, 30, tzinfo=UTC).timestamp()) for each in (day, wanted))
    assert add_months(begin, months) == end


def deadlined(folder, now, **policy):
    from oracle.conversion import annual_table, profile_table, series

    import gcr_fast as gcr

    registry = gcr.Registry.create(folder, clock=lambda: now[0], **policy)
    rows = annual_table({"owner": "Ann", "energy_wh": 24})
    registry.issue(rows, profile_table({"p": series([1] * 24)}), create_parties=True)
    registry.add_party("Bob")
    return registry


def test_nothing_is_traded_after_its_deadline_and_everything_until_then(tmp_path):
    now = [START]
    with deadlined(tmp_path / "r", now, transfer_months=12) as registry:
        year = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
        now[0] = year + HOUR
        assert codes(registry.trade, {"owner": "Ann"}, "Ann", "Bob") == ["past_deadline"]  # one of 24: all is refused
        assert registry.trade({"owner": "Ann", "start": START + HOUR}, "Ann", "Bob").certificates == 23
        now[0] = year
        assert registry.trade({"owner": "Ann"}, "Ann", "Bob").certificates == 1
        now[0] = year + 30 * DAY
        assert len(codes(registry.trade, {"owner": "Bob"}, "Bob", "Ann")) == 24
        assert registry.retire({"owner": "Bob"}, "Bob", "Mill").certificates == 24  # only transfers have that deadline
        assert registry.verify().ok


def test_nothing_expires_before_its_time(tmp_path):
    now = [START]
    with deadlined(tmp_path / "r", now, expiry_months=18) as registry:
        end = int(datetime(2025, 7, 1, tzinfo=UTC).timestamp())
        now[0] = end
        assert registry.expire().entry == 0
        assert set(codes(registry.expire, None, {"owner": "Ann"})) == {"not_expired"}
        assert codes(registry.expire, None, {"owner": "Ann"}, months=1) == ["not_expired"] * 24  # no shorter life
        now[0] = end + 5 * HOUR
        assert registry.expire(dry_run=True).certificates == 5
        assert registry.expire().certificates == 5
        assert registry.expire().entry == 0
        assert registry.expire(months=19).entry == 0
        assert registry.verify().ok


# --- states


@pytest.mark.parametrize("action", STARTS)
@pytest.mark.parametrize("status", STATUSES)
def test_every_action_in_every_state_by_the_table(registry, twin, action, status):
    one = next(one for one in twin.certificates if one.status == status)
    how = {"seller": one.owner} if action in ("trade", "reserve", "release", "retire", "claim") else {}
    how |= {"trade": {"buyer": "Ann" if one.owner != "Ann" else "Bob"}, "claim": {"reference": "new"}}.get(action, {})
    how |= {"expire": {"months": 1}, "withdraw": {"compensation": "others"}}.get(action, {})
    before = holdings(registry)
    if status in STARTS[action]:
        twin.change(action, [one.name], **how)
        changed(registry, action, [one.name], **how)
        after = holdings(registry)
        wanted = ENDS.get(action, "ACTIVE") if action != "unlock" else one.status
        assert after.pop(one.name) == (how.get("buyer", one.owner), wanted, one.wh)
        before.pop(one.name)
        assert after == before
    else:
        with pytest.raises(RefusalError, match="wrong_state"):
            twin.change(action, [one.name], **how)
        assert codes(changed, registry, action, [one.name], **how) == ["wrong_state"]
        assert holdings(registry) == before


def test_unlocking_gives_the_former_state_back(registry):
    some = {"parent": "UNSEEN", "end": "2024-01-31T23:00Z"}
    registry.reserve(some, "Cid", wh=None)
    registry.lock({"parent": "UNSEEN"}, reason="court")
    assert registry.query(parent="UNSEEN").group_by("status")["status"].to_pylist() == ["LOCKED"]
    registry.unlock({"parent": "UNSEEN"}, reason="settled")
    states = registry.query(parent="UNSEEN").group_by("status").to_pylist()
    assert {row["status"]: row["certificates"] for row in states} == {
        "RESERVED": registry.query(**some).count,
        "ACTIVE": registry.query(parent="UNSEEN").count - registry.query(**some).count,
    }


# --- all or nothing


def test_one_bad_certificate_refuses_all_and_each_bad_one_is_named(registry, twin):
    before, position = holdings(registry), registry.position
    wrong = [
        one for one in twin.certificates if one.parent == "WIND-2" and (one.owner, one.status) != ("Bob", "ACTIVE")
    ]
    with pytest.raises(RefusedError) as caught:
        registry.trade([one.name for one in twin.certificates if one.parent == "WIND-2"], "Bob", "Dot")
    found = caught.value.findings.to_pylist()
    assert {row["certificate_id"] for row in found} == {one.name for one in wrong}
    assert {row["code"] for row in found} == {"not_owned"}
    assert (holdings(registry), registry.position) == (before, position)


def test_of_very_many_bad_ones_the_first_are_named_and_all_are_counted(registry, monkeypatch):
    monkeypatch.setattr(changes, "LISTED", 3)
    count = registry.query(parent="UNSEEN").count
    with pytest.raises(RefusedError) as caught:
        registry.trade({"parent": "UNSEEN"}, "Ann", "Bob")
    found = caught.value.findings.to_pylist()
    assert len(found) == 4
    assert sum(row["count"] for row in found) == count
    assert f"and {count - 3} more" in found[-1]["message"]


def test_a_list_names_each_once_and_what_exists(registry):
    name = "HOURLY-UNSEEN-2024013121"
    handle = registry.certificate(name)["certificate"]
    for twice in ([name, name], [name, handle], np.array([handle, handle]), pa.array([name, name])):
        assert codes(registry.trade, twice, "Cid", "Bob") == ["listed_twice"]
    assert codes(registry.trade, [name, "HOURLY-UNSEEN-2024013119", 10**9], "Cid", "Bob") == ["no_such_certificate"] * 2
    assert codes(registry.trade, [], "Cid", "Bob") == ["nothing_selected"]


@pytest.mark.parametrize("nothing", [None, 1.5, object(), {"colour": "red"}])
def test_a_selection_that_is_none_is_a_usage_error(registry, nothing):
    with pytest.raises(UsageError):
        registry.trade(nothing, "Cid", "Bob")


@pytest.mark.parametrize(
    ("parties", "wanted"),
    [(("Cid", "Cid"), ["same_party"]), (("Nobody", "Bob"), ["unknown_party"]), (("Cid", "Nobody"), ["unknown_party"]),
     (("No", "Nobody"), ["unknown_party"] * 2)],
)  # fmt: skip
def test_parties_are_two_and_known(registry, parties, wanted):
    assert codes(registry.trade, {"parent": "UNSEEN"}, *parties) == wanted


def test_a_dry_run_says_what_would_be_and_does_nothing(registry):
    before, position = holdings(registry), registry.position
    said = registry.trade({"parent": "UNSEEN"}, "Cid", "New", "1.5", "EUR", wh=1000, create_parties=True, dry_run=True)
    assert (said.entry, said.hash, said.energy_wh, said.price_minor) == (0, "", 1000, 150)
    assert (holdings(registry), registry.position) == (before, position)
    done = registry.trade({"parent": "UNSEEN"}, "Cid", "New", "1.5", "EUR", wh=1000, create_parties=True)
    assert (done.certificates, done.energy_wh, done.total_minor) == (said.certificates, 1000, said.total_minor)


# --- once


def test_the_same_key_again_is_the_same_receipt_even_when_all_has_moved_on(registry):
    where = {"parent": "UNSEEN", "owner": "Cid", "status": "ACTIVE"}
    first = registry.trade(where, "Cid", "Bob", "2", "EUR", wh=3_000, order="proportional", key="k")
    registry.retire({"parent": "UNSEEN", "owner": "Bob"}, "Bob", "Mill")
    position = registry.position
    again = registry.trade(where, "Cid", "Bob", "2", "EUR", wh=3_000, order="proportional", key="k")
    assert again.repeated
    assert (again.entry, again.hash, again.energy_wh) == (first.entry, first.hash, first.energy_wh)
    assert registry.position == position


@pytest.mark.parametrize(
    "other",
    [
        {"price": "3"}, {"price": None, "currency": None}, {"currency": "USD"}, {"wh": 2_999}, {"wh": None},
        {"order": "earliest"}, {"buyer": "Ann"}, {"seller": "Dot"}, {"selection": {"parent": "SUN/1"}},
        {"selection": {"parent": "UNSEEN", "end": "2024-01-31T22:00Z"}}, {"selection": ["HOURLY-UNSEEN-2024013121"]},
    ],
)  # fmt: skip
def test_a_key_stands_for_one_thing_only(registry, other):
    asked = {"selection": {"parent": "UNSEEN"}, "seller": "Cid", "buyer": "Bob", "price": "2", "currency": "EUR",
             "wh": 3_000, "order": "proportional"}  # fmt: skip
    registry.trade(**asked, key="k")
    position = registry.position
    assert codes(registry.trade, **(asked | other), key="k") == ["key_reused"]
    assert registry.position == position
    assert registry.trade(**asked, key="k").repeated


def test_a_key_of_another_verb_is_reused(registry):
    registry.reserve({"parent": "UNSEEN"}, "Cid", key="k", reason="later")
    assert codes(registry.release, {"parent": "UNSEEN"}, "Cid", key="k") == ["key_reused"]
    assert codes(registry.reserve, {"parent": "UNSEEN"}, "Cid", key="k", reason="another") == ["key_reused"]
    assert registry.reserve({"parent": "UNSEEN"}, "Cid", key="k", reason="later").repeated


# --- claims and withdrawals


def retired(registry):
    registry.retire({"parent": "UNSEEN"}, "Cid", "Mill")
    rows = registry.query(parent="UNSEEN").to_table().to_pylist()
    return {int(row["production_start"].timestamp()): row["energy_wh"] for row in rows}


def consumption(hours):
    start = pa.array([second * 1000 for second in hours], pa.int64()).cast(pa.timestamp("ms", "UTC"))
    return pa.table({"start": start, "energy_wh": pa.array(list(hours.values()), pa.int64())})


def test_no_hour_is_claimed_above_its_consumption_or_twice(registry):
    used = retired(registry)
    second, wh = next(iter(used.items()))
    claim = {"selection": {"parent": "UNSEEN"}, "owner": "Cid", "reference": "meter 1"}
    assert codes(registry.claim, **claim, consumption=consumption(used | {second: wh - 1})) == ["amount_over"]
    short = {at: wh for at, wh in used.items() if at != second}
    assert codes(registry.claim, **claim, consumption=consumption(short)) == ["amount_over"]
    assert codes(registry.claim, **claim, zone="FR") == ["other_zone"] * len(used)
    one = claim | {"selection": {"parent": "UNSEEN", "at": second}}
    assert registry.claim(**one, zone="PT", consumption=consumption(used)).certificates == 1
    assert set(codes(registry.claim, **claim)) == {"wrong_state", "already_claimed"}
    rest = claim | {"selection": {"parent": "UNSEEN", "status": "RETIRED"}}
    assert registry.claim(**rest, zone="PT").certificates == len(used) - 1
    assert registry.verify().ok


def test_another_certificate_cannot_take_an_hour_that_was_claimed(registry):
    registry.retire({"parent": "SUN/1", "owner": "Ann", "at": "2024-01-01T12:00Z"}, "Ann", "Mill")
    registry.retire({"parent": "WIND-2", "owner": "Bob", "at": "2024-01-01T12:00Z"}, "Bob", "Mill")
    registry.claim({"parent": "SUN/1", "status": "RETIRED"}, "Ann", "meter 1")
    where = {"parent": "WIND-2", "owner": "Bob", "status": "RETIRED"}
    assert codes(registry.claim, where, "Bob", "meter 1") == ["already_claimed"]
    assert registry.claim(where, "Bob", "meter 2").certificates == 1


@pytest.mark.parametrize(
    ("given_as", "said"),
    [
        (pa.table({"energy_wh": [1]}), "no column start"),
        (5, "must be a table"),
        (pa.concat_tables([consumption({START: 1})] * 2), "tells of an interval twice"),
    ],
)
def test_consumption_that_is_none_is_a_usage_error(registry, given_as, said):
    retired(registry)
    with pytest.raises(UsageError, match=said):
        registry.claim({"parent": "UNSEEN"}, "Cid", "meter 1", consumption=given_as)


def test_what_was_used_is_withdrawn_only_if_it_is_made_good(registry):
    retired(registry)
    for nothing in ("", "  "):
        assert codes(registry.withdraw, {"parent": "UNSEEN"}, reason="fault", compensation=nothing) == [
            "needs_compensation"
        ]
    receipt = registry.withdraw({"parent": "UNSEEN"}, reason="fault", compensation="5 MWh of others retired")
    texts = dict(next(registry.journal.entries(receipt.entry - 1)).entry.texts)
    assert texts == {"reason": "fault", "compensation": "5 MWh of others retired"}
    assert registry.verify().ok
