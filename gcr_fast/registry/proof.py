"""Proof that an hourly certificate was issued: stands alone, so that an auditor may copy this one file and run it.

    python proof.py proof.json --root HEX        the root of the issue, if that is what you trust
    python proof.py proof.json --hash HEX        or the hash of the journal at the issue's entry

A leaf is a block of consecutive intervals of one parent: what tells it apart, and the SHA-256 over its energies. Leaves
form the Merkle tree of RFC 6962, section 2.1: leaf = SHA-256(0x00 || data), node = SHA-256(0x01 || left || right). Only
the standard library is used.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

FORMAT = "gcr-inclusion-2"
LEAF_VERSION = 2
HASH_BYTES = 32
HOUR_S = 3600
WIDTHS = {4: "i", 8: "q"}
"""Bytes of an energy as stored, and how struct calls them."""
MOST = (1 << 63) - 1
CHAIN = b"gcr-journal-1"
"""What the hash of an entry of the journal begins with; then its number, the hash before it, and its bytes."""
ENTRY = struct.Struct("<BBB5x13q")
ENCODING, ISSUE = 1, 2
"""The first two bytes of an entry that issues something."""
TIME = "%Y-%m-%dT%H:%M:%SZ"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIELDS = {
    "proof": {"format", "certificate", "leaf", "index", "size", "path", "root", "journal"},
    "certificate": {"id", "parent", "start", "interval_s", "energy_wh"},
    "leaf": {"parent_certificate_id", "first_start", "interval_s", "width", "energies"},
    "journal": {"entry", "previous", "payload", "hash"},
}
"""All that may stand in a proof: anything more would look proved, and is not."""


class ProofError(ValueError):
    """A proof that does not hold, with what is wrong with it."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf's bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def parent_header(parent_id: str) -> bytes:
    """Return the first bytes of a leaf: version (1 byte), length of the id (uint32), the parent's id in UTF-8."""
    name = parent_id.encode()
    return struct.pack("<BI", LEAF_VERSION, len(name)) + name


def block_header(first_start_s: int, step_s: int, count: int, width: int) -> bytes:
    """Return the next bytes: first start and step in seconds, count (int64 each), bytes of an energy (1 byte)."""
    return struct.pack("<qqqB", first_start_s, step_s, count, width)


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root of a tree of `size` leaves in which the leaf with this hash stands at `index`.

    `path` holds the siblings, from the leaf upwards; one of another length is a `ProofError`.
    """
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} leaves has no leaf {index}")
    at, last, digest, rest = index, size - 1, leaf, list(path)
    while last:
        if at % 2 or at < last:  # else it is the odd one out, and moves up as it is
            if not rest:
                raise ProofError("the path is too short")
            sibling = rest.pop(0)
            digest = node_hash(sibling, digest) if at % 2 else node_hash(digest, sibling)
        at, last = at // 2, last // 2
    if rest:
        raise ProofError("the path is too long")
    return digest


def time_text(second: int) -> str:
    """Return a UTC second as it stands in a proof: 2024-01-01T00:00:00Z."""
    return (EPOCH + timedelta(seconds=second)).strftime(TIME)


def read_time(text: str) -> int:
    """Return the UTC second of such a text; any other spelling is a `ValueError`."""
    moment = datetime.strptime(text, TIME).replace(tzinfo=UTC)
    if moment.strftime(TIME) != text:
        raise ValueError(text)
    return (moment - EPOCH) // timedelta(seconds=1)


def certificate_id(parent_id: str, start_s: int, step_s: int) -> str:
    """Return HOURLY-{parent}-{YYYYMMDDHH}, minutes appended for intervals under an hour."""
    stamp = (EPOCH + timedelta(seconds=start_s)).strftime("%Y%m%d%H" if step_s == HOUR_S else "%Y%m%d%H%M")
    return f"HOURLY-{parent_id}-{stamp}"


def verify_proof(
    proof: dict[str, Any], root: str | None = None, size: int | None = None, journal_hash: str | None = None
) -> bool:
    """Return True if the proof holds; else a `ProofError` says what is wrong.

    `root` (hex), or `journal_hash` (hex) of the issue's entry, must come from a source you trust. Without either the
    proof is only checked against what it names itself: it is consistent, which does not show that anything was issued.
    A root proves the certificate, its leaf and their energies, but not how many leaves there are: trees of several
    sizes share a path. Who relies on `index` or `size` gives the `size` that was published with the root.
    """
    _only(proof, "proof")
    if _get(proof, "format", str) != FORMAT:
        raise ProofError(f"format is {proof['format']!r}, not {FORMAT!r}")
    named = _digest(proof, "root")
    if root is not None and root.strip().lower() != named.hex():
        raise ProofError("the proof is for another root")
    _check_journal(proof, named, journal_hash)
    leaf = _only(_get(proof, "leaf", dict), "leaf")
    data = _leaf_data(leaf)
    _check_certificate(_only(_get(proof, "certificate", dict), "certificate"), leaf)
    path = [_digest({"path": step}, "path") for step in _get(proof, "path", list)]
    index, leaves = (_whole(proof, name, 0, MOST) for name in ("index", "size"))
    if size is not None and size != leaves:
        raise ProofError(f"the proof is for a tree of {leaves} leaves, not {size}")
    if root_from_path(leaf_hash(data), index, leaves, path) != named:
        raise ProofError("the leaf does not hash up to the root")
    return True


def _leaf_data(leaf: dict[str, Any]) -> bytes:
    """Return the bytes of a leaf: the headers, then the hash of its energies, little-endian."""
    name, energies = _text(leaf, "parent_certificate_id"), _get(leaf, "energies", list)
    step, width = _whole(leaf, "interval_s", 1, HOUR_S), _whole(leaf, "width", 4, 8)
    if width not in WIDTHS:
        raise ProofError(f"width is {width}, not 4 or 8 bytes")
    if any(type(wh) is not int or not 0 <= wh < 1 << (8 * width - 1) for wh in energies):
        raise ProofError(f"energies hold what is no whole number of Wh in {width} bytes")
    header = block_header(_second(leaf, "first_start"), step, len(energies), width)
    stored = struct.pack(f"<{len(energies)}{WIDTHS[width]}", *energies)
    return parent_header(name) + header + hashlib.sha256(stored).digest()


def _check_journal(proof: dict[str, Any], root: bytes, trusted: str | None) -> None:
    """Refuse an entry of the journal that does not hash to what it says, or issued something else."""
    if "journal" not in proof:
        if trusted is not None:
            raise ProofError("the proof names no entry of the journal")
        return
    entry = _only(_get(proof, "journal", dict), "journal")
    payload, number = _bytes(entry, "payload"), _whole(entry, "entry", 1, MOST)
    chained = CHAIN + struct.pack("<q", number) + _digest(entry, "previous") + payload
    digest = hashlib.sha256(chained).digest()
    if digest != _digest(entry, "hash") or (trusted is not None and trusted.strip().lower() != digest.hex()):
        raise ProofError("the entry of the journal hashes to something else")
    if _texts(payload).get(b"merkle_root") != root.hex().encode():
        raise ProofError("the entry of the journal has another root")


def _texts(payload: bytes) -> dict[bytes, bytes]:
    """Return the texts of an encoded entry; of what is none, nothing. Its layout: `entries.py`, encoding 1."""
    try:
        *_, runs, splits, actor, key, currency, count = ENTRY.unpack_from(payload)
        at, texts = ENTRY.size + 16 * (runs + splits) + actor + key + currency, {}
        for _ in range(count):
            name, value = struct.unpack_from("<2q", payload, at)
            texts[payload[at + 16 : at + 16 + name]] = payload[at + 16 + name : at + 16 + name + value]
            at += 16 + name + value
    except struct.error:
        return {}
    return texts if at == len(payload) and payload[0] == ENCODING and payload[1] == ISSUE else {}


def _check_certificate(certificate: dict[str, Any], leaf: dict[str, Any]) -> None:
    """Refuse a certificate that is not, in every field, the entry of the leaf that it claims to be."""
    start, step = _second(certificate, "start"), leaf["interval_s"]
    at, beside = divmod(start - _second(leaf, "first_start"), step)
    if beside or not 0 <= at < len(leaf["energies"]):
        raise ProofError("the certificate starts at no interval of its leaf")
    energy = leaf["energies"][at]
    if not energy:
        raise ProofError("the interval has no energy, so no certificate was issued for it")
    parent = leaf["parent_certificate_id"]
    wanted = {"id": certificate_id(parent, start, step), "parent": parent, "interval_s": step, "energy_wh": energy}
    for name, value in wanted.items():
        if _get(certificate, name, type(value)) != value:
            raise ProofError(f"the certificate's {name} is {certificate[name]!r}, but its leaf says {value!r}")


def _only(record: dict[str, Any], what: str) -> dict[str, Any]:
    """Return the record, which must hold no field but those of its kind."""
    if type(record) is not dict:
        raise ProofError(f"the {what} is no object")
    if more := set(record) - FIELDS[what]:
        raise ProofError(f"the {what} holds what is not proved: {', '.join(sorted(map(str, more)))}")
    return record


def _get(record: dict[str, Any], name: str, kind: type) -> Any:
    """Return a field, which must be there and of just this type (True is no number)."""
    if name not in record:
        raise ProofError(f"{name} is missing")
    if type(record[name]) is not kind:
        raise ProofError(f"{name} is no {kind.__name__}")
    return record[name]


def _whole(record: dict[str, Any], name: str, least: int, most: int) -> int:
    value: int = _get(record, name, int)
    if not least <= value <= most:
        raise ProofError(f"{name} is outside {least} to {most}")
    return value


def _text(record: dict[str, Any], name: str) -> str:
    value: str = _get(record, name, str)
    if any("\ud800" <= mark <= "\udfff" for mark in value):
        raise ProofError(f"{name} is no Unicode text")
    return value


def _digest(record: dict[str, Any], name: str) -> bytes:
    value = _get(record, name, str)
    if len(value) != 2 * HASH_BYTES or set(value) - set("0123456789abcdef"):
        raise ProofError(f"{name} holds what is no SHA-256 in lower-case hex")
    return bytes.fromhex(value)


def _bytes(record: dict[str, Any], name: str) -> bytes:
    value = _get(record, name, str)
    if len(value) % 2 or set(value) - set("0123456789abcdef"):
        raise ProofError(f"{name} holds what is no bytes in lower-case hex")
    return bytes.fromhex(value)


def _second(record: dict[str, Any], name: str) -> int:
    text = _get(record, name, str)
    try:
        return read_time(text)
    except ValueError:
        raise ProofError(f"{name} is no UTC time such as 2024-01-01T00:00:00Z") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object as a dictionary; a name that stands twice could show one value and prove another."""
    record = dict(pairs)
    if len(record) < len(pairs):
        raise ProofError("a name stands twice in one object")
    return record


def main(arguments: Sequence[str] | None = None) -> None:
    """Check a proof in a file; exit with 1 and the reason if it does not hold."""
    import argparse

    parser = argparse.ArgumentParser(description="Check that an hourly certificate is part of an issue.")
    parser.add_argument("proof", help="the proof, a JSON file")
    parser.add_argument("--root", help="the root that you trust, in hex; without it only consistency is checked")
    parser.add_argument("--size", type=int, help="the number of leaves that was published with the root")
    parser.add_argument("--hash", help="the hash of the journal at the issue's entry that you trust, in hex")
    options = parser.parse_args(arguments)
    try:
        with open(options.proof, encoding="utf-8") as file:
            proof = json.load(file, object_pairs_hook=_once)
        verify_proof(proof, options.root, options.size, options.hash)
    except (OSError, ValueError, RecursionError) as error:
        raise SystemExit(f"NOT PROVED: {error}") from None
    issued = f"{proof['certificate']['id']} was issued with {proof['certificate']['energy_wh']} Wh"
    trusted = options.root or options.hash
    print(f"PROVED: {issued}, root {proof['root']}" + ("" if trusted else " (as the proof itself names it)"))


if __name__ == "__main__":
    main()
