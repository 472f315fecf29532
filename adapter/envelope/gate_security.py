"""The gate's part on the one wsse:Security header (WSS 1.1 SOAP Message Security)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.gate_attachments import EncryptedAttachment, is_attachment_data, read_attachment_data
from adapter.envelope.gate_encryption import (
    EncryptedDataElement,
    EncryptedKeyElement,
    read_encrypted_data,
    read_encrypted_key,
)
from adapter.envelope.gate_structure import (
    Ids,
    attribute,
    check_attributes,
    check_empty,
    check_must_understand,
    children,
    leaf_octets,
    refuse,
)
from adapter.envelope.instants import read_timestamp
from adapter.errors import EnvelopeRefused
from adapter.stages import MessageKind
from adapter.xmlsafe import decode_base64

_MUST_UNDERSTAND: Final = frozenset((names.SOAP12_MUST_UNDERSTAND,))
_TOKEN_ATTRIBUTES: Final = frozenset((names.WSU_ID, "ValueType", "EncodingType"))
_CONFIRMATION_ATTRIBUTES: Final = frozenset((names.WSU_ID, "Value"))
MAX_CERTIFICATE_CHARS: Final = 16 * 1024
MAX_SIGNATURE_CHARS: Final = 64 * 1024
MAX_CONFIRMATION_CHARS: Final = 2048

_ONCE: Final = frozenset((names.BINARY_SECURITY_TOKEN, names.ENCRYPTED_KEY, names.TIMESTAMP))
# What is encrypted: in a request the signature; in a reply the SignatureConfirmation before it (WS-SecurityPolicy 1.3,
# 6.4: whoever could read it could try on it what the request said; see docs/decisions).
_ENCRYPTED: Final = {MessageKind.REQUEST: 1, MessageKind.REPLY: 2}


@dataclass(frozen=True, kw_only=True, slots=True)
class SecurityHeader:
    """The gated parts of wsse:Security."""

    token: etree._Element
    certificate: bytes
    timestamp: etree._Element
    created: datetime
    expires: datetime
    key: EncryptedKeyElement
    confirmation: EncryptedDataElement | None
    signature: EncryptedDataElement
    attachments: tuple[EncryptedAttachment, ...]


def read_security(element: etree._Element, kind: MessageKind, ids: Ids) -> SecurityHeader:
    """Exactly one of each part, and what is used before what uses it (the layout that WS-SecurityPolicy calls Strict).

    Raises EnvelopeRefused.
    """
    check_attributes(element, _MUST_UNDERSTAND)
    check_must_understand(element)
    found = children(element)
    attached = [child for child in found if is_attachment_data(child)]
    if attached:
        _check_key_first(found, attached[0])
        found = [child for child in found if not is_attachment_data(child)]
    parts = {child.tag: child for child in found if child.tag != names.ENCRYPTED_DATA}
    encrypted = [child for child in found if child.tag == names.ENCRYPTED_DATA]
    if len(parts) + len(encrypted) != len(found) or parts.keys() != _ONCE or len(encrypted) != _ENCRYPTED[kind]:
        wanted = ", ".join(sorted(name.rpartition("}")[2] for name in _ONCE))
        refuse(f"Security must have each of these once, and what is encrypted, and nothing else: {wanted}")
    order = [child.tag for child in found]
    first_encrypted = order.index(names.ENCRYPTED_DATA)
    if max(order.index(names.BINARY_SECURITY_TOKEN), order.index(names.ENCRYPTED_KEY)) > first_encrypted:
        refuse("the token and the EncryptedKey must stand before what is encrypted")
    certificate = _read_own_token(parts[names.BINARY_SECURITY_TOKEN], ids)
    created, expires = _read_own_timestamp(parts[names.TIMESTAMP], ids)
    return SecurityHeader(
        token=parts[names.BINARY_SECURITY_TOKEN],
        certificate=certificate,
        timestamp=parts[names.TIMESTAMP],
        created=created,
        expires=expires,
        key=read_encrypted_key(parts[names.ENCRYPTED_KEY], ids),
        confirmation=_read_encrypted(encrypted[0], ids) if kind is MessageKind.REPLY else None,
        signature=_read_encrypted(encrypted[-1], ids),
        attachments=read_attachment_data(attached, ids),
    )


def _read_encrypted(element: etree._Element, ids: Ids) -> EncryptedDataElement:
    return read_encrypted_data(element, content_type=names.TYPE_ELEMENT, ids=ids, max_chars=MAX_SIGNATURE_CHARS)


def _check_key_first(found: list[etree._Element], first_attachment: etree._Element) -> None:
    before = found[: found.index(first_attachment)]
    if names.ENCRYPTED_KEY not in [child.tag for child in before]:
        refuse("the EncryptedKey must stand before the EncryptedData of an attachment")


def _read_own_token(element: etree._Element, ids: Ids) -> bytes:
    """WSS X.509 Certificate Token Profile 1.1, 3.1: one X.509 v3 certificate, base64."""
    check_attributes(element, _TOKEN_ATTRIBUTES)
    ids.add(attribute(element, names.WSU_ID))
    if attribute(element, "ValueType") != names.X509_V3 or attribute(element, "EncodingType") != names.BASE64_BINARY:
        refuse("BinarySecurityToken must be one X.509 v3 certificate in Base64Binary")
    return read_token(element)


def _read_own_timestamp(element: etree._Element, ids: Ids) -> tuple[datetime, datetime]:
    ids.add(attribute(element, names.WSU_ID))
    return read_timestamp(element)


def read_token(element: etree._Element) -> bytes:
    """The octets of a gated BinarySecurityToken: claimed to be a DER certificate. Raises EnvelopeRefused."""
    return leaf_octets(element, max_chars=MAX_CERTIFICATE_CHARS)


def read_confirmation(element: etree._Element) -> bytes:
    """The signature value that a decrypted SignatureConfirmation repeats (WSS 1.1 SOAP Message Security, 8.5).

    Raises EnvelopeRefused.
    """
    if element.tag != names.SIGNATURE_CONFIRMATION:
        refuse("something else where the SignatureConfirmation must be")
    check_attributes(element, _CONFIRMATION_ATTRIBUTES)
    check_empty(element)
    value = decode_base64(attribute(element, "Value"), max_chars=MAX_CONFIRMATION_CHARS, error=EnvelopeRefused)
    if not value:
        refuse("SignatureConfirmation without a value")
    return value
