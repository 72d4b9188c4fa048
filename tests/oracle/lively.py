"""A small registry in which everything has happened once: what audits, proofs and exports are tried on."""

import shutil

import numpy as np
import pyarrow as pa
from oracle.conversion import HOUR, START, annual_table, profile_table, series

from gcr_fast.profiles import profiles_from
from gcr_fast.registry import segments
from gcr_fast.registry.catalogue import SEGMENTS
from gcr_fast.registry.entries import Entry
from gcr_fast.registry.registry import Registry

HOURS = 48
NOW = START + 10 * 86_400
SHAPE = [0, 5, 9, 20, 0, 33, 71, 2] * 6

PARENTS = (
    {"certificate_id": "SUN-1", "owner": "North", "device_id": "d1", "capacity_w": 900_000, "country": "DE"},
    {"certificate_id": "SUN-2", "owner": "North", "energy_wh": 777_777, "country": "DE", "issuer": "I",
     "serial_prefix": "A", "serial_start": 1, "serial_end": 40},
    {"certificate_id": "WIND-1", "owner": "South", "energy_wh": 5_000_000, "issuer": "I", "serial_prefix": "A",
     "serial_start": 41, "serial_end": 90},
    {"certificate_id": "USED-1", "purpose": "end_use", "owner": None, "beneficiary": "Town"},
    {"certificate_id": "DARK-1", "purpose": None, "owner": "South"},
)  # fmt: skip


def parents(*rows, hours=HOURS, step=HOUR):
    """Annual certificates over `hours` intervals, with a profile for all of them."""
    period = {"start": START, "end": START + hours * step}
    defaults = {"energy_wh": 1_000_000, "source_type": "solar", "owner": "North"}
    full = [{**dict.fromkeys(key for one in rows for key in one), **defaults, **period, **row} for row in rows]
    for row in full:
        row["purpose"] = row["purpose"] if "purpose" in row and row["certificate_id"] in NAMED else "conversion"
    shape = (SHAPE * (hours // len(SHAPE) + 1))[:hours]
    profile = profile_table({"p": series(shape, step=step)}, source_types={"p": "solar"})
    return annual_table(*full), profiles_from(profile, keep_intervals=True)


NAMED = {"USED-1", "DARK-1"}
"""Those whose purpose counts; the others are cancelled for conversion."""


def lively(folder, **options):
    """Make the registry; returns it, open."""
    registry = Registry.create(folder, clock=lambda: NOW, name="lively", **options)
    registry.issue(*parents(*PARENTS), create_parties=True, actor="anna")
    registry.trade({"parent": "SUN-1"}, "North", "Trader", 45, "EUR", create_parties=True, key="k1")
    registry.trade({"parent": "SUN-1"}, "Trader", "South", 0, "EUR", wh=123_457, order="proportional")
    registry.snapshot()
    registry.trade({"parent": "SUN-1", "owner": "South"}, "South", "North", wh=50_001)
    registry.reserve({"parent": "SUN-2", "end": START + 9 * HOUR}, "North")
    registry.lock({"parent": "SUN-2"}, reason="court")
    registry.unlock({"parent": "SUN-2"}, reason="settled")
    registry.release({"parent": "SUN-2", "end": START + 6 * HOUR, "status": "RESERVED"}, "North")
    registry.retire({"parent": "SUN-2"}, "North", "Bakery", "2024", key="k2")
    registry.claim({"parent": "SUN-2", "end": START + 20 * HOUR}, "North", "meter 7", zone="DE")
    registry.retire({"parent": "WIND-1"}, "South", "Mill", wh=1_234_567)
    registry.withdraw(
        {"parent": "WIND-1", "status": "RETIRED", "end": START + 4 * HOUR}, reason="error", compensation="bought others"
    )
    registry.unlock({"parent": "DARK-1", "end": START + 9 * HOUR}, reason="purpose told")
    registry.expire(NOW + 400 * 86_400, {"parent": "DARK-1", "end": START + 9 * HOUR}, months=12)
    return registry


def copied(source, folder):
    """Copy a closed registry; every test may damage its own."""
    shutil.copytree(source, folder)
    return folder


def append(registry, *entries):
    """Write entries that no rule was asked about, as an operator gone bad might."""
    with registry.journal.transaction() as transaction:
        return [transaction.append(entry).seq for entry in entries]


def party(registry, name):
    """A party's number."""
    return registry.state.catalogue.party_code(name)


def entry(registry, kind, rows, seller="", buyer="", wh=None, **more):
    """An entry about whole rows, with the figures that it should have."""
    catalogue = registry.state.catalogue
    energy = np.array([registry.state.holding(row)[2] for row in rows], dtype=np.int64)
    runs = np.array([[row, 1] for row in rows], dtype=np.int64)
    codes = [catalogue.party_code(name) for name in (seller, buyer)]
    texts = tuple(sorted(more.pop("texts", {}).items()))
    figures = int(np.count_nonzero(energy)), int(energy.sum()) if wh is None else wh
    return Entry(kind, NOW, "", "", *codes, *figures, texts=texts, runs=runs, **more)


def reissued(registry, change_table=None, change_energy=None, **texts):
    """Append another issue, made from the first by changing its table, energies or texts; its files are right."""
    place = registry.folder / SEGMENTS
    record = next(registry.journal.entries(kinds=("issue",)))
    said = dict(record.entry.texts)
    table = segments.open_table(place, said["parents"])
    table = pa.table(table) if change_table is None else change_table(table)
    block = registry.state.catalogue.blocks[0]
    energy = np.array(block.energy)
    energy = energy if change_energy is None else change_energy(energy)
    written = segments.write_table(place, table), segments.write_energy(place, energy)
    said |= {"parents": written[0].name, "segments": written[1].name} | texts
    figures = sum(table["certificates"].to_pylist()), sum(table["issued_wh"].to_pylist())
    return append(registry, Entry("issue", NOW, "", "", 0, 0, *figures, texts=tuple(sorted(said.items()))))


def row_of(registry, parent, interval=0):
    """The row of a parent's interval."""
    place = registry.state.catalogue.place_of[parent]
    return int(registry.state.catalogue.numbers["first_row"][place]) + interval
