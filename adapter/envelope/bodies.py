"""HTTP bodies that are too large to be held: octets at hand, and attachments that are read where they wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum

from pybase64 import b64encode

from adapter.attachments import HeldAttachment, HeldAttachments
from adapter.envelope.multipart import message_end, new_boundary, part_start, related_content_type


class Form(Enum):
    """How an attachment stands in a body."""

    CIPHERTEXT = "ciphertext"
    OCTETS = "octets"
    BASE64 = "base64"


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One attachment in a body."""

    held: HeldAttachment
    form: Form

    @property
    def size(self) -> int:
        """Octets that it takes."""
        if self.form is Form.CIPHERTEXT:
            return self.held.sealed.size
        plain = self.held.said.size
        return (plain + 2) // 3 * 4 if self.form is Form.BASE64 else plain


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamedBody:
    """A body with its Content-Type; it can be read more than once, as long as the exchange lasts."""

    content_type: str
    attachments: HeldAttachments
    pieces: tuple[bytes | Segment, ...]

    @property
    def size(self) -> int:
        """Octets in all: its Content-Length."""
        return sum(len(piece) if isinstance(piece, bytes) else piece.size for piece in self.pieces)

    async def stream(self) -> AsyncIterator[bytes]:
        """The octets. Raises SecurityFailed, InternalError; then less has come than `size` says."""
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
            elif piece.form is Form.CIPHERTEXT:
                async for octets in piece.held.sealed.ciphertext():
                    yield octets
            else:
                plain = piece.held.sealed.plaintext(self.attachments.content_key)
                async for octets in plain if piece.form is Form.OCTETS else _as_base64(plain):
                    yield octets


async def _as_base64(plain: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for octets in plain:
        whole = rest + octets
        end = len(whole) - len(whole) % 3
        yield b64encode(whole[:end])
        rest = whole[end:]
    yield b64encode(rest)


ROOT_ID = "envelope"


def related_body(
    root: bytes,
    attachments: HeldAttachments,
    *,
    root_content_type: str,
    root_type: str,
    form: Form,
    start_info: str = "",
    more: str = "",
    further: tuple[tuple[str, str, bytes], ...] = (),
) -> StreamedBody:
    """multipart/related: the root part, then every attachment (RFC 2387).

    root_content_type: of the root part; root_type: its media type. form: CIPHERTEXT hides the attachments' own media
    types and names too. further: parts at hand, each with its Content-ID and Content-Type.
    """
    boundary = new_boundary()
    known = {said.content_id for said in attachments.said}
    root_id = next(name for name in (ROOT_ID, f"{boundary}-{ROOT_ID}") if name not in known)
    start = part_start(boundary, content_type=root_content_type, content_id=root_id, is_first=True)
    pieces: list[bytes | Segment] = [start + root]
    for held in attachments.held:
        said = held.said
        hidden = form is Form.CIPHERTEXT
        pieces.append(
            part_start(
                boundary,
                content_type="application/octet-stream" if hidden else said.media_type,
                content_id=said.content_id,
                name="" if hidden else said.name,
            )
        )
        pieces.append(Segment(held=held, form=form))
    for content_id, content_type, octets in further:
        pieces.append(part_start(boundary, content_type=content_type, content_id=content_id) + octets)
    pieces.append(message_end(boundary))
    content_type = related_content_type(boundary, root_type=root_type, start=root_id, start_info=start_info, more=more)
    return StreamedBody(content_type=content_type, attachments=attachments, pieces=tuple(pieces))
