"""A SOAP answer with attachments, the same for every dialect whose answers are envelopes."""

from __future__ import annotations

from typing import Protocol

from lxml import etree

from adapter.attachments import HeldAttachments
from adapter.dialects.model import ClientAnswer
from adapter.envelope.packaging import package
from adapter.envelope.schema_model import SchemaModel
from adapter.errors import PeerAnswerInvalid
from adapter.stages import Packaging, SoapVersion


class RepliesInEnvelopes(Protocol):
    """A form whose replies are envelopes."""

    def reply(self, payload: etree._Element) -> ClientAnswer:
        """The envelope of a payload."""


def packed_reply(
    form: RepliesInEnvelopes,
    payload: etree._Element,
    attachments: HeldAttachments,
    *,
    packaging: Packaging,
    version: SoapVersion,
    model: SchemaModel | None = None,
) -> ClientAnswer:
    """The form's reply with the attachments in this packaging. model: finds base64 that is to become parts.

    Raises PeerAnswerInvalid.
    """
    body = package(
        payload,
        attachments,
        lambda: form.reply(payload).octets,
        packaging=packaging,
        version=version,
        soap_action="",
        error=PeerAnswerInvalid,
        model=model,
    )
    return ClientAnswer(octets=b"", content_type=body.content_type, streamed=body)
