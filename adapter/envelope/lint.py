"""Every problem of an envelope at once, each with its place and how to mend it, for an integrator's offline check.

The gate refuses at the first problem, as it should; whoever writes the other side wants to see all of them. So each
part is examined by itself, with the gate's own readers, and the gate has the last word. Nothing here makes a message
trusted: what passes is well made, no more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final

from lxml import etree

from adapter.attachments import Attachment
from adapter.envelope import lint_words as words
from adapter.envelope import names
from adapter.envelope.description import ServiceDescription
from adapter.envelope.gate import parse_message
from adapter.envelope.lint_call import examine_call
from adapter.envelope.lint_desk import Desk, sentence
from adapter.envelope.lint_peer import examine_peer_message
from adapter.envelope.lint_positions import UNKNOWN, Position, find_positions
from adapter.envelope.xml_encoding import as_utf8
from adapter.errors import AdapterError, EnvelopeRefused, Problem
from adapter.stages import GatedMessage, MessageKind, ParsedMessage, Peer, ReceivedMessage
from adapter.xmlsafe import XmlLimits

_PLACE: Final = re.compile(r"line (\d+), column (\d+)")
_PLACED: Final = (names.EXCHANGE, names.BINARY_SECURITY_TOKEN, names.SOAP12_BODY)


class DocumentKind(Enum):
    """What a document was taken for."""

    PEER_REQUEST = "request between adapters"
    PEER_REPLY = "reply between adapters"
    CLIENT_CALL = "call of a client system"
    UNKNOWN = "not a SOAP message"


@dataclass(frozen=True, kw_only=True, slots=True)
class Examination:
    """What was found. gated: set when the document is a peer's message that the gate lets pass.

    places: where the elements begin that later checks may have something to say of, by `{namespace}local`.
    """

    kind: DocumentKind
    problems: tuple[Problem, ...]
    remarks: tuple[str, ...] = ()
    gated: GatedMessage | None = None
    places: Mapping[str, Position] = field(default_factory=dict)


_MESSAGE_KINDS: Final = {
    DocumentKind.PEER_REQUEST: MessageKind.REQUEST,
    DocumentKind.PEER_REPLY: MessageKind.REPLY,
}


def examine(
    octets: bytes,
    limits: XmlLimits,
    *,
    now: datetime,
    description: ServiceDescription | None = None,
    attachments: tuple[Attachment, ...] = (),
) -> Examination:
    """Examine one document (untrusted octets of a file). description: of the service that a client calls, if known.

    attachments: the parts that came beside it.

    Never raises for what is in the document: every problem is in the examination.
    """
    try:
        parsed = _parsed(octets, limits, now)
    except AdapterError as refused:
        return _unreadable(refused)
    root = parsed.root
    desk = Desk(parsed=parsed, positions=find_positions(parsed.received.octets, root))
    kind = _kind_of(root)
    gated = None
    if kind in _MESSAGE_KINDS:
        if parsed.received.octets != octets:
            desk.note(root, words.WELL_FORMED, "A message between adapters must be in UTF-8")
        gated = examine_peer_message(desk, _MESSAGE_KINDS[kind])
        if gated is not None and attachments:
            _compare_parts(desk, gated, attachments)
    elif kind is DocumentKind.CLIENT_CALL:
        examine_call(desk, description, attachments)
    else:
        desk.note(root, words.SOAP, "The document's root element is not an Envelope of SOAP 1.1 or SOAP 1.2")
    return Examination(
        kind=kind,
        problems=tuple(sorted(desk.problems, key=lambda problem: (problem.line, problem.column))),
        remarks=tuple(desk.remarks),
        gated=gated,
        places={str(element.tag): desk.positions.of(element) for element in root.iter(*_PLACED)},
    )


def _compare_parts(desk: Desk, gated: GatedMessage, attachments: tuple[Attachment, ...]) -> None:
    """One EncryptedData for each part, and one part for each (SwA Profile 1.1, 5.5)."""
    came, named = {said.content_id for said in attachments}, set(gated.attachments)
    for content_id in sorted(came - named):
        desk.note(desk.root, words.ATTACHMENT, f"No EncryptedData names the part {content_id}")
    for content_id in sorted(named - came):
        desk.note(desk.root, words.ATTACHMENT, f"An EncryptedData names {content_id}, and there is no such part")
    desk.remarks.append("The octets of the attachments are encrypted and were not compared with the signature.")


def _parsed(octets: bytes, limits: XmlLimits, now: datetime) -> ParsedMessage:
    """The document in UTF-8, as a listener takes a client's. Raises EnvelopeRefused, LimitExceeded."""
    utf8 = as_utf8(octets, error=EnvelopeRefused)
    received = ReceivedMessage(octets=utf8, received_at=now, peer=Peer(certificate_sha256=None, address=""))
    return parse_message(received, limits)


def _unreadable(refused: AdapterError) -> Examination:
    rule = words.WELL_FORMED if isinstance(refused, EnvelopeRefused) else words.LIMITS
    found = _PLACE.search(refused.reason)
    line, column = (int(found[1]), int(found[2])) if found else UNKNOWN
    problem = Problem(line=line, column=column, element="", rule=rule, text=sentence(refused.reason))
    return Examination(kind=DocumentKind.UNKNOWN, problems=(problem,))


def unreadable_parts(refused: AdapterError) -> Examination:
    """Of a message whose parts could not be told apart."""
    line, column = UNKNOWN
    problem = Problem(line=line, column=column, element="", rule=words.MULTIPART, text=sentence(refused.reason))
    return Examination(kind=DocumentKind.UNKNOWN, problems=(problem,))


def _kind_of(root: etree._Element) -> DocumentKind:
    if root.tag not in (names.SOAP11_ENVELOPE, names.SOAP12_ENVELOPE):
        return DocumentKind.UNKNOWN
    ours = (names.EXCHANGE, names.ENCRYPTED_HEADER, names.SECURITY)
    if root.tag == names.SOAP11_ENVELOPE or not any(True for _ in root.iter(*ours)):
        return DocumentKind.CLIENT_CALL
    answers = next(root.iter(names.qname(names.ENVELOPE, "InReplyTo")), None)
    return DocumentKind.PEER_REQUEST if answers is None else DocumentKind.PEER_REPLY
