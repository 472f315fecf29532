"""Certificates at the edges of their time, of the work allowed, and of what is on the lists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from adapter.crypto.certificates import MAX_CANDIDATES, MAX_CHAIN, Purpose, check_chain, check_purpose
from adapter.errors import SecurityFailed
from tests.pki import NOW, Authority, issue, key_usage, make_ca, rsa_key
from tests.unit.crypto.test_certificates import leaf

Hash = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def test_a_certificate_is_valid_from_its_first_second_to_its_last() -> None:
    ca = make_ca("Root")
    certificate = leaf(ca, valid_from=NOW, valid_until=NOW + DAY)
    for now in (NOW, NOW + DAY):
        assert check_chain(certificate, [ca.certificate], now, Purpose.SIGNING) == (certificate, ca.certificate)
    for now in (NOW - SECOND, NOW + DAY + SECOND):
        with pytest.raises(SecurityFailed):
            check_chain(certificate, [ca.certificate], now, Purpose.SIGNING)


def test_the_path_goes_from_the_leaf_to_the_root() -> None:
    root = make_ca("Root")
    issuing = make_ca("Issuing", issuer=root)
    certificate = leaf(issuing)
    path = check_chain(certificate, [root.certificate, issuing.certificate], NOW, Purpose.SIGNING)
    assert path == (certificate, issuing.certificate, root.certificate)
    assert MAX_CHAIN == 4


@pytest.mark.parametrize(("twins", "found"), [(15, True), (16, False)])
def test_sixteen_candidates_are_tried_and_no_more(twins: int, found: object) -> None:
    assert MAX_CANDIDATES == 16
    authorities = [make_ca("One name") for _ in range(twins + 1)]
    cas = [one.certificate for one in authorities]
    certificate = leaf(authorities[-1])
    if found:
        assert check_chain(certificate, cas, NOW, Purpose.SIGNING) == (certificate, cas[-1])
    else:
        with pytest.raises(SecurityFailed):
            check_chain(certificate, cas, NOW, Purpose.SIGNING)


# --- what is on the lists --------------------------------------------------------------------------------------------


def signed(algorithm: Hash | None, key: CertificateIssuerPrivateKeyTypes) -> x509.Certificate:
    root = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Root of another algorithm")])
    return certificate_of(root, root, key, key, algorithm, is_ca=True)


def certificate_of(
    subject: x509.Name,
    issuer: x509.Name,
    key: CertificateIssuerPrivateKeyTypes,
    issuer_key: CertificateIssuerPrivateKeyTypes,
    algorithm: Hash | None,
    *,
    is_ca: bool,
    extensions: tuple[x509.ExtensionType, ...] = (),
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(key_usage("key_cert_sign" if is_ca else "digital_signature"), critical=True)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(issuer_key, algorithm)


ALGORITHMS: dict[str, Callable[[], tuple[CertificateIssuerPrivateKeyTypes, Hash | None]]] = {
    "ecdsa sha256": lambda: (ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()),
    "ecdsa sha384": lambda: (ec.generate_private_key(ec.SECP256R1()), hashes.SHA384()),
    "ecdsa sha512": lambda: (ec.generate_private_key(ec.SECP256R1()), hashes.SHA512()),
    "ed25519": lambda: (ed25519.Ed25519PrivateKey.generate(), None),
    "rsa sha256": lambda: (rsa_key("a CA"), hashes.SHA256()),
    "rsa sha384": lambda: (rsa_key("a CA"), hashes.SHA384()),
    "rsa sha512": lambda: (rsa_key("a CA"), hashes.SHA512()),
}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_certificate_may_be_signed_with(name: str) -> None:
    key, algorithm = ALGORITHMS[name]()
    root = signed(algorithm, key)
    own = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "leaf")])
    certificate = certificate_of(subject, root.subject, own, key, algorithm, is_ca=False)
    assert check_chain(certificate, [root], NOW, Purpose.SIGNING) == (certificate, root)


def test_every_extension_that_is_understood_may_be_critical() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "leaf")])
    understood = (
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
        x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()),
        x509.SubjectAlternativeName([x509.DNSName("a.example")]),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION]),
    )
    check_purpose(
        certificate_of(name, name, key, key, hashes.SHA256(), is_ca=False, extensions=understood), Purpose.SIGNING
    )


# --- purposes --------------------------------------------------------------------------------------------------------

SIGNS, AGREES, ENCIPHERS, DATA = "digital_signature", "key_agreement", "key_encipherment", "data_encipherment"


@pytest.mark.parametrize(
    ("usage", "purposes"),
    [
        ((SIGNS,), {Purpose.SIGNING, Purpose.TLS}),
        ((AGREES,), {Purpose.KEY_AGREEMENT}),
        ((ENCIPHERS,), {Purpose.KEY_ENCIPHERMENT}),
        ((AGREES, ENCIPHERS), {Purpose.KEY_AGREEMENT, Purpose.KEY_ENCIPHERMENT}),
        ((SIGNS, AGREES), {Purpose.TLS}),
        ((SIGNS, ENCIPHERS), {Purpose.TLS}),
        ((SIGNS, DATA), {Purpose.TLS}),
        ((DATA,), set()),
        (("content_commitment",), set()),
    ],
)
def test_what_each_use_is_good_for(usage: tuple[str, ...], purposes: set[Purpose]) -> None:
    certificate = leaf(make_ca("Root"), usage=usage)
    for purpose in Purpose:
        if purpose in purposes:
            check_purpose(certificate, purpose)
        else:
            with pytest.raises(SecurityFailed, match=f"not for {purpose.value}"):
                check_purpose(certificate, purpose)


def test_a_certificate_without_basic_constraints_is_no_ca_and_may_sign_messages() -> None:
    ca = make_ca("Root")
    check_purpose(leaf(ca, basic_constraints=False), Purpose.SIGNING)
    assert {purpose.value for purpose in Purpose} == {"signing", "key-agreement", "key-encipherment", "tls"}


def test_a_twin_that_may_not_sign_does_not_hide_the_ca_that_may() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    good = make_ca("Root", key=key)
    same = Authority(key=key, name=good.name)
    public = key.public_key()
    bad = issue(same, public_key=public, subject=good.name, usage=("digital_signature",), is_ca=True)
    certificate = leaf(good)
    for cas in ([bad, good.certificate], [good.certificate, bad]):
        assert check_chain(certificate, cas, NOW, Purpose.SIGNING) == (certificate, good.certificate)
