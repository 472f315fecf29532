"""W54 to W62, W68 to W70: signatures that are good, under a key that must not count."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapter.crypto.suites import suite
from adapter.envelope import names
from tests.attacks.draft import Draft, Hand
from tests.attacks.naive import Naive
from tests.attacks.recipes.forging import in_place
from tests.attacks.recipes.model import SECURITY, SIGNED, Change, Recipe, Variant, both
from tests.attacks.recipes.octets import once
from tests.attacks.recipes.references import key_info
from tests.pki import NOW, SIGNING_USAGE, issue

FORGED_BODY = in_place("body")
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_SAN = x509.SubjectAlternativeName([x509.DNSName("member.example")])


def der(certificate: x509.Certificate) -> bytes:
    """DER."""
    return certificate.public_bytes(Encoding.DER)


def token_of(certificate: Callable[[Draft], x509.Certificate]) -> Change:
    """The token is another certificate."""

    def change(draft: Draft) -> None:
        draft.part("token").text = b64encode(der(certificate(draft))).decode()

    return change


def signed_by_third(draft: Draft) -> None:
    """The value is made with the key of a member that has no part in the message."""
    draft.signing.value = lambda octets: suite(draft.third.suite).sign(draft.third.signing_key, octets)


def bare_key(draft: Draft) -> None:
    """KeyInfo holds the key itself."""
    public = draft.third.signing_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key_info(
        f'<ds:KeyValue><dsig11:DEREncodedKeyValue xmlns:dsig11="{names.DSIG11}">{b64encode(public).decode()}'
        "</dsig11:DEREncodedKeyValue></ds:KeyValue>"
    )(draft)


def look_alike(draft: Draft) -> x509.Certificate:
    """A self-signed certificate with subject, issuer and serial number of the genuine one, for another key."""
    genuine = draft.signing.signer.signing_certificate
    key = draft.third.signing_key
    algorithm = hashes.SHA256() if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) else None
    return (
        x509.CertificateBuilder()
        .subject_name(genuine.subject)
        .issuer_name(genuine.issuer)
        .serial_number(genuine.serial_number)
        .public_key(key.public_key())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=30))
        .sign(key, algorithm)
    )


def another_for_the_same_key(draft: Draft) -> x509.Certificate:
    """A certificate of our own CA for the genuine key, under another name."""
    key = draft.signing.signer.signing_key.public_key()
    return issue(draft.federation.issuing_ca, public_key=key, subject="Somebody else", usage=SIGNING_USAGE)


# --- algorithms that do not fit -------------------------------------------------------------------------------------


def method(algorithm: str, value: Callable[[Draft, bytes], bytes], inside: str = "") -> Change:
    """SignatureMethod is another, and the value is right by it."""

    def change(draft: Draft) -> None:
        draft.signing.algorithm = algorithm
        draft.signing.value = lambda octets: value(draft, octets)
        if inside:
            end = b"</ds:SignatureMethod>"
            draft.signing.in_signed_info = once(end, inside.encode() + end)

    return change


def by_hmac(octets_of: str) -> Callable[[Draft, bytes], bytes]:
    """HMAC with a secret that everybody knows."""

    def value(draft: Draft, octets: bytes) -> bytes:
        certificate = draft.signing.signer.signing_certificate
        public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hmac.digest(der(certificate) if octets_of == "certificate" else public, octets, "sha256")

    return value


def by_sha1(draft: Draft, octets: bytes) -> bytes:
    """The signer's key with SHA-1."""
    key = draft.signing.signer.signing_key
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(octets, padding.PKCS1v15(), hashes.SHA1())
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(octets, ec.ECDSA(hashes.SHA1())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return key.sign(octets)


def right(draft: Draft, octets: bytes) -> bytes:
    """The signer's key by its own suite."""
    return suite(draft.signing.signer.suite).sign(draft.signing.signer.signing_key, octets)


def digest_method(algorithm: str) -> Change:
    """The first DigestMethod is another."""
    start = "<ds:DigestMethod Algorithm="

    def change(draft: Draft) -> None:
        draft.signing.in_signed_info = once(f'{start}"{names.SHA256}"'.encode(), f'{start}"{algorithm}"'.encode())

    return change


# --- keys that are too weak, certificates that are not for this ------------------------------------------------------


@cache
def weak_key(kind: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey:
    """A key that no suite has."""
    if kind.startswith("RSA"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.split("-")[1]))
    if kind == "Ed448":
        return ed448.Ed448PrivateKey.generate()
    return ec.generate_private_key({"P-192": ec.SECP192R1(), "P-384": ec.SECP384R1(), "K-256": ec.SECP256K1()}[kind])


def weak(kind: str, algorithm: str) -> Change:
    """A registered certificate for a key that no suite has, and a value made with it."""

    def value(_draft: Draft, octets: bytes) -> bytes:
        key = weak_key(kind)
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        if isinstance(key, ed448.Ed448PrivateKey):
            return key.sign(octets)
        size = (key.key_size + 7) // 8
        r, s = decode_dss_signature(key.sign(octets, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    def certificate(draft: Draft) -> x509.Certificate:
        return issue(
            draft.federation.issuing_ca, public_key=weak_key(kind).public_key(), subject="weak", usage=SIGNING_USAGE
        )

    return both(token_of(certificate), method(algorithm, value))


def signed_anew(name: str, change: Change, **more: object) -> Variant:
    """A variant in which a member signs what was changed; cryptography or trust has to refuse it."""
    return Variant(name=name, change=change, expect=SECURITY, hands=SIGNED, **more)  # type: ignore[arg-type]


_STR = f'<wsse:SecurityTokenReference xmlns:wsse="{names.WSSE}">%s</wsse:SecurityTokenReference>'
TOKEN_TYPES = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0"

CONFUSION = (
    Recipe(
        id="W54",
        done="a bare key in KeyInfo, and signed with it",
        variants=(
            signed_anew("key value", both(FORGED_BODY, signed_by_third, bare_key), fools=Naive(key="key value")),
        ),
    ),
    Recipe(
        id="W55",
        done="a self-signed certificate with the names and the number of the genuine one",
        variants=(signed_anew("look-alike", both(FORGED_BODY, signed_by_third, token_of(look_alike)), fools=Naive()),),
    ),
    Recipe(
        id="W56",
        done="signed by another member",
        variants=(
            signed_anew(
                "its own token",
                both(FORGED_BODY, signed_by_third, token_of(lambda draft: draft.third.signing_certificate)),
                fools=Naive(),
            ),
            signed_anew("the genuine token", both(FORGED_BODY, signed_by_third)),
        ),
    ),
    Recipe(
        id="W57",
        done="another certificate for the same key",
        variants=(
            signed_anew("signed anew", token_of(another_for_the_same_key)),
            Variant(
                name="the signature as it was",
                change=token_of(another_for_the_same_key),
                expect=SECURITY,
                hands=(Hand.INSIDER, Hand.OUTSIDER),
            ),
        ),
    ),
    Recipe(
        id="W58",
        done="the key is named by an identifier that several certificates may have",
        variants=tuple(
            signed_anew(name, key_info(_STR % text))
            for name, text in {
                "SKI": f'<wsse:KeyIdentifier ValueType="{TOKEN_TYPES}#X509SubjectKeyIdentifier">'
                "AAAA</wsse:KeyIdentifier>",
                "thumbprint": '<wsse:KeyIdentifier ValueType="http://docs.oasis-open.org/wss/oasis-wss-soap-message-'
                'security-1.1#ThumbprintSHA1">AAAAAAAAAAAAAAAAAAAAAAAAAAA=</wsse:KeyIdentifier>',
                "issuer and number": "<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>CN=x</ds:X509IssuerName>"
                "<ds:X509SerialNumber>1</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>",
                "two references": '<wsse:Reference URI="#token"/><wsse:Reference URI="#token"/>',
                "another id": '<wsse:Reference URI="#body"/>',
                "embedded": "<wsse:Embedded>x</wsse:Embedded>",
            }.items()
        ),
    ),
    Recipe(
        id="W59",
        done="HMAC with the octets of the public key or the certificate as its secret",
        variants=tuple(
            signed_anew(f"{algorithm}, {secret}", method(algorithm, by_hmac(secret)))
            for algorithm in (names.HMAC_SHA256, f"{names.DS}hmac-sha1")
            for secret in ("key", "certificate")
        ),
    ),
    Recipe(
        id="W60",
        done="HMAC cut to a few bits",
        variants=tuple(
            signed_anew(
                f"{bits} bits",
                method(
                    names.HMAC_SHA256,
                    lambda _draft, _octets: b"\0",
                    f"<ds:HMACOutputLength>{bits}</ds:HMACOutputLength>",
                ),
            )
            for bits in (0, 1, 8)
        ),
    ),
    Recipe(
        id="W61",
        done="SHA-1, MD5, and every other algorithm that is not on the list",
        variants=(
            *(
                signed_anew(algorithm, method(algorithm, by_sha1))
                for algorithm in (f"{names.DS}rsa-sha1", f"{names.DS}dsa-sha1", f"{_MORE}ecdsa-sha1")
            ),
            *(
                signed_anew(algorithm, method(algorithm, right))
                for algorithm in (
                    f"{_MORE}rsa-sha512",
                    f"{_MORE}ecdsa-sha384",
                    "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
                    "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519ph",
                    "urn:example:none",
                    "",
                )
            ),
            *(
                signed_anew(f"digest {algorithm}", digest_method(algorithm))
                for algorithm in (f"{names.DS}sha1", f"{_MORE}md5", "http://www.w3.org/2001/04/xmlenc#sha512", "")
            ),
        ),
    ),
    Recipe(
        id="W62",
        done="keys that are too short or of no suite, in certificates of our own CA",
        variants=tuple(
            signed_anew(f"{kind} {algorithm.rpartition('#')[2]}", weak(kind, algorithm))
            for kind, algorithm in (
                ("RSA-1024", names.RSA_SHA256),
                ("RSA-2048", names.RSA_SHA256),
                ("P-192", names.ECDSA_SHA256),
                ("P-384", names.ECDSA_SHA256),
                ("K-256", names.ECDSA_SHA256),
                ("Ed448", names.EDDSA_ED25519),
            )
        ),
    ),
)
