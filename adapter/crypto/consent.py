"""Signing a statement of consent, and opening one: the same rules as for messages (xsd/consent.xsd).

Whatever is wrong with a statement is SecurityFailed, with one public text (promise 7); the reason goes to the record.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from adapter.crypto import templates
from adapter.crypto.certificates import parse_certificate
from adapter.crypto.signature_gate import read_signature
from adapter.crypto.suites import by_signature_algorithm, suite
from adapter.envelope import names
from adapter.envelope.consent import CONSENT, STATEMENT, Consent, read_consent, render_consent
from adapter.envelope.gate_security import read_token
from adapter.envelope.gate_structure import Ids, attribute, check_attributes, refuse, sequence
from adapter.errors import EnvelopeRefused, InvalidIdentifier, LimitExceeded, MalformedMessage, SecurityFailed
from adapter.ports import SigningKey
from adapter.stages import SignatureParts
from adapter.xmlsafe import XmlLimits, canonical, parse, refuse_comments

MAX_STATEMENT_BYTES: Final = 64 * 1024
_LIMITS: Final = XmlLimits(max_bytes=MAX_STATEMENT_BYTES, max_depth=12, max_nodes=20_000, max_attributes=8)
_TOKEN_ATTRIBUTES: Final = frozenset((names.WSU_ID, "ValueType", "EncodingType"))
_START: Final = f'<con:ConsentStatement xmlns:con="{names.CONSENT}">'.encode()
_END: Final = b"</con:ConsentStatement>"
_UNREADABLE: Final = (EnvelopeRefused, InvalidIdentifier, LimitExceeded, MalformedMessage)


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedConsent:
    """A statement whose signature is good. Whether its signer may make it is not known yet. Made by open_consent."""

    consent: Consent
    signer: x509.Certificate
    suite: str
    sha256: bytes


def sign_consent(consent: Consent, key: SigningKey) -> bytes:
    """The statement, signed. Raises KeyUnusable, SecurityFailed."""
    said = render_consent(consent)
    token = templates.render_token(key.certificate.public_bytes(Encoding.DER))
    references = [
        templates.render_reference(part_id, sha256(octets).digest())
        for part_id, octets in (("consent", said), ("token", token))
    ]
    signed_info = templates.render_signed_info(suite(key.suite).signature_algorithm, references)
    signature = templates.render_signature(signed_info, key.sign(signed_info))
    return b"".join((_START, said, token, signature, _END))


def open_consent(octets: bytes) -> SignedConsent:
    """A statement (untrusted) whose signature is good. Raises SecurityFailed, whatever is wrong.

    1. One document within the bounds, without DOCTYPE, comments and instructions.
    2. Exactly one Consent, one token and one Signature, each at its place, no id twice.
    3. The token is exactly one X.509 v3 certificate; the algorithm is of a suite, and the key of that suite.
    4. The signature value is good for the canonical SignedInfo under that key.
    5. The References name the Consent and the token at their places, and nothing else; each digest is theirs.
    6. The values are read from the element that step 5 digested.
    """
    try:
        return _open(octets)
    except _UNREADABLE as cause:
        raise SecurityFailed(f"the statement of consent: {cause.reason}") from None


def _open(octets: bytes) -> SignedConsent:
    root = parse(octets, _LIMITS)
    refuse_comments(root)
    if root.getprevious() is not None or root.getnext() is not None:
        refuse("something beside the statement")
    if root.tag != STATEMENT:
        refuse("not a ConsentStatement")
    check_attributes(root)
    said, token, signature = sequence(root, CONSENT, names.BINARY_SECURITY_TOKEN, names.SIGNATURE)
    ids = Ids()
    consent_id, token_id = (ids.add(attribute(part, names.WSU_ID)) for part in (said, token))
    _check_token(token)
    parts = read_signature(signature, token_id=token_id, ids=ids)
    signer, key = parse_certificate(read_token(token))
    row = by_signature_algorithm(parts.algorithm)
    row.check_signing_key(key)
    row.verify(key, parts.value, parts.signed_info)
    _check_digests(parts, {consent_id: said, token_id: token})
    return SignedConsent(consent=read_consent(said), signer=signer, suite=row.name, sha256=sha256(octets).digest())


def _check_token(token: etree._Element) -> None:
    check_attributes(token, _TOKEN_ATTRIBUTES)
    if token.get("ValueType") != names.X509_V3 or token.get("EncodingType") != names.BASE64_BINARY:
        refuse("the token must be one X.509 v3 certificate in Base64Binary")


def _check_digests(signature: SignatureParts, parts: dict[str, etree._Element]) -> None:
    if {part_id for part_id, _, _ in signature.digests} != parts.keys() or signature.attachment_digests:
        raise SecurityFailed("the signature does not cover exactly the consent and the token")
    for part_id, digest, prefixes in signature.digests:
        octets = canonical(parts[part_id], inclusive_prefixes=prefixes, error=SecurityFailed)
        if not hmac.compare_digest(sha256(octets).digest(), digest):
            raise SecurityFailed(f"the digest of a part is wrong: {part_id}")
