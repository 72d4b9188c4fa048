"""A snapshot tells of changed rows in runs: what it sets is what was changed, whatever runs there are."""

import numpy as np
import pytest
from oracle import lively
from oracle.conversion import HOUR, START

from gcr_fast.registry import snapshots
from gcr_fast.registry.registry import Registry

LENGTHS = (12, 48, 30)
"""Parents of three lengths, so that there are three segments, whose rows follow each other."""


@pytest.fixture
def registry(tmp_path):
    rows = [
        {"certificate_id": f"P{hours}{at}", "owner": "North", "energy_wh": 90_000, "end": START + hours * HOUR}
        for hours in LENGTHS
        for at in range(3)
    ]
    with Registry.create(tmp_path / "registry", clock=lambda: lively.NOW) as registry:
        registry.issue(*lively.parents(*rows), create_parties=True)
        registry.add_party("South")
        yield registry


CHANGES = {
    "nothing": [],
    "everything, over the borders of parents and segments": [{}],
    "some hours of all": [{"hour_of_day": [1, 2, 7]}],
    "a parent, then an hour of it back": [{"parent": "P481"}],
    "the last of one segment and the first of the next": [{"parent": ["P122", "P480"]}],
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_set_is_what_was_changed(registry, name):
    for where in CHANGES[name]:
        registry.trade(where, "North", "South")
    if "back" in name:
        registry.trade({"parent": "P481", "at": START + 9 * HOUR}, "South", "North")
        registry.retire({"parent": "P481", "at": START + 10 * HOUR}, "South", "Mill")
    registry.snapshot()
    with Registry.open(registry.folder, read_only=True) as other:
        assert other._snapshot_at == registry.position
        for have, want in zip(other.state.columns, registry.state.columns, strict=True):
            assert have.owners.tolist() == want.owners.tolist()
            assert have.states.tolist() == want.states.tolist()
        assert other.query().to_table() == registry.query().to_table()


def test_runs_are_as_long_as_they_can_be_and_end_with_their_segment(registry):
    registry.trade({}, "North", "South")
    registry.trade({"parent": "P300", "end": START + 4 * HOUR}, "South", "North")
    state = registry.state
    runs = snapshots._changed(state, np.array(sorted(state.touched)))
    covered = [row for first, count, _, _ in runs.tolist() for row in range(first, first + count)]
    owned = [
        (block.first_row + int(at), int(state.columns[block.number].owners[at]))
        for block in state.catalogue.blocks
        for at in np.flatnonzero(state.columns[block.number].owners)
    ]
    assert covered == [row for row, _ in owned]
    assert [owner for _, count, owner, _ in runs.tolist() for _ in range(count)] == [owner for _, owner in owned]
    ends = {block.first_row + block.rows for block in state.catalogue.blocks}
    after = dict(owned)
    for first, count, owner, _ in runs.tolist():
        assert first + count in ends or after.get(first + count) != owner
