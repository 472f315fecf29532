"""Plain SOAP 1.1 and 1.2 as a dialect: the call is an envelope, the answer is one of the same version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from lxml import etree

from adapter.attachments import HeldAttachments
from adapter.dialects.model import AnswerForm, ClientAnswer
from adapter.dialects.packed import packed_reply
from adapter.envelope.carried import ACCEPTED, PARTS, Content, unwrap, wrap
from adapter.envelope.description import ServiceDescription
from adapter.envelope.faults import PublicFault, render_fault
from adapter.envelope.names import XSI
from adapter.envelope.schema_model import SchemaModel
from adapter.envelope.schema_model_read import schema_model
from adapter.envelope.soap import (
    content_type_of,
    find_context,
    find_declared,
    read_envelope,
    render_answer,
    render_content,
    version_of,
)
from adapter.errors import Blame, NotSoap
from adapter.stages import IdentifiedCall, Packaging, ParsedCall, SoapVersion
from adapter.xmlsafe import XmlLimits, canonical

_XSI: Final = XSI.encode()
_ACTION: Final = re.compile(r""";\s*action\s*=\s*(?:"([^"]{0,500})"|([^\s;"]{1,500}))""", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class SoapForm:
    """An envelope of one version.

    names_in_values: a reply may have prefixes in its values, so all are declared.
    description: of the service, once the call was read.
    """

    version: SoapVersion
    names_in_values: bool = False
    description: ServiceDescription | None = None

    @property
    def takes_attachments(self) -> bool:
        """SOAP with Attachments and MTOM."""
        return True

    def reply(self, payload: etree._Element) -> ClientAnswer:
        """The payload in a Body, and declared headers that came with it in a Header.

        To a one-way request there is no envelope (WS-I Basic Profile 1.1, R2714), only status 202.
        """
        if payload.tag == ACCEPTED:
            return ClientAnswer(octets=b"", content_type=content_type_of(self.version), status=HTTPStatus.ACCEPTED)
        if payload.tag == PARTS or self.names_in_values:
            return self._whole(unwrap(payload))
        content = canonical(payload)
        return self._whole(unwrap(payload)) if _XSI in content else self._answer(content, HTTPStatus.OK)

    def reply_with_attachments(
        self, payload: etree._Element, attachments: HeldAttachments, packaging: Packaging
    ) -> ClientAnswer:
        """The payload in a Body, and the attachments in this packaging. Raises PeerAnswerInvalid."""
        model = self._model(packaging)
        return packed_reply(self, payload, attachments, packaging=packaging, version=self.version, model=model)

    def _model(self, packaging: Packaging) -> SchemaModel | None:
        """What finds base64 in the reply, where that is to become parts."""
        if packaging is not Packaging.MTOM or self.description is None:
            return None
        return schema_model(self.description)

    def fault(self, fault: PublicFault) -> ClientAnswer:
        """SOAP 1.1 (6.2) knows status 500 only; SOAP 1.2 Part 2 (7.5.2.2) has 400 when the sender is to blame."""
        is_senders = self.version is SoapVersion.SOAP12 and fault.blame is Blame.CLIENT_SYSTEM
        status = HTTPStatus.BAD_REQUEST if is_senders else HTTPStatus.INTERNAL_SERVER_ERROR
        return self._answer(render_fault(fault, self.version), status)

    def _whole(self, content: Content) -> ClientAnswer:
        octets = render_content(self.version, content)
        return ClientAnswer(octets=octets, content_type=content_type_of(self.version))

    def _answer(self, content: bytes, status: int) -> ClientAnswer:
        return ClientAnswer(
            octets=render_answer(self.version, content), content_type=content_type_of(self.version), status=status
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SoapDialect:
    """Of one call with this Content-Type, which is all that is known before the envelope is read.

    A call with attachments: content_type is that of its envelope.
    """

    content_type: str

    @property
    def form(self) -> AnswerForm:
        """The version that the Content-Type announces, 1.1 when it announces none."""
        return SoapForm(version=version_of(self.content_type))

    def read(
        self, identified: IdentifiedCall, description: ServiceDescription, limits: XmlLimits
    ) -> tuple[ParsedCall, AnswerForm]:
        """One Body element with the headers that its operation declares, and the RequestContext if there is one.

        Raises what envelope.soap raises, and UnknownOperation.
        """
        received = identified.received
        envelope = read_envelope(
            received.octets, self.content_type, limits, may_be_encoded=description.has_encoded_operations
        )
        operation = description.operation_for(
            str(envelope.payload.tag), _action(received.soap_action, self.content_type)
        )
        declared = operation.carried_headers(in_output=False)
        if operation.is_encoded and envelope.version is not operation.soap_version:
            raise NotSoap(f"a SOAP-encoded operation: send SOAP {operation.soap_version.value}, as its system speaks")
        content = Content(
            body=envelope.payload, headers=find_declared(envelope, declared), independent=envelope.independent
        )
        call = ParsedCall(
            identified=identified,
            context=find_context(envelope, declared),
            payload=wrap(content),
            operation=operation.name,
        )
        form = SoapForm(version=envelope.version, names_in_values=description.names_in_values, description=description)
        return call, form


def _action(header: str, content_type: str) -> str:
    """The SOAPAction header of SOAP 1.1, or the action of SOAP 1.2's media type (RFC 3902)."""
    found = _ACTION.search(content_type)
    return header or (found.group(1) or found.group(2) if found else "")
