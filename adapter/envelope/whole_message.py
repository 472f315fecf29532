"""A message that is at hand as a whole, with the parts beside its envelope: for tools, which need not stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from adapter.attachments import Attachment
from adapter.envelope.attachments_header import media_type_or_default
from adapter.envelope.multipart import (
    MULTIPART,
    Base64Stream,
    PartHead,
    RelatedReader,
    RelatedType,
    media_type_of,
    read_related_type,
)
from adapter.envelope.packaging import envelope_type
from adapter.errors import AdapterError
from adapter.stages import Packaging


@dataclass(frozen=True, kw_only=True, slots=True)
class WholePart:
    """A part beside the envelope, and its octets, decoded."""

    said: Attachment
    octets: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class WholeMessage:
    """An envelope's octets and its Content-Type as if it had come alone; how it came, and what came beside it."""

    octets: bytes
    content_type: str
    packaging: Packaging = Packaging.INLINE
    parts: tuple[WholePart, ...] = ()

    @property
    def said(self) -> tuple[Attachment, ...]:
        """What is said of the parts, in their order."""
        return tuple(part.said for part in self.parts)


def read_whole(octets: bytes, content_type: str, error: type[AdapterError]) -> WholeMessage:
    """A message (untrusted) and its Content-Type, of multipart/related or of an envelope alone.

    As strict as an adapter's own reader (envelope.multipart, exchange.parts): the envelope first, then parts that have
    a Content-ID each, no two the same. Raises `error`, LimitExceeded.
    """
    if media_type_of(content_type) != MULTIPART:
        return WholeMessage(octets=octets, content_type=content_type)
    related = read_related_type(content_type, error)
    (head, envelope), *others = _split(octets, related, error)
    if related.start and head.content_id != related.start:
        raise error("the root part is not the first part")
    parts = tuple(_part(other, content, error) for other, content in others)
    if len({part.said.content_id for part in parts}) != len(parts):
        raise error("two parts with one Content-ID")
    packaging, inner_type = envelope_type(related, head, error)
    return WholeMessage(
        octets=_decoded(head, envelope, error), content_type=inner_type, packaging=packaging, parts=parts
    )


def _split(octets: bytes, related: RelatedType, error: type[AdapterError]) -> list[tuple[PartHead, bytes]]:
    reader = RelatedReader(related.boundary, error=error, may_greet=True)
    found: list[tuple[PartHead, bytearray]] = []
    for event in reader.feed(octets):
        if isinstance(event, PartHead):
            found.append((event, bytearray()))
        elif isinstance(event, bytes):
            found[-1][1].extend(event)
    reader.finish()
    return [(head, bytes(content)) for head, content in found]


def _part(head: PartHead, content: bytes, error: type[AdapterError]) -> WholePart:
    if not head.content_id:
        raise error("a part without a Content-ID")
    octets = _decoded(head, content, error)
    said = Attachment(
        content_id=head.content_id,
        media_type=media_type_or_default(head.content_type),
        size=len(octets),
        sha256=sha256(octets).digest(),
        name=head.name,
    )
    return WholePart(said=said, octets=octets)


def _decoded(head: PartHead, content: bytes, error: type[AdapterError]) -> bytes:
    if not head.is_base64:
        return content
    decoder = Base64Stream(error)
    octets = decoder.feed(content)
    decoder.finish()
    return octets
