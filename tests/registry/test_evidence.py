"""Proofs that stand alone, heads and signatures of a registry."""

import json
import shutil
import subprocess
import sys

import pytest
from oracle.conversion import HOUR, START
from oracle.damage import write_over
from oracle.lively import NOW, copied, parents, row_of
from oracle.merkle import leaf_bytes, tree_head

from gcr_fast import UsageError
from gcr_fast.errors import CorruptError, ReadOnlyError
from gcr_fast.registry import evidence, proof, segments, signing
from gcr_fast.registry.catalogue import SEGMENTS
from gcr_fast.registry.proof import ProofError, verify_proof
from gcr_fast.registry.registry import Registry


@pytest.fixture
def key(tmp_path):
    pytest.importorskip("cryptography")
    signing.generate_key(tmp_path / "key.pem")
    return tmp_path / "key.pem"


def root_of(registry):
    record = next(registry.journal.entries(kinds=("issue",)))
    return dict(record.entry.texts)["merkle_root"], record.hash.hex()


def run_alone(folder, made, *options):
    """Check a proof with a copy of `proof.py`, in a folder where there is nothing else, without the library."""
    shutil.copy(proof.__file__, folder / "proof.py")
    (folder / "proof.json").write_text(json.dumps(made))
    command = [sys.executable, "-I", "-S", "proof.py", "proof.json", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


# --- proofs


def test_a_proof_is_checked_by_one_file_away_from_the_library(registry, tmp_path):
    made = registry.prove("HOURLY-SUN-2-2024010102")
    root, journal_hash = root_of(registry)
    alone = tmp_path / "alone"
    alone.mkdir()
    for options in ((), ("--root", root), ("--hash", journal_hash), ("--root", root, "--hash", journal_hash)):
        done = run_alone(alone, made, *options)
        assert done.returncode == 0, done.stderr
        assert "PROVED: HOURLY-SUN-2-2024010102 was issued with" in done.stdout


@pytest.mark.parametrize("option", ["--root", "--hash"])
def test_a_proof_is_refused_for_another_root_or_hash(registry, tmp_path, option):
    done = run_alone(tmp_path, registry.prove("HOURLY-SUN-2-2024010102"), option, "ab" * 32)
    assert done.returncode == 1
    assert done.stderr.startswith("NOT PROVED")


def test_every_certificate_has_a_proof_and_it_says_what_was_issued(registry):
    root, journal_hash = root_of(registry)
    for row in range(registry.state.catalogue.rows):
        energy = registry.state.holding(row)[2]
        if not energy:
            with pytest.raises(UsageError, match="no such certificate"):
                registry.prove(row)
            continue
        made = registry.prove(row)
        assert verify_proof(made, root, journal_hash=journal_hash)
        assert made["certificate"]["energy_wh"] == energy
        assert made["journal"]["entry"] == next(registry.journal.entries(kinds=("issue",))).seq


def test_the_root_is_that_of_the_plain_tree(registry):
    catalogue = registry.state.catalogue
    leaves = []
    for block in catalogue.blocks:
        for at, energies in enumerate(block.energy):
            name = catalogue.ids[block.first_parent + at].as_py()
            leaves.append(leaf_bytes(name, START, HOUR, energies.itemsize, energies.tolist()))
    assert tree_head(leaves).hex() == registry.prove(row_of(registry, "SUN-1", 1))["root"]


def test_parents_of_many_leaves_and_lengths_in_several_issues_are_proved(tmp_path):
    with Registry.create(tmp_path / "r", clock=lambda: NOW) as registry:
        for name, hours in (("A", 3000), ("B", 1024), ("C", 1025)):
            both = parents({"certificate_id": name}, {"certificate_id": f"{name}2"}, hours=hours)
            registry.issue(*both, create_parties=True)
        for name, interval in (("A", 1), ("A2", 1025), ("A2", 2993), ("B2", 1023), ("C", 1021), ("C2", 1022)):
            made = registry.prove(row_of(registry, name, interval))
            assert verify_proof(made)
            assert made["certificate"]["parent"] == name


def test_a_piece_is_proved_by_the_hour_that_was_split(registry):
    piece = next(one for one in registry.query(parent="SUN-1").to_table(certificate_ids=True).to_pylist())
    assert "/" in piece["certificate_id"]
    made = registry.prove(piece["certificate_id"])
    assert verify_proof(made)
    assert made["certificate"]["id"] == piece["certificate_id"].partition("/")[0]


@pytest.mark.parametrize("name", ["entry", "previous", "payload", "hash"])
def test_an_altered_entry_of_the_journal_is_refused(registry, name):
    made = registry.prove("HOURLY-SUN-2-2024010102")
    value = made["journal"][name]
    made["journal"][name] = value + 1 if name == "entry" else ("0" if value[0] != "0" else "1") + value[1:]
    with pytest.raises(ProofError, match="hashes to something else"):
        verify_proof(made)


def test_an_entry_that_issued_something_else_is_refused(registry):
    from gcr_fast.registry.entries import chain_hash

    made = registry.prove("HOURLY-SUN-2-2024010102")
    entry = made["journal"]
    payload = bytes.fromhex(entry["payload"]).replace(made["root"].encode(), b"0" * 64)
    digest = chain_hash(bytes.fromhex(entry["previous"]), entry["entry"], payload)
    made["journal"] |= {"payload": payload.hex(), "hash": digest.hex()}
    with pytest.raises(ProofError, match="another root"):
        verify_proof(made)


def test_a_root_hidden_elsewhere_in_an_entry_does_not_count(registry):
    from gcr_fast.registry.entries import GENESIS, Entry, chain_hash, encode

    made = registry.prove("HOURLY-SUN-2-2024010102")
    for hidden in (
        Entry("issue", 1, actor=f"merkle_root{made['root']}"),
        Entry("issue", 1, texts=(("merkle_roots", made["root"]),)),
        Entry("retire", 1, texts=(("merkle_root", made["root"]),)),
    ):
        payload = encode(hidden)
        digest = chain_hash(GENESIS, 1, payload).hex()
        fields = {"entry": 1, "previous": GENESIS.hex(), "payload": payload.hex(), "hash": digest}
        with pytest.raises(ProofError, match="another root"):
            verify_proof(made | {"journal": fields})


@pytest.mark.parametrize("payload", ["", "00", "zz", "0102" + "ff" * 200])
def test_a_payload_that_is_no_entry_is_refused(registry, payload):
    made = registry.prove("HOURLY-SUN-2-2024010102")
    made["journal"]["payload"] = payload
    with pytest.raises(ProofError):
        verify_proof(made)


def test_a_proof_without_its_entry_holds_for_a_root_but_not_for_a_hash_of_the_journal(registry):
    made = registry.prove("HOURLY-SUN-2-2024010102")
    del made["journal"]
    assert verify_proof(made, root_of(registry)[0])
    with pytest.raises(ProofError, match="names no entry"):
        verify_proof(made, journal_hash=root_of(registry)[1])


def test_a_readers_proof_is_the_same(registry):
    with Registry.open(registry.folder, read_only=True) as reader:
        assert reader.prove("HOURLY-SUN-2-2024010102") == registry.prove("HOURLY-SUN-2-2024010102")


def test_nothing_is_proved_from_a_segment_that_was_altered(closed, tmp_path):
    folder = copied(closed, tmp_path / "damaged")
    with Registry.open(folder) as registry:
        name = registry.state.catalogue.blocks[0].name
        wh = registry.state.catalogue.blocks[0].flat[1]
    path = folder / SEGMENTS / name
    data = path.read_bytes()
    at = data.index(int(wh).to_bytes(4, "little"))
    write_over(path, data[:at] + int(wh + 1).to_bytes(4, "little") + data[at + 4 :])
    assert segments.check(folder / SEGMENTS, name)
    with Registry.open(folder, read_only=True) as registry, pytest.raises(CorruptError, match="verify"):
        registry.prove("HOURLY-SUN-2-2024010102")


def test_an_unknown_certificate_has_no_proof(registry):
    with pytest.raises(UsageError, match="no such certificate"):
        registry.prove("HOURLY-SUN-9-2024010102")


def test_few_trees_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(evidence, "TREES_KEPT", 2)
    with Registry.create(tmp_path / "r", clock=lambda: NOW) as registry:
        for name in "ABCD":
            registry.issue(*parents({"certificate_id": name}), create_parties=True)
        for name in "ABCDA":
            assert verify_proof(registry.prove(row_of(registry, name, 1)))
        assert len(vars(registry)["_trees"]) == 2


# --- heads and signatures


def test_the_head_is_that_of_the_last_entry_and_moves_with_every_change(registry):
    head = registry.head()
    assert (head.entry, head.hash) == (registry.position, registry.journal.head().hex())
    receipt = registry.add_party("New")
    assert (registry.head().entry, registry.head().hash) == (receipt.entry, receipt.hash)
    assert registry.head().registry_id == head.registry_id == registry.info["registry_id"]


def test_a_signature_is_of_the_head_and_kept(registry, key):
    signed = registry.sign(key)
    head = registry.head()
    assert (signed.entry, signed.hash) == (head.entry, head.hash)
    text = signing.message(head.registry_id, head.entry, bytes.fromhex(head.hash), signed.at_s)
    assert signing.verify(signing.load_public(signed.public_key), text, bytes.fromhex(signed.signature))
    kept = registry.journal.signatures()[-1]
    assert (kept.seq, kept.signature.hex(), kept.at_s) == (signed.entry, signed.signature, NOW)


def test_later_heads_are_signed_too_and_all_signatures_stay_right(registry, key):
    first = registry.sign(key)
    registry.add_party("New")
    second = registry.sign(key)
    assert second.entry == first.entry + 1
    report = registry.verify(public_key=first.public_key)
    assert report.ok, report.findings
    assert f"the last at entry {second.entry}" in next(c.detail for c in report.checks if c.name.startswith("signa"))


def test_who_is_asked_for_a_signature_that_is_not_there_says_so(registry, key, tmp_path):
    other = signing.generate_key(tmp_path / "other.pem")
    registry.sign(key)
    assert registry.verify(public_key=signing.public_hex(signing.load_private(key))).ok
    assert not registry.verify(public_key=signing.public_hex(other)).ok


def test_a_signature_of_another_registry_does_not_pass_here(registry, key, tmp_path):
    with Registry.create(tmp_path / "other", clock=lambda: NOW) as other:
        signed = other.sign(key)
    registry.journal.add_signature(1, *(bytes.fromhex(text) for text in (signed.public_key, signed.signature)), NOW)
    assert registry.verify().outcome("signatures") == "failed"


def test_a_reader_cannot_sign(registry, key):
    with Registry.open(registry.folder, read_only=True) as reader, pytest.raises(ReadOnlyError):
        reader.sign(key)


def test_in_a_group_there_is_no_head_yet(registry, key):
    with registry.group():
        with pytest.raises(UsageError, match="group"):
            registry.head()
        with pytest.raises(UsageError, match="group"):
            registry.sign(key)
    assert not registry.journal.signatures()
