"""The transition table: what may happen to an hourly certificate in each state, what comes of it, and who may do it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from gcr_fast.codes import BIRTH_STATUS, STATUSES
from gcr_fast.errors import UsageError

ACTIVE, RESERVED, LOCKED, RETIRED, CLAIMED, EXPIRED, WITHDRAWN, SPLIT = range(len(STATUSES))
"""Codes of the states: positions in `codes.STATUSES`."""

FORMER = -1
"""A result: the state from which it was locked. What was born LOCKED becomes ACTIVE."""

OWNER, REGISTRY = "owner", "registry"


class Transition(NamedTuple):
    """One row of the table."""

    starts: tuple[int, ...]
    """States in which it may happen."""
    result: int
    """The state that follows, or FORMER."""
    by: str
    """Who may do it: the owner or the registry."""
    done: str
    """As in: can be ..."""


TRANSITIONS: Mapping[str, Transition] = MappingProxyType(
    {
        "trade": Transition((ACTIVE,), ACTIVE, OWNER, "traded"),
        "reserve": Transition((ACTIVE,), RESERVED, OWNER, "reserved"),
        "release": Transition((RESERVED,), ACTIVE, OWNER, "released"),
        "lock": Transition((ACTIVE, RESERVED), LOCKED, REGISTRY, "locked"),
        "unlock": Transition((LOCKED,), FORMER, REGISTRY, "unlocked"),
        "retire": Transition((ACTIVE, RESERVED), RETIRED, OWNER, "retired"),
        "claim": Transition((RETIRED,), CLAIMED, OWNER, "claimed"),
        "expire": Transition((ACTIVE, RESERVED, LOCKED), EXPIRED, REGISTRY, "expired"),
        "withdraw": Transition((ACTIVE, RESERVED, LOCKED, RETIRED), WITHDRAWN, REGISTRY, "withdrawn"),
        "split": Transition((ACTIVE,), SPLIT, OWNER, "split"),
    }
)
"""Every action, in the order of a certificate's life. A withdrawal after retirement needs a compensating entry."""

ACTIONS = tuple(TRANSITIONS)
FINAL = frozenset({CLAIMED, EXPIRED, WITHDRAWN, SPLIT})
"""States that nothing leaves."""


def transition(action: str) -> Transition:
    """Return an action's row of the table."""
    if action not in TRANSITIONS:
        raise UsageError(f"unknown action {action!r}; there are {', '.join(ACTIONS)}")
    return TRANSITIONS[action]


@cache
def allowed(action: str) -> np.ndarray:
    """Return bool[states]: whether the action may happen in each; index it with a column of statuses. Read-only."""
    mask = np.zeros(len(STATUSES), dtype=bool)
    mask[list(transition(action).starts)] = True
    mask.flags.writeable = False
    return mask


def result(action: str) -> int:
    """Return the code of the state that follows an action, or FORMER."""
    return transition(action).result


def former_states() -> tuple[int, ...]:
    """Return the states to which unlocking may return."""
    return transition("lock").starts


def compensates(action: str, status: int) -> bool:
    """Whether the action takes back what was already counted as used, and so needs a compensating entry."""
    return action == "withdraw" and status == RETIRED


@cache
def moves() -> np.ndarray:
    """Return bool[states, states]: whether the table leads from one state to another in a single step. Read-only."""
    table = np.zeros((len(STATUSES), len(STATUSES)), dtype=bool)
    for step in TRANSITIONS.values():
        ends = former_states() if step.result == FORMER else (step.result,)
        for start in step.starts:
            table[start, list(ends)] = True
    table.flags.writeable = False
    return table


def birth(purpose: str | None) -> int:
    """Return the code of a certificate's first state, by the purpose for which its parent was cancelled."""
    if purpose not in BIRTH_STATUS:
        raise UsageError(f"unknown purpose {purpose!r}; use conversion, end_use or None")
    return STATUSES.index(BIRTH_STATUS[purpose])


def explain(action: str, status: int) -> str:
    """Say whether an action may happen in a state, and if not, where it may: for error messages."""
    step, name = transition(action), STATUSES[status]
    if allowed(action)[status]:
        return f"{name} can be {step.done}"
    *others, last = (STATUSES[start] for start in step.starts)
    only = f"{', '.join(others)} and {last}" if others else last
    return f"{name}{' is final and' if status in FINAL else ''} cannot be {step.done}; only {only} can"
