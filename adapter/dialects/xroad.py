"""X-Road message protocol 4.0 as a dialect: SOAP 1.1 with header fields that say who asks whom (PR-MESS)."""

from __future__ import annotations

import hashlib
import re
import uuid
from copy import deepcopy
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from lxml import etree

from adapter.attachments import HeldAttachments
from adapter.dialects.model import AnswerForm, ClientAnswer
from adapter.dialects.packed import packed_reply
from adapter.envelope.carried import ACCEPTED, Content, unwrap, wrap
from adapter.envelope.description import ServiceDescription
from adapter.envelope.faults import PublicFault
from adapter.envelope.names import CLIENT as CONTEXT
from adapter.envelope.names import REQUEST_CONTEXT, qname
from adapter.envelope.soap import (
    ClientEnvelope,
    content_type_of,
    find_context,
    find_declared,
    read_envelope,
    render_answer,
    render_content,
)
from adapter.envelope.xroad import FIELDS, XRoadHeaders, read_headers, render_request_hash, repeat_headers
from adapter.envelope.xroad_faults import render_xroad_fault
from adapter.errors import InvalidIdentifier, NotSoap, Problem, XRoadHeaderInvalid
from adapter.identifiers import MessageId, OfficialId, SubsystemId
from adapter.stages import IdentifiedCall, Packaging, ParsedCall, SoapVersion
from adapter.xmlsafe import XmlLimits

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True, slots=True)
class XRoadForm:
    """A SOAP 1.1 answer. header: what stands in its Header, known once the request was read."""

    header: bytes = b""

    @property
    def takes_attachments(self) -> bool:
        """SOAP with Attachments and MTOM (PR-MESS 2.4)."""
        return True

    def reply(self, payload: etree._Element) -> ClientAnswer:
        """The payload below the request's header fields and the requestHash, before headers that the service declares.

        Every prefix in scope is written, for what is used in values only. To a one-way request there is no envelope.
        """
        if payload.tag == ACCEPTED:
            return ClientAnswer(
                octets=b"", content_type=content_type_of(SoapVersion.SOAP11), status=HTTPStatus.ACCEPTED
            )
        return self._whole(render_content(SoapVersion.SOAP11, unwrap(payload), self.header))

    def reply_with_attachments(
        self, payload: etree._Element, attachments: HeldAttachments, packaging: Packaging
    ) -> ClientAnswer:
        """The same with attachments. Raises PeerAnswerInvalid."""
        return packed_reply(self, payload, attachments, packaging=packaging, version=SoapVersion.SOAP11)

    def fault(self, fault: PublicFault) -> ClientAnswer:
        """A fault without header fields, which it may do without (PR-MESS 2.5); status 500 (SOAP 1.1, 6.2)."""
        return ClientAnswer(
            octets=render_answer(SoapVersion.SOAP11, render_xroad_fault(fault)),
            content_type=content_type_of(SoapVersion.SOAP11),
            status=HTTPStatus.INTERNAL_SERVER_ERROR,
        )

    def answer(self, content: bytes) -> ClientAnswer:
        """The octets of one element below the header fields."""
        return self._whole(render_answer(SoapVersion.SOAP11, content, self.header))

    def _whole(self, octets: bytes) -> ClientAnswer:
        return ClientAnswer(octets=octets, content_type=content_type_of(SoapVersion.SOAP11))


@dataclass(frozen=True, kw_only=True, slots=True)
class XRoadMessage:
    """A client system's message, read and nothing more: every field is a claim."""

    envelope: ClientEnvelope
    headers: XRoadHeaders
    form: XRoadForm

    @property
    def payload(self) -> etree._Element:
        """The Body's element."""
        return self.envelope.payload


def read_message(octets: bytes, content_type: str, limits: XmlLimits) -> XRoadMessage:
    """A client system's octets (untrusted) as an X-Road message.

    Raises what envelope.soap.read_envelope raises, NotSoap for SOAP 1.2, XRoadHeaderInvalid, InvalidIdentifier.
    """
    envelope = read_envelope(octets, content_type, limits)
    if envelope.version is not SoapVersion.SOAP11:
        raise NotSoap("the X-Road message protocol is a profile of SOAP 1.1 (PR-MESS 1)")
    headers = read_headers(envelope.header)
    form = XRoadForm(header=repeat_headers(headers) + render_request_hash(octets))
    return XRoadMessage(envelope=envelope, headers=headers, form=form)


@dataclass(frozen=True, kw_only=True, slots=True)
class XRoadDialect:
    """Of one message whose header fields were read.

    operation: the one that serviceCode means; None when it means a service with whichever operation the Body has.
    message_id: made of the client's own id (message_id_of); None when a repeated id shall be a new exchange.
    """

    message: XRoadMessage
    operation: str | None
    message_id: MessageId | None

    @property
    def form(self) -> AnswerForm:
        """An answer with the header fields."""
        return self.message.form

    def read(
        self,
        identified: IdentifiedCall,
        description: ServiceDescription,
        limits: XmlLimits,  # noqa: ARG002  the octets were read within the same ones
    ) -> tuple[ParsedCall, AnswerForm]:
        """The Body must be what serviceCode means (PR-MESS 2.3). Headers that the service declares go along.

        Raises UnknownOperation, NotSoap, HeaderNotUnderstood, XRoadHeaderInvalid, InvalidIdentifier, LimitExceeded.
        """
        envelope = self.message.envelope
        element = str(envelope.payload.tag)
        operation = (
            description.operation_for(element, identified.received.soap_action)
            if self.operation is None
            else description.operation(self.operation, element)
        )
        declared = operation.carried_headers(in_output=False)
        context = find_context(envelope, declared.keys() | FIELDS)
        call = ParsedCall(
            identified=identified,
            context=_context(self.message.headers, context),
            payload=wrap(Content(body=envelope.payload, headers=find_declared(envelope, declared))),
            operation=operation.name,
            message_id=self.message_id,
            client_message_id=self.message.headers.id,
        )
        return call, self.message.form


def message_id_of(client: SubsystemId, client_id: str) -> MessageId:
    """The id under which a client's message goes out: the same whenever the same client system uses the same id.

    A UUID, which the protocol recommends (PR-MESS 2.2), stays visible; everything else becomes a UUID of version 8
    (RFC 9562, 5.8) from the SHA-256 of client and id. So a message that is sent twice runs at most once.
    """
    if _UUID.fullmatch(client_id):
        return MessageId(f"urn:uuid:{client_id}")
    digest = bytearray(hashlib.sha256(f"{client}\n{client_id}".encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return MessageId(f"urn:uuid:{uuid.UUID(bytes=bytes(digest))}")


def _context(headers: XRoadHeaders, sent: etree._Element | None) -> etree._Element:
    """The RequestContext that the header fields stand for, with what the client says beyond them in one of its own."""
    context = etree.Element(REQUEST_CONTEXT) if sent is None else deepcopy(sent)
    if headers.user_id is not None:
        context.insert(0, _said(context, "Official", "userId", _official(headers.user_id)))
    emergency = context.find(qname(CONTEXT, "Emergency"))  # the last one in the order of the schema
    if emergency is not None:
        context.remove(emergency)
    if headers.issue is not None:
        context.append(_said(context, "Issue", "issue", headers.issue))
    party = headers.represented_party
    if party is not None:
        element = _said(context, "RepresentedParty", "representedParty", party.code)
        if party.party_class is not None:
            element.set("class", party.party_class)
        context.append(element)
    if emergency is not None:
        context.append(emergency)
    return context


def _said(context: etree._Element, name: str, header: str, text: str) -> etree._Element:
    element = etree.Element(qname(CONTEXT, name))
    if context.find(element.tag) is not None:
        text = f"{header} and {name} of RequestContext say the same thing: send one of the two"
        raise XRoadHeaderInvalid(text, problems=(_problem(header, text),))
    element.text = text
    return element


def _official(user_id: str) -> str:
    try:
        return str(OfficialId(user_id))
    except InvalidIdentifier as cause:
        raise InvalidIdentifier(cause.reason, problems=(_problem("userId", cause.reason),)) from None


def _problem(element: str, text: str) -> Problem:
    return Problem(line=0, column=0, element=element, rule="PR-MESS 2.2", text=f"{text}.")
