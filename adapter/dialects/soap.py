"""Plain SOAP 1.1 and 1.2 as a dialect: the call is an envelope, the answer is one of the same version."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from lxml import etree

from adapter.dialects.model import AnswerForm, ClientAnswer
from adapter.envelope.description import ServiceDescription
from adapter.envelope.faults import PublicFault, render_fault
from adapter.envelope.soap import content_type_of, find_context, read_envelope, render_answer, version_of
from adapter.errors import Blame
from adapter.stages import IdentifiedCall, ParsedCall, SoapVersion
from adapter.xmlsafe import XmlLimits, canonical


@dataclass(frozen=True, kw_only=True, slots=True)
class SoapForm:
    """An envelope of one version."""

    version: SoapVersion

    def reply(self, payload: etree._Element) -> ClientAnswer:
        """The payload in a Body."""
        return self._answer(canonical(payload), HTTPStatus.OK)

    def fault(self, fault: PublicFault) -> ClientAnswer:
        """SOAP 1.1 (6.2) knows status 500 only; SOAP 1.2 Part 2 (7.5.2.2) has 400 when the sender is to blame."""
        is_senders = self.version is SoapVersion.SOAP12 and fault.blame is Blame.CLIENT_SYSTEM
        status = HTTPStatus.BAD_REQUEST if is_senders else HTTPStatus.INTERNAL_SERVER_ERROR
        return self._answer(render_fault(fault, self.version), status)

    def _answer(self, content: bytes, status: int) -> ClientAnswer:
        return ClientAnswer(
            octets=render_answer(self.version, content), content_type=content_type_of(self.version), status=status
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SoapDialect:
    """Of one call with this Content-Type, which is all that is known before the envelope is read."""

    content_type: str

    @property
    def form(self) -> AnswerForm:
        """The version that the Content-Type announces, 1.1 when it announces none."""
        return SoapForm(version=version_of(self.content_type))

    def read(
        self,
        identified: IdentifiedCall,
        description: ServiceDescription,  # noqa: ARG002  an envelope can be read without
        limits: XmlLimits,
    ) -> tuple[ParsedCall, AnswerForm]:
        """One Body element, and the RequestContext header if there is one. Raises what envelope.soap raises."""
        envelope = read_envelope(identified.received.octets, self.content_type, limits)
        call = ParsedCall(identified=identified, context=find_context(envelope), payload=envelope.payload)
        return call, SoapForm(version=envelope.version)
