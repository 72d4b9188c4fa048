"""Which certificates: every filter and all together, pages, the past, counts and groups, beside a plain walk."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.conversion import HOUR, START
from oracle.pairs import LATE, ROWS, lived, names

from gcr_fast import UsageError
from gcr_fast.codes import STATUSES
from gcr_fast.registry.registry import Registry
from gcr_fast.registry.results import GROUPS
from gcr_fast.registry.selection import Selection
from gcr_fast.registry.stored import PIECE
from gcr_fast.registry.where import Where, seconds_of


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    registry, twin, pasts = lived(tmp_path_factory.mktemp("selection") / "registry")
    yield registry, twin, pasts
    registry.close()


@pytest.fixture(scope="module")
def registry(pair):
    return pair[0]


@pytest.fixture(scope="module")
def twin(pair):
    return pair[1]


MOMENTS = st.integers(-2, 30).map(lambda hour: START + hour * HOUR) | st.integers(-8, 60).map(
    lambda n: LATE + n * 900 + 7
)


def some_of(*words):
    """One word, or several."""
    return st.sampled_from(words) | st.lists(st.sampled_from(words), min_size=1, max_size=3)


FILTERS = {
    "parent": some_of(*(row["certificate_id"] for row in ROWS)),
    "owner": st.sampled_from(["Ann", "Bob", "Cid", "Dot"]),
    "start": MOMENTS,
    "end": MOMENTS,
    "at": MOMENTS,
    "source_type": some_of("solar", "wind", "wind_onshore", "hydro", "nuclear", "wind_offshore"),
    "device": some_of("roof", "mill", "dam"),
    "country": some_of("ES", "FR", "PT"),
    "basis": some_of("facility_profile", "regional_technology_profile", "flat"),
    "status": st.just("TRADED") | some_of(*STATUSES),
    "min_wh": st.sampled_from([1, 2, 100, 500, 3000, 10**6]),
    "hour_of_day": st.integers(0, 23) | st.lists(st.integers(0, 23), min_size=1, max_size=4),
}


@st.composite
def filters(draw):
    """Any filters together."""
    chosen = draw(st.lists(st.sampled_from(sorted(FILTERS)), unique=True, max_size=4))
    return {name: draw(FILTERS[name]) for name in chosen}


def found(twin, where):
    return [one.name for one in twin.select(where)]


# --- filters


def test_the_life_has_everything_that_filters_tell_apart(registry, twin):
    assert {one.status for one in twin.certificates} == set(STATUSES)
    assert any(not one.whole for one in twin.certificates)
    assert len(twin.certificates) > 100
    assert registry.state.touched < set(range(len(ROWS)))


@settings(max_examples=400)
@given(filters())
def test_any_filters_together_find_what_a_walk_finds_in_the_same_order(registry, twin, where):
    result = registry.query(**where)
    assert names(result) == found(twin, where)
    assert result.count == len(result) == len(found(twin, where))
    assert result.energy_wh == sum(one.wh for one in twin.select(where))


@pytest.mark.parametrize("name", FILTERS)
@given(st.data())
def test_each_filter_alone(registry, twin, name, data):
    where = {name: data.draw(FILTERS[name])}
    assert names(registry.query(**where)) == found(twin, where)


@settings(max_examples=150)
@given(filters(), st.data())
def test_named_certificates_are_filtered_too(registry, twin, where, data):
    chosen = data.draw(st.lists(st.sampled_from([one.name for one in twin.certificates]), min_size=1, max_size=8))
    assert names(registry.query(certificate=chosen, **where)) == found(twin, where | {"certificate": set(chosen)})
    handles = [registry.certificate(name)["certificate"] for name in chosen]
    assert names(registry.query(certificate=handles, **where)) == names(registry.query(certificate=chosen, **where))
    assert names(registry.query(certificate=np.array(handles), **where)) == names(
        registry.query(certificate=chosen, **where)
    )


def test_one_or_an_arrow_column_of_ids_will_do(registry):
    name = "HOURLY-WIND-2-2024010112"
    (row,) = registry.query(certificate=name).to_table().to_pylist()
    for given_as in ([name], row["certificate"], pa.array([name]), pa.chunked_array([[row["certificate"]]])):
        assert names(registry.query(certificate=given_as)) == [name]
    assert names(registry.query(certificate=[name, name])) == [name]


def test_only_the_first_of_several_filters_is_not_all_that_counts(registry, twin):
    """A registry that this one replaces looked at the first and forgot the rest."""
    both = {"owner": "Ann", "source_type": "solar"}
    assert 0 < registry.query(**both).count < min(registry.query(**{name: word}).count for name, word in both.items())
    for order in (both, dict(reversed(both.items()))):
        assert names(registry.query(**order)) == found(twin, both)


def test_batches_of_any_size_are_the_whole(registry, twin):
    for where in ({}, {"owner": "Ann"}, {"status": STATUSES}, {"parent": "UNSEEN"}):
        whole = registry.query(**where).to_table()["certificate"].to_pylist()
        for rows in (1, 7, 50, 10**6):
            parts = list(Selection(registry.state, Where(**where)).batches(rows))
            assert [handle for part in parts for handle in part.handles.tolist()] == whole


# --- pages


@settings(max_examples=150)
@given(filters(), st.integers(1, 25))
def test_pages_laid_together_are_the_whole(registry, twin, where, size):
    pages, after = [], None
    while page := names(registry.query(limit=size, after=after, **where)):
        assert len(page) <= size
        after = registry.query(limit=size, after=after, **where).cursor
        pages += page
    assert pages == found(twin, where)


def test_a_page_goes_on_behind_what_was_seen_even_if_it_was_changed_meanwhile(tmp_path):
    registry, _, _ = lived(tmp_path / "r")
    whole = names(registry.query(owner="Cid"))
    page = registry.query(owner="Cid", limit=5)
    seen, after = names(page), page.cursor
    registry.trade([seen[-1]], "Cid", "Bob", wh=1)  # what was seen last is split and partly sold
    rest = names(registry.query(owner="Cid", after=after))
    assert [*seen, *rest] == whole
    registry.close()


def test_a_page_after_a_piece_has_its_sisters(registry, twin):
    everything = names(registry.query(status=STATUSES))
    pieces = [name for name in everything if "/" in name.rpartition("-20")[2]]
    assert len(pieces) > 4
    for name in pieces:
        after = registry.certificate(name)["certificate"]
        assert after >= PIECE
        assert names(registry.query(status=STATUSES, after=after)) == everything[everything.index(name) + 1 :]


@pytest.mark.parametrize("after", [-1, 10**9, PIECE + 10**6])
def test_a_cursor_that_is_none_is_a_usage_error(registry, after):
    with pytest.raises(UsageError):
        registry.query(after=after)


def test_a_limit_is_at_least_1_and_an_empty_page_has_no_cursor(registry):
    for limit in (0, -1):
        with pytest.raises(UsageError, match="limit"):
            registry.query(limit=limit)
    empty = registry.query(min_wh=10**9)
    assert (empty.count, empty.energy_wh, empty.cursor, empty.to_table().num_rows) == (0, 0, None, 0)


# --- the past


@settings(max_examples=80)
@given(filters(), st.data())
def test_the_past_answers_as_it_was(pair, where, data):
    registry, _, pasts = pair
    position = data.draw(st.sampled_from(sorted(at for at, then in pasts.items() if then.parents)))
    assert names(registry.query(as_of=position, **where)) == found(pasts[position], where)


def test_the_past_is_the_same_with_and_without_snapshots(tmp_path):
    registry, _, pasts = lived(tmp_path / "r")
    for position in list(pasts)[2::4]:
        registry.snapshot()
        assert names(registry.query(as_of=position)) == found(pasts[position], {})
    registry.close()


@pytest.mark.parametrize("position", [0, -1, 10**6])
def test_a_position_that_is_none_is_a_usage_error(registry, position):
    with pytest.raises(UsageError, match="the journal has entries 1 to"):
        registry.query(as_of=position)


# --- groups


def key_of(twin, one, name):
    facts, when = twin.parents[one.parent], datetime.fromtimestamp(one.start, UTC)
    return {
        "owner": one.owner, "source_type": facts["source_type"], "status": one.status, "device": facts["device_id"],
        "country": facts["country"], "hour_of_day": when.hour, "day": f"{when:%Y-%m-%d}", "month": f"{when:%Y-%m}",
        "year": when.year,
    }[name]  # fmt: skip


@settings(max_examples=200)
@given(filters(), st.lists(st.sampled_from(GROUPS), min_size=1, max_size=4, unique=True))
def test_groups_are_the_sums_of_a_walk(registry, twin, where, by):
    sums = defaultdict(lambda: [0, 0])
    for one in twin.select(where):
        have = sums[tuple(key_of(twin, one, name) for name in by)]
        have[0], have[1] = have[0] + 1, have[1] + one.wh
    table = registry.query(**where).group_by(*by)
    assert table.column_names == [*by, "certificates", "energy_wh"]
    rows = {tuple(row[name] for name in by): [row["certificates"], row["energy_wh"]] for row in table.to_pylist()}
    assert len(rows) == table.num_rows
    assert rows == sums


@pytest.mark.parametrize("name", ["day", "month", "year", "hour_of_day"])
def test_groups_of_time_ascend(registry, name):
    keys = registry.query().group_by(name)[name].to_pylist()
    assert keys == sorted(keys)


@pytest.mark.parametrize("by", [(), ("colour",), ("owner", "owner"), ("owner", "colour")])
def test_a_group_that_is_none_is_a_usage_error(registry, by):
    with pytest.raises(UsageError, match="group by one or more of"):
        registry.query().group_by(*by)


def test_very_many_groups_are_counted_without_a_table_of_all_that_could_be(registry, twin, monkeypatch):
    monkeypatch.setattr("gcr_fast.registry.results.DENSE_GROUPS", 4)
    by = ("owner", "day", "hour_of_day", "status")
    rows = registry.query(status=STATUSES).group_by(*by).to_pylist()
    walk = defaultdict(int)
    for one in twin.select({"status": STATUSES}):
        walk[tuple(key_of(twin, one, name) for name in by)] += one.wh
    assert {tuple(row[name] for name in by): row["energy_wh"] for row in rows} == walk


# --- moments


@pytest.mark.parametrize(
    ("given_as", "wanted"),
    [
        ("2024-01-01T12:00Z", 12 * HOUR),
        ("2024-01-01T12:00:00+00:00", 12 * HOUR),
        ("2024-01-01T13:00+01:00", 12 * HOUR),
        (" 2024-01-01T12:00Z ", 12 * HOUR),
        ("2024-01-01", 0),
        (START + 5, 5),
        (np.int64(START), 0),
        (datetime(2024, 1, 1, 12, tzinfo=UTC), 12 * HOUR),
        (datetime(2024, 1, 1, 12, tzinfo=timezone(timedelta(hours=5))), 7 * HOUR),
    ],
)
def test_a_moment_may_be_said_in_many_ways(given_as, wanted):
    assert seconds_of(given_as) == START + wanted


@pytest.mark.parametrize(
    "given_as", ["noon", "", "2024-13-01", "2024-01-01T12:00", datetime(2024, 1, 1), "24-1-1", None]
)
def test_a_moment_that_is_none_or_has_no_zone_is_a_usage_error(given_as):
    with pytest.raises(UsageError, match="time"):
        seconds_of(given_as)


def test_a_fraction_of_a_second_is_before_the_next(registry):
    second = registry.query(parent="WIND-2", start="2024-01-01T00:00:00.5Z", end="2024-01-01T01:00:00.5Z")
    assert names(second) == ["HOURLY-WIND-2-2024010101"]
    assert seconds_of("2023-12-31T23:59:59.5Z") == START - 1
    assert seconds_of("2023-12-31T23:59:59.5Z", up=True) == START


# --- what cannot be asked


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"parent": "NONE"}, "no parent certificate 'NONE'"),
        ({"owner": "Anne"}, "did you mean Ann"),
        ({"source_type": "coal?"}, "no source type"),
        ({"device": "rof"}, "did you mean roof"),
        ({"country": "XX"}, "no country 'XX'"),
        ({"basis": "guess"}, "no basis 'guess'"),
        ({"status": "SOLD"}, "no status 'SOLD'"),
        ({"status": ["TRADED", "ACTIVE"]}, "ask for it alone"),
        ({"min_wh": 0}, "min_wh"),
        ({"min_wh": 1.5}, "min_wh"),
        ({"hour_of_day": 24}, "hour_of_day"),
        ({"hour_of_day": [3, -1]}, "hour_of_day"),
        ({"certificate": "HOURLY-WIND-2-2024010102"}, "no such certificate"),  # an hour of 0 Wh
        ({"certificate": ["HOURLY-NONE-2024010102", 10**9]}, "HOURLY-NONE-2024010102, 1000000000"),
        ({"certificate": 1.5}, "give a handle, or an id"),
        ({"colour": "red"}, "no filter colour"),
    ],
)
def test_what_does_not_exist_is_a_usage_error_that_says_so(registry, where, said):
    with pytest.raises(UsageError) as caught:
        registry.query(**where) if "colour" not in where else Where.of(where)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "wrong", [1.5, float("nan"), object(), b"x", [1.5], [None], [[]], 10**30, datetime(2024, 1, 1)]
)
@pytest.mark.parametrize("name", [*FILTERS, "certificate", "limit", "after", "as_of"])
def test_what_is_no_such_thing_at_all_is_a_usage_error_too(registry, name, wrong):
    if wrong == 10**30 and name in ("min_wh", "limit"):
        assert registry.query(**{name: wrong}).count >= 0
        return
    with pytest.raises(UsageError):
        registry.query(**{name: wrong})


# --- ids


def test_every_id_leads_to_its_certificate_and_back(registry, twin):
    for one in twin.certificates:
        told = registry.certificate(one.name)
        assert (told["energy_wh"], told["owner"], told["status"]) == (one.wh, one.owner, one.status)
        assert registry.certificate(told["certificate"])["certificate_id"] == one.name


@pytest.mark.parametrize(
    "name",
    [
        "HOURLY-WIND-2-202401011200", "HOURLY-RIVER-2024013119", "HOURLY-WIND-2-2024010124", "HOURLY-WIND-2-2024013001",
        "HOURLY-WIND-2-2023123123", "HOURLY-WIND-2-2024010200", "HOURLY-WIND-2-2024010102",
        "HOURLY-WIND-2-2024010112/0-5", "HOURLY-WIND-2-2024010112/", "HOURLY-WIND-2-20240101120", "WIND-2-2024010112",
        "HOURLY-", "HOURLY-WIND-2-" + "".join(chr(0xFF10 + int(digit)) for digit in "2024010112"),
    ],
)  # fmt: skip
def test_what_only_looks_like_an_id_is_none(registry, name):
    with pytest.raises(UsageError, match="no such certificate"):
        registry.certificate(name)


def test_ids_stay_what_they_are_when_others_are_issued(tmp_path):
    registry, twin, _ = lived(tmp_path / "r")
    before = {one.name: registry.certificate(one.name)["certificate"] for one in twin.certificates}
    registry.trade({"parent": "UNSEEN", "at": LATE + HOUR}, "Cid", "Ann", wh=1)
    registry.close()
    with Registry.open(tmp_path / "r") as again:
        assert {name: again.certificate(name)["certificate"] for name in before} == before


def test_handles_ascend_by_parent_and_time(registry):
    table = registry.query().to_table()
    whole = [row for row in table.to_pylist() if row["certificate"] < PIECE]
    assert all(one["certificate"] < other["certificate"] for one, other in pairwise(whole))
