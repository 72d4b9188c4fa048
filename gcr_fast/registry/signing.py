"""Ed25519 signatures over heads of the journal: who runs the registry vouches for everything up to an entry.

The signatures are those of RFC 8032, by the library `cryptography`, which is an extra: gcr_fast[sign].
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gcr_fast.errors import OutputError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

CONTEXT = b"gcr_fast journal head 1\n"
"""Stands before what is signed, so that no signature can be taken for one of anything else."""
HEAD_BYTES = 32
KEY_BYTES = 32


def message(registry_id: str, seq: int, head: bytes, at_s: int) -> bytes:
    """Return the bytes that are signed.

    The context, the length of the registry's id (uint32), the id in UTF-8, the entry's number (int64), its hash
    (32 bytes), UTC seconds (int64); little-endian.
    """
    if len(head) != HEAD_BYTES:
        raise UsageError(f"the head of a journal has {HEAD_BYTES} bytes, not {len(head)}")
    name = registry_id.encode()
    return CONTEXT + struct.pack("<I", len(name)) + name + struct.pack("<q", seq) + head + struct.pack("<q", at_s)


def generate_key(path: str | os.PathLike[str]) -> Ed25519PrivateKey:
    """Make a private key and store it (PEM, PKCS 8, for its owner's eyes only); what exists is never overwritten."""
    with _library():
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _store(Path(path), pem)
    return key


def _store(path: Path, pem: bytes) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise OutputError(f"{path} exists; a key is never overwritten, so name another file") from None
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(handle)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OutputError(f"cannot write {path}: {error.strerror or error}; nothing was left behind") from error
        raise


def load_private(path: str | os.PathLike[str]) -> Ed25519PrivateKey:
    """Read a private key that `generate_key` (or `openssl genpkey -algorithm ed25519`) wrote."""
    with _library():
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    data = _read(path)
    with _wanted(path, "an unencrypted Ed25519 private key in PEM"):
        key = load_pem_private_key(data, password=None)
        if isinstance(key, Ed25519PrivateKey):
            return key
    raise UsageError(f"{path} holds a key of another kind, not Ed25519")


def load_public(source: str | os.PathLike[str]) -> Ed25519PublicKey:
    """Read a public key: 64 hex digits as they are, or a PEM file."""
    with _library():
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    if isinstance(source, str) and len(source) == 2 * KEY_BYTES:
        with contextlib.suppress(ValueError):  # then it is a path
            return Ed25519PublicKey.from_public_bytes(bytes.fromhex(source))
    data = _read(source)
    with _wanted(source, "an Ed25519 public key in PEM"):
        key = load_pem_public_key(data)
        if isinstance(key, Ed25519PublicKey):
            return key
    raise UsageError(f"{source} holds a key of another kind, not Ed25519")


def public_hex(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """Return the public key as 64 hex digits: what is handed to auditors."""
    public = key.public_key() if hasattr(key, "public_key") else key
    raw: bytes = public.public_bytes_raw()
    return raw.hex()


def sign(key: Ed25519PrivateKey, message: bytes) -> bytes:
    """Return the signature, 64 bytes."""
    return key.sign(message)


def verify(public: Ed25519PublicKey, message: bytes, signature: bytes) -> bool:
    """Whether the signature is that of this message by the holder of this key."""
    with _library():
        from cryptography.exceptions import InvalidSignature
    try:
        public.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the key {path}: {error.strerror or error}") from error


@contextmanager
def _wanted(source: str | os.PathLike[str], what: str) -> Iterator[None]:
    """Say plainly what a file should have held."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        yield
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:  # TypeError: the key is encrypted
        raise UsageError(f"{source} is not {what}") from error


@contextmanager
def _library() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError("signatures need the library cryptography: pip install 'gcr_fast[sign]'") from error
