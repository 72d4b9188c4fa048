"""Merkle trees straight from the text of RFC 6962, section 2.1: recursive, over the data itself, split by the rule."""

import hashlib


def sha(data):
    return hashlib.sha256(data).digest()


def split(n):
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def tree_head(data):
    """MTH(D[n]), section 2.1."""
    n = len(data)
    if n == 0:
        return sha(b"")
    if n == 1:
        return sha(b"\x00" + data[0])
    k = split(n)
    return sha(b"\x01" + tree_head(data[:k]) + tree_head(data[k:]))


def audit_path(m, data):
    """PATH(m, D[n]), section 2.1.1."""
    n = len(data)
    if n == 1:
        return []
    k = split(n)
    if m < k:
        return [*audit_path(m, data[:k]), tree_head(data[k:])]
    return [*audit_path(m - k, data[k:]), tree_head(data[:k])]


def rebuilt(leaf, m, n, path):
    """The head from a leaf's data and its path, by taking the path apart as PATH put it together."""
    if n == 1:
        assert not path
        return sha(b"\x00" + leaf)
    k = split(n)
    if m < k:
        return sha(b"\x01" + rebuilt(leaf, m, k, path[:-1]) + path[-1])
    return sha(b"\x01" + path[-1] + rebuilt(leaf, m - k, n - k, path[:-1]))


def leaf_bytes(parent, first_start, step, width, energies):
    """A leaf's data, number by number."""
    name = parent.encode("utf-8")
    return b"".join(
        [
            b"\x02",
            len(name).to_bytes(4, "little"),
            name,
            first_start.to_bytes(8, "little", signed=True),
            step.to_bytes(8, "little"),
            len(energies).to_bytes(8, "little"),
            bytes([width]),
            sha(b"".join(wh.to_bytes(width, "little", signed=True) for wh in energies)),
        ]
    )
