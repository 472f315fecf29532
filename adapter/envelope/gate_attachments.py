"""The gate's part on attachments: one EncryptedData and one part for each, nothing more (SwA Profile 1.1, 5.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from lxml import etree

from adapter.attachments import MAX_ATTACHMENTS
from adapter.envelope import names
from adapter.envelope.gate_encryption import CIPHER_DATA, read_key_reference
from adapter.envelope.gate_structure import (
    Ids,
    attribute,
    check_algorithm,
    check_attributes,
    children,
    only_child,
    refuse,
)
from adapter.envelope.names import qname
from adapter.errors import LimitExceeded
from adapter.stages import GatedMessage

_CIPHER_REFERENCE: Final = qname(names.XENC, "CipherReference")
_TRANSFORMS: Final = qname(names.XENC, "Transforms")
_TRANSFORM: Final = qname(names.DS, "Transform")
_ID_TYPE: Final = frozenset(("Id", "Type"))
_MIME_TYPE: Final = frozenset(("MimeType",))
_URI: Final = frozenset(("URI",))
_CONTENT_ID: Final = re.compile(r"[!#-;=?-\[\]-~]{1,256}")
_IV_OCTETS: Final = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class EncryptedAttachment:
    """A gated EncryptedData of an attachment. key_id: the EncryptedKey it names, if it does."""

    id: str
    content_id: str
    key_id: str | None


def is_attachment_data(element: etree._Element) -> bool:
    """Whether this child of wsse:Security says that it is about an attachment."""
    return element.tag == names.ENCRYPTED_DATA and element.get("Type") == names.SWA_CONTENT_ONLY


def read_attachment_data(elements: list[etree._Element], ids: Ids) -> tuple[EncryptedAttachment, ...]:
    """Each about an attachment of its own. Raises EnvelopeRefused, LimitExceeded."""
    if len(elements) > MAX_ATTACHMENTS:
        raise LimitExceeded(f"more than {MAX_ATTACHMENTS} attachments")
    found = tuple(_read(element, ids) for element in elements)
    if len({attachment.content_id for attachment in found}) != len(found):
        refuse("two EncryptedData of one attachment")
    return found


def _read(element: etree._Element, ids: Ids) -> EncryptedAttachment:
    """AES-128-GCM, the ciphertext by reference to the part, only the content encrypted (SwA Profile 1.1, 5.5.2)."""
    check_attributes(element, _ID_TYPE, _MIME_TYPE)
    data_id = ids.add(attribute(element, "Id"))
    found = children(element)
    key_id = None
    if len(found) == 3 and found[1].tag == names.KEY_INFO:
        key_id = read_key_reference(found.pop(1), ids)
    if [child.tag for child in found] != [names.ENCRYPTION_METHOD, CIPHER_DATA]:
        refuse("EncryptedData must have EncryptionMethod and CipherData")
    check_algorithm(found[0], names.AES128_GCM)
    check_attributes(found[1])
    reference = only_child(found[1], _CIPHER_REFERENCE)
    check_attributes(reference, _URI)
    transforms = only_child(reference, _TRANSFORMS)
    check_attributes(transforms)
    check_algorithm(only_child(transforms, _TRANSFORM), names.SWA_CIPHERTEXT_TRANSFORM)
    return EncryptedAttachment(id=data_id, content_id=read_cid(attribute(reference, "URI")), key_id=key_id)


def read_cid(uri: str) -> str:
    """The content id in the `cid:` URI of an attachment (RFC 2392). Any other URI is refused and never opened.

    What is percent-encoded and no UTF-8 is read as U+FFFD, which no content id may have.
    """
    content_id = unquote(uri[4:], errors="replace") if uri.startswith("cid:") and uri.isascii() else ""
    if not _CONTENT_ID.fullmatch(content_id):
        refuse("a reference to an attachment that is not a cid: URI")
    return content_id


def check_parts(gated: GatedMessage) -> None:
    """Every part that came is named by exactly one EncryptedData, and every one that is named came; no IV twice.

    Raises EnvelopeRefused.
    """
    parts = gated.received.parts
    came = [part.content_id for part in parts]
    if len(set(came)) != len(came):
        refuse("two parts with one Content-ID")
    if set(came) != set(gated.attachments):
        refuse("the parts of the message are not those that its EncryptedData name")
    ciphers = (
        gated.encrypted_personal_data,
        gated.encrypted_attachments,
        gated.encrypted_confirmation,
        gated.encrypted_signature,
        gated.encrypted_body,
    )
    ivs = [octets[:_IV_OCTETS] for octets in ciphers if octets is not None] + [part.sealed.iv for part in parts]
    if len(set(ivs)) != len(ivs):
        refuse("an IV occurs twice")


def names_attachments(octets: bytes) -> bool:
    """Whether an envelope that we sealed has attachments, which are not kept with it."""
    return _CONTENT_ONLY in octets


_CONTENT_ONLY: Final = f'Type="{names.SWA_CONTENT_ONLY}"'.encode()
