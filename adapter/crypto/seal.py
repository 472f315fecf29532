"""Sign, then encrypt: values to the octets of one envelope.

Fast by writing canonical octets directly: the only canonicalisation is that of the payload (see docs/decisions).
WSS 1.1 SOAP Message Security, 8 and 9; XML Signature 1.1; XML Encryption 1.1.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from pybase64 import b64encode

from adapter.attachments import HeldAttachments
from adapter.crypto import templates
from adapter.crypto.canonical_body import CanonicalBody, canonical_body
from adapter.crypto.certificates import public_key, ski
from adapter.crypto.content import IV_OCTETS, KEY_OCTETS, ContentCipher
from adapter.crypto.remembered import remembered
from adapter.crypto.suites import suite
from adapter.envelope import names
from adapter.envelope.attachments_header import Described, render_attachments
from adapter.envelope.headers import render_exchange, render_personal_data, render_timestamp
from adapter.ports import SigningKey
from adapter.stages import ExchangeHeader, PersonalData, SealedMessage

_PERSONAL_DATA_START: Final = templates.ENCRYPTED_HEADER_START + templates.encrypted_data_start(
    templates.PERSONAL_DATA_CIPHER, names.TYPE_ELEMENT
)
_PERSONAL_DATA_END: Final = templates.ENCRYPTED_DATA_END + templates.ENCRYPTED_HEADER_END
_CONFIRMATION_START: Final = templates.encrypted_data_start(templates.CONFIRMATION_CIPHER, names.TYPE_ELEMENT)
_ATTACHMENTS_START: Final = templates.ENCRYPTED_ATTACHMENTS_START + templates.encrypted_data_start(
    templates.ATTACHMENTS_CIPHER, names.TYPE_ELEMENT
)
_SIGNATURE_START: Final = templates.encrypted_data_start(templates.SIGNATURE_CIPHER, names.TYPE_ELEMENT)
_BODY_START: Final = templates.BODY_START + templates.encrypted_data_start(templates.BODY_CIPHER, names.TYPE_CONTENT)
_BODY_END: Final = templates.ENCRYPTED_DATA_END + templates.BODY_END + templates.ENVELOPE_END


@dataclass(frozen=True, kw_only=True, slots=True)
class _Token:
    """What is constant for a certificate: its token and the Reference to it."""

    octets: bytes
    reference: str


@remembered(64)
def _token(certificate: x509.Certificate) -> _Token:
    octets = templates.render_token(certificate.public_bytes(Encoding.DER))
    return _Token(octets=octets, reference=templates.render_reference("token", sha256(octets).digest()))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Parts:
    """The clear parts of a message, each in canonical octets."""

    exchange: bytes
    timestamp: bytes
    token: _Token
    body: CanonicalBody
    personal_data: bytes | None
    confirmation: bytes | None
    attachments: HeldAttachments | None
    attachments_header: bytes | None

    def references(self) -> list[str]:
        """One Reference for every part."""
        found = [
            _reference("exchange", self.exchange),
            _reference("timestamp", self.timestamp),
            self.token.reference,
            templates.render_reference("body", sha256(self.body.octets).digest(), self.body.inclusive_prefixes),
        ]
        if self.personal_data is not None:
            found.append(_reference("personal-data", self.personal_data))
        if self.confirmation is not None:
            found.append(_reference("confirmation", self.confirmation))
        if self.attachments is not None and self.attachments_header is not None:
            found.append(_reference("attachments", self.attachments_header))
            found += [
                templates.render_attachment_reference(said.content_id, said.sha256) for said in self.attachments.said
            ]
        return found

    def data_ids(self) -> list[str]:
        """The ids of all EncryptedData."""
        found = [templates.SIGNATURE_CIPHER, templates.BODY_CIPHER]
        if self.confirmation is not None:
            found.insert(0, templates.CONFIRMATION_CIPHER)
        if self.personal_data is not None:
            found.insert(0, templates.PERSONAL_DATA_CIPHER)
        if self.attachments is not None:
            found.append(templates.ATTACHMENTS_CIPHER)
            found += [templates.attachment_cipher(at) for at, _ in enumerate(self.attachments.held, 1)]
        return found


def _reference(part_id: str, octets: bytes) -> str:
    return templates.render_reference(part_id, sha256(octets).digest())


def seal(
    *,
    header: ExchangeHeader,
    personal_data: PersonalData | None,
    payload: etree._Element | bytes,
    confirmation: bytes | None,
    signing_key: SigningKey,
    recipient: x509.Certificate,
    recipient_suite: str,
    now: datetime,
    lifetime_s: int = 300,
    names_in_values: bool = False,
    attachments: HeldAttachments | None = None,
) -> SealedMessage:
    """Sign with our key, encrypt for the recipient.

    payload: the service's element (left as it is), or the octets of one element. confirmation: in a reply, the
    signature value of the request. recipient: the member's agreement certificate, trusted by the caller.
    now: aware; Created of the Timestamp. attachments: encrypted already, under the content key that then is that of the
    message; None and an empty one are the same.
    names_in_values: the payload may have prefixes in any value. Raises EnvelopeRefused when something cannot be written
    so that the peer would accept it, SecurityFailed when suite, key and certificate do not fit, KeyUnusable when our
    key does not.
    """
    own_suite, their_suite = suite(signing_key.suite), suite(recipient_suite)
    own_suite.check_in_force(now)
    their_suite.check_in_force(now)
    attachments = attachments if attachments is not None and attachments.held else None
    parts = _Parts(
        exchange=render_exchange(header),
        timestamp=render_timestamp(now, now + timedelta(seconds=lifetime_s)),
        token=_token(signing_key.certificate),
        body=canonical_body(payload, names_in_values=names_in_values),
        personal_data=None if personal_data is None else render_personal_data(personal_data),
        confirmation=None if confirmation is None else templates.render_confirmation(confirmation),
        attachments=attachments,
        attachments_header=None if attachments is None else _attachments_header(attachments),
    )
    signed_info = templates.render_signed_info(own_suite.signature_algorithm, parts.references())
    value = signing_key.sign(signed_info)
    content_key = os.urandom(KEY_OCTETS) if attachments is None else attachments.content_key
    wrapped = their_suite.wrap(public_key(recipient), content_key)
    encrypted_key = templates.render_encrypted_key(recipient_suite, wrapped, ski(recipient), parts.data_ids())
    return SealedMessage(
        octets=_assemble(parts, templates.render_signature(signed_info, value), encrypted_key, content_key),
        header=header,
        signature_value=value,
        signed_digest=sha256(signed_info).digest(),
        content_key=content_key,
        attachments=attachments,
    )


def _attachments_header(attachments: HeldAttachments) -> bytes:
    return render_attachments(
        tuple(
            Described(content_id=said.content_id, media_type=said.media_type, size=said.size, name=said.name)
            for said in attachments.said
        )
    )


def _assemble(parts: _Parts, signature: bytes, encrypted_key: bytes, content_key: bytes) -> bytes:
    cipher = ContentCipher(content_key)
    ivs = _distinct_ivs(parts.attachments)
    pieces = [templates.ENVELOPE_START, parts.exchange]
    if parts.personal_data is not None:
        pieces += (_PERSONAL_DATA_START, b64encode(cipher.encrypt(ivs[0], parts.personal_data)), _PERSONAL_DATA_END)
    if parts.attachments_header is not None:
        octets = b64encode(cipher.encrypt(ivs[4], parts.attachments_header))
        pieces += (_ATTACHMENTS_START, octets, _PERSONAL_DATA_END)
    pieces += (templates.SECURITY_START, parts.token.octets, encrypted_key, parts.timestamp)
    if parts.confirmation is not None:
        confirmation = b64encode(cipher.encrypt(ivs[3], parts.confirmation))
        pieces += (_CONFIRMATION_START, confirmation, templates.ENCRYPTED_DATA_END)
    if parts.attachments is not None:
        said = enumerate(parts.attachments.said, 1)
        pieces += [templates.render_encrypted_attachment(at, one.content_id) for at, one in said]
    pieces += (
        _SIGNATURE_START,
        b64encode(cipher.encrypt(ivs[1], signature)),
        templates.ENCRYPTED_DATA_END,
        templates.SECURITY_END,
        _BODY_START,
        b64encode(cipher.encrypt(ivs[2], parts.body.content)),
        _BODY_END,
    )
    return b"".join(pieces)


def _distinct_ivs(attachments: HeldAttachments | None) -> list[bytes]:
    """Random IVs, never the same twice under one key (NIST SP 800-38D, 8.2.2): one for each part at most."""
    used = [] if attachments is None else [one.sealed.iv for one in attachments.held]
    while True:
        drawn = os.urandom(_MAX_ENCRYPTED * IV_OCTETS)
        ivs = [drawn[at : at + IV_OCTETS] for at in range(0, len(drawn), IV_OCTETS)]
        if len({*ivs, *used}) == _MAX_ENCRYPTED + len(used):
            return ivs


_MAX_ENCRYPTED: Final = 5
