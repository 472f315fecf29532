"""Key objects: one key, one purpose, one suite, the right certificate."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapter.crypto.keys import (
    DecryptionKeys,
    FileDecryptionKey,
    FileSigningKey,
    generate_agreement_key,
    generate_signing_key,
    key_id,
)
from adapter.crypto.suites import (
    SUITES,
    by_signature_algorithm,
    suite,
    suite_of_agreement_key,
    suite_of_signing_key,
)
from adapter.errors import KeyUnusable, SecurityFailed
from tests.envelopes import decryption_keys
from tests.pki import AGREEMENT_USAGE, SUITE_NAMES, Federation, FederationMember, issue


def members(federation: Federation) -> list[FederationMember]:
    return [federation.population, federation.cadastre, federation.social]


@pytest.mark.parametrize("at", range(3), ids=SUITE_NAMES)
def test_keys_of_every_suite(mixed_federation: Federation, at: int) -> None:
    member = members(mixed_federation)[at]
    signing = FileSigningKey(member.signing_key, member.signing_certificate, member.suite)
    row = SUITES[member.suite]
    row.verify(member.signing_certificate.public_key(), signing.sign(b"x"), b"x")
    with pytest.raises(SecurityFailed):
        row.verify(member.signing_certificate.public_key(), signing.sign(b"x"), b"y")
    assert (signing.suite, signing.certificate) == (member.suite, member.signing_certificate)
    found = decryption_keys(member)
    assert found.find(_ski(member)).suite == member.suite


def _ski(member: FederationMember) -> bytes:
    from adapter.crypto.certificates import ski

    return ski(member.agreement_certificate)


def test_a_certificate_of_another_key(federation: Federation) -> None:
    with pytest.raises(KeyUnusable, match="another key"):
        FileSigningKey(federation.social.signing_key, federation.cadastre.signing_certificate, "p256")
    with pytest.raises(KeyUnusable, match="another key"):
        FileDecryptionKey(federation.social.agreement_key, federation.cadastre.agreement_certificate, "p256")


@pytest.mark.parametrize("name", ["ed25519", "rsa", "gost"])
def test_a_key_of_another_suite(federation: Federation, name: str) -> None:
    with pytest.raises(KeyUnusable):
        FileSigningKey(federation.social.signing_key, federation.social.signing_certificate, name)
    with pytest.raises(KeyUnusable):
        FileDecryptionKey(federation.social.agreement_key, federation.social.agreement_certificate, name)


def test_a_signing_key_does_not_decrypt_and_the_other_way_round(federation: Federation) -> None:
    with pytest.raises(KeyUnusable, match="not for key-agreement"):
        FileDecryptionKey(federation.social.signing_key, federation.social.signing_certificate, "p256")
    with pytest.raises(KeyUnusable, match="not for signing"):
        FileSigningKey(federation.social.agreement_key, federation.social.agreement_certificate, "p256")


def test_two_keys_of_one_identifier(federation: Federation) -> None:
    member = federation.social
    again = issue(
        federation.issuing_ca,
        public_key=member.agreement_key.public_key(),
        subject="Again",
        usage=AGREEMENT_USAGE["p256"],
    )
    keys = [FileDecryptionKey(member.agreement_key, one, "p256") for one in (member.agreement_certificate, again)]
    with pytest.raises(KeyUnusable, match="same subject key identifier"):
        DecryptionKeys(keys)


def test_several_keys_while_one_is_replaced(federation: Federation) -> None:
    both = DecryptionKeys.of(
        *(
            FileDecryptionKey(member.agreement_key, member.agreement_certificate, "p256")
            for member in (federation.social, federation.cadastre)
        )
    )
    for member in (federation.social, federation.cadastre):
        assert both.find(_ski(member)).certificate == member.agreement_certificate
    with pytest.raises(SecurityFailed, match="not ours"):
        both.find(_ski(federation.population))


def test_a_key_is_replaced_and_forgotten(federation: Federation) -> None:
    old, new = (
        FileDecryptionKey(member.agreement_key, member.agreement_certificate, "p256")
        for member in (federation.social, federation.cadastre)
    )
    keys = DecryptionKeys.of(old)
    keys.replace(DecryptionKeys.of(old, new))
    assert keys.find(_ski(federation.cadastre)) is new
    held = keys.certificates
    assert held == (old.certificate, new.certificate)
    keys.keep_only(lambda certificate: certificate == new.certificate)
    left = keys.certificates
    assert left == (new.certificate,)
    assert keys.find(_ski(federation.cadastre)) is new
    with pytest.raises(SecurityFailed, match="not ours"):
        keys.find(_ski(federation.social))


def test_a_key_is_called_by_the_digest_of_its_public_half(federation: Federation) -> None:
    public = federation.social.signing_key.public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert key_id(public) == hashlib.sha256(der).hexdigest()
    assert key_id(public) != key_id(federation.cadastre.signing_key.public_key())


def test_an_ephemeral_key_of_another_kind(mixed_federation: Federation) -> None:
    by_suite = {member.suite: member for member in members(mixed_federation)}
    keys = {name: decryption_keys(member).find(_ski(member)) for name, member in by_suite.items()}
    for name, key in keys.items():
        for other in (
            ec.generate_private_key(ec.SECP384R1()).public_key(),
            x25519.X25519PrivateKey.generate().public_key(),
        ):
            if name == "ed25519" and isinstance(other, x25519.X25519PublicKey):
                continue
            with pytest.raises(SecurityFailed):
                key.agree(other)
        if name != "rsa":
            with pytest.raises(SecurityFailed):
                key.decrypt_oaep(bytes(384))


@pytest.mark.parametrize("name", ["p256", "ed25519"])
def test_fresh_keys_belong_to_their_suite(name: str) -> None:
    assert suite_of_signing_key(generate_signing_key(name).public_key()).name == name
    assert suite_of_agreement_key(generate_agreement_key(name).public_key()).name == name


def test_unknown_suites_and_keys() -> None:
    for make in (generate_signing_key, generate_agreement_key):
        with pytest.raises(KeyUnusable, match="known: p256, ed25519, rsa"):
            make("gost")
    foreign = ed448.Ed448PrivateKey.generate().public_key()
    for find in (suite_of_signing_key, suite_of_agreement_key):
        with pytest.raises(SecurityFailed):
            find(foreign)
    with pytest.raises(SecurityFailed):
        suite("gost")
    with pytest.raises(SecurityFailed):
        by_signature_algorithm("http://www.w3.org/2000/09/xmldsig#rsa-sha1")


def test_a_suite_ends(federation: Federation) -> None:
    from tests.envelopes import seal_request

    ends = SUITES["p256"].ends
    with pytest.raises(SecurityFailed, match="ended"):
        seal_request(federation.social, federation.population, now=ends)


def test_a_key_never_shows_itself(federation: Federation) -> None:
    signing = FileSigningKey(federation.social.signing_key, federation.social.signing_certificate, "p256")
    number = federation.social.signing_key.private_numbers().private_value  # type: ignore[union-attr]
    assert str(number) not in repr(signing)
    assert str(number) not in repr(vars(signing))
