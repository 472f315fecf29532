"""Certificates: for one purpose, from a CA of the authority, in bounded work (RFC 5280)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from adapter.crypto import certificates
from adapter.crypto.certificates import (
    MAX_CANDIDATES,
    Purpose,
    check_chain,
    check_issued,
    check_purpose,
    parse_certificate,
    sha256,
    ski,
)
from adapter.errors import SecurityFailed
from tests.pki import NOW, SIGNING_USAGE, Authority, Federation, issue, make_ca


def leaf(issuer: Authority, **changes: object) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    values: dict[str, object] = {"public_key": key.public_key(), "subject": "Member", "usage": SIGNING_USAGE}
    return issue(issuer, **{**values, **changes})  # type: ignore[arg-type]


def chain_of(length: int) -> tuple[x509.Certificate, list[x509.Certificate]]:
    """A leaf below length - 1 CAs."""
    authority = make_ca("CA 0")
    cas = [authority.certificate]
    for at in range(1, length - 1):
        authority = make_ca(f"CA {at}", issuer=authority)
        cas.append(authority.certificate)
    return leaf(authority), cas


@pytest.fixture(scope="module")
def root_ca() -> Authority:
    return make_ca("Root")


@pytest.mark.parametrize("length", [2, 3, 4])
def test_a_chain_that_is_short_enough(length: int) -> None:
    certificate, cas = chain_of(length)
    check_chain(certificate, cas, NOW, Purpose.SIGNING)
    check_chain(certificate, cas[::-1], NOW, Purpose.SIGNING)


def test_an_issuer_without_a_name() -> None:
    nameless = Authority(key=ec.generate_private_key(ec.SECP256R1()), name=x509.Name([]))
    own = issue(nameless, public_key=nameless.key.public_key(), subject=nameless.name, usage=("key_cert_sign",))
    with pytest.raises(SecurityFailed, match="does not name its issuer"):
        check_issued(leaf(nameless), own)


def test_a_chain_that_is_too_long() -> None:
    certificate, cas = chain_of(5)
    with pytest.raises(SecurityFailed, match="more than 4"):
        check_chain(certificate, cas, NOW, Purpose.SIGNING)


def test_no_issuer(root_ca: Authority) -> None:
    with pytest.raises(SecurityFailed, match="issued this one"):
        check_chain(leaf(make_ca("Other")), [root_ca.certificate], NOW, Purpose.SIGNING)
    with pytest.raises(SecurityFailed):
        check_chain(leaf(root_ca), [], NOW, Purpose.SIGNING)


def test_an_intermediate_without_its_root() -> None:
    certificate, cas = chain_of(3)
    with pytest.raises(SecurityFailed, match="issued this one"):
        check_chain(certificate, cas[1:], NOW, Purpose.SIGNING)


def test_a_self_signed_certificate_is_its_own_witness_only(root_ca: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pretender = Authority(key=key, name=root_ca.name)
    certificate = leaf(pretender, public_key=key.public_key(), subject=root_ca.certificate.subject)
    with pytest.raises(SecurityFailed, match="signature"):
        check_chain(certificate, [root_ca.certificate], NOW, Purpose.SIGNING)


def test_a_ca_of_the_same_name_with_another_key(root_ca: Authority) -> None:
    twin = make_ca("Root")
    with pytest.raises(SecurityFailed, match="signature"):
        check_chain(leaf(twin), [root_ca.certificate], NOW, Purpose.SIGNING)
    check_chain(leaf(twin), [root_ca.certificate, twin.certificate], NOW, Purpose.SIGNING)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"valid_from": NOW + timedelta(seconds=1)}, "not valid yet"),
        ({"valid_until": NOW - timedelta(seconds=1)}, "expired"),
        ({"usage": ("digital_signature", "key_encipherment")}, "not for signing"),
        ({"usage": ("digital_signature", "key_agreement")}, "not for signing"),
        ({"usage": ("key_agreement",)}, "not for signing"),
        ({"usage": ("content_commitment",)}, "not for signing"),
        ({"usage": None}, "what its key is for"),
        ({"is_ca": True, "usage": ("digital_signature", "key_cert_sign")}, "CA certificate"),
        (
            {"extra": ((x509.NameConstraints([x509.DNSName("a.example")], None), True),)},
            "constraints on names",
        ),
        (
            {"extra": ((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True),)},
            "critical extension",
        ),
    ],
)
def test_a_leaf_that_is_not_in_order(root_ca: Authority, changes: dict[str, object], word: str) -> None:
    with pytest.raises(SecurityFailed, match=word):
        check_chain(leaf(root_ca, **changes), [root_ca.certificate], NOW, Purpose.SIGNING)


def test_an_unknown_extension_that_is_not_critical_is_allowed(root_ca: Authority) -> None:
    extra = ((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), False),)
    check_chain(leaf(root_ca, extra=extra), [root_ca.certificate], NOW, Purpose.SIGNING)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"is_ca": False}, "not a CA"),
        ({"basic_constraints": False}, "not a CA"),
        ({"usage": ("digital_signature",)}, "may not sign"),
        ({"usage": None}, "what its key is for"),
        ({"valid_until": NOW - timedelta(days=1)}, "expired"),
        ({"valid_from": NOW + timedelta(days=1)}, "not valid yet"),
        ({"extra": ((x509.NameConstraints([x509.DNSName("a")], None), True),)}, "constraints on names"),
    ],
)
def test_an_issuer_that_is_not_in_order(root_ca: Authority, changes: dict[str, object], word: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    values: dict[str, object] = {
        "public_key": key.public_key(),
        "subject": "Issuing",
        "usage": ("key_cert_sign",),
        "is_ca": True,
    }
    certificate = issue(root_ca, **{**values, **changes})  # type: ignore[arg-type]
    member = leaf(Authority(key=key, name=certificate.subject, own_certificate=certificate))
    with pytest.raises(SecurityFailed, match=word):
        check_chain(member, [root_ca.certificate, certificate], NOW, Purpose.SIGNING)


def test_the_path_length_of_a_ca_holds() -> None:
    top = make_ca("Top", path_length=0)
    below = make_ca("Below", issuer=top)
    with pytest.raises(SecurityFailed, match="longer than a CA allows"):
        check_chain(leaf(below), [top.certificate, below.certificate], NOW, Purpose.SIGNING)
    check_chain(leaf(top), [top.certificate], NOW, Purpose.SIGNING)


def test_sha1_signatures_of_certificates_are_refused(root_ca: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library no longer makes them, so the list is emptied of what our test CA uses instead."""
    monkeypatch.setattr(certificates, "SIGNATURE_ALGORITHMS", frozenset())
    with pytest.raises(SecurityFailed, match="algorithm"):
        check_chain(leaf(root_ca), [root_ca.certificate], NOW, Purpose.SIGNING)


def test_work_is_bounded_whatever_the_certificates_look_like(monkeypatch: pytest.MonkeyPatch) -> None:
    """One name and one key: every certificate seems to have issued every other one."""
    key = ec.generate_private_key(ec.SECP256R1())
    top = make_ca("Same", key=key)
    same = Authority(key=key, name=top.name)
    cas = [
        issue(same, public_key=key.public_key(), subject=top.certificate.subject, usage=("key_cert_sign",), is_ca=True)
        for _ in range(40)
    ]
    crossed = [
        issue(
            Authority(key=key, name=leaf(same, subject=f"CA {at}").subject),
            public_key=key.public_key(),
            subject=f"CA {at + 1}",
            usage=("key_cert_sign",),
            is_ca=True,
        )
        for at in range(20)
    ]
    tried = 0
    original = certificates._PathSearch._check_issuer

    def counting(search, issuer, child, *, below):
        nonlocal tried
        tried += 1
        return original(search, issuer, child, below=below)

    monkeypatch.setattr(certificates._PathSearch, "_check_issuer", counting)
    stranger = leaf(Authority(key=ec.generate_private_key(ec.SECP256R1()), name=top.name))
    with pytest.raises(SecurityFailed, match="too many candidates"):
        check_chain(stranger, [*cas, *crossed], NOW, Purpose.SIGNING)
    assert tried <= MAX_CANDIDATES


@pytest.mark.parametrize(
    ("usage", "purpose"),
    [
        (("key_agreement",), Purpose.KEY_AGREEMENT),
        (("key_encipherment",), Purpose.KEY_ENCIPHERMENT),
        (("digital_signature",), Purpose.SIGNING),
    ],
)
def test_a_certificate_is_for_one_purpose(root_ca: Authority, usage: tuple[str, ...], purpose: Purpose) -> None:
    certificate = leaf(root_ca, usage=usage)
    check_purpose(certificate, purpose)
    for other in {Purpose.SIGNING, Purpose.KEY_AGREEMENT, Purpose.KEY_ENCIPHERMENT} - {purpose}:
        with pytest.raises(SecurityFailed):
            check_purpose(certificate, other)


MESSAGES_USES = {
    Purpose.SIGNING: ("digital_signature",),
    Purpose.KEY_AGREEMENT: ("key_agreement",),
    Purpose.KEY_ENCIPHERMENT: ("key_encipherment",),
}
"""What a key is used for on messages, with the KeyUsage that allows it."""


@pytest.mark.parametrize("purpose", MESSAGES_USES)
@pytest.mark.parametrize(
    "extended",
    [
        (ExtendedKeyUsageOID.SERVER_AUTH,),
        (ExtendedKeyUsageOID.CLIENT_AUTH,),
        (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
        (ExtendedKeyUsageOID.CODE_SIGNING,),
        (ExtendedKeyUsageOID.OCSP_SIGNING, ExtendedKeyUsageOID.TIME_STAMPING),
        (
            ExtendedKeyUsageOID.SERVER_AUTH,
            ExtendedKeyUsageOID.CLIENT_AUTH,
            ExtendedKeyUsageOID.CODE_SIGNING,
            ExtendedKeyUsageOID.OCSP_SIGNING,
            ExtendedKeyUsageOID.TIME_STAMPING,
        ),
    ],
)
def test_a_certificate_that_is_for_other_protocols_only_is_not_for_messages(
    root_ca: Authority, purpose: Purpose, extended: tuple[x509.ObjectIdentifier, ...]
) -> None:
    certificate = leaf(root_ca, usage=MESSAGES_USES[purpose], extended_usage=extended)
    with pytest.raises(SecurityFailed, match="other protocols"):
        check_chain(certificate, [root_ca.certificate], NOW, purpose)


@pytest.mark.parametrize("purpose", MESSAGES_USES)
@pytest.mark.parametrize(
    "extended",
    [
        (),
        (ExtendedKeyUsageOID.EMAIL_PROTECTION,),
        (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION),
        (ExtendedKeyUsageOID.SERVER_AUTH, x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")),  # documentSigning, RFC 9336
        (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE),
    ],
)
def test_a_certificate_whose_uses_leave_room_for_messages_is_taken(
    root_ca: Authority, purpose: Purpose, extended: tuple[x509.ObjectIdentifier, ...]
) -> None:
    certificate = leaf(root_ca, usage=MESSAGES_USES[purpose], extended_usage=extended)
    check_chain(certificate, [root_ca.certificate], NOW, purpose)


def test_a_certificate_for_tls_may_say_that_it_is(root_ca: Authority) -> None:
    certificate = leaf(root_ca, extended_usage=(ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH))
    check_chain(certificate, [root_ca.certificate], NOW, Purpose.TLS)


def test_identifiers_of_a_certificate(federation: Federation) -> None:
    certificate = federation.social.signing_certificate
    extension = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert ski(certificate) == extension.value.digest
    assert sha256(certificate) == certificate.fingerprint(hashes.SHA256())


def test_a_certificate_without_a_key_identifier_cannot_be_named() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    with pytest.raises(SecurityFailed, match="key identifier"):
        ski(certificate)


def test_exactly_one_certificate(federation: Federation) -> None:
    der = federation.social.signing_certificate.public_bytes(Encoding.DER)
    assert parse_certificate(der)[0] == federation.social.signing_certificate
    for wrong in (
        der + b"\0",
        der[:-1],
        b"",
        b"\x30",
        der + der,
        federation.social.signing_certificate.tbs_certificate_bytes,
    ):
        with pytest.raises(SecurityFailed):
            parse_certificate(wrong)


@pytest.mark.parametrize("version", [0, 1])
def test_an_older_version_of_certificate(federation: Federation, version: int) -> None:
    der = bytearray(federation.social.signing_certificate.public_bytes(Encoding.DER))
    at = der.index(b"\xa0\x03\x02\x01\x02")
    der[at + 4] = version
    with pytest.raises(SecurityFailed):
        parse_certificate(bytes(der))
