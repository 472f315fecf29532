"""The gate's part on the one wsse:Security header (WSS 1.1 SOAP Message Security)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from adapter.envelope import names
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

# What a reply has beside what both kinds have.
_REQUEST_PARTS: Final = frozenset(
    (names.BINARY_SECURITY_TOKEN, names.ENCRYPTED_KEY, names.TIMESTAMP, names.ENCRYPTED_DATA)
)
_PARTS: Final = {
    MessageKind.REQUEST: _REQUEST_PARTS,
    MessageKind.REPLY: _REQUEST_PARTS | {names.SIGNATURE_CONFIRMATION},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SecurityHeader:
    """The gated parts of wsse:Security."""

    token: etree._Element
    certificate: bytes
    timestamp: etree._Element
    created: datetime
    expires: datetime
    confirmation: etree._Element | None
    confirmation_value: bytes | None
    key: EncryptedKeyElement
    signature: EncryptedDataElement


def read_security(element: etree._Element, kind: MessageKind, ids: Ids) -> SecurityHeader:
    """Exactly one of each part, and what is used before what uses it (the layout that WS-SecurityPolicy calls Strict).

    Raises EnvelopeRefused.
    """
    check_attributes(element, _MUST_UNDERSTAND)
    check_must_understand(element)
    found = children(element)
    parts = {child.tag: child for child in found}
    if len(parts) != len(found) or parts.keys() != _PARTS[kind]:
        wanted = ", ".join(sorted(name.rpartition("}")[2] for name in _PARTS[kind]))
        refuse(f"Security must have each of these once and nothing else: {wanted}")
    order = [child.tag for child in found]
    signature_at = order.index(names.ENCRYPTED_DATA)
    if max(order.index(names.BINARY_SECURITY_TOKEN), order.index(names.ENCRYPTED_KEY)) > signature_at:
        refuse("the token and the EncryptedKey must stand before the encrypted signature")
    certificate = _read_own_token(parts[names.BINARY_SECURITY_TOKEN], ids)
    created, expires = _read_own_timestamp(parts[names.TIMESTAMP], ids)
    confirmation = parts.get(names.SIGNATURE_CONFIRMATION)
    confirmation_value = None
    if confirmation is not None:
        ids.add(attribute(confirmation, names.WSU_ID))
        confirmation_value = read_confirmation(confirmation)
    return SecurityHeader(
        token=parts[names.BINARY_SECURITY_TOKEN],
        certificate=certificate,
        timestamp=parts[names.TIMESTAMP],
        created=created,
        expires=expires,
        confirmation=confirmation,
        confirmation_value=confirmation_value,
        key=read_encrypted_key(parts[names.ENCRYPTED_KEY], ids),
        signature=read_encrypted_data(
            parts[names.ENCRYPTED_DATA], content_type=names.TYPE_ELEMENT, ids=ids, max_chars=MAX_SIGNATURE_CHARS
        ),
    )


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
    """The signature value that a SignatureConfirmation repeats (WSS 1.1 SOAP Message Security, 8.5).

    Raises EnvelopeRefused.
    """
    check_attributes(element, _CONFIRMATION_ATTRIBUTES)
    check_empty(element)
    value = decode_base64(attribute(element, "Value"), max_chars=MAX_CONFIRMATION_CHARS, error=EnvelopeRefused)
    if not value:
        refuse("SignatureConfirmation without a value")
    return value
