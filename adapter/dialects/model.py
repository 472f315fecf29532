"""What a way of speaking has to do. The path of a message knows these two and no particular one.

A dialect is a value made for one call by the transport, which chooses it by path and media type; it may hold what the
path says (an operation, languages). What it read of the call and has to repeat in the answer goes into the form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from lxml import etree

from adapter.attachments import HeldAttachments
from adapter.envelope.bodies import StreamedBody
from adapter.envelope.description import ServiceDescription
from adapter.envelope.faults import PublicFault
from adapter.errors import AdapterError
from adapter.stages import IdentifiedCall, Packaging, ParsedCall
from adapter.xmlsafe import XmlLimits


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientAnswer:
    """The octets for the client system, the HTTP status, and headers with what its operators may want to note.

    streamed: a body with attachments in it, instead of the octets.
    refused: why there is no reply, when it is this adapter that says so.
    """

    octets: bytes
    content_type: str
    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)
    streamed: StreamedBody | None = None
    refused: AdapterError | None = None

    def with_headers(self, more: Mapping[str, str]) -> ClientAnswer:
        """The same answer with further headers."""
        return ClientAnswer(
            octets=self.octets,
            content_type=self.content_type,
            status=self.status,
            headers={**self.headers, **more},
            streamed=self.streamed,
            refused=self.refused,
        )

    def as_refusal(self, error: AdapterError) -> ClientAnswer:
        """The same answer, known to be this error's; it says when to ask again, where that is known."""
        wait = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
        return ClientAnswer(
            octets=self.octets,
            content_type=self.content_type,
            status=self.status,
            headers={**self.headers, **wait},
            streamed=self.streamed,
            refused=error,
        )


class AnswerForm(Protocol):
    """How one call is answered."""

    @property
    def takes_attachments(self) -> bool:
        """Whether there is a place beside the XML. Without, base64 is put where an xop:Include stands."""

    def reply(self, payload: etree._Element) -> ClientAnswer:
        """The reply. payload: the verified element of the provider's reply, valid against the service's schema."""

    def reply_with_attachments(
        self, payload: etree._Element, attachments: HeldAttachments, packaging: Packaging
    ) -> ClientAnswer:
        """The same with attachments, proven, or with base64 in the XML that this packaging has elsewhere.

        Raises PeerAnswerInvalid when this form has no place for them.
        """

    def fault(self, fault: PublicFault) -> ClientAnswer:
        """A fault of the catalogue, at any step of the path."""


class ClientDialect(Protocol):
    """How one call is read."""

    @property
    def form(self) -> AnswerForm:
        """How the call is answered as long as nothing of it has been read."""

    def read(
        self, identified: IdentifiedCall, description: ServiceDescription, limits: XmlLimits
    ) -> tuple[ParsedCall, AnswerForm]:
        """The call as XML, and how it is answered from now on.

        identified: its octets are untrusted. description: of the service that the call names. Raises what the
        catalogue blames on the client system.
        """
