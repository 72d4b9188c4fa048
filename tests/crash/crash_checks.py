"""What the tests of faults share: small registries, and what must hold of every registry at any time."""

import os
from pathlib import Path
from zlib import crc32

import numpy as np
from oracle.conversion import DAY, HOUR, MWH, START, annual_table, profile_table, series

from gcr_fast.registry import keeper, segments, snapshots
from gcr_fast.registry.catalogue import SEGMENTS, Catalogue
from gcr_fast.registry.database import FILE
from gcr_fast.registry.lock import LOCK
from gcr_fast.registry.registry import Registry
from gcr_fast.registry.results import Result
from gcr_fast.registry.selection import Selection
from gcr_fast.registry.state import State
from gcr_fast.registry.where import Where

SEEDS = int(os.environ.get("GCR_CRASH_SEEDS", "20"))
"""How many kills each test of kills tries."""
PARTIES = ("Anna", "Ben", "Clara")
FILES = {FILE, f"{FILE}-wal", f"{FILE}-shm", LOCK, SEGMENTS, snapshots.SNAPSHOTS}
"""All that may lie in the folder of a registry."""


def batch(name, parents=3, days=1, owner=PARTIES[0]):
    """Return annual certificates with ids and energies of their own, and their profile."""
    energy = 30 * MWH + crc32(name.encode()) % MWH
    rows = [
        {"certificate_id": f"{name}-{at}", "energy_wh": energy + at, "owner": owner, "end": START + days * DAY}
        for at in range(parents)
    ]
    profile = series([1000 * (at % 24) for at in range(24 * days)], START, HOUR)
    return annual_table(*rows), profile_table({"p": profile})


def made(folder):
    """Make a registry that has lived: issues, trades, splits, a snapshot and entries after it."""
    with Registry.create(folder) as registry:
        for party in PARTIES:
            registry.add_party(party)
        for number in range(3):
            registry.issue(*batch(f"made{number}"))
            registry.trade(active(PARTIES[0]), PARTIES[0], PARTIES[1], wh=2 * MWH + 1)
        registry.snapshot()
        registry.trade(active(PARTIES[1]), PARTIES[1], PARTIES[2], wh=MWH // 3, price="12.5", currency="EUR")
        registry.retire(active(PARTIES[2]), PARTIES[2], "a beneficiary", wh=1000)
    return Path(folder)


def active(owner):
    """Select what a party can trade."""
    return {"owner": owner, "status": "ACTIVE"}


def trade(registry, wh=1001, **options):
    """Trade a part of what the party with most of it has; there always is some."""
    held = [registry.query(**active(party)).energy_wh for party in PARTIES]
    seller = int(np.argmax(held))
    return registry.trade(active(PARTIES[seller]), PARTIES[seller], PARTIES[seller - 1], wh=wh, **options)


def pairs(registry, after=0):
    """Return numbers and hashes of what the journal has, also of what is not committed yet."""
    return [[record.seq, record.hash.hex()] for record in registry.journal.entries(after=after)]


# --- what must hold


def certificates(state):
    """Return every certificate of a state."""
    return Result(state, Selection(state, Where())).to_table()


def replayed(registry):
    """Return the state that the journal alone gives."""
    state = State(Catalogue(registry.folder))
    for record in registry.journal.entries():
        state.apply(record.seq, record.entry)
    return state


def require_equal(state, other):
    assert state.position == other.position
    assert state.catalogue.parties.words == other.catalogue.parties.words
    assert state.touched == other.touched
    assert state.trades == other.trades
    assert state.references.words == other.references.words
    for name in ("pieces", "touches", "claims"):
        assert getattr(state, name).rows.tolist() == getattr(other, name).rows.tolist(), name
    parties = 1 + len(state.catalogue.parties.words)
    assert state.by_owner[:parties].tolist() == other.by_owner[:parties].tolist()
    assert (state.by_source == other.by_source).all()
    assert (state.by_month == other.by_month).all()
    assert certificates(state).equals(certificates(other))


def require_conserved(state):
    """What each parent was issued is what its certificates sum to, and what every sum says."""
    table = certificates(state)
    sums = table.group_by("parent_certificate_id").aggregate([("energy_wh", "sum")]).to_pydict()
    issued = dict(zip(state.catalogue.ids.to_pylist(), state.catalogue.issued_wh.tolist(), strict=True))
    assert dict(zip(sums["parent_certificate_id"], sums["energy_wh_sum"], strict=True)) == issued
    by_status = state.by_source.sum(axis=0)
    shown = dict(
        Result(state, Selection(state, Where())).group_by("status").select(["status", "energy_wh"]).to_pydict()
    )
    assert sum(shown["energy_wh"]) == sum(issued.values())
    assert by_status.tolist() == state.by_owner.sum(axis=0).tolist() == state.by_month.sum(axis=0).tolist()


def require_sound(registry):
    """The chain, the state against its replay, and conservation; for a registry that is open in any way."""
    assert registry.journal.verify_chain() == []
    require_equal(registry.state, replayed(registry))
    require_conserved(registry.state)


def require_swept(registry):
    """Nothing lies there that no entry and no snapshot names."""
    assert set(os.listdir(registry.folder)) <= FILES
    named = set()
    for record in registry.journal.entries(kinds=("issue",)):
        texts = dict(record.entry.texts)
        named |= {texts["parents"], *texts["segments"].split()}
    assert set(os.listdir(registry.folder / SEGMENTS)) == named
    kept = {snapshot.name for snapshot in registry.journal.snapshots()}
    assert set(os.listdir(registry.folder / snapshots.SNAPSHOTS)) <= kept
    assert [segments.check(registry.folder / SEGMENTS, name) for name in named] == [None] * len(named)


def require_usable(folder):
    """Reading, opening, one more of each change, and opening again all work, and leave it sound."""
    with Registry.open(folder, read_only=True) as reader:
        seen = reader.position
        require_equal(reader.state, replayed(reader))
    with Registry.open(folder) as registry:
        assert registry.position == seen
        require_swept(registry)
        require_sound(registry)
        receipt = trade(registry)
        assert receipt.entry == seen + 1
        registry.issue(*batch(f"after{seen}"))
        registry.snapshot()
        trade(registry)
        require_sound(registry)
        last = pairs(registry)
    with Registry.open(folder) as registry:
        assert pairs(registry) == last
        require_swept(registry)
        require_sound(registry)


def housekeeping(every, log_bytes):
    """Leave snapshots and fold the log this often, so that small registries do it, too."""
    keeper.SNAPSHOT_EVERY, keeper.LOG_BYTES = every, log_bytes
