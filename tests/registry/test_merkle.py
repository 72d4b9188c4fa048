"""Merkle trees have the shape of RFC 6962, and leaves the canonical bytes."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle.merkle import audit_path, leaf_bytes, rebuilt, tree_head

from gcr_fast.errors import UsageError
from gcr_fast.registry import merkle
from gcr_fast.registry.proof import ProofError

# The inputs and the heads of the reference tree of Certificate Transparency's own tests, for 1 to 8 leaves.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

lists = st.lists(st.binary(max_size=40), max_size=40)


def hashes(data):
    return [merkle.leaf_hash(each) for each in data]


def test_the_root_of_nothing_is_the_hash_of_nothing():
    wanted = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle.root([]).hex() == merkle.root(b"").hex() == tree_head([]).hex() == wanted


@pytest.mark.parametrize("size", range(1, 9))
def test_the_reference_tree_of_certificate_transparency(size):
    assert merkle.root(hashes(CT_LEAVES[:size])).hex() == CT_ROOTS[size - 1]


@given(lists)
def test_the_root_is_that_of_the_recursive_definition(data):
    assert merkle.root(hashes(data)) == merkle.root(b"".join(hashes(data))) == tree_head(data)


@given(lists.filter(bool), st.data())
def test_the_path_is_that_of_the_recursive_definition(data, draw):
    index = draw.draw(st.integers(0, len(data) - 1))
    path = merkle.path(hashes(data), index)
    assert path == audit_path(index, data)
    leaf = merkle.leaf_hash(data[index])
    assert merkle.root_from_path(leaf, index, len(data), path) == rebuilt(data[index], index, len(data), path)
    assert merkle.root_from_path(leaf, index, len(data), path) == tree_head(data)


@pytest.mark.parametrize("size", range(1, 34))
def test_a_leaf_is_proved_only_where_it_stands(size):
    leaves = hashes(bytes([number]) for number in range(size))
    tree = merkle.levels(leaves)
    for index in range(size):
        path = merkle.path_in(tree, index)
        for other in range(size):
            proved = _root_or_none(leaves[other], index, size, path) == tree[-1]
            assert proved == (other == index)
            assert (_root_or_none(leaves[index], other, size, path) == tree[-1]) == (other == index)


def _root_or_none(leaf, index, size, path):
    try:
        return merkle.root_from_path(leaf, index, size, path)
    except ProofError:
        return None


@given(lists.filter(lambda data: len(data) > 1), st.data())
def test_a_path_of_another_length_is_refused(data, draw):
    index = draw.draw(st.integers(0, len(data) - 1))
    path, leaf = merkle.path(hashes(data), index), merkle.leaf_hash(data[index])
    with pytest.raises(ProofError, match="too short"):
        merkle.root_from_path(leaf, index, len(data), path[:-1])
    with pytest.raises(ProofError, match="too long"):
        merkle.root_from_path(leaf, index, len(data), [*path, bytes(32)])
    for outside in (-1, len(data)):
        with pytest.raises(ProofError, match="has no leaf"):
            merkle.root_from_path(leaf, outside, len(data), path)
        with pytest.raises(UsageError, match="has no leaf"):
            merkle.path(hashes(data), outside)


@given(lists, lists)
def test_different_lists_have_different_roots(one, other):
    assert (merkle.root(hashes(one)) == merkle.root(hashes(other))) == (one == other)


@pytest.mark.parametrize("size", [1, 3, 5, 6, 7])
def test_repeating_the_last_leaves_changes_the_root(size):
    """Trees that fill up with a copy of the last leaf cannot tell these lists apart."""
    leaves = hashes(CT_LEAVES[:size])
    for count in range(1, size + 1):
        assert merkle.root(leaves + leaves[-count:]) != merkle.root(leaves)


def test_a_node_cannot_pass_for_a_leaf():
    """Without the prefixes, the list of the inner nodes' data would have the same root as the list itself."""
    leaves = hashes(CT_LEAVES[:4])
    nodes = [leaves[0] + leaves[1], leaves[2] + leaves[3]]
    assert merkle.root(hashes(nodes)) != merkle.root(leaves)
    bare = [hashlib.sha256(node).digest() for node in nodes]
    assert merkle.root(bare) != merkle.root(leaves)


def test_leaf_hashes_have_32_bytes():
    for call in (merkle.root, merkle.levels):
        with pytest.raises(UsageError, match="32 bytes"):
            call(bytes(33))


energies = st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=20)


@given(
    st.text(st.characters(codec="utf-8"), max_size=10), st.integers(-(2**40), 2**40), energies, st.sampled_from([4, 8])
)
def test_leaf_data_is_canonical(parent, start, values, width):
    for order in "<>":
        stored = np.array(values, dtype=f"{order}i{width}")
        assert merkle.leaf_data(parent, start, 900, stored) == leaf_bytes(parent, start, 900, width, values)


def test_the_width_of_an_energy_is_part_of_the_leaf():
    narrow, wide = (merkle.leaf_data("p", 0, 3600, np.zeros(2, kind)) for kind in (np.int32, np.int64))
    assert merkle.leaf_hash(narrow) != merkle.leaf_hash(wide)


def test_where_an_id_ends_is_part_of_the_leaf():
    row = np.zeros(3, np.int64)
    assert merkle.leaf_data("p", 0, 1, row) != merkle.leaf_data("p\0", 0, 1, row)


@pytest.mark.parametrize("kind", [np.int32, np.int64])
@pytest.mark.parametrize("hours", [0, 1, 1023, 1024, 1025, 2048, 2500])
def test_block_leaves_are_those_of_each_parent_in_order(kind, hours):
    energy = np.arange(3 * hours, dtype=kind).reshape(3, hours)
    energy.flags.writeable = False  # as a mapped segment is
    ids, starts, steps = ["a", "b", "Ö"], np.array([0, 3600, -7200]), [3600, 900, 3600]
    wanted = [
        merkle.leaf_hash(leaf_bytes(name, start + low * step, step, row.itemsize, row[low : low + 1024].tolist()))
        for name, start, step, row in zip(ids, starts.tolist(), steps, energy, strict=True)
        for low in range(0, hours, 1024)
    ]
    leaves = merkle.block_leaves(ids, starts, steps, energy)
    assert leaves == b"".join(wanted)
    assert len(leaves) == 32 * 3 * merkle.leaf_count(hours)
    assert merkle.block_leaves(ids, starts, steps, np.asfortranarray(energy)) == leaves


def test_a_block_that_does_not_fit_is_refused():
    for ids, starts in ((["a"], [0, 0]), (["a", "b"], [0])):
        with pytest.raises(UsageError, match="one id, start, step and row"):
            merkle.block_leaves(ids, starts, [3600, 3600], np.zeros((2, 5), np.int32))
    for kind in (np.float64, np.int16, np.uint32):
        with pytest.raises(UsageError, match="int32 or int64"):
            merkle.block_leaves(["a"], [0], [3600], np.zeros((1, 5), kind))
