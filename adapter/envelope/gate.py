"""The structure gate: what does not have exactly the profile's structure is refused before any cryptography.

Nothing here trusts a value; the gate makes sure that there is one thing, in one place, of one kind, to be decrypted
and verified. WSS 1.1 SOAP Message Security; SOAP 1.2 Part 1; XML Encryption 1.1. See docs/envelope.md for the profile.
"""

from __future__ import annotations

import sys
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.gate_attachments import EncryptedAttachment
from adapter.envelope.gate_encryption import EncryptedDataElement, read_encrypted_data
from adapter.envelope.gate_security import SecurityHeader, read_security
from adapter.envelope.gate_structure import (
    Ids,
    attribute,
    check_attributes,
    check_must_understand,
    children,
    only_child,
    refuse,
)
from adapter.envelope.headers import read_exchange_header
from adapter.envelope.surroundings import end_tag, start_tag
from adapter.envelope.wire_limits import wire_limits
from adapter.errors import EnvelopeRefused, HeaderNotUnderstood
from adapter.stages import (
    ExchangeHeader,
    GatedMessage,
    MessageKind,
    ParsedMessage,
    ReceivedMessage,
    SignedPart,
    Surroundings,
)
from adapter.xmlsafe import XmlLimits, parse, refuse_comments

_BLOCK_ATTRIBUTES: Final = frozenset((names.WSU_ID, names.SOAP12_MUST_UNDERSTAND))
_ID_ONLY: Final = frozenset((names.WSU_ID,))
MAX_HEADER_CHARS: Final = 512 * 1024


def parse_message(received: ReceivedMessage, limits: XmlLimits) -> ParsedMessage:
    """Untrusted octets to a tree. Raises EnvelopeRefused (not well-formed, DOCTYPE, not UTF-8), LimitExceeded."""
    return ParsedMessage(received=received, root=parse(received.octets, wire_limits(limits), error=EnvelopeRefused))


def gate(parsed: ParsedMessage, kind: MessageKind) -> GatedMessage:
    """Accept exactly the structure of the profile for this kind of message. Nothing is decrypted or verified.

    Raises EnvelopeRefused with the precise reason; HeaderNotUnderstood for a foreign header that must be understood.
    """
    root = parsed.root
    refuse_comments(root, error=EnvelopeRefused)
    if root.getprevious() is not None or root.getnext() is not None:
        refuse("comments and processing instructions are not allowed beside the Envelope")
    header, body = _envelope(root)
    blocks, encrypted_headers = _header_blocks(header, kind)
    ids = Ids()
    exchange = blocks[names.EXCHANGE]
    ids.add(attribute(exchange, names.WSU_ID))
    claimed_header = read_exchange_header(exchange)
    check_kind(claimed_header, kind)
    security = read_security(blocks[names.SECURITY], kind, ids)
    personal_header, attachments_header = _which_is_which(encrypted_headers, kind, security.attachments)
    personal_data = None if personal_header is None else _encrypted_header(personal_header, ids)
    attachments = None if attachments_header is None else _encrypted_header(attachments_header, ids)
    encrypted_body = _body(body, ids)
    named = (personal_data, attachments, security.confirmation, security.signature, encrypted_body)
    opened = [data for data in named if data is not None]
    _check_encrypted(security, opened)
    return GatedMessage(
        received=parsed.received,
        kind=kind,
        is_canonical=False,
        claimed_header=claimed_header,
        created=security.created,
        expires=security.expires,
        certificate=security.certificate,
        exchange=_part(exchange),
        timestamp=_part(security.timestamp),
        token=_part(security.token),
        surroundings=Surroundings(
            personal_data={} if personal_header is None else personal_header.nsmap,
            signature=blocks[names.SECURITY].nsmap,
            body_start=start_tag(body),
            body_end=end_tag(body),
            attachments={} if attachments_header is None else attachments_header.nsmap,
        ),
        encrypted_key=security.key.info,
        encrypted_personal_data=None if personal_data is None else personal_data.octets,
        encrypted_confirmation=None if security.confirmation is None else security.confirmation.octets,
        encrypted_signature=security.signature.octets,
        encrypted_body=encrypted_body.octets,
        ids=frozenset(ids.seen),
        encrypted_attachments=None if attachments is None else attachments.octets,
        attachments=tuple(attachment.content_id for attachment in security.attachments),
    )


def _part(element: etree._Element) -> SignedPart:
    return SignedPart(id=attribute(element, names.WSU_ID), element=element)


def _envelope(root: etree._Element) -> tuple[etree._Element, etree._Element]:
    """SOAP 1.2 Part 1, 5.1: Envelope with exactly Header and Body, none of them with an attribute but Body's id."""
    if root.tag != names.SOAP12_ENVELOPE:
        refuse("the root element is not a SOAP 1.2 Envelope")
    check_attributes(root)
    found = children(root)
    if [child.tag for child in found] != [names.SOAP12_HEADER, names.SOAP12_BODY]:
        refuse("Envelope must have exactly one Header and one Body of SOAP 1.2")
    header, body = found
    check_attributes(header)
    return header, body


def _header_blocks(header: etree._Element, kind: MessageKind) -> tuple[dict[str, etree._Element], list[etree._Element]]:
    """Each known block once; any other header is refused. What is encrypted is listed as it stands."""
    known = _BLOCKS[kind]
    blocks: dict[str, etree._Element] = {}
    encrypted: list[etree._Element] = []
    for block in children(header):
        if block.tag == names.ENCRYPTED_HEADER:
            encrypted.append(block)
            continue
        if block.tag not in known:
            _refuse_header(block)
        if block.tag in blocks:
            refuse(f"the header {block.tag} occurs twice")
        blocks[block.tag] = block
    for name in known:
        if name not in blocks:
            refuse(f"the header {name} is missing")
    return blocks, encrypted


_BLOCKS: Final = dict.fromkeys(MessageKind, (names.EXCHANGE, names.SECURITY))


def _which_is_which(
    encrypted: list[etree._Element], kind: MessageKind, attachments: tuple[EncryptedAttachment, ...]
) -> tuple[etree._Element | None, etree._Element | None]:
    """PersonalData (in a request, at most one), then Attachments (exactly when there are any)."""
    described = None
    if attachments:
        if not encrypted:
            refuse("a message with attachments lacks the encrypted header that describes them")
        described = encrypted.pop()
    if len(encrypted) > (kind is MessageKind.REQUEST):
        refuse("an encrypted header that has no place in this kind of message")
    return (encrypted[0] if encrypted else None), described


def _refuse_header(block: etree._Element) -> None:
    """SOAP 1.2 Part 1, 2.4: not understood. What is not marked is refused too: it might mean something to somebody."""
    if block.get(names.SOAP12_MUST_UNDERSTAND, "").strip() in ("true", "1"):
        raise HeaderNotUnderstood("a header of the peer's message is marked mustUnderstand and unknown")
    refuse("a header that has no place in this kind of message")


def check_kind(header: ExchangeHeader, kind: MessageKind) -> None:
    """A reply says what it answers, a request does not. Raises EnvelopeRefused."""
    if kind is MessageKind.REPLY and header.in_reply_to is None:
        refuse("a reply must say which message it answers")
    if kind is MessageKind.REQUEST and (header.in_reply_to is not None or header.record_number is not None):
        refuse("a request has neither InReplyTo nor RecordNumber")


def _encrypted_header(element: etree._Element, ids: Ids) -> EncryptedDataElement:
    """WSS 1.1 SOAP Message Security, 9.3: the header block as one EncryptedData."""
    check_attributes(element, _BLOCK_ATTRIBUTES)
    check_must_understand(element)
    ids.add(attribute(element, names.WSU_ID))
    data = only_child(element, names.ENCRYPTED_DATA)
    return read_encrypted_data(data, content_type=names.TYPE_ELEMENT, ids=ids, max_chars=MAX_HEADER_CHARS)


def _body(body: etree._Element, ids: Ids) -> EncryptedDataElement:
    """Body has its id and one EncryptedData; how long it may be was decided when the message was parsed."""
    check_attributes(body, _ID_ONLY)
    ids.add(attribute(body, names.WSU_ID))
    data = only_child(body, names.ENCRYPTED_DATA)
    return read_encrypted_data(data, content_type=names.TYPE_CONTENT, ids=ids, max_chars=_NO_OWN_LIMIT)


_NO_OWN_LIMIT: Final = sys.maxsize


def _check_encrypted(security: SecurityHeader, opened: list[EncryptedDataElement]) -> None:
    """One key for everything that is encrypted, and for nothing else; no IV twice under it (NIST SP 800-38D, 8)."""
    everything: list[EncryptedDataElement | EncryptedAttachment] = [*opened, *security.attachments]
    wanted = {data.id for data in everything}
    if len(security.key.references) != len(wanted) or set(security.key.references) != wanted:
        refuse("ReferenceList must name each EncryptedData of the message exactly once")
    if any(data.key_id is not None and data.key_id != security.key.id for data in everything):
        refuse("EncryptedData names another key than the EncryptedKey of the message")
    if len({data.octets[:12] for data in opened}) != len(opened):
        refuse("an IV occurs twice")
