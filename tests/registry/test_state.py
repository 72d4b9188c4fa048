"""The state: columns, pieces and sums that follow every entry, as a walk over all certificates would find them."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle.conversion import HOUR
from oracle.pairs import ROWS, lived
from oracle.registry import ENDS, STARTS

from gcr_fast.codes import SOURCE_TYPES, STATUSES
from gcr_fast.periods import FIRST_YEAR, LAST_YEAR
from gcr_fast.registry.books import follows
from gcr_fast.registry.catalogue import Catalogue
from gcr_fast.registry.entries import KINDS
from gcr_fast.registry.lifecycle import ACTIVE, LOCKED, RESERVED
from gcr_fast.registry.state import State
from gcr_fast.registry.stored import CHANGES, LOCKED_RESERVED, PIECE, STORED, VISIBLE, Growing, becomes, may, months


@pytest.fixture(scope="module")
def lives(tmp_path_factory):
    registry, twin, pasts = lived(tmp_path_factory.mktemp("state") / "registry")
    yield registry, twin, pasts
    registry.close()


@pytest.fixture(scope="module")
def registry(lives):
    return lives[0]


def replayed(registry, upto):
    """The state after an entry, from the first on, one at a time."""
    state = State(Catalogue(registry.folder))
    for record in registry.journal.entries(upto=upto):
        state.apply(record.seq, record.entry)
    return state


# --- the stored states


def test_kinds_that_change_certificates_are_the_verbs():
    assert set(CHANGES) == set(STARTS)
    assert set(CHANGES) == set(KINDS) - {"create", "party", "issue"}


def shown(stored):
    return STATUSES[VISIBLE[stored]]


@pytest.mark.parametrize("action", STARTS)
def test_what_follows_each_stored_state_is_what_the_table_says(action):
    for stored in range(1, STORED):
        allowed = shown(stored) in STARTS[action]
        assert bool(may(action)[stored]) == allowed
        after = becomes(action)[stored]
        if not allowed or action == "trade":
            assert after == 0  # 0 leaves it as it is
        elif action == "unlock":
            assert after == (RESERVED if stored == LOCKED_RESERVED else ACTIVE) + 1
        else:
            assert shown(after) == ENDS[action]
    assert not may(action)[0]


@pytest.mark.parametrize("action", STARTS)
def test_the_audits_own_table_agrees(action):
    for stored in range(1, STORED):
        independent = follows(action)[stored]
        assert (independent >= 0) == bool(may(action)[stored])
        if independent >= 0:
            assert (becomes(action)[stored] or stored) == independent


def test_what_was_locked_while_reserved_is_shown_as_locked_and_not_forgotten():
    assert VISIBLE[LOCKED_RESERVED] == LOCKED
    assert becomes("lock")[RESERVED + 1] == LOCKED_RESERVED
    assert becomes("unlock")[LOCKED_RESERVED] == RESERVED + 1
    assert becomes("lock")[ACTIVE + 1] == LOCKED + 1


def test_months_are_those_of_the_calendar_and_hold_every_zone():
    starts = months()
    first = [datetime.fromtimestamp(int(second), UTC) for second in (starts[0], starts[1], starts[-1])]
    assert [(one.year, one.month, one.day, one.hour) for one in first] == [
        (FIRST_YEAR - 1, 1, 1, 0), (FIRST_YEAR - 1, 2, 1, 0), (LAST_YEAR + 2 - 1, 12, 1, 0)
    ]  # fmt: skip
    assert (np.diff(starts) > 27 * 86_400).all()


# --- a table that grows


@given(st.lists(st.lists(st.tuples(*[st.integers(-5, 10**18)] * 3), max_size=90), max_size=8))
def test_a_growing_table_is_a_list(parts):
    table, plain = Growing(3), []
    for rows in parts:
        before = table.rows.copy()
        if len(rows) == 1:
            table.add(*rows[0])
        elif rows:
            table.append(np.array(rows, dtype=np.int64))
        plain += rows
        assert np.array_equal(table.rows[: len(before)], before)
        assert table.rows.tolist() == [list(row) for row in plain]
        assert len(table) == len(plain)


# --- beside a walk, after every entry


def held(state):
    """{(row, first Wh, Wh): (owner, status, traded)} of everything that exists."""
    handles = [*range(state.catalogue.rows), *range(PIECE, PIECE + len(state.pieces))]
    found = {}
    for handle in handles:
        row, first, wh, owner, stored = state.holding(handle)
        if wh:
            party = state.catalogue.party(owner)
            found[row, first, wh, handle >= PIECE] = (party, shown(stored), state.was_traded(handle))
    return found


def walked(state, twin):
    """The same of the twin."""
    place = {name: at for at, name in enumerate(state.catalogue.ids.to_pylist())}
    numbers, found = state.catalogue.numbers, {}
    for one in twin.certificates:
        parent = place[one.parent]
        row = int(numbers["first_row"][parent]) + (one.start - int(numbers["start_s"][parent])) // one.step
        found[row, one.first, one.wh, not one.whole] = (one.owner, one.status, one.traded)
    return found


def test_owners_states_and_parts_are_right_after_every_entry(lives):
    registry, _, pasts = lives
    assert len(pasts) > 12
    for position, twin in pasts.items():
        state = registry.as_of(position)
        assert held(state) == walked(state, twin)


def counted(state, twin, key):
    found = Counter()
    for (at, status), (count, wh) in twin.sums(key).items():
        found[at, status] += np.array([count, wh])
    return {at: figures.tolist() for at, figures in found.items()}


def summed(sums):
    found = Counter()
    for at, stored in zip(*np.nonzero(sums[:, :, 0]), strict=True):
        found[int(at), shown(stored)] += sums[at, stored]
    return {at: figures.tolist() for at, figures in found.items()}


def test_sums_by_owner_source_and_month_are_counts_after_every_entry(lives):
    registry, _, pasts = lives
    for position, twin in pasts.items():
        state = registry.as_of(position)
        names = {name: at for at, name in enumerate(state.catalogue.ids.to_pylist())}
        for sums, key in (
            (state.by_owner, lambda one, state=state: state.catalogue.party_code(one.owner)),
            (state.by_source, lambda one, twin=twin: SOURCE_TYPES.index(twin.parents[one.parent]["source_type"])),
            (state.by_month, lambda one: int(np.searchsorted(months(), one.start, side="right")) - 1),
        ):
            assert summed(sums) == counted(state, twin, key), (position, names)
            assert (sums >= 0).all()
        assert state.trades == twin.trades
        assert {(state.references.words[at], start) for at, start in state.claims.rows.tolist()} == twin.claimed


def test_no_energy_is_lost_or_made_by_any_entry(lives):
    registry, _, pasts = lives
    for position in pasts:
        state = registry.as_of(position)
        issued = int(state.catalogue.issued_wh.sum())
        for sums in (state.by_owner, state.by_source, state.by_month):
            alive = [stored for stored in range(1, STORED) if shown(stored) != "SPLIT"]
            assert int(sums[:, alive, 1].sum()) == issued


def test_applying_entry_by_entry_is_the_live_state_and_every_past(lives):
    registry, _, pasts = lives
    for position in [*list(pasts)[::4], registry.position]:
        one, other = replayed(registry, position), registry.as_of(position)
        assert held(one) == held(other)
        for name in ("by_owner", "by_source", "by_month"):
            assert np.array_equal(getattr(one, name), getattr(other, name))
        assert one.touches.rows.tolist() == other.touches.rows.tolist()
    assert held(replayed(registry, registry.position)) == held(registry.state)


# --- what was touched


def test_what_was_touched_is_noted_by_parent_and_entry(lives):
    registry, _, pasts = lives
    state = registry.state
    names = state.catalogue.ids.to_pylist()
    positions = sorted(pasts)
    noted = {}
    for parent, entry in state.touches.rows.tolist():
        noted.setdefault(entry, set()).add(names[parent])
    for before, after in pairwise(positions[1:]):
        changed = set()
        old = {(one.name): (one.owner, one.status) for one in pasts[before].certificates}
        for one in pasts[after].certificates:
            if old.get(one.name) != (one.owner, one.status):
                changed.add(one.parent)
        assert changed
        assert changed <= noted[after]  # a row without energy in a run is touched, and nothing changes
    assert state.touched == {parent for parent, _ in state.touches.rows.tolist()}
    assert np.flatnonzero(state.touched_mask()).tolist() == sorted(state.touched)
    assert names.index("UNSEEN") not in state.touched


def test_a_segment_that_nothing_touched_has_no_columns(tmp_path):
    registry, _, _ = lived(tmp_path / "r")
    state = registry.state
    place = state.catalogue.ids.to_pylist().index("UNSEEN")
    number = int(state.catalogue.block[place])
    alone = int(state.catalogue.blocks[number].parents) == 1
    fresh = State(Catalogue(registry.folder))
    for record in registry.journal.entries(upto=7, kinds=("party", "issue")):
        fresh.apply(record.seq, record.entry)
    assert all(len(columns.owners) == len(columns.states) == 0 for columns in fresh.columns)
    before = held(fresh)
    for columns in fresh.columns:
        columns.touch()
        columns.touch()
    assert held(fresh) == before  # a touched column says the same: 0 stands for "as issued"
    assert alone or len(state.columns[number].owners)
    registry.close()


def test_rows_that_have_pieces_ascend_and_are_all(lives):
    registry, twin, _ = lives
    split = registry.state.split_rows()
    assert (np.diff(split) > 0).all()
    assert len(split) == len({(one.parent, one.start) for one in twin.certificates if not one.whole})
    assert set(split.tolist()) == set(registry.state.pieces_of)


def test_a_row_begins_where_its_parent_and_place_say(registry):
    state = registry.state
    facts = {row["certificate_id"]: row for row in ROWS}
    for parent, name in enumerate(state.catalogue.ids.to_pylist()):
        first, hours = int(state.catalogue.first_row[parent]), int(state.catalogue.hours[parent])
        begin, step = int(state.catalogue.start_s[parent]), facts[name].get("step", HOUR)
        assert [state.start_of(first + at) for at in range(hours)] == [begin + at * step for at in range(hours)]


def test_a_run_over_several_parents_and_segments_is_cut_at_their_borders(registry):
    state = registry.state
    assert len(state.catalogue.blocks) > 1
    rows = state.catalogue.rows
    for first, count in ((0, rows), (3, rows - 5), (rows - 1, 1)):
        parts = [(columns.block.first_row + run[0, 0], run[0, 1]) for columns, run in state.parts(first, count)]
        assert parts[0][0] == first
        assert sum(size for _, size in parts) == count
        assert all(begin + size == after for (begin, size), (after, _) in pairwise(parts))


def test_parties_beyond_the_first_few_have_their_sums(tmp_path):
    registry, twin, _ = lived(tmp_path / "r")
    holder = "Cid"
    with registry.group():
        for number in range(60):
            registry.trade({"parent": "UNSEEN"}, holder, f"party {number}", create_parties=True)
            holder = f"party {number}"
    code = registry.state.catalogue.party_code(holder)
    assert code > 60
    assert int(registry.state.by_owner[code, :, 1].sum()) == sum(one.wh for one in twin.select({"parent": "UNSEEN"}))
    assert held(replayed(registry, registry.position)) == held(registry.state)
    registry.close()


def test_sums_that_come_with_an_issue_are_those_that_counting_gives(lives):
    registry, _, _ = lives
    given = replayed(registry, 0)
    for record in registry.journal.entries(kinds=("party", "issue")):
        counted_over = State(Catalogue(registry.folder))
        counted_over.catalogue.parties = given.catalogue.parties
        if record.entry.kind == "issue":
            counted_over.apply(record.seq, record.entry)
            given.apply(record.seq, record.entry, counted_over.by_month.copy())
            for name in ("by_source", "by_month"):
                assert np.array_equal(getattr(given, name), getattr(counted_over, name))
            assert np.array_equal(given.by_owner[:16], counted_over.by_owner[:16])
            return
        given.apply(record.seq, record.entry)
    raise AssertionError("there was no issue")
