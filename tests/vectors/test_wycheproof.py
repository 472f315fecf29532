"""Wycheproof through the routines of our suites: the very functions that a message goes through.

Each case is `valid` (must pass), `invalid` (must raise SecurityFailed and nothing else) or `acceptable`; what is
decided for an acceptable case stands in DECISIONS with its reason.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from adapter.crypto import key_encryption, signatures
from adapter.crypto.content import ContentCipher
from adapter.crypto.key_encryption import derive_wrapping_key, load_p256_point, load_x25519, unwrap_aes
from adapter.crypto.keys import FileDecryptionKey
from adapter.errors import SecurityFailed

Group = dict[str, Any]
Case = dict[str, Any]

DECISIONS = {
    "ZeroSharedSecret": False,  # low-order key: the secret is all zero (RFC 7748, 6.1)
    "Twist": True,  # RFC 7748 says so
    "NonCanonicalPublic": True,  # the same, unless the secret is zero
    "CompressedPoint": False,  # XML Signature 1.1 asks for the uncompressed form
    "InvalidAsn": False,  # only one encoding of the named curve's key
    "ShortKey": False,  # no key of ours has 8 octets
    "MissingNull": False,  # not the padding that RFC 8017 writes
}


def load(shared: Path, name: str) -> Iterator[tuple[Group, Case]]:
    document = json.loads((shared / "vectors" / "wycheproof" / f"{name}_test.json").read_text())
    for group in document["testGroups"]:
        for case in group["tests"]:
            yield group, case


def must_pass(case: Case) -> bool:
    if case["result"] != "acceptable":
        return bool(case["result"] == "valid")
    decided = [DECISIONS[flag] for flag in case["flags"] if flag in DECISIONS]
    assert decided, f"no decision for {case['flags']}"
    return all(decided)


def run(shared: Path, name: str, attempt: Callable[[Group, Case], None], *, least: int) -> None:
    """Every case of a file that `attempt` does not skip; at least `least` of them, so that none is lost unseen."""
    wrong = []
    done = 0
    for group, case in load(shared, name):
        try:
            attempt(group, case)
        except Skipped:
            continue
        except SecurityFailed:
            passed = False
        else:
            passed = True
        done += 1
        if passed is not must_pass(case):
            wrong.append((case["tcId"], case["comment"], case["flags"], case["result"]))
    assert not wrong
    assert done >= least


class Skipped(Exception):
    """The case is about something that our routine does not take at all."""


def octets(case: Case, field: str) -> bytes:
    return bytes.fromhex(case[field])


# --- signatures ------------------------------------------------------------------------------------------------------


def test_ecdsa(shared: Path) -> None:
    def attempt(group: Group, case: Case) -> None:
        key = load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
        signatures.check_p256_key(key)
        signatures.verify_p256(key, octets(case, "sig"), octets(case, "msg"))

    run(shared, "ecdsa_secp256r1_sha256_p1363", attempt, least=262)


def test_ecdsa_values_in_der_are_no_values_of_xml_signature(shared: Path) -> None:
    for group, case in load(shared, "ecdsa_secp256r1_sha256"):
        key = load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
        with pytest.raises(SecurityFailed):
            signatures.verify_p256(key, octets(case, "sig"), octets(case, "msg"))


def test_ed25519(shared: Path) -> None:
    def attempt(group: Group, case: Case) -> None:
        key = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(group["publicKey"]["pk"]))
        signatures.check_ed25519_key(key)
        signatures.verify_ed25519(key, octets(case, "sig"), octets(case, "msg"))

    run(shared, "ed25519", attempt, least=151)


@pytest.mark.parametrize("bits", [2048, 3072])
def test_rsa(shared: Path, bits: int) -> None:
    def attempt(group: Group, case: Case) -> None:
        key = load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
        signatures.verify_rsa(key, octets(case, "sig"), octets(case, "msg"))

    run(shared, f"rsa_signature_{bits}_sha256", attempt, least=259)


def test_rsa_keys_below_3072_bits_are_refused_as_keys(shared: Path) -> None:
    for bits, accepted in ((2048, False), (3072, True)):
        for group, _ in load(shared, f"rsa_signature_{bits}_sha256"):
            key = load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
            assert isinstance(key, rsa.RSAPublicKey)
            if accepted and key.public_numbers().e >= 65537:
                signatures.check_rsa_key(key)
                continue
            with pytest.raises(SecurityFailed):
                signatures.check_rsa_key(key)


# --- agreement -------------------------------------------------------------------------------------------------------


def decryption_key(private_key: ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey) -> FileDecryptionKey:
    """The key object whose `agree` a message goes through, without the certificate that plays no part in it."""
    key = FileDecryptionKey.__new__(FileDecryptionKey)
    key._private_key = private_key
    return key


def p256_private(case: Case) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int(case["private"], 16), ec.SECP256R1())


def agree_p256(case: Case, point: bytes) -> None:
    shared_secret = decryption_key(p256_private(case)).agree(load_p256_point(point))
    if case["result"] != "invalid" and shared_secret != octets(case, "shared"):
        raise AssertionError(f"another secret in case {case['tcId']}")


def test_p256_with_points(shared: Path) -> None:
    run(shared, "ecdh_secp256r1_ecpoint", lambda _, case: agree_p256(case, octets(case, "public")), least=355)


SPKI_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")


def test_p256_with_spki_of_the_named_curve(shared: Path) -> None:
    """A message holds the point, not an SPKI: the point is taken where the SPKI is the named curve's, else refused."""

    def attempt(_: Group, case: Case) -> None:
        spki = octets(case, "public")
        if not spki.startswith(SPKI_P256):
            raise Skipped
        agree_p256(case, spki[len(SPKI_P256) :])

    run(shared, "ecdh_secp256r1", attempt, least=300)


def test_certificate_keys_with_explicit_curves_are_refused(shared: Path) -> None:
    seen = 0
    for _, case in load(shared, "ecdh_secp256r1"):
        if "UnnamedCurve" not in case["flags"]:
            continue
        seen += 1
        try:
            key = load_der_public_key(octets(case, "public"))
        except (ValueError, UnsupportedAlgorithm):
            continue
        with pytest.raises(SecurityFailed):
            signatures.check_p256_key(key)
    assert seen


def agree_x25519(case: Case, public: bytes, private: bytes) -> None:
    key = x25519.X25519PrivateKey.from_private_bytes(private)
    shared_secret = decryption_key(key).agree(load_x25519(public))
    if shared_secret != octets(case, "shared"):
        raise AssertionError(f"another secret in case {case['tcId']}")


def test_x25519(shared: Path) -> None:
    run(
        shared,
        "x25519",
        lambda _, case: agree_x25519(case, octets(case, "public"), octets(case, "private")),
        least=518,
    )


SPKI_X25519 = bytes.fromhex("302a300506032b656e032100")


def test_x25519_with_spki(shared: Path) -> None:
    """As the gate reads DEREncodedKeyValue: the one prefix and 32 octets, else refused."""

    def attempt(_: Group, case: Case) -> None:
        spki = octets(case, "public")
        if len(spki) != 44 or not spki.startswith(SPKI_X25519):
            raise SecurityFailed("not an X25519 public key")
        try:
            private = load_der_private_key(octets(case, "private"), None)
        except ValueError:
            raise SecurityFailed("not an X25519 private key") from None
        assert isinstance(private, x25519.X25519PrivateKey)
        agree_x25519(case, spki[len(SPKI_X25519) :], private.private_bytes_raw())

    run(shared, "x25519_asn", attempt, least=537)


def test_x25519_with_pem(shared: Path) -> None:
    def attempt(_: Group, case: Case) -> None:
        private = load_pem_private_key(case["private"].encode(), None)
        assert isinstance(private, x25519.X25519PrivateKey)
        public = load_pem_public_key(case["public"].encode())
        assert isinstance(public, x25519.X25519PublicKey)
        agree_x25519(case, public.public_bytes_raw(), private.private_bytes_raw())

    run(shared, "x25519_pem", attempt, least=518)


# --- keys and content ------------------------------------------------------------------------------------------------


def test_hkdf(shared: Path) -> None:
    """Our derivation makes 16 octets; longer outputs begin with them (RFC 5869, 2.3)."""

    def attempt(_: Group, case: Case) -> None:
        if case["size"] < 16 or case["result"] == "invalid":
            raise Skipped
        derived = derive_wrapping_key(octets(case, "ikm"), salt=octets(case, "salt"), info=octets(case, "info"))
        if derived != octets(case, "okm")[:16]:
            raise SecurityFailed("another key")

    run(shared, "hkdf_sha256", attempt, least=75)


def test_aes_key_wrap(shared: Path) -> None:
    """Ours unwraps 16-octet keys only: a case with another length must be refused whatever its result."""

    def attempt(group: Group, case: Case) -> None:
        if group["keySize"] != 128:
            raise Skipped
        if len(octets(case, "ct")) != 24:
            with pytest.raises(SecurityFailed, match="24 octets"):
                unwrap_aes(octets(case, "key"), octets(case, "ct"))
            raise Skipped
        if unwrap_aes(octets(case, "key"), octets(case, "ct")) != octets(case, "msg"):
            raise SecurityFailed("another key")

    run(shared, "aes_wrap", attempt, least=8)


def test_padded_key_wrap_is_never_taken_for_the_plain_one(shared: Path) -> None:
    for _, case in load(shared, "aes_kwp"):
        if case["result"] != "valid":
            continue
        with pytest.raises(SecurityFailed):
            unwrap_aes(octets(case, "key"), octets(case, "ct"))


def test_aes_gcm(shared: Path) -> None:
    def attempt(group: Group, case: Case) -> None:
        if (group["keySize"], group["ivSize"], group["tagSize"]) != (128, 96, 128) or case["aad"]:
            raise Skipped
        message = octets(case, "iv") + octets(case, "ct") + octets(case, "tag")
        if ContentCipher(octets(case, "key")).decrypt(message) != octets(case, "msg"):
            raise SecurityFailed("another plaintext")

    run(shared, "aes_gcm", attempt, least=25)


@functools.cache
def rsa_decryption_key(pem: str) -> FileDecryptionKey:
    key = FileDecryptionKey.__new__(FileDecryptionKey)
    key._private_key = load_pem_private_key(pem.encode(), None)
    return key


@pytest.mark.parametrize("bits", [2048, 3072])
def test_oaep(shared: Path, bits: int) -> None:
    def attempt(group: Group, case: Case) -> None:
        if case.get("label"):
            raise Skipped
        holder = rsa_decryption_key(group["privateKeyPem"])
        if holder.decrypt_oaep(octets(case, "ct")) != octets(case, "msg"):
            raise SecurityFailed("another plaintext")

    run(shared, f"rsa_oaep_{bits}_sha256_mgf1sha256", attempt, least=25)


def test_oaep_labels_are_not_ours(shared: Path) -> None:
    assert key_encryption.OAEP._label is None
    for group, case in load(shared, "rsa_oaep_3072_sha256_mgf1sha256"):
        if not case.get("label"):
            continue
        holder = rsa_decryption_key(group["privateKeyPem"])
        with pytest.raises(SecurityFailed):
            holder.decrypt_oaep(octets(case, "ct"))
