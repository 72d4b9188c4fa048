"""`verify`: what is sound passes, what is altered is found and named, each check can fail, nothing is written."""

import json
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from oracle.conversion import HOUR
from oracle.damage import flip, write_over
from oracle.lively import NOW, PARENTS, append, entry, parents, party, reissued, row_of

from gcr_fast import UsageError
from gcr_fast.errors import RegistryError
from gcr_fast.registry import audit, audit_report, issuing, segments, signing, snapshots
from gcr_fast.registry.audit import verify
from gcr_fast.registry.audit_report import CHECKS, FAILED, PASSED, SKIPPED
from gcr_fast.registry.books import STATES, follows
from gcr_fast.registry.catalogue import SEGMENTS
from gcr_fast.registry.database import FILE
from gcr_fast.registry.entries import GENESIS, Entry, chain_hash, decode, encode
from gcr_fast.registry.ledger import Ledger
from gcr_fast.registry.lifecycle import TRANSITIONS
from gcr_fast.registry.registry import Registry
from gcr_fast.registry.stored import PIECE, becomes, may

NOBODY = 65534


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def failed(report):
    return {check.name for check in report.checks if check.outcome == FAILED}


def numbers(report):
    """The numbers of the eleven checks that failed."""
    return {name.split()[0] for name in failed(report) if name in CHECKS}


def said(report, start):
    """What a check found."""
    return " ".join(finding.message for finding in report.findings if finding.check.startswith(start))


def tamper(folder, *statements):
    """Change the database as its owner can, after dropping the triggers."""
    with closing(sqlite3.connect(folder / FILE)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        for statement, values in statements:
            db.execute(statement, values)
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def rewrite(folder, change):
    """Change entries and compute the whole chain anew: consistent, but not what was."""
    with closing(sqlite3.connect(folder / FILE)) as db:
        rows = db.execute("SELECT seq, payload FROM journal ORDER BY seq").fetchall()
    updates, before = [], GENESIS
    for seq, payload in rows:
        altered = encode(change(seq, decode(payload)))
        before = chain_hash(before, seq, altered)
        updates.append(("UPDATE journal SET payload = ?, hash = ? WHERE seq = ?", (altered, before, seq)))
    tamper(folder, *updates)


# --- sound


def test_a_registry_in_which_everything_has_happened_passes(closed):
    report = verify(closed)
    assert report.ok, report.findings
    assert [check.outcome for check in report.checks] == [PASSED] * 16
    assert [check.name for check in report.checks if check.name in CHECKS] == list(CHECKS)
    assert report.position == 19


def test_an_open_registry_passes_with_what_it_has_in_memory(registry):
    assert registry.verify().ok
    registry.trade({"parent": "SUN-1", "owner": "North"}, "North", "South")
    report = registry.verify()
    assert report.ok, report.findings
    assert report.head == registry.head().hash


def test_an_empty_registry_passes(tmp_path):
    Registry.create(tmp_path / "r").close()
    assert verify(tmp_path / "r").ok


def test_intervals_below_an_hour_and_energies_beyond_32_bits_pass(tmp_path):
    with Registry.create(tmp_path / "r", clock=lambda: NOW) as registry:
        registry.issue(*parents({"certificate_id": "Q", "energy_wh": 1 << 40}, hours=24, step=900), create_parties=True)
        registry.issue(*parents({"certificate_id": "R"}, hours=30), create_parties=True)
        registry.trade({"parent": "Q"}, "North", "South", wh=1 << 38, create_parties=True)
        assert registry.verify().ok


def test_the_report_is_a_table_and_json(closed):
    report = verify(closed)
    assert report.to_table().column_names == ["check", "outcome", "detail"]
    assert report.to_table().num_rows == 16
    record = json.loads(json.dumps(report.to_dict()))
    assert record["ok"] is True
    assert record["head"] == report.head
    assert [check["name"] for check in record["checks"]] == report.to_table()["check"].to_pylist()


def test_what_is_no_registry_is_an_error_not_a_report(tmp_path):
    with pytest.raises(RegistryError, match="no registry"):
        verify(tmp_path)


def test_a_group_under_way_cannot_be_verified(registry):
    with registry.group(), pytest.raises(UsageError, match="group"):
        registry.verify()


# --- writes nothing


def test_verifying_leaves_the_folder_byte_for_byte(closed):
    before = contents(closed)
    assert verify(closed).ok
    assert contents(closed) == before


def test_verifying_a_damaged_folder_leaves_it_byte_for_byte(folder):
    for name in segments.listing(folder / SEGMENTS):
        flip(folder / SEGMENTS / name, 500)
    (folder / SEGMENTS / (segments.PARTIAL + "left")).write_bytes(b"x")
    before = contents(folder)
    assert not verify(folder).ok
    assert contents(folder) == before


def test_a_copy_that_cannot_be_written_is_verified(folder):
    code = f"import sys; sys.path.insert(0, {str(Path(segments.__file__).parents[2])!r}); import os\n"
    code += "from gcr_fast.registry.audit import verify\n"
    code += "folder = sys.argv[1]; assert verify(folder).ok\n"  # loads all that another user may not read
    code += f"if os.getuid() == 0: os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
    code += "assert not os.access(folder, os.W_OK)\n"
    code += "report = verify(folder); print(report.ok, report.position)\n"
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    for above in folder.parents[:3]:
        above.chmod(0o755)
    run = [sys.executable, "-c", code, str(folder)]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "19"], done.stderr


def test_a_folder_that_is_being_written_is_verified_as_of_its_last_commit(registry, folder):
    registry.add_party("Late")
    report = verify(folder)
    assert report.ok, report.findings
    assert report.position == 20


def test_a_write_while_the_main_file_is_read_alone_makes_it_read_again(closed, folder, monkeypatch):
    stamps = iter([(1, 1, 1), (1, 1, 2)])
    monkeypatch.setattr(audit, "_stamp", lambda _: next(stamps))
    opened = []
    whole = audit.Journal.open
    monkeypatch.setattr(audit.Journal, "open", lambda place, **how: opened.append(how["still"]) or whole(place, **how))
    assert verify(folder).ok
    assert opened == [True, False]


# --- altered bytes


@pytest.mark.parametrize("number", [0, 1])
def test_every_altered_byte_of_a_segment_or_parents_file_is_found_and_named(folder, number):
    name = sorted(segments.listing(folder / SEGMENTS))[number]
    path = folder / SEGMENTS / name
    sound = path.read_bytes()
    places = random.Random(number).sample(range(len(sound)), 40)
    for at in [0, len(sound) - 1, *places]:
        flip(path, at, at % 8)
        report = verify(folder)
        assert not report.ok
        assert report.outcome("files") == FAILED
        assert name in said(report, "files"), at
        assert report.outcome("11") == FAILED
        write_over(path, sound)
    assert verify(folder).ok


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_missing_or_cut_file_is_named_and_what_rests_on_it_is_not_passed(folder, damage):
    path = folder / SEGMENTS / sorted(segments.listing(folder / SEGMENTS))[0]
    path.unlink() if damage == "missing" else write_over(path, path.read_bytes()[:100])
    report = verify(folder)
    assert path.name in said(report, "files")
    assert not report.ok
    assert report.outcome("roots") == report.outcome("3") == report.outcome("5") == SKIPPED


def test_every_altered_byte_of_a_snapshot_is_found_and_named_and_opening_still_works(folder):
    place = folder / snapshots.SNAPSHOTS
    with Registry.open(folder) as registry:
        newest = registry.journal.snapshots()[0].name
        wanted = registry.query().to_table()
    path = place / newest
    sound = path.read_bytes()
    for at in [0, len(sound) - 1, *random.Random(5).sample(range(len(sound)), 25)]:
        flip(path, at, at % 8)
        report = verify(folder)
        assert failed(report) == {audit_report.SNAPSHOTS}
        assert newest in said(report, "snapshots")
        with Registry.open(folder, read_only=True) as registry:
            assert registry.query().to_table().equals(wanted)
        write_over(path, sound)


def test_snapshots_that_are_gone_are_no_fault(folder):
    for name in segments.listing(folder / snapshots.SNAPSHOTS):
        (folder / snapshots.SNAPSHOTS / name).unlink()
    report = verify(folder)
    assert report.ok, report.findings
    assert "no loss" in next(check.detail for check in report.checks if check.name.startswith("snapshots"))


def test_a_forged_snapshot_with_a_right_name_is_found(folder):
    with Registry.open(folder) as registry:
        position = registry.position
        state = registry.state
        state.columns[0].owners[row_of(registry, "SUN-1", 3)] = party(registry, "South")
        forged = snapshots.save(state, folder)
    tamper(folder, ("UPDATE snapshots SET name = ? WHERE position = ?", (forged, position)))
    report = verify(folder)
    assert forged in said(report, "snapshots")
    assert "SUN-1" in said(report, "snapshots")
    assert "SUN-1" in said(report, "11")


@pytest.mark.parametrize("column", ["payload", "hash"])
def test_every_altered_byte_of_an_entry_is_found_and_named(folder, column):
    with closing(sqlite3.connect(folder / FILE)) as db:
        rows = dict(db.execute(f"SELECT seq, {column} FROM journal"))
    chosen = random.Random(column)
    for seq, value in rows.items():
        at = chosen.randrange(len(value))
        altered = bytearray(value)
        altered[at] ^= 1 << chosen.randrange(8)
        tamper(folder, (f"UPDATE journal SET {column} = ? WHERE seq = ?", (bytes(altered), seq)))
        report = verify(folder)
        assert "10" in numbers(report)
        assert f"entry {seq}:" in said(report, "10"), (seq, at)
        tamper(folder, (f"UPDATE journal SET {column} = ? WHERE seq = ?", (value, seq)))
    assert verify(folder).ok


def test_bytes_of_an_entry_altered_in_the_file_itself_are_found(folder):
    path = folder / FILE
    sound = path.read_bytes()
    at = sound.index(b"Bakery")
    for place in range(at, at + 6):
        flip(path, place, place % 8)
        assert "10" in numbers(verify(folder)), place
        write_over(path, sound)


def test_a_file_that_is_no_database_any_more_is_named(folder):
    path = folder / FILE
    path.write_bytes(path.read_bytes()[:3000])
    report = verify(folder)
    assert not report.ok
    assert len(report.checks) == 16
    assert FILE in said(report, "10")
    assert not {check.outcome for check in report.checks} & {PASSED}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM journal WHERE seq = 7",
        "DELETE FROM journal WHERE seq = 19",
        "UPDATE keys SET seq = 4 WHERE key = 'k1'",
        "UPDATE meta SET value = 'another' WHERE key = 'name'",
        "INSERT INTO meta VALUES ('transfer_months', '12')",
        "UPDATE meta SET value = 'another' WHERE key = 'registry_id'",
        "UPDATE journal SET kind = 4 WHERE seq = 9",
    ],
)
def test_rows_that_are_altered_removed_or_added_are_found(folder, statement):
    tamper(folder, (statement, ()))
    assert "10" in numbers(verify(folder))


# --- a consistent chain that is not what was


def test_a_rewritten_chain_is_told_by_its_signature(folder, tmp_path):
    pytest.importorskip("cryptography")
    signing.generate_key(tmp_path / "key.pem")
    with Registry.open(folder) as registry:
        signed = registry.sign(tmp_path / "key.pem")
    assert verify(folder, public_key=signed.public_key).ok
    rewrite(folder, lambda seq, entry: replace(entry, actor="nobody") if seq == 5 else entry)
    report = verify(folder)
    assert report.outcome("10") == PASSED, report.findings
    assert failed(report) == {audit_report.SIGNATURES}
    assert f"entry {signed.entry}" in said(report, "signatures")


def test_a_rewritten_chain_signed_by_another_key_is_told_by_the_key_that_is_trusted(folder, tmp_path):
    pytest.importorskip("cryptography")
    signing.generate_key(tmp_path / "right.pem")
    signing.generate_key(tmp_path / "wrong.pem")
    with Registry.open(folder) as registry:
        signed = registry.sign(tmp_path / "right.pem")
    rewrite(folder, lambda seq, entry: replace(entry, actor="nobody") if seq == 5 else entry)
    tamper(folder, ("DELETE FROM signatures", ()))
    with Registry.open(folder) as registry:
        registry.sign(tmp_path / "wrong.pem")
    assert verify(folder).ok
    report = verify(folder, public_key=signed.public_key)
    assert failed(report) == {audit_report.SIGNATURES}
    assert signed.public_key in said(report, "signatures")


def test_an_altered_signature_key_or_time_is_found(folder, tmp_path):
    pytest.importorskip("cryptography")
    signing.generate_key(tmp_path / "key.pem")
    with Registry.open(folder) as registry:
        at_s = registry.sign(tmp_path / "key.pem").at_s
    with closing(sqlite3.connect(folder / FILE)) as db:
        public, signature = db.execute("SELECT public_key, signature FROM signatures").fetchone()
    for column, value, right in (
        ("public_key", bytes([public[0] ^ 1]) + public[1:], public),
        ("signature", signature[:-1] + bytes([signature[-1] ^ 8]), signature),
        ("seq", 18, 19),
        ("at_s", at_s + 1, at_s),
    ):
        tamper(folder, (f"UPDATE signatures SET {column} = ?", (value,)))
        assert failed(verify(folder)) == {audit_report.SIGNATURES}, column
        tamper(folder, (f"UPDATE signatures SET {column} = ?", (right,)))
    assert verify(folder).ok


# --- the eleven checks, each made to fail by entries that no rule was asked about


def test_1_serial_ranges_that_meet(registry):
    def change(table):
        ids = [f"{name}-again" for name in table["certificate_id"].to_pylist()]
        table = table.set_column(table.column_names.index("certificate_id"), "certificate_id", pa.array(ids))
        starts = pa.array([None, 40, None, None, None], pa.int64())
        ends = pa.array([None, 41, None, None, None], pa.int64())
        table = table.set_column(table.column_names.index("serial_start"), "serial_start", starts)
        return table.set_column(table.column_names.index("serial_end"), "serial_end", ends)

    reissued(registry, change)
    report = verify(registry.folder)
    assert "1" in numbers(report)
    assert "SUN-2-again shares serial numbers from 40 on with SUN-2" in said(report, "1 ")


def test_2_a_parent_converted_twice(registry):
    reissued(registry)
    report = verify(registry.folder)
    assert "2" in numbers(report)
    assert "WIND-1 was converted by issue" in said(report, "2 ")


def test_2_hours_born_otherwise_than_the_purpose_says(tmp_path):
    with Registry.create(tmp_path / "r", clock=lambda: NOW) as registry:
        registry.issue(*parents(*PARENTS), create_parties=True)

        def change(table):
            born = pa.array(["ACTIVE"] * table.num_rows)
            ids = pa.array([f"{name}!" for name in table["certificate_id"].to_pylist()])
            table = table.set_column(table.column_names.index("certificate_id"), "certificate_id", ids)
            return table.set_column(table.column_names.index("status"), "status", born)

        reissued(registry, change)
        report = verify(registry.folder)
        assert "USED-1!, cancelled for end_use, was born ACTIVE" in said(report, "2 ")


def test_2_a_parent_that_was_not_cancelled(registry):
    def change(table):
        ids = pa.array([f"{name}!" for name in table["certificate_id"].to_pylist()])
        table = table.set_column(table.column_names.index("certificate_id"), "certificate_id", ids)
        was = pa.array(["CANCELED", "ISSUED", *["CANCELED"] * 3])
        return table.set_column(table.column_names.index("annual_status"), "annual_status", was)

    assert set(registry.state.catalogue.tables[0]["annual_status"].to_pylist()) == {"CANCELED"}
    reissued(registry, change)
    report = verify(registry.folder)
    assert "2" in numbers(report)
    assert said(report, "2 ").startswith("SUN-2! was ISSUED when issue 20 converted it")


@pytest.mark.parametrize("place", [(0, 1), (2, 7)])
def test_3_hours_that_do_not_sum_to_their_parent(registry, place):
    def more(energy):
        energy[place] += 1
        return energy

    reissued(registry, change_energy=more)
    report = verify(registry.folder)
    assert "3" in numbers(report)
    assert said(report, "3 ").startswith("issue 20: ")
    assert report.outcome("roots") == FAILED


def test_3_an_hour_below_zero(registry):
    def less(energy):
        energy[0, 1], energy[0, 2] = -1, energy[0, 1] + energy[0, 2] + 1
        return energy

    reissued(registry, change_energy=less)
    assert "less than 0 Wh" in said(verify(registry.folder), "3 ")


PLANT = {"certificate_id": "A", "device_id": "plant", "capacity_w": 100_000, "allocation_basis": "facility_profile"}


def test_4_a_device_above_its_capacity_over_all_its_parents(tmp_path, monkeypatch):
    with Registry.create(tmp_path / "r", clock=lambda: NOW) as registry:
        registry.issue(*parents(PLANT), create_parties=True)
        assert registry.verify().ok
        monkeypatch.setattr(issuing, "check_devices", lambda *_: None)  # an issue that nobody checked
        registry.issue(*parents(PLANT | {"certificate_id": "B"}))
        report = registry.verify()
        assert numbers(report) == {"4"}
        assert "device plant: 169048 Wh in the hour" in said(report, "4 ")
        assert registry.verify(capacity_margin=2).ok


def test_4_what_an_issue_allowed_is_what_its_audit_allows(tmp_path):
    with Registry.create(tmp_path / "r", clock=lambda: NOW) as registry:
        registry.issue(*parents(PLANT), create_parties=True)
        registry.issue(*parents(PLANT | {"certificate_id": "B"}), capacity_margin="1.7")
        registry.issue(*parents(PLANT | {"certificate_id": "C", "energy_wh": 1}))  # in an hour with little else
        report = registry.verify()
        assert report.ok
        (row,) = [check.detail for check in report.checks if check.name.startswith("4 ")]
        assert "capacity x 1.1, 1.7 over all parents" in row
        strict = registry.verify(capacity_margin=1.1)
        assert numbers(strict) == {"4"}
        assert "above 110000 Wh" in said(strict, "4 ")


@pytest.mark.parametrize("margin", ["much", "0", "-1", "1/0"])
def test_4_a_margin_that_is_none_fails_the_check_and_not_the_audit(registry, margin):
    reissued(registry, **{"made.capacity_margin": margin})
    report = verify(registry.folder)
    assert "4" in numbers(report)
    assert len(report.checks) == 5 + len(CHECKS)


def test_4_intervals_below_an_hour_are_added_up_to_hours(tmp_path):
    one = {"certificate_id": "A", "device_id": "plant", "capacity_w": 1_200_000, "energy_wh": 8_000_000}
    with Registry.create(tmp_path / "r", clock=lambda: NOW) as registry:
        registry.issue(*parents(one, hours=96, step=900), create_parties=True, capacity_margin=9)
        hours = np.add.reduceat(registry.state.catalogue.blocks[0].flat, range(0, 96, 4)).max()
        assert numbers(registry.verify(capacity_margin=(hours - 1) / 1_200_000)) == {"4"}
        assert registry.verify(capacity_margin=(hours + 1) / 1_200_000).ok


def test_5_somebody_sells_what_is_not_theirs(registry):
    row = row_of(registry, "DARK-1", 17)
    registry.unlock([row], reason="told")
    append(registry, entry(registry, "trade", [row], "North", "Trader"))
    report = verify(registry.folder)
    assert "5" in numbers(report)
    assert "DARK-1 2024-01-01T17:00Z belongs to South" in said(report, "5 ")


def test_5_a_certificate_listed_twice_is_sold_twice(tmp_path):
    with Registry.create(tmp_path / "r", clock=lambda: NOW) as registry:
        registry.issue(*parents({"certificate_id": "A"}), create_parties=True)
        registry.add_party("South")
        append(registry, entry(registry, "trade", [1, 1], "North", "South"))
        report = verify(registry.folder)
        assert "5" in numbers(report)
        assert "belongs to South" in said(report, "5 ")


@pytest.mark.parametrize("wh", [0, -5, 10**9])
def test_5_parts_that_do_not_make_up_the_whole(tmp_path, wh):
    with Registry.create(tmp_path / "r", clock=lambda: NOW) as registry:
        registry.issue(*parents({"certificate_id": "A"}), create_parties=True)
        registry.add_party("South")
        said_so = entry(registry, "trade", [], "North", "South")
        append(registry, replace(said_so, runs=said_so.runs.reshape(0, 2), splits=np.array([[1, wh]])))
        report = verify(registry.folder)
        assert "5" in numbers(report)
        assert f"takes {wh} Wh of certificate 1" in said(report, "5 ")


def test_6_a_step_outside_the_table(registry):
    row = row_of(registry, "WIND-1", 30)
    append(registry, entry(registry, "claim", [row], "South", texts={"reference": "m"}))
    report = verify(registry.folder)
    assert "6" in numbers(report)
    assert "entry 20 (claim): WIND-1 2024-01-02T06:00Z is ACTIVE" in said(report, "6 ")


def test_6_retired_certificates_withdrawn_without_compensation(registry):
    append(registry, entry(registry, "withdraw", [row_of(registry, "USED-1", 1)]))
    assert "nothing compensates" in said(verify(registry.folder), "6 ")


def test_6_expiry_before_its_time(tmp_path):
    with Registry.create(tmp_path / "r", clock=lambda: NOW, expiry_months=18) as registry:
        registry.issue(*parents({"certificate_id": "A"}), create_parties=True)
        append(registry, entry(registry, "expire", [1], texts={"months": "1"}))
        assert "A: has not expired" in said(verify(registry.folder), "6 ")


@pytest.mark.parametrize(("parent", "interval"), [("SUN-2", 30), ("USED-1", 1), ("DARK-1", 1)])
def test_7_what_is_retired_or_expired_is_traded(registry, parent, interval):
    append(registry, entry(registry, "trade", [row_of(registry, parent, interval)], "", "Trader"))
    report = verify(registry.folder)
    assert {"6", "7"} <= numbers(report)
    assert parent in said(report, "7 ")


def test_7_a_trade_past_the_deadline(tmp_path):
    with Registry.create(tmp_path / "r", clock=lambda: NOW, transfer_months=12) as registry:
        registry.issue(*parents({"certificate_id": "A"}), create_parties=True)
        registry.add_party("South")
        late = replace(entry(registry, "trade", [1], "North", "South"), at_s=NOW + 400 * 86_400)
        append(registry, late)
        report = verify(registry.folder)
        assert numbers(report) == {"7"}
        assert "past the deadline" in said(report, "7 ")


def test_8_more_claimed_than_was_retired(registry):
    rows = [row_of(registry, "DARK-1", at) for at in (17, 18)]
    append(registry, entry(registry, "claim", rows, "South", texts={"reference": "m"}))
    report = verify(registry.folder)
    assert {"6", "8"} <= numbers(report)
    assert "DARK-1: 16667 Wh claimed, 0 Wh retired, 1000000 Wh issued" in said(report, "8 ")


def test_9_an_hour_of_consumption_claimed_twice(registry):
    row = row_of(registry, "USED-1", 1)
    append(registry, entry(registry, "claim", [row], "Town", texts={"reference": "meter 7"}))
    report = verify(registry.folder)
    assert numbers(report) == {"9"}
    assert "meter 7 of 2024-01-01T01:00Z was claimed before" in said(report, "9 ")


def test_9_a_claim_in_another_zone(registry):
    row = row_of(registry, "USED-1", 1)
    append(registry, entry(registry, "claim", [row], "Town", texts={"reference": "m", "zone": "FR"}))
    assert "the consumption of FR" in said(verify(registry.folder), "9 ")


def test_11_columns_altered_in_memory(registry):
    state = registry.state
    row = row_of(registry, "SUN-1", 3)
    for column, value in ((state.columns[0].owners, 2), (state.columns[0].states, 4)):
        before = int(column[row])
        column[row] = value
        report = registry.verify()
        assert numbers(report) == {"11"}
        assert "in memory: SUN-1 2024-01-01T03:00Z" in said(report, "11")
        column[row] = before
    assert registry.verify().ok


@pytest.mark.parametrize("name", ["by_owner", "by_source", "by_month"])
def test_11_sums_altered_in_memory(registry, name):
    getattr(registry.state, name)[1, 1, 1] += 1
    assert f"the sums {name}" in said(registry.verify(), "11")


def test_11_pieces_trades_claims_and_histories_altered_in_memory(registry):
    state = registry.state
    state.pieces.rows[0, 2] += 1
    state.trades["EUR"][3] += 1
    state.claims.rows[0, 1] += HOUR
    state.touches.rows[:, 1] += 100
    report = registry.verify()
    assert numbers(report) == {"11"}
    assert all(word in said(report, "11") for word in ("piece 0", "figures of trades", "consumption", "histories"))


# --- entries say what they do


@pytest.mark.parametrize(
    "change",
    [
        {"certificates": 7},
        {"energy_wh": 7},
        {"price_minor": 4, "total_minor": 4, "currency": "EUR"},
        {"price_minor": 4, "currency": "EUR"},
    ],
)
def test_an_entry_whose_figures_are_not_those_of_its_certificates_is_found(registry, change):
    row = row_of(registry, "WIND-1", 30)
    append(registry, replace(entry(registry, "trade", [row], "South", "Trader"), **change))
    report = verify(registry.folder)
    assert report.outcome("entries") == FAILED
    assert "entry 20 (trade)" in said(report, "entries")


@pytest.mark.parametrize(
    "runs", [[[10**9, 1]], [[3, 10**9]], [[3, (1 << 63) - 1]], [[-5, 2]], [[PIECE + 10**6, 1]], [[PIECE, 10**6]]]
)
def test_an_entry_about_certificates_that_do_not_exist_is_found_and_harms_nothing(registry, runs):
    append(registry, replace(entry(registry, "trade", [], "South", "Trader"), runs=np.array(runs)))
    report = verify(registry.folder)
    assert "do not exist" in said(report, "entries")
    assert "11" in numbers(report)


def test_an_entry_about_parties_that_do_not_exist_is_found_and_harms_nothing(registry):
    row = row_of(registry, "WIND-1", 30)
    append(registry, replace(entry(registry, "trade", [row], "South"), to_party=10**6))
    assert "party 1000000 does not exist" in said(verify(registry.folder), "entries")


def test_an_entry_that_cannot_be_replayed_is_named(registry):
    append(registry, Entry("issue", NOW, texts=(("content", "x"),)))
    report = verify(registry.folder)
    assert not report.ok
    assert report.outcome("files") == FAILED


# --- the second books


def test_the_second_books_step_as_the_first_do():
    for action in TRANSITIONS:
        for stored in range(1, STATES):
            allowed = bool(may(action)[stored])
            assert (follows(action)[stored] >= 0) == allowed
            if allowed:
                assert follows(action)[stored] == (becomes(action)[stored] or stored)


def test_the_second_books_agree_at_every_entry(registry):
    from gcr_fast.registry.comparing import differences

    ledger = Ledger(registry.folder)
    for record in registry.journal.entries():
        ledger.apply(record.seq, record.entry)
        assert list(differences(ledger, registry.as_of(record.seq))) == []
    assert not ledger.faults.counts


def test_the_books_differ_where_the_state_is_of_another_entry(registry):
    from gcr_fast.registry.comparing import differences

    ledger = Ledger(registry.folder)
    for before, after in pairwise(list(registry.journal.entries())):
        ledger.apply(before.seq, before.entry)
        assert list(differences(ledger, registry.as_of(after.seq)))


def test_many_faults_are_counted_and_the_first_listed():
    ledger = Ledger(Path())
    for number in range(50):
        ledger.faults.note("rule", f"fault {number}")
    assert ledger.faults.of("rule") == [*(f"fault {number}" for number in range(20)), "and 30 more"]
