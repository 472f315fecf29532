"""Certification paths in the manner of NIST's PKITS (4.1 to 4.16): each refused path beside its good control.

What PKITS asks of an implementation that processes policies and name constraints is refused here instead: a path with
such constraints is none, which is stricter. For every suite: the members' keys and the authorities' are of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from asn1crypto import x509 as asn1  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from adapter.crypto.certificates import MAX_CHAIN, Purpose, check_chain
from adapter.errors import SecurityFailed
from tests.pki import NOW, SIGNING_USAGE, SUITE_NAMES, Authority, SigningPrivateKey, issue, make_ca, new_signing_key

SECOND = timedelta(seconds=1)
YEARS = timedelta(days=4000)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.9"), b"\x05\x00")
MAPPED = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.33"), b"\x30\x00")
ALL_OTHERS = (
    ExtendedKeyUsageOID.SERVER_AUTH,
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.CODE_SIGNING,
    ExtendedKeyUsageOID.TIME_STAMPING,
    ExtendedKeyUsageOID.OCSP_SIGNING,
)
POLICY = x509.PolicyInformation(x509.ObjectIdentifier("1.3.6.1.4.1.32473.2"), None)


@dataclass(frozen=True, kw_only=True)
class Path:
    """Root, intermediate and leaf before they are issued: what each is made with."""

    suite: str
    root: dict[str, Any]
    intermediate: dict[str, Any]
    leaf: dict[str, Any]
    after: Callable[[x509.Certificate, SigningPrivateKey], x509.Certificate] | None = None
    """What becomes of the leaf, given the key that signed it."""

    def check(self, purpose: Purpose = Purpose.SIGNING) -> tuple[x509.Certificate, ...]:
        root_key = new_signing_key(self.suite, "paths/root")
        root_name = x509.Name.from_rfc4514_string("CN=Path root,C=UZ")
        above: dict[str, Any] = {"public_key": root_key.public_key(), "subject": root_name} | CA | self.root
        root = issue(Authority(key=root_key, name=root_name), **above)
        key = self.intermediate.get("key") or new_signing_key(self.suite, "paths/intermediate")
        values: dict[str, Any] = (
            {"public_key": key.public_key(), "subject": "Path intermediate"} | CA | self.intermediate
        )
        values.pop("key", None)
        intermediate = issue(Authority(key=root_key, name=root.subject), **values)
        member = new_signing_key(self.suite, "paths/member").public_key()
        leaf_values: dict[str, Any] = {
            "public_key": member,
            "subject": "Path member",
            "usage": SIGNING_USAGE,
        } | self.leaf
        signer = leaf_values.pop("signed_by", key)
        issuer_name = leaf_values.pop("issuer_name", intermediate.subject)
        leaf = issue(Authority(key=signer, name=issuer_name), **leaf_values)
        if self.after is not None:
            leaf = self.after(leaf, key)
        return check_chain(leaf, [root, intermediate], NOW, purpose)


CA: dict[str, Any] = {
    "usage": ("key_cert_sign", "crl_sign"),
    "is_ca": True,
    "valid_from": NOW - timedelta(days=10),
    "valid_until": NOW + YEARS,
}


def _with(*extensions: x509.ExtensionType, critical: bool) -> dict[str, Any]:
    return {"extra": tuple((one, critical) for one in extensions)}


def _constrained(*, critical: bool) -> dict[str, Any]:
    """Even one that permits what the leaf is called."""
    everybody = x509.DirectoryName(x509.Name.from_rfc4514_string("C=UZ"))
    return _with(x509.NameConstraints([everybody], None), critical=critical)


def _policies(*, critical: bool) -> dict[str, Any]:
    return _with(x509.PolicyConstraints(0, None), critical=critical)


LINKS: dict[str, tuple[dict[str, Any], str]] = {
    "4.2.1 not yet valid": ({"valid_from": NOW + SECOND}, "not valid yet"),
    "4.2.5 expired": ({"valid_until": NOW - SECOND}, "expired"),
    "4.14 unknown critical extension": (_with(UNKNOWN, critical=True), "critical extension"),
    "4.13 critical name constraints": (_constrained(critical=True), "constraints on names or policies"),
    "4.13 name constraints that are not critical": (_constrained(critical=False), "constraints on names or policies"),
    "4.9 critical policy constraints": (_policies(critical=True), "constraints on names or policies"),
    "4.9 policy constraints that are not critical": (_policies(critical=False), "constraints on names or policies"),
    "4.10 policy mappings": (_with(MAPPED, critical=False), "constraints on names or policies"),
    "4.12 inhibit any policy": (_with(x509.InhibitAnyPolicy(0), critical=True), "constraints on names or policies"),
    "4.8 critical policies": (_with(x509.CertificatePolicies([POLICY]), critical=True), "critical extension"),
}
CA_ONLY: dict[str, tuple[dict[str, Any], str]] = {
    "4.6.1 missing basic constraints": ({"basic_constraints": False}, "not a CA"),
    "4.6.2 basic constraints of no CA": ({"is_ca": False}, "not a CA"),
    "4.7.1 key usage without keyCertSign": ({"usage": ("crl_sign",)}, "may not sign certificates"),
    "4.7 no key usage": ({"usage": None}, "what its key is for"),
    "for other protocols only": ({"extended_usage": (ExtendedKeyUsageOID.SERVER_AUTH,)}, "other protocols only"),
    "for each of the other protocols": ({"extended_usage": ALL_OTHERS}, "other protocols only"),
}
LEAF_ONLY: dict[str, tuple[dict[str, Any], str]] = {
    "4.1.2 signed with another key": (
        {"signed_by": ed25519.Ed25519PrivateKey.generate()},
        "signature of a certificate|algorithm",
    ),
    "4.3.1 another issuer": ({"issuer_name": x509.Name.from_rfc4514_string("CN=Other")}, "no certificate of the"),
    "empty issuer": ({"issuer_name": x509.Name([])}, "no certificate of the|name its issuer"),
    "a CA": ({"is_ca": True, "usage": ("key_cert_sign",)}, "CA certificate"),
    "for encryption": ({"usage": ("key_agreement",)}, "not for signing"),
}


def good_path(suite: str) -> Path:
    return Path(suite=suite, root={}, intermediate={}, leaf={})


def at_link(path: Path, where: str, changes: dict[str, Any]) -> Path:
    made: dict[str, Any] = {where: changes}
    return replace(path, **made)


@pytest.mark.parametrize("suite", SUITE_NAMES)
def test_the_control(suite: str) -> None:
    assert len(good_path(suite).check()) == 3
    unmarked = _with(UNKNOWN, x509.CertificatePolicies([POLICY]), critical=False)
    assert len(Path(suite=suite, root=unmarked, intermediate=unmarked, leaf=unmarked).check()) == 3
    at_the_edge = {"valid_from": NOW, "valid_until": NOW}
    assert len(Path(suite=suite, root=at_the_edge, intermediate=at_the_edge, leaf=at_the_edge).check()) == 3
    for_messages = {"extended_usage": (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION)}
    assert len(Path(suite=suite, root={}, intermediate=for_messages, leaf=for_messages).check()) == 3


@pytest.mark.parametrize("suite", SUITE_NAMES)
@pytest.mark.parametrize("where", ["root", "intermediate", "leaf"])
@pytest.mark.parametrize("name", LINKS)
def test_wrong_at_any_link(suite: str, where: str, name: str) -> None:
    changes, word = LINKS[name]
    with pytest.raises(SecurityFailed, match=word):
        at_link(good_path(suite), where, changes).check()


@pytest.mark.parametrize("suite", SUITE_NAMES)
@pytest.mark.parametrize("where", ["root", "intermediate"])
@pytest.mark.parametrize("name", CA_ONLY)
def test_wrong_at_an_authority(suite: str, where: str, name: str) -> None:
    changes, word = CA_ONLY[name]
    with pytest.raises(SecurityFailed, match=word):
        at_link(good_path(suite), where, changes).check()


@pytest.mark.parametrize("suite", SUITE_NAMES)
@pytest.mark.parametrize("name", LEAF_ONLY)
def test_wrong_at_the_leaf(suite: str, name: str) -> None:
    changes, word = LEAF_ONLY[name]
    with pytest.raises(SecurityFailed, match=word):
        replace(good_path(suite), leaf=changes).check()


def test_an_authority_for_tls_only_issues_for_tls() -> None:
    for_tls = {"extended_usage": (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)}
    path = Path(suite="p256", root=for_tls, intermediate=for_tls, leaf=for_tls)
    assert len(path.check(Purpose.TLS)) == 3
    with pytest.raises(SecurityFailed, match="other protocols only"):
        path.check()


# --- 4.1: what the library would not make ----------------------------------------------------------------------------


def with_serial(serial: int) -> Callable[[x509.Certificate, SigningPrivateKey], x509.Certificate]:
    """The certificate with another serial number, signed again."""

    def change(leaf: x509.Certificate, key: SigningPrivateKey) -> x509.Certificate:
        whole = asn1.Certificate.load(leaf.public_bytes(Encoding.DER))
        whole["tbs_certificate"]["serial_number"] = serial
        octets = whole["tbs_certificate"].dump(force=True)
        if isinstance(key, ed25519.Ed25519PrivateKey):
            whole["signature_value"] = key.sign(octets)
        elif isinstance(key, rsa.RSAPrivateKey):
            whole["signature_value"] = key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        else:
            whole["signature_value"] = key.sign(octets, ec.ECDSA(hashes.SHA256()))
        return x509.load_der_x509_certificate(whole.dump(force=True))

    return change


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@pytest.mark.parametrize("suite", SUITE_NAMES)
@pytest.mark.parametrize(("serial", "good"), [(1, True), (2**160 - 1, True), (0, False), (-1, False), (2**160, False)])
def test_serial_numbers(suite: str, serial: int, *, good: bool) -> None:
    path = replace(good_path(suite), after=with_serial(serial))
    if good:
        assert len(path.check()) == 3
        return
    with pytest.raises((SecurityFailed, ValueError), match="serial"):
        path.check()


# --- keys and hashes -------------------------------------------------------------------------------------------------

WEAK: dict[str, Callable[[], SigningPrivateKey]] = {
    "rsa 1024": lambda: rsa.generate_private_key(public_exponent=65537, key_size=1024),
    "rsa 2047": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2047),
    "secp192r1": lambda: ec.generate_private_key(ec.SECP192R1()),
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
}


@pytest.mark.parametrize("name", WEAK)
def test_an_authority_with_a_weak_key(name: str) -> None:
    with pytest.raises(SecurityFailed, match="weak"):
        replace(good_path("p256"), intermediate={"key": WEAK[name]()}).check()


@pytest.mark.parametrize("bits", [2048, 3072])
def test_an_authority_with_a_key_that_is_strong_enough(bits: int) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    assert len(replace(good_path("p256"), intermediate={"key": key}).check()) == 3


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()])
def test_an_authority_on_a_larger_curve(curve: ec.EllipticCurve) -> None:
    assert len(replace(good_path("p256"), intermediate={"key": ec.generate_private_key(curve)}).check()) == 3


@pytest.mark.parametrize(("weak", "good"), [(hashes.SHA224(), hashes.SHA256()), (hashes.SHA3_256(), hashes.SHA384())])
def test_a_hash_that_is_not_on_the_list(weak: Any, good: Any) -> None:
    authority = make_ca("Hash CA")

    def leaf_with(algorithm: Any) -> x509.Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        template = issue(authority, public_key=key.public_key(), subject="Member", usage=SIGNING_USAGE)
        builder = x509.CertificateBuilder(
            issuer_name=template.issuer,
            subject_name=template.subject,
            public_key=template.public_key(),
            serial_number=7,
            not_valid_before=template.not_valid_before_utc,
            not_valid_after=template.not_valid_after_utc,
            extensions=list(template.extensions),
        )
        return builder.sign(authority.key, algorithm)

    cas = [authority.certificate]
    assert len(check_chain(leaf_with(good), cas, NOW, Purpose.SIGNING)) == 2
    with pytest.raises(SecurityFailed, match="algorithm"):
        check_chain(leaf_with(weak), cas, NOW, Purpose.SIGNING)


# --- 4.4 to 4.6: length, loops, self-issued --------------------------------------------------------------------------


def member_below(authority: Authority) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    return issue(authority, public_key=key.public_key(), subject="Member", usage=SIGNING_USAGE)


def test_two_authorities_that_certified_each_other_lead_nowhere() -> None:
    first, second = make_ca("Loop 1"), make_ca("Loop 2")
    crossed = [make_ca("Loop 1", issuer=second, key=first.key), make_ca("Loop 2", issuer=first, key=second.key)]
    leaf = member_below(first)
    with pytest.raises(SecurityFailed, match=f"more than {MAX_CHAIN}"):
        check_chain(leaf, [one.certificate for one in crossed], NOW, Purpose.SIGNING)
    assert len(check_chain(leaf, [*(one.certificate for one in crossed), first.certificate], NOW, Purpose.SIGNING)) <= 4


@pytest.mark.parametrize("suite", SUITE_NAMES)
def test_a_new_key_under_the_old_one_is_no_root_of_its_own(suite: str) -> None:
    """RFC 5280, 3.2: self-issued, not self-signed; also when the old key is of another kind."""
    old = make_ca("Rolling CA", key=new_signing_key(suite, "paths/old"))
    new_key = ec.generate_private_key(ec.SECP256R1())
    rolled = issue(old, public_key=new_key.public_key(), subject=old.name, **CA)
    leaf = member_below(Authority(key=new_key, name=old.name))
    assert len(check_chain(leaf, [rolled, old.certificate], NOW, Purpose.SIGNING)) == 3
    with pytest.raises(SecurityFailed):
        check_chain(leaf, [rolled], NOW, Purpose.SIGNING)
    expired = make_ca("Rolling CA", key=old.key, valid_until=NOW - SECOND)
    with pytest.raises(SecurityFailed):
        check_chain(leaf, [rolled, expired.certificate], NOW, Purpose.SIGNING)


@pytest.mark.parametrize(("path_length", "good"), [(None, True), (1, True), (0, False)])
def test_path_length(path_length: int | None, *, good: bool) -> None:
    path = replace(good_path("p256"), root={"path_length": path_length})
    if good:
        assert len(path.check()) == 3
        return
    with pytest.raises(SecurityFailed, match="longer than a CA allows"):
        path.check()
