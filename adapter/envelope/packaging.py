"""The three ways in which a system takes binary content: in the XML as base64, as MTOM, or as SOAP with Attachments."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from adapter.attachments import HeldAttachments
from adapter.envelope.bodies import Form, Segment, StreamedBody, related_body
from adapter.envelope.multipart import PartHead, RelatedType, media_type_of, parameter_of
from adapter.envelope.optimising import Extracted, find_base64, taken_out
from adapter.envelope.schema_model import SchemaModel
from adapter.envelope.soap import content_type_of, media_type_of_version
from adapter.envelope.xop import Include, find_includes, split_at_includes
from adapter.errors import AdapterError
from adapter.stages import Packaging, SoapVersion

XOP_TYPE = "application/xop+xml"


def envelope_type(related: RelatedType, head: PartHead, error: type[AdapterError]) -> tuple[Packaging, str]:
    """How a message came, and the Content-Type of its envelope as if that had come alone.

    related: of the whole message; head: of its root part. Raises `error`.
    """
    if (head.media_type or related.root_type) != XOP_TYPE:
        return Packaging.SWA, head.content_type or related.root_type
    inner = parameter_of(head.content_type, "type", error) or related.start_info
    charset = parameter_of(head.content_type, "charset", error) or "utf-8"
    return Packaging.MTOM, f"{media_type_of(inner) or 'text/xml'}; charset={charset}"


def package(
    payload: etree._Element,
    attachments: HeldAttachments,
    render: Callable[[], bytes],
    *,
    packaging: Packaging,
    version: SoapVersion,
    soap_action: str,
    error: type[AdapterError],
    model: SchemaModel | None = None,
) -> StreamedBody:
    """A message as a system of our own wants to have its binary content.

    render: writes the envelope around the payload as it is then. INLINE puts back base64 where an xop:Include stands;
    parts that no xop:Include names have no place there, and go as SOAP with Attachments, as they do with SWA.
    With MTOM and a model, large base64 in the XML becomes parts too. error: raised for an xop:Include that means
    nothing.
    """
    includes = find_includes(payload, attachments.said, error)
    if packaging is Packaging.MTOM:
        extracted = () if model is None else find_base64(payload, model, {said.content_id for said in attachments.said})
        if extracted or attachments.held:
            with taken_out(extracted):
                return _mtom(render(), attachments, extracted, version, soap_action)
    inlined = {include.content_id for include in includes}
    rest = tuple(held for held in attachments.held if held.said.content_id not in inlined)
    pieces = _inlined(includes, attachments, render)
    if not rest:
        return StreamedBody(
            content_type=_with_action(content_type_of(version), version, soap_action),
            attachments=attachments,
            pieces=tuple(pieces),
        )
    return _swa(pieces, HeldAttachments(content_key=attachments.content_key, held=rest), version, soap_action)


def with_parts(
    payload: etree._Element, render: Callable[[], bytes], *, version: SoapVersion, model: SchemaModel
) -> tuple[bytes, str] | None:
    """A message at hand as MTOM, each base64 value of it a part, however short; None when it has none.

    render: writes the envelope around the payload as it is then. The octets and their Content-Type.
    """
    extracted = find_base64(payload, model, min_chars=1)
    if not extracted:
        return None
    none_held = HeldAttachments(content_key=b"", held=())
    with taken_out(extracted):
        body = _mtom(render(), none_held, extracted, version, "")
    return b"".join(piece for piece in body.pieces if isinstance(piece, bytes)), body.content_type


def _inlined(
    includes: tuple[Include, ...], attachments: HeldAttachments, render: Callable[[], bytes]
) -> list[bytes | Segment]:
    held = {one.said.content_id: one for one in attachments.held}
    return [
        piece if isinstance(piece, bytes) else Segment(held=held[piece], form=Form.BASE64)
        for piece in split_at_includes(includes, render)
    ]


def _mtom(
    envelope: bytes,
    attachments: HeldAttachments,
    extracted: tuple[Extracted, ...],
    version: SoapVersion,
    soap_action: str,
) -> StreamedBody:
    """MTOM, 3.2 (SOAP 1.2), and the SOAP 1.1 binding for MTOM 1.0."""
    media_type = media_type_of_version(version)
    action = f'; action="{soap_action}"' if version is SoapVersion.SOAP12 and soap_action else ""
    return related_body(
        envelope,
        attachments,
        root_content_type=f'{XOP_TYPE}; charset=UTF-8; type="{media_type}"{action}',
        root_type=XOP_TYPE,
        form=Form.OCTETS,
        start_info=media_type,
        more=action,
        further=tuple((one.content_id, one.media_type, one.octets) for one in extracted),
    )


def _swa(
    envelope: list[bytes | Segment], attachments: HeldAttachments, version: SoapVersion, soap_action: str
) -> StreamedBody:
    """SOAP Messages with Attachments (W3C Note), 3."""
    media_type = media_type_of_version(version)
    body = related_body(
        b"",
        attachments,
        root_content_type=_with_action(content_type_of(version), version, soap_action),
        root_type=media_type,
        form=Form.OCTETS,
    )
    first, *rest = body.pieces
    return StreamedBody(content_type=body.content_type, attachments=attachments, pieces=(first, *envelope, *rest))


def _with_action(content_type: str, version: SoapVersion, soap_action: str) -> str:
    """SOAP 1.2 Part 2, 6.5.3."""
    return f'{content_type}; action="{soap_action}"' if version is SoapVersion.SOAP12 and soap_action else content_type
