"""Signatures over journal heads: any change is noticed, keys are kept safe."""

import os
import stat
import subprocess
import sys

import pytest

from gcr_fast.errors import OutputError, UsageError
from gcr_fast.registry import signing

pytest.importorskip("cryptography")

HEAD = bytes(range(32))
AT = 1_704_067_200


@pytest.fixture
def key(tmp_path):
    return signing.generate_key(tmp_path / "key.pem")


def public_pem(key):
    from cryptography.hazmat.primitives import serialization

    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def test_the_message_is_the_bytes_that_are_documented():
    message = signing.message("Zürich", 7, HEAD, AT)
    assert message == (
        b"gcr_fast journal head 1\n" + b"\x07\0\0\0" + b"Z\xc3\xbcrich" + b"\x07" + bytes(7) + HEAD
        + AT.to_bytes(8, "little")
    )  # fmt: skip


def test_different_heads_have_different_messages():
    base = ("r", 1, HEAD, AT)
    others = [("r1", 1, HEAD, AT), ("r", 2, HEAD, AT), ("r", 1, HEAD[::-1], AT), ("r", 1, HEAD, AT + 1)]
    assert len({signing.message(*each) for each in [base, *others]}) == 5


@pytest.mark.parametrize("head", [b"", HEAD[:-1], HEAD + b"\0"])
def test_a_head_has_32_bytes(head):
    with pytest.raises(UsageError, match="32 bytes"):
        signing.message("r", 1, head, AT)


def test_a_signature_holds_for_its_message_and_no_other(key):
    message = signing.message("r", 1, HEAD, AT)
    signature = signing.sign(key, message)
    assert len(signature) == 64
    assert signing.verify(key.public_key(), message, signature)
    for at in range(len(message)):
        changed = message[:at] + bytes([message[at] ^ 1]) + message[at + 1 :]
        assert not signing.verify(key.public_key(), changed, signature)
    for at in range(len(signature)):
        changed = signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]
        assert not signing.verify(key.public_key(), message, changed)


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65)])
def test_what_is_no_signature_does_not_hold(key, signature):
    assert not signing.verify(key.public_key(), b"anything", signature)


def test_another_key_does_not_verify(key, tmp_path):
    other = signing.generate_key(tmp_path / "other.pem")
    assert not signing.verify(other.public_key(), b"m", signing.sign(key, b"m"))


def test_the_first_vector_of_rfc_8032():
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    signature = (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b"
    )
    assert signing.public_hex(key) == public
    assert signing.sign(key, b"").hex() == signature
    assert signing.verify(signing.load_public(public), b"", bytes.fromhex(signature))


def test_keys_are_read_back(key, tmp_path):
    loaded = signing.load_private(tmp_path / "key.pem")
    assert signing.public_hex(loaded) == signing.public_hex(key) == signing.public_hex(key.public_key())
    place = tmp_path / "public.pem"
    place.write_bytes(public_pem(key))
    for source in (place, str(place), signing.public_hex(key), signing.public_hex(key).upper()):
        assert signing.public_hex(signing.load_public(source)) == signing.public_hex(key)


def test_a_private_key_is_for_its_owner_only(tmp_path):
    before = os.umask(0)
    try:
        signing.generate_key(tmp_path / "key.pem")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600


def test_a_key_is_never_overwritten(key, tmp_path):
    before = (tmp_path / "key.pem").read_bytes()
    with pytest.raises(OutputError, match="never overwritten"):
        signing.generate_key(tmp_path / "key.pem")
    assert (tmp_path / "key.pem").read_bytes() == before


def test_a_key_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(OutputError, match="No such file or directory"):
        signing.generate_key(tmp_path / "absent" / "key.pem")


def test_a_key_on_a_full_disk_leaves_nothing(tmp_path):
    """A file-size limit of 10 bytes refuses the write as a full disk would."""
    code = (
        "import resource, sys; from gcr_fast.registry import signing\n"
        "from gcr_fast.errors import OutputError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "try: signing.generate_key(sys.argv[1])\n"
        "except OutputError as error: print(error)\n"
    )
    place = tmp_path / "key.pem"
    done = subprocess.run([sys.executable, "-c", code, place], capture_output=True, text=True, check=True)
    assert "File too large" in done.stdout
    assert not place.exists()


def test_what_is_no_key_is_refused(key, tmp_path):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    place, pem = tmp_path / "bad.pem", serialization.Encoding.PEM
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    other = ec.generate_private_key(ec.SECP256R1())
    locked = key.private_bytes(pem, pkcs8, serialization.BestAvailableEncryption(b"secret"))
    for content in (b"", b"hello", public_pem(key), locked, other.private_bytes(pem, pkcs8, plain)):
        place.write_bytes(content)
        with pytest.raises(UsageError, match=r"bad\.pem"):
            signing.load_private(place)
    for content in (b"", b"hello", (tmp_path / "key.pem").read_bytes(), public_pem(other)):
        place.write_bytes(content)
        with pytest.raises(UsageError, match=r"bad\.pem"):
            signing.load_public(place)
    for load in (signing.load_private, signing.load_public):
        with pytest.raises(UsageError, match="cannot read the key"):
            load("z" * 64)


def test_without_the_library_the_extra_is_named(tmp_path):
    """In a process of its own, in which the library cannot be found."""
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from gcr_fast.registry import signing\n"
        "from gcr_fast.errors import UsageError\n"
        "try: signing.generate_key(sys.argv[1])\n"
        "except UsageError as error: print(error)\n"
    )
    command = [sys.executable, "-c", code, tmp_path / "key.pem"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "pip install 'gcr_fast[sign]'" in done.stdout


def test_importing_loads_no_cryptography():
    code = "import sys, gcr_fast.registry.signing; print('cryptography' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
