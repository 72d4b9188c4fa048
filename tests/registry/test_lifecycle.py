"""The transition table is the one of the domain, for every state and action."""

import numpy as np
import pytest

from gcr_fast.codes import BIRTH_STATUS, STATUS_ALIASES, STATUSES
from gcr_fast.errors import UsageError
from gcr_fast.registry import lifecycle

# From domain.md, by hand. "-" is refused, "former" is the state before it was locked.
COLUMNS = ("ACTIVE", "RESERVED", "LOCKED", "RETIRED", "CLAIMED", "EXPIRED", "WITHDRAWN", "SPLIT")
TABLE = """
trade     owner     ACTIVE     -          -          -          -  -  -  -
reserve   owner     RESERVED   -          -          -          -  -  -  -
release   owner     -          ACTIVE     -          -          -  -  -  -
lock      registry  LOCKED     LOCKED     -          -          -  -  -  -
unlock    registry  -          -          former     -          -  -  -  -
retire    owner     RETIRED    RETIRED    -          -          -  -  -  -
claim     owner     -          -          -          CLAIMED    -  -  -  -
expire    registry  EXPIRED    EXPIRED    EXPIRED    -          -  -  -  -
withdraw  registry  WITHDRAWN  WITHDRAWN  WITHDRAWN  WITHDRAWN  -  -  -  -
split     owner     SPLIT      -          -          -          -  -  -  -
"""
ROWS = {words[0]: words[1:] for words in map(str.split, TABLE.strip().splitlines())}
PAIRS = [(action, status) for action in ROWS for status in COLUMNS]
FINAL = {"CLAIMED", "EXPIRED", "WITHDRAWN", "SPLIT"}


def code(name):
    return lifecycle.FORMER if name == "former" else STATUSES.index(name)


def test_the_table_has_every_action_and_state():
    assert tuple(ROWS) == lifecycle.ACTIONS
    assert COLUMNS == STATUSES


@pytest.mark.parametrize(("action", "status"), PAIRS)
def test_every_state_and_action(action, status):
    wanted = ROWS[action][1 + COLUMNS.index(status)]
    assert lifecycle.allowed(action)[code(status)] == (wanted != "-")
    assert lifecycle.transition(action).by == ROWS[action][0]
    said = lifecycle.explain(action, code(status))
    if wanted != "-":
        assert lifecycle.result(action) == code(wanted)
        assert said.startswith(f"{status} can be ")
    else:
        assert said.startswith(status)
        assert " cannot be " in said


@pytest.mark.parametrize("status", sorted(FINAL))
def test_no_transition_leaves_a_final_state(status):
    assert code(status) in lifecycle.FINAL
    assert not any(lifecycle.allowed(action)[code(status)] for action in lifecycle.ACTIONS)
    assert not lifecycle.moves()[code(status)].any()


def test_every_other_state_can_be_left():
    assert {STATUSES[status] for status in lifecycle.FINAL} == FINAL
    leaves = lifecycle.moves().any(axis=1)
    assert {STATUSES[status] for status in np.flatnonzero(~leaves)} == FINAL


def test_the_moves_are_those_of_the_table():
    wanted = set()
    for words in ROWS.values():
        for status, end in zip(COLUMNS, words[1:], strict=True):
            wanted |= {(status, each) for each in {"-": (), "former": ("ACTIVE", "RESERVED")}.get(end, (end,))}
    moves = {(STATUSES[start], STATUSES[end]) for start, end in np.argwhere(lifecycle.moves())}
    assert moves == wanted


def test_traded_is_active_with_trades():
    assert STATUS_ALIASES["TRADED"] == "ACTIVE"
    assert "TRADED" not in STATUSES
    assert lifecycle.result("trade") == lifecycle.ACTIVE
    assert lifecycle.allowed("trade")[lifecycle.result("trade")]  # it can be traded again


def test_nothing_retired_is_traded_or_reserved_again():
    for action in ("trade", "reserve", "release", "lock", "retire", "split"):
        assert not lifecycle.allowed(action)[lifecycle.RETIRED]


def test_unlocking_leads_back_to_what_was_locked():
    assert lifecycle.former_states() == (lifecycle.ACTIVE, lifecycle.RESERVED)
    assert set(lifecycle.former_states()) == set(np.flatnonzero(lifecycle.allowed("lock")).tolist())
    assert not 0 <= lifecycle.FORMER < len(STATUSES)


def test_only_a_withdrawal_after_retirement_compensates():
    pairs = [(a, STATUSES[s]) for a in lifecycle.ACTIONS for s in range(8) if lifecycle.compensates(a, s)]
    assert pairs == [("withdraw", "RETIRED")]


def test_birth_is_by_purpose():
    assert {purpose: STATUSES[lifecycle.birth(purpose)] for purpose in BIRTH_STATUS} == {
        "conversion": "ACTIVE",
        "end_use": "RETIRED",
        None: "LOCKED",
    }
    with pytest.raises(UsageError, match="resale"):
        lifecycle.birth("resale")


def test_unknown_actions_are_refused():
    for call in (lifecycle.allowed, lifecycle.result, lifecycle.transition):
        with pytest.raises(UsageError, match="unknown action 'steal'"):
            call("steal")


@pytest.mark.parametrize(
    ("action", "status", "said"),
    [
        ("trade", "RETIRED", "RETIRED cannot be traded; only ACTIVE can"),
        ("retire", "EXPIRED", "EXPIRED is final and cannot be retired; only ACTIVE and RESERVED can"),
        ("expire", "RETIRED", "RETIRED cannot be expired; only ACTIVE, RESERVED and LOCKED can"),
    ],
)
def test_refusals_say_what_would_do(action, status, said):
    assert lifecycle.explain(action, code(status)) == said


def test_masks_index_columns_and_cannot_be_changed():
    column = np.array([lifecycle.RETIRED, lifecycle.ACTIVE, lifecycle.RESERVED], dtype=np.uint8)
    assert lifecycle.allowed("retire")[column].tolist() == [False, True, True]
    for mask in (lifecycle.allowed("retire"), lifecycle.moves()):
        with pytest.raises(ValueError, match="read-only"):
            mask[0] = True
    with pytest.raises(TypeError):
        lifecycle.TRANSITIONS["steal"] = lifecycle.TRANSITIONS["trade"]
