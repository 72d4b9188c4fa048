"""A proof holds for what was issued and for nothing else, wherever it is checked."""

import ast
import copy
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle.merkle import leaf_bytes, tree_head

from gcr_fast.errors import UsageError
from gcr_fast.registry import merkle, proof
from gcr_fast.registry.merkle import Proof, prove
from gcr_fast.registry.proof import ProofError, verify_proof

START, HOURS, IDS = 1_704_067_200, 2500, ["plant-a", "Öst", "c"]  # 2024-01-01T00:00Z


def issue(kind=np.int32, step=3600):
    """Three parents of 2,500 intervals, every tenth without energy; their tree."""
    energy = np.random.default_rng(5).integers(1, 1 << 30, (3, HOURS)).astype(kind)
    energy[:, ::10] = 0
    leaves = merkle.block_leaves(IDS, [START] * 3, [step] * 3, energy)
    return energy, merkle.levels(leaves)


def proof_of(parent, interval, kind=np.int32, step=3600):
    energy, tree = issue(kind, step)
    first = parent * merkle.leaf_count(HOURS)
    return prove(tree, first, IDS[parent], START, step, energy[parent], interval)


@pytest.fixture(scope="module")
def sound():
    return proof_of(1, 1031).to_json()


@pytest.mark.parametrize("kind", [np.int32, np.int64])
@pytest.mark.parametrize("step", [3600, 900])
@pytest.mark.parametrize("parent", [0, 1, 2])
@pytest.mark.parametrize("interval", [1, 1023, 1025, 2047, 2049, 2499])
def test_every_certificate_is_proved(kind, step, parent, interval):
    energy, _ = issue(kind, step)
    leaves = [
        leaf_bytes(name, START + low * step, step, row.itemsize, row[low : low + 1024].tolist())
        for name, row in zip(IDS, energy, strict=True)
        for low in range(0, HOURS, 1024)
    ]
    made = json.loads(json.dumps(proof_of(parent, interval, kind, step).to_json()))
    assert verify_proof(made, tree_head(leaves).hex())
    assert made["certificate"]["energy_wh"] == energy[parent, interval]
    assert made["certificate"]["parent"] == IDS[parent]


def test_a_proof_reads_as_documented(sound):
    assert set(sound) == {"format", "certificate", "leaf", "index", "size", "path", "root"}
    assert sound["format"] == "gcr-inclusion-2"
    energy = issue()[0][1]
    assert sound["certificate"] == {
        "id": "HOURLY-Öst-2024021223",
        "parent": "Öst",
        "start": "2024-02-12T23:00:00Z",
        "interval_s": 3600,
        "energy_wh": energy[1031],
    }
    leaf = dict(sound["leaf"])
    assert leaf.pop("energies") == energy[1024:2048].tolist()
    assert leaf == {
        "parent_certificate_id": "Öst",
        "first_start": "2024-02-12T16:00:00Z",
        "interval_s": 3600,
        "width": 4,
    }
    assert (sound["index"], sound["size"], len(sound["path"])) == (4, 9, 4)


def test_shorter_intervals_have_minutes_in_their_ids():
    assert proof_of(0, 1, step=900).to_json()["certificate"]["id"] == "HOURLY-plant-a-202401010015"


def test_a_proof_is_read_back(sound):
    made = proof_of(1, 1031)
    assert Proof.from_json(sound) == made
    assert Proof.from_json(sound).to_json() == sound
    with pytest.raises(ProofError):
        Proof.from_json(sound | {"index": 3})


def test_an_interval_without_energy_has_no_certificate_to_prove():
    for interval in (0, 10, -1, HOURS):
        with pytest.raises(UsageError, match="no certificate"):
            proof_of(0, interval)


def test_no_leaf_makes_a_certificate_of_nothing():
    """Even a leaf that is in the tree proves nothing for an interval of 0 Wh."""
    made = proof_of(0, 1).to_json()
    made["certificate"] |= {"id": "HOURLY-plant-a-2024010100", "start": "2024-01-01T00:00:00Z", "energy_wh": 0}
    with pytest.raises(ProofError, match="no energy"):
        verify_proof(made)


def test_another_root_is_refused(sound):
    root = sound["root"]
    assert verify_proof(sound, root)
    assert verify_proof(sound, f" {root.upper()}\n")
    for other in ("", "00" * 32, root[:-1] + ("0" if root[-1] != "0" else "1")):
        with pytest.raises(ProofError, match="another root"):
            verify_proof(sound, other)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"certificate": {"energy_wh": 1}}, "energy_wh is 1, but its leaf says"),
        ({"certificate": {"start": "2024-02-13T01:00:00Z"}}, "certificate's"),
        ({"certificate": {"start": "2024-02-12T23:30:00Z"}}, "no interval of its leaf"),
        ({"certificate": {"start": "2024-02-12T15:00:00Z"}}, "no interval of its leaf"),
        ({"certificate": {"start": "2024-03-26T08:00:00Z"}}, "no interval of its leaf"),
        ({"certificate": {"start": "2024-02-12 23:00:00"}}, "no UTC time"),
        ({"certificate": {"start": "2024-2-12T23:00:00Z"}}, "no UTC time"),
        ({"certificate": {"parent": "plant-a"}}, "parent is 'plant-a'"),
        ({"certificate": {"id": "HOURLY-Öst-2024021222"}}, "id is"),
        ({"certificate": {"interval_s": 900}}, "interval_s is 900"),
        ({"certificate": {"owner": "Mallory"}}, "not proved: owner"),
        ({"leaf": {"parent_certificate_id": "Ost"}}, "certificate's"),
        ({"leaf": {"width": 8}}, "does not hash up"),
        ({"leaf": {"width": 5}}, "not 4 or 8"),
        ({"leaf": {"energies": []}}, "no interval of its leaf"),
        ({"leaf": {"energies": [True] * 1024}}, "no whole number"),
        ({"leaf": {"energies": [1.0] * 1024}}, "no whole number"),
        ({"leaf": {"energies": [-1] * 1024}}, "no whole number"),
        ({"leaf": {"energies": [1 << 31] * 1024}}, "no whole number"),
        ({"leaf": {"parent_certificate_id": "\ud800"}}, "no Unicode text"),
        ({"index": 3}, "does not hash up"),
        ({"index": 9}, "has no leaf 9"),
        ({"index": -1}, "index is outside"),
        ({"index": 4.0}, "index is no int"),
        ({"size": 1 << 80}, "size is outside"),
        ({"size": True}, "size is no int"),
        ({"size": 5}, "the path is too long"),
        ({"size": 90}, "the path is too short"),
        ({"path": []}, "the path is too short"),
        ({"path": [7]}, "path is no str"),
        ({"path": ["zz"]}, "no SHA-256"),
        ({"root": "00" * 32}, "does not hash up"),
        ({"root": "AA" * 32}, "no SHA-256"),
        ({"format": "gcr-inclusion-1"}, "format is 'gcr-inclusion-1'"),
        ({"leaf": None}, "leaf is no dict"),
    ],
)
def test_whatever_is_changed_is_refused(sound, changes, reason):
    made = copy.deepcopy(sound)
    for name, value in changes.items():
        made[name] = made[name] | value if isinstance(value, dict) else value
    with pytest.raises(ProofError, match=reason):
        verify_proof(made)


def test_the_wrong_width_is_not_proved_for_a_wide_segment_either():
    made = proof_of(1, 1031, np.int64).to_json()
    assert verify_proof(made)
    made["leaf"]["width"] = 4
    with pytest.raises(ProofError, match="does not hash up"):
        verify_proof(made)


def places(record, at=()):
    """Every place of a JSON value: its own, then those inside."""
    yield at
    inside = record.items() if isinstance(record, dict) else enumerate(record) if isinstance(record, list) else ()
    for name, value in inside:
        yield from places(value, (*at, name))


PROOF = proof_of(0, 2491).to_json()
PLACES = list(places(PROOF))
FEW = [place for place in PLACES if "energies" not in place]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)


def value_at(record, place):
    for name in place:
        record = record[name]
    return record


def put(record, place, value):
    if not place:
        return value
    made = copy.deepcopy(record)
    value_at(made, place[:-1])[place[-1]] = value
    return made


def same(one, other):
    return json.dumps(one) == json.dumps(other)


@given(st.sampled_from(FEW) | st.sampled_from(PLACES), st.data())
def test_any_change_anywhere_is_refused_with_a_reason(place, draw):
    old = value_at(PROOF, place)
    near = [st.just(old + 1), st.just(-old), st.just(float(old))] if type(old) is int else []
    text = [st.just(old.upper()), st.just(old[:-1]), st.just(f" {old}")] if isinstance(old, str) else []
    made = put(PROOF, place, draw.draw(st.one_of(json_values, *near, *text)))
    if same(made, PROOF):
        assert verify_proof(made, PROOF["root"], PROOF["size"])
    else:
        with pytest.raises(ProofError):
            verify_proof(made, PROOF["root"], PROOF["size"])


def test_the_number_of_leaves_is_proved_only_by_who_published_it(sound):
    """RFC 6962 trees of 9 and of 10 leaves share the path of leaf 4: the root alone cannot tell them apart."""
    made = sound | {"size": 10}
    assert verify_proof(made, sound["root"])
    with pytest.raises(ProofError, match="a tree of 10 leaves, not 9"):
        verify_proof(made, sound["root"], 9)


@pytest.mark.parametrize("place", [place for place in FEW if place and isinstance(place[-1], str)])
def test_nothing_may_be_missing_or_added(place):
    made = copy.deepcopy(PROOF)
    record = value_at(made, place[:-1])
    value = record.pop(place[-1])
    with pytest.raises(ProofError, match=f"{place[-1]} is missing"):
        verify_proof(made)
    record |= {place[-1]: value, "note": "approved"}
    with pytest.raises(ProofError, match="not proved: note"):
        verify_proof(made)


# --- the file on its own


@pytest.fixture
def alone(tmp_path):
    """Run a copy of the one file, without the library, in an empty folder."""
    shutil.copy(proof.__file__, tmp_path / "proof.py")

    def run(content, *arguments):
        (tmp_path / "proof.json").write_text(content, encoding="utf-8")
        command = [sys.executable, "-I", "-S", "-X", "utf8", "proof.py", "proof.json", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False)

    return run


def test_the_file_proves_on_its_own(alone, sound):
    done = alone(json.dumps(sound), "--root", sound["root"])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("PROVED: HOURLY-Öst-2024021223 was issued with ")
    assert "as the proof itself names it" in alone(json.dumps(sound)).stdout


@pytest.mark.parametrize("content", ["", "[]", "7", "{}", "[" * 100_000, '{"format": 1, "format": 2}'])
def test_the_file_refuses_what_is_no_proof(alone, content):
    done = alone(content)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("NOT PROVED: ")
    assert "Traceback" not in done.stderr


def test_the_file_refuses_another_root_and_a_second_value(alone, sound):
    assert "another root" in alone(json.dumps(sound), "--root", "00" * 32).stderr
    assert "9 leaves, not 10" in alone(json.dumps(sound), "--root", sound["root"], "--size", "10").stderr
    twice = json.dumps(sound).replace('"energy_wh":', '"energy_wh": 999, "energy_wh":', 1)
    assert "stands twice" in alone(twice, "--root", sound["root"]).stderr


def test_the_file_imports_only_the_standard_library():
    with open(proof.__file__, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= set(sys.stdlib_module_names)
