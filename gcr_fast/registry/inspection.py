"""What was issued, examined from the files up: roots, sums, serial numbers, capacities. For audits.

Each function returns its faults in words, an empty list if there are none.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from gcr_fast.codes import ANNUAL_STATUSES, BIRTH_STATUS
from gcr_fast.columns import utc_seconds
from gcr_fast.conversion.booking import DEFAULT_MARGIN, parse_margin
from gcr_fast.parallel import ordered_map, thread_count
from gcr_fast.periods import utc_text
from gcr_fast.registry import merkle
from gcr_fast.registry.books import Issue, Parent
from gcr_fast.registry.ledger import Ledger

HOUR_S = 3600
CANCELED = ANNUAL_STATUSES[0]
"""The status of an annual certificate that may be converted."""


def issue_leaves(issue: Issue, parents: list[Parent]) -> bytes:
    """Return the leaf hashes of an issue, in the order of its parents, from the segments as they are now."""

    def leaves(block: tuple[int, np.ndarray]) -> bytes:
        first, energy = block
        of = parents[first : first + len(energy)]
        names, starts, steps = [p.name for p in of], [p.start_s for p in of], [p.step_s for p in of]
        return merkle.block_leaves(names, starts, steps, energy)

    firsts = np.cumsum([issue.first_parent, *(len(energy) for _, energy in issue.blocks)]).tolist()
    blocks = [(first, energy) for first, (_, energy) in zip(firsts, issue.blocks, strict=False)]
    return b"".join(ordered_map(leaves, blocks, thread_count(None)))


def wrong_roots(ledger: Ledger) -> list[str]:
    """Recompute the Merkle root of every issue, and the hash over its files' names."""
    faults = []
    for issue in ledger.issues:
        root = merkle.root(issue_leaves(issue, ledger.parents)).hex()
        if root != issue.texts["merkle_root"]:
            faults.append(f"issue {issue.seq}: its certificates hash to {root}, not to the root in its entry")
        names = [issue.texts["parents"], *(name for name, _ in issue.blocks)]
        if hashlib.sha256("\n".join(names).encode()).hexdigest() != issue.texts["content"]:
            faults.append(f"issue {issue.seq}: the hash over its files is not that of its entry")
    return faults


def wrong_sums(ledger: Ledger) -> list[str]:
    """Hours + residual = energy of the parent, to the Wh; and entries say what their parents sum to."""
    faults: list[str] = []
    for issue in ledger.issues:
        facts = {name: issue.table[name].to_pylist() for name in (*_AMOUNTS, "hours", "step_s")}
        facts["start"] = utc_seconds(issue.table["production_start"], "production_start").tolist()
        facts["end"] = utc_seconds(issue.table["production_end"], "production_end").tolist()
        for at in range(issue.table.num_rows):
            row = {name: column[at] for name, column in facts.items()}
            parent = ledger.parents[issue.first_parent + at]
            faults += [f"issue {issue.seq}: {parent.name}: {what}" for what in _wrong_parent(row, parent.energy)]
        sums = sum(facts["certificates"]), sum(facts["issued_wh"])
        if sums != (issue.entry.certificates, issue.entry.energy_wh):
            faults.append(
                f"issue {issue.seq}: its parents sum to {sums[0]} certificates of {sums[1]} Wh, not as it says"
            )
    return faults


_AMOUNTS = ("energy_wh", "issued_wh", "residual_wh", "certificates")


def _wrong_parent(row: dict[str, int], energy: np.ndarray) -> Iterator[str]:
    issued = int(energy.sum(dtype=np.int64))
    if int(energy.min(initial=0)) < 0:
        yield "an hour has less than 0 Wh"
    if issued != row["issued_wh"] or issued + row["residual_wh"] != row["energy_wh"]:
        yield f"hours of {issued} Wh and a residual of {row['residual_wh']} Wh are not its {row['energy_wh']} Wh"
    if int(np.count_nonzero(energy)) != row["certificates"]:
        yield f"{int(np.count_nonzero(energy))} certificates, not {row['certificates']}"
    if not 0 < row["step_s"] <= HOUR_S or len(energy) * row["step_s"] != row["end"] - row["start"]:
        yield f"{len(energy)} intervals of {row['step_s']} s are not its period"


def shared_serials(ledger: Ledger) -> list[str]:
    """Serial ranges of one issuer and prefix must not meet, and so must not the ids of parents."""
    ranges: dict[tuple[Any, Any], list[tuple[int, int, str]]] = defaultdict(list)
    for issue in ledger.issues:
        names = ("issuer", "serial_prefix", "serial_start", "serial_end", "certificate_id")
        for issuer, prefix, low, high, name in zip(*(issue.table[key].to_pylist() for key in names), strict=True):
            if low is not None and high is not None:
                ranges[issuer, prefix].append((low, high, name))
    faults = []
    for some in ranges.values():
        reached, holder = -1, ""
        for low, high, name in sorted(some):
            if low <= reached:
                faults.append(f"{name} shares serial numbers from {low} on with {holder}")
            if high > reached:
                reached, holder = high, name
    return faults


def converted_again(ledger: Ledger) -> list[str]:
    """A parent was cancelled, is converted once, and its hours are born as the purpose of its cancellation says."""
    faults, seen = [], dict[str, int]()
    for issue in ledger.issues:
        names = ("certificate_id", "purpose", "status", "annual_status")
        for name, purpose, status, was in zip(*(issue.table[key].to_pylist() for key in names), strict=True):
            if name in seen:
                faults.append(f"{name} was converted by issue {seen[name]} and again by issue {issue.seq}")
            seen.setdefault(name, issue.seq)
            if BIRTH_STATUS.get(purpose) != status:
                faults.append(f"{name}, cancelled for {purpose or 'an unknown purpose'}, was born {status}")
            if was != CANCELED:
                faults.append(f"{name} was {was} when issue {issue.seq} converted it, not {CANCELED}")
    return faults


# --- capacity


def recorded_margin(issue: Issue) -> Fraction:
    """Return by how much an issue let devices exceed their capacity, as its entry has it."""
    return parse_margin(issue.texts.get("made.capacity_margin", DEFAULT_MARGIN))


def over_capacity(ledger: Ledger, margin: Fraction | None) -> list[str]:
    """Sum each device's hours over all its parents; none may pass capacity x hour x margin.

    What was metered is not in the registry, so the capacity is what can be checked; of several, the largest counts, and
    of the margins of a device's issues, too, unless one is given.
    """
    capacities: dict[str, int] = {}
    margins: dict[str, Fraction] = {}
    members: dict[str, list[int]] = defaultdict(list)
    for issue in ledger.issues:
        allowed = recorded_margin(issue) if margin is None else margin
        named = zip(*(issue.table[key].to_pylist() for key in ("device_id", "capacity_w")), strict=True)
        for at, (device, capacity) in enumerate(named, start=issue.first_parent):
            name = f"device {device}" if device else f"the plant of {ledger.parents[at].name}"
            members[name].append(at)
            margins[name] = max(margins.get(name, allowed), allowed)
            if capacity is not None:
                capacities[name] = max(capacities.get(name, 0), capacity)
    faults = []
    for name, capacity in capacities.items():
        fault = _over(name, [ledger.parents[at] for at in members[name]], capacity * margins[name])
        faults += [fault] if fault else []
    return faults


def _over(name: str, parents: list[Parent], limit: Fraction) -> str | None:
    """Return which hour of a device is above its limit (Wh in an hour)."""
    most = sum(int(parent.energy.max(initial=0)) * (HOUR_S // parent.step_s) for parent in parents)
    if most <= limit and all(HOUR_S % parent.step_s == 0 for parent in parents):
        return None  # not even all their largest hours together
    low = min(parent.start_s for parent in parents) // HOUR_S
    high = max(parent.start_s + len(parent.energy) * parent.step_s for parent in parents) // HOUR_S + 1
    hours = np.zeros(high - low, dtype=np.int64)
    for parent in parents:
        starts = parent.start_s + np.arange(len(parent.energy)) * parent.step_s
        np.add.at(hours, starts // HOUR_S - low, parent.energy.astype(np.int64))
    over = np.flatnonzero(hours > int(limit))
    if not len(over):
        return None
    when = utc_text((low + int(over[0])) * HOUR_S)
    return f"{name}: {int(hours[over[0]])} Wh in the hour from {when}, above {int(limit)} Wh; {len(over)} such hours"
