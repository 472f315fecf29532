"""What an attachment is, and what the core needs of the place where its octets wait.

An attachment is never whole in memory and never in clear on disk. It waits as ciphertext, under the content key of the
message that carries it, from the moment it comes in until the exchange ends; whoever hands it on reads it as a stream.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

MAX_ATTACHMENTS = 64
"""Attachments that one message may have, whatever the settings say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """What is said of an attachment. content_id: without angle brackets, not percent-encoded (RFC 2392).

    size: octets. sha256: of exactly these octets. name: of the file, empty when none was given.
    """

    content_id: str
    media_type: str
    size: int
    sha256: bytes
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What the octets themselves say. size: octets. sha256: 32 octets."""

    size: int
    sha256: bytes


class SealedOctets(Protocol):
    """One attachment where it waits: IV (12 octets), ciphertext, tag (16 octets)."""

    @property
    def size(self) -> int:
        """Octets with IV and tag."""

    @property
    def iv(self) -> bytes:
        """The first 12 octets."""

    def ciphertext(self) -> AsyncIterator[bytes]:
        """All of it as it goes over the wire, in pieces."""

    def plaintext(self, content_key: bytes) -> AsyncIterator[bytes]:
        """What it says, in pieces, to be read only after `measure` found it good. Raises SecurityFailed at the end."""

    async def measure(self, content_key: bytes) -> Measured:
        """Decrypt it once and give nothing away but its size and digest. Raises SecurityFailed for a wrong tag."""


class KeepingSink(Protocol):
    """Takes ciphertext as a peer sends it."""

    async def write(self, octets: bytes) -> None:
        """The next piece. Raises Overloaded when there is no room."""

    async def finish(self) -> SealedOctets:
        """There is no more. Raises EnvelopeRefused when it is too short for an IV and a tag."""


class SealingSink(Protocol):
    """Takes plaintext from our own systems and encrypts it as it comes."""

    async def write(self, octets: bytes) -> None:
        """The next piece. Raises Overloaded when there is no room."""

    async def finish(self) -> tuple[SealedOctets, Measured]:
        """There is no more."""


class Holding(Protocol):
    """The attachments of one exchange. Whoever made it closes it when the exchange has ended."""

    def keeping(self) -> KeepingSink:
        """For one attachment that comes encrypted."""

    def sealing(self, content_key: bytes) -> SealingSink:
        """For one attachment that comes in clear. content_key: 16 octets, secret; the IV is a fresh one."""

    def close(self) -> None:
        """Forget everything that is held."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedPart:
    """A part of a peer's message beside its envelope: untrusted. Its media type on the wire means nothing."""

    content_id: str
    sealed: SealedOctets


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldAttachment:
    """An attachment and where it waits."""

    said: Attachment
    sealed: SealedOctets


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldAttachments:
    """All attachments of one message, under its content key (16 octets, secret)."""

    content_key: bytes = field(repr=False)
    held: tuple[HeldAttachment, ...]

    @property
    def said(self) -> tuple[Attachment, ...]:
        """Their descriptions, in the order of the message."""
        return tuple(one.said for one in self.held)
