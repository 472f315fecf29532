"""A multipart/related message as it comes in: its root part whole, then every other part to where it waits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapter.attachments import (
    Attachment,
    HeldAttachment,
    HeldAttachments,
    Holding,
    Measured,
    ReceivedPart,
    SealedOctets,
)
from adapter.envelope.attachments_header import media_type_or_default
from adapter.envelope.multipart import Base64Stream, Event, PartEnd, PartHead, RelatedReader, RelatedType
from adapter.envelope.xop import find_includes
from adapter.errors import AdapterError, AttachmentsInvalid, LimitExceeded


@dataclass(frozen=True, kw_only=True, slots=True)
class AttachmentBounds:
    """What one message may bring. Octets are those of all attachments together.

    only_in_xml: each has to stand for base64 in the XML (xop:Include), because the system takes it there only.
    """

    max_count: int
    max_bytes: int
    only_in_xml: bool = False

    def check(self, payload: etree._Element, attachments: tuple[Attachment, ...]) -> None:
        """Raises LimitExceeded, AttachmentsInvalid."""
        if len(attachments) > self.max_count:
            raise LimitExceeded(f"{len(attachments)} attachments, allowed {self.max_count}")
        total = sum(attachment.size for attachment in attachments)
        if total > self.max_bytes:
            raise LimitExceeded(f"attachments of {total} octets, allowed {self.max_bytes}")
        if self.only_in_xml and len(find_includes(payload, attachments, AttachmentsInvalid)) < len(attachments):
            raise AttachmentsInvalid("the system behind the service takes no attachment beside the XML")


_MAX_BASE64_SPACES: Final = 64 * 1024
NO_ATTACHMENTS: Final = AttachmentBounds(max_count=0, max_bytes=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class RootPart:
    """The first part: the envelope."""

    head: PartHead
    octets: bytes


class RelatedMessage:
    """Reads one message, in this order: `root`, then `keep` or `seal`. error: what a malformed one is called."""

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        related: RelatedType,
        bounds: AttachmentBounds,
        error: type[AdapterError],
        *,
        may_greet: bool = False,
    ) -> None:
        """chunks: untrusted octets in pieces of any size. may_greet: of a system, not of a peer; see RelatedReader."""
        reader = RelatedReader(related.boundary, error=error, max_parts=bounds.max_count + 1, may_greet=may_greet)
        self._events = _events(chunks, reader)
        self._related = related
        self._bounds = bounds
        self._error = error
        self._is_over = False
        self._octets = 0
        self._spaces_allowed = _MAX_BASE64_SPACES

    async def root(self, max_bytes: int) -> RootPart:
        """The root part, which has to be the first one (RFC 2387, 3.2 would let it be another).

        Raises `error`, LimitExceeded.
        """
        head = await self._head()
        if self._related.start and head.content_id != self._related.start:
            raise self._error("the root part is not the first part")
        octets = bytearray()
        async for piece in self._content(head):
            octets += piece
            if len(octets) > max_bytes:
                raise LimitExceeded(f"an envelope of more than {max_bytes} octets")
        return RootPart(head=head, octets=bytes(octets))

    def narrow(self, bounds: AttachmentBounds) -> None:
        """From now on within these bounds too: those of the service, once the envelope has said which it is."""
        self._bounds = AttachmentBounds(
            max_count=min(self._bounds.max_count, bounds.max_count),
            max_bytes=min(self._bounds.max_bytes, bounds.max_bytes),
        )

    async def keep(self, holding: Holding) -> tuple[ReceivedPart, ...]:
        """Every other part as it comes. Raises `error`, LimitExceeded, Overloaded."""
        parts: list[ReceivedPart] = []
        while not self._is_over:
            head = await self._head()
            self._check_next(head, len(parts))
            sink = holding.keeping()
            async for piece in self._counted(head):
                await sink.write(piece)
            parts.append(ReceivedPart(content_id=head.content_id, sealed=await sink.finish()))
        return tuple(parts)

    async def seal(self, holding: Holding, content_key: bytes) -> HeldAttachments:
        """Every other part, encrypted as it comes. Raises `error`, LimitExceeded, Overloaded."""
        held: list[HeldAttachment] = []
        while not self._is_over:
            head = await self._head()
            self._check_next(head, len(held))
            sink = holding.sealing(content_key)
            async for piece in self._counted(head):
                await sink.write(piece)
            held.append(_held(head, *await sink.finish()))
        if len({one.said.content_id for one in held}) != len(held):
            raise self._error("two parts with one Content-ID")
        return HeldAttachments(content_key=content_key, held=tuple(held))

    def _check_next(self, head: PartHead, before: int) -> None:
        if before >= self._bounds.max_count:
            raise LimitExceeded(f"more than {self._bounds.max_count} attachments")
        if not head.content_id:
            raise self._error("a part without a Content-ID")

    async def _head(self) -> PartHead:
        event = await anext(self._events, None)
        if not isinstance(event, PartHead):
            raise self._error("a multipart message without a part")
        return event

    async def _counted(self, head: PartHead) -> AsyncIterator[bytes]:
        async for piece in self._content(head):
            self._octets += len(piece)
            if self._octets > self._bounds.max_bytes:
                raise LimitExceeded(f"attachments of more than {self._bounds.max_bytes} octets")
            yield piece

    async def _content(self, head: PartHead) -> AsyncIterator[bytes]:
        decoder = Base64Stream(self._error) if head.is_base64 else None
        async for event in self._events:
            if isinstance(event, bytes):
                yield event if decoder is None else self._decoded(decoder, event)
            elif isinstance(event, PartEnd):
                if decoder is not None:
                    decoder.finish()
                if event is PartEnd.LAST:
                    self._is_over = True
                    await self._to_the_end()
                return

    def _decoded(self, decoder: Base64Stream, octets: bytes) -> bytes:
        """Base64 may be broken into lines; white space without end is not that."""
        decoded = decoder.feed(octets)
        self._spaces_allowed += len(decoded) - len(octets) // 2
        if self._spaces_allowed < 0:
            raise LimitExceeded("more white space than base64")
        return decoded

    async def _to_the_end(self) -> None:
        """What follows the last boundary is read too, so that it is refused when it is something."""
        async for _ in self._events:
            raise self._error("something stands after the last boundary")


async def _events(chunks: AsyncIterator[bytes], reader: RelatedReader) -> AsyncIterator[Event]:
    async for chunk in chunks:
        for event in reader.feed(chunk):
            yield event
    reader.finish()


def _held(head: PartHead, sealed: SealedOctets, measured: Measured) -> HeldAttachment:
    said = Attachment(
        content_id=head.content_id,
        media_type=media_type_or_default(head.content_type),
        size=measured.size,
        sha256=measured.sha256,
        name=head.name,
    )
    return HeldAttachment(said=said, sealed=sealed)
