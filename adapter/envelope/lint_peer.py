"""A message between adapters, part by part with the gate's own readers; the gate has the last word."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from typing import Final, cast

from lxml import etree

from adapter.envelope import lint_words as words
from adapter.envelope import names
from adapter.envelope.gate import gate
from adapter.envelope.gate_attachments import is_attachment_data, read_attachment_data
from adapter.envelope.gate_encryption import read_encrypted_data, read_encrypted_key
from adapter.envelope.gate_security import read_token
from adapter.envelope.gate_structure import Ids, check_attributes, check_must_understand, children, only_child
from adapter.envelope.headers import read_exchange_header, read_timestamp
from adapter.envelope.lint_desk import Desk, envelope_parts, fits_contract, local_name, local_of
from adapter.errors import AdapterError, EnvelopeRefused
from adapter.stages import GatedMessage, MessageKind

_NO_LIMIT: Final = 1 << 62


def examine_peer_message(desk: Desk, kind: MessageKind) -> GatedMessage | None:
    """Note every problem; gives the gated message when there is none."""
    _note_comments(desk)
    header, body = envelope_parts(desk)
    if header is not None:
        _examine_headers(desk, header)
    _note_repeated_ids(desk)
    if body is not None:
        desk.attempt(
            body, words.BODY, lambda: _read_encrypted(only_child(body, names.ENCRYPTED_DATA), names.TYPE_CONTENT)
        )
    return _gate(desk, kind)


def _gate(desk: Desk, kind: MessageKind) -> GatedMessage | None:
    """The gate's verdict on a message that has no problem so far."""
    if desk.problems:
        return None
    try:
        return gate(desk.parsed, kind)
    except AdapterError as refused:
        desk.note(desk.root, words.PROFILE, refused.reason)
    return None


def _note_comments(desk: Desk) -> None:
    """Note comments and processing instructions, and take them out: the gate's readers expect none."""
    for found in desk.root.iter(etree.Comment, etree.ProcessingInstruction):
        line = cast("int | None", found.sourceline) or 0
        desk.note(None, words.COMMENT, "A comment or processing instruction is not allowed here", place=(line, 0))
    etree.strip_tags(desk.root, etree.Comment, etree.ProcessingInstruction)


def _note_repeated_ids(desk: Desk) -> None:
    seen: set[str] = set()
    for element in desk.root.iter(etree.Element):
        for value in filter(None, (element.get(names.WSU_ID), element.get("Id"))):
            if value in seen:
                desk.note(element, words.IDS, f"The id of {local_name(element)} occurs twice in the message")
            seen.add(value)


def _examine_headers(desk: Desk, header: etree._Element) -> None:
    """How many headers may be encrypted depends on the kind and on the attachments: the gate says so."""
    needed = {names.EXCHANGE, names.SECURITY}
    counted = Counter(str(block.tag) for block in header.iterchildren(etree.Element))
    for missing in sorted(needed - counted.keys()):
        desk.note(header, words.HEADER, f"The header {local_of(missing)} is missing")
    for block in header.iterchildren(etree.Element):
        tag = str(block.tag)
        if tag not in _HEADER_EXAMINERS:
            desk.note(block, words.HEADER, f"The header {local_name(block)} has no place in this kind of message")
        elif tag in needed and counted[tag] > 1:
            desk.note(block, words.HEADER, f"The header {local_name(block)} occurs {counted[tag]} times")
        else:
            _HEADER_EXAMINERS[tag](desk, block)


def _examine_exchange(desk: Desk, block: etree._Element) -> None:
    if fits_contract(desk, block, "xsd/envelope.xsd"):
        desk.attempt(block, words.EXCHANGE, lambda: read_exchange_header(block))


def _examine_encrypted_header(desk: Desk, block: etree._Element) -> None:
    def read() -> None:
        check_must_understand(block)
        _read_encrypted(only_child(block, names.ENCRYPTED_DATA), names.TYPE_ELEMENT)

    desk.attempt(block, words.ENCRYPTED_HEADER, read)


def _examine_security(desk: Desk, block: etree._Element) -> None:
    desk.attempt(block, words.SECURITY, lambda: _check_security_itself(block))
    for part in block.iterchildren(etree.Element):
        if is_attachment_data(part):
            desk.attempt(part, words.ATTACHMENT, functools.partial(read_attachment_data, [part], Ids()))
            continue
        found = _SECURITY_READERS.get(str(part.tag))
        if part.tag == names.SIGNATURE_CONFIRMATION:
            desk.note(part, words.CONFIRMATION, "SignatureConfirmation must be encrypted")
            continue
        if found is None:
            desk.note(part, words.SECURITY, f"Security may not hold {local_name(part)}")
            continue
        rule, read = found
        desk.attempt(part, rule, functools.partial(read, part))
    present = {str(part.tag) for part in block.iterchildren(etree.Element)}
    for missing in sorted(_SECURITY_READERS.keys() - present):
        desk.note(block, words.SECURITY, f"Security lacks {local_of(missing)}")


def _check_security_itself(block: etree._Element) -> None:
    check_attributes(block, frozenset((names.SOAP12_MUST_UNDERSTAND,)))
    check_must_understand(block)
    children(block)


def _read_token_part(part: etree._Element) -> None:
    """WSS X.509 Certificate Token Profile 1.1, 3.1."""
    check_attributes(part, frozenset((names.WSU_ID, "ValueType", "EncodingType")))
    for attribute, wanted in (("ValueType", names.X509_V3), ("EncodingType", names.BASE64_BINARY)):
        if part.get(attribute) != wanted:
            raise EnvelopeRefused(f"the {attribute} of BinarySecurityToken must be {wanted}")
    read_token(part)


def _read_encrypted(data: etree._Element, content_type: str) -> object:
    return read_encrypted_data(data, content_type=content_type, ids=Ids(), max_chars=_NO_LIMIT)


_HEADER_EXAMINERS: Final = {
    names.EXCHANGE: _examine_exchange,
    names.ENCRYPTED_HEADER: _examine_encrypted_header,
    names.SECURITY: _examine_security,
}
_SECURITY_READERS: Final[dict[str, tuple[str, Callable[[etree._Element], object]]]] = {
    names.BINARY_SECURITY_TOKEN: (words.TOKEN, _read_token_part),
    names.TIMESTAMP: (words.TIMESTAMP, read_timestamp),
    names.ENCRYPTED_KEY: (words.ENCRYPTED_KEY, lambda part: read_encrypted_key(part, Ids())),
    names.ENCRYPTED_DATA: (words.ENCRYPTED_SIGNATURE, lambda part: _read_encrypted(part, names.TYPE_ELEMENT)),
}
