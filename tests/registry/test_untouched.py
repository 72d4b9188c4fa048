"""Shortcuts of questions answer as the long way does: one parent as it was issued, one interval of many parents."""

import pytest
from oracle import lively
from oracle.conversion import HOUR, START

from gcr_fast.registry.registry import Registry
from gcr_fast.registry.results import Result, WholeParent
from gcr_fast.registry.selection import Selection
from gcr_fast.registry.where import Where

GRIDS = ((48, HOUR, 0), (30, HOUR, 7 * HOUR), (96, 900, 0), (200, 900, 3600 * 5 + 900))
"""Intervals, their length, and how much later they begin: parents that share little."""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Two issues, several segments, nothing touched."""
    folder = tmp_path_factory.mktemp("fresh") / "registry"
    with Registry.create(folder, clock=lambda: lively.NOW) as registry:
        registry.issue(*lively.parents(*lively.PARENTS), create_parties=True)
        for number, (hours, step, later) in enumerate(GRIDS):
            begin = START + later
            rows = [
                {"certificate_id": f"G{number}{at}", "owner": f"O{at % 3}", "energy_wh": 90_000 + at, "start": begin,
                 "end": START + later + hours * step}
                for at in range(7)
            ]  # fmt: skip
            registry.issue(*lively.parents(*rows, hours=hours + later // step, step=step), create_parties=True)
        yield registry


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """One in which everything has happened."""
    with lively.lively(tmp_path_factory.mktemp("lived") / "registry") as registry:
        yield registry


@pytest.fixture(params=["fresh", "lived"])
def registry(request):
    return request.getfixturevalue(request.param)


def long_way(registry, **filters):
    """What the kernel finds when no shortcut is taken."""
    selection = Selection(registry.state, Where.of(filters))
    selection.at_once = False
    selection._as_issued = lambda: False
    return Result(registry.state, selection)


@pytest.mark.parametrize("ids", [False, True])
def test_whole_parents(registry, ids):
    names = registry.state.catalogue.ids.to_pylist()
    for name in names:
        found, wanted = registry.query(parent=name), long_way(registry, parent=name)
        table = found.to_table(ids)
        table.validate(full=True)
        assert table.to_pylist() == wanted.to_table(ids).to_pylist() != []
        assert table.schema.equals(wanted.to_table(ids).schema, check_metadata=True)
        assert (found.count, found.energy_wh, found.cursor) == (wanted.count, wanted.energy_wh, wanted.cursor)
        assert found.group_by("owner", "day") == wanted.group_by("owner", "day")
        assert [batch.to_pylist() for batch in found.batches()] == [batch.to_pylist() for batch in wanted.batches()]


def test_only_the_whole_of_one_parent_is_answered_so(fresh):
    name = fresh.state.catalogue.ids[0].as_py()
    assert type(fresh.query(parent=name)) is WholeParent
    assert type(fresh.query(parent=name, as_of=fresh.position)) is WholeParent
    more = ({"parent": [name]}, {"parent": name, "min_wh": 2}, {"parent": name, "limit": 3}, {"parent": None})
    assert {type(fresh.query(**filters)) for filters in more} == {Result}
    assert fresh.query(parent=name, limit=3).to_table() == fresh.query(parent=name).to_table().slice(0, 3)


def test_an_answer_that_was_begun_before_a_trade_shows_the_trade(tmp_path):
    with Registry.create(tmp_path / "registry", clock=lambda: lively.NOW) as registry:
        registry.issue(*lively.parents(*lively.PARENTS), create_parties=True)
        found = registry.query(parent="SUN-1")
        before = found.to_table()
        registry.trade({"parent": "SUN-1", "end": START + 9 * HOUR}, "North", "South")
        assert set(before["owner"].to_pylist()) == {"North"}
        assert set(found.to_table()["owner"].to_pylist()) == {"North", "South"}


MOMENTS = [START - 1, *(START + minutes * 60 for minutes in (0, 14, 15, 59, 60, 61, 435, 600, 1500, 2879, 2880, 3600))]
FILTERS = ({}, {"owner": "North"}, {"status": "ACTIVE"}, {"status": "TRADED"}, {"status": ["SPLIT", "RETIRED"]},
           {"min_wh": 2500}, {"hour_of_day": [0, 1, 9]}, {"parent": ["SUN-1", "WIND-1", "DARK-1"]}, {"country": "DE"},
           {"start": START + 1800}, {"end": START + HOUR + 1801}, {"owner": "South", "status": "ACTIVE"})  # fmt: skip


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_one_interval_of_every_parent(registry, filters):
    if "country" in filters:
        filters = filters | {"source_type": "solar"}
    total = 0
    for moment in MOMENTS:
        found, wanted = registry.query(at=moment, **filters), long_way(registry, at=moment, **filters)
        assert found.to_table().to_pylist() == wanted.to_table().to_pylist()
        total += found.count
    assert total or filters.get("status") in ("TRADED", ["SPLIT", "RETIRED"])


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_one_interval_of_every_parent_page_by_page(registry, size):
    for moment in MOMENTS:
        whole = registry.query(at=moment, status=["ACTIVE", "SPLIT", "RETIRED", "LOCKED"]).to_table().to_pylist()
        pages, after = [], None
        while page := registry.query(
            at=moment, status=["ACTIVE", "SPLIT", "RETIRED", "LOCKED"], limit=size, after=after
        ):
            pages += page.to_table().to_pylist()
            after = page.cursor
        assert pages == whole
        in_batches = Selection(registry.state, Where(at=moment)).batches(size)
        handles = [handle for rows in in_batches for handle in rows.handles.tolist()]
        assert handles == registry.query(at=moment).to_table()["certificate"].to_pylist()


def test_what_follows_a_certificate_of_a_later_hour(registry):
    """A cursor may be of any certificate, also of one that the filters do not have."""
    everything = registry.query().to_table()["certificate"].to_pylist()
    of = {}
    for moment in MOMENTS:
        wanted = registry.query(at=moment).to_table()["certificate"].to_pylist()
        of[moment] = wanted
        for at, after in enumerate(everything):
            if at % 7 == 0:
                behind = set(everything[at + 1 :])
                found = registry.query(at=moment, after=after).to_table()["certificate"].to_pylist()
                assert found == [handle for handle in wanted if handle in behind]
    assert any(of.values())
